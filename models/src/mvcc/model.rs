//! The actors of the model, as one enum: checks see real types.
//!
//! ```text
//!   client ──ask──▶ front ──commit──▶ committer ──▶ disk
//!     ▲               │ ▲                 ▲  ▲
//!     └────answer─────┘ │ compact         │  └── batch timer
//!                       └──────▶ compactor┘
//!                                                      shared: store, backend; locks: store, backend
//! ```
//!
//! For a node that is watched see [`super::watching`], for one that is used by threads [`super::workflow`].

use seedbed_sim::actor::{Actor, Context, Event};

use super::batch_timer::BatchTimer;
use super::call::{Call, Ret, words};
use super::checks::Ghost;
use super::client::Client;
use super::committer::Committer;
use super::compactor::Compactor;
use super::front::Front;
use super::message::{Lock, Msg, Note, Phase, Timer};
use super::replica::agreement::Agreement;
use super::replica::applier::Applier;
use super::replica::comparer::Comparer;
use super::replica::defragmenter::Defragmenter;
use super::replica::keeper::Keeper as LeaseKeeper;
use super::replica::member::Member;
use super::replica::receiver::Receiver;
use super::replica::shipper::Shipper;
use super::replica::wal::Wal;
use super::shared::Shared;
use super::watching::client::Watcher;
use super::watching::rounds::{SyncLoop, VictimLoop};
use super::watching::sender::Sender;
use super::workflow::caller::Caller;
use super::workflow::keeper::Keeper;

/// An actor of the model. All but the clients and the watchers live on one node.
#[derive(Clone, Debug)]
pub enum Mvcc {
    /// Serves clients.
    Front(Front),
    /// Writes the file.
    Committer(Committer),
    /// Commits from time to time.
    BatchTimer(BatchTimer),
    /// Deletes what is compacted.
    Compactor(Compactor),
    /// Does the operations of the workload.
    Client(Client),
    /// Serves watchers from the history.
    SyncLoop(SyncLoop),
    /// Serves victims.
    VictimLoop(VictimLoop),
    /// Sends what is told on a stream.
    Sender(Sender),
    /// Watches.
    Watcher(Watcher),
    /// Uses the library.
    Caller(Caller),
    /// Opens and closes the library's store.
    Keeper(Keeper),
    /// Serves clients on a node of a group.
    Member(Member),
    /// Writes the log of such a node.
    Wal(Wal),
    /// Executes it.
    Applier(Applier),
    /// Agrees on it.
    Agreement(Agreement),
    /// Sends the file to a node that is far behind.
    Shipper(Shipper),
    /// Takes it there.
    Receiver(Receiver),
    /// Makes the file smaller.
    Defragmenter(Defragmenter),
    /// Decides when leases end.
    LeaseKeeper(LeaseKeeper),
    /// Compares the nodes of a group.
    Comparer(Comparer),
}

impl Actor for Mvcc {
    type Msg = Msg;
    type Timer = Timer;
    type Phase = Phase;
    type Lock = Lock;
    type Op = Call;
    type Ret = Ret;
    type Note = Note;
    type Shared = Shared;
    type Ghost = Ghost;

    fn on_event(&mut self, event: Event<Mvcc>, cx: &mut Context<'_, Mvcc>) {
        match self {
            Mvcc::Front(front) => front.on_event(event, cx),
            Mvcc::Committer(committer) => committer.on_event(event, cx),
            Mvcc::BatchTimer(timer) => timer.on_event(event, cx),
            Mvcc::Compactor(compactor) => compactor.on_event(event, cx),
            Mvcc::Client(client) => client.on_event(event, cx),
            Mvcc::SyncLoop(rounds) => rounds.on_event(event, cx),
            Mvcc::VictimLoop(rounds) => rounds.on_event(event, cx),
            Mvcc::Sender(sender) => sender.on_event(event, cx),
            Mvcc::Watcher(watcher) => watcher.on_event(event, cx),
            Mvcc::Caller(caller) => caller.on_event(event, cx),
            Mvcc::Keeper(keeper) => keeper.on_event(event, cx),
            Mvcc::Member(member) => member.on_event(event, cx),
            Mvcc::Wal(wal) => wal.on_event(event, cx),
            Mvcc::Applier(applier) => applier.on_event(event, cx),
            Mvcc::Agreement(agreement) => agreement.on_event(event, cx),
            Mvcc::Shipper(shipper) => shipper.on_event(event, cx),
            Mvcc::Receiver(receiver) => receiver.on_event(event, cx),
            Mvcc::Defragmenter(defragmenter) => defragmenter.on_event(event, cx),
            Mvcc::LeaseKeeper(keeper) => keeper.on_event(event, cx),
            Mvcc::Comparer(comparer) => comparer.on_event(event, cx),
        }
    }

    fn takes(&self, op: &Call) -> Result<(), String> {
        match self {
            Mvcc::Client(client) => op.is_one_of(client.words()),
            Mvcc::Watcher(_) => op.is_one_of(&[words::WATCHING]),
            _ => {
                Err(format!("expected another client; this one is asked for nothing, found `{op}`"))
            }
        }
    }

    fn simpler(op: &Call) -> Vec<Call> {
        match op {
            Call::Store(op) => super::simpler::simpler(op).into_iter().map(Call::Store).collect(),
            Call::Watch(wish) => wish.simpler().into_iter().map(Call::Watch).collect(),
            Call::Use(usage) => usage.simpler().into_iter().map(Call::Use).collect(),
            Call::Defragment | Call::Renew(_) => Vec::new(),
            Call::Stale(op) => super::simpler::simpler(op).into_iter().map(Call::Stale).collect(),
        }
    }
}
