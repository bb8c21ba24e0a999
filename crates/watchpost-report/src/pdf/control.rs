//! A control with its checks, its evidence and its sign-off.

use crate::csv::{comment_words, proof_words};
use crate::document::{CheckResult, ControlResult, State};
use crate::pdf::body::strip;
use crate::pdf::flow::{Flow, Target, baseline};
use crate::pdf::fonts::Face;
use crate::pdf::front::short;
use crate::pdf::structure::Role;
use crate::pdf::table::{Measured, measured, set};
use crate::pdf::theme::{
    ACCENT, BODY, FIGURE, H2, H3, HAIRLINE, INK, LABEL, MARGIN_X, MUTED, SMALL, Type, WIDTH, state_ink,
};
use crate::wording::{rows_read, rows_shown, sample_shown, sample_table, thousands};

/// The heading of a check, and the strip of its figures.
const CHECK_HEAD: f32 = 30.0;
const FIGURES: f32 = 46.0;
/// No more than this is kept on one page with a heading: else pages stay half empty.
const KEPT_MAX: f32 = 440.0;
const LABEL_W: f32 = 62.0;
/// What stands beside a label.
const FACT: Type = Type { size: 8.8, leading: 12.8, ..BODY };

/// Sets one control; `index` is its place in the document.
pub(crate) fn one_control(flow: &mut Flow<'_>, index: usize, control: &ControlResult) {
    let title = flow.fonts.drawable(&control.title);
    let text = flow.fonts.drawable(&control.text);
    let several = control.checks.len() > 1;
    let finding = match several {
        true => flow.height(&flow.fonts.drawable(&control.reason), FACT, WIDTH - LABEL_W) + CHECK_HEAD,
        false => 0.0,
    };
    let head = 64.0 + flow.height(&title, H2, WIDTH) + flow.height(&text, BODY, WIDTH) + finding;
    let mut checks: Vec<Set> = control.checks.iter().map(|check| Set::new(flow, control, check)).collect();
    // The remedy does not stand alone overleaf, where the check before it is short.
    if let Some(last) = checks.last_mut().filter(|last| last.tables.is_empty() && !control.remedy.is_empty())
    {
        last.least += 12.0 + flow.height(&flow.fonts.drawable(&control.remedy), FACT, WIDTH - LABEL_W);
    }
    let first = checks.first().map_or(60.0, |set| set.least);
    flow.need((head + first).min(KEPT_MAX));
    if index > 0 {
        flow.gap(12.0);
    }
    flow.mark(Target::Control(index));
    let (fonts, top) = (flow.fonts, flow.y);
    let strong = Type { face: Face::Bold, ..BODY };
    let id = short(fonts, &control.id, strong, WIDTH - 90.0, 1);
    let state = strong.in_ink(state_ink(control.state));
    flow.part(Role::Paragraph, |flow| {
        let page = flow.page();
        page.rule((MARGIN_X, top), WIDTH, 0.9, INK);
        let line = baseline(top + 7.0, strong);
        page.text(fonts, (MARGIN_X, line), &format!("{} ", id[0]), strong.in_ink(ACCENT));
        let width = page.text_right(fonts, (MARGIN_X + WIDTH, line), control.state.title(), state);
        page.state_mark((MARGIN_X + WIDTH - width - 10.0, top + 14.0), 10.0, control.state);
    });
    flow.y += 24.0;
    flow.heading(3, &title, H2);
    flow.gap(3.0);
    flow.paragraph(&text, BODY.in_ink(MUTED));
    flow.gap(10.0);
    if control.checks.len() != 1 {
        definition(flow, "Finding", &control.reason);
    }
    if let Some(attest) = &control.attest {
        definition(flow, "To attest", attest);
        if control.proofs.is_empty() {
            sign_off(flow);
        }
    }
    for proof in &control.proofs {
        definition(flow, "Given", &proof_words(proof));
    }
    for comment in &control.comments {
        definition(flow, "Comment", &comment_words(comment));
    }
    for (index, (check, set)) in control.checks.iter().zip(checks.drain(..)).enumerate() {
        one_check(flow, several.then_some(index + 1), check, &set);
    }
    flow.gap(if control.checks.is_empty() { 0.0 } else { 8.0 });
    definition(flow, "Remedy", &control.remedy);
    flow.gap(22.0);
}

/// What a check says, measured.
struct Set {
    facts: Vec<(&'static str, String)>,
    tables: Vec<Measured>,
    /// How high what stays with its heading is: the figures and the first facts, or all of it where no table follows. The
    /// rest may stand overleaf: else pages stay half empty.
    least: f32,
}

/// So many facts of a check stay with its heading.
const FACTS_KEPT: usize = 2;

impl Set {
    fn new(flow: &Flow<'_>, control: &ControlResult, check: &CheckResult) -> Self {
        let with: Vec<String> =
            check.parameters.iter().map(|one| format!("{} = {}", one.name, one.value)).collect();
        let question = match with.is_empty() {
            true => check.query.as_str().to_owned(),
            false => format!("{} with {}", check.query, with.join(", ")),
        };
        // The period stands at the head of every page.
        let counted = check.basis.rsplit_once(" (").filter(|(_, tail)| tail.contains(" to "));
        let counted = counted.map_or(check.basis.as_str(), |(words, _)| words);
        let mut facts = vec![
            ("Finding", check.reason.clone()),
            ("Rule", check.rule.clone()),
            ("Counted", counted.to_owned()),
            ("Question", question),
        ];
        if !check.sample.rows.is_empty() {
            let n = check.sample.rows.len();
            facts.push(("Sample", format!("{n} drawn from seed {}; listed below", check.sample.seed)));
        }
        facts.retain(|(_, value)| !value.is_empty());
        for (_, value) in &mut facts {
            *value = flow.fonts.drawable(value);
        }
        let tables = tables(flow, control, check);
        let n_kept = if tables.is_empty() { facts.len() } else { FACTS_KEPT };
        let heights =
            facts.iter().take(n_kept).map(|(_, value)| flow.height(value, FACT, WIDTH - LABEL_W) + 4.0);
        let figures = if check.population > 0 { FIGURES } else { 0.0 };
        let least = heights.sum::<f32>() + figures;
        Self { facts, tables, least }
    }
}

fn one_check(flow: &mut Flow<'_>, number: Option<usize>, check: &CheckResult, measured: &Set) {
    if let Some(number) = number {
        // The heading does not stand alone at the foot of a page.
        flow.need((CHECK_HEAD + measured.least).min(KEPT_MAX));
        flow.gap(6.0);
        let what = if check.what.is_empty() { check.query.as_str() } else { &check.what };
        let what = flow.fonts.drawable(&format!("Check {number}: {what}"));
        let state = check.state.unwrap_or(State::NoData);
        let word = check.state.map_or("Left out", State::title);
        let (fonts, top) = (flow.fonts, flow.y);
        let line = baseline(top + 5.0, H3);
        flow.part(Role::Heading(4, what.clone()), |flow| {
            let page = flow.page();
            page.rule((MARGIN_X, top), WIDTH, 0.4, HAIRLINE);
            page.text(fonts, (MARGIN_X, line), &format!("{what} "), H3);
            let kind = SMALL.in_ink(state_ink(state));
            let width = page.text_right(fonts, (MARGIN_X + WIDTH, line), word, kind);
            page.state_mark((MARGIN_X + WIDTH - width - 8.0, top + 11.4), 8.0, state);
        });
        flow.y += 24.0;
    }
    // Four noughts say no more than the finding does.
    if check.population > 0 {
        figures(flow, check);
    }
    for (name, text) in &measured.facts {
        drawn_definition(flow, name, text);
    }
    for (index, table) in measured.tables.iter().enumerate() {
        flow.gap(if index == 0 { 8.0 } else { 14.0 });
        set(flow, table);
    }
}

/// The numbers of a check in a strip.
fn figures(flow: &mut Flow<'_>, check: &CheckResult) {
    let share = match check.population {
        0 => "-".to_owned(),
        population => format!("{:.1} %", check.exceptions as f64 * 100.0 / population as f64),
    };
    let cells = [
        ("Looked at".to_owned(), thousands(check.population), FIGURE),
        ("Exceptions".to_owned(), thousands(check.exceptions), FIGURE),
        ("Warnings".to_owned(), thousands(check.warnings), FIGURE),
        ("Share of exceptions".to_owned(), share, FIGURE),
    ];
    strip(flow, &cells, 102.0);
}

/// A name on the left, a text on the right.
fn definition(flow: &mut Flow<'_>, name: &'static str, value: &str) {
    if value.is_empty() {
        return;
    }
    let text = flow.fonts.drawable(value);
    drawn_definition(flow, name, &text);
}

fn drawn_definition(flow: &mut Flow<'_>, name: &'static str, text: &str) {
    let kind = FACT;
    let n_lines = flow.height(text, kind, WIDTH - LABEL_W) / kind.leading;
    flow.need(kind.leading * n_lines.min(2.0));
    let (fonts, top) = (flow.fonts, flow.y);
    let y = baseline(top + (kind.leading - LABEL.leading) / 2.0, LABEL);
    flow.part(Role::Paragraph, |flow| {
        flow.page().text(fonts, (MARGIN_X, y), &format!("{name} "), LABEL);
        flow.column(text, kind, MARGIN_X + LABEL_W, WIDTH - LABEL_W);
    });
    flow.y += 4.0;
}

/// A box for a person to fill in by hand.
fn sign_off(flow: &mut Flow<'_>) {
    flow.need(64.0);
    flow.gap(8.0);
    let (fonts, top) = (flow.fonts, flow.y);
    let width = (WIDTH - LABEL_W - 2.0 * 18.0) / 3.0;
    for (index, name) in ["Name", "Signature", "Date"].into_iter().enumerate() {
        let x = MARGIN_X + LABEL_W + (width + 18.0) * index as f32;
        flow.part(Role::Paragraph, |flow| {
            let page = flow.page();
            page.rule((x, top + 26.0), width, 0.5, MUTED);
            page.text(fonts, (x, top + 36.0), name, LABEL);
        });
    }
    flow.y += 46.0;
}

/// The evidence: what was found, and the drawn sample, which stands for the whole.
fn tables(flow: &Flow<'_>, control: &ControlResult, check: &CheckResult) -> Vec<Measured> {
    let id = short(flow.fonts, &control.id, SMALL, WIDTH / 2.0, 1);
    let found = check.exceptions + check.warnings > 0;
    let has_sample = !check.sample.rows.is_empty();
    let mut tables = Vec::new();
    if !check.rows.is_empty() && (found || !has_sample) {
        let caption = format!("{}  ·  {}", id[0], rows_shown(check));
        tables.extend(measured(flow, &caption, &check.columns, rows_read(check)));
    }
    if has_sample {
        let words = sample_shown(check);
        let caption = match found {
            true => format!("{}  ·  {words}", id[0]),
            false => format!("{}  ·  No exceptions. {words}", id[0]),
        };
        let (columns, rows) = sample_table(check);
        tables.extend(measured(flow, &caption, &columns, &rows));
    }
    tables
}
