//! Wild cards and braces that name what a filter looks for without spelling it.

use std::ops::Range;

use super::read::{glob_names, program_name, without_nothing, word};
use super::words::{Strength, program};

/// Files that a pattern is written to reach without naming them.
const TARGETS: &[&str] = &[
    "/etc/passwd",
    "/etc/shadow",
    "/etc/hosts",
    "/etc/group",
    "/etc/issue",
    "/bin/cat",
    "/bin/sh",
    "/bin/bash",
    "/bin/ls",
    "/usr/bin/id",
    "/bin/nc",
    "/bin/id",
    "/usr/bin/uname",
    "/usr/bin/whoami",
    "/usr/bin/curl",
    "/usr/bin/wget",
    "/etc",
    "/bin",
    "/usr/bin/bash",
    "/bin/ping",
    "/usr/bin/cat",
    "/bin/uname",
    "/bin/more",
    "/bin/less",
    "/bin/nc.traditional",
    "/usr/bin/nc",
    "/bin/head",
    "/bin/tail",
    "/bin/tac",
    "/usr/bin/python",
];

/// A path with wild cards that names a program or a secret, or a command in braces.
pub(super) fn pattern(text: &str) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    if bytes.len() > 4_096 {
        return None;
    }
    if let Some(open) = text.find('{') {
        let start = open - text[..open].bytes().rev().take_while(u8::is_ascii_alphanumeric).count().min(12);
        if let Some(end) = brace(text, start, open) {
            return Some(start..end);
        }
    }
    if !bytes.iter().any(|byte| matches!(byte, b'?' | b'*' | b'[')) || !bytes.contains(&b'/') {
        return whole_tilde(text);
    }
    let mut at = 0;
    while let Some(n) = bytes[at..].iter().position(|&byte| byte == b'/') {
        let start = at + n;
        let end = bytes[start..]
            .iter()
            .take(64)
            .position(|&byte| {
                byte.is_ascii_whitespace()
                    || matches!(byte, b';' | b'|' | b'&' | b'\'' | b'"' | b')' | b'>' | b'<' | b',')
            })
            .map_or(bytes.len().min(start + 64), |n| start + n);
        let is_wild = |byte: &u8| matches!(byte, b'?' | b'*' | b'[');
        let is_start = start == 0 || !bytes[start - 1].is_ascii_alphanumeric();
        if is_start && bytes[start..end].iter().any(is_wild) {
            // `/???/c$@at`: as the shell reads it.
            let found = without_nothing(&bytes[start..end]);
            let n_wild = found.iter().filter(|byte| is_wild(byte)).count();
            let n_letters = found.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
            let n_stars = found.iter().filter(|byte| **byte == b'*').count();
            if (1..=8).contains(&n_wild)
                && n_stars <= 3
                && n_letters > 0
                && !found.starts_with(b"/*")
                // A set that holds slashes: the shell takes it for part of a name, the filter for a path.
                && TARGETS.iter().any(|path| glob_names(&found, path.as_bytes()))
            {
                return Some(start..end);
            }
        }
        at = end.max(start + 1);
    }
    None
}

/// `~+`, `~-1`: the shell's directory stack.
fn whole_tilde(text: &str) -> Option<Range<usize>> {
    let rest = text.strip_prefix('~')?;
    let digits = rest.strip_prefix(['+', '-'])?;
    (digits.len() <= 3 && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(0..text.len())
}

/// `{cat,/etc/issue}`, `{,ifconfig,eth0}`, `c{a,oun}t`.
fn brace(text: &str, start: usize, open: usize) -> Option<usize> {
    let close = open + text[open..].bytes().take(120).position(|byte| byte == b'}')?;
    let inside = text.get(open + 1..close)?;
    if !inside.contains(',') || inside.contains([':', '\n', ' ']) {
        return None;
    }
    let head = &text[start..open];
    let tail: String = text[close + 1..].chars().take(12).take_while(char::is_ascii_alphanumeric).collect();
    let elements: Vec<&str> = inside.split(',').collect();
    if !head.is_empty() || !tail.is_empty() {
        let spelled = |element: &&str| {
            program(&format!("{head}{element}{tail}").to_ascii_lowercase())
                .is_some_and(|s| s >= Strength::Short || head.len() + tail.len() >= 2)
        };
        return (elements.len() <= 4 && elements.iter().any(spelled) && text.len() <= 80)
            .then_some(close + 1);
    }
    let has_gap = elements.iter().any(|element| element.is_empty());
    let first = elements.iter().find(|element| !element.is_empty())?;
    let found = word(first, if first.starts_with('$') { 1 } else { 0 });
    let is_path = found.name.starts_with('/') && found.name.contains(['?', '*']);
    let strength = program(program_name(&found.name));
    let has_argument = elements.iter().any(|element| element.starts_with(['-', '/', '#', '$']));
    let is_command = strength.is_some_and(|strength| {
        strength == Strength::Program || has_gap || has_argument || found.n_tricks > 1
    });
    (is_command || is_path && has_gap).then_some(close + 1)
}
