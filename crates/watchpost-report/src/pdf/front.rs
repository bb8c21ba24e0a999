//! The cover and the contents.

use chrono::{DateTime, Duration, Utc};

use crate::document::{Parameter, ReportDocument, ReportKind, Scope, State};
use crate::pdf::canvas::Canvas;
use crate::pdf::flow::{Mark, Target, baseline};
use crate::pdf::fonts::{Face, Fonts};
use crate::pdf::plots::grouped;
use crate::pdf::shape::escape_around;
use crate::pdf::structure::{PartId, Role, Structure};
use crate::pdf::theme::{
    ACCENT, BODY, CODE, DISPLAY, FIGURE, H1, H3, HAIRLINE, INK, LABEL, LEAD, MARGIN_X, MUTED, PAGE_H, SMALL,
    TOP, Type, WIDTH,
};
use crate::wording::{counted, day_and_time, instant, unfinished};

/// How the lines of the contents are set.
#[derive(Clone, Copy)]
struct Setting {
    line_h: f32,
    /// Lines of the first page, below the heading.
    first: usize,
    /// Lines of each other page.
    more: usize,
}

const WIDE: Setting = Setting { line_h: 20.0, first: 29, more: 32 };
const TIGHT: Setting = Setting { line_h: 17.0, first: 34, more: 37 };

impl Setting {
    /// The wide one, unless the tight one saves a page: nobody turns to one that holds a few lines.
    const fn of(n_entries: usize) -> Self {
        if TIGHT.pages(n_entries) < WIDE.pages(n_entries) { TIGHT } else { WIDE }
    }

    const fn pages(self, n_entries: usize) -> usize {
        1 + n_entries.saturating_sub(self.first).div_ceil(self.more)
    }
}

/// The period for people, and that it is not over where it is not.
pub(crate) fn period_words(document: &ReportDocument) -> String {
    let words = bounds(document);
    match unfinished(&document.scope) {
        Some(note) => format!("{words}, {note}"),
        None => words,
    }
}

/// The bounds of the period: inclusive days where it is made of whole days.
pub(crate) fn bounds(document: &ReportDocument) -> String {
    let (from, to) = (document.scope.period.from, document.scope.period.to);
    let midnight = |at: DateTime<Utc>| at.timestamp().rem_euclid(86_400) == 0;
    if midnight(from) && midnight(to) {
        let last = to - Duration::days(1);
        if last == from {
            return from.format("%-d %B %Y").to_string();
        }
        return format!("{} to {}", from.format("%-d %B %Y"), last.format("%-d %B %Y"));
    }
    format!("{} to {} UTC", from.format("%-d %B %Y %H:%M"), to.format("%-d %B %Y %H:%M"))
}

/// The first page.
pub(crate) fn cover(
    fonts: &Fonts,
    document: &ReportDocument,
    digest: &str,
    structure: &mut Structure,
) -> Canvas {
    let mut page = Canvas::default();
    let mut y = 78.0;
    page.fill_rect((MARGIN_X, y - 9.0), (11.0, 11.0), ACCENT);
    page.part(structure, Role::Paragraph, |page| {
        page.text(fonts, (MARGIN_X + 18.0, y), "Watchpost", H3);
    });
    y = 190.0;
    // Two lines each at most: the states below have their fixed place.
    let set = |page: &mut Canvas, text: &str, kind: Type, y: &mut f32| {
        for line in short(fonts, text, kind, WIDTH - kind.size, 2) {
            page.text(fonts, (MARGIN_X, baseline(*y, kind)), &format!("{line} "), kind);
            *y += kind.leading;
        }
    };
    let subject = document.parameters.first().map_or("", |one| one.value.as_str());
    let incident = format!("Incident {}", subject.trim_start_matches('#'));
    let (first, second) = match document.kind {
        ReportKind::Framework => (document.framework.name.as_str(), "Evidence report"),
        ReportKind::Incident => {
            (document.title.as_str(), document.sections.first().map_or("", |section| section.title.as_str()))
        }
        ReportKind::Breach => (document.title.as_str(), incident.as_str()),
        ReportKind::SubjectAccess => (document.title.as_str(), subject),
        ReportKind::Summary
        | ReportKind::Executive
        | ReportKind::Kpi
        | ReportKind::Redis
        | ReportKind::AccessReview => (document.title.as_str(), ""),
    };
    // A subject is somebody's words: it is set smaller than the name of a framework.
    let below = match document.kind {
        ReportKind::Framework => DISPLAY,
        _ => Type { size: 21.0, leading: 28.0, ..DISPLAY },
    };
    page.part(structure, Role::Heading(1, fonts.drawable(&document.title)), |page| {
        set(page, first, DISPLAY, &mut y);
        if !second.is_empty() {
            set(page, second, below.in_ink(ACCENT), &mut y);
        }
    });
    y += 14.0;
    page.part(structure, Role::Paragraph, |page| {
        set(page, &document.scope.organisation, LEAD.in_ink(INK), &mut y);
    });
    page.part(structure, Role::Paragraph, |page| set(page, &period_words(document), LEAD, &mut y));
    if document.kind == ReportKind::Framework {
        states(&mut page, fonts, document, 392.0, structure);
    } else {
        leading(&mut page, fonts, document, 392.0, structure);
    }
    scope_block(&mut page, fonts, document, digest, structure);
    page
}

/// The five counts under a bar of their shares.
fn states(page: &mut Canvas, fonts: &Fonts, document: &ReportDocument, top: f32, structure: &mut Structure) {
    let total = document.controls.len().max(1) as f32;
    let shown: Vec<State> =
        State::READING_ORDER.into_iter().filter(|state| document.summary.of(*state) > 0).collect();
    let gap = 2.0;
    let room = WIDTH - gap * shown.len().saturating_sub(1) as f32;
    let mut x = MARGIN_X;
    for state in shown {
        let width = room * document.summary.of(state) as f32 / total;
        page.state_bar((x, top), (width, 7.0), state);
        x += width + gap;
    }
    let step = WIDTH / 5.0;
    for (index, state) in State::READING_ORDER.into_iter().enumerate() {
        let x = MARGIN_X + step * index as f32;
        let big = Type { size: 27.0, ..FIGURE };
        page.part(structure, Role::Paragraph, |page| {
            // The pattern of the bar above: the colours are alike in grey.
            page.state_bar((x, top + 18.0), (22.0, 4.0), state);
            page.text(fonts, (x, top + 51.0), &format!("{} ", document.summary.of(state)), big);
            page.state_mark((x + 5.0, top + 66.6), 10.0, state);
            page.text(fonts, (x + 15.0, top + 70.0), state.title(), SMALL.in_ink(INK));
        });
    }
}

/// The first figures of a report without controls.
fn leading(page: &mut Canvas, fonts: &Fonts, document: &ReportDocument, top: f32, structure: &mut Structure) {
    let Some(part) = document.sections.first() else { return };
    page.fill_rect((MARGIN_X, top), (WIDTH, 3.0), ACCENT);
    let step = WIDTH / 4.0;
    // "-" says that there is no value.
    let known = part.figures.iter().filter(|figure| figure.value != "-").count() > 0;
    let figures: Vec<&Parameter> =
        part.figures.iter().filter(|figure| !known || figure.value != "-").take(4).collect();
    let values: Vec<(String, Option<String>)> = figures
        .iter()
        .map(|figure| {
            let (value, time) = day_and_time(&figure.value);
            (grouped(&fonts.drawable(&value)), time)
        })
        .collect();
    let below = if values.iter().any(|(_, time)| time.is_some()) { 58.0 } else { 44.0 };
    // All in one size: the one in which the longest fits.
    let longest = values.iter().map(|(value, _)| fonts.width(value, FIGURE.face, 1.0)).fold(0.1, f32::max);
    let big = Type { size: ((step - 14.0) / longest).clamp(9.0, 25.0), ..FIGURE };
    for ((index, figure), (value, time)) in figures.into_iter().enumerate().zip(values) {
        let x = MARGIN_X + step * index as f32;
        let value = format!("{} ", short(fonts, &value, big, step - 8.0, 1)[0]);
        let name = short(fonts, &figure.name, SMALL.in_ink(INK), step - 10.0, 2);
        page.part(structure, Role::Paragraph, |page| {
            page.text(fonts, (x, top + 44.0), &value, big);
            if let Some(time) = &time {
                page.text(fonts, (x, top + 58.0), &format!("{time} "), BODY.in_ink(INK));
            }
            for (n, line) in name.iter().enumerate() {
                page.text(fonts, (x, top + below + 18.0 + n as f32 * SMALL.leading), line, SMALL.in_ink(INK));
            }
        });
    }
}

fn scope_block(
    page: &mut Canvas,
    fonts: &Fonts,
    document: &ReportDocument,
    digest: &str,
    structure: &mut Structure,
) {
    let scope = &document.scope;
    let note = unfinished(scope).map(|note| format!("; {note}")).unwrap_or_default();
    let rows = [
        ("Report", edition(document)),
        (
            "Period",
            format!(
                "from {} up to, not including, {}{note}",
                instant(scope.period.from),
                instant(scope.period.to)
            ),
        ),
        ("Workspace", scope.workspace.clone()),
        ("Sources", scope.sources.join("; ")),
        ("Generated", made_words(scope)),
        ("Status", document.standing.line()),
        (
            "Earlier ones",
            match scope.earlier {
                1 => "1 report of the same kind and period was made before".to_owned(),
                n => format!("{n} reports of the same kind and period were made before"),
            },
        ),
        ("Audit log", format!("{}, {}", scope.log.id, counted(scope.log.size, "record"))),
    ];
    let label_w = 92.0;
    let kind = Type { size: 8.6, leading: 12.6, ..BODY };
    let mut blocks: Vec<(&str, Vec<String>, Type)> = rows
        .into_iter()
        .map(|(name, value)| (name, short(fonts, &value, kind, WIDTH - label_w, 3), kind))
        .collect();
    blocks.push(("Audit log root", short(fonts, &scope.log.root, CODE, WIDTH - label_w, 2), CODE));
    blocks.push(("Report SHA-256", vec![digest.to_owned()], CODE));
    let height: f32 = blocks.iter().map(|(_, lines, kind)| lines.len() as f32 * kind.leading + 8.0).sum();
    let mut y = PAGE_H - 70.0 - height;
    for (name, lines, kind) in blocks {
        page.rule((MARGIN_X, y), WIDTH, 0.5, HAIRLINE);
        y += 4.0;
        page.part(structure, Role::Paragraph, |page| {
            let label = baseline(y + (kind.leading - LABEL.leading) / 2.0, LABEL);
            page.text(fonts, (MARGIN_X, label), &format!("{name} "), LABEL);
            for line in lines {
                page.text(fonts, (MARGIN_X + label_w, baseline(y, kind)), &line, kind);
                y += kind.leading;
            }
        });
        y += 4.0;
    }
    page.rule((MARGIN_X, y), WIDTH, 0.5, HAIRLINE);
}

/// When, by whom and by which program the report was made.
pub(crate) fn made_words(scope: &Scope) -> String {
    format!("{} by {}, {}", instant(scope.generated_at), scope.generated_by, scope.generator)
}

fn edition(document: &ReportDocument) -> String {
    let mut words = document.framework.name.clone();
    if !document.framework.version.is_empty() {
        words = format!("{words}, {}", document.framework.version);
    }
    for parameter in &document.parameters {
        words = format!("{words}; {} {}", parameter.name, parameter.value);
    }
    words
}

/// At most `lines_max` lines of any text, the last one marked if something is missing.
pub(crate) fn short(fonts: &Fonts, text: &str, kind: Type, width: f32, lines_max: usize) -> Vec<String> {
    clipped(fonts, &fonts.drawable(text), kind, width, lines_max)
}

/// As [`short`], of a drawable text.
pub(crate) fn clipped(fonts: &Fonts, text: &str, kind: Type, width: f32, lines_max: usize) -> Vec<String> {
    let mut lines = fonts.wrap(text, kind.face, kind.size, width);
    if lines.len() > lines_max {
        fonts.note_cut();
        lines.truncate(lines_max);
        if let Some(last) = lines.last_mut() {
            // The mark has to fit as well.
            let whole = last.clone();
            let room = width - fonts.width("…", kind.face, kind.size);
            while fonts.width(last.trim_end(), kind.face, kind.size) > room && last.pop().is_some() {}
            if let Some(start) = escape_around(&whole, last.len()) {
                last.truncate(start);
            }
            *last = format!("{}…", last.trim_end_matches([' ', ',', '·', '-']));
        }
    }
    lines
}

/// How many pages the contents take.
pub(crate) const fn contents_pages(n_entries: usize) -> usize {
    Setting::of(n_entries).pages(n_entries)
}

/// The place of the contents in the order of reading; none for a single page.
pub(crate) fn contents_part(mut structure: Structure, single: bool) -> (Option<PartId>, Structure) {
    if single {
        return (None, structure);
    }
    let part = structure.open(Role::Section);
    structure.close();
    (Some(part), structure)
}

/// The contents: every section and control with its page, each a link. `before` is the number of pages before the body.
pub(crate) fn contents(
    fonts: &Fonts,
    document: &ReportDocument,
    marks: &[Mark],
    before: usize,
    (structure, part): (&mut Structure, PartId),
) -> Vec<Canvas> {
    let mut pages = vec![Canvas::default()];
    let mut y = TOP;
    structure.reopen(part);
    pages[0].part(structure, Role::Heading(2, "Contents".to_owned()), |page| {
        page.text(fonts, (MARGIN_X, baseline(y, H1)), "Contents", H1);
    });
    structure.open(Role::Contents);
    y += H1.leading + 16.0;
    let setting = Setting::of(marks.len());
    let mut room = setting.first;
    for mark in marks {
        if room == 0 {
            pages.push(Canvas::default());
            (y, room) = (TOP, setting.more);
        }
        room -= 1;
        let page = pages.last_mut().expect("there is a first page");
        let number = before + mark.page + 1;
        structure.open(Role::Entry);
        page.part(structure, Role::Link, |page| {
            entry(page, fonts, document, mark.target, number, (y, setting.line_h));
            page.link((MARGIN_X, y), (WIDTH, setting.line_h), number, mark.y);
        });
        structure.close();
        y += setting.line_h;
    }
    structure.close();
    structure.close();
    pages
}

fn entry(
    page: &mut Canvas,
    fonts: &Fonts,
    document: &ReportDocument,
    target: Target,
    number: usize,
    (y, height): (f32, f32),
) {
    let line = baseline(y + (height - BODY.leading) / 2.0, BODY);
    let right = MARGIN_X + WIDTH;
    let number = number.to_string();
    match target {
        Target::Section(title) => {
            let strong = Type { face: Face::Bold, ..BODY };
            page.text(fonts, (MARGIN_X, line), &format!("{title} "), strong);
            page.text_right(fonts, (right, line), &number, strong);
        }
        Target::Part(index) => {
            let strong = Type { face: Face::Bold, ..BODY };
            let title = short(fonts, &document.sections[index].title, strong, WIDTH - 60.0, 1);
            page.text(fonts, (MARGIN_X, line), &format!("{} ", title[0]), strong);
            page.text_right(fonts, (right, line), &number, strong);
        }
        Target::Control(index) => {
            let control = &document.controls[index];
            let id = Type { face: Face::Bold, size: 8.4, ..BODY }.in_ink(ACCENT);
            let ids = short(fonts, &control.id, id, 62.0, 1);
            page.text(fonts, (MARGIN_X + 14.0, line), &format!("{} ", ids[0]), id);
            let title = short(fonts, &control.title, BODY, WIDTH - 190.0, 1);
            page.text(fonts, (MARGIN_X + 80.0, line), &format!("{} ", title[0]), BODY);
            page.state_mark((right - 80.0, y + height / 2.0), 8.4, control.state);
            page.text(fonts, (right - 71.0, line), &format!("{} ", control.state.title()), SMALL);
            page.text_right(fonts, (right, line), &number, BODY.in_ink(MUTED));
        }
    }
    page.rule((MARGIN_X, y + height), WIDTH, 0.4, HAIRLINE);
}
