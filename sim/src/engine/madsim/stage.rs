//! Where the director and the tasks of the actors meet, and the nodes of madsim that they live on.

use crate::actor::Actor;
use crate::engine::Simulation;
use crate::id::{ActorId, Incarnation, NodeId};
use crate::world::{Begun, Delivery, Scheduled, Stepped, Topology};
use madsim::runtime::{Handle, NodeHandle};
use std::future::{pending, poll_fn};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// Where tasks and director meet. Only one of them runs at a time.
pub(super) struct Stage<A: Actor> {
    simulation: Arc<Mutex<Simulation<A>>>,
    inboxes: Vec<Slot<Delivery<A>>>,
    ended: Slot<()>,
}

impl<A: Actor> Stage<A> {
    pub(super) fn new(simulation: Arc<Mutex<Simulation<A>>>, topology: &Topology<A>) -> Stage<A> {
        let inboxes = topology.actors().map(|_| Slot::new()).collect();
        Stage { simulation, inboxes, ended: Slot::new() }
    }

    pub(super) fn simulation(&self) -> MutexGuard<'_, Simulation<A>> {
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
    pub(super) async fn step(&self, entry: Scheduled<A>) -> bool {
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
pub(super) struct Slot<T>(Mutex<(Option<T>, Option<Waker>)>);

impl<T> Slot<T> {
    pub(super) const fn new() -> Slot<T> {
        Slot(Mutex::new((None, None)))
    }

    fn lock(&self) -> MutexGuard<'_, (Option<T>, Option<Waker>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lock().0.is_none()
    }

    pub(super) fn put(&self, value: T) {
        let mut slot = self.lock();
        assert!(slot.0.replace(value).is_none(), "the last value was taken");
        if let Some(waker) = slot.1.take() {
            waker.wake();
        }
    }

    pub(super) async fn take(&self) -> T {
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
pub(super) struct Nodes(Vec<(NodeHandle, Option<Incarnation>)>);

impl Nodes {
    pub(super) fn new<A: Actor>(stage: &Arc<Stage<A>>, topology: &Topology<A>) -> Nodes {
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
        Nodes((0..count).map(node).collect())
    }

    /// Does to the nodes of madsim what the last step did to those of the world: kill, and only then restart.
    pub(super) fn follow<A: Actor>(&mut self, simulation: &Simulation<A>) {
        for ((node, life), id) in self.0.iter_mut().zip(0..) {
            let up = simulation.world.is_up(NodeId(id));
            let now = up.then(|| simulation.world.incarnation(NodeId(id)));
            if *life == now {
                continue;
            }
            if life.is_some() {
                Handle::current().kill(node.id());
            }
            if now.is_some() {
                Handle::current().restart(node.id());
            }
            *life = now;
        }
    }

    /// Kills all: a task that is parked would keep everything that it holds.
    pub(super) async fn end(&self) {
        self.0.iter().for_each(|(node, _)| Handle::current().kill(node.id()));
        madsim::task::yield_now().await;
    }
}
