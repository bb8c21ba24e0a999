//! The one place that knows two databases: connections, transactions, binding and reading values, and every difference
//! of dialect.
//!
//! The rest of the crate writes one SQL text with `$1` placeholders for both engines. All SQL text of the crate is
//! built from literals and placeholder numbers; values are always bound. That is what `AssertSqlSafe` asserts, here
//! and nowhere else.

mod away;
mod dialect;
mod locked;
mod notice;
mod settle;
mod upkeep;

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteRow};
use sqlx::{AssertSqlSafe, Connection as _, Postgres, Row as _, Sqlite, SqliteConnection, Transaction};

pub(crate) use dialect::Dialect;
pub use notice::Notices;
pub use settle::Settled;
pub use upkeep::DatabaseSize;

use crate::engine::locked::Locked;
use crate::error::StoreError;

/// A bound value; the variant carries the type even when it is NULL, because PostgreSQL needs it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    I64(Option<i64>),
    F64(Option<f64>),
    Text(Option<String>),
    Blob(Option<Vec<u8>>),
}

/// PostgreSQL cannot hold NUL in text and SQLite cuts it in places: both store its visible symbol instead.
pub(crate) fn without_nul(text: &str) -> String {
    if text.contains('\0') { text.replace('\0', "\u{2400}") } else { text.to_owned() }
}

/// As [`without_nul`], for a text of its own, which stays where it is.
fn freed_of_nul(text: String) -> String {
    if text.contains('\0') { without_nul(&text) } else { text }
}

macro_rules! from_value {
    ($($type:ty => |$value:ident| $build:expr;)+) => {
        $(impl From<$type> for Value { fn from($value: $type) -> Self { $build } })+
    };
}

from_value! {
    i64 => |v| Value::I64(Some(v));
    Option<i64> => |v| Value::I64(v);
    Option<f64> => |v| Value::F64(v);
    &str => |v| Value::Text(Some(without_nul(v)));
    String => |v| Value::Text(Some(freed_of_nul(v)));
    &String => |v| Value::Text(Some(without_nul(v)));
    Option<&str> => |v| Value::Text(v.map(without_nul));
    Option<String> => |v| Value::Text(v.map(freed_of_nul));
    Vec<u8> => |v| Value::Blob(Some(v));
    &[u8] => |v| Value::Blob(Some(v.to_vec()));
    Option<Vec<u8>> => |v| Value::Blob(v);
    DateTime<Utc> => |v| Value::I64(Some(v.timestamp_micros()));
    Option<DateTime<Utc>> => |v| Value::I64(v.map(|at| at.timestamp_micros()));
}

/// `args![a, b]` is the list of bound values for `$1, $2`.
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::engine::Value::from($value)),*] };
}
pub(crate) use args;

/// SQL text that grows together with its bound values.
#[derive(Debug, Default, Clone)]
pub(crate) struct Sql {
    text: String,
    args: Vec<Value>,
    /// Write `?` instead of `$1`: SQLite searches the names of placeholders one by one, which is quadratic in long lists.
    unnamed: bool,
    /// Planned for its values each time that it is asked.
    anew: bool,
}

impl Sql {
    pub(crate) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), ..Self::default() }
    }

    /// For long lists of values, all of them bound in order.
    pub(crate) fn list(text: &str, dialect: Dialect) -> Self {
        Self { text: text.to_owned(), unnamed: dialect == Dialect::Sqlite, ..Self::default() }
    }

    /// Has PostgreSQL plan it for its values: a plan for any values cannot know how rare a word is.
    pub(crate) fn plan_anew(&mut self) {
        self.anew = true;
    }

    /// Adds literal SQL.
    pub(crate) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Puts literal SQL in front.
    pub(crate) fn before(&mut self, text: &str) -> &mut Self {
        self.text.insert_str(0, text);
        self
    }

    /// Binds a value and adds its placeholder.
    pub(crate) fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.args.push(value.into());
        if self.unnamed {
            self.text.push('?');
        } else {
            self.text.push('$');
            self.text.push_str(&self.args.len().to_string());
        }
        self
    }

    /// Adds `(v1, v2, ...)`.
    pub(crate) fn tuple(&mut self, values: Vec<Value>) -> &mut Self {
        self.text.push('(');
        for (index, value) in values.into_iter().enumerate() {
            if index > 0 {
                self.text.push_str(", ");
            }
            self.bind(value);
        }
        self.text.push(')');
        self
    }

    /// Adds `(..), (..)` for `rows`.
    pub(crate) fn tuples(&mut self, rows: impl IntoIterator<Item = Vec<Value>>) -> &mut Self {
        for (index, row) in rows.into_iter().enumerate() {
            if index > 0 {
                self.text.push_str(", ");
            }
            self.tuple(row);
        }
        self
    }
}

/// The sizes in which lists are sent, so that few different statements have to be prepared.
///
/// The largest is that of the engine's batches: each statement is handed to the thread of the connection and its answer
/// waited for, which costs as much as writing some rows. Its values (20 a row at most) are far from the limits of
/// SQLite (32,766) and PostgreSQL (65,535).
const CHUNKS: [usize; 9] = [500, 200, 100, 50, 20, 10, 5, 2, 1];

/// Statements that the writing connection keeps prepared: the lists that batches are written in, each in every size.
const STATEMENTS: usize = 400;

/// Cuts `items` into pieces of [`CHUNKS`].
pub(crate) fn chunks<T>(mut items: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = *CHUNKS.iter().find(|size| **size <= items.len())?;
        let (head, tail) = items.split_at(size);
        items = tail;
        Some(head)
    })
}

/// `%text%` with the wildcards of LIKE made literal; to be used with `LIKE $n ESCAPE '!'`.
pub(crate) fn like_pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for ch in text.to_lowercase().chars() {
        if matches!(ch, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(ch);
    }
    pattern.push('%');
    pattern
}

/// A row of either engine.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

macro_rules! get {
    ($row:expr, $index:expr, $type:ty) => {
        match $row {
            Row::Sqlite(row) => row.try_get::<$type, _>($index),
            Row::Postgres(row) => row.try_get::<$type, _>($index),
        }
    };
}

impl Row {
    pub(crate) fn opt_i64(&self, index: usize) -> Result<Option<i64>, StoreError> {
        Ok(get!(self, index, Option<i64>)?)
    }

    pub(crate) fn i64(&self, index: usize) -> Result<i64, StoreError> {
        Ok(get!(self, index, i64)?)
    }

    /// A count; negative is corrupt.
    pub(crate) fn u64(&self, index: usize) -> Result<u64, StoreError> {
        let value = self.i64(index)?;
        u64::try_from(value).map_err(|_| StoreError::Corrupt(format!("column {index} is negative: {value}")))
    }

    /// A number from 0 to 255.
    pub(crate) fn u8(&self, index: usize) -> Result<u8, StoreError> {
        let value = self.i64(index)?;
        u8::try_from(value)
            .map_err(|_| StoreError::Corrupt(format!("column {index} is out of range: {value}")))
    }

    pub(crate) fn opt_f64(&self, index: usize) -> Result<Option<f64>, StoreError> {
        Ok(get!(self, index, Option<f64>)?)
    }

    pub(crate) fn text(&self, index: usize) -> Result<String, StoreError> {
        Ok(get!(self, index, String)?)
    }

    pub(crate) fn opt_text(&self, index: usize) -> Result<Option<String>, StoreError> {
        Ok(get!(self, index, Option<String>)?)
    }

    pub(crate) fn blob(&self, index: usize) -> Result<Vec<u8>, StoreError> {
        Ok(get!(self, index, Vec<u8>)?)
    }

    pub(crate) fn opt_blob(&self, index: usize) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(get!(self, index, Option<Vec<u8>>)?)
    }

    /// Microseconds as a time.
    pub(crate) fn time(&self, index: usize) -> Result<DateTime<Utc>, StoreError> {
        micros(self.i64(index)?)
    }

    pub(crate) fn opt_time(&self, index: usize) -> Result<Option<DateTime<Utc>>, StoreError> {
        self.opt_i64(index)?.map(micros).transpose()
    }

    /// A word or an id, by its `FromStr`.
    pub(crate) fn parse<T>(&self, index: usize) -> Result<T, StoreError>
    where
        T: std::str::FromStr,
        T::Err: std::fmt::Display,
    {
        self.text(index)?.parse().map_err(|error: T::Err| StoreError::Corrupt(error.to_string()))
    }

    /// JSON text as a value.
    pub(crate) fn json<T: serde::de::DeserializeOwned>(&self, index: usize) -> Result<T, StoreError> {
        serde_json::from_str(&self.text(index)?).map_err(|error| StoreError::Corrupt(error.to_string()))
    }
}

/// Microseconds since 1970 as a time.
pub(crate) fn micros(value: i64) -> Result<DateTime<Utc>, StoreError> {
    DateTime::from_timestamp_micros(value)
        .ok_or_else(|| StoreError::Corrupt(format!("time out of range: {value}")))
}

/// How long a look with two connections waits for whoever writes; then it is one with one.
const WRITER_PATIENCE: Duration = Duration::from_secs(2);

/// The connections.
#[derive(Debug, Clone)]
pub(crate) enum Db {
    /// One writer (a pool of one: waiting for it is waiting for the lock) and some readers.
    Sqlite { writer: SqlitePool, readers: SqlitePool, locked: Locked },
    /// A pool, and whether the server did not answer last.
    Postgres { pool: PgPool, away: Arc<AtomicBool> },
}

impl Db {
    pub(crate) async fn open_sqlite(options: SqliteConnectOptions) -> Result<Self, StoreError> {
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(Duration::from_secs(30))
            .after_release(|connection, _| Box::pin(keep_if_clean(connection)))
            // Large enough for the pages that a large batch changes, so that none is written twice.
            .connect_with(options.clone().pragma("cache_size", "-65536").statement_cache_capacity(STATEMENTS))
            .await?;
        // Readers only read, but must be able to write the shared-memory file beside the database.
        let readers = SqlitePoolOptions::new()
            .max_connections(6)
            .test_before_acquire(false)
            .acquire_timeout(Duration::from_secs(10))
            .after_release(|connection, _| Box::pin(keep_if_clean(connection)))
            .connect_lazy_with(options.create_if_missing(false).pragma("query_only", "ON"));
        Ok(Self::Sqlite { writer, readers, locked: Locked::default() })
    }

    /// A file that is looked at and not written to, nor anything beside it; nobody may write to it meanwhile.
    pub(crate) fn look_at_file(path: &std::path::Path) -> Self {
        let options = SqliteConnectOptions::new().filename(path).read_only(true).immutable(true);
        let pool = || SqlitePoolOptions::new().max_connections(2).connect_lazy_with(options.clone());
        Self::Sqlite { writer: pool(), readers: pool(), locked: Locked::default() }
    }

    pub(crate) async fn open_postgres(options: PgConnectOptions) -> Result<Self, StoreError> {
        // A pool tries again and again, and then says only that it waited: the first connection is made without one.
        away::first(&options).await?;
        let pool = PgPoolOptions::new()
            .max_connections(away::POOL_MAX)
            .acquire_timeout(away::BUSY_PATIENCE)
            // This asks the server too.
            .test_before_acquire(false)
            .before_acquire(|connection, _| Box::pin(away::is_of_use(connection)))
            .connect_lazy_with(options);
        Ok(Self::Postgres { pool, away: Arc::default() })
    }

    pub(crate) const fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite { .. } => Dialect::Sqlite,
            Self::Postgres { .. } => Dialect::Postgres,
        }
    }

    /// Begins a transaction that may write. SQLite: BEGIN IMMEDIATE on the one writer.
    pub(crate) async fn begin_write(&self) -> Result<Tx, StoreError> {
        match self {
            Self::Sqlite { writer, locked, .. } => Ok(Tx::Sqlite(locked.begin(writer).await?)),
            Self::Postgres { pool, away } => away::begin(pool, away, away::WRITE).await,
        }
    }

    /// Begins a transaction that reads one consistent state.
    pub(crate) async fn begin_read(&self) -> Result<Tx, StoreError> {
        match self {
            Self::Sqlite { readers, .. } => Ok(Tx::Sqlite(readers.begin().await?)),
            Self::Postgres { pool, away } => {
                away::begin(pool, away, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await
            }
        }
    }

    /// Begins transactions that read one and the same state: two with SQLite, which computes an answer on one core, where a
    /// second connection is free and the writer can be held for a moment; else one.
    pub(crate) async fn begin_reads(&self) -> Result<Vec<Tx>, StoreError> {
        let Self::Sqlite { writer, readers, .. } = self else { return Ok(vec![self.begin_read().await?]) };
        let mut looks = vec![readers.begin().await?];
        let writer = tokio::time::timeout(WRITER_PATIENCE, writer.begin_with("BEGIN IMMEDIATE")).await;
        // While it is held nobody writes, in this process or another one.
        if let Ok(Ok(held)) = writer {
            looks.extend(readers.try_begin().await?);
            for look in &mut looks {
                // A transaction sees what was there when it first read.
                sqlx::query("SELECT n FROM revision LIMIT 1").fetch_optional(&mut **look).await?;
            }
            held.rollback().await?;
        }
        Ok(looks.into_iter().map(Tx::Sqlite).collect())
    }

    /// Closes what was opened to look at a copy: nothing was written, so there is no log to fold.
    pub(crate) async fn end_look(&self) {
        match self {
            Self::Sqlite { writer, readers, .. } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres { pool, .. } => away::close(pool).await,
        }
    }

    /// Closes after the work at hand; SQLite's log is folded into the file.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers, .. } => {
                readers.close().await;
                if let Ok(mut connection) = writer.acquire().await {
                    if let Err(error) = Self::optimize(&mut connection).await {
                        tracing::debug!(%error, "could not make the statistics of the queries anew");
                    }
                    let folded =
                        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut *connection).await;
                    if let Err(error) = folded {
                        tracing::warn!(%error, "could not fold the write-ahead log into the database file");
                    }
                }
                writer.close().await;
            }
            Self::Postgres { pool, .. } => away::close(pool).await,
        }
    }
}

/// Keeps a connection that stands outside of any transaction, and has any other one closed and replaced.
///
/// SQLite ends a transaction by itself when the disk is full or fails. The rollback that follows finds none, so the
/// driver goes on counting one, and no transaction could begin on that connection any more.
async fn keep_if_clean(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    connection.ping().await?; // A rollback that a dropped transaction left is done before this answers.
    let stuck = connection.is_in_transaction();
    if stuck {
        tracing::debug!("a connection whose transaction could not be ended is replaced");
    }
    Ok(!stuck)
}

/// An open transaction; dropped without [`Tx::commit`] it is rolled back.
pub(crate) enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

macro_rules! with_args {
    ($database:ty, $sql:expr, $args:expr) => {{
        let mut query = match $sql {
            Cow::Borrowed(text) => sqlx::query::<$database>(text),
            Cow::Owned(text) => sqlx::query::<$database>(AssertSqlSafe(text)),
        };
        for arg in $args {
            query = match arg {
                Value::I64(value) => query.bind(value),
                Value::F64(value) => query.bind(value),
                Value::Text(value) => query.bind(value),
                Value::Blob(value) => query.bind(value),
            };
        }
        query
    }};
}

impl Tx {
    pub(crate) const fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Runs a statement; the number of rows that it changed.
    pub(crate) async fn execute(
        &mut self,
        sql: impl Into<Cow<'static, str>>,
        args: Vec<Value>,
    ) -> Result<u64, StoreError> {
        let sql = sql.into();
        Ok(match self {
            Self::Sqlite(tx) => with_args!(Sqlite, sql, args).execute(&mut **tx).await?.rows_affected(),
            Self::Postgres(tx) => with_args!(Postgres, sql, args).execute(&mut **tx).await?.rows_affected(),
        })
    }

    /// All rows of a query.
    pub(crate) async fn fetch(
        &mut self,
        sql: impl Into<Cow<'static, str>>,
        args: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        self.fetch_keeping(sql.into(), args, true).await
    }

    /// As [`Tx::fetch`]; `kept`: the statement is kept for the next time.
    async fn fetch_keeping(
        &mut self,
        sql: Cow<'static, str>,
        args: Vec<Value>,
        kept: bool,
    ) -> Result<Vec<Row>, StoreError> {
        Ok(match self {
            Self::Sqlite(tx) => {
                let rows = with_args!(Sqlite, sql, args).fetch_all(&mut **tx).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Self::Postgres(tx) => {
                let rows = with_args!(Postgres, sql, args).persistent(kept).fetch_all(&mut **tx).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// The first row of a query, if there is one.
    pub(crate) async fn fetch_optional(
        &mut self,
        sql: impl Into<Cow<'static, str>>,
        args: Vec<Value>,
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.fetch(sql, args).await?.into_iter().next())
    }

    /// The one row of a query that always has one.
    pub(crate) async fn fetch_one(
        &mut self,
        sql: impl Into<Cow<'static, str>>,
        args: Vec<Value>,
    ) -> Result<Row, StoreError> {
        self.fetch_optional(sql, args)
            .await?
            .ok_or_else(|| StoreError::Corrupt("a row that every database has is missing".to_owned()))
    }

    pub(crate) async fn execute_sql(&mut self, sql: Sql) -> Result<u64, StoreError> {
        self.execute(sql.text, sql.args).await
    }

    pub(crate) async fn fetch_sql(&mut self, sql: Sql) -> Result<Vec<Row>, StoreError> {
        self.fetch_keeping(sql.text.into(), sql.args, !sql.anew).await
    }

    /// Rows of `select_in` for all `items`: the text must end with ` IN `. Sent in few sizes of list.
    pub(crate) async fn fetch_in(
        &mut self,
        select_in: &str,
        items: &[Value],
    ) -> Result<Vec<Row>, StoreError> {
        let mut rows = Vec::new();
        for part in chunks(items) {
            let mut sql = Sql::list(select_in, self.dialect());
            sql.tuple(part.to_vec());
            rows.extend(self.fetch_sql(sql).await?);
        }
        Ok(rows)
    }

    /// Inserts rows with `insert` (up to and including `VALUES `) and `suffix`; returns what RETURNING gave.
    pub(crate) async fn insert_rows(
        &mut self,
        insert: &str,
        rows: &[Vec<Value>],
        suffix: &str,
    ) -> Result<Vec<Row>, StoreError> {
        let mut returned = Vec::new();
        for part in chunks(rows) {
            let mut sql = Sql::list(insert, self.dialect());
            sql.tuples(part.iter().cloned()).push(suffix);
            returned.extend(self.fetch_sql(sql).await?);
        }
        Ok(returned)
    }

    /// As [`Tx::insert_rows`] for rows that nobody needs afterwards; how many were written.
    pub(crate) async fn insert_all(
        &mut self,
        insert: &str,
        rows: Vec<Vec<Value>>,
        suffix: &str,
    ) -> Result<u64, StoreError> {
        let (mut rows, mut written) = (rows.into_iter(), 0);
        while let Some(size) = CHUNKS.into_iter().find(|size| *size <= rows.len()) {
            let mut sql = Sql::list(insert, self.dialect());
            sql.tuples(rows.by_ref().take(size)).push(suffix);
            written += self.execute_sql(sql).await?;
        }
        Ok(written)
    }

    /// Runs a migration file: several statements, nothing bound.
    pub(crate) async fn script(&mut self, text: &'static str) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx) => sqlx::raw_sql(text).execute(&mut **tx).await.map(drop)?,
            Self::Postgres(tx) => sqlx::raw_sql(text).execute(&mut **tx).await.map(drop)?,
        }
        Ok(())
    }

    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        self.commit_in(false).await
    }

    /// The same; whoever hurries waits only shortly for a server that has to make sure of it.
    pub(crate) async fn commit_in(self, hurries: bool) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx) => tx.commit().await?,
            Self::Postgres(tx) => away::commit(tx, hurries).await?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
