//! The register inside another model: a shop keeps its stock in it, and rings a bell of its own beside it.
//!
//! Nothing of the register is written again here: its actors are variants of the shop's actor, its messages, timers, notes
//! and operations variants of the shop's, and a context of the shop is lifted into one of the register for each event.

use seedbed_models::register::{
    self, Call, Client, Coordinator, Key, Register, Replica, Ret, bugs, mark, point,
};
use seedbed_sim::actor::{
    Actor, BugSet, Context, Embeds, Event, HistoryEvent, Label, Mark, Never, Outcome,
};
use seedbed_sim::check::{Checked, Finally, Scenario};
use seedbed_sim::choose::Draw;
use seedbed_sim::engine::{Native, Options, Report, Verdict};
use seedbed_sim::fault::{FaultLine, Kind, KindSet};
use seedbed_sim::id::ActorId;
use seedbed_sim::nemesis::{Budget, Config, Noise, Plan, PlannedOp};
use seedbed_sim::time::Span;
use seedbed_sim::world::{Step, Topology, World};
use std::fmt;
use std::str::FromStr;

/// The actors of the outer model.
#[derive(Clone, Debug)]
enum Shop {
    Stock(Register),
    Bell { next: ActorId, heard: u32 },
}

/// A type of the outer model with a variant for the register's: conversions both ways, a label, and how it prints.
macro_rules! outer {
    ($name:ident holds $inner:ty, beside $own:ident($own_type:ty) $(, $derive:ident)*) => {
        #[derive(Clone, Debug, PartialEq, Eq, Hash $(, $derive)*)]
        enum $name {
            Stock($inner),
            $own($own_type),
        }

        impl From<$inner> for $name {
            fn from(inner: $inner) -> $name {
                $name::Stock(inner)
            }
        }

        impl TryFrom<$name> for $inner {
            type Error = ();
            fn try_from(outer: $name) -> Result<$inner, ()> {
                match outer {
                    $name::Stock(inner) => Ok(inner),
                    $name::$own(_) => Err(()),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $name::Stock(inner) => write!(f, "{inner}"),
                    $name::$own(own) => write!(f, "{} {own}", stringify!($own)),
                }
            }
        }
    };
}

outer!(Msg holds register::Msg, beside Ring(u32));
outer!(Timer holds register::Timer, beside Ring(u32), Copy);
outer!(Op holds Call, beside Nothing(Never));
outer!(Answer holds Ret, beside Nothing(Never));
outer!(Note holds register::Note, beside Rang(u32));

impl Label for Msg {
    const KINDS: &'static [&'static str] = &[
        "pick", "picked", "put", "done", "get", "got", "query", "held", "store", "stored", "ring",
    ];
    fn kind(&self) -> u16 {
        match self {
            Msg::Stock(msg) => msg.kind(),
            Msg::Ring(_) => 10,
        }
    }
    fn subject(&self) -> u64 {
        match self {
            Msg::Stock(msg) => msg.subject(),
            Msg::Ring(n) => u64::from(*n),
        }
    }
}

impl Label for Timer {
    const KINDS: &'static [&'static str] = &["retry", "resend", "disk", "ring"];
    fn kind(&self) -> u16 {
        match self {
            Timer::Stock(timer) => timer.kind(),
            Timer::Ring(_) => 3,
        }
    }
    fn subject(&self) -> u64 {
        match self {
            Timer::Stock(timer) => timer.subject(),
            Timer::Ring(n) => u64::from(*n),
        }
    }
}

impl FromStr for Op {
    type Err = String;
    fn from_str(text: &str) -> Result<Op, String> {
        text.parse().map(Op::Stock)
    }
}

impl Embeds<Register> for Shop {
    fn shared_part(shared: &mut ()) -> &mut () {
        shared
    }
}

impl Actor for Shop {
    type Msg = Msg;
    type Timer = Timer;
    type Phase = Never;
    type Lock = Never;
    type Op = Op;
    type Ret = Answer;
    type Note = Note;
    type Shared = ();
    type Ghost = u32;

    fn on_event(&mut self, event: Event<Shop>, cx: &mut Context<'_, Shop>) {
        match self {
            Shop::Stock(register) => {
                if let Some(event) = event.narrow() {
                    cx.lift(|cx| register.on_event(event, cx));
                }
            }
            Shop::Bell { next, heard } => match event {
                Event::Boot => cx.arm(Timer::Ring(1), Span::ms(3)),
                Event::Timer(Timer::Ring(n)) => {
                    cx.send(*next, Msg::Ring(n));
                    cx.arm(Timer::Ring(n % 9 + 1), Span::ms(3));
                }
                Event::Message { msg: Msg::Ring(n), .. } => {
                    *heard += 1;
                    cx.note(Note::Rang(n));
                }
                Event::Stop => cx.stopped(),
                _ => {}
            },
        }
    }
}
