//! Plans: what a run is made from, and how trouble is drawn within a budget.
//!
//! ```text
//! seed ──▶ swarm: which kinds are on ──▶ shapes: fault lines over time
//!                                    └─▶ rates: odds of the sites of the engine
//! ```
//!
//! Reading order: `plan.rs` (what a plan holds), `budget.rs` (what a scenario promises to survive), `swarm.rs`, `ground.rs`
//! (whom trouble can befall), `shapes.rs`, `rates.rs`, `noise.rs` (single decisions as text).

mod budget;
mod ground;
mod noise;
mod plan;
mod rates;
mod shapes;
mod swarm;

pub use budget::{Account, Budget};
pub use ground::Ground;
pub use noise::Wording;
pub use plan::{Config, Knob, Noise, Plan, PlannedOp, Run};
pub use rates::{NoiseSite, draw_rates, fixed_rates, noise_sites};
pub use shapes::{draw_faults, sprinkle_evenly};
pub use swarm::{draw_fragile, draw_fragile_files, draw_run, draw_swarm, without_damage};
