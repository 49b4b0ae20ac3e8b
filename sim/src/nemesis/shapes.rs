//! Trouble over time: fault lines in shapes that have found bugs before, rather than evenly.
//!
//! ```text
//! sprinkle   . x  .  x .     x  .        single faults while the clients are at work
//! burst      .     xxxx      .           calm, then several at once
//! recovery   . x──┘x─┘x───┘  .           down again shortly after each boot
//! swizzle    .  ┌┌─┌──┘─┘┘   .           cuts begin one by one and heal in another order
//! point      .   at a named place        between two effects of a handler
//! late       .               .   x       after the last operation
//! ```

use super::ground::{Ground, legible};
use super::swarm::{bites, draw_kind, draw_node};
use crate::choose::Draw;
use crate::fault::{Fault, FaultLine, Kind, KindSet, When};
use crate::id::NodeId;
use crate::time::Span;

/// How many fault lines: mostly few.
const COUNTS: [u32; 16] = [1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 6, 8, 12, 16, 24];
/// Which occurrence of a point: mostly an early one.
const OCCURRENCES: [u64; 12] = [1, 1, 1, 1, 2, 2, 3, 4, 6, 10, 20, 50];
/// The most servers that are cut one by one.
const SWIZZLED_MAX: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Sprinkle,
    Burst,
    Recovery,
    Swizzle,
    Point,
    Late,
}

const SHAPES: [(Shape, u32); 6] = [
    (Shape::Sprinkle, 6),
    (Shape::Burst, 3),
    (Shape::Recovery, 4),
    (Shape::Swizzle, 3),
    (Shape::Point, 6),
    (Shape::Late, 2),
];

/// The fault lines of a plan: at most `most`, of the kinds that are on.
#[must_use]
pub fn draw_faults(ground: &Ground<'_>, on: KindSet, most: u32, draw: &mut Draw) -> Vec<FaultLine> {
    let kinds = ground.possible(on);
    // Where noise bites, some plans have nothing else.
    let none = draw.chance(1, 8) && bites(on.minus(kinds));
    let count = (*draw.pick(&COUNTS)).min(most) as usize;
    if kinds.is_empty() || none || count == 0 {
        return Vec::new();
    }
    let mut nemesis = Nemesis {
        ground,
        kinds: kinds.without(Kind::Skew),
        victim: draw_node(ground.servers, draw),
        draw,
        lines: Vec::with_capacity(count),
        count,
    };
    if kinds.has(Kind::Skew) {
        nemesis.skew();
    }
    nemesis.strike();
    let mut lines = nemesis.lines;
    lines.sort_by_key(|line| match line.when {
        When::At(at) => (false, at),
        When::On { .. } => (true, Span(0)),
    });
    lines
}

/// The control arm: each kind once, evenly over the time when clients are at work, in no shape.
#[must_use]
pub fn sprinkle_evenly(
    ground: &Ground<'_>,
    on: KindSet,
    most: u32,
    draw: &mut Draw,
) -> Vec<FaultLine> {
    let kinds = ground.possible(on);
    let count = kinds.len().min(most);
    // Where there is room for some kinds only, which ones is drawn.
    let first = draw.index(kinds.len() as usize);
    let rotated = (0..kinds.len() as usize).map(|i| (first + i) % kinds.len() as usize);
    let mut lines = Vec::with_capacity(count as usize);
    for kind in rotated.take(count as usize).filter_map(|i| kinds.nth(i)) {
        let server = draw_node(ground.servers, draw);
        let at = draw.range(ground.run.calm.0, ground.busy_until().0);
        let at = if kind == Kind::Skew { Span(0) } else { legible(Span(at)) };
        lines.push(FaultLine { when: When::At(at), fault: ground.fault(kind, server, draw) });
    }
    lines
}

struct Nemesis<'d, 'g> {
    ground: &'g Ground<'g>,
    /// Those that strike within a run.
    kinds: KindSet,
    /// Half of all faults strike the same server: trouble on top of trouble.
    victim: NodeId,
    draw: &'d mut Draw,
    lines: Vec<FaultLine>,
    count: usize,
}

impl Nemesis<'_, '_> {
    /// Wall clocks that are off from the start: of a few servers, so that there is room for other trouble.
    fn skew(&mut self) {
        let most = if self.kinds.is_empty() { self.count } else { self.count / 2 };
        for server in self.ground.servers.iter() {
            let forced = self.kinds.is_empty() && self.lines.is_empty();
            if self.lines.len() < most && (self.draw.chance(1, 2) || forced) {
                let fault = self.ground.fault(Kind::Skew, server, self.draw);
                self.push(When::At(Span(0)), fault);
            }
        }
    }

    fn strike(&mut self) {
        if self.kinds.is_empty() {
            return;
        }
        let favourite = self.shape();
        while self.lines.len() < self.count {
            let shape = if self.draw.chance(1, 2) { favourite } else { self.shape() };
            match shape {
                Shape::Sprinkle => self.sprinkle(),
                Shape::Burst => self.burst(),
                Shape::Recovery => self.recovery(),
                Shape::Swizzle => self.swizzle(),
                Shape::Point => self.point(),
                Shape::Late => self.late(),
            }
        }
    }

    fn shape(&mut self) -> Shape {
        let several = self.count > 1;
        let weights = SHAPES.map(|(shape, weight)| {
            let fits = match shape {
                Shape::Sprinkle | Shape::Late => true,
                Shape::Burst => several,
                Shape::Recovery => several && !Ground::deaths(self.kinds).is_empty(),
                Shape::Swizzle => several && !Ground::cuts(self.kinds).is_empty(),
                Shape::Point => !self.ground.points.is_empty(),
            };
            if fits { weight } else { 0 }
        });
        SHAPES[self.draw.weighted(&weights)].0
    }

    /// Adds a line, as long as there is room; nothing strikes after the heal.
    fn push(&mut self, when: When, fault: Fault) {
        if self.lines.len() == self.count {
            return;
        }
        let when = match when {
            When::At(at) => {
                // Between what happens at whole microseconds there is more, so some instants stay as they are.
                let at = if self.draw.chance(7, 8) { legible(at) } else { at };
                When::At(Span(at.0.min(self.ground.run.horizon.0.saturating_sub(1))))
            }
            on @ When::On { .. } => on,
        };
        self.lines.push(FaultLine { when, fault });
    }

    fn server(&mut self) -> NodeId {
        if self.draw.chance(1, 2) { self.victim } else { draw_node(self.ground.servers, self.draw) }
    }

    fn kind(&mut self) -> Kind {
        draw_kind(self.kinds, self.draw).expect("a kind to strike with")
    }

    /// Any fault, at a server of its own choice.
    fn fault(&mut self) -> Fault {
        let (kind, server) = (self.kind(), self.server());
        self.ground.fault(kind, server, self.draw)
    }

    /// Mostly while the clients are at work.
    fn moment(&mut self) -> Span {
        let Ground { run, .. } = self.ground;
        let until = if self.draw.chance(7, 8) { self.ground.busy_until() } else { run.horizon };
        self.between(run.calm, until)
    }

    fn between(&mut self, from: Span, to: Span) -> Span {
        Span(self.draw.range(from.0.min(to.0), to.0))
    }

    /// Up to some latencies: about what a model takes to react.
    fn shortly(&mut self) -> Span {
        let latency = self.ground.run.latency.0;
        let most = *self.draw.pick(&[1_000, latency / 10, latency, latency * 3, latency * 10]);
        Span(self.draw.range(1, most.max(1)))
    }

    fn sprinkle(&mut self) {
        let (at, fault) = (self.moment(), self.fault());
        self.push(When::At(at), fault);
    }

    fn burst(&mut self) {
        let mut at = self.moment();
        for _ in 0..self.draw.range(2, 6) {
            let fault = self.fault();
            self.push(When::At(at), fault);
            at = at + self.shortly();
        }
    }

    /// A server goes down; as soon as it is back, again, or something else befalls it while it recovers.
    fn recovery(&mut self) {
        let (server, mut at) = (self.server(), self.moment());
        let deaths = Ground::deaths(self.kinds);
        for i in 0..=self.draw.range(1, 4) {
            let again = i == 0 || self.draw.chance(3, 4);
            let kind = if again { draw_kind(deaths, self.draw) } else { None };
            let kind = kind.unwrap_or_else(|| self.kind());
            let fault = self.ground.fault(kind, server, self.draw);
            self.push(When::At(at), fault);
            let lasts = if matches!(fault, Fault::Down(..)) { fault.span() } else { Span(0) };
            at = at + lasts + self.shortly();
        }
    }

    fn swizzle(&mut self) {
        let cuts = Ground::cuts(self.kinds);
        let kind = draw_kind(cuts, self.draw).expect("a cut to swizzle");
        let some = 2 + self.draw.index(SWIZZLED_MAX - 1);
        let (mut starts, mut at) = ([Span(0); SWIZZLED_MAX], self.moment());
        for start in starts.iter_mut().take(some) {
            *start = at;
            at = at + self.shortly();
        }
        // Each heals at its own time after the last has begun, so in no order.
        let servers = self.ground.servers;
        let first = self.draw.index(servers.len() as usize);
        let cycle = servers.iter().chain(servers.iter()).skip(first).take(servers.len() as usize);
        for (start, server) in starts.into_iter().take(some).zip(cycle) {
            let fault = self.ground.fault(kind, server, self.draw);
            let healed = at + fault.span();
            self.push(When::At(start), fault.lasting(legible(healed - start)));
        }
    }

    fn point(&mut self) {
        let point = self.draw.pick(self.ground.points).index;
        let longest = *self.draw.pick(&OCCURRENCES);
        let nth = self.draw.range(longest / 2 + 1, longest);
        let nth = u32::try_from(nth).expect("a small table");
        let node = self.server();
        let (kind, elsewhere) = (self.kind(), self.draw.chance(1, 8));
        let server = if elsewhere { self.server() } else { node };
        let fault = self.ground.fault(kind, server, self.draw);
        self.push(When::On { nth, point, node }, fault);
    }

    /// When the clients are done, or just before the heal.
    fn late(&mut self) {
        let Ground { run, .. } = self.ground;
        let (busy, fault) = (self.ground.busy_until(), self.fault());
        let until = if self.draw.chance(1, 2) { busy + run.latency.times(20) } else { run.horizon };
        let until = Span(until.0.min(run.horizon.0));
        let at = self.between(busy, until);
        self.push(When::At(at), fault);
    }
}

#[cfg(test)]
mod tests;
