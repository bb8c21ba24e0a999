//! PostgreSQL over TLS: the server is checked in full, name and authority, and nothing is sent to another one.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use tempfile::TempDir;
use watchpost_model::clock::SystemClock;
use watchpost_model::connection::TlsFiles;
use watchpost_store::{DatabaseTarget, Store, StoreError};

use crate::support::{draft, postgres_bin, postgres_program};

/// An authority, a server certificate of it for `localhost`, and an authority that has nothing to do with them.
const CERTIFICATES: &str = r#"
set -e
cd "$1"
authority() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign -keyout "$1.key" -out "$1.pem"
}
authority ours
authority theirs
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout server.key -out server.csr
printf 'subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n' > extensions
openssl x509 -req -in server.csr -CA ours.pem -CAkey ours.key -CAcreateserial -days 2 -extfile extensions -out server.pem
chmod 600 server.key
"#;

struct Server {
    child: Child,
    port: u16,
    files: TempDir,
    _folder: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        // `setpriv` became the server: the child is it.
        let _ = Command::new("kill").args(["-s", "INT", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

impl Server {
    /// A server that takes nothing but TLS; `None` where there is none to start.
    fn start() -> Option<Self> {
        let bin = postgres_bin()?;
        let files = tempfile::tempdir().unwrap();
        let made = Command::new("sh").args(["-c", CERTIFICATES, "certificates"]).arg(files.path()).output();
        let made = made.unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let folder = tempfile::Builder::new().prefix("wp-tls-").tempdir().unwrap();
        for name in ["server.pem", "server.key"] {
            std::fs::copy(files.path().join(name), folder.path().join(name)).unwrap();
        }
        let data = folder.path().join("data");
        let initdb = postgres_program(&bin, "initdb", folder.path());
        let made = Command::new(&initdb[0])
            .args(&initdb[1..])
            .args(["-U", "watchpost", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "-D"])
            .arg(&data)
            .current_dir("/")
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        std::fs::write(data.join("pg_hba.conf"), "hostssl all all all trust\n").unwrap();
        let mut why = String::new();
        // A port that is free now may be taken before the server has it: then the next one.
        for _ in 0..10 {
            let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            match spawn(&bin, folder.path(), &data, port) {
                Ok(child) => return Some(Self { child, port, files, _folder: folder }),
                Err(said) => why = said,
            }
        }
        panic!("the server did not start: {why}");
    }

    fn target(&self, host: &str, ca: Option<&str>) -> DatabaseTarget {
        let file = |name: &str| self.files.path().join(name).display().to_string();
        DatabaseTarget::Postgres {
            host: host.to_owned(),
            port: self.port,
            database: "postgres".to_owned(),
            username: "watchpost".to_owned(),
            password: None,
            tls: ca.map(|ca| TlsFiles { ca: Some(file(ca)), cert: None, key: None }),
        }
    }
}

/// The server once it listens, or what it said before it ended.
fn spawn(bin: &Path, folder: &Path, data: &Path, port: u16) -> Result<Child, String> {
    let words = postgres_program(bin, "postgres", folder);
    let set = |name: &str, value: PathBuf| format!("{name}={}", value.display());
    let settings = [
        "listen_addresses=localhost".to_owned(),
        "unix_socket_directories=".to_owned(),
        "fsync=off".to_owned(),
        "ssl=on".to_owned(),
        format!("port={port}"),
        set("ssl_cert_file", folder.join("server.pem")),
        set("ssl_key_file", folder.join("server.key")),
    ];
    let mut child = Command::new(&words[0])
        .args(&words[1..])
        .arg("-D")
        .arg(data)
        .args(settings.iter().flat_map(|setting| ["-c", setting]))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut said = Vec::new();
    while let Some(line) = lines.next() {
        if line.contains("ready to accept connections") {
            // Read on, so that it never waits for a reader.
            std::thread::spawn(move || lines.for_each(drop));
            return Ok(child);
        }
        said.push(line);
    }
    child.wait().unwrap();
    Err(said.join("\n"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_believed_by_name_and_authority_only() {
    let Some(server) = Server::start() else { return };
    let clock = Arc::new(SystemClock);
    let store = Store::open(&server.target("localhost", Some("ours.pem")), clock.clone()).await;
    let store = store.expect("its own authority vouches for it, by its name");
    store.audit_append(draft("incident_take")).await.unwrap();
    store.close().await;
    for (what, target) in [
        ("another authority", server.target("localhost", Some("theirs.pem"))),
        ("the authorities of this machine", {
            let mut target = server.target("localhost", Some("ours.pem"));
            if let DatabaseTarget::Postgres { tls: Some(files), .. } = &mut target {
                files.ca = None;
            }
            target
        }),
        ("another name", server.target("127.0.0.1", Some("ours.pem"))),
        ("no TLS", server.target("localhost", None)),
        ("an authority that is not there", server.target("localhost", Some("nothing.pem"))),
    ] {
        let refused = Store::open(&target, clock.clone()).await.expect_err(what);
        let said = refused.to_string();
        assert!(
            matches!(
                refused,
                StoreError::Unavailable(_)
                    | StoreError::Database(_)
                    | StoreError::Login { .. }
                    | StoreError::TlsFile { .. }
            ),
            "{what}: {refused:?}"
        );
        assert!(!said.is_empty(), "{what}");
    }
}
