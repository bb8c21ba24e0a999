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
mod shape;
mod single;
mod structure;
mod table;
mod theme;

use crate::ReportError;
use crate::document::{ReportDocument, ReportKind};
use crate::pdf::canvas::{Belongs, Canvas};
use crate::pdf::flow::{Flow, Target, baseline};
use crate::pdf::fonts::Fonts;
use crate::pdf::structure::Structure;
use crate::pdf::theme::{HAIRLINE, MARGIN_X, PAGE_H, SMALL, Type, WIDTH};
use crate::wording::counted;

/// The report as a PDF file. The same document gives the same bytes.
///
/// # Errors
/// `Font` or `Chart` if a part of the program itself is broken; `Pdf` if the file cannot be put together.
pub fn render_pdf(document: &ReportDocument) -> Result<Vec<u8>, ReportError> {
    render_pdf_while(document, &|| true)
}

/// As [`render_pdf`], as long as `go_on` says so; it is asked at every page.
///
/// # Errors
/// `Stopped` if it said no, else as [`render_pdf`].
pub fn render_pdf_while(document: &ReportDocument, go_on: GoOn<'_>) -> Result<Vec<u8>, ReportError> {
    let digest = document.sha256()?;
    let fonts = Fonts::load()?;
    let laid = lay_out(&fonts, document, &digest, go_on)?;
    printed::file(&fonts, document, &digest, &laid, go_on)
}

/// The report as PDF/A-3a: the same pages, tagged for those who do not see them, with the JSON and the CSV attached.
/// The same document gives the same bytes.
///
/// # Errors
/// As [`render_pdf`]; `Pdf` also if the file would not keep the standard.
pub fn render_archive(document: &ReportDocument) -> Result<Vec<u8>, ReportError> {
    render_archive_while(document, &|| true)
}

/// As [`render_archive`], as long as `go_on` says so; it is asked at every page.
///
/// # Errors
/// `Stopped` if it said no, else as [`render_archive`].
pub fn render_archive_while(document: &ReportDocument, go_on: GoOn<'_>) -> Result<Vec<u8>, ReportError> {
    let digest = document.sha256()?;
    let fonts = Fonts::load()?;
    let laid = lay_out(&fonts, document, &digest, go_on)?;
    archive::file(&fonts, document, &digest, &laid, go_on)
}

/// Says whether the report is still wanted.
type GoOn<'g> = &'g dyn Fn() -> bool;

/// `Stopped` if the report is not wanted any more.
fn wanted(go_on: GoOn<'_>) -> Result<(), ReportError> {
    if go_on() { Ok(()) } else { Err(ReportError::Stopped) }
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

fn lay_out(
    fonts: &Fonts,
    document: &ReportDocument,
    digest: &str,
    go_on: GoOn<'_>,
) -> Result<Laid, ReportError> {
    wanted(go_on)?;
    // One page needs neither a cover nor contents.
    let short = document.kind == ReportKind::Executive;
    let mut structure = Structure::default();
    let cover = (!short).then(|| front::cover(fonts, document, digest, &mut structure));
    // The contents are read before the body and set after it, when the pages are known.
    let (contents, structure) = front::contents_part(structure, short);
    let flow = if short {
        single::page(fonts, document, go_on)?
    } else {
        let mut flow = Flow::new(fonts, structure, go_on);
        body::body(&mut flow, document)?;
        flow
    };
    if flow.stopped {
        return Err(ReportError::Stopped);
    }
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
        let foot = format!("Audit log {}, root {root}…", counted(log.size, "record"));
        // The period is said whole; the names take what is left.
        let width_of = |text: &str| fonts.width(text, SMALL.face, SMALL.size);
        let period = front::period_words(document);
        let head_left = one_line(document.title.clone(), WIDTH * 0.3);
        let room = WIDTH - width_of(&head_left) - width_of(&period) - 36.0;
        let head_right = match room >= 60.0 {
            true => format!("{}  ·  {period}", one_line(document.scope.organisation.clone(), room)),
            false => period,
        };
        Self { fonts, head_left, head_right, foot: one_line(foot, WIDTH * 0.7), digest }
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
