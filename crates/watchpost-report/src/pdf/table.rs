//! Tables: measured columns, wrapped cells, a head on each page, rows never split.

use crate::pdf::flow::{Flow, baseline};
use crate::pdf::fonts::is_instant;
use crate::pdf::front::clipped;
use crate::pdf::structure::Role;
use crate::pdf::theme::{BODY, BOTTOM, CELL, HAIRLINE, INK, LABEL, MARGIN_X, SMALL, Type, WIDTH, ZEBRA};

const PAD_X: f32 = 5.0;
const PAD_Y: f32 = 3.4;
/// No column is squeezed below this, unless there are too many of them for the page.
const COLUMN_MIN: f32 = 34.0;
/// No column asks for more than this while another has less.
const COLUMN_WANTED_MAX: f32 = 230.0;
/// Room to write a decision by hand.
const BY_HAND: f32 = 72.0;
/// More lines in one head are cut: it is repeated on each page.
const HEAD_LINES_MAX: usize = 5;
/// Rows that decide the widths of the columns; the widest of more would hardly differ.
const SAMPLE: usize = 2_000;

/// A token up to this wide is not broken: an instant, an address, a number.
const TOKEN_MAX: f32 = 100.0;
/// A table that asks for little is not stretched over the page: the eye would lose the row.
const STRETCH_MAX: f32 = 1.5;
/// From this many columns on, those that say the same in every row are set into the caption,
const CROWDED: usize = 7;
/// if there are this many rows,
const SAME_MIN: usize = 3;
/// and it is short.
const SAME_CHARS_MAX: usize = 40;
/// Rows that decide between the ways to lay a table out.
const TRIED: usize = 150;
/// A column that is filled in one of so many rows is sparse.
const SPARSE: usize = 5;
/// So many rows of a table stay with its head,
const FIRST: usize = 3;
/// or as many as are this high,
const FIRST_ENOUGH: f32 = 45.0;
/// and so many of a long one do not stand alone at the top of its last page.
const LAST: usize = 5;
/// A table of no more rows is not broken,
const TOGETHER: usize = 6;
/// if they are no higher than this.
const TOGETHER_MAX: f32 = 190.0;
/// How much smaller the type of a crowded table is.
const SMALLER: f32 = 0.86;
/// Words for people, in the type of the running text.
const PROSE: Type = Type { size: 8.0, leading: 10.8, ..BODY };

/// What is folded below a row.
const BELOW: Type = Type { size: 7.4, leading: 10.6, ..SMALL };

struct Column {
    /// Which cell of a row.
    index: usize,
    x: f32,
    width: f32,
    right: bool,
    kind: Type,
}

struct Layout {
    columns: Vec<Column>,
    width: f32,
    /// What has no room beside the others stands below them in each row, with its head: which cell, and its head.
    folded: Vec<(usize, String)>,
}

/// A table that is measured but not set.
pub(crate) struct Measured {
    caption: String,
    heads: Vec<String>,
    cells: Vec<Vec<String>>,
    layout: Layout,
    /// How high the caption, the head and the first rows are.
    pub(crate) start: f32,
    /// The first of the last rows, which stay together.
    tail: usize,
}

/// Sets a table of texts from outside under its caption, which has to be drawable. Shape: every row is at least as long as
/// `columns`; what is longer is not drawn. Columns without a single text are named instead of drawn.
pub(crate) fn table(flow: &mut Flow<'_>, caption: &str, columns: &[String], rows: &[Vec<String>]) {
    if let Some(measured) = measured(flow, caption, columns, rows) {
        set(flow, &measured);
    }
}

/// Measures a table as [`table`] sets it; nothing without columns.
pub(crate) fn measured(
    flow: &Flow<'_>,
    caption: &str,
    columns: &[String],
    rows: &[Vec<String>],
) -> Option<Measured> {
    if columns.is_empty() {
        return None;
    }
    let heads: Vec<String> = columns.iter().map(|name| flow.fonts.drawable(name)).collect();
    let mut cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().take(columns.len()).map(|cell| flow.fonts.drawable(cell)).collect())
        .collect();
    let times = plain_times(&mut cells, columns.len());
    let layout = measure(flow, &heads, &cells, &times);
    let mut caption = with_left_out(caption, &heads, &cells, &layout);
    if times.contains(&true) {
        caption = format!("{caption}  ·  times are UTC");
    }
    let height_of = |row: &Vec<String>| row_height(&tried(flow, row, &layout), &layout);
    // A short table stays together; of a long one the first rows stay with the head, the last ones together.
    let heights: Vec<f32> = cells.iter().take(TOGETHER).map(height_of).collect();
    let mut first: f32 = heights.iter().sum();
    if cells.len() > TOGETHER || first > TOGETHER_MAX {
        first = 0.0;
        for height in heights.iter().take(FIRST) {
            first += if first < FIRST_ENOUGH { *height } else { 0.0 };
        }
    }
    let n_last = if cells.len() >= 2 * LAST { LAST } else { FIRST };
    let mut tail = cells.len().saturating_sub(n_last);
    if cells[tail..].iter().map(height_of).sum::<f32>() > TOGETHER_MAX {
        tail = cells.len();
    }
    let start = flow.height(&caption, SMALL, WIDTH) + 3.0 + head_height(flow, &heads, &layout) + first + 2.0;
    Some(Measured { caption, heads, cells, layout, start, tail })
}

/// Sets a table that was measured.
pub(crate) fn set(flow: &mut Flow<'_>, table: &Measured) {
    let Measured { caption, heads, cells, layout, start, tail } = table;
    flow.need(*start);
    flow.structure.open(Role::Table);
    flow.part(Role::Caption, |flow| flow.paragraph(caption, SMALL));
    flow.y += 3.0;
    head(flow, heads, layout, false);
    flow.structure.open(Role::Rows);
    let mut n_here = 0;
    for (index, row) in cells.iter().enumerate() {
        if flow.stopped {
            break;
        }
        let lines = wrapped(flow, row, layout);
        let height = row_height(&lines, layout);
        let mut needed = height;
        if index == *tail && n_here > 0 {
            needed = cells[index..].iter().map(|row| row_height(&tried(flow, row, layout), layout)).sum();
        }
        if flow.y + needed > BOTTOM {
            close(flow, layout);
            flow.new_page();
            head(flow, heads, layout, true);
            n_here = 0;
        }
        draw_row(flow, &lines, layout, height, index % 2 == 1);
        n_here += 1;
    }
    flow.structure.close();
    flow.structure.close();
    close(flow, layout);
}

/// Writes the instants of each column that holds nothing else as a day and a time apart, and says which columns these are.
fn plain_times(cells: &mut [Vec<String>], n_columns: usize) -> Vec<bool> {
    (0..n_columns)
        .map(|index| {
            let mut filled =
                cells.iter().filter_map(|row| row.get(index)).filter(|cell| !cell.is_empty()).peekable();
            let are_times =
                filled.peek().is_some() && filled.all(|cell| is_instant(cell) && cell.ends_with('Z'));
            for cell in cells
                .iter_mut()
                .filter_map(|row| row.get_mut(index))
                .filter(|cell| are_times && !cell.is_empty())
            {
                let (day, time) = cell.trim_end_matches('Z').split_at(10);
                *cell = format!("{day} {}", time.trim_start_matches('T'));
            }
            are_times
        })
        .collect()
}

/// The caption with what is not drawn as columns: the empty ones by name, the others with what stands in every row.
fn with_left_out(caption: &str, heads: &[String], cells: &[Vec<String>], layout: &Layout) -> String {
    let (mut empty, mut constant) = (Vec::new(), Vec::new());
    for (index, head) in heads.iter().enumerate() {
        let is_folded = layout.folded.iter().any(|(folded, _)| *folded == index);
        if is_folded || layout.columns.iter().any(|column| column.index == index) {
            continue;
        }
        match cells.first().and_then(|row| row.get(index)).filter(|cell| !cell.is_empty()) {
            Some(cell) => constant.push(format!("{head} {cell}")),
            None => empty.push(head.as_str()),
        }
    }
    let mut words = caption.to_owned();
    if !constant.is_empty() {
        words = format!("{words}  ·  in every row: {}", constant.join(", "));
    }
    if !empty.is_empty() {
        words = format!("{words}  ·  empty: {}", empty.join(", "));
    }
    words
}

/// A way to lay a table out.
#[derive(Clone, Copy)]
struct Way {
    /// Of the type.
    scale: f32,
    /// May the day and the time of an instant stand on two lines?
    two_lines: bool,
    /// How many of the last columns go below the others.
    n_folded: usize,
}

/// How many columns of a crowded table say something in few of the rows only.
fn n_sparse(heads: &[String], cells: &[Vec<String>]) -> usize {
    let (mut sparse, mut all) = (0, 0);
    for index in 0..heads.len() {
        let n = n_filled(cells, index);
        all += usize::from(n > 0);
        sparse += usize::from(n > 0 && index >= 2 && n * SPARSE <= cells.len());
    }
    if all >= CROWDED { sparse } else { 0 }
}

fn n_filled(cells: &[Vec<String>], index: usize) -> usize {
    cells.iter().filter_map(|row| row.get(index)).filter(|cell| !cell.is_empty()).count()
}

/// Columns for the measure, in the way that takes the least height. What reads worse has to save something. Where nothing
/// fits, the last columns go below the others.
fn measure(flow: &Flow<'_>, heads: &[String], cells: &[Vec<String>], times: &[bool]) -> Layout {
    let mut best: Option<(f32, Layout)> = None;
    let sparse = n_sparse(heads, cells);
    let folding = if sparse > 0 { &[0, sparse][..] } else { &[0] };
    let ways = [(1.0, false, 1.0), (1.0, true, 1.1), (SMALLER, false, 1.15), (SMALLER, true, 1.35)];
    for ((scale, two_lines, price), n_folded) in
        ways.into_iter().flat_map(|way| folding.iter().map(move |n_folded| (way, *n_folded)))
    {
        let (layout, fits) = measure_at(flow, heads, cells, times, Way { scale, two_lines, n_folded });
        if !fits {
            continue;
        }
        let rows = cells.iter().take(TRIED);
        let height: f32 = rows.map(|row| row_height(&tried(flow, row, &layout), &layout)).sum();
        if best.as_ref().is_none_or(|(least, _)| height * price < *least) {
            best = Some((height * price, layout));
        }
        // Every row on one line: nothing is to be gained.
        if height <= (CELL.leading + 2.0 * PAD_Y + 0.1) * cells.len().min(TRIED) as f32 {
            break;
        }
    }
    if let Some((_, layout)) = best {
        return layout;
    }
    for n_folded in 1..heads.len().saturating_sub(2) {
        for two_lines in [false, true] {
            let (layout, fits) =
                measure_at(flow, heads, cells, times, Way { scale: 1.0, two_lines, n_folded });
            if fits {
                return layout;
            }
        }
    }
    measure_at(flow, heads, cells, times, Way { scale: SMALLER, two_lines: true, n_folded: 0 }).0
}

fn measure_at(
    flow: &Flow<'_>,
    heads: &[String],
    cells: &[Vec<String>],
    times: &[bool],
    way: Way,
) -> (Layout, bool) {
    let column_of = |index: usize| cells.iter().filter_map(move |row| row.get(index));
    let filled = |index: &usize| cells.is_empty() || column_of(*index).any(|cell| !cell.is_empty());
    // A column to be filled in by hand stays, however empty.
    let by_hand = |index: &usize| heads[*index] == "decision";
    let mut drawn: Vec<usize> = (0..heads.len()).filter(|index| filled(index) || by_hand(index)).collect();
    if drawn.len() >= CROWDED && cells.len() >= SAME_MIN {
        // What every row repeats is said once.
        let first = |index: usize| cells[0].get(index).filter(|cell| cell.chars().count() <= SAME_CHARS_MAX);
        let same = |index: &usize| {
            first(*index).is_some_and(|cell| cells.iter().all(|row| row.get(*index) == Some(cell)))
        };
        let varied: Vec<usize> =
            drawn.iter().copied().filter(|index| by_hand(index) || !same(index)).collect();
        if varied.len() >= 2 {
            drawn = varied;
        }
    }
    // The first columns say what a row is about; a column to be filled in by hand needs its own room.
    let n_kept = drawn.len().saturating_sub(way.n_folded).max(2);
    let mut folded = Vec::new();
    if drawn.len() > n_kept {
        // The emptiest first, of equals the last.
        let behind = drawn[2..].iter().rev().copied().filter(|index| !by_hand(index));
        let mut order: Vec<(usize, usize)> = behind.map(|index| (n_filled(cells, index), index)).collect();
        order.sort_by_key(|(n, _)| if n * SPARSE <= cells.len() { *n } else { usize::MAX });
        order.truncate(drawn.len() - n_kept);
        drawn.retain(|index| !order.iter().any(|(_, below)| below == index));
        folded.extend(order.into_iter().map(|(_, index)| (index, heads[index].clone())));
        folded.sort_unstable();
    }
    let n = drawn.len().max(1) as f32;
    let floor = COLUMN_MIN.min(WIDTH / n);
    let kinds: Vec<Type> = drawn
        .iter()
        .map(|index| kind_of(column_of(*index).take(SAMPLE)))
        .map(|kind| Type { size: kind.size * way.scale, ..kind })
        .collect();
    let pad = 2.0 * PAD_X + 0.5;
    let head_width = |text: &str| flow.fonts.width(text, LABEL.face, LABEL.size) + pad;
    let mut least = Vec::with_capacity(drawn.len());
    let mut wanted = Vec::with_capacity(drawn.len());
    for (index, kind) in drawn.iter().zip(&kinds) {
        let wide = |text: &str| flow.fonts.width(text, kind.face, kind.size) + pad;
        let mut whole = head_width(&heads[*index]);
        let mut token = heads[*index].split(' ').map(head_width).fold(0.0, f32::max);
        for cell in column_of(*index).take(SAMPLE) {
            whole = whole.max(wide(cell));
            let parts = cell.split(' ').map(|part| match way.two_lines && is_instant(part) {
                true => wide(&part[..11]),
                false => wide(part),
            });
            // A day and its time stand on one line, or deliberately on two, and are never broken.
            let longest = if times[*index] && !way.two_lines {
                wide(cell)
            } else {
                parts.filter(|width| *width <= TOKEN_MAX).fold(0.0, f32::max)
            };
            token = token.max(longest);
        }
        if by_hand(index) {
            whole = whole.max(BY_HAND);
            token = token.max(BY_HAND);
        }
        let token = token.clamp(floor, TOKEN_MAX.max(floor));
        least.push(token);
        wanted.push(whole.min(COLUMN_WANTED_MAX).max(token));
    }
    let total: f32 = wanted.iter().sum();
    let fits = least.iter().sum::<f32>() <= WIDTH;
    let widths: Vec<f32> = if total <= WIDTH {
        // What is left over goes to the columns by what they hold.
        let factor = (WIDTH / total).min(STRETCH_MAX);
        wanted.iter().map(|width| width * factor).collect()
    } else {
        // Short columns keep what they want; the long ones share the rest.
        shrink(&wanted, &least)
    };
    let mut x = MARGIN_X;
    let columns: Vec<Column> = drawn
        .into_iter()
        .zip(widths)
        .zip(kinds)
        .map(|((index, width), kind)| {
            let right = !cells.is_empty()
                && cells.iter().all(|row| row.get(index).is_some_and(|cell| is_number(cell)));
            let placed = Column { index, x, width, right, kind };
            x += width;
            placed
        })
        .collect();
    (Layout { columns, width: x - MARGIN_X, folded }, fits)
}

/// Words are set as words, everything that is compared letter by letter in the mono.
fn kind_of<'c>(cells: impl Iterator<Item = &'c String>) -> Type {
    let (mut words, mut all) = (0_usize, 0_usize);
    for cell in cells.filter(|cell| !cell.is_empty()) {
        all += 1;
        let letters = cell.split(' ').filter(|word| word.chars().all(char::is_alphabetic)).count();
        words += usize::from(letters >= 2);
    }
    if words * 2 > all { PROSE } else { CELL }
}

/// Takes width from the widest columns first, down to what each needs at least, until the table fits.
fn shrink(wanted: &[f32], least: &[f32]) -> Vec<f32> {
    if least.iter().sum::<f32>() > WIDTH {
        // Not even what should not be broken has room: the longest is broken first.
        return shrink(least, &vec![0.0; least.len()]);
    }
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

/// As [`wrapped`], without counting what is cut.
fn tried(flow: &Flow<'_>, row: &[String], layout: &Layout) -> Vec<Vec<String>> {
    let counted = (flow.fonts.substituted(), flow.fonts.cut());
    let lines = wrapped(flow, row, layout);
    flow.fonts.forget_since(counted);
    lines
}

fn wrapped(flow: &Flow<'_>, row: &[String], layout: &Layout) -> Vec<Vec<String>> {
    let mut lines: Vec<Vec<String>> = layout
        .columns
        .iter()
        .map(|column| {
            let cell = row.get(column.index).map_or("", String::as_str);
            let kind = column.kind;
            clipped(flow.fonts, cell, kind, column.width - 2.0 * PAD_X, flow.cell_lines)
        })
        .collect();
    if !layout.folded.is_empty() {
        let said: Vec<String> = layout
            .folded
            .iter()
            .filter_map(|(index, head)| Some((head, row.get(*index).filter(|cell| !cell.is_empty())?)))
            .map(|(head, cell)| format!("{head} {cell}"))
            .collect();
        let said = said.join("  ·  ");
        // A row in which nothing of it is known has no such lines.
        lines.push(match said.is_empty() {
            true => Vec::new(),
            false => clipped(flow.fonts, &said, BELOW, layout.width - 2.0 * PAD_X, flow.cell_lines),
        });
    }
    lines
}

/// The cells, and below them what is folded: the lines behind those of the columns.
fn row_height(lines: &[Vec<String>], layout: &Layout) -> f32 {
    let below = lines.get(layout.columns.len()).map_or(0, Vec::len) as f32 * BELOW.leading;
    cells_height(lines, layout) + below + 2.0 * PAD_Y
}

fn cells_height(lines: &[Vec<String>], layout: &Layout) -> f32 {
    let heights =
        lines.iter().zip(&layout.columns).map(|(cell, column)| cell.len() as f32 * column.kind.leading);
    heights.fold(CELL.leading, f32::max)
}

fn head_lines(flow: &Flow<'_>, heads: &[String], layout: &Layout) -> Vec<Vec<String>> {
    layout
        .columns
        .iter()
        .map(|column| {
            let width = column.width - 2.0 * PAD_X;
            let mut lines = flow.fonts.wrap(&heads[column.index], LABEL.face, LABEL.size, width);
            if lines.len() > HEAD_LINES_MAX {
                lines.truncate(HEAD_LINES_MAX);
                lines.push("…".to_owned());
            }
            lines
        })
        .collect()
}

fn head_height(flow: &Flow<'_>, heads: &[String], layout: &Layout) -> f32 {
    let lines = head_lines(flow, heads, layout).iter().map(Vec::len).max().unwrap_or(1);
    lines as f32 * LABEL.leading + 2.0 * PAD_Y
}

/// The head of the table; a repeated one is decoration for those who hear the table instead of seeing it.
fn head(flow: &mut Flow<'_>, heads: &[String], layout: &Layout, repeated: bool) {
    let lines = head_lines(flow, heads, layout);
    let height = head_height(flow, heads, layout);
    let top = flow.y;
    flow.page().rule((MARGIN_X, top), layout.width, 0.9, INK);
    if repeated {
        for (cell, column) in lines.iter().zip(&layout.columns) {
            set_cell(flow, cell, column, top, LABEL);
        }
    } else {
        flow.structure.open(Role::Heads);
        flow.structure.open(Role::Row);
        for (cell, column) in lines.iter().zip(&layout.columns) {
            flow.part(Role::Head, |flow| set_cell(flow, cell, column, top, LABEL));
        }
        flow.structure.close();
        flow.structure.close();
    }
    flow.page().rule((MARGIN_X, top + height), layout.width, 0.4, INK);
    flow.y += height;
}

fn draw_row(flow: &mut Flow<'_>, lines: &[Vec<String>], layout: &Layout, height: f32, shaded: bool) {
    let top = flow.y;
    if shaded {
        flow.page().fill_rect((MARGIN_X, top), (layout.width, height), ZEBRA);
    }
    flow.structure.open(Role::Row);
    let n_columns = layout.columns.len();
    for (n, (cell, column)) in lines.iter().zip(&layout.columns).enumerate() {
        flow.part(Role::Cell, |flow| {
            set_cell(flow, cell, column, top, column.kind);
            // What is folded is heard with the last cell.
            if let Some(below) = lines.get(n_columns).filter(|_| n + 1 == n_columns) {
                let mut y = top + PAD_Y + cells_height(lines, layout);
                let fonts = flow.fonts;
                for line in below {
                    flow.page().text(fonts, (MARGIN_X + PAD_X, baseline(y, BELOW)), line, BELOW);
                    y += BELOW.leading;
                }
            }
        });
    }
    flow.structure.close();
    flow.y += height;
}

fn set_cell(flow: &mut Flow<'_>, lines: &[String], column: &Column, top: f32, kind: Type) {
    let fonts = flow.fonts;
    let page = flow.page();
    // One line of words stands on the same baseline as one line in the mono.
    let shift = if kind.face == PROSE.face { (CELL.leading - PROSE.leading) / 2.0 } else { 0.0 };
    for (n, line) in lines.iter().enumerate() {
        let y = baseline(top + PAD_Y + shift + n as f32 * kind.leading, kind);
        if column.right {
            page.text_right(fonts, (column.x + column.width - PAD_X, y), line, kind);
        } else {
            page.text(fonts, (column.x + PAD_X, y), line, kind);
        }
    }
}

fn close(flow: &mut Flow<'_>, layout: &Layout) {
    let y = flow.y;
    flow.page().rule((MARGIN_X, y), layout.width, 0.5, HAIRLINE);
}
