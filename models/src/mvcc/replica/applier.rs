//! Executes the log.

use seedbed_sim::actor::{Context, Event};

use super::seats::Seats;
use crate::mvcc::model::Mvcc;
use crate::mvcc::settings::Settings;

/// Executes the log.
#[derive(Clone, Debug, Default)]
pub struct Applier;

impl Applier {
    /// To be made.
    #[must_use]
    #[rustfmt::skip]
    pub fn new(_: &Settings, _: Seats, _: u16) -> Applier { Applier }

    pub(in crate::mvcc) fn on_event(&mut self, event: Event<Mvcc>, cx: &mut Context<'_, Mvcc>) {
        if let Event::Stop = event {
            cx.stopped();
        }
    }
}
