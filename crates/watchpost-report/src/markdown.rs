//! The report as Markdown (CommonMark with tables), for wikis, tickets and pull requests.

use std::fmt::Write;

use watchpost_model::text::visible;

use crate::ReportError;
use crate::csv::facts;
use crate::document::{ControlResult, ReportDocument, State};

/// Longer cells are cut, marked by an ellipsis; the JSON has them whole.
const CELL_CHARS_MAX: usize = 2_000;

/// The report as Markdown. No text of the document can become markup, a link or HTML.
///
/// # Errors
/// `Json`, as [`ReportDocument::sha256`].
pub fn render_markdown(document: &ReportDocument) -> Result<String, ReportError> {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(out, "# {}\n", escape(&document.title()));
    let _ = writeln!(out, "{}\n", escape(&document.framework.note));
    out.push_str("| Scope | |\n| --- | --- |\n");
    for (name, value) in facts(document)? {
        let _ = writeln!(out, "| {} | {} |", escape(name), escape(&value));
    }
    out.push_str("\n## Summary\n\n| State | Controls | Meaning |\n| --- | ---: | --- |\n");
    for state in State::READING_ORDER {
        let _ = writeln!(out, "| {} | {} | {} |", state.title(), document.summary.of(state), state.meaning());
    }
    out.push_str(
        "\n| Control | Title | State | Exceptions | Population |\n| --- | --- | --- | ---: | ---: |\n",
    );
    for control in &document.controls {
        let (exceptions, population) = numbers(control);
        let _ = writeln!(
            out,
            "| {} | {} | {} | {exceptions} | {population} |",
            escape(&control.id),
            escape(&control.title),
            control.state.title(),
        );
    }
    out.push_str("\n## Controls\n");
    for control in &document.controls {
        push_control(&mut out, control);
    }
    Ok(out)
}

fn push_control(out: &mut String, control: &ControlResult) {
    let _ = writeln!(out, "\n### {} {}\n", escape(&control.id), escape(&control.title));
    let _ = writeln!(out, "{}\n", escape(&control.text));
    let _ = writeln!(out, "- **State**: {}", control.state.title());
    let named = [
        ("Why", &control.reason),
        ("Rule", &control.rule),
        ("Basis", &control.basis),
        ("Remedy", &control.remedy),
    ];
    for (name, text) in named.into_iter().filter(|(_, text)| !text.is_empty()) {
        let _ = writeln!(out, "- **{name}**: {}", escape(text));
    }
    if let Some(attest) = &control.attest {
        let _ = writeln!(out, "- **To attest**: {}", escape(attest));
        out.push_str("- **Attested by, on**: \\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\n");
    }
    if control.rows.is_empty() {
        return;
    }
    out.push('\n');
    push_row(out, &control.columns);
    out.push_str(&"| --- ".repeat(control.columns.len()));
    out.push_str("|\n");
    for row in &control.rows {
        push_row(out, row);
    }
}

fn push_row(out: &mut String, cells: &[String]) {
    for cell in cells {
        let _ = write!(out, "| {} ", escape(cell));
    }
    out.push_str("|\n");
}

fn numbers(control: &ControlResult) -> (String, String) {
    match control.query {
        Some(_) => (control.exceptions.to_string(), control.population.to_string()),
        None => ("-".to_owned(), "-".to_owned()),
    }
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
