use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use watchpost_model::event::Severity;
use watchpost_model::evidence::{EvidenceAnswer, EvidenceAsk, EvidenceQuery, Sample};
use watchpost_model::ids::{CommentId, ProofId};
use watchpost_model::overview::{Histogram, Series};
use watchpost_model::period::Period;
use watchpost_model::register::{Proof, ProofFile};
use watchpost_model::report::ControlComment;
use watchpost_model::sample;
use watchpost_report::{
    AgeCount, ChartData, Framework, LogHead, Parameter, ReportDocument, ReportKind, Scope, Section,
    SeverityCount, evaluate, sample_seed,
};

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
        earlier: 0,
        generated_by: "m.okafor".to_owned(),
        generator: "Watchpost 0.1.0".to_owned(),
        log: LogHead { id: "example/audit/1".to_owned(), size: 18_204, root: "9b74".repeat(16) },
        sources: vec!["Redis".to_owned(), "SQLite".to_owned()],
    }
}

/// The bars of the chart of active incidents.
const AGES: [&str; 5] = ["under 1 day", "1 to 3 days", "3 to 7 days", "7 to 30 days", "over 30 days"];

/// Charts that agree with each other, as those of the store do.
pub(crate) fn charts() -> ChartData {
    let start = at("2026-10-01T00:00:00Z");
    let counts = |level: u64| (0..31).map(|day| level + day * 3 % 7).collect::<Vec<u64>>();
    let (success, failure, api_usage) = (counts(400), counts(30), counts(2_000));
    let signed_in: Vec<u64> = success.iter().zip(&failure).map(|(good, bad)| good + bad).collect();
    let total: u64 = signed_in.iter().chain(&api_usage).sum();
    let hour = |hour: u64| total / 168 + u64::from(hour < total % 168);
    let histogram = |series| Histogram { start, bucket_s: 86_400, series };
    ChartData {
        authentication: histogram(vec![Series::new("success", success), Series::new("failure", failure)]),
        by_category: histogram(vec![
            Series::new("authentication", signed_in),
            Series::new("api_usage", api_usage),
        ]),
        incidents_by_severity: Severity::ALL
            .iter()
            .map(|severity| SeverityCount { severity: *severity, incidents: 7 })
            .collect(),
        incidents_by_age: AGES.map(|age| AgeCount { age: age.to_owned(), incidents: 3 }).to_vec(),
        by_hour: (0..7).map(|day| (0..24).map(|n| hour(day * 24 + n)).collect()).collect(),
    }
}

/// An answer as the store gives it, its sample drawn from the seed that the report prints.
pub(crate) fn answer(ask: &EvidenceAsk, population: u64, warnings: u64, exceptions: u64) -> EvidenceAnswer {
    let columns = vec!["user".to_owned(), "failures".to_owned()];
    let seed = sample_seed(&scope(), "soc2", ask);
    let positions = sample::draw(&seed, population);
    let rows = positions.iter().map(|at| vec![format!("member{at}"), at.to_string()]).collect();
    EvidenceAnswer {
        ask: ask.clone(),
        population,
        warnings,
        exceptions,
        columns: columns.clone(),
        rows: (0..exceptions + warnings).map(|n| vec![format!("user{n}"), n.to_string()]).collect(),
        sample: Sample { seed: hex::encode(seed), positions, columns, rows },
        basis: format!("What {} counts.", ask.query),
        text: format!("SELECT COUNT(*) FROM {}", ask.query),
    }
}

/// Every question of a framework answered without an exception.
pub(crate) fn clean(framework: &Framework) -> BTreeMap<EvidenceAsk, EvidenceAnswer> {
    framework.asks().into_iter().map(|ask| (ask.clone(), answer(&ask, 100, 0, 0))).collect()
}

pub(crate) fn soc2() -> Framework {
    Framework::by_id("soc2").expect("it is built in")
}

/// A document of the built-in framework with some failures in it.
pub(crate) fn document() -> ReportDocument {
    let framework = soc2();
    let mut answers = clean(&framework);
    for (ask, found) in &mut answers {
        match ask.query {
            EvidenceQuery::IncidentsResolved => *found = answer(ask, 40, 0, 11),
            EvidenceQuery::RetentionRuns => *found = answer(ask, 0, 0, 0),
            EvidenceQuery::RegisterGaps => *found = answer(ask, 5, 2, 0),
            EvidenceQuery::RegisterApproved => *found = answer(ask, 0, 0, 0),
            _ => {}
        }
    }
    evaluate(&framework, scope(), &answers, &[], Some(charts()))
}

/// A report without controls.
pub(crate) fn sections_document(kind: ReportKind) -> ReportDocument {
    let table = Section {
        title: "By severity".to_owned(),
        text: vec!["A sentence.".to_owned()],
        figures: vec![
            Parameter::new("Time to resolve, median", "4 h 05 min"),
            Parameter::new("Incidents", "1234567"),
        ],
        caption: "Times".to_owned(),
        columns: vec!["severity".to_owned(), "incidents".to_owned()],
        rows: vec![vec!["high".to_owned(), "7654321".to_owned()]],
    };
    let parameters = vec![Parameter::new("the number of the incident", "12")];
    let sections = vec![table, Section { title: "Notes".to_owned(), ..Section::default() }];
    ReportDocument::of_sections(
        kind,
        "Key figures",
        "What it is for.",
        scope(),
        parameters,
        sections,
        Some(charts()),
    )
}

/// A document with `HOSTILE` text in every field that takes text.
pub(crate) fn hostile_document() -> ReportDocument {
    let all = HOSTILE.join(" ");
    let mut document = document();
    document.title.clone_from(&all);
    document.parameters = vec![Parameter::new(HOSTILE[6], all.clone())];
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
        for text in [&mut control.title, &mut control.text, &mut control.reason, &mut control.remedy] {
            text.clone_from(&all);
        }
        // What people say is theirs as well.
        control.proofs = vec![Proof {
            id: ProofId::at(at("2026-10-02T00:00:00Z")),
            framework: all.clone(),
            control: all.clone(),
            period: document.scope.period,
            statement: all.clone(),
            file: Some(ProofFile { name: HOSTILE[0].to_owned(), sha256: all.clone(), bytes: 7 }),
            owner: all.clone(),
            given_by: HOSTILE[9].to_owned(),
            given_at: at("2026-10-02T00:00:00Z"),
            expires_at: at("2027-10-02T00:00:00Z"),
        }];
        control.comments = vec![ControlComment {
            id: CommentId::at(at("2026-10-02T00:00:00Z")),
            key: None,
            framework: all.clone(),
            control: all.clone(),
            row: HOSTILE.map(str::to_owned).to_vec(),
            text: all.clone(),
            by: all.clone(),
            at: at("2026-10-02T00:00:00Z"),
        }];
        for check in &mut control.checks {
            for text in
                [&mut check.what, &mut check.reason, &mut check.rule, &mut check.basis, &mut check.text]
            {
                text.clone_from(&all);
            }
            check.parameters = vec![Parameter::new(all.clone(), all.clone())];
            check.columns = HOSTILE.map(str::to_owned).to_vec();
            check.rows = vec![HOSTILE.map(str::to_owned).to_vec(); 2];
            check.exceptions = 2;
            check.sample.columns = HOSTILE.map(str::to_owned).to_vec();
            check.sample.rows =
                vec![HOSTILE.map(str::to_owned).to_vec(); check.sample.positions.len().min(2)];
        }
    }
    for gap in &mut document.gaps {
        gap.control = HOSTILE[6].to_owned();
        for text in [&mut gap.lacks, &mut gap.remedy] {
            text.clone_from(&all);
        }
    }
    document.sections = vec![Section {
        title: all.clone(),
        text: vec![all.clone()],
        figures: vec![Parameter::new(HOSTILE[6], all.clone())],
        caption: all.clone(),
        columns: HOSTILE.map(str::to_owned).to_vec(),
        rows: vec![HOSTILE.map(str::to_owned).to_vec()],
    }];
    for series in document.charts.iter_mut().flat_map(|charts| &mut charts.by_category.series) {
        series.name = HOSTILE[10].to_owned();
    }
    document
}

/// A document whose first control has `n_rows` rows of evidence.
pub(crate) fn long_document(n_rows: u64) -> ReportDocument {
    let start = at("2026-10-01T00:00:00Z");
    let mut document = document();
    let control = &mut document.controls[0].checks[0];
    control.exceptions = n_rows;
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

/// An executive summary as the operations compose it; a crowded one is as full as it can get.
pub(crate) fn executive_document(crowded: bool) -> ReportDocument {
    let figures = [
        ("Events", "1234567890"),
        ("Failed sign-ins", "987654321"),
        ("New incidents", "12345"),
        ("Active at the end", "6789"),
        ("Time to acknowledge, median", "2 h 05 min"),
        ("Time to resolve, median", "11 d 03 h"),
        ("Acknowledged in time", "93.1 % (11498 of 12345)"),
        ("Resolved in time", "48.2 % (5951 of 12345)"),
    ];
    let long =
        |text: &str| if crowded { format!("{text}, {}", "and so on ".repeat(30)) } else { text.to_owned() };
    let severities = ["critical", "critical", "critical", "high", "high", "medium"];
    let rows = severities.iter().zip(0..).map(|(severity, n)| {
        vec![
            format!("{}", 1_204 + n),
            (*severity).to_owned(),
            long("SQL injection from 2001:db8:85a3::8a2e:370:7334"),
            if crowded { "bartholomew.featherstonehaugh@example.org".repeat(2) } else { "nobody".to_owned() },
            "2026-10-30T17:30:00Z".to_owned(),
        ]
    });
    let sections = vec![
        Section {
            title: "How it stands".to_owned(),
            text: vec![long("Threat level severe: 22 critical incidents are active, the oldest is #5.")],
            figures: figures.map(|(name, value)| Parameter::new(name, value)).to_vec(),
            caption: "Beside the period of equal length before".to_owned(),
            columns: ["figure", "this period", "period before", "change"].map(str::to_owned).to_vec(),
            rows: figures[..4]
                .iter()
                .map(|(name, now)| [name, now, "7654321", "+148.1 %"].map(str::to_owned).to_vec())
                .collect(),
        },
        Section {
            title: "To decide".to_owned(),
            text: vec![
                long("19 of 22 open incidents that are high or critical have nobody: who takes them?"),
                long(
                    "34 of 85 open incidents are late, the first since 2026-10-03T07:15:28Z: more people, or other deadlines?",
                ),
                long("5 of 12 judged incidents were false alarms: which rules are to be tuned?"),
            ],
            ..Section::default()
        },
        Section {
            title: "Open now".to_owned(),
            caption: "The most severe first, 6 of 85".to_owned(),
            columns: ["number", "severity", "title", "who", "resolve by"].map(str::to_owned).to_vec(),
            rows: rows.collect(),
            ..Section::default()
        },
    ];
    let mut charts = charts();
    let counts = [22_000, 1_100, 333, 23, 0];
    charts.incidents_by_severity = Severity::ALL
        .iter()
        .rev()
        .zip(counts)
        .map(|(severity, incidents)| SeverityCount { severity: *severity, incidents })
        .collect();
    charts.incidents_by_age = AGES
        .iter()
        .zip(counts)
        .map(|(age, incidents)| AgeCount { age: (*age).to_owned(), incidents })
        .collect();
    let mut scope = scope();
    scope.organisation = long("Example Ltd");
    ReportDocument::of_sections(
        ReportKind::Executive,
        "Executive summary",
        "One page for those who decide.",
        scope,
        Vec::new(),
        sections,
        Some(charts),
    )
}
