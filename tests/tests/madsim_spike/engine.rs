//! A second engine in small. Every actor is a task on a madsim node and keeps its own state; madsim's clock says when
//! something is due, and its kill and restart end and begin the lives of nodes. What effects do is the world's.
//!
//! ```text
//!   dispatcher ──sleep_until──▶ begin ──inbox──▶ task of the actor ──finish──▶ ended ──▶ dispatcher
//! ```

use madsim::runtime::{Handle, NodeHandle, Runtime};
use madsim::time::{TimeHandle, sleep_until};
use seedbed_sim::actor::Actor;
use seedbed_sim::check::Scenario;
use seedbed_sim::choose::{Decision, Key};
use seedbed_sim::engine::{Options, Progress, Report, Simulation};
use seedbed_sim::id::{ActorId, Incarnation, NodeId};
use seedbed_sim::nemesis::Plan;
use seedbed_sim::time::Time;
use seedbed_sim::world::{Begun, Delivery, Scheduled, Stepped, TIE, Topology};
use std::collections::BTreeMap;
use std::future::{pending, poll_fn};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

/// Who decides the order of what is due at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ties {
    /// The plan, as on the native engine.
    Pinned,
    /// The scheduler of madsim. What comes of it is added to the decisions of the report.
    Free,
}

/// Runs a plan on a thread of its own, since madsim keeps state by thread. Answers how many lives it killed, too.
pub(crate) fn run<A: Actor>(scenario: &Scenario<A>, plan: &Plan<A>, ties: Ties) -> (Report, usize) {
    let work = || {
        let runtime = Runtime::with_seed_and_config(plan.seed, madsim::Config::default());
        runtime.block_on(direct(scenario, plan, ties))
    };
    std::thread::scope(|scope| {
        scope.spawn(work).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Where tasks and dispatcher meet. Only one of them runs at a time.
struct Stage<A: Actor> {
    simulation: Mutex<Simulation<A>>,
    inboxes: Vec<Slot<Delivery<A>>>,
    ended: Slot<()>,
}

impl<A: Actor> Stage<A> {
    fn simulation(&self) -> MutexGuard<'_, Simulation<A>> {
        self.simulation.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The life of an actor, until madsim kills it: it begins as a newborn and keeps its state to itself.
    async fn live(self: Arc<Self>, id: ActorId) {
        let mut actor = self.simulation().world.newborn(id).clone();
        loop {
            let delivery = self.inboxes[usize::from(id.0)].take().await;
            self.simulation().world.finish(delivery, &mut actor);
            self.ended.put(());
        }
    }

    /// Makes one step; the actor's part of it happens in the actor's task.
    async fn step(&self, entry: Scheduled<A>) -> bool {
        let begun = self.simulation().world.begin(entry);
        match begun {
            Begun::Event(delivery) => {
                self.inboxes[usize::from(delivery.me().actor.0)].put(delivery);
                self.ended.take().await;
                true
            }
            Begun::Done(stepped) => stepped == Stepped::Step,
        }
    }
}

/// A place for one value, and for who waits for it.
struct Slot<T>(Mutex<(Option<T>, Option<Waker>)>);

impl<T> Slot<T> {
    const fn new() -> Slot<T> {
        Slot(Mutex::new((None, None)))
    }

    fn lock(&self) -> MutexGuard<'_, (Option<T>, Option<Waker>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, value: T) {
        let mut slot = self.lock();
        assert!(slot.0.replace(value).is_none(), "the last value was taken");
        if let Some(waker) = slot.1.take() {
            waker.wake();
        }
    }

    async fn take(&self) -> T {
        poll_fn(|cx| {
            let mut slot = self.lock();
            match slot.0.take() {
                Some(value) => Poll::Ready(value),
                None => {
                    slot.1 = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }
}

/// The nodes of madsim, and which of their lives is running.
struct Nodes {
    nodes: Vec<(NodeHandle, Option<Incarnation>)>,
    killed: usize,
}

impl Nodes {
    fn new<A: Actor>(stage: &Arc<Stage<A>>, topology: &Topology<A>) -> Nodes {
        let home = |(actor, (node, ..)): (u16, (NodeId, &str, &A))| (ActorId(actor), node);
        let homes: Vec<(ActorId, NodeId)> = (0..).zip(topology.actors()).map(home).collect();
        let node = |node: u16| {
            let here: Vec<ActorId> =
                homes.iter().filter(|(_, home)| home.0 == node).map(|(actor, _)| *actor).collect();
            let stage = stage.clone();
            let life = move || {
                let (stage, here) = (stage.clone(), here.clone());
                async move {
                    for actor in here {
                        madsim::task::spawn(stage.clone().live(actor));
                    }
                    pending::<()>().await;
                }
            };
            (Handle::current().create_node().init(life).build(), Some(Incarnation(1)))
        };
        let count = u16::try_from(topology.nodes()).expect("at most 64 nodes");
        Nodes { nodes: (0..count).map(node).collect(), killed: 0 }
    }

    /// Does to the nodes of madsim what the last step did to those of the world: kill, and only then restart.
    fn follow<A: Actor>(&mut self, simulation: &Simulation<A>) {
        for ((node, life), id) in self.nodes.iter_mut().zip(0..) {
            let up = simulation.world.is_up(NodeId(id));
            let now = up.then(|| simulation.world.incarnation(NodeId(id)));
            if life.is_some() && *life != now {
                Handle::current().kill(node.id());
                self.killed += 1;
            }
            if now.is_some() && *life != now {
                Handle::current().restart(node.id());
            }
            *life = now;
        }
    }
}

/// The dispatcher: holds what is scheduled and gives it to the actors when madsim's clock says so.
async fn direct<A: Actor>(scenario: &Scenario<A>, plan: &Plan<A>, ties: Ties) -> (Report, usize) {
    let topology = (scenario.topology)(&plan.config);
    let mut simulation = Simulation::default();
    let options = Options { decisions: true, ..Options::default() };
    simulation.prepare(scenario, &topology, plan, options);
    if ties == Ties::Free {
        simulation.world.keep_tie_keys();
    }
    let inboxes = topology.actors().map(|_| Slot::new()).collect();
    let stage = Arc::new(Stage { simulation: Mutex::new(simulation), inboxes, ended: Slot::new() });
    let mut nodes = Nodes::new(&stage, &topology);
    let (mut agenda, mut clock) = (Agenda::default(), Clock::new());
    let mut digests = Vec::new();
    loop {
        agenda.fill(&mut stage.simulation());
        let passed = stage.simulation().pass(scenario, plan, agenda.next_due());
        match passed {
            Some(Progress::Over) => break,
            Some(_) => continue,
            None => {}
        }
        let Some(entry) = agenda.take(ties).await else { continue };
        clock.reach(entry.order().0).await;
        if stage.step(entry).await {
            let mut simulation = stage.simulation();
            simulation.after(scenario, plan);
            digests.push(simulation.world.digest());
            nodes.follow(&simulation);
        }
    }
    // A task that is parked would keep everything that it holds.
    nodes.nodes.iter().for_each(|(node, _)| Handle::current().kill(node.id()));
    madsim::task::yield_now().await;
    let mut simulation = stage.simulation();
    let verdict = simulation.verdict().cloned().expect("the run is over");
    let mut report = simulation.report(verdict, digests);
    report.decisions.extend(agenda.written());
    (report, nodes.killed)
}

/// Reads virtual time off madsim's clock: a nanosecond is 2^41 of madsim's, and things of one instant are 2^20 apart, far
/// more than what madsim adds for polling a task.
struct Clock {
    time: TimeHandle,
    instant: Time,
    rank: u128,
}

impl Clock {
    fn new() -> Clock {
        Clock { time: TimeHandle::current(), instant: Time(0), rank: 0 }
    }

    async fn reach(&mut self, at: Time) {
        self.rank = if at == self.instant { self.rank + 1 } else { 0 };
        self.instant = at;
        assert!(self.rank < 1 << 21, "fewer than 2^21 things are due at one instant");
        let ns = (u128::from(at.0) << 41) + (self.rank << 20);
        let (seconds, rest) = (ns / 1_000_000_000, ns % 1_000_000_000);
        let deadline = Duration::new(
            u64::try_from(seconds).expect("a run of less than 50 days"),
            u32::try_from(rest).expect("less than a second"),
        );
        let origin = self.time.now_instant() - self.time.elapsed();
        sleep_until(origin + deadline).await;
        let now = self.time.elapsed().as_nanos();
        assert_eq!((now >> 41, now >> 20 & 0x1f_ffff), (u128::from(at.0), self.rank));
    }
}

/// What is scheduled, and the order in which things of one instant were given out.
struct Agenda<A: Actor> {
    held: BTreeMap<(Time, u8, u32), Scheduled<A>>,
    given: (Time, Vec<(u32, Option<Key>)>),
    lines: Vec<Decision>,
}

impl<A: Actor> Default for Agenda<A> {
    fn default() -> Agenda<A> {
        Agenda { held: BTreeMap::new(), given: (Time(0), Vec::new()), lines: Vec::new() }
    }
}

impl<A: Actor> Agenda<A> {
    fn fill(&mut self, simulation: &mut Simulation<A>) {
        while let Some(entry) = simulation.world.take_scheduled() {
            self.held.insert(entry.order(), entry);
        }
    }

    fn next_due(&self) -> Option<Time> {
        self.held.first_key_value().map(|((at, ..), _)| *at)
    }

    async fn take(&mut self, ties: Ties) -> Option<Scheduled<A>> {
        let at = self.next_due()?;
        let place = match ties {
            Ties::Pinned => *self.held.first_key_value()?.0,
            Ties::Free => self.choose(at).await,
        };
        let entry = self.held.remove(&place)?;
        if self.given.0 != at {
            self.write_down();
            self.given.0 = at;
        }
        self.given.1.push((place.2, entry.tie_key()));
        Some(entry)
    }

    /// The next of those that are due at this instant: in order of creation what has no key, then by madsim's choice,
    /// but in order for each pair of actors, and only as often out of order as can be written down.
    async fn choose(&self, at: Time) -> (Time, u8, u32) {
        let due = || self.held.range((at, 0, 0)..=(at, u8::MAX, u32::MAX));
        if let Some((place, _)) = due().find(|(_, entry)| entry.tie_key().is_none()) {
            return *place;
        }
        let mut pairs = Vec::new();
        let mut first: Vec<(Time, u8, u32)> = Vec::new();
        for (place, entry) in due() {
            let pair = entry.tie_key().map(|key| key.who >> 32);
            if !pairs.contains(&pair) {
                pairs.push(pair);
                first.push(*place);
            }
        }
        // One more may be needed to come back to the order of creation.
        let used = self.given.1.windows(2).filter(|pair| pair[1].0 < pair[0].0).count();
        if used + 3 > TIE.outcomes.len() { first[0] } else { first[winner(first.len()).await] }
    }

    /// Writes down the order of an instant, unless it was that of creation.
    fn write_down(&mut self) {
        let given = std::mem::take(&mut self.given.1);
        if given.is_sorted_by_key(|(number, _)| *number) {
            return;
        }
        let (mut priority, mut last) = (1, 0);
        for (number, key) in given {
            let Some(key) = key else { continue };
            priority += u32::from(number < last);
            last = number;
            assert!(priority as usize <= TIE.outcomes.len(), "it can be written down");
            self.lines.push(Decision { site: TIE.id, key, outcome: priority });
        }
    }

    /// All that was written down. A run may end in the middle of an instant; what was still to come stays behind.
    fn written(mut self) -> Vec<Decision> {
        let rest = std::mem::take(&mut self.held);
        let rest = rest.into_values().filter(|entry| entry.order().0 == self.given.0);
        let mut rest: Vec<_> = rest.map(|entry| (entry.order().2, entry.tie_key())).collect();
        rest.sort_unstable_by_key(|(number, key)| (key.is_some(), *number));
        self.given.1.extend(rest);
        self.write_down();
        self.lines
    }
}

/// Which of so many tasks madsim's scheduler runs first.
async fn winner(tasks: usize) -> usize {
    let winner = Arc::new(Slot::new());
    for task in 0..tasks {
        let winner = winner.clone();
        madsim::task::spawn(async move {
            if winner.lock().0.is_none() {
                winner.put(task);
            }
        });
    }
    winner.take().await
}
