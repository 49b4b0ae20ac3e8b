//! The agent of a data node: makes of it what the orchestrator says, and tells what has come of it.
//!
//! ```text
//!  view ──▶ known at once: the node serves nothing that it does not own by it
//!           ──▶ let go of streams ──▶ states of vbuckets, by the front end ──▶ follow streams ──▶ report
//! ```
//!
//! It does so again whenever something is not as the view says, whatever the reason.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use seedbed_sim::actor::{Context, Event};
use seedbed_sim::id::{ActorId, OpId};
use seedbed_sim::time::Span;

use crate::checkpoint::op::CheckpointId;
use crate::client::op::Server;
use crate::tap::frame::Name;
use crate::tap::message::{Msg as TapMsg, Order, Orders};
use crate::tap::model::Post;
use crate::vbucket::message::{AskId, Msg as NodeMsg};
use crate::vbucket::op::{Call, Request, State, Vb};
use crate::vbucket::response::Answer;

use super::map::{Duty, NODES_MAX, VBUCKETS_MAX, View};
use super::message::{Msg, Report, Stand, Timer};
use super::model::Node;
use super::note::Note;
use super::{bugs, mark, point};

/// Between two looks.
const LOOK: Span = Span::ms(100);
/// Streams by which vbuckets move from one node to another.
pub const LANES: u8 = 4;

/// An agent.
#[derive(Clone, Debug)]
pub struct Agent {
    server: Server,
    post: Post,
    /// The senders of all data nodes.
    senders: Arc<[ActorId]>,
    orchestrator: ActorId,
    is_loaded: bool,
    /// The last view that was carried out, and whether the streams are followed as it says.
    epoch: u32,
    follows: bool,
    /// Of what was asked of the front end; and how much of it was not answered.
    asks: u32,
    open: u32,
    /// Since when each vbucket is being taken over.
    sessions: BTreeMap<Vb, u32>,
    /// Vbuckets that were something in this life: a bit each.
    used: u64,
    orders: u64,
    reports: u32,
    /// Whom it followed first. Only a planted bug looks at it.
    followed: BTreeMap<Vb, Server>,
    /// What it counted first in each replica. Only a planted bug looks at it.
    counted: BTreeMap<Vb, u64>,
}

impl Agent {
    /// The agent of this node.
    #[must_use]
    pub fn new(
        server: Server,
        post: Post,
        senders: Arc<[ActorId]>,
        orchestrator: ActorId,
    ) -> Agent {
        Agent {
            server,
            post,
            senders,
            orchestrator,
            is_loaded: false,
            epoch: 0,
            follows: false,
            asks: 0,
            open: 0,
            sessions: BTreeMap::new(),
            used: 0,
            orders: 0,
            reports: 0,
            followed: BTreeMap::new(),
            counted: BTreeMap::new(),
        }
    }

    /// Its node.
    #[must_use]
    pub fn server(&self) -> Server {
        self.server
    }

    /// The last view that it has carried out.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    pub(super) fn on_event(&mut self, event: Event<Node>, cx: &mut Context<'_, Node>) {
        match event {
            Event::Message { from, msg: Msg::Tap(TapMsg::Data(msg)) } => match msg {
                NodeMsg::Loaded => {
                    self.is_loaded = true;
                    self.report(cx);
                    cx.arm(Timer::Look, LOOK);
                }
                NodeMsg::Answer(id, answer) if from == self.post.data.front => {
                    self.answered(id, &answer, cx);
                }
                _ => {}
            },
            Event::Message { msg: Msg::View(life, view), .. } if life == cx.incarnation().0 => {
                self.told(view, cx);
            }
            Event::Timer(Timer::Look) => {
                cx.arm(Timer::Look, LOOK);
                if cx.shared().view.is_none() {
                    return self.report(cx);
                }
                self.obey(cx);
            }
            Event::Stop => {
                self.is_loaded = false;
                cx.disarm(Timer::Look);
                cx.stopped();
            }
            _ => {}
        }
    }

    /// Takes a view. Whether or not it can be carried out at once, the node serves by it from here on.
    fn told(&mut self, view: Arc<View>, cx: &mut Context<'_, Node>) {
        if !self.is_loaded {
            return;
        }
        let known = cx.shared().view.as_ref().map_or(0, |known| known.epoch);
        if known > view.epoch {
            return;
        }
        if known == view.epoch {
            return if self.epoch == known { self.report(cx) } else { self.obey(cx) };
        }
        let (epoch, masters) = (view.epoch, view.masters.clone());
        cx.note(Note::Learned(epoch, masters));
        cx.shared().view = Some(view);
        self.follows = false;
        cx.point(&point::LEARNED);
        self.obey(cx);
    }

    /// Does what is left to do, unless the front end is still at it.
    fn obey(&mut self, cx: &mut Context<'_, Node>) {
        let Some(view) = cx.shared().view.clone() else { return };
        if self.open > 0 || !self.is_loaded {
            return;
        }
        let mut anew = BTreeSet::new();
        let steps = self.steps(&view, &mut anew, cx);
        // What becomes something else begins anew as a follower, too; and so does what is taken over by another attempt:
        // what is still on its way by an earlier one must not come.
        anew.extend(steps.iter().map(|call| call.vb(u8::MAX)));
        if !anew.is_empty() {
            self.follow(&view, &anew, cx);
            self.follows = false;
        }
        if steps.is_empty() {
            return self.obeyed(&view, cx);
        }
        for call in steps {
            self.asks += 1;
            self.open += 1;
            let op = OpId { client: cx.me(), number: self.asks };
            let request = Arc::new(Request { call, cas: 0 });
            let ask = NodeMsg::Ask(AskId { op, attempt: 1 }, request);
            cx.send(self.post.data.front, Msg::Tap(TapMsg::Data(ask)));
        }
    }

    /// What the front end is to be asked; and what is to be taken over by another attempt than before.
    fn steps(
        &mut self,
        view: &View,
        anew: &mut BTreeSet<Vb>,
        cx: &mut Context<'_, Node>,
    ) -> Vec<Call> {
        let mut steps = Vec::new();
        let mut states = [None; VBUCKETS_MAX];
        for (vb, of) in &cx.shared().tap.data.vbs {
            states[usize::from(vb.0)] = Some(of.standing.state);
        }
        for (vb, state) in view.vbs().zip(states) {
            let (duty, bit) = (view.duty(self.server, vb), 1 << vb.0);
            if duty != Duty::Nothing || state.is_some_and(|state| state != State::Dead) {
                self.used |= bit;
            }
            let is_new = match duty {
                Duty::Take(_, taking) => {
                    self.sessions.insert(vb, taking.session) != Some(taking.session)
                }
                _ if self.sessions.is_empty() => false,
                _ => {
                    self.sessions.remove(&vb);
                    false
                }
            };
            if is_new {
                anew.insert(vb);
                if state == Some(State::Active) {
                    cx.mark(&mark::TAKEN_ANEW);
                }
            }
            let is_idle = matches!(duty, Duty::Replica(_) | Duty::Nothing);
            let stays = is_idle && cx.bug(&bugs::RETURNS_AS_MASTER);
            let is_revived = duty == Duty::Give && cx.bug(&bugs::DEAD_REVIVED);
            let duty = if is_revived { Duty::Active } else { duty };
            match becomes(duty, state, is_new) {
                Some(_) if stays && state == Some(State::Active) => {}
                Some(next) => steps.push(Call::State(vb, next)),
                // Who was given up keeps what is there: nobody could tell it to do anything else.
                None if duty == Duty::Nothing
                    && state.is_some()
                    && view.members.has(self.server)
                    && self.used & bit != 0 =>
                {
                    self.used &= !bit;
                    steps.push(Call::Drop(vb));
                }
                None => {}
            }
        }
        steps
    }

    fn answered(&mut self, id: AskId, answer: &Answer, cx: &mut Context<'_, Node>) {
        if id.op.client != cx.me() || self.open == 0 {
            return;
        }
        self.open -= 1;
        // What could not be done now is looked at again later.
        if self.open == 0 && *answer != Answer::TemporaryFailure {
            self.obey(cx);
        }
    }

    /// Everything is as the view says.
    fn obeyed(&mut self, view: &View, cx: &mut Context<'_, Node>) {
        if self.follows && self.epoch == view.epoch {
            return;
        }
        self.follow(view, &BTreeSet::new(), cx);
        self.follows = true;
        self.epoch = view.epoch;
        cx.shared().client.is_admitted = true;
        cx.point(&point::OBEYED);
        self.report(cx);
    }

    /// Has the receiver of this node follow what the view says, but for these vbuckets.
    fn follow(&mut self, view: &View, but: &BTreeSet<Vb>, cx: &mut Context<'_, Node>) {
        let mut streams: BTreeMap<Name, Order> = BTreeMap::new();
        for vb in view.vbs().filter(|vb| !but.contains(vb)) {
            let (from, lane) = match view.duty(self.server, vb) {
                Duty::Replica(from) if cx.bug(&bugs::FORMER_MASTER_FOLLOWED) => {
                    (*self.followed.entry(vb).or_insert(from), None)
                }
                Duty::Replica(from) => (from, None),
                Duty::Take(from, taking) => (from, Some(taking.lane)),
                Duty::Nothing | Duty::Active | Duty::Give => continue,
            };
            let Some(sender) = self.senders.get(usize::from(from.0)) else { continue };
            let name = stream(from, self.server, lane);
            let is_takeover = lane.is_some();
            let fresh = || Order { name, sender: *sender, vbs: Vec::new(), is_takeover };
            streams.entry(name).or_insert_with(fresh).vbs.push(vb);
        }
        self.orders += 1;
        let orders = Orders { streams: streams.into_values().collect(), replicas: Vec::new() };
        let msg = TapMsg::Follow(self.orders, Arc::new(orders));
        cx.send(self.post.receiver, Msg::Tap(msg));
    }

    fn report(&mut self, cx: &mut Context<'_, Node>) {
        if !self.is_loaded {
            return;
        }
        self.reports += 1;
        if cx.bug(&bugs::REPLICA_COUNTED_ONCE) {
            self.count_once(cx);
        }
        let vbs = cx.shared().tap.data.vbs.iter();
        let used = vbs.filter(|(_, of)| of.standing.state != State::Dead || of.counters.items > 0);
        let stands = used.map(|(vb, of)| Stand {
            vb: *vb,
            state: of.standing.state,
            is_saved: of.is_saved(),
            is_filled: of.log.open_id() != CheckpointId::BACKFILL,
            items: small(self.counted.get(vb).copied().unwrap_or(of.counters.items)),
            queued: small(of.queue_size()),
        });
        let stands = stands.collect();
        let (life, number, epoch) = (cx.incarnation().0, self.reports, self.epoch);
        let report = Report { server: self.server, life, number, epoch, stands };
        cx.send(self.orchestrator, Msg::Report(Arc::new(report)));
    }

    /// Counts the replicas that it has not counted since they were filled.
    fn count_once(&mut self, cx: &mut Context<'_, Node>) {
        for (vb, of) in &cx.shared().tap.data.vbs {
            let is_filled = of.log.open_id() != CheckpointId::BACKFILL;
            if of.standing.state != State::Replica || !is_filled {
                self.counted.remove(vb);
                continue;
            }
            self.counted.entry(*vb).or_insert(of.counters.items);
        }
    }
}

/// The state that a vbucket comes to have by a duty, if that is another one; where it is taken over by a new attempt, what
/// has come of earlier ones is over.
fn becomes(duty: Duty, state: Option<State>, is_new: bool) -> Option<State> {
    let fits = match (duty, state) {
        (Duty::Active, state) => state == Some(State::Active),
        // It dies when it has almost everything given away, and by itself.
        (Duty::Give, state) => matches!(state, Some(State::Active | State::Dead)),
        (Duty::Replica(_), state) => state == Some(State::Replica),
        (Duty::Take(..), Some(State::Active | State::Pending)) => !is_new,
        (Duty::Take(..), state) => state == Some(State::Replica),
        (Duty::Nothing, state) => matches!(state, None | Some(State::Dead)),
    };
    let wanted = match duty {
        Duty::Active | Duty::Give => State::Active,
        Duty::Replica(_) | Duty::Take(..) => State::Replica,
        Duty::Nothing => State::Dead,
    };
    (!fits).then_some(wanted)
}

fn small(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// What a stream from one node to another is called. Streams by which vbuckets move are told apart by their lanes.
#[must_use]
pub fn stream(from: Server, to: Server, lane: Option<u8>) -> Name {
    let pair = from.0 * NODES_MAX + to.0;
    let pairs = NODES_MAX * NODES_MAX;
    Name(lane.map_or(pair, |lane| pairs + pair * LANES + lane))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::map::Taking;

    #[test]
    fn a_vbucket_becomes_what_the_duty_of_its_node_is() {
        let states = [State::Active, State::Replica, State::Pending, State::Dead].map(Some);
        let all = |duty, is_new| states.map(|state| becomes(duty, state, is_new));
        let (active, replica, dead) =
            (Some(State::Active), Some(State::Replica), Some(State::Dead));
        let master = Server(0);
        assert_eq!(all(Duty::Active, false), [None, active, active, active]);
        assert_eq!(all(Duty::Give, false), [None, active, active, None]);
        assert_eq!(all(Duty::Replica(master), false), [replica, None, replica, replica]);
        assert_eq!(all(Duty::Nothing, false), [dead, dead, dead, None]);
        let take = Duty::Take(master, Taking::offered(Server(1), 3, 0).begun());
        assert_eq!(all(take, false), [None, None, None, replica]);
        assert_eq!(all(take, true), [replica, None, replica, replica]);
        assert_eq!(becomes(Duty::Nothing, None, false), None);
        assert_eq!(becomes(take, None, false), replica);
    }

    #[test]
    fn no_two_streams_have_the_same_name() {
        let servers = || (0..NODES_MAX).map(Server);
        let pairs = servers().flat_map(|from| servers().map(move |to| (from, to)));
        let lanes = [None, Some(0), Some(1), Some(2), Some(3)];
        let names: BTreeSet<Name> =
            pairs.flat_map(|(from, to)| lanes.map(move |lane| stream(from, to, lane))).collect();
        assert_eq!(names.len(), usize::from(NODES_MAX * NODES_MAX) * lanes.len());
    }
}
