//! Questions to the register of what people do.

use watchpost_model::evidence::{EvidenceAsk, EvidenceQuery};
use watchpost_model::register::RegisterKind;

use super::{Cell, Column, Question};

const ENTRY: &[Column] = &[
    ("subject", "r.subject", Cell::Text),
    ("opened", "r.opened_at", Cell::Time),
    ("recorded", "r.body", Cell::Recorded),
    ("due", "r.due_at", Cell::Time),
    ("closed", "r.closed_at", Cell::Time),
    ("result", "r.result", Cell::Text),
    ("owner", "r.owner", Cell::Text),
    ("approver", "r.approver", Cell::Text),
    ("facts missing", "r.missing", Cell::Number),
];

const OPEN: &str = "r.kind = :kind AND r.opened_at < :end AND (r.closed_at IS NULL OR r.closed_at >= :from)";
const BEGUN: &str = "r.kind = :kind AND r.opened_at >= :from AND r.opened_at < :to";

/// The newest entry of each subject: what is in force at the end.
const NEWEST: &str = "r.kind = :kind AND r.opened_at < :end AND NOT EXISTS (SELECT 1 FROM register_entry s \
    WHERE s.kind = :kind AND s.subject = r.subject AND s.opened_at < :end \
    AND (s.opened_at > r.opened_at OR (s.opened_at = r.opened_at AND s.id > r.id)))";

/// Has a breach this fact? `name` is one of our own words.
fn fact(name: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM register_field f WHERE f.entry_id = r.id AND f.name = '{name}' AND TRIM(f.value) <> '')"
    )
}

/// Has it this value?
fn fact_is(name: &str, value: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM register_field f WHERE f.entry_id = r.id AND f.name = '{name}' \
         AND LOWER(TRIM(f.value)) = '{value}')"
    )
}

/// Does some entry about the same breach say this?
fn said(name: &str, value: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM register_entry s JOIN register_field f ON f.entry_id = s.id \
         WHERE s.kind = 'breach' AND s.subject = r.subject AND f.name = '{name}' AND {value})"
    )
}

/// Was it decided that no personal data was hit? Then there is nothing to notify of, and nothing to tell of it but that.
/// The newest decision about the breach counts: one that was taken back frees of nothing.
fn of_nobody() -> String {
    let notifiable = said("decision", "LOWER(TRIM(f.value)) = 'notifiable'");
    let newest = said(
        "decision",
        "LOWER(TRIM(f.value)) = 'no_personal_data' AND NOT EXISTS (SELECT 1 FROM register_entry t \
         JOIN register_field g ON g.entry_id = t.id WHERE t.kind = 'breach' AND t.subject = r.subject \
         AND g.name = 'decision' AND TRIM(g.value) <> '' \
         AND (t.opened_at > s.opened_at OR (t.opened_at = s.opened_at AND t.id > s.id)))",
    );
    format!("({newest} AND NOT {notifiable})")
}

/// Did it end badly? An erasure that nothing is told of is none: when its key was destroyed, and what was left.
fn bad(kind: Option<RegisterKind>) -> String {
    match kind {
        Some(RegisterKind::ErasureRequest) => format!(
            "(r.result = 'bad' OR NOT ({} OR ({} AND {})))",
            fact("refused"),
            fact("key_destroyed"),
            fact("residue")
        ),
        Some(_) | None => "r.result = 'bad'".to_owned(),
    }
}

/// The question how old the newest entry is that ended: which ones, exception, warning, words. Where an entry says how
/// something is until a newer one does, a newer one that ended badly leaves nothing of those before.
fn fresh(kind: Option<RegisterKind>) -> [String; 4] {
    let lasts = kind.is_some_and(|kind| kind.stands() || kind == RegisterKind::CapacityCheck);
    let ended = if lasts { "result <> 'open'" } else { "result = 'good'" };
    let newest = format!(
        "NOT EXISTS (SELECT 1 FROM register_entry s WHERE s.kind = :kind AND s.{ended} \
         AND s.opened_at < :end AND (s.opened_at > r.opened_at OR (s.opened_at = r.opened_at AND s.id > r.id)))"
    );
    let (bad, basis) = match lasts {
        true => (
            "r.result = 'bad' OR ",
            "that ended, up to the end of the period; the newest is judged by how it ended and by its age",
        ),
        false => ("", "that ended well, up to the end of the period; the newest is judged by its age"),
    };
    [
        format!("r.kind = :kind AND r.{ended} AND r.opened_at < :end"),
        format!("(({bad}r.opened_at + :warn < :end) AND {newest})"),
        format!("(r.opened_at + :good < :end AND {newest})"),
        basis.to_owned(),
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
        Some(kind) if kind.stands() => [
            NEWEST.to_owned(),
            format!("({lacking} AND (r.result <> 'open' OR {late}))"),
            lacking.to_owned(),
            "the newest of each subject, whenever it began; exceptions lack required facts though they are closed or for too long, warnings still may"
                .to_owned(),
        ],
        Some(RegisterKind::Breach) => [
            OPEN.to_owned(),
            format!("({lacking} AND {late} AND NOT {})", of_nobody()),
            format!("({lacking} AND NOT {})", of_nobody()),
            "open or closed in the period; exceptions lack required facts for too long, warnings still may; of one that hit no personal data nothing more is required"
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
            entries(&population, &exception, &warning, &basis)
        }
        Q::RegisterApproved => entries(
            BEGUN,
            "(TRIM(r.approver) = '' OR LOWER(TRIM(r.approver)) = LOWER(TRIM(r.owner)))",
            "(r.closed_at IS NOT NULL AND r.closed_at - r.opened_at > :good)",
            "begun in the period; exceptions were not approved by a second person, warnings were late",
        ),
        Q::RegisterGood => entries(
            &format!("{BEGUN} AND r.result <> 'open'"),
            &bad(ask.params.kind),
            match ask.params.field {
                Some(_) => {
                    "EXISTS (SELECT 1 FROM register_field f WHERE f.entry_id = r.id AND f.name = :field AND TRIM(f.value) <> '')"
                }
                None => "",
            },
            match ask.params.kind {
                Some(RegisterKind::ErasureRequest) => {
                    "begun in the period and ended; exceptions ended badly, or were not refused and lack the facts key_destroyed or residue, warnings well with the fact that is named as a field"
                }
                _ => {
                    "begun in the period and ended; exceptions ended badly, warnings well with the fact that is named as a field"
                }
            },
        ),
        Q::RegisterFresh => {
            let [population, exception, warning, basis] = fresh(ask.params.kind);
            entries(&population, &exception, &warning, &basis)
        }
        Q::RegisterCurrent => {
            let unapproved = match ask.params.kind.is_some_and(RegisterKind::is_approved) {
                true => " OR TRIM(r.approver) = '' OR LOWER(TRIM(r.approver)) = LOWER(TRIM(r.owner))",
                false => "",
            };
            let basis = match unapproved {
                "" => {
                    "the newest of each subject; exceptions are too old or not good, warnings are getting old"
                }
                _ => {
                    "the newest of each subject; exceptions are too old, not good or not approved by a second person, \
                     warnings are getting old"
                }
            };
            entries(
                NEWEST,
                &format!("(r.result <> 'good' OR r.opened_at + :warn < :end{unapproved})"),
                "r.opened_at + :good < :end",
                basis,
            )
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
        // A breach is judged, not its entries: awareness is the earliest that any of them says, the 72 hours cannot be moved,
        // and whoever has decided nothing has not decided against notifying.
        Q::BreachClock => {
            let closed = "(SELECT MIN(s.closed_at) FROM register_entry s WHERE s.kind = 'breach' AND s.subject = r.subject)";
            let reason = said("delay_reason", "TRIM(f.value) <> ''");
            let notifiable = said("decision", "LOWER(TRIM(f.value)) = 'notifiable'");
            let decided = said("decision", "TRIM(f.value) <> ''");
            let due = format!("r.opened_at + {}", RegisterKind::Breach.due_after().num_seconds() * 1_000_000);
            entries(
                &format!(
                    "r.kind = 'breach' AND r.opened_at < :end AND ({closed} IS NULL OR {closed} >= :from) \
                     AND NOT EXISTS (SELECT 1 FROM register_entry s WHERE s.kind = 'breach' AND s.subject = r.subject \
                     AND (s.opened_at < r.opened_at OR (s.opened_at = r.opened_at AND s.id < r.id))) \
                     AND ({notifiable} OR NOT {decided})"
                ),
                &format!("(({closed} IS NULL AND {due} < :end) OR ({closed} > {due} AND NOT {reason}))"),
                &format!("(({closed} IS NULL AND {due} - :good < :end) OR {closed} > {due})"),
                "breaches open or notified in the period that nobody decided not to notify of; the clock of 72 hours starts with the earliest awareness and counts every hour; exceptions are over it without a recorded reason, warnings are near its end or late with a reason",
            )
        }
        Q::BreachTold => {
            let told = format!("({} OR ({} AND TRIM(r.approver) <> ''))", fact("told_at"), fact("exemption"));
            entries(
                &format!(
                    "r.kind = 'breach' AND r.opened_at < :end AND (r.closed_at IS NULL OR r.closed_at >= :from) AND {} \
                     AND NOT {}",
                    fact_is("risk", "high"),
                    of_nobody()
                ),
                &format!("(NOT {told} AND r.opened_at + :good < :end)"),
                &format!("NOT {told}"),
                "breaches of high risk open or closed in the period; exceptions: the people were neither told nor is there an approved exemption",
            )
        }
        Q::BreachReasoned => {
            let of_the_breach = "s.kind = 'breach' AND s.subject = r.subject";
            let closed = format!("(SELECT MIN(s.closed_at) FROM register_entry s WHERE {of_the_breach})");
            let decided = |word: &str| said("decision", &format!("LOWER(TRIM(f.value)) = '{word}'"));
            // Who approved and what stand in one entry: the approval of an earlier one is not that of the reasoning.
            let reasoned = format!(
                "EXISTS (SELECT 1 FROM register_entry s JOIN register_field f ON f.entry_id = s.id \
                 WHERE {of_the_breach} AND f.name = 'risk_reason' AND TRIM(f.value) <> '' AND TRIM(s.approver) <> '' \
                 AND LOWER(TRIM(s.approver)) <> LOWER(TRIM(s.owner)))"
            );
            entries(
                &format!(
                    "r.kind = 'breach' AND r.opened_at < :end AND ({closed} IS NULL OR {closed} >= :from) \
                     AND NOT EXISTS (SELECT 1 FROM register_entry s WHERE {of_the_breach} \
                     AND (s.opened_at < r.opened_at OR (s.opened_at = r.opened_at AND s.id < r.id))) \
                     AND {} AND NOT {}",
                    decided("not_notifiable"),
                    decided("notifiable")
                ),
                &format!("(NOT {reasoned} AND r.opened_at + :good < :end)"),
                &format!("NOT {reasoned}"),
                "breaches open or closed in the period that somebody decided not to notify of, and nobody to; exceptions have had no reasoning about the risk that a second person approved for too long, warnings still may",
            )
        }
        _ => return None,
    })
}
