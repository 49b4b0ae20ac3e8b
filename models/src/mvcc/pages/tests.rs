use proptest::prelude::*;

use super::super::arbitrary;
use super::super::backend::{Backend, Bucket};
use super::*;

/// A small generator for choices that a test draws, so that each case is the same in every run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }
}

/// A file with writes that were not synced.
#[derive(Clone)]
struct File {
    durable: Vec<u8>,
    unsynced: Vec<Write>,
    sector: usize,
}

fn place(bytes: &mut Vec<u8>, offset: usize, piece: &[u8]) {
    if bytes.len() < offset + piece.len() {
        bytes.resize(offset + piece.len(), 0);
    }
    bytes[offset..offset + piece.len()].copy_from_slice(piece);
}

impl File {
    fn new(sector: u32) -> File {
        File {
            durable: Vec::new(),
            unsynced: Vec::new(),
            sector: usize::try_from(sector).expect("small"),
        }
    }

    /// The sectors of all unsynced writes: offset and bytes.
    fn sectors(&self) -> Vec<(usize, Vec<u8>)> {
        let mut sectors = Vec::new();
        for write in &self.unsynced {
            let mut at = usize::try_from(write.offset).expect("a small file");
            let mut rest = write.bytes.as_slice();
            while !rest.is_empty() {
                let len = (self.sector - at % self.sector).min(rest.len());
                sectors.push((at, rest[..len].to_vec()));
                (at, rest) = (at + len, &rest[len..]);
            }
        }
        sectors
    }

    fn sync(&mut self) {
        for (at, piece) in self.sectors() {
            place(&mut self.durable, at, &piece);
        }
        self.unsynced.clear();
    }

    /// The file after a crash in which exactly the chosen sectors landed.
    fn crashed(&self, landed: impl Fn(usize) -> bool) -> File {
        let mut after = File { durable: self.durable.clone(), unsynced: Vec::new(), ..*self };
        for (n, (at, piece)) in self.sectors().into_iter().enumerate() {
            if landed(n) {
                place(&mut after.durable, at, &piece);
            }
        }
        after
    }
}

/// Puts and deletes of a few keys; values of up to two pages.
fn change_some(backend: &mut Backend, draw: &mut Draw) {
    for _ in 0..1 + draw.below(4) {
        let bucket = if draw.below(5) == 0 { Bucket::Meta } else { Bucket::Key };
        let key = format!("key{}", draw.below(6)).into_bytes();
        if draw.below(3) == 0 {
            backend.delete(bucket, key);
        } else {
            let byte = u8::try_from(draw.below(256)).expect("below 256");
            let len = usize::try_from(draw.below(90)).expect("small");
            backend.put(bucket, key, vec![byte; len]);
        }
    }
}

fn opened(file: &File, page_size: u32) -> Backend {
    Backend::open(&file.durable, page_size).expect("what a crash leaves opens")
}

/// Commits for good; answers the contents.
fn commit(backend: &mut Backend, file: &mut File) {
    let commit = backend.begin_commit().expect("there are changes");
    file.unsynced.extend(commit.pages.iter().cloned());
    file.sync();
    file.unsynced.push(commit.meta.clone());
    file.sync();
    backend.finish_commit(commit);
    assert!(backend.pending().is_empty());
}

#[test]
fn a_committed_backend_reads_back_and_pending_changes_are_lost() {
    for page_size in [64, 112, 256] {
        let mut draw = Draw(u64::from(page_size));
        let mut file = File::new(16);
        let mut backend = Backend::new(page_size);
        for _ in 0..200 {
            change_some(&mut backend, &mut draw);
            commit(&mut backend, &mut file);
            assert_eq!(opened(&file, page_size).contents(), backend.contents());
        }
        let durable = backend.contents().clone();
        change_some(&mut backend, &mut draw);
        assert_eq!(*opened(&file, page_size).contents(), durable);
    }
}

#[test]
fn changes_that_come_during_a_commit_belong_to_the_next_one() {
    let mut file = File::new(64);
    let mut backend = Backend::new(64);
    backend.put(Bucket::Key, b"a".to_vec(), b"1".to_vec());
    let first = backend.begin_commit().expect("a change is pending");
    backend.put(Bucket::Key, b"b".to_vec(), b"2".to_vec());
    assert!(backend.is_committing() && backend.begin_commit().is_none());
    for write in first.pages.iter().chain([&first.meta]) {
        file.unsynced.push(write.clone());
    }
    file.sync();
    backend.finish_commit(first);
    assert_eq!(opened(&file, 64).contents().len(), 1);
    assert_eq!(backend.pending().len(), 1);
    commit(&mut backend, &mut file);
    assert_eq!(opened(&file, 64).contents(), backend.contents());
    assert!(backend.begin_commit().is_none(), "nothing is pending");
}

#[test]
fn the_file_stays_small_and_a_commit_is_cheap() {
    let mut draw = Draw(7);
    let mut file = File::new(64);
    let mut backend = Backend::new(64);
    let mut written = 0;
    for _ in 0..1000 {
        change_some(&mut backend, &mut draw);
        let before = backend.pending().to_vec();
        written += backend.clone().begin_commit().expect("there are changes").pages.len();
        assert!(!before.is_empty());
        commit(&mut backend, &mut file);
    }
    // 2.5 changes of about 60 bytes make 4 pages; the rewrites may not cost more than that again.
    assert!(written < 8 * 1000, "{written} pages in 1000 commits");
    let pages = file.durable.len() / 64;
    assert!(pages < 200, "a few dozen live pages need {pages}");
}

/// Opens what is left of `file`, which has to be `before` or `after`, and tells whether it is `after`.
fn is_after(file: &File, before: &Backend, after: &Backend) -> bool {
    let page_size = 64;
    let found = opened(file, page_size);
    if found.contents() == after.contents() {
        return true;
    }
    assert_eq!(found.contents(), before.contents(), "neither before nor after");
    false
}

#[test]
fn whatever_sectors_of_a_commit_land_the_file_is_as_before_or_as_after() {
    for (sector, seed) in [16, 32, 64, 128, 512].into_iter().zip(1..) {
        let mut draw = Draw(seed * 7919);
        let mut file = File::new(sector);
        let mut before = Backend::new(64);
        let mut seen = [0; 2];
        for _ in 0..60 {
            let mut after = before.clone();
            change_some(&mut after, &mut draw);
            let commit = after.begin_commit().expect("there are changes");

            // Before the first sync any of the page sectors may land; none of them matters.
            file.unsynced.extend(commit.pages.iter().cloned());
            let count = file.sectors().len();
            for chosen in choices(count, &mut draw) {
                assert!(
                    !is_after(&file.crashed(|n| chosen >> n & 1 == 1), &before, &after)
                        || before.contents() == after.contents()
                );
            }
            file.sync();

            // Before the second sync it depends on the sectors of the meta page.
            file.unsynced.push(commit.meta.clone());
            let count = file.sectors().len();
            for chosen in choices(count, &mut draw) {
                let crashed = file.crashed(|n| chosen >> n & 1 == 1);
                seen[usize::from(is_after(&crashed, &before, &after))] += 1;
            }

            // And the run goes on from one of the states that a crash can leave.
            let chosen = draw.below(1 << count.min(20));
            file = match draw.below(3) {
                0 => file.crashed(|_| true),
                1 => file.crashed(|n| chosen >> n & 1 == 1),
                _ => file.crashed(|_| false),
            };
            before = opened(&file, 64);
        }
        assert!(seen[0] > 40 && seen[1] > 40, "both outcomes are seen: {seen:?}");
    }
}

/// All subsets of up to 8 sectors; of more, some at random, with none and all.
fn choices(count: usize, draw: &mut Draw) -> Vec<u64> {
    let all = 1_u64 << count.min(63);
    if count <= 8 {
        return (0..all).collect();
    }
    (0..100).map(|_| draw.below(all)).chain([0, all - 1]).collect()
}

#[test]
fn a_second_crash_does_not_complete_the_commit_that_the_first_one_interrupted() {
    let mut file = File::new(16);
    let mut backend = Backend::new(64);
    for value in [b"one", b"two"] {
        backend.put(Bucket::Key, b"a".to_vec(), value.to_vec());
        commit(&mut backend, &mut file);
    }
    for (value, first_chunk_lands) in [(b"odd", false), (b"new", true)] {
        let mut attempt = opened(&file, 64);
        attempt.put(Bucket::Key, b"a".to_vec(), value.to_vec());
        let commit = attempt.begin_commit().expect("a change is pending");
        file.unsynced.extend(commit.pages);
        file.sync();
        file.unsynced.push(commit.meta);
        // The chunks of the meta page: the first attempt lacks the first one, the second has no other.
        file = file.crashed(|chunk| (chunk == 0) == first_chunk_lands);
        assert_eq!(opened(&file, 64).get(Bucket::Key, b"a"), Some(&b"two"[..]));
    }
    let mut backend = opened(&file, 64);
    backend.put(Bucket::Key, b"b".to_vec(), Vec::new());
    commit(&mut backend, &mut file);
    assert_eq!(opened(&file, 64).contents(), backend.contents());
}

#[test]
fn a_kill_that_leaves_a_commit_unsynced_and_then_a_crash_lose_nothing_older() {
    // The process ends between the meta page and its sync. The next one reads the new image from memory, plans a
    // commit on top of it, writes pages, and then the power fails: the first image is all that is durable.
    let mut draw = Draw(11);
    let mut file = File::new(64);
    let mut backend = Backend::new(64);
    for _ in 0..300 {
        change_some(&mut backend, &mut draw);
        let first = backend.clone();
        commit(&mut backend, &mut file);
        let durable = backend.contents().clone();
        assert_eq!(*first.contents(), durable);

        change_some(&mut backend, &mut draw);
        let killed = backend.begin_commit().expect("there are changes");
        file.unsynced.extend(killed.pages);
        file.sync();
        file.unsynced.push(killed.meta);

        let mut next = opened(&file.crashed(|_| true), 64);
        assert_eq!(next.contents(), backend.contents());
        change_some(&mut next, &mut draw);
        let planned = next.begin_commit().expect("there are changes");
        file.unsynced.extend(planned.pages);
        let meta_sectors = 1;
        let landed = draw.below(1 << 20);
        file = file.crashed(|n| n >= meta_sectors && landed >> (n % 20) & 1 == 1);
        backend = opened(&file, 64);
        assert_eq!(*backend.contents(), durable);
    }
}

/// A file with some history, the backend before its last commit and the one after, and that last commit's writes.
fn history(seed: u64, commits: u32) -> (File, Backend, Backend, Vec<Write>) {
    let mut draw = Draw(seed);
    let mut file = File::new(16);
    let mut backend = Backend::new(64);
    for _ in 1..commits {
        change_some(&mut backend, &mut draw);
        commit(&mut backend, &mut file);
    }
    let before = backend.clone();
    backend.put(Bucket::Key, b"last".to_vec(), vec![9; 60]);
    let last = backend.begin_commit().expect("a change is pending");
    let writes = last.pages.iter().chain([&last.meta]).cloned().collect();
    backend.finish_commit(last);
    (file, before, backend, writes)
}

#[test]
fn a_flipped_bit_ends_in_an_error_or_did_not_matter() {
    for (seed, commits) in [(1, 1), (2, 2), (3, 3), (4, 12), (5, 25)] {
        let (mut file, _, after, writes) = history(seed, commits);
        file.unsynced = writes;
        file.sync();
        let mut refused = 0;
        for bit in 0..file.durable.len() * 8 {
            let mut rotten = file.durable.clone();
            rotten[bit / 8] ^= 1 << (bit % 8);
            match Backend::open(&rotten, 64) {
                Ok(found) => assert_eq!(found.contents(), after.contents(), "bit {bit}"),
                Err(_) => refused += 1,
            }
        }
        assert!(refused > 48 * 8, "at least the newest meta page matters");
    }
}

#[test]
fn a_write_that_lands_in_the_wrong_place_ends_in_an_error_or_did_not_matter() {
    for (seed, commits) in [(1, 1), (2, 2), (3, 3), (4, 12), (5, 25)] {
        let (file, _, after, writes) = history(seed, commits);
        let end = u64::try_from(file.durable.len()).expect("small") + 200;
        for astray in 0..writes.len() {
            for offset in (0..end).filter(|offset| *offset != writes[astray].offset) {
                let mut wrong = file.clone();
                wrong.unsynced = writes.clone();
                wrong.unsynced[astray].offset = offset;
                wrong.sync();
                if let Ok(found) = Backend::open(&wrong.durable, 64) {
                    assert_eq!(found.contents(), after.contents(), "write {astray} at {offset}");
                }
            }
        }
    }
}

#[test]
fn a_file_of_other_pages_is_refused() {
    let (mut file, _, _, writes) = history(3, 4);
    file.unsynced = writes;
    file.sync();
    assert!(Backend::open(&file.durable, 128).is_err());
    assert!(Backend::open(&file.durable[..file.durable.len() / 2], 64).is_err());
    assert_eq!(Backend::open(&[0; 500], 64).map(|backend| backend.contents().len()), Ok(0));
}

proptest! {
    #![proptest_config(arbitrary::config(500))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = open(&bytes, 64);
    }

    #[test]
    fn a_damaged_file_never_panics(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20)
    ) {
        let (mut file, _, _, writes) = history(6, 9);
        file.unsynced = writes;
        file.sync();
        for (at, byte) in edits {
            let at = at.index(file.durable.len());
            file.durable[at] = byte;
        }
        let _ = open(&file.durable, 64);
    }
}
