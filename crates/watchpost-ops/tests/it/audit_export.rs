//! What is exported of the trail holds without Watchpost: a shell, `sha256sum`, `openssl` and Python's standard library
//! check it, and find every change.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use watchpost_model::audit::AuditFilter;
use watchpost_model::privacy::SubjectKind;
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{
    AuditExport, AuditExported, AuditPageRequest, AuditRef, AuditStatisticsRequest, Nothing, PrivacyErase,
    SettingsChange,
};
use watchpost_ops::door::operation;
use watchpost_ops::error::ErrorCode;
use watchpost_ops::{BundleDepth, BundleProblem, check_bundle};

use crate::door::{Desk, desk, folder};

/// The commands of `VERIFY.md`, word for word but for their order.
const BY_HAND: &str = r#"
set -e
cd "$1"
sha256sum --quiet -c SHA256SUMS
sed '/^$/,$d' checkpoint > "$2/body.txt"
tail -n1 checkpoint | awk '{print $3}' | base64 -d | tail -c +5 > "$2/sig"
openssl pkeyutl -verify -pubin -inkey pub.pem -rawin -in "$2/body.txt" -sigfile "$2/sig"
seq=$(sed -n 1p leaves.jsonl | sed 's/.*"s":\([0-9]*\).*/\1/')
leaf=$( { printf '\0'; sed -n 1p leaves.jsonl | tr -d '\n'; } | sha256sum | cut -d' ' -f1)
test "$leaf" = "$(sed -n $((seq + 1))p hashes)"
"#;

fn by_hand(bundle: &Path) -> Output {
    let scratch = folder();
    let mut shell = Command::new("sh");
    shell.args(["-c", BY_HAND, "by-hand"]).arg(bundle).arg(scratch.path());
    shell.output().expect("there is a shell")
}

pub(crate) fn script(bundle: &Path, words: &[&str]) -> Output {
    let mut python = Command::new("python3");
    python.arg(bundle.join("verify.py")).args(words).env_clear();
    python.env("PATH", std::env::var_os("PATH").expect("there is a path"));
    python.output().expect("there is a python3")
}

pub(crate) fn said(output: &Output) -> String {
    let all = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8_lossy(&all).into_owned()
}

/// What `watchpost audit verify --bundle` finds; `None` if the bundle holds.
pub(crate) fn natively(bundle: &Path, key: &str) -> Option<String> {
    check_bundle(bundle, Some(key), BundleDepth::Whole, &|_, _| true).err().map(|problem| problem.to_string())
}

/// A copy to tamper with.
pub(crate) fn copy(bundle: &Path, to: &Path) -> PathBuf {
    let copy = to.join("copy");
    drop(std::fs::remove_dir_all(&copy));
    copy_all(bundle, &copy);
    copy
}

fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir(to).expect("a folder can be made");
    for entry in std::fs::read_dir(from).expect("the bundle is there") {
        let path = entry.expect("a file of the bundle").path();
        let to = to.join(path.file_name().expect("it has a name"));
        if path.is_dir() {
            copy_all(&path, &to);
        } else {
            std::fs::copy(&path, to).expect("it can be copied");
        }
    }
}

/// Writes the sums anew, as somebody would who tampers.
pub(crate) fn sum(bundle: &Path) {
    let command = "cd \"$1\" && names=$(sed 's/^[0-9a-f]*  //' SHA256SUMS) && sha256sum $names > /tmp/sums.$$ && \
                   cp /tmp/sums.$$ SHA256SUMS && rm /tmp/sums.$$";
    let done =
        Command::new("sh").args(["-c", command, "sum"]).arg(bundle).status().expect("there is a shell");
    assert!(done.success());
}

/// Changes the text of a file.
type Tamper = Box<dyn Fn(String) -> String>;

pub(crate) fn edit(bundle: &Path, name: &str, change: impl FnOnce(String) -> String) {
    let path = bundle.join(name);
    let before = std::fs::read_to_string(&path).expect("it is text");
    let after = change(before.clone());
    assert_ne!(before, after, "{name} was not changed");
    std::fs::write(path, after).expect("it can be written");
}

pub(crate) async fn change(desk: &Desk, organisation: &str) {
    let settings = desk.ask::<operation::settings_get>(Nothing {}).await.expect("settings can be read");
    let change = SettingsChange {
        organisation: organisation.to_owned(),
        retention: settings.retention,
        reason: Some(format!("tab\t, quote \" and \u{1f980} for {organisation}")),
    };
    desk.ask::<operation::settings_put>(change).await.expect("settings can be changed");
}

async fn export(desk: &Desk, to: &Path) -> AuditExported {
    let request = AuditExport { directory: to.display().to_string(), ..AuditExport::default() };
    desk.ask::<operation::audit_export>(request).await.expect("the trail can be exported")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bundle_holds_and_every_change_of_it_is_found() {
    let (home, out) = (folder(), folder());
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    for n in 0..12 {
        change(&desk, &format!("Organisation {n}")).await;
    }
    let bundle = out.path().join("bundle");
    let exported = export(&desk, &bundle).await;
    assert!(exported.records >= 13 && exported.records == exported.size, "{exported:?}");
    only_the_own(&bundle);
    let hand = by_hand(&bundle);
    assert!(
        hand.status.success() && said(&hand).contains("Signature Verified Successfully"),
        "{}",
        said(&hand)
    );
    let good = script(&bundle, &["--key", &exported.key]);
    assert!(good.status.success() && said(&good).ends_with("HOLDS\n"), "{}", said(&good));
    let blind = script(&bundle, &[]);
    assert!(blind.status.success() && said(&blind).contains("if you trust the key"), "{}", said(&blind));
    let records = std::fs::read_to_string(bundle.join("records.jsonl")).unwrap();
    assert!(records.contains("Organisation 11") && records.contains('\u{1f980}'), "the records can be read");
    let leaves = std::fs::read_to_string(bundle.join("leaves.jsonl")).unwrap();
    assert!(!leaves.contains("dana") && leaves.contains("settings_put"), "leaves name nobody");

    let other = "watchpost/evil+".to_owned() + exported.key.split_once('+').unwrap().1;
    assert!(!script(&bundle, &["--key", &other]).status.success(), "a key that is not trusted");
    assert!(natively(&bundle, &other).is_some(), "a key that is not trusted");
    assert_eq!(natively(&bundle, &exported.key), None);
    let checked = check_bundle(&bundle, None, BundleDepth::Leaves, &|_, _| true).expect("it holds");
    let records = exported.records.unsigned_abs();
    assert_eq!((checked.records, checked.leaves, checked.size), (records, records, records));
    assert_eq!((checked.root, checked.tiles, checked.erased), (exported.root.clone(), 1, 0));
    let stopped = check_bundle(&bundle, None, BundleDepth::Whole, &|_, _| false);
    assert!(matches!(stopped, Err(BundleProblem::Cancelled)), "{stopped:?}");
    let swap = |text: String| {
        let mut lines: Vec<&str> = text.lines().collect();
        lines.swap(3, 4);
        lines.join("\n") + "\n"
    };
    let tampered: Vec<(&str, &str, Tamper)> = vec![
        (
            "a record says something else",
            "records.jsonl",
            Box::new(|text| text.replacen("Organisation 7", "Organisation 8", 1)),
        ),
        ("an actor is another one", "records.jsonl", Box::new(|text| text.replacen("dana", "emil", 1))),
        (
            "a record is left out",
            "records.jsonl",
            Box::new(|text| {
                text.lines().filter(|line| !line.contains("\"seq\":5}")).collect::<Vec<_>>().join("\n") + "\n"
            }),
        ),
        ("a record is told as erased", "records.jsonl", Box::new(|text| closed(&text, 5))),
        ("the newest records are left out", "records.jsonl", Box::new(|text| lines(&text, 0, 3))),
        ("the oldest records are left out", "records.jsonl", Box::new(|text| lines(&text, 4, 0))),
        ("all records are left out", "records.jsonl", Box::new(|_| String::new())),
        ("lines end as on Windows", "records.jsonl", Box::new(|text| text.replace('\n', "\r\n"))),
        (
            "a record has a member more",
            "records.jsonl",
            Box::new(|text| text.replacen(",\"sealed\":", ",\"note\":1,\"sealed\":", 1)),
        ),
        (
            "a record has a member twice",
            "records.jsonl",
            Box::new(|text| text.replacen(",\"seq\":5}", ",\"seq\":4,\"seq\":5}", 1)),
        ),
        (
            "what is sealed is altered",
            "records.jsonl",
            Box::new(|text| text.replacen("\"sealed\":\"", "\"sealed\":\"AAAA", 1)),
        ),
        (
            "an outcome is altered",
            "leaves.jsonl",
            Box::new(|text| text.replacen("\"r\":\"success\"", "\"r\":\"failure\"", 1)),
        ),
        (
            "a leaf is left out",
            "leaves.jsonl",
            Box::new(|text| {
                text.split_inclusive('\n')
                    .enumerate()
                    .filter(|(n, _)| *n != 4)
                    .map(|(_, line)| line)
                    .collect()
            }),
        ),
        ("leaves are swapped", "leaves.jsonl", Box::new(swap)),
        ("hashes are swapped", "hashes", Box::new(swap)),
        ("a hash is left out", "hashes", Box::new(|text| text.split_inclusive('\n').skip(1).collect())),
        ("a hash is added", "hashes", Box::new(|text| text + &"00".repeat(32) + "\n")),
        (
            "the checkpoint is of fewer records",
            "checkpoint",
            Box::new(move |text| {
                text.replacen(&format!("\n{}\n", exported.size), &format!("\n{}\n", exported.size - 1), 1)
            }),
        ),
        (
            "the signature is stripped",
            "checkpoint",
            Box::new(|text| text.split_inclusive("\n\n").next().unwrap_or_default().to_owned()),
        ),
        (
            "the signature is altered",
            "checkpoint",
            Box::new(|text| {
                let at = text.len() - 20;
                let byte = if &text[at..=at] == "A" { "B" } else { "A" };
                format!("{}{byte}{}", &text[..at], &text[at + 1..])
            }),
        ),
        (
            "the signature is altered in its first bytes",
            "checkpoint",
            Box::new(|text| text.replacen(" watchpost", " watchposd", 1)),
        ),
        (
            "the key is another one",
            "pub.pem",
            Box::new(|text| text.replace("MCowBQYDK2VwAyEA", "MCowBQYDK2VwAyEB")),
        ),
        (
            "the first line of the key is altered",
            "pub.pem",
            Box::new(|text| text.replacen("BEGIN", "BEGHN", 1)),
        ),
        (
            "the last line of the key is altered",
            "pub.pem",
            Box::new(|text| text.replacen("-----END", "-----ENE", 1)),
        ),
        ("the verifier key is another one", "log.vkey", Box::new(|text| text.replacen('+', "x+", 1))),
    ];
    for (name, file, tamper) in tampered {
        let plain = copy(&bundle, out.path());
        edit(&plain, file, &tamper);
        assert!(!by_hand(&plain).status.success(), "{name}: the sums do not tell");
        let found = script(&plain, &[]);
        assert_eq!(found.status.code(), Some(1), "{name}: {}", said(&found));
        assert!(natively(&plain, &exported.key).is_some(), "{name}: the sums do not tell");
        sum(&plain);
        assert!(natively(&plain, &exported.key).is_some(), "{name}, with new sums");
        let found = script(&plain, &["--key", &exported.key]);
        assert_eq!(found.status.code(), Some(1), "{name}, with new sums: {}", said(&found));
        assert!(said(&found).contains("DOES NOT HOLD"), "{name}: {}", said(&found));
    }
    cut_at_either_end(&bundle, out.path(), &exported.key);
    let plain = copy(&bundle, out.path());
    std::fs::remove_dir_all(plain.join("tile")).expect("the tiles are there");
    edit(&plain, "SHA256SUMS", |text| {
        text.split_inclusive('\n').filter(|line| !line.contains("  tile/")).collect()
    });
    let found = script(&plain, &["--key", &exported.key]);
    assert!(found.status.code() == Some(1) && said(&found).contains("is not there"), "{}", said(&found));
    assert!(natively(&plain, &exported.key).is_some_and(|found| found.contains("is not there")));
    desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_without_a_key_says_what_is_not_in_it() {
    let (home, out) = (folder(), folder());
    let owner = desk(&home, Tenure::Owner, local_connection()).await;
    change(&owner, "One").await;
    assert_eq!(export(&owner, &out.path().join("all")).await.uncovered, 0);
    owner.console.close().await;
    let guest = desk(&home, Tenure::Guest, local_connection()).await;
    for name in ["Two", "Three"] {
        change(&guest, name).await;
    }
    let exported = export(&guest, &out.path().join("less")).await;
    assert!(exported.uncovered >= 2, "{exported:?}");
    let head = guest.ask::<operation::audit_trust>(Nothing {}).await.expect("told");
    // The record of the export came since.
    assert_eq!(exported.size + exported.uncovered + 1, head.size);
    guest.console.close().await;
}

/// Records and leaves that are left out together, at either end, with new sums: with what was signed for the export, with an
/// altered one, and without it.
fn cut_at_either_end(bundle: &Path, scratch: &Path, key: &str) {
    for (begin, end) in [(0, 3), (3, 0), (2, 2)] {
        for note in ["signed", "altered", "gone"] {
            let plain = copy(bundle, scratch);
            for file in ["records.jsonl", "leaves.jsonl"] {
                edit(&plain, file, |text| lines(&text, begin, end));
            }
            match note {
                "signed" => {}
                "altered" => edit(&plain, "export.note", |text| text.replacen("\n0 ", "\n1 ", 1)),
                _ => {
                    std::fs::remove_file(plain.join("export.note")).expect("it is there");
                    edit(&plain, "SHA256SUMS", |text| {
                        text.split_inclusive('\n').filter(|line| !line.contains("  export.note")).collect()
                    });
                }
            }
            sum(&plain);
            let found = script(&plain, &["--key", key]);
            assert_eq!(found.status.code(), Some(1), "{begin} {end} {note}: {}", said(&found));
            assert!(natively(&plain, key).is_some(), "{begin} {end} {note}");
        }
    }
}

/// Nobody else may read a folder and what is in it.
fn only_the_own(path: &Path) {
    let mode = std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
    if path.is_dir() {
        for entry in std::fs::read_dir(path).expect("it can be read") {
            only_the_own(&entry.expect("it can be read").path());
        }
    }
}

/// The records with number `seq` told as one whose content is gone.
fn closed(text: &str, seq: i64) -> String {
    let end = format!(",\"seq\":{seq}}}");
    let bare = format!(r#"{{"key":null,"nonce":null,"payload":null,"sealed":null,"seq":{seq}}}"#);
    text.lines()
        .map(|line| if line.ends_with(&end) { bare.clone() } else { line.to_owned() } + "\n")
        .collect()
}

/// The lines of a text without some at its begin and its end.
fn lines(text: &str, begin: usize, end: usize) -> String {
    let all: Vec<&str> = text.split_inclusive('\n').collect();
    all[begin..all.len() - end].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_erased_is_not_shown_and_nothing_else() {
    let (home, out) = (folder(), folder());
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    for name in ["Before", "erika", "After"] {
        change(&desk, name).await;
    }
    let erase = PrivacyErase {
        kind: SubjectKind::User,
        subject: "erika".to_owned(),
        reason: "request 12".to_owned(),
    };
    desk.ask::<operation::privacy_erase>(erase).await.expect("nothing holds the person");
    let filter = AuditFilter { action: Some("privacy_erase".to_owned()), ..AuditFilter::default() };
    let page = AuditPageRequest { filter, before: None, limit: 100 };
    let rows = desk.ask::<operation::audit_page>(page).await.expect("the trail can be read").rows;
    let erasure = rows.last().expect("it is recorded, before what was found afterwards").at;

    let (whole, period) = (out.path().join("whole"), out.path().join("period"));
    let exported = export(&desk, &whole).await;
    let request =
        AuditExport { directory: period.display().to_string(), to: Some(erasure), ..AuditExport::default() };
    let part = desk.ask::<operation::audit_export>(request).await.expect("a period can be exported");
    assert!(part.records < exported.records && part.leaves > part.records, "{part:?}");
    for bundle in [&whole, &period] {
        let records = std::fs::read_to_string(bundle.join("records.jsonl")).unwrap();
        assert!(!records.contains("erika") && records.contains("Before"), "{records}");
        assert_eq!(natively(bundle, &exported.key), None);
        let checked = check_bundle(bundle, None, BundleDepth::Leaves, &|_, _| true).expect("it holds");
        assert!(checked.erased > 0);
        let held = script(bundle, &["--key", &exported.key]);
        assert!(held.status.success() && said(&held).contains("as the log says"), "{}", said(&held));
    }

    let shown = std::fs::read_to_string(period.join("records.jsonl")).unwrap();
    let open = shown.lines().position(|line| line.contains("Before")).expect("it is shown");
    let unexplained = format!("record {open} is not shown, and nothing in the log says why");
    for depth in [&["--leaves-only"][..], &[]] {
        let copied = copy(&period, out.path());
        edit(&copied, "records.jsonl", |text| closed(&text, i64::try_from(open).unwrap()));
        sum(&copied);
        let found = script(&copied, depth);
        assert!(found.status.code() == Some(1) && said(&found).contains(&unexplained), "{}", said(&found));
        assert_eq!(natively(&copied, &exported.key), Some(unexplained.clone()));
    }
    let copied = copy(&period, out.path());
    edit(&copied, "leaves.jsonl", |text| {
        text.split_inclusive('\n').filter(|line| !line.contains("\"erasure.done\"")).collect()
    });
    sum(&copied);
    let found = script(&copied, &["--key", &exported.key]);
    assert!(
        found.status.code() == Some(1) && said(&found).contains("nothing in the log"),
        "{}",
        said(&found)
    );
    assert!(natively(&copied, &exported.key).is_some_and(|found| found.contains("nothing in the log")));
    desk.console.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_is_proved_by_itself_and_a_period_too() {
    let (home, out) = (folder(), folder());
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    for n in 0..5 {
        change(&desk, &format!("Before {n}")).await;
    }
    let filter = AuditFilter { action: Some("settings_put".to_owned()), ..AuditFilter::default() };
    let page = AuditPageRequest { filter, before: None, limit: 100 };
    let rows = desk.ask::<operation::audit_page>(page).await.unwrap().rows;
    let (newest, oldest) = (rows.first().unwrap(), rows.last().unwrap());
    let shown = desk.ask::<operation::audit_show>(AuditRef { seq: newest.seq }).await.unwrap();
    assert_eq!(&shown.record, newest);
    assert!(shown.leaf.contains("settings_put") && !shown.leaf.contains("dana"));

    let period = out.path().join("period");
    let request = AuditExport {
        directory: period.display().to_string(),
        from: Some(oldest.at + chrono::Duration::microseconds(1)),
        to: Some(newest.at),
        ..AuditExport::default()
    };
    let exported = desk.ask::<operation::audit_export>(request.clone()).await.unwrap();
    assert_eq!(exported.records, newest.seq - oldest.seq - 1, "neither of both ends");
    let held = script(&period, &["--key", &exported.key]);
    assert!(
        held.status.success() && said(&held).contains("what the export was signed for"),
        "{}",
        said(&held)
    );
    for (begin, end) in [(0, 1), (1, 0)] {
        let cut = copy(&period, out.path());
        edit(&cut, "records.jsonl", |text| lines(&text, begin, end));
        edit(&cut, "leaves.jsonl", |text| {
            let shown = std::fs::read_to_string(cut.join("records.jsonl")).unwrap();
            let is_shown = |leaf: &str| {
                let seq =
                    leaf.rsplit("\"s\":").next().and_then(|rest| rest.split(',').next()).unwrap_or_default();
                leaf.contains("\"key.add\"") || shown.contains(&format!("\"seq\":{seq}}}"))
            };
            text.split_inclusive('\n').filter(|leaf| is_shown(leaf)).collect()
        });
        sum(&cut);
        let found = script(&cut, &["--key", &exported.key]);
        assert!(
            found.status.code() == Some(1) && said(&found).contains("signed for something else"),
            "{}",
            said(&found)
        );
        assert!(
            natively(&cut, &exported.key).is_some_and(|found| found.contains("signed for something else"))
        );
    }
    assert_eq!(natively(&period, &exported.key), None, "leaves of keys stand before and behind the period");
    let again = desk.ask::<operation::audit_export>(request.clone()).await.unwrap_err();
    assert_eq!(again.code, ErrorCode::Validation, "nothing is overwritten");
    let turned = AuditExport {
        directory: out.path().join("x").display().to_string(),
        from: request.to,
        to: request.from,
        ..AuditExport::default()
    };
    assert!(desk.ask::<operation::audit_export>(turned).await.is_err());

    for seq in [0, newest.seq] {
        let proof = desk.ask::<operation::audit_prove>(AuditRef { seq }).await.unwrap();
        let file = out.path().join("record.tlog-proof");
        std::fs::write(&file, &proof.text).unwrap();
        let path = file.display().to_string();
        let good = script(&period, &["--proof", &path, "--key", &proof.key]);
        assert!(good.status.success(), "{}", said(&good));
        assert!(said(&good).contains(&format!("record {seq} is in the log of {} records", proof.size)));
        let lines: Vec<&str> = proof.text.lines().collect();
        for n in 1..lines.len() {
            if lines[n].is_empty() {
                continue;
            }
            let without: Vec<&str> =
                lines.iter().enumerate().filter(|(at, _)| *at != n).map(|(_, line)| *line).collect();
            std::fs::write(&file, without.join("\n") + "\n").unwrap();
            let bad = script(&period, &["--proof", &path, "--key", &proof.key]);
            assert_eq!(bad.status.code(), Some(1), "without line {n}: {}", said(&bad));
        }
    }
    let far = desk.ask::<operation::audit_prove>(AuditRef { seq: 1_000_000 }).await.unwrap_err();
    assert_eq!(far.code, ErrorCode::NotFound);

    let figures = desk.ask::<operation::audit_statistics>(AuditStatisticsRequest::default()).await.unwrap();
    let counted: i64 = figures.statistics.by_outcome.iter().map(|count| count.n).sum();
    assert_eq!(counted, figures.statistics.records);
    assert!(figures.statistics.by_action.iter().any(|count| count.name == "settings_put" && count.n == 5));
    assert!(figures.statistics.sealed_bytes > 0 && figures.statistics.erased == 0);
    desk.console.close().await;
}
