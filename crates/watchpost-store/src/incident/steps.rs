//! Steps of a playbook that were checked.

use watchpost_model::audit::{AuditDraft, Change};
use watchpost_model::text::visible;

use super::{detail, locked, refuse_merged, timeline, update};
use crate::engine::args;
use crate::error::StoreError;
use crate::store::{Store, Tag};

impl Store {
    /// Checks a step of the playbook, or with `note` absent and `done` false takes the check back. `title` is what the
    /// timeline calls the step.
    ///
    /// # Errors
    /// `NotFound`; `Precondition` if the step is in that state already or the incident is merged; what the database says.
    pub async fn incident_step(
        &self,
        number: i64,
        (step, title): (&str, &str),
        done: bool,
        note: Option<&str>,
        draft: AuditDraft,
    ) -> Result<(), StoreError> {
        let now = self.inner.clock.now();
        let mut write = self.write().await?;
        let incident = detail::by_number(&mut write, number).await?;
        let (mut incident, _) = locked(&mut write, incident.id).await?;
        refuse_merged(&incident)?;
        let id = incident.id.to_string();
        let actor = draft.caller.name.clone();
        let changed = if done {
            write
                .execute(
                    "INSERT INTO incident_step (incident_id, step, at, actor, note) VALUES ($1, $2, $3, $4, $5) \
                     ON CONFLICT (incident_id, step) DO NOTHING",
                    args![id, step, now, actor.as_str(), note],
                )
                .await?
        } else {
            let sql = "DELETE FROM incident_step WHERE incident_id = $1 AND step = $2";
            write.execute(sql, args![id, step]).await?
        };
        let state = if done { "checked" } else { "open" };
        if changed == 0 {
            return Err(StoreError::Precondition(format!(
                "the step {step} of incident {number} is {state} already"
            )));
        }
        incident.acknowledged_at.get_or_insert(now);
        incident.version += 1;
        update(&mut write, &incident).await?;
        let mut line = format!("Step {state}: {}", visible(title, 100));
        if let Some(note) = note {
            line = format!("{line} - {}", visible(note, 200));
        }
        timeline(&mut write, incident.id, now, &actor, "step", &line).await?;
        let mut record = AuditDraft { object: format!("incident/{number}"), ..draft };
        record.changes.push(Change::new(&format!("step {step}"), !done, done));
        write.audit(record);
        write.touch(Tag::Incidents);
        self.commit(write).await.map(drop)
    }
}
