//! Tests of the disk, by what they are about. The model that the property test compares with shares no code with it.

mod deaths;
mod faults;
mod files;
mod looks;
mod model;
mod names;
mod property;
mod syncs;

use super::*;
use crate::actor::{DiskDone, DiskError, DiskEvent, DiskKind, DiskOp, Me};
use crate::choose::{Choices, Decision, Key, Odds, Site};
use crate::id::{ActorId, FileId, FileName, Incarnation, NodeId, RequestId};
use crate::time::{Span, Time};

pub(super) const WAL: FileName = FileName::new("wal");
pub(super) const TMP: FileName = FileName::new("tmp");
pub(super) const DB: FileName = FileName::new("db");
const SPEC: DiskSpec = DiskSpec { sector: 4, capacity: 100, base: Span::us(100), fragile: true };
const ALWAYS: Odds = Odds::new(&[0, 1]);

/// A disk with four-byte sectors, and what it takes to talk to it.
#[derive(Clone)]
pub(super) struct Rig {
    pub(super) disk: Disk,
    pub(super) choices: Choices,
    pub(super) me: Me,
    pub(super) now: Time,
    pub(super) changes: Vec<DiskChange>,
}

impl Rig {
    pub(super) fn new() -> Rig {
        let mut choices = Choices::default();
        choices.reset(1);
        let mut disk = Disk::default();
        disk.reset(SPEC);
        let me = Me { actor: ActorId(3), node: NodeId(2), incarnation: Incarnation(1) };
        Rig { disk, choices, me, now: Time(1_000), changes: Vec::new() }
    }

    /// At a crash, and at a failed sync, everything is kept.
    pub(super) fn keep_all(&mut self) {
        self.choices.set_odds(SECTOR.id, ALWAYS);
        self.choices.set_odds(NAMES.id, ALWAYS);
    }

    pub(super) fn force(&mut self, site: &Site, key: Key, outcome: u32) {
        self.choices.force(Decision { site: site.id, key, outcome });
    }

    /// Forces the fate of one sector.
    pub(super) fn keep(&mut self, file: FileName, moment: u16, sector: u32) {
        let (node, incarnation) = (self.me.node.0, self.me.incarnation.0);
        self.force(&SECTOR, Key::sector(node, incarnation, file.word(), moment, sector), 1);
    }

    /// Forces the fate of one change of a name.
    pub(super) fn keep_name(&mut self, name: FileName, moment: u16, n: u32) {
        let (node, incarnation) = (self.me.node.0, self.me.incarnation.0);
        self.force(&NAMES, Key::sector(node, incarnation, name.word(), moment, n), 1);
    }

    /// Forces the named outcome on the `n`-th request of a kind.
    pub(super) fn deviate(&mut self, file: Option<FileName>, kind: DiskKind, n: u32, how: &str) {
        let (node, incarnation) = (self.me.node.0, self.me.incarnation.0);
        let word = file.map_or(0, FileName::word);
        let outcome = DISK.outcomes.iter().position(|o| *o == how).unwrap() + 1;
        let key = Key::disk(node, incarnation, word, kind as u16, n);
        self.force(&DISK, key, u32::try_from(outcome).unwrap());
    }

    pub(super) fn submit(&mut self, op: DiskOp<'_>) -> RequestId {
        self.disk.submit(self.me, op, self.now, &mut self.choices).request
    }

    pub(super) fn complete(&mut self, request: RequestId) -> Result<DiskDone, DiskError> {
        let (to, event) = self.try_complete(request).expect("a request in flight");
        assert_eq!((to, event.request), (self.me.actor, request));
        event.result
    }

    pub(super) fn try_complete(&mut self, request: RequestId) -> Option<(ActorId, DiskEvent)> {
        self.disk.complete(request, &mut self.choices, |change| self.changes.push(change))
    }

    /// Makes a request and carries it out at once.
    pub(super) fn run(&mut self, op: DiskOp<'_>) -> Result<DiskDone, DiskError> {
        let request = self.submit(op);
        self.complete(request)
    }

    pub(super) fn create(&mut self, name: FileName) -> FileId {
        opened(self.run(DiskOp::Create(name)))
    }

    pub(super) fn open(&mut self, name: FileName) -> FileId {
        opened(self.run(DiskOp::Open(name)))
    }

    pub(super) fn write(&mut self, file: FileId, offset: u64, data: &[u8]) {
        self.run(DiskOp::Write { file, offset, data }).expect("a write");
    }

    pub(super) fn sync(&mut self, file: FileId) {
        assert_eq!(self.run(DiskOp::Sync(file)), Ok(DiskDone::Done));
    }

    /// A sync that fails.
    pub(super) fn fail_sync(&mut self, file: FileId) {
        self.disk.trouble_mut().sync_error_until = Time(u64::MAX);
        assert_eq!(self.run(DiskOp::Sync(file)), Err(DiskError::Io));
        self.disk.heal(self.now);
    }

    pub(super) fn sync_dir(&mut self) {
        assert_eq!(self.run(DiskOp::SyncDir), Ok(DiskDone::Done));
    }

    /// A file with a durable name and this durable content.
    pub(super) fn file(&mut self, name: FileName, data: &[u8]) -> FileId {
        let file = self.create(name);
        self.write(file, 0, data);
        self.sync(file);
        self.sync_dir();
        file
    }

    pub(super) fn read(&mut self, file: FileId) -> Vec<u8> {
        match self.run(DiskOp::Read { file, offset: 0, len: u32::MAX }) {
            Ok(DiskDone::Read(data)) => data,
            other => panic!("a read answered {other:?}"),
        }
    }

    pub(super) fn crash(&mut self) {
        let Me { node, incarnation, .. } = self.me;
        self.disk.crash(node, incarnation, &mut self.choices, |change| self.changes.push(change));
        self.me.incarnation.0 += 1;
    }

    pub(super) fn kill(&mut self) {
        let Me { node, incarnation, .. } = self.me;
        self.disk.kill(node, incarnation, &mut self.choices, |change| self.changes.push(change));
        self.me.incarnation.0 += 1;
    }

    pub(super) fn content(&self, name: FileName) -> Option<&[u8]> {
        self.disk.content(name)
    }

    pub(super) fn listed(&mut self) -> Vec<(FileName, u64)> {
        match self.run(DiskOp::List) {
            Ok(DiskDone::Listed(files)) => files,
            other => panic!("a list answered {other:?}"),
        }
    }
}

fn opened(answer: Result<DiskDone, DiskError>) -> FileId {
    match answer {
        Ok(DiskDone::Opened { file, .. }) => file,
        other => panic!("an open answered {other:?}"),
    }
}
