//! The executive summary: everything on one page. What does not fit is set tighter, then shortened, and said to be.

use crate::ReportError;
use crate::charts::drawn;
use crate::document::{ChartData, Parameter, ReportDocument, Section};
use crate::pdf::GoOn;
use crate::pdf::body::{SUMMARY, age_rows, outcome_legend, part_body, severity_rows, shortfall};
use crate::pdf::flow::{Flow, Target, baseline};
use crate::pdf::fonts::{Face, Fonts};
use crate::pdf::front::{bounds, made_words, short};
use crate::pdf::plots::{by_name, grouped, over_time};
use crate::pdf::structure::{Role, Structure};
use crate::pdf::table::table;
use crate::pdf::theme::{
    ACCENT, BODY, FIGURE, H1, H3, HAIRLINE, INK, LABEL, MARGIN_X, MUTED, SMALL, TINT, Type, WIDTH,
};
use crate::wording::{counted, unfinished};

/// The heads of a table that tells each figure beside the one of the period before; it is set below the figures.
const COMPARED: [&str; 4] = ["figure", "this period", "period before", "change"];
/// Between two columns.
const GUTTER: f32 = 26.0;
/// What is said first.
const LEADING: Type = Type { size: 11.0, leading: 16.0, ..BODY };
/// A figure of the page.
const BIG: Type = Type { size: 19.0, leading: 24.0, ..FIGURE };

/// How tightly the page is set.
struct Density {
    chart: f32,
    bar: f32,
    /// Lines of a cell, and of a sentence.
    lines: usize,
    gap: f32,
}

/// From how it looks best to how the most fits.
const DENSITIES: [Density; 7] = [
    Density { chart: 118.0, bar: 14.0, lines: 3, gap: 18.0 },
    Density { chart: 106.0, bar: 13.0, lines: 2, gap: 15.0 },
    Density { chart: 94.0, bar: 12.0, lines: 2, gap: 12.0 },
    Density { chart: 82.0, bar: 10.5, lines: 2, gap: 10.0 },
    Density { chart: 76.0, bar: 10.0, lines: 1, gap: 10.0 },
    Density { chart: 66.0, bar: 9.0, lines: 1, gap: 6.0 },
    Density { chart: 44.0, bar: 8.0, lines: 1, gap: 2.0 },
];

/// The page, as loose as what stands on it allows.
pub(crate) fn page<'f>(
    fonts: &'f Fonts,
    document: &ReportDocument,
    go_on: GoOn<'f>,
) -> Result<Flow<'f>, ReportError> {
    let counted = (fonts.substituted(), fonts.cut());
    let try_with = |density: &Density| {
        fonts.forget_since(counted);
        let mut flow = Flow::new(fonts, Structure::default(), go_on);
        flow.cell_lines = density.lines;
        set(&mut flow, document, density)?;
        Ok(flow)
    };
    let [looser @ .., tightest] = &DENSITIES;
    for density in looser {
        let flow = try_with(density)?;
        if flow.pages.len() == 1 {
            return Ok(flow);
        }
    }
    try_with(tightest)
}

fn set(flow: &mut Flow<'_>, document: &ReportDocument, density: &Density) -> Result<(), ReportError> {
    head(flow, document);
    for (index, part) in document.sections.iter().enumerate() {
        flow.gap(density.gap);
        if index == 0 {
            first(flow, part, density);
            if let Some(charts) = drawn(document) {
                flow.gap(density.gap);
                pictures(flow, &charts, density)?;
            }
        } else {
            further(flow, part, density);
        }
    }
    flow.gap(density.gap * 0.6);
    origin(flow, document);
    if let Some(text) = shortfall(flow.fonts) {
        flow.gap(6.0);
        flow.paragraph(&text, SMALL);
    }
    Ok(())
}

/// How the page came to be and how to check it: there is no cover that says it.
fn origin(flow: &mut Flow<'_>, document: &ReportDocument) {
    let (fonts, scope) = (flow.fonts, &document.scope);
    let tiny = Type { size: 7.2, leading: 9.8, ..SMALL };
    let code = Type { face: Face::Mono, size: 6.8, ..tiny };
    let label_w = 52.0;
    let log = format!("{}, {}, with the root", scope.log.id, counted(scope.log.size, "record"));
    let check = "The JSON file is the original; the SHA-256 below is of it. “watchpost report verify FILE” checks it.";
    let mut lines = vec![("Made", made_words(scope), tiny), ("Status", document.standing.line(), tiny)];
    let whole = format!("{log} {}", scope.log.root);
    if fonts.width(&fonts.drawable(&whole), tiny.face, tiny.size) <= WIDTH - label_w {
        lines.push(("Audit log", whole, tiny));
    } else {
        lines.extend([("Audit log", log, tiny), ("", scope.log.root.clone(), code)]);
    }
    lines.push(("To check", check.to_owned(), tiny));
    flow.need(3.0 + lines.iter().map(|(_, _, kind)| kind.leading).sum::<f32>());
    let top = flow.y;
    flow.page().rule((MARGIN_X, top), WIDTH, 0.4, HAIRLINE);
    flow.y += 3.0;
    for (name, words, kind) in lines {
        let words = short(fonts, &words, kind, WIDTH - label_w, 1);
        let y = flow.y;
        flow.part(Role::Paragraph, |flow| {
            if !name.is_empty() {
                flow.page().text(
                    fonts,
                    (MARGIN_X, baseline(y, tiny)),
                    &format!("{name} "),
                    Type { ink: INK, ..tiny },
                );
            }
            flow.line(&words[0], kind, MARGIN_X + label_w);
        });
    }
}

fn head(flow: &mut Flow<'_>, document: &ReportDocument) {
    let fonts = flow.fonts;
    flow.mark(Target::Section(SUMMARY));
    let title = short(fonts, &document.title, H1, WIDTH, 1);
    flow.heading(1, title[0].trim_end(), H1);
    let period = bounds(document);
    let room = WIDTH - fonts.width(&period, BODY.face, BODY.size) - 14.0;
    let who = short(fonts, &document.scope.organisation, BODY, room, 1);
    flow.paragraph(&format!("{}, {period}", who[0].trim_end()), BODY.in_ink(MUTED));
    if let Some(note) = unfinished(&document.scope) {
        flow.paragraph(&note, Type { face: Face::Bold, ..BODY });
    }
}

/// What is said first, and the figures.
fn first(flow: &mut Flow<'_>, part: &Section, density: &Density) {
    let fonts = flow.fonts;
    for (index, text) in part.text.iter().enumerate() {
        if index > 0 {
            paragraph(flow, text, BODY, density);
            continue;
        }
        let lines = short(fonts, text, LEADING, WIDTH - 30.0, density.lines.max(2));
        let (top, height) = (flow.y, LEADING.leading * lines.len() as f32 + 16.0);
        let page = flow.page();
        page.fill_rect((MARGIN_X, top), (WIDTH, height), TINT);
        page.fill_rect((MARGIN_X, top), (3.0, height), ACCENT);
        flow.y += 8.0;
        flow.part(Role::Paragraph, |flow| {
            for line in &lines {
                flow.line(line, LEADING, MARGIN_X + 16.0);
            }
        });
        flow.y = top + height + 4.0;
    }
    flow.gap(density.gap * 0.6);
    let is_compared = part.columns == COMPARED;
    for four in part.figures.chunks(4) {
        tiles(flow, four, if is_compared { &part.rows } else { &[] });
    }
    if !is_compared && !part.columns.is_empty() {
        rows(flow, part);
    }
}

/// Four figures side by side, each with what it was before.
fn tiles(flow: &mut Flow<'_>, figures: &[Parameter], before: &[Vec<String>]) {
    let (fonts, top) = (flow.fonts, flow.y);
    let gap = 14.0;
    let width = (WIDTH - 3.0 * gap) / 4.0;
    // All in one size, the one in which the longest fits.
    let values = figures.iter().map(|figure| {
        let value = figure.value.split_once(" (").map_or(figure.value.as_str(), |(value, _)| value);
        grouped(&fonts.drawable(value))
    });
    let longest = values.map(|value| fonts.width(&value, BIG.face, 1.0)).fold(0.1, f32::max);
    let kind = Type { size: (width / longest).clamp(9.0, BIG.size), ..BIG };
    for (column, figure) in figures.iter().enumerate() {
        let x = MARGIN_X + (width + gap) * column as f32;
        let name = short(fonts, &figure.name, LABEL, width, 1);
        let row = before.iter().find(|row| row.first() == Some(&figure.name));
        let compared = row.and_then(|row| Some((row.get(2)?, row.get(3)?)));
        let (value, note) = match (figure.value.split_once(" ("), compared) {
            (Some((value, of)), None) => (value, of.trim_end_matches(')').to_owned()),
            (_, Some((before, change))) if change.is_empty() => {
                (figure.value.as_str(), format!("before {}", grouped(before)))
            }
            (_, Some((before, change))) => {
                (figure.value.as_str(), format!("before {}, {change}", grouped(before)))
            }
            (_, None) => (figure.value.as_str(), String::new()),
        };
        let value = grouped(&fonts.drawable(value));
        let value = short(fonts, &value, kind, width + 1.0, 1);
        let note = short(fonts, &note, SMALL, width, 1);
        flow.part(Role::Paragraph, |flow| {
            let page = flow.page();
            page.rule((x, top), width, 0.8, INK);
            page.text(fonts, (x, baseline(top + 5.0, LABEL)), &format!("{} ", name[0].trim_end()), LABEL);
            page.text(fonts, (x, top + 36.0), &format!("{} ", value[0].trim_end()), kind);
            page.text(fonts, (x, top + 48.0), &note[0], SMALL);
        });
    }
    flow.y += 62.0;
}

/// The course of events beside what it came to.
fn pictures(flow: &mut Flow<'_>, charts: &ChartData, density: &Density) -> Result<(), ReportError> {
    let left = (WIDTH - GUTTER) * 0.58;
    let right = WIDTH - GUTTER - left;
    let (severities, ages) = (severity_rows(charts), age_rows(flow, charts));
    let (first_page, top) = (flow.pages.len(), flow.y);
    let n_bars = severities.len() + ages.len();
    flow.need((density.bar * n_bars as f32 + 80.0).max(density.chart + 80.0));
    let top = if flow.pages.len() > first_page { flow.y } else { top };
    let legend = outcome_legend(flow, charts);
    // As high as both lists of bars beside it.
    let chart = density.chart.max(density.bar * n_bars as f32 - 4.0);
    flow.within(MARGIN_X, left, |flow| {
        over_time(flow, "Authentication", &charts.authentication, &legend, chart)
    })?;
    let bottom = flow.y;
    flow.y = top;
    flow.within(MARGIN_X + left + GUTTER, right, |flow| {
        by_name(flow, "Incidents, by severity", &severities, density.bar)?;
        if ages.is_empty() {
            return Ok(());
        }
        flow.y -= 8.0;
        by_name(flow, "Active at the end, by age", &ages, density.bar)
    })?;
    // The charts end with a gap of their own.
    flow.y = flow.y.max(bottom) - 20.0;
    Ok(())
}

/// Sentences as a list, then what else the part holds.
fn further(flow: &mut Flow<'_>, part: &Section, density: &Density) {
    let fonts = flow.fonts;
    flow.need(40.0);
    let title = short(fonts, &part.title, H3, WIDTH, 1);
    flow.heading(2, title[0].trim_end(), H3);
    flow.gap(3.0);
    for text in &part.text {
        let y = flow.y;
        flow.page().fill_rect((MARGIN_X + 1.0, y + 5.2), (3.6, 3.6), ACCENT);
        flow.within(MARGIN_X + 13.0, WIDTH - 13.0, |flow| paragraph(flow, text, BODY, density));
    }
    let rest = Section { text: Vec::new(), columns: Vec::new(), ..part.clone() };
    part_body(flow, &rest);
    if !part.columns.is_empty() {
        rows(flow, part);
    }
}

fn rows(flow: &mut Flow<'_>, part: &Section) {
    let caption = short(flow.fonts, &part.caption, SMALL, WIDTH, 1);
    let caption = caption[0].trim_end();
    if part.rows.is_empty() {
        flow.paragraph(&format!("{caption}: none."), BODY.in_ink(MUTED));
    } else {
        table(flow, caption, &part.columns, &part.rows);
    }
}

fn paragraph(flow: &mut Flow<'_>, text: &str, kind: Type, density: &Density) {
    let lines = short(flow.fonts, text, kind, flow.width, density.lines);
    let left = flow.left;
    flow.part(Role::Paragraph, |flow| {
        for line in &lines {
            flow.line(line, kind, left);
        }
    });
    flow.y += 2.0;
}
