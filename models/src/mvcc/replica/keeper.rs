//! The keeper of leases: decides when a lease has run out.
//!
//! ```text
//! each round, on the primary:   run out? ─▶ propose to revoke it, again and again until it is gone
//! renew:   where does the log end? ─▶ applied up to there ─▶ still there, and not about to be revoked ─▶ a new deadline
//! ```
//!
//! All nodes know the leases, but only the primary has deadlines, by its own clock; they are not in the log. Whoever
//! becomes the primary gives every lease its whole time again: it may extend a lease, and never shortens one. What a
//! former primary still proposes is not agreed to (etcd issue 15247), nor is what the same node goes by from an earlier term.

use std::collections::BTreeMap;

use seedbed_sim::actor::{Context, Event};
use seedbed_sim::id::{ActorId, NodeId};
use seedbed_sim::time::{Span, Time};

use super::message::{GroupMsg, Primacy};
use super::note::GroupNote;
use crate::mvcc::message::{AskId, Msg, Note, Timer};
use crate::mvcc::model::Mvcc;
use crate::mvcc::{bugs, mark};

/// Keeps the deadlines of a node.
#[derive(Clone, Debug)]
pub struct Keeper {
    node: NodeId,
    agreement: ActorId,
    /// How long a second of a lease is.
    second: Span,
    /// How long it is between two rounds.
    round: Span,
    /// The deadline of each lease that is known; none unless the node is the primary.
    deadlines: Option<BTreeMap<i64, Deadline>>,
    /// In which term these are counted.
    term: u32,
    /// Renewals that wait until more is applied.
    renewals: Vec<Renewal>,
}

/// When a lease runs out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deadline {
    /// Then.
    At(Time),
    /// It has, and everybody is to revoke it.
    Over,
}

/// A client wants a lease to live on.
#[derive(Clone, Copy, Debug)]
struct Renewal {
    ask: AskId,
    lease: i64,
    /// When the client asked. Its time counts from then on: whoever becomes the primary later counts from later on.
    since: Time,
    /// Where the log ended, once that is known.
    index: Option<u64>,
}

impl Keeper {
    /// The keeper of a node, whose seconds last so long.
    #[must_use]
    pub fn new(node: NodeId, agreement: ActorId, second: Span, round: Span) -> Keeper {
        Keeper { node, agreement, second, round, deadlines: None, term: 0, renewals: Vec::new() }
    }

    pub(in crate::mvcc) fn on_event(&mut self, event: Event<Mvcc>, cx: &mut Context<'_, Mvcc>) {
        match event {
            Event::Boot => cx.arm(Timer::Leases, self.round),
            Event::Timer(Timer::Leases) => {
                self.look(cx);
                cx.arm(Timer::Leases, self.round);
            }
            Event::Message { msg: Msg::Group(GroupMsg::Renew(ask, lease)), .. } => {
                self.renewals.retain(|renewal| renewal.ask.op.client != ask.op.client);
                self.renewals.push(Renewal { ask, lease, since: cx.now(), index: None });
                cx.note(Note::Group(GroupNote::Renewing(ask, lease)));
                cx.send(self.agreement, Msg::Group(GroupMsg::LogEnd(ask)));
            }
            Event::Message { msg: Msg::Group(GroupMsg::ReadAt(ask, index)), .. } => {
                let of = self.renewals.iter_mut().filter(|renewal| renewal.ask == ask);
                of.for_each(|renewal| renewal.index = Some(index));
                self.look(cx);
            }
            Event::Stop => cx.stopped(),
            _ => {}
        }
    }

    fn look(&mut self, cx: &mut Context<'_, Mvcc>) {
        let counts_on = cx.bug(&bugs::LEASES_NOT_EXTENDED);
        let shared = cx.shared();
        let group = shared.replica.as_ref().filter(|_| shared.is_open());
        let is_open = group.is_some();
        let leads = group.and_then(|group| group.primary).filter(|of| of.node == self.node);
        let Some(Primacy { term, .. }) = leads else {
            if counts_on && is_open {
                return self.learn(cx);
            }
            self.deadlines = None;
            return;
        };
        if term > self.term {
            self.term = term;
            // Another one may have been the primary meanwhile, and have given leases more time.
            self.deadlines = self.deadlines.take().filter(|_| counts_on);
        }
        self.learn(cx);
        self.renew(cx);
        self.revoke(cx);
    }

    /// How long a lease of so many seconds lasts.
    #[must_use]
    pub fn lasts(&self, ttl: i64) -> Span {
        self.second.times(u64::try_from(ttl.max(1)).expect("at least one"))
    }

    /// Leases that are new get a deadline, and those that are gone lose theirs.
    fn learn(&mut self, cx: &mut Context<'_, Mvcc>) {
        let shared = cx.shared();
        let lessor = shared.look().and_then(|(store, _)| store.lessor());
        let leases: BTreeMap<i64, i64> = lessor
            .map(|lessor| lessor.leases().map(|(id, lease)| (id, lease.ttl())).collect())
            .unwrap_or_default();
        if self.deadlines.is_none() && !leases.is_empty() {
            cx.mark(&mark::LEASES_TAKEN_OVER);
        }
        let mut deadlines = self.deadlines.take().unwrap_or_default();
        let group = cx.shared().group();
        let (revoked, anew) =
            (std::mem::take(&mut group.revoked), std::mem::take(&mut group.leases_anew));
        deadlines.retain(|id, _| !anew && leases.contains_key(id) && !revoked.contains(id));
        for (id, ttl) in leases {
            let end = cx.now() + self.lasts(ttl);
            deadlines.entry(id).or_insert(Deadline::At(end));
        }
        self.deadlines = Some(deadlines);
    }

    /// Whoever renews a lease is not told so before everything was applied that might end it.
    fn renew(&mut self, cx: &mut Context<'_, Mvcc>) {
        let applied = cx.shared().group().applied;
        let (ready, waiting): (Vec<Renewal>, Vec<Renewal>) = (self.renewals.drain(..))
            .partition(|renewal| renewal.index.is_some_and(|index| index <= applied));
        self.renewals = waiting;
        for Renewal { ask, lease, since, .. } in ready {
            let shared = cx.shared();
            let lessor = shared.look().and_then(|(store, _)| store.lessor());
            let lives = lessor.and_then(|lessor| lessor.lease(lease)).map(|lease| lease.ttl());
            let lasts = lives.map(|ttl| self.lasts(ttl));
            let deadlines = self.deadlines.as_mut().expect("it leads");
            let renewed = match (deadlines.get_mut(&lease), lasts) {
                (Some(Deadline::At(end)), Some(lasts)) => {
                    *end = (*end).max(since + lasts);
                    cx.mark(&mark::LEASE_RENEWED);
                    cx.note(Note::Group(GroupNote::Renewed(ask, lease, lasts)));
                    true
                }
                _ => false,
            };
            cx.send(ask.op.client, Msg::Group(GroupMsg::Renewed(ask, renewed)));
        }
    }

    fn revoke(&mut self, cx: &mut Context<'_, Mvcc>) {
        let (now, applied) = (cx.now(), cx.shared().group().applied);
        let deadlines = self.deadlines.as_mut().expect("it leads");
        for (lease, deadline) in deadlines {
            if matches!(deadline, Deadline::At(at) if *at > now) {
                continue;
            }
            if *deadline != Deadline::Over {
                *deadline = Deadline::Over;
                cx.mark(&mark::LEASE_RAN_OUT);
            }
            cx.send(self.agreement, Msg::Group(GroupMsg::RunOut(*lease, applied, self.term)));
        }
    }
}
