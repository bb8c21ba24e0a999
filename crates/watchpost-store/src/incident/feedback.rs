//! What verdicts say of rules.

use std::collections::BTreeMap;

use watchpost_model::incident::{RuleFeedback, Verdict};

use crate::engine::args;
use crate::error::StoreError;
use crate::store::Store;

impl Store {
    /// The record of each rule that has findings in incidents, by rule id. A merged incident is judged with its target;
    /// duplicates do not count.
    ///
    /// # Errors
    /// What the database says.
    pub async fn rule_feedback(&self) -> Result<Vec<RuleFeedback>, StoreError> {
        let mut tx = self.read().await?;
        let rows = tx
            .fetch(
                "SELECT f.rule_id, r.verdict, COUNT(DISTINCT r.id) FROM finding f \
                 JOIN incident i ON i.id = f.incident_id JOIN incident r ON r.id = i.root_id \
                 WHERE r.verdict <> 'duplicate' GROUP BY f.rule_id, r.verdict",
                args![],
            )
            .await?;
        let mut rules: BTreeMap<String, (u64, [u64; 3])> = BTreeMap::new();
        for row in rows {
            let (all, counts) = rules.entry(row.text(0)?).or_default();
            let n = row.u64(2)?;
            *all += n;
            match row.parse(1)? {
                Verdict::TruePositive => counts[0] += n,
                Verdict::FalsePositive => counts[1] += n,
                Verdict::BenignTruePositive => counts[2] += n,
                Verdict::Unjudged | Verdict::Duplicate => {}
            }
        }
        Ok(rules.into_iter().map(|(rule, (all, counts))| RuleFeedback::of(rule, all, counts)).collect())
    }
}
