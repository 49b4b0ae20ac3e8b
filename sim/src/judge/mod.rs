//! Judging a finished run from the outside: the history of the clients.
//!
//! [`linear`] decides whether a history is linearizable with respect to a sequential specification;
//! [`register`] and [`store`] are two such specifications. [`format`](mod@format) reads and writes histories as
//! text, and [`check_text`] does everything from the bytes of a file to a report for people.
//!
//! Nothing here knows how a history came about: it may be recorded by a simulation or by a test of a
//! real system.

pub mod format;
pub mod linear;
pub mod register;

mod report;
pub mod store;

pub use report::{Report, check_text};
