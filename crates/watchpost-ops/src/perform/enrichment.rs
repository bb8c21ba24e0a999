//! Context of findings: location files, threat lists, assets, and the risk of entities.

use std::path::Path;

use sha2::{Digest, Sha256};
use watchpost_detect::enrich::{FILE_BYTES_MAX, check_asset, parse_threats};
use watchpost_model::enrichment::AssetRule;
use watchpost_model::event::{Entity, EntityKind};
use watchpost_model::risk::{EntityRisk, RiskPolicy};
use watchpost_model::threat::{ThreatKind, ThreatList, ThreatMatch};

use super::{at_this_machine, page_size, required};
use crate::contract::{
    AssetList, AssetRef, EnrichmentState, EntityRiskDetail, EntityRiskPage, EntityRiskRef, EntityRiskRequest,
    EntityRiskRow, LocationSettings, NotedMatch, Nothing, ThreatCheck, ThreatCheckRequest, ThreatImport,
    ThreatImported, ThreatListPage, ThreatListRef, ThreatListShow, ThreatListShowRequest,
};
use crate::door::Context;
use crate::enrich::{ASSETS, Freshness, Known, LOCATION, asset_rules, read_file};
use crate::error::{ErrorCode, OpError};
use crate::setting::{self, Setting};

/// Most rules about assets: each finding is held against all of them.
const ASSETS_MAX: usize = 1_000;
/// How much a match of a list means that was brought in without saying so.
const CONFIDENCE: u8 = 50;

pub(crate) async fn enrichment_get(cx: Context, _: Nothing) -> Result<EnrichmentState, OpError> {
    let workspace = cx.workspace()?;
    let known = workspace.known(Freshness::Now).await?;
    let now = workspace.now();
    let mut location = known.files.clone();
    for file in &mut location {
        file.age_days = file.built_at.map(|built| (now - built).num_days());
    }
    Ok(EnrichmentState {
        location,
        damaged_lookups: known.damaged_lookups(),
        threat_lists: known.lists.len() as u64,
        threat_entries: known.lists.iter().map(ThreatList::entries).sum(),
        threat_problem: known.threat_problem.clone(),
        assets: known.assets.len() as u64,
        risk: workspace.store().risk_policy().await?,
    })
}

pub(crate) async fn location_put(cx: Context, request: LocationSettings) -> Result<EnrichmentState, OpError> {
    at_this_machine(&cx)?;
    let workspace = cx.workspace()?;
    let setting = setting::read::<LocationSettings>(workspace.store(), LOCATION).await?;
    let before = &setting.value;
    for (field, path, old) in [
        ("city_file", &request.city_file, &before.city_file),
        ("asn_file", &request.asn_file, &before.asn_file),
    ] {
        let Some(path) = path.as_ref().filter(|path| Some(*path) != old.as_ref()) else { continue };
        if !Path::new(path).is_absolute() {
            return Err(OpError::invalid(field, format!("{path} is not an absolute path")));
        }
        std::fs::metadata(path).map_err(|error| OpError::unreadable(field, Path::new(path), error))?;
        let file = path.clone();
        // Hundreds of megabytes may have to be read.
        let read = tokio::task::spawn_blocking(move || read_file(Path::new(&file)).map(drop));
        read.await.map_err(|error| OpError::internal(format!("reading the file failed: {error}")))?.map_err(
            |problem| {
                OpError::invalid(field, problem)
                    .hint("location files have the MaxMind DB format (.mmdb), unpacked")
            },
        )?;
    }
    let record = cx.record(format!("setting/{LOCATION}"), Vec::new(), None);
    setting.replace(workspace.store(), &request, record).await?;
    enrichment_get(cx, Nothing {}).await
}

pub(crate) async fn risk_policy_put(cx: Context, request: RiskPolicy) -> Result<EnrichmentState, OpError> {
    if !request.is_valid() {
        return Err(OpError::invalid("half_life_h", "a half-life has 1 to 8,760 hours"));
    }
    let record = cx.record("setting/risk", Vec::new(), None);
    cx.workspace()?.store().risk_policy_put(request, record).await?;
    enrichment_get(cx, Nothing {}).await
}

pub(crate) async fn threat_list_list(cx: Context, _: Nothing) -> Result<ThreatListPage, OpError> {
    let workspace = cx.workspace()?;
    Ok(ThreatListPage { lists: workspace.store().threat_lists().await?, at: workspace.now() })
}

pub(crate) async fn threat_list_show(
    cx: Context,
    request: ThreatListShowRequest,
) -> Result<ThreatListShow, OpError> {
    let limit = page_size(request.limit)? as usize;
    let workspace = cx.workspace()?;
    let list = named(workspace.store().threat_lists().await?, &request.name)?;
    let mut skip = request.offset as usize;
    let mut entries = Vec::new();
    let mut part = 0;
    while entries.len() < limit
        && let Some(more) = workspace.store().threat_entries(&list.name, part).await?
    {
        let here = more.len();
        entries.extend(more.into_iter().skip(skip).take(limit - entries.len()));
        skip = skip.saturating_sub(here);
        part += 1;
    }
    Ok(ThreatListShow { list, entries })
}

fn named(lists: Vec<ThreatList>, name: &str) -> Result<ThreatList, OpError> {
    lists.into_iter().find(|list| list.name == name).ok_or_else(|| {
        OpError::not_found(format!("threat list {name:?}")).hint("`watchpost threat list` shows them")
    })
}

/// A name that was taken from the file replaces only what came from a file of the same name: `feed.csv` and `feed.json`
/// are two lists.
fn own_name(lists: Vec<ThreatList>, name: &str, source: &str) -> Result<(), OpError> {
    match lists.into_iter().find(|list| list.name == name && list.source != source) {
        None => Ok(()),
        Some(other) => Err(OpError {
            field: Some("name".to_owned()),
            ..OpError::new(
                ErrorCode::Conflict,
                format!("the list {name:?} came from {:?}, not from {source:?}", other.source),
            )
            .hint(format!("say which list it is: --name {name} replaces that one, another name keeps both"))
        }),
    }
}

pub(crate) async fn threat_list_import(
    cx: Context,
    request: ThreatImport,
) -> Result<ThreatImported, OpError> {
    at_this_machine(&cx)?;
    let workspace = cx.workspace()?;
    let path = Path::new(&request.path).to_owned();
    let confidence = request.confidence.unwrap_or(CONFIDENCE);
    if confidence > 100 {
        return Err(OpError::invalid("confidence", "a confidence is a number from 0 to 100"));
    }
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let name = required("name", request.name.as_deref().unwrap_or(&stem), 100)?;
    if name.chars().any(char::is_control) {
        return Err(OpError::invalid("name", "a name has no control characters"));
    }
    let source = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if request.name.is_none() {
        own_name(workspace.store().threat_lists().await?, &name, &source)?;
    }
    let now = workspace.now();
    let (format, kind) = (request.format, request.kind);
    let reading = tokio::task::spawn_blocking(move || {
        let shown = path.display();
        let unreadable = |error: std::io::Error| OpError::unreadable("path", &path, error);
        let meta = std::fs::metadata(&path).map_err(unreadable)?;
        if !meta.is_file() {
            return Err(OpError::unreadable("path", &path, "it is not a file"));
        }
        if meta.len() > FILE_BYTES_MAX as u64 {
            let limit = FILE_BYTES_MAX >> 20;
            return Err(OpError::invalid("path", format!("{shown} is larger than {limit} MiB")));
        }
        let bytes = std::fs::read(&path).map_err(unreadable)?;
        let parsed = parse_threats(&bytes, format, kind, now)
            .map_err(|error| OpError::invalid("path", format!("cannot use {shown}: {error}")))?;
        Ok((parsed, hex::encode(Sha256::digest(&bytes))))
    });
    let (parsed, sha256) =
        reading.await.map_err(|error| OpError::internal(format!("reading the file failed: {error}")))??;
    let count = |kind| parsed.entries.iter().filter(|entry| entry.kind == kind).count() as u64;
    let list = ThreatList {
        name,
        confidence,
        format: parsed.format,
        source,
        sha256,
        imported_at: now,
        imported_by: cx.caller.name.clone(),
        addresses: count(ThreatKind::Ip),
        domains: count(ThreatKind::Domain),
        user_agents: count(ThreatKind::UserAgent),
        total: parsed.entries.len() as u64,
        skipped: parsed.skipped,
        duplicates: parsed.duplicates,
    };
    let record = cx.record("threat_list", Vec::new(), None);
    workspace.store().threat_list_put(&list, &parsed.entries, record).await?;
    Ok(ThreatImported { list, reasons: parsed.reasons })
}

pub(crate) async fn threat_list_remove(
    cx: Context,
    request: ThreatListRef,
) -> Result<ThreatListPage, OpError> {
    let record = cx.record("threat_list", Vec::new(), None);
    cx.workspace()?.store().threat_list_remove(&request.name, record).await?;
    threat_list_list(cx, Nothing {}).await
}

pub(crate) async fn threat_check(cx: Context, request: ThreatCheckRequest) -> Result<ThreatCheck, OpError> {
    let value = required("value", &request.value, 2_000)?;
    let workspace = cx.workspace()?;
    let known = workspace.known(Freshness::Now).await?;
    let mut matches = Vec::new();
    for found in known.knowledge.threats.value(&value) {
        let mut note = None;
        let mut part = 0;
        // Notes are not kept in memory.
        while let Some(entries) = workspace.store().threat_entries(&found.list, part).await? {
            let entry =
                entries.into_iter().find(|entry| entry.kind == found.kind && entry.value == found.entry);
            if let Some(entry) = entry {
                note = entry.note;
                break;
            }
            part += 1;
        }
        matches.push(NotedMatch { found, note });
    }
    let place = known.place_of(&value);
    Ok(ThreatCheck { value, matches, place })
}

pub(crate) async fn asset_list(cx: Context, _: Nothing) -> Result<AssetList, OpError> {
    Ok(AssetList { assets: asset_rules(cx.workspace()?.store()).await? })
}

pub(crate) async fn asset_add(cx: Context, mut request: AssetRule) -> Result<AssetList, OpError> {
    request.pattern = required("pattern", &request.pattern, 500)?;
    request.label = required("label", &request.label, 100)?;
    check_asset(&request).map_err(|error| OpError::invalid("pattern", error.to_string()))?;
    let setting = setting::read::<Vec<AssetRule>>(cx.workspace()?.store(), ASSETS).await?;
    let mut assets = setting.value.clone();
    assets.retain(|known| (known.kind, &known.pattern) != (request.kind, &request.pattern));
    if assets.len() >= ASSETS_MAX {
        return Err(OpError::precondition(format!("there are {ASSETS_MAX} rules about assets already")));
    }
    assets.push(request);
    put_assets(cx, setting, assets).await
}

pub(crate) async fn asset_remove(cx: Context, request: AssetRef) -> Result<AssetList, OpError> {
    let setting = setting::read::<Vec<AssetRule>>(cx.workspace()?.store(), ASSETS).await?;
    let mut assets = setting.value.clone();
    let before = assets.len();
    assets.retain(|known| (known.kind, &known.pattern) != (request.kind, &request.pattern));
    if assets.len() == before {
        return Err(OpError::new(
            ErrorCode::NotFound,
            format!("nothing is said about the {} {}", request.kind, request.pattern),
        )
        .hint("`watchpost asset list` shows what is"));
    }
    put_assets(cx, setting, assets).await
}

async fn put_assets(
    cx: Context,
    setting: Setting<Vec<AssetRule>>,
    mut assets: Vec<AssetRule>,
) -> Result<AssetList, OpError> {
    assets.sort_by(|a, b| a.kind.cmp(&b.kind).then_with(|| a.pattern.cmp(&b.pattern)));
    let record = cx.record(format!("setting/{ASSETS}"), Vec::new(), None);
    setting.replace(cx.workspace()?.store(), &assets, record).await?;
    Ok(AssetList { assets })
}

pub(crate) async fn entity_risk_top(
    cx: Context,
    request: EntityRiskRequest,
) -> Result<EntityRiskPage, OpError> {
    let limit = page_size(request.limit)?;
    let workspace = cx.workspace()?;
    let known = workspace.known(Freshness::Recent).await?;
    let now = workspace.now();
    let rows = workspace.store().entity_risk_top(request.kind, limit, now).await?;
    Ok(EntityRiskPage {
        rows: rows
            .into_iter()
            .map(|risk| {
                let (place, _) = known.about(&risk.entity);
                EntityRiskRow { place, threats: threats(&known, &risk.entity), risk }
            })
            .collect(),
        has_location_data: !known.knowledge.geo.is_empty(),
        policy: workspace.store().risk_policy().await?,
        at: now,
    })
}

pub(crate) async fn entity_risk_show(
    cx: Context,
    request: EntityRiskRef,
) -> Result<EntityRiskDetail, OpError> {
    let workspace = cx.workspace()?;
    let mut entity = request.entity;
    entity.value = required("entity", &entity.value, 2_000)?;
    if entity.kind == EntityKind::Ip
        && let Ok(address) = entity.value.parse::<std::net::IpAddr>()
    {
        entity.value = address.to_canonical().to_string();
    }
    let seen = workspace.store().entity_seen(&entity).await?;
    let known = workspace.known(Freshness::Recent).await?;
    let now = workspace.now();
    let (risk, contributions) = match workspace.store().entity_risk(&entity, now).await? {
        Some(found) => found,
        None => (EntityRisk { entity: entity.clone(), score: 0.0, at: now, incidents: 0 }, Vec::new()),
    };
    let history = workspace.store().entity_judged(&entity).await?;
    let (place, assets) = known.about(&entity);
    let mut course = workspace.store().entity_risk_course(&entity, now).await?;
    if let Some(last) = course.last_mut() {
        // What is gathered keeps the pace at which it did; the end of the course is what the page says.
        last.score = risk.score;
    }
    Ok(EntityRiskDetail {
        risk,
        course,
        first_seen: seen.map(|(first, _)| first),
        last_seen: seen.map(|(_, last)| last),
        contributions,
        history,
        place,
        has_location_data: !known.knowledge.geo.is_empty(),
        threats: threats(&known, &entity),
        assets,
        policy: workspace.store().risk_policy().await?,
        at: now,
    })
}

/// The lists that name an entity: an address as it is, a user by the domain of the name.
fn threats(known: &Known, entity: &Entity) -> Vec<ThreatMatch> {
    match entity.kind {
        EntityKind::Ip => known.knowledge.threats.value(&entity.value),
        EntityKind::User => match entity.value.rsplit_once('@') {
            Some((_, domain)) => known.knowledge.threats.value(domain),
            None => Vec::new(),
        },
        EntityKind::Session | EntityKind::Endpoint => Vec::new(),
    }
}
