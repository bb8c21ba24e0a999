//! Places, threat lists and the score that follows.

use std::net::IpAddr;

use proptest::prelude::{ProptestConfig, Strategy, any, prop, prop_assert_eq, proptest};
use watchpost_detect::enrich::{
    Assets, Geo, GeoFile, Knowledge, LISTED_RULE, ThreatFileError, ThreatIndex, ThreatIndexBuilder,
    parse_threats,
};
use watchpost_model::enrichment::AssetRule;
use watchpost_model::event::{Category, EntityKind, Event, Outcome, Severity};
use watchpost_model::place::Place;
use watchpost_model::risk::{EntityHistory, RiskFactorKind};
use watchpost_model::threat::{ThreatEntry, ThreatFormat, ThreatKind};

use crate::mmdb::{Value, asn, city, mmdb};
use crate::support::{request, start};

fn geo() -> Geo {
    let places = mmdb(
        "Test-City",
        1_760_000_000,
        &[
            ("198.51.100.0", 24, city("DE", "Berlin", 52.52, 13.405)),
            ("2001:db8::", 32, city("SE", "Umeå", 63.82, 20.26)),
            ("10.0.0.0", 8, city("XX", "Nowhere", 0.0, 0.0)),
            (
                "203.0.113.0",
                24,
                Value::Map(vec![
                    ("country_code", Value::Text("jp")),
                    ("city", Value::Text("Osaka")),
                    ("lat", Value::Text("34.69")),
                    ("lng", Value::Text("135.50")),
                    ("asn", Value::Text("AS64501")),
                ]),
            ),
        ],
    );
    let networks = mmdb("Test-ASN", 1_760_000_000, &[("198.51.100.0", 25, asn(64_500, "Example Net"))]);
    Geo {
        city: Some(GeoFile::new(places).expect("a file of this test")),
        asn: Some(GeoFile::new(networks).expect("a file of this test")),
    }
}

fn place(geo: &Geo, address: &str) -> Option<Place> {
    geo.place(address.parse().expect("an address of this test")).expect("the file is whole")
}

#[test]
fn places_come_from_the_files_and_nowhere_else() {
    let geo = geo();
    let file = geo.city.as_ref().expect("set above");
    assert_eq!(file.kind(), "Test-City");
    assert_eq!(file.built_at().map(|at| at.timestamp()), Some(1_760_000_000));
    let berlin = place(&geo, "198.51.100.7").expect("in the file");
    assert_eq!(berlin.to_string(), "Berlin, DE, AS64500 Example Net");
    assert_eq!(berlin.point(), Some((52.52, 13.405)));
    assert_eq!(place(&geo, "::ffff:198.51.100.7"), Some(berlin), "one address, one place");
    let without_network = place(&geo, "198.51.100.200").expect("in the file");
    assert_eq!((without_network.country.as_deref(), without_network.asn), (Some("DE"), None));
    assert_eq!(place(&geo, "2001:db8::1").expect("in the file").to_string(), "Umeå, SE");
    let flat = place(&geo, "203.0.113.9").expect("in the file");
    assert_eq!((flat.to_string(), flat.point()), ("Osaka, JP, AS64501".to_owned(), Some((34.69, 135.5))));
    assert_eq!(place(&geo, "8.8.8.8"), None, "the file does not know it");
    assert_eq!(place(&geo, "10.1.2.3"), None, "a private address is nowhere, whatever a file says");
    assert_eq!(place(&Geo::default(), "198.51.100.7"), None, "without a file nothing is guessed");
    let event = Event { source_ip: Some("not an address".to_owned()), ..request(start(), 1, "/", None) };
    let knowledge = Knowledge { geo: geo.into(), ..Knowledge::default() };
    assert_eq!(knowledge.place(&event).expect("nothing is looked up"), None);
}

#[test]
fn a_broken_file_is_an_error_and_never_a_panic() {
    let whole = mmdb("Test-City", 1, &[("198.51.100.0", 24, city("DE", "Berlin", 52.52, 13.405))]);
    for length in [0, 1, 100, whole.len() / 2, whole.len() - 60] {
        assert!(GeoFile::new(whole[..length].to_vec()).is_err(), "cut off at {length}");
    }
    assert!(GeoFile::new(vec![0x41; 5_000]).is_err(), "something else");
    for position in 0..whole.len() {
        let mut broken = whole.clone();
        broken[position] ^= 0xff;
        if let Ok(file) = GeoFile::new(broken) {
            let geo = Geo { city: Some(file), asn: None };
            // Whatever comes out: it comes out.
            drop(geo.place("198.51.100.7".parse().expect("an address")));
        }
    }
}

fn entry(kind: ThreatKind, value: &str) -> ThreatEntry {
    ThreatEntry { kind, value: value.to_owned(), until: None, note: None }
}

fn index(name: &str, confidence: u8, entries: Vec<ThreatEntry>) -> ThreatIndex {
    ThreatIndexBuilder::new(start()).list(name, confidence, entries).build().expect("few user agents")
}

#[test]
fn lists_name_sources_domains_and_agents() {
    use ThreatKind::{Domain, Ip, UserAgent};
    let index = ThreatIndexBuilder::new(start())
        .list(
            "drop",
            90,
            vec![
                entry(Ip, "198.51.100.0/24"),
                entry(Ip, "198.51.100.7"),
                entry(Ip, "2001:db8::/32"),
                entry(Domain, "evil.example"),
            ],
        )
        .list("bots", 40, vec![entry(UserAgent, "evilbot"), entry(Ip, "198.51.100.7")])
        .build()
        .expect("few user agents");
    let check = |value: &str, expect: &[(&str, &str)]| {
        let found = index.value(value);
        let found: Vec<_> = found.iter().map(|found| (found.list.as_str(), found.entry.as_str())).collect();
        assert_eq!(found, expect, "{value}");
    };
    check("198.51.100.7", &[("drop", "198.51.100.7"), ("bots", "198.51.100.7")]);
    check("198.51.100.8", &[("drop", "198.51.100.0/24")]);
    check("::ffff:198.51.100.8", &[("drop", "198.51.100.0/24")]);
    check("2001:db8:9::1", &[("drop", "2001:db8::/32")]);
    check("198.51.101.1", &[]);
    check("a.b.EVIL.example.", &[("drop", "evil.example")]);
    check("notevil.example", &[]);
    check("Mozilla/5.0 (compatible; EvilBot/2.1)", &[("bots", "evilbot")]);
    let mut event = request(start(), 1, "/", None);
    event.actor = Some("mallory@mail.evil.example".to_owned());
    let http = event.http.as_mut().expect("a request has one");
    http.headers.insert("referer".to_owned(), "https://user:pw@www.evil.example:8443/x?y=1".to_owned());
    http.headers.insert("user-agent".to_owned(), "EvilBot".to_owned());
    let fields: Vec<String> = index.of(&event).into_iter().map(|found| found.field).collect();
    assert_eq!(
        fields,
        ["source_ip", "source_ip", "actor", "http.headers.referer", "http.headers.user-agent"]
    );
}

#[test]
fn entries_end_when_they_say() {
    let until = start() + chrono::Duration::hours(1);
    let old = ThreatEntry { until: Some(start()), ..entry(ThreatKind::Ip, "203.0.113.1") };
    let new = ThreatEntry { until: Some(until), ..entry(ThreatKind::Ip, "203.0.113.2") };
    let index = index("a", 50, vec![old, new]);
    assert!(index.value("203.0.113.1").is_empty() && !index.value("203.0.113.2").is_empty());
    assert_eq!(index.next_expiry(), Some(until));
}

#[test]
fn a_listed_source_is_one_finding_a_day() {
    let knowledge = Knowledge {
        threats: index("drop", 90, vec![entry(ThreatKind::Ip, "198.51.100.7")]).into(),
        ..Knowledge::default()
    };
    let one = knowledge.listed(&request(start(), 1, "/", None));
    let two = knowledge.listed(&request(start() + chrono::Duration::hours(3), 2, "/x", None));
    let next_day = knowledge.listed(&request(start() + chrono::Duration::days(1), 3, "/", None));
    assert_eq!((one.len(), one[0].rule_id.as_str(), one[0].severity), (1, LISTED_RULE, Severity::Medium));
    assert_eq!(one[0].id, two[0].id);
    assert_ne!(one[0].id, next_day[0].id);
    let mut login = Event::new(one[0].event_id, start(), Category::Authentication, "login_success");
    (login.source_ip, login.outcome) = (Some("198.51.100.7".to_owned()), Outcome::Success);
    assert_eq!(knowledge.listed(&login)[0].severity, Severity::High, "it got in");
    let unsure = Knowledge {
        threats: index("tor", 74, vec![entry(ThreatKind::Ip, "198.51.100.7")]).into(),
        ..Knowledge::default()
    };
    assert!(unsure.listed(&login).is_empty(), "a list that is not sure enough only raises the risk");
}

/// The example of docs/detection.md, "Enrichment and risk".
#[test]
fn the_example_of_the_documentation() {
    let knowledge = Knowledge {
        geo: geo().into(),
        threats: index("drop", 90, vec![entry(ThreatKind::Ip, "198.51.100.0/24")]).into(),
        assets: Assets::new(vec![AssetRule {
            kind: EntityKind::Endpoint,
            pattern: "/admin".to_owned(),
            label: "critical asset".to_owned(),
            weight: 1.5,
        }])
        .expect("a rule of this test")
        .into(),
    };
    let event = request(start(), 1, "/admin/users", None);
    let mut finding = knowledge.listed(&event).remove(0);
    (finding.severity, finding.confidence, finding.risk) = (Severity::Medium, 80, 46);
    finding.enrichment.risk.clear();
    let place = knowledge.place(&event).expect("the file is whole");
    let history = EntityHistory { true_positives: 1, harmless: 0 };
    knowledge.enrich(&event, place.as_ref(), history, &mut finding);
    let factors: Vec<_> =
        finding.enrichment.risk.iter().map(|f| (f.kind, f.points, f.detail.as_str())).collect();
    use RiskFactorKind as Kind;
    assert_eq!(
        factors,
        [
            (Kind::Severity, 50, "medium"),
            (Kind::Confidence, -4, "80 % sure"),
            (Kind::Asset, 23, "critical asset × 1.5"),
            (Kind::ThreatList, 18, "named by drop"),
            (Kind::History, 5, "earlier: 1 attacks, 0 harmless"),
        ]
    );
    assert_eq!(finding.risk, 92);
    assert_eq!(finding.enrichment.place.and_then(|place| place.city).as_deref(), Some("Berlin"));
    assert_eq!(finding.enrichment.threats[0].entry, "198.51.100.0/24");
}

fn parsed(text: &str, kind: Option<ThreatKind>) -> (Vec<String>, u64, u64) {
    let list =
        parse_threats(text.as_bytes(), None, kind, start()).unwrap_or_else(|error| panic!("{text}: {error}"));
    (list.entries.into_iter().map(|entry| entry.value).collect(), list.skipped, list.duplicates)
}

#[test]
fn text_files_of_every_kind() {
    let (values, skipped, duplicates) = parsed(
        "# a comment\r\n203.0.113.7\r\n203.0.113.007\n1.10.16.0/20 ; SBL256894\n\n; more\n203.0.113[.]9\n\
         198.51.100.1-198.51.100.2\n203.0.113.5:4444\n0.0.0.0 ads.evil.example # hosts file\n||bad.example^\n\
         10.0.0.0/8\n10.0.0.5\n0.0.0.0/0\n203.0.113.7/33\nhttp://x.example/y\nnonsense\n203.0.113.7\n127.0.0.1\n",
        None,
    );
    assert_eq!(
        values,
        [
            "203.0.113.7",
            "1.10.16.0/20",
            "203.0.113.9",
            "198.51.100.1",
            "198.51.100.2",
            "203.0.113.5",
            "ads.evil.example",
            "bad.example",
            "10.0.0.5",
        ]
    );
    assert_eq!((skipped, duplicates), (7, 1));
    let list = parse_threats(b"1.10.16.0/20 ; SBL256894", None, None, start()).expect("one entry");
    assert_eq!(list.entries[0].note.as_deref(), Some("SBL256894"));
    let (agents, skipped, _) =
        parsed("*sqlmap*\n# x\nEvil Bot/1.0, (like others)\nMozilla/5.0\nbot\n", Some(ThreatKind::UserAgent));
    assert_eq!(agents, ["sqlmap", "evil bot/1.0, (like others)"]);
    assert_eq!(skipped, 2, "what every browser sends, and what is too short");
}

#[test]
fn tables_with_and_without_a_header() {
    let (values, skipped, _) = parsed(
        "\"first_seen\",\"dst_ip\",\"dst_port\",\"malware\"\n2026-01-01,203.0.113.1,443,\"Emotet, old\"\n2026,oops,1,x\n",
        None,
    );
    assert_eq!((values, skipped), (vec!["203.0.113.1".to_owned()], 1));
    let list =
        parse_threats(b"ip,note\n203.0.113.1,\"a \"\"b\"\"\"\n", None, None, start()).expect("one entry");
    assert_eq!((list.format, list.entries[0].note.as_deref()), (ThreatFormat::Csv, Some("a \"b\"")));
    let (values, ..) =
        parsed("# comment\n2026-01-01,203.0.113.1,evil.exe\n2026-01-02,c2.evil.example,1\n", None);
    assert_eq!(values, ["203.0.113.1", "c2.evil.example"]);
    let (values, ..) = parsed("user_agent,n\n\"Evil, Bot/1\",5\n", None);
    assert_eq!(values, ["evil, bot/1"]);
}

#[test]
fn bundles_of_stix() {
    let bundle = serde_json::json!({"type": "bundle", "id": "bundle--1", "objects": [
        {"type": "malware", "name": "Emotet"},
        {"type": "indicator", "name": "C2 of Emotet", "pattern_type": "stix", "valid_from": "2026-01-01T00:00:00Z",
         "valid_until": "2027-01-01T00:00:00Z", "pattern": "[ipv4-addr:value = '203.0.113.7']"},
        {"type": "indicator", "pattern_type": "stix", "pattern": "[domain-name:value = 'evil.example']"},
        {"type": "indicator", "pattern_type": "stix", "valid_until": "2025-01-01T00:00:00Z",
         "pattern": "[ipv4-addr:value = '203.0.113.8']"},
        {"type": "indicator", "revoked": true, "pattern_type": "stix", "pattern": "[ipv4-addr:value = '203.0.113.9']"},
        {"type": "indicator", "pattern_type": "snort", "pattern": "alert tcp"},
        {"type": "indicator", "pattern_type": "stix", "pattern": "[url:value = 'http://x/']"},
        {"type": "indicator", "pattern": 5},
        "not an object",
    ]});
    let list = parse_threats(bundle.to_string().as_bytes(), None, None, start()).expect("two entries");
    assert_eq!((list.format, list.skipped), (ThreatFormat::Stix, 5));
    let values: Vec<_> =
        list.entries.iter().map(|entry| (entry.value.as_str(), entry.until.is_some())).collect();
    assert_eq!(values, [("203.0.113.7", true), ("evil.example", false)]);
    assert_eq!(list.entries[0].note.as_deref(), Some("C2 of Emotet"));
    assert_eq!(list.reasons[0].place, 4, "the object's number");
}

#[test]
fn hostile_files_are_refused_or_counted() {
    let refused = |bytes: &[u8]| parse_threats(bytes, None, None, start()).expect_err("nothing can be used");
    assert_eq!(refused(b"\x1f\x8b\x08 packed"), ThreatFileError::Compressed);
    assert_eq!(refused(b"1.2.3.4\n\0\0\0"), ThreatFileError::NotText);
    assert!(matches!(refused(b""), ThreatFileError::Nothing { skipped: 0, .. }));
    assert!(matches!(refused(b"# nothing\nhello world\n"), ThreatFileError::Nothing { skipped: 1, .. }));
    assert!(matches!(refused(b"{\"type\": \"report\"}"), ThreatFileError::NotStix(_)));
    assert!(matches!(refused("{\"a\":".repeat(100_000).as_bytes()), ThreatFileError::NotStix(_)), "deep");
    let huge = format!("203.0.113.1\n{}\n203.0.113.2\n", "9".repeat(5_000_000));
    assert_eq!(parsed(&huge, None), (vec!["203.0.113.1".to_owned(), "203.0.113.2".to_owned()], 1, 0));
    let not_utf8 = [b"203.0.113.1\n\xff\xfe\xfd\n".as_slice(), b"203.0.113.2"].concat();
    let list = parse_threats(&not_utf8, None, None, start()).expect("two entries");
    assert_eq!((list.entries.len(), list.skipped), (2, 1));
    let unclosed = format!("ip,note\n203.0.113.1,\"{}", "x\n".repeat(100_000));
    assert!(matches!(refused(unclosed.as_bytes()), ThreatFileError::Nothing { skipped: 1, .. }));
    let error = refused(b"203.0.113.0/99\n").to_string();
    assert!(error.contains("number 1") && error.contains("203.0.113.0/99"), "{error}");
}

fn network() -> impl Strategy<Value = ipnet::IpNet> {
    // Few bits vary, so that networks hold each other and addresses meet them.
    prop::strategy::Union::new([
        (0_u32..4096, 8_u8..=32)
            .prop_map(|(bits, length)| {
                ipnet::IpNet::new(std::net::Ipv4Addr::from_bits(0xcb00_0000 | bits << 4).into(), length)
            })
            .boxed(),
        (0_u128..4096, 16_u8..=128)
            .prop_map(|(bits, length)| {
                ipnet::IpNet::new(
                    std::net::Ipv6Addr::from_bits(0x2001_0db8 << 96 | bits << 60).into(),
                    length,
                )
            })
            .boxed(),
    ])
    .prop_map(|net| net.expect("the length fits").trunc())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// The index says what a look through all networks says, and names the narrowest.
    #[test]
    fn the_index_agrees_with_a_naive_search(
        networks in prop::collection::vec(network(), 0..60),
        probes in prop::collection::vec(network(), 0..40),
    ) {
        let entries = networks.iter().map(|net| {
            let single = net.prefix_len() == net.max_prefix_len();
            let value = if single { net.addr().to_string() } else { net.to_string() };
            entry(ThreatKind::Ip, &value)
        });
        let index = index("all", 80, entries.collect());
        for probe in probes.iter().chain(&networks) {
            let address: IpAddr = probe.addr();
            let narrowest = networks.iter().filter(|net| net.contains(&address)).max_by_key(|net| net.prefix_len());
            let expect = narrowest.map(|net| {
                if net.prefix_len() == net.max_prefix_len() { net.addr().to_string() } else { net.to_string() }
            });
            let found = index.value(&address.to_string()).pop().map(|found| found.entry);
            prop_assert_eq!(found, expect, "{}", address);
        }
    }

    /// No file makes it panic, and nothing is lost without being counted.
    #[test]
    fn any_file_is_read_or_refused(lines in prop::collection::vec(any::<String>(), 0..20), csv in any::<bool>()) {
        let text = lines.join("\n");
        let format = if csv { ThreatFormat::Csv } else { ThreatFormat::Text };
        drop(parse_threats(text.as_bytes(), Some(format), None, start()));
        drop(parse_threats(text.as_bytes(), Some(ThreatFormat::Stix), None, start()));
        if let Ok(list) = parse_threats(text.as_bytes(), Some(ThreatFormat::Text), Some(ThreatKind::UserAgent), start()) {
            let meant = text.split('\n').map(str::trim_ascii).filter(|line| {
                !(line.is_empty() || line.starts_with('#') || line.starts_with(';') || line.starts_with("//"))
            });
            prop_assert_eq!(list.entries.len() as u64 + list.skipped + list.duplicates, meant.count() as u64);
        }
    }
}
