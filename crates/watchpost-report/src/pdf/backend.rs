//! plotters drawing onto a page: lines, areas and real text, no pixels.

use std::convert::Infallible;

use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind, FontStyle,
};

use crate::pdf::canvas::Canvas;
use crate::pdf::fonts::{Face, Fonts};
use crate::pdf::theme::{Ink, Type};

/// plotters counts in whole units; a point is this many, so that nothing visible is lost to rounding.
pub(crate) const UNITS: f32 = 20.0;

/// A part of a page as plotters sees it. Rotated text is not supported and not used: it is drawn upright.
pub(crate) struct PageBackend<'a> {
    pub(crate) canvas: &'a mut Canvas,
    pub(crate) fonts: &'a Fonts,
    /// Top left corner, in points.
    pub(crate) origin: (f32, f32),
    /// In points.
    pub(crate) size: (f32, f32),
}

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

impl PageBackend<'_> {
    fn at(&self, (x, y): BackendCoord) -> (f32, f32) {
        (self.origin.0 + x as f32 / UNITS, self.origin.1 + y as f32 / UNITS)
    }
}

impl DrawingBackend for PageBackend<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        ((self.size.0 * UNITS) as u32, (self.size.1 * UNITS) as u32)
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, at: BackendCoord, color: BackendColor) -> Drawn {
        if let Some(ink) = ink(color) {
            let at = self.at(at);
            self.canvas.fill_rect(at, (1.0 / UNITS, 1.0 / UNITS), ink);
        }
        Ok(())
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Drawn {
        self.draw_path([from, to], style)
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn {
        if let Some(ink) = ink(style.color()) {
            let corners: Vec<(f32, f32)> = path.into_iter().map(|corner| self.at(corner)).collect();
            self.canvas.polyline(&corners, style.stroke_width() as f32 / UNITS, ink);
        }
        Ok(())
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        upper_left: BackendCoord,
        bottom_right: BackendCoord,
        style: &S,
        fill: bool,
    ) -> Drawn {
        let Some(ink) = ink(style.color()) else { return Ok(()) };
        let ((x0, y0), (x1, y1)) = (self.at(upper_left), self.at(bottom_right));
        if fill {
            self.canvas.fill_rect((x0, y0), (x1 - x0, y1 - y0), ink);
        } else {
            let corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)];
            self.canvas.outline(&corners, style.stroke_width() as f32 / UNITS, ink);
        }
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        centre: BackendCoord,
        radius: u32,
        style: &S,
        fill: bool,
    ) -> Drawn {
        let Some(ink) = ink(style.color()) else { return Ok(()) };
        let (centre, radius) = (self.at(centre), radius as f32 / UNITS);
        if fill {
            self.canvas.disc(centre, radius, ink);
        } else {
            self.canvas.ring(centre, radius, style.stroke_width() as f32 / UNITS, ink);
        }
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        corners: I,
        style: &S,
    ) -> Drawn {
        if let Some(ink) = ink(style.color()) {
            let corners: Vec<(f32, f32)> = corners.into_iter().map(|corner| self.at(corner)).collect();
            self.canvas.polygon(&corners, ink);
        }
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, at: BackendCoord) -> Drawn {
        let Some(ink) = ink(style.color()) else { return Ok(()) };
        let (face, size) = (face(style), style.size() as f32 / UNITS);
        let (x, y) = self.at(at);
        let width = self.fonts.width(text, face, size);
        let x = match style.anchor().h_pos {
            HPos::Left => x,
            HPos::Center => x - width / 2.0,
            HPos::Right => x - width,
        };
        // Capital height is 0.7 of the size in these fonts.
        let baseline = match style.anchor().v_pos {
            VPos::Top => y + size * 0.75,
            VPos::Center => y + size * 0.35,
            VPos::Bottom => y,
        };
        self.canvas.text(self.fonts, (x, baseline), text, Type { face, size, leading: size, ink });
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        text: &str,
        style: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        let size = style.size() as f32;
        Ok((self.fonts.width(text, face(style), size).ceil() as u32, (size * 0.75).ceil() as u32))
    }
}

fn face<S: BackendTextStyle>(style: &S) -> Face {
    match style.style() {
        FontStyle::Bold => Face::Bold,
        FontStyle::Normal | FontStyle::Italic | FontStyle::Oblique => Face::Sans,
    }
}

/// The colour on white paper; nothing if it is fully transparent.
fn ink(color: BackendColor) -> Option<Ink> {
    if color.alpha <= 0.0 {
        return None;
    }
    let part = |value: u8| (f64::from(value) * color.alpha + 255.0 * (1.0 - color.alpha)).round() as u8;
    Some(Ink(part(color.rgb.0), part(color.rgb.1), part(color.rgb.2)))
}
