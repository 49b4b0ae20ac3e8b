//! Plans: what a run is made from, and how trouble is drawn within a budget.
//!
//! Reading order: `plan.rs` (what a plan holds), `budget.rs` (what a scenario promises to survive), `noise.rs` (single
//! decisions as text).

mod budget;
mod noise;
mod plan;

pub use budget::{Account, Budget};
pub use noise::Wording;
pub use plan::{Config, Knob, Noise, Plan, PlannedOp, Run};
