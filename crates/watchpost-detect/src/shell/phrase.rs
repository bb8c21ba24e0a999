//! Phrases and lists that have a separator and a command's name in them: `Wine & more`, `Perl; Ruby`, `name; id; date`.
//!
//! Many programs are called like things that people write of. Behind words, such a name is a command only with an
//! argument that nothing but a command has: an option, a path, a redirection, a substitution, another machine.

use super::read::{Word, program_name};
use super::usual::is_usual_pair;
use super::words::{Strength, is_prose, program};
use super::{Before, Known, told};

/// How sure it is that a separator and what follows it are for a shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grade {
    /// A command.
    Sure,
    /// The name of a program where people seldom put one, and nothing else that a command has.
    Maybe,
    /// A phrase, a list or what developers tell each other to type.
    Nothing,
}

/// Names that nothing else has and that are said all the same: languages, tools of developers, protocols, verbs.
const SPOKEN: &[&str] = &[
    "ansible",
    "apt",
    "apt-get",
    "aptitude",
    "awk",
    "bash",
    "busybox",
    "bzip2",
    "chroot",
    "crontab",
    "csh",
    "curl",
    "dash",
    "env",
    "ex",
    "ftp",
    "gcc",
    "gdb",
    "gem",
    "gzip",
    "htop",
    "icmp",
    "iptables",
    "irb",
    "jq",
    "ksh",
    "lua",
    "nmap",
    "npm",
    "openssl",
    "passwd",
    "perl",
    "php",
    "ping",
    "pip",
    "pip3",
    "powershell",
    "pwsh",
    "rc",
    "rpm",
    "rsync",
    "ruby",
    "scp",
    "sed",
    "sftp",
    "smbclient",
    "sqlite3",
    "ssh",
    "su",
    "sudo",
    "tcsh",
    "tee",
    "telnet",
    "tftp",
    "uptime",
    "ver",
    "vi",
    "vim",
    "w3m",
    "wget",
    "xterm",
    "yum",
    "zsh",
];
/// Commands that developers chain: what they build, fetch from their own places and start.
const CHAINED: &[&str] = &[
    "apt",
    "apt-get",
    "brew",
    "bundle",
    "cargo",
    "cd",
    "cmake",
    "composer",
    "docker",
    "gem",
    "git",
    "go",
    "gradle",
    "make",
    "mkdir",
    "mvn",
    "node",
    "npm",
    "npx",
    "pip",
    "pip3",
    "pnpm",
    "python",
    "python3",
    "systemctl",
    "yarn",
    "yum",
];
/// How far back from a separator is looked for what stands before it.
const HEAD_BYTES_MAX: usize = 512;
/// Longest text whose elements are looked at.
const LIST_BYTES_MAX: usize = 4_096;

/// How sure it is that the command `found`, whose arguments are `rest`, is one: it stands behind the separator at `at`
/// that ends at `start`.
pub(super) fn grade(
    text: &str,
    (at, start): (usize, usize),
    before: Before,
    (found, strength): (&Word, Strength),
    rest: &str,
    known: &Known,
) -> Grade {
    let name = program_name(&found.name);
    let is_substituted = matches!(text.as_bytes()[at], b'$' | b'<' | b'>' | b'`');
    let is_dressed = found.n_tricks > 0 || found.name.contains('/') || has_windows_end(name);
    // `net user`, `reg query HKLM`: two words of which the second is a command of the first.
    let is_pair = matches!(name, "net" | "net1" | "reg" | "netsh" | "sc") && is_usual_pair(name, rest);
    if is_substituted || is_dressed || is_pair {
        return Grade::Sure;
    }
    let mut words = rest.split([' ', '\t', '+']).filter(|word| !word.is_empty());
    let is_chained = CHAINED.contains(&name) && !told::reaches_out(rest) && follows_chained(text, at);
    if is_chained {
        return Grade::Nothing;
    }
    let is_pipe = text[at..].starts_with('|') && !text[at..].starts_with("||");
    if is_pipe && told::is_advised(&text[..at], name, rest) {
        return Grade::Nothing;
    }
    let spelled = text[start..found.end].trim_start_matches(|ch: char| !ch.is_ascii_alphanumeric());
    let is_large = spelled.starts_with(|ch: char| ch.is_ascii_uppercase());
    let (is_list, head) = (is_list(text, at, known), Head::of(&text[..at]));
    // `CMD ["node", "app.js"]` on a line of its own.
    if is_large && before == Before::Line && head == Head::Words {
        return Grade::Nothing;
    }
    let first = words.clone().next().unwrap_or("").trim_matches(['"', '\'', '}', '{', '#', ')']);
    if words.by_ref().take(4).any(is_strong) || is_pause(name, rest) {
        return Grade::Sure;
    }
    let is_said = strength == Strength::Word || is_spoken(name);
    let is_lone = first.is_empty();
    if is_list && (is_said || is_large || strength == Strength::Short) {
        return Grade::Nothing;
    }
    let is_spaced = text[start..].starts_with(' ') || before == Before::Line;
    match head {
        Head::Empty if is_said => match before {
            Before::Hard if is_lone || !is_spaced || !is_prose(first) => Grade::Sure,
            Before::Ampersand if !is_spaced => Grade::Sure,
            _ => Grade::Maybe,
        },
        Head::Empty => Grade::Sure,
        Head::Data if is_said => {
            if before == Before::Hard && !is_large && (is_lone || !is_spaced) {
                Grade::Sure
            } else if is_spaced {
                Grade::Nothing
            } else {
                Grade::Maybe
            }
        }
        Head::Data => Grade::Sure,
        Head::Word | Head::Words if is_large => Grade::Nothing,
        Head::Word | Head::Words if is_said => {
            let is_echo = matches!(name, "echo" | "printf") && head == Head::Word && !is_lone;
            match before {
                Before::Hard if is_echo => Grade::Sure,
                Before::Hard if !is_spaced => Grade::Maybe,
                _ => Grade::Nothing,
            }
        }
        // `we looked; ls showed nothing`: no command has such an argument.
        Head::Word | Head::Words if before == Before::Hard && is_spaced && is_told(first) => Grade::Nothing,
        Head::Word | Head::Words => {
            let is_number = !is_lone && first.bytes().all(|byte| byte.is_ascii_digit());
            let is_phrase = before == Before::Ampersand && is_spaced || is_number;
            if is_phrase && strength == Strength::Short { Grade::Maybe } else { Grade::Sure }
        }
    }
}

/// Do people say `name` who mean no command: a language, a protocol, a tool?
pub(super) fn is_spoken(name: &str) -> bool {
    SPOKEN.contains(&name)
}

/// What is said of a program: it showed, it failed, it needs.
fn is_told(word: &str) -> bool {
    const VERBS: &[&str] = &[
        "shows", "says", "said", "gives", "gave", "prints", "works", "fails", "hangs", "tells", "told",
        "returns", "ran", "runs", "needs", "seems", "looks", "helps", "crashes", "takes", "took", "just",
        "still", "only", "never", "always", "did",
    ];
    let word = word.trim_end_matches(['.', ',', '!', '?', ':']);
    let is_past =
        word.len() > 4 && word.ends_with("ed") && word.bytes().all(|byte| byte.is_ascii_lowercase());
    is_past || VERBS.contains(&word)
}

/// What stands before the separator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Head {
    Empty,
    /// A number, an address, a file: what parameters hold.
    Data,
    Word,
    Words,
}

impl Head {
    fn of(head: &str) -> Self {
        let from = head.len().saturating_sub(HEAD_BYTES_MAX);
        let from = (from..=head.len()).find(|&from| head.is_char_boundary(from)).unwrap_or(0);
        let head = &head[from..];
        let head = head.trim_matches(|ch: char| ch.is_whitespace() || matches!(ch, '"' | '\'' | '(' | ')'));
        // Of several separators the nearest one counts, with what stands between.
        // An address is what commands are put behind, and nothing that a phrase begins with.
        if head.trim_matches([';', '|', '&', ' ']).is_empty() || head.parse::<std::net::IpAddr>().is_ok() {
            return Self::Empty;
        }
        let is_one = !head.contains(char::is_whitespace);
        let has_mark = head.contains(['.', '@', '=', ':']) && !head.ends_with(['.', ':']);
        if !head.chars().any(char::is_alphabetic) || is_one && has_mark {
            return Self::Data;
        }
        if is_one { Self::Word } else { Self::Words }
    }
}

/// `calc.exe`.
fn has_windows_end(name: &str) -> bool {
    [".exe", ".bat", ".cmd"].iter().any(|end| name.ends_with(end))
}

/// `sleep 5`, `timeout 10`: a number and nothing else.
fn is_pause(name: &str, rest: &str) -> bool {
    let number = rest.trim_matches([' ', '+', '"', '\'', '#', '}']);
    matches!(name, "sleep" | "timeout" | "usleep")
        && number.strip_suffix(['s', 'm']).unwrap_or(number).bytes().all(|byte| byte.is_ascii_digit())
        && !number.is_empty()
}

/// An option, a path, a file, a redirection, a substitution or another machine.
fn is_strong(word: &str) -> bool {
    let word = word.trim_start_matches(['"', '\'', '(', '{']);
    let bytes = word.as_bytes();
    let Some(&first) = bytes.first() else { return false };
    let second = bytes.get(1).copied().unwrap_or(0);
    let is_drive =
        first.is_ascii_alphabetic() && second == b':' && matches!(bytes.get(2), Some(b'\\' | b'/'));
    let has_dot = word.trim_end_matches('.').char_indices().any(|(at, ch)| {
        ch == '.'
            && word[..at].ends_with(|ch: char| ch.is_ascii_alphanumeric())
            && word[at + 1..].starts_with(|ch: char| ch.is_ascii_alphanumeric())
    });
    match first {
        b'-' => second.is_ascii_alphanumeric() || second == b'-' && bytes.len() > 2,
        b'/' => bytes.len() > 1,
        b'~' | b'.' => second == b'/' || second == b'.' && bytes.get(2) == Some(&b'/'),
        b'$' | b'%' => second.is_ascii_alphabetic() || matches!(second, b'{' | b'(' | b'_' | b'@' | b'*'),
        b'>' | b'<' | b'*' | b'`' | b'\\' => true,
        _ => {
            is_drive
                || has_dot
                || word.contains("://")
                || word.contains(['>', '<', '*', '$', '`', '\\', '@'])
                || word.matches('/').count() > 1
                || word.eq_ignore_ascii_case("localhost")
        }
    }
}

/// Is the separator at `at` one of a list or of a row of a table, whose elements are plain words?
fn is_list(text: &str, at: usize, known: &Known) -> bool {
    if text.len() > LIST_BYTES_MAX {
        return false;
    }
    let whole = |nth: usize, mark: char| *known.lists[nth].get_or_init(|| is_list_line(text.trim(), mark));
    match text.as_bytes()[at] {
        b'|' => {
            if let Some((from, to, is_list)) = known.line.get()
                && (from..to).contains(&at)
            {
                return is_list;
            }
            let from = text[..at].rfind('\n').map_or(0, |n| n + 1);
            let to = text[at..].find('\n').map_or(text.len(), |n| at + n);
            let is_list = is_list_line(text[from..to].trim(), '|');
            known.line.set(Some((from, to, is_list)));
            is_list
        }
        b';' => whole(0, ';'),
        b'&' => whole(1, '&'),
        b'\n' => whole(2, '\n'),
        _ => false,
    }
}

/// Is `line` a list with `mark` between its elements, or a row of a table?
fn is_list_line(line: &str, mark: char) -> bool {
    let is_row = mark == '|' && line.starts_with('|') && line.ends_with('|') && line.matches('|').count() > 2;
    if line.contains("||") || line.contains("&&") || line.starts_with(mark) && !is_row {
        return false;
    }
    // `Date & time; more` has two kinds of separators.
    let items = || line.split([mark, '&', ',', '/']).map(str::trim).filter(|item| !item.is_empty());
    let is_plain = |item: &str| {
        if is_row && item.chars().all(|ch| matches!(ch, '-' | ':' | ' ' | '|')) {
            return true;
        }
        item.split_whitespace().count() <= 4
            && item.contains(char::is_alphanumeric)
            && item.chars().all(|ch| {
                ch.is_alphanumeric()
                    || matches!(ch, ' ' | '-' | '_' | '+' | '#' | '.' | ':' | '!' | '?' | '\'' | ';')
            })
    };
    // More commands than one that are nothing else are a script.
    let is_command = |item: &str| {
        program(item).is_some_and(|known| known == Strength::Program && !is_spoken(item))
            || matches!(item, "ls" | "pwd" | "uname" | "whoami")
    };
    let n_commands = items().filter(|item| is_command(item)).count();
    (items().count() >= 3 || is_row && items().count() >= 2)
        // A list of words begins with one; `10.0.0.1;id;x` does not.
        && items().next().is_some_and(|first| first.contains(char::is_alphabetic))
        && items().all(is_plain)
        && (is_row || n_commands == 0)
}

/// `npm install && npm start`: does a developer's command stand before the separator at `at` too?
fn follows_chained(text: &str, at: usize) -> bool {
    let from = (at.saturating_sub(80)..=at).find(|&from| text.is_char_boundary(from)).unwrap_or(at);
    let back = &text[from..at];
    let back = back.rsplit(['\n', '`', ';', '|', '&']).next().unwrap_or(back);
    let words: Vec<&str> = back.split_whitespace().collect();
    words.iter().enumerate().any(|(nth, word)| {
        let name = program_name(word.trim_matches(['"', '\'', '(', ':', '$']));
        nth + 1 < words.len() && CHAINED.contains(&name)
    })
}
