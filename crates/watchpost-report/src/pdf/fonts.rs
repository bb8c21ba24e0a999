//! The embedded fonts: measuring, falling back, and making visible what no font has.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use printpdf::{FontId, ParsedFont, PdfFont};
use watchpost_model::text::visible;

use crate::ReportError;
use crate::pdf::shape::{BOX_DIGITS, BOX_PAD, Piece, RTL_FACE, Shaper, code, escape_around, is_rtl, pieces};

/// Longer texts are cut in the PDF, marked by an ellipsis; the JSON has them whole.
const TEXT_CHARS_MAX: usize = 2_000;

/// A font of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Face {
    /// IBM Plex Sans.
    Sans,
    /// IBM Plex Sans, semi-bold.
    Bold,
    /// IBM Plex Mono.
    Mono,
    /// DejaVu Sans Mono: for characters that the others lack.
    Wide,
    /// DejaVu Sans: what runs from right to left, and what is lacking still.
    Broad,
}

/// The fonts with their names in the file.
pub(crate) const FACES: [(Face, &str, &[u8]); 5] = [
    (Face::Sans, "PLEXSA", include_bytes!("../../fonts/IBMPlexSans-Regular.ttf")),
    (Face::Bold, "PLEXSB", include_bytes!("../../fonts/IBMPlexSans-SemiBold.ttf")),
    (Face::Mono, "PLEXMO", include_bytes!("../../fonts/IBMPlexMono-Regular.ttf")),
    (Face::Wide, "DEJAVU", include_bytes!("../../fonts/DejaVuSansMono.ttf")),
    (Face::Broad, "DEJAVS", include_bytes!("../../fonts/DejaVuSans.ttf")),
];

/// The parsed fonts and a count of what they lacked.
pub(crate) struct Fonts {
    faces: Vec<ParsedFont>,
    /// Advances of the ASCII characters by face, in ems.
    ascii: Vec<[f32; 128]>,
    pub(crate) shaper: Shaper,
    lacking: RefCell<BTreeSet<char>>,
    substituted: Cell<u64>,
    cut: Cell<u64>,
}

impl Fonts {
    pub(crate) fn load() -> Result<Self, ReportError> {
        let mut faces = Vec::with_capacity(FACES.len());
        for (_, name, bytes) in FACES {
            faces.push(ParsedFont::from_bytes(bytes, 0, &mut Vec::new()).ok_or(ReportError::Font(name))?);
        }
        let ascii = faces
            .iter()
            .map(|face| {
                let mut advances = [0.0; 128];
                for (slot, code) in advances.iter_mut().zip(0_u32..) {
                    *slot = face.lookup_glyph_index(code).map_or(0.0, |glyph| advance(face, glyph));
                }
                advances
            })
            .collect();
        let (shaper, lacking) = (Shaper::default(), RefCell::default());
        Ok(Self { faces, ascii, shaper, lacking, substituted: Cell::new(0), cut: Cell::new(0) })
    }

    /// The fonts as resources of a document. The ids are fixed, so that the same report has the same bytes.
    pub(crate) fn resources(&self) -> BTreeMap<FontId, PdfFont> {
        self.faces
            .iter()
            .zip(FACES)
            .map(|(face, (_, id, _))| (FontId(id.to_owned()), PdfFont::new(face.clone())))
            .collect()
    }

    /// Makes any text drawable: hidden characters escaped, characters that no font has noted (they are drawn as boxes with
    /// their code points), over-long text cut and counted. Everything from outside goes through here once.
    pub(crate) fn drawable(&self, text: &str) -> String {
        if text.chars().nth(TEXT_CHARS_MAX).is_some() {
            self.note_cut();
        }
        let shown = visible(text, TEXT_CHARS_MAX);
        if shown.is_ascii() {
            return shown;
        }
        let mut out = String::with_capacity(shown.len());
        for ch in shown.chars() {
            if ch == '\u{a0}' || ch == '\u{202f}' {
                out.push(' ');
                continue;
            }
            out.push(ch);
            if self.lacks(ch) {
                self.substituted.set(self.substituted.get() + 1);
                self.lacking.borrow_mut().insert(ch);
            }
        }
        out
    }

    /// Notes that a text was shortened to fit.
    pub(crate) fn note_cut(&self) {
        self.cut.set(self.cut.get() + 1);
    }

    /// Is there no font that has the character?
    pub(crate) fn lacks(&self, ch: char) -> bool {
        !ch.is_ascii()
            && (is_private(ch)
                || ![Face::Wide, Face::Sans, Face::Broad].iter().any(|face| self.has(*face, ch)))
    }

    /// The characters that no font has, so far.
    pub(crate) fn lacking(&self) -> Vec<char> {
        self.lacking.borrow().iter().copied().collect()
    }

    /// How many characters were drawn as boxes so far.
    pub(crate) fn substituted(&self) -> u64 {
        self.substituted.get()
    }

    /// How many texts were shortened so far.
    pub(crate) fn cut(&self) -> u64 {
        self.cut.get()
    }

    /// Forgets what was counted since `counted` was what [`substituted`](Self::substituted) and [`cut`](Self::cut) said: that page
    /// was thrown away.
    pub(crate) fn forget_since(&self, counted: (u64, u64)) {
        self.substituted.set(counted.0);
        self.cut.set(counted.1);
    }

    /// Width in points.
    pub(crate) fn width(&self, text: &str, face: Face, size: f32) -> f32 {
        if let Some(pieces) = pieces(self, text) {
            let widths = pieces.iter().map(|piece| match piece {
                Piece::Plain(part) => part.chars().map(|ch| self.advance(ch, face)).sum::<f32>(),
                Piece::Shaped(_, glyphs) => glyphs.iter().map(|glyph| glyph.advance).sum(),
                Piece::Lacking(ch) => self.advance(*ch, face),
            });
            return widths.sum::<f32>() * size;
        }
        text.chars().map(|ch| self.advance(ch, face)).sum::<f32>() * size
    }

    /// Splits `text` into pieces that one font each can draw.
    pub(crate) fn runs<'t>(&self, text: &'t str, face: Face) -> Vec<(Face, &'t str)> {
        if text.is_ascii() {
            return vec![(face, text)];
        }
        let mut runs: Vec<(Face, &str)> = Vec::new();
        let mut start = 0;
        let mut current = face;
        for (index, ch) in text.char_indices() {
            let wanted = self.face_for(ch, face);
            if wanted != current {
                if index > start {
                    runs.push((current, &text[start..index]));
                }
                start = index;
                current = wanted;
            }
        }
        if start < text.len() {
            runs.push((current, &text[start..]));
        }
        runs
    }

    /// Breaks `text` into lines of at most `width` points: at spaces, else after a separator, else anywhere.
    pub(crate) fn wrap(&self, text: &str, face: Face, size: f32, width: f32) -> Vec<String> {
        let mut lines = Vec::new();
        let mut rest = text.trim_end();
        loop {
            let (mut used, mut last_space, mut last_break, mut end) = (0.0, None, None, rest.len());
            let (mut before, mut day_ends) = (' ', None);
            for (index, ch) in rest.char_indices() {
                used += self.advance(ch, face) * size;
                if used > width && index > 0 && ch != ' ' {
                    end = index;
                    break;
                }
                let after = index + ch.len_utf8();
                match ch {
                    ' ' => last_space = Some(after),
                    '/' | '-' | '_' | ',' | ';' | '&' | '?' | '=' | ':' | '.' | '%' => {
                        last_break = Some(after)
                    }
                    'T' if before.is_ascii_digit() => day_ends = Some(after),
                    _ => {}
                }
                before = ch;
            }
            if end == rest.len() {
                lines.push(rest.to_owned());
                return lines;
            }
            // A break close to the start would leave a ragged hole; there the line is filled and cut instead.
            let good = |at: &usize| *at > 0 && *at <= end;
            let at = last_space
                .filter(good)
                .or_else(|| day_ends.filter(good).filter(|at| is_day(&rest[..*at])))
                .or_else(|| last_break.filter(good).filter(|at| at * 2 > end))
                .unwrap_or(end);
            // An escape stays whole where it has room.
            let at = escape_around(rest, at).filter(|at| *at > 0).unwrap_or(at);
            // The space at the end of a line stays: without it the words of two lines run together when text is
            // copied or read aloud.
            let line = rest[..at].trim_end();
            let space = if line.len() < at { " " } else { "" };
            lines.push(format!("{line}{space}"));
            rest = rest[at..].trim_start();
            if rest.is_empty() {
                return lines;
            }
        }
    }

    /// The glyph of a character in a face that has it, with its advance in ems.
    pub(crate) fn glyph(&self, face: Face, ch: char) -> (u16, f32) {
        let font = &self.faces[face as usize];
        font.lookup_glyph_index(ch.into()).map_or((0, 0.0), |glyph| (glyph, advance(font, glyph)))
    }

    /// The advance that a glyph has by itself, in ems.
    pub(crate) fn glyph_advance(&self, face: Face, glyph: u16) -> f32 {
        advance(&self.faces[face as usize], glyph)
    }

    fn advance(&self, ch: char, face: Face) -> f32 {
        if ch.is_ascii() {
            return self.ascii[face as usize][ch as usize];
        }
        if self.lacks(ch) {
            let digits: f32 = code(ch).chars().map(|digit| self.advance(digit, Face::Mono)).sum();
            return digits * BOX_DIGITS + 4.0 * BOX_PAD;
        }
        let font = &self.faces[self.face_for(ch, face) as usize];
        font.lookup_glyph_index(ch.into()).map_or(0.0, |glyph| advance(font, glyph))
    }

    pub(crate) fn has(&self, face: Face, ch: char) -> bool {
        self.faces[face as usize].lookup_glyph_index(ch.into()).is_some_and(|glyph| glyph != 0)
    }

    fn face_for(&self, ch: char, face: Face) -> Face {
        if is_rtl(ch) && self.has(RTL_FACE, ch) {
            RTL_FACE
        } else if ch.is_ascii() || self.has(face, ch) {
            face
        } else {
            let others = [Face::Wide, Face::Sans].into_iter();
            others.into_iter().find(|face| self.has(*face, ch)).unwrap_or(Face::Broad)
        }
    }
}

impl Face {
    /// The name of the font in the document.
    pub(crate) fn id(self) -> FontId {
        FontId(FACES[self as usize].1.to_owned())
    }
}

/// Is it the day of an instant, up to the `T` before the time?
fn is_day(text: &str) -> bool {
    let shape = |(index, byte): (usize, u8)| match index {
        4 | 7 => byte == b'-',
        10 => byte == b'T',
        _ => byte.is_ascii_digit(),
    };
    text.len() == 11 && text.bytes().enumerate().all(shape)
}

/// Is it an instant as reports write it?
pub(crate) fn is_instant(text: &str) -> bool {
    text.len() <= 32
        && text.get(..11).is_some_and(is_day)
        && text[11..].bytes().all(|byte| byte.is_ascii_digit() || b":.Z+-".contains(&byte))
}

/// Characters without a meaning of their own: every font draws something else there.
const fn is_private(ch: char) -> bool {
    matches!(ch, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}')
}

fn advance(font: &ParsedFont, glyph: u16) -> f32 {
    f32::from(font.get_horizontal_advance(glyph)) / f32::from(font.font_metrics.units_per_em.max(1))
}
