//! Looking at events.

use watchpost_model::overview::Overview;
use watchpost_model::period::Period;
use watchpost_store::EventFilter;

use super::{cursor, cursor_text, page_size};
use crate::contract::{EventPage, EventPageRequest, Nothing, OverviewRequest, QuarantineList};
use crate::door::Context;
use crate::enrich::Freshness;
use crate::error::OpError;

pub(crate) fn checked(period: Period) -> Result<Period, OpError> {
    Period::new(period.from, period.to).map_err(|error| OpError::invalid("period", error.to_string()))
}

pub(crate) async fn overview(cx: Context, request: OverviewRequest) -> Result<Overview, OpError> {
    let workspace = cx.workspace()?;
    if !(1..=200).contains(&request.buckets) {
        return Err(OpError::invalid("buckets", "between 1 and 200 buckets"));
    }
    let now = workspace.now();
    let period = match request.period {
        Some(period) => checked(period)?,
        None => workspace
            .store()
            .events_span()
            .await?
            .unwrap_or_else(|| Period::ending(now, chrono::Duration::hours(24))),
    };
    let mut overview = workspace.store().overview(period, now, request.buckets).await?;
    overview.has_location_data = !workspace.known(Freshness::Recent).await?.knowledge.geo.is_empty();
    Ok(overview)
}

pub(crate) async fn event_page(cx: Context, request: EventPageRequest) -> Result<EventPage, OpError> {
    let workspace = cx.workspace()?;
    let limit = page_size(request.limit)?;
    let zone = super::event_search::zone(request.zone.as_deref())?;
    let about = request.entity.map(EventFilter::about).unwrap_or_default();
    let filter = EventFilter {
        period: request.period.map(checked).transpose()?,
        category: request.category,
        severity: request.severity,
        outcome: request.outcome,
        entity: about.entity,
        text: request.text,
        query: about.query.and(super::event_search::query(request.query.as_deref(), zone)?),
    };
    let page = workspace.store().event_page(&filter, cursor(request.after.as_deref())?, limit).await?;
    Ok(EventPage { rows: page.rows, next: cursor_text(page.next)? })
}

pub(crate) async fn quarantine_list(cx: Context, _: Nothing) -> Result<QuarantineList, OpError> {
    Ok(QuarantineList { rows: cx.workspace()?.events()?.quarantined(200).await? })
}
