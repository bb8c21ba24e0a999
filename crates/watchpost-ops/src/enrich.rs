//! What is known beyond the events, read and kept fresh: location files, threat lists, assets.
//!
//! [`Desk::known`] looks whether a file or a setting has changed and reads again only what did. A file that cannot be used
//! is named with its problem; everything else goes on without it.

use std::collections::HashSet;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use chrono::{DateTime, Duration, Utc};
use sha2::{Digest, Sha256};
use watchpost_detect::enrich::{Assets, Geo, GeoFile, Knowledge, ThreatIndex, ThreatIndexBuilder};
use watchpost_model::enrichment::AssetRule;
use watchpost_model::event::{Entity, EntityKind, Event};
use watchpost_model::finding::Finding;
use watchpost_model::ids::FindingId;
use watchpost_model::place::Place;
use watchpost_model::threat::ThreatList;
use watchpost_store::Store;

use crate::contract::{LocationFile, LocationRole, LocationSettings};
use crate::error::OpError;
use crate::setting;

/// The settings that this module reads.
pub(crate) const LOCATION: &str = "location";
pub(crate) const ASSETS: &str = "assets";
/// Between two looks at files and settings.
const LOOK_EVERY: Duration = Duration::seconds(2);
/// Largest location file.
const FILE_BYTES_MAX: u64 = 2 << 30;
/// Findings about listed sources that are remembered, so that each is made once.
const LISTED_MAX: usize = 50_000;

/// What is known, as of the last look.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) knowledge: Knowledge,
    pub(crate) files: Vec<LocationFile>,
    /// Names the location file that places are asked of; empty while there is none.
    pub(crate) basis: String,
    pub(crate) lists: Vec<ThreatList>,
    pub(crate) threat_problem: Option<String>,
    pub(crate) assets: Vec<AssetRule>,
    damaged_lookups: AtomicU64,
}

impl Known {
    /// Where the source of an event is. A damaged file is counted, not fatal.
    pub(crate) fn place(&self, event: &Event) -> Option<Place> {
        self.counted(self.knowledge.place(event))
    }

    /// Where an address is.
    pub(crate) fn place_of(&self, value: &str) -> Option<Place> {
        let address: IpAddr = value.parse().ok()?;
        self.counted(self.knowledge.geo.place(address))
    }

    /// Where an entity is, which lists name it, and what was said about it.
    pub(crate) fn about(&self, entity: &Entity) -> (Option<Place>, Vec<AssetRule>) {
        let place = if entity.kind == EntityKind::Ip { self.place_of(&entity.value) } else { None };
        let id = watchpost_model::ids::EventId::derived(0, [0; 16]);
        let category = watchpost_model::event::Category::ApiUsage;
        let mut event = Event::new(id, DateTime::UNIX_EPOCH, category, "entity");
        let value = Some(entity.value.clone());
        match entity.kind {
            EntityKind::Ip => event.source_ip = value,
            EntityKind::User => event.actor = value,
            EntityKind::Session => event.session = value,
            EntityKind::Endpoint => event.resource = value,
        }
        (place, self.knowledge.assets.of(&event))
    }

    pub(crate) fn damaged_lookups(&self) -> u64 {
        self.damaged_lookups.load(Ordering::Relaxed)
    }

    fn counted(&self, found: Result<Option<Place>, watchpost_detect::enrich::GeoError>) -> Option<Place> {
        found.unwrap_or_else(|problem| {
            if self.damaged_lookups.fetch_add(1, Ordering::Relaxed) == 0 {
                tracing::warn!(%problem, "a location file is damaged; some addresses have no place");
            }
            None
        })
    }
}

/// The findings about listed sources that were made already.
#[derive(Debug, Default)]
pub(crate) struct Listed(HashSet<FindingId>);

impl Listed {
    /// The findings about `event` that are new. What is forgotten when the memory is full is made again and recognised by
    /// the store.
    pub(crate) fn fresh(&mut self, known: &Known, event: &Event) -> Vec<Finding> {
        let mut findings = known.knowledge.listed(event);
        if self.0.len() > LISTED_MAX {
            self.0.clear();
        }
        findings.retain(|finding| self.0.insert(finding.id));
        findings
    }
}

/// A file by what changes when its content does.
type FileStamp = Option<(u64, SystemTime)>;

#[derive(Debug, Default)]
pub(crate) struct Desk {
    known: Arc<Known>,
    looked_at: Option<DateTime<Utc>>,
    location: Option<(LocationSettings, [FileStamp; 2])>,
    lists: Option<Vec<ThreatList>>,
    assets: Option<Vec<AssetRule>>,
}

impl Desk {
    /// What is known now; looks at most every two seconds unless `fresh` is asked for.
    pub(crate) async fn known(
        &mut self,
        store: &Store,
        now: DateTime<Utc>,
        fresh: Freshness,
    ) -> Result<Arc<Known>, OpError> {
        let recent = self.looked_at.is_some_and(|at| now >= at && now - at < LOOK_EVERY);
        if recent && fresh == Freshness::Recent {
            return Ok(self.known.clone());
        }
        let settings = location_settings(store).await?;
        let stamps = [stamp(settings.city_file.as_deref()), stamp(settings.asn_file.as_deref())];
        let location = (settings, stamps);
        let lists = store.threat_lists().await?;
        let assets = asset_rules(store).await?;
        let expired = self.known.knowledge.threats.next_expiry().is_some_and(|at| at <= now);
        let new_location = self.location.as_ref() != Some(&location);
        let new_lists = self.lists.as_ref() != Some(&lists) || expired;
        let new_assets = self.assets.as_ref() != Some(&assets);
        if new_location || new_lists || new_assets {
            let mut next = Known {
                knowledge: self.known.knowledge.clone(),
                files: self.known.files.clone(),
                basis: self.known.basis.clone(),
                lists: lists.clone(),
                threat_problem: self.known.threat_problem.clone(),
                assets: assets.clone(),
                damaged_lookups: AtomicU64::new(if new_location { 0 } else { self.known.damaged_lookups() }),
            };
            if new_location {
                let (geo, files) = read_files(location.0.clone()).await?;
                next.basis = basis(&geo, &location);
                (next.knowledge.geo, next.files) = (Arc::new(geo), files);
            }
            if new_lists {
                let index = read_lists(store, &lists, now).await?;
                next.threat_problem =
                    index.is_none().then(|| "the user agents of all lists together are too many".to_owned());
                next.knowledge.threats = Arc::new(index.unwrap_or_default());
            }
            if new_assets {
                let prepared = Assets::new(assets.clone())
                    .map_err(|error| OpError::internal(format!("the stored assets are damaged: {error}")))?;
                next.knowledge.assets = Arc::new(prepared);
            }
            self.known = Arc::new(next);
            (self.location, self.lists, self.assets) = (Some(location), Some(lists), Some(assets));
        }
        self.looked_at = Some(now);
        Ok(self.known.clone())
    }
}

/// Whether what was seen two seconds ago will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// It will.
    Recent,
    /// Look now.
    Now,
}

pub(crate) async fn location_settings(store: &Store) -> Result<LocationSettings, OpError> {
    Ok(setting::read(store, LOCATION).await?.value)
}

pub(crate) async fn asset_rules(store: &Store) -> Result<Vec<AssetRule>, OpError> {
    Ok(setting::read(store, ASSETS).await?.value)
}

fn stamp(path: Option<&str>) -> FileStamp {
    let meta = std::fs::metadata(path?).ok()?;
    Some((meta.len(), meta.modified().ok()?))
}

/// Another text for each file, and for each state of it.
fn basis(geo: &Geo, location: &(LocationSettings, [FileStamp; 2])) -> String {
    if geo.city.is_none() {
        return String::new();
    }
    let named = format!("{:?} {:?}", location.0.city_file, location.1[0]);
    hex::encode(&Sha256::digest(named.as_bytes())[..8])
}

async fn read_files(settings: LocationSettings) -> Result<(Geo, Vec<LocationFile>), OpError> {
    // Hundreds of megabytes may have to be read.
    let reading = tokio::task::spawn_blocking(move || {
        let (mut geo, mut files) = (Geo::default(), Vec::new());
        for (role, path) in [(LocationRole::City, settings.city_file), (LocationRole::Asn, settings.asn_file)]
        {
            let Some(path) = path else { continue };
            let mut file =
                LocationFile { role, path, kind: None, built_at: None, age_days: None, problem: None };
            match read_file(Path::new(&file.path)) {
                Ok(read) => {
                    (file.kind, file.built_at) = (Some(read.kind()), read.built_at());
                    match role {
                        LocationRole::City => geo.city = Some(read),
                        LocationRole::Asn => geo.asn = Some(read),
                    }
                }
                Err(problem) => {
                    tracing::warn!(path = file.path, problem, "a location file cannot be used");
                    file.problem = Some(problem);
                }
            }
            files.push(file);
        }
        (geo, files)
    });
    reading.await.map_err(|error| OpError::internal(format!("reading the location files failed: {error}")))
}

/// Reads a location file; the error names it.
pub(crate) fn read_file(path: &Path) -> Result<GeoFile, String> {
    let name = path.display();
    let meta = std::fs::metadata(path).map_err(|error| format!("cannot read {name}: {error}"))?;
    if !meta.is_file() {
        return Err(format!("{name} is not a file"));
    }
    if meta.len() > FILE_BYTES_MAX {
        return Err(format!("{name} is larger than {} GiB", FILE_BYTES_MAX >> 30));
    }
    let bytes = std::fs::read(path).map_err(|error| format!("cannot read {name}: {error}"))?;
    GeoFile::new(bytes).map_err(|error| format!("cannot use {name}: {error}"))
}

async fn read_lists(
    store: &Store,
    lists: &[ThreatList],
    now: DateTime<Utc>,
) -> Result<Option<ThreatIndex>, OpError> {
    let mut builder = ThreatIndexBuilder::new(now);
    for list in lists {
        let mut entries = Vec::new();
        let mut part = 0;
        while let Some(more) = store.threat_entries(&list.name, part).await? {
            entries.extend(more);
            part += 1;
        }
        let (name, confidence) = (list.name.clone(), list.confidence);
        let adding = tokio::task::spawn_blocking(move || builder.list(&name, confidence, entries));
        builder = adding
            .await
            .map_err(|error| OpError::internal(format!("reading the threat lists failed: {error}")))?;
    }
    tokio::task::spawn_blocking(move || builder.build())
        .await
        .map_err(|error| OpError::internal(format!("reading the threat lists failed: {error}")))
}
