//! What a team has set holds for replays and analyses too: rules, thresholds, suppressions.

use std::path::Path;

use watchpost_detect::RuleSet;
use watchpost_model::event::{Category, Event, Http};
use watchpost_model::finding::AttackFamily;
use watchpost_model::ids::EventId;
use watchpost_model::suppression::SuppressionScope;
use watchpost_ops::analyze::{Analysis, Basis, Context, analyze};
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{
    BacktestAgainst, IncidentPageRequest, Nothing, RuleBacktest, RuleChange, SuppressionAdd,
};
use watchpost_ops::door::operation;

use crate::door::{Desk, desk, folder};

const SOURCE: &str = "203.0.113.7";

fn attacks(desk: &Desk, n: i64) -> Vec<Event> {
    let now = desk.console.now();
    let attack = |nth: i64| {
        let at = now - chrono::Duration::seconds(600 - nth);
        let mut event = Event::new(EventId::at(at), at, Category::ApiUsage, "request");
        event.source_ip = Some(SOURCE.to_owned());
        event.http = Some(Http {
            method: "GET".to_owned(),
            path: "/shop/items".to_owned(),
            query: Some("id=1%27%20UNION%20SELECT%20password%20FROM%20users--".to_owned()),
            ..Http::default()
        });
        event
    };
    (0..n).map(attack).collect()
}

fn failures(n: i64) -> String {
    let line = |nth: i64| {
        let at = format!("2026-11-03T08:00:{:02}Z", nth * 2);
        format!(
            r#"{{"at": "{at}", "category": "authentication", "type": "login_failure", "outcome": "failure", "actor": "anna", "source_ip": "{SOURCE}"}}"#
        )
    };
    (0..n).map(line).collect::<Vec<_>>().join("\n")
}

async fn suppress(desk: &Desk, family: AttackFamily) {
    let request = SuppressionAdd {
        scope: SuppressionScope {
            family: Some(family),
            network: Some("203.0.113.0/24".to_owned()),
            ..SuppressionScope::default()
        },
        owner: None,
        reason: "our own test".to_owned(),
        expires_at: desk.console.now() + chrono::Duration::days(7),
    };
    desk.ask::<operation::suppression_add>(request).await.expect("an admin suppresses");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_without_a_change_counts_nothing_that_is_suppressed() {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    suppress(&desk, AttackFamily::Sqli).await;
    crate::response::report(&desk, &attacks(&desk, 5)).await;
    let page = desk.ask::<operation::incident_page>(IncidentPageRequest::default()).await.expect("a page");
    let sqli = page.rows.iter().filter(|incident| incident.family == AttackFamily::Sqli).count();
    assert_eq!(sqli, 0, "it is suppressed");
    let replay = RuleBacktest { period: None, directory: None, change: None, ticket: None };
    let replay = desk.ask::<operation::rule_backtest>(replay).await.expect("replayed");
    assert_eq!((replay.events, replay.against), (5, BacktestAgainst::Recorded));
    assert!(replay.findings_hidden >= 5, "{replay:?}");
    assert_eq!(
        (replay.findings_after, replay.incidents_after),
        (replay.findings_before, replay.incidents_before),
        "nothing was changed, so nothing is different: {replay:?}"
    );
    desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_later_suppression_covers_is_told_neither_before_nor_after() {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    crate::response::report(&desk, &attacks(&desk, 5)).await;
    let replay = || RuleBacktest { period: None, directory: None, change: None, ticket: None };
    let open = desk.ask::<operation::rule_backtest>(replay()).await.expect("replayed");
    assert!(open.findings_before >= 5 && open.findings_hidden == 0, "{open:?}");
    suppress(&desk, AttackFamily::Sqli).await;
    let replay = desk.ask::<operation::rule_backtest>(replay()).await.expect("replayed");
    assert!(replay.findings_hidden >= 5, "{replay:?}");
    assert!(replay.findings_before < open.findings_before, "{open:?}, {replay:?}");
    assert_eq!(
        (replay.findings_after, replay.incidents_after),
        (replay.findings_before, replay.incidents_before),
        "nothing was changed, so nothing is different: {replay:?}"
    );
    desk.console.close().await;
}

async fn analysed(basis: Basis, log: &Path) -> Analysis {
    let (log, now) = (log.to_owned(), "2026-11-04T00:00:00Z".parse().expect("a literal time"));
    let work = move || analyze(&log, "jsonl", basis, Context::default(), now);
    tokio::task::spawn_blocking(work).await.expect("it ends").expect("the log is read")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_analysis_goes_by_the_workspace() {
    let home = folder();
    let desk = desk(&home, Tenure::Reader, local_connection()).await;
    let log = home.path().join("auth.jsonl");
    std::fs::write(&log, failures(4)).expect("the folder is ours");
    let brute = |told: &Analysis| {
        told.incidents.iter().filter(|incident| incident.family == AttackFamily::BruteForce).count()
    };
    let as_shipped = analysed(Basis::of_rules(RuleSet::embedded()), &log).await;
    assert_eq!((brute(&as_shipped), as_shipped.basis.connection.as_deref()), (0, None), "four are too few");

    let change = RuleChange {
        id: "wp.brute.source".to_owned(),
        enabled: None,
        threshold: Some(3),
        window_s: None,
        reason: None,
    };
    desk.ask::<operation::rule_set>(change).await.expect("set");
    let basis = || Basis::of_workspace(&desk.console, None);
    let told = analysed(basis().await.expect("it is open"), &log).await;
    assert_eq!(brute(&told), 1, "the team's threshold counts");
    assert_eq!((told.basis.connection.as_deref(), told.basis.adjusted), (Some("local"), 1));

    suppress(&desk, AttackFamily::BruteForce).await;
    let told = analysed(basis().await.expect("it is open"), &log).await;
    assert_eq!((brute(&told), told.basis.suppressions), (0, 1), "and so do its suppressions");
    assert!(told.findings_hidden > 0);
    assert!(desk.ask::<operation::redis_health>(Nothing {}).await.is_err(), "a reader starts no Redis");
    desk.console.close().await;
}
