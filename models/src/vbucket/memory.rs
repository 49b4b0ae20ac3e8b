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

/// What a node counts over its vbuckets, as keys and online updates come and go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Keys of active vbuckets.
    pub active_items: u64,
    /// Keys of replicas.
    pub replica_items: u64,
    /// Online updates that are open.
    pub updates: u64,
}

impl Totals {
    fn of(vbucket: &Vbucket) -> Totals {
        let items = vbucket.counters.items;
        let (active_items, replica_items) = match vbucket.standing.state {
            State::Active => (items, 0),
            State::Replica => (0, items),
            State::Pending | State::Dead => (0, 0),
        };
        Totals { active_items, replica_items, updates: u64::from(vbucket.window.is_some()) }
    }

    /// What is counted of a vbucket goes from one number to another.
    fn change(&mut self, before: Totals, after: Totals) {
        self.active_items = self.active_items + after.active_items - before.active_items;
        self.replica_items = self.replica_items + after.replica_items - before.replica_items;
        self.updates = self.updates + after.updates - before.updates;
    }
}

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
    /// What has been counted.
    pub totals: Totals,
    last: u64,
    /// How often the node has begun.
    life: u64,
}

impl Memory {
    /// The memory of a node in this life, before the disk has been read.
    #[must_use]
    pub fn new(settings: Settings, life: u64, bugs: BugSet) -> Memory {
        Memory { settings, bugs, last: life * NUMBERS_OF_A_LIFE, life, ..Memory::default() }
    }

    /// A number that is greater than all before.
    pub fn number(&mut self) -> u64 {
        let Settings { nodes, node, .. } = self.settings;
        self.last = (self.last / nodes + 1) * nodes + node;
        self.last
    }

    /// A life of a log that no other one has. The number alone would not do: one that was drawn above what another node had
    /// drawn, and never came to disk, is drawn again in the next life of the node.
    fn incarnation(&mut self) -> Incarnation {
        Incarnation(self.life.saturating_sub(1) << 32 | self.number())
    }

    /// A version that another node has drawn: those of this node will be greater.
    pub fn heard(&mut self, number: u64) {
        self.last = self.last.max(number);
    }

    /// Takes what the disk says, at this time.
    pub fn load(&mut self, replayed: Replayed, now: u64) {
        let mut room = self.settings.values;
        for (vb, saved) in replayed.vbuckets {
            let log = self.log(saved.standing.state, now);
            let log = log.after_warm_up(CheckpointId(saved.standing.persisted));
            let mut vbucket = self.vbucket(saved.standing, log);
            vbucket.is_born = true;
            vbucket.saved = vbucket.standing.change;
            for (key, (version, row)) in saved.rows {
                let value = (room > 0).then_some(version.value);
                room -= usize::from(value.is_some());
                let (flags, until, cas) = (version.flags, version.until, version.cas);
                if self.settings.nodes > 1 {
                    self.heard(cas);
                }
                let entry = Entry { value, flags, until, cas, dirty: false, row: Some(row) };
                vbucket.table.put(key, entry);
                vbucket.counters.items += 1;
            }
            self.totals.change(Totals::default(), Totals::of(&vbucket));
            self.vbs.insert(vb, vbucket);
        }
        self.is_loaded = true;
    }

    /// An empty log for a new life of a vbucket.
    fn log(&mut self, state: State, now: u64) -> Manager {
        let Settings { max_items, max_checkpoints, period, .. } = self.settings;
        let (by_count, period, min_items) = (true, period.0, 1);
        let settings = LogSettings { max_items, by_count, period, max_checkpoints, min_items };
        let incarnation = self.incarnation();
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

    /// Makes a vbucket be in this state, and makes it if it is not there. Whoever waits for it is not told.
    pub fn stand(&mut self, vb: Vb, state: State, now: u64) -> Standing {
        let (change, incarnation) = (self.number(), self.incarnation());
        let Some(vbucket) = self.vbs.get(&vb) else { return self.create(vb, state, now) };
        if vbucket.standing.state == state {
            return vbucket.standing;
        }
        let drops = state == State::Dead && self.bugs.has(&bugs::LAST_WRITES_DROPPED);
        let promoted = |vbucket: &mut Vbucket| {
            if drops {
                vbucket.drop_unwritten();
            }
            vbucket.standing.state = state;
            vbucket.standing.change = change;
            match role(state) {
                Role::Active => vbucket.log.promote(now, incarnation),
                Role::Replica => vbucket.log.demote(),
            }
            vbucket.standing
        };
        self.edit(vb, promoted).unwrap_or_else(|| self.create(vb, state, now))
    }

    /// Does something to a vbucket, and counts what came of it.
    pub fn edit<T>(&mut self, vb: Vb, edit: impl FnOnce(&mut Vbucket) -> T) -> Option<T> {
        let vbucket = self.vbs.get_mut(&vb)?;
        let before = Totals::of(vbucket);
        let done = edit(vbucket);
        self.totals.change(before, Totals::of(vbucket));
        Some(done)
    }

    /// Takes a vbucket away.
    pub fn forget(&mut self, vb: Vb) -> Option<Vbucket> {
        let gone = self.vbs.remove(&vb)?;
        self.totals.change(Totals::of(&gone), Totals::default());
        Some(gone)
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
        let entry = entry.map(|entry| Entry { cas, ..entry });
        let changed = self.edit(vb, |vbucket| vbucket.change(key, entry, cas, now))?;
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
