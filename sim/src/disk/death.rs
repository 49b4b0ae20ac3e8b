//! How a disk meets the death of its process and of its power.

use super::device::{Disk, File};
use super::fate::Fate;
use super::names::Names;
use super::request::Request;
use super::seen::DiskChange;
use super::sites::{CRASH, Deviation, IN_FLIGHT, LENGTH};
use crate::actor::DiskOp;
use crate::choose::Choices;
use crate::id::{FileId, FileName, Incarnation, NodeId};
use std::mem::take;

impl Disk {
    /// Power loss, which ends `incarnation`. Decides about everything that no sync has covered; afterwards what reads is
    /// what is durable, nothing is open and nothing in flight.
    ///
    /// The names come first: the pending changes in order and then those in flight, up to the first that is lost. Of the
    /// files that still have a name, requests in flight land or not, each sector by itself; then each pending sector is
    /// kept or lost, the length before the others. A lost length cuts off what is beyond it.
    pub fn crash(
        &mut self,
        node: NodeId,
        incarnation: Incarnation,
        choices: &mut Choices,
        mut on_change: impl FnMut(DiskChange),
    ) {
        let mut fate = Fate { node, incarnation, choices, on_change: &mut on_change };
        let mut requests = take(&mut self.requests);
        self.crash_names(&requests, &mut fate);
        self.keep_files(|names, file| names.durable().name_of(file).is_some());
        self.land_all(&requests, &mut fate);
        self.crash_syncs(&mut requests, &mut fate);
        self.crash_images(&mut fate);
        self.end_life(requests);
    }

    /// The process dies, and the operating system lives on: what was carried out stays as it is. Requests in flight land
    /// or not, each sector by itself, and are never answered. It also serves for the end of a process that stops cleanly.
    pub fn kill(
        &mut self,
        node: NodeId,
        incarnation: Incarnation,
        choices: &mut Choices,
        mut on_change: impl FnMut(DiskChange),
    ) {
        let mut fate = Fate { node, incarnation, choices, on_change: &mut on_change };
        let requests = take(&mut self.requests);
        self.land_names(&requests, &mut fate);
        self.keep_files(Names::knows);
        self.land_all(&requests, &mut fate);
        self.end_life(requests);
    }

    /// The disk is replaced by an empty one.
    pub fn wipe(&mut self) {
        self.names.clear();
        self.spare_images.extend(self.files.drain(..).map(|file| file.image));
        self.used = 0;
        let requests = take(&mut self.requests);
        self.end_life(requests);
    }

    fn crash_names(&mut self, requests: &[Request], fate: &mut Fate<'_>) {
        let kept = self.names.survivors(|change, n| fate.keeps_name(change.subject(), CRASH, n));
        let pending = self.names.pending();
        for (i, change) in pending.iter().enumerate() {
            let name = change.subject();
            fate.tell(match i < kept {
                true => DiskChange::NameKept { name },
                false => DiskChange::NameLost { name },
            });
        }
        let lost = pending.len() - kept;
        self.seen.names_lost += lost as u64;
        self.names.crash(kept);
        if lost == 0 {
            self.land_names(requests, fate);
            self.names.sync(self.names.mark());
        }
    }

    /// Carries out changes of names in flight, up to the first that is lost.
    fn land_names(&mut self, requests: &[Request], fate: &mut Fate<'_>) {
        for (i, request) in requests.iter().enumerate() {
            let Some(name) = self.change_in_flight(request) else { continue };
            let equal = |r: &&Request| changed_name(&r.op) == Some(name);
            let n = requests[..=i].iter().filter(equal).count();
            if !fate.keeps_name(name, IN_FLIGHT, u32::try_from(n).unwrap_or(u32::MAX)) {
                return;
            }
            fate.tell(DiskChange::NameKept { name });
            match request.op {
                DiskOp::Rename { from, to } => {
                    self.rename(from, to);
                }
                DiskOp::Remove(name) => {
                    self.remove(name);
                }
                _ => {
                    self.create_file(name);
                }
            }
        }
    }

    /// The name that a request in flight would change if it were carried out now.
    fn change_in_flight(&self, request: &Request) -> Option<FileName> {
        let name = changed_name(&request.op).filter(|_| request.deviation != Deviation::Error)?;
        let exists = self.named(name).is_some();
        let changes = match request.op {
            DiskOp::Create(_) => !exists,
            DiskOp::Rename { from, to } => exists && from != to,
            _ => exists,
        };
        changes.then_some(name)
    }

    /// Frees the files that can have no name any more, and brings what is known of the others in line with the names.
    fn keep_files(&mut self, stays: impl Fn(&Names, FileId) -> bool) {
        let Disk { files, names, spare_images, .. } = self;
        files.retain_mut(|file| {
            let stays = stays(names, file.id);
            if !stays {
                spare_images.push(take(&mut file.image));
            }
            stays
        });
        for file in files {
            let name = names.current().name_of(file.id);
            file.named = name.is_some();
            file.name = name.unwrap_or(file.name);
        }
        self.count_room();
    }

    /// Lands the requests in flight that change the bytes of a file, in the order in which they were made, each sector by
    /// choice.
    fn land_all(&mut self, requests: &[Request], fate: &mut Fate<'_>) {
        for (i, request) in requests.iter().enumerate() {
            if let Some(file) = self.target(&request.op)
                && request.deviation != Deviation::Error
            {
                let moment = self.moment(&requests[..=i], file);
                match request.op {
                    DiskOp::Write { offset, .. } => {
                        self.land_write(request, (file, offset), moment, fate);
                    }
                    DiskOp::Append { .. } => {
                        let end = self.files[file].image.len() as u64;
                        self.land_write(request, (file, end), moment, fate);
                    }
                    DiskOp::Truncate { len, .. } => self.land_len(file, len, moment, fate),
                    DiskOp::Create(_) => self.land_len(file, 0, moment, fate),
                    _ => {}
                }
            }
        }
    }

    /// The file, with a name, that a request is about.
    fn target(&self, op: &DiskOp<'_>) -> Option<usize> {
        let file = match *op {
            DiskOp::Create(name) => self.named(name),
            _ => op.file().and_then(|id| self.index(id)),
        };
        file.filter(|file| self.files[*file].named)
    }

    /// The moment, in keys, of the last of these requests: its number among those on the same file.
    fn moment(&self, requests: &[Request], file: usize) -> u16 {
        let n = requests.iter().filter(|r| self.target(&r.op) == Some(file)).count();
        IN_FLIGHT + u16::try_from(n).unwrap_or(u16::MAX).min(u16::MAX - IN_FLIGHT)
    }

    fn land_write(
        &mut self,
        request: &Request,
        (file, offset): (usize, u64),
        moment: u16,
        fate: &mut Fate<'_>,
    ) {
        let data = &request.held.bytes;
        let room = self.room(file, offset.checked_add(data.len() as u64));
        let (false, Some(end)) = (request.full, room) else { return };
        let name = self.files[file].name;
        let mut landed = 0;
        self.resize(file, |image| {
            landed = image.write_where(end - data.len(), data, |sector| {
                let lands = fate.keeps_sector(name, moment, sector);
                if lands {
                    fate.tell(DiskChange::Landed { file: name, sector });
                }
                lands
            });
        });
        self.seen.torn += u64::from(landed > 0 && landed < data.len());
    }

    fn land_len(&mut self, file: usize, len: u64, moment: u16, fate: &mut Fate<'_>) {
        let File { name, image, .. } = &self.files[file];
        let name = *name;
        if image.len() as u64 == len || !fate.keeps_sector(name, moment, LENGTH) {
            return;
        }
        if let Some(len) = self.room(file, Some(len)) {
            fate.tell(DiskChange::Landed { file: name, sector: LENGTH });
            self.resize(file, |image| image.set_len(len));
        }
    }

    /// A sync in flight may have made durable what was overwritten since it was issued. What was not is decided about with
    /// all the rest.
    fn crash_syncs(&mut self, requests: &mut [Request], fate: &mut Fate<'_>) {
        for i in 0..requests.len() {
            if let DiskOp::Sync(_) = requests[i].op
                && let Some(file) = self.target(&requests[i].op)
            {
                let moment = self.moment(&requests[..=i], file);
                let File { name, image, .. } = &mut self.files[file];
                let held = &mut requests[i].held;
                image.forget_current(held);
                image.settle(held, |sector, _| {
                    let landed = fate.keeps_sector(*name, moment, sector);
                    if landed {
                        fate.tell(DiskChange::Landed { file: *name, sector });
                    }
                    landed
                });
            }
        }
    }

    fn crash_images(&mut self, fate: &mut Fate<'_>) {
        let mut held = self.spare_held.pop().unwrap_or_default();
        for file in 0..self.files.len() {
            if self.files[file].image.is_pending() {
                self.files[file].image.copy_pending(&mut held);
                self.seen.lost += self.settle_by_choice(file, &held, CRASH, fate);
                held.clear();
            } else {
                self.files[file].image.revert();
            }
        }
        self.spare_held.push(held);
    }

    /// Nothing is open or in flight any more.
    fn end_life(&mut self, mut requests: Vec<Request>) {
        for request in requests.drain(..) {
            self.recycle(request.held);
        }
        self.requests = requests;
        for file in &mut self.files {
            file.open = false;
            file.image.forget_syncs();
        }
        self.count_room();
    }

    fn count_room(&mut self) {
        let named = self.files.iter().filter(|file| file.named);
        self.used = named.map(|file| file.image.len() as u64).sum();
    }
}

/// The name by which a change of names goes.
const fn changed_name(op: &DiskOp<'_>) -> Option<FileName> {
    match *op {
        DiskOp::Create(name) | DiskOp::Remove(name) | DiskOp::Rename { from: name, .. } => {
            Some(name)
        }
        _ => None,
    }
}
