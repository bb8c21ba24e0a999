//! Looking for events.

use watchpost_ops::contract::{
    EventExport, EventFiguresRequest, EventFormat, EventPageRequest, EventQueryRequest,
};
use watchpost_ops::door::operation;
use watchpost_ops::error::OpError;

use crate::args::{Events, Output};
use crate::output::{at, line, table};
use crate::session::Session;
use crate::show::{self, either};

/// Bars of the histogram, one line each.
const BARS: u32 = 24;
/// Characters of the longest bar.
const BAR_CHARS: u64 = 50;

pub(crate) async fn run(session: &Session, form: Output, wanted: Events) -> anyhow::Result<()> {
    if wanted.fields {
        return fields(session, form).await;
    }
    let period = wanted.last.ending(session.console.now());
    if wanted.figures {
        return figures(
            session,
            form,
            EventFiguresRequest {
                period,
                query: wanted.query,
                zone: wanted.time_zone,
                buckets: BARS,
                facets: Vec::new(),
            },
        )
        .await;
    }
    if let Some(file) = wanted.export {
        let csv = file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
        let path = std::path::absolute(&file)?.to_string_lossy().into_owned();
        let format = if csv { EventFormat::Csv } else { EventFormat::Jsonl };
        let request = EventExport {
            period,
            query: wanted.query,
            zone: wanted.time_zone,
            format,
            columns: wanted.columns,
            path,
        };
        let exported = session.ask::<operation::event_export>(request).await?;
        return either(form, &exported, || {
            line(format!("{} events to {}", exported.rows, exported.path))?;
            line(format!("sha256 {}", exported.sha256))?;
            if exported.complete { Ok(()) } else { line("older ones are left out: narrow the query") }
        });
    }
    let entity = wanted.entity.map(|text| text.parse()).transpose();
    let entity = entity.map_err(|error: watchpost_model::event::UnknownWord| {
        OpError::invalid("entity", error.to_string())
    })?;
    let request = EventPageRequest {
        period,
        query: wanted.query,
        zone: wanted.time_zone,
        entity,
        limit: wanted.limit,
        ..EventPageRequest::default()
    };
    show::events(form, &session.ask::<operation::event_page>(request).await?)
}

async fn fields(session: &Session, form: Output) -> anyhow::Result<()> {
    let reply =
        session.ask::<operation::event_query>(EventQueryRequest { query: String::new(), zone: None }).await?;
    either(form, &reply.fields, || {
        let more = [
            ["header.NAME".to_owned(), "a header of the request".to_owned(), String::new()],
            ["details.NAME".to_owned(), "a detail that the application gives".to_owned(), String::new()],
        ];
        let known = reply.fields.iter().map(|field| {
            let values = if field.ordered && field.values.is_empty() {
                "takes > < and ..".to_owned()
            } else {
                field.values.join(" ")
            };
            [field.name.clone(), field.about.clone(), values]
        });
        table(["FIELD", "HOLDS", "VALUES"], known.chain(more))
    })
}

async fn figures(session: &Session, form: Output, request: EventFiguresRequest) -> anyhow::Result<()> {
    let figures = session.ask::<operation::event_figures>(request).await?;
    either(form, &figures, || {
        line(format!("{} events", figures.total))?;
        let histogram = &figures.histogram;
        let bars: Vec<u64> = (0..histogram.series.first().map_or(0, |series| series.counts.len()))
            .map(|bar| histogram.series.iter().filter_map(|series| series.counts.get(bar)).sum())
            .collect();
        let most = bars.iter().copied().max().unwrap_or(0).max(1);
        let mut start = histogram.start;
        for n in bars {
            let length = usize::try_from((n * BAR_CHARS).div_ceil(most)).unwrap_or(0);
            line(format!("{}  {n:>8}  {}", at(start), "#".repeat(length)))?;
            start += std::time::Duration::from_secs(histogram.bucket_s);
        }
        for facet in figures.facets.iter().filter(|facet| !facet.values.is_empty()) {
            line(String::new())?;
            let rows = facet.values.iter().map(|value| [value.value.clone(), value.n.to_string()]);
            table([facet.field.to_uppercase().as_str(), "EVENTS"], rows)?;
        }
        if figures.facets_complete {
            Ok(())
        } else {
            line(format!("\nvalues are those of the newest {} events", figures.facet_rows))
        }
    })
}
