//! The names of the contract: which key is what.

use std::borrow::Cow;

use percent_encoding::AsciiSet;
use percent_encoding::NON_ALPHANUMERIC;
use percent_encoding::percent_decode_str;
use percent_encoding::utf8_percent_encode;
use sha2::Digest;
use sha2::Sha256;
use watchpost_model::block::BlockTarget;
use watchpost_model::contain::ContainKind;
use watchpost_model::event::Category;
use watchpost_model::event::Event;
use watchpost_model::ids::EventId;
use watchpost_model::text::visible;

/// Everything but the unreserved characters of RFC 3986, so that no colon is left.
const ENDPOINT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// An encoded endpoint is cut to this many bytes; its whole text is in the hash.
const ENDPOINT_BYTES_MAX: usize = 240;
/// The longest percent-encoded id of a containment; of a longer one the key holds the SHA-256.
const ID_BYTES_MAX: usize = 240;
/// End of the year 9999: later timestamps are mistakes (microseconds, for example).
const AT_MS_MAX: i64 = 253_402_300_799_999;

/// The consumer group of the engines.
pub(crate) const GROUP: &str = "watchpost";

/// What a key under the prefix is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeyKind<'a> {
    /// An event's hash.
    Event(EventKey<'a>),
    /// Starts like an event's key but is not one; with the reason.
    Malformed(&'static str),
    /// Index, stream, quarantine, block or revocation.
    Own,
    /// Under the prefix, of nobody we know, or outside the prefix.
    Foreign,
}

/// An event's key, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EventKey<'a> {
    pub(crate) category: Category,
    pub(crate) at_ms: i64,
    /// Percent-encoded, only for API usage.
    pub(crate) endpoint: Option<&'a str>,
}

impl EventKey<'_> {
    /// The endpoint decoded; `None` where there is none or it is not UTF-8.
    pub(crate) fn endpoint_text(&self) -> Option<Cow<'_, str>> {
        percent_decode_str(self.endpoint?).decode_utf8().ok()
    }
}

/// The names under one prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Keys {
    prefix: String,
}

impl Keys {
    pub(crate) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    pub(crate) fn stream(&self) -> String {
        format!("{}events", self.prefix)
    }

    pub(crate) fn index(&self, category: Category) -> String {
        format!("{}index:{category}", self.prefix)
    }

    /// Checkpoints of audit logs.
    pub(crate) fn checkpoints(&self) -> String {
        format!("{}checkpoints", self.prefix)
    }

    pub(crate) fn quarantine(&self) -> String {
        format!("{}quarantine", self.prefix)
    }

    pub(crate) fn quarantine_reasons(&self) -> String {
        format!("{}quarantine:reasons", self.prefix)
    }

    pub(crate) fn block(&self, target: BlockTarget) -> String {
        if target.is_single() {
            format!("{}blocked:{target}", self.prefix)
        } else {
            format!("{}blocked:cidr:{target}", self.prefix)
        }
    }

    pub(crate) fn blocked_cidrs(&self) -> String {
        format!("{}blocked:cidrs", self.prefix)
    }

    /// The target of a block's key.
    pub(crate) fn block_target(&self, key: &str) -> Option<BlockTarget> {
        let rest = key.strip_prefix(&self.prefix)?.strip_prefix("blocked:")?;
        rest.strip_prefix("cidr:").unwrap_or(rest).parse().ok()
    }

    /// The key of a containment. Ids are percent-encoded, so that no colon is left; of a long one the key holds
    /// `sha256:` and the digest. Addresses stand as they are, like those of blocks.
    pub(crate) fn containment(&self, kind: ContainKind, target: &str) -> String {
        let name = contained(kind);
        if kind == ContainKind::Limit {
            return format!("{}{name}{target}", self.prefix);
        }
        let encoded = utf8_percent_encode(target, ENDPOINT).to_string();
        if encoded.len() <= ID_BYTES_MAX {
            return format!("{}{name}{encoded}", self.prefix);
        }
        format!("{}{name}sha256:{}", self.prefix, hex::encode(Sha256::digest(target.as_bytes())))
    }

    /// `MATCH` pattern of all containments of a kind.
    pub(crate) fn containments(&self, kind: ContainKind) -> String {
        self.pattern(contained(kind))
    }

    /// `MATCH` pattern of all keys whose name goes on with `rest` after the prefix.
    pub(crate) fn pattern(&self, rest: &str) -> String {
        let mut pattern = String::with_capacity(self.prefix.len() + rest.len() + 1);
        for ch in self.prefix.chars() {
            if matches!(ch, '*' | '?' | '[' | ']' | '\\' | '^') {
                pattern.push('\\');
            }
            pattern.push(ch);
        }
        pattern + rest + "*"
    }

    /// The key of `event` and, for when another event has it, the one with a suffix that only this event's id gives.
    /// So a second writing of the same event looks at the same two keys and finds it, however many ties there are.
    pub(crate) fn event(&self, event: &Event) -> Option<(String, String)> {
        let at_ms = event.at.timestamp_millis();
        if !(0..=AT_MS_MAX).contains(&at_ms) {
            return None;
        }
        let segment = event.category.key_segment();
        let base = if event.category == Category::ApiUsage {
            format!("{}{segment}:{}:{at_ms}", self.prefix, encode_endpoint(event.endpoint()))
        } else {
            format!("{}{segment}:{at_ms}", self.prefix)
        };
        let digest = Sha256::digest(event.id.0.as_bytes());
        let tie = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
        let tied = format!("{base}-{tie}");
        Some((base, tied))
    }

    /// What `key` is.
    pub(crate) fn classify<'a>(&self, key: &'a str) -> KeyKind<'a> {
        let Some(rest) = key.strip_prefix(self.prefix.as_str()) else { return KeyKind::Foreign };
        let (segment, rest) = match rest.split_once(':') {
            Some((segment, rest)) => (segment, rest),
            None if matches!(rest, "events" | "quarantine" | "checkpoints") => return KeyKind::Own,
            None => return KeyKind::Foreign,
        };
        let Some(category) = Category::from_key_segment(segment) else {
            return match segment {
                "index" | "quarantine" | "blocked" | "revoked" | "limited" | "isolated" => KeyKind::Own,
                _ => KeyKind::Foreign,
            };
        };
        let (endpoint, stamp) = match (category, rest.rsplit_once(':')) {
            (Category::ApiUsage, None) => {
                return KeyKind::Malformed("an API usage key has the form api:{endpoint}:{milliseconds}");
            }
            (Category::ApiUsage, Some((endpoint, stamp)))
                if !endpoint.is_empty() && !endpoint.contains(':') =>
            {
                (Some(endpoint), stamp)
            }
            (Category::ApiUsage, Some(_)) => {
                return KeyKind::Malformed(
                    "the endpoint is empty or has a colon that is not percent-encoded",
                );
            }
            (_, Some(_)) => {
                return KeyKind::Malformed("the key has more parts than {category}:{milliseconds}");
            }
            (_, None) => (None, rest),
        };
        match parse_stamp(stamp) {
            Some(at_ms) => KeyKind::Event(EventKey { category, at_ms, endpoint }),
            None => KeyKind::Malformed(
                "the timestamp is not Unix milliseconds (1 to 15 digits) with an optional -n suffix",
            ),
        }
    }
}

const fn contained(kind: ContainKind) -> &'static str {
    match kind {
        ContainKind::Session => "revoked:session:",
        ContainKind::User => "revoked:user:",
        ContainKind::Service => "isolated:",
        ContainKind::Limit => "limited:",
    }
}

/// The id of an event whose hash carries none: the same for the same key, so that a replay is the same event.
pub(crate) fn derived_id(key: &str, at_ms: i64) -> EventId {
    let digest = Sha256::digest(key.as_bytes());
    let mut seed = [0; 16];
    seed.copy_from_slice(&digest[..16]);
    EventId::derived(at_ms, seed)
}

/// Key names may be any bytes; ours are text. What is not is shown escaped.
pub(crate) fn key_text(key: &[u8]) -> String {
    match std::str::from_utf8(key) {
        Ok(text) => text.to_owned(),
        Err(_) => visible(&String::from_utf8_lossy(key), 256),
    }
}

fn encode_endpoint(endpoint: &str) -> String {
    let encoded = utf8_percent_encode(if endpoint.is_empty() { "-" } else { endpoint }, ENDPOINT).to_string();
    if encoded.len() <= ENDPOINT_BYTES_MAX {
        return encoded;
    }
    // Long paths are attacker-written: cut them, and keep different ones apart by a digest.
    let digest = Sha256::digest(endpoint.as_bytes());
    let tail = u64::from_be_bytes(digest[..8].try_into().expect("a SHA-256 digest has more than 8 bytes"));
    let mut cut = ENDPOINT_BYTES_MAX - 17;
    while encoded.as_bytes()[cut - 2..cut].contains(&b'%') {
        cut -= 1;
    }
    format!("{}~{tail:016x}", &encoded[..cut])
}

fn parse_stamp(stamp: &str) -> Option<i64> {
    let (ms, tie) = stamp.split_once('-').unwrap_or((stamp, "0"));
    let digits = |text: &str, most: usize| {
        !text.is_empty() && text.len() <= most && text.bytes().all(|b| b.is_ascii_digit())
    };
    if !digits(ms, 15) || !digits(tie, 20) {
        return None;
    }
    ms.parse().ok().filter(|ms| *ms <= AT_MS_MAX)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use watchpost_model::contain::ContainKind;
    use watchpost_model::event::Category;
    use watchpost_model::event::Event;

    use super::EventKey;
    use super::KeyKind;
    use super::Keys;
    use super::derived_id;

    #[test]
    fn names_are_read() {
        let keys = Keys::new("security:");
        let event = |category, at_ms, endpoint| KeyKind::Event(EventKey { category, at_ms, endpoint });
        for (key, expect) in [
            ("security:auth:1700000000000", event(Category::Authentication, 1_700_000_000_000, None)),
            ("security:auth:1700000000000-3", event(Category::Authentication, 1_700_000_000_000, None)),
            ("security:api:%2Flogin:17", event(Category::ApiUsage, 17, Some("%2Flogin"))),
            ("security:index:authentication", KeyKind::Own),
            ("security:events", KeyKind::Own),
            ("security:quarantine:reasons", KeyKind::Own),
            ("security:blocked:2001:db8::1", KeyKind::Own),
            ("security:sessions", KeyKind::Foreign),
            ("security:sessions:17", KeyKind::Foreign),
            ("other:auth:17", KeyKind::Foreign),
        ] {
            assert_eq!(keys.classify(key), expect, "key {key}");
        }
        for key in [
            "security:auth:",
            "security:auth:abc",
            "security:auth:17-",
            "security:auth:17-x",
            "security:auth:-17",
            "security:auth:17:18",
            "security:auth:999999999999999",
            "security:auth:1700000000000000000",
            "security:api:17",
            "security:api::17",
            "security:api:/a:b:17",
        ] {
            assert!(matches!(keys.classify(key), KeyKind::Malformed(_)), "key {key}");
        }
    }

    #[test]
    fn long_hostile_endpoints_stay_short_and_apart() {
        let keys = Keys::new("security:");
        let at = DateTime::from_timestamp_millis(1_700_000_000_000).unwrap();
        let key_of = |path: String| {
            let mut event = Event::new(derived_id("x", 1), at, Category::ApiUsage, "request");
            event.resource = Some(path);
            keys.event(&event).unwrap().0
        };
        for filler in ["ü:", "a", "%", "::", "日本"] {
            let one = key_of(format!("/{}1", filler.repeat(4_000)));
            let two = key_of(format!("/{}2", filler.repeat(4_000)));
            assert!(one.len() < 300, "{filler}: {}", one.len());
            assert_ne!(one, two, "{filler}");
            let KeyKind::Event(key) = keys.classify(&one) else { panic!("{one} is an event's key") };
            assert_eq!(key.at_ms, 1_700_000_000_000);
        }
        let KeyKind::Event(key) = keys.classify("security:api:%2Fa%3Ab:1") else {
            panic!("is an event's key")
        };
        assert_eq!(key.endpoint_text().as_deref(), Some("/a:b"));
    }

    #[test]
    fn no_id_breaks_the_key_of_a_containment() {
        let keys = Keys::new("security:");
        for (kind, id, key) in [
            (ContainKind::Session, "s-1", "security:revoked:session:s-1"),
            (ContainKind::User, "anna@shop:*", "security:revoked:user:anna%40shop%3A%2A"),
            (ContainKind::Service, "shop/api", "security:isolated:shop%2Fapi"),
            (ContainKind::Limit, "2001:db8::1", "security:limited:2001:db8::1"),
        ] {
            assert_eq!(keys.containment(kind, id), key);
            assert_eq!(keys.classify(key), KeyKind::Own, "{key}");
        }
        let (long, longer) = ("é".repeat(41), "é".repeat(42));
        let keys = [keys.containment(ContainKind::User, &long), keys.containment(ContainKind::User, &longer)];
        assert!(keys.iter().all(|key| key.starts_with("security:revoked:user:sha256:")), "{keys:?}");
        assert_ne!(keys[0], keys[1]);
    }

    #[test]
    fn patterns_escape_the_prefix() {
        assert_eq!(Keys::new("a[1]*:").pattern("auth:"), "a\\[1\\]\\*:auth:*");
    }

    #[test]
    fn a_key_without_id_always_gives_the_same_id() {
        let id = derived_id("security:auth:1700000000000", 1_700_000_000_000);
        assert_eq!(id, derived_id("security:auth:1700000000000", 1_700_000_000_000));
        assert_ne!(id, derived_id("security:auth:1700000000000-1", 1_700_000_000_000));
    }
}
