//! How each operation is done. Called by the door only; a function here has the name of its operation.

mod approvals;
mod audit;
mod audit_export;
mod audit_keys;
mod audit_retention;
mod audit_stamps;
mod backup_file;
mod backups;
mod baselines;
mod benchmarks;
mod blocks;
mod cleanup;
mod connection_url;
mod connections;
mod contain;
mod database;
pub(crate) mod database_copies;
mod database_export;
pub(crate) mod database_looked;
pub(crate) mod database_migrated;
mod database_named;
pub(crate) mod enforce;
mod enrichment;
mod event_search;
mod events;
mod exports;
mod health;
mod health_policy;
mod imports;
mod incident_work;
mod incidents;
mod maintenance;
pub(crate) mod plan;
pub(crate) mod privacy;
mod rdb;
mod register;
pub(crate) mod reports;
pub(crate) mod response;
mod roles;
pub(crate) mod rules;
mod scratch;
mod sealing;
mod secrets_file;
mod settings;
pub(crate) mod share;
mod suppressions;
mod token_keys;
mod window_lock;

pub(crate) use approvals::{
    approval_grant, approval_list, approval_policy_put, approval_refuse, approval_withdraw, weaker_policy,
};
pub(crate) use audit::{
    audit_accept, audit_checkpoint, audit_page, audit_places_put, audit_set_apart, audit_show,
    audit_statistics, audit_trust, audit_verify, audit_verify_cancel, audit_verify_progress,
};
pub(crate) use audit_export::{audit_export, audit_prove};
pub(crate) use audit_keys::{
    audit_key_age_put, audit_key_list, audit_key_revoke, audit_key_roll, key_revoked, key_roll,
};
pub(crate) use audit_retention::{
    audit_purge, audit_purge_preview, audit_retention_get, audit_retention_put, purge_of,
    shortened_record_retention,
};
pub(crate) use audit_stamps::{audit_timestamp_keep, audit_timestamp_request};
pub(crate) use backups::{backup_preview, backup_run, overwriting_restore, restore_preview, restore_run};
pub(crate) use baselines::{baseline_compare, baseline_generate};
pub(crate) use benchmarks::{benchmark_preview, benchmark_run};
pub(crate) use blocks::{
    allow_add, allow_remove, block_add, block_check, block_list, block_preview, block_remove, wide_block,
};
pub(crate) use cleanup::{aggregate_preview, aggregate_run, cleanup_preview, cleanup_run};
pub use connection_url::is_without_tls;
pub(crate) use connections::{
    connection_choose, connection_list, connection_open, connection_parse, connection_remove,
    connection_save, connection_test, workspace_status,
};
pub(crate) use contain::{contain_add, contain_list, contain_preview, contain_remove};
pub(crate) use database::{database_backup, database_check, database_maintain, database_restore};
pub(crate) use database_copies::{database_copy_run, database_rehearse_run};
pub(crate) use database_export::database_export;
pub(crate) use database_looked::database_copies;
pub(crate) use enrichment::{
    asset_add, asset_list, asset_remove, enrichment_get, entity_risk_show, entity_risk_top, location_put,
    risk_policy_put, threat_check, threat_list_import, threat_list_list, threat_list_remove,
    threat_list_show,
};
pub(crate) use event_search::{event_export, event_figures, event_query};
pub(crate) use events::{event_page, overview, quarantine_list};
pub(crate) use exports::{export_preview, export_run};
pub(crate) use health::{redis_health, redis_history, redis_patterns};
pub(crate) use health_policy::{health_policy_get, health_policy_put};
pub(crate) use imports::{import_run, simulate_run};
pub(crate) use incident_work::{
    incident_bulk, incident_escalate, incident_events, incident_handover, incident_merge, incident_notes,
    incident_pause, incident_resume, incident_similar, incident_split, incident_step_check,
    incident_timeline, incident_undo, rule_feedback,
};
pub(crate) use incidents::{
    incident_assign, incident_detail, incident_note, incident_page, incident_resolve, incident_status_set,
    incident_take,
};
pub(crate) use maintenance::{
    job_cancel, job_get, job_list, optimize_preview, optimize_run, retention_preview, retention_run,
};
pub(crate) use plan::{job_plan, job_plan_put};
pub(crate) use privacy::{
    erasure_of, erasure_stands, hold_add, hold_release, own_hold, privacy_erase, privacy_export,
    privacy_list, privacy_preview,
};
pub(crate) use register::{proof_add, register_add, register_change, register_list};
pub(crate) use reports::{
    report_approve, report_cancel, report_comment_add, report_comment_list, report_comment_withdraw,
    report_compare, report_copy, report_frameworks, report_generate, report_list, report_names,
    report_preview, report_progress, report_schedule_add, report_schedule_list, report_schedule_pause,
    report_schedule_remove, report_schedule_run, report_verify,
};
pub(crate) use response::{
    outbox_list, response_list, response_policy_get, response_policy_put, response_preview, response_reverse,
};
pub(crate) use roles::{role_list, role_set};
pub(crate) use rules::{
    rule_backtest, rule_backtest_cancel, rule_backtest_progress, rule_directory_set, rule_import_sigma,
    rule_list, rule_reload, rule_set, rule_show, rule_test, rule_try,
};
pub(crate) use sealing::{event_reveal, sealing_get, sealing_put};
pub(crate) use secrets_file::{
    secrets_file_get, secrets_file_make, secrets_file_open, secrets_file_passphrase,
};
pub(crate) use settings::{settings_get, settings_put, shortened_retention};
pub(crate) use suppressions::{
    suppression_add, suppression_findings, suppression_list, suppression_preview, suppression_remove,
};
pub(crate) use token_keys::{token_key_add, token_key_gone, token_key_list, token_key_remove, token_key_set};
pub(crate) use window_lock::{window_lock_get, window_lock_now, window_lock_put, window_unlock};

use serde::Serialize;
use serde::de::DeserializeOwned;

use watchpost_model::access::Origin;

use crate::door::Context;
use crate::error::{ErrorCode, OpError};

/// A store's cursor as an opaque text for shells.
pub(crate) fn cursor_text<C: Serialize>(cursor: Option<C>) -> Result<Option<String>, OpError> {
    cursor
        .map(|cursor| serde_json::to_string(&cursor))
        .transpose()
        .map_err(|error| OpError::internal(format!("cursor: {error}")))
}

/// The cursor of such a text.
pub(crate) fn cursor<C: DeserializeOwned>(text: Option<&str>) -> Result<Option<C>, OpError> {
    text.map(serde_json::from_str)
        .transpose()
        .map_err(|_| OpError::invalid("after", "this is not a cursor of a page before"))
}

/// Files are named by people at this machine: the HTTP interface must not read or write any file of the server.
pub(crate) fn at_this_machine(cx: &Context) -> Result<(), OpError> {
    match cx.caller.origin {
        Origin::Http => {
            Err(OpError::new(ErrorCode::Permission, "files of the server cannot be named over HTTP")
                .hint("use the command line on the server"))
        }
        Origin::Window | Origin::Cli | Origin::Schedule | Origin::Engine => Ok(()),
    }
}

/// Rows of a page: 1 to 500; 0 (not given) means 100.
pub(crate) fn page_size(limit: u32) -> Result<u32, OpError> {
    match limit {
        0 => Ok(100),
        1..=500 => Ok(limit),
        _ => Err(OpError::invalid("limit", format!("{limit} rows are too many: ask for at most 500"))),
    }
}

/// A text that a person must give: trimmed, not empty, at most `max` characters.
pub(crate) fn required(field: &str, text: &str, max: usize) -> Result<String, OpError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(OpError::invalid(field, format!("{field} is empty")).hint("the audit trail keeps it"));
    }
    if text.chars().count() > max {
        return Err(OpError::invalid(field, format!("{field} is longer than {max} characters")));
    }
    Ok(text.to_owned())
}
