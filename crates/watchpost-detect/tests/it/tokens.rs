//! Tokens: the ways to tamper with one, and the ways to write a good one.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use watchpost_detect::{Config, Engine, KeyError, KeyKind, RuleSet, TokenKeys, inspect_request};
use watchpost_model::event::{Event, Outcome};

use crate::support::{request, start};

const SECRET: &[u8] = b"a secret that nobody guesses";

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn sign(signed: &str, key: &[u8]) -> String {
    encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), signed.as_bytes()))
}

fn token(header: &str, payload: &str) -> String {
    let signed = format!("{}.{}", encode(header), encode(payload));
    let signature = sign(&signed, SECRET);
    format!("{signed}.{signature}")
}

/// With a signature of `n` bytes that look like one.
fn with_bytes(header: &str, payload: &str, n: usize) -> String {
    let bytes: Vec<u8> = (0..n).map(|at| u8::try_from((at * 73 + 41) % 256).expect("below 256")).collect();
    format!("{}.{}.{}", encode(header), encode(payload), encode(bytes))
}

fn is_flagged(token: &str) -> bool {
    let headers: BTreeMap<String, String> = [
        ("Authorization".to_owned(), format!("Bearer {token}")),
        ("Host".to_owned(), "api.example.org".to_owned()),
    ]
    .into();
    let verdict = inspect_request("GET", "/me", &headers, None);
    verdict.categories.iter().any(|family| family.as_str() == "jwt")
}

const CLAIMS: &str = r#"{"sub":"42","role":"user","iat":1700000000}"#;

fn attacks() -> Vec<String> {
    let headers = [
        r#"{"alg":"none","typ":"JWT"}"#,
        r#"{"alg":"None"}"#,
        r#"{"alg":"NONE"}"#,
        r#"{"alg":"nOnE","typ":"JWT"}"#,
        r#"{"alg":"","typ":"JWT"}"#,
        r#"{"alg":null,"typ":"JWT"}"#,
        r#"{"typ":"JWT"}"#,
        r#"{"alg":" none "}"#,
        r#"{"alg":"none\u0000"}"#,
        r#"{"alg":"HS256","kid":"../../../dev/null"}"#,
        r#"{"alg":"HS256","kid":"/dev/null"}"#,
        r#"{"alg":"HS256","kid":"..\\..\\windows\\win.ini"}"#,
        r#"{"alg":"HS256","kid":"%2e%2e%2fkey"}"#,
        r#"{"alg":"HS256","kid":"' OR '1'='1"}"#,
        r#"{"alg":"HS256","kid":"x' UNION SELECT 'a';-- "}"#,
        r#"{"alg":"HS256","kid":"key; cat /etc/passwd"}"#,
        r#"{"alg":"HS256","kid":"|id"}"#,
        r#"{"alg":"HS256","kid":"$(id)"}"#,
        r#"{"alg":"HS256","kid":"`id`"}"#,
        r#"{"alg":"HS256","kid":"http://x.example/key"}"#,
        r#"{"alg":"HS256","kid":"file:///etc/passwd"}"#,
        r#"{"alg":"HS256","kid":["a"]}"#,
        r#"{"alg":"HS256","jku":"https://x.test/jwks.json"}"#,
        r#"{"alg":"HS256","x5u":"https://x.test/c.pem"}"#,
        r#"{"alg":"HS256","jwk":{"kty":"oct","k":"QUFB"}}"#,
        r#"{"alg":"HS256","kid":"-----BEGIN PUBLIC KEY-----"}"#,
        r#"{"alg":"HS256","kid":"rsa_public.pem"}"#,
        r#"{"alg":"HS256","x5c":["MIIB"]}"#,
        r#"{"alg":"HS256","crit":[]}"#,
        r#"{"alg":"HS256","crit":["x"],"x":1}"#,
        r#"{"alg":"HS256","crit":"exp"}"#,
        r#"{"alg":"HS256","crit":["kid"],"kid":"1"}"#,
        r#"{"alg":"HS256","crit":["absent"]}"#,
        r#"{"alg":"HS256","alg":"none"}"#,
        r#"{"alg":"HS256","ALG":"none"}"#,
        r#"{"alg":"hs256"}"#,
        r#"{"alg":"HS999","typ":"JWT"}"#,
        r#"{"alg":"HS256",}"#,
        r#"{"alg":"HS256","typ":"JWT""#,
        r#"{'alg':'HS256'}"#,
        r#"{"alg":"HS256"} x"#,
        r#"{"alg":256,"typ":"JWT"}"#,
    ];
    let rsa = [
        r#"{"alg":"RS256","jku":"https://x.test/jwks.json"}"#,
        r#"{"alg":"RS256","jku":"http://api.example.org/jwks"}"#,
        r#"{"alg":"RS256","jku":"https://api.example.org@x.test/jwks"}"#,
        r#"{"alg":"RS256","jku":"https://127.0.0.1/jwks"}"#,
        r#"{"alg":"RS256","jku":"https://api.example.org/../redirect?u=https://x.test"}"#,
        r#"{"alg":"RS256","jwk":{"kty":"RSA","n":"AQAB","e":"AQAB"}}"#,
        r#"{"alg":"RS256","x5c":"none"}"#,
        r#"{"alg":"RS256","x5u":"https://x.test/c.crt"}"#,
        r#"{"alg":"RS256","kid":"/etc/passwd"}"#,
        r#"{"alg":"RS256","jku":["https://x.test"]}"#,
    ];
    let mut all: Vec<String> = headers.iter().map(|header| token(header, CLAIMS)).collect();
    all.extend(rsa.iter().map(|header| with_bytes(header, CLAIMS, 256)));
    let plain = r#"{"alg":"HS256","typ":"JWT"}"#;
    let good = token(plain, CLAIMS);
    let (signed, signature) = good.rsplit_once('.').expect("three parts");
    all.extend([
        format!("{signed}."),
        signed.to_owned(),
        format!("{signed}.{}", &signature[..20]),
        format!("{signed}.{}", encode([0_u8; 32])),
        format!("{signed}.{signature}{signature}"),
        with_bytes(r#"{"alg":"ES256"}"#, CLAIMS, 8),
        format!("{}.{}.MAYCAQACAQA", encode(r#"{"alg":"ES256"}"#), encode(CLAIMS)),
        format!("{}.{}.{}", encode(r#"{"alg":"ES256"}"#), encode(CLAIMS), encode([0_u8; 64])),
        with_bytes(r#"{"alg":"RS256"}"#, CLAIMS, 16),
        token(plain, r#"{"sub":"1","sub":"admin"}"#),
        token(plain, r#"{"sub":"1","role":"#),
        format!("{good}.extra"),
        format!("{}==.{}.{signature}", encode(plain), encode(CLAIMS)),
        token(r#"{"alg":"none","typ":"JWT"}"#, CLAIMS)
            .rsplit_once('.')
            .map(|(signed, _)| format!("{signed}."))
            .expect("three parts"),
    ]);
    all
}

fn good() -> Vec<String> {
    let mut all: Vec<String> = [
        r#"{"alg":"HS256","typ":"JWT"}"#,
        r#"{"typ":"JWT","alg":"HS256"}"#,
        r#"{"alg":"HS256"}"#,
        r#"{ "alg": "HS256", "typ": "at+jwt" }"#,
        r#"{"alg":"HS256","kid":"1"}"#,
        r#"{"alg":"HS256","kid":"2024-01-01T00:00:00Z"}"#,
        r#"{"alg":"HS256","kid":"b6f1d8c2-0c0f-4a5e-9d5e-1f2e3d4c5b6a"}"#,
        r#"{"alg":"HS256","kid":"NjVBRjY5MDlCMUIw+/aZ="}"#,
        r#"{"alg":"HS256","kid":"did:web:example.org#key-1"}"#,
        r#"{"alg":"HS256","kid":7}"#,
        r#"{"alg":"HS256","typ":"JWT","cty":"JWT"}"#,
        r#"{"alg":"HS256","b64":false,"crit":["b64"]}"#,
    ]
    .iter()
    .map(|header| token(header, CLAIMS))
    .collect();
    all.extend([
        with_bytes(r#"{"alg":"RS256","kid":"abc","typ":"JWT"}"#, CLAIMS, 256),
        with_bytes(r#"{"alg":"RS512","kid":"abc"}"#, CLAIMS, 512),
        with_bytes(r#"{"alg":"PS256"}"#, CLAIMS, 256),
        with_bytes(r#"{"alg":"ES256","typ":"JWT"}"#, CLAIMS, 64),
        with_bytes(r#"{"alg":"ES384"}"#, CLAIMS, 96),
        with_bytes(r#"{"alg":"ES512"}"#, CLAIMS, 132),
        with_bytes(r#"{"alg":"EdDSA"}"#, CLAIMS, 64),
        with_bytes(r#"{"alg":"HS512"}"#, CLAIMS, 64),
        with_bytes(
            r#"{"alg":"ES256","typ":"dpop+jwt","jwk":{"kty":"EC","crv":"P-256","x":"a","y":"b"}}"#,
            CLAIMS,
            64,
        ),
        with_bytes(
            r#"{"alg":"RS256","jku":"https://login.example.org/keys"}"#,
            r#"{"iss":"https://login.example.org"}"#,
            256,
        ),
        with_bytes(
            r#"{"alg":"RS256","jku":"https://keys.idp.test/keys"}"#,
            r#"{"iss":"https://www.idp.test/x"}"#,
            256,
        ),
        with_bytes(r#"{"alg":"ES256","x5c":["MIIBIjANBgkq"]}"#, CLAIMS, 64),
        format!(
            "{}.{}.{}.{}.{}",
            encode(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#),
            encode([9; 256]),
            encode([7; 12]),
            encode([5; 40]),
            encode([3; 16])
        ),
        format!("{}.{}.{}", encode(r#"{"user":1}"#), "Zm9vYmFy", "c2lnbmF0dXJl"),
        format!("{}..{}", encode(r#"{"alg":"HS256","b64":false,"crit":["b64"]}"#), sign("x", SECRET)),
        format!("{}****", &token(r#"{"alg":"HS256","typ":"JWT"}"#, CLAIMS)[..70]),
    ]);
    all
}

#[test]
fn tampered_tokens_are_seen() {
    let all = attacks();
    let missed: Vec<&String> = all.iter().filter(|token| !is_flagged(token)).collect();
    assert!(all.len() >= 40, "a catalogue, not a sample");
    assert!(missed.is_empty(), "{} of {} missed:\n{}", missed.len(), all.len(), decoded(&missed));
}

#[test]
fn well_formed_tokens_are_left_alone() {
    let all = good();
    let flagged: Vec<&String> = all.iter().filter(|token| is_flagged(token)).collect();
    assert!(all.len() >= 20, "a catalogue, not a sample");
    assert!(flagged.is_empty(), "{} flagged:\n{}", flagged.len(), decoded(&flagged));
}

fn decoded(tokens: &[&String]) -> String {
    let header = |token: &String| {
        let part = token.split('.').next().unwrap_or("").trim_end_matches('=').to_owned();
        String::from_utf8_lossy(&URL_SAFE_NO_PAD.decode(part).unwrap_or_default()).into_owned()
    };
    tokens.iter().map(|token| format!("{} {token}", header(token))).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_token_is_found_wherever_it_stands() {
    let bad = token(r#"{"alg":"none"}"#, CLAIMS);
    let with = |uri: &str, name: &str, value: String, body: Option<String>| {
        let headers: BTreeMap<String, String> = [(name.to_owned(), value)].into();
        let verdict = inspect_request("POST", uri, &headers, body.as_deref());
        verdict.categories.iter().any(|family| family.as_str() == "jwt")
    };
    let none = String::new;
    assert!(with("/", "Cookie", format!("a=1; session={bad}"), None), "cookie");
    assert!(with(&format!("/?access_token={bad}"), "X-A", none(), None), "query");
    assert!(with(&format!("/reset/{bad}"), "X-A", none(), None), "path");
    assert!(with("/", "X-Access-Token", bad.clone(), None), "any header");
    assert!(
        with("/", "Content-Type", "application/json".to_owned(), Some(format!("{{\"token\":\"{bad}\"}}"))),
        "JSON"
    );
    assert!(
        with(
            "/",
            "Content-Type",
            "application/x-www-form-urlencoded".to_owned(),
            Some(format!("t={bad}&a=1"))
        ),
        "form"
    );
}

fn event(token: &str, change: impl Fn(&mut Event)) -> Event {
    let mut event = request(start(), 1, "/me", Some(&format!("token={token}")));
    change(&mut event);
    event
}

fn rules_of(engine: &mut Engine, event: &Event) -> Vec<String> {
    engine.observe(event, event.at).into_iter().map(|found| found.rule_id).collect()
}

#[test]
fn time_is_that_of_the_event_and_only_what_was_accepted_counts() {
    let mut engine = Engine::new(Config::default());
    let past = token(r#"{"alg":"HS256"}"#, r#"{"exp":1700000000}"#);
    let early = token(r#"{"alg":"HS256"}"#, r#"{"nbf":4000000000}"#);
    let expired = |rules: Vec<String>| rules.iter().any(|rule| rule == "wp.jwt.expired");
    assert!(expired(rules_of(&mut engine, &event(&past, |_| {}))), "accepted with 200");
    assert!(expired(rules_of(&mut engine, &event(&early, |_| {}))), "not yet valid");
    let refused = event(&past, |event| event.http.as_mut().expect("a request").status = Some(401));
    assert!(!expired(rules_of(&mut engine, &refused)), "refused as it should be");
    let unknown = event(&past, |event| event.http.as_mut().expect("a request").status = None);
    assert!(!expired(rules_of(&mut engine, &unknown)), "nobody says that it was accepted");
    let said = event(&past, |event| {
        event.http.as_mut().expect("a request").status = None;
        event.outcome = Outcome::Success;
    });
    assert!(expired(rules_of(&mut engine, &said)), "the outcome says so");
}

fn engine_with(keys: TokenKeys) -> Engine {
    let rules = RuleSet::load(&[], &BTreeMap::new()).with_keys(Arc::new(keys));
    Engine::with_rules(Config::default(), Arc::new(rules))
}

/// Made for this test with openssl; the private halves are gone.
const P256: &str = include_str!("keys/p256.pem");
const RSA: &str = include_str!("keys/rsa.pem");
const P256_TOKEN: &str = include_str!("keys/p256.jwt");
const RSA_TOKEN: &str = include_str!("keys/rsa.jwt");

#[test]
fn configured_keys_tell_altered_signatures() {
    let mut keys = TokenKeys::default();
    keys.add_secret(SECRET, None).expect("a secret");
    keys.add_public_key(P256, None).expect("a public key");
    keys.add_public_key(RSA, None).expect("a public key");
    let mut engine = engine_with(keys);
    let mut is_forged = |token: &str| {
        rules_of(&mut engine, &event(token.trim(), |_| {})).iter().any(|rule| rule == "wp.jwt.unsigned")
    };
    let header = r#"{"alg":"HS256","typ":"JWT"}"#;
    assert!(!is_forged(&token(header, CLAIMS)), "ours");
    assert!(!is_forged(P256_TOKEN), "ours, P-256");
    assert!(!is_forged(RSA_TOKEN), "ours, RSA");
    let signed = format!("{}.{}", encode(header), encode(CLAIMS));
    assert!(is_forged(&format!("{signed}.{}", sign(&signed, b"guess"))), "another secret");
    let good = token(header, CLAIMS);
    let altered = good.replace(&encode(CLAIMS), &encode(r#"{"sub":"1","role":"admin"}"#));
    assert!(is_forged(&altered), "other claims under the same signature");
    for original in [P256_TOKEN, RSA_TOKEN] {
        let parts: Vec<&str> = original.trim().split('.').collect();
        assert!(
            is_forged(&format!("{}.{}.{}", parts[0], encode(r#"{"sub":"admin"}"#), parts[2])),
            "altered claims"
        );
    }
}

#[test]
fn a_public_key_does_not_pass_as_a_secret() {
    let mut keys = TokenKeys::default();
    keys.add_public_key(RSA, None).expect("a public key");
    let mut engine = engine_with(keys);
    let signed = format!("{}.{}", encode(r#"{"alg":"HS256"}"#), encode(CLAIMS));
    let confused = format!("{signed}.{}", sign(&signed, RSA.as_bytes()));
    let rules = rules_of(&mut engine, &event(&confused, |_| {}));
    assert!(rules.iter().any(|rule| rule == "wp.jwt.confusion"), "{rules:?}");
}

#[test]
fn keys_are_refused_with_a_reason() {
    let mut keys = TokenKeys::default();
    assert_eq!(keys.add_secret(b"", None), Err(KeyError::EmptySecret));
    assert_eq!(keys.add_public_key("hello", None), Err(KeyError::NotAPublicKey));
    assert_eq!(
        keys.add_public_key("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", None),
        Err(KeyError::NotAPublicKey)
    );
    for (pem, why) in [
        (include_str!("keys/rsa1024.pem"), KeyError::UnusableRsa),
        ("-----BEGIN RSA PUBLIC KEY-----\nAAAA\n-----END RSA PUBLIC KEY-----", KeyError::UnusableRsa),
        (include_str!("keys/p256_compressed.pem"), KeyError::UnusablePoint),
        (include_str!("keys/p384.pem"), KeyError::KindNotKnown),
    ] {
        assert_eq!(keys.add_public_key(pem, None), Err(why), "{pem}");
    }
    assert!(keys.is_empty());
}

#[test]
fn keys_of_an_issuer_leave_tokens_of_others_alone() {
    let mut keys = TokenKeys::default();
    keys.add_secret(SECRET, Some("https://login.example")).expect("a secret");
    assert_eq!(keys.add_public_key(P256, Some("https://partner.example")), Ok(KeyKind::P256));
    let mut engine = engine_with(keys);
    for (issuer, secret, is_found) in [
        (r#","iss":"https://login.example""#, SECRET, false),
        (r#","iss":"https://login.example""#, &b"guess"[..], true),
        (r#","iss":"https://other.example""#, b"guess", false),
        // A partner's tokens are signed with its private key: no shared secret is right.
        (r#","iss":"https://partner.example""#, SECRET, true),
        ("", b"guess", true),
        ("", SECRET, false),
    ] {
        let signed = format!(
            "{}.{}",
            encode(r#"{"alg":"HS256","typ":"JWT"}"#),
            encode(format!(r#"{{"sub":"1"{issuer}}}"#))
        );
        let rules = rules_of(&mut engine, &event(&format!("{signed}.{}", sign(&signed, secret)), |_| {}));
        let found = rules.iter().any(|rule| matches!(rule.as_str(), "wp.jwt.unsigned" | "wp.jwt.confusion"));
        assert_eq!(found, is_found, "{issuer} signed with {}", String::from_utf8_lossy(secret));
    }
}
