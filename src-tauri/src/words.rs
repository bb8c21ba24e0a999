//! The words that the desktop shows outside of the window, in the language that was chosen in the window: its page has
//! the one catalogue and hands over what is needed here. Until then they are English.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use watchpost_model::event::EntityKind;
use watchpost_model::finding::AttackFamily;

/// Texts that a page hands over at most, and characters of each.
const MOST: usize = 200;
const LENGTH_MAX: usize = 300;

/// As the English catalogue of the page has them; a test holds both together.
const ENGLISH: [(&str, &str); 20] = [
    ("desk.starting", "Starting"),
    ("desk.open", "Open Watchpost"),
    ("desk.newest", "Newest critical incident"),
    ("desk.incidents", "Incidents"),
    ("desk.blocklist", "Blocklist"),
    ("desk.redis", "Redis health"),
    ("desk.mute", "Pause notices"),
    ("desk.unmute", "Resume notices"),
    ("desk.quit", "Quit"),
    ("desk.no_connection", "no connection"),
    ("desk.redis_down", "{name}: Redis does not answer"),
    ("desk.database_down", "{name}: the database does not answer"),
    ("desk.calm", "{name}: no active incident"),
    ("desk.active", "{name}: {n} active"),
    ("desk.critical", "{name}: {n} active, {critical} critical and new"),
    ("desk.notice.title", "Critical: {family}"),
    ("desk.notice.body", "Incident {n} · {kind} {value}"),
    ("desk.notice.more", "More critical incidents"),
    ("desk.notice.more.body", "Open the list"),
    ("desk.notice.open", "Open"),
];

/// The texts of now.
#[derive(Debug, Default)]
pub(crate) struct Words {
    /// What a page handed over.
    told: RwLock<BTreeMap<String, String>>,
}

impl Words {
    /// Takes what a page hands over. What is too much or too long is left out.
    pub(crate) fn take(&self, texts: BTreeMap<String, String>) {
        let fits = |(key, text): &(String, String)| key.len() <= 100 && text.chars().count() <= LENGTH_MAX;
        let texts: BTreeMap<String, String> = texts.into_iter().filter(fits).take(MOST).collect();
        *self.told.write().unwrap_or_else(PoisonError::into_inner) = texts;
    }

    fn told(&self, key: &str) -> Option<String> {
        self.told.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// The text of a key.
    pub(crate) fn text(&self, key: &str) -> String {
        let english = || ENGLISH.iter().find(|(known, _)| *known == key).map(|(_, text)| (*text).to_owned());
        self.told(key).or_else(english).unwrap_or_else(|| key.to_owned())
    }

    /// The text of a key with its `{holes}` filled. What fills one is never read for holes.
    pub(crate) fn filled(&self, key: &str, values: &[(&str, &str)]) -> String {
        let text = self.text(key);
        let (mut out, mut rest) = (String::with_capacity(text.len() + 40), text.as_str());
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let found = after.split_once('}').and_then(|(name, end)| {
                values.iter().find(|(known, _)| *known == name).map(|(_, v)| (*v, end))
            });
            match found {
                Some((value, end)) => {
                    out.push_str(value);
                    rest = end;
                }
                None => {
                    out.push('{');
                    rest = after;
                }
            }
        }
        out.push_str(rest);
        out
    }

    /// What a family of attacks is called.
    pub(crate) fn family(&self, family: AttackFamily) -> String {
        self.told(&format!("family.{family}")).unwrap_or_else(|| family.title().to_owned())
    }

    /// What a kind of entity is called.
    pub(crate) fn kind(&self, kind: EntityKind) -> String {
        self.told(&format!("entity.{kind}")).unwrap_or_else(|| kind.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::{ENGLISH, Words};

    #[test]
    fn the_page_has_the_same_english() {
        let page = include_str!("../../ui/src/i18n/en/desk.ts");
        for (key, text) in ENGLISH {
            assert!(page.contains(&format!("  '{key}': '{text}',\n")), "{key}: the catalogue says otherwise");
        }
        let keys = page.lines().filter(|line| line.starts_with("  'desk.")).count();
        assert_eq!(keys, ENGLISH.len(), "the catalogue has no others");
    }

    #[test]
    fn what_the_page_says_wins_and_holes_are_filled_once() {
        let words = Words::default();
        assert_eq!(words.filled("desk.active", &[("name", "{n}"), ("n", "7")]), "{n}: 7 active");
        let texts = [("desk.active", "{name}: {n} aktiv {"), ("family.sqli", "SQL-Injektion")];
        words.take(texts.map(|(key, text)| (key.to_owned(), text.to_owned())).into());
        assert_eq!(words.filled("desk.active", &[("name", "a"), ("n", "7")]), "a: 7 aktiv {");
        assert_eq!(words.family(watchpost_model::finding::AttackFamily::Sqli), "SQL-Injektion");
        assert_eq!(words.family(watchpost_model::finding::AttackFamily::Xss), "Cross-site scripting");
        assert_eq!(words.text("desk.quit"), "Quit", "what the page left out is English");
    }
}
