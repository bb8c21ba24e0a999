//! Whom a finding lets restrict, and why nobody: what an event says of its user is a claim until a session proves it.

use crate::contain::{ContainKind, canonical_target};
use crate::event::{Category, EntityKind, Event, Outcome};
use crate::finding::{AttackFamily, Finding};

const NO_USER: &str =
    "nothing to act on: neither the finding nor its event names a user that can be restricted";
const SEVERAL: &str = "nothing to act on: the finding is not about a user and counts several events";
const NO_TARGET: &str = "nothing to act on: the name of the user is no target: it is blank, longer than 512 characters, \
                         or holds a control character";
const NOBODY: &str = "nothing to act on: the name of the user stands for nobody";
const ENTRANCE: &str = "nothing to act on: who logs in, registers or asks for a password only says to be the user whom \
                        the event names";
const UNPROVEN: &str = "nothing to act on: nothing says that the user whom the event names was logged in: it carries no \
                        session, or was answered 401";

/// What applications write where there is no user or no session, without the punctuation around it.
const NAMES_OF_NOBODY: &[&str] = &[
    "",
    "0",
    "anon",
    "anonymous",
    "anonymoususer",
    "anonymous user",
    "empty",
    "false",
    "gast",
    "guest",
    "n/a",
    "nil",
    "nobody",
    "none",
    "null",
    "public",
    "unauthenticated",
    "undefined",
    "unknown",
    "unknown user",
    "visitor",
];
/// Within a word of a type, an action, a resource or a path: somebody is on the way in.
const ENTRANCE_PARTS: &[&str] = &[
    "anmeld",
    "authenticat",
    "connexion",
    "credential",
    "forgot",
    "lockout",
    "login",
    "logon",
    "passcode",
    "passwd",
    "passwor",
    "regist",
    "signin",
    "signon",
    "signup",
    "unlock",
];
/// The same, as whole words.
const ENTRANCE_WORDS: &[&str] = &[
    "2fa",
    "activate",
    "activation",
    "auth",
    "locked",
    "mfa",
    "oauth",
    "oauth2",
    "oidc",
    "otp",
    "pwd",
    "recover",
    "recovery",
    "reset",
    "saml",
    "session",
    "sessions",
    "sso",
    "token",
    "totp",
    "verification",
    "verify",
];
/// Within the type of an event: no login worked, whatever its outcome says.
const NO_LOGIN: &[&str] = &[
    "challenge",
    "denied",
    "fail",
    "forgot",
    "invalid",
    "lock",
    "logout",
    "refuse",
    "regist",
    "reject",
    "requested",
    "reset",
    "sent",
    "unauth",
];

/// The user whom a finding lets restrict, in canonical form.
///
/// # Errors
/// Why there is none.
pub(super) fn user_of(finding: &Finding, event: Option<&Event>) -> Result<String, &'static str> {
    // What was found in a value of one event is about a user only because the event names one.
    if finding.entity.kind == EntityKind::User && finding.matched.is_none() {
        return named(&finding.entity.value);
    }
    let got_in = event.is_some_and(|event| got_in_after_failures(finding, event));
    if !got_in && !is_of_one_event(finding) {
        return Err(SEVERAL);
    }
    let Some(event) = event else { return Err(NO_USER) };
    let user = match event.actor.as_deref() {
        Some(actor) if !actor.is_empty() => named(actor)?,
        _ => return Err(NO_USER),
    };
    if got_in {
        return Ok(user);
    }
    if finding.family == AttackFamily::BruteForce || is_at_the_entrance(event) {
        return Err(ENTRANCE);
    }
    let is_refused = event.http.as_ref().is_some_and(|http| http.status == Some(401));
    let has_session = event.session.as_deref().is_some_and(|session| !is_nobody(session));
    if has_session && !is_refused { Ok(user) } else { Err(UNPROVEN) }
}

/// Does it count failed logins?
pub(super) fn counts_failed_logins(finding: &Finding) -> bool {
    finding.counted.as_ref().is_some_and(|counted| {
        counted.category == Some(Category::Authentication) && counted.outcome == Some(Outcome::Failure)
    })
}

/// Is it something that worked, by all that it says?
pub(super) fn worked(event: &Event) -> bool {
    let kind = event.kind.to_lowercase();
    event.outcome == Outcome::Success
        && !NO_LOGIN.iter().any(|word| kind.contains(word))
        && event.http.as_ref().and_then(|http| http.status).is_none_or(|status| status < 400)
}

/// Is the event the login that worked after the failures of its address? Its user is the one who was taken over.
fn got_in_after_failures(finding: &Finding, event: &Event) -> bool {
    finding.entity.kind == EntityKind::Ip
        && counts_failed_logins(finding)
        && event.category == Category::Authentication
        && worked(event)
}

/// Is the finding about what one event says by itself?
fn is_of_one_event(finding: &Finding) -> bool {
    finding.counter.is_none() && finding.counted.is_none() && finding.linked.is_empty()
}

fn named(text: &str) -> Result<String, &'static str> {
    let user = canonical_target(ContainKind::User, text).map_err(|_| NO_TARGET)?;
    if is_nobody(&user) { Err(NOBODY) } else { Ok(user) }
}

fn is_nobody(text: &str) -> bool {
    let bare = text.trim_matches(|ch: char| ch.is_ascii_punctuation() || ch.is_whitespace()).to_lowercase();
    NAMES_OF_NOBODY.contains(&bare.as_str())
}

/// Is it about getting in: a login, a registration, a new password? Whoever sends that writes the name as they like.
fn is_at_the_entrance(event: &Event) -> bool {
    let path = event.http.as_ref().map(|http| http.path.as_str());
    let texts = [Some(event.kind.as_str()), event.action.as_deref(), event.resource.as_deref(), path];
    event.category == Category::Authentication || texts.into_iter().flatten().any(leads_in)
}

fn leads_in(text: &str) -> bool {
    let plain = unescaped(&unescaped(text)).to_lowercase();
    let words: Vec<&str> =
        plain.split(|ch: char| !ch.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let is_one =
        |word: &&str| ENTRANCE_WORDS.contains(word) || ENTRANCE_PARTS.iter().any(|part| word.contains(part));
    words.iter().any(is_one)
        || words.windows(2).any(|pair| matches!(pair, ["log" | "sign", "in" | "on" | "up"]))
}

/// Without percent escapes: `/log%69n` is answered as `/login`.
fn unescaped(text: &str) -> String {
    let mut parts = text.split('%');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let (Some(code), Some(rest)) = (code, part.get(2..)) {
            plain.push(char::from(code));
            plain.push_str(rest);
        } else {
            plain.push('%');
            plain.push_str(part);
        }
    }
    plain
}
