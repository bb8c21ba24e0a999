//! The conformance suite: what the store promises, on SQLite and on PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

mod approval;
mod attacks;
mod audit;
mod away;
mod block;
mod busy_names;
mod day_indexes;
mod event;
mod event_partitions;
mod evidence;
mod feeds;
mod health_history;
mod hour_counts;
mod incident;
mod ingest;
mod keys;
mod lifecycle;
mod linking;
mod merge;
mod notices;
mod partitions;
mod privacy;
mod purge;
mod records;
mod register;
mod response;
mod risk;
mod role_changes;
mod role_says;
mod role_script;
mod roles;
mod schedules;
mod sealing;
mod search;
mod sensitive;
mod settled;
mod support;
mod table_export;
mod text;
mod tls;
mod triage;
mod witness;
