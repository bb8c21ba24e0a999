//! Reading the files of threat lists: plain text, CSV, STIX 2.1 bundles.
//!
//! A line that cannot be used is skipped, counted and (the first ones) shown with its reason; a file of which nothing can
//! be used is an error. Entries that would name half the world are refused: very wide ranges, ranges of private
//! addresses, parts of a user agent that every browser has.

use std::collections::HashSet;
use std::net::IpAddr;

use chrono::{DateTime, Utc};
use ipnet::{IpNet, Ipv4Subnets, Ipv6Subnets};
use watchpost_model::block::BlockTarget;
use watchpost_model::place::may_have_place;
use watchpost_model::threat::{SkippedEntry, ThreatEntry, ThreatFormat, ThreatKind};

use super::stix;

/// Largest file that is read.
pub const FILE_BYTES_MAX: usize = 128 << 20;
/// Most entries of a list.
pub const ENTRIES_MAX: usize = 2_000_000;
/// Most user agents of a list: each one makes the automaton larger.
pub const AGENTS_MAX: usize = 20_000;
/// Reasons that are shown; the rest is counted.
pub const REASONS_MAX: usize = 20;
/// Longest line.
const LINE_BYTES_MAX: usize = 4_096;
/// Longest note.
const NOTE_CHARS_MAX: usize = 200;
/// An entry that is part of this names everybody.
const BROWSER: &str = "mozilla/5.0 (windows nt 10.0; win64; x64; rv:140.0) applewebkit/537.36 (khtml, like gecko) \
    chrome/140.0.0.0 safari/537.36 gecko/20100101 firefox/140.0 edg/140.0.0.0";

/// What a file held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedThreats {
    /// How it was written.
    pub format: ThreatFormat,
    /// Entries, each once, in the order of the file.
    pub entries: Vec<ThreatEntry>,
    /// Entries that occurred before.
    pub duplicates: u64,
    /// Lines or objects that could not be used.
    pub skipped: u64,
    /// The first of them.
    pub reasons: Vec<SkippedEntry>,
}

/// Why a file cannot be used at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ThreatFileError {
    /// Over [`FILE_BYTES_MAX`].
    #[error("it is larger than {} MiB", FILE_BYTES_MAX >> 20)]
    TooLarge,
    /// Over [`ENTRIES_MAX`].
    #[error("it has more than {ENTRIES_MAX} entries; split it into several lists")]
    TooMany,
    /// Packed.
    #[error("it is compressed; unpack it first")]
    Compressed,
    /// NUL bytes.
    #[error("it is not text")]
    NotText,
    /// Not JSON, or not a bundle.
    #[error("it is no STIX bundle: {0}")]
    NotStix(String),
    /// Nothing in it can be used.
    #[error("nothing in it can be used: {skipped} lines or objects were skipped{first}")]
    Nothing {
        /// How many there were.
        skipped: u64,
        /// The first reason, for people; empty if there was no line at all.
        first: String,
    },
}

/// Reads a file. The format is guessed if it is not given; `kind` says what the values are where that is known.
///
/// # Errors
/// When nothing of the file can be used; lines that cannot are in the result.
pub fn parse_threats(
    bytes: &[u8],
    format: Option<ThreatFormat>,
    kind: Option<ThreatKind>,
    now: DateTime<Utc>,
) -> Result<ParsedThreats, ThreatFileError> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(ThreatFileError::TooLarge);
    }
    if bytes.starts_with(&[0x1f, 0x8b])
        || bytes.starts_with(b"PK\x03\x04")
        || bytes.starts_with(b"\x28\xb5\x2f\xfd")
    {
        return Err(ThreatFileError::Compressed);
    }
    if bytes.iter().take(8_192).any(|byte| *byte == 0) {
        return Err(ThreatFileError::NotText);
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let format = format.unwrap_or_else(|| guess(bytes, kind));
    let mut list = Collected::new(format);
    match format {
        ThreatFormat::Text => text(bytes, kind, &mut list)?,
        ThreatFormat::Csv => csv_rows(bytes, kind, &mut list)?,
        ThreatFormat::Stix => stix::bundle(bytes, kind, now, &mut list)?,
    }
    list.finished()
}

fn guess(bytes: &[u8], kind: Option<ThreatKind>) -> ThreatFormat {
    let begin = bytes.trim_ascii_start();
    if begin.starts_with(b"{") {
        return ThreatFormat::Stix;
    }
    let first = begin.split(|byte| *byte == b'\n').find(|line| !is_comment(line.trim_ascii()));
    match first {
        // User agents have commas in them.
        Some(line) if line.contains(&b',') && kind != Some(ThreatKind::UserAgent) => ThreatFormat::Csv,
        _ => ThreatFormat::Text,
    }
}

fn is_comment(line: &[u8]) -> bool {
    line.is_empty() || line.starts_with(b"#") || line.starts_with(b";") || line.starts_with(b"//")
}

/// What has been read so far.
pub(super) struct Collected {
    parsed: ParsedThreats,
    seen: HashSet<(ThreatKind, String)>,
    agents: usize,
}

impl Collected {
    fn new(format: ThreatFormat) -> Self {
        let parsed =
            ParsedThreats { format, entries: Vec::new(), duplicates: 0, skipped: 0, reasons: Vec::new() };
        Self { parsed, seen: HashSet::new(), agents: 0 }
    }

    pub(super) fn add(
        &mut self,
        place: u64,
        entries: Result<Vec<(ThreatKind, String)>, String>,
        until: Option<DateTime<Utc>>,
        note: Option<&str>,
    ) -> Result<(), ThreatFileError> {
        let entries = match entries {
            Ok(entries) => entries,
            Err(reason) => {
                self.skip(place, reason);
                return Ok(());
            }
        };
        for (kind, value) in entries {
            if kind == ThreatKind::UserAgent && self.agents >= AGENTS_MAX {
                self.skip(place, format!("a list has at most {AGENTS_MAX} user agents"));
                continue;
            }
            if !self.seen.insert((kind, value.clone())) {
                self.parsed.duplicates += 1;
                continue;
            }
            if self.parsed.entries.len() >= ENTRIES_MAX {
                return Err(ThreatFileError::TooMany);
            }
            self.agents += usize::from(kind == ThreatKind::UserAgent);
            let note: Option<String> = note
                .map(|note| note.trim().chars().filter(|ch| !ch.is_control()).take(NOTE_CHARS_MAX).collect());
            let note = note.filter(|note| !note.is_empty());
            self.parsed.entries.push(ThreatEntry { kind, value, until, note });
        }
        Ok(())
    }

    pub(super) fn skip(&mut self, place: u64, reason: String) {
        self.parsed.skipped += 1;
        if self.parsed.reasons.len() < REASONS_MAX {
            self.parsed.reasons.push(SkippedEntry { place, reason });
        }
    }

    fn finished(self) -> Result<ParsedThreats, ThreatFileError> {
        if self.parsed.entries.is_empty() {
            let first = self.parsed.reasons.first();
            let first =
                first.map_or(String::new(), |first| format!("; number {}: {}", first.place, first.reason));
            return Err(ThreatFileError::Nothing { skipped: self.parsed.skipped, first });
        }
        Ok(self.parsed)
    }
}

fn text(bytes: &[u8], kind: Option<ThreatKind>, list: &mut Collected) -> Result<(), ThreatFileError> {
    for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        let line = line.trim_ascii();
        if is_comment(line) {
            continue;
        }
        if line.len() > LINE_BYTES_MAX {
            list.skip(number, format!("the line is longer than {LINE_BYTES_MAX} bytes"));
            continue;
        }
        let Ok(line) = std::str::from_utf8(line) else {
            list.skip(number, "the line is not UTF-8".to_owned());
            continue;
        };
        if kind == Some(ThreatKind::UserAgent) {
            list.add(number, classify(line, kind), None, None)?;
            continue;
        }
        let (mut value, mut rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        // A hosts file names a domain after the address to which it is sent.
        if matches!(value, "0.0.0.0" | "127.0.0.1" | "::1" | "::") && kind != Some(ThreatKind::Ip) {
            let (domain, after) = rest.trim().split_once(char::is_whitespace).unwrap_or((rest.trim(), ""));
            if !is_comment(domain.as_bytes()) {
                (value, rest) = (domain, after);
            }
        }
        let value = value.trim_end_matches([',', ';']);
        let note = rest.trim().trim_start_matches(['#', ';', '/', '-', ' ']);
        list.add(number, classify(value, kind), None, Some(note))?;
    }
    Ok(())
}

/// Names of columns, the first that a header has is taken.
const VALUE_COLUMNS: &[&str] = &[
    "ioc_value",
    "indicator",
    "ip",
    "ip_address",
    "dst_ip",
    "src_ip",
    "ipaddress",
    "address",
    "cidr",
    "network",
    "range",
    "domain",
    "hostname",
    "host",
    "fqdn",
    "user_agent",
    "useragent",
    "http_user_agent",
    "user-agent",
    "value",
    "ioc",
];
const NOTE_COLUMNS: &[&str] = &[
    "note",
    "comment",
    "description",
    "malware_printable",
    "malware",
    "threat",
    "threat_type",
    "category",
    "reason",
];

fn csv_rows(bytes: &[u8], kind: Option<ThreatKind>, list: &mut Collected) -> Result<(), ThreatFileError> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .from_reader(bytes);
    let mut columns: Option<(usize, Option<usize>, ThreatKind)> = None;
    let mut row = csv::ByteRecord::new();
    let mut first = true;
    loop {
        match reader.read_byte_record(&mut row) {
            Ok(false) => return Ok(()),
            Ok(true) => {}
            Err(error) => {
                list.skip(reader.position().line(), error.to_string());
                continue;
            }
        }
        let number = row.position().map_or(0, csv::Position::line);
        if row.iter().any(|field| field.len() > LINE_BYTES_MAX) {
            list.skip(number, format!("a field is longer than {LINE_BYTES_MAX} bytes"));
            continue;
        }
        let Some(fields) =
            row.iter().map(|field| std::str::from_utf8(field).ok()).collect::<Option<Vec<_>>>()
        else {
            list.skip(number, "the line is not UTF-8".to_owned());
            continue;
        };
        if fields.iter().all(|field| field.is_empty()) {
            continue;
        }
        if std::mem::take(&mut first)
            && let Some(found) = header(&fields)
        {
            columns = Some(found);
            continue;
        }
        let (value, note) = match columns {
            Some((value, note, named)) => {
                let field = fields.get(value).copied().unwrap_or_default();
                // A column of user agents says so; what other columns hold shows in the value.
                let kind = kind.or((named == ThreatKind::UserAgent).then_some(named));
                (classify(field, kind), note.and_then(|note| fields.get(note).copied()))
            }
            None => (any_of(&fields, kind), None),
        };
        list.add(number, value, None, note)?;
    }
}

/// The columns of the value and of the note, if the row is a header.
fn header(fields: &[&str]) -> Option<(usize, Option<usize>, ThreatKind)> {
    let names: Vec<String> =
        fields.iter().map(|field| field.trim_matches('"').to_lowercase().replace(' ', "_")).collect();
    let column = |wanted: &[&str]| wanted.iter().find_map(|word| names.iter().position(|name| name == word));
    let value = column(VALUE_COLUMNS)?;
    let named = if names[value].contains("agent") { ThreatKind::UserAgent } else { ThreatKind::Ip };
    Some((value, column(NOTE_COLUMNS), named))
}

/// The first field of a row without a header that is an address, else the first one that is a domain.
fn any_of(fields: &[&str], kind: Option<ThreatKind>) -> Result<Vec<(ThreatKind, String)>, String> {
    if let Some(kind) = kind {
        let mut found = fields.iter().map(|field| classify(field, Some(kind)));
        return found
            .find(Result::is_ok)
            .unwrap_or_else(|| Err(format!("no field of the line is of the kind {kind}")));
    }
    let of = |kind| {
        fields.iter().map(|field| classify(field, Some(kind))).find(Result::is_ok).and_then(Result::ok)
    };
    match of(ThreatKind::Ip).or_else(|| of(ThreatKind::Domain)) {
        Some(found) => Ok(found),
        None => classify(fields.first().copied().unwrap_or_default(), None),
    }
}

/// What a value names, in the form in which it is compared.
pub(super) fn classify(value: &str, kind: Option<ThreatKind>) -> Result<Vec<(ThreatKind, String)>, String> {
    let value = value.trim().trim_matches('"').trim();
    if value.is_empty() {
        return Err("there is no value".to_owned());
    }
    match kind {
        Some(ThreatKind::UserAgent) => agent(value).map(|value| vec![(ThreatKind::UserAgent, value)]),
        Some(ThreatKind::Ip) => addresses(&refanged(value)),
        Some(ThreatKind::Domain) => domain(&refanged(value)).map(|value| vec![(ThreatKind::Domain, value)]),
        None => {
            let value = refanged(value);
            let looks_like_address = value.contains(':')
                || value.bytes().all(|byte| byte.is_ascii_digit() || b"./-".contains(&byte));
            // A network with a path behind the slash is a URL; one with digits is meant to be a range.
            let is_range = value
                .rsplit_once('/')
                .is_some_and(|(_, rest)| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()));
            if value.contains("://") {
                Err("a URL names a page, not a host".to_owned())
            } else if looks_like_address || is_range {
                addresses(&value)
            } else {
                domain(&value).map(|value| vec![(ThreatKind::Domain, value)])
            }
        }
    }
}

/// `1.2.3[.]4` is how reports keep addresses from being clicked.
fn refanged(value: &str) -> String {
    value.replace("[.]", ".").replace("(.)", ".").replace("[:]", ":")
}

fn short(value: &str) -> String {
    let mut text: String = value.chars().take(60).collect();
    if value.chars().nth(60).is_some() {
        text.push('…');
    }
    format!("{text:?}")
}

fn addresses(value: &str) -> Result<Vec<(ThreatKind, String)>, String> {
    if let Some((from, to)) = value.split_once('-')
        && let (Ok(from), Ok(to)) = (from.trim().parse::<IpAddr>(), to.trim().parse::<IpAddr>())
    {
        let nets: Vec<IpNet> = match (from.to_canonical(), to.to_canonical()) {
            (IpAddr::V4(from), IpAddr::V4(to)) if from <= to => {
                Ipv4Subnets::new(from, to, 0).map(IpNet::V4).collect()
            }
            (IpAddr::V6(from), IpAddr::V6(to)) if from <= to => {
                Ipv6Subnets::new(from, to, 0).map(IpNet::V6).collect()
            }
            _ => return Err(format!("{} is no range from a lower to a higher address", short(value))),
        };
        return nets.iter().map(|net| target(&net.to_string())).collect();
    }
    // Lists of command servers name the port too.
    let value = match value.split_once(':') {
        Some((address, port))
            if address.contains('.')
                && !port.is_empty()
                && port.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            address
        }
        _ => value,
    };
    target(value).map(|entry| vec![entry])
}

fn target(value: &str) -> Result<(ThreatKind, String), String> {
    let target: BlockTarget =
        value.parse().map_err(|error: watchpost_model::block::TargetError| error.to_string())?;
    let text = target.to_string();
    let (address, is_range) = match text.parse::<IpNet>() {
        Ok(net) => (net.addr(), true),
        Err(_) => (text.parse::<IpAddr>().map_err(|error| error.to_string())?, false),
    };
    if address.is_loopback() || address.is_unspecified() || address.is_multicast() {
        return Err(format!("{text} is no address that a client comes from"));
    }
    // Lists of unrouted networks hold whole private ranges; a single private address is meant.
    if is_range && !may_have_place(address) {
        return Err(format!("{text} is a range of private or reserved addresses"));
    }
    Ok((ThreatKind::Ip, text))
}

fn domain(value: &str) -> Result<String, String> {
    let name = value.trim_start_matches("||").trim_start_matches("*.").trim_end_matches(['^', '.']);
    let name = name.to_ascii_lowercase();
    if !name.is_ascii() {
        return Err(format!("{} is not ASCII: write it in its xn-- form", short(value)));
    }
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_name = name.len() <= 253
        && name.contains('.')
        && name.split('.').all(is_label)
        && last.len() >= 2
        && last.bytes().any(|byte| byte.is_ascii_alphabetic());
    if is_name {
        Ok(name)
    } else {
        Err(format!("{} is neither an address, a range nor a domain", short(value)))
    }
}

fn agent(value: &str) -> Result<String, String> {
    let agent = value.trim_matches('*').trim().to_ascii_lowercase();
    let n = agent.chars().count();
    if !(4..=512).contains(&n) {
        return Err(format!("{}: part of a user agent has 4 to 512 characters", short(value)));
    }
    if agent.chars().any(char::is_control) {
        return Err(format!("{}: control characters", short(value)));
    }
    if BROWSER.contains(&agent) {
        return Err(format!("{} is part of what every browser sends", short(value)));
    }
    Ok(agent)
}
