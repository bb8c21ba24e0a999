//! The look: one type scale, one grid, few colours. Every colour pair differs in lightness as well, so that the report
//! reads in grey; every state has a shape and a word besides its colour.

use crate::document::State;
use crate::pdf::fonts::Face;

/// An sRGB colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ink(pub(crate) u8, pub(crate) u8, pub(crate) u8);

pub(crate) const INK: Ink = Ink(0x17, 0x20, 0x2b);
pub(crate) const MUTED: Ink = Ink(0x5a, 0x66, 0x73);
pub(crate) const HAIRLINE: Ink = Ink(0xd3, 0xd9, 0xdf);
pub(crate) const ZEBRA: Ink = Ink(0xf5, 0xf7, 0xf9);
pub(crate) const TINT: Ink = Ink(0xee, 0xf3, 0xf6);
pub(crate) const CALLOUT: Ink = Ink(0xfb, 0xf1, 0xee);
pub(crate) const ACCENT: Ink = Ink(0x12, 0x4e, 0x66);
pub(crate) const WHITE: Ink = Ink(0xff, 0xff, 0xff);

/// Series of a chart, from dark to light in even steps, so that they are told apart in grey.
pub(crate) const SERIES: [Ink; 6] = [
    Ink(0x0e, 0x2c, 0x3d),
    Ink(0x1c, 0x50, 0x68),
    Ink(0xa8, 0x5a, 0x20),
    Ink(0x6f, 0x9f, 0xb4),
    Ink(0xde, 0xb7, 0x81),
    Ink(0xd8, 0xe3, 0xe9),
];

/// Which of [`SERIES`] lies on which in a stack: neighbours are far apart in lightness.
pub(crate) const STACK: [usize; 6] = [0, 3, 1, 4, 2, 5];

/// Shades of a heat map, from nothing to the most; apart in lightness, so that they read in grey.
pub(crate) const HEAT: [Ink; 6] = [
    Ink(0xf5, 0xf7, 0xf9),
    Ink(0xd5, 0xe3, 0xe9),
    Ink(0x9f, 0xc3, 0xd1),
    Ink(0x5f, 0x98, 0xae),
    Ink(0x2b, 0x6f, 0x8c),
    Ink(0x0f, 0x3d, 0x52),
];

/// What went wrong, in a chart.
pub(crate) const ALARM: Ink = Ink(0xa3, 0x2a, 0x22);
/// What went well, beside [`ALARM`] in a stack.
pub(crate) const CALM: Ink = SERIES[3];
/// What else stands in a stack of both.
pub(crate) const NEITHER: [Ink; 2] = [SERIES[5], SERIES[0]];

/// The page, in points (A4).
pub(crate) const PAGE_W: f32 = 595.28;
/// Its height.
pub(crate) const PAGE_H: f32 = 841.89;
/// Left and right margin.
pub(crate) const MARGIN_X: f32 = 62.0;
/// Where text begins below the running head.
pub(crate) const TOP: f32 = 92.0;
/// Where text ends above the running foot.
pub(crate) const BOTTOM: f32 = PAGE_H - 84.0;
/// The measure.
pub(crate) const WIDTH: f32 = PAGE_W - 2.0 * MARGIN_X;

/// A way of setting type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Type {
    pub(crate) face: Face,
    pub(crate) size: f32,
    pub(crate) leading: f32,
    pub(crate) ink: Ink,
}

impl Type {
    const fn new(face: Face, size: f32, leading: f32, ink: Ink) -> Self {
        Self { face, size, leading, ink }
    }

    pub(crate) const fn in_ink(self, ink: Ink) -> Self {
        Self { ink, ..self }
    }
}

pub(crate) const DISPLAY: Type = Type::new(Face::Bold, 34.0, 40.0, INK);
pub(crate) const LEAD: Type = Type::new(Face::Sans, 13.0, 19.0, MUTED);
pub(crate) const H1: Type = Type::new(Face::Bold, 21.0, 27.0, INK);
pub(crate) const H2: Type = Type::new(Face::Bold, 13.5, 18.0, INK);
pub(crate) const H3: Type = Type::new(Face::Bold, 9.8, 14.0, INK);
pub(crate) const BODY: Type = Type::new(Face::Sans, 9.4, 14.0, INK);
pub(crate) const SMALL: Type = Type::new(Face::Sans, 7.9, 11.2, MUTED);
pub(crate) const LABEL: Type = Type::new(Face::Bold, 7.4, 11.0, MUTED);
pub(crate) const FIGURE: Type = Type::new(Face::Bold, 15.0, 19.0, INK);
pub(crate) const CELL: Type = Type::new(Face::Mono, 7.2, 10.2, INK);
pub(crate) const CODE: Type = Type::new(Face::Mono, 7.9, 11.6, INK);

/// The colour of a state.
pub(crate) const fn state_ink(state: State) -> Ink {
    match state {
        State::Pass => Ink(0x1c, 0x74, 0x4b),
        State::Warn => Ink(0xb4, 0x6a, 0x00),
        State::Fail => ALARM,
        State::NoData => Ink(0x6b, 0x76, 0x82),
        State::Manual => Ink(0x35, 0x53, 0x8f),
    }
}

#[cfg(test)]
mod tests {
    use super::{ALARM, CALM, HEAT, Ink, NEITHER, SERIES, STACK};

    /// Lightness as people see it, 0 to 100 (CIE 1976): what is left of a colour in grey.
    fn lightness(Ink(r, g, b): Ink) -> f64 {
        let linear = |value: u8| {
            let share = f64::from(value) / 255.0;
            if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        };
        let luminance = 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
        116.0 * luminance.cbrt() - 16.0
    }

    fn apart(one: Ink, other: Ink) -> f64 {
        (lightness(one) - lightness(other)).abs()
    }

    #[test]
    fn series_are_told_apart_in_grey() {
        for (index, one) in SERIES.iter().enumerate() {
            for other in &SERIES[index + 1..] {
                assert!(apart(*one, *other) >= 12.0, "{one:?} beside {other:?}");
            }
        }
        for pair in STACK.windows(2) {
            assert!(apart(SERIES[pair[0]], SERIES[pair[1]]) >= 28.0, "neighbours of a stack: {pair:?}");
        }
        let outcomes = [ALARM, CALM, NEITHER[0], NEITHER[1]];
        for (index, one) in outcomes.iter().enumerate() {
            for other in &outcomes[index + 1..] {
                assert!(apart(*one, *other) >= 18.0, "{one:?} beside {other:?}");
            }
        }
        for pair in HEAT.windows(2) {
            assert!(lightness(pair[0]) > lightness(pair[1]) + 6.0, "darker for more: {pair:?}");
        }
    }
}
