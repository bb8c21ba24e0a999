//! The engine from outside: samples, properties, replays, real logs.

mod behaviour;
mod properties;
mod samples;
mod support;
