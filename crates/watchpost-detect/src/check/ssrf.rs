//! Addresses that a server is made to ask.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, AhoCorasickKind};

use super::Context;
use super::address::{Place, Reading, read_host};
use crate::fields::Role;

/// Schemes that no browser sends and that reach other services through a URL library.
const ODD_SCHEMES: &[&str] = &[
    "gopher",
    "dict",
    "ldap",
    "ldaps",
    "ldapi",
    "tftp",
    "netdoc",
    "jar",
    "finger",
    "local_file",
    "expect",
    "smb",
    "redis",
    "memcached",
    "mongodb",
    "mysql",
    "rmi",
    "iiop",
    "cifs",
    "fcgi",
    "unix",
    "rsync",
    "telnet",
];

/// Schemes that are ordinary elsewhere, but not where a server fetches something.
const ODD_WHERE_FETCHED: &[&str] = &["file", "ftp", "sftp", "ssh", "scp", "imap", "pop3", "smtp"];

/// Parts of parameter names whose values servers fetch.
const FETCHED: &[&str] = &[
    "url",
    "uri",
    "host",
    "callback",
    "webhook",
    "dest",
    "target",
    "proxy",
    "feed",
    "endpoint",
    "domain",
    "src",
    "source",
    "link",
    "site",
    "fetch",
    "ssrf",
    "server",
    "upstream",
    "remote",
    "hook",
    "redirect",
    "forward",
    "href",
    "image_path",
];

/// Parameters that lead the user's browser, not the server, somewhere.
const LEADS_BROWSER: &[&str] = &[
    "redirect_uri",
    "redirect_url",
    "redirect",
    "return",
    "returnurl",
    "return_to",
    "return_url",
    "next",
    "continue",
    "origin",
    "referer",
    "referrer",
];

/// Ends of what a page brings with it.
const PAGE_ENDS: &[&str] = &[
    ".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".avif", ".ico", ".css", ".js", ".mjs", ".woff",
    ".woff2", ".pdf", ".mp4",
];

/// A URL or host in a value.
struct Target<'a> {
    scheme: Option<&'a str>,
    /// The outermost scheme of `jar:http://...`, else the same.
    outer: Option<&'a str>,
    /// Where in the value, scheme included.
    start: usize,
    /// The host as written, and where.
    hosts: Vec<(&'a str, Range<usize>)>,
}

/// The cloud's metadata service.
pub(super) fn metadata(text: &str, context: &Context<'_>) -> Option<Range<usize>> {
    find(text, context, |found| found.place == Place::Metadata).or_else(|| embedded_metadata(text, context))
}

/// An internal address or a name that leads to one.
pub(super) fn internal(text: &str, context: &Context<'_>) -> Option<Range<usize>> {
    find(text, context, |found| found.place == Place::Internal)
}

/// A name without a dot where the server fetches: only a network of its own has such names. Not where the browser is
/// led, and not what an application tells of itself.
pub(super) fn single_label(text: &str, context: &Context<'_>) -> Option<Range<usize>> {
    let is_told = context.field.base == "details";
    if is_told || is_from_client(context) || text.len() > 1_024 {
        return None;
    }
    if !is_fetched(context) || leads_browser(context) {
        return None;
    }
    let start = text.len() - text.trim_start().len();
    let body = text[start..].trim_end();
    // Readers of URLs pass over tabs and line breaks, wherever they stand.
    let plain: String =
        body.chars().filter(|ch| !matches!(ch, '\t' | '\r' | '\n')).collect::<String>().to_ascii_lowercase();
    let rest = if let Some((scheme, rest)) = plain.split_once(':')
        && matches!(scheme, "http" | "https" | "ws" | "wss")
    {
        rest.starts_with(['/', '\\']).then(|| rest.trim_start_matches(['/', '\\']))?
    } else {
        // A path that begins with two slashes by mistake leads to a file of the page more often than not.
        let rest = plain.strip_prefix("//")?;
        let path = rest.split_once('/').filter(|(_, path)| !path.is_empty())?.1;
        let is_of_page = PAGE_ENDS.iter().any(|end| path.ends_with(end));
        let key = context.key().to_ascii_lowercase();
        let takes_url = ["url", "uri", "href", "webhook", "callback", "fetch", "proxy"];
        let is_taken = takes_url.iter().any(|word| key.contains(word));
        (is_taken && !is_of_page && !body.contains(char::is_whitespace)).then_some(rest)?
    };
    let host = authority(rest).0;
    let is_label = (2..=63).contains(&host.len())
        && host.starts_with(|ch: char| ch.is_ascii_alphabetic())
        && host.ends_with(|ch: char| ch.is_ascii_alphanumeric())
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    // `https://example/`: what documentation and forms show.
    let is_example = ["example", "test", "url", "www", "http", "https"].contains(&host);
    (is_label && !is_example && read_host(host).is_none()).then_some(start..start + body.len())
}

/// Host and port of what follows `//`, as most readers take it: behind the last `@`, before the path, without the dot
/// of the root.
fn authority(rest: &str) -> (&str, Option<&str>) {
    let end = rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len());
    let named = &rest[..end];
    let host = named.rsplit_once('@').map_or(named, |(_, host)| host);
    if named.contains(char::is_whitespace) {
        return ("", None);
    }
    let (host, port) = host.split_once(':').map_or((host, None), |(host, port)| (host, Some(port)));
    (host_of(host).trim_end_matches('.'), port)
}

/// A service that tells who asked it.
pub(super) fn callback(text: &str, context: &Context<'_>) -> Option<Range<usize>> {
    find(text, context, |found| found.place == Place::Callback)
}

/// A scheme that is of use to an attacker only.
pub(super) fn scheme(text: &str, context: &Context<'_>) -> Option<Range<usize>> {
    if is_from_client(context) {
        return None;
    }
    let target = target(text, false)?;
    // Java takes `url:` in front of anything.
    let is_named = target.outer.is_some_and(|outer| outer.eq_ignore_ascii_case("url"));
    let is_bad = |scheme: &str| {
        let scheme = scheme.to_ascii_lowercase();
        ODD_SCHEMES.contains(&scheme.as_str())
            || (ODD_WHERE_FETCHED.contains(&scheme.as_str()) && (is_named || is_fetched(context)))
    };
    let is_jar = target.outer.is_some_and(|outer| outer.eq_ignore_ascii_case("jar"));
    let is_url = if is_jar { text.contains("!") } else { text.contains("://") || text.contains("netdoc:/") };
    // A link to a server of files is one, where the server has a name of the public kind.
    let is_link = !is_named
        && target.outer == target.scheme
        && target
            .scheme
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case("ftp") || scheme.eq_ignore_ascii_case("sftp"))
        && target.hosts.first().is_some_and(|(_, first)| is_public(&text[first.start..]));
    let is_found =
        is_url && !is_link && (target.scheme.is_some_and(is_bad) || target.outer.is_some_and(is_bad));
    is_found.then_some(target.start..text.trim_end().len())
}

/// A name with a dot that leads to nobody's own network, at the port of its service.
fn is_public(rest: &str) -> bool {
    let (host, port) = authority(rest);
    let end = host.rsplit_once('.').map_or("", |(_, end)| end);
    end.len() >= 2
        && end.starts_with(|ch: char| ch.is_ascii_alphabetic())
        && port.is_none_or(|port| matches!(port, "" | "21" | "22"))
        && read_host(host).is_none()
}

fn find(text: &str, context: &Context<'_>, is_wanted: impl Fn(&Reading) -> bool) -> Option<Range<usize>> {
    if is_from_client(context) || text.len() > 4_096 {
        return None;
    }
    let may_be_bare = is_fetched(context);
    if !may_be_bare && !text.contains(['/', ':']) {
        return None;
    }
    let target = target(text, may_be_bare)?;
    let leads_browser = leads_browser(context);
    let n_hosts = target.hosts.len();
    target.hosts.into_iter().enumerate().find_map(|(nth, (host, span))| {
        let reading = read_host(host).filter(&is_wanted)?;
        // A native application's own loopback address is where its browser may be led.
        if leads_browser && reading.place == Place::Internal && !reading.is_disguised && n_hosts == 1 {
            return None;
        }
        // Without a scheme only what the parameter's name promises, or what has a path behind it.
        let is_plausible = target.scheme.is_some()
            || (may_be_bare && is_host_like(host))
            || (reading.place == Place::Metadata && host.contains(['.', ':']));
        is_plausible.then_some(if nth == 0 {
            target.start..span.end
        } else {
            target.start.min(span.start)..span.end
        })
    })
}

/// Without a scheme a word or a small number is just that.
fn is_host_like(host: &str) -> bool {
    let lower = host.to_ascii_lowercase();
    let n_dots = lower.matches('.').count();
    let is_number = lower.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if is_number {
        n_dots == 3 || lower.starts_with("127.") || lower.parse::<u64>().is_ok_and(|number| number >= 1 << 24)
    } else {
        n_dots > 0
            || lower.contains(':')
            || !lower.is_ascii()
            || ["localhost", "ip6-", "ipv6-localhost", "0x"].iter().any(|start| lower.starts_with(start))
    }
}

/// The host, the origin and the referrer are where the client says it is, not where the server is led.
fn is_from_client(context: &Context<'_>) -> bool {
    let field = context.field;
    field.role == Role::Url
        || field.role == Role::UserAgent
        || (field.base == "http.headers"
            && matches!(
                context.key(),
                "host" | "origin" | "forwarded" | "x-forwarded-for" | "x-forwarded-host"
            ))
}

fn leads_browser(context: &Context<'_>) -> bool {
    LEADS_BROWSER.iter().any(|name| context.key().eq_ignore_ascii_case(name))
}

fn is_fetched(context: &Context<'_>) -> bool {
    *context.is_fetched.get_or_init(|| is_fetched_key(context.key()))
}

fn is_fetched_key(key: &str) -> bool {
    static WORDS: LazyLock<AhoCorasick> = LazyLock::new(|| {
        AhoCorasickBuilder::new()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .build(FETCHED)
            .expect("a few short words")
    });
    let is_edge = |ch: Option<&u8>| ch.is_none_or(|ch| !ch.is_ascii_alphanumeric());
    key.len() >= 2
        && WORDS.find_overlapping_iter(key).any(|found| {
            let before = found.start().checked_sub(1).and_then(|at| key.as_bytes().get(at));
            let ends = is_edge(key.as_bytes().get(found.end()));
            // Short words are part of too many others.
            found.len() > 3 || ends || is_edge(before)
        })
}

fn is_scheme(text: &str) -> bool {
    (2..=20).contains(&text.len())
        && text.starts_with(|ch: char| ch.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'_'))
}

/// Reads `text` as a URL, or where `may_be_bare` as `host[:port][/path]`.
fn target(text: &str, may_be_bare: bool) -> Option<Target<'_>> {
    let start = text.len() - text.trim_start_matches([' ', '\t', '\r', '\n', '"', '\'', '<', '(']).len();
    let mut scheme_at = start;
    let (mut scheme, mut outer) = (None, None);
    let mut at = start;
    // `url:file://...`, `jar:http://...`, `view-source:http://...`
    for _ in 0..3 {
        let Some((name, rest)) = text[at..].split_once(':') else { break };
        let slashes = rest.len() - rest.trim_start_matches(['/', '\\', '\t', '\n', '\r']).len();
        let opens = rest[slashes..]
            .starts_with(|ch: char| ch.is_alphanumeric() || matches!(ch, '[' | ':' | '@' | '#'))
            || !rest[slashes..].is_ascii();
        let is_web = matches!(
            name.to_ascii_lowercase().as_str(),
            "http" | "https" | "ftp" | "url" | "jar" | "feed" | "view-source"
        );
        if !is_scheme(name)
            || !(opens || slashes > 0)
            || (slashes == 0 && !is_web)
            || (slashes == 1 && !is_web)
        {
            break;
        }
        if outer.is_none() {
            outer = Some(name);
            scheme_at = at;
        }
        scheme = Some(name);
        at += name.len() + 1 + slashes;
        if slashes > 0 {
            break;
        }
    }
    if scheme.is_none() {
        let slashes = text[start..].len() - text[start..].trim_start_matches(['/', '\\']).len();
        match slashes {
            0 if may_be_bare || starts_like_metadata(&text[start..]) => {}
            2.. if may_be_bare => at = start + slashes,
            _ => return None,
        }
    }
    let rest = &text[at..];
    if scheme.is_none() && rest.contains(char::is_whitespace) {
        return None;
    }
    let hosts =
        hosts(rest).into_iter().map(|(host, from)| (host, at + from..at + from + host.len())).collect();
    Some(Target { scheme, outer, start: scheme_at, hosts })
}

/// The hosts that some parser would take: the authority's first and last one, and what stands behind an `@`.
fn hosts(rest: &str) -> Vec<(&str, usize)> {
    let mut found = Vec::new();
    let mut from = 0_usize;
    let mut has_query = false;
    for (nth, piece) in rest.split('@').enumerate().take(8) {
        let before = rest[..from.saturating_sub(1)].chars().next_back();
        if nth == 0 || !has_query || matches!(before, Some('?' | '#' | '\\' | '/' | ' ')) {
            let host = host_of(piece);
            if !host.is_empty() {
                found.push((host, from));
            }
        }
        // A name and password are not a host where an `@` follows; harmless to look at all the same.
        has_query |= piece.contains(['?', '=']);
        from += piece.len() + 1;
    }
    // `http://1.1.1.1 &@2.2.2.2# @3.3.3.3/` and `http://a.example#\\@127.0.0.1`.
    if let Some(end) = rest.find([' ', '#', '\\'])
        && let Some(second) = rest[end..].find(|ch: char| ch.is_alphanumeric() || ch == '[')
        && !rest[..end].contains('/')
    {
        let host = host_of(&rest[end + second..]);
        if !host.is_empty() && found.iter().all(|(known, _)| *known != host) {
            found.push((host, end + second));
        }
    }
    found
}

/// The host at the start of `text`, brackets kept.
fn host_of(text: &str) -> &str {
    if text.starts_with('[') {
        return text.find(']').map_or("", |end| &text[..=end]);
    }
    let end = text
        .find(['/', '\\', '?', '#', ' ', '\0', '&', ',', '"', '\'', '<', '>', ')', ';', '*', '+'])
        .unwrap_or(text.len());
    let authority = &text[..end];
    match authority.matches(':').count() {
        0 => authority,
        1 => authority.split(':').next().unwrap_or(""),
        // IPv6 without brackets.
        _ if authority.parse::<std::net::Ipv6Addr>().is_ok() => authority,
        _ => authority.split(':').next().unwrap_or(""),
    }
}

fn starts_like_metadata(text: &str) -> bool {
    text.split_once('/').is_some_and(|(host, path)| {
        !path.is_empty()
            && host.len() < 64
            && read_host(host).is_some_and(|reading| reading.place == Place::Metadata)
    })
}

/// A metadata address as a URL anywhere: in XML, in a template, in a script.
fn embedded_metadata(text: &str, context: &Context<'_>) -> Option<Range<usize>> {
    if is_from_client(context) {
        return None;
    }
    text.match_indices("://").take(64).find_map(|(at, _)| {
        let rest = &text[at + 3..];
        let host = host_of(rest);
        let is_metadata = read_host(host).is_some_and(|reading| reading.place == Place::Metadata);
        let start = text[..at]
            .rfind(|ch: char| !ch.is_ascii_alphanumeric())
            .map_or(0, |before| before + text[before..].chars().next().map_or(1, char::len_utf8));
        (is_metadata && start < at).then_some(start..at + 3 + host.len())
    })
}
