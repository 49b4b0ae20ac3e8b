//! The disk of one node: files of bytes with a pending and a durable image, and names with a pending and a durable table.
//!
//! ```text
//!  submit ──▶ request in flight ──latency──▶ complete: lands in the pending image, answered
//!                  │                                        │ sync, by sectors and length
//!                  │ crash: lands or not, by sector         ▼
//!                  └──────────────────────────────▶ durable image ◀── crash: each pending sector kept or lost
//! ```
//!
//! It is told, and never chooses by itself whom to trouble: faults open windows ([`Trouble`]), and the small deviations of
//! single requests, and what becomes of each unsynced sector and name, are decisions of the run. It is a plain value that
//! an engine drives: it knows no agenda, and of an actor only its number.
//!
//! Reading order: [`Disk`] (`device.rs`), `image.rs` for what a file holds, `names.rs` for the directory, `carry.rs` for
//! what a request does, `death.rs` for crash and kill, `class.rs` for what may be damaged.

mod carry;
mod class;
mod death;
mod device;
mod fate;
mod image;
mod names;
mod request;
mod seen;
mod sites;
mod trouble;

pub use class::{ClassSet, FileClass};
pub use device::{Disk, DiskSpec, Submitted};
pub use seen::{DiskChange, DiskSeen};
pub use sites::{CRASH, DISK, IN_FLIGHT, LENGTH, NAMES, SECTOR, SLOWDOWNS};
pub use trouble::Trouble;

#[cfg(test)]
mod tests;
