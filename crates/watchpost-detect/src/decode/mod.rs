//! Turning attacker-written text into the forms in which an application may end up reading it.
//!
//! A value is decoded step by step; every step is a [`Layer`] that remembers what made it. Rules look at each layer, so
//! a decoder that is wrong for a value can hide nothing. Where a match came from in the layers before is worked out
//! again only when something matched ([`trace`]), so that ordinary values pay for no bookkeeping.

mod data;
mod entities;
mod more;
mod steps;

use std::borrow::Cow;
use std::ops::Range;

/// The names that a layer's decoder can have.
pub(crate) const DECODERS: &[&str] =
    &["raw", "percent", "json", "list", "html", "unicode", "utf7", "base64", "hex", "fold", "join", "shell"];

/// Most layers of one value, the raw one included.
pub(crate) const LAYERS_MAX: usize = 9;

/// How a value is written where it was found; decides the first decoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Percent-encoded, plus means space.
    Form,
    /// Percent-encoded pairs, of which the values of the last one's name are put together with commas.
    Commas,
    /// The same, put together with blanks.
    Blanks,
    /// Percent-encoded, plus means plus.
    Path,
    /// The inside of a JSON string.
    Json,
    /// As it is.
    Plain,
}

/// One form of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layer<'a> {
    /// What made it: one of [`DECODERS`].
    pub(crate) decoder: &'static str,
    /// The text.
    pub(crate) text: Cow<'a, str>,
    /// Which bytes occur in it.
    pub(crate) bytes: Present,
}

impl<'a> Layer<'a> {
    /// A layer and what occurs in it.
    pub(crate) fn new(decoder: &'static str, text: Cow<'a, str>) -> Self {
        let bytes = Present::of(&text);
        Self { decoder, text, bytes }
    }
}

/// Which bytes occur in a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Present {
    /// One bit for each ASCII byte.
    pub(crate) ascii: u128,
    /// Is there any other?
    pub(crate) other: bool,
}

impl Present {
    /// Looks once at each byte.
    pub(crate) fn of(text: &str) -> Self {
        // Two words are quicker than one of twice the width, and masks than branches.
        let (mut low, mut high, mut all) = (0_u64, 0_u64, 0_u8);
        for byte in text.bytes() {
            let bit = 1_u64 << (byte & 63);
            low |= bit & u64::from(byte < 0x40).wrapping_neg();
            high |= bit & u64::from(byte & 0xc0 == 0x40).wrapping_neg();
            all |= byte;
        }
        Self { ascii: u128::from(high) << 64 | u128::from(low), other: all >= 0x80 }
    }

    /// Does any of `marks` occur?
    pub(crate) const fn any(self, marks: u128) -> bool {
        self.ascii & marks != 0
    }
}

/// The bits of some ASCII characters.
pub(crate) const fn bits(marks: &str) -> u128 {
    let (bytes, mut all, mut at) = (marks.as_bytes(), 0, 0);
    while at < bytes.len() {
        all |= 1_u128 << bytes[at];
        at += 1;
    }
    all
}

/// Where decoded characters go. With a map, each one remembers which bytes of the input made it.
#[derive(Debug, Default)]
pub(crate) struct Out {
    pub(crate) text: String,
    map: Option<Vec<(u32, u32, u32)>>,
}

impl Out {
    fn with_capacity(n_bytes: usize, traced: bool) -> Self {
        Self { text: String::with_capacity(n_bytes), map: traced.then(Vec::new) }
    }

    pub(crate) fn push(&mut self, ch: char, source: Range<usize>) {
        if let Some(map) = &mut self.map {
            let at = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
            map.push((at(self.text.len()), at(source.start), at(source.end)));
        }
        self.text.push(ch);
    }

    /// Characters that stay what they are.
    pub(crate) fn push_run(&mut self, text: &str, source: Range<usize>) {
        if self.map.is_none() {
            self.text.push_str(&text[source]);
            return;
        }
        for (n, ch) in text[source.clone()].char_indices() {
            let at = source.start + n;
            self.push(ch, at..at + ch.len_utf8());
        }
    }

    /// The bytes of the input that made the bytes `span` of the output.
    fn source_of(&self, span: &Range<usize>) -> Option<Range<usize>> {
        let map = self.map.as_ref()?;
        let within = |&&(at, _, _): &&(u32, u32, u32)| span.contains(&(at as usize));
        let mut inside = map.iter().filter(within);
        let first = inside.next()?;
        let last = inside.next_back().unwrap_or(first);
        Some(first.1 as usize..last.2 as usize)
    }
}

type Step = fn(&str, &mut Out);
/// Name, a cheap test whether it can change anything, and the step.
type NamedStep = (&'static str, fn(&str, Present) -> bool, Step);

fn first_step(encoding: Encoding) -> Option<(&'static str, Step)> {
    match encoding {
        Encoding::Form => Some(("percent", steps::percent_form)),
        Encoding::Commas => Some(("list", more::commas)),
        Encoding::Blanks => Some(("list", more::blanks)),
        Encoding::Path => Some(("percent", steps::percent)),
        Encoding::Json => Some(("json", steps::json)),
        Encoding::Plain => None,
    }
}

/// What may follow, in this order, again and again until nothing changes.
const REPEATED: &[NamedStep] = &[
    ("percent", steps::may_be_percent, steps::percent),
    ("html", steps::may_be_html, steps::html),
    ("unicode", steps::may_be_unicode, steps::unicode),
    ("utf7", more::may_be_utf7, more::utf7),
    ("base64", steps::may_be_base64, steps::base64),
    ("base64", data::may_be_data, data::data),
    ("hex", data::may_be_hex, data::hex),
];

/// What ends the chain: forms that lose information, each made from the last layer that lost none.
const FINAL: &[NamedStep] = &[
    ("fold", steps::may_be_folded, steps::fold),
    ("join", more::may_be_joined, more::join),
    ("shell", steps::may_be_shell, steps::shell),
];

fn apply(name: &str, step: Step, input: &str, traced: bool) -> Option<Out> {
    let mut out = Out::with_capacity(input.len(), traced);
    step(input, &mut out);
    let is_new = if matches!(name, "base64" | "hex") { !out.text.is_empty() } else { out.text != input };
    is_new.then_some(out)
}

/// All layers of a value; the first is `raw`. Deterministic; at most [`LAYERS_MAX`]; linear in the input.
pub(crate) fn layers(raw: &str, encoding: Encoding) -> Vec<Layer<'_>> {
    let mut all = Vec::new();
    layers_into(raw, encoding, &mut all);
    all
}

/// As [`layers`], into a list whose memory is used again.
pub(crate) fn layers_into<'a>(raw: &'a str, encoding: Encoding, all: &mut Vec<Layer<'a>>) {
    all.clear();
    all.push(Layer::new("raw", Cow::Borrowed(raw)));
    if let Some((name, step)) = first_step(encoding)
        && steps::needs_first(encoding, all[0].bytes)
        && let Some(out) = apply(name, step, raw, false)
    {
        all.push(Layer::new(name, Cow::Owned(out.text)));
    }
    while all.len() < LAYERS_MAX - FINAL.len() {
        let last = &all[all.len() - 1];
        let next = REPEATED
            .iter()
            .filter(|(_, may, _)| may(&last.text, last.bytes))
            .find_map(|&(name, _, step)| apply(name, step, &last.text, false).map(|out| (name, out)));
        let Some((name, out)) = next else { break };
        all.push(Layer::new(name, Cow::Owned(out.text)));
    }
    let n_exact = all.len();
    for &(name, may, step) in FINAL {
        let last = &all[n_exact - 1];
        if may(&last.text, last.bytes)
            && let Some(out) = apply(name, step, &last.text, false)
        {
            all.push(Layer::new(name, Cow::Owned(out.text)));
        }
    }
}

/// The layers that lead to `layers[index]`, as indices: raw first. Final forms all come from the last exact layer.
pub(crate) fn lineage(layers: &[Layer<'_>], index: usize) -> Vec<usize> {
    let is_final = |at: usize| FINAL.iter().any(|(name, _, _)| *name == layers[at].decoder);
    (0..=index).filter(|&at| at == index || !is_final(at)).collect()
}

/// Follows the byte range `span` of `to.text` back to the bytes of `from.text` that made it.
pub(crate) fn trace(
    from: &Layer<'_>,
    to: &Layer<'_>,
    encoding: Encoding,
    span: &Range<usize>,
) -> Option<Range<usize>> {
    let first = first_step(encoding).filter(|_| from.decoder == "raw");
    let others = REPEATED.iter().chain(FINAL).map(|&(name, _, step)| (name, step));
    // Several steps have one name.
    let mut steps = first.into_iter().chain(others).filter(|(name, _)| *name == to.decoder);
    let made = steps
        .find_map(|(name, step)| apply(name, step, &from.text, true).filter(|out| out.text == to.text))?;
    made.source_of(span)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(raw: &str, encoding: Encoding) -> String {
        layers(raw, encoding).last().map(|layer| layer.text.to_string()).unwrap_or_default()
    }

    #[test]
    fn decodes_what_applications_decode() {
        for (raw, encoding, expect) in [
            ("plain", Encoding::Form, "plain"),
            ("a+b", Encoding::Form, "a b"),
            ("a+b", Encoding::Path, "a+b"),
            ("%27%20or%201", Encoding::Form, "' or 1"),
            ("%2527", Encoding::Form, "'"),
            ("%25252e", Encoding::Path, "."),
            ("%c0%ae%c0%ae%c0%af", Encoding::Path, "../"),
            ("%e0%80%ae", Encoding::Path, "."),
            ("%u002e%u2215", Encoding::Path, "./"),
            ("%uff1cscript", Encoding::Form, "<script"),
            ("&lt;b&#62;&#x3C;&#0000060", Encoding::Plain, "<b><<"),
            ("&lpar;&colon;&Tab;x", Encoding::Plain, "(: x"),
            (r"\u003cscript", Encoding::Json, "<script"),
            (r"\x3cscript", Encoding::Plain, "<script"),
            (r#"say \"hi\" \/"#, Encoding::Json, r#"say "hi" /"#),
            ("PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==", Encoding::Plain, "<script>alert(1)</script>"),
            ("data:text/html;base64,PHNjcmlwdD54PC9zY3JpcHQ+", Encoding::Plain, "<script>x</script>"),
            ("<img src=\"data:image/svg+xml;charset=x;base64,PHN2Zz48Lz4=\">", Encoding::Plain, "<svg></>"),
            ("data:image/png;base64,iVBORw0KGgo=", Encoding::Plain, "data:image/png;base64,iVBORw0KGgo="),
            (
                "JyB1bmlvbiBzZWxlY3QgcGluIGZyb20gY2FyZHMtLQ==",
                Encoding::Plain,
                "' union select pin from cards--",
            ),
            (
                "SnlCMWJtbHZiaUJ6Wld4bFkzUWdjR2x1SUdaeWIyMGdZMkZ5WkhNdExRPT0=",
                Encoding::Plain,
                "' union select pin from cards--",
            ),
            ("3120756e696f6e2073656c6563742070696e", Encoding::Plain, "1 union select pin"),
            ("0x3120756e696f6e2073656c6563742070696e", Encoding::Plain, "1 union select pin"),
            ("9f86d081884c7d659a2feaa0c55ad015", Encoding::Plain, "9f86d081884c7d659a2feaa0c55ad015"),
            ("un/**/ion/*!50000select*/", Encoding::Plain, "union select "),
            ("or/**/1=1", Encoding::Plain, "or 1=1"),
            ("union/**/select", Encoding::Plain, "union select"),
            ("+ADw-b+AD4-", Encoding::Plain, "<b>"),
            ("x='al'+'ert';", Encoding::Plain, "x='alert';"),
            ("al&zwnj;ert&#xdfff;(", Encoding::Plain, "alert("),
            ("%zz%", Encoding::Form, "%zz%"),
            ("caf%C3%A9", Encoding::Form, "café"),
            ("1+a%2Bb&x=y&id=c%26=&ID=d&e", Encoding::Commas, "1 a+b,c&=,d"),
            ("1+a%2Bb&x=y&id=c%26=&ID=d", Encoding::Blanks, "1 a+b c&= d"),
            ("only one", Encoding::Commas, "only one"),
        ] {
            assert_eq!(last(raw, encoding), expect, "raw {raw:?} as {encoding:?}");
        }
    }

    #[test]
    fn shell_tricks_are_undone() {
        for (raw, expect) in [
            ("c''at /etc", "cat /etc"),
            ("w\\ho\\ami", "whoami"),
            ("cat${IFS}/etc", "cat /etc"),
            ("who$@ami", "whoami"),
        ] {
            let all = layers(raw, Encoding::Plain);
            let shell = all.iter().find(|layer| layer.decoder == "shell").map(|layer| layer.text.as_ref());
            assert_eq!(shell, Some(expect), "raw {raw:?}");
        }
    }

    #[test]
    fn spans_lead_back_to_the_raw_text() {
        let raw = "x=%2527%20or";
        let all = layers(raw, Encoding::Form);
        assert_eq!(all.iter().map(|layer| layer.decoder).collect::<Vec<_>>(), ["raw", "percent", "percent"]);
        let second = trace(&all[1], &all[2], Encoding::Form, &(2..3)).expect("traced");
        assert_eq!(&all[1].text[second.clone()], "%27");
        let first = trace(&all[0], &all[1], Encoding::Form, &second).expect("traced");
        assert_eq!(&raw[first], "%2527");
        // Two steps are called base64.
        let raw = "<img src=\"data:image/svg+xml;base64,PHN2Zz48Lz4=\">";
        let all = layers(raw, Encoding::Plain);
        let span = trace(&all[0], &all[1], Encoding::Plain, &(0..5)).expect("traced");
        assert!(raw[span.clone()].starts_with("PHN2Zz"), "{:?}", &raw[span]);
    }
}
