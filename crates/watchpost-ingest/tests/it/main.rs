//! Importers on literal lines, real logs and arbitrary bytes; the simulator against the engine.

mod access;
mod json;
mod lines;
mod real_logs;
mod simulation;
mod sshd;
mod support;
