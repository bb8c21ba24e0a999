//! `watchpost audit purge` and `watchpost config audit-retention`: for how long the content of audit records is kept.

use clap::Args;
use watchpost_model::record_class::{RecordClass, RecordRule};
use watchpost_ops::contract::{
    AuditPurge, AuditPurgeRequest, AuditPurged, AuditRetention, AuditRetentionPut, Nothing,
};
use watchpost_ops::door::operation;

use crate::args::Output;
use crate::output::{at, line, table};
use crate::session::Session;
use crate::show::{either, or_dash};

/// Which records, and why.
#[derive(Debug, Args)]
pub(crate) struct Purge {
    /// Count what is past its time; change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Of this class only: security, access, privacy, reads or maintenance.
    #[arg(long)]
    class: Option<RecordClass>,
    /// Why; it stands in the audit trail.
    #[arg(long, required_unless_present = "dry_run")]
    reason: Option<String>,
}

/// The years of a class.
#[derive(Debug, Args)]
pub(crate) struct Years {
    /// Set this class: security, access, privacy, reads or maintenance.
    #[arg(long, requires = "years")]
    class: Option<RecordClass>,
    /// Whole years, 1 to 100; 0 keeps its records for ever.
    #[arg(long, requires = "class")]
    years: Option<u32>,
    /// Why; it stands in the audit trail.
    #[arg(long, requires = "years")]
    reason: Option<String>,
}

pub(crate) async fn run(session: &Session, form: Output, wanted: Purge) -> anyhow::Result<()> {
    let Purge { dry_run, class, reason } = wanted;
    let purged = if dry_run {
        session.ask::<operation::audit_purge_preview>(AuditPurgeRequest { class }).await?
    } else {
        let reason = reason.unwrap_or_default();
        session.ask::<operation::audit_purge>(AuditPurge { class, reason }).await?
    };
    either(form, &purged, || shown(&purged))
}

pub(crate) async fn years(session: &Session, form: Output, wanted: Years) -> anyhow::Result<()> {
    let kept = match wanted.class.zip(wanted.years) {
        Some((class, years)) => {
            let rules = vec![RecordRule { class, years }];
            let request = AuditRetentionPut { rules, reason: wanted.reason };
            session.ask::<operation::audit_retention_put>(request).await?
        }
        None => session.ask::<operation::audit_retention_get>(Nothing {}).await?,
    };
    either(form, &kept, || kept_for(&kept))
}

fn kept_for(kept: &AuditRetention) -> anyhow::Result<()> {
    let years = |years: u32| if years == 0 { "for ever".to_owned() } else { years.to_string() };
    table(["CLASS", "YEARS"], kept.rules.iter().map(|rule| [rule.class.to_string(), years(rule.years)]))
}

pub(crate) fn shown(purged: &AuditPurged) -> anyhow::Result<()> {
    table(
        ["CLASS", "BEFORE", "RECORDS", "HELD", "FIRST", "LAST", "SAID BY RECORD"],
        purged.classes.iter().map(|one| {
            let number = |number: Option<i64>| or_dash(number.map(|number| number.to_string()).as_ref());
            [
                one.class.to_string(),
                at(one.before),
                one.records.to_string(),
                one.held.to_string(),
                number(one.first),
                number(one.last),
                number(one.record),
            ]
        }),
    )?;
    if purged.classes.iter().any(|one| one.held > 0) {
        line("held: a legal hold in force names somebody in them (`watchpost privacy hold list`)")?;
    }
    Ok(())
}
