//! A deterministic simulation engine: actors on a seeded scheduler in virtual time, over a network, disks and clocks that
//! fail, with checks, shrinking and a command line.
//!
//! ```text
//! seed ──expand──▶ plan ──run──▶ steps + history ──judge──▶ verdict
//!                    ▲                                        │ violation
//!                    └───────────────── shrink ◀──────────────┘
//! ```
//!
//! A run is a pure function of the code and its [`Plan`](nemesis::Plan). Whatever happens by chance is a decision that is
//! keyed by who and what ([`choose`]), so that a plan can be made smaller line by line and still be the same run.
//!
//! # Floors
//!
//! Imports go down only; modules on one line do not know each other.
//!
//! ```text
//! cli  report                    the command line as a library, and what it prints
//! campaign                       many seeds: sweep, shrink, hunt, corpus, bench
//! judge                          histories of clients, linearizability
//! engine                         one run of one plan
//! check                          promises over a world, and the scenario that holds them
//! world                          nodes, agenda, locks, clocks; routes and decides nothing
//! nemesis                        plans: swarm, shapes over time, rates, budget
//! net  disk  fault  trace        links and connections, files, faults as data, lines for people
//! actor                          what a model sees
//! choose                         the only source of decisions
//! time  id                       vocabulary
//! ```
//!
//! Below `campaign` there is no clock, thread, float, environment or unordered map.
//!
//! # Where to begin
//!
//! - To write a model: [`actor::Actor`], [`actor::Event`], [`actor::Context`], then [`check::Scenario`].
//! - To run one: [`check::Scenario::expand`] grows a seed into a plan, [`engine::Native::run`] runs it.
//! - To read the engine: [`choose`], [`actor`], [`world`], [`engine`], in this order.
//!
//! The guide in `docs/` has a tutorial, and a page on each of these.

pub mod actor;
pub mod campaign;
pub mod check;
pub mod choose;
pub mod cli;
pub mod disk;
pub mod engine;
pub mod fault;
pub mod id;
pub mod judge;
pub mod nemesis;
pub mod net;
pub mod report;
pub mod time;
pub mod trace;
pub mod world;
