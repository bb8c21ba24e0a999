//! What is pictured: every panel, and the dialogs that a person meets in them.

/// One picture.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scene {
    /// The name of the file.
    pub(crate) name: &'static str,
    /// Where it is.
    pub(crate) route: &'static str,
    /// What a person does there first.
    pub(crate) steps: &'static [Step],
}

/// One thing that a person does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    /// Clicks.
    Click(&'static str),
    /// Presses keys where the focus is.
    Press(&'static str),
    /// Waits until it is there.
    Wait(&'static str),
    /// Replaces what a field holds.
    Type(&'static str, &'static str),
}

use Step::{Click, Press, Type, Wait};

/// The title in the first row of the queue below its head: the middle of the row may be a link to the entity.
const FIRST_INCIDENT: Step = Click("[role=row][aria-rowindex='2'] .two-lines");
/// As WebDriver writes the key.
const ESCAPE: &str = "\u{e00c}";
/// The form of the card about people.
const PRIVACY: &str = "[data-test=privacy-subject]";
/// Its page is open.
const PAGE: Step = Wait("[data-test=incident-title]");

const fn panel(name: &'static str, route: &'static str) -> Scene {
    Scene { name, route, steps: &[] }
}

const fn scene(name: &'static str, route: &'static str, steps: &'static [Step]) -> Scene {
    Scene { name, route, steps }
}

/// Every picture, in the order in which they are taken.
pub(crate) const SCENES: &[Scene] = &[
    panel("overview", "#/overview"),
    // The map is at the end: a country opens its events, and leaving them leaves it in sight.
    scene(
        "overview-map",
        "#/overview",
        &[Click("[data-test=map-nowhere] button"), Wait("[data-test=event-row]"), Press(ESCAPE)],
    ),
    panel("incidents", "#/incidents"),
    scene("incident", "#/incidents", &[FIRST_INCIDENT, PAGE]),
    scene("incident-full", "#/incidents", &[FIRST_INCIDENT, PAGE, Click("[data-test=incident-expand]")]),
    scene(
        "incident-sqli",
        "#/incidents?family=sqli&status=all",
        &[FIRST_INCIDENT, PAGE, Wait("[data-test=why-layer]")],
    ),
    scene(
        "incident-response",
        "#/incidents",
        &[FIRST_INCIDENT, PAGE, Click("[data-test=incident-tab-playbook]")],
    ),
    scene(
        "incident-related",
        "#/incidents",
        &[FIRST_INCIDENT, PAGE, Click("[data-test=incident-tab-related]")],
    ),
    scene("incident-menu", "#/incidents", &[FIRST_INCIDENT, PAGE, Click("[data-test=incident-menu]")]),
    scene(
        "incident-resolve",
        "#/incidents",
        &[FIRST_INCIDENT, PAGE, Press("f"), Wait("[data-test=resolve-dialog]"), Press("s")],
    ),
    scene(
        "incident-escalate",
        "#/incidents",
        &[FIRST_INCIDENT, PAGE, Press("e"), Wait("[data-test=escalate-dialog]")],
    ),
    scene(
        "incident-merge",
        "#/incidents",
        &[FIRST_INCIDENT, PAGE, Press("m"), Wait("[data-test=merge-dialog] label")],
    ),
    scene(
        "incident-suppress",
        "#/incidents",
        &[FIRST_INCIDENT, PAGE, Press("s"), Wait("[data-test=suppress-hidden]")],
    ),
    scene(
        "incident-contain",
        "#/incidents",
        &[
            FIRST_INCIDENT,
            PAGE,
            Click("[data-test=contain-menu]"),
            Click("[data-test=contain-user]"),
            Type("[data-test=contain-target]", "mara"),
            Wait("[data-test=contain-preview] dl"),
        ],
    ),
    scene(
        "incidents-bulk",
        "#/incidents",
        &[FIRST_INCIDENT, PAGE, Press("x"), Press("j"), Press("x"), Wait("[data-test=bulk-bar]")],
    ),
    panel("events", "#/events"),
    scene(
        "events-search",
        "#/events?q=outcome:failure+-type:request",
        &[Wait("[data-test=event-row]"), Wait("[data-test=event-facet]")],
    ),
    scene(
        "events-fault",
        "#/events",
        &[Type("[data-test=event-search]", "user:anna statsu:500"), Wait("[data-test=event-search-fault]")],
    ),
    scene(
        "events-completion",
        "#/events",
        &[
            Wait("[data-test=event-facet]"),
            Type("[data-test=event-search]", "outcome:failure type:"),
            Wait("[data-test=event-suggestion]"),
        ],
    ),
    scene(
        "event",
        "#/events",
        &[Click("[data-test=event-row] [role=gridcell]"), Wait("[data-test=event-detail]")],
    ),
    panel("entities", "#/entities"),
    scene(
        "entity",
        "#/entities",
        &[Click("[data-test=risk-row] [data-test=entity-link]"), Wait("[data-test=risk-card]")],
    ),
    panel("redis", "#/redis"),
    panel("blocklist", "#/blocklist"),
    scene("contained", "#/blocklist", &[Click("[data-test=blocks-tab-contained]")]),
    panel("rules", "#/rules"),
    scene(
        "rule",
        "#/rules/wp.brute.source",
        &[
            Type("[data-test=rule-threshold]", "20"),
            Click("[data-test=rule-backtest]"),
            Wait("[data-test=backtest-report]"),
        ],
    ),
    scene(
        "rule-text",
        "#/rules/wp.sqli.union",
        &[Click("[data-test=rule-tab-text]"), Wait("[data-test=rule-text]")],
    ),
    panel("suppressions", "#/rules?tab=suppressions"),
    scene(
        "rules-bench",
        "#/rules?tab=bench",
        &[Click("[data-test=bench-example-sqli]"), Wait("[data-test=bench-verdict]")],
    ),
    scene(
        "baselines",
        "#/baselines",
        &[Click("[data-test=baseline-compare]"), Wait("[data-test=drift-row], [data-test=baseline-none]")],
    ),
    panel("maintenance", "#/maintenance"),
    scene(
        "maintenance-measured",
        "#/maintenance",
        &[
            Click("[data-test=benchmark-toggle]"),
            Type("[data-test=benchmark-ops]", "500"),
            Click("[data-test=benchmark-run]"),
            Wait("[data-test=benchmark-result][data-state=done]"),
            Click("[data-test=aggregate-preview]"),
            Wait("[data-test=aggregate-preview-result]"),
        ],
    ),
    panel("reports", "#/reports"),
    scene(
        "reports-preview",
        "#/reports",
        &[
            Click("[data-test=report-preview]"),
            Wait("[data-test=report-document]"),
            Click("[data-test=report-control] button"),
        ],
    ),
    scene(
        "reports-schedules",
        "#/reports",
        &[Click("[data-test=reports-tab-schedules]"), Wait("[data-test=schedule-form]")],
    ),
    panel("audit", "#/audit"),
    panel("settings", "#/settings"),
    scene(
        "settings-privacy",
        "#/settings",
        &[Click("[data-test=privacy-look]"), Wait(PRIVACY), Press(ESCAPE)],
    ),
    scene(
        "policy",
        "#/settings",
        &[
            Click("[data-test=policy-mode-on]"),
            Click("[data-test=policy-preview]"),
            Wait("[data-test=policy-preview-result]"),
        ],
    ),
];
