//! Gates, matching, and the explanation of a match.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use watchpost_model::event::{Event, Severity};
use watchpost_model::finding::{AttackFamily, DecodedLayer, Finding, MatchedField};
use watchpost_model::text::visible;

use crate::bits::Bits;
use crate::check::{Context, TokenKeys};
use crate::decode::{Layer, layers_into, lineage, trace};
use crate::fields::{Field, Fields, Role};
use crate::finding::{Seen, entity_of, finding, finding_id};
use crate::gate::Gate;
use crate::mention::is_mention;
use crate::rule::RuleInfo;
use crate::rules::{Matcher, Scope, Signature};
use crate::shell;
use crate::sql::{self, ANCHORS};

/// Most characters of a layer that a finding keeps around the match.
const LAYER_CHARS_MAX: usize = 2_048;
/// Longest match that is marked, in bytes; a longer one is marked by its start.
const SPAN_BYTES_MAX: usize = 1_024;
/// Longest layer in which a match is marked wider where it does not suffice by itself, in bytes.
const WIDER_BYTES_MAX: usize = 4 * 1_024;

/// The match in each layer, raw first.
type Marks = Vec<Option<Range<usize>>>;

/// Signatures, with the gate that decides which of them look at a text.
#[derive(Debug)]
pub(crate) struct Signatures {
    /// For what a request brings.
    gate: Gate,
    /// For everything else, which few rules look at.
    gate_other: Gate,
    rules: Vec<Arc<Signature>>,
    /// For each role, the rules without a gate.
    always: [Bits; Role::COUNT],
    /// For each role, the rules that look at it at all.
    in_scope: [Bits; Role::COUNT],
    /// Rules that the reader of command lines answers, which knows by itself what to look at.
    shell: Bits,
    /// For each rule, those to which it leaves a value that they fire on.
    yields: Vec<Bits>,
    /// All rules that others leave a value to.
    preferred: Bits,
}

/// A match before it is explained.
struct Hit {
    rule: usize,
    layer: usize,
    span: Range<usize>,
}

impl Signatures {
    /// A set of at most [`BITS_MAX`](crate::bits::BITS_MAX) signatures.
    pub(crate) fn new(rules: Vec<Arc<Signature>>) -> Self {
        let mut always = [Bits::EMPTY; Role::COUNT];
        let mut in_scope = [Bits::EMPTY; Role::COUNT];
        let (mut sql, mut shell) = (Bits::EMPTY, Bits::EMPTY);
        let mut literals: BTreeMap<&str, Bits> = BTreeMap::new();
        for (index, rule) in rules.iter().enumerate() {
            for &role in Role::ALL.iter().filter(|&&role| is_in_scope(rule.scope, role)) {
                in_scope[role as usize].set(index);
            }
            match rule.matcher {
                Matcher::Sql(_) => sql.set(index),
                Matcher::Shell(_) => shell.set(index),
                Matcher::Regex(_) | Matcher::Check(_) if rule.gate.is_empty() => {
                    always.iter_mut().for_each(|always| always.set(index));
                }
                Matcher::Regex(_) | Matcher::Check(_) => {}
            }
            rule.gate.iter().for_each(|literal| literals.entry(literal).or_default().set(index));
        }
        for anchor in ANCHORS {
            *literals.entry(anchor).or_default() |= sql;
        }
        let gate_of = |is_request: bool| {
            let roles = Role::ALL.iter().filter(|role| role.is_request() == is_request);
            let wanted = roles.fold(Bits::EMPTY, |all, &role| all | in_scope[role as usize]);
            let opening = literals.iter().map(|(&literal, &bits)| (literal, bits.and(wanted)));
            Gate::new(opening.filter(|(_, bits)| !bits.is_empty()))
        };
        let (gate, gate_other) = (gate_of(true), gate_of(false));
        let yields: Vec<Bits> = rules.iter().map(|rule| preferred_to(rule, &rules)).collect();
        let preferred = yields.iter().fold(Bits::EMPTY, |all, &bits| all | bits);
        Self { gate, gate_other, rules, always, in_scope, shell, yields, preferred }
    }

    /// Which rules may match a text of this role.
    fn open(&self, text: &str, role: Role) -> Bits {
        let gate = if role.is_request() { &self.gate } else { &self.gate_other };
        gate.open(text) | self.always[role as usize]
    }

    /// The findings of one event: at most one of each rule, in the order of the rules.
    ///
    /// What was decoded goes to `kept`, field by field, where somebody else needs it too.
    pub(crate) fn findings<'a>(
        &self,
        event: &Event,
        fields: &Fields<'a>,
        keys: &TokenKeys,
        mut kept: Option<&mut Vec<Vec<Layer<'a>>>>,
    ) -> Vec<Finding> {
        let mut done = Bits::EMPTY;
        let mut found: Vec<(usize, Finding)> = Vec::new();
        let mut layers: Vec<Layer<'a>> = Vec::new();
        for field in &fields.all {
            if field.role.is_request() {
                layers_into(field.value, field.encoding, &mut layers);
            } else {
                layers.clear();
                layers.push(Layer::new("raw", field.value.into()));
            }
            let context = Context::new(event, field, keys);
            // What others yield to is asked again, so that it keeps them from a second value as well.
            let hits = self.hits(&context, &layers, done.without(self.preferred));
            let preferred = self.preferred_among(&hits, &layers);
            for hit in hits {
                if done.has(hit.rule) || !self.yields[hit.rule].and(preferred).is_empty() {
                    continue;
                }
                done.set(hit.rule);
                found.push((hit.rule, self.explain(&context, &layers, &hit)));
            }
            if let Some(kept) = &mut kept {
                kept.push(std::mem::take(&mut layers));
            }
        }
        found.sort_by_key(|(rule, _)| *rule);
        found.into_iter().map(|(_, finding)| finding).collect()
    }

    /// The rules among `hits` that others yield to; what is only told of in a sentence keeps nobody away.
    fn preferred_among(&self, hits: &[Hit], layers: &[Layer<'_>]) -> Bits {
        let mut all = Bits::EMPTY;
        for hit in hits.iter().filter(|hit| self.preferred.has(hit.rule)) {
            let is_program = is_program(self.rules[hit.rule].info.family);
            if !(is_program && is_mention(&layers[hit.layer].text, &hit.span)) {
                all.set(hit.rule);
            }
        }
        all
    }

    fn hits(&self, context: &Context<'_>, layers: &[Layer<'_>], done: Bits) -> Vec<Hit> {
        let field = context.field;
        let mut done = done;
        let mut hits = Vec::new();
        // The raw form of an encoded value is only of interest where nothing decoded it.
        let first = usize::from(layers.len() > 1 && matches!(layers[1].decoder, "percent" | "json" | "list"));
        for (index, layer) in layers.iter().enumerate().skip(first) {
            // What a check remembers is of one layer.
            let context = Context::new(context.event, context.field, context.keys);
            let is_plain_agent = is_plain_agent(field.role, &layer.text);
            // Both readers undo quoting by themselves.
            let may_read = field.role.is_request() && layer.decoder != "shell" && !is_plain_agent;
            let mut open = self.open(&layer.text, field.role);
            let commands = if may_read && shell::may_have_shape(&layer.text, layer.bytes) {
                open |= self.shell;
                shell::shapes(&layer.text)
            } else {
                Vec::new()
            };
            let open = open.and(self.in_scope[field.role as usize]).without(done);
            if open.is_empty() {
                continue;
            }
            let mut statements: Option<Vec<(sql::Shape, Range<usize>)>> = None;
            for rule in open.iter() {
                let signature = &self.rules[rule];
                if is_plain_agent && signature.scope == Scope::NotPlainAgent
                    || !signature.layers.is_empty() && !signature.layers.contains(&layer.decoder)
                {
                    continue;
                }
                let span = match &signature.matcher {
                    Matcher::Sql(_) if !may_read => None,
                    Matcher::Sql(shape) => span_of(
                        statements.get_or_insert_with(|| sql::shapes(&layer.text, layer.bytes)),
                        *shape,
                    ),
                    Matcher::Shell(shape) => span_of(&commands, *shape),
                    Matcher::Check(check) => check.run(&layer.text, &context),
                    Matcher::Regex(regex) => regex.find(&layer.text, layer.bytes),
                };
                let is_excepted =
                    || signature.unless.is_some_and(|check| check.run(&layer.text, &context).is_some());
                if let Some(span) = span
                    && !is_excepted()
                {
                    done.set(rule);
                    hits.push(Hit { rule, layer: index, span });
                }
            }
        }
        hits
    }

    /// So much of the match that it fires the rule by itself: what a base64 text decodes to is nothing without its
    /// beginning, and some words mean something only before others.
    fn marked(&self, context: &Context<'_>, layers: &[Layer<'_>], path: &[usize], hit: &Hit) -> Marks {
        let field = context.field;
        let marks = |span: Range<usize>| {
            let mut marks: Marks = vec![Some(span)];
            for pair in path.windows(2).rev() {
                let span = marks.last().cloned().flatten();
                marks.push(
                    span.and_then(|span| trace(&layers[pair[0]], &layers[pair[1]], field.encoding, &span)),
                );
            }
            marks.reverse();
            marks
        };
        let suffices = |marks: &Marks| {
            let raw = marks.first().cloned().flatten();
            raw.is_some_and(|raw| self.fires_alone(context, raw, hit.rule))
        };
        let (own, n_bytes) = (marks(hit.span.clone()), layers[hit.layer].text.len());
        if !field.role.is_request() || n_bytes > WIDER_BYTES_MAX || suffices(&own) {
            return own;
        }
        let wider = [hit.span.start..n_bytes, 0..hit.span.end, 0..n_bytes];
        wider.into_iter().map(marks).find(suffices).unwrap_or(own)
    }

    /// Does the piece `raw` of a value fire `rule` in its place?
    fn fires_alone(&self, context: &Context<'_>, raw: Range<usize>, rule: usize) -> bool {
        let Some(value) = context.field.value.get(raw).filter(|value| value.len() <= SPAN_BYTES_MAX) else {
            return false;
        };
        let piece = Field { value, ..context.field.clone() };
        let mut layers = Vec::new();
        layers_into(value, piece.encoding, &mut layers);
        let mut others = Bits::EMPTY;
        (0..self.rules.len()).filter(|other| *other != rule).for_each(|other| others.set(other));
        !self.hits(&Context::new(context.event, &piece, context.keys), &layers, others).is_empty()
    }

    fn explain(&self, context: &Context<'_>, layers: &[Layer<'_>], hit: &Hit) -> Finding {
        let (event, field) = (context.event, context.field);
        let info = &self.rules[hit.rule].info;
        let lowered =
            (is_program(info.family) && is_mention(&layers[hit.layer].text, &hit.span)).then(|| RuleInfo {
                severity: info.severity.min(Severity::Low),
                confidence: info.confidence / 2,
                ..RuleInfo::clone(info)
            });
        let info = lowered.as_ref().unwrap_or(info);
        let path = lineage(layers, hit.layer);
        let spans = self.marked(context, layers, &path, hit);
        let shown = path.iter().zip(spans).map(|(&at, span)| decoded_layer(&layers[at], span)).collect();
        let matched = MatchedField { field: field.name(), layers: shown };
        let excerpt = visible(&layers[hit.layer].text[hit.span.clone()], 80);
        let entity = entity_of(event);
        let seen = Seen {
            id: finding_id(event.at, &[&info.id, &event.id.to_string(), &entity.to_string()]),
            summary: if lowered.is_some() {
                format!("{} in {}, named in a sentence: {excerpt}", info.title, matched.field)
            } else {
                format!("{} in {}: {excerpt}", info.title, matched.field)
            },
            entity,
            matched: Some(matched),
            counter: None,
            counted: None,
            severity: info.severity,
        };
        finding(info, event, seen)
    }
}

/// Families whose names people put into sentences.
const fn is_program(family: AttackFamily) -> bool {
    matches!(family, AttackFamily::Php | AttackFamily::Cmdi)
}

/// The rules that `rule` leaves a value to: those that it names, and severe ones of the families that it names. A weak
/// sign of another family takes nothing away.
fn preferred_to(rule: &Signature, rules: &[Arc<Signature>]) -> Bits {
    let mut preferred = Bits::EMPTY;
    for (index, other) in rules.iter().enumerate() {
        let is_named = |name: &String| {
            *name == other.info.id
                || other.info.severity >= Severity::High && name == other.info.family.as_str()
        };
        if other.info.family != rule.info.family && rule.yields.iter().any(is_named) {
            preferred.set(index);
        }
    }
    preferred
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
