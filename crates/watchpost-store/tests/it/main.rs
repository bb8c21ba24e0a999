//! The conformance suite: what the store promises, on SQLite and on PostgreSQL.

mod audit;
mod block;
mod event;
mod incident;
mod ingest;
mod lifecycle;
mod records;
mod support;
