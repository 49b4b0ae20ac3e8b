//! Writes the log of a node.

use seedbed_sim::actor::{Context, Event};

use crate::mvcc::model::Mvcc;
use seedbed_sim::id::ActorId;

/// Writes the log of a node.
#[derive(Clone, Debug, Default)]
pub struct Wal;

impl Wal {
    /// To be made.
    #[must_use]
    #[rustfmt::skip]
    pub fn new(_: ActorId, _: ActorId, _: bool, _: u64) -> Wal { Wal }

    pub(in crate::mvcc) fn on_event(&mut self, event: Event<Mvcc>, cx: &mut Context<'_, Mvcc>) {
        if let Event::Stop = event {
            cx.stopped();
        }
    }
}
