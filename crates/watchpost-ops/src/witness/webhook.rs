//! The webhook: a service elsewhere that gets each checkpoint by POST. It cannot be read back; what it answered last is
//! the receipt, which this console remembers beside the log that it saw.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde::{Deserialize, Serialize};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use url::Url;
use watchpost_model::audit::Checkpoint;
use watchpost_model::connection::is_this_machine;

use super::{Witness, folder};
use crate::blocking::off_the_runtime;
use crate::console::Workspace;
use crate::contract::{AuditPlace, AuditWebhook};
use crate::secrets::Secret;
use crate::workspace::secret_from_file;

/// How long a delivery may take, from looking for the name to the answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// A longer address is none.
const URL_CHARS_MAX: usize = 1_000;
/// In which header the origin of the log stands: the first line of the checkpoint.
const ORIGIN: &str = "watchpost-origin";

/// What a webhook answered when it took a checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Receipt {
    url: String,
    log: String,
    size: i64,
    status: u16,
    at: DateTime<Utc>,
}

/// A delivery that was not taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Undelivered {
    url: String,
    log: String,
    size: i64,
    why: String,
    at: DateTime<Utc>,
}

/// The address of a webhook in its normal form. What it must not hold is not repeated in the answer.
pub(crate) fn checked(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    if text.chars().count() > URL_CHARS_MAX {
        return Err("it is longer than an address is");
    }
    let url = Url::parse(text).map_err(|_| "it is no address such as https://log.example/checkpoints")?;
    let host = url.host_str().unwrap_or_default();
    match url.scheme() {
        "https" if !host.is_empty() => {}
        "http" if is_this_machine(host) => {}
        "http" => return Err("without TLS only a service of this machine is told; write https://"),
        _ => return Err("it is no address such as https://log.example/checkpoints"),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("no name and no password may stand in it: everybody who sees the places would see them");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("nothing may follow in it after ? or #: everybody who sees the places would see it");
    }
    Ok(url.into())
}

/// Is the service on this machine, where whoever rewrites the database may reach it too?
pub(super) fn is_near(webhook: &AuditWebhook) -> bool {
    Url::parse(&webhook.url).ok().is_none_or(|url| is_this_machine(url.host_str().unwrap_or_default()))
}

fn has_tls(webhook: &AuditWebhook) -> bool {
    webhook.url.starts_with("https:")
}

/// The certificates of authorities in a PEM file, which may be on a share that hangs; of the system without one.
pub(crate) async fn authorities(file: Option<&str>) -> Result<Vec<CertificateDer<'static>>, String> {
    let Some(file) = file else {
        let system = off_the_runtime(|| rustls_native_certs::load_native_certs().certs).await;
        return system.map_err(|error| error.message);
    };
    let path = file.to_owned();
    folder::ask(Path::new(file), move || authorities_in(&path)).await?
}

fn authorities_in(file: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let cannot = |error: std::io::Error| format!("cannot read {file}: {error}");
    // A pipe would wait for somebody to write.
    if !std::fs::metadata(file).map_err(cannot)?.is_file() {
        return Err(format!("cannot read {file}: it is no file"));
    }
    let pem = std::fs::read(file).map_err(cannot)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(format!("there is no certificate in {file}")),
        Err(error) => Err(format!("cannot read {file}: {error}")),
    }
}

/// All that a delivery needs, for a thread that may wait.
struct Delivery {
    webhook: AuditWebhook,
    token: Option<Secret>,
    /// Who may vouch for the service, where it has TLS.
    roots: Vec<CertificateDer<'static>>,
    note: String,
}

impl Delivery {
    /// Sends it; the status of the answer, if that says that it was taken.
    fn send(&self, patience: Duration) -> Result<u16, String> {
        let mut config = ureq::Agent::config_builder()
            .timeout_global(Some(patience))
            .max_redirects(0)
            .http_status_as_error(false)
            .proxy(None)
            .user_agent(concat!("watchpost/", env!("CARGO_PKG_VERSION")));
        if has_tls(&self.webhook) {
            let roots = self.roots.iter().map(|root| Certificate::from_der(root).to_owned()).collect();
            config = config.tls_config(
                TlsConfig::builder()
                    .root_certs(RootCerts::Specific(Arc::new(roots)))
                    .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
                    .build(),
            );
        }
        let agent = config.build().new_agent();
        let mut request = agent
            .post(self.webhook.url.as_str())
            .header("content-type", "text/plain; charset=utf-8")
            .header(ORIGIN, self.note.lines().next().unwrap_or_default());
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {}", token.as_str()));
        }
        let answer = request.send(self.note.as_str()).map_err(|error| in_words(&error, patience))?;
        let status = answer.status();
        if status.is_success() {
            Ok(status.as_u16())
        } else if status.is_redirection() {
            Err(format!(
                "it answered {}: it wants to send us elsewhere, which is not followed",
                status.as_u16()
            ))
        } else {
            Err(format!("it answered {}", status.as_u16()))
        }
    }
}

/// Why nothing was answered, for people.
fn in_words(error: &ureq::Error, patience: Duration) -> String {
    match error {
        ureq::Error::Timeout(_) => format!("it did not answer within {} s", patience.as_secs_f32()),
        ureq::Error::HostNotFound => "there is no host of this name".to_owned(),
        ureq::Error::ConnectionFailed => "it cannot be reached".to_owned(),
        ureq::Error::Io(error) => match error.kind() {
            ErrorKind::ConnectionRefused => "nothing listens there: the connection was refused".to_owned(),
            ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::UnexpectedEof => {
                "it closed the connection without an answer".to_owned()
            }
            _ => error.to_string(),
        },
        other => other.to_string(),
    }
}

impl Witness {
    /// Sends a checkpoint, and keeps what was answered.
    pub(super) async fn deliver(
        &self,
        workspace: &Workspace,
        webhook: &AuditWebhook,
        log: &str,
        newest: &Checkpoint,
    ) -> Result<(), String> {
        let taken = taken(webhook, newest).await;
        self.state().refused_here = taken.is_err();
        let (url, log, size, at) = (webhook.url.clone(), log.to_owned(), newest.size, workspace.now());
        match taken {
            Ok(status) => {
                let receipt = Receipt { url, log, size, status, at };
                let kept = self.change(|memory| (memory.receipt, memory.undelivered) = (Some(receipt), None));
                kept.map_err(|error| error.message)
            }
            Err(why) => {
                let failed = Undelivered { url, log, size, why: why.clone(), at };
                self.change(|memory| memory.undelivered = Some(failed)).map_err(|error| error.message)?;
                Err(why)
            }
        }
    }

    /// Records of the checkpoint of a log that a webhook took last.
    pub(super) fn received(&self, webhook: &AuditWebhook, log: &str) -> Option<i64> {
        let state = self.state();
        let receipt = state.memory.receipt.as_ref();
        receipt.filter(|receipt| receipt.url == webhook.url && receipt.log == log).map(|receipt| receipt.size)
    }

    /// Says of a webhook what it took last, and whether it did not take the newest.
    pub(super) fn tell_of(&self, webhook: &AuditWebhook, log: &str, place: &mut AuditPlace) {
        place.size = self.received(webhook, log);
        let state = self.state();
        let undelivered = state.memory.undelivered.as_ref();
        if let Some(failed) = undelivered.filter(|failed| failed.url == webhook.url && failed.log == log) {
            place.ok = false;
            let at = failed.at.format("%Y-%m-%d %H:%M:%S UTC");
            let last = state.memory.receipt.as_ref();
            let last = last.filter(|taken| taken.url == webhook.url && taken.log == log).map_or_else(
                || "it never took one".to_owned(),
                |taken| {
                    let at = taken.at.format("%Y-%m-%d %H:%M:%S UTC");
                    format!("the last that it took is that of {} records, on {at}", taken.size)
                },
            );
            place.detail = format!(
                "{}; the checkpoint of {} records was NOT taken on {at}, {last}",
                failed.why, failed.size
            );
        } else if let Some(receipt) =
            state.memory.receipt.as_ref().filter(|_| place.ok && place.size.is_some())
        {
            let at = receipt.at.format("%Y-%m-%d %H:%M:%S UTC");
            let before = if place.detail.is_empty() { String::new() } else { format!("{}; ", place.detail) };
            place.detail = format!("{before}taken with {} on {at}", receipt.status);
        }
    }
}

async fn taken(webhook: &AuditWebhook, newest: &Checkpoint) -> Result<u16, String> {
    let token = secret_from_file("webhook").map_err(|error| error.message)?;
    let roots = if has_tls(webhook) { authorities(webhook.ca.as_deref()).await? } else { Vec::new() };
    let delivery = Delivery { webhook: webhook.clone(), token, roots, note: newest.note.clone() };
    off_the_runtime(move || delivery.send(PATIENCE)).await.map_err(|error| error.message)?
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::sync::mpsc;
    use std::thread::JoinHandle;
    use std::time::Duration;

    use super::{Delivery, authorities, checked, folder, is_near};
    use crate::contract::AuditWebhook;
    use crate::secrets::Secret;

    const NOTE: &str = "watchpost.local/audit/abc\n7\nAAAA\n\n\u{2014} key AAAA\n";
    /// Longer than an answer of this machine takes.
    const LONG: Duration = Duration::from_secs(60);

    /// A service that takes one request and answers `answer`, or nothing at all while its caller waits.
    fn service(answer: Option<&'static str>) -> (AuditWebhook, JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/checkpoints", listener.local_addr().unwrap());
        let thread = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut heard = Vec::new();
            let mut piece = [0_u8; 4096];
            while !heard.ends_with(NOTE.as_bytes()) {
                let n = stream.read(&mut piece).unwrap();
                if n == 0 {
                    break;
                }
                heard.extend_from_slice(&piece[..n]);
            }
            if let Some(answer) = answer {
                write!(stream, "HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                    .unwrap();
            }
            // Until the other side has had enough.
            let _ = stream.read_to_end(&mut Vec::new());
            String::from_utf8(heard).unwrap()
        });
        (AuditWebhook { url, ca: None }, thread)
    }

    fn delivery(webhook: AuditWebhook, token: Option<&str>) -> Delivery {
        let token = token.map(|token| Secret::new(token.to_owned()));
        Delivery { webhook, token, roots: Vec::new(), note: NOTE.to_owned() }
    }

    #[test]
    fn a_checkpoint_is_posted_as_it_is_and_a_2xx_takes_it() {
        let (webhook, thread) = service(Some("204 No Content"));
        assert_eq!(delivery(webhook, Some("s3cret")).send(LONG), Ok(204));
        let heard = thread.join().unwrap();
        let (head, body) = heard.split_once("\r\n\r\n").unwrap();
        let head = head.to_lowercase();
        assert!(head.starts_with("post /checkpoints http/1.1"), "{head}");
        for header in [
            "content-type: text/plain; charset=utf-8",
            "watchpost-origin: watchpost.local/audit/abc",
            "authorization: bearer s3cret",
        ] {
            assert!(head.contains(header), "{header}: {head}");
        }
        assert_eq!(body, NOTE);
    }

    #[test]
    fn whatever_else_is_answered_takes_nothing() {
        for (answer, told) in [
            ("500 Internal Server Error", "500"),
            ("404 Not Found", "404"),
            ("302 Found\r\nlocation: http://127.0.0.1:1/", "not followed"),
            ("307 Temporary Redirect\r\nlocation: http://127.0.0.1:1/", "not followed"),
        ] {
            let (webhook, thread) = service(Some(answer));
            let why = delivery(webhook, None).send(LONG).unwrap_err();
            assert!(why.contains(told), "{answer}: {why}");
            thread.join().unwrap();
        }
    }

    #[test]
    fn one_that_does_not_answer_is_not_waited_for() {
        let (webhook, thread) = service(None);
        let why = delivery(webhook, None).send(Duration::from_millis(200)).unwrap_err();
        assert_eq!(why, "it did not answer within 0.2 s");
        thread.join().unwrap();
    }

    #[test]
    fn one_that_is_not_there_is_told_in_words() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        drop(listener);
        let why = delivery(AuditWebhook { url, ca: None }, None).send(LONG).unwrap_err();
        assert_eq!(why, "nothing listens there: the connection was refused");
    }

    #[test]
    fn an_address_holds_no_secret_and_needs_tls_on_a_network() {
        for good in [
            "https://log.example/checkpoints",
            "http://127.0.0.1:8080/",
            "http://localhost/x",
            "http://[::1]/",
        ] {
            assert_eq!(checked(good).as_deref(), Ok(good));
        }
        for bad in [
            "",
            "log.example",
            "ftp://log.example/",
            "http://log.example/",
            "https://me@log.example/",
            "https://me:hunter2@log.example/",
            "https://log.example/?token=hunter2",
            "https://log.example/#hunter2",
        ] {
            let why = checked(bad).unwrap_err();
            assert!(!why.contains("hunter2"), "{bad}: {why}");
        }
        let at = |url: &str| AuditWebhook { url: url.to_owned(), ca: None };
        assert!(is_near(&at("http://127.0.0.1/")) && !is_near(&at("https://log.example/")));
    }

    #[tokio::test]
    async fn a_file_of_authorities_has_some() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().display().to_string();
        assert!(authorities(Some(&path)).await.unwrap_err().contains("no certificate"));
        assert!(authorities(Some("/nowhere/ca.pem")).await.unwrap_err().contains("/nowhere/ca.pem"));
    }

    #[tokio::test]
    async fn a_file_of_authorities_on_a_share_that_hangs_is_not_waited_for() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let (free, waits) = mpsc::channel::<()>();
        let hangs = move || waits.recv().is_err();
        let hung = folder::ask_within(Duration::from_millis(50), file.path(), hangs).await;
        assert!(hung.is_err());
        // Would not end before its time if it was read beside the runtime.
        let path = file.path().display().to_string();
        let told = tokio::time::timeout(LONG / 2, authorities(Some(&path))).await.expect("at once");
        assert!(told.unwrap_err().contains("did not answer"));
        drop(free);
    }
}
