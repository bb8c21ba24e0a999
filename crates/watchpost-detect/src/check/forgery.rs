//! Requests that somebody else's page makes a browser send.

use std::ops::Range;

use watchpost_model::event::Outcome;

use super::Context;
use super::web::{host_of_url, is_in, is_other_site, is_parameter};

const SESSION_NAMES: &[&str] = &[
    "jsessionid",
    "phpsessid",
    "phpsession",
    "phpsessionid",
    "asp.net_sessionid",
    "aspsession",
    "aspsessionid",
    "jwsession",
    "jservsession",
    "jsession",
    "sessionid",
    "session_id",
    "session-id",
    "sessid",
    "cfid",
    "cftoken",
    "cfsid",
    "jservsessionid",
    "jwsessionid",
    "zend_session_id",
    "laravel_session",
    "next-auth.session-token",
    "__secure-next-auth.session-token",
    "cakephp",
    "ci_session",
    "koa.sess",
    "koa:sess",
    "koa.sess.sig",
    "_rails_session",
    "_session_id",
    "weblogicsession",
    "rack.session",
    "sails.sid",
    "connect.sid",
    "express.sid",
    "meteor_login_token",
    "shiny-token",
    "symfony",
    "sf_redirect",
    "play_session",
    "grails_session",
    "flask_session",
    "django_session",
    "beaker.session.id",
    "viewstate_session",
    "wordpress_logged_in",
    "frontend_sid",
    "xsrf-session",
    "sid_session",
    "siteserver",
    "_flask_session",
];

/// Does the method change something?
fn changes(method: &str) -> bool {
    matches!(method, "POST" | "PUT" | "PATCH" | "DELETE")
}

/// A type that a form may send without asking first; every other one needs the application's consent.
fn is_form(context: &Context<'_>) -> bool {
    let content_type = context.header("content-type").unwrap_or("").to_ascii_lowercase();
    ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"]
        .iter()
        .any(|form| content_type.starts_with(form))
}

/// Single sign-on answers are posted by another site; that is how they work.
fn is_sign_on(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    ["saml", "sso", "oauth", "oidc", "signin-", "callback", "/acs", "wsfed", "payment", "3ds", "webhook"]
        .iter()
        .any(|word| path.contains(word))
}

/// Also with the prefixes that bind a cookie to its host.
fn is_session_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let bare = lower.strip_prefix("__host-").or_else(|| lower.strip_prefix("__secure-")).unwrap_or(&lower);
    is_in(SESSION_NAMES, bare) || is_in(SESSION_NAMES, &lower)
}

/// Does the request carry a cookie that logs somebody in?
fn has_session(context: &Context<'_>) -> bool {
    let Some(cookies) = context.header("cookie") else { return false };
    cookies.split(';').filter_map(|pair| pair.split_once('=')).any(|(name, value)| {
        let name = name.trim().to_ascii_lowercase();
        let is_named = ["sess", "auth", "token", "jwt", "login", "remember", "identity"]
            .iter()
            .any(|word| name.contains(word))
            || name.ends_with("sid");
        // A token against forgery is no session.
        let is_guard = name.contains("csrf") || name.contains("xsrf");
        value.trim().len() > 1 && !is_guard && (is_named || is_session_name(&name))
    })
}

/// The browser says that another site, or one without a name, sent a request that changes something with the user's
/// session. The header that says where from is believed before the origin, which browsers also hide from referrer
/// policies.
pub(super) fn cross_site(text: &str, context: &Context<'_>) -> Option<Range<usize>> {
    if context.field.base != "http.headers" {
        return None;
    }
    let http = context.event.http.as_ref()?;
    let said = context.header("sec-fetch-site");
    let is_shown = match context.key() {
        "sec-fetch-site" => text == "cross-site",
        "origin" => text == "null" && said.is_none(),
        _ => false,
    };
    // Without a body there may be no type; a page cannot send PUT and its like without consent.
    let is_plain = http.method == "POST" && (is_form(context) || context.header("content-type").is_none());
    (is_shown && is_plain && has_session(context) && !is_sign_on(&http.path)).then_some(0..text.len())
}

pub(super) fn csrf_report(text: &str, context: &Context<'_>) -> Option<Range<usize>> {
    let lower = text.to_ascii_lowercase();
    let at = ["csrf", "xsrf", "forgery"].iter().find_map(|word| lower.find(word))?;
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let is_word = |word: &str| lower.split(|ch: char| !ch.is_ascii_alphanumeric()).any(|part| part == word);
    let bad = says(&[
        "fail",
        "invalid",
        "missing",
        "mismatch",
        "violat",
        "reject",
        "denied",
        "expired",
        "detect",
        "error",
        "attempt",
        "attack",
        "block",
        "absent",
        "bad",
        "wrong",
        "not_valid",
        "not valid",
    ]);
    // `token_valid` is good; `validation_failed`, `not_valid` and `invalid` are not.
    let good = (says(&["issued", "passed", "success", "rotated", "created", "refreshed"])
        || ["ok", "valid", "validated", "verified"].into_iter().any(is_word))
        && !says(&["fail", "not_valid", "not valid"]);
    ((bad || context.event.outcome == Outcome::Failure) && !good).then_some(at..text.len())
}

pub(super) fn foreign_form(text: &str, context: &Context<'_>) -> Option<Range<usize>> {
    let field = context.field;
    if field.base != "http.headers" {
        return None;
    }
    let is_source = match context.key() {
        "origin" => true,
        "referer" => context.header("origin").is_none(),
        _ => false,
    };
    let http = context.event.http.as_ref()?;
    if !is_source
        || !changes(&http.method)
        || !is_form(context)
        || http.body.as_ref().is_none_or(String::is_empty)
    {
        return None;
    }
    if is_sign_on(&http.path) {
        return None;
    }
    let own = context.header("host")?;
    let host = host_of_url(text)?;
    (own.contains('.') && host.contains('.') && is_other_site(host, own)).then_some(0..text.len())
}

pub(super) fn session_fixation(text: &str, context: &Context<'_>) -> Option<Range<usize>> {
    if !is_parameter(context) || text.len() < 2 || !is_session_name(context.key()) {
        return None;
    }
    let own = context.header("host").unwrap_or("");
    let foreign =
        context.header("referer").and_then(host_of_url).is_some_and(|host| is_other_site(host, own));
    foreign.then_some(0..text.len())
}
