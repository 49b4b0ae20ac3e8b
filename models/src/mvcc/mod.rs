//! A multi-version key-value store with transactions and compaction, after the storage package of etcd.
//!
//! Every write gets a revision, and the past can be read until it is compacted. The rules are those of etcd's main
//! branch; the facts behind them name the commit that they come from.
//!
//! ```text
//!   on trial        scenario.rs  workload.rs  bugs.rs  mark.rs  point.rs      checks.rs  judge.rs
//!      │                                                                           │
//!   actors          client.rs ──▶ front.rs   batch_timer.rs   compactor.rs         │
//!      │                           door.rs         │               │               │
//!      │                             └────────▶ committer.rs ◀─────┘               │
//!      │            shared.rs                      message.rs  call.rs             │
//!      ▼                                                                           ▼
//!   requests        op.rs  text.rs  parse.rs  response.rs                     reference.rs
//!      │                                                           judges, knows nothing below
//!      ▼
//!   txn.rs ──▶ store.rs ◀── restore.rs      compaction.rs    hash.rs         watch.rs
//!                │    │                          │                               │
//!                │    ├─── lessor.rs             │        in memory:             │
//!                │    │                          │        lease ──▶ keys         │
//!                │    └─── index.rs ◀────────────┤        key ──▶ revisions      │
//!                │         key_index.rs          │                               ▼
//!                ▼                               ▼                           history.rs
//!              backend.rs ◀── revision.rs, record.rs ◀───────────────────────────┘
//!                │                                        buckets: revision ──▶ record
//!              pages.rs                                   the file: pages and two meta pages
//! ```
//!
//! `watching.rs` and its folder are a second node of the same kind, above `watch.rs`: with two loops, senders and clients
//! that watch, their own workload, judge and checks.
//!
//! `workflow.rs` and its folder are a third: the store as a library that several threads of one process use at once, with
//! explicit transactions, hashes, history, snapshots and defragmenting. `door.rs` opens and closes the store of both.
//!
//! `replica.rs` and its folder are a group of nodes that apply one log: an applier in the place of the front end, a log of
//! its own for each node, snapshots for those who are behind, leases that run out, defragmenting, and a comparer of hashes.
//!
//! `kv.rs` puts the lower half together as one process has it, with `lock.rs` for explicit transactions and
//! `parameters.rs` for everything that can be set. `rules.rs` and `defects.rs` say what was otherwise: the first what was
//! meant so in its time, the second what never was.
//!
//! The lower half is plain data with methods. They never wait, send, sync or draw: each method is one step that a real
//! store does while it holds a lock, and the actors of the upper half decide what happens between two of them. Whoever
//! drives them sees to five things:
//!
//! 1. A request that [writes](txn::writes) holds the locks of store and backend from [`txn::Running::begin`] to
//!    [`txn::Running::finish`]; until then nobody else uses them, not even to commit a batch.
//! 2. A [`pages::Commit`] is carried out in the order that it says, and a failed sync stops the node.
//! 3. A compaction is acknowledged after its mark is durable.
//! 4. What was read from a file is written again and synced before anything is answered from it.
//! 5. A backend is closed when nobody uses it any more, and nobody uses it afterwards.
//!
//! Each of the five has planted bugs that break it, in `bugs.rs`.
//!
//! # What is promised
//!
//! One node serves its clients without a log. A crash may take away the last requests that it has answered, but what is
//! left is a prefix of them, whole transactions only, and nothing older than a batch interval and a commit is lost;
//! their revisions may then be used again. A compaction that was answered is never taken away, and nothing is by a stop
//! in order. A disk that fails ends the process. `checks.rs` has the promises as sentences.
//!
//! Who watches is promised the history of the life of the node that serves it: in order, once, whole revisions, from its
//! start on, or to be told that it is compacted. Closing and opening is a restore in place, and keeps the watchers. What a
//! crash takes away, a watcher may have been told of; `watching/judge.rs` says what is promised to it afterwards.
//!
//! A group loses nothing that was acknowledged, whatever happens to its nodes, as long as what they have synced stays.
//!
//! # Where to read on
//!
//! For the store, `op.rs` first, then `revision.rs`, `key_index.rs` with its worked example, `store.rs`, `txn.rs`,
//! `lessor.rs`, `compaction.rs`, `restore.rs`; `backend.rs` and `pages.rs` stand on their own, `watch.rs` above `history.rs`. `kv.rs` is
//! the way to use all of it without a simulation. For the node, `model.rs`, `message.rs`,
//! `front.rs`, `committer.rs`, `batch_timer.rs`, `compactor.rs`, `client.rs`; then `judge.rs` and `checks.rs`. For those who
//! watch, `watching.rs`, then `sender.rs`, `rounds.rs`, `client.rs` and `judge.rs` of its folder. For
//! threads, `workflow.rs`, then `caller.rs`, `work.rs`, `snapshot.rs`, `defrag.rs`, `keeper.rs` and `judge.rs` of its folder.
//! For a group `replica.rs`, then `applier.rs`, `member.rs`, `wal.rs`, `agreement.rs`, `shipper.rs`, `receiver.rs`,
//! `keeper.rs` and `judge.rs` there.
//! `etcd.rs` holds the reference model against a real server, and is used by nothing else.
//!
//! ```
//! use seedbed_models::mvcc::{backend::Backend, defects::Defects, restore::restore, store::Store, txn::execute};
//! use seedbed_models::mvcc::op::Op;
//!
//! let (mut store, mut backend) = (Store::new(Defects::NONE), Backend::new(64));
//! let mut file = Vec::new();
//! for line in ["put a 1", "txn if a version = 1 then put a 2; del b"] {
//!     let request = line.parse::<Op>().unwrap().resolve(store.current());
//!     execute(&mut store, &mut backend, &request).unwrap().unwrap();
//! }
//! let commit = backend.begin_commit().unwrap();
//! commit.write_to(&mut file);
//! backend.finish_commit(commit);
//!
//! let mut backend = Backend::open(&file, 64).unwrap();
//! let mut store = restore(&backend, Defects::NONE, 2).unwrap().store;
//! let request = "get a @rev-1".parse::<Op>().unwrap().resolve(store.current());
//! let answer = execute(&mut store, &mut backend, &request).unwrap().unwrap();
//! assert_eq!(
//!     answer.to_string(),
//!     "found: revision 3, count 1: a=1 (created 2, modified 2, version 1, lease 0)"
//! );
//! ```

pub mod backend;
pub mod batch_timer;
pub mod bugs;
pub mod call;
pub mod checks;
pub mod client;
pub mod committer;
pub mod compaction;
pub mod compactor;
pub mod defects;
pub mod door;
pub mod etcd;
pub mod front;
pub mod hash;
pub mod history;
pub mod index;
mod judge;
pub mod key_index;
pub mod kv;
pub mod lessor;
pub mod lock;
pub mod mark;
pub mod message;
pub mod model;
pub mod op;
pub mod pages;
pub mod parameters;
mod parse;
pub mod point;
pub mod record;
pub mod reference;
pub mod replica;
pub mod response;
pub mod restore;
pub mod revision;
pub mod rules;
pub mod scenario;
pub mod settings;
pub mod shared;
mod simpler;
pub mod store;
pub mod text;
pub mod txn;
pub mod verbs;
pub mod watch;
pub mod watching;
pub mod workflow;
mod workload;

pub use parse::ParseError;

#[cfg(test)]
mod arbitrary;
#[cfg(test)]
mod differential;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod trial;
