//! Verdicts over what `INFO` and the other questions say, metric by metric.

use watchpost_model::health::Metric;
use watchpost_model::health::NodeHealth;
use watchpost_model::health::Unit;
use watchpost_model::health::Verdict;

use super::Reading;
use super::assess;
use super::sentinels;
use super::skew;
use crate::asked::Asked;
use crate::asked::LatencyEvent;
use crate::asked::Logged;
use crate::asked::Why;
use crate::info::Info;
use crate::sentinel::Quorum;

const SERVER: &str = "run_id:aa\r\nrole:master\r\nused_memory:200000000\r\nallocator_allocated:200000000\r\n\
    total_system_memory:10000000000\r\nmaxmemory:1000000000\r\nconnected_clients:10\r\n\
    rdb_last_save_time:1000\r\nrdb_changes_since_last_save:7\r\ntotal_error_replies:0\r\n\
    acl_access_denied_auth:0\r\nacl_access_denied_cmd:0\r\nacl_access_denied_key:0\r\nacl_access_denied_channel:0\r\n";

/// `SERVER` at a second of its clock, with some fields replaced or added, and further answers.
fn at(seconds: u64, fields: &str, asked: Asked) -> Reading {
    // What comes later in the text counts.
    let text = format!("{SERVER}server_time_usec:{}\r\n{fields}\r\n", seconds * 1_000_000);
    Reading { info: Info::parse(&text), asked, ..Reading::default() }
}

fn plain(seconds: u64, fields: &str) -> Reading {
    at(seconds, fields, Asked::default())
}

fn of(metrics: &[Metric], name: &str) -> Metric {
    metrics.iter().find(|metric| metric.name == name).unwrap_or_else(|| panic!("no metric {name}")).clone()
}

fn one(reading: &Reading, name: &str) -> (Option<f64>, Verdict) {
    let metric = of(&assess(None, reading), name);
    (metric.value, metric.verdict)
}

fn two(before: &Reading, after: &Reading, name: &str) -> (Option<f64>, Verdict) {
    let metric = of(&assess(Some(before), after), name);
    (metric.value, metric.verdict)
}

#[test]
fn no_limit_is_a_finding_and_matters_when_much_is_used() {
    assert_eq!(one(&plain(2_000, ""), "memory_unlimited"), (Some(0.0), Verdict::Ok));
    let little = plain(2_000, "maxmemory:0");
    assert_eq!(one(&little, "memory_unlimited"), (Some(1.0), Verdict::Ok));
    assert!(of(&assess(None, &little), "memory_unlimited").basis.contains("a finding"));
    let much = plain(2_000, "maxmemory:0\r\nused_memory:1100000000");
    assert_eq!(one(&much, "memory_unlimited"), (Some(1.0), Verdict::Warning));
}

#[test]
fn clients_are_judged_by_their_mean() {
    assert_eq!(one(&plain(1, "mem_clients_normal:1000000"), "clients_memory_bytes").1, Verdict::Ok);
    assert_eq!(one(&plain(1, "mem_clients_normal:3000000"), "clients_memory_bytes").1, Verdict::Warning);
    assert_eq!(one(&plain(1, ""), "clients_memory_bytes"), (None, Verdict::Unknown));
}

#[test]
fn an_idle_event_loop_is_not_judged() {
    let before = plain(100, "eventloop_duration_sum:0\r\neventloop_cycles:0");
    let idle = plain(110, "eventloop_duration_sum:200000\r\neventloop_cycles:100");
    assert_eq!(two(&before, &idle, "event_loop_ms"), (Some(2.0), Verdict::Ok));
    let busy = plain(110, "eventloop_duration_sum:6000000\r\neventloop_cycles:3000");
    assert_eq!(two(&before, &busy, "event_loop_ms"), (Some(2.0), Verdict::Warning));
    assert_eq!(two(&plain(100, ""), &plain(110, ""), "event_loop_ms"), (None, Verdict::Unknown));
}

#[test]
fn percentiles_are_of_the_commands_in_between() {
    let with = |seconds, took: &[(u64, u64)]| {
        let took = Ok(took.iter().copied().collect());
        at(seconds, "", Asked { took, ..Asked::default() })
    };
    let before = with(100, &[(1, 1_000), (16_896, 50)]);
    let after = with(110, &[(1, 1_900), (16_896, 150)]);
    assert_eq!(two(&before, &after, "command_p50_ms"), (Some(0.001), Verdict::Ok));
    assert_eq!(two(&before, &after, "command_p99_ms"), (Some(16.896), Verdict::Warning));
    let few = with(110, &[(1, 1_000), (16_896, 149)]);
    assert_eq!(two(&before, &few, "command_p99_ms"), (None, Verdict::Unknown), "99 calls");
    let reset = with(110, &[(1, 900), (16_896, 200)]);
    assert_eq!(two(&before, &reset, "command_p99_ms"), (None, Verdict::Unknown), "CONFIG RESETSTAT");
    let lacking = at(110, "", Asked { took: Err(Why::Lacking), ..Asked::default() });
    let metric = of(&assess(Some(&before), &lacking), "command_p99_ms");
    assert!(metric.value.is_none() && metric.basis.contains("has no LATENCY HISTOGRAM"), "{metric:?}");
}

#[test]
fn events_of_the_latency_monitor_count_while_they_are_young() {
    let with = |at_s, latest_ms, threshold: &str| {
        let events = Ok(vec![LatencyEvent { name: "fork".to_owned(), at_s, latest_ms }]);
        at(10_000, "", Asked { events, event_threshold: Ok(threshold.to_owned()), ..Asked::default() })
    };
    assert_eq!(one(&with(9_990, 150, "100"), "latency_event_ms"), (Some(150.0), Verdict::Warning));
    assert_eq!(one(&with(5_000, 150, "100"), "latency_event_ms"), (Some(0.0), Verdict::Ok));
    assert_eq!(one(&with(5_000, 150, "0"), "latency_event_ms"), (None, Verdict::Unknown), "it is off");
}

#[test]
fn slow_commands_count_when_they_keep_coming() {
    let with = |ages: &[i64]| {
        let slow = ages.iter().map(|age| Logged { at_s: 10_000 - *age, own: false }).collect();
        at(10_000, "", Asked { slow: Ok(slow), ..Asked::default() })
    };
    let rate = |ages: &[i64]| one(&with(ages), "slow_commands_per_min");
    assert_eq!(rate(&[]), (Some(0.0), Verdict::Ok));
    assert_eq!(rate(&[5, 100, 4_000]), (Some(0.4), Verdict::Ok));
    assert_eq!(rate(&[1; 10]), (Some(2.0), Verdict::Warning));
    // As many as are kept, all of ten seconds, and of two minutes.
    assert_eq!(rate(&[10; 128]), (Some(128.0), Verdict::Critical));
    assert_eq!(rate(&[120; 128]), (Some(64.0), Verdict::Critical));
    assert_eq!(one(&plain(1, ""), "large_replies_per_min"), (None, Verdict::Unknown));
}

#[test]
fn slow_commands_of_watchpost_itself_are_told_and_not_judged() {
    let entries = |own: usize, others: usize| {
        let of = |own, n| std::iter::repeat_n(Logged { at_s: 9_990, own }, n);
        let log: Vec<Logged> = of(true, own).chain(of(false, others)).collect();
        at(10_000, "", Asked { slow: Ok(log.clone()), large_requests: Ok(log), ..Asked::default() })
    };
    for name in ["slow_commands_per_min", "large_requests_per_min"] {
        assert_eq!(one(&entries(90, 0), name), (Some(0.0), Verdict::Ok));
        assert_eq!(one(&entries(90, 10), name), (Some(2.0), Verdict::Warning));
        let metric = of(&assess(None, &entries(90, 2)), name);
        assert!(
            metric.basis.contains("2 entries") && metric.basis.contains("90 more of Watchpost itself"),
            "{metric:?}"
        );
    }
    // They fill the log: what others did before its ten seconds is not known, and does not follow from these.
    assert_eq!(one(&entries(117, 11), "slow_commands_per_min"), (Some(11.0), Verdict::Warning));
    assert_eq!(one(&entries(128, 0), "slow_commands_per_min"), (Some(0.0), Verdict::Ok));
    let metric = of(&assess(None, &entries(117, 11)), "slow_commands_per_min");
    assert!(metric.basis.contains("11 entries in 10 s") && metric.basis.contains("a minute"), "{metric:?}");
}

#[test]
fn refusals_are_counted_by_what_the_server_has() {
    let before = plain(100, "");
    let after = plain(110, "acl_access_denied_cmd:4\r\nacl_access_denied_key:3\r\nerrorstat_NOAUTH:count=2");
    assert_eq!(two(&before, &after, "acl_denied"), (Some(7.0), Verdict::Warning));
    assert_eq!(two(&before, &after, "not_logged_in"), (Some(2.0), Verdict::Ok));
    assert_eq!(two(&before, &after, "logins_refused"), (Some(0.0), Verdict::Ok));
    let old = |seconds: u64, n: u64| Reading {
        info: Info::parse(&format!(
            "run_id:a\r\nserver_time_usec:{}\r\ntotal_error_replies:{n}\r\nerrorstat_NOPERM:count={n}\r\n",
            seconds * 1_000_000
        )),
        ..Reading::default()
    };
    assert_eq!(two(&old(100, 1), &old(110, 3), "acl_denied"), (Some(2.0), Verdict::Ok), "6.2 and 7.0");
    assert_eq!(two(&old(100, 1), &old(110, 3), "logins_refused"), (None, Verdict::Unknown));
}

#[test]
fn a_save_is_overdue_only_where_there_is_one_to_make() {
    let days = |n: u64| 1_000 + n * 86_400;
    let with = |seconds, fields: &str, save: Result<&str, Why>| {
        let asked = Asked { save: save.map(ToOwned::to_owned), ..Asked::default() };
        one(&at(seconds, fields, asked), "last_save_age_s").1
    };
    assert_eq!(with(days(3), "", Ok("3600 1")), Verdict::Warning);
    assert_eq!(with(days(8), "", Ok("3600 1")), Verdict::Critical);
    assert_eq!(with(days(8), "", Ok("")), Verdict::Ok, "it does not save by itself");
    assert_eq!(with(days(8), "rdb_changes_since_last_save:0", Ok("3600 1")), Verdict::Ok, "nothing new");
    assert_eq!(with(days(8), "", Err(Why::Forbidden)), Verdict::Unknown);
}

#[test]
fn replicas_and_what_the_backlog_covers() {
    let before = "connected_slaves:2\r\nmaster_repl_offset:1000000\r\nrepl_backlog_size:1048576\r\n\
                  repl_backlog_histlen:1048576\r\n";
    let after = "connected_slaves:2\r\nmaster_repl_offset:2000000\r\nrepl_backlog_size:1048576\r\n\
                 repl_backlog_histlen:1048576\r\nslave0:ip=a,port=1,state=online,offset=1999000,lag=0\r\n\
                 slave1:ip=b,port=1,state=online,offset=1500000,lag=1\r\n";
    let (before, after) = (plain(100, before), plain(110, after));
    assert_eq!(two(&before, &after, "replica_gap_bytes"), (Some(500_000.0), Verdict::Ok));
    let cover = two(&before, &after, "repl_backlog_cover_s");
    assert!(cover.0.is_some_and(|s| s > 10.0 && s < 11.0) && cover.1 == Verdict::Warning, "{cover:?}");
    let alone = assess(None, &plain(1, "connected_slaves:0"));
    assert!(alone.iter().all(|metric| metric.name != "repl_backlog_cover_s"), "there is nobody to cover");
    let replica = plain(1, "role:slave\r\nslave_read_repl_offset:900\r\nslave_repl_offset:400");
    assert_eq!(one(&replica, "replica_gap_bytes"), (Some(500.0), Verdict::Ok));
}

#[test]
fn a_cluster_tells_its_state() {
    let with = |text: &str| {
        let asked = Asked { cluster: Ok(Info::parse(text)), ..Asked::default() };
        assess(None, &at(1, "cluster_enabled:1", asked))
    };
    let well = with("cluster_state:ok\r\ncluster_slots_pfail:0\r\ncluster_slots_fail:0\r\n");
    let ill = with("cluster_state:fail\r\ncluster_slots_pfail:5461\r\ncluster_slots_fail:1\r\n");
    for (name, verdict) in [
        ("cluster_down", Verdict::Critical),
        ("cluster_slots_suspect", Verdict::Warning),
        ("cluster_slots_failed", Verdict::Critical),
    ] {
        assert_eq!((of(&well, name).verdict, of(&ill, name).verdict), (Verdict::Ok, verdict), "{name}");
    }
    let denied = assess(None, &plain(1, "cluster_enabled:1"));
    assert_eq!(of(&denied, "cluster_down").value, None);
}

#[test]
fn a_primary_is_too_large_by_the_median() {
    let node = |mib: f64, own| NodeHealth {
        node: "a".to_owned(),
        server: String::new(),
        slots: 1,
        own,
        verdict: Verdict::Ok,
        metrics: vec![Metric::judged(
            "memory_used_bytes",
            "",
            Unit::Bytes,
            Some(mib * 1_048_576.0),
            None,
            "",
        )],
        problem: None,
    };
    let of = |nodes: &[NodeHealth]| {
        let metric = skew(nodes);
        (metric.value, metric.verdict)
    };
    let even = [node(10.0, true), node(10.0, false), node(12.0, false)];
    assert_eq!(of(&even), (Some(1.2), Verdict::Ok));
    let large = [node(10.0, true), node(10.0, false), node(20.0, false)];
    assert_eq!(of(&large), (Some(2.0), Verdict::Warning));
    let ours = [node(20.0, true), node(10.0, false), node(10.0, false)];
    assert_eq!(of(&ours), (Some(2.0), Verdict::Ok), "the events are where they have to be");
    assert_eq!(of(&[node(1.0, false), node(4.0, false)]), (None, Verdict::Unknown), "too small to judge");
}

#[test]
fn sentinels_without_a_majority_are_critical() {
    let of = |silent: usize, missed: usize| {
        let list = |n| vec!["127.0.0.1:1: down".to_owned(); n];
        let reached = 3 - silent - missed;
        let metrics = sentinels(&Quorum { asked: 3, reached, missed: list(missed), silent: list(silent) });
        (metrics[0].verdict, metrics[1].verdict)
    };
    assert_eq!(of(0, 0), (Verdict::Ok, Verdict::Ok));
    assert_eq!(of(1, 0), (Verdict::Warning, Verdict::Ok));
    assert_eq!(of(2, 0), (Verdict::Critical, Verdict::Ok));
    assert_eq!(of(2, 1), (Verdict::Critical, Verdict::Critical));
    assert_eq!(of(3, 0), (Verdict::Critical, Verdict::Unknown));
}
