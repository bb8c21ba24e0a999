//! Conditions that an attacker adds: comparisons and expressions that end in a comment or an open quotation.

use std::ops::Range;

use super::reading::{Operand, Reading};
use super::tokens::{Context, Kind};
use super::words::class;

impl Reading<'_> {
    pub(super) fn tautology(&self) -> Option<Range<usize>> {
        let in_quotation = matches!(self.context, Context::Quoted(_));
        // `:-) … '-' --`: a face and a dash are no value that a quotation holds.
        let quoted = self.tokens.first().map_or("", |first| &self.text[..first.span.end]);
        if in_quotation
            && quoted.starts_with(':')
            && quoted.contains(' ')
            && quoted.len() > 3
            && !quoted.contains(char::is_alphanumeric)
        {
            return None;
        }
        if let Some(span) = self.bare_comparison() {
            return Some(span);
        }
        if self.is_inequality() {
            return None;
        }
        (0..self.tokens.len().min(400)).find_map(|at| {
            let is_joint = self.kind(at) == Some(Kind::Logic)
                || self.is_in(at, class::JOINING)
                || in_quotation && self.is_first && at == 1 && self.is_in(at, class::AFTER_QUOTE);
            let is_symbol = in_quotation
                && at == self.before(at).map_or(0, |_| self.skip(1, Kind::Close))
                && matches!(
                    self.kind(at),
                    Some(Kind::Comparison | Kind::Operator | Kind::Comma | Kind::Number)
                );
            // `where 9896=9896`: nobody compares a number with itself but to try.
            if is_joint
                && self.kind(at + 1) == Some(Kind::Number)
                && self.str(at + 2) == "="
                && self.str(at + 1) == self.str(at + 3)
                && self.str(at + 1).len() > 1
            {
                return Some(self.span(at, at + 4));
            }
            if !(is_joint || is_symbol) || !self.begins_injection(at) {
                return None;
            }
            let first = if self.follows_calls(at) { 0 } else { self.before(at).unwrap_or(at) };
            if let Some(end) = self.expression_to_end(at) {
                return Some(self.span(first, end));
            }
            if self.kind(at) == Some(Kind::Number) {
                return None;
            }
            if is_symbol {
                return self.concatenation(at).map(|end| self.span(first, end));
            }
            let mut next = at + 1;
            while self.is_word(next, &["not", "or", "and"])
                || matches!(self.kind(next), Some(Kind::Operator)) && self.str(next) != "*"
            {
                next += 1;
            }
            let (after, left) = self.operand(next)?;
            let end = self.comparison(next, after, left).or_else(|| self.bare_condition(at, after, left))?;
            Some(self.span(first, end))
        })
    }

    /// `LEFT cmp RIGHT` with enough of SQL in it; the index after it.
    fn comparison(&self, at: usize, after: usize, left: Operand) -> Option<usize> {
        let in_quotation = matches!(self.context, Context::Quoted(_));
        let mut next = self.skip(after, Kind::Close);
        let is_symbol = self.kind(next) == Some(Kind::Comparison);
        if !is_symbol && !self.is_in(next, class::COMPARING) {
            return None;
        }
        let is_null_test = self.is_word(next, &["is"]);
        while self.kind(next) == Some(Kind::Comparison)
            || self.is_in(next, class::COMPARING)
            || self.is_word(next, &["to"]) && self.is_word(next - 1, &["similar"])
        {
            next += 1;
        }
        let Some((end, right)) = self.operand(next) else {
            // `' or 'a'=` : the rest of the statement is the other side.
            return (is_symbol
                && left == Operand::Literal
                && next >= self.tokens.len()
                && (in_quotation || self.is_first && at <= 2))
                .then_some(next);
        };
        // A name at the very end runs into the quote that the statement still has: no statement that can be read.
        let is_cut_name = in_quotation
            && left == Operand::Literal
            && right == Operand::Name
            && self.skip(end, Kind::Close) >= self.tokens.len()
            && !self.text.ends_with(['\'', '"', '`']);
        if is_cut_name && self.text.contains(" = ") {
            return None;
        }
        let is_constant = |operand| matches!(operand, Operand::Literal | Operand::Call | Operand::Group);
        let is_shape = match (left, right) {
            (left, right) if is_constant(left) && is_constant(right) => true,
            // `x=x`.
            (Operand::Name, Operand::Name) if is_symbol => {
                self.str(self.skip(at, Kind::Open)).eq_ignore_ascii_case(self.str(next))
                    || in_quotation && self.is_end(end)
                    || self.kind(end) == Some(Kind::Comment) && self.is_first && self.tokens.len() <= 8
            }
            (Operand::Name, right) if is_null_test => is_constant(right),
            (Operand::Name, Operand::Name) if in_quotation && self.is_word(next - 1, &["to"]) => {
                self.kind(end) == Some(Kind::Comment) && self.str(end).len() <= 4
            }
            (Operand::Name, Operand::Name) if in_quotation && self.is_word(end, &["escape"]) => true,
            (Operand::Name, Operand::Literal) => {
                in_quotation && self.is_first
                    || is_symbol && self.is_first && at <= 2 && self.tokens.len() <= 8
                    || self.kind(next) == Some(Kind::Text)
                        && self.before(at).is_some_and(|before| {
                            // `total > 50 and status = 'open'`: a filter that somebody writes about.
                            let number = before.saturating_sub(1);
                            let is_compared = number > 0 && self.kind(number - 1) == Some(Kind::Comparison);
                            self.kind(number) == Some(Kind::Number) && !is_compared
                        })
            }
            (left, right) => {
                in_quotation && (is_constant(left) || is_constant(right))
                    || left == Operand::Call
                    || right == Operand::Group
            }
        };
        // What follows `similar to` needs its comment to be one.
        let end = end + usize::from(self.is_word(next - 1, &["to"]) && self.kind(end) == Some(Kind::Comment));
        is_shape.then_some(end)
    }

    /// `' or 1--`, `' or true`, `' or 'x`, `1 or sleep(5)`; the index after it.
    fn bare_condition(&self, at: usize, after: usize, operand: Operand) -> Option<usize> {
        let in_quotation = matches!(self.context, Context::Quoted(_));
        if operand == Operand::Group {
            return Some(after);
        }
        let end = self.skip(after, Kind::Close);
        let is_call = operand == Operand::Call
            && (at + 1..after).any(|at| self.is_in(at, class::STRONG) || self.is_in(at, class::WEAK));
        if is_call && self.kind(end - 1) == Some(Kind::Close) {
            return Some(end);
        }
        if in_quotation
            && self.is_word(at + 1, &["match"])
            && (at + 2..at + 6).any(|at| self.is_word(at, &["against"]))
        {
            return Some(end);
        }
        if self.is_word(at, &["xor"])
            && at == 0
            && operand == Operand::Literal
            && self.tokens.len() <= end + 1
        {
            return Some(end);
        }
        let is_or = self.kind(at) == Some(Kind::Logic)
            || self.is_word(
                at,
                &[
                    "or", "and", "xor", "like", "rlike", "regexp", "having", "where", "div", "mod", "not",
                    "glob", "ilike",
                ],
            );
        let goes_on = self.kind(end) == Some(Kind::Logic)
            || self.is_word(end, &["or", "and", "xor", "limit", "order", "group", "union", "having"]);
        let is_short = in_quotation
            && self.is_first
            && is_or
            && operand == Operand::Literal
            && (self.is_end(end) || goes_on);
        let is_same_number = self.is_word(at, &["or"])
            && at == 1
            && self.is_end(end)
            && self.kind(0) == Some(Kind::Number)
            && self.kind(2) == Some(Kind::Number)
            && self.str(0) == self.str(2);
        // `9 or true`, `1 or '1`: the whole value.
        let is_whole = at == 1
            && self.is_word(1, &["or"])
            && self.tokens.len() == 3
            && self.kind(0) == Some(Kind::Number)
            && (self.is_word(2, &["true"]) || self.kind(2) == Some(Kind::Text) && self.str(2).len() <= 4);
        let is_commented = operand == Operand::Literal
            && self.kind(end) == Some(Kind::Comment)
            && self.kind(at + 1) != Some(Kind::Text);
        (is_short || is_same_number || is_whole || is_commented && self.is_word(at, &["or", "and"]))
            .then_some(end)
    }

    /// `'='`, `'-'`, `'||(select ...)`, `'+char(65)+'` right after a closed quotation; the index after it.
    fn concatenation(&self, at: usize) -> Option<usize> {
        let mut next = at;
        while matches!(self.kind(next), Some(Kind::Operator | Kind::Comparison | Kind::Comma | Kind::Close)) {
            next += 1;
        }
        let (end, operand) = self.operand(next)?;
        let is_last_text =
            self.kind(next) == Some(Kind::Text) && end >= self.tokens.len() && self.str(next).len() <= 12;
        let is_call =
            operand == Operand::Call && (self.is_in(next, class::STRONG) || self.is_in(next, class::WEAK));
        let end = self.skip(end, Kind::Close);
        let goes_on = self.kind(end) == Some(Kind::Logic)
            || self.is_word(
                end,
                &[
                    "or", "and", "like", "rlike", "limit", "xor", "having", "div", "is", "in", "regexp",
                    "between", "union",
                ],
            );
        let is_literal = operand == Operand::Literal
            && (self.kind(end) == Some(Kind::Comment) || goes_on && self.is_first);
        let is_plain_comma = self.kind(at) == Some(Kind::Comma);
        let is_shape = operand == Operand::Group
            || is_call
            || !is_plain_comma && (self.is_first && is_last_text || is_literal);
        is_shape.then_some(end)
    }

    /// `' * 1 is not null or '0`, `'-name--`: operators and operands by turns from a closed quotation to one that is left
    /// open or to a comment; the index after it. Prose fails on two words in a row.
    fn expression_to_end(&self, at: usize) -> Option<usize> {
        let n_tokens = self.tokens.len();
        if !self.is_first
            || !matches!(self.context, Context::Quoted(_))
            || self.text.len() > 160
            || n_tokens > 48
        {
            return None;
        }
        let is_joint = |at| {
            matches!(
                self.kind(at),
                Some(Kind::Operator | Kind::Comparison | Kind::Logic | Kind::Open | Kind::Close)
            ) || self.is_in(at, class::JOINING)
                || self.is_in(at, class::COMPARING)
                || self.is_in(at, class::AFTER_QUOTE)
                || self.is_word(at, &["binary", "null", "true", "false"])
        };
        let last = n_tokens.checked_sub(1).filter(|last| *last > at)?;
        let is_comment = self.kind(last) == Some(Kind::Comment) && self.str(last).len() <= 24;
        let is_open_text = self.kind(last) == Some(Kind::Text)
            && self.str(last).len() <= 12
            && self.tokens[last].span.end == self.text.len();
        let (mut needs_joint, mut n_joints, mut n_names, mut n_calls) = (true, 0, 0, 0);
        let mut index = at;
        let end = if is_comment { last } else { n_tokens };
        while index < end {
            let is_call = self.kind(index) == Some(Kind::Word)
                && self.kind(index + 1) == Some(Kind::Open)
                && !is_joint(index);
            if is_joint(index) {
                needs_joint = false;
                n_joints += 1;
            } else if needs_joint
                && !(self.kind(index) == Some(Kind::Text) && self.str(index).len() <= 4 && index + 1 < end)
            {
                return None;
            } else if is_call {
                n_calls += 1;
                needs_joint = true;
                index = self.group_end(index + 1);
                continue;
            } else {
                n_names += usize::from(self.kind(index) == Some(Kind::Word));
                needs_joint = true;
                while self.kind(index + 1) == Some(Kind::Dot) && self.kind(index + 2) == Some(Kind::Word) {
                    index += 2;
                }
                if self.kind(index + 1) == Some(Kind::Open) && self.kind(index) == Some(Kind::Word) {
                    index = self.group_end(index + 1);
                    continue;
                }
            }
            index += 1;
        }
        let names_max = if is_comment { 3 } else { 1 };
        let is_ended = is_open_text || is_comment;
        // A dash and a name that begins a comment is a typographer's dash unless an operator came first.
        (is_ended && n_joints > 0 && n_names + n_calls <= names_max.max(2) && n_names <= names_max)
            .then_some(n_tokens)
    }

    /// `5<6 and 7>3`: numbers that are greater and less, and nothing else. Whoever injects has a value in front that the
    /// statement goes on from; people write this about numbers.
    fn is_inequality(&self) -> bool {
        let is_order =
            |at| self.kind(at) == Some(Kind::Comparison) && matches!(self.str(at), "<" | ">" | "<=" | ">=");
        self.context == Context::Bare
            && self.is_first
            && is_order(1)
            && (0..self.tokens.len()).all(|at| {
                self.kind(at) == Some(Kind::Number) || is_order(at) || self.is_word(at, &["and", "or"])
            })
    }

    /// `1=1`, `42 like 42`: the whole value compares two constants.
    fn bare_comparison(&self) -> Option<Range<usize>> {
        if self.context != Context::Bare || !self.is_first || !(3..=5).contains(&self.tokens.len()) {
            return None;
        }
        let is_constant = |at: usize| matches!(self.kind(at), Some(Kind::Number | Kind::Text));
        let last = self.tokens.len() - 1;
        let start = if self.kind(1) == Some(Kind::Comma) { 2 } else { 0 };
        let is_form = last > start + 1 && is_constant(start) && is_constant(last);
        let is_middle = (start + 1..last).all(|at| {
            self.kind(at) == Some(Kind::Comparison)
                && !matches!(self.str(at), "->" | ">" | "<" | ">>" | "<<" | "->>")
                || self.is_word(at, &["is", "not", "like", "rlike", "regexp", "glob"])
        });
        (is_form && is_middle && self.kind(start) == self.kind(last)).then(|| self.span(0, last + 1))
    }
}
