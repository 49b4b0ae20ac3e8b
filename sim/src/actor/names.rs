//! Named constants of a model: points, marks and planted bugs.

/// A place in a handler where a fault may strike, between two effects. Listed by the scenario; named in fault lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// Index in the model's list, below 64.
    pub index: u8,
    /// The name in fault lines: lower-case words joined by dashes.
    pub name: &'static str,
}

/// A `sometimes` promise: something that a campaign must have seen at least once, or it is too weak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Index in the model's list, below 64.
    pub index: u8,
    /// A sentence about what was seen.
    pub name: &'static str,
}

/// A planted bug: a real, historical defect of the modelled system as a switch that is off by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bug {
    /// Index in the model's list, below 64.
    pub index: u8,
    /// Its name on the command line and in seed files: lower-case words joined by dashes.
    pub name: &'static str,
    /// Commit, ticket or review comment where it was found.
    pub source: &'static str,
    /// The promise that it breaks: the name of a check.
    pub breaks: &'static str,
    /// The scenario that is credited with finding it.
    pub scenario: &'static str,
}

/// The planted bugs that are switched on in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct BugSet(u64);

impl BugSet {
    /// No bug planted.
    pub const NONE: BugSet = BugSet(0);

    /// Just this one.
    #[must_use]
    pub const fn only(bug: &Bug) -> BugSet {
        BugSet(1 << bug.index)
    }

    /// Whether it is planted.
    #[inline]
    #[must_use]
    pub const fn has(self, bug: &Bug) -> bool {
        self.0 & (1 << bug.index) != 0
    }
}
