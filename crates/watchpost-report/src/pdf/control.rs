//! A control with its checks, its evidence and its sign-off.

use crate::csv::{comment_words, proof_words};
use crate::document::{CheckResult, ControlResult, State};
use crate::pdf::body::strip;
use crate::pdf::flow::{Flow, Target, baseline};
use crate::pdf::fonts::Face;
use crate::pdf::front::short;
use crate::pdf::plots::thousands;
use crate::pdf::structure::Role;
use crate::pdf::table::table;
use crate::pdf::theme::{
    ACCENT, BODY, FIGURE, H2, H3, HAIRLINE, INK, LABEL, MARGIN_X, MUTED, SMALL, Type, WIDTH, state_ink,
};

const LABEL_W: f32 = 62.0;
/// What stands beside a label.
const FACT: Type = Type { size: 8.8, leading: 12.8, ..BODY };

/// Sets one control; `index` is its place in the document.
pub(crate) fn one_control(flow: &mut Flow<'_>, index: usize, control: &ControlResult) {
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
    let several = control.checks.len() > 1;
    for (index, check) in control.checks.iter().enumerate() {
        one_check(flow, control, several.then_some(index + 1), check);
    }
    flow.gap(if control.checks.is_empty() { 0.0 } else { 8.0 });
    definition(flow, "Remedy", &control.remedy);
    flow.gap(22.0);
}

fn one_check(flow: &mut Flow<'_>, control: &ControlResult, number: Option<usize>, check: &CheckResult) {
    if let Some(number) = number {
        flow.need(150.0);
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
    let with: Vec<String> =
        check.parameters.iter().map(|one| format!("{} = {}", one.name, one.value)).collect();
    let question = match with.is_empty() {
        true => check.query.as_str().to_owned(),
        false => format!("{} with {}", check.query, with.join(", ")),
    };
    // The period stands at the head of every page.
    let counted = check.basis.rsplit_once(" (").filter(|(_, tail)| tail.contains(" to "));
    let counted = counted.map_or(check.basis.as_str(), |(words, _)| words);
    let facts = [
        ("Finding", check.reason.as_str()),
        ("Rule", check.rule.as_str()),
        ("Counted", counted),
        ("Question", question.as_str()),
    ];
    let height: f32 = facts.iter().map(|(_, value)| flow.height(value, FACT, WIDTH - LABEL_W) + 4.0).sum();
    flow.need((height + 45.0).min(240.0));
    // Four noughts say no more than the finding does.
    if check.population > 0 {
        figures(flow, check);
    }
    for (name, value) in facts {
        definition(flow, name, value);
    }
    sample_words(flow, check);
    evidence(flow, control, check);
}

/// How the sample was drawn; its rows stand in the table below where there is no exception, and in JSON and CSV always.
fn sample_words(flow: &mut Flow<'_>, check: &CheckResult) {
    if check.sample.rows.is_empty() {
        return;
    }
    let places: Vec<String> = check.sample.positions.iter().map(ToString::to_string).collect();
    let words = format!(
        "{} drawn from seed {}, at the places {}",
        check.sample.rows.len(),
        check.sample.seed,
        places.join(", ")
    );
    definition(flow, "Sample", &words);
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
    let kind = FACT;
    flow.need(kind.leading * 2.0);
    let (fonts, top) = (flow.fonts, flow.y);
    let y = baseline(top + (kind.leading - LABEL.leading) / 2.0, LABEL);
    flow.part(Role::Paragraph, |flow| {
        flow.page().text(fonts, (MARGIN_X, y), &format!("{name} "), LABEL);
        flow.column(&text, kind, MARGIN_X + LABEL_W, WIDTH - LABEL_W);
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

fn evidence(flow: &mut Flow<'_>, control: &ControlResult, check: &CheckResult) {
    let id = short(flow.fonts, &control.id, SMALL, WIDTH / 2.0, 1);
    let n = thousands(check.rows.len());
    let found = check.exceptions + check.warnings;
    if found > 0 && !check.rows.is_empty() {
        flow.gap(8.0);
        let caption =
            format!("{}  ·  Exceptions first, then warnings: {n} of {} shown", id[0], thousands(found));
        table(flow, &caption, &check.columns, &check.rows);
    } else if !check.sample.rows.is_empty() {
        flow.gap(8.0);
        let caption = format!(
            "{}  ·  No exceptions; the drawn sample: {} of {}",
            id[0],
            thousands(check.sample.rows.len()),
            thousands(check.population)
        );
        let columns: Vec<String> =
            std::iter::once("place".to_owned()).chain(check.sample.columns.clone()).collect();
        let rows: Vec<Vec<String>> = check
            .sample
            .positions
            .iter()
            .zip(&check.sample.rows)
            .map(|(place, row)| std::iter::once(place.to_string()).chain(row.clone()).collect())
            .collect();
        table(flow, &caption, &columns, &rows);
    } else if !check.rows.is_empty() {
        flow.gap(8.0);
        let caption = format!(
            "{}  ·  No exceptions; the newest of what was looked at: {n} of {} shown",
            id[0],
            thousands(check.population)
        );
        table(flow, &caption, &check.columns, &check.rows);
    }
}
