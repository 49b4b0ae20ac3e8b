//! Faults as plain data: what the catalogue knows, and how a fault line is written.
//!
//! A fault line stands `at` a virtual time (since the start of the run) or `on` the n-th occurrence of a point at a node,
//! and carries its own end:
//!
//! ```text
//! at 40ms: cut n0 from n1,n2 for 20ms
//! on 2nd batch-done at n0: crash n0 for 5ms
//! ```
//!
//! Nothing here acts; the world applies faults. Reading order: [`Fault`], [`FaultLine`], then `kind.rs` for the catalogue
//! of everything that can be switched on or off, and `text.rs` for print and parse.

mod kind;
mod text;

pub use kind::{Kind, KindSet};
pub use text::ordinal;

use crate::actor::Point;
use crate::id::NodeId;
use crate::time::Span;

/// A set of nodes, one bit each; a world has at most 64.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeSet(pub u64);

impl NodeSet {
    /// Just this one.
    #[must_use]
    pub const fn one(node: NodeId) -> NodeSet {
        NodeSet(1 << node.0)
    }

    /// Whether it is in the set.
    #[must_use]
    pub const fn has(self, node: NodeId) -> bool {
        self.0 & (1 << node.0) != 0
    }

    /// With this one.
    #[must_use]
    pub const fn with(self, node: NodeId) -> NodeSet {
        NodeSet(self.0 | 1 << node.0)
    }

    /// How many.
    #[must_use]
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The members in order.
    pub fn iter(self) -> impl Iterator<Item = NodeId> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let next = u16::try_from(rest.trailing_zeros()).expect("at most 64");
            rest &= rest.checked_sub(1)?;
            Some(NodeId(next))
        })
    }
}

/// How a node goes down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Death {
    /// Power is lost: unsynced data is resolved per sector, peers see silence.
    Crash,
    /// The process dies: written data stays, peers see a reset.
    Kill,
    /// The process is asked to stop, and killed if it takes longer than the grace of the plan.
    Stop,
    /// Power is lost, and the disk with it.
    Wipe,
}

/// Trouble of links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinkTrouble {
    /// Nothing is delivered.
    Cut,
    /// Everything is held, nothing lost.
    Clog,
    /// Latencies are multiplied by this.
    Slow(u32),
}

/// Which links: all from one set to the other, and back if `both`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    /// One side.
    pub from: NodeSet,
    /// The other.
    pub to: NodeSet,
    /// Both ways.
    pub both: bool,
}

/// Trouble of the connections between two nodes, whoever has opened them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnTrouble {
    /// Both ends see a reset; what was in flight is lost.
    Reset,
    /// Both ends see an orderly end that neither asked for.
    Close,
    /// Half-open: of what the first node sends nothing arrives any more, and nobody is told.
    Silence,
    /// A torn tail: only a part of what the first node has in flight arrives, then the end.
    Tear,
}

/// Trouble of new connects to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectTrouble {
    /// They are refused.
    Refuse,
    /// They are never answered.
    Hang,
}

/// Trouble of a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DiskTrouble {
    /// Nothing that needs room succeeds.
    Full,
    /// Reads fail.
    ReadError,
    /// Writes fail, and may leave any part of their sectors.
    WriteError,
    /// Syncs fail; each pending sector is kept or dropped.
    SyncError,
    /// Latencies are multiplied by this.
    Slow(u32),
    /// Requests are never answered.
    Hang,
}

/// Trouble of a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClockTrouble {
    /// The wall clock is off by this many nanoseconds; stands at the start of a run.
    Skew(i64),
    /// The wall clock jumps by this many nanoseconds.
    Jump(i64),
    /// Both clocks of the node run faster by this many parts per million, for a span.
    Drift(i32, Span),
}

/// One concrete bad thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// A node goes down, and boots again after the span.
    Down(Death, NodeId, Span),
    /// A node stands still while its clocks run on.
    Pause(NodeId, Span),
    /// Everything that a node does takes this many times as long.
    Slow(NodeId, u32, Span),
    /// Links are in trouble.
    Link(LinkTrouble, Path, Span),
    /// The connections between two nodes are in trouble; where it has a direction, on the way from the first to the second.
    Conn(ConnTrouble, NodeId, NodeId),
    /// New connects to a node are in trouble.
    Connect(ConnectTrouble, NodeId, Span),
    /// A disk is in trouble.
    Disk(DiskTrouble, NodeId, Span),
    /// A clock is in trouble.
    Clock(ClockTrouble, NodeId),
}

/// When a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum When {
    /// This long after the start of the run.
    At(Span),
    /// On the n-th occurrence (from 1, counted over the whole run) of a point at a node.
    On {
        /// Which occurrence.
        nth: u32,
        /// The index of the point.
        point: u8,
        /// The node.
        node: NodeId,
    },
}

/// One line of a fault plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FaultLine {
    /// When it strikes.
    pub when: When,
    /// What strikes.
    pub fault: Fault,
}

impl Fault {
    /// How long it lasts; zero for what happens at once and for ever.
    #[must_use]
    pub const fn span(&self) -> Span {
        match self {
            Fault::Down(_, _, span)
            | Fault::Pause(_, span)
            | Fault::Slow(_, _, span)
            | Fault::Link(_, _, span)
            | Fault::Connect(_, _, span)
            | Fault::Disk(_, _, span)
            | Fault::Clock(ClockTrouble::Drift(_, span), _) => *span,
            Fault::Conn(..) | Fault::Clock(..) => Span(0),
        }
    }

    /// The same fault for another span; unchanged if it has none.
    #[must_use]
    pub const fn lasting(self, span: Span) -> Fault {
        match self {
            Fault::Down(death, node, _) => Fault::Down(death, node, span),
            Fault::Pause(node, _) => Fault::Pause(node, span),
            Fault::Slow(node, factor, _) => Fault::Slow(node, factor, span),
            Fault::Link(trouble, path, _) => Fault::Link(trouble, path, span),
            Fault::Connect(trouble, node, _) => Fault::Connect(trouble, node, span),
            Fault::Disk(trouble, node, _) => Fault::Disk(trouble, node, span),
            Fault::Clock(ClockTrouble::Drift(ppm, _), node) => {
                Fault::Clock(ClockTrouble::Drift(ppm, span), node)
            }
            Fault::Conn(..) | Fault::Clock(..) => self,
        }
    }

    /// The nodes that it names.
    #[must_use]
    pub const fn nodes(&self) -> NodeSet {
        match self {
            Fault::Down(_, node, _)
            | Fault::Pause(node, _)
            | Fault::Slow(node, _, _)
            | Fault::Connect(_, node, _)
            | Fault::Disk(_, node, _)
            | Fault::Clock(_, node) => NodeSet::one(*node),
            Fault::Conn(_, from, to) => NodeSet::one(*from).with(*to),
            Fault::Link(_, path, _) => NodeSet(path.from.0 | path.to.0),
        }
    }

    /// Its kind in the catalogue.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Fault::Down(Death::Crash, ..) => Kind::Crash,
            Fault::Down(Death::Kill, ..) => Kind::Kill,
            Fault::Down(Death::Stop, ..) => Kind::Stop,
            Fault::Down(Death::Wipe, ..) => Kind::Wipe,
            Fault::Pause(..) => Kind::Pause,
            Fault::Slow(..) => Kind::SlowNode,
            Fault::Link(LinkTrouble::Cut, Path { both: true, .. }, _) => Kind::Cut,
            Fault::Link(LinkTrouble::Cut, Path { both: false, .. }, _) => Kind::CutOneWay,
            Fault::Link(LinkTrouble::Clog, ..) => Kind::Clog,
            Fault::Link(LinkTrouble::Slow(_), ..) => Kind::SlowLink,
            Fault::Conn(ConnTrouble::Reset, ..) => Kind::Reset,
            Fault::Conn(ConnTrouble::Close, ..) => Kind::Close,
            Fault::Conn(ConnTrouble::Silence, ..) => Kind::Silence,
            Fault::Conn(ConnTrouble::Tear, ..) => Kind::Tear,
            Fault::Connect(ConnectTrouble::Refuse, ..) => Kind::Refuse,
            Fault::Connect(ConnectTrouble::Hang, ..) => Kind::Hang,
            Fault::Disk(DiskTrouble::Full, ..) => Kind::DiskFull,
            Fault::Disk(DiskTrouble::ReadError, ..) => Kind::ReadErrors,
            Fault::Disk(DiskTrouble::WriteError, ..) => Kind::WriteErrors,
            Fault::Disk(DiskTrouble::SyncError, ..) => Kind::SyncErrors,
            Fault::Disk(DiskTrouble::Slow(_), ..) => Kind::DiskSlow,
            Fault::Disk(DiskTrouble::Hang, ..) => Kind::DiskHang,
            Fault::Clock(ClockTrouble::Skew(_), _) => Kind::Skew,
            Fault::Clock(ClockTrouble::Jump(_), _) => Kind::Jump,
            Fault::Clock(ClockTrouble::Drift(..), _) => Kind::Drift,
        }
    }
}

impl FaultLine {
    /// Whether it waits for this point.
    #[must_use]
    pub fn waits_for(&self, at: &Point) -> bool {
        matches!(self.when, When::On { point, .. } if point == at.index)
    }
}
