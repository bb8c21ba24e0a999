//! A value that is a command line as a whole.

use super::read::{Word, program_name};
use super::told;
use super::usual::{is_switched, is_usual_argument, is_usual_pair};
use super::words::{Strength, is_cmdlet, is_prose, program};
use super::{argument, command_word, phrase};

/// Longest value that is read as one command line.
const LINE_BYTES_MAX: usize = 600;
/// What the name of a picture, a text or a recording ends in: no program that is also spoken of takes one.
const DOCUMENTS: &[&str] = &[
    "jpg", "jpeg", "png", "gif", "webp", "heic", "svg", "bmp", "tif", "tiff", "pdf", "doc", "docx", "odt",
    "rtf", "xls", "xlsx", "ods", "ppt", "pptx", "odp", "md", "epub", "mp3", "mp4", "m4a", "wav", "mov",
    "avi", "mkv",
];
/// What a program is told that manages others: `systemctl stop nginx`, `cscli alerts list`.
const ORDERS: &[&str] =
    &["list", "status", "start", "stop", "restart", "reload", "enable", "disable", "install", "uninstall"];

/// The end of the command line that `text` is, if it is one.
pub(super) fn whole(text: &str) -> Option<usize> {
    let start = text.len() - text.trim_start_matches([' ', '"', '\'', '+', '\n', '\r', '\t']).len();
    if text.len() - start > LINE_BYTES_MAX {
        return None;
    }
    let found = command_word(text, start);
    let strength = program(program_name(&found.name))?;
    let rest = text.get(found.end..)?;
    let name = program_name(&found.name);
    if is_install(text) {
        return None;
    }
    if is_usual_pair(name, rest) && rest.len() < 160 {
        return Some(text.len());
    }
    // `whoami;0`: cut off by a separator.
    if strength == Strength::Program
        && found.name != "php"
        && rest.starts_with([';', '|'])
        && rest.len() <= 12
    {
        return Some(text.len());
    }
    let strength = if (1..8).contains(&found.n_tricks) && found.n_quotes.is_multiple_of(2) {
        Strength::Program
    } else {
        strength
    };
    let trimmed = rest.trim_matches([' ', '\t', '+', '"', '\'', '\n', '\r', ';', '|']);
    let is_line = if trimmed.is_empty() {
        stands_alone(&found, strength, rest, start > 0)
    } else {
        rest.starts_with([' ', '\t', '+', '$', '<', '>', '%', '{'])
            && has_arguments(&found, strength, trimmed)
            || runs_brackets(name, rest)
            || runs_powershell(name, rest)
    };
    is_line.then_some(text.len())
}

/// What people are told to type: `npm install express`, `pip install a && python app.py`.
pub(super) fn is_install(text: &str) -> bool {
    let found = command_word(text, 0);
    let (name, rest) = (program_name(&found.name), text.get(found.end..).unwrap_or(""));
    is_installer(name) && is_usual_pair(name, rest) && !told::reaches_out(rest)
}

/// Fetches packages by their names.
fn is_installer(name: &str) -> bool {
    matches!(name, "pip" | "pip3" | "apt" | "apt-get" | "yum" | "npm" | "gem")
}

/// Is a name without arguments a command line? `is_quoted`: something stands before it that a shell passes over.
fn stands_alone(found: &Word, strength: Strength, rest: &str, is_quoted: bool) -> bool {
    let is_told = matches!(
        found.name.as_str(),
        "whoami"
            | "ifconfig"
            | "ipconfig"
            | "systeminfo"
            | "tasklist"
            | "netstat"
            | "phpinfo"
            | "visudo"
            | "printenv"
            | "lastlog"
    );
    let is_dressed = (found.n_tricks > 0 || rest.contains([';', '|', '\n'])) && strength != Strength::Word;
    let is_answer = matches!(found.name.as_str(), "true" | "false" | "uname" | "id" | "ls" | "pwd");
    is_in_bin(&found.name)
        || is_told
        || is_dressed
        || is_quoted && is_answer
        || found.name.starts_with("ansible-")
        || found.name.starts_with("chef-")
}

/// `/usr/bin/x`.
fn is_in_bin(name: &str) -> bool {
    let directory = name.strip_prefix('/').unwrap_or(name).split('/').rev().nth(1);
    directory.is_some_and(|directory| directory == "bin" || directory == "sbin")
}

/// Is what follows the name what a shell would hand to the program, and not the rest of a sentence?
fn has_arguments(found: &Word, strength: Strength, trimmed: &str) -> bool {
    // Names of products are said with their versions: `Wget/1.2`, `curl 8`.
    let mut words = trimmed.split([' ', '\t', '+']).filter(|word| !word.is_empty());
    let (first, second) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let n_words = trimmed.split_whitespace().count();
    let is_sentence = n_words > 3
        && trimmed.split_whitespace().any(|word| is_prose(word) || phrase::says(word))
        && !is_switched(first, strength, trimmed);
    if is_prose(first) || is_sentence {
        return false;
    }
    let name = program_name(&found.name);
    let is_hidden = found.n_tricks > 0 || found.name.contains('/');
    let is_said = !is_hidden && (strength == Strength::Word || phrase::is_spoken(name));
    let is_argument = argument(first, strength) && !(is_said && is_document(first));
    match strength {
        Strength::Program => {
            is_option(first)
                || is_option(second)
                || is_path(first)
                || first.contains("://")
                || n_words <= 3 && first.is_ascii() && is_argument && !(is_said && is_version(first))
                || n_words <= 4 && is_hidden && !trimmed.contains(|ch: char| ch.is_ascii_uppercase())
                || n_words <= 4 && (runs_program(name, first, n_words) || !is_said && has_order(trimmed))
        }
        Strength::Short => {
            is_option(first)
                || is_path(first)
                || is_option(second) && n_words <= 12
                || first.contains("://")
                || n_words <= 2 && is_argument && !first.as_bytes()[0].is_ascii_digit()
        }
        Strength::Word => {
            (is_option(first) || is_path(first)) && n_words <= 12
                || is_option(second) && n_words <= 6 && first.len() <= 12
                || n_words <= 2
                    && found.name == "net"
                    && is_usual_argument("net", first)
                    && !is_prose(second)
                    && !phrase::says(second)
                || found.name == "alias" && first.contains('=')
                || runs_another(&found.name)
                    && program(program_name(first)).is_some_and(|s| s != Strength::Word)
                || n_words <= 2 && found.name == "cat" && is_argument
                || n_words <= 6 && is_cmdlet(&found.name) && is_argument
        }
    }
}

/// `iex(iwr http://x.example/a)`: PowerShell runs what it finds in the brackets.
fn runs_brackets(name: &str, rest: &str) -> bool {
    let Some(inside) = rest.trim_start().strip_prefix('(') else { return false };
    let first = inside.split([' ', '+', '(', ')']).next().unwrap_or("").to_ascii_lowercase();
    let is_command = is_cmdlet(&first) || program(&first).is_some_and(|known| known != Strength::Word);
    matches!(name, "iex" | "invoke-expression")
        && (is_command || rest.starts_with('(') && told::reaches_out(inside))
}

/// `powershell.exe IEX(IWR x.example/a)`: the same, told to a PowerShell.
fn runs_powershell(name: &str, rest: &str) -> bool {
    let told = rest.trim_start_matches([' ', '\t', '+', '"', '\'']);
    let end = told.find([' ', '+', '(']).unwrap_or(told.len());
    matches!(name, "powershell" | "powershell.exe" | "pwsh" | "pwsh.exe")
        && told.len() < rest.len()
        && runs_brackets(&told[..end].to_ascii_lowercase(), &told[end..])
}

/// `photo.jpg`, `(1).png`: a document without a path.
fn is_document(word: &str) -> bool {
    let word = word.trim_end_matches(['.', ',', '!', '?', ')', '"', '\'']);
    !word.contains(['/', '\\', ':', '$', '*', '<', '>', '~'])
        && word.rsplit_once('.').is_some_and(|(stem, end)| {
            !stem.is_empty() && DOCUMENTS.iter().any(|known| end.eq_ignore_ascii_case(known))
        })
}

/// `8.2`, and not an address.
fn is_version(word: &str) -> bool {
    word.starts_with(|ch: char| ch.is_ascii_digit()) && word.matches('.').count() < 3
}

/// `cscli alerts list`: plain words, of which one is an order.
fn has_order(arguments: &str) -> bool {
    arguments.split_whitespace().any(|word| ORDERS.contains(&word))
        && !arguments.split_whitespace().any(phrase::says)
}

/// `sudo id`, `nohup who`: a program that runs the one that it is told.
fn runs_program(name: &str, first: &str, n_words: usize) -> bool {
    let is_runner =
        runs_another(name) || matches!(name, "sudo" | "busybox" | "pkexec" | "powershell" | "pwsh");
    let strength = program(program_name(first));
    is_runner && strength.is_some_and(|strength| strength != Strength::Word || n_words == 1)
}

/// Programs whose argument is a command line.
fn runs_another(name: &str) -> bool {
    matches!(name, "nohup" | "time" | "strace" | "timeout" | "exec" | "command" | "watch")
}

fn is_option(word: &str) -> bool {
    word.len() > 1
        && word.starts_with('-')
        && word.as_bytes()[1] != b' '
        && !word.as_bytes()[1].is_ascii_digit()
        && word.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_path(word: &str) -> bool {
    word.starts_with('/') && word.len() > 2
        || word.starts_with("~/")
        || word.starts_with("./")
        || word.starts_with("../")
        || word.len() >= 2
            && word.as_bytes()[1] == b':'
            && word.as_bytes()[0].is_ascii_alphabetic()
            && word.len() <= 3
        || word.starts_with('%') && word.len() > 4 && word[1..].contains('%')
        || word.starts_with("/?")
        || word.starts_with("$(")
        || word.starts_with("${")
}
