//! A replicated register: the tutorial model, and the first thing to read.
//!
//! Every key is a register that holds one value. The replicas of a key are equals: whatever a majority of them has on
//! disk is written, and any two majorities share a replica, so that a majority asked later knows of it.
//!
//! ```text
//!  client c0          coordinator on n1                replicas on n0, n1, n2
//!
//!  write a 7 ─pick──▶ query ──────────────────────────▶ answer with the version on disk
//!            ◀─tag─── the highest of a majority, plus 1
//!            ─put───▶ store ──────────────────────────▶ append to the log, sync, then answer
//!            ◀─done── a majority has it
//!
//!  read a    ─get───▶ query ──────────────────────────▶ answer with the version on disk
//!                     the highest of a majority;
//!                     store, unless all agreed ───────▶ (the write-back)
//!            ◀─got─── a majority has it
//! ```
//!
//! It is the algorithm of Attiya, Bar-Noy and Dolev ("Sharing Memory Robustly in Message-Passing Systems", J. ACM 42, 1995)
//! with many writers as Lynch and Shvartsman made it (1997), over a network that loses, repeats and delays, on nodes that
//! crash and come back with what their disks have kept.
//!
//! # Why it is linearizable
//!
//! Order the writes of a key by tag, and put each read behind the write whose tag it returns.
//!
//! 1. *One write, one tag, one value.* A coordinator gives no counter of a key twice within a life, and the tag names the
//!    coordinator and its life; so no two writes have the same tag. A client takes the first tag that it is told and keeps
//!    it through all retries: a put that arrives again, by whatever coordinator, finds its tag in place and changes nothing.
//!    (Were each attempt to get a tag of its own, a late one would put an old value above a newer one.)
//! 2. *Tags grow.* The tag of a write is higher than all that a majority had when it was asked for, and so higher than
//!    that of any write or read that had returned before.
//! 3. *What is returned is at a majority.* A write returns when a majority has synced it; a read when a majority agreed, or
//!    has synced what is written back. So no later read returns a lower tag.
//! 4. *A replica never forgets.* It tells and acknowledges only what is on disk, and keeps the highest tag.
//! 5. *An answer counts for the question that it answers.* A coordinator numbers its rounds and sends the number along with
//!    its life, so that an answer to a round of an earlier life counts for nothing.
//!
//! A write that was given up after its put had left is *unknown*: it takes effect when a majority has it, or never.
//!
//! # Where to read on
//!
//! `call.rs` (what clients ask), `tag.rs`, `table.rs`, `record.rs` and `tally.rs` (pure data), `message.rs`; then the three
//! actors [`Client`], [`Coordinator`] and [`Replica`]; then `reference.rs`, `checks.rs`, `bugs.rs` and `scenario.rs`, which
//! put it on trial.

pub mod bugs;
mod call;
pub mod checks;
mod client;
mod coordinator;
mod message;
pub mod record;
pub mod reference;
mod replica;
pub mod scenario;
mod table;
mod tag;

pub mod tally;
#[cfg(test)]
mod tests;
pub mod verbs;

pub use call::{Call, Key, Ret};
pub use client::Client;
pub use coordinator::Coordinator;
pub use message::{Msg, Note, RoundId, Timer};
pub use replica::Replica;
pub use table::Table;
pub use tag::{Tag, Version};

use seedbed_sim::actor::{Actor, Context, Event, Mark, Never, Point};

/// The actors of the model: one enum, so that checks see real types.
#[derive(Clone, Debug)]
pub enum Register {
    /// Keeps versions on a disk.
    Replica(Replica),
    /// Asks majorities on behalf of clients.
    Coordinator(Coordinator),
    /// Does the operations of the workload.
    Client(Client),
}

impl Actor for Register {
    type Msg = Msg;
    type Timer = Timer;
    type Phase = Never;
    type Lock = Never;
    type Op = Call;
    type Ret = Ret;
    type Note = Note;
    type Shared = ();
    type Ghost = checks::Ghost;

    fn on_event(&mut self, event: Event<Register>, cx: &mut Context<'_, Register>) {
        match self {
            Register::Replica(replica) => replica.on_event(event, cx),
            Register::Coordinator(coordinator) => coordinator.on_event(event, cx),
            Register::Client(client) => client.on_event(event, cx),
        }
    }
}

/// Places where a fault may strike.
pub mod point {
    use super::Point;

    /// A replica has written a record, and not yet asked for the sync.
    pub const RECORD_WRITTEN: Point = Point { index: 0, name: "record-written" };
    /// A replica has synced a record, and not yet acknowledged it.
    pub const RECORD_SYNCED: Point = Point { index: 1, name: "record-synced" };
    /// A recovering replica has synced its new log, and not yet given it the name of the old one.
    pub const LOG_REWRITTEN: Point = Point { index: 2, name: "log-rewritten" };
    /// A recovering replica has made the new name durable, and not yet begun to serve.
    pub const LOG_REPLACED: Point = Point { index: 3, name: "log-replaced" };
    /// A coordinator has asked a replica, and not yet the next.
    pub const REPLICA_ASKED: Point = Point { index: 4, name: "replica-asked" };
    /// A coordinator has heard a majority, and not yet acted on it.
    pub const QUORUM_REACHED: Point = Point { index: 5, name: "quorum-reached" };
    /// A coordinator has answered a client.
    pub const REPLY_SENT: Point = Point { index: 6, name: "reply-sent" };

    /// All of them.
    pub const ALL: &[Point] = &[
        RECORD_WRITTEN,
        RECORD_SYNCED,
        LOG_REWRITTEN,
        LOG_REPLACED,
        REPLICA_ASKED,
        QUORUM_REACHED,
        REPLY_SENT,
    ];
}

/// What a campaign must have seen at least once.
pub mod mark {
    use super::Mark;

    /// Majorities that do not agree are what the write-back is for.
    pub const READ_WROTE_BACK: Mark =
        Mark { index: 0, name: "a read wrote back what not all had answered" };
    /// The retry that must not be a second write.
    pub const RETRIED_ELSEWHERE: Mark =
        Mark { index: 1, name: "a write that had its tag was put again by another coordinator" };
    /// What the life in a round's name is for.
    pub const STALE_REFUSED: Mark =
        Mark { index: 2, name: "an answer to an earlier life of a coordinator was refused" };
    /// What the checksum is for.
    pub const TORN_RECORD: Mark =
        Mark { index: 3, name: "a replica found a torn record in its log" };
    /// Writers that overtake each other are what tags are for.
    pub const OLDER_STORED: Mark =
        Mark { index: 4, name: "a replica was asked to store an older version than it held" };
    /// The outcome that a history must live with.
    pub const GIVEN_UP: Mark =
        Mark { index: 5, name: "a client gave up a write that may still take effect" };
}
