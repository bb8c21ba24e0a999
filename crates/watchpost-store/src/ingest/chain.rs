//! Attack chains: an incident of the family `kill_chain` is linked with the incidents that are its steps.

use chrono::{DateTime, Duration, Utc};
use watchpost_model::finding::{AttackFamily, Finding};
use watchpost_model::ids::IncidentId;
use watchpost_model::incident::LinkKind;

use super::work::Work;
use crate::engine::{Tx, args};
use crate::error::StoreError;
use crate::event::key_text;
use crate::incident;

/// How far back a chain reaches whose finding does not say so.
const REACH: Duration = Duration::hours(24);

/// Links the chains and the steps among `works` with each other and with what is stored.
pub(super) async fn link(tx: &mut Tx, works: &mut [Work], now: DateTime<Utc>) -> Result<(), StoreError> {
    // A chain looks for times that are written last otherwise.
    if works.iter().any(|work| work.incident.family == AttackFamily::KillChain) {
        for work in works.iter() {
            incident::update(tx, &work.incident).await?;
        }
    }
    let mut said: Vec<(IncidentId, String)> = Vec::new();
    for work in works.iter().filter(|work| !work.findings.is_empty()) {
        let pairs = if work.incident.family == AttackFamily::KillChain {
            steps_of(tx, work).await?
        } else {
            chains_of(tx, work).await?
        };
        for ((step, step_number), (chain, chain_number)) in pairs {
            if incident::add_link(tx, step, chain, LinkKind::Chain, now, "engine").await? {
                said.push((chain, format!("Step of the chain: incident {step_number}")));
                said.push((step, format!("Step of the attack chain of incident {chain_number}")));
            }
        }
    }
    for (id, text) in said {
        match works.iter_mut().find(|work| work.incident.id == id) {
            Some(work) => work.say("linked", text),
            None => incident::timeline(tx, id, now, "engine", "linked", &text).await?,
        }
    }
    Ok(())
}

type Numbered = (IncidentId, i64);

/// Where a finding of a chain says that it began.
fn begin(finding: &Finding) -> DateTime<Utc> {
    let window = finding.counter.as_ref().map(|counter| counter.window_s.min(31 * 86_400));
    match (&finding.counted, window) {
        (Some(counted), _) => counted.from,
        (None, Some(seconds)) => finding.at - Duration::seconds(seconds.cast_signed()),
        (None, None) => finding.at - REACH,
    }
}

/// The incidents of the chain's entity that were seen in its time.
async fn steps_of(tx: &mut Tx, chain: &Work) -> Result<Vec<(Numbered, Numbered)>, StoreError> {
    let incident = &chain.incident;
    let from = chain.findings.iter().map(begin).min().unwrap_or(incident.first_seen);
    let to = chain.findings.iter().map(|finding| finding.at).max().unwrap_or(incident.last_seen);
    let rows = tx
        .fetch(
            "SELECT id, number FROM incident WHERE entity_kind = $1 AND entity_key = $2 AND family <> 'kill_chain' \
             AND merged_into IS NULL AND last_seen >= $3 AND first_seen <= $4 AND id <> $5 ORDER BY number LIMIT 200",
            args![
                incident.entity.kind.as_str(),
                key_text(&incident.entity.value),
                from,
                to,
                chain.root.to_string()
            ],
        )
        .await?;
    rows.iter().map(|row| Ok(((row.parse(0)?, row.i64(1)?), (incident.id, incident.number)))).collect()
}

/// The active chains of an incident's entity.
async fn chains_of(tx: &mut Tx, step: &Work) -> Result<Vec<(Numbered, Numbered)>, StoreError> {
    let incident = &step.incident;
    let rows = tx
        .fetch(
            "SELECT id, number FROM incident WHERE entity_kind = $1 AND entity_key = $2 AND family = 'kill_chain' \
             AND active = 1 AND first_seen <= $3 AND id <> $4",
            args![
                incident.entity.kind.as_str(),
                key_text(&incident.entity.value),
                incident.last_seen,
                step.root.to_string()
            ],
        )
        .await?;
    rows.iter().map(|row| Ok(((incident.id, incident.number), (row.parse(0)?, row.i64(1)?)))).collect()
}
