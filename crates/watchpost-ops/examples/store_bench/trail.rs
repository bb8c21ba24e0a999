//! The audit trail: appending by one and by several at once, and verifying all of it.

use std::path::Path;
use std::time::Instant;

use sha2::{Digest, Sha256};
use tokio::task::JoinSet;
use watchpost_model::access::{Caller, Origin, Permission, Role};
use watchpost_model::audit::{AuditDraft, AuditOutcome, Change};
use watchpost_store::{BundleDepth, Signer, Store, Tiles, VerifyPlan, check_bundle};

use crate::shell::Shell;
use crate::{Failure, Figure, fill, rates};

const WRITERS: u32 = 8;
/// Records of each of them.
const EACH: u32 = 500;
/// Records read at once for a bundle.
const PAGE: i64 = 1_000;
/// How often a bundle is checked: once is over before the clock of computing has moved far.
const ROUNDS: u32 = 10;
/// Records that one writer appends at the least, and transactions of the shell.
const ALONE: u32 = 1_000;

/// Brings the trail to so many records. `scratch` is for the shell's own file.
pub(crate) async fn measure(store: &Store, records: u32, scratch: &Path) -> Result<(), Failure> {
    store.set_signer(Signer::session()).await?;
    let there = u32::try_from(store.audit_head().await?.size)?;
    let alone = records.saturating_sub(there + WRITERS * EACH).max(ALONE);
    let begun = Instant::now();
    for n in 0..alone {
        store.audit_append(draft(n)?).await?;
    }
    let one = f64::from(alone) / begun.elapsed().as_secs_f64();
    let shell = transactions_by_shell(&scratch.join("rows.db"))?;
    let appended = |what: String, rate: f64| Figure {
        what,
        demanded: "-",
        measured: format!("{rate:.0}/s"),
        shell: shell.map(|shell| rates(rate, shell)),
    };
    appended(format!("audit, one writer appends {alone}"), one).say()?;

    let begun = Instant::now();
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let store = store.clone();
        writers.spawn(async move {
            for n in 0..EACH {
                store.audit_append(draft(writer * EACH + n)?).await?;
            }
            Ok::<(), Failure>(())
        });
    }
    while let Some(ended) = writers.join_next().await {
        ended??;
    }
    let together = f64::from(WRITERS * EACH) / begun.elapsed().as_secs_f64();
    appended(format!("audit, {WRITERS} writers append {EACH} each"), together).say()?;
    verify(store).await?;
    let folder = scratch.join("bundle");
    bundle(store, &folder).await?;
    for depth in [BundleDepth::Leaves, BundleDepth::Whole] {
        verify_bundle(&folder, depth)?;
    }
    Ok(())
}

/// Writes what `watchpost audit export` does.
async fn bundle(store: &Store, folder: &Path) -> Result<(), Failure> {
    let checkpoint = store.checkpoint_now("bench").await?;
    let key = store.audit_key_of(&checkpoint).await?;
    let (mut hashes, mut tiles, mut made) = (String::new(), Tiles::default(), Vec::new());
    let (mut leaves, mut records) = (String::new(), String::new());
    let mut at = 0;
    while at < checkpoint.size {
        let to = checkpoint.size.min(at + PAGE);
        for hash in store.audit_export_hashes(at, to).await? {
            hashes.extend([hex::encode(hash).as_str(), "\n"]);
            made.extend(tiles.push(hash));
        }
        for record in store.audit_export_page(at, to).await? {
            leaves.extend([record.leaf.as_str(), "\n"]);
            records.extend([record.to_line().as_str(), "\n"]);
        }
        at = to;
    }
    made.extend(tiles.rest());
    let mut files = vec![
        ("checkpoint".to_owned(), checkpoint.note.into_bytes()),
        ("log.vkey".to_owned(), key.vkey.into_bytes()),
        ("hashes".to_owned(), hashes.into_bytes()),
        ("leaves.jsonl".to_owned(), leaves.into_bytes()),
        ("records.jsonl".to_owned(), records.into_bytes()),
    ];
    files.extend(made.into_iter().map(|tile| (tile.path, tile.hashes)));
    let mut sums = String::new();
    for (name, content) in &files {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
        std::fs::write(path, content)?;
        sums.extend([hex::encode(Sha256::digest(content)).as_str(), "  ", name, "\n"]);
    }
    Ok(std::fs::write(folder.join("SHA256SUMS"), sums)?)
}

fn verify_bundle(folder: &Path, depth: BundleDepth) -> Result<(), Failure> {
    let (begun, before) = (Instant::now(), computed());
    let mut records = 0.0;
    for _ in 0..ROUNDS {
        records += check_bundle(folder, None, depth, &|_, _| true)?.records as f64;
    }
    let (seconds, computing) = (begun.elapsed().as_secs_f64(), computed() - before);
    let (what, demanded) = match depth {
        BundleDepth::Leaves => ("audit verify --bundle --leaves-only", ">= 1,000,000"),
        BundleDepth::Whole => ("audit verify --bundle, opened, with sums", "-"),
    };
    for (what, demanded, rate) in [
        (what, "-", records / seconds),
        ("the same, by a second of computing of a core", demanded, records / computing),
    ] {
        Figure { what: what.to_owned(), demanded, measured: format!("{rate:.0}/s"), shell: None }.say()?;
    }
    Ok(())
}

async fn verify(store: &Store) -> Result<(), Failure> {
    let (begun, before) = (Instant::now(), computed());
    let verification = store.audit_verify(&caller(), VerifyPlan::default(), &|_, _| true).await?;
    let (seconds, computing) = (begun.elapsed().as_secs_f64(), computed() - before);
    if !verification.ok {
        return Err(format!("the trail does not hold: {}", verification.problems.join("; ")).into());
    }
    let leaves = verification.leaves as f64;
    Figure {
        what: format!("audit verify, all of {} records", verification.leaves),
        demanded: "-",
        measured: format!("{:.0}/s", leaves / seconds),
        shell: None,
    }
    .say()?;
    Figure {
        what: "the same, by a second of computing of a core".to_owned(),
        demanded: "-",
        measured: format!("{:.0}/s", leaves / computing),
        shell: None,
    }
    .say()
}

/// Durable transactions of one row each: what appending can at best be on this disk.
fn transactions_by_shell(file: &Path) -> Result<Option<f64>, Failure> {
    let Some(mut shell) = Shell::open(file)? else { return Ok(None) };
    shell.run("CREATE TABLE leaf (seq INTEGER PRIMARY KEY, leaf BLOB NOT NULL, hash BLOB NOT NULL);")?;
    let inserts: Vec<String> = (0..ALONE)
        .map(|n| format!("INSERT INTO leaf VALUES ({n}, randomblob(600), randomblob(32));"))
        .collect();
    Ok(Some(f64::from(ALONE) / shell.run(&inserts.join("\n"))?))
}

/// Seconds that this process has computed.
fn computed() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let tail = stat.rsplit_once(')').map_or("", |(_, tail)| tail);
    // A hundredth of a second each: of the process in user mode, and in the kernel for it.
    let ticks: f64 = tail.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<f64>().ok()).sum();
    ticks / 100.0
}

fn caller() -> Caller {
    Caller { name: "bench".to_owned(), role: Role::Admin, origin: Origin::Cli, host: "bench".to_owned() }
}

fn draft(n: u32) -> Result<AuditDraft, Failure> {
    let caller = Caller { name: format!("analyst{}", n % 7), ..caller() };
    Ok(AuditDraft {
        caller,
        action: "incident_take".to_owned(),
        object: format!("incident/{n}"),
        permission: Permission::Triage,
        outcome: AuditOutcome::Success,
        changes: vec![Change::new("status", "new", "investigating")],
        reason: Some("as the playbook says".to_owned()),
        at: fill::period()?.to,
        risk: 10,
    })
}
