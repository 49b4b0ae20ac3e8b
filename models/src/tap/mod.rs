//! TAP, the replication of ep-engine before it had sequence numbers: a node follows the log of another one, checkpoint by
//! checkpoint, and vbuckets move along such streams.
//!
//! ```text
//!      n0, the master                                        n1, the replica
//!   ┌───────────────────────────┐                         ┌──────────────────────────┐
//!   │ data node: table and log  │                         │ data node: table and log │
//!   │    │ changed     ▲ cursor │        messages         │      ▲ take in           │
//!   │ notifier ─ look ▶ sender ─┼────────────────────────▶│── receiver               │ ... and so on to n2
//!   │    filler ─ backfill ▶    │◀────────────────────────┼─ answers │               │
//!   └───────────────────────────┘   success, not for now  └──────────┼───────────────┘
//!                   orchestrator: who follows whom, who owns what ───┘
//! ```
//!
//! What a message changes is answered; what is not answered when a connection is lost is said again on the next one. At the
//! end of each checkpoint, the other end is what this end was. A vbucket moves when this end is dead and the other end has
//! everything.
//!
//! # Where to read on
//!
//! `seqno.rs`, `frame.rs` (what is said), `producer.rs` and its folder (what is said next), `intake.rs` (what is done with
//! it): plain data, driven by `verbs.rs` without actors. Then `message.rs` and the actors [`Sender`](sender::Sender),
//! [`Filler`](filler::Filler), [`Notifier`](notifier::Notifier), [`Receiver`](receiver::Receiver),
//! [`Orchestrator`](orchestrator::Orchestrator) and [`Client`](client::Client), beside those of [`crate::vbucket`]; then
//! `judge.rs`, `checks.rs`, `bugs.rs` and `scenario.rs`, which put them on trial.

pub mod bugs;
pub mod checks;
pub mod client;
pub mod filler;
pub mod frame;
pub mod intake;
pub mod judge;
pub mod mark;
pub mod message;
pub mod model;
pub mod note;
pub mod notifier;
pub mod op;
pub mod orchestrator;
pub mod point;
pub mod producer;
pub mod receiver;
pub mod reference;
pub mod scenario;
pub mod sender;
pub mod seqno;
pub mod settings;
pub mod shared;
mod simpler;
pub mod verbs;
mod workload;
