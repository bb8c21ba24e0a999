//! The windows of correlations as plain data, in an order that depends on nothing but them.

use std::collections::{BTreeMap, HashMap};

use rsigma_eval::{CorrelationSnapshot, EventRefBuffer, GroupKey, WindowState};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::LINKED_MAX;

type Groups<T> = BTreeMap<String, Vec<(Vec<Option<String>>, T)>>;

/// What one group counted; times are Unix seconds.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Window {
    Times(Vec<i64>),
    Values(Vec<(i64, String)>),
    Hits(BTreeMap<String, Vec<i64>>),
    Numbers(Vec<(i64, f64)>),
}

/// What a [`super::SigmaState`] remembers, by the ids of correlations: what is gone when it is read is left out.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Saved {
    windows: Groups<Window>,
    alerted: Groups<i64>,
    /// The events of each group: time and id.
    linked: Groups<Vec<(i64, String)>>,
    pub(super) reported: BTreeMap<String, (i64, u32)>,
    /// The events behind the results that correlations of correlations counted.
    pub(super) chained: BTreeMap<String, Vec<(i64, String)>>,
}

impl Saved {
    pub(super) fn new(
        snapshot: CorrelationSnapshot,
        reported: &HashMap<String, (i64, u32)>,
        chained: BTreeMap<String, Vec<(i64, String)>>,
    ) -> Self {
        Self {
            windows: sorted(snapshot.windows, window),
            alerted: sorted(snapshot.last_alert, |at| at),
            linked: sorted(snapshot.event_ref_buffers, |events| {
                events.refs().into_iter().filter_map(|event| Some((event.timestamp, event.id?))).collect()
            }),
            reported: reported.iter().map(|(key, last)| (key.clone(), *last)).collect(),
            chained,
        }
    }

    /// In the evaluator's form; `like` is a snapshot of an engine that has counted nothing.
    pub(super) fn into_snapshot(self, like: CorrelationSnapshot) -> CorrelationSnapshot {
        CorrelationSnapshot {
            windows: unsorted(self.windows, state),
            last_alert: unsorted(self.alerted, |at| at),
            event_ref_buffers: unsorted(self.linked, |events| {
                let mut buffer = EventRefBuffer::new(LINKED_MAX);
                for (at, id) in events {
                    buffer.push(at, &json!({ "id": id }));
                }
                buffer
            }),
            ..like
        }
    }
}

fn sorted<T, U>(groups: HashMap<String, Vec<(GroupKey, T)>>, turn: fn(T) -> U) -> Groups<U> {
    groups
        .into_iter()
        .map(|(id, of)| {
            let mut all: Vec<_> = of.into_iter().map(|(key, value)| (key.0, turn(value))).collect();
            all.sort_by(|(left, _), (right, _)| left.cmp(right));
            (id, all)
        })
        .collect()
}

fn unsorted<T, U>(groups: Groups<T>, turn: fn(T) -> U) -> HashMap<String, Vec<(GroupKey, U)>> {
    groups
        .into_iter()
        .map(|(id, of)| (id, of.into_iter().map(|(key, value)| (GroupKey(key), turn(value))).collect()))
        .collect()
}

fn window(state: WindowState) -> Window {
    match state {
        WindowState::EventCount { timestamps } => Window::Times(timestamps.into()),
        WindowState::ValueCount { entries } => Window::Values(entries.into()),
        WindowState::Temporal { rule_hits } => {
            Window::Hits(rule_hits.into_iter().map(|(rule, times)| (rule, times.into())).collect())
        }
        WindowState::NumericAgg { entries } => Window::Numbers(entries.into()),
    }
}

fn state(window: Window) -> WindowState {
    match window {
        Window::Times(times) => WindowState::EventCount { timestamps: times.into() },
        Window::Values(entries) => WindowState::ValueCount { entries: entries.into() },
        Window::Hits(hits) => WindowState::Temporal {
            rule_hits: hits.into_iter().map(|(rule, times)| (rule, times.into())).collect(),
        },
        Window::Numbers(entries) => WindowState::NumericAgg { entries: entries.into() },
    }
}
