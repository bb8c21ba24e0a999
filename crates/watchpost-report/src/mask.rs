//! The one door through which rows become cells of a report: no card number and no secret passes it whole.

use watchpost_model::register::Proof;
use watchpost_model::sensitive::{masked, promises};

use crate::document::{Scope, Section};

/// Masks the cells of a table; a cell is looked at as the value of its column.
pub(crate) fn mask_rows(columns: &[String], rows: &mut [Vec<String>]) {
    let telling = |name: &String| if promises(name) { name.clone() } else { String::new() };
    let names: Vec<String> = columns.iter().map(telling).collect();
    for row in rows {
        for (name, cell) in names.iter().zip(row) {
            mask_text(name, cell);
        }
    }
}

/// Masks everything that a part of a report prints.
pub(crate) fn mask_section(section: &mut Section) {
    mask_rows(&section.columns, &mut section.rows);
    for figure in &mut section.figures {
        mask_text(&figure.name, &mut figure.value);
        mask_text("", &mut figure.name);
    }
    mask_text("", &mut section.title);
    mask_text("", &mut section.caption);
    for text in &mut section.text {
        mask_text("", text);
    }
}

/// What a report covers, without what the name of its organisation should not hold.
pub(crate) fn shown_scope(mut scope: Scope) -> Scope {
    mask_text("", &mut scope.organisation);
    scope
}

/// Masks what a person gave for a control: what they say, who answers for it, and what they called the file.
pub(crate) fn mask_proof(proof: &mut Proof) {
    mask_text("", &mut proof.statement);
    mask_text("", &mut proof.owner);
    if let Some(file) = &mut proof.file {
        mask_text("", &mut file.name);
    }
}

/// Masks one text, the value of `name`.
pub(crate) fn mask_text(name: &str, text: &mut String) {
    if let Some(masked) = masked(name, text) {
        *text = masked;
    }
}
