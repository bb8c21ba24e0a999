//! The log in partitions on PostgreSQL: they are made ahead, take over what is there, and nobody gets at the past by one.

use sqlx::{AssertSqlSafe, Executor, Row};
use watchpost_model::audit::AuditFilter;
use watchpost_store::Signer;

use crate::roles::{ROLES, Team, connect, holds, refused};
use crate::support::{World, draft};

/// The parts of a log that is new, without the whole.
const PARTS: [&str; 3] = ["audit_leaf_first", "audit_leaf_from_1000000", "audit_leaf_rest"];
/// What may be tried with a table by whoever wants to change what it holds.
const CHANGES: [&str; 3] = ["UPDATE LOG SET seq = seq", "DELETE FROM LOG", "TRUNCATE LOG"];

async fn parts(world: &World) -> Vec<String> {
    let mut look = connect(&world.target).await;
    let sql = "SELECT CAST(c.relname AS TEXT) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid \
               WHERE i.inhparent = 'audit_leaf'::regclass ORDER BY 1";
    look.fetch_all(sql).await.unwrap().iter().map(|row| row.get(0)).collect()
}

async fn part_of(world: &World, seq: i64) -> String {
    let mut look = connect(&world.target).await;
    let sql = format!("SELECT tableoid::regclass::text FROM audit_leaf WHERE seq = {seq}");
    look.fetch_one(AssertSqlSafe(sql)).await.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partitions_are_made_before_they_are_needed() {
    let Some(world) = World::postgres().await else { return };
    assert_eq!(parts(&world).await, PARTS);
    let seq = world.store.audit_append(draft("incident_take")).await.unwrap();
    assert_eq!(part_of(&world, seq).await, "audit_leaf_first");
    assert_eq!(world.store.audit_make_room().await.unwrap(), 0, "there is room");

    // A log that has grown faster than anybody looked.
    world.tamper("UPDATE audit_head SET size = 2300000").await;
    assert_eq!(world.store.audit_make_room().await.unwrap(), 2);
    assert_eq!(world.store.audit_make_room().await.unwrap(), 0, "once");
    for (seq, part) in [
        (999_999, "audit_leaf_first"),
        (1_000_000, "audit_leaf_from_1000000"),
        (2_300_000, "audit_leaf_from_2000000"),
        (3_999_999, "audit_leaf_from_3000000"),
        (4_000_000, "audit_leaf_rest"),
    ] {
        world.tamper(&format!("INSERT INTO audit_leaf (seq, leaf, hash) VALUES ({seq}, '', '')")).await;
        assert_eq!(part_of(&world, seq).await, part, "{seq}");
    }
    // The range of what is in the rest gets no partition, and the log goes on.
    world.tamper("UPDATE audit_head SET size = 3999999").await;
    assert_eq!(world.store.audit_make_room().await.unwrap(), 0);
    world.tamper("UPDATE audit_head SET size = 4000001").await;
    assert_eq!(world.store.audit_make_room().await.unwrap(), 1, "the one after it");
    assert!(parts(&world).await.contains(&"audit_leaf_from_5000000".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_reads_all_of_the_log_is_not_waited_for() {
    let Some(world) = World::postgres().await else { return };
    world.store.audit_append(draft("incident_take")).await.unwrap();
    world.tamper("UPDATE audit_head SET size = 1500000").await;
    let mut reader = connect(&world.target).await;
    reader.execute("BEGIN; SELECT COUNT(*) FROM audit_leaf").await.unwrap();
    assert_eq!(world.store.audit_make_room().await.unwrap(), 0, "the next look makes it");
    reader.execute("COMMIT").await.unwrap();
    assert_eq!(world.store.audit_make_room().await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_changes_the_past_by_naming_a_partition() {
    let Some(mut team) = Team::new().await else { return };
    team.world.store.audit_append(draft("incident_take")).await.unwrap();
    // One that is made after the script was run.
    team.owner.execute("UPDATE audit_head SET size = 1000001").await.unwrap();
    assert_eq!(team.world.store.audit_make_room().await.unwrap(), 1);
    let made = parts(&team.world).await;
    assert!(made.contains(&"audit_leaf_from_2000000".to_owned()), "{made:?}");
    for role in ROLES {
        let mut person = connect(&team.target(role)).await;
        for part in &made {
            for sql in CHANGES.map(|change| change.replace("LOG", part)).into_iter().chain([
                format!("INSERT INTO {part} (seq, leaf, hash) VALUES (7, '', '')"),
                format!("SELECT 1 FROM {part}"),
                format!("DROP TABLE {part}"),
                format!("ALTER TABLE audit_leaf DETACH PARTITION {part}"),
                format!("ALTER TABLE {part} DISABLE TRIGGER ALL"),
            ]) {
                assert_eq!(refused(&mut person, &sql).await.as_deref(), Some("42501"), "{role}: {sql}");
            }
        }
        let may = refused(&mut person, "SELECT watchpost_audit_partitions()").await;
        assert_eq!(may, None, "{role} has room made");
    }
    for part in &made {
        for sql in CHANGES.map(|change| change.replace("LOG", part)) {
            assert_eq!(
                refused(&mut team.owner, &sql).await.as_deref(),
                Some("42501"),
                "also the owner: {sql}"
            );
        }
    }
}

/// The log as it was before it had partitions, with the rights and the trigger that it had.
const BEFORE: &str = "
CREATE TABLE kept AS SELECT * FROM audit_leaf;
DROP TABLE audit_leaf;
DROP FUNCTION watchpost_audit_partitions();
CREATE TABLE audit_leaf (seq BIGINT PRIMARY KEY, leaf BYTEA NOT NULL, hash BYTEA NOT NULL);
INSERT INTO audit_leaf SELECT * FROM kept;
DROP TABLE kept;
GRANT SELECT ON audit_leaf TO watchpost_auditor;
CREATE TRIGGER watchpost_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_leaf
    FOR EACH STATEMENT EXECUTE FUNCTION watchpost_append_only();
DELETE FROM schema_version WHERE version = 20261122000031;
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_is_there_goes_on_with_its_rights() {
    let Some(mut team) = Team::new().await else { return };
    let signer = Signer::from_seed(&[7; 32], "watchpost/owner").unwrap();
    team.world.store.set_signer(signer).await.unwrap();
    for _ in 0..5 {
        team.world.store.audit_append(draft("incident_take")).await.unwrap();
    }
    team.world.store.checkpoint_now("test").await.unwrap();
    team.owner.execute(BEFORE).await.unwrap();
    let before = team.world.store.audit_head().await.unwrap();

    let again = team.world.another().await;
    assert_eq!(again.audit_head().await.unwrap(), before, "nothing of it is another");
    assert_eq!(parts(&team.world).await, PARTS);
    assert_eq!(part_of(&team.world, 0).await, "audit_leaf_first");
    holds(&again).await;
    let seq = again.audit_append(draft("incident_note")).await.unwrap();
    assert!(seq >= before.size.cast_signed(), "it goes on");
    holds(&again).await;
    let auditor = connect(&team.target("auditor")).await;
    let mut people = [(auditor, "an auditor"), (connect(&team.target("viewer")).await, "a viewer")];
    for (person, who) in &mut people {
        let reads = refused(person, "SELECT 1 FROM audit_leaf").await;
        assert_eq!(reads.is_none(), *who == "an auditor", "{who} has the right that was there: {reads:?}");
    }
    for table in ["audit_leaf"].into_iter().chain(PARTS) {
        for sql in CHANGES.map(|change| change.replace("LOG", table)) {
            for (person, who) in &mut people {
                assert_eq!(refused(person, &sql).await.as_deref(), Some("42501"), "{who}: {sql}");
            }
            assert_eq!(
                refused(&mut team.owner, &sql).await.as_deref(),
                Some("42501"),
                "also the owner: {sql}"
            );
        }
    }
    let records = again.audit_page(&AuditFilter::default(), None, 100).await.unwrap();
    assert_eq!(records.iter().filter(|record| record.action == "incident_take").count(), 5);
}

/// Partitions of 40 records, so that a test comes to their ends.
const SMALL: &str = "
ALTER TABLE audit_leaf DETACH PARTITION audit_leaf_first;
DROP TABLE audit_leaf_from_1000000;
ALTER TABLE audit_leaf ATTACH PARTITION audit_leaf_first FOR VALUES FROM (MINVALUE) TO (40);
DO $$
BEGIN
    EXECUTE replace(pg_get_functiondef('watchpost_audit_partitions()'::regprocedure), ':= 1000000', ':= 40');
END
$$;
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_writers_cross_the_ends_of_partitions_without_a_gap() {
    let Some(world) = World::postgres().await else { return };
    let mut owner = connect(&world.target).await;
    owner.execute(SMALL).await.unwrap();
    let first = world.store.audit_head().await.unwrap().size.cast_signed();
    assert!(first < 40, "the first end is still ahead: {first}");
    let other = world.another().await;
    let mut writers = tokio::task::JoinSet::new();
    // One of them looks for room as it goes, the other one at times finds none and goes on all the same.
    for (store, makes_room) in [(world.store.clone(), true), (other, false)] {
        writers.spawn(async move {
            let mut written = Vec::new();
            for n in 0..100 {
                if makes_room && n % 10 == 0 {
                    store.audit_make_room().await.unwrap();
                }
                written.push(store.audit_append(draft("incident_take")).await.unwrap());
            }
            written
        });
    }
    let mut written = writers.join_all().await.concat();
    written.sort_unstable();
    let end = world.store.audit_head().await.unwrap().size.cast_signed();
    assert!(written.windows(2).all(|pair| pair[0] < pair[1]), "each number once");
    assert!(written.len() == 200 && end - first >= 200, "{first} to {end}");
    let sql =
        "SELECT COUNT(*), COUNT(DISTINCT seq), MIN(seq), MAX(seq), COUNT(DISTINCT tableoid) FROM audit_leaf";
    let row = owner.fetch_one(sql).await.unwrap();
    let (count, distinct): (i64, i64) = (row.get(0), row.get(1));
    assert_eq!((count, distinct), (end, end), "no gap, nothing twice");
    assert_eq!((row.get::<i64, _>(2), row.get::<i64, _>(3)), (0, end - 1));
    assert!(row.get::<i64, _>(4) >= 3, "in several partitions: {:?}", parts(&world).await);
    holds(&world.store).await;
}
