//! Serves clients.

use seedbed_sim::actor::{Context, Event};

use super::seats::Seats;
use crate::mvcc::model::Mvcc;
use crate::mvcc::settings::Settings;
use crate::mvcc::watch::Limits;

/// Serves clients.
#[derive(Clone, Debug, Default)]
pub struct Member;

impl Member {
    /// To be made.
    #[must_use]
    #[rustfmt::skip]
    pub fn new(_: &Settings, _: Seats, _: u16, _: Limits) -> Member { Member }
    /// To be made.
    #[must_use]
    #[rustfmt::skip]
    pub fn is_serving(&self) -> bool { true }

    pub(in crate::mvcc) fn on_event(&mut self, event: Event<Mvcc>, cx: &mut Context<'_, Mvcc>) {
        if let Event::Stop = event {
            cx.stopped();
        }
    }
}
