//! What the processes of the window take of the machine, as the kernel tells it.

use std::fs;

use tokio::time::Instant;

use crate::say;

/// Of `/proc/PID/stat` by its place behind the name: computed in user mode and in the kernel, and the start, in
/// hundredths of a second.
const USER: usize = 11;
const KERNEL: usize = 12;
const START: usize = 19;
const TICKS: f64 = 100.0;
/// The private Redis is a program of its own.
const REDIS: &str = "redis-server";

struct Process {
    pid: u32,
    name: String,
    parent: u32,
    fields: Vec<String>,
}

impl Process {
    fn read(pid: u32) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (name, rest) = text.split_once('(')?.1.rsplit_once(')')?;
        let fields: Vec<String> = rest.split_whitespace().map(str::to_owned).collect();
        Some(Self { pid, name: name.to_owned(), parent: fields.get(1)?.parse().ok()?, fields })
    }

    fn seconds(&self, place: usize) -> f64 {
        self.fields.get(place).and_then(|ticks| ticks.parse::<f64>().ok()).unwrap_or(0.0) / TICKS
    }

    /// Kilobytes of a line of its memory: `Pss:` counts what is shared by its share.
    fn memory(&self, line: &str) -> f64 {
        let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.pid)).unwrap_or_default();
        let rest = text.lines().find_map(|found| found.strip_prefix(line)).unwrap_or_default();
        rest.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0.0)
    }
}

/// A process and all that it started.
fn tree(pid: u32) -> Vec<Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut others: Vec<Process> =
        entries.filter_map(|entry| Process::read(entry.file_name().to_str()?.parse().ok()?)).collect();
    let mut found: Vec<Process> = Vec::new();
    let mut parents = vec![pid];
    while !parents.is_empty() {
        let (children, rest): (Vec<Process>, Vec<Process>) = others
            .into_iter()
            .partition(|one| parents.contains(&one.parent) || (found.is_empty() && one.pid == pid));
        parents = children.iter().map(|one| one.pid).collect();
        found.extend(children);
        others = rest;
    }
    found
}

/// Seconds since a process was started.
pub(crate) fn age(pid: u32) -> f64 {
    let uptime = fs::read_to_string("/proc/uptime").unwrap_or_default();
    let up: f64 = uptime.split(' ').next().and_then(|seconds| seconds.parse().ok()).unwrap_or(0.0);
    up - Process::read(pid).map_or(up, |process| process.seconds(START))
}

/// Megabytes.
pub(crate) struct Memory {
    window_pss: f64,
    window_rss: f64,
    page_pss: f64,
    redis_pss: f64,
}

impl Memory {
    /// Of the window's processes now.
    pub(crate) fn of(pid: u32) -> Self {
        let mut memory = Self { window_pss: 0.0, window_rss: 0.0, page_pss: 0.0, redis_pss: 0.0 };
        for process in tree(pid) {
            let pss = process.memory("Pss:") / 1_024.0;
            if process.name == REDIS {
                memory.redis_pss += pss;
                continue;
            }
            memory.window_pss += pss;
            memory.window_rss += process.memory("Rss:") / 1_024.0;
            if process.name.starts_with("WebKitWeb") {
                memory.page_pss += pss;
            }
        }
        memory
    }

    /// Of the processes that draw its page.
    pub(crate) fn page_pss(&self) -> f64 {
        self.page_pss
    }

    pub(crate) fn told(&self) -> String {
        format!(
            "{:.0} MB; its page {:.0} MB; resident {:.0} MB; Redis {:.0} MB",
            self.window_pss, self.page_pss, self.window_rss, self.redis_pss
        )
    }

    pub(crate) fn say(&self, when: &str) {
        say(&format!("memory (PSS) {when}"), "empty + 100 MB", &self.told());
    }
}

/// Seconds of computing so far.
pub(crate) struct Computed {
    at: Instant,
    window: f64,
    page: f64,
    redis: f64,
}

/// Shares of a core.
pub(crate) struct Share {
    window: f64,
    page: f64,
    redis: f64,
}

impl Computed {
    /// By the window's processes until now.
    pub(crate) fn of(pid: u32) -> Self {
        let mut computed = Self { at: Instant::now(), window: 0.0, page: 0.0, redis: 0.0 };
        for process in tree(pid) {
            let seconds = process.seconds(USER) + process.seconds(KERNEL);
            if process.name == REDIS {
                computed.redis += seconds;
                continue;
            }
            computed.window += seconds;
            if process.name.starts_with("WebKitWeb") {
                computed.page += seconds;
            }
        }
        computed
    }

    pub(crate) fn since(&self, before: &Self) -> Share {
        let percent =
            |now: f64, then: f64| (now - then) / (self.at - before.at).as_secs_f64().max(0.001) * 100.0;
        Share {
            window: percent(self.window, before.window),
            page: percent(self.page, before.page),
            redis: percent(self.redis, before.redis),
        }
    }
}

impl Share {
    pub(crate) fn say(&self, minute: u32) {
        let measured =
            format!("{:.1} %; its page {:.1} %; Redis {:.1} %", self.window, self.page, self.redis);
        say(&format!("computing when idle, of one core: minute {minute}"), "< 2 %", &measured);
    }
}
