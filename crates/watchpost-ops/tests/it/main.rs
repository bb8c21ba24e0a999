//! The operations through their public door; the layers below composed as the product composes them.

mod analyze;
mod approval_rows;
mod approvals;
mod at_rest;
mod attention;
mod audit_clock;
mod audit_export;
mod audit_keys;
mod audit_stamps;
mod basis;
#[path = "../../../watchpost-redis/tests/it/damage.rs"]
mod damage;
mod database;
mod database_copies;
mod database_encrypted;
mod database_failover;
mod database_server;
mod door;
mod enrich;
mod failover;
mod faults;
#[path = "../../../watchpost-redis/tests/it/fleet.rs"]
mod fleet;
mod health_alerts;
mod incidents;
mod jobs;
#[path = "../../../watchpost-detect/tests/it/mmdb.rs"]
mod mmdb;
mod notices;
mod observe;
mod opening;
mod people;
mod plan;
#[path = "../../../watchpost-redis/tests/it/port.rs"]
mod port;
mod privacy;
mod rdb;
mod real_logs;
mod refusals;
mod report_kinds;
mod report_register;
mod report_standing;
mod report_tampered;
mod reports;
mod response;
mod response_bounds;
mod response_crash;
mod restored;
mod revert;
mod rules;
mod sealed_secrets;
mod sealing;
mod search;
mod secrets_file;
mod server;
mod shares;
mod simulation;
mod slot_move;
mod token_keys;
mod upheld;
mod window_lock;
mod windows;
mod witness;
mod witness_places;
mod witness_put_back;
