//! Asking what becomes of what no sync has covered, and telling what came of it.

use super::seen::DiskChange;
use super::sites::{NAMES, SECTOR};
use crate::choose::{Choices, Key};
use crate::id::{FileName, Incarnation, NodeId};

/// Who decides, for whom, and who is told.
pub(super) struct Fate<'a> {
    pub(super) node: NodeId,
    pub(super) incarnation: Incarnation,
    pub(super) choices: &'a mut Choices,
    pub(super) on_change: &'a mut dyn FnMut(DiskChange),
}

impl Fate<'_> {
    /// Whether a sector is kept (at a crash or a failed sync) or was reached (by a request in flight).
    pub(super) fn keeps_sector(&mut self, file: FileName, moment: u16, sector: u32) -> bool {
        let Fate { node, incarnation, choices, .. } = self;
        choices.choose(&SECTOR, Key::sector(node.0, incarnation.0, file.word(), moment, sector))
            == 1
    }

    /// Whether the `n`-th change of a name is kept.
    pub(super) fn keeps_name(&mut self, name: FileName, moment: u16, n: u32) -> bool {
        let Fate { node, incarnation, choices, .. } = self;
        choices.choose(&NAMES, Key::sector(node.0, incarnation.0, name.word(), moment, n)) == 1
    }

    pub(super) fn tell(&mut self, change: DiskChange) {
        (self.on_change)(change);
    }
}
