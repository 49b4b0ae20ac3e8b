//! The director: gives operations to the tasks of clients, their outcomes to the world, and faults to madsim's nodes.

use super::mirror::Mirror;
use super::{Done, Hosted, Place, System};
use crate::actor::Outcome;
use crate::check::Scenario;
use crate::engine::{Options, Progress, Report, Simulation, Verdict};
use crate::id::{ActorId, NodeId};
use crate::nemesis::Plan;
use crate::time::{Span, Time};
use crate::world::{Begun, Scheduled, Stepped, Topology};
use madsim::time::{TimeHandle, sleep_until};
use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

/// madsim sleeps no shorter; so often the director looks at what ends by itself: cuts, pauses, stages of the run.
const TICK: Span = Span::ms(1);

/// One run.
pub(super) struct Director<'p, S: System> {
    scenario: &'p Scenario<Hosted<S>>,
    plan: &'p Plan<Hosted<S>>,
    simulation: Arc<Mutex<Simulation<Hosted<S>>>>,
    agenda: BTreeMap<(Time, u8, u32), Scheduled<Hosted<S>>>,
    ended: Arc<Ended<S>>,
    servers: Arc<[NodeId]>,
}

/// The outcomes that the world has not heard of, and who waits for them.
struct Ended<S: System>(Mutex<Waiting<S>>);

struct Waiting<S: System> {
    outcomes: VecDeque<(ActorId, Done<S>)>,
    waker: Option<Waker>,
}

impl<S: System> Ended<S> {
    fn tell(&self, client: ActorId, done: Done<S>) {
        let mut ended = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ended.outcomes.push_back((client, done));
        if let Some(waker) = ended.waker.take() {
            waker.wake();
        }
    }

    fn take(&self) -> Option<(ActorId, Done<S>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).outcomes.pop_front()
    }

    /// Waits for an outcome, but not beyond a sleep.
    async fn wait(&self, sleep: impl Future<Output = ()>) {
        let mut sleep = std::pin::pin!(sleep);
        poll_fn(|cx| {
            let mut ended = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if !ended.outcomes.is_empty() {
                return Poll::Ready(());
            }
            ended.waker = Some(cx.waker().clone());
            drop(ended);
            sleep.as_mut().poll(cx)
        })
        .await;
    }
}

impl<'p, S: System> Director<'p, S> {
    pub(super) fn new(
        scenario: &'p Scenario<Hosted<S>>,
        plan: &'p Plan<Hosted<S>>,
        simulation: Arc<Mutex<Simulation<Hosted<S>>>>,
    ) -> Self {
        let ended = Arc::new(Ended(Mutex::new(Waiting { outcomes: VecDeque::new(), waker: None })));
        let servers = (scenario.topology)(&plan.config).servers().iter().collect();
        Director { scenario, plan, simulation, agenda: BTreeMap::new(), ended, servers }
    }

    fn simulation(&self) -> MutexGuard<'_, Simulation<Hosted<S>>> {
        self.simulation.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From boot to verdict.
    pub(super) async fn direct(
        mut self,
        topology: &Topology<Hosted<S>>,
        options: Options,
    ) -> Report {
        let clock = TimeHandle::current();
        let origin = clock.now_instant() - clock.elapsed();
        let mut mirror = Mirror::new(topology, self.plan);
        let mut digests = Vec::new();
        sleep_until(origin + Duration::from_nanos(self.plan.run.start.0)).await;
        loop {
            let now = Time(u64::try_from(clock.elapsed().as_nanos()).expect("less than 500 years"));
            self.hear(now);
            let due = self.fill();
            mirror.follow(&self.simulation(), now);
            let next = due.map_or(now + TICK, |due| due.min(now + TICK));
            match self.simulation().pass(self.scenario, self.plan, Some(next)) {
                Some(Progress::Over) => break,
                Some(_) => continue,
                None => {}
            }
            if due.is_none_or(|due| due > now) {
                self.ended.wait(sleep_until(origin + Duration::from_nanos(next.0))).await;
                continue;
            }
            let (_, entry) = self.agenda.pop_first().expect("something is due");
            if self.step(entry, &mirror) {
                let mut simulation = self.simulation();
                simulation.after(self.scenario, self.plan);
                if options.step_digests {
                    digests.push(simulation.world.digest());
                }
                if options.stop_after == Some(simulation.world.steps()) {
                    break;
                }
            }
        }
        mirror.end().await;
        let mut simulation = self.simulation();
        let verdict = simulation.verdict().cloned();
        let verdict = verdict.unwrap_or_else(|| Verdict::Inconclusive("stopped as asked".into()));
        simulation.report(verdict, digests)
    }

    /// Lets the world hear of the operations that have come to their ends.
    fn hear(&mut self, now: Time) {
        while let Some((client, done)) = self.ended.take() {
            self.simulation().world.deliver(now, client, done);
        }
    }

    /// Takes what is new on the agenda; answers when the first of all is due.
    fn fill(&mut self) -> Option<Time> {
        let mut simulation = self.simulation.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(entry) = simulation.world.take_scheduled() {
            self.agenda.insert(entry.order(), entry);
        }
        self.agenda.first_key_value().map(|((at, ..), _)| *at)
    }

    /// Makes a step of the world. A client that is asked something gets a task for it.
    fn step(&self, entry: Scheduled<Hosted<S>>, mirror: &Mirror) -> bool {
        let mut simulation = self.simulation();
        let world = &mut simulation.world;
        let delivery = match world.begin(entry) {
            Begun::Done(stepped) => return stepped == Stepped::Step,
            Begun::Event(delivery) => delivery,
        };
        let (me, asked) = (delivery.me(), delivery.is_invoke());
        let mut actor = world.actor(me.actor).clone();
        world.finish(delivery, &mut actor);
        if let (true, Hosted::Client(Some((op, what)))) = (asked, actor) {
            let place = Place {
                node: me.node,
                life: me.incarnation,
                servers: self.servers.clone(),
                config: self.plan.config.clone(),
                bugs: self.plan.bugs,
            };
            let ended = self.ended.clone();
            drop(mirror.node(me.node).spawn(async move {
                let outcome: Outcome<S::Ret> = S::operate(place, op.number, what).await;
                ended.tell(me.actor, Done(op.number, outcome));
            }));
        }
        true
    }
}
