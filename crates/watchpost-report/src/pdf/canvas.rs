//! One page to draw on. Coordinates are points from the top left corner, y downwards; text is placed by its baseline.

use printpdf::{
    Actions, BorderArray, Color, Destination, Line, LineCapStyle, LineJoinStyle, LinePoint, LinkAnnotation,
    Op, PaintMode, PdfFontHandle, Point, Polygon, PolygonRing, Pt, Rect, Rgb, TextItem, WindingOrder,
};

use crate::document::State;
use crate::pdf::fonts::Fonts;
use crate::pdf::theme::{Ink, PAGE_H, Type, WHITE, state_ink};

/// How far the handles of a quarter circle reach, as a share of the radius.
const KAPPA: f32 = 0.552_285;

/// The operations of one page.
#[derive(Debug, Default)]
pub(crate) struct Canvas {
    pub(crate) ops: Vec<Op>,
}

impl Canvas {
    /// Draws `text`, which has to be drawable, with its baseline at `y`. Returns the width.
    pub(crate) fn text(&mut self, fonts: &Fonts, (x, y): (f32, f32), text: &str, kind: Type) -> f32 {
        if text.is_empty() {
            return 0.0;
        }
        self.ops.push(Op::StartTextSection);
        self.ops.push(Op::SetFillColor { col: color(kind.ink) });
        self.ops.push(Op::SetTextCursor { pos: point(x, y) });
        for (face, run) in fonts.runs(text, kind.face) {
            self.ops.push(Op::SetFont { font: PdfFontHandle::External(face.id()), size: Pt(kind.size) });
            self.ops.push(Op::ShowText { items: vec![TextItem::Text(run.to_owned())] });
        }
        self.ops.push(Op::EndTextSection);
        fonts.width(text, kind.face, kind.size)
    }

    /// Draws `text` so that it ends at `x`.
    pub(crate) fn text_right(&mut self, fonts: &Fonts, (x, y): (f32, f32), text: &str, kind: Type) -> f32 {
        let width = fonts.width(text, kind.face, kind.size);
        self.text(fonts, (x - width, y), text, kind)
    }

    /// A filled rectangle.
    pub(crate) fn fill_rect(&mut self, (x, y): (f32, f32), (w, h): (f32, f32), ink: Ink) {
        self.polygon(&[(x, y), (x + w, y), (x + w, y + h), (x, y + h)], ink);
    }

    /// A filled polygon.
    pub(crate) fn polygon(&mut self, corners: &[(f32, f32)], ink: Ink) {
        let points = corners.iter().map(|(x, y)| LinePoint { p: point(*x, *y), bezier: false }).collect();
        self.fill_ring(points, ink);
    }

    /// An open line through `corners`.
    pub(crate) fn polyline(&mut self, corners: &[(f32, f32)], width: f32, ink: Ink) {
        let points = corners.iter().map(|(x, y)| LinePoint { p: point(*x, *y), bezier: false }).collect();
        self.stroke(points, false, width, ink);
    }

    /// A closed outline through `corners`.
    pub(crate) fn outline(&mut self, corners: &[(f32, f32)], width: f32, ink: Ink) {
        let points = corners.iter().map(|(x, y)| LinePoint { p: point(*x, *y), bezier: false }).collect();
        self.stroke(points, true, width, ink);
    }

    /// A horizontal hairline.
    pub(crate) fn rule(&mut self, (x, y): (f32, f32), width: f32, weight: f32, ink: Ink) {
        self.polyline(&[(x, y), (x + width, y)], weight, ink);
    }

    /// A filled circle.
    pub(crate) fn disc(&mut self, centre: (f32, f32), radius: f32, ink: Ink) {
        self.fill_ring(circle(centre, radius), ink);
    }

    /// A circle.
    pub(crate) fn ring(&mut self, centre: (f32, f32), radius: f32, width: f32, ink: Ink) {
        self.stroke(circle(centre, radius), true, width, ink);
    }

    /// A part of the page that leads to `page` (counted from 1) at `y` from its top.
    pub(crate) fn link(&mut self, (x, y): (f32, f32), (w, h): (f32, f32), page: usize, target_y: f32) {
        let rect = Rect::from_xywh(Pt(x), Pt(PAGE_H - y - h), Pt(w), Pt(h));
        let to = Destination::Xyz { page, left: None, top: Some(PAGE_H - target_y), zoom: None };
        let link = LinkAnnotation::new(
            rect,
            Actions::go_to(to),
            Some(BorderArray::Solid([0.0, 0.0, 0.0])),
            None,
            None,
        );
        self.ops.push(Op::LinkAnnotation { link });
    }

    /// The sign of a state, of diameter `size` around `centre`: a shape of its own each, so that it reads in grey.
    pub(crate) fn state_mark(&mut self, (x, y): (f32, f32), size: f32, state: State) {
        let ink = state_ink(state);
        let r = size / 2.0;
        let line = size * 0.13;
        match state {
            State::Pass => {
                self.disc((x, y), r, ink);
                let tick = [
                    (x - r * 0.46, y + r * 0.04),
                    (x - r * 0.12, y + r * 0.38),
                    (x + r * 0.48, y - r * 0.36),
                ];
                self.polyline(&tick, line, WHITE);
            }
            State::Warn => {
                self.polygon(&[(x, y - r), (x + r * 1.1, y + r * 0.88), (x - r * 1.1, y + r * 0.88)], ink);
                self.polyline(&[(x, y - r * 0.3), (x, y + r * 0.25)], line, WHITE);
                self.disc((x, y + r * 0.57), line * 0.6, WHITE);
            }
            State::Fail => {
                let s = r * 0.92;
                self.polygon(&[(x - s, y - s), (x + s, y - s), (x + s, y + s), (x - s, y + s)], ink);
                let c = r * 0.4;
                self.polyline(&[(x - c, y - c), (x + c, y + c)], line, WHITE);
                self.polyline(&[(x - c, y + c), (x + c, y - c)], line, WHITE);
            }
            State::NoData => {
                self.ring((x, y), r - line * 0.5, line, ink);
                self.polyline(&[(x - r * 0.4, y), (x + r * 0.4, y)], line, ink);
            }
            State::Manual => {
                self.outline(&[(x, y - r), (x + r, y), (x, y + r), (x - r, y)], line, ink);
                self.disc((x, y), line * 0.8, ink);
            }
        }
    }

    fn fill_ring(&mut self, points: Vec<LinePoint>, ink: Ink) {
        self.ops.push(Op::SetFillColor { col: color(ink) });
        let polygon = Polygon {
            rings: vec![PolygonRing { points }],
            mode: PaintMode::Fill,
            winding_order: WindingOrder::NonZero,
        };
        self.ops.push(Op::DrawPolygon { polygon });
    }

    fn stroke(&mut self, points: Vec<LinePoint>, is_closed: bool, width: f32, ink: Ink) {
        self.ops.push(Op::SetOutlineColor { col: color(ink) });
        self.ops.push(Op::SetOutlineThickness { pt: Pt(width) });
        self.ops.push(Op::SetLineCapStyle { cap: LineCapStyle::Round });
        self.ops.push(Op::SetLineJoinStyle { join: LineJoinStyle::Round });
        self.ops.push(Op::DrawLine { line: Line { points, is_closed } });
    }
}

fn color(Ink(r, g, b): Ink) -> Color {
    let part = |value: u8| f32::from(value) / 255.0;
    Color::Rgb(Rgb::new(part(r), part(g), part(b), None))
}

/// Rounded to hundredths of a point: finer is invisible and makes the file larger.
fn point(x: f32, y: f32) -> Point {
    let round = |value: f32| (value * 100.0).round() / 100.0;
    Point { x: Pt(round(x)), y: Pt(round(PAGE_H - y)) }
}

fn circle((x, y): (f32, f32), r: f32) -> Vec<LinePoint> {
    let k = r * KAPPA;
    let on = |dx: f32, dy: f32| LinePoint { p: point(x + dx, y + dy), bezier: false };
    let off = |dx: f32, dy: f32| LinePoint { p: point(x + dx, y + dy), bezier: true };
    vec![
        on(r, 0.0),
        off(r, k),
        off(k, r),
        on(0.0, r),
        off(-k, r),
        off(-r, k),
        on(-r, 0.0),
        off(-r, -k),
        off(-k, -r),
        on(0.0, -r),
        off(k, -r),
        off(r, -k),
        on(r, 0.0),
    ]
}
