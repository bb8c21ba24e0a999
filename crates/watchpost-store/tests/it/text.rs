//! Words of events: the index finds what a plain reading finds, in whatever state it is, and forgets what goes.

use chrono::{DateTime, Duration, Utc};
use watchpost_model::audit::AuditDraft;
use watchpost_model::event::{Category, Event};
use watchpost_model::period::Period;
use watchpost_model::privacy::{Erasure, Subject, SubjectKind};
use watchpost_store::EventFilter;

use crate::search::{searched, stored};
use crate::support::{World, both, draft, event};

both!(
    words_are_found_before_and_behind_the_index,
    what_changed_or_went_is_found_no_more,
    what_was_erased_is_in_no_index,
    a_number_that_is_given_again_hides_nothing,
);

/// What letters, wildcards, quotes and three of a kind make of an index.
const NASTY: [&str; 14] = [
    "Anna",
    "joanna",
    "50%off",
    "a_b_c",
    "say \"hi\"",
    "it''s",
    "[a]*b?",
    "wow!!!",
    "nul\u{0}inside",
    "\u{c4}RGER",
    "\u{1f600}\u{1f680}\u{1d518}X",
    "(or and not)",
    "aaaaaa",
    "\u{130}stanbul \u{3a3}\u{3a3}",
];

fn pool(count: u32, now: DateTime<Utc>) -> Vec<(Event, String)> {
    let one = |n: u32| {
        let mut event = event(n, now - Duration::minutes(i64::from(n * 37 % count)));
        event.category = Category::Authentication;
        event.actor = Some(NASTY[n as usize % NASTY.len()].to_owned());
        event.session = Some(format!("Session-{n}"));
        (event, format!("k{n}"))
    };
    (0..count).map(one).collect()
}

/// Every piece of one to five letters of these words, in upper and lower case, and some that are nowhere.
fn pieces() -> Vec<String> {
    let mut pieces: Vec<String> =
        ["zebra", "search", "%%%", "___", "session-1", "\"\"\"", "ssion-3"].map(str::to_owned).into();
    for word in NASTY.iter().flat_map(|word| word.split_whitespace()) {
        let letters: Vec<char> = word.chars().collect();
        for length in [1, 2, 3, 5] {
            for piece in letters.windows(length).step_by(3) {
                let piece: String = piece.iter().collect();
                pieces.extend([piece.to_uppercase(), piece.to_lowercase(), piece]);
            }
        }
    }
    pieces.sort();
    pieces.dedup();
    pieces
}

fn of_text(text: &str) -> EventFilter {
    EventFilter { text: Some(text.to_owned()), ..EventFilter::default() }
}

/// Every piece finds what a plain reading of `there` finds, newest first, and as many.
async fn check(world: &World, there: &[(Event, String)], when: &str) {
    let mut newest: Vec<&Event> = there.iter().map(|(event, _)| event).collect();
    newest.sort_by_key(|event| std::cmp::Reverse((event.at, event.id)));
    let period = Period::new(world.now() - Duration::days(30), world.now() + Duration::days(1)).unwrap();
    for (nth, text) in pieces().into_iter().enumerate() {
        let wanted = stored(&text.to_lowercase());
        let expect: Vec<&Event> =
            newest.iter().copied().filter(|event| searched(event).contains(&wanted)).collect();
        let filter = of_text(&text);
        let page = world.store.event_page(&filter, None, 500).await.unwrap();
        assert_eq!(page.rows.iter().collect::<Vec<_>>(), expect, "{text:?} {when}");
        let n = expect.len() as u64;
        assert_eq!(world.store.event_count(&filter).await.unwrap(), n, "{text:?} {when}");
        if nth.is_multiple_of(8) {
            let figures = world.store.event_figures(&filter, period, 10, &[]).await.unwrap();
            assert_eq!(figures.facet_rows, n, "{text:?} {when}");
        }
    }
}

/// The index holds what the rows hold, and nothing else.
async fn is_whole(world: &World) {
    world.store.event_text_catch_up().await.unwrap();
    assert_eq!(world.store.event_text_behind().await.unwrap(), 0);
    if !world.is_postgres() {
        world.tamper("INSERT INTO event_text (event_text, rank) VALUES ('integrity-check', 1)").await;
    }
}

async fn words_are_found_before_and_behind_the_index(world: World) {
    let pool = pool(60, world.now());
    world.ingest(&pool[..25], &[]).await;
    check(&world, &pool[..25], "without an index").await;
    is_whole(&world).await;
    check(&world, &pool[..25], "by the index").await;
    world.ingest(&pool[25..], &[]).await;
    check(&world, &pool, "before and behind it").await;
    let step = world.store.event_text_step().await.unwrap();
    assert_eq!(step.added, 0, "too few for a step of their own");
    let rest = world.store.event_text_rest(step.newest - 1).await.unwrap();
    assert_eq!(rest.added, 0, "events are coming in");
    let rest = world.store.event_text_rest(step.newest).await.unwrap();
    assert_eq!(rest.added > 0, !world.is_postgres(), "nothing came in");
    let done = world.store.maintain(false).await.unwrap();
    assert_eq!(done.problem, None);
    is_whole(&world).await;
    check(&world, &pool, "by all of the index").await;
}

async fn what_changed_or_went_is_found_no_more(world: World) {
    let mut there = pool(40, world.now());
    world.ingest(&there, &[]).await;
    is_whole(&world).await;
    for (event, _) in &mut there[5..9] {
        event.actor = Some("Zebra".to_owned());
    }
    world.store.archive_upsert(&there[..12], None).await.unwrap();
    check(&world, &there, "after a change").await;
    is_whole(&world).await;
    world.clock.advance(Duration::days(3));
    let young = pool(50, world.now()).split_off(40);
    world.ingest(&young, &[]).await;
    let cutoff = world.now() - Duration::days(1);
    assert_eq!(world.store.archive_prune(Category::Authentication, cutoff, 33).await.unwrap(), 33);
    // The oldest go first; which of those that were stored at once is the store's own affair.
    world.store.archive_prune(Category::Authentication, cutoff, 100).await.unwrap();
    check(&world, &young, "after retention").await;
    is_whole(&world).await;
    check(&world, &young, "after retention, by the index").await;
    if !world.is_postgres() {
        assert!(world.store.maintain(true).await.unwrap().problem.is_none());
        is_whole(&world).await;
        check(&world, &young, "after the file was written anew").await;
    }
}

async fn what_was_erased_is_in_no_index(world: World) {
    let mut there = pool(40, world.now());
    world.ingest(&there[..30], &[]).await;
    is_whole(&world).await;
    world.ingest(&there[30..], &[]).await;
    let anna = Subject::new(SubjectKind::User, "anna").unwrap();
    let asked = |_: &Erasure| -> AuditDraft { draft("privacy_erase") };
    let (erasure, _) = world.store.privacy_erase(&anna, "robin", asked).await.unwrap();
    let before = there.len();
    there.retain(|(event, _)| event.actor.as_deref() != Some("Anna"));
    let gone = erasure.counts.iter().find(|count| count.what == "event").map(|count| count.removed);
    assert_eq!(gone, Some((before - there.len()) as u64));
    check(&world, &there, "after an erasure").await;
    assert_eq!(world.store.privacy_scan(&anna).await.unwrap().found, []);
    is_whole(&world).await;
    check(&world, &there, "after an erasure, by the index").await;
    assert_eq!(world.store.privacy_scan(&anna).await.unwrap().found, []);
}

/// SQLite gives the number of the newest row to the next one when that row is gone.
async fn a_number_that_is_given_again_hides_nothing(world: World) {
    let mut there = pool(30, world.now());
    let late = there.split_off(26);
    // As they are stored.
    there.sort_by_key(|(event, _)| event.id);
    world.ingest(&there, &[]).await;
    is_whole(&world).await;
    // The two newest go, the older of them first; and then one of the middle.
    for n in [24, 25, 10] {
        assert_eq!(world.tamper(&format!("DELETE FROM event WHERE id = '{}'", there[n].0.id)).await, 1);
    }
    for n in [25, 24, 10] {
        there.remove(n);
    }
    check(&world, &there, "after the newest rows went").await;
    there.extend(late.iter().cloned());
    world.ingest(&late, &[]).await;
    check(&world, &there, "with others in their place").await;
    is_whole(&world).await;
    check(&world, &there, "with others in their place, by the index").await;
}
