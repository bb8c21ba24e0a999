//! The verbs of people's rights.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use watchpost_model::privacy::{LegalHold, Residue, ResidueState, SubjectKind};
use watchpost_model::text::visible;
use watchpost_ops::contract::{
    HoldAdd, HoldRelease, Nothing, PrivacyErase, PrivacyErased, PrivacyExport, PrivacyList, PrivacyLook,
    PrivacyRef,
};
use watchpost_ops::door::operation;

use crate::args::Output;
use crate::output::{at, line, table};
use crate::progress;
use crate::session::Session;
use crate::show::{either, or_dash};

/// What is kept about a person.
#[derive(Debug, Subcommand)]
pub(crate) enum Privacy {
    /// Erase somebody: the key of what they did is destroyed, events and evidence about them are removed, and where they
    /// are only named a pseudonym takes the place of the name. Then everything is searched for what is left. Exit code 1
    /// when something is, or when a copy that the trail names is there and was not read to its end.
    ///
    /// Refused while a legal hold, a block or an incident that is worked on needs it. The trail still verifies and says by
    /// which record content was erased; `watchpost database restore` does the erasure again in an older backup.
    Erase {
        #[command(flatten)]
        who: Who,
        /// Why; it stands in the audit trail and must not name the person.
        #[arg(long, required_unless_present = "dry_run")]
        reason: Option<String>,
        /// Tell where the name stands; change nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Write everything that is kept about somebody to a file (JSON), for that person.
    Export {
        #[command(flatten)]
        who: Who,
        /// The file to make; it must not be there.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Legal holds: what a court, an authority or a claim needs is neither erased nor removed by retention.
    #[command(subcommand)]
    Hold(Hold),
    /// List the erasures that were done. They do not say whom they were about.
    List,
}

/// Legal holds.
#[derive(Debug, Subcommand)]
pub(crate) enum Hold {
    /// Place one.
    Add {
        #[command(flatten)]
        who: Who,
        /// Why: the case, the authority. It must not name the person.
        #[arg(long)]
        reason: String,
        /// Who answers for it.
        #[arg(long)]
        owner: String,
    },
    /// List them.
    List,
    /// Release one that somebody else placed.
    Release {
        /// Its id.
        id: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

/// Somebody, by one name. Erase each name of a person by itself.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Who {
    /// The name of an account.
    #[arg(long)]
    user: Option<String>,
    /// An IP address.
    #[arg(long)]
    ip: Option<String>,
}

impl Who {
    fn parts(self) -> (SubjectKind, String) {
        match (self.user, self.ip) {
            (_, Some(ip)) => (SubjectKind::Ip, ip),
            (user, None) => (SubjectKind::User, user.unwrap_or_default()),
        }
    }
}

/// Runs a verb; true means that something of an erased person is left.
pub(crate) async fn run(session: &Session, form: Output, verb: Privacy) -> anyhow::Result<bool> {
    match verb {
        Privacy::Erase { who, dry_run: true, .. } => {
            let (kind, subject) = who.parts();
            let look = session.ask::<operation::privacy_preview>(PrivacyRef { kind, subject }).await?;
            either(form, &look, || looked(&look))?;
        }
        Privacy::Erase { who, reason, dry_run: false } => {
            let (kind, subject) = who.parts();
            let request = PrivacyErase { kind, subject, reason: reason.unwrap_or_default() };
            let erased = progress::of_erasure(session, request).await?;
            either(form, &erased, || shown(&erased))?;
            return Ok(!erased.clean);
        }
        Privacy::Export { who, out } => {
            let (kind, subject) = who.parts();
            let request = PrivacyExport { kind, subject, path: absolute(&out)? };
            let exported = session.ask::<operation::privacy_export>(request).await?;
            either(form, &exported, || {
                line(format!(
                    "{} events and {} other rows in {}, SHA-256 {}",
                    exported.events, exported.rows, exported.path, exported.sha256
                ))?;
                line("names of other people in it are theirs: look through it before you hand it over")
            })?;
        }
        Privacy::Hold(Hold::Add { who, reason, owner }) => {
            let (kind, subject) = who.parts();
            let hold = session.ask::<operation::hold_add>(HoldAdd { kind, subject, reason, owner }).await?;
            either(form, &hold, || line(format!("hold {} is in force", hold.id)))?;
        }
        Privacy::Hold(Hold::List) => {
            let list = session.ask::<operation::privacy_list>(Nothing {}).await?;
            either(form, &list.holds, || holds(&list.holds))?;
        }
        Privacy::Hold(Hold::Release { id, reason }) => {
            let hold = session.ask::<operation::hold_release>(HoldRelease { id, reason }).await?;
            either(form, &hold, || line(format!("hold {} is released", hold.id)))?;
        }
        Privacy::List => {
            let list = session.ask::<operation::privacy_list>(Nothing {}).await?;
            either(form, &list.erasures, || erasures(&list))?;
        }
    }
    Ok(false)
}

fn absolute(path: &Path) -> anyhow::Result<String> {
    Ok(std::path::absolute(path)?.to_string_lossy().into_owned())
}

fn looked(look: &PrivacyLook) -> anyhow::Result<()> {
    places(&look.places)?;
    line(format!("{} columns looked at, {} sealed records opened", look.columns, look.opened))?;
    for hold in &look.holds {
        line(format!("the legal hold {} of {} keeps it", hold.id, visible(&hold.owner, 200)))?;
    }
    Ok(())
}

pub(crate) fn shown(erased: &PrivacyErased) -> anyhow::Result<()> {
    let erasure = &erased.erasure;
    line(format!(
        "erasure {}: record {} of the trail says so; {} stands where the name stood",
        erasure.id, erasure.record, erasure.pseudonym
    ))?;
    table(
        ["WHAT", "REMOVED", "CHANGED"],
        erasure
            .counts
            .iter()
            .map(|count| [count.what.clone(), count.removed.to_string(), count.changed.to_string()]),
    )?;
    line("")?;
    places(&erased.residue)?;
    let n_of = |state| erased.residue.iter().filter(|place| place.state == state).count();
    let unread = match n_of(ResidueState::Unread) {
        0 => None,
        1 => Some("1 COPY COULD NOT BE READ".to_owned()),
        n => Some(format!("{n} COPIES COULD NOT BE READ")),
    };
    let unread = unread.map(|what| {
        format!("{what} TO THE END: see what is unread above, and look for the name there, as it says")
    });
    if n_of(ResidueState::Found) > 0 {
        line("THE NAME IS STILL THERE: see what is found above")?;
    } else if unread.is_none() {
        line("the name was found nowhere that this console can reach")?;
    }
    unread.map_or(Ok(()), line)
}

fn places(places: &[Residue]) -> anyhow::Result<()> {
    table(
        ["PLACE", "STATE", "N", "WHAT IT MEANS"],
        places.iter().map(|place| {
            [place.place.clone(), place.state.to_string(), place.n.to_string(), place.detail.clone()]
        }),
    )
}

fn holds(holds: &[LegalHold]) -> anyhow::Result<()> {
    table(
        ["ID", "ABOUT", "OWNER", "SINCE", "PLACED BY", "REASON", "RELEASED"],
        holds.iter().map(|hold| {
            [
                hold.id.clone(),
                format!("{}:{}", hold.subject.kind, hold.subject.value),
                hold.owner.clone(),
                at(hold.placed_at),
                hold.placed_by.clone(),
                hold.reason.clone(),
                or_dash(hold.released_at.map(at).as_ref()),
            ]
        }),
    )
}

fn erasures(list: &PrivacyList) -> anyhow::Result<()> {
    table(
        ["ID", "AT", "BY", "KIND", "PSEUDONYM", "RECORD", "REMOVED", "CHANGED"],
        list.erasures.iter().map(|one| {
            [
                one.id.clone(),
                at(one.at),
                one.by.clone(),
                one.kind.to_string(),
                one.pseudonym.clone(),
                one.record.to_string(),
                one.counts.iter().map(|count| count.removed).sum::<u64>().to_string(),
                one.counts.iter().map(|count| count.changed).sum::<u64>().to_string(),
            ]
        }),
    )
}
