//! Who is at this console: the account and machine names that the operating system gives.

use std::os::unix::fs::MetadataExt;

use watchpost_model::access::{Caller, Origin, Role};

/// The OS account as a caller. In a local workspace the account owns everything, so its role is admin.
#[must_use]
pub fn os_caller(origin: Origin) -> Caller {
    let name = ["USER", "LOGNAME"]
        .iter()
        .find_map(|variable| std::env::var(variable).ok().filter(|name| !name.trim().is_empty()))
        .or_else(account_of_process)
        .unwrap_or_else(|| "unknown".to_owned());
    Caller { name, role: Role::Admin, origin, host: host_name() }
}

/// The account name that owns this process, from the account file, else its number.
fn account_of_process() -> Option<String> {
    let uid = std::fs::metadata("/proc/self").ok()?.uid();
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    });
    Some(name.unwrap_or_else(|| format!("uid-{uid}")))
}

fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map(|name| name.trim().to_owned())
        .ok()
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "unknown".to_owned())
}
