//! The values inside of XML: attribute values and the texts between tags, so that what is written into them is looked
//! at as a value and not as a part of a document.
//!
//! Forgiving: nothing is checked, tags need not match, and a text that is cut off is read as far as it goes. Entities
//! stay as they are; the decoder resolves the five of XML and character references, and nothing that a document
//! declares.

/// Most values of one document; what comes later is in the body that is looked at as a whole.
const VALUES_MAX: usize = 512;
/// Longest name that is told.
const NAME_BYTES_MAX: usize = 64;

/// Calls `each` with the first values and the name of their attribute or element, in order; returns how many there were
/// more.
///
/// Cost: linear; every byte is looked at a few times, and there is no nesting to follow.
pub(super) fn values<'a>(text: &'a str, each: &mut dyn FnMut(&'a str, &'a str)) -> u64 {
    let (mut n_left, mut n_more) = (VALUES_MAX, 0);
    all_values(text, &mut |name, value| {
        let value = value.trim();
        if value.is_empty() {
            return;
        }
        if n_left > 0 {
            n_left -= 1;
            each(name.get(..NAME_BYTES_MAX).unwrap_or(name), value);
        } else {
            n_more += 1;
        }
    });
    n_more
}

fn all_values<'a>(text: &'a str, tell: &mut dyn FnMut(&'a str, &'a str)) {
    let (mut rest, mut element) = (text, "");
    while let Some(open) = rest.find('<') {
        tell(element, &rest[..open]);
        let tag = &rest[open + 1..];
        let end = if let Some(content) = tag.strip_prefix("![CDATA[") {
            let content = content.split_once("]]>").map_or(content, |(content, _)| content);
            tell(element, content);
            "![CDATA[".len() + content.len() + "]]>".len()
        } else if tag.starts_with("!--") {
            tag.find("-->").map_or(tag.len(), |at| at + 3)
        } else if tag.starts_with(['!', '?', '/']) {
            tag.find('>').map_or(tag.len(), |at| at + 1)
        } else if tag.starts_with(is_name) {
            let name_end = tag.find(|ch| !is_name(ch)).unwrap_or(tag.len());
            element = &tag[..name_end];
            attributes(tag, name_end, tell)
        } else {
            // A sign in a text.
            0
        };
        rest = tag.get(end..).unwrap_or("");
    }
    tell(element, rest);
}

fn is_name(ch: char) -> bool {
    ch.is_alphanumeric() || matches!(ch, ':' | '_' | '-' | '.')
}

/// Tells the attributes from `start` on; returns the byte after the tag.
fn attributes<'a>(tag: &'a str, start: usize, tell: &mut dyn FnMut(&'a str, &'a str)) -> usize {
    let bytes = tag.as_bytes();
    let (mut at, mut name) = (start, start..start);
    while at < bytes.len() {
        match bytes[at] {
            b'>' => return at + 1,
            quote @ (b'"' | b'\'') => {
                let value = at + 1;
                let end = bytes[value..].iter().position(|&byte| byte == quote);
                let end = end.map_or(bytes.len(), |n| value + n);
                tell(&tag[name.clone()], &tag[value..end]);
                at = end + 1;
                name = at.min(bytes.len())..at.min(bytes.len());
            }
            byte if byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'_' | b'-' | b'.') => {
                name = if name.end == at && !name.is_empty() { name.start..at + 1 } else { at..at + 1 };
                at += 1;
            }
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<(String, String)> {
        let mut found = Vec::new();
        values(text, &mut |name, value| found.push((name.to_owned(), value.to_owned())));
        found
    }

    #[test]
    fn attributes_and_texts_are_values_of_their_own() {
        let cut = "<a b=\"cut off";
        for (text, expect) in [
            (r#"<?xml version="1.0"?><r><a b="x y" c='z'></a></r>"#, &[("b", "x y"), ("c", "z")][..]),
            ("<r><tag> ftp://h </tag>tail</r>", &[("tag", "ftp://h"), ("tag", "tail")]),
            ("<r><![CDATA[a <b> c]]></r>", &[("r", "a <b> c")]),
            ("<r><!-- <a b='c'> -->d</r>", &[("r", "d")]),
            (
                "<s:Body xml:lang = \"en\">1 < 2</s:Body>",
                &[("xml:lang", "en"), ("s:Body", "1"), ("s:Body", "2")],
            ),
            ("<!DOCTYPE r SYSTEM 'x'><r a='>'>b</r>", &[("a", ">"), ("r", "b")]),
            (cut, &[("b", "cut off")]),
            ("<r><![CDATA[open", &[("r", "open")]),
            ("<", &[]),
            ("<ü ä='ö'>", &[("", "ö")]),
        ] {
            let expect: Vec<(String, String)> =
                expect.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            assert_eq!(all(text), expect, "{text}");
        }
    }

    #[test]
    fn what_is_told_is_bounded() {
        assert_eq!(all(&"<a b='c'/>".repeat(5_000)).len(), VALUES_MAX);
        assert_eq!(
            values(&"<a b='c'/>".repeat(5_000), &mut |_, _| ()),
            5_000 - VALUES_MAX as u64,
            "the rest is counted"
        );
        assert_eq!(all(&"<".repeat(200_000)).len(), 0);
        assert_eq!(all(&"<a".repeat(100_000)).len(), 0);
        assert_eq!(all(&"<a b='".repeat(50_000)).len(), VALUES_MAX);
    }
}
