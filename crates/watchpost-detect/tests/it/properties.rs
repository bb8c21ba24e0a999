//! No input panics, hangs or depends on anything but itself.

use std::collections::BTreeMap;

use proptest::prelude::*;
use watchpost_detect::{Config, Engine, inspect_request, inspect_value};
use watchpost_model::event::Event;

use crate::support::{percent, request, start};

fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "\\PC{0,12}",
        "[%&;#x0-9a-fA-F'\"()<>=/\\\\.*!|`$ {}+-]{0,24}",
        Just("' or '".to_owned()),
        Just("union select".to_owned()),
        Just("/*!50000".to_owned()),
        Just("%c0%ae".to_owned()),
        Just("&#x".to_owned()),
        Just("\\u{".to_owned()),
        Just("../".to_owned()),
        Just("<script".to_owned()),
        Just("${jndi:".to_owned()),
        Just("\u{0}".to_owned()),
        Just("select(".to_owned()),
        Just(")".to_owned()),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics(text in hostile(), bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let lossy = String::from_utf8_lossy(&bytes).into_owned();
        for text in [text, lossy] {
            let headers: BTreeMap<String, String> =
                [("User-Agent".to_owned(), text.clone()), ("Cookie".to_owned(), text.clone())].into();
            let _ = inspect_value(&text);
            let _ = inspect_request("GET", &text, &headers, Some(&text));
        }
    }

    #[test]
    fn spans_lie_inside_their_layers(text in hostile()) {
        let mut event = request(start(), 1, "/", Some(&format!("q={}", percent(&text))));
        event.details = serde_json::json!({"note": text});
        for found in Engine::new(Config::default()).observe(&event, event.at) {
            if let Some(matched) = found.matched {
                for layer in matched.layers {
                    let n_chars = layer.text.chars().count() as u32;
                    prop_assert!(n_chars <= 2_048);
                    if let Some((start, end)) = layer.span {
                        prop_assert!(start < end && end <= n_chars, "{layer:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_same_events_make_the_same_findings(texts in proptest::collection::vec(hostile(), 1..8)) {
        let events: Vec<Event> = texts.iter().zip(0..).map(|(text, n)| request(start(), n, "/", Some(text))).collect();
        let run = |mut engine: Engine| events.iter().flat_map(|event| engine.observe(event, event.at)).collect::<Vec<_>>();
        prop_assert_eq!(run(Engine::new(Config::default())), run(Engine::new(Config::default())));
    }
}
