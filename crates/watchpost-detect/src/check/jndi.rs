//! JNDI lookups that are put together from other lookups.

use std::ops::Range;

use base64::Engine as _;

use super::Context;

/// Most substitutions that are followed: more than any known payload nests.
const STEPS_MAX: usize = 256;
/// Longest text that is worked out.
const BYTES_MAX: usize = 16 * 1_024;

/// `${jndi:...}` after the lookups inside it have been worked out, or `jndi:ldap://` by itself.
pub(super) fn find(text: &str, _: &Context<'_>) -> Option<Range<usize>> {
    let start = ["${", "$\\{", "$&l", "$&#", "%{", "jndi"]
        .iter()
        .filter_map(|open| find_no_case(text, open))
        .min()?;
    let rest = &text[start..];
    let rest =
        &rest[..(0..=rest.len().min(BYTES_MAX)).rev().find(|&at| rest.is_char_boundary(at)).unwrap_or(0)];
    is_lookup(&resolved(rest)).then(|| start..start + rest.trim_end().len())
}

fn find_no_case(text: &str, wanted: &str) -> Option<usize> {
    text.as_bytes().windows(wanted.len()).position(|window| window.eq_ignore_ascii_case(wanted.as_bytes()))
}

fn is_lookup(text: &str) -> bool {
    let text: String = text.chars().filter(|ch| !ch.is_whitespace()).map(small).collect();
    text.match_indices("jndi:").any(|(at, _)| {
        let opened = text[..at].ends_with(['{', '$']) || text[..at].ends_with("(");
        let rest = &text[at + 5..];
        opened
            || ["ldap", "rmi", "dns", "iiop", "nis", "nds", "corba", "http", "java:", "${"].iter().any(
                |scheme| {
                    rest.starts_with(scheme)
                        && (rest.contains("//") || rest.contains("${") || rest.contains(":/"))
                },
            )
    })
}

/// Lower case; the dotless and the dotted I are I to those who turn letters into upper or lower case.
fn small(ch: char) -> char {
    match ch {
        '\u{131}' | '\u{130}' => 'i',
        '\u{17f}' => 's',
        ch => ch.to_ascii_lowercase(),
    }
}

/// The text with every innermost lookup replaced by its value.
fn resolved(text: &str) -> String {
    let mut text = text.to_owned();
    for (entity, plain) in [
        ("&lbrace", "{"),
        ("&lcub", "{"),
        ("&#123", "{"),
        ("&#x7b", "{"),
        ("&rbrace", "}"),
        ("&rcub", "}"),
        ("&dollar", "$"),
        ("&colon", ":"),
        ("$\\{", "${"),
        ("\\:", ":"),
    ] {
        if text.contains(entity) {
            text = text.replace(&format!("{entity};"), plain).replace(entity, plain);
        }
    }
    for _ in 0..STEPS_MAX {
        let Some(end) = closing(&text) else { break };
        let Some(open) = text[..end].rfind("${") else { break };
        let value = value(&text[open + 2..end]);
        let Some(value) = value else {
            // The lookup itself: brackets that are not read again.
            let inside = text[open + 2..end].to_owned();
            text.replace_range(open..=end, &format!("{{{inside}\u{1}"));
            continue;
        };
        text.replace_range(open..=end, &value);
    }
    text
}

/// The first closing bracket that has an opening one before it.
fn closing(text: &str) -> Option<usize> {
    let open = text.find("${")?;
    text[open..].find('}').map(|at| open + at)
}

/// What a lookup gives: what it names, its default, or nothing that is known.
fn value(inside: &str) -> Option<String> {
    let lower = inside.trim_start().to_ascii_lowercase();
    if lower.starts_with("jndi:") || small_jndi(inside) {
        return None;
    }
    if let Some((_, default)) = inside.rsplit_once(":-") {
        return Some(default.to_owned());
    }
    let (name, argument) = inside.split_once(':')?;
    match name.trim().to_ascii_lowercase().as_str() {
        "lower" => Some(argument.to_lowercase()),
        "upper" => Some(argument.to_uppercase()),
        "date" => Some(argument.trim_matches('\'').to_owned()),
        "base64" => base64::engine::general_purpose::STANDARD
            .decode(argument)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok()),
        _ => Some(String::new()),
    }
}

fn small_jndi(inside: &str) -> bool {
    inside.chars().map(small).collect::<String>().starts_with("jndi:")
}
