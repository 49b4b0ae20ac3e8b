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

    /// How long something lasts: a heavy tail, and less than half of the time until the heal.
    pub(super) fn span(&self, draw: &mut Draw) -> Span {
        let spans = if draw.chance(1, 2) { &SPANS[..5] } else { &SPANS[..] };
        let longest = draw.pick(spans) * self.run.latency.0 / 10;
        let drawn = if draw.chance(1, 2) { longest } else { draw.range(longest / 2, longest) };
        Span(legible(Span(drawn)).0.min(self.run.horizon.0 / 2)).at_least(Span::LEAST)
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
            Kind::Cut => Fault::Link(LinkTrouble::Cut, self.path(server, (true, true), draw), span),
            Kind::CutOneWay => {
                Fault::Link(LinkTrouble::Cut, self.path(server, (false, true), draw), span)
            }
            Kind::Clog => {
                let both = draw.chance(3, 4);
                Fault::Link(LinkTrouble::Clog, self.path(server, (both, true), draw), span)
            }
            Kind::SlowLink => {
                let trouble = LinkTrouble::Slow(factor(draw));
                let both = draw.chance(3, 4);
                Fault::Link(trouble, self.path(server, (both, false), draw), span)
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
    fn path(&self, server: NodeId, (both, cuts): (bool, bool), draw: &mut Draw) -> Path {
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
        // Without room for a server that is cut off, only links to clients may be cut.
        let reachable = if cuts && self.down_max == 0 { self.clients } else { everybody };
        to = NodeSet(to.0 & reachable.0);
        if to.is_empty() {
            (from, to) = (one, reachable);
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

/// The next whole number of microseconds, if that makes little difference: plans are meant to be read.
pub(super) fn legible(span: Span) -> Span {
    if span.0 < 20_000 { span } else { Span(span.0.div_ceil(1_000) * 1_000) }
}

fn offset(draw: &mut Draw) -> i64 {
    let longest = *draw.pick(&OFFSETS);
    if draw.chance(1, 2) { longest } else { -longest }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choose::Purpose;

    #[test]
    fn every_kind_of_fault_can_be_made_on_any_ground_where_it_is_possible() {
        let run = Run { fragile: NodeSet(0b10), ..Run::DEFAULT };
        let kinds = Kind::CATALOGUE.iter().fold(KindSet::NONE, |set, (kind, ..)| set.with(*kind));
        let mut draw = Draw::new(1, Purpose::Faults);
        for (servers, clients, down_max) in
            [(0b110, 0b1001, 1), (0b10, 0b1, 1), (0b10, 0, 1), (0b110, 0, 0), (0b10, 0b1, 0)]
        {
            let (servers, clients) = (NodeSet(servers), NodeSet(clients));
            let busy = Span::ms(80);
            let ground = Ground { servers, clients, points: &[], run: &run, busy, down_max };
            let possible = ground.possible(kinds);
            assert!(possible.iter().all(Kind::is_fault) && possible.has(Kind::Skew));
            for kind in (0..100).flat_map(|_| possible.iter()) {
                let fault = ground.fault(kind, NodeId(1), &mut draw);
                assert_eq!(fault.kind(), kind);
                assert!(fault.span() <= Span::ms(250), "{fault:?}");
                match fault {
                    Fault::Link(trouble, path, _) => {
                        assert!(!path.from.is_empty() && !path.to.is_empty(), "{fault:?}");
                        assert_eq!(path.from.0 & path.to.0, 0, "{fault:?}");
                        let between = NodeSet(path.from.0 | path.to.0);
                        let slow = matches!(trouble, LinkTrouble::Slow(_));
                        let needed = NodeSet(between.0 & servers.0).len() > 1 && !slow;
                        assert!(down_max > 0 || !needed, "{fault:?}");
                    }
                    Fault::Conn(_, from, to) => assert!(from != to && servers.has(to)),
                    other => assert_eq!(other.nodes().0 & !servers.0, 0),
                }
            }
        }
    }

    #[test]
    fn who_is_alone_or_may_not_be_away_is_spared_what_could_not_befall_him() {
        let run = Run::DEFAULT;
        let one = NodeSet(1);
        let busy = Span(0);
        let ground = |servers, clients, down_max| Ground {
            servers,
            clients,
            points: &[],
            run: &run,
            busy,
            down_max,
        };
        let all = KindSet::of(&[Kind::Cut, Kind::Reset, Kind::Crash, Kind::Wipe, Kind::DiskSlow]);
        let possible = |ground: Ground<'_>| ground.possible(all);
        let none = NodeSet::default();
        let (crash, slow) = (KindSet::of(&[Kind::Crash]), KindSet::of(&[Kind::DiskSlow]));
        assert_eq!(possible(ground(one, none, 1)), crash.and(slow));
        assert_eq!(possible(ground(one, none, 0)), slow);
        assert_eq!(possible(ground(NodeSet(3), none, 0)), slow.with(Kind::Reset));
        assert_eq!(possible(ground(NodeSet(3), none, 1)), all.without(Kind::Wipe));
        assert_eq!(possible(ground(none, one, 1)), KindSet::NONE);
    }
}
