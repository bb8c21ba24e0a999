//! A file of rules, and what its rules say of a request.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use watchpost_detect::{Config, Engine, RuleFile, RuleSet};
use watchpost_model::event::{Category, Event, Http};
use watchpost_model::ids::EventId;

fuzz_target!(|text: &str| {
    let file = RuleFile { name: "fuzz.yml".to_owned(), text: text.to_owned() };
    let rules = RuleSet::only(&[file]);
    for problem in rules.problems() {
        assert!(!problem.reason.is_empty(), "a problem has a reason");
    }
    let at = chrono::DateTime::from_timestamp(1_772_445_600, 0).expect("a time");
    let mut event =
        Event::new(EventId::derived(1_772_445_600_000, [1; 16]), at, Category::ApiUsage, "request");
    event.source_ip = Some("203.0.113.7".to_owned());
    event.http = Some(Http {
        method: "GET".to_owned(),
        path: "/export/../etc/passwd".to_owned(),
        query: Some("id=1' OR '1'='1&q=<script>alert(1)</script>".to_owned()),
        ..Http::default()
    });
    let mut engine = Engine::with_rules(Config::default(), Arc::new(rules));
    let _ = engine.observe(&event, at);
});
