//! Long random sequences of operations on a log and on the reference model, with everything that can be done.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};

use super::checks;
use super::defects::Defects;
use super::manager::Role;
use super::op::{Change, CheckpointId, CursorName, Epoch, Event, EventKind, Incarnation, Short};
use super::pair::{Outcome, Pair, same};
use super::response::{Accepted, Started};
use super::settings::Settings;

/// What happens next. Numbers are taken relative to what is there, so that they meet it.
#[derive(Clone, Copy, Debug)]
enum Step {
    Set(u8),
    Delete(u8),
    Wait(u64),
    Next(CursorName, usize),
    FetchAll(CursorName),
    Drain,
    EndFlush(bool),
    Due,
    Create,
    Remove,
    Collapse,
    /// At the checkpoint of this number, from the oldest on; one more than there are is the next one, and two more one that is gone.
    Register(u8, usize),
    RemoveCursor(u8),
    Start,
    Complete,
    Revert,
    FinishRevert,
    /// The open id and so many more, or fewer.
    AcceptStart(i64),
    AcceptEnd(i64),
    /// Of the window of the open checkpoint, or of that of the last epoch.
    AcceptEvent(EventKind, bool),
    Promote,
    Demote,
    Clear,
}

fn reader() -> impl Strategy<Value = CursorName> {
    prop_oneof![
        Just(CursorName::Persistence),
        Just(CursorName::Named(1)),
        Just(CursorName::Named(2))
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let kind = prop::sample::select(vec![EventKind::Start, EventKind::Complete, EventKind::Revert]);
    prop_oneof![
        16 => (0..6_u8).prop_map(Step::Set),
        8 => (0..6_u8).prop_map(Step::Delete),
        2 => (0..8_u64).prop_map(Step::Wait),
        8 => (reader(), 1..4_usize).prop_map(|(name, count)| Step::Next(name, count)),
        4 => reader().prop_map(Step::FetchAll),
        2 => Just(Step::Drain),
        2 => any::<bool>().prop_map(Step::EndFlush),
        1 => Just(Step::Due),
        3 => Just(Step::Create),
        4 => Just(Step::Remove),
        2 => Just(Step::Collapse),
        4 => (1..3_u8, 0..5_usize).prop_map(|(reader, at)| Step::Register(reader, at)),
        1 => (1..3_u8).prop_map(Step::RemoveCursor),
        2 => Just(Step::Start),
        2 => Just(Step::Complete),
        1 => Just(Step::Revert),
        2 => Just(Step::FinishRevert),
        5 => prop_oneof![3 => Just(1), 1 => -3..4_i64].prop_map(Step::AcceptStart),
        4 => prop_oneof![3 => Just(0), 1 => -2..2_i64].prop_map(Step::AcceptEnd),
        5 => (kind, any::<bool>()).prop_map(|(kind, again)| Step::AcceptEvent(kind, again)),
        1 => Just(Step::Promote),
        1 => Just(Step::Demote),
        1 => Just(Step::Clear),
    ]
}

struct World {
    pair: Pair,
    now: u64,
    lives: u64,
}

impl World {
    fn new(settings: Settings, role: Role, defects: Defects) -> World {
        World { pair: Pair::new(settings, role, defects), now: 0, lives: 1 }
    }

    fn step(&mut self, step: Step) -> Outcome {
        self.apply(step)?;
        if self.pair.log.window().is_none() && matches!(step, Step::Remove) {
            checks::unneeded_goes(&self.pair.log).map_err(|broken| broken.to_string())?;
        }
        self.pair.check()
    }

    fn apply(&mut self, step: Step) -> Outcome {
        let now = self.now;
        let Pair { log, reference } = &mut self.pair;
        match step {
            Step::Set(key) => self.queue(Change::set(name(key), Short::EMPTY)),
            Step::Delete(key) => self.queue(Change::delete(name(key))),
            Step::Wait(span) => {
                self.now += span;
                Ok(())
            }
            Step::Next(name, count) => (0..count).try_for_each(|_| self.pair.next(name)),
            Step::FetchAll(name) => self.pair.fetch_all(name),
            Step::Drain => self.pair.drain(),
            Step::EndFlush(has_failed) => {
                if has_failed {
                    log.flush_failed();
                } else {
                    log.flush_succeeded();
                }
                reference.end_flush(has_failed);
                Ok(())
            }
            Step::Due => {
                log.create_if_due(now);
                reference.create_if_due(now);
                Ok(())
            }
            Step::Create => {
                log.create(now);
                reference.create(now);
                Ok(())
            }
            Step::Remove => {
                log.remove_unreferenced(now);
                reference.remove(now);
                Ok(())
            }
            Step::Collapse => {
                log.collapse();
                reference.collapse();
                Ok(())
            }
            Step::Register(reader, at) => self.register(CursorName::Named(reader), at),
            Step::RemoveCursor(reader) => {
                log.remove_cursor(CursorName::Named(reader));
                reference.remove_reader(CursorName::Named(reader));
                Ok(())
            }
            Step::Start => same("start", &log.start(now).is_ok(), &reference.start(now)),
            Step::Complete => {
                same("complete", &log.complete(now).is_ok(), &reference.complete(now))
            }
            Step::Revert => same("revert", &log.begin_revert(now).is_ok(), &reference.revert(now)),
            Step::FinishRevert => {
                log.finish_revert();
                reference.finish_revert();
                Ok(())
            }
            told => self.told(told),
        }
    }

    /// What comes from elsewhere.
    fn told(&mut self, step: Step) -> Outcome {
        let now = self.now;
        let Pair { log, reference } = &mut self.pair;
        match step {
            Step::AcceptStart(more) => {
                let id = CheckpointId(log.open_id().0.saturating_add_signed(more));
                let follows = log.accept_start(now, id) != Started::Refused;
                same("begun", &follows, &reference.accept_start(now, id))
            }
            Step::AcceptEnd(more) => {
                let id = CheckpointId(log.open_id().0.saturating_add_signed(more));
                log.accept_end(id);
                reference.accept_end(id);
                Ok(())
            }
            Step::AcceptEvent(kind, again) => {
                let epoch = Epoch(log.epoch().0 + u64::from(!again));
                let event = Event { kind, checkpoint: log.open_id(), epoch };
                let follows = log.accept_event(now, event) != Accepted::Refused;
                same("told", &follows, &reference.accept_event(now, event))
            }
            Step::Promote => {
                self.lives += 1;
                log.promote(now, Incarnation(self.lives));
                reference.promote(now, Incarnation(self.lives));
                Ok(())
            }
            Step::Demote => {
                log.demote();
                reference.demote();
                Ok(())
            }
            Step::Clear => {
                log.clear(now);
                reference.clear(now);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn queue(&mut self, change: Change) -> Outcome {
        let queued = self.pair.log.queue(self.now, change);
        let expected = self.pair.reference.queue(self.now, change);
        same("grew", &queued.persistence_grew(), &expected.unwrap_or(false))
    }

    fn register(&mut self, name: CursorName, at: usize) -> Outcome {
        let here = self.pair.log.checkpoints();
        let gone = here[0].id().previous();
        let next = self.pair.log.open_id();
        let other = if at == here.len() { next } else { gone };
        let from = here.get(at).map_or(other, |checkpoint| checkpoint.id());
        self.pair.register(name, from)
    }
}

fn name(number: u8) -> super::op::Key {
    let names = ["a", "b", "c", "checkpoint_start", "checkpoint_end", "online_update_start"];
    names[usize::from(number) % names.len()].parse().expect("it fits")
}

fn worlds() -> impl Strategy<Value = (Settings, Role)> {
    let role = prop::sample::select(vec![Role::Active, Role::Replica]);
    (1..4_u32, 2..4_u32, 3..20_u64, role).prop_map(|(max_items, max_checkpoints, period, role)| {
        (Settings { max_items, max_checkpoints, period, ..Settings::USUAL }, role)
    })
}

fn config(cases: u32) -> Config {
    let seed = RngSeed::Fixed(4151);
    Config { cases, failure_persistence: None, rng_seed: seed, ..Config::default() }
}

fn run(config: Config, defects: Defects) -> Outcome {
    let result = TestRunner::new(config).run(
        &(worlds(), vec(step(), 1..80)),
        |((settings, role), steps)| {
            let mut world = World::new(settings, role, defects);
            for step in steps {
                world.step(step).map_err(TestCaseError::fail)?;
            }
            Ok(())
        },
    );
    result.map_err(|error| error.to_string())
}

#[test]
fn a_log_does_what_the_reference_model_does_whatever_is_done_to_it() {
    run(config(1500), Defects::NONE).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn what_is_delivered_alone_shows_planted_bugs() {
    for bug in [
        "repair_off_by_one",
        "requeue_is_no_work",
        "last_closed_is_predecessor",
        "reregistration_pins",
        "start_marker_forgotten",
        "offsets_not_adjusted",
        "merge_rewinds",
        "merge_forgets_cursors",
        "smaller_start_erases",
        "next_id_not_advanced",
        "promoted_without_open",
        "start_reuses_id",
        "window_survives_clear",
        "window_survives_rollback",
        "collects_past_revert",
        "completes_during_revert",
        "events_once_only",
        "start_without_id",
    ] {
        let mut defects = Defects::NONE;
        defects.plant(bug).expect("its name");
        let config = Config { max_shrink_iters: 0, ..config(3000) };
        let broken = run(config, defects).expect_err(bug);
        assert!(broken.starts_with("Test failed: "), "{bug}: {broken}");
    }
}
