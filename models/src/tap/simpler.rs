//! What is simpler than an operation: what shrinking tries in its place.

use seedbed_sim::actor::Actor;

use crate::vbucket::model::Node as DataNode;

use super::op::Op;

/// Simpler operations, the simplest first.
pub(super) fn simpler(op: &Op) -> Vec<Op> {
    match op {
        Op::Data(call) => DataNode::simpler(call).into_iter().map(Op::Data).collect(),
        Op::Filter(..) | Op::Move(..) | Op::Reconnect(_) => Vec::new(),
    }
}
