//! The verbs of transcripts: one vbucket's table and its log on disk, without actors.
//!
//! | verb | what it does | example |
//! |---|---|---|
//! | `get KEY` | value, flags and cas | `get a` |
//! | `set KEY VALUE [flags F] [ttl S]` | stores whatever is there; `add` only where nothing is, `replace` only where something is | `set a 7 flags 3 ttl 2` |
//! | `add KEY VALUE [flags F] [ttl S]` | see `set` | `add a 7` |
//! | `replace KEY VALUE [flags F] [ttl S]` | see `set` | `replace a 7` |
//! | `cas KEY VALUE [flags F] [ttl S]` | stores only where the version is still the one that was answered last | `cas a 7` |
//! | `append KEY VALUE` | adds behind what is there; `prepend` before it | `append a .8` |
//! | `prepend KEY VALUE` | see `append` | `prepend a 8.` |
//! | `incr KEY N [initial N [ttl S]]` | counts up, and begins with the initial value where nothing is | `incr a 1 initial 5` |
//! | `decr KEY N [initial N [ttl S]]` | counts down, at most to 0 | `decr a 1` |
//! | `delete KEY` | takes a key out | `delete a` |
//! | `at SECOND` | it is this second from here on | `at 100` |
//! | `flush` | writes all changes as one transaction | `flush` |
//! | `evict KEY` | takes a value that is on disk out of memory | `evict a` |
//! | `tear N` | the last N bytes of the log are lost | `tear 3` |
//! | `recover` | the table is read from the log again | `recover` |
//! | `table` | all entries | `table` |

use std::collections::BTreeMap;

use seedbed_sim::campaign::transcript::Verbs;

use super::op::{Call, Key, Request, State, Store, Vb, Verb};
use super::record::{Record, Saved, Standing, Version, encode, replay};
use super::response::Answer;
use super::table::{Entry, Row, Table, Wanted};

const VB: Vb = Vb(0);
const STANDING: Standing = Standing { birth: 1, state: State::Active, change: 1, persisted: 0 };

/// A vbucket's table and log that lines of text drive.
#[derive(Clone, Debug, Default)]
pub struct Desk {
    table: Table,
    log: Vec<u8>,
    /// Keys that were changed and not written.
    changed: Vec<Key>,
    seen: BTreeMap<Key, u64>,
    now: u64,
    cas: u64,
}

impl Verbs for Desk {
    fn run(&mut self, command: &str) -> Result<String, String> {
        let words: Vec<&str> = command.split(' ').collect();
        match words[..] {
            ["at", second] => {
                let now = number(second)?;
                self.now = u32::try_from(now)
                    .map_err(|_| format!("expected a second below 2^32, found `{second}`"))?
                    .into();
                Ok(format!("second {second}"))
            }
            ["flush"] => Ok(self.flush()),
            ["evict", key] => {
                let evicted = self.table.evict(key.parse()?);
                Ok(if evicted { "evicted" } else { "stays" }.into())
            }
            ["tear", bytes] => {
                let bytes = usize::try_from(number(bytes)?).unwrap_or(usize::MAX);
                self.log.truncate(self.log.len().saturating_sub(bytes));
                Ok(format!("{} bytes", self.log.len()))
            }
            ["recover"] => Ok(self.recover()),
            ["table"] => Ok(self.show()),
            ["at", ..] => Err(format!("expected `at SECOND`, found `{command}`")),
            ["evict", ..] => Err(format!("expected `evict KEY`, found `{command}`")),
            ["tear", ..] => Err(format!("expected `tear N`, found `{command}`")),
            [verb @ ("flush" | "recover" | "table"), ..] => {
                Err(format!("expected nothing behind `{verb}`, found `{command}`"))
            }
            [
                "get" | "set" | "add" | "replace" | "cas" | "append" | "prepend" | "incr" | "decr"
                | "delete",
                ..,
            ] => Ok(self.serve(&command.parse()?).to_string()),
            _ => Err(format!(
                "expected one of get, set, add, replace, cas, append, prepend, incr, decr, delete, at, flush, evict, tear, \
                 recover, table; found `{command}`"
            )),
        }
    }
}

impl Desk {
    fn serve(&mut self, call: &Call) -> Answer {
        let Some(key) = call.key() else { return Answer::NotSupported };
        if self.table.entry(key).is_some_and(|entry| entry.has_expired(self.now)) {
            self.change(key, None);
        }
        let request = Request { call: call.clone(), cas: self.version(call) };
        let mut wanted = self.wanted(&request);
        if wanted == Wanted::Fetch {
            self.fetch(key);
            wanted = self.wanted(&request);
        }
        let answer = match wanted {
            Wanted::Answer(answer) => answer,
            Wanted::Fetch => Answer::NotFound,
            Wanted::Remove => {
                self.change(key, None);
                Answer::Deleted
            }
            Wanted::Put(value, flags, until, number) => {
                let value = Some(value);
                let entry = Entry { value, flags, until, cas: 0, dirty: true, row: None };
                let cas = self.change(key, Some(entry));
                number.map_or(Answer::Stored(cas), |number| Answer::Counted(number, cas))
            }
        };
        if let Some(cas) = answer.seen() {
            self.seen.insert(key, cas);
        }
        answer
    }

    /// The version that a cas asks for.
    fn version(&self, call: &Call) -> u64 {
        match call {
            Call::Store(Store { verb: Verb::Cas, key, .. }) => {
                self.seen.get(key).copied().unwrap_or(u64::MAX)
            }
            _ => 0,
        }
    }

    fn wanted(&self, request: &Request) -> Wanted {
        match &request.call {
            Call::Get(key) => self.table.get(*key),
            Call::Store(store) => self.table.store(store, request.cas, self.now),
            Call::Count(count) => self.table.count(count, self.now),
            Call::Delete(key) => self.table.delete(*key),
            _ => Wanted::Answer(Answer::NotSupported),
        }
    }

    fn change(&mut self, key: Key, entry: Option<Entry>) -> u64 {
        self.cas += 1;
        match entry {
            Some(entry) => drop(self.table.put(key, Entry { cas: self.cas, ..entry })),
            None => drop(self.table.remove(key)),
        }
        self.changed.retain(|changed| *changed != key);
        self.changed.push(key);
        self.cas
    }

    fn flush(&mut self) -> String {
        if self.log.is_empty() {
            encode(&Record::State(VB, STANDING), &mut self.log);
            encode(&Record::Commit, &mut self.log);
        }
        encode(&Record::Begin, &mut self.log);
        let count = self.changed.len();
        for key in std::mem::take(&mut self.changed) {
            let offset = self.log.len() as u64;
            let Some(entry) = self.table.entry_mut(key) else {
                encode(&Record::Delete(VB, STANDING.birth, key), &mut self.log);
                continue;
            };
            let Some(value) = entry.value.clone() else { continue };
            let (flags, until, cas) = (entry.flags, entry.until, entry.cas);
            let record = Record::Set(VB, STANDING.birth, Version { key, value, flags, until, cas });
            let len = encode(&record, &mut self.log);
            (entry.dirty, entry.row) = (false, Some(Row { offset, len }));
        }
        encode(&Record::Commit, &mut self.log);
        format!("{count} changes, {} bytes", self.log.len())
    }

    fn saved(&self) -> Option<Saved> {
        replay(&self.log).vbuckets.remove(&VB)
    }

    fn fetch(&mut self, key: Key) {
        let saved = self.saved().and_then(|mut saved| saved.rows.remove(&key));
        if let (Some((version, _)), Some(entry)) = (saved, self.table.entry_mut(key)) {
            entry.value = Some(version.value);
        }
    }

    fn recover(&mut self) -> String {
        let mut replayed = replay(&self.log);
        // As after a boot: the log is written anew, without a torn tail.
        self.log = replayed.log();
        let rows = self.saved().map(|saved| saved.rows).unwrap_or_default();
        (self.table, self.changed) = (Table::default(), Vec::new());
        for (key, (version, row)) in rows {
            let Version { value, flags, until, cas, .. } = version;
            let (value, row) = (Some(value), Some(row));
            self.table.put(key, Entry { value, flags, until, cas, dirty: false, row });
        }
        let tail = match (replayed.torn, replayed.unfinished) {
            (false, false) => "",
            (true, _) => ", the tail was torn",
            (false, true) => ", a transaction was not committed",
        };
        format!("{} keys{tail}", self.table.len())
    }

    fn show(&self) -> String {
        let lines = self.table.iter().map(|(key, entry)| {
            let value = entry.value.as_ref().map_or("(on disk)".into(), ToString::to_string);
            let until = entry.until.map_or(String::new(), |until| format!(" until {until}"));
            let dirty = if entry.dirty { " dirty" } else { "" };
            format!("{key}: {value} flags {} cas {}{until}{dirty}", entry.flags, entry.cas)
        });
        let lines: Vec<String> = lines.collect();
        if lines.is_empty() { "nothing".into() } else { lines.join("\n") }
    }
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("expected a number, found `{text}`"))
}
