//! The verbs of transcripts: one store, its backend and its file on a desk, without actors.
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
//! | `batch [N]` | a batch of N records (1) of the compaction that runs | `batch 2` |
//! | `commit` | everything pending becomes durable | `commit` |
//! | `close` | commits and closes | `close` |
//! | `crash` | what is pending is lost | `crash` |
//! | `open [N]` | opens after `close` or `crash`, and restores in chunks of N records (2) | `open 3` |
//! | `pending` | the changes that no commit has made durable | `pending` |
//! | `records` | the records of the backend | `records` |
//! | `marks` | the compaction marks | `marks` |
//! | `index [KEY]` | the revisions of one key or of all, by generation | `index a` |
//! | `hash [REV]` | the hash of what can be read at a revision | `hash 4` |
//!
//! [`text`](super::text) has the words of requests. A compaction runs when it is accepted, or resumed by `open`, and waits
//! for `batch`; the next one finishes it first.
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

use std::fmt::Write;

use seedbed_sim::campaign::transcript::Verbs;

use super::backend::{Backend, Bucket, Change};
use super::compaction::{Compaction, FINISHED, SCHEDULED, mark};
use super::defects::Defects;
use super::hash::hash_kv;
use super::key_index::KeyIndex;
use super::op::Op;
use super::record;
use super::restore::Restore;
use super::revision::{RecordKey, Revision};
use super::store::{Fatal, Store, StoreError};
use super::text::quoted;
use super::txn::execute;

/// Bytes of a page of the file.
const PAGE_SIZE: u32 = 64;

/// A store that lines of text drive.
#[derive(Debug)]
pub struct Desk {
    open: Option<(Store, Backend)>,
    /// The durable bytes.
    file: Vec<u8>,
    /// The compaction that runs.
    compaction: Option<Compaction>,
}

impl Default for Desk {
    fn default() -> Desk {
        let open = Some((Store::new(Defects::NONE).with_lessor(), Backend::new(PAGE_SIZE)));
        Desk { open, file: Vec::new(), compaction: None }
    }
}

impl Verbs for Desk {
    fn run(&mut self, command: &str) -> Result<String, String> {
        let (verb, operand) = match command.split_once(' ') {
            Some((verb, operand)) => (verb, Some(operand.trim())),
            None => (command, None),
        };
        match (verb, operand) {
            ("batch", _) => self.batch(count(operand, 1)?),
            ("commit", None) => Ok(self.commit()?),
            ("close", None) => self.close(),
            ("crash", None) => self.crash(),
            ("open", _) => self.open(count(operand, 2)?),
            ("pending", None) => Ok(lines(self.backend()?.pending().iter().map(say_change))),
            ("records", None) => self.records(),
            ("marks", None) => self.marks(),
            ("index", _) => self.index(operand),
            ("hash", _) => self.hash(operand),
            _ => self.ask(command),
        }
    }
}

/// A number of records.
fn count(operand: Option<&str>, usual: usize) -> Result<usize, String> {
    let Some(text) = operand else { return Ok(usual) };
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| format!("expected a number of records, found `{text}`"))
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() { "none".into() } else { lines.join("\n") }
}

fn say(fatal: Fatal) -> String {
    fatal.to_string()
}

impl Desk {
    fn both(&mut self) -> Result<(&mut Store, &mut Backend), String> {
        let (store, backend) = self.open.as_mut().ok_or("the store is closed")?;
        Ok((store, backend))
    }

    fn backend(&mut self) -> Result<&mut Backend, String> {
        self.both().map(|(_, backend)| backend)
    }

    fn ask(&mut self, line: &str) -> Result<String, String> {
        let op: Op = line.parse().map_err(|error: super::ParseError| error.to_string())?;
        let (store, backend) = self.both()?;
        let request = op.resolve(store.current());
        let outcome = execute(store, backend, &request).map_err(say)?;
        let response = outcome.map_err(|refusal| refusal.to_string())?;
        if let Op::Compact(at) = request {
            while self.compaction.is_some() {
                self.batch(usize::MAX)?;
            }
            self.compaction = Some(Compaction::start(self.both()?.0, at));
        }
        Ok(response.to_string())
    }

    fn batch(&mut self, limit: usize) -> Result<String, String> {
        let mut compaction = self.compaction.take().ok_or("no compaction runs")?;
        let backend = self.backend()?;
        let batch = compaction.next_batch(backend, limit).map_err(say)?;
        let mut said = "deleted".to_owned();
        for key in &batch.delete {
            let _ = write!(said, " {}", say_key(key));
        }
        if batch.delete.is_empty() {
            said.push_str(" nothing");
        }
        let last = batch.last;
        compaction.apply(backend, batch);
        if last {
            said.push_str(", finished");
        } else {
            self.compaction = Some(compaction);
        }
        Ok(said)
    }

    fn commit(&mut self) -> Result<String, String> {
        let backend = self.backend()?;
        let Some(commit) = backend.begin_commit() else { return Ok("nothing is pending".into()) };
        let said = format!("{} changes in {} pages", commit.changes, commit.pages.len());
        let mut file = std::mem::take(&mut self.file);
        for write in commit.pages.iter().chain([&commit.meta]) {
            let from = usize::try_from(write.offset).expect("a small file");
            let end = from + write.bytes.len();
            file.resize(file.len().max(end), 0);
            file[from..end].copy_from_slice(&write.bytes);
        }
        self.file = file;
        self.backend()?.finish_commit(commit);
        Ok(said)
    }

    fn close(&mut self) -> Result<String, String> {
        let said = self.commit()?;
        self.crash()?;
        Ok(said)
    }

    fn crash(&mut self) -> Result<String, String> {
        let (_, backend) = self.open.take().ok_or("the store is closed")?;
        self.compaction = None;
        Ok(format!("{} changes are lost", backend.pending().len()))
    }

    fn open(&mut self, chunk: usize) -> Result<String, String> {
        if self.open.is_some() {
            return Err("the store is open".into());
        }
        let backend = Backend::open(&self.file, PAGE_SIZE).map_err(|error| error.to_string())?;
        let restore = Restore::begin(&backend, Defects::NONE);
        let mut restore = restore.and_then(|restore| restore.with_lessor(&backend)).map_err(say)?;
        while !restore.is_done() {
            restore.chunk(&backend, chunk).map_err(say)?;
        }
        let restored = restore.finish();
        let mut store = restored.store;
        let (current, compacted) = (store.current(), store.compacted());
        let mut said = format!("revision {current}, compacted {compacted}");
        if let Some(at) = restored.resume {
            self.compaction = Some(Compaction::start(&mut store, at));
            let _ = write!(said, ", compacting {at}");
        }
        self.open = Some((store, backend));
        Ok(said)
    }

    fn records(&mut self) -> Result<String, String> {
        let records = self.backend()?.scan(Bucket::Key, b"");
        Ok(lines(records.map(|(key, value)| match record::decode(value) {
            Ok(kv) if key.ends_with(b"t") => format!("{} {}", say_key(key), quoted(&kv.key)),
            Ok(kv) => format!("{} {kv}", say_key(key)),
            Err(error) => format!("{}: {error}", say_key(key)),
        })))
    }

    fn marks(&mut self) -> Result<String, String> {
        let backend = self.backend()?;
        let [scheduled, finished] = [SCHEDULED, FINISHED].map(|key| match mark(backend, key) {
            Ok(Some(revision)) => revision.to_string(),
            Ok(None) => "none".into(),
            Err(fatal) => say(fatal),
        });
        Ok(format!("scheduled {scheduled}, finished {finished}"))
    }

    fn index(&mut self, wanted: Option<&str>) -> Result<String, String> {
        let (store, backend) = self.both()?;
        let is_tombstone = |revision: Revision| {
            let key = RecordKey { revision, tombstone: true };
            backend.get(Bucket::Key, &key.encode()).is_some()
        };
        let keys = store.index().keys().map(|(key, index)| (quoted(key).to_string(), index));
        let keys = keys.filter(|(key, _)| wanted.is_none_or(|wanted| wanted == key));
        Ok(lines(keys.map(|(key, index)| format!("{key}:{}", say_index(index, is_tombstone)))))
    }

    fn hash(&mut self, at: Option<&str>) -> Result<String, String> {
        let at = at.unwrap_or("0");
        let at = at.parse().map_err(|_| format!("expected a revision, found `{at}`"))?;
        let (store, backend) = self.both()?;
        let hash = hash_kv(store, backend, at).map_err(|error: StoreError| error.to_string())?;
        Ok(format!("{}, compacted {}, revision {}", hash.hash, hash.compacted, hash.revision))
    }
}

fn say_index(index: &KeyIndex, is_tombstone: impl Fn(Revision) -> bool) -> String {
    let mut said = String::new();
    for generation in index.generations() {
        let revisions = generation.revisions.iter().map(|revision| {
            let mark = if is_tombstone(*revision) { "t" } else { "" };
            format!("{}.{}{mark}", revision.main, revision.sub)
        });
        let _ = write!(said, " [{}]", revisions.collect::<Vec<_>>().join(" "));
    }
    said
}

/// The key of a record: `2.0`, and `3.0t` for a tombstone.
fn say_key(key: &[u8]) -> String {
    match RecordKey::parse(key) {
        Ok(RecordKey { revision: Revision { main, sub }, tombstone }) => {
            format!("{main}.{sub}{}", if tombstone { "t" } else { "" })
        }
        Err(error) => error.to_string(),
    }
}

fn say_change(change: &Change) -> String {
    let key = match change.bucket {
        Bucket::Key => say_key(&change.key),
        Bucket::Meta | Bucket::Lease => quoted(&change.key).to_string(),
    };
    if change.value.is_some() { format!("+ {key}") } else { format!("- {key}") }
}

#[cfg(test)]
mod tests {
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
             4 changes in 4 pages\ncompacted: revision 4\n+ scheduledCompactRev\ndeleted 2.0 3.0\n\
             scheduled 4, finished none\n3 changes in 2 pages\n0 changes are lost\n\
             revision 4, compacted 4, compacting 4\ndeleted nothing, finished\n\
             scheduled 4, finished 4\n\n\
             close\nget a\nopen\nget a @3\n----\n1 changes in 1 pages\nerror: the store is closed\n\
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
            (
                "shut",
                "column 1: expected one of `put get del txn compact close grant revoke`, found `shut`",
            ),
        ] {
            assert_eq!(desk.run(command), Err(error.into()), "{command}");
        }
    }

    /// Lines that do something, and lines that are next to that.
    fn commands() -> impl Strategy<Value = Vec<String>> {
        let verbs = [
            "batch",
            "batch 1",
            "batch 0",
            "commit",
            "close",
            "crash",
            "open",
            "open 1",
            "pending",
            "records",
            "marks",
            "index",
            "index a",
            "hash",
            "hash 3",
            "hash -1",
            "open -1",
            "compact rev",
            "compact rev-1",
            "put a 1",
            "del a..",
        ];
        let near = arbitrary::near_op().prop_map(|op| op.to_string());
        let any = arbitrary::any_op().prop_map(|op| op.to_string());
        let verb = prop::sample::select(verbs.to_vec()).prop_map(String::from);
        vec(prop_oneof![6 => verb, 6 => near, 1 => any, 1 => arbitrary::words()], 0..40)
    }

    proptest! {
        #![proptest_config(arbitrary::config(1000))]

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
