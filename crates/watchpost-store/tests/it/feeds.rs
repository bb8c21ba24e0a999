//! How long feeds are silent, and on which days somebody looked at them, on both engines.

use chrono::{DateTime, Duration, Utc};
use watchpost_model::event::Category;
use watchpost_model::evidence::{EvidenceAnswer, EvidenceAsk, EvidenceParams, EvidenceQuery};
use watchpost_model::finding::AttackFamily;
use watchpost_model::incident::{Status, Verdict};
use watchpost_model::period::Period;
use watchpost_model::register::RegisterKind;
use watchpost_store::{IncidentPatch, Lost};

use crate::evidence::{SEED, ask, counts, entry, good, params, put, with};
use crate::support::{World, both, draft, events, finding};

both!(
    silence_is_measured_from_event_to_event,
    explained_silence_is_excused,
    each_day_is_looked_at_in_time,
    what_was_lost_is_counted_and_explained,
);

async fn silence(world: &World, families: Vec<AttackFamily>, period: Period) -> EvidenceAnswer {
    let params = EvidenceParams {
        families,
        good_within: Some("5min".parse().unwrap()),
        warn_within: Some("899s".parse().unwrap()),
        ..EvidenceParams::default()
    };
    let ask = EvidenceAsk { query: EvidenceQuery::FeedSilence, params };
    world.store.evidence(&ask, period, world.now(), &SEED).await.unwrap()
}

/// A round hour, a day ago.
fn start(world: &World) -> DateTime<Utc> {
    let hours = world.now().timestamp() / 3_600 - 24;
    DateTime::from_timestamp(hours * 3_600, 0).unwrap()
}

async fn silence_is_measured_from_event_to_event(world: World) {
    let start = start(&world);
    // Seconds after the begin: whatever the counters of five minutes make of them, the stretches are what they are.
    type Told = (u64, u64, u64);
    let cases: [(i64, &[i64], Told); 6] = [
        (0, &[0, 299, 599], (1, 0, 0)),
        (1, &[0, 301, 599], (1, 1, 0)),
        (2, &[0, 599, 1_498], (1, 1, 0)),
        (3, &[299, 1_199], (1, 0, 1)),
        (4, &[0, 1_500, 1_502], (1, 0, 1)),
        (5, &[0], (1, 0, 0)),
    ];
    let mut batch = events(60, start);
    let mut given = batch.iter_mut();
    for (hour, seconds, _) in cases {
        for second in seconds {
            let (event, _) = given.next().unwrap();
            event.at = start + Duration::hours(hour) + Duration::seconds(*second);
            event.category = Category::Authentication;
        }
    }
    let n = cases.iter().map(|(_, seconds, _)| seconds.len()).sum::<usize>();
    batch.truncate(n);
    world.ingest(&batch, &[]).await;
    for (hour, seconds, expected) in cases {
        let from = start + Duration::hours(hour) + Duration::seconds(seconds[0]);
        let to = start + Duration::hours(hour) + Duration::seconds(seconds[seconds.len() - 1] + 1);
        let answer = silence(&world, Vec::new(), Period::new(from, to).unwrap()).await;
        assert_eq!(counts(&answer), expected, "{seconds:?}: {answer:?}");
    }
    // At the edges: from the begin of the period, and to its end.
    let late = Period::new(start + Duration::minutes(40), start + Duration::minutes(62)).unwrap();
    assert_eq!(counts(&silence(&world, Vec::new(), late).await), (1, 0, 1));
}

async fn explained_silence_is_excused(world: World) {
    let start = start(&world);
    let mut batch = events(4, start);
    for ((event, _), minutes) in batch.iter_mut().zip([0, 3, 43, 46]) {
        event.at = start + Duration::minutes(minutes);
        event.category = Category::Authentication;
    }
    let hit = finding(1, &batch[2].0, AttackFamily::LogGap, "198.51.100.1");
    let opened = world.ingest(&batch, &[hit]).await.opened;
    let period = Period::new(start, start + Duration::minutes(47)).unwrap();
    let named = async || silence(&world, vec![AttackFamily::LogGap], period).await;
    assert_eq!(counts(&named().await), (1, 0, 1), "nobody said why");
    let resolved = IncidentPatch {
        status: Some(Status::Resolved),
        verdict: Some((Verdict::BenignTruePositive, "the new release went out".into())),
        assignee: Some(Some("dana".into())),
        ..IncidentPatch::default()
    };
    world.store.incident_change(opened[0].id, 1, resolved, draft("incident_resolve")).await.unwrap();
    let told = named().await;
    assert_eq!(counts(&told), (1, 0, 0), "{told:?}");
    assert_eq!(told.rows[0][1], "40");
    assert_eq!(told.rows[0][4], format!("incident/{}", opened[0].number));
    let strict = silence(&world, Vec::new(), period).await;
    assert_eq!(counts(&strict), (1, 1, 0), "elsewhere it is a warning: {strict:?}");
}

async fn each_day_is_looked_at_in_time(world: World) {
    let days = Duration::days;
    let looked = |ago, after| good(entry(&world, RegisterKind::DailyReview, "logs", ago), after);
    let daily = async || ask(&world, EvidenceQuery::RegisterDaily, params(RegisterKind::DailyReview)).await;
    let none = daily().await;
    assert_eq!((none.warnings, none.exceptions), (0, none.population), "{none:?}");
    put(&world, [looked(days(5), Duration::hours(23)), looked(days(9), Duration::hours(25))]).await;
    let some = daily().await;
    assert_eq!(counts(&some), (none.population, 1, none.population - 2), "one of the two was late: {some:?}");
    put(&world, [looked(Duration::seconds(1), Duration::zero())]).await;
    let today = daily().await;
    assert_eq!(counts(&today), (some.population + 1, 1, some.exceptions), "today may still be looked at");
}

async fn what_was_lost_is_counted_and_explained(world: World) {
    let days = Duration::days;
    let asked = async || ask(&world, EvidenceQuery::LostEvents, EvidenceParams::default()).await;
    assert_eq!(counts(&asked().await), (1, 0, 0), "of the days before it was counted nothing is known");
    world.clock.advance(days(1));
    world.store.lost_add(Lost::Quarantined, 3, world.now()).await.unwrap();
    world.store.lost_add(Lost::Quarantined, 2, world.now()).await.unwrap();
    world.clock.advance(days(1));
    let mut ingest = world.store.ingest_begin().await.unwrap();
    ingest.lost_add(Lost::Evicted, 7, world.now()).await.unwrap();
    ingest.lost_add(Lost::Quarantined, 0, world.now()).await.unwrap();
    ingest.commit().await.unwrap();
    let mut dropped = world.store.ingest_begin().await.unwrap();
    dropped.lost_add(Lost::Evicted, 1, world.now()).await.unwrap();
    drop(dropped);
    let found = asked().await;
    assert_eq!(counts(&found), (3, 0, 2), "{found:?}");
    assert_eq!(found.rows[0][1..], ["5", "0", "no"]);
    assert_eq!(found.rows[1][1..], ["0", "7", "no"]);
    let about = format!("lost/{}", found.rows[0][0]);
    let reason = [("reason", "a release wrote times without a zone")];
    let failure = || entry(&world, RegisterKind::LogFailure, &about, Duration::minutes(1));
    let ended = |entry| good(entry, Duration::seconds(30));
    put(&world, [with(failure(), &reason), ended(failure())]).await;
    assert_eq!(counts(&asked().await), (3, 0, 2), "one has not ended, the other gives no reason");
    put(&world, [ended(with(failure(), &reason))]).await;
    let told = asked().await;
    assert_eq!(counts(&told), (3, 1, 1), "counted and explained is a warning: {told:?}");
}
