//! Trying a connection step by step, so that a failure names its cause and what to do.

use std::time::Duration;

use redis::AsyncConnectionConfig;
use redis::RedisResult;
use redis::Value;
use redis::aio::MultiplexedConnection;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::UnixStream;
use tokio::time::Instant;
use tokio::time::timeout;
use watchpost_model::diagnosis::CheckStep;
use watchpost_model::diagnosis::StepState;
use watchpost_model::text::visible;

use crate::error::RedisError;
use crate::error::looks_like_tls;
use crate::info::Info;
use crate::target::Login;
use crate::target::RedisTarget;
use crate::target::TargetAddress;

mod in_cluster;
mod of_user;
mod sentinels;

pub use self::of_user::acl_lines;

const STEP_TIMEOUT: Duration = Duration::from_secs(4);
/// The oldest server that knows all commands (`XAUTOCLAIM`, `SET ... PX` with scripts, `CLIENT`).
const VERSION_MIN: (u32, u32) = (6, 2);

/// Tries `target` step by step: resolve, connect, TLS, login, rights, version. Changes nothing on the server.
///
/// Shape: always the same steps for the same kind of address; after a failed one the later ones are `Skipped`.
pub async fn diagnose(target: &RedisTarget) -> Vec<CheckStep> {
    let (mut plan, mut told, mut target) = (Vec::<(&str, String)>::new(), Vec::new(), target.clone());
    let mut server = target.address.to_string();
    let mut tls = matches!(target.address, TargetAddress::Tcp { tls: Some(_), .. });
    if let TargetAddress::Sentinel(set) = &target.address {
        plan.push(("sentinels", format!("Ask the Sentinels for {}", set.master)));
        tls = set.tls.is_some();
        let (step, master) = Box::pin(sentinels::ask(set)).await;
        told.push(step);
        server = master.as_ref().map_or_else(|| "the master".to_owned(), ToString::to_string);
        if let Some(master) = master {
            target = target.with_server(&master, set.tls.clone());
        }
    }
    if let Some(other) = Box::pin(in_cluster::reached(&target)).await {
        server = other.to_string();
        let tls = match &target.address {
            TargetAddress::Tcp { tls, .. } => tls.clone(),
            TargetAddress::Unix(_) | TargetAddress::Sentinel(_) => None,
        };
        target = target.with_server(&other, tls);
    }
    match &target.address {
        TargetAddress::Unix(_) => {}
        TargetAddress::Tcp { host, .. } => plan.push(("resolve", format!("Find the address of {host}"))),
        TargetAddress::Sentinel(_) => plan.push(("resolve", "Find the address of the master".to_owned())),
    }
    plan.push(("connect", format!("Reach {server}")));
    if tls {
        plan.push(("tls", "Agree on TLS".to_owned()));
    }
    plan.push(("login", "Log in".to_owned()));
    plan.push(("rights", "Check the rights".to_owned()));
    plan.push(("version", "Check the server".to_owned()));
    let mut trial = Trial { target: &target, steps: told };
    if trial.steps.last().is_none_or(|step| step.state != StepState::Failed) {
        trial.run().await;
    }
    let done = trial.steps.len();
    let failed = trial.steps.last().is_some_and(|step| step.state == StepState::Failed);
    let mut steps = trial.steps;
    for (step, (name, title)) in steps.iter_mut().zip(&plan) {
        step.name = (*name).to_owned();
        step.title.clone_from(title);
    }
    steps.extend(plan.into_iter().skip(done).map(|(name, title)| CheckStep {
        name: name.to_owned(),
        title,
        state: StepState::Skipped,
        detail: if failed { "not tried, because the step before failed" } else { "not tried" }.to_owned(),
        hint: None,
    }));
    steps
}

struct Trial<'a> {
    target: &'a RedisTarget,
    steps: Vec<CheckStep>,
}

impl Trial<'_> {
    fn push(&mut self, state: StepState, detail: impl Into<String>, hint: Option<String>) {
        let (name, title) = (String::new(), String::new()); // Filled in from the plan.
        self.steps.push(CheckStep { name, title, state, detail: visible(&detail.into(), 600), hint });
    }

    fn ok(&mut self, detail: impl Into<String>) {
        self.push(StepState::Ok, detail, None);
    }

    fn fail(&mut self, detail: impl Into<String>, hint: &str) {
        self.push(StepState::Failed, detail, Some(hint.to_owned()));
    }

    /// Runs the steps until one fails.
    async fn run(&mut self) -> Option<()> {
        let (tls, reached) = match &self.target.address {
            TargetAddress::Unix(path) => {
                let reached = match timeout(STEP_TIMEOUT, UnixStream::connect(path)).await {
                    Ok(Ok(stream)) => Ok(Greeting::of(stream, false).await),
                    Ok(Err(error)) => Err(Some(error)),
                    Err(_) => Err(None),
                };
                (false, reached)
            }
            TargetAddress::Tcp { host, port, tls } => {
                let tls = tls.is_some();
                let addresses = self.resolve(host, *port).await?;
                let reached = match timeout(STEP_TIMEOUT, TcpStream::connect(addresses.as_slice())).await {
                    Ok(Ok(stream)) => Ok(Greeting::of(stream, tls).await),
                    Ok(Err(error)) => Err(Some(error)),
                    Err(_) => Err(None),
                };
                (tls, reached)
            }
            TargetAddress::Sentinel(_) => return None, // Nobody named a master.
        };
        self.connected(reached)?;
        let mut connection = self.open(tls).await?;
        let user = self.login(&mut connection).await?;
        self.rights(&mut connection, &user).await?;
        self.version(&mut connection).await
    }

    async fn resolve(&mut self, host: &str, port: u16) -> Option<Vec<std::net::SocketAddr>> {
        match timeout(STEP_TIMEOUT, tokio::net::lookup_host((host, port))).await {
            Ok(Ok(addresses)) => {
                let addresses: Vec<_> = addresses.collect();
                let shown: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
                self.ok(shown.join(", "));
                Some(addresses)
            }
            Ok(Err(error)) => {
                self.fail(
                    error.to_string(),
                    "Check the spelling of the host name, and that this machine's DNS knows it.",
                );
                None
            }
            Err(_) => {
                self.fail(
                    "no answer from the name service",
                    "Check this machine's DNS settings and its network.",
                );
                None
            }
        }
    }

    fn connected(&mut self, reached: Result<Greeting, Option<std::io::Error>>) -> Option<()> {
        use std::io::ErrorKind;
        let unix = matches!(self.target.address, TargetAddress::Unix(_));
        match reached {
            Ok(Greeting::Redis | Greeting::NotAsked) => {
                self.ok("reached");
                return Some(());
            }
            Ok(Greeting::Tls) => self.fail(
                "the server answers with TLS",
                "Turn TLS on for this connection, or use the server's port without TLS.",
            ),
            Ok(Greeting::Protected) => self.fail(
                "the server is in protected mode and refuses connections from other machines",
                "Set a password (requirepass or an ACL user) and bind the server to this network; never just turn \
                 protected mode off.",
            ),
            Ok(Greeting::Other(text)) => self.fail(
                format!("something answers, but not a Redis: {text}"),
                "Check the port: another program listens there. Redis listens on 6379 unless configured otherwise.",
            ),
            Ok(Greeting::Silent) => self.fail(
                "accepted, but silent: the connection is open, and no answer came within 4 seconds",
                "The server may be stopped, swapping or busy with one long command: look at its process and its log. \
                 If it expects TLS, turn TLS on for this connection.",
            ),
            Ok(Greeting::Closed) => self.fail(
                "something accepts the connection and closes it without an answer",
                "Check the port. If the server expects TLS, turn TLS on for this connection.",
            ),
            Err(None) => self.fail(
                "no answer within 4 seconds",
                "A firewall may drop the packets, or the address is wrong. Check that the port is open from this \
                 machine.",
            ),
            Err(Some(error)) => match error.kind() {
                ErrorKind::NotFound if unix => self.fail(
                    "there is no such socket",
                    "Check the path, and that the server runs with this `unixsocket`.",
                ),
                ErrorKind::ConnectionRefused => self.fail(
                    "nothing listens there (connection refused)",
                    "Check that the server runs, the port, and its `bind` setting.",
                ),
                ErrorKind::PermissionDenied => self.fail(
                    "this user may not open the socket",
                    "Check `unixsocketperm` and the owner of the socket and its directory.",
                ),
                _ => self.fail(error.to_string(), "Check the address and this machine's network."),
            },
        }
        None
    }

    /// Connects without logging in; with TLS this is a step of its own.
    async fn open(&mut self, tls: bool) -> Option<MultiplexedConnection> {
        let opened = async {
            let client = self.target.client(Login::No).await?;
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(Some(STEP_TIMEOUT))
                .set_response_timeout(Some(STEP_TIMEOUT));
            let classify = |error| RedisError::classify(error, &self.target.address.to_string());
            let mut connection =
                client.get_multiplexed_async_connection_with_config(&config).await.map_err(classify)?;
            // A refused client certificate shows only in the first answer.
            let pong: RedisResult<Value> = redis::cmd("PING").query_async(&mut connection).await;
            match pong {
                Err(error) if error.is_io_error() || looks_like_tls(&error) => Err(classify(error)),
                _ => Ok(connection),
            }
        };
        match opened.await {
            Ok(connection) => {
                if tls {
                    self.ok("certificate accepted");
                }
                Some(connection)
            }
            Err(error) => {
                let (detail, hint) = tls_words(&error);
                self.fail(detail, hint);
                None
            }
        }
    }

    /// Logs in; answers with the name of the user.
    async fn login(&mut self, connection: &mut MultiplexedConnection) -> Option<String> {
        let user = self.target.username.clone().unwrap_or_else(|| "default".to_owned());
        if let Some(password) = &self.target.password {
            let mut auth = redis::cmd("AUTH");
            if let Some(username) = &self.target.username {
                auth.arg(username);
            }
            auth.arg(password);
            let reply: RedisResult<Value> = auth.query_async(connection).await;
            if let Err(error) = reply {
                let (detail, hint) = login_words(&error, &user);
                self.fail(detail, &hint);
                return None;
            }
        }
        let mut pipe = redis::pipe();
        pipe.cmd("PING").ignore_errors();
        // The first database is what a connection begins with, and a user need not have the right to choose it.
        if self.target.database != 0 {
            let mut select = redis::cmd("SELECT");
            select.arg(self.target.database);
            pipe.add_command(select);
        }
        let replies: RedisResult<Vec<RedisResult<Value>>> = pipe.query_async(connection).await;
        let mut replies = match replies {
            Ok(replies) => replies.into_iter(),
            Err(error) => {
                self.fail(error.to_string(), "The connection broke while logging in; try again.");
                return None;
            }
        };
        match replies.next() {
            Some(Err(error)) if error.code() != Some("NOPERM") => {
                let (detail, hint) = login_words(&error, &user);
                self.fail(detail, &hint);
                return None;
            }
            _ => {}
        }
        if let Some(Err(error)) = replies.next() {
            let database = self.target.database;
            self.fail(
                format!("database {database} cannot be selected: {}", error.detail().unwrap_or_default()),
                "Use a database number that the server has (0 to 15 by default; a cluster has only 0).",
            );
            return None;
        }
        match &self.target.password {
            Some(_) => self.ok(format!("as {user}")),
            None => self.push(
                StepState::Warning,
                "the server asks for no password",
                Some(
                    "Anybody who reaches this server can read and change the events. Set a password."
                        .to_owned(),
                ),
            ),
        }
        if matches!(self.target.address, TargetAddress::Unix(_)) && self.target.password.is_none() {
            // A socket is guarded by its file permissions.
            self.steps.pop();
            self.ok("no password; the socket's permissions guard it");
        }
        Some(user)
    }

    async fn version(&mut self, connection: &mut MultiplexedConnection) -> Option<()> {
        let start = Instant::now();
        let _: RedisResult<Value> = redis::cmd("PING").query_async(connection).await;
        let ping_ms = start.elapsed().as_secs_f64() * 1_000.0;
        let text: RedisResult<String> = redis::cmd("INFO").query_async(connection).await;
        let info = match text {
            Ok(text) => Info::parse(&text),
            Err(error) => {
                self.push(
                    StepState::Warning,
                    format!("the server does not tell: {}", error.detail().unwrap_or_default()),
                    Some("Without INFO there is no health panel.".to_owned()),
                );
                return Some(());
            }
        };
        let shown = format!("{}, round trip {ping_ms:.1} ms", info.server());
        if info.compatible_version().is_none_or(|version| version < VERSION_MIN) {
            self.fail(shown, "Watchpost needs Redis 6.2 or newer, or Valkey.");
        } else if info.text("cluster_enabled") == Some("1") {
            self.cluster(connection, shown).await;
        } else if info.text("redis_mode") == Some("sentinel") {
            self.fail(
                format!("{shown}, a Sentinel"),
                "This is the Sentinel's port. Use redis+sentinel://HOST:PORT/NAME, with the name of the set of servers.",
            );
        } else if info.text("role") == Some("slave") {
            self.fail(format!("{shown}, a replica"), "Writes go to the primary only; connect to that one.");
        } else if info.text("loading") == Some("1") {
            self.fail(
                format!("{shown}, still loading its data"),
                "Wait until it has loaded, then try again.",
            );
        } else {
            self.ok(shown);
        }
        Some(())
    }
}

/// What answers at the other end.
enum Greeting {
    Redis,
    /// With TLS nothing can be asked in clear.
    NotAsked,
    Tls,
    Protected,
    Other(String),
    /// The connection stays open, and nothing comes.
    Silent,
    /// It was closed, and nothing came.
    Closed,
}

impl Greeting {
    async fn of(mut stream: impl AsyncRead + AsyncWrite + Unpin, tls: bool) -> Self {
        if tls {
            return Self::NotAsked;
        }
        let mut answer = [0; 256];
        let ask = async {
            stream.write_all(b"PING\r\n").await?;
            stream.read(&mut answer).await
        };
        let answer = match timeout(STEP_TIMEOUT, ask).await {
            Ok(Ok(n)) if n > 0 => &answer[..n],
            Ok(_) => return Self::Closed,
            Err(_) => return Self::Silent,
        };
        match answer {
            [b'+', ..] => Self::Redis,
            [0x15, 0x03, ..] => Self::Tls,
            _ if answer.starts_with(b"-DENIED") => Self::Protected,
            [b'-', ..] => Self::Redis,
            _ => Self::Other(visible(&String::from_utf8_lossy(answer), 60)),
        }
    }
}

fn login_words(error: &redis::RedisError, user: &str) -> (String, String) {
    let detail = error.detail().unwrap_or_default();
    match error.code() {
        Some("NOAUTH") => (
            "the server requires a password and none is given".to_owned(),
            "Enter the password (and the user name, if the server uses ACL users).".to_owned(),
        ),
        Some("WRONGPASS") => (
            format!("wrong password for the user {user}, or there is no such user, or it is disabled"),
            "Redis does not say which, on purpose. Check both; `ACL LIST` on the server shows its users."
                .to_owned(),
        ),
        Some("ERR") if detail.contains("without any password configured") => (
            "a password is given, but the server has none for the default user".to_owned(),
            "Leave the password empty, or give the user name that it belongs to.".to_owned(),
        ),
        Some("LOADING") => (
            "the server is still loading its data".to_owned(),
            "Wait until it has loaded, then try again.".to_owned(),
        ),
        Some(code) => (format!("{code} {detail}"), "The server's log may tell more.".to_owned()),
        None => (error.to_string(), "The connection broke while logging in; try again.".to_owned()),
    }
}

fn tls_words(error: &RedisError) -> (String, &'static str) {
    let RedisError::Tls(source) = error else {
        let hint = match error {
            RedisError::TlsFile { .. } => "Check the path and that this user may read the file.",
            RedisError::TimedOut(_) => "The server may not speak TLS on this port.",
            RedisError::Client(_) => "Check that the files for TLS are PEM and belong together.",
            _ => {
                "The server closed the connection: it may not speak TLS on this port, or wants a client certificate."
            }
        };
        let cause = std::error::Error::source(error).map(|source| format!(": {source}")).unwrap_or_default();
        return (format!("{error}{cause}"), hint);
    };
    let text = source.to_string();
    let hint = if text.contains("UnknownIssuer") {
        "The server's certificate is not signed by this certificate authority. Give the CA file that signed it."
    } else if text.contains("NotValidForName") {
        "The certificate is for another name. Connect by the name in the certificate."
    } else if text.contains("Expired") || text.contains("NotValidYet") {
        "The certificate is not valid now. Renew it, and check this machine's clock."
    } else if text.contains("CertificateRequired") || text.contains("certificate required") {
        "The server wants a client certificate: give certificate and key."
    } else if text.contains("corrupt message") || text.contains("InvalidContentType") {
        "The server does not speak TLS on this port: turn TLS off or use its TLS port."
    } else {
        "Check the CA file, the client certificate and the server's TLS settings."
    };
    (text, hint)
}
