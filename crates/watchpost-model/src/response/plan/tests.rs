use chrono::{DateTime, Duration, Utc};

use super::{
    Facts, Histories, NOTHING, PlannedAction, Release, SPARED, TargetHistory, candidates, missed, plan,
};
use crate::block::AllowEntry;
use crate::event::{Category, Entity, EntityKind, Event, Http, Outcome, Severity};
use crate::finding::{AttackFamily, CountedEvents, Counter, Finding, MatchedField};
use crate::ids::{EventId, FindingId};
use crate::response::{ActionKind, ResponsePolicy, ResponseRule, ResponseStep};

fn now() -> DateTime<Utc> {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

fn finding(kind: EntityKind, value: &str) -> Finding {
    Finding {
        id: FindingId::at(now()),
        rule_id: "wp.brute_force.ip".to_owned(),
        rule_version: 1,
        rule_title: "Brute force".to_owned(),
        family: AttackFamily::BruteForce,
        event_id: EventId::at(now()),
        at: now() - Duration::minutes(1),
        entity: Entity::new(kind, value),
        summary: "20 failed logins".to_owned(),
        matched: None,
        counter: None,
        counted: None,
        linked: Vec::new(),
        severity: Severity::Critical,
        confidence: 95,
        risk: 90,
        attack: Vec::new(),
        owasp: None,
        controls: Vec::new(),
        enrichment: crate::enrichment::Enrichment::default(),
    }
}

fn step(action: ActionKind) -> ResponseStep {
    let ttl_s = action.is_containment().then_some(3_600);
    let value = (action == ActionKind::Tag).then(|| "auto".to_owned());
    ResponseStep { action, ttl_s, value, per_min: None }
}

fn policy(actions: &[ActionKind]) -> ResponsePolicy {
    let rule = ResponseRule {
        name: "all".to_owned(),
        rules: Vec::new(),
        families: Vec::new(),
        severity_min: Severity::High,
        confidence_min: 80,
        steps: actions.iter().map(|action| step(*action)).collect(),
    };
    let policy = ResponsePolicy { rules: vec![rule], ..ResponsePolicy::default() };
    policy.validate().unwrap();
    policy
}

fn facts(histories: &Histories) -> Facts<'_> {
    Facts { now: now(), own_addresses: &[], allowlist: &[], histories, contained_last_hour: 0 }
}

fn one(policy: &ResponsePolicy, finding: &Finding, facts: &Facts<'_>) -> PlannedAction {
    let mut planned = plan(policy, finding, None, facts);
    assert_eq!(planned.len(), 1, "{planned:?}");
    planned.remove(0)
}

#[test]
fn rules_match_by_id_family_severity_and_confidence() {
    let mut rule = policy(&[ActionKind::BlockIp]).rules.remove(0);
    let mut seen = finding(EntityKind::Ip, "203.0.113.7");
    assert!(rule.matches(&seen));
    for (pattern, expect) in [
        ("wp.brute_force.*", true),
        ("wp.brute_force.ip", true),
        ("wp.brute_force", false),
        ("wp.sqli.*", false),
    ] {
        rule.rules = vec![pattern.to_owned()];
        assert_eq!(rule.matches(&seen), expect, "{pattern}");
    }
    rule.rules.clear();
    rule.families = vec![AttackFamily::Sqli];
    assert!(!rule.matches(&seen));
    rule.families.clear();
    seen.confidence = 79;
    assert!(!rule.matches(&seen));
    seen.confidence = 80;
    seen.severity = Severity::Medium;
    assert!(!rule.matches(&seen));
}

#[test]
fn a_finding_is_answered_on_its_own_entity() {
    use ActionKind::{BlockIp, IsolateService, Notify, RateLimit, RestrictUser, RevokeSession, Tag, Ticket};
    let policy =
        policy(&[Tag, Notify, Ticket, RateLimit, BlockIp, RevokeSession, RestrictUser, IsolateService]);
    let mut event = Event::new(EventId::at(now()), now(), Category::Authentication, "login_failure");
    event.source_ip = Some("203.0.113.9".to_owned());
    event.actor = Some("anna".to_owned());
    event.session = Some("s-1".to_owned());
    event.details = serde_json::json!({ "service": "shop" });
    let targets = |kind, value: &str, event: Option<&Event>| {
        let found = candidates(&policy, &finding(kind, value), event);
        found.into_iter().map(|c| (c.kind, c.target)).collect::<Vec<_>>()
    };
    let of = |kind: ActionKind, target: &str| (kind, target.to_owned());
    let always = [of(Tag, "auto"), of(Notify, "default"), of(Ticket, "default")];
    assert_eq!(
        targets(EntityKind::Ip, "::ffff:203.0.113.7", Some(&event))[3..],
        [
            of(RateLimit, "203.0.113.7"),
            of(BlockIp, "203.0.113.7"),
            of(RevokeSession, "s-1"),
            of(IsolateService, "shop")
        ],
        "who is attacked from an address is not restricted for it"
    );
    assert_eq!(
        targets(EntityKind::User, "anna", Some(&event))[3..],
        [of(RevokeSession, "s-1"), of(RestrictUser, "anna"), of(IsolateService, "shop")],
        "no address is blocked for what a user's finding counted"
    );
    assert_eq!(targets(EntityKind::Endpoint, "/login", None), always);
    assert_eq!(targets(EntityKind::Ip, "unknown", None), always, "what is no address is not blocked");
    assert_eq!(targets(EntityKind::Session, "s-2", Some(&event))[3], of(RevokeSession, "s-2"));
}

#[test]
fn the_user_of_a_single_event_is_its_author_once_logged_in() {
    let policy = policy(&[ActionKind::RestrictUser]);
    let histories = Histories::new();
    let mut seen = finding(EntityKind::Ip, "203.0.113.7");
    seen.family = AttackFamily::Sqli;
    let mut event = Event::new(EventId::at(now()), now(), Category::ApiUsage, "request");
    let of = |seen: &Finding, event: &Event| {
        let mut planned = plan(&policy, seen, Some(event), &facts(&histories));
        assert_eq!(planned.len(), 1, "{planned:?}");
        let planned = planned.remove(0);
        (planned.target, planned.skipped)
    };
    let (target, skipped) = of(&seen, &event);
    assert_eq!(target, NOTHING);
    assert!(skipped.is_some_and(|why| why.ends_with("names a user that can be restricted")));
    event.actor = Some("bob".to_owned());
    event.session = Some("s-1".to_owned());
    assert_eq!(of(&seen, &event), ("bob".to_owned(), None));

    // The last of many events is one of them.
    seen.counted =
        Some(CountedEvents { from: now(), to: now(), category: None, outcome: None, status: None });
    let (target, skipped) = of(&seen, &event);
    assert_eq!(target, NOTHING);
    assert!(skipped.is_some_and(|why| why.contains("several events")));
}

/// A request with a finding in it, sent by somebody who is logged in.
fn request() -> Event {
    let mut event = Event::new(EventId::at(now()), now(), Category::ApiUsage, "request");
    event.outcome = Outcome::Success;
    event.actor = Some("ceo@shop.example".to_owned());
    event.session = Some("s-1".to_owned());
    answered(&mut event, "/search", 200);
    event
}

fn answered(event: &mut Event, path: &str, status: u16) {
    event.http = Some(Http { path: path.to_owned(), status: Some(status), ..Http::default() });
}

/// Is the user of the event restricted for what was found in it, or why not? With an address the finding is about that,
/// else about the user whom the event names.
fn expect_restricted(what: &str, event: &Event, expect: Option<&str>) {
    let policy = policy(&[ActionKind::RestrictUser]);
    let histories = Histories::new();
    for (kind, value) in [(EntityKind::Ip, "203.0.113.7"), (EntityKind::User, "ceo@shop.example")] {
        let mut seen = finding(kind, value);
        seen.family = AttackFamily::Sqli;
        seen.matched = Some(MatchedField { field: "http.query".to_owned(), layers: Vec::new() });
        let planned = plan(&policy, &seen, Some(event), &facts(&histories)).remove(0);
        match (expect, planned.skipped) {
            (None, None) => assert_eq!(Some(planned.target.as_str()), event.actor.as_deref(), "{what}"),
            (Some(words), Some(why)) => {
                assert!(why.contains(words), "{what}: {why}");
                assert_eq!(planned.target, NOTHING, "{what}");
            }
            (_, skipped) => panic!("{what}, {kind}: {skipped:?}"),
        }
    }
}

/// What anybody can send in the name of another one restricts nobody.
#[test]
fn who_only_says_to_be_somebody_is_not_restricted() {
    type Change = fn(&mut Event);
    let is_entrance = Some("only says");
    let cases: &[(&str, Change, Option<&str>)] = &[
        ("logged in", |_| {}, None),
        ("refused, but logged in", |event| event.outcome = Outcome::Failure, None),
        ("no exchange", |event| event.http = None, None),
        ("an author is no auth", |event| event.resource = Some("/authors/7".to_owned()), None),
        ("no session", |event| event.session = None, Some("no session")),
        ("an empty session", |event| event.session = Some(String::new()), Some("no session")),
        ("a session of nobody", |event| event.session = Some("-".to_owned()), Some("no session")),
        ("reset", |event| become_of(event, Category::Authentication, "password_reset"), is_entrance),
        ("login", |event| become_of(event, Category::Authentication, "login"), is_entrance),
        ("contradiction", |event| become_of(event, Category::Authentication, "login_failure"), is_entrance),
        ("of the API", |event| become_of(event, Category::ApiUsage, "login"), is_entrance),
        ("registration", |event| become_of(event, Category::DataAccess, "user_registered"), is_entrance),
        ("by its action", |event| event.action = Some("sign-in".to_owned()), is_entrance),
        ("by its resource", |event| event.resource = Some("/Auth".to_owned()), is_entrance),
        ("no name", |event| event.actor = None, Some("names a user that can be restricted")),
    ];
    for (what, change, expect) in cases {
        let mut event = request();
        change(&mut event);
        expect_restricted(what, &event, *expect);
    }
    for (path, status, expect) in [
        ("/catalogue", 400, None),
        ("/100%", 200, None),
        ("/search", 401, Some("answered 401")),
        ("/login", 422, is_entrance),
        ("/wp-login.php", 200, is_entrance),
        ("/log%69n", 400, is_entrance),
        ("/log%2569n", 400, is_entrance),
        ("/users/sign_in", 400, is_entrance),
        ("/api/register", 201, is_entrance),
    ] {
        let mut event = request();
        answered(&mut event, path, status);
        expect_restricted(path, &event, expect);
    }
    let long = "a".repeat(513);
    for (name, expect) in [
        ("Ünïcode Üser", None),
        ("anonymous", Some("stands for nobody")),
        (" Guest ", Some("stands for nobody")),
        ("<unknown>", Some("stands for nobody")),
        ("null", Some("stands for nobody")),
        ("-", Some("stands for nobody")),
        ("", Some("names a user that can be restricted")),
        (" ", Some("is no target")),
        ("eve:*\n[x]", Some("is no target")),
        (long.as_str(), Some("is no target")),
    ] {
        let mut event = request();
        event.actor = Some(name.to_owned());
        expect_restricted(name, &event, expect);
    }
}

fn become_of(event: &mut Event, category: Category, kind: &str) {
    event.category = category;
    event.kind = kind.to_owned();
}

/// The commonest takeover: guesses from one address, and then one of them works.
#[test]
fn whose_login_worked_after_the_failures_of_its_address_is_restricted() {
    let mut policy = policy(&[ActionKind::RestrictUser]);
    policy.protected_users = vec!["root".to_owned()];
    let histories = Histories::new();
    let mut seen = finding(EntityKind::Ip, "203.0.113.7");
    seen.rule_id = "wp.brute.success".to_owned();
    seen.counter = Some(Counter { what: "failed logins".to_owned(), seen: 9, threshold: 5, window_s: 3_600 });
    seen.counted = Some(CountedEvents {
        from: now(),
        to: now(),
        category: Some(Category::Authentication),
        outcome: Some(Outcome::Failure),
        status: None,
    });
    let of = |seen: &Finding, kind: &str, outcome, actor: &str| {
        let mut event = Event::new(EventId::at(now()), now(), Category::Authentication, kind);
        event.outcome = outcome;
        event.actor = Some(actor.to_owned());
        let planned = plan(&policy, seen, Some(&event), &facts(&histories)).remove(0);
        (planned.target, planned.skipped.unwrap_or_default())
    };
    assert_eq!(of(&seen, "login_success", Outcome::Success, "anna"), ("anna".to_owned(), String::new()));
    for (kind, outcome, actor, words) in [
        ("login_failure", Outcome::Failure, "anna", "several events"),
        ("login_failure", Outcome::Success, "anna", "several events"),
        ("password_reset", Outcome::Success, "anna", "several events"),
        ("login_success", Outcome::Unknown, "anna", "several events"),
        ("login_success", Outcome::Success, "anonymous", "stands for nobody"),
        ("login_success", Outcome::Success, "root", "protected user"),
    ] {
        let (_, why) = of(&seen, kind, outcome, actor);
        assert!(why.contains(words), "{kind} {outcome:?} {actor}: {why}");
    }
    // Requests that worked after others that were refused are no login.
    seen.counted = Some(CountedEvents {
        from: now(),
        to: now(),
        category: None,
        outcome: None,
        status: Some((401, 401)),
    });
    assert!(of(&seen, "login_success", Outcome::Success, "anna").1.contains("several events"));
}

#[test]
fn a_step_that_finds_nothing_says_so_once() {
    use ActionKind::{BlockIp, IsolateService, Notify, RevokeSession};
    let mut policy = policy(&[Notify, BlockIp, RevokeSession, IsolateService]);
    policy.rules.push(policy.rules[0].clone());
    let seen = finding(EntityKind::User, "anna");
    let kinds: Vec<ActionKind> = missed(&policy, &seen, None).into_iter().map(|missed| missed.kind).collect();
    assert_eq!(kinds.len(), 3, "{kinds:?}");
    assert!([BlockIp, RevokeSession, IsolateService].iter().all(|kind| kinds.contains(kind)), "{kinds:?}");
    assert_eq!(missed(&policy, &finding(EntityKind::Ip, "203.0.113.7"), None).len(), 2);
}

#[test]
fn the_longer_of_two_steps_counts() {
    let mut policy = policy(&[ActionKind::BlockIp]);
    let mut second = policy.rules[0].clone();
    second.name = "longer".to_owned();
    second.steps[0].ttl_s = Some(7_200);
    policy.rules.push(second);
    let found = candidates(&policy, &finding(EntityKind::Ip, "203.0.113.7"), None);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].ttl_s, found[0].policy_rule.as_str()), (Some(7_200), "longer"));
}

#[test]
fn repeat_offenders_are_contained_longer() {
    let policy = policy(&[ActionKind::BlockIp]);
    let seen = finding(EntityKind::Ip, "203.0.113.7");
    for (earlier, factor) in [(0, 1), (1, 4), (2, 16), (3, 16), (u32::MAX, 16)] {
        let history = TargetHistory { earlier, ..TargetHistory::default() };
        let histories = Histories::from([((ActionKind::BlockIp, "203.0.113.7".to_owned()), history)]);
        let planned = one(&policy, &seen, &facts(&histories));
        assert_eq!((planned.factor, planned.ttl_s), (factor, Some(3_600 * u64::from(factor))), "{earlier}");
        assert_eq!(planned.holds_until, Some(now() + Duration::hours(i64::from(factor))));
    }
    let capped = ResponsePolicy { ttl_max_s: 7_200, ..policy };
    let history = TargetHistory { earlier: 2, ..TargetHistory::default() };
    let histories = Histories::from([((ActionKind::BlockIp, "203.0.113.7".to_owned()), history)]);
    assert_eq!(one(&capped, &seen, &facts(&histories)).ttl_s, Some(7_200));
}

#[test]
fn who_was_released_is_left_alone_for_a_while() {
    let policy = policy(&[ActionKind::BlockIp]);
    let seen = finding(EntityKind::Ip, "203.0.113.7");
    for (hours, skipped) in [(1, true), (23, true), (24, false), (48, false)] {
        let released = Some(Release { at: now() - Duration::hours(hours), by: "dana".to_owned() });
        let history = TargetHistory { released, ..TargetHistory::default() };
        let histories = Histories::from([((ActionKind::BlockIp, "203.0.113.7".to_owned()), history)]);
        let planned = one(&policy, &seen, &facts(&histories));
        assert_eq!(planned.skipped.is_some(), skipped, "{hours} h ago");
        if let Some(why) = planned.skipped {
            assert!(why.starts_with("soft allow: released by dana at 2026-11-2"), "{why}");
            assert_eq!(planned.holds_until, Some(now() + Duration::hours(24 - hours)));
        }
    }
}

#[test]
fn what_is_in_force_is_not_done_again() {
    let policy = policy(&[ActionKind::BlockIp]);
    let seen = finding(EntityKind::Ip, "203.0.113.7");
    for (minutes, skipped) in [(5, true), (-5, false)] {
        let in_force_until = Some(now() + Duration::minutes(minutes));
        let history = TargetHistory { in_force_until, ..TargetHistory::default() };
        let histories = Histories::from([((ActionKind::BlockIp, "203.0.113.7".to_owned()), history)]);
        assert_eq!(one(&policy, &seen, &facts(&histories)).skipped.is_some(), skipped, "{minutes}");
    }
}

#[test]
fn no_guard_is_passed_by() {
    let mut policy = policy(&[ActionKind::BlockIp, ActionKind::RateLimit]);
    policy.trusted_proxies = vec!["203.0.113.8".parse().unwrap()];
    policy.sensors = vec!["203.0.113.16/28".parse().unwrap()];
    let own = ["192.0.2.1".parse().unwrap()];
    let allowlist = [AllowEntry {
        target: "198.51.100.0/24".parse().unwrap(),
        note: "office".into(),
        added_by: "a".into(),
        added_at: now(),
    }];
    let histories = Histories::new();
    let facts = Facts { own_addresses: &own, allowlist: &allowlist, ..facts(&histories) };
    for text in [
        "192.0.2.1",
        "::ffff:192.0.2.1",
        "64:ff9b::192.0.2.1",
        "198.51.100.77",
        "203.0.113.8",
        "203.0.113.20",
        "127.0.0.1",
        "10.0.0.1",
        "fd00::1",
    ] {
        let planned = plan(&policy, &finding(EntityKind::Ip, text), None, &facts);
        assert_eq!(planned.len(), 2, "{text}");
        assert!(planned.iter().all(|action| action.skipped.is_some()), "{text}: {planned:?}");
    }
    let planned = plan(&policy, &finding(EntityKind::Ip, "203.0.113.7"), None, &facts);
    assert!(planned.iter().all(|action| action.skipped.is_none()), "{planned:?}");
}

#[test]
fn who_is_attacked_is_not_locked_out_until_a_login_works() {
    let policy = policy(&[ActionKind::RestrictUser]);
    let histories = Histories::new();
    let mut event = Event::new(EventId::at(now()), now(), Category::Authentication, "login");
    let mut skipped = |finding: &Finding, outcome| {
        event.outcome = outcome;
        plan(&policy, finding, Some(&event), &facts(&histories)).remove(0).skipped
    };
    let mut seen = finding(EntityKind::User, "anna");
    assert_eq!(skipped(&seen, Outcome::Failure).as_deref(), Some(SPARED), "brute force by user");
    assert_eq!(skipped(&seen, Outcome::Success), None, "the login that worked after it");
    seen.family = AttackFamily::AccountTakeover;
    assert_eq!(skipped(&seen, Outcome::Failure), None, "what the account itself did");
    seen.family = AttackFamily::Custom;
    seen.counted = Some(CountedEvents {
        from: now(),
        to: now(),
        category: Some(Category::Authentication),
        outcome: Some(Outcome::Failure),
        status: None,
    });
    assert_eq!(skipped(&seen, Outcome::Failure).as_deref(), Some(SPARED), "a rule of the team");
}

#[test]
fn protected_users_stay() {
    let mut policy = policy(&[ActionKind::RestrictUser]);
    policy.protected_users = vec!["Break-Glass".to_owned()];
    let histories = Histories::new();
    let planned = |user| {
        let mut seen = finding(EntityKind::User, user);
        seen.family = AttackFamily::AccountTakeover;
        one(&policy, &seen, &facts(&histories)).skipped
    };
    assert!(planned("break-glass").is_some());
    assert_eq!(planned("anna"), None);
}

#[test]
fn the_cap_holds_back_a_flood() {
    let mut policy = policy(&[ActionKind::BlockIp, ActionKind::RateLimit, ActionKind::Notify]);
    policy.contain_per_hour_max = 10;
    let histories = Histories::new();
    let facts = Facts { contained_last_hour: 9, ..facts(&histories) };
    let planned = plan(&policy, &finding(EntityKind::Ip, "203.0.113.7"), None, &facts);
    let skipped: Vec<_> = planned.iter().map(|action| (action.kind, action.skipped.is_some())).collect();
    assert_eq!(
        skipped,
        [(ActionKind::Notify, false), (ActionKind::RateLimit, false), (ActionKind::BlockIp, true)],
        "people are told all the same"
    );
}

#[test]
fn old_findings_lead_to_nothing() {
    let policy = policy(&[ActionKind::BlockIp]);
    let histories = Histories::new();
    let mut seen = finding(EntityKind::Ip, "203.0.113.7");
    seen.at = now() - Duration::seconds(i64::try_from(policy.age_max_s).unwrap());
    assert_eq!(plan(&policy, &seen, None, &facts(&histories)).len(), 1);
    seen.at -= Duration::seconds(1);
    assert_eq!(plan(&policy, &seen, None, &facts(&histories)), []);
}
