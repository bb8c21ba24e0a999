//! What a user of the server needs: each command that is sent, for what, and the lines of the ACL that grant it.
//!
//! The tests make a user of exactly what is printed and do everything with it, so that a command that is sent and not
//! named here shows.

use watchpost_model::diagnosis::AclLine;

use crate::target::RedisTarget;
use crate::target::TargetAddress;

/// A command as it is tried; `{k}` is a key of the prefix.
pub(crate) type Words = &'static [&'static str];

/// Commands that serve one purpose.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Group {
    /// `read events`: after "to".
    pub(crate) purpose: &'static str,
    /// Without it nothing works.
    pub(crate) essential: bool,
    pub(crate) commands: &'static [Words],
}

pub(crate) const READ: Group = Group {
    purpose: "read events",
    essential: true,
    commands: &[
        &["PING"],
        &["SCAN", "0"],
        &["DBSIZE"],
        &["TYPE", "{k}"],
        &["HLEN", "{k}"],
        &["HKEYS", "{k}"],
        &["HSTRLEN", "{k}", "f"],
        &["HGETALL", "{k}"],
        &["HGET", "{k}", "f"],
        &["HMGET", "{k}", "f"],
        &["HEXISTS", "{k}", "f"],
        &["GETRANGE", "{k}", "0", "0"],
        &["EXISTS", "{k}"],
        &["PTTL", "{k}"],
        &["ZREVRANGE", "{k}", "0", "0"],
        &["XLEN", "{k}"],
        &["XRANGE", "{k}", "-", "+"],
        &["XREAD", "STREAMS", "{k}", "0"],
        &["XINFO", "GROUPS", "{k}"],
        &["XPENDING", "{k}", "g"],
        &["EVALSHA", "0000000000000000000000000000000000000000", "0"],
        &["SCRIPT", "LOAD", "return 1"],
    ],
};

/// What maintenance looks at before it changes anything, beside events.
pub(crate) const PREVIEW: Group = Group {
    purpose: "preview maintenance",
    essential: false,
    commands: &[&["ZSCAN", "{k}", "0"], &["ZRANGEBYSCORE", "{k}", "0", "0"]],
};

pub(crate) const HEALTH: Group = Group {
    purpose: "watch health",
    essential: false,
    commands: &[
        &["INFO"],
        &["TIME"],
        &["SLOWLOG", "GET", "1"],
        &["SLOWLOG", "LEN"],
        &["COMMANDLOG", "GET", "1", "slow"],
        &["LATENCY", "LATEST"],
        &["LATENCY", "HISTOGRAM"],
        &["MEMORY", "USAGE", "{k}"],
        &["OBJECT", "ENCODING", "{k}"],
        &["PEXPIRETIME", "{k}"],
        // Asked of each server, to learn whether it is one of a cluster.
        &["CLUSTER", "SLOTS"],
        &["CLUSTER", "MYID"],
        &["CLUSTER", "INFO"],
        &["CLIENT", "SETNAME", "x"],
        &["CLIENT", "SETINFO", "LIB-NAME", "watchpost"],
        &["CLIENT", "NO-TOUCH", "ON"],
    ],
};

pub(crate) const PROCESS: Group = Group {
    purpose: "process events",
    essential: true,
    commands: &[
        &["HSET", "{k}", "f", "v"],
        &["XGROUP", "CREATE", "{k}", "g", "0"],
        &["XREADGROUP", "GROUP", "g", "c", "STREAMS", "{k}", ">"],
        &["XAUTOCLAIM", "{k}", "g", "c", "0", "0"],
        &["XACK", "{k}", "g", "0-1"],
        &["XDEL", "{k}", "0-1"],
        &["XADD", "{k}", "*", "f", "v"],
        &["ZADD", "{k}", "1", "m"],
        &["ZCARD", "{k}"],
        &["ZPOPMIN", "{k}"],
        &["HDEL", "{k}", "f"],
        &["PEXPIRE", "{k}", "1"],
    ],
};

pub(crate) const CONTAIN: Group = Group {
    purpose: "block addresses",
    essential: false,
    commands: &[
        &["SET", "{k}", "v"],
        &["GET", "{k}"],
        &["DEL", "{k}"],
        &["ZADD", "{k}", "1", "m"],
        &["ZREM", "{k}", "m"],
        &["ZREMRANGEBYSCORE", "{k}", "0", "0"],
    ],
};

pub(crate) const EXPORT: Group = Group {
    purpose: "export and back up every key",
    essential: false,
    commands: &[
        &["GET", "{k}"],
        &["LRANGE", "{k}", "0", "0"],
        &["SMEMBERS", "{k}"],
        &["SSCAN", "{k}", "0"],
        &["HSCAN", "{k}", "0"],
        &["ZRANGE", "{k}", "0", "0"],
        &["ZSCAN", "{k}", "0"],
        &["DUMP", "{k}"],
    ],
};

pub(crate) const MAINTAIN: Group = Group {
    purpose: "run maintenance",
    essential: false,
    commands: &[
        &["UNLINK", "{k}"],
        &["ZRANGEBYSCORE", "{k}", "0", "0"],
        &["ZREM", "{k}", "m"],
        &["ZSCAN", "{k}", "0"],
        &["HDEL", "{k}", "f"],
        &["OBJECT", "IDLETIME", "{k}"],
        &["CONFIG", "GET", "hash-max-*"], // And whether the server saves by itself.
        &["MEMORY", "PURGE"],
        &["GET", "{k}"],
        &["SET", "{k}", "v"],
        &["DUMP", "{k}"],
        &["RESTORE", "{k}", "0", "v"],
        &["RENAME", "{k}", "{k}"],
        &["RENAMENX", "{k}", "{k}"],
        &["PEXPIREAT", "{k}", "1"],
        &["PERSIST", "{k}"],
        &["APPEND", "{k}", "v"],
        &["RPUSH", "{k}", "v"],
        &["SADD", "{k}", "m"],
        &["UNWATCH"],
    ],
};

/// Everything that is tried, by purpose.
pub(crate) const ALL: [Group; 7] = [READ, PREVIEW, PROCESS, CONTAIN, MAINTAIN, EXPORT, HEALTH];
/// What one needs who only looks.
pub(crate) const OBSERVE: [Group; 3] = [READ, PREVIEW, HEALTH];
/// They cannot be queued, so they are tried before: the transactions in which large events are compared and removed.
pub(crate) const UNQUEUED: [&str; 2] = ["WATCH", "EXEC"];
/// In which all is tried.
const TRIAL: [&str; 2] = ["+multi", "+discard"];
const WHO: &str = "watchpost";

/// `+config|get` for a subcommand, `+hset` for a command.
pub(crate) fn right_of(words: &[&str]) -> String {
    let mut words = words.iter();
    let name = words.next().copied().unwrap_or_default();
    let container = matches!(
        name,
        "XGROUP"
            | "XINFO"
            | "MEMORY"
            | "SCRIPT"
            | "SLOWLOG"
            | "CLIENT"
            | "CLUSTER"
            | "OBJECT"
            | "COMMANDLOG"
            | "CONFIG"
            | "LATENCY"
    );
    match words.next() {
        Some(part) if container => format!("+{name}|{part}").to_lowercase(),
        _ => format!("+{name}").to_lowercase(),
    }
}

/// What a server is, as it says to everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) version: (u32, u32),
    pub(crate) is_valkey: bool,
}

impl Server {
    /// The oldest one that is looked after.
    pub(crate) const OLDEST: Self = Self { version: (6, 2), is_valkey: false };

    /// Has it this command?
    pub(crate) fn knows(self, words: &[&str]) -> bool {
        let first = since(words);
        self.version >= first.version && (self.is_valkey || !first.is_valkey)
    }
}

/// The server that a command came with; names that it does not know are refused by a server's `ACL SETUSER`.
pub(crate) fn since(words: &[&str]) -> Server {
    let (version, is_valkey) = match words {
        ["PEXPIRETIME", ..] | ["LATENCY", "HISTOGRAM", ..] => ((7, 0), false),
        ["CLIENT", "SETINFO" | "NO-TOUCH", ..] => ((7, 2), false),
        ["COMMANDLOG", ..] => ((8, 1), true),
        _ => return Server::OLDEST,
    };
    Server { version, is_valkey }
}

/// For a server that did not say which one it is: what those that came later know besides.
const LATER: [(&str, Server, &str); 3] = [
    (
        "from_7_0",
        Server { version: (7, 0), is_valkey: false },
        "The server did not say its version, so the lines above have only the names that 6.2 knows. From 7.0 on, besides",
    ),
    ("from_7_2", Server { version: (7, 2), is_valkey: false }, "From 7.2 on, besides"),
    ("from_valkey_8_1", Server { version: (8, 1), is_valkey: true }, "From Valkey 8.1 on, besides"),
];

/// The lines that make a user of `target`: one who only looks, and what each further use adds to it. A server that is not
/// `known` gets the names that each knows, and then those that came later.
pub(crate) fn lines(target: &RedisTarget, known: Option<Server>) -> Vec<AclLine> {
    let server = known.unwrap_or(Server::OLDEST);
    let rights = |groups: &[Group]| {
        let commands = groups.iter().flat_map(|group| group.commands.iter());
        commands.filter(|words| server.knows(words)).map(|words| right_of(words)).collect::<Vec<_>>()
    };
    let user = target.username.as_deref().filter(|user| *user != "default").unwrap_or(WHO);
    let mut base: Vec<String> = ["resetkeys", "resetchannels", "-@all"].map(str::to_owned).to_vec();
    base.push(format!("~{}*", target.prefix));
    base.extend(TRIAL.map(str::to_owned));
    base.extend(rights(&OBSERVE));
    if target.database != 0 {
        base.push("+select".to_owned());
    }
    let is_clustered = target.prefix.contains('{');
    if is_clustered {
        base.push("+cluster|info".to_owned());
    }
    if is_clustered || matches!(target.address, TargetAddress::Sentinel(_)) {
        base.push("+role".to_owned());
    }
    let mut maintain = rights(&[PROCESS, MAINTAIN]);
    maintain.extend(UNQUEUED.map(|name| format!("+{}", name.to_lowercase())));
    let mut all = base.clone();
    all.extend(rights(&ALL));
    all.extend(maintain.clone());
    let mut lines = vec![
        ("observe", "Only look: health, statistics, events, previews; nothing is written", base),
        ("process", "Process events by the consumer group", rights(&[PROCESS])),
        ("contain", "Block addresses and contain sessions, users, services", rights(&[CONTAIN])),
        ("export", "Export and back up every key", rights(&[EXPORT])),
        ("maintain", "Retention, clean-up, optimisation, restore, benchmark", maintain),
        ("all", "All of these", all),
    ];
    if known.is_none() {
        lines.extend(LATER.map(|(purpose, from, title)| {
            let commands = ALL.iter().flat_map(|group| group.commands.iter());
            let later = commands.filter(|words| since(words) == from);
            (purpose, title, later.map(|words| right_of(words)).collect::<Vec<_>>())
        }));
    }
    let line_of = |(purpose, title, rules): (&str, &str, Vec<String>)| AclLine {
        purpose: purpose.to_owned(),
        title: title.to_owned(),
        line: line(user, rules),
    };
    lines.into_iter().map(line_of).collect()
}

/// A line for `redis-cli`, at its prompt as well as in a shell.
pub(crate) fn line(user: &str, rules: Vec<String>) -> String {
    let mut seen = std::collections::HashSet::new();
    let rules = rules.into_iter().filter(|rule| seen.insert(rule.clone()));
    let words: Vec<String> =
        std::iter::once(user.to_owned()).chain(rules).map(|word| quoted(&word)).collect();
    format!("ACL SETUSER {}", words.join(" "))
}

/// In single quotes where a shell would make something else of it. Neither user names that a server takes nor prefixes
/// hold a quote; one is escaped in the way of both.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "+-_@.:".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    if word.contains('\'') {
        return format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""));
    }
    format!("'{word}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> RedisTarget {
        RedisTarget::unix("/nowhere", "{shop}:")
    }

    #[test]
    fn the_line_of_an_observer_is_quoted_and_writes_nothing() {
        let lines = lines(&target(), Some(Server { version: (7, 0), is_valkey: false }));
        let observe = &lines[0].line;
        assert!(
            observe.starts_with("ACL SETUSER watchpost resetkeys resetchannels -@all '~{shop}:*' +multi"),
            "{observe}"
        );
        for writing in PROCESS.commands.iter().chain(CONTAIN.commands).chain(MAINTAIN.commands) {
            let right = right_of(writing);
            let mut reading = READ.commands.iter().chain(PREVIEW.commands).chain(EXPORT.commands);
            let is_reading = reading.any(|words| right_of(words) == right);
            assert!(
                is_reading || !observe.split([' ', '\'']).any(|word| word == right),
                "{right}: {observe}"
            );
        }
    }

    #[test]
    fn an_old_server_is_told_no_name_that_it_does_not_know() {
        let of = |version, is_valkey| {
            let lines = lines(&target(), Some(Server { version, is_valkey }));
            lines.into_iter().map(|line| line.line).collect::<String>()
        };
        assert!(!of((6, 2), false).contains("pexpiretime"));
        assert!(of((7, 0), false).contains("+pexpiretime") && !of((7, 0), false).contains("no-touch"));
        assert!(
            of((8, 2), false).contains("'+client|no-touch'") && !of((8, 2), false).contains("commandlog")
        );
        assert!(of((8, 1), true).contains("'+commandlog|get'") && !of((8, 0), true).contains("commandlog"));
    }

    #[test]
    fn where_the_version_is_not_known_later_names_are_told_apart() {
        let lines = lines(&target(), None);
        let line = |purpose: &str| {
            lines
                .iter()
                .find(|line| line.purpose == purpose)
                .map(|line| line.line.as_str())
                .unwrap_or_default()
        };
        assert!(!line("observe").contains("pexpiretime") && !line("all").contains("no-touch"));
        assert_eq!(line("from_7_0"), "ACL SETUSER watchpost '+latency|histogram' +pexpiretime");
        assert_eq!(line("from_7_2"), "ACL SETUSER watchpost '+client|setinfo' '+client|no-touch'");
        assert_eq!(line("from_valkey_8_1"), "ACL SETUSER watchpost '+commandlog|get'");
        let later = lines.iter().find(|line| line.purpose == "from_7_0").map(|line| line.title.as_str());
        assert!(later.is_some_and(|title| title.contains("did not say its version")), "{later:?}");
    }
}
