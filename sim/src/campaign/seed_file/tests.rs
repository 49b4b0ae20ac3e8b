use super::*;
use crate::check::tiny::{FILED, SCENARIO, Tiny};
use crate::disk::ClassSet;
use crate::engine::{Native, Options, Verdict};
use crate::nemesis::Noise;
use crate::world::promise;
use proptest::prelude::*;

mod expanded;

const WHOLE: &str = r#"# Two puts, of which one is lost.
#
#   The rest is here to fill the form.
format   = 1
scenario = "tiny/puts"
seed     = 7
bug      = "no-reply"
breaks   = "time goes on"
digest   = "00f31c2e04b7a1d5"
workload = [
  "c0#1: put 1",
  "c0#4: put 2",
  "c1#2: put 1",
]
faults   = [
  "on 1st before-reply at n0: crash n0 for 20ms",
  "at 7ms: cut n1 from c0,c1 for 1us",
]
noise    = ["net c0->n0 put#2 1st: drop"]

[config]
servers = 4

[run]
start = 5
steps_max = 1000
sector = 512
capacity = 1000000
buffer = 7
latency = "5ms"
think = "0ns"
grace = "20ms"
fragile = ["n0", "n2"]
down_max = 2
"#;

const DRAWN: &str = r#"format   = 1
scenario = "tiny/puts"
seed     = 7
workload = ["c1#2: put 1"]
noise    = "18446744073709551615"

[odds]
net = [990, 1, 2, 3, 4]
tie = [1, 1, 1, 1]
shuffle = [2, 1, 1, 1]
"#;

fn read(text: &str) -> Result<(Header, Plan<Tiny>), InputError> {
    parse(&SCENARIO, text, "some.seed")
}

#[test]
fn a_seed_file_prints_and_parses_to_itself() {
    for text in [WHOLE, DRAWN, "format   = 1\nscenario = \"tiny/puts\"\nseed     = 0\n"] {
        let (header, plan) = read(text).expect(text);
        assert_eq!(print(&SCENARIO, &header, &plan), text);
        assert_eq!(header_of(text, "some.seed"), Ok(header));
    }
}

#[test]
fn what_is_left_out_is_calm_and_simple() {
    let (header, plan) = read("format=1\nscenario='tiny/puts'\nseed=0x0a").unwrap();
    assert_eq!((header.bug, plan.seed), (None, 10));
    assert_eq!((plan.config.get("servers"), plan.down_max), (3, 1));
    assert_eq!(plan.run.grace, crate::time::Span::ms(100), "tuned by the knobs");
    assert_eq!((plan.ops.len(), plan.faults.len()), (0, 0));
    assert_eq!((plan.noise, plan.odds), (Noise::Lines(Vec::new()), Vec::new()));
}

#[test]
fn operations_of_several_clients_may_stand_in_any_order() {
    let text = WHOLE.replace("\"c0#1: put 1\",", "\"c1#1: put 3\", \"c0#1: put 1\",");
    let (_, plan) = read(&text).unwrap();
    let order: Vec<(u16, u32)> = plan.ops.iter().map(|op| (op.client, op.number)).collect();
    assert_eq!(order, [(0, 1), (0, 4), (1, 1), (1, 2)]);
}

/// Part of [`WHOLE`], what stands there instead, the line that is wrong, and words of the message.
const WRONG: &[(&str, &str, usize, &str)] = &[
    ("format   = 1", "format   = 2", 4, "`format` to be a whole number from 1 to 1, found 2"),
    ("format   = 1", "format   = \"one\"", 4, "found the text \"one\""),
    ("format   = 1\n", "", 0, "expected `format`"),
    ("scenario = \"tiny/puts\"\n", "", 0, "expected `scenario`: the name of a scenario"),
    ("scenario = \"tiny/puts\"", "scenario = 3", 5, "expected `scenario` to be a text"),
    ("scenario = \"tiny/puts\"", "scenario = \"tiny/gets\"", 5, "the scenario `tiny/puts`"),
    ("seed     = 7\n", "", 0, "expected `seed`"),
    ("seed     = 7", "seed     = -7", 6, "a whole number from 0 to"),
    ("seed     = 7", "seed     = 7.5", 6, "a number with a fraction"),
    ("seed     = 7", "seed     = 18446744073709551616", 6, "a whole number"),
    ("seed     = 7", "seed     = ", 6, "expected TOML"),
    ("seed     = 7", "seed     = 7\nseed = 8", 7, "expected TOML: duplicate key"),
    ("seed     = 7", "seed     = 7\nsede = 8", 7, "found `sede`"),
    ("no-reply", "no-answer", 7, "planted bugs no-reply two-replies, found `no-answer`"),
    ("\"no-reply\"", "true", 7, "found true"),
    ("goes on\"\n", "goes on\n", 8, "expected TOML"),
    ("goes on\"", "stands still\"", 8, "expected one of the promises"),
    ("00f31c2e04b7a1d5", "00f31c2e04b7a1d", 9, "16 hex digits"),
    ("00f31c2e04b7a1d5", "+0f31c2e04b7a1d5", 9, "16 hex digits"),
    ("\"00f31c2e04b7a1d5\"", "1979-05-27", 9, "found a date"),
    ("c0#1: put 1", "c0#1 put 1", 11, "an operation such as"),
    ("c0#1: put 1", "c01: put 1", 11, "an operation such as"),
    ("c0#1: put 1", "c0#one: put 1", 11, "a number of at most 999999999"),
    ("c0#1: put 1", "c0#1000000000: put 1", 11, "a number of at most 999999999"),
    ("c0#1: put 1", "c7#1: put 1", 11, "one of the clients c0 c1, found `c7`"),
    ("c0#1: put 1", "n0#1: put 1", 11, "one of the clients c0 c1, found `n0`"),
    ("c0#1: put 1", "c0#1: get 1", 11, "expected `put KEY`, found `get 1`"),
    ("c0#4: put 2", "c0#1: put 2", 12, "numbers of a client to grow, found 1 after 1"),
    ("c0#4: put 2", "c0#0: put 2", 12, "numbers of a client to grow"),
    ("\"c1#2: put 1\"", "[]", 13, "to be a list of texts, found a list"),
    ("on 1st before-reply", "on 1st after-all", 16, "points before-reply after-reply"),
    ("crash n0 for 20ms", "crash c0 for 20ms", 16, "`c0` is a client node"),
    ("crash n0 for 20ms", "crash n4 for 20ms", 16, "one of the nodes"),
    ("crash n0 for 20ms", "crash n0 for 1000001s", 16, "at most 1000000s"),
    ("crash n0 for 20ms", "slow n0 x1001 for 1s", 16, "a factor"),
    ("at 7ms: cut", "at 18446744073s: cut", 17, "at most 1000000s"),
    ("at 7ms: cut", "cut", 17, "expected `at TIME"),
    ("net c0->n0 put#2 1st: drop", "net c0->n0 put#2 1st: melt", 19, "outcomes calm, drop"),
    ("net c0->n0 put#2 1st: drop", "net c0->n0 put#2 1st: 12", 19, "outcome"),
    ("net c0->n0 put#2 1st: drop", "shuffle n0 #2: 4", 19, "an outcome below 4"),
    (
        "1st: drop\"]",
        "1st: drop\",\n\"net c0->n0 put#2 1st: calm\"]",
        20,
        "each decision only once",
    ),
    ("noise    = [\"net c0->n0 put#2 1st: drop\"]", "noise = true", 19, "`noise` to be"),
    ("servers = 4", "servers = 6", 22, "[config] servers` to be a whole number from 2 to 5"),
    ("servers = 4", "severs = 4", 22, "expected [config] servers grace_ms, found `severs`"),
    ("[config]\nservers = 4", "config = 4", 21, "expected `config` to be a table, found 4"),
    ("start = 5", "start = 0", 25, "[run] start` to be a whole number from 1"),
    ("start = 5", "start = 5\nstart_at = 6", 26, "found `start_at`"),
    ("sector = 512", "sector = 0", 27, "from 1 to 65536"),
    ("capacity = 1000000", "capacity = 0", 28, "from 1 to 4294967293"),
    ("capacity = 1000000", "capacity = 4294967294", 28, "from 1 to 4294967293"),
    ("latency = \"5ms\"", "latency = \"0ns\"", 30, "expected latency to be from 1ns to 60s"),
    ("latency = \"5ms\"", "latency = \"5\"", 30, "latency: expected a span"),
    ("latency = \"5ms\"", "latency = 5", 30, "[run] latency` to be a text"),
    ("latency = \"5ms\"", "horizon = \"2000000s\"", 30, "expected horizon to be from"),
    ("[\"n0\", \"n2\"]", "[\"n0\", \"n9\"]", 33, "one of the nodes"),
    ("[\"n0\", \"n2\"]", "[\"n0\", \"c0\"]", 33, "expected a server"),
    ("[\"n0\", \"n2\"]", "\"n0\"", 33, "a list of texts"),
    ("down_max = 2", "down_max = 65", 34, "from 0 to 64"),
    ("down_max = 2", "fragile_files = [\"log\"]", 34, "expected no class of files"),
    ("down_max = 2", "down_max = 2\n[odds]\nnet = [1, 2]", 36, "`noise = SEED` beside [odds]"),
];

/// The same for [`DRAWN`].
const WRONG_ODDS: &[(&str, &str, usize, &str)] = &[
    ("net = [990, 1, 2, 3, 4]", "nit = [1]", 8, "one of the sites net tie"),
    ("net = [990, 1, 2, 3, 4]", "net = 3", 8, "a list of whole numbers"),
    ("net = [990, 1, 2, 3, 4]", "net = [1, -2]", 8, "a list of whole numbers"),
    ("net = [990, 1, 2, 3, 4]", "net = [4294967295, 1]", 8, "sum is below 4294967296"),
    (
        "tie = [1, 1, 1, 1]",
        "tie = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]",
        9,
        "at most 16 weights, found 17",
    ),
    ("shuffle = [2, 1, 1, 1]", "shuffle = [2, 1, 1, 1, 1]", 10, "at most 4 weights, found 5"),
    ("18446744073709551615", "18446744073709551616", 5, "a whole number from 0"),
    ("[odds]", "[odds", 7, "expected TOML"),
];

#[test]
fn every_wrong_line_is_named_with_what_was_expected() {
    let tables = [(WHOLE, WRONG), (DRAWN, WRONG_ODDS)];
    for (base, (part, instead, line, message)) in
        tables.iter().flat_map(|(base, table)| table.iter().map(move |row| (base, row)))
    {
        assert!(base.contains(part), "{part}");
        let error = read(&base.replacen(part, instead, 1)).expect_err(instead);
        assert_eq!((error.file.as_str(), error.line), ("some.seed", *line), "{instead}: {error}");
        assert!(error.message.contains("expected"), "{instead}: {error}");
        assert!(error.message.contains(message), "{instead}: {error}");
        assert!(!error.message.contains('\n'), "{instead}: {error}");
    }
}

#[test]
fn a_run_can_be_made_of_the_greatest_capacity_and_the_smallest_sector() {
    let text = WHOLE.replace("sector = 512", "sector = 1");
    let (_, plan) = read(&text.replace("capacity = 1000000", "capacity = 4294967293")).unwrap();
    let verdict = Native::new(&SCENARIO).run(&plan, Options::default()).verdict;
    assert_eq!(verdict, Verdict::Pass);
}

#[test]
fn classes_of_files_are_called_what_the_scenario_calls_them() {
    let read = |text: &str| parse(&FILED, text, "some.seed");
    let with =
        |value: &str| WHOLE.replace("down_max", &format!("fragile_files = {value}\ndown_max"));
    for (value, some) in [("[\"log\"]", 0b01), ("[\"log\", \"snapshots\"]", 0b11)] {
        let (header, plan) = read(&with(value)).unwrap();
        assert_eq!(plan.run.fragile_files, ClassSet(some));
        assert_eq!(print(&FILED, &header, &plan), with(value));
    }
    assert!(read(WHOLE).unwrap().1.run.fragile_files.is_empty(), "none, if none is named");
    for (value, message) in [
        ("[\"log\", \"logs\"]", "expected one of the classes of files log snapshots, found `logs`"),
        ("\"log\"", "expected `[run] fragile_files` to be a list of texts"),
    ] {
        let error = read(&with(value)).expect_err(value);
        assert_eq!(error.line, 34, "{error}");
        assert!(error.message.contains(message), "{error}");
    }
}

#[test]
fn a_comment_keeps_its_lines_and_loses_what_toml_forbids() {
    let (mut header, plan) = read(DRAWN).unwrap();
    header.comment = ["", " two  ", "tab\tand\u{7f}", "over\nlines"].map(String::from).to_vec();
    let (read, _) = read(&print(&SCENARIO, &header, &plan)).unwrap();
    assert_eq!(read.comment, ["", " two  ", "tab\tand ", "over", "lines"]);
}

/// Texts close to seed files: lines of one, some of them mangled.
fn near_misses() -> impl Strategy<Value = String> {
    let lines: Vec<&'static str> = WHOLE.lines().chain(DRAWN.lines()).collect();
    let line = (prop::sample::select(lines), any::<prop::sample::Index>(), any::<char>(), 0..6);
    let line = line.prop_map(|(line, place, c, how)| {
        let mut line: Vec<char> = line.chars().collect();
        let place = place.index(line.len() + 1);
        match how {
            0 => line.insert(place, c),
            1 => line.truncate(place),
            2 if place < line.len() => line[place] = c,
            _ => {}
        }
        line.into_iter().collect::<String>()
    });
    prop::collection::vec(line, 0..40).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_refused_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let text = String::from_utf8_lossy(&bytes);
        prop_assert!(read(&text).is_err());
        prop_assert!(header_of(&text, "some.seed").is_err());
    }

    #[test]
    fn mangled_seed_files_never_panic_and_what_is_read_prints_and_parses(text in near_misses()) {
        if let Ok((header, plan)) = read(&text) {
            prop_assert_eq!(read(&print(&SCENARIO, &header, &plan)), Ok((header, plan)));
        }
    }

    #[test]
    fn one_mangled_character_never_panics(place in any::<prop::sample::Index>(), c in any::<char>()) {
        let mut text: Vec<char> = WHOLE.chars().collect();
        let place = place.index(text.len());
        text[place] = c;
        if let Ok((header, plan)) = read(&text.into_iter().collect::<String>()) {
            prop_assert_eq!(read(&print(&SCENARIO, &header, &plan)), Ok((header, plan)));
        }
    }

    #[test]
    fn any_header_prints_and_parses_to_itself(
        comment in prop::collection::vec("[^\\p{C}\n]{0,20}", 0..4),
        bug in prop::option::of(prop::sample::select(vec!["no-reply", "two-replies"])),
        breaks in prop::option::of(prop::sample::select(promise::ALL.to_vec())),
        digest in any::<Option<u64>>(),
    ) {
        let (mut header, plan) = read(DRAWN).unwrap();
        header = Header { comment, bug: bug.map(Into::into), breaks: breaks.map(Into::into), digest, ..header };
        let bugs = header.bug.as_deref().and_then(|bug| SCENARIO.bug(bug));
        let bugs = bugs.map_or(plan.bugs, crate::actor::BugSet::only);
        let plan = Plan { bugs, ..plan };
        prop_assert_eq!(read(&print(&SCENARIO, &header, &plan)), Ok((header, plan)));
    }
}
