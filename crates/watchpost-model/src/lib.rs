//! The words of Watchpost: events, findings, incidents, blocks, health, jobs, audit records.
//!
//! Plain types and pure rules. Deliberately absent: I/O, databases, clocks that read themselves (a [`clock::Clock`]
//! is passed in), and anything that formats for one shell only. Every other crate depends on this one and this one
//! on none of them.
#![warn(missing_docs)]

pub mod access;
pub mod approval;
pub mod audit;
pub mod baseline;
pub mod block;
pub mod clock;
pub mod connection;
pub mod contain;
pub mod copies;
pub mod diagnosis;
pub mod enrichment;
pub mod event;
pub mod evidence;
pub mod finding;
pub mod health;
pub mod health_alert;
pub mod health_forecast;
pub mod health_policy;
pub mod ids;
pub mod incident;
pub mod job;
pub mod overview;
pub mod period;
pub mod place;
pub mod plain;
pub mod plan;
pub mod playbook;
pub mod policy;
pub mod privacy;
pub mod query;
pub mod record_class;
pub mod register;
pub mod report;
pub mod response;
pub mod risk;
pub mod sample;
pub mod sealing;
pub mod sensitive;
pub mod span;
pub mod suppression;
pub mod text;
pub mod threat;
