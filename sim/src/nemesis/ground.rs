//! Whom trouble can befall in a run, and when it matters; and single faults on that ground.

use super::plan::Run;
use super::swarm::{draw_node, without_damage};
use crate::actor::Point;
use crate::choose::Draw;
use crate::fault::{
    ClockTrouble, ConnTrouble, ConnectTrouble, Death, DiskTrouble, Fault, Kind, KindSet,
    LinkTrouble, NodeSet, Path,
};
use crate::id::NodeId;
use crate::time::Span;

/// Spans in tenths of the calm latency: a heavy tail around what the plan calls slow.
const SPANS: [u64; 9] = [5, 10, 20, 50, 100, 200, 500, 1_000, 3_000];
const FACTORS: [u32; 5] = [2, 5, 10, 30, 100];
const OFFSETS: [i64; 7] =
    [1_000_000, 5_000_000, 20_000_000, 100_000_000, 500_000_000, 2_000_000_000, 10_000_000_000];
const DRIFTS: [i32; 4] = [100, 1_000, 10_000, 50_000];

const DEATHS: KindSet = KindSet::of(&[Kind::Crash, Kind::Kill, Kind::Stop, Kind::Wipe]);
const CUTS: KindSet = KindSet::of(&[Kind::Cut, Kind::CutOneWay, Kind::Clog]);
const LINKS: KindSet = CUTS.with(Kind::SlowLink);
const CONNS: KindSet = KindSet::of(&[Kind::Reset, Kind::Close, Kind::Silence, Kind::Tear]);

/// Whom trouble can befall, and when it matters.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'a> {
    /// The servers.
    pub servers: NodeSet,
    /// The clients: ends of links and connections, nothing else befalls them.
    pub clients: NodeSet,
    /// The places where a fault may strike.
    pub points: &'a [Point],
    /// The numbers of the run, with the fragile nodes.
    pub run: &'a Run,
    /// When the clients will about be done, were all calm; since the start.
    pub busy: Span,
    /// How many servers may be away at once.
    pub down_max: u32,
}

impl Ground<'_> {
    /// Those of the kinds that can befall anybody here and that strike as fault lines.
    #[must_use]
    pub fn possible(&self, kinds: KindSet) -> KindSet {
        let mut faults = kinds.masked((1 << Kind::Drop as u8) - 1);
        if self.servers.is_empty() {
            return KindSet::NONE;
        }
        if self.down_max == 0 {
            faults = faults.minus(DEATHS).without(Kind::Pause);
        }
        faults = without_damage(faults, self.run);
        let alone = self.servers.len() == 1 && self.clients.is_empty();
        if alone {
            faults = faults.minus(LINKS).minus(CONNS);
        }
        if self.down_max == 0 && self.clients.is_empty() {
            faults = faults.minus(CUTS);
        }
        faults
    }

    /// Until when the clients are at work, at least a few latencies after the calm start and before the heal.
    #[must_use]
    pub fn busy_until(&self) -> Span {
        let least = self.run.calm + self.run.latency.times(10);
        Span(self.busy.at_least(least).0.min(self.run.horizon.0)).at_least(self.run.calm)
    }

    /// An instant between two others, mostly a whole number of microseconds: it is meant to be read.
    pub(super) fn instant(&self, from: Span, to: Span, draw: &mut Draw) -> Span {
        let drawn = draw.range(from.0, to.0.max(from.0));
        let exact = draw.chance(1, 8) || to.0 < 1_000_000;
        Span(if exact { drawn } else { drawn / 1_000 * 1_000 }.max(from.0))
    }

    /// How long something lasts: a heavy tail, and less than half of the time until the heal.
    pub(super) fn span(&self, draw: &mut Draw) -> Span {
        let tenth = self.run.latency.0 / 10 + 1;
        let spans = if draw.chance(1, 2) { &SPANS[..5] } else { &SPANS[..] };
        let longest = draw.pick(spans) * tenth;
        let drawn = if draw.chance(1, 2) { longest } else { draw.range(longest / 2, longest) };
        let most = (self.run.horizon.0 / 2).max(1);
        let neat = if drawn < 10_000 { drawn } else { drawn / 1_000 * 1_000 };
        Span(neat.min(most))
    }

    /// A fault of this kind that strikes the server, or a link or connection of it.
    pub(super) fn fault(&self, kind: Kind, server: NodeId, draw: &mut Draw) -> Fault {
        let span = self.span(draw);
        let disk = |trouble| Fault::Disk(trouble, server, span);
        let factor = |draw: &mut Draw| *draw.pick(&FACTORS);
        match kind {
            Kind::Kill => Fault::Down(Death::Kill, server, span),
            Kind::Stop => Fault::Down(Death::Stop, server, span),
            Kind::Wipe => {
                let fragile = self.run.fragile;
                let victim = if fragile.has(server) { server } else { draw_node(fragile, draw) };
                Fault::Down(Death::Wipe, victim, span)
            }
            Kind::Pause => Fault::Pause(server, span),
            Kind::SlowNode => Fault::Slow(server, factor(draw), span),
            Kind::Cut => Fault::Link(LinkTrouble::Cut, self.path(server, true, draw), span),
            Kind::CutOneWay => Fault::Link(LinkTrouble::Cut, self.path(server, false, draw), span),
            Kind::Clog => {
                let both = draw.chance(3, 4);
                Fault::Link(LinkTrouble::Clog, self.path(server, both, draw), span)
            }
            Kind::SlowLink => {
                let trouble = LinkTrouble::Slow(factor(draw));
                let both = draw.chance(3, 4);
                Fault::Link(trouble, self.path(server, both, draw), span)
            }
            Kind::Reset => self.conn(ConnTrouble::Reset, server, draw),
            Kind::Close => self.conn(ConnTrouble::Close, server, draw),
            Kind::Silence => self.conn(ConnTrouble::Silence, server, draw),
            Kind::Tear => self.conn(ConnTrouble::Tear, server, draw),
            Kind::Refuse => Fault::Connect(ConnectTrouble::Refuse, server, span),
            Kind::Hang => Fault::Connect(ConnectTrouble::Hang, server, span),
            Kind::DiskFull => disk(DiskTrouble::Full),
            Kind::ReadErrors => disk(DiskTrouble::ReadError),
            Kind::WriteErrors => disk(DiskTrouble::WriteError),
            Kind::SyncErrors => disk(DiskTrouble::SyncError),
            Kind::DiskSlow => disk(DiskTrouble::Slow(factor(draw))),
            Kind::DiskHang => disk(DiskTrouble::Hang),
            Kind::Skew => Fault::Clock(ClockTrouble::Skew(offset(draw)), server),
            Kind::Jump => Fault::Clock(ClockTrouble::Jump(offset(draw)), server),
            Kind::Drift => {
                let ppm = *draw.pick(&DRIFTS) * if draw.chance(1, 2) { 1 } else { -1 };
                Fault::Clock(ClockTrouble::Drift(ppm, span), server)
            }
            // The rest of the catalogue is noise, which is never asked for here.
            _ => Fault::Down(Death::Crash, server, span),
        }
    }

    /// Between a server and others: all, the servers, the clients, one, or as one half of the servers against the other.
    fn path(&self, server: NodeId, both: bool, draw: &mut Draw) -> Path {
        let one = NodeSet::one(server);
        let servers = NodeSet(self.servers.0 & !one.0);
        let everybody = NodeSet(servers.0 | self.clients.0);
        let (mut from, mut to) = (one, everybody);
        match draw.below(5) {
            1 => to = servers,
            2 => to = self.clients,
            3 => to = NodeSet::one(draw_node(everybody, draw)),
            4 => {
                from = NodeSet(self.servers.0 & draw.word() | one.0);
                to = NodeSet(self.servers.0 & !from.0);
            }
            _ => {}
        }
        // Without room for a server that is cut off, only links to clients may be in trouble.
        if self.down_max == 0 {
            to = NodeSet(to.0 & self.clients.0);
        }
        if to.is_empty() {
            (from, to) = (one, if self.down_max == 0 { self.clients } else { everybody });
        }
        if both || draw.chance(1, 2) {
            Path { from, to, both }
        } else {
            Path { from: to, to: from, both }
        }
    }

    /// The connections that a client, or another server, has opened to the server.
    fn conn(&self, trouble: ConnTrouble, server: NodeId, draw: &mut Draw) -> Fault {
        let servers = NodeSet(self.servers.0 & !NodeSet::one(server).0);
        let clients = !self.clients.is_empty() && (servers.is_empty() || draw.chance(3, 4));
        let from = draw_node(if clients { self.clients } else { servers }, draw);
        Fault::Conn(trouble, from, server)
    }

    /// The kinds by which a node goes down.
    pub(super) fn deaths(kinds: KindSet) -> KindSet {
        kinds.both(DEATHS)
    }

    /// The kinds that cut links.
    pub(super) fn cuts(kinds: KindSet) -> KindSet {
        kinds.both(CUTS)
    }
}

fn offset(draw: &mut Draw) -> i64 {
    let longest = *draw.pick(&OFFSETS);
    if draw.chance(1, 2) { longest } else { -longest }
}
