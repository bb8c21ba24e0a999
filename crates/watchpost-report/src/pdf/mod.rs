//! The report as PDF: A4, embedded subset fonts, vector charts with real text, contents with links, bookmarks.
//!
//! Nothing here computes a figure; what is not in the document is not in the PDF.

mod archive;
mod backend;
mod body;
mod canvas;
mod control;
mod flow;
mod fonts;
mod front;
mod plots;
mod printed;
mod single;
mod structure;
mod table;
mod theme;

use crate::ReportError;
use crate::document::{ReportDocument, ReportKind};
use crate::pdf::canvas::{Belongs, Canvas};
use crate::pdf::flow::{Flow, Target, baseline};
use crate::pdf::fonts::Fonts;
use crate::pdf::plots::thousands;
use crate::pdf::structure::Structure;
use crate::pdf::theme::{HAIRLINE, MARGIN_X, PAGE_H, SMALL, Type, WIDTH};

/// The report as a PDF file. The same document gives the same bytes.
///
/// # Errors
/// `Font` or `Chart` if a part of the program itself is broken; `Pdf` if the file cannot be put together.
pub fn render_pdf(document: &ReportDocument) -> Result<Vec<u8>, ReportError> {
    let digest = document.sha256()?;
    let fonts = Fonts::load()?;
    let laid = lay_out(&fonts, document, &digest)?;
    printed::file(&fonts, document, &digest, &laid)
}

/// The report as PDF/A-3a: the same pages, tagged for those who do not see them, with the JSON and the CSV attached.
/// The same document gives the same bytes.
///
/// # Errors
/// As [`render_pdf`]; `Pdf` also if the file would not keep the standard.
pub fn render_archive(document: &ReportDocument) -> Result<Vec<u8>, ReportError> {
    let digest = document.sha256()?;
    let fonts = Fonts::load()?;
    let laid = lay_out(&fonts, document, &digest)?;
    archive::file(&fonts, document, &digest, &laid)
}

/// The pages, what their parts are, and where the bookmarks lead: everything that a file is made of.
struct Laid {
    pages: Vec<Canvas>,
    structure: Structure,
    bookmarks: Vec<Bookmark>,
}

/// A line of the reader's side bar.
struct Bookmark {
    name: String,
    /// Counted from 1.
    page: usize,
    /// From the top of the page.
    y: f32,
    /// Does it stand below the one before that does not?
    below: bool,
}

fn lay_out(fonts: &Fonts, document: &ReportDocument, digest: &str) -> Result<Laid, ReportError> {
    // One page needs neither a cover nor contents.
    let short = document.kind == ReportKind::Executive;
    let mut structure = Structure::default();
    let cover = (!short).then(|| front::cover(fonts, document, digest, &mut structure));
    // The contents are read before the body and set after it, when the pages are known.
    let (contents, structure) = front::contents_part(structure, short);
    let flow = if short {
        single::page(fonts, document)?
    } else {
        let mut flow = Flow::new(fonts, structure);
        body::body(&mut flow, document)?;
        flow
    };
    let Flow { pages: body_pages, marks, mut structure, .. } = flow;
    let before = if short { 0 } else { 1 + front::contents_pages(marks.len()) };
    let mut pages = Vec::with_capacity(before + body_pages.len());
    pages.extend(cover);
    if let Some(part) = contents {
        pages.extend(front::contents(fonts, document, &marks, before, (&mut structure, part)));
    }
    pages.extend(body_pages);
    let n_pages = pages.len();
    let frame = Frame::new(fonts, document, digest);
    for (index, page) in pages.iter_mut().enumerate().skip(usize::from(!short)) {
        frame.draw(page, index + 1, n_pages);
    }
    let bookmarks = marks
        .iter()
        .map(|mark| Bookmark {
            name: match mark.target {
                Target::Section(title) => title.to_owned(),
                Target::Part(index) => fonts.drawable(&document.sections[index].title),
                Target::Control(control) => {
                    let control = &document.controls[control];
                    fonts.drawable(&format!("{} {} ({})", control.id, control.title, control.state.title()))
                }
            },
            page: before + mark.page + 1,
            y: mark.y,
            below: matches!(mark.target, Target::Control(_)),
        })
        .collect();
    Ok(Laid { pages, structure, bookmarks })
}

/// The running head and foot of every page but the cover.
struct Frame<'f> {
    fonts: &'f Fonts,
    head_left: String,
    head_right: String,
    foot: String,
    digest: &'f str,
}

impl<'f> Frame<'f> {
    fn new(fonts: &'f Fonts, document: &ReportDocument, digest: &'f str) -> Self {
        let one_line = |text: String, width: f32| {
            let mut lines = fonts.wrap(&fonts.drawable(&text), SMALL.face, SMALL.size, width);
            if lines.len() > 1 {
                // The mark has to fit as well.
                while fonts.width(&lines[0], SMALL.face, SMALL.size) + SMALL.size > width
                    && lines[0].pop().is_some()
                {}
                lines[0] = format!("{}…", lines[0].trim_end_matches([' ', '·', ',']));
            }
            lines.swap_remove(0)
        };
        let log = &document.scope.log;
        let root: String = log.root.chars().take(24).collect();
        let foot = format!("Audit log {} records, root {root}…", thousands(log.size));
        Self {
            fonts,
            head_left: one_line(document.title.clone(), WIDTH * 0.42),
            head_right: one_line(
                format!("{}  ·  {}", document.scope.organisation, front::period_words(document)),
                WIDTH * 0.55,
            ),
            foot: one_line(foot, WIDTH * 0.7),
            digest,
        }
    }

    fn draw(&self, page: &mut Canvas, number: usize, total: usize) {
        let right = MARGIN_X + WIDTH;
        (page.belongs, page.in_figure) = (Belongs::Header, false);
        page.text(self.fonts, (MARGIN_X, 52.0), &self.head_left, SMALL);
        page.text_right(self.fonts, (right, 52.0), &self.head_right, SMALL);
        page.rule((MARGIN_X, 61.0), WIDTH, 0.5, HAIRLINE);
        page.belongs = Belongs::Footer;
        let foot = PAGE_H - 52.0;
        let tiny = Type { size: 6.8, ..SMALL };
        page.rule((MARGIN_X, foot - 13.0), WIDTH, 0.5, HAIRLINE);
        page.text(self.fonts, (MARGIN_X, baseline(foot - 9.0, tiny)), &self.foot, tiny);
        page.text(
            self.fonts,
            (MARGIN_X, baseline(foot + 0.6, tiny)),
            &format!("Report SHA-256 {}", self.digest),
            tiny,
        );
        page.text_right(
            self.fonts,
            (right, baseline(foot - 9.0, SMALL)),
            &format!("page {number} of {total}"),
            SMALL,
        );
    }
}
