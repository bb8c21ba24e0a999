//! Replies that are domain types, under the names that the list of operations uses.

pub use watchpost_model::approval::ApprovalRequest;
pub use watchpost_model::audit::{AuditStamp, AuditVerification, Checkpoint, SetApart};
pub use watchpost_model::baseline::Baseline;
pub use watchpost_model::block::{Block, BlockPreview};
pub use watchpost_model::connection::Connection;
pub use watchpost_model::contain::{ContainPreview, Containment};
pub use watchpost_model::enrichment::AssetRule;
pub use watchpost_model::health::RedisHealth;
pub use watchpost_model::incident::{BulkOutcome, Incident, IncidentDetail};
pub use watchpost_model::job::{JobReport, JobRun};
pub use watchpost_model::overview::{EventFigures, Overview};
pub use watchpost_model::privacy::LegalHold;
pub use watchpost_model::register::{Proof, RegisterEntry};
pub use watchpost_model::report::{ControlComment, ReportRecord, ReportSchedule};
pub use watchpost_model::response::ResponseAction;
pub use watchpost_model::risk::RiskPolicy;
pub use watchpost_model::sealing::SealPolicy;
pub use watchpost_model::suppression::{Suppression, SuppressionPreview};
pub use watchpost_report::ReportDocument;
