use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

use super::super::defects::Defects;
use super::*;

#[test]
fn what_is_no_command_is_told() {
    let mut desk = Desk::default();
    for (command, error) in [
        ("put a", "expected one of `new set del"),
        ("show all", "expected the end of the line, found `all`"),
        ("new max_items", "expected the end of the line, found `max_items`"),
        ("new limit 1", "expected the name of a setting, found `limit`"),
        ("new bug none", "expected the name of a bug, found `none`"),
        ("new by_count 1", "expected `yes` or `no`, found `1`"),
        ("set", "expected a key"),
        ("set a 1 ttl 3", "expected flags, expires, cas or disk, found `ttl`"),
        ("set a 1 cas", "expected a value for `cas`"),
        ("set 123456789012345678901234", "expected at most 23 bytes, found `1234"),
        ("mark end", "expected `flush` or `commit`, found `end`"),
        ("next c256", "expected `persistence` or `c1` to `c255`, found `c256`"),
        ("next c1", "there is no such cursor"),
        ("fetch c1 1 to 2", "expected `N` or `before ID`, found `1 to 2`"),
        ("register c1", "expected CURSOR ID [life N]"),
        ("told end 1 1", "expected `start` or `complete` or `revert`, found `end`"),
        ("wait 5", "expected a span such as 20ms, found `5`"),
        ("complete", "not supported"),
    ] {
        let refused = desk.run(command).expect_err(command);
        assert!(refused.starts_with(error), "{command}: {refused}");
    }
}

/// Commands that are likely to meet, parted by bars.
const COMMANDS: &str = "
set a 1 | set a 2 cas 7 flags 3 expires 9 disk | set b | del a | del b | set checkpoint_end x
mark flush | mark commit | wait 3s | next c1 | next c1 2 | next persistence | fetch c1 | fetch c2
fetch persistence before 2 | more c1 | more persistence before 3 | flush | drain | flushed | failed
lookup c1 1 | register c1 1 | register c1 2 | register c2 3 life 2 | register c2 0 | unregister c1
cursors | due | create | pressure | force | extend yes | extend no | remove | collapse | show
state | holds a 7 | check | begun 0 | begun 1 | begun 2 | begun 3 | begun 18446744073709551615
ended 1 | ended 2 | told start 2 1 | told start 3 2 | told complete 2 1 | told revert 2 1
promote 2 | demote | clear | warm 3 | start | complete | revert | finish | window
";

/// Planted bugs by name, some of them.
fn newborn() -> impl Strategy<Value = String> {
    let names = Defects::names();
    let bugs = vec(prop::sample::select(names), 0..4);
    let role = prop::sample::select(vec!["active", "replica"]);
    (role, bugs).prop_map(|(role, bugs)| {
        let bugs: String = bugs.iter().map(|name| format!(" bug {name}")).collect();
        format!("new {role} max_items 2 min_items 1 period 5s{bugs}")
    })
}

fn commands() -> impl Strategy<Value = Vec<String>> {
    let verbs: Vec<&str> =
        COMMANDS.split(['|', '\n']).map(str::trim).filter(|of| !of.is_empty()).collect();
    let verb = prop::sample::select(verbs).prop_map(String::from);
    (newborn(), vec(verb, 0..60)).prop_map(|(new, mut commands)| {
        commands.insert(0, new);
        commands
    })
}

fn config(cases: u32) -> Config {
    Config { cases, failure_persistence: None, rng_seed: RngSeed::Fixed(4151), ..Config::default() }
}

proptest! {
    #![proptest_config(config(4000))]

    #[test]
    fn no_order_of_commands_panics_whatever_bug_is_planted(commands in commands()) {
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
