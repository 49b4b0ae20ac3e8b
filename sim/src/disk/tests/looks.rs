//! What can be seen of a disk from outside: text and digest.

use super::*;
use crate::choose::Mixer;

fn folded(rig: &Rig) -> u64 {
    let mut mixer = Mixer::new(0);
    rig.disk.fold_durable(&mut mixer);
    mixer.state()
}

#[test]
fn the_digest_of_a_disk_is_that_of_its_durable_names_lengths_and_bytes() {
    let mut rig = Rig::new();
    let empty = folded(&rig);
    let file = rig.file(WAL, b"abcd");
    let one = folded(&rig);
    rig.write(file, 0, b"1");
    rig.create(DB);
    assert_eq!(folded(&rig), one, "pending changes are not in it");
    rig.sync(file);
    let written = folded(&rig);
    rig.sync_dir();
    let named = folded(&rig);
    rig.run(DiskOp::Truncate { file, len: 3 }).unwrap();
    rig.sync(file);
    let cut = folded(&rig);
    let mut all = [empty, one, written, named, cut];
    all.sort_unstable();
    assert!(all.windows(2).all(|w| w[0] != w[1]));
}

#[test]
fn a_change_of_the_disk_prints_as_a_line_of_a_trace_says_it() {
    let (file, name) = (WAL, WAL);
    for (change, text) in [
        (DiskChange::Short { file, landed: 8 }, "wal only 8B landed"),
        (DiskChange::Misdirected { file, from: 4, to: 32 }, "wal @4 misdirected to @32"),
        (DiskChange::Rotted { file, offset: 7, bit: 3 }, "wal @7 bit 3 flipped"),
        (DiskChange::Landed { file, sector: 1 }, "wal sector 1 landed"),
        (DiskChange::Kept { file, sector: LENGTH }, "wal length kept"),
        (DiskChange::Lost { file, sector: 2 }, "wal sector 2 lost"),
        (DiskChange::NameKept { name }, "change of wal kept"),
        (DiskChange::NameLost { name }, "change of wal lost"),
    ] {
        assert_eq!(change.to_string(), text);
    }
}
