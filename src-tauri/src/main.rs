//! The desktop window: commands that call the operations, and nothing else.

mod attention;
mod bounds;
mod commands;
mod crash;
mod desk;
mod links;
mod memory;
mod windows;
mod words;

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tauri::webview::PageLoadEvent;
use tauri::{Manager, RunEvent, WindowEvent};
use tauri_plugin_deep_link::DeepLinkExt;
use watchpost_model::access::Origin;
use watchpost_model::clock::SystemClock;
use watchpost_ops::console::{ASK_EVERY, Console, ConsoleOptions, Tenure};
use watchpost_ops::{Paths, os_caller};

use crate::desk::Desk;
use crate::links::Links;
use crate::windows::Windows;
use crate::words::Words;

const HELP: &str = "\
Watchpost: the security operations console for applications that report to Redis.

Usage: watchpost-desktop [LINK]

A LINK is watchpost://incident/NUMBER. Settings stand in the window; everything it does, `watchpost` does without one.

  --help       this text
  --version    the version
";

/// What is asked of a program before it needs a display; true if that was all.
fn answered() -> bool {
    let answer = match std::env::args_os().nth(1).as_deref().and_then(std::ffi::OsStr::to_str) {
        Some("--help" | "-h") => HELP.to_owned(),
        Some("--version" | "-V") => concat!("watchpost-desktop ", env!("CARGO_PKG_VERSION"), "\n").to_owned(),
        _ => return false,
    };
    // Nobody is there to be told that standard output is closed.
    drop(std::io::stdout().write_all(answer.as_bytes()));
    true
}

fn main() -> ExitCode {
    if answered() {
        return ExitCode::SUCCESS;
    }
    if cfg!(target_os = "linux")
        && ["DISPLAY", "WAYLAND_DISPLAY"].iter().all(|name| std::env::var_os(name).is_none())
    {
        let words = "watchpost-desktop: there is no display here; `watchpost` does the same without one\n";
        drop(std::io::stderr().write_all(words.as_bytes()));
        return ExitCode::from(3);
    }
    settle_graphics();
    memory::settle();
    let filter = tracing_subscriber::EnvFilter::try_from_env("WATCHPOST_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(format!("warn,{}", watchpost_ops::QUIET)));
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
    let paths = Paths::from_environment()?;
    let console = Console::start(ConsoleOptions {
        paths: paths.clone(),
        clock: Arc::new(SystemClock),
        tenure: Tenure::Owner,
        offer_demo: true,
        remember: true,
        ask_every: ASK_EVERY,
        redis_wait: REDIS_WAIT,
    })?;
    let name = bus_name(paths.workspace().as_os_str().as_encoded_bytes());
    let desk = Desk::new(console, os_caller(Origin::Window));
    let app = tauri::Builder::default()
        // First of all: a second start hands over what it was asked for and ends before it opens anything.
        .plugin(
            tauri_plugin_single_instance::Builder::new()
                .dbus_id(name)
                .callback(|app, arguments, _| {
                    // A link has brought its own window to the front by now.
                    if !links::among(&arguments) {
                        windows::raise(app);
                    }
                })
                .build(),
        )
        .plugin(tauri_plugin_deep_link::init())
        .plugin(tauri_plugin_dialog::init())
        .manage(Links::default())
        .manage(Windows::kept_in(paths.window()))
        .manage(Words::default())
        .manage(desk)
        .on_page_load(|webview, load| {
            if load.event() == PageLoadEvent::Finished
                && let Some(window) = webview.get_webview_window(webview.label())
            {
                windows::show(&window);
            }
        })
        .invoke_handler(commands::handler())
        .setup(|app| {
            windows::restore(app.handle());
            follow_links(app);
            attention::start(app.handle());
            memory::start();
            end_on_signal(app.handle().clone());
            Ok(())
        })
        .build(tauri::generate_context!())?;
    // A second start has ended by now. The window is made when the loop runs, and takes a while: meanwhile this opens.
    app.state::<Desk>().open_first();
    app.run(|app, event| match event {
        RunEvent::Exit => {
            tracing::info!("the last window is closed; closing the workspace");
            app.state::<Desk>().close();
        }
        // Not by its windows: from the icon in the panel, or the session ends.
        RunEvent::ExitRequested { .. } => app.webview_windows().values().for_each(windows::remember),
        RunEvent::WindowEvent { label, event: WindowEvent::CloseRequested { .. }, .. } => {
            if let Some(window) = app.get_webview_window(&label) {
                windows::remember(&window);
            }
        }
        RunEvent::WindowEvent { label, event: WindowEvent::Focused(true), .. } => {
            app.state::<Windows>().focused(&label);
        }
        RunEvent::WindowEvent { label, event: WindowEvent::Destroyed, .. } => {
            app.state::<Windows>().closed(&label);
            app.state::<Desk>().forget(&label);
            drop(app.state::<Links>().take(&label));
        }
        _ => {}
    });
    Ok(())
}

/// Goes where links lead: the one that the program was started with, and those that come later.
fn follow_links(app: &tauri::App) {
    let go = |handle: &tauri::AppHandle, urls: Vec<tauri::Url>| {
        if let Some(route) = urls.iter().find_map(links::route_of) {
            links::follow(handle, &route);
        }
    };
    match app.deep_link().get_current() {
        Ok(urls) => go(app.handle(), urls.unwrap_or_default()),
        Err(problem) => tracing::warn!(%problem, "the link at the start was not read"),
    }
    let handle = app.handle().clone();
    app.deep_link().on_open_url(move |event| go(&handle, event.urls()));
}

/// Longer than a server that is there takes. One out of reach takes many seconds, and what the window shows first is in the
/// database; a private server starts when that is drawn.
const REDIS_WAIT: Duration = Duration::from_secs(1);

/// The name of this program on the session's bus: one for each data folder, since each can have a window of its own.
fn bus_name(folder: &[u8]) -> String {
    // FNV-1a: only has to be the same in the next run.
    let hash = folder.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("dev.watchpost.console.d{hash:016x}")
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

/// What WebKit has to be told before it draws. A user's own values win.
///
/// NVIDIA's driver on Wayland shows a blank window unless explicit sync is off. And where no graphics card draws (a virtual
/// machine, a remote desktop), WebKit would have the processor play one: each changed word then composes the whole window
/// anew, for 75 to 100 ms of computing at 1440x900 where drawing what changed takes 2 to 5, and its page takes 200 MB more.
#[expect(unsafe_code, reason = "the environment is changed before any other thread exists")]
fn settle_graphics() {
    const EXPLICIT_SYNC: &str = "__NV_DISABLE_EXPLICIT_SYNC";
    const NO_COMPOSING: &str = "WEBKIT_DISABLE_COMPOSITING_MODE";
    let wayland = std::env::var_os("WAYLAND_DISPLAY").is_some();
    let nvidia = std::path::Path::new("/proc/driver/nvidia/version").exists();
    let wanted = [
        (EXPLICIT_SYNC, wayland && nvidia),
        (NO_COMPOSING, cfg!(target_os = "linux") && !nvidia && !has_card()),
    ];
    for (name, _) in wanted.into_iter().filter(|(name, wanted)| *wanted && std::env::var_os(name).is_none()) {
        // SAFETY: main has just begun; no other thread reads the environment.
        unsafe { std::env::set_var(name, "1") };
    }
}

/// Whether a graphics card is there that this account may draw with.
fn has_card() -> bool {
    let nodes = std::fs::read_dir("/dev/dri").into_iter().flatten().flatten();
    nodes
        .filter(|node| node.file_name().as_encoded_bytes().starts_with(b"renderD"))
        .any(|node| std::fs::OpenOptions::new().read(true).write(true).open(node.path()).is_ok())
}
