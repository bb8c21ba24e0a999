//! Patterns of key names as `SCAN ... MATCH` reads them, made once and asked of every key of a pass.

/// One part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// `*`: any number of bytes.
    Any,
    /// `?`: one byte.
    One,
    /// This byte.
    Byte(u8),
    /// `[...]`: one byte of these ranges, or of none of them.
    Class { negated: bool, ranges: Vec<(u8, u8)> },
}

impl Token {
    fn takes(&self, byte: u8) -> bool {
        match self {
            Self::Any | Self::One => true,
            Self::Byte(own) => *own == byte,
            Self::Class { negated, ranges } => {
                ranges.iter().any(|(from, to)| (*from..=*to).contains(&byte)) != *negated
            }
        }
    }
}

/// A pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Glob {
    /// What every name begins with: nearly always enough to tell that a name does not fit.
    literal: Vec<u8>,
    rest: Vec<Token>,
}

impl Glob {
    pub(crate) fn new(pattern: &str) -> Self {
        let mut tokens = Vec::new();
        let mut bytes = pattern.bytes().peekable();
        while let Some(byte) = bytes.next() {
            tokens.push(match byte {
                b'*' if tokens.last() == Some(&Token::Any) => continue,
                b'*' => Token::Any,
                b'?' => Token::One,
                b'[' => class(&mut bytes),
                b'\\' => Token::Byte(bytes.next().unwrap_or(b'\\')),
                other => Token::Byte(other),
            });
        }
        let literal: Vec<u8> = tokens
            .iter()
            .map_while(|token| if let Token::Byte(byte) = token { Some(*byte) } else { None })
            .collect();
        let rest = tokens.split_off(literal.len());
        Self { literal, rest }
    }

    pub(crate) fn fits(&self, name: &[u8]) -> bool {
        let Some(name) = name.strip_prefix(self.literal.as_slice()) else { return false };
        if self.rest == [Token::Any] {
            return true;
        }
        let (mut at, mut token) = (0, 0);
        // The last `*` met, and how much it has taken: only that one has to be tried again.
        let mut star: Option<(usize, usize)> = None;
        while at < name.len() {
            match self.rest.get(token) {
                Some(Token::Any) => {
                    star = Some((token, at));
                    token += 1;
                }
                Some(one) if one.takes(name[at]) => {
                    at += 1;
                    token += 1;
                }
                _ => match star {
                    Some((again, taken)) => {
                        star = Some((again, taken + 1));
                        at = taken + 1;
                        token = again + 1;
                    }
                    None => return false,
                },
            }
        }
        self.rest[token..].iter().all(|token| *token == Token::Any)
    }
}

/// What stands in brackets; without a closing one it goes to the end.
fn class(bytes: &mut std::iter::Peekable<std::str::Bytes<'_>>) -> Token {
    let negated = bytes.next_if_eq(&b'^').is_some();
    let mut ranges = Vec::new();
    while let Some(byte) = bytes.next() {
        let from = match byte {
            b']' => break,
            b'\\' => bytes.next().unwrap_or(b'\\'),
            other => other,
        };
        let mut ahead = bytes.clone();
        match (ahead.next(), ahead.next()) {
            (Some(b'-'), Some(to)) => {
                *bytes = ahead;
                ranges.push((from.min(to), from.max(to)));
            }
            _ => ranges.push((from, from)),
        }
    }
    Token::Class { negated, ranges }
}

#[cfg(test)]
mod tests {
    use super::Glob;

    #[test]
    fn fits_what_the_server_fits() {
        for (pattern, fits, not) in [
            ("cart:*", &["cart:", "cart:1"][..], &["car", "xcart:1"][..]),
            ("*", &["", "a"], &[]),
            ("a?c", &["abc", "a?c"], &["ac", "abbc"]),
            ("*:7", &["a:7", "b:7:7"], &["a:70", "7"]),
            ("a*b*c", &["abc", "axxbyyc", "abcbc"], &["ab", "acb"]),
            ("h[ae]llo", &["hallo", "hello"], &["hillo", "hllo"]),
            ("h[^e]llo", &["hallo"], &["hello"]),
            ("n[0-9]", &["n0", "n9"], &["na", "n"]),
            ("n[9-0]", &["n5"], &["n-"]),
            (r"a\*", &["a*"], &["ab"]),
            (r"[\]x]", &["]", "x"], &["\\"]),
            ("**a**", &["a", "bab"], &["b"]),
            ("", &[""], &["a"]),
        ] {
            let glob = Glob::new(pattern);
            for name in fits {
                assert!(glob.fits(name.as_bytes()), "{pattern} {name}");
            }
            for name in not {
                assert!(!glob.fits(name.as_bytes()), "{pattern} {name}");
            }
        }
    }
}
