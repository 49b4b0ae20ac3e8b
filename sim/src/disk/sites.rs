//! What is decided about a disk.

use crate::actor::DiskKind;
use crate::choose::{Shape, Site};
use crate::time::Span;

/// How one disk request deviates from calm. An outcome that makes no sense for the kind of the request (a misdirected
/// list) is calm.
pub const DISK: Site = Site {
    id: 5,
    name: "disk",
    shape: Shape::Disk,
    outcomes: &[
        "error",
        "slow 1ms",
        "slow 10ms",
        "slow 100ms",
        "slow 1s",
        "hang",
        "short",
        "misdirect",
        "rot",
    ],
};

/// What becomes of one unsynced sector. At a power loss and at a failed sync 0 means lost. Of a request in flight when its
/// process dies, 0 means that the sector was not reached.
///
/// The key has the name of the file, a moment ([`CRASH`], the count of failed syncs of that name in this incarnation from
/// 1, or [`IN_FLIGHT`] and more) and the sector, where [`LENGTH`] stands for the length of the file.
pub const SECTOR: Site = Site { id: 6, name: "sector", shape: Shape::Sector, outcomes: &["kept"] };

/// Whether a pending change of a name survives a power loss. They are asked in order; the first that is lost takes all
/// later ones with it.
///
/// The key has the name that the change is about, [`CRASH`] or [`IN_FLIGHT`], and in place of a sector the count of changes
/// of that name, from 1.
pub const NAMES: Site = Site { id: 7, name: "names", shape: Shape::Change, outcomes: &["kept"] };

/// The moment, in a key of [`SECTOR`] or [`NAMES`], of a power loss.
pub const CRASH: u16 = 0;

/// In a key of [`SECTOR`]: this plus n is the n-th request (from 1) that was in flight on the file when its process died.
/// In a key of [`NAMES`] it is the moment of all changes in flight.
pub const IN_FLIGHT: u16 = 0x8000;

/// The pseudo-sector, in a key of [`SECTOR`], that stands for the length of the file.
pub const LENGTH: u32 = u32::MAX;

/// How much longer a slow request takes, as the outcomes of [`DISK`] name them.
pub const SLOWDOWNS: [Span; 4] = [Span::ms(1), Span::ms(10), Span::ms(100), Span::secs(1)];

/// How one request deviates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deviation {
    /// Not at all.
    Calm,
    /// It fails, and nothing of it is done; a failed sync decides about its sectors.
    Error,
    /// Its answer takes this much longer.
    Slow(Span),
    /// It is never answered, nor done.
    Hang,
    /// Only some of the first sectors of the write land, and it fails.
    Short,
    /// The write lands at another sector of the file, and succeeds.
    Misdirect,
    /// One bit of what is written or read has flipped for good, and the request succeeds.
    Rot,
}

impl Deviation {
    /// What an outcome of [`DISK`] means for a request of this kind.
    pub(super) fn of(outcome: u32, kind: DiskKind) -> Deviation {
        let writes = matches!(kind, DiskKind::Write | DiskKind::Append);
        match outcome {
            1 => Deviation::Error,
            n @ 2..=5 => Deviation::Slow(SLOWDOWNS[n as usize - 2]),
            6 => Deviation::Hang,
            7 if writes => Deviation::Short,
            8 if writes => Deviation::Misdirect,
            9 if writes || kind == DiskKind::Read => Deviation::Rot,
            _ => Deviation::Calm,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_the_deviation_that_its_name_says() {
        for (i, name) in DISK.outcomes.iter().enumerate() {
            let said = match Deviation::of(u32::try_from(i).unwrap() + 1, DiskKind::Write) {
                Deviation::Calm => String::new(),
                Deviation::Error => "error".into(),
                Deviation::Slow(span) => format!("slow {span}"),
                Deviation::Hang => "hang".into(),
                Deviation::Short => "short".into(),
                Deviation::Misdirect => "misdirect".into(),
                Deviation::Rot => "rot".into(),
            };
            assert_eq!(&said, name);
        }
    }

    #[test]
    fn an_outcome_without_meaning_for_the_request_is_calm() {
        for kind in [DiskKind::Sync, DiskKind::Open, DiskKind::List, DiskKind::Truncate] {
            for outcome in [0, 7, 8, 9, 10] {
                assert_eq!(Deviation::of(outcome, kind), Deviation::Calm);
            }
        }
        assert_eq!(Deviation::of(7, DiskKind::Read), Deviation::Calm);
        assert_eq!(Deviation::of(9, DiskKind::Read), Deviation::Rot);
    }
}
