//! What the questions to the register make of entries that were written to look well, on both engines.

use chrono::Duration;
use watchpost_model::access::Permission;
use watchpost_model::audit::AuditDraft;
use watchpost_model::evidence::{EvidenceParams, EvidenceQuery};
use watchpost_model::register::{EntryResult, RegisterEntry, RegisterKind};

use crate::evidence::{ask, counts, entry, good, params, put, with};
use crate::support::{World, both, caller, draft, events};

both!(
    what_stands_is_judged_by_its_newest_entry,
    a_breach_of_nobody_lacks_nothing,
    the_facts_of_a_breach_are_those_of_all_its_entries,
    what_lasts_is_no_proof_once_a_newer_entry_ended_badly,
    a_breach_that_was_not_notified_has_its_reason,
    no_edit_prolongs_what_the_law_gives,
    approvals_are_asked_of_readers,
    decisions_of_shared_accounts_bind_nobody,
    encryption_is_known_of_all_that_is_stored,
    all_that_is_followed_up_is_listed,
    what_is_tight_warns,
    a_draft_takes_nothing_from_what_stands,
    what_is_retired_stands_no_more,
    a_newer_forecast_heals_a_disk,
    an_erasure_tells_of_its_key_and_of_what_is_left,
    an_erasure_is_judged_in_the_period_in_which_it_ended,
    history_is_kept_since_it_came,
);

async fn what_stands_is_judged_by_its_newest_entry(world: World) {
    use RegisterKind as K;
    let days = Duration::days;
    let facts = [("class", "personal"), ("protection", "masked")];
    let closed = |subject: &str, ago| good(entry(&world, K::DataClass, subject, ago), Duration::zero());
    let complete = async || ask(&world, EvidenceQuery::RegisterComplete, params(K::DataClass)).await;
    // Opened and closed at once, long before the period, without a fact.
    put(&world, [closed("category/authentication", days(90))]).await;
    assert_eq!(counts(&complete().await), (1, 0, 1));
    put(&world, [with(closed("category/authentication", days(60)), &facts)]).await;
    assert_eq!(counts(&complete().await), (1, 0, 0), "the newest counts");
    put(&world, [entry(&world, K::DataClass, "category/data_access", days(1))]).await;
    assert_eq!(counts(&complete().await), (2, 1, 0), "an open one may still get its facts");
    put(&world, [closed("category/configuration", Duration::hours(1))]).await;
    assert_eq!(counts(&complete().await), (3, 1, 1), "a closed one gets none any more");
    put(&world, [closed("incidents", days(2))].map(|entry| RegisterEntry { kind: K::Criteria, ..entry }))
        .await;
    let criteria = ask(&world, EvidenceQuery::RegisterComplete, params(K::Criteria)).await;
    assert_eq!(counts(&criteria), (1, 0, 1), "criteria without a version: {criteria:?}");
}

async fn a_breach_of_nobody_lacks_nothing(world: World) {
    let breach = |subject: &str, decision: &str| {
        with(entry(&world, RegisterKind::Breach, subject, Duration::days(9)), &[("decision", decision)])
    };
    let complete = async || ask(&world, EvidenceQuery::RegisterComplete, params(RegisterKind::Breach)).await;
    put(&world, [breach("laptop/1", "No_Personal_Data")]).await;
    assert_eq!(counts(&complete().await), (1, 0, 0), "it was examined");
    put(&world, [breach("laptop/2", "not_notifiable"), breach("laptop/3", "no_personal_data")]).await;
    put(&world, [breach("laptop/3", "notifiable")]).await;
    assert_eq!(counts(&complete().await), (3, 0, 2), "what was notifiable once has to be told of");
    let later = entry(&world, RegisterKind::Breach, "laptop/1", Duration::days(4));
    put(&world, [with(later, &[("decision", "not_notifiable")])]).await;
    assert_eq!(counts(&complete().await), (3, 0, 3), "a later decision takes the earlier one back");
    let last = entry(&world, RegisterKind::Breach, "laptop/1", Duration::days(3));
    put(&world, [with(last, &[("decision", "no_personal_data")])]).await;
    assert_eq!(counts(&complete().await), (3, 0, 2), "the newest decision counts");
}

async fn the_facts_of_a_breach_are_those_of_all_its_entries(world: World) {
    let breach = |subject: &str, days: i64, facts: &[(&str, &str)]| {
        with(entry(&world, RegisterKind::Breach, subject, Duration::days(days)), facts)
    };
    let asked = async |query| ask(&world, query, params(RegisterKind::Breach)).await;
    let complete = async || counts(&asked(EvidenceQuery::RegisterComplete).await);
    let told = async || counts(&asked(EvidenceQuery::BreachTold).await);
    let required = RegisterKind::Breach.required();
    let all: Vec<(&str, &str)> = required.iter().map(|name| (*name, "known")).collect();
    for (n, _) in all.iter().enumerate() {
        let mut lacking = all.clone();
        lacking[n].1 = " ";
        put(&world, [breach(&format!("laptop/{n}"), 9, &lacking)]).await;
    }
    let n = all.len() as u64;
    assert_eq!(complete().await, (n, 0, n), "each of the facts is required");
    let listed = asked(EvidenceQuery::RegisterComplete).await;
    assert!(listed.rows.iter().all(|row| row.last().is_some_and(|cell| cell == "1")), "{listed:?}");
    for (n, fact) in all.iter().enumerate() {
        put(&world, [breach(&format!("laptop/{n}"), 3, &[*fact])]).await;
    }
    assert_eq!(complete().await, (n, 0, 0), "what one entry lacks another one says");

    let high = [("decision", "notifiable"), ("risk", "high")];
    put(&world, [breach("mail/1", 9, &high), breach("mail/2", 9, &high), breach("mail/3", 9, &high)]).await;
    assert_eq!(told().await, (3, 0, 3));
    put(&world, [breach("mail/1", 8, &[("told_at", "2026-11-06T10:00:00Z"), ("message", "hello")])]).await;
    assert_eq!(told().await, (3, 0, 2), "a later entry says that they were told");
    put(&world, [breach("mail/2", 8, &[("risk", "low")])]).await;
    assert_eq!(told().await, (2, 0, 1), "the newest risk counts");
    let exempt = |days| breach("mail/3", days, &[("exemption", "it was encrypted")]);
    put(&world, [RegisterEntry { approver: "kim".to_owned(), ..exempt(8) }]).await;
    assert_eq!(told().await, (2, 0, 0), "an approved exemption");
    put(&world, [exempt(7)]).await;
    assert_eq!(told().await, (2, 0, 1), "the newest exemption is approved by nobody");
}

async fn what_lasts_is_no_proof_once_a_newer_entry_ended_badly(world: World) {
    use RegisterKind as K;
    let ended = |kind, subject: &str, hours, result| RegisterEntry {
        result,
        ..good(entry(&world, kind, subject, Duration::hours(hours)), Duration::zero())
    };
    for kind in [K::Criteria, K::LoggingPolicy, K::CapacityCheck] {
        let fresh = async || counts(&ask(&world, EvidenceQuery::RegisterFresh, params(kind)).await);
        put(&world, [ended(kind, "it", 480, EntryResult::Bad)]).await;
        assert_eq!(fresh().await, (1, 0, 1), "{kind}: never a good one");
        put(&world, [ended(kind, "it", 24, EntryResult::Good)]).await;
        assert_eq!(fresh().await, (1, 0, 0), "{kind}: the newest is good");
        put(&world, [ended(kind, "it", 3, EntryResult::Bad)]).await;
        assert_eq!(fresh().await, (1, 0, 1), "{kind}: it was withdrawn");
        put(&world, [ended(kind, "another", 2, EntryResult::Good)]).await;
        assert_eq!(fresh().await, (2, 0, 1), "{kind}: one about another subject covers nothing up");
        put(&world, [ended(kind, "it", 1, EntryResult::Good)]).await;
        assert_eq!(fresh().await, (2, 0, 0), "{kind}: there is a newer one of it");
        // What is no longer forecast is gone; what stands is to be looked at again.
        put(&world, [ended(kind, "old", 240, EntryResult::Good)]).await;
        assert_eq!(fresh().await, (3, 0, u64::from(kind.stands())), "{kind}: too old");
    }
}

async fn a_breach_that_was_not_notified_has_its_reason(world: World) {
    let decision = ("decision", "Not_Notifiable");
    let reason = ("risk_reason", "the laptop was encrypted, and the key is with us");
    let breach = |subject: &str, days: i64, facts: &[(&str, &str)], approver: &str| RegisterEntry {
        approver: approver.to_owned(),
        ..with(entry(&world, RegisterKind::Breach, subject, Duration::days(days)), facts)
    };
    let reasoned = async || ask(&world, EvidenceQuery::BreachReasoned, params(RegisterKind::Breach)).await;
    let owner = breach("laptop/0", 1, &[], "").owner;
    put(
        &world,
        [
            breach("laptop/1", 9, &[decision, reason], "robin"),
            breach("laptop/2", 9, &[decision, reason], ""),
            breach("laptop/3", 9, &[decision, reason], &owner.to_uppercase()),
            breach("laptop/4", 9, &[decision, ("risk", "low"), ("risk_reason", " ")], "robin"),
            breach("laptop/5", 1, &[decision], "robin"),
            // Told of, examined, undecided: another question asks each.
            breach("laptop/6", 9, &[decision], ""),
            breach("laptop/6", 8, &[("decision", "notifiable")], ""),
            breach("laptop/7", 9, &[("decision", "no_personal_data")], ""),
            breach("laptop/8", 9, &[], ""),
        ],
    )
    .await;
    let answer = reasoned().await;
    assert_eq!(counts(&answer), (5, 1, 3), "{answer:?}");
    // What somebody approved before there was a reason was not the reason.
    put(&world, [breach("laptop/4", 2, &[reason], "")]).await;
    assert_eq!(counts(&reasoned().await), (5, 1, 3));
    put(&world, [breach("laptop/4", 1, &[reason], "kim"), breach("laptop/5", 1, &[reason], "kim")]).await;
    assert_eq!(counts(&reasoned().await), (5, 0, 2));
}

async fn no_edit_prolongs_what_the_law_gives(world: World) {
    let days = Duration::days;
    let asked = |subject: &str, received, due| {
        let request = entry(&world, RegisterKind::ErasureRequest, subject, received);
        RegisterEntry { due_at: request.opened_at + due, ..request }
    };
    let strict = EvidenceParams { warn_within: None, ..params(RegisterKind::ErasureRequest) };
    let timely = async || ask(&world, EvidenceQuery::RegisterTimely, strict.clone()).await;
    put(&world, [asked("account/a", days(40), days(80)), asked("account/b", days(10), days(80))]).await;
    assert_eq!(counts(&timely().await), (2, 0, 1), "30 days from receipt, whatever it says is due");
    let extended = [("extension", "three systems"), ("extended_at", "2026-01-01T00:00:00Z")];
    put(
        &world,
        [
            with(asked("account/c", days(40), days(80)), &extended),
            with(asked("account/d", days(91), days(300)), &extended),
        ],
    )
    .await;
    assert_eq!(counts(&timely().await), (4, 0, 2), "an extension ends after 90 days");
}

async fn approvals_are_asked_of_readers(world: World) {
    let reader = |subject: &str, approver: &str| RegisterEntry {
        approver: approver.to_owned(),
        ..good(entry(&world, RegisterKind::LogReader, subject, Duration::days(1)), Duration::zero())
    };
    let listed = async || ask(&world, EvidenceQuery::RegisterCurrent, params(RegisterKind::LogReader)).await;
    put(&world, [reader("account/dana", ""), reader("account/kim", "Dana"), reader("account/lee", "kim")])
        .await;
    assert_eq!(counts(&listed().await), (3, 0, 2), "nobody, and its own owner, approve nothing");
    let read = |name: &'static str| AuditDraft {
        caller: caller(name),
        permission: Permission::Audit,
        ..draft("audit_export")
    };
    for name in ["lee", "robin", "engine"] {
        world.store.audit_append(read(name)).await.unwrap();
    }
    let asked = EvidenceParams { permission: Some(Permission::Audit), ..params(RegisterKind::LogReader) };
    let readers = ask(&world, EvidenceQuery::AdminsApproved, asked).await;
    assert_eq!(counts(&readers), (2, 0, 1), "robin read without an approval: {readers:?}");
    let gone = RegisterEntry { result: EntryResult::Bad, ..reader("account/lee", "kim") };
    put(&world, [RegisterEntry { opened_at: world.now() - Duration::hours(1), ..gone }]).await;
    assert_eq!(counts(&listed().await), (3, 0, 3), "the newest says that the right is gone");
}

async fn decisions_of_shared_accounts_bind_nobody(world: World) {
    let acts = |name: &'static str| AuditDraft {
        caller: caller(name),
        permission: Permission::Admin,
        ..draft("settings_put")
    };
    for name in ["dana", "root"] {
        world.store.audit_append(acts(name)).await.unwrap();
    }
    let signed = ask(&world, EvidenceQuery::AuditSigned, params(RegisterKind::Backup)).await;
    assert_eq!(signed.exceptions, 1, "nobody is bound by the name root: {signed:?}");
}

async fn encryption_is_known_of_all_that_is_stored(world: World) {
    let state = |subject: &str| {
        good(entry(&world, RegisterKind::Encryption, subject, Duration::hours(9)), Duration::zero())
    };
    let known = async || ask(&world, EvidenceQuery::EncryptionKnown, params(RegisterKind::Encryption)).await;
    assert_eq!(counts(&known().await), (2, 2, 0), "neither disks nor backups");
    put(&world, [state("disk/db1")]).await;
    assert_eq!(counts(&known().await), (2, 1, 0), "one entry does not speak of the backups");
    let backup = |subject: &str| {
        good(entry(&world, RegisterKind::Backup, subject, Duration::days(1)), Duration::hours(1))
    };
    put(&world, [backup("nightly"), backup("offsite"), state("backup/Nightly")]).await;
    let one = known().await;
    assert_eq!(counts(&one), (3, 1, 0), "the other backup is not known: {one:?}");
    put(&world, [state("backup/offsite")]).await;
    assert_eq!(counts(&known().await), (3, 0, 0));
    let clear = RegisterEntry { result: EntryResult::Bad, ..state("backup/offsite") };
    put(&world, [RegisterEntry { opened_at: world.now() - Duration::hours(1), ..clear }]).await;
    assert_eq!(counts(&known().await), (3, 0, 1), "a backup in clear");
}

async fn all_that_is_followed_up_is_listed(world: World) {
    let open =
        |n: usize| entry(&world, RegisterKind::FollowUp, &format!("control/CC{n}"), Duration::hours(9));
    put(&world, (0..30).map(open)).await;
    put(&world, [good(open(30), Duration::hours(1))]).await;
    let answer = ask(&world, EvidenceQuery::ControlsFollowed, params(RegisterKind::FollowUp)).await;
    assert_eq!(counts(&answer), (30, 0, 0), "what is closed follows up nothing");
    assert_eq!(answer.rows.len(), 30, "those of the list are all");
}

async fn what_is_tight_warns(world: World) {
    let room = |subject: &str| {
        good(entry(&world, RegisterKind::CapacityCheck, subject, Duration::days(1)), Duration::zero())
    };
    put(&world, [room("disk/a"), with(room("disk/b"), &[("tight", "40")])]).await;
    let field = Some("tight".to_owned());
    let asked = EvidenceParams { field, ..params(RegisterKind::CapacityCheck) };
    assert_eq!(counts(&ask(&world, EvidenceQuery::RegisterGood, asked).await), (2, 1, 0));
}

/// An entry that ended so many hours ago.
fn ended(
    world: &World,
    (kind, subject): (RegisterKind, &str),
    hours: i64,
    result: EntryResult,
) -> RegisterEntry {
    RegisterEntry { result, ..good(entry(world, kind, subject, Duration::hours(hours)), Duration::zero()) }
}

async fn a_draft_takes_nothing_from_what_stands(world: World) {
    use EvidenceQuery as Q;
    let criteria = (RegisterKind::Criteria, "incidents");
    let standing = async || {
        let mut found = Vec::new();
        for query in [Q::RegisterComplete, Q::RegisterFresh, Q::RegisterCurrent] {
            found.push(counts(&ask(&world, query, params(criteria.0)).await));
        }
        found
    };
    put(&world, [with(ended(&world, criteria, 24, EntryResult::Good), &[("version", "5")])]).await;
    assert_eq!(standing().await, [(1, 0, 0); 3]);
    put(&world, [entry(&world, criteria.0, "incidents", Duration::hours(4))]).await;
    assert_eq!(standing().await, [(1, 0, 0); 3], "the draft of the next version");
    put(&world, [entry(&world, criteria.0, "fraud", Duration::hours(3))]).await;
    assert_eq!(standing().await, [(2, 1, 0), (1, 0, 0), (2, 1, 0)], "a draft of another subject");
    put(&world, [entry(&world, criteria.0, "forgotten", Duration::days(31))]).await;
    assert_eq!(standing().await, [(3, 1, 1), (1, 0, 0), (3, 1, 1)], "a draft past its due time");
}

async fn what_is_retired_stands_no_more(world: World) {
    use EvidenceQuery as Q;
    for kind in [RegisterKind::Criteria, RegisterKind::LoggingPolicy, RegisterKind::CapacityCheck] {
        let about = |subject, hours, result| ended(&world, (kind, subject), hours, result);
        let fresh = async || counts(&ask(&world, Q::RegisterFresh, params(kind)).await);
        let bad = about("old", 30, EntryResult::Bad);
        put(&world, [about("it", 24, EntryResult::Good), bad]).await;
        assert_eq!(fresh().await, (2, 0, 1), "{kind}");
        let gone = |hours, approver: &str, result| RegisterEntry {
            approver: approver.to_owned(),
            ..with(about("old", hours, result), &[("retired", "no longer used")])
        };
        put(&world, [gone(9, "", EntryResult::Good)]).await;
        assert_eq!(fresh().await, (2, 0, 1), "{kind}: nobody approved it");
        put(&world, [gone(8, "Dana", EntryResult::Good)]).await;
        assert_eq!(fresh().await, (2, 0, 1), "{kind}: its own owner approves nothing");
        put(&world, [gone(7, "kim", EntryResult::Bad)]).await;
        assert_eq!(fresh().await, (1, 0, 0), "{kind}: it is gone");
        let complete = ask(&world, Q::RegisterComplete, params(RegisterKind::Criteria)).await;
        assert_eq!(complete.population, 1, "{kind}: {complete:?}");
        put(&world, [about("old", 5, EntryResult::Bad)]).await;
        assert_eq!(fresh().await, (2, 0, 1), "{kind}: it is back");
        put(&world, [gone(4, "kim", EntryResult::Good)]).await;
        assert_eq!(fresh().await, (1, 0, 0), "{kind}: and gone again");
    }
    // The end of a disk is no forecast of another one, and neither is what was forecast of it.
    let kind = RegisterKind::CapacityCheck;
    world.tamper("UPDATE register_entry SET opened_at = opened_at - 864000000000 WHERE subject = 'it'").await;
    assert_eq!(counts(&ask(&world, Q::RegisterFresh, params(kind)).await), (1, 0, 1));

    let reader = |hours, facts: &[(&str, &str)]| RegisterEntry {
        approver: "kim".to_owned(),
        ..with(ended(&world, (RegisterKind::LogReader, "account/lee"), hours, EntryResult::Good), facts)
    };
    let read = AuditDraft { caller: caller("lee"), permission: Permission::Audit, ..draft("audit_export") };
    world.store.audit_append(read).await.unwrap();
    let asked = EvidenceParams { permission: Some(Permission::Audit), ..params(RegisterKind::LogReader) };
    let readers = async || counts(&ask(&world, Q::AdminsApproved, asked.clone()).await);
    put(&world, [reader(24 * 50, &[])]).await;
    assert_eq!(readers().await, (1, 0, 0));
    put(&world, [reader(24 * 40, &[("retired", "left")])]).await;
    assert_eq!(readers().await, (1, 0, 1), "the right ended before the period");
    let disk = (RegisterKind::Encryption, "disk/old");
    let clear = ended(&world, disk, 9, EntryResult::Bad);
    let sold = with(ended(&world, disk, 8, EntryResult::Good), &[("retired", "sold")]);
    put(&world, [clear, RegisterEntry { approver: "kim".to_owned(), ..sold }]).await;
    let known = ask(&world, Q::EncryptionKnown, params(RegisterKind::Encryption)).await;
    assert_eq!(known.exceptions, 0, "{known:?}");
}

async fn a_newer_forecast_heals_a_disk(world: World) {
    let of = |subject, hours, result| ended(&world, (RegisterKind::CapacityCheck, subject), hours, result);
    let room =
        async || counts(&ask(&world, EvidenceQuery::RegisterGood, params(RegisterKind::CapacityCheck)).await);
    put(&world, [of("disk/a", 48, EntryResult::Bad), of("disk/b", 48, EntryResult::Bad)]).await;
    assert_eq!(room().await, (2, 0, 2));
    put(&world, [of("disk/a", 24, EntryResult::Good)]).await;
    assert_eq!(room().await, (2, 0, 1), "there is room on it now");
    let gone = with(of("disk/b", 12, EntryResult::Good), &[("retired", "taken out")]);
    put(&world, [RegisterEntry { approver: "kim".to_owned(), ..gone }]).await;
    assert_eq!(room().await, (1, 0, 0), "it is gone");
}

/// The facts of an entry, how many members and exceptions it makes, and words of the row.
type Case<'a> = (&'a [(&'a str, &'a str)], (u64, u64), &'a str);

async fn an_erasure_tells_of_its_key_and_of_what_is_left(world: World) {
    let now = world.now();
    let day = |days: i64| (now + Duration::days(days)).format("%Y-%m-%d").to_string();
    let (yesterday, soon, late, past) = (day(-1), day(60), day(90), day(-2));
    let future = (now + Duration::hours(2)).to_rfc3339();
    let residue = ("residue", "None");
    let (receipt, before) = (day(-9), day(-10));
    let destroyed = (now - Duration::days(8)).to_rfc3339();
    let early = (now - Duration::days(9) - Duration::hours(1)).to_rfc3339();
    let key = ("key_destroyed", destroyed.as_str());
    let asked =
        EvidenceParams { field: Some("backups_until".to_owned()), ..params(RegisterKind::ErasureRequest) };
    // Ended a week ago, so that 90 days after it are 83 from now.
    let cases: [Case<'_>; 17] = [
        (&[], (0, 1), "key_destroyed is missing; residue is missing"),
        (&[key], (0, 1), "residue is missing"),
        (&[key, ("residue", " ")], (0, 1), "residue is missing"),
        (&[key, residue], (0, 0), ""),
        (&[("key_destroyed", yesterday.as_str()), residue], (0, 0), ""),
        (&[("key_destroyed", receipt.as_str()), residue], (0, 0), ""),
        (&[("key_destroyed", before.as_str()), residue], (0, 1), "before the request was received"),
        (&[("key_destroyed", early.as_str()), residue], (0, 1), "before the request was received"),
        (&[("key_destroyed", "banana"), residue], (0, 1), "neither an instant"),
        (&[("key_destroyed", future.as_str()), residue], (0, 1), "in the future"),
        (&[key, ("residue", "plenty")], (0, 1), "residue is not none"),
        (&[key, residue, ("backups_until", soon.as_str())], (1, 0), "backups_until"),
        (&[key, residue, ("backups_until", late.as_str())], (0, 1), "more than 90 days"),
        (&[key, residue, ("backups_until", past.as_str())], (0, 1), "is past"),
        (&[key, residue, ("backups_until", "spring")], (0, 1), "is no day"),
        (&[("refused", "books of the tax office")], (0, 0), ""),
        (&[("refused", " ")], (0, 1), "key_destroyed is missing"),
    ];
    let (mut population, mut warnings, mut exceptions) = (0, 0, 0);
    for (n, (facts, (warned, failed), words)) in cases.into_iter().enumerate() {
        let subject = format!("account/{n}");
        let request = entry(&world, RegisterKind::ErasureRequest, &subject, Duration::days(9));
        put(&world, [with(good(request, Duration::days(2)), facts)]).await;
        population += 1;
        warnings += warned;
        exceptions += failed;
        let answer = ask(&world, EvidenceQuery::RegisterGood, asked.clone()).await;
        assert_eq!(counts(&answer), (population, warnings, exceptions), "{facts:?}: {answer:?}");
        let row = answer.rows.iter().find(|row| row[0] == subject);
        let said = row.and_then(|row| row.last()).map_or("", String::as_str);
        assert!(said.contains(words), "{facts:?}: {said}");
    }
    let request = entry(&world, RegisterKind::ErasureRequest, "account/bad", Duration::days(9));
    let bad = RegisterEntry { result: EntryResult::Bad, ..good(request, Duration::days(2)) };
    put(&world, [with(bad, &[key, residue])]).await;
    let answer = ask(&world, EvidenceQuery::RegisterGood, asked).await;
    assert_eq!(counts(&answer), (population + 1, warnings, exceptions + 1), "it ended badly");
}

async fn an_erasure_is_judged_in_the_period_in_which_it_ended(world: World) {
    let erased =
        |subject: &str, days| entry(&world, RegisterKind::ErasureRequest, subject, Duration::days(days));
    let good_ones = async || {
        counts(&ask(&world, EvidenceQuery::RegisterGood, params(RegisterKind::ErasureRequest)).await)
    };
    // The period began 30 days ago: ended before it, open, and begun before it and ended in it.
    put(&world, [good(erased("account/a", 50), Duration::days(9)), erased("account/b", 20)]).await;
    assert_eq!(good_ones().await, (0, 0, 0));
    put(&world, [good(erased("account/c", 40), Duration::days(20))]).await;
    assert_eq!(good_ones().await, (1, 0, 1), "its facts are asked for when it has ended");
}

async fn history_is_kept_since_it_came(world: World) {
    world.ingest(&events(20, world.now() - Duration::days(5)), &[]).await;
    let year = EvidenceParams { minimum: Some(365), ..EvidenceParams::default() };
    let kept = async || ask(&world, EvidenceQuery::HistoryKept, year.clone()).await;
    assert_eq!(counts(&kept().await), (1, 0, 0), "since it began");
    world.tamper("UPDATE event SET at = at + 172800000000").await;
    assert_eq!(counts(&kept().await), (1, 0, 1), "the first days have gone");
}
