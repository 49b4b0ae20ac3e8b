//! The catalogue: every kind of trouble that a plan can switch on. What is not implemented is not here.

/// A kind of trouble. The first part strikes as faults (lines of the plan), the second as noise (rates).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "the catalogue below says in a line what each one is")]
pub enum Kind {
    Crash,
    Kill,
    Stop,
    Wipe,
    Pause,
    SlowNode,
    Cut,
    CutOneWay,
    Clog,
    SlowLink,
    Reset,
    Close,
    Silence,
    Tear,
    Refuse,
    Hang,
    DiskFull,
    ReadErrors,
    WriteErrors,
    SyncErrors,
    DiskSlow,
    DiskHang,
    Skew,
    Jump,
    Drift,
    Drop,
    Duplicate,
    Reorder,
    Corrupt,
    Delay,
    Segment,
    ConnectRefused,
    ConnectHang,
    ConnectDelay,
    CutReset,
    CutHalfOpen,
    Flip,
    RequestError,
    RequestSlow,
    RequestHang,
    ShortWrite,
    Misdirect,
    Rot,
    Kept,
    Schedule,
    Tie,
    Waiter,
    Think,
}

impl Kind {
    /// All kinds with their names and a line about each, in the order of their numbers.
    pub const CATALOGUE: [(Kind, &'static str, &'static str); 48] = [
        (
            Kind::Crash,
            "crash",
            "power of a node is lost; unsynced sectors are lost or kept one by one; peers see silence",
        ),
        (Kind::Kill, "kill", "the process of a node dies; what it wrote stays; peers see a reset"),
        (Kind::Stop, "stop", "a node is asked to stop cleanly, and killed after a grace"),
        (Kind::Wipe, "wipe", "a node loses power and its disk"),
        (Kind::Pause, "pause", "a node stands still while its clocks run on"),
        (Kind::SlowNode, "slow", "everything that a node does takes a multiple of the time"),
        (Kind::Cut, "cut", "links deliver nothing in both directions"),
        (Kind::CutOneWay, "cut-one-way", "links deliver nothing in one direction"),
        (Kind::Clog, "clog", "links hold everything for a span and lose nothing"),
        (Kind::SlowLink, "slow-link", "latencies of links are multiplied"),
        (Kind::Reset, "reset", "connections are reset; what was in flight is lost"),
        (Kind::Close, "close", "connections come to an orderly end that neither side asked for"),
        (
            Kind::Silence,
            "silence",
            "connections become half-open: nothing arrives, and nobody is told",
        ),
        (
            Kind::Tear,
            "tear",
            "connections end with a torn tail: a part of what was in flight arrives",
        ),
        (Kind::Refuse, "refuse", "connects to a node are refused for a span"),
        (Kind::Hang, "hang", "connects to a node are not answered for a span"),
        (Kind::DiskFull, "disk-full", "a disk has no room for a span"),
        (Kind::ReadErrors, "read-error", "reads of a disk fail for a span"),
        (Kind::WriteErrors, "write-error", "writes of a disk fail for a span"),
        (Kind::SyncErrors, "sync-error", "syncs of a disk fail for a span"),
        (Kind::DiskSlow, "disk-slow", "a disk takes a multiple of the time for a span"),
        (Kind::DiskHang, "disk-hang", "a disk never answers the requests of a span"),
        (Kind::Skew, "skew", "a wall clock is off from the start"),
        (Kind::Jump, "jump", "a wall clock jumps"),
        (Kind::Drift, "drift", "the clocks of a node run faster or slower for a span"),
        (Kind::Drop, "net-drop", "single datagrams are lost"),
        (Kind::Duplicate, "net-duplicate", "single datagrams arrive twice"),
        (Kind::Reorder, "net-reorder", "single datagrams are overtaken"),
        (
            Kind::Corrupt,
            "net-corrupt",
            "single datagrams arrive altered, or are rejected by a checksum",
        ),
        (Kind::Delay, "net-delay", "single datagrams take much longer (heavy tail)"),
        (Kind::Segment, "segment", "streams arrive in odd pieces, and late"),
        (Kind::ConnectRefused, "connect-refused", "single connects are refused"),
        (Kind::ConnectHang, "connect-hang", "single connects are never answered"),
        (Kind::ConnectDelay, "connect-delay", "single connects take much longer"),
        (Kind::CutReset, "cut-reset", "a connection that meets a cut is reset"),
        (Kind::CutHalfOpen, "cut-half-open", "a connection that meets a cut stays half-open"),
        (Kind::Flip, "flip", "a bit of a stream flips"),
        (Kind::RequestError, "request-error", "single disk requests fail"),
        (Kind::RequestSlow, "request-slow", "single disk requests take much longer"),
        (Kind::RequestHang, "request-hang", "single disk requests are never answered"),
        (Kind::ShortWrite, "short-write", "only a part of a write lands, and it fails"),
        (Kind::Misdirect, "misdirect", "a write lands at another place of its file"),
        (Kind::Rot, "rot", "a stored bit flips"),
        (
            Kind::Kept,
            "kept",
            "single unsynced sectors and names survive a crash or a failed sync: torn writes",
        ),
        (
            Kind::Schedule,
            "schedule",
            "hand-overs between actors of a node take longer (preemption)",
        ),
        (Kind::Tie, "tie", "events due at the same instant change their order"),
        (Kind::Waiter, "waiter", "a lock goes to another waiter than the first"),
        (Kind::Think, "think", "clients pause for longer or shorter between operations"),
    ];

    /// Its name on the command line and in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        Kind::CATALOGUE[self as usize].1
    }

    /// A line about it.
    #[must_use]
    pub const fn about(self) -> &'static str {
        Kind::CATALOGUE[self as usize].2
    }

    /// Whether it strikes as a line of the plan, rather than at a rate.
    #[must_use]
    pub const fn is_fault(self) -> bool {
        (self as u8) < Kind::Drop as u8
    }
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct KindSet(u64);

impl KindSet {
    /// No kinds.
    pub const NONE: KindSet = KindSet(0);

    /// These.
    #[must_use]
    pub const fn of(kinds: &[Kind]) -> KindSet {
        let mut set = 0;
        let mut i = 0;
        while i < kinds.len() {
            set |= 1 << kinds[i] as u8;
            i += 1;
        }
        KindSet(set)
    }

    /// Whether it is in the set.
    #[must_use]
    pub const fn has(self, kind: Kind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }

    /// With this one.
    #[must_use]
    pub const fn with(self, kind: Kind) -> KindSet {
        KindSet(self.0 | 1 << kind as u8)
    }

    /// Without this one.
    #[must_use]
    pub const fn without(self, kind: Kind) -> KindSet {
        KindSet(self.0 & !(1 << kind as u8))
    }

    /// All of either.
    #[must_use]
    pub const fn and(self, other: KindSet) -> KindSet {
        KindSet(self.0 | other.0)
    }

    /// Those that are in both.
    #[must_use]
    pub const fn both(self, other: KindSet) -> KindSet {
        KindSet(self.0 & other.0)
    }

    /// Those that are not in the other.
    #[must_use]
    pub const fn minus(self, other: KindSet) -> KindSet {
        KindSet(self.0 & !other.0)
    }

    /// Those whose bit (1 << number) is set in the mask.
    #[must_use]
    pub const fn masked(self, mask: u64) -> KindSet {
        KindSet(self.0 & mask)
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

    /// The member of this index, in the order of the catalogue.
    #[must_use]
    pub fn nth(self, index: usize) -> Option<Kind> {
        let mut rest = self.0;
        for _ in 0..index {
            rest &= rest.wrapping_sub(1);
        }
        Kind::CATALOGUE.get(rest.trailing_zeros() as usize).map(|(kind, _, _)| *kind)
    }

    /// The members, in the order of the catalogue.
    pub fn iter(self) -> impl Iterator<Item = Kind> {
        Kind::CATALOGUE.into_iter().map(|(kind, _, _)| kind).filter(move |kind| self.has(*kind))
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, KindSet};

    #[test]
    fn a_set_gives_its_members_in_the_order_of_the_catalogue() {
        let set = KindSet::of(&[Kind::Think, Kind::Crash, Kind::Drop]);
        let members: Vec<Kind> = set.iter().collect();
        assert_eq!(members, [Kind::Crash, Kind::Drop, Kind::Think]);
        let nth: Vec<Option<Kind>> = (0..4).map(|i| set.nth(i)).collect();
        assert_eq!(nth, [Some(Kind::Crash), Some(Kind::Drop), Some(Kind::Think), None]);
        assert_eq!((set.len(), set.is_empty(), KindSet::NONE.nth(0)), (3, false, None));
        assert_eq!(set.masked(1 << Kind::Drop as u8), KindSet::of(&[Kind::Drop]));
        assert_eq!(set.both(KindSet::of(&[Kind::Think, Kind::Kill])), KindSet::of(&[Kind::Think]));
    }

    #[test]
    fn the_catalogue_stands_in_the_order_of_the_numbers_and_names_are_unique() {
        for (i, (kind, name, _)) in Kind::CATALOGUE.iter().enumerate() {
            assert_eq!(*kind as usize, i);
            assert_eq!(
                Kind::CATALOGUE.iter().filter(|(_, other, _)| other == name).count(),
                1,
                "{name}"
            );
        }
    }
}
