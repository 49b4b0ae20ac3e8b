//! Connections and disks of a world: the floors below decide what happens, this puts it on the agenda.

use super::core::Core;
use crate::actor::{Actor, CloseReason, ConnEvent, DiskEvent, DiskOp, Me};
use crate::fault::{ConnTrouble, Death, Kind};
use crate::id::{ActorId, ConnId, Incarnation, NodeId, RequestId, StepId};
use crate::net::{End, Wake};

impl<A: Actor> Core<A> {
    pub(crate) fn io_reset(&mut self, nodes: usize) {
        self.conns.reset(self.run.buffer);
        self.disks.resize_with(nodes, Default::default);
    }
    pub(crate) fn io_connect(&mut self, _me: Me, _to: ActorId) -> ConnId {
        ConnId(0)
    }
    pub(crate) fn io_write(&mut self, _me: Me, _conn: ConnId, _data: &[u8]) -> usize {
        0
    }
    pub(crate) fn io_read(
        &mut self,
        _me: Me,
        _conn: ConnId,
        _max: usize,
        _into: &mut Vec<u8>,
    ) -> usize {
        0
    }
    pub(crate) fn io_close(&mut self, _me: Me, _conn: ConnId, _reason: CloseReason) {}
    pub(crate) fn io_disk(&mut self, _me: Me, _op: DiskOp<'_>) -> RequestId {
        RequestId(0)
    }
    pub(crate) fn io_disk_done(
        &mut self,
        _node: NodeId,
        _request: RequestId,
    ) -> Option<(ActorId, DiskEvent)> {
        None
    }
    pub(crate) fn io_wake(&mut self, _wake: Wake, _cause: StepId) -> Option<(End, ConnEvent)> {
        None
    }
    pub(crate) fn io_down(&mut self, _node: NodeId, _death: Death, _after: Incarnation) {}
    pub(crate) fn trouble_conns(&mut self, _t: ConnTrouble, _a: NodeId, _b: NodeId) -> bool {
        false
    }
    pub(crate) fn seen_by_conns(&self, _kind: Kind) -> u32 {
        0
    }
    pub(crate) fn seen_by_disks(&self, _kind: Kind) -> u32 {
        0
    }
}
