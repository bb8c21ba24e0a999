//! Places for checkpoints with something else in them than what the console wrote.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use watchpost_ops::contract::{AuditPlaces, AuditPlacesPut, AuditWebhook, Nothing};
use watchpost_ops::door::operation;
use watchpost_ops::error::ErrorCode;

use crate::door::{Desk, folder};
use crate::witness::{change, open, status, trust, verify};

async fn set(desk: &Desk, folders: Vec<String>) {
    let places = AuditPlaces { folders, redis: false, webhook: None };
    let put = AuditPlacesPut { places, reason: None };
    desk.ask::<operation::audit_places_put>(put).await.expect("places can be set");
}

/// A console whose only place is `share`, closed, and the newest checkpoint there.
async fn kept_in(home: &TempDir, share: &Path) -> PathBuf {
    let desk = open(home).await;
    set(&desk, vec![share.display().to_string()]).await;
    change(&desk, "One").await;
    desk.ask::<operation::audit_checkpoint>(Nothing {}).await.expect("it is signed");
    let newest = share.join(format!("watchpost-{}", trust(&desk).await.log)).join("newest.checkpoint");
    desk.console.close().await;
    assert!(newest.is_file());
    newest
}

fn pipe(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status().expect("coreutils");
    assert!(made.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pipe_in_the_place_of_a_checkpoint_is_told_and_nobody_waits_for_it() {
    let (home, share, other) = (folder(), folder(), folder());
    let newest = kept_in(&home, share.path()).await;
    std::fs::remove_file(&newest).expect("it is removed");
    pipe(&newest);

    let desk = open(&home).await;
    let told = trust(&desk).await;
    assert!(told.ok && told.signer.is_some(), "nothing is held against the log: {:?}", told.problem);
    let place = &told.places[0];
    assert!(!place.ok && place.detail.contains("no file") && place.detail.contains("remove it"), "{place:?}");
    assert!(status(&desk).await.detail.contains("newest.checkpoint is no file"));
    change(&desk, "The work goes on").await;
    desk.ask::<operation::audit_checkpoint>(Nothing {}).await.expect("it signs");
    let both = [&share, &other].map(|place| place.path().display().to_string());
    set(&desk, both.to_vec()).await;
    let told = trust(&desk).await;
    let fails = |place: &Path| {
        let name = place.display().to_string();
        told.places.iter().any(|told| told.name == name && !told.ok)
    };
    assert!(fails(share.path()) && !fails(other.path()), "{:?}", told.places);
    set(&desk, Vec::new()).await;
    assert!(trust(&desk).await.places.is_empty() && status(&desk).await.ok);
    desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_whose_signature_does_not_hold_is_told_and_counts_nothing_against_the_log() {
    let (home, share) = (folder(), folder());
    let newest = kept_in(&home, share.path()).await;
    let note = std::fs::read_to_string(&newest).expect("the newest checkpoint");
    let lines: Vec<&str> = note.lines().collect();
    let (size, root) = (format!("\n{}\n", lines[1]), lines[2]);
    let other_root = format!("{}{}", if root.starts_with('A') { 'B' } else { 'A' }, &root[1..]);
    let (text, _) = note.split_once("\n\n").expect("a note has a signature");
    for altered in [
        note.replace(&size, "\n9999\n"),
        note.replace(root, &other_root),
        format!("{text}\n\n"),
        format!("{text}\n\n").replace(&size, "\n9999\n"),
    ] {
        std::fs::write(&newest, &altered).expect("it is altered");
        let desk = open(&home).await;
        let told = status(&desk).await;
        assert!(!told.ok && told.detail.contains("newest.checkpoint is not signed"), "{told:?}");
        let found = verify(&desk).await;
        assert!(!found.ok && found.only_places_altered(), "{found:?}");
        // The check found it as well, and the log is not doubted for that.
        for told in [told, status(&desk).await] {
            assert!(!told.ok && told.detail.starts_with("the log itself holds: "), "{told:?}");
            let place = told.altered.expect("only a place was altered");
            for word in ["newest.checkpoint", "another place", "remove it", "audit verify"] {
                assert!(place.contains(word) && told.detail.contains(word), "{word}: {place}");
            }
        }
        let told = trust(&desk).await;
        assert!(told.ok && told.signer.is_some() && !told.places[0].ok, "the log is not doubted: {told:?}");
        change(&desk, "Two").await;
        let signed = desk.ask::<operation::audit_checkpoint>(Nothing {}).await.expect("it signs");
        assert!(signed.note != note);
        desk.console.close().await;
        assert_eq!(std::fs::read_to_string(&newest).expect("what is there"), altered, "it stays");
    }
    std::fs::remove_file(&newest).expect("it is removed");
    let desk = open(&home).await;
    desk.ask::<operation::audit_checkpoint>(Nothing {}).await.expect("it signs");
    assert!(newest.is_file() && verify(&desk).await.ok && status(&desk).await.ok);
    desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pipe_in_the_place_of_an_authority_is_told_and_nobody_waits_for_it() {
    let (home, share) = (folder(), folder());
    let file = share.path().join("ca.pem");
    pipe(&file);
    let put = || {
        let ca = Some(file.display().to_string());
        let webhook = Some(AuditWebhook { url: "https://127.0.0.1:1/".to_owned(), ca });
        AuditPlacesPut { places: AuditPlaces { webhook, ..AuditPlaces::default() }, reason: None }
    };
    let desk = open(&home).await;
    let refused = desk.ask::<operation::audit_places_put>(put()).await.expect_err("it is no file");
    assert_eq!(refused.code, ErrorCode::Validation);
    assert!(refused.message.contains("ca.pem: it is no file"), "{refused:?}");

    std::fs::remove_file(&file).expect("it is removed");
    std::fs::write(&file, "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n").expect("written");
    desk.ask::<operation::audit_places_put>(put()).await.expect("a service that is away is no error");
    std::fs::remove_file(&file).expect("it is removed");
    pipe(&file);
    change(&desk, "The work goes on").await;
    desk.ask::<operation::audit_checkpoint>(Nothing {}).await.expect("it signs");
    let told = trust(&desk).await;
    let place = &told.places[0];
    assert!(told.ok && !place.ok && place.detail.contains("it is no file"), "{place:?}");
    assert!(place.detail.contains("NOT taken on"), "{place:?}");
    assert!(place.detail.ends_with("it never took one"), "{place:?}");
    desk.console.close().await;
}

/// As the place of a log that was rolled back to before its newest key has it: nobody can tell the two apart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_by_an_unknown_key_is_a_doubt_until_it_is_removed() {
    let (home, share) = (folder(), folder());
    let newest = kept_in(&home, share.path()).await;
    let note = std::fs::read_to_string(&newest).expect("the newest checkpoint");
    let size = note.lines().nth(1).expect("a note has a size");
    let by = note.lines().last().and_then(|line| line.split(' ').nth(1)).expect("a note has a signature");
    let strange = note.replace(&format!("\n{size}\n"), "\n9999\n").replace(by, "watchpost/stranger");
    std::fs::write(&newest, &strange).expect("it is altered");
    let desk = open(&home).await;
    let told = status(&desk).await;
    assert!(!told.ok && told.detail.contains("does not know its key \"watchpost/stranger\""), "{told:?}");
    assert!(told.detail.contains("remove it") && told.altered.is_none(), "the log is doubted: {told:?}");
    let refused = desk.ask::<operation::audit_checkpoint>(Nothing {}).await.expect_err("it may be true");
    assert!(refused.message.contains("watchpost/stranger"), "{refused:?}");
    desk.console.close().await;

    std::fs::remove_file(&newest).expect("it is removed");
    let desk = open(&home).await;
    desk.ask::<operation::audit_checkpoint>(Nothing {}).await.expect("it signs again");
    assert!(newest.is_file() && verify(&desk).await.ok && status(&desk).await.ok);
    desk.console.close().await;
}
