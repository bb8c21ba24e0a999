//! Does the reason of a control follow from its checks? Only a doubt may add to it, in the words that it has.

use watchpost_model::evidence::EvidenceQuery;

use super::IN_DOUBT;
use crate::document::{CheckResult, ControlResult, ReportDocument, State};
use crate::evaluate::{ALONE, INPUTS_DOUBTED, doubt, trail_doubted, worst};
use crate::framework::Framework;
use crate::wording::is_same_reason;

/// Controls with another reason; `framework` is theirs in the edition that the report names, if it ships.
pub(super) fn misfits(document: &ReportDocument, framework: Option<&Framework>) -> Vec<String> {
    let follows = |control: &ControlResult| {
        let known = framework.and_then(|own| own.controls.iter().find(|one| one.id == control.id));
        follows(document, control, known.map(|known| known.relies_on.as_slice()))
    };
    let others = document.controls.iter().filter(|control| !follows(control));
    others.map(|control| format!("{}: its reason is not that of its checks", control.id)).collect()
}

/// `relied` are the questions that the control relies on, where its framework is known.
fn follows(document: &ReportDocument, control: &ControlResult, relied: Option<&[EvidenceQuery]>) -> bool {
    if control.checks.is_empty() {
        return control.reason == ALONE;
    }
    let (state, words) = worst(&control.checks);
    // The one reason that is no check's own: earlier builds had other words for it.
    if state == State::NoData {
        return is_same_reason(&control.reason, &words);
    }
    let Some(added) = control.reason.strip_prefix(&words) else { return false };
    if state != State::Pass {
        return added.is_empty();
    }
    let is_of_trail =
        document.parameters.iter().any(|one| one.name == IN_DOUBT && trail_doubted(&one.value) == added);
    // What its inputs say against a pass makes a warning of it, and nothing else does.
    (is_of_trail || are_doubts(document, relied, added)) && added.is_empty() == (control.state != State::Warn)
}

/// Are these the doubts about the questions that a control relies on, all of them? What the report does not hold itself may be
/// in doubt or not.
fn are_doubts(document: &ReportDocument, relied: Option<&[EvidenceQuery]>, added: &str) -> bool {
    let told = added.strip_prefix(INPUTS_DOUBTED).and_then(|told| told.strip_suffix('.'));
    if told.is_none() && !added.is_empty() {
        return false;
    }
    let mut told = told.into_iter().flat_map(|told| told.split("; ")).peekable();
    let Some(relied) = relied else {
        return told.all(|words| EvidenceQuery::ALL.iter().any(|query| is_doubt(*query, words)));
    };
    for query in relied {
        let is_it = |check: &&CheckResult| check.query == *query && check.parameters.is_empty();
        match document.controls.iter().flat_map(|control| &control.checks).find(is_it) {
            Some(check) => {
                let counted = (!check.basis.is_empty()).then_some((check.population, check.exceptions));
                let expected = doubt(*query, counted);
                if expected.is_some() && told.next() != expected.as_deref() {
                    return false;
                }
            }
            None => {
                told.next_if(|words| is_doubt(*query, words));
            }
        }
    }
    told.next().is_none()
}

/// Can this be said of the question, whatever it counted?
fn is_doubt(query: EvidenceQuery, words: &str) -> bool {
    let numbers: Vec<u64> = words.split(' ').filter_map(|word| word.parse().ok()).collect();
    let counted = match numbers.as_slice() {
        [exceptions, population] => (*population, *exceptions),
        _ => (0, 0),
    };
    [None, Some(counted)].into_iter().any(|counted| doubt(query, counted).as_deref() == Some(words))
}
