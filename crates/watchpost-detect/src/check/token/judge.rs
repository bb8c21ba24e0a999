//! What is wrong with a token.

use serde_json::Value;
use watchpost_model::event::Outcome;

use super::Problem;
use super::read::{Token, decode};
use crate::check::Context;
use crate::check::address::read_host;
use crate::check::web::{host_of_url, is_other_site};

/// Clocks differ by this much without anybody's fault, in seconds.
const LEEWAY_S: i64 = 120;

/// Signature algorithms with the length of the signature in base64 characters; 0 where the key decides.
const SIGNATURES: &[(&str, usize)] = &[
    ("HS256", 43),
    ("HS384", 64),
    ("HS512", 86),
    ("ES256", 86),
    ("ES256K", 86),
    ("ES384", 128),
    ("ES512", 176),
    ("EdDSA", 0),
    ("Ed25519", 86),
    ("Ed448", 0),
    ("RS256", 0),
    ("RS384", 0),
    ("RS512", 0),
    ("PS256", 0),
    ("PS384", 0),
    ("PS512", 0),
];

/// Key management of encrypted tokens.
const ENCRYPTIONS: &[&str] =
    &["RSA", "A128", "A192", "A256", "dir", "ECDH", "PBES2", "HPKE", "ML-DSA", "SLH-DSA"];

const REGISTERED: &[&str] =
    &["alg", "jku", "jwk", "kid", "x5u", "x5c", "x5t", "x5t#S256", "typ", "cty", "crit", "enc", "zip"];

pub(super) fn judge(token: &Token<'_>, context: &Context<'_>) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut add = |is: bool, problem: Problem| {
        if is {
            found.push(problem);
        }
    };
    let is_encrypted = token.header("enc").is_some() || token.parts.len() == 5;
    let alg = token.header("alg");
    let name = alg.and_then(Value::as_str).unwrap_or("");
    let none = is_none(alg);
    add(none, Problem::NoAlgorithm);
    add(!none && !is_encrypted && !token.is_cut && is_unsigned(token, name), Problem::NoSignature);
    let is_mixed_up = !token.is_cut && context.keys.is_confused(token, name);
    add(is_mixed_up || is_confused(token, name), Problem::Confusion);
    add(token.header("kid").is_some_and(|kid| is_odd_key_name(token, kid, context)), Problem::KeyName);
    add(has_foreign_key(token, name, context), Problem::ForeignKey);
    add(token.header("crit").is_some_and(|crit| is_bad_crit(token, crit)), Problem::Critical);
    add(is_ambiguous(token) || (!none && is_malformed(token, name, is_encrypted)), Problem::Malformed);
    add(is_out_of_time(token, context), Problem::OutOfTime);
    add(
        !none && !is_encrypted && !token.is_cut && !is_mixed_up && context.keys.is_forged(token, name),
        Problem::Forged,
    );
    found
}

fn is_none(alg: Option<&Value>) -> bool {
    match alg {
        None | Some(Value::Null | Value::Bool(_)) => true,
        Some(Value::String(name)) => {
            let plain: String = name
                .chars()
                .filter(|ch| ch.is_ascii_alphanumeric())
                .collect::<String>()
                .to_ascii_lowercase()
                .replace('0', "o");
            matches!(plain.as_str(), "none" | "" | "null" | "nil" | "undefined" | "nonee" | "noone")
        }
        Some(_) => false,
    }
}

fn is_unsigned(token: &Token<'_>, name: &str) -> bool {
    let signature = token.signature().trim_end_matches('=');
    if signature.is_empty() {
        // Two parts alone are a token only where both are what a token has.
        return token.claims.is_some();
    }
    if token.parts.len() != 3 {
        return false;
    }
    let bytes = decode(signature).unwrap_or_default();
    let is_blank =
        bytes.iter().all(|byte| *byte == bytes[0]) || bytes.starts_with(&[0x30, 6, 2, 1, 0, 2, 1, 0]);
    let fits = match SIGNATURES.iter().find(|(known, _)| *known == name) {
        Some((_, 0)) => signature.len() >= 64,
        // Some libraries write elliptic signatures as DER, which is a little longer.
        Some((known, length)) => {
            signature.len() == *length
                || (known.starts_with("ES") && (*length..length + 14).contains(&signature.len()))
        }
        None => true,
    };
    is_blank || !fits
}

fn is_confused(token: &Token<'_>, name: &str) -> bool {
    let is_shared = name.to_ascii_uppercase().starts_with("HS");
    let names_public_key = token.header("kid").and_then(Value::as_str).is_some_and(|kid| {
        let kid = kid.to_ascii_lowercase();
        ["-----begin", ".pem", ".pub", ".crt", ".cer", "public", "ssh-rsa", "miib", "jwks"]
            .iter()
            .any(|mark| kid.contains(mark))
    });
    is_shared
        && (names_public_key
            || ["jku", "x5u", "jwk", "x5c"].iter().any(|member| token.header(member).is_some()))
}

fn is_odd_key_name(token: &Token<'_>, kid: &Value, context: &Context<'_>) -> bool {
    let Some(kid) = kid.as_str() else { return kid.is_object() || kid.is_array() || kid.is_boolean() };
    let lower = kid.to_ascii_lowercase();
    let is_path = lower.contains("../")
        || lower.contains("..\\")
        || lower.contains("%2e")
        || lower.contains("..%")
        || lower.get(1..3) == Some(":\\")
        || lower.starts_with("./")
        || lower.starts_with("\\\\")
        || lower.starts_with('~')
        || [
            "/dev/", "/etc/", "/proc/", "/var/", "/tmp/", "/root/", "/home/", "/usr/", "/opt/", "/sys/",
            "/app/", "/srv/", "/public", "/static", "/assets", "/css", "/js/",
        ]
        .iter()
        .any(|start| lower.starts_with(start))
        // `/keys/1` is a name that issuers use, `/key.pem` a file.
        || lower.starts_with("/key") && lower.contains('.');
    // `O'Reilly-key` is a name as well.
    let is_possessive = |(at, _): (usize, &str)| {
        let letter = |ch: Option<char>| ch.is_some_and(char::is_alphabetic);
        letter(lower[..at].chars().next_back()) && letter(lower[at + 1..].chars().next())
    };
    let is_quoted = match lower.matches('\'').count() {
        0 => false,
        1 => lower.contains([' ', '=', '#', '+', '%']) || !lower.match_indices('\'').all(is_possessive),
        _ => true,
    };
    let is_code = is_quoted
        || lower.contains(['"', ';', '|', '`', '<', '>', '\0', '\n', '\r', '*', '\\', '{', '(', ')'])
        || lower.contains("$(")
        || lower.contains("&&")
        || lower.contains("--") && lower.contains(' ')
        || lower.contains(" or ")
        || lower.contains(" union ")
        || lower.contains("union select")
        || lower.contains("/*")
        || lower.contains("-----begin");
    let is_url = lower.contains("://") && !lower.starts_with("did:") && !lower.starts_with("urn:")
        || lower.starts_with("//")
        || lower.starts_with("file:");
    // Issuers name their keys by addresses of their own or of a vault: names, nothing that is fetched.
    let is_own_name = is_url && lower.starts_with("https://") && {
        let last = lower.rsplit('/').next().unwrap_or("");
        let is_deep = lower[8..].matches('/').count() > 1;
        !last.contains('.')
            && lower[8..].contains('/')
            && (is_deep || !is_foreign_url(token, &Value::from(kid), context))
    };
    let is_url = is_url && !is_own_name;
    is_path || is_code || is_url || kid.len() > 1_024
}

fn has_foreign_key(token: &Token<'_>, name: &str, context: &Context<'_>) -> bool {
    let typ = token.header("typ").and_then(Value::as_str).unwrap_or("").to_ascii_lowercase();
    // Proofs of possession carry the key that they prove.
    let is_proof = typ.contains("dpop") || typ.contains("proof+jwt") || typ.contains("kb+jwt");
    let brings_key = token.header("jwk").is_some() && !is_proof;
    let bad_chain = token.header("x5c").is_some_and(|chain| {
        let is_certificate =
            |one: &Value| one.as_str().is_some_and(|text| text.starts_with("MI") && decode(text).is_some());
        !chain.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(is_certificate))
            || name.starts_with("HS")
    });
    let foreign = ["jku", "x5u"]
        .iter()
        .filter_map(|member| token.header(member))
        .any(|url| is_foreign_url(token, url, context));
    brings_key || bad_chain || foreign
}

fn is_foreign_url(token: &Token<'_>, url: &Value, context: &Context<'_>) -> bool {
    let Some(url) = url.as_str() else { return true };
    let Some(host) =
        url.to_ascii_lowercase().strip_prefix("https://").and_then(|_| host_of_url(url)).map(str::to_owned)
    else {
        return true;
    };
    let is_trick = url.contains(['@', '#', '\\', ' '])
        || url.contains("..")
        || url[8..].contains("//")
        || url.contains("%2f")
        || url.contains("http://")
        || url[8..].contains("https:");
    let issuer = token.claim("iss").and_then(Value::as_str);
    let is_own = context.header("host").is_some_and(|own| !is_other_site(&host, own))
        || issuer.is_some_and(|issuer| !is_other_site(&host, host_of_url(issuer).unwrap_or(issuer)));
    is_trick || !is_own || read_host(&host).is_some()
}

fn is_bad_crit(token: &Token<'_>, crit: &Value) -> bool {
    const KNOWN: &[&str] = &["b64", "exp", "iat", "nonce", "sigD", "sigT", "ppt", "svt", "jti"];
    let Some(names) = crit.as_array().filter(|names| !names.is_empty()) else { return true };
    names.iter().any(|name| {
        name.as_str().is_none_or(|name| {
            REGISTERED.contains(&name)
                || token.header(name).is_none()
                || !(KNOWN.contains(&name) || name.contains("://") || name.contains("urn:"))
        })
    })
}

/// Two members of one name: readers disagree on which one counts.
fn is_ambiguous(token: &Token<'_>) -> bool {
    let is_doubled = |members: &[(String, Value)]| {
        members
            .iter()
            .enumerate()
            .any(|(nth, (name, _))| members[..nth].iter().any(|(other, _)| other == name))
    };
    // The same name in another case is another name to the letter and the same to a careless reader.
    let is_shadowed = token.header.iter().any(|(member, _)| {
        REGISTERED
            .iter()
            .any(|known| member != known && member.trim_matches(['\0', ' ']).eq_ignore_ascii_case(known))
    });
    is_shadowed || is_doubled(&token.header) || token.claims.as_ref().is_some_and(|claims| is_doubled(claims))
}

fn is_malformed(token: &Token<'_>, name: &str, is_encrypted: bool) -> bool {
    let is_known = SIGNATURES.iter().any(|(known, _)| *known == name)
        || ENCRYPTIONS.iter().any(|start| name.starts_with(start));
    let is_odd_base64 =
        token.parts.iter().take(2).any(|part| part.contains(['=', '+', '/'])) && token.parts.len() >= 2;
    let n_parts = token.parts.len();
    let is_signed = !is_encrypted && !token.is_cut && n_parts == 3 && !token.parts[1].is_empty();
    !token.is_header_valid
        || !is_known
        || (is_signed && !token.is_payload_valid)
        || (n_parts >= 3 && is_odd_base64)
        || n_parts == 4
        || n_parts > 5
}

/// Does the event say that the application took the token?
fn is_accepted(context: &Context<'_>) -> bool {
    let status = context.event.http.as_ref().and_then(|http| http.status);
    match status {
        Some(status) => (200..400).contains(&status) && context.event.outcome != Outcome::Failure,
        None => context.event.outcome == Outcome::Success,
    }
}

fn is_out_of_time(token: &Token<'_>, context: &Context<'_>) -> bool {
    let now = context.event.at.timestamp();
    let time = |claim: &str| {
        token.claim(claim).and_then(Value::as_f64).filter(|at| at.is_finite() && at.abs() < 1e11)
    };
    #[expect(
        clippy::cast_precision_loss,
        reason = "seconds since 1970 are exact far beyond any year that matters"
    )]
    let (early, late) = ((now - LEEWAY_S) as f64, (now + LEEWAY_S) as f64);
    is_accepted(context)
        && (time("exp").is_some_and(|exp| exp < early) || time("nbf").is_some_and(|nbf| nbf > late))
}
