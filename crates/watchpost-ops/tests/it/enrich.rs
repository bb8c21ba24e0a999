//! Places, threat lists, assets and risk through the door, with the engine at work.

use std::path::Path;

use watchpost_model::access::{Origin, Role};
use watchpost_model::enrichment::AssetRule;
use watchpost_model::event::{Entity, EntityKind};
use watchpost_model::finding::AttackFamily;
use watchpost_model::incident::{IncidentDetail, IncidentFilter, Verdict};
use watchpost_model::job::JobState;
use watchpost_model::risk::RiskFactorKind;
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{
    EntityRiskDetail, EntityRiskRef, EntityRiskRequest, EventPageRequest, ImportRequest, IncidentPageRequest,
    IncidentRef, IncidentResolve, LocationSettings, Nothing, OverviewRequest, ThreatCheckRequest,
    ThreatImport, ThreatListRef, ThreatListShowRequest,
};
use watchpost_ops::door::{Call, operation};
use watchpost_ops::error::ErrorCode;
use watchpost_ops::live::LiveFeed;
use watchpost_ops::os_caller;

use crate::door::{Desk, caller, desk, folder};
use crate::mmdb::{asn, city, mmdb};

fn write(path: &Path, bytes: &[u8]) -> String {
    std::fs::write(path, bytes).expect("the folder is ours");
    path.to_str().expect("the path is text").to_owned()
}

fn import(path: String, confidence: u8) -> ThreatImport {
    ThreatImport { path, name: None, confidence: Some(confidence), format: None, kind: None }
}

fn berlin() -> Vec<u8> {
    mmdb(
        "Test-City",
        1_760_000_000,
        &[
            ("203.0.113.0", 24, city("DE", "Berlin", 52.52, 13.405)),
            ("198.51.100.0", 24, city("SE", "Uppsala", 59.86, 17.64)),
            ("192.0.2.0", 24, city("JP", "Osaka", 34.69, 135.5)),
        ],
    )
}

async fn incidents(desk: &Desk) -> Vec<IncidentDetail> {
    let filter = IncidentFilter::default();
    let request = IncidentPageRequest { filter, limit: 500, ..IncidentPageRequest::default() };
    let page = desk.ask::<operation::incident_page>(request).await.expect("incidents can be listed");
    let mut details = Vec::new();
    for row in page.rows {
        let request = IncidentRef { number: row.number };
        details.push(desk.ask::<operation::incident_detail>(request).await.expect("it is there"));
    }
    details
}

async fn risk_of(desk: &Desk, entity: &Entity) -> EntityRiskDetail {
    let request = EntityRiskRef { entity: entity.clone() };
    desk.ask::<operation::entity_risk_show>(request).await.expect("any entity can be shown")
}

/// SQL injection and traversal from a listed address, the same from one that is not, an hour ago.
async fn attacks(desk: &Desk, home: &Path) {
    let at = (desk.console.now() - chrono::Duration::hours(1)).format("%d/%b/%Y:%H:%M:%S +0000");
    let mut log = String::new();
    for address in ["203.0.113.9", "198.51.100.9"] {
        for path in ["/search?q=1%27%20OR%20%271%27=%271--%20", "/download?file=../../../../etc/passwd"] {
            log = format!(
                "{log}{}",
                format_args!("{address} - - [{at}] \"GET {path} HTTP/1.1\" 200 512 \"-\" \"Mozilla/5.0\"\n")
            );
        }
    }
    let path = write(&home.join("access.log"), log.as_bytes());
    let request = ImportRequest { path, format: "combined".to_owned(), restart: false };
    let run = desk.ask::<operation::import_run>(request).await.expect("the import starts");
    assert_eq!(desk.finish(run).await.state, JobState::Done, "the import ends well");
    desk.console.until_idle().await.expect("the engine works");
}

#[tokio::test]
async fn findings_carry_place_lists_assets_and_an_explained_score() {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    let city_file = write(&home.path().join("city.mmdb"), &berlin());
    let networks = mmdb("Test-ASN", 1_760_000_000, &[("203.0.113.0", 24, asn(64_500, "Example Net"))]);
    let asn_file = write(&home.path().join("asn.mmdb"), &networks);
    let settings = LocationSettings { city_file: Some(city_file.clone()), asn_file: Some(asn_file) };
    let state = desk.ask::<operation::location_put>(settings).await.expect("both files are whole");
    assert_eq!(state.location.len(), 2);
    assert!(state.location.iter().all(|file| file.problem.is_none() && file.age_days > Some(0)), "{state:?}");
    let list = write(&home.path().join("drop.txt"), b"203.0.113.0/24 ; SBL1\nnonsense\n");
    let imported = desk.ask::<operation::threat_list_import>(import(list, 90)).await.expect("one entry");
    assert_eq!((imported.list.name.as_str(), imported.list.addresses, imported.list.skipped), ("drop", 1, 1));
    assert_eq!((imported.list.imported_by.as_str(), imported.reasons[0].place), ("dana", 2));
    let asset = AssetRule {
        kind: EntityKind::Endpoint,
        pattern: "/".to_owned(),
        label: "shop".to_owned(),
        weight: 1.5,
    };
    desk.ask::<operation::asset_add>(asset).await.expect("the rule is good");
    attacks(&desk, home.path()).await;

    let details = incidents(&desk).await;
    let of = |network: &str| {
        details.iter().filter(|detail| detail.incident.entity.value.starts_with(network)).collect::<Vec<_>>()
    };
    let listed = of("203.0.113.");
    assert!(!listed.is_empty() && !of("198.51.100.").is_empty(), "both attacked");
    for detail in &details {
        let sum: i32 = detail.risk.iter().map(|factor| factor.points).sum();
        assert_eq!(sum, i32::from(detail.incident.risk), "the factors add up: {:?}", detail.risk);
        for hit in &detail.why {
            let finding = &hit.newest;
            let sum: i32 = finding.enrichment.risk.iter().map(|factor| factor.points).sum();
            assert_eq!(sum, i32::from(finding.risk), "{:?}", finding.enrichment);
            assert!(finding.risk <= detail.incident.risk, "the incident has the worst one's");
        }
    }
    for detail in &listed {
        let enrichment = &detail.why[0].newest.enrichment;
        assert_eq!(
            enrichment.threats.first().map(|found| found.list.as_str()),
            Some("drop"),
            "{enrichment:?}"
        );
        let place = enrichment.place.as_ref().expect("the file knows it");
        assert_eq!(place.to_string(), "Berlin, DE, AS64500 Example Net");
        let has = |kind| enrichment.risk.iter().any(|factor| factor.kind == kind);
        assert!(has(RiskFactorKind::ThreatList), "{enrichment:?}");
    }
    let own = listed.iter().filter(|detail| detail.incident.family == AttackFamily::ThreatListed).count();
    assert!(own > 0, "a list that is sure enough makes findings of its own");
    assert!(of("198.51.100.").iter().all(|detail| detail.incident.family != AttackFamily::ThreatListed));

    // The places of sources are written beside the engine.
    let mut feed = LiveFeed::new(&desk.console, os_caller(Origin::Window));
    let mut by_country = Vec::new();
    for _ in 0..30 {
        let request = OverviewRequest { period: None, buckets: 1 };
        let overview = desk.ask::<operation::overview>(request).await.expect("an overview");
        assert!(overview.has_location_data);
        by_country = overview.by_country;
        if by_country.iter().any(|one| one.country.is_some()) {
            break;
        }
        feed.next().await;
    }
    let berlin = by_country.iter().find(|one| one.country.as_deref() == Some("DE")).expect("it is placed");
    assert_eq!((berlin.events, berlin.sources), (2, 1), "{by_country:?}");
    let request =
        EventPageRequest { query: Some("country:de".to_owned()), limit: 10, ..EventPageRequest::default() };
    let rows = desk.ask::<operation::event_page>(request).await.expect("a page").rows;
    assert_eq!(rows.len() as u64, berlin.events, "the number opens its rows");

    let top = EntityRiskRequest { kind: EntityKind::Ip, limit: 500 };
    let page = desk.ask::<operation::entity_risk_top>(top).await.expect("a ranking");
    assert!(page.has_location_data && !page.rows.is_empty());
    assert!(page.rows.windows(2).all(|pair| pair[0].risk.score >= pair[1].risk.score));
    let first =
        page.rows.iter().find(|row| row.risk.entity.value.starts_with("203.0.113.")).expect("it attacked");
    assert_eq!(first.place.as_ref().and_then(|place| place.country.as_deref()), Some("DE"));
    assert_eq!(first.threats[0].entry, "203.0.113.0/24");

    let entity = first.risk.entity.clone();
    let before = risk_of(&desk, &entity).await;
    assert_eq!(before.contributions.len() as u64, before.risk.incidents);
    assert_eq!(before.course.last().map(|point| point.score), Some(before.risk.score));
    let network = entity.value.rsplit_once('.').expect("an address").0;
    let range = Entity::new(EntityKind::Ip, format!("{network}.0/24"));
    let of_range = risk_of(&desk, &range).await;
    assert_eq!(of_range.risk.score, before.risk.score, "it is the worst address of it");
    assert!(before.first_seen.is_some() && of_range.first_seen <= before.first_seen);
    let page = EventPageRequest { entity: Some(range), limit: 500, ..EventPageRequest::default() };
    let rows = desk.ask::<operation::event_page>(page).await.expect("events can be listed").rows;
    assert_eq!(rows.first().map(|event| event.at), of_range.last_seen);
    let number = before.contributions[0].incident;
    let resolve = IncidentResolve {
        number,
        verdict: Verdict::FalsePositive,
        cause: None,
        reason: "a test".to_owned(),
        duplicate_of: None,
        version: None,
    };
    desk.ask::<operation::incident_resolve>(resolve).await.expect("it is open");
    let after = risk_of(&desk, &entity).await;
    assert!(after.risk.score < before.risk.score, "{} {}", after.risk.score, before.risk.score);
    assert_eq!(after.history.harmless, 1);
    assert!(!after.contributions.iter().find(|part| part.incident == number).expect("still shown").counts);
    desk.console.close().await;
}

#[tokio::test]
async fn files_and_lists_are_read_anew_and_broken_ones_are_named() {
    let home = folder();
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let place = async |value: &str| {
        let request = ThreatCheckRequest { value: value.to_owned() };
        let check = desk.ask::<operation::threat_check>(request).await.expect("any value can be checked");
        (
            check.place.map(|place| place.to_string()),
            check.matches.into_iter().map(|hit| hit.note).collect::<Vec<_>>(),
        )
    };
    assert_eq!(place("203.0.113.7").await, (None, Vec::new()), "without files nothing is known");
    let path = home.path().join("city.mmdb");
    let broken = write(&path, &berlin()[..300]);
    let settings = LocationSettings { city_file: Some(broken), asn_file: None };
    let refused = desk.ask::<operation::location_put>(settings.clone()).await.expect_err("it is cut off");
    assert!(refused.code == ErrorCode::Validation && refused.message.contains("city.mmdb"), "{refused:?}");
    let missing = LocationSettings { city_file: Some("/nowhere/x.mmdb".to_owned()), asn_file: None };
    let refused = desk.ask::<operation::location_put>(missing).await.expect_err("it is not there");
    assert!(refused.message.contains("/nowhere/x.mmdb"), "{refused:?}");

    write(&path, &berlin());
    desk.ask::<operation::location_put>(settings).await.expect("now it is whole");
    assert_eq!(place("203.0.113.7").await.0.as_deref(), Some("Berlin, DE"));
    let other = mmdb("Test-City", 1_770_000_000, &[("203.0.113.0", 24, city("FR", "Lyon", 45.76, 4.84))]);
    write(&path, &other);
    assert_eq!(place("203.0.113.7").await.0.as_deref(), Some("Lyon, FR"), "a new file is read");
    write(&path, b"now it is something else");
    assert_eq!(place("203.0.113.7").await.0, None, "and a broken one is not guessed at");
    let state = desk.ask::<operation::enrichment_get>(Nothing {}).await.expect("the rest works");
    let problem = state.location[0].problem.as_deref().expect("the problem is told");
    assert!(problem.contains("city.mmdb") && problem.contains("no MaxMind DB file"), "{problem}");

    let list = home.path().join("list.csv");
    let first = write(&list, b"ip,note\n203.0.113.7,Emotet\n");
    desk.ask::<operation::threat_list_import>(import(first.clone(), 50)).await.expect("one entry");
    assert_eq!(place("203.0.113.7").await.1, [Some("Emotet".to_owned())]);
    write(&list, b"ip,note\n203.0.113.8,Other\n203.0.113.9,\n");
    desk.ask::<operation::threat_list_import>(import(first.clone(), 50)).await.expect("two entries");
    assert_eq!(place("203.0.113.7").await.1, [], "the list was replaced");
    let show = ThreatListShowRequest { name: "list".to_owned(), offset: 1, limit: 1 };
    let shown = desk.ask::<operation::threat_list_show>(show).await.expect("it is there");
    assert_eq!(shown.entries[0].value, "203.0.113.9");
    let empty = write(&home.path().join("empty.txt"), b"# nothing\nnonsense\n");
    let refused =
        desk.ask::<operation::threat_list_import>(import(empty, 50)).await.expect_err("nothing in it");
    assert!(refused.message.contains("empty.txt") && refused.message.contains("1 lines"), "{refused:?}");
    let name = ThreatListRef { name: "list".to_owned() };
    desk.ask::<operation::threat_list_remove>(name).await.expect("it is there");
    assert_eq!(place("203.0.113.8").await.1, []);

    let mut remote = caller(Role::Admin);
    remote.origin = Origin::Http;
    let call = Call { caller: remote, confirmation: None, reason: None };
    let refused = desk.console.call::<operation::threat_list_import>(&call, import(first, 50)).await;
    assert_eq!(refused.expect_err("files of the server").code, ErrorCode::Permission);
    let settings = LocationSettings { city_file: Some("/etc/passwd".to_owned()), asn_file: None };
    let refused = desk.console.call::<operation::location_put>(&call, settings).await;
    assert_eq!(refused.expect_err("files of the server").code, ErrorCode::Permission);
    desk.console.close().await;
}

#[tokio::test]
async fn a_list_takes_the_place_of_no_other_one_by_the_name_of_its_file() {
    let home = folder();
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let csv = write(&home.path().join("feed.csv"), b"ip\n203.0.113.7\n");
    let text = write(&home.path().join("feed.txt"), b"203.0.113.8\n");
    desk.ask::<operation::threat_list_import>(import(csv.clone(), 50)).await.expect("the first");
    desk.ask::<operation::threat_list_import>(import(csv, 50)).await.expect("the same again");
    let other =
        desk.ask::<operation::threat_list_import>(import(text.clone(), 50)).await.expect_err("another one");
    assert_eq!((other.code, other.field.as_deref()), (ErrorCode::Conflict, Some("name")));
    assert!(other.hint.as_deref().is_some_and(|hint| hint.contains("--name feed")), "{other:?}");
    for (name, lists) in [("feed-text", 2), ("feed", 2)] {
        let named = ThreatImport { name: Some(name.to_owned()), ..import(text.clone(), 50) };
        desk.ask::<operation::threat_list_import>(named).await.expect("it was said which");
        let page = desk.ask::<operation::threat_list_list>(Nothing {}).await.expect("listed");
        assert_eq!(page.lists.len(), lists, "{name}");
    }
    desk.console.close().await;
}
