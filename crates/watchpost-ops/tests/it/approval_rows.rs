//! Rows among the requests for a second person that Watchpost did not write.

use watchpost_model::access::Role;
use watchpost_model::approval::{ApprovalState, FourEyes};
use watchpost_ops::contract::{ApprovalDecision, ApprovalPolicyPut, ApprovalRef, BlockAdd};
use watchpost_ops::door::operation;
use watchpost_ops::error::ErrorCode;

use crate::approvals::{Team, wide};
use crate::report_tampered::{tamper, tamper_rows};

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

/// Whoever may ask cannot make the requests of others go under, nor keep others from asking.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_buries_a_request_under_their_own() {
    let team = Team::new(&["dana", "robin"]).await;
    let another = |n: usize| BlockAdd { target: format!("198.{}.0.0/16", 100 + n), ..wide() };
    let refused = team.as_admin::<operation::block_add>("robin", wide()).await.unwrap_err();
    let asked = team.waiting(&refused).await;
    for n in 0..20 {
        // Another spelling is nobody else.
        let name = if n % 2 == 0 { "dana" } else { "Dana" };
        let waits = team.as_admin::<operation::block_add>(name, another(n)).await.unwrap_err();
        assert_eq!(waits.code, ErrorCode::Approval, "{n}: {waits}");
    }
    let told = team.as_admin::<operation::block_add>("dana", another(20)).await.unwrap_err();
    assert_eq!(told.code, ErrorCode::Precondition, "{told}");
    assert!(told.message.contains("dana has 20 requests open"), "{told}");
    assert!(told.message.contains("watchpost approval withdraw"), "it says what to do: {told}");
    let own = team.as_admin::<operation::block_add>("dana", another(3)).await.unwrap_err();
    assert_eq!(own.code, ErrorCode::Approval, "what is asked for already is found: {own}");
    let other = team.as_admin::<operation::block_add>("robin", another(30)).await.unwrap_err();
    assert_eq!(other.code, ErrorCode::Approval, "others ask all the same: {other}");

    // What is over, however much and however new, takes no place of what is open.
    let over = format!(
        "INSERT INTO approval (id, operation, matter, carrier, request, summary, asked_by, asked_at, expires_at, state) \
         WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 250) \
         SELECT 'over-' || n, operation, matter, carrier, request, summary, 'dana', asked_at + n, expires_at, 'withdrawn' \
         FROM approval, numbers WHERE id = '{}'",
        asked.id
    );
    tamper_rows(&team.home, &over, 250);
    let list = team.list().await;
    let (open, rest) = list.approvals.split_at(22);
    assert!(open.iter().all(|one| one.state == ApprovalState::Waiting), "{open:?}");
    assert!(open.iter().any(|one| one.id == asked.id), "robin's is among them");
    assert_eq!((rest.len(), list.more), (200, 50));

    let mine = open.iter().find(|one| one.is_asked_by("dana")).expect("there are some");
    let gone = ApprovalRef { id: mine.id.clone() };
    team.as_admin::<operation::approval_withdraw>("dana", gone).await.expect("it is dana's");
    let waits = team.as_admin::<operation::block_add>("dana", another(20)).await.unwrap_err();
    assert_eq!(waits.code, ErrorCode::Approval, "{waits}");
    team.grant("robin", Role::Admin, &team.waiting(&waits).await.id).await.expect("another person may");
    team.holds().await;
    team.desk.console.close().await;
}
