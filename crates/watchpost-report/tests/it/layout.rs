//! How the pages of the PDF are broken, what they say when the period is not over, and how writing that fonts lack or that
//! runs from right to left comes out.

use std::cell::Cell;
use std::process::Command;

use watchpost_model::evidence::EvidenceQuery;
use watchpost_report::{
    Framework, ReportDocument, ReportError, ReportKind, Section, evaluate, render_archive_while, render_csv,
    render_markdown, render_pdf, render_pdf_while,
};

use crate::common::{at, charts, clean, document, executive_document, scope, sections_document};
use crate::pdf::{pages, pdf_text};

/// A report that is nothing but one table.
fn table(columns: &[&str], rows: Vec<Vec<String>>) -> ReportDocument {
    let section = Section {
        title: "Rows".to_owned(),
        caption: "All rows".to_owned(),
        columns: columns.iter().map(ToString::to_string).collect(),
        rows,
        ..Section::default()
    };
    ReportDocument::of_sections(ReportKind::Summary, "Rows", "", scope(), Vec::new(), vec![section], None)
}

fn cells(cells: &[&str]) -> Vec<String> {
    cells.iter().map(ToString::to_string).collect()
}

#[test]
fn the_drawn_sample_is_printed_whether_or_not_there_are_exceptions() {
    let document = document();
    let Some(text) = pdf_text(&document) else { return };
    let mut seen = [0, 0];
    for check in document.controls.iter().flat_map(|control| &control.checks) {
        let rows = &check.sample.rows;
        seen[usize::from(check.exceptions + check.warnings > 0)] += rows.len();
        for cell in rows.iter().flatten() {
            assert!(text.contains(cell.as_str()), "{cell} of the sample of {}", check.query);
        }
        if !rows.is_empty() {
            assert!(text.contains(&format!("sample: {} of {}", rows.len(), check.population)), "its caption");
        }
    }
    assert!(seen.iter().all(|rows| *rows > 0), "samples with and without exceptions: {seen:?}");
}

#[test]
fn the_executive_page_says_how_it_came_to_be() {
    for crowded in [false, true] {
        let document = executive_document(crowded);
        let Some(pages) = pages(&document) else { return };
        let scope = &document.scope;
        for said in
            [&scope.log.root, &scope.log.id, &scope.generated_by, &scope.generator, "2026-11-01 08:12:00 UTC"]
        {
            assert!(pages[0].contains(said), "{said}, crowded: {crowded}: {}", pages[0]);
        }
        assert_eq!(pages.len(), 1, "one page still");
    }
}

#[test]
fn no_heading_of_a_check_stands_without_what_it_heads() {
    let mut document = document();
    // Tables of all lengths, so that headings come to stand everywhere on the pages.
    let checks = document.controls.iter_mut().flat_map(|control| &mut control.checks);
    for (n, check) in checks.enumerate() {
        let n_rows = n * 7 % 31;
        check.exceptions = n_rows as u64;
        check.rows = (0..n_rows).map(|row| vec![format!("evidence{row}"), row.to_string()]).collect();
    }
    let Some(pages) = pages(&document) else { return };
    let mut n_headings = 0;
    for page in &pages {
        let lines: Vec<&str> = page.lines().map(str::trim).collect();
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.starts_with("Check ")) {
            n_headings += 1;
            let below = &lines[at + 1..];
            let end = below.iter().position(|line| line.starts_with("Check ")).unwrap_or(below.len());
            let below = below[..end].join("\n");
            for fact in ["Finding", "Rule"] {
                assert!(below.contains(fact), "{line}: {fact} is on another page:\n{page}");
            }
        }
    }
    assert!(n_headings > 10, "{n_headings} headings");
    // Nor does the caption of a table stand without its first rows.
    for page in &pages {
        let lines: Vec<&str> = page.lines().map(str::trim).collect();
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.contains("The drawn sample:")) {
            let below = lines[at + 1..].iter().take_while(|line| !line.starts_with("Check ")).copied();
            let below = below.collect::<Vec<_>>().join("\n");
            assert!(below.contains("member"), "{line}: its rows are on another page:\n{page}");
        }
    }
    for control in document.controls.iter().filter(|control| control.checks.len() > 1) {
        let is_head = |line: &str| line.trim() == control.title;
        let page = pages.iter().skip(3).find(|page| page.lines().any(is_head)).expect("its page");
        let below = page.lines().skip_while(|line| !is_head(line)).collect::<Vec<_>>().join("\n");
        assert!(below.contains("Check 1:"), "{} stands alone:\n{page}", control.id);
    }
}

#[test]
fn the_last_page_of_a_table_holds_more_than_two_rows() {
    for n_rows in (25..46).chain(60..80) {
        let rows = (0..n_rows).map(|n| vec![format!("line{n:03}"), format!("value {n}")]).collect();
        let Some(pages) = pages(&table(&["name", "what"], rows)) else { return };
        let counts: Vec<usize> =
            pages.iter().map(|page| page.matches("line").count()).filter(|n| *n > 0).collect();
        assert_eq!(counts.iter().sum::<usize>(), n_rows, "every row");
        assert!(counts.last().is_some_and(|last| *last >= 3), "{n_rows} rows: {counts:?}");
    }
}

#[test]
fn times_are_not_broken_however_many_columns_there_are() {
    let heads = [
        "number",
        "title",
        "severity",
        "status",
        "verdict",
        "assignee",
        "opened",
        "acknowledged",
        "acknowledge by",
        "resolved",
        "resolve by",
    ];
    let rows = (10..40)
        .map(|n| {
            let time = |hour: u32| format!("2026-11-21T{hour:02}:43:{n:02}Z");
            let title = format!("Cross-site scripting from 192.0.2.{n}");
            let mut row = vec![
                n.to_string(),
                title,
                "critical".into(),
                "investigating".into(),
                "false_positive".into(),
                "bartholomew".into(),
            ];
            row.extend([11, 12, 13, 14, 15].map(time));
            row
        })
        .collect();
    let document = table(&heads, rows);
    let Some(text) = pdf_text(&document) else { return };
    assert!(text.contains("times are UTC"), "the caption says so: {text}");
    for n in 10..40 {
        for hour in [11, 12, 13, 14, 15] {
            let time = format!("{hour:02}:43:{n:02}");
            assert!(text.contains(&time), "{time} is in one piece");
        }
    }
    assert!(!text.lines().any(|line| line.trim_end().ends_with("21T")), "no day ends in a T: {text}");
    assert_eq!(text.matches("2026-11-21").count(), 30 * 5, "every day is in one piece");
}

#[test]
fn writing_from_right_to_left_is_in_its_order() {
    let rows = vec![
        cells(&["محمد", "Arabic"]),
        cells(&["שלום עולם", "Hebrew"]),
        cells(&["user دانا (admin)", "within"]),
    ];
    let document = table(&["name", "script"], rows);
    let Some(text) = pdf_text(&document) else { return };
    // The reader of the text turns what stands from right to left into the order of reading again.
    let bare: String = text.chars().filter(|ch| !watchpost_model::text::is_invisible(*ch)).collect();
    for word in ["محمد", "שלום", "עולם", "دانا"] {
        let backwards: String = word.chars().rev().collect();
        assert!(bare.contains(word), "{word} can be read: {bare}");
        assert!(!bare.contains(&backwards), "{word} is not turned round: {bare}");
    }
    assert!(bare.contains("user") && bare.contains("admin)"), "what stands around it: {bare}");
    assert!(!bare.contains("What this PDF could not show"), "the fonts have it all: {bare}");
    render_archive_while(&document, &|| true).expect("it keeps the standard of the archive");
}

#[test]
fn what_no_font_has_is_one_box_a_character_and_listed() {
    let document = table(&["name", "what"], vec![cells(&["日本語", "Japanese"]), cells(&["ไทย", "Thai"])]);
    let Some(text) = pdf_text(&document) else { return };
    for code in ["65E5", "672C", "8A9E", "0E44"] {
        assert!(text.contains(code), "the box of {code}: {text}");
        assert!(text.contains(&format!("U+{code}")), "{code} is listed: {text}");
    }
    assert!(!text.contains("\\u{65e5}") && !text.contains("\\u{e44}"), "no wall of escapes: {text}");
    assert!(text.contains("6 characters that the fonts of this PDF lack are drawn as boxes"), "{text}");
}

#[test]
fn an_escape_is_never_broken() {
    let hidden = "\u{202e}abc".repeat(40);
    let columns: Vec<String> = (0..9).map(|n| format!("column{n}")).collect();
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let document = table(&columns, vec![vec![hidden; 9]; 3]);
    let Some(text) = pdf_text(&document) else { return };
    let n = text.matches("\\u{202e}").count();
    assert_eq!(text.matches("\\u").count(), n, "each begins and ends on its line");
    assert!(n > 100, "{n} escapes");
}

#[test]
fn a_period_that_is_not_over_is_said_to_be() {
    let mut document = document();
    document.scope.generated_at = at("2026-10-12T09:30:00Z");
    let words = "up to 2026-10-12 09:30:00 UTC, period not over";
    let markdown = render_markdown(&document).expect("Markdown");
    assert!(markdown.contains(words), "in the Markdown");
    let csv = String::from_utf8(render_csv(&document).expect("CSV")).expect("UTF-8");
    assert!(csv.contains("not over; up to 2026-10-12T09:30:00Z"), "in the CSV");
    let days =
        |text: &str| (1..32).filter(|day| text.contains(&format!("| 2026-10-{day:02}T00:00:00Z |"))).count();
    assert_eq!(days(&markdown), 12, "the charts end with the day of making");
    document.scope.generated_at = at("2026-11-01T00:00:00Z");
    let over = render_markdown(&document).expect("Markdown");
    assert!(!over.contains("not over"), "at its very end it is over");
    assert_eq!(days(&over), 31, "the charts go to the end");
    document.scope.generated_at = at("2026-10-12T09:30:00Z");
    let Some(pages) = pages(&document) else { return };
    let flat = |page: &str| page.split_whitespace().collect::<Vec<_>>().join(" ");
    for page in &pages {
        assert!(flat(page).contains("period not over"), "on every page: {page}");
    }
    let all = pages.join("\n");
    assert!(all.contains("8 Oct") || all.contains("11 Oct"), "the chart has a day that is over");
    assert!(!all.contains("29 Oct"), "and none that is to come");
    let Some(executive) = pdf_text(&ReportDocument { kind: ReportKind::Executive, ..document }) else {
        return;
    };
    assert_eq!(executive.matches("period not over").count(), 2, "at the head and in the text: {executive}");
}

#[test]
fn a_plain_file_does_not_claim_a_standard() {
    let document = document();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("report.pdf");
    let bytes = render_pdf(&document).expect("PDF");
    assert!(!String::from_utf8_lossy(&bytes).contains("PDFX"), "not in the file");
    std::fs::write(&path, bytes).expect("written");
    let Ok(output) = Command::new("pdfinfo").arg(&path).output() else { return };
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("Watchpost 0.1.0") && !said.contains("PDF/X"), "{said}");
}

#[test]
fn the_words_agree_between_the_formats() {
    let mut document = document();
    let check = document
        .controls
        .iter_mut()
        .flat_map(|control| &mut control.checks)
        .find(|check| check.query == EvidenceQuery::AuthenticationEvents)
        .expect("one asks for sign-ins");
    check.columns = cells(&["user", "events", "failures"]);
    check.rows = vec![cells(&["ana", "700", "600"]), cells(&["bob", "400", "287"])];
    (check.exceptions, check.population) = (887, 2_000);
    let counts = document.summary;
    let sentence = format!("{} passed, {} warned and {} failed", counts.pass, counts.warn, counts.fail);
    let rows = "Exceptions by user: 2 users, all 887 failures";
    let markdown = render_markdown(&document).expect("Markdown");
    for words in [sentence.as_str(), rows] {
        assert!(markdown.contains(words), "{words}");
    }
    let Some(text) = pdf_text(&document) else { return };
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in [sentence.as_str(), rows, "The samples A sample is drawn by chance"] {
        assert!(text.contains(words), "{words}");
    }
    let Some(text) = pdf_text(&sections_document(ReportKind::Kpi)) else { return };
    assert!(!text.contains("The samples"), "nothing is explained that is not there");
}

#[test]
fn no_page_of_the_contents_holds_a_few_lines_only() {
    // The lines of the contents are those of the parts, and "How to read this report".
    for (n_parts, expected) in [
        (28, &[29][..]),
        (29, &[30][..]),
        (33, &[34][..]),
        (34, &[29, 6][..]),
        (60, &[29, 32][..]),
        (61, &[34, 28][..]),
        (70, &[34, 37][..]),
        (71, &[29, 32, 11][..]),
    ] {
        let part = |n: usize| Section { title: format!("Part {n:03}"), ..Section::default() };
        let parts = (0..n_parts).map(part).collect();
        let document = ReportDocument::of_sections(
            ReportKind::Summary,
            "Many parts",
            "",
            scope(),
            Vec::new(),
            parts,
            None,
        );
        let Some(pages) = pages(&document) else { return };
        let is_entry = |line: &&str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["Part", _, number] | ["How", "to", "read", "this", "report", number] => {
                    number.parse::<u32>().is_ok()
                }
                _ => false,
            }
        };
        let counts: Vec<usize> = pages.iter().map(|page| page.lines().filter(is_entry).count()).collect();
        let counts: Vec<usize> = counts.into_iter().filter(|n| *n > 0).collect();
        assert_eq!(counts, expected, "{n_parts} parts");
    }
    let framework = Framework::by_id("pci-dss").expect("it is built in");
    let document = evaluate(&framework, scope(), &clean(&framework), &[], Some(charts()));
    let Some(pages) = pages(&document) else { return };
    assert!(pages[1].contains("How to read this report"), "the contents are one page: {}", pages[1]);
}

#[test]
fn the_charts_of_the_activity_stand_on_one_page() {
    let mut document = sections_document(ReportKind::Summary);
    document.charts = Some(charts());
    let Some(pages) = pages(&document) else { return };
    let page = pages.iter().find(|page| page.contains("Events by category")).expect("the charts");
    for title in ["Authentication", "by severity", "by age", "by day of the week"] {
        assert!(page.contains(title), "{title}: {page}");
    }
}

#[test]
fn drawing_ends_when_nobody_wants_it() {
    let rows = (0..2_000).map(|n| vec![format!("line{n:04}"), format!("value {n}")]).collect();
    let document = table(&["name", "what"], rows);
    let asked = Cell::new(0);
    let after = |most: u32| {
        asked.set(0);
        let asked = &asked;
        move || {
            asked.set(asked.get() + 1);
            asked.get() <= most
        }
    };
    render_pdf_while(&document, &after(u32::MAX)).expect("wanted to the end");
    let whole = asked.get();
    assert!(whole > 60, "asked {whole} times");
    for most in [0, 1, 20, whole - 1] {
        let stopped = render_pdf_while(&document, &after(most));
        assert!(matches!(stopped, Err(ReportError::Stopped)), "after {most}");
        let stopped = render_archive_while(&document, &after(most));
        assert!(matches!(stopped, Err(ReportError::Stopped)), "the archive copy after {most}");
    }
}
