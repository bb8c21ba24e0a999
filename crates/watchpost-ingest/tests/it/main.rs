//! Importers on literal lines and arbitrary bytes. Real logs and the simulator are tried with the engine in ops.

mod access;
mod fuzz;
mod json;
mod lines;
mod sshd;
mod support;
