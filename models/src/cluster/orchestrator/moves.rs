//! Rebalance: one vbucket after the other is built where it is to be, taken over, and published.

use std::collections::VecDeque;

use seedbed_sim::actor::{Context, Outcome};
use seedbed_sim::id::ActorId;

use crate::client::message::{Msg as ClientMsg, Progress};
use crate::client::note::Note as ClientNote;
use crate::client::op::Server;
use crate::cluster::balance;
use crate::cluster::map::{Chain, Servers};
use crate::cluster::message::Msg;
use crate::cluster::model::Node;
use crate::cluster::note::{How, Note};
use crate::cluster::response::Ret;
use crate::cluster::{bugs, mark};
use crate::vbucket::op::{State, Vb};

use super::{MOVE_PATIENCE, Moving, Orchestrator, Rebalance, Stage, Waits};

impl Orchestrator {
    /// Begins to move what is not where it is to be, so that in the end the cluster is of these nodes.
    pub(super) fn begin(
        &mut self,
        goal: Servers,
        is_swap: bool,
        cx: &mut Context<'_, Node>,
    ) -> Ret {
        let chains = balance::balanced(&self.chains, goal, self.settings.replicas);
        // Those that leave have their vbuckets until these are elsewhere.
        self.members.0 |= goal.0;
        self.failed.0 &= !goal.0;
        let moves = (0..).map(Vb).zip(self.chains.iter().zip(chains));
        let pending = moves.filter(|(_, (old, new))| *old != new).map(|(vb, (_, new))| (vb, new));
        let pending: VecDeque<(Vb, Chain)> = pending.collect();
        let total = pending.len();
        self.is_stopped = false;
        let goes_on = self.stopped.take() == Some(goal) && total > 0;
        let (moving, task) = (Vec::new(), None);
        self.rebalance = Some(Rebalance { goal, pending, moving, total, task, is_swap, goes_on });
        self.publish(Vec::new(), cx);
        self.go_on(cx);
        Ret::Begun(u8::try_from(total).unwrap_or(u8::MAX))
    }

    /// A task wants a single vbucket to move, or wants to know how that stands.
    pub(super) fn wanted(
        &mut self,
        asker: (ActorId, u32),
        (vb, to): (Vb, Server),
        cx: &mut Context<'_, Node>,
    ) {
        let is_it = |of: &Rebalance| of.task.is_some_and(|task| (task.0, task.1) == asker);
        let progress = match (self.ended.get(&asker), &self.rebalance) {
            (Some(progress), _) => *progress,
            (None, Some(of)) if is_it(of) => Progress::Going(of.percent()),
            (None, _) => self.move_one(asker, (vb, to), cx),
        };
        cx.send(asker.0, Msg::Client(ClientMsg::Progress(asker.1, progress)));
    }

    /// Begins to move one vbucket, if nothing else moves.
    fn move_one(
        &mut self,
        asker: (ActorId, u32),
        (vb, to): (Vb, Server),
        cx: &mut Context<'_, Node>,
    ) -> Progress {
        let chain = self.chains.get(usize::from(vb.0)).copied();
        let is_member = self.members.has(to) && self.rebalance.is_none();
        let Some(old) = chain.filter(|_| is_member) else {
            return self.task_ended((asker.0, asker.1, vb, to), false, cx);
        };
        if old.master == to {
            return self.task_ended((asker.0, asker.1, vb, to), true, cx);
        }
        let others = old.followers().map(|server| if server == to { old.master } else { server });
        let others: Vec<Server> = others.collect();
        let pending = VecDeque::from([(vb, Chain::of(to, &others))]);
        self.rebalance = Some(Rebalance {
            goal: self.members,
            pending,
            moving: Vec::new(),
            total: 1,
            task: Some((asker.0, asker.1, vb, to)),
            is_swap: false,
            goes_on: false,
        });
        self.go_on(cx);
        Progress::Going(0)
    }

    fn task_ended(
        &mut self,
        (actor, number, vb, to): (ActorId, u32, Vb, Server),
        is_done: bool,
        cx: &mut Context<'_, Node>,
    ) -> Progress {
        let progress = if is_done { Progress::Done } else { Progress::Failed };
        self.ended.insert((actor, number), progress);
        let note = ClientNote::Moved(Some((actor, number)), vb, to, is_done);
        cx.note(Note::Client(note));
        progress
    }

    /// Looks how the moves stand, and does what comes next.
    pub(super) fn go_on(&mut self, cx: &mut Context<'_, Node>) {
        let Some(mut rebalance) = self.rebalance.take() else { return };
        let (mut changes, mut has_changed) = (Vec::new(), false);
        let mut left = Vec::with_capacity(rebalance.moving.len());
        let mut is_late = false;
        for mut moving in std::mem::take(&mut rebalance.moving) {
            is_late |= cx.now().since(moving.began) > MOVE_PATIENCE;
            if is_late && cx.bug(&bugs::LATE_MOVE_LEFT_OUT) {
                (is_late, has_changed) = (false, true);
                continue;
            }
            let is_early = cx.bug(&bugs::PUBLISHED_BEFORE_TAKEN);
            let old = self.chains[usize::from(moving.vb.0)].master;
            let (next, is_over) = match moving.stage {
                Stage::Build if !self.is_built(moving) => (Stage::Build, false),
                Stage::Build => (Stage::Offer, moving.to.master == old || is_early),
                Stage::Offer if !self.knows(old, moving.session) => (Stage::Offer, false),
                Stage::Offer => (Stage::Take, false),
                Stage::Take => (Stage::Take, self.is_taken(moving)),
            };
            if next != moving.stage {
                (moving.stage, moving.session) = (next, self.epoch + 1);
                has_changed = true;
            }
            if is_over {
                if moving.to.master != old {
                    changes.push((moving.vb, moving.to.master, How::Taken));
                }
                self.place(moving.vb, moving.to);
                has_changed = true;
            } else {
                left.push(moving);
            }
        }
        rebalance.moving = left;
        if !self.is_stopped || !cx.bug(&bugs::STOPPED_NOT_ENDED) {
            has_changed |= self.fill_lanes(&mut rebalance, cx);
        }
        let is_over = rebalance.moving.is_empty() && rebalance.pending.is_empty();
        self.rebalance = Some(rebalance);
        if is_over {
            return self.finish(changes, cx);
        }
        if has_changed {
            self.publish(changes, cx);
        }
        if is_late {
            cx.mark(&mark::REBALANCE_FAILED);
            self.end_moves(false, cx);
        }
    }

    /// Begins with the next vbuckets; whether there is one.
    fn fill_lanes(&mut self, rebalance: &mut Rebalance, cx: &mut Context<'_, Node>) -> bool {
        let mut has_changed = false;
        while rebalance.moving.len() < usize::from(self.settings.lanes) {
            let free = (0..self.settings.lanes)
                .find(|lane| rebalance.moving.iter().all(|moving| moving.lane != *lane));
            let (Some(lane), Some((vb, to))) = (free, rebalance.pending.pop_front()) else { break };
            let (session, began) = (self.epoch + 1, cx.now());
            rebalance.moving.push(Moving { vb, to, lane, session, stage: Stage::Build, began });
            has_changed = true;
        }
        has_changed
    }

    /// Whether everybody who is to have a vbucket has everything.
    fn is_built(&self, moving: Moving) -> bool {
        let master = self.chains[usize::from(moving.vb.0)].master;
        let mut all = moving.to.followers().chain([moving.to.master]);
        all.all(|server| {
            let stand = self.stand(server, moving.vb, moving.session);
            server == master
                || stand.is_some_and(|stand| stand.state == State::Replica && stand.is_filled)
        })
    }

    /// Whether a node has done what it was told in this epoch.
    fn knows(&self, server: Server, epoch: u32) -> bool {
        let report = self.reports[usize::from(server.0)].as_ref();
        report.is_some_and(|report| report.epoch >= epoch)
    }

    /// Whether the new master has taken a vbucket over, for good.
    pub(super) fn is_taken(&self, moving: Moving) -> bool {
        let stand = self.stand(moving.to.master, moving.vb, moving.session);
        moving.stage == Stage::Take
            && stand.is_some_and(|stand| stand.state == State::Active && stand.is_saved)
    }

    /// Everything is in its place.
    fn finish(&mut self, changes: Vec<(Vb, Server, How)>, cx: &mut Context<'_, Node>) {
        let Some(rebalance) = self.rebalance.take() else { return };
        self.members = rebalance.goal;
        self.publish(changes, cx);
        if let Some(task) = rebalance.task {
            cx.mark(&mark::MOVED_ALONE);
            self.task_ended(task, true, cx);
        } else {
            cx.mark(&mark::REBALANCED);
            if rebalance.is_swap {
                cx.mark(&mark::SWAPPED);
            }
            if rebalance.goes_on {
                cx.mark(&mark::CONTINUED);
            }
            let replicas = u8::try_from(self.settings.replicas).expect("a few");
            cx.note(Note::Finished(self.chains.clone(), self.members, replicas));
        }
        self.tell_end(true, cx);
    }

    /// Somebody wants the rebalance to stop.
    pub(super) fn stop(&mut self, cx: &mut Context<'_, Node>) {
        self.is_stopped = true;
        self.stopped = self.rebalance.as_ref().map(|rebalance| rebalance.goal);
        cx.mark(&mark::STOPPED);
        if cx.bug(&bugs::STOPPED_IN_ITS_EPOCH) {
            self.rebalance = None;
            let (members, masters) = (self.members, self.view.masters.clone());
            let view = super::View { epoch: self.epoch, members, masters, parts: self.parts() };
            self.view = std::sync::Arc::new(view);
            return;
        }
        self.end_moves(true, cx);
    }

    /// Ends the rebalance where it stands: what is on its way goes back.
    pub(super) fn end_moves(&mut self, is_stopped: bool, cx: &mut Context<'_, Node>) {
        let Some(mut rebalance) = self.rebalance.take() else { return };
        if rebalance.moving.iter().any(|moving| moving.stage == Stage::Take) {
            cx.mark(&mark::TAKEN_BACK);
        }
        // Who was about to leave stays as long as there is something on it.
        let used = self.chains.iter().flat_map(|chain| chain.followers().chain([chain.master]));
        self.members = Servers(rebalance.goal.0 | Servers::of(used).0);
        self.publish(Vec::new(), cx);
        if is_stopped && cx.bug(&bugs::STOPPED_NOT_ENDED) {
            let moving = std::mem::take(&mut rebalance.moving);
            rebalance.pending.extend(moving.into_iter().map(|moving| (moving.vb, moving.to)));
            self.rebalance = Some(rebalance);
            return;
        }
        if let Some(task) = rebalance.task {
            self.task_ended(task, false, cx);
        }
        if !is_stopped {
            self.tell_end(false, cx);
        }
    }

    /// Who waits for the end of the rebalance is told.
    fn tell_end(&mut self, is_done: bool, cx: &mut Context<'_, Node>) {
        let is_told = |waits: &Waits| matches!(waits, Waits::End | Waits::Percent(_));
        if let Some((op, _)) = self.waits.take_if(|(_, waits)| is_told(waits)) {
            cx.complete(op, Outcome::Ok(Ret::Ended(is_done)));
        }
    }
}
