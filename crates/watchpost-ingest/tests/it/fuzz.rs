//! The corpus of the fuzz target for logs, altered from a fixed seed, in every format.

use std::fs;
use std::path::Path;

use watchpost_ingest::LogFormat;

use crate::support::import;

#[test]
fn altered_logs_make_nothing_panic_and_are_read_alike_twice() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/log");
    let mut paths: Vec<_> = fs::read_dir(&folder)
        .expect("the corpus is in the tree")
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} holds something", folder.display());
    // The first byte chooses the format for the fuzz target; here each format reads everything.
    let texts: Vec<Vec<u8>> =
        paths.iter().map(|path| fs::read(path).expect("a readable file").split_off(1)).collect();
    let mut state = 0x5741_5443_4850_4f53_u64;
    let mut below = |n: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % n.max(1) as u64).unwrap_or(0)
    };
    for nth in 0..400 {
        let mut text = texts[nth % texts.len()].clone();
        for _ in 0..below(6) {
            let at = below(text.len() + 1);
            let end = (at + below(16)).min(text.len());
            match below(5) {
                0 if at < text.len() => text[at] = below(256) as u8,
                1 => drop(text.drain(at..end)),
                2 => text.insert(at, b"\"'[]{}:,\\\n\r\t \0\xff0-/"[below(18)]),
                3 => {
                    let run = text[at..end].repeat(1 + below(12));
                    text.splice(at..at, run);
                }
                _ => text.truncate(at),
            }
        }
        for format in LogFormat::ALL.iter().copied() {
            let shown = String::from_utf8_lossy(&text);
            let read = || format!("{:?}", import(format, &text));
            assert_eq!(read(), read(), "{format:?}: {shown:?}");
        }
    }
}
