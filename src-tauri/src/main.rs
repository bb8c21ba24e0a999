//! The desktop window: commands that call the operations, and nothing else.

mod commands;
mod desk;

use std::process::ExitCode;
use std::sync::Arc;

use tauri::{Manager, RunEvent};
use watchpost_model::access::Origin;
use watchpost_model::clock::SystemClock;
use watchpost_ops::console::{Console, ConsoleOptions, Tenure};
use watchpost_ops::{Paths, os_caller};

use crate::desk::Desk;

fn main() -> ExitCode {
    settle_graphics();
    let filter = tracing_subscriber::EnvFilter::try_from_env("WATCHPOST_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false).init();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "code that Tauri generates ends the process on a broken bundle"
)]
fn run() -> anyhow::Result<()> {
    let console = Console::start(ConsoleOptions {
        paths: Paths::from_environment()?,
        clock: Arc::new(SystemClock),
        tenure: Tenure::Owner,
        offer_demo: true,
        remember: true,
    })?;
    let desk = Desk::new(console, os_caller(Origin::Window));
    let app = tauri::Builder::default()
        .plugin(tauri_plugin_dialog::init())
        .manage(desk)
        .invoke_handler(commands::handler())
        .setup(|app| {
            app.state::<Desk>().open_first();
            end_on_signal(app.handle().clone());
            Ok(())
        })
        .build(tauri::generate_context!())?;
    app.run(|app, event| {
        if matches!(event, RunEvent::Exit) {
            app.state::<Desk>().close();
        }
    });
    Ok(())
}

/// A session that ends sends SIGTERM: the window then closes as if by hand, so that the workspace closes too.
fn end_on_signal(app: tauri::AppHandle) {
    // Ends with the process.
    drop(tauri::async_runtime::spawn(async move {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut terminate) => {
                terminate.recv().await;
                app.exit(0);
            }
            Err(error) => tracing::warn!(%error, "cannot hear SIGTERM"),
        }
    }));
}

/// NVIDIA's driver on Wayland shows a blank WebKit window unless explicit sync is off. A user's own value wins.
#[expect(unsafe_code, reason = "the environment is changed before any other thread exists")]
fn settle_graphics() {
    const EXPLICIT_SYNC: &str = "__NV_DISABLE_EXPLICIT_SYNC";
    let wayland = std::env::var_os("WAYLAND_DISPLAY").is_some();
    let nvidia = std::path::Path::new("/proc/driver/nvidia/version").exists();
    if wayland && nvidia && std::env::var_os(EXPLICIT_SYNC).is_none() {
        // SAFETY: main has just begun; no other thread reads the environment.
        unsafe { std::env::set_var(EXPLICIT_SYNC, "1") };
    }
}
