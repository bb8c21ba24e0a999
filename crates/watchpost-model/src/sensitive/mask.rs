//! Text without the numbers of cards and the secrets that it holds, for whoever prints it.

use std::ops::Range;

use super::groups::{digit_of, grouped_numbers};
use super::{Sensitive, accounts, every_card_number, is_issued, is_valid, secrets::secrets};

/// `text` as it may be printed where it is the value of `name`, and `None` where it may be printed as it is: of the number
/// of a card the first six digits and the last four, of passwords, tokens, keys and accounts of banks their kind.
///
/// Any number that an issuer could have given out counts, with or without a word about cards: a number that was none is
/// still known by its ends. Addresses of people stay: they say who it was.
#[must_use]
pub fn masked(name: &str, text: &str) -> Option<String> {
    if !is_worth_a_look(text) {
        return None;
    }
    let spans = spans(name, text);
    let plain = if spans.is_empty() { None } else { Some(without(text, &spans)) };
    // What stands behind the encoding of forms and addresses has no place of its own.
    let shown = plain.as_deref().unwrap_or(text);
    let mut kinds: Vec<Sensitive> =
        layers(shown).iter().flat_map(|text| self::spans(name, text)).map(|(_, kind)| kind).collect();
    if kinds.is_empty() {
        return plain;
    }
    kinds.sort_unstable();
    kinds.dedup();
    Some(not_shown(&kinds))
}

/// What stands in place of these.
#[must_use]
pub fn not_shown(kinds: &[Sensitive]) -> String {
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
    format!("[not shown: {}]", kinds.join(", "))
}

/// Many cells of a report are times or short.
fn is_worth_a_look(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_time = bytes.len() == 20 && bytes[4] == b'-' && bytes[10] == b'T' && bytes[19] == b'Z';
    bytes.len() >= 6 && !is_time
}

/// What is masked, in the order of the text and apart.
fn spans(name: &str, text: &str) -> Vec<(Range<usize>, Sensitive)> {
    let mut found: Vec<(Range<usize>, Sensitive)> = Vec::new();
    found.extend(every_card_number(text).into_iter().map(|range| (range, Sensitive::CardNumber)));
    found.extend(glued_numbers(text).into_iter().map(|range| (range, Sensitive::CardNumber)));
    found.extend(grouped_numbers(text).into_iter().map(|one| (one.range, Sensitive::CardNumber)));
    found.extend(cut_numbers(text).into_iter().map(|range| (range, Sensitive::CardNumber)));
    found.extend(secrets(name, text).into_iter().map(|range| (range, Sensitive::Secret)));
    found.extend(accounts(text).into_iter().map(|range| (range, Sensitive::Personal)));
    // The longer one first where two begin together.
    found.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
    let mut apart: Vec<(Range<usize>, Sensitive)> = Vec::new();
    for (range, kind) in found.into_iter().filter(|(range, _)| !range.is_empty()) {
        match apart.last_mut() {
            // What goes on behind the number of a card is none.
            Some((last, its)) if range.start < last.end => {
                if range.end > last.end {
                    last.end = range.end;
                    *its = if *its == Sensitive::CardNumber { kind } else { *its };
                }
            }
            _ => apart.push((range, kind)),
        }
    }
    apart
}

fn without(text: &str, spans: &[(Range<usize>, Sensitive)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for (range, kind) in spans {
        out.push_str(&text[from..range.start]);
        match kind {
            Sensitive::CardNumber => out.push_str(&blacked(&text[range.clone()])),
            Sensitive::Secret | Sensitive::Personal => out.push_str(&not_shown(&[*kind])),
        }
        from = range.end;
    }
    out.push_str(&text[from..]);
    out
}

/// Numbers of cards in one piece wherever they stand, joined to letters and signs too: `svc4539...`, `inv_4539....pdf`.
fn glued_numbers(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        while is_digit(at) {
            at += 1;
        }
        if at == start {
            at += 1;
            continue;
        }
        let digits: Vec<u8> = bytes[start..at].iter().map(|digit| digit - b'0').collect();
        let behind_point = start >= 2 && bytes[start - 1] == b'.' && is_digit(start - 2);
        let before_point = bytes.get(at) == Some(&b'.') && is_digit(at + 1);
        if is_issued(&digits)
            && is_valid(&digits)
            && !behind_point
            && !before_point
            && !is_in_hash(&bytes[..start], &bytes[at..])
        {
            found.push(start..at);
        }
    }
    found
}

/// Do the letters and digits before and after belong to one long hexadecimal number?
fn is_in_hash(before: &[u8], after: &[u8]) -> bool {
    let joined = |byte: &&u8| byte.is_ascii_alphanumeric();
    let around: Vec<&u8> =
        before.iter().rev().take_while(joined).chain(after.iter().take_while(joined)).collect();
    around.len() >= 8 && around.iter().all(|byte| byte.is_ascii_hexdigit())
}

/// Where a text was shortened within what may be the number of a card: nothing checks the digits that are left, and most of
/// them can be there. The ellipsis belongs to it.
fn cut_numbers(text: &str) -> Vec<Range<usize>> {
    const CUT: char = '…';
    let begin = |head: &str| {
        let run = head.trim_end_matches(|ch: char| ch.is_ascii_digit() || matches!(ch, ' ' | '-'));
        let number = head[run.len()..].trim_start_matches([' ', '-']);
        let mut digits: Vec<u8> =
            number.bytes().filter(u8::is_ascii_digit).map(|digit| digit - b'0').collect();
        let start = head.len() - number.len();
        let apart = !head[..start].ends_with(|ch: char| ch.is_ascii_alphanumeric());
        let long = (7..=19).contains(&digits.len());
        let issued = [16, 15, 14].into_iter().any(|n| {
            digits.resize(n, 0);
            is_issued(&digits)
        });
        (apart && long && issued).then_some(start)
    };
    let found = text.match_indices(CUT);
    found.filter_map(|(at, _)| begin(&text[..at]).map(|start| start..at + CUT.len_utf8())).collect()
}

fn blacked(number: &str) -> String {
    let digits = number.chars().filter(|ch| digit_of(*ch).is_some()).count();
    // Of one that was cut the last ones are not the last.
    let shown_last = if number.ends_with('…') { 0 } else { 4 };
    let mut nth = 0;
    number
        .chars()
        .map(|ch| {
            let is_digit = digit_of(ch).is_some();
            nth += usize::from(is_digit);
            if is_digit && nth > 6 && nth + shown_last <= digits { '*' } else { ch }
        })
        .collect()
}

/// The text without the encoding of forms and addresses, where it has some.
#[must_use]
pub fn decoded(text: &str) -> Option<String> {
    if !text.contains(['%', '+']) {
        return None;
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let escaped = text.get(at + 1..at + 3).filter(|_| *byte == b'%');
        match escaped.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(value) => {
                out.push(value);
                at += 3;
            }
            None => {
                out.push(if *byte == b'+' { b' ' } else { *byte });
                at += 1;
            }
        }
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}

/// How often a text may be encoded.
const LAYERS_MAX: usize = 3;

/// The text without the escapes of JSON (`\u0070`) and of HTML (`&lt;`, `&nbsp;`), where it has some.
fn unescaped(text: &str) -> Option<String> {
    const ENTITIES: [(&str, char); 8] = [
        ("&lt;", '<'),
        ("&gt;", '>'),
        ("&quot;", '"'),
        ("&#34;", '"'),
        ("&#39;", '\''),
        ("&nbsp;", ' '),
        ("&#160;", ' '),
        ("&amp;", '&'),
    ];
    if !text.contains("\\u00") && !text.contains('&') {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['\\', '&']) {
        let (head, tail) = rest.split_at(at);
        out.push_str(head);
        let entity = ENTITIES.iter().find(|(entity, _)| tail.starts_with(*entity));
        let code = tail.strip_prefix("\\u00").and_then(|code| code.get(..2));
        let escaped = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        let (sign, length) = match (entity, escaped) {
            (Some((entity, sign)), _) => (*sign, entity.len()),
            (None, Some(code)) => (char::from(code), 6),
            (None, None) => (if tail.starts_with('&') { '&' } else { '\\' }, 1),
        };
        out.push(sign);
        rest = &tail[length..];
    }
    out.push_str(rest);
    (out != text).then_some(out)
}

/// The text without the encoding of forms and addresses, or else the escapes of JSON and HTML, then without the next one where
/// it was encoded more than once.
#[must_use]
pub fn layers(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    while out.len() < LAYERS_MAX {
        let last = out.last().map_or(text, String::as_str);
        let next = decoded(last).filter(|next| next != last);
        let Some(next) = next.or_else(|| unescaped(last)) else { break };
        out.push(next);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn what_is_printed_holds_no_card_and_no_secret() {
        for (name, text, expected) in [
            ("resource", "/card/4539578763621486/pay", "/card/453957******1486/pay"),
            ("resource", "/pay/4111111111111111", "/pay/411111******1111"),
            ("resource", "/4539 5787 6362 1486", "/4539 57** **** 1486"),
            ("detail", "two: 4539578763621486, 4539578763621486", "two: 453957******1486, 453957******1486"),
            ("detail", "n=4539+5787+6362+1486", "n=4539+57**+****+1486"),
            ("actor", "svc4539578763621486", "svc453957******1486"),
            ("actor", "s-4539578763621486", "s-453957******1486"),
            ("file", "inv_4539578763621486.pdf", "inv_453957******1486.pdf"),
            ("text", "PAN4539578763621486x", "PAN453957******1486x"),
            ("text", "paid with 45395787636214…", "paid with 453957********…"),
            ("text", "paid with 4539 5787 6362 1…", "paid with 4539 57** **** *…"),
            ("detail", "user=kim&password=Winter2026!&x=1", "user=kim&password=[not shown: secret]&x=1"),
            ("detail", "password%3DWinter2026", "[not shown: secret]"),
            ("detail", "pass%2577ord=Winter2026", "[not shown: secret]"),
            ("detail", "q=%204111111111111111&x=1", "q=%20411111******1111&x=1"),
            ("detail", "curl -u kim:hunter https://x", "curl -u kim:[not shown: secret] https://x"),
            ("detail", "password=two words&x=1", "password=[not shown: secret]&x=1"),
            ("detail", "<pin>4711</pin>", "<pin>[not shown: secret]</pin>"),
            ("detail", "the password is hunter2.", "the password is [not shown: secret]."),
            ("resource", "/x?a=1&password=zzEVT6 two three", "/x?a=1&password=[not shown: secret]"),
            ("note", "password = correct horse battery staple", "password = [not shown: secret]"),
            ("note", "password=zz one two host=db", "password=[not shown: secret] host=db"),
            (
                "note",
                "found in wp-config: password = blue horse battery staple",
                "found in wp-config: password = [not shown: secret]",
            ),
            (
                "note",
                "DB_USER=kim DB_PASSWORD=blue horse battery DB_HOST=db",
                "DB_USER=kim DB_PASSWORD=[not shown: secret] DB_HOST=db",
            ),
            ("note", "export PASSWORD=blue horse battery", "export PASSWORD=[not shown: secret]"),
            ("note", "# password = blue horse; x", "# password = [not shown: secret]; x"),
            ("note", "T11 password = correct horse battery staple", "T11 password = [not shown: secret]"),
            ("note", "Q07 password=correct horse battery staple", "Q07 password=[not shown: secret]"),
            (
                "note",
                "it had password = blue horse. Told kim to change it",
                "it had password = [not shown: secret] Told kim to change it",
            ),
            (
                "note",
                "has password=blue horse battery must be changed",
                "has password=[not shown: secret] must be changed",
            ),
            ("note", "has password=hunter2 in the log", "has password=[not shown: secret] in the log"),
            ("note", "{\"pass\":\"reset me 24\"}", "{\"pass\":\"[not shown: secret]\"}"),
            ("note", "password=\"not required 77\"", "password=\"[not shown: secret]\""),
            ("note", "a [sealed:x:hunter2secret] b", "a [not shown: secret] b"),
            ("note", "password=[sealed:password:zzfake secret words]", "password=[not shown: secret]"),
            ("note", "[sealed:password:4539578763621486], x", "[not shown: secret], x"),
            ("note", "[sealed:hunter2 [sealed:token]", "[not shown: secret][sealed:token]"),
            (
                "note",
                "{\"value\":\"zzabcd\",\"name\":\"password\"}",
                "{\"value\":\"[not shown: secret]\",\"name\":\"password\"}",
            ),
            (
                "note",
                "<input value=\"zzabcd\" type=\"password\">",
                "<input value=\"[not shown: secret]\" type=\"password\">",
            ),
            (
                "note",
                "<input type=password value=zzabcd> x",
                "<input type=password value=[not shown: secret]> x",
            ),
            ("note", "<input value=zzabcd type=password>", "<input value=[not shown: secret] type=password>"),
            ("note", "x=1&password[]=zzabcd&y=1", "x=1&password[]=[not shown: secret]&y=1"),
            ("note", "password[0]=zzabcd", "password[0]=[not shown: secret]"),
            (
                "note",
                "CREATE USER kim IDENTIFIED BY 'zzabcd'; x",
                "CREATE USER kim IDENTIFIED BY '[not shown: secret]'; x",
            ),
            ("note", "CONFIG SET requirepass zzabcd", "CONFIG SET requirepass [not shown: secret]"),
            ("note", "AUTH zzabcd", "AUTH [not shown: secret]"),
            ("note", "sent AUTH kim zzabcd7", "sent AUTH kim [not shown: secret]"),
            ("note", "&lt;password&gt;hunter2&lt;/password&gt;", "[not shown: secret]"),
            ("note", "\\u0070assword=hunter2", "[not shown: secret]"),
            ("note", "to de89 3704 0044 0532 0130 00 today", "to [not shown: personal] today"),
            (
                "detail",
                "pin=4711&password=[sealed:password:1f0c3a9b-77de0142]&x=1",
                "pin=[not shown: secret]&password=[sealed:password:1f0c3a9b-77de0142]&x=1",
            ),
            ("detail", "token=bearer 0f3a9c77b10f3a9c", "token=[not shown: secret] [not shown: secret]"),
            ("pass", "letmein", "[not shown: secret]"),
            ("password", "Winter2026", "[not shown: secret]"),
            ("note", "refund to GB82WEST12345698765432.", "refund to [not shown: personal]."),
            ("note", "https://kim:Winter@shop.example/x", "https://kim:[not shown: secret]@shop.example/x"),
        ] {
            assert_eq!(masked(name, text).as_deref(), Some(expected), "{name}: {text}");
            assert_eq!(masked(name, expected), None, "once is enough: {expected}");
        }
        for (name, text) in [
            ("actor", "kim@shop-mail.de"),
            ("time", "2026-01-01T00:00:00Z"),
            ("id", "0192f0c4-7a51-7cc2-8a10-3b2f6f5d9e21"),
            ("hash", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
            ("resource", "/search?q=a+b%20c"),
            ("number", "4539578763621487"),
            ("hash", "9f86d08a4539578763621486ab4c7d65"),
            ("score", "0.4539578763621486"),
            ("at", "t1767225600123456"),
            ("text", "order 4711…, since 2026-01-01 10…, 1767225600123…"),
            ("reason", "password: incorrect"),
            ("detail", "user=kim&password=[sealed:password:1f0c3a9b-77de0142]&x=1"),
            ("detail", "password: [sealed:password:1f0c3a9b-77de0142], token=[sealed:token]"),
            ("password", "[sealed:password:1f0c3a9b-77de0142]"),
            ("detail", "{\"card\":\"[sealed:card:1f0c3a9b-77de0142]\"}"),
            ("note", "token: 2026-11-01T10:00:00Z"),
            ("note", "The secret was leaked2"),
            ("note", "password = expired"),
            ("note", "we saw password = expired on Monday, and password=wrong password"),
            ("note", "its password = incorrect because it must match"),
            ("note", "its password=**** was long ago and not so good at all"),
            ("note", "{\"password\":\"must be at least 8\",\"pass\":\"passed all 24 tests\"}"),
            ("note", "redis-cli -a was used, AUTH failed, AUTH LOGIN, AUTH events of kim"),
            ("note", "requirepass is not set; identified by the team, auth hunter2"),
            ("note", "Users are identified by name. Each is identified by badge; the AUTH team"),
            ("note", "a mark is [sealed:password:...], [sealed:card:1f0c3a9b-77de0142] is one"),
            ("note", "{\"value\":\"zzabcd\",\"name\":\"user\"},{\"name\":\"password\"}"),
            ("note", "<input type=text value=zzabcd> and <input type=password>"),
            ("note", "from /x?token= https://shop.example/y"),
            ("note", "&lt;b&gt;a &amp; b&lt;/b&gt;"),
            ("hash", "de89370400440532013000ab12cd34ef"),
            ("title", "secret: Q3-plan"),
            ("title", "pin: 2026"),
            ("resource", "/search?q=%2520%25"),
            ("", ""),
            ("note", "ünïcode = ärger: é"),
        ] {
            assert_eq!(masked(name, text), None, "{name}: {text}");
        }
    }
}
