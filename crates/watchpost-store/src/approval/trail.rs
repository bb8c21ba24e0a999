//! What the trail says of a request. A record is believed if its content opens and is what its leaf and its columns say; that
//! of a request or of an approval also only if the login that wrote it, which the server says, may decide about it.

use std::collections::HashMap;

use watchpost_model::access::{Permission, Role};
use watchpost_model::approval::{ApprovalRequest, ApprovalState, Carrier};
use watchpost_model::audit::AuditOutcome;

use super::{ASKED, DIGEST, approval_object, digest};
use crate::audit::leaf::Leaf;
use crate::audit::seal::{Sealed, SubjectKey};
use crate::engine::{Row, Tx, Value, args};
use crate::error::StoreError;
use crate::store::Store;

/// The actions of the other records of a request.
const GRANTED: &str = "approval_grant";
const REFUSED: &str = "approval_refuse";
const WITHDRAWN: &str = "approval_withdraw";
const CARRIED_OUT: &str = "approval_carry_out";
/// What stands among the groups of a login that owns the tables.
const OWNER: &str = "owner";

/// What the trail says of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApprovalTrail {
    /// It is what its record says that was asked for.
    pub is_unchanged: bool,
    /// Who approved it as it is: somebody else than who asked.
    pub granted_by: Option<String>,
    /// Somebody else than who asked began to carry it out as it is.
    pub was_begun: bool,
    /// It was asked for with the login at the database that this session has.
    pub is_of_this_login: bool,
    /// Records that say they are about it and are not believed, each with why.
    pub disbelieved: Vec<String>,
}

/// A record that says it is about a request.
struct Told {
    seq: i64,
    action: String,
    actor: String,
    leaf: Leaf,
    /// The name of its login.
    login: String,
    /// Its content opens and is what leaf and columns say.
    is_genuine: bool,
}

impl Told {
    fn digest(&self) -> Option<&str> {
        self.leaf.client.facts.get(DIGEST)?.as_str()
    }

    fn outcome(&self) -> Option<AuditOutcome> {
        self.leaf.client.outcome.parse().ok()
    }
}

/// The records of a request, in their order. A leaf that cannot be read says nothing.
async fn told(tx: &mut Tx, id: &str) -> Result<Vec<Told>, StoreError> {
    let object = approval_object(id);
    let rows = tx.fetch(tx.dialect().approval_records(), args![object.as_str()]).await?;
    let mut leaves = Vec::with_capacity(rows.len());
    let mut ids = Vec::new();
    for row in &rows {
        let leaf = Leaf::parse(&row.blob(1)?);
        for id in leaf.iter().flat_map(|leaf| [&leaf.client.by, &leaf.client.object, &leaf.login]) {
            ids.push(Value::from(id));
        }
        leaves.push(leaf);
    }
    let mut names = HashMap::new();
    for row in tx.fetch_in("SELECT id, name FROM audit_name WHERE id IN ", &ids).await? {
        names.insert(row.text(0)?, row.text(1)?);
    }
    let mut all = Vec::with_capacity(rows.len());
    for (row, leaf) in rows.iter().zip(leaves) {
        let Some(leaf) = leaf else { continue };
        let (actor, action) = (row.text(2)?, row.text(3)?);
        let login = names.get(&leaf.login).cloned().unwrap_or_default();
        let is_genuine = is_genuine(row, &leaf, [&object, &actor, &action], &names)?;
        all.push(Told { seq: row.i64(0)?, action, actor, leaf, login, is_genuine });
    }
    Ok(all)
}

/// Opens what is sealed and holds it against leaf, names and columns.
fn is_genuine(
    row: &Row,
    leaf: &Leaf,
    [object, actor, action]: [&String; 3],
    names: &HashMap<String, String>,
) -> Result<bool, StoreError> {
    let client = &leaf.client;
    let (Some(key_id), Some(nonce), Some(ciphertext), Some(secret), Some(subject)) =
        (row.opt_text(4)?, row.opt_blob(5)?, row.opt_blob(6)?, row.opt_blob(7)?, row.opt_text(8)?)
    else {
        return Ok(false);
    };
    let Ok(key) = SubjectKey::from_stored(key_id, secret) else { return Ok(false) };
    let sealed = Sealed { nonce, ciphertext };
    let is_committed = key.id == client.key
        && subject == client.by
        && key.check() == client.key_check
        && sealed.commitment() == client.commitment
        && client.action == *action
        && names.get(&client.by) == Some(actor)
        && names.get(&client.object) == Some(object);
    let payload = if is_committed { key.open(&sealed) } else { None };
    Ok(payload.is_some_and(|payload| payload.actor == *actor && payload.object == *object))
}

/// How a request that is to become `to` was decided or used before, by genuine records, and the state that it has by them;
/// `None` if it may.
///
/// An attempt that failed is none: its record says so, and what it was to do may be tried again.
pub(super) async fn ended(
    tx: &mut Tx,
    asked: &ApprovalRequest,
    to: ApprovalState,
) -> Result<Option<(ApprovalState, String)>, StoreError> {
    let mut running = None;
    for one in told(tx, &asked.id).await?.iter().filter(|one| one.is_genuine) {
        let seq = one.seq;
        match (one.action.as_str(), one.outcome()) {
            (REFUSED, Some(AuditOutcome::Success)) => {
                return Ok(Some((ApprovalState::Refused, format!("was refused by record {seq}"))));
            }
            (WITHDRAWN, Some(AuditOutcome::Success)) => {
                return Ok(Some((ApprovalState::Withdrawn, format!("was withdrawn by record {seq}"))));
            }
            (GRANTED, Some(AuditOutcome::Success)) => match asked.carrier {
                Carrier::Approver => {
                    return Ok(Some((ApprovalState::Done, format!("was carried out by record {seq}"))));
                }
                Carrier::Asker if to == ApprovalState::Granted => {
                    return Ok(Some((ApprovalState::Granted, format!("was approved by record {seq}"))));
                }
                Carrier::Asker => {}
            },
            (GRANTED | CARRIED_OUT, Some(AuditOutcome::Started)) => running = Some(seq),
            (GRANTED | CARRIED_OUT, Some(AuditOutcome::Failure)) => running = None,
            _ => {}
        }
    }
    Ok(running.map(|seq| {
        (ApprovalState::Granted, format!("was begun by record {seq}, and no record says that it failed"))
    }))
}

/// May the login of this name do what takes `permission`? Where the database has no roles, the owner of its tables may.
async fn login_may(tx: &mut Tx, login: &str, permission: Permission) -> Result<bool, StoreError> {
    let sql = tx.dialect().groups_of();
    for row in tx.fetch(sql, args![login]).await? {
        let group = row.text(0)?;
        let role = group.strip_prefix("watchpost_").and_then(|name| name.parse::<Role>().ok());
        if group == OWNER || role.is_some_and(|role| role.may(permission)) {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Store {
    /// What the trail says of a request that takes `permission`. With `by_login` whoever approved it must have another
    /// login at the database than whoever asked: there each person has one.
    ///
    /// # Errors
    /// What the database says.
    pub async fn approval_trail(
        &self,
        asked: &ApprovalRequest,
        permission: Permission,
        by_login: bool,
    ) -> Result<ApprovalTrail, StoreError> {
        let mut tx = self.read().await?;
        let of_login = tx.dialect().login_and_log();
        let own = tx.fetch_one(of_login, args![]).await?.text(0)?;
        let mut found = ApprovalTrail::default();
        let (mut asks, mut grants, mut starts) = (Vec::new(), Vec::new(), Vec::new());
        for one in told(&mut tx, &asked.id).await? {
            let Told { seq, actor, login, .. } = &one;
            if !one.is_genuine {
                found.disbelieved.push(format!("record {seq} is not what its content says"));
                continue;
            }
            if !matches!(one.action.as_str(), ASKED | GRANTED) {
                continue;
            }
            if !login_may(&mut tx, login, permission).await? {
                let what = if one.action == ASKED { "asks for" } else { "approves" };
                found.disbelieved.push(format!(
                    "record {seq}, by which {actor} {what} it, was written by the login {login}, which may not"
                ));
                continue;
            }
            if one.action == ASKED {
                asks.push(one);
            } else if one.outcome() == Some(AuditOutcome::Success) {
                grants.push(one);
            } else if one.outcome() == Some(AuditOutcome::Started) {
                starts.push(one);
            }
        }
        let digest = digest(asked);
        if let [only] = asks.as_slice() {
            found.is_unchanged = only.digest() == Some(digest.as_str()) && asked.is_asked_by(&only.actor);
        }
        found.is_of_this_login = asks.iter().any(|ask| ask.login == own);
        let is_of_another = |grant: &Told| {
            grant.digest() == Some(digest.as_str())
                && !asked.is_asked_by(&grant.actor)
                && !(by_login && asks.iter().any(|ask| ask.login == grant.login))
        };
        found.was_begun = starts.iter().any(is_of_another);
        found.granted_by = grants.into_iter().find(is_of_another).map(|grant| grant.actor);
        Ok(found)
    }
}
