//! Ports of this machine for what tests start. Also of the tests of other crates.

use std::fs::File;
use std::net::TcpListener;

/// Below the ports that Linux gives to connections that go out.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// A port of 127.0.0.1 that nobody listens on. It is this process's alone as long as it runs: no other test is given it,
/// for the file of its name is locked, and no connection that goes out takes it before the server that it is for does.
pub(crate) fn free_port() -> u16 {
    let locks = std::env::temp_dir().join("watchpost-test-ports");
    std::fs::create_dir_all(&locks).expect("a temporary directory");
    let count = u32::from(PORTS.end - PORTS.start);
    let first = std::process::id().wrapping_mul(37) % count;
    for n in 0..count {
        let port = PORTS.start + u16::try_from((first + n) % count).expect("it is below the count");
        // One that cannot be opened is another user's.
        let Ok(lock) = File::create(locks.join(port.to_string())) else { continue };
        if lock.try_lock().is_ok() && TcpListener::bind(("127.0.0.1", port)).is_ok() {
            // Held until the process ends.
            std::mem::forget(lock);
            return port;
        }
    }
    panic!("all ports from {} to {} are taken", PORTS.start, PORTS.end);
}
