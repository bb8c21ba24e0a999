//! The engine from outside: samples, properties, replays, real logs.

mod behaviour;
mod enrich;
mod mmdb;
mod properties;
<<<<<<< HEAD
mod quality;
=======
mod ruleset;
>>>>>>> origin/main
mod samples;
mod sigma;
mod support;
