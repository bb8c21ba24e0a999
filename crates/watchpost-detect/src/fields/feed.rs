//! Feeds (Atom, RSS), sitemaps and outlines: XML whose elements are named like those of a page.

use super::markup;

/// What such a document begins with.
const ROOTS: &[&str] = &["feed", "rss", "urlset", "sitemapindex", "opml"];
/// The elements of these documents; with any other one a document is looked at as a whole.
const ELEMENTS: &[&str] = &[
    "feed",
    "entry",
    "title",
    "subtitle",
    "link",
    "id",
    "updated",
    "published",
    "author",
    "contributor",
    "name",
    "email",
    "uri",
    "rights",
    "category",
    "generator",
    "icon",
    "logo",
    "summary",
    "content",
    "source",
    "rss",
    "channel",
    "item",
    "description",
    "language",
    "copyright",
    "managingeditor",
    "webmaster",
    "pubdate",
    "lastbuilddate",
    "docs",
    "cloud",
    "ttl",
    "image",
    "url",
    "width",
    "height",
    "comments",
    "enclosure",
    "guid",
    "urlset",
    "sitemapindex",
    "sitemap",
    "loc",
    "lastmod",
    "changefreq",
    "priority",
    "opml",
    "head",
    "body",
    "outline",
    "datecreated",
    "datemodified",
    "ownername",
];
/// Their attributes.
const ATTRIBUTES: &[&str] = &[
    "rel",
    "href",
    "type",
    "hreflang",
    "title",
    "length",
    "term",
    "scheme",
    "label",
    "src",
    "version",
    "url",
    "uri",
    "ispermalink",
    "domain",
    "xmlns",
    "xml:lang",
    "xml:base",
    "text",
    "xmlurl",
    "htmlurl",
    "encoding",
    "standalone",
];

/// Prefixes under which extensions of feeds are written.
const PREFIXES: &[&str] = &[
    "content",
    "dc",
    "dcterms",
    "atom",
    "media",
    "itunes",
    "slash",
    "sy",
    "wfw",
    "georss",
    "feedburner",
    "thr",
    "image",
    "news",
    "video",
    "podcast",
    "creativecommons",
    "cc",
    "opensearch",
    "gd",
    "yt",
    "webfeeds",
    "googleplay",
    "trackback",
];
/// What an extension is no name for.
const NO_EXTENSION: &[&str] =
    &["script", "iframe", "object", "embed", "applet", "style", "form", "svg", "base", "meta"];

/// Is `text` such a document, and nothing else? A document that declares something (`<!DOCTYPE`) is none.
///
/// Forgiving as browsers are not: what cannot be read is not plain.
pub(super) fn is_plain(text: &str) -> bool {
    let mut rest = text.trim_start_matches(['\u{feff}', ' ', '\n', '\r', '\t']);
    if let Some(tail) = rest.strip_prefix("<?xml ") {
        let Some((head, tail)) = tail.split_once("?>") else { return false };
        if head.contains('<') {
            return false;
        }
        rest = tail;
    }
    let mut is_root = true;
    while let Some(open) = rest.find('<') {
        if is_root && !rest[..open].trim().is_empty() {
            return false;
        }
        let tag = &rest[open + 1..];
        if let Some(content) = tag.strip_prefix("![CDATA[") {
            let Some((_, tail)) = content.split_once("]]>") else { return false };
            rest = tail;
            continue;
        }
        let Some(tail) = element(tag, is_root) else { return false };
        (rest, is_root) = (tail, false);
    }
    !is_root
}

/// What follows the tag that `tag` begins with, if all of it belongs to a feed.
fn element(tag: &str, is_root: bool) -> Option<&str> {
    let whole = tag;
    let (tag, is_end) = tag.strip_prefix('/').map_or((tag, false), |tag| (tag, true));
    let name_end = tag.find(|ch: char| !(ch.is_ascii_alphanumeric() || ch == ':'))?;
    let name = &tag[..name_end];
    let known = if is_root { ROOTS } else { ELEMENTS };
    if !known.iter().any(|known| known.eq_ignore_ascii_case(name)) && (is_root || !is_extension(name)) {
        // An entry may be written as a page, within limits.
        return if is_root { None } else { markup::tag_end(whole, &mut Vec::new()) };
    }
    let mut rest = &tag[name_end..];
    loop {
        let trimmed = rest.trim_start();
        if let Some(tail) = trimmed.strip_prefix('>').or_else(|| trimmed.strip_prefix("/>")) {
            return Some(tail);
        }
        // An attribute stands behind a blank, and an end tag has none.
        if is_end || trimmed.len() == rest.len() {
            return None;
        }
        let (name, value) = trimmed.split_once('=')?;
        let name = name.trim_end();
        let prefix = name.strip_prefix("xmlns:").filter(|own| own.chars().all(char::is_alphanumeric));
        let is_known = prefix.is_some() || is_attribute(name);
        let value = value.trim_start();
        let quote = value.chars().next().filter(|ch| is_known && matches!(ch, '"' | '\''))?;
        let (inside, tail) = value[1..].split_once(quote)?;
        // Under another name a page would be one all the same.
        let is_page =
            prefix.is_some() && ["xhtml", "svg", "XSL", "MathML"].iter().any(|word| inside.contains(word));
        if inside.contains('<') || is_page {
            return None;
        }
        rest = tail;
    }
}

/// `media:thumbnail`.
fn is_extension(name: &str) -> bool {
    let Some((prefix, own)) = name.split_once(':') else { return false };
    let is = |known: &&str, name: &str| known.eq_ignore_ascii_case(name);
    PREFIXES.iter().any(|known| is(known, prefix)) && !NO_EXTENSION.iter().any(|known| is(known, own))
}

/// Those of extensions as well, which name no place that a browser would go to by itself; what begins with `on` might run.
fn is_attribute(name: &str) -> bool {
    const OF_EXTENSIONS: &[&str] = &[
        "medium",
        "filesize",
        "duration",
        "fileSize",
        "expression",
        "bitrate",
        "isdefault",
        "count",
        "ref",
        "role",
        "relationship",
        "width",
        "height",
        "lang",
        "email",
        "starrating",
        "average",
        "min",
        "max",
        "views",
        "time",
    ];
    ATTRIBUTES.iter().chain(OF_EXTENSIONS).any(|known| known.eq_ignore_ascii_case(name))
}
