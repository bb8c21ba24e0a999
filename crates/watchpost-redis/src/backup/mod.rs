//! Backups: the keys under the prefix in one file, and back.
//!
//! A small value goes in as `DUMP` gives it, which is one moment of it with all it has; a large one window by window, so
//! that no command holds the server. Each has a digest that does not depend on its encoding. The file says by itself
//! whether it is whole ([`BackupReader`]); whether a server takes it and holds the same afterwards, a rehearsal says
//! ([`Restorer::check`] on a scratch server).
//!
//! The other kind is a copy of the whole server, as it writes it itself ([`RdbCopy`]).

mod copy;
mod digest;
mod file;
mod packed;
mod rdb;
mod record;
mod restore;
mod take;

pub use copy::Contents;
pub use copy::Held;
pub use copy::RdbCopy;
pub use copy::RdbError;
pub use copy::RdbPlan;
pub use file::BACKUP_VERSION;
pub use file::BackupEnd;
pub use file::BackupError;
pub use file::BackupHead;
pub use file::BackupReader;
pub use file::BackupWriter;
pub use rdb::RdbEnd;
pub use record::Record;
pub use restore::Checked;
pub use restore::Existing;
pub use restore::Restored;
pub use restore::Restorer;
pub use restore::Scope;
pub use take::BackupWalk;
