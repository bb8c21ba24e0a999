use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use sha2::{Digest, Sha256};
use watchpost_report::{Prepared, WriteError, write_atomically};

#[test]
fn a_file_is_written_whole_and_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("report.csv");
    let digest = write_atomically(&path, b"abc").expect("written");
    assert_eq!(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "SHA-256 of abc");
    write_atomically(&path, b"second").expect("replaced");
    assert_eq!(fs::read(&path).expect("read"), b"second");
    let left = fs::read_dir(folder.path()).expect("list").count();
    assert_eq!(left, 1, "no temporary file is left");
}

#[test]
fn what_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = write_atomically(&folder.path().join("none/report.csv"), b"x").expect_err("no folder");
    assert!(matches!(error, WriteError::NoFolder(_)), "{error}");
    let error = write_atomically(folder.path(), b"x").expect_err("a folder");
    assert!(matches!(error, WriteError::NotAFile(_)), "{error}");
    // Nobody may create files in there, root included.
    if Path::new("/sys/kernel").is_dir() {
        let error = write_atomically(Path::new("/sys/kernel/report.csv"), b"x").expect_err("not writable");
        assert!(matches!(error, WriteError::NotWritable { .. }), "{error:?}");
    }
}

#[test]
fn a_full_disk_is_named_and_nothing_is_left() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("report.csv");
    for full in [ErrorKind::StorageFull, ErrorKind::QuotaExceeded] {
        let written = Prepared::write(&path, |out| {
            out.write_all(b"a part of it").map_err(|error| WriteError::at(&path, error))?;
            Err(WriteError::at(&path, full.into()))
        });
        let error = written.expect_err("there is no room for the rest");
        assert_eq!(error.to_string(), format!("no space is left for {}", path.display()));
        assert_eq!(fs::read_dir(folder.path()).expect("list").count(), 0);
    }
}

#[test]
fn a_large_file_is_whole_though_it_goes_to_the_disk_in_pieces() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("export.ndjson");
    let written = Prepared::write(&path, |out| {
        let each = (0..70_u8).try_for_each(|n| out.write_all(&vec![n; 1 << 20]));
        each.map_err(|error| WriteError::at(&path, error))
    });
    let prepared = written.expect("there is room");
    let (bytes, sha256) = (prepared.bytes, prepared.sha256.clone());
    prepared.persist_new().expect("nothing is there");
    let read = fs::read(&path).expect("read");
    assert_eq!((bytes, read.len()), (70 << 20, 70 << 20));
    assert!(read.chunks(1 << 20).zip(0..70_u8).all(|(piece, n)| piece.iter().all(|byte| *byte == n)));
    assert_eq!(sha256, hex::encode(Sha256::digest(&read)));
}

fn prepared(path: &Path, text: &str) -> Prepared {
    let failed = |error| WriteError::at(path, error);
    Prepared::write(path, |out| out.write_all(text.as_bytes()).map_err(failed))
        .expect("written beside its place")
}

/// Every file of a folder with what it holds, by name.
fn all(folder: &Path) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = fs::read_dir(folder)
        .expect("list")
        .map(|entry| entry.expect("entry"))
        .map(|entry| {
            (
                entry.file_name().to_string_lossy().into_owned(),
                fs::read_to_string(entry.path()).expect("text"),
            )
        })
        .collect();
    found.sort();
    found
}

#[test]
fn what_a_killed_process_left_goes_and_what_is_being_written_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let waiting = prepared(&folder.path().join("export.csv"), "by a job that waits");
    let name = waiting.unplaced().file_name().expect("it has one").to_string_lossy().into_owned();
    for left in [".watchpost-Ab12cd", ".watchpost-Yz89xw", ".watchpost-probe-1", "watchpost-1.csv"] {
        fs::write(folder.path().join(left), "left").expect("written");
    }
    let now = fs::metadata(waiting.unplaced()).and_then(|about| about.modified()).expect("its time");
    // The second one was left a moment ago; or its writer, on another machine, is about to go on.
    let old = [name.as_str(), ".watchpost-Ab12cd", ".watchpost-probe-1", "watchpost-1.csv"];
    for old in old {
        let file = fs::File::options().write(true).open(folder.path().join(old)).expect("opened");
        file.set_modified(now - Duration::from_secs(60 * 60)).expect("its time can be set");
    }
    write_atomically(&folder.path().join("report.csv"), b"abc").expect("written");
    let left: Vec<String> = all(folder.path()).into_iter().map(|(name, _)| name).collect();
    let mut stay =
        [name.as_str(), ".watchpost-Yz89xw", ".watchpost-probe-1", "report.csv", "watchpost-1.csv"];
    stay.sort_unstable();
    assert_eq!(left, stay);
    waiting.persist_new().expect("it is still there");
    assert_eq!(fs::read(folder.path().join("export.csv")).expect("read"), b"by a job that waits");
}

#[test]
fn a_placed_file_stays_only_when_it_is_kept_and_never_replaces_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("report.csv");
    let holds = |text: &str| vec![("report.csv".to_owned(), text.to_owned())];

    drop(prepared(&path, "first").place().expect("nothing is there"));
    assert_eq!(all(folder.path()), [], "it was not kept");
    prepared(&path, "first").place().expect("nothing is there").undo().expect("taken back");
    assert_eq!(all(folder.path()), []);
    prepared(&path, "first").place().expect("nothing is there").keep();
    assert_eq!(all(folder.path()), holds("first"));

    let error = prepared(&path, "second").place().expect_err("a file is there");
    assert!(matches!(&error, WriteError::Exists(named) if *named == path), "{error:?}");
    assert_eq!(all(folder.path()), holds("first"), "nothing is written over, and nothing left beside it");
    drop(prepared(&path, "second"));
    assert_eq!(all(folder.path()), holds("first"), "what only waits leaves nothing");
    prepared(&path, "second").persist().expect("it may be replaced");
    assert_eq!(all(folder.path()), holds("second"));
}
