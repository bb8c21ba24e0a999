//! What an erasure leaves behind in the files of a PostgreSQL: nothing in its indexes and statistics, and it is told what else
//! somebody has to do.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, Executor, Row};
use watchpost_model::event::Event;
use watchpost_model::privacy::{Erasure, ResidueState, Subject, SubjectKind};
use watchpost_store::{DatabaseTarget, Store};

use crate::roles::{Team, connect};
use crate::support::{World, both, draft, events};

both!(settling_works_on_both_engines);

const NAME: &str = "annabethquimby";

async fn erase(store: &Store) -> Erasure {
    let subject = Subject::new(SubjectKind::User, NAME).unwrap();
    let (erasure, _) = store.privacy_erase(&subject, "robin", |_| draft("privacy_erase")).await.unwrap();
    erasure
}

/// Events of two people, and a record of one of them.
async fn lived_in(world: &World) {
    let mut batch: Vec<(Event, String)> = events(60, world.now());
    for (event, _) in batch.iter_mut().step_by(2) {
        event.actor = Some(NAME.to_owned());
    }
    world.ingest(&batch, &[]).await;
    let mut by = draft("incident_take");
    by.caller.name = NAME.to_owned();
    world.store.audit_append(by).await.unwrap();
}

/// Each index with its file, and whether that holds the name.
async fn indexes(target: &DatabaseTarget) -> BTreeMap<String, (String, bool)> {
    let mut look = connect(target).await;
    look.execute("CHECKPOINT").await.unwrap();
    let sql = format!(
        "SELECT CAST(c.relname AS TEXT), pg_relation_filepath(c.oid), \
         position(CAST('{NAME}' AS BYTEA) IN pg_read_binary_file(pg_relation_filepath(c.oid))) > 0 \
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind = 'i' AND n.nspname = current_schema()"
    );
    let rows = look.fetch_all(AssertSqlSafe(sql)).await.unwrap();
    rows.iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect()
}

async fn settling_works_on_both_engines(world: World) {
    lived_in(&world).await;
    let erasure = erase(&world.store).await;
    let settled = world.store.privacy_settle_erased(&erasure.counts).await.unwrap();
    assert!(settled.folded && settled.failed.is_empty() && settled.not_own.is_empty(), "{settled:?}");
    assert_eq!(settled.reindexed > 10, world.is_postgres(), "{settled:?}");
    assert_eq!(settled.vacuumed > 30, world.is_postgres(), "{settled:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_index_of_a_server_holds_the_name_after_an_erasure() {
    let Some(world) = World::postgres().await else { return };
    lived_in(&world).await;
    world.tamper("ANALYZE event").await;
    let part = world.now().format("event_%Y_%m").to_string();
    let before = indexes(&world.target).await;
    let of_names = format!("{part}_actor_at_idx");
    assert!(before[&of_names].1 && before["audit_record_by_actor"].1, "{before:?}");

    let erasure = erase(&world.store).await;
    let still = indexes(&world.target).await;
    assert!(still[&of_names].1, "removing a row leaves its entry");
    let settled = world.store.privacy_settle_erased(&erasure.counts).await.unwrap();
    let after = indexes(&world.target).await;
    let holding: Vec<&String> = after.iter().filter(|(_, (_, holds))| *holds).map(|(name, _)| name).collect();
    assert_eq!(holding, Vec::<&String>::new(), "{settled:?}");
    assert!(after.keys().eq(before.keys()), "the same indexes, none half made");
    // The pieces of words of it went with the file of their index, if there is one.
    for name in [of_names, format!("{part}_search_idx")] {
        let file = |of: &BTreeMap<String, (String, bool)>| of.get(&name).map(|(file, _)| file.clone());
        assert!(file(&before).is_none() || file(&before) != file(&after), "{name} is written anew");
    }
    assert_eq!(before["event_id_pkey"].0, after["event_id_pkey"].0, "ids name nobody");
    let mut look = connect(&world.target).await;
    let statistics = format!(
        "SELECT COUNT(*) FROM pg_stats WHERE CAST(most_common_vals AS TEXT) LIKE '%{NAME}%' \
         OR CAST(histogram_bounds AS TEXT) LIKE '%{NAME}%'"
    );
    let row = look.fetch_one(AssertSqlSafe(statistics)).await.unwrap();
    assert_eq!(row.get::<i64, _>(0), 0, "nor do the statistics of the server");
}

/// A copy that was put back beside the database holds the person still, whatever the trail says of it by now.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_database_of_the_same_log_is_looked_into() {
    let Some(world) = World::postgres().await else { return };
    lived_in(&world).await;
    world.store.close().await;
    let DatabaseTarget::Postgres { database, .. } = &world.target else { panic!("it is a server") };
    let named = |name: &str| {
        let mut target = world.target.clone();
        if let DatabaseTarget::Postgres { database, .. } = &mut target {
            name.clone_into(database);
        }
        target
    };
    let (copy, empty) = (format!("{database}_copy"), format!("{database}_empty"));
    let mut admin = connect(&named("postgres")).await;
    for sql in [format!("CREATE DATABASE {copy} TEMPLATE {database}"), format!("CREATE DATABASE {empty}")] {
        admin.execute(AssertSqlSafe(sql)).await.unwrap();
    }

    let store = world.another().await;
    erase(&store).await;
    let subject = Subject::new(SubjectKind::User, NAME).unwrap();
    let beside = async |named: &[&str]| {
        let named = named.iter().map(|name| (*name).to_owned()).collect();
        let found = store.privacy_scan_beside(&subject, &named, &|_, _| ()).await.unwrap();
        found.into_iter().map(|place| (place.place, place.state)).collect::<Vec<_>>()
    };
    let place = |name: &str| format!("database {name} of the same server");
    assert_eq!(beside(&[]).await, [(place(&copy), ResidueState::Found)]);
    let told = beside(&[empty.as_str(), "one_that_was_dropped"]).await;
    let both = [(place(&copy), ResidueState::Found), (place(&empty), ResidueState::OutOfReach)];
    assert_eq!(told, both, "what the trail names is told also where it cannot be read");

    let other = Store::open(&named(&copy), world.clock.clone()).await.unwrap();
    erase(&other).await;
    other.close().await;
    assert_eq!(beside(&[]).await, [("other databases of the server".to_owned(), ResidueState::Clean)]);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_login_may_not_settle_is_told() {
    let Some(team) = Team::new().await else { return };
    lived_in(&team.world).await;
    let erasure = erase(&team.world.store).await;
    let auditor = Store::open(&team.target("auditor"), team.world.clock.clone()).await.unwrap();
    let settled = auditor.privacy_settle_erased(&erasure.counts).await.unwrap();
    assert_eq!((settled.vacuumed, settled.reindexed), (0, 0));
    assert!(settled.failed.is_empty(), "{settled:?}");
    for table in ["event", "event_id", "audit_record"] {
        assert!(settled.not_own.iter().any(|name| name == table), "{table}: {settled:?}");
    }
    auditor.close().await;
}
