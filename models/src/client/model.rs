//! The actors of the model, as one enum: checks see real types.

use std::sync::Arc;

use seedbed_sim::actor::{Actor, BugSet, Context, Embeds, Event};
use seedbed_sim::id::ActorId;

use crate::vbucket::bugs as node_bugs;
use crate::vbucket::memory::Memory;
use crate::vbucket::model::Node;

use super::bugs;
use super::caller::Caller;
use super::carrier::Carrier;
use super::desk::Desk;
use super::door::Door;
use super::judge::Ghost;
use super::keeper::Keeper;
use super::manager::Manager;
use super::message::{Lock, Msg, Phase, Timer};
use super::note::Note;
use super::op::{self, Op};
use super::response::Ret;
use super::smart::SmartClient;
use super::worker::Worker;

/// An actor of the model.
#[derive(Clone, Debug)]
pub enum Peer {
    /// One of those of a data node.
    Node(Node),
    /// Takes connections for a data node.
    Door(Door),
    /// Makes of a data node what the keeper says, and copies vbuckets.
    Carrier(Carrier),
    /// Keeps the map. On a node of its own.
    Keeper(Keeper),
    /// Keeps the tasks of a client.
    Manager(Manager),
    /// Does them.
    Worker(Worker),
    /// Does single operations and multi-sets, without a reference store.
    Caller(Caller),
}

/// Who there is to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Book {
    /// The doors of the data nodes.
    pub doors: Arc<[ActorId]>,
    /// The carriers of the data nodes.
    pub carriers: Arc<[ActorId]>,
    /// The keeper of the map.
    pub keeper: ActorId,
}

/// What the actors of a node share. Data nodes use one part of it, clients another.
#[derive(Clone, Debug, Default)]
pub struct Shared {
    /// Of a data node.
    pub memory: Memory,
    /// Whether the keeper of the map has said what this node is, in this life.
    pub is_admitted: bool,
    /// Of a client.
    pub desk: Desk,
}

impl Peer {
    /// Its smart client, if it has one.
    #[must_use]
    pub fn smart(&self) -> Option<&SmartClient> {
        match self {
            Peer::Worker(worker) => Some(&worker.smart),
            Peer::Caller(caller) => Some(&caller.smart),
            Peer::Node(_)
            | Peer::Door(_)
            | Peer::Carrier(_)
            | Peer::Keeper(_)
            | Peer::Manager(_) => None,
        }
    }
}

impl Embeds<Node> for Peer {
    fn shared_part(shared: &mut Shared) -> &mut Memory {
        &mut shared.memory
    }

    fn bugs_part(outer: BugSet) -> BugSet {
        let planted = [
            (&bugs::REWRITTEN_PURGED, &node_bugs::PURGED_UNSEEN),
            (&bugs::DELETED_STAY, &node_bugs::DELETIONS_PASSED_OVER),
            (&bugs::LAST_LEFT_BEHIND, &node_bugs::LAST_WRITES_DROPPED),
            (&bugs::OLDER_VALUE_BACK, &node_bugs::EXPIRED_PASSED_OVER),
        ];
        let of_nodes = planted.into_iter().find(|(bug, _)| outer.has(bug));
        of_nodes.map_or(BugSet::NONE, |(_, bug)| BugSet::only(bug))
    }
}

impl Actor for Peer {
    type Msg = Msg;
    type Timer = Timer;
    type Phase = Phase;
    type Lock = Lock;
    type Op = Op;
    type Ret = Ret;
    type Note = Note;
    type Shared = Shared;
    type Ghost = Ghost;

    fn on_event(&mut self, event: Event<Peer>, cx: &mut Context<'_, Peer>) {
        match self {
            Peer::Node(node) => {
                if let Some(event) = event.narrow() {
                    cx.lift(|cx| node.on_event(event, cx));
                }
            }
            Peer::Door(door) => door.on_event(event, cx),
            Peer::Carrier(carrier) => carrier.on_event(event, cx),
            Peer::Keeper(keeper) => keeper.on_event(event, cx),
            Peer::Manager(manager) => manager.on_event(event, cx),
            Peer::Worker(worker) => worker.on_event(event, cx),
            Peer::Caller(caller) => caller.on_event(event, cx),
        }
    }

    fn takes(&self, op: &Op) -> Result<(), String> {
        let (is_taken, what) = match (self, op) {
            (Peer::Caller(_), Op::Ask(call)) => (call.key().is_some(), "get a"),
            (Peer::Caller(_), Op::MultiSet(..))
            | (Peer::Keeper(_), Op::Move(..) | Op::Failover(_)) => {
                return Ok(());
            }
            (Peer::Manager(_), Op::Ask(_) | Op::MultiSet(..) | Op::Move(..) | Op::Failover(_)) => {
                (false, "run 1 verify")
            }
            (Peer::Manager(_), _) => return Ok(()),
            (Peer::Caller(_), _) => (false, "get a"),
            (Peer::Keeper(_), _) => (false, "move v0 n1"),
            (Peer::Node(_) | Peer::Door(_) | Peer::Carrier(_) | Peer::Worker(_), _) => {
                return Err(format!("expected nothing, found `{op}`"));
            }
        };
        if is_taken { Ok(()) } else { Err(format!("expected one such as `{what}`, found `{op}`")) }
    }

    fn simpler(op: &Op) -> Vec<Op> {
        op::simpler(op)
    }
}
