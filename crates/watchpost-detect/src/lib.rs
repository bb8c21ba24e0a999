//! Events in, findings out: signatures over decoded text and behaviours over windows of event time (DESIGN section 4).
//!
//! Pure CPU work: no I/O, no clock (time is an argument), no randomness. The same events in the same order make the same
//! findings with the same ids. Every table has a hard cap; what is evicted is counted ([`Counters`]).
//!
//! | module | holds |
//! |---|---|
//! | `decode` | a value's layers: percent, HTML, Unicode, base64, comments, shell quoting |
//! | `dictionary`, `gate` | words looked up, and literals found in one pass |
//! | `gap` | whether a gate turns away what its rule matches |
//! | `expression` | how the expressions of rules are read |
//! | `fields` | which parts of an event are looked at, and how they are encoded |
//! | `ruleset` | the rules: YAML read, checked and compiled; what ships is in `rules/` |
//! | `rules` | what a rule may say of where it looks and how it confirms |
//! | `shell` | a reader of command lines and the shapes that make a value a command injection |
//! | `check` | named confirmers: addresses, tokens, uploads, answers |
//! | `sql` | a tokeniser and the shapes that make a value an SQL injection |
//! | `sample` | samples played against a set of rules |
//! | `sigma` | Sigma rules over the decoded event, and their correlations |
//! | `signature` | gates, matching and the explanation of a match |
//! | `behaviour` | what shows over several events: counts, sessions, travel, silence, chains |
//! | `baseline` | what is usual for each user and endpoint |
//! | `enrich` | places, threat lists, assets, and the risk that follows |
//!
//! Deliberately absent: storage, incidents, blocking, reading files. `watchpost-ops` composes those.
#![warn(missing_docs)]

mod baseline;
mod behaviour;
mod bits;
mod check;
mod decode;
mod dictionary;
mod engine;
pub mod enrich;
mod expression;
mod fields;
mod finding;
mod gap;
mod gate;
mod inspect;
mod mention;
mod rule;
mod rules;
mod ruleset;
mod sample;
mod shell;
mod sigma;
mod signature;
mod sql;
mod state;

pub use baseline::compare as compare_baselines;
pub use check::{KeyError, KeyKind, SECRET_BYTES_ADVISED, SECRET_BYTES_MIN, TokenKeys};
pub use engine::{Config, Counters, Engine};
pub use inspect::{Verdict, decoded_fields, for_each_decoded, inspect_event, inspect_request, inspect_value};
pub use rule::{Burst, City, RuleInfo, RuleKind, RuleSource, Sample, TrafficKind};
pub use ruleset::{Adjust, Own, Problem, ProblemKind, Rule, RuleFile, RuleSet, WINDOW_S_MAX, nearest};
pub use sample::{SampleFailure, SampleReport};
pub use state::StateError;
