//! The engine from outside: samples, properties, replays, real logs.

mod behaviour;
mod enrich;
mod mmdb;
mod properties;
mod samples;
mod state;
mod support;
