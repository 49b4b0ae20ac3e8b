//! The disk as a whole: taking requests, answering them, and looking at what it holds.

use super::carry::count_error;
use super::class::{ClassSet, FileClass, GivenUp};
use super::fate::Fate;
use super::image::Image;
use super::names::Names;
use super::request::{Held, Request, detached};
use super::seen::{DiskChange, DiskSeen};
use super::sites::{DISK, Deviation};
use super::trouble::Trouble;
use crate::actor::{DiskError, DiskEvent, DiskOp, Me};
use crate::choose::{Choices, Digest, FixedState, Key};
use crate::id::{ActorId, FileId, FileName, Incarnation, RequestId};
use crate::time::{Span, Time};
use hashbrown::HashMap;
use std::hash::Hasher;

/// What a disk is like when nothing troubles it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DiskSpec {
    /// The size of a sector in bytes, at least 1: the most that is written as a whole. Real disks have 512 or 4096; a small
    /// one makes short runs reach every edge.
    pub sector: u32,
    /// How many bytes the files that have a name may hold together.
    pub capacity: u64,
    /// The calm latency of every request, at least 1 ns.
    pub base: Span,
    /// Whether writes may be misdirected and bits rot here: a budget names the nodes that it gives up. Which files,
    /// [`Disk::give_up_only`] says.
    pub fragile: bool,
}

/// Sectors of 64 bytes, a mebibyte of room, 100 microseconds.
impl Default for DiskSpec {
    fn default() -> DiskSpec {
        DiskSpec { sector: 64, capacity: 1 << 20, base: Span::us(100), fragile: true }
    }
}

/// What came of making a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Submitted {
    /// Its number: the answer carries it, and [`Disk::complete`] wants it.
    pub request: RequestId,
    /// How long until [`Disk::complete`] is to be called; `None`: never.
    pub due: Option<Span>,
    /// The outcome of the site [`DISK`], 0 for calm.
    pub outcome: u32,
}

/// A file: its bytes, whatever it is called.
#[derive(Clone, Debug)]
pub(super) struct File {
    pub(super) id: FileId,
    /// The name, or the last one that it had.
    pub(super) name: FileName,
    /// Whether it has that name now.
    pub(super) named: bool,
    /// Whether the present process has opened it.
    pub(super) open: bool,
    pub(super) image: Image,
}

/// The disk of one node.
///
/// An engine calls [`Disk::submit`] when an actor makes a request and [`Disk::complete`] when its latency is over; that is
/// the moment at which it is carried out. [`Disk::crash`], [`Disk::kill`] and [`Disk::wipe`] are its ends.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    pub(super) spec: DiskSpec,
    given_up: GivenUp,
    trouble: Trouble,
    pub(super) names: Names,
    /// By id. Between two deaths files only come, at the end, so that requests may hold indexes.
    pub(super) files: Vec<File>,
    /// By id.
    pub(super) requests: Vec<Request>,
    pub(super) last_file: u32,
    last_request: u32,
    /// The lengths of the files that have a name, together.
    pub(super) used: u64,
    /// How many requests of a kind a file has had in this incarnation; counted only while somebody asks.
    counts: HashMap<(u64, u16), u32, FixedState>,
    counts_of: Option<Incarnation>,
    pub(super) seen: DiskSeen,
    pub(super) spare_images: Vec<Image>,
    pub(super) spare_held: Vec<Held>,
    /// Scratch: the versions of sectors that were decided about, to find torn writes.
    pub(super) decided: Vec<(u32, bool)>,
}

/// In place of a kind, for the count of failed syncs.
const FAILED_SYNC: u16 = u16::MAX;

impl Disk {
    /// Becomes an empty, healthy disk. Keeps its memory.
    ///
    /// # Panics
    /// If the size of a sector is 0, or the capacity is more than 2^32 - 2 sectors: plans are checked before.
    pub fn reset(&mut self, spec: DiskSpec) {
        assert!(spec.sector > 0, "a sector has at least one byte");
        let sectors = spec.capacity / u64::from(spec.sector);
        assert!(sectors < u64::from(u32::MAX) - 1, "sectors have 32-bit numbers");
        self.spec = spec;
        self.given_up.reset();
        // A disk that nobody has asked for anything is empty; worlds are reset more often than some are written to.
        if self.last_request == 0 && self.trouble == Trouble::NONE {
            return;
        }
        self.wipe();
        self.trouble = Trouble::NONE;
        self.last_file = 0;
        self.last_request = 0;
        self.counts.clear();
        self.counts_of = None;
        self.seen = DiskSeen::default();
    }

    /// Of the files, which have these classes, only those of some may be damaged from now on. Without classes all may.
    pub fn give_up_only(&mut self, classes: &[FileClass], some: ClassSet) {
        self.given_up.only(classes, some);
    }

    /// Whether the disk as a whole may be lost.
    #[must_use]
    pub fn may_be_wiped(&self) -> bool {
        self.spec.fragile && self.given_up.all()
    }

    /// Takes a request, with a copy of its data. It is carried out by [`Disk::complete`].
    pub fn submit(
        &mut self,
        from: Me,
        op: DiskOp<'_>,
        now: Time,
        choices: &mut Choices,
    ) -> Submitted {
        self.last_request += 1;
        let request = RequestId(self.last_request);
        let (outcome, key) = self.ask(from, &op, choices);
        let file = op.file().and_then(|id| self.open_index(id));
        let mut deviation = self.within_budget(Deviation::of(outcome, op.kind()), file);
        // An outcome that means nothing here has not happened.
        let outcome = if deviation == Deviation::Calm { 0 } else { outcome };
        let due = self.latency(deviation, now);
        let chosen = deviation == Deviation::Error;
        if self.trouble.fails(op.kind(), now) {
            deviation = Deviation::Error;
        }
        let held = self.hold(op, file);
        let full = now < self.trouble.full_until;
        let op = detached(op);
        let taken = Request { id: request, from, op, file, held, deviation, chosen, full, key };
        self.requests.push(taken);
        Submitted { request, due, outcome }
    }

    /// Carries a request out, at this moment, and answers it: to whom, and what. `None` if there is no such request: it was
    /// made by an earlier incarnation. `on_change` is told what the answer does not tell.
    pub fn complete(
        &mut self,
        request: RequestId,
        choices: &mut Choices,
        mut on_change: impl FnMut(DiskChange),
    ) -> Option<(ActorId, DiskEvent)> {
        let index = self.requests.binary_search_by_key(&request, |r| r.id).ok()?;
        let mut carried = self.requests.remove(index);
        // Its file may have got another name meanwhile.
        carried.deviation = self.within_budget(carried.deviation, carried.file);
        let Me { actor, node, incarnation } = carried.from;
        let mut fate = Fate { node, incarnation, choices, on_change: &mut on_change };
        let result = self.carry_out(&mut carried, &mut fate);
        if let Err(error) = result {
            count_error(&mut self.seen, error, carried.op.kind());
            self.seen.chosen_errors += u64::from(carried.chosen && error == DiskError::Io);
        }
        self.recycle(carried.held);
        Some((actor, DiskEvent { request, result }))
    }

    /// What troubles it.
    #[must_use]
    pub fn trouble(&self) -> &Trouble {
        &self.trouble
    }

    /// The same, to be troubled.
    pub fn trouble_mut(&mut self) -> &mut Trouble {
        &mut self.trouble
    }

    /// Ends all trouble at `now`. What was never answered stays so.
    pub fn heal(&mut self, now: Time) {
        self.trouble.heal(now);
    }

    /// What really happened since the disk was reset.
    #[must_use]
    pub fn seen(&self) -> &DiskSeen {
        &self.seen
    }

    /// The name of a file, or the last one that it had; `None` if there is no such file.
    #[must_use]
    pub fn name_of(&self, file: FileId) -> Option<FileName> {
        self.index(file).map(|i| self.files[i].name)
    }

    /// What a file holds as it reads now, by name.
    #[must_use]
    pub fn content(&self, name: FileName) -> Option<&[u8]> {
        let i = self.index(self.names.current().get(name)?)?;
        Some(self.files[i].image.content())
    }

    /// What a file would hold after a power loss that loses all that may be lost, by durable name.
    #[must_use]
    pub fn durable(&self, name: FileName) -> Option<&[u8]> {
        let i = self.index(self.names.durable().get(name)?)?;
        Some(self.files[i].image.durable())
    }

    /// The names that a power loss cannot take, in order.
    pub fn durable_names(&self) -> impl Iterator<Item = FileName> + '_ {
        self.names.durable().iter().map(|(name, _)| name)
    }

    /// Folds every durable image, in the order of names.
    pub fn fold_durable(&self, into: &mut Digest) {
        for name in self.durable_names() {
            let bytes = self.durable(name).expect("a durable name has a file");
            into.write_u64(name.word());
            into.write_u64(bytes.len() as u64);
            into.write(bytes);
        }
    }

    /// Where a file is in `files`.
    pub(super) fn index(&self, file: FileId) -> Option<usize> {
        self.files.binary_search_by_key(&file, |f| f.id).ok()
    }

    fn open_index(&self, file: FileId) -> Option<usize> {
        self.index(file).filter(|i| self.files[*i].open)
    }

    /// The count of failed syncs of this name in this incarnation, the present one included.
    pub(super) fn count_failed_sync(&mut self, incarnation: Incarnation, file: FileName) -> u32 {
        self.count(incarnation, file.word(), FAILED_SYNC)
    }

    pub(super) fn recycle(&mut self, mut held: Held) {
        held.clear();
        self.spare_held.push(held);
    }

    /// Decides how a request deviates. While nobody can answer anything but 0, no key is made and nothing is counted.
    fn ask(&mut self, from: Me, op: &DiskOp<'_>, choices: &mut Choices) -> (u32, Key) {
        if !choices.is_live(&DISK) {
            return (0, Key::disk(0, 0, 0, 0, 0));
        }
        let word = match *op {
            DiskOp::Open(name)
            | DiskOp::Create(name)
            | DiskOp::Rename { from: name, .. }
            | DiskOp::Remove(name) => name.word(),
            DiskOp::List | DiskOp::SyncDir => 0,
            _ => op.file().and_then(|id| self.name_of(id)).map_or(0, FileName::word),
        };
        let kind = op.kind() as u16;
        let n = self.count(from.incarnation, word, kind);
        let key = Key::disk(from.node.0, from.incarnation.0, word, kind, n);
        (choices.choose(&DISK, key), key)
    }

    fn count(&mut self, incarnation: Incarnation, word: u64, kind: u16) -> u32 {
        if self.counts_of != Some(incarnation) {
            self.counts_of = Some(incarnation);
            self.counts.clear();
        }
        let n = self.counts.entry((word, kind)).or_insert(0);
        *n += 1;
        *n
    }

    /// The same, or calm if it would damage a file that is not given up.
    fn within_budget(&self, deviation: Deviation, file: Option<usize>) -> Deviation {
        let damages = matches!(deviation, Deviation::Misdirect | Deviation::Rot);
        let may = || self.spec.fragile && self.given_up.file(file.map(|i| self.files[i].name));
        if damages && !may() { Deviation::Calm } else { deviation }
    }

    fn latency(&mut self, deviation: Deviation, now: Time) -> Option<Span> {
        if deviation == Deviation::Hang || now < self.trouble.hang_until {
            self.seen.hung += 1;
            self.seen.chosen_hung += u64::from(deviation == Deviation::Hang);
            return None;
        }
        let factor = self.trouble.factor(now);
        let extra = if let Deviation::Slow(span) = deviation { span } else { Span(0) };
        self.seen.slow += u64::from(factor > 1 || extra > Span(0));
        self.seen.chosen_slow += u64::from(extra > Span(0));
        Some(self.spec.base.at_least(Span::LEAST).times(factor) + extra)
    }

    fn hold(&mut self, op: DiskOp<'_>, file: Option<usize>) -> Held {
        let mut held = self.spare_held.pop().unwrap_or_default();
        match op {
            DiskOp::Write { data, .. } | DiskOp::Append { data, .. } => {
                held.bytes.extend_from_slice(data);
            }
            DiskOp::Sync(_) => {
                if let Some(i) = file {
                    self.files[i].image.begin_sync(&mut held);
                }
            }
            DiskOp::SyncDir => held.names = self.names.mark(),
            _ => {}
        }
        held
    }
}
