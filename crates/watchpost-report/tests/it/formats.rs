use csv::ReaderBuilder;
use watchpost_report::{ReportDocument, render_csv, render_json, render_markdown, render_pdf};

use crate::common::{HOSTILE, document, hostile_document, long_document};

fn hidden(ch: char) -> bool {
    (ch.is_control() && ch != '\n') || watchpost_model::text::is_invisible(ch)
}

fn records(document: &ReportDocument) -> Vec<csv::StringRecord> {
    let bytes = render_csv(document).expect("CSV");
    let mut reader = ReaderBuilder::new().has_headers(false).from_reader(bytes.as_slice());
    reader.records().map(|record| record.expect("RFC 4180, every line as wide as the first")).collect()
}

#[test]
fn json_is_canonical_and_is_the_document() {
    for document in [document(), hostile_document()] {
        let text = render_json(&document).expect("JSON");
        let back: ReportDocument = serde_json::from_str(&text).expect("its own JSON");
        assert_eq!(back, document, "nothing is lost");
        assert!(
            text.starts_with("{\"charts\":{\"authentication\":{\"bucket_s\":86400,"),
            "keys are sorted: {text:.80}"
        );
    }
}

#[test]
fn the_digest_is_of_the_json_and_stands_in_the_other_formats() {
    use sha2::Digest;
    let document = document();
    let digest = hex::encode(sha2::Sha256::digest(render_json(&document).expect("JSON")));
    assert_eq!(document.sha256().expect("digest"), digest, "sha256sum of the file says the same");
    let csv = String::from_utf8(render_csv(&document).expect("CSV")).expect("UTF-8");
    assert!(csv.contains(&digest), "in the CSV");
    assert!(render_markdown(&document).expect("Markdown").contains(&digest), "in the Markdown");
}

#[test]
fn the_same_document_gives_the_same_bytes() {
    for document in [document(), hostile_document(), long_document(300)] {
        assert_eq!(
            render_json(&document).expect("JSON"),
            render_json(&document.clone()).expect("JSON"),
            "JSON"
        );
        assert_eq!(render_csv(&document).expect("CSV"), render_csv(&document.clone()).expect("CSV"), "CSV");
        assert_eq!(
            render_markdown(&document).expect("MD"),
            render_markdown(&document.clone()).expect("MD"),
            "MD"
        );
        assert!(render_pdf(&document).expect("PDF") == render_pdf(&document.clone()).expect("PDF"), "PDF");
    }
}

#[test]
fn csv_cells_cannot_become_formulas() {
    let mut document = document();
    for (cell, expect) in [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\\t=1"),
        ("\r=1", "'\\r=1"),
        ("  =1", "'  =1"),
        ("＝1", "'＝1"),
        ("a=1", "a=1"),
        ("two\nlines, \"quoted\"", "two\\nlines, \"quoted\""),
        ("a\u{202e}b", "a\\u{202e}b"),
        ("", ""),
    ] {
        document.controls[0].columns = vec!["c".to_owned()];
        document.controls[0].rows = vec![vec![cell.to_owned()]];
        let records = records(&document);
        let row = records.iter().find(|record| &record[0] == "evidence").expect("the row");
        assert_eq!(&row[8], expect, "input {cell:?}");
    }
}

#[test]
fn csv_holds_every_control_and_row() {
    let document = long_document(200);
    let records = records(&document);
    let count = |kind: &str| records.iter().filter(|record| &record[0] == kind).count();
    assert_eq!(count("control"), document.controls.len(), "a line a control");
    let rows: usize = document.controls.iter().map(|control| control.rows.len()).sum();
    assert_eq!(count("evidence"), rows, "a line a row");
    let bytes = render_csv(&document).expect("CSV");
    assert!(bytes.ends_with(b"\r\n"), "CRLF");
    assert!(
        records.iter().any(|record| &record[1] == "CC7.5.1" && &record[3] == "fail"),
        "a failed control says so"
    );
}

#[test]
fn hostile_text_stays_text() {
    let document = hostile_document();
    for record in records(&document) {
        for cell in &record {
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "a formula: {cell:?}");
            assert!(!cell.chars().any(|ch| hidden(ch) || ch == '\n'), "something hides in {cell:?}");
        }
    }
    let markdown = render_markdown(&document).expect("Markdown");
    assert!(!markdown.chars().any(hidden), "something hides in the Markdown");
    let live = without_escapes(&markdown);
    for bad in ["<script", "](", "![", "https://", "http://", "www.evil", "\n# heading"] {
        assert!(!live.contains(bad), "{bad:?} became markup");
    }
    let rows: Vec<&str> = live.lines().filter(|line| line.starts_with("| HYPERLINK(")).collect();
    assert_eq!(rows.len(), document.controls.len() * 3, "the head and two rows a control");
    for line in rows {
        assert_eq!(line.matches('|').count(), HOSTILE.len() + 1, "a bar from outside splits no cell: {line}");
    }
    assert!(render_pdf(&document).expect("PDF").starts_with(b"%PDF-"), "it renders");
}

/// What is left of Markdown when every escaped character is taken out: the markup, and harmless text.
fn without_escapes(markdown: &str) -> String {
    let mut out = String::with_capacity(markdown.len());
    let mut chars = markdown.chars();
    while let Some(ch) = chars.next() {
        if ch == '\\' {
            chars.next();
        } else {
            out.push(ch);
        }
    }
    out
}
