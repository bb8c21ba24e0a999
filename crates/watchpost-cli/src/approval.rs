//! `watchpost approval`: what waits for a second person.

use clap::{Args, Subcommand};
use watchpost_model::approval::{ApprovalRequest, Carrier};
use watchpost_model::text::visible;
use watchpost_ops::contract::{
    ApprovalDecision, ApprovalGranted, ApprovalList, ApprovalPolicyPut, ApprovalRef, Nothing, PrivacyErased,
};
use watchpost_ops::door::operation;

use crate::args::Output;
use crate::output::{at, line, table};
use crate::session::Session;
use crate::show::{either, or_dash};

/// The operation whose approval erases somebody.
const ERASE: &str = "privacy_erase";

/// Four eyes.
#[derive(Debug, Subcommand)]
pub(crate) enum Approvals {
    /// List what waits, and what became of the rest; tells whether a second person is asked for at all.
    List,
    /// Approve what somebody else asked for: it is carried out at once and once, or by whoever asked where that person's
    /// machine is needed. Nobody approves what they asked for themselves. Exit code 1 when it was an erasure and something
    /// of the person is left.
    Grant(Decision),
    /// Say no.
    Refuse(Decision),
    /// Withdraw what you asked for.
    Withdraw {
        /// Id of the request.
        id: String,
    },
    /// Show what one person may do alone; with a flag, change it. What lets one person do more needs two.
    Policy(Policy),
}

/// A decision.
#[derive(Debug, Args)]
pub(crate) struct Decision {
    /// Id of the request.
    id: String,
    /// What is to stand in the audit trail about it.
    #[arg(long)]
    note: Option<String>,
}

impl Decision {
    fn request(self) -> ApprovalDecision {
        ApprovalDecision { id: self.id, note: self.note }
    }
}

/// The policy.
#[derive(Debug, Args)]
pub(crate) struct Policy {
    /// Ask for a second person as soon as there is one.
    #[arg(long, conflicts_with = "off")]
    on: bool,
    /// Do not ask.
    #[arg(long)]
    off: bool,
    /// IPv4 ranges wider than this prefix need two people to block.
    #[arg(long, value_name = "BITS")]
    prefix_v4: Option<u8>,
    /// IPv6 ranges wider than this prefix need two people to block.
    #[arg(long, value_name = "BITS")]
    prefix_v6: Option<u8>,
    /// Why; it stands in the audit trail.
    #[arg(long)]
    reason: Option<String>,
}

/// Runs a verb; true means that something of a person whose erasure was carried out is left.
pub(crate) async fn run(session: &Session, form: Output, verb: Approvals) -> anyhow::Result<bool> {
    match verb {
        Approvals::List => {
            let list = session.ask::<operation::approval_list>(Nothing {}).await?;
            either(form, &list, || listed(&list))?;
        }
        Approvals::Grant(decision) => {
            let granted = session.ask::<operation::approval_grant>(decision.request()).await?;
            either(form, &granted, || shown(&granted))?;
            return leaves_something(&granted);
        }
        Approvals::Refuse(decision) => {
            let refused = session.ask::<operation::approval_refuse>(decision.request()).await?;
            either(form, &refused, || line(format!("request {} is refused; nothing was done", refused.id)))?;
        }
        Approvals::Withdraw { id } => {
            let gone = session.ask::<operation::approval_withdraw>(ApprovalRef { id }).await?;
            either(form, &gone, || line(format!("request {} is withdrawn", gone.id)))?;
        }
        Approvals::Policy(wanted) => {
            let mut list = session.ask::<operation::approval_list>(Nothing {}).await?;
            let mut policy = list.policy;
            policy.on = (policy.on || wanted.on) && !wanted.off;
            policy.prefix_v4 = wanted.prefix_v4.unwrap_or(policy.prefix_v4);
            policy.prefix_v6 = wanted.prefix_v6.unwrap_or(policy.prefix_v6);
            if policy != list.policy {
                let change = ApprovalPolicyPut { policy, reason: wanted.reason };
                list = session.ask::<operation::approval_policy_put>(change).await?;
            }
            either(form, &list, || standing(&list))?;
        }
    }
    Ok(false)
}

/// Was it an erasure after which the name is still there?
fn leaves_something(granted: &ApprovalGranted) -> anyhow::Result<bool> {
    match (granted.approval.operation.as_str(), granted.reply.clone()) {
        (ERASE, Some(reply)) => Ok(!serde_json::from_value::<PrivacyErased>(reply)?.clean),
        _ => Ok(false),
    }
}

fn standing(list: &ApprovalList) -> anyhow::Result<()> {
    line(&list.detail)?;
    let people: Vec<String> = list.people.iter().map(|name| visible(name, 80)).collect();
    line(format!("known people: {}", if people.is_empty() { "none".to_owned() } else { people.join(", ") }))?;
    line(format!(
        "one person blocks ranges up to /{} (IPv4) and /{} (IPv6)",
        list.policy.prefix_v4, list.policy.prefix_v6
    ))
}

fn listed(list: &ApprovalList) -> anyhow::Result<()> {
    standing(list)?;
    unreadable(list)?;
    line("")?;
    table(
        ["ID", "STATE", "ASKED BY", "AT", "UNTIL", "WHAT", "WHY", "DECIDED BY", "HOW IT ENDED"],
        list.approvals.iter().map(|one| {
            [
                one.id.clone(),
                one.state.to_string(),
                one.asked_by.clone(),
                at(one.asked_at),
                at(one.expires_at),
                what(one),
                or_dash(one.reason.as_ref()),
                or_dash(one.decided_by.as_ref()),
                or_dash(one.outcome.as_ref()),
            ]
        }),
    )?;
    if list.more > 0 {
        line(format!(
            "and {} more; the trail has all of them: `watchpost audit search --action approval_ask`",
            list.more
        ))?;
    }
    Ok(())
}

/// Rows that somebody wrote past Watchpost. Their texts are whatever that was.
fn unreadable(list: &ApprovalList) -> anyhow::Result<()> {
    for one in &list.unreadable {
        line(format!("unreadable: the row \"{}\": {}", visible(&one.id, 80), visible(&one.problem, 300)))?;
    }
    if !list.unreadable.is_empty() {
        line(
            "  not written by Watchpost, and nothing waits for it; an owner of the tables can delete it: DELETE FROM approval \
             WHERE id = '...'",
        )?;
    }
    Ok(())
}

/// What it would do, and for whom to look at more closely, the request itself.
fn what(one: &ApprovalRequest) -> String {
    format!("{} [{} {}]", one.summary, one.operation, visible(&one.request, 300))
}

fn shown(granted: &ApprovalGranted) -> anyhow::Result<()> {
    let one = &granted.approval;
    match one.carrier {
        Carrier::Approver => {
            line(format!("done: {}", visible(&one.summary, 500)))?;
            // Whoever carried it out is told what came of it, as whoever does it alone is.
            match (one.operation.as_str(), granted.reply.clone()) {
                (ERASE, Some(reply)) => crate::privacy::shown(&serde_json::from_value(reply)?),
                ("audit_purge", Some(reply)) => crate::audit_purge::shown(&serde_json::from_value(reply)?),
                _ => Ok(()),
            }
        }
        Carrier::Asker => line(format!(
            "approved: {} carries it out by doing the same once more, until {}",
            visible(&one.asked_by, 80),
            at(one.expires_at)
        )),
    }
}
