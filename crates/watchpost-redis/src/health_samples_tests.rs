//! Verdicts over what servers really said: `INFO everything` as it was recorded, without what names the machine. Each
//! server twice empty, three seconds apart, then twice with 20,000 hashes, of which half ran out in between and one write
//! was refused because the server was full. Redis 6.2, 7.0 and 8.0, and Valkey 8.1.

use watchpost_model::health::Metric;
use watchpost_model::health::Verdict;

use super::Reading;
use super::assess;
use super::worst;
use crate::info::Info;

struct Server {
    version: &'static str,
    empty: [&'static str; 2],
    busy: [&'static str; 2],
}

macro_rules! server {
    ($version:literal) => {
        Server {
            version: $version,
            empty: [
                include_str!(concat!("samples/info-", $version, "-empty-1.txt")),
                include_str!(concat!("samples/info-", $version, "-empty-2.txt")),
            ],
            busy: [
                include_str!(concat!("samples/info-", $version, "-busy-1.txt")),
                include_str!(concat!("samples/info-", $version, "-busy-2.txt")),
            ],
        }
    };
}

const SERVERS: [Server; 4] =
    [server!("6.2.14"), server!("7.0.15"), server!("8.0.2"), server!("valkey-8.1.1")];

fn reading(text: &str) -> Reading {
    Reading {
        info: Info::parse(text),
        pings_ms: vec![0.1; 7],
        backlog: None,
        events_per_min: None,
        ..Reading::default()
    }
}

fn metrics(pair: [&str; 2]) -> Vec<Metric> {
    assess(Some(&reading(pair[0])), &reading(pair[1]))
}

fn value(metrics: &[Metric], name: &str) -> Option<f64> {
    metrics.iter().find(|metric| metric.name == name).unwrap_or_else(|| panic!("no metric {name}")).value
}

#[test]
fn no_recorded_empty_server_raises_an_alarm() {
    for server in SERVERS {
        let metrics = metrics(server.empty);
        assert_eq!(worst(&metrics), Verdict::Ok, "{}: {metrics:?}", server.version);
        for metric in &metrics {
            assert!(metric.value.is_none_or(f64::is_finite), "{}: {metric:?}", server.version);
            assert!(
                matches!(metric.verdict, Verdict::Ok | Verdict::Unknown),
                "{}: {metric:?}",
                server.version
            );
        }
    }
}

#[test]
fn what_happened_to_a_recorded_server_is_told_whatever_its_version() {
    for server in SERVERS {
        let metrics = metrics(server.busy);
        let version = server.version;
        let refused = metrics.iter().find(|metric| metric.name == "writes_refused").expect("it is told");
        assert_eq!(
            (refused.value, refused.verdict),
            (Some(1.0), Verdict::Critical),
            "{version}: {refused:?}"
        );
        let expired = value(&metrics, "expired_per_s").expect("two samples of one process make a rate");
        assert!(expired * 5.0 > 9_000.0, "{version}: of 10,000 that ran out, {expired} a second");
        assert!(
            value(&metrics, "memory_used_ratio").is_some_and(|used| used > 0.05 && used < 0.2),
            "{version}"
        );
        assert!(value(&metrics, "ops_per_s").is_some_and(|ops| ops > 0.0), "{version}");
        for metric in metrics.iter().filter(|metric| metric.name != "writes_refused") {
            assert!(matches!(metric.verdict, Verdict::Ok | Verdict::Unknown), "{version}: {metric:?}");
        }
    }
}
