//! Line ends, lengths, offsets, compression, arbitrary bytes.

use std::io::{BufReader, Cursor, Read, Write};

use proptest::prelude::*;
use watchpost_ingest::{Import, LINE_BYTES_MAX, Lines, LogFormat, Parsed, open_reader};

use crate::support::{import, importer};

#[test]
fn ends_marks_and_invalid_text() {
    let read = |bytes: &[u8]| -> Vec<String> {
        Lines::new(Cursor::new(bytes.to_vec()), 0).map(|line| line.unwrap().text).collect()
    };
    for (bytes, expect) in [
        (&b"a\nb\n"[..], &["a", "b"][..]),
        (b"a\r\nb", &["a", "b"]),
        (b"\xef\xbb\xbfa\n", &["a"]),
        (b"\n\n", &["", ""]),
        (b"", &[]),
        (b"\xff\xfe\n", &["\u{fffd}\u{fffd}"]),
    ] {
        assert_eq!(read(bytes), expect, "{bytes:?}");
    }
}

#[test]
fn long_lines_are_cut_and_counted() {
    let text = format!("{}\nnext\n", "x".repeat(LINE_BYTES_MAX + 1_000));
    let lines: Vec<_> =
        Lines::new(BufReader::with_capacity(777, Cursor::new(text)), 0).map(Result::unwrap).collect();
    assert_eq!((lines[0].text.len(), lines[0].n_bytes_cut), (LINE_BYTES_MAX, 1_000));
    assert_eq!((lines[1].text.as_str(), lines[1].offset), ("next", (LINE_BYTES_MAX + 1_001) as u64));
}

#[test]
fn a_line_may_be_as_long_as_an_event_and_a_longer_one_is_told() {
    let event = |bytes: usize| {
        let head = r#"{"at":"2026-01-02T03:04:05Z","category":"api_usage","type":"request","severity":"info","outcome":"success","details":{"text":""#;
        format!("{head}{}\"}}}}", "x".repeat(bytes - head.len() - 3))
    };
    let text = [event(70_000), event(LINE_BYTES_MAX), event(LINE_BYTES_MAX + 1), event(300)].join("\n");
    let all = import(LogFormat::Jsonl, &text);
    assert!(matches!(all[0], Parsed::Event(_)), "beyond 64 KiB");
    assert!(matches!(all[1], Parsed::Event(_)), "of the greatest length");
    let Parsed::Bad { line_no, reason, excerpt } = &all[2] else { panic!("{:?}", all[2]) };
    assert_eq!((*line_no, reason.as_str()), (3, "2097153 bytes; a line has at most 2 MiB"));
    assert!(excerpt.starts_with("{\"at\"") && excerpt.len() < 1_000, "{excerpt}");
    assert!(matches!(all[3], Parsed::Event(_)), "what comes behind it is read");

    // A log of another kind is not cut in a way that looks whole either.
    let line = "192.0.2.1 - - [29/Sep/2021:12:37:05 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"agent\"";
    let long = format!("{line}{}\n{line}\n", " ".repeat(LINE_BYTES_MAX));
    let all = import(LogFormat::Combined, &long);
    assert!(matches!(&all[0], Parsed::Bad { line_no: 1, .. }), "{:?}", all[0]);
    assert!(matches!(&all[1], Parsed::Event(_)), "{:?}", all[1]);
}

#[test]
fn an_import_can_be_resumed_at_any_line() {
    let line =
        |n: u32| format!("192.0.2.{n} - - [29/Sep/2021:12:37:05 +0000] \"GET /{n} HTTP/1.1\" 200 1\r\n");
    let text: String = (0..20).map(line).collect();
    let whole: Vec<_> =
        Import::new(Cursor::new(&text), 0, importer(LogFormat::Combined)).map(Result::unwrap).collect();
    for (read, _) in &whole {
        let rest = &text[read.next_offset as usize..];
        let resumed = Import::new(Cursor::new(rest), read.next_offset, importer(LogFormat::Combined));
        let resumed: Vec<Parsed> = resumed.map(|item| item.unwrap().1).collect();
        let expect: Vec<Parsed> = whole
            .iter()
            .filter(|(line, _)| line.offset >= read.next_offset)
            .map(|(_, parsed)| parsed.clone())
            .collect();
        assert_eq!(resumed, expect, "from byte {}", read.next_offset);
    }
}

#[test]
fn gzip_is_opened_and_damage_is_an_error() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(b"one\ntwo\n").unwrap();
    let packed = encoder.finish().unwrap();
    for bytes in [packed.clone(), b"one\ntwo\n".to_vec()] {
        let lines: Vec<String> =
            Lines::new(open_reader(Cursor::new(bytes)).unwrap(), 0).map(|line| line.unwrap().text).collect();
        assert_eq!(lines, ["one", "two"]);
    }
    let mut text = String::new();
    assert!(
        open_reader(&packed[..packed.len() - 6]).unwrap().read_to_string(&mut text).is_err(),
        "a cut archive"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_are_lines(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        for &format in LogFormat::ALL {
            let first = import(format, &bytes);
            prop_assert_eq!(&first, &import(format, &bytes), "deterministic");
            prop_assert!(first.len() <= bytes.len());
        }
    }

    #[test]
    fn almost_lines_do_not_panic(
        head in "[ -~]{0,30}", tail in "\\PC{0,60}", cut in 0_usize..140,
        form in prop_oneof![
            Just("192.0.2.1 - - [29/Sep/2021:12:37:05 +0000] \"GET /a?b=\\x41\\ HTTP/1.1\" 200 1 \"-\" \"x\\"),
            Just("Jan 12 14:10:21 host sshd[1]: message repeated 2 times: [ Failed password for invalid user a from 192.0.2.1 port 2 ssh2]"),
            Just("{\"@timestamp\":\"2026-01-02T03:04:05Z\",\"event\":{\"severity\":1e300,\"category\":[1]},\"url\":{\"original\":\"://?\"}}"),
            Just("{\"at\":\"2026-01-02T03:04:05Z\",\"category\":\"api_usage\",\"type\":\"x\",\"severity\":\"info\",\"outcome\":\"success\",\"count\":0}"),
        ],
    ) {
        let cut = (0..=cut.min(form.len())).rev().find(|&at| form.is_char_boundary(at)).unwrap_or(0);
        for text in [form.to_owned(), format!("{head}{form}"), format!("{form}{tail}"), format!("{}{tail}", &form[..cut])] {
            for &format in LogFormat::ALL {
                import(format, &text);
            }
        }
    }
}
