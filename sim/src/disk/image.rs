//! What one file holds, twice: as it reads (the pending image), and as it would survive a power loss (the durable one).
//!
//! Every write that lands has a version, and every sector, like the length, knows three of them: the one that waits for a
//! sync, the newest one that is durable, and the last one that a failed sync dropped. A sync takes a copy of what waits
//! when it is issued; when it is answered, that copy becomes durable unless something newer already has. So syncs in
//! flight may be answered in any order, and writes may land meanwhile. The length stands for the zeros too: when it
//! becomes durable, so does every cut before it, and what was cut off is not seen again when the file grows.

use super::request::Held;
use super::sites::LENGTH;

/// The versions of one sector, or of the length. 0 is none.
#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    /// Landed, and no sync has decided about it.
    pending: u32,
    /// Durable.
    stored: u32,
    /// Dropped by a failed sync: no success that comes later covers it.
    dropped: u32,
}

impl Mark {
    /// Whether a sync that has a copy of this version still decides about it.
    const fn is_open(self, version: u32) -> bool {
        version > self.stored && version != self.dropped
    }

    const fn settle(&mut self, version: u32, kept: bool) {
        if kept {
            self.stored = version;
        } else {
            self.dropped = version;
        }
        if self.pending == version {
            self.pending = 0;
        }
    }
}

/// The bytes of one file.
#[derive(Clone, Debug, Default)]
pub(super) struct Image {
    /// The size of a sector in bytes.
    size: usize,
    len: usize,
    /// Whole sectors, zero beyond `len`.
    bytes: Vec<u8>,
    durable_len: usize,
    /// Whole sectors, zero beyond `durable_len`.
    durable: Vec<u8>,
    length: Mark,
    /// The cuts that no durable length covers, oldest first: version and length.
    cuts: Vec<(u32, usize)>,
    /// The cuts that became durable while syncs were in flight, which must not bring back what is beyond.
    made: Vec<(u32, usize)>,
    /// By sector. It never gets shorter before a crash: a sync in flight may know sectors that were cut off.
    marks: Vec<Mark>,
    /// The sectors that have a pending version.
    dirty: Vec<u32>,
    version: u32,
    /// How many syncs are in flight.
    syncing: u32,
}

impl Image {
    /// An empty file. Keeps its memory.
    pub(super) fn clear(&mut self, size: usize) {
        self.size = size;
        self.durable_len = 0;
        self.durable.clear();
        self.revert();
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The file as it reads.
    pub(super) fn content(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// The file as it would be after a power loss that loses all that may be lost.
    pub(super) fn durable(&self) -> &[u8] {
        &self.durable[..self.durable_len]
    }

    /// Whether some sector, or the length, has no sync behind it.
    pub(super) fn is_pending(&self) -> bool {
        self.length.pending != 0 || !self.dirty.is_empty()
    }

    /// Lands a write.
    pub(super) fn write(&mut self, offset: usize, data: &[u8]) {
        self.write_where(offset, data, |_| true);
    }

    /// Lands those sectors of a write of which `lands` says so; answers how many bytes that was.
    pub(super) fn write_where(
        &mut self,
        offset: usize,
        data: &[u8],
        mut lands: impl FnMut(u32) -> bool,
    ) -> usize {
        if data.is_empty() {
            return 0;
        }
        self.version += 1;
        let end = offset + data.len();
        let mut landed = 0;
        let mut at = offset;
        while at < end {
            let to = end.min((at / self.size + 1) * self.size);
            if lands(self.sector_at(at)) {
                self.put(at, &data[at - offset..to - offset]);
                landed += to - at;
            }
            at = to;
        }
        landed
    }

    /// Lands a write that was meant for `meant` at `at` instead. The file gets the length that was meant; what would go
    /// beyond is cut off.
    pub(super) fn misdirect(&mut self, meant: usize, at: usize, data: &[u8]) {
        self.version += 1;
        self.reach(meant + data.len());
        let fits = data.len().min(self.len - at);
        self.write_where(at, &data[..fits], |_| true);
    }

    /// Cuts or extends with zeros.
    pub(super) fn set_len(&mut self, len: usize) {
        if len == self.len {
            return;
        }
        self.version += 1;
        if len > self.len {
            self.grow(len);
            return;
        }
        self.bytes.truncate(len.next_multiple_of(self.size));
        self.bytes[len..].fill(0);
        let sectors = self.bytes.len() / self.size;
        let Image { dirty, marks, .. } = self;
        dirty.retain(|s| {
            let stays = (*s as usize) < sectors;
            if !stays {
                marks[*s as usize].pending = 0;
            }
            stays
        });
        self.len = len;
        self.length.pending = self.version;
        self.cuts.push((self.version, len));
    }

    /// Flips a bit in both images.
    pub(super) fn flip(&mut self, at: usize, bit: u8) {
        self.bytes[at] ^= 1 << bit;
        if at < self.durable_len {
            self.durable[at] ^= 1 << bit;
        }
    }

    /// Flips a bit in what a sync in flight holds.
    pub(super) fn flip_copy(&self, held: &mut Held, at: usize, bit: u8) {
        let sector = self.sector_at(at);
        if let Some(i) = held.sectors.iter().position(|(s, _)| *s == sector) {
            held.bytes[i * self.size + at % self.size] ^= 1 << bit;
        }
    }

    /// Issues a sync: copies what is pending into `held`.
    pub(super) fn begin_sync(&mut self, held: &mut Held) {
        self.copy_pending(held);
        self.syncing += 1;
    }

    /// A sync in flight has come to its end.
    pub(super) fn end_sync(&mut self) {
        self.syncing -= 1;
        if self.syncing == 0 {
            self.made.clear();
        }
    }

    /// All syncs in flight have died.
    pub(super) fn forget_syncs(&mut self) {
        self.syncing = 0;
        self.made.clear();
    }

    /// Copies what is pending into `held`.
    pub(super) fn copy_pending(&self, held: &mut Held) {
        for sector in &self.dirty {
            let start = *sector as usize * self.size;
            held.sectors.push((*sector, self.marks[*sector as usize].pending));
            held.bytes.extend_from_slice(&self.bytes[start..start + self.size]);
        }
        held.version = self.version;
        held.len = self.len;
        held.len_version = self.length.pending;
    }

    /// Takes out of a copy what is pending in the same version, so that it is decided about only once.
    pub(super) fn forget_current(&self, held: &mut Held) {
        for (sector, version) in &mut held.sectors {
            if self.marks[*sector as usize].pending == *version {
                *version = 0;
            }
        }
        if self.length.pending == held.len_version {
            held.len_version = 0;
        }
    }

    /// Decides about everything in `held`: what is kept becomes durable, what is not is never covered by a later sync.
    /// `keeps` gets the sector and its version, [`LENGTH`] first. Nobody is asked about a sector that reaches beyond the
    /// durable length: it goes with the length, for a part of a sector is never stored.
    pub(super) fn settle(&mut self, held: &Held, mut keeps: impl FnMut(u32, u32) -> bool) {
        self.settle_len(held, &mut keeps);
        let newer = self.made.iter().filter(|cut| cut.0 > held.version).map(|cut| cut.1);
        let end = newer.fold(held.len, usize::min);
        for (i, (sector, version)) in held.sectors.iter().enumerate() {
            let start = *sector as usize * self.size;
            let mark = &mut self.marks[*sector as usize];
            if mark.is_open(*version) {
                let len = end.saturating_sub(start).min(self.size);
                let whole = len > 0 && start + len <= self.durable_len;
                let kept = whole && keeps(*sector, *version);
                mark.settle(*version, kept);
                if kept {
                    let (stays, zeros) = self.durable[start..start + self.size].split_at_mut(len);
                    let from = i * self.size;
                    stays.copy_from_slice(&held.bytes[from..from + len]);
                    zeros.fill(0);
                }
            }
        }
        let marks = &self.marks;
        self.dirty.retain(|s| marks[*s as usize].pending != 0);
    }

    fn settle_len(&mut self, held: &Held, keeps: &mut impl FnMut(u32, u32) -> bool) {
        let version = held.len_version;
        if !self.length.is_open(version) {
            return;
        }
        let cuts = self.cuts.iter().take_while(|cut| cut.0 <= version).count();
        let same = cuts == 0 && held.len == self.durable_len;
        let kept = same || keeps(LENGTH, version);
        self.length.settle(version, kept);
        if kept {
            for i in 0..cuts {
                let (version, len) = self.cuts[i];
                self.cut_durable(version, len);
            }
            self.cuts.drain(..cuts);
            self.durable.resize(held.len.next_multiple_of(self.size), 0);
            self.durable[held.len..].fill(0);
            self.durable_len = held.len;
        }
    }

    /// Decides about everything in `held`, which is all that is pending, at a power loss. The file ends here for this
    /// process, so what is kept may be cut off at a length that is older: only what lies wholly beyond is not asked about.
    pub(super) fn crash(&mut self, held: &Held, mut keeps: impl FnMut(u32, u32) -> bool) {
        self.settle_len(held, &mut keeps);
        for (i, (sector, version)) in held.sectors.iter().enumerate() {
            let start = *sector as usize * self.size;
            if start < self.durable_len && keeps(*sector, *version) {
                let len = self.size.min(self.durable_len - start);
                let from = &held.bytes[i * self.size..i * self.size + len];
                self.durable[start..start + len].copy_from_slice(from);
            }
        }
        self.revert();
    }

    /// After a power loss the file is what was durable, and nothing is pending.
    pub(super) fn revert(&mut self) {
        self.bytes.clone_from(&self.durable);
        self.len = self.durable_len;
        self.length = Mark::default();
        self.cuts.clear();
        self.made.clear();
        self.marks.clear();
        self.dirty.clear();
        self.version = 0;
        self.syncing = 0;
    }

    /// The sector that a byte lies in.
    pub(super) fn sector_at(&self, at: usize) -> u32 {
        u32::try_from(at / self.size).expect("the capacity in sectors fits 32 bits")
    }

    /// Lands a part of a write that lies within one sector.
    fn put(&mut self, at: usize, part: &[u8]) {
        self.reach(at + part.len());
        self.bytes[at..at + part.len()].copy_from_slice(part);
        self.touch(self.sector_at(at));
    }

    /// Extends the file for a write that ends at `end`.
    fn reach(&mut self, end: usize) {
        if end > self.len {
            self.grow(end);
            return;
        }
        // The bytes are worth nothing without the length. So a write carries the length along whenever the durable one may
        // turn out too short for its sector: a failed sync may have dropped it, and one in flight may still cut it.
        let whole = end.next_multiple_of(self.size).min(self.len);
        if whole > self.durable_len || self.length.pending != 0 || self.syncing > 0 {
            self.length.pending = self.version;
        }
    }

    fn grow(&mut self, len: usize) {
        self.bytes.resize(len.next_multiple_of(self.size), 0);
        self.len = len;
        self.length.pending = self.version;
    }

    /// A cut becomes durable: what is older and beyond it reads as zeros, also if the file has grown again since.
    fn cut_durable(&mut self, version: u32, len: usize) {
        for (s, sector) in self.durable.chunks_exact_mut(self.size).enumerate() {
            if self.marks.get(s).is_none_or(|mark| mark.stored < version) {
                let stays = len.saturating_sub(s * self.size).min(self.size);
                sector[stays..].fill(0);
            }
        }
        if self.syncing > 0 {
            self.made.push((version, len));
        }
    }

    fn touch(&mut self, sector: u32) {
        let i = sector as usize;
        if self.marks.len() <= i {
            self.marks.resize(i + 1, Mark::default());
        }
        if self.marks[i].pending == 0 {
            self.dirty.push(sector);
        }
        self.marks[i].pending = self.version;
    }
}
