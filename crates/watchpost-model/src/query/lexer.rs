//! Characters of a query, and the words in them.

use super::{Pattern, QueryFault, QueryProblem};

/// Ends a bare word.
const fn ends_word(ch: char) -> bool {
    ch.is_whitespace() || matches!(ch, '(' | ')' | '"')
}

/// Must be escaped in a bare word to be itself. At its begin, more do.
pub(super) fn needs_escape(ch: char) -> bool {
    ends_word(ch) || ch.is_control() || matches!(ch, '*' | '\\' | ':')
}

/// Means something at the begin of a word.
pub(super) const fn is_sign(ch: char) -> bool {
    matches!(ch, '-' | '<' | '>')
}

/// Words that mean something by themselves.
pub(super) fn is_keyword(text: &str) -> bool {
    ["and", "or", "not"].iter().any(|keyword| text.eq_ignore_ascii_case(keyword))
}

/// Reads `text` back as itself when it is written without quotes?
pub(super) fn is_plain(text: &str, free: bool) -> bool {
    let first = text.chars().next();
    first.is_some_and(|ch| !is_sign(ch))
        && !is_keyword(text)
        && !text
            .chars()
            .any(|ch| ends_word(ch) || ch.is_control() || matches!(ch, '*' | '\\') || (free && ch == ':'))
}

/// A place in a query.
pub(super) struct Cursor {
    chars: Vec<char>,
    at: usize,
}

/// A word with its wildcards, and where it stands.
pub(super) struct Word {
    pub(super) at: usize,
    pub(super) length: usize,
    pub(super) pattern: Pattern,
    /// It stood in quotes: nothing in it means anything.
    pub(super) quoted: bool,
    /// As it was written.
    pub(super) raw: String,
}

impl Cursor {
    pub(super) fn new(text: &str) -> Self {
        Self { chars: text.chars().collect(), at: 0 }
    }

    pub(super) const fn at(&self) -> usize {
        self.at
    }

    pub(super) const fn len(&self) -> usize {
        self.chars.len()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    pub(super) fn after(&self, n: usize) -> Option<char> {
        self.chars.get(self.at + n).copied()
    }

    pub(super) fn skip(&mut self, n: usize) {
        self.at = (self.at + n).min(self.chars.len());
    }

    pub(super) fn skip_space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    /// Takes `text` if it stands here.
    pub(super) fn take(&mut self, text: &str) -> bool {
        let found = text.chars().enumerate().all(|(index, ch)| self.after(index) == Some(ch));
        if found {
            self.skip(text.chars().count());
        }
        found
    }

    /// The keyword that stands here, in lower case, without taking it.
    pub(super) fn keyword(&self) -> Option<&'static str> {
        let word: String = self.chars[self.at..].iter().take(4).take_while(|ch| !ends_word(**ch)).collect();
        ["and", "or", "not"].into_iter().find(|keyword| word.eq_ignore_ascii_case(keyword))
    }

    /// Takes `name:` if a field's name and a colon stand here.
    pub(super) fn field(&mut self) -> Option<Word> {
        let name: String = self.chars[self.at..]
            .iter()
            .take_while(|ch| ch.is_ascii_alphanumeric() || matches!(ch, '_' | '.' | '@' | '-'))
            .collect();
        let length = name.len();
        if length == 0 || self.after(length) != Some(':') {
            return None;
        }
        let at = self.at;
        self.skip(length + 1);
        Some(Word { at, length, pattern: Pattern::exact(name.as_str()), quoted: false, raw: name })
    }

    /// Takes a bare or quoted word; `None` if none stands here.
    pub(super) fn word(&mut self) -> Result<Option<Word>, QueryFault> {
        match self.peek() {
            Some('"') => self.quoted().map(Some),
            Some(ch) if !ends_word(ch) => Ok(Some(self.bare())),
            _ => Ok(None),
        }
    }

    fn bare(&mut self) -> Word {
        let at = self.at;
        let mut pieces = vec![String::new()];
        while let Some(ch) = self.peek().filter(|ch| !ends_word(*ch)) {
            self.at += 1;
            match ch {
                '*' => pieces.push(String::new()),
                // The last character of a query may be a backslash.
                '\\' => push(&mut pieces, self.peek().inspect(|_| self.at += 1).unwrap_or('\\')),
                other => push(&mut pieces, other),
            }
        }
        let raw = self.chars[at..self.at].iter().collect();
        Word { at, length: self.at - at, pattern: Pattern::of(pieces), quoted: false, raw }
    }

    fn quoted(&mut self) -> Result<Word, QueryFault> {
        let at = self.at;
        let mut text = String::new();
        self.at += 1;
        loop {
            match self.peek() {
                None => {
                    return Err(QueryFault::new(at, self.at - at, QueryProblem::NoEnd, &["\""]));
                }
                Some('"') => break,
                Some('\\') if matches!(self.after(1), Some('"' | '\\')) => {
                    text.extend(self.after(1));
                    self.at += 2;
                }
                Some(ch) => {
                    text.push(ch);
                    self.at += 1;
                }
            }
        }
        self.at += 1;
        let raw = self.chars[at..self.at].iter().collect();
        Ok(Word { at, length: self.at - at, pattern: Pattern::exact(text), quoted: true, raw })
    }
}

fn push(pieces: &mut [String], ch: char) {
    if let Some(last) = pieces.last_mut() {
        last.push(ch);
    }
}
