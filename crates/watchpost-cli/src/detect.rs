//! `watchpost detect` and `watchpost rules`: detection without a workspace.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::ExitCode;

use watchpost_ops::error::OpError;
use watchpost_ops::inspect::{self, Detail};

use crate::args::{Output, Rules};
use crate::output;

/// Longest line that is read; the rest of a longer one is passed over and the line is answered with an error.
const LINE_BYTES_MAX: u64 = 8 << 20;

/// Answers each line of standard input. Every answer is written before the next line is read, so that a pipe never
/// waits.
pub(crate) fn run(explain: bool) -> anyhow::Result<ExitCode> {
    let detail = if explain { Detail::Findings } else { Detail::Verdict };
    let mut input = BufReader::new(std::io::stdin().lock());
    let mut out = std::io::stdout().lock();
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)? == 0 {
            return Ok(ExitCode::SUCCESS);
        }
        if line.last() != Some(&b'\n') && line.len() as u64 == LINE_BYTES_MAX {
            input.skip_until(b'\n')?;
        }
        let text = String::from_utf8_lossy(&line);
        if text.trim().is_empty() {
            continue;
        }
        let mut answer = serde_json::to_vec(&inspect::answer(text.trim_end(), detail))?;
        answer.push(b'\n');
        match out.write_all(&answer).and_then(|()| out.flush()) {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
            written => written?,
        }
    }
}

/// Lists the rules, or shows one.
pub(crate) fn rules(form: Output, verb: &Rules) -> anyhow::Result<()> {
    let all = inspect::rules();
    match verb {
        Rules::List if form == Output::Json => output::json(&all),
        Rules::List => output::table(
            ["RULE", "VERSION", "FAMILY", "SEVERITY", "CONFIDENCE", "WHAT"],
            all.iter().map(|rule| {
                [
                    rule.id.to_owned(),
                    rule.version.to_string(),
                    rule.family.to_string(),
                    rule.severity.to_string(),
                    rule.confidence.to_string(),
                    rule.title.to_owned(),
                ]
            }),
        ),
        Rules::Show { id } => {
            let rule = all.iter().find(|rule| rule.id == id).ok_or_else(|| {
                OpError::not_found(format!("rule {id:?}")).hint("`watchpost rules list` shows them")
            })?;
            output::json(rule)
        }
    }
}
