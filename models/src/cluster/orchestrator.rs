//! The orchestrator: says which node has which vbucket, tells the nodes until they are so, moves vbuckets, and gives nodes
//! up. It is on a node that the nemesis leaves alone.
//!
//! ```text
//!                  master      new master    new replicas   map of clients
//!  build           active      follows       follow         as before
//!  offer           gives       follows       follow         as before
//!  take over       gives       takes         follow         as before
//!  publish         follows     active        follow         the new one
//! ```
//!
//! Every change of what anybody is to be is a new epoch, and the nodes serve by the last one that they know. So a move can
//! be taken back at any time: what a node has taken over meanwhile it has not served.

mod count;
mod failover;
mod moves;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use seedbed_sim::actor::{Context, Event, Outcome};
use seedbed_sim::id::{ActorId, OpId};
use seedbed_sim::time::{Span, Time};

use crate::client::map as client_map;
use crate::client::message::{Msg as ClientMsg, Progress};
use crate::client::op::Server;
use crate::vbucket::op::Vb;

use super::balance;
use super::bugs;
use super::map::{self, Chain, Part, Servers, Taking, View};
use super::mark;
use super::message::{Msg, Report, Timer};
use super::model::Node;
use super::note::{How, Note};
use super::op::{Change, Op};
use super::response::Ret;

/// Between two looks at those who have not done what they were told.
const LOOK: Span = Span::ms(60);
/// A vbucket that takes longer to move makes the rebalance fail.
const MOVE_PATIENCE: Span = Span::ms(4_000);
/// Counts that differ for longer are said to differ.
const COUNT_PATIENCE: Span = Span::ms(3_000);

/// How it goes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Vbuckets of the cluster.
    pub vbuckets: u8,
    /// Replicas of each.
    pub replicas: usize,
    /// The nodes that are in it at first.
    pub members: Servers,
    /// Vbuckets that move at once.
    pub lanes: u8,
}

/// The orchestrator.
#[derive(Clone, Debug)]
pub struct Orchestrator {
    agents: Arc<[ActorId]>,
    settings: Settings,
    /// The nodes of the cluster, and those that were given up.
    members: Servers,
    failed: Servers,
    epoch: u32,
    /// Who has which vbucket, and since which epoch.
    chains: Vec<Chain>,
    since: Vec<u32>,
    view: Arc<View>,
    map: client_map::Map,
    reports: Vec<Option<Arc<Report>>>,
    /// The nodes that have reported since somebody began to count.
    heard: Servers,
    rebalance: Option<Rebalance>,
    /// Whether the last rebalance was stopped.
    is_stopped: bool,
    /// Who was to be there after the rebalance that was stopped last.
    stopped: Option<Servers>,
    waits: Option<(OpId, Waits)>,
    /// What has become of the moves that tasks have asked for.
    ended: BTreeMap<(ActorId, u32), Progress>,
}

/// What an operation waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waits {
    /// So many percent.
    Percent(u8),
    /// The end of the rebalance.
    End,
    /// That counts agree; since when.
    Counts(Time),
}

/// A rebalance.
#[derive(Clone, Debug)]
struct Rebalance {
    /// The nodes of the cluster when it has finished.
    goal: Servers,
    pending: VecDeque<(Vb, Chain)>,
    moving: Vec<Moving>,
    total: usize,
    /// The task that wants it, if it is a single move.
    task: Option<(ActorId, u32, Vb, Server)>,
    is_swap: bool,
    goes_on: bool,
}

/// A vbucket that is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Moving {
    vb: Vb,
    to: Chain,
    lane: u8,
    /// The epoch since which its nodes are what they are.
    session: u32,
    stage: Stage,
    began: Time,
}

/// How far a vbucket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Whoever is to have it follows.
    Build,
    /// Its master is told that it is to give it away.
    Offer,
    /// Another node takes it.
    Take,
}

impl Orchestrator {
    /// The orchestrator of these nodes.
    #[must_use]
    pub fn new(agents: Arc<[ActorId]>, settings: Settings) -> Orchestrator {
        let Settings { vbuckets, replicas, members, .. } = settings;
        let chains = balance::dealt(vbuckets, members, replicas);
        let masters: Vec<Server> = chains.iter().map(|chain| chain.master).collect();
        let nothing = View { epoch: 0, members, masters: masters.into(), parts: Vec::new() };
        let (reports, since) = (vec![None; agents.len()], vec![1; chains.len()]);
        Orchestrator {
            agents,
            settings,
            members,
            failed: Servers::default(),
            epoch: 0,
            since,
            view: Arc::new(nothing),
            map: map::for_clients(1, &chains),
            chains,
            reports,
            heard: Servers::default(),
            rebalance: None,
            is_stopped: false,
            stopped: None,
            waits: None,
            ended: BTreeMap::new(),
        }
    }

    /// Who has which vbucket.
    #[must_use]
    pub fn chains(&self) -> &[Chain] {
        &self.chains
    }

    /// The last epoch.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// What everybody is to be.
    #[must_use]
    pub fn view(&self) -> &View {
        &self.view
    }

    /// Whether nothing moves.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.rebalance.is_none() && self.waits.is_none()
    }

    pub(super) fn on_event(&mut self, event: Event<Node>, cx: &mut Context<'_, Node>) {
        match event {
            Event::Boot => {
                self.publish(Vec::new(), cx);
                cx.arm(Timer::Plan, LOOK);
            }
            Event::Invoke { op, what } => self.invoke(op, &what, cx),
            Event::Message { from, msg } => match msg {
                Msg::Client(ClientMsg::AskMap(number)) => {
                    let told = ClientMsg::ToldMap(number, self.map.clone());
                    cx.send(from, Msg::Client(told));
                }
                Msg::Client(ClientMsg::Rebalance(number, vb, to)) => {
                    self.wanted((from, number), (vb, to), cx);
                }
                Msg::Report(report) => self.reported(report, cx),
                _ => {}
            },
            Event::Timer(Timer::Plan) => {
                cx.arm(Timer::Plan, LOOK);
                self.look(cx);
            }
            Event::Stop => cx.stopped(),
            _ => {}
        }
    }

    fn invoke(&mut self, op: OpId, what: &Op, cx: &mut Context<'_, Node>) {
        let ret = match *what {
            Op::Rebalance(change) => self.change(change, cx),
            Op::Failover(server) => self.fail_over(server, cx),
            Op::Stop(_) | Op::Finish if self.rebalance.is_none() => Ret::Refused,
            Op::Stop(percent) => return self.wait(op, Waits::Percent(percent), cx),
            Op::Finish => return self.wait(op, Waits::End, cx),
            Op::Count => {
                self.heard = Servers::default();
                return self.wait(op, Waits::Counts(cx.now()), cx);
            }
            Op::Client(_) | Op::Tap(_) => Ret::Refused,
        };
        cx.complete(op, Outcome::Ok(ret));
    }

    fn wait(&mut self, op: OpId, waits: Waits, cx: &mut Context<'_, Node>) {
        self.waits = Some((op, waits));
        self.look_at_waiting(cx);
    }

    /// Completes what waits, if that has come for which it waits.
    fn look_at_waiting(&mut self, cx: &mut Context<'_, Node>) {
        let Some((op, waits)) = self.waits else { return };
        let ret = match waits {
            Waits::Percent(percent) => {
                let done = self.rebalance.as_ref().map(Rebalance::percent);
                match done.filter(|done| *done >= percent.min(99)) {
                    Some(done) => {
                        self.stop(cx);
                        Ret::Stopped(done)
                    }
                    None => return,
                }
            }
            // The rebalance itself tells of its end.
            Waits::End => return,
            Waits::Counts(since) => match self.counts() {
                Some((active, replica)) => {
                    cx.mark(&mark::COUNTED);
                    let took = cx.now().since(since);
                    cx.note(Note::Counted(active, replica, took));
                    Ret::Counted(active, replica)
                }
                None if cx.now().since(since) > COUNT_PATIENCE => {
                    cx.note(Note::NotCounted(self.differing(), cx.now().since(since)));
                    Ret::NotCounted
                }
                None => return,
            },
        };
        self.waits = None;
        cx.complete(op, Outcome::Ok(ret));
    }

    /// A node says what it has come to be.
    fn reported(&mut self, report: Arc<Report>, cx: &mut Context<'_, Node>) {
        let at = usize::from(report.server.0);
        let known = self.reports[at].as_ref().map_or((0, 0), |known| (known.life, known.number));
        if known >= (report.life, report.number) {
            return;
        }
        let (server, is_new) = (report.server, report.life > known.0);
        self.reports[at] = Some(report);
        self.heard.0 |= 1 << server.0;
        self.go_on(cx);
        self.look_at_waiting(cx);
        if is_new {
            self.tell(server, cx);
        }
    }

    /// Whether a node has done what it was told; nothing if it has never said anything.
    fn obeys(&self, server: Server) -> Option<bool> {
        let report = self.reports[usize::from(server.0)].as_ref()?;
        Some(report.epoch == self.epoch)
    }

    /// How a vbucket stands on a node that has done what it was told since that epoch.
    fn stand(&self, server: Server, vb: Vb, since: u32) -> Option<&super::message::Stand> {
        let report = self.reports[usize::from(server.0)].as_ref()?;
        (report.epoch >= since).then(|| report.stand(vb)).flatten()
    }

    fn look(&mut self, cx: &mut Context<'_, Node>) {
        self.go_on(cx);
        self.look_at_waiting(cx);
        let is_busy = self.rebalance.is_some() || self.waits.is_some();
        for server in (0..).map(Server).take(self.agents.len()) {
            if is_busy || self.obeys(server) != Some(true) {
                self.tell(server, cx);
            }
        }
    }

    /// Tells a node what to be, if it has come to life: what is told to one life is nothing to the next.
    fn tell(&self, server: Server, cx: &mut Context<'_, Node>) {
        let at = usize::from(server.0);
        let Some(life) = self.reports[at].as_ref().map(|report| report.life) else { return };
        cx.send(self.agents[at], Msg::View(life, self.view.clone()));
    }

    /// A new epoch: everybody is told what to be from here on. These vbuckets have other masters than before.
    fn publish(&mut self, changes: Vec<(Vb, Server, How)>, cx: &mut Context<'_, Node>) {
        let promotes = changes.iter().any(|(.., how)| *how == How::Failover);
        if !promotes || !cx.bug(&bugs::PROMOTED_IN_ITS_EPOCH) {
            self.epoch += 1;
        }
        let masters: Vec<Server> = self.chains.iter().map(|chain| chain.master).collect();
        let masters: Arc<[Server]> = masters.into();
        let parts = self.parts();
        let view = View { epoch: self.epoch, members: self.members, masters, parts };
        self.map = map::for_clients(self.epoch, &self.chains);
        let replicas = self.replicas();
        cx.note(Note::Published(self.epoch, view.masters.clone(), changes, replicas));
        self.view = Arc::new(view);
        for server in (0..).map(Server).take(self.agents.len()) {
            self.tell(server, cx);
        }
    }

    /// How many replicas each vbucket has, if all have as many.
    fn replicas(&self) -> Option<u8> {
        let mut of = self.chains.iter().map(|chain| chain.followers().count());
        let first = of.next().filter(|first| of.all(|many| many == *first))?;
        u8::try_from(first).ok()
    }

    /// Who else has to do with each vbucket.
    fn parts(&self) -> Vec<Part> {
        let moving = self.rebalance.iter().flat_map(|rebalance| &rebalance.moving);
        let moving = moving.map(|moving| {
            let Moving { vb, to, lane, session, stage, .. } = *moving;
            let taking = Taking::offered(to.master, session, lane);
            let taking = match stage {
                Stage::Build => None,
                Stage::Offer => Some(taking),
                Stage::Take => Some(taking.begun()),
            };
            (vb, to, taking)
        });
        map::parts(&self.chains, moving)
    }

    /// Vbuckets are where the chain says from the next epoch on.
    fn place(&mut self, vb: Vb, chain: Chain) {
        let at = usize::from(vb.0);
        self.chains[at] = chain;
        self.since[at] = self.epoch + 1;
    }

    /// Something becomes of the nodes of the cluster, and a rebalance begins.
    fn change(&mut self, change: Change, cx: &mut Context<'_, Node>) -> Ret {
        if self.rebalance.is_some() {
            return Ret::Refused;
        }
        let known = |server: Server| usize::from(server.0) < self.agents.len();
        let is_free = |server| known(server) && !self.members.has(server);
        let joins = |server| is_free(server) && !self.failed.has(server);
        let one = |server: Server| 1 << server.0;
        let goal = match change {
            Change::In(server) if joins(server) => self.members.0 | one(server),
            Change::Out(server) if self.members.has(server) => self.members.0 & !one(server),
            Change::Swap(out, server) if self.members.has(out) && joins(server) => {
                self.members.0 & !one(out) | one(server)
            }
            Change::AddBack(server) if is_free(server) && self.failed.has(server) => {
                cx.mark(&mark::ADDED_BACK);
                self.members.0 | one(server)
            }
            Change::Nothing => self.members.0,
            _ => return Ret::Refused,
        };
        if goal == 0 {
            return Ret::Refused;
        }
        self.begin(Servers(goal), matches!(change, Change::Swap(..)), cx)
    }
}

impl Rebalance {
    /// How much is done.
    fn percent(&self) -> u8 {
        let left = self.pending.len() + self.moving.len();
        let done = (self.total - left) * 100 / self.total.max(1);
        u8::try_from(done).unwrap_or(100)
    }
}
