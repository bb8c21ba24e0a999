//! Tables: measured columns, wrapped cells, a head on each page, rows never split.

use crate::pdf::flow::{Flow, baseline};
use crate::pdf::theme::{BOTTOM, CELL, HAIRLINE, INK, LABEL, MARGIN_X, SMALL, WIDTH, ZEBRA};

const PAD_X: f32 = 5.0;
const PAD_Y: f32 = 3.4;
/// No column is squeezed below this, unless there are too many of them for the page.
const COLUMN_MIN: f32 = 34.0;
/// No column asks for more than this while another has less.
const COLUMN_WANTED_MAX: f32 = 230.0;
/// More lines in one cell are cut: a row must fit on a page.
const LINES_MAX: usize = 40;
/// More lines in one head are cut: it is repeated on each page.
const HEAD_LINES_MAX: usize = 5;
/// Rows that decide the widths of the columns; the widest of more would hardly differ.
const SAMPLE: usize = 2_000;

struct Column {
    x: f32,
    width: f32,
    right: bool,
}

/// Sets a table of texts from outside under its caption, which has to be drawable. Shape: every row is at least as long as `columns`; what is longer is not drawn.
pub(crate) fn table(flow: &mut Flow<'_>, caption: &str, columns: &[String], rows: &[Vec<String>]) {
    if columns.is_empty() {
        return;
    }
    let heads: Vec<String> = columns.iter().map(|name| flow.fonts.drawable(name)).collect();
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().take(columns.len()).map(|cell| flow.fonts.drawable(cell)).collect())
        .collect();
    let layout = measure(flow, &heads, &cells);
    let first = cells.first().map_or(0.0, |row| row_height(&wrapped(flow, row, &layout)));
    flow.need(SMALL.leading + 3.0 + head_height(flow, &heads, &layout) + first + 2.0);
    flow.line(caption, SMALL, MARGIN_X);
    flow.y += 3.0;
    head(flow, &heads, &layout);
    for (index, row) in cells.iter().enumerate() {
        let lines = wrapped(flow, row, &layout);
        let height = row_height(&lines);
        if flow.y + height > BOTTOM {
            close(flow);
            flow.new_page();
            head(flow, &heads, &layout);
        }
        draw_row(flow, &lines, &layout, height, index % 2 == 1);
    }
    close(flow);
}

fn measure(flow: &Flow<'_>, heads: &[String], cells: &[Vec<String>]) -> Vec<Column> {
    let n = heads.len() as f32;
    let floor = COLUMN_MIN.min(WIDTH / n);
    let wide = |text: &str| flow.fonts.width(text, CELL.face, CELL.size) + 2.0 * PAD_X + 0.5;
    let least: Vec<f32> = heads
        .iter()
        .map(|head| {
            let word = head
                .split(' ')
                .map(|word| flow.fonts.width(word, LABEL.face, LABEL.size))
                .fold(0.0, f32::max);
            (word + 2.0 * PAD_X + 0.5).clamp(floor, WIDTH / n)
        })
        .collect();
    let wanted: Vec<f32> = (0..heads.len())
        .map(|column| {
            let widest = cells.iter().take(SAMPLE).filter_map(|row| row.get(column)).map(|cell| wide(cell));
            let head = flow.fonts.width(&heads[column], LABEL.face, LABEL.size) + 2.0 * PAD_X + 0.5;
            widest.fold(head, f32::max).min(COLUMN_WANTED_MAX).max(least[column])
        })
        .collect();
    let total: f32 = wanted.iter().sum();
    let widths: Vec<f32> = if total <= WIDTH {
        // What is left over goes to the columns by what they hold, so that the table fills the measure.
        wanted.iter().map(|width| width + (WIDTH - total) * width / total).collect()
    } else {
        // Short columns keep what they want; the long ones share the rest.
        shrink(&wanted, &least)
    };
    let mut x = MARGIN_X;
    widths
        .into_iter()
        .enumerate()
        .map(|(column, width)| {
            let numbers = !cells.is_empty()
                && cells.iter().all(|row| row.get(column).is_some_and(|cell| is_number(cell)));
            let placed = Column { x, width, right: numbers };
            x += width;
            placed
        })
        .collect()
}

/// Takes width from the widest columns first, down to what each needs at least, until the table fits.
fn shrink(wanted: &[f32], least: &[f32]) -> Vec<f32> {
    let fits = |cap: f32| {
        wanted.iter().zip(least).map(|(want, least)| want.min(cap.max(*least))).sum::<f32>() <= WIDTH
    };
    let (mut low, mut high) = (0.0, WIDTH);
    for _ in 0..30 {
        let middle = f32::midpoint(low, high);
        if fits(middle) { low = middle } else { high = middle }
    }
    let widths: Vec<f32> = wanted.iter().zip(least).map(|(want, least)| want.min(low.max(*least))).collect();
    let total: f32 = widths.iter().sum();
    widths.iter().map(|width| width * WIDTH / total).collect()
}

/// A count, an amount or a share: digits with separators, perhaps a sign in front and a percent sign behind.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text).trim_end_matches([' ', '%']);
    !digits.is_empty()
        && digits.len() < 16
        && digits.starts_with(|ch: char| ch.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b',')
        && digits.matches('.').count() < 2
}

fn wrapped(flow: &Flow<'_>, row: &[String], layout: &[Column]) -> Vec<Vec<String>> {
    row.iter()
        .zip(layout)
        .map(|(cell, column)| {
            let mut lines = flow.fonts.wrap(cell, CELL.face, CELL.size, column.width - 2.0 * PAD_X);
            if lines.len() > LINES_MAX {
                flow.fonts.note_cut();
                lines.truncate(LINES_MAX);
                lines.push("…".to_owned());
            }
            lines
        })
        .collect()
}

fn row_height(lines: &[Vec<String>]) -> f32 {
    lines.iter().map(Vec::len).max().unwrap_or(1) as f32 * CELL.leading + 2.0 * PAD_Y
}

fn head_lines(flow: &Flow<'_>, heads: &[String], layout: &[Column]) -> Vec<Vec<String>> {
    heads
        .iter()
        .zip(layout)
        .map(|(head, column)| {
            let mut lines = flow.fonts.wrap(head, LABEL.face, LABEL.size, column.width - 2.0 * PAD_X);
            if lines.len() > HEAD_LINES_MAX {
                lines.truncate(HEAD_LINES_MAX);
                lines.push("…".to_owned());
            }
            lines
        })
        .collect()
}

fn head_height(flow: &Flow<'_>, heads: &[String], layout: &[Column]) -> f32 {
    let lines = head_lines(flow, heads, layout).iter().map(Vec::len).max().unwrap_or(1);
    lines as f32 * LABEL.leading + 2.0 * PAD_Y
}

fn head(flow: &mut Flow<'_>, heads: &[String], layout: &[Column]) {
    let lines = head_lines(flow, heads, layout);
    let height = head_height(flow, heads, layout);
    let (fonts, top) = (flow.fonts, flow.y);
    let page = flow.page();
    page.rule((MARGIN_X, top), WIDTH, 0.9, INK);
    for (cell, column) in lines.iter().zip(layout) {
        for (n, line) in cell.iter().enumerate() {
            let y = baseline(top + PAD_Y + n as f32 * LABEL.leading, LABEL);
            if column.right {
                page.text_right(fonts, (column.x + column.width - PAD_X, y), line, LABEL);
            } else {
                page.text(fonts, (column.x + PAD_X, y), line, LABEL);
            }
        }
    }
    page.rule((MARGIN_X, top + height), WIDTH, 0.4, INK);
    flow.y += height;
}

fn draw_row(flow: &mut Flow<'_>, lines: &[Vec<String>], layout: &[Column], height: f32, shaded: bool) {
    let (fonts, top) = (flow.fonts, flow.y);
    let page = flow.page();
    if shaded {
        page.fill_rect((MARGIN_X, top), (WIDTH, height), ZEBRA);
    }
    for (cell, column) in lines.iter().zip(layout) {
        for (n, line) in cell.iter().enumerate() {
            let y = baseline(top + PAD_Y + n as f32 * CELL.leading, CELL);
            if column.right {
                page.text_right(fonts, (column.x + column.width - PAD_X, y), line, CELL);
            } else {
                page.text(fonts, (column.x + PAD_X, y), line, CELL);
            }
        }
    }
    flow.y += height;
}

fn close(flow: &mut Flow<'_>) {
    let y = flow.y;
    flow.page().rule((MARGIN_X, y), WIDTH, 0.5, HAIRLINE);
}
