//! What is simpler than a line: shorter, rounder, fewer. Every candidate is strictly simpler by a measure that cannot
//! fall for ever, so passes over values end.

use crate::actor::Actor;
use crate::check::Scenario;
use crate::choose::{Decision, Site};
use crate::fault::{ClockTrouble, DiskTrouble, Fault, FaultLine, LinkTrouble, NodeSet, Path, When};
use crate::nemesis::Run;
use crate::time::Span;
use crate::world::ENGINE_SITES;

/// Spans that read well, from short to long.
const LADDER: [Span; 13] = [
    Span::ms(1),
    Span::ms(2),
    Span::ms(5),
    Span::ms(10),
    Span::ms(20),
    Span::ms(50),
    Span::ms(100),
    Span::ms(200),
    Span::ms(500),
    Span::secs(1),
    Span::secs(2),
    Span::secs(5),
    Span::secs(10),
];
const FACTORS: [u32; 5] = [2, 10, 100, 1_000, 10_000];
const RATES: [i32; 4] = [100, 1_000, 10_000, 100_000];

/// Simpler lines instead of this one, simplest first.
pub(super) fn simpler_faults(line: &FaultLine) -> Vec<FaultLine> {
    let mut simpler = Vec::new();
    simpler.extend(simpler_whens(line.when).into_iter().map(|when| FaultLine { when, ..*line }));
    let shorter = LADDER.into_iter().filter(|span| *span < line.fault.span());
    let mut faults: Vec<Fault> = shorter.map(|span| line.fault.lasting(span)).collect();
    faults.extend(smaller(&line.fault));
    simpler.extend(faults.into_iter().map(|fault| FaultLine { fault, ..*line }));
    simpler
}

fn simpler_whens(when: When) -> Vec<When> {
    match when {
        When::At(span) => {
            let rounder = [1, 2, 3].map(|digits| rounded(span, digits));
            let rounder = rounder.into_iter().filter(|r| digits_of(*r) < digits_of(span));
            rounder.map(When::At).collect()
        }
        When::On { nth, point, node } => {
            let mut earlier: Vec<u32> = vec![1, nth / 2, nth.saturating_sub(1)];
            earlier.retain(|n| (1..nth).contains(n));
            earlier.dedup();
            earlier.into_iter().map(|nth| When::On { nth, point, node }).collect()
        }
    }
}

fn smaller(fault: &Fault) -> Vec<Fault> {
    let factors = |factor: u32| FACTORS.into_iter().filter(move |f| *f < factor);
    match *fault {
        Fault::Slow(node, factor, span) => {
            factors(factor).map(|f| Fault::Slow(node, f, span)).collect()
        }
        Fault::Disk(DiskTrouble::Slow(factor), node, span) => {
            factors(factor).map(|f| Fault::Disk(DiskTrouble::Slow(f), node, span)).collect()
        }
        Fault::Link(trouble, path, span) => {
            let mut smaller: Vec<Fault> =
                fewer_nodes(path).into_iter().map(|p| Fault::Link(trouble, p, span)).collect();
            if let LinkTrouble::Slow(factor) = trouble {
                smaller
                    .extend(factors(factor).map(|f| Fault::Link(LinkTrouble::Slow(f), path, span)));
            }
            smaller
        }
        Fault::Clock(ClockTrouble::Skew(ns), node) => {
            offsets(ns).map(|ns| Fault::Clock(ClockTrouble::Skew(ns), node)).collect()
        }
        Fault::Clock(ClockTrouble::Jump(ns), node) => {
            offsets(ns).map(|ns| Fault::Clock(ClockTrouble::Jump(ns), node)).collect()
        }
        Fault::Clock(ClockTrouble::Drift(ppm, span), node) => {
            let slower = RATES.into_iter().filter(move |r| *r < ppm.abs());
            let drift = |rate: i32| ClockTrouble::Drift(rate * ppm.signum(), span);
            slower.map(|rate| Fault::Clock(drift(rate), node)).collect()
        }
        Fault::Down(..)
        | Fault::Pause(..)
        | Fault::Conn(..)
        | Fault::Connect(..)
        | Fault::Disk(..) => Vec::new(),
    }
}

fn fewer_nodes(path: Path) -> Vec<Path> {
    let without = |set: NodeSet| set.iter().map(move |node| NodeSet(set.0 & !(1 << node.0)));
    let mut fewer = Vec::new();
    if path.from.len() > 1 {
        fewer.extend(without(path.from).map(|from| Path { from, ..path }));
    }
    if path.to.len() > 1 {
        fewer.extend(without(path.to).map(|to| Path { to, ..path }));
    }
    fewer
}

fn offsets(ns: i64) -> impl Iterator<Item = i64> {
    let nearer = LADDER.into_iter().filter_map(|span| i64::try_from(span.0).ok());
    nearer.filter(move |n| *n < ns.saturating_abs()).map(move |n| n * ns.signum())
}

/// The span with only this many leading digits.
fn rounded(span: Span, digits: u32) -> Span {
    let all = span.0.checked_ilog10().map_or(1, |log| log + 1);
    let scale = 10_u64.pow(all.saturating_sub(digits));
    Span(span.0 / scale * scale)
}

/// How many digits there are before the zeros at the end.
fn digits_of(span: Span) -> u32 {
    let mut rest = span.0;
    while rest != 0 && rest.is_multiple_of(10) {
        rest /= 10;
    }
    rest.checked_ilog10().map_or(0, |log| log + 1)
}

/// All sites that noise lines of a scenario can name.
pub(super) fn sites<A: Actor>(scenario: &Scenario<A>) -> Vec<&'static Site> {
    ENGINE_SITES.iter().chain(scenario.site_list).copied().collect()
}

/// Outcomes that are a shorter delay than this one, shortest first.
pub(super) fn simpler_outcomes(sites: &[&Site], decision: Decision) -> Vec<u32> {
    let Some(site) = sites.iter().find(|site| site.id == decision.site) else { return Vec::new() };
    let span = |outcome: u32| {
        let name = site.outcomes.get(usize::try_from(outcome.checked_sub(1)?).ok()?)?;
        Span::parse(name.trim_start_matches(['+', '-'])).ok()
    };
    let Some(present) = span(decision.outcome) else { return Vec::new() };
    let mut shorter: Vec<(Span, u32)> = (1_u32..)
        .take(site.outcomes.len())
        .filter_map(|outcome| Some((span(outcome)?, outcome)))
        .filter(|(span, _)| *span < present)
        .collect();
    shorter.sort_unstable();
    shorter.into_iter().map(|(_, outcome)| outcome).collect()
}

/// Sets one of the engine's numbers to that of another run.
type SetNumber = fn(&mut Run, &Run);

/// Each number of the engine, set alone.
pub(super) const RUN_NUMBERS: [SetNumber; 17] = [
    |run, base| run.horizon = base.horizon,
    |run, base| run.start = base.start,
    |run, base| run.latency = base.latency,
    |run, base| run.spread = base.spread,
    |run, base| run.local = base.local,
    |run, base| run.disk = base.disk,
    |run, base| run.think = base.think,
    |run, base| run.calm = base.calm,
    |run, base| run.quiet = base.quiet,
    |run, base| run.restart = base.restart,
    |run, base| run.grace = base.grace,
    |run, base| run.steps_max = base.steps_max,
    |run, base| run.sector = base.sector,
    |run, base| run.capacity = base.capacity,
    |run, base| run.buffer = base.buffer,
    |run, base| run.fragile = base.fragile,
    |run, base| run.fragile_files = base.fragile_files,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::NodeId;

    #[test]
    fn every_simpler_line_is_simpler_by_a_measure_that_ends() {
        let (n0, n1) = (NodeId(0), NodeId(1));
        let both =
            Path { from: NodeSet::one(n0).with(n1), to: NodeSet::one(NodeId(2)), both: true };
        let at = When::At(Span::ns(40_123_456));
        let on = When::On { nth: 7, point: 0, node: n0 };
        let faults = [
            Fault::Pause(n0, Span::ms(7)),
            Fault::Slow(n0, 50, Span::ms(7)),
            Fault::Link(LinkTrouble::Cut, both, Span::us(3)),
            Fault::Clock(ClockTrouble::Jump(-5_000_000), n0),
            Fault::Clock(ClockTrouble::Drift(-250, Span::ms(1)), n1),
        ];
        for line in
            faults.into_iter().flat_map(|fault| [at, on].map(|when| FaultLine { when, fault }))
        {
            // Following always the last candidate is the longest way down.
            let (mut now, mut rounds) = (line, 0);
            while let Some(simpler) = simpler_faults(&now).pop() {
                assert_ne!(simpler, now);
                assert_eq!(simpler.fault.kind(), line.fault.kind());
                (now, rounds) = (simpler, rounds + 1);
                assert!(rounds < 100, "{line:?} gets simpler without end");
            }
        }
    }

    #[test]
    fn every_number_of_the_engine_can_be_set_alone() {
        let base = Run::DEFAULT;
        let other = Run {
            start: crate::time::Time(7),
            latency: Span(7),
            spread: Span(7),
            local: Span(7),
            disk: Span(7),
            think: Span(7),
            calm: Span(7),
            horizon: Span(7),
            quiet: Span(7),
            restart: Span(7),
            grace: Span(7),
            steps_max: 7,
            sector: 7,
            capacity: 7,
            buffer: 7,
            fragile: NodeSet(7),
            fragile_files: crate::disk::ClassSet(7),
        };
        let mut all = other;
        for set in RUN_NUMBERS {
            let (mut one, before) = (other, all);
            set(&mut one, &base);
            set(&mut all, &base);
            assert!(one != other && all != before, "each sets one that no other sets");
        }
        assert_eq!(all, base);
    }

    #[test]
    fn times_are_rounded_to_their_first_digits() {
        assert_eq!(rounded(Span::ns(40_123_456), 1), Span::ms(40));
        assert_eq!(rounded(Span::ns(45_123_456), 2), Span::ms(45));
        assert_eq!(rounded(Span(0), 1), Span(0));
        assert_eq!(digits_of(Span::ms(40)), 1);
        assert_eq!(digits_of(Span::ns(101)), 3);
    }

    #[test]
    fn a_delay_has_the_shorter_delays_of_its_site_as_candidates() {
        let site = &crate::world::THINK;
        let of =
            |outcome| Decision { site: site.id, key: crate::choose::Key::own(0, 1, 0, 1), outcome };
        let all = simpler_outcomes(&[site], of(5));
        assert_eq!(all, [1, 2, 3, 4]);
        assert!(simpler_outcomes(&[site], of(1)).is_empty());
    }
}
