//! Agrees on the log.

use seedbed_sim::actor::{Context, Event};

use crate::mvcc::model::Mvcc;
use seedbed_sim::id::{ActorId, NodeId};
use seedbed_sim::time::Span;

/// Agrees on the log.
#[derive(Clone, Debug, Default)]
pub struct Agreement;

impl Agreement {
    /// To be made.
    #[must_use]
    #[rustfmt::skip]
    pub fn new(_: Vec<(NodeId, ActorId, ActorId)>, _: Span) -> Agreement { Agreement }

    pub(in crate::mvcc) fn on_event(&mut self, event: Event<Mvcc>, cx: &mut Context<'_, Mvcc>) {
        if let Event::Stop = event {
            cx.stopped();
        }
    }
}
