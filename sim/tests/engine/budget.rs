//! The budget: what it refuses, and a count over traces of how many servers were really away.

use crate::probe::busy::{BUSY, FAILING};
use crate::probe::lab::Lab;
use crate::probe::{PICK, POINTS, Probe};
use seedbed_sim::actor::Names;
use seedbed_sim::choose::{Draw, Purpose};
use seedbed_sim::engine::{Native, Options};
use seedbed_sim::fault::{Death, Fault, FaultLine, Kind, LinkTrouble, NodeSet, Path, When};
use seedbed_sim::id::NodeId;
use seedbed_sim::nemesis::Plan;
use seedbed_sim::time::{Span, Time};

fn servers(n: usize, down_max: u32) -> Lab {
    let mut lab = (0..n).fold(Lab::new(), |lab, _| lab.server(vec![]));
    lab.plan.down_max = down_max;
    lab
}

/// The fault lines that struck and those that were refused, in the order in which they came up.
fn struck(lab: &Lab) -> String {
    let trace = lab.trace();
    let lines =
        trace.lines().zip(trace.lines().skip(1)).filter(|(line, _)| line.ends_with(" fault"));
    let verb = |fault: &str| {
        let words: Vec<&str> = fault.trim_start().split(' ').skip(1).take(2).collect();
        let refused = if fault.ends_with(": refused by the budget") { "no " } else { "" };
        format!("{refused}{}", words.join(" "))
    };
    lines.map(|(_, fault)| verb(fault)).collect::<Vec<_>>().join(", ")
}

#[test]
fn a_fault_that_would_take_one_server_too_many_is_refused_and_that_is_a_step() {
    let lab = servers(3, 1)
        .fault("at 1ms: crash n0 for 5ms")
        .fault("at 2ms: pause n1 for 1ms")
        .fault("at 3ms: kill n0 for 9ms")
        .fault("at 6000001ns: stop n1 for 1ms")
        .fault("at 7ms: crash n2 for 1ms");
    let lab = lab.run();
    assert_eq!(struck(&lab), "crash n0, no pause n1, kill n0, stop n1, no crash n2");
    assert!(lab.world.unused().1.is_empty(), "refused is not unused");
    assert_eq!(lab.world.seen(Kind::Pause), 0);
}

#[test]
fn a_cut_counts_its_smaller_side_and_a_crash_does_not_end_it() {
    let lab = servers(5, 2)
        .fault("at 1ms: cut n0,n1 from n2,n3,n4 for 50ms")
        .fault("at 2ms: crash n0 for 1ms")
        .fault("at 3ms: kill n1 for 1ms")
        .fault("at 10ms: crash n2 for 1ms")
        .fault("at 52ms: crash n2 for 1ms");
    assert_eq!(struck(&lab.run()), "cut n0,n1, crash n0, kill n1, no crash n2, crash n2");
    let one_way = servers(3, 1)
        .fault("at 1ms: clog n1,n2 to n0 for 9ms")
        .fault("at 2ms: crash n1 for 1ms")
        .fault("at 3ms: crash n0 for 1ms");
    assert_eq!(struck(&one_way.run()), "clog n1,n2, no crash n1, crash n0");
}

#[test]
fn a_pause_that_a_crash_ends_is_over_for_the_budget_too() {
    let lab = servers(2, 1)
        .fault("at 1ms: pause n0 for 90ms")
        .fault("at 2ms: crash n0 for 1ms")
        .fault("at 4ms: crash n1 for 1ms");
    assert_eq!(struck(&lab.run()), "pause n0, crash n0, crash n1");
}

#[test]
fn what_makes_nobody_unavailable_is_never_refused() {
    let lab = servers(2, 0)
        .client(vec![], &[])
        .fault("at 1ms: crash n0 for 5ms")
        .fault("at 2ms: slow n0 x9 for 9ms")
        .fault("at 3ms: slow-link n0 from n1 x9 for 9ms")
        .fault("at 4ms: cut c0 from n0,n1 for 9ms")
        .fault("at 5ms: jump n0 +9ms")
        .fault("at 6ms: disk-full n0 for 9ms");
    let expected = "no crash n0, slow n0, slow-link n0, cut c0, jump n0, disk-full n0";
    assert_eq!(struck(&lab.run()), expected);
}

#[test]
fn nothing_strikes_after_the_heal_and_what_has_not_struck_is_unused() {
    let mut lab = servers(2, 2).fault("at 1ms: crash n0 for 1ms").fault("at 9ms: crash n0 for 1ms");
    lab.reset();
    lab.go_on(Span::ms(5));
    lab.world.heal();
    lab.go_on(Span::secs(1));
    assert_eq!(struck(&lab), "crash n0");
    assert_eq!(lab.world.unused().1, [1]);
}

#[test]
fn only_nodes_that_are_given_up_have_their_bytes_damaged_or_their_disk_wiped() {
    let mut native = Native::new(&BUSY);
    let (mut damaged, mut wiped) = (0, 0);
    for seed in 0..300 {
        let mut plan = BUSY.expand(seed);
        plan.run.fragile = NodeSet::one(NodeId(0));
        // Wipes for everybody, and as much damage as the odds allow.
        let wipe = |node| Fault::Down(Death::Wipe, NodeId(node), Span::ms(1));
        plan.faults = (0..2)
            .map(|node| FaultLine { when: When::At(Span::ms(30)), fault: wipe(node) })
            .collect();
        plan.odds.retain(|(site, _)| *site != seedbed_sim::disk::DISK.id);
        let odds = seedbed_sim::choose::Odds::new(&[2, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
        plan.odds.push((seedbed_sim::disk::DISK.id, odds));
        let report = native.run(&plan, Options::default());
        let world = &native.simulation().world;
        let seen = |node| *world.disk(NodeId(node)).seen();
        damaged += seen(0).misdirected + seen(0).rotted;
        wiped += report.seen[Kind::Wipe as usize];
        for node in 1..plan.config.get("servers").try_into().expect("few servers") {
            assert_eq!((seen(node).misdirected, seen(node).rotted), (0, 0), "seed {seed}");
        }
        assert!(report.seen[Kind::Wipe as usize] <= 1, "seed {seed}");
    }
    assert!(damaged > 100 && wiped > 200, "{damaged} damaged, {wiped} wiped");
}

/// Faults that ask for far more than the budget grants.
fn wild(plan: &Plan<Probe>, draw: &mut Draw) -> Vec<FaultLine> {
    let servers = plan.config.get("servers");
    let some = |draw: &mut Draw| NodeSet(draw.range(1, (1 << servers) - 1));
    let fault = |draw: &mut Draw| {
        let node = NodeId(u16::try_from(draw.below(servers)).expect("few servers"));
        let span = Span::us(draw.range(1, 40_000));
        match draw.below(8) {
            0 => Fault::Down(Death::Crash, node, span),
            1 => Fault::Down(Death::Kill, node, span),
            2 => Fault::Down(Death::Stop, node, span),
            3 | 4 => Fault::Pause(node, span),
            n => {
                let trouble = if n == 5 { LinkTrouble::Clog } else { LinkTrouble::Cut };
                let from = some(draw);
                let to = NodeSet(some(draw).0 & !from.0);
                Fault::Link(trouble, Path { from, to, both: draw.chance(1, 2) }, span)
            }
        }
    };
    let line = |draw: &mut Draw| {
        let when = if draw.chance(1, 3) {
            let (nth, point) =
                (u32::try_from(draw.range(1, 6)).expect("small"), *draw.pick(&[0, 1]));
            let node = NodeId(u16::try_from(draw.below(servers)).expect("few servers"));
            When::On { nth, point, node }
        } else {
            When::At(Span::us(draw.range(1, 90_000)))
        };
        FaultLine { when, fault: fault(draw) }
    };
    (0..draw.range(5, 25)).map(|_| line(draw)).collect()
}

/// What a trace says about who is there: rebuilt from its lines alone.
struct Count<'a> {
    names: &'a Names,
    servers: NodeSet,
    down: NodeSet,
    paused_until: Vec<Time>,
    /// By pair of nodes, one way.
    held_until: Vec<Vec<Time>>,
    worst: u32,
    refused: u32,
    /// Servers that have ended themselves, and those of them that were back at once.
    ended: [u32; 2],
}

impl Count<'_> {
    /// Whether two servers reach each other.
    fn linked(&self, one: NodeId, other: NodeId, at: Time) -> bool {
        let (one, other) = (usize::from(one.0), usize::from(other.0));
        self.held_until[one][other] <= at && self.held_until[other][one] <= at
    }

    /// How many servers are missing from the largest group of which all run and all reach each other.
    fn away(&self, at: Time) -> u32 {
        let runs =
            |node: NodeId| !self.down.has(node) && self.paused_until[usize::from(node.0)] <= at;
        let healthy = |group: &NodeSet| {
            group
                .iter()
                .all(|one| runs(one) && group.iter().all(|other| self.linked(one, other, at)))
        };
        let groups = (0..=self.servers.0).map(NodeSet).filter(healthy);
        self.servers.len() - groups.map(NodeSet::len).max().unwrap_or(0)
    }

    /// Takes in a fault that struck.
    fn fault(&mut self, text: &str, at: Time) {
        match Fault::parse(text, self.names).expect("a fault") {
            // A clean stop takes its time; the trace says when the node is down.
            Fault::Down(Death::Stop, ..) => {}
            Fault::Down(_, node, _) => self.goes_down(node, at),
            Fault::Pause(node, span) if !self.down.has(node) => {
                let until = &mut self.paused_until[usize::from(node.0)];
                *until = (*until).max(at + span);
            }
            Fault::Link(LinkTrouble::Cut | LinkTrouble::Clog, path, span) => {
                for (from, to) in path.from.iter().flat_map(|f| path.to.iter().map(move |t| (f, t)))
                {
                    for (from, to) in
                        [(from, to), (to, from)].into_iter().take(1 + usize::from(path.both))
                    {
                        let held = &mut self.held_until[usize::from(from.0)][usize::from(to.0)];
                        *held = (*held).max(at + span);
                    }
                }
            }
            _ => {}
        }
        self.look(at);
    }

    fn goes_down(&mut self, node: NodeId, at: Time) {
        self.down = self.down.with(node);
        self.paused_until[usize::from(node.0)] = Time(0);
        self.look(at);
    }

    /// Between two of these moments it only gets better.
    fn look(&mut self, at: Time) {
        self.worst = self.worst.max(self.away(at));
    }
}

/// Counts over the trace of a run, up to its heal.
fn recount<'a>(trace: &[String], names: &'a Names, servers: NodeSet) -> Count<'a> {
    let nodes = names.nodes.len();
    let mut count = Count {
        names,
        servers,
        down: NodeSet::default(),
        paused_until: vec![Time(0); nodes],
        held_until: vec![vec![Time(0); nodes]; nodes],
        worst: 0,
        refused: 0,
        ended: [0; 2],
    };
    let (mut at, mut node, mut left) = (Time(0), NodeId(0), vec![0; nodes]);
    for line in trace {
        let words: Vec<&str> = line.split_whitespace().collect();
        if words[0] != "+" {
            let (secs, nanos) = words[1].split_once('.').expect("a time");
            let parse = |digits: &str| digits.parse::<u64>().expect("digits");
            at = Time(parse(secs) * 1_000_000_000 + parse(nanos));
            if let Some(column) = words[2].find('*') {
                node = NodeId(u16::try_from(column).expect("few nodes"));
            }
            if words[3] == "heal" {
                return count;
            }
            match words[3..].join(" ").split(" <-").next() {
                Some("restart") => {
                    count.down = NodeSet(count.down.0 & !NodeSet::one(node).0);
                    left[usize::from(node.0)] = 0;
                }
                Some("the grace of the stop is over") => count.goes_down(node, at),
                _ => {}
            }
        } else if words[1] == "fail-stop:" {
            let at_once = line.ends_with("(back at once: refused by the budget)");
            count.ended[usize::from(at_once)] += 1;
            if !at_once {
                count.goes_down(node, at);
            }
        } else if words[1] == "stopped" {
            // Three probes live on each server node; it goes down when the last one has stopped.
            left[usize::from(node.0)] += 1;
            if left[usize::from(node.0)] == 3 {
                count.goes_down(node, at);
            }
        } else if let Ok(fault) = Fault::parse(&words[1..].join(" "), names) {
            count.fault(&fault.print(names), at);
        } else if line.ends_with(": refused by the budget") {
            count.refused += 1;
        }
    }
    panic!("a trace without a heal");
}

#[test]
fn never_more_servers_are_away_than_the_budget_says() {
    let mut native = Native::new(&FAILING);
    let (mut reached, mut refused, mut ended) = (0, 0, [0; 2]);
    for seed in 0..400 {
        let mut plan = FAILING.expand(seed);
        plan.faults = wild(&plan, &mut Draw::new(seed, Purpose::Faults));
        plan.down_max = u32::try_from(seed % 3).expect("small");
        plan.run.grace = Span::ms(4);
        let report = native.run(&plan, Options { trace: Some(usize::MAX), ..Options::default() });
        let topology = (FAILING.topology)(&plan.config);
        let names = topology.names(POINTS, &[&PICK]);
        let Count { worst, refused: no, ended: ends, .. } =
            recount(&report.trace, &names, topology.servers());
        assert!(worst <= plan.down_max, "seed {seed}: {worst} away, {} allowed", plan.down_max);
        reached += u32::from(worst == plan.down_max && worst > 0);
        refused += no;
        ended = [ended[0] + ends[0], ended[1] + ends[1]];
    }
    assert!(reached > 200 && refused > 2_000, "{reached} reached it, {refused} were refused");
    assert!(ended[0] > 20 && ended[1] > 20, "{ended:?} ended themselves");
}

#[test]
fn plans_as_they_are_drawn_stay_within_their_budget() {
    let mut native = Native::new(&FAILING);
    for seed in 0..300 {
        let plan = FAILING.expand(seed);
        let report = native.run(&plan, Options { trace: Some(usize::MAX), ..Options::default() });
        let topology = (FAILING.topology)(&plan.config);
        let names = topology.names(POINTS, &[&PICK]);
        let worst = recount(&report.trace, &names, topology.servers()).worst;
        assert!(worst <= plan.down_max, "seed {seed}: {worst} away, {} allowed", plan.down_max);
    }
}

#[test]
fn the_count_sees_what_the_budget_would_have_to_refuse() {
    let mut native = Native::new(&FAILING);
    let over = (0..100).filter(|seed| {
        let mut plan = FAILING.expand(*seed);
        plan.faults = wild(&plan, &mut Draw::new(*seed, Purpose::Faults));
        plan.down_max = 64;
        let report = native.run(&plan, Options { trace: Some(usize::MAX), ..Options::default() });
        let topology = (FAILING.topology)(&plan.config);
        recount(&report.trace, &topology.names(POINTS, &[&PICK]), topology.servers()).worst > 1
    });
    assert!(over.count() > 50, "without a budget more than one server is away at once");
}
