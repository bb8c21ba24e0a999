//! The sections of the report: summary, activity, controls, how to read it.

use watchpost_model::event::Severity;

use crate::ReportError;
use crate::document::{ControlResult, ReportDocument, State};
use crate::pdf::flow::{Flow, Target, baseline};
use crate::pdf::fonts::Face;
use crate::pdf::front::short;
use crate::pdf::plots::{Legend, by_name, over_time, thousands};
use crate::pdf::table::table;
use crate::pdf::theme::{
    ACCENT, ALARM, BODY, FIGURE, H1, H2, H3, HAIRLINE, INK, Ink, LABEL, MARGIN_X, MUTED, SERIES, SMALL, Type,
    WIDTH, state_ink,
};

pub(crate) const SUMMARY: &str = "Summary";
pub(crate) const ACTIVITY: &str = "Activity in the period";
pub(crate) const CONTROLS: &str = "Controls and evidence";
pub(crate) const READING: &str = "How to read this report";

const LABEL_W: f32 = 62.0;

/// Sets all sections.
pub(crate) fn body(flow: &mut Flow<'_>, document: &ReportDocument) -> Result<(), ReportError> {
    summary(flow, document)?;
    activity(flow, document)?;
    section(flow, CONTROLS);
    for (index, control) in document.controls.iter().enumerate() {
        one_control(flow, index, control);
    }
    reading(flow);
    Ok(())
}

fn section(flow: &mut Flow<'_>, title: &'static str) {
    flow.new_page();
    flow.mark(Target::Section(title));
    flow.line(title, H1, MARGIN_X);
    flow.gap(10.0);
}

fn summary(flow: &mut Flow<'_>, document: &ReportDocument) -> Result<(), ReportError> {
    section(flow, SUMMARY);
    let counts = document.summary;
    let judged = counts.pass + counts.warn + counts.fail;
    let words = format!(
        "Of {} controls, {judged} could be judged by data: {} passed, {} warn and {} failed. {} had too little data and \
         {} are for a person to attest.",
        document.controls.len(),
        counts.pass,
        counts.warn,
        counts.fail,
        counts.no_data,
        counts.manual,
    );
    flow.paragraph(&words, BODY);
    flow.gap(6.0);
    let note = flow.fonts.drawable(&document.framework.note);
    flow.paragraph(&note, BODY.in_ink(MUTED));
    flow.gap(20.0);
    let rows: Vec<(String, u64, Ink)> = State::READING_ORDER
        .into_iter()
        .map(|state| (state.title().to_owned(), u64::from(counts.of(state)), state_ink(state)))
        .collect();
    by_name(flow, "Controls by state", &rows)?;
    let urgent: Vec<&ControlResult> = document
        .controls
        .iter()
        .filter(|control| matches!(control.state, State::Fail | State::Warn))
        .collect();
    flow.need(60.0);
    flow.line("What needs attention", H3, MARGIN_X);
    flow.gap(6.0);
    if urgent.is_empty() {
        flow.paragraph("No control failed or warns.", BODY.in_ink(MUTED));
    }
    for state in [State::Fail, State::Warn] {
        for control in urgent.iter().filter(|control| control.state == state) {
            attention(flow, control);
        }
    }
    Ok(())
}

fn attention(flow: &mut Flow<'_>, control: &ControlResult) {
    let x = MARGIN_X + 86.0;
    let width = WIDTH - 86.0;
    let title = flow.fonts.drawable(&control.title);
    let reason = flow.fonts.drawable(&control.reason);
    let strong = Type { face: Face::Bold, ..BODY };
    let small = SMALL;
    flow.need(flow.height(&title, strong, width) + flow.height(&reason, small, width) + 14.0);
    let (fonts, top) = (flow.fonts, flow.y);
    let id = Type { size: 8.4, ..strong }.in_ink(ACCENT);
    let shown = short(fonts, &control.id, id, 60.0, 1);
    let page = flow.page();
    page.rule((MARGIN_X, top), WIDTH, 0.4, HAIRLINE);
    page.state_mark((MARGIN_X + 5.0, top + 12.2), 9.4, control.state);
    page.text(fonts, (MARGIN_X + 17.0, baseline(top + 5.0, strong)), &shown[0], id);
    flow.y += 5.0;
    flow.column(&title, strong, x, width);
    flow.column(&reason, small, x, width);
    flow.y += 5.0;
}

fn activity(flow: &mut Flow<'_>, document: &ReportDocument) -> Result<(), ReportError> {
    section(flow, ACTIVITY);
    let charts = &document.charts;
    let named = |flow: &Flow<'_>, name: &str, ink: Ink| Legend {
        name: flow.fonts.drawable(&name.replace('_', " ").chars().take(40).collect::<String>()),
        ink,
    };
    let outcomes: Vec<Legend> = charts
        .authentication
        .series
        .iter()
        .enumerate()
        .map(|(index, series)| {
            let ink = match series.name.as_str() {
                "failure" => ALARM,
                "success" => SERIES[3],
                _ => SERIES[5 - index % 2],
            };
            named(flow, &series.name, ink)
        })
        .collect();
    over_time(flow, "Authentication", &charts.authentication, &outcomes)?;
    let categories: Vec<Legend> = charts
        .by_category
        .series
        .iter()
        .enumerate()
        .map(|(index, series)| named(flow, &series.name, SERIES[index % SERIES.len()]))
        .collect();
    over_time(flow, "Events by category", &charts.by_category, &categories)?;
    let severities: Vec<(String, u64, Ink)> = Severity::ALL
        .iter()
        .rev()
        .map(|severity| {
            let counts = charts.incidents_by_severity.iter().filter(|count| count.severity == *severity);
            (
                title_case(severity.as_str()),
                counts.map(|count| count.incidents).sum(),
                severity_ink(*severity),
            )
        })
        .collect();
    by_name(flow, "Incidents in the period, by severity", &severities)
}

const fn severity_ink(severity: Severity) -> Ink {
    match severity {
        Severity::Critical => Ink(0x7d, 0x14, 0x12),
        Severity::High => Ink(0xb8, 0x4a, 0x1c),
        Severity::Medium => Ink(0xd9, 0x96, 0x3b),
        Severity::Low => Ink(0x7f, 0xb2, 0xc6),
        Severity::Info => Ink(0xb9, 0xc3, 0xcc),
    }
}

fn title_case(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn one_control(flow: &mut Flow<'_>, index: usize, control: &ControlResult) {
    let title = flow.fonts.drawable(&control.title);
    let text = flow.fonts.drawable(&control.text);
    let head = 18.0 + flow.height(&title, H2, WIDTH) + flow.height(&text, BODY, WIDTH) + 60.0;
    flow.need(head + 90.0);
    if index > 0 {
        flow.gap(12.0);
    }
    flow.mark(Target::Control(index));
    let (fonts, top) = (flow.fonts, flow.y);
    let strong = Type { face: Face::Bold, ..BODY };
    let id = short(fonts, &control.id, strong, WIDTH - 90.0, 1);
    let state = strong.in_ink(state_ink(control.state));
    let page = flow.page();
    page.rule((MARGIN_X, top), WIDTH, 0.9, INK);
    let line = baseline(top + 7.0, strong);
    page.text(fonts, (MARGIN_X, line), &id[0], strong.in_ink(ACCENT));
    let width = page.text_right(fonts, (MARGIN_X + WIDTH, line), control.state.title(), state);
    page.state_mark((MARGIN_X + WIDTH - width - 10.0, top + 14.0), 10.0, control.state);
    flow.y += 24.0;
    flow.paragraph(&title, H2);
    flow.gap(3.0);
    flow.paragraph(&text, BODY.in_ink(MUTED));
    flow.gap(10.0);
    if control.query.is_some() {
        figures(flow, control);
    }
    for (name, value) in [
        ("Finding", &control.reason),
        ("Rule", &control.rule),
        ("Counted", &control.basis),
        ("Remedy", &control.remedy),
    ] {
        definition(flow, name, value);
    }
    if let Some(attest) = &control.attest {
        sign_off(flow, attest);
    }
    evidence(flow, control);
    flow.gap(22.0);
}

/// The numbers of a control in a strip.
fn figures(flow: &mut Flow<'_>, control: &ControlResult) {
    let share = match control.population {
        0 => "-".to_owned(),
        population => format!("{:.1} %", control.exceptions as f64 * 100.0 / population as f64),
    };
    let question = control.query.map_or("", |query| query.as_str()).replace('_', " ");
    let cells = [
        ("Looked at", thousands(control.population), FIGURE),
        ("Exceptions", thousands(control.exceptions), FIGURE),
        ("Share", share, FIGURE),
        ("Question", question, BODY),
    ];
    flow.need(46.0);
    let (fonts, top) = (flow.fonts, flow.y);
    for (column, (name, value, kind)) in cells.into_iter().enumerate() {
        let x = MARGIN_X + 102.0 * column as f32;
        let page = flow.page();
        page.text(fonts, (x, baseline(top, LABEL)), name, LABEL);
        page.text(fonts, (x, top + 26.4), &value, kind);
    }
    flow.y += 41.0;
}

/// A name on the left, a text on the right.
fn definition(flow: &mut Flow<'_>, name: &'static str, value: &str) {
    if value.is_empty() {
        return;
    }
    let text = flow.fonts.drawable(value);
    let kind = Type { size: 8.8, leading: 12.8, ..BODY };
    flow.need(kind.leading * 2.0);
    let (fonts, top) = (flow.fonts, flow.y);
    let y = baseline(top + (kind.leading - LABEL.leading) / 2.0, LABEL);
    flow.page().text(fonts, (MARGIN_X, y), name, LABEL);
    flow.column(&text, kind, MARGIN_X + LABEL_W, WIDTH - LABEL_W);
    flow.y += 4.0;
}

/// A box for a person to fill in by hand.
fn sign_off(flow: &mut Flow<'_>, attest: &str) {
    definition(flow, "To attest", attest);
    flow.need(64.0);
    flow.gap(8.0);
    let (fonts, top) = (flow.fonts, flow.y);
    let width = (WIDTH - LABEL_W - 2.0 * 18.0) / 3.0;
    for (index, name) in ["Name", "Signature", "Date"].into_iter().enumerate() {
        let x = MARGIN_X + LABEL_W + (width + 18.0) * index as f32;
        let page = flow.page();
        page.rule((x, top + 26.0), width, 0.5, MUTED);
        page.text(fonts, (x, top + 36.0), name, LABEL);
    }
    flow.y += 46.0;
}

fn evidence(flow: &mut Flow<'_>, control: &ControlResult) {
    if control.rows.is_empty() {
        return;
    }
    flow.gap(8.0);
    let n = thousands(control.rows.len());
    let caption = if control.exceptions > 0 {
        format!("Exceptions, oldest first: {n} of {} shown", thousands(control.exceptions))
    } else {
        format!(
            "No exceptions; the newest of what was looked at: {n} of {} shown",
            thousands(control.population)
        )
    };
    let id = short(flow.fonts, &control.id, SMALL, WIDTH / 2.0, 1);
    let caption = format!("{}  ·  {caption}", id[0]);
    table(flow, &caption, &control.columns, &control.rows);
}

fn reading(flow: &mut Flow<'_>) {
    section(flow, READING);
    for state in State::READING_ORDER {
        flow.need(BODY.leading + 4.0);
        let (fonts, top) = (flow.fonts, flow.y);
        let strong = Type { face: Face::Bold, ..BODY };
        let page = flow.page();
        page.state_mark((MARGIN_X + 5.0, top + 7.0), 9.4, state);
        page.text(fonts, (MARGIN_X + 17.0, baseline(top, strong)), state.title(), strong);
        flow.column(state.meaning(), BODY, MARGIN_X + 78.0, WIDTH - 78.0);
        flow.y += 5.0;
    }
    flow.gap(12.0);
    let texts = [
        (
            "Evidence, not a certificate",
            "The report shows what the monitored applications and Watchpost recorded. It does not say that an \
             organisation complies: the design of controls, policies and training are judged by people.",
        ),
        (
            "The period",
            "Times are UTC. The period includes its first instant and excludes its last, so that consecutive reports \
             neither overlap nor leave a gap.",
        ),
        (
            "Checking this report",
            "The JSON file of the same report is the original; its SHA-256 is printed on the cover and at the foot of \
             each page, and sha256sum of that file returns it. Made again for the same period and the same size of the \
             audit log, the figures are the same. The size and root of the audit log tie the report to the records \
             that existed when it was made.",
        ),
        (
            "Text from outside",
            "Names, addresses and paths in the tables were written by whoever used the applications, attackers \
             included. Control characters and characters that change the direction of writing are shown as escapes \
             such as \\u{202e}.",
        ),
    ];
    for (title, text) in texts {
        flow.need(BODY.leading * 3.0);
        flow.line(title, H3, MARGIN_X);
        flow.paragraph(text, BODY);
        flow.gap(10.0);
    }
    if let Some(text) = shortfall(flow.fonts.substituted(), flow.fonts.cut()) {
        flow.need(BODY.leading * 4.0);
        flow.line("What this PDF could not show", H3, MARGIN_X);
        flow.paragraph(&text, BODY);
    }
}

/// What the fonts lacked and what was too long, in words; nothing if all is shown.
fn shortfall(substituted: u64, cut: u64) -> Option<String> {
    let count = |n: u64, one: &str, many: &str| match n {
        0 => None,
        1 => Some(format!("1 {one}")),
        n => Some(format!("{} {many}", thousands(n))),
    };
    let lacking = count(
        substituted,
        "character that the fonts of this PDF lack is written as \\u{...}",
        "characters that the fonts of this PDF lack are written as \\u{...}",
    );
    let short = count(cut, "text was shortened to fit", "texts were shortened to fit");
    let parts: Vec<String> = lacking.into_iter().chain(short).collect();
    (!parts.is_empty())
        .then(|| format!("{}. The JSON file holds every text as it was stored.", parts.join(", and ")))
}
