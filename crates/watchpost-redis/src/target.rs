//! Where a Redis is and how to log in to it.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use redis::Client;
use redis::ClientTlsConfig;
use redis::ConnectionAddr;
use redis::IntoConnectionInfo;
use redis::RedisConnectionInfo;
use redis::TlsCertificates;
use redis::io::tcp::TcpSettings;
use redis::io::tcp::socket2::TcpKeepalive;
use watchpost_model::connection::HostPort;
use watchpost_model::connection::TlsFiles;
use watchpost_model::connection::host_ports;

use crate::error::RedisError;

/// Silence after which a keepalive probe is sent, and the pause between probes.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// Unacknowledged data older than this breaks the connection instead of hanging it.
const USER_TIMEOUT: Duration = Duration::from_secs(20);

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetAddress {
    /// A Unix socket.
    Unix(PathBuf),
    /// TCP, with TLS if `tls` is there.
    Tcp {
        /// Host name or address.
        host: String,
        /// Port.
        port: u16,
        /// PEM files; `Some(TlsFiles::default())` is TLS with the certificates of the system.
        tls: Option<TlsFiles>,
    },
    /// The master that Sentinels name.
    Sentinel(SentinelAddress),
}

/// Sentinels, how to log in to them, and which master to ask them for.
#[derive(Clone, PartialEq, Eq)]
pub struct SentinelAddress {
    /// The Sentinels; best all of them.
    pub sentinels: Vec<HostPort>,
    /// The name of the set of servers.
    pub master: String,
    /// ACL user of the Sentinels; `default` if absent.
    pub username: Option<String>,
    /// Password of the Sentinels; never shown by `Debug`. That of the servers is the target's.
    pub password: Option<String>,
    /// For Sentinels and servers; as [`TargetAddress::Tcp`].
    pub tls: Option<TlsFiles>,
}

impl fmt::Debug for SentinelAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SentinelAddress")
            .field("sentinels", &self.sentinels)
            .field("master", &self.master)
            .field("username", &self.username)
            .field("password", &self.password.as_ref().map(|_| "<redacted>"))
            .field("tls", &self.tls)
            .finish()
    }
}

impl fmt::Display for TargetAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => path.display().fmt(f),
            Self::Tcp { host, port, .. } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port, .. } => write!(f, "{host}:{port}"),
            Self::Sentinel(set) => {
                write!(f, "{} by Sentinel ({})", set.master, host_ports(&set.sentinels))
            }
        }
    }
}

/// A Redis, its login and the prefix of the contract's keys.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisTarget {
    /// Where.
    pub address: TargetAddress,
    /// Further nodes of the same cluster, which are asked when the server at `address` does not answer; one that is in no
    /// cluster is left alone.
    pub also: Vec<HostPort>,
    /// ACL user; `default` if absent.
    pub username: Option<String>,
    /// Password; never shown by `Debug`.
    pub password: Option<String>,
    /// Number of the logical database.
    pub database: u32,
    /// Prefix of all keys of the contract, with its trailing colon: `security:`.
    pub prefix: String,
    /// Nothing is written to it.
    pub observe: bool,
}

impl fmt::Debug for RedisTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisTarget")
            .field("address", &self.address)
            .field("also", &self.also)
            .field("username", &self.username)
            .field("password", &self.password.as_ref().map(|_| "<redacted>"))
            .field("database", &self.database)
            .field("prefix", &self.prefix)
            .field("observe", &self.observe)
            .finish()
    }
}

/// Whether a client logs in while it connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Login {
    /// With the credentials of the target.
    Yes,
    /// Not at all: the diagnosis does that step by itself.
    No,
}

impl RedisTarget {
    /// A server on a Unix socket without login.
    #[must_use]
    pub fn unix(path: impl Into<PathBuf>, prefix: &str) -> Self {
        Self {
            address: TargetAddress::Unix(path.into()),
            also: Vec::new(),
            username: None,
            password: None,
            database: 0,
            prefix: prefix.to_owned(),
            observe: false,
        }
    }

    /// The same with the server at `at`, for one that had to be asked for.
    pub(crate) fn with_server(&self, at: &HostPort, tls: Option<TlsFiles>) -> Self {
        let address = TargetAddress::Tcp { host: at.host.clone(), port: at.port, tls };
        Self { address, ..self.clone() }
    }

    /// A client of the library for this target; connects nowhere yet.
    ///
    /// # Errors
    /// `TlsFile` if a file cannot be read, `Client` if it holds no usable PEM; `NoMaster` for Sentinels, which have to
    /// be asked first ([`crate::route::Route`]).
    pub(crate) async fn client(&self, login: Login) -> Result<Client, RedisError> {
        let mut settings = RedisConnectionInfo::default();
        if login == Login::Yes {
            settings = settings
                .set_db(i64::from(self.database))
                .set_lib_name("watchpost", env!("CARGO_PKG_VERSION"));
            if let Some(password) = &self.password {
                settings = settings.set_password(password);
                if let Some(username) = &self.username {
                    settings = settings.set_username(username);
                }
            }
        } else {
            settings = settings.set_skip_set_lib_name();
        }
        let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE);
        let tcp =
            TcpSettings::default().set_nodelay(true).set_keepalive(keepalive).set_user_timeout(USER_TIMEOUT);
        let (address, tls) = match &self.address {
            TargetAddress::Unix(path) => (ConnectionAddr::Unix(path.clone()), None),
            TargetAddress::Tcp { host, port, tls: None } => (ConnectionAddr::Tcp(host.clone(), *port), None),
            TargetAddress::Tcp { host, port, tls: Some(files) } => (
                ConnectionAddr::TcpTls { host: host.clone(), port: *port, insecure: false, tls_params: None },
                Some(read_certificates(files).await?),
            ),
            TargetAddress::Sentinel(set) => {
                return Err(RedisError::NoMaster {
                    set: set.master.clone(),
                    reason: "the Sentinels were not asked".to_owned(),
                });
            }
        };
        let to_error = |error| RedisError::classify(error, &self.address.to_string());
        let info = address.into_connection_info().map_err(to_error)?;
        let info = info.set_redis_settings(settings).set_tcp_settings(tcp);
        match tls {
            None => Client::open(info),
            Some(certificates) => {
                install_crypto();
                Client::build_with_tls(info, certificates)
            }
        }
        .map_err(to_error)
    }
}

/// The TLS library panics without a process-wide provider; a second installation is refused and harmless.
pub(crate) fn install_crypto() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        let _ = rustls::crypto::ring::default_provider().install_default(); // Another thread was first.
    }
}

pub(crate) async fn read_certificates(files: &TlsFiles) -> Result<TlsCertificates, RedisError> {
    let root_cert = match &files.ca {
        Some(path) => Some(read_pem(path).await?),
        None => None,
    };
    let client_tls = match (&files.cert, &files.key) {
        (Some(cert), Some(key)) => {
            Some(ClientTlsConfig { client_cert: read_pem(cert).await?, client_key: read_pem(key).await? })
        }
        _ => None,
    };
    Ok(TlsCertificates { client_tls, root_cert })
}

async fn read_pem(path: &str) -> Result<Vec<u8>, RedisError> {
    tokio::fs::read(path).await.map_err(|source| RedisError::TlsFile { path: path.into(), source })
}
