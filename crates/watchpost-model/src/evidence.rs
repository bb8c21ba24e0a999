//! Evidence for compliance controls: typed, named questions to the store and their answers.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::access::Permission;
use crate::event::{Category, Severity};
use crate::finding::AttackFamily;
use crate::register::RegisterKind;
use crate::span::Span;
use crate::words;

/// Exceptions and warnings that an answer lists at most.
pub const ROWS_MAX: usize = 10_000;
/// Members of the population that an answer without exceptions and warnings lists at most.
pub const MEMBERS_MAX: usize = 25;

/// The named questions that a framework file may ask; the store answers them for a period. What stands in backticks is a
/// parameter ([`EvidenceParams`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceQuery {
    /// Population: authentication events. Exceptions: failures. Rows by user.
    AuthenticationEvents,
    /// Population: authorization events. Exceptions: failures.
    AuthorizationEvents,
    /// Population: data access events. Exceptions: failures.
    DataAccessEvents,
    /// Population: events (`category`). Exceptions: without a person.
    EventsNamed,
    /// Population: events. Exceptions: without who, result, where from or on what.
    EventsComplete,
    /// Population: accounts with failed sign-ins. Exceptions: more than `minimum` failures within half an hour that no incident took up.
    FailureRuns,
    /// Population: categories with events. Exceptions: never reported a failure, and no test event is registered.
    FailuresReported,
    /// Population: accounts that signed in. Exceptions: shared or nameless ones; warnings: those under a registered exception.
    AccountsPersonal,
    /// Population: brute-force incidents opened. Exceptions: those whose source was neither blocked nor judged.
    BruteForceIncidents,
    /// Population: web attack incidents (injection, traversal, scripting) opened. Exceptions: still unresolved.
    WebAttackIncidents,
    /// Population: incidents opened (`families`, `severity_min`). Exceptions: not acknowledged within their clock.
    IncidentsAcknowledged,
    /// Population: incidents (`families`, `severity_min`) whose resolve clock ran out or that were resolved. Exceptions: late ones.
    IncidentsResolved,
    /// Population: resolved incidents (`families`). Exceptions: those without a verdict or without a reason.
    IncidentsJudged,
    /// Population: high and critical incidents opened. Exceptions: those without an assignee.
    IncidentsAssigned,
    /// Population: incidents (`families`). Exceptions: confirmed and still active; warnings: confirmed and resolved.
    IncidentsConfirmedOpen,
    /// Population: resolved incidents. Exceptions: without owner, acknowledgement, verdict, closing reason or status history.
    IncidentsComplete,
    /// Population: resolved incidents. Exceptions: steps of the playbook of their family that nobody checked (one that was left out is checked with a note that says why), unless the verdict is false positive or duplicate with a reason.
    PlaybooksFollowed,
    /// Population: resolved incidents of `severity_min`. Exceptions: no review in the register `warn_within` after resolution; warnings: later than `good_within`.
    IncidentsReviewed,
    /// Population: judged incidents. Exceptions: false positives.
    FalsePositives,
    /// Population: resolved incidents. Exceptions: nobody decided on personal data `good_within` after resolution; warnings: still within it.
    BreachDecided,
    /// Population: notifiable breaches. Exceptions: over their clock without a reason; warnings: open within `good_within` of its end, or late with a reason.
    BreachClock,
    /// Population: breaches of high risk, by the newest entry that has the fact. Exceptions: people neither told nor exempt after `good_within`; warnings: within it.
    BreachTold,
    /// Population: breaches that somebody decided not to notify of. Exceptions: no entry of theirs has the reasoning about the risk (the fact `risk_reason`) and the approval of a second person `good_within` after awareness; warnings: still within it.
    BreachReasoned,
    /// Population: frozen evidence of incidents in the period. Exceptions: whose hash is not that of what is stored.
    EvidenceIntact,
    /// Population: events, in every field, and notes on incidents. Exceptions: hold personal data or secrets (of the kind `field`) and were not handled within `warn_within`; warnings: later than `good_within`, without an owner, or under a registered exception.
    SensitiveData,
    /// Population: blocks created. Exceptions: those without a reason or an expiry, or that failed.
    BlocksJustified,
    /// Population: days of the period (up to now). Exceptions: days without any event.
    DaysWithEvents,
    /// Population: event categories. Exceptions: silent all period without a registered exception; warnings: with one.
    CategoriesReporting,
    /// Population: categories that report. Exceptions: silent longer than `warn_within` at a stretch without a registered exception; warnings: with one, or longer than `good_within`. A silence that a resolved incident of the family log_gap explains is a warning at most, and none if `families` names that.
    FeedSilence,
    /// Population: days since what is lost is counted. Exceptions: days on which keys could not be read or were gone, or groups of full detection tables were dropped, and nobody explained it; warnings: explained by an ended entry of the kind log_failure for `lost/DAY` with the fact `reason`.
    LostEvents,
    /// Population: categories with events. Exceptions: without an entry of `kind` for `category/NAME`.
    CategoriesRegistered,
    /// Population: `families`. Exceptions: neither fired nor tested for `warn_within`; warnings: for `good_within`.
    RulesFired,
    /// Population: audit records of the period. Exceptions: records without a named person.
    AuditRecordsNamed,
    /// Population: verifications of the audit trail. Exceptions: failed ones.
    AuditVerifications,
    /// Population: successful verifications up to the end. Exceptions: the newest is older than `warn_within`; warnings: than `good_within`.
    AuditVerificationFresh,
    /// Population: days. Warnings: days without a successful verification.
    AuditVerificationDaily,
    /// Population: checkpoints signed. Exceptions: those that the present tree does not confirm.
    AuditCheckpoints,
    /// Population: records of the log. Exceptions: gaps in their numbers, and records without a leaf.
    AuditComplete,
    /// Population: decisive actions. Exceptions: by a shared or nameless account, or no signed checkpoint covers them within `warn_within`; warnings: within `good_within`.
    AuditSigned,
    /// Population: actions of people that used `permission` and succeeded; what a schedule or the engine did by itself, and the stop of a job, are left out. Exceptions: without a person, or without a reason that somebody gave (the figures of a job are none).
    AuditExplained,
    /// Population: people who maintained, reported or administered (`permission`). Exceptions: shared or nameless accounts; warnings: those under a registered exception.
    ActorsPersonal,
    /// Population: actions that were allowed or refused. Exceptions: allowed though the role has no such permission; warnings: recorded before roles were kept.
    ActionsGranted,
    /// Population: tables of the audit trail. Exceptions: somebody but the owner may change them; warnings: the engine has no rights of its own.
    AuditProtected,
    /// Population: people who used the permission to administer (or `permission`). Exceptions: no approval in the register (entries of `kind`, else of privileged accounts).
    AdminsApproved,
    /// Population: stored protected payloads. Exceptions: not ciphertext under a key.
    PayloadsSealed,
    /// Population: reports made. Exceptions: whose content is not kept under its hash.
    ReportsTraceable,
    /// Population: runs of the retention job that ended. Exceptions: those that failed or were cancelled.
    RetentionRuns,
    /// Population: successful runs of the retention job. Exceptions: the newest is older than `warn_within`; warnings: than `good_within`.
    RetentionFresh,
    /// Population: event categories. Exceptions: hold events longer than their limit and `warn_within`; warnings: and `good_within`.
    RetentionLimits,
    /// Population: event categories. Exceptions: kept less than `minimum` days by policy.
    RetentionPolicy,
    /// Population: event categories. Exceptions: their oldest events have gone though they came less than `minimum` days before the end.
    HistoryKept,
    /// Population: what the register says is encrypted or not, the disk or database, and the backups of the period. Exceptions: in clear; warnings: not known, or older than `good_within`.
    EncryptionKnown,
    /// Population: configuration and policy changes through Watchpost. Exceptions: those refused or failed.
    ConfigurationChanges,
    /// Population: entries of `kind` open or closed in the period. Exceptions: past their due time, which for requests of people is 30 days from receipt, 90 with the fact `extension` (with `warn_within`: by that long, and a warning before); warnings: due within `good_within`.
    RegisterTimely,
    /// Population: entries of `kind` begun in the period. Exceptions: not closed within `warn_within`; warnings: within `good_within`.
    RegisterClosed,
    /// Population: entries of `kind` begun in the period or open; of kinds that stand until a newer one (records of processing, data classes, criteria and such) the newest of each subject that ended and is not retired, or that began where none has ended. Exceptions: facts missing for longer than `good_within`, or in one of the latter that is closed or past its due time; warnings: missing. Of breaches the first entry of each counts, which lacks what no entry about the breach says; one that hit no personal data lacks nothing.
    RegisterComplete,
    /// Population: entries of `kind` begun in the period. Exceptions: not approved by a second person; warnings: later than `good_within` after they began.
    RegisterApproved,
    /// Population: ended entries of `kind` begun in the period. Exceptions: that ended badly, and requests for erasure (those that ended in the period) that were not `refused` and whose facts do not hold: `key_destroyed` (a time from the receipt on, not in the future), `residue` (`none`), `backups_until` (if given, a day at most 90 days after the end, and not past); warnings: ended well with the fact `field`, where one is named. Of forecasts of room the newest of each subject counts.
    RegisterGood,
    /// Population: entries of `kind` that ended well, up to the end; of kinds that stand until a newer one, and of forecasts of room, the newest of each subject that ended and is not retired. Exceptions: the newest (of what stands, that of each subject) is older than `warn_within`, or that of a subject ended badly; warnings: older than `good_within`.
    RegisterFresh,
    /// Population: subjects of `kind` that are not retired, by the newest entry that ended, or that began where none has. Exceptions: ended badly, open past its due time, older than `warn_within`, or (readers of logs, privileged accounts, baselines) not approved by a second person; warnings: open, or older than `good_within`.
    RegisterCurrent,
    /// Population: days that ended a day ago. Exceptions: days without an entry of `kind` that ended well; warnings: with one that took more than a day.
    RegisterDaily,
    /// Population: spans between entries of `kind`. Exceptions: longer than `warn_within`; warnings: than `good_within`.
    RegisterGaps,
    /// Population: entries of `kind` begun in the period. Exceptions: whose `field` is empty.
    RegisterField,
    /// Population: entries of `kind` that are in force at the end, and the controls of the report that failed and that no entry is about (subject `control/ID`). Exceptions: entries without an owner, and these controls.
    ControlsFollowed,
}

words!(EvidenceQuery {
    AuthenticationEvents = "authentication_events",
    AuthorizationEvents = "authorization_events",
    DataAccessEvents = "data_access_events",
    EventsNamed = "events_named",
    EventsComplete = "events_complete",
    FailureRuns = "failure_runs",
    FailuresReported = "failures_reported",
    AccountsPersonal = "accounts_personal",
    BruteForceIncidents = "brute_force_incidents",
    WebAttackIncidents = "web_attack_incidents",
    IncidentsAcknowledged = "incidents_acknowledged",
    IncidentsResolved = "incidents_resolved",
    IncidentsJudged = "incidents_judged",
    IncidentsAssigned = "incidents_assigned",
    IncidentsConfirmedOpen = "incidents_confirmed_open",
    IncidentsComplete = "incidents_complete",
    PlaybooksFollowed = "playbooks_followed",
    IncidentsReviewed = "incidents_reviewed",
    FalsePositives = "false_positives",
    BreachDecided = "breach_decided",
    BreachClock = "breach_clock",
    BreachTold = "breach_told",
    BreachReasoned = "breach_reasoned",
    EvidenceIntact = "evidence_intact",
    SensitiveData = "sensitive_data",
    BlocksJustified = "blocks_justified",
    DaysWithEvents = "days_with_events",
    CategoriesReporting = "categories_reporting",
    FeedSilence = "feed_silence",
    LostEvents = "lost_events",
    CategoriesRegistered = "categories_registered",
    RulesFired = "rules_fired",
    AuditRecordsNamed = "audit_records_named",
    AuditVerifications = "audit_verifications",
    AuditVerificationFresh = "audit_verification_fresh",
    AuditVerificationDaily = "audit_verification_daily",
    AuditCheckpoints = "audit_checkpoints",
    AuditComplete = "audit_complete",
    AuditSigned = "audit_signed",
    AuditExplained = "audit_explained",
    ActorsPersonal = "actors_personal",
    ActionsGranted = "actions_granted",
    AuditProtected = "audit_protected",
    AdminsApproved = "admins_approved",
    PayloadsSealed = "payloads_sealed",
    ReportsTraceable = "reports_traceable",
    RetentionRuns = "retention_runs",
    RetentionFresh = "retention_fresh",
    RetentionLimits = "retention_limits",
    RetentionPolicy = "retention_policy",
    HistoryKept = "history_kept",
    EncryptionKnown = "encryption_known",
    ConfigurationChanges = "configuration_changes",
    RegisterTimely = "register_timely",
    RegisterClosed = "register_closed",
    RegisterComplete = "register_complete",
    RegisterApproved = "register_approved",
    RegisterGood = "register_good",
    RegisterFresh = "register_fresh",
    RegisterCurrent = "register_current",
    RegisterDaily = "register_daily",
    RegisterGaps = "register_gaps",
    RegisterField = "register_field",
    ControlsFollowed = "controls_followed",
});

/// What a question leaves open. A question that needs one which is not given is refused when the file is read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(default, deny_unknown_fields)]
pub struct EvidenceParams {
    /// Entries of the register of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub kind: Option<RegisterKind>,
    /// A field of these entries; of `sensitive_data`, the only kind that events and notes are looked through for: `card_number`, `secret`, `personal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub field: Option<String>,
    /// Events of this category only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub category: Option<Category>,
    /// Incidents of these families only; empty means all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub families: Vec<AttackFamily>,
    /// Incidents of this severity and above only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub severity_min: Option<Severity>,
    /// Audit records that used this permission only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub permission: Option<Permission>,
    /// Up to this long is good.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub good_within: Option<Span>,
    /// Up to this long is a warning, beyond it an exception.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub warn_within: Option<Span>,
    /// The least that counts; days or a number of times.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub minimum: Option<u32>,
}

/// A question with its parameters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, TS)]
pub struct EvidenceAsk {
    /// Which question.
    pub query: EvidenceQuery,
    /// Its parameters.
    pub params: EvidenceParams,
}

impl EvidenceQuery {
    /// Can its answer have warnings, things that are not as they should be but within what is tolerated?
    #[must_use]
    pub const fn warns(self) -> bool {
        matches!(
            self,
            Self::AccountsPersonal
                | Self::IncidentsConfirmedOpen
                | Self::IncidentsReviewed
                | Self::BreachDecided
                | Self::BreachClock
                | Self::BreachTold
                | Self::BreachReasoned
                | Self::SensitiveData
                | Self::CategoriesReporting
                | Self::FeedSilence
                | Self::LostEvents
                | Self::RulesFired
                | Self::AuditVerificationFresh
                | Self::AuditVerificationDaily
                | Self::AuditSigned
                | Self::ActorsPersonal
                | Self::ActionsGranted
                | Self::AuditProtected
                | Self::RetentionFresh
                | Self::RetentionLimits
                | Self::RegisterTimely
                | Self::RegisterClosed
                | Self::RegisterComplete
                | Self::RegisterApproved
                | Self::RegisterFresh
                | Self::RegisterCurrent
                | Self::RegisterGaps
                | Self::RegisterGood
                | Self::EncryptionKnown
                | Self::RegisterDaily
        )
    }
}

impl From<EvidenceQuery> for EvidenceAsk {
    /// The question without parameters.
    fn from(query: EvidenceQuery) -> Self {
        Self { query, params: EvidenceParams::default() }
    }
}

impl EvidenceAsk {
    /// The parameters that are given, by name, as a report prints them.
    #[must_use]
    pub fn parameters(&self) -> Vec<(&'static str, String)> {
        let EvidenceParams {
            kind,
            field,
            category,
            families,
            severity_min,
            permission,
            good_within,
            warn_within,
            minimum,
        } = &self.params;
        let families = families.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        [
            ("kind", kind.map(|value| value.to_string())),
            ("field", field.clone()),
            ("category", category.map(|value| value.to_string())),
            ("families", Some(families).filter(|text| !text.is_empty())),
            ("severity_min", severity_min.map(|value| value.to_string())),
            ("permission", permission.map(|value| value.to_string())),
            ("good_within", good_within.map(|value| value.to_string())),
            ("warn_within", warn_within.map(|value| value.to_string())),
            ("minimum", minimum.map(|value| value.to_string())),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| (name, value)))
        .collect()
    }

    /// Is anything missing that the question cannot do without?
    ///
    /// # Errors
    /// The name of the first missing parameter.
    pub fn check(&self) -> Result<(), &'static str> {
        use EvidenceQuery as Q;
        let params = &self.params;
        let needs_kind = matches!(
            self.query,
            Q::RegisterTimely
                | Q::RegisterClosed
                | Q::RegisterComplete
                | Q::RegisterApproved
                | Q::RegisterGood
                | Q::RegisterFresh
                | Q::RegisterCurrent
                | Q::RegisterDaily
                | Q::RegisterGaps
                | Q::RegisterField
                | Q::ControlsFollowed
                | Q::CategoriesRegistered
        );
        let needs_both = matches!(
            self.query,
            Q::RegisterClosed
                | Q::RegisterFresh
                | Q::RegisterCurrent
                | Q::RegisterGaps
                | Q::IncidentsReviewed
                | Q::SensitiveData
                | Q::FeedSilence
                | Q::RulesFired
                | Q::AuditVerificationFresh
                | Q::AuditSigned
                | Q::RetentionFresh
                | Q::RetentionLimits
        );
        let needs_good = needs_both
            || matches!(
                self.query,
                Q::RegisterTimely
                    | Q::RegisterComplete
                    | Q::RegisterApproved
                    | Q::BreachDecided
                    | Q::BreachClock
                    | Q::BreachTold
                    | Q::BreachReasoned
                    | Q::EncryptionKnown
            );
        if needs_kind && params.kind.is_none() {
            return Err("kind");
        }
        if self.query == Q::RegisterField && params.field.as_deref().is_none_or(str::is_empty) {
            return Err("field");
        }
        if needs_good && params.good_within.is_none() {
            return Err("good_within");
        }
        if needs_both && params.warn_within.is_none() {
            return Err("warn_within");
        }
        if matches!(self.query, Q::RetentionPolicy | Q::HistoryKept | Q::FailureRuns)
            && params.minimum.is_none()
        {
            return Err("minimum");
        }
        if self.query == Q::RulesFired && params.families.is_empty() {
            return Err("families");
        }
        Ok(())
    }
}

/// Members of the population that were drawn by chance, so that somebody can look at them one by one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Sample {
    /// Column names of `rows`.
    pub columns: Vec<String>,
    /// Places in the population, from 0, in the order of the question.
    pub positions: Vec<u64>,
    /// The members at these places.
    pub rows: Vec<Vec<String>>,
    /// What the draw began with, 32 bytes, hexadecimal; how to draw is in [`crate::sample`].
    pub seed: String,
}

/// The answer to one question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct EvidenceAnswer {
    /// The question.
    pub ask: EvidenceAsk,
    /// How many things were looked at. Zero is "no data", never a pass by itself.
    pub population: u64,
    /// How many of them are not as they should be but within what is tolerated.
    pub warnings: u64,
    /// How many of them are exceptions.
    pub exceptions: u64,
    /// Column names of `rows`.
    pub columns: Vec<String>,
    /// The exceptions, oldest first, then the warnings, at most [`ROWS_MAX`] in all; if there are neither, the newest members
    /// of the population, at most [`MEMBERS_MAX`]. Cells are as stored: attacker-written text included.
    pub rows: Vec<Vec<String>>,
    /// The drawn sample; empty where the population is a derived one (days, categories) and shown whole.
    pub sample: Sample,
    /// One sentence: what exactly was counted, with the parameters.
    pub basis: String,
    /// The question as the database was asked it.
    pub text: String,
}
