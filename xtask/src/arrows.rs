//! Which crate may name which: the arrows of ARCHITECTURE.md, and the fences around foreign crates.
//!
//! Pure: it judges what `cargo metadata --no-deps` says. The tests and `cargo xtask tidy` call it.

use serde_json::Value;

/// Every crate of the workspace and the crates of the workspace it may depend on, tests included.
const ALLOWED: [(&str, &[&str]); 11] = [
    ("watchpost-model", &[]),
    ("watchpost-ingest", &["watchpost-model"]),
    ("watchpost-detect", &["watchpost-model"]),
    ("watchpost-redis", &["watchpost-model"]),
    ("watchpost-store", &["watchpost-model"]),
    ("watchpost-report", &["watchpost-model"]),
    (
        "watchpost-ops",
        &[
            "watchpost-model",
            "watchpost-ingest",
            "watchpost-detect",
            "watchpost-redis",
            "watchpost-store",
            "watchpost-report",
        ],
    ),
    ("watchpost-cli", &["watchpost-ops", "watchpost-model"]),
    ("watchpost-desktop", &["watchpost-ops", "watchpost-model"]),
    ("watchpost-tests", &["watchpost-ops", "watchpost-model", "xtask"]),
    ("xtask", &[]),
];

/// Foreign crates, by the beginning of their name, that only one crate may use.
const FENCES: [(&str, &str); 12] = [
    ("sqlx", "watchpost-store"),
    ("redis", "watchpost-redis"),
    ("plotters", "watchpost-report"),
    ("printpdf", "watchpost-report"),
    ("krilla", "watchpost-report"),
    ("tauri", "watchpost-desktop"),
    ("keyring", "watchpost-ops"),
    ("secret-service", "watchpost-ops"),
    ("ureq", "watchpost-ops"),
    ("age", "watchpost-ops"),
    ("axum", "watchpost-cli"),
    ("fantoccini", "watchpost-tests"),
];

/// What is wrong with the dependencies of the workspace, one sentence each; empty when nothing is.
#[must_use]
pub fn complaints(metadata: &Value) -> Vec<String> {
    let mut complaints = Vec::new();
    for package in list(&metadata["packages"]) {
        let name = text(&package["name"]);
        let Some((_, allowed)) = ALLOWED.iter().find(|(known, _)| *known == name) else {
            complaints.push(format!("{name} has no line in the table of arrows (xtask/src/arrows.rs)"));
            continue;
        };
        for dependency in list(&package["dependencies"]) {
            let to = text(&dependency["name"]);
            let ours = dependency["path"].is_string();
            if ours && !allowed.contains(&to) {
                complaints.push(format!("{name} depends on {to}; it may depend on {allowed:?}"));
            }
            let fence = FENCES.iter().find(|(prefix, _)| !ours && to.starts_with(prefix));
            if let Some((_, owner)) = fence
                && *owner != name
            {
                complaints.push(format!("{name} depends on {to}; only {owner} may"));
            }
        }
    }
    complaints
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::complaints;

    fn check(package: &str, dependency: Value, expect: &str) {
        let metadata = json!({ "packages": [{ "name": package, "dependencies": [dependency] }] });
        let found = complaints(&metadata);
        if expect.is_empty() {
            assert!(found.is_empty(), "{found:?}");
        } else {
            assert!(
                found.iter().any(|complaint| complaint.contains(expect)),
                "{expect:?} is not in {found:?}"
            );
        }
    }

    #[test]
    fn arrows_point_down() {
        check("watchpost-detect", json!({ "name": "watchpost-model", "path": "x" }), "");
        check(
            "watchpost-detect",
            json!({ "name": "watchpost-store", "path": "x" }),
            "depends on watchpost-store",
        );
        check("watchpost-model", json!({ "name": "watchpost-ops", "path": "x" }), "depends on watchpost-ops");
        check(
            "watchpost-desktop",
            json!({ "name": "watchpost-redis", "path": "x" }),
            "depends on watchpost-redis",
        );
        check("watchpost-new", json!({ "name": "serde" }), "no line in the table");
    }

    #[test]
    fn fences_hold() {
        check("watchpost-store", json!({ "name": "sqlx" }), "");
        check("watchpost-ops", json!({ "name": "sqlx" }), "only watchpost-store may");
        check("watchpost-cli", json!({ "name": "tauri-plugin-dialog" }), "only watchpost-desktop may");
        check("watchpost-tests", json!({ "name": "redis", "kind": "dev" }), "only watchpost-redis may");
    }
}
