//! A plausible web application and its attackers, from a seed.
//!
//! People with countries, working hours and weekends log in, browse, view records, sometimes mistype a password;
//! campaigns run through the same time. Events come in the order of time. Memory holds the sessions of a few hours.

mod campaign;
mod rng;
mod world;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use watchpost_model::event::Event;
use watchpost_model::ids::EventId;

pub use campaign::{CampaignKind, CampaignTruth, Truth};

use campaign::Campaign;
use world::World;

/// What to simulate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SimulationConfig {
    /// Equal seeds make equal events.
    pub seed: u64,
    /// First moment.
    pub from: DateTime<Utc>,
    /// End, exclusive.
    pub to: DateTime<Utc>,
    /// How many people.
    pub users: u32,
    /// Ordinary events of a mean day (campaigns come on top).
    pub events_per_day: u32,
    /// How many campaigns; their kinds take turns, so eight hold every kind.
    pub campaigns: u32,
}

/// The events of a simulation, in the order of time.
#[derive(Debug)]
pub struct Simulation {
    config: SimulationConfig,
    world: World,
    campaigns: Vec<Campaign>,
    truth: Truth,
    /// Made and not yet given out; keyed by time and id, so the order is total.
    waiting: BTreeMap<(DateTime<Utc>, EventId), Event>,
    /// Everything that begins before this has been made.
    made_until: DateTime<Utc>,
}

impl Simulation {
    /// Plans a simulation. Campaigns that do not fit between `from` and `to` are left out.
    #[must_use]
    pub fn new(config: SimulationConfig) -> Self {
        let world = World::new(config.seed, config.users);
        let mut campaigns: Vec<Campaign> = (0..config.campaigns)
            .filter_map(|number| Campaign::plan(config.seed, number, config.from, config.to, &world.people))
            .collect();
        campaigns.sort_by_key(|campaign| Reverse(campaign.truth.from));
        let truth = Truth {
            seed: config.seed,
            from: config.from,
            to: config.to,
            campaigns: campaigns.iter().rev().map(|campaign| campaign.truth.clone()).collect(),
        };
        Self { config, world, campaigns, truth, waiting: BTreeMap::new(), made_until: config.from }
    }

    /// What really happens, known from the start.
    #[must_use]
    pub const fn truth(&self) -> &Truth {
        &self.truth
    }

    /// Makes the sessions and the campaign events of the next hour.
    fn make_hour(&mut self) {
        let hour = self.made_until;
        let end = (hour + Duration::hours(1)).min(self.config.to);
        let mut events = self.world.hour(self.config.seed, hour, self.config.events_per_day);
        for campaign in &mut self.campaigns {
            while campaign.next_at().is_some_and(|at| at < end) {
                events.extend(campaign.next());
            }
        }
        self.campaigns.retain(|campaign| campaign.next_at().is_some());
        let fits = |event: &Event| event.at < self.config.to;
        self.waiting.extend(events.into_iter().filter(fits).map(|event| ((event.at, event.id), event)));
        self.made_until = end;
    }
}

impl Iterator for Simulation {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        loop {
            let is_done = self.made_until >= self.config.to;
            if let Some(first) = self.waiting.first_entry()
                && (is_done || first.key().0 < self.made_until)
            {
                return Some(first.remove());
            }
            if is_done {
                return None;
            }
            self.make_hour();
        }
    }
}
