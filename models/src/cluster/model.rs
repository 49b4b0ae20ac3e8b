//! The actors of the model, as one enum: checks see real types. Those of the models that the cluster is made of are as they
//! are there; what is new are the agents of the nodes and the orchestrator.

use seedbed_sim::actor::{Actor, BugSet, Context, Embeds, Event};
use seedbed_sim::id::{ActorId, NodeId};
use seedbed_sim::world::World;

use crate::client::judge::{Sight, are_clocks_right};
use crate::client::model::{self as client, Peer};
use crate::client::smart::SmartClient;
use crate::client::store::Store;
use crate::tap::message as tap_message;
use crate::tap::model as tap;
use crate::tap::shared::Shared as TapShared;
use crate::vbucket::message as data;
use crate::vbucket::model::Node as DataNode;
use crate::vbucket::op::{Key, State};
use crate::vbucket::response::Answer;

use super::agent::Agent;
use super::judge::Ghost;
use super::message::{Lock, Msg, Phase, Timer};
use super::note::Note;
use super::op::{self, Op};
use super::orchestrator::Orchestrator;
use super::response::Ret;
use super::shared::Shared;
use super::{bugs, mark};

/// An actor of the model.
#[derive(Clone, Debug)]
pub enum Node {
    /// One of a data node, of its streams, or of both.
    Tap(tap::Node),
    /// Takes connections of clients for a data node, whose number this is.
    Door(Peer),
    /// One of a client.
    Client(Peer),
    /// Makes of a data node what the orchestrator says.
    Agent(Agent),
    /// Says which node has which vbucket.
    Orchestrator(Orchestrator),
}

impl Embeds<tap::Node> for Node {
    fn shared_part(shared: &mut Shared) -> &mut TapShared {
        &mut shared.tap
    }

    fn bugs_part(bugs: BugSet) -> BugSet {
        bugs::of_streams(bugs)
    }
}

impl Embeds<Peer> for Node {
    fn shared_part(shared: &mut Shared) -> &mut client::Shared {
        &mut shared.client
    }

    fn bugs_part(bugs: BugSet) -> BugSet {
        bugs::of_clients(bugs)
    }
}

impl Actor for Node {
    type Msg = Msg;
    type Timer = Timer;
    type Phase = Phase;
    type Lock = Lock;
    type Op = Op;
    type Ret = Ret;
    type Note = Note;
    type Shared = Shared;
    type Ghost = Ghost;

    fn on_event(&mut self, event: Event<Node>, cx: &mut Context<'_, Node>) {
        match self {
            Node::Tap(node) => on_tap(node, event, cx),
            Node::Door(door) => {
                cx.shared().trade();
                on_client(door, event, cx);
                cx.shared().trade();
            }
            Node::Client(client) => on_client(client, event, cx),
            Node::Agent(agent) => agent.on_event(event, cx),
            Node::Orchestrator(orchestrator) => orchestrator.on_event(event, cx),
        }
    }

    fn takes(&self, op: &Op) -> Result<(), String> {
        match (self, op) {
            (Node::Orchestrator(_), op) if op.is_command() => Ok(()),
            (Node::Orchestrator(_), op) => Err(format!("expected `in n3` or such, found `{op}`")),
            (Node::Client(client), Op::Client(op)) => client.takes(op),
            (_, op) => Err(format!("expected `verify-all` or such, found `{op}`")),
        }
    }

    fn simpler(op: &Op) -> Vec<Op> {
        op::simpler(op)
    }
}

fn on_client(client: &mut Peer, event: Event<Node>, cx: &mut Context<'_, Node>) {
    if let Some(event) = event.narrow() {
        cx.lift(|cx| client.on_event(event, cx));
    }
}

fn on_tap(node: &mut tap::Node, event: Event<Node>, cx: &mut Context<'_, Node>) {
    if let (tap::Node::Data(DataNode::Front(_), _), Event::Message { from, msg }) = (&*node, &event)
        && let Msg::Tap(tap_message::Msg::Data(data::Msg::Ask(id, request))) = msg
        && let Some(key) = request.call.key()
        && !may_serve(key, cx)
    {
        let answer = data::Msg::Answer(*id, Answer::NotMyVbucket);
        return cx.send(*from, Msg::Tap(tap_message::Msg::Data(answer)));
    }
    if let Some(event) = event.narrow() {
        cx.lift(|cx| node.on_event(event, cx));
    }
}

/// Whether this node owns the vbucket of a key by the map that it knows. A vbucket may be active on a node that does not: it
/// has been taken over, and the map is not there yet; or the map has come, and the vbucket is not dead yet.
fn may_serve(key: Key, cx: &mut Context<'_, Node>) -> bool {
    let (server, skips) = (cx.node(), cx.bug(&bugs::ACTIVE_IS_ENOUGH));
    let shared = cx.shared();
    let vb = crate::vbucket::op::home(key, shared.tap.data.settings.vbuckets);
    let Some(view) = &shared.view else { return true };
    let owner = view.masters.get(usize::from(vb.0)).map(|owner| NodeId(owner.0.into()));
    if owner == Some(server) {
        return true;
    }
    let state = shared.tap.data.vbs.get(&vb).map(|vbucket| vbucket.standing.state);
    if state == Some(State::Active) {
        let taken = view.parts.get(usize::from(vb.0)).and_then(|part| part.taking);
        let is_taken = taken.is_some_and(|taken| NodeId(taken.to.0.into()) == server);
        if is_taken {
            cx.mark(&mark::NOT_YET);
        }
    }
    skips
}

impl Sight for World<Node> {
    fn vbuckets(&self, node: NodeId) -> u8 {
        self.shared(node).tap.data.settings.vbuckets
    }

    fn store(&self, node: NodeId) -> &Store<Key> {
        &self.shared(node).client.desk.store
    }

    fn smart(&self, actor: ActorId) -> Option<&SmartClient> {
        match self.actor(actor) {
            Node::Client(client) => client.smart(),
            _ => None,
        }
    }

    fn is_sure(&self) -> bool {
        are_clocks_right(self)
    }
}
