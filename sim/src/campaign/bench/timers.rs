//! `timers`: a thousand of them outstanding; half of the firings cancel another one, or arm it again.

use super::hops::Go;
use crate::actor::{Actor, Context, Event, Label, Never, Outcome};
use crate::choose::{FIRST_MODEL_SITE, Odds, Shape, Site};
use crate::id::OpId;
use crate::time::Span;
use std::fmt;

/// What a firing does: only arms itself again, or also cancels or arms another.
pub(super) const TWIST: Site =
    Site { id: FIRST_MODEL_SITE, name: "twist", shape: Shape::Own, outcomes: &["cancel", "again"] };

/// Half of the firings do nothing to others.
pub(super) const TWISTS: Odds = Odds::new(&[2, 1, 1]);

const OUTSTANDING: u32 = 1000;

/// The one actor, which is its own client.
#[derive(Clone, Debug)]
pub(super) struct Clockwork {
    pub(super) op: Option<OpId>,
    pub(super) left: u32,
}

/// A timer by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Tick(u32);

impl fmt::Display for Tick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tick {}", self.0)
    }
}

impl Label for Tick {
    const KINDS: &'static [&'static str] = &["tick"];
    fn kind(&self) -> u16 {
        0
    }
    fn subject(&self) -> u64 {
        u64::from(self.0)
    }
}

/// Spreads the timers over a millisecond.
fn period(timer: u32) -> Span {
    Span(1_000 + u64::from(timer.wrapping_mul(2_654_435_761) % 1_000_000))
}

impl Actor for Clockwork {
    type Msg = Never;
    type Timer = Tick;
    type Phase = Never;
    type Lock = Never;
    type Op = Go;
    type Ret = Never;
    type Note = Never;
    type Shared = ();
    type Ghost = u64;

    fn on_event(&mut self, event: Event<Clockwork>, cx: &mut Context<'_, Clockwork>) {
        match event {
            Event::Invoke { op, what } => {
                (self.op, self.left) = (Some(op), what.0);
                for timer in 0..OUTSTANDING {
                    cx.arm(Tick(timer), period(timer));
                }
            }
            Event::Timer(Tick(timer)) => {
                self.left -= 1;
                if self.left == 0 {
                    for timer in 0..OUTSTANDING {
                        cx.disarm(Tick(timer));
                    }
                    if let Some(op) = self.op.take() {
                        cx.complete(op, Outcome::Unknown);
                    }
                    return;
                }
                let other = Tick((timer * 7 + self.left) % OUTSTANDING);
                match cx.choose(&TWIST, u64::from(timer), u64::from(self.left)) {
                    // A cancelled one is set going again by its neighbour, so that a thousand stay outstanding.
                    1 => {
                        cx.disarm(other);
                        cx.arm(other, period(other.0 + 1));
                    }
                    2 => cx.arm(other, period(other.0 + 2)),
                    _ => {}
                }
                cx.arm(Tick(timer), period(timer));
            }
            Event::Boot
            | Event::Message { .. }
            | Event::Conn(_)
            | Event::Disk(_)
            | Event::Locked(_)
            | Event::Phase(_)
            | Event::Stop => {}
        }
    }
}
