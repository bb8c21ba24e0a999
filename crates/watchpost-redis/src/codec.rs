//! Events as hashes: the fields of the contract, and every way in which a hash may fail to be an event.

use std::io::Read;

use chrono::DateTime;
use chrono::SecondsFormat;
use chrono::Utc;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value as Json;
use serde_json::error::Category as Fault;
use watchpost_model::event::Category;
use watchpost_model::event::Event;
use watchpost_model::event::Http;
use watchpost_model::event::Outcome;
use watchpost_model::event::Severity;
use watchpost_model::event::canonical_address;

use crate::keys::EventKey;
use crate::keys::derived_id;

/// Payloads up to this size stay as they are.
pub(crate) const COMPRESS_FROM_BYTES: usize = 1024;
/// What the two further field contents cost a compressed hash.
pub(crate) const ENCODING_BYTES: usize = "payload_encoding".len() + "zstd".len();
/// A payload's limit, decompressed.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 1 << 20;
/// Back-reference window allowed to a compressed payload, as a power of two: 8 MiB, what every decoder must support.
const WINDOW_LOG_MAX: u32 = 23;
const LEVEL: i32 = 3;
/// Limit of all other fields together.
const FIELDS_BYTES_MAX: usize = 512 << 10;

/// A hash's fields as they go over the wire.
pub(crate) type Fields = Vec<(&'static str, Vec<u8>)>;

#[derive(Serialize, Deserialize)]
struct Payload {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    http: Option<Http>,
    #[serde(default, skip_serializing_if = "Json::is_null")]
    details: Json,
}

/// The fields of `event`; absent values make no field.
///
/// # Errors
/// The reason why the event is too large for the contract.
pub(crate) fn encode(event: &Event) -> Result<Fields, String> {
    let mut fields: Fields = vec![
        ("id", event.id.to_string().into_bytes()),
        ("at", event.at.to_rfc3339_opts(SecondsFormat::Millis, true).into_bytes()),
        ("category", event.category.as_str().into()),
        ("type", event.kind.clone().into_bytes()),
        ("severity", event.severity.as_str().into()),
        ("outcome", event.outcome.as_str().into()),
    ];
    let optional = [
        ("actor", &event.actor),
        ("source_ip", &event.source_ip),
        ("session", &event.session),
        ("resource", &event.resource),
        ("action", &event.action),
    ];
    fields.extend(optional.into_iter().filter_map(|(name, value)| Some((name, value.clone()?.into_bytes()))));
    if event.count != 1 {
        fields.push(("count", event.count.to_string().into_bytes()));
    }
    if let Some(risk) = event.risk {
        fields.push(("risk", risk.to_string().into_bytes()));
    }
    if !event.tags.is_empty() {
        fields.push(("tags", serde_json::to_vec(&event.tags).map_err(|error| error.to_string())?));
    }
    let bytes: usize = fields.iter().map(|(_, value)| value.len()).sum();
    if bytes > FIELDS_BYTES_MAX {
        return Err(format!("its fields have {bytes} bytes; at most {FIELDS_BYTES_MAX} are allowed"));
    }
    if event.http.is_some() || !event.details.is_null() {
        let payload = Payload { http: event.http.clone(), details: event.details.clone() };
        let plain = serde_json::to_vec(&payload).map_err(|error| error.to_string())?;
        if plain.len() > PAYLOAD_BYTES_MAX {
            return Err(format!(
                "its payload has {} bytes; at most {PAYLOAD_BYTES_MAX} are allowed",
                plain.len()
            ));
        }
        match compress(&plain) {
            Some(packed) => {
                fields.push(("payload", packed));
                fields.push(("payload_encoding", b"zstd".to_vec()));
            }
            None => fields.push(("payload", plain)),
        }
    }
    Ok(fields)
}

/// The payload compressed, if it is over 1 KiB and compression saves at least 20 %.
pub(crate) fn compress(plain: &[u8]) -> Option<Vec<u8>> {
    if plain.len() <= COMPRESS_FROM_BYTES {
        return None;
    }
    let packed = zstd::bulk::compress(plain, LEVEL).ok()?;
    (packed.len() * 5 <= plain.len() * 4).then_some(packed)
}

/// Reads a hash as an event; fields that are not of the contract go to `details.fields`.
///
/// # Errors
/// The reason why it is not one, for the quarantine.
pub(crate) fn decode<B: AsRef<[u8]> + Into<Vec<u8>>>(
    key: &str,
    parsed: &EventKey<'_>,
    fields: Vec<(B, B)>,
) -> Result<Event, String> {
    let mut raw = RawFields::default();
    for (name, value) in fields {
        raw.put(name.as_ref(), value)?;
    }
    let bare = raw.id.is_none();
    let at = match &raw.at {
        Some(text) => parse_at(text)?,
        None => from_ms(parsed.at_ms)?,
    };
    let category = match &raw.category {
        Some(text) => text.parse::<Category>().map_err(|error| format!("field category: {error}"))?,
        None => parsed.category,
    };
    if category != parsed.category {
        return Err(format!("field category says {category}, the key says {}", parsed.category));
    }
    let id = match &raw.id {
        Some(text) => text.parse().map_err(|error| format!("field id is not a UUID: {error}"))?,
        None => derived_id(key, parsed.at_ms),
    };
    let kind = raw.kind.ok_or("field type is missing")?;
    if kind.is_empty() {
        return Err("field type is empty".to_owned());
    }
    let payload = match raw.payload {
        Some(bytes) => read_payload(bytes, raw.payload_encoding.as_deref())?,
        None => Payload { http: None, details: Json::Null },
    };
    let mut event = Event::new(id, at, category, kind);
    event.severity = word(raw.severity, "severity", Severity::Info)?;
    event.outcome = word(raw.outcome, "outcome", Outcome::Unknown)?;
    event.actor = raw.actor;
    event.source_ip = raw.source_ip.map(|text| canonical_address(&text));
    event.session = raw.session;
    event.resource = raw.resource;
    event.action = raw.action;
    let count = number(raw.count, "count")?.unwrap_or(1);
    event.risk = number(raw.risk, "risk")?;
    if event.risk.is_some_and(|risk| risk > 100) {
        return Err("field risk is over 100".to_owned());
    }
    if let Some(tags) = raw.tags {
        event.tags = serde_json::from_str(&tags)
            .map_err(|error| format!("field tags is not a JSON array of text: {}", fault(&error)))?;
    }
    event.http = payload.http;
    event.details = with_unknown(payload.details, raw.unknown);
    event.set_count(count);
    if bare && event.resource.is_none() && event.http.is_none() {
        event.resource = parsed.endpoint_text().filter(|text| *text != "-").map(std::borrow::Cow::into_owned);
    }
    Ok(event)
}

#[derive(Default)]
struct RawFields {
    id: Option<String>,
    at: Option<String>,
    category: Option<String>,
    kind: Option<String>,
    severity: Option<String>,
    outcome: Option<String>,
    actor: Option<String>,
    source_ip: Option<String>,
    session: Option<String>,
    resource: Option<String>,
    action: Option<String>,
    count: Option<String>,
    risk: Option<String>,
    tags: Option<String>,
    payload: Option<Vec<u8>>,
    payload_encoding: Option<String>,
    unknown: serde_json::Map<String, Json>,
}

impl RawFields {
    fn put(&mut self, name: &[u8], value: impl Into<Vec<u8>>) -> Result<(), String> {
        let name = std::str::from_utf8(name).map_err(|_| "a field's name is not UTF-8".to_owned())?;
        if name == "payload" {
            self.payload = Some(value.into());
            return Ok(());
        }
        if name.starts_with('_') {
            return Ok(()); // Marks of the queue, not of the event.
        }
        let value = String::from_utf8(value.into()).map_err(|_| format!("field {name} is not UTF-8"))?;
        let place = match name {
            "id" => &mut self.id,
            "at" => &mut self.at,
            "category" => &mut self.category,
            "type" => &mut self.kind,
            "severity" => &mut self.severity,
            "outcome" => &mut self.outcome,
            "actor" => &mut self.actor,
            "source_ip" => &mut self.source_ip,
            "session" => &mut self.session,
            "resource" => &mut self.resource,
            "action" => &mut self.action,
            "count" => &mut self.count,
            "risk" => &mut self.risk,
            "tags" => &mut self.tags,
            "payload_encoding" => &mut self.payload_encoding,
            other => {
                self.unknown.insert(other.to_owned(), Json::String(value));
                return Ok(());
            }
        };
        *place = Some(value);
        Ok(())
    }
}

/// What the application said beyond the contract is kept: losing it would be losing evidence.
fn with_unknown(details: Json, unknown: serde_json::Map<String, Json>) -> Json {
    if unknown.is_empty() {
        return details;
    }
    let mut object = match details {
        Json::Object(object) => object,
        Json::Null => serde_json::Map::new(),
        other => serde_json::Map::from_iter([("value".to_owned(), other)]),
    };
    object.entry("fields").or_insert(Json::Object(unknown));
    Json::Object(object)
}

fn read_payload(bytes: Vec<u8>, encoding: Option<&str>) -> Result<Payload, String> {
    let plain = match encoding {
        None | Some("") => bytes,
        Some("zstd") => decompress(&bytes)?,
        Some(other) => {
            return Err(format!(
                "payload_encoding {:?} is not known",
                other.chars().take(32).collect::<String>()
            ));
        }
    };
    if plain.len() > PAYLOAD_BYTES_MAX {
        return Err(format!("the payload has {} bytes; at most {PAYLOAD_BYTES_MAX} are read", plain.len()));
    }
    serde_json::from_slice(&plain)
        .map_err(|error| format!("the payload is not a JSON object of http and details: {}", fault(&error)))
}

/// What is wrong with JSON and where, without what stands there: it may be a secret, and as long as the payload.
fn fault(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        Fault::Eof => "it ends too early",
        Fault::Syntax | Fault::Io => "that is no JSON",
        Fault::Data => "a value is of another type than expected, missing or not known",
    };
    format!("{what}, at line {} column {}", error.line(), error.column())
}

/// Decompresses with bounded output and bounded window: a bomb costs no more than the limit.
pub(crate) fn decompress(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let failed = |error: std::io::Error| format!("the payload is not zstd: {error}");
    let mut decoder = zstd::stream::read::Decoder::with_buffer(bytes).map_err(failed)?;
    decoder.window_log_max(WINDOW_LOG_MAX).map_err(failed)?;
    let mut plain = Vec::new();
    decoder.take(PAYLOAD_BYTES_MAX as u64 + 1).read_to_end(&mut plain).map_err(failed)?;
    if plain.len() > PAYLOAD_BYTES_MAX {
        return Err(format!("the payload decompresses to more than {PAYLOAD_BYTES_MAX} bytes"));
    }
    Ok(plain)
}

fn parse_at(text: &str) -> Result<DateTime<Utc>, String> {
    let at =
        DateTime::parse_from_rfc3339(text).map_err(|error| format!("field at is not RFC 3339: {error}"))?;
    from_ms(at.timestamp_millis())
}

fn from_ms(ms: i64) -> Result<DateTime<Utc>, String> {
    DateTime::from_timestamp_millis(ms).ok_or_else(|| "the time is out of range".to_owned())
}

fn word<T: std::str::FromStr>(text: Option<String>, name: &str, absent: T) -> Result<T, String>
where
    T::Err: std::fmt::Display,
{
    match text {
        None => Ok(absent),
        Some(text) => text.parse().map_err(|error| format!("field {name}: {error}")),
    }
}

fn number<T: std::str::FromStr>(text: Option<String>, name: &str) -> Result<Option<T>, String> {
    text.map(|text| text.parse().map_err(|_| format!("field {name} is not a number in range"))).transpose()
}

#[cfg(test)]
mod tests {
    use super::PAYLOAD_BYTES_MAX;
    use super::compress;
    use super::decode;
    use super::decompress;
    use crate::keys::KeyKind;
    use crate::keys::Keys;

    fn read(key: &str, fields: &[(&str, &str)]) -> Result<watchpost_model::event::Event, String> {
        let KeyKind::Event(parsed) = Keys::new("security:").classify(key) else {
            panic!("{key} is an event's key")
        };
        let fields = fields.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()));
        decode(key, &parsed, fields.collect::<Vec<_>>())
    }

    #[test]
    fn a_bare_hash_takes_the_rest_from_its_key() {
        let fields = [("type", "request"), ("tenant", "acme"), ("_q", "1-1")];
        let event = read("security:api:%2Flogin:1700000000123-4", &fields).unwrap();
        assert_eq!(event.at.timestamp_millis(), 1_700_000_000_123);
        assert_eq!(event.category.as_str(), "api_usage");
        assert_eq!(event.resource.as_deref(), Some("/login"));
        assert_eq!(event.details, serde_json::json!({"fields": {"tenant": "acme"}}));
        assert_eq!(event.id, read("security:api:%2Flogin:1700000000123-4", &fields).unwrap().id);
    }

    #[test]
    fn a_count_is_bounded_and_what_was_claimed_is_kept() {
        for (claimed, count, details) in [
            ("0", 1, serde_json::Value::Null),
            ("1000000", 1_000_000, serde_json::Value::Null),
            ("4294967295", 1_000_000, serde_json::json!({"count_claimed": 4_294_967_295_u64})),
            ("18446744073709551615", 1_000_000, serde_json::json!({"count_claimed": u64::MAX})),
        ] {
            let event = read("security:auth:1700000000123", &[("type", "login_failure"), ("count", claimed)])
                .unwrap();
            assert_eq!((event.count, event.details), (count, details), "{claimed}");
        }
    }

    #[test]
    fn says_why_a_hash_is_no_event() {
        let key = "security:auth:1700000000000";
        for (fields, reason) in [
            (vec![], "field type is missing"),
            (vec![("type", "")], "field type is empty"),
            (vec![("type", "x"), ("id", "7")], "field id is not a UUID"),
            (vec![("type", "x"), ("at", "yesterday")], "field at is not RFC 3339"),
            (vec![("type", "x"), ("category", "configuration")], "the key says authentication"),
            (vec![("type", "x"), ("category", "nonsense")], "field category"),
            (vec![("type", "x"), ("severity", "bad")], "field severity"),
            (vec![("type", "x"), ("count", "-1")], "field count is not a number"),
            (vec![("type", "x"), ("risk", "101")], "field risk is over 100"),
            (vec![("type", "x"), ("risk", "300")], "field risk is not a number"),
            (vec![("type", "x"), ("tags", "a,b")], "field tags is not a JSON array"),
            (vec![("type", "x"), ("payload", "{")], "the payload is not a JSON object"),
            (
                vec![("type", "x"), ("payload", "{}"), ("payload_encoding", "gzip")],
                "payload_encoding \"gzip\"",
            ),
            (vec![("type", "x"), ("payload", "{}"), ("payload_encoding", "zstd")], "the payload is not zstd"),
        ] {
            let error = read(key, &fields).unwrap_err();
            assert!(error.contains(reason), "{fields:?}: {error}");
        }
    }

    #[test]
    fn a_bomb_is_refused_at_the_limit() {
        let bomb = zstd::bulk::compress(&vec![b' '; 64 << 20], 19).unwrap();
        assert!(bomb.len() < 16 << 10, "the bomb is small: {}", bomb.len());
        assert!(decompress(&bomb).unwrap_err().contains("more than 1048576"));
        let fits = vec![b'a'; PAYLOAD_BYTES_MAX];
        assert_eq!(decompress(&zstd::bulk::compress(&fits, 19).unwrap()).unwrap(), fits);
    }

    #[test]
    fn compresses_only_what_gains() {
        assert!(compress(&vec![b'a'; 1024]).is_none(), "small stays");
        assert!(compress(&vec![b'a'; 1025]).is_some());
        let noise: Vec<u8> =
            (0u64..4096).map(|i| (i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8).collect();
        let mut state = 1u64;
        let noise: Vec<u8> = noise
            .iter()
            .map(|b| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                b ^ (state as u8)
            })
            .collect();
        assert!(compress(&noise).is_none(), "noise stays");
    }
}
