//! The engine's reading: what the stream delivers, with the hashes behind it, and the search for hashes that nobody
//! put on the stream. While one batch is detected on, the next one is read, and the archive asked what it knows of it.

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;
use watchpost_model::ids::EventId;
use watchpost_redis::{AdoptCursor, Adopted, Delivered, EventStore, RedisError, StreamItem, Writes};
use watchpost_store::Store;

use crate::error::OpError;

/// Name in the consumer group. The lease lets one engine work at a time, so all of them share it.
const CONSUMER: &str = "engine";
/// Entries a batch. The events of a batch are observed in the order of their times, so what late ones complete depends on
/// where batches end: with one size a run that was killed ends them where any other run does (unless [`BATCH_BYTES`] cuts one).
pub(super) const BATCH: usize = 500;
/// Bytes of hashes a batch, about: what it takes in memory is bounded however large its events are.
const BATCH_BYTES: usize = 4 << 20;
/// How long a read waits for the next event.
const READ_WAIT_MS: u64 = 400;
/// How long it waits while a pass over the keys is under way: the rest of the pass waits as long.
const READ_WAIT_PASS_MS: u64 = 40;
/// An entry delivered to a consumer that has not acknowledged it for this long is taken over.
const CLAIM_IDLE: Duration = Duration::from_secs(10);
/// Pause between two looks for such entries.
const CLAIM_PAUSE: chrono::Duration = chrono::Duration::seconds(10);
/// Keys looked at for bare hashes a turn.
const ADOPT_BUDGET: usize = 2_000;
/// Pause between two parts of a pass while there are events to process: at least so long, and so many times as long as
/// the last part took, which leaves the server to the events.
const ADOPT_REST: Duration = Duration::from_millis(100);
const ADOPT_REST_TIMES: u32 = 19;
/// Pause between two passes over all keys in search of bare hashes.
const ADOPT_PAUSE: Duration = Duration::from_secs(2);
/// After a pass that found nothing it is so many times as long as the pass took, up to the most.
const ADOPT_PAUSE_TIMES: u32 = 2;
const ADOPT_PAUSE_MAX: Duration = Duration::from_secs(60);
/// So long after the last pass there is another one, whatever the server's count of changes says.
const ADOPT_ANYWAY: Duration = Duration::from_secs(600);

/// Where reading stands.
pub(super) struct Reader {
    events: EventStore,
    archive: Store,
    adopt: AdoptCursor,
    /// When entries of a dead engine were looked for last.
    claimed: Option<DateTime<Utc>>,
    /// When the last pass over all keys ended; absent while one is under way.
    adopted_at: Option<DateTime<Utc>>,
    /// When the pass that is under way began, and what it has found.
    pass: Option<(Instant, u64)>,
    /// How long it rests after the last pass.
    pause: Duration,
    /// The server's count of changes before the pass that is under way, and before the last one if that found nothing.
    before: Option<Writes>,
    unchanged_since: Option<Writes>,
    /// When the last pass ended.
    passed_at: Instant,
    /// The server tells that count, and the user may ask for it.
    counts_writes: bool,
    /// Somebody waits until everything is seen: passes follow each other closely.
    pub(super) is_awaited: bool,
    /// Until when no part of a pass is looked at while there are events to process.
    rests_until: Option<Instant>,
    /// Entries that were too many bytes for the last batch.
    unread: Delivered,
}

/// What one read brought.
#[derive(Default)]
pub(super) struct Reading {
    pub(super) items: Vec<StreamItem>,
    pub(super) adopted: Adopted,
    /// Those of its events that the archive knew.
    pub(super) known: HashSet<EventId>,
    /// So many batches were in the archive before it was asked.
    pub(super) stored: u64,
}

impl Reader {
    pub(super) fn new(events: EventStore, archive: Store) -> Self {
        Self {
            events,
            archive,
            adopt: AdoptCursor::default(),
            claimed: None,
            adopted_at: None,
            pass: None,
            pause: ADOPT_PAUSE,
            before: None,
            unchanged_since: None,
            passed_at: Instant::now(),
            counts_writes: true,
            is_awaited: false,
            rests_until: None,
            unread: Delivered::default(),
        }
    }

    /// Is it time to look for entries that a dead engine left unacknowledged? At the start, and every ten seconds.
    pub(super) fn is_claim_due(&self, now: DateTime<Utc>) -> bool {
        self.unread.is_empty() && self.claimed.is_none_or(|at| now - at > CLAIM_PAUSE)
    }

    /// Takes over such entries. Nothing that was read before may be unacknowledged: it would be taken over as well.
    pub(super) async fn claim(&mut self, now: DateTime<Utc>) -> Result<(), RedisError> {
        // This engine holds the lease, so at the start nobody else can be working on what is pending.
        let idle = if self.claimed.is_none() { Duration::ZERO } else { CLAIM_IDLE };
        self.unread = self.events.deliver_stale(CONSUMER, idle, BATCH).await?;
        if self.unread.is_empty() {
            self.claimed = Some(now);
        }
        Ok(())
    }

    /// Reads the next batch and looks for bare hashes; `busy`: there are events to process meanwhile. `stored` batches are in
    /// the archive by now.
    pub(super) async fn read(
        &mut self,
        now: DateTime<Utc>,
        busy: bool,
        stored: u64,
    ) -> Result<Reading, OpError> {
        let adopted = self.adopt(now, busy).await?;
        if self.unread.is_empty() {
            let wait_ms = if self.adopted_at.is_some() { READ_WAIT_MS } else { READ_WAIT_PASS_MS };
            self.unread = self.events.deliver_new(CONSUMER, BATCH, wait_ms).await?;
        }
        let items = self.events.read_delivered(&mut self.unread, BATCH_BYTES).await?;
        let ids = items.iter().filter_map(|item| item.event.as_ref().ok()).map(|event| event.id);
        let ids: Vec<EventId> = ids.collect();
        let known = if ids.is_empty() { HashSet::new() } else { self.archive.known_events(&ids).await? };
        Ok(Reading { items, adopted, known, stored })
    }

    /// Looks for hashes that applications wrote without the queue: a part of a pass each time, a pause between passes.
    async fn adopt(&mut self, now: DateTime<Utc>, busy: bool) -> Result<Adopted, RedisError> {
        let begun = Instant::now();
        let resting = busy && self.rests_until.is_some_and(|until| begun < until);
        let pause = if self.is_awaited { ADOPT_PAUSE } else { self.pause };
        let paused = self.adopted_at.is_some_and(|at| (now - at).to_std().is_ok_and(|since| since < pause));
        if resting || paused {
            return Ok(Adopted::default());
        }
        if self.pass.is_none() {
            self.before = if self.counts_writes { self.events.writes().await? } else { None };
            self.counts_writes = self.before.is_some();
            let is_unchanged = self.before.is_some() && self.before == self.unchanged_since;
            // Whoever waits until everything is seen counts the passes.
            if is_unchanged && !self.is_awaited && self.passed_at.elapsed() < ADOPT_ANYWAY {
                self.adopted_at = Some(now);
                return Ok(Adopted::default());
            }
        }
        let adopted = self.events.adopt_bare(&mut self.adopt, ADOPT_BUDGET).await?;
        let took = begun.elapsed();
        self.rests_until = Some(begun + took + ADOPT_REST.max(took * ADOPT_REST_TIMES));
        self.adopted_at = adopted.wrapped.then_some(now);
        let (since, found) = self.pass.take().unwrap_or((begun, 0));
        let found = found + adopted.adopted + adopted.quarantined;
        if adopted.wrapped {
            self.pause = pause_after(since.elapsed(), found);
            self.unchanged_since = self.before.filter(|_| found == 0);
            self.passed_at = Instant::now();
        } else {
            self.pass = Some((since, found));
        }
        Ok(adopted)
    }
}

/// How long to rest after a pass that took so long and found so much.
fn pause_after(took: Duration, found: u64) -> Duration {
    if found > 0 { ADOPT_PAUSE } else { (took * ADOPT_PAUSE_TIMES).clamp(ADOPT_PAUSE, ADOPT_PAUSE_MAX) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_pass_that_found_nothing_is_followed_by_a_long_rest() {
        let after = |seconds, found| pause_after(Duration::from_secs(seconds), found).as_secs();
        assert_eq!([after(0, 0), after(1, 0), after(22, 0), after(300, 0)], [2, 2, 44, 60]);
        assert_eq!([after(22, 1), after(300, 7)], [2, 2], "where something came more may come");
    }
}
