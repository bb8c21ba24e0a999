//! Baselines from the archive, and what changed since one.

use watchpost_detect as detect;
use watchpost_model::baseline::Baseline;
use watchpost_model::period::Period;
use watchpost_store::EventCursor;

use super::events::checked;
use crate::contract::{BaselineCompare, BaselineDrift, BaselineRequest};
use crate::door::Context;
use crate::enrich::Freshness;
use crate::error::OpError;

/// Events read at once.
const PAGE: u32 = 2_000;
/// Users and endpoints in one baseline.
const NAMES_MAX: usize = 100_000;

/// Learns a baseline from the archived events of a period.
pub(crate) async fn baseline_generate(cx: Context, request: BaselineRequest) -> Result<Baseline, OpError> {
    learned(&cx, request.period).await
}

/// Compares a baseline with that of a period.
pub(crate) async fn baseline_compare(
    cx: Context,
    request: BaselineCompare,
) -> Result<BaselineDrift, OpError> {
    if request.before.version != 1 {
        return Err(OpError::invalid(
            "before",
            format!("this is a baseline of version {}; version 1 is understood", request.before.version),
        ));
    }
    let after = learned(&cx, request.period).await?;
    let before = request.before;
    Ok(BaselineDrift {
        drifts: detect::compare_baselines(&before, &after),
        before: (before.from, before.to),
        after: (after.from, after.to),
        events: (before.events, after.events),
    })
}

async fn learned(cx: &Context, period: Period) -> Result<Baseline, OpError> {
    let period = checked(period)?;
    let workspace = cx.workspace()?;
    let config = detect::Config {
        profile_users_max: NAMES_MAX,
        profile_endpoints_max: NAMES_MAX,
        ..detect::Config::default()
    };
    let mut engine = detect::Engine::new(config);
    let known = workspace.known(Freshness::Now).await?;
    let (mut cursor, mut n, mut span) = (None, 0_u64, None);
    'pages: loop {
        let page = workspace.store().events_after(cursor, period.from, PAGE).await?;
        for event in &page {
            if event.at >= period.to {
                break 'pages;
            }
            engine.observe_behaviours(event, known.place(event).as_ref(), event.at);
            n += 1;
            span = Some((span.map_or(event.at, |(from, _)| from), event.at));
        }
        let Some(last) = page.last() else { break };
        cursor = Some(EventCursor::of(last));
    }
    let Some((from, to)) = span else {
        return Err(OpError::invalid("period", "no events are archived in this period"));
    };
    Ok(engine.baseline(from, to, n))
}
