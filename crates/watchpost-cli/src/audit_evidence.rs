//! What a check of the trail found, and what its evidence is worth.

use watchpost_model::audit::{AuditStamp, AuditVerification, EvidenceStrength};
use watchpost_model::text::visible;

use crate::args::Output;
use crate::output::line;
use crate::show::either;

pub(crate) fn verification(form: Output, verification: &AuditVerification) -> anyhow::Result<()> {
    either(form, verification, || {
        let word = if verification.ok {
            "holds"
        } else if verification.only_places_altered() {
            "itself holds, and a place of its checkpoints WAS ALTERED"
        } else {
            "DOES NOT HOLD"
        };
        line(format!(
            "the trail {word}: {} records, {} checkpoints, root {}",
            verification.leaves, verification.checkpoints, verification.root
        ))?;
        if verification.ok && verification.from > 0 {
            line(format!(
                "  the first {} were found good by an earlier check and not read again (--full reads them)",
                verification.from
            ))?;
        }
        if verification.unrecorded {
            line(
                "  not recorded: this server takes no changes (a standby, or set to read-only) and may lack the newest \
                 records; a check at the primary leaves its record",
            )?;
        }
        if let Some(seq) = verification.first_bad_seq {
            let tile = verification.first_bad_tile.as_ref().map(|tile| format!("in {tile}"));
            let place = tile.unwrap_or_else(|| "behind the newest one that is there".to_owned());
            line(format!("  first record that does not hold: {seq}, {place}"))?;
        }
        let warnings = verification.warnings.iter().map(|told| format!("warning: {told}"));
        for told in verification.problems.iter().cloned().chain(warnings) {
            line(format!("  {}", visible(&told, 400)))?;
        }
        for erased in &verification.erased {
            let (n, record) = (erased.n, erased.record);
            line(match erased.class {
                Some(class) => {
                    format!("  content of {n} records purged by record {record} (retention of {class})")
                }
                None => format!("  content of {n} records erased by record {record}"),
            })?;
        }
        for apart in &verification.set_apart {
            line(format!("  {} (set apart by record {})", visible(&apart.problem, 400), apart.by))?;
        }
        evidence(verification.strength, verification.witnesses, verification.stamp.as_ref())
    })
}

pub(crate) fn evidence(
    is: EvidenceStrength,
    witnesses: u32,
    stamp: Option<&AuditStamp>,
) -> anyhow::Result<()> {
    line(format!("evidence: {}", strength(is, witnesses)))?;
    stamp.map_or(Ok(()), |stamp| line(crate::audit_timestamp::told(stamp)))
}

/// What the evidence is worth, without promising more.
fn strength(strength: EvidenceStrength, witnesses: u32) -> String {
    match strength {
        EvidenceStrength::SessionKey => {
            "the key of this session signs, and is not kept: signatures prove nothing after it".to_owned()
        }
        EvidenceStrength::LocalOnly => {
            "local only: whoever has this account could rewrite data, key and memory \
            together; keep checkpoints elsewhere (`watchpost audit places`)"
                .to_owned()
        }
        EvidenceStrength::SecondPlace => {
            "second place: the newest checkpoint is kept outside the database, and fits".to_owned()
        }
        EvidenceStrength::Witnessed => match witnesses {
            1 => "witnessed by one other console with a key of its own".to_owned(),
            n => format!("witnessed by {n} other consoles with keys of their own"),
        },
    }
}
