//! Where people may stand in the tables, and what an erasure does there.

/// Rows that are about somebody: they go when one of these columns names the subject.
pub(super) const REMOVED: &[(&str, &[&str])] = &[
    ("suppressed_finding", &["body"]),
    ("incident_span", &["entity_key"]),
    ("incident_entity", &["entity_key"]),
    ("incident_tag", &["tag"]),
    ("entity_risk", &["entity_key"]),
    ("entity_risk_part", &["entity_key"]),
    // The content of a report is hashed and signed as a whole: it goes as a whole. That it was made stays.
    ("report_content", &["body"]),
    ("block", &["target"]),
    ("containment", &["target"]),
    ("response_action", &["target"]),
    ("person", &["name"]),
    ("source_place", &["source"]),
];

/// Rows that stay, with the pseudonym in place of the name.
pub(super) const CHANGED: &[(&str, &[&str])] = &[
    ("allow_entry", &["note", "added_by"]),
    ("approval", &["request", "summary", "reason", "asked_by", "decided_by", "note", "outcome"]),
    ("block", &["reason", "created_by", "removed_by"]),
    ("bulk_action", &["actor", "body", "undone_by"]),
    ("bulk_item", &["before"]),
    ("containment", &["reason", "created_by", "removed_by"]),
    ("control_comment", &["body"]),
    ("erasure", &["done_by"]),
    ("finding", &["body"]),
    (
        "incident",
        &[
            "title",
            "entity_value",
            "entity_key",
            "verdict_reason",
            "assignee",
            "search",
            "own",
            "pause_reason",
            "escalated_to",
        ],
    ),
    ("incident_link", &["actor"]),
    ("incident_note", &["author", "text"]),
    ("incident_pause", &["note", "started_by", "ended_by"]),
    ("incident_risk", &["body"]),
    ("incident_step", &["actor", "note"]),
    ("incident_tag", &["added_by"]),
    ("incident_timeline", &["actor", "text"]),
    ("job_position", &["body"]),
    ("job_run", &["body"]),
    ("legal_hold", &["value", "reason", "owner", "placed_by", "released_by", "release_reason"]),
    ("outbox", &["destination", "subject", "body", "error"]),
    ("proof", &["body"]),
    ("register_entry", &["subject", "owner", "approver", "body"]),
    ("register_field", &["value"]),
    ("report", &["made_by", "body"]),
    ("report_schedule", &["body"]),
    ("response_action", &["reason", "detail", "reversed_by"]),
    ("setting", &["updated_by"]),
    ("suppression", &["owner", "reason", "created_by", "removed_by"]),
];

/// What somebody decided and would stop to work if a name were taken out of it: it is told, with what to do.
pub(super) const TOLD: &[(&str, &str, &str)] = &[
    ("setting", "value", "a setting names it: change that setting (assets, response policy) and erase again"),
    ("allow_entry", "target", "it is on the allowlist: `watchpost block disallow`, then erase again"),
    ("suppression", "scope", "a suppression is about it: it goes with the suppression"),
    ("threat_list", "body", "a threat list names it: that is what others published"),
    ("threat_list", "name", "a threat list has this name"),
    (
        "threat_part",
        "body",
        "a threat list names it: that is what others published; remove the list if it must go",
    ),
];

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use watchpost_model::clock::SystemClock;

    use super::{CHANGED, REMOVED, TOLD};
    use crate::engine::args;
    use crate::store::Store;
    use crate::target::DatabaseTarget;

    /// Columns that hold words, numbers and ids of the product, never what somebody is called.
    const NOBODY: &[(&str, &str)] = &[
        ("allow_entry", "target"),
        ("approval", "carrier"),
        ("approval", "matter"),
        ("approval", "operation"),
        ("audit_checkpoint", "key_name"),
        ("audit_checkpoint", "note"),
        ("audit_checkpoint", "reason"),
        ("audit_checkpoint", "root"),
        ("audit_cosignature", "key_name"),
        ("audit_cosignature", "line"),
        ("audit_head", "log_id"),
        ("audit_name", "id"),
        ("audit_name", "kind"),
        ("audit_payload", "key_id"),
        ("audit_record", "action"),
        ("audit_record", "outcome"),
        ("audit_record", "permission"),
        ("audit_record", "role"),
        ("control_comment", "control"),
        ("control_comment", "framework"),
        ("counter", "name"),
        ("engine_state", "name"),
        ("erasure", "counts"),
        ("erasure", "mark"),
        ("erasure", "pseudonym"),
        ("incident", "attack"),
        ("incident", "verdict_cause"),
        ("incident_pause", "reason"),
        ("job_position", "node"),
        ("job_position", "parameters"),
        ("lease", "holder"),
        ("lease", "name"),
        ("outbox", "kind"),
        ("proof", "control"),
        ("proof", "framework"),
        ("register_entry", "result"),
        ("register_field", "name"),
        ("report", "framework"),
        ("report_content", "sha256"),
        ("response_action", "effect"),
        ("response_action", "policy_rule"),
        ("revision", "tag"),
        ("rollup", "category"),
        ("rollup", "outcome"),
        ("rollup_hour", "category"),
        ("rollup_hour", "outcome"),
        ("schema_version", "name"),
        ("sealed_field", "mark"),
        ("sealing_key", "name"),
        ("setting", "name"),
        ("source_place", "basis"),
        ("source_place", "country"),
        ("subject_key", "subject"),
        ("threat_part", "list"),
    ];

    /// Words of closed sets, and ids: in every table.
    fn is_word_or_id(column: &str) -> bool {
        matches!(
            column,
            "id" | "kind"
                | "state"
                | "status"
                | "verdict"
                | "family"
                | "entity_kind"
                | "category"
                | "outcome"
                | "owner"
                | "rule_id"
                | "what"
                | "step"
                | "sha256"
        ) || column.ends_with("_id")
            || column == "merged_into"
    }

    /// A column that nobody thought of would be left out of an erasure: whoever adds one says here what it is.
    #[tokio::test]
    async fn every_column_of_text_is_thought_of() {
        let folder = tempfile::tempdir().unwrap();
        let target = DatabaseTarget::Sqlite { path: folder.path().join("watchpost.db") };
        let store = Store::open(&target, Arc::new(SystemClock)).await.unwrap();
        let mut tx = store.read().await.unwrap();
        let sql = tx.dialect().text_columns();
        let rows = tx.fetch(sql, args![]).await.unwrap();
        assert!(rows.len() > 150, "{} columns", rows.len());
        let mut missing = Vec::new();
        for row in rows {
            let (table, column) = (row.text(0).unwrap(), row.text(1).unwrap());
            let is = |list: &[(&str, &[&str])]| {
                list.iter().any(|(t, c)| *t == table && c.contains(&column.as_str()))
            };
            let thought_of = matches!(table.as_str(), "event" | "evidence" | "busy_name")
                || is(REMOVED)
                || is(CHANGED)
                || TOLD.iter().any(|(t, c, _)| (*t, *c) == (table.as_str(), column.as_str()))
                || [
                    ("audit_name", "name"),
                    ("audit_record", "actor"),
                    ("audit_record", "login"),
                    ("audit_record", "object"),
                    ("audit_record", "search"),
                ]
                .contains(&(table.as_str(), column.as_str()))
                || NOBODY.contains(&(table.as_str(), column.as_str()))
                || is_word_or_id(&column);
            if !thought_of {
                missing.push(format!("{table}.{column}"));
            }
        }
        assert_eq!(missing, Vec::<String>::new());
        drop(tx);
        store.close().await;
    }
}
