//! Named constants of a model (points, marks, planted bugs), and what the numbers of a run are called.

use crate::choose::Site;
use crate::id::{ActorId, NodeId};

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

/// What the numbers of a run are called: for traces, fault lines and noise lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Nodes, by number.
    pub nodes: Vec<String>,
    /// Actors, by number; the first on a node has the node's name.
    pub actors: Vec<String>,
    /// Kinds of messages, then of phases, locks and timers; by number as [`Names::kind`] lays them out.
    pub kinds: [&'static [&'static str]; 4],
    /// Points of the scenario.
    pub points: &'static [Point],
    /// Decision sites of the model.
    pub sites: &'static [&'static Site],
}

/// The four families of labels that keys of decisions tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// A message.
    Message = 0,
    /// A phase.
    Phase = 1,
    /// A lock.
    Lock = 2,
    /// A timer.
    Timer = 3,
}

impl Family {
    /// The number of kind `kind` of this family within keys.
    #[inline]
    #[must_use]
    pub const fn number(self, kind: u16) -> u16 {
        (self as u16) << 12 | kind
    }
}

const PREFIXES: [&str; 4] = ["", "phase:", "lock:", "timer:"];

impl Names {
    /// The printed name of a kind number: `put`, `phase:flush`, `lock:db`, `timer:retry`.
    #[must_use]
    pub fn kind(&self, number: u16) -> String {
        let (family, kind) = (usize::from(number >> 12), usize::from(number & 0xfff));
        let name = self.kinds.get(family).and_then(|kinds| kinds.get(kind));
        format!("{}{}", PREFIXES.get(family).unwrap_or(&"?"), name.unwrap_or(&"?"))
    }

    /// The number of a printed kind.
    #[must_use]
    pub fn kind_number(&self, text: &str) -> Option<u16> {
        (0_u16..4).rev().find_map(|family| {
            let name = text.strip_prefix(PREFIXES[usize::from(family)])?;
            let kind = self.kinds[usize::from(family)].iter().position(|k| *k == name)?;
            Some(family << 12 | u16::try_from(kind).ok()?)
        })
    }

    /// The name of a node.
    #[must_use]
    pub fn node(&self, node: NodeId) -> &str {
        self.nodes.get(usize::from(node.0)).map_or("?", String::as_str)
    }

    /// The name of an actor.
    #[must_use]
    pub fn actor(&self, actor: ActorId) -> &str {
        self.actors.get(usize::from(actor.0)).map_or("?", String::as_str)
    }

    /// The node of that name.
    ///
    /// # Errors
    /// Lists the names that there are.
    pub fn node_of(&self, text: &str) -> Result<NodeId, String> {
        let found = self.nodes.iter().position(|n| n == text).and_then(|i| u16::try_from(i).ok());
        found.map(NodeId).ok_or_else(|| {
            format!("expected one of the nodes {}, found `{text}`", self.nodes.join(" "))
        })
    }

    /// The actor of that name.
    ///
    /// # Errors
    /// Lists the names that there are.
    pub fn actor_of(&self, text: &str) -> Result<ActorId, String> {
        let found = self.actors.iter().position(|n| n == text).and_then(|i| u16::try_from(i).ok());
        found.map(ActorId).ok_or_else(|| {
            format!("expected one of the actors {}, found `{text}`", self.actors.join(" "))
        })
    }
}
