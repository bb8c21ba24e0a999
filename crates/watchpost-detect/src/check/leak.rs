//! Card numbers in answers.

use std::ops::Range;

use super::Context;

pub(super) fn card_number(text: &str, _: &Context<'_>) -> Option<Range<usize>> {
    watchpost_model::sensitive::card_number(text)
}
