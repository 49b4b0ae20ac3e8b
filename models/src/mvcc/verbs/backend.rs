//! Verbs of the backend alone.

use super::super::backend::{Bucket, View};
use super::super::compaction::{FINISHED, SCHEDULED};
use super::super::kv::{Kv, KvError};
use super::super::record;
use super::super::response::KeyValue;
use super::super::revision::Revision;
use super::super::text::quoted;
use super::behind::opened;
use super::{Desk, Said, refuse, words};

impl Desk {
    pub(super) fn raw(&mut self, verb: &str, operands: &[&str]) -> Option<Said> {
        Some(match (verb, operands) {
            ("bucket-put", [bucket, key, value]) => self.bucket_put(bucket, key, value),
            ("bucket-del", [bucket, key]) => self.bucket_del(bucket, key),
            ("bucket-get", [bucket, key]) => self.bucket_get(bucket, key),
            ("record", [at, key]) => self.record(at, key, "\"\""),
            ("record", [at, key, value]) => self.record(at, key, value),
            ("mark", [name, revision]) => self.mark(name, revision),
            ("unlock", []) => self.unlock(),
            ("file", []) => self.show_file(),
            ("snapshot", []) => self.snapshot(),
            ("write", _) => words::count(operands, usize::MAX).and_then(|limit| self.write(limit)),
            ("snapshot-close", []) => self.snapshot_close(),
            ("install", []) => self.install(),
            ("load", []) => self.load(),
            ("defrag", []) => self.defrag(),
            ("copy", _) => words::count(operands, 1).and_then(|limit| self.copy(limit)),
            ("swap", []) => self.swap(),
            ("drop", []) => {
                self.kv().and_then(|kv| kv.drop_copy().map(|()| "dropped".into()).map_err(refuse))
            }
            _ => return None,
        })
    }

    fn bucket_put(&mut self, bucket: &str, key: &str, value: &str) -> Said {
        let (bucket, key, value) =
            (self::bucket(bucket)?, words::bytes(key)?, words::bytes(value)?);
        let backend = self.kv()?.lone_backend().map_err(refuse)?;
        backend.put(bucket, key, value);
        Ok(format!("{} changes are pending", backend.pending().len()))
    }

    fn bucket_del(&mut self, bucket: &str, key: &str) -> Said {
        let (bucket, key) = (self::bucket(bucket)?, words::bytes(key)?);
        let backend = self.kv()?.lone_backend().map_err(refuse)?;
        backend.delete(bucket, key);
        Ok(format!("{} changes are pending", backend.pending().len()))
    }

    fn bucket_get(&mut self, bucket: &str, key: &str) -> Said {
        let (bucket, key) = (self::bucket(bucket)?, words::bytes(key)?);
        let backend = self.kv()?.backend();
        let say =
            |value: Option<&[u8]>| value.map_or("none".into(), |value| quoted(value).to_string());
        let readers = backend.readers();
        let durable = backend.durable().get(&(bucket, key.clone())).map(Vec::as_slice);
        Ok(format!(
            "with the lock {}, readers {}, durable {}",
            say(backend.get(bucket, &key)),
            say(readers.value(bucket, &key)),
            say(durable)
        ))
    }

    fn record(&mut self, at: &str, key: &str, value: &str) -> Said {
        let (at, key, value) = (words::record(at)?, words::bytes(key)?, words::bytes(value)?);
        let main = at.revision.main;
        let kv = if at.tombstone {
            KeyValue { key, ..KeyValue::default() }
        } else {
            let (create_revision, mod_revision) = (main, main);
            KeyValue { key, create_revision, mod_revision, version: 1, value, lease: 0 }
        };
        let backend = self.kv()?.lone_backend().map_err(refuse)?;
        backend.put(Bucket::Key, at.encode(), record::encode(&kv));
        Ok(format!("{} changes are pending", backend.pending().len()))
    }

    fn mark(&mut self, name: &str, revision: &str) -> Said {
        let key = match name {
            "scheduled" => SCHEDULED,
            "finished" => FINISHED,
            other => return Err(format!("expected `scheduled` or `finished`, found `{other}`")),
        };
        let revision: Revision = words::revision(revision)?;
        let backend = self.kv()?.lone_backend().map_err(refuse)?;
        backend.put(Bucket::Meta, key.to_vec(), revision.encode().to_vec());
        Ok(format!("{} changes are pending", backend.pending().len()))
    }

    fn unlock(&mut self) -> Said {
        let kv = self.kv()?;
        kv.lone_backend().map_err(refuse)?;
        kv.unlock();
        Ok(format!("{} changes are pending", kv.backend().pending().len()))
    }

    fn show_file(&mut self) -> Said {
        let kv = self.kv()?;
        let hash = kv.backend().hash(|_, _| false);
        Ok(format!("{} bytes, hash {hash}", kv.file().len()))
    }

    fn snapshot(&mut self) -> Said {
        if self.snapshot.is_some() {
            return Err("a snapshot is open".into());
        }
        let snapshot = self.kv()?.snapshot().map_err(refuse)?;
        let said = format!("{} bytes", snapshot.size());
        self.announced = snapshot.size();
        (self.snapshot, self.received) = (Some(snapshot), Vec::new());
        Ok(said)
    }

    fn write(&mut self, limit: usize) -> Said {
        let snapshot = self.snapshot.as_mut().ok_or("no snapshot is open")?;
        self.received.extend_from_slice(snapshot.chunk(limit));
        Ok(format!("{} of {} bytes", snapshot.written(), snapshot.size()))
    }

    fn snapshot_close(&mut self) -> Said {
        let snapshot = self.snapshot.take().ok_or("no snapshot is open")?;
        let kv = self.kv()?;
        // What was installed meanwhile has no snapshot open: that belonged to the backend before it.
        if kv.backend().open_snapshots() > 0 {
            kv.close_snapshot(snapshot);
        }
        Ok(format!("{} snapshots are open", kv.backend().open_snapshots()))
    }

    fn install(&mut self) -> Said {
        let (received, size) = (self.received.clone(), self.announced);
        self.kv()?.install(received, size).map(opened).map_err(refuse)
    }

    fn load(&mut self) -> Said {
        let (received, size) = (self.received.len(), self.announced);
        if received != size {
            return Err(refuse(KvError::Incomplete { received, size }));
        }
        let (kv, found) = Kv::open(self.received.clone(), self.parameters).map_err(refuse)?;
        (self.kv, self.snapshot) = (Some(kv), None);
        Ok(opened(found))
    }

    fn defrag(&mut self) -> Said {
        let kv = self.kv()?;
        kv.begin_defrag().map_err(refuse)?;
        Ok(format!("{} pairs in {} bytes", kv.backend().durable().len(), kv.file().len()))
    }

    fn copy(&mut self, limit: usize) -> Said {
        let done = self.kv()?.copy(Some(limit)).map_err(refuse)?;
        Ok(if done { "all is copied" } else { "more is to copy" }.into())
    }

    fn swap(&mut self) -> Said {
        let saved = self.kv()?.swap().map_err(refuse)?;
        Ok(format!("{saved} bytes are free"))
    }
}

fn bucket(name: &str) -> Result<Bucket, String> {
    let found = Bucket::ALL.into_iter().find(|bucket| bucket.name() == name);
    found.ok_or_else(|| format!("expected the name of a bucket, found `{name}`"))
}
