//! The report as Markdown (CommonMark with tables), for wikis, tickets and pull requests.

use std::fmt::Write;

use watchpost_model::text::visible;

use crate::ReportError;
use crate::csv::{comment_words, facts, proof_words};
use crate::document::{CheckResult, ControlResult, ReportDocument, Section, State};
use crate::wording::{outcome, rows_read, rows_shown, sample_shown, sample_table, unfinished};

/// Longer cells are cut, marked by an ellipsis; the JSON has them whole.
const CELL_CHARS_MAX: usize = 2_000;

/// The report as Markdown. No text of the document can become markup, a link or HTML.
///
/// # Errors
/// `Json`, as [`ReportDocument::sha256`].
pub fn render_markdown(document: &ReportDocument) -> Result<String, ReportError> {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(out, "# {}\n", escape(&document.title));
    if !document.framework.note.is_empty() {
        let _ = writeln!(out, "{}\n", escape(&document.framework.note));
    }
    if let Some(words) = unfinished(&document.scope) {
        let _ = writeln!(out, "**This report is {}.**\n", escape(&words));
    }
    out.push_str("| Scope | |\n| --- | --- |\n");
    for (name, value) in facts(document)? {
        let _ = writeln!(out, "| {} | {} |", escape(name), escape(&value));
    }
    for parameter in &document.parameters {
        let _ = writeln!(out, "| {} | {} |", escape(&parameter.name), escape(&parameter.value));
    }
    if !document.controls.is_empty() {
        push_summary(&mut out, document);
    }
    for section in &document.sections {
        push_section(&mut out, section);
    }
    let charts = crate::charts::tables(document);
    if !charts.is_empty() {
        out.push_str("\n## Activity in the period\n");
    }
    for chart in charts {
        let _ = writeln!(out, "\n### {}\n", escape(chart.title));
        push_table(&mut out, &chart.columns, &chart.rows);
    }
    if !document.controls.is_empty() {
        out.push_str("\n## Controls\n");
    }
    for control in &document.controls {
        push_control(&mut out, control);
    }
    Ok(out)
}

fn push_summary(out: &mut String, document: &ReportDocument) {
    let _ =
        writeln!(out, "\n## Summary\n\n{}\n", escape(&outcome(document.summary, document.controls.len())));
    out.push_str("| State | Controls | Meaning |\n| --- | ---: | --- |\n");
    for state in State::READING_ORDER {
        let _ = writeln!(out, "| {} | {} | {} |", state.title(), document.summary.of(state), state.meaning());
    }
    out.push_str(
        "\n| Control | Title | State | Exceptions | Warnings | Population |\n| --- | --- | --- | ---: | ---: | ---: |\n",
    );
    for control in &document.controls {
        // What different questions count does not add up to anything.
        let numbers = match control.checks.as_slice() {
            [] => "- | - | -".to_owned(),
            [check] => format!("{} | {} | {}", check.exceptions, check.warnings, check.population),
            checks => format!("{} checks | - | -", checks.len()),
        };
        let _ = writeln!(
            out,
            "| {} | {} | {} | {numbers} |",
            escape(&control.id),
            escape(&control.title),
            control.state.title(),
        );
    }
    if document.gaps.is_empty() {
        return;
    }
    out.push_str(
        "\n## Gaps: what nothing shows\n\n| Control | State | Lacks | What to do |\n| --- | --- | --- | --- |\n",
    );
    for gap in &document.gaps {
        let state = document.state_of(gap).title();
        let (control, lacks, remedy) = (escape(&gap.control), escape(&gap.lacks), escape(&gap.remedy));
        let _ = writeln!(out, "| {control} | {state} | {lacks} | {remedy} |");
    }
}

fn push_section(out: &mut String, section: &Section) {
    let _ = writeln!(out, "\n## {}\n", escape(&section.title));
    for text in &section.text {
        let _ = writeln!(out, "{}\n", escape(text));
    }
    if !section.figures.is_empty() {
        out.push_str("| Figure | |\n| --- | ---: |\n");
        for figure in &section.figures {
            let _ = writeln!(out, "| {} | {} |", escape(&figure.name), escape(&figure.value));
        }
        out.push('\n');
    }
    if !section.columns.is_empty() {
        let _ = writeln!(out, "{}\n", escape(&section.caption));
        push_table(out, &section.columns, &section.rows);
    }
}

fn push_control(out: &mut String, control: &ControlResult) {
    let _ = writeln!(out, "\n### {} {}\n", escape(&control.id), escape(&control.title));
    let _ = writeln!(out, "{}\n", escape(&control.text));
    let _ = writeln!(out, "- **State**: {}", control.state.title());
    let named = [("Why", &control.reason), ("Remedy", &control.remedy)];
    for (name, text) in named.into_iter().filter(|(_, text)| !text.is_empty()) {
        let _ = writeln!(out, "- **{name}**: {}", escape(text));
    }
    if let Some(attest) = &control.attest {
        let _ = writeln!(out, "- **To attest**: {}", escape(attest));
        if control.proofs.is_empty() {
            out.push_str("- **Attested by, on**: \\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\n");
        }
    }
    for proof in &control.proofs {
        let _ = writeln!(out, "- **Given**: {}", escape(&proof_words(proof)));
    }
    for comment in &control.comments {
        let _ = writeln!(out, "- **Comment**: {}", escape(&comment_words(comment)));
    }
    for (index, check) in control.checks.iter().enumerate() {
        push_check(out, index + 1, check);
    }
}

fn push_check(out: &mut String, number: usize, check: &CheckResult) {
    let what = if check.what.is_empty() { check.query.as_str() } else { &check.what };
    let _ = writeln!(out, "\n#### Check {number}: {}\n", escape(what));
    let state = check.state.map_or("Left out", State::title);
    let _ = writeln!(out, "- **State**: {state}. {}", escape(&check.reason));
    let _ = writeln!(
        out,
        "- **Looked at** {}, **exceptions** {}, **warnings** {}",
        check.population, check.exceptions, check.warnings
    );
    let parameters: Vec<String> = check
        .parameters
        .iter()
        .map(|parameter| format!("{} = {}", parameter.name, parameter.value))
        .collect();
    let named = [
        ("Rule", check.rule.clone()),
        ("Counted", check.basis.clone()),
        ("Question", check.query.as_str().to_owned()),
        ("With", parameters.join(", ")),
        ("As asked", check.text.clone()),
    ];
    for (name, text) in named.into_iter().filter(|(_, text)| !text.is_empty()) {
        let _ = writeln!(out, "- **{name}**: {}", escape(&text));
    }
    if !check.rows.is_empty() {
        let _ = writeln!(out, "\n{}:\n", escape(&rows_shown(check)));
        push_table(out, &check.columns, rows_read(check));
    }
    let sample = &check.sample;
    if !sample.rows.is_empty() {
        let words = format!("{}, drawn from seed {}", sample_shown(check), sample.seed);
        let _ = writeln!(out, "\n{}:\n", escape(&words));
        let (columns, rows) = sample_table(check);
        push_table(out, &columns, &rows);
    }
}

fn push_table(out: &mut String, columns: &[String], rows: &[Vec<String>]) {
    push_row(out, columns);
    out.push_str(&"| --- ".repeat(columns.len()));
    out.push_str("|\n");
    for row in rows {
        push_row(out, row);
    }
}

fn push_row(out: &mut String, cells: &[String]) {
    for cell in cells {
        let _ = write!(out, "| {} ", escape(cell));
    }
    out.push_str("|\n");
}

/// Text that stays text: one line, what hides is shown, and no character keeps a meaning in CommonMark, in the GitHub
/// extensions (tables, strike-through, bare links, mentions) or in HTML.
fn escape(text: &str) -> String {
    let shown = visible(text, CELL_CHARS_MAX);
    let shown = shown.trim();
    let mut out = String::with_capacity(shown.len() + 8);
    for (index, ch) in shown.char_indices() {
        let rest = &shown[index..];
        match ch {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '{' | '}' | '|' | '~' | '#' | '!' | '$' | '^' | '@' => {
                out.push('\\');
                out.push(ch);
            }
            // Bare links: a scheme, or "www.".
            ':' if rest.starts_with("://") => out.push_str("\\:"),
            '.' if shown.get(..index).is_some_and(ends_with_www) => out.push_str("\\."),
            // Lists and underlined headings, at the start of a block only.
            '-' | '+' | '=' if index == 0 => {
                out.push('\\');
                out.push(ch);
            }
            '.' | ')' if begins_list(&shown[..index], &rest[1..]) => {
                out.push('\\');
                out.push(ch);
            }
            ch => out.push(ch),
        }
    }
    out
}

/// A number at the start of a block, a point or bracket, and then a gap: CommonMark makes a list of it.
fn begins_list(before: &str, after: &str) -> bool {
    !before.is_empty()
        && before.bytes().all(|byte| byte.is_ascii_digit())
        && (after.is_empty() || after.starts_with(' '))
}

fn ends_with_www(text: &str) -> bool {
    text.len()
        .checked_sub(3)
        .and_then(|start| text.get(start..))
        .is_some_and(|end| end.eq_ignore_ascii_case("www"))
}
