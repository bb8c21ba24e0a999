//! The pages as a plain PDF, by printpdf.

use printpdf::{
    Actions, BorderArray, Codepoint, Color, Destination, Line, LineCapStyle, LineJoinStyle, LinePoint,
    LinkAnnotation, Mm, OffsetDateTime, Op, PageAnnotId, PageAnnotation, PaintMode, PdfDocument,
    PdfFontHandle, PdfPage, PdfSaveOptions, Point, Polygon, PolygonRing, Pt, Rect, Rgb, TextItem,
    WindingOrder,
};

use crate::ReportError;
use crate::document::ReportDocument;
use crate::pdf::canvas::{Canvas, Corner, Paint, What};
use crate::pdf::fonts::Fonts;
use crate::pdf::shape::{Glyph, RTL_FACE};
use crate::pdf::theme::{Ink, PAGE_H, Type};
use crate::pdf::{GoOn, Laid, wanted};

/// Puts the pages into a file. Its id comes from the digest instead of from chance, and its language is declared.
pub(crate) fn file(
    fonts: &Fonts,
    document: &ReportDocument,
    digest: &str,
    laid: &Laid,
    go_on: GoOn<'_>,
) -> Result<Vec<u8>, ReportError> {
    let mut pdf = PdfDocument::new(&fonts.drawable(&document.title));
    describe(&mut pdf, fonts, document, digest);
    pdf.resources.fonts.map = fonts.resources();
    for page in &laid.pages {
        wanted(go_on)?;
        pdf.pages.push(PdfPage::new(Mm(210.0), Mm(297.0), operations(fonts, page)));
    }
    for (index, mark) in laid.bookmarks.iter().enumerate() {
        let annotation = PageAnnotation { name: mark.name.clone(), page: mark.page };
        pdf.bookmarks.map.insert(PageAnnotId(format!("{index:06}")), annotation);
    }
    wanted(go_on)?;
    save(&pdf, digest)
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

fn save(pdf: &PdfDocument, digest: &str) -> Result<Vec<u8>, ReportError> {
    let mut file = pdf.to_lopdf_document(&PdfSaveOptions::default(), &mut Vec::new());
    let broken = |error: &dyn std::fmt::Display| ReportError::Pdf(error.to_string());
    let ids = file.trailer.get_mut(b"ID").and_then(|id| id.as_array_mut()).map_err(|error| broken(&error))?;
    for id in ids {
        let text = id.as_str_mut().map_err(|error| broken(&error))?;
        *text = digest.as_bytes()[..32].to_vec();
    }
    // The library says "PDF/X" without a version; it is none.
    let info =
        file.trailer.get(b"Info").and_then(|info| info.as_reference()).map_err(|error| broken(&error))?;
    let info = file.get_dictionary_mut(info).map_err(|error| broken(&error))?;
    info.remove(b"GTS_PDFXVersion");
    file.catalog_mut().map_err(|error| broken(&error))?.set("Lang", "en".to_owned());
    file.compress();
    let mut bytes = Vec::new();
    file.save_to(&mut bytes).map_err(|error| broken(&error))?;
    Ok(bytes)
}

fn operations(fonts: &Fonts, page: &Canvas) -> Vec<Op> {
    let mut ops = Vec::with_capacity(page.drawn.len() * 6);
    for drawn in &page.drawn {
        match &drawn.what {
            What::Text { at, text, kind } => set_text(&mut ops, fonts, *at, text, *kind),
            What::Shaped { at, text, glyphs, kind } => set_shaped(&mut ops, fonts, *at, text, glyphs, *kind),
            What::Path { corners, paint, ink } => path(&mut ops, corners, *paint, *ink),
            What::Link { at, size, page, target_y } => {
                let rect = Rect::from_xywh(Pt(at.0), Pt(PAGE_H - at.1 - size.1), Pt(size.0), Pt(size.1));
                let to =
                    Destination::Xyz { page: *page, left: None, top: Some(PAGE_H - target_y), zoom: None };
                let border = Some(BorderArray::Solid([0.0, 0.0, 0.0]));
                let link = LinkAnnotation::new(rect, Actions::go_to(to), border, None, None);
                ops.push(Op::LinkAnnotation { link });
            }
        }
    }
    ops
}

fn set_text(ops: &mut Vec<Op>, fonts: &Fonts, (x, y): (f32, f32), text: &str, kind: Type) {
    ops.push(Op::StartTextSection);
    ops.push(Op::SetFillColor { col: color(kind.ink) });
    ops.push(Op::SetTextCursor { pos: point(x, y) });
    for (face, run) in fonts.runs(text, kind.face) {
        ops.push(Op::SetFont { font: PdfFontHandle::External(face.id()), size: Pt(kind.size) });
        ops.push(Op::ShowText { items: vec![TextItem::Text(run.to_owned())] });
    }
    ops.push(Op::EndTextSection);
}

/// Glyphs at their places. Marks above and below stand where the font has them; the file format could not lift them here.
fn set_shaped(
    ops: &mut Vec<Op>,
    fonts: &Fonts,
    (x, y): (f32, f32),
    text: &str,
    glyphs: &[Glyph],
    kind: Type,
) {
    ops.push(Op::StartTextSection);
    ops.push(Op::SetFillColor { col: color(kind.ink) });
    ops.push(Op::SetTextCursor { pos: point(x, y) });
    ops.push(Op::SetFont { font: PdfFontHandle::External(RTL_FACE.id()), size: Pt(kind.size) });
    let mut items = Vec::with_capacity(glyphs.len());
    for glyph in glyphs {
        let words = text.get(glyph.range.clone()).unwrap_or_default();
        let own = fonts.glyph_advance(RTL_FACE, glyph.id);
        // Thousandths of an em to the left.
        let before = -glyph.offset.0 * 1_000.0;
        let after = (own - glyph.advance + glyph.offset.0) * 1_000.0;
        if before != 0.0 {
            items.push(TextItem::Offset(before));
        }
        items.push(TextItem::GlyphIds(vec![Codepoint::with_cid(glyph.id, after.round(), words.to_owned())]));
    }
    ops.push(Op::ShowText { items });
    ops.push(Op::EndTextSection);
}

fn path(ops: &mut Vec<Op>, corners: &[Corner], paint: Paint, ink: Ink) {
    let points =
        corners.iter().map(|at| LinePoint { p: point(at.x, at.y), bezier: at.handle }).collect::<Vec<_>>();
    match paint {
        Paint::Fill => {
            ops.push(Op::SetFillColor { col: color(ink) });
            let polygon = Polygon {
                rings: vec![PolygonRing { points }],
                mode: PaintMode::Fill,
                winding_order: WindingOrder::NonZero,
            };
            ops.push(Op::DrawPolygon { polygon });
        }
        Paint::Stroke { width, closed } => {
            ops.push(Op::SetOutlineColor { col: color(ink) });
            ops.push(Op::SetOutlineThickness { pt: Pt(width) });
            ops.push(Op::SetLineCapStyle { cap: LineCapStyle::Round });
            ops.push(Op::SetLineJoinStyle { join: LineJoinStyle::Round });
            ops.push(Op::DrawLine { line: Line { points, is_closed: closed } });
        }
    }
}

fn color(Ink(r, g, b): Ink) -> Color {
    let part = |value: u8| f32::from(value) / 255.0;
    Color::Rgb(Rgb::new(part(r), part(g), part(b), None))
}

fn point(x: f32, y: f32) -> Point {
    Point { x: Pt(x), y: Pt(((PAGE_H - y) * 100.0).round() / 100.0) }
}
