//! Every way in which a connection fails, named.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use tokio::io::AsyncWriteExt;
use watchpost_model::connection::TlsFiles;
use watchpost_model::diagnosis::CheckStep;
use watchpost_model::diagnosis::StepState;
use watchpost_redis::RedisTarget;
use watchpost_redis::TargetAddress;
use watchpost_redis::diagnose;

use crate::port::free_port;
use crate::support::PREFIX;
use crate::support::TestServer;
use crate::support::query;

fn states(steps: &[CheckStep]) -> String {
    steps.iter().map(|step| format!("{}={}", step.name, step.state)).collect::<Vec<_>>().join(" ")
}

fn failed(steps: &[CheckStep]) -> &CheckStep {
    let failed = steps.iter().find(|step| step.state == StepState::Failed);
    let failed = failed.unwrap_or_else(|| panic!("a step failed: {steps:?}"));
    assert!(failed.hint.is_some(), "a failure has a hint: {failed:?}");
    failed
}

fn tcp(port: u16, tls: Option<TlsFiles>) -> RedisTarget {
    RedisTarget {
        address: TargetAddress::Tcp { host: "127.0.0.1".into(), port, tls },
        also: Vec::new(),
        username: None,
        password: None,
        database: 0,
        prefix: PREFIX.into(),
        observe: false,
    }
}

#[tokio::test]
async fn a_good_server_passes_every_step() {
    let server = TestServer::start().await;
    let steps = diagnose(&server.target()).await;
    assert_eq!(states(&steps), "connect=ok login=ok rights=ok version=ok", "{steps:?}");
    assert!(steps[3].detail.starts_with("Redis "), "{steps:?}");
    let mut raw = server.raw().await;
    let keys: u64 = query(&mut raw, &["DBSIZE"]).await;
    assert_eq!(keys, 0, "the diagnosis changes nothing");
}

#[tokio::test]
async fn logins_fail_by_name() {
    let server = TestServer::with(&["--requirepass", "right"]).await;
    let with = |username: Option<&str>, password: Option<&str>| {
        let mut target = server.target();
        target.username = username.map(str::to_owned);
        target.password = password.map(str::to_owned);
        target
    };
    for (username, password, words) in [
        (None, None, "requires a password"),
        (None, Some("wrong"), "wrong password for the user default"),
        (Some("nobody"), Some("right"), "wrong password for the user nobody, or there is no such user"),
    ] {
        let steps = diagnose(&with(username, password)).await;
        assert_eq!(states(&steps), "connect=ok login=failed rights=skipped version=skipped", "{steps:?}");
        assert!(failed(&steps).detail.contains(words), "{words}: {steps:?}");
    }
    let steps = diagnose(&with(None, Some("right"))).await;
    assert_eq!(states(&steps), "connect=ok login=ok rights=ok version=ok", "{steps:?}");
    assert!(!format!("{:?}", with(None, Some("right"))).contains("right"), "a password is never shown");

    let open = TestServer::start().await;
    let mut target = open.target();
    target.password = Some("x".into());
    assert!(failed(&diagnose(&target).await).detail.contains("the server has none"));
    target.password = None;
    target.database = 99;
    assert!(failed(&diagnose(&target).await).detail.contains("database 99"));
}

#[tokio::test]
async fn what_is_no_redis_is_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let steps = diagnose(&RedisTarget::unix(dir.path().join("none.sock"), PREFIX)).await;
    assert_eq!(states(&steps), "connect=failed login=skipped rights=skipped version=skipped");
    assert!(failed(&steps).detail.contains("no such socket"), "{steps:?}");

    let steps = diagnose(&tcp(free_port(), None)).await;
    assert_eq!(states(&steps), "resolve=ok connect=failed login=skipped rights=skipped version=skipped");
    assert!(failed(&steps).detail.contains("refused"), "{steps:?}");

    for (greeting, words) in [
        (&b"SSH-2.0-OpenSSH_9.2\r\n"[..], "not a Redis: SSH-2.0"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "not a Redis: HTTP/1.1"),
        (b"-DENIED Redis is running in protected mode\r\n", "protected mode"),
        (b"\x15\x03\x03\x00\x02\x02\x46", "answers with TLS"),
        (b"", "closes it without an answer"),
    ] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = tcp(listener.local_addr().unwrap().port(), None);
        let serve = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(greeting).await.unwrap();
            stream.shutdown().await.unwrap();
            stream
        };
        let (steps, _stream) = tokio::join!(diagnose(&target), serve);
        assert!(failed(&steps).detail.contains(words), "{words}: {steps:?}");
    }

    // The system accepts for a process that is stopped; here nobody takes the connection.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let steps = diagnose(&tcp(listener.local_addr().unwrap().port(), None)).await;
    assert!(failed(&steps).detail.contains("accepted, but silent"), "{steps:?}");
}

#[tokio::test]
async fn missing_rights_are_listed_with_the_line_that_grants_them() {
    let server = TestServer::start().await;
    let mut raw = server.raw().await;
    let mut target = server.target();
    target.password = Some("secret".into());
    for (rule, state, detail, hint) in [
        (
            &["~security:*", "+@all", "-scan"][..],
            StepState::Failed,
            "to read events it lacks +scan",
            "~none +scan",
        ),
        (&["~other:*", "+@all"], StepState::Failed, "may not use the keys security:*", "~security:*"),
        (
            &["~security:*", "+@all", "-slowlog", "-memory|purge"],
            StepState::Warning,
            "to run maintenance it lacks +memory|purge; to watch health it lacks +slowlog|get",
            "'+memory|purge' '+slowlog|get'",
        ),
        (&["~security:*", "+@all", "-multi"], StepState::Warning, "without MULTI", "+multi"),
        // A command with "keys" in its name is not a key, and the answers of both versions tell them apart.
        (
            &["~security:*", "+@all", "-hkeys"],
            StepState::Failed,
            "to read events it lacks +hkeys",
            "wp +hkeys",
        ),
        (
            &["~security:*", "+@all", "-exec"],
            StepState::Warning,
            "to run maintenance it lacks +exec",
            "wp +exec",
        ),
        (&["~security:*", "+@all"], StepState::Ok, "all that Watchpost needs", ""),
    ] {
        let mut words = vec!["ACL", "SETUSER", "wp", "reset", "on", ">secret"];
        words.extend_from_slice(rule);
        let _: redis::Value = query(&mut raw, &words).await;
        target.username = Some("wp".into());
        let steps = diagnose(&target).await;
        let rights = steps.iter().find(|step| step.name == "rights").unwrap();
        assert_eq!(rights.state, state, "{rule:?}: {steps:?}");
        assert!(rights.detail.contains(detail), "{rule:?}: {rights:?}");
        let hint = hint.strip_prefix("~none ").unwrap_or(hint);
        assert!(rights.hint.as_deref().unwrap_or_default().contains(hint), "{rule:?}: {rights:?}");
    }
}

fn openssl(dir: &Path, arguments: &str) {
    let output = Command::new("openssl").current_dir(dir).args(arguments.split(' ')).output();
    let output = output.expect("openssl is installed");
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

pub(crate) fn certificates(dir: &Path) {
    let ca = "-x509 -newkey rsa:2048 -nodes -days 2 -addext basicConstraints=critical,CA:TRUE";
    openssl(dir, &format!("req {ca} -keyout ca.key -out ca.pem -subj /CN=test-ca"));
    openssl(dir, &format!("req {ca} -keyout other.key -out other.pem -subj /CN=other-ca"));
    std::fs::write(dir.join("good.ext"), "subjectAltName=IP:127.0.0.1\n").unwrap();
    std::fs::write(dir.join("client.ext"), "extendedKeyUsage=clientAuth\n").unwrap();
    for name in ["good", "client"] {
        openssl(
            dir,
            &format!("req -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.csr -subj /CN={name}"),
        );
        openssl(
            dir,
            &format!(
                "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile {name}.ext -out {name}.pem"
            ),
        );
    }
}

#[tokio::test]
async fn tls_fails_by_name() {
    let dir = tempfile::tempdir().unwrap();
    certificates(dir.path());
    let path = |name: &str| dir.path().join(name).display().to_string();
    let port = free_port();
    let options: BTreeMap<&str, String> = BTreeMap::from([
        ("--tls-port", port.to_string()),
        ("--bind", "127.0.0.1".to_owned()),
        ("--tls-cert-file", path("good.pem")),
        ("--tls-key-file", path("good.key")),
        ("--tls-ca-cert-file", path("ca.pem")),
        ("--tls-auth-clients", "yes".to_owned()),
    ]);
    let options: Vec<&str> = options.iter().flat_map(|(name, value)| [*name, value.as_str()]).collect();
    let _server = TestServer::with(&options).await;
    let files = |ca: &str, client: Option<&str>| {
        Some(TlsFiles {
            ca: Some(path(ca)),
            cert: client.map(|name| path(&format!("{name}.pem"))),
            key: client.map(|name| path(&format!("{name}.key"))),
        })
    };
    let good = diagnose(&tcp(port, files("ca.pem", Some("client")))).await;
    assert_eq!(states(&good), "resolve=ok connect=ok tls=ok login=warning rights=ok version=ok", "{good:?}");
    for (ca, client, words) in [
        ("other.pem", Some("client"), "not signed by this certificate authority"),
        ("ca.pem", None, "client certificate"),
        ("missing.pem", None, "Check the path"),
    ] {
        let steps = diagnose(&tcp(port, files(ca, client))).await;
        let step = failed(&steps);
        assert_eq!(step.name, "tls", "{steps:?}");
        assert!(step.hint.as_deref().unwrap().contains(words), "{ca} {client:?}: {step:?}");
    }
    let plain = diagnose(&tcp(port, None)).await;
    assert_eq!(failed(&plain).name, "connect", "{plain:?}");
}
