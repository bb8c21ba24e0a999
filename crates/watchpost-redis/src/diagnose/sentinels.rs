//! The step before all others where Sentinels know the server.

use std::fmt::Write;

use watchpost_model::connection::HostPort;
use watchpost_model::diagnosis::CheckStep;
use watchpost_model::diagnosis::StepState;
use watchpost_model::text::visible;

use super::tls_words;
use crate::error::RedisError;
use crate::sentinel::Sentinels;
use crate::sentinel::cause;
use crate::target::SentinelAddress;

/// Asks every Sentinel; the master that the newest configuration names.
pub(super) async fn ask(set: &SentinelAddress) -> (CheckStep, Option<HostPort>) {
    let step = |state, detail: String, hint: Option<&str>| CheckStep {
        name: String::new(), // Filled in from the plan.
        title: String::new(),
        state,
        detail: visible(&detail, 600),
        hint: hint.map(ToOwned::to_owned),
    };
    let sentinels = match Sentinels::of(set).await {
        Ok(sentinels) => sentinels,
        Err(error) => {
            let (detail, hint) = tls_words(&error);
            return (step(StepState::Failed, detail, Some(hint)), None);
        }
    };
    let answers = sentinels.ask().await;
    let silent: Vec<String> =
        answers.failed.iter().map(|(at, error)| format!("{at}: {}", cause(error))).collect();
    let Some(newest) = answers.named.first() else {
        let error = sentinels.nobody(&answers);
        let hint = match &error {
            RedisError::Sentinel(_) if answers.unknown > 0 => {
                "Check the name: `SENTINEL MASTERS` on a Sentinel lists those that it knows."
            }
            RedisError::Sentinel(_) => {
                "Enter the user name and the password of the Sentinels; they are apart from those of the servers. \
                 The user needs SENTINEL GET-MASTER-ADDR-BY-NAME and SENTINEL MASTER."
            }
            _ => "Check the addresses. Sentinels listen on 26379 unless configured otherwise.",
        };
        return (step(StepState::Failed, error.to_string(), Some(hint)), None);
    };
    let mut detail = format!("{} of {} name {}", newest.votes, set.sentinels.len(), newest.at);
    for other in &answers.named[1..] {
        let _ = write!(detail, "; {} name {}, by an older state", other.votes, other.at); // A String takes all.
    }
    for silent in &silent {
        let _ = write!(detail, "; {silent}");
    }
    let all = newest.votes == set.sentinels.len();
    let (state, hint) = if all {
        (StepState::Ok, None)
    } else {
        (
            StepState::Warning,
            Some("One Sentinel that answers is enough; see to the others before it is needed."),
        )
    };
    (step(state, detail, hint), Some(newest.at.clone()))
}
