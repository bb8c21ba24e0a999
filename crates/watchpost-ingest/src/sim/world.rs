//! The ordinary life of the simulated application: people, what they do, and when.

use chrono::{DateTime, Datelike, Duration, Timelike, Utc, Weekday};
use watchpost_model::event::{Category, Event, Http, Outcome, Severity};
use watchpost_model::ids::EventId;

use super::rng::Rng;

/// Country, hours from UTC, first octet of its addresses, weight.
const COUNTRIES: &[(&str, i32, u8, u32)] = &[
    ("DE", 1, 84, 30),
    ("GB", 0, 86, 20),
    ("US", -5, 72, 25),
    ("FR", 1, 90, 10),
    ("IN", 5, 103, 8),
    ("BR", -3, 177, 5),
    ("JP", 9, 126, 4),
];

const NAMES: &[&str] = &[
    "anna", "ben", "carla", "david", "elena", "felix", "grace", "hugo", "ines", "jonas", "kira", "liam",
    "maya", "noah", "olga", "paul", "quinn", "rosa", "sam", "tara", "uwe", "vera", "wim", "xenia", "yusuf",
    "zoe",
];

const SEARCHES: &[&str] = &[
    "blue+running+shoes",
    "O%27Brien",
    "coffee+%26+tea",
    "usb-c+cable+2m",
    "select+comfort+pillow",
    "rock+%27n%27+roll",
    "table+for+4+or+6",
    "winter+jacket",
    "50%25+off",
    "caf%C3%A9+au+lait",
    "drop+leaf+table",
    "laptop+15%22",
];

const AGENTS: &[&str] = &[
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
];

/// What a step of a session does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    Request,
    Search,
    View,
    Modify,
    Export,
    Permission,
    Configure,
}

/// One endpoint: method, path (`{}` is a number), weight, kilobytes of the answer, milliseconds, what it does.
struct Endpoint(&'static str, &'static str, u32, u64, u64, Does);

const ENDPOINTS: &[Endpoint] = &[
    Endpoint("GET", "/", 20, 18, 35, Does::Request),
    Endpoint("GET", "/api/products", 26, 42, 60, Does::Request),
    Endpoint("GET", "/api/products/{}", 40, 6, 25, Does::Request),
    Endpoint("GET", "/search", 18, 22, 110, Does::Search),
    Endpoint("GET", "/api/cart", 14, 2, 20, Does::Request),
    Endpoint("POST", "/api/cart/items", 8, 1, 40, Does::Request),
    Endpoint("POST", "/api/orders", 3, 3, 240, Does::Modify),
    Endpoint("GET", "/api/orders/{}", 9, 5, 45, Does::View),
    Endpoint("GET", "/api/customers/{}", 10, 4, 30, Does::View),
    Endpoint("PUT", "/api/customers/{}", 3, 1, 70, Does::Modify),
    Endpoint("GET", "/api/reports/sales", 2, 120, 900, Does::Export),
    Endpoint("GET", "/static/app.js", 24, 310, 8, Does::Request),
    Endpoint("GET", "/static/logo.svg", 16, 4, 4, Does::Request),
    Endpoint("GET", "/admin/users", 2, 16, 80, Does::Permission),
    Endpoint("PUT", "/admin/settings", 1, 1, 60, Does::Configure),
];

/// One person.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) name: String,
    country: &'static str,
    utc_hours: i32,
    address: String,
    agent: &'static str,
    first_hour: u32,
    is_admin: bool,
}

/// The people and their application.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) people: Vec<Person>,
}

/// Events of a mean session; only a scale, the truth is in the events.
const SESSION_EVENTS_MEAN: f64 = 17.0;

impl World {
    pub(super) fn new(seed: u64, n_users: u32) -> Self {
        let mut rng = Rng::new(seed, 1);
        let people = (0..n_users.max(1))
            .map(|n| {
                let &(country, utc_hours, octet, _) = rng.weighted(COUNTRIES, |country| country.3);
                let name = NAMES[n as usize % NAMES.len()];
                let round = n as usize / NAMES.len();
                Person {
                    name: if round == 0 { name.to_owned() } else { format!("{name}{round}") },
                    country,
                    utc_hours,
                    address: format!(
                        "{octet}.{}.{}.{}",
                        rng.between(16, 240),
                        rng.below(256),
                        rng.between(1, 254)
                    ),
                    agent: AGENTS[usize::try_from(rng.below(AGENTS.len() as u64)).unwrap_or(0)],
                    first_hour: u32::try_from(rng.between(7, 10)).unwrap_or(8),
                    is_admin: n % 12 == 0,
                }
            })
            .collect();
        Self { people }
    }

    /// The events of the sessions that begin in the hour from `hour` on; a session may end in a later hour.
    pub(super) fn hour(&self, seed: u64, hour: DateTime<Utc>, events_per_day: u32) -> Vec<Event> {
        let mut rng = Rng::new(seed, 0x4000_0000_0000 ^ u64::try_from(hour.timestamp()).unwrap_or(0));
        let sessions = f64::from(events_per_day) / 24.0 / SESSION_EVENTS_MEAN / MEAN_ACTIVITY;
        let whole = sessions.floor();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a small positive whole number"
        )]
        let n_tries = whole as u64 + u64::from(rng.chance(sessions - whole));
        let mut events = Vec::new();
        for _ in 0..n_tries {
            let person = rng.pick(&self.people).clone();
            let start = hour + Duration::milliseconds(i64::try_from(rng.below(3_600_000)).unwrap_or(0));
            if rng.chance(person.activity(start)) {
                person.session(&mut rng, start, &mut events);
            }
        }
        events
    }
}

/// Mean of [`Person::activity`] over a week.
const MEAN_ACTIVITY: f64 = 0.33;

impl Person {
    /// How likely the person is at it, 0 to 1.
    fn activity(&self, at: DateTime<Utc>) -> f64 {
        let local = at + Duration::hours(i64::from(self.utc_hours));
        let hour = local.hour();
        let by_hour = match hour.checked_sub(self.first_hour) {
            Some(0) => 0.7,
            Some(4) => 0.6,
            Some(1..=8) => 1.0,
            Some(9..=13) => 0.25,
            _ => 0.03,
        };
        let is_weekend = matches!(local.weekday(), Weekday::Sat | Weekday::Sun);
        by_hour * if is_weekend { 0.2 } else { 1.0 }
    }

    fn session(&self, rng: &mut Rng, start: DateTime<Utc>, events: &mut Vec<Event>) {
        let session = format!("s-{:016x}", rng.next());
        let mut at = start;
        let mut n_failures = 0;
        while rng.chance(0.05) && n_failures < 2 {
            n_failures += 1;
            events.push(self.login(rng, at, Outcome::Failure, None));
            at += Duration::milliseconds(i64::try_from(rng.between(3_000, 15_000)).unwrap_or(0));
        }
        events.push(self.login(rng, at, Outcome::Success, Some(&session)));
        for _ in 0..rng.between(4, 28) {
            #[expect(clippy::cast_possible_truncation, reason = "minutes in milliseconds")]
            let pause = rng.waiting(22_000.0) as i64 + 400;
            at += Duration::milliseconds(pause);
            self.step(rng, at, &session, events);
        }
        if rng.chance(0.4) {
            let mut event = self.event(rng, at + Duration::seconds(20), Category::Authentication, "logout");
            event.session = Some(session);
            event.outcome = Outcome::Success;
            events.push(event);
        }
    }

    fn event(&self, rng: &mut Rng, at: DateTime<Utc>, category: Category, kind: &str) -> Event {
        let mut event = Event::new(event_id(rng, at), at, category, kind);
        event.actor = Some(self.name.clone());
        event.source_ip = Some(self.address.clone());
        event.details = serde_json::json!({ "country": self.country });
        event
    }

    fn login(&self, rng: &mut Rng, at: DateTime<Utc>, outcome: Outcome, session: Option<&str>) -> Event {
        let is_success = outcome == Outcome::Success;
        let kind = if is_success { "login_success" } else { "login_failure" };
        let mut event = self.event(rng, at, Category::Authentication, kind);
        event.outcome = outcome;
        event.severity = if is_success { Severity::Info } else { Severity::Low };
        event.session = session.map(str::to_owned);
        event.action = Some("login".to_owned());
        event.http = Some(self.http(rng, "POST", "/login", if is_success { 200 } else { 401 }, 1, 180));
        event
    }

    fn http(&self, rng: &mut Rng, method: &str, path: &str, status: u16, kilobytes: u64, ms: u64) -> Http {
        Http {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: [("user-agent".to_owned(), self.agent.to_owned())].into(),
            status: Some(status),
            bytes: Some(rng.between(kilobytes * 700, kilobytes * 1_300)),
            duration_ms: Some(rng.between(ms / 2 + 1, ms * 2)),
            ..Http::default()
        }
    }

    fn step(&self, rng: &mut Rng, at: DateTime<Utc>, session: &str, events: &mut Vec<Event>) {
        let &Endpoint(method, path, _, kilobytes, ms, does) = rng.weighted(ENDPOINTS, |endpoint| endpoint.2);
        let is_refused = matches!(does, Does::Permission | Does::Configure) && !self.is_admin;
        let number = rng.between(1, 40_000).to_string();
        let path = path.replace("{}", &number);
        let status = match rng.below(1_000) {
            _ if is_refused => 403,
            0..=4 => 500,
            5..=19 => 404,
            20..=99 if method == "GET" => 304,
            _ => 200,
        };
        let mut http = self.http(rng, method, &path, status, kilobytes, ms);
        match does {
            Does::Search => http.query = Some(format!("q={}&page={}", rng.pick(SEARCHES), rng.between(1, 4))),
            Does::Request if path == "/api/products" => {
                http.query = Some(format!("page={}&sort=price", rng.between(1, 30)))
            }
            _ => {}
        }
        let (category, kind) = match does {
            Does::Request | Does::Search => (Category::ApiUsage, "request"),
            Does::View => (Category::DataAccess, "record_viewed"),
            Does::Modify => (Category::DataAccess, "record_modified"),
            Does::Export => (Category::DataAccess, "record_exported"),
            Does::Permission => (Category::Authorization, "permission_check"),
            Does::Configure if is_refused => (Category::Authorization, "access_denied"),
            Does::Configure => (Category::Configuration, "setting_changed"),
        };
        let mut event = self.event(rng, at, category, kind);
        event.session = Some(session.to_owned());
        event.outcome = if status < 400 { Outcome::Success } else { Outcome::Failure };
        event.severity = if status >= 500 || is_refused { Severity::Low } else { Severity::Info };
        if category != Category::ApiUsage {
            event.resource = Some(path);
            event.action = Some(kind.to_owned());
        }
        event.http = Some(http);
        events.push(event);
    }
}

/// An id from the stream of numbers.
pub(super) fn event_id(rng: &mut Rng, at: DateTime<Utc>) -> EventId {
    let mut seed = [0_u8; 16];
    seed[..8].copy_from_slice(&rng.next().to_be_bytes());
    seed[8..].copy_from_slice(&rng.next().to_be_bytes());
    EventId::derived(at.timestamp_millis(), seed)
}
