//! Questions to the register of what people do.

use watchpost_model::evidence::{EvidenceAsk, EvidenceQuery};
use watchpost_model::register::{RETIRED, RegisterKind};

use super::{Cell, Column, Question};

/// The columns of an entry; `missing` counts the facts that it lacks.
const fn entry(missing: &'static str) -> [Column; 9] {
    [
        ("subject", "r.subject", Cell::Text),
        ("opened", "r.opened_at", Cell::Time),
        ("recorded", "r.body", Cell::Recorded),
        ("due", "r.due_at", Cell::Time),
        ("closed", "r.closed_at", Cell::Time),
        ("result", "r.result", Cell::Text),
        ("owner", "r.owner", Cell::Text),
        ("approver", "r.approver", Cell::Text),
        ("facts missing", missing, Cell::Number),
    ]
}
const ENTRY: &[Column] = &entry("r.missing");

/// What is required of a breach and no entry about it says.
const LACKS: &str = "(6 - (SELECT COUNT(DISTINCT f.name) FROM register_entry s JOIN register_field f ON f.entry_id = s.id \
    WHERE s.kind = 'breach' AND s.subject = r.subject AND TRIM(f.value) <> '' \
    AND f.name IN ('nature', 'people', 'records', 'contact', 'effects', 'measures')))";
const BREACH: &[Column] = &entry(LACKS);

const OPEN: &str = "r.kind = :kind AND r.opened_at < :end AND (r.closed_at IS NULL OR r.closed_at >= :from)";
const BEGUN: &str = "r.kind = :kind AND r.opened_at >= :from AND r.opened_at < :to";

/// The newest entry of each subject that ended, or that began where none has ended: what is in force at the end.
const NEWEST: &str = "r.kind = :kind AND r.opened_at < :end AND NOT EXISTS (SELECT 1 FROM register_entry s \
    WHERE s.kind = :kind AND s.subject = r.subject AND s.opened_at < :end \
    AND ((r.result = 'open' AND s.result <> 'open') OR ((r.result = 'open' OR s.result <> 'open') \
    AND (s.opened_at > r.opened_at OR (s.opened_at = r.opened_at AND s.id > r.id)))))";
/// What the words of a question add where subjects can be retired.
const WITHOUT_RETIRED: &str =
    ", without subjects whose newest is an approved one with the fact retired, which says why they are gone";

/// The first entry about each breach: awareness is the earliest that any of them says.
const FIRST: &str = "r.kind = 'breach' AND r.opened_at < :end AND NOT EXISTS (SELECT 1 FROM register_entry s \
    WHERE s.kind = 'breach' AND s.subject = r.subject \
    AND (s.opened_at < r.opened_at OR (s.opened_at = r.opened_at AND s.id < r.id)))";
/// Is any entry about the breach open, or was closed in the period?
const UNDER_WAY: &str = "EXISTS (SELECT 1 FROM register_entry s WHERE s.kind = 'breach' AND s.subject = r.subject \
    AND s.opened_at < :end AND (s.closed_at IS NULL OR s.closed_at >= :from))";
/// Did a second person approve what stands in the entry?
const APPROVED: &str = "TRIM(s.approver) <> '' AND LOWER(TRIM(s.approver)) <> LOWER(TRIM(s.owner))";

/// Has the entry the fact that the question names?
const FIELD: &str = "EXISTS (SELECT 1 FROM register_field f WHERE f.entry_id = r.id AND f.name = :field AND TRIM(f.value) <> '')";

/// Has the entry this fact? `name` is one of our own words.
fn fact(name: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM register_field f WHERE f.entry_id = r.id AND f.name = '{name}' AND TRIM(f.value) <> '')"
    )
}

/// Did a second person approve that the subject of this entry has gone? `entry` is its name in the statement.
pub(super) fn retired(entry: &str) -> String {
    format!(
        "({entry}.result <> 'open' AND TRIM({entry}.approver) <> '' \
         AND LOWER(TRIM({entry}.approver)) <> LOWER(TRIM({entry}.owner)) \
         AND EXISTS (SELECT 1 FROM register_field f WHERE f.entry_id = {entry}.id AND f.name = '{RETIRED}' AND TRIM(f.value) <> ''))"
    )
}

/// What a question about the newest of each subject adds where subjects can be retired: to the population, to the exceptions,
/// to the words. A retirement that nobody else approved retires nothing.
fn retiring(kind: Option<RegisterKind>) -> [String; 3] {
    match kind.is_some_and(RegisterKind::retires) {
        true => [
            format!(" AND NOT {}", retired("r")),
            format!(" OR {}", fact(RETIRED)),
            WITHOUT_RETIRED.to_owned(),
        ],
        false => <[String; 3]>::default(),
    }
}

/// Does some entry about the same breach say this?
fn said(name: &str, value: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM register_entry s JOIN register_field f ON f.entry_id = s.id \
         WHERE s.kind = 'breach' AND s.subject = r.subject AND f.name = '{name}' AND {value})"
    )
}

/// Does the newest entry about the same breach that has the fact say this?
fn newest(name: &str, value: &str) -> String {
    said(
        name,
        &format!(
            "{value} AND NOT EXISTS (SELECT 1 FROM register_entry t JOIN register_field g ON g.entry_id = t.id \
             WHERE t.kind = 'breach' AND t.subject = r.subject AND g.name = '{name}' AND TRIM(g.value) <> '' \
             AND (t.opened_at > s.opened_at OR (t.opened_at = s.opened_at AND t.id > s.id)))"
        ),
    )
}

/// Did somebody ever call it notifiable? Such a breach has to be told of, whatever was decided later.
fn notifiable() -> String {
    said("decision", "LOWER(TRIM(f.value)) = 'notifiable'")
}

/// Was it decided that no personal data was hit? Then there is nothing to notify of, and nothing to tell of it but that.
/// The newest decision about the breach counts: one that was taken back frees of nothing.
fn of_nobody() -> String {
    format!("({} AND NOT {})", newest("decision", "LOWER(TRIM(f.value)) = 'no_personal_data'"), notifiable())
}

/// The question how old the newest entry is that ended: which ones, exception, warning, words. Where an entry says how
/// something is until a newer one does, the newest about each subject counts: one that ended badly leaves nothing of those
/// before, and one about another subject says nothing of it.
fn fresh(kind: Option<RegisterKind>) -> [String; 4] {
    let unless_newer = |which: &str| {
        format!(
            "NOT EXISTS (SELECT 1 FROM register_entry s WHERE s.kind = :kind AND {which} AND s.opened_at < :end \
             AND (s.opened_at > r.opened_at OR (s.opened_at = r.opened_at AND s.id > r.id)))"
        )
    };
    let stands = kind.is_some_and(RegisterKind::stands);
    if !stands && kind != Some(RegisterKind::CapacityCheck) {
        let newest = unless_newer("s.result = 'good'");
        return [
            "r.kind = :kind AND r.result = 'good' AND r.opened_at < :end".to_owned(),
            format!("(r.opened_at + :warn < :end AND {newest})"),
            format!("(r.opened_at + :good < :end AND {newest})"),
            "that ended well, up to the end of the period; the newest is judged by its age".to_owned(),
        ];
    }
    // A disk that is gone is forecast no more: of forecasts only the newest of all has an age.
    let (of_all, basis) = match stands {
        true => (String::new(), "exceptions ended badly or are too old, warnings are getting old"),
        false => (
            // Nor does what was forecast of a disk that is retired by now.
            format!(
                " AND {}",
                unless_newer(&format!(
                    "s.result <> 'open' AND NOT EXISTS (SELECT 1 FROM register_entry u WHERE u.kind = :kind \
                     AND u.subject = s.subject AND u.opened_at >= s.opened_at AND u.opened_at < :end AND {})",
                    retired("u")
                ))
            ),
            "exceptions ended badly, and the newest of all is judged by its age, too",
        ),
    };
    let [kept, unapproved, without] = retiring(kind);
    [
        format!(
            "r.kind = :kind AND r.result <> 'open' AND r.opened_at < :end AND {}{kept}",
            unless_newer("s.subject = r.subject AND s.result <> 'open'")
        ),
        format!("(r.result = 'bad'{unapproved} OR (r.opened_at + :warn < :end{of_all}))"),
        format!("(r.opened_at + :good < :end{of_all})"),
        format!("the newest of each subject that ended, up to the end of the period{without}; {basis}"),
    ]
}

/// The question how entries of the period ended. More room on a disk is a newer forecast of it: of these the newest counts.
fn ended(kind: Option<RegisterKind>, has_field: bool) -> [String; 4] {
    let warning = if has_field { FIELD } else { "" };
    let (newest, [kept, unapproved, without], which) = match kind {
        Some(RegisterKind::CapacityCheck) => (
            " AND NOT EXISTS (SELECT 1 FROM register_entry s WHERE s.kind = :kind AND s.subject = r.subject \
             AND s.result <> 'open' AND s.opened_at < :to \
             AND (s.opened_at > r.opened_at OR (s.opened_at = r.opened_at AND s.id > r.id)))",
            retiring(kind),
            ", the newest of each subject",
        ),
        Some(_) | None => ("", <[String; 3]>::default(), ""),
    };
    [
        format!("{BEGUN} AND r.result <> 'open'{newest}{kept}"),
        format!("(r.result = 'bad'{unapproved})"),
        warning.to_owned(),
        format!(
            "begun in the period and ended{which}{without}; exceptions ended badly, warnings well with the fact that is named as a field"
        ),
    ]
}

/// The question whether what is in force is good and not too old. What only an open entry is about is not there yet.
fn current(kind: Option<RegisterKind>) -> [String; 4] {
    let [kept, not_retired, without] = retiring(kind);
    let (unapproved, words) = match kind.is_some_and(RegisterKind::is_approved) {
        true => (
            " OR TRIM(r.approver) = '' OR LOWER(TRIM(r.approver)) = LOWER(TRIM(r.owner))",
            "are too old, ended badly, are open past their due time or not approved by a second person",
        ),
        false => ("", "are too old, ended badly or are open past their due time"),
    };
    [
        format!("{NEWEST}{kept}"),
        format!(
            "(r.result = 'bad' OR (r.result = 'open' AND r.due_at < :end) OR r.opened_at + :warn < :end{not_retired}{unapproved})"
        ),
        "(r.result = 'open' OR r.opened_at + :good < :end)".to_owned(),
        format!(
            "the newest of each subject that ended, or that began where none has ended{without}; exceptions {words}, warnings are open or getting old"
        ),
    ]
}

/// Until when an entry has to be closed. What the law gives from the receipt no later edit prolongs, but an extension with
/// its reason.
fn due(kind: Option<RegisterKind>) -> String {
    let Some((within, extended)) = kind.and_then(RegisterKind::answered_within) else {
        return "r.due_at".to_owned();
    };
    let micros = |span: chrono::Duration| span.num_seconds() * 1_000_000;
    let limit = format!(
        "(r.opened_at + CASE WHEN {} THEN {} ELSE {} END)",
        fact("extension"),
        micros(extended),
        micros(within)
    );
    format!("(CASE WHEN r.due_at < {limit} THEN r.due_at ELSE {limit} END)")
}

/// The question whether required facts are there.
fn complete(kind: Option<RegisterKind>) -> [String; 4] {
    let late = "r.opened_at + :good < :end";
    let lacking = "r.missing > 0";
    match kind {
        Some(kind) if kind.stands() => {
            let [kept, _, without] = retiring(Some(kind));
            [
                format!("{NEWEST}{kept}"),
                format!("({lacking} AND (r.result <> 'open' OR r.due_at < :end))"),
                lacking.to_owned(),
                format!(
                    "the newest of each subject that ended, or that began where none has ended, whenever that was{without}; exceptions lack required facts though they are closed or past their due time, warnings still may"
                ),
            ]
        }
        Some(RegisterKind::Breach) => [
            format!("{FIRST} AND {UNDER_WAY}"),
            format!("({LACKS} > 0 AND {late} AND NOT {})", of_nobody()),
            format!("({LACKS} > 0 AND NOT {})", of_nobody()),
            "the first about each breach that is open or was closed in the period; exceptions are breaches of which no entry says some required fact for too long, warnings still may; of one that hit no personal data nothing more is required"
                .to_owned(),
        ],
        Some(_) | None => [
            OPEN.to_owned(),
            format!("({lacking} AND {late})"),
            lacking.to_owned(),
            "open or closed in the period; exceptions lack required facts for too long, warnings still may".to_owned(),
        ],
    }
}

pub(super) fn of(ask: &EvidenceAsk) -> Option<Question> {
    use EvidenceQuery as Q;
    let entries = |population: &str, exception: &str, warning: &str, basis: &str| Question {
        table: "register_entry r".to_owned(),
        population: population.to_owned(),
        exception: exception.to_owned(),
        warning: warning.to_owned(),
        order: "r.opened_at, r.id",
        columns: ENTRY,
        basis: match ask.params.kind {
            Some(kind) => format!("entries of the kind {kind} in the register, {basis}"),
            None => basis.to_owned(),
        },
    };
    let due = due(ask.params.kind);
    let elapsed = "COALESCE(r.closed_at, :end) - r.opened_at";
    Some(match ask.query {
        Q::RegisterTimely if ask.params.warn_within.is_some() => entries(
            OPEN,
            &format!("COALESCE(r.closed_at, :end) - {due} >= :warn"),
            &format!(
                "(COALESCE(r.closed_at, :end) > {due} OR (r.closed_at IS NULL AND {due} - :good < :end))"
            ),
            "open or closed in the period; exceptions went past their due time by the longer time, warnings went past it or are close to it",
        ),
        Q::RegisterTimely => entries(
            OPEN,
            &format!("COALESCE(r.closed_at, :end) > {due}"),
            &format!("(r.closed_at IS NULL AND {due} - :good < :end)"),
            "open or closed in the period; exceptions went past their due time, warnings are close to it",
        ),
        Q::RegisterClosed => entries(
            BEGUN,
            &format!("{elapsed} > :warn"),
            &format!("{elapsed} > :good"),
            "begun in the period; exceptions took (or wait) longer than the longer time, warnings than the shorter",
        ),
        Q::RegisterComplete => {
            let [population, exception, warning, basis] = complete(ask.params.kind);
            let question = entries(&population, &exception, &warning, &basis);
            match ask.params.kind {
                Some(RegisterKind::Breach) => Question { columns: BREACH, ..question },
                Some(_) | None => question,
            }
        }
        Q::RegisterApproved => entries(
            BEGUN,
            "(TRIM(r.approver) = '' OR LOWER(TRIM(r.approver)) = LOWER(TRIM(r.owner)))",
            "(r.closed_at IS NOT NULL AND r.closed_at - r.opened_at > :good)",
            "begun in the period; exceptions were not approved by a second person, warnings were late",
        ),
        // Its facts are texts that no database reads: another module judges them.
        Q::RegisterGood if ask.params.kind == Some(RegisterKind::ErasureRequest) => return None,
        Q::RegisterGood => {
            let [population, exception, warning, basis] = ended(ask.params.kind, ask.params.field.is_some());
            entries(&population, &exception, &warning, &basis)
        }
        Q::RegisterFresh => {
            let [population, exception, warning, basis] = fresh(ask.params.kind);
            entries(&population, &exception, &warning, &basis)
        }
        Q::RegisterCurrent => {
            let [population, exception, warning, basis] = current(ask.params.kind);
            entries(&population, &exception, &warning, &basis)
        }
        Q::RegisterField => entries(
            BEGUN,
            "NOT EXISTS (SELECT 1 FROM register_field f WHERE f.entry_id = r.id AND f.name = :field AND TRIM(f.value) <> '')",
            "",
            "begun in the period; exceptions lack the named fact",
        ),
        // The failed controls are added by whoever judges the others first.
        Q::ControlsFollowed => entries(
            "r.kind = :kind AND r.opened_at < :end AND (r.closed_at IS NULL OR r.closed_at >= :end)",
            "TRIM(r.owner) = ''",
            "",
            "in force at the end, and the controls of this report that failed and that no entry is about (subject control/ID); exceptions are entries without an owner, and these controls",
        ),
        Q::BreachClock | Q::BreachTold | Q::BreachReasoned => return breach(ask.query),
        _ => return None,
    })
}

/// The questions about breaches. A breach is judged, not its entries: awareness is the earliest that any of them says, a fact
/// is that of the newest that has it, the 72 hours cannot be moved, and whoever has decided nothing has not decided against
/// notifying.
fn breach(query: EvidenceQuery) -> Option<Question> {
    use EvidenceQuery as Q;
    let breaches = |which: &str, exception: &str, warning: &str, basis: &str| Question {
        table: "register_entry r".to_owned(),
        population: format!("{FIRST} AND {which}"),
        exception: exception.to_owned(),
        warning: warning.to_owned(),
        order: "r.opened_at, r.id",
        columns: BREACH,
        basis: basis.to_owned(),
    };
    let closed =
        "(SELECT MIN(s.closed_at) FROM register_entry s WHERE s.kind = 'breach' AND s.subject = r.subject)";
    let notifiable = notifiable();
    Some(match query {
        Q::BreachClock => {
            let reason = said("delay_reason", "TRIM(f.value) <> ''");
            let freed = said("decision", "LOWER(TRIM(f.value)) IN ('not_notifiable', 'no_personal_data')");
            let due = format!("r.opened_at + {}", RegisterKind::Breach.due_after().num_seconds() * 1_000_000);
            breaches(
                &format!("({closed} IS NULL OR {closed} >= :from) AND ({notifiable} OR NOT {freed})"),
                &format!("(({closed} IS NULL AND {due} < :end) OR ({closed} > {due} AND NOT {reason}))"),
                &format!("(({closed} IS NULL AND {due} - :good < :end) OR {closed} > {due})"),
                "breaches open or notified in the period that nobody decided not to notify of; the clock of 72 hours starts with the earliest awareness and counts every hour; exceptions are over it without a recorded reason, warnings are near its end or late with a reason",
            )
        }
        Q::BreachTold => {
            let exempt = newest("exemption", &format!("TRIM(f.value) <> '' AND {APPROVED}"));
            let told = format!("({} OR {exempt})", said("told_at", "TRIM(f.value) <> ''"));
            breaches(
                &format!(
                    "{UNDER_WAY} AND {} AND NOT {}",
                    newest("risk", "LOWER(TRIM(f.value)) = 'high'"),
                    of_nobody()
                ),
                &format!("(NOT {told} AND r.opened_at + :good < :end)"),
                &format!("NOT {told}"),
                "breaches of high risk open or closed in the period, each fact that of the newest entry that has it; exceptions: the people were neither told nor is there an approved exemption",
            )
        }
        Q::BreachReasoned => {
            // Who approved and what stand in one entry: the approval of an earlier one is not that of the reasoning.
            let reasoned = said("risk_reason", &format!("TRIM(f.value) <> '' AND {APPROVED}"));
            breaches(
                &format!(
                    "({closed} IS NULL OR {closed} >= :from) AND {} AND NOT {notifiable}",
                    newest("decision", "LOWER(TRIM(f.value)) = 'not_notifiable'")
                ),
                &format!("(NOT {reasoned} AND r.opened_at + :good < :end)"),
                &format!("NOT {reasoned}"),
                "breaches open or closed in the period that were decided last not to be notified of, and that nobody called notifiable; exceptions have had no reasoning about the risk that a second person approved for too long, warnings still may",
            )
        }
        _ => return None,
    })
}
