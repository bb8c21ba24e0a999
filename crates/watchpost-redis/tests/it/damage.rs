//! A way to a server on which its copy is damaged: what stands between a server and whoever copies it.

use std::path::{Path, PathBuf};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;

/// What becomes of the copy, after so many bytes of it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Damage {
    /// The connection ends.
    Cut(usize),
    /// A bit is another one.
    Flip(usize),
    /// Nothing comes any more.
    Stall(usize),
}

/// Listens at `here` and passes on to the server at `server`; ends with what is returned.
pub(crate) fn damaged(here: &Path, server: PathBuf, damage: Damage) -> JoinSet<()> {
    let listener = UnixListener::bind(here).expect("the socket can be made");
    let mut listening = JoinSet::new();
    listening.spawn(async move {
        let mut links = JoinSet::new();
        while let Ok((client, _)) = listener.accept().await {
            let server = UnixStream::connect(&server).await.expect("the server accepts");
            links.spawn(pass(client, server, damage));
        }
    });
    listening
}

async fn pass(client: UnixStream, server: UnixStream, damage: Damage) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let up = tokio::io::copy(&mut from_client, &mut to_server);
    let down = async {
        let mut bytes = vec![0; 4_096];
        // Bytes of the copy that were passed on.
        let mut passed: Option<usize> = None;
        while let Ok(n @ 1..) = from_server.read(&mut bytes).await {
            let begin = bytes[..n].windows(6).position(|word| word == b"REDIS0");
            let (from, before) = match (passed, begin) {
                (Some(before), _) => (0, before),
                (None, Some(begin)) => (begin, 0),
                (None, None) => (n, 0),
            };
            if passed.is_some() || begin.is_some() {
                passed = Some(before + n - from);
            }
            let (Damage::Cut(at) | Damage::Flip(at) | Damage::Stall(at)) = damage;
            let reached = passed.is_some_and(|passed| (before..passed).contains(&at));
            let at = from + at.saturating_sub(before);
            match damage {
                Damage::Flip(_) if reached => bytes[at] ^= 1,
                Damage::Cut(_) if reached => {
                    let _ = to_client.write_all(&bytes[..at]).await; // Whoever is gone needs nothing more.
                    return;
                }
                Damage::Stall(_) if reached => std::future::pending().await,
                Damage::Flip(_) | Damage::Cut(_) | Damage::Stall(_) => {}
            }
            if to_client.write_all(&bytes[..n]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        _ = up => {}
        () = down => {}
    }
}
