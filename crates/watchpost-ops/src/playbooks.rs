//! Playbooks as data: the checklists that come with the product.

use std::sync::OnceLock;

use serde::Deserialize;
use watchpost_model::finding::AttackFamily;
use watchpost_model::incident::StepCheck;
use watchpost_model::playbook::{Playbook, PlaybookStep};

const SHIPPED: &str = include_str!("../playbooks.toml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    playbook: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    title: String,
    families: Vec<AttackFamily>,
    step: Vec<Step>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    id: String,
    phase: String,
    title: String,
    how: String,
}

fn shipped() -> &'static [Entry] {
    static ENTRIES: OnceLock<Vec<Entry>> = OnceLock::new();
    ENTRIES.get_or_init(|| {
        let file: File =
            toml::from_str(SHIPPED).expect("a test reads the playbooks that come with the product");
        file.playbook
    })
}

/// The playbook of a family with what was checked on an incident.
pub(crate) fn playbook(family: AttackFamily, checks: &[StepCheck]) -> Option<Playbook> {
    let of = |family: AttackFamily| shipped().iter().find(|entry| entry.families.contains(&family));
    let entry = of(family).or_else(|| of(AttackFamily::Custom))?;
    let steps: Vec<PlaybookStep> = entry
        .step
        .iter()
        .map(|step| {
            let check = checks.iter().find(|check| check.step == step.id);
            PlaybookStep {
                id: step.id.clone(),
                title: step.title.clone(),
                how: step.how.clone(),
                phase: step.phase.clone(),
                checked_by: check.map(|check| check.by.clone()),
                checked_at: check.map(|check| check.at),
                note: check.and_then(|check| check.note.clone()),
            }
        })
        .collect();
    let done = steps.iter().filter(|step| step.checked_at.is_some()).count();
    Some(Playbook { title: entry.title.clone(), done: u32::try_from(done).unwrap_or(u32::MAX), steps })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use watchpost_model::finding::AttackFamily;
    use watchpost_model::playbook::steps_of;

    use super::{playbook, shipped};

    #[test]
    fn every_family_has_one_playbook_with_steps_of_its_own() {
        for &family in AttackFamily::ALL {
            let n = shipped().iter().filter(|entry| entry.families.contains(&family)).count();
            assert!(n <= 1, "{family} has several");
            let playbook = playbook(family, &[]).expect("it has one");
            let ids: BTreeSet<_> = playbook.steps.iter().map(|step| step.id.as_str()).collect();
            assert_eq!(ids.len(), playbook.steps.len(), "{family}: ids are different");
            assert!(playbook.steps.len() >= 3 && playbook.done == 0, "{family}");
            assert_eq!(playbook.steps.len(), steps_of(family) as usize, "{family}: reports count its steps");
            for step in &playbook.steps {
                let phases = ["triage", "contain", "eradicate", "recover", "learn"];
                assert!(phases.contains(&step.phase.as_str()), "{family} {}: {}", step.id, step.phase);
                assert!(!step.title.is_empty() && !step.how.is_empty(), "{family} {}", step.id);
            }
        }
    }
}
