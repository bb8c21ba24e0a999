//! What reaches people who do not look at the window: the icon in the panel of the desktop, and notices of new critical
//! incidents that open them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tauri::image::Image;
use tauri::menu::{Menu, MenuItem, PredefinedMenuItem};
use tauri::tray::{TrayIcon, TrayIconBuilder};
use tauri::{AppHandle, Manager, Wry};
use watchpost_model::event::Severity;
use watchpost_model::ids::ConnectionId;
use watchpost_model::incident::{Incident, IncidentFilter, IncidentOrder, Status};
use watchpost_ops::attention::News;
use watchpost_ops::contract::{IncidentPageRequest, PartState, Tag, WorkspaceStatus};
use watchpost_ops::door::operation;
use watchpost_ops::live::LiveFeed;

use crate::desk::Desk;
use crate::links;
use crate::windows;
use crate::words::Words;

/// Notices of one look; more are told as one.
const NOTICES_MAX: usize = 3;
/// Notices that are open at once, beside the one that tells of more.
const OPEN_MAX: usize = 5;
/// Incidents that are looked at for new ones.
const LOOKED_AT: u32 = 500;
/// The icon and the notices wait so long for a page that has drawn its first figures.
const DRAWN_MAX: Duration = Duration::from_secs(10);

/// What the quick actions of the menu know and say.
#[derive(Clone, Default)]
struct Quick {
    /// No notices until somebody wants them again, or the program ends.
    is_muted: Arc<AtomicBool>,
    /// Number of the newest critical incident that nobody took; 0 without one.
    newest: Arc<AtomicI64>,
}

impl Quick {
    fn is_muted(&self) -> bool {
        self.is_muted.load(Ordering::SeqCst)
    }

    /// What the action on the notices is called now.
    fn mute_key(&self) -> &'static str {
        if self.is_muted() { "desk.unmute" } else { "desk.mute" }
    }

    /// Opens the newest critical incident; without one the queue.
    fn open_newest(&self, app: &AppHandle) {
        match self.newest.load(Ordering::SeqCst) {
            0 => links::follow(app, "incidents"),
            number => links::follow(app, &format!("incidents/{number}")),
        }
    }
}

/// The texts of the menu below its first line, without that on the notices.
const KEYS: [&str; 6] =
    ["desk.open", "desk.newest", "desk.incidents", "desk.blocklist", "desk.redis", "desk.quit"];

/// What the icon in the desktop's panel says and shows.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Face {
    /// How the workspace is.
    line: String,
    /// Something critical waits.
    is_marked: bool,
    /// Of [`KEYS`], in the language that was chosen last.
    texts: [String; 6],
    mute: String,
}

impl Face {
    fn of(words: &Words, quick: &Quick, line: String, is_marked: bool) -> Self {
        let texts = KEYS.map(|key| words.text(key));
        Self { line, is_marked, texts, mute: words.text(quick.mute_key()) }
    }
}

/// The icon in the desktop's panel.
struct Tray {
    icon: TrayIcon<Wry>,
    state: MenuItem<Wry>,
    /// Of [`KEYS`].
    items: [MenuItem<Wry>; 6],
    /// Stops the notices, or lets them come again.
    mute: MenuItem<Wry>,
    shown: Face,
}

impl Tray {
    fn new(app: &AppHandle, quick: &Quick, shown: Face) -> tauri::Result<Self> {
        let state = MenuItem::with_id(app, "state", &shown.line, false, None::<&str>)?;
        let item = |id: &str, text: &str| MenuItem::with_id(app, id, text, true, None::<&str>);
        let [open, newest, incidents, blocklist, redis, quit] = &shown.texts;
        let items = [
            item("open", open)?,
            item("newest", newest)?,
            item("incidents", incidents)?,
            item("blocklist", blocklist)?,
            item("redis", redis)?,
            item("quit", quit)?,
        ];
        let mute = item("mute", &shown.mute)?;
        let [open, newest, incidents, blocklist, redis, quit] = &items;
        let menu = Menu::with_items(
            app,
            &[
                &state,
                &PredefinedMenuItem::separator(app)?,
                open,
                newest,
                incidents,
                blocklist,
                redis,
                &PredefinedMenuItem::separator(app)?,
                &mute,
                &PredefinedMenuItem::separator(app)?,
                quit,
            ],
        )?;
        let (actions, switch) = (quick.clone(), mute.clone());
        let icon = TrayIconBuilder::with_id("main")
            .icon(picture(app, shown.is_marked))
            .tooltip(format!("Watchpost: {}", shown.line))
            .menu(&menu)
            .on_menu_event(move |app, event| match event.id().as_ref() {
                "open" => windows::raise(app),
                "newest" => actions.open_newest(app),
                "mute" => {
                    actions.is_muted.fetch_xor(true, Ordering::SeqCst);
                    let text = app.state::<Words>().text(actions.mute_key());
                    if let Err(problem) = switch.set_text(text) {
                        tracing::debug!(%problem, "the menu in the panel was not changed");
                    }
                }
                "quit" => app.exit(0),
                panel => links::follow(app, panel),
            })
            .build(app)?;
        Ok(Self { icon, state, items, mute, shown })
    }

    /// Brings the icon up to date: what is as it was is left alone, for each picture is a file and each text a message to
    /// the desktop. The loop of the window does it and is not waited for: what waits for it when the program ends would
    /// wait for ever, and the end with it.
    fn show(&mut self, app: &AppHandle, next: Face) {
        if self.shown == next {
            return;
        }
        let before = std::mem::replace(&mut self.shown, next.clone());
        let others = self.items.clone().into_iter().zip(next.texts).zip(before.texts);
        let mut items: Vec<_> = others.filter(|((_, text), old)| text != old).map(|(new, _)| new).collect();
        if before.mute != next.mute {
            items.push((self.mute.clone(), next.mute));
        }
        let line = (before.line != next.line).then_some(next.line);
        let picture = (before.is_marked != next.is_marked).then(|| picture(app, next.is_marked));
        let (icon, state) = (self.icon.clone(), self.state.clone());
        let change = move || {
            let mut told = items.iter().try_for_each(|(item, text)| item.set_text(text));
            if let Some(line) = line {
                let tooltip = format!("Watchpost: {line}");
                told =
                    told.and_then(|()| state.set_text(line)).and_then(|()| icon.set_tooltip(Some(tooltip)));
            }
            if let Some(picture) = picture {
                told = told.and_then(|()| icon.set_icon(Some(picture)));
            }
            if let Err(problem) = told {
                tracing::debug!(%problem, "the icon in the panel was not changed");
            }
        };
        if let Err(problem) = app.run_on_main_thread(change) {
            tracing::debug!(%problem, "the icon in the panel was not changed");
        }
    }
}

/// The place of the icon in the desktop's panel, also before it is there.
#[derive(Clone, Default)]
struct Panel {
    standing: Arc<Mutex<Standing>>,
    quick: Quick,
}

#[derive(Default)]
struct Standing {
    tray: Option<Tray>,
    /// What it says, or is to say.
    face: Option<Face>,
}

impl Panel {
    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, app: &AppHandle, line: String, is_marked: bool) {
        let face = Face::of(&app.state::<Words>(), &self.quick, line, is_marked);
        let mut standing = self.standing();
        if let Some(tray) = &mut standing.tray {
            tray.show(app, face.clone());
        }
        standing.face = Some(face);
    }

    /// Makes the icon as it is to be; to be called by the thread of the windows.
    fn make(&self, app: &AppHandle) {
        let words = app.state::<Words>();
        let known = self.standing().face.clone();
        let face = known.unwrap_or_else(|| Face::of(&words, &self.quick, words.text("desk.starting"), false));
        // The binding of the desktop's panel panics where its library is not installed; the window must stay all the same.
        match catch_unwind(AssertUnwindSafe(|| Tray::new(app, &self.quick, face))) {
            Ok(Ok(mut tray)) => {
                let mut standing = self.standing();
                // It may be another one by now.
                if let Some(face) = standing.face.clone() {
                    tray.show(app, face);
                }
                standing.tray = Some(tray);
            }
            Ok(Err(problem)) => tracing::warn!(%problem, "no icon in the desktop's panel"),
            Err(_) => {
                tracing::warn!("no icon in the desktop's panel: libayatana-appindicator3 is not installed");
            }
        }
    }
}

/// How the workspace is, in one line.
fn sentence(words: &Words, status: &WorkspaceStatus, critical: u64) -> String {
    let Some(connection) = &status.connection else { return words.text("desk.no_connection") };
    let down = |part: &Option<watchpost_ops::contract::Part>| {
        part.as_ref().is_some_and(|part| part.state == PartState::Down)
    };
    let key = match (status.incidents_active, critical) {
        _ if down(&status.redis) => "desk.redis_down",
        _ if down(&status.database) => "desk.database_down",
        (0, _) => "desk.calm",
        (_, 0) => "desk.active",
        _ => "desk.critical",
    };
    let (active, critical) = (status.incidents_active.to_string(), critical.to_string());
    words.filled(key, &[("name", &connection.name), ("n", &active), ("critical", &critical)])
}

/// The icon of the program, with a mark when something critical waits: a filled circle, told by shape as by colour.
fn picture(app: &AppHandle, is_marked: bool) -> Image<'static> {
    let Some(icon) = app.default_window_icon() else { return Image::new_owned(vec![0; 4], 1, 1) };
    let (width, height) = (icon.width(), icon.height());
    let mut rgba = icon.rgba().to_vec();
    if is_marked {
        let radius = i64::from(width) / 4;
        let (x0, y0) = (i64::from(width) - radius - 1, i64::from(height) - radius - 1);
        for (at, pixel) in (0_i64..).zip(rgba.chunks_exact_mut(4)) {
            let (x, y) = (at % i64::from(width) - x0, at / i64::from(width) - y0);
            let distance = x * x + y * y;
            if distance <= radius * radius {
                let is_rim = distance > (radius - radius / 4 - 1) * (radius - radius / 4 - 1);
                pixel.copy_from_slice(if is_rim { &[255, 255, 255, 255] } else { &[214, 40, 57, 255] });
            }
        }
    }
    Image::new_owned(rgba, width, height)
}

/// Starts the icon and the notices; they end with the process.
pub(crate) fn start(app: &AppHandle) {
    drop(tauri::async_runtime::spawn(begin(app.clone())));
}

/// Makes the icon, and looks for what is to be told, when a page has drawn its first figures, which would come later: the
/// icon takes the thread of the windows a tenth of a second or two, and the look asks what the page asks too. Where no page
/// says so both come all the same.
async fn begin(app: AppHandle) {
    if tokio::time::timeout(DRAWN_MAX, app.state::<Desk>().drawn()).await.is_err() {
        tracing::info!("no page has said that it is drawn");
    }
    let panel = Panel::default();
    let (making, made) = (app.clone(), panel.clone());
    if let Err(problem) = app.run_on_main_thread(move || made.make(&making)) {
        tracing::debug!(%problem, "no icon in the desktop's panel");
    }
    // Ends with the process.
    drop(tauri::async_runtime::spawn(watch(app, panel)));
}

async fn watch(app: AppHandle, panel: Panel) {
    let desk = app.state::<Desk>();
    let mut feed: LiveFeed = desk.own_feed();
    let mut news = News::default();
    let notices = Notices::default();
    let mut seen: Option<ConnectionId> = None;
    let mut critical = 0;
    let quick = panel.quick.clone();
    loop {
        let batch = feed.next().await;
        // Who is not let in reads no notices either.
        if batch.locked {
            seen = None;
            continue;
        }
        let connection = batch.status.connection.as_ref().map(|connection| connection.id);
        if seen != connection || batch.changed.contains(&Tag::Incidents) {
            match connection {
                // Without an answer all stays as it is, and the next batch asks again.
                Some(id) => {
                    if let Some((waiting, total)) = waiting(&desk).await {
                        critical = total;
                        quick
                            .newest
                            .store(waiting.first().map_or(0, |incident| incident.number), Ordering::SeqCst);
                        // Also while no notices are wanted it is known what is new: it is not told later.
                        let fresh = news.look(id, &waiting);
                        if !quick.is_muted() {
                            notices.tell(&app, &fresh);
                        }
                        seen = connection;
                    }
                }
                None => {
                    (critical, seen) = (0, None);
                    quick.newest.store(0, Ordering::SeqCst);
                }
            }
        }
        let line = sentence(&app.state::<Words>(), &batch.status, critical);
        panel.show(&app, line, critical > 0);
    }
}

/// The newest critical incidents that nobody took, and how many there are.
async fn waiting(desk: &Desk) -> Option<(Vec<Incident>, u64)> {
    let filter = IncidentFilter {
        status: vec![Status::Open, Status::Reopened],
        severity: vec![Severity::Critical],
        ..IncidentFilter::default()
    };
    let request = IncidentPageRequest { filter, order: IncidentOrder::Newest, after: None, limit: LOOKED_AT };
    let page = desk.call::<operation::incident_page>(request, None).await.ok()?;
    Some((page.rows, page.total))
}

/// The notices on the screen. Each is a thread and a connection to the desktop until somebody clicks or closes it, so
/// there are only a few at once.
#[derive(Default)]
struct Notices {
    open: Arc<AtomicUsize>,
}

impl Notices {
    fn tell(&self, app: &AppHandle, fresh: &[&Incident]) {
        let words = app.state::<Words>();
        for incident in fresh.iter().take(NOTICES_MAX) {
            let title =
                words.filled("desk.notice.title", &[("family", words.family(incident.family).as_str())]);
            let (number, kind) = (incident.number.to_string(), words.kind(incident.entity.kind));
            let value = escaped(&incident.entity.value);
            let holes = [("n", number.as_str()), ("kind", &kind), ("value", &value)];
            let body = words.filled("desk.notice.body", &holes);
            if !self.show(OPEN_MAX, app, title, body, format!("incidents/{}", incident.number)) {
                return self.more(app);
            }
        }
        if fresh.len() > NOTICES_MAX {
            self.more(app);
        }
    }

    /// One notice for all that had no place; where it stands already it says enough.
    fn more(&self, app: &AppHandle) {
        let words = app.state::<Words>();
        let (title, body) = (words.text("desk.notice.more"), words.text("desk.notice.more.body"));
        self.show(OPEN_MAX + 1, app, title, body, "incidents".to_owned());
    }

    /// Shows a notice unless `most` are open; clicking it leads to `route`.
    fn show(&self, most: usize, app: &AppHandle, title: String, body: String, route: String) -> bool {
        let below = |open: usize| (open < most).then_some(open + 1);
        if self.open.fetch_update(Ordering::SeqCst, Ordering::SeqCst, below).is_err() {
            return false;
        }
        let (app, place) = (app.clone(), Place(Arc::clone(&self.open)));
        let waiting = std::thread::Builder::new().name("notice".to_owned()).spawn(move || {
            notice(&app, &title, &body, &route);
            drop(place);
        });
        if let Err(problem) = waiting {
            tracing::warn!(%problem, "no notice was shown");
        }
        true
    }
}

/// The place of a notice that is open.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The text as it is: desktops read marks of HTML in notices, and attackers write names.
fn escaped(text: &str) -> String {
    watchpost_model::text::visible(text, 80).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Shows a notice and waits until it is clicked or closed.
fn notice(app: &AppHandle, title: &str, body: &str, route: &str) {
    let shown = notify_rust::Notification::new()
        .appname("Watchpost")
        .summary(title)
        .body(body)
        .icon("watchpost")
        .hint(notify_rust::Hint::DesktopEntry("Watchpost".to_owned()))
        .urgency(notify_rust::Urgency::Critical)
        .action("default", &app.state::<Words>().text("desk.notice.open"))
        .show();
    match shown {
        Ok(shown) => shown.wait_for_action(|action| {
            if action == "default" {
                links::follow(app, route);
            }
        }),
        Err(problem) => tracing::debug!(%problem, "the desktop shows no notices"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::{Face, Quick, escaped};
    use crate::words::Words;

    #[test]
    fn the_icon_is_another_one_only_when_it_says_something_else() {
        let (words, quick) = (Words::default(), Quick::default());
        let face = || Face::of(&words, &quick, "shop: no active incident".to_owned(), false);
        let before = face();
        words.take([("desk.quit".to_owned(), "Quit".to_owned())].into());
        assert_eq!(face(), before, "a page handed over what was said anyway");
        words.take([("desk.quit".to_owned(), "Beenden".to_owned())].into());
        let german = face();
        assert_ne!(german, before);
        quick.is_muted.store(true, Ordering::SeqCst);
        assert_ne!(face(), german, "the notices are paused");
    }

    #[test]
    fn names_in_notices_are_text() {
        assert_eq!(escaped("<b>x</b>&"), "&lt;b&gt;x&lt;/b&gt;&amp;");
        assert!(!escaped("a\u{202e}b\u{1b}[31m").contains(['\u{202e}', '\u{1b}']));
    }
}
