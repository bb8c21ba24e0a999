use std::process::Command;
use std::time::{Duration, Instant};

use watchpost_report::{ReportDocument, ReportKind, render_pdf};

use crate::common::{
    HOSTILE, document, executive_document, hostile_document, long_document, sections_document,
};

#[expect(clippy::print_stdout, reason = "a skipped check has to be seen")]
fn say(what: &str) {
    println!("{what}");
}

/// The text of the pages, by poppler; `None`, said aloud, where poppler is not installed.
pub(crate) fn pages(document: &ReportDocument) -> Option<Vec<String>> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("report.pdf");
    std::fs::write(&path, render_pdf(document).expect("PDF")).expect("written");
    if let Ok(check) = Command::new("qpdf").arg("--check").arg(&path).output() {
        assert!(check.status.success(), "qpdf: {}", String::from_utf8_lossy(&check.stdout));
    }
    let Ok(output) =
        Command::new("pdftotext").args(["-layout", "-enc", "UTF-8"]).arg(&path).arg("-").output()
    else {
        say("skipped: pdftotext is not installed");
        return None;
    };
    assert!(output.status.success(), "pdftotext: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    Some(text.split('\u{c}').filter(|page| !page.trim().is_empty()).map(str::to_owned).collect())
}

/// All text of the PDF; `None` where poppler is not installed.
pub(crate) fn pdf_text(document: &ReportDocument) -> Option<String> {
    pages(document).map(|pages| pages.join("\n"))
}

#[test]
fn the_pdf_reads_back() {
    let document = document();
    let Some(pages) = pages(&document) else { return };
    let all = pages.join("\n");
    assert!(pages[0].contains("SOC 2") && pages[0].contains("Evidence report"), "the cover: {}", pages[0]);
    assert!(pages[0].contains("1 October 2026 to 31 October 2026"), "the period in whole days");
    assert!(pages[0].contains(&document.sha256().expect("digest")), "the digest on the cover");
    for control in &document.controls {
        assert!(all.contains(&control.title), "{} is there", control.title);
        for check in &control.checks {
            let clean = check.exceptions + check.warnings == 0;
            let found = if clean { &[][..] } else { &check.rows };
            for cell in found.iter().chain(&check.sample.rows).flatten() {
                assert!(all.contains(cell.as_str()), "{cell} of {}", control.id);
            }
        }
    }
    for label in [
        "under 1 day",
        "Mon",
        "Sun",
        "21:00",
        "1 to 91",
        "8 Oct",
        "29 Oct",
        "events per day",
        "success",
        "failure",
        "api usage",
        "Critical",
        "High",
        "2,000",
    ] {
        assert!(all.contains(label), "the chart label {label:?} is text");
    }
}

#[test]
fn every_page_but_the_cover_is_numbered_and_the_contents_are_right() {
    let document = document();
    let Some(pages) = pages(&document) else { return };
    let total = pages.len();
    for (index, page) in pages.iter().enumerate().skip(1) {
        assert!(page.contains(&format!("page {} of {total}", index + 1)), "page {}", index + 1);
        assert!(page.contains("SOC 2 evidence report"), "the running head of page {}", index + 1);
    }
    let contents = &pages[1];
    for control in &document.controls {
        let line = contents.lines().find(|line| line.contains(&control.title)).expect("in the contents");
        let number: usize =
            line.split_whitespace().last().and_then(|n| n.parse().ok()).expect("a page number");
        assert!(pages[number - 1].contains(&control.title), "{} is on page {number}", control.id);
    }
}

#[test]
fn contents_and_bookmarks_lead_to_pages() {
    let document = document();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("report.pdf");
    std::fs::write(&path, render_pdf(&document).expect("PDF")).expect("written");
    let Ok(output) = Command::new("qpdf").arg("--json=2").arg(&path).output() else {
        say("skipped: qpdf is not installed");
        return;
    };
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("qpdf's JSON");
    let pages: Vec<&str> =
        json["pages"].as_array().expect("pages").iter().filter_map(|page| page["object"].as_str()).collect();
    // Summary, gaps, activity, controls, how to read, and every control.
    let n_targets = 5 + document.controls.len();
    let outlines = json["outlines"].as_array().expect("outlines");
    assert_eq!(outlines.len(), n_targets, "a bookmark each");
    for outline in outlines {
        let object = outline["dest"][0].as_str().expect("a page");
        assert!(pages.contains(&object), "{} leads to {object}", outline["title"]);
    }
    let objects = json["qpdf"][1].as_object().expect("objects");
    let links: Vec<&str> = objects
        .values()
        .filter_map(|object| object["value"]["/Annots"].as_array())
        .flatten()
        .filter_map(|link| link["/A"]["/D"][0].as_str())
        .collect();
    assert_eq!(links.len(), n_targets, "a link each");
    assert!(links.iter().all(|object| pages.contains(object)), "every link leads to a page: {links:?}");
}

#[test]
fn ten_thousand_rows_keep_their_heads_and_their_order() {
    // Of a question people are shown the first rows; a section is drawn whole.
    let long = long_document(10_000);
    let check = &long.controls[0].checks[0];
    let mut document = sections_document(ReportKind::SubjectAccess);
    document.sections[0].columns.clone_from(&check.columns);
    document.sections[0].rows.clone_from(&check.rows);
    let started = Instant::now();
    let bytes = render_pdf(&document).expect("PDF");
    let took = started.elapsed();
    assert!(took < Duration::from_secs(30), "an unoptimised build on a busy machine took {took:?}");
    assert!(bytes.len() < 5_000_000, "{} bytes", bytes.len());
    let Some(pages) = pages(&document) else { return };
    let mut expected = 0;
    let mut n_table_pages = 0;
    for page in &pages {
        let numbers: Vec<usize> = page
            .lines()
            .filter_map(|line| line.trim_start().strip_prefix("row")?.get(..5)?.parse().ok())
            .collect();
        if numbers.is_empty() {
            continue;
        }
        n_table_pages += 1;
        assert_eq!(page.matches("rownumber").count(), 1, "one head a page");
        for number in numbers {
            assert_eq!(number, expected, "no row is lost or out of order");
            expected += 1;
        }
    }
    assert_eq!(expected, 10_000, "all rows");
    assert!(n_table_pages > 150, "{n_table_pages} pages");
}

#[test]
fn hostile_text_is_shown_and_counted() {
    let Some(pages) = pages(&hostile_document()) else { return };
    let all = pages.join("\n");
    assert!(!all.chars().any(watchpost_model::text::is_invisible), "nothing hides");
    assert!(all.contains("\\u{202e}"), "what hid is shown");
    assert!(all.contains("65E5") && !all.contains("\\u{65e5}"), "what the fonts lack is a box with its code");
    assert!(all.contains("What this PDF could not show"), "and counted");
}

#[test]
fn nothing_at_all_still_makes_a_report() {
    let mut document = document();
    document.controls.clear();
    let charts = document.charts.as_mut().expect("charts");
    for histogram in [&mut charts.authentication, &mut charts.by_category] {
        histogram.series.clear();
    }
    charts.incidents_by_severity.clear();
    charts.by_hour.clear();
    let Some(pages) = pages(&document) else { return };
    let all = pages.join("\n");
    assert!(all.contains("Nothing of this kind in the period."), "the empty charts say so");
}

#[test]
fn the_executive_summary_is_one_page_however_much_there_is_to_say() {
    let mut hostile = executive_document(true);
    let all = HOSTILE.join(" ");
    for section in &mut hostile.sections {
        section.title.clone_from(&all);
        let cells = section.rows.iter_mut().flatten();
        let values = section.figures.iter_mut().map(|figure| &mut figure.value);
        for text in section.text.iter_mut().chain(cells).chain(values) {
            text.clone_from(&all);
        }
    }
    let mut bare = executive_document(false);
    bare.charts = None;
    for document in [
        sections_document(ReportKind::Executive),
        executive_document(false),
        executive_document(true),
        hostile,
        bare,
    ] {
        let Some(pages) = pages(&document) else { return };
        assert_eq!(pages.len(), 1, "{}", pages.join("\n=====\n"));
        assert!(pages[0].contains("page 1 of 1"), "it is numbered");
    }
}

#[test]
fn the_executive_summary_says_everything_or_that_something_is_missing() {
    let document = executive_document(false);
    let Some(pages) = pages(&document) else { return };
    for text in [
        "Threat level severe",
        "1,234,567,890",
        "before 7,654,321, +148.1 %",
        "93.1 %",
        "11498 of 12345",
        "19 of 22 open incidents",
        "Critical",
        "22,000",
        "over 30 days",
        "success",
        "1209",
    ] {
        assert!(pages[0].contains(text), "{text}: {}", pages[0]);
    }
    assert!(!pages[0].contains("shortened"), "nothing had to be cut: {}", pages[0]);
    let Some(pages) = self::pages(&executive_document(true)) else { return };
    assert!(pages[0].contains("texts were shortened to fit"), "{}", pages[0]);
}

#[test]
fn a_report_without_controls_has_its_sections_in_the_contents() {
    let document = sections_document(ReportKind::Kpi);
    let Some(pages) = pages(&document) else { return };
    assert!(pages[0].contains("Key figures") && pages[0].contains("4 h 05 min"), "the cover: {}", pages[0]);
    assert!(pages[1].contains("By severity") && pages[1].contains("Notes"), "the contents: {}", pages[1]);
    assert!(!pages.join("\n").contains("Controls and evidence"), "no empty part about controls");
}
