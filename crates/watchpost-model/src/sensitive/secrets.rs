//! Secrets in text: keys and tokens by their form, and what stands where a name says that a secret follows.

mod loose;

use std::ops::Range;

use loose::in_angles;

/// Tokens of services: how they begin, and how many characters follow at least.
pub(crate) const SERVICE_TOKENS: [(&str, usize); 14] = [
    ("ghp_", 36),
    ("gho_", 36),
    ("ghs_", 36),
    ("github_pat_", 40),
    ("glpat-", 20),
    ("xoxb-", 20),
    ("xoxp-", 20),
    ("sk_live_", 20),
    ("rk_live_", 20),
    ("npm_", 36),
    ("hvs.", 24),
    ("AIza", 35),
    ("AKIA", 16),
    ("ASIA", 16),
];

/// How names end whose value is a secret, without `_` and `-`.
const PASSWORDS: [&str; 11] = [
    "password",
    "passwd",
    "passwort",
    "passcode",
    "kennwort",
    "secret",
    "secretaccesskey",
    "apikey",
    "token",
    "userpwd",
    "privatekey",
];
/// Names of sessions; in a cookie one that ends so is enough.
const SESSIONS: [&str; 3] = ["phpsessid", "jsessionid", "aspnetsessionid"];
const COOKIES: [&str; 9] =
    ["session", "sessionid", "sessid", "sid", "sess", "auth", "jwt", "remember", "ticket"];
/// What is said of a password, and is none.
const STATES: [&str; 55] = [
    "absent",
    "accepted",
    "blank",
    "changed",
    "correct",
    "denied",
    "disabled",
    "empty",
    "enabled",
    "error",
    "expired",
    "failed",
    "failing",
    "failure",
    "false",
    "filtered",
    "forgotten",
    "hidden",
    "incorrect",
    "invalid",
    "locked",
    "masked",
    "mismatch",
    "missing",
    "never",
    "none",
    "null",
    "ok",
    "optional",
    "partial",
    "passed",
    "pending",
    "present",
    "redacted",
    "rejected",
    "removed",
    "required",
    "reset",
    "skipped",
    "revoked",
    "rotated",
    "strong",
    "succeeded",
    "success",
    "true",
    "undefined",
    "unknown",
    "unset",
    "updated",
    "valid",
    "verified",
    "weak",
    "wrong",
    "xxxx",
    "yes",
];

/// What a name promises.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Promise {
    Password,
    /// A word that also means other things (`pass`, `pwd`): only what looks made up is one.
    Vague,
    Pin,
    Passphrase,
    /// Credentials of a request, behind the name of their scheme.
    Authorization,
    Session,
}

/// How a value stands behind its name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Between quotes, or a field of its own.
    Quoted,
    /// Behind `=`.
    Bare,
    /// Behind a colon, as people and headers write.
    Prose,
}

/// Where `text`, the value of `name`, holds secrets. The name may be empty.
pub(super) fn secrets(name: &str, text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut in_cookie = false;
    if !name.is_empty() {
        let name = name.to_ascii_lowercase();
        in_cookie = name.ends_with("cookie");
        if let Some(promise) = promised(&name, false)
            && is_secret(promise, text.trim(), of_member(promise))
        {
            found.push(0..text.len());
        }
    }
    words(text, &mut found);
    if text.contains("://") {
        links(text, &mut found);
    }
    let has_blank = text.contains(' ');
    if has_blank || text.contains([':', '=', '<']) {
        // Of the same length: only ASCII changes.
        let lower = text.to_ascii_lowercase();
        private_keys(&lower, &mut found);
        pairs(text, &lower, in_cookie, &mut found);
        loose::elements(text, &lower, &mut found);
        if has_blank {
            loose::schemes(text, &lower, &mut found);
            loose::sentences(text, &lower, &mut found);
        }
        if text.contains(" -") {
            loose::commands(text, &lower, &mut found);
        }
    }
    found
}

/// Does a name say that secrets are among its values? The values of others can be looked at without it.
#[must_use]
pub fn promises(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with("cookie") || promised(&name, false).is_some()
}

fn private_keys(lower: &str, found: &mut Vec<Range<usize>>) {
    let Some(begin) = lower.find("-----begin ") else { return };
    if !lower[begin..].contains("private key-----") {
        return;
    }
    let end = lower[begin..].rfind("-----end ").map_or(lower.len(), |at| {
        let end = begin + at + "-----end ".len();
        lower[end..].find("-----").map_or(lower.len(), |rest| end + rest + 5)
    });
    found.push(begin..end);
}

/// Tokens of services, and signed ones: three parts of base64 whose first one is a JSON object.
fn words(text: &str, found: &mut Vec<Range<usize>>) {
    let in_word = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '_' | '-' | '.');
    let token = |word: &str| {
        SERVICE_TOKENS.iter().any(|(prefix, n)| {
            word.strip_prefix(*prefix)
                .is_some_and(|rest| rest.len() >= *n && !rest.to_ascii_uppercase().ends_with("EXAMPLE"))
        })
    };
    let signed =
        |word: &str| word.starts_with("eyJ") && word.split('.').filter(|part| part.len() >= 10).count() == 3;
    let mut from = 0;
    let ends = text.match_indices(|ch: char| !in_word(ch)).chain(std::iter::once((text.len(), "")));
    for (at, stop) in ends {
        let word = &text[from..at];
        if word.len() >= 20 && (token(word) || signed(word)) {
            found.push(from..at);
        }
        from = at + stop.len();
    }
}

/// Passwords in addresses: `https://user:password@host`.
fn links(text: &str, found: &mut Vec<Range<usize>>) {
    for (at, _) in text.match_indices("://") {
        let start = at + 3;
        let rest = &text[start..];
        let stops =
            |ch: char| ch.is_whitespace() || matches!(ch, '/' | '?' | '#' | '"' | '\'' | '<' | '>' | '\\');
        let authority = &rest[..rest.find(stops).unwrap_or(rest.len())];
        let Some((user, _)) = authority.rsplit_once('@') else { continue };
        let Some((name, password)) = user.split_once(':') else { continue };
        if password.chars().any(char::is_alphanumeric) && !is_blacked(password) {
            let from = start + name.len() + 1;
            found.push(from..from + password.len());
        }
    }
}

/// Values behind names, each behind `=` or a colon.
fn pairs(text: &str, lower: &str, in_cookie: bool, found: &mut Vec<Range<usize>>) {
    let cookie_at =
        ["cookie:", "cookie\":", "cookie\\\":"].into_iter().filter_map(|word| lower.find(word)).min();
    for (at, _) in lower.match_indices(['=', ':']) {
        let name = name_before(&lower[..at]);
        if !name.bytes().any(|byte| byte.is_ascii_alphabetic()) {
            continue;
        }
        if name == "name" {
            found.extend(part_of_form(text, lower, at));
            continue;
        }
        let cookies = in_cookie || cookie_at.is_some_and(|cookie| cookie < at);
        let Some(promise) = promised(name, cookies) else { continue };
        let is_header = promise == Promise::Authorization;
        let Some((mut range, mut form)) = value_after(text, at, is_header) else { continue };
        let quoted_name = lower[..at].trim_end().ends_with(['"', '\'']);
        if form == Form::Bare && !quoted_name && matches!(promise, Promise::Password | Promise::Passphrase) {
            range.end += more_of_parameter(&text[range.end..]);
        }
        let value = &text[range.clone()];
        // A number, or a word of JSON, is no password; a PIN is.
        if quoted_name && form != Form::Quoted {
            let number = value.bytes().all(|byte| byte.is_ascii_digit());
            if number && promise != Promise::Pin {
                continue;
            }
            form = Form::Bare;
        } else if quoted_name {
            form = of_member(promise);
        }
        if form == Form::Prose && is_title(name, promise, value) || !is_secret(promise, value, form) {
            continue;
        }
        found.push(range);
    }
}

/// How the value of a field of its own counts: where only passwords are called so, a word is one.
const fn of_member(promise: Promise) -> Form {
    match promise {
        Promise::Vague => Form::Bare,
        _ => Form::Quoted,
    }
}

/// `pin: 2026`, `secret: Q3-plan`: a title, as people write them.
fn is_title(name: &str, promise: Promise, value: &str) -> bool {
    let value = value.trim_end_matches(['.', '!', '?', ')']);
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let year = |part: &str| part.len() == 4 && digits(part) && ("1990"..="2099").contains(&part);
    if promise == Promise::Pin {
        return year(value);
    }
    // Of words, and the name of a time or a version.
    let numbered = |part: &str| {
        let rest = part.strip_prefix(|ch: char| ch.is_ascii_alphabetic());
        rest.is_some_and(|rest| matches!(rest.len(), 1 | 2) && digits(rest))
    };
    let word = |part: &str| part.len() >= 3 && part.chars().all(char::is_alphabetic);
    let mut parts = value.split(['-', '_']);
    name == "secret"
        && parts.clone().any(numbered)
        && parts.clone().any(word)
        && parts.all(|part| numbered(part) || word(part) || year(part))
}

/// How much more belongs to the value of a parameter that a blank ended: up to the next parameter, where one follows.
fn more_of_parameter(rest: &str) -> usize {
    let stops =
        |ch: char| matches!(ch, '&' | '=' | '"' | '\'' | ';' | ',' | '<' | '>' | '\n' | '\r' | '\\' | '?');
    let Some((words, next)) = rest.find(stops).map(|end| rest.split_at(end)) else { return 0 };
    let Some(next) = next.strip_prefix('&') else { return 0 };
    let in_name = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '_' | '-' | '.' | '[' | ']');
    let after = next.trim_start_matches(in_name);
    let is_parameter = after.len() < next.len() && (after.is_empty() || after.starts_with(['=', '&']));
    if words.starts_with(' ') && is_parameter { words.len() } else { 0 }
}

/// The name that ends where a value begins, without quotes.
fn name_before(head: &str) -> &str {
    let head = head.trim_end_matches([' ', '\t']).trim_end_matches(['"', '\'', '\\', '`']);
    let in_name = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '_' | '-' | '.' | '[' | ']');
    let begin = head.rfind(|ch: char| !in_name(ch)).map_or(0, |at| {
        // Behind a character that may be longer than one byte.
        at + head[at..].chars().next().map_or(0, char::len_utf8)
    });
    &head[begin..]
}

/// What a name in lower case promises: by its last part.
fn promised(name: &str, cookies: bool) -> Option<Promise> {
    let last = name.trim_end_matches([']', '=', '.']).rsplit(['.', '[', ' ']).next().unwrap_or_default();
    if last.len() < 3 && last != "pw" {
        return None;
    }
    let plain: String = last.chars().filter(|ch| !matches!(ch, '_' | '-' | ']')).collect();
    if plain.ends_with("passphrase") {
        return Some(Promise::Passphrase);
    }
    if PASSWORDS.iter().any(|end| plain.ends_with(end)) {
        return Some(Promise::Password);
    }
    if matches!(plain.as_str(), "authorization" | "proxyauthorization") {
        return Some(Promise::Authorization);
    }
    if SESSIONS.contains(&plain.as_str()) || cookies && COOKIES.iter().any(|end| plain.ends_with(end)) {
        return Some(Promise::Session);
    }
    match last.rsplit(['_', '-']).next() {
        Some("pass" | "pwd" | "pw") => Some(Promise::Vague),
        Some("pin") => Some(Promise::Pin),
        _ => None,
    }
}

/// Where the value of a name stands whose `=` or colon is at `at`. One whose quotes are never closed was cut off.
fn value_after(text: &str, at: usize, is_header: bool) -> Option<(Range<usize>, Form)> {
    let behind = at + 1;
    let skipped = text[behind..].find(|ch: char| !matches!(ch, ' ' | '\t' | '=' | '>'))?;
    let mut start = behind + skipped;
    let rest = &text[start..];
    let quote = ["\\\"", "\"", "'", "`"].into_iter().find(|quote| rest.starts_with(*quote));
    if let Some(quote) = quote {
        start += quote.len();
        return Some((start..start + closed(&text[start..], quote), Form::Quoted));
    }
    let form = if text.as_bytes().get(at) == Some(&b'=') { Form::Bare } else { Form::Prose };
    if let Some(length) = in_angles(rest) {
        return Some((start + 1..start + 1 + length, form));
    }
    if is_header && rest.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("digest ")) {
        return Some((start..start + digest(rest), form));
    }
    let stops = |ch: char| match ch {
        '\n' | '\r' | '"' | '\'' | ';' => true,
        ' ' | '\t' | '&' | ',' | '<' | '}' | '\\' => !is_header,
        _ => false,
    };
    let end = rest.find(stops).map_or(text.len(), |end| start + end);
    Some((start..end, form))
}

/// How long what is in quotes is; to the end if they are not closed. A quote with more before it than its own belongs to it.
fn closed(text: &str, quote: &str) -> usize {
    let closes = |at: usize| {
        let before = text[..at].bytes().rev().take_while(|byte| *byte == b'\\').count();
        before % (2 * quote.len()) < quote.len()
    };
    let mut ends = text.match_indices(quote).map(|(at, _)| at);
    ends.find(|at| closes(*at)).unwrap_or(text.len())
}

/// How long the credentials of a header are whose parts are in quotes: to the end of the line, or of the text of JSON that
/// they stand in.
fn digest(text: &str) -> usize {
    let lines = ["\r", "\n", "\\r", "\\n"].into_iter().filter_map(|end| text.find(end));
    let first = text.find('"').unwrap_or_default();
    let outer = text[..first].ends_with('\\').then(|| closed(text, "\""));
    lines.chain(outer).min().unwrap_or(text.len())
}

/// The value of a part of a form (`multipart/form-data`) whose name promises a secret: it stands behind an empty line.
fn part_of_form(text: &str, lower: &str, at: usize) -> Option<Range<usize>> {
    let (name, _) = value_after(text, at, false)?;
    let promise = promised(&lower[name.clone()], false)?;
    let rest = &text[name.end..];
    let line = ["\r\n\r\n", "\n\n", "\\r\\n\\r\\n"]
        .into_iter()
        .filter_map(|line| rest.find(line).map(|at| (at, line.len())))
        .min()?;
    let start = name.end + line.0 + line.1;
    if rest[..line.0].contains("name=") || rest[..line.0].contains("--") {
        return None;
    }
    let end = text[start..].find(['\r', '\n', '\\']).map_or(text.len(), |end| start + end);
    is_secret(promise, text[start..end].trim(), Form::Quoted).then_some(start..end)
}

fn is_secret(promise: Promise, value: &str, form: Form) -> bool {
    let value = value.trim();
    let n = value.chars().count();
    let word = value.trim_matches(|ch: char| !ch.is_alphanumeric()).to_ascii_lowercase();
    if word.is_empty() || STATES.contains(&word.as_str()) || is_blacked(value) {
        return false;
    }
    let one_word = !value.contains(char::is_whitespace);
    match promise {
        Promise::Password | Promise::Passphrase => {
            n >= 4
                && match form {
                    // A sentence about a password is none.
                    Form::Quoted => promise == Promise::Passphrase || value.split_whitespace().count() <= 2,
                    Form::Bare => true,
                    Form::Prose => is_made_up(value) && !value.contains("://"),
                }
        }
        Promise::Vague => {
            let like_one = match form {
                Form::Bare => n >= 6 || is_made_up(value),
                Form::Quoted => is_made_up(value),
                Form::Prose => is_made_up(value) && value.chars().any(char::is_alphabetic),
            };
            // `pass=100%`, `pass=12/14`: how many did.
            let is_pin = n >= 6 && value.bytes().all(|byte| byte.is_ascii_digit());
            let counts = !(is_pin || value.chars().any(char::is_alphabetic));
            n >= 4 && one_word && !counts && !value.starts_with('/') && !value.contains("://") && like_one
        }
        Promise::Pin => {
            let digits = value.trim_end_matches(['.', '!', '?', ')']);
            (4..=12).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
        }
        Promise::Authorization => are_credentials(value),
        Promise::Session => n >= 8 && one_word && is_made_up(value),
    }
}

/// Somebody took it out, or it says where it belongs: `****`, `[redacted]`, `${PASSWORD}`.
fn is_blacked(value: &str) -> bool {
    let stars = value.matches('*').count();
    // `:password` of a statement, `projects/x/secrets/y` of a vault.
    let named = value.strip_prefix(':').is_some_and(|name| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    });
    let kept_elsewhere = value.starts_with("projects/") && value.contains("/secrets/");
    // A place for a value is called by a word; a password may begin like one.
    let braced = value.strip_prefix('{').is_some_and(|rest| {
        rest.len() < 8
            || !rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
            || !rest.bytes().any(|byte| byte.is_ascii_digit())
    });
    value.contains("**") && stars * 4 >= value.chars().count()
        || value.contains("••")
        || value.starts_with('[')
        || value.starts_with('<') && in_angles(value).is_none()
        || braced
        || named
        || kept_elsewhere
        || value.starts_with("${")
        || value.starts_with("%(")
        || value.chars().all(|ch| matches!(ch, '*' | 'x' | 'X' | '•' | '.' | '-' | '_' | '#' | '?'))
}

/// No word of a language: it has a digit, a sign that words do not have, or capitals within.
fn is_made_up(value: &str) -> bool {
    let value = value.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '=']);
    let sign = |ch: char| {
        !ch.is_alphanumeric() && !matches!(ch, '-' | '\'' | '.' | '_' | '/' | '=' | '(' | ',' | ' ')
    };
    let mixed = value.chars().skip(1).any(char::is_uppercase) && value.chars().any(char::is_lowercase);
    value.chars().any(|ch| ch.is_numeric() || sign(ch)) || mixed
}

/// `Basic dXNlcjpwYXNzd29yZA==`, `Bearer ...`, or a long token alone.
fn are_credentials(value: &str) -> bool {
    let (scheme, rest) = value.split_once(' ').unwrap_or(("", value));
    let token = rest.split_whitespace().next().unwrap_or_default();
    let scheme = scheme.to_ascii_lowercase();
    if scheme == "digest" {
        let rest = rest.to_ascii_lowercase();
        let answer = rest.split_once("response=").map_or("", |(_, answer)| answer);
        return answer.trim_start_matches(['\\', '"']).starts_with(|ch: char| ch.is_ascii_alphanumeric());
    }
    let known = ["basic", "bearer", "token", "apikey", "negotiate", "ntlm"].contains(&scheme.as_str());
    let plain = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'.' | b'_' | b'~' | b'-')
    };
    (known && token.len() >= 6 || scheme.is_empty() && token.len() >= 16)
        && token.bytes().all(plain)
        && is_made_up(token)
}

#[cfg(test)]
mod tests {
    use super::secrets;

    #[test]
    fn secrets_are_found_by_name_and_form_and_words_about_them_are_not() {
        for (name, text) in [
            ("", r#"{"user":"kim","password":"Winter2026"#),
            ("", r#"{"data":"{\"password\":\"Winter2026"#),
            ("", r#"{"password":"hunter","x":1}"#),
            ("", "authorization: Basic dXNlcjpwYXNzd29yZA=="),
            ("", "Authorization: Bearer 0f3a9c77b1\r\nHost: a"),
            ("http.headers.authorization", "Basic a2ltOldpbnRlcg=="),
            ("http.headers.authorization", "Bearer 9a8b7c6d"),
            ("http.headers.cookie", "theme=dark; session=8f14e45fceea167a"),
            ("http.headers.set-cookie", "connect.sid=s%3A8f14e45fce; Path=/"),
            ("", "Cookie: auth=8f14e45fceea167a"),
            ("http.query", "PHPSESSID=8f14e45fceea167a"),
            ("", "--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nWinter2026!\r\n--b--"),
            ("", "the password: Winter2026!"),
            ("", "his password is old, new password: hunter2."),
            ("", "pass=hunter2"),
            ("", "kennwort=Lenz2029"),
            ("", "aws_secret_access_key = wJalrXUtnFEMIK7MDENGbPxRfiCY"),
            ("", "password={Winter2026"),
            ("", "password=Win**ter2026"),
            ("", "db_pass=Winter2026"),
            ("", "passphrase=horse-battery"),
            ("http.query", "pin=4711"),
            ("", "login[password]=Winter2026"),
            ("", "see https://kim:pw@intra.shop.example/x"),
            ("", "redis://:Winter2026@db"),
            ("details.login.password", "Winter2026"),
            (
                "",
                "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END OPENSSH PRIVATE KEY-----",
            ),
            ("details.pass", "letmein"),
            ("http.headers.authorization", r#"Digest username="kim", nonce="7ypf", response="6629fae4""#),
        ] {
            assert!(!secrets(name, text).is_empty(), "{name}: {text}");
        }
        for (name, text) in [
            ("", "password: incorrect"),
            ("", "Password reset asked for at 10:15"),
            ("", "password: wrong, token: expired"),
            ("", "password: ********"),
            ("", "password=[redacted]&x=1"),
            ("", "password=<hidden>, secret=${SECRET}"),
            ("", "password="),
            ("", "password={password}, secret={{ vault.secret1 }}"),
            ("", "password=453957******1486"),
            ("", "UPDATE account SET password=:password"),
            ("", "secret=projects/x/secrets/db"),
            ("", "pass=100%"),
            ("", "pass=12/14 fail=2"),
            ("", r#"{"password":"","token":null,"secret":"***"}"#),
            ("", r#"{"password":"must be at least 8 characters"}"#),
            ("", r#"{"token":123456}"#),
            ("", "password: see the vault"),
            ("", "reset password: https://shop.example/reset?id=17"),
            ("", "Authorization: required"),
            ("", "authorization: Bearer [redacted]"),
            ("", "authorization: Basic authentication failed"),
            ("http.headers.authorization", "Bearer ****"),
            ("http.headers.cookie", "theme=dark; lang=de"),
            ("http.headers.cookie", "session=deleted"),
            ("", "name=\"password\" was empty"),
            ("", "--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n****\r\n--b--"),
            ("", "pass: 12 of 2026, fail: 3"),
            ("", "pass=yes&compass=north&pin=map"),
            ("", "PWD=/home/kim"),
            ("", "https://shop.example:8443/@kim"),
            ("", "https://kim@shop.example, https://kim:****@shop.example"),
            ("http.query", "session=8f14e45fceea167a"),
            ("details.password", "expired"),
            ("details.auth.method", "password"),
            ("", "max_tokens=4096"),
            ("", "10:15:22 ünïcode=é"),
            ("", "secret: Q3-plan, secret: roadmap-H1-2027"),
            ("", "pin: 2026"),
            ("", "pass the test, pass: 12 of 14"),
            ("", r#"{"pass":"passed","pass":12345678}"#),
            ("details.pass", "pending"),
            ("", "password=<sha256>, password=<hidden>, password=<your-password-12>"),
            ("http.headers.authorization", r#"Digest username="kim", response="****""#),
        ] {
            assert!(secrets(name, text).is_empty(), "{name}: {text}");
        }
    }
}
