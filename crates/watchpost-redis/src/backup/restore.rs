//! Putting the keys of a backup into a server, and comparing a server with it.

use redis::Cmd;
use redis::RedisResult;
use redis::Value;
use tokio_util::sync::CancellationToken;

use super::digest::ValueDigest;
use super::record::Body;
use super::record::Record;
use super::take::ValueWindows;
use crate::error::RedisError;
use crate::keys::KeyKind;
use crate::keys::key_text;
use crate::lacking;
use crate::link::Call;
use crate::link::Link;
use crate::link::PIPELINE_BYTES;
use crate::link::PIPELINE_COMMANDS;
use crate::released::Memory;
use crate::released::memory;
use crate::reply;
use crate::scripts;
use crate::stop;
use crate::store::EventStore;
use crate::typed::DUMP_BYTES_MAX;
use crate::typed::Elements;
use crate::typed::Pair;
use crate::typed::ValueKind;
use crate::usage::usage;
use crate::walk::Walk;
use crate::walk::pipe_of;

mod compare;

/// Reasons that are told one by one; the rest is counted.
const REASONS: usize = 20;
/// What is there and takes more memory differs from every value that went in whole; to dump it would hold the server.
const COMPARED_BYTES_MAX: u64 = 2 * DUMP_BYTES_MAX;
/// Of `maxmemory` so many hundredths stay free: a full server refuses its applications, or evicts. Less than other jobs leave:
/// what was on this server before fits on it again.
const FREE_PERCENT: u64 = 5;
/// A key that is being put together goes by itself if nobody finishes it.
const UNFINISHED_MS: i64 = 3_600_000;

/// What of a backup goes into a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All of it: for the rehearsal on an empty server.
    Everything,
    /// What the product does not put back by itself: no blocks and containments, which the engine restores from the
    /// database after the guard has looked at them, and no indexes, which are made of the events.
    Data,
}

/// What to do with a key that is there and differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It stays: it may be newer.
    Keep,
    /// The backup wins.
    Replace,
}

/// What became of the keys of a backup.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restored {
    /// Written.
    pub written: u64,
    /// Were there with the same value.
    pub same: u64,
    /// Were there with another value, and stay.
    pub kept: u64,
    /// Were there with another value, and have that of the backup now.
    pub replaced: u64,
    /// Have run out since.
    pub expired: u64,
    /// Left to the engine.
    pub left_out: u64,
    /// Could not be written.
    pub failed: u64,
    /// Why, at most twenty.
    pub reasons: Vec<String>,
}

/// What a comparison found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// Same value, same expiry to the second.
    pub equal: u64,
    /// There, with a value that this server keeps in another encoding than the backup, which cannot be compared.
    pub uncompared: u64,
    /// Have run out since.
    pub expired: u64,
    /// Missing or different.
    pub wrong: u64,
    /// Which, at most twenty.
    pub reasons: Vec<String>,
}

/// Writes the keys of a backup into one server.
pub struct Restorer {
    store: EventStore,
    walk: Walk,
    scope: Scope,
    existing: Existing,
    preview: bool,
    /// What happened so far.
    pub restored: Restored,
    /// What was found so far.
    pub checked: Checked,
    now_ms: i64,
    /// Of what a preview would write, as it stands in the backup.
    bytes: u64,
    /// The large key at hand.
    building: Option<Building>,
}

struct Building {
    key: Vec<u8>,
    temporary: Option<Vec<u8>>,
    /// What is there: nothing, a value of another type, or one with this digest.
    existing: Option<Option<ValueDigest>>,
}

fn command(name: &str, args: &[&[u8]]) -> Cmd {
    let mut cmd = redis::cmd(name);
    for arg in args {
        cmd.arg(*arg);
    }
    cmd
}

impl Restorer {
    /// A restorer that writes.
    ///
    /// # Errors
    /// Every cause of [`RedisError`].
    pub async fn start(
        store: &EventStore,
        scope: Scope,
        existing: Existing,
        cancel: CancellationToken,
    ) -> Result<Self, RedisError> {
        Ok(Self {
            now_ms: stop::read(&cancel, store.server_now()).await?.timestamp_millis(),
            // Only its pace is used.
            walk: Walk::start(store, store.inner.keys.pattern(""), cancel).await?,
            store: store.clone(),
            scope,
            existing,
            preview: false,
            restored: Restored::default(),
            checked: Checked::default(),
            bytes: 0,
            building: None,
        })
    }

    /// The same, which only counts.
    #[must_use]
    pub fn preview(self) -> Self {
        Self { preview: true, ..self }
    }

    /// What a reader of the report should know.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        self.walk.notes()
    }

    /// Writes records, in the order of the file.
    ///
    /// # Errors
    /// Every cause of [`RedisError`]; `Cancelled` within 200 ms. Keys before are written.
    pub async fn put(&mut self, records: Vec<Record>) -> Result<(), RedisError> {
        let mut small = Vec::new();
        let mut bytes = 0;
        for record in records {
            if matches!(record.body, Body::Part { .. }) {
                self.put_small(std::mem::take(&mut small)).await?;
                bytes = 0;
                self.put_part(record).await?;
                continue;
            }
            bytes += record.bytes();
            small.push(record);
            if small.len() >= PIPELINE_COMMANDS || bytes >= PIPELINE_BYTES as u64 {
                self.put_small(std::mem::take(&mut small)).await?;
                bytes = 0;
            }
        }
        self.put_small(small).await
    }

    /// Is this key the product's to put back?
    fn leaves(&mut self, record: &Record) -> bool {
        let expired = record.expires_at_ms.is_some_and(|at| at <= self.now_ms);
        if expired {
            self.restored.expired += u64::from(record.digest().is_some());
            return true;
        }
        let prefix = self.store.inner.target.prefix.as_bytes();
        let rest = record.key.strip_prefix(prefix).unwrap_or(&record.key);
        let made = ["index:", "blocked:", "revoked:", "limited:", "isolated:"];
        let left = self.scope == Scope::Data && made.iter().any(|name| rest.starts_with(name.as_bytes()));
        if left {
            self.restored.left_out += u64::from(record.digest().is_some());
        }
        left
    }

    async fn put_small(&mut self, mut records: Vec<Record>) -> Result<(), RedisError> {
        records.retain(|record| !self.leaves(record));
        if records.is_empty() {
            return Ok(());
        }
        self.walk.pace().await?;
        let mut there = Vec::new();
        if self.preview {
            let answers =
                self.ask(records.iter().map(|record| command("EXISTS", &[&record.key])).collect()).await?;
            for (record, answer) in records.into_iter().zip(answers) {
                match answer.map_err(|error| self.store.classify(error))? {
                    Value::Int(0) => {
                        self.restored.written += 1;
                        self.bytes += record.bytes();
                    }
                    _ => there.push(record),
                }
            }
        } else {
            self.leave_room(records.iter().map(Record::bytes).sum()).await?;
            let answers = self
                .change(records.iter().map(|record| restore(&record.key, record, false)).collect())
                .await?;
            let (mut written, mut refused) = (Vec::new(), Vec::new());
            for (record, answer) in records.into_iter().zip(answers) {
                match answer {
                    Ok(_) => {
                        self.restored.written += 1;
                        written.push(record);
                    }
                    Err(error) if error.code() == Some("BUSYKEY") => there.push(record),
                    Err(error) => refused.push((record.key, error)),
                }
            }
            self.settle(&written, refused).await?;
        }
        self.meet(there).await
    }

    /// Does what the preview has found fit into the server? Its values take more there than in the backup: what does not fit by
    /// their size in the backup does not fit.
    ///
    /// # Errors
    /// `NoRoom` if not; every cause of [`RedisError`].
    pub async fn fits(&self) -> Result<(), RedisError> {
        self.leave_room(self.bytes).await
    }

    /// Sees to it that applications have room beside what is written.
    async fn leave_room(&self, bytes: u64) -> Result<(), RedisError> {
        // A user who may not ask is stopped by the server.
        let Ok(memory) = lacking::asked(self.walk.read(memory(&self.store)).await)? else { return Ok(()) };
        let Memory { used, limit, .. } = memory;
        let most = limit / 100 * (100 - FREE_PERCENT);
        if limit > 0 && used.saturating_add(bytes) > most {
            return Err(RedisError::NoRoom { free: "a twentieth", used, limit });
        }
        Ok(())
    }

    /// What became of a batch: what went in is counted and gets its entry, whatever became of the rest of it.
    async fn settle(
        &mut self,
        written: &[Record],
        refused: Vec<(Vec<u8>, redis::RedisError)>,
    ) -> Result<(), RedisError> {
        let indexed = self.index(written).await;
        for (key, error) in refused {
            self.fail(&key, error)?;
        }
        indexed
    }

    /// Keys that are there already.
    async fn meet(&mut self, there: Vec<Record>) -> Result<(), RedisError> {
        if there.is_empty() {
            return Ok(());
        }
        let sizes = there.iter().map(|record| usage(&record.key)).collect();
        let (mut small, mut large, mut replace) = (Vec::new(), Vec::new(), Vec::new());
        for (record, size) in there.into_iter().zip(self.ask(sizes).await?) {
            // One whose size is not told may be of any.
            let bytes = size.map_or(u64::MAX, |size| reply::count(&size).unwrap_or(0));
            if bytes > COMPARED_BYTES_MAX { large.push(record) } else { small.push(record) }
        }
        for record in large {
            match self.existing {
                Existing::Keep => self.restored.kept += 1,
                Existing::Replace if self.preview => self.restored.replaced += 1,
                Existing::Replace => self.replace_large(&record).await?,
            }
        }
        let answers = self.ask(small.iter().map(|record| command("DUMP", &[&record.key])).collect()).await?;
        let mut equal = Vec::new();
        for (record, answer) in small.into_iter().zip(answers) {
            let same = match answer.map_err(|error| self.store.classify(error))? {
                Value::Nil => false, // Gone since: like one that differs, the next run writes it.
                value => {
                    let payload = reply::bytes(value).unwrap_or_default();
                    record.compared() == Some(ValueDigest::of_dump(&payload))
                }
            };
            match (same, self.existing) {
                (true, _) => {
                    self.restored.same += 1;
                    equal.push(record);
                }
                (false, Existing::Keep) => self.restored.kept += 1,
                (false, Existing::Replace) if self.preview => self.restored.replaced += 1,
                (false, Existing::Replace) => replace.push(record),
            }
        }
        // A run before this one may have been cut off between a key and its entry.
        self.index(&equal).await?;
        let answers =
            self.change(replace.iter().map(|record| restore(&record.key, record, true)).collect()).await?;
        let (mut replaced, mut refused) = (Vec::new(), Vec::new());
        for (record, answer) in replace.into_iter().zip(answers) {
            match answer {
                Ok(_) => {
                    self.restored.replaced += 1;
                    replaced.push(record);
                }
                Err(error) => refused.push((record.key, error)),
            }
        }
        self.settle(&replaced, refused).await
    }

    /// Puts a small value in the place of a large one, by another name: what is overwritten is freed on the spot.
    async fn replace_large(&mut self, record: &Record) -> Result<(), RedisError> {
        self.walk.pace().await?;
        let temporary = self.temporary(&record.key);
        for answer in self.change(vec![restore(&temporary, record, true)]).await? {
            if let Err(error) = answer {
                return self.fail(&record.key, error);
            }
        }
        let (link, walk) = (&self.store.inner.jobs, &mut self.walk);
        let replaced = walk.write(take_place(link, &record.key, &temporary)).await?;
        if !replaced {
            self.restored.expired += 1;
            return Ok(());
        }
        self.restored.replaced += 1;
        self.index(std::slice::from_ref(record)).await
    }

    /// The name of a key until it is whole.
    fn temporary(&self, key: &[u8]) -> Vec<u8> {
        [key, format!(":restoring-{}", self.now_ms).as_bytes()].concat()
    }

    /// Puts events into the index of their category, which is not taken from the backup.
    async fn index(&mut self, written: &[Record]) -> Result<(), RedisError> {
        if self.scope == Scope::Everything || self.preview {
            return Ok(());
        }
        let contract = &self.store.inner.keys;
        // A value of another type under the name of an event is none.
        let events = written.iter().filter(|record| record.is_hash());
        let entries = events.filter_map(|Record { key, .. }| {
            let text = std::str::from_utf8(key).ok()?;
            let KeyKind::Event(parsed) = contract.classify(text) else { return None };
            let at = parsed.at_ms.to_string();
            Some(command("ZADD", &[contract.index(parsed.category).as_bytes(), b"NX", at.as_bytes(), key]))
        });
        let entries: Vec<Cmd> = entries.collect();
        for answer in self.change(entries).await? {
            answer.map_err(|error| self.store.classify(error))?;
        }
        Ok(())
    }

    /// Sends commands that only read.
    async fn ask(&self, commands: Vec<Cmd>) -> Result<Vec<RedisResult<Value>>, RedisError> {
        self.walk.read(self.store.inner.jobs.pipe(pipe_of(commands))).await
    }

    /// Sends commands that write.
    async fn change(&mut self, commands: Vec<Cmd>) -> Result<Vec<RedisResult<Value>>, RedisError> {
        let (jobs, walk) = (&self.store.inner.jobs, &mut self.walk);
        walk.write(jobs.pipe(pipe_of(commands))).await
    }

    /// Notes a key that the server does not take; what stops everything is the error of the run.
    fn fail(&mut self, key: &[u8], error: redis::RedisError) -> Result<(), RedisError> {
        match self.store.classify(error) {
            error @ (RedisError::Server { .. } | RedisError::WrongType(_)) => {
                self.restored.failed += 1;
                if self.restored.reasons.len() < REASONS {
                    self.restored.reasons.push(format!("{}: {error}", key_text(key)));
                }
                Ok(())
            }
            error => Err(error),
        }
    }

    /// A part of a large key. It is put together under another name and renamed when it is whole.
    async fn put_part(&mut self, record: Record) -> Result<(), RedisError> {
        let Body::Part { kind, part, ref elements, last, ref groups } = record.body else { return Ok(()) };
        if self.leaves(&record) {
            return Ok(());
        }
        self.walk.pace().await?;
        if part == 0 {
            self.begin(&record, kind).await?;
        }
        let Some(building) = self.building.as_ref().filter(|building| building.key == record.key) else {
            return Ok(());
        };
        if self.preview && building.existing.is_none() {
            self.bytes += record.bytes();
        }
        if let Some(temporary) = building.temporary.clone() {
            self.leave_room(record.bytes()).await?;
            let mut commands = append(&temporary, kind, elements);
            if part == 0 {
                // Should this process die, what it had begun goes by itself.
                let until = (self.now_ms + UNFINISHED_MS).to_string();
                commands.push(command("PEXPIREAT", &[&temporary, until.as_bytes()]));
            }
            if last.is_some() {
                for (name, id) in groups {
                    commands.push(command("XGROUP", &[b"CREATE", &temporary, name, id.as_bytes()]));
                }
                commands.push(match record.expires_at_ms {
                    Some(at) => command("PEXPIREAT", &[&temporary, at.to_string().as_bytes()]),
                    None => command("PERSIST", &[&temporary]),
                });
            }
            for answer in self.change(commands).await? {
                answer.map_err(|error| self.store.classify(error))?;
            }
        }
        match last {
            Some(digest) => {
                if self.complete(&record.key, digest).await? {
                    self.index(&[record]).await?;
                }
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Looks whether a large key is there, and chooses the name under which it is put together.
    async fn begin(&mut self, record: &Record, kind: ValueKind) -> Result<(), RedisError> {
        let exists = command("EXISTS", &[&record.key]);
        let exists: i64 = self.walk.read(self.store.inner.jobs.query(&exists)).await?;
        let existing = if exists == 0 { None } else { Some(self.read(&record.key, kind).await?) };
        let write = !self.preview && (existing.is_none() || self.existing == Existing::Replace);
        let temporary = self.temporary(&record.key);
        self.building =
            Some(Building { key: record.key.clone(), temporary: write.then_some(temporary), existing });
        Ok(())
    }

    /// The digest of a value of the server, read by windows; of one of another type, none that fits.
    async fn read(&mut self, key: &[u8], kind: ValueKind) -> Result<Option<ValueDigest>, RedisError> {
        let mut windows = ValueWindows::new(key.to_vec(), kind);
        loop {
            self.walk.pace().await?;
            match self.walk.read(windows.next(&self.store.inner.jobs)).await {
                Ok(Some(_)) => {}
                Ok(None) => return Ok(Some(windows.sum.finish())),
                Err(RedisError::WrongType(_)) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    /// The last part of a large key is there; is that one in its place now?
    async fn complete(&mut self, key: &[u8], digest: ValueDigest) -> Result<bool, RedisError> {
        let Some(Building { temporary, existing, .. }) = self.building.take() else { return Ok(false) };
        let (link, walk) = (&self.store.inner.jobs, &mut self.walk);
        let counts = &mut self.restored;
        let is_same = existing == Some(Some(digest));
        let mut is_in_place = is_same;
        let drop_it = match (&temporary, existing) {
            (None, None) => {
                counts.written += 1;
                false
            }
            (_, Some(_)) if is_same => {
                counts.same += 1;
                true
            }
            (None, Some(_)) => {
                let replaces = self.existing == Existing::Replace;
                *(if replaces { &mut counts.replaced } else { &mut counts.kept }) += 1;
                false
            }
            (Some(temporary), Some(_)) => {
                is_in_place = walk.write(take_place(link, key, temporary)).await?;
                *(if is_in_place { &mut counts.replaced } else { &mut counts.expired }) += 1;
                false
            }
            (Some(temporary), None) => {
                let rename = command("RENAMENX", &[temporary, key]);
                let renamed: Value = walk.write(link.query(&rename)).await?;
                let came_first = renamed == Value::Int(0);
                is_in_place = !came_first;
                *(if came_first { &mut counts.kept } else { &mut counts.written }) += 1;
                came_first
            }
        };
        if let (true, Some(temporary)) = (drop_it, temporary) {
            let unlink = command("UNLINK", &[&temporary]);
            let _: Value = walk.write(link.query(&unlink)).await?;
        }
        Ok(is_in_place)
    }
}

/// Puts `temporary` in the place of what is there; false if it has run out.
async fn take_place(link: &Link, key: &[u8], temporary: &[u8]) -> Result<bool, RedisError> {
    let call = Call { keys: vec![key.to_vec(), temporary.to_vec()], args: Vec::new() };
    Ok(reply::int(&link.eval(&scripts::REPLACE, call).await?) == Some(1))
}

fn restore(key: &[u8], record: &Record, replace: bool) -> Cmd {
    let mut cmd = redis::cmd("RESTORE");
    let payload: &[u8] = if let Body::Dump { payload, .. } = &record.body { payload } else { &[] };
    cmd.arg(key).arg(record.expires_at_ms.unwrap_or(0)).arg(payload);
    if replace {
        cmd.arg("REPLACE");
    }
    cmd.arg("ABSTTL");
    cmd
}

/// The commands that add a window to a value.
fn append(key: &[u8], kind: ValueKind, elements: &Elements) -> Vec<Cmd> {
    match elements {
        Elements::Text(text) => vec![command("APPEND", &[key, text])],
        Elements::Items(items) => {
            let mut cmd = command(if kind == ValueKind::List { "RPUSH" } else { "SADD" }, &[key]);
            for item in items {
                cmd.arg(item);
            }
            if items.is_empty() { Vec::new() } else { vec![cmd] }
        }
        Elements::Pairs(pairs) => {
            let mut cmd = command(if kind == ValueKind::SortedSet { "ZADD" } else { "HSET" }, &[key]);
            for (name, value) in pairs {
                if kind == ValueKind::SortedSet {
                    cmd.arg(value).arg(name)
                } else {
                    cmd.arg(name).arg(value)
                };
            }
            if pairs.is_empty() { Vec::new() } else { vec![cmd] }
        }
        Elements::Entries(entries) => {
            let add = |(id, fields): &(String, Vec<Pair>)| {
                let mut cmd = command("XADD", &[key, id.as_bytes()]);
                for (name, value) in fields {
                    cmd.arg(name).arg(value);
                }
                cmd
            };
            entries.iter().map(add).collect()
        }
    }
}
