//! The event store against a real `redis-server`, started privately for each test.

#![expect(clippy::unwrap_used, reason = "the whole binary is tests; clippy knows only functions marked so")]

mod adopt;
mod aside;
mod backup;
mod blocks;
mod cluster;
mod contain;
mod copy;
mod damage;
mod diagnose;
mod edges;
mod fleet;
mod health;
mod health_more;
mod left_out;
mod local;
mod old_server;
mod optimize;
mod optimize_preview;
mod port;
mod queue;
mod retention;
mod rights;
mod sentinel;
mod stopped;
mod support;
mod values_read;
