//! Has anybody written to the server? What only looks for new keys need not look where nobody has.

use crate::error::RedisError;
use crate::info::Info;
use crate::lacking;
use crate::store::EventStore;

/// How far a server's own count of changes is. Two that are equal, of one store: nothing was written between them, by
/// anybody, in any of the server's databases; keys that expired count as changes too. The time of the last saving is told in
/// seconds: of two savings within one second with as many changes before each nothing is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Writes {
    /// A count is worth nothing on another connection: it may lead to another server.
    generation: u64,
    since_saving: u64,
    saved_at: u64,
}

impl EventStore {
    /// The count now; `None` where the user may not ask, or the server tells none.
    ///
    /// # Errors
    /// What is wrong with the connection.
    pub async fn writes(&self) -> Result<Option<Writes>, RedisError> {
        let link = &self.inner.main;
        let mut cmd = redis::cmd("INFO");
        cmd.arg("persistence");
        loop {
            link.ensure().await?;
            let generation = link.generation();
            let Ok(text) = lacking::asked(link.query::<String>(&cmd).await)? else { return Ok(None) };
            if generation != link.generation() {
                continue; // Which of the two servers told it is not known.
            }
            let info = Info::parse(&text);
            let counts = info.count("rdb_changes_since_last_save").zip(info.count("rdb_last_save_time"));
            return Ok(counts.map(|(since_saving, saved_at)| Writes { generation, since_saving, saved_at }));
        }
    }
}
