//! The report as PDF: A4, embedded subset fonts, vector charts with real text, contents with links, bookmarks.
//!
//! Nothing here computes a figure; what is not in the document is not in the PDF.

mod backend;
mod body;
mod canvas;
mod control;
mod flow;
mod fonts;
mod front;
mod plots;
mod table;
mod theme;

use printpdf::{Mm, OffsetDateTime, PageAnnotId, PageAnnotation, PdfDocument, PdfPage, PdfSaveOptions};

use crate::ReportError;
use crate::document::{ReportDocument, ReportKind};
use crate::pdf::canvas::Canvas;
use crate::pdf::flow::{Flow, Target, baseline};
use crate::pdf::fonts::Fonts;
use crate::pdf::plots::thousands;
use crate::pdf::theme::{HAIRLINE, MARGIN_X, PAGE_H, SMALL, Type, WIDTH};

/// The report as a PDF file. The same document gives the same bytes.
///
/// # Errors
/// `Font` or `Chart` if a part of the program itself is broken; `Pdf` if the file cannot be put together.
pub fn render_pdf(document: &ReportDocument) -> Result<Vec<u8>, ReportError> {
    let digest = document.sha256()?;
    let fonts = Fonts::load()?;
    let mut flow = Flow::new(&fonts);
    body::body(&mut flow, document)?;
    let Flow { pages: body_pages, marks, .. } = flow;

    // One page needs neither a cover nor contents.
    let short = document.kind == ReportKind::Executive;
    let before = if short { 0 } else { 1 + front::contents_pages(marks.len()) };
    let mut pages = Vec::with_capacity(before + body_pages.len());
    if !short {
        pages.push(front::cover(&fonts, document, &digest));
        pages.extend(front::contents(&fonts, document, &marks, before));
    }
    pages.extend(body_pages);
    let n_pages = pages.len();
    let frame = Frame::new(&fonts, document, &digest);
    for (index, page) in pages.iter_mut().enumerate().skip(usize::from(!short)) {
        frame.draw(page, index + 1, n_pages);
    }

    let mut pdf = PdfDocument::new(&fonts.drawable(&document.title));
    describe(&mut pdf, &fonts, document, &digest);
    pdf.resources.fonts.map = fonts.resources();
    pdf.pages = pages.into_iter().map(|page| PdfPage::new(Mm(210.0), Mm(297.0), page.ops)).collect();
    for (index, mark) in marks.iter().enumerate() {
        let name = match mark.target {
            Target::Section(title) => title.to_owned(),
            Target::Part(index) => fonts.drawable(&document.sections[index].title),
            Target::Control(control) => {
                let control = &document.controls[control];
                fonts.drawable(&format!("{} {} ({})", control.id, control.title, control.state.title()))
            }
        };
        let annotation = PageAnnotation { name, page: before + mark.page + 1 };
        pdf.bookmarks.map.insert(PageAnnotId(format!("{index:06}")), annotation);
    }
    save(&pdf, &digest)
}

fn describe(pdf: &mut PdfDocument, fonts: &Fonts, document: &ReportDocument, digest: &str) {
    let info = &mut pdf.metadata.info;
    info.author = fonts.drawable(&document.scope.generated_by);
    info.creator = fonts.drawable(&document.scope.generator);
    info.producer = fonts.drawable(&document.scope.generator);
    info.subject = format!("Report SHA-256 {digest}");
    info.identifier = digest.to_owned();
    info.keywords = vec![fonts.drawable(&document.framework.id), "evidence".to_owned()];
    if let Ok(at) = OffsetDateTime::from_unix_timestamp(document.scope.generated_at.timestamp()) {
        (info.creation_date, info.modification_date, info.metadata_date) = (at, at, at);
    }
}

/// Puts the file together. Its id comes from the digest instead of from chance, and its language is declared.
fn save(pdf: &PdfDocument, digest: &str) -> Result<Vec<u8>, ReportError> {
    let mut file = pdf.to_lopdf_document(&PdfSaveOptions::default(), &mut Vec::new());
    let broken = |error: &dyn std::fmt::Display| ReportError::Pdf(error.to_string());
    let ids = file.trailer.get_mut(b"ID").and_then(|id| id.as_array_mut()).map_err(|error| broken(&error))?;
    for id in ids {
        let text = id.as_str_mut().map_err(|error| broken(&error))?;
        *text = digest.as_bytes()[..32].to_vec();
    }
    file.catalog_mut().map_err(|error| broken(&error))?.set("Lang", "en".to_owned());
    file.compress();
    let mut bytes = Vec::new();
    file.save_to(&mut bytes).map_err(|error| broken(&error))?;
    Ok(bytes)
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
        page.text(self.fonts, (MARGIN_X, 52.0), &self.head_left, SMALL);
        page.text_right(self.fonts, (right, 52.0), &self.head_right, SMALL);
        page.rule((MARGIN_X, 61.0), WIDTH, 0.5, HAIRLINE);
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
