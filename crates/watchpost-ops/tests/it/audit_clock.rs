//! The trail where the clock of a console was wrong: it switches no check off, and takes nothing away before its time.

use std::sync::Arc;

use chrono::Duration;
use tempfile::TempDir;
use watchpost_model::audit::AuditVerification;
use watchpost_model::clock::{Clock, ManualClock, SystemClock};
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{AuditExport, AuditPageRequest, AuditPurge, AuditVerify, Nothing};
use watchpost_ops::door::operation;
use watchpost_ops::{BundleDepth, check_bundle};

use crate::audit_export::{said, script};
use crate::door::{Desk, desk_at, folder};
use crate::report_tampered::tamper;
use crate::witness::change;

async fn timed(home: &TempDir) -> (Desk, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    (desk_at(home, Tenure::Guest, local_connection(), clock.clone()).await, clock)
}

async fn verify(desk: &Desk, full: bool) -> AuditVerification {
    let request = AuditVerify { full, ticket: None };
    desk.ask::<operation::audit_verify>(request).await.expect("a check answers")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_check_by_a_clock_that_is_ahead_counts_as_none() {
    let home = folder();
    let (desk, clock) = timed(&home).await;
    change(&desk, "One").await;
    let ahead = Duration::days(3_650);
    clock.advance(ahead);
    assert!(verify(&desk, true).await.ok);
    assert!(verify(&desk, false).await.from > 0, "by that clock it was a moment ago");
    clock.advance(-ahead);
    let told = desk.ask::<operation::audit_trust>(Nothing {}).await.expect("trust is told");
    assert_eq!((told.full_at, told.verified_size), (None, None));

    let request = AuditPageRequest { limit: 50, ..AuditPageRequest::default() };
    let rows = desk.ask::<operation::audit_page>(request).await.expect("a page").rows;
    let row = rows.into_iter().find(|row| row.action == "settings_put");
    let (seq, actor) = row.map(|row| (row.seq, row.actor)).expect("the change is in the trail");
    tamper(&home, &format!("UPDATE audit_record SET actor = 'mallory' WHERE seq = {seq}"));
    let checked = verify(&desk, false).await;
    assert_eq!((checked.ok, checked.first_bad_seq), (false, Some(seq)), "{:?}", checked.problems);
    tamper(&home, &format!("UPDATE audit_record SET actor = '{actor}' WHERE seq = {seq}"));
    let checked = verify(&desk, false).await;
    assert!(checked.ok && checked.from == 0, "{:?}", checked.problems);
    assert!(verify(&desk, false).await.from > 0, "and from there it goes on");
    desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_tells_of_clocks_what_the_trail_tells() {
    let (home, out) = (folder(), folder());
    let (desk, clock) = timed(&home).await;
    let years = Duration::days(8 * 365);
    change(&desk, "One").await;
    clock.advance(years);
    // By this the clock stands for a purge.
    change(&desk, "Two").await;
    clock.advance(Duration::hours(25));
    let request = AuditPurge { class: None, reason: "past its time".to_owned() };
    let purged = desk.ask::<operation::audit_purge>(request).await.expect("one person is known");
    let record = purged.classes.iter().find_map(|class| class.record).expect("a record says what went");
    clock.advance(-years);
    change(&desk, "Three").await;
    desk.console.close().await;
    // Nothing that comes from here on is earlier than what is there.
    clock.advance(years + Duration::hours(1));
    let owner = desk_at(&home, Tenure::Owner, local_connection(), clock).await;
    let bundle = out.path().join("bundle");
    let request = AuditExport { directory: bundle.display().to_string(), ..AuditExport::default() };
    let exported = owner.ask::<operation::audit_export>(request).await.expect("the trail can be exported");

    let whole = check_bundle(&bundle, Some(&exported.key), BundleDepth::Whole, &|_, _| true);
    let told = whole.expect("a clock that was wrong breaks nothing").warnings;
    let ahead = format!("record {record} purged by a clock that was ahead");
    assert!(told.iter().any(|told| told.starts_with(&ahead)), "{told:?}");
    assert!(told.iter().any(|told| told.contains("a clock was wrong") && told.contains("days")), "{told:?}");
    let trail = verify(&owner, true).await;
    assert!(trail.ok, "{:?}", trail.problems);
    assert_eq!(told, trail.warnings);
    let by_script = script(&bundle, &["--key", &exported.key]);
    let by_script = (by_script.status.success(), said(&by_script));
    assert!(by_script.0 && by_script.1.contains(&format!("warning: {ahead}")), "{}", by_script.1);
    let leaves = check_bundle(&bundle, None, BundleDepth::Leaves, &|_, _| true).expect("it holds");
    assert_eq!(leaves.warnings, Vec::<String>::new(), "of leaves alone no times are read");
    owner.console.close().await;
}
