//! The audit database: the archive of events with its rollups, incidents with their evidence, blocks, jobs, reports,
//! settings and the audit trail, on SQLite or PostgreSQL.
//!
//! [`Store`] is one handle over both engines. Every change is one transaction that also holds its audit record, so
//! that nothing is done unrecorded and nothing is recorded that was not done. Deliberately absent: Redis, detection,
//! permissions (the operations check them) and the wall clock (a [`Clock`] is passed in).

mod approval;
mod audit;
mod backup;
mod block;
mod busy_name;
mod canonical;
mod contain;
mod diagnose;
mod dump;
mod engine;
mod engine_state;
mod entity;
mod error;
mod event;
mod event_figures;
mod event_partition;
mod event_sources;
mod event_text;
mod evidence;
mod figures;

mod health;
mod health_history;
mod incident;
mod ingest;
mod job;
mod job_alone;
mod job_position;
mod lease;
mod login;
mod lost;
mod migrate;
mod outbox;
mod overview;
mod privacy;

mod pulse;
mod register;
mod rehearsal;
mod report;
mod report_schedule;
mod response;
mod retention;
mod risk;
mod rollup;
mod sealed;
mod search;
mod setting;
mod snapshot;
mod source_place;
mod store;
mod suppression;
mod table_export;
mod target;
mod threat;
mod upkeep;

pub use approval::{ApprovalMove, ApprovalTrail, Approvals, NewApproval, approval_object};
pub use audit::bundle::{BundleChecked, BundleDepth, BundleProblem, check_bundle};
pub use audit::cosign::Witnesses;
pub use audit::export::{ExportedPayload, ExportedRecord};
pub use audit::keys::LogKey;
pub use audit::prove::InclusionProof;
pub use audit::sign::{NoteProblem, OpenNote, Signer, SignerError, open_note};
pub use audit::stamp::{KeptStamp, stamp_request};
pub use audit::tile::{Tile, Tiles};
pub use audit::verify::VerifyPlan;
pub use audit::witness::{KeptNote, LogLook, NoteSays, NoteSigner};
pub use backup::{CheckedCopy, OpenCopy};
pub use busy_name::BusyStep;
pub use canonical::event_digest;
pub use diagnose::{SchemaBehind, diagnose, schema_behind};
pub use dump::{GoesOn, is_dump};
pub use engine::{DatabaseSize, Notices, Settled};
pub use engine_state::{HEALTH_STATE, SavedState, StoringCursor};
pub use error::StoreError;
pub use event::{EventCursor, EventFilter, EventPage, StoredEvent};
pub use event_figures::FACETS;
pub use event_text::{EVENT_TEXT_STEP, TextStep};
pub use evidence::{question_columns, question_words};
pub use figures::{IncidentTimes, OpenIncidents, ReportCharts};
pub use incident::{
    BulkTarget, IncidentCounts, IncidentCursor, IncidentEventCursor, IncidentEventPage, IncidentPage,
    IncidentPatch,
};
pub use ingest::{IngestBatch, IngestOutcome, Ingesting, PreparedEvents};
pub use login::{Login, LoginStanding, account_at, machine_and_account};
pub use lost::Lost;
pub use migrate::Migrated;
pub use outbox::OutboxMove;
pub use privacy::{KeptErasure, KnownFiles, Look, Replayed};
pub use pulse::{AuditHead, Pulse, ReadOnly, RecordedFindings, RuleFindings};
pub use report::{APPROVAL_DIGEST, NoteCheck, RECORD_DIGEST, approval_digest, record_digest};
pub use response::{NewResponse, ResponseCursor, ResponseFilter, StoredFinding};
pub use rollup::RollupCheck;
pub use sealed::{Revealed, SealedField, Sealer};
pub use store::{Store, Tag};
pub use suppression::{NewSuppression, SuppressedCursor, SuppressedPage};
pub use table_export::{Cell, ExportTable, ExportTables};
pub use target::DatabaseTarget;
pub use upkeep::Maintained;

#[doc(no_inline)]
pub use watchpost_model::clock::Clock;
