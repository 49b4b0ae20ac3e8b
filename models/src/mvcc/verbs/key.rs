//! Verbs of one key's index, and of an index, each on its own.

use std::collections::BTreeSet;

use super::super::key_index::{HeadTombstone, KeyIndex};
use super::super::revision::Revision;
use super::super::text::quoted;
use super::{Desk, Said, say, words};

impl Desk {
    pub(super) fn key_or_index(&mut self, verb: &str, operands: &[&str]) -> Option<Said> {
        Some(match (verb, operands) {
            ("key-put", [at]) => words::revision(at).and_then(|at| self.key_put(at)),
            ("key-tomb", [at]) => words::revision(at).and_then(|at| self.key_tomb(at)),
            ("key-restore", [created, at, version]) => self.key_restore(created, at, version),
            ("key-restore-tomb", [at]) => {
                words::revision(at).map(|at| self.key_is(KeyIndex::restored_tombstone(at)))
            }
            ("key-get", [at]) => main(at).and_then(|at| say::version(self.key()?.get(at))),
            ("key-since", [at]) => main(at).and_then(|at| self.key_since(at)),
            ("key-compact", [at]) => main(at).and_then(|at| self.key_compact(at)),
            ("key-keep", [at]) => main(at).and_then(|at| self.key_keep(at)),
            ("key-new", []) => {
                Ok(self.key.take().map_or("there was none".into(), |_| "forgotten".into()))
            }
            ("key-show", []) => self.key().map(|key| say::generations_in_full(key)),
            ("index-put", [key, at]) => self.index_put(key, at),
            ("index-tomb", [key, at]) => self.index_tomb(key, at),
            ("index-get", [key, at]) => self.index_get(key, at),
            ("index-range", [keys, at]) => self.index_range(keys, at),
            ("index-compact", [at]) => {
                main(at).map(|at| say::keep(&self.index.compact(at, self.head_tombstone())))
            }
            ("index-keep", [at]) => {
                main(at).map(|at| say::keep(&self.index.keep(at, self.head_tombstone())))
            }
            ("index-show", []) => Ok(self.index_show()),
            _ => return None,
        })
    }

    fn head_tombstone(&self) -> HeadTombstone {
        if self.parameters.rules.keeps_head_tombstone() {
            HeadTombstone::Kept
        } else {
            HeadTombstone::Removed
        }
    }

    fn key(&mut self) -> Result<&mut KeyIndex, String> {
        self.key.as_mut().ok_or_else(|| "there is no key".to_owned())
    }

    fn key_is(&mut self, key: KeyIndex) -> String {
        say::generations_in_full(self.key.insert(key))
    }

    fn key_put(&mut self, at: Revision) -> Said {
        match &mut self.key {
            Some(key) if at <= key.modified() => {
                return Err(format!("expected a revision above {}", say::revision(key.modified())));
            }
            Some(key) => key.put(at),
            None => self.key = Some(KeyIndex::created(at)),
        }
        self.key().map(|key| say::generations_in_full(key))
    }

    fn key_tomb(&mut self, at: Revision) -> Said {
        let key = self.key()?;
        if at <= key.modified() {
            return Err(format!("expected a revision above {}", say::revision(key.modified())));
        }
        key.tombstone(at).map_err(|error| error.to_string())?;
        Ok(say::generations_in_full(key))
    }

    fn key_restore(&mut self, created: &str, at: &str, version: &str) -> Said {
        let (created, at) = (main(created)?, words::revision(at)?);
        let version = words::parse::<u32>(version, "a version")?;
        Ok(self.key_is(KeyIndex::restored(created, at, i64::from(version))))
    }

    fn key_since(&mut self, at: i64) -> Said {
        let since = self.key()?.since(at).into_iter();
        Ok(say::words(since.map(say::revision), "nothing"))
    }

    fn key_compact(&mut self, at: i64) -> Said {
        let (rule, mut keep) = (self.head_tombstone(), BTreeSet::new());
        let key = self.key()?;
        key.compact(at, rule, &mut keep);
        Ok(format!("{}: {}", say::keep(&keep), say::generations(key)))
    }

    fn key_keep(&mut self, at: i64) -> Said {
        let (rule, mut keep) = (self.head_tombstone(), BTreeSet::new());
        self.key()?.keep(at, rule, &mut keep);
        Ok(say::keep(&keep))
    }

    fn index_put(&mut self, key: &str, at: &str) -> Said {
        let (key, at) = (words::bytes(key)?, self.above(key, at)?);
        self.index.put(&key, at);
        Ok(self.index_show())
    }

    fn index_tomb(&mut self, key: &str, at: &str) -> Said {
        let (key, at) = (words::bytes(key)?, self.above(key, at)?);
        self.index.tombstone(&key, at).map_err(|error| error.to_string())?;
        Ok(self.index_show())
    }

    /// A revision above all that the index knows of a key.
    fn above(&self, key: &str, at: &str) -> Result<Revision, String> {
        let (key, at) = (words::bytes(key)?, words::revision(at)?);
        let known = self.index.keys().find(|(known, _)| *known == key);
        match known.map(|(_, index)| index.modified()).filter(|modified| at <= *modified) {
            Some(modified) => Err(format!("expected a revision above {}", say::revision(modified))),
            None => Ok(at),
        }
    }

    fn index_get(&mut self, key: &str, at: &str) -> Said {
        let (key, at) = (words::bytes(key)?, main(at)?);
        say::version(self.index.get(&key, at))
    }

    fn index_range(&mut self, keys: &str, at: &str) -> Said {
        let (keys, at) = (words::keys(keys)?, main(at)?);
        let found = self.index.range(&keys, at);
        Ok(say::lines(found.map(|(key, at)| format!("{} {}", quoted(key), say::revision(at)))))
    }

    fn index_show(&self) -> String {
        let keys = self.index.keys();
        say::lines(keys.map(|(key, index)| format!("{}: {}", quoted(key), say::generations(index))))
    }
}

fn main(word: &str) -> Result<i64, String> {
    words::parse(word, "a revision")
}
