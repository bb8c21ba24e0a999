//! A question that nobody goes on with for a while holds up no other one.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::task::coop;
use tokio::time::timeout;
use watchpost_redis::EventStore;

use crate::support::TestServer;

const PATIENCE: Duration = Duration::from_secs(20);

async fn answers(store: &EventStore) {
    timeout(PATIENCE, store.ping()).await.expect("it does not hang").unwrap();
}

#[tokio::test]
async fn one_that_makes_the_connection_holds_up_no_other() {
    let server = TestServer::start().await;
    let store = server.store().await;
    let mut aside = pin!(store.ping());
    let begun = poll_fn(|cx| Poll::Ready(aside.as_mut().poll(cx).is_pending())).await;
    assert!(begun, "the connection is being made");
    answers(&store).await;
    timeout(PATIENCE, aside).await.expect("it goes on").unwrap();
}

/// A task that has done much is stopped at its next step, which may have got by then what it waited for.
#[tokio::test]
async fn one_that_is_stopped_at_any_step_holds_up_no_other() {
    let server = TestServer::start().await;
    let store = server.store().await;
    answers(&store).await;
    let mut aside = pin!(store.ping());
    while coop::has_budget_remaining() {
        coop::consume_budget().await;
    }
    let begun = poll_fn(|cx| Poll::Ready(aside.as_mut().poll(cx).is_pending())).await;
    assert!(begun, "it is under way");
    answers(&store).await;
    timeout(PATIENCE, aside).await.expect("it goes on").unwrap();
}
