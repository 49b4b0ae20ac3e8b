//! The keeper of the map: says which data node has which vbucket, and moves vbuckets between them.
//!
//! ```text
//!            master            other node
//!  feed      active, feeds     replica          the other has everything once
//!  drain     dead, feeds       replica          and what came meanwhile
//!  hand over dead              active           clients get the new map
//! ```
//!
//! It stands in for the cluster manager. Orders are for one life of a node, and later ones replace earlier ones, so that
//! it does no harm if they are lost, or come late, or twice.

mod duties;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use seedbed_sim::actor::{Context, Event, Outcome};
use seedbed_sim::id::{ActorId, OpId};
use seedbed_sim::time::{Span, Time};

use crate::vbucket::op::Vb;

use super::map::{Map, Place};
use super::message::{Msg, Orders, Progress, Report, Timer};
use super::model::{Book, Peer};
use super::note::Note;
use super::op::{Op, Server};
use super::response::Ret;
use super::{bugs, mark};

/// Between two looks at those who have not done what they were told.
const LOOK: Span = Span::ms(30);
/// A move that takes longer has failed.
const MOVE_PATIENCE: Span = Span::ms(400);

/// The keeper.
#[derive(Clone, Debug)]
pub struct Keeper {
    book: Arc<Book>,
    map: Map,
    /// Of the orders that hold.
    epoch: u32,
    /// By the number of the vbucket: since when the follower follows.
    sessions: Vec<u32>,
    /// By the number of the node.
    lives: Vec<Option<u32>>,
    reports: Vec<Option<Arc<Report>>>,
    moving: Option<Moving>,
    waiting: VecDeque<Move>,
    /// What has become of the moves that tasks have asked for.
    ended: BTreeMap<(ActorId, u32), Progress>,
}

/// A move that somebody wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Move {
    vb: Vb,
    to: Server,
    asker: Asker,
}

/// Who wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asker {
    Operation(OpId),
    Task(ActorId, u32),
}

/// The move that goes on.
#[derive(Clone, Copy, Debug)]
struct Moving {
    what: Move,
    is_draining: bool,
    since: Time,
}

impl Keeper {
    /// The keeper of this first map.
    #[must_use]
    pub fn new(map: Map, book: Arc<Book>) -> Keeper {
        let servers = book.doors.len();
        Keeper {
            book,
            epoch: map.epoch,
            sessions: vec![map.epoch; map.places.len()],
            map,
            lives: vec![None; servers],
            reports: vec![None; servers],
            moving: None,
            waiting: VecDeque::new(),
            ended: BTreeMap::new(),
        }
    }

    /// The map that clients are told.
    #[must_use]
    pub fn map(&self) -> &Map {
        &self.map
    }

    /// Whether every node that is there has done what it was told, and nothing moves.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let all = (0_u8..).map(Server).take(self.lives.len());
        self.moving.is_none() && self.waiting.is_empty() && all.into_iter().all(|s| self.obeys(s))
    }

    pub(super) fn on_event(&mut self, event: Event<Peer>, cx: &mut Context<'_, Peer>) {
        match event {
            Event::Invoke { op, what } => self.invoke(op, &what, cx),
            Event::Message { from, msg } => match msg {
                Msg::AskMap(number) => cx.send(from, Msg::ToldMap(number, self.map.clone())),
                Msg::Hello(server, life) => self.greeted(server, life, cx),
                Msg::Report(report) => self.reported(report, cx),
                Msg::Rebalance(number, vb, to) => self.wanted(from, number, (vb, to), cx),
                _ => {}
            },
            Event::Timer(Timer::Look) => self.look(cx),
            Event::Stop => cx.stopped(),
            _ => {}
        }
    }

    fn invoke(&mut self, op: OpId, what: &Op, cx: &mut Context<'_, Peer>) {
        match *what {
            Op::Move(vb, to) => self.enqueue((vb, to), Asker::Operation(op), cx),
            Op::Failover(vb) => {
                let is_done = self.failover(vb, cx);
                cx.complete(op, Outcome::Ok(Ret::Moved(is_done)));
            }
            _ => cx.complete(op, Outcome::Ok(Ret::Refused)),
        }
    }

    /// A task wants a move, or wants to know how it stands.
    fn wanted(
        &mut self,
        from: ActorId,
        number: u32,
        what: (Vb, Server),
        cx: &mut Context<'_, Peer>,
    ) {
        let asker = Asker::Task(from, number);
        let is_it = |wanted: &Move| wanted.asker == asker;
        let progress = match self.ended.get(&(from, number)) {
            Some(progress) => *progress,
            None if self.waiting.iter().any(is_it) => Progress::Going(0),
            None => match self.moving.filter(|moving| is_it(&moving.what)) {
                Some(moving) if moving.is_draining => Progress::Going(60),
                Some(_) => Progress::Going(20),
                None => {
                    self.enqueue(what, asker, cx);
                    Progress::Going(0)
                }
            },
        };
        cx.send(from, Msg::Progress(number, progress));
    }

    fn enqueue(&mut self, (vb, to): (Vb, Server), asker: Asker, cx: &mut Context<'_, Peer>) {
        self.waiting.push_back(Move { vb, to, asker });
        self.begin(cx);
    }

    /// Begins the next move.
    fn begin(&mut self, cx: &mut Context<'_, Peer>) {
        while self.moving.is_none() {
            let Some(what) = self.waiting.pop_front() else { return };
            let Move { vb, to, .. } = what;
            let is_there = usize::from(to.0) < self.lives.len() && vb.0 < self.map.vbuckets();
            if !is_there {
                self.ended(what, false, cx);
            } else if self.map.place(vb).master == to {
                self.ended(what, true, cx);
            } else {
                self.moving = Some(Moving { what, is_draining: false, since: cx.now() });
                if self.map.place(vb).replica != Some(to) {
                    self.sessions[usize::from(vb.0)] = self.epoch + 1;
                }
                self.order(cx);
            }
        }
    }

    /// Takes a look at how the move stands.
    fn go_on(&mut self, cx: &mut Context<'_, Peer>) {
        let Some(moving) = &mut self.moving else { return };
        let what = moving.what;
        let master = self.map.place(what.vb).master;
        let report = self.reports[usize::from(master.0)].as_ref();
        let is_fed = report.is_some_and(|report| {
            report.epoch == self.epoch && report.fed.get(usize::from(what.vb.0)) == Some(&true)
        });
        if !is_fed {
            if cx.now().since(moving.since) > MOVE_PATIENCE {
                cx.mark(&mark::MOVE_FAILED);
                self.moving = None;
                self.sessions[usize::from(what.vb.0)] = self.epoch + 1;
                self.order(cx);
                self.ended(what, false, cx);
                self.begin(cx);
            }
            return;
        }
        if !moving.is_draining && !cx.bug(&bugs::NOT_DRAINED) {
            moving.is_draining = true;
            return self.order(cx);
        }
        let Place { master, replica } = self.map.place(what.vb);
        let replica = replica.map(|replica| if replica == what.to { master } else { replica });
        self.moving = None;
        self.hand_over(what.vb, Place { master: what.to, replica }, cx);
        cx.mark(&mark::MOVED);
        self.ended(what, true, cx);
        self.begin(cx);
    }

    /// The map of the next epoch.
    fn hand_over(&mut self, vb: Vb, place: Place, cx: &mut Context<'_, Peer>) {
        cx.note(Note::Given(vb, place.master));
        self.sessions[usize::from(vb.0)] = self.epoch + 1;
        let map = self.map.with(vb, place);
        self.map = Map { epoch: self.epoch + 1, ..map };
        self.order(cx);
    }

    fn failover(&mut self, vb: Vb, cx: &mut Context<'_, Peer>) -> bool {
        if vb.0 >= self.map.vbuckets() || self.moving.is_some_and(|moving| moving.what.vb == vb) {
            return false;
        }
        let Place { master, replica: Some(replica) } = self.map.place(vb) else { return false };
        let at = usize::from(replica.0);
        let has_all = self.reports[at].as_ref().is_some_and(|report| {
            self.lives[at] == Some(report.life)
                && report.epoch >= self.sessions[usize::from(vb.0)]
                && report.copied.get(usize::from(vb.0)) == Some(&true)
        });
        if has_all {
            cx.note(Note::Failover(vb));
            cx.mark(&mark::FAILED_OVER);
            self.hand_over(vb, Place { master: replica, replica: Some(master) }, cx);
        }
        has_all
    }

    fn ended(&mut self, what: Move, is_done: bool, cx: &mut Context<'_, Peer>) {
        let task = match what.asker {
            Asker::Operation(_) => None,
            Asker::Task(task, number) => Some((task, number)),
        };
        cx.note(Note::Moved(task, what.vb, what.to, is_done));
        match what.asker {
            Asker::Operation(op) => cx.complete(op, Outcome::Ok(Ret::Moved(is_done))),
            Asker::Task(task, number) => {
                let progress = if is_done { Progress::Done } else { Progress::Failed };
                self.ended.insert((task, number), progress);
            }
        }
    }

    /// A node has come to life. Who followed has to begin anew.
    fn greeted(&mut self, server: Server, life: u32, cx: &mut Context<'_, Peer>) {
        let at = usize::from(server.0);
        if self.lives[at].is_some_and(|known| known > life) {
            return;
        }
        if self.lives[at] != Some(life) {
            self.lives[at] = Some(life);
            self.reports[at] = None;
            let follows = (0..).map(Vb).take(self.sessions.len());
            let follows: Vec<Vb> =
                follows.filter(|vb| self.follower(*vb) == Some(server)).collect();
            if !follows.is_empty() && life > 1 {
                for vb in follows {
                    self.sessions[usize::from(vb.0)] = self.epoch + 1;
                }
                return self.order(cx);
            }
        }
        self.tell(server, cx);
        cx.arm(Timer::Look, LOOK);
    }

    fn reported(&mut self, report: Arc<Report>, cx: &mut Context<'_, Peer>) {
        let at = usize::from(report.server.0);
        let known = self.reports[at].as_ref().map_or(0, |known| known.epoch);
        if self.lives[at] == Some(report.life) && known <= report.epoch {
            self.reports[at] = Some(report);
            self.go_on(cx);
        }
    }

    /// Everybody is told what is to be from here on.
    fn order(&mut self, cx: &mut Context<'_, Peer>) {
        self.epoch += 1;
        for server in (0_u8..).map(Server).take(self.lives.len()) {
            self.tell(server, cx);
        }
        cx.arm(Timer::Look, LOOK);
    }

    fn tell(&self, server: Server, cx: &mut Context<'_, Peer>) {
        let Some(life) = self.lives[usize::from(server.0)] else { return };
        let orders = Orders { epoch: self.epoch, life, duties: self.duties(server) };
        cx.send(self.book.carriers[usize::from(server.0)], Msg::Orders(Arc::new(orders)));
    }

    /// Whether a node has done what it was told.
    fn obeys(&self, server: Server) -> bool {
        let at = usize::from(server.0);
        self.reports[at].as_ref().is_some_and(|report| report.epoch == self.epoch)
    }

    fn look(&mut self, cx: &mut Context<'_, Peer>) {
        self.go_on(cx);
        let master = self.moving.map(|moving| self.map.place(moving.what.vb).master);
        let mut is_settled = self.moving.is_none();
        for server in (0_u8..).map(Server).take(self.lives.len()) {
            let obeys = self.obeys(server);
            if !obeys || master == Some(server) {
                self.tell(server, cx);
            }
            is_settled &= obeys || self.lives[usize::from(server.0)].is_none();
        }
        if !is_settled && !cx.bug(&bugs::TOLD_ONCE) {
            cx.arm(Timer::Look, LOOK);
        }
    }
}
