//! The figures of looking after Redis: `cargo xtask bench redis` builds and runs it.
//!
//! Each part starts private servers on Unix sockets in temporary folders and fills them. What is measured runs in a
//! process of its own beside what it is compared with, in one run, so that the ratios hold whatever the machine; the
//! absolute figures are those of this machine. Needs `redis-server` and `redis-cli`, which must not be busy otherwise.
//!
//! `redis_bench [--keys N] [--only 1,2,...] [--json]`; the parts are the numbers to reach, 7 is the memory of a pass over
//! five times as many keys.

mod client;
mod fill;
mod jobs;
mod passes;
mod wire;

use std::io::Write;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

pub(crate) type Failure = Box<dyn std::error::Error>;

const KEYS: u64 = 1_000_000;

/// That of the daemon.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// One figure against its goal.
pub(crate) struct Figure {
    pub(crate) part: u32,
    pub(crate) what: String,
    pub(crate) goal: String,
    pub(crate) measured: String,
    pub(crate) met: bool,
    /// Everything it was computed from.
    pub(crate) from: Value,
}

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1).peekable();
    if arguments.next_if(|word| word == "client").is_some() {
        return say(&client::run(arguments)?.to_string());
    }
    let (mut keys, mut parts, mut as_json) = (KEYS, vec![1, 2, 3, 4, 5, 6, 7], false);
    while let Some(word) = arguments.next() {
        match word.as_str() {
            "--keys" => keys = arguments.next().ok_or("--keys takes a number")?.parse()?,
            "--only" => {
                let list = arguments.next().ok_or("--only takes numbers of parts")?;
                parts = list.split(',').map(str::parse).collect::<Result<_, _>>()?;
            }
            "--json" => as_json = true,
            other => return Err(format!("unknown argument {other}").into()),
        }
    }
    if !as_json {
        say(&format!("{keys} keys; {:<45} {:<26} {:<34} met", "what", "goal", "measured"))?;
    }
    let mut all = Vec::new();
    for part in parts {
        let figures = match part {
            1 => passes::full(keys)?,
            2 => passes::patterns(keys)?,
            3 => jobs::probe(keys.min(200_000))?,
            4 => jobs::retention(keys.min(200_000))?,
            5 => jobs::export(keys)?,
            6 => jobs::encoding(keys.min(100_000))?,
            7 => passes::memory(keys * 5)?,
            other => return Err(format!("there is no part {other}").into()),
        };
        for figure in figures {
            let Figure { part, what, goal, measured, met, from } = figure;
            if !as_json {
                let met = if met { "yes" } else { "NO" };
                say(&format!("{part}  {what:<53} {goal:<26} {measured:<34} {met}"))?;
            }
            all.push(json!({
                "part": part, "what": what, "goal": goal, "measured": measured, "met": met, "from": from,
            }));
        }
    }
    if as_json {
        say(&json!({ "keys": keys, "figures": all }).to_string())?;
    }
    Ok(())
}

fn say(line: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

/// Runs a part of [`client`] in a process of its own.
pub(crate) fn client(what: &str, socket: &Path, home: &Path, number: usize) -> Result<Value, Failure> {
    let output = Command::new(std::env::current_exe()?)
        .args(["client", what])
        .arg(socket)
        .arg(home)
        .arg(number.to_string())
        .output()?;
    if !output.status.success() {
        return Err(format!("{what}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

pub(crate) fn number(value: &Value, path: &str) -> f64 {
    value.pointer(path).and_then(Value::as_f64).unwrap_or(f64::NAN)
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
