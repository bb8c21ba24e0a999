//! Markup that people publish: paragraphs, links and images without anything that runs.
//!
//! The descriptions of a feed are pages in small: their elements are no attack, what stands in them may be one. Tags are
//! read as they are, or as entities spell them (`&lt;p&gt;`), and everything that is not known is not harmless.

/// Elements that show text or an image.
const ELEMENTS: &[&str] = &[
    "a",
    "abbr",
    "article",
    "aside",
    "b",
    "bdi",
    "bdo",
    "blockquote",
    "br",
    "caption",
    "center",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "details",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "font",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "main",
    "mark",
    "nav",
    "ol",
    "p",
    "picture",
    "pre",
    "q",
    "s",
    "samp",
    "section",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "time",
    "tr",
    "tt",
    "u",
    "ul",
    "var",
    "wbr",
];
/// Attributes that run nothing, whatever their value.
const ATTRIBUTES: &[&str] = &[
    "alt",
    "title",
    "class",
    "id",
    "rel",
    "target",
    "width",
    "height",
    "lang",
    "dir",
    "align",
    "valign",
    "border",
    "cellpadding",
    "cellspacing",
    "colspan",
    "rowspan",
    "scope",
    "start",
    "datetime",
    "loading",
    "decoding",
    "sizes",
    "color",
    "size",
    "face",
    "hspace",
    "vspace",
    "name",
    "type",
    "hreflang",
    "role",
    "translate",
    "referrerpolicy",
    "crossorigin",
    "fetchpriority",
    "bgcolor",
    "clear",
    "nowrap",
    "reversed",
    "value",
];
/// Attributes that name another document.
const LINKS: &[&str] = &["href", "src", "cite", "longdesc"];
/// Most pieces of one text.
const PIECES_MAX: usize = 512;
/// What begins and ends a tag, as it is and as entities.
const OPENS: &[&str] = &["<", "&lt;", "&#60;"];
const CLOSES: &[&str] = &[">", "&gt;", "&#62;"];
const QUOTES: &[&str] = &["\"", "'", "&quot;", "&#34;", "&#39;", "&apos;", "&#039;"];

/// The texts between the tags and the values of the attributes, each with its name, if `text` is markup and all of it is
/// harmless.
///
/// Cost: linear; every byte is looked at a few times.
pub(super) fn pieces(text: &str) -> Option<Vec<(&str, &str)>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut n_tags = 0_usize;
    while let Some((before, tag)) = split_at_any(rest, OPENS) {
        push(&mut pieces, "", before)?;
        if let Some(comment) = tag.strip_prefix("!--") {
            let (inside, after) = split_at_any(comment, &["-->", "--&gt;"])?;
            if !inside
                .chars()
                .all(|ch| ch.is_alphanumeric() || matches!(ch, ' ' | '-' | ':' | '/' | '.' | '_'))
            {
                return None;
            }
            rest = after;
        } else {
            rest = tag_end(tag, &mut pieces)?;
        }
        n_tags += 1;
    }
    push(&mut pieces, "", rest)?;
    (n_tags > 0).then_some(pieces)
}

/// Is `text` markup, and all of it harmless?
pub(crate) fn is_harmless_page(text: &str) -> bool {
    pieces(text).is_some()
}

fn push<'a>(pieces: &mut Vec<(&'a str, &'a str)>, name: &'a str, value: &'a str) -> Option<()> {
    if value.trim().len() < 2 {
        return Some(());
    }
    // What would not be looked at is not harmless.
    (pieces.len() < PIECES_MAX).then(|| pieces.push((name, value.trim())))
}

/// What stands before the first of `marks`, and what behind it.
fn split_at_any<'a>(text: &'a str, marks: &[&str]) -> Option<(&'a str, &'a str)> {
    let mut from = 0;
    while let Some(at) =
        text[from..].find(|ch| marks.iter().any(|mark| mark.starts_with(ch))).map(|n| from + n)
    {
        if let Some(mark) = marks.iter().find(|mark| text[at..].starts_with(**mark)) {
            return Some((&text[..at], &text[at + mark.len()..]));
        }
        from = at + 1;
    }
    None
}

fn strip_any<'a>(text: &'a str, marks: &[&str]) -> Option<&'a str> {
    marks.iter().find_map(|mark| text.strip_prefix(*mark))
}

/// What follows the tag whose inside `tag` begins with, if it is harmless.
pub(super) fn tag_end<'a>(tag: &'a str, pieces: &mut Vec<(&'a str, &'a str)>) -> Option<&'a str> {
    let (tag, is_end) = tag.strip_prefix('/').map_or((tag, false), |tag| (tag, true));
    let name_end = tag.find(|ch: char| !ch.is_ascii_alphanumeric())?;
    if !ELEMENTS.iter().any(|known| known.eq_ignore_ascii_case(&tag[..name_end])) {
        return None;
    }
    let mut rest = &tag[name_end..];
    loop {
        let trimmed = rest.trim_start();
        let closed = trimmed.strip_prefix('/').map_or(trimmed, str::trim_start);
        if let Some(after) = strip_any(closed, CLOSES) {
            return Some(after);
        }
        if is_end || trimmed.len() == rest.len() {
            return None;
        }
        let name_end = trimmed.find(|ch: char| !(ch.is_ascii_alphanumeric() || matches!(ch, '-' | ':')))?;
        let name = &trimmed[..name_end];
        let value = trimmed[name_end..].trim_start().strip_prefix('=')?.trim_start();
        let quote = QUOTES.iter().find(|quote| value.starts_with(**quote))?;
        let (inside, after) = value[quote.len()..].split_once(quote)?;
        if !is_harmless(name, inside) {
            return None;
        }
        push(pieces, name, inside)?;
        rest = after;
    }
}

fn is_harmless(name: &str, value: &str) -> bool {
    let is = |known: &&str| known.eq_ignore_ascii_case(name);
    if value.contains('<') || value.contains("&lt;") {
        return false;
    }
    if LINKS.iter().any(is) {
        return is_link(value);
    }
    if name.eq_ignore_ascii_case("srcset") {
        return value.split(", ").all(is_link);
    }
    if name.eq_ignore_ascii_case("style") {
        return value.chars().all(|ch| ch.is_ascii_alphanumeric() || " :;,.#%-!".contains(ch))
            && !["behavior", "binding", "expression"]
                .iter()
                .any(|word| value.to_ascii_lowercase().contains(word));
    }
    if name.eq_ignore_ascii_case("xmlns") {
        return value == "http://www.w3.org/1999/xhtml";
    }
    ATTRIBUTES.iter().any(is)
        || name
            .get(..5)
            .is_some_and(|head| head.eq_ignore_ascii_case("data-") || head.eq_ignore_ascii_case("aria-"))
}

/// Does a link lead to another document, or to another place of this one?
fn is_link(value: &str) -> bool {
    let value = value.trim();
    let head = value.get(..8).unwrap_or(value).to_ascii_lowercase();
    ["https://", "http://", "mailto:", "tel:", "//"].iter().any(|scheme| head.starts_with(scheme))
        || is_image(value)
        // No scheme, and none that is spelled with entities.
        || !value.split(['/', '?', '#']).next().unwrap_or("").contains([':', '&', '\t', '\n', '\\'])
}

/// Bytes that run nothing where they are shown: `data:image/png;base64,AAAA`.
fn is_image(value: &str) -> bool {
    const KINDS: &[&str] = &[
        "image/png",
        "image/jpeg",
        "image/jpg",
        "image/gif",
        "image/webp",
        "image/avif",
        "image/bmp",
        "image/x-icon",
        "application/pdf",
        "application/octet-stream",
        "application/font-woff",
    ];
    value.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")).is_some_and(|(kind, bytes)| {
        let is_known = KINDS.contains(&kind)
            || ["font/", "audio/", "video/"].iter().any(|start| {
                kind.strip_prefix(start).is_some_and(|rest| {
                    rest.bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'+'))
                })
            });
        is_known
            && bytes.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
    })
}

#[cfg(test)]
mod tests {
    use super::pieces;

    #[test]
    fn what_is_published_is_taken_apart() {
        let text = "<p class=\"x\">Hello <a href='https://a.example/?b=1&amp;c=2'>there</a><br/>and</p>";
        let found = pieces(text).expect("is harmless");
        assert_eq!(
            found,
            [("", "Hello"), ("href", "https://a.example/?b=1&amp;c=2"), ("", "there"), ("", "and")]
        );
        let spelled =
            "&lt;p&gt;Hello &lt;img src=&quot;/i.png&quot; alt=&quot;an image&quot;/&gt; there&lt;/p&gt;";
        assert_eq!(
            pieces(spelled),
            Some(vec![("", "Hello"), ("src", "/i.png"), ("alt", "an image"), ("", "there")])
        );
        for text in [
            "<h2 id=\"a\">T</h2><pre><code class=\"language-bash\">ps aux | grep foo</code></pre>",
            "<img src=\"data:image/png;base64,iVBORw0KGgo=\">",
            "<img src=\"data:font/woff2;base64,AAAA\">",
            "<td style=\"color: red; width: 10%\">x</td><!-- more -->",
            "<figure data-id=\"5\"><img src=\"//i.example/x.png\" srcset=\"/a.png 1x, /b.png 2x\"></figure>",
        ] {
            assert!(pieces(text).is_some(), "{text}");
        }
    }

    #[test]
    fn what_runs_or_is_not_known_is_not_harmless() {
        for text in [
            "no markup at all",
            "<script>x</script>",
            "<p onclick=\"x\">y</p>",
            "<img src=x onerror=alert(1)>",
            "<a href=\"javascript:x\">y</a>",
            "<a href=\"java&#10;script:x\">y</a>",
            "<a href=\"&#106;avascript:x\">y</a>",
            "<a href=\"data:text/html,x\">y</a>",
            "<a href=\"data:text/html;base64,AAAA\">y</a>",
            "<img src=\"data:image/svg+xml;base64,AAAA\">",
            "<img src=\"data:image/png;base64,AA'x\">",
            "<p style=\"background:url(x)\">y</p>",
            "<p style=\"width: expression\">y</p>",
            "<p title=\"<b>\">x</p>",
            "<p title=\"x\"onclick=\"y\">x</p>",
            "<iframe src=\"https://x.example\"></iframe>",
            "<form action=\"https://x.example\"></form>",
            "<base href=\"https://x.example/\">",
            "<svg/onload=x>",
            "<p>x<!--><img src=x>--></p>",
            "<p",
            "<p title=\"open",
            "1 < 2",
        ] {
            assert_eq!(pieces(text), None, "{text}");
        }
        assert_eq!(pieces(&"<b>xx</b>".repeat(1_000)), None, "more than is looked at");
        assert_eq!(pieces(&"<".repeat(100_000)), None);
        assert_eq!(pieces(&"&".repeat(100_000)), None);
    }
}
