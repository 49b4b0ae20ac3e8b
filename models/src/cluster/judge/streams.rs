//! What the streams of a node promise wherever they run, looked at when their sender has done something.

use seedbed_sim::check::Checked;
use seedbed_sim::id::NodeId;
use seedbed_sim::time::Time;
use seedbed_sim::world::{Step, World};

use crate::cluster::checks::is_loaded;
use crate::cluster::model::Node;
use crate::tap::checks::KEPT_ALIVE;
use crate::tap::frame::Name;
use crate::tap::model::Node as TapNode;
use crate::tap::shared::Tap;

use super::{Ghost, Judged};

impl Ghost {
    /// A stream has a connection again: if it comes back in time, it is remembered.
    pub(super) fn connected(
        &mut self,
        world: &World<Node>,
        (node, at): (NodeId, Time),
        stream: (Name, bool),
    ) -> Judged {
        let keep_alive = world.shared(node).tap.tap.settings.keep_alive;
        let node = (node, world.incarnation(node));
        match self.away.back(node, stream, at, keep_alive) {
            Checked::Broken(class, detail) => return Err((KEPT_ALIVE, class, detail)),
            Checked::Held => self.said.push(KEPT_ALIVE),
            Checked::Skipped => {}
        }
        Ok(())
    }
}

/// What the streams of the node have, whose sender has done this step.
fn sent<'w>(world: &'w World<Node>, step: &Step) -> Option<&'w Tap> {
    let is_sender = |actor| matches!(world.actor(actor), Node::Tap(TapNode::Sender(_)));
    let node: NodeId = step.node.filter(|node| is_loaded(world, *node))?;
    step.actor.filter(|actor| is_sender(*actor))?;
    Some(&world.shared(node).tap.tap)
}

/// Nothing waits of what is not in the filter.
pub(in crate::cluster) fn filtered(world: &World<Node>, step: &Step) -> Checked {
    let Some(tap) = sent(world, step) else { return Checked::Skipped };
    let mut checked = Checked::Skipped;
    for (name, producer) in &tap.producers {
        for vb in producer.queued() {
            checked = Checked::Held;
            if !producer.streams().contains_key(&vb) {
                return Checked::Broken("outside", format!("{name} has something of {vb}"));
            }
        }
    }
    checked
}

/// The window is kept.
pub(in crate::cluster) fn window_kept(world: &World<Node>, step: &Step) -> Checked {
    let Some(tap) = sent(world, step) else { return Checked::Skipped };
    let most = tap.settings.window as usize;
    let mut checked = Checked::Skipped;
    for (name, producer) in &tap.producers {
        checked = Checked::Held;
        if producer.unanswered() > most {
            let detail = format!("{name} has {} of {most}", producer.unanswered());
            return Checked::Broken("too many", detail);
        }
    }
    checked
}

/// Who has given its vbuckets away is not suspended.
pub(in crate::cluster) fn not_held_up(world: &World<Node>, step: &Step) -> Checked {
    let Some(tap) = sent(world, step) else { return Checked::Skipped };
    let mut checked = Checked::Skipped;
    for (name, producer) in tap.producers.iter().filter(|(_, producer)| !producer.is_copying()) {
        checked = Checked::Held;
        if producer.is_suspended() {
            return Checked::Broken("suspended", format!("{name} waits after a rejection"));
        }
    }
    checked
}
