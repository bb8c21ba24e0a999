//! `watchpost event reveal` and `watchpost config sealing`: what is sealed of events.

use clap::{Args, Subcommand, ValueEnum};
use watchpost_model::ids::EventId;
use watchpost_model::sealing::{SealKind, SealPolicy};
use watchpost_model::text::visible;
use watchpost_ops::contract::{EventReveal, Nothing, SealingPut};
use watchpost_ops::door::operation;
use watchpost_ops::error::OpError;

use crate::args::Output;
use crate::output::line;
use crate::session::Session;
use crate::show::either;

/// Characters of a value that are printed at most.
const VALUE_CHARS_MAX: usize = 100_000;

/// One event.
#[derive(Debug, Subcommand)]
pub(crate) enum Event {
    /// Show a value that was sealed before the event was stored. It is printed once; who asked for which, and why, stands in
    /// the audit trail.
    Reveal {
        /// The event's id.
        id: String,
        /// What stands in the place of the value: `password:1f0c3a9b-77de0142`, or the whole mark with its brackets.
        mark: String,
        /// Why; it stands in the audit trail.
        #[arg(long)]
        reason: String,
    },
}

/// What is sealed of events before they are stored; without an option, show it.
#[derive(Debug, Args)]
pub(crate) struct Sealing {
    /// The kinds, joined by commas; `none` for none.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "KIND,...")]
    kinds: Vec<Kind>,
    /// Names of further fields, headers and parameters, joined by commas; `none` for none.
    #[arg(long, value_delimiter = ',', value_name = "NAME,...")]
    fields: Vec<String>,
    /// Why; it stands in the audit trail.
    #[arg(long)]
    reason: Option<String>,
}

/// Kinds, as they are typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Password,
    Token,
    Key,
    Card,
    Email,
    Name,
    Address,
    None,
}

impl Kind {
    const fn seal(self) -> Option<SealKind> {
        match self {
            Self::Password => Some(SealKind::Password),
            Self::Token => Some(SealKind::Token),
            Self::Key => Some(SealKind::Key),
            Self::Card => Some(SealKind::Card),
            Self::Email => Some(SealKind::Email),
            Self::Name => Some(SealKind::Name),
            Self::Address => Some(SealKind::Address),
            Self::None => None,
        }
    }
}

pub(crate) async fn event(session: &Session, form: Output, verb: Event) -> anyhow::Result<()> {
    let Event::Reveal { id, mark, reason } = verb;
    let id = id
        .parse::<EventId>()
        .map_err(|_| OpError::invalid("id", format!("{id:?} is not the id of an event")))?;
    let revealed = session.ask::<operation::event_reveal>(EventReveal { id, mark, reason }).await?;
    either(form, &revealed, || line(visible(&revealed.value, VALUE_CHARS_MAX)))
}

pub(crate) async fn sealing(session: &Session, form: Output, wanted: Sealing) -> anyhow::Result<()> {
    let mut policy = session.ask::<operation::sealing_get>(Nothing {}).await?;
    if !wanted.kinds.is_empty() || !wanted.fields.is_empty() {
        if !wanted.kinds.is_empty() {
            policy.kinds = wanted.kinds.into_iter().filter_map(Kind::seal).collect();
        }
        if !wanted.fields.is_empty() {
            policy.fields = wanted.fields.into_iter().filter(|field| field != "none").collect();
        }
        let change = SealingPut { policy, reason: wanted.reason };
        policy = session.ask::<operation::sealing_put>(change).await?;
    }
    either(form, &policy, || show(&policy))
}

fn show(policy: &SealPolicy) -> anyhow::Result<()> {
    let joined = |words: Vec<&str>| if words.is_empty() { "none".to_owned() } else { words.join(", ") };
    let kinds = policy.kinds.iter().map(|kind| kind.as_str()).collect();
    line(format!("sealed before an event is stored: {}", joined(kinds)))?;
    line(format!("fields named besides: {}", joined(policy.fields.iter().map(String::as_str).collect())))
}
