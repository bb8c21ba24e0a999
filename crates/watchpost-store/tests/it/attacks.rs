//! Attacks on the trail that need many tries, or an unusual world.

use std::sync::Arc;

use chrono::Duration;
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};
use watchpost_model::audit::{AuditFilter, AuditVerification, Change};
use watchpost_model::clock::ManualClock;
use watchpost_store::{DatabaseTarget, Signer, Store, VerifyPlan};

use crate::support::{World, both, caller, draft};

both!(a_clock_that_steps_back_breaks_nothing, fields_may_hold_anything);

async fn verify(store: &Store) -> Option<AuditVerification> {
    // What cannot even be read is no good trail either.
    store.audit_verify(&caller("auditor"), VerifyPlan::default(), &|_, _| true).await.ok()
}

/// Every byte of everything that stands for one record, its name, its key, the checkpoint and the head: one bit of each,
/// a different one from byte to byte.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flipped_bit_is_found_wherever_it_is() {
    const PLACES: [(&str, &str, &str); 15] = [
        ("audit_leaf", "leaf", "seq = 1"),
        ("audit_leaf", "hash", "seq = 1"),
        ("audit_payload", "nonce", "seq = 1"),
        ("audit_payload", "sealed", "seq = 1"),
        ("audit_payload", "key_id", "seq = 1"),
        ("audit_record", "actor", "seq = 1"),
        ("audit_record", "action", "seq = 1"),
        ("audit_record", "object", "seq = 1"),
        ("audit_record", "permission", "seq = 1"),
        ("audit_record", "search", "seq = 1"),
        (
            "subject_key",
            "secret",
            "subject = (SELECT id FROM audit_name WHERE kind = 'actor' AND name = 'dana')",
        ),
        ("audit_head", "frontier", "id = 1"),
        ("audit_checkpoint", "root", "size = 3"),
        ("audit_checkpoint", "note", "size = 3"),
        ("audit_checkpoint", "key_name", "size = 3"),
    ];
    let world = World::sqlite().await;
    world.store.set_signer(Signer::from_seed(&[5; 32], "watchpost/desk").unwrap()).await.unwrap();
    // A key, its checkpoint's record (both of the trail itself), then the record that is attacked.
    let seq = world.store.audit_append(draft("incident_take")).await.unwrap();
    let signed = world.store.checkpoint_now("test").await.unwrap().size;
    world.store.close().await;
    let DatabaseTarget::Sqlite { path } = &world.target else { panic!("it is a file") };
    let good = std::fs::read(path).unwrap();
    let mut places = tokio::task::JoinSet::new();
    for (table, column, key) in PLACES {
        let key =
            key.replace("seq = 1", &format!("seq = {seq}")).replace("size = 3", &format!("size = {signed}"));
        places.spawn(flip_all(good.clone(), world.clock.clone(), table, column, key));
    }
    let flipped: u32 = places.join_all().await.into_iter().sum();
    assert!(flipped > 900, "{flipped} bits were flipped");
}

/// Flips a bit of every byte of one value, in a copy of a database; how many were flipped.
async fn flip_all(
    good: Vec<u8>,
    clock: Arc<ManualClock>,
    table: &'static str,
    column: &'static str,
    key: String,
) -> u32 {
    // A check that fails is recorded: every place begins with the log as it was.
    let scratch = tempfile::tempdir().unwrap();
    let copy = scratch.path().join("watchpost.db");
    std::fs::write(&copy, &good).unwrap();
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(&copy)
        .foreign_keys(false)
        .synchronous(sqlx::sqlite::SqliteSynchronous::Off);
    let store = Store::open(&DatabaseTarget::Sqlite { path: copy }, clock).await.unwrap();
    assert!(verify(&store).await.is_some_and(|found| found.ok), "before it is attacked");
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let sql = format!("SELECT hex({column}), typeof({column}) FROM {table} WHERE {key}");
    let row = sqlx::query(AssertSqlSafe(sql)).fetch_one(&mut connection).await.unwrap();
    let (bytes, kind): (String, String) = (row.get(0), row.get(1));
    let bytes = hex(&bytes);
    assert!(!bytes.is_empty(), "{table}.{column}");
    let update = |bytes: &[u8]| {
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        AssertSqlSafe(format!("UPDATE {table} SET {column} = CAST(x'{text}' AS {kind}) WHERE {key}"))
    };
    let mut n = 0;
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 8);
        sqlx::query(update(&flipped)).execute(&mut connection).await.unwrap();
        let found = verify(&store).await;
        assert!(!found.is_some_and(|found| found.ok), "{table}.{column}: bit {} of byte {at}", at % 8);
        n += 1;
        if table == "audit_head" {
            // The record of the check that failed went on from what was altered; it cannot be put back.
            break;
        }
        sqlx::query(update(&bytes)).execute(&mut connection).await.unwrap();
    }
    if table != "audit_head" {
        assert!(verify(&store).await.is_some_and(|found| found.ok), "{table}.{column} is as it was");
    }
    connection.close().await.unwrap();
    store.close().await;
    n
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
}

async fn a_clock_that_steps_back_breaks_nothing(world: World) {
    world.store.set_signer(Signer::from_seed(&[5; 32], "watchpost/desk").unwrap()).await.unwrap();
    for step in [3_600, -7_200, 60, -86_400] {
        world.clock.advance(Duration::seconds(step));
        let mut record = draft("incident_take");
        record.at = world.now();
        world.store.audit_append(record).await.unwrap();
        world.store.checkpoint_now("test").await.unwrap();
    }
    let found = verify(&world.store).await.unwrap();
    assert!(found.ok, "{:?}", found.problems);
    // A server writes its own time.
    let told: Vec<bool> =
        found.warnings.iter().map(|told| told.contains("is of") && told.contains("25 hours")).collect();
    assert_eq!(told, if world.is_postgres() { vec![] } else { vec![true] }, "{:?}", found.warnings);
    let page = world.store.audit_page(&AuditFilter::default(), None, 100).await.unwrap();
    let numbers: Vec<i64> = page.iter().map(|record| record.seq).collect();
    assert!(
        numbers.windows(2).all(|pair| pair[0] == pair[1] + 1),
        "the order is that of the log: {numbers:?}"
    );
}

/// CWE-117: what attackers write must not forge records, nor break a check or an export.
async fn fields_may_hold_anything(world: World) {
    let hostile = [
        "\u{feff}bom",
        "a\r\nb",
        "a\nb",
        "tab\t",
        "\u{1b}[31m",
        "\u{202e}rtl",
        "\u{2028}\u{2029}",
        "\"}\\",
        "\u{1f980}",
        "",
        "' OR 1=1 --",
        "%s%n",
        "\u{7f}\u{1}\u{b}",
    ];
    for text in hostile {
        let mut record = draft("incident_note");
        record.object = text.to_owned();
        record.reason = Some(text.to_owned());
        record.caller = caller(text);
        record.changes = vec![Change::new(text, text, serde_json::json!([text]))];
        let seq = world.store.audit_append(record.clone()).await.unwrap();
        let (back, leaf) = world.store.audit_record(seq).await.unwrap();
        assert_eq!((back.reason, back.changes), (record.reason, record.changes), "{text:?}");
        assert_eq!(leaf.lines().count(), 1, "{text:?}");
        let exported = world.store.audit_export_page(seq, seq + 1).await.unwrap();
        let payload = exported[0].sealed.as_ref().and_then(|sealed| sealed.opened.clone()).unwrap().1;
        assert!(!payload.contains('\n'), "{text:?} is one line");
    }
    let found = verify(&world.store).await.unwrap();
    assert!(found.ok, "{:?}", found.problems);
}
