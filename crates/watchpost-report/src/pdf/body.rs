//! The sections of the report: summary, activity, controls, how to read it.

use chrono::{DateTime, Utc};
use watchpost_model::event::Severity;
use watchpost_model::overview::{Histogram, Series};

use crate::ReportError;
use crate::charts::{WEEKDAYS, drawn, end_at};
use crate::document::{ChartData, ControlResult, ReportDocument, ReportKind, Section, State};
use crate::pdf::control::one_control;
use crate::pdf::flow::{Flow, Target, baseline};
use crate::pdf::fonts::{Face, Fonts};
use crate::pdf::front::short;
use crate::pdf::plots::{BAR_H, Legend, backlog, by_name, grouped, heat, over_time};
use crate::pdf::shape::code;
use crate::pdf::structure::Role;
use crate::pdf::table::table;
use crate::pdf::theme::{
    ACCENT, ALARM, BODY, BOTTOM, CALLOUT, CALM, FIGURE, H1, H3, HAIRLINE, INK, Ink, LABEL, MARGIN_X, MUTED,
    NEITHER, SERIES, SMALL, STACK, TOP, Type, WIDTH, state_ink,
};
use crate::wording::{day_and_time, outcome, thousands};

pub(crate) const SUMMARY: &str = "Summary";
pub(crate) const ACTIVITY: &str = "Activity in the period";
pub(crate) const CONTROLS: &str = "Controls and evidence";
pub(crate) const GAPS: &str = "Gaps";
pub(crate) const READING: &str = "How to read this report";
/// More code points are not listed.
const CODES_MAX: usize = 60;
const SAMPLES: &str = "The samples";
/// How high the charts of the activity are: all stand on one page.
const ACTIVITY_H: f32 = 96.0;
/// Between two charts side by side.
const GUTTER: f32 = 26.0;

/// Sets all sections.
pub(crate) fn body(flow: &mut Flow<'_>, document: &ReportDocument) -> Result<(), ReportError> {
    let controls = !document.controls.is_empty() || document.kind == ReportKind::Framework;
    if controls {
        summary(flow, document)?;
        gaps(flow, document);
    }
    for (index, part) in document.sections.iter().enumerate() {
        if index == 0 {
            flow.new_page();
        }
        one_section(flow, document, index, part)?;
    }
    if let Some(charts) = drawn(document) {
        section(flow, ACTIVITY);
        activity(flow, &charts)?;
    }
    if controls {
        section_below(flow, CONTROLS);
    }
    for (index, control) in document.controls.iter().enumerate() {
        if flow.stopped {
            return Ok(());
        }
        one_control(flow, index, control);
    }
    reading(flow, document, controls);
    Ok(())
}

fn one_section(
    flow: &mut Flow<'_>,
    document: &ReportDocument,
    index: usize,
    part: &Section,
) -> Result<(), ReportError> {
    let kind = document.kind;
    let mut course = (kind == ReportKind::Kpi).then(|| course(part, document.scope.period.from)).flatten();
    if let Some(course) = &mut course {
        end_at(course, document.scope.generated_at);
    }
    flow.need(if course.is_some() { 300.0 } else { 150.0 });
    if !flow.at_top() {
        flow.gap(16.0);
    }
    flow.mark(Target::Part(index));
    let title = flow.fonts.drawable(&part.title);
    flow.heading(2, &title, H1);
    flow.gap(8.0);
    if let Some(course) = course {
        backlog(flow, &course)?;
    }
    if kind == ReportKind::Breach && index == 0 {
        // A draft that is taken for a finished notice does harm: its warnings stand out.
        for text in &part.text {
            callout(flow, text);
        }
        part_body(flow, &Section { text: Vec::new(), ..part.clone() });
    } else {
        part_body(flow, part);
    }
    Ok(())
}

/// What nobody may overlook: beside a bar, on a tint.
fn callout(flow: &mut Flow<'_>, text: &str) {
    let text = flow.fonts.drawable(text);
    let (x, width) = (MARGIN_X + 14.0, WIDTH - 26.0);
    let height = flow.height(&text, BODY, width) + 14.0;
    flow.need(height);
    let top = flow.y;
    let page = flow.page();
    page.fill_rect((MARGIN_X, top), (WIDTH, height), CALLOUT);
    page.fill_rect((MARGIN_X, top), (3.0, height), ALARM);
    flow.y += 7.0;
    flow.column(&text, BODY, x, width);
    flow.y = top + height + 8.0;
}

/// The table of what stood open after each step as a course over time; `None` for any other table.
///
/// The first step is whole, or the only one: the last one may be cut short.
fn course(part: &Section, from: DateTime<Utc>) -> Option<Histogram> {
    if part.columns != ["until", "opened", "resolved", "active"] {
        return None;
    }
    let ends: Vec<DateTime<Utc>> = part
        .rows
        .iter()
        .map(|row| DateTime::parse_from_rfc3339(row.first()?).ok().map(|at| at.to_utc()))
        .collect::<Option<_>>()?;
    let counts = part.rows.iter().map(|row| row.get(3)?.parse().ok()).collect::<Option<Vec<u64>>>()?;
    let step = *ends.first()? - from;
    Some(Histogram {
        start: from,
        bucket_s: step.num_seconds().unsigned_abs(),
        series: vec![Series::new("active", counts)],
    })
}

pub(crate) fn part_body(flow: &mut Flow<'_>, part: &Section) {
    for text in &part.text {
        let text = flow.fonts.drawable(text);
        flow.paragraph(&text, BODY);
        flow.gap(6.0);
    }
    if !part.figures.is_empty() {
        flow.gap(4.0);
        for four in part.figures.chunks(4) {
            let cells: Vec<(String, String, Type)> = four
                .iter()
                .map(|figure| {
                    let value = grouped(&flow.fonts.drawable(&figure.value));
                    (flow.fonts.drawable(&figure.name), value, FIGURE)
                })
                .collect();
            strip(flow, &cells, WIDTH / 4.0);
        }
        flow.gap(4.0);
    }
    if !part.columns.is_empty() {
        let caption = flow.fonts.drawable(&part.caption);
        if part.rows.is_empty() {
            flow.paragraph(&format!("{caption}: none."), BODY.in_ink(MUTED));
        } else {
            table(flow, &caption, &part.columns, &part.rows);
        }
        flow.gap(14.0);
    }
}

/// Controls that nothing shows, and what to do about it.
fn gaps(flow: &mut Flow<'_>, document: &ReportDocument) {
    if document.gaps.is_empty() {
        return;
    }
    if flow.at_top() {
        section(flow, GAPS);
    } else {
        flow.need(220.0);
        flow.gap(34.0);
        flow.mark(Target::Section(GAPS));
        flow.heading(2, GAPS, H1);
        flow.gap(10.0);
    }
    flow.paragraph(
        "Nothing in the data and nobody's statement shows how these controls stand. Where something should or had to \
         happen and did not, the state is warn or fail and counts as that; no data and manual count neither for nor \
         against.",
        BODY,
    );
    flow.gap(10.0);
    let columns = ["control", "state", "lacks", "what to do"].map(str::to_owned);
    let rows: Vec<Vec<String>> = document
        .gaps
        .iter()
        .map(|gap| {
            let state = document.state_of(gap).title().to_owned();
            vec![gap.control.clone(), state, gap.lacks.clone(), gap.remedy.clone()]
        })
        .collect();
    table(flow, "Controls without evidence", &columns, &rows);
}

/// Begins a section on a new page.
fn section(flow: &mut Flow<'_>, title: &'static str) {
    flow.new_page();
    begin(flow, title);
}

/// Begins a section: on a new page, unless the one at hand is mostly empty.
fn section_below(flow: &mut Flow<'_>, title: &'static str) {
    if flow.y > TOP + (BOTTOM - TOP) * 0.45 {
        flow.new_page();
    }
    flow.gap(34.0);
    begin(flow, title);
}

fn begin(flow: &mut Flow<'_>, title: &'static str) {
    flow.mark(Target::Section(title));
    flow.heading(2, title, H1);
    flow.gap(10.0);
}

fn summary(flow: &mut Flow<'_>, document: &ReportDocument) -> Result<(), ReportError> {
    section(flow, SUMMARY);
    let counts = document.summary;
    let words = outcome(counts, document.controls.len());
    flow.paragraph(&words, BODY);
    flow.gap(6.0);
    let note = flow.fonts.drawable(&document.framework.note);
    flow.paragraph(&note, BODY.in_ink(MUTED));
    flow.gap(20.0);
    let rows: Vec<(String, u64, Ink)> = State::READING_ORDER
        .into_iter()
        .map(|state| (state.title().to_owned(), u64::from(counts.of(state)), state_ink(state)))
        .collect();
    by_name(flow, "Controls by state", &rows, BAR_H)?;
    let urgent: Vec<&ControlResult> = document
        .controls
        .iter()
        .filter(|control| matches!(control.state, State::Fail | State::Warn))
        .collect();
    flow.need(60.0);
    flow.heading(3, "What needs attention", H3);
    flow.gap(6.0);
    if urgent.is_empty() {
        flow.paragraph("No control failed or warned.", BODY.in_ink(MUTED));
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
    flow.part(Role::Paragraph, |flow| {
        let page = flow.page();
        page.rule((MARGIN_X, top), WIDTH, 0.4, HAIRLINE);
        page.state_mark((MARGIN_X + 5.0, top + 12.2), 9.4, control.state);
        page.text(fonts, (MARGIN_X + 17.0, baseline(top + 5.0, strong)), &format!("{} ", shown[0]), id);
        flow.y += 5.0;
        flow.column(&format!("{title} "), strong, x, width);
        flow.column(&reason, small, x, width);
    });
    flow.y += 5.0;
}

fn named(flow: &Flow<'_>, name: &str, ink: Ink) -> Legend {
    Legend { name: flow.fonts.drawable(&name.replace('_', " ").chars().take(40).collect::<String>()), ink }
}

pub(crate) fn outcome_legend(flow: &Flow<'_>, charts: &ChartData) -> Vec<Legend> {
    charts
        .authentication
        .series
        .iter()
        .enumerate()
        .map(|(index, series)| {
            let ink = match series.name.as_str() {
                "failure" => ALARM,
                "success" => CALM,
                _ => NEITHER[index % NEITHER.len()],
            };
            named(flow, &series.name, ink)
        })
        .collect()
}

pub(crate) fn severity_rows(charts: &ChartData) -> Vec<(String, u64, Ink)> {
    Severity::ALL
        .iter()
        .rev()
        .map(|severity| {
            let counts = charts.incidents_by_severity.iter().filter(|count| count.severity == *severity);
            let n = counts.map(|count| count.incidents).sum();
            (title_case(severity.as_str()), n, severity_ink(*severity))
        })
        .collect()
}

/// Active incidents by age, oldest last.
pub(crate) fn age_rows(flow: &Flow<'_>, charts: &ChartData) -> Vec<(String, u64, Ink)> {
    charts
        .incidents_by_age
        .iter()
        .zip(SERIES.iter().rev())
        .map(|(count, ink)| (flow.fonts.drawable(&count.age), count.incidents, *ink))
        .collect()
}

fn activity(flow: &mut Flow<'_>, charts: &ChartData) -> Result<(), ReportError> {
    over_time(flow, "Authentication", &charts.authentication, &outcome_legend(flow, charts), ACTIVITY_H)?;
    let categories: Vec<Legend> = charts
        .by_category
        .series
        .iter()
        .enumerate()
        .map(|(index, series)| named(flow, &series.name, SERIES[STACK[index % STACK.len()]]))
        .collect();
    over_time(flow, "Events by category", &charts.by_category, &categories, ACTIVITY_H)?;
    incidents(flow, charts)?;
    heat(flow, "Events by day of the week and hour, UTC", &WEEKDAYS, &charts.by_hour)
}

/// How severe the incidents were, and beside it how old those are that are active.
fn incidents(flow: &mut Flow<'_>, charts: &ChartData) -> Result<(), ReportError> {
    let (severities, ages) = (severity_rows(charts), age_rows(flow, charts));
    let n_rows = severities.len().max(ages.len());
    flow.need(BAR_H * n_rows as f32 + 44.0);
    let (top, width) = (flow.y, (WIDTH - GUTTER) / 2.0);
    flow.within(MARGIN_X, width, |flow| {
        by_name(flow, "Incidents in the period, by severity", &severities, BAR_H)
    })?;
    if ages.is_empty() {
        return Ok(());
    }
    let bottom = flow.y;
    flow.y = top;
    flow.within(MARGIN_X + width + GUTTER, width, |flow| {
        by_name(flow, "Active incidents at the end, by age", &ages, BAR_H)
    })?;
    flow.y = flow.y.max(bottom);
    Ok(())
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

/// Named figures side by side.
pub(crate) fn strip(flow: &mut Flow<'_>, cells: &[(String, String, Type)], step: f32) {
    let fonts = flow.fonts;
    let names: Vec<Vec<String>> =
        cells.iter().map(|(name, _, _)| short(fonts, name, LABEL, step - 8.0, 2)).collect();
    let values: Vec<(String, Option<String>)> =
        cells.iter().map(|(_, value, _)| day_and_time(value)).collect();
    let has_time = values.iter().any(|(_, time)| time.is_some());
    // A second line of a name, and a time of day, move what is below them in all columns.
    let head = names.iter().map(Vec::len).max().unwrap_or(1).saturating_sub(1) as f32 * LABEL.leading;
    let foot = if has_time { SMALL.leading } else { 0.0 };
    flow.need(46.0 + head + foot);
    let top = flow.y;
    for (column, ((_, _, kind), (value, time))) in cells.iter().zip(values).enumerate() {
        let x = MARGIN_X + step * column as f32;
        // A long value is set smaller before it is cut.
        let kind = match fonts.width(&value, kind.face, kind.size) {
            width if width > step - 8.0 => {
                Type { size: (kind.size * (step - 8.0) / width).max(7.0), ..*kind }
            }
            _ => *kind,
        };
        let value = short(fonts, &value, kind, step - 6.0, 1);
        flow.part(Role::Paragraph, |flow| {
            let page = flow.page();
            for (n, line) in names[column].iter().enumerate() {
                let at = baseline(top, LABEL) + n as f32 * LABEL.leading;
                page.text(fonts, (x, at), &format!("{line} "), LABEL);
            }
            page.text(fonts, (x, top + head + 26.4), &format!("{} ", value[0]), kind);
            if let Some(time) = &time {
                page.text(fonts, (x, top + head + 26.4 + SMALL.leading), time, SMALL.in_ink(INK));
            }
        });
    }
    flow.y += 41.0 + head + foot;
}

fn reading(flow: &mut Flow<'_>, document: &ReportDocument, controls: bool) {
    let mut checks = document.controls.iter().flat_map(|control| &control.checks);
    let has_sample = checks.any(|check| !check.sample.rows.is_empty());
    section_below(flow, READING);
    for state in State::READING_ORDER.into_iter().filter(|_| controls) {
        flow.need(BODY.leading + 4.0);
        let (fonts, top) = (flow.fonts, flow.y);
        let strong = Type { face: Face::Bold, ..BODY };
        flow.part(Role::Paragraph, |flow| {
            let page = flow.page();
            page.state_mark((MARGIN_X + 5.0, top + 7.0), 9.4, state);
            let word = format!("{} ", state.title());
            page.text(fonts, (MARGIN_X + 17.0, baseline(top, strong)), &word, strong);
            flow.column(state.meaning(), BODY, MARGIN_X + 78.0, WIDTH - 78.0);
        });
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
             each page, and sha256sum of that file returns it. “watchpost report verify FILE” checks it by itself and \
             against the audit trail. It holds every row and every question as the database was asked it. Made again for the same period and the same size of the \
             audit log, the figures are the same. The size and root of the audit log tie the report to the records \
             that existed when it was made.",
        ),
        (
            SAMPLES,
            "A sample is drawn by chance that nobody can choose: SHA-256 over the root of the log, the framework, the \
             question with its parameters and the bounds of the period is its seed; SHA-256 over the seed and a counter \
             gives the places. Places count from 0 in the order of time, or of number where there is one.",
        ),
        (
            "Text from outside",
            "Names, addresses and paths in the tables were written by whoever used the applications, attackers \
             included. Control characters and characters that change the direction of writing are shown as escapes \
             such as \\u{202e}.",
        ),
    ];
    for (title, text) in texts.into_iter().filter(|(title, _)| has_sample || *title != SAMPLES) {
        flow.need(BODY.leading * 3.0);
        flow.heading(3, title, H3);
        flow.paragraph(text, BODY);
        flow.gap(10.0);
    }
    if let Some(text) = shortfall(flow.fonts) {
        flow.need(BODY.leading * 4.0);
        flow.heading(3, "What this PDF could not show", H3);
        flow.paragraph(&text, BODY);
    }
}

/// What the fonts lacked and what was too long, in words; nothing if all is shown.
pub(crate) fn shortfall(fonts: &Fonts) -> Option<String> {
    let count = |n: u64, one: &str, many: &str| match n {
        0 => None,
        1 => Some(format!("1 {one}")),
        n => Some(format!("{} {many}", thousands(n))),
    };
    let lacking = count(
        fonts.substituted(),
        "character that the fonts of this PDF lack is drawn as a box with its code point",
        "characters that the fonts of this PDF lack are drawn as boxes with their code points",
    );
    let short = count(fonts.cut(), "text was shortened to fit", "texts were shortened to fit");
    let parts: Vec<String> = lacking.into_iter().chain(short).collect();
    let codes: Vec<String> = fonts.lacking().into_iter().map(|ch| format!("U+{}", code(ch))).collect();
    let listed = match codes.len() {
        0 => String::new(),
        n if n > CODES_MAX => format!(" {} and {} more.", codes[..CODES_MAX].join(", "), n - CODES_MAX),
        _ => format!(" {}.", codes.join(", ")),
    };
    (!parts.is_empty()).then(|| {
        format!("{}.{listed} The JSON file holds every text as it was stored.", parts.join(", and "))
    })
}
