//! Log lines in every format: the first byte chooses it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use watchpost_ingest::{ImportOptions, Importer, Lines, LogFormat};

fuzz_target!(|data: &[u8]| {
    let Some((&choice, text)) = data.split_first() else { return };
    let format = LogFormat::ALL[usize::from(choice) % LogFormat::ALL.len()];
    let now = chrono::DateTime::from_timestamp(1_772_445_600, 0).expect("a time");
    let mut importer = Importer::new(format, ImportOptions::new(now, "fuzz"));
    for line in Lines::new(text, 0) {
        let Ok(line) = line else { return };
        let _ = importer.read(&line);
    }
});
