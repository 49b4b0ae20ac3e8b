//! Every kind of trouble of the catalogue is seen to happen: what a calm world tells, and what it tells with the trouble.

use crate::probe::Do::{
    Append, Arm, Clocks, Complete, Connect, Create, Load, Lock, Open, Read, Send, Stopped, Sync,
    SyncDir, Unlock, Write,
};
use crate::probe::lab::{Lab, key};
use crate::probe::word;
use seedbed_sim::actor::{DiskKind, Family, Outcome};
use seedbed_sim::choose::{Key, Site};
use seedbed_sim::disk::{CRASH, DISK, LENGTH, SECTOR};
use seedbed_sim::fault::{Kind, NodeSet};
use seedbed_sim::id::{FileName, NodeId};
use seedbed_sim::net::NET;
use seedbed_sim::net::conn::{CONNECT, CORRUPT, CUT, SEGMENT};
use seedbed_sim::time::Span;
use seedbed_sim::world::{SCHEDULE, THINK, TIE, WAITER};

/// One kind: a world that is calm, the trouble, and what is told then.
type Exhibit = (Kind, fn() -> Lab, fn(Lab) -> Lab, &'static str);

/// Two nodes write each other at 10 ms, and one of them at its boot, too.
fn mail() -> Lab {
    let (a, b, c) = (word("a"), word("b"), word("c"));
    Lab::new()
        .server(vec![
            ("boot", vec![Send(1, a), Arm(b, Span::ms(10))]),
            ("timer b", vec![Send(1, b)]),
            ("stop", vec![Stopped]),
        ])
        .server(vec![("boot", vec![Arm(c, Span::ms(10))]), ("timer c", vec![Send(0, c)])])
}

/// Two messages from one node to another, sent at once.
fn letters() -> Lab {
    Lab::new().server(vec![("boot", vec![Send(1, word("a")), Send(1, word("b"))])]).server(vec![])
}

fn letter(lab: Lab, outcome: u32) -> Lab {
    lab.force(&NET, key(Family::Message, (0, 1), word("a"), 1), outcome)
}

/// A node connects to another at its boot, and writes six bytes at 10 ms.
fn line() -> Lab {
    Lab::new().server(vec![("readable", vec![Read])]).server(vec![
        ("boot", vec![Connect(0), Arm(word("b"), Span::ms(10))]),
        ("timer b", vec![Write(6)]),
    ])
}

fn stream(lab: Lab, site: &Site, outcome: u32) -> Lab {
    lab.force(site, Key::stream(1, 0, 1, 0, 0), outcome)
}

/// A line that is cut while its bytes are on their way.
fn cut_line() -> Lab {
    line().fault("at 10500us: cut n0 from n1 for 5ms")
}

/// A node makes a file, and from 10 ms on writes, syncs and reads it.
fn file() -> Lab {
    Lab::new()
        .server(vec![
            ("boot", vec![Create("log"), Arm(word("b"), Span::ms(10))]),
            ("timer b", vec![Append(100)]),
            ("written", vec![Sync]),
            ("done", vec![Load]),
        ])
        .tune(|run| run.fragile = NodeSet::one(NodeId(0)))
}

fn append(lab: Lab, outcome: u32) -> Lab {
    let log = FileName::new("log").word();
    lab.force(&DISK, Key::disk(0, 1, log, DiskKind::Append as u16, 1), outcome)
}

/// A node that loses its power while 100 bytes in two sectors are not synced.
fn unsynced() -> Lab {
    let lab = Lab::new().server(vec![
        ("boot in 1", vec![Create("log")]),
        ("opened 0 in 1", vec![SyncDir]),
        ("done in 1", vec![Append(100)]),
        ("boot in 2", vec![Open("log")]),
        ("opened 100", vec![Load]),
    ]);
    lab.fault("at 5ms: crash n0 for 1ms")
}

fn keep(lab: Lab, sector: u32) -> Lab {
    let log = FileName::new("log").word();
    lab.force(&SECTOR, Key::sector(0, 1, log, CRASH, sector), 1)
}

/// A node that reads its clocks at its boot and after 10 ms.
fn clocks() -> Lab {
    let script =
        vec![("boot", vec![Clocks, Arm(word("b"), Span::ms(10))]), ("timer b", vec![Clocks])];
    Lab::new().server(script)
}

/// Three probes of a node take a lock, one after the other.
fn lock() -> Lab {
    let table = word("table");
    let takes = || vec![("boot", vec![Lock(table)]), ("locked table", vec![Unlock(table)])];
    Lab::new().server(takes()).beside("b", takes()).beside("c", takes())
}

/// A hand-over between two probes of a node.
fn desk() -> Lab {
    Lab::new().server(vec![("boot", vec![Send(1, word("a"))])]).beside("b", vec![])
}

/// A client with one operation.
fn asked() -> Lab {
    Lab::new().client(vec![("invoke 4", vec![Complete(Outcome::Ok(4))])], &[4])
}

#[rustfmt::skip]
const EXHIBITS: &[Exhibit] = &[
    (Kind::Crash, mail, |lab| lab.fault("at 5ms: crash n0 for 3ms"),
        "1ms n1 a, 9ms n1 a, 10ms n1 timer c, 11ms n0 c, 18ms n0 timer b, 19ms n1 b"),
    (Kind::Kill, mail, |lab| lab.fault("at 5ms: kill n0 for 3ms"),
        "1ms n1 a, 9ms n1 a, 10ms n1 timer c, 11ms n0 c, 18ms n0 timer b, 19ms n1 b"),
    (Kind::Stop, mail, |lab| lab.fault("at 5ms: stop n0 for 3ms"),
        "1ms n1 a, 5001us n0 stop, 9001us n1 a, 10ms n1 timer c, 11ms n0 c, 18001us n0 timer b, 19001us n1 b"),
    (Kind::Wipe, unsynced, |lab| lab.fault("at 4ms: wipe n0 for 500us").tune(|run| run.fragile = NodeSet::one(NodeId(0))),
        "100us n0 opened 0, 200us n0 done, 300us n0 written, 4600us n0 not found"),
    (Kind::Pause, mail, |lab| lab.fault("at 5ms: pause n0 for 20ms"),
        "1ms n1 a, 10ms n1 timer c, 25ms n0 timer b, 25ms n0 c, 26ms n1 b"),
    (Kind::SlowNode, mail, |lab| lab.fault("at 5ms: slow n0 x4 for 20ms"),
        "1ms n1 a, 10ms n0 timer b, 10ms n1 timer c, 14ms n1 b, 14ms n0 c"),
    (Kind::Cut, mail, |lab| lab.fault("at 5ms: cut n0 from n1 for 20ms"),
        "1ms n1 a, 10ms n0 timer b, 10ms n1 timer c"),
    (Kind::CutOneWay, mail, |lab| lab.fault("at 5ms: cut n0 to n1 for 20ms"),
        "1ms n1 a, 10ms n0 timer b, 10ms n1 timer c, 11ms n0 c"),
    (Kind::Clog, mail, |lab| lab.fault("at 5ms: clog n0 from n1 for 20ms"),
        "1ms n1 a, 10ms n0 timer b, 10ms n1 timer c, 26ms n1 b, 26ms n0 c"),
    (Kind::SlowLink, mail, |lab| lab.fault("at 5ms: slow-link n0 to n1 x5 for 20ms"),
        "1ms n1 a, 10ms n0 timer b, 10ms n1 timer c, 11ms n0 c, 15ms n1 b"),
    (Kind::Reset, line, |lab| lab.fault("at 5ms: reset n1 to n0"),
        "1ms n0 accepted, 2ms n1 connected, 6ms n0 reset, 6ms n1 reset, 10ms n1 timer b, 10ms n1 wrote 0"),
    (Kind::Close, line, |lab| lab.fault("at 5ms: close n1 to n0"),
        "1ms n0 accepted, 2ms n1 connected, 6ms n0 closed, 6ms n1 closed, 10ms n1 timer b, 10ms n1 wrote 0"),
    (Kind::Silence, line, |lab| lab.fault("at 5ms: silence n1 to n0"),
        "1ms n0 accepted, 2ms n1 connected, 10ms n1 timer b, 10ms n1 wrote 6"),
    (Kind::Tear, line, |lab| lab.seed(5).fault("at 10500us: tear n1 to n0"),
        "1ms n0 accepted, 2ms n1 connected, 10ms n1 timer b, 10ms n1 wrote 6, 11ms n0 readable, 11ms n0 read *, 12ms n0 closed, 12ms n1 reset"),
    (Kind::Refuse, line, |lab| lab.fault("at 0ns: refuse n0 for 5ms"),
        "2ms n1 refused, 10ms n1 timer b, 10ms n1 wrote 0"),
    (Kind::Hang, line, |lab| lab.fault("at 0ns: hang n0 for 5ms"),
        "5ms n0 accepted, 6ms n1 connected, 10ms n1 timer b, 10ms n1 wrote 6, 11ms n0 readable, 11ms n0 read 6"),
    (Kind::DiskFull, file, |lab| lab.fault("at 5ms: disk-full n0 for 20ms"),
        "100us n0 opened 0, 10ms n0 timer b, 10100us n0 disk full"),
    (Kind::ReadErrors, file, |lab| lab.fault("at 5ms: read-error n0 for 20ms"),
        "100us n0 opened 0, 10ms n0 timer b, 10100us n0 written, 10200us n0 done, 10300us n0 i/o error"),
    (Kind::WriteErrors, file, |lab| lab.fault("at 5ms: write-error n0 for 20ms"),
        "100us n0 opened 0, 10ms n0 timer b, 10100us n0 i/o error"),
    (Kind::SyncErrors, file, |lab| lab.fault("at 5ms: sync-error n0 for 20ms"),
        "100us n0 opened 0, 10ms n0 timer b, 10100us n0 written, 10200us n0 i/o error"),
    (Kind::DiskSlow, file, |lab| lab.fault("at 5ms: disk-slow n0 x9 for 20ms"),
        "100us n0 opened 0, 10ms n0 timer b, 10900us n0 written, 11800us n0 done, 12700us n0 loaded 100"),
    (Kind::DiskHang, file, |lab| lab.fault("at 5ms: disk-hang n0 for 20ms"),
        "100us n0 opened 0, 10ms n0 timer b"),
    (Kind::Skew, clocks, |lab| lab.fault("at 0ns: skew n0 -5ms"),
        "0ns n0 now 1 wall 995000001, 10ms n0 timer b, 10ms n0 now 10000001 wall 1005000001"),
    (Kind::Jump, clocks, |lab| lab.fault("at 5ms: jump n0 +5ms"),
        "0ns n0 now 1 wall 1000000001, 10ms n0 timer b, 10ms n0 now 10000001 wall 1015000001"),
    (Kind::Drift, clocks, |lab| lab.fault("at 5ms: drift n0 +250000ppm for 1s"),
        "0ns n0 now 1 wall 1000000001, 9ms n0 timer b, 9ms n0 now 10000001 wall 1010000001"),
    (Kind::Drop, letters, |lab| letter(lab, 1),
        "1ms n1 b"),
    (Kind::Duplicate, letters, |lab| letter(lab, 2),
        "1ms n1 a, 1ms n1 b, *us n1 a"),
    (Kind::Reorder, letters, |lab| letter(lab, 3),
        "1ms n1 b, *us n1 a"),
    (Kind::Corrupt, letters, |lab| letter(lab, 4),
        "1ms n1 a#*, 1ms n1 b"),
    (Kind::Delay, letters, |lab| letter(lab, 8),
        "1ms n1 b, 21ms n1 a"),
    (Kind::Segment, line, |lab| stream(lab, &SEGMENT, 2),
        "1ms n0 accepted, 2ms n1 connected, 10ms n1 timer b, 10ms n1 wrote 6, 11ms n0 readable, 11ms n0 read 2, 12ms n0 readable, 12ms n0 read 4"),
    (Kind::ConnectRefused, line, |lab| stream(lab, &CONNECT, 1),
        "2ms n1 refused, 10ms n1 timer b, 10ms n1 wrote 0"),
    (Kind::ConnectHang, line, |lab| stream(lab, &CONNECT, 2),
        "10ms n1 timer b, 10ms n1 wrote 0"),
    (Kind::ConnectDelay, line, |lab| stream(lab, &CONNECT, 3),
        "2ms n0 accepted, 3ms n1 connected, 10ms n1 timer b, 10ms n1 wrote 6, 11ms n0 readable, 11ms n0 read 6"),
    (Kind::CutReset, cut_line, |lab| stream(lab, &CUT, 1),
        "1ms n0 accepted, 2ms n1 connected, 10ms n1 timer b, 10ms n1 wrote 6, 16500us n0 reset, 16500us n1 reset"),
    (Kind::CutHalfOpen, cut_line, |lab| stream(lab, &CUT, 2),
        "1ms n0 accepted, 2ms n1 connected, 10ms n1 timer b, 10ms n1 wrote 6"),
    (Kind::Flip, line, |lab| stream(lab, &CORRUPT, 1),
        "1ms n0 accepted, 2ms n1 connected, 10ms n1 timer b, 10ms n1 wrote 6, 11ms n0 readable, 11ms n0 read 6 damaged"),
    (Kind::RequestError, file, |lab| append(lab, 1),
        "100us n0 opened 0, 10ms n0 timer b, 10100us n0 i/o error"),
    (Kind::RequestSlow, file, |lab| append(lab, 3),
        "100us n0 opened 0, 10ms n0 timer b, 20100us n0 written, 20200us n0 done, 20300us n0 loaded 100"),
    (Kind::RequestHang, file, |lab| append(lab, 6),
        "100us n0 opened 0, 10ms n0 timer b"),
    (Kind::ShortWrite, file, |lab| append(lab, 7),
        "100us n0 opened 0, 10ms n0 timer b, 10100us n0 i/o error"),
    (Kind::Misdirect, file, |lab| append(lab, 8),
        "100us n0 opened 0, 10ms n0 timer b, 10100us n0 written, 10200us n0 done, 10300us n0 loaded 100 damaged"),
    (Kind::Rot, file, |lab| append(lab, 9),
        "100us n0 opened 0, 10ms n0 timer b, 10100us n0 written, 10200us n0 done, 10300us n0 loaded 100 damaged"),
    (Kind::Kept, unsynced, |lab| keep(keep(lab, LENGTH), 0),
        "100us n0 opened 0, 200us n0 done, 300us n0 written, 6100us n0 opened 100, 6200us n0 loaded 100 damaged"),
    (Kind::Schedule, desk, |lab| lab.force(&SCHEDULE, key(Family::Message, (0, 1), word("a"), 1), 3),
        "1001us n0.b a"),
    (Kind::Tie, letters, |lab| lab.force(&TIE, key(Family::Message, (0, 1), word("a"), 1), 1),
        "1ms n1 b, 1ms n1 a"),
    (Kind::Waiter, lock, |lab| lab.force(&WAITER, key(Family::Lock, (0, 0), word("table"), 1), 1),
        "1us n0 locked table, 2us n0.c locked table, 3us n0.b locked table"),
    (Kind::Think, asked, |lab| lab.force(&THINK, Key::own(0, 1, 0, 1), 4),
        "20ms c0 invoke 4"),
];

/// What was noted, and when (to the microsecond), but for the boots.
fn tale(lab: &Lab) -> String {
    let said = lab.said();
    let told = lab.log.iter().zip(&said).filter(|(line, _)| line.text != "boot");
    let at = |at: Span| Span::us((at.0 + 500) / 1000);
    let tell = told.map(|(line, said)| format!("{} {said}", at(line.at.since(lab.plan.run.start))));
    tell.collect::<Vec<String>>().join(", ")
}

/// Whether a tale is the expected one, in which `*` stands for a detail that the seed decides.
fn fits(told: &str, expected: &str) -> bool {
    let Some((start, rest)) = expected.split_once('*') else { return told == expected };
    told.strip_prefix(start).is_some_and(|told| {
        let digits = told.trim_start_matches(|c: char| c.is_ascii_digit());
        digits.len() < told.len() && fits(digits, rest)
    })
}

#[test]
fn every_kind_of_trouble_is_seen_to_happen() {
    for (kind, calm, trouble, expected) in EXHIBITS {
        let (calm, troubled) = (calm().run(), trouble(calm()).run());
        assert_eq!(calm.world.seen(*kind), 0, "{}: it is not there before", kind.name());
        assert!(troubled.world.seen(*kind) > 0, "{}: {}", kind.name(), troubled.trace());
        assert_ne!(tale(&calm), tale(&troubled), "{}", kind.name());
        let told = tale(&troubled);
        assert!(fits(&told, expected), "{}:\n  {told}\n  {expected}", kind.name());
    }
}

#[test]
fn the_exhibits_are_the_catalogue() {
    let shown: Vec<Kind> = EXHIBITS.iter().map(|(kind, ..)| *kind).collect();
    let catalogue: Vec<Kind> = Kind::CATALOGUE.iter().map(|(kind, ..)| *kind).collect();
    assert_eq!(shown, catalogue, "each kind has its exhibit, in the order of the catalogue");
}

#[test]
fn a_datagram_on_its_way_is_lost_in_a_cut_and_kept_by_a_clog() {
    let told = |fault| tale(&mail().fault(fault).run());
    let start = "1ms n1 a, 10ms n0 timer b, 10ms n1 timer c";
    let cut = mail().fault("at 10500us: cut n0 from n1 for 5ms").run();
    assert_eq!(tale(&cut), start);
    assert_eq!(cut.trace().matches("lost in a cut").count(), 2, "{}", cut.trace());
    // It is lost in the direction that is cut, and only if it arrives before the cut ends.
    assert_eq!(told("at 10500us: cut n0 to n1 for 5ms"), format!("{start}, 11ms n0 c"));
    assert_eq!(told("at 10500us: cut n0 from n1 for 400us"), tale(&mail().run()));
    let clogged = told("at 10500us: clog n0 from n1 for 5ms");
    assert_eq!(clogged, format!("{start}, 15500us n1 b, 15500us n0 c"));
}

#[test]
fn what_a_pause_has_put_off_has_arrived_before_a_cut_of_its_link() {
    let lab = mail()
        .fault("at 10500us: pause n1 for 10ms")
        .fault("at 15ms: cut n0 from n1 for 20ms")
        .run();
    let told = "1ms n1 a, 10ms n0 timer b, 10ms n1 timer c, 11ms n0 c, 20500us n1 b";
    assert_eq!(tale(&lab), told, "{}", lab.trace());
}

/// A world, trouble of it, and the same trouble a little later for a span that ends earlier.
type Overlap = (fn() -> Lab, &'static str, &'static str);

#[rustfmt::skip]
const OVERLAPS: [Overlap; 12] = [
    (mail, "at 5ms: pause n0 for 20ms", "at 6ms: pause n0 for 1ms"),
    (mail, "at 5ms: slow n0 x4 for 20ms", "at 6ms: slow n0 x4 for 1ms"),
    (mail, "at 5ms: cut n0 from n1 for 20ms", "at 6ms: cut n0 from n1 for 1ms"),
    (mail, "at 5ms: clog n0 from n1 for 20ms", "at 6ms: clog n0 from n1 for 1ms"),
    (mail, "at 5ms: slow-link n0 to n1 x5 for 20ms", "at 6ms: slow-link n0 to n1 x5 for 1ms"),
    (line, "at 0ns: refuse n0 for 5ms", "at 100us: refuse n0 for 1us"),
    (line, "at 0ns: hang n0 for 5ms", "at 100us: hang n0 for 1us"),
    (file, "at 5ms: disk-full n0 for 20ms", "at 6ms: disk-full n0 for 1ms"),
    (file, "at 5ms: read-error n0 for 20ms", "at 6ms: read-error n0 for 1ms"),
    (file, "at 5ms: write-error n0 for 20ms", "at 6ms: write-error n0 for 1ms"),
    (file, "at 5ms: disk-slow n0 x9 for 20ms", "at 6ms: disk-slow n0 x9 for 1ms"),
    (file, "at 5ms: disk-hang n0 for 20ms", "at 6ms: disk-hang n0 for 1ms"),
];

#[test]
fn a_shorter_span_of_trouble_does_not_end_a_longer_one() {
    let sync = ("at 5ms: sync-error n0 for 20ms", "at 6ms: sync-error n0 for 1ms");
    for (world, long, short) in OVERLAPS.into_iter().chain([(file as fn() -> Lab, sync.0, sync.1)])
    {
        let alone = tale(&world().fault(long).run());
        assert_ne!(alone, tale(&world().run()), "{long}");
        assert_eq!(tale(&world().fault(long).fault(short).run()), alone, "{long}, {short}");
    }
}

#[test]
fn what_lasts_for_a_while_is_not_counted_as_a_decision_about_one_request_or_connect() {
    for (world, fault, kind) in [
        (file as fn() -> Lab, "at 5ms: read-error n0 for 20ms", Kind::RequestError),
        (file, "at 5ms: write-error n0 for 20ms", Kind::RequestError),
        (file, "at 5ms: sync-error n0 for 20ms", Kind::RequestError),
        (file, "at 5ms: disk-slow n0 x9 for 20ms", Kind::RequestSlow),
        (file, "at 5ms: disk-hang n0 for 20ms", Kind::RequestHang),
        (line, "at 0ns: refuse n0 for 5ms", Kind::ConnectRefused),
        (line, "at 0ns: hang n0 for 5ms", Kind::ConnectHang),
    ] {
        let lab = world().fault(fault).run();
        assert_eq!(lab.world.seen(kind), 0, "{fault}");
        assert_ne!(tale(&lab), tale(&world().run()), "{fault}");
    }
    assert_eq!(append(file(), 7).run().world.seen(Kind::RequestError), 0, "a short write");
    let alone = Lab::new().server(vec![("boot", vec![Connect(0)])]).run();
    assert_eq!(alone.story(), "n0 refused");
    assert_eq!(alone.world.seen(Kind::ConnectRefused), 0, "nobody connects to himself");
}

/// The digest after this time, and the whole trace.
fn after(mut lab: Lab, span: Span) -> (u64, String) {
    lab.reset();
    lab.go_on(span);
    let digest = lab.world.digest();
    lab.go_on(Span::secs(1));
    (digest, lab.trace())
}

#[test]
fn what_is_decided_about_a_connection_is_told_and_changes_the_digest_at_once() {
    // Nothing but the two boots has happened after a nanosecond.
    let connects = [0, 1, 2, 3].map(|outcome| after(stream(line(), &CONNECT, outcome), Span(1)));
    let told = ["connected", "a connect is refused", "a connect hangs", "a connect is late"];
    for ((digest, trace), told) in connects.iter().zip(told) {
        assert!(trace.contains(told), "{told}:\n{trace}");
        let same = connects.iter().filter(|(other, _)| other == digest).count();
        // That it is refused is told by the server that it reaches.
        assert_eq!(same, if matches!(told, "connected" | "a connect is refused") { 2 } else { 1 });
    }
    // The bytes meet the cut after 11 ms.
    let line = || cut_line().beside("b", vec![("boot", vec![Arm(word("a"), Span::ms(40))])]);
    let cuts = [0, 1, 2].map(|outcome| after(stream(line(), &CUT, outcome), Span::ms(12)));
    let told =
        ["waits for the end of a cut", "given up because of a cut", "half open because of a cut"];
    for ((digest, trace), told) in cuts.iter().zip(told) {
        assert!(trace.contains(told), "{told}:\n{trace}");
        assert_eq!(cuts.iter().filter(|(other, _)| other == digest).count(), 1, "{told}");
    }
}

#[test]
fn what_a_disk_does_stands_below_the_step_that_tells_of_it() {
    let lab = append(file(), 9).run();
    let trace = lab.trace();
    let lines: Vec<&str> = trace.lines().map(str::trim_start).collect();
    let at = lines.iter().position(|line| line.contains("bit") && line.ends_with("flipped"));
    let at = at.expect("it is told");
    assert!(lines[at - 1].contains("wrote 100 bytes"), "{trace}");
}

#[test]
fn damage_is_not_told_where_it_does_not_happen() {
    let spared = append(file(), 9).tune(|run| run.fragile = NodeSet::default()).run();
    assert_eq!(tale(&spared), tale(&file().run()));
    assert!(!spared.trace().contains("(rot)"), "{}", spared.trace());
    assert_eq!(spared.world.seen(Kind::Rot), 0);
}

#[test]
fn trouble_of_connections_strikes_them_whoever_has_opened_them_and_silence_has_a_direction() {
    let told = |fault| tale(&line().fault(fault).run());
    assert_eq!(told("at 5ms: reset n0 to n1"), told("at 5ms: reset n1 to n0"));
    // Nobody writes on the way from n0 to n1, so that nobody misses anything.
    assert_eq!(told("at 5ms: silence n0 to n1"), tale(&line().run()));
    assert_ne!(told("at 5ms: silence n1 to n0"), tale(&line().run()));
}
