//! Text to tree, by recursive descent. The grammar is in docs/search.md.

use std::net::IpAddr;

use chrono::{DateTime, Datelike as _, SubsecRound as _, Utc};
use ipnet::IpNet;

use super::lexer::{Cursor, Word};
use super::{
    Expr, Field, FieldKind, Pattern, QUERY_CHARS_MAX, QUERY_DEPTH_MAX, QUERY_TERMS_MAX, QueryFault,
    QueryProblem, Term, Test,
};
use crate::event::{Category, Outcome, Severity};
use crate::period::{Zone, written_period};

pub(super) fn parse(text: &str, zone: Zone) -> Result<Option<Expr>, QueryFault> {
    let mut parser = Parser { cursor: Cursor::new(text), terms: 0, zone };
    if parser.cursor.len() > QUERY_CHARS_MAX {
        let over = parser.cursor.len() - QUERY_CHARS_MAX;
        let problem = QueryProblem::TooLong { most: QUERY_CHARS_MAX };
        return Err(QueryFault::new(QUERY_CHARS_MAX, over, problem, &[]));
    }
    parser.cursor.skip_space();
    if parser.cursor.peek().is_none() {
        return Ok(None);
    }
    let expr = parser.any(0)?;
    match parser.cursor.peek() {
        None => Ok(Some(expr)),
        Some(_) => Err(QueryFault::new(parser.cursor.at(), 1, QueryProblem::ClosesNothing, &[])),
    }
}

fn wrong(word: &Word, problem: QueryProblem, expected: &[&str]) -> QueryFault {
    QueryFault::new(word.at, word.length, problem, expected)
}

/// How a value is compared.
#[derive(Clone, Copy, PartialEq)]
enum Sign {
    Equal,
    Above,
    From,
    Below,
    UpTo,
}

struct Parser {
    cursor: Cursor,
    terms: usize,
    /// Of times without an offset.
    zone: Zone,
}

impl Parser {
    fn any(&mut self, depth: usize) -> Result<Expr, QueryFault> {
        let mut parts = vec![self.all(depth)?];
        while self.keyword("or") {
            parts.push(self.all(depth)?);
        }
        Ok(one_or(parts, Expr::Any))
    }

    fn all(&mut self, depth: usize) -> Result<Expr, QueryFault> {
        let mut parts = vec![self.unary(depth)?];
        loop {
            self.cursor.skip_space();
            let more = match self.cursor.peek() {
                None | Some(')') => false,
                Some(_) => self.cursor.keyword() != Some("or"),
            };
            if !more {
                return Ok(one_or(parts, Expr::All));
            }
            self.keyword("and");
            parts.push(self.unary(depth)?);
        }
    }

    fn unary(&mut self, depth: usize) -> Result<Expr, QueryFault> {
        self.cursor.skip_space();
        if depth > QUERY_DEPTH_MAX {
            let problem = QueryProblem::TooDeep { most: QUERY_DEPTH_MAX };
            return Err(QueryFault::new(self.cursor.at(), 0, problem, &[]));
        }
        let at = self.cursor.at();
        if self.keyword("not") {
            return Ok(Expr::Not(Box::new(self.unary(depth + 1)?)));
        }
        if self.cursor.peek() == Some('-') {
            if self.cursor.after(1).is_none_or(char::is_whitespace) {
                let expected = ["a condition right after it", "\"-\" in quotes"];
                return Err(QueryFault::new(at, 1, QueryProblem::LoneMinus, &expected));
            }
            self.cursor.skip(1);
            return Ok(Expr::Not(Box::new(self.unary(depth + 1)?)));
        }
        if self.cursor.take("(") {
            let inner = self.any(depth + 1)?;
            return if self.cursor.take(")") {
                Ok(inner)
            } else {
                Err(QueryFault::new(at, 1, QueryProblem::NotClosed, &[")"]))
            };
        }
        self.primary()
    }

    fn primary(&mut self) -> Result<Expr, QueryFault> {
        const CONDITION: [&str; 3] = ["field:value", "a word", "("];
        let at = self.cursor.at();
        if let Some(keyword) = self.cursor.keyword() {
            let problem = QueryProblem::LoneKeyword { text: keyword.to_owned() };
            return Err(QueryFault::new(at, keyword.len(), problem, &CONDITION));
        }
        if let Some(name) = self.cursor.field() {
            let field = Field::read(&name.raw).map_err(|near| QueryFault {
                suggestion: near,
                ..wrong(
                    &name,
                    QueryProblem::NoField { text: name.raw.clone() },
                    &["a field's name", "quotes around text with a colon"],
                )
            })?;
            return self.values(&field);
        }
        match self.cursor.word()? {
            Some(word) => self.term(word.at, Term::Text(word.pattern)),
            None => Err(QueryFault::new(at, 0, QueryProblem::NoCondition, &CONDITION)),
        }
    }

    fn term(&mut self, at: usize, term: Term) -> Result<Expr, QueryFault> {
        self.terms += 1;
        if self.terms > QUERY_TERMS_MAX {
            let problem = QueryProblem::TooMany { most: QUERY_TERMS_MAX };
            return Err(QueryFault::new(at, 0, problem, &[]));
        }
        Ok(Expr::Term(term))
    }

    /// One value, or several in brackets of which one must fit.
    fn values(&mut self, field: &Field) -> Result<Expr, QueryFault> {
        self.cursor.skip_space();
        let open = self.cursor.at();
        if !self.cursor.take("(") {
            return self.value(field);
        }
        let mut parts = Vec::new();
        loop {
            self.cursor.skip_space();
            if self.cursor.take(")") {
                break;
            }
            if self.cursor.peek().is_none() {
                return Err(QueryFault::new(open, 1, QueryProblem::NotClosed, &[")"]));
            }
            if !parts.is_empty() {
                self.keyword("or");
                self.cursor.skip_space();
            }
            parts.push(self.value(field)?);
        }
        if parts.is_empty() {
            return Err(QueryFault::new(open, 2, QueryProblem::NoValues, &expected(field)));
        }
        Ok(one_or(parts, Expr::Any))
    }

    fn value(&mut self, field: &Field) -> Result<Expr, QueryFault> {
        let at = self.cursor.at();
        let kind = field.kind();
        let ordered = matches!(kind, FieldKind::Number | FieldKind::Time | FieldKind::Severity);
        let sign = if ordered { self.sign() } else { Sign::Equal };
        // As text it would be looked for as it stands and found nowhere, which reads like an answer.
        if let Some(sign) = self.cursor.peek().filter(|ch| !ordered && matches!(ch, '<' | '>')) {
            let problem = QueryProblem::NotCompared { field: field.to_string(), sign: sign.to_string() };
            return Err(QueryFault::new(at, 1, problem, &["a value", "quotes around text that begins so"]));
        }
        let Some(word) = self.cursor.word()? else {
            let problem = QueryProblem::NeedsValue { field: field.to_string() };
            return Err(QueryFault::new(self.cursor.at(), 0, problem, &expected(field)));
        };
        let test = if sign == Sign::Equal && !word.quoted && word.pattern.is_everything() {
            Test::Given
        } else {
            test(field, kind, sign, &word, self.zone)?
        };
        self.term(at, Term::Field(field.clone(), test))
    }

    fn sign(&mut self) -> Sign {
        let signs = [(">=", Sign::From), ("<=", Sign::UpTo), (">", Sign::Above), ("<", Sign::Below)];
        let sign = signs.into_iter().find(|(text, _)| self.cursor.take(text)).map(|(_, sign)| sign);
        if sign.is_some() {
            self.cursor.skip_space();
        }
        sign.unwrap_or(Sign::Equal)
    }

    /// Takes this keyword if it stands here.
    fn keyword(&mut self, word: &str) -> bool {
        self.cursor.skip_space();
        let found = self.cursor.keyword() == Some(word);
        if found {
            self.cursor.skip(word.len());
        }
        found
    }
}

fn one_or(mut parts: Vec<Expr>, many: impl Fn(Vec<Expr>) -> Expr) -> Expr {
    if parts.len() > 1 { many(parts) } else { parts.remove(0) }
}

fn expected(field: &Field) -> Vec<&'static str> {
    match field.kind() {
        FieldKind::Text | FieldKind::Lower | FieldKind::Upper => vec!["text", "text with *", "*"],
        FieldKind::Number => vec!["500", ">=500", "400..499"],
        FieldKind::Time => vec!["2026-11-21", ">=2026-11-21T08:00", "2026-11-01..2026-11-21"],
        FieldKind::Address => vec!["203.0.113.7", "203.0.113.0/24", "203.0.*"],
        FieldKind::Severity => Severity::ALL.iter().map(|one| one.as_str()).chain([">=high"]).collect(),
        FieldKind::Category => Category::ALL.iter().map(|one| one.as_str()).collect(),
        FieldKind::Outcome => Outcome::ALL.iter().map(|one| one.as_str()).collect(),
    }
}

fn test(field: &Field, kind: FieldKind, sign: Sign, word: &Word, zone: Zone) -> Result<Test, QueryFault> {
    match kind {
        FieldKind::Text => Ok(Test::Text(word.pattern.clone())),
        // As the store lowers the text that it searches: character by character.
        FieldKind::Lower => {
            Ok(Test::Text(word.pattern.map(|text| text.chars().flat_map(char::to_lowercase).collect())))
        }
        FieldKind::Upper => Ok(Test::Text(word.pattern.map(str::to_ascii_uppercase))),
        FieldKind::Address => address(field, word),
        FieldKind::Number => number(field, sign, word),
        FieldKind::Time => time(field, sign, word, zone),
        FieldKind::Severity => severity(field, sign, word),
        FieldKind::Category => one_of(field, word, Category::ALL).map(Test::Category),
        FieldKind::Outcome => one_of(field, word, Outcome::ALL).map(Test::Outcome),
    }
}

fn address(field: &Field, word: &Word) -> Result<Test, QueryFault> {
    let Some(text) = word.pattern.as_exact().filter(|_| !word.quoted) else {
        return Ok(Test::Text(word.pattern.clone()));
    };
    if text.contains('/') {
        let network: IpNet = text
            .parse()
            .map_err(|_| wrong(word, QueryProblem::NoNetwork { text: word.raw.clone() }, &expected(field)))?;
        return Ok(Test::Network(network.trunc()));
    }
    match text.parse::<IpAddr>() {
        Ok(address) => Ok(Test::Text(Pattern::exact(address.to_canonical().to_string()))),
        // A name that an application gave in place of an address is one; half an address is a slip.
        Err(_) if text.chars().all(|ch| ch.is_ascii_digit() || matches!(ch, '.' | ':')) => {
            Err(wrong(word, QueryProblem::NoAddress { text: word.raw.clone() }, &expected(field)))
        }
        Err(_) => Ok(Test::Text(word.pattern.clone())),
    }
}

/// The two ends of `a..b`; either may be missing.
fn range(text: &str) -> Option<(Option<&str>, Option<&str>)> {
    let (low, high) = text.split_once("..")?;
    let part = |text| Some(text).filter(|text: &&str| !text.is_empty());
    Some((part(low), part(high))).filter(|ends| *ends != (None, None))
}

fn bounds<T: Copy>(
    field: &Field,
    sign: Sign,
    word: &Word,
    read: impl Fn(&str) -> Option<T>,
) -> Result<(Option<T>, Option<T>, bool), QueryFault> {
    let bad = || {
        let problem = QueryProblem::NoValue { field: field.to_string(), text: word.raw.clone() };
        wrong(word, problem, &expected(field))
    };
    let Some(text) = word.pattern.as_exact() else {
        return Err(wrong(word, QueryProblem::NoWildcard { field: field.to_string() }, &expected(field)));
    };
    if let Some((low, high)) = range(text).filter(|_| sign == Sign::Equal) {
        let (high, open) = match high.and_then(|text| text.strip_prefix('<')) {
            Some(rest) => (Some(rest), true),
            None => (high, false),
        };
        let end = |text: Option<&str>| text.map(|text| read(text).ok_or_else(bad)).transpose();
        return Ok((end(low)?, end(high)?, open));
    }
    let value = read(text).ok_or_else(bad)?;
    Ok(match sign {
        Sign::Equal => (Some(value), Some(value), false),
        Sign::From | Sign::Above => (Some(value), None, false),
        Sign::UpTo | Sign::Below => (None, Some(value), false),
    })
}

fn number(field: &Field, sign: Sign, word: &Word) -> Result<Test, QueryFault> {
    let (low, high, open) = bounds(field, sign, word, |text| text.parse::<i64>().ok())?;
    let too_far = || {
        let problem = QueryProblem::NothingBeyond { field: field.to_string(), text: word.raw.clone() };
        wrong(word, problem, &expected(field))
    };
    let low = match (low, sign) {
        (Some(low), Sign::Above) => Some(low.checked_add(1).ok_or_else(too_far)?),
        _ => low,
    };
    let high = match high {
        Some(high) if open || sign == Sign::Below => Some(high.checked_sub(1).ok_or_else(too_far)?),
        _ => high,
    };
    if low.zip(high).is_some_and(|(low, high)| low > high) {
        return Err(wrong(word, QueryProblem::RangeReversed, &expected(field)));
    }
    Ok(Test::Number { low, high })
}

/// The period that a time as written stands for: a day, a minute, a second or a millisecond.
fn period(text: &str, zone: Zone) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let (from, to) = written_period(text, zone)?;
    let (from, to) = (from.trunc_subsecs(3), to.trunc_subsecs(3));
    ((1..9_999).contains(&from.year())).then_some((from, to))
}

fn time(field: &Field, sign: Sign, word: &Word, zone: Zone) -> Result<Test, QueryFault> {
    let (low, high, open) = bounds(field, sign, word, |text| period(text, zone))?;
    let from = low.map(|(begin, end)| if sign == Sign::Above { end } else { begin });
    let to = high.map(|(begin, end)| if open || sign == Sign::Below { begin } else { end });
    if from.zip(to).is_some_and(|(from, to)| from >= to) {
        return Err(wrong(word, QueryProblem::PeriodReversed, &expected(field)));
    }
    Ok(Test::Time { from, to })
}

fn severity(field: &Field, sign: Sign, word: &Word) -> Result<Test, QueryFault> {
    let read = |text: &str| {
        let text = text.to_ascii_lowercase();
        Severity::ALL.iter().position(|known| known.as_str() == text)
    };
    let last = Severity::ALL.len() - 1;
    let (low, high, open) = bounds(field, sign, word, read).map_err(|found| QueryFault {
        suggestion: near(&word.raw, Severity::ALL.iter().map(|known| known.as_str())),
        ..found
    })?;
    let low = low.map_or(0, |low| low + usize::from(sign == Sign::Above));
    let high = high.map_or(Some(last), |high| high.checked_sub(usize::from(open || sign == Sign::Below)));
    let ends = high.and_then(|high| Some((*Severity::ALL.get(low)?, *Severity::ALL.get(high)?)));
    match ends {
        Some((low, high)) if low <= high => Ok(Test::Severity { low, high }),
        _ => Err(wrong(word, QueryProblem::NoSeverity, &expected(field))),
    }
}

fn one_of<T: Copy + std::fmt::Display>(field: &Field, word: &Word, all: &[T]) -> Result<T, QueryFault> {
    let typed = word.pattern.as_exact().unwrap_or_default().to_ascii_lowercase();
    let found = all.iter().find(|known| known.to_string() == typed).copied();
    found.ok_or_else(|| {
        let names: Vec<String> = all.iter().map(ToString::to_string).collect();
        QueryFault {
            suggestion: near(&typed, names.iter().map(String::as_str)),
            ..wrong(
                word,
                QueryProblem::NoWord { field: field.to_string(), text: word.raw.clone() },
                &expected(field),
            )
        }
    })
}

/// The one known word that begins like the one that was typed.
fn near<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let typed = typed.to_ascii_lowercase();
    let alike = |word: &str| word.chars().zip(typed.chars()).take_while(|(a, b)| a == b).count();
    let mut fitting: Vec<(usize, &str)> = known.map(|word| (alike(word), word)).collect();
    fitting.sort_by_key(|(alike, _)| std::cmp::Reverse(*alike));
    match fitting.as_slice() {
        [(best, word), rest @ ..] if *best >= 3 && rest.iter().all(|(alike, _)| alike < best) => {
            Some((*word).to_owned())
        }
        _ => None,
    }
}
