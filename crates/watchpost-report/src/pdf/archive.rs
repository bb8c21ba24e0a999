//! The pages as PDF/A-3a, by krilla: tagged, with the JSON and the CSV of the same report attached, and checked against
//! the standard by krilla before a byte is returned.

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use chrono::{DateTime, Datelike, Timelike, Utc};
use krilla::annotation::{Annotation, LinkAnnotation, Target};
use krilla::configure::{Accessibility, Archival, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::embed::{AssociationKind, EmbeddedFile, MimeType};
use krilla::geom::{Path, PathBuilder, Point, Rect};
use krilla::metadata::{self, Metadata};
use krilla::num::NormalizedF32;
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule, LineCap, LineJoin, Stroke};
use krilla::surface::Surface;
use krilla::tagging::{
    Artifact, ArtifactType, ContentTag, Identifier, Node, SpanTag, TableHeaderScope, Tag, TagGroup, TagKind,
    TagTree,
};
use krilla::text::{Font, GlyphId, KrillaGlyph};
use krilla::{Data, Document, SerializeSettings, color};

use crate::ReportError;
use crate::csv::render_csv;
use crate::document::ReportDocument;
use crate::pdf::canvas::{Belongs, Canvas, Corner, Paint, What};
use crate::pdf::fonts::{FACES, Fonts};
use crate::pdf::shape::{Glyph, RTL_FACE};
use crate::pdf::structure::{PartId, Role, Structure};
use crate::pdf::theme::{Ink, PAGE_H, PAGE_W, Type};
use crate::pdf::{GoOn, Laid, wanted};

/// What was drawn of each part, in the order of drawing.
type Leaves = BTreeMap<PartId, Vec<Identifier>>;

/// Puts the pages into an archive file.
pub(crate) fn file(
    fonts: &Fonts,
    document: &ReportDocument,
    digest: &str,
    laid: &Laid,
    go_on: GoOn<'_>,
) -> Result<Vec<u8>, ReportError> {
    let broken = |what: &str, error: &dyn std::fmt::Debug| ReportError::Pdf(format!("{what}: {error:?}"));
    let configuration = ConfigurationBuilder::new()
        .with_archival_validator(Archival::A3_A)
        .with_accessibility_validator(Accessibility::UA1)
        .finish()
        .map_err(|error| broken("the standards exclude each other", &error))?;
    let mut pdf = Document::new_with(SerializeSettings { configuration, ..SerializeSettings::default() });
    let faces = FACES
        .iter()
        .map(|(_, name, bytes)| Font::new(Data::from(*bytes), 0).ok_or(ReportError::Font(name)))
        .collect::<Result<Vec<_>, _>>()?;
    let mut leaves = Leaves::new();
    for page in &laid.pages {
        wanted(go_on)?;
        draw_page(&mut pdf, fonts, &faces, laid, page, &mut leaves)?;
    }
    let mut tree = TagTree::new().with_lang(Some("en".to_owned()));
    for id in &laid.structure.top {
        if let Some(group) = group(&laid.structure, *id, &mut leaves) {
            tree.push(group);
        }
    }
    pdf.set_tag_tree(tree);
    pdf.set_outline(outline(laid));
    pdf.set_metadata(described(fonts, document, digest));
    wanted(go_on)?;
    attach(&mut pdf, document, digest)?;
    pdf.finish().map_err(|error| broken("the archive profile", &error))
}

fn draw_page(
    pdf: &mut Document,
    fonts: &Fonts,
    faces: &[Font],
    laid: &Laid,
    page: &Canvas,
    leaves: &mut Leaves,
) -> Result<(), ReportError> {
    let size =
        PageSettings::from_wh(PAGE_W, PAGE_H).ok_or(ReportError::Pdf("the page has no size".into()))?;
    let mut sheet = pdf.start_page_with(size);
    let mut surface = sheet.surface();
    let drawn = page.drawn.iter().filter(|drawn| !matches!(drawn.what, What::Link { .. }));
    let mut open: Option<Belongs> = None;
    for drawn in drawn {
        if open != Some(drawn.belongs) {
            if open.is_some() {
                surface.end_tagged();
            }
            begin(&mut surface, drawn.belongs, &laid.structure, leaves);
            open = Some(drawn.belongs);
        }
        match &drawn.what {
            What::Text { at, text, kind } => set_text(&mut surface, fonts, faces, *at, text, *kind),
            What::Shaped { at, text, glyphs, kind } => {
                set_shaped(&mut surface, faces, *at, text, glyphs, *kind);
            }
            What::Path { corners, paint, ink } => draw_path(&mut surface, corners, *paint, *ink),
            What::Link { .. } => {}
        }
    }
    if open.is_some() {
        surface.end_tagged();
    }
    surface.finish();
    for drawn in &page.drawn {
        let What::Link { at, size, page, target_y } = drawn.what else { continue };
        let Some(rect) = Rect::from_xywh(at.0, at.1, size.0, size.1) else { continue };
        let to = XyzDestination::new(page - 1, Point::from_xy(0.0, target_y));
        let link = LinkAnnotation::new(rect, Target::Destination(to.into()));
        let annotation = Annotation::new_link(link, Some(format!("to page {page}")));
        match drawn.belongs {
            Belongs::To(part) => {
                let id = sheet.add_tagged_annotation(annotation);
                leaves.entry(part).or_default().push(id);
            }
            Belongs::Decoration | Belongs::Header | Belongs::Footer => sheet.add_annotation(annotation),
        }
    }
    sheet.finish();
    Ok(())
}

/// Begins what belongs together.
fn begin(surface: &mut Surface<'_>, belongs: Belongs, structure: &Structure, leaves: &mut Leaves) {
    let artifact = |kind| ContentTag::Artifact(Artifact::with_kind(kind));
    let part = match belongs {
        Belongs::Decoration => {
            surface.start_tagged(artifact(ArtifactType::Layout));
            return;
        }
        Belongs::Header => {
            surface.start_tagged(artifact(ArtifactType::Header));
            return;
        }
        Belongs::Footer => {
            surface.start_tagged(artifact(ArtifactType::Footer));
            return;
        }
        Belongs::To(part) => part,
    };
    let tag = match structure.parts[part.0].role {
        Role::Figure(_) => ContentTag::Other,
        _ => ContentTag::Span(SpanTag::empty()),
    };
    let id = surface.start_tagged(tag);
    leaves.entry(part).or_default().push(id);
}

/// The part with what was drawn of it and everything below; `None` if nothing was.
fn group(structure: &Structure, id: PartId, leaves: &mut Leaves) -> Option<TagGroup> {
    let part = &structure.parts[id.0];
    let mut children: Vec<Node> = leaves.remove(&id).into_iter().flatten().map(Node::from).collect();
    children
        .extend(part.children.iter().filter_map(|child| group(structure, *child, leaves)).map(Node::from));
    // A cell without text is still a cell of its row.
    if children.is_empty() && !matches!(part.role, Role::Cell | Role::Head) {
        return None;
    }
    let tag: TagKind = match &part.role {
        Role::Section => Tag::Section.into(),
        Role::Heading(level, words) => {
            let level = NonZeroU16::new(*level).unwrap_or(NonZeroU16::MIN);
            Tag::Hn(level, Some(words.clone())).into()
        }
        Role::Paragraph => Tag::P.into(),
        Role::Contents => Tag::TOC.into(),
        Role::Entry => Tag::TOCI.into(),
        Role::Link => Tag::Link.into(),
        Role::Table => Tag::Table.into(),
        Role::Caption => Tag::Caption.into(),
        Role::Heads => Tag::THead.into(),
        Role::Rows => Tag::TBody.into(),
        Role::Row => Tag::TR.into(),
        Role::Head => Tag::TH(TableHeaderScope::Column).into(),
        Role::Cell => Tag::TD.into(),
        Role::Figure(words) => Tag::Figure(Some(words.clone())).into(),
    };
    Some(TagGroup::with_children(tag, children))
}

/// The same glyphs at the same places as in the plain PDF: our own advances, no kerning.
fn set_text(
    surface: &mut Surface<'_>,
    fonts: &Fonts,
    faces: &[Font],
    (x, y): (f32, f32),
    text: &str,
    kind: Type,
) {
    surface.set_stroke(None);
    surface.set_fill(Some(fill(kind.ink)));
    let mut x = x;
    for (face, run) in fonts.runs(text, kind.face) {
        let mut glyphs = Vec::with_capacity(run.len());
        let mut width = 0.0;
        for (at, ch) in run.char_indices() {
            let (glyph, advance) = fonts.glyph(face, ch);
            let range = at..at + ch.len_utf8();
            glyphs.push(KrillaGlyph::new(GlyphId::new(glyph.into()), advance, 0.0, 0.0, 0.0, range, None));
            width += advance;
        }
        surface.draw_glyphs(
            Point::from_xy(x, y),
            &glyphs,
            faces[face as usize].clone(),
            run,
            kind.size,
            false,
        );
        x += width * kind.size;
    }
}

fn set_shaped(
    surface: &mut Surface<'_>,
    faces: &[Font],
    (x, y): (f32, f32),
    text: &str,
    glyphs: &[Glyph],
    kind: Type,
) {
    surface.set_stroke(None);
    surface.set_fill(Some(fill(kind.ink)));
    let placed: Vec<KrillaGlyph> = glyphs
        .iter()
        .map(|glyph| {
            let (dx, dy) = glyph.offset;
            KrillaGlyph::new(
                GlyphId::new(glyph.id.into()),
                glyph.advance,
                dx,
                dy,
                0.0,
                glyph.range.clone(),
                None,
            )
        })
        .collect();
    let face = faces[RTL_FACE as usize].clone();
    surface.draw_glyphs(Point::from_xy(x, y), &placed, face, text, kind.size, false);
}

fn draw_path(surface: &mut Surface<'_>, corners: &[Corner], paint: Paint, ink: Ink) {
    let closed = matches!(paint, Paint::Fill | Paint::Stroke { closed: true, .. });
    let Some(path) = path(corners, closed) else { return };
    match paint {
        Paint::Fill => {
            surface.set_stroke(None);
            surface.set_fill(Some(fill(ink)));
        }
        Paint::Stroke { width, .. } => {
            surface.set_fill(None);
            surface.set_stroke(Some(Stroke {
                paint: rgb(ink).into(),
                width,
                line_cap: LineCap::Round,
                line_join: LineJoin::Round,
                ..Stroke::default()
            }));
        }
    }
    surface.draw_path(&path);
}

fn path(corners: &[Corner], closed: bool) -> Option<Path> {
    let mut builder = PathBuilder::new();
    let (first, rest) = corners.split_first()?;
    builder.move_to(first.x, first.y);
    let mut rest = rest.iter();
    while let Some(at) = rest.next() {
        if at.handle {
            let (second, end) = (rest.next()?, rest.next()?);
            builder.cubic_to(at.x, at.y, second.x, second.y, end.x, end.y);
        } else {
            builder.line_to(at.x, at.y);
        }
    }
    if closed {
        builder.close();
    }
    builder.finish()
}

fn rgb(Ink(r, g, b): Ink) -> color::rgb::Color {
    color::rgb::Color::new(r, g, b)
}

fn fill(ink: Ink) -> Fill {
    Fill { paint: rgb(ink).into(), opacity: NormalizedF32::ONE, rule: FillRule::NonZero }
}

/// Sections on the first level, what stands in them on the second.
fn outline(laid: &Laid) -> Outline {
    let mut outline = Outline::new();
    let mut above: Option<OutlineNode> = None;
    for mark in &laid.bookmarks {
        let to = XyzDestination::new(mark.page - 1, Point::from_xy(0.0, mark.y));
        let node = OutlineNode::new(mark.name.clone(), to);
        match (&mut above, mark.below) {
            (Some(section), true) => section.push_child(node),
            (above, _) => {
                if let Some(done) = above.replace(node.with_open(true)) {
                    outline.push_child(done);
                }
            }
        }
    }
    if let Some(done) = above {
        outline.push_child(done);
    }
    outline
}

fn described(fonts: &Fonts, document: &ReportDocument, digest: &str) -> Metadata {
    let scope = &document.scope;
    Metadata::new()
        .title(fonts.drawable(&document.title))
        .description(format!("Report SHA-256 {digest}"))
        .keywords(vec![fonts.drawable(&document.framework.id), "evidence".to_owned()])
        .language("en".to_owned())
        .authors(vec![fonts.drawable(&scope.generated_by)])
        .creator(fonts.drawable(&scope.generator))
        .producer(fonts.drawable(&scope.generator))
        .creation_date(date(scope.generated_at))
        .document_id(digest.to_owned())
}

fn date(at: DateTime<Utc>) -> metadata::DateTime {
    let small = |number: u32| u8::try_from(number).unwrap_or(0);
    metadata::DateTime::new(u16::try_from(at.year()).unwrap_or(0))
        .month(small(at.month()))
        .day(small(at.day()))
        .hour(small(at.hour()))
        .minute(small(at.minute()))
        .second(small(at.second()))
        .utc_offset_hour(0)
        .utc_offset_minute(0)
}

/// The original and its rows, so that the archive copy can be checked without anything beside it.
fn attach(pdf: &mut Document, document: &ReportDocument, digest: &str) -> Result<(), ReportError> {
    let files = [
        (
            "report.json",
            "application/json",
            format!("The original of this report; its SHA-256 is {digest}"),
            AssociationKind::Source,
            document.canonical_json()?.into_bytes(),
        ),
        (
            "report.csv",
            "text/csv",
            "The rows of this report for a spreadsheet".to_owned(),
            AssociationKind::Alternative,
            render_csv(document)?,
        ),
    ];
    for (name, mime, about, association_kind, bytes) in files {
        let file = EmbeddedFile {
            path: name.to_owned(),
            mime_type: MimeType::new(mime),
            description: Some(about),
            association_kind,
            data: Data::from(bytes),
            modification_date: Some(date(document.scope.generated_at)),
            compress: Some(true),
            location: None,
        };
        pdf.embed_file(file).ok_or_else(|| ReportError::Pdf(format!("{name} is attached twice")))?;
    }
    Ok(())
}
