//! Behaviours as data: what is counted, over how long, and how many it takes.
//!
//! Sources of the numbers: fail2ban (5 failures in 10 minutes), CrowdSec ssh-slow-bf (10 failures, a minute apart), and
//! a real access log of 1,753 sources whose busiest minute held 108 requests and 14 refused ones.

use watchpost_model::event::Severity;
use watchpost_model::finding::AttackFamily;

use crate::rule::Sample::Traffic;
use crate::rule::TrafficKind::{LoginFailure, LoginSuccess, Request};
use crate::rule::{Burst, RuleInfo, TrafficKind};

/// What a behaviour counts, and for which group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    /// Failed logins of one source.
    SourceFailures,
    /// Failed logins of one user from several sources, or from none that is known.
    UserFailures,
    /// Different users that one source failed to log in as.
    SprayedUsers,
    /// A success from a source that has failed at least this often.
    SuccessAfterSource,
    /// A success of a user whom several sources have failed to log in as, from one of those sources.
    SuccessAfterUser,
    /// Requests of one source.
    Requests,
    /// Requests of one source that were answered with 4xx.
    RefusedRequests,
}

/// One behaviour.
#[derive(Debug, Clone)]
pub(crate) struct Behaviour {
    pub(crate) info: RuleInfo,
    pub(crate) counted: Counted,
    /// How many it takes.
    pub(crate) threshold: u32,
    /// In how many seconds.
    pub(crate) window_s: u32,
    /// For people: `failed logins`.
    pub(crate) what: &'static str,
}

const LOGIN_CONTROLS: &[&str] =
    &["PCI DSS 8.3.4", "PCI DSS 10.2.1.4", "SOC 2 CC6.1", "SOC 2 CC7.2", "ISO/IEC 27001 A.8.16"];
const RATE_CONTROLS: &[&str] = &["PCI DSS 10.4.1.1", "SOC 2 CC7.2", "ISO/IEC 27001 A.8.16"];

const fn burst(kind: TrafficKind, n_events: u32, n_sources: u32, n_users: u32, every_ms: u32) -> Burst {
    Burst { kind, n_events, n_sources, n_users, every_ms }
}

pub(crate) static BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        info: RuleInfo {
            id: "wp.brute.source",
            version: 1,
            title: "Many failed logins from one source",
            family: AttackFamily::BruteForce,
            severity: Severity::High,
            confidence: 80,
            attack: &["T1110.001"],
            owasp: Some("A07:2025"),
            controls: LOGIN_CONTROLS,
            fires: &[
                Traffic(&[burst(LoginFailure, 5, 1, 1, 1_000)]),
                Traffic(&[burst(LoginFailure, 5, 1, 5, 60_000)]),
                Traffic(&[
                    burst(LoginFailure, 3, 1, 1, 1_000),
                    burst(LoginSuccess, 1, 2, 1, 1_000),
                    burst(LoginFailure, 2, 1, 1, 1_000),
                ]),
            ],
            near_misses: &[
                Traffic(&[burst(LoginFailure, 4, 1, 1, 1_000)]),
                Traffic(&[burst(LoginFailure, 5, 1, 1, 180_000)]),
                Traffic(&[burst(LoginFailure, 5, 5, 5, 1_000)]),
                Traffic(&[burst(LoginSuccess, 20, 1, 1, 1_000)]),
            ],
        },
        counted: Counted::SourceFailures,
        threshold: 5,
        window_s: 600,
        what: "failed logins",
    },
    Behaviour {
        info: RuleInfo {
            id: "wp.brute.slow",
            version: 1,
            title: "Failed logins from one source, slowly",
            family: AttackFamily::BruteForce,
            severity: Severity::Medium,
            confidence: 75,
            attack: &["T1110.001"],
            owasp: Some("A07:2025"),
            controls: LOGIN_CONTROLS,
            fires: &[
                Traffic(&[burst(LoginFailure, 10, 1, 1, 300_000)]),
                Traffic(&[burst(LoginFailure, 10, 1, 3, 350_000)]),
                Traffic(&[burst(LoginFailure, 12, 1, 1, 200_000)]),
            ],
            near_misses: &[
                Traffic(&[burst(LoginFailure, 9, 1, 1, 300_000)]),
                Traffic(&[burst(LoginFailure, 10, 1, 1, 900_000)]),
                Traffic(&[burst(LoginFailure, 10, 5, 1, 300_000)]),
            ],
        },
        counted: Counted::SourceFailures,
        threshold: 10,
        window_s: 3_600,
        what: "failed logins",
    },
    Behaviour {
        info: RuleInfo {
            id: "wp.brute.user",
            version: 1,
            title: "Many failed logins of one user, from several sources",
            family: AttackFamily::BruteForce,
            severity: Severity::High,
            confidence: 75,
            attack: &["T1110.001"],
            owasp: Some("A07:2025"),
            controls: LOGIN_CONTROLS,
            fires: &[
                Traffic(&[burst(LoginFailure, 5, 5, 1, 1_000)]),
                Traffic(&[burst(LoginFailure, 6, 2, 1, 30_000)]),
                Traffic(&[burst(LoginFailure, 5, 0, 1, 1_000)]),
            ],
            near_misses: &[
                Traffic(&[burst(LoginFailure, 4, 4, 1, 1_000)]),
                Traffic(&[burst(LoginFailure, 8, 1, 1, 1_000)]),
                Traffic(&[burst(LoginFailure, 8, 8, 8, 1_000)]),
            ],
        },
        counted: Counted::UserFailures,
        threshold: 5,
        window_s: 600,
        what: "failed logins",
    },
    Behaviour {
        info: RuleInfo {
            id: "wp.brute.spraying",
            version: 1,
            title: "One source tries many users",
            family: AttackFamily::BruteForce,
            severity: Severity::High,
            confidence: 85,
            attack: &["T1110.003"],
            owasp: Some("A07:2025"),
            controls: LOGIN_CONTROLS,
            fires: &[
                Traffic(&[burst(LoginFailure, 8, 1, 8, 60_000)]),
                Traffic(&[burst(LoginFailure, 24, 1, 12, 10_000)]),
                Traffic(&[burst(LoginFailure, 10, 1, 10, 200_000)]),
            ],
            near_misses: &[
                Traffic(&[burst(LoginFailure, 7, 1, 7, 1_000)]),
                Traffic(&[burst(LoginFailure, 40, 1, 4, 1_000)]),
                Traffic(&[burst(LoginFailure, 8, 8, 8, 1_000)]),
            ],
        },
        counted: Counted::SprayedUsers,
        threshold: 8,
        window_s: 3_600,
        what: "different users",
    },
    Behaviour {
        info: RuleInfo {
            id: "wp.brute.success",
            version: 1,
            title: "Login that worked after many that did not",
            family: AttackFamily::BruteForce,
            severity: Severity::Critical,
            confidence: 85,
            attack: &["T1110", "T1078"],
            owasp: Some("A07:2025"),
            controls: LOGIN_CONTROLS,
            fires: &[
                Traffic(&[burst(LoginFailure, 6, 1, 1, 1_000), burst(LoginSuccess, 1, 1, 1, 1_000)]),
                Traffic(&[burst(LoginFailure, 10, 1, 10, 60_000), burst(LoginSuccess, 1, 1, 1, 1_000)]),
                Traffic(&[burst(LoginFailure, 5, 1, 1, 100_000), burst(LoginSuccess, 1, 1, 1, 600_000)]),
            ],
            near_misses: &[
                Traffic(&[burst(LoginFailure, 4, 1, 1, 1_000), burst(LoginSuccess, 1, 1, 1, 1_000)]),
                Traffic(&[burst(LoginSuccess, 1, 1, 1, 1_000), burst(LoginFailure, 6, 1, 1, 1_000)]),
                Traffic(&[burst(LoginFailure, 6, 6, 6, 1_000), burst(LoginSuccess, 1, 1, 1, 1_000)]),
            ],
        },
        counted: Counted::SuccessAfterSource,
        threshold: 5,
        window_s: 3_600,
        what: "failed logins before the success",
    },
    Behaviour {
        info: RuleInfo {
            id: "wp.brute.success_user",
            version: 1,
            title: "Login that worked after several sources failed",
            family: AttackFamily::BruteForce,
            severity: Severity::Critical,
            confidence: 75,
            attack: &["T1110", "T1078"],
            owasp: Some("A07:2025"),
            controls: LOGIN_CONTROLS,
            fires: &[
                Traffic(&[burst(LoginFailure, 6, 3, 1, 1_000), burst(LoginSuccess, 1, 1, 1, 1_000)]),
                Traffic(&[burst(LoginFailure, 5, 5, 1, 60_000), burst(LoginSuccess, 1, 1, 1, 1_000)]),
                Traffic(&[burst(LoginFailure, 5, 0, 1, 1_000), burst(LoginSuccess, 1, 0, 1, 1_000)]),
            ],
            near_misses: &[
                Traffic(&[burst(LoginFailure, 4, 2, 1, 1_000), burst(LoginSuccess, 1, 1, 1, 1_000)]),
                Traffic(&[burst(LoginFailure, 8, 1, 1, 1_000), burst(LoginSuccess, 1, 1, 1, 1_000)]),
                Traffic(&[burst(LoginFailure, 8, 8, 8, 1_000), burst(LoginSuccess, 1, 1, 1, 1_000)]),
            ],
        },
        counted: Counted::SuccessAfterUser,
        threshold: 5,
        window_s: 600,
        what: "failed logins before the success",
    },
    Behaviour {
        info: RuleInfo {
            id: "wp.rate.requests",
            version: 1,
            title: "More requests than a person makes",
            family: AttackFamily::ExcessiveRequests,
            severity: Severity::Medium,
            confidence: 70,
            attack: &["T1499.003"],
            owasp: None,
            controls: RATE_CONTROLS,
            fires: &[
                Traffic(&[burst(Request(200), 121, 1, 1, 100)]),
                Traffic(&[burst(Request(200), 130, 1, 0, 450)]),
                Traffic(&[burst(Request(404), 300, 1, 1, 20)]),
            ],
            near_misses: &[
                Traffic(&[burst(Request(200), 120, 1, 1, 100)]),
                Traffic(&[burst(Request(200), 300, 1, 1, 600)]),
                Traffic(&[burst(Request(200), 300, 5, 5, 100)]),
            ],
        },
        counted: Counted::Requests,
        threshold: 121,
        window_s: 60,
        what: "requests",
    },
    Behaviour {
        info: RuleInfo {
            id: "wp.rate.refused",
            version: 1,
            title: "Many requests refused or not found",
            family: AttackFamily::ExcessiveRequests,
            severity: Severity::Medium,
            confidence: 75,
            attack: &["T1595.003"],
            owasp: None,
            controls: RATE_CONTROLS,
            fires: &[
                Traffic(&[burst(Request(404), 31, 1, 1, 100)]),
                Traffic(&[burst(Request(403), 40, 1, 0, 1_000)]),
                Traffic(&[burst(Request(401), 60, 1, 1, 500)]),
            ],
            near_misses: &[
                Traffic(&[burst(Request(404), 30, 1, 1, 100)]),
                Traffic(&[burst(Request(404), 60, 1, 1, 3_000)]),
                Traffic(&[burst(Request(200), 100, 1, 1, 100)]),
            ],
        },
        counted: Counted::RefusedRequests,
        threshold: 31,
        window_s: 60,
        what: "requests answered with 4xx",
    },
];
