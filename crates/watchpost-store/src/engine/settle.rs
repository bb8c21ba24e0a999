//! What removed rows leave behind: SQLite's log beside the file, and on PostgreSQL dead rows, statistics, and indexes that go on
//! to hold words of them.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, Row as _};

use super::Db;
use crate::error::{StoreError, in_its_words};

/// Writing an index anew waits so long for whoever reads an older state, or holds its table.
const PATIENCE: &str = "SET lock_timeout = '30s'";

/// Tables by their names, with commas, and whether they are this login's.
const OWNERS: &str = "SELECT CAST(c.relname AS TEXT), pg_has_role(current_user, c.relowner, 'USAGE') \
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') \
    AND CAST(c.relname AS TEXT) = ANY (string_to_array($1, ',')) ORDER BY 1";

/// Indexes of tables by their names, with commas, and of their partitions; a condition follows.
const INDEXES: &str = "SELECT format('%I.%I', n.nspname, x.relname) FROM pg_catalog.pg_index i \
    JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid JOIN pg_catalog.pg_namespace n ON n.oid = x.relnamespace \
    JOIN pg_catalog.pg_class t ON t.oid = i.indrelid LEFT JOIN pg_catalog.pg_inherits h ON h.inhrelid = t.oid \
    LEFT JOIN pg_catalog.pg_class p ON p.oid = h.inhparent \
    WHERE n.nspname = current_schema() AND x.relkind = 'i' \
    AND CAST(COALESCE(p.relname, t.relname) AS TEXT) = ANY (string_to_array($1, ','))";

/// Those that may hold names, addresses or words: not of ids and words of the product alone.
const OF_WORDS: &str = " AND i.indisvalid AND (0 = ANY (CAST(i.indkey AS INT2[])) OR EXISTS (\
    SELECT 1 FROM pg_catalog.pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = ANY (CAST(i.indkey AS INT2[])) \
    AND a.atttypid IN (CAST('text' AS REGTYPE), CAST('bytea' AS REGTYPE)) AND a.attname NOT LIKE '%!_id' ESCAPE '!' \
    AND a.attname NOT IN ('id', 'kind', 'state', 'status', 'verdict', 'family', 'entity_kind', 'category', 'outcome'))) \
    ORDER BY 1";

/// Those that a try to write one anew left half made.
const HALF_MADE: &str = " AND NOT i.indisvalid AND x.relname ~ '_cc(new|old)[0-9]*$' ORDER BY 1";

/// What became of what removed rows leave behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settled {
    /// SQLite's log was folded into the file; else somebody who reads stood in the way. There is none with PostgreSQL.
    pub folded: bool,
    /// PostgreSQL: tables out of which removed rows were taken.
    pub vacuumed: usize,
    /// PostgreSQL: indexes that were written anew.
    pub reindexed: usize,
    /// PostgreSQL: tables of another login, which alone may do it.
    pub not_own: Vec<String>,
    /// PostgreSQL: what was tried and not done, and why.
    pub failed: Vec<String>,
}

impl Db {
    /// Folds SQLite's log into the file. On PostgreSQL the indexes of words on `anew` are written anew, and removed rows are
    /// taken out of `tables`, as far as this login may.
    pub(crate) async fn settle(&self, tables: &[&str], anew: &[&str]) -> Result<Settled, StoreError> {
        match self {
            Self::Sqlite { writer, .. } => {
                let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(writer).await?;
                Ok(Settled { folded: row.try_get::<i64, _>(0)? == 0, ..Settled::default() })
            }
            Self::Postgres { pool, .. } => {
                // A connection of its own: what is set on it goes with it.
                let mut connection = pool.acquire().await?.detach();
                let settled = on_server(&mut connection, tables, anew).await?;
                connection.close().await?;
                Ok(settled)
            }
        }
    }
}

async fn on_server(
    connection: &mut PgConnection,
    tables: &[&str],
    anew: &[&str],
) -> Result<Settled, StoreError> {
    sqlx::query(PATIENCE).execute(&mut *connection).await?;
    let mut settled = Settled { folded: true, ..Settled::default() };
    let mut own = Vec::new();
    for row in sqlx::query(OWNERS).bind(tables.join(",")).fetch_all(&mut *connection).await? {
        let name = row.try_get::<String, _>(0)?;
        if row.try_get::<bool, _>(1)? {
            own.push(name);
        } else {
            settled.not_own.push(name);
        }
    }
    // First: it waits for whoever still reads removed rows, and keeps these in a table.
    let anew: Vec<&str> = own.iter().map(String::as_str).filter(|name| anew.contains(name)).collect();
    write_indexes(connection, &anew.join(","), &mut settled).await?;
    for table in own {
        // With few dead rows their entries in indexes would stay; and the statistics hold the most frequent values.
        match refused(connection, format!("VACUUM (INDEX_CLEANUP ON, ANALYZE) {table}")).await? {
            None => settled.vacuumed += 1,
            Some(said) => settled.failed.push(format!("VACUUM of {table}: {said}")),
        }
    }
    Ok(settled)
}

/// Writes the indexes of words on `tables` (with commas) anew beside those that are in use; stops at the first that cannot be.
async fn write_indexes(
    connection: &mut PgConnection,
    tables: &str,
    settled: &mut Settled,
) -> Result<(), StoreError> {
    let indexes = names(connection, tables, OF_WORDS).await?;
    let mut left = indexes.len();
    for index in indexes {
        left -= 1;
        match refused(connection, format!("REINDEX INDEX CONCURRENTLY {index}")).await? {
            None => settled.reindexed += 1,
            Some(said) => {
                settled.failed.push(format!("REINDEX of {index}, and of {left} indexes after it: {said}"));
                break;
            }
        }
    }
    // They would be kept up to date, and never be asked.
    for index in names(connection, tables, HALF_MADE).await? {
        if let Some(said) = refused(connection, format!("DROP INDEX CONCURRENTLY {index}")).await? {
            settled.failed.push(format!("DROP INDEX of {index}, which is half made: {said}"));
        }
    }
    Ok(())
}

async fn names(
    connection: &mut PgConnection,
    tables: &str,
    condition: &str,
) -> Result<Vec<String>, StoreError> {
    let sql = format!("{INDEXES}{condition}");
    let rows = sqlx::query(AssertSqlSafe(sql)).bind(tables.to_owned()).fetch_all(&mut *connection).await?;
    rows.iter().map(|row| Ok(row.try_get::<String, _>(0)?)).collect()
}

/// Runs a statement outside of any transaction; what the server said where it refused.
async fn refused(connection: &mut PgConnection, sql: String) -> Result<Option<String>, StoreError> {
    match sqlx::query(AssertSqlSafe(sql)).persistent(false).execute(&mut *connection).await {
        Ok(_) => Ok(None),
        Err(error @ sqlx::Error::Database(_)) => Ok(Some(in_its_words(&error))),
        Err(error) => Err(error.into()),
    }
}
