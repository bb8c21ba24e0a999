//! Context of findings: `threat`, `asset`, `risk`, and the settings of location files.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use watchpost_model::enrichment::AssetRule;
use watchpost_model::event::{Entity, EntityKind, UnknownWord};
use watchpost_model::incident::IncidentDetail;
use watchpost_model::place::Place;
use watchpost_model::query::Network;
use watchpost_model::risk::RiskPolicy;
use watchpost_model::text::visible;
use watchpost_model::threat::{ThreatList, ThreatMatch};
use watchpost_ops::contract::{
    AssetList, AssetRef, EnrichmentState, EntityRiskDetail, EntityRiskRef, EntityRiskRequest,
    LocationSettings, Nothing, ThreatCheckRequest, ThreatImport, ThreatListPage, ThreatListRef,
    ThreatListShowRequest,
};
use watchpost_ops::door::operation;
use watchpost_ops::error::OpError;

use crate::args::Output;
use crate::output::{at, json, line, table};
use crate::session::Session;

/// Threat lists: addresses, domains and user agents that somebody has seen do harm.
#[derive(Debug, Subcommand)]
pub(crate) enum Threat {
    /// Bring in a list: one entry a line, CSV, or a STIX 2.1 bundle. One of the same name is replaced.
    Import(Import),
    /// List them with their age.
    List,
    /// Show entries of one.
    Show {
        /// Its name.
        name: String,
        /// Entries to pass over.
        #[arg(long, default_value_t = 0)]
        offset: u32,
        /// Rows.
        #[arg(long, short = 'n', default_value_t = 50)]
        limit: u32,
    },
    /// Forget one.
    Remove {
        /// Its name.
        name: String,
    },
    /// Say which lists name an address, a domain or a user agent. Exit code 1 when one does.
    Check {
        /// The value.
        value: String,
    },
}

/// A file with a threat list.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The file.
    file: PathBuf,
    /// Name of the list; that of the file if absent.
    #[arg(long)]
    name: Option<String>,
    /// How much a match means, 0 to 100; from 75 on it is a finding of its own.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u8).range(0..=100))]
    confidence: u8,
    /// How the file is written; guessed if absent.
    #[arg(long, value_parser = ["text", "csv", "stix"])]
    format: Option<String>,
    /// What its values are; told from each value if absent. User agents must be named.
    #[arg(long, value_parser = ["ip", "domain", "user_agent"])]
    kind: Option<String>,
}

/// What matters more or less than the rest.
#[derive(Debug, Subcommand)]
pub(crate) enum Asset {
    /// List it.
    List,
    /// Say how much something matters: the risk of findings about it is multiplied by the weight.
    Add {
        /// What the pattern is about.
        #[arg(value_parser = ["endpoint", "user", "session", "ip"])]
        kind: String,
        /// `/admin` (and everything below), `svc-*`, `10.0.0.0/8`.
        pattern: String,
        /// For people: `critical asset`.
        #[arg(long)]
        label: String,
        /// 0.5 (matters little) to 2.0 (matters most).
        #[arg(long)]
        weight: f64,
    },
    /// Forget what was said about a pattern.
    Remove {
        /// What the pattern is about.
        #[arg(value_parser = ["endpoint", "user", "session", "ip"])]
        kind: String,
        /// The pattern as listed.
        pattern: String,
    },
}

/// Who and what is at risk now.
#[derive(Debug, Subcommand)]
pub(crate) enum Risk {
    /// Rank entities by their risk.
    Top {
        /// Of what.
        #[arg(long, default_value = "ip", value_parser = ["ip", "user", "session", "endpoint"])]
        kind: String,
        /// Rows.
        #[arg(long, short = 'n', default_value_t = 20)]
        limit: u32,
    },
    /// Show why an entity has its risk: an address or a range of them, a user, a session, an endpoint.
    Show {
        /// `ip:203.0.113.7`, `user:anna`; a bare address is one too.
        entity: String,
    },
}

/// The location files.
#[derive(Debug, Args)]
pub(crate) struct Location {
    /// File with countries or cities (MaxMind DB format).
    #[arg(long, value_name = "FILE")]
    city: Option<PathBuf>,
    /// File with autonomous systems.
    #[arg(long, value_name = "FILE")]
    asn: Option<PathBuf>,
    /// Use neither any more.
    #[arg(long, conflicts_with_all = ["city", "asn"])]
    clear: bool,
}

/// A list that names the value is something found.
pub(crate) async fn threat(session: &Session, form: Output, verb: Threat) -> anyhow::Result<bool> {
    match verb {
        Threat::Import(import) => {
            let request = ThreatImport {
                path: std::path::absolute(import.file)?.to_string_lossy().into_owned(),
                name: import.name,
                confidence: Some(import.confidence),
                format: import.format.map(|word| word.parse()).transpose()?,
                kind: import.kind.map(|word| word.parse()).transpose()?,
            };
            let done = session.ask::<operation::threat_list_import>(request).await?;
            if form == Output::Json {
                json(&done)?;
                return Ok(false);
            }
            let list = &done.list;
            line(format!(
                "{}: {} addresses and ranges, {} domains, {} user agents; {} duplicates, {} skipped",
                visible(&list.name, 100),
                list.addresses,
                list.domains,
                list.user_agents,
                list.duplicates,
                list.skipped
            ))?;
            for reason in &done.reasons {
                line(format!("  skipped number {}: {}", reason.place, visible(&reason.reason, 200)))?;
            }
            if list.skipped > done.reasons.len() as u64 {
                line(format!("  and {} more", list.skipped - done.reasons.len() as u64))?;
            }
            if !list.alerts() {
                line(
                    "a match raises the risk of findings; with --confidence 75 or more it is one of its own",
                )?;
            }
            Ok(false)
        }
        Threat::List => {
            let page = session.ask::<operation::threat_list_list>(Nothing {}).await?;
            lists(form, &page)?;
            Ok(false)
        }
        Threat::Show { name, offset, limit } => {
            let request = ThreatListShowRequest { name, offset, limit };
            let shown = session.ask::<operation::threat_list_show>(request).await?;
            if form == Output::Json {
                json(&shown)?;
                return Ok(false);
            }
            table(
                ["KIND", "ENTRY", "UNTIL", "NOTE"],
                shown.entries.into_iter().map(|entry| {
                    let until = entry.until.map_or("-".to_owned(), at);
                    [entry.kind.to_string(), entry.value, until, entry.note.unwrap_or_else(|| "-".to_owned())]
                }),
            )?;
            Ok(false)
        }
        Threat::Remove { name } => {
            let page = session.ask::<operation::threat_list_remove>(ThreatListRef { name }).await?;
            lists(form, &page)?;
            Ok(false)
        }
        Threat::Check { value } => {
            let check = session.ask::<operation::threat_check>(ThreatCheckRequest { value }).await?;
            if form == Output::Json {
                json(&check)?;
            } else if check.matches.is_empty() {
                line(format!("no list names {}", visible(&check.value, 200)))?;
            } else {
                table(
                    ["LIST", "CONFIDENCE", "ENTRY", "NOTE"],
                    check.matches.iter().map(|hit| {
                        let note = hit.note.clone().unwrap_or_else(|| "-".to_owned());
                        [
                            hit.found.list.clone(),
                            hit.found.confidence.to_string(),
                            hit.found.entry.clone(),
                            note,
                        ]
                    }),
                )?;
            }
            if let (Output::Table, Some(place)) = (form, &check.place) {
                line(format!("place: {}", visible(&place.to_string(), 300)))?;
            }
            Ok(!check.matches.is_empty())
        }
    }
}

fn lists(form: Output, page: &ThreatListPage) -> anyhow::Result<()> {
    if form == Output::Json {
        return json(page);
    }
    table(
        ["NAME", "ENTRIES", "CONFIDENCE", "AGE", "IMPORTED", "BY", "SOURCE", "SHA-256"],
        page.lists.iter().map(|list: &ThreatList| {
            [
                list.name.clone(),
                list.entries().to_string(),
                list.confidence.to_string(),
                format!("{} d", (page.at - list.imported_at).num_days()),
                at(list.imported_at),
                list.imported_by.clone(),
                list.source.clone(),
                list.sha256.chars().take(12).collect(),
            ]
        }),
    )
}

pub(crate) async fn asset(session: &Session, form: Output, verb: Asset) -> anyhow::Result<()> {
    let list: AssetList = match verb {
        Asset::List => session.ask::<operation::asset_list>(Nothing {}).await?,
        Asset::Add { kind, pattern, label, weight } => {
            let rule = AssetRule { kind: kind.parse()?, pattern, label, weight };
            session.ask::<operation::asset_add>(rule).await?
        }
        Asset::Remove { kind, pattern } => {
            session.ask::<operation::asset_remove>(AssetRef { kind: kind.parse()?, pattern }).await?
        }
    };
    if form == Output::Json {
        return json(&list);
    }
    table(
        ["KIND", "PATTERN", "WEIGHT", "LABEL"],
        list.assets
            .into_iter()
            .map(|rule| [rule.kind.to_string(), rule.pattern, rule.weight.to_string(), rule.label]),
    )
}

pub(crate) async fn risk(session: &Session, form: Output, verb: Risk) -> anyhow::Result<()> {
    match verb {
        Risk::Top { kind, limit } => {
            let request = EntityRiskRequest { kind: kind.parse()?, limit };
            let page = session.ask::<operation::entity_risk_top>(request).await?;
            if form == Output::Json {
                return json(&page);
            }
            table(
                ["RISK", "ENTITY", "INCIDENTS", "LAST", "PLACE", "LISTS"],
                page.rows.iter().map(|row| {
                    [
                        format!("{:.1}", row.risk.score),
                        row.risk.entity.value.clone(),
                        row.risk.incidents.to_string(),
                        at(row.risk.at),
                        place(row.place.as_ref(), page.has_location_data),
                        names(&row.threats),
                    ]
                }),
            )
        }
        Risk::Show { entity } => {
            let entity = entity_of(&entity)?;
            let detail = session.ask::<operation::entity_risk_show>(EntityRiskRef { entity }).await?;
            if form == Output::Json { json(&detail) } else { show(&detail) }
        }
    }
}

/// A bare address or range is an entity too.
fn entity_of(text: &str) -> Result<Entity, OpError> {
    if text.parse::<std::net::IpAddr>().is_ok() || text.parse::<Network>().is_ok() {
        return Ok(Entity::new(EntityKind::Ip, text));
    }
    text.parse().map_err(|error: UnknownWord| OpError::invalid("entity", error.to_string()))
}

fn show(detail: &EntityRiskDetail) -> anyhow::Result<()> {
    let half_life = detail.policy.half_life_h;
    line(format!(
        "{}: risk {:.1} of 100 at {}; halves every {half_life} h",
        visible(&detail.risk.entity.to_string(), 300),
        detail.risk.score,
        at(detail.at),
    ))?;
    if let Some((first, last)) = detail.first_seen.zip(detail.last_seen) {
        line(format!("seen first at {}, last at {}", at(first), at(last)))?;
    }
    if detail.risk.entity.kind == EntityKind::Ip {
        line(format!("place: {}", visible(&place(detail.place.as_ref(), detail.has_location_data), 300)))?;
    }
    if !detail.threats.is_empty() {
        line(format!("named by: {}", visible(&names(&detail.threats), 300)))?;
    }
    for asset in &detail.assets {
        line(format!("asset: {} × {}", visible(&asset.label, 100), asset.weight))?;
    }
    let history = detail.history;
    line(format!("judged before: {} attacks, {} harmless", history.true_positives, history.harmless))?;
    table(
        ["INCIDENT", "TITLE", "VERDICT", "POINTS", "AT", "LEFT NOW"],
        detail.contributions.iter().map(|part| {
            [
                part.incident.to_string(),
                part.title.clone(),
                part.verdict.to_string(),
                format!("{:.0}", part.points),
                at(part.at),
                if part.counts { format!("{:.1}", part.left) } else { "taken back".to_owned() },
            ]
        }),
    )
}

fn place(place: Option<&Place>, has_data: bool) -> String {
    match place {
        Some(place) => place.to_string(),
        None if has_data => "unknown".to_owned(),
        None => "no location data".to_owned(),
    }
}

fn names(threats: &[ThreatMatch]) -> String {
    if threats.is_empty() {
        return "-".to_owned();
    }
    let names: Vec<&str> = threats.iter().map(|found| found.list.as_str()).collect();
    names.join(", ")
}

pub(crate) async fn location(session: &Session, form: Output, verb: Location) -> anyhow::Result<()> {
    let absolute =
        |path: PathBuf| std::path::absolute(path).map(|path| Some(path.to_string_lossy().into_owned()));
    if verb.city.is_none() && verb.asn.is_none() && !verb.clear {
        return context(session, form).await;
    }
    let mut settings = LocationSettings::default();
    if !verb.clear {
        // What is not named stays as it is.
        let now = session.ask::<operation::enrichment_get>(Nothing {}).await?;
        for file in now.location {
            match file.role {
                watchpost_ops::contract::LocationRole::City => settings.city_file = Some(file.path),
                watchpost_ops::contract::LocationRole::Asn => settings.asn_file = Some(file.path),
            }
        }
        if let Some(path) = verb.city {
            settings.city_file = absolute(path)?;
        }
        if let Some(path) = verb.asn {
            settings.asn_file = absolute(path)?;
        }
    }
    state(form, &session.ask::<operation::location_put>(settings).await?)
}

pub(crate) async fn half_life(session: &Session, form: Output, half_life_h: u32) -> anyhow::Result<()> {
    state(form, &session.ask::<operation::risk_policy_put>(RiskPolicy { half_life_h }).await?)
}

pub(crate) async fn context(session: &Session, form: Output) -> anyhow::Result<()> {
    state(form, &session.ask::<operation::enrichment_get>(Nothing {}).await?)
}

/// The factors of an incident's risk, and what is known about where it came from.
pub(crate) fn why_risk(detail: &IncidentDetail) -> anyhow::Result<()> {
    if !detail.risk.is_empty() {
        line(format!("\nwhy the risk is {}", detail.incident.risk))?;
        table(
            ["POINTS", "FACTOR", "DETAIL"],
            detail.risk.iter().map(|factor| {
                [format!("{:+}", factor.points), factor.kind.to_string(), factor.detail.clone()]
            }),
        )?;
    }
    if let Some(place) = detail.why.iter().find_map(|hit| hit.newest.enrichment.place.as_ref()) {
        line(format!("place of the newest finding: {}", visible(&place.to_string(), 300)))?;
    }
    Ok(())
}

fn state(form: Output, state: &EnrichmentState) -> anyhow::Result<()> {
    if form == Output::Json {
        return json(state);
    }
    if state.location.is_empty() {
        line("no location data: set a file with `watchpost config location --city FILE --asn FILE`")?;
    }
    for file in &state.location {
        let about = match (&file.problem, file.built_at) {
            (Some(problem), _) => problem.clone(),
            (None, Some(built)) => {
                let kind = file.kind.as_deref().unwrap_or("location file");
                format!("{kind} of {}, {} days old", built.format("%Y-%m-%d"), file.age_days.unwrap_or(0))
            }
            (None, None) => "of an unknown date".to_owned(),
        };
        line(format!("{}: {}: {}", file.role, visible(&file.path, 300), visible(&about, 300)))?;
    }
    if state.damaged_lookups > 0 {
        line(format!("{} look-ups led nowhere: a location file is damaged", state.damaged_lookups))?;
    }
    if let Some(problem) = &state.threat_problem {
        line(format!("threat lists cannot be used: {problem}"))?;
    }
    line(format!("threat lists: {} with {} entries", state.threat_lists, state.threat_entries))?;
    line(format!("assets: {}", state.assets))?;
    line(format!("risk of entities halves every {} h", state.risk.half_life_h))
}
