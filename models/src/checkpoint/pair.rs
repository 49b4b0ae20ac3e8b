//! A log and the reference model beside it, for the tests that compare them.

use super::checks;
use super::defects::Defects;
use super::manager::{Manager, Role};
use super::op::{CheckpointId, CursorName, Incarnation, Item};
use super::reference::{Limits, Reference};
use super::response::{Fetched, Registration};
use super::settings::Settings;

/// NOSKIP.
pub(super) const NOTHING_IS_SKIPPED: &str =
    "the last version of each key is behind a cursor or ahead of it";
/// ONCE.
pub(super) const NOTHING_COMES_TWICE: &str = "no version is delivered twice to a cursor";
/// DUR, as far as it is the log's.
pub(super) const CLOSED_IS_DELIVERED: &str =
    "everything up to the last closed checkpoint has been delivered";
/// The reference model has it so.
pub(super) const SAME: &str = "the log is the one of the reference model";

pub(super) type Outcome = Result<(), String>;

/// Both.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Pair {
    pub(super) log: Manager,
    pub(super) reference: Reference,
}

impl Pair {
    pub(super) fn new(settings: Settings, role: Role, defects: Defects) -> Pair {
        let size = |number: u32| usize::try_from(number).expect("a small number");
        let limits = Limits {
            items: size(settings.max_items),
            checkpoints: size(settings.max_checkpoints),
            period: settings.period,
        };
        let life = Incarnation(1);
        Pair {
            log: Manager::new(settings, role, life, 0).with_defects(defects),
            reference: Reference::new(limits, role == Role::Active, life, 0),
        }
    }

    /// Both deliver the same item, or none.
    pub(super) fn next(&mut self, name: CursorName) -> Outcome {
        let stops = name.persists();
        let barrier = self.log.barrier().filter(|_| stops);
        let Some(got) = self.log.fetch(name, 1, barrier) else { return Ok(()) };
        same("next", &got.items.first().copied(), &self.reference.next(name, stops))?;
        self.check_closed(name, got.last_closed)
    }

    /// Both deliver the same items.
    pub(super) fn fetch_all(&mut self, name: CursorName) -> Outcome {
        let barrier = self.log.barrier().filter(|_| name.persists());
        let got = self.log.fetch_all(name, barrier);
        got.map_or(Ok(()), |got| self.check_fetched(name, &got))
    }

    /// The flusher of both takes what it may.
    pub(super) fn drain(&mut self) -> Outcome {
        self.reference.begin_flush();
        let got = self.log.begin_flush(self.log.barrier());
        got.map_or(Ok(()), |got| self.check_fetched(CursorName::Persistence, &got))
    }

    fn check_fetched(&mut self, name: CursorName, got: &Fetched) -> Outcome {
        same("fetched", &got.items, &self.reference.fetch_all(name, name.persists()))?;
        let last = self.log.checkpoints().last().expect("there always is one");
        let all = if last.is_open() { last.id().previous() } else { last.id() };
        if self.log.barrier().is_none() || !name.persists() {
            same("last closed", &got.last_closed, &all)?;
        }
        self.check_closed(name, got.last_closed)
    }

    fn check_closed(&self, name: CursorName, last_closed: CheckpointId) -> Outcome {
        if self.reference.has_all_up_to(name, last_closed) {
            Ok(())
        } else {
            Err(format!("{CLOSED_IS_DELIVERED}: {name} lacks something up to {last_closed}"))
        }
    }

    pub(super) fn register(&mut self, name: CursorName, from: CheckpointId) -> Outcome {
        let in_window = self.log.window().is_some();
        let expected = match self.reference.register(name, from) {
            Some(true) => Registration::Resume,
            Some(false) => Registration::Found,
            None if in_window => Registration::WindowOpen,
            None => Registration::BackfillNeeded,
        };
        // Ids of another life are not its own.
        let other = Incarnation(self.log.incarnation().0 + 1);
        let refused =
            if in_window { Registration::WindowOpen } else { Registration::BackfillNeeded };
        same("looked up", &self.log.lookup(name, from, other), &refused)?;
        same("registered", &self.log.register(name, from, self.log.incarnation()), &expected)
    }

    /// Everything that can be compared after an operation.
    pub(super) fn check(&self) -> Outcome {
        for cursor in self.log.cursors() {
            if cursor.name() != CursorName::OnlineUpdate {
                self.check_cursor(cursor.name())?;
            }
        }
        checks::holds(&self.log).map_err(|broken| broken.to_string())?;
        let pinning = |name: &&CursorName| **name != CursorName::OnlineUpdate;
        let here = self.log.checkpoints().iter();
        let here =
            here.map(|at| (at.id(), at.is_open(), at.cursors().iter().filter(pinning).count()));
        if !here.clone().eq(self.reference.checkpoints()) {
            let expected: Vec<_> = self.reference.checkpoints().collect();
            return Err(format!("{SAME}: {:?}, expected {expected:?}", here.collect::<Vec<_>>()));
        }
        if !self.log.window_mutations().iter().eq(self.reference.window_mutations()) {
            return Err(format!("{SAME}: in the window {:?}", self.log.window_mutations()));
        }
        Ok(())
    }

    fn check_cursor(&self, name: CursorName) -> Outcome {
        let ahead = || self.log.ahead(name).filter_map(Item::mutation);
        for last in self.reference.last_mutations(name) {
            if !self.reference.has_passed(name, last.id) && !ahead().any(|m| m.id == last.id) {
                return Err(format!("{NOTHING_IS_SKIPPED}: {name} misses {last:?}"));
            }
        }
        if let Some(again) = ahead().find(|m| self.reference.has_passed(name, m.id)) {
            return Err(format!("{NOTHING_COMES_TWICE}: {name} gets {again:?}"));
        }
        if !self.log.ahead(name).eq(self.reference.ahead(name)) {
            let words = |items: Vec<&Item>| -> String {
                items.iter().map(|item| format!(" {item}")).collect()
            };
            let has = words(self.log.ahead(name).collect());
            let expected = words(self.reference.ahead(name).collect());
            return Err(format!("{SAME}: ahead of {name}{has}, expected{expected}"));
        }
        Ok(())
    }
}

pub(super) fn same<T: PartialEq + std::fmt::Debug>(what: &str, got: &T, expected: &T) -> Outcome {
    if got == expected {
        Ok(())
    } else {
        Err(format!("{SAME}: {what} {got:?}, expected {expected:?}"))
    }
}
