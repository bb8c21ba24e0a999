//! An engine that has nothing to do leaves the server alone.

use std::process::Command;

use watchpost_model::clock::{Clock, SystemClock};
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;

use crate::door::{desk, folder};
use crate::faults::wait;

/// Each waits 400 ms for the next event; between two passes over the keys there were two seconds.
const READS: u64 = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_looked_through_again_when_somebody_has_written() {
    let home = folder();
    let desk = desk(&home, Tenure::Owner, local_connection()).await;
    desk.console.until_idle().await.expect("the engine works");
    let socket = home.path().join("data/workspace/redis.sock");
    let ask = |words: &[&str]| {
        let output = Command::new("redis-cli").arg("-s").arg(&socket).args(words).output();
        String::from_utf8_lossy(&output.expect("redis-cli comes with redis-server").stdout).trim().to_owned()
    };
    let calls = |name: &str| -> u64 {
        let (says, begin) = (ask(&["INFO", "commandstats"]), format!("cmdstat_{name}:calls="));
        let calls = says.lines().find_map(|line| line.strip_prefix(&begin)?.split(',').next()?.parse().ok());
        calls.unwrap_or(0)
    };
    let at = SystemClock.now().timestamp_millis();
    for key in [format!("security:auth:{at}"), format!("security:auth:{}", at + 1)] {
        // It reads on and on, longer than a pass ever rested, and looks through no keys.
        let (mut scans, mut reads) = (0, 0);
        wait("it rests", || {
            let (scans_now, reads_now) = (calls("scan"), calls("xreadgroup"));
            if scans_now != scans {
                (scans, reads) = (scans_now, reads_now);
            }
            reads_now >= reads + READS
        })
        .await;
        assert_eq!(ask(&["HSET", &key, "type", "login_failure", "actor", "eve"]), "2");
        wait("it is found", || ask(&["HEXISTS", &key, "_q"]) == "1").await;
    }
}
