//! What was taken out of events before they were stored: kept sealed, opened for whoever may see it, and for the detectors.
//!
//! A mark is made with the key of the database from kind and value: one event gives one stored row however often it is
//! sealed, and two values give two rows, so that what compares stored events compares what applications wrote.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use watchpost_model::audit::AuditDraft;
use watchpost_model::event::Event;
use watchpost_model::finding::Finding;
use watchpost_model::ids::EventId;
use watchpost_model::privacy::Subject;
use watchpost_model::sealing::{self, Hidden, MARK, Scanner, SealKind, SealPolicy, Sealing};

use crate::audit::seal::{Sealed, SubjectKey};
use crate::engine::{Row, Sql, Tx, Value, args, chunks};
use crate::error::StoreError;
use crate::event::event;
use crate::store::Store;

/// The name of the one key.
const KEY: &str = "sealed_field";
const CONTEXT: &str = "watchpost/field/v1";
/// Rows read at once.
const PAGE: i64 = 2_000;

/// Takes out of events what a policy says.
#[derive(Clone)]
pub struct Sealer {
    scanner: Scanner,
    key: SubjectKey,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealer").finish_non_exhaustive()
    }
}

/// A value on its way into the database.
#[derive(Clone)]
pub struct SealedField {
    event: EventId,
    mark: String,
    kind: SealKind,
    sealed: Sealed,
    /// Never stored: the name of a key may hold it.
    value: String,
}

impl std::fmt::Debug for SealedField {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SealedField")
            .field("event", &self.event)
            .field("mark", &self.mark)
            .finish_non_exhaustive()
    }
}

/// What was taken out of which event: names of keys do not hold it either.
#[derive(Clone, Default)]
pub(crate) struct Taken(HashMap<EventId, Vec<(String, String)>>);

impl std::fmt::Debug for Taken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Taken").finish_non_exhaustive()
    }
}

impl Taken {
    pub(crate) fn of(fields: &[SealedField]) -> Self {
        let mut taken = Self::default();
        for field in fields {
            taken.0.entry(field.event).or_default().push((field.value.clone(), field.mark.clone()));
        }
        taken
    }

    /// The name of an event's key as everybody may see it.
    pub(crate) fn key<'a>(&self, event: EventId, key: &'a str) -> Cow<'a, str> {
        let shown = self.0.get(&event).and_then(|hidden| sealing::name_without(key, hidden));
        shown.map_or(Cow::Borrowed(key), Cow::Owned)
    }
}

/// A value that was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revealed {
    /// What it is.
    pub kind: SealKind,
    /// What stands in its place.
    pub mark: String,
    /// Where, as a path in the event: `http.query`; empty if it stands nowhere any more.
    pub field: String,
    /// The value.
    pub value: String,
}

impl Sealer {
    /// Puts marks into the event; what was taken out, and what is to be stored of it.
    ///
    /// # Errors
    /// `Encode`, `Validation` for a value that cannot be sealed.
    pub fn seal(&self, event: &mut Event) -> Result<Option<(Sealing, Vec<SealedField>)>, StoreError> {
        let marker = |kind: SealKind, value: &str, number: bool| self.mark(kind, value, number);
        let Some(sealing) = self.scanner.seal_event(event, &marker) else { return Ok(None) };
        let id = event.id;
        let fields = sealing.hidden.iter().map(|hidden| {
            let plain = serde_json::to_vec(hidden).map_err(StoreError::Encode)?;
            let sealed = self.key.seal_bytes(&plain, context(id).as_bytes())?;
            Ok::<_, StoreError>(SealedField {
                event: id,
                mark: hidden.mark.clone(),
                kind: hidden.kind,
                sealed,
                value: hidden.value.clone(),
            })
        });
        let fields = fields.collect::<Result<_, _>>()?;
        Ok(Some((sealing, fields)))
    }

    /// Takes out of a finding what was taken out of its event, and what a rule decoded besides.
    pub fn mask(&self, sealing: &Sealing, finding: &mut Finding) {
        self.scanner.mask_finding(sealing, finding);
    }

    fn mark(&self, kind: SealKind, value: &str, number: bool) -> String {
        let inner = Sha256::new()
            .chain_update(b"watchpost/mark/v1")
            .chain_update(self.key.secret())
            .chain_update([u8::from(number)])
            .chain_update(kind.as_str())
            .chain_update([0])
            .chain_update(value)
            .finalize();
        let outer = Sha256::new().chain_update(self.key.secret()).chain_update(inner).finalize();
        let tag = hex::encode(&outer[..8]);
        // Parted, so that no tag looks like the number of a card.
        sealing::mark(kind, &format!("{}-{}", &tag[..8], &tag[8..]))
    }
}

/// What binds a value to its event.
fn context(event: EventId) -> String {
    format!("{CONTEXT}/{event}")
}

/// The rows of [`insert`].
pub(crate) fn rows(fields: &[SealedField]) -> Vec<Vec<Value>> {
    let row = |field: &SealedField| {
        args![
            field.event.to_string(),
            field.mark.as_str(),
            field.kind.as_str(),
            field.sealed.nonce.as_slice(),
            field.sealed.ciphertext.as_slice(),
        ]
    };
    fields.iter().map(row).collect()
}

/// Stores values; those that are there already stay.
pub(crate) async fn insert(tx: &mut Tx, rows: Vec<Vec<Value>>) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO sealed_field (event_id, mark, kind, nonce, sealed) VALUES ";
    tx.insert_all(sql, rows, " ON CONFLICT (event_id, mark) DO NOTHING").await.map(drop)
}

/// Removes the values of events that are gone, also as evidence.
pub(crate) async fn remove(tx: &mut Tx, events: &[Value]) -> Result<u64, StoreError> {
    let mut n = 0;
    for part in chunks(events) {
        let mut sql = Sql::new("DELETE FROM sealed_field WHERE event_id IN ");
        sql.tuple(part.to_vec()).push(
            " AND NOT EXISTS (SELECT 1 FROM event WHERE event.id = sealed_field.event_id) \
             AND NOT EXISTS (SELECT 1 FROM evidence WHERE evidence.event_id = sealed_field.event_id)",
        );
        n += tx.execute_sql(sql).await?;
    }
    Ok(n)
}

async fn key(tx: &mut Tx) -> Result<Option<SubjectKey>, StoreError> {
    let row = tx.fetch_optional("SELECT secret FROM sealing_key WHERE name = $1", args![KEY]).await?;
    row.map(|row| SubjectKey::from_stored(KEY.to_owned(), row.blob(0)?)).transpose()
}

/// `event_id`, `nonce` and `sealed` in the first columns of a row.
fn opened(key: &SubjectKey, row: &Row) -> Result<Option<Hidden>, StoreError> {
    let sealed = Sealed { nonce: row.blob(1)?, ciphertext: row.blob(2)? };
    let bytes = key.open_sealed(&sealed, context(row.parse(0)?).as_bytes());
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

/// The values of events, as applications wrote them.
#[derive(Default)]
pub(crate) struct Opened(HashMap<EventId, Vec<Hidden>>);

impl Opened {
    /// Of the events in the rows whose column `body` has a mark; their ids are in the column `id`.
    pub(crate) async fn of(tx: &mut Tx, rows: &[Row], body: usize, id: usize) -> Result<Self, StoreError> {
        let mut ids: Vec<Value> = Vec::new();
        for row in rows {
            if row.text(body)?.contains(MARK) {
                ids.push(row.text(id)?.into());
            }
        }
        let mut all = Self::default();
        if ids.is_empty() {
            return Ok(all);
        }
        let Some(key) = key(tx).await? else { return Ok(all) };
        for row in
            tx.fetch_in("SELECT event_id, nonce, sealed FROM sealed_field WHERE event_id IN ", &ids).await?
        {
            if let Some(hidden) = opened(&key, &row)? {
                all.0.entry(row.parse(0)?).or_default().push(hidden);
            }
        }
        Ok(all)
    }

    /// The event of a row, with its values.
    pub(crate) fn event(&self, row: &Row, body: usize, id: usize) -> Result<Event, StoreError> {
        let Some(hidden) = self.0.get(&row.parse::<EventId>(id)?) else { return event(row, body) };
        let mut json: Json = row.json(body)?;
        put_back(&mut json, hidden);
        serde_json::from_value(json).map_err(|error| StoreError::Corrupt(error.to_string()))
    }
}

fn put_back(json: &mut Json, hidden: &[Hidden]) {
    match json {
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
        Json::String(text) => {
            let number = hidden.iter().find(|one| one.number && one.mark == *text);
            if let Some(number) =
                number.and_then(|one| serde_json::from_str::<serde_json::Number>(&one.value).ok())
            {
                *json = Json::Number(number);
            } else if text.contains(MARK) {
                *text =
                    hidden.iter().fold(std::mem::take(text), |text, one| text.replace(&one.mark, &one.value));
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| put_back(item, hidden)),
        Json::Object(members) => members.values_mut().for_each(|item| put_back(item, hidden)),
    }
}

/// Where `mark` stands first in an event.
fn place_of(json: &Json, mark: &str, path: &str) -> Option<String> {
    let under = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match json {
        Json::Null | Json::Bool(_) | Json::Number(_) => None,
        Json::String(text) => text.contains(mark).then(|| path.to_owned()),
        Json::Array(items) => items.iter().find_map(|item| place_of(item, mark, path)),
        Json::Object(members) => members.iter().find_map(|(name, item)| place_of(item, mark, &under(name))),
    }
}

/// The events whose sealed values name somebody.
pub(crate) async fn naming(tx: &mut Tx, subject: &Subject) -> Result<BTreeSet<String>, StoreError> {
    let mut found = BTreeSet::new();
    let Some(key) = key(tx).await? else { return Ok(found) };
    let (mut event, mut mark) = (String::new(), String::new());
    loop {
        let page = tx
            .fetch(
                "SELECT event_id, nonce, sealed, mark FROM sealed_field WHERE (event_id, mark) > ($1, $2) \
                 ORDER BY event_id, mark LIMIT $3",
                args![event.as_str(), mark.as_str(), PAGE],
            )
            .await?;
        let Some(last) = page.last() else { return Ok(found) };
        (event, mark) = (last.text(0)?, last.text(3)?);
        for row in &page {
            if opened(&key, row)?.is_some_and(|hidden| subject.is_in(&hidden.value)) {
                found.insert(row.text(0)?);
            }
        }
    }
}

impl Store {
    /// What takes secrets out of events by `policy`; makes the key of this database if there is none.
    ///
    /// # Errors
    /// What the database says.
    pub async fn sealer(&self, policy: &SealPolicy) -> Result<Sealer, StoreError> {
        let mut tx = self.read().await?;
        let known = key(&mut tx).await?;
        drop(tx);
        let key = match known {
            Some(key) => key,
            None => self.make_key().await?,
        };
        Ok(Sealer { scanner: Scanner::new(policy), key })
    }

    async fn make_key(&self) -> Result<SubjectKey, StoreError> {
        let mut write = self.write().await?;
        let secret = SubjectKey::random();
        write
            .execute(
                "INSERT INTO sealing_key (name, secret, created_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING",
                args![KEY, secret.secret().as_slice(), self.inner.clock.now()],
            )
            .await?;
        let made = key(&mut write).await?;
        self.commit(write).await?;
        made.ok_or_else(|| StoreError::Corrupt("the key for sealed fields cannot be kept".to_owned()))
    }

    /// Opens one value of an event. `draft` gives the record of it, which is written before the value is handed out.
    ///
    /// # Errors
    /// `NotFound` where nothing is sealed under that mark; `Corrupt` if it was altered; what the database says. Then
    /// nothing is told.
    pub async fn sealed_reveal(
        &self,
        id: EventId,
        mark: &str,
        draft: impl FnOnce(&Revealed) -> AuditDraft,
    ) -> Result<Revealed, StoreError> {
        let mut write = self.write().await?;
        let sql = "SELECT event_id, nonce, sealed FROM sealed_field WHERE event_id = $1 AND mark = $2";
        let row = write.fetch_optional(sql, args![id.to_string(), mark]).await?;
        let (Some(row), Some(key)) = (row, key(&mut write).await?) else {
            return Err(StoreError::NotFound(format!("a sealed value {mark} of the event {id}")));
        };
        let hidden = opened(&key, &row)?
            .ok_or_else(|| StoreError::Corrupt("a sealed value was altered".to_owned()))?;
        let body = write
            .fetch_optional(
                "SELECT body FROM event WHERE id = $1 UNION ALL SELECT body FROM evidence WHERE event_id = $1 LIMIT 1",
                args![id.to_string()],
            )
            .await?;
        let json = body.map(|row| row.json::<Json>(0)).transpose()?.unwrap_or_default();
        let revealed = Revealed {
            kind: hidden.kind,
            field: place_of(&json, mark, "").unwrap_or_default(),
            mark: hidden.mark,
            value: hidden.value,
        };
        write.audit(draft(&revealed));
        self.commit(write).await?;
        Ok(revealed)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use watchpost_model::sealing::{Hidden, SealKind};

    use super::{place_of, put_back};

    #[test]
    fn values_are_put_back_where_they_stood() {
        let hidden = |mark: &str, value: &str, number| Hidden {
            kind: SealKind::Card,
            mark: mark.to_owned(),
            value: value.to_owned(),
            number,
        };
        let all = [
            hidden("[sealed:card:a]", "4539578763621486", true),
            hidden("[sealed:password:b]", "x y", false),
        ];
        let mut json =
            json!({"n": "[sealed:card:a]", "q": ["a=[sealed:password:b]&b=[sealed:password:b]"], "z": null});
        assert_eq!(place_of(&json, "[sealed:password:b]", "").as_deref(), Some("q"));
        assert_eq!(place_of(&json, "[sealed:password:c]", ""), None);
        put_back(&mut json, &all);
        assert_eq!(json, json!({"n": 4_539_578_763_621_486_u64, "q": ["a=x y&b=x y"], "z": null}));
    }
}
