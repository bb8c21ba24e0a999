//! Risk of entities, explanation of incidents, threat lists.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use proptest::prelude::{ProptestConfig, Strategy, prop, prop_assert, prop_assert_eq, proptest};
use watchpost_model::event::{Entity, EntityKind};
use watchpost_model::finding::{AttackFamily, Finding};
use watchpost_model::incident::{IncidentFilter, IncidentOrder, Status, Verdict};
use watchpost_model::risk::{EntityHistory, Gathered, RiskFactor, RiskFactorKind, RiskPolicy, saturated};
use watchpost_model::threat::{ThreatEntry, ThreatFormat, ThreatKind, ThreatList};
use watchpost_store::{EventFilter, IncidentPatch, StoreError};

use crate::support::{World, both, draft, event, events, finding};

both!(
    an_entity_gathers_the_worst_of_each_incident,
    judging_takes_back_and_gives_again,
    a_merged_incident_follows_its_target,
    the_ranking_is_by_score_at_any_time,
    a_flood_of_endpoints_is_bounded,
    the_pace_of_decay_can_be_set,
    an_incident_explains_its_risk,
    earlier_verdicts_are_history,
    threat_lists_are_kept_whole,
    a_range_has_what_its_addresses_have,
    an_incident_is_found_by_whoever_took_part,
);

fn ip(value: &str) -> Entity {
    Entity::new(EntityKind::Ip, value)
}

/// Findings of one family about `source`, one for each event.
fn attack(
    events: &[(watchpost_model::event::Event, String)],
    family: AttackFamily,
    source: &str,
    risk: u8,
) -> Vec<Finding> {
    // Findings of two families about one event are two findings.
    let first =
        1 + 1_000 * u32::try_from(AttackFamily::ALL.iter().position(|f| *f == family).unwrap()).unwrap();
    let numbered = (first..).zip(events);
    numbered.map(|(n, (event, _))| Finding { risk, ..finding(n, event, family, source) }).collect()
}

async fn score(world: &World, entity: &Entity) -> f64 {
    world.store.entity_risk(entity, world.now()).await.unwrap().map_or(0.0, |(risk, _)| risk.score)
}

async fn resolve(world: &World, number: i64, status: Status, verdict: Option<Verdict>) {
    let incident = world.store.incident_by_number(number).await.unwrap().incident;
    let verdict = verdict.map(|verdict| (verdict, format!("it is {verdict}")));
    let patch = IncidentPatch { status: Some(status), verdict, ..IncidentPatch::default() };
    world.store.incident_change(incident.id, incident.version, patch, draft("judge")).await.unwrap();
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 0.1
}

async fn an_entity_gathers_the_worst_of_each_incident(world: World) {
    // Event 3 is from 203.0.113.3 by user3; the findings are grouped by another address.
    let batch = vec![(event(3, world.now()), "k".to_owned())];
    let mut findings = attack(&batch, AttackFamily::Sqli, "203.0.113.3", 60);
    findings.push(Finding { risk: 40, ..finding(9, &batch[0].0, AttackFamily::Sqli, "203.0.113.3") });
    findings.push(Finding { risk: 50, ..finding(7, &batch[0].0, AttackFamily::Xss, "203.0.113.3") });
    world.ingest(&batch, &findings).await;
    let (risk, contributions) =
        world.store.entity_risk(&ip("203.0.113.3"), world.now()).await.unwrap().expect("it has incidents");
    assert!(near(risk.score, saturated(110.0)), "60 and 50, not 40: {risk:?}");
    assert_eq!(risk.incidents, 2);
    let mut points: Vec<_> = contributions.iter().map(|part| (part.family, part.points)).collect();
    points.sort_by(|a, b| b.1.total_cmp(&a.1));
    assert_eq!(points, [(AttackFamily::Sqli, 60.0), (AttackFamily::Xss, 50.0)]);
    let user = Entity::new(EntityKind::User, "user3");
    assert!(near(score(&world, &user).await, saturated(55.0)), "who was attacked gets half");
    for _ in 0..2 {
        world.ingest(&batch, &findings).await;
        assert!(near(score(&world, &ip("203.0.113.3")).await, saturated(110.0)), "a replay adds nothing");
    }
    world.clock.advance(Duration::hours(24));
    assert!(near(score(&world, &ip("203.0.113.3")).await, saturated(55.0)), "half a day later half is left");
    assert_eq!(world.store.entity_risk(&ip("198.51.100.1"), world.now()).await.unwrap(), None);
}

async fn judging_takes_back_and_gives_again(world: World) {
    let batch = events(2, world.now() - Duration::hours(2));
    let mut findings = attack(&batch, AttackFamily::Sqli, "203.0.113.9", 60);
    findings.extend(attack(&batch, AttackFamily::Xss, "203.0.113.9", 80));
    world.ingest(&batch, &findings).await;
    let both_count = score(&world, &ip("203.0.113.9")).await;
    let sqli = world.store.incident_by_number(1).await.unwrap().incident;
    assert_eq!(sqli.family, AttackFamily::Sqli);
    resolve(&world, 1, Status::Resolved, Some(Verdict::FalsePositive)).await;
    let one_counts = score(&world, &ip("203.0.113.9")).await;
    let (risk, contributions) =
        world.store.entity_risk(&ip("203.0.113.9"), world.now()).await.unwrap().expect("it has incidents");
    assert!(one_counts < both_count - 5.0, "{one_counts} {both_count}");
    assert_eq!(risk.incidents, 1);
    let harmless = contributions.iter().find(|part| part.incident == 1).expect("it is still shown");
    assert!(!harmless.counts && harmless.left == 0.0 && harmless.points == 60.0, "{harmless:?}");
    resolve(&world, 1, Status::Reopened, Some(Verdict::TruePositive)).await;
    assert!(near(score(&world, &ip("203.0.113.9")).await, both_count), "given again");
    resolve(&world, 1, Status::Resolved, Some(Verdict::BenignTruePositive)).await;
    resolve(&world, 2, Status::Resolved, Some(Verdict::Duplicate)).await;
    assert!(near(score(&world, &ip("203.0.113.9")).await, 0.0));
    let top = world.store.entity_risk_top(EntityKind::Ip, 10, world.now()).await.unwrap();
    assert!(top.iter().all(|row| row.entity != ip("203.0.113.9")), "no risk, no rank: {top:?}");
}

async fn a_merged_incident_follows_its_target(world: World) {
    let batch = events(1, world.now() - Duration::hours(2));
    world.ingest(&batch, &attack(&batch, AttackFamily::Sqli, "203.0.113.9", 60)).await;
    world.ingest(&batch, &attack(&batch, AttackFamily::Xss, "203.0.113.10", 80)).await;
    let (one, two) = (ip("203.0.113.9"), ip("203.0.113.10"));
    let before = (score(&world, &one).await, score(&world, &two).await);
    world.store.incident_merge(&[2], 1, "one actor", draft("merge")).await.unwrap();
    assert_eq!((score(&world, &one).await, score(&world, &two).await), before, "merging changes no risk");
    resolve(&world, 1, Status::Resolved, Some(Verdict::FalsePositive)).await;
    assert_eq!((score(&world, &one).await, score(&world, &two).await), (0.0, 0.0), "the verdict is of both");
    world.store.incident_split(2, "another one", draft("split")).await.unwrap();
    assert_eq!(score(&world, &one).await, 0.0);
    assert!(near(score(&world, &two).await, before.1), "taken out, it is unjudged again");
}

async fn the_ranking_is_by_score_at_any_time(world: World) {
    let old = events(3, world.now() - Duration::hours(60));
    let new = events(3, world.now() - Duration::hours(1));
    world.ingest(&old, &attack(&old, AttackFamily::Sqli, "203.0.113.200", 100)).await;
    world.ingest(&new, &attack(&new, AttackFamily::Sqli, "203.0.113.201", 40)).await;
    let middle = events(1, world.now() - Duration::hours(20));
    world.ingest(&middle, &attack(&middle, AttackFamily::Xss, "203.0.113.202", 66)).await;
    for hours in [0, 5, 500] {
        world.clock.advance(Duration::hours(hours));
        let top = world.store.entity_risk_top(EntityKind::Ip, 500, world.now()).await.unwrap();
        let ranked: Vec<_> = top.iter().map(|row| row.entity.value.as_str()).collect();
        let own: Vec<_> = ranked.iter().filter(|value| value.starts_with("203.0.113.20")).collect();
        assert_eq!(own, [&"203.0.113.201", &"203.0.113.202", &"203.0.113.200"], "{top:?}");
        assert!(top.windows(2).all(|pair| pair[0].score >= pair[1].score), "{top:?}");
    }
    let top = world.store.entity_risk_top(EntityKind::Ip, 1, world.now()).await.unwrap();
    assert_eq!(top.len(), 1);
    let refused = world.store.entity_risk_top(EntityKind::Ip, 0, world.now()).await;
    assert!(matches!(refused, Err(StoreError::Validation(_))));
}

async fn a_flood_of_endpoints_is_bounded(world: World) {
    let mut batch = events(700, world.now() - Duration::hours(1));
    for (n, (event, _)) in batch.iter_mut().enumerate() {
        event.resource = Some(format!("/path/{n}"));
    }
    let findings = attack(&batch, AttackFamily::Scanner, "203.0.113.9", 50);
    for part in [0..300, 300..700] {
        world.ingest(&batch[part.clone()], &findings[part]).await;
    }
    let endpoints = world.store.entity_risk_top(EntityKind::Endpoint, 500, world.now()).await.unwrap();
    let users = world.store.entity_risk_top(EntityKind::User, 500, world.now()).await.unwrap();
    let ips = world.store.entity_risk_top(EntityKind::Ip, 500, world.now()).await.unwrap();
    assert_eq!(endpoints.len() + users.len() + ips.len(), 201, "200 beside the attacker itself");
    assert_eq!(ips[0].entity, ip("203.0.113.9"), "the attacker is never left out");
}

async fn the_pace_of_decay_can_be_set(world: World) {
    let batch = events(1, world.now());
    world.ingest(&batch, &attack(&batch, AttackFamily::Sqli, "203.0.113.9", 50)).await;
    assert_eq!(world.store.risk_policy().await.unwrap(), RiskPolicy { half_life_h: 24 }, "the default");
    world.clock.advance(Duration::hours(24));
    let before = score(&world, &ip("203.0.113.9")).await;
    let slow = RiskPolicy { half_life_h: 240 };
    world.store.risk_policy_put(slow, draft("risk_policy")).await.unwrap();
    assert!(near(score(&world, &ip("203.0.113.9")).await, before), "what has decayed stays decayed");
    world.clock.advance(Duration::hours(240));
    assert!(near(score(&world, &ip("203.0.113.9")).await, saturated(12.5)), "and decays at the new pace");
    let other = events(1, world.now() - Duration::hours(1));
    world.ingest(&other, &attack(&other, AttackFamily::Xss, "203.0.113.10", 20)).await;
    let top = world.store.entity_risk_top(EntityKind::Ip, 10, world.now()).await.unwrap();
    assert!(top.windows(2).all(|pair| pair[0].score >= pair[1].score), "{top:?}");
    let bad = world.store.risk_policy_put(RiskPolicy { half_life_h: 0 }, draft("risk_policy")).await;
    assert!(matches!(bad, Err(StoreError::Validation(_))));
}

async fn an_incident_explains_its_risk(world: World) {
    let batch = events(3, world.now() - Duration::hours(1));
    let mut findings = attack(&batch, AttackFamily::Sqli, "203.0.113.9", 40);
    let why =
        |points| vec![RiskFactor { kind: RiskFactorKind::Rule, points, detail: "of the rule".to_owned() }];
    for (finding, risk) in findings.iter_mut().zip([40_u8, 90, 60]) {
        finding.risk = risk;
        finding.enrichment.risk = why(i32::from(risk));
    }
    world.ingest(&batch, &findings[..1]).await;
    assert_eq!(world.store.incident_by_number(1).await.unwrap().risk, why(40));
    world.ingest(&batch, &findings).await;
    let detail = world.store.incident_by_number(1).await.unwrap();
    assert_eq!((detail.incident.risk, detail.risk), (90, why(90)), "of the worst finding");
}

async fn earlier_verdicts_are_history(world: World) {
    let batch = events(1, world.now() - Duration::hours(1));
    for family in [AttackFamily::Sqli, AttackFamily::Xss, AttackFamily::Scanner, AttackFamily::Cmdi] {
        world.ingest(&batch, &attack(&batch, family, "203.0.113.9", 50)).await;
    }
    for (number, verdict) in
        [(1, Verdict::TruePositive), (2, Verdict::FalsePositive), (3, Verdict::BenignTruePositive)]
    {
        resolve(&world, number, Status::Resolved, Some(verdict)).await;
    }
    let asked = [ip("203.0.113.9"), ip("203.0.113.10"), Entity::new(EntityKind::User, "203.0.113.9")];
    let history = world.store.entity_history(&asked).await.unwrap();
    assert_eq!(history.len(), 1, "{history:?}");
    assert_eq!(history[&asked[0]], EntityHistory { true_positives: 1, harmless: 2 });
}

async fn threat_lists_are_kept_whole(world: World) {
    let entries: Vec<ThreatEntry> = (0..12_345)
        .map(|n| ThreatEntry {
            kind: ThreatKind::Domain,
            value: format!("d{n}.evil.example"),
            until: (n % 3 == 0).then(|| world.now()),
            note: (n % 5 == 0).then(|| "a\u{0}note".to_owned()),
        })
        .collect();
    let mut list = ThreatList {
        name: "evil".to_owned(),
        confidence: 80,
        format: ThreatFormat::Text,
        source: "evil.txt".to_owned(),
        sha256: "00".repeat(32),
        imported_at: world.now(),
        imported_by: "dana".to_owned(),
        addresses: 0,
        domains: 12_345,
        user_agents: 0,
        total: 12_345,
        skipped: 3,
        duplicates: 1,
    };
    let put = |list: ThreatList, entries: Vec<ThreatEntry>| {
        let store = world.store.clone();
        async move { store.threat_list_put(&list, &entries, draft("threat_list_import")).await }
    };
    put(list.clone(), entries.clone()).await.unwrap();
    assert_eq!(world.store.threat_lists().await.unwrap(), [list.clone()]);
    let mut stored = Vec::new();
    while let Some(part) =
        world.store.threat_entries("evil", u32::try_from(stored.len()).unwrap()).await.unwrap()
    {
        stored.push(part);
    }
    assert_eq!((stored.len(), stored.concat()), (3, entries.clone()));
    (list.domains, list.total) = (1, 1);
    put(list.clone(), entries[..1].to_vec()).await.unwrap();
    assert_eq!(world.store.threat_lists().await.unwrap(), [list.clone()], "replaced");
    assert_eq!(world.store.threat_entries("evil", 0).await.unwrap(), Some(entries[..1].to_vec()));
    assert_eq!(world.store.threat_entries("evil", 1).await.unwrap(), None, "nothing of the old one is left");
    world.store.threat_list_remove("evil", draft("threat_list_remove")).await.unwrap();
    assert!(world.store.threat_lists().await.unwrap().is_empty());
    let again = world.store.threat_list_remove("evil", draft("threat_list_remove")).await;
    assert!(matches!(again, Err(StoreError::NotFound(_))));
    for n in 0..100 {
        put(ThreatList { name: format!("list{n:03}"), ..list.clone() }, Vec::new()).await.unwrap();
    }
    let refused = put(list, Vec::new()).await;
    assert!(matches!(refused, Err(StoreError::Validation(_))), "{refused:?}");
}

fn times() -> impl Strategy<Value = Vec<(f64, i64)>> {
    prop::collection::vec((0.0_f64..=100.0, 0_i64..400), 1..30)
}

fn hour(n: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + Duration::hours(490_000 + n)
}

fn gathered(steps: &[(f64, i64)], policy: RiskPolicy) -> Gathered {
    let start = Gathered::nothing(hour(steps[0].1));
    steps.iter().fold(start, |sum, (points, at)| sum.plus(*points, hour(*at), policy))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_order_of_contributions_does_not_matter(steps in times(), half_life_h in 1_u32..100) {
        let policy = RiskPolicy { half_life_h };
        let mut backwards = steps.clone();
        backwards.reverse();
        let mut sorted: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
        for (points, at) in &steps {
            sorted.entry(*at).or_default().push(*points);
        }
        let sorted: Vec<_> =
            sorted.into_iter().flat_map(|(at, all)| all.into_iter().map(move |points| (points, at))).collect();
        let scores: Vec<f64> =
            [steps, backwards, sorted].iter().map(|steps| gathered(steps, policy).score(hour(400), policy)).collect();
        prop_assert!((scores[0] - scores[1]).abs() < 1e-6 && (scores[0] - scores[2]).abs() < 1e-6, "{scores:?}");
    }

    #[test]
    fn risk_only_falls_while_nothing_happens_and_only_grows_when_something_does(
        steps in times(), half_life_h in 1_u32..100, more in 1.0_f64..100.0
    ) {
        let policy = RiskPolicy { half_life_h };
        let sum = gathered(&steps, policy);
        let mut last = 100.0_f64;
        for n in 400..440 {
            let score = sum.score(hour(n), policy);
            prop_assert!((0.0..=last).contains(&score), "{score} after {last}");
            last = score;
        }
        let grown = sum.plus(more, hour(400), policy);
        prop_assert!(grown.score(hour(400), policy) >= sum.score(hour(400), policy));
        let back = grown.plus(-more, hour(400), policy);
        prop_assert!((back.score(hour(401), policy) - sum.score(hour(401), policy)).abs() < 1e-3);
    }

    #[test]
    fn ranks_order_as_scores_do(one in times(), two in times(), half_life_h in 1_u32..100, later in 400_i64..500) {
        let policy = RiskPolicy { half_life_h };
        let (one, two) = (gathered(&one, policy), gathered(&two, policy));
        let scores = (one.score(hour(later), policy), two.score(hour(later), policy));
        if (scores.0 - scores.1).abs() > 1e-6 {
            prop_assert_eq!(one.rank(policy) > two.rank(policy), scores.0 > scores.1);
        }
    }
}

/// The numbers of the incidents that an entity is in.
async fn numbers(world: &World, entity: &Entity) -> Vec<i64> {
    let filter = IncidentFilter { entity: Some(entity.clone()), ..IncidentFilter::default() };
    let page = world.store.incident_page(&filter, IncidentOrder::Newest, None, 100).await.unwrap();
    let total = world.store.incident_counts(&filter).await.unwrap().total;
    assert_eq!(page.rows.len() as u64, total, "{entity}: the list and its count agree");
    let (with, all) = world.store.incidents_with(entity, 100).await.unwrap();
    assert_eq!((&with, all), (&page.rows, total), "{entity}");
    page.rows.iter().map(|incident| incident.number).collect()
}

async fn a_range_has_what_its_addresses_have(world: World) {
    let day = Duration::days(1);
    // The events come from 203.0.113.0 to .6, one each.
    let batch: Vec<_> = (0_u32..7)
        .map(|n| (event(n, world.now() - day + Duration::minutes(i64::from(n))), format!("k{n}")))
        .collect();
    let mut findings = Vec::new();
    for (n, source) in [(1, "203.0.113.1"), (2, "203.0.113.2"), (5, "203.0.113.5")] {
        findings.extend(attack(&batch[n..=n], AttackFamily::Sqli, source, u8::try_from(n * 15).unwrap()));
    }
    world.ingest(&batch, &findings).await;
    let seen = |first: usize, last: usize| Some((batch[first].0.at, batch[last].0.at));
    for (range, incidents, events, between) in [
        ("203.0.113.0/24", vec![3, 2, 1], 7, seen(0, 6)),
        ("203.0.113.0/30", vec![2, 1], 4, seen(0, 3)),
        ("203.0.113.2/31", vec![2], 2, seen(2, 3)),
        ("203.0.113.5/32", vec![3], 1, seen(5, 5)),
        ("203.0.112.0/20", vec![3, 2, 1], 7, seen(0, 6)),
        ("0.0.0.0/0", vec![3, 2, 1], 7, seen(0, 6)),
        ("203.0.11.0/24", vec![], 0, None),
        ("2001:db8::/32", vec![], 0, None),
    ] {
        assert_eq!(numbers(&world, &ip(range)).await, incidents, "{range}");
        let page = world.store.event_page(&EventFilter::about(ip(range)), None, 100).await.unwrap();
        assert_eq!(page.rows.len(), events, "{range}");
        assert_eq!(world.store.entity_seen(&ip(range)).await.unwrap(), between, "{range}");
    }
    let (risk, parts) =
        world.store.entity_risk(&ip("203.0.113.0/30"), world.now()).await.unwrap().expect("two are in it");
    assert!(near(risk.score, score(&world, &ip("203.0.113.2")).await), "that of the worst address: {risk:?}");
    assert_eq!(risk.incidents, 2);
    let mut of: Vec<i64> = parts.iter().map(|part| part.incident).collect();
    of.sort_unstable();
    assert_eq!(of, [1, 2]);
    resolve(&world, 1, Status::Resolved, Some(Verdict::FalsePositive)).await;
    for (range, harmless) in [("203.0.113.0/24", 1), ("203.0.113.1", 1), ("203.0.113.4/30", 0)] {
        let judged = world.store.entity_judged(&ip(range)).await.unwrap();
        assert_eq!(judged, EntityHistory { true_positives: 0, harmless }, "{range}");
    }
    let course = world.store.entity_risk_course(&ip("203.0.113.0/24"), world.now()).await.unwrap();
    let last = course.last().expect("there is one");
    assert!(near(last.score, score(&world, &ip("203.0.113.5")).await), "{last:?}");
    assert_eq!((last.at, course[0].score), (world.now(), 0.0), "nothing before it happened");
    assert!(course.is_sorted_by_key(|point| point.at) && course.iter().any(|point| point.score > last.score));
    assert!(world.store.entity_risk_course(&ip("198.51.100.1"), world.now()).await.unwrap().is_empty());
}

async fn an_incident_is_found_by_whoever_took_part(world: World) {
    let batch = events(2, world.now() - Duration::hours(2));
    world.ingest(&batch[..1], &attack(&batch[..1], AttackFamily::Sqli, "203.0.113.9", 60)).await;
    world.ingest(&batch[1..], &attack(&batch[1..], AttackFamily::Xss, "203.0.113.10", 60)).await;
    let user = |name: &str| Entity::new(EntityKind::User, name);
    assert_eq!(numbers(&world, &ip("203.0.113.9")).await, [1], "what it is about");
    assert_eq!(numbers(&world, &user("user0")).await, [1], "who is in its events");
    assert_eq!(numbers(&world, &user("user1")).await, [2]);
    assert!(numbers(&world, &user("user2")).await.is_empty());
    world.store.incident_merge(&[2], 1, "one actor", draft("merge")).await.unwrap();
    assert_eq!(numbers(&world, &user("user1")).await, [1], "what is merged is found as what it is part of");
    assert_eq!(numbers(&world, &ip("203.0.113.10")).await, [1]);
}
