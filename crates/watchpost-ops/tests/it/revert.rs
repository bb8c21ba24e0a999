//! The optimisation and the way back, through the door, on a real server.

use watchpost_model::clock::{Clock, SystemClock};
use watchpost_model::job::JobReport;
use watchpost_ops::connections::local_connection;
use watchpost_ops::console::Tenure;
use watchpost_ops::contract::{AuditPageRequest, OptimizeRequest};
use watchpost_ops::door::operation;
use watchpost_ops::error::ErrorCode;

use crate::door::{Desk, desk, folder, production};
use crate::jobs::{cli, figure, report};

/// Events with a payload that is compressed, one of them larger than a script is given; with one that the compact encoding
/// has no room for; and with a small one.
const LONG: usize = 20;
const MIDDLE: usize = 20;
const SMALL: usize = 20;
const LARGE_BYTES: usize = 90_000;

/// A line for each event: key, expiry, encoding, digest of all its fields.
const LOOK: &str = "local keys, told = redis.call('KEYS', 'security:auth:*'), {} table.sort(keys) \
    for _, key in ipairs(keys) do \
      local h, parts = redis.call('HGETALL', key), {} \
      for i = 1, #h, 2 do parts[#parts + 1] = #h[i] .. h[i] .. '=' .. h[i + 1] end \
      table.sort(parts) \
      local at = string.format('%.0f', redis.call('PEXPIRETIME', key)) \
      local digest = redis.sha1hex(table.concat(parts, ',')) \
      told[#told + 1] = key .. ' ' .. at .. ' ' .. redis.call('OBJECT', 'ENCODING', key) .. ' ' .. digest \
    end return table.concat(told, '\\n')";

#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    key: String,
    expires: i64,
    encoding: String,
    digest: String,
}

fn look(home: &tempfile::TempDir) -> Vec<Seen> {
    let told = cli(home, &["EVAL", LOOK, "0"]);
    let seen = told.lines().map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        let [key, expires, encoding, digest] = words[..] else { panic!("{line}") };
        Seen {
            key: key.to_owned(),
            expires: expires.parse().expect("a number"),
            encoding: encoding.to_owned(),
            digest: digest.to_owned(),
        }
    });
    seen.collect()
}

/// Events as an application writes them that neither compresses nor gives each one an expiry; the bytes of long payloads.
fn fill(home: &tempfile::TempDir) -> u64 {
    let now = SystemClock.now().timestamp_millis();
    let mut long = 0;
    for n in 0..LONG + MIDDLE + SMALL {
        let length = match n {
            0 => LARGE_BYTES,
            _ if n < LONG => 1_500 + 37 * n,
            _ if n < LONG + MIDDLE => 70 + n,
            _ => 10,
        };
        let mut text = format!("{n} ");
        while text.len() < length {
            text.push_str("the quick brown fox jumps over the lazy dog ");
        }
        text.truncate(length);
        let payload = format!(r#"{{ "details": {{"text": "{text}"}} }}"#);
        if n < LONG {
            long += payload.len() as u64;
        }
        let at = now - 1_000_000 + i64::try_from(n).expect("a small number");
        let key = format!("security:auth:{at}");
        cli(home, &["HSET", &key, "type", "login", "actor", "\u{e9}ve", "payload", &payload]);
        if n % 3 != 0 {
            cli(home, &["PEXPIREAT", &key, &(at + 1_000_000_000).to_string()]);
        }
    }
    long
}

async fn preview(desk: &Desk, revert: bool) -> JobReport {
    desk.ask::<operation::optimize_preview>(OptimizeRequest { revert }).await.expect("it can be previewed")
}

#[tokio::test]
async fn what_was_optimised_is_written_back_byte_for_byte() {
    let home = folder();
    let desk = desk(&home, Tenure::Guest, local_connection()).await;
    let long_bytes = fill(&home);
    // Nothing that can be decompressed: left alone, and told.
    cli(
        &home,
        &["HSET", "security:data:1700000000000", "type", "x", "payload", "{}", "payload_encoding", "zstd"],
    );
    let before = look(&home);
    assert_eq!(before.len(), LONG + MIDDLE + SMALL);

    cli(&home, &["CONFIG", "SET", "hash-max-listpack-value", "256"]);
    let run = desk.ask::<operation::optimize_run>(OptimizeRequest::default()).await.unwrap();
    let run = desk.finish(run).await;
    assert_eq!(figure(report(&run), "compressed"), LONG as u64, "{run:?}");
    assert!(figure(report(&run), "recoded") >= MIDDLE as u64, "{run:?}");
    let optimised = look(&home);
    for (n, (before, optimised)) in before.iter().zip(&optimised).enumerate() {
        assert_eq!(before.digest == optimised.digest, n >= LONG, "long ones are compressed: {before:?}");
        assert!(n < LONG || optimised.encoding == "listpack", "{optimised:?}");
        assert!(optimised.expires > 0, "each has an expiry now: {optimised:?}");
    }

    cli(&home, &["CONFIG", "SET", "hash-max-listpack-value", "64"]);
    let would = preview(&desk, true).await;
    assert_eq!(look(&home), optimised, "a preview writes nothing");
    let run = desk.ask::<operation::optimize_run>(OptimizeRequest { revert: true }).await.unwrap();
    let run = desk.finish(run).await;
    let did = report(&run);
    for (name, expect) in
        [("written_back", LONG as u64), ("widened", MIDDLE as u64), ("payload_after_bytes", long_bytes)]
    {
        assert_eq!((figure(&would, name), figure(did, name)), (expect, expect), "{name}: {did:?}");
    }
    assert!(figure(did, "payload_before_bytes") * 3 < long_bytes, "{did:?}");
    assert!(did.notes.iter().any(|note| note.starts_with("1 payloads cannot be")), "{did:?}");
    assert!(run.parameters.starts_with("revert, "), "{run:?}");

    let after = look(&home);
    for ((before, optimised), after) in before.iter().zip(&optimised).zip(&after) {
        // What had an expiry has that one, to the millisecond; what was given one keeps it.
        let expires = if before.expires > 0 { before.expires } else { optimised.expires };
        assert_eq!(after, &Seen { expires, ..before.clone() });
    }
    let page = desk.ask::<operation::audit_page>(AuditPageRequest { limit: 20, ..Default::default() }).await;
    let page = page.unwrap();
    let of_run = page.rows.iter().filter(|row| row.object == format!("job/{}", run.id));
    let told: Vec<_> = of_run.flat_map(|row| &row.changes).collect();
    for (field, new) in [("written_back", LONG.to_string()), ("ended", "done".to_owned())] {
        assert!(told.iter().any(|change| change.field == field && change.new == new), "{field}: {told:?}");
    }

    let again = preview(&desk, true).await;
    assert_eq!((figure(&again, "written_back"), figure(&again, "widened")), (0, 0), "{again:?}");
    assert_eq!(
        figure(&preview(&desk, false).await, "compressed"),
        LONG as u64,
        "and it may be optimised again"
    );
    desk.console.close().await;
}

#[tokio::test]
async fn production_is_told_how_much_the_way_back_touches() {
    let home = folder();
    let local = desk(&home, Tenure::Guest, local_connection()).await;
    fill(&home);
    let run = local.ask::<operation::optimize_run>(OptimizeRequest::default()).await.unwrap();
    assert_eq!(figure(report(&local.finish(run).await), "compressed"), LONG as u64);
    let optimised = look(&home);

    let shop = desk(&home, Tenure::Guest, production(&home)).await;
    let refusal = shop.ask::<operation::optimize_run>(OptimizeRequest { revert: true }).await.unwrap_err();
    assert_eq!(
        (refusal.code, refusal.field.as_deref()),
        (ErrorCode::Precondition, Some("confirmation")),
        "{refusal}"
    );
    assert!(refusal.message.contains(&format!("; it touches {LONG} of ")), "{refusal}");
    assert_eq!(look(&home), optimised, "nothing was written");
    shop.console.close().await;
    local.console.close().await;
}
