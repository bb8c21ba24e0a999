//! One action on many incidents, and taking it back.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Status, Verdict, VerdictCause};

/// What is done to each of many incidents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum BulkAction {
    /// Take them: whoever does it is the assignee, and what is open is investigated.
    Take,
    /// Assign them.
    Assign {
        /// To whom; absent means to nobody.
        assignee: Option<String>,
    },
    /// Move them to another status that is not `resolved`.
    Status {
        /// Where to.
        status: Status,
        /// Why; required to reopen.
        reason: Option<String>,
    },
    /// Judge and resolve them.
    Resolve {
        /// What they were; not `unjudged`.
        verdict: Verdict,
        /// Why, from the list of the verdict; absent means `other`.
        #[serde(default)]
        #[ts(optional)]
        cause: Option<VerdictCause>,
        /// Why, in words; required with `other`.
        reason: String,
    },
    /// Write a note on each.
    Note {
        /// The note.
        text: String,
    },
    /// Suppress what their families find on their entities from now on, and leave the incidents as they are.
    Suppress {
        /// Why.
        reason: String,
        /// For how many days, 1 to 90.
        days: u32,
    },
}

impl BulkAction {
    /// The action in a word, for people.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Take => "take",
            Self::Assign { .. } => "assign",
            Self::Status { .. } => "status",
            Self::Resolve { .. } => "resolve",
            Self::Note { .. } => "note",
            Self::Suppress { .. } => "suppress",
        }
    }
}

/// An incident that a bulk action or its undo left as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct BulkSkipped {
    /// Its number.
    pub number: i64,
    /// Why, for people.
    pub reason: String,
}

/// What a bulk action or its undo did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct BulkOutcome {
    /// Numbers of the incidents that were changed.
    pub changed: Vec<i64>,
    /// Those that were not.
    pub skipped: Vec<BulkSkipped>,
    /// What takes it back, once; absent when nothing was changed and for an undo.
    pub undo: Option<String>,
}
