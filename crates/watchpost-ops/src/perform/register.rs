//! The register of what people do and no event shows, and what they give as evidence for controls.

use std::io::Read;
use std::path::Path;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use watchpost_model::audit::Change;
use watchpost_model::ids::{EntryId, ProofId};
use watchpost_model::job::JobReport;
use watchpost_model::register::{
    ERASURE_FACTS, EntryResult, ErasureClock, Proof, ProofFile, RETIRED, RegisterEntry, RegisterKind,
    WITHDRAWN, WITHDRAWN_AT,
};

use super::events::checked;
use super::{at_this_machine, required};
use crate::console::Workspace;
use crate::contract::{ProofAdd, RegisterAdd, RegisterChange, RegisterList, RegisterRequest};
use crate::door::Context;
use crate::error::{ErrorCode, OpError};

pub(crate) async fn register_list(cx: Context, request: RegisterRequest) -> Result<RegisterList, OpError> {
    let store = cx.workspace()?.store().clone();
    let entries = store.register_entries(request.kind, request.subject.as_deref(), 500).await?;
    Ok(RegisterList { entries })
}

pub(crate) async fn register_add(cx: Context, request: RegisterAdd) -> Result<RegisterEntry, OpError> {
    let workspace = cx.workspace()?;
    let now = workspace.now();
    let opened_at = request.opened_at.unwrap_or(now);
    if opened_at > now {
        return Err(OpError::invalid("opened_at", "it cannot begin in the future"));
    }
    if request.kind == RegisterKind::Breach && request.due_at.is_some() {
        return Err(no_other_clock());
    }
    let fields = trimmed(request.fields);
    decided(request.kind, &fields)?;
    told_after(request.kind, opened_at, &fields)?;
    let subject = subject_of(&workspace, request.kind, &required("subject", &request.subject, 300)?).await?;
    retires(&workspace, request.kind, &subject, &fields).await?;
    let due_at = request.due_at.unwrap_or(opened_at + request.kind.due_after());
    if due_at < opened_at {
        return Err(OpError::invalid("due_at", "it cannot be due before it begins"));
    }
    let owner = request.owner.as_deref().unwrap_or(&cx.caller.name);
    let mut entry = RegisterEntry {
        id: EntryId::at(now),
        kind: request.kind,
        subject,
        opened_at,
        due_at,
        closed_at: (request.result != EntryResult::Open).then_some(now),
        owner: required("owner", owner, 200)?,
        approver: String::new(),
        result: request.result,
        fields,
        note: request.note.trim().chars().take(10_000).collect(),
        written_by: cx.caller.name.clone(),
        written_at: now,
        version: 1,
    };
    let given: Vec<&str> = entry.fields.keys().map(String::as_str).collect();
    refused(&entry, &entry.fields)?;
    erased(&entry, &given, true, now)?;
    within_the_law(&mut entry, request.due_at.is_some(), true, now)?;
    consented(None, &mut entry, now)?;
    let reason = Some(entry.note.clone());
    workspace.store().register_put(&entry, cx.record("register", Vec::new(), reason)).await?;
    Ok(entry)
}

pub(crate) async fn register_change(cx: Context, request: RegisterChange) -> Result<RegisterEntry, OpError> {
    let workspace = cx.workspace()?;
    let now = workspace.now();
    let reason = required("reason", &request.reason, 2_000)?;
    let mut entry = workspace.store().register_entry(request.id).await?;
    let before = entry.clone();
    if entry.version != request.version {
        return Err(OpError::new(ErrorCode::Conflict, "somebody changed this entry in the meantime"));
    }
    if entry.kind == RegisterKind::Breach && request.due_at.is_some() {
        return Err(no_other_clock());
    }
    if let Some(due_at) = request.due_at {
        if due_at < entry.opened_at {
            return Err(OpError::invalid("due_at", "it cannot be due before it begins"));
        }
        entry.due_at = due_at;
    }
    if let Some(result) = request.result {
        entry.closed_at = match (result, entry.closed_at) {
            (EntryResult::Open, _) => None,
            (EntryResult::Good | EntryResult::Bad, Some(at)) => Some(at),
            (EntryResult::Good | EntryResult::Bad, None) => Some(now),
        };
        entry.result = result;
    }
    if request.approve {
        if !request.fields.is_empty() {
            return Err(OpError::invalid("fields", "an approval is of what stands in the entry")
                .hint("change the facts first, then somebody else approves them"));
        }
        let me = cx.caller.name.trim();
        if [&entry.owner, &entry.written_by].iter().any(|name| name.trim().eq_ignore_ascii_case(me)) {
            return Err(OpError::precondition(
                "an entry is approved by somebody who neither owns nor wrote it",
            ));
        }
        entry.approver = me.to_owned();
    }
    let fields = trimmed(request.fields);
    decided(entry.kind, &fields)?;
    told_after(entry.kind, entry.opened_at, &fields)?;
    let newly_extended = fields.contains_key("extension") || fields.contains_key("extended_at");
    let retired = fields.get(RETIRED).filter(|text| !text.is_empty());
    if entry.kind.retires() && retired.is_some_and(|text| entry.fields.get(RETIRED) != Some(text)) {
        // Who approved the entry did not approve that, and who may approve it depends on who wrote it.
        return Err(OpError::invalid("fields", "a subject is retired by an entry of its own")
            .hint("register add with the same kind and subject: --set retired=REASON"));
    }
    if !entry.fields.contains_key("refused") {
        refused(&entry, &fields)?;
    }
    let given: Vec<String> = fields.keys().cloned().collect();
    entry.fields.extend(fields);
    entry.fields.retain(|_, value| !value.is_empty());
    let given: Vec<&str> = given.iter().map(String::as_str).collect();
    erased(&entry, &given, request.result.is_some(), now)?;
    within_the_law(&mut entry, request.due_at.is_some(), newly_extended, now)?;
    consented(Some(&before), &mut entry, now)?;
    if !request.approve && is_another(&before, &entry) {
        // Who approved it did not approve that; the trail keeps who it was.
        entry.approver = String::new();
    }
    entry.version += 1;
    workspace.store().register_put(&entry, cx.record("register", Vec::new(), Some(reason))).await?;
    Ok(entry)
}

/// Is it no longer what was approved? An open entry may get the facts of how it was carried out, and its result; what an
/// approval of a breach is about is its reasons.
fn is_another(before: &RegisterEntry, now: &RegisterEntry) -> bool {
    const REASONS: [&str; 4] = ["decision", "exemption", "risk", "risk_reason"];
    let is_changed = |name: &str| before.fields.get(name) != now.fields.get(name);
    if before.kind == RegisterKind::Breach {
        return REASONS.into_iter().any(is_changed);
    }
    let has_ended = before.result != EntryResult::Open;
    before.fields.keys().any(|name| is_changed(name))
        || (has_ended && (before.result != now.result || before.fields.len() != now.fields.len()))
}

/// Enters the rehearsal of a copy of the database as a restore test: the copy can be put back, or it is not what it should be.
/// What the machine lacked, and who stopped it, says nothing of the copy and is no test.
pub(super) async fn restore_tested(
    cx: &Context,
    workspace: &Workspace,
    began_at: DateTime<Utc>,
    copy: &Path,
    report: &JobReport,
    problem: Option<&OpError>,
) -> Result<(), OpError> {
    let result = match problem.map(|problem| problem.code) {
        None => EntryResult::Good,
        // Without what opens an encrypted copy (`Validation`) nothing was tried.
        Some(ErrorCode::Cancelled | ErrorCode::Unavailable | ErrorCode::Timeout | ErrorCode::Validation) => {
            return Ok(());
        }
        Some(_) => EntryResult::Bad,
    };
    let fact = |name: &str| report.facts.iter().find(|fact| fact.name == name).map(|fact| fact.text.clone());
    let records = report.figures.iter().find(|figure| figure.name == "records").map(|figure| figure.value);
    let fields = [
        ("backup", Some(copy.display().to_string())),
        ("records", records.map(|n| format!("{n:.0}"))),
        ("root", fact("root")),
        ("sha256", fact("sha256")),
    ];
    let now = workspace.now();
    let name = copy.file_name().unwrap_or(copy.as_os_str()).to_string_lossy();
    let entry = RegisterEntry {
        id: EntryId::at(now),
        kind: RegisterKind::RestoreTest,
        subject: format!("database/{name}"),
        opened_at: began_at,
        due_at: began_at + RegisterKind::RestoreTest.due_after(),
        closed_at: Some(now),
        owner: cx.caller.name.clone(),
        approver: String::new(),
        result,
        fields: fields.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?))).collect(),
        note: problem.map_or_else(|| "rehearsed by Watchpost".to_owned(), ToString::to_string),
        written_by: cx.caller.name.clone(),
        written_at: now,
        version: 1,
    };
    // The reason is that of whoever started the rehearsal.
    workspace.store().register_put(&entry, cx.record("register", Vec::new(), None)).await?;
    Ok(())
}

/// The 72 hours of a breach are the law's.
fn no_other_clock() -> OpError {
    OpError::invalid("due_at", "the 72 hours of a breach run from awareness and cannot be moved")
        .hint("say why the notice is late: --set delay_reason=TEXT")
}

/// A request of a person is due when the law says, counted from its receipt: within the month, or within three if the person
/// was told of that, and why, within the month.
fn within_the_law(
    entry: &mut RegisterEntry,
    due_given: bool,
    extension_given: bool,
    now: DateTime<Utc>,
) -> Result<(), OpError> {
    let Some((within, extended)) = entry.kind.answered_within() else { return Ok(()) };
    let month = entry.opened_at + within;
    if entry.fields.get("extension").is_none_or(String::is_empty) {
        if due_given && entry.due_at > month {
            return Err(OpError::invalid(
                "due_at",
                "the month of a request runs from its receipt and cannot be moved",
            )
            .hint(
                "tell the person within the month why it takes longer, and enter it: --set extension=REASON",
            ));
        }
        return Ok(());
    }
    if extension_given {
        let told_at = match entry.fields.get("extended_at") {
            None => now,
            Some(text) => text.parse::<DateTime<Utc>>().map_err(|_| {
                let message = format!("extended_at is an instant such as 2026-11-19T08:00:00Z, not {text:?}");
                OpError::invalid("fields", message)
            })?,
        };
        if told_at < entry.opened_at || told_at > month.min(now) {
            let message =
                "a person is told of an extension within the month from receipt, and before it is entered";
            return Err(OpError::invalid("fields", message));
        }
        let told_at = told_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        entry.fields.insert("extended_at".to_owned(), told_at);
        if !due_given {
            entry.due_at = entry.opened_at + extended;
        }
    }
    if due_given && entry.due_at > entry.opened_at + extended {
        return Err(OpError::invalid(
            "due_at",
            "an extension ends three months after the request was received",
        ));
    }
    Ok(())
}

/// Nobody can have told the people of a breach before anybody knew of it.
fn told_after(
    entry: RegisterKind,
    opened_at: DateTime<Utc>,
    fields: &std::collections::BTreeMap<String, String>,
) -> Result<(), OpError> {
    let said = fields.get("told_at").filter(|text| entry == RegisterKind::Breach && !text.is_empty());
    let Some(text) = said else { return Ok(()) };
    let at: DateTime<Utc> = text.parse().map_err(|_| {
        OpError::invalid(
            "fields",
            format!("told_at is an instant such as 2026-11-19T08:00:00Z, not {text:?}"),
        )
    })?;
    if at < opened_at {
        let message = "told_at lies before the breach was known: nobody could tell the people of it";
        return Err(OpError::invalid("fields", message));
    }
    Ok(())
}

/// What a request for erasure says of its key, its residue and its backups has to be what a report can judge; what was entered
/// before, and is not `given` now, is left to the report. A residue is entered as it is found, and one that ended well has none.
fn erased(entry: &RegisterEntry, given: &[&str], ends_now: bool, now: DateTime<Utc>) -> Result<(), OpError> {
    if entry.kind != RegisterKind::ErasureRequest {
        return Ok(());
    }
    let clock = ErasureClock {
        received_at: entry.opened_at,
        ended_at: entry.closed_at.unwrap_or(now),
        end: now,
        now,
    };
    let is_refused = entry.fields.get("refused").is_some_and(|text| !text.is_empty());
    for name in ERASURE_FACTS {
        let is_asked = match name {
            "residue" => {
                entry.result == EntryResult::Good && !is_refused && (ends_now || given.contains(&name))
            }
            _ => given.contains(&name),
        };
        let said = entry.fields.get(name).filter(|text| is_asked && !text.is_empty());
        if let Some(fault) = said.and_then(|text| clock.fault(name, text)) {
            let hint = match name {
                "residue" => {
                    "a request that left something has not ended well: remove it first, or end it with bad"
                }
                "backups_until" => "backups may hold what was erased for at most 90 days",
                _ => "say when the key was destroyed, which is not before the request was received",
            };
            return Err(OpError::invalid("fields", format!("{name} {fault}")).hint(hint));
        }
    }
    Ok(())
}

/// A consent can be shown as it was given: what it is for, the text that was shown, and how it was given stand in it from the
/// begin and do not change. It ends by being withdrawn, once and at any time.
fn consented(
    before: Option<&RegisterEntry>,
    entry: &mut RegisterEntry,
    now: DateTime<Utc>,
) -> Result<(), OpError> {
    if entry.kind != RegisterKind::Consent {
        return Ok(());
    }
    if entry.missing() > 0 {
        let message = format!("a consent says {}", entry.kind.required().join(", "));
        return Err(OpError::invalid("fields", message)
            .hint("what it is for, the text (or its version) that was shown, and how it was given"));
    }
    let anew = "enter a new consent: register add --kind consent";
    if let Some(before) = before {
        let is_changed = |name: &str| before.fields.get(name) != entry.fields.get(name);
        if entry.kind.required().iter().copied().any(is_changed) {
            let message = "what somebody agreed to does not change afterwards";
            return Err(OpError::invalid("fields", message).hint(anew));
        }
        if before.fields.contains_key(WITHDRAWN) {
            let is_other = is_changed(WITHDRAWN) || is_changed(WITHDRAWN_AT) || before.result != entry.result;
            return if is_other {
                Err(OpError::precondition("the consent was withdrawn before, and stays so").hint(anew))
            } else {
                Ok(())
            };
        }
    }
    if entry.fields.get(WITHDRAWN).is_none_or(String::is_empty) {
        if entry.result == EntryResult::Open && !entry.fields.contains_key(WITHDRAWN_AT) {
            return Ok(());
        }
        let message = "a consent ends by being withdrawn: say how";
        return Err(OpError::invalid("fields", message).hint("register withdraw ID --how TEXT"));
    }
    let at = match entry.fields.get(WITHDRAWN_AT) {
        None => now,
        Some(text) => text.parse::<DateTime<Utc>>().map_err(|_| {
            let message = format!("withdrawn_at is an instant such as 2026-11-19T08:00:00Z, not {text:?}");
            OpError::invalid("fields", message)
        })?,
    };
    if at < entry.opened_at || at > now {
        let message = "a consent is withdrawn after it was given, and not in the future";
        return Err(OpError::invalid("fields", message));
    }
    let said = at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    entry.fields.insert(WITHDRAWN_AT.to_owned(), said);
    (entry.result, entry.closed_at) = (EntryResult::Good, Some(at));
    Ok(())
}

/// A subject is retired with a reason, and only one that is there.
async fn retires(
    workspace: &Workspace,
    kind: RegisterKind,
    subject: &str,
    fields: &std::collections::BTreeMap<String, String>,
) -> Result<(), OpError> {
    let Some(reason) = fields.get(RETIRED).filter(|_| kind.retires()) else { return Ok(()) };
    if reason.is_empty() {
        return Err(OpError::invalid("fields", "retired is blank: say why the subject has gone"));
    }
    if workspace.store().register_entries(Some(kind), Some(subject), 1).await?.is_empty() {
        let message = format!("no entry of the kind {kind} is about {subject:?}: there is nothing to retire");
        return Err(OpError::invalid("subject", message));
    }
    Ok(())
}

/// Whoever refuses an erasure says why. A blank where there is a reason takes it away again.
fn refused(
    entry: &RegisterEntry,
    fields: &std::collections::BTreeMap<String, String>,
) -> Result<(), OpError> {
    let is_blank = fields.get("refused").is_some_and(String::is_empty);
    match entry.kind == RegisterKind::ErasureRequest && is_blank {
        true => Err(OpError::invalid("fields", "refused is blank: say why the request was refused")),
        false => Ok(()),
    }
}

/// What can be decided about a breach; another word would count as no decision, or as the wrong one.
const DECISIONS: [&str; 3] = ["notifiable", "not_notifiable", "no_personal_data"];

fn decided(kind: RegisterKind, fields: &std::collections::BTreeMap<String, String>) -> Result<(), OpError> {
    match fields.get("decision").map(|text| text.to_lowercase()) {
        Some(word)
            if kind == RegisterKind::Breach && !word.is_empty() && !DECISIONS.contains(&word.as_str()) =>
        {
            let message = format!("the decision about a breach is one of {}", DECISIONS.join(", "));
            Err(OpError::invalid("fields", message))
        }
        Some(_) | None => Ok(()),
    }
}

/// What an entry is about. A breach of an incident is found by its number, however that is written, and the incident has to
/// be there.
async fn subject_of(workspace: &Workspace, kind: RegisterKind, said: &str) -> Result<String, OpError> {
    let lower = said.to_lowercase();
    let rest = lower.strip_prefix("incident").unwrap_or(&lower);
    let number = rest.trim_start_matches([' ', '/', ':', '#']).parse::<i64>().ok();
    match number {
        Some(number) if kind == RegisterKind::Breach => {
            workspace.store().incident_by_number(number).await?;
            Ok(format!("incident/{number}"))
        }
        _ => Ok(said.to_owned()),
    }
}

fn trimmed(fields: std::collections::BTreeMap<String, String>) -> std::collections::BTreeMap<String, String> {
    fields.into_iter().map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect()
}

pub(crate) async fn proof_add(cx: Context, request: ProofAdd) -> Result<Proof, OpError> {
    let workspace = cx.workspace()?;
    let framework = super::reports::framework(&cx, &request.framework)?;
    if !framework.controls.iter().any(|control| control.id == request.control) {
        let message = format!("{} has no control {:?}", framework.name, request.control);
        return Err(OpError::invalid("control", message));
    }
    let now = workspace.now();
    let period = checked(request.period)?;
    if request.expires_at <= now {
        return Err(OpError::invalid("expires_at", "it would have expired already"));
    }
    let file = match request.path {
        None => None,
        Some(path) => {
            at_this_machine(&cx)?;
            let hashed = tokio::task::spawn_blocking(move || hashed(Path::new(&path))).await;
            Some(hashed.map_err(|error| OpError::internal(format!("hashing failed: {error}")))??)
        }
    };
    let proof = Proof {
        id: ProofId::at(now),
        framework: request.framework,
        control: request.control,
        period,
        statement: required("statement", &request.statement, 4_000)?,
        file,
        owner: required("owner", request.owner.as_deref().unwrap_or(&cx.caller.name), 200)?,
        given_by: cx.caller.name.clone(),
        given_at: now,
        expires_at: request.expires_at,
    };
    let value = serde_json::to_value(&proof).map_err(|error| OpError::internal(format!("proof: {error}")))?;
    let object = format!("control/{}/{}", proof.framework, proof.control);
    let changes = vec![Change::new("proof", serde_json::Value::Null, value)];
    let entry = cx.record(object, changes, Some(proof.statement.clone()));
    workspace.store().proof_add(&proof, entry).await?;
    Ok(proof)
}

/// Name, hash and size of a file, read piece by piece.
fn hashed(path: &Path) -> Result<ProofFile, OpError> {
    let unreadable = |error: std::io::Error| OpError {
        field: Some("path".to_owned()),
        ..OpError::new(ErrorCode::Unavailable, format!("cannot read {}: {error}", path.display()))
    };
    let name = path.file_name().ok_or_else(|| OpError::invalid("path", "this names no file"))?;
    let mut file = std::fs::File::open(path).map_err(unreadable)?;
    if !file.metadata().map_err(unreadable)?.is_file() {
        return Err(OpError::invalid("path", "this is no file"));
    }
    let (mut hash, mut bytes, mut piece) = (Sha256::new(), 0_u64, vec![0_u8; 1 << 16]);
    loop {
        let n = file.read(&mut piece).map_err(unreadable)?;
        if n == 0 {
            break;
        }
        hash.update(&piece[..n]);
        bytes += n as u64;
    }
    Ok(ProofFile { name: name.to_string_lossy().into_owned(), sha256: hex::encode(hash.finalize()), bytes })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use watchpost_model::ids::EntryId;
    use watchpost_model::register::{EntryResult, RegisterEntry, RegisterKind};

    use super::is_another;

    fn entry(kind: RegisterKind, result: EntryResult, fields: &[(&str, &str)]) -> RegisterEntry {
        let at = "2026-11-05T08:00:00Z".parse().unwrap();
        let fields: BTreeMap<_, _> =
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        RegisterEntry {
            id: EntryId::at(at),
            kind,
            subject: "incident/1".to_owned(),
            opened_at: at,
            due_at: at,
            closed_at: None,
            owner: "dana".to_owned(),
            approver: "kim".to_owned(),
            result,
            fields,
            note: String::new(),
            written_by: "dana".to_owned(),
            written_at: at,
            version: 2,
        }
    }

    #[test]
    fn an_approval_is_of_what_stood() {
        use EntryResult::{Bad, Good, Open};
        use RegisterKind::{Baseline, Breach};
        type State<'a> = (EntryResult, &'a [(&'a str, &'a str)]);
        let decided: &[(&str, &str)] = &[("decision", "notifiable"), ("risk", "high")];
        let excused: &[(&str, &str)] =
            &[("decision", "notifiable"), ("risk", "high"), ("exemption", "made up afterwards")];
        let told: &[(&str, &str)] =
            &[("decision", "notifiable"), ("risk", "high"), ("told_at", "2026-11-06T10:00:00Z")];
        let cases: [(RegisterKind, State<'_>, State<'_>, bool); 9] = [
            (Breach, (Open, decided), (Good, decided), false),
            (Breach, (Open, decided), (Good, told), false),
            (Breach, (Open, decided), (Open, excused), true),
            (Breach, (Good, excused), (Good, decided), true),
            (Baseline, (Open, &[("host", "a")]), (Good, &[("host", "a"), ("seen", "b")]), false),
            (Baseline, (Open, &[("host", "a")]), (Open, &[("host", "b")]), true),
            (Baseline, (Good, &[("host", "a")]), (Good, &[("host", "a"), ("seen", "b")]), true),
            (Baseline, (Good, &[("host", "a")]), (Bad, &[("host", "a")]), true),
            (Baseline, (Good, &[("host", "a")]), (Good, &[("host", "a")]), false),
        ];
        for (kind, (result, fields), (now_result, now_fields), wanted) in cases {
            let (before, now) = (entry(kind, result, fields), entry(kind, now_result, now_fields));
            assert_eq!(is_another(&before, &now), wanted, "{kind:?} {fields:?} -> {now_fields:?}");
        }
    }
}
