//! The part of a window manager that the virtual screen lacks: asking a window to close.
//!
//! It speaks the X protocol directly, because no small tool sends `WM_DELETE_WINDOW` where there is no window
//! manager, and destroying the window from outside is an error no application survives.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

const INTERN_ATOM: u8 = 16;
const SEND_EVENT: u8 = 25;
const GET_INPUT_FOCUS: u8 = 43;
const CLIENT_MESSAGE: u8 = 33;
/// Every reply and every event without further data has this many bytes.
const REPLY_BYTES: usize = 32;

/// Asks the windows of a process on `display` (`:N`) to close, as the button of a title bar does.
pub(crate) fn ask_to_close(display: &str, pid: u32) -> Result<()> {
    let windows = windows(display, pid)?;
    ensure!(!windows.is_empty(), "process {pid} shows no window on {display}");
    let number = display.trim_start_matches(':');
    let stream =
        UnixStream::connect(format!("/tmp/.X11-unix/X{number}")).context("failed to reach the screen")?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut screen = Screen { stream };
    screen.set_up()?;
    let protocols = screen.atom("WM_PROTOCOLS")?;
    let delete = screen.atom("WM_DELETE_WINDOW")?;
    for window in windows {
        let mut request = vec![SEND_EVENT, 0, 11, 0];
        request.extend([window, 0].map(u32::to_le_bytes).concat());
        request.extend([CLIENT_MESSAGE, 32, 0, 0]);
        request.extend([window, protocols, delete, 0, 0, 0, 0].map(u32::to_le_bytes).concat());
        screen.stream.write_all(&request)?;
    }
    // Requests are served in order: the answer to this one means that the others have been.
    screen.ask(&[GET_INPUT_FOCUS, 0, 1, 0])?;
    Ok(())
}

/// The visible windows of a process.
fn windows(display: &str, pid: u32) -> Result<Vec<u32>> {
    let output = Command::new("xdotool")
        .args(["search", "--onlyvisible", "--pid", &pid.to_string()])
        .env("DISPLAY", display)
        .stdin(Stdio::null())
        .output()
        .context("failed to run xdotool")?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().filter_map(|line| line.trim().parse().ok()).collect())
}

/// A connection to the X server, little-endian.
struct Screen {
    stream: UnixStream,
}

impl Screen {
    fn set_up(&mut self) -> Result<()> {
        // Byte order, version 11.0, no authorisation: the server is ours and listens on a socket only.
        self.stream.write_all(&[b'l', 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0])?;
        let mut head = [0; 8];
        self.stream.read_exact(&mut head)?;
        let mut rest = vec![0; usize::from(u16::from_le_bytes([head[6], head[7]])) * 4];
        self.stream.read_exact(&mut rest)?;
        ensure!(head[0] == 1, "the screen refuses: {}", String::from_utf8_lossy(&rest));
        Ok(())
    }

    fn atom(&mut self, name: &str) -> Result<u32> {
        let padded = name.len().next_multiple_of(4);
        let length = u16::try_from(2 + padded / 4)?.to_le_bytes();
        let name_length = u16::try_from(name.len())?.to_le_bytes();
        let mut request = vec![INTERN_ATOM, 0, length[0], length[1], name_length[0], name_length[1], 0, 0];
        request.extend(name.bytes());
        request.resize(8 + padded, 0);
        let reply = self.ask(&request)?;
        Ok(u32::from_le_bytes([reply[8], reply[9], reply[10], reply[11]]))
    }

    fn ask(&mut self, request: &[u8]) -> Result<[u8; REPLY_BYTES]> {
        self.stream.write_all(request)?;
        let mut reply = [0; REPLY_BYTES];
        self.stream.read_exact(&mut reply)?;
        ensure!(reply[0] == 1, "the screen answers with error {}", reply[1]);
        Ok(reply)
    }
}
