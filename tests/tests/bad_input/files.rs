//! Malformed seed files, transcripts and histories.

use super::{folder, none, refusal, seedbed};

/// A seed file that is sound; every line of it is made wrong below.
const SEED_FILE: &str = r#"# A read and a write.
format   = 1
scenario = "register/majority"
seed     = 7
bug      = "retry-applied-twice"
breaks   = "reads and writes of a key are linearizable"
digest   = "0123456789abcdef"
workload = [
  "c0#1: write a 1",
  "c0#2: read a",
  "c1#3: read a",
]
faults   = ["at 10ms: crash n0 for 20ms"]
noise    = ["net c0->n0.front get#2 1st: drop"]

[config]
replicas = 3

[run]
latency = "1ms"
"#;

/// What is replaced by what, at which line that is noticed, and what the message holds.
const SEED_FILES: &[(&str, &str, usize, &str)] = &[
    ("format   = 1\n", "", 0, "`format`"),
    ("format   = 1", "format = 2", 2, "1"),
    ("format   = 1", "format = \"one\"", 2, "a whole number"),
    ("scenario = \"register/majority\"\n", "", 0, "`scenario`"),
    ("register/majority", "register/minority", 3, "register/durable"),
    ("\"register/majority\"", "7", 3, "`scenario`"),
    ("seed     = 7", "seed = -7", 4, "a whole number"),
    ("seed     = 7", "seed = 7.5", 4, "a whole number"),
    ("seed     = 7\n", "", 0, "`seed`"),
    ("seed     = 7", "seed = 7\nseed = 8", 5, "TOML"),
    ("seed     = 7", "sede = 7", 4, "sede"),
    ("retry-applied-twice", "retry-applied-thrice", 5, "retry-applied-twice"),
    ("are linearizable", "are lines", 6, "expected one of the promises"),
    ("0123456789abcdef", "0123456789abcdeg", 7, "16 hex digits"),
    ("0123456789abcdef", "0123", 7, "16 hex digits"),
    ("\"c0#1: write a 1\"", "\"write a 1\"", 9, "an operation such as"),
    ("c0#1: write a 1", "c9#1: write a 1", 9, "one of the clients"),
    ("c0#1: write a 1", "n0#1: write a 1", 9, "one of the clients"),
    ("c0#1: write a 1", "c0#one: write a 1", 9, "a number"),
    ("c0#1: write a 1", "c0#99999999999: write a 1", 9, "a number"),
    ("c0#1: write a 1", "c0#1: scribble a 1", 9, "scribble"),
    ("c0#1: write a 1", "c0#1: write a", 9, "write"),
    ("c0#1: write a 1", "c0#2: write a 1", 10, "to grow"),
    ("c0#2: read a", "c0#2: read", 10, "read"),
    ("\"c1#3: read a\",\n]", "\"c1#3: read a\",", 12, "TOML"),
    ("at 10ms: crash n0 for 20ms", "at 10: crash n0 for 20ms", 13, "a span"),
    ("at 10ms: crash n0 for 20ms", "at 10ms: crush n0 for 20ms", 13, "crush"),
    ("at 10ms: crash n0 for 20ms", "at 10ms: crash n9 for 20ms", 13, "one of the nodes"),
    ("at 10ms: crash n0 for 20ms", "at 10ms: crash c0 for 20ms", 13, "a server"),
    ("at 10ms: crash n0 for 20ms", "at 10ms: crash n0", 13, "for"),
    ("at 10ms: crash n0", "on 1st lunch at n0: crash n0", 13, "record-synced"),
    ("at 10ms: crash n0", "on 0th record-synced at n0: crash n0", 13, "1st"),
    ("get#2 1st: drop", "get#2 1st: droop", 14, "drop"),
    ("net c0->n0.front", "not c0->n0.front", 14, "net"),
    ("net c0->n0.front", "net c0->n0.back", 14, "n0.front"),
    ("get#2 1st: drop", "got! 1st: drop", 14, "get"),
    ("get#2 1st: drop\"", "get#2 1st: drop\", \"net c0->n0.front get#2 1st: drop\"", 14, "once"),
    ("noise    = [", "noise = { x = [", 16, "TOML"),
    ("replicas = 3", "replicas = 99", 17, "from 3 to 5"),
    ("replicas = 3", "replikas = 3", 17, "replicas"),
    ("replicas = 3", "replicas = \"three\"", 17, "a whole number"),
    ("latency = \"1ms\"", "latency = \"1 ms\"", 20, "a span"),
    ("latency = \"1ms\"", "latency = 1", 20, "latency"),
    ("latency = \"1ms\"", "patience = \"1ms\"", 20, "patience"),
    ("[run]", "[odds]\nnet = [1, 1]\n[run]", 20, "drawn"),
    ("[config]", "[config", 16, "TOML"),
];

#[test]
fn a_seed_file_with_one_thing_wrong_is_refused_at_its_line() {
    let file = folder("seed-files").join("bad.toml");
    let mut complaints = Vec::new();
    for (from, to, line, words) in SEED_FILES {
        let text = SEED_FILE.replacen(from, to, 1);
        assert_ne!(text, SEED_FILE, "`{from}` is in the file");
        complaints.extend(refusal("replay", &file, text.as_bytes(), (*line, words)));
    }
    none(complaints);
}

/// Scenarios of the mvcc model with an operation or a knob: which client is asked for what, and what the message holds.
const OPERATIONS: &[(&str, &str, &str)] = &[
    ("mvcc/replicas", "c0#1: renew x", "the number of a lease, found `x`"),
    ("mvcc/replicas", "c0#1: renew", "the number of a lease"),
    ("mvcc/replicas", "c0#1: renew 99999999999999999999", "the number of a lease"),
    ("mvcc/replicas", "c0#1: stale", "a read such as `get a` behind `stale`"),
    ("mvcc/replicas", "c0#1: stale put a 1", "a read such as `get a` behind `stale`"),
    ("mvcc/replicas", "c0#1: defragment n0", "nothing behind `defragment`"),
    ("mvcc/replicas", "c0#1: close", "compact grant revoke stale defragment renew`, found `close`"),
    ("mvcc/replicas", "c0#1: snapshot", "of this client"),
    ("mvcc/replicas", "w0#1: put a 1", "`watch cancel progress rest leave`, found `put a 1`"),
    ("mvcc/replicas", "g0#1: put a 1", "another client"),
    ("mvcc/watch", "w0#1: rest 10001", "milliseconds, at most 10000, found `10001`"),
    ("mvcc/watch", "w0#1: rest -1", "milliseconds, at most 10000, found `-1`"),
    ("mvcc/replicas", r"c0#1: renew x\ny", r"found `x\ny`"),
    ("mvcc/replicas", r"c0#1: stale get a\u001b[31m", r"found `get a\u{1b}[31m`"),
    ("mvcc/install", "c0#1: watch a from 0", "of this client"),
    ("mvcc/workflow", "c0#1: stale get a", "snapshot defrag commit`, found `stale get a`"),
    ("mvcc/workflow", "c0#1: renew 1", "of this client"),
    ("mvcc/workflow", "c0#1: watch a from 0", "of this client"),
    (
        "mvcc/workflow",
        "c0#1: frobnicate",
        "snapshot defrag commit stale defragment renew`, found `frobnicate`",
    ),
    ("mvcc/workflow", "c0#1: end", "a transaction: `txn`"),
    ("mvcc/single", "c0#1: put a 1 in txn", "revoke close`, found `put a 1 in txn`"),
    ("mvcc/single", "c0#1: defragment", "of this client"),
    ("mvcc/watch", "c0#1: progress", "of this client"),
];

#[test]
fn an_operation_that_a_client_does_not_know_is_refused_at_its_line() {
    let file = folder("operations").join("bad.toml");
    let refused = |(scenario, op, words): &(&str, &str, &str)| {
        let text =
            format!("format = 1\nscenario = \"{scenario}\"\nseed = 7\nworkload = [\"{op}\"]\n");
        refusal("replay", &file, text.as_bytes(), (4, words))
    };
    none(OPERATIONS.iter().filter_map(refused).collect());
}

#[test]
fn a_vbucket_that_no_scenario_has_is_refused_at_its_line() {
    let file = folder("vbuckets").join("bad.toml");
    let ops = [
        "set a/65535 k1",
        "load a/0 k1 2",
        "del a1/4 k1",
        "move a12/23",
        "fail a/20 1",
        "purge a/10",
    ];
    let scenarios = ["stream/repair", "stream/calm", "stream/wire"];
    let each = scenarios.iter().flat_map(|scenario| ops.map(|op| (scenario, op)));
    let refused = |(scenario, op): (&&str, &str)| {
        let head = format!("format = 1\nscenario = \"{scenario}\"\nseed = 7\n");
        let text = format!("{head}workload = [\n  \"d0#1: set a/2 k1\",\n  \"d0#2: {op}\",\n]\n");
        let vb = op.split(' ').nth(1).expect("a vbucket");
        let words =
            format!("one of the vbuckets 2, 12, 22, 1, 11, 21, 3, 13 of a keyspace, found `{vb}`");
        refusal("replay", &file, text.as_bytes(), (6, &words))
    };
    none(each.filter_map(refused).collect());
}

#[test]
fn a_node_that_no_cluster_has_is_refused_at_its_line() {
    let file = folder("nodes").join("bad.toml");
    let ops = [
        ("m0#2: in n5", "n5"),
        ("m0#2: out n8", "n8"),
        ("m0#2: swap n8 n0", "n8"),
        ("m0#2: swap n0 n64", "n64"),
        ("m0#2: add-back n255", "n255"),
        ("m0#2: failover n8", "n8"),
        ("m0#2: failover n256", "n256"),
        ("c0#2: run 1 rebalance v5 n8", "n8"),
        ("c0#2: create 1 rebalance v5 n9", "n9"),
    ];
    let scenarios = ["cluster/rebalance", "cluster/failover"];
    let each = scenarios.iter().flat_map(|scenario| ops.map(|(op, node)| (scenario, op, node)));
    let refused = |(scenario, op, node): (&&str, &str, &str)| {
        let head = format!("format = 1\nscenario = \"{scenario}\"\nseed = 7\n");
        let text = format!("{head}workload = [\n  \"c0#1: verify-all\",\n  \"{op}\",\n]\n");
        let words = format!("a node from n0 to n4, found `{node}`");
        refusal("replay", &file, text.as_bytes(), (6, &words))
    };
    none(each.filter_map(refused).collect());
}

#[test]
fn a_vbucket_that_no_stream_has_is_refused_at_its_line() {
    let file = folder("streams").join("bad.toml");
    let ops = [
        ("m0#2: filter s1 v3", "v3"),
        ("m0#2: filter s1 v0 v200", "v200"),
        ("m0#2: move v7 n1", "v7"),
        ("c0#2: flush-all v3", "v3"),
        ("c0#2: start v255", "v255"),
    ];
    let scenarios = ["tap/replica", "tap/chain", "tap/takeover"];
    let each = scenarios.iter().flat_map(|scenario| ops.map(|(op, vb)| (scenario, op, vb)));
    let refused = |(scenario, op, vb): (&&str, &str, &str)| {
        let head = format!("format = 1\nscenario = \"{scenario}\"\nseed = 7\n");
        let text = format!("{head}workload = [\n  \"c0#1: set a 1\",\n  \"{op}\",\n]\n");
        let words = format!("a vbucket from v0 to v2, found `{vb}`");
        refusal("replay", &file, text.as_bytes(), (6, &words))
    };
    none(each.filter_map(refused).collect());
}

#[test]
fn a_group_of_too_many_nodes_is_refused_at_its_line() {
    let file = folder("knobs").join("bad.toml");
    let head = "format = 1\nscenario = \"mvcc/replicas\"\nseed = 7\n\n[config]\n";
    let knobs = [
        ("servers = 7", "from 1 to 3, found 7"),
        ("servers = 0", "from 1 to 3, found 0"),
        ("servers = -1", "a whole number"),
        ("severs = 3", "severs"),
    ];
    let refused = |(knob, words): &(&str, &str)| {
        refusal("replay", &file, format!("{head}{knob}\n").as_bytes(), (6, words))
    };
    none(knobs.iter().filter_map(refused).collect());
}

#[test]
fn the_seed_file_that_is_made_wrong_is_sound_itself() {
    let file = folder("sound").join("good.toml");
    std::fs::write(&file, SEED_FILE).expect("a file of a test can be written");
    let said = seedbed(&["replay", &file.display().to_string()]);
    assert_ne!(said.code, 2, "{}", said.err);
}

#[test]
fn what_is_no_text_is_refused_by_every_verb_that_reads_files() {
    let folder = folder("bytes");
    let mut complaints = Vec::new();
    for verb in ["replay", "shrink", "transcript", "history"] {
        let file = folder.join(verb);
        let bytes = b"# first\n# second \xff\xfe\n";
        complaints.extend(refusal(verb, &file, bytes, (2, "text")));
        complaints.extend(refusal(verb, &file, b"\0", (1, "")));
        complaints.extend(refusal(
            verb,
            &file,
            b"",
            (usize::from(["transcript", "history"].contains(&verb)), ""),
        ));
    }
    none(complaints);
}

/// A device without an end stands for every file that somebody names by mistake.
#[cfg(unix)]
#[test]
fn what_has_no_end_is_refused() {
    for verb in ["replay", "shrink", "transcript", "history"] {
        let said = seedbed(&[verb, "/dev/zero"]);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{verb}");
        assert!(said.err.contains("/dev/zero: expected a file of at most"), "{}", said.err);
    }
}

/// Transcripts: text, line, words.
const TRANSCRIPTS: &[(&str, usize, &str)] = &[
    ("put a 1\n----\n", 1, "# transcript NAME"),
    ("# transcript\n", 1, "# transcript NAME"),
    ("\n# transcript deaf\n", 1, "# transcript NAME"),
    ("# transcript nobody\n\nput a\n----\n", 1, "deaf"),
    ("# transcript deaf\n\nput a 1\n", 3, "----"),
    ("# transcript deaf\n\nput a 1\n\nget a\n----\n", 4, "----"),
    ("# transcript deaf\n\nput a 1\n---\nok\n", 5, "----"),
];

#[test]
fn a_transcript_that_departs_from_the_form_is_refused_at_its_line() {
    let file = folder("transcripts").join("bad");
    let each = TRANSCRIPTS.iter().filter_map(|(text, line, words)| {
        refusal("transcript", &file, text.as_bytes(), (*line, words))
    });
    none(each.collect());
}

/// Histories in their three forms: text, line, words.
const HISTORIES: &[(&str, usize, &str)] = &[
    ("c0 invoke write a 1\nc0 ok read a = 1\n", 2, "write"),
    ("c0 ok read a = 1\n", 1, "invocation"),
    ("c0 invoke write a 1\nc0 invoke read a\n", 2, "return"),
    ("c0 invoke write a\n", 1, "value"),
    ("c0 invoke scribble a 1\n", 1, "one of read, write"),
    ("c0 begins write a 1\n", 1, "invoke"),
    ("client invoke read a\n", 1, "a client"),
    ("c0 invoke read a\nc0 ok read a\n", 2, "="),
    ("c0 invoke read a\nc1 invoke get a\n", 2, "read"),
    ("c0 invoke write a \"1\n", 1, "a closing quote"),
    ("INFO  jepsen.util - 0 :invoke :write\n", 1, "VALUE"),
    ("INFO  jepsen.util - 0 :begin :write 3\n", 1, ":invoke"),
    ("INFO  jepsen.util - 0 :invoke :scribble 3\n", 1, ":read"),
    ("INFO  jepsen.util - 0 :ok :read 3\n", 1, "invocation"),
    ("{:process 0, :type :invoke, :f :write, :value 3\n", 1, "}"),
    ("{:process 0, :type :invoke, :f :get}\n", 1, ":key"),
    ("{:process 0, :type :odd, :f :write, :value 3}\n", 1, ":invoke"),
];

#[test]
fn a_history_that_departs_from_its_form_is_refused_at_its_line() {
    let file = folder("histories").join("bad");
    let each = HISTORIES.iter().filter_map(|(text, line, words)| {
        refusal("history", &file, text.as_bytes(), (*line, words))
    });
    none(each.collect());
}
