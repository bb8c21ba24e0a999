//! What can be typed about incidents and suppressions.

use clap::{Args, Subcommand};

const VERDICTS: [&str; 4] = ["true_positive", "false_positive", "benign_true_positive", "duplicate"];
const CAUSES: [&str; 16] = [
    "attack_blocked",
    "attack_failed",
    "attack_succeeded",
    "policy_violation",
    "normal_traffic",
    "bad_pattern",
    "low_threshold",
    "bad_data",
    "pentest",
    "own_scanner",
    "load_test",
    "approved_change",
    "user_mistake",
    "same_source",
    "same_campaign",
    "other",
];
const STATUS: [&str; 6] = ["open", "investigating", "contained", "resolved", "closed", "reopened"];
const SEVERITY: [&str; 5] = ["info", "low", "medium", "high", "critical"];

/// Incidents.
#[derive(Debug, Subcommand)]
pub(crate) enum Incident {
    /// List them.
    List(IncidentList),
    /// Show one with everything on its page.
    Show {
        /// Its number.
        number: i64,
    },
    /// List every event of one, newest first.
    Events {
        /// Its number.
        number: i64,
        /// Rows; more are fetched page by page.
        #[arg(long, short = 'n', default_value_t = 100)]
        limit: u32,
    },
    /// Assign one to yourself and begin investigating.
    Take {
        /// Its number.
        number: i64,
    },
    /// Assign one.
    Assign {
        /// Its number.
        number: i64,
        /// To whom; nobody if absent.
        assignee: Option<String>,
        /// The same by name, as the other verbs have it.
        #[arg(long, value_name = "ASSIGNEE", conflicts_with = "assignee")]
        to: Option<String>,
    },
    /// Hand one over to somebody, with what they have to know.
    Handover {
        /// Its number.
        number: i64,
        /// To whom.
        #[arg(required_unless_present = "to")]
        assignee: Option<String>,
        /// The same by name, as the other verbs have it.
        #[arg(long, value_name = "ASSIGNEE", conflicts_with = "assignee")]
        to: Option<String>,
        /// What they have to know.
        #[arg(long)]
        note: String,
    },
    /// Write a note.
    Note {
        /// Its number.
        number: i64,
        /// The note.
        text: String,
    },
    /// Move one to `investigating`, `contained` or `closed`.
    Status {
        /// Its number.
        number: i64,
        /// Where to.
        #[arg(value_parser = ["investigating", "contained", "closed"])]
        status: String,
        /// Why.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Raise the severity of one, or call somebody in, or both.
    Escalate {
        /// Its number.
        number: i64,
        /// To this severity.
        #[arg(long, value_parser = SEVERITY, required_unless_present = "to")]
        severity: Option<String>,
        /// To this person or role: `lead`.
        #[arg(long)]
        to: Option<String>,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Stop the clocks of one: somebody else has to move first. Paused time does not count.
    Pause {
        /// Its number.
        number: i64,
        /// Why.
        #[arg(long, value_parser = [
            "waiting_for_customer", "waiting_for_vendor", "change_window", "evidence_preservation", "legal_hold",
        ])]
        reason: String,
        /// What exactly is waited for.
        #[arg(long)]
        note: String,
    },
    /// Let the clocks of one run again.
    Resume {
        /// Its number.
        number: i64,
    },
    /// Judge one and resolve it.
    Resolve {
        /// Its number.
        number: i64,
        /// What it was.
        #[arg(long, value_parser = VERDICTS)]
        verdict: String,
        /// Why, from the list of the verdict.
        ///
        /// true_positive: attack_blocked, attack_failed, attack_succeeded, policy_violation. false_positive:
        /// normal_traffic, bad_pattern, low_threshold, bad_data. benign_true_positive: pentest, own_scanner, load_test,
        /// approved_change, user_mistake. duplicate: same_source, same_campaign. And `other` for each.
        #[arg(long, value_parser = CAUSES)]
        cause: Option<String>,
        /// Why, in words; required without a cause.
        #[arg(long, required_unless_present = "cause")]
        reason: Option<String>,
        /// With the verdict `duplicate`: number of the one that is kept.
        #[arg(long, value_name = "NUMBER")]
        of: Option<i64>,
    },
    /// Open a resolved one again.
    Reopen {
        /// Its number.
        number: i64,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Merge some into another one; nothing is lost, and `split` takes them out again.
    Merge {
        /// Their numbers.
        #[arg(required = true)]
        numbers: Vec<i64>,
        /// Into which.
        #[arg(long)]
        into: i64,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Take a merged one out again, with what came to it meanwhile.
    Split {
        /// Its number.
        number: i64,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// List those that resemble one, and why.
    Similar {
        /// Its number.
        number: i64,
        /// Rows.
        #[arg(long, short = 'n', default_value_t = 20)]
        limit: u32,
    },
    /// Check a step of the playbook of one; `show` lists them.
    Step {
        /// Its number.
        number: i64,
        /// The step.
        step: String,
        /// What came out of it.
        #[arg(long)]
        note: Option<String>,
        /// Take the check back.
        #[arg(long)]
        open: bool,
    },
    /// Suppress what is found on the entity of one from now on. Findings are kept and counted, and open nothing.
    Suppress(Suppress),
    /// Do one thing to many, in one transaction. Prints what `undo` needs to take it back.
    Bulk(Bulk),
    /// Take a bulk action, or the change of one incident, back, once. Incidents that were changed since stay as they
    /// are, which a note alone does not do; if that is all of them, it is refused (exit code 4).
    Undo {
        /// What `bulk` printed; for the change of one incident NUMBER@VERSION, the version that it has since, such as `42@7`.
        /// Stopping and starting the clocks is not taken back so.
        undo: String,
    },
    /// What the verdicts say of each rule: keep, tune or retire.
    Feedback,
}

/// Which incidents.
#[derive(Debug, Args)]
pub(crate) struct IncidentList {
    #[command(flatten)]
    pub(crate) filter: IncidentWhich,
    /// Order of the rows; `urgency` is most severe first, and of those the one whose clock runs out first.
    #[arg(long, default_value = "newest", value_parser = ["newest", "severity", "due", "urgency"])]
    pub(crate) order: String,
    /// Rows.
    #[arg(long, short = 'n', default_value_t = 50)]
    pub(crate) limit: u32,
}

/// Conditions on incidents; every given one must hold.
#[derive(Debug, Args)]
pub(crate) struct IncidentWhich {
    /// Only with this status; several times for several.
    #[arg(long, value_parser = STATUS)]
    pub(crate) status: Vec<String>,
    /// Only of this severity; several times for several.
    #[arg(long, value_parser = SEVERITY)]
    pub(crate) severity: Vec<String>,
    /// Only of this attack family, such as `sqli`; several times for several.
    #[arg(long)]
    pub(crate) family: Vec<String>,
    /// Words in the title or the entity.
    #[arg(long)]
    pub(crate) text: Option<String>,
    /// Only with this entity: `ip:203.0.113.7`, `user:anna`.
    #[arg(long)]
    pub(crate) entity: Option<String>,
    /// Opened since then: `24h` ago, a day (2026-01-31) or an instant.
    #[arg(long, value_name = "WHEN", value_parser = crate::period::parse_since)]
    pub(crate) opened_since: Option<crate::period::Since>,
    /// Something happened to it since then: by a person, or new findings.
    #[arg(long, value_name = "WHEN", value_parser = crate::period::parse_since)]
    pub(crate) changed_since: Option<crate::period::Since>,
    /// Began since then, by the time of its first evidence: what the overview counts as new.
    #[arg(long, value_name = "WHEN", value_parser = crate::period::parse_since)]
    pub(crate) began_since: Option<crate::period::Since>,
    /// Only what somebody acknowledged, or with `false` what nobody did yet.
    #[arg(long, value_name = "true|false")]
    pub(crate) acknowledged: Option<bool>,
    /// Active at this instant: it had begun and was not resolved, as the overview counts active incidents.
    #[arg(long, value_name = "INSTANT", value_parser = crate::period::parse_instant)]
    pub(crate) active_at: Option<chrono::DateTime<chrono::Utc>>,
}

/// A suppression of what an incident is about.
#[derive(Debug, Args)]
pub(crate) struct Suppress {
    /// Number of the incident; its family and entity are suppressed unless something else is named.
    pub(crate) number: i64,
    /// Why.
    #[arg(long)]
    pub(crate) reason: String,
    /// For how many days, at most 90.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=90))]
    pub(crate) days: u32,
    /// Who answers for it; you if absent.
    #[arg(long)]
    pub(crate) owner: Option<String>,
    /// Only this rule.
    #[arg(long)]
    pub(crate) rule: Option<String>,
    /// This address or range instead of the entity.
    #[arg(long, value_name = "CIDR")]
    pub(crate) network: Option<String>,
    /// Only endpoints that begin with this.
    #[arg(long, value_name = "PREFIX")]
    pub(crate) endpoint: Option<String>,
    /// Only of this user.
    #[arg(long)]
    pub(crate) user: Option<String>,
    /// Count what it would have hidden in the last 30 days; change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// One thing for many incidents.
#[derive(Debug, Args)]
pub(crate) struct Bulk {
    /// Their numbers; without numbers, the conditions below choose them.
    pub(crate) numbers: Vec<i64>,
    #[command(flatten)]
    pub(crate) filter: IncidentWhich,
    /// With conditions: how many there must be; refused if it is another number.
    #[arg(long, value_name = "COUNT")]
    pub(crate) expect: Option<u64>,
    /// What; `take` makes them yours, and what is open is investigated.
    #[arg(long = "do", value_name = "ACTION", value_parser = ["take", "assign", "investigate", "contain", "close", "resolve", "note", "suppress"])]
    pub(crate) action: String,
    /// For `assign`: to whom; nobody if absent.
    #[arg(long)]
    pub(crate) to: Option<String>,
    /// For `resolve`: what they were.
    #[arg(long, value_parser = VERDICTS, required_if_eq("action", "resolve"))]
    pub(crate) verdict: Option<String>,
    /// For `resolve`: why, from the list of the verdict.
    #[arg(long, value_parser = CAUSES)]
    pub(crate) cause: Option<String>,
    /// Why, or the text of the note.
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// For `suppress`: for how many days.
    #[arg(long, default_value_t = 30)]
    pub(crate) days: u32,
}

/// Suppressions.
#[derive(Debug, Subcommand)]
pub(crate) enum Suppression {
    /// List them with what they hid.
    List,
    /// List the findings that one hid, newest first.
    Findings {
        /// Its id.
        id: String,
        /// Rows.
        #[arg(long, short = 'n', default_value_t = 100)]
        limit: u32,
    },
    /// Take one back.
    Remove {
        /// Its id.
        id: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}
