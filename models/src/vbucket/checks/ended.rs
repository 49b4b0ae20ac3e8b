//! Promises about a run as a whole.

use seedbed_sim::actor::{HistoryEvent, Outcome};
use seedbed_sim::check::{Checked, Decided};
use seedbed_sim::id::OpId;
use seedbed_sim::nemesis::Config;
use seedbed_sim::world::World;

use super::memory;
use crate::vbucket::judge::Ghost;
use crate::vbucket::model::Node;
use crate::vbucket::op::State;
use crate::vbucket::response::Answer;
use crate::vbucket::scenario::KEYS;

/// At rest every counter is what was seen to happen.
pub(super) fn counted(world: &World<Node>, ghost: &Ghost, _: &Config) -> Decided {
    let Some(memory) = memory(world) else { return Ok(Checked::Skipped) };
    for (vb, vbucket) in &memory.vbs {
        let Some(life) = ghost.lives.get(vb).and_then(|lives| lives.last()) else { continue };
        let (counted, seen) = (vbucket.counters, life.counts());
        if counted != seen {
            let detail = format!("{vb} has counted {counted:?}, there were {seen:?}");
            return Ok(Checked::Broken("another count", detail));
        }
    }
    Ok(Checked::Held)
}

pub(super) fn told(world: &World<Node>, ghost: &Ghost, config: &Config) -> Decided {
    let mut checked = Checked::Skipped;
    if let Some(number) = unread(world, ghost, config) {
        let detail = format!("#{number} reads back in a healthy world, and learns nothing");
        return Ok(Checked::Broken("no answer", detail));
    }
    for event in &world.history().events {
        if let HistoryEvent::Completed { op, outcome: Outcome::Ok(answer), .. } = event {
            checked = Checked::Held;
            if matches!(world.actor(op.client), Node::Master(_)) {
                continue;
            }
            let given = ghost.answers.get(op);
            if !given.is_some_and(|given| given.contains(answer)) {
                let detail = format!("#{} was told `{answer}`", op.number);
                return Ok(Checked::Broken("another answer", detail));
            }
        }
    }
    Ok(checked)
}

/// A reading back that came to nothing: the last operations of a run are those. Where a vbucket is pending clients wait,
/// and a node may still stop for a request to the disk that got no answer before the heal.
fn unread(world: &World<Node>, ghost: &Ghost, config: &Config) -> Option<u32> {
    let memory = memory(world)?;
    let is_pending = memory.vbs.values().any(|vb| vb.standing.state == State::Pending);
    let asked_at = |wanted: &OpId| {
        let mut events = world.history().events.iter().rev();
        events.find_map(|event| match event {
            HistoryEvent::Invoked { op, at, .. } if op == wanted => Some(*at),
            _ => None,
        })
    };
    let completed = world.history().events.iter().rev().filter_map(|event| match event {
        HistoryEvent::Completed { op, outcome, .. } => Some((op, outcome)),
        HistoryEvent::Invoked { .. } => None,
    });
    let mut reads = completed.take(config.count(KEYS.name)).filter(|_| !is_pending);
    let is_in_vain = |(op, outcome): &(&OpId, &Outcome<Answer>)| {
        !matches!(outcome, Outcome::Ok(_)) && asked_at(op) >= Some(ghost.loaded_at)
    };
    reads.find(is_in_vain).map(|(op, _)| op.number)
}
