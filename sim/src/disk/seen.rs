//! What really happened to a disk: counters, and the changes that go into trace and digest.

use super::sites::LENGTH;
use crate::id::FileName;
use std::fmt;

/// How often each kind of trouble really struck since the disk was reset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct DiskSeen {
    /// Sectors (and lengths) whose unsynced content was gone after a power loss.
    pub lost: u64,
    /// Writes of which some sectors survived a death and others did not.
    pub torn: u64,
    /// Sectors (and lengths) that a failed sync dropped.
    pub dropped: u64,
    /// Changes of names that were gone after a power loss.
    pub names_lost: u64,
    /// Writes of which only a prefix landed.
    pub short: u64,
    /// Writes that landed at another sector.
    pub misdirected: u64,
    /// Bits that flipped.
    pub rotted: u64,
    /// Requests to open, read or list that were answered with `Io`.
    pub read_errors: u64,
    /// Requests to create, write, append, truncate, rename or remove that were answered with `Io`.
    pub write_errors: u64,
    /// Syncs that were answered with `Io`.
    pub sync_errors: u64,
    /// Requests that were answered with `Full`.
    pub full: u64,
    /// Requests that took longer than the calm latency.
    pub slow: u64,
    /// Requests that were never answered.
    pub hung: u64,
    /// Of the requests that were answered with `Io`, those of which it was decided singly.
    pub chosen_errors: u64,
    /// Of the slow requests, those of which it was decided singly.
    pub chosen_slow: u64,
    /// Of the requests that were never answered, those of which it was decided singly.
    pub chosen_hung: u64,
}

/// One change of a disk that the request itself does not tell: what a deviation did, and what a death left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DiskChange {
    /// Only the first bytes of a write landed.
    Short {
        /// The file.
        file: FileName,
        /// How many bytes.
        landed: u64,
    },
    /// A write landed elsewhere.
    Misdirected {
        /// The file.
        file: FileName,
        /// Where it was to go, in bytes.
        from: u64,
        /// Where it went, in bytes.
        to: u64,
    },
    /// A bit has flipped.
    Rotted {
        /// The file.
        file: FileName,
        /// The byte.
        offset: u64,
        /// The bit of it, 0 to 7.
        bit: u8,
    },
    /// A sector of a request in flight had landed when its process died.
    Landed {
        /// The file.
        file: FileName,
        /// The sector, or [`LENGTH`].
        sector: u32,
    },
    /// An unsynced sector became durable, at a power loss or a failed sync.
    Kept {
        /// The file.
        file: FileName,
        /// The sector, or [`LENGTH`].
        sector: u32,
    },
    /// An unsynced sector did not become durable, at a power loss or a failed sync.
    Lost {
        /// The file.
        file: FileName,
        /// The sector, or [`LENGTH`].
        sector: u32,
    },
    /// A pending change of a name survived.
    NameKept {
        /// What the change was about: the name created or removed, or the old name of a rename.
        name: FileName,
    },
    /// A pending change of a name did not survive.
    NameLost {
        /// What the change was about.
        name: FileName,
    },
}

/// `3` or `length`.
struct Sector(u32);

impl fmt::Display for Sector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            LENGTH => f.write_str("length"),
            sector => write!(f, "sector {sector}"),
        }
    }
}

impl fmt::Display for DiskChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            DiskChange::Short { file, landed } => write!(f, "{file} only {landed}B landed"),
            DiskChange::Misdirected { file, from, to } => {
                write!(f, "{file} @{from} misdirected to @{to}")
            }
            DiskChange::Rotted { file, offset, bit } => {
                write!(f, "{file} @{offset} bit {bit} flipped")
            }
            DiskChange::Landed { file, sector } => write!(f, "{file} {} landed", Sector(sector)),
            DiskChange::Kept { file, sector } => write!(f, "{file} {} kept", Sector(sector)),
            DiskChange::Lost { file, sector } => write!(f, "{file} {} lost", Sector(sector)),
            DiskChange::NameKept { name } => write!(f, "change of {name} kept"),
            DiskChange::NameLost { name } => write!(f, "change of {name} lost"),
        }
    }
}
