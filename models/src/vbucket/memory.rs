//! What the actors of a node share, as the threads of a process share memory. A crash takes all of it.

use std::collections::BTreeMap;

use seedbed_sim::id::FileId;
use seedbed_sim::time::Time;

use seedbed_sim::actor::BugSet;

use crate::checkpoint::manager::{Manager, Role};
use crate::checkpoint::op::{CheckpointId, Incarnation};
use crate::checkpoint::settings::Settings as LogSettings;

use super::bugs;

use super::op::{Key, State, Vb};
use super::record::{Replayed, Standing};
use super::settings::{ROOM, Settings};
use super::table::Entry;
use super::vb::{Changed, Vbucket};

/// Numbers of one life are below those of the next.
const NUMBERS_OF_A_LIFE: u64 = 10_000;
/// Numbers of one node are below those of the next.
const NUMBERS_OF_A_NODE: u64 = 1_000 * NUMBERS_OF_A_LIFE;

/// The memory of a node.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// Whether the disk has been read.
    pub is_loaded: bool,
    /// Whether the node is about to stop.
    pub is_stopping: bool,
    /// How the node works.
    pub settings: Settings,
    /// Planted bugs.
    pub bugs: BugSet,
    /// The vbuckets that there are.
    pub vbs: BTreeMap<Vb, Vbucket>,
    /// The file of the node.
    pub file: Option<FileId>,
    /// Whether something was queued since the flusher began its cycle.
    pub has_work: bool,
    /// Whether the flusher waits to be told.
    pub is_flusher_idle: bool,
    last: u64,
}

impl Memory {
    /// The memory of a node in this life, before the disk has been read.
    #[must_use]
    pub fn new(settings: Settings, life: u64, bugs: BugSet) -> Memory {
        let last = settings.place * NUMBERS_OF_A_NODE + life * NUMBERS_OF_A_LIFE;
        Memory { settings, bugs, last, ..Memory::default() }
    }

    /// A number that is greater than all before.
    pub fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Takes what the disk says, at this time.
    pub fn load(&mut self, replayed: Replayed, now: u64) {
        let mut room = self.settings.values;
        for (vb, saved) in replayed.vbuckets {
            let log = self.log(saved.standing.state, now);
            let log = log.after_warm_up(CheckpointId(saved.standing.persisted));
            let mut vbucket = self.vbucket(saved.standing, log);
            vbucket.is_born = true;
            for (key, (version, row)) in saved.rows {
                let value = (room > 0).then_some(version.value);
                room -= usize::from(value.is_some());
                let (flags, until, cas) = (version.flags, version.until, version.cas);
                let entry = Entry { value, flags, until, cas, dirty: false, row: Some(row) };
                vbucket.table.put(key, entry);
                vbucket.counters.items += 1;
            }
            self.vbs.insert(vb, vbucket);
        }
        self.is_loaded = true;
    }

    /// An empty log for a new life of a vbucket.
    fn log(&mut self, state: State, now: u64) -> Manager {
        let Settings { max_items, max_checkpoints, period, .. } = self.settings;
        let (by_count, period, min_items) = (true, period.0, 1);
        let settings = LogSettings { max_items, by_count, period, max_checkpoints, min_items };
        let incarnation = Incarnation(self.number());
        Manager::new(settings, role(state), incarnation, now).with_defects(bugs::defects(self.bugs))
    }

    /// Makes a vbucket that is not there.
    pub fn create(&mut self, vb: Vb, state: State, now: u64) -> Standing {
        let birth = self.number();
        let standing = Standing { birth, state, change: birth, persisted: 0 };
        let log = self.log(state, now);
        let vbucket = self.vbucket(standing, log);
        self.vbs.insert(vb, vbucket);
        standing
    }

    fn vbucket(&self, standing: Standing, log: Manager) -> Vbucket {
        let takes_later = self.bugs.has(&bugs::REVERT_TAKES_LATER);
        let mut vbucket = Vbucket::new(standing, log);
        vbucket.takes_later = takes_later;
        vbucket
    }

    /// How many values are in memory.
    #[must_use]
    pub fn resident(&self) -> usize {
        self.vbs.values().map(|vbucket| vbucket.table.resident()).sum()
    }

    /// Whether there is room for one more value.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.resident() < self.settings.values.saturating_add(ROOM)
    }

    /// Changes a key of a vbucket that is there. The answer says how the change is called.
    pub fn change(
        &mut self,
        vb: Vb,
        key: Key,
        entry: Option<Entry>,
        now: u64,
    ) -> Option<(u64, Changed)> {
        let cas = self.number();
        let vbucket = self.vbs.get_mut(&vb)?;
        let entry = entry.map(|entry| Entry { cas, ..entry });
        let changed = vbucket.change(key, entry, cas, now);
        self.has_work |= changed.grew;
        Some((cas, changed))
    }

    /// Whether the flusher has to be told, which counts as done.
    pub fn wakes_flusher(&mut self) -> bool {
        self.has_work && std::mem::take(&mut self.is_flusher_idle)
    }
}

/// The second of an instant.
#[must_use]
pub fn seconds(at: Time) -> u64 {
    at.0 / 1_000_000_000
}

/// Who makes the checkpoints of a vbucket in this state.
#[must_use]
pub fn role(state: State) -> Role {
    match state {
        State::Active => Role::Active,
        State::Replica | State::Pending | State::Dead => Role::Replica,
    }
}
