//! JSON Web Tokens: found anywhere in a text, read leniently, and judged.
//!
//! | part | does |
//! |---|---|
//! | `read` | finds tokens and decodes their parts |
//! | `judge` | says what is wrong with one |
//! | `keys` | checks signatures with configured keys |

mod judge;
mod keys;
mod read;

use std::ops::Range;

pub use keys::{KeyError, KeyKind, SECRET_BYTES_ADVISED, SECRET_BYTES_MIN, TokenKeys};

use super::Context;

/// What can be wrong with a token; each is a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Problem {
    /// `alg` is none, empty or missing.
    NoAlgorithm,
    /// The signature is missing, all zero, or not of the length of its algorithm.
    NoSignature,
    /// A shared-secret algorithm beside a public key.
    Confusion,
    /// The key's name is a path, a query, a command or a URL.
    KeyName,
    /// The key comes with the token or from somebody else's server.
    ForeignKey,
    /// `crit` that no implementation can honour.
    Critical,
    /// Decodes for a lenient reader only: doubled members, broken JSON or base64, unknown algorithms.
    Malformed,
    /// Over or not yet valid, and accepted all the same.
    OutOfTime,
    /// The signature does not fit any configured key.
    Forged,
}

/// The problems of the tokens in `text`, each with the token's place.
pub(super) fn problems(text: &str, context: &Context<'_>) -> Vec<(Problem, Range<usize>)> {
    read::tokens(text)
        .into_iter()
        .flat_map(|token| {
            let range = token.range.clone();
            judge::judge(&token, context).into_iter().map(move |problem| (problem, range.clone()))
        })
        .collect()
}
