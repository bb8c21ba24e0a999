//! A piece torn off a statement: what somebody sends who tries where a value ends up, and what is left of an injection
//! that was split over parameters. Only whole short values are read so, since prose has the same words.

use std::ops::Range;

use super::reading::{Operand, Reading};
use super::tokens::{Context, Kind};
use super::words::class;

/// Longest value that is read as a piece.
const BYTES_MAX: usize = 200;
/// Begin statements and are hardly ever written with a quote in front.
const VERBS: &[&str] = &["union", "select", "alter", "insert", "having", "declare", "waitfor", "truncate"];
/// Begin a second statement.
const SECOND: &[&str] =
    &["select", "insert", "update", "delete", "drop", "alter", "create", "truncate", "exec", "shutdown"];

impl Reading<'_> {
    pub(super) fn piece(&self) -> Option<Range<usize>> {
        if !self.is_first || self.text.len() > BYTES_MAX || self.tokens.is_empty() {
            return None;
        }
        let is_piece = match self.context {
            Context::Quoted(quote) => self.is_closed_quotation() && self.after_quote(quote),
            Context::Bare => {
                self.condition_without_operand()
                    || self.tail_of_select()
                    || self.end_of_group()
                    || self.list()
                    || self.cut_off()
                    || self.open_expression()
            }
        };
        (is_piece || self.joint_and_comment()).then(|| self.span(0, self.tokens.len()))
    }

    fn n_tokens(&self) -> usize {
        self.tokens.len()
    }

    /// `'union a`, `";select p`, `' or name-`, `' (select top 1`: the value begins with a quote that nothing closes.
    fn after_quote(&self, quote: u8) -> bool {
        let is_lone = self.tokens[0].span.end <= 2
            && self.text.bytes().filter(|&byte| byte == quote).count() == 1
            && !self.text.starts_with(|ch: char| ch.is_alphanumeric());
        if !is_lone {
            return false;
        }
        let at = (1..self.n_tokens())
            .find(|&at| !matches!(self.kind(at), Some(Kind::Close | Kind::Semicolon)))
            .unwrap_or(1);
        self.is_word(at, VERBS) && self.n_tokens() <= at + 2
            || self.is_word(at, &["or", "xor", "and"])
                && self.n_tokens() == at + 1
                && self.tokens[at].span.start > self.tokens[at - 1].span.end
            || self.kind(at) == Some(Kind::Open) && self.is_word(at + 1, &["select"])
            || self.is_word(at, &["or", "xor", "and"])
                && self.n_tokens() == at + 3
                && self.kind(at + 1) == Some(Kind::Word)
                && matches!(self.kind(at + 2), Some(Kind::Operator | Kind::Comparison))
    }

    /// `|| name ==`, `and id!=(`, `; drop`: what stands on the left is the statement that the value is put into.
    fn condition_without_operand(&self) -> bool {
        if self.kind(0) == Some(Kind::Semicolon) {
            // `; --`: nothing but the end of a statement.
            let is_end = self.n_tokens() == 2
                && self.kind(1) == Some(Kind::Comment)
                && matches!(self.str(1).trim_end(), "--" | "#" | "/*");
            return is_end
                || self.is_word(1, SECOND)
                    && self.n_tokens() <= 3
                    && !matches!(self.kind(2), Some(Kind::Other));
        }
        let is_joint = self.kind(0) == Some(Kind::Logic) || self.is_word(0, &["or", "and", "xor"]);
        if !is_joint || self.n_tokens() > 8 {
            return false;
        }
        let Some((after, _)) = self.operand(1) else { return false };
        let is_compared = self.kind(after) == Some(Kind::Comparison)
            && !matches!(self.str(after), "->" | "->>" | ">>" | "<<");
        let right = self.skip(after, Kind::Comparison);
        is_compared
            && (right >= self.n_tokens()
                || self.kind(right) == Some(Kind::Open) && right + 1 >= self.n_tokens()
                || matches!(self.kind(right), Some(Kind::Number | Kind::Text)) && self.is_end(right + 1))
    }

    /// `from t where a = 'b'`, `from t group by c`, `` from `a`.`b` limit ``.
    fn tail_of_select(&self) -> bool {
        if self.is_word(0, &["select"]) {
            return self.n_tokens() == 2 && self.is_in(1, class::STRONG) || self.select_having();
        }
        if !self.is_word(0, &["from"]) || !matches!(self.kind(1), Some(Kind::Word | Kind::Text)) {
            return false;
        }
        let mut at = 2;
        while self.kind(at) == Some(Kind::Dot) {
            at += 2;
        }
        let is_dressed = at > 2 || self.kind(1) == Some(Kind::Text);
        self.is_word(at, &["where"])
            && self.kind(at + 1) == Some(Kind::Word)
            && self.kind(at + 2) == Some(Kind::Comparison)
            && matches!(self.kind(at + 3), Some(Kind::Text | Kind::Number))
            || self.is_word(at, &["group"])
                && self.is_word(at + 1, &["by"])
                && self.kind(at + 2) == Some(Kind::Word)
                && self.n_tokens() <= at + 6
            || is_dressed && self.is_word(at, &["limit", "where", "order", "join"])
    }

    /// `select a group by b having count(`.
    fn select_having(&self) -> bool {
        (2..self.n_tokens()).any(|at| {
            self.is_word(at, &["having"])
                && self.kind(at + 1) == Some(Kind::Word)
                && self.kind(at + 2) == Some(Kind::Open)
                && (2..at).any(|at| self.is_word(at, &["group"]) && self.is_word(at + 1, &["by"]))
        })
    }

    /// `) like (`, `) when 2 then`: closes a group that began in the statement.
    fn end_of_group(&self) -> bool {
        if self.kind(0) != Some(Kind::Close) {
            return false;
        }
        let at = self.skip(0, Kind::Close);
        self.is_word(at, &["like", "rlike", "regexp", "in", "between", "union"])
            && self.kind(at + 1) == Some(Kind::Open)
            || self.is_word(at, &["when"])
                && matches!(self.kind(at + 1), Some(Kind::Number | Kind::Text | Kind::Variable))
                && self.is_word(at + 2, &["then"])
    }

    /// `in (1, 2)`, `values ('a', 1)`, `except values(1,2)`, `, find_in_set('a', b)`.
    fn list(&self) -> bool {
        let is_literal = |at| matches!(self.kind(at), Some(Kind::Number | Kind::Text | Kind::Variable));
        if self.kind(0) == Some(Kind::Comma) {
            return self.is_in(1, class::WEAK | class::STRONG)
                && self.kind(2) == Some(Kind::Open)
                && self.tokens[1].span.end == self.tokens[2].span.start
                && is_literal(3)
                && self.kind(4) == Some(Kind::Comma);
        }
        let at = usize::from(self.is_word(0, &["not", "except", "intersect"]));
        if self.kind(at + 1) != Some(Kind::Open)
            || !is_literal(at + 2) && self.kind(at + 2) != Some(Kind::Operator)
        {
            return false;
        }
        let end = self.group_end(at + 1);
        let inside = at + 2..end.saturating_sub(1);
        let n_literals = inside.clone().filter(|&at| is_literal(at)).count();
        let is_plain = inside.clone().all(|at| {
            is_literal(at) || self.kind(at) == Some(Kind::Comma) || matches!(self.str(at), "-" | "+" | "null")
        });
        let has_list = is_plain && n_literals >= 2 && inside.len() >= 3;
        has_list && (self.is_word(at, &["values"]) || self.is_word(at, &["in"]) && end >= self.n_tokens())
    }

    /// `x = (select`, `1,2,user(`, `name like '`: ends where the attacker's next parameter, or the statement, goes on.
    fn cut_off(&self) -> bool {
        let Some(last) = self.n_tokens().checked_sub(1) else { return false };
        let before = last.wrapping_sub(1);
        if self.is_word(last, &["select"]) && self.kind(before) == Some(Kind::Open) {
            return self.n_tokens() == 2 || matches!(self.kind(last.wrapping_sub(2)), Some(Kind::Comparison));
        }
        let is_open_quote = self.n_tokens() == 3
            && self.kind(last) == Some(Kind::Text)
            && self.str(last).len() == 1
            && self.kind(0) == Some(Kind::Word)
            && self.is_word(1, &["like", "rlike", "ilike", "regexp", "glob"]);
        is_open_quote
            || self.kind(last) == Some(Kind::Open)
                && self.is_in(before, class::TELLING)
                && last >= 3
                && self.kind(last - 2) == Some(Kind::Comma)
                && is_operand_before_comma(self, last - 2)
    }

    /// `length&&(`, `password>$(`, `if(2=`: a name that a database knows, marks, and an end where an operand belongs.
    fn open_expression(&self) -> bool {
        let Some(last) = self.n_tokens().checked_sub(1).filter(|last| (2..=8).contains(last)) else {
            return false;
        };
        let is_known = self.is_in(0, class::WEAK | class::STRONG | class::TELLING)
            || self.is_word(0, &["password", "passwd", "username"]);
        if !is_known || self.text.contains([' ', '\n']) {
            return false;
        }
        let is_mark = |at: usize| {
            matches!(
                self.kind(at),
                Some(Kind::Operator | Kind::Comparison | Kind::Logic | Kind::Other | Kind::Close)
            ) || matches!(self.str(at), "?" | "$")
        };
        let is_joint =
            |at| matches!(self.kind(at), Some(Kind::Comparison | Kind::Logic)) || self.str(at) == "?";
        let ends_in_group =
            self.kind(last) == Some(Kind::Open) && (1..last).any(is_joint) && (1..last).all(is_mark);
        let ends_in_comparison = self.kind(1) == Some(Kind::Open)
            && self.kind(last) == Some(Kind::Comparison)
            && self.group_end(1) > last
            && matches!(self.kind(last - 1), Some(Kind::Number | Kind::Text | Kind::Close));
        ends_in_group || ends_in_comparison
    }

    /// `1='1' or-- -`: a condition that a comment takes the place of.
    fn joint_and_comment(&self) -> bool {
        let Some(last) = self.n_tokens().checked_sub(1).filter(|last| *last >= 2) else { return false };
        self.kind(last) == Some(Kind::Comment)
            && self.str(last).trim_end().len() <= 5
            && self.is_word(last - 1, &["or", "and", "xor"])
            && matches!(self.kind(last - 2), Some(Kind::Text | Kind::Number))
    }
}

fn is_operand_before_comma(reading: &Reading<'_>, comma: usize) -> bool {
    matches!(reading.kind(comma - 1), Some(Kind::Number | Kind::Text | Kind::Variable))
        || matches!(reading.operand(comma - 1), Some((end, Operand::Literal)) if end == comma)
}
