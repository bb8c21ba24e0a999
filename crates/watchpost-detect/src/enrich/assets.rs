//! What matters more and what matters less: patterns over endpoints, users, sessions and addresses.

use std::net::IpAddr;

use ipnet::IpNet;
use watchpost_model::block::BlockTarget;
use watchpost_model::enrichment::AssetRule;
use watchpost_model::event::{EntityKind, Event};

/// Why a rule about an asset cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AssetError {
    /// The pattern is empty, too long, or holds control characters.
    #[error("a pattern has 1 to 500 characters and no control characters")]
    Pattern,
    /// A path without its slash.
    #[error("the pattern of an endpoint begins with a slash: /admin")]
    NoPath,
    /// Not an address.
    #[error("{0}")]
    Address(String),
    /// Outside 0.5 to 2.0.
    #[error("a weight is a number from 0.5 to 2.0")]
    Weight,
    /// Empty or too long.
    #[error("a label has 1 to 100 characters")]
    Label,
}

/// Rules about assets, ready for matching.
#[derive(Debug, Default)]
pub struct Assets {
    rules: Vec<(AssetRule, Pattern)>,
}

#[derive(Debug)]
enum Pattern {
    /// This path and everything below it.
    Path(String),
    /// Anything that begins so.
    Prefix(String),
    /// Parts between the stars.
    Name(Vec<String>),
    Net(IpNet),
}

impl Assets {
    /// Prepares rules.
    ///
    /// # Errors
    /// The first rule that cannot be used.
    pub fn new(rules: Vec<AssetRule>) -> Result<Self, AssetError> {
        let prepared = rules.into_iter().map(|rule| {
            let pattern = prepare(&rule)?;
            Ok((rule, pattern))
        });
        Ok(Self { rules: prepared.collect::<Result<_, _>>()? })
    }

    /// The rules that match something of `event`, heaviest first.
    #[must_use]
    pub fn of(&self, event: &Event) -> Vec<AssetRule> {
        if self.rules.is_empty() {
            return Vec::new();
        }
        let address: Option<IpAddr> =
            event.source_ip.as_deref().and_then(|text| text.parse().ok()).map(|ip: IpAddr| ip.to_canonical());
        let mut found: Vec<AssetRule> = self
            .rules
            .iter()
            .filter(|(rule, pattern)| match rule.kind {
                EntityKind::Ip => address.is_some_and(|address| pattern.holds(address)),
                EntityKind::User => event.actor.as_deref().is_some_and(|name| pattern.is(name)),
                EntityKind::Session => event.session.as_deref().is_some_and(|name| pattern.is(name)),
                EntityKind::Endpoint => pattern.is(event.endpoint()),
            })
            .map(|(rule, _)| rule.clone())
            .collect();
        found.sort_by(|a, b| b.weight.total_cmp(&a.weight).then_with(|| a.label.cmp(&b.label)));
        found
    }
}

/// Checks a rule.
///
/// # Errors
/// What is wrong with it.
pub fn check_asset(rule: &AssetRule) -> Result<(), AssetError> {
    prepare(rule).map(drop)
}

fn prepare(rule: &AssetRule) -> Result<Pattern, AssetError> {
    let fits = |text: &str, max: usize| {
        let n = text.chars().count();
        (1..=max).contains(&n) && !text.chars().any(char::is_control)
    };
    if !(0.5..=2.0).contains(&rule.weight) {
        return Err(AssetError::Weight);
    }
    if !fits(&rule.label, 100) {
        return Err(AssetError::Label);
    }
    if !fits(&rule.pattern, 500) {
        return Err(AssetError::Pattern);
    }
    Ok(match rule.kind {
        EntityKind::Ip => {
            let target: Result<BlockTarget, _> = rule.pattern.parse();
            let net = target.map_err(|error| AssetError::Address(error.to_string()))?.to_string();
            let parsed = net.parse().or_else(|_| net.parse::<IpAddr>().map(IpNet::from));
            Pattern::Net(parsed.map_err(|_| AssetError::Address(format!("{net} is no address")))?)
        }
        EntityKind::User | EntityKind::Session => {
            Pattern::Name(rule.pattern.to_lowercase().split('*').map(str::to_owned).collect())
        }
        EntityKind::Endpoint if !rule.pattern.starts_with('/') => return Err(AssetError::NoPath),
        EntityKind::Endpoint => match rule.pattern.strip_suffix('*') {
            Some(start) => Pattern::Prefix(start.to_owned()),
            None => Pattern::Path(rule.pattern.trim_end_matches('/').to_owned()),
        },
    })
}

impl Pattern {
    fn holds(&self, address: IpAddr) -> bool {
        match self {
            Self::Net(net) => net.contains(&address),
            Self::Path(_) | Self::Prefix(_) | Self::Name(_) => false,
        }
    }

    fn is(&self, text: &str) -> bool {
        match self {
            Self::Path(path) => text
                .strip_prefix(path.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#', ';'])),
            Self::Prefix(start) => text.starts_with(start.as_str()),
            Self::Name(parts) => is_name(&text.to_lowercase(), parts),
            Self::Net(_) => false,
        }
    }
}

/// Does `text` consist of `parts` in this order with anything between them?
fn is_name(text: &str, parts: &[String]) -> bool {
    let [start, middle @ .., end] = parts else {
        return parts.first().is_some_and(|only| only == text);
    };
    let Some(mut rest) = text.strip_prefix(start.as_str()) else { return false };
    for part in middle {
        match rest.find(part.as_str()) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(end.as_str())
}

#[cfg(test)]
mod tests {
    use super::{AssetError, Assets, check_asset};
    use chrono::DateTime;
    use watchpost_model::enrichment::AssetRule;
    use watchpost_model::event::{Category, EntityKind, Event};
    use watchpost_model::ids::EventId;

    fn rule(kind: EntityKind, pattern: &str) -> AssetRule {
        AssetRule { kind, pattern: pattern.to_owned(), label: "label".to_owned(), weight: 1.5 }
    }

    fn check(kind: EntityKind, pattern: &str, text: &str, expect: bool) {
        let mut event =
            Event::new(EventId::derived(0, [0; 16]), DateTime::UNIX_EPOCH, Category::ApiUsage, "request");
        let text = Some(text.to_owned());
        match kind {
            EntityKind::Ip => event.source_ip = text.clone(),
            EntityKind::User => event.actor = text.clone(),
            EntityKind::Session => event.session = text.clone(),
            EntityKind::Endpoint => event.resource = text.clone(),
        }
        let assets = Assets::new(vec![rule(kind, pattern)]).expect("a rule of this test");
        assert_eq!(!assets.of(&event).is_empty(), expect, "{pattern} on {text:?}");
    }

    #[test]
    fn patterns_match_what_they_say() {
        use EntityKind::{Endpoint, Ip, Session, User};
        for (path, expect) in [
            ("/admin", true),
            ("/admin/users", true),
            ("/admin?x=1", true),
            ("/administrator", false),
            ("/", false),
        ] {
            check(Endpoint, "/admin", path, expect);
            check(Endpoint, "/admin/", path, expect);
        }
        check(Endpoint, "/adm*", "/administrator", true);
        check(Endpoint, "/", "/anything", true);
        check(User, "svc-*", "SVC-backup", true);
        check(User, "svc-*", "anna", false);
        check(User, "*admin*", "the-admin-7", true);
        check(User, "a*b*b", "ab", false);
        check(User, "anna", "annab", false);
        check(Session, "kiosk*", "kiosk1", true);
        check(Ip, "10.0.0.0/8", "10.9.9.9", true);
        check(Ip, "10.0.0.0/8", "::ffff:10.9.9.9", true);
        check(Ip, "10.0.0.0/8", "11.0.0.1", false);
        check(Ip, "203.0.113.7", "203.0.113.7", true);
        check(Ip, "203.0.113.7", "not an address", false);
    }

    #[test]
    fn refuses_what_cannot_be_meant() {
        use EntityKind::{Endpoint, Ip, User};
        assert_eq!(check_asset(&rule(Endpoint, "admin")), Err(AssetError::NoPath));
        assert_eq!(check_asset(&rule(User, "")), Err(AssetError::Pattern));
        assert_eq!(check_asset(&rule(User, "a\nb")), Err(AssetError::Pattern));
        assert!(matches!(check_asset(&rule(Ip, "10.0.0.0/99")), Err(AssetError::Address(_))));
        for weight in [0.4, 2.1, f64::NAN, f64::INFINITY] {
            assert_eq!(check_asset(&AssetRule { weight, ..rule(User, "a") }), Err(AssetError::Weight));
        }
        assert_eq!(
            check_asset(&AssetRule { label: String::new(), ..rule(User, "a") }),
            Err(AssetError::Label)
        );
    }
}
