//! The actors of the model, as one enum: checks see real types.

use seedbed_sim::actor::{Actor, Context, Event, Never};

use super::admin::Admin;
use super::data::Data;
use super::indexer::Indexer;
use super::judge::Ghost;
use super::message::{Msg, Phase, Ret, Timer};
use super::note::Note;
use super::op::Call;
use super::router::Router;
use super::server::Server;
use super::simpler;

/// An actor of the model.
#[derive(Clone, Debug)]
pub enum Stream {
    /// Has the documents, and streams them to routers.
    Data(Data),
    /// Sends streams on, over connections of the library.
    Router(Router),
    /// The receiving end of the library.
    Server(Server),
    /// Keeps indexes.
    Indexer(Indexer),
    /// Gives orders.
    Admin(Admin),
}

impl Actor for Stream {
    type Msg = Msg;
    type Timer = Timer;
    type Phase = Phase;
    type Lock = Never;
    type Op = Call;
    type Ret = Ret;
    type Note = Note;
    type Shared = ();
    type Ghost = Ghost;

    fn on_event(&mut self, event: Event<Stream>, cx: &mut Context<'_, Stream>) {
        match self {
            Stream::Data(data) => data.on_event(event, cx),
            Stream::Router(router) => router.on_event(event, cx),
            Stream::Server(server) => server.on_event(event, cx),
            Stream::Indexer(indexer) => indexer.on_event(event, cx),
            Stream::Admin(admin) => admin.on_event(event, cx),
        }
    }

    fn takes(&self, op: &Call) -> Result<(), String> {
        op.takes(matches!(self, Stream::Data(_)))
    }

    fn simpler(op: &Call) -> Vec<Call> {
        simpler::simpler(op)
    }
}
