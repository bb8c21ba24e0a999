//! Rows among the requests for a second person that Watchpost did not write.

use watchpost_model::access::Role;
use watchpost_model::approval::FourEyes;
use watchpost_ops::contract::{ApprovalDecision, ApprovalPolicyPut, ApprovalRef};
use watchpost_ops::door::operation;
use watchpost_ops::error::ErrorCode;

use crate::approvals::{Team, wide};
use crate::report_tampered::tamper;

/// Whoever may ask can insert a row with SQL, with any words in it: it keeps nobody from the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_cannot_be_read_is_named_and_stops_nothing() {
    let team = Team::new(&["dana", "robin"]).await;
    let refused = team.as_admin::<operation::block_add>("dana", wide()).await.unwrap_err();
    let asked = team.waiting(&refused).await;
    let forged = format!(
        "INSERT INTO approval (id, operation, matter, carrier, request, summary, asked_by, asked_at, expires_at, state) \
         SELECT char(27) || '[2Jbad', operation, matter, carrier, request, summary, asked_by, asked_at, expires_at, 'bogus' \
         FROM approval WHERE id = '{}'",
        asked.id
    );
    tamper(&team.home, &forged);

    let list = team.list().await;
    let [bad] = list.unreadable.as_slice() else { panic!("{:?}", list.unreadable) };
    assert!(bad.problem.contains("state") && bad.problem.contains("bogus"), "{bad:?}");
    assert!(list.approvals.iter().any(|one| one.id == asked.id), "the other one is listed");

    let decision = || ApprovalDecision { id: bad.id.clone(), note: None };
    let withdrawn = ApprovalRef { id: bad.id.clone() };
    for refused in [
        team.grant("robin", Role::Admin, &bad.id).await.unwrap_err(),
        team.as_admin::<operation::approval_refuse>("robin", decision()).await.unwrap_err(),
        team.as_admin::<operation::approval_withdraw>("dana", withdrawn).await.unwrap_err(),
    ] {
        assert_eq!(refused.code, ErrorCode::Precondition, "{refused}");
        assert!(refused.message.contains("not written by Watchpost"), "{refused}");
        assert!(!refused.message.contains('\u{1b}'), "{refused}");
        assert!(refused.hint.is_some_and(|hint| hint.contains("DELETE FROM approval")));
    }

    let again = team.as_admin::<operation::block_add>("dana", wide()).await.unwrap_err();
    assert_eq!(team.waiting(&again).await.id, asked.id, "it is found beside the other row");
    team.grant("robin", Role::Admin, &asked.id).await.expect("another person may");
    let tight = FourEyes { prefix_v4: 25, ..FourEyes::default() };
    let put = ApprovalPolicyPut { policy: tight, reason: None };
    let list = team.as_admin::<operation::approval_policy_put>("dana", put).await.expect("tighter");
    assert_eq!((list.policy, list.unreadable.len()), (tight, 1));
    team.holds().await;
    team.desk.console.close().await;
}
