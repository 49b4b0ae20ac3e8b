//! The actors of the model, as one enum: checks see real types.

use seedbed_sim::actor::{Actor, BugSet, Context, Embeds, Event};
use seedbed_sim::id::ActorId;

use crate::vbucket::bugs as node_bugs;
use crate::vbucket::memory::Memory;
use crate::vbucket::message as data;
use crate::vbucket::message::Lock;
use crate::vbucket::model::{Mates, Node as DataNode};
use crate::vbucket::op::Call;
use crate::vbucket::response::Answer;

use super::client::Client;
use super::filler::Filler;
use super::judge::Ghost;
use super::message::{Msg, Phase, Timer};
use super::note::Note;
use super::notifier::Notifier;
use super::op::Op;
use super::orchestrator::Orchestrator;
use super::receiver::Receiver;
use super::sender::Sender;
use super::shared::Shared;
use super::{bugs, mark, simpler};

/// An actor of the model. All but the last two live on data nodes.
#[derive(Clone, Debug)]
pub enum Node {
    /// One of a data node, and the notifier of its node.
    Data(DataNode, ActorId),
    /// Sends streams.
    Sender(Sender),
    /// Collects tables for streams.
    Filler(Filler),
    /// Tells the sender of changes.
    Notifier(Notifier),
    /// Follows streams.
    Receiver(Receiver),
    /// Says which node follows which.
    Orchestrator(Orchestrator),
    /// Does the operations of the workload.
    Client(Client),
}

/// Who is who on a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the actor of that role")]
pub struct Post {
    pub data: Mates,
    pub sender: ActorId,
    pub filler: ActorId,
    pub notifier: ActorId,
    pub receiver: ActorId,
}

impl Embeds<DataNode> for Node {
    fn shared_part(shared: &mut Shared) -> &mut Memory {
        &mut shared.data
    }

    // What else its data nodes do wrong is planted where they are alone.
    fn bugs_part(outer: BugSet) -> BugSet {
        match outer.has(&bugs::REVERT_BLOCKS_NOBODY) {
            true => BugSet::only(&node_bugs::REVERT_BLOCKS_NOBODY),
            false => BugSet::NONE,
        }
    }
}

impl Actor for Node {
    type Msg = Msg;
    type Timer = Timer;
    type Phase = Phase;
    type Lock = Lock;
    type Op = Op;
    type Ret = Answer;
    type Note = Note;
    type Shared = Shared;
    type Ghost = Ghost;

    fn on_event(&mut self, event: Event<Node>, cx: &mut Context<'_, Node>) {
        match self {
            Node::Data(node, notifier) => on_data(node, *notifier, event, cx),
            Node::Sender(sender) => sender.on_event(event, cx),
            Node::Filler(filler) => filler.on_event(event, cx),
            Node::Notifier(notifier) => notifier.on_event(event, cx),
            Node::Receiver(receiver) => receiver.on_event(event, cx),
            Node::Orchestrator(orchestrator) => orchestrator.on_event(event, cx),
            Node::Client(client) => client.on_event(event, cx),
        }
    }

    fn takes(&self, op: &Op) -> Result<(), String> {
        let (is_taken, wanted) = match (self, op) {
            // Which states there are is up to the orchestrator.
            (Node::Orchestrator(_), op) => (op.is_command(), "`filter`, `move` or `reconnect`"),
            (_, Op::Data(Call::State(..) | Call::Drop(_) | Call::Feed(_))) => {
                (false, "a get, a set or the like")
            }
            (_, op) => (!op.is_command(), "a get, a set or the like"),
        };
        if is_taken { Ok(()) } else { Err(format!("expected {wanted}, found `{op}`")) }
    }

    fn simpler(op: &Op) -> Vec<Op> {
        simpler::simpler(op)
    }
}

/// An event of an actor of the data node. Whoever follows is told what it changed.
fn on_data(node: &mut DataNode, notifier: ActorId, event: Event<Node>, cx: &mut Context<'_, Node>) {
    let mut only = None;
    if let Event::Message { from, msg: Msg::Data(data::Msg::Ask(id, request)) } = &event {
        let vb = request.call.vb(cx.shared().data.settings.vbuckets);
        only = request.call.key().map(|_| vb);
        if request.call.key().is_some() && cx.shared().tap.activating.contains(&vb) {
            // What would be acknowledged could be lost with the knowledge that the vbucket is active here.
            let answer = data::Msg::Answer(*id, Answer::TemporaryFailure);
            return cx.send(*from, Msg::Data(answer));
        }
    }
    // Those who only write down what is there take the most steps by far. The remover opens checkpoints.
    let may_change = !matches!(node, DataNode::Flusher(_) | DataNode::Keeper(_));
    let before = may_change.then(|| cx.shared().events(only));
    if let Some(event) = event.narrow() {
        cx.lift(|cx| node.on_event(event, cx));
    }
    if before.is_some_and(|before| before != cx.shared().events(only)) {
        let mut producers = cx.shared().tap.producers.values();
        let moves = |vb| {
            producers.any(|of| of.is_takeover && of.is_copying() && of.streams().contains_key(&vb))
        };
        if only.is_some_and(moves) {
            cx.mark(&mark::WRITTEN_WHILE_MOVING);
        }
        notify(notifier, cx);
    }
}

/// Something was changed: whoever follows is to be told.
pub(super) fn notify(notifier: ActorId, cx: &mut Context<'_, Node>) {
    let tap = &mut cx.shared().tap;
    tap.is_notified = true;
    if std::mem::take(&mut tap.is_notifier_asleep) {
        cx.send(notifier, Msg::Notify);
    }
}
