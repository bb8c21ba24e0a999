//! One request or one value by itself: no state, no counting.

use std::collections::BTreeMap;

use chrono::DateTime;
use rsigma_eval::EvaluationResult;
use watchpost_model::event::{Category, Event, Http, split_target};
use watchpost_model::finding::{AttackFamily, DecodedLayer, Finding, MatchedField};
use watchpost_model::ids::EventId;

use crate::check::TokenKeys;
use crate::decode::{Encoding, Layer, layers};
use crate::fields::{Field, Fields, Role, fields};
use crate::ruleset::RuleSet;
use crate::sigma::View;

/// Characters of a decoded text that are shown.
const SHOWN_CHARS_MAX: usize = 2_048;

/// What the signatures say of one request.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The families that matched, each once, in the order of their declaration.
    pub categories: Vec<AttackFamily>,
    /// One finding a rule.
    pub findings: Vec<Finding>,
    /// Was something not looked at: values beyond the caps, or the middle of long ones?
    pub truncated: bool,
}

impl Verdict {
    fn of(findings: Vec<Finding>, fields: &Fields<'_>) -> Self {
        let has = |family: &AttackFamily| findings.iter().any(|finding| finding.family == *family);
        Self {
            categories: AttackFamily::ALL.iter().copied().filter(has).collect(),
            findings,
            truncated: fields.n_dropped > 0,
        }
    }

    /// Did any signature match?
    #[must_use]
    pub fn is_detected(&self) -> bool {
        !self.findings.is_empty()
    }
}

fn blank_event() -> Event {
    Event::new(EventId::derived(0, [0; 16]), DateTime::UNIX_EPOCH, Category::ApiUsage, "request")
}

/// Looks at one request with the rules that ship. `uri` is the raw request target; header names are taken in any case.
///
/// The findings carry the nil time and are grouped by the endpoint: they explain, they are not for storing.
#[must_use]
pub fn inspect_request(
    method: &str,
    uri: &str,
    headers: &BTreeMap<String, String>,
    body: Option<&str>,
) -> Verdict {
    RuleSet::embedded().inspect_request(method, uri, headers, body)
}

impl RuleSet {
    /// As [`inspect_request`], with these rules: signatures and Sigma detections, nothing that counts.
    #[must_use]
    pub fn inspect_request(
        &self,
        method: &str,
        uri: &str,
        headers: &BTreeMap<String, String>,
        body: Option<&str>,
    ) -> Verdict {
        let (path, query) = split_target(uri);
        let mut event = blank_event();
        event.http = Some(Http {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.map(str::to_owned),
            headers: headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect(),
            body: body.map(str::to_owned),
            ..Http::default()
        });
        self.inspect_event(&event)
    }

    /// Looks at one event, its answer included: signatures and Sigma detections, no counting.
    #[must_use]
    pub fn inspect_event(&self, event: &Event) -> Verdict {
        let fields = fields(event);
        Verdict::of(self.looked_at(event, &fields, |_, _| Vec::new()), &fields)
    }

    /// What signatures and Sigma detections say of an event; `correlate` gets what the latter matched.
    pub(crate) fn looked_at<'a>(
        &self,
        event: &'a Event,
        fields: &'a Fields<'a>,
        correlate: impl FnOnce(&View<'_>, Vec<EvaluationResult>) -> Vec<Finding>,
    ) -> Vec<Finding> {
        let Some(sigma) = &self.sigma else {
            return self.signatures.findings(event, fields, &self.keys, None);
        };
        let mut layers = Vec::with_capacity(fields.all.len());
        let mut findings = self.signatures.findings(event, fields, &self.keys, Some(&mut layers));
        let view = View::new(event, fields, &layers);
        let results = sigma.evaluate(&view);
        findings.extend(sigma.findings(event, &results));
        findings.extend(correlate(&view, results));
        findings
    }
}

/// Looks at one event: signatures alone.
#[must_use]
pub fn inspect_event(event: &Event) -> Verdict {
    RuleSet::embedded().inspect_event(event)
}

/// Hands every text that the signatures look at to `each`: every value of the event in every decoded form.
///
/// What it costs is the floor of any detector that decodes; benchmarks compare with it.
pub fn for_each_decoded(event: &Event, each: &mut dyn FnMut(&str)) {
    for field in fields(event).all.iter().filter(|field| field.role.is_request()) {
        for layer in layers(field.value, field.encoding) {
            each(&layer.text);
        }
    }
}

/// Every value of the event that the signatures look at, in every decoded form; texts are shortened to 2,048 characters.
#[must_use]
pub fn decoded_fields(event: &Event) -> Vec<MatchedField> {
    let shown = |layer: &Layer<'_>| DecodedLayer {
        decoder: layer.decoder.to_owned(),
        text: layer.text.chars().take(SHOWN_CHARS_MAX).collect(),
        span: None,
    };
    fields(event)
        .all
        .iter()
        .filter(|field| field.role.is_request())
        .map(|field| MatchedField {
            field: field.name(),
            layers: layers(field.value, field.encoding).iter().map(shown).collect(),
        })
        .collect()
}

/// Looks at one value as an application reads it (already decoded once).
#[must_use]
pub fn inspect_value(value: &str) -> Verdict {
    let event = blank_event();
    let field = Field { base: "value", key: None, value, encoding: Encoding::Plain, role: Role::Value };
    let fields = Fields::of(field);
    Verdict::of(
        RuleSet::embedded().signatures.findings(&event, &fields, &TokenKeys::default(), None),
        &fields,
    )
}
