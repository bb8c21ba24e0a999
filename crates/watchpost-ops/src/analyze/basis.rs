//! What an analysis goes by: a workspace, or what ships.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Serialize;
use tokio::runtime::Handle;
use watchpost_detect::RuleSet;
use watchpost_detect::enrich::Knowledge;
use watchpost_model::event::Entity;
use watchpost_model::risk::EntityHistory;
use watchpost_store::Store;

use crate::console::Console;
use crate::enrich::Freshness;
use crate::error::OpError;
use crate::hidden::Hidden;

/// Entities whose history is remembered.
const HISTORIES_MAX: usize = 100_000;

/// What an analysis was done with, for its reader.
#[derive(Debug, Clone, Default, Serialize)]
pub struct BasisTold {
    /// The connection whose rules, thresholds, suppressions, lists, assets and earlier incidents were used; absent for
    /// what ships.
    pub connection: Option<String>,
    /// Rules that are on.
    pub rules: u64,
    /// Rules with a threshold, window or switch of their own in the workspace.
    pub adjusted: u64,
    /// Suppressions in force.
    pub suppressions: u64,
}

/// What an analysis goes by.
pub struct Basis {
    pub(super) rules: Arc<RuleSet>,
    pub(super) knowledge: Knowledge,
    pub(super) hidden: Hidden,
    pub(super) histories: Histories,
    pub(super) told: BasisTold,
}

impl Basis {
    /// These rules and nothing else.
    #[must_use]
    pub fn of_rules(rules: Arc<RuleSet>) -> Self {
        let told = BasisTold { rules: switched_on(&rules), ..BasisTold::default() };
        let (knowledge, hidden) = (Knowledge::default(), Hidden::default());
        Self { rules, knowledge, hidden, histories: Histories::default(), told }
    }

    /// What the open workspace of `console` says, as its engine would use it now. `rules` take the place of its own.
    ///
    /// # Errors
    /// `Precondition` when none is open; what the database says.
    pub async fn of_workspace(console: &Console, rules: Option<Arc<RuleSet>>) -> Result<Self, OpError> {
        let workspace = console.workspace()?;
        let mut told =
            BasisTold { connection: Some(workspace.connection().name.clone()), ..BasisTold::default() };
        let rules = match rules {
            Some(rules) => rules,
            None => {
                let (loaded, _) = workspace.rules().refresh(&workspace, false).await?;
                told.adjusted = loaded.setting.adjust.len() as u64;
                loaded.set
            }
        };
        told.rules = switched_on(&rules);
        let hidden = Hidden::in_force(workspace.store(), workspace.now()).await?;
        told.suppressions = hidden.scopes().len() as u64;
        let known = workspace.known(Freshness::Now).await?;
        let histories = Histories {
            archive: Some((workspace.store().clone(), Handle::current())),
            known: HashMap::new(),
        };
        Ok(Self { rules, knowledge: known.knowledge.clone(), hidden, histories, told })
    }
}

fn switched_on(rules: &RuleSet) -> u64 {
    rules.rules().iter().filter(|rule| rule.enabled).count() as u64
}

/// Earlier incidents of entities, asked once for each.
#[derive(Default)]
pub(super) struct Histories {
    archive: Option<(Store, Handle)>,
    known: HashMap<Entity, EntityHistory>,
}

impl Histories {
    /// Of one entity. Waits for the database: not to be called on a thread that serves others.
    pub(super) fn of(&mut self, entity: &Entity) -> Result<EntityHistory, OpError> {
        let Some((store, runtime)) = &self.archive else { return Ok(EntityHistory::default()) };
        if let Some(known) = self.known.get(entity) {
            return Ok(*known);
        }
        let asked = runtime.block_on(store.entity_history(std::slice::from_ref(entity)))?;
        let history = asked.get(entity).copied().unwrap_or_default();
        if self.known.len() >= HISTORIES_MAX {
            self.known.clear();
        }
        self.known.insert(entity.clone(), history);
        Ok(history)
    }
}
