//! Draws the JSON of a report again: `render_report report.json out` writes `out.pdf`, `out.archive.pdf`, `out.csv` and
//! `out.md`. To look at a change of the layout without a database.

use std::path::PathBuf;

use watchpost_report::{ReportDocument, render_archive, render_csv, render_markdown, render_pdf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(json), Some(out)) = (arguments.next(), arguments.next()) else {
        return Err("say which JSON file to read and what the files begin with".into());
    };
    let document: ReportDocument = serde_json::from_slice(&std::fs::read(json)?)?;
    std::fs::write(out.with_extension("pdf"), render_pdf(&document)?)?;
    std::fs::write(out.with_extension("archive.pdf"), render_archive(&document)?)?;
    std::fs::write(out.with_extension("csv"), render_csv(&document)?)?;
    std::fs::write(out.with_extension("md"), render_markdown(&document)?)?;
    Ok(())
}
