//! How often the log says that something which is tried again and again does not work.

use std::time::Duration;

use tokio::time::Instant;

/// The first and the longest time until the same problem is said again.
const PAUSE: Duration = Duration::from_secs(2);
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// The problem that was said last. It is tried again every second or so, maybe for days.
pub(crate) struct Told {
    /// Until the same problem is said for the second time.
    first: Duration,
    last: Option<Last>,
}

impl Default for Told {
    fn default() -> Self {
        Self { first: PAUSE, last: None }
    }
}

struct Last {
    problem: String,
    seen: Instant,
    said: Instant,
    pause: Duration,
    /// It was said since that it works again.
    over: bool,
}

impl Told {
    /// For what is tried every few seconds: said once, then each minute.
    pub(crate) const fn rarely() -> Self {
        Self { first: PAUSE_MAX, last: None }
    }

    /// Is `problem` to be said at `now`? A new one at once, and so is one that was away for a while; the same one after
    /// pauses that grow up to a minute.
    pub(crate) fn is_to_be_said(&mut self, problem: String, now: Instant) -> bool {
        let same = self.last.as_mut().filter(|last| last.problem == problem && now - last.seen <= PAUSE_MAX);
        let Some(last) = same else {
            self.last = Some(Last { problem, seen: now, said: now, pause: self.first, over: false });
            return true;
        };
        last.seen = now;
        if now - last.said < last.pause {
            return false;
        }
        last.said = now;
        last.pause = (last.pause * 2).min(PAUSE_MAX);
        last.over = false;
        true
    }

    /// It works: is that to be said? Once after each time that a problem was.
    pub(crate) fn is_over(&mut self) -> bool {
        self.last.as_mut().is_some_and(|last| !std::mem::replace(&mut last.over, true))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::Told;

    #[test]
    fn the_same_problem_is_said_at_growing_intervals() {
        let (mut told, begin) = (Told::default(), Instant::now());
        let at = |second: u64| begin + Duration::from_secs(second);
        let said: Vec<u64> =
            (0..300).filter(|second| told.is_to_be_said("a node is down".to_owned(), at(*second))).collect();
        assert_eq!(said, [0, 2, 6, 14, 30, 62, 122, 182, 242]);
        assert!(told.is_to_be_said("another one is".to_owned(), at(300)));
        assert!(!told.is_to_be_said("another one is".to_owned(), at(301)));
        assert!(told.is_to_be_said("another one is".to_owned(), at(400)), "it had worked in between");
        assert!(!told.is_to_be_said("another one is".to_owned(), at(401)));
    }

    #[test]
    fn what_is_tried_every_ten_seconds_is_said_each_minute() {
        let (mut told, begin) = (Told::rarely(), Instant::now());
        let at = |second: u64| begin + Duration::from_secs(second);
        let full = || "the disk is full".to_owned();
        let said: Vec<u64> =
            (0..200).step_by(10).filter(|second| told.is_to_be_said(full(), at(*second))).collect();
        assert_eq!(said, [0, 60, 120, 180]);
        assert!(told.is_over() && !told.is_over());
    }

    #[test]
    fn that_it_works_again_is_said_once_after_each_problem_that_was_said() {
        let (mut told, begin) = (Told::default(), Instant::now());
        let at = |second: u64| begin + Duration::from_secs(second);
        assert!(!told.is_over(), "nothing was wrong");
        let full = || "the disk is full".to_owned();
        assert!(told.is_to_be_said(full(), at(0)) && told.is_over() && !told.is_over());
        assert!(!told.is_to_be_said(full(), at(1)) && !told.is_over(), "neither was said");
        assert!(told.is_to_be_said(full(), at(2)) && told.is_over());
    }
}
