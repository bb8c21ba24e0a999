//! What is usual for users and endpoints over a period, as it is exported, kept in files and compared.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::event::Entity;

/// The habits of a period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// 1; another number is not understood.
    pub version: u32,
    /// Event time of the first event that taught something.
    pub from: DateTime<Utc>,
    /// Event time of the last one.
    pub to: DateTime<Utc>,
    /// How many events taught something.
    pub events: u64,
    /// By name.
    pub users: Vec<UserBaseline>,
    /// By name.
    pub endpoints: Vec<EndpointBaseline>,
}

/// A value that occurred.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct HabitValue {
    /// The value.
    pub value: String,
    /// How often it was begun with: changes to it from another value.
    pub count: u32,
    /// When it was begun with last.
    pub last: DateTime<Utc>,
}

/// A volume per period, over the periods in which there was any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Volume {
    /// Median.
    pub median: u64,
    /// Median absolute deviation from it.
    pub deviation: u64,
    /// The last periods, oldest first; at most 60.
    pub history: Vec<u64>,
}

/// The habits of a user. Hours are UTC.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct UserBaseline {
    /// The user.
    pub user: String,
    /// Events.
    pub events: u64,
    /// Different weekdays with events.
    pub weekdays: u32,
    /// Different weekend days with events.
    pub weekend_days: u32,
    /// On how many weekdays there were events in each of the 24 hours.
    pub weekday_hours: Vec<u32>,
    /// On how many weekend days there were events in each of the 24 hours.
    pub weekend_hours: Vec<u32>,
    /// Countries, where a location file was there.
    pub countries: Vec<HabitValue>,
    /// User agents without version numbers.
    pub agents: Vec<HabitValue>,
    /// Networks: /16 of IPv4, /32 of IPv6.
    pub networks: Vec<HabitValue>,
    /// KiB sent per day.
    pub day_kib: Volume,
}

/// The habits of an endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct EndpointBaseline {
    /// The path with `*` for ids.
    pub endpoint: String,
    /// Requests that were not refused.
    pub requests: u64,
    /// Requests per hour.
    pub hour_requests: Volume,
    /// KiB sent per hour.
    pub hour_kib: Volume,
}

/// What kind of thing changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum DriftKind {
    /// Only in the later baseline.
    New,
    /// Only in the earlier baseline.
    Gone,
    /// Hours of day.
    Hours,
    /// Countries.
    Countries,
    /// User agents.
    Agents,
    /// Networks.
    Networks,
    /// Data volume.
    Volume,
    /// Requests.
    Requests,
}

crate::words!(DriftKind {
    New = "new",
    Gone = "gone",
    Hours = "hours",
    Countries = "countries",
    Agents = "agents",
    Networks = "networks",
    Volume = "volume",
    Requests = "requests",
});

/// What an amount counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum DriftUnit {
    /// Requests in an hour.
    HourRequests,
    /// KiB in an hour.
    HourKib,
    /// KiB in a day.
    DayKib,
}

/// One side of a change as kind and numbers, for who says it in another language than [`Drift::before`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DriftValue {
    /// There is nothing on this side.
    Absent,
    /// So many events, or requests to an endpoint.
    Events {
        /// How many.
        #[ts(type = "number")]
        n: u64,
    },
    /// Values that occur: countries, user agents, networks. On the later side only the new ones.
    Values {
        /// Which.
        values: Vec<String>,
    },
    /// The busiest hours of the day.
    Hours {
        /// 0 to 23, ascending.
        hours: Vec<u8>,
    },
    /// What is usual.
    Usual {
        /// The median.
        #[ts(type = "number")]
        median: u64,
        /// Its median absolute deviation.
        #[ts(type = "number")]
        deviation: u64,
        /// Of what.
        unit: DriftUnit,
    },
}

/// One thing that changed between two baselines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Drift {
    /// The user or endpoint.
    pub entity: Entity,
    /// What changed.
    pub kind: DriftKind,
    /// How it was.
    pub before: String,
    /// How it is.
    pub after: String,
    /// The same as kinds and numbers: how it was and how it is.
    pub values: (DriftValue, DriftValue),
    /// How much: a factor for volumes (never below 1), the share that moved in percent for hours, the number of new
    /// values otherwise.
    pub size: f64,
    /// Of volumes and requests: they fell by that factor and did not rise.
    pub fell: bool,
}
