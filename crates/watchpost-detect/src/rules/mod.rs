//! What a rule may say of where it looks and how it confirms.

use std::sync::Arc;

use serde::Deserialize;

use crate::check::Check;
use crate::expression::Expression;
use crate::rule::RuleInfo;
use crate::shell::ShellShape;
use crate::sql::Shape;

/// Where a signature looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scope {
    /// Every value.
    Any,
    /// Every value but user agents as browsers write them, whose grammar has parentheses and semicolons of its own.
    NotPlainAgent,
    /// The user agent.
    UserAgent,
    /// The request path.
    Path,
    /// A file of a multipart body, its head included.
    Part,
    /// What the application answered.
    Answer,
    /// The event's type.
    Kind,
}

/// How a signature confirms.
#[derive(Debug, Clone)]
pub(crate) enum Matcher {
    /// A regular expression, case-insensitive.
    Regex(Box<Expression>),
    /// A shape found by the SQL reader.
    Sql(Shape),
    /// A shape found by the reader of command lines.
    Shell(ShellShape),
    /// A named confirmer, which may look at the whole event.
    Check(Check),
}

/// A rule over one value.
#[derive(Debug, Clone)]
pub(crate) struct Signature {
    pub(crate) info: Arc<RuleInfo>,
    /// Lower-case literals; a text without any of them is not looked at. Empty: every text is; shapes
    /// have a gate of their own.
    pub(crate) gate: Vec<String>,
    pub(crate) scope: Scope,
    pub(crate) matcher: Matcher,
    /// The decoders whose layers it looks at; empty: all.
    pub(crate) layers: Vec<&'static str>,
    /// Rules, and families of which the severe rules, that it leaves a value to where they fire on the same value.
    pub(crate) yields: Vec<String>,
    /// Does not match what this confirms.
    pub(crate) unless: Option<Check>,
}

/// What happened, as far as behaviours tell things apart. `behaviour::facts` says what makes an event one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u32)]
pub(crate) enum When {
    /// A login, second factor or password check failed.
    LoginFailed,
    /// A login failed because there is no such user.
    UnknownUser,
    /// A login worked.
    LoginWorked,
    /// Any request.
    Request,
    /// A request answered with 4xx.
    Refused,
    /// A request answered with 400, 403 or 404.
    NotFound,
    /// A request answered with 401 that is no login event.
    Unauthorized,
    /// A read of something that is no image, style or script.
    Page,
    /// A request for configuration, keys, backups or consoles.
    Sensitive,
    /// A permission was missing.
    Denied,
    /// A permission was there, or protected data was used.
    Allowed,
    /// Bytes went out.
    DataOut,
    /// Something was uploaded, or tried to.
    Upload,
    /// An upload was refused.
    UploadRefused,
    /// The application reports a wrong or missing anti-forgery token.
    Csrf,
    /// The application reports a token that does not hold.
    Jwt,
    /// The application reports that it would have asked an internal address.
    Ssrf,
    /// The application reports that a rate limit was exceeded.
    RateLimited,
    /// Somebody was given rights of an administrator.
    AdminGrant,
    /// Somebody gave rights to the own account.
    SelfGrant,
}

/// Whose events are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum By {
    /// Of one address.
    Source,
    /// Of one user.
    User,
    /// Of one endpoint, as reported.
    Endpoint,
    /// Of one endpoint, seen through one user agent.
    EndpointAgent,
    /// Of one endpoint, and of all that report none.
    Entrance,
}

/// A part of an event of which different values are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Part {
    /// Users.
    User,
    /// Addresses.
    Source,
    /// Paths, without the query.
    Path,
    /// Resources, or paths where there is none.
    Resource,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Of {
    /// Events, each as often as it says.
    Events,
    /// Different values.
    Distinct(Part),
    /// Different values in a bucket that loses one every so many milliseconds; the window says how long one is known.
    Leaky(Part, u32),
    /// Mebibytes that went out, or that came in with uploads.
    Mebibytes,
    /// Nothing: each event is a finding of its own.
    Each,
    /// Not counted here: the code named by the rule's id decides, with this row's threshold and window.
    Special,
}

/// What else must hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Also {
    /// Nothing.
    #[default]
    Nothing,
    /// At least so many different values are among those counted (or one that is not known).
    AtLeast(Part, u32),
    /// Nothing of this kind in between: it starts the count anew.
    Without(When),
    /// At most two tries for each value, and at most a tenth as many of this kind.
    FewTries(When),
    /// At most two tries for each value, at most twice as many of this kind, and at least so many other different values.
    FewTriesFrom(When, Part, u32),
    /// Then this happens to the same group, and not since the first that is counted; only this is reported.
    ThenFirst(When),
    /// Then this happens to the same group; only this is reported.
    Then(When),
    /// Then this happens to the same group with one of the values that were counted.
    ThenWith(When, Part),
    /// As `ThenWith`, and at least so many different values were counted (or one that is not known).
    ThenWithAtLeast(When, Part, u32),
    /// Then this happens to the same user with a source that was not counted, in a network that is not known of the
    /// user, after at least so many different sources were counted.
    ThenElsewhere(When, Part, u32),
    /// Then this happens to the same group. What was counted of a value before this last happened with it is over: it
    /// was no more than a slip. Of the rest what was counted of the value that it happens with counts, and where there
    /// are at least so many other values, what was counted of those too.
    ThenOf(When, Part, u32),
}

impl Also {
    /// Is it about what happens after that which is counted?
    pub(crate) const fn is_sequence(self) -> bool {
        matches!(
            self,
            Self::ThenFirst(_)
                | Self::Then(_)
                | Self::ThenWith(..)
                | Self::ThenWithAtLeast(..)
                | Self::ThenElsewhere(..)
                | Self::ThenOf(..)
        )
    }
}

/// The rules whose logic is code: `of: special` is for these ids.
pub(crate) const SPECIAL: [&str; 10] = [
    "wp.session.agent",
    "wp.session.network",
    "wp.profile.hour",
    "wp.profile.country",
    "wp.profile.device",
    "wp.travel.impossible",
    "wp.data.volume",
    "wp.rate.unusual",
    "wp.gap.silence",
    "wp.chain.stages",
];

/// What a behaviour counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Counts {
    /// Which events.
    pub(crate) when: When,
    /// For which group.
    pub(crate) by: By,
    /// What of them.
    pub(crate) of: Of,
    /// What else must hold.
    #[serde(default)]
    pub(crate) also: Also,
}

/// One behaviour.
#[derive(Debug, Clone)]
pub(crate) struct Behaviour {
    pub(crate) info: Arc<RuleInfo>,
    pub(crate) counts: Counts,
    /// How many it takes.
    pub(crate) threshold: u32,
    /// In how many seconds.
    pub(crate) window_s: u32,
    /// Both as the rule's file has them.
    pub(crate) own: (u32, u32),
    /// For people: `failed logins`.
    pub(crate) what: String,
}
