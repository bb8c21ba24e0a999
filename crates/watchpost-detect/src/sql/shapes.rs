//! The shapes, one function each, over one reading of a value.

use std::ops::Range;

use super::Shape;
use super::reading::{Operand, Reading};
use super::tokens::{Context, Kind};
use super::words::class;

type Finder<'a> = fn(&Reading<'a>) -> Option<Range<usize>>;

impl<'a> Reading<'a> {
    pub(super) fn shapes(&self) -> Vec<(Shape, Range<usize>)> {
        let finders: [(Shape, Finder<'a>); 8] = [
            (Shape::Union, Self::union),
            (Shape::Tautology, Self::tautology),
            (Shape::CommentEnd, Self::comment_end),
            (Shape::Stacked, Self::stacked),
            (Shape::Select, Self::select),
            (Shape::Function, Self::function),
            (Shape::Clause, Self::clause),
            (Shape::Piece, Self::piece),
        ];
        finders.iter().filter_map(|(shape, find)| find(self).map(|span| (*shape, span))).collect()
    }

    fn union(&self) -> Option<Range<usize>> {
        (0..self.tokens.len()).find_map(|at| {
            if !self.is_in(at, class::UNION) || !self.is_word(at, &["union"]) {
                return None;
            }
            let mut next = at + 1;
            while self.is_word(next, &["all", "distinct", "distinctrow"])
                || self.kind(next) == Some(Kind::Open)
            {
                next += 1;
            }
            if !self.is_word(next, &["select", "values", "table"]) {
                return None;
            }
            let mut after = self.skip(next + 1, Kind::Open);
            while self.is_word(after, &["all", "distinct", "top"]) && self.kind(after + 1).is_some() {
                after += 1;
            }
            let is_list = match self.kind(after) {
                Some(Kind::Number | Kind::Text | Kind::Operator | Kind::Variable | Kind::Comment) => true,
                Some(Kind::Word) => {
                    matches!(self.kind(after + 1), Some(Kind::Open | Kind::Comma | Kind::Close | Kind::Dot))
                        || self.is_word(after, &["null", "distinct", "top", "concat", "case"])
                        || self.is_word(after + 1, &["from"])
                        || self.begins_injection(at) && self.is_end(after + 1)
                }
                None => self.begins_injection(at) || at == 0,
                _ => false,
            };
            is_list.then(|| self.span(at, (after + 4).min(self.tokens.len())))
        })
    }

    fn comment_end(&self) -> Option<Range<usize>> {
        if self.context == Context::Bare {
            return self.group_and_comment();
        }
        if !self.is_closed_quotation() || !self.is_first {
            return None;
        }
        // `name';`: nothing but the end of a statement.
        let first = &self.text[..self.tokens[0].span.end];
        if self.tokens.len() == 2 && self.kind(1) == Some(Kind::Semicolon) && !first.contains(' ') {
            return Some(self.span(0, 2));
        }
        let quoted = &self.text[self.tokens[0].span.clone()];
        let mut at = 1;
        while matches!(self.kind(at), Some(Kind::Close | Kind::Semicolon)) {
            at += 1;
        }
        let comment = self.tokens.get(at).filter(|token| token.kind == Kind::Comment)?;
        let said = self.text[comment.span.clone()]
            .trim_start_matches(['-', '#', '/', '*'])
            .trim_start_matches(['+', ' ']);
        // `p@ss';--w0rd"<x>` goes on like a password, not like a comment.
        let is_password =
            said.starts_with(|ch: char| ch.is_ascii_alphanumeric()) && said.contains(['"', '<', '>']);
        let is_short = !is_password
            && said.len() <= 12
            && quoted.split_whitespace().count() <= 3
            && at + 1 >= self.tokens.len();
        is_short.then(|| self.span(0, at + 1))
    }

    /// `( binary cos('b') ) --`: a value that is one group of SQL operands and a comment.
    fn group_and_comment(&self) -> Option<Range<usize>> {
        let last = self.tokens.len().checked_sub(1)?;
        let is_value = last == 1
            && self.is_first
            && matches!(self.kind(0), Some(Kind::Number | Kind::Variable))
            && self.kind(1) == Some(Kind::Comment)
            && matches!(self.str(1).trim_end(), "--" | "/*");
        if is_value {
            return Some(self.span(0, 2));
        }
        let is_form = self.is_first
            && last >= 4
            && self.kind(0) == Some(Kind::Open)
            && self.kind(last) == Some(Kind::Comment)
            && self.str(last).trim_end().len() <= 3
            && self.kind(last - 1) == Some(Kind::Close);
        let is_operand = |at| self.kind(at) == Some(Kind::Text) || self.is_word(at, &["select", "binary"]);
        (is_form && (1..last).any(is_operand)).then(|| self.span(0, last + 1))
    }

    fn stacked(&self) -> Option<Range<usize>> {
        // The whole value as a statement.
        if self.context == Context::Bare && self.is_first && self.is_whole_statement() {
            return Some(self.span(0, 5.min(self.tokens.len())));
        }
        (0..self.tokens.len()).find_map(|at| {
            if self.kind(at) != Some(Kind::Semicolon) {
                return None;
            }
            let verb = at + 1;
            let end = self.statement(verb)?;
            Some(self.span(at, end))
        })
    }

    fn is_whole_statement(&self) -> bool {
        if self.is_word(0, &["declare", "exec", "execute", "waitfor"]) {
            return self.statement(0).is_some();
        }
        let is_name = |at: usize| matches!(self.kind(at), Some(Kind::Word | Kind::Text));
        let is_cut = |at: usize| matches!(self.kind(at), Some(Kind::Semicolon | Kind::Comment));
        let is_row = match self.str(0).to_ascii_lowercase().as_str() {
            "delete" => {
                self.is_word(1, &["from"])
                    && is_name(2)
                    && (is_cut(3) || self.is_word(3, &["where"]) && self.kind(5) == Some(Kind::Comparison))
            }
            "drop" | "truncate" => is_name(1) && is_cut(2),
            "insert" | "replace" | "merge" => {
                self.is_word(1, &["into"])
                    && is_name(2)
                    && (self.kind(3) == Some(Kind::Open)
                        || self.is_word(3, &["values", "select", "using", "set"])
                        || self.is_word(4, &["using"]))
            }
            "alter" => {
                self.is_word(1, &["table"])
                    && is_name(2)
                    && self.is_word(3, &["add", "drop", "change", "modify", "rename", "alter"])
            }
            "update" => {
                is_name(1)
                    && self.is_word(2, &["set"])
                    && is_name(3)
                    && self.kind(4) == Some(Kind::Comparison)
            }
            _ => false,
        };
        if is_row {
            return true;
        }
        let after = if self.kind(3) == Some(Kind::Semicolon) { 4 } else { 3 };
        let is_short = after >= self.tokens.len() || self.kind(3) == Some(Kind::Open);
        let names_target =
            self.is_word(0, &["create", "drop", "truncate"]) && self.is_word(1, &["table", "database"]);
        // "drop table tennis" is a sentence too: a statement ends in a semicolon or goes on with a parenthesis.
        let is_marked = self.kind(3).is_some() && is_short;
        names_target && is_marked && self.kind(2) == Some(Kind::Word)
    }

    /// Is there a statement at `verb`? The index after what shows it.
    fn statement(&self, verb: usize) -> Option<usize> {
        let word = self.str(verb).to_ascii_lowercase();
        (self.is_about_data(&word, verb + 1) || self.is_code(&word, verb + 1))
            .then(|| (verb + 5).min(self.tokens.len()))
    }

    /// Does what follows `verb` make a statement of it that reads or changes tables, rows or rights?
    fn is_about_data(&self, verb: &str, next: usize) -> bool {
        const TARGETS: &[&str] = &[
            "table",
            "database",
            "user",
            "login",
            "function",
            "procedure",
            "view",
            "index",
            "role",
            "schema",
            "trigger",
            "column",
            "alias",
            "or",
            "proc",
            "extension",
            "temp",
            "temporary",
        ];
        match verb {
            "drop" | "create" | "alter" | "truncate" => {
                self.is_word(next, TARGETS)
                    || self.kind(next).is_some() && self.kind(next + 1) == Some(Kind::Comment)
                    || self.str(next).starts_with('[')
            }
            "insert" | "replace" | "merge" => {
                self.is_word(next, &["into"])
                    || (next + 1..next + 12)
                        .any(|at| self.is_word(at, &["values"]) && self.kind(at + 1) == Some(Kind::Open))
            }
            "delete" => {
                let from = next + usize::from(self.is_word(next, &["ignore", "quick", "low_priority"]));
                self.is_word(from, &["from"]) && self.kind(from + 1) == Some(Kind::Word)
            }
            "desc" | "describe" => {
                self.kind(next) == Some(Kind::Word)
                    && matches!(self.kind(next + 1), Some(Kind::Semicolon | Kind::Comment))
            }
            "update" => (next + 1..next + 4).any(|at| self.is_word(at, &["set"])),
            "select" => {
                self.select_list(next).is_some()
                    || self.kind(next + 1) == Some(Kind::Open)
                    || self.is_end(next + 1)
                        && (self.kind(next) == Some(Kind::Number) || self.str(next) == "*")
                    || self.is_in(next, class::TELLING) && self.is_end(next + 1)
            }
            "copy" | "grant" | "load" | "attach" => {
                self.is_word(next, &["all", "data", "database", "xml"])
                    || (next..next + 4).any(|at| self.is_word(at, &["from", "to", "program"]))
                        && self.tokens.len() - next < 12
            }
            _ => false,
        }
    }

    /// Does what follows `verb` make a statement of it that runs, waits, branches or ends?
    fn is_code(&self, verb: &str, next: usize) -> bool {
        match verb {
            "while" => self.kind(next) == Some(Kind::Number) && self.kind(next + 1) == Some(Kind::Comparison),
            "goto" => self.kind(next) == Some(Kind::Word) && self.is_end(next + 1),
            "exec" | "execute" => {
                self.kind(next) == Some(Kind::Open)
                    || matches!(self.kind(next), Some(Kind::Variable | Kind::Text))
                    || ["xp_", "sp_", "master", "immediate"]
                        .iter()
                        .any(|start| self.str(next).to_ascii_lowercase().starts_with(start))
            }
            "declare" => {
                matches!(self.kind(next), Some(Kind::Variable))
                    || self.is_word(next + 1, &["varchar", "int", "char", "nvarchar", "integer"])
            }
            "waitfor" => self.is_word(next, &["delay", "time"]),
            "iif" => self.kind(next) == Some(Kind::Open),
            "shutdown" => self.is_end(next) || self.is_word(next, &["with"]),
            "begin" => {
                (next..next + 6).any(|at| self.kind(at) == Some(Kind::Open))
                    || self.is_word(
                        next,
                        &["declare", "dbms_lock", "execute", "transaction", "end", "shutdown", "drop"],
                    )
            }
            "set" => self.kind(next) == Some(Kind::Variable),
            "if" => (next..next + 12)
                .any(|at| self.is_word(at, &["waitfor", "select", "shutdown", "drop", "exec"])),
            "call" | "do" => {
                self.kind(next + 1) == Some(Kind::Open)
                    && (self.kind(next + 2) == Some(Kind::Variable)
                        || self.is_in(next, class::STRONG)
                        || self.is_in(next, class::WEAK))
                    || self.str(next).eq_ignore_ascii_case("regexp_substring")
            }
            _ => false,
        }
    }

    /// The list between `select` and `from`; the index of `from` (or the end) if it is one that no prose has.
    fn select_list(&self, start: usize) -> Option<usize> {
        let mut at = start;
        while self.is_word(at, &["distinct", "all", "top", "sql_no_cache"])
            || self.is_word(at - 1, &["top"]) && self.kind(at) == Some(Kind::Number)
        {
            at += 1;
        }
        let (mut n_items, mut is_code) = (0, false);
        loop {
            if self.kind(at) == Some(Kind::Operator) && self.str(at) == "*" {
                is_code = true;
                at += 1;
            } else {
                let (end, operand) = self.operand(at)?;
                is_code |= operand != Operand::Name;
                at = end;
            }
            n_items += 1;
            if self.is_word(at, &["as"]) {
                at += 2;
            }
            if self.kind(at) != Some(Kind::Comma) || n_items > 64 {
                break;
            }
            at += 1;
        }
        let has_from = self.is_word(at, &["from"])
            && matches!(self.kind(at + 1), Some(Kind::Word | Kind::Open | Kind::Text | Kind::Variable));
        let has_where = self.is_word(at + 2, &["where", "limit", "order", "union", "group"]);
        (has_from
            && (is_code
                || n_items > 1
                || has_where
                || self.is_end(at + 2)
                || self.kind(at + 2) == Some(Kind::Dot)))
        .then_some(at)
    }

    fn select(&self) -> Option<Range<usize>> {
        // `) as x from`: the end of a list of columns.
        let is_list_end = self.is_first
            && self.tokens.len() <= 12
            && matches!(self.kind(0), Some(Kind::Close | Kind::Text | Kind::Operator | Kind::Number))
            && (1..4).any(|at| {
                self.is_word(at, &["as"])
                    && matches!(self.kind(at + 1), Some(Kind::Word | Kind::Text))
                    && self.is_word(at + 2, &["from"])
            });
        if is_list_end {
            return Some(self.span(0, self.tokens.len()));
        }
        (0..self.tokens.len()).find_map(|at| {
            if !self.is_in(at, class::UNION) || !self.is_word(at, &["select"]) {
                return None;
            }
            // After a word it is a sentence about SQL.
            let is_place = match at.checked_sub(1).map(|before| (before, self.kind(before))) {
                None => self.is_first,
                Some((
                    _,
                    Some(
                        Kind::Open
                        | Kind::Text
                        | Kind::Number
                        | Kind::Operator
                        | Kind::Comma
                        | Kind::Semicolon
                        | Kind::Logic
                        | Kind::Comparison
                        | Kind::Variable
                        | Kind::Close,
                    ),
                )) => true,
                Some((before, _)) => {
                    self.is_word(before, &["union", "all", "or", "and", "exists", "in", "not"])
                }
            };
            if !is_place {
                return None;
            }
            let is_group = at > 0 && self.kind(at - 1) == Some(Kind::Open);
            let end = self.select_list(at + 1).map(|from| from + 2).or_else(|| {
                let is_call = self.kind(at + 2) == Some(Kind::Open)
                    && (self.is_in(at + 1, class::STRONG) || self.is_in(at + 1, class::WEAK));
                let is_variable = self.kind(at + 1) == Some(Kind::Variable)
                    && (self.str(at + 1).starts_with("@@")
                        || self.str(at + 1).starts_with('@')
                            && (self.kind(at + 2) == Some(Kind::Text) || self.is_word(at + 2, &["as"])));
                let is_value_list = at == 0
                    && self.is_first
                    && (matches!(self.kind(1), Some(Kind::Number))
                        && (self.kind(2) == Some(Kind::Comma)
                            && matches!(self.kind(3), Some(Kind::Number | Kind::Word))
                            || self.str(1).starts_with("0x")
                            || self.tokens.len() == 2)
                        || self.is_in(1, class::TELLING)
                            && (self.is_end(2) || self.kind(2) == Some(Kind::Open)));
                if is_value_list {
                    return Some((at + 3).min(self.tokens.len()));
                }
                let is_constant = is_group
                    && self.operand(at + 1).is_some_and(|(end, operand)| {
                        operand == Operand::Literal && matches!(self.kind(end), Some(Kind::Close) | None)
                    });
                let is_case =
                    is_group && (self.is_word(at + 1, &["case"]) || self.kind(at + 1) == Some(Kind::Open));
                (is_call || is_variable || is_constant || is_case).then_some(at + 3)
            })?;
            Some(self.span(at - usize::from(is_group), end))
        })
    }

    /// `substring(`, `sleep(5)`: the whole value is a call, perhaps cut off.
    fn whole_call(&self) -> Option<Range<usize>> {
        let n_tokens = self.tokens.len();
        if self.context != Context::Bare || !self.is_first || n_tokens < 2 || self.kind(1) != Some(Kind::Open)
        {
            return None;
        }
        let is_known =
            self.is_in(0, class::STRONG) || self.is_in(0, class::WEAK) || self.is_word(0, &["benchmark"]);
        // `div(23,-2)`, `lo_get(16400)`: what only a database calls by this name.
        let is_arithmetic = self.is_word(0, &["div", "lo_get", "lo_put", "lo_export"])
            && self.group_end(1) == n_tokens
            && n_tokens > 3
            && (2..n_tokens - 1)
                .all(|at| matches!(self.kind(at), Some(Kind::Number | Kind::Comma | Kind::Operator)));
        if is_arithmetic {
            return Some(self.span(0, n_tokens));
        }
        let is_cut = is_known && n_tokens == 2 && self.text.len() <= 32
            || self.is_in(0, class::TELLING) && n_tokens == 3 && self.kind(2) == Some(Kind::Close);
        let end = self.group_end(1);
        let is_delay = self.is_word(0, &["sleep", "benchmark", "pg_sleep"])
            && end > 3
            && n_tokens <= end + 3
            && self.kind(end) != Some(Kind::Word)
            && self.tokens[1].span.start == self.tokens[0].span.end;
        let is_asked = self.is_in(0, class::TELLING)
            && end == 3
            && (self.kind(3) == Some(Kind::Comparison) || self.is_in(3, class::COMPARING))
            && self.kind(5) == Some(Kind::Open);
        (is_cut || is_delay || is_asked).then(|| self.span(0, n_tokens))
    }

    fn function(&self) -> Option<Range<usize>> {
        if let Some(span) = self.whole_call() {
            return Some(span);
        }
        (0..self.tokens.len()).find_map(|at| {
            // `1.e(`: see the tokens.
            if self.kind(at) == Some(Kind::Number)
                && self.str(at).ends_with(['e', 'E'])
                && matches!(self.kind(at + 1), Some(Kind::Open | Kind::Dot))
                && self.str(at).contains('.')
            {
                return Some(self.span(at, at + 3));
            }
            if self.kind(at) != Some(Kind::Word) {
                return None;
            }
            // `length(version())`: one inside the other.
            if self.kind(at + 1) == Some(Kind::Open)
                && self.is_in(at + 2, class::TELLING)
                && self.kind(at + 3) == Some(Kind::Open)
                && (self.is_in(at, class::WEAK) || self.is_in(at, class::STRONG))
                && (at == 0 && self.is_first || self.is_place(at))
            {
                return Some(self.span(at, self.group_end(at + 1)));
            }
            self.phrase(at).or_else(|| self.call(at))
        })
    }

    /// Words that are a function without parentheses: `waitfor delay`, `case when`.
    fn phrase(&self, at: usize) -> Option<Range<usize>> {
        // Both words are of this set, and next to no others.
        let may_begin = self.is_in(at, class::UNION);
        if may_begin
            && self.is_word(at, &["waitfor"])
            && self.is_word(at + 1, &["delay", "time"])
            && matches!(self.kind(at + 2), Some(Kind::Text | Kind::Variable))
        {
            return Some(self.span(at, at + 3));
        }
        // However the word before is spelled: `waifor delay '0:0:9'`.
        if self.is_word(at, &["delay"]) && self.kind(at + 1) == Some(Kind::Text) && is_time(self.str(at + 1))
        {
            return Some(self.span(at, at + 2));
        }
        if may_begin
            && self.is_word(at, &["case"])
            && self.is_word(at + 1, &["when"])
            && (self.is_place(at) || at == 0 && self.is_first)
            && (at + 2..at + 16).any(|at| self.is_word(at, &["then"]))
        {
            return Some(self.span(at, (at + 16).min(self.tokens.len())));
        }
        None
    }

    /// A function that is called at `at`.
    fn call(&self, at: usize) -> Option<Range<usize>> {
        let is_call = self.kind(at + 1) == Some(Kind::Open)
            || self.kind(at + 1) == Some(Kind::Dot) && self.kind(at + 3) == Some(Kind::Open);
        if !is_call {
            return None;
        }
        let open = if self.kind(at + 1) == Some(Kind::Open) { at + 1 } else { at + 3 };
        let end = self.group_end(open);
        let has_argument =
            end > open + 2 || self.is_word(at, &["version", "user", "database", "session_user"]);
        let is_strong = self.is_in(at, class::STRONG)
            && end > open + 2
            && self.tokens[open].span.start == self.tokens[open - 1].span.end;
        let is_delay = self.is_word(at, &["sleep", "benchmark"])
            && matches!(self.kind(open + 1), Some(Kind::Number | Kind::Open | Kind::Text | Kind::Operator))
            && (self.is_place(at) || at == 0 && self.is_first && self.is_end(end) && end < self.tokens.len());
        let is_weak = has_argument && self.is_in(at, class::WEAK) && self.is_strong_place(at);
        (is_strong && (self.is_place(at) || at == 0) || is_delay || is_weak)
            .then(|| self.span(at.saturating_sub(if is_strong { 0 } else { 2 }), end))
    }

    /// May an operand stand at `at`?
    fn is_place(&self, at: usize) -> bool {
        let Some(before) = at.checked_sub(1) else { return false };
        match self.kind(before) {
            Some(
                Kind::Open
                | Kind::Text
                | Kind::Operator
                | Kind::Comma
                | Kind::Logic
                | Kind::Comparison
                | Kind::Close
                | Kind::Semicolon,
            ) => true,
            _ => self.is_word(
                before,
                &[
                    "or",
                    "and",
                    "xor",
                    "select",
                    "not",
                    "like",
                    "rlike",
                    "where",
                    "having",
                    "by",
                    "when",
                    "call",
                    "do",
                    "procedure",
                    "exec",
                    "union",
                    "regexp",
                    "all",
                    "then",
                ],
            ),
        }
    }

    /// Is `at` an operand after `or`/`and` that itself follows something injected?
    fn is_strong_place(&self, at: usize) -> bool {
        let Some(mut joint) = at.checked_sub(1) else { return false };
        while joint > 0 && (self.kind(joint) == Some(Kind::Open) || self.is_word(joint, &["not"])) {
            joint -= 1;
        }
        (self.kind(joint) == Some(Kind::Logic)
            || self.is_word(joint, &["or", "and", "xor", "having", "rlike", "where"]))
            && self.begins_injection(joint)
    }

    fn clause(&self) -> Option<Range<usize>> {
        (0..self.tokens.len()).find_map(|at| {
            if !self.is_in(at, class::UNION) {
                return None;
            }
            let by = self.is_word(at, &["order", "group"]) && self.is_word(at + 1, &["by"]);
            if by && self.begins_injection(at) {
                let (end, operand) = self.operand(at + 2)?;
                let has_having = self.is_word(end, &["having"]);
                let is_number =
                    operand != Operand::Name && (self.is_end(end) || self.kind(end) == Some(Kind::Comma));
                let is_commented = self.kind(end) == Some(Kind::Comment);
                return (has_having || is_number || is_commented)
                    .then(|| self.span(self.before(at).unwrap_or(at), end + 1));
            }
            if self.is_word(at, &["into"])
                && self.is_word(at + 1, &["outfile", "dumpfile"])
                && (self.kind(at + 2) == Some(Kind::Text)
                    || self.kind(at + 2) == Some(Kind::Open)
                        && self.is_in(at + 3, class::WEAK)
                        && self.kind(at + 4) == Some(Kind::Open))
            {
                return Some(self.span(at, at + 5));
            }
            let is_analyse = self.is_word(at, &["procedure"])
                && self.is_word(at + 1, &["analyse"])
                && self.kind(at + 2) == Some(Kind::Open);
            is_analyse.then(|| self.span(at, at + 3))
        })
    }
}

/// `'0:0:20'`.
fn is_time(text: &str) -> bool {
    let inside = text.trim_matches(['\'', '"']);
    inside.matches(':').count() == 2 && inside.bytes().all(|byte| byte.is_ascii_digit() || byte == b':')
}
