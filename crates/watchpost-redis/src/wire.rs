//! A connection of its own, byte by byte: for replication, which the client library has no words for.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use redis::Cmd;
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::UnixStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;
use watchpost_model::connection::TlsFiles;
use watchpost_model::text::visible;

use crate::error::RedisError;
use crate::link::CONNECT_TIMEOUT;
use crate::target::RedisTarget;
use crate::target::TargetAddress;
use crate::target::install_crypto;
use crate::target::read_certificates;

/// Until a command is answered.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes that are read at once at most.
const READ_BYTES: usize = 64 << 10;
/// No line of an answer is longer.
const LINE_BYTES_MAX: usize = 4 << 10;
const DETAIL_CHARS_MAX: usize = 300;

trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for S {}

/// One connection, and what it has sent that nobody took yet. Everything ends at once when it is cancelled.
pub(crate) struct Wire {
    stream: Box<dyn Stream>,
    address: String,
    cancel: CancellationToken,
    /// What was read and not taken.
    pub(crate) buffer: Vec<u8>,
}

impl Wire {
    /// Connects and logs in.
    pub(crate) async fn connect(target: &RedisTarget, cancel: CancellationToken) -> Result<Self, RedisError> {
        let address = target.address.to_string();
        let opened = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(RedisError::Cancelled),
            opened = timeout(CONNECT_TIMEOUT, open(&target.address)) => opened,
        };
        let late = |_| Err(RedisError::classify(std::io::Error::from(ErrorKind::TimedOut).into(), &address));
        let stream = opened.unwrap_or_else(late)?;
        let mut wire = Self { stream, address, cancel, buffer: Vec::new() };
        if let Some(password) = &target.password {
            let mut auth = redis::cmd("AUTH");
            if let Some(username) = &target.username {
                auth.arg(username);
            }
            auth.arg(password);
            wire.ask("AUTH", &auth).await?;
        }
        Ok(wire)
    }

    /// Sends a command.
    pub(crate) async fn send(&mut self, cmd: &Cmd) -> Result<(), RedisError> {
        let (stream, bytes) = (&mut self.stream, cmd.get_packed_command());
        let sent = async {
            stream.write_all(&bytes).await?;
            stream.flush().await
        };
        within(&self.cancel, &self.address, ANSWER_TIMEOUT, sent).await
    }

    /// Sends a command and waits for its answer of one line.
    pub(crate) async fn ask(&mut self, name: &'static str, cmd: &Cmd) -> Result<String, RedisError> {
        self.send(cmd).await?;
        accepted(self.line(name, ANSWER_TIMEOUT).await?)
    }

    /// The next line, without its end; an empty one is a sign of life. `limit` is for each silence.
    pub(crate) async fn line(&mut self, name: &'static str, limit: Duration) -> Result<String, RedisError> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let rest = self.buffer.split_off(end + 1);
                let line = std::mem::replace(&mut self.buffer, rest);
                return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            if self.buffer.len() > LINE_BYTES_MAX {
                return Err(RedisError::Answer { command: name });
            }
            if self.more(limit).await? == 0 {
                let ended = std::io::Error::from(ErrorKind::UnexpectedEof);
                return Err(RedisError::classify(ended.into(), &self.address));
            }
        }
    }

    /// Reads more into the buffer; how much, 0 when the other side has ended.
    pub(crate) async fn more(&mut self, limit: Duration) -> Result<usize, RedisError> {
        let (stream, buffer) = (&mut self.stream, &mut self.buffer);
        buffer.reserve(READ_BYTES);
        let read = async {
            match stream.read_buf(buffer).await {
                // However it ended: what was read says whether it was the whole.
                Err(error) if is_end(error.kind()) => Ok(0),
                read => read,
            }
        };
        within(&self.cancel, &self.address, limit, read).await
    }
}

const fn is_end(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)
}

/// A line that is an error, by its cause.
pub(crate) fn accepted(line: String) -> Result<String, RedisError> {
    let Some(error) = line.strip_prefix('-') else { return Ok(line) };
    let (code, detail) = error.split_once(' ').unwrap_or((error, ""));
    let detail = visible(detail, DETAIL_CHARS_MAX);
    Err(match code {
        "NOPERM" => RedisError::NoPermission(detail),
        "WRONGPASS" => RedisError::WrongPassword,
        "NOAUTH" => RedisError::PasswordRequired,
        "LOADING" => RedisError::Loading,
        code => RedisError::Server { code: visible(code, DETAIL_CHARS_MAX), detail },
    })
}

async fn within<T>(
    cancel: &CancellationToken,
    address: &str,
    limit: Duration,
    work: impl Future<Output = std::io::Result<T>>,
) -> Result<T, RedisError> {
    let done = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(RedisError::Cancelled),
        done = timeout(limit, work) => done,
    };
    let done = done.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()));
    done.map_err(|error| RedisError::classify(error.into(), address))
}

async fn open(address: &TargetAddress) -> Result<Box<dyn Stream>, RedisError> {
    let classify = |error: std::io::Error| RedisError::classify(error.into(), &address.to_string());
    match address {
        TargetAddress::Unix(path) => Ok(Box::new(UnixStream::connect(path).await.map_err(classify)?)),
        TargetAddress::Tcp { host, port, tls } => {
            let stream = TcpStream::connect((host.as_str(), *port)).await.map_err(classify)?;
            stream.set_nodelay(true).map_err(classify)?;
            let Some(files) = tls else { return Ok(Box::new(stream)) };
            let name = ServerName::try_from(host.clone()).map_err(unusable)?;
            let connector = TlsConnector::from(Arc::new(tls_config(files).await?));
            Ok(Box::new(connector.connect(name, stream).await.map_err(classify)?))
        }
        TargetAddress::Sentinel(set) => Err(RedisError::NoMaster {
            set: set.master.clone(),
            reason: "the Sentinels were not asked".to_owned(),
        }),
    }
}

/// What the client library makes of the same files.
async fn tls_config(files: &TlsFiles) -> Result<ClientConfig, RedisError> {
    let certificates = read_certificates(files).await?;
    install_crypto();
    let mut roots = RootCertStore::empty();
    match &certificates.root_cert {
        Some(pem) => {
            for certificate in CertificateDer::pem_slice_iter(pem) {
                roots.add(certificate.map_err(unusable)?).map_err(unusable)?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let config = ClientConfig::builder().with_root_certificates(roots);
    let Some(client) = certificates.client_tls else { return Ok(config.with_no_client_auth()) };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&client.client_cert).collect();
    let key = PrivateKeyDer::from_pem_slice(&client.client_key).map_err(unusable)?;
    config.with_client_auth_cert(chain.map_err(unusable)?, key).map_err(unusable)
}

fn unusable(error: impl std::fmt::Display) -> RedisError {
    RedisError::Tls(std::io::Error::other(error.to_string()).into())
}

#[cfg(test)]
mod tests {
    use super::accepted;
    use crate::error::RedisError;

    #[test]
    fn refusals_are_told_apart() {
        assert_eq!(accepted("+OK".to_owned()).ok().as_deref(), Some("+OK"));
        let of = |line: &str| accepted(line.to_owned()).unwrap_err();
        assert!(
            matches!(of("-NOPERM this user has no permissions"), RedisError::NoPermission(text) if text.starts_with("this"))
        );
        assert!(matches!(of("-WRONGPASS invalid username-password pair"), RedisError::WrongPassword));
        assert!(matches!(of("-NOAUTH Authentication required."), RedisError::PasswordRequired));
        assert!(matches!(of("-LOADING Redis is loading"), RedisError::Loading));
        let RedisError::Server { code, detail } = of("-ERR unknown command\u{1b}[2J") else {
            panic!("another cause");
        };
        assert_eq!((code.as_str(), detail.as_str()), ("ERR", "unknown command\\x1b[2J"));
    }
}
