//! Secrets that stand behind their names without a sign: in elements, on command lines, behind schemes, in sentences.

use std::ops::Range;

use super::{
    Form, Promise, STATES, goes_on, is_blacked, is_made_up, is_secret, is_title, name_before, of_member,
    promised,
};

/// How far the value of an element, and one in quotes, is followed.
pub(super) const VALUE_BYTES_MAX: usize = 4_096;
/// Tokens behind a scheme have more characters than words.
const TOKEN_BYTES_MIN: usize = 16;
/// What stands between a password and the word for it.
const VERBS: [&str; 11] = [
    " is",
    " was",
    " ist",
    " war",
    " lautet",
    " set to",
    " is set to",
    " was set to",
    " changed to",
    " was changed to",
    " reset to",
];

/// How a value in a sentence begins and ends.
pub(super) const QUOTES: [(&str, &str); 7] =
    [("\\\"", "\\\""), ("\"", "\""), ("'", "'"), ("`", "`"), ("“", "”"), ("„", "“"), ("»", "«")];

/// Words with digits in them that are said of passwords: how one is kept.
const KEPT: [&str; 10] =
    ["sha1", "sha2", "sha3", "sha512", "md5", "argon2", "pbkdf2", "base64", "aes128", "aes256"];

/// An option of a program that a password follows.
struct Command {
    program: &'static str,
    option: &'static str,
    /// A user stands before the password, parted by a colon.
    has_user: bool,
    /// The value may be a word of its own.
    may_be_apart: bool,
}

const COMMANDS: [Command; 10] = [
    Command { program: "curl", option: " -u", has_user: true, may_be_apart: true },
    Command { program: "curl", option: " --user ", has_user: true, may_be_apart: true },
    Command { program: "curl", option: " --user=", has_user: true, may_be_apart: true },
    Command { program: "mysql", option: " -p", has_user: false, may_be_apart: false },
    Command { program: "mariadb", option: " -p", has_user: false, may_be_apart: false },
    Command { program: "redis-cli", option: " -a ", has_user: false, may_be_apart: true },
    Command { program: "redis-cli", option: " --pass ", has_user: false, may_be_apart: true },
    Command { program: "ssh-keygen", option: " -N ", has_user: false, may_be_apart: true },
    Command { program: "ssh-keygen", option: " -P ", has_user: false, may_be_apart: true },
    Command { program: "sshpass", option: " -p", has_user: false, may_be_apart: true },
];

/// `<password>hunter2</password>`: what an element holds whose name promises a secret.
pub(super) fn elements(text: &str, lower: &str, found: &mut Vec<Range<usize>>) {
    for (at, _) in lower.match_indices('<') {
        let rest = &lower[at + 1..];
        let in_name = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '_' | '-' | '.' | ':');
        let behind = rest.trim_start_matches(in_name);
        let name = rest[..rest.len() - behind.len()].rsplit(':').next().unwrap_or_default();
        let Some(promise) = promised(name, false) else { continue };
        let Some(tag) = behind.find(['<', '>']).map(|end| &behind[..=end]) else { continue };
        let is_tag =
            tag.ends_with('>') && !tag.ends_with("/>") && tag.starts_with(['>', ' ', '\t', '\r', '\n']);
        if is_tag {
            let start = text.len() - behind.len() + tag.len();
            found.extend(in_element(text, start, promise));
        }
    }
}

/// The secret of an element whose tag ends at `start`: up to the next tag, or to the end where a document was cut.
fn in_element(text: &str, start: usize, promise: Promise) -> Option<Range<usize>> {
    let inner = beginning(&text[start..], VALUE_BYTES_MAX);
    let value = inner.trim_start();
    let mut from = start + inner.len() - value.len();
    let value = if let Some(length) = in_angles(value) {
        from += 1;
        &value[1..=length]
    } else if let Some(data) = value.strip_prefix("<![CDATA[") {
        from += value.len() - data.len();
        &data[..data.find("]]>").unwrap_or(data.len())]
    } else {
        let (value, next) = value.split_at(value.find('<').unwrap_or(value.len()));
        let is_closed = next.starts_with("</") || next.starts_with("<\\/");
        // A place for a password, in an address or a manual, looks like an element too.
        let is_cut = next.is_empty() && text.trim_start().starts_with('<');
        let is_value = is_closed || (is_cut && !value.contains(char::is_whitespace));
        if !is_value {
            return None;
        }
        value.trim_end()
    };
    let is_one = is_secret(promise, value, of_member(promise)) || is_short(promise, value);
    is_one.then_some(from..from + value.len())
}

/// Three letters, and no word that is said of something that passed: in an element they are a password too.
fn is_short(promise: Promise, value: &str) -> bool {
    const OTHERS: [&str; 10] = ["all", "any", "low", "map", "new", "nil", "off", "old", "set", "yes"];
    matches!(promise, Promise::Password | Promise::Vague)
        && value.len() == 3
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && value.bytes().any(|byte| byte.is_ascii_alphabetic())
        && !OTHERS.contains(&value.to_ascii_lowercase().as_str())
        && !is_blacked(value)
}

/// Of `text` as many bytes as that, or a few less.
pub(super) fn beginning(text: &str, bytes: usize) -> &str {
    let end = (0..=text.len().min(bytes)).rev().find(|at| text.is_char_boundary(*at));
    &text[..end.unwrap_or_default()]
}

/// How long the password is that somebody put into angle brackets; what stands there else names what belongs there.
pub(super) fn in_angles(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('<')?;
    let length = inner.find(|ch: char| !ch.is_ascii_alphanumeric())?;
    let value = &inner[..length];
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let is_one = value.len() >= 8 && (2..value.len()).contains(&digits) && !is_kept(value);
    (inner[length..].starts_with('>') && is_one).then_some(length)
}

/// Does it say how a password is kept: `SHA-256`?
fn is_kept(value: &str) -> bool {
    let plain: String = value.chars().take(16).filter(char::is_ascii_alphanumeric).collect();
    KEPT.iter().any(|word| plain.to_ascii_lowercase().starts_with(word))
}

/// `curl -u kim:hunter2`, `mysql -phunter2`: of each call of a program the first value of an option.
pub(super) fn commands(text: &str, lower: &str, found: &mut Vec<Range<usize>>) {
    for command in &COMMANDS {
        let mut calls = lower.match_indices(command.program).map(|(at, _)| at).peekable();
        while let Some(from) = calls.next() {
            let call = &text[from..calls.peek().copied().unwrap_or(text.len())];
            let mut options = call.match_indices(command.option).map(|(at, option)| at + option.len());
            let given = options.find_map(|at| given(&call[at..], command).map(|range| (at, range)));
            found.extend(given.map(|(at, range)| from + at + range.start..from + at + range.end));
        }
    }
}

/// The password that an option has, which `rest` stands behind.
fn given(rest: &str, command: &Command) -> Option<Range<usize>> {
    let value = if command.may_be_apart { rest.trim_start_matches(' ') } else { rest };
    let quote = ["\\\"", "\"", "'"].into_iter().find(|quote| value.starts_with(*quote)).unwrap_or_default();
    let value = &value[quote.len()..];
    let start = rest.len() - value.len();
    let stops =
        |ch: char| ch.is_whitespace() || matches!(ch, '"' | '\'' | '`' | '\\' | '|' | ';' | '<' | '>');
    let end = if quote.is_empty() { value.find(stops) } else { value.find(quote) };
    let value = &value[..end.unwrap_or(value.len())];
    let user = if command.has_user { value.find(':')? + 1 } else { 0 };
    let password = &value[user..];
    let is_one = password.chars().any(char::is_alphanumeric)
        && !value.starts_with('-')
        // `redis-cli -a was used`.
        && (!quote.is_empty() || !goes_on(password))
        && !password.starts_with('$')
        && !password.starts_with("//")
        && !is_blacked(password);
    is_one.then_some(start + user..start + value.len())
}

/// `--password hunter2`: an option whose name promises a secret.
pub(super) fn options(text: &str, lower: &str, found: &mut Vec<Range<usize>>) {
    for (at, sign) in lower.match_indices(" --") {
        let rest = &lower[at + sign.len()..];
        let Some((name, _)) = rest.split_once(' ') else { continue };
        if name.bytes().any(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))) {
            continue;
        }
        let Some(promise) = promised(name, false) else { continue };
        if !matches!(promise, Promise::Password | Promise::Passphrase | Promise::Key) {
            continue;
        }
        let value = text[at + sign.len() + name.len()..].trim_start_matches(' ');
        let start = text.len() - value.len();
        found.extend(said(name, value, promise).map(|range| start + range.start..start + range.end));
    }
}

/// `password Hunter2!`, `password (X!24)`: what is so strong that no word is.
pub(super) fn strong(text: &str, lower: &str, found: &mut Vec<Range<usize>>) {
    for name in ["password ", "passwort ", "kennwort "] {
        for (at, _) in lower.match_indices(name) {
            let rest = &text[at + name.len()..];
            let value = rest.strip_prefix('(').unwrap_or(rest);
            let start = text.len() - value.len();
            let stops = |ch: char| ch.is_whitespace() || matches!(ch, ')' | '"' | '\'' | '<' | '\\');
            let value = &value[..value.find(stops).unwrap_or(value.len())];
            let value = value.trim_end_matches(['.', ',', ';', ':', '?']);
            let has = |kind: fn(&u8) -> bool| value.as_bytes().iter().any(kind);
            let in_brackets = rest.starts_with('(');
            let is_mixed = value.len() >= 6 && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase);
            let is_one = has(u8::is_ascii_digit)
                && has(u8::is_ascii_alphabetic)
                && value.contains(['!', '$', '^', '*'])
                && (is_mixed || in_brackets)
                && is_secret(Promise::Password, value, Form::Prose);
            if is_one {
                found.push(start..start + value.len());
            }
        }
    }
}

/// `bearer 0f3a9c77b1...`, wherever it stands.
pub(super) fn schemes(text: &str, lower: &str, found: &mut Vec<Range<usize>>) {
    let in_token =
        |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '+' | '/' | '=' | '.' | '_' | '~' | '-');
    for scheme in ["bearer ", "bearer: ", "api key ", "basic "] {
        for (at, _) in lower.match_indices(scheme) {
            let rest = &text[at + scheme.len()..];
            let token =
                rest[..rest.find(|ch: char| !in_token(ch)).unwrap_or(rest.len())].trim_end_matches('.');
            let has = |kind: fn(&u8) -> bool| token.as_bytes().iter().any(kind);
            let is_one = token.len() >= TOKEN_BYTES_MIN
                && has(u8::is_ascii_digit)
                && has(u8::is_ascii_alphabetic)
                && !lower[..at].ends_with(|ch: char| ch.is_alphanumeric())
                && (scheme != "basic " || has_password(token))
                && (scheme != "api key " || !is_id(token));
            if is_one {
                let start = at + scheme.len();
                found.push(start..start + token.len());
            }
        }
    }
}

/// Is it an id: hexadecimal, parted by four dashes?
fn is_id(token: &str) -> bool {
    token.split('-').count() == 5
        && token.split('-').all(|part| part.len() >= 4 && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Is it base64 of a user and a password, with a colon between?
fn has_password(token: &str) -> bool {
    let mut bits = 0_u32;
    let mut length = 0;
    for byte in token.trim_end_matches('=').bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return false,
        };
        bits = ((bits << 6) | u32::from(value)) & 0xffff;
        length += 6;
        if length >= 8 {
            length -= 8;
            if (bits >> length) & 0xff == u32::from(b':') {
                return true;
            }
        }
    }
    false
}

/// `the password is hunter2`: what is said to be one, and does not say how one is.
pub(super) fn sentences(text: &str, lower: &str, found: &mut Vec<Range<usize>>) {
    for verb in VERBS {
        for (at, _) in lower.match_indices(verb) {
            let behind = &text[at + verb.len()..];
            let value = behind.strip_prefix(':').unwrap_or(behind).trim_start_matches(' ');
            if !behind.starts_with([' ', ':']) || value.len() == behind.len() {
                continue;
            }
            let name = name_before(&lower[..at]);
            let Some(promise) = promised(name, false) else { continue };
            if matches!(promise, Promise::Authorization | Promise::Session) {
                continue;
            }
            let start = text.len() - value.len();
            found.extend(said(name, value, promise).map(|range| start + range.start..start + range.end));
        }
    }
}

fn said(name: &str, text: &str, promise: Promise) -> Option<Range<usize>> {
    if let Some((quote, end)) = QUOTES.into_iter().find(|(quote, _)| text.starts_with(*quote)) {
        let inner = beginning(&text[quote.len()..], VALUE_BYTES_MAX);
        let value = &inner[..inner.find(end)?];
        let is_phrase = promise != Promise::Key && value.split_whitespace().count() > 2;
        let is_one = (!value.contains(' ') || has_sign(value) || is_phrase)
            && is_secret(promise, value, of_member(promise));
        return is_one.then_some(quote.len()..quote.len() + value.len());
    }
    let stops = |ch: char| ch.is_whitespace() || matches!(ch, '"' | '<' | '\\');
    let value =
        text[..text.find(stops).unwrap_or(text.len())].trim_end_matches(['.', ',', ';', ':', '?', ')']);
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    // How long it is, or how old: `12-character`, `8-20`, `100%`.
    let measures = (1..4).contains(&digits) && value[digits..].starts_with(['-', '%']);
    let is_number = digits == value.len();
    let is_one = has_sign(value)
        && (is_number || value.chars().any(char::is_alphabetic))
        && !measures
        && !is_kept(value)
        && !is_state(value)
        && !is_title(name, promise, value)
        && is_secret(promise, value, Form::Prose);
    is_one.then_some(0..value.len())
}

/// Is it a word that is said of passwords, with the number of a note behind it: `leaked2`?
fn is_state(value: &str) -> bool {
    let word = value.strip_suffix(|ch: char| ch.is_ascii_digit()).unwrap_or(value).to_lowercase();
    STATES.contains(&word.as_str())
}

/// Has it a digit, or a sign that words do not have? Capitals alone are no sign: names have them.
pub(super) fn has_sign(value: &str) -> bool {
    is_made_up(&value.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::super::secrets;

    /// What is found in a text, each once and in the order of the text.
    fn found(text: &str) -> Vec<&str> {
        let mut ranges = secrets("", text);
        ranges.sort_unstable_by_key(|range| (range.start, range.end));
        ranges.dedup();
        ranges.into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn secrets_without_a_sign_before_them_are_found_alone() {
        let cases: [(&str, &[&str]); 34] = [
            ("<user>kim</user><password>hunter2</password>", &["hunter2"]),
            ("<pin>4711</pin><a:Token type=\"x\">\n 9f8e7d6c\n</a:Token>", &["4711", "9f8e7d6c"]),
            ("<password><![CDATA[Win<ter]]></password>", &["Win<ter"]),
            ("<password><Lenz2029></password>", &["Lenz2029"]),
            ("<pass>letmein<\\/pass>", &["letmein"]),
            ("<user>kim</user><password>hunt", &["hunt"]),
            ("password=<Lenz2029>", &["Lenz2029"]),
            (r#"{"user":"kim","pass":"letmein"}"#, &["letmein"]),
            ("{'pass': 'letmein'}", &["letmein"]),
            ("pass=letmein", &["letmein"]),
            ("password=two words&x=1", &["two words"]),
            ("{\"password\":\"Win\\\"ter 2026\",\"x\":1}", &["Win\\\"ter 2026"]),
            ("curl -u kim:hunter https://shop.example", &["hunter"]),
            ("curl -s --user 'kim:two words' x; curl --user=kim:pw x", &["two words", "pw"]),
            ("mysql -u root -phunter shop, then sshpass -p hunter ssh -p 2222 x", &["hunter", "hunter"]),
            ("a bearer 0f3a9c77b10f3a9c77b1.", &["0f3a9c77b10f3a9c77b1"]),
            ("as basic dXNlcjpwYXNzd29yZA== it went", &["dXNlcjpwYXNzd29yZA=="]),
            ("the password is hunter2.", &["hunter2"]),
            ("PASSWORD was \"letmein\", the PIN is 4711", &["letmein", "4711"]),
            ("the password is \"let me in now\", it was set", &["let me in now"]),
            ("<Pass>abc</Pass><pass>yes</pass><pass>123</pass>", &["abc"]),
            ("the password is \"it's4me\", das Passwort ist „Lenz“", &["it's4me", "Lenz"]),
            ("das Passwort lautet: Lenz2029, das Kennwort war Herbst!8", &["Lenz2029", "Herbst!8"]),
            ("<password>required</password><password/><b>x9999</b><pinned>4711</pinned>", &[]),
            ("https://<user>:<password>@host, write <password> and <pin>", &[]),
            ("docker run --user 1000:1000 x, curl --user-agent a:b x", &[]),
            ("curl -u kim:$PASS x, curl -u kim x, mysql -p shop, sshpass -p ****", &[]),
            ("bearer of-news, basic authentication-2026, basic Docs/Guide/2026/Setup", &[]),
            ("the password is wrong, the password was expired, Passwort lautet anders", &[]),
            ("the password is too short, the password is \"required\"", &[]),
            ("the password is 12-character, a password was SHA-256-hashed, the secret is Q3-plan", &[]),
            ("a password is 8-20 characters, the token is [not shown: secret]", &[]),
            ("the password is \"too short\", the password is (still) iPhone", &[]),
            ("token is, password was", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(found(text), expected, "{text}");
        }
        let header = r#"Authorization: Digest username="kim", nonce="7ypf", response="6629fae4""#;
        assert_eq!(found(&format!("{header}\r\nHost: x")), [&header["Authorization: ".len()..]]);
        let deep = format!("{}<pin>4711</pin>, the password is hunter2", "word = ".repeat(4_096));
        assert_eq!(found(&deep), ["4711", "hunter2"], "behind 16 KiB");
    }
}
