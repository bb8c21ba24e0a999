//! Key figures of incident handling. Times are whole seconds; medians and ninth deciles are members of the population, not
//! interpolated, so that each can be found in the rows.

use chrono::{DateTime, Duration, Utc};
use watchpost_model::event::Severity;
use watchpost_model::incident::Verdict;
use watchpost_model::period::Period;
use watchpost_model::plain::percent;
use watchpost_report::{Parameter, Section};
use watchpost_store::IncidentTimes;

use super::compose::{names, time};

/// The member at `percent` of the sorted values (nearest rank); `None` of nothing.
pub(super) fn quantile(values: &[i64], percent: usize) -> Option<i64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

/// `2 d 03 h`, `4 h 05 min`, `3 min 20 s`; `-` of nothing.
pub(super) fn words(seconds: Option<i64>) -> String {
    let Some(seconds) = seconds else { return "-".to_owned() };
    let s = seconds.max(0);
    match s {
        172_800.. => format!("{} d {:02} h", s / 86_400, s % 86_400 / 3_600),
        7_200.. => format!("{} h {:02} min", s / 3_600, s % 3_600 / 60),
        120.. => format!("{} min {:02} s", s / 60, s % 60),
        _ => format!("{s} s"),
    }
}

/// `94.1 % (32 of 34)`; `-` of nothing.
fn share(part: usize, of: usize) -> String {
    if of == 0 {
        return "-".to_owned();
    }
    format!("{} ({part} of {of})", percent(part as u64, of as u64))
}

struct Measured {
    detect: Vec<i64>,
    acknowledge: Vec<i64>,
    resolve: Vec<i64>,
    acknowledged: (usize, usize),
    resolved: (usize, usize),
    false_alarms: (usize, usize),
    incidents: usize,
}

fn measure<'i>(incidents: impl Iterator<Item = &'i IncidentTimes>, now: DateTime<Utc>) -> Measured {
    let mut found = Measured {
        detect: Vec::new(),
        acknowledge: Vec::new(),
        resolve: Vec::new(),
        acknowledged: (0, 0),
        resolved: (0, 0),
        false_alarms: (0, 0),
        incidents: 0,
    };
    let seconds = |from: DateTime<Utc>, to: DateTime<Utc>| (to - from).num_seconds().max(0);
    for incident in incidents {
        found.incidents += 1;
        found.detect.push(seconds(incident.first_seen, incident.opened_at));
        if let Some(at) = incident.acknowledged_at {
            found.acknowledge.push(seconds(incident.opened_at, at));
        }
        if let Some(at) = incident.resolved_at {
            found.resolve.push(seconds(incident.opened_at, at));
        }
        // A clock counts when it was stopped or has run out.
        for (at, due, kept) in [
            (incident.acknowledged_at, incident.acknowledge_due, &mut found.acknowledged),
            (incident.resolved_at, incident.resolve_due, &mut found.resolved),
        ] {
            if at.is_some() || due < now {
                kept.1 += 1;
                kept.0 += usize::from(at.is_some_and(|at| at <= due));
            }
        }
        if incident.verdict != Verdict::Unjudged {
            found.false_alarms.1 += 1;
            found.false_alarms.0 += usize::from(incident.verdict == Verdict::FalsePositive);
        }
    }
    found
}

fn of_period(incidents: &[IncidentTimes], period: Period) -> impl Iterator<Item = &IncidentTimes> {
    incidents.iter().filter(move |incident| period.contains(incident.first_seen))
}

/// How many judged incidents of the period were false alarms, and how many were judged.
pub(super) fn false_alarms(incidents: &[IncidentTimes], period: Period) -> (usize, usize) {
    let verdicts = of_period(incidents, period).map(|one| one.verdict);
    let judged: Vec<Verdict> = verdicts.filter(|verdict| *verdict != Verdict::Unjudged).collect();
    (judged.iter().filter(|verdict| **verdict == Verdict::FalsePositive).count(), judged.len())
}

/// The figures over all severities.
pub(super) fn figures(incidents: &[IncidentTimes], period: Period, now: DateTime<Utc>) -> Vec<Parameter> {
    let found = measure(of_period(incidents, period), now);
    let p = |values: &[i64], percent| words(quantile(values, percent));
    vec![
        Parameter::new("Time to detect, median", p(&found.detect, 50)),
        Parameter::new("Time to acknowledge, median", p(&found.acknowledge, 50)),
        Parameter::new("Time to resolve, median", p(&found.resolve, 50)),
        Parameter::new("False alarms among judged", share(found.false_alarms.0, found.false_alarms.1)),
        Parameter::new("Time to detect, p90", p(&found.detect, 90)),
        Parameter::new("Time to acknowledge, p90", p(&found.acknowledge, 90)),
        Parameter::new("Time to resolve, p90", p(&found.resolve, 90)),
        Parameter::new("Incidents", found.incidents.to_string()),
        Parameter::new("Acknowledged in time", share(found.acknowledged.0, found.acknowledged.1)),
        Parameter::new("Resolved in time", share(found.resolved.0, found.resolved.1)),
    ]
}

/// All sections: the figures, by severity, and the course of the backlog.
pub(super) fn sections(incidents: &[IncidentTimes], period: Period, now: DateTime<Utc>) -> Vec<Section> {
    let by_severity = Severity::ALL
        .iter()
        .rev()
        .map(|severity| {
            let found = measure(of_period(incidents, period).filter(|one| one.severity == *severity), now);
            let both =
                |values: &[i64]| format!("{} / {}", words(quantile(values, 50)), words(quantile(values, 90)));
            vec![
                severity.to_string(),
                found.incidents.to_string(),
                both(&found.detect),
                both(&found.acknowledge),
                both(&found.resolve),
                share(found.acknowledged.0, found.acknowledged.1),
                share(found.resolved.0, found.resolved.1),
                share(found.false_alarms.0, found.false_alarms.1),
            ]
        })
        .collect();
    vec![
        Section {
            title: "Key figures".to_owned(),
            text: vec![
                "Incidents whose first evidence lies in the period. To detect: from first evidence to opening; to \
                 acknowledge and to resolve: from opening. Median and p90 are the nearest rank. A clock counts when it was \
                 stopped or has run out."
                    .to_owned(),
            ],
            figures: figures(incidents, period, now),
            ..Section::default()
        },
        Section {
            title: "By severity".to_owned(),
            caption: "Times as median / p90".to_owned(),
            columns: names(&[
                "severity",
                "incidents",
                "to detect",
                "to acknowledge",
                "to resolve",
                "acknowledged in time",
                "resolved in time",
                "false alarms",
            ]),
            rows: by_severity,
            ..Section::default()
        },
        Section {
            title: "Backlog".to_owned(),
            caption: "Active incidents at the end of each step".to_owned(),
            columns: names(&["until", "opened", "resolved", "active"]),
            rows: backlog(incidents, period, now),
            ..Section::default()
        },
    ]
}

fn there_from(incident: &IncidentTimes) -> DateTime<Utc> {
    incident.first_seen.min(incident.opened_at)
}

/// Days up to two months, else weeks: what came, what went, what stood at the end.
fn backlog(incidents: &[IncidentTimes], period: Period, now: DateTime<Utc>) -> Vec<Vec<String>> {
    // A day that is begun is a day: the steps must not be more than a chart can show.
    let days = (period.to - period.from + Duration::days(1) - Duration::seconds(1)).num_days();
    let step = match days {
        0..=2 => Duration::hours(6),
        3..=62 => Duration::days(1),
        63..=434 => Duration::days(7),
        _ => Duration::days(28),
    };
    let end = period.to.min(now);
    let mut rows = Vec::new();
    let mut from = period.from;
    while from < end {
        let until = (from + step).min(end);
        let within = |at: DateTime<Utc>| from <= at && at < until;
        // As the overview counts: an incident is there from its first evidence on.
        let opened = incidents.iter().filter(|one| within(there_from(one))).count();
        let resolved = incidents.iter().filter(|one| one.resolved_at.is_some_and(within)).count();
        let active = incidents
            .iter()
            .filter(|one| there_from(one) < until && one.resolved_at.is_none_or(|at| at >= until))
            .count();
        rows.push(vec![time(until), opened.to_string(), resolved.to_string(), active.to_string()]);
        from = until;
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::{quantile, share, words};

    #[test]
    fn quantiles_are_members() {
        for (values, p50, p90) in [
            (vec![], None, None),
            (vec![7], Some(7), Some(7)),
            (vec![4, 1, 3, 2], Some(2), Some(4)),
            ((1..=10).collect(), Some(5), Some(9)),
            ((1..=100).rev().collect(), Some(50), Some(90)),
        ] {
            assert_eq!((quantile(&values, 50), quantile(&values, 90)), (p50, p90), "{values:?}");
        }
    }

    #[test]
    fn numbers_for_people() {
        for (seconds, expect) in [
            (None, "-"),
            (Some(-4), "0 s"),
            (Some(119), "119 s"),
            (Some(200), "3 min 20 s"),
            (Some(14_700), "4 h 05 min"),
            (Some(183_600), "2 d 03 h"),
        ] {
            assert_eq!(words(seconds), expect);
        }
        assert_eq!(
            [share(0, 0), share(1, 3), share(2, 3), share(5, 5)],
            ["-", "33.3 % (1 of 3)", "66.7 % (2 of 3)", "100.0 % (5 of 5)"]
        );
    }
}
