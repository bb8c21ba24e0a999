//! Passes over all keys: their time beside the raw limit and `redis-cli --memkeys`, and their memory.

use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::json;

use crate::fill::{Kind, fill};
use crate::wire::Server;
use crate::{Failure, Figure, client, fill, median, number};

const MIB: f64 = 1_024.0;
/// What a client may take, in MiB.
const MEMORY_MAX: f64 = 64.0;

fn filled(keys: u64) -> Result<Server, Failure> {
    let server = Server::start()?;
    fill(&mut server.wire()?, keys, Kind::Small)?;
    Ok(server)
}

fn memkeys(server: &Server) -> Result<f64, Failure> {
    let begun = Instant::now();
    let status = Command::new("redis-cli")
        .arg("-s")
        .arg(server.socket())
        .arg("--memkeys")
        .stdout(Stdio::null())
        .status()?;
    if status.success() {
        Ok(begun.elapsed().as_secs_f64())
    } else {
        Err("redis-cli --memkeys failed".into())
    }
}

/// 1: `TYPE`, `MEMORY USAGE` and `PTTL` of every key.
pub(crate) fn full(keys: u64) -> Result<Vec<Figure>, Failure> {
    let server = filled(keys)?;
    let home = tempfile::tempdir()?;
    let (mut raw, mut own, mut peer, mut kib, mut pauses) =
        (Vec::new(), Vec::new(), Vec::new(), 0.0_f64, 0.0);
    for _ in 0..3 {
        let begun = Instant::now();
        if server.wire()?.raw_scan()? < keys {
            return Err("the raw walk missed keys".into());
        }
        raw.push(begun.elapsed().as_secs_f64());
        let pass = client("stats", &server.socket(), home.path(), 0)?;
        if number(&pass, "/keys") < keys as f64 {
            return Err("the pass missed keys".into());
        }
        own.push(number(&pass, "/seconds"));
        kib = kib.max(number(&pass, "/rss_kib"));
        pauses += number(&pass, "/pauses");
        peer.push(memkeys(&server)?);
    }
    let (raw, own, peer) = (median(raw), median(own), median(peer));
    let from = json!({ "raw_s": raw, "pass_s": own, "memkeys_s": peer, "rss_kib": kib, "pauses": pauses });
    Ok(vec![
        Figure {
            part: 1,
            what: "full pass / redis-cli --memkeys".to_owned(),
            goal: "<= 0.6".to_owned(),
            measured: format!("{:.2} ({own:.1} s / {peer:.1} s)", own / peer),
            met: own / peer <= 0.6,
            from: from.clone(),
        },
        Figure {
            part: 1,
            what: "full pass / raw SCAN COUNT 1000".to_owned(),
            goal: "<= 3.0".to_owned(),
            measured: format!("{:.2} ({own:.1} s / {raw:.1} s)", own / raw),
            met: own / raw <= 3.0,
            from: from.clone(),
        },
        peak(1, keys, kib, from),
    ])
}

fn peak(part: u32, keys: u64, kib: f64, from: serde_json::Value) -> Figure {
    Figure {
        part,
        what: format!("memory of the client at {keys} keys"),
        goal: format!("<= {MEMORY_MAX} MiB"),
        measured: format!("{:.1} MiB", kib / MIB),
        met: kib / MIB <= MEMORY_MAX,
        from,
    }
}

/// 2: fifty patterns in one pass.
pub(crate) fn patterns(keys: u64) -> Result<Vec<Figure>, Failure> {
    let server = filled(keys)?;
    let home = tempfile::tempdir()?;
    let (mut one, mut fifty, mut asked) = (Vec::new(), Vec::new(), 0.0);
    for _ in 0..3 {
        one.push(number(&client("stats", &server.socket(), home.path(), 1)?, "/seconds"));
        let pass = client("stats", &server.socket(), home.path(), 50)?;
        fifty.push(number(&pass, "/seconds"));
        asked = number(&pass, "/asked");
    }
    // Four categories and forty endpoints hold every key once, and six of ten digits hold some twice.
    if asked <= keys as f64 {
        return Err(format!("fifty patterns fitted only {asked} times").into());
    }
    let (one, fifty) = (median(one), median(fifty));
    Ok(vec![Figure {
        part: 2,
        what: "50 patterns / 1 pattern".to_owned(),
        goal: "<= 1.3".to_owned(),
        measured: format!("{:.2} ({fifty:.1} s / {one:.1} s)", fifty / one),
        met: fifty / one <= 1.3,
        from: json!({ "one_s": one, "fifty_s": fifty, "fitted": asked, "patterns": fill::patterns(50).len() }),
    }])
}

/// 7: the memory of a pass over many keys.
pub(crate) fn memory(keys: u64) -> Result<Vec<Figure>, Failure> {
    let server = filled(keys)?;
    let home = tempfile::tempdir()?;
    let pass = client("stats", &server.socket(), home.path(), 50)?;
    let kib = number(&pass, "/rss_kib");
    Ok(vec![peak(7, keys, kib, pass)])
}
