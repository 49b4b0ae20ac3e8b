//! Random requests, answered in any order, with failures and deaths, against the model.

use super::model::{CAPACITY, Flight, Model, SECTOR as SIZE};
use super::*;
use crate::choose::{Draw, Mixer, Purpose};
use std::collections::{BTreeMap, BTreeSet};

/// One random life of a disk.
struct Life {
    draw: Draw,
    rig: Rig,
    model: Model,
    flying: Vec<Flight>,
    log: Vec<String>,
    crashes: u64,
    digest: Mixer,
}

impl Life {
    fn new(seed: u64) -> Life {
        let mut rig = Rig::new();
        rig.disk.reset(DiskSpec {
            sector: 4,
            capacity: CAPACITY as u64,
            base: Span::us(1),
            fragile: true,
        });
        assert_eq!(SIZE, 4);
        rig.choices.reset(seed);
        rig.choices.set_odds(SECTOR.id, Odds::new(&[1, 1]));
        rig.choices.set_odds(NAMES.id, Odds::new(&[1, 2]));
        if seed % 2 == 1 {
            rig.choices.set_odds(DISK.id, Odds::new(&[12, 1, 1, 0, 0, 0, 0, 1]));
        }
        Life {
            draw: Draw::new(seed, Purpose::Workload),
            rig,
            model: Model::new(),
            flying: Vec::new(),
            log: Vec::new(),
            crashes: 0,
            digest: Mixer::new(0),
        }
    }

    fn name(&mut self) -> FileName {
        *self.draw.pick(&[WAL, DB, TMP])
    }

    fn open_file(&mut self) -> Option<FileId> {
        let open: Vec<FileId> = self.model.open.iter().copied().collect();
        if open.is_empty() { None } else { Some(*self.draw.pick(&open)) }
    }

    /// A request, and its data.
    fn request(&mut self) -> (DiskOp<'static>, Vec<u8>) {
        let byte = u8::try_from(self.draw.range(1, 255)).unwrap();
        let data = vec![byte; usize::try_from(self.draw.below(14)).unwrap()];
        let Some(file) = self.open_file() else {
            let name = self.name();
            let op = if self.draw.chance(1, 2) { DiskOp::Open(name) } else { DiskOp::Create(name) };
            return (op, Vec::new());
        };
        let offset = self.draw.below(24);
        let op = match self.draw.weighted(&[24, 10, 6, 16, 4, 2, 2, 4, 3, 4, 1]) {
            0 => return (DiskOp::Write { file, offset, data: &[] }, data),
            1 => return (DiskOp::Append { file, data: &[] }, data),
            2 => DiskOp::Truncate { file, len: self.draw.below(30) },
            3 => DiskOp::Sync(file),
            4 => DiskOp::Read { file, offset, len: 20 },
            5 => DiskOp::Open(self.name()),
            6 => DiskOp::Create(self.name()),
            7 => DiskOp::Rename { from: self.name(), to: self.name() },
            8 => DiskOp::Remove(self.name()),
            9 => DiskOp::SyncDir,
            _ => DiskOp::List,
        };
        (op, Vec::new())
    }

    fn submit(&mut self) {
        let (op, data) = self.request();
        let full = match op {
            DiskOp::Write { file, offset, .. } => DiskOp::Write { file, offset, data: &data },
            DiskOp::Append { file, .. } => DiskOp::Append { file, data: &data },
            other => other,
        };
        let Rig { disk, me, now, choices, .. } = &mut self.rig;
        let submitted = disk.submit(*me, full, *now, choices);
        self.log.push(format!("{:?} {full} of {:?}", submitted.request, data.first()));
        let flight = self.model.issue(submitted, op, data);
        self.flying.push(flight);
    }

    fn complete(&mut self, index: usize) {
        let flight = self.flying.remove(index);
        self.rig.changes.clear();
        let result = self.rig.complete(flight.request);
        self.log.push(format!("{:?} {result:?}", flight.request));
        let short = self.rig.changes.iter().find_map(|change| match change {
            DiskChange::Short { landed, .. } => Some(*landed),
            _ => None,
        });
        std::hash::Hash::hash(&result, &mut self.digest);
        let right = self.model.answered(&flight, &result, short);
        assert!(right, "the answer is wrong:\n{}", self.log.join("\n"));
    }

    /// Of what is in flight the model follows only writes at an offset, syncs, renames and removes into a death.
    fn settle_for_death(&mut self) {
        let stays = |flight: &Flight| {
            use DiskOp::{Remove, Rename, Sync, SyncDir, Write};
            matches!(flight.op, Write { .. } | Sync(_) | Rename { .. } | Remove(_) | SyncDir)
        };
        while let Some(i) = self.flying.iter().position(|flight| !stays(flight)) {
            self.complete(i);
        }
        self.rig.changes.clear();
    }

    fn crash(&mut self) {
        self.settle_for_death();
        self.rig.crash();
        self.log.push(format!("crash: {:?}", self.rig.changes));
        let right = self.model.crashed(&self.rig.disk, &self.flying);
        assert!(right, "{}\n{}", self.dump(), self.log.join("\n"));
        self.flying.clear();
        self.crashes += 1;
        self.rig.disk.fold_durable(&mut self.digest);
    }

    fn kill(&mut self) {
        self.settle_for_death();
        self.rig.kill();
        self.log.push(format!("kill: {:?}", self.rig.changes));
        let mut landed: BTreeMap<FileName, BTreeSet<usize>> = BTreeMap::new();
        for change in &self.rig.changes {
            if let DiskChange::Landed { file, sector } = *change {
                landed.entry(file).or_default().insert(sector as usize);
            }
        }
        let right = self.model.killed(&self.rig.disk, &self.flying, &landed);
        assert!(right, "{}\n{}", self.dump(), self.log.join("\n"));
        self.flying.clear();
    }

    fn dump(&self) -> String {
        let names = [WAL, DB, TMP].map(|name| (name, self.rig.content(name)));
        format!("a death left what it may not: {names:?}\n{:?}", self.model)
    }

    fn step(&mut self) {
        match self.draw.weighted(&[50, 50, 3, 1]) {
            0 => self.submit(),
            1 if !self.flying.is_empty() => {
                let index = self.draw.index(self.flying.len());
                self.complete(index);
            }
            2 => self.crash(),
            3 => self.kill(),
            _ => {}
        }
    }
}

#[test]
fn a_disk_never_does_what_the_model_cannot_explain() {
    let mut seen = DiskSeen::default();
    for seed in 0..LIVES {
        let mut life = Life::new(seed);
        for _ in 0..150 {
            life.step();
        }
        life.crash();
        let now = *life.rig.disk.seen();
        seen.lost += now.lost;
        seen.torn += now.torn;
        seen.dropped += now.dropped;
        seen.names_lost += now.names_lost;
        seen.short += now.short;
        seen.sync_errors += now.sync_errors;
        seen.full += now.full;
    }
    let happened = [seen.lost, seen.torn, seen.dropped, seen.names_lost, seen.short];
    assert!(happened.iter().all(|n| *n > LIVES / 10), "{seen:?}");
    assert!(seen.sync_errors > 0 && seen.full > 0, "{seen:?}");
}

const LIVES: u64 = 1_500;

#[test]
fn after_a_sync_and_a_sync_of_the_directory_everything_survives_exactly() {
    for seed in (0..LIVES).step_by(2) {
        let mut life = Life::new(seed);
        for _ in 0..80 {
            life.step();
        }
        while !life.flying.is_empty() {
            life.complete(0);
        }
        for name in [WAL, DB, TMP] {
            if let Ok(DiskDone::Opened { file, .. }) = life.rig.run(DiskOp::Open(name)) {
                life.rig.sync(file);
            }
        }
        life.rig.sync_dir();
        let all = |rig: &Rig| [WAL, DB, TMP].map(|name| rig.content(name).map(<[u8]>::to_vec));
        let before = all(&life.rig);
        life.rig.crash();
        assert_eq!(all(&life.rig), before, "seed {seed}");
    }
}

#[test]
fn the_same_choices_give_the_same_disk() {
    for seed in 0..100 {
        let [one, other] = [(); 2].map(|()| {
            let mut life = Life::new(seed);
            for _ in 0..150 {
                life.step();
            }
            life.crash();
            (life.digest, life.log, *life.rig.disk.seen())
        });
        assert_eq!(one, other);
    }
}

#[test]
fn a_disk_that_is_used_again_is_like_a_new_one() {
    let mut used = Life::new(1);
    for _ in 0..300 {
        used.step();
    }
    for seed in 2..60 {
        let mut life = Life::new(seed);
        std::mem::swap(&mut used.rig.disk, &mut life.rig.disk);
        life.rig.disk.reset(DiskSpec {
            sector: 4,
            capacity: CAPACITY as u64,
            base: Span::us(1),
            fragile: true,
        });
        let mut fresh = Life::new(seed);
        for _ in 0..150 {
            life.step();
            fresh.step();
        }
        assert_eq!((life.log, life.digest), (fresh.log, fresh.digest));
        std::mem::swap(&mut used.rig.disk, &mut life.rig.disk);
    }
}

#[test]
fn a_disk_cloned_at_any_step_goes_on_alike() {
    let mut life = Life::new(11);
    for _ in 0..120 {
        life.step();
        let mut other = Life { rig: life.rig.clone(), ..Life::new(11) };
        other.rig.crash();
        let mut original = life.rig.clone();
        original.crash();
        let names = [WAL, DB, TMP];
        assert_eq!(names.map(|n| other.rig.content(n)), names.map(|n| original.content(n)));
    }
}
