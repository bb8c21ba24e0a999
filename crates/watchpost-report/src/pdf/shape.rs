//! Text that is not simply one character after the other: writing from right to left with its joined letters, and
//! characters that no font has.

use std::cell::OnceCell;
use std::ops::Range;

use rustybuzz::{Direction, UnicodeBuffer};
use unicode_bidi::{BidiClass, Level, ParagraphBidiInfo, bidi_class};

use crate::pdf::fonts::{FACES, Face, Fonts};

/// The font of what runs from right to left: it joins Arabic and has Hebrew.
pub(crate) const RTL_FACE: Face = Face::Broad;

/// The digits of a box are this share of the type size.
pub(crate) const BOX_DIGITS: f32 = 0.56;
/// Room beside them within the box, and outside of it, in ems.
pub(crate) const BOX_PAD: f32 = 0.08;

/// A piece of a line, in the order in which the pieces stand from left to right.
pub(crate) enum Piece<'t> {
    /// Characters one after the other.
    Plain(&'t str),
    /// From right to left: the glyphs as they stand from left to right.
    Shaped(&'t str, Vec<Glyph>),
    /// A character that no font has.
    Lacking(char),
}

/// A glyph at its place.
#[derive(Debug, Clone)]
pub(crate) struct Glyph {
    pub(crate) id: u16,
    /// In ems.
    pub(crate) advance: f32,
    /// How far it is moved from where it would stand, in ems.
    pub(crate) offset: (f32, f32),
    /// The bytes of the text that it stands for.
    pub(crate) range: Range<usize>,
}

/// Does the character run from right to left?
pub(crate) fn is_rtl(ch: char) -> bool {
    ch >= '\u{590}' && matches!(bidi_class(ch), BidiClass::R | BidiClass::AL)
}

/// The pieces of a drawable line; `None` if it is nothing but characters one after the other.
pub(crate) fn pieces<'t>(fonts: &Fonts, text: &'t str) -> Option<Vec<Piece<'t>>> {
    if text.is_ascii() {
        return None;
    }
    let mut pieces = Vec::new();
    if text.chars().any(is_rtl) {
        // Pages run from left to right; so does each line, whatever its first letter.
        let bidi = ParagraphBidiInfo::new(text, Some(Level::ltr()));
        let (levels, runs) = bidi.visual_runs(0..text.len());
        for run in runs {
            let part = &text[run.clone()];
            let from_right = levels.get(run.start).is_some_and(Level::is_rtl);
            if from_right {
                from_right_pieces(fonts, part, &mut pieces)
            } else {
                plain(fonts, part, &mut pieces)
            }
        }
        return Some(pieces);
    }
    text.chars().any(|ch| fonts.lacks(ch)).then(|| {
        plain(fonts, text, &mut pieces);
        pieces
    })
}

fn plain<'t>(fonts: &Fonts, text: &'t str, pieces: &mut Vec<Piece<'t>>) {
    let mut start = 0;
    for (index, ch) in text.char_indices().filter(|(_, ch)| fonts.lacks(*ch)) {
        if start < index {
            pieces.push(Piece::Plain(&text[start..index]));
        }
        pieces.push(Piece::Lacking(ch));
        start = index + ch.len_utf8();
    }
    if start < text.len() {
        pieces.push(Piece::Plain(&text[start..]));
    }
}

/// As [`plain`], of a part that runs from right to left: what comes last stands first.
fn from_right_pieces<'t>(fonts: &Fonts, text: &'t str, pieces: &mut Vec<Piece<'t>>) {
    let mut end = text.len();
    for (index, ch) in text.char_indices().rev().filter(|(_, ch)| !fonts.has(RTL_FACE, *ch)) {
        let after = index + ch.len_utf8();
        if after < end {
            pieces.push(shaped(fonts, &text[after..end]));
        }
        // What another font has is drawn with it; it does not join.
        let alone = &text[index..after];
        pieces.push(if fonts.lacks(ch) { Piece::Lacking(ch) } else { Piece::Plain(alone) });
        end = index;
    }
    if end > 0 {
        pieces.push(shaped(fonts, &text[..end]));
    }
}

fn shaped<'t>(fonts: &Fonts, text: &'t str) -> Piece<'t> {
    match fonts.shaper.glyphs(text) {
        Some(glyphs) => Piece::Shaped(text, glyphs),
        None => Piece::Plain(text),
    }
}

/// What joins letters, made when it is first asked.
#[derive(Default)]
pub(crate) struct Shaper(OnceCell<Option<rustybuzz::Face<'static>>>);

impl Shaper {
    /// The glyphs of a text that runs from right to left, as they stand from left to right.
    fn glyphs(&self, text: &str) -> Option<Vec<Glyph>> {
        let face =
            self.0.get_or_init(|| rustybuzz::Face::from_slice(FACES[RTL_FACE as usize].2, 0)).as_ref()?;
        let mut buffer = UnicodeBuffer::new();
        buffer.push_str(text);
        buffer.guess_segment_properties();
        buffer.set_direction(Direction::RightToLeft);
        let found = rustybuzz::shape(face, &[], buffer);
        let em = f32::from(u16::try_from(face.units_per_em()).unwrap_or(1).max(1));
        let starts: Vec<usize> = found.glyph_infos().iter().map(|info| info.cluster as usize).collect();
        let mut sorted = starts.clone();
        sorted.sort_unstable();
        let glyphs = found.glyph_infos().iter().zip(found.glyph_positions()).zip(starts).map(
            |((info, place), start)| {
                let next = sorted.partition_point(|other| *other <= start);
                let end = sorted.get(next).copied().unwrap_or(text.len());
                Glyph {
                    id: u16::try_from(info.glyph_id).unwrap_or(0),
                    advance: place.x_advance as f32 / em,
                    offset: (place.x_offset as f32 / em, place.y_offset as f32 / em),
                    range: start..end,
                }
            },
        );
        Some(glyphs.collect())
    }
}

/// The code point in a box, for a character that no font has.
pub(crate) fn code(ch: char) -> String {
    format!("{:04X}", u32::from(ch))
}

/// The place of an escape such as `\u{202e}` or `\x1b` in `text` that a cut at `at` would break.
pub(crate) fn escape_around(text: &str, at: usize) -> Option<usize> {
    let start = text.get(..at)?.rfind('\\')?;
    let rest = &text[start..];
    let length = if rest.starts_with("\\u{") {
        rest.find('}')? + 1
    } else if rest.starts_with("\\x") {
        4
    } else {
        2
    };
    (length <= 10 && start < at && at < start + length && start + length <= text.len()).then_some(start)
}

#[cfg(test)]
mod tests {
    use super::escape_around;

    #[test]
    fn an_escape_is_whole_or_not_there() {
        let text = "a\\u{202e}b\\x1bc";
        for (at, expect) in
            [(1, None), (2, Some(1)), (8, Some(1)), (9, None), (10, None), (12, Some(10)), (14, None)]
        {
            assert_eq!(escape_around(text, at), expect, "cut at {at}");
        }
    }
}
