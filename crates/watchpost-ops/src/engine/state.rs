//! What the detectors remember, as it is saved with the batch that they have just taken in.
//!
//! A state is written in the transaction of a batch at most every few seconds. At the start the newest one is read and
//! the events that were stored after it are observed again, each at the time at which it was stored: then the detectors
//! stand where they stood, wherever the run before ended.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use watchpost_detect as detect;

use super::detectors::{Detector, Detectors};

/// The name under which the state is saved. It is another one after each erasure of a person: what still comes from
/// before it is not read again.
pub(super) fn name(erasures: i64) -> String {
    if erasures == 0 { "detectors".to_owned() } else { format!("detectors.{erasures}") }
}
/// Events in a page of what came after a state.
pub(super) const PAGE: u32 = 2_000;
const MAGIC: &[u8] = b"WPDS1";
/// The pause between two saves, and how much longer it is for each MiB of the state.
const PAUSE: Duration = Duration::from_secs(5);
const PAUSE_PER_MIB: Duration = Duration::from_secs(5);

/// When to save.
#[derive(Debug, Default)]
pub(super) struct Saving {
    last: Option<DateTime<Utc>>,
    bytes: usize,
}

impl Saving {
    /// Large states are written less often, so that saving never takes a large part of the time.
    pub(super) fn is_due(&self, now: DateTime<Utc>) -> bool {
        let mib = u32::try_from(self.bytes >> 20).unwrap_or(u32::MAX);
        let pause = PAUSE.saturating_add(PAUSE_PER_MIB.saturating_mul(mib));
        self.last.is_none_or(|last| (now - last).to_std().is_ok_and(|since| since >= pause) || now < last)
    }

    pub(super) fn done(&mut self, now: DateTime<Utc>, bytes: usize) {
        (self.last, self.bytes) = (Some(now), bytes);
    }
}

impl Detectors {
    /// Shape: five letters, then for each detector (the live one, and that of history if there is one) its newest time
    /// in Unix microseconds, the length of its state and the state.
    pub(super) fn save(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        for detector in [Some(&self.live), self.history.as_ref()].into_iter().flatten() {
            let state = detector.engine.save();
            bytes.extend_from_slice(&detector.newest.timestamp_micros().to_be_bytes());
            bytes.extend_from_slice(&(state.len() as u64).to_be_bytes());
            bytes.extend_from_slice(&state);
        }
        bytes
    }

    /// Detectors as they were saved; `None` if another version of the program saved them.
    pub(super) fn restored(rules: &Arc<detect::RuleSet>, bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(MAGIC)?;
        let mut detectors = Self::new(Arc::clone(rules));
        let mut is_live = true;
        while !rest.is_empty() {
            let (newest, tail) = rest.split_first_chunk::<8>()?;
            let (length, tail) = tail.split_first_chunk::<8>()?;
            let (state, tail) = tail.split_at_checked(usize::try_from(u64::from_be_bytes(*length)).ok()?)?;
            let mut detector = Detector::new(Arc::clone(rules));
            detector.newest = DateTime::from_timestamp_micros(i64::from_be_bytes(*newest))?;
            if let Err(problem) = detector.engine.restore(state) {
                tracing::warn!(%problem, "the saved state of the engine cannot be used; replaying instead");
                return None;
            }
            if is_live {
                detectors.live = detector;
            } else {
                detectors.history = Some(detector);
            }
            is_live = false;
            rest = tail;
        }
        (!is_live).then_some(detectors)
    }
}

#[cfg(test)]
mod tests {
    use watchpost_detect::{Burst, RuleSet, Sample, TrafficKind};
    use watchpost_model::finding::Finding;

    use super::*;

    fn run(detectors: &mut Detectors, n: u32, days_old: i64) -> Vec<Finding> {
        let events = Sample::Traffic(vec![Burst::new(TrafficKind::LoginFailure, n, 1, 1, 1_000)]).events();
        let mut found = Vec::new();
        for mut event in events {
            event.at -= chrono::Duration::days(days_old);
            let now = event.at + chrono::Duration::days(days_old);
            found.extend(detectors.observe(&event, None, now));
        }
        found
    }

    #[test]
    fn both_detectors_go_on_where_they_stood() {
        let rules = RuleSet::embedded();
        let mut whole = Detectors::new(Arc::clone(&rules));
        let mut first = Detectors::new(Arc::clone(&rules));
        for detectors in [&mut whole, &mut first] {
            run(detectors, 4, 0);
            run(detectors, 4, 300);
        }
        let mut second = Detectors::restored(&rules, &first.save()).expect("just saved");
        assert!(second.history.is_some(), "history has windows of its own");
        for days_old in [0, 300] {
            let found = run(&mut second, 3, days_old);
            assert!(!found.is_empty(), "four and three are more than five");
            assert_eq!(found, run(&mut whole, 3, days_old));
        }
        assert!(Detectors::restored(&rules, b"WPDS1").is_none());
        assert!(Detectors::restored(&rules, &first.save()[..60]).is_none(), "cut off");
    }

    #[test]
    fn large_states_are_saved_less_often() {
        let now: DateTime<Utc> = "2026-03-02T10:00:00Z".parse().expect("a literal time");
        let mut saving = Saving::default();
        assert!(saving.is_due(now), "the first batch");
        saving.done(now, 1_000);
        assert!(!saving.is_due(now + chrono::Duration::seconds(4)));
        assert!(saving.is_due(now + chrono::Duration::seconds(5)));
        saving.done(now, 10 << 20);
        assert!(!saving.is_due(now + chrono::Duration::seconds(54)));
        assert!(saving.is_due(now + chrono::Duration::seconds(55)));
        assert!(saving.is_due(now - chrono::Duration::seconds(1)), "a clock that was set back");
    }
}
