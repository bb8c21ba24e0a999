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
/// Programs that people name to each other, and that say little without an argument.
const TOOLS: &[&str] = &[
    "ifconfig",
    "ipconfig",
    "lsof",
    "ncat",
    "netcat",
    "netstat",
    "nslookup",
    "strace",
    "tcpdump",
    "traceroute",
    "tracert",
    "tshark",
];
/// Programs whose name alone is what an attacker tries.
const TRIED: &[&str] = &["passthru", "phpinfo", "printenv", "shell_exec", "uname", "whoami"];
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
    // `1\nid\n2`: lines of a list are words.
    let is_among = before == Before::Line && is_among_data(text, found.end + rest.len());
    let (is_list, head) = (!is_among && is_list(text, at, known), Head::of(&text[..at]));
    let is_spaced = text[start..].starts_with(' ') || before == Before::Line;
    // `CMD ["node", "app.js"]` on a line of its own.
    if is_large && before == Before::Line && head == Head::Words {
        return Grade::Nothing;
    }
    let first = words.clone().next().unwrap_or("").trim_matches(['"', '\'', '}', '{', '#', ')']);
    if is_spaced && !first.is_empty() && is_printed(text, at, before, head, name, rest) {
        return if head == Head::Words { Grade::Nothing } else { Grade::Maybe };
    }
    if words.by_ref().take(4).any(is_strong) || is_pause(name, rest) {
        return Grade::Sure;
    }
    let is_said = strength == Strength::Word || is_spoken(name);
    let is_lone = first.is_empty();
    let is_tool = is_spaced && before != Before::Line && TOOLS.contains(&name);
    if is_list && (is_said || is_large || is_tool || strength == Strength::Short) {
        return Grade::Nothing;
    }
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
        Head::Word | Head::Words if is_spaced && is_named(text, at, strength, name, rest) => Grade::Maybe,
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

/// `Tools: nmap; netcat`: is a program behind the separator at `at` only called by its name, and spoken of?
fn is_named(text: &str, at: usize, strength: Strength, name: &str, rest: &str) -> bool {
    let mut words = rest.split_whitespace();
    let is_lone = rest.trim().is_empty();
    let is_plain = words.next().is_some_and(|word| word.bytes().all(|byte| byte.is_ascii_alphabetic()));
    strength == Strength::Program
        && text[at..].starts_with(';')
        && !text[..at].ends_with(['"', '\''])
        && !TRIED.contains(&name)
        && (is_lone || is_plain && TOOLS.contains(&name))
}

/// `$a = 5; echo $a;`: does a program print here, and no shell? Behind an address or a number stands no program.
fn is_printed(text: &str, at: usize, before: Before, head: Head, name: &str, rest: &str) -> bool {
    let is_behind = match head {
        Head::Empty => false,
        Head::Data => text[..at].contains(['=', '$']),
        Head::Word | Head::Words => true,
    };
    // Programs end their statements so too; `&&` and `|` are of a shell.
    let is_statement = before == Before::Line || text[at..].starts_with(';');
    is_behind && is_statement && matches!(name, "echo" | "print" | "printf") && !is_for_shell(rest)
}

/// What is said of a program: it showed, it failed, it needs.
fn is_told(word: &str) -> bool {
    let word = word.trim_end_matches(['.', ',', '!', '?', ':']);
    let is_past =
        word.len() > 4 && word.ends_with("ed") && word.bytes().all(|byte| byte.is_ascii_lowercase());
    is_past || says(word)
}

/// Is `word` what a sentence has behind the name of a program?
pub(super) fn says(word: &str) -> bool {
    const VERBS: &[&str] = &[
        "shows", "says", "said", "gives", "gave", "prints", "works", "fails", "hangs", "tells", "told",
        "returns", "ran", "runs", "needs", "seems", "looks", "helps", "crashes", "takes", "took", "just",
        "still", "only", "never", "always", "did", "vs", "versus",
    ];
    VERBS.contains(&word.trim_end_matches(['.', ',', '!', '?', ':']))
}

/// Does `echo` print what a shell alone reads: a substitution, a redirection, a variable of its environment, letters at
/// random?
fn is_for_shell(printed: &str) -> bool {
    let (mut quote, mut last) = (None, ' ');
    for ch in printed.chars() {
        match quote {
            Some(open) if ch == open => quote = None,
            None if matches!(ch, '"' | '\'') => quote = Some(ch),
            // `$a->name` and `$a => 5` are none.
            None if matches!(ch, '<' | '>') && !matches!(last, '-' | '=') => return true,
            _ => {}
        }
        last = ch;
    }
    let is_environment = |name: &str| {
        let n = name.bytes().take_while(|byte| byte.is_ascii_uppercase() || *byte == b'_').count();
        n > 2 && !name.starts_with('_') && !name[n..].starts_with(|ch: char| ch.is_ascii_lowercase())
    };
    ["$(", "${", "`", "<?"].iter().any(|mark| printed.contains(mark))
        || printed.split('$').skip(1).any(is_environment)
        || printed.split_whitespace().any(is_random)
}

/// `123abc`, `qxzkvbn`: what a scanner looks for in the answer.
fn is_random(word: &str) -> bool {
    let word = word.trim_matches(['"', '\'']);
    word.len() > 4
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && (word.bytes().any(|byte| byte.is_ascii_digit())
            || word.split(|ch: char| "aeiouyAEIOUY".contains(ch)).any(|part| part.len() > 5))
}

/// Is there nothing behind `end` but blanks and the end of a statement?
pub(super) fn is_last(text: &str, end: usize) -> bool {
    text[end..].trim_matches(|ch: char| ch.is_whitespace() || ch == ';').is_empty()
}

/// `example.org\nid\n`: is what stands on the lines before the one that ends at `end` no word? `name\nid\n` is a list.
pub(super) fn follows_data(text: &str, end: usize) -> bool {
    let head = text[..end].trim_end().rsplit_once(['\n', '\r']).map_or("", |(head, _)| head);
    matches!(Head::of(head), Head::Empty | Head::Data)
}

/// `1\nid\n2`: is the command that ends at `end` a line of a short value whose other lines are data and no words?
pub(super) fn is_among_data(text: &str, end: usize) -> bool {
    const VALUE_BYTES_MAX: usize = 48;
    const LETTERS_MAX: usize = 2;
    if text.len() > VALUE_BYTES_MAX {
        return false;
    }
    let Some((head, _)) = text[..end].trim_end().rsplit_once(['\n', '\r']) else { return false };
    head.lines().chain(text[end..].lines()).map(str::trim).all(|line| {
        line.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b':'))
            && line.split(|ch: char| !ch.is_ascii_alphabetic()).all(|part| part.len() <= LETTERS_MAX)
    })
}

/// What stands before the separator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Head {
    Empty,
    /// A number, an address, a file: what parameters hold.
    Data,
    Word,
    Words,
}

impl Head {
    /// What `head` is, which ends where the separator begins.
    pub(super) fn of(head: &str) -> Self {
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
        let is_tool = matches!(mark, ';' | '|') && TOOLS.contains(&item);
        program(item).is_some_and(|known| known == Strength::Program && !is_spoken(item) && !is_tool)
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
