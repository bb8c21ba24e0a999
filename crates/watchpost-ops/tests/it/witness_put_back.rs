//! The true log, put back after another one was in its place for a while.

use watchpost_ops::contract::{AuditPlaces, AuditPlacesPut, Nothing};
use watchpost_ops::door::operation;

use crate::door::folder;
use crate::witness::{change, open, put_back, save, status, trust, verify};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_fork_confirmed_is_not_held_against_the_true_log() {
    let (home, fork, own) = (folder(), folder(), folder());
    let desk = open(&home).await;
    change(&desk, "One").await;
    desk.console.close().await;
    save(&home, &fork);
    let desk = open(&home).await;
    change(&desk, "Two").await;
    desk.console.close().await;
    save(&home, &own);

    put_back(&home, &fork);
    for n in 0..12 {
        let desk = open(&home).await;
        assert!(!status(&desk).await.ok, "the fork is found before change {n}");
        change(&desk, &format!("Other {n}")).await;
        desk.console.close().await;
    }
    let desk = open(&home).await;
    let told = status(&desk).await;
    assert!(!told.ok && told.detail.contains("was rewritten somewhere before record"), "{told:?}");
    desk.console.close().await;

    put_back(&home, &own);
    let desk = open(&home).await;
    let told = status(&desk).await;
    assert!(told.ok, "{told:?}");
    let found = verify(&desk).await;
    assert!(found.ok, "{:?}", found.problems);
    desk.ask::<operation::audit_checkpoint>(Nothing {}).await.expect("it signs again");
    desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_place_is_well_while_the_log_is_doubted() {
    let (home, fork, share) = (folder(), folder(), folder());
    let desk = open(&home).await;
    let folders = vec![share.path().display().to_string()];
    let places = AuditPlaces { folders, redis: false, webhook: None };
    let put = AuditPlacesPut { places, reason: None };
    desk.ask::<operation::audit_places_put>(put).await.expect("a folder can be used");
    desk.console.close().await;
    save(&home, &fork);
    let desk = open(&home).await;
    change(&desk, "Two").await;
    desk.console.close().await;

    put_back(&home, &fork);
    let desk = open(&home).await;
    let told = trust(&desk).await;
    let place = &told.places[0];
    assert!(!told.ok && !place.ok && place.size.is_some(), "{told:?}");
    assert!(place.detail.contains("rolled back"), "it has a newer one: {place:?}");
    desk.console.close().await;

    std::fs::remove_dir_all(share.path().join(format!("watchpost-{}", told.log))).expect("it is removed");
    let desk = open(&home).await;
    let told = trust(&desk).await;
    let place = &told.places[0];
    assert!(!place.ok && place.detail.contains("while the log is doubted"), "{place:?}");
    desk.console.close().await;
}
