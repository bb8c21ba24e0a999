use chrono::{DateTime, Utc};
use serde_json::json;

use super::{Hidden, MARK, Scanner, SealKind, SealPolicy, Sealing, mark_named};
use crate::event::{Category, Entity, EntityKind, Event, Http};
use crate::finding::{AttackFamily, DecodedLayer, Finding, MatchedField};
use crate::ids::{EventId, FindingId};

fn event() -> Event {
    let at: DateTime<Utc> = "2026-03-02T10:00:00Z".parse().expect("a literal time");
    Event::new(EventId::derived(0, [1; 16]), at, Category::ApiUsage, "request")
}

/// What tells one value from another in these tests.
fn marker(kind: SealKind, value: &str, _: bool) -> String {
    super::mark(kind, &format!("t{}", value.len()))
}

fn all() -> Scanner {
    Scanner::new(&SealPolicy { kinds: SealKind::ALL.to_vec(), fields: vec!["Kunden-Nr".to_owned()] })
}

fn usual() -> Scanner {
    Scanner::new(&SealPolicy::default())
}

/// The values that are found in a text.
fn values(scanner: &Scanner, text: &str, form: bool) -> Vec<String> {
    scanner.find(text, form).into_iter().map(|(range, _)| text[range].to_owned()).collect()
}

#[test]
fn secrets_are_found_where_they_stand() {
    const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjMifQ.dBjftJeZ4CVPmB92K27u";
    let bearer = format!("Authorization: Bearer {JWT}");
    let cases: [(&str, bool, &[&str]); 26] = [
        ("user=kim&password=Winter,2026;x&next=/", true, &["Winter,2026;x"]),
        ("user%5Bpassword%5D=Winter2026", true, &["Winter2026"]),
        ("the body was user=kim&password=Winter2026!", false, &["Winter2026!"]),
        (r#"{"user":"kim","password":"Win\"ter 2026"}"#, false, &[r#"Win\"ter 2026"#]),
        (r#"{"inner":"{\"password\":\"Winter2026\"}"}"#, false, &["Winter2026"]),
        ("<user>kim</user><password>Winter2026</password>", false, &["Winter2026"]),
        ("name=\"password\"\r\n\r\nWinter 2026\r\n--x", false, &["Winter 2026"]),
        ("password=Winter2026&password_confirmation=Winter2027", false, &["Winter2026", "Winter2027"]),
        ("connects to redis://app:Winter2026@10.0.0.7:6379/0", false, &["Winter2026"]),
        (&bearer, false, &["dBjftJeZ4CVPmB92K27u"]),
        (JWT, false, &["dBjftJeZ4CVPmB92K27u"]),
        ("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxMjMifQ.", false, &[]),
        ("X-Api-Key: 9f8e7d6c5b4a", false, &["9f8e7d6c5b4a"]),
        ("client_secret=9f8e7d6c5b4a", true, &["9f8e7d6c5b4a"]),
        (
            "found ghp_a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2 here",
            false,
            &["ghp_a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2"],
        ),
        (
            "a -----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY----- z",
            false,
            &["-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----"],
        ),
        (
            "paid with 4539 5787 6362 1486, then card 4539578763621486",
            false,
            &["4539 5787 6362 1486", "4539578763621486"],
        ),
        ("AKIAIOSFODNN7EXAMPLE is from the manual", false, &[]),
        ("1%20UNION%20SELECT%20username,password%20FROM%20users--", true, &[]),
        ("password=****&token=none", true, &[]),
        ("invalid token: expired", false, &[]),
        ("a token is needed, bypass=1, keyboard: qwerty12", false, &[]),
        ("<input type=\"password\" name=\"q\">", false, &[]),
        ("password=[sealed:password:t9]&x=1", true, &[]),
        ("see [sealed:token:1f0c3a9b-77de0142]", false, &[]),
        ("", false, &[]),
    ];
    for (text, form, expected) in cases {
        assert_eq!(values(&usual(), text, form), expected, "{text:?}");
    }
}

#[test]
fn secrets_are_found_however_their_names_are_written() {
    let cases: [(&str, bool, &[&str]); 22] = [
        ("<wsse:Password Type=\"PasswordText\">Winter2026</wsse:Password>", false, &["Winter2026"]),
        ("<ns:password>Winter2026</ns:password>", false, &["Winter2026"]),
        ("<password\n a='1'><![CDATA[Win<ter]]></password>", false, &["Win<ter"]),
        ("<password/><b>x</b>", false, &[]),
        ("<password a=\"1\"/><b>x</b>", false, &[]),
        (r#"{"password":["Winter2026", "Summer"],"a":["b"]}"#, false, &["Winter2026", "Summer"]),
        (r#"{"password":{"value":"Winter2026"},"a":"b"}"#, false, &["Winter2026"]),
        (r#"{"in":"{\"password\":[\"Winter2026\"]}"}"#, false, &["Winter2026"]),
        (r#"{"tokens":["9f8e7d6c5b4a"],"max_tokens":12345678}"#, false, &["9f8e7d6c5b4a"]),
        ("password[]=Winter2026&password[1]=b&a=c", true, &["Winter2026", "b"]),
        ("password%5B%5D=Winter2026&a=c", true, &["Winter2026"]),
        ("{\n  \"password\"\n  :\n  \"Winter2026\"\n}", false, &["Winter2026"]),
        ("cut \"password\" : \n\"Winter2026", false, &["Winter2026"]),
        ("p%61ssword=Winter2026&q=%61b", true, &["Winter2026"]),
        ("pass%77ord=Winter2026", false, &["Winter2026"]),
        ("pass%2577ord=Winter2026&q=%2570%2540", true, &["Winter2026"]),
        ("%2570ass%77ord=Winter2026", false, &["Winter2026"]),
        (r#"{"\u0070assword":"Winter2026"}"#, false, &["Winter2026"]),
        (r#"[{"name":"password","value":"Winter2026"}]"#, false, &["Winter2026"]),
        ("pw=Winter2026&otp=123456&potpie=1", true, &["Winter2026", "123456"]),
        ("see [\"token\", \"value\"] and q=%70%40%5b", false, &[]),
        ("passwords: three of them", false, &[]),
    ];
    for (text, form, expected) in cases {
        assert_eq!(values(&usual(), text, form), expected, "{text:?}");
    }
    let mut event = event();
    event.details = json!({
        "password": {"value": "Winter2026", "n": null}, "tokens": ["9f8e7d6c5b4a"], "plain": {"value": "x"},
        "form": [{"name": "password", "value": "Winter2026"}, {"name": "q", "value": "x"}],
    });
    usual().seal_event(&mut event, &marker).expect("it holds secrets");
    let expected = json!({
        "password": {"value": "[sealed:password:t10]", "n": null}, "tokens": ["[sealed:token:t12]"],
        "plain": {"value": "x"},
        "form": [{"name": "password", "value": "[sealed:password:t10]"}, {"name": "q", "value": "x"}],
    });
    assert_eq!(event.details, expected);
}

#[test]
fn cards_are_found_however_their_groups_are_parted() {
    let cases: [(&str, &[&str]); 13] = [
        ("card=4532053640562243+12%2F27", &["4532053640562243"]),
        ("card=4532%200536%204056%202243&x=1", &["4532%200536%204056%202243"]),
        ("cardnumber=4532+0615+4990+9514", &["4532+0615+4990+9514"]),
        ("cc=4532053640562243", &["4532053640562243"]),
        ("/cards/4532053640562243", &["4532053640562243"]),
        ("card 4532053640562243", &["4532053640562243"]),
        ("q=card%204532053640562243&x=1", &["4532053640562243"]),
        ("card%3d4532053640562243", &["4532053640562243"]),
        ("paid 4532.0536.4056.2243 now", &["4532.0536.4056.2243"]),
        ("paid 4532\u{a0}0536\u{a0}4056\u{a0}2243 now", &["4532\u{a0}0536\u{a0}4056\u{a0}2243"]),
        ("%B4532053640562243^DOE/JOHN^2512", &["4532053640562243"]),
        ("%B4532053640562243&x=1", &[]),
        ("card=4111111111111111", &[]),
    ];
    for (text, expected) in cases {
        assert_eq!(values(&usual(), text, false), expected, "{text:?}");
    }
}

#[test]
fn personal_data_is_sealed_where_that_is_asked_for() {
    let text = "mail=kim%40shop-mail.de&first_name=Kim&zip_code=10115&kunden-nr=77";
    assert_eq!(values(&usual(), text, true), Vec::<String>::new());
    assert_eq!(values(&all(), text, true), ["kim%40shop-mail.de", "Kim", "10115", "77"]);
}

#[test]
fn an_event_is_sealed_field_by_field_and_once() {
    let mut event = event();
    event.actor = Some("kim".to_owned());
    event.session = Some("9f8e7d6c5b4a9f8e".to_owned());
    event.resource = Some("/reset?token=9f8e7d6c5b4a".to_owned());
    event.details = json!({
        "password": "Winter2026", "pin_password": 123_456, "token_count": 12, "reset_token": true, "token": 123_456,
        "card": {"card_number": 4_539_578_763_621_486_u64}, "old": {"passwords": ["x"], "password": ["Summer1", null]},
        "raw": "{\"api_key\":\"9f8e7d6c5b4a9f8e\"}", "order": "4539578763621486",
    });
    let headers = [
        ("authorization", "Basic a2ltOldpbnRlcjIwMjY="),
        ("cookie", "theme=dark; PHPSESSID=0a1b2c3d4e5f; lang=de"),
        ("accept", "password=Winter2026"),
        ("x-auth-token", "0a1b2c3d4e5f0a1b2c3d"),
    ];
    let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    event.http = Some(Http { headers, query: Some("q=1&pwd=abc".to_owned()), ..Http::default() });
    let raw = event.clone();
    let sealing = usual().seal_event(&mut event, &marker).expect("it holds secrets");

    let http = event.http.as_ref().expect("it was there");
    assert_eq!(http.headers["authorization"], "Basic [sealed:password:t20]");
    assert_eq!(http.headers["cookie"], "theme=dark; PHPSESSID=[sealed:token:t12]; lang=de");
    assert_eq!(http.headers["x-auth-token"], "[sealed:token:t20]");
    assert_eq!(http.query.as_deref(), Some("q=1&pwd=[sealed:password:t3]"));
    assert_eq!(event.resource.as_deref(), Some("/reset?token=[sealed:token:t12]"));
    assert_eq!((&event.actor, &event.session), (&raw.actor, &raw.session), "what events are found by");
    let details = &event.details;
    assert_eq!(details["password"], "[sealed:password:t10]");
    assert_eq!(details["pin_password"], "[sealed:password:t6]");
    assert_eq!(details["token"], 123_456, "a count");
    assert_eq!(details["card"]["card_number"], "[sealed:card:t16]");
    assert_eq!(details["old"]["password"], json!(["[sealed:password:t7]", null]));
    assert_eq!(details["raw"], "{\"api_key\":\"[sealed:key:t16]\"}");
    assert_eq!(details["order"], "4539578763621486", "no word says that it is a card");
    let number = sealing.hidden.iter().find(|hidden| hidden.mark == "[sealed:card:t16]");
    assert!(number.is_some_and(|hidden| hidden.number && hidden.value == "4539578763621486"));

    let once = event.clone();
    assert_eq!(usual().seal_event(&mut event, &marker), None, "a mark is left alone");
    assert_eq!(event, once);
}

#[test]
fn what_holds_no_secret_stays_as_it_is() {
    let mut event = event();
    event.details = json!({"rows": 12, "path": "/srv/keys", "note": "the password was changed"});
    event.http = Some(Http { path: "/token/refresh".to_owned(), ..Http::default() });
    let before = event.clone();
    assert_eq!(all().seal_event(&mut event, &marker), None);
    assert_eq!(event, before);
}

#[test]
fn evidence_shows_the_mark_and_the_span_still_fits() {
    let layer = |decoder: &str, text: &str, span| DecodedLayer {
        decoder: decoder.to_owned(),
        text: text.to_owned(),
        span,
    };
    let hidden = Hidden {
        kind: SealKind::Password,
        mark: "[sealed:password:t9]".to_owned(),
        value: "p%40ssw0rd".to_owned(),
        number: false,
    };
    let sealing = Sealing {
        hidden: vec![hidden],
        endpoint: Some(("/x/p%40ssw0rd".to_owned(), "/x/[sealed:password:t9]".to_owned())),
    };
    let mut finding = finding();
    finding.summary = "p@ssw0rd was seen".to_owned();
    finding.matched = Some(MatchedField {
        field: "http.query".to_owned(),
        layers: vec![
            layer("raw", "é=p%40ssw0rd&x=1", Some((2, 12))),
            layer("percent", "é=p@ssw0rd&x=1", Some((11, 14))),
            layer("base64", "kim:secret", Some((0, 3))),
            layer("html", "nothing of it", Some((0, 7))),
        ],
    });
    usual().mask_finding(&sealing, &mut finding);
    assert_eq!(finding.summary, "Test in http.query: [sealed:password:t9]");
    assert_eq!(finding.entity.value, "/x/[sealed:password:t9]");
    let layers = finding.matched.expect("it was there").layers;
    assert_eq!((layers[0].text.as_str(), layers[0].span), ("é=[sealed:password:t9]&x=1", Some((2, 22))));
    assert_eq!((layers[1].text.as_str(), layers[1].span), ("é=[sealed:password:t9]&x=1", Some((23, 26))));
    for layer in &layers[2..] {
        assert_eq!(
            (layer.text.as_str(), layer.span),
            ("[sealed:password:t9]", Some((0, 20))),
            "maybe a piece"
        );
    }
}

#[test]
fn no_piece_of_a_sealed_value_is_evidence() {
    const VALUE: &str = "hunter' UNION SELECT Frag FROM dual--";
    let mut event = event();
    event.http = Some(Http {
        body: Some(format!(r#"{{"user":"a","password":"{VALUE}"}}"#)),
        query: Some("q=1 UNION SELECT Frag".to_owned()),
        ..Http::default()
    });
    let sealing = usual().seal_event(&mut event, &marker).expect("it holds a password");
    let found = |field: &str, text: &str, span| {
        let mut finding = finding();
        finding.summary = format!("Test in {field}: UNION SELECT Frag FROM dual--");
        let layer = |decoder: &str| DecodedLayer { decoder: decoder.to_owned(), text: text.to_owned(), span };
        let layers = vec![layer("raw"), layer("comments")];
        finding.matched = Some(MatchedField { field: field.to_owned(), layers });
        usual().mask_finding(&sealing, &mut finding);
        finding
    };
    let masked = [
        found("http.body.password", VALUE, Some((8, 37))),
        found("http.body.password", VALUE, None),
        // Only the window around the match is there, or another spelling of it.
        found("http.body", "' UNION SELECT Frag FROM", Some((2, 24))),
        found("http.body", "xx union select frag from", Some((3, 25))),
    ];
    for finding in masked {
        let field = &finding.matched.as_ref().expect("it was there").field;
        let mark = format!("[sealed:password:t{}]", VALUE.len());
        assert_eq!(finding.summary, format!("Test in {field}: {mark}"));
        let said = serde_json::to_string(&finding).expect("plain data").to_lowercase();
        assert!(!said.contains("frag") && !said.contains("union"), "{said}");
    }
    let elsewhere = found("http.query.q", "1 OR 2=2", Some((2, 8)));
    assert_eq!(elsewhere.matched.expect("it was there").layers[0].text, "1 OR 2=2");
}

fn finding() -> Finding {
    let event = event();
    Finding {
        id: FindingId(uuid::Uuid::nil()),
        rule_id: "wp.test".to_owned(),
        rule_version: 1,
        rule_title: "Test".to_owned(),
        family: AttackFamily::Custom,
        event_id: event.id,
        at: event.at,
        entity: Entity::new(EntityKind::Endpoint, "/x/p%40ssw0rd"),
        summary: String::new(),
        matched: None,
        counter: None,
        counted: None,
        linked: Vec::new(),
        severity: crate::event::Severity::Low,
        confidence: 50,
        risk: 10,
        attack: Vec::new(),
        owasp: None,
        controls: Vec::new(),
        enrichment: crate::enrichment::Enrichment::default(),
    }
}

#[test]
fn a_mark_is_named_with_or_without_brackets() {
    for text in
        ["password:1f0c3a9b-77de0142", "[sealed:password:1f0c3a9b-77de0142]", " password:1f0c3a9b-77de0142 "]
    {
        assert_eq!(mark_named(text), format!("{MARK}password:1f0c3a9b-77de0142]"));
    }
}
