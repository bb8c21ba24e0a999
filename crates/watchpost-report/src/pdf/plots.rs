//! The charts: what happened over time, stacked by series, and counts by name.

use std::ops::Range;

use chrono::{DateTime, Utc};
use plotters::chart::ChartBuilder;
use plotters::coord::Shift;
use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::element::Rectangle;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontDesc, FontFamily, FontStyle, RGBColor, ShapeStyle, TextStyle};
use watchpost_model::overview::Histogram;

use crate::ReportError;
use crate::pdf::backend::{PageBackend, UNITS};
use crate::pdf::flow::{Flow, baseline};
use crate::pdf::structure::Role;
use crate::pdf::theme::{BODY, H3, HAIRLINE, HEAT, INK, Ink, MARGIN_X, MUTED, SERIES, SMALL, WIDTH};
use crate::wording::thousands;

/// More bars than this cannot be told apart; neighbours are added up.
const BARS_MAX: usize = 62;
const LABEL_PT: f32 = 7.4;
/// The level of the heading of a chart: it stands in a section.
const CHART_LEVEL: u16 = 3;

/// What a series of a chart is called and drawn in.
pub(crate) struct Legend {
    pub(crate) name: String,
    pub(crate) ink: Ink,
}

/// How high the bars over time are.
const CHART_H: f32 = 132.0;
/// How high a bar with a name is.
pub(crate) const BAR_H: f32 = 17.0;

/// Events over time, one bar a bucket, the series stacked in their order. An empty histogram says so.
pub(crate) fn over_time(
    flow: &mut Flow<'_>,
    title: &'static str,
    histogram: &Histogram,
    legend: &[Legend],
    height: f32,
) -> Result<(), ReportError> {
    let total: u64 = histogram.series.iter().flat_map(|series| &series.counts).sum();
    let words = |span: &str| format!("events per {span}, UTC; {} in all", thousands(total));
    bars_over_time(flow, title, histogram, legend, height, Quantity::Flow, words)
}

/// What stood open at the end of each step, one bar a step.
pub(crate) fn backlog(flow: &mut Flow<'_>, histogram: &Histogram) -> Result<(), ReportError> {
    let legend = [Legend { name: "active".to_owned(), ink: SERIES[1] }];
    let words = |span: &str| format!("incidents active at the end of each {span}, UTC");
    bars_over_time(flow, "Course of the backlog", histogram, &legend, CHART_H, Quantity::Level, words)
}

/// What the numbers of a histogram are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantity {
    /// What happened within each bucket: neighbours add up.
    Flow,
    /// What stood at the end of each bucket: of neighbours the last one counts, and nothing adds up.
    Level,
}

fn bars_over_time(
    flow: &mut Flow<'_>,
    title: &'static str,
    histogram: &Histogram,
    legend: &[Legend],
    height: f32,
    quantity: Quantity,
    words: impl Fn(&str) -> String,
) -> Result<(), ReportError> {
    flow.need(height + 80.0);
    flow.heading(CHART_LEVEL, title, H3);
    let bars = coarse(histogram, quantity);
    let total: u64 = histogram.series.iter().flat_map(|series| &series.counts).sum();
    if total == 0 || bars.starts.is_empty() {
        flow.line("Nothing of this kind in the period.", BODY.in_ink(MUTED), flow.left);
        flow.gap(18.0);
        return Ok(());
    }
    flow.paragraph(&words(&span(bars.bucket_s)), SMALL);
    flow.part(Role::Figure(bars.words(title, legend)), |flow| {
        if legend.len() > 1 {
            draw_legend(flow, histogram, legend);
        }
        let top = flow.y;
        let (fonts, left, width) = (flow.fonts, flow.left, flow.width);
        let canvas = flow.page();
        let backend = PageBackend { canvas, fonts, origin: (left, top), size: (width, height) };
        stacked(backend.into_drawing_area(), &bars, legend, (width / 54.0) as usize)
            .map_err(|error| ReportError::Chart { chart: title, reason: error.to_string() })
    })?;
    flow.y += height + 22.0;
    Ok(())
}

/// Bars added up from a histogram.
struct Bars {
    quantity: Quantity,
    bucket_s: i64,
    starts: Vec<i64>,
    /// One row of counts a series.
    counts: Vec<Vec<u64>>,
}

impl Bars {
    /// The chart for those who do not see it: the sums, or the first and the last level, and when the most was.
    fn words(&self, title: &str, legend: &[Legend]) -> String {
        let sums: Vec<String> = legend
            .iter()
            .zip(&self.counts)
            .map(|(entry, row)| match self.quantity {
                Quantity::Flow => format!("{} {}", entry.name, thousands(row.iter().sum::<u64>())),
                Quantity::Level => {
                    let at = |count: Option<&u64>| thousands(count.copied().unwrap_or(0));
                    format!("{} at first {}, at last {}", entry.name, at(row.first()), at(row.last()))
                }
            })
            .collect();
        let total = |index: usize| self.counts.iter().filter_map(|row| row.get(index)).sum::<u64>();
        let most = (0..self.starts.len()).max_by_key(|index| (total(*index), std::cmp::Reverse(*index)));
        let at = most
            .and_then(|index| Some((DateTime::<Utc>::from_timestamp(self.starts[index], 0)?, total(index))));
        let peak = at.map_or_else(String::new, |(at, count)| {
            format!("; the most, {}, from {} UTC", thousands(count), at.format("%-d %B %Y %H:%M"))
        });
        format!("{title}, bars over time. {}{peak}.", sums.join(", "))
    }
}

fn coarse(histogram: &Histogram, quantity: Quantity) -> Bars {
    let n = histogram.series.iter().map(|series| series.counts.len()).max().unwrap_or(0);
    let step = n.div_ceil(BARS_MAX).max(1);
    let bucket_s = i64::try_from(histogram.bucket_s).unwrap_or(i64::MAX / 4096).max(1);
    let starts =
        (0..n).step_by(step).map(|index| histogram.start.timestamp() + bucket_s * index as i64).collect();
    let counts = histogram
        .series
        .iter()
        .map(|series| {
            let together = |chunk: &[u64]| match quantity {
                Quantity::Flow => chunk.iter().sum(),
                Quantity::Level => chunk.last().copied().unwrap_or(0),
            };
            series.counts.chunks(step).map(together).collect()
        })
        .collect();
    Bars { quantity, bucket_s: bucket_s * step as i64, starts, counts }
}

fn stacked<E: std::error::Error + Send + Sync>(
    area: DrawingArea<impl plotters_backend::DrawingBackend<ErrorType = E>, Shift>,
    bars: &Bars,
    legend: &[Legend],
    n_ticks: usize,
) -> Result<(), plotters::drawing::DrawingAreaErrorKind<E>> {
    let total = |index: usize| bars.counts.iter().filter_map(|row| row.get(index)).sum::<u64>();
    let (step, top) = scale((0..bars.starts.len()).map(total).max().unwrap_or(0));
    let first = bars.starts[0];
    let last = bars.starts[bars.starts.len() - 1] + bars.bucket_s;
    let y_width = thousands(top).len() as f32 * LABEL_PT * 0.6 + 10.0;
    let mut chart = ChartBuilder::on(&area)
        .margin_top(units(6.0))
        .margin_right(units(6.0))
        .x_label_area_size(units(18.0))
        .y_label_area_size(units(y_width))
        .build_cartesian_2d(TimeAxis(first..last), CountAxis { top, step })?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .bold_line_style(line(HAIRLINE, 0.5))
        .light_line_style(RGBColor(0, 0, 0).mix(0.0))
        .axis_style(line(MUTED, 0.6))
        .label_style(label(MUTED))
        .x_labels(n_ticks)
        .x_label_formatter(&|at| tick_words(*at, last - first))
        .y_label_formatter(&|count| thousands(*count))
        .set_all_tick_mark_size(units(2.4))
        .draw()?;
    let gap = bars.bucket_s / 7;
    let mut base = vec![0_u64; bars.starts.len()];
    for (row, style) in bars.counts.iter().zip(legend) {
        let mut boxes = Vec::new();
        for ((start, count), base) in bars.starts.iter().zip(row).zip(&mut base) {
            if *count > 0 {
                let corners = [(start + gap, *base + count), (start + bars.bucket_s - gap, *base)];
                boxes.push(Rectangle::new(corners, rgb(style.ink).filled()));
                *base += count;
            }
        }
        chart.draw_series(boxes)?;
    }
    area.present()
}

fn draw_legend(flow: &mut Flow<'_>, histogram: &Histogram, legend: &[Legend]) {
    let fonts = flow.fonts;
    let kind = SMALL.in_ink(INK);
    let (left, right) = (flow.left, flow.left + flow.width);
    let (mut x, mut y) = (left, flow.y + 5.0);
    for (series, entry) in histogram.series.iter().zip(legend) {
        let text = format!("{}  {}", entry.name, thousands(series.counts.iter().sum::<u64>()));
        let width = 11.0 + fonts.width(&text, kind.face, kind.size);
        if x > left && x + width > right {
            (x, y) = (left, y + 12.0);
        }
        let page = flow.page();
        page.fill_rect((x, y + 1.8), (7.0, 7.0), entry.ink);
        page.text(fonts, (x + 11.0, baseline(y - 0.4, kind)), &text, kind);
        x += width + 16.0;
    }
    flow.y = y + 15.0;
}

/// Counts by name as horizontal bars, each with its number at its end.
pub(crate) fn by_name(
    flow: &mut Flow<'_>,
    title: &'static str,
    rows: &[(String, u64, Ink)],
    row_height: f32,
) -> Result<(), ReportError> {
    let height = row_height * rows.len() as f32;
    flow.need(height + 44.0);
    flow.heading(CHART_LEVEL, title, H3);
    if rows.iter().all(|(_, count, _)| *count == 0) {
        flow.line("None.", BODY.in_ink(MUTED), flow.left);
        flow.gap(18.0);
        return Ok(());
    }
    flow.gap(4.0);
    let top = flow.y;
    let (fonts, left, width) = (flow.fonts, flow.left, flow.width);
    let counts: Vec<String> =
        rows.iter().map(|(name, count, _)| format!("{name} {}", thousands(count))).collect();
    flow.part(Role::Figure(format!("{title}, bars. {}.", counts.join(", "))), |flow| {
        let canvas = flow.page();
        let backend = PageBackend { canvas, fonts, origin: (left, top), size: (width, height) };
        horizontal(&backend.into_drawing_area(), rows)
            .map_err(|error| ReportError::Chart { chart: title, reason: error.to_string() })
    })?;
    flow.y += height + 22.0;
    Ok(())
}

fn horizontal<E: std::error::Error + Send + Sync>(
    area: &DrawingArea<impl plotters_backend::DrawingBackend<ErrorType = E>, Shift>,
    rows: &[(String, u64, Ink)],
) -> Result<(), plotters::drawing::DrawingAreaErrorKind<E>> {
    let most = rows.iter().map(|(_, count, _)| *count).max().unwrap_or(0).max(1);
    let n = rows.len() as i64;
    // Room for the names on the left and for the number behind the longest bar.
    let number_w = thousands(most).len() as f32 * LABEL_PT * 0.6 + 10.0;
    let mut chart = ChartBuilder::on(area)
        .margin_left(units(64.0))
        .margin_right(units(number_w))
        .build_cartesian_2d(CountAxis { top: most, step: most }, TimeAxis(0..n * 100))?;
    for (index, (_, count, ink)) in rows.iter().enumerate() {
        let from = (n - 1 - index as i64) * 100;
        chart.draw_series([Rectangle::new([(0, from + 22), (*count, from + 78)], rgb(*ink).filled())])?;
        if *count == 0 {
            chart.draw_series([Rectangle::new([(0, from + 22), (0, from + 78)], line(MUTED, 0.6))])?;
        }
    }
    let plot = chart.plotting_area();
    for (index, (name, count, _)) in rows.iter().enumerate() {
        let middle = (n - 1 - index as i64) * 100 + 50;
        let (x0, y) = plot.map_coordinate(&(0, middle));
        let (x1, _) = plot.map_coordinate(&(*count, middle));
        area.draw_text(name, &label(INK).pos(Pos::new(HPos::Right, VPos::Center)), (x0 - units(8.0), y))?;
        let end = label(INK).pos(Pos::new(HPos::Left, VPos::Center));
        area.draw_text(&thousands(*count), &end, (x1 + units(5.0), y))?;
    }
    area.present()
}

/// Counts by row and column as shades, the darkest for the most; the scale stands below. Empty rows say so.
pub(crate) fn heat(
    flow: &mut Flow<'_>,
    title: &'static str,
    names: &[&str],
    counts: &[Vec<u64>],
) -> Result<(), ReportError> {
    let cell = 15.0;
    let height = cell * names.len() as f32 + 16.0;
    flow.need(height + 46.0);
    flow.heading(CHART_LEVEL, title, H3);
    let most = counts.iter().flatten().copied().max().unwrap_or(0);
    if most == 0 {
        flow.line("No events in the period.", BODY.in_ink(MUTED), flow.left);
        flow.gap(18.0);
        return Ok(());
    }
    flow.gap(4.0);
    let peak = names.iter().zip(counts).find_map(|(name, row)| {
        row.iter().position(|count| *count == most).map(|hour| format!("{name} {hour:02}:00"))
    });
    let words = format!(
        "{title}, a shade for each hour. The most, {}, {}.",
        thousands(most),
        peak.unwrap_or_default()
    );
    flow.part(Role::Figure(words), |flow| {
        let top = flow.y;
        let fonts = flow.fonts;
        let canvas = flow.page();
        let backend = PageBackend { canvas, fonts, origin: (MARGIN_X, top), size: (WIDTH, height) };
        shades(&backend.into_drawing_area(), names, counts, most)
            .map_err(|error| ReportError::Chart { chart: title, reason: error.to_string() })?;
        flow.y += height + 4.0;
        heat_legend(flow, most);
        Ok::<(), ReportError>(())
    })?;
    flow.y += 30.0;
    Ok(())
}

fn heat_legend(flow: &mut Flow<'_>, most: u64) {
    let fonts = flow.fonts;
    let (mut x, y) = (MARGIN_X + 34.0, flow.y);
    for (index, ink) in HEAT.iter().enumerate() {
        let from = if index == 0 { 0 } else { bound(index - 1, most) + 1 };
        let to = if index == 0 { 0 } else { bound(index, most) };
        if index > 0 && from > to {
            continue;
        }
        let text =
            if from == to { thousands(from) } else { format!("{} to {}", thousands(from), thousands(to)) };
        let page = flow.page();
        page.fill_rect((x, y + 1.8), (7.0, 7.0), *ink);
        page.outline(&[(x, y + 1.8), (x + 7.0, y + 1.8), (x + 7.0, y + 8.8), (x, y + 8.8)], 0.3, HAIRLINE);
        page.text(fonts, (x + 11.0, baseline(y - 0.4, SMALL)), &text, SMALL);
        x += 24.0 + fonts.width(&text, SMALL.face, SMALL.size);
    }
}

/// The largest count of a shade; the last one ends at the most.
fn bound(index: usize, most: u64) -> u64 {
    let steps = HEAT.len() as u64 - 1;
    (u128::from(most) * index as u128).div_ceil(u128::from(steps)).try_into().unwrap_or(u64::MAX)
}

fn shades<E: std::error::Error + Send + Sync>(
    area: &DrawingArea<impl plotters_backend::DrawingBackend<ErrorType = E>, Shift>,
    names: &[&str],
    counts: &[Vec<u64>],
    most: u64,
) -> Result<(), plotters::drawing::DrawingAreaErrorKind<E>> {
    let n = counts.iter().map(Vec::len).max().unwrap_or(1).max(1) as f32;
    let (left, cell) = (34.0, 15.0);
    let width = (WIDTH - left) / n;
    for (row, (name, counts)) in names.iter().zip(counts).enumerate() {
        let y = cell * row as f32;
        let middle = label(INK).pos(Pos::new(HPos::Left, VPos::Center));
        area.draw_text(name, &middle, (0, units(y + cell / 2.0)))?;
        for (column, count) in counts.iter().enumerate() {
            let index = (0..HEAT.len()).find(|index| *count <= bound(*index, most)).unwrap_or(HEAT.len() - 1);
            let x = left + width * column as f32;
            let corners = [(units(x + 0.6), units(y + 0.6)), (units(x + width - 0.6), units(y + cell - 0.6))];
            area.draw(&Rectangle::new(corners, rgb(HEAT[index]).filled()))?;
        }
    }
    for hour in (0..n as usize).step_by(3) {
        let x = left + width * hour as f32;
        let below = label(MUTED).pos(Pos::new(HPos::Left, VPos::Top));
        area.draw_text(&format!("{hour:02}:00"), &below, (units(x), units(cell * names.len() as f32 + 3.0)))?;
    }
    area.present()
}

/// Seconds since 1970 (or any other number); ticks at hours, days, weeks or months of UTC.
struct TimeAxis(Range<i64>);

impl Ranged for TimeAxis {
    type FormatOption = DefaultFormatting;
    type ValueType = i64;

    fn map(&self, value: &i64, limit: (i32, i32)) -> i32 {
        let share = (value - self.0.start) as f64 / (self.0.end - self.0.start).max(1) as f64;
        limit.0 + (f64::from(limit.1 - limit.0) * share).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<i64> {
        const HOUR: i64 = 3_600;
        const DAY: i64 = 86_400;
        const STEPS: [i64; 16] = [
            60,
            300,
            900,
            HOUR,
            3 * HOUR,
            6 * HOUR,
            12 * HOUR,
            DAY,
            2 * DAY,
            3 * DAY,
            7 * DAY,
            14 * DAY,
            30 * DAY,
            61 * DAY,
            91 * DAY,
            365 * DAY,
        ];
        let most = hint.max_num_points().clamp(2, 9) as i64;
        let length = self.0.end - self.0.start;
        let fitting = STEPS.into_iter().find(|step| length / step < most);
        let step = fitting.unwrap_or((length / most).max(1));
        // From the first bucket on when the steps are days and it starts at midnight; else at round times.
        let first = if step >= DAY && self.0.start % DAY == 0 {
            self.0.start
        } else {
            self.0.start.div_euclid(step) * step + if self.0.start.rem_euclid(step) == 0 { 0 } else { step }
        };
        (0..=most).map(|n| first + n * step).filter(|at| self.0.contains(at)).collect()
    }

    fn range(&self) -> Range<i64> {
        self.0.clone()
    }
}

/// Counts from zero to `top`, a tick every `step`.
struct CountAxis {
    top: u64,
    step: u64,
}

impl Ranged for CountAxis {
    type FormatOption = DefaultFormatting;
    type ValueType = u64;

    fn map(&self, value: &u64, limit: (i32, i32)) -> i32 {
        let share = *value as f64 / self.top.max(1) as f64;
        limit.0 + (f64::from(limit.1 - limit.0) * share).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<u64> {
        (0..=self.top / self.step.max(1)).map(|n| n * self.step.max(1)).collect()
    }

    fn range(&self) -> Range<u64> {
        0..self.top
    }
}

/// A step of 1, 2 or 5 times a power of ten that takes 3 to 6 ticks to reach `most`, and the top tick.
fn scale(most: u64) -> (u64, u64) {
    let most = most.max(1);
    let mut power = 1_u64;
    loop {
        for factor in [1, 2, 5] {
            let step = power.saturating_mul(factor);
            if most.div_ceil(step) <= 5 {
                return (step, most.div_ceil(step).saturating_mul(step));
            }
        }
        power = power.saturating_mul(10);
    }
}

fn tick_words(at: i64, length: i64) -> String {
    let Some(at) = DateTime::<Utc>::from_timestamp(at, 0) else { return String::new() };
    let pattern = match length {
        ..=172_800 => "%H:%M",
        172_801..=40_000_000 => "%-d %b",
        _ => "%b %Y",
    };
    at.format(pattern).to_string()
}

fn span(seconds: i64) -> String {
    let plural = |n: i64, unit: &str| if n == 1 { unit.to_owned() } else { format!("{n} {unit}s") };
    match seconds {
        s if s % 86_400 == 0 => plural(s / 86_400, "day"),
        s if s % 3_600 == 0 => plural(s / 3_600, "hour"),
        s if s > 2 * 86_400 => format!("{:.1} days", s as f64 / 86_400.0),
        s if s > 2 * 3_600 => format!("{:.1} hours", s as f64 / 3_600.0),
        s if s % 60 == 0 => plural(s / 60, "minute"),
        s => plural(s, "second"),
    }
}

/// A count with its thousands apart; everything else as it is.
pub(crate) fn grouped(text: &str) -> String {
    let is_count = text.len() > 3 && text.len() < 16 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_count && !text.starts_with('0') { thousands(text) } else { text.to_owned() }
}

fn units(points: f32) -> i32 {
    (points * UNITS).round() as i32
}

fn rgb(Ink(r, g, b): Ink) -> RGBColor {
    RGBColor(r, g, b)
}

fn line(ink: Ink, width: f32) -> ShapeStyle {
    rgb(ink).stroke_width((width * UNITS).round() as u32)
}

fn label(ink: Ink) -> TextStyle<'static> {
    let size = f64::from(LABEL_PT * UNITS);
    let mut style: TextStyle<'static> = FontDesc::new(FontFamily::SansSerif, size, FontStyle::Normal).into();
    style.color = rgb(ink).to_backend_color();
    style
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use watchpost_model::overview::{Histogram, Series};

    use super::{Legend, Quantity, SERIES, coarse};

    /// Levels are not added up, whether they stand beside each other or are told in words.
    #[test]
    fn a_level_is_no_sum() {
        let counts: Vec<u64> = (0..63).map(|day| if day == 40 { 9 } else { 5 }).collect();
        let histogram = Histogram {
            start: DateTime::UNIX_EPOCH,
            bucket_s: 86_400,
            series: vec![Series::new("active", counts)],
        };
        let legend = [Legend { name: "active".to_owned(), ink: SERIES[1] }];
        let level = coarse(&histogram, Quantity::Level);
        assert!(level.counts[0].iter().all(|count| *count == 5), "the last of each pair: {:?}", level.counts);
        assert_eq!(
            level.words("Backlog", &legend),
            "Backlog, bars over time. active at first 5, at last 5; the most, 5, from 1 January 1970 00:00 UTC."
        );
        let flow = coarse(&histogram, Quantity::Flow);
        assert_eq!(flow.counts[0].iter().sum::<u64>(), 63 * 5 + 4);
        assert!(flow.words("Events", &legend).contains("active 319;"));
    }
}
