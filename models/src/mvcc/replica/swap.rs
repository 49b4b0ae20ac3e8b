//! A snapshot takes the place of the file.

use seedbed_sim::actor::{Context, DiskError, DiskOp, Event};
use seedbed_sim::id::FileName;

use crate::mvcc::committer::{DISK_PATIENCE, FILE};
use crate::mvcc::mark;
use crate::mvcc::message::Timer;
use crate::mvcc::model::Mvcc;

/// Where a snapshot stands until it is the file.
pub const SNAPSHOT: FileName = FileName::new("snap");

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swap {
    /// It is being renamed.
    Renaming,
    /// Its name is being made durable.
    Naming,
}

impl Swap {
    /// Begins.
    pub(super) fn begin(cx: &mut Context<'_, Mvcc>) -> Swap {
        cx.disk(DiskOp::Rename { from: SNAPSHOT, to: FILE });
        cx.arm(Timer::Disk, DISK_PATIENCE);
        Swap::Renaming
    }

    /// Goes on; says whether the snapshot is the file now. A disk that fails ends the process, and the next one finds out
    /// how far this one came.
    pub(super) fn on_event(&mut self, event: Event<Mvcc>, cx: &mut Context<'_, Mvcc>) -> bool {
        let failure = match event {
            Event::Disk(answer) if answer.result.is_ok() => match self {
                Swap::Renaming => {
                    *self = Swap::Naming;
                    cx.sync_dir();
                    cx.arm(Timer::Disk, DISK_PATIENCE);
                    return false;
                }
                Swap::Naming => {
                    cx.disarm(Timer::Disk);
                    return true;
                }
            },
            // The log begins behind what no file holds; etcd, too, fails to find the snapshot and panics.
            Event::Disk(answer) if answer.result == Err(DiskError::NotFound) => {
                cx.abort("the snapshot that the log begins behind is missing");
                return false;
            }
            Event::Disk(_) => "the disk has failed",
            Event::Timer(Timer::Disk) => "the disk does not answer",
            _ => return false,
        };
        cx.mark(&mark::DISK_ENDED_PROCESS);
        cx.fail_stop(failure);
        false
    }
}
