//! Gates, matching, and the explanation of a match.

use std::ops::Range;
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, AhoCorasickKind};
use watchpost_model::event::Event;
use watchpost_model::finding::{DecodedLayer, Finding, MatchedField};
use watchpost_model::text::visible;

use crate::check::{Context, TokenKeys};
use crate::decode::{Layer, layers, lineage, trace};
use crate::expression::Expression;
use crate::fields::{Field, Fields, Role};
use crate::finding::{Seen, entity_of, finding, finding_id};
use crate::rules::{Matcher, Scope, Signature, all_signatures};
use crate::shell;
use crate::sql::{self, ANCHORS};

/// Most characters of a layer that a finding keeps around the match.
const LAYER_CHARS_MAX: usize = 2_048;
/// Longest match that is marked, in bytes; a longer one is marked by its start.
const SPAN_BYTES_MAX: usize = 1_024;
/// The bit of the gate that belongs to the SQL reader.
const SQL_BIT: u128 = 1 << 127;

struct Compiled {
    signature: &'static Signature,
    regex: Option<Expression>,
    bit: u128,
}

/// All signatures, compiled.
pub(crate) struct Signatures {
    gate: AhoCorasick,
    /// For each literal of the gate, the rules that it opens.
    opens: Vec<u128>,
    /// For each role, the checks without literals.
    always: [u128; Role::COUNT],
    rules: Vec<Compiled>,
}

/// A match before it is explained.
struct Hit {
    rule: usize,
    layer: usize,
    span: Range<usize>,
}

impl Signatures {
    /// The one compiled set; compiled at first use.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Signatures> = OnceLock::new();
        SHARED.get_or_init(Self::compile)
    }

    fn compile() -> Self {
        let mut literals: Vec<&'static str> = Vec::new();
        let mut opens: Vec<u128> = Vec::new();
        let mut add =
            |literal: &'static str, bit: u128| match literals.iter().position(|known| *known == literal) {
                Some(at) => opens[at] |= bit,
                None => {
                    literals.push(literal);
                    opens.push(bit);
                }
            };
        let mut always = [0; Role::COUNT];
        let mut rules = Vec::new();
        for (index, signature) in all_signatures().enumerate() {
            assert!(index < 127, "one bit a rule: widen the gate");
            let bit = 1_u128 << index;
            signature.gate.iter().for_each(|literal| add(literal, bit));
            if signature.gate.is_empty() && matches!(signature.matcher, Matcher::Check(_)) {
                Role::ALL
                    .iter()
                    .filter(|&&role| is_in_scope(signature.scope, role))
                    .for_each(|&role| always[role as usize] |= bit);
            }
            let regex = match signature.matcher {
                Matcher::Regex(pattern) => Some(
                    Expression::new(pattern).unwrap_or_else(|error| panic!("{}: {error}", signature.info.id)),
                ),
                Matcher::Sql(_) | Matcher::Shell(_) | Matcher::Check(_) => None,
            };
            rules.push(Compiled { signature, regex, bit });
        }
        ANCHORS.iter().for_each(|literal| add(literal, SQL_BIT));
        let gate = AhoCorasickBuilder::new()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .build(&literals)
            .expect("the gate is a few hundred short literals");
        Self { gate, opens, always, rules }
    }

    /// Which rules may match `text`.
    fn open(&self, text: &str) -> u128 {
        self.gate
            .find_overlapping_iter(text)
            .fold(0, |open, found| open | self.opens[found.pattern().as_usize()])
    }

    /// The findings of one event: at most one of each rule, in the order of the rules.
    pub(crate) fn findings(&self, event: &Event, fields: &Fields<'_>, keys: &TokenKeys) -> Vec<Finding> {
        let mut done: u128 = 0;
        let mut found: Vec<(usize, Finding)> = Vec::new();
        for field in &fields.all {
            let layers = if field.role.is_request() {
                layers(field.value, field.encoding)
            } else {
                vec![Layer::new("raw", field.value.into())]
            };
            for hit in self.hits(event, keys, field, &layers, done) {
                done |= self.rules[hit.rule].bit;
                found.push((hit.rule, self.explain(event, field, &layers, &hit)));
            }
        }
        found.sort_by_key(|(rule, _)| *rule);
        found.into_iter().map(|(_, finding)| finding).collect()
    }

    fn hits(
        &self,
        event: &Event,
        keys: &TokenKeys,
        field: &Field<'_>,
        layers: &[Layer<'_>],
        done: u128,
    ) -> Vec<Hit> {
        let mut done = done;
        let mut hits = Vec::new();
        // The raw form of an encoded value is only of interest where nothing decoded it.
        let first = usize::from(layers.len() > 1 && matches!(layers[1].decoder, "percent" | "json"));
        for (index, layer) in layers.iter().enumerate().skip(first) {
            let open = (self.open(&layer.text) | self.always[field.role as usize]) & !done;
            let is_plain_agent = is_plain_agent(field.role, &layer.text);
            let may_read = field.role.is_request() && layer.decoder != "shell" && !is_plain_agent;
            let sql = if open & SQL_BIT != 0 && may_read { sql::shapes(&layer.text) } else { Vec::new() };
            // The reader of command lines undoes shell quoting by itself.
            let commands = if may_read && shell::may_have_shape(&layer.text) {
                shell::shapes(&layer.text)
            } else {
                Vec::new()
            };
            if open == 0 && commands.is_empty() {
                continue;
            }
            for (rule, compiled) in self.rules.iter().enumerate() {
                if is_plain_agent && compiled.signature.scope == Scope::NotPlainAgent {
                    continue;
                }
                if done & compiled.bit != 0 || !is_in_scope(compiled.signature.scope, field.role) {
                    continue;
                }
                let span = match (compiled.signature.matcher, &compiled.regex) {
                    (Matcher::Sql(shape), _) => span_of(&sql, shape),
                    (Matcher::Shell(shape), _) => span_of(&commands, shape),
                    (Matcher::Regex(_), Some(regex)) if open & compiled.bit != 0 => {
                        regex.find(&layer.text, layer.bytes)
                    }
                    (Matcher::Check(check), _) if open & compiled.bit != 0 => {
                        check.run(&layer.text, &Context { event, field, keys })
                    }
                    (Matcher::Regex(_) | Matcher::Check(_), _) => None,
                };
                if let Some(span) = span {
                    done |= compiled.bit;
                    hits.push(Hit { rule, layer: index, span });
                }
            }
        }
        hits
    }

    fn explain(&self, event: &Event, field: &Field<'_>, layers: &[Layer<'_>], hit: &Hit) -> Finding {
        let info = self.rules[hit.rule].signature.info;
        let path = lineage(layers, hit.layer);
        let mut spans: Vec<Option<Range<usize>>> = vec![Some(hit.span.clone())];
        for pair in path.windows(2).rev() {
            let span = spans.last().cloned().flatten();
            spans
                .push(span.and_then(|span| trace(&layers[pair[0]], &layers[pair[1]], field.encoding, &span)));
        }
        spans.reverse();
        let shown = path.iter().zip(spans).map(|(&at, span)| decoded_layer(&layers[at], span)).collect();
        let matched = MatchedField { field: field.name(), layers: shown };
        let excerpt = visible(&layers[hit.layer].text[hit.span.clone()], 80);
        let entity = entity_of(event);
        let seen = Seen {
            id: finding_id(event.at, &[info.id, &event.id.to_string(), &entity.to_string()]),
            summary: format!("{} in {}: {excerpt}", info.title, matched.field),
            entity,
            matched: Some(matched),
            counter: None,
            counted: None,
            severity: info.severity,
        };
        finding(info, event, seen)
    }
}

fn span_of<S: Copy + PartialEq>(shapes: &[(S, Range<usize>)], wanted: S) -> Option<Range<usize>> {
    shapes.iter().find(|(shape, _)| *shape == wanted).map(|(_, span)| span.clone())
}

/// `Name/1.0 (...)` without quotes: parentheses and semicolons are its grammar, not SQL's.
fn is_plain_agent(role: Role, text: &str) -> bool {
    role == Role::UserAgent
        && !text.contains(['\'', '"'])
        && text.split_once('/').is_some_and(|(name, rest)| {
            !name.contains(' ') && rest.starts_with(|ch: char| ch.is_ascii_digit())
        })
}

const fn is_in_scope(scope: Scope, role: Role) -> bool {
    match scope {
        Scope::Any | Scope::NotPlainAgent => role.is_request(),
        Scope::UserAgent => matches!(role, Role::UserAgent),
        Scope::Path => matches!(role, Role::Path),
        Scope::Part => matches!(role, Role::Part),
        Scope::Answer => matches!(role, Role::Answer),
        Scope::Kind => matches!(role, Role::Kind),
    }
}

/// The layer cut to [`LAYER_CHARS_MAX`] characters around the match, the span in characters of what is kept.
fn decoded_layer(layer: &Layer<'_>, span: Option<Range<usize>>) -> DecodedLayer {
    let text = layer.text.as_ref();
    let decoder = layer.decoder.to_owned();
    let Some(span) = span else {
        return DecodedLayer { decoder, text: text.chars().take(LAYER_CHARS_MAX).collect(), span: None };
    };
    let end = (span.start..=span.end.min(span.start + SPAN_BYTES_MAX).min(text.len()))
        .rev()
        .find(|&at| text.is_char_boundary(at))
        .unwrap_or(span.start);
    let n_before_all = text[..span.start].chars().count();
    let n_match = text[span.start..end].chars().count();
    let n_before = n_before_all.min((LAYER_CHARS_MAX - n_match.min(LAYER_CHARS_MAX)) / 2);
    let kept = text.chars().skip(n_before_all - n_before).take(LAYER_CHARS_MAX).collect();
    let at = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    DecodedLayer { decoder, text: kept, span: Some((at(n_before), at(n_before + n_match))) }
}
