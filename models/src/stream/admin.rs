//! The admin: has the indexer and the routers do what the workload says, and says it again until it is done.

use seedbed_sim::actor::{Context, Event, Outcome};
use seedbed_sim::id::{ActorId, OpId};
use seedbed_sim::time::Span;

use super::message::{Msg, Ret, Timer};
use super::model::Stream;
use super::op::Call;

/// How long an order may stay without an answer.
const RETRY: Span = Span::ms(150);
/// After so many it is given up.
const ATTEMPTS_MAX: u32 = 10;

/// The admin.
#[derive(Clone, Debug)]
pub struct Admin {
    indexer: ActorId,
    routers: [ActorId; 2],
    errand: Option<(OpId, Call, u32)>,
}

impl Admin {
    /// The admin of these.
    #[must_use]
    pub fn new(indexer: ActorId, routers: [ActorId; 2]) -> Admin {
        Admin { indexer, routers, errand: None }
    }

    pub(super) fn on_event(&mut self, event: Event<Stream>, cx: &mut Context<'_, Stream>) {
        match event {
            Event::Invoke { op, what } => {
                self.errand = Some((op, what, 0));
                self.order(cx);
            }
            Event::Timer(Timer::Retry) => self.order(cx),
            Event::Message { msg: Msg::Obeyed(op, is_done), .. }
                if self.errand.as_ref().is_some_and(|(asked, ..)| *asked == op) =>
            {
                self.errand = None;
                cx.disarm(Timer::Retry);
                let ret = if is_done { Ret::Done } else { Ret::Refused };
                cx.complete(op, Outcome::Ok(ret));
            }
            Event::Stop => cx.stopped(),
            _ => {}
        }
    }

    fn order(&mut self, cx: &mut Context<'_, Stream>) {
        let Some((op, call, attempts)) = &mut self.errand else { return };
        *attempts += 1;
        if *attempts > ATTEMPTS_MAX {
            let op = *op;
            self.errand = None;
            return cx.complete(op, Outcome::Unknown);
        }
        let to = match call {
            Call::Connections(router, _) => self.routers[usize::from(*router)],
            _ => self.indexer,
        };
        cx.send(to, Msg::Order(*op, *call));
        cx.arm(Timer::Retry, RETRY);
    }
}
