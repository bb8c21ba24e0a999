//! What is wrong with a text that is no query.

use serde::{Deserialize, Serialize};
use thiserror::Error;
use ts_rs::TS;

/// What is wrong as kind and values, for who says it in another language; it prints in English.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum QueryProblem {
    /// It is too long.
    #[error("a query has at most {most} characters")]
    TooLong {
        /// Characters that it may have.
        most: usize,
    },
    /// It is nested too deep.
    #[error("nested deeper than {most}")]
    TooDeep {
        /// Levels that it may have.
        most: usize,
    },
    /// It has too many conditions.
    #[error("a query has at most {most} conditions")]
    TooMany {
        /// Conditions that it may have.
        most: usize,
    },
    /// A bracket that closes nothing.
    #[error("this bracket closes nothing")]
    ClosesNothing,
    /// A bracket that is not closed.
    #[error("this bracket is not closed")]
    NotClosed,
    /// A quotation that is not closed.
    #[error("this quotation has no end")]
    NoEnd,
    /// A minus without a condition.
    #[error("this minus takes nothing away")]
    LoneMinus,
    /// A keyword without a condition before or after it.
    #[error("{text:?} needs a condition before and after it")]
    LoneKeyword {
        /// The keyword.
        text: String,
    },
    /// A condition is missing.
    #[error("a condition is missing")]
    NoCondition,
    /// There is no such field.
    #[error("there is no field {text:?}")]
    NoField {
        /// What stands there.
        text: String,
    },
    /// Brackets with no value in them.
    #[error("there is no value in these brackets")]
    NoValues,
    /// A field without a value.
    #[error("{field} needs a value")]
    NeedsValue {
        /// The field.
        field: String,
    },
    /// A field that has no order.
    #[error("{field} is not compared by '{sign}'")]
    NotCompared {
        /// The field.
        field: String,
        /// How it was compared.
        sign: String,
    },
    /// A field that takes no wildcard.
    #[error("{field} takes no wildcard")]
    NoWildcard {
        /// The field.
        field: String,
    },
    /// It is no value of the field.
    #[error("{text:?} is no value of {field}")]
    NoValue {
        /// The field.
        field: String,
        /// What stands there.
        text: String,
    },
    /// It is none of the words that the field has.
    #[error("{text:?} is no {field}")]
    NoWord {
        /// The field.
        field: String,
        /// What stands there.
        text: String,
    },
    /// It is no address.
    #[error("{text:?} is no address")]
    NoAddress {
        /// What stands there.
        text: String,
    },
    /// It is no range of addresses.
    #[error("{text:?} is no network")]
    NoNetwork {
        /// What stands there.
        text: String,
    },
    /// Beyond this number there is none.
    #[error("{field} has nothing beyond {text:?}")]
    NothingBeyond {
        /// The field.
        field: String,
        /// What stands there.
        text: String,
    },
    /// A range of numbers ends before it begins.
    #[error("this range ends before it begins")]
    RangeReversed,
    /// A period ends before it begins.
    #[error("this period ends before it begins")]
    PeriodReversed,
    /// No severity lies in this range.
    #[error("there is no severity in this range")]
    NoSeverity,
}
