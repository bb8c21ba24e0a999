//! Markup that runs nothing: what people publish, images in SVG, messages of single sign-on; and queries of GraphQL.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::Context;
use crate::decode::Encoding;
use crate::fields::markup;

/// Shapes and their colours.
const DRAWN: &[&str] = &[
    "svg",
    "g",
    "path",
    "rect",
    "circle",
    "ellipse",
    "line",
    "polyline",
    "polygon",
    "text",
    "tspan",
    "defs",
    "lineargradient",
    "radialgradient",
    "stop",
    "clippath",
    "mask",
    "symbol",
    "pattern",
    "marker",
    "metadata",
];
/// Prefixes that messages between services have.
const PREFIXES: &[&str] = &[
    "samlp", "saml", "saml2", "saml2p", "ds", "dsig", "md", "xs", "xenc", "ecp", "wsse", "wsu", "wst",
    "soap", "soapenv", "s", "env", "rdf", "dc", "cc",
];
/// Longest document that is read.
const BYTES_MAX: usize = 128 << 10;

/// The whole text, if it is markup and nothing in it runs or loads anything but images.
pub(super) fn harmless(text: &str, _: &Context<'_>) -> Option<Range<usize>> {
    (text.len() <= BYTES_MAX
        && !breaks_out(text)
        && (markup::is_harmless_page(text) || is_document(text) || is_property_list(text)))
    .then_some(0..text.len())
}

/// Does the text close what it is put into, a quotation, a tag, a comment or a section?
fn breaks_out(text: &str) -> bool {
    let head = text.split('<').next().unwrap_or("");
    head.contains(['"', '\'', '`', '>'])
        || text.contains("]]>")
        || text.trim_start().starts_with("<!--")
        || text.contains("-->") && !text.contains("<!--")
}

/// Is it an SVG or a SAML message without anything that runs?
fn is_document(text: &str) -> bool {
    let mut rest = text.trim();
    // A piece of one is put into a page, which is another matter.
    let is_whole = rest.ends_with("</svg>") && rest.contains("http://www.w3.org/2000/svg")
        || rest.starts_with('<') && rest.contains("urn:oasis:names:tc:SAML");
    if !is_whole {
        return false;
    }
    let mut n_tags = 0_usize;
    while let Some(at) = rest.find('<') {
        let tag = &rest[at + 1..];
        let after = if let Some(comment) = tag.strip_prefix("!--") {
            comment
                .split_once("-->")
                .filter(|(inside, _)| !inside.contains(['<', '>', '[']))
                .map(|(_, after)| after)
        } else if tag.starts_with("?xml ") || tag.starts_with("!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG ") {
            tag.split_once('>')
                .filter(|(inside, _)| {
                    n_tags == 0
                        && !inside.contains(['<', '['])
                        && inside.match_indices("://").count() == inside.matches("http://www.w3.org/").count()
                })
                .map(|(_, after)| after)
        } else {
            n_tags += 1;
            tag_end(tag)
        };
        let Some(after) = after else { return false };
        rest = after;
    }
    n_tags > 0
}

/// Is it a property list as Apple's tools write them, with none but its own elements?
fn is_property_list(text: &str) -> bool {
    const TYPES: &[&str] = &[
        "PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\"",
        "PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"https://www.apple.com/DTDs/PropertyList-1.0.dtd\"",
        "PUBLIC \"-//Apple Computer//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\"",
    ];
    const ELEMENTS: &[&str] =
        &["plist", "dict", "array", "key", "string", "integer", "real", "true", "false", "date", "data"];
    let text = text.trim();
    let text = match text.strip_prefix("<?xml ").and_then(|rest| rest.split_once("?>")) {
        Some((head, rest)) if !head.contains(['<', '>']) => rest.trim_start(),
        _ => text,
    };
    let typed = text.strip_prefix("<!DOCTYPE plist ").and_then(|rest| rest.split_once('>'));
    let Some((_, body)) = typed.filter(|(kind, _)| TYPES.contains(&kind.trim())) else { return false };
    body.ends_with("</plist>")
        && body.split('<').enumerate().all(|(nth, piece)| {
            // What stands before the first one.
            let Some((tag, _)) = piece.split_once('>') else { return nth == 0 && piece.trim().is_empty() };
            let tag = tag.trim_start_matches('/').trim_end_matches('/').trim_end();
            nth > 0 && (ELEMENTS.contains(&tag) || tag == "plist version=\"1.0\"")
        })
}

/// What follows the tag whose inside `tag` begins with, if it runs nothing.
fn tag_end(tag: &str) -> Option<&str> {
    let (tag, is_end) = tag.strip_prefix('/').map_or((tag, false), |tag| (tag, true));
    let name_end = tag.find(|ch: char| !(ch.is_ascii_alphanumeric() || matches!(ch, ':' | '-' | '.')))?;
    let name = tag[..name_end].to_ascii_lowercase();
    let is_known = match name.split_once(':') {
        Some((prefix, local)) => {
            PREFIXES.contains(&prefix) && !matches!(local, "script" | "import" | "handler")
        }
        None => DRAWN.contains(&name.as_str()),
    };
    if !is_known {
        return None;
    }
    let mut rest = &tag[name_end..];
    loop {
        let trimmed = rest.trim_start();
        if let Some(after) = trimmed.strip_prefix("/>").or_else(|| trimmed.strip_prefix('>')) {
            return Some(after);
        }
        if is_end || trimmed.len() == rest.len() {
            return None;
        }
        let (attribute, value) = trimmed.split_once('=')?;
        let attribute = attribute.trim().to_ascii_lowercase();
        let value = value.trim_start();
        let quote = value.chars().next().filter(|ch| matches!(ch, '"' | '\''))?;
        let (inside, after) = value[1..].split_once(quote)?;
        let lower = inside.to_ascii_lowercase();
        let leads_away =
            attribute.ends_with("href") && !inside.starts_with(['#', '/']) && !lower.starts_with("http");
        let is_plain =
            attribute.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-' | b'_'))
                && !attribute.starts_with("on")
                && !inside.contains(['<', '\\'])
                && !["script", "data:", "&#", "expression", "import", "@", "url("]
                    .iter()
                    .any(|mark| lower.contains(mark))
                && !leads_away;
        if !is_plain {
            return None;
        }
        rest = after;
    }
}

/// The whole text, if all that it has of data URIs are drawings that run nothing.
pub(super) fn harmless_drawing(text: &str, _: &Context<'_>) -> Option<Range<usize>> {
    const HEAD: &str = "data:image/svg+xml;base64,";
    let lower = text.to_ascii_lowercase();
    let n_drawings = lower.matches(HEAD).count();
    if n_drawings == 0 || n_drawings != lower.matches("data:").count() || lower.contains("script") {
        return None;
    }
    let engine = GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    lower
        .match_indices(HEAD)
        .all(|(at, _)| {
            let rest = &text[at + HEAD.len()..];
            let end = rest
                .find(|ch: char| !(ch.is_ascii_alphanumeric() || matches!(ch, '+' | '/' | '=')))
                .unwrap_or(rest.len());
            engine
                .decode(&rest[..end])
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok())
                .is_some_and(|drawing| drawing.len() <= BYTES_MAX && is_document(&drawing))
        })
        .then_some(0..text.len())
}

/// The whole text, if it is a query of GraphQL whose variables have types: `query($in: [ID!]!) {...}`.
pub(super) fn graphql(text: &str, _: &Context<'_>) -> Option<Range<usize>> {
    let trimmed = text.trim_start();
    let rest = ["query", "mutation", "subscription"].iter().find_map(|word| trimmed.strip_prefix(word))?;
    let (head, body) = rest.split_once('{')?;
    let (name, variables) = head.split_once('(')?;
    let is_typed = variables.split('$').skip(1).all(|variable| {
        variable.split_once(':').is_some_and(|(name, kind)| {
            name.trim().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                && kind.trim_start().trim_start_matches('[').starts_with(|ch: char| ch.is_ascii_uppercase())
        })
    });
    // A variable that is used has no colon behind it.
    let is_used = !body.split('$').skip(1).any(|used| {
        used.trim_start_matches(|ch: char| ch.is_ascii_alphanumeric() || ch == '_')
            .trim_start()
            .starts_with([':', '=', ']', '"'])
            && !used.contains(')')
    });
    (name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b' '))
        && is_typed
        && is_used)
        .then_some(0..text.len())
}

/// The whole text, if it is a query of GraphQL, or a string in JSON that is no name: `{"op": "$in"}` asks for nothing.
pub(super) fn no_operator(text: &str, context: &Context<'_>) -> Option<Range<usize>> {
    let field = context.field;
    let is_word = text
        .strip_prefix('$')
        .is_some_and(|word| word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
    let is_name = field.key.as_deref() == Some(field.value);
    if field.encoding == Encoding::Json && is_word && !is_name {
        return Some(0..text.len());
    }
    graphql(text, context)
}

#[cfg(test)]
mod tests {
    use super::{breaks_out, is_document, is_property_list};

    #[test]
    fn documents_that_run_nothing_are_told_from_others() {
        const SVG: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\">";
        let svg = |inside: &str| format!("{SVG}{inside}</svg>");
        let message = |inside: &str| {
            format!(
                "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"_1\">{inside}</samlp:Response>"
            )
        };
        let typed = |system: &str| {
            format!(
                "<?xml version=\"1.0\"?>\n<!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" \"{system}\">{SVG}<g/></svg>"
            )
        };
        for (text, expect) in [
            (svg("<path d=\"M0 0z\"/><!-- made by hand -->"), true),
            (typed("http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd"), true),
            (message("<saml:Issuer>http://a.example</saml:Issuer>"), true),
            (SVG.to_owned(), false),
            ("<svg onload=\"x\"/>".to_owned(), false),
            (SVG.replace('>', " onload=\"x\"></svg>"), false),
            (svg("<script>x</script>"), false),
            (svg("<a href=\"javascript:x\"><text>y</text></a>"), false),
            (svg("<use href=\"data:x\"/>"), false),
            (svg("<animate onbegin='x'/>"), false),
            (svg("<foreignObject><b/></foreignObject>"), false),
            (svg("<g style=\"x:expression(y)\"/>"), false),
            (svg("<g style=\"fill:url(//x.example/a)\"/>"), false),
            (format!("<!DOCTYPE svg [<!ENTITY a SYSTEM \"file:///x\">]>{}", svg("&a;")), false),
            (typed("http://x.example/a.dtd"), false),
            (message("<s:script>x</s:script>"), false),
            (message("<img src=x onerror=alert(1)>"), false),
            ("text".to_owned(), false),
        ] {
            assert_eq!(is_document(&text), expect, "{text}");
        }
        let list = |head: &str, inside: &str| {
            format!("<?xml version=\"1.0\"?>\n{head}\n<plist version=\"1.0\"><dict>{inside}</dict></plist>\n")
        };
        let apple = "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
                     \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">";
        for (text, expect) in [
            (list(apple, "<key>a</key><true/><key>b</key><string>c > d</string>"), true),
            (list(apple, "<key>a</key><script>b</script>"), false),
            (list(apple, "<key onclick=\"b\">a</key>"), false),
            (list(&apple.replace("www.apple.com", "x.example"), "<true/>"), false),
            (list(&apple.replace("\">", "\" [<!ENTITY a \"b\">]>"), "<true/>"), false),
            (list("<!DOCTYPE plist SYSTEM \"a\">", "<true/>"), false),
            (format!("{apple}x<plist></plist>"), false),
            (apple.to_owned(), false),
        ] {
            assert_eq!(is_property_list(&text), expect, "{text}");
        }
        assert!(breaks_out("\"><svg/>") && breaks_out("x'/><img>") && !breaks_out("a <b>b</b>"));
    }
}
