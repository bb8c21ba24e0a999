//! Legal holds against the records that placed and released them: a hold that somebody pointed at another person, took away
//! or added in the database is found, and nothing is erased while one does not fit.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::audit::apart;
use crate::audit::leaf::{Leaf, time_text};
use crate::audit::page::{COLUMNS, stored_payload};
use crate::audit::seal::Payload;
use crate::audit::tree::{Hash, leaf_hash};
use crate::audit::verify::rows::{Fact, fact};
use crate::engine::{Row, Tx, Value, args, micros, without_nul};
use crate::error::StoreError;

/// The fact of a leaf that names the hold which its record is about: it stays when the content of the record goes.
pub(crate) const FACT: &str = "hold";
/// The beginning of the object of every record about a hold; its id follows.
const OBJECT: &str = "hold/";
const ADD: &str = "hold_add";
const RELEASE: &str = "hold_release";
/// Leaves read at once.
const PAGE: i64 = 2_000;

/// How the records about holds are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// By the search columns: whoever asks holds these, and what is absent, against the leaves as well.
    Columns,
    /// By every leaf: before something is taken for good.
    Leaves,
}

/// What the trail says was lawfully taken, or set apart.
#[derive(Default)]
struct Taken {
    keys: HashSet<String>,
    records: Vec<(i64, i64)>,
    /// Records of which nothing opens, by number and leaf hash.
    closed: HashSet<(i64, Hash)>,
}

impl Taken {
    fn covers(&self, seq: i64, key: &str) -> bool {
        self.keys.contains(key) || self.records.iter().any(|(from, to)| (*from..=*to).contains(&seq))
    }

    /// Takes what a leaf says of it.
    fn take(&mut self, leaf: &Leaf) {
        if let Some(apart) = apart::named(leaf) {
            // Search columns that do not fit are no reason why the content cannot be read.
            if apart.what.iter().any(|what| what == apart::SEALED) {
                self.closed.insert((apart.record, apart.hash));
            }
        } else if let Ok(Some(Fact::Erased { key, records, .. })) = fact(leaf) {
            self.keys.extend(key);
            self.records.extend(records);
        }
    }
}

/// A row of the table, as it is.
struct Held {
    released: bool,
    columns: BTreeMap<&'static str, String>,
}

/// One record about a hold.
struct Said {
    seq: i64,
    is_placing: bool,
    /// Which; `None` if that went with its content.
    hold: Option<String>,
    payload: Option<Payload>,
    /// Its content is gone or cannot be opened, and no record says that it was taken.
    unread: bool,
}

/// Holds that are not as the trail says, each with the number of the record that it is told of.
///
/// Of a hold whose placing names it in no record any more, which only those of older versions can lose, nothing is said.
pub(crate) async fn unlike_trail(tx: &mut Tx, reach: Reach) -> Result<Vec<(i64, String)>, StoreError> {
    let said = records(tx, reach).await?;
    let holds = table(tx).await?;
    let mut found = Vec::new();
    let (mut placed, mut released) = (BTreeMap::new(), BTreeMap::new());
    let (mut nameless_adds, mut nameless_releases) = (0_usize, 0_usize);
    for record in said {
        if record.unread {
            found.push((
                record.seq,
                format!(
                    "record {} is about a legal hold and cannot be read, and no record says why",
                    record.seq
                ),
            ));
        }
        match (record.hold.clone(), record.is_placing) {
            (Some(id), true) => {
                placed.entry(id).or_insert(record);
            }
            (Some(id), false) => {
                released.entry(id).or_insert(record);
            }
            (None, true) => nameless_adds += 1,
            (None, false) => nameless_releases += 1,
        }
    }
    let mut unexplained = Vec::new();
    for (id, record) in &placed {
        let seq = record.seq;
        let Some(held) = holds.get(id) else {
            found.push((seq, format!("the legal hold {id} that record {seq} placed is not there")));
            continue;
        };
        if let Some(field) = unlike(record, held) {
            found.push((
                seq,
                format!("the legal hold {id} is not as record {seq} placed it: its {field} was altered"),
            ));
        }
        match (held.released, released.get(id)) {
            (true, None) => unexplained.push((
                seq,
                format!("the legal hold {id} that record {seq} placed is released, and no record says so"),
            )),
            (false, Some(by)) => {
                let by = by.seq;
                found.push((by, format!("the legal hold {id} that record {by} released is in force")));
            }
            (true, Some(by)) => {
                if let Some(field) = unlike(by, held) {
                    let by = by.seq;
                    found.push((
                        by,
                        format!(
                            "the legal hold {id} is not as record {by} released it: its {field} was altered"
                        ),
                    ));
                }
            }
            (false, None) => {}
        }
    }
    if unexplained.len() > nameless_releases {
        found.append(&mut unexplained);
    }
    let unplaced: Vec<&String> = holds.keys().filter(|id| !placed.contains_key(*id)).collect();
    if unplaced.len() > nameless_adds {
        let last = tx.fetch_one("SELECT COALESCE(MAX(seq), 0) FROM audit_leaf", args![]).await?.i64(0)?;
        let told = |id: &String| (last, format!("no record placed the legal hold {id}"));
        found.extend(unplaced.into_iter().map(told));
    }
    Ok(found)
}

/// The first field of a hold that is not what its record says; what the record does not say is not looked at.
fn unlike(record: &Said, held: &Held) -> Option<&'static str> {
    let payload = record.payload.as_ref()?;
    let says = |field: &str| payload.changes.iter().find(|change| change.field == field);
    let fields: &[&'static str] = if record.is_placing {
        &["kind", "value", "reason", "owner", "placed_at", "placed_by"]
    } else {
        &["released_by", "release_reason"]
    };
    let differs = |field: &&&'static str| {
        let is = held.columns.get(**field).map(String::as_str);
        match says(field) {
            Some(change) => change.new.as_str().map(without_nul).as_deref() != is,
            // Records of older versions have it as their own reason.
            None if **field == "reason" => payload.reason.as_deref().map(without_nul).as_deref() != is,
            None => false,
        }
    };
    fields.iter().find(differs).copied()
}

async fn table(tx: &mut Tx) -> Result<BTreeMap<String, Held>, StoreError> {
    const TEXTS: [(usize, &str); 7] = [
        (1, "kind"),
        (2, "value"),
        (3, "reason"),
        (4, "owner"),
        (5, "placed_by"),
        (6, "released_by"),
        (7, "release_reason"),
    ];
    let sql = "SELECT id, kind, value, reason, owner, placed_by, released_by, release_reason, placed_at, released_at \
        FROM legal_hold ORDER BY id";
    let mut holds = BTreeMap::new();
    for row in tx.fetch(sql, args![]).await? {
        let mut columns = BTreeMap::new();
        for (index, name) in TEXTS {
            columns.extend(row.opt_text(index)?.map(|text| (name, text)));
        }
        columns.extend(micros(row.i64(8)?).ok().map(|at| ("placed_at", time_text(at))));
        holds.insert(row.text(0)?, Held { released: row.opt_i64(9)?.is_some(), columns });
    }
    Ok(holds)
}

/// The records of what was done to holds, in the order of their numbers.
async fn records(tx: &mut Tx, reach: Reach) -> Result<Vec<Said>, StoreError> {
    let (numbers, taken) = match reach {
        Reach::Columns => by_columns(tx).await?,
        Reach::Leaves => by_leaves(tx).await?,
    };
    let rows = tx.fetch_in(&format!("{COLUMNS} WHERE l.seq IN "), &numbers).await?;
    let mut leaves = Vec::with_capacity(rows.len());
    for row in rows {
        if let Some(leaf) = Leaf::parse(&row.blob(1)?) {
            leaves.push((row.i64(0)?, leaf, row));
        }
    }
    leaves.sort_by_key(|(seq, ..)| *seq);
    let objects: Vec<Value> = leaves.iter().map(|(_, leaf, _)| Value::from(&leaf.client.object)).collect();
    let mut names = HashMap::new();
    for row in tx.fetch_in("SELECT id, name FROM audit_name WHERE id IN ", &objects).await? {
        names.insert(row.text(0)?, row.text(1)?);
    }
    leaves.iter().map(|(seq, leaf, row)| said(*seq, leaf, row, &names, &taken)).collect()
}

fn said(
    seq: i64,
    leaf: &Leaf,
    row: &Row,
    names: &HashMap<String, String>,
    taken: &Taken,
) -> Result<Said, StoreError> {
    let client = &leaf.client;
    let stored = stored_payload(row)?;
    let own = stored
        .filter(|stored| stored.key_id == client.key && stored.sealed.commitment() == client.commitment);
    let key = own.as_ref().and_then(|own| own.key.as_ref());
    let payload = own.as_ref().zip(key).and_then(|(own, key)| key.open(&own.sealed));
    // Nothing opens of it, and somebody said so: while it is what its writer sealed, with the key of then.
    let is_closed = key.is_some_and(|key| key.check() == client.key_check)
        && taken.closed.contains(&(seq, leaf_hash(&row.blob(1)?)));
    let unread = payload.is_none() && !is_closed && !taken.covers(seq, &client.key);
    let fact = client.facts.get(FACT).and_then(serde_json::Value::as_str).map(str::to_owned);
    let object = |name: Option<&str>| name.and_then(|name| name.strip_prefix(OBJECT)).map(str::to_owned);
    let hold = match fact {
        Some(id) => Some(id),
        None => object(row.opt_text(6)?.as_deref())
            .or_else(|| object(names.get(&client.object).map(String::as_str))),
    };
    Ok(Said { seq, is_placing: client.action == ADD, hold, payload, unread })
}

async fn by_columns(tx: &mut Tx) -> Result<(Vec<Value>, Taken), StoreError> {
    let sql = "SELECT seq FROM audit_record WHERE action IN ($1, $2) AND outcome = 'success' ORDER BY seq";
    let rows = tx.fetch(sql, args![ADD, RELEASE]).await?;
    let numbers = rows.iter().map(|row| Ok(Value::from(row.i64(0)?))).collect::<Result<_, StoreError>>()?;
    let mut taken = Taken::default();
    let sql =
        "SELECT l.leaf FROM audit_record r JOIN audit_leaf l ON l.seq = r.seq WHERE r.action IN ($1, $2)";
    for row in tx.fetch(sql, args![apart::ACTION, crate::privacy::DONE]).await? {
        if let Some(leaf) = Leaf::parse(&row.blob(0)?) {
            taken.take(&leaf);
        }
    }
    Ok((numbers, taken))
}

async fn by_leaves(tx: &mut Tx) -> Result<(Vec<Value>, Taken), StoreError> {
    let (mut numbers, mut taken, mut at) = (Vec::new(), Taken::default(), -1);
    loop {
        let sql = "SELECT seq, leaf FROM audit_leaf WHERE seq > $1 ORDER BY seq LIMIT $2";
        let page = tx.fetch(sql, args![at, PAGE]).await?;
        if page.is_empty() {
            return Ok((numbers, taken));
        }
        for row in &page {
            at = row.i64(0)?;
            let Some(leaf) = Leaf::parse(&row.blob(1)?) else { continue };
            let action = leaf.client.action.as_str();
            if (action == ADD || action == RELEASE) && leaf.client.outcome == "success" {
                numbers.push(at.into());
            } else {
                taken.take(&leaf);
            }
        }
    }
}
