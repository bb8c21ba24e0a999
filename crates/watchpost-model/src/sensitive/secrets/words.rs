//! The words that secrets are called by, and those that are said of them.

use super::Promise;

/// How names end whose value is a secret, without `_` and `-`.
pub(super) const PASSWORDS: [&str; 12] = [
    "password",
    "passwd",
    "passwort",
    "passcode",
    "kennwort",
    "userpwd",
    "contrasena",
    "motdepasse",
    "senha",
    "wachtwoord",
    "salasana",
    "adgangskode",
];
/// The same of what has no blanks.
pub(super) const KEYS: [&str; 5] = ["secret", "secretaccesskey", "apikey", "token", "privatekey"];
/// Codes of cards.
pub(super) const CODES: [&str; 4] = ["cvv", "cvv2", "cvc", "cvc2"];
/// Names of several words, or of other letters than those of ASCII.
pub(super) const WORDED: [(&str, Promise); 11] = [
    ("contraseña", Promise::Password),
    ("mot de passe", Promise::Password),
    ("lösenord", Promise::Password),
    ("hasło", Promise::Password),
    ("jelszó", Promise::Password),
    ("şifre", Promise::Password),
    ("пароль", Promise::Password),
    ("Пароль", Promise::Password),
    ("パスワード", Promise::Password),
    ("密码", Promise::Password),
    ("api key", Promise::Key),
];
/// Names of sessions; in a cookie one that ends so is enough.
pub(super) const SESSIONS: [&str; 3] = ["phpsessid", "jsessionid", "aspnetsessionid"];
pub(super) const COOKIES: [&str; 9] =
    ["session", "sessionid", "sessid", "sid", "sess", "auth", "jwt", "remember", "ticket"];
/// What is said of a password, and is none.
pub(super) const STATES: [&str; 59] = [
    "absent",
    "accepted",
    "blank",
    "changed",
    "compromised",
    "correct",
    "denied",
    "disabled",
    "empty",
    "enabled",
    "error",
    "expired",
    "exposed",
    "failed",
    "failing",
    "failure",
    "false",
    "filtered",
    "forgotten",
    "hidden",
    "incorrect",
    "invalid",
    "leaked",
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
    "stolen",
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

/// Words of sentences about passwords, as checks of forms say them.
pub(super) const ABOUT: [&str; 26] = [
    "allowed",
    "cannot",
    "character",
    "characters",
    "contain",
    "contains",
    "does",
    "expired",
    "incorrect",
    "invalid",
    "least",
    "match",
    "matches",
    "mindestens",
    "muss",
    "must",
    "password",
    "passwords",
    "passwort",
    "required",
    "requires",
    "shall",
    "should",
    "ungültig",
    "vault",
    "zeichen",
];
/// Those of them that say how long passwords are or what is in them; a number may end such a sentence.
pub(super) const MEASURING: [&str; 11] = [
    "character",
    "characters",
    "contain",
    "contains",
    "least",
    "mindestens",
    "muss",
    "must",
    "shall",
    "should",
    "zeichen",
];
/// What a sentence goes on with behind a password, or behind what is said of one.
pub(super) const GOING_ON: [&str; 14] =
    ["and", "as", "at", "by", "for", "from", "in", "is", "of", "on", "since", "to", "via", "was"];
/// Passwords without a digit that everybody uses.
pub(super) const COMMON: [&str; 6] = ["changeme", "iloveyou", "letmein", "opensesame", "qwerty", "qwertz"];
/// A password of several words has no more.
pub(super) const WORDS_MAX: usize = 12;
