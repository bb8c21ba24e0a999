//! Arguments that a program usually has: what shows that a word is a command and not the beginning of a sentence.

use super::phrase;
use super::words::{Strength, is_prose};

/// `bitsadmin /transfer a http://x.example/a`: a switch and a place, and one word at most that sentences have too.
pub(super) fn is_switched(first: &str, strength: Strength, rest: &str) -> bool {
    strength == Strength::Program
        && first.starts_with(['/', '-'])
        && (rest.contains("://") || rest.contains(":\\"))
        && rest.split_whitespace().filter(|word| is_prose(word)).count() <= 1
}

/// `net user x y /add`, `reg add x`: the second word is a command of the first.
pub(super) fn is_usual_pair(name: &str, rest: &str) -> bool {
    let mut words = rest.split([' ', '\t', '+']).filter(|word| !word.is_empty());
    let (first, second) = (words.next().unwrap_or("").to_ascii_lowercase(), words.next().unwrap_or(""));
    match name {
        "net" | "net1" => {
            first == "localgroup" && !is_prose(second)
                || first == "user" && (second.is_empty() || words.any(|word| word.starts_with('/')))
                || matches!(first.as_str(), "view" | "start" | "share" | "use" | "accounts")
                    && second.is_empty()
        }
        "reg" => {
            matches!(first.as_str(), "add" | "query" | "delete" | "save" | "export")
                && second.trim_start_matches('"').to_ascii_uppercase().starts_with("HK")
        }
        "netsh" => matches!(first.as_str(), "firewall" | "advfirewall" | "interface" | "wlan"),
        "sc" => {
            let is_said = rest.split_whitespace().any(|word| is_prose(word) || phrase::says(word));
            first == "query" && !is_said
                || matches!(first.as_str(), "create" | "stop" | "delete") && !second.is_empty()
        }
        "pip" | "pip3" | "apt" | "apt-get" | "yum" | "npm" | "gem" => {
            first == "install" && !second.is_empty()
        }
        _ => false,
    }
}

/// `net user`, `echo x`, `service ssh`.
pub(super) fn is_usual_argument(name: &str, first: &str) -> bool {
    match name {
        "net" | "net1" => matches!(
            first.to_ascii_lowercase().as_str(),
            "user" | "users" | "localgroup" | "view" | "start" | "group" | "share" | "use"
        ),
        "echo" | "cat" | "printf" | "which" | "whereis" | "sleep" | "cd" | "kill" | "type" | "del"
        | "python" | "get-content" | "start-process" => true,
        _ => false,
    }
}
