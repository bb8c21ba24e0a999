//! Baselines to and from their exchange form.

use chrono::{DateTime, Utc};
use watchpost_model::baseline::{Baseline, EndpointBaseline, HabitValue, UserBaseline, Volume};

use super::profile::{EndpointProfile, Habit, Meter, UserProfile, usual};
use super::{Baselines, agent_family, key_of};

impl Baselines {
    /// Everything learned, by name.
    pub(crate) fn export(&self, from: DateTime<Utc>, to: DateTime<Utc>, events: u64) -> Baseline {
        let mut users: Vec<UserBaseline> = self.users.groups().map(user).collect();
        users.sort_by(|a, b| a.user.cmp(&b.user));
        let mut endpoints: Vec<EndpointBaseline> = self.endpoints.groups().map(endpoint).collect();
        endpoints.sort_by(|a, b| a.endpoint.cmp(&b.endpoint));
        Baseline { version: 1, from, to, events, users, endpoints }
    }

    /// Takes what was learned elsewhere in the place of what is known of the same users and endpoints.
    pub(crate) fn import(&mut self, baseline: &Baseline) {
        let mut evicted = 0;
        let to_ms = baseline.to.timestamp_millis();
        for user in &baseline.users {
            self.users.change(key_of(&[&user.user]), to_ms, &mut evicted, |profile| {
                *profile = UserProfile::of(user, to_ms);
            });
        }
        for endpoint in &baseline.endpoints {
            let from_ms = baseline.from.timestamp_millis();
            self.endpoints.change(key_of(&[&endpoint.endpoint]), to_ms, &mut evicted, |profile| {
                *profile = EndpointProfile {
                    name: endpoint.endpoint.clone(),
                    first_ms: from_ms,
                    newest_ms: to_ms,
                    requests: endpoint.requests,
                    hour_requests: Meter::of(&endpoint.hour_requests),
                    hour_kib: Meter::of(&endpoint.hour_kib),
                };
            });
        }
    }
}

impl UserProfile {
    fn of(user: &UserBaseline, to_ms: i64) -> Self {
        let hours = |hours: &[u32]| {
            let mut own = [0_u16; 24];
            for (own, &n) in own.iter_mut().zip(hours) {
                *own = u16::try_from(n).unwrap_or(u16::MAX);
            }
            own
        };
        Self {
            name: user.user.clone(),
            events: u32::try_from(user.events).unwrap_or(u32::MAX),
            newest_ms: to_ms,
            days: [user.weekdays, user.weekend_days],
            hours: [hours(&user.weekday_hours), hours(&user.weekend_hours)],
            countries: Habit::of(&user.countries),
            agents: Habit::of(&user.agents),
            networks: Habit::of(&user.networks),
            day_kib: Meter::of(&user.day_kib),
            ..Self::default()
        }
    }
}

impl Habit {
    fn of(values: &[HabitValue]) -> Self {
        let values = values.iter().take(super::profile::VALUES_MAX);
        Self(values.map(|value| (value.value.clone(), value.count, value.last.timestamp_millis())).collect())
    }

    fn values(&self) -> Vec<HabitValue> {
        let mut values: Vec<HabitValue> = self
            .0
            .iter()
            .map(|(value, count, last_ms)| HabitValue {
                value: value.clone(),
                count: *count,
                last: DateTime::from_timestamp_millis(*last_ms).unwrap_or_default(),
            })
            .collect();
        values.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
        values
    }
}

impl Meter {
    fn of(volume: &Volume) -> Self {
        let skip = volume.history.len().saturating_sub(super::profile::PERIODS_MAX);
        Self { history: volume.history[skip..].to_vec(), ..Self::default() }
    }

    fn volume(&self) -> Volume {
        // The current period counts as well: a file is about whole periods of its own.
        let mut history = self.history.clone();
        history.extend((self.now > 0).then_some(self.now));
        let (median, deviation) = usual(&history, 1).map_or((0, 0), |usual| (usual.median, usual.deviation));
        Volume { median, deviation, history }
    }
}

fn user(profile: &UserProfile) -> UserBaseline {
    let hours = |class: usize| profile.hours[class].iter().map(|&n| u32::from(n)).collect();
    let agents = profile.agents.values().into_iter();
    UserBaseline {
        user: profile.name.clone(),
        events: u64::from(profile.events),
        weekdays: profile.days[0],
        weekend_days: profile.days[1],
        weekday_hours: hours(0),
        weekend_hours: hours(1),
        countries: profile.countries.values(),
        agents: agents.map(|agent| HabitValue { value: agent_family(&agent.value), ..agent }).collect(),
        networks: profile.networks.values(),
        day_kib: profile.day_kib.volume(),
    }
}

fn endpoint(profile: &EndpointProfile) -> EndpointBaseline {
    EndpointBaseline {
        endpoint: profile.name.clone(),
        requests: profile.requests,
        hour_requests: profile.hour_requests.volume(),
        hour_kib: profile.hour_kib.volume(),
    }
}
