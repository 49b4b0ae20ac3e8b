//! What a log says after it was written, cut, damaged and written anew.

use super::*;

const VB: Vb = Vb(1);

fn state(birth: u64, persisted: u64) -> Record {
    Record::State(VB, Standing { birth, state: State::Active, change: 4, persisted })
}

fn set(birth: u64, key: u8, cas: u64) -> Record {
    let (value, until) = (Value::new(&format!("v{cas}")), cas.is_multiple_of(2).then_some(cas));
    Record::Set(VB, birth, Version { key: Key(key), value, flags: 7, until, cas })
}

fn log(records: &[Record]) -> Vec<u8> {
    let mut log = Vec::new();
    for record in records {
        encode(record, &mut log);
    }
    log
}

fn versions(replayed: &Replayed) -> Vec<(u8, u64)> {
    let saved = replayed.vbuckets.get(&VB);
    saved.map_or(Vec::new(), |s| s.rows.iter().map(|(k, (v, _))| (k.0, v.cas)).collect())
}

fn two_transactions() -> [Record; 9] {
    let (begin, commit) = (Record::Begin, Record::Commit);
    [
        begin.clone(),
        state(5, 1),
        set(5, 0, 10),
        set(5, 1, 11),
        commit.clone(),
        begin,
        set(5, 0, 12),
        Record::Delete(VB, 5, Key(1)),
        commit,
    ]
}

#[test]
fn a_log_is_read_back_as_what_was_committed_and_written_anew_says_the_same() {
    let mut replayed = replay(&log(&two_transactions()));
    assert_eq!(versions(&replayed), [(0, 12)]);
    assert!(!replayed.torn && !replayed.unfinished);
    let anew = replayed.log();
    assert_eq!(replay(&anew), replayed);
    let (_, row) = &replayed.vbuckets[&VB].rows[&Key(0)];
    let at = usize::try_from(row.offset).expect("a small number");
    assert_eq!(decode(&anew[at..]), Some((set(5, 0, 12), row.len as usize)));
}

#[test]
fn a_log_cut_anywhere_has_each_transaction_whole_or_not_at_all() {
    let records = two_transactions();
    let (first, whole) = (log(&records[..5]).len(), log(&records).len());
    let log = log(&records);
    for cut in 0..=whole {
        let seen = versions(&replay(&log[..cut]));
        let expected: &[(u8, u64)] = match cut {
            cut if cut == whole => &[(0, 12)],
            cut if cut >= first => &[(0, 10), (1, 11)],
            _ => &[],
        };
        assert_eq!(seen, expected, "cut at {cut}");
    }
}

#[test]
fn a_record_with_any_bit_flipped_ends_the_log() {
    let begin = log(&[Record::Begin]);
    let log = log(&[Record::Begin, state(5, 1), set(5, 0, 10), Record::Commit]);
    for byte in begin.len()..log.len() {
        for bit in 0..8 {
            let mut flipped = log.clone();
            flipped[byte] ^= 1 << bit;
            let replayed = replay(&flipped);
            assert!(replayed.torn && versions(&replayed).is_empty(), "{byte} {bit}");
        }
    }
}

#[test]
fn what_was_begun_and_not_committed_never_was() {
    let (begin, commit) = (Record::Begin, Record::Commit);
    let records = [
        begin.clone(),
        state(5, 1),
        set(5, 0, 10),
        commit.clone(),
        begin.clone(),
        set(5, 0, 11),
        begin,
        set(5, 1, 12),
        commit,
    ];
    let replayed = replay(&log(&records));
    assert_eq!(versions(&replayed), [(0, 10), (1, 12)]);
    assert!(replayed.unfinished && !replayed.torn);
}

#[test]
fn what_was_written_for_an_earlier_birth_does_not_count() {
    let (begin, commit) = (Record::Begin, Record::Commit);
    let mut records = vec![begin, state(5, 1), set(5, 0, 10), Record::Dropped(VB), set(5, 1, 11)];
    records.push(commit.clone());
    assert!(replay(&log(&records)).vbuckets.is_empty());
    records.pop();
    records.extend([state(6, 0), set(5, 0, 12), set(6, 1, 13), commit]);
    assert_eq!(versions(&replay(&log(&records))), [(1, 13)]);
}

#[test]
fn arbitrary_bytes_never_panic() {
    let mut bytes = Vec::new();
    let mut word = 1_u32;
    for _ in 0..4000 {
        word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        bytes.push(word.to_le_bytes()[3] % 12);
    }
    for start in 0..bytes.len() {
        let _ = replay(&bytes[start..]);
    }
}
