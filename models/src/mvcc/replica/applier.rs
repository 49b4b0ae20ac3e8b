//! Executes the log.

use seedbed_sim::actor::{Context, Event};

use crate::mvcc::model::Mvcc;

/// Executes the log.
#[derive(Clone, Debug, Default)]
pub struct Applier;

impl Applier {
    pub(in crate::mvcc) fn on_event(&mut self, event: Event<Mvcc>, cx: &mut Context<'_, Mvcc>) {
        if let Event::Stop = event {
            cx.stopped();
        }
    }
}
