//! Queries of events as SQL: one tree, one meaning, two dialects.
//!
//! Negations are pushed down to the conditions, where a missing value counts as one that does not fit: `-user:anna`
//! finds events without a user.

use watchpost_model::query::{Expr, Field, FieldName, Network, Pattern, Query, Term, Test};

use crate::engine::{Dialect, Sql};
use crate::event::{ip_key, key_text, push_source, rank};

/// Adds ` AND ...` for `query`.
pub(crate) fn push(sql: &mut Sql, dialect: Dialect, query: &Query) {
    if let Some(expr) = query.expr() {
        sql.push(" AND ");
        Compiler { sql, dialect }.expr(expr, true);
    }
}

/// Whether every event that `query` finds has one name, and names of that kind have an index.
pub(crate) fn is_named(query: &Query) -> bool {
    fn expr_is(expr: &Expr) -> bool {
        use FieldName as N;
        match expr {
            Expr::All(parts) => parts.iter().any(expr_is),
            Expr::Term(Term::Field(Field::Named(N::Ip | N::User | N::Session), Test::Text(pattern))) => {
                pattern.as_exact().is_some()
            }
            Expr::Any(_) | Expr::Not(_) | Expr::Term(_) => false,
        }
    }
    query.expr().is_some_and(expr_is)
}

/// Whether every event that `query` finds is of the sources of a network or a country: any number of them.
pub(crate) fn names_sources(query: &Query) -> bool {
    fn expr_does(expr: &Expr) -> bool {
        match expr {
            Expr::All(parts) => parts.iter().any(expr_does),
            Expr::Term(term) => is_of_sources(term),
            Expr::Any(_) | Expr::Not(_) => false,
        }
    }
    query.expr().is_some_and(expr_does)
}

/// Whether `query` asks for nothing but the sources of networks and countries.
pub(crate) fn is_of_sources_only(query: &Query) -> bool {
    query.expr().is_some_and(|expr| match expr {
        Expr::All(parts) => parts.iter().all(|part| matches!(part, Expr::Term(term) if is_of_sources(term))),
        Expr::Term(term) => is_of_sources(term),
        Expr::Any(_) | Expr::Not(_) => false,
    })
}

fn is_of_sources(term: &Term) -> bool {
    match term {
        Term::Field(Field::Named(FieldName::Country), _) => true,
        Term::Field(Field::Named(FieldName::Ip), test) => matches!(test, Test::Network(_)),
        Term::Field(..) | Term::Text(_) => false,
    }
}

struct Compiler<'a> {
    sql: &'a mut Sql,
    dialect: Dialect,
}

impl Compiler<'_> {
    /// What must hold, or must not where `holds` is false.
    fn expr(&mut self, expr: &Expr, holds: bool) {
        match expr {
            Expr::All(parts) => self.join(parts, holds, if holds { " AND " } else { " OR " }),
            Expr::Any(parts) => self.join(parts, holds, if holds { " OR " } else { " AND " }),
            Expr::Not(part) => self.expr(part, !holds),
            Expr::Term(Term::Text(pattern)) => {
                let lower = pattern.map(|text| text.chars().flat_map(char::to_lowercase).collect());
                self.sql.push(if holds { "search LIKE " } else { "search NOT LIKE " });
                self.sql.bind(like(&lower, true)).push(" ESCAPE '!'");
            }
            Expr::Term(Term::Field(Field::Named(FieldName::Tag), test)) => self.tag(test, holds),
            Expr::Term(Term::Field(Field::Named(FieldName::Country), test)) => self.country(test, holds),
            Expr::Term(Term::Field(field, test)) => self.field(field, test, holds),
        }
    }

    fn join(&mut self, parts: &[Expr], holds: bool, word: &str) {
        self.sql.push("(");
        for (index, part) in parts.iter().enumerate() {
            self.sql.push(if index == 0 { "" } else { word });
            self.expr(part, holds);
        }
        self.sql.push(")");
    }

    fn field(&mut self, field: &Field, test: &Test, holds: bool) {
        let given = always_given(field);
        if given && *test == Test::Given {
            self.sql.push(if holds { "1 = 1" } else { "1 = 0" });
            return;
        }
        if holds {
            return self.test(field, test);
        }
        self.sql.push("(");
        if !given {
            self.place(field, test);
            self.sql.push(" IS NULL OR ");
        }
        self.sql.push("NOT (");
        self.test(field, test);
        self.sql.push("))");
    }

    fn test(&mut self, field: &Field, test: &Test) {
        match test {
            Test::Given => {
                self.place(field, test);
                // Numbers are there or not; texts may be there and empty.
                if is_number(field) {
                    self.sql.push(" IS NOT NULL");
                } else {
                    self.sql.push(" <> ''");
                }
            }
            Test::Text(pattern) if *field == Field::Named(FieldName::Ip) => {
                self.source(&pattern.map(key_text))
            }
            Test::Text(pattern) => {
                self.place(field, test);
                self.text(&pattern.map(|text| if is_key(field) { key_text(text) } else { text.to_owned() }));
            }
            Test::Number { low, high } => self.between(field, test, *low, *high),
            Test::Severity { low, high } => self.between(field, test, Some(rank(*low)), Some(rank(*high))),
            Test::Time { from, to } => {
                let ends = [(" >= ", *from), (" < ", *to)];
                self.bounds(field, test, ends.map(|(sign, at)| (sign, at.map(|at| at.timestamp_micros()))));
            }
            Test::Category(category) => {
                self.sql.push("category = ").bind(category.as_str());
            }
            Test::Outcome(outcome) => {
                self.sql.push("outcome = ").bind(outcome.as_str());
            }
            Test::Network(network) => {
                let (low, high) = ends(network);
                self.sql.push("(source_key >= ").bind(low).push(" AND source_key <= ").bind(high);
                if matches!(network, Network::V6(_)) {
                    // IPv4 is kept as a part of IPv6; who asks for IPv6 does not mean it.
                    let mapped: Vec<Vec<u8>> = [[0, 0, 0, 0], [255; 4]].map(|v4| ip_key(v4.into())).into();
                    self.sql.push(" AND NOT (source_key >= ").bind(mapped[0].as_slice());
                    self.sql.push(" AND source_key <= ").bind(mapped[1].as_slice()).push(")");
                }
                self.sql.push(")");
            }
        }
    }

    fn between(&mut self, field: &Field, test: &Test, low: Option<i64>, high: Option<i64>) {
        self.bounds(field, test, [(" >= ", low), (" <= ", high)]);
    }

    fn bounds(&mut self, field: &Field, test: &Test, ends: [(&str, Option<i64>); 2]) {
        self.sql.push("(1 = 1");
        for (sign, end) in ends {
            if let Some(end) = end {
                self.sql.push(" AND ");
                self.place(field, test);
                self.sql.push(sign).bind(end);
            }
        }
        self.sql.push(")");
    }

    /// ` = $1`, or the dialect's match that tells upper from lower case.
    fn text(&mut self, pattern: &Pattern) {
        match (pattern.as_exact(), self.dialect) {
            (Some(text), _) => {
                self.sql.push(" = ").bind(text);
            }
            (None, Dialect::Sqlite) => {
                self.sql.push(" GLOB ").bind(glob(pattern));
            }
            (None, Dialect::Postgres) => {
                self.sql.push(" LIKE ").bind(like(pattern, false)).push(" ESCAPE '!'");
            }
        }
    }

    fn tag(&mut self, test: &Test, holds: bool) {
        self.sql.push(if holds { "EXISTS (" } else { "NOT EXISTS (" });
        self.sql.push(self.dialect.tags());
        if let Test::Text(pattern) = test {
            self.sql.push(" WHERE t.value");
            self.text(pattern);
        }
        self.sql.push(")");
    }

    /// A source as it is written. The keys of addresses that begin with whole numbers lie side by side.
    fn source(&mut self, pattern: &Pattern) {
        if let Some(source) = pattern.as_exact() {
            return push_source(self.sql, source);
        }
        self.sql.push("(source_ip");
        self.text(pattern);
        if let Some((low, high)) = pattern.pieces().first().and_then(|begin| beginning(begin)) {
            self.sql.push(" AND ((source_key >= ").bind(low).push(" AND source_key <= ").bind(high);
            self.sql.push(") OR (source_key IS NULL AND source_ip IS NOT NULL))");
        }
        self.sql.push(")");
    }

    /// Where sources are is known of each address, not of each event.
    fn country(&mut self, test: &Test, holds: bool) {
        self.sql.push(if holds { "source_key IN (" } else { "(source_key IS NULL OR source_key NOT IN (" });
        self.sql.push("SELECT p.source_key FROM source_place p WHERE p.source_key IS NOT NULL");
        self.sql.push(" AND p.country IS NOT NULL");
        if let Test::Text(pattern) = test {
            self.sql.push(" AND p.country");
            self.text(pattern);
        }
        self.sql.push(if holds { ")" } else { "))" });
    }

    /// The expression that holds the field's value.
    fn place(&mut self, field: &Field, test: &Test) {
        let name = match field {
            Field::Named(name) => *name,
            Field::Header(header) => return self.json(&["http", "headers", header]),
            Field::Details(path) => {
                let path: Vec<&str> =
                    std::iter::once("details").chain(path.iter().map(String::as_str)).collect();
                return self.json(&path);
            }
        };
        let column = match name {
            FieldName::At => "at",
            FieldName::Category => "category",
            FieldName::Severity => "severity",
            FieldName::Outcome => "outcome",
            FieldName::Ip if matches!(test, Test::Network(_)) => "source_key",
            FieldName::Ip => "source_ip",
            FieldName::User => "actor",
            FieldName::Session => "session",
            FieldName::Endpoint => "endpoint",
            FieldName::Status => "status",
            FieldName::Count => "n",
            FieldName::Id => "id",
            FieldName::Type => self.dialect.event_type(),
            FieldName::Resource => return self.json(&["resource"]),
            FieldName::Action => return self.json(&["action"]),
            FieldName::Method => return self.json(&["http", "method"]),
            FieldName::Path => return self.json(&["http", "path"]),
            FieldName::Query => return self.json(&["http", "query"]),
            FieldName::Agent => return self.json(&["http", "headers", "user-agent"]),
            FieldName::Body => return self.json(&["http", "body"]),
            FieldName::Bytes => return self.number(&["http", "bytes"]),
            FieldName::Duration => return self.number(&["http", "duration_ms"]),
            FieldName::Risk => return self.number(&["risk"]),
            // Never asked for here: labels and places are rows of their own, see `tag` and `country`.
            FieldName::Tag | FieldName::Country => "NULL",
        };
        self.sql.push(column);
    }

    fn json(&mut self, path: &[&str]) {
        let path = match self.dialect {
            // Names in paths have no quotation marks: the parser takes letters, digits, `_` and `-`.
            Dialect::Sqlite => path.iter().fold("$".to_owned(), |text, name| format!("{text}.\"{name}\"")),
            Dialect::Postgres => path.join("."),
        };
        for (index, piece) in self.dialect.body_text().iter().enumerate() {
            if index > 0 {
                self.sql.bind(path.as_str());
            }
            self.sql.push(piece);
        }
    }

    fn number(&mut self, path: &[&str]) {
        self.sql.push("CAST(");
        self.json(path);
        self.sql.push(" AS NUMERIC)");
    }
}

/// Every event has it.
const fn always_given(field: &Field) -> bool {
    use FieldName as N;
    matches!(field, Field::Named(N::At | N::Category | N::Severity | N::Outcome | N::Type | N::Count | N::Id))
}

const fn is_number(field: &Field) -> bool {
    use FieldName as N;
    matches!(field, Field::Named(N::Status | N::Bytes | N::Duration | N::Risk))
}

/// Columns that keep the begin of a long value.
const fn is_key(field: &Field) -> bool {
    use FieldName as N;
    matches!(field, Field::Named(N::Ip | N::User | N::Session | N::Endpoint))
}

/// The first and the last address of a network, as they sort.
fn ends(network: &Network) -> (Vec<u8>, Vec<u8>) {
    (ip_key(network.network()), ip_key(network.broadcast()))
}

/// The keys of the first and the last address of IPv4 that can begin with `text`: `203.0.` or `203.0.11`.
fn beginning(text: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    let (numbers, _) = text.rsplit_once('.')?;
    let (mut low, mut high) = ([0; 4], [u8::MAX; 4]);
    let mut places = low.iter_mut().zip(&mut high).take(3);
    for number in numbers.split('.') {
        let (first, last) = places.next()?;
        // With a zero in front it is no address.
        let octet: u8 = number.parse().ok().filter(|octet: &u8| octet.to_string() == number)?;
        (*first, *last) = (octet, octet);
    }
    Some((ip_key(low.into()), ip_key(high.into())))
}

/// For `LIKE ... ESCAPE '!'`.
fn like(pattern: &Pattern, anywhere: bool) -> String {
    let mut text = String::from(if anywhere { "%" } else { "" });
    for (index, piece) in pattern.pieces().iter().enumerate() {
        text.push_str(if index == 0 { "" } else { "%" });
        for ch in piece.chars() {
            if matches!(ch, '%' | '_' | '!') {
                text.push('!');
            }
            text.push(ch);
        }
    }
    text.push_str(if anywhere { "%" } else { "" });
    text
}

/// For SQLite's GLOB, which tells upper from lower case.
fn glob(pattern: &Pattern) -> String {
    let mut text = String::new();
    for (index, piece) in pattern.pieces().iter().enumerate() {
        text.push_str(if index == 0 { "" } else { "*" });
        for ch in piece.chars() {
            if matches!(ch, '*' | '?' | '[') {
                text.extend(['[', ch, ']']);
            } else {
                text.push(ch);
            }
        }
    }
    text
}
