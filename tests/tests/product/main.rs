//! The product without the window: the command line, the engine under fire, a team on one PostgreSQL.

mod command_line;
mod crash;
mod encryption;
mod exit_codes;
mod interrupt;
mod keychain;
mod optimize_kill;
mod retention_kill;
mod sigma_import;
mod team;
mod trail;
