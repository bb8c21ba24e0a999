//! Identifiers: newtypes over UUIDv7, so that they sort by creation time and cannot be mixed up.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
        #[serde(transparent)]
        #[ts(type = "string")]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id whose time part is `now`; unique by 74 random bits.
            #[must_use]
            pub fn at(now: chrono::DateTime<chrono::Utc>) -> Self {
                let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
                let stamp = uuid::Timestamp::from_unix(uuid::NoContext, seconds, now.timestamp_subsec_nanos());
                Self(Uuid::new_v7(stamp))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(s: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(s).map(Self)
            }
        }
    };
}

id!(
    /// One security event.
    EventId
);
id!(
    /// One finding of a rule.
    FindingId
);
id!(
    /// One incident; people say its number instead.
    IncidentId
);
id!(
    /// One note on an incident.
    NoteId
);
id!(
    /// One block of an address or range.
    BlockId
);
id!(
    /// One containment of a session, a user, a service or a rate.
    ContainmentId
);
id!(
    /// One automatic action.
    ResponseId
);
id!(
    /// One message that waits to be delivered.
    OutboxId
);
id!(
    /// One run of a maintenance job.
    JobId
);
id!(
    /// One produced report.
    ReportId
);
id!(
    /// One entry of the register.
    EntryId
);
id!(
    /// One file or statement that a person gave for a control.
    ProofId
);
id!(
    /// One saved connection.
    ConnectionId
);

id!(
    /// One suppression.
    SuppressionId
);
id!(
    /// A report that is made by itself, again and again.
    ScheduleId
);
id!(
    /// What somebody says about an exception of a control.
    CommentId
);

impl EventId {
    /// The id of an event that came without one: stable for the same `seed`, so that a replay adds nothing.
    ///
    /// Shape: version 8 (custom) UUID; the first 48 bits are `at_ms` (Unix milliseconds) so that it sorts with UUIDv7.
    #[must_use]
    pub fn derived(at_ms: i64, seed: [u8; 16]) -> Self {
        let mut bytes = seed;
        let ms = u64::try_from(at_ms).unwrap_or(0).to_be_bytes();
        bytes[..6].copy_from_slice(&ms[2..8]);
        Self(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }
}
