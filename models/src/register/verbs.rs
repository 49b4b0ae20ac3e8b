//! The verbs of transcripts: one replica's table and log on a desk, without actors.
//!
//! | verb | what it does | example |
//! |---|---|---|
//! | `put KEY VALUE TAG` | offers a version; a tag is counter.coordinator.life | `put a 5 1.0.1` |
//! | `get KEY` | what the table holds | `get a` |
//! | `tear N` | the last N bytes of the log are lost | `tear 3` |
//! | `recover` | the table is read from the log again | `recover` |
//! | `log` | the length of the log in records and bytes | `log` |
//!
//! ```text
//! put a 5 1.0.1
//! put a 6 1.1.1
//! get a
//! ----
//! put
//! put
//! 6@1.1.1
//! ```

use super::call::Key;
use super::record::{LEN, encode, replay};
use super::table::Table;
use super::tag::{Tag, Version};
use seedbed_sim::actor::BugSet;
use seedbed_sim::campaign::transcript::Verbs;
use seedbed_sim::id::{ActorId, Incarnation};

/// A replica's table and log that lines of text drive.
#[derive(Clone, Debug, Default)]
pub struct Desk {
    table: Table,
    log: Vec<u8>,
}

impl Verbs for Desk {
    fn run(&mut self, command: &str) -> Result<String, String> {
        let words: Vec<&str> = command.split(' ').collect();
        match words[..] {
            ["put", key, value, tag] => self.put(key.parse()?, number(value)?, parse_tag(tag)?),
            ["get", key] => {
                let held = self.table.get(key.parse()?);
                Ok(held.map_or_else(|| "nothing".into(), |version| version.to_string()))
            }
            ["tear", bytes] => {
                let bytes = usize::try_from(number(bytes)?).unwrap_or(usize::MAX);
                self.log.truncate(self.log.len().saturating_sub(bytes));
                Ok(self.say_log())
            }
            ["recover"] => {
                let replayed = replay(&self.log, BugSet::NONE);
                self.table = replayed.table;
                Ok(if replayed.torn {
                    "recovered, the tail was torn".into()
                } else {
                    "recovered".into()
                })
            }
            ["log"] => Ok(self.say_log()),
            _ => Err(format!("expected one of put, get, tear, recover, log; found `{command}`")),
        }
    }
}

impl Desk {
    fn put(&mut self, key: Key, value: u64, tag: Tag) -> Result<String, String> {
        let version = Version { tag, value };
        if !self.table.wants(key, version, BugSet::NONE) {
            return Ok("older than what is held".into());
        }
        self.table.put(key, version, BugSet::NONE);
        encode(key, version, &mut self.log);
        Ok("put".into())
    }

    fn say_log(&self) -> String {
        format!("{} whole records, {} bytes", self.log.len() / LEN, self.log.len())
    }
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("expected a whole number, found `{text}`"))
}

fn parse_tag(text: &str) -> Result<Tag, String> {
    let wrong =
        || format!("expected a tag such as 4.0.1 (counter, coordinator, life), found `{text}`");
    let parts: Vec<&str> = text.split('.').collect();
    let [counter, coordinator, life] = parts[..] else { return Err(wrong()) };
    Ok(Tag {
        counter: counter.parse().map_err(|_| wrong())?,
        coordinator: ActorId(coordinator.parse().map_err(|_| wrong())?),
        life: Incarnation(life.parse().map_err(|_| wrong())?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::test_runner::{Config, RngSeed};

    #[test]
    fn a_torn_record_is_dropped_and_the_one_before_it_comes_back() {
        let mut desk = Desk::default();
        let mut run = |command: &str| desk.run(command).expect(command);
        assert_eq!([run("put a 5 1.0.1"), run("put a 6 1.1.1")], ["put", "put"]);
        assert_eq!(run("put a 7 1.0.2"), "older than what is held");
        assert_eq!(run("tear 3"), "1 whole records, 51 bytes");
        assert_eq!(run("recover"), "recovered, the tail was torn");
        assert_eq!(run("get a"), "5@1.0.1");
        for wrong in ["", "put a", "put a x 1.0.1", "put a 1 1", "get ab", "tear -1"] {
            let error = Desk::default().run(wrong).expect_err(wrong);
            assert!(error.contains("expected"), "{error}");
        }
    }

    /// Lines that do something, and lines that are next to that.
    fn commands() -> impl Strategy<Value = Vec<String>> {
        let put = (any::<u8>(), any::<u64>(), any::<u64>(), any::<u16>(), any::<u32>()).prop_map(
            |(key, value, counter, coordinator, life)| {
                let key = char::from(b'a' + key % 26);
                format!("put {key} {value} {counter}.{coordinator}.{life}")
            },
        );
        let words = ["recover", "log", "get a", "get z", "tear 3", "tear 18446744073709551615"];
        let word = prop::sample::select(words.to_vec()).prop_map(String::from);
        vec(prop_oneof![4 => put, 4 => word, 1 => "(put|get|tear) [a-c0-9. -]{0,12}"], 0..30)
    }

    proptest! {
        #![proptest_config(Config {
            cases: 1000, failure_persistence: None, rng_seed: RngSeed::Fixed(4151), ..Config::default()
        })]

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
}
