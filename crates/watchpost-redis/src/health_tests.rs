//! Verdicts over literal `INFO` samples.

use watchpost_model::health::Metric;
use watchpost_model::health::Verdict;

use super::Reading;
use super::assess;
use super::percentile;
use super::worst;
use crate::backlog::Backlog;
use crate::info::Info;

/// What a fresh, empty Redis 7.0 says, shortened; its `mem_fragmentation_ratio` is famous for false alarms.
const EMPTY: &str = "redis_version:7.0.15\r\nrun_id:aaaa\r\nserver_time_usec:1000000000\r\nuptime_in_seconds:1\r\n\
    connected_clients:1\r\nmaxclients:10000\r\nused_memory:916288\r\nused_memory_rss:11984896\r\n\
    used_memory_peak:916288\r\nallocator_allocated:1690848\r\nallocator_frag_ratio:1.68\r\n\
    allocator_frag_bytes:135968\r\ntotal_system_memory:25276502016\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n\
    mem_fragmentation_ratio:13.84\r\nmem_not_counted_for_evict:0\r\nrdb_last_bgsave_status:ok\r\n\
    aof_enabled:0\r\naof_last_write_status:ok\r\naof_last_bgrewrite_status:ok\r\ntotal_commands_processed:10\r\n\
    expired_keys:0\r\nevicted_keys:0\r\nkeyspace_hits:0\r\nkeyspace_misses:0\r\nrejected_connections:0\r\n\
    expired_stale_perc:0.00\r\ntotal_error_replies:0\r\nlatest_fork_usec:0\r\ntotal_forks:0\r\nrole:master\r\n\
    connected_slaves:0\r\nused_cpu_sys_main_thread:0.0\r\nused_cpu_user_main_thread:0.009\r\n\
    cmdstat_ping:calls=5,usec=10,usec_per_call=2.00\r\n";

fn reading(text: &str) -> Reading {
    let backlog = Some(Backlog { lag: 0, pending: 0, unadopted: Some(0) });
    Reading {
        info: Info::parse(text),
        pings_ms: vec![0.1; 7],
        backlog,
        events_per_min: Some(0.0),
        ..Reading::default()
    }
}

/// `EMPTY` with some fields replaced or added.
fn with(changes: &[(&str, &str)]) -> Reading {
    let mut text = EMPTY.to_owned();
    for (name, value) in changes {
        let kept: Vec<&str> =
            text.split("\r\n").filter(|line| !line.starts_with(&format!("{name}:"))).collect();
        text = format!("{}\r\n{name}:{value}\r\n", kept.join("\r\n"));
    }
    reading(&text)
}

fn metric<'a>(metrics: &'a [Metric], name: &str) -> &'a Metric {
    metrics.iter().find(|metric| metric.name == name).unwrap_or_else(|| panic!("no metric {name}"))
}

fn later(changes: &[(&str, &str)]) -> Reading {
    let mut all = vec![("server_time_usec", "1010000000"), ("uptime_in_seconds", "11")];
    all.extend_from_slice(changes);
    with(&all)
}

#[test]
fn an_empty_server_is_healthy() {
    for before in [None, Some(with(&[]))] {
        let metrics = assess(before.as_ref(), &later(&[]));
        for metric in &metrics {
            assert!(matches!(metric.verdict, Verdict::Ok | Verdict::Unknown), "{metric:?}");
            assert!(metric.value.is_none_or(f64::is_finite), "{metric:?}");
        }
        assert_eq!(worst(&metrics), Verdict::Ok);
        let fragmentation = metric(&metrics, "fragmentation_ratio");
        assert_eq!(fragmentation.value, None);
        assert!(fragmentation.basis.contains("too small to judge"));
        let memory = metric(&metrics, "memory_used_ratio");
        assert!(memory.value.unwrap() < 0.001 && memory.basis.contains("no maxmemory"), "{memory:?}");
    }
}

#[test]
fn one_sample_makes_no_rate() {
    let metrics = assess(None, &with(&[]));
    for name in
        ["ops_per_s", "command_latency_ms", "expired_per_s", "evicted_keys", "writes_refused", "hit_ratio"]
    {
        let metric = metric(&metrics, name);
        assert_eq!((metric.value, metric.verdict), (None, Verdict::Unknown), "{name}");
    }
}

#[test]
fn rates_are_differences_of_one_process() {
    let now = later(&[
        ("total_commands_processed", "110"),
        ("expired_keys", "20"),
        ("cmdstat_ping", "calls=10,usec=30,usec_per_call=3.00"),
        ("cmdstat_get", "calls=5,usec=99980,usec_per_call=1.00"),
    ]);
    let metrics = assess(Some(&with(&[])), &now);
    assert_eq!(metric(&metrics, "ops_per_s").value, Some(10.0));
    assert_eq!(metric(&metrics, "expired_per_s").value, Some(2.0));
    assert!(metric(&metrics, "ops_per_s").basis.ends_with("Watchpost's own included"), "it has not looked");
    let looked = Reading { looks: 80, ..now.clone() };
    let metrics_of_look = assess(Some(&with(&[])), &looked);
    let commands = metric(&metrics_of_look, "ops_per_s");
    assert_eq!(commands.value, Some(10.0));
    assert!(commands.basis.contains("is 8/s of them"), "{}", commands.basis);
    let latency = metric(&metrics, "command_latency_ms");
    assert_eq!((latency.value, latency.verdict), (Some(10.0), Verdict::Warning), "100,000 us over 10 calls");

    let restarted = later(&[("run_id", "bbbb"), ("total_commands_processed", "110")]);
    assert_eq!(metric(&assess(Some(&with(&[])), &restarted), "ops_per_s").value, None, "another process");
    let reset =
        later(&[("total_commands_processed", "3"), ("cmdstat_ping", "calls=1,usec=2,usec_per_call=2.00")]);
    let metrics = assess(Some(&with(&[])), &reset);
    assert_eq!(metric(&metrics, "ops_per_s").value, None, "CONFIG RESETSTAT");
    assert_eq!(metric(&metrics, "command_latency_ms").value, None, "CONFIG RESETSTAT");
}

#[test]
fn memory_is_judged_against_its_limit() {
    for (used, expect) in
        [("60", Verdict::Ok), ("70", Verdict::Ok), ("71", Verdict::Warning), ("86", Verdict::Critical)]
    {
        let mib = |text: &str| (text.parse::<u64>().unwrap() << 20).to_string();
        let now = with(&[("maxmemory", &mib("100")), ("used_memory", &mib(used))]);
        let metrics = assess(None, &now);
        assert_eq!(metric(&metrics, "memory_used_ratio").verdict, expect, "{used} %");
        let excused = with(&[
            ("maxmemory", &mib("100")),
            ("used_memory", &mib(used)),
            ("mem_not_counted_for_evict", &mib("50")),
        ]);
        assert_eq!(
            metric(&assess(None, &excused), "memory_used_ratio").verdict,
            Verdict::Ok,
            "replica buffers"
        );
    }
    let silent = Reading { info: Info::parse("redis_version:6.2.0\r\n"), ..Reading::default() };
    let memory = assess(None, &silent);
    assert_eq!(metric(&memory, "memory_used_ratio").verdict, Verdict::Unknown);
    assert!(
        memory.iter().all(|metric| metric.value.is_none()),
        "what a server does not say is not zero: {memory:?}"
    );
    assert_eq!(worst(&memory), Verdict::Unknown);
}

#[test]
fn fragmentation_needs_ratio_and_bytes() {
    let large = ("allocator_allocated", "500000000");
    let of = |ratio, bytes| {
        let now = with(&[large, ("allocator_frag_ratio", ratio), ("allocator_frag_bytes", bytes)]);
        metric(&assess(None, &now), "fragmentation_ratio").verdict
    };
    assert_eq!(of("1.60", "300000000"), Verdict::Warning);
    assert_eq!(of("1.60", "50000000"), Verdict::Ok, "few bytes");
    assert_eq!(of("1.20", "300000000"), Verdict::Ok, "a normal ratio");
}

#[test]
fn losses_are_critical() {
    for (name, field, value) in [
        ("evicted_keys", "evicted_keys", "1"),
        ("writes_refused", "errorstat_OOM", "count=1"),
        ("persistence_failures", "aof_last_write_status", "err"),
    ] {
        let metrics = assess(Some(&with(&[])), &later(&[(field, value)]));
        assert_eq!(metric(&metrics, name).verdict, Verdict::Critical, "{name}");
        assert_eq!(worst(&metrics), Verdict::Critical);
    }
}

#[test]
fn swap_takes_two_samples() {
    let swapped = [("used_memory", "900000000"), ("used_memory_rss", "300000000")];
    let at = |before: Option<&Reading>| metric(&assess(before, &later(&swapped)), "swapped").verdict;
    assert_eq!(at(None), Verdict::Unknown);
    assert_eq!(at(Some(&with(&[]))), Verdict::Ok);
    assert_eq!(at(Some(&with(&swapped))), Verdict::Critical);
}

#[test]
fn replicas_and_primaries() {
    let replica = [("role", "slave"), ("master_link_status", "up"), ("master_last_io_seconds_ago", "2")];
    let metrics = assess(Some(&with(&replica)), &later(&replica));
    assert_eq!(metric(&metrics, "replication_lag_s").verdict, Verdict::Ok);
    assert_eq!(metric(&metrics, "expired_per_s").value, None, "a replica does not count expiries");
    let stale = metric(&metrics, "expired_stale_ratio");
    assert_eq!((stale.value, stale.verdict), (None, Verdict::Unknown), "nor look for them: {stale:?}");
    assert_eq!(metric(&assess(None, &with(&[])), "expired_stale_ratio").value, Some(0.0));
    let down = [("role", "slave"), ("master_link_status", "down"), ("master_last_io_seconds_ago", "-1")];
    assert_eq!(metric(&assess(None, &with(&down)), "replication_lag_s").verdict, Verdict::Critical);
    let primary = [
        ("connected_slaves", "2"),
        ("slave0", "ip=10.0.0.1,port=6379,state=online,offset=5,lag=1"),
        ("slave1", "ip=10.0.0.2,port=6379,state=online,offset=5,lag=30"),
    ];
    let metrics = assess(None, &with(&primary));
    let lag = metric(&metrics, "replication_lag_s");
    assert_eq!((lag.value, lag.verdict), (Some(30.0), Verdict::Warning), "the slowest counts");
    let copying = [
        ("connected_slaves", "2"),
        ("slave0", "ip=10.0.0.1,port=6379,state=online,offset=5,lag=1"),
        ("slave1", "ip=10.0.0.2,port=6379,state=wait_bgsave,offset=0,lag=0"),
    ];
    let metrics = assess(None, &with(&copying));
    let lag = metric(&metrics, "replication_lag_s");
    assert_eq!((lag.value, lag.verdict), (None, Verdict::Warning), "0 seconds behind is not so: {lag:?}");
    assert!(lag.basis.contains("1 of 2 replicas has no whole copy yet (wait_bgsave)"), "{lag:?}");
}

#[test]
fn the_engines_figures_are_judged() {
    let mut now = with(&[]);
    now.events_per_min = Some(1_001.0);
    now.backlog = Some(Backlog { lag: 50_001, pending: 0, unadopted: None });
    now.pings_ms = vec![1.0, 2.0, 30.0, 40.0, 50.0];
    let metrics = assess(None, &now);
    assert_eq!(metric(&metrics, "events_per_min").verdict, Verdict::Warning);
    assert_eq!(metric(&metrics, "backlog").verdict, Verdict::Critical);
    assert_eq!(metric(&metrics, "round_trip_ms").verdict, Verdict::Critical);
}

#[test]
fn percentiles() {
    assert_eq!(percentile(&[], 0.5), None);
    assert_eq!(percentile(&[3.0], 0.99), Some(3.0));
    assert_eq!(percentile(&[3.0, 1.0, 2.0], 0.5), Some(2.0));
    assert_eq!(percentile(&[1.0, 2.0, 3.0, 4.0], 0.99), Some(4.0));
}
