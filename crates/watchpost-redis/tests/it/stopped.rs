//! Somebody stops a job: at once, also while the server answers nothing at all, and what was done is told.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use watchpost_model::event::Category;
use watchpost_model::event::Event;
use watchpost_model::job::JobProgress;
use watchpost_model::policy::default_retention;
use watchpost_redis::EventStore;
use watchpost_redis::RedisError;
use watchpost_redis::benchmark::BenchmarkPlan;
use watchpost_redis::benchmark::Benchmarked;
use watchpost_redis::benchmark::benchmark;
use watchpost_redis::optimize::Mode;
use watchpost_redis::optimize::optimize;
use watchpost_redis::retention::RetentionWalk;
use watchpost_redis::stats::stats;

use crate::retention::process_all;
use crate::support::TestServer;
use crate::support::now;
use crate::support::old_event;
use crate::support::query;

/// A command that is not answered fails after five seconds at the earliest.
const LONG: Duration = Duration::from_secs(4);

const PLAN: BenchmarkPlan = BenchmarkPlan { ops: 2_000, value_bytes: 10, pipeline: 10 };

async fn retention(store: &EventStore, stop: &CancellationToken) -> RetentionWalk {
    RetentionWalk::start(store, &default_retention(), now(), None, None, stop.clone()).await.unwrap()
}

fn has(done: &Benchmarked, name: &str) -> bool {
    done.report.figures.iter().any(|figure| figure.name == name)
}

#[tokio::test]
async fn a_hung_server_holds_up_no_stop() {
    let server = TestServer::start().await;
    let store = server.store().await;
    let events: Vec<Event> = (0..600).map(|n| old_event(20, Category::Authentication, n)).collect();
    store.write_events(&events).await.unwrap();
    process_all(&store).await;
    let (stop_writing, stop_reading) = (CancellationToken::new(), CancellationToken::new());
    let mut removing = retention(&store, &stop_writing).await;
    let batch = removing.next_batch(100).await.unwrap().expect("they are due");
    let mut reading = retention(&store, &stop_reading).await;

    server.hang();
    let begun = Instant::now();
    // What comes second is begun when the first one waits for its answer.
    let (read, ()) = tokio::join!(reading.next_batch(100), async { stop_reading.cancel() });
    assert!(matches!(read, Err(RedisError::Cancelled)), "{read:?}");
    let (removed, ()) = tokio::join!(removing.remove_unchanged(&batch), async { stop_writing.cancel() });
    assert!(matches!(removed, Err(RedisError::Cancelled)), "{removed:?}");
    assert!(removing.notes().iter().any(|note| note.contains("is not known")), "{:?}", removing.notes());
    let stop = CancellationToken::new();
    let (counted, ()) = tokio::join!(stats(&store, &[], &|_| {}, stop.clone()), async { stop.cancel() });
    assert!(matches!(counted, Err(RedisError::Cancelled)), "{counted:?}");
    let optimized = optimize(&store, now(), Mode::Run, &|_| {}, stop).await;
    assert!(matches!(optimized, Err(RedisError::Cancelled)), "{optimized:?}");
    assert!(begun.elapsed() < LONG, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_cancelled_benchmark_tells_the_steps_that_it_finished() {
    let server = TestServer::start().await;
    let store = server.store().await;
    let cancel = CancellationToken::new();
    let at_reading = |progress: JobProgress| {
        if progress.step == "read" {
            cancel.cancel();
        }
    };
    let done = benchmark(&store, PLAN, &at_reading, cancel.clone()).await.unwrap();
    assert!(matches!(done.ended, Err(RedisError::Cancelled)), "{done:?}");
    assert!(has(&done, "write_per_s") && has(&done, "write_pipeline_per_s"), "{done:?}");
    assert!(!has(&done, "scan_per_s") && has(&done, "removed"), "{done:?}");
    let left: u64 = query(&mut server.raw().await, &["DBSIZE"]).await;
    assert_eq!(left, 0, "its keys are gone");
}

#[tokio::test]
async fn a_benchmark_that_is_cancelled_while_the_server_hangs_has_not_failed() {
    let server = TestServer::start().await;
    let store = server.store().await;
    let cancel = CancellationToken::new();
    let hang = |progress: JobProgress| {
        if progress.step == "read" && !cancel.is_cancelled() {
            server.hang();
            cancel.cancel();
        }
    };
    let begun = Instant::now();
    let done = benchmark(&store, PLAN, &hang, cancel.clone()).await.unwrap();
    assert!(matches!(done.ended, Err(RedisError::Cancelled)), "{done:?}");
    assert!(has(&done, "write_per_s") && !has(&done, "removed"), "{done:?}");
    assert!(done.report.notes.iter().any(|note| note.contains("expires 60 seconds")), "{done:?}");
    assert!(begun.elapsed() < LONG * 5, "{:?}: its steps take less", begun.elapsed());
}
