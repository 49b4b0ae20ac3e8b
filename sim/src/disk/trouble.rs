//! Windows in which a disk is in trouble as a whole.

use crate::actor::DiskKind;
use crate::time::Time;

/// What troubles a disk. Each trouble carries its own end; an end that has passed means none. A request meets the trouble
/// of the moment at which it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Trouble {
    /// Until then every write, append and extension fails with `Full`.
    pub full_until: Time,
    /// Until then open, read and list fail with `Io`.
    pub read_error_until: Time,
    /// Until then create, write, append, truncate, rename and remove fail with `Io`.
    pub write_error_until: Time,
    /// Until then syncs, of files and of the directory, fail with `Io`.
    pub sync_error_until: Time,
    /// Until then the calm latency is multiplied.
    pub slow_until: Time,
    /// By this, at least 1.
    pub slow_factor: u32,
    /// Until then requests are taken and never answered.
    pub hang_until: Time,
}

impl Trouble {
    /// No trouble.
    pub const NONE: Trouble = Trouble {
        full_until: Time(0),
        read_error_until: Time(0),
        write_error_until: Time(0),
        sync_error_until: Time(0),
        slow_until: Time(0),
        slow_factor: 1,
        hang_until: Time(0),
    };

    /// Ends all trouble at `now`.
    pub fn heal(&mut self, now: Time) {
        for until in [
            &mut self.full_until,
            &mut self.read_error_until,
            &mut self.write_error_until,
            &mut self.sync_error_until,
            &mut self.slow_until,
            &mut self.hang_until,
        ] {
            *until = now.min(*until);
        }
    }

    /// Whether a request of this kind, made at `now`, fails with `Io`.
    pub(super) fn fails(&self, kind: DiskKind, now: Time) -> bool {
        now < match Class::of(kind) {
            Class::Read => self.read_error_until,
            Class::Write => self.write_error_until,
            Class::Sync => self.sync_error_until,
        }
    }

    /// By what the calm latency is multiplied at `now`.
    pub(super) fn factor(&self, now: Time) -> u64 {
        if now < self.slow_until { u64::from(self.slow_factor.max(1)) } else { 1 }
    }
}

impl Default for Trouble {
    fn default() -> Trouble {
        Trouble::NONE
    }
}

/// The three classes of requests that errors tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Read,
    Write,
    Sync,
}

impl Class {
    pub(super) const fn of(kind: DiskKind) -> Class {
        match kind {
            DiskKind::Open | DiskKind::Read | DiskKind::List => Class::Read,
            DiskKind::Create
            | DiskKind::Write
            | DiskKind::Append
            | DiskKind::Truncate
            | DiskKind::Rename
            | DiskKind::Remove => Class::Write,
            DiskKind::Sync | DiskKind::SyncDir => Class::Sync,
        }
    }
}
