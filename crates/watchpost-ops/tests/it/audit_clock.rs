//! The trail where the clock of a console was wrong: it switches no check off, and takes nothing away before its time.

use std::sync::Arc;

use chrono::Duration;
use tempfile::TempDir;
use watchpost_model::audit::AuditVerification;
use watchpost_model::clock::{Clock, ManualClock, SystemClock};
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{AuditPageRequest, AuditVerify, Nothing};
use watchpost_ops::door::operation;

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
