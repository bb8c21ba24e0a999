use csv::ReaderBuilder;
use serde_json::Value;
use watchpost_model::evidence::EvidenceQuery;
use watchpost_model::ids::{CommentId, ProofId};
use watchpost_model::register::{Proof, ProofFile};
use watchpost_model::report::{Approval, ControlComment, ReportStatus};
use watchpost_report::{
    Parameter, ReportDocument, ReportKind, Section, Standing, evaluate, render_csv, render_json,
    render_markdown, render_pdf, write_json,
};

use crate::common::{
    HOSTILE, clean, document, hostile_document, long_document, scope, sections_document, soc2,
};
use crate::pdf::pdf_text;

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
    for document in [
        document(),
        hostile_document(),
        with_everything(),
        sections_document(ReportKind::Kpi),
        long_document(300),
    ] {
        let text = render_json(&document).expect("JSON");
        let back: ReportDocument = serde_json::from_str(&text).expect("its own JSON");
        assert_eq!(back, document, "nothing is lost");
        let tree = serde_json::from_str(&text).expect("JSON");
        assert_eq!(text, sorted(&tree).to_string(), "every object has its keys in order");
        let mut written = Vec::new();
        write_json(&document, &mut written).expect("JSON");
        assert!(written == text.as_bytes(), "piece by piece it is the same");
    }
    for document in [document(), hostile_document()] {
        let text = render_json(&document).expect("JSON");
        assert!(
            text.starts_with("{\"charts\":{\"authentication\":{\"bucket_s\":86400,"),
            "keys are sorted: {text:.80}"
        );
    }
}

#[test]
fn no_format_prints_a_card_or_a_secret_whole() {
    const CARD: &str = "4539578763621486";
    const SECRET: &str = "Winter2026";
    let framework = soc2();
    let mut answers = clean(&framework);
    for found in answers.values_mut() {
        found.columns = vec!["resource".to_owned(), "detail".to_owned()];
        let row = vec![format!("/pay/{CARD}"), format!("user=kim&password={SECRET}")];
        found.rows = vec![row.clone()];
        found.sample.columns.clone_from(&found.columns);
        found.sample.rows.iter_mut().for_each(|member| member.clone_from(&row));
    }
    let mut of_controls = evaluate(&framework, scope(), &answers, &[], None);
    of_controls.standing = Standing {
        status: ReportStatus::Final,
        approval: Some(Approval {
            by: "dana".to_owned(),
            at: scope().generated_at,
            note: format!("checked, card {CARD} and password={SECRET} too"),
            signed_note: None,
        }),
        successor: None,
    };
    let sections = |kind| {
        let section = Section {
            title: format!("Incident 12: Brute force against user {CARD}"),
            caption: format!("Steps of user {CARD}"),
            figures: vec![Parameter::new(format!("Of {CARD}"), "1")],
            text: vec![format!("They sent card {CARD}.")],
            columns: vec!["resource".to_owned()],
            rows: vec![vec![format!("/pay?password={SECRET}")]],
        };
        let parameters = vec![Parameter::new("subject", CARD)];
        let mut scope = scope();
        scope.organisation = format!("Org password={SECRET} {CARD}");
        ReportDocument::of_sections(kind, format!("About {CARD}"), "", scope, parameters, vec![section], None)
    };
    for document in [of_controls, sections(ReportKind::Incident)] {
        let json = render_json(&document).expect("JSON");
        let csv = String::from_utf8(render_csv(&document).expect("CSV")).expect("UTF-8");
        let markdown = render_markdown(&document).expect("Markdown");
        let pdf = pdf_text(&document).unwrap_or_default();
        for text in [json, csv, markdown] {
            assert!(!text.contains(CARD) && !text.contains(SECRET), "{:?}", document.kind);
            assert!(text.contains("453957") && text.contains("not shown: secret"), "{:?}", document.kind);
        }
        assert!(!pdf.contains(CARD) && !pdf.contains(SECRET), "{:?}", document.kind);
    }
    let own = render_json(&sections(ReportKind::SubjectAccess)).expect("JSON");
    assert!(own.contains(CARD) && own.contains(SECRET), "a person gets what is kept about them");
}

/// The same with the keys of every object in order, by whatever map the library was built with.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(&String, &Value)> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            Value::Object(entries.into_iter().map(|(key, value)| (key.clone(), sorted(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

/// A document in which every type that can take part does: proofs with files, comments, a sample, an attestation.
fn with_everything() -> ReportDocument {
    let mut document = document();
    let from = document.scope.period.from;
    let proof = Proof {
        id: ProofId::at(from),
        framework: "soc2".to_owned(),
        control: "CC1.1".to_owned(),
        period: document.scope.period,
        statement: "The board has met.".to_owned(),
        file: Some(ProofFile { name: "minutes.pdf".to_owned(), sha256: "00".repeat(32), bytes: 9 }),
        owner: "dana".to_owned(),
        given_by: "dana".to_owned(),
        given_at: from,
        expires_at: from,
    };
    let comment = ControlComment {
        id: CommentId::at(from),
        key: Some("a".to_owned()),
        framework: "soc2".to_owned(),
        control: "CC1.1".to_owned(),
        row: vec!["a".to_owned()],
        text: "Known.".to_owned(),
        by: "dana".to_owned(),
        at: from,
    };
    let control = &mut document.controls[0];
    control.proofs.push(proof);
    control.comments.push(comment);
    document.sections.push(Section { title: "Events".to_owned(), ..Section::default() });
    document.parameters.push(Parameter::new("who", "dana"));
    assert!(document.controls.iter().any(|control| !control.checks.is_empty()) && document.charts.is_some());
    document
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
        document.controls[0].checks[0].columns = vec!["c".to_owned()];
        document.controls[0].checks[0].rows = vec![vec![cell.to_owned()]];
        let records = records(&document);
        let row = records.iter().find(|record| &record[0] == "evidence").expect("the row");
        assert_eq!(&row[10], expect, "input {cell:?}");
    }
}

#[test]
fn csv_holds_every_control_and_row() {
    let document = long_document(200);
    let records = records(&document);
    let count = |kind: &str| records.iter().filter(|record| &record[0] == kind).count();
    assert_eq!(count("control"), document.controls.len(), "a line a control");
    let checks: Vec<_> = document.controls.iter().flat_map(|control| &control.checks).collect();
    assert_eq!(count("check"), checks.len(), "a line a check");
    assert_eq!(count("evidence"), checks.iter().map(|check| check.rows.len()).sum::<usize>(), "a line a row");
    let drawn = checks.iter().map(|check| check.sample.rows.len()).sum::<usize>();
    assert_eq!(count("sample"), drawn, "a line a drawn member");
    assert_eq!(count("gap"), document.gaps.len(), "a line a gap");
    let bytes = render_csv(&document).expect("CSV");
    assert!(bytes.ends_with(b"\r\n"), "CRLF");
    assert!(
        records.iter().any(|record| &record[1] == "CC7.5" && &record[4] == "fail"),
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
    let checks = document.controls.iter().flat_map(|control| &control.checks);
    let expected: usize = checks.map(|_| 3).sum::<usize>() + 2;
    assert_eq!(rows.len(), expected, "the head and two rows a check, and a section");
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

/// The numbers of a report, as every format has to show them.
fn numbers(document: &ReportDocument) -> Vec<String> {
    let mut all: Vec<String> = document
        .controls
        .iter()
        .flat_map(|control| &control.checks)
        .flat_map(|check| [check.population, check.warnings, check.exceptions])
        .map(|n| n.to_string())
        .collect();
    all.extend(
        document.sections.iter().flat_map(|section| &section.figures).map(|figure| figure.value.clone()),
    );
    all.extend(document.sections.iter().flat_map(|section| section.rows.iter().flatten().cloned()));
    all
}

#[test]
fn every_format_has_the_same_numbers_to_the_digit() {
    for mut document in
        [document(), sections_document(ReportKind::Kpi), sections_document(ReportKind::Executive)]
    {
        // Numbers that stand nowhere else.
        for (n, check) in (0_u64..).zip(document.controls.iter_mut().flat_map(|control| &mut control.checks))
        {
            check.population = 7_100_003 + n * 1_117;
            check.exceptions = 40_009 + n * 113;
            check.warnings = 20_011 + n * 127;
        }
        let (json, csv) = (render_json(&document).expect("JSON"), render_csv(&document).expect("CSV"));
        let csv = String::from_utf8(csv).expect("UTF-8");
        let markdown = render_markdown(&document).expect("Markdown");
        let pdf = pdf_text(&document);
        let bare =
            |text: &str| text.chars().filter(|ch| !ch.is_whitespace() && *ch != ',').collect::<String>();
        let pdf = pdf.as_deref().map(bare);
        for number in numbers(&document) {
            assert!(json.contains(&number), "{number} in the JSON");
            assert!(csv.contains(&number), "{number} in the CSV");
            assert!(markdown.contains(&number), "{number} in the Markdown");
            assert!(pdf.as_ref().is_none_or(|text| text.contains(&bare(&number))), "{number} in the PDF");
        }
        let digest = document.sha256().expect("digest");
        let root = &document.scope.log.root;
        let size = document.scope.log.size.to_string();
        for text in [&csv, &markdown] {
            assert!(
                text.contains(&digest) && text.contains(root.as_str()) && text.contains(&size),
                "the proofs"
            );
            assert!(text.contains("Watchpost 0.1.0"), "the generator");
        }
    }
}

#[test]
fn what_people_read_shows_the_first_rows_and_says_where_the_rest_is() {
    let mut document = document();
    let check = document
        .controls
        .iter_mut()
        .flat_map(|control| &mut control.checks)
        .find(|check| check.query == EvidenceQuery::IncidentsResolved)
        .expect("the framework asks it");
    check.columns = vec!["number".to_owned()];
    check.rows = (0..612).map(|n| vec![format!("n{n:03}x")]).collect();
    (check.population, check.exceptions, check.warnings) = (5_000, 1_900, 0);
    let rows = |text: &str| (0..612).filter(|n| text.contains(&format!("n{n:03}x"))).count();
    let csv = String::from_utf8(render_csv(&document).expect("CSV")).expect("UTF-8");
    assert_eq!((rows(&csv), rows(&render_json(&document).expect("JSON"))), (612, 612), "all there is");
    let markdown = render_markdown(&document).expect("Markdown");
    assert_eq!(rows(&markdown), 500, "what can be read");
    assert!(markdown.contains("Exceptions: 500 of 1,900 shown; the JSON and the CSV have 612"), "{markdown}");
}
