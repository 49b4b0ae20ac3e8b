//! Writes the log of a node.

use seedbed_sim::actor::{Context, Event};

use crate::mvcc::model::Mvcc;

/// Writes the log of a node.
#[derive(Clone, Debug, Default)]
pub struct Wal;

impl Wal {
    pub(in crate::mvcc) fn on_event(&mut self, event: Event<Mvcc>, cx: &mut Context<'_, Mvcc>) {
        if let Event::Stop = event {
            cx.stopped();
        }
    }
}
