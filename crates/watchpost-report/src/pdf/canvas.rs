//! One page to draw on. Coordinates are points from the top left corner, y downwards; text is placed by its baseline.
//!
//! What is drawn is kept as plain operations; [`printed`](super::printed) and [`archive`](super::archive) put them into
//! files.

use crate::document::State;
use crate::pdf::fonts::{Face, Fonts};
use crate::pdf::shape::{BOX_DIGITS, BOX_PAD, Glyph, Piece, code, pieces};
use crate::pdf::structure::{PartId, Role, Structure};
use crate::pdf::theme::{Ink, Type, WHITE, state_ink};

/// How far the handles of a quarter circle reach, as a share of the radius.
const KAPPA: f32 = 0.552_285;

/// What something drawn belongs to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Belongs {
    /// To no part: lines, shades, signs beside a word, repeated heads.
    #[default]
    Decoration,
    /// The running head.
    Header,
    /// The running foot.
    Footer,
    /// To a part of the report.
    To(PartId),
}

/// A corner of a path; `handle` marks the two control points before the end of a curve.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Corner {
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) handle: bool,
}

/// How a path is painted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Paint {
    Fill,
    /// An open or closed line of a width, with round ends.
    Stroke {
        width: f32,
        closed: bool,
    },
}

/// Something on a page.
#[derive(Debug)]
pub(crate) enum What {
    /// Text with its baseline at `at`.
    Text { at: (f32, f32), text: Box<str>, kind: Type },
    /// Text from right to left: its glyphs from left to right, the first on the baseline at `at`.
    Shaped { at: (f32, f32), text: Box<str>, glyphs: Box<[Glyph]>, kind: Type },
    /// A path.
    Path { corners: Box<[Corner]>, paint: Paint, ink: Ink },
    /// An area that leads to `target_y` on `page` (counted from 1).
    Link { at: (f32, f32), size: (f32, f32), page: usize, target_y: f32 },
}

/// An operation of a page.
#[derive(Debug)]
pub(crate) struct Drawn {
    pub(crate) belongs: Belongs,
    pub(crate) what: What,
}

/// One page.
#[derive(Debug, Default)]
pub(crate) struct Canvas {
    pub(crate) drawn: Vec<Drawn>,
    /// What text belongs to from here on.
    pub(crate) belongs: Belongs,
    /// Do lines and areas belong there as well? Outside of drawings they are decoration.
    pub(crate) in_figure: bool,
}

impl Canvas {
    /// What is drawn from here on belongs to the open part.
    pub(crate) fn belong(&mut self, structure: &Structure) {
        self.belongs = structure.current().map_or(Belongs::Decoration, Belongs::To);
        self.in_figure = structure.in_figure();
    }

    /// Draws what `draw` draws as one part.
    pub(crate) fn part(&mut self, structure: &mut Structure, role: Role, draw: impl FnOnce(&mut Self)) {
        structure.open(role);
        self.belong(structure);
        draw(self);
        structure.close();
        self.belong(structure);
    }

    /// Draws `text`, which has to be drawable, with its baseline at `y`. Returns the width.
    pub(crate) fn text(&mut self, fonts: &Fonts, (x, y): (f32, f32), text: &str, kind: Type) -> f32 {
        if text.is_empty() {
            return 0.0;
        }
        let Some(pieces) = pieces(fonts, text) else {
            self.put(What::Text { at: (hundredth(x), hundredth(y)), text: text.into(), kind });
            return fonts.width(text, kind.face, kind.size);
        };
        let mut at = x;
        for piece in pieces {
            let place = (hundredth(at), hundredth(y));
            match piece {
                Piece::Plain(part) => {
                    self.put(What::Text { at: place, text: part.into(), kind });
                    at += fonts.width(part, kind.face, kind.size);
                }
                Piece::Shaped(part, glyphs) => {
                    at += glyphs.iter().map(|glyph| glyph.advance).sum::<f32>() * kind.size;
                    self.put(What::Shaped { at: place, text: part.into(), glyphs: glyphs.into(), kind });
                }
                Piece::Lacking(ch) => at += self.code_box(fonts, place, ch, kind),
            }
        }
        at - x
    }

    /// A box with the code point of a character that no font has. Returns the width.
    fn code_box(&mut self, fonts: &Fonts, (x, y): (f32, f32), ch: char, kind: Type) -> f32 {
        let digits = Type { face: Face::Mono, size: kind.size * BOX_DIGITS, ..kind };
        let text = code(ch);
        let (pad, height) = (kind.size * BOX_PAD, kind.size * 0.66);
        let width = fonts.width(&text, digits.face, digits.size) + 4.0 * pad;
        let (left, right, top, bottom) =
            (x + pad, x + width - pad, y + kind.size * 0.06 - height, y + kind.size * 0.06);
        self.outline(
            &[(left, top), (right, top), (right, bottom), (left, bottom)],
            kind.size * 0.05,
            kind.ink,
        );
        let baseline = y - (height - kind.size * 0.12) / 2.0 + digits.size * 0.35;
        self.put(What::Text {
            at: (hundredth(left + pad), hundredth(baseline)),
            text: text.into(),
            kind: digits,
        });
        width
    }

    fn put(&mut self, what: What) {
        self.drawn.push(Drawn { belongs: self.belongs, what });
    }

    /// Draws `text` so that it ends at `x`.
    pub(crate) fn text_right(&mut self, fonts: &Fonts, (x, y): (f32, f32), text: &str, kind: Type) -> f32 {
        let width = fonts.width(text.trim_end(), kind.face, kind.size);
        self.text(fonts, (x - width, y), text, kind)
    }

    /// A filled rectangle.
    pub(crate) fn fill_rect(&mut self, (x, y): (f32, f32), (w, h): (f32, f32), ink: Ink) {
        self.polygon(&[(x, y), (x + w, y), (x + w, y + h), (x, y + h)], ink);
    }

    /// A filled polygon.
    pub(crate) fn polygon(&mut self, corners: &[(f32, f32)], ink: Ink) {
        self.path(straight(corners), Paint::Fill, ink);
    }

    /// An open line through `corners`.
    pub(crate) fn polyline(&mut self, corners: &[(f32, f32)], width: f32, ink: Ink) {
        self.path(straight(corners), Paint::Stroke { width, closed: false }, ink);
    }

    /// A closed outline through `corners`.
    pub(crate) fn outline(&mut self, corners: &[(f32, f32)], width: f32, ink: Ink) {
        self.path(straight(corners), Paint::Stroke { width, closed: true }, ink);
    }

    /// A horizontal hairline.
    pub(crate) fn rule(&mut self, (x, y): (f32, f32), width: f32, weight: f32, ink: Ink) {
        self.polyline(&[(x, y), (x + width, y)], weight, ink);
    }

    /// A filled circle.
    pub(crate) fn disc(&mut self, centre: (f32, f32), radius: f32, ink: Ink) {
        self.path(circle(centre, radius), Paint::Fill, ink);
    }

    /// A circle.
    pub(crate) fn ring(&mut self, centre: (f32, f32), radius: f32, width: f32, ink: Ink) {
        self.path(circle(centre, radius), Paint::Stroke { width, closed: true }, ink);
    }

    /// A part of the page that leads to `page` (counted from 1) at `target_y` from its top.
    pub(crate) fn link(&mut self, at: (f32, f32), size: (f32, f32), page: usize, target_y: f32) {
        self.drawn.push(Drawn { belongs: self.belongs, what: What::Link { at, size, page, target_y } });
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

    /// A bar of a state: each in a pattern of its own, so that it reads in grey.
    pub(crate) fn state_bar(&mut self, (x, y): (f32, f32), (w, h): (f32, f32), state: State) {
        let ink = state_ink(state);
        let line = 0.8_f32;
        match state {
            State::Fail => self.fill_rect((x, y), (w, h), ink),
            State::Warn => {
                self.fill_rect((x, y), (w, h), ink);
                let mut at = x + 1.5;
                while at + 1.6 + h <= x + w {
                    self.polygon(&[(at, y + h), (at + 1.6, y + h), (at + 1.6 + h, y), (at + h, y)], WHITE);
                    at += 5.0;
                }
            }
            State::NoData | State::Manual => {
                let inner = (w - line).max(0.1);
                let (left, top) = (x + line / 2.0, y + line / 2.0);
                let (right, bottom) = (left + inner, y + h - line / 2.0);
                self.outline(&[(left, top), (right, top), (right, bottom), (left, bottom)], line, ink);
                let mut at = left + 3.0;
                while state == State::Manual && at < right {
                    self.polyline(&[(at, top), (at, bottom)], line, ink);
                    at += 3.0;
                }
            }
            State::Pass => {
                self.fill_rect((x, y), (w, h), ink);
                self.fill_rect((x, y + h * 0.36), (w, h * 0.28), WHITE);
            }
        }
    }

    fn path(&mut self, corners: Box<[Corner]>, paint: Paint, ink: Ink) {
        let belongs = match self.belongs {
            Belongs::To(_) if !self.in_figure => Belongs::Decoration,
            belongs => belongs,
        };
        self.drawn.push(Drawn { belongs, what: What::Path { corners, paint, ink } });
    }
}

/// Rounded to hundredths of a point: finer is invisible and makes the file larger.
fn hundredth(value: f32) -> f32 {
    (value * 100.0).round() / 100.0
}

fn corner(x: f32, y: f32, handle: bool) -> Corner {
    Corner { x: hundredth(x), y: hundredth(y), handle }
}

fn straight(corners: &[(f32, f32)]) -> Box<[Corner]> {
    corners.iter().map(|(x, y)| corner(*x, *y, false)).collect()
}

fn circle((x, y): (f32, f32), r: f32) -> Box<[Corner]> {
    let k = r * KAPPA;
    let on = |dx: f32, dy: f32| corner(x + dx, y + dy, false);
    let off = |dx: f32, dy: f32| corner(x + dx, y + dy, true);
    Box::new([
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
    ])
}
