//! A client of a group.

use seedbed_sim::actor::{Context, Event};

use crate::mvcc::model::Mvcc;
use seedbed_sim::id::ActorId;

/// A client of a group.
#[derive(Clone, Debug, Default)]
pub struct GroupClient;

impl GroupClient {
    /// To be made.
    #[must_use]
    #[rustfmt::skip]
    pub fn new(_: Vec<ActorId>) -> GroupClient { GroupClient }

    pub(in crate::mvcc) fn on_event(&mut self, event: Event<Mvcc>, cx: &mut Context<'_, Mvcc>) {
        if let Event::Stop = event {
            cx.stopped();
        }
    }
}
