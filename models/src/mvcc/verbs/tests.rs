use proptest::collection::vec;
use proptest::prelude::*;

use super::super::arbitrary;
use super::*;

/// Plays a transcript; panics with the difference if an answer is another one.
fn plays(text: &str) {
    let text = format!("# transcript mvcc\n\n{text}");
    let played =
        seedbed_sim::campaign::transcript::play(&mut Desk::default(), &text, "here").unwrap();
    let diffs: Vec<String> = played.mismatches.iter().flat_map(|m| m.diff()).collect();
    assert!(diffs.is_empty(), "{}", diffs.join("\n"));
}

#[test]
fn a_store_on_the_desk_does_all_that_a_store_does() {
    plays(
        "put a 1\ntxn then put a 2; put ab 2\ndel a\nget a.. @rev-1 limit 1\n----\n\
         put: revision 2\nthen: revision 3; put: revision 3; put: revision 3\n\
         deleted 1: revision 4\nfound: revision 4, count 2, more: \
         a=2 (created 2, modified 3, version 2, lease 0)\n\n\
         records\nindex\nindex b\nhash 3\n----\n\
         2.0 a=1 (created 2, modified 2, version 1, lease 0)\n\
         3.0 a=2 (created 2, modified 3, version 2, lease 0)\n\
         3.1 ab=2 (created 3, modified 3, version 1, lease 0)\n4.0t a\n\
         a: [2.0 3.0 4.0t] []\nab: [3.1]\nnone\n3061885021, compacted -1, revision 3\n\n\
         commit\ncompact 4\npending\nbatch 2\nmarks\ncommit\ncrash\nopen\nbatch 9\nmarks\n----\n\
         4 changes in 4 pages\ncompacted: revision 4\nnone\ndeleted 2.0 3.0\n\
         scheduled 4, finished none\nnothing is pending\n0 changes are lost\n\
         revision 4, compacted 4, compacting 4\ndeleted nothing, finished\n\
         scheduled 4, finished 4\n\n\
         close\nget a\nopen\nget a @3\n----\nnothing is pending\nerror: fatal: the backend is closed\n\
         revision 4, compacted 4\nerror: required revision has been compacted\n",
    );
}

#[test]
fn what_is_no_command_is_told() {
    let mut desk = Desk::default();
    for (command, error) in [
        ("batch", "no compaction runs"),
        ("batch 0", "expected a number of records, found `0`"),
        ("open", "the store is open"),
        ("hash x", "expected a revision, found `x`"),
        ("hash 1 2", "expected the end of the line, found `2`"),
        ("params rules", "expected a value for `rules`"),
        ("params rules 3.5", "expected one of `2015 3.4 main`, found `3.5`"),
        ("params page_size 65", "expected a multiple of 16 from 64 on, found `65`"),
        ("params limit 1", "expected the name of a parameter, found `limit`"),
        ("params read_buffer 1", "expected `yes` or `no`, found `1`"),
        ("wait 5", "expected a span such as 20ms, found `5`"),
        ("in 1 compact 2", "expected one of `put get del`, found `compact`"),
        ("history a 1", "expected KEYS START END [limit N]"),
        ("history \"a 1 2", "expected KEYS START END [limit N]"),
        ("bucket-get keys a", "expected the name of a bucket, found `keys`"),
        ("mark done 1", "expected `scheduled` or `finished`, found `done`"),
        ("record -1 a", "expected a revision such as `15` or `15.1`, found `-1`"),
        ("key-get 1", "there is no key"),
        ("index-get a.. 1", "expected a word or a quoted text, found `a..`"),
        ("victims all", "expected `begin`, `send` or `end`, found `all`"),
        ("watch 1 a", "watcher range is empty"),
        ("watch x a", "expected a stream, found `x`"),
        (
            "watch 1 a since 2",
            "expected `from REV`, `id N`, `no-put`, `no-delete` or `prev`, found `since`",
        ),
        ("put a", "column 6: expected a value, found the end of the line"),
        (
            "shut",
            "expected one of `put get del txn compact grant revoke close`, or another verb with its operands, found `shut`",
        ),
        (
            "wait",
            "expected one of `put get del txn compact grant revoke close`, or another verb with its operands, found `wait`",
        ),
    ] {
        assert_eq!(desk.run(command), Err(error.into()), "{command}");
    }
}

#[test]
fn the_parameters_that_are_set_are_those_that_are_shown() {
    let mut desk = Desk::default();
    assert_eq!(desk.run("params rules 2015 batch_limit 7 channel 3"), Ok("revision 0".into()));
    let shown = desk.run("params").expect("it is a verb");
    for line in
        ["rules 2015", "batch_limit 7", "compaction_batch 10000", "read_buffer no", "channel 3"]
    {
        assert!(shown.lines().any(|of| of == line), "{line} in {shown}");
    }
    let again = format!("params {}", shown.replace('\n', " "));
    assert_eq!(desk.run(&again), Ok("revision 0".into()));
    assert_eq!(desk.run("params"), Ok(shown));
}

/// Commands that are likely to meet, parted by bars.
const COMMANDS: &str = "
batch | batch 1 | batch 0 | commit | close | crash | open | open 1 | pending | records | marks
index | index a | hash | hash 3 | hash -1 | open -1 | compact rev | compact rev-1 | put a 1
del a.. | restore | wait 100ms | params batch_limit 2 channel 1 watchers 1 revisions 1
params rules 2015 | params rules 3.4 read_buffer no | begin | do put a 1 | do del a..
do get a.. @rev-1 | in 1 put a 1 | in 1 put ab 1 | in 1 del a.. | in 1 get a @rev+1 | end 1
history a.. 0 0 limit 1 | history a.. 2 3 | hashes | sweep 3 | sweep 3 keep 2.0
bucket-put meta k 1 | bucket-put key k 1 | bucket-del key k | bucket-get key k | record 2.0 a 1
record 2.0t a | record 5.1 b | mark scheduled 3 | mark finished 5 | unlock | file | snapshot | write
write 9 | snapshot-close | install | load | defrag | copy | copy 9 | swap | drop | stream
watch 1 a.. from 1 prev | watch 1 a from -1 | watch 1 b from 9 no-put id 3 | cancel 1 0 | ended 1 0
sync | victims | victims begin | victims send | victims end | progress 1 | progress 1 0 | drain 1
drain 1 1 | groups | stream-close 1 | key-put 2 | key-put 4.1 | key-tomb 5 | key-restore 2 3 1
key-restore-tomb 3 | key-get 3 | key-since 3 | key-compact 3 | key-keep 4 | key-new | key-show
index-put a 2 | index-put a 3 | index-tomb a 4 | index-get a 3 | index-range a.. 3 | index-compact 3
index-keep 3 | index-show
";

/// Lines that do something, and lines that are next to that.
fn commands() -> impl Strategy<Value = Vec<String>> {
    let verbs: Vec<&str> =
        COMMANDS.split(['|', '\n']).map(str::trim).filter(|of| !of.is_empty()).collect();
    let near = arbitrary::near_op().prop_map(|op| op.to_string());
    let any = arbitrary::any_op().prop_map(|op| op.to_string());
    let verb = prop::sample::select(verbs).prop_map(String::from);
    vec(prop_oneof![12 => verb, 6 => near, 1 => any, 1 => arbitrary::words()], 0..60)
}

proptest! {
    #![proptest_config(arbitrary::config(600))]

    #[test]
    fn no_order_of_commands_panics(commands in commands()) {
        let mut desk = Desk::default();
        for command in commands {
            let _ = desk.run(&command);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..60)) {
        let mut desk = Desk::default();
        for command in String::from_utf8_lossy(&bytes).lines() {
            let _ = desk.run(command);
        }
    }
}
