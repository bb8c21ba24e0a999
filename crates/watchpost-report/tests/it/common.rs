use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use watchpost_model::event::Severity;
use watchpost_model::evidence::{EvidenceAnswer, EvidenceQuery};
use watchpost_model::overview::{Histogram, Series};
use watchpost_model::period::Period;
use watchpost_report::{ChartData, Framework, LogHead, ReportDocument, Scope, SeverityCount, evaluate};

/// Text that tries every trick of the formats it lands in.
pub(crate) const HOSTILE: [&str; 12] = [
    "=HYPERLINK(\"http://evil.example\",\"x\")",
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1+1)",
    "\t=1",
    "\r=1",
    "<script>alert(1)</script>",
    "| a | b |\n\n# heading\n",
    "[click](javascript:alert(1)) ![x](http://evil.example/p.png) https://evil.example www.evil.example",
    "user\u{202e}gnp.exe\u{200b}\u{feff}",
    "nul \0 esc \u{1b}[31m ) Tj ET (",
    "日本 \u{1f600} \u{e0001} ﷽ ü é Ω Я",
];

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time of the test")
}

pub(crate) fn scope() -> Scope {
    Scope {
        organisation: "Example Ltd".to_owned(),
        workspace: "local".to_owned(),
        period: Period::new(at("2026-10-01T00:00:00Z"), at("2026-11-01T00:00:00Z")).expect("a period"),
        generated_at: at("2026-11-01T08:12:00Z"),
        generated_by: "m.okafor".to_owned(),
        generator: "Watchpost 0.1.0".to_owned(),
        log: LogHead { id: "example/audit/1".to_owned(), size: 18_204, root: "9b74".repeat(16) },
        sources: vec!["Redis".to_owned(), "SQLite".to_owned()],
    }
}

pub(crate) fn charts() -> ChartData {
    let start = at("2026-10-01T00:00:00Z");
    let series = |name: &str, level: u64| Series {
        name: name.to_owned(),
        counts: (0..31).map(|day| level + day * 3 % 7).collect(),
    };
    let histogram = |series| Histogram { start, bucket_s: 86_400, series };
    ChartData {
        authentication: histogram(vec![series("success", 400), series("failure", 30)]),
        by_category: histogram(vec![series("authentication", 430), series("api_usage", 2_000)]),
        incidents_by_severity: vec![SeverityCount { severity: Severity::High, incidents: 7 }],
    }
}

pub(crate) fn answer(query: EvidenceQuery, population: u64, exceptions: u64) -> EvidenceAnswer {
    EvidenceAnswer {
        query,
        population,
        exceptions,
        columns: vec!["user".to_owned(), "failures".to_owned()],
        rows: (0..exceptions.min(3)).map(|n| vec![format!("user{n}"), n.to_string()]).collect(),
        basis: format!("What {query} counts."),
    }
}

/// Every question answered without an exception.
pub(crate) fn clean() -> BTreeMap<EvidenceQuery, EvidenceAnswer> {
    EvidenceQuery::ALL.iter().map(|query| (*query, answer(*query, 100, 0))).collect()
}

pub(crate) fn soc2() -> Framework {
    Framework::by_id("soc2").expect("it is built in")
}

/// A document of the built-in framework with some failures in it.
pub(crate) fn document() -> ReportDocument {
    let mut answers = clean();
    answers.insert(EvidenceQuery::IncidentsResolved, answer(EvidenceQuery::IncidentsResolved, 40, 11));
    answers.insert(EvidenceQuery::RetentionRuns, answer(EvidenceQuery::RetentionRuns, 0, 0));
    evaluate(&soc2(), scope(), &answers, charts())
}

/// A document with `HOSTILE` text in every field that takes text.
pub(crate) fn hostile_document() -> ReportDocument {
    let all = HOSTILE.join(" ");
    let mut document = document();
    document.framework.name = HOSTILE[6].to_owned();
    document.framework.version = all.clone();
    document.framework.note = all.clone();
    let scope = &mut document.scope;
    scope.organisation = all.clone();
    scope.workspace = all.clone();
    scope.generated_by = HOSTILE[9].to_owned();
    scope.generator = HOSTILE[0].to_owned();
    scope.sources = HOSTILE.map(str::to_owned).to_vec();
    scope.log = LogHead { id: all.clone(), size: 1, root: HOSTILE[8].to_owned() };
    for control in &mut document.controls {
        control.id = HOSTILE[1].to_owned();
        for text in [
            &mut control.title,
            &mut control.text,
            &mut control.reason,
            &mut control.basis,
            &mut control.remedy,
        ] {
            text.clone_from(&all);
        }
        control.columns = HOSTILE.map(str::to_owned).to_vec();
        control.rows = vec![HOSTILE.map(str::to_owned).to_vec(); 2];
    }
    for series in &mut document.charts.by_category.series {
        series.name = HOSTILE[10].to_owned();
    }
    document
}

/// A document whose first control has `n_rows` rows of evidence.
pub(crate) fn long_document(n_rows: u64) -> ReportDocument {
    let start = at("2026-10-01T00:00:00Z");
    let mut document = document();
    let control = &mut document.controls[0];
    control.columns = ["rownumber", "when", "source", "resource"].map(str::to_owned).to_vec();
    control.rows = (0..n_rows)
        .map(|n| {
            let when = start + Duration::seconds(i64::try_from(n).expect("small"));
            vec![
                format!("row{n:05}"),
                when.to_rfc3339(),
                format!("203.0.113.{}", n % 250),
                format!("/api/v2/shipments/{n}/documents"),
            ]
        })
        .collect();
    document
}
