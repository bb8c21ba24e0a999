//! Every bit of a small log, flipped: 768 records (three tiles of 256), their leaves, hashes and sealed payloads, the
//! frontier of the head and the newest checkpoint. In memory, with the functions that a check of the database uses.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use watchpost_model::clock::SystemClock;

use super::by_itself;
use crate::audit::leaf::Leaf;
use crate::audit::own_draft;
use crate::audit::seal::Sealed;
use crate::audit::sign::{Signer, VerifierKey};
use crate::audit::tree::{Frontier, Hash, leaf_hash, node_hash};
use crate::engine::args;
use crate::store::Store;
use crate::target::DatabaseTarget;

const RECORDS: usize = 768;

struct Record {
    leaf: Vec<u8>,
    hash: Vec<u8>,
    sealed: Sealed,
}

struct Log {
    id: String,
    records: Vec<Record>,
    frontier: Vec<u8>,
    root: Hash,
    note: String,
}

/// A log as a store writes it.
async fn log(signer: &Signer) -> Log {
    let folder = tempfile::tempdir().unwrap();
    let target = DatabaseTarget::Sqlite { path: folder.path().join("watchpost.db") };
    let store = Store::open(&target, Arc::new(SystemClock)).await.unwrap();
    let mut write = store.write().await.unwrap();
    for n in 0..RECORDS {
        write.audit(own_draft("incident_take", &format!("record {n}"), chrono::DateTime::UNIX_EPOCH));
    }
    store.commit(write).await.unwrap();
    let mut tx = store.read().await.unwrap();
    let sql = "SELECT l.leaf, l.hash, p.nonce, p.sealed FROM audit_leaf l JOIN audit_payload p ON p.seq = l.seq \
        ORDER BY l.seq";
    let rows = tx.fetch(sql, args![]).await.unwrap();
    let record = |row: &crate::engine::Row| Record {
        leaf: row.blob(0).unwrap(),
        hash: row.blob(1).unwrap(),
        sealed: Sealed { nonce: row.blob(2).unwrap(), ciphertext: row.blob(3).unwrap() },
    };
    let records: Vec<Record> = rows.iter().map(record).collect();
    let head = tx.fetch_one("SELECT frontier, size, log_id FROM audit_head", args![]).await.unwrap();
    let frontier = head.blob(0).unwrap();
    let root = Frontier::from_bytes(head.i64(1).unwrap(), &frontier).unwrap().root();
    let id = head.text(2).unwrap();
    let note = signer.sign_note(&crate::audit::checkpoint::note_text(
        &id,
        i64::try_from(RECORDS).unwrap(),
        &STANDARD.encode(root),
    ));
    drop(tx);
    store.close().await;
    Log { id, records, frontier, root, note }
}

/// Calls `found` with every bit of `bytes` flipped, one at a time; how many there were.
fn each_bit(bytes: &[u8], mut found: impl FnMut(&[u8]) -> bool) -> usize {
    let mut copy = bytes.to_vec();
    for bit in 0..bytes.len() * 8 {
        copy[bit / 8] ^= 1 << (bit % 8);
        assert!(found(&copy), "bit {} of byte {}", bit % 8, bit / 8);
        copy[bit / 8] ^= 1 << (bit % 8);
    }
    bytes.len() * 8
}

/// The nodes of a complete tree over `hashes`, level by level; 768 is three complete trees of 256.
fn levels(hashes: &[Hash]) -> Vec<Vec<Hash>> {
    let mut levels = vec![hashes.to_vec()];
    while levels.last().is_some_and(|level| level.len() > 1) {
        let above = levels[levels.len() - 1].chunks(2).map(|pair| node_hash(&pair[0], &pair[1])).collect();
        levels.push(above);
    }
    levels
}

/// The root of the log if leaf `at` had the hash `new`.
fn root_with(tiles: &[Vec<Vec<Hash>>], at: usize, new: Hash) -> Hash {
    let (tile, mut place, mut node) = (at / 256, at % 256, new);
    for level in &tiles[tile][..8] {
        let other = &level[place ^ 1];
        node = if place & 1 == 0 { node_hash(&node, other) } else { node_hash(other, &node) };
        place /= 2;
    }
    let root_of = |n: usize| if n == tile { node } else { tiles[n][8][0] };
    node_hash(&node_hash(&root_of(0), &root_of(1)), &root_of(2))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_bit_of_a_log_of_three_tiles_counts() {
    let signer = Signer::from_seed(&[5; 32], "watchpost/desk").unwrap();
    let log = Arc::new(log(&signer).await);
    assert_eq!(log.records.len(), RECORDS);
    let hashes: Vec<Hash> =
        log.records.iter().map(|record| record.hash.as_slice().try_into().unwrap()).collect();
    let tiles: Arc<Vec<_>> = Arc::new(hashes.chunks(256).map(levels).collect());
    for (at, hash) in hashes.iter().enumerate() {
        assert_eq!(root_with(&tiles, at, *hash), log.root, "record {at}, not flipped");
    }

    let mut parts = tokio::task::JoinSet::new();
    for part in 0..4 {
        let (log, tiles) = (log.clone(), tiles.clone());
        parts.spawn_blocking(move || {
            let mut n = 0;
            for (at, record) in log.records.iter().enumerate().skip(part * RECORDS / 4).take(RECORDS / 4) {
                let seq = i64::try_from(at).unwrap();
                let leaf = Leaf::parse(&record.leaf).unwrap();
                let good = by_itself(seq, &record.leaf, &record.hash, Some(&leaf), &log.id);
                assert_eq!(good.problems, Vec::<String>::new(), "record {at}, not flipped");
                // The leaf no longer has its hash; were the hash altered with it, the root would be another one: the next.
                n += each_bit(&record.leaf, |bytes| leaf_hash(bytes).as_slice() != record.hash);
                n += each_bit(&record.hash, |bytes| {
                    let told = by_itself(seq, &record.leaf, bytes, Some(&leaf), &log.id);
                    let root = root_with(&tiles, at, bytes.try_into().unwrap());
                    !told.problems.is_empty() && root != log.root
                });
                let sealed = [record.sealed.nonce.clone(), record.sealed.ciphertext.clone()];
                for (which, bytes) in sealed.iter().enumerate() {
                    n += each_bit(bytes, |bytes| {
                        let mut altered = record.sealed.clone();
                        *(if which == 0 { &mut altered.nonce } else { &mut altered.ciphertext }) =
                            bytes.to_vec();
                        altered.commitment() != leaf.client.commitment
                    });
                }
            }
            n
        });
    }
    let mut flipped: usize = parts.join_all().await.into_iter().sum();

    let size = i64::try_from(RECORDS).unwrap();
    flipped += each_bit(&log.frontier, |bytes| {
        Frontier::from_bytes(size, bytes).map_or(true, |frontier| frontier.root() != log.root)
    });
    let key = VerifierKey::parse(&signer.vkey()).unwrap();
    let text = key.open(&log.note).unwrap().to_owned();
    flipped += each_bit(log.note.as_bytes(), |bytes| {
        let Ok(note) = std::str::from_utf8(bytes) else { return true };
        key.open(note) != Some(text.as_str())
    });
    assert!(flipped > 4_000_000, "{flipped} bits");
}
