//! What a console says of the trail without looking: for the status.

use chrono::{DateTime, Utc};

use super::{Failed, State, Witness};
use crate::contract::TrailStatus;

impl State {
    /// What the log is like while nothing is held against it, for people; `None` before the first look.
    fn sound(&self) -> Option<String> {
        let seen = self.memory.seen.as_ref()?;
        let since = self.memory.since.unwrap_or(seen.at).format("%Y-%m-%d");
        let held = match self.erasures_held {
            0 => String::new(),
            n => format!(
                "; when it was opened {n} erasures were NOT done again, because legal holds in force keep these people \
                 (docs/privacy.md, Older copies)"
            ),
        };
        Some(format!("{} records; it continues what this console has seen since {since}{held}", seen.size))
    }

    /// That the key of this console is old.
    fn key_warning(&self, now: DateTime<Utc>) -> Option<String> {
        let most = i64::from(self.key_age.days);
        let days = self.key_since.map(|since| (now - since).num_days());
        let days = days.filter(|days| most > 0 && *days > most)?;
        Some(format!("it has signed for {days} days: roll it with `watchpost audit key roll --reason TEXT`"))
    }
}

impl Witness {
    /// For the status.
    pub(crate) fn status(&self, now: DateTime<Utc>) -> TrailStatus {
        let state = self.state();
        let key_warning = state.key_warning(now);
        let failed = state.memory.failed.as_ref().map(Failed::told);
        let problem = state.problem.as_ref().map(|(_, problem)| problem.clone());
        let (sound, altered) = (state.sound(), state.altered.first().cloned());
        match (problem.or(failed), altered) {
            (Some(detail), _) => TrailStatus { ok: false, detail, altered: None, key_warning },
            (None, Some(altered)) => {
                // What is cut where there is no room is the end.
                let log = sound.map_or_else(
                    || "nothing is held against the log itself".to_owned(),
                    |sound| format!("the log itself holds: {sound}"),
                );
                let detail = format!("{log}. {altered}");
                TrailStatus { ok: false, detail, altered: Some(altered), key_warning }
            }
            (None, None) => {
                let detail = sound.unwrap_or_else(|| "not looked at yet".to_owned());
                TrailStatus { ok: true, detail, altered: None, key_warning }
            }
        }
    }
}
