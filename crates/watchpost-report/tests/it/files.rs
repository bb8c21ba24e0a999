use std::fs;
use std::path::Path;

use watchpost_report::{WriteError, write_atomically};

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
