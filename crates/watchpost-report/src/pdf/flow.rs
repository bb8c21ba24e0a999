//! Running text over pages: a cursor, page breaks, headings that stay with what follows.

use crate::pdf::canvas::Canvas;
use crate::pdf::fonts::Fonts;
use crate::pdf::theme::{BOTTOM, MARGIN_X, TOP, Type, WIDTH};

/// How far above the baseline a line begins, as a share of the type size.
const ASCENT: f32 = 0.78;

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
    /// The top of the next line.
    pub(crate) y: f32,
}

impl<'f> Flow<'f> {
    pub(crate) fn new(fonts: &'f Fonts) -> Self {
        Self { fonts, pages: vec![Canvas::default()], marks: Vec::new(), y: TOP }
    }

    /// The page being set.
    pub(crate) fn page(&mut self) -> &mut Canvas {
        self.pages.last_mut().expect("a flow starts with a page and never drops one")
    }

    /// Is nothing on this page yet?
    pub(crate) fn at_top(&self) -> bool {
        self.y <= TOP
    }

    /// Turns the page unless it is empty.
    pub(crate) fn new_page(&mut self) {
        if !self.at_top() {
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
        self.column(text, kind, MARGIN_X, WIDTH);
    }

    /// Sets a drawable text in a column, over pages where needed; no line alone at the end of a page.
    pub(crate) fn column(&mut self, text: &str, kind: Type, x: f32, width: f32) {
        let lines = self.fonts.wrap(text, kind.face, kind.size, width);
        self.need(kind.leading * lines.len().min(2) as f32);
        for line in lines {
            self.need(kind.leading);
            self.line(&line, kind, x);
        }
    }

    /// Sets one line and moves below it.
    pub(crate) fn line(&mut self, text: &str, kind: Type, x: f32) {
        let (fonts, baseline) = (self.fonts, baseline(self.y, kind));
        self.page().text(fonts, (x, baseline), text, kind);
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
