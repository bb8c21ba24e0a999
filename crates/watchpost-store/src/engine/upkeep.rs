//! What keeps a database quick and small: looking at its pages, statistics for its queries, folding its log.

use std::path::Path;

use sqlx::{AssertSqlSafe, Row as _};

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

    /// Has the database look at its rows anew, for plans that fit them.
    pub(crate) async fn analyze(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite { writer, .. } => {
                let mut connection = writer.acquire().await?;
                sqlx::query(LOOKED_AT).execute(&mut *connection).await?;
                sqlx::query("ANALYZE").execute(&mut *connection).await?;
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

fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or_default()
}
