//! Running text over pages: a cursor, page breaks, headings that stay with what follows.

use crate::pdf::GoOn;
use crate::pdf::canvas::Canvas;
use crate::pdf::fonts::Fonts;
use crate::pdf::structure::{Role, Structure};
use crate::pdf::theme::{BOTTOM, MARGIN_X, TOP, Type, WIDTH};

/// How far above the baseline a line begins, as a share of the type size.
const ASCENT: f32 = 0.78;

/// More lines in one cell are cut: a row must fit on a page.
const CELL_LINES_MAX: usize = 40;

/// A place that the contents and the bookmarks lead to.
#[derive(Debug, Clone)]
pub(crate) struct Mark {
    /// Index among the body pages, from 0.
    pub(crate) page: usize,
    /// From the top of that page.
    pub(crate) y: f32,
    /// What it leads to.
    pub(crate) target: Target,
}

/// What a mark leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// A section, by its title.
    Section(&'static str),
    /// A part of the document that is no control, by its index.
    Part(usize),
    /// A control, by its index in the document.
    Control(usize),
}

/// The body of the report while it is set.
pub(crate) struct Flow<'f> {
    pub(crate) fonts: &'f Fonts,
    pub(crate) pages: Vec<Canvas>,
    pub(crate) marks: Vec<Mark>,
    pub(crate) structure: Structure,
    /// The level of the last heading.
    level: u16,
    /// The top of the next line.
    pub(crate) y: f32,
    /// Where running text and charts begin.
    pub(crate) left: f32,
    /// How wide they are.
    pub(crate) width: f32,
    /// More lines in the cell of a table are cut.
    pub(crate) cell_lines: usize,
    go_on: GoOn<'f>,
    /// Is the report not wanted any more? What is not set yet is left out; nobody sees it.
    pub(crate) stopped: bool,
}

impl<'f> Flow<'f> {
    /// A body whose parts come after those of `structure`.
    pub(crate) fn new(fonts: &'f Fonts, structure: Structure, go_on: GoOn<'f>) -> Self {
        Self {
            fonts,
            pages: vec![Canvas::default()],
            marks: Vec::new(),
            structure,
            level: 1,
            y: TOP,
            left: MARGIN_X,
            width: WIDTH,
            cell_lines: CELL_LINES_MAX,
            go_on,
            stopped: false,
        }
    }

    /// The page being set. What is drawn on it belongs to the part that is open.
    pub(crate) fn page(&mut self) -> &mut Canvas {
        let page = self.pages.last_mut().expect("a flow starts with a page and never drops one");
        page.belong(&self.structure);
        page
    }

    /// Sets what `set` sets as one part.
    pub(crate) fn part<T>(&mut self, role: Role, set: impl FnOnce(&mut Self) -> T) -> T {
        self.structure.open(role);
        let done = set(self);
        self.structure.close();
        done
    }

    /// Sets running text as a paragraph, unless it stands in a part that holds text already.
    pub(crate) fn text_part<T>(&mut self, set: impl FnOnce(&mut Self) -> T) -> T {
        match self.structure.current() {
            Some(_) => set(self),
            None => self.part(Role::Paragraph, set),
        }
    }

    /// Sets a drawable text as a heading of a level, from 1. No level is left out on the way down: those who have the
    /// page read to them would look for what is missing, and PDF/UA forbids it.
    pub(crate) fn heading(&mut self, level: u16, text: &str, kind: Type) {
        let level = level.min(self.level + 1);
        self.level = level;
        self.part(Role::Heading(level, text.to_owned()), |flow| flow.paragraph(text, kind));
    }

    /// Is nothing on this page yet?
    pub(crate) fn at_top(&self) -> bool {
        self.y <= TOP
    }

    /// Turns the page unless it is empty.
    pub(crate) fn new_page(&mut self) {
        if !self.at_top() {
            self.stopped |= !(self.go_on)();
            self.pages.push(Canvas::default());
            self.y = TOP;
        }
    }

    /// Turns the page if less than `height` is left.
    pub(crate) fn need(&mut self, height: f32) {
        if self.y + height > BOTTOM {
            self.new_page();
        }
    }

    /// Leaves a gap, which a page break swallows.
    pub(crate) fn gap(&mut self, height: f32) {
        if !self.at_top() {
            self.y += height;
        }
    }

    /// Notes that `target` begins here.
    pub(crate) fn mark(&mut self, target: Target) {
        self.marks.push(Mark { page: self.pages.len() - 1, y: (self.y - 14.0).max(0.0), target });
    }

    /// Sets a drawable text over the whole measure.
    pub(crate) fn paragraph(&mut self, text: &str, kind: Type) {
        self.column(text, kind, self.left, self.width);
    }

    /// Sets what `set` sets in a column of the page.
    pub(crate) fn within<T>(&mut self, left: f32, width: f32, set: impl FnOnce(&mut Self) -> T) -> T {
        let measure = (self.left, self.width);
        (self.left, self.width) = (left, width);
        let done = set(self);
        (self.left, self.width) = measure;
        done
    }

    /// Sets a drawable text in a column, over pages where needed; no line alone at the end of a page.
    pub(crate) fn column(&mut self, text: &str, kind: Type, x: f32, width: f32) {
        let lines = self.fonts.wrap(text, kind.face, kind.size, width);
        self.need(kind.leading * lines.len().min(2) as f32);
        self.text_part(|flow| {
            let last = lines.len().saturating_sub(1);
            for (index, line) in lines.iter().enumerate() {
                // The last line does not stand alone at the top of a page either.
                flow.need(kind.leading * if index + 1 == last && last > 1 { 2.0 } else { 1.0 });
                flow.line(line, kind, x);
            }
        });
    }

    /// Sets one line and moves below it.
    pub(crate) fn line(&mut self, text: &str, kind: Type, x: f32) {
        let (fonts, baseline) = (self.fonts, baseline(self.y, kind));
        self.text_part(|flow| flow.page().text(fonts, (x, baseline), text, kind));
        self.y += kind.leading;
    }

    /// How high a text would be in a column.
    pub(crate) fn height(&self, text: &str, kind: Type, width: f32) -> f32 {
        kind.leading * self.fonts.wrap(text, kind.face, kind.size, width).len() as f32
    }
}

/// The baseline of a line whose top is at `top`.
pub(crate) fn baseline(top: f32, kind: Type) -> f32 {
    top + (kind.leading - kind.size) / 2.0 + kind.size * ASCENT + kind.size * 0.06
}
