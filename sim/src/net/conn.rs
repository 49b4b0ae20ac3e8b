//! Stub, replaced when connections land.
#![allow(missing_docs, unused)]
use super::Links;
use crate::actor::*;
use crate::choose::*;
use crate::id::*;
use crate::time::*;
#[derive(Clone, Copy, Debug, Hash)]
pub struct Wake {
    pub due: Time,
    pub conn: ConnId,
}
#[derive(Clone, Copy, Debug)]
pub struct End {
    pub actor: ActorId,
    pub node: NodeId,
    pub incarnation: Incarnation,
}
#[derive(Clone, Debug, Default)]
pub struct Conns;
impl Conns {
    pub fn reset(&mut self, _b: u32) {}
    pub fn heal(&mut self, _t: Time) {}
    pub fn refuse_connects(&mut self, _n: NodeId, _t: Time) {}
    pub fn hang_connects(&mut self, _n: NodeId, _t: Time) {}
}
