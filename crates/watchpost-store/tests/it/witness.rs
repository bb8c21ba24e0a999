//! What a console remembers of the log finds what the database alone cannot tell: a log that was emptied, rolled back,
//! or written anew with everything in it fitting.

use watchpost_model::audit::{AuditVerification, LogSeen};
use watchpost_store::{KeptNote, Signer, Store, StoreError, VerifyPlan};

use crate::support::{World, both, caller, draft};

both!(
    what_grows_is_no_finding,
    rolled_back_logs_are_found,
    a_log_that_is_emptied_or_replaced_is_found,
    a_new_history_that_verifies_is_found,
    what_was_confirmed_is_remembered_over_a_roll_back,
    a_log_in_the_place_of_the_expected_one_confirms_nothing,
    checkpoints_in_other_places_are_held_against_the_log,
    a_check_goes_on_where_the_last_one_ended,
    a_check_stops_when_it_is_told_to,
    another_console_signs_for_what_it_saw,
    a_rolled_key_is_no_further_console,
);

const TABLES: [&str; 7] = [
    "audit_leaf",
    "audit_record",
    "audit_payload",
    "audit_checkpoint",
    "audit_head",
    "audit_name",
    "subject_key",
];

async fn fill(store: &Store, count: u32) {
    for n in 0..count {
        let mut draft = draft("incident_take");
        draft.object = format!("incident/{n}");
        store.audit_append(draft).await.unwrap();
    }
}

async fn keep(world: &World, name: &str) {
    for table in TABLES {
        world.tamper(&format!("CREATE TABLE {name}_{table} AS SELECT * FROM {table}")).await;
    }
}

async fn put_back(world: &World, name: &str) {
    for table in TABLES {
        world.tamper(&format!("DELETE FROM {table}")).await;
        world.tamper(&format!("INSERT INTO {table} SELECT * FROM {name}_{table}")).await;
    }
}

async fn seen(store: &Store) -> LogSeen {
    store.audit_look(None).await.unwrap().now
}

async fn problem(store: &Store, seen: &LogSeen) -> Option<(Option<i64>, String)> {
    store.audit_look(Some(seen)).await.unwrap().problem
}

async fn verify(store: &Store, plan: VerifyPlan) -> AuditVerification {
    store.audit_verify(&caller("auditor"), plan, &|_, _| true).await.unwrap()
}

fn signer(seed: u8) -> Signer {
    Signer::from_seed(&[seed; 32], &format!("watchpost/desk-{seed}")).unwrap()
}

async fn what_grows_is_no_finding(world: World) {
    let empty = seen(&world.store).await;
    assert_eq!((empty.size, empty.log.as_str()), (0, ""));
    let mut memories = vec![empty];
    for count in [1, 2, 5, 30] {
        fill(&world.store, count).await;
        memories.push(seen(&world.store).await);
    }
    fill(&world.store, 3).await;
    for memory in &memories {
        assert_eq!(problem(&world.store, memory).await, None, "seen at {}", memory.size);
    }
    let sizes: Vec<i64> = memories.iter().map(|memory| memory.size).chain([1_000]).collect();
    let roots = world.store.audit_roots(&sizes).await.unwrap();
    for memory in &memories {
        assert!(roots.contains(&(memory.size, Some(memory.root.clone()))), "root of {}", memory.size);
    }
    assert_eq!(roots.last(), Some(&(1_000, None)), "there are not so many");
}

async fn rolled_back_logs_are_found(world: World) {
    world.store.set_signer(signer(3)).await.unwrap();
    fill(&world.store, 20).await;
    keep(&world, "old").await;
    let early = seen(&world.store).await;
    fill(&world.store, 10).await;
    let memory = seen(&world.store).await;
    put_back(&world, "old").await;
    assert!(verify(&world.store, VerifyPlan::default()).await.ok, "by itself the old state is a good one");
    let (seq, text) = problem(&world.store, &memory).await.expect("the roll-back is found");
    assert_eq!(seq, Some(early.size + 1), "first missing record; the check has written one");
    assert!(text.contains("rolled back") && text.contains("32 records"), "{text}");
    assert_eq!(problem(&world.store, &early).await, None, "who has not seen more cannot know");
    fill(&world.store, 60).await;
    let (seq, text) = problem(&world.store, &memory).await.expect("roll back and go on is found");
    let before = format!("rewritten somewhere before record {}", memory.size);
    assert!(seq.is_none() && text.contains(&before), "{seq:?} {text}");
    let vague = VerifyPlan { vague: vec![text.clone()], ..VerifyPlan::default() };
    let told = verify(&world.store, vague).await;
    assert_eq!((told.ok, told.first_bad_seq), (false, None), "no record is named that holds");
    let told =
        verify(&world.store, VerifyPlan { found: vec![(22, text.clone())], ..VerifyPlan::default() }).await;
    assert_eq!((told.ok, told.first_bad_seq), (false, Some(22)), "a check says what a witness found");
    assert!(told.problems.contains(&text) && told.verified.is_none());
}

async fn a_log_that_is_emptied_or_replaced_is_found(world: World) {
    world.store.set_signer(signer(3)).await.unwrap();
    fill(&world.store, 5).await;
    let memory = seen(&world.store).await;
    for table in TABLES {
        world.tamper(&format!("DELETE FROM {table}")).await;
    }
    let (seq, text) = problem(&world.store, &memory).await.expect("an emptied log is found");
    assert_eq!(seq, Some(0));
    assert!(text.contains("emptied"), "{text}");
    world.store.set_signer(signer(3)).await.unwrap();
    fill(&world.store, 50).await;
    assert!(verify(&world.store, VerifyPlan::default()).await.ok, "the new log is a good one by itself");
    let (_, text) = problem(&world.store, &memory).await.expect("another log is found, however long");
    assert!(text.contains("replaced") && text.contains(&memory.log), "{text}");
}

/// As after a standby took over that lacks the newest, and everybody went on before somebody looked.
async fn what_was_confirmed_is_remembered_over_a_roll_back(world: World) {
    assert_eq!(world.store.audit_confirmed(), None);
    fill(&world.store, 5).await;
    keep(&world, "old").await;
    let other = world.another().await;
    for store in [&world.store, &other, &world.store] {
        fill(store, 2).await;
    }
    let confirmed = world.store.audit_confirmed().expect("it has written");
    let now = seen(&world.store).await;
    assert_eq!(
        (confirmed.size, &confirmed.root),
        (now.size, &now.root),
        "what others wrote between is in it"
    );
    assert_eq!(problem(&world.store, &confirmed).await, None);
    put_back(&world, "old").await;
    for count in [1, 4, 5] {
        fill(&other, 1).await;
        fill(&world.store, count).await;
        let kept = world.store.audit_confirmed();
        assert_eq!(kept.as_ref(), Some(&confirmed), "{count} more of another history take nothing back");
    }
    let (_, text) = problem(&world.store, &confirmed).await.expect("it is found");
    assert!(text.contains("rewritten"), "{text}");
    world.store.audit_made_sure(confirmed.size - 1);
    assert!(world.store.audit_confirmed().is_some(), "somebody made sure of less");
    world.store.audit_made_sure(confirmed.size);
    assert_eq!(world.store.audit_confirmed(), None);
    fill(&world.store, 1).await;
    let now = seen(&world.store).await;
    assert_eq!(world.store.audit_confirmed().map(|confirmed| confirmed.root), Some(now.root));
    other.close().await;
}

/// As with a file that is put in the place of another one, or an address that leads to a wrong server for a while.
async fn a_log_in_the_place_of_the_expected_one_confirms_nothing(world: World) {
    fill(&world.store, 5).await;
    keep(&world, "old").await;
    fill(&world.store, 2).await;
    let memory = seen(&world.store).await;
    keep(&world, "own").await;
    put_back(&world, "old").await;
    world.store.audit_made_sure(i64::MAX);
    assert!(!world.store.audit_expects(&memory));
    world.store.audit_expect(Some(memory.clone()));
    assert!(world.store.audit_expects(&memory));
    for count in [1, 1, 6] {
        fill(&world.store, count).await;
        assert_eq!(world.store.audit_confirmed(), None, "{count} more of another history");
    }
    put_back(&world, "own").await;
    fill(&world.store, 2).await;
    let (confirmed, now) = (world.store.audit_confirmed(), seen(&world.store).await);
    assert_eq!(confirmed.map(|confirmed| (confirmed.size, confirmed.root)), Some((now.size, now.root)));
    assert_eq!(problem(&world.store, &memory).await, None);
}

/// The attacker has the database, this software, and even the key: writes another past of the same log and signs it.
async fn a_new_history_that_verifies_is_found(world: World) {
    world.store.set_signer(signer(4)).await.unwrap();
    fill(&world.store, 8).await;
    keep(&world, "fork").await;
    fill(&world.store, 12).await;
    world.store.checkpoint_now("test").await.unwrap();
    let memory = seen(&world.store).await;
    put_back(&world, "fork").await;
    for n in 0..40 {
        let mut other = draft("nothing_to_see");
        other.object = format!("other/{n}");
        world.store.audit_append(other).await.unwrap();
    }
    world.store.checkpoint_now("test").await.unwrap();
    assert!(verify(&world.store, VerifyPlan::default()).await.ok, "every signature and hash of it is good");
    let (_, text) = problem(&world.store, &memory).await.expect("the fork is found");
    assert!(text.contains("rewritten"), "{text}");
}

async fn checkpoints_in_other_places_are_held_against_the_log(world: World) {
    world.store.set_signer(signer(5)).await.unwrap();
    fill(&world.store, 6).await;
    keep(&world, "early").await;
    fill(&world.store, 6).await;
    let note = world.store.checkpoint_now("test").await.unwrap();
    let kept = |note: &str| KeptNote { place: "the folder /mnt/vault".to_owned(), note: note.to_owned() };
    let plan = |kept: KeptNote| VerifyPlan { kept: vec![kept], ..VerifyPlan::default() };
    fill(&world.store, 3).await;
    let good = verify(&world.store, plan(kept(&note.note))).await;
    assert!(good.ok, "{:?}", good.problems);
    let other = note.note.replace(&note.root, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    let bad = verify(&world.store, plan(kept(&other))).await;
    assert!(!bad.ok && bad.problems[0].contains("/mnt/vault"), "{:?}", bad.problems);
    assert!(bad.problems[0].contains("not signed by a key of this log"), "{:?}", bad.problems);
    put_back(&world, "early").await;
    assert!(verify(&world.store, VerifyPlan::default()).await.ok);
    let back = verify(&world.store, plan(kept(&note.note))).await;
    assert!(!back.ok && back.problems[0].contains("rolled back"), "{:?}", back.problems);
    assert_eq!((back.first_bad_seq, back.first_bad_tile), (Some(back.leaves), None), "behind the newest one");
    fill(&world.store, 30).await;
    let fork = verify(&world.store, plan(kept(&note.note))).await;
    assert!(!fork.ok, "rolled back and gone on");
    assert!(fork.problems[0].contains("another root, signed by a key of this log"), "{:?}", fork.problems);
    assert_eq!(fork.first_bad_seq, Some(1), "since the last checkpoint that fits both");
}

async fn a_check_goes_on_where_the_last_one_ended(world: World) {
    world.store.set_signer(signer(6)).await.unwrap();
    fill(&world.store, 1_200).await;
    let full = verify(&world.store, VerifyPlan::default()).await;
    assert!(full.ok && full.from == 0, "{:?}", full.problems);
    let good = full.verified.expect("a good log can be gone on from");
    assert_eq!(good.seen.size, full.leaves);
    // The next checkpoint has just the size that was verified, plus the record of the check.
    world.store.checkpoint_now("test").await.unwrap();
    fill(&world.store, 20).await;
    world.store.checkpoint_now("test").await.unwrap();
    let plan = |from| VerifyPlan { from: Some(from), ..VerifyPlan::default() };
    let more = verify(&world.store, plan(good.clone())).await;
    assert!(more.ok, "{:?}", more.problems);
    assert_eq!((more.from, more.leaves), (good.seen.size, good.seen.size + 23));
    let all = verify(&world.store, VerifyPlan::default()).await;
    assert!(
        more.checkpoints > 2 && more.checkpoints == all.checkpoints,
        "as many as reading everything finds"
    );
    let next = more.verified.expect("good again");
    assert_eq!((next.full_at, next.keys.len()), (good.full_at, 1));
    assert_eq!(problem(&world.store, &next.seen).await, None, "both kinds of memory agree");
    world.tamper("UPDATE audit_record SET actor = 'mallory' WHERE seq = 1210").await;
    let bad = verify(&world.store, plan(good.clone())).await;
    assert_eq!((bad.ok, bad.first_bad_seq), (false, Some(1210)), "{:?}", bad.problems);
    world.tamper("UPDATE audit_record SET actor = 'dana' WHERE seq = 1210").await;
    let mut forged = good.clone();
    forged.seen.frontier = forged.seen.frontier.replace('0', "1");
    assert!(!verify(&world.store, plan(forged)).await.ok, "the tree must continue what was seen");
    let mut longer = good;
    longer.seen.size = 1_000_000;
    let all = verify(&world.store, plan(longer)).await;
    assert!(
        all.ok && all.from == 0,
        "what cannot be gone on from is read from the begin: {:?}",
        all.problems
    );
}

async fn a_check_stops_when_it_is_told_to(world: World) {
    fill(&world.store, 30).await;
    for allowed in [0, 1] {
        let calls = std::sync::atomic::AtomicU32::new(0);
        let stopped = world
            .store
            .audit_verify(&caller("auditor"), VerifyPlan::default(), &|_, _| {
                calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < allowed
            })
            .await;
        assert!(matches!(stopped, Err(StoreError::Cancelled)), "{stopped:?}");
    }
    assert!(verify(&world.store, VerifyPlan::default()).await.ok, "the connections are free again");
}

async fn another_console_signs_for_what_it_saw(world: World) {
    let second = world.another().await;
    world.store.set_signer(signer(7)).await.unwrap();
    fill(&world.store, 4).await;
    let since = world.now() - chrono::Duration::days(7);
    let names = async || world.store.audit_witnesses(since, &[]).await.unwrap().keys;
    assert_eq!(world.store.audit_cosign(None).await.unwrap(), None, "nobody witnesses for itself");
    second.set_signer(Signer::session()).await.unwrap();
    fill(&second, 1).await;
    world.store.checkpoint_now("test").await.unwrap();
    assert_eq!(second.audit_cosign(None).await.unwrap(), None, "nor with a key that is not kept");
    assert!(names().await.is_empty());
    second.set_signer(signer(8)).await.unwrap();
    fill(&second, 300).await;
    let newest = world.store.checkpoint_now("test").await.unwrap();
    let walked = second.audit_cosign(None).await.unwrap().expect("the tree leads to the checkpoint");
    assert_eq!((walked.size, &walked.root), (newest.size, &newest.root));
    assert_eq!(second.audit_cosign(Some(&walked)).await.unwrap(), None, "once for each checkpoint");
    assert_eq!(names().await, ["watchpost/desk-8"]);
    // Whoever may write rows puts many above it; the witness is still there.
    world
        .tamper(
            "INSERT INTO audit_cosignature (size, key_name, at, line) SELECT size, 'nobody/' || n, at, line \
             FROM audit_cosignature, (WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 100) \
             SELECT n FROM c) AS junk",
        )
        .await;
    assert_eq!(names().await, ["watchpost/desk-8"]);
    assert_eq!(
        world.store.audit_witnesses(since, &[]).await.unwrap().bad.len(),
        63,
        "and what does not fit is told"
    );
    world.tamper("DELETE FROM audit_cosignature WHERE key_name LIKE 'nobody/%'").await;
    let own = ["watchpost/desk-8".to_owned()];
    let to_itself = world.store.audit_witnesses(since, &own).await.unwrap();
    assert_eq!(to_itself, watchpost_store::Witnesses::default(), "nobody is a witness to itself");
    assert!(verify(&world.store, VerifyPlan::default()).await.ok);
    fill(&world.store, 2).await;
    world.store.checkpoint_now("test").await.unwrap();
    world.tamper("UPDATE audit_leaf SET hash = leaf WHERE seq = 2").await;
    assert_eq!(second.audit_cosign(None).await.unwrap(), None, "it walks from the begin");
    let again = second.audit_cosign(Some(&walked)).await.unwrap();
    assert!(again.is_some_and(|again| again.size > walked.size), "what it had walked is not walked again");
    world.tamper("UPDATE audit_cosignature SET line = '\u{2014} watchpost/desk-8 AAAA'").await;
    let told = world.store.audit_witnesses(since, &[]).await.unwrap();
    assert!(told.keys.is_empty() && told.bad.len() == 2, "{told:?}");
    let later = world.store.audit_witnesses(world.now() + chrono::Duration::seconds(1), &[]).await.unwrap();
    assert!(later.bad.is_empty(), "what is older than asked is not looked at");
}

async fn a_rolled_key_is_no_further_console(world: World) {
    let second = world.another().await;
    world.store.set_signer(signer(7)).await.unwrap();
    second.set_signer(signer(8)).await.unwrap();
    for rolled in [false, true] {
        if rolled {
            second.signer_roll(signer(9), draft("audit_key_roll")).await.unwrap();
        }
        fill(&world.store, 4).await;
        world.store.checkpoint_now("test").await.unwrap();
        assert!(second.audit_cosign(None).await.unwrap().is_some(), "rolled: {rolled}");
    }
    let since = world.now() - chrono::Duration::days(7);
    let told = world.store.audit_witnesses(since, &[]).await.unwrap();
    assert_eq!((&told.keys[..], told.bad), (&["watchpost/desk-8".to_owned()][..], Vec::new()));
    let own = ["watchpost/desk-9".to_owned()];
    let to_itself = second.audit_witnesses(since, &own).await.unwrap();
    assert_eq!(to_itself.keys, Vec::<String>::new(), "nor is the one before");
}
