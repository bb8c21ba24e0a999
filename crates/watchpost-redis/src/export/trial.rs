//! May the user read what a run will read? A preview asks for one key of each kind as the run does, so that a right that is
//! lacking is told before.

use redis::Cmd;
use redis::Value;

use super::HashRead;
use super::KeyFacts;
use crate::error::RedisError;
use crate::store::EventStore;
use crate::typed::DUMP_BYTES_MAX;
use crate::typed::Held;
use crate::typed::ValueKind;
use crate::typed::WHOLE_BYTES_MAX;
use crate::typed::Windows;
use crate::walk::Walk;

/// What a count is the preview of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Run {
    /// Of an export of every key.
    Export,
    /// Of a backup.
    Backup,
}

impl Run {
    const fn whole_bytes_max(self) -> u64 {
        match self {
            Self::Export => WHOLE_BYTES_MAX,
            Self::Backup => DUMP_BYTES_MAX,
        }
    }

    /// The command that reads a small value.
    pub(crate) fn command(self, key: &KeyFacts, hashes: HashRead) -> Option<Cmd> {
        Some(match (self, key.held) {
            (Self::Backup, _) | (Self::Export, Held::Unknown) => HashRead::Dumped.command(&key.key),
            (Self::Export, Held::Of(ValueKind::Hash)) => hashes.command(&key.key),
            (Self::Export, Held::Of(kind)) => kind.read(&key.key),
            (Self::Export, Held::Module) => return None,
        })
    }
}

/// What was tried, and what is still to be.
pub(super) struct Trial {
    run: Run,
    /// Kinds of small values and of large ones; `None` stands for all kinds that are read in the same way.
    tried: Vec<(Option<ValueKind>, bool)>,
    small: Vec<KeyFacts>,
    large: Vec<(ValueKind, Vec<u8>)>,
}

impl Trial {
    pub(super) const fn of(run: Run) -> Self {
        Self { run, tried: Vec::new(), small: Vec::new(), large: Vec::new() }
    }

    /// Tries this key where it is the first one of its kind; `hashes` is how the run reads those.
    pub(super) fn note(&mut self, kind: ValueKind, mut key: KeyFacts, hashes: HashRead) {
        let is_small = key.bytes.is_some_and(|bytes| bytes <= self.run.whole_bytes_max());
        let way = match self.run {
            Run::Backup if is_small => (None, true),
            Run::Backup | Run::Export => (Some(kind), is_small),
        };
        if self.tried.contains(&way) {
            return;
        }
        self.tried.push(way);
        if is_small {
            // Then it does not know either what a key holds before it has the payload, and a text is read from that.
            if kind == ValueKind::Text && hashes == HashRead::Dumped {
                key.held = Held::Unknown;
            }
            self.small.push(key);
        } else {
            self.large.push((kind, key.key));
        }
    }

    pub(super) fn has_small(&self) -> bool {
        !self.small.is_empty()
    }

    /// The small values that are to be tried.
    pub(super) fn small(&mut self) -> Vec<KeyFacts> {
        std::mem::take(&mut self.small)
    }

    /// Reads the beginnings of the large values that are to be tried.
    pub(super) async fn windows(&mut self, walk: &Walk, store: &EventStore) -> Result<(), RedisError> {
        let link = &store.inner.jobs;
        for (kind, key) in self.large.drain(..) {
            match walk.read(Windows::new(key.clone(), kind).next(link)).await {
                // Of another type by now.
                Ok(_) | Err(RedisError::WrongType(_)) => {}
                Err(error) => return Err(error),
            }
            if kind == ValueKind::Stream && self.run == Run::Backup {
                let mut groups = redis::cmd("XINFO");
                groups.arg("GROUPS").arg(key);
                // Any other answer is of the key, which may be gone meanwhile.
                if let Err(error @ (RedisError::NoPermission(_) | RedisError::Cancelled)) =
                    walk.read(link.query::<Value>(&groups)).await
                {
                    return Err(error);
                }
            }
        }
        Ok(())
    }
}
