//! Agrees on the log.

use seedbed_sim::actor::{Context, Event};

use crate::mvcc::model::Mvcc;

/// Agrees on the log.
#[derive(Clone, Debug, Default)]
pub struct Agreement;

impl Agreement {
    pub(in crate::mvcc) fn on_event(&mut self, event: Event<Mvcc>, cx: &mut Context<'_, Mvcc>) {
        if let Event::Stop = event {
            cx.stopped();
        }
    }
}
