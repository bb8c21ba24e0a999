//! The real window, driven through WebKitWebDriver.

use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use fantoccini::actions::{InputSource, MOUSE_BUTTON_LEFT, MouseActions, PointerAction};
use fantoccini::elements::Element;
use fantoccini::wd::WindowHandle;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::net::TcpStream;

pub use fantoccini::key::Key;

use crate::daemon::{Daemon, log_tail, signal};
use crate::home::Home;
use crate::port::free_port;
use crate::screen;
use crate::session::apply;
use crate::wait::{Hopeless, until};

/// How long an element, a text or a state may take to appear.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long the application may take from its start to the first rendered element.
const STARTUP: Duration = Duration::from_secs(60);
/// How long the application may take to end after being told to: its window is gone at once, then the database and the
/// private Redis are synced to a disk that a build beside may keep busy.
const SHUTDOWN: Duration = Duration::from_secs(60);
/// Anything inside the root element: the application has rendered.
const RENDERED: &str = "#app > *";

/// One running application and the hands to use it with.
///
/// Every method waits until what it needs is there, and fails with what it saw instead, a screenshot and the
/// end of the application's log. Dropping the window kills the application.
#[derive(Debug)]
pub struct Window {
    client: Client,
    driver: Daemon,
    pid: u32,
    artefacts: PathBuf,
    log: PathBuf,
    pictures: AtomicU32,
    patience: Duration,
    display: String,
}

impl Window {
    /// Starts the application in the session of `home` and waits until it has rendered.
    ///
    /// # Errors
    /// When the session, the driver or the application does not start, or nothing is rendered in time.
    pub async fn launch(home: &Home) -> Result<Self> {
        let session = home.session().await?;
        let mut environment = home.environment();
        session.extend(&mut environment);
        environment.insert("TAURI_WEBVIEW_AUTOMATION".to_owned(), "true".to_owned());
        // What fails late has to be told from the log.
        environment.entry("WATCHPOST_LOG".to_owned()).or_insert_with(|| "info".to_owned());
        let log = next_log(home.artefacts());

        let port = free_port();
        let mut command = Command::new("WebKitWebDriver");
        command.arg(format!("--port={port}")).current_dir(home.work());
        let mut driver = Daemon::spawn("WebKitWebDriver", apply(&mut command, &environment), &log)?;
        until("WebKitWebDriver to listen", PATIENCE, || {
            let alive = driver.check_alive();
            async move {
                alive?;
                TcpStream::connect(("127.0.0.1", port)).await?;
                Ok(())
            }
        })
        .await?;

        let Value::Object(capabilities) = json!({
            "webkitgtk:browserOptions": { "binary": home.binaries().desktop, "args": [] }
        }) else {
            bail!("capabilities are an object");
        };
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let address = format!("http://127.0.0.1:{port}");
        // The driver waits for ever for an application that ended before it had a window.
        let client = tokio::time::timeout(STARTUP, builder.capabilities(capabilities).connect(&address))
            .await
            .with_context(|| format!("no window within {STARTUP:?}; its log: {}", log_tail(&log)))?
            .with_context(|| format!("the window did not open; its log: {}", log_tail(&log)))?;
        let pid = child_of(driver.pid(), "watchpost-deskt").context("the driver started no window")?;
        let window = Self {
            client,
            driver,
            pid,
            artefacts: home.artefacts().to_owned(),
            log,
            pictures: AtomicU32::new(0),
            patience: PATIENCE,
            display: session.display().to_owned(),
        };
        window.wait_until_rendered().await?;
        Ok(window)
    }

    /// How long to wait for an element, a text or a state from now on; 20 seconds at first.
    pub fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// Waits for the first visible element that matches, and returns it.
    ///
    /// # Errors
    /// When none appears in time.
    pub async fn wait_for(&self, css: &str) -> Result<Element> {
        self.patiently(&format!("a visible `{css}`"), || self.visible(css)).await
    }

    /// Waits until nothing visible matches.
    ///
    /// # Errors
    /// When something still does when time is up.
    pub async fn wait_gone(&self, css: &str) -> Result<()> {
        self.patiently(&format!("`{css}` to go away"), || async {
            match self.visible(css).await {
                Ok(element) => bail!("it is there: {}", element.text().await.unwrap_or_default()),
                Err(_) => Ok(()),
            }
        })
        .await
    }

    /// Waits until a visible element that matches contains `needle`, and returns its whole text.
    ///
    /// # Errors
    /// When none does in time.
    pub async fn wait_for_text(&self, css: &str, needle: &str) -> Result<String> {
        self.patiently(&format!("`{css}` to say {needle:?}"), || async {
            let texts = self.visible_texts(css).await?;
            match texts.iter().find(|text| text.contains(needle)) {
                Some(text) => Ok(text.clone()),
                None => bail!("it says {texts:?}"),
            }
        })
        .await
    }

    /// Clicks the first visible element that matches, as soon as it can be clicked.
    ///
    /// # Errors
    /// When there is none, or something stays in front of it.
    pub async fn click(&self, css: &str) -> Result<()> {
        self.patiently(&format!("a click on `{css}`"), || async {
            let element = self.visible(css).await?;
            if !element.is_enabled().await? {
                bail!("it is disabled");
            }
            Ok(element.click().await?)
        })
        .await
    }

    /// Clicks the first visible element that matches and whose text contains `needle`.
    ///
    /// # Errors
    /// When there is none in time.
    pub async fn click_text(&self, css: &str, needle: &str) -> Result<()> {
        self.patiently(&format!("a click on the `{css}` that says {needle:?}"), || async {
            for element in self.client.find_all(Locator::Css(css)).await? {
                if element.is_displayed().await?
                    && element.is_enabled().await?
                    && element.text().await?.contains(needle)
                {
                    return Ok(element.click().await?);
                }
            }
            bail!("none of {:?} can be clicked", self.visible_texts(css).await?)
        })
        .await
    }

    /// Draws with the pointer over the first element that matches, from one share of its width to another.
    ///
    /// # Errors
    /// When there is none with a width in time, or the window takes no pointer.
    pub async fn draw_over(&self, css: &str, from: f64, to: f64) -> Result<()> {
        let element = json!(css);
        let wide = format!("return (document.querySelector({element})?.clientWidth ?? 0) > 0");
        self.wait_until(&format!("`{css}` to be drawn"), &wide).await?;
        let look = "const element = document.querySelector(arguments[0]); \
            element.scrollIntoView({ block: 'center' }); \
            const box = element.getBoundingClientRect(); \
            return [box.left, box.top + box.height / 2, box.width]";
        let place: Vec<f64> = serde_json::from_value(self.run(look, vec![element]).await?)?;
        let &[left, middle, width] = place.as_slice() else { bail!("no place of `{css}`: {place:?}") };
        let at = |share: f64| PointerAction::MoveTo {
            duration: Some(Duration::from_millis(50)),
            x: (left + width * share).round(),
            y: middle.round(),
        };
        let hand = MouseActions::new("hand".to_owned())
            .then(at(from))
            .then(PointerAction::Down { button: MOUSE_BUTTON_LEFT })
            .then(at(f64::midpoint(from, to)))
            .then(at(to))
            .then(PointerAction::Up { button: MOUSE_BUTTON_LEFT });
        match self.client.perform_actions(hand).await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.explain(anyhow!(error).context("the pointer did not draw")).await),
        }
    }

    /// Replaces what a field holds by `text`, key by key.
    ///
    /// # Errors
    /// When there is no such field that can be typed into.
    pub async fn type_into(&self, css: &str, text: &str) -> Result<()> {
        self.patiently(&format!("typing into `{css}`"), || async {
            let element = self.visible(css).await?;
            element.clear().await?;
            element.send_keys(text).await?;
            match element.prop("value").await? {
                Some(value) if value == text => Ok(()),
                value => bail!("it holds {value:?}"),
            }
        })
        .await
    }

    /// Chooses the option of a `<select>` by its value.
    ///
    /// # Errors
    /// When there is no such field or option.
    pub async fn choose(&self, css: &str, value: &str) -> Result<()> {
        self.patiently(&format!("choosing {value:?} in `{css}`"), || async {
            Ok(self.visible(css).await?.select_by_value(value).await?)
        })
        .await
    }

    /// Sends keys to whatever has the focus, for example `Key::Escape` or `"j"`.
    ///
    /// # Errors
    /// When the window does not answer.
    pub async fn press(&self, keys: impl AsRef<str>) -> Result<()> {
        let keys = keys.as_ref();
        self.patiently("keys to be taken", || async {
            Ok(self.client.active_element().await?.send_keys(keys).await?)
        })
        .await
    }

    /// The text of the first visible element that matches.
    ///
    /// # Errors
    /// When there is none in time.
    pub async fn text(&self, css: &str) -> Result<String> {
        self.patiently(&format!("the text of `{css}`"), || async {
            Ok(self.visible(css).await?.text().await?)
        })
        .await
    }

    /// The texts of all visible elements that match now; empty when there are none.
    ///
    /// # Errors
    /// When the page changes under the question again and again.
    pub async fn texts(&self, css: &str) -> Result<Vec<String>> {
        self.patiently(&format!("the texts of `{css}`"), || self.visible_texts(css)).await
    }

    /// An attribute of the first visible element that matches; `None` when it has none.
    ///
    /// # Errors
    /// When there is no such element in time.
    pub async fn attribute(&self, css: &str, name: &str) -> Result<Option<String>> {
        self.patiently(&format!("{name} of `{css}`"), || async {
            Ok(self.visible(css).await?.attr(name).await?)
        })
        .await
    }

    /// How many elements match now, visible or not.
    ///
    /// # Errors
    /// When the window does not answer.
    pub async fn count(&self, css: &str) -> Result<usize> {
        Ok(self.client.find_all(Locator::Css(css)).await?.len())
    }

    /// Runs the body of a function in the page and returns its value. For looking, not for acting.
    ///
    /// # Errors
    /// When it throws.
    pub async fn run(&self, script: &str, args: Vec<Value>) -> Result<Value> {
        match self.client.execute(script, args).await {
            Ok(value) => Ok(value),
            Err(error) => Err(self.explain(anyhow!(error).context("a script failed")).await),
        }
    }

    /// Waits until a script's value is true in the sense of the language.
    ///
    /// # Errors
    /// When it is not within the time.
    pub async fn wait_until(&self, what: &str, script: &str) -> Result<()> {
        self.patiently(what, || async {
            match self.client.execute(script, Vec::new()).await? {
                Value::Null | Value::Bool(false) => bail!("`{script}` is not true"),
                _ => Ok(()),
            }
        })
        .await
    }

    /// Goes to a panel by its route, for example `#/incidents`.
    ///
    /// # Errors
    /// When the window does not answer.
    pub async fn go(&self, route: &str) -> Result<()> {
        self.run("window.location.hash = arguments[0]", vec![json!(route)]).await?;
        Ok(())
    }

    /// The route the window shows, `#/...`.
    ///
    /// # Errors
    /// When the window does not answer.
    pub async fn route(&self) -> Result<String> {
        let route = self.run("return window.location.hash", Vec::new()).await?;
        Ok(route.as_str().unwrap_or_default().to_owned())
    }

    /// Loads the page anew and waits until it has rendered.
    ///
    /// # Errors
    /// When nothing is rendered in time.
    pub async fn reload(&self) -> Result<()> {
        self.client.refresh().await.context("failed to reload")?;
        self.wait_until_rendered().await
    }

    /// Makes the content of the window this large, in CSS pixels.
    ///
    /// # Errors
    /// When the window does not take the size.
    pub async fn resize(&self, width: u32, height: u32) -> Result<()> {
        self.client.set_window_size(width, height).await.context("failed to resize")?;
        self.wait_until(
            &format!("the size {width}x{height}"),
            &format!("return window.innerWidth === {width} && window.innerHeight === {height}"),
        )
        .await
    }

    /// Writes what the window shows as a PNG.
    ///
    /// # Errors
    /// When the window does not answer or the file cannot be written.
    pub async fn screenshot(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        fs::write(path, self.picture().await?).with_context(|| format!("failed to write {}", path.display()))
    }

    /// What the window shows, as the bytes of a PNG.
    pub(crate) async fn picture(&self) -> Result<Vec<u8>> {
        // Fonts are in and the last change of size or content has reached the screen.
        let painted = "const done = arguments[0]; document.fonts.ready.then(() => \
                       requestAnimationFrame(() => requestAnimationFrame(() => done(true))))";
        tokio::time::timeout(PATIENCE, self.client.execute_async(painted, Vec::new()))
            .await
            .context("it does not paint")??;
        // The driver waits for the next time that the page is drawn, and one that stands still is not drawn again: until
        // the picture is taken it is, with a difference that no picture shows.
        let drawn = "let turn = 0; window.__drawn = setInterval(() => \
                     { document.documentElement.style.opacity = (turn += 1) % 2 ? '0.9999' : ''; }, 50)";
        let left = "clearInterval(window.__drawn); document.documentElement.style.opacity = ''";
        self.client.execute(drawn, Vec::new()).await?;
        let picture = tokio::time::timeout(PATIENCE, self.client.screenshot()).await;
        let picture = picture.context("no screenshot in time")??;
        self.client.execute(left, Vec::new()).await?;
        Ok(picture)
    }

    /// Waits until the application has this many windows, and returns their handles.
    ///
    /// # Errors
    /// When it has another number of them when time is up.
    pub async fn wait_for_windows(&self, number: usize) -> Result<Vec<WindowHandle>> {
        self.patiently(&format!("{number} windows"), || async {
            let windows = self.client.windows().await?;
            if windows.len() == number { Ok(windows) } else { bail!("there are {}", windows.len()) }
        })
        .await
    }

    /// The window that everything is asked of now.
    ///
    /// # Errors
    /// When it is closed.
    pub async fn current(&self) -> Result<WindowHandle> {
        Ok(self.client.window().await?)
    }

    /// Asks everything of another window from now on.
    ///
    /// # Errors
    /// When it is closed.
    pub async fn switch_to(&self, window: &WindowHandle) -> Result<()> {
        self.client.switch_to_window(window.clone()).await.context("failed to switch to a window")?;
        self.wait_until_rendered().await
    }

    /// Closes the window that everything is asked of, and leaves the others.
    ///
    /// # Errors
    /// When it does not close.
    pub async fn close_current(&self) -> Result<()> {
        self.client.close_window().await.context("failed to close a window")
    }

    /// The process of the application.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The log of the application.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Closes the window as the button of a title bar does, and waits until the application has ended.
    ///
    /// # Errors
    /// When it does not end in time.
    pub async fn close(self) -> Result<()> {
        screen::ask_to_close(&self.display, self.pid)?;
        self.wait_for_end().await
    }

    /// Asks the application to end by a signal, as the end of a session does, and waits until it has.
    ///
    /// # Errors
    /// When it does not end in time.
    pub async fn terminate(self) -> Result<()> {
        signal("TERM", self.pid)?;
        self.wait_for_end().await
    }

    /// Ends the application at once, as a crash or a power cut would, and waits until it is gone: the next one asks the
    /// message bus whether there is one already.
    ///
    /// # Errors
    /// When it is still there after all.
    pub async fn kill(self) -> Result<()> {
        signal("KILL", self.pid)?;
        self.wait_for_end().await
    }

    async fn wait_for_end(&self) -> Result<()> {
        until("the application to end", SHUTDOWN, || async {
            if runs(self.pid) { bail!("process {} is still there", self.pid) } else { Ok(()) }
        })
        .await
        .with_context(|| format!("its log: {}", log_tail(&self.log)))
    }

    fn end(&mut self) {
        if runs(self.pid) {
            let _ = signal("KILL", self.pid);
        }
        self.driver.kill();
    }

    async fn wait_until_rendered(&self) -> Result<()> {
        self.patiently_for(STARTUP, "the application to render", || async {
            match self.count(RENDERED).await? {
                0 => bail!("nothing matches `{RENDERED}`"),
                _ => Ok(()),
            }
        })
        .await
    }

    async fn visible(&self, css: &str) -> Result<Element> {
        let elements = self.client.find_all(Locator::Css(css)).await?;
        let n_found = elements.len();
        for element in elements {
            if element.is_displayed().await? {
                return Ok(element);
            }
        }
        bail!("{n_found} match and none is visible")
    }

    async fn visible_texts(&self, css: &str) -> Result<Vec<String>> {
        let mut texts = Vec::new();
        for element in self.client.find_all(Locator::Css(css)).await? {
            if element.is_displayed().await? {
                texts.push(element.text().await?);
            }
        }
        Ok(texts)
    }

    async fn patiently<T, F, Fut>(&self, what: &str, look: F) -> Result<T>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        self.patiently_for(self.patience, what, look).await
    }

    async fn patiently_for<T, F, Fut>(&self, patience: Duration, what: &str, mut look: F) -> Result<T>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        let looked = until(what, patience, || {
            let looking = look();
            async move {
                match looking.await {
                    Err(_) if !runs(self.pid) => Err(Hopeless("the application has ended".to_owned()).into()),
                    seen => seen,
                }
            }
        });
        match looked.await {
            Ok(value) => Ok(value),
            Err(error) => Err(self.explain(error).await),
        }
    }

    /// Adds what a person would look at first: the picture, the route, the log.
    async fn explain(&self, error: anyhow::Error) -> anyhow::Error {
        let number = self.pictures.fetch_add(1, Ordering::Relaxed);
        let path = self.artefacts.join(format!("failure-{number}.png"));
        let picture = match self.screenshot(&path).await {
            Ok(()) => path.display().to_string(),
            Err(error) => format!("none ({error:#})"),
        };
        let route = self.client.execute("return window.location.href", Vec::new()).await.unwrap_or_default();
        anyhow!(
            "{error:#}\n  at: {route}\n  screenshot: {picture}\n  application log: {}",
            log_tail(&self.log)
        )
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        self.end();
    }
}

fn next_log(artefacts: &Path) -> PathBuf {
    let mut number = 1;
    loop {
        let path = artefacts.join(format!("window-{number}.log"));
        if !path.exists() {
            return path;
        }
        number += 1;
    }
}

/// Whether a process is there and not just waiting to be reaped.
fn runs(pid: u32) -> bool {
    stat(pid).is_some_and(|stat| stat.state != "Z" && stat.state != "X")
}

/// The child of `parent` whose name, as the kernel cuts it to 15 bytes, is `name`.
fn child_of(parent: u32, name: &str) -> Option<u32> {
    let entries = fs::read_dir("/proc").ok()?;
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.into_iter().find(|pid| stat(*pid).is_some_and(|stat| stat.parent == parent && stat.name == name))
}

struct Stat {
    name: String,
    state: String,
    parent: u32,
}

fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (name, rest) = (text.split_once('(')?.1).rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    Some(Stat {
        name: name.to_owned(),
        state: fields.next()?.to_owned(),
        parent: fields.next()?.parse().ok()?,
    })
}
