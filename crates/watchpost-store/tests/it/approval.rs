//! Rows among the requests for a second person that Watchpost did not write.

use chrono::Duration;
use watchpost_model::approval::{ApprovalState, Carrier, Matter, TwoPeople, WAITS_HOURS};
use watchpost_store::{NewApproval, StoreError};

use crate::support::{World, both, draft};

both!(a_row_that_cannot_be_read_hides_no_request, what_is_open_is_listed_whole_and_bounded_for_each);

/// What a login that may ask can put into a row with SQL.
const BROKEN: [(&str, &str); 6] = [
    ("state", "'bogus'"),
    ("matter", "'bogus'"),
    ("carrier", "'bogus'"),
    ("asked_at", "9223372036854775807"),
    ("decided_at", "9223372036854775807"),
    ("expires_at", "-9223372036854775808"),
];

async fn a_row_that_cannot_be_read_hides_no_request(world: World) {
    let store = &world.store;
    let new = NewApproval {
        operation: "block_add",
        two: TwoPeople { matter: Matter::MassBlock, carrier: Carrier::Approver },
        request: "{}".to_owned(),
        summary: "blocking".to_owned(),
        reason: None,
        asked_by: "dana",
    };
    let asked = store.approval_ask(new, draft("block_add")).await.unwrap();
    for (column, value) in BROKEN {
        let copy = format!(
            "INSERT INTO approval (id, operation, matter, carrier, request, summary, asked_by, asked_at, expires_at, state) \
             SELECT 'bad-{column}', operation, matter, carrier, request, summary, asked_by, asked_at, expires_at, state \
             FROM approval WHERE id = '{}'",
            asked.id
        );
        assert_eq!(world.tamper(&copy).await, 1, "{column}");
        let spoil = format!("UPDATE approval SET {column} = {value} WHERE id = 'bad-{column}'");
        assert_eq!(world.tamper(&spoil).await, 1, "{column}");
    }

    let all = store.approvals().await.expect("the others can be read");
    assert_eq!(all.requests, std::slice::from_ref(&asked));
    assert_eq!(all.unreadable.len(), BROKEN.len(), "{:?}", all.unreadable);
    for (column, _) in BROKEN {
        let told = all.unreadable.iter().find(|one| one.id == format!("bad-{column}")).expect("it is named");
        assert!(told.problem.starts_with(&format!("{column}: ")), "{told:?}");
        let one = store.approval(&told.id).await;
        assert!(matches!(&one, Err(StoreError::Corrupt(why)) if *why == told.problem), "{one:?}");
    }
    assert_eq!(store.approvals_open("block_add", "{}").await.unwrap(), [asked]);
    assert!(store.approvals_open("block_add", "{ }").await.unwrap().is_empty(), "another request");
}

async fn what_is_open_is_listed_whole_and_bounded_for_each(world: World) {
    let store = &world.store;
    let ask_for = |asked_by: &'static str, operation: &'static str, matter: Matter| {
        let new = NewApproval {
            operation,
            two: TwoPeople { matter, carrier: Carrier::Approver },
            request: "{}".to_owned(),
            summary: "blocking".to_owned(),
            reason: None,
            asked_by,
        };
        store.approval_ask(new, draft(operation))
    };
    let ask = |asked_by: &'static str| ask_for(asked_by, "block_add", Matter::MassBlock);
    let first = ask("robin").await.unwrap();
    for n in 0..20 {
        ask("dana").await.unwrap_or_else(|error| panic!("{n}: {error}"));
    }
    for name in ["dana", " Dana"] {
        let told = ask(name).await;
        assert!(
            matches!(&told, Err(StoreError::Precondition(why)) if why.contains("approval withdraw")),
            "{told:?}"
        );
    }
    ask("robin").await.expect("others ask all the same");
    ask_for("dana", "privacy_erase", Matter::Purge).await.expect("and for something else");
    let over = format!(
        "INSERT INTO approval (id, operation, matter, carrier, request, summary, asked_by, asked_at, expires_at, state) \
         WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 250) \
         SELECT 'over-' || n, operation, matter, carrier, request, summary, asked_by, asked_at + n, expires_at, 'refused' \
         FROM approval, numbers WHERE id = '{}'",
        first.id
    );
    assert_eq!(world.tamper(&over).await, 250);
    let all = store.approvals().await.unwrap();
    let n_waiting = all.requests.iter().take_while(|one| one.state == ApprovalState::Waiting).count();
    assert_eq!((n_waiting, all.requests.len(), all.more), (23, 223, 50));
    assert!(all.requests[..23].contains(&first));

    world.clock.advance(Duration::hours(WAITS_HOURS));
    ask("dana").await.expect("what ran out is open no more");
}
