//! Stub, replaced when the disk lands.
#![allow(missing_docs, unused)]
use crate::actor::*;
use crate::choose::*;
use crate::id::*;
use crate::time::*;
#[derive(Clone, Debug, Default)]
pub struct Disk;
impl Disk {
    pub fn heal(&mut self, _t: Time) {}
    pub fn fill_until(&mut self, _t: Time) {}
    pub fn fail_reads_until(&mut self, _t: Time) {}
    pub fn fail_writes_until(&mut self, _t: Time) {}
    pub fn fail_syncs_until(&mut self, _t: Time) {}
    pub fn slow_until(&mut self, _f: u32, _t: Time) {}
    pub fn hang_until(&mut self, _t: Time) {}
    pub fn fold_durable(&self, _m: &mut Mixer) {}
}
