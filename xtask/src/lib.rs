//! What `cargo xtask` does, one module per job, and the checks of the house that the tests run as well.
//!
//! It depends on nothing that needs a system package, because it is what installs them.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a program that talks to a person")]

pub mod arrows;
pub mod bench;
pub mod build;
pub mod codegen;
pub mod doctor;
pub mod fuzz;
pub mod gate;
pub mod packages;
pub mod samples;
pub mod shell;
pub mod start;
pub mod tidy;
pub mod ui;
