//! What a request says about where it comes from and where it leads.

use std::ops::Range;

use super::Context;
use crate::fields::Role;

/// Parameters that say where the browser goes next.
const REDIRECTS: &[&str] = &[
    "redirect",
    "redir",
    "next",
    "return",
    "returnto",
    "return_to",
    "returnurl",
    "return_url",
    "returnpath",
    "return_path",
    "goto",
    "go",
    "continue",
    "url",
    "uri",
    "dest",
    "destination",
    "forward",
    "forward_url",
    "target",
    "to",
    "out",
    "rurl",
    "back",
    "backurl",
    "back_url",
    "callback_url",
    "exit",
    "exit_url",
    "checkout_url",
    "success",
    "success_url",
    "login_url",
    "logout",
    "image_url",
    "view",
    "cgi-bin/redirect.cgi",
    "service",
    "from_url",
    "jump",
    "jump_to",
    "link",
    "location",
    "redirect_to",
    "redirect_url",
    "redirecturl",
    "redirectto",
    "redirecturi",
    "redirect_uri",
    "returnuri",
    "relaystate",
    "u",
    "r",
    "ref",
    "desturl",
    "sp_url",
    "ru",
    "qurl",
    "clickurl",
    "page",
    "site",
    "host",
    "nexturl",
    "next_url",
    "path",
    "file",
];

/// Those of them that lead nowhere else: a foreign site in them is a redirect.
const SURE_REDIRECTS: &[&str] = &[
    "redirect",
    "redir",
    "next",
    "return",
    "returnto",
    "return_to",
    "returnurl",
    "return_url",
    "returnpath",
    "return_path",
    "goto",
    "continue",
    "forward_url",
    "rurl",
    "backurl",
    "back_url",
    "exit_url",
    "success_url",
    "jump",
    "jump_to",
    "redirect_to",
    "redirect_url",
    "redirecturl",
    "redirectto",
    "redirecturi",
    "desturl",
    "nexturl",
    "next_url",
    "qurl",
    "returnuri",
];

/// What may stand at the start of an injected line.
const HEADERS: &[&str] = &[
    "set-cookie",
    "location",
    "content-type",
    "content-length",
    "content-disposition",
    "content-encoding",
    "content-security-policy",
    "transfer-encoding",
    "refresh",
    "host",
    "cookie",
    "access-control-",
    "cache-control",
    "last-modified",
    "x-",
    "connection",
    "link",
    "p3p",
    "expires",
    "http/1.",
    "http/2",
    "status",
    "server",
    "strict-transport",
    "etag",
    "vary",
    "pragma",
    "user-agent",
    "referer",
    "authorization",
    "crlf",
    "set-cookie2",
    "upgrade",
    "origin",
    "accept",
];
const MAIL_HEADERS: &[&str] =
    &["bcc", "cc", "to", "from", "subject", "reply-to", "mime-version", "content-type"];

pub(super) fn host_only(host: &str) -> &str {
    let host = host.trim().trim_end_matches('.');
    if host.starts_with('[') {
        return host.find(']').map_or(host, |end| &host[..=end]);
    }
    host.split(':').next().unwrap_or(host)
}

/// The host of `scheme://host[:port]/...`, without user.
pub(super) fn host_of_url(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or(rest);
    let host = authority.rsplit('@').next().unwrap_or(authority);
    Some(host_only(host)).filter(|host| !host.is_empty())
}

/// The part of a name that somebody registered, by the usual shape of names: the last two labels, three under `co.uk`.
fn site(host: &str) -> String {
    let host = host.to_ascii_lowercase();
    if host.starts_with('[') || host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return host;
    }
    let labels: Vec<&str> = host.rsplit('.').collect();
    let is_second_level = labels.len() > 2
        && labels[0].len() == 2
        && matches!(
            labels[1],
            "co" | "com" | "org" | "net" | "ac" | "gov" | "edu" | "or" | "ne" | "go" | "gob" | "nom"
        );
    let n = if is_second_level { 3 } else { 2 };
    labels.iter().take(n).rev().copied().collect::<Vec<_>>().join(".")
}

pub(super) fn is_other_site(left: &str, right: &str) -> bool {
    site(host_only(left)) != site(host_only(right))
}

pub(super) fn is_parameter(context: &Context<'_>) -> bool {
    matches!(context.field.base, "http.query" | "http.body" | "value") && context.field.role == Role::Value
}

pub(super) fn is_in(names: &[&str], key: &str) -> bool {
    names.iter().any(|name| name.eq_ignore_ascii_case(key))
}

pub(super) fn whole(text: &str) -> Option<Range<usize>> {
    Some(0..text.len())
}

// Redirects

/// The header by which a framework of its own tells that a request has been through its middleware.
pub(super) fn internal_header(text: &str, context: &Context<'_>) -> Option<Range<usize>> {
    let is_header =
        context.field.base == "http.headers" && context.key().eq_ignore_ascii_case("x-middleware-subrequest");
    if is_header { whole(text) } else { None }
}

pub(super) fn redirect_trick(text: &str, context: &Context<'_>) -> Option<Range<usize>> {
    let key = context.key();
    if !is_parameter(context) || !is_in(REDIRECTS, key) || text.len() > 2_048 {
        return None;
    }
    let clean: String = text
        .trim()
        .chars()
        .filter(|ch| !ch.is_control() && *ch != '\u{ad}')
        .collect::<String>()
        .to_ascii_lowercase()
        .replace('\\', "/")
        // What browsers read as the dot of a host.
        .replace(['\u{3002}', '\u{ff0e}', '\u{ff61}'], ".");
    let stays_local = clean.len() < text.trim().len() && clean.starts_with("//");
    // `/..//evil.test`: where steps in a path are taken out, two slashes are left.
    let mut path = clean.as_str();
    while let Some(after) = path.strip_prefix("/..").or_else(|| path.strip_prefix("/."))
        && after.starts_with('/')
    {
        path = after;
    }
    let rest = path.trim_start_matches('/');
    let n_slashes = path.len() - rest.len();
    let host = rest.split(['/', '?', '#']).next().unwrap_or("");
    let is_host = |host: &str| {
        let name = host.rsplit('@').next().unwrap_or(host).split(':').next().unwrap_or("");
        host.starts_with('[')
            || (name.split('.').count() > 1
                && name.rsplit('.').next().is_some_and(|last| last.len() >= 2 || last.parse::<u8>().is_ok())
                && !name.starts_with('.')
                && name.chars().all(|ch| ch.is_alphanumeric() || matches!(ch, '-' | '.' | '_')))
    };
    let own = context.header("host").unwrap_or("");
    let leaves = |host: &str| own.is_empty() || is_other_site(host.rsplit('@').next().unwrap_or(host), own);
    let is_file_like = matches!(key.to_ascii_lowercase().as_str(), "path" | "file" | "page" | "view");
    let network_path = (n_slashes >= 2 || stays_local) && is_host(host) && leaves(host) && !is_file_like;
    let (scheme, after) = rest.split_once(':').unwrap_or(("", ""));
    // Browsers take any number of them for two.
    let odd_slashes = n_slashes == 0
        && matches!(scheme, "http" | "https")
        && (!after.starts_with("//") || after.starts_with("///"))
        && is_host(after.trim_start_matches('/').split(['/', '?', '#']).next().unwrap_or(""));
    let code = n_slashes == 0
        && (matches!(scheme, "javascript" | "vbscript")
            || (scheme == "data" && after.starts_with("text/html")));
    let sly_user = matches!(scheme, "http" | "https")
        && after.trim_start_matches('/').split(['/', '?', '#']).next().is_some_and(|authority| {
            authority
                .split_once('@')
                .is_some_and(|(user, host)| user.contains('.') && is_host(host) && leaves(host))
        });
    // `https://own.example.evil.test` and `https://evil.test\@own.example`.
    let backslash = text.contains("://")
        && text.contains('\\')
        && is_host(after.trim_start_matches('/').split('/').next().unwrap_or(""));
    let wears_own = !own.is_empty()
        && host_of_url(&clean).is_some_and(|host| {
            is_other_site(host, own)
                && host.to_ascii_lowercase().starts_with(&format!("{}.", host_only(own).to_ascii_lowercase()))
        });
    if network_path || odd_slashes || code || sly_user || backslash || wears_own { whole(text) } else { None }
}

pub(super) fn redirect_away(text: &str, context: &Context<'_>) -> Option<Range<usize>> {
    if !is_parameter(context) || !is_in(SURE_REDIRECTS, context.key()) || text.len() > 2_048 {
        return None;
    }
    let trimmed = text.trim();
    let lower = trimmed.get(..8).unwrap_or(trimmed).to_ascii_lowercase();
    if !lower.starts_with("http://") && !lower.starts_with("https://") && !lower.starts_with("ftp://") {
        return None;
    }
    let host = host_of_url(trimmed)?;
    let own = context.header("host");
    // The loopback of a native application is told apart elsewhere.
    let is_loopback = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    let leaves = own.is_none_or(|own| is_other_site(host, own));
    if leaves && !is_loopback && host.contains('.') { whole(text) } else { None }
}

// Headers

pub(super) fn header_break(text: &str, context: &Context<'_>) -> Option<Range<usize>> {
    let mut breaks: Vec<(usize, usize)> = text
        .char_indices()
        .filter(|(_, ch)| {
            matches!(ch, '\r' | '\n' | '\u{560a}' | '\u{560d}' | '\u{2028}' | '\u{10a}' | '\u{10d}')
        })
        .map(|(at, ch)| (at, at + ch.len_utf8()))
        .take(512)
        .collect();
    for mark in ["%0d", "%0a", "%0D", "%0A", "\\r", "\\n"] {
        breaks.extend(text.match_indices(mark).take(256).map(|(at, mark)| (at, at + mark.len())));
    }
    let is_text = context.field.base == "http.body" || context.field.base == "details";
    let key = context.key().to_ascii_lowercase();
    let is_mail = ["mail", "from", "subject", "to", "sender", "recipient", "name", "cc"]
        .iter()
        .any(|word| key.contains(word));
    // Few suffice for every question below, and a text may consist of nothing else.
    let n_lines = text.lines().take(5).count();
    // Where the blanks after the last break ended: breaks of the same run lead to the same line.
    let mut run = 0..0;
    breaks.into_iter().find_map(|(at, end)| {
        if !run.contains(&end) {
            let blanks = ['\r', '\n', ' ', '\t', '\u{560a}', '\u{560d}'];
            run = end..text.len() - text[end..].trim_start_matches(blanks).len();
        }
        let line = &text[run.end..];
        let head = &line.as_bytes()[..line.len().min(64)];
        let starts = |name: &str| head.len() >= name.len() && head[..name.len()].eq_ignore_ascii_case(name.as_bytes());
        let colon = line.bytes().take(48).position(|byte| byte == b':').unwrap_or(0);
        let is_named = |names: &[&str]| {
            names.iter().any(|name| {
                starts(name)
                    && (name.ends_with(['.', '2'])
                        || (colon >= name.len() && line.as_bytes()[..colon].iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')))
            })
        };
        // Letters of which a careless writer keeps the low byte; as letters they are of Czech.
        let is_letter = text[at..end].contains(['\u{10a}', '\u{10d}']);
        if is_letter && !text[..end].ends_with("\u{10d}\u{10a}") {
            return None;
        }
        // In a text of several lines only what cannot be prose.
        let is_header = if is_text && !is_mail {
            n_lines < 5
                && (starts("set-cookie:")
                    || starts("http/1.")
                    || (text[at..end].contains('\r')
                        && is_named(&["location", "content-length", "content-type", "x-forwarded-", "transfer-encoding"])))
        } else {
            is_named(HEADERS) || (is_mail || n_lines <= 2) && is_named(MAIL_HEADERS) && starts_mail(line)
        };
        let is_request = ["GET ", "POST ", "PUT ", "HEAD ", "DELETE ", "OPTIONS "].iter().any(|verb| {
            line.starts_with(verb) && line[verb.len()..].split_whitespace().nth(1).is_some_and(|version| version.starts_with("HTTP/"))
        });
        let is_split = !is_text
            && (starts("<html") || starts("<script") || starts("<!doctype"))
            && matches!(&text[at..text.len() - line.len()], gap if gap.matches('\n').count() + gap.matches("%0a").count() >= 2);
        (is_header || is_request || is_split).then(|| {
            let length = line.find(['\r', '\n']).unwrap_or(line.len());
            // Both letters make the break.
            let from = if is_letter { at - '\u{10d}'.len_utf8() } else { at };
            from..run.end + length.max(1)
        })
    })
}

/// A mail header with an address or a whole subject behind it.
fn starts_mail(line: &str) -> bool {
    line.split_once(':').is_some_and(|(name, rest)| {
        let rest = rest.lines().next().unwrap_or("");
        rest.contains('@')
            || name.eq_ignore_ascii_case("content-type")
            || name.eq_ignore_ascii_case("subject")
    })
}

pub(super) fn host_poison(text: &str, context: &Context<'_>) -> Option<Range<usize>> {
    if context.field.base != "http.headers" {
        return None;
    }
    let key = context.key();
    let is_bad = |host: &str| {
        host.contains([
            '@', '/', '\\', '#', '?', '<', '>', '"', '\'', ' ', '{', '}', '$', '|', '\t', '\r', '\n', ',',
            ';', '(', '`',
        ])
    };
    match key {
        "host" if is_bad(text) => whole(text),
        // A list of proxies is usual here.
        "x-forwarded-host" if text.split(',').any(|host| is_bad(host.trim())) => whole(text),
        "x-host" | "x-http-host-override" | "x-forwarded-server" => {
            let own = context.header("host")?;
            (text.contains('.') && own.contains('.') && is_other_site(text, own)).then_some(0..text.len())
        }
        _ => None,
    }
}

pub(super) fn smuggling(text: &str, context: &Context<'_>) -> Option<Range<usize>> {
    if context.field.base != "http.headers" {
        return None;
    }
    match context.key() {
        "transfer-encoding" => {
            let codings: Vec<&str> = text.split(',').map(str::trim).collect();
            let is_known = |coding: &&str| {
                ["chunked", "gzip", "deflate", "compress", "identity", "x-gzip", "br"]
                    .iter()
                    .any(|known| coding.eq_ignore_ascii_case(known))
            };
            let is_last = codings.last().is_some_and(|last| last.eq_ignore_ascii_case("chunked"));
            let n_chunked = codings.iter().filter(|coding| coding.eq_ignore_ascii_case("chunked")).count();
            let odd = !codings.iter().all(is_known)
                || n_chunked > 1
                || (n_chunked == 1 && !is_last)
                || text.starts_with(char::is_whitespace)
                || text.contains(['\r', '\n', '\t', '\x0b', '\0']);
            (odd || context.header("content-length").is_some()).then_some(0..text.len())
        }
        "content-length" => {
            let is_plain = text.trim().bytes().all(|byte| byte.is_ascii_digit());
            (!is_plain || text.trim().is_empty()).then_some(0..text.len())
        }
        key if key.trim() != key || key.contains(['_', '\0']) => {
            let name = key.trim().replace('_', "-");
            (name == "transfer-encoding" || name == "content-length").then_some(0..text.len())
        }
        _ => None,
    }
}
