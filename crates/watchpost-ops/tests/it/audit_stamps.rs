//! Time stamps of checkpoints by file, made by openssl as an authority, and the tiles of an export.

use std::path::Path;
use std::process::Command;

use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{AuditExport, AuditTimestampKeep, AuditTimestampRequest, AuditVerify, Nothing};
use watchpost_ops::door::operation;
use watchpost_ops::error::ErrorCode;

use crate::audit_export::{change, copy, natively, said, script, sum};
use crate::door::{Desk, desk, folder};

/// An authority for one test.
const AUTHORITY: &str = "\
[req]\ndistinguished_name=dn\nprompt=no\nx509_extensions=ext\n[dn]\nCN=Test TSA\n\
[ext]\nextendedKeyUsage=critical,timeStamping\nbasicConstraints=CA:TRUE\n\
[tsa]\ndefault_tsa=t\n[t]\nserial=./serial\nsigner_digest=sha256\ndefault_policy=1.2.3.4\ndigests=sha256\n\
accuracy=secs:1\nordering=no\ntsa_name=yes\n";

fn openssl(dir: &Path, arguments: &str) {
    let output = Command::new("openssl").current_dir(dir).args(arguments.split(' ')).output();
    let output = output.expect("openssl is installed");
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// What an authority answers to `request`; its certificate is `ca.pem`.
fn answer(dir: &Path, request: &[u8]) -> Vec<u8> {
    if !dir.join("ca.pem").exists() {
        std::fs::write(dir.join("tsa.cnf"), AUTHORITY).expect("the folder can be written");
        std::fs::write(dir.join("serial"), "01\n").expect("the folder can be written");
        openssl(dir, "req -x509 -newkey rsa:2048 -nodes -days 2 -config tsa.cnf -keyout key.pem -out ca.pem");
    }
    std::fs::write(dir.join("asked.tsq"), request).expect("the folder can be written");
    openssl(
        dir,
        "ts -reply -config tsa.cnf -queryfile asked.tsq -signer ca.pem -inkey key.pem -out answer.tsr",
    );
    std::fs::read(dir.join("answer.tsr")).expect("the folder can be written")
}

async fn keep(desk: &Desk, response: &[u8]) -> Result<(), ErrorCode> {
    let request = AuditTimestampKeep { response: hex::encode(response) };
    desk.ask::<operation::audit_timestamp_keep>(request).await.map(drop).map_err(|error| error.code)
}

async fn request(desk: &Desk) -> AuditTimestampRequest {
    desk.ask::<operation::audit_timestamp_request>(Nothing {}).await.expect("a request can be made")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_is_stamped_by_file_and_its_export_holds_for_openssl() {
    let (home, out, authority, other) = (folder(), folder(), folder(), folder());
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    change(&desk, "Before").await;
    let asked = request(&desk).await;
    let response = answer(authority.path(), &hex::decode(&asked.request).unwrap());
    change(&desk, "Meanwhile").await;
    desk.ask::<operation::audit_checkpoint>(Nothing {}).await.unwrap();

    assert_eq!(keep(&desk, b"no answer").await, Err(ErrorCode::Validation));
    assert_eq!(keep(&desk, &response[..response.len() - 1]).await, Err(ErrorCode::Validation), "cut");
    let mut strange = hex::decode(&asked.request).unwrap();
    strange[30] ^= 1;
    let strange = answer(other.path(), &strange);
    assert_eq!(keep(&desk, &strange).await, Err(ErrorCode::NotFound), "of something else");
    assert_eq!(keep(&desk, &response).await, Ok(()));
    assert_eq!(keep(&desk, &response).await, Err(ErrorCode::Conflict), "twice");

    let trust = desk.ask::<operation::audit_trust>(Nothing {}).await.unwrap();
    let stamp = trust.stamp.expect("it is told");
    assert_eq!((stamp.size, stamp.authority.as_deref()), (asked.size, Some("Test TSA")));
    let checked = desk.ask::<operation::audit_verify>(AuditVerify::default()).await.unwrap();
    assert!(checked.ok && checked.stamp == Some(stamp), "{:?}", checked.problems);

    let bundle = out.path().join("bundle");
    let export = AuditExport { directory: bundle.display().to_string(), ..AuditExport::default() };
    let exported = desk.ask::<operation::audit_export>(export).await.unwrap();
    assert_eq!(std::fs::read(bundle.join("timestamp.tsr")).unwrap(), response);
    assert_eq!(std::fs::read(bundle.join("timestamp.tsq")).unwrap(), hex::decode(&asked.request).unwrap());
    let ca = authority.path().join("ca.pem").display().to_string();
    let held = script(&bundle, &["--key", &exported.key, "--tsa", &ca]);
    assert!(held.status.success() && said(&held).contains("holds (checked by openssl)"), "{}", said(&held));
    let blind = script(&bundle, &["--key", &exported.key]);
    assert!(blind.status.success() && said(&blind).contains("was not checked"), "{}", said(&blind));
    let stranger = other.path().join("ca.pem").display().to_string();
    let found = script(&bundle, &["--key", &exported.key, "--tsa", &stranger]);
    assert_eq!(found.status.code(), Some(1), "another authority: {}", said(&found));

    let copied = copy(&bundle, out.path());
    std::fs::write(copied.join("timestamp.tsr"), &strange).unwrap();
    sum(&copied);
    let found = script(&copied, &["--key", &exported.key]);
    assert_eq!(found.status.code(), Some(1), "the answer to something else: {}", said(&found));
    desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_answer_displaces_no_good_one() {
    let (home, out, authority) = (folder(), folder(), folder());
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    change(&desk, "Before").await;
    let (first, second) = (request(&desk).await, request(&desk).await);
    let good = answer(authority.path(), &hex::decode(&first.request).unwrap());
    let mut broken = answer(authority.path(), &hex::decode(&second.request).unwrap());
    let mut same = good.clone();
    // The signature stands last.
    for bytes in [&mut broken, &mut same] {
        *bytes.last_mut().unwrap() ^= 1;
    }
    assert_eq!(keep(&desk, &good).await, Ok(()));
    assert_eq!(keep(&desk, &same).await, Err(ErrorCode::Conflict), "the same one with another signature");
    assert_eq!(keep(&desk, &broken).await, Ok(()), "who signed is not looked at here");

    let bundle = out.path().join("bundle");
    let export = AuditExport { directory: bundle.display().to_string(), ..AuditExport::default() };
    let exported = desk.ask::<operation::audit_export>(export).await.unwrap();
    let names = ["timestamp", "timestamp-2"];
    let is_good = |name: &&str| std::fs::read(bundle.join(format!("{name}.tsr"))).unwrap() == good;
    let (of_good, of_broken): (Vec<&str>, Vec<&str>) = names.into_iter().partition(is_good);
    assert_eq!((of_good.len(), of_broken.len()), (1, 1));
    let ca = authority.path().join("ca.pem").display().to_string();
    let held = script(&bundle, &["--key", &exported.key, "--tsa", &ca]);
    let told = said(&held);
    assert!(held.status.success() && told.contains("holds (checked by openssl)"), "{told}");
    assert!(told.contains(&format!("{}.tsr is no time stamp of this authority", of_broken[0])), "{told}");

    let copied = copy(&bundle, out.path());
    for kind in ["note", "tsq", "tsr"] {
        let from = copied.join(format!("{}.{kind}", of_broken[0]));
        std::fs::copy(from, copied.join(format!("{}.{kind}", of_good[0]))).unwrap();
    }
    sum(&copied);
    let found = script(&copied, &["--key", &exported.key, "--tsa", &ca]);
    assert_eq!(found.status.code(), Some(1), "no good one: {}", said(&found));
    desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tiles_of_an_export_are_checked() {
    let (home, out) = (folder(), folder());
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    for n in 0..130 {
        change(&desk, &format!("Organisation {n}")).await;
        change(&desk, "Another").await;
    }
    let bundle = out.path().join("bundle");
    let export = AuditExport { directory: bundle.display().to_string(), ..AuditExport::default() };
    let exported = desk.ask::<operation::audit_export>(export).await.unwrap();
    let (full, rest) = (exported.size / 256, exported.size % 256);
    assert!(full > 0 && rest > 0, "{exported:?}");
    let (rest, above) = (format!("tile/0/{full:03}.p/{rest}"), format!("tile/1/000.p/{full}"));
    for path in ["tile/0/000", rest.as_str(), above.as_str()] {
        let good = std::fs::read(bundle.join(path)).expect("the tile is there");
        let copied = copy(&bundle, out.path());
        let mut bad = good.clone();
        bad[7] ^= 1;
        std::fs::write(copied.join(path), &bad).unwrap();
        sum(&copied);
        let found = script(&copied, &["--key", &exported.key, "--leaves-only"]);
        assert!(found.status.code() == Some(1) && said(&found).contains(path), "{path}: {}", said(&found));
        let found = natively(&copied, &exported.key).unwrap_or_default();
        assert!(found.contains(path), "{path}: {found}");
    }
    let held = script(&bundle, &["--key", &exported.key, "--leaves-only"]);
    assert!(
        held.status.success() && said(&held).contains(&format!("and {} tiles", full + 2)),
        "{}",
        said(&held)
    );
    desk.console.close().await;
}
