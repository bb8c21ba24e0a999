//! The event store against a real `redis-server`, started privately for each test.

mod adopt;
mod blocks;
mod diagnose;
mod health;
mod local;
mod optimize;
mod queue;
mod retention;
mod support;
