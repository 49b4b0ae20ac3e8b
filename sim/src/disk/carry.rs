//! What each request does when it is carried out.

use super::device::{Disk, File};
use super::fate::Fate;
use super::names::NameChange;
use super::request::{Held, Request};
use super::seen::{DiskChange, DiskSeen};
use super::sites::{CRASH, DISK, Deviation, IN_FLIGHT, LENGTH};
use super::trouble::Class;
use crate::actor::{DiskDone, DiskError, DiskKind, DiskOp};
use crate::id::{FileId, FileName};

type Answer = Result<DiskDone, DiskError>;

impl Disk {
    pub(super) fn carry_out(&mut self, request: &mut Request, fate: &mut Fate<'_>) -> Answer {
        match request.op {
            // A sync fails in its own way.
            DiskOp::Sync(_) => self.sync(request, fate),
            _ if request.deviation == Deviation::Error => Err(DiskError::Io),
            DiskOp::Open(name) => self.open(name),
            DiskOp::Create(name) => Ok(self.create(name)),
            DiskOp::Read { offset, len, .. } => self.read(request, (offset, len), fate),
            DiskOp::Write { offset, .. } => self.write(request, Some(offset), fate),
            DiskOp::Append { .. } => self.write(request, None, fate),
            DiskOp::Truncate { len, .. } => self.truncate(request, len),
            DiskOp::Rename { from, to } => done_if(self.rename(from, to)),
            DiskOp::Remove(name) => done_if(self.remove(name)),
            DiskOp::List => Ok(self.list()),
            DiskOp::SyncDir => {
                self.names.sync(request.held.names);
                Ok(DiskDone::Done)
            }
        }
    }

    fn open(&mut self, name: FileName) -> Answer {
        let file = self.named(name).ok_or(DiskError::NotFound)?;
        self.files[file].open = true;
        Ok(self.opened(file))
    }

    fn create(&mut self, name: FileName) -> DiskDone {
        let file = self.named(name).unwrap_or_else(|| self.create_file(name));
        self.files[file].open = true;
        self.resize(file, |image| image.set_len(0));
        self.opened(file)
    }

    fn opened(&self, file: usize) -> DiskDone {
        let File { id, image, .. } = &self.files[file];
        DiskDone::Opened { file: *id, len: image.len() as u64 }
    }

    fn read(
        &mut self,
        request: &Request,
        (offset, len): (u64, u32),
        fate: &mut Fate<'_>,
    ) -> Answer {
        let file = request.file.ok_or(DiskError::NotFound)?;
        let end = self.files[file].image.len();
        let from = usize::try_from(offset).map_or(end, |from| from.min(end));
        let to = usize::try_from(len).map_or(end, |len| from.saturating_add(len).min(end));
        if request.deviation == Deviation::Rot && from < to {
            self.rot(request, file, from..to, fate);
        }
        Ok(DiskDone::Read(self.files[file].image.content()[from..to].to_vec()))
    }

    /// Flips a stored bit, and with it the copies of it that syncs in flight hold.
    fn rot(
        &mut self,
        request: &Request,
        file: usize,
        range: std::ops::Range<usize>,
        fate: &mut Fate<'_>,
    ) {
        let (byte, bit) = some_bit(request, range.len(), fate);
        let at = range.start + byte;
        let File { id, name, image, .. } = &mut self.files[file];
        image.flip(at, bit);
        for other in &mut self.requests {
            if matches!(other.op, DiskOp::Sync(of) if of == *id) {
                image.flip_copy(&mut other.held, at, bit);
            }
        }
        self.seen.rotted += 1;
        fate.tell(DiskChange::Rotted { file: *name, offset: at as u64, bit });
    }

    /// A write at `offset`, or at the end.
    fn write(&mut self, request: &mut Request, offset: Option<u64>, fate: &mut Fate<'_>) -> Answer {
        let file = request.file.ok_or(DiskError::NotFound)?;
        let offset = offset.unwrap_or(self.files[file].image.len() as u64);
        let len = request.held.bytes.len();
        let room = self.room(file, offset.checked_add(len as u64));
        let (false, Some(end)) = (request.full, room) else { return Err(DiskError::Full) };
        let at = end - len;
        match request.deviation {
            Deviation::Short => {
                self.write_short(request, (file, at), fate);
                return Err(DiskError::Io);
            }
            Deviation::Misdirect => self.write_elsewhere(request, (file, at), fate),
            Deviation::Rot if len > 0 => {
                let (byte, bit) = some_bit(request, len, fate);
                request.held.bytes[byte] ^= 1 << bit;
                self.resize(file, |image| image.write(at, &request.held.bytes));
                self.seen.rotted += 1;
                let file = self.files[file].name;
                fate.tell(DiskChange::Rotted { file, offset: (at + byte) as u64, bit });
            }
            _ => self.resize(file, |image| image.write(at, &request.held.bytes)),
        }
        Ok(DiskDone::Written { offset, len: len as u64 })
    }

    /// Only some of the first sectors land, perhaps none.
    fn write_short(&mut self, request: &Request, (file, at): (usize, usize), fate: &mut Fate<'_>) {
        let data = &request.held.bytes;
        let image = &self.files[file].image;
        let first = image.sector_at(at);
        let touched = image.sector_at(at + data.len().saturating_sub(1)) - first + 1;
        let lands = fate.choices.detail(&DISK, request.key, u64::from(touched));
        let mut landed = 0;
        self.resize(file, |image| {
            landed = image.write_where(at, data, |sector| u64::from(sector - first) < lands);
        });
        self.seen.short += 1;
        fate.tell(DiskChange::Short { file: self.files[file].name, landed: landed as u64 });
    }

    /// The write lands at another sector of the file; if it has only one, where it should.
    fn write_elsewhere(
        &mut self,
        request: &Request,
        (file, meant): (usize, usize),
        fate: &mut Fate<'_>,
    ) {
        let data = &request.held.bytes;
        let size = usize::try_from(self.spec.sector).expect("a sector fits memory");
        let sectors = self.files[file].image.len().max(meant + data.len()).div_ceil(size);
        if data.is_empty() || sectors < 2 {
            self.resize(file, |image| image.write(meant, data));
            return;
        }
        let other = fate.choices.detail(&DISK, request.key, sectors as u64 - 1);
        let other = usize::try_from(other).expect("less than the sectors of the file");
        let sector = other + usize::from(other >= meant / size);
        // A file that ends before the same place of that sector takes the write at its beginning.
        let mut at = sector * size + meant % size;
        if at >= self.files[file].image.len().max(meant + data.len()) {
            at = sector * size;
        }
        self.resize(file, |image| image.misdirect(meant, at, data));
        self.seen.misdirected += 1;
        let file = self.files[file].name;
        fate.tell(DiskChange::Misdirected { file, from: meant as u64, to: at as u64 });
    }

    fn truncate(&mut self, request: &Request, len: u64) -> Answer {
        let file = request.file.ok_or(DiskError::NotFound)?;
        let extends = len > self.files[file].image.len() as u64;
        match self.room(file, Some(len)) {
            Some(len) if !(extends && request.full) => {
                self.resize(file, |image| image.set_len(len));
                Ok(DiskDone::Done)
            }
            _ => Err(DiskError::Full),
        }
    }

    fn sync(&mut self, request: &Request, fate: &mut Fate<'_>) -> Answer {
        let file = request.file.ok_or(DiskError::NotFound)?;
        if request.deviation != Deviation::Error {
            self.files[file].image.settle(&request.held, |_, _| true);
            self.files[file].image.end_sync();
            return Ok(DiskDone::Done);
        }
        let n = self.count_failed_sync(fate.incarnation, self.files[file].name);
        let moment = u16::try_from(n).unwrap_or(u16::MAX).min(IN_FLIGHT - 1);
        self.seen.dropped += self.settle_by_choice(file, &request.held, moment, fate);
        self.files[file].image.end_sync();
        Err(DiskError::Io)
    }

    /// Decides about everything that is held for a file, one by one; answers how much was lost.
    pub(super) fn settle_by_choice(
        &mut self,
        file: usize,
        held: &Held,
        moment: u16,
        fate: &mut Fate<'_>,
    ) -> u64 {
        let File { name, image, .. } = &mut self.files[file];
        let (file, decided) = (*name, &mut self.decided);
        let mut lost = 0;
        let decide = |sector, version| {
            let kept = fate.keeps_sector(file, moment, sector);
            fate.tell(match kept {
                true => DiskChange::Kept { file, sector },
                false => DiskChange::Lost { file, sector },
            });
            lost += u64::from(!kept);
            if sector != LENGTH {
                decided.push((version, kept));
            }
            kept
        };
        match moment {
            CRASH => image.crash(held, decide),
            _ => image.settle(held, decide),
        }
        // A write is torn if some of its sectors, which share its version, were kept and others were not.
        decided.sort_unstable();
        let torn = decided.chunk_by(|a, b| a.0 == b.0).filter(|c| c[0].1 != c[c.len() - 1].1);
        self.seen.torn += torn.count() as u64;
        decided.clear();
        lost
    }

    /// Gives a new file a name, and answers where in `files` it is.
    pub(super) fn create_file(&mut self, name: FileName) -> usize {
        self.last_file += 1;
        let id = FileId(self.last_file);
        let mut image = self.spare_images.pop().unwrap_or_default();
        image.clear(usize::try_from(self.spec.sector).expect("a sector fits memory"));
        self.files.push(File { id, name, named: true, open: false, image });
        self.names.change(NameChange::Create { name, file: id });
        self.files.len() - 1
    }

    /// Renames; answers whether there was something to rename.
    pub(super) fn rename(&mut self, from: FileName, to: FileName) -> bool {
        let Some(file) = self.named(from) else { return false };
        if from != to {
            if let Some(replaced) = self.named(to) {
                self.unname(replaced);
            }
            self.files[file].name = to;
            self.names.change(NameChange::Rename { from, to, file: self.files[file].id });
        }
        true
    }

    /// Takes a name away; answers whether it was there.
    pub(super) fn remove(&mut self, name: FileName) -> bool {
        let Some(file) = self.named(name) else { return false };
        self.unname(file);
        self.names.change(NameChange::Remove { name });
        true
    }

    fn unname(&mut self, file: usize) {
        let file = &mut self.files[file];
        file.named = false;
        self.used -= file.image.len() as u64;
    }

    /// The file that has this name, where in `files` it is.
    pub(super) fn named(&self, name: FileName) -> Option<usize> {
        self.index(self.names.current().get(name)?)
    }

    fn list(&self) -> DiskDone {
        let len = |id| self.index(id).map_or(0, |i| self.files[i].image.len() as u64);
        DiskDone::Listed(self.names.current().iter().map(|(name, id)| (name, len(id))).collect())
    }

    /// Whether a file can reach to `end`: then the same as an index. What it has already is always granted.
    pub(super) fn room(&self, file: usize, end: Option<u64>) -> Option<usize> {
        let File { named, image, .. } = &self.files[file];
        let len = image.len() as u64;
        let others = if *named { self.used - len } else { 0 };
        let end =
            end.filter(|end| *end <= len || *end <= self.spec.capacity.saturating_sub(others))?;
        usize::try_from(end).ok()
    }

    /// Changes what a file holds, and keeps count of the room.
    pub(super) fn resize(&mut self, file: usize, change: impl FnOnce(&mut super::image::Image)) {
        let File { named, image, .. } = &mut self.files[file];
        let before = image.len() as u64;
        change(image);
        if *named {
            self.used = self.used - before + image.len() as u64;
        }
    }
}

fn done_if(found: bool) -> Answer {
    if found { Ok(DiskDone::Done) } else { Err(DiskError::NotFound) }
}

/// Picks the bit of `bytes` bytes that flips: which byte, and which bit of it.
fn some_bit(request: &Request, bytes: usize, fate: &Fate<'_>) -> (usize, u8) {
    let drawn = fate.choices.detail(&DISK, request.key, bytes as u64 * 8);
    let byte = usize::try_from(drawn / 8).expect("an index below a usize");
    (byte, u8::try_from(drawn % 8).expect("below eight"))
}

/// Counts a failed request; one that found nothing is no trouble.
pub(super) fn count_error(seen: &mut DiskSeen, error: DiskError, kind: DiskKind) {
    match (error, Class::of(kind)) {
        (DiskError::NotFound, _) => {}
        (DiskError::Full, _) => seen.full += 1,
        (DiskError::Io, Class::Read) => seen.read_errors += 1,
        (DiskError::Io, Class::Write) => seen.write_errors += 1,
        (DiskError::Io, Class::Sync) => seen.sync_errors += 1,
    }
}
