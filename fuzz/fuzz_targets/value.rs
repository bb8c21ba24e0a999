//! One value through the decoder, the readers of SQL and command lines, and every check of values.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let verdict = watchpost_detect::inspect_value(text);
    for layer in verdict.findings.iter().flat_map(|found| &found.matched).flat_map(|matched| &matched.layers)
    {
        if let Some((start, end)) = layer.span {
            assert!(start <= end && end as usize <= layer.text.chars().count(), "a span lies in its layer");
        }
    }
});
