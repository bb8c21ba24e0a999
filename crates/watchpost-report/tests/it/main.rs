//! The report crate from outside: judging, every format, and the PDF read back.

mod archive;
mod common;
mod files;
mod formats;
mod frameworks;
mod judging;
mod layout;
mod pdf;
mod verifying;
