//! The query language on rows: both engines find exactly what a plain reading of the query finds.

use std::net::IpAddr;

use chrono::{DateTime, Duration, Utc};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use watchpost_model::event::{Category, Event, Http, Outcome, Severity};
use watchpost_model::period::Period;
use watchpost_model::query::{Expr, Field, FieldName, Network, Pattern, Query, Term, Test};
use watchpost_store::{EventFilter, FACETS, StoreError};

use crate::support::{World, both, event};

both!(every_condition_finds_what_it_says, any_query_finds_what_it_says, figures_agree_with_the_rows,);

/// Values that databases, patterns and paths stumble over.
const NASTY: [&str; 12] = [
    "anna",
    "Anna",
    "a%b",
    "a_b",
    "a*b",
    "[a]?",
    "x!y",
    "it's",
    "\u{c4}RGER",
    "",
    "nul\u{0}inside",
    "back\\u0000slash",
];

/// Where the sources of [`pool`] are, as if a location file said so.
fn country(source: &str) -> Option<&'static str> {
    match source.rsplit(['.', ':']).next().and_then(|last| u32::from_str_radix(last, 16).ok()) {
        Some(n) if n % 3 == 0 => Some("DE"),
        Some(n) if n % 3 == 1 => Some("NZ"),
        _ => None,
    }
}

/// Takes the events in, the first of them into the index of their words as well, and says where their sources are.
async fn placed(world: &World, pool: &[(Event, String)]) {
    let (indexed, behind) = pool.split_at(pool.len() * 2 / 3);
    world.ingest(indexed, &[]).await;
    world.store.event_text_catch_up().await.unwrap();
    world.ingest(behind, &[]).await;
    assert!(world.store.sources_unplaced("file", 500).await.unwrap().is_empty(), "nobody has a file");
    world.store.keep_places(true);
    world.store.sources_fill().await.unwrap();
    let sources = world.store.sources_unplaced("file", 500).await.unwrap();
    let places: Vec<_> = sources
        .into_iter()
        .map(|source| {
            let at = country(&source).map(str::to_lowercase);
            (source, at)
        })
        .collect();
    world.store.sources_placed("file", &places).await.unwrap();
    assert!(world.store.sources_unplaced("file", 500).await.unwrap().is_empty(), "each is asked once");
}

fn pool(now: DateTime<Utc>) -> Vec<(Event, String)> {
    (0..60)
        .map(|n| {
            let mut event = event(n, now - Duration::minutes(i64::from(n) * 7));
            let nth = n as usize;
            event.category = Category::ALL[nth % Category::ALL.len()];
            event.kind = ["request", "login_failure", "Login_Success"][nth % 3].to_owned();
            event.actor = NASTY.get(nth % 17).map(|text| (*text).to_owned());
            event.source_ip = match nth % 6 {
                0 => None,
                1 => Some("build-host".to_owned()),
                2 => Some(format!("2001:db8::{n:x}")),
                _ => Some(format!("203.0.113.{n}")),
            };
            event.resource = (nth.is_multiple_of(4)).then(|| "/search".to_owned());
            event.session = (nth.is_multiple_of(5)).then(|| format!("s-{n}"));
            event.count = 1 + n % 3;
            event.risk = (nth.is_multiple_of(2)).then(|| u8::try_from(n).unwrap());
            event.tags = (0..nth % 3).map(|tag| NASTY[(nth + tag) % NASTY.len()].to_owned()).collect();
            event.details = match nth % 4 {
                0 => serde_json::json!({"order": {"id": n, "paid": nth.is_multiple_of(8), "note": null}}),
                1 => serde_json::json!({"service": NASTY[nth % NASTY.len()]}),
                2 => serde_json::json!({"order": "none", "service": 5.5}),
                _ => serde_json::Value::Null,
            };
            event.http = (nth % 3 != 1).then(|| Http {
                method: ["GET", "POST"][nth % 2].to_owned(),
                path: format!("/api/{}/{}", nth % 4, NASTY[nth % NASTY.len()]),
                query: (nth.is_multiple_of(2)).then(|| format!("q={}", NASTY[nth % NASTY.len()])),
                headers: [
                    ("user-agent".to_owned(), format!("agent/{}", nth % 3)),
                    ("x-id".to_owned(), n.to_string()),
                ]
                .into(),
                body: (nth.is_multiple_of(5)).then(|| "{\"a\": 1}".to_owned()),
                status: (!nth.is_multiple_of(4)).then(|| 200 + u16::try_from(n).unwrap() * 5),
                bytes: (nth % 4 != 1).then(|| u64::from(n) * 1_000),
                duration_ms: Some(u64::from(n)),
                ..Http::default()
            });
            (event, format!("k{n}"))
        })
        .collect()
}

/// What PostgreSQL cannot hold is stored as its symbol.
pub(crate) fn stored(text: &str) -> String {
    text.replace('\0', "\u{2400}")
}

fn lower(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

enum Value {
    Missing,
    Text(String),
    Number(i64),
}

fn text(value: Option<&str>) -> Value {
    value.map_or(Value::Missing, |text| Value::Text(stored(text)))
}

fn value(event: &Event, field: &Field) -> Value {
    let http = event.http.as_ref();
    let number =
        |value: Option<u64>| value.map_or(Value::Missing, |n| Value::Number(i64::try_from(n).unwrap()));
    match field {
        Field::Header(name) => text(http.and_then(|http| http.headers.get(name)).map(String::as_str)),
        Field::Details(path) => match path.iter().try_fold(&event.details, |value, name| value.get(name)) {
            None | Some(serde_json::Value::Null) => Value::Missing,
            Some(serde_json::Value::String(inner)) => text(Some(inner)),
            Some(other) => Value::Text(other.to_string()),
        },
        Field::Named(name) => match name {
            FieldName::Type => Value::Text(lower(&event.kind)),
            FieldName::Id => Value::Text(event.id.to_string()),
            FieldName::Ip => text(event.source_ip.as_deref()),
            FieldName::User => text(event.actor.as_deref()),
            FieldName::Country => text(event.source_ip.as_deref().and_then(country)),
            FieldName::Session => text(event.session.as_deref()),
            FieldName::Endpoint => text(Some(event.endpoint()).filter(|endpoint| *endpoint != "-")),
            FieldName::Resource => text(event.resource.as_deref()),
            FieldName::Action => text(event.action.as_deref()),
            FieldName::Method => text(http.map(|http| http.method.as_str())),
            FieldName::Path => text(http.map(|http| http.path.as_str())),
            FieldName::Query => text(http.and_then(|http| http.query.as_deref())),
            FieldName::Agent => {
                text(http.and_then(|http| http.headers.get("user-agent")).map(String::as_str))
            }
            FieldName::Body => text(http.and_then(|http| http.body.as_deref())),
            FieldName::Status => number(http.and_then(|http| http.status).map(u64::from)),
            FieldName::Bytes => number(http.and_then(|http| http.bytes)),
            FieldName::Duration => number(http.and_then(|http| http.duration_ms)),
            FieldName::Count => number(Some(u64::from(event.count))),
            FieldName::Risk => number(event.risk.map(u64::from)),
            FieldName::At => Value::Number(event.at.timestamp_micros()),
            FieldName::Severity | FieldName::Category | FieldName::Outcome | FieldName::Tag => {
                Value::Text("-".to_owned())
            }
        },
    }
}

fn fits(pattern: &Pattern, text: &str) -> bool {
    pattern.map(stored).matches(text)
}

fn holds(event: &Event, field: &Field, test: &Test) -> bool {
    if *field == Field::Named(FieldName::Tag) {
        return match test {
            Test::Text(pattern) => event.tags.iter().any(|tag| fits(pattern, &stored(tag))),
            _ => !event.tags.is_empty(),
        };
    }
    match (test, value(event, field)) {
        (_, Value::Missing) => false,
        (Test::Given, Value::Text(text)) => !text.is_empty(),
        (Test::Given, Value::Number(_)) => true,
        (Test::Text(pattern), Value::Text(text)) => fits(pattern, &text),
        (Test::Number { low, high }, Value::Number(n)) => {
            low.is_none_or(|low| low <= n) && high.is_none_or(|high| n <= high)
        }
        (Test::Time { from, to }, _) => {
            from.is_none_or(|from| from <= event.at) && to.is_none_or(|to| event.at < to)
        }
        (Test::Severity { low, high }, _) => (low..=high).contains(&&event.severity),
        (Test::Category(category), _) => *category == event.category,
        (Test::Outcome(outcome), _) => *outcome == event.outcome,
        (Test::Network(network), _) => {
            let address = event.source_ip.as_deref().and_then(|text| text.parse::<IpAddr>().ok());
            address.is_some_and(|address| network.contains(&address))
        }
        (Test::Text(_) | Test::Number { .. }, _) => false,
    }
}

/// As docs/search.md says it: the searched text is these parts, a line each.
pub(crate) fn searched(event: &Event) -> String {
    let http = event.http.as_ref();
    let parts = [
        Some(event.kind.as_str()),
        event.actor.as_deref(),
        event.source_ip.as_deref(),
        event.session.as_deref(),
        event.resource.as_deref(),
        event.action.as_deref(),
        http.map(|http| http.path.as_str()),
        http.and_then(|http| http.query.as_deref()),
        http.and_then(|http| http.headers.get("user-agent")).map(String::as_str),
    ];
    parts.into_iter().flatten().map(|part| format!("{}\n", lower(&stored(part)))).collect()
}

fn naive(event: &Event, expr: &Expr) -> bool {
    match expr {
        Expr::All(parts) => parts.iter().all(|part| naive(event, part)),
        Expr::Any(parts) => parts.iter().any(|part| naive(event, part)),
        Expr::Not(part) => !naive(event, part),
        Expr::Term(Term::Field(field, test)) => holds(event, field, test),
        Expr::Term(Term::Text(pattern)) => {
            let mut pieces = vec![String::new()];
            pieces.extend(pattern.pieces().iter().map(|piece| lower(&stored(piece))));
            pieces.push(String::new());
            Pattern::of(pieces).matches(&searched(event))
        }
    }
}

async fn check(world: &World, pool: &[(Event, String)], query: &Query) {
    let filter = EventFilter { query: query.clone(), ..EventFilter::default() };
    let found: Vec<Event> = world
        .store
        .event_page(&filter, None, 500)
        .await
        .unwrap_or_else(|error| panic!("{query}: {error}"))
        .rows;
    let mut expect: Vec<&Event> = pool
        .iter()
        .map(|(event, _)| event)
        .filter(|event| query.expr().is_none_or(|expr| naive(event, expr)))
        .collect();
    expect.sort_by_key(|event| std::cmp::Reverse((event.at, event.id)));
    assert_eq!(found.iter().collect::<Vec<_>>(), expect, "{query}");
}

async fn every_condition_finds_what_it_says(world: World) {
    let pool = pool(world.now());
    placed(&world, &pool).await;
    let mut queries: Vec<String> = FieldName::ALL.iter().map(|name| format!("{name}:*")).collect();
    queries.extend(
        [
            "anna",
            "ÄRGER",
            "q=*ger",
            "\"a%b\"",
            "a*b",
            "type:login_*",
            "type:LOGIN_SUCCESS",
            "severity:>=high",
            "severity:low..medium outcome:failure",
            "category:(authentication data_access)",
            "ip:203.0.113.0/27",
            "ip:2001:db8::/64",
            "ip:0.0.0.0/0",
            "ip:::/0",
            "ip:203.0.113.9",
            "country:de",
            "country:(DE nz) outcome:failure",
            "-country:DE",
            "-country:* ip:*",
            "country:D* or country:nowhere",
            "ip:203.*",
            "ip:2*",
            "ip:203.0.113.1*",
            "ip:203.0.*.9",
            "ip:203.00.*",
            "ip:build.*",
            "ip:not-there",
            "ip:203.0.113.*9 or ip:build-*",
            "ip:build-host",
            "user:Anna",
            "user:a*",
            "user:\"\"",
            "user:\"[a]?\"",
            r"user:\[a\]*",
            "user:nul*inside",
            r#"user:"back\\u0000slash""#,
            "session:s-*",
            "endpoint:/search",
            "resource:/search",
            "method:get",
            "path:/api/2/*",
            r"path:*/\[a\]?",
            "query:*=it's",
            "agent:agent/1",
            "body:*\\\"a*",
            "header.x-id:1*",
            "status:>=400",
            "status:200..299",
            "bytes:>20000",
            "bytes:..5000",
            "duration:7",
            "count:>1",
            "risk:<10",
            "tag:anna",
            "tag:*nul*",
            "details.order.id:8",
            "details.order.paid:true",
            "details.order.note:*",
            "details.order:*",
            "details.service:5.5",
            "details.service:*",
            "at:>=2000-01-01",
        ]
        .map(str::to_owned),
    );
    for text in queries {
        let query: Query = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        check(&world, &pool, &query).await;
        check(&world, &pool, &format!("-({text})").parse().unwrap()).await;
    }
    let id = pool[3].0.id.to_string();
    check(&world, &pool, &format!("id:{}", id.to_uppercase()).parse().unwrap()).await;
}

fn pattern() -> impl Strategy<Value = Pattern> {
    let piece = proptest::sample::select(vec![
        "",
        "a",
        "an",
        "anna",
        "b",
        "%",
        "_",
        "*",
        "?",
        "[",
        "]",
        "!",
        "'",
        "\"",
        "\\",
        "/api/",
        "ä",
        "-",
        ":",
        "or",
        "and",
        "x y",
        "(",
        ")",
        "<",
        ">",
        "..",
        "\u{0}",
        "203.0.113.",
        "s-",
    ]);
    proptest::collection::vec(piece, 1..4).prop_map(|pieces| {
        let pattern = Pattern::of(pieces.into_iter().map(str::to_owned).collect());
        // Only `*` alone would mean something else.
        if pattern.is_everything() { Pattern::exact("a") } else { pattern }
    })
}

fn bounds() -> impl Strategy<Value = (Option<i64>, Option<i64>)> {
    (0..600_i64, 0..600_i64, 0..4).prop_map(|(a, b, which)| match which {
        0 => (Some(a), None),
        1 => (None, Some(a)),
        2 => (Some(a), Some(a)),
        _ => (Some(a.min(b)), Some(a.max(b))),
    })
}

fn condition() -> impl Strategy<Value = Term> {
    use FieldName as N;
    let texts =
        vec![N::User, N::Session, N::Endpoint, N::Resource, N::Path, N::Query, N::Agent, N::Body, N::Tag];
    let numbers = vec![N::Status, N::Bytes, N::Duration, N::Count, N::Risk];
    prop_oneof![
        pattern().prop_filter("text is not empty", |p| p.as_exact() != Some("")).prop_map(Term::Text),
        (proptest::sample::select(texts), pattern())
            .prop_map(|(name, pattern)| Term::Field(Field::Named(name), Test::Text(pattern))),
        // Codes are read in capitals.
        proptest::sample::select(vec!["DE", "US", "OR", "AND", "XX"])
            .prop_map(|code| Term::Field(Field::Named(N::Country), Test::Text(Pattern::exact(code)))),
        (proptest::sample::select(numbers), bounds())
            .prop_map(|(name, (low, high))| Term::Field(Field::Named(name), Test::Number { low, high })),
        proptest::sample::select(FieldName::ALL.to_vec())
            .prop_map(|name| Term::Field(Field::Named(name), Test::Given)),
        (0..5_usize, 0..5_usize).prop_map(|(a, b)| Term::Field(
            Field::Named(N::Severity),
            Test::Severity { low: Severity::ALL[a.min(b)], high: Severity::ALL[a.max(b)] }
        )),
        proptest::sample::select(Category::ALL.to_vec())
            .prop_map(|one| Term::Field(Field::Named(N::Category), Test::Category(one))),
        proptest::sample::select(Outcome::ALL.to_vec())
            .prop_map(|one| Term::Field(Field::Named(N::Outcome), Test::Outcome(one))),
        (0..64_u8, 24..33_u8).prop_map(|(host, bits)| {
            let network = format!("203.0.113.{host}/{bits}").parse::<Network>().unwrap().trunc();
            Term::Field(Field::Named(N::Ip), Test::Network(network))
        }),
        pattern()
            .prop_map(|pattern| Term::Field(Field::Details(vec!["service".to_owned()]), Test::Text(pattern))),
        pattern().prop_map(|pattern| Term::Field(Field::Header("x-id".to_owned()), Test::Text(pattern))),
    ]
}

fn tree() -> impl Strategy<Value = Expr> {
    condition().prop_map(Expr::Term).prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Expr::All),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Expr::Any),
            inner.prop_map(|part| Expr::Not(Box::new(part))),
        ]
    })
}

proptest! {
    #![proptest_config(Config { cases: 600, failure_persistence: None, ..Config::default() })]

    #[test]
    fn a_print_reads_back_as_the_same_query(expr in tree()) {
        let query = Query::of(expr);
        let text = query.to_string();
        let read: Query = text.parse().map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
        prop_assert_eq!(read, query, "{}", text);
    }

    #[test]
    fn no_text_is_too_much(text in "(\\PC|[ :()\"*\\\\<>.-]|status|ip|or|not){0,60}") {
        match text.parse::<Query>() {
            Ok(query) => prop_assert_eq!(query.to_string().parse::<Query>().ok(), Some(query)),
            Err(fault) => prop_assert!(fault.at + fault.length <= text.chars().count(), "{:?}", fault),
        }
    }
}

async fn any_query_finds_what_it_says(world: World) {
    let pool = pool(world.now());
    placed(&world, &pool).await;
    let config = Config { failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[11; 32]));
    for _ in 0..300 {
        let expr = tree().new_tree(&mut runner).unwrap().current();
        check(&world, &pool, &Query::of(expr)).await;
    }
}

async fn figures_agree_with_the_rows(world: World) {
    let pool = pool(world.now());
    placed(&world, &pool).await;
    let asked =
        [FieldName::Session, FieldName::Status, FieldName::Path, FieldName::Resource, FieldName::Action];
    let facets: Vec<FieldName> = FACETS.into_iter().chain(asked).collect();
    let period = Period::new(world.now() - Duration::hours(5), world.now() - Duration::minutes(3)).unwrap();
    for text in ["", "severity:>=medium", "type:login_* -user:anna", "nothing-like-it"] {
        let query: Query = text.parse().unwrap();
        let filter = EventFilter { query: query.clone(), ..EventFilter::default() };
        for buckets in [1, 7, 120] {
            let figures = world.store.event_figures(&filter, period, buckets, &facets).await.unwrap();
            let rows: Vec<&Event> = pool
                .iter()
                .map(|(event, _)| event)
                .filter(|event| {
                    period.contains(event.at) && query.expr().is_none_or(|expr| naive(event, expr))
                })
                .collect();
            let times: u64 = rows.iter().map(|event| u64::from(event.count)).sum();
            assert_eq!(figures.total, times, "{text}");
            assert_eq!((figures.facet_rows, figures.facets_complete), (rows.len() as u64, true), "{text}");
            let histogram = &figures.histogram;
            let len = histogram.series[0].counts.len();
            assert!((1..=buckets as usize).contains(&len), "{len} buckets of {buckets}");
            for (severity, series) in Severity::ALL.iter().zip(&histogram.series) {
                let mut expect = vec![0; len];
                for event in rows.iter().filter(|event| event.severity == *severity) {
                    let bar = (event.at - histogram.start).num_seconds().unsigned_abs() / histogram.bucket_s;
                    expect[usize::try_from(bar).unwrap()] += u64::from(event.count);
                }
                assert_eq!((series.name.as_str(), &series.counts), (severity.as_str(), &expect), "{text}");
            }
            for facet in &figures.facets {
                assert!(
                    facet.values.len() <= 10
                        && facet.values.is_sorted_by_key(|value| std::cmp::Reverse(value.n))
                );
                for value in &facet.values {
                    let one = Pattern::exact(value.value.as_str());
                    let quoted = match facet.field.as_str() {
                        "severity" | "category" | "outcome" | "status" => {
                            format!("{}:{}", facet.field, value.value)
                        }
                        field => format!(
                            "{field}:{}",
                            Query::of(Expr::Term(Term::Field(
                                Field::Named(FieldName::User),
                                Test::Text(one)
                            )))
                            .to_string()
                            .trim_start_matches("user:")
                        ),
                    };
                    let narrowed: Query = format!(
                        "({quoted}) {}",
                        if text.is_empty() { String::new() } else { format!("({text})") }
                    )
                    .parse()
                    .unwrap();
                    let narrowed = EventFilter { query: narrowed, ..EventFilter::default() };
                    let again = world.store.event_figures(&narrowed, period, 1, &[]).await.unwrap();
                    assert_eq!(again.total, value.n, "{quoted} in {text:?} counts what it finds");
                }
            }
        }
    }
    for buckets in [0, 121] {
        let refused = world.store.event_figures(&EventFilter::default(), period, buckets, &[]).await;
        assert!(matches!(refused, Err(StoreError::Validation(_))), "{buckets} buckets");
    }
}
