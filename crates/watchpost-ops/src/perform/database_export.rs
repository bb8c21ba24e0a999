//! The tables of the audit database in files that anybody reads: JSON lines and CSV, of one moment.

use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use watchpost_model::audit::Change;
use watchpost_report::{ReportError, TableWriter, WriteError};
use watchpost_store::{Cell, ExportTable, Store};

use super::at_this_machine;
use super::audit_export::{Out, cannot, new_folder, part_of, whole};
use crate::contract::{DatabaseExport, DatabaseExported, ExportedTable, LeftOutTable};
use crate::door::Context;
use crate::error::{ErrorCode, OpError};
use crate::making::Making;

/// Rows read at once.
const PAGE: u32 = 1_000;

pub(crate) async fn database_export(
    cx: Context,
    request: DatabaseExport,
) -> Result<DatabaseExported, OpError> {
    at_this_machine(&cx)?;
    let workspace = cx.workspace()?;
    let folder = new_folder(&request.directory)?;
    let making = cx.console.0.makings.begin(request.ticket)?;
    let part = part_of(&folder)?;
    // What the tables hold is nobody else's to read.
    let made = std::fs::DirBuilder::new().mode(0o700).create(&part);
    made.map_err(|error| cannot(&part, &error))?;
    let mut result = write(workspace.store(), &part, &making).await;
    if let Ok(exported) = &mut result {
        exported.directory = folder.display().to_string();
        let fact = |name: &str, value: Value| Change::new(name, Value::Null, value);
        let rows: u64 = exported.tables.iter().map(|table| table.rows).sum();
        let changes = vec![
            fact("tables", exported.tables.len().into()),
            fact("rows", rows.into()),
            fact("sha256", exported.sha256.clone().into()),
        ];
        // The record first: what cannot be recorded is not done.
        let record = cx.record(format!("folder/{}", exported.directory), changes, None);
        if let Err(error) = workspace.store().audit_append(record).await {
            result = Err(error.into());
        } else if let Err(error) = std::fs::rename(&part, &folder) {
            result = Err(cannot(&folder, &error));
        }
    }
    if result.is_err() {
        // Nothing is left of an export that failed or was stopped.
        drop(std::fs::remove_dir_all(&part));
    }
    result
}

async fn write(store: &Store, folder: &Path, making: &Making) -> Result<DatabaseExported, OpError> {
    let look = store.snapshot().await?;
    let found = look.export_tables().await?;
    let (mut tables, mut sums) = (Vec::with_capacity(found.tables.len()), Vec::new());
    for (done, table) in found.tables.iter().enumerate() {
        let (mut lines, mut cells) = (
            Out::new(folder, &format!("{}.jsonl", table.name))?,
            Out::new(folder, &format!("{}.csv", table.name))?,
        );
        let progress = (done as u64, found.tables.len() as u64);
        let rows = write_table(&look, table, &mut lines, &mut cells, (making, progress)).await?;
        sums.extend([lines.close()?, cells.close()?]);
        tables.push(ExportedTable { name: table.name.clone(), rows });
    }
    let left_out: Vec<LeftOutTable> =
        found.left_out.into_iter().map(|(name, why)| LeftOutTable { name, why }).collect();
    let told: Vec<String> = left_out.iter().map(|one| format!("{}: {}\n", one.name, one.why)).collect();
    sums.push(whole(folder, "LEFT_OUT", told.concat())?);
    let sums = sums.concat();
    whole(folder, "SHA256SUMS", &sums)?;
    Ok(DatabaseExported {
        directory: String::new(),
        tables,
        left_out,
        sha256: hex::encode(Sha256::digest(sums.as_bytes())),
    })
}

async fn write_table(
    look: &Store,
    table: &ExportTable,
    lines: &mut Out,
    cells: &mut Out,
    (making, (done, total)): (&Making, (u64, u64)),
) -> Result<u64, OpError> {
    let path = cells.path().to_owned();
    let unwritten = |error: ReportError| match error {
        ReportError::Place(source) => cannot(&path, &source),
        other => OpError::internal(format!("cannot write the table {}: {other}", table.name)),
    };
    let names: Vec<&str> = table.columns.iter().map(String::as_str).collect();
    let mut csv = TableWriter::new(cells, &names).map_err(unwritten)?;
    let (mut n, mut last) = (0_u64, None::<Vec<Cell>>);
    loop {
        if !making.go_on(&format!("exporting {}", table.name), done, total) {
            return Err(OpError::new(ErrorCode::Cancelled, "the export was stopped; nothing is left of it"));
        }
        let page = look.export_rows(table, last.as_deref(), PAGE).await?;
        for row in &page {
            lines.line(&json_of(table, row))?;
            let texts: Vec<String> = row.iter().map(text_of).collect();
            csv.row(texts.iter().map(String::as_str)).map_err(unwritten)?;
        }
        n += page.len() as u64;
        last = match page.into_iter().next_back() {
            Some(row) => Some(row),
            None => break,
        };
    }
    csv.finish().map_err(|error| match error {
        WriteError::Full { source, .. } | WriteError::Io { source, .. } => cannot(&path, &source),
        other => cannot(&path, &std::io::Error::other(other)),
    })?;
    Ok(n)
}

/// A row in one line of JSON; bytes as hexadecimal digits.
fn json_of(table: &ExportTable, row: &[Cell]) -> String {
    let value = |cell: &Cell| match cell {
        Cell::Null => Value::Null,
        Cell::Whole(n) => Value::from(*n),
        Cell::Real(x) => Value::from(*x),
        Cell::Text(text) => Value::from(text.as_str()),
        Cell::Bytes(bytes) => Value::from(hex::encode(bytes)),
    };
    let members = table.columns.iter().cloned().zip(row.iter().map(value));
    Value::Object(members.collect::<Map<String, Value>>()).to_string()
}

fn text_of(cell: &Cell) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Whole(n) => n.to_string(),
        Cell::Real(x) => x.to_string(),
        Cell::Text(text) => text.clone(),
        Cell::Bytes(bytes) => hex::encode(bytes),
    }
}
