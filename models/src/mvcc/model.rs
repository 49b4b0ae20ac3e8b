//! The actors of the model, as one enum: checks see real types.
//!
//! ```text
//!   client ──ask──▶ front ──commit──▶ committer ──▶ disk
//!     ▲               │ ▲                 ▲  ▲
//!     └────answer─────┘ │ compact         │  └── batch timer
//!                       └──────▶ compactor┘
//!                                                      shared: store, backend; locks: store, backend
//! ```

use seedbed_sim::actor::{Actor, Context, Event};

use super::batch_timer::BatchTimer;
use super::call::{Call, Ret};
use super::checks::Ghost;
use super::client::Client;
use super::committer::Committer;
use super::compactor::Compactor;
use super::front::Front;
use super::message::{Lock, Msg, Note, Phase, Timer};
use super::shared::Shared;

/// An actor of the model. All but the clients live on one node.
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
        }
    }

    fn simpler(op: &Call) -> Vec<Call> {
        super::simpler::simpler(&op.0).into_iter().map(Call).collect()
    }
}
