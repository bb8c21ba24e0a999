//! Retention: how long what is kept where (DESIGN section 6).

use chrono::Duration;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::event::{Category, Severity};

/// Retention of one category in Redis and in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct RetentionRule {
    /// The category.
    pub category: Category,
    /// Days in Redis: after that the retention job archives and removes.
    pub redis_days: u32,
    /// Days in the database.
    pub archive_days: u32,
}

/// The defaults: events stay in Redis until their first aggregation is due, in the archive as DESIGN section 6 says.
#[must_use]
pub fn default_retention() -> Vec<RetentionRule> {
    Category::ALL
        .iter()
        .map(|&category| {
            let (redis_days, archive_days) = match category {
                Category::Authentication => (7, 90),
                Category::ApiUsage => (1, 30),
                Category::Authorization | Category::DataAccess | Category::Configuration => (30, 365),
            };
            RetentionRule { category, redis_days, archive_days }
        })
        .collect()
}

/// The TTL that an application (or the importer) gives the hash of an event: by category, doubled from high upwards, so
/// that the retention job always comes first.
#[must_use]
pub fn event_ttl(category: Category, severity: Severity) -> Duration {
    let days = match category {
        Category::Authentication | Category::ApiUsage => 30,
        Category::Authorization | Category::DataAccess | Category::Configuration => 90,
    };
    let factor = if severity >= Severity::High { 2 } else { 1 };
    Duration::days(days * factor)
}
