//! The coordinator: asks majorities on behalf of clients. It keeps nothing on disk and forgets everything in a crash.

use super::call::Key;
use super::message::{Msg, Note, RoundId, Timer};
use super::tag::{Counters, Tag, Version};
use super::tally::{Tally, majority};
use super::{Register, bugs, mark, point};
use seedbed_sim::actor::{Context, Event};
use seedbed_sim::id::{ActorId, Incarnation, OpId};
use seedbed_sim::time::Span;
use std::collections::BTreeMap;

/// How long a round may be without a majority before those that are silent are asked again.
const RESEND: Span = Span::ms(8);
/// After this many times a round is dropped; the client has its own patience.
const RESENDS_MAX: u32 = 12;

/// A coordinator.
#[derive(Clone, Debug)]
pub struct Coordinator {
    replicas: Vec<ActorId>,
    /// The rounds under way, by number.
    rounds: BTreeMap<u32, Round>,
    last_round: u32,
    counters: Counters,
}

/// One question to all replicas, until a majority has answered.
#[derive(Clone, Debug)]
struct Round {
    client: ActorId,
    op: OpId,
    key: Key,
    goal: Goal,
    tally: Tally,
    resends: u32,
}

/// What a round is for: what it asks, and what it leads to.
#[derive(Clone, Copy, Debug)]
enum Goal {
    /// Query, then tell the client a tag.
    Pick,
    /// Store, then tell the client that it is written.
    Put(Version),
    /// Query, then tell the client the value, or write it back first.
    Get,
    /// Store, then tell the client the value.
    WriteBack(Version),
}

impl Coordinator {
    /// A coordinator of these replicas.
    #[must_use]
    pub fn new(replicas: Vec<ActorId>) -> Coordinator {
        Coordinator {
            replicas,
            rounds: BTreeMap::new(),
            last_round: 0,
            counters: Counters::default(),
        }
    }

    /// How many rounds are under way.
    #[must_use]
    pub fn rounds(&self) -> usize {
        self.rounds.len()
    }

    pub(super) fn on_event(&mut self, event: Event<Register>, cx: &mut Context<'_, Register>) {
        match event {
            Event::Message { from, msg } => match msg {
                Msg::Pick { op, key } => self.begin((from, op, key), Goal::Pick, cx),
                Msg::Put { op, key, version } => {
                    self.begin((from, op, key), Goal::Put(version), cx);
                }
                Msg::Get { op, key } => self.begin((from, op, key), Goal::Get, cx),
                Msg::Held { round, version, .. } => {
                    let bugs = cx.bugs();
                    self.hear(round, cx, |tally| tally.held(from, version, bugs));
                }
                Msg::Stored { round, .. } => self.hear(round, cx, |tally| tally.stored(from)),
                Msg::Picked { .. }
                | Msg::Done { .. }
                | Msg::Got { .. }
                | Msg::Query { .. }
                | Msg::Store { .. } => {}
            },
            Event::Timer(Timer::Resend(number)) => self.resend(number, cx),
            Event::Stop => cx.stopped(),
            Event::Boot
            | Event::Invoke { .. }
            | Event::Timer(Timer::Retry | Timer::Disk)
            | Event::Conn(_)
            | Event::Disk(_) => {}
            Event::Locked(never) | Event::Phase(never) => match never {},
        }
    }

    fn begin(
        &mut self,
        (client, op, key): (ActorId, OpId, Key),
        goal: Goal,
        cx: &mut Context<'_, Register>,
    ) {
        self.last_round += 1;
        let round = Round { client, op, key, goal, tally: Tally::default(), resends: 0 };
        self.rounds.insert(self.last_round, round);
        self.send(self.last_round, cx);
        cx.arm(Timer::Resend(self.last_round), RESEND);
    }

    /// Asks the replicas that have not answered, in each round beginning with another one: of equally fast replicas a
    /// majority is then not always the same.
    fn send(&self, number: u32, cx: &mut Context<'_, Register>) {
        let Round { op, key, goal, tally, .. } = &self.rounds[&number];
        let (op, key) = (*op, *key);
        let round = RoundId { life: cx.incarnation(), number };
        let (before, first) = self.replicas.split_at(number as usize % self.replicas.len());
        for replica in first.iter().chain(before).filter(|replica| !tally.has_heard(**replica)) {
            let question = match *goal {
                Goal::Pick | Goal::Get => Msg::Query { round, op, key },
                Goal::Put(version) | Goal::WriteBack(version) => {
                    Msg::Store { round, op, key, version }
                }
            };
            cx.send(*replica, question);
            cx.point(&point::REPLICA_ASKED);
        }
    }

    fn resend(&mut self, number: u32, cx: &mut Context<'_, Register>) {
        let Some(round) = self.rounds.get_mut(&number) else { return };
        round.resends += 1;
        if round.resends > RESENDS_MAX {
            self.rounds.remove(&number);
            return;
        }
        self.send(number, cx);
        if !cx.bug(&bugs::RESENT_ONLY_ONCE) {
            cx.arm(Timer::Resend(number), RESEND);
        }
    }

    /// Counts an answer, and goes on once a majority has answered.
    fn hear(
        &mut self,
        round: RoundId,
        cx: &mut Context<'_, Register>,
        count: impl FnOnce(&mut Tally),
    ) {
        if round.life != cx.incarnation() {
            cx.mark(&mark::STALE_REFUSED);
            if !cx.bug(&bugs::ANSWER_TO_ANOTHER_LIFE) {
                return;
            }
        }
        let Some(under_way) = self.rounds.get_mut(&round.number) else { return };
        count(&mut under_way.tally);
        if under_way.tally.count() < majority(self.replicas.len(), cx.bugs()) {
            return;
        }
        let decided = self.rounds.remove(&round.number).expect("it is under way");
        cx.disarm(Timer::Resend(round.number));
        cx.point(&point::QUORUM_REACHED);
        self.conclude(&decided, cx);
    }

    fn conclude(&mut self, round: &Round, cx: &mut Context<'_, Register>) {
        let Round { client, op, key, ref tally, .. } = *round;
        let answer = match round.goal {
            Goal::Pick => Msg::Picked { op, tag: self.tag(key, tally.highest(), cx) },
            Goal::Put(_) => Msg::Done { op },
            Goal::WriteBack(version) => Msg::Got { op, value: Some(version.value) },
            Goal::Get => match tally.highest() {
                Some(version) if !tally.is_agreed() && !cx.bug(&bugs::READ_WITHOUT_WRITE_BACK) => {
                    cx.mark(&mark::READ_WROTE_BACK);
                    return self.begin((client, op, key), Goal::WriteBack(version), cx);
                }
                highest => Msg::Got { op, value: highest.map(|version| version.value) },
            },
        };
        cx.send(client, answer);
        cx.point(&point::REPLY_SENT);
    }

    fn tag(&mut self, key: Key, highest: Option<Version>, cx: &mut Context<'_, Register>) -> Tag {
        let forgets = cx.bug(&bugs::LIFE_LEFT_OUT_OF_TAG);
        let life = if forgets { Incarnation(0) } else { cx.incarnation() };
        let tag = Tag { counter: self.counters.give(key, highest), coordinator: cx.me(), life };
        cx.note(Note::Given(key, tag));
        tag
    }
}
