//! Containments and the response policy on the command line.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use watchpost_model::contain::{ContainKind, ContainPreview, Containment};
use watchpost_model::response::{ResponseAction, ResponseMode, ResponsePolicy};
use watchpost_model::text::visible;
use watchpost_ops::contract::{
    ContainAdd, ContainCheck, ContainList, ContainListRequest, ContainRemove, Nothing, OutboxList,
    ResponseList, ResponseListRequest, ResponsePolicyPut, ResponsePolicyView, ResponsePreview,
    ResponsePreviewRequest, ResponseReverse,
};
use watchpost_ops::door::operation;
use watchpost_ops::error::OpError;

use crate::args::Output;
use crate::output::{at, line, table};
use crate::session::Session;
use crate::show::either;

const KINDS: [&str; 4] = ["session", "user", "service", "limit"];

/// Containments besides blocks.
#[derive(Debug, Subcommand)]
pub(crate) enum Contain {
    /// Revoke a session, restrict a user, isolate a service, or limit the rate of an address.
    Add(ContainArgs),
    /// Take a containment back.
    Remove {
        /// What is contained.
        #[arg(value_parser = KINDS)]
        kind: String,
        /// Which one.
        target: String,
        /// Why.
        #[arg(long)]
        reason: String,
        /// Show what is in force; change nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// List them, newest first.
    List {
        /// Only of this kind; several times for several.
        #[arg(long, value_parser = KINDS)]
        kind: Vec<String>,
        /// Those that ended too.
        #[arg(long)]
        all: bool,
    },
}

/// A containment.
#[derive(Debug, Args)]
pub(crate) struct ContainArgs {
    /// What is to be contained.
    #[arg(value_parser = KINDS)]
    kind: String,
    /// Which one: session id, user, service, address.
    target: String,
    /// Why.
    #[arg(long)]
    reason: String,
    /// For how long: `30m`, `24h`, `7d`.
    #[arg(long, default_value = "24h", value_parser = crate::period::parse_length)]
    ttl: chrono::Duration,
    /// Requests a minute that a limit leaves; 30 if absent.
    #[arg(long)]
    per_min: Option<u32>,
    /// Number of the incident that this contains.
    #[arg(long)]
    incident: Option<i64>,
    /// Show what it would do; change nothing. Exit code 1 when it would be refused.
    #[arg(long)]
    dry_run: bool,
}

/// What the engine does by itself.
#[derive(Debug, Subcommand)]
pub(crate) enum Response {
    /// Show the policy, or change it. As JSON it is what `--file` takes.
    ///
    /// A rule of the policy applies to findings of at least `severity_min` (info to critical) and `confidence_min` (0 to
    /// 100, how sure the detection rule is), of its `families` or detection `rules` if it names any. All rules that match
    /// apply. `trusted_proxies`, `sensors` and `protected_users` are left alone.
    Policy(PolicyArgs),
    /// Count and list what the policy would have done.
    Preview {
        /// Over the findings of the last days.
        #[arg(long, default_value_t = 7)]
        days: u32,
        /// Try the policy of this file (JSON) instead of the one in use; `-` reads standard input.
        #[arg(long)]
        file: Option<PathBuf>,
    },
    /// List automatic actions, newest first.
    List {
        /// Only in this state; several times for several.
        #[arg(long, value_parser = ["planned", "dry_run", "done", "skipped", "failed", "reversed"])]
        state: Vec<String>,
        /// Only for the incident of this number.
        #[arg(long)]
        incident: Option<i64>,
        /// Rows.
        #[arg(long, short = 'n', default_value_t = 50)]
        limit: u32,
    },
    /// Take an automatic action back.
    Reverse {
        /// Its id, from `watchpost response list`.
        id: String,
        /// Why.
        #[arg(long)]
        reason: String,
        /// Show the action; change nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Messages that wait to be delivered, and those before.
    Outbox,
}

/// A change of the policy.
#[derive(Debug, Args)]
pub(crate) struct PolicyArgs {
    /// Replace the policy by the one in this file (JSON); `-` reads standard input.
    #[arg(long, requires = "reason")]
    file: Option<PathBuf>,
    /// Switch the engine: `off`, `dry_run` (record what would be done), `on`.
    #[arg(long, requires = "reason", value_parser = ["off", "dry_run", "on"])]
    mode: Option<String>,
    /// Why.
    #[arg(long)]
    reason: Option<String>,
    /// Check the new policy and show what it would have done over seven days; change nothing.
    #[arg(long)]
    dry_run: bool,
}

fn read_policy(file: &PathBuf) -> anyhow::Result<ResponsePolicy> {
    let text = if file.as_os_str() == "-" {
        std::io::read_to_string(std::io::stdin())?
    } else {
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?
    };
    serde_json::from_str(&text)
        .map_err(|error| OpError::invalid("policy", format!("the policy is not readable: {error}")).into())
}

/// True means that it would be refused.
pub(crate) async fn contain(session: &Session, form: Output, verb: Contain) -> anyhow::Result<bool> {
    match verb {
        Contain::Add(add) => {
            let kind: ContainKind = add.kind.parse()?;
            if add.dry_run {
                let check = ContainCheck { kind, target: add.target };
                let preview = session.ask::<operation::contain_preview>(check).await?;
                show_preview(form, &preview)?;
                return Ok(preview.refusal.is_some());
            }
            let request = ContainAdd {
                kind,
                target: add.target,
                reason: add.reason,
                ttl_s: u64::try_from(add.ttl.num_seconds()).unwrap_or(0),
                per_min: add.per_min,
                incident: add.incident,
            };
            show_containment(form, &session.ask::<operation::contain_add>(request).await?)?;
        }
        Contain::Remove { kind, target, reason, dry_run } => {
            let check = ContainCheck { kind: kind.parse()?, target };
            let preview = session.ask::<operation::contain_preview>(check).await?;
            if dry_run {
                show_preview(form, &preview)?;
                return Ok(preview.existing.is_none());
            }
            let existing = preview.existing.ok_or_else(|| {
                OpError::not_found(format!(
                    "containment of {} {} in force",
                    preview.kind,
                    visible(&preview.target, 100)
                ))
            })?;
            let request = ContainRemove { id: existing.id, reason };
            show_containment(form, &session.ask::<operation::contain_remove>(request).await?)?;
        }
        Contain::List { kind, all } => {
            let state = if all { Vec::new() } else { vec!["pending".parse()?, "active".parse()?] };
            let kind = kind.iter().map(|word| word.parse()).collect::<Result<_, _>>()?;
            let request = ContainListRequest { kind, state, target: None, limit: 500 };
            show_list(form, &session.ask::<operation::contain_list>(request).await?)?;
        }
    }
    Ok(false)
}

pub(crate) async fn response(session: &Session, form: Output, verb: Response) -> anyhow::Result<()> {
    match verb {
        Response::Policy(args) => policy(session, form, args).await,
        Response::Preview { days, file } => {
            let policy = file.as_ref().map(read_policy).transpose()?;
            let request = ResponsePreviewRequest { policy, days };
            show_response_preview(form, &session.ask::<operation::response_preview>(request).await?)
        }
        Response::List { state, incident, limit } => {
            let state = state.iter().map(|word| word.parse()).collect::<Result<_, _>>()?;
            let request = ResponseListRequest { state, incident, limit, ..ResponseListRequest::default() };
            show_actions(form, &session.ask::<operation::response_list>(request).await?)
        }
        Response::Reverse { id, reason, dry_run } => {
            let wrong = |_| OpError::invalid("id", "this is not the id of an automatic action");
            let id = id.parse().map_err(wrong)?;
            if dry_run {
                return dry_reverse(session, form, id).await;
            }
            let request = ResponseReverse { id, reason };
            let action = session.ask::<operation::response_reverse>(request).await?;
            show_actions(form, &ResponseList { rows: vec![action], next: None })
        }
        Response::Outbox => show_outbox(form, &session.ask::<operation::outbox_list>(Nothing {}).await?),
    }
}

/// Finds the action among all and shows it.
async fn dry_reverse(
    session: &Session,
    form: Output,
    id: watchpost_model::ids::ResponseId,
) -> anyhow::Result<()> {
    let mut after = None;
    loop {
        let request = ResponseListRequest { after, limit: 500, ..ResponseListRequest::default() };
        let page = session.ask::<operation::response_list>(request).await?;
        if let Some(action) = page.rows.into_iter().find(|action| action.id == id) {
            return show_actions(form, &ResponseList { rows: vec![action], next: None });
        }
        after = page.next;
        if after.is_none() {
            return Err(OpError::not_found(format!("response {id}")).into());
        }
    }
}

async fn policy(session: &Session, form: Output, args: PolicyArgs) -> anyhow::Result<()> {
    let now = session.ask::<operation::response_policy_get>(Nothing {}).await?;
    let mut policy = match &args.file {
        Some(file) => read_policy(file)?,
        None => now.policy.clone(),
    };
    if let Some(mode) = &args.mode {
        policy.mode = mode.parse::<ResponseMode>()?;
    }
    if args.dry_run {
        let request = ResponsePreviewRequest { policy: Some(policy), days: 7 };
        return show_response_preview(form, &session.ask::<operation::response_preview>(request).await?);
    }
    match args.reason {
        Some(reason) if args.file.is_some() || args.mode.is_some() => {
            let request = ResponsePolicyPut { policy, reason };
            show_policy(form, &session.ask::<operation::response_policy_put>(request).await?)
        }
        Some(_) | None => show_policy(form, &now),
    }
}

fn show_preview(form: Output, preview: &ContainPreview) -> anyhow::Result<()> {
    either(form, preview, || {
        line(format!("{} {}", preview.kind, visible(&preview.target, 100)))?;
        line(format!("  key       {}", preview.key))?;
        line(format!("  last day  {} events, {} sessions", preview.events_24h, preview.sessions_24h))?;
        if !preview.users_24h.is_empty() {
            let users: Vec<String> = preview.users_24h.iter().map(|user| visible(user, 60)).collect();
            line(format!("  users     {}", users.join(", ")))?;
        }
        if let Some(existing) = &preview.existing {
            line(format!("  in force until {} by {}", at(existing.expires_at), existing.created_by))?;
        }
        match &preview.refusal {
            Some(refusal) => line(format!("  would be refused: {refusal}")),
            None => Ok(()),
        }
    })
}

fn show_containment(form: Output, containment: &Containment) -> anyhow::Result<()> {
    either(form, containment, || {
        let shown = visible(&containment.target, 100);
        line(format!(
            "{} {shown}: {}, until {}",
            containment.kind,
            containment.state,
            at(containment.expires_at)
        ))
    })
}

fn show_list(form: Output, list: &ContainList) -> anyhow::Result<()> {
    either(form, list, || {
        table(
            ["KIND", "TARGET", "STATE", "UNTIL", "IN REDIS", "INCIDENT", "BY", "REASON"],
            list.containments.iter().map(|row| {
                let containment = &row.containment;
                [
                    containment.kind.to_string(),
                    visible(&containment.target, 60),
                    containment.state.to_string(),
                    at(containment.expires_at),
                    row.redis_ttl_s.map_or_else(|| "-".to_owned(), |ttl| format!("{ttl} s")),
                    row.incident.map_or_else(String::new, |number| format!("#{number}")),
                    containment.created_by.clone(),
                    visible(&containment.reason, 60),
                ]
            }),
        )
    })
}

fn show_policy(form: Output, view: &ResponsePolicyView) -> anyhow::Result<()> {
    // What `--file` takes, so that a policy can be read, edited and put back.
    either(form, &view.policy, || {
        let policy = &view.policy;
        line(format!("mode {}; here {}", policy.mode, view.effective))?;
        if !view.detail.is_empty() {
            line(format!("  {}", view.detail))?;
        }
        table(
            ["RULE", "SEVERITY", "CONFIDENCE", "ONLY", "ACTIONS"],
            policy.rules.iter().map(|rule| {
                let only: Vec<String> = rule
                    .families
                    .iter()
                    .map(ToString::to_string)
                    .chain(rule.rules.iter().map(|id| visible(id, 60)))
                    .collect();
                let steps: Vec<String> = rule
                    .steps
                    .iter()
                    .map(|step| {
                        let ttl = step.ttl_s.map_or_else(String::new, |ttl| format!(" {ttl} s"));
                        let value =
                            step.value.as_ref().map_or_else(String::new, |v| format!(" {}", visible(v, 40)));
                        format!("{}{value}{ttl}", step.action)
                    })
                    .collect();
                [
                    visible(&rule.name, 60),
                    format!("{} and up", rule.severity_min),
                    format!("{} and up", rule.confidence_min),
                    only.join(", "),
                    steps.join(", "),
                ]
            }),
        )?;
        line(format!(
            "released targets are left alone for {} h; repeat offenders within {} d get 4 and 16 times as long; at most {} containments an hour",
            policy.soft_allow_h, policy.repeat_days, policy.contain_per_hour_max
        ))?;
        line(format!(
            "nothing automatic lasts longer than {} s; findings about events older than {} s lead to nothing; private ranges are {}",
            policy.ttl_max_s,
            policy.age_max_s,
            if policy.private_ranges { "acted on" } else { "left alone" }
        ))?;
        for (what, left_alone) in [
            ("trusted proxies", policy.trusted_proxies.iter().map(ToString::to_string).collect::<Vec<_>>()),
            ("sensors", policy.sensors.iter().map(ToString::to_string).collect()),
            ("protected users", policy.protected_users.iter().map(|user| visible(user, 60)).collect()),
        ] {
            let told = if left_alone.is_empty() { "none".to_owned() } else { left_alone.join(", ") };
            line(format!("{what}, which are left alone: {told}"))?;
        }
        Ok(())
    })
}

fn show_response_preview(form: Output, preview: &ResponsePreview) -> anyhow::Result<()> {
    either(form, preview, || {
        line(format!(
            "{} to {}: {} findings, {} matched, {} actions, {} skipped",
            at(preview.from),
            at(preview.to),
            preview.findings,
            preview.matched,
            preview.done,
            preview.skipped
        ))?;
        table(
            ["ACTION", "DONE", "SKIPPED"],
            preview
                .by_action
                .iter()
                .map(|count| [count.action.to_string(), count.done.to_string(), count.skipped.to_string()]),
        )?;
        table(
            ["SEEN", "ACTION", "TARGET", "FOR", "INCIDENT", "RULE", "SKIPPED"],
            preview.rows.iter().map(|row| {
                [
                    at(row.at),
                    row.action.to_string(),
                    visible(&row.target, 60),
                    lasting(row.ttl_s, row.factor),
                    format!("#{}", row.number),
                    row.rule_id.clone(),
                    row.skipped.as_ref().map_or_else(String::new, |why| visible(why, 80)),
                ]
            }),
        )
    })
}

fn lasting(ttl_s: Option<u64>, factor: u32) -> String {
    match (ttl_s, factor) {
        (None, _) => String::new(),
        (Some(ttl), 1) => format!("{ttl} s"),
        (Some(ttl), factor) => format!("{ttl} s ({factor}x)"),
    }
}

fn show_actions(form: Output, list: &ResponseList) -> anyhow::Result<()> {
    either(form, list, || {
        table(
            ["ID", "PLANNED", "STATE", "ACTION", "TARGET", "FOR", "INCIDENT", "RULE", "DETAIL"],
            list.rows.iter().map(action_row),
        )
    })
}

fn action_row(action: &ResponseAction) -> [String; 9] {
    [
        action.id.to_string(),
        at(action.planned_at),
        action.state.to_string(),
        action.kind.to_string(),
        visible(&action.target, 60),
        lasting(action.ttl_s, action.factor),
        format!("#{}", action.number),
        action.rule_id.clone(),
        visible(&action.detail, 80),
    ]
}

fn show_outbox(form: Output, list: &OutboxList) -> anyhow::Result<()> {
    either(form, list, || {
        line(format!("{} waiting", list.waiting))?;
        table(
            ["WRITTEN", "STATE", "KIND", "TO", "SEVERITY", "SUBJECT"],
            list.messages.iter().map(|message| {
                [
                    at(message.created_at),
                    message.state.to_string(),
                    message.kind.to_string(),
                    visible(&message.destination, 40),
                    message.severity.to_string(),
                    visible(&message.subject, 100),
                ]
            }),
        )
    })
}
