//! Looking for somebody everywhere: in every column that can hold text, in what is sealed, in the file.

use std::collections::BTreeSet;
use std::path::Path;

use watchpost_model::job::JobRun;
use watchpost_model::privacy::{Residue, ResidueState, Subject};
use watchpost_model::report::ReportRecord;

use super::pattern;
use super::places::{CHANGED, REMOVED, TOLD};
use crate::audit::page::{COLUMNS, stored_payload};
use crate::audit::seal::Payload;
use crate::engine::{Tx, args};
use crate::error::StoreError;
use crate::event_text;
use crate::store::Store;

/// Rows of one column that are read at most; more are told as "at least".
const ROWS_MAX: usize = 20_000;
/// Records read at once.
const PAGE: i64 = 2_000;

/// What a look at the tables found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    /// Places where the name stands; none if it stands nowhere.
    pub found: Vec<Residue>,
    /// Columns that were looked at.
    pub columns: usize,
    /// Sealed records that were opened.
    pub opened: u64,
    /// Rows that hold the letters of the name, also within other words.
    pub letters: u64,
}

/// Files and databases that somebody wrote, as far as rows tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownFiles {
    /// Their paths.
    pub files: BTreeSet<String>,
    /// Names of databases of the server that the trail says were made of copies.
    pub databases: BTreeSet<String>,
    /// Rows that cannot be read: what they say of files is not known. They keep nobody from being erased.
    pub unread: Vec<String>,
}

/// The files that a sealed record says were written.
pub(super) fn files_in(bytes: &[u8]) -> Vec<String> {
    let Ok(payload) = serde_json::from_slice::<Payload>(bytes) else { return Vec::new() };
    let object = payload.object.strip_prefix("file/").or(payload.object.strip_prefix("folder/"));
    let named = payload.changes.iter().filter_map(|change| {
        let is_file = change.field == "file" || change.field.starts_with("file.");
        let text = change.new.as_str().filter(|_| is_file)?;
        // `<sha-256> <path>`, or the path alone.
        let path = text.split_once(' ').filter(|(hash, _)| hash.len() == 64).map(|(_, path)| path);
        Some(path.unwrap_or(text).to_owned())
    });
    object.map(str::to_owned).into_iter().chain(named).collect()
}

impl Store {
    /// Looks for somebody in every table.
    ///
    /// # Errors
    /// What the database says.
    pub async fn privacy_scan(&self, subject: &Subject) -> Result<Look, StoreError> {
        self.privacy_scan_told(subject, &|_, _, _| ()).await
    }

    /// The same; `told` hears what is looked at, how much of it is done, and how much there is.
    ///
    /// # Errors
    /// What the database says.
    pub async fn privacy_scan_told(
        &self,
        subject: &Subject,
        told: &(dyn Fn(&str, u64, u64) + Send + Sync),
    ) -> Result<Look, StoreError> {
        let mut tx = self.read().await?;
        let mut look = Look::default();
        let sql = tx.dialect().text_columns();
        let columns = tx.fetch(sql, args![]).await?;
        for row in &columns {
            let (table, column) = (row.text(0)?, row.text(1)?);
            told("looking through the tables", look.columns as u64, columns.len() as u64);
            look.columns += 1;
            self::column(&mut tx, subject, &table, &column, &mut look).await?;
        }
        if let Some(key) = subject.key() {
            for (table, column) in
                [("event", "source_key"), ("source_place", "source_key"), ("incident", "entity_ip")]
            {
                let sql = format!("SELECT COUNT(*) FROM {table} WHERE {column} = $1");
                let n = tx.fetch_one(sql, args![key.to_vec()]).await?.u64(0)?;
                if n > 0 {
                    look.found.push(Residue::new(
                        format!("{table}.{column}"),
                        ResidueState::Found,
                        n,
                        detail(table, column),
                    ));
                }
            }
        }
        let forms = subject.forms();
        let mut n = 0;
        for row in tx.fetch("SELECT body FROM engine_state", args![]).await? {
            n += count_in(&row.blob(0)?, &forms);
        }
        if n > 0 {
            let what = "what the detectors remember; it is forgotten as a whole";
            look.found.push(Residue::new("engine_state.body", ResidueState::Found, n, what));
        }
        let n = event_text::left_of(&mut tx, &subject.value).await?;
        if n > 0 {
            let what = "letters of it in the index of events, of events that are gone; an erasure makes the index anew";
            look.found.push(Residue::new("event_text", ResidueState::Found, n, what));
        }
        sealed(&mut tx, subject, &mut look, told).await?;
        let n = crate::sealed::naming(&mut tx, subject).await?.len() as u64;
        if n > 0 {
            let detail = "events that name it in what is sealed of them, which an erasure removes";
            look.found.push(Residue::new("sealed_field.sealed", ResidueState::Found, n, detail));
        }
        Ok(look)
    }

    /// Files that reports and jobs say were written, and databases that copies were put back into. What the trail says of
    /// files is answered by [`Store::privacy_erase`], which reads all of it anyway.
    ///
    /// # Errors
    /// What the database says.
    pub async fn files_known(&self) -> Result<KnownFiles, StoreError> {
        let mut tx = self.read().await?;
        let mut known = KnownFiles::default();
        for row in tx.fetch("SELECT id, body FROM report ORDER BY id", args![]).await? {
            match row.json::<ReportRecord>(1) {
                Ok(report) => known.files.extend(report.files.into_iter().map(|file| file.path)),
                Err(_) => known.unread.push(format!("report {}", row.text(0)?)),
            }
        }
        let sql = "SELECT id, body FROM job_run WHERE body LIKE '%\"file\"%' ORDER BY id";
        for row in tx.fetch(sql, args![]).await? {
            match row.json::<JobRun>(1) {
                Ok(run) => {
                    let facts = run.report.into_iter().flat_map(|report| report.facts);
                    known.files.extend(facts.filter(|fact| fact.name == "file").map(|fact| fact.text));
                }
                Err(_) => known.unread.push(format!("job run {}", row.text(0)?)),
            }
        }
        let sql = "SELECT DISTINCT object FROM audit_record \
                   WHERE action = 'database_restore' AND object LIKE 'database/%' ORDER BY object";
        for row in tx.fetch(sql, args![]).await? {
            known.databases.extend(row.text(0)?.strip_prefix("database/").map(str::to_owned));
        }
        Ok(known)
    }

    /// The file of the database, if it is one.
    #[must_use]
    pub fn own_file(&self) -> Option<&Path> {
        self.inner.file.as_deref()
    }
}

async fn column(
    tx: &mut Tx,
    subject: &Subject,
    table: &str,
    column: &str,
    look: &mut Look,
) -> Result<(), StoreError> {
    let quoted = format!("\"{column}\"");
    let sql = format!("SELECT {quoted} FROM {table} WHERE LOWER({quoted}) LIKE $1 ESCAPE '!' LIMIT $2");
    let rows = tx.fetch(sql, args![pattern(subject), i64::try_from(ROWS_MAX).unwrap_or(i64::MAX)]).await?;
    look.letters += rows.len() as u64;
    let mut n = 0;
    for row in &rows {
        n += u64::from(subject.is_in(&row.text(0)?));
    }
    if n > 0 {
        let more = if rows.len() == ROWS_MAX { "at least; " } else { "" };
        let detail = format!("{more}{}", detail(table, column));
        look.found.push(Residue::new(format!("{table}.{column}"), ResidueState::Found, n, detail));
    }
    Ok(())
}

/// What becomes of a name in this column, for people.
fn detail(table: &str, column: &str) -> &'static str {
    if let Some((.., told)) = TOLD.iter().find(|(t, c, _)| (*t, *c) == (table, column)) {
        return told;
    }
    let is = |list: &[(&str, &[&str])]| list.iter().any(|(t, c)| *t == table && c.contains(&column));
    if matches!(table, "event" | "evidence" | "source_place" | "busy_name") || is(REMOVED) {
        "rows about it, which an erasure removes"
    } else if table.starts_with("audit_") {
        "records of the trail, whose content an erasure removes; their leaves stay"
    } else if is(CHANGED) || matches!(table, "incident" | "suppression") {
        "rows that name it, in which an erasure puts a pseudonym"
    } else {
        "no erasure looks here: tell the makers of Watchpost"
    }
}

async fn sealed(
    tx: &mut Tx,
    subject: &Subject,
    look: &mut Look,
    told: &(dyn Fn(&str, u64, u64) + Send + Sync),
) -> Result<(), StoreError> {
    let newest = tx.fetch_one("SELECT MAX(seq) FROM audit_leaf", args![]).await?.opt_i64(0)?;
    let total = newest.map_or(0, |newest| newest.saturating_add(1)).max(0).unsigned_abs();
    let (mut at, mut n) = (-1, 0);
    loop {
        let sql = format!("{COLUMNS} WHERE l.seq > $1 ORDER BY l.seq LIMIT $2");
        let page = tx.fetch(sql, args![at, PAGE]).await?;
        let Some(last) = page.last() else { break };
        at = last.i64(0)?;
        told("opening what is sealed", at.saturating_add(1).max(0).unsigned_abs(), total);
        for row in &page {
            let Some(stored) = stored_payload(row)? else { continue };
            let Some(bytes) = stored.key.and_then(|key| key.open_bytes(&stored.sealed)) else { continue };
            look.opened += 1;
            n += u64::from(subject.is_in(&String::from_utf8_lossy(&bytes)));
        }
    }
    if n > 0 {
        let detail = detail("audit_payload", "sealed");
        look.found.push(Residue::new("audit_payload.sealed", ResidueState::Found, n, detail));
    }
    Ok(())
}

/// How often one of `forms` stands in `bytes`, letters in any case.
fn count_in(bytes: &[u8], forms: &[Vec<u8>]) -> u64 {
    let count = |form: &Vec<u8>| {
        let is_at = |window: &&[u8]| window.eq_ignore_ascii_case(form);
        if form.is_empty() { 0 } else { bytes.windows(form.len()).filter(is_at).count() as u64 }
    };
    forms.iter().map(count).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::count_in;

    #[test]
    fn letters_are_counted_in_any_case_and_each_place_once() {
        let forms = vec![b"anna".to_vec(), b"Anna".to_vec()];
        assert_eq!(count_in(b"xANNAanna joanna", &forms), 3);
        assert_eq!(count_in(b"ann", &forms), 0);
        assert_eq!(count_in(b"", &forms), 0);
    }
}
