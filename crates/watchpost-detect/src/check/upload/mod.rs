//! Files that are sent to the application: what they are called, what they say they are, and what they are.
//!
//! | part | does |
//! |---|---|
//! | `name` | file names that make a server run, hide or misplace a file |
//! | `content` | web shells, scripts in pictures and documents, content of another type than declared |
//! | `archive` | bombs, paths out of the directory and macros, by the headers of zip, gzip and tar |

mod archive;
mod content;
mod name;

use std::borrow::Cow;
use std::ops::Range;

use base64::Engine as _;

use super::Context;
use crate::fields::Role;

/// A file as sent.
struct Upload<'a> {
    name: Cow<'a, str>,
    /// The declared media type, lower case without parameters; empty where none is given.
    declared: String,
    content: Cow<'a, str>,
    /// Where the name and the content stand in the text; the content in whole where it is encoded.
    name_at: Range<usize>,
    content_at: Range<usize>,
}

/// The file of a multipart part, head included.
fn part(text: &str) -> Option<Upload<'_>> {
    let (head_end, content_start) = text
        .find("\r\n\r\n")
        .map(|at| (at, at + 4))
        .or_else(|| text.find("\n\n").map(|at| (at, at + 2)))
        .unwrap_or((text.len(), text.len()));
    let head = &text[..head_end];
    let lower = head.to_ascii_lowercase();
    let name_at = name_range(head, &lower);
    let name = name_at.clone().map_or("", |at| &head[at]);
    let name = if lower.contains("filename*") { percent_decoded(name) } else { Cow::Borrowed(name) };
    let declared = lower
        .split("content-type:")
        .nth(1)
        .and_then(|rest| rest.split(['\r', '\n', ';']).next())
        .map_or_else(String::new, |declared| declared.trim().to_owned());
    let content = text[content_start..].trim_end_matches(['\r', '\n']);
    let content_at = content_start..content_start + content.len();
    let is_encoded = lower.contains("content-transfer-encoding: base64");
    let content = if is_encoded {
        unpacked(content).map_or(Cow::Borrowed(content), Cow::Owned)
    } else {
        Cow::Borrowed(content)
    };
    Some(Upload { name, declared, content, name_at: name_at.unwrap_or(0..0), content_at })
}

/// The value of the last `filename` parameter: servers disagree on which one counts, attackers put the worst one last.
fn name_range(head: &str, lower: &str) -> Option<Range<usize>> {
    let at = lower.rfind("filename")?;
    let equals = at + head[at..].find('=')? + 1;
    let value = head[equals..].trim_start();
    let start = head.len() - value.len();
    if let Some(quoted) = value.strip_prefix(['"', '\'']) {
        let quote = value.as_bytes()[0];
        let mut end = 0;
        let bytes = quoted.as_bytes();
        while end < bytes.len() && bytes[end] != quote {
            end += if bytes[end] == b'\\' && bytes.get(end + 1) == Some(&quote) { 2 } else { 1 };
        }
        let end = end.min(quoted.len());
        return quoted.is_char_boundary(end).then(|| start + 1..start + 1 + end);
    }
    let end = value.find(['\r', '\n']).unwrap_or(value.len());
    let value = &value[..end];
    let value = value.split("; ").next().unwrap_or(value);
    let language = value.find("''").map_or(0, |at| at + 2);
    Some(start + language..start + value.len())
}

fn percent_decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let raw = text.as_bytes();
    let mut at = 0;
    while at < raw.len() {
        let pair = raw.get(at + 1..at + 3).and_then(|pair| std::str::from_utf8(pair).ok());
        match pair.filter(|_| raw[at] == b'%').and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                at += 3;
            }
            None => {
                bytes.push(raw[at]);
                at += 1;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
}

/// Base64 as text, each byte a character.
fn unpacked(text: &str) -> Option<String> {
    let plain: String = text.chars().filter(|ch| !ch.is_ascii_whitespace()).collect();
    let bytes = base64::engine::general_purpose::STANDARD.decode(plain.get(..plain.len() / 4 * 4)?).ok()?;
    Some(bytes.into_iter().map(char::from).collect())
}

/// How files begin that are sent as base64 in a value: zip, PE, ELF, GIF, PNG, PDF, JPEG, gzip, PHP, HTML, EICAR.
const ENCODED: &[&str] = &[
    "UEsDB", "TVqQ", "TVpQ", "f0VMR", "R0lGOD", "iVBORw", "JVBERi", "/9j/", "H4sIA", "PD9waH", "PD89",
    "PCVA", "WDVPIVAl", "PHN2Zy", "0M8R4K",
];

/// The file that a value holds as base64, with or without `data:...;base64,` in front.
fn encoded(text: &str) -> Option<Upload<'static>> {
    let trimmed = text.trim();
    let (declared, data) = match trimmed.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")) {
        Some((declared, data)) => (declared.split(';').next().unwrap_or("").to_ascii_lowercase(), data),
        None => (String::new(), trimmed),
    };
    if data.len() < 24 || !ENCODED.iter().any(|start| data.starts_with(start)) {
        return None;
    }
    let content = Cow::Owned(unpacked(data)?);
    Some(Upload { name: Cow::Borrowed(""), declared, content, name_at: 0..0, content_at: 0..text.len() })
}

fn upload<'a>(text: &'a str, context: &Context<'_>) -> Option<Upload<'a>> {
    match context.field.role {
        Role::Part => part(text),
        Role::Value => encoded(text),
        _ => None,
    }
}

/// Runs a reader over a file: what it finds is an offset and a length in the content.
fn in_content(
    text: &str,
    context: &Context<'_>,
    read: impl Fn(&Upload<'_>) -> Option<Range<usize>>,
) -> Option<Range<usize>> {
    let upload = upload(text, context)?;
    let found = read(&upload)?;
    Some(match upload.content {
        Cow::Borrowed(_) => upload.content_at.start + found.start..upload.content_at.start + found.end,
        Cow::Owned(_) => upload.content_at,
    })
    .filter(|range| range.start < range.end && range.end <= text.len())
}

/// The name makes the server run the file, hides what it is, or puts it elsewhere.
pub(super) fn bad_name(text: &str, context: &Context<'_>) -> Option<Range<usize>> {
    let field = context.field;
    let http = context.event.http.as_ref();
    match field.role {
        Role::Part => {
            let upload = part(text)?;
            name::is_bad(&upload.name)
                .then(|| if upload.name_at.is_empty() { 0..text.len() } else { upload.name_at.clone() })
        }
        Role::Path => {
            let is_put = http.is_some_and(|http| matches!(http.method.as_str(), "PUT" | "MOVE" | "COPY"));
            let last = text.trim_end_matches(['/', ' ']).rsplit('/').next().unwrap_or("");
            (is_put && name::runs(last)).then_some(0..text.len())
        }
        _ => {
            // Most keys are told apart without a copy: what is looked for is longer, or has other letters.
            let key = context.key();
            let has_letters = key.bytes().any(|byte| matches!(byte, b'f' | b'F' | b'm' | b'M'));
            if key.len() < 5 || !has_letters && field.base != "http.headers" {
                return None;
            }
            let key = key.to_ascii_lowercase().replace(['_', '-'], "");
            let is_name = is_name_key(&key);
            let is_destination = context.field.base == "http.headers" && key == "destination";
            ((is_name || is_destination) && name::is_bad(text)).then_some(0..text.len())
        }
    }
}

/// A file's name and no more than a name: words and an ending, whatever the words are.
pub(super) fn plain_name(text: &str, context: &Context<'_>) -> Option<Range<usize>> {
    let key = context.key().to_ascii_lowercase().replace(['_', '-'], "");
    (is_name_key(&key) && name::is_plain(text)).then_some(0..text.len())
}

/// Does a parameter or header of this name, in lower case without dashes, carry the name of a file?
fn is_name_key(key: &str) -> bool {
    ["filename", "xfile", "originalname", "qqfile", "uploadname"].iter().any(|part| key.contains(part))
}

pub(super) fn web_shell(text: &str, context: &Context<'_>) -> Option<Range<usize>> {
    in_content(text, context, content::web_shell)
}

pub(super) fn polyglot(text: &str, context: &Context<'_>) -> Option<Range<usize>> {
    in_content(text, context, content::polyglot)
}

pub(super) fn active(text: &str, context: &Context<'_>) -> Option<Range<usize>> {
    in_content(text, context, content::active)
}

pub(super) fn mismatch(text: &str, context: &Context<'_>) -> Option<Range<usize>> {
    in_content(text, context, content::mismatch)
}

pub(super) fn bomb(text: &str, context: &Context<'_>) -> Option<Range<usize>> {
    in_content(text, context, archive::bomb)
}

pub(super) fn slip(text: &str, context: &Context<'_>) -> Option<Range<usize>> {
    in_content(text, context, archive::slip)
}

pub(super) fn macros(text: &str, context: &Context<'_>) -> Option<Range<usize>> {
    in_content(text, context, archive::macros).or_else(|| {
        // Of a long file head and end are looked at apart: the end of an archive lists what is in it.
        let is_end = context.field.role == Role::Part && text.contains("PK\u{1}\u{2}") && !has_head(text);
        if is_end { archive::listed_macros(text) } else { None }
    })
}

/// Does a text begin with the head of a part?
fn has_head(text: &str) -> bool {
    const HEAD_CHARS_MAX: usize = 1_024;
    let start: String = text.chars().take(HEAD_CHARS_MAX).collect();
    start.to_ascii_lowercase().contains("content-disposition")
}

/// A file in a value: any of the above but its name.
pub(super) fn value(text: &str, context: &Context<'_>) -> Option<Range<usize>> {
    const EICAR: &str = "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!";
    if let Some(at) = text.find(EICAR)
        && text.contains("X5O!P%@AP[4")
    {
        return Some(0..at + EICAR.len());
    }
    let file = encoded(text)?;
    let is_bad = file.content.contains(EICAR)
        || [
            content::web_shell,
            content::polyglot,
            content::active,
            content::mismatch,
            archive::bomb,
            archive::slip,
            archive::macros,
        ]
        .iter()
        .any(|read| read(&file).is_some());
    (context.field.role == Role::Value && is_bad).then_some(0..text.len())
}
