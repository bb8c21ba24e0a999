//! What a search of events found, in figures: when, how bad, and the most frequent values.

use watchpost_model::event::Severity;
use watchpost_model::overview::{EventFacet, EventFigures, FacetCount, Histogram, Series};
use watchpost_model::period::Period;
use watchpost_model::query::FieldName;

use crate::engine::{Dialect, Sql, Tx, micros};
use crate::error::StoreError;
use crate::event::{EventFilter, First, is_named, push_order, severity_of};
use crate::event_text::{self, Narrow, narrowed};
use crate::store::Store;

const SECOND: i64 = 1_000_000;
/// Widths of a bar that people can read, in seconds.
const WIDTHS: [i64; 22] = [
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1_800,
    3_600,
    7_200,
    10_800,
    21_600,
    43_200,
    86_400,
    2 * 86_400,
    7 * 86_400,
    28 * 86_400,
    364 * 86_400,
];
/// Most buckets of a histogram.
const BUCKETS_MAX: u32 = 120;
/// Rows that the facets look at: the newest. More would make every key press read the whole archive.
const FACET_ROWS: i64 = 50_000;
/// Values of a facet.
const FACET_VALUES: i64 = 10;
/// The facets of a search for which nobody chose any.
pub const FACETS: [FieldName; 8] = [
    FieldName::Severity,
    FieldName::Category,
    FieldName::Outcome,
    FieldName::Type,
    FieldName::Ip,
    FieldName::Country,
    FieldName::User,
    FieldName::Endpoint,
];

/// What a facet counts, of the rows that it looks at; `None` where a field has none. Severities are stored as ranks.
const fn facet_column(field: FieldName, dialect: Dialect) -> Option<&'static str> {
    Some(match field {
        FieldName::Severity => "severity",
        FieldName::Category => "category",
        FieldName::Outcome => "outcome",
        FieldName::Type => dialect.event_type(),
        FieldName::Ip => "source_ip",
        FieldName::Country => "(SELECT p.country FROM source_place p WHERE p.source = event.source_ip)",
        FieldName::User => "actor",
        FieldName::Session => "session",
        FieldName::Endpoint => "endpoint",
        FieldName::Status => "status",
        FieldName::Agent => dialect.user_agent(),
        FieldName::Path => dialect.request_path(),
        FieldName::Resource => dialect.resource(),
        FieldName::Action => dialect.action(),
        FieldName::At
        | FieldName::Method
        | FieldName::Query
        | FieldName::Body
        | FieldName::Bytes
        | FieldName::Duration
        | FieldName::Count
        | FieldName::Risk
        | FieldName::Tag
        | FieldName::Id => return None,
    })
}

impl Store {
    /// What `filter` finds, in figures.
    ///
    /// Shape: 1 to `buckets` (1..=120) bars over the period, one series a severity; of each field in `facets` at most ten
    /// values.
    ///
    /// # Errors
    /// `Validation` if `buckets` is out of range or a field has no facet; what the database says.
    pub async fn event_figures(
        &self,
        filter: &EventFilter,
        period: Period,
        buckets: u32,
        facets: &[FieldName],
    ) -> Result<EventFigures, StoreError> {
        if !(1..=BUCKETS_MAX).contains(&buckets) {
            return Err(StoreError::Validation(format!(
                "a histogram has 1 to {BUCKETS_MAX} buckets, not {buckets}"
            )));
        }
        let filter = EventFilter { period: Some(period), ..filter.clone() };
        let mut tx = self.read().await?;
        let narrow = event_text::narrow(&mut tx, &filter).await?;
        let histogram = histogram(&mut tx, &filter, narrow.as_ref(), period, buckets).await?;
        let (facets, rows) = count_facets(&mut tx, &filter, narrow.as_ref(), facets).await?;
        let total = histogram.series.iter().filter_map(|series| series.total).sum();
        let facet_rows = rows.min(FACET_ROWS.unsigned_abs());
        Ok(EventFigures { period, total, histogram, facets, facet_rows, facets_complete: rows == facet_rows })
    }
}

async fn histogram(
    tx: &mut Tx,
    filter: &EventFilter,
    narrow: Option<&Narrow>,
    period: Period,
    buckets: u32,
) -> Result<Histogram, StoreError> {
    let (from, to) = (period.from.timestamp_micros(), period.to.timestamp_micros());
    let begin = |width: i64| from.div_euclid(width) * width;
    let bars = |width: i64| (to - begin(width) + width - 1) / width;
    let fits = WIDTHS.iter().map(|width| width * SECOND).find(|width| bars(*width) <= i64::from(buckets));
    // A period of centuries: whatever fits.
    let width = fits.unwrap_or_else(|| ((to - from) / i64::from(buckets)).saturating_add(SECOND));
    let (start, len) = (begin(width), usize::try_from(bars(width)).unwrap_or(1).max(1));
    let mut sql = Sql::new("SELECT (at - ");
    sql.bind(start).push(") / ").bind(width);
    sql.push(", severity, CAST(SUM(n) AS BIGINT) FROM event WHERE 1 = 1");
    let dialect = tx.dialect();
    narrowed(&mut sql, dialect, filter, narrow);
    sql.push(" GROUP BY 1, 2");
    let mut series: Vec<Series> =
        Severity::ALL.iter().map(|severity| Series::new(severity.to_string(), vec![0; len])).collect();
    for row in tx.fetch_sql(sql).await? {
        let bar = usize::try_from(row.i64(0)?).unwrap_or(0).min(len - 1);
        let severity = usize::try_from(row.i64(1)?).unwrap_or(usize::MAX);
        if let Some(series) = series.get_mut(severity) {
            series.counts[bar] += row.u64(2)?;
        }
    }
    let series = series.into_iter().map(Series::summed).collect();
    Ok(Histogram { start: micros(start)?, bucket_s: (width / SECOND).unsigned_abs(), series })
}

/// The facets, and how many rows there are to count, up to one more than are counted.
async fn count_facets(
    tx: &mut Tx,
    filter: &EventFilter,
    narrow: Option<&Narrow>,
    fields: &[FieldName],
) -> Result<(Vec<EventFacet>, u64), StoreError> {
    let dialect = tx.dialect();
    let mut sql = Sql::new("WITH found AS MATERIALIZED (SELECT ");
    for field in fields {
        let column = facet_column(*field, dialect)
            .ok_or_else(|| StoreError::Validation(format!("{field} has no facet")))?;
        sql.push(column).push(" AS of_").push(field.as_str()).push(", ");
    }
    let is_named = is_named(filter);
    sql.push("n, ROW_NUMBER() OVER (");
    push_order(&mut sql, dialect, is_named, First::Newest);
    sql.push(") AS place FROM event WHERE 1 = 1");
    narrowed(&mut sql, dialect, filter, narrow);
    push_order(&mut sql, dialect, is_named, First::Newest);
    sql.push(" LIMIT ").bind(FACET_ROWS + 1);
    sql.push(") SELECT '', CAST(COUNT(*) AS TEXT), CAST(COUNT(*) AS BIGINT) FROM found");
    for field in fields {
        let (field, column) = (field.as_str(), format!("of_{field}"));
        sql.push(" UNION ALL SELECT * FROM (SELECT '").push(field).push("', CAST(").push(&column);
        sql.push(" AS TEXT), CAST(SUM(n) AS BIGINT) AS times FROM found WHERE place <= ").bind(FACET_ROWS);
        sql.push(" AND ").push(&column).push(" IS NOT NULL GROUP BY ").push(&column);
        sql.push(" ORDER BY times DESC, ").push(&column).push(" LIMIT ").bind(FACET_VALUES);
        sql.push(") AS facet_").push(field);
    }
    let mut rows = 0;
    let mut facets: Vec<EventFacet> =
        fields.iter().map(|field| EventFacet { field: field.to_string(), values: Vec::new() }).collect();
    for row in tx.fetch_sql(sql).await? {
        let (field, value, n) = (row.text(0)?, row.text(1)?, row.u64(2)?);
        if field.is_empty() {
            rows = n;
            continue;
        }
        let value = match field.as_str() {
            "severity" => severity_of(value.parse().unwrap_or(-1))?.to_string(),
            _ => value,
        };
        if let Some(facet) = facets.iter_mut().find(|facet| facet.field == field) {
            facet.values.push(FacetCount { value, n });
        }
    }
    Ok((facets, rows))
}
