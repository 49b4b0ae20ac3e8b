//! `pingpong`, `fan` and `short`: actors that pass messages on.

use crate::actor::{Actor, Context, Event, Label, Never, Outcome};
use crate::choose::{FIRST_MODEL_SITE, Odds, Shape, Site};
use crate::id::{ActorId, OpId};
use crate::time::Span;
use std::fmt;
use std::str::FromStr;

/// To which of the others a message goes on.
pub(super) const PICK: Site = Site {
    id: FIRST_MODEL_SITE,
    name: "pick",
    shape: Shape::Own,
    outcomes: &["2nd", "3rd", "4th"],
};

/// Even odds for four others.
pub(super) const PICKS: Odds = Odds::new(&[1, 1, 1, 1]);

/// A node that passes messages on, or the client that sets them going and waits for their end.
#[derive(Clone, Debug)]
pub(super) enum Hopper {
    /// Passes on to one of the others (the last of them again, where there are fewer than four).
    Node { others: [ActorId; 4], client: ActorId, received: u64 },
    /// Sets `flights` messages going, each for a share of the hops.
    Client { nodes: u16, flights: u32, op: Option<OpId>, left: u32 },
}

/// A message on its way.
#[derive(Clone, Debug, Hash)]
pub(super) enum Hop {
    /// Goes on this many times. The number tells the messages of one flight apart.
    On { flight: u32, left: u32 },
    /// A flight is over.
    Done,
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Hop::On { flight, left } => write!(f, "hop {flight} with {left} to go"),
            Hop::Done => write!(f, "done"),
        }
    }
}

impl Label for Hop {
    const KINDS: &'static [&'static str] = &["hop", "done"];
    fn kind(&self) -> u16 {
        match self {
            Hop::On { .. } => 0,
            Hop::Done => 1,
        }
    }
    fn subject(&self) -> u64 {
        match self {
            Hop::On { flight, left } => u64::from(*flight) << 32 | u64::from(*left),
            Hop::Done => 0,
        }
    }
}

/// How many hops to make.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Go(pub(super) u32);

impl fmt::Display for Go {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "go {}", self.0)
    }
}

impl FromStr for Go {
    type Err = String;
    fn from_str(text: &str) -> Result<Go, String> {
        let hops = text.strip_prefix("go ").and_then(|n| n.parse().ok());
        hops.map(Go).ok_or_else(|| format!("expected `go HOPS`, found `{text}`"))
    }
}

/// The client waits no longer: flights were lost in a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct GiveUp;

impl fmt::Display for GiveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "give up")
    }
}

impl Label for GiveUp {
    const KINDS: &'static [&'static str] = &["give-up"];
    fn kind(&self) -> u16 {
        0
    }
}

/// Flights that a restarted node sets going, for those that were lost with it, and their hops.
const MADE_UP: (u32, u32) = (3, 14);

impl Actor for Hopper {
    type Msg = Hop;
    type Timer = GiveUp;
    type Phase = Never;
    type Lock = Never;
    type Op = Go;
    type Ret = Never;
    type Note = Never;
    type Shared = ();
    type Ghost = u64;

    fn on_event(&mut self, event: Event<Hopper>, cx: &mut Context<'_, Hopper>) {
        match self {
            Hopper::Node { others, client, received } => match event {
                Event::Message { msg: Hop::On { left: 0, .. }, .. } => {
                    *received += 1;
                    cx.send(*client, Hop::Done);
                }
                Event::Message { msg: Hop::On { flight, left }, .. } => {
                    *received += 1;
                    let picked = cx.choose(&PICK, u64::from(flight), u64::from(left));
                    cx.send(others[picked as usize % 4], Hop::On { flight, left: left - 1 });
                }
                Event::Boot if cx.incarnation().0 > 1 => {
                    for flight in 0..MADE_UP.0 {
                        cx.send(others[0], Hop::On { flight: 1000 + flight, left: MADE_UP.1 });
                    }
                }
                _ => {}
            },
            Hopper::Client { nodes, flights, op, left } => match event {
                Event::Invoke { op: id, what } => {
                    (*op, *left) = (Some(id), *flights);
                    cx.arm(GiveUp, Span::ms(100 + 12 * u64::from(what.0 / *flights)));
                    for flight in 0..*flights {
                        let to =
                            u16::try_from(flight % u32::from(*nodes)).expect("a node's number");
                        cx.send(ActorId(to), Hop::On { flight, left: what.0 / *flights });
                    }
                }
                Event::Message { msg: Hop::Done, .. } => {
                    *left = left.saturating_sub(1);
                    if *left == 0
                        && let Some(op) = op.take()
                    {
                        cx.disarm(GiveUp);
                        cx.complete(op, Outcome::Unknown);
                    }
                }
                Event::Timer(GiveUp) => {
                    if let Some(op) = op.take() {
                        cx.complete(op, Outcome::Unknown);
                    }
                }
                _ => {}
            },
        }
    }
}
