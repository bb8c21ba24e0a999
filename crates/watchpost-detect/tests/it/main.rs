//! The engine from outside: samples, properties, replays, real logs.

mod behaviour;
mod enrich;
mod evasions;
mod fuzz;
mod mmdb;
mod places;
mod properties;
mod quality;
mod ruleset;
mod samples;
mod sigma;
mod sigma_forms;
mod spellings;
mod state;
mod support;
mod tokens;
mod uploads;
