use super::*;
use proptest::prelude::*;

const NET: Site =
    Site { id: 1, name: "net", shape: Shape::Between, outcomes: &["drop", "delay 1ms"] };
const SCHEDULE: Site = Site { id: 3, name: "schedule", shape: Shape::Between, outcomes: &["10ms"] };
const DISK: Site =
    Site { id: 5, name: "disk", shape: Shape::Disk, outcomes: &["error", "slow 10ms"] };
const SECTOR: Site = Site { id: 6, name: "sector", shape: Shape::Sector, outcomes: &["kept"] };
const NAMES: Site = Site { id: 7, name: "names", shape: Shape::Change, outcomes: &["kept"] };
const SEGMENT: Site =
    Site { id: 8, name: "segment", shape: Shape::Stream, outcomes: &["1 byte", "3 bytes"] };
const THINK: Site = Site { id: 12, name: "think", shape: Shape::Own, outcomes: &["20ms"] };
const SHUFFLE: Site = Site { id: 40, name: "shuffle", shape: Shape::Own, outcomes: &[] };

const ENGINE: &[&Site] = &[&NET, &SCHEDULE, &DISK, &SECTOR, &NAMES, &SEGMENT, &THINK];

fn names() -> Names {
    let actors = ["n0", "n0.timer", "n1", "c0"].map(String::from).to_vec();
    let nodes = ["n0", "n1", "c0"].map(String::from).to_vec();
    let kinds: [&'static [&'static str]; 4] = [&["put", "ping"], &["batch"], &["db"], &["retry"]];
    Names { nodes, actors, kinds, points: &[], sites: &[&SHUFFLE] }
}

#[test]
fn every_form_of_line_prints_and_parses_to_itself() {
    let names = names();
    let wording = Wording { names: &names, engine: ENGINE };
    for text in [
        "net c0->n0 put#2 1st: drop",
        "net c0->n0 ping 1st: calm",
        "net n0(2)->n1 put#18446744073709551615 21st: delay 1ms",
        "net n0.timer->n0 phase:batch 2nd: drop",
        "schedule n0.timer(3)->n0.timer lock:db#1 2nd: 10ms",
        "schedule n0->n0 timer:retry#7 11th: 10ms",
        "disk n0 wal write 3rd: slow 10ms",
        "disk n1(2) / sync-dir 1st: error",
        "disk n1 - read 1st: error",
        "sector n0 wal sector 4: kept",
        "sector n0(2) wal sync 3 sector 4: kept",
        "sector n0 wal sync 32767 length: kept",
        "sector n0 wal length: calm",
        "sector n0 wal request 1 sector 0: kept",
        "sector n0 wal request 0 length: kept",
        "names n0 db.tmp change 2: kept",
        "names n0 db.tmp request 0 change 1: kept",
        "segment c0->n0 1st out @32: 3 bytes",
        "segment c0->n0.timer 2nd back @0: 1 byte",
        "segment c0->n0 1st: 1 byte",
        "think c0 #4: 20ms",
        "shuffle n0 #7 2nd: 3",
        "shuffle n0(2) #7 0th: 15",
        "shuffle n0.timer #0: 1",
    ] {
        let decision = wording.parse(text).expect(text);
        assert_eq!(wording.print(&decision), text);
    }
}

#[test]
fn the_words_of_a_line_are_the_words_of_its_key() {
    let names = names();
    let wording = Wording { names: &names, engine: ENGINE };
    let key = |text| wording.parse(text).expect(text).key;
    let ends = Ends { from: 3, to: 0, incarnation: 1 };
    assert_eq!(key("net c0->n0 put#2 1st: drop"), Key::between(ends, 0, 2, 1));
    let ends = Ends { from: 1, to: 1, incarnation: 2 };
    let phase = Key::between(ends, 1 << 12, 0, 2);
    assert_eq!(key("schedule n0.timer(2)->n0.timer phase:batch 2nd: 10ms"), phase);
    let wal = FileName::new("wal").word();
    assert_eq!(key("disk n1(2) wal write 3rd: error"), Key::disk(1, 2, wal, 3, 3));
    assert_eq!(key("sector n0 wal sync 3 length: kept"), Key::sector(0, 1, wal, 3, LENGTH));
    assert_eq!(key("sector n0 wal request 1 sector 2: kept"), Key::sector(0, 1, wal, 0x8001, 2));
    assert_eq!(key("names n0 wal change 2: kept"), Key::sector(0, 1, wal, 0, 2));
    assert_eq!(key("segment c0->n0 2nd back @32: 1 byte"), Key::stream(3, 0, 2, 1, 32));
    assert_eq!(key("think c0 #4: 20ms"), Key::own(3, 1, 0, 4));
}

#[test]
fn a_line_that_departs_from_the_form_says_what_was_expected() {
    let names = names();
    let wording = Wording { names: &names, engine: ENGINE };
    for text in [
        "",
        "net",
        "net c0->n0 put 1st",
        "gossip c0->n0 put 1st: drop",
        "net : drop",
        "net c0 n0 put 1st: drop",
        "net c0->n9 put 1st: drop",
        "net c0(x)->n0 put 1st: drop",
        "net c0(1->n0 put 1st: drop",
        "net c0->n0 pull 1st: drop",
        "net c0->n0 put#two 1st: drop",
        "net c0->n0 put#18446744073709551616 1st: drop",
        "net c0->n0 put 1th: drop",
        "net c0->n0 put 4294967296th: drop",
        "net c0->n0 put é: drop",
        "net c0->n0 put 1st: melt",
        "net c0->n0 put 1st: 1",
        "net c0->n0 put 1st: 16",
        "disk n0 wal melt 1st: error",
        "disk n0 a/b read 1st: error",
        "disk n9 wal read 1st: error",
        "sector n0 wal: kept",
        "sector n0 wal sector x: kept",
        "sector n0 wal sector 4294967295: kept",
        "sector n0 wal change 1: kept",
        "sector n0 wal sync 0 sector 1: kept",
        "sector n0 wal sync 32768 sector 1: kept",
        "sector n0 wal request 1: kept",
        "names n0 wal sector 1: kept",
        "segment c0->n0 1st @32: 1 byte",
        "segment c0->n0 1st sideways @32: 1 byte",
        "segment c0->n0 1st out 32: 1 byte",
        "think c0 4: 20ms",
        "shuffle n0 #7 2nd 3rd: 3",
        "shuffle n0 #7 2nd: 16",
        "shuffle n0 #7 2nd: 0",
    ] {
        let error = wording.parse(text).expect_err(text);
        assert!(error.contains("expected"), "{text}: {error}");
    }
}

fn any_decision() -> impl Strategy<Value = Decision> {
    let parts = (0_u16..3, 0_u16..4, any::<u32>(), any::<u64>(), any::<u32>(), any::<u64>());
    let which = (0..=ENGINE.len(), any::<u16>(), 0_u32..16);
    (parts, which).prop_map(|((node, actor, life, what, n, offset), (site, some, outcome))| {
        let site = ENGINE.get(site).unwrap_or(&&SHUFFLE);
        let wal = FileName::new("wal").word();
        let key = match site.shape {
            Shape::Between => {
                let kind = [0, 1, 1 << 12, 2 << 12, 3 << 12][usize::from(some % 5)];
                Key::between(Ends { from: actor, to: node, incarnation: life }, kind, what, n)
            }
            Shape::Disk => Key::disk(node, life, [0, wal][usize::from(some & 1)], some % 11, n),
            Shape::Sector | Shape::Change => Key::sector(node, life, wal, some, n),
            Shape::Stream => Key::stream(actor, node, n, u8::from(some & 1 == 1), offset),
            Shape::Own => Key::own(actor, life, what, offset),
        };
        let named = u32::try_from(site.outcomes.len()).unwrap();
        let most = if named == 0 { 16 } else { named + 1 };
        Decision { site: site.id, key, outcome: outcome % most }
    })
}

proptest! {
    #[test]
    fn every_decision_prints_and_parses_to_itself(decision in any_decision()) {
        let names = names();
        let wording = Wording { names: &names, engine: ENGINE };
        prop_assert_eq!(wording.parse(&wording.print(&decision)), Ok(decision));
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC*", words in "(net|disk|sector|segment|think|shuffle) [a-z0-9#>(): -]*") {
        let names = names();
        let wording = Wording { names: &names, engine: ENGINE };
        let _ = wording.parse(&text);
        let _ = wording.parse(&words);
    }
}
