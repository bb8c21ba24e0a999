//! The report as CSV: RFC 4180, UTF-8, one header, every line of the same width, safe to open in a spreadsheet.

use std::borrow::Cow;
use std::io::Write;

use chrono::SecondsFormat;
use csv::{Terminator, WriterBuilder};
use watchpost_model::register::Proof;
use watchpost_model::report::ControlComment;
use watchpost_model::text::visible;

use crate::ReportError;
use crate::document::{ControlResult, Parameter, ReportDocument, State};

/// Longer cells are cut, marked by an ellipsis; the JSON has them whole. Spreadsheets hold 32,767 characters a cell.
const CELL_CHARS_MAX: usize = 32_000;

const HEAD: [&str; 10] =
    ["record", "control", "check", "title", "state", "population", "warnings", "exceptions", "detail", "row"];

/// The fixed part of a line; what is not named stays empty.
#[derive(Default)]
struct Line<'l> {
    record: &'l str,
    control: &'l str,
    check: &'l str,
    title: &'l str,
    state: &'l str,
    counts: Option<[u64; 3]>,
    detail: &'l str,
    row: Option<u64>,
    cells: &'l [String],
}

/// The report as CSV.
///
/// Shape: the columns `record, control, check, title, state, population, warnings, exceptions, detail, row` and then as
/// many `cell_n` as the widest table has. Records: `report` and `parameter` (`title` and `detail`), `control`, `check`,
/// `rule`, `question`, `remedy`, `attest` (in `detail`), `with` (a parameter of the question), `columns` (the names of the
/// table that follows), `evidence` (a row of it, counted from 1 in `row`), `sample-seed`, `sample-columns` and `sample` (a
/// drawn member, its place in the population in `row`), `proof`, `comment`, `gap`, `section`, `text`, `figure`, `table`, `cells`.
/// Cells that a spreadsheet would run as a formula get a leading apostrophe; control and bidirectional characters are
/// escaped.
///
/// # Errors
/// `Csv` or `Json`, neither for any document that [`crate::evaluate()`] makes.
pub fn render_csv(document: &ReportDocument) -> Result<Vec<u8>, ReportError> {
    let mut bytes = Vec::new();
    write_csv(document, &mut bytes)?;
    Ok(bytes)
}

/// As [`render_csv`], line by line into `out`: nothing but the line at hand is held.
///
/// # Errors
/// `Place` if `out` cannot take it, or as [`render_csv`].
pub fn write_csv(document: &ReportDocument, out: impl Write) -> Result<(), ReportError> {
    let n_cells = widest(document);
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(out);
    let head = HEAD.iter().map(ToString::to_string).chain((1..=n_cells).map(|n| format!("cell_{n}")));
    writer.write_record(head)?;
    let mut line = |line: Line<'_>| {
        let count = |index: usize| line.counts.map_or(String::new(), |counts| counts[index].to_string());
        let row = line.row.map_or(String::new(), |row| row.to_string());
        for cell in [line.record, line.control, line.check, line.title, line.state] {
            writer.write_field(&*safe_cell(cell))?;
        }
        for cell in [count(0), count(1), count(2)] {
            writer.write_field(cell)?;
        }
        writer.write_field(&*safe_cell(line.detail))?;
        writer.write_field(row)?;
        for cell in line.cells {
            writer.write_field(&*safe_cell(cell))?;
        }
        for _ in line.cells.len()..n_cells {
            writer.write_field("")?;
        }
        writer.write_record(None::<&[u8]>)
    };
    for (name, value) in facts(document)? {
        line(Line { record: "report", title: name, detail: &value, ..Line::default() })?;
    }
    for parameter in &document.parameters {
        let (title, detail) = (parameter.name.as_str(), parameter.value.as_str());
        line(Line { record: "parameter", title, detail, ..Line::default() })?;
    }
    for control in &document.controls {
        control_lines(control, &mut line)?;
    }
    for gap in &document.gaps {
        line(Line {
            record: "gap",
            control: &gap.control,
            state: document.state_of(gap).as_str(),
            title: &gap.lacks,
            detail: &gap.remedy,
            ..Line::default()
        })?;
    }
    for section in &document.sections {
        let title = section.title.as_str();
        line(Line { record: "section", title, ..Line::default() })?;
        for text in &section.text {
            line(Line { record: "text", title, detail: text, ..Line::default() })?;
        }
        for figure in &section.figures {
            let cells = std::slice::from_ref(&figure.value);
            line(Line { record: "figure", title, detail: &figure.name, cells, ..Line::default() })?;
        }
        if section.columns.is_empty() {
            continue;
        }
        line(Line {
            record: "table",
            title,
            detail: &section.caption,
            cells: &section.columns,
            ..Line::default()
        })?;
        for (index, cells) in section.rows.iter().enumerate() {
            line(Line { record: "cells", title, row: Some(index as u64 + 1), cells, ..Line::default() })?;
        }
    }
    for chart in crate::charts::tables(document) {
        let title = chart.title;
        line(Line {
            record: "table",
            title,
            detail: "numbers of the chart",
            cells: &chart.columns,
            ..Line::default()
        })?;
        for (index, cells) in chart.rows.iter().enumerate() {
            line(Line { record: "cells", title, row: Some(index as u64 + 1), cells, ..Line::default() })?;
        }
    }
    writer.flush().map_err(ReportError::Place)
}

fn widest(document: &ReportDocument) -> usize {
    let checks = document.controls.iter().flat_map(|control| &control.checks);
    let of_checks = checks.flat_map(|check| {
        let rows = check.rows.iter().chain(&check.sample.rows).map(Vec::len);
        rows.chain([check.columns.len(), check.sample.columns.len()])
    });
    let of_sections = document.sections.iter().flat_map(|section| {
        section
            .rows
            .iter()
            .map(Vec::len)
            .chain([section.columns.len(), usize::from(!section.figures.is_empty())])
    });
    let of_charts = crate::charts::tables(document).into_iter().map(|chart| chart.columns.len());
    let of_comments =
        document.controls.iter().flat_map(|control| &control.comments).map(|comment| comment.row.len());
    of_checks.chain(of_comments).chain(of_sections).chain(of_charts).max().unwrap_or(0)
}

fn control_lines(
    control: &ControlResult,
    line: &mut impl FnMut(Line<'_>) -> Result<(), csv::Error>,
) -> Result<(), csv::Error> {
    let id = control.id.as_str();
    line(Line {
        record: "control",
        control: id,
        title: &control.title,
        state: control.state.as_str(),
        counts: Some([control.population, control.warnings, control.exceptions]),
        detail: &control.reason,
        ..Line::default()
    })?;
    let attest = control.attest.as_deref().unwrap_or_default();
    for (record, text) in [("remedy", control.remedy.as_str()), ("attest", attest)] {
        if !text.is_empty() {
            line(Line { record, control: id, detail: text, ..Line::default() })?;
        }
    }
    for (index, found) in control.checks.iter().enumerate() {
        let number = (index + 1).to_string();
        let check = number.as_str();
        line(Line {
            record: "check",
            control: id,
            check,
            title: &found.what,
            state: found.state.map_or("", State::as_str),
            counts: Some([found.population, found.warnings, found.exceptions]),
            detail: &found.reason,
            ..Line::default()
        })?;
        let named =
            [("rule", "", found.rule.as_str()), ("question", found.query.as_str(), found.text.as_str())];
        for (record, title, detail) in named {
            line(Line { record, control: id, check, title, detail, ..Line::default() })?;
        }
        for Parameter { name, value } in &found.parameters {
            line(Line { record: "with", control: id, check, title: name, detail: value, ..Line::default() })?;
        }
        if !found.rows.is_empty() {
            let cells = &found.columns;
            line(Line {
                record: "columns",
                control: id,
                check,
                detail: &found.basis,
                cells,
                ..Line::default()
            })?;
        }
        for (index, cells) in found.rows.iter().enumerate() {
            let row = Some(index as u64 + 1);
            line(Line { record: "evidence", control: id, check, row, cells, ..Line::default() })?;
        }
        let sample = &found.sample;
        if sample.rows.is_empty() {
            continue;
        }
        line(Line { record: "sample-seed", control: id, check, detail: &sample.seed, ..Line::default() })?;
        line(Line {
            record: "sample-columns",
            control: id,
            check,
            cells: &sample.columns,
            ..Line::default()
        })?;
        for (position, cells) in sample.positions.iter().zip(&sample.rows) {
            line(Line {
                record: "sample",
                control: id,
                check,
                row: Some(*position),
                cells,
                ..Line::default()
            })?;
        }
    }
    for proof in &control.proofs {
        line(Line {
            record: "proof",
            control: id,
            title: &proof.owner,
            detail: &proof_words(proof),
            ..Line::default()
        })?;
    }
    for comment in &control.comments {
        line(Line {
            record: "comment",
            control: id,
            title: &comment.by,
            detail: &comment_words(comment),
            cells: &comment.row,
            ..Line::default()
        })?;
    }
    Ok(())
}

/// What somebody says about an exception, in one line: about what, by whom, when.
pub(crate) fn comment_words(comment: &ControlComment) -> String {
    let at = comment.at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let about: Vec<&str> =
        comment.row.iter().filter(|cell| !cell.is_empty()).take(3).map(String::as_str).collect();
    let about = if about.is_empty() { String::new() } else { format!(" on {}", about.join(" / ")) };
    format!("{} ({}, {at}{about})", comment.text, comment.by)
}

/// What somebody gave for a control, in one line.
pub(crate) fn proof_words(proof: &Proof) -> String {
    let day = |at: chrono::DateTime<chrono::Utc>| at.format("%Y-%m-%d").to_string();
    let mut words = format!(
        "{} Given by {} on {}, owner {}, counts until {}.",
        proof.statement,
        proof.given_by,
        day(proof.given_at),
        proof.owner,
        day(proof.expires_at)
    );
    if let Some(file) = &proof.file {
        words = format!("{words} File {}, {} bytes, SHA-256 {}.", file.name, file.bytes, file.sha256);
    }
    words
}

/// The scope, name by name. Also what the other formats list.
pub(crate) fn facts(document: &ReportDocument) -> Result<Vec<(&'static str, String)>, ReportError> {
    let scope = &document.scope;
    let time = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let mut facts = vec![
        ("report", document.title.clone()),
        ("framework", format!("{} ({})", document.framework.name, document.framework.id)),
        ("edition", document.framework.version.clone()),
        ("organisation", scope.organisation.clone()),
        ("workspace", scope.workspace.clone()),
        ("from (included)", time(scope.period.from)),
        ("to (excluded)", time(scope.period.to)),
        ("generated at", time(scope.generated_at)),
        ("generator", scope.generator.clone()),
        ("sources", scope.sources.join("; ")),
        ("earlier reports of this period", scope.earlier.to_string()),
    ];
    if scope.period.to > scope.generated_at {
        facts.insert(7, ("period", format!("not over; up to {}", time(scope.generated_at))));
    }
    facts.extend(document.standing.facts(&scope.generated_by));
    facts.push(("audit log", scope.log.id.clone()));
    facts.push(("audit log size", scope.log.size.to_string()));
    facts.push(("audit log root", scope.log.root.clone()));
    facts.push(("report sha256", document.sha256()?));
    Ok(facts)
}

/// Escapes what hides and disarms what a spreadsheet would run: a cell whose first visible character is one of
/// `= + - @`, their full-width forms, or that began with a tab or a carriage return.
pub(crate) fn safe_cell(text: &str) -> Cow<'_, str> {
    disarmed(text, CELL_CHARS_MAX)
}

/// The same, whole.
pub(crate) fn whole_cell(text: &str) -> Cow<'_, str> {
    disarmed(text, usize::MAX)
}

fn disarmed(text: &str, max_chars: usize) -> Cow<'_, str> {
    let plain = text.len() <= max_chars && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if plain && !text.trim_start().starts_with(['=', '+', '-', '@']) {
        return Cow::Borrowed(text);
    }
    let shown = visible(text, max_chars);
    let starts_control = text.starts_with(['\t', '\r', '\n']);
    let first = text.trim_start().chars().next();
    let formula = first.is_some_and(|ch| matches!(ch, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠'));
    Cow::Owned(if formula || starts_control { format!("'{shown}") } else { shown })
}
