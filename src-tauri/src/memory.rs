//! Memory that nothing uses, kept small or given back to the system.
//!
//! The allocator of the C library keeps what was freed for later, in one pool for nearly every thread: after a workspace was
//! opened and its events were replayed, that is 40 MB of this process which nothing uses. The engine of the page lets its
//! heap grow by the memory of the machine before it looks for what is not used: on a large one that is 80 MB more.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
use std::time::Duration;

/// How often what is not used any more is given back; it takes some milliseconds.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const GIVE_BACK_EVERY: Duration = Duration::from_secs(30);

/// The memory of the machine, in bytes, as the engine of the page is to see it, and the name by which it is told. An engine
/// that does not know the name leaves it alone.
#[cfg(target_os = "linux")]
const PAGE_MEMORY: (&str, &str) = ("JSC_forceRAMSize", "268435456");

/// Says once, before anything is started, how memory is to be kept. What somebody has set stays.
pub(crate) fn settle() {
    #[cfg(target_os = "linux")]
    settle_page();
    settle_pools();
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "main has just begun; no other thread reads the environment")]
fn settle_page() {
    let (name, bytes) = PAGE_MEMORY;
    if std::env::var_os(name).is_none() {
        unsafe { std::env::set_var(name, bytes) };
    }
}

/// Two pools for all threads; there would be up to eight for each processor.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(
    unsafe_code,
    reason = "a call of the C library; it only sets a number, before any other thread exists"
)]
fn settle_pools() {
    // It can only refuse, and then everything is as it was.
    let _taken = unsafe { libc::mallopt(libc::M_ARENA_MAX, 2) };
}

/// Gives back, now and then, until the process ends.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn start() {
    // Ends with the process.
    drop(tauri::async_runtime::spawn(async {
        let mut timer = tokio::time::interval(GIVE_BACK_EVERY);
        loop {
            timer.tick().await;
            if let Err(problem) = tauri::async_runtime::spawn_blocking(give_back).await {
                tracing::debug!(%problem, "what was freed stays with the C library");
                return;
            }
        }
    }));
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "a call of the C library, which locks its own pools")]
fn give_back() {
    // Whether there was something to give back changes nothing.
    let _gave = unsafe { libc::malloc_trim(0) };
}

/// The other libraries give back by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn settle_pools() {}

/// The other libraries give back by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn start() {}
