//! A value read as tokens, and the questions that every shape asks of it.

use std::ops::Range;

use super::tokens::{Context, Kind, Token};
use super::words::class;

/// A value as tokens in one context.
pub(super) struct Reading<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: &'a [Token],
    pub(super) context: Context,
    /// Read from the start of the value (or its first quote), not from somewhere inside.
    pub(super) is_first: bool,
}

/// What an operand is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operand {
    Literal,
    Name,
    Call,
    Group,
}

impl Reading<'_> {
    pub(super) fn kind(&self, at: usize) -> Option<Kind> {
        self.tokens.get(at).map(|token| token.kind)
    }

    pub(super) fn str(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| &self.text[token.span.clone()])
    }

    pub(super) fn is_word(&self, at: usize, words: &[&str]) -> bool {
        let Some(token) = self.tokens.get(at).filter(|token| token.kind == Kind::Word) else { return false };
        let word = &self.text.as_bytes()[token.span.clone()];
        words.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
    }

    /// Is the token a word of one of the sets `classes`?
    pub(super) fn is_in(&self, at: usize, classes: u8) -> bool {
        self.tokens.get(at).is_some_and(|token| token.classes & classes != 0)
    }

    pub(super) fn span(&self, first: usize, end: usize) -> Range<usize> {
        let last = end.saturating_sub(1).clamp(first, self.tokens.len() - 1);
        // A quotation that the value closes shows as its closing quote.
        let start = match (first, self.context) {
            (0, Context::Quoted(_)) => self.tokens[0].span.end.saturating_sub(1),
            _ => self.tokens[first].span.start,
        };
        start..self.tokens[last].span.end.max(start + 1).min(self.text.len())
    }

    /// Is token 0 a quotation that the value closes?
    pub(super) fn is_closed_quotation(&self) -> bool {
        matches!(self.context, Context::Quoted(quote)
            if self.text[self.tokens.first().map_or(0..0, |token| token.span.clone())].as_bytes().last() == Some(&quote))
    }

    pub(super) fn skip(&self, mut at: usize, kind: Kind) -> usize {
        while self.kind(at) == Some(kind) {
            at += 1;
        }
        at
    }

    /// The token before `at`, over closing parentheses.
    pub(super) fn before(&self, at: usize) -> Option<usize> {
        (0..at).rev().find(|&before| self.kind(before) != Some(Kind::Close))
    }

    pub(super) fn is_end(&self, at: usize) -> bool {
        matches!(self.kind(at), None | Some(Kind::Comment | Kind::Semicolon))
    }

    /// Is the place before token `at` one where an injected piece can begin: after a closed quotation, after a number or
    /// a quoted text, after the only word of the value, or at its start?
    pub(super) fn begins_injection(&self, at: usize) -> bool {
        // `1')) as x where ...` closes a derived table first.
        if at >= 3 && self.is_word(at - 2, &["as"]) && self.kind(at - 1) == Some(Kind::Word) {
            return self.begins_injection(at - 2);
        }
        match self.before(at) {
            None => self.is_first,
            Some(_) if self.follows_calls(at) => true,
            Some(0) if matches!(self.context, Context::Quoted(_)) => self.is_closed_quotation(),
            // Texts side by side are one text.
            Some(before) if matches!(self.context, Context::Quoted(_)) => {
                self.is_closed_quotation()
                    && (1..=before).all(|at| self.kind(at) == Some(Kind::Text) && self.str(at).len() <= 4)
            }
            Some(before) => match self.kind(before) {
                Some(Kind::Number | Kind::Text | Kind::Variable) => true,
                Some(Kind::Semicolon) => before == 0 && self.is_first,
                Some(Kind::Word) => {
                    before == 0
                        || self.kind(at - 1) == Some(Kind::Close)
                        || self.is_word(before, &["null", "true", "false"])
                }
                _ => false,
            },
        }
    }

    /// `floor(pi()) and`, `1+(pi()) and`: is everything before `at` one operand that a function makes?
    pub(super) fn follows_calls(&self, at: usize) -> bool {
        let is_start = self.context == Context::Bare
            && self.is_first
            && (3..=16).contains(&at)
            && (self.kind(0) == Some(Kind::Number) || self.is_in(0, class::WEAK | class::STRONG));
        is_start && matches!(self.operand(0), Some((end, Operand::Call | Operand::Group)) if end == at)
    }

    /// The operand that begins at `at`: the index after it and what it is.
    pub(super) fn operand(&self, mut at: usize) -> Option<(usize, Operand)> {
        while matches!(self.kind(at), Some(Kind::Operator)) && self.str(at) != "*"
            || self.is_word(at, &["not", "binary", "n", "x", "b", "all", "any", "some"])
                && matches!(self.kind(at + 1), Some(Kind::Text | Kind::Number | Kind::Open | Kind::Operator))
        {
            at += 1;
        }
        let (mut end, mut operand) = match self.kind(at)? {
            // Two texts side by side are one text.
            Kind::Text => (at + 1 + usize::from(self.kind(at + 1) == Some(Kind::Text)), Operand::Literal),
            Kind::Number | Kind::Variable => (at + 1, Operand::Literal),
            Kind::Word if self.kind(at + 1) == Some(Kind::Open) => (self.group_end(at + 1), Operand::Call),
            Kind::Word if self.is_word(at, &["null", "true", "false"]) => (at + 1, Operand::Literal),
            // `array[id]`.
            Kind::Word if self.kind(at + 1) == Some(Kind::Word) && self.str(at + 1).starts_with('[') => {
                (at + 2, Operand::Name)
            }
            Kind::Word => (at + 1, Operand::Name),
            Kind::Open if self.is_word(at + 1, &["select"]) => (self.group_end(at), Operand::Group),
            Kind::Open => {
                // An injected piece may leave the closing to what follows it.
                let (end, operand) = self.operand(at + 1)?;
                if matches!(self.kind(end), Some(Kind::Word | Kind::Number))
                    && !self.is_word(end, &["is", "like", "in", "or", "and"])
                {
                    return Some((self.group_end(at), Operand::Name));
                }
                return Some((self.skip(end, Kind::Close), operand));
            }
            _ => return None,
        };
        while self.kind(end) == Some(Kind::Dot) {
            end += 2;
        }
        while self.kind(end) == Some(Kind::Operator) {
            let Some((next, other)) = self.simple_operand(end + 1) else { break };
            end = next;
            operand = if other == Operand::Name { operand } else { other };
        }
        Some((end, operand))
    }

    pub(super) fn simple_operand(&self, at: usize) -> Option<(usize, Operand)> {
        match self.kind(at)? {
            Kind::Number | Kind::Text | Kind::Variable => Some((at + 1, Operand::Literal)),
            Kind::Word if self.kind(at + 1) == Some(Kind::Open) => {
                Some((self.group_end(at + 1), Operand::Call))
            }
            Kind::Word => Some((at + 1, Operand::Name)),
            Kind::Open => Some((self.group_end(at), Operand::Group)),
            _ => None,
        }
    }

    /// After the parenthesis that closes the one at `at`, or the end.
    pub(super) fn group_end(&self, at: usize) -> usize {
        let mut depth = 0_usize;
        for index in at..self.tokens.len() {
            match self.kind(index) {
                Some(Kind::Open) => depth += 1,
                Some(Kind::Close) => {
                    depth -= 1;
                    if depth == 0 {
                        return index + 1;
                    }
                }
                _ => {}
            }
        }
        self.tokens.len()
    }
}
