//! The tables as they are, row by row, for somebody who reads them without Watchpost. Keys and what they seal stay here.

use crate::engine::{Row, Sql, Value, args};
use crate::error::StoreError;
use crate::store::Store;

/// What is exported. A table that is in neither list is not: whoever adds one says what it is.
const EXPORTED: &[&str] = &[
    "allow_entry",
    "approval",
    "audit_checkpoint",
    "audit_cosignature",
    "audit_head",
    "audit_leaf",
    "audit_name",
    "audit_record",
    "audit_timestamp",
    "block",
    "bulk_action",
    "bulk_item",
    "containment",
    "control_comment",
    "counter",
    "entity_risk",
    "entity_risk_part",
    "erasure",
    "event",
    "evidence",
    "finding",
    "health_sample",
    "incident",
    "incident_entity",
    "incident_event",
    "incident_link",
    "incident_note",
    "incident_pause",
    "incident_risk",
    "incident_span",
    "incident_step",
    "incident_tag",
    "incident_timeline",
    "job_position",
    "job_run",
    "legal_hold",
    "lost_event",
    "outbox",
    "person",
    "proof",
    "register_entry",
    "register_field",
    "report",
    "report_content",
    "report_schedule",
    "response_action",
    "rollup",
    "schema_version",
    "setting",
    "source_place",
    "suppressed_finding",
    "suppression",
    "threat_list",
    "threat_part",
];

/// What is left out, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("audit_payload", "sealed; `watchpost audit export` writes what people may read of it"),
    ("busy_due", "which sums of events by name are made anew"),
    ("busy_name", "sums of events by name, made from them"),
    ("engine_state", "what the detectors remember, in a form of this version only"),
    ("event_text", "an index of events, made from them"),
    ("event_text_config", "an index of events, made from them"),
    ("event_text_data", "an index of events, made from them"),
    ("event_text_idx", "an index of events, made from them"),
    ("event_text_mark", "how far the index of events has come"),
    ("lease", "who works at this moment"),
    ("revision", "counters of what changed"),
    ("rollup_hour", "counts by the hour, made from those by five minutes"),
    ("sealed_field", "sealed; `watchpost event reveal` shows one value, with a reason"),
    ("sealing_key", "the key that opens sealed fields"),
    ("subject_key", "the keys that open sealed records"),
];

/// As [`LEFT_OUT`], of what PostgreSQL alone has.
const LEFT_OUT_OF_POSTGRES: &[(&str, &str)] = &[("event_id", "the ids of events, which stand in them")];

/// Columns that are left out of tables that are exported.
const LEFT_OUT_OF: &[(&str, &str, &str)] =
    &[("erasure", "mark", "whoever has it can confirm a guess at an erased name")];

/// Is this a table of Watchpost? Others may lie beside them in a schema.
pub(crate) fn is_own(table: &str) -> bool {
    EXPORTED.contains(&table) || LEFT_OUT.iter().chain(LEFT_OUT_OF_POSTGRES).any(|(name, _)| *name == table)
}

/// How a column is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Whole,
    Real,
    Text,
    Bytes,
}

impl Kind {
    fn of(declared: &str) -> Self {
        let declared = declared.to_uppercase();
        if declared.contains("INT") {
            Self::Whole
        } else if declared.contains("REAL") || declared.contains("DOUBLE") {
            Self::Real
        } else if declared.contains("BLOB") || declared.contains("BYTEA") {
            Self::Bytes
        } else {
            Self::Text
        }
    }
}

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// None.
    Null,
    /// A whole number; of times the microseconds since 1970, UTC.
    Whole(i64),
    /// Another number.
    Real(f64),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Cell {
    fn value(&self) -> Value {
        match self {
            Self::Null => Value::Text(None),
            Self::Whole(n) => Value::I64(Some(*n)),
            Self::Real(x) => Value::F64(Some(*x)),
            Self::Text(text) => Value::Text(Some(text.clone())),
            Self::Bytes(bytes) => Value::Blob(Some(bytes.clone())),
        }
    }
}

/// A table that is exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportTable {
    /// Its name.
    pub name: String,
    /// Its columns, in their order.
    pub columns: Vec<String>,
    kinds: Vec<Kind>,
    /// The columns of its key, by their place, in the order of the key.
    key: Vec<usize>,
}

/// The tables of a database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExportTables {
    /// Those that are exported.
    pub tables: Vec<ExportTable>,
    /// Tables, or columns of tables, that are not, and why.
    pub left_out: Vec<(String, String)>,
}

impl Store {
    /// Which tables are exported, and which are not. Ask a [`Store::snapshot`]: then rows fit each other.
    ///
    /// # Errors
    /// What the database says.
    pub async fn export_tables(&self) -> Result<ExportTables, StoreError> {
        let mut tx = self.read().await?;
        let sql = tx.dialect().columns();
        let rows = tx.fetch(sql, args![]).await?;
        drop(tx);
        let mut found = ExportTables::default();
        let mut at = 0;
        while let Some(first) = rows.get(at) {
            let name = first.text(0)?;
            let mut columns = Vec::new();
            while let Some(row) = rows.get(at) {
                if row.text(0)? != name {
                    break;
                }
                columns.push(row);
                at += 1;
            }
            match LEFT_OUT.iter().chain(LEFT_OUT_OF_POSTGRES).find(|(table, _)| *table == name) {
                Some((_, why)) => found.left_out.push((name, (*why).to_owned())),
                None if !EXPORTED.contains(&name.as_str()) => {
                    found.left_out.push((name, "this version does not know it".to_owned()));
                }
                None => found.add(name, &columns)?,
            }
        }
        Ok(found)
    }

    /// The next rows of a table, in the order of its key, after the row `after`; at most `limit`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn export_rows(
        &self,
        table: &ExportTable,
        after: Option<&[Cell]>,
        limit: u32,
    ) -> Result<Vec<Vec<Cell>>, StoreError> {
        let read = |(name, kind): (&String, &Kind)| match kind {
            Kind::Whole => format!("CAST(\"{name}\" AS BIGINT)"),
            Kind::Real => format!("CAST(\"{name}\" AS DOUBLE PRECISION)"),
            Kind::Text => format!("CAST(\"{name}\" AS TEXT)"),
            Kind::Bytes => format!("\"{name}\""),
        };
        let columns: Vec<String> = table.columns.iter().zip(&table.kinds).map(read).collect();
        let key: Vec<String> = table
            .key
            .iter()
            .filter_map(|place| table.columns.get(*place))
            .map(|name| format!("\"{name}\""))
            .collect();
        let key = key.join(", ");
        let mut sql = Sql::new(&format!("SELECT {} FROM \"{}\"", columns.join(", "), table.name));
        if let Some(last) = after {
            let values = table.key.iter().filter_map(|place| last.get(*place)).map(Cell::value).collect();
            sql.push(&format!(" WHERE ({key}) > ")).tuple(values);
        }
        sql.push(&format!(" ORDER BY {key} LIMIT ")).bind(i64::from(limit));
        let mut tx = self.read().await?;
        tx.fetch_sql(sql).await?.iter().map(|row| cells(row, &table.kinds)).collect()
    }
}

impl ExportTables {
    /// Adds a table by the rows that tell of its columns: table, column, type, place in the key.
    fn add(&mut self, name: String, rows: &[&Row]) -> Result<(), StoreError> {
        let mut table = ExportTable { name, columns: Vec::new(), kinds: Vec::new(), key: Vec::new() };
        let mut key = Vec::new();
        for row in rows {
            let (column, kind, place) = (row.text(1)?, Kind::of(&row.text(2)?), row.i64(3)?);
            let hidden = LEFT_OUT_OF.iter().find(|(of, hidden, _)| *of == table.name && *hidden == column);
            if let Some((_, _, why)) = hidden {
                self.left_out.push((format!("{}.{column}", table.name), (*why).to_owned()));
                continue;
            }
            if place > 0 {
                key.push((place, table.columns.len()));
            }
            table.columns.push(column);
            table.kinds.push(kind);
        }
        key.sort_unstable();
        table.key = key.into_iter().map(|(_, column)| column).collect();
        if table.key.is_empty() {
            self.left_out.push((table.name, "it has no key by which its rows can be told".to_owned()));
        } else {
            self.tables.push(table);
        }
        Ok(())
    }
}

fn cells(row: &Row, kinds: &[Kind]) -> Result<Vec<Cell>, StoreError> {
    let cell = |(index, kind): (usize, &Kind)| {
        Ok::<_, StoreError>(
            match kind {
                Kind::Whole => row.opt_i64(index)?.map(Cell::Whole),
                Kind::Real => row.opt_f64(index)?.map(Cell::Real),
                Kind::Text => row.opt_text(index)?.map(Cell::Text),
                Kind::Bytes => row.opt_blob(index)?.map(Cell::Bytes),
            }
            .unwrap_or(Cell::Null),
        )
    };
    kinds.iter().enumerate().map(cell).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use watchpost_model::clock::SystemClock;

    use super::{EXPORTED, LEFT_OUT};
    use crate::store::Store;
    use crate::target::DatabaseTarget;

    /// A table that nobody thought of would be missing in an export: whoever adds one says here what it is.
    #[tokio::test]
    async fn every_table_is_thought_of() {
        let folder = tempfile::tempdir().unwrap();
        let target = DatabaseTarget::Sqlite { path: folder.path().join("watchpost.db") };
        let store = Store::open(&target, Arc::new(SystemClock)).await.unwrap();
        let found = store.export_tables().await.unwrap();
        let names: Vec<&str> = found.tables.iter().map(|table| table.name.as_str()).collect();
        assert_eq!(names, EXPORTED, "tables that are exported, in their order");
        let left_out: Vec<&str> =
            found.left_out.iter().map(|(name, _)| name.as_str()).filter(|name| !name.contains('.')).collect();
        assert_eq!(left_out, LEFT_OUT.iter().map(|(name, _)| *name).collect::<Vec<_>>());
        store.close().await;
    }
}
