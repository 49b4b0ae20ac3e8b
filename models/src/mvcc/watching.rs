//! Watching inside the simulation: the actors around [the layer that watches](super::watch).
//!
//! ```text
//!                 n0                                                              w0, w1, ...
//!   front ── notify ──▶ ┌───────────┐
//!   sync loop ── sync ─▶│ hub: watch│── channel ──▶ sender ══ connection ══▶ watcher
//!   victim loop ──────▶ └───────────┘ ◀── create, cancel, progress ─┘  ◀══════════┘
//! ```
//!
//! The front end notifies synced watchers before a revision becomes visible; two loops serve the others; each watcher
//! client has a sender of its own, which takes one response after the other out of the channel of its stream and into
//! a connection. A client that does not read makes the connection full, then the channel, and its watchers victims.
//! All that the node knows of watchers is memory: a crash takes it, and clients come back from where they were.
//!
//! The lock of this layer comes after those of store and backend. Who holds it waits for nobody.

use std::collections::{BTreeMap, BTreeSet};

use seedbed_sim::actor::Context;
use seedbed_sim::id::ActorId;

use super::defects::Defects;
use super::front::WatchMates;
use super::message::{Lock, Msg};
use super::model::Mvcc;
use super::parameters::Parameters;
use super::response::Response;
use super::store::Fatal;
use super::txn::Running;
use super::watch::{Limits, StreamId, Watch, WatchId};
use super::{bugs, mark, point};

pub mod checks;
pub mod client;
pub mod judge;
pub mod note;
pub mod record;
pub mod rounds;
pub mod sender;
pub mod wire;
pub mod wish;
pub(super) mod workload;

/// The watcher of everything from the first revision on: one a node, which no operation makes.
pub const RECORD: WatchId = WatchId(0);

/// The layer that watches, and who sends what it says.
#[derive(Clone, Debug)]
pub struct Hub {
    /// Streams and watchers.
    pub watch: Watch,
    senders: BTreeMap<StreamId, ActorId>,
    /// Senders that were called and have not looked yet.
    called: BTreeSet<ActorId>,
}

impl Hub {
    /// A layer without streams.
    #[must_use]
    pub fn new(limits: Limits, defects: Defects) -> Hub {
        let parameters = Parameters { defects, watch: limits, ..Parameters::default() };
        let (senders, called) = (BTreeMap::new(), BTreeSet::new());
        Hub { watch: Watch::new(&parameters), senders, called }
    }

    /// Opens a stream that this sender drains.
    pub fn open_stream(&mut self, sender: ActorId) -> StreamId {
        let stream = self.watch.open_stream();
        self.senders.insert(stream, sender);
        stream
    }

    /// Nobody drains a stream any more.
    pub fn forget_stream(&mut self, stream: StreamId) {
        self.senders.remove(&stream);
    }

    /// A sender looks.
    pub fn answered(&mut self, sender: ActorId) {
        self.called.remove(&sender);
    }

    /// Calls the senders that have something to send and were not called yet: these.
    fn call(&mut self) -> Vec<ActorId> {
        let Hub { watch, senders, called } = self;
        let waits = senders.iter().filter(|(stream, _)| watch.waiting(**stream) > 0);
        waits.map(|(_, sender)| *sender).filter(|sender| called.insert(*sender)).collect()
    }
}

/// The layer that watches begins, or finds the store restored below it. Its rounds are each one step, so its lock is
/// not needed here.
pub(super) fn open_hub(mates: Option<WatchMates>, cx: &mut Context<'_, Mvcc>) {
    let Some(WatchMates { limits, senders: (first, count) }) = mates else { return };
    let defects = bugs::defects(cx.bugs());
    let shared = cx.shared();
    match &mut shared.hub {
        Some(hub) => {
            let moved = !hub.watch.groups().synced.is_empty();
            hub.watch.restored();
            if moved {
                cx.mark(&mark::WATCHER_MOVED_BY_RESTORE);
            }
        }
        none => *none = Some(Hub::new(limits, defects)),
    }
    (first.0..first.0 + count).for_each(|sender| cx.send(ActorId(sender), Msg::Wake));
}

/// Tells watchers of a transaction before it is visible, so that nobody can begin to watch between the two, and then
/// finishes it. The lock of this layer is held, and given back.
pub(super) fn tell(running: Running, cx: &mut Context<'_, Mvcc>) -> Result<Response, Fatal> {
    let watched = cx.shared().watched();
    let (store, backend, hub) = watched.expect("whoever tells has the store open");
    let effects = store.effects_of(backend, running.txn())?;
    let filtered = hub.watch.filters_all(&effects);
    hub.watch.notify(&effects);
    let response = running.finish(store);
    cx.point(&point::WATCHERS_NOTIFIED);
    if filtered {
        cx.mark(&mark::WATCHER_FILTERED);
    }
    cx.unlock(Lock::Watch);
    call_senders(cx);
    Ok(response)
}

/// Calls the senders whose streams have something in them.
pub(super) fn call_senders(cx: &mut Context<'_, Mvcc>) {
    let called = cx.shared().hub.as_mut().map(Hub::call);
    called.into_iter().flatten().for_each(|sender| cx.send(sender, Msg::Wake));
}
