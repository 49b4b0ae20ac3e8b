//! A broken promise.

/// A promise that the system under test broke, in words and values.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Violation {
    /// The check: a sentence about the promise.
    pub check: &'static str,
    /// A constant that the check gives; together with its name the signature of the finding.
    pub class: &'static str,
    /// What was seen.
    pub detail: String,
}

/// The promises that the engine itself watches over in every scenario.
pub mod promise {
    /// Broken by [`crate::actor::Context::abort`].
    pub const NEVER_STOPS: &str = "a node never stops by itself";
    /// Broken by a cycle of actors that wait for each other's locks.
    pub const NO_DEADLOCK: &str = "no lock is waited for in a circle";
    /// Broken by more than 100,000 events within a microsecond.
    pub const PROGRESS: &str = "time goes on";
    /// Broken by a panic, which is a defect of the model or of the testbed.
    pub const NO_PANIC: &str = "the model and the testbed do not panic";
    /// Broken by a run of the second engine that the native one does not repeat, which is a defect of the testbed or a state
    /// that a model keeps outside its actors.
    pub const SAME_ON_BOTH: &str = "a run is the same on both engines";
    /// Broken by an operation that is still under way long after the heal.
    pub const COMPLETES: &str = "every operation is completed or given up";

    /// All of them.
    pub const ALL: [&str; 6] =
        [NEVER_STOPS, NO_DEADLOCK, PROGRESS, NO_PANIC, SAME_ON_BOTH, COMPLETES];
}
