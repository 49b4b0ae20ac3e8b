//! The two loops of the node: one serves watchers from the history, the other offers victims again what had no room.
//!
//! ```text
//! sync loop     ─▶ lock ─▶ a round ─▶ unlock ─▶ pause
//! victim loop   ─▶ lock ─▶ all victims in hand ─▶ unlock ─▶ offer ─▶ lock ─▶ back to their groups ─▶ unlock ─▶ pause
//! ```
//!
//! While the store is closed neither does anything.

use seedbed_sim::actor::{Context, Event};
use seedbed_sim::time::Span;

use super::call_senders;
use crate::mvcc::message::{Lock, Phase, Timer};
use crate::mvcc::model::Mvcc;
use crate::mvcc::watch::{Limits, Round};
use crate::mvcc::{mark, point};

/// The pause after a round that has helped somebody and left others.
const SOON: Span = Span::ms(1);

/// Serves unsynced watchers.
#[derive(Clone, Debug)]
pub struct SyncLoop {
    interval: Span,
    limits: Limits,
}

impl SyncLoop {
    /// A loop with this pause between two rounds.
    #[must_use]
    pub fn new(interval: Span, limits: Limits) -> SyncLoop {
        SyncLoop { interval, limits }
    }

    pub(in crate::mvcc) fn on_event(&mut self, event: Event<Mvcc>, cx: &mut Context<'_, Mvcc>) {
        match event {
            Event::Boot => cx.arm(Timer::Sync, self.interval),
            Event::Timer(Timer::Sync) => match cx.shared().watched() {
                Some((.., hub)) if !hub.watch.groups().unsynced.is_empty() => cx.lock(Lock::Watch),
                _ => cx.arm(Timer::Sync, self.interval),
            },
            Event::Locked(Lock::Watch) => self.round(cx),
            Event::Stop => cx.stopped(),
            _ => {}
        }
    }

    fn round(&mut self, cx: &mut Context<'_, Mvcc>) {
        let Some((store, backend, hub)) = cx.shared().watched() else {
            cx.unlock(Lock::Watch);
            return cx.arm(Timer::Sync, self.interval);
        };
        let unsynced = hub.watch.groups().unsynced.len();
        let round = match hub.watch.sync(store, &*backend) {
            Ok(round) => round,
            Err(fatal) => return cx.abort(fatal.class()),
        };
        let left = hub.watch.groups().unsynced.len();
        cx.point(&point::WATCHERS_SYNCED);
        self.mark(round, unsynced, cx);
        cx.unlock(Lock::Watch);
        call_senders(cx);
        let soon = left > 0 && left < unsynced;
        cx.arm(Timer::Sync, if soon { SOON } else { self.interval });
    }

    fn mark(&self, round: Round, unsynced: usize, cx: &mut Context<'_, Mvcc>) {
        let seen = [
            (unsynced > self.limits.watchers, &mark::ROUND_FULL),
            (round.chosen > 1 && round.chosen == unsynced, &mark::ROUND_OF_ALL),
            (round.untold > 0, &mark::COMPACTED_MET_FULL),
            (round.compacted > 0, &mark::COMPACTED_TOLD),
            (round.cut > 0, &mark::BATCH_CUT),
        ];
        seen.into_iter().filter(|(seen, _)| *seen).for_each(|(_, mark)| cx.mark(mark));
    }
}

/// Serves victims.
#[derive(Clone, Debug)]
pub struct VictimLoop {
    interval: Span,
    /// Some are in hand, and have been offered what they have to be given.
    offered: bool,
}

impl VictimLoop {
    /// A loop with this pause between two rounds.
    #[must_use]
    pub fn new(interval: Span) -> VictimLoop {
        VictimLoop { interval, offered: false }
    }

    pub(in crate::mvcc) fn on_event(&mut self, event: Event<Mvcc>, cx: &mut Context<'_, Mvcc>) {
        match event {
            Event::Boot => self.rest(cx),
            Event::Timer(Timer::Victims) => self.begin(cx),
            Event::Locked(Lock::Watch) if self.offered => self.end(cx),
            Event::Locked(Lock::Watch) => self.take(cx),
            Event::Phase(Phase::Resend) => {
                if let Some(hub) = &mut cx.shared().hub {
                    hub.watch.resend();
                }
                call_senders(cx);
                self.offered = true;
                cx.lock(Lock::Watch);
            }
            Event::Stop => cx.stopped(),
            _ => {}
        }
    }

    fn rest(&mut self, cx: &mut Context<'_, Mvcc>) {
        cx.arm(Timer::Victims, self.interval);
    }

    fn begin(&mut self, cx: &mut Context<'_, Mvcc>) {
        let work = cx.shared().watched().is_some_and(|(.., hub)| {
            let groups = hub.watch.groups();
            !(groups.victims.is_empty() && groups.in_hand.is_empty())
        });
        if work { cx.lock(Lock::Watch) } else { self.rest(cx) }
    }

    fn take(&mut self, cx: &mut Context<'_, Mvcc>) {
        let watched = cx.shared().watched();
        let taken = watched.map_or(0, |(.., hub)| hub.watch.begin_victims());
        cx.point(&point::VICTIMS_TAKEN);
        cx.unlock(Lock::Watch);
        if taken > 0 { cx.yield_to(Phase::Resend) } else { self.rest(cx) }
    }

    /// Without an open store nobody knows where they belong; they stay in hand until the next round.
    fn end(&mut self, cx: &mut Context<'_, Mvcc>) {
        if let Some((store, _, hub)) = cx.shared().watched() {
            let current = store.current();
            self.offered = false;
            if hub.watch.end_victims(current) > 0 {
                cx.mark(&mark::VICTIM_CAUGHT_UP);
            }
        }
        cx.unlock(Lock::Watch);
        self.rest(cx);
    }
}
