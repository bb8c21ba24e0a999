//! Files of other servers and streams where a local file belongs.

use watchpost_model::event::split_target;

use std::ops::Range;

use super::Context;
use super::web::{host_only, whole};
use crate::fields::Role;

/// Parameters, or parts of their names, whose values applications include, open or render.
const INCLUDED: &[&str] = &[
    "file", "include", "inc", "path", "page", "template", "tpl", "dir", "root", "document", "folder",
    "style", "module", "mod", "conf", "config", "lang", "language", "load", "skin", "theme", "view", "pg",
    "layout", "body", "content", "locale", "php_path", "basepath", "section", "plugin", "class", "lib",
    "main",
];
/// Parts of names of parameters that hold an address of the web on purpose.
const LINKS: &[&str] = &[
    "url",
    "uri",
    "link",
    "href",
    "src",
    "source",
    "site",
    "website",
    "homepage",
    "repo",
    "repository",
    "mirror",
    "download",
    "feed",
    "next",
    "redirect",
    "remote",
    "host",
    "server",
    "endpoint",
    "origin",
];
/// Streams of PHP and Java that open like files.
const STREAMS: &[&str] = &[
    "php",
    "data",
    "expect",
    "phar",
    "zip",
    "glob",
    "ogg",
    "rar",
    "ssh2",
    "zlib",
    "compress.zlib",
    "jar",
    "netdoc",
];
/// Names that files with a program in them are given.
const CODE_ENDS: &[&str] = &[
    ".php", ".txt", ".inc", ".phtml", ".php5", ".php3", ".asp", ".aspx", ".jsp", ".cgi", ".pl", ".dat",
    ".gif", ".jpg", ".sh", ".py",
];

/// Ends of names of programs for a web server, which nobody links to on a server of files.
const PROGRAM_ENDS: &[&str] = &[".php", ".phtml", ".php5", ".php3", ".inc", ".asp", ".aspx", ".jsp", ".cgi"];

/// A value that leads elsewhere, taken apart as a lenient library would.
struct Remote<'a> {
    /// In lower case, without slashes; empty for `//host`.
    scheme: &'a str,
    host: &'a str,
    path: &'a str,
    /// What follows the question mark.
    query: Option<&'a str>,
}

/// `http://h/p`, `http:h/p`, `http:/h/p`, `http%3a//h`, `//h/p`, `\\\\h\\p`, `php://p`.
fn remote(lower: &str) -> Option<Remote<'_>> {
    let (bare, query) = split_target(lower);
    let is_slash = |ch: char| matches!(ch, '/' | '\\');
    let (scheme, rest) = if bare.starts_with("//") || bare.starts_with(r"\\") {
        ("", bare)
    } else {
        let at = bare.find(':').or_else(|| bare.find("%3a"))?;
        (&bare[..at], bare[at..].trim_start_matches(':').trim_start_matches("%3a"))
    };
    let is_scheme =
        scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.') && scheme.len() <= 16;
    let rest = rest.trim_start_matches(is_slash);
    let (host, path) = rest.find(is_slash).map_or((rest, ""), |at| (&rest[..at], &rest[at + 1..]));
    (is_scheme && !host.is_empty()).then_some(Remote { scheme, host, path, query })
}

pub(super) fn remote_file(text: &str, context: &Context<'_>) -> Option<Range<usize>> {
    if context.field.role != Role::Value || context.field.base == "http.headers" || text.len() > 2_048 {
        return None;
    }
    let trimmed = text.trim_end_matches([' ', '\0', '\n']);
    let lower = trimmed.to_ascii_lowercase();
    if matches!(lower.as_str(), "file?" | "ftp?" | "ftps?" | "http?" | "https?") {
        return whole(text);
    }
    if lower.contains(char::is_whitespace) {
        return None;
    }
    let found = remote(&lower)?;
    let key = context.key().to_ascii_lowercase();
    // `document-uri`, `blockedURL`, `source-file`: what browsers report of a page has addresses for values.
    let is_address_key = ["uri", "url", "source-file", "sourcefile"].iter().any(|end| key.ends_with(end));
    let is_included =
        !is_address_key && is_named(&key, INCLUDED) || key.ends_with("_path") || key.ends_with("_dir");
    let is_text = key == "content" || key == "body";
    let is_web = matches!(found.scheme, "http" | "https");
    let is_ftp = matches!(found.scheme, "ftp" | "ftps");
    let is_network = found.scheme.is_empty();
    if STREAMS.contains(&found.scheme) {
        return (is_included && !is_text && lower.contains("://")).then_some(0..text.len());
    }
    if !(is_web || is_ftp || is_network) {
        return None;
    }
    let is_address = host_only(found.host).parse::<std::net::Ipv4Addr>().is_ok()
        || found.host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::Ipv6Addr>().is_ok();
    let is_code = CODE_ENDS.iter().any(|end| {
        found.path.ends_with(end)
            || found.path.contains(&format!("{end}%00"))
            || found.path.contains(&format!("{end}\0"))
    });
    if is_network {
        // Paths are written with two slashes by mistake, and images of the page's own protocol on purpose.
        let is_host = is_address || found.host.contains('.') && found.host.bytes().all(is_host_byte);
        let is_image = found.path.ends_with(".gif") || found.path.ends_with(".jpg");
        let is_share = lower.starts_with(r"\\");
        return (is_included
            && !is_text
            && (is_share && !found.path.is_empty() || is_host && (is_code && !is_image || is_address)))
            .then_some(0..text.len());
    }
    let ends_in_mark = found.query == Some("") || text.ends_with('\0') || lower.ends_with("%00");
    // `http:host/a`: browsers and libraries of many languages take it, people do not write it.
    let lacks_slashes = is_included && !lower.contains("//") && found.host.contains('.');
    // `http://a/:b@c`: a user and a host where a path belongs, for readers that disagree about where the host ends.
    let hides_host = found.path.strip_prefix(':').is_some_and(|path| path.contains('@'));
    let is_found = ends_in_mark
        || lacks_slashes
        || hides_host
        || is_included && !is_text && (is_code || found.path.is_empty() || is_ftp)
        || is_address && is_code
        // A link to a file on a server of files is one. Such servers are called so where people link to them.
        || is_ftp
            && (is_address
                || PROGRAM_ENDS.iter().any(|end| found.path.ends_with(end))
                || found.path.is_empty()
                    && found.host.contains('.')
                    && !found.host.starts_with("ftp")
                    && !is_named(&key, LINKS))
        || ["c99", "r57", "shell.", "cmd.txt", "id.txt", "evil.txt", "rfi.txt"].iter().any(|name| {
            let file = found.path.rsplit('/').next().unwrap_or("");
            file.starts_with(name) || file.ends_with(name) && name.ends_with(".txt")
        });
    if is_found { whole(text) } else { None }
}

const fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'_')
}

/// Is a part of the name `key` one of `names`, perhaps with `path` or `dir` behind it?
fn is_named(key: &str, names: &[&str]) -> bool {
    key.split(|ch: char| !ch.is_ascii_alphanumeric())
        .flat_map(|part| [part, part.trim_end_matches("path"), part.trim_end_matches("dir")])
        .any(|part| names.contains(&part))
}
