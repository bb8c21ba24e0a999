//! What the audit trail says of the reports. A record is a row that whoever has the database can change; the trail is not.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sha2::{Digest, Sha256};
use watchpost_model::audit::{AuditFilter, AuditOutcome, AuditRecord, Change};
use watchpost_model::ids::ReportId;
use watchpost_model::period::Period;
use watchpost_model::privacy::{ErasedCount, Erasure};
use watchpost_model::report::{ReportRecord, ReportStatus};
use watchpost_store::{APPROVAL_DIGEST, RECORD_DIGEST, Store, StoreError, approval_digest, record_digest};

use crate::contract::DoubtedReport;
use crate::error::OpError;

/// Makings and approvals of reports as the trail has them: the successful ones, the newest of each report.
pub(super) struct Told {
    made: HashMap<String, AuditRecord>,
    approved: HashMap<String, AuditRecord>,
    /// Erasures of people that the trail knows of, the newest first.
    erasures: Vec<Erasure>,
}

impl Told {
    pub(super) async fn read(store: &Store) -> Result<Self, OpError> {
        let by_report = |records: Vec<AuditRecord>| {
            // Newest first: the newest stays.
            records.into_iter().rev().map(|record| (record.object.clone(), record)).collect()
        };
        let erasures = store.erasures().await?.into_iter().filter(|one| one.record >= 0).collect();
        Ok(Self {
            erasures,
            made: by_report(all(store, "report_generate").await?),
            approved: by_report(all(store, "report_approve").await?),
        })
    }

    /// What it says otherwise of a report than its record: who made it, about what, how far it is.
    pub(super) fn problems(&self, report: &ReportRecord) -> Result<Vec<String>, OpError> {
        let mut problems = Vec::new();
        let object = object(report.id);
        match self.made.get(&object) {
            // What names an erased person, or is by one, the trail tells no more.
            None if self.names_somebody_erased(report)? => {}
            None => problems.push("the audit trail knows nothing of its making".to_owned()),
            Some(made) => {
                if !is_by(made, &report.made_by) {
                    problems.push(format!(
                        "the record of the report says that {} made it, the audit trail names {} (record {})",
                        report.made_by, made.actor, made.seq
                    ));
                }
                // What was erased says nothing.
                if !made.changes.is_empty()
                    && said(made, "supersedes") != report.supersedes.map(|id| id.to_string()).as_deref()
                {
                    problems.push(format!(
                        "it was made to take the place of another one (audit record {})",
                        made.seq
                    ));
                }
                if !has_content(made, report) {
                    problems.push(format!(
                        "its content is not the one that was made (audit record {})",
                        made.seq
                    ));
                }
                let digest = record_digest(report)?;
                if problems.is_empty() && said(made, RECORD_DIGEST).is_some_and(|told| told != digest) {
                    problems.push(format!(
                        "its record was changed after it was made: period, time, result, files or another field \
                         (audit record {})",
                        made.seq
                    ));
                }
            }
        }
        self.approval_problems(report, &mut problems)?;
        if report.status == ReportStatus::Superseded
            && self.successor(report).is_none()
            && !self.was_erased_since(report.made_at)
        {
            problems.push(
                "the record of the report says superseded, the audit trail knows of no other".to_owned(),
            );
        }
        let mut instead = self.made.values().filter(|made| is_instead_of(made, report));
        if report.status == ReportStatus::Final
            && self.approved.contains_key(&object)
            // A final one stands until one that was made in its place is approved.
            && instead.any(|made| self.approved.contains_key(&made.object))
        {
            problems.push("a report made in the place of this one was approved: it is superseded".to_owned());
        }
        Ok(problems)
    }

    fn approval_problems(&self, report: &ReportRecord, problems: &mut Vec<String>) -> Result<(), OpError> {
        match (&report.approval, self.approved.get(&object(report.id))) {
            (Some(claimed), None) if self.names_somebody_erased(claimed)? => {}
            (Some(claimed), None) => problems.push(format!(
                "the record of the report says that {} approved it, the audit trail knows of no approval",
                claimed.by
            )),
            (None, Some(record)) => problems.push(format!(
                "{} approved the report (audit record {}), its record says nothing of it",
                record.actor, record.seq
            )),
            (Some(claimed), Some(record)) => {
                let before = problems.len();
                if report.status == ReportStatus::Draft {
                    problems.push(format!(
                        "the record of the report says draft, {} approved it (audit record {})",
                        record.actor, record.seq
                    ));
                }
                if !is_by(record, &claimed.by) {
                    problems.push(format!(
                        "the record of the report says that {} approved it, the audit trail names {} (record {})",
                        claimed.by, record.actor, record.seq
                    ));
                }
                if record.reason.as_ref().is_some_and(|said| !said.starts_with('[') && *said != claimed.note)
                {
                    problems
                        .push(format!("{} said something else (audit record {})", claimed.by, record.seq));
                }
                if !has_content(record, report) {
                    problems
                        .push(format!("what was approved (audit record {}) is not this content", record.seq));
                }
                let digest = approval_digest(claimed)?;
                if problems.len() == before
                    && said(record, APPROVAL_DIGEST).is_some_and(|told| told != digest)
                {
                    problems.push(format!(
                        "its approval was changed after it was given: its time or its signature (audit record {})",
                        record.seq
                    ));
                }
            }
            (None, None) if report.status == ReportStatus::Final => {
                problems.push(
                    "the record of the report says final, the audit trail knows of no approval".to_owned(),
                );
            }
            (None, None) => {}
        }
        Ok(())
    }

    /// The report that was made to take the place of a superseded one, the newest of several.
    pub(super) fn successor(&self, report: &ReportRecord) -> Option<ReportId> {
        if report.status != ReportStatus::Superseded {
            return None;
        }
        let instead = self.made.values().filter(|made| is_instead_of(made, report));
        instead.max_by_key(|made| made.seq)?.object.strip_prefix("report/")?.parse().ok()
    }

    /// The reports that the trail doubts: those of `shown` whose record is not what it says, those that cannot be read, and
    /// those it knows of that are gone.
    pub(super) async fn doubted(
        &self,
        store: &Store,
        shown: &[ReportRecord],
        unreadable: Vec<String>,
    ) -> Result<Vec<DoubtedReport>, OpError> {
        let mut doubted = Vec::new();
        let contents = store.report_content_digests().await?;
        for report in shown {
            let mut problems = self.problems(report)?;
            match contents.get(&report.id.to_string()) {
                None if erased_with(&self.erasures, report).is_some() => {}
                None => problems.push(CONTENT_GONE.to_owned()),
                Some(digest) if *digest != report.content_sha256 => problems.push(CONTENT_OTHER.to_owned()),
                Some(_) => {}
            }
            if !problems.is_empty() {
                doubted.push(DoubtedReport { id: report.id.to_string(), problems });
            }
        }
        let changed = "its record cannot be read: it was changed behind the back of Watchpost";
        doubted.extend(
            unreadable.into_iter().map(|id| DoubtedReport { id, problems: vec![changed.to_owned()] }),
        );
        let there = store.report_ids().await?;
        let mut gone: Vec<&AuditRecord> = self.made.values().collect();
        gone.sort_by_key(|made| std::cmp::Reverse(made.seq));
        doubted.extend(gone.into_iter().filter_map(|made| {
            let id = made.object.strip_prefix("report/")?;
            (!there.contains(id))
                .then(|| DoubtedReport { id: id.to_owned(), problems: vec![gone_words(made)] })
        }));
        Ok(doubted)
    }

    /// How many reports about the same were made.
    pub(super) fn made_about(&self, framework: &str, subject: Option<&str>, period: Period) -> u32 {
        let same = about(framework, subject, period);
        let is_same = |made: &&AuditRecord| {
            let named = |name: &str| ABOUT.contains(&name);
            let has: Vec<&Change> = made.changes.iter().filter(|change| named(&change.field)).collect();
            has.len() == same.len() && same.iter().all(|one| has.contains(&one))
        };
        u32::try_from(self.made.values().filter(is_same).count()).unwrap_or(u32::MAX)
    }

    /// Does a pseudonym stand in it that an erasure put there? Times do not tell: whoever forges a row chooses them.
    fn names_somebody_erased(&self, record: &impl serde::Serialize) -> Result<bool, OpError> {
        let text = serde_json::to_string(record)
            .map_err(|error| OpError::internal(format!("a report has no JSON form: {error}")))?;
        Ok(self.erasures.iter().any(|one| text.contains(&one.pseudonym)))
    }

    /// Was a person erased since? Then records of the trail may have gone with them.
    fn was_erased_since(&self, at: DateTime<Utc>) -> bool {
        self.erasures.iter().any(|one| one.at >= at)
    }

    /// How many reports of the same framework and subject were made before `now` and are none of `sound`.
    pub(super) fn passed_over(&self, now: &ReportRecord, sound: &[ReportRecord]) -> usize {
        let Some(this) = self.made.get(&object(now.id)) else { return 0 };
        let alike = |made: &AuditRecord| {
            made.seq < this.seq
                && said(made, "framework") == Some(now.framework.as_str())
                && said(made, "subject") == now.subject.as_deref()
        };
        let is_sound = |made: &AuditRecord| sound.iter().any(|report| object(report.id) == made.object);
        self.made.values().filter(|made| alike(made) && !is_sound(made)).count()
    }

    /// Says of a report whose record is not there that it was.
    pub(super) fn gone(&self, id: ReportId) -> Option<String> {
        self.made.get(&object(id)).map(gone_words)
    }
}

const ABOUT: [&str; 4] = ["framework", "subject", "from", "to"];

/// How the audit trail says what a report is about.
pub(super) fn about(framework: &str, subject: Option<&str>, period: Period) -> Vec<Change> {
    let [framework_is, subject_is, from, to] = ABOUT;
    let mut changes = vec![
        Change::new(framework_is, Value::Null, framework),
        Change::new(from, Value::Null, period.from.to_rfc3339()),
        Change::new(to, Value::Null, period.to.to_rfc3339()),
    ];
    changes.extend(subject.map(|subject| Change::new(subject_is, Value::Null, subject)));
    changes
}

const CONTENT_GONE: &str = "the content that was kept of it is gone";
const CONTENT_OTHER: &str = "the content that is kept is not the one that its record names";

fn gone_words(made: &AuditRecord) -> String {
    format!(
        "its record is gone from the database: {} made it at {} (audit record {})",
        made.actor,
        made.at.format("%Y-%m-%d %H:%M:%S UTC"),
        made.seq
    )
}

/// A report whose record and content are what the audit trail says of them: nobody signs, compares or puts on paper what
/// somebody wrote into the table. And what the trail says of all.
///
/// # Errors
/// `NotFound` for one that never was; `Precondition`, saying what is otherwise.
pub(super) async fn trusted(store: &Store, id: ReportId) -> Result<(ReportRecord, Told), OpError> {
    let told = Told::read(store).await?;
    let report = match store.report(id).await {
        Ok(report) => report,
        Err(StoreError::NotFound(message)) => {
            let Some(gone) = told.gone(id) else { return Err(StoreError::NotFound(message).into()) };
            return Err(refused(id, &[gone]));
        }
        Err(StoreError::Corrupt(message)) => return Err(refused(id, &[message])),
        Err(error) => return Err(error.into()),
    };
    let mut problems = told.problems(&report)?;
    problems.extend(content_problem(store, &report).await?);
    if problems.is_empty() { Ok((report, told)) } else { Err(refused(id, &problems)) }
}

fn refused(id: ReportId, problems: &[String]) -> OpError {
    OpError::precondition(format!("report {id} is not what the audit trail says: {}", problems.join("; ")))
        .hint("make the report again; `watchpost audit list` shows who made this one")
}

/// What is wrong with the content that is kept of a report.
pub(super) async fn content_problem(store: &Store, report: &ReportRecord) -> Result<Option<String>, OpError> {
    let digest = |content: String| hex::encode(Sha256::digest(content.as_bytes()));
    match store.report_content(report.id).await.map(digest) {
        Ok(digest) if digest == report.content_sha256 => Ok(None),
        Ok(_) | Err(StoreError::Corrupt(_)) => Ok(Some(CONTENT_OTHER.to_owned())),
        Err(StoreError::NotFound(_)) => {
            let erasures = store.erasures().await?;
            Ok(Some(match erased_with(&erasures, report) {
                Some(record) => {
                    format!("{CONTENT_GONE}: it went with the erasure of a person (audit record {record})")
                }
                None => CONTENT_GONE.to_owned(),
            }))
        }
        Err(error) => Err(error.into()),
    }
}

/// The record of an erasure that took contents of reports since this one was made.
fn erased_with(erasures: &[Erasure], report: &ReportRecord) -> Option<i64> {
    let took = |count: &ErasedCount| count.what == "report_content" && count.removed > 0;
    let found = erasures
        .iter()
        .find(|one| one.record >= 0 && one.at >= report.made_at && one.counts.iter().any(took));
    found.map(|one| one.record)
}

fn object(id: ReportId) -> String {
    format!("report/{id}")
}

/// Did this person do it? A name may have been erased.
fn is_by(record: &AuditRecord, name: &str) -> bool {
    record.actor.starts_with('[') || record.actor == name
}

/// The new value of a field, as text.
fn said<'r>(record: &'r AuditRecord, field: &str) -> Option<&'r str> {
    record.changes.iter().find(|change| change.field == field)?.new.as_str()
}

fn has_content(record: &AuditRecord, report: &ReportRecord) -> bool {
    said(record, "content_sha256").is_none_or(|told| told == report.content_sha256)
}

/// Was that report made to take the place of this one?
fn is_instead_of(made: &AuditRecord, report: &ReportRecord) -> bool {
    said(made, "supersedes").is_some_and(|told| told == report.id.to_string())
}

/// All successful records of `action`, newest first: reports are few.
pub(super) async fn all(store: &Store, action: &str) -> Result<Vec<AuditRecord>, OpError> {
    let filter = AuditFilter {
        action: Some(action.to_owned()),
        outcome: Some(AuditOutcome::Success),
        ..AuditFilter::default()
    };
    let (mut records, mut before) = (Vec::new(), None);
    loop {
        let page: Vec<AuditRecord> = store.audit_page(&filter, before, 500).await?;
        let Some(last) = page.last().map(|record| record.seq) else { return Ok(records) };
        records.extend(page);
        before = Some(last);
    }
}
