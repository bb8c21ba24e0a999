//! What keeps a database quick and small: looking at its pages, statistics for its queries, folding its log.

use std::path::Path;

use sqlx::{AssertSqlSafe, Row as _, SqliteConnection};

use super::Db;
use crate::error::StoreError;
use crate::table_export::is_own;

/// How large a database is, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DatabaseSize {
    /// The file, or what the server keeps of the database.
    pub bytes: u64,
    /// SQLite's log beside the file.
    pub log_bytes: u64,
    /// Of the file: free pages, which are used again.
    pub free_bytes: u64,
}

/// Rows of an index that SQLite looks at for its statistics.
const LOOKED_AT: &str = "PRAGMA analysis_limit = 400";

/// What SQLite's statistics say of indexes of events at least: rows, and rows of each value in front; of those that begin
/// with the day of an event that is rows of a day, and of a name on a day. It looks a name up day by day only where it knows
/// of many rows that have the day in common, else it reads every event; and an archive that was small when it was looked at
/// may grow large before the next look.
const KEPT: [(&str, i64, &str); 7] = [
    ("event_by_actor", OF_A_DAY, "1000000 30000 40 2"),
    ("event_by_other_source", OF_A_DAY, "1000000 30000 40 2"),
    ("event_by_session", OF_A_DAY, "1000000 30000 20 2"),
    ("event_by_source", OF_A_DAY, "1000000 30000 40 2 1"),
    ("event_by_storing", 1, "1000000 10 2 1"),
    ("event_by_time", 1, "1000000 2 1"),
    ("sqlite_autoindex_event_1", 1, "1000000 1"),
];
/// Rows from which on what was found is believed.
const MANY: i64 = 100_000;
/// Rows of a day from which on SQLite looks up by the day, with a little to spare.
const OF_A_DAY: i64 = 20;

/// Tables of a PostgreSQL, ours and others, that this login may make statistics of.
const OWNED: &str = "SELECT CAST(c.relname AS TEXT) FROM pg_catalog.pg_class c \
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema() \
     AND c.relkind IN ('r', 'p') AND pg_has_role(current_user, c.relowner, 'USAGE') ORDER BY c.relname";

impl Db {
    /// How large the database is. `file` is that of SQLite.
    pub(crate) async fn size(&self, file: Option<&Path>) -> Result<DatabaseSize, StoreError> {
        match self {
            Self::Sqlite { readers, .. } => {
                let free = sqlx::query(
                    "SELECT f.freelist_count * p.page_size FROM pragma_freelist_count() f, pragma_page_size() p",
                );
                let free = unsigned(free.fetch_one(readers).await?.try_get::<i64, _>(0)?);
                let of = |path: &Path| std::fs::metadata(path).map_or(0, |about| about.len());
                let log = file.map(|file| {
                    let mut name = file.as_os_str().to_owned();
                    name.push("-wal");
                    of(Path::new(&name))
                });
                Ok(DatabaseSize {
                    bytes: file.map_or(0, of),
                    log_bytes: log.unwrap_or_default(),
                    free_bytes: free,
                })
            }
            Self::Postgres { pool, .. } => {
                let size = sqlx::query("SELECT pg_database_size(current_database())");
                let bytes = unsigned(size.fetch_one(pool).await?.try_get::<i64, _>(0)?);
                Ok(DatabaseSize { bytes, ..DatabaseSize::default() })
            }
        }
    }

    /// What is wrong with the pages of a SQLite file, as it says; PostgreSQL looks at its own.
    pub(crate) async fn quick_check(&self) -> Result<Option<String>, StoreError> {
        let Self::Sqlite { readers, .. } = self else { return Ok(None) };
        let said = sqlx::query("PRAGMA quick_check(1)").fetch_one(readers).await?;
        let said = said.try_get::<String, _>(0)?;
        Ok((said != "ok").then_some(said))
    }

    /// Writes the file anew, without what lay in free space or what the index of events remembered of removed ones;
    /// PostgreSQL has none.
    pub(crate) async fn rewrite(&self) -> Result<(), StoreError> {
        if let Self::Sqlite { writer, .. } = self {
            sqlx::query("INSERT INTO event_text (event_text) VALUES ('optimize')").execute(writer).await?;
            sqlx::query("VACUUM").execute(writer).await?;
        }
        Ok(())
    }

    /// Has SQLite look at those of its tables that changed much since it did.
    pub(crate) async fn optimize(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        sqlx::query(LOOKED_AT).execute(&mut *connection).await?;
        sqlx::query("PRAGMA optimize").execute(&mut *connection).await?;
        keep_statistics(connection).await
    }

    /// Sees to it that SQLite's statistics say what its plans need; before the first reader comes.
    pub(crate) async fn keep_statistics(&self) -> Result<(), StoreError> {
        if let Self::Sqlite { writer, .. } = self {
            keep_statistics(&mut *writer.acquire().await?).await?;
        }
        Ok(())
    }

    /// Has the database look at its rows anew, for plans that fit them.
    pub(crate) async fn analyze(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite { writer, .. } => {
                let mut connection = writer.acquire().await?;
                sqlx::query(LOOKED_AT).execute(&mut *connection).await?;
                sqlx::query("ANALYZE").execute(&mut *connection).await?;
                keep_statistics(&mut connection).await?;
            }
            Self::Postgres { pool, .. } => {
                // Without names it is every table that there is, and a warning for each that belongs to the server.
                let rows = sqlx::query(OWNED).fetch_all(pool).await?;
                let mut tables = Vec::new();
                for row in rows {
                    let name = row.try_get::<String, _>(0)?;
                    tables.extend(is_own(&name).then_some(name));
                }
                if tables.is_empty() {
                    return Err(StoreError::Precondition(
                        "the statistics are made by the owner of the tables, and by PostgreSQL itself (autovacuum); \
                         this login owns none"
                            .to_owned(),
                    ));
                }
                let sql = format!("ANALYZE {}", tables.join(", "));
                sqlx::query(AssertSqlSafe(sql)).execute(pool).await?;
            }
        }
        Ok(())
    }
}

/// Writes only what is missing, so that a database that is as it should be is not written to.
async fn keep_statistics(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let table = "SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'";
    if sqlx::query(table).fetch_optional(&mut *connection).await?.is_none() {
        // Makes the tables of the statistics.
        sqlx::query("ANALYZE sqlite_schema").execute(&mut *connection).await?;
    }
    // Another program's look keeps values of indexed columns, people's names among them.
    let table = "SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat4'";
    let mut wrote = sqlx::query(table).fetch_optional(&mut *connection).await?.is_some()
        && sqlx::query("SELECT 1 FROM sqlite_stat4 LIMIT 1")
            .fetch_optional(&mut *connection)
            .await?
            .is_some();
    if wrote {
        sqlx::query("DELETE FROM sqlite_stat4").execute(&mut *connection).await?;
    }
    for (index, of_a_value, statistics) in KEPT {
        // The first and the second number.
        let fits = "SELECT 1 FROM sqlite_stat1 WHERE idx = $1 AND CAST(stat AS INTEGER) >= $2 \
            AND CAST(substr(stat, instr(stat, ' ')) AS INTEGER) >= $3";
        let found = sqlx::query(fits).bind(index).bind(MANY).bind(of_a_value);
        if found.fetch_optional(&mut *connection).await?.is_some() {
            continue;
        }
        sqlx::query("DELETE FROM sqlite_stat1 WHERE idx = $1").bind(index).execute(&mut *connection).await?;
        let add = "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('event', $1, $2)";
        sqlx::query(add).bind(index).bind(statistics).execute(&mut *connection).await?;
        wrote = true;
    }
    if wrote {
        // This connection reads them again.
        sqlx::query("ANALYZE sqlite_schema").execute(&mut *connection).await?;
    }
    Ok(())
}

fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or_default()
}
