//! The named HTML entities that can spell markup or code. Source: the WHATWG list, reduced to ASCII and no-break space.

/// Name (without `&`), the character, and whether browsers take it without the semicolon.
const NAMED: &[(&str, char, bool)] = &[
    ("lt", '<', true),
    ("gt", '>', true),
    ("LT", '<', true),
    ("GT", '>', true),
    ("quot", '"', true),
    ("QUOT", '"', true),
    ("amp", '&', true),
    ("AMP", '&', true),
    ("nbsp", ' ', true),
    ("apos", '\'', false),
    ("colon", ':', false),
    ("Tab", '\t', false),
    ("NewLine", '\n', false),
    ("lpar", '(', false),
    ("rpar", ')', false),
    ("sol", '/', false),
    ("bsol", '\\', false),
    ("equals", '=', false),
    ("semi", ';', false),
    ("period", '.', false),
    ("comma", ',', false),
    ("grave", '`', false),
    ("lbrace", '{', false),
    ("lcub", '{', false),
    ("rbrace", '}', false),
    ("rcub", '}', false),
    ("lsqb", '[', false),
    ("lbrack", '[', false),
    ("rsqb", ']', false),
    ("rbrack", ']', false),
    ("num", '#', false),
    ("dollar", '$', false),
    ("percnt", '%', false),
    ("plus", '+', false),
    ("excl", '!', false),
    ("quest", '?', false),
    ("commat", '@', false),
    ("lowbar", '_', false),
    ("vert", '|', false),
    ("ast", '*', false),
    ("zwnj", '\u{200c}', false),
    ("zwj", '\u{200d}', false),
    ("shy", '\u{ad}', true),
];

/// The entity at the start of `text` (which begins with `&`): its character and its length in bytes.
pub(super) fn named_entity(text: &str) -> Option<(char, usize)> {
    let rest = &text[1..];
    NAMED.iter().find_map(|&(name, ch, may_lack_semicolon)| {
        let after = rest.strip_prefix(name)?;
        if after.starts_with(';') {
            return Some((ch, name.len() + 2));
        }
        // `&lt` without semicolon, but not the start of a parameter name such as `&ltd=`.
        let ends = !after.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '=');
        (may_lack_semicolon && ends).then_some((ch, name.len() + 1))
    })
}
