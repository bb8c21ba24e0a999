-- Reports that are made by themselves, and what people say about exceptions of controls.

CREATE TABLE report_schedule (
    id TEXT PRIMARY KEY,
    due_at INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX report_schedule_due ON report_schedule (due_at);

CREATE TABLE control_comment (
    id TEXT PRIMARY KEY,
    framework TEXT NOT NULL,
    control TEXT NOT NULL,
    given_at INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX control_comment_by_framework ON control_comment (framework, given_at, id);
