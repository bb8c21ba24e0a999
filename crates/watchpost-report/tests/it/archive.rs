//! The archive profile, read back with what is installed; krilla's own check of PDF/A-3a and PDF/UA-1 has passed when there
//! are bytes at all.

use std::path::Path;
use std::process::Command;

use watchpost_report::{ReportDocument, ReportKind, render_archive, render_csv, render_json, render_pdf};

use crate::common::{document, executive_document, hostile_document, long_document, sections_document};

fn said(tool: &str, arguments: &[&str], file: &Path) -> Option<String> {
    said_with(tool, arguments, file, &[])
}

#[expect(clippy::print_stdout, reason = "a skipped check has to be seen")]
fn said_with(tool: &str, before: &[&str], file: &Path, after: &[&str]) -> Option<String> {
    let Ok(output) = Command::new(tool).args(before).arg(file).args(after).output() else {
        println!("skipped: {tool} is not installed ({before:?} of {})", file.display());
        return None;
    };
    assert!(output.status.success(), "{tool}: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn archived(document: &ReportDocument) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("archive.pdf");
    std::fs::write(&path, render_archive(document).expect("keeps the standard")).expect("written");
    (folder, path)
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

#[test]
fn every_kind_keeps_the_standard_and_shows_the_same_text() {
    let documents = [document(), hostile_document(), executive_document(false), executive_document(true)];
    let others = [
        ReportKind::Summary,
        ReportKind::Incident,
        ReportKind::Kpi,
        ReportKind::Redis,
        ReportKind::Breach,
        ReportKind::AccessReview,
        ReportKind::SubjectAccess,
    ];
    let documents: Vec<ReportDocument> = documents.into_iter().chain(others.map(sections_document)).collect();
    for kind in ReportKind::ALL {
        assert!(documents.iter().any(|document| document.kind == *kind), "{kind:?} is among them");
    }
    for document in documents {
        let (folder, path) = archived(&document);
        said("qpdf", &["--check"], &path);
        let plain = folder.path().join("plain.pdf");
        std::fs::write(&plain, render_pdf(&document).expect("PDF")).expect("written");
        let text = |path: &Path| said_with("pdftotext", &["-enc", "UTF-8"], path, &["-"]);
        let (Some(archive), Some(plain)) = (text(&path), text(&plain)) else { continue };
        let (mut archive, mut plain) = (words(&archive), words(&plain));
        // The order of reading differs; the words do not.
        archive.sort_unstable();
        plain.sort_unstable();
        assert_eq!(archive, plain, "{}", document.title);
    }
}

#[test]
fn it_is_an_archive_file_with_its_original_inside() {
    let document = document();
    let (folder, path) = archived(&document);
    let bytes = std::fs::read(&path).expect("read");
    let raw = String::from_utf8_lossy(&bytes);
    assert!(raw.contains("pdfaid:part") && raw.contains("pdfuaid"), "the standards are declared");
    assert!(raw.contains("/Lang"), "the language is declared");
    if let Some(info) = said("pdfinfo", &[], &path) {
        assert!(info.contains("Tagged:          yes"), "{info}");
        assert!(info.contains(&document.sha256().expect("digest")), "{info}");
    }
    for (number, name, content) in [
        ("1", "report.csv", render_csv(&document).expect("CSV")),
        ("2", "report.json", render_json(&document).expect("JSON").into_bytes()),
    ] {
        let out = folder.path().join(name);
        let out_text = out.to_string_lossy().into_owned();
        let Some(_) = said("pdfdetach", &["-save", number, "-o", &out_text], &path) else { return };
        assert_eq!(std::fs::read(&out).expect("detached"), content, "{name} is the file itself");
    }
}

#[test]
fn its_parts_are_tagged() {
    let (_folder, path) = archived(&document());
    let Some(parts) = said("pdfinfo", &["-struct-text"], &path) else { return };
    for part in [
        "H1 \"SOC 2 evidence report\"",
        "H2 \"Contents\"",
        "H2 \"Summary\"",
        "TOCI",
        "Link (inline)",
        "Table",
        "THead",
        "TH",
        "TBody",
        "TR",
        "TD",
        "Caption",
        "Figure",
    ] {
        assert!(parts.contains(part), "{part:?} is among the parts:\n{parts:.6000}");
    }
    assert!(!parts.contains("page 2 of"), "the running foot is no part of what is read");
    let marks = said("pdfinfo", &["-struct"], &path).unwrap_or_default();
    // Controls by state, sign-ins, events by category, incidents by severity and by age, the hours of the week.
    assert_eq!(marks.matches("Figure").count(), 6, "every chart is a figure");
}

#[test]
fn repeated_heads_are_read_once() {
    let (_folder, path) = archived(&long_document(200));
    let Some(parts) = said("pdfinfo", &["-struct-text"], &path) else { return };
    assert_eq!(parts.matches("\"rownumber\"").count(), 1, "the head of the table");
    let rows = (0..200).filter(|n| parts.contains(&format!("row{n:05}"))).count();
    assert_eq!(rows, 200, "every row is in the table");
}

#[test]
fn the_same_report_has_the_same_bytes() {
    for document in [document(), hostile_document()] {
        assert_eq!(render_archive(&document).expect("PDF"), render_archive(&document).expect("PDF"));
    }
}
