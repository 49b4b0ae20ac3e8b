//! A reader: follows the log of a vbucket by a cursor of its own, as whoever sends it to another node does. It is slow, it
//! leaves, and it comes back with what it has; what is not in the log any more it takes from the table.

use std::collections::{BTreeMap, VecDeque};

use seedbed_sim::actor::{Context, Event};
use seedbed_sim::choose::{Shape, Site};
use seedbed_sim::time::Span;

use crate::checkpoint::op::{
    CheckpointId, CursorName, Epoch, EventKind, Incarnation, Item, Operation,
};
use crate::checkpoint::response::Registration;

use super::message::{Msg, Timer};
use super::model::Node;
use super::note::Note;
use super::op::{Key, Vb};
use super::vb::{Vbucket, key_of};
use super::{bugs, mark};

/// What a reader does next, rather than read on.
pub static READER: Site = Site {
    id: 53,
    name: "reader",
    shape: Shape::Own,
    outcomes: &["leave", "leave for long", "idle", "forget"],
};

const CURSOR: CursorName = CursorName::Named(0);
/// Between two steps.
const STEP: Span = Span::ms(90);
/// Between asking what there is and registering for it.
const DECISION: Span = Span::ms(60);
/// How long a reader stays away.
const AWAY: Span = Span::ms(300);
const AWAY_FOR_LONG: Span = Span::ms(2_000);
/// Items of a step.
const ITEMS: usize = 3;
/// So many ends of checkpoints back a reader remembers what it had.
const KEPT: usize = 3;

/// A reader of one vbucket.
#[derive(Clone, Debug)]
pub struct Reader {
    vb: Vb,
    /// The life of the log that it has something of. It knows nothing else of the vbucket: one that was made anew is told
    /// from the one before by this alone.
    incarnation: Incarnation,
    /// What comes next.
    from: CheckpointId,
    /// The version of each key.
    got: BTreeMap<Key, u64>,
    /// The last online update that it was told of, and what it had when that began. Kept after the end, since all of it
    /// may be delivered again.
    before: Option<(Epoch, BTreeMap<Key, u64>)>,
    /// What it had at the end of each of the last checkpoints, as far as it would know after a crash of its own.
    kept: VecDeque<Kept>,
    stage: Stage,
    steps: u64,
}

/// What a reader had, and what came next then.
#[derive(Clone, Debug)]
struct Kept {
    from: CheckpointId,
    got: BTreeMap<Key, u64>,
    before: Option<(Epoch, BTreeMap<Key, u64>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Away,
    /// It has asked, and was told this.
    Decided(Registration),
    Reading,
}

impl Reader {
    /// A reader of this vbucket.
    #[must_use]
    pub fn new(vb: Vb) -> Reader {
        Reader {
            vb,
            incarnation: Incarnation(0),
            from: CheckpointId(1),
            got: BTreeMap::new(),
            before: None,
            kept: VecDeque::new(),
            stage: Stage::Away,
            steps: 0,
        }
    }

    pub(super) fn on_event(&mut self, event: Event<Node>, cx: &mut Context<'_, Node>) {
        match event {
            Event::Message { msg: Msg::Loaded, .. } => cx.arm(Timer::Read, STEP),
            Event::Timer(Timer::Read) => {
                let after = self.step(cx);
                cx.arm(Timer::Read, after);
            }
            Event::Stop => {
                cx.disarm(Timer::Read);
                cx.stopped();
            }
            _ => {}
        }
    }

    /// Does what comes next, and says when to go on.
    fn step(&mut self, cx: &mut Context<'_, Node>) -> Span {
        self.steps += 1;
        let choice = cx.choose(&READER, u64::from(self.vb.0), self.steps);
        let decides_alone = cx.bug(&bugs::BACKFILL_DECIDED_BEFORE);
        let Some(vbucket) = cx.shared().vbs.get_mut(&self.vb) else {
            self.stage = Stage::Away;
            return STEP;
        };
        match (self.stage, choice) {
            (Stage::Away, _) => {
                let told = vbucket.log.lookup(CURSOR, self.from, self.incarnation);
                self.stage = Stage::Decided(told);
                DECISION
            }
            (Stage::Decided(told), _) => {
                let answer = vbucket.log.register(CURSOR, self.from, self.incarnation);
                self.register(if decides_alone { told } else { answer }, cx);
                STEP
            }
            (Stage::Reading, away @ (1 | 2)) => {
                // The cursor may be kept for a while, as that of a connection that is lost.
                if away == 2 {
                    vbucket.log.remove_cursor(CURSOR);
                }
                self.stage = Stage::Away;
                if away == 2 { AWAY_FOR_LONG } else { AWAY }
            }
            (Stage::Reading, 3) => AWAY_FOR_LONG,
            (Stage::Reading, 4) if self.kept.len() == KEPT => {
                self.forget();
                cx.mark(&mark::READER_FORGOT);
                AWAY
            }
            (Stage::Reading, _) => {
                self.read(cx);
                STEP
            }
        }
    }

    fn register(&mut self, answer: Registration, cx: &mut Context<'_, Node>) {
        let Some(vbucket) = cx.shared().vbs.get(&self.vb) else { return };
        self.stage = match answer {
            Registration::Resume | Registration::Found => Stage::Reading,
            Registration::BackfillNeeded => {
                self.backfill(vbucket);
                Stage::Reading
            }
            Registration::WindowOpen | Registration::Refused => Stage::Away,
        };
        match answer {
            Registration::Resume | Registration::Found => cx.mark(&mark::READER_WENT_ON),
            Registration::BackfillNeeded => cx.mark(&mark::READER_BACKFILLED),
            Registration::WindowOpen => cx.mark(&mark::READER_MET_WINDOW),
            Registration::Refused => {}
        }
    }

    /// It has crashed, and comes back with what it had a while ago; its cursor stands where it stood.
    fn forget(&mut self) {
        if let Some(Kept { from, got, before }) = self.kept.pop_front() {
            (self.from, self.got, self.before) = (from, got, before);
            self.kept.clear();
            self.stage = Stage::Away;
        }
    }

    /// Takes everything from the table: the log goes on from there.
    fn backfill(&mut self, vbucket: &Vbucket) {
        self.got = vbucket.table.iter().map(|(key, entry)| (key, entry.cas)).collect();
        self.before = None;
        self.kept.clear();
        self.incarnation = vbucket.log.incarnation();
        self.from = vbucket.log.open_id();
    }

    fn read(&mut self, cx: &mut Context<'_, Node>) {
        let Some(vbucket) = cx.shared().vbs.get_mut(&self.vb) else { return };
        let Some(fetched) = vbucket.log.fetch(CURSOR, ITEMS, None) else {
            self.stage = Stage::Away;
            return;
        };
        // A promotion begins a new life of the log, in which the cursor stays where it is.
        self.incarnation = vbucket.log.incarnation();
        let has_all = !vbucket.log.has_more(CURSOR, None);
        for item in &fetched.items {
            self.take(item);
        }
        if has_all {
            let got = self.got.iter().map(|(key, cas)| (*key, *cas)).collect();
            cx.note(Note::CaughtUp(self.vb, got));
        }
    }

    fn take(&mut self, item: &Item) {
        match item {
            Item::Mutation(mutation) => {
                let Some(key) = key_of(mutation.change.key) else { return };
                match mutation.change.operation {
                    Operation::Set => drop(self.got.insert(key, mutation.change.cas)),
                    Operation::Delete => drop(self.got.remove(&key)),
                }
            }
            Item::CheckpointEnd(id) => {
                self.from = id.next();
                let (got, before) = (self.got.clone(), self.before.clone());
                self.kept.push_back(Kept { from: self.from, got, before });
                if self.kept.len() > KEPT {
                    self.kept.pop_front();
                }
            }
            Item::OnlineUpdate(event) => match event.kind {
                EventKind::Start => {
                    if self.before.as_ref().is_none_or(|(epoch, _)| *epoch != event.epoch) {
                        self.before = Some((event.epoch, self.got.clone()));
                    }
                }
                EventKind::Complete => {}
                EventKind::Revert => {
                    if let Some((_, before)) = &self.before {
                        self.got.clone_from(before);
                    }
                }
            },
            Item::Empty | Item::CheckpointStart(_) | Item::Flush | Item::Commit => {}
        }
    }
}
