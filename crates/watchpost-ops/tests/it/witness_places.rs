//! Places for checkpoints with something else in them than what the console wrote.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use watchpost_ops::contract::{AuditPlaces, AuditPlacesPut, Nothing};
use watchpost_ops::door::operation;

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pipe_in_the_place_of_a_checkpoint_is_told_and_nobody_waits_for_it() {
    let (home, share, other) = (folder(), folder(), folder());
    let newest = kept_in(&home, share.path()).await;
    std::fs::remove_file(&newest).expect("it is removed");
    let made = std::process::Command::new("mkfifo").arg(&newest).status().expect("coreutils");
    assert!(made.success());

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
