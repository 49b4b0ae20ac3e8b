//! Serves clients.

use seedbed_sim::actor::{Context, Event};

use crate::mvcc::model::Mvcc;

/// Serves clients.
#[derive(Clone, Debug, Default)]
pub struct Member;

impl Member {
    pub(in crate::mvcc) fn on_event(&mut self, event: Event<Mvcc>, cx: &mut Context<'_, Mvcc>) {
        if let Event::Stop = event {
            cx.stopped();
        }
    }
}
