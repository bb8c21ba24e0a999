//! `watchpost audit verify --bundle`: an export of the trail, checked without a workspace.

use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use watchpost_model::text::visible;
use watchpost_ops::error::OpError;
use watchpost_ops::{BundleChecked, BundleDepth, BundleProblem, check_bundle};

use crate::args::Output;
use crate::output::line;
use crate::show::either;

/// The result, for programs.
#[derive(Serialize)]
struct Told {
    ok: bool,
    problem: Option<String>,
    bundle: Option<BundleChecked>,
    /// Was a key given that the signature is held against?
    key_given: bool,
}

/// True means that something does not hold.
pub(crate) fn verify(
    form: Output,
    folder: &Path,
    key: Option<&str>,
    depth: BundleDepth,
) -> anyhow::Result<bool> {
    let bar = ProgressBar::new(1);
    bar.set_style(
        ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {eta}")
            .expect("the template is a constant that indicatif accepts"),
    );
    let progress = |done, total| {
        bar.set_length(total);
        bar.set_position(done);
        true
    };
    let checked = check_bundle(folder, key.map(str::trim), depth, &progress);
    bar.finish_and_clear();
    let (problem, bundle) = match checked {
        Ok(checked) => (None, Some(checked)),
        Err(BundleProblem::Unreadable { path, error }) => {
            return Err(OpError::unreadable("bundle", &path, error).into());
        }
        Err(problem) => (Some(problem.to_string()), None),
    };
    let told = Told { ok: problem.is_none(), problem, bundle, key_given: key.is_some() };
    either(form, &told, || shown(&told, depth))?;
    Ok(!told.ok)
}

fn shown(told: &Told, depth: BundleDepth) -> anyhow::Result<()> {
    if let Some(problem) = &told.problem {
        line(format!("the bundle DOES NOT HOLD: {}", visible(problem, 600)))?;
    }
    let Some(bundle) = &told.bundle else { return Ok(()) };
    line(format!("the bundle holds: a log of {} records, root {}", bundle.size, bundle.root))?;
    let records = match depth {
        BundleDepth::Whole => "are what is sealed",
        BundleDepth::Leaves => {
            "are committed to by their leaves; they were not opened, and sums not compared"
        }
    };
    line(format!(
        "  {} leaves, {} tiles; {} records {records}",
        bundle.leaves, bundle.tiles, bundle.records
    ))?;
    if bundle.erased > 0 {
        line(format!("  {} of them were erased or purged: that they were there is proved", bundle.erased))?;
    }
    if bundle.set_apart > 0 {
        line(format!("  {} of them do not open, and the log sets them apart", bundle.set_apart))?;
    }
    for told in &bundle.warnings {
        line(format!("  warning: {}", visible(told, 400)))?;
    }
    line(format!("  signed by {}", bundle.key))?;
    if told.key_given {
        return Ok(());
    }
    line(
        "  that only shows that the files fit each other: give --key, which you got another way than the files",
    )
}
