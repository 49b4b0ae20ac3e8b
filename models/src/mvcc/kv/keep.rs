//! How a store survives: snapshots, restore in place, closing and opening.

use super::super::backend::{Backend, Snapshot};
use super::super::compaction::{Compaction, FINISHED, mark};
use super::super::parameters::Parameters;
use super::super::restore::restore_by;
use super::super::store::{NEVER_COMPACTED, Store};
use super::{Kv, KvError};

/// What a store found when it was opened or restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The current revision.
    pub current: i64,
    /// The compacted revision.
    pub compacted: i64,
    /// The compaction that was not done and goes on.
    pub resumed: Option<i64>,
}

impl Kv {
    /// The store that is in a file, with these parameters. Who watched has to ask again.
    pub fn open(file: Vec<u8>, parameters: Parameters) -> Result<(Kv, Opened), KvError> {
        let backend = Backend::open(&file, parameters.settings.page_size)?;
        let store = Store::by(parameters.rules, parameters.defects);
        let mut kv = Kv::over(parameters, store, backend, file);
        let opened = kv.rebuild()?;
        Ok((kv, opened))
    }

    /// Builds the store anew from the backend. A compaction that was under way begins again where it was.
    fn rebuild(&mut self) -> Result<Opened, KvError> {
        let Parameters { rules, defects, settings, .. } = self.parameters;
        let restored = restore_by(rules, &self.backend, defects, settings.restore_chunk)?;
        self.store = restored.store;
        self.queue.clear();
        self.compaction = None;
        if let Some(at) = restored.resume {
            let previous = mark(&self.backend, FINISHED)?.unwrap_or(NEVER_COMPACTED);
            self.compaction = Some(Compaction::resume(&mut self.store, at, previous));
        }
        let (current, compacted) = (self.store.current(), self.store.compacted());
        Ok(Opened { current, compacted, resumed: restored.resume })
    }

    /// Restores the store in place, from the backend that it has. Watchers stay and are served anew.
    pub fn restore(&mut self) -> Result<Opened, KvError> {
        self.free()?;
        self.commit();
        let opened = self.rebuild()?;
        self.watch.restored();
        Ok(opened)
    }

    /// Goes on with the file of a snapshot, in place: there is no second store, and whoever holds this one need not be
    /// told. The old backend is closed. The size is the one that was announced when the snapshot was cut: a file that is
    /// cut short can be a sound one, but of less.
    pub fn install(&mut self, file: Vec<u8>, size: usize) -> Result<Opened, KvError> {
        self.free()?;
        let received = file.len();
        if received != size {
            return Err(KvError::Incomplete { received, size });
        }
        let backend = Backend::open(&file, self.parameters.settings.page_size)?;
        let mut old = std::mem::replace(&mut self.backend, backend);
        old.close();
        (self.file, self.commit_waits) = (file, false);
        let opened = self.rebuild()?;
        self.watch.restored();
        Ok(opened)
    }

    /// Commits, and cuts a snapshot of what is durable then.
    pub fn snapshot(&mut self) -> Result<Snapshot, KvError> {
        self.free()?;
        self.commit();
        Ok(self.backend.snapshot())
    }

    /// Ends a snapshot.
    pub fn close_snapshot(&mut self, snapshot: Snapshot) {
        self.backend.close_snapshot(snapshot);
    }

    /// Commits and closes, when no transaction and no snapshot is open. Whatever is asked of it afterwards is fatal. A
    /// compaction that is under way is left for the next opening.
    pub fn close(&mut self) -> Result<(), KvError> {
        self.free()?;
        let open = self.backend.open_snapshots();
        if open > 0 {
            return Err(KvError::SnapshotsOpen(open));
        }
        self.commit();
        self.backend.close();
        Ok(())
    }
}
