//! Memory that was freed and is still held by the C library, given back to the system.
//!
//! Its allocator keeps what was freed for later, in one pool for nearly every thread: after a workspace was opened and its
//! events were replayed, that is 40 MB of this process which nothing uses.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
use std::time::Duration;

/// How often what is not used any more is given back; it takes some milliseconds.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const GIVE_BACK_EVERY: Duration = Duration::from_secs(30);

/// Two pools for all threads; there would be up to eight for each processor.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(
    unsafe_code,
    reason = "a call of the C library; it only sets a number, before any other thread exists"
)]
pub(crate) fn settle() {
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
pub(crate) fn settle() {}

/// The other libraries give back by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn start() {}
