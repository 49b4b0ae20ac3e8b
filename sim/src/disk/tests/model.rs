//! A slow model of a disk: it keeps every version of every file in full, and knows of each sector only from which version
//! on its content may be what a power loss leaves.

use crate::actor::{DiskDone, DiskError, DiskOp};
use crate::disk::{Disk, Submitted};
use crate::id::{FileId, FileName, RequestId};
use std::collections::{BTreeMap, BTreeSet};

pub(super) const SECTOR: usize = 4;
pub(super) const CAPACITY: usize = 60;
/// Stands for the length among the sectors.
const LEN: usize = usize::MAX;

/// The bytes of a sector, zeros where there are none.
fn sector(content: &[u8], s: usize) -> [u8; SECTOR] {
    let mut bytes = [0; SECTOR];
    for (i, byte) in bytes.iter_mut().enumerate() {
        *byte = content.get(s * SECTOR + i).copied().unwrap_or(0);
    }
    bytes
}

#[derive(Clone, Debug, Default)]
struct Version {
    content: Vec<u8>,
    /// The sectors that were written or wholly cut off. What is cut or filled with zeros beside bytes that stay belongs to
    /// the length.
    touched: BTreeSet<usize>,
}

/// A file since the last crash.
#[derive(Clone, Debug, Default)]
pub(super) struct ModelFile {
    versions: Vec<Version>,
    /// By sector: no version before this one may come back.
    floor: BTreeMap<usize, usize>,
    /// The newest version at the issue of each sync that failed.
    failed: Vec<usize>,
}

impl ModelFile {
    fn new(content: Vec<u8>) -> ModelFile {
        let first = Version { content, touched: BTreeSet::new() };
        ModelFile { versions: vec![first], ..ModelFile::default() }
    }

    fn now(&self) -> &[u8] {
        &self.versions.last().expect("there is a first version").content
    }

    fn newest(&self) -> usize {
        self.versions.len() - 1
    }

    fn land(&mut self, content: Vec<u8>, mut touched: BTreeSet<usize>) {
        if content.len() != self.now().len() {
            touched.insert(LEN);
        }
        self.versions.push(Version { content, touched });
    }

    fn write(&mut self, offset: usize, data: &[u8]) {
        if data.is_empty() {
            return;
        }
        let mut content = self.now().to_vec();
        let end = offset + data.len();
        content.resize(content.len().max(end), 0);
        content[offset..end].copy_from_slice(data);
        self.land(content, (offset / SECTOR..end.div_ceil(SECTOR)).collect());
    }

    fn truncate(&mut self, len: usize) {
        let mut content = self.now().to_vec();
        let end = content.len();
        content.resize(len, 0);
        self.land(content, (len.div_ceil(SECTOR)..end.div_ceil(SECTOR)).collect());
    }

    fn last_touch(&self, s: usize, upto: usize) -> usize {
        (0..=upto).rev().find(|v| self.versions[*v].touched.contains(&s)).unwrap_or(0)
    }

    /// A sync issued at version `at` has succeeded: it covers everything but what a failed one covered.
    fn synced(&mut self, at: usize) {
        for s in (0..CAPACITY / SECTOR).chain([LEN]) {
            let last = self.last_touch(s, at);
            let dropped = self.failed.iter().any(|f| last > 0 && self.last_touch(s, *f) == last);
            if !dropped {
                let floor = self.floor.entry(s).or_insert(0);
                *floor = last.max(*floor);
            }
        }
    }

    /// The versions of a sector, or of the length, that a power loss may leave.
    fn possible(&self, s: usize) -> impl Iterator<Item = &[u8]> {
        let floor = self.floor.get(&s).copied().unwrap_or(0);
        self.versions[floor..].iter().map(|v| &v.content[..])
    }

    /// The same as bytes. What is cut off beside bytes that stay belongs to the length: every cut up to the oldest length
    /// that may come back has happened, and later ones may have.
    fn possible_sectors(&self, s: usize) -> impl Iterator<Item = [u8; SECTOR]> {
        let floor = |s| self.floor.get(&s).copied().unwrap_or(0);
        let count = self.versions.len();
        (floor(s)..count).flat_map(move |v| {
            (v.max(floor(LEN))..count).map(move |upto| {
                let lens = self.versions[v..=upto].iter().map(|later| later.content.len());
                sector(&self.versions[v].content[..lens.min().expect("one at least")], s)
            })
        })
    }

    /// Whether a power loss may leave this, writes in flight included. Every sector must be one version as a whole.
    fn may_become(&self, content: &[u8], flying: &[&Flight]) -> bool {
        let lens = self.possible(LEN).map(<[u8]>::len);
        let len_fits = lens.chain(reached(self.now(), flying)).any(|len| len == content.len());
        len_fits
            && (0..content.len().div_ceil(SECTOR)).all(|s| {
                let cut = SECTOR.min(content.len() - s * SECTOR);
                let here = &content[s * SECTOR..s * SECTOR + cut];
                self.possible_sectors(s).any(|v| v[..cut] == *here)
                    || merged(self.now(), s, flying).iter().any(|m| m[..cut] == *here)
            })
    }

    /// Whether a kill may leave this: what was there, with some sectors of what was in flight.
    fn may_stay(&self, content: &[u8], flying: &[&Flight]) -> bool {
        let now = self.now();
        let len_fits = reached(now, flying).any(|len| len == content.len());
        let sectors = 0..content.len().div_ceil(SECTOR);
        len_fits
            && sectors.into_iter().all(|s| merged(now, s, flying).contains(&sector(content, s)))
    }

    /// After a kill: what is there now, and which sectors were reached by what was in flight.
    pub(super) fn landed(&mut self, content: &[u8], touched: BTreeSet<usize>) {
        self.land(content.to_vec(), touched);
    }
}

/// The lengths that a file may have when some sectors of the writes in flight have landed.
fn reached(now: &[u8], flying: &[&Flight]) -> impl Iterator<Item = usize> {
    let ends = flying.iter().flat_map(|flight| {
        let (from, to) = flight.range();
        (from / SECTOR..to.div_ceil(SECTOR)).map(move |s| to.min((s + 1) * SECTOR))
    });
    ends.map(|end| end.max(now.len())).chain([now.len()])
}

/// What a sector may be when some of the writes in flight have landed on it, in the order of their requests.
fn merged(now: &[u8], s: usize, flying: &[&Flight]) -> Vec<[u8; SECTOR]> {
    let mut all = vec![sector(now, s)];
    for flight in flying {
        let (from, to) = flight.range();
        for mut bytes in all.clone() {
            for at in (s * SECTOR..(s + 1) * SECTOR).filter(|at| (from..to).contains(at)) {
                bytes[at - s * SECTOR] = flight.data[at - from];
            }
            all.push(bytes);
        }
    }
    all
}

/// A request in flight.
#[derive(Clone, Debug)]
pub(super) struct Flight {
    pub(super) request: RequestId,
    pub(super) op: DiskOp<'static>,
    pub(super) data: Vec<u8>,
    /// The newest version, or the number of name changes, when it was issued.
    issued: usize,
    /// It will fail with `Io`, and so has nothing to land.
    doomed: bool,
}

impl Flight {
    fn range(&self) -> (usize, usize) {
        match self.op {
            DiskOp::Write { offset, .. } => {
                let offset = usize::try_from(offset).unwrap();
                (offset, offset + self.data.len())
            }
            _ => (0, 0),
        }
    }
}

type Table = BTreeMap<FileName, FileId>;

/// The disk.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) files: BTreeMap<FileId, ModelFile>,
    pub(super) names: Table,
    /// Every table of names since the last crash, from the one that was durable then.
    tables: Vec<Table>,
    durable: usize,
    /// What the present process has open.
    pub(super) open: BTreeSet<FileId>,
}

impl Model {
    pub(super) fn new() -> Model {
        Model { tables: vec![Table::new()], ..Model::default() }
    }

    pub(super) fn issue(&self, submitted: Submitted, op: DiskOp<'static>, data: Vec<u8>) -> Flight {
        let Submitted { request, outcome, .. } = submitted;
        let issued = match op {
            DiskOp::Sync(file) => self.files[&file].newest(),
            _ => self.tables.len() - 1,
        };
        Flight { request, op, data, issued, doomed: outcome == 1 }
    }

    fn rename(&mut self, change: impl FnOnce(&mut Table)) {
        change(&mut self.names);
        self.tables.push(self.names.clone());
    }

    fn fits(&self, file: FileId, end: usize) -> bool {
        let named = self.names.values().filter(|f| **f != file);
        let others: usize = named.map(|f| self.files[f].now().len()).sum();
        let others = if self.names.values().any(|f| *f == file) { others } else { 0 };
        end <= self.files[&file].now().len() || end + others <= CAPACITY
    }

    /// Follows an answer, and says whether it is the right one. `short` is how much of a short write landed.
    pub(super) fn answered(
        &mut self,
        flight: &Flight,
        result: &Result<DiskDone, DiskError>,
        short: Option<u64>,
    ) -> bool {
        if *result == Err(DiskError::Io) {
            self.failed(flight, short);
            return true;
        }
        match flight.op {
            DiskOp::Open(name) => self.opened(self.names.get(&name).copied(), result),
            DiskOp::Create(name) => self.created(name, result),
            DiskOp::Rename { from, to } => {
                let Some(file) = self.names.get(&from).copied() else { return missing(result) };
                if from != to {
                    self.rename(|names| {
                        names.remove(&from);
                        names.insert(to, file);
                    });
                }
                *result == Ok(DiskDone::Done)
            }
            DiskOp::Remove(name) => {
                if !self.names.contains_key(&name) {
                    return missing(result);
                }
                self.rename(|names| {
                    names.remove(&name);
                });
                *result == Ok(DiskDone::Done)
            }
            DiskOp::List => {
                let len = |file| self.files[file].now().len() as u64;
                let list = self.names.iter().map(|(name, file)| (*name, len(file))).collect();
                *result == Ok(DiskDone::Listed(list))
            }
            DiskOp::SyncDir => {
                self.durable = self.durable.max(flight.issued);
                *result == Ok(DiskDone::Done)
            }
            _ => self.answered_file(flight, result),
        }
    }

    fn answered_file(&mut self, flight: &Flight, result: &Result<DiskDone, DiskError>) -> bool {
        let id = flight.op.file().expect("all others are about a file");
        let full = |end| !self.fits(id, end);
        let len = self.files[&id].now().len();
        let bytes = flight.data.len();
        let written =
            |offset: usize| DiskDone::Written { offset: offset as u64, len: bytes as u64 };
        match flight.op {
            DiskOp::Sync(_) => {
                self.files.get_mut(&id).unwrap().synced(flight.issued);
                *result == Ok(DiskDone::Done)
            }
            DiskOp::Truncate { len, .. } => {
                let len = usize::try_from(len).unwrap();
                if full(len) {
                    return *result == Err(DiskError::Full);
                }
                self.files.get_mut(&id).unwrap().truncate(len);
                *result == Ok(DiskDone::Done)
            }
            DiskOp::Read { offset, len, .. } => {
                let now = self.files[&id].now();
                let from = usize::try_from(offset).unwrap().min(now.len());
                let to = (from + len as usize).min(now.len());
                *result == Ok(DiskDone::Read(now[from..to].to_vec()))
            }
            _ => {
                let offset =
                    if let DiskOp::Append { .. } = flight.op { len } else { flight.range().0 };
                if full(offset + bytes) {
                    return *result == Err(DiskError::Full);
                }
                self.files.get_mut(&id).unwrap().write(offset, &flight.data);
                *result == Ok(written(offset))
            }
        }
    }

    fn failed(&mut self, flight: &Flight, short: Option<u64>) {
        let Some(file) = flight.op.file().and_then(|id| self.files.get_mut(&id)) else { return };
        let landed = usize::try_from(short.unwrap_or(0)).unwrap();
        match flight.op {
            DiskOp::Sync(_) => file.failed.push(flight.issued),
            DiskOp::Write { .. } => file.write(flight.range().0, &flight.data[..landed]),
            DiskOp::Append { .. } => file.write(file.now().len(), &flight.data[..landed]),
            _ => {}
        }
    }

    fn opened(&mut self, file: Option<FileId>, result: &Result<DiskDone, DiskError>) -> bool {
        let Some(file) = file else { return missing(result) };
        self.open.insert(file);
        *result == Ok(DiskDone::Opened { file, len: self.files[&file].now().len() as u64 })
    }

    fn created(&mut self, name: FileName, result: &Result<DiskDone, DiskError>) -> bool {
        let Ok(DiskDone::Opened { file: answered, .. }) = *result else { return false };
        if let Some(file) = self.names.get(&name).copied() {
            self.files.get_mut(&file).unwrap().truncate(0);
            return self.opened(Some(file), result);
        }
        let is_new = self.files.insert(answered, ModelFile::new(Vec::new())).is_none();
        self.rename(|names| {
            names.insert(name, answered);
        });
        is_new && self.opened(Some(answered), result)
    }

    /// Follows a power loss: answers whether the disk is what it may be.
    pub(super) fn crashed(&mut self, disk: &Disk, flying: &[Flight]) -> bool {
        let mut possible = self.tables[self.durable..].to_vec();
        possible.extend(names_in_flight(self.names.clone(), flying));
        let fits = |(name, id): (&FileName, &FileId)| {
            let content = disk.durable(*name).expect("a name that survived");
            content == disk.content(*name).unwrap()
                && self.files[id].may_become(content, &writes(flying, *id))
        };
        let table: Table = disk.names.durable().iter().collect();
        let same = disk.names.current().iter().eq(disk.names.durable().iter());
        if !same || !possible.contains(&table) || !table.iter().all(fits) {
            return false;
        }
        let content = |name| disk.content(name).unwrap().to_vec();
        self.files = table.iter().map(|(name, id)| (*id, ModelFile::new(content(*name)))).collect();
        self.names.clone_from(&table);
        self.tables = vec![table];
        self.durable = 0;
        self.open.clear();
        true
    }

    /// Follows the death of the process: the same. `landed` names the sectors that were in flight and reached.
    pub(super) fn killed(
        &mut self,
        disk: &Disk,
        flying: &[Flight],
        landed: &BTreeMap<FileName, BTreeSet<usize>>,
    ) -> bool {
        let tables: Vec<Table> = names_in_flight(self.names.clone(), flying).collect();
        let fits = |(name, id): (&FileName, &FileId)| {
            let flying = writes(flying, *id);
            disk.content(*name).is_some_and(|now| self.files[id].may_stay(now, &flying))
        };
        let table: Table = disk.names.current().iter().collect();
        let landed_names = tables.iter().position(|t| *t == table).map_or(0, |i| i + 1);
        if landed_names == 0 && table != self.names || !table.iter().all(fits) {
            return false;
        }
        self.tables.extend(tables.into_iter().take(landed_names));
        self.names.clone_from(&table);
        for (name, id) in &table {
            let touched = landed.get(name).cloned().unwrap_or_default();
            self.files.get_mut(id).unwrap().landed(disk.content(*name).unwrap(), touched);
        }
        self.open.clear();
        true
    }
}

/// The tables that come about as one after the other of the changes in flight is carried out.
fn names_in_flight(mut names: Table, flying: &[Flight]) -> impl Iterator<Item = Table> {
    flying.iter().filter(|f| !f.doomed).filter_map(move |flight| {
        match flight.op {
            DiskOp::Rename { from, to } if from != to => {
                let file = names.remove(&from)?;
                names.insert(to, file);
            }
            DiskOp::Remove(name) => drop(names.remove(&name)?),
            _ => return None,
        }
        Some(names.clone())
    })
}

fn writes(flying: &[Flight], file: FileId) -> Vec<&Flight> {
    flying
        .iter()
        .filter(|f| matches!(f.op, DiskOp::Write { .. }) && !f.doomed && f.op.file() == Some(file))
        .collect()
}

fn missing(result: &Result<DiskDone, DiskError>) -> bool {
    *result == Err(DiskError::NotFound)
}
