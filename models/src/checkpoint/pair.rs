//! A log and the reference model beside it, for the tests that compare them.

use super::checks;
use super::defects::Defects;
use super::manager::{Manager, Role};
use super::op::{CheckpointId, CursorName, Incarnation, Item};
use super::reference::{Limits, Reference};
use super::response::Registration;
use super::settings::Settings;

/// NOSKIP.
pub(super) const NOTHING_IS_SKIPPED: &str =
    "the last version of each key is behind a cursor or ahead of it";
/// ONCE.
pub(super) const NOTHING_COMES_TWICE: &str = "no version is delivered twice to a cursor";
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
        let got =
            self.log.fetch(name, 1, barrier).and_then(|fetched| fetched.items.first().copied());
        same("next", &got, &self.reference.next(name, stops))
    }

    /// Both deliver the same items, and say how far that is.
    pub(super) fn fetch_all(&mut self, name: CursorName) -> Outcome {
        let stops = name.persists();
        let barrier = self.log.barrier().filter(|_| stops);
        let got = self.log.fetch_all(name, barrier);
        let expected: Vec<Item> = std::iter::from_fn(|| self.reference.next(name, stops)).collect();
        same("fetched", &got.map(|got| got.items).unwrap_or_default(), &expected)
    }

    pub(super) fn register(&mut self, name: CursorName, from: CheckpointId) -> Outcome {
        let in_window = self.log.window().is_some();
        let expected = match self.reference.register(name, from) {
            Some(true) => Registration::Resume,
            Some(false) => Registration::Found,
            None if in_window => Registration::WindowOpen,
            None => Registration::BackfillNeeded,
        };
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
