//! Who is at this console: the account and machine names that the operating system gives.

use std::os::unix::fs::MetadataExt;

use watchpost_model::access::{Caller, Origin, Role};

/// The OS account as a caller. In a local workspace the account owns everything, so its role is admin.
#[must_use]
pub fn os_caller(origin: Origin) -> Caller {
    // Not a variable of the environment: anybody can set one, and a second person has to be a second account.
    let name = whoami::username().ok().filter(|name| !name.trim().is_empty());
    let name = name.or_else(account_of_process).unwrap_or_else(|| "unknown".to_owned());
    Caller { name, role: Role::Admin, origin, host: host_name() }
}

/// The number of the account that owns this process, where the account has no name: in a container.
fn account_of_process() -> Option<String> {
    Some(format!("uid-{}", std::fs::metadata("/proc/self").ok()?.uid()))
}

fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map(|name| name.trim().to_owned())
        .ok()
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "unknown".to_owned())
}
