//! The verbs of transcripts: one store with all that belongs to it on a desk, without actors.
//!
//! Requests, as clients make them; [`text`](super::text) has their words:
//!
//! | verb | what it does | example |
//! |---|---|---|
//! | `put KEY VALUE [lease N]` | writes a key | `put a 1` |
//! | `get KEYS [@REV] [limit N] [count]` | reads keys, at a revision; `rev` is the current one | `get a..c @rev-1` |
//! | `del KEYS` | deletes keys | `del a..` |
//! | `txn [if COMPARE..] then [ACTION..] [else [ACTION..]]` | a transaction | `txn if a version = 0 then put a 1; get b else del a` |
//! | `compact REV` | forgets what is older, batch by batch | `compact rev` |
//! | `grant LEASE SECONDS` | makes a lease | `grant 7 60` |
//! | `revoke LEASE` | ends a lease, and deletes the keys that are attached to it | `revoke 7` |
//! | `do ACTION` | a put, get or del of the store itself, without the checks of a request | `do put a 1 lease 7` |
//! | `begin` | begins an explicit transaction, which holds the lock; answers its id | `begin` |
//! | `in ID ACTION` | a put, get or del inside it | `in 1 put a 1` |
//! | `end ID` | ends it | `end 1` |
//! | `history KEYS START END [limit N]` | what was put and deleted from one revision up to another, 0 meaning the ends | `history a.. 2 0 limit 3` |
//! | `hash [REV]` | the hash of what can be read at a revision | `hash 4` |
//! | `hashes` | the newest hashes that compactions took | `hashes` |
//! | `golden FROM TO` | puts the keys of the golden hashes, by number | `golden 0 71` |
//!
//! What goes on behind them:
//!
//! | verb | what it does | example |
//! |---|---|---|
//! | `params [NAME VALUE]..` | a new store with these parameters; without any, those of this one | `params rules 2015 batch_limit 1` |
//! | `wait TIME` | time passes, and the batch timer commits when its interval is over | `wait 100ms` |
//! | `commit` | everything pending becomes durable | `commit` |
//! | `batch [N]` | a batch of N records (1) of the compaction that runs | `batch 2` |
//! | `sweep REV [keep REV..]` | a compaction that keeps these records up to a revision, and no others | `sweep 3 keep 2.0 3.0` |
//! | `pending` | the changes that no commit has made durable | `pending` |
//! | `records` | the records of the backend | `records` |
//! | `marks` | the compaction marks | `marks` |
//! | `index [KEY]` | the revisions of one key or of all, by generation | `index a` |
//! | `close` | commits and closes; whatever comes then but `open` is fatal | `close` |
//! | `crash` | what is pending is lost | `crash` |
//! | `open [N]` | opens after `close` or `crash`, and restores in chunks of N records (2) | `open 3` |
//! | `restore` | commits, and restores in place: those who watch stay | `restore` |
//!
//! The backend alone; BUCKET is `key` or `meta`:
//!
//! | verb | what it does | example |
//! |---|---|---|
//! | `bucket-put BUCKET KEY VALUE` | puts bytes, without a store | `bucket-put meta k 1` |
//! | `bucket-del BUCKET KEY` | deletes them | `bucket-del meta k` |
//! | `bucket-get BUCKET KEY` | reads them as who has the lock, as readers, and as a crash leaves them | `bucket-get meta k` |
//! | `record REV KEY [VALUE]` | puts a record; REV is `2.0`, or `3.0t` for a tombstone | `record 2.0 a 1` |
//! | `mark NAME REV` | puts a compaction mark, `scheduled` or `finished` | `mark scheduled 3` |
//! | `unlock` | gives back the lock: readers see what was put, and a commit is done if it is due | `unlock` |
//! | `file` | the length of the file, and the hash of all that is durable | `file` |
//! | `snapshot` | commits, and cuts a snapshot; answers its size | `snapshot` |
//! | `write [N]` | writes the next N bytes of the snapshot to a receiver, or all | `write 64` |
//! | `snapshot-close` | ends the snapshot | `snapshot-close` |
//! | `install` | goes on, in place, with what the receiver got | `install` |
//! | `load` | crashes, and opens what the receiver got | `load` |
//! | `defrag` | commits, takes the lock, and begins a copy | `defrag` |
//! | `copy [N]` | copies N pairs (1) | `copy 10` |
//! | `swap` | goes on with the copy in place of the file | `swap` |
//! | `drop` | drops the copy, and goes on as before | `drop` |
//!
//! One key's index, and an index, each on its own; REV is `15.1` or, for sub 0, `15`:
//!
//! | verb | what it does | example |
//! |---|---|---|
//! | `key-put REV` | notes a write; the first one makes the key | `key-put 5` |
//! | `key-tomb REV` | notes a deletion | `key-tomb 7` |
//! | `key-restore CREATED REV VERSION` | a key of which the oldest record is this one | `key-restore 2 10 7` |
//! | `key-restore-tomb REV` | a key of which the oldest record is this tombstone | `key-restore-tomb 10` |
//! | `key-get AT` | the version that holds at a revision | `key-get 5` |
//! | `key-since AT` | what was written at and after a revision, once for each transaction | `key-since 5` |
//! | `key-compact AT` | forgets what is older; what is kept, and what is left | `key-compact 5` |
//! | `key-keep AT` | what a compaction would keep | `key-keep 5` |
//! | `key-new` | forgets the key | `key-new` |
//! | `key-show` | its generations | `key-show` |
//! | `index-put KEY REV` | notes a write | `index-put a 2` |
//! | `index-tomb KEY REV` | notes a deletion | `index-tomb a 3` |
//! | `index-get KEY AT` | the version of a key that holds at a revision | `index-get a 2` |
//! | `index-range KEYS AT` | the keys that exist at a revision, each with that of its record | `index-range a..c 2` |
//! | `index-compact AT` | forgets what is older; the records that are kept | `index-compact 4` |
//! | `index-keep AT` | the records that a compaction would keep | `index-keep 4` |
//! | `index-show` | all of it | `index-show` |
//!
//! Those who watch:
//!
//! | verb | what it does | example |
//! |---|---|---|
//! | `stream` | opens a stream | `stream` |
//! | `watch STREAM KEYS [from REV] [id N] [no-put] [no-delete] [prev]` | makes a watcher; without REV from now on | `watch 1 a.. from 2 prev` |
//! | `cancel STREAM ID` | ends a watcher | `cancel 1 0` |
//! | `ended STREAM ID` | how a watcher ended, under the rules of 2015 | `ended 1 0` |
//! | `sync` | a round for unsynced watchers | `sync` |
//! | `victims [begin \| send \| end]` | a round for victims, or a part of one | `victims` |
//! | `progress STREAM [ID]` | asks how far one watcher is, or all of a stream | `progress 1` |
//! | `drain STREAM [N]` | takes N responses out of a stream, or all | `drain 1 2` |
//! | `groups` | who is in which group, and the least revision that they wait for | `groups` |
//! | `stream-close STREAM` | ends the watchers of a stream, and the stream | `stream-close 1` |
//!
//! A compaction runs when it is accepted, or resumed by `open`, and waits for `batch`; the next one waits for it. Nothing
//! else happens by itself, but what the lock is given back with: after each request a commit is done if it is due.
//!
//! ```text
//! put a 1
//! del a
//! index a
//! ----
//! put: revision 2
//! deleted 1: revision 3
//! a: [2.0 3.0t] []
//! ```

use seedbed_sim::campaign::transcript::Verbs;

use super::backend::Snapshot;
use super::call::words as words_of;
use super::index::Index;
use super::key_index::KeyIndex;
use super::kv::{Kv, KvError};
use super::parameters::Parameters;
use super::settings::Settings;

mod backend;
mod behind;
mod key;
mod requests;
mod say;
mod watching;
mod words;

/// Bytes of a page of the file.
const PAGE_SIZE: u32 = 64;

/// A store that lines of text drive.
#[derive(Debug)]
pub struct Desk {
    parameters: Parameters,
    /// None after a crash.
    kv: Option<Kv>,
    /// What the crash has left.
    file: Vec<u8>,
    snapshot: Option<Snapshot>,
    /// What was written of it, and the size that was announced.
    received: Vec<u8>,
    announced: usize,
    /// A key and an index of their own.
    key: Option<KeyIndex>,
    index: Index,
}

impl Default for Desk {
    fn default() -> Desk {
        let settings =
            Settings { page_size: PAGE_SIZE, restore_chunk: 2, ..Parameters::default().settings };
        Desk::with(Parameters { settings, ..Parameters::default() })
    }
}

/// What a verb answers, or refuses with.
type Said = Result<String, String>;

impl Verbs for Desk {
    fn run(&mut self, command: &str) -> Said {
        let words = words::split(command);
        let (verb, operands) =
            words.split_first().map_or(("", &[][..]), |(verb, rest)| (*verb, rest));
        self.request(verb, operands)
            .or_else(|| self.behind(verb, operands))
            .or_else(|| self.raw(verb, operands))
            .or_else(|| self.watching(verb, operands))
            .or_else(|| self.key_or_index(verb, operands))
            .unwrap_or_else(|| {
                let asked = [words_of::STORE, words_of::CLOSING].concat();
                if asked.contains(&verb) {
                    return self.ask(command);
                }
                let asked = asked.join(" ");
                Err(format!("expected one of `{asked}`, or another verb with its operands, found `{command}`"))
            })
    }
}

impl Desk {
    fn with(parameters: Parameters) -> Desk {
        Desk {
            parameters,
            kv: Some(Kv::new(parameters)),
            file: Vec::new(),
            snapshot: None,
            received: Vec::new(),
            announced: 0,
            key: None,
            index: Index::default(),
        }
    }

    fn kv(&mut self) -> Result<&mut Kv, String> {
        self.kv.as_mut().ok_or_else(|| "the store is down".to_owned())
    }
}

/// An error as text. What would end a process is marked.
fn refuse(error: KvError) -> String {
    if error.is_fatal() { format!("fatal: {error}") } else { error.to_string() }
}

#[cfg(test)]
mod tests;
