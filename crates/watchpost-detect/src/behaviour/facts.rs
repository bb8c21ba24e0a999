//! What an event is to the behaviours, read once: which kinds of things happened, to whom, from where.

use std::cell::OnceCell;
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, AhoCorasickKind};
use watchpost_model::event::{Category, Event, Outcome};

use super::table::{Key, key_of, short};
use crate::baseline::network;
use crate::rules::{By, Part, When};

/// Words in the type of an event that say that somebody tries to get in.
const LOGIN_WORDS: &[&str] = &["login", "logon", "auth", "signin", "sign_in", "mfa", "password_check"];
/// Members of an event's details in which applications say why a login failed.
const WHY: &[&str] = &["reason", "failure_reason", "error", "error_code", "code", "cause", "message"];
/// Ways to say that there is no such user, as words in this order.
const NO_SUCH_USER: &[&str] = &[
    "unknown user",
    "unknown username",
    "unknown account",
    "unknown login",
    "user unknown",
    "invalid user",
    "illegal user",
    "no such user",
    "no such account",
    "no such login",
    "no user",
    "user not found",
    "account not found",
    "user does not exist",
    "account does not exist",
    "user doesn t exist",
    "nonexistent user",
    "non existent user",
    "user nonexistent",
];
/// Words of answers that leave open whether the user or the password was wrong.
const EITHER: &[&str] = &["or", "password", "credential", "credentials", "token", "session", "agent"];
/// Rights beyond those of a user, as words inside a role or permission.
const ADMIN_WORDS: &[&str] = &["admin", "root", "superuser", "super_user", "owner", "sudo", "wheel"];
/// Ends of paths that a page brings with it.
const STATIC_ENDS: &[&str] = &[
    "css", "js", "mjs", "map", "png", "jpg", "jpeg", "gif", "svg", "ico", "webp", "avif", "woff", "woff2",
    "ttf", "eot", "otf", "mp4", "webm", "mp3",
];
/// Parts of paths that no visitor asks for: configuration, keys, backups, consoles.
const SENSITIVE: &[&str] = &[
    "/.env",
    "/.git/",
    "/.svn/",
    "/.hg/",
    "/.aws/",
    "/.ssh/",
    "/.htpasswd",
    "/.htaccess",
    "/.ds_store",
    "/.npmrc",
    "/.dockercfg",
    "/.docker/",
    "/.kube/",
    "/.vscode/",
    "/.idea/",
    "/id_rsa",
    "/id_ed25519",
    "/wp-config",
    "/config.php",
    "/configuration.php",
    "/settings.php",
    "/web.config",
    "/database.yml",
    "/credentials",
    "/secrets.",
    "/phpinfo",
    "/server-status",
    "/server-info",
    "/actuator/env",
    "/actuator/heapdump",
    "/adminer",
    "/phpmyadmin",
    "/docker-compose",
    "/backup.",
    "/dump.",
    "/db.sql",
    "/backup/",
    ".sql",
    ".bak",
    ".old",
    ".swp",
    ".sqlite",
    ".pem",
    ".pfx",
    ".kdbx",
    ".tar.gz",
    "/xmlrpc.php",
    "/eval-stdin.php",
    "/.well-known/../",
    "/etc/passwd",
];

/// An event, read for counting.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) at_ms: i64,
    pub(crate) count: u32,
    pub(crate) source: Option<&'a str>,
    pub(crate) user: Option<&'a str>,
    pub(crate) session: Option<&'a str>,
    pub(crate) agent: Option<&'a str>,
    pub(crate) endpoint: Option<&'a str>,
    pub(crate) path: Option<&'a str>,
    /// Bytes that went out, where the event says so and the request was not refused.
    pub(crate) bytes_out: u64,
    /// Bytes that came in with an upload.
    pub(crate) bytes_in: u64,
    /// Whom a right was given, for changes of rights.
    pub(crate) grantee: Option<&'a str>,
    /// The source is in a network that is known of the user; looked up for logins that worked.
    pub(crate) is_at_home: bool,
    /// What happened: one bit for each [`When`].
    pub(super) is: u32,
    agent_key: OnceCell<Key>,
    /// The keys of its groups, by [`By`].
    group_keys: [OnceCell<Key>; 5],
    /// The short hashes of its parts, by [`Part`].
    members: [OnceCell<u32>; 4],
    network: OnceCell<String>,
    /// The source as it is counted, where that is not how it is written: the network of one subscriber of IPv6.
    source_net: Option<String>,
    /// The user as counted, where that is not how the name is written: in lower case.
    user_lower: Option<String>,
}

impl<'a> Facts<'a> {
    pub(crate) fn of(event: &'a Event) -> Self {
        let http = event.http.as_ref();
        let known =
            |value: &'a Option<String>| value.as_deref().filter(|value| !value.is_empty() && *value != "-");
        let is_failure = event.outcome == Outcome::Failure;
        let details_bytes = event.details.get("bytes").and_then(serde_json::Value::as_u64);
        let mut facts = Self {
            at_ms: event.at.timestamp_millis(),
            count: event.count.max(1),
            source: known(&event.source_ip),
            user: known(&event.actor),
            session: known(&event.session),
            agent: http.and_then(|http| http.headers.get("user-agent")).map(String::as_str),
            endpoint: Some(event.endpoint()).filter(|endpoint| *endpoint != "-"),
            path: http.map(|http| http.path.as_str()).filter(|path| !path.is_empty()),
            bytes_out: 0,
            bytes_in: 0,
            grantee: None,
            is_at_home: false,
            is: 0,
            agent_key: OnceCell::new(),
            group_keys: Default::default(),
            members: Default::default(),
            network: OnceCell::new(),
            source_net: None,
            user_lower: None,
        };
        facts.source_net = facts.source.and_then(subscriber);
        facts.user_lower =
            facts.user.filter(|user| user.chars().any(char::is_uppercase)).map(str::to_lowercase);
        facts.read_kind(event, is_failure);
        if facts.has(When::Upload) {
            facts.bytes_in = details_bytes.unwrap_or(0);
        } else if !is_failure {
            facts.bytes_out = http.and_then(|http| http.bytes).or(details_bytes).unwrap_or(0);
            facts.put(When::DataOut, facts.bytes_out > 0);
        }
        if http.is_some() || event.category == Category::ApiUsage {
            facts.read_request(event);
        }
        facts
    }

    /// Did this happen?
    pub(crate) const fn has(&self, when: When) -> bool {
        self.is & (1 << when as u32) != 0
    }

    /// The hash of the agent as it stands there.
    pub(crate) fn agent_key(&self) -> Option<Key> {
        let agent = self.agent?;
        Some(*self.agent_key.get_or_init(|| key_of(&[agent])))
    }

    /// The one of its parts that a behaviour counts, as it is counted.
    pub(crate) fn part(&self, part: Part) -> Option<&str> {
        match part {
            Part::Source => self.source_net.as_deref().or(self.source),
            Part::User => self.user_lower.as_deref().or(self.user),
            Part::Path => self.path.or(self.endpoint),
            Part::Resource => self.endpoint,
        }
    }

    /// The short hash of that part: what a group remembers of it.
    pub(super) fn member(&self, part: Part) -> Option<u32> {
        let value = self.part(part)?;
        Some(*self.members[part as usize].get_or_init(|| short(key_of(&[value])).max(1)))
    }

    /// The network of its source.
    pub(crate) fn network(&self) -> Option<&str> {
        let source = self.source?;
        Some(self.network.get_or_init(|| network(source)))
    }

    /// What its group is told from others by: its name, but for users in any case and for networks of IPv6.
    pub(crate) fn group_key(&self, by: By) -> Option<Key> {
        let (name, more) = self.group(by)?;
        let key = || {
            let name = match by {
                By::Source => self.part(Part::Source).unwrap_or(name),
                By::User => self.part(Part::User).unwrap_or(name),
                By::Endpoint | By::EndpointAgent | By::Entrance => name,
            };
            key_of(&[name, more])
        };
        Some(*self.group_keys[by as usize].get_or_init(key))
    }

    /// The name of its group; an agent's group is one endpoint seen through one agent.
    pub(crate) fn group(&self, by: By) -> Option<(&'a str, &'a str)> {
        match by {
            By::Source => Some((self.source?, "")),
            By::User => Some((self.user?, "")),
            By::Endpoint => Some((self.endpoint?, "")),
            By::Entrance => Some((self.endpoint.unwrap_or("login"), "")),
            By::EndpointAgent => Some((self.endpoint?, self.agent?)),
        }
    }

    const fn put(&mut self, when: When, is: bool) {
        if is {
            self.is |= 1 << when as u32;
        }
    }

    fn read_kind(&mut self, event: &'a Event, is_failure: bool) {
        let kind = event.kind.as_str();
        let has = |word: &str| kind.contains(word);
        let is_success = event.outcome == Outcome::Success;
        match event.category {
            Category::Authentication => {
                let is_login = LOGIN_WORDS.iter().any(|word| has(word)) && !has("logout");
                self.put(When::LoginFailed, is_login && is_failure);
                self.put(When::UnknownUser, is_login && is_failure && is_user_unknown(event));
                self.put(When::LoginWorked, is_login && is_success);
            }
            Category::Authorization => {
                self.put(When::Denied, is_failure);
                self.put(When::Allowed, is_success);
            }
            Category::DataAccess | Category::Configuration => {
                self.put(When::Denied, is_failure && (has("denied") || has("forbidden")));
                self.put(When::Allowed, is_success);
            }
            Category::ApiUsage => {}
        }
        // What most events are called has none of the words below in it.
        if kind == "request" {
            return;
        }
        let is_upload = has("upload");
        self.put(When::Upload, is_upload);
        self.put(When::UploadRefused, is_upload && is_failure);
        let is_violation = !is_success && !has("passed");
        self.put(When::Csrf, is_violation && has("csrf"));
        self.put(When::Jwt, is_violation && (has("jwt") || has("token_invalid") || has("invalid_token")));
        self.put(When::Ssrf, is_violation && has("ssrf"));
        self.put(When::RateLimited, is_violation && (has("rate_limit") || has("throttled")));
        if !is_failure && (has("role") || has("grant") || has("permission") || has("privilege")) {
            self.read_grant(event);
        }
    }

    fn read_grant(&mut self, event: &'a Event) {
        let detail = |names: &[&str]| names.iter().find_map(|name| event.details.get(*name)?.as_str());
        let is_change =
            ["chang", "grant", "assign", "add", "updat", "promot", "elevat", "set"].iter().any(|word| {
                event.kind.contains(word) || event.action.as_deref().is_some_and(|a| a.contains(word))
            });
        let is_removal = ["revoke", "remov", "delet", "demot"].iter().any(|word| event.kind.contains(word));
        if !is_change || is_removal {
            return;
        }
        let role =
            detail(&["role", "new_role", "to_role", "permission", "privilege", "new", "to"]).unwrap_or("");
        let role = role.to_ascii_lowercase();
        let is_admin = ADMIN_WORDS.iter().any(|word| role.contains(word));
        self.grantee = detail(&["target_user", "user", "subject", "grantee", "member", "target", "username"])
            .or_else(|| event.resource.as_deref().and_then(|resource| resource.strip_prefix("user/")));
        let is_self = self.grantee.is_some() && self.grantee == self.user;
        self.put(When::SelfGrant, is_self);
        self.put(When::AdminGrant, is_admin && !is_self);
    }

    fn read_request(&mut self, event: &Event) {
        self.put(When::Request, true);
        let Some(http) = &event.http else { return };
        let status = http.status.unwrap_or(0);
        self.put(When::Refused, status / 100 == 4);
        self.put(When::NotFound, matches!(status, 400 | 403 | 404));
        self.put(When::Unauthorized, status == 401 && !self.has(When::LoginFailed));
        let end = http.path.rsplit_once('.').map_or("", |(_, end)| end);
        let is_static = STATIC_ENDS.iter().any(|known| end.eq_ignore_ascii_case(known));
        let is_read = matches!(http.method.as_str(), "GET" | "HEAD" | "");
        self.put(When::Page, is_read && !is_static && http.path.len() > 1);
        self.put(When::Sensitive, sensitive().is_match(&http.path));
    }
}

/// The first 64 bits of an address of IPv6, which one subscriber has all addresses of.
fn subscriber(address: &str) -> Option<String> {
    if !address.contains(':') {
        return None;
    }
    let address: std::net::Ipv6Addr = address.parse().ok()?;
    if address.to_ipv4_mapped().is_some() {
        return None;
    }
    let [a, b, c, d, ..] = address.segments();
    Some(format!("{a:x}:{b:x}:{c:x}:{d:x}::/64"))
}

/// Does the event say that the login failed because there is no such user?
fn is_user_unknown(event: &Event) -> bool {
    let says = |name: &&str| event.details.get(*name).and_then(serde_json::Value::as_str);
    event.details.get("invalid_user").and_then(serde_json::Value::as_bool).unwrap_or(false)
        || says_no_such_user(&event.kind)
        || WHY.iter().filter_map(says).any(says_no_such_user)
}

fn says_no_such_user(text: &str) -> bool {
    /// Longer texts are no reasons.
    const REASON_MAX: usize = 200;
    if text.len() > REASON_MAX {
        return false;
    }
    let mut words = String::with_capacity(text.len() + 2);
    words.push(' ');
    let mut was_lower = false;
    for letter in text.chars() {
        // `UserNotFound` is three words as well.
        if letter.is_ascii_uppercase() && was_lower {
            words.push(' ');
        }
        was_lower = letter.is_ascii_lowercase();
        let letter = if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { ' ' };
        if letter != ' ' || !words.ends_with(' ') {
            words.push(letter);
        }
    }
    words.push(' ');
    let has = |phrase: &&str| words.match_indices(*phrase).any(|(at, _)| is_whole(&words, at, phrase.len()));
    NO_SUCH_USER.iter().any(has) && !EITHER.iter().any(has)
}

fn is_whole(words: &str, at: usize, len: usize) -> bool {
    let is_space = |at: usize| words.as_bytes().get(at).is_none_or(|byte| *byte == b' ');
    is_space(at.wrapping_sub(1)) && is_space(at + len)
}

fn sensitive() -> &'static AhoCorasick {
    static PARTS: OnceLock<AhoCorasick> = OnceLock::new();
    PARTS.get_or_init(|| {
        AhoCorasickBuilder::new()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .build(SENSITIVE)
            .expect("a few dozen short literals")
    })
}
