//! The actors of the model, as one enum: checks see real types.

use seedbed_sim::actor::{Actor, Context, Event};
use seedbed_sim::id::ActorId;

use super::client::Client;
use super::consumer::Consumer;
use super::fetcher::Fetcher;
use super::flusher::Flusher;
use super::front::Front;
use super::judge::Ghost;
use super::keeper::Keeper;
use super::loader::Loader;
use super::master::Master;
use super::memory::Memory;
use super::message::{Lock, Msg, Phase, Ret, Timer};
use super::note::Note;
use super::op::Call;
use super::pager::Pager;
use super::reader::Reader;
use super::remover::Remover;
use super::reverter::Reverter;
use super::simpler;

/// An actor of the model. All but the clients live on one node.
#[derive(Clone, Debug)]
pub enum Node {
    /// Serves clients.
    Front(Front),
    /// Reads the disk at a boot.
    Loader(Loader),
    /// Writes changes.
    Flusher(Flusher),
    /// Writes how vbuckets stand.
    Keeper(Keeper),
    /// Closes and removes checkpoints, and evicts values.
    Remover(Remover),
    /// Takes out what has run out.
    Pager(Pager),
    /// Brings evicted values back.
    Fetcher(Fetcher),
    /// Takes online updates back.
    Reverter(Reverter),
    /// Keeps a replica.
    Consumer(Consumer),
    /// Tells a replica what to be; on another node.
    Master(Master),
    /// Follows the log of a vbucket.
    Reader(Reader),
    /// Does the operations of the workload.
    Client(Client),
}

/// Who is who on a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the actor of that role")]
pub struct Mates {
    pub front: ActorId,
    pub loader: ActorId,
    pub flusher: ActorId,
    pub keeper: ActorId,
    pub remover: ActorId,
    pub pager: ActorId,
    pub fetcher: ActorId,
    pub reverter: ActorId,
}

impl Actor for Node {
    type Msg = Msg;
    type Timer = Timer;
    type Phase = Phase;
    type Lock = Lock;
    type Op = Call;
    type Ret = Ret;
    type Note = Note;
    type Shared = Memory;
    type Ghost = Ghost;

    fn on_event(&mut self, event: Event<Node>, cx: &mut Context<'_, Node>) {
        match self {
            Node::Front(front) => front.on_event(event, cx),
            Node::Loader(loader) => loader.on_event(event, cx),
            Node::Flusher(flusher) => flusher.on_event(event, cx),
            Node::Keeper(keeper) => keeper.on_event(event, cx),
            Node::Remover(remover) => remover.on_event(event, cx),
            Node::Pager(pager) => pager.on_event(event, cx),
            Node::Fetcher(fetcher) => fetcher.on_event(event, cx),
            Node::Reverter(reverter) => reverter.on_event(event, cx),
            Node::Reader(reader) => reader.on_event(event, cx),
            Node::Consumer(consumer) => consumer.on_event(event, cx),
            Node::Master(master) => master.on_event(event, cx),
            Node::Client(client) => client.on_event(event, cx),
        }
    }

    fn simpler(op: &Call) -> Vec<Call> {
        simpler::simpler(op)
    }
}
