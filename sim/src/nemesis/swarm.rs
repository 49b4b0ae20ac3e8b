//! What is drawn for a plan as a whole: which kinds are on, which nodes are given up, how fast the world is.

use super::plan::Run;
use crate::choose::Draw;
use crate::disk::ClassSet;
use crate::fault::{Kind, KindSet, NodeSet};
use crate::id::NodeId;
use crate::time::{Span, Time};

/// Kinds that make timing unusual and break nothing.
const MILD: KindSet =
    KindSet::of(&[Kind::Kept, Kind::Schedule, Kind::Tie, Kind::Waiter, Kind::Think]);

/// Kinds that lose or damage what is durable: only nodes that the budget gives up have them.
const DAMAGE: KindSet = KindSet::of(&[Kind::Wipe, Kind::Misdirect, Kind::Rot]);

/// Those of them that damage one file.
const BYTES: KindSet = DAMAGE.without(Kind::Wipe);

/// Of 16 plans: with exactly one kind, with all, and with each at even chance.
const MODES: [u32; 3] = [2, 1, 13];

/// The kinds that are on, out of those that the budget allows: each is fully off in about half of the plans, since trouble
/// of one kind often hides that of another.
pub fn draw_swarm(allowed: KindSet, draw: &mut Draw) -> KindSet {
    let biting = allowed.minus(MILD);
    let (mode, coins) = (draw.weighted(&MODES), draw.word());
    let one = draw_kind(if biting.is_empty() { allowed } else { biting }, draw);
    let one = one.map_or(KindSet::NONE, |kind| KindSet::of(&[kind]));
    match mode {
        0 => one,
        1 => allowed,
        // A plan without any trouble tells nothing.
        _ => match allowed.masked(coins) {
            some if some.both(biting).is_empty() => some.and(one),
            some => some,
        },
    }
}

/// Whether any of these breaks something, rather than make timing unusual.
pub(super) fn bites(kinds: KindSet) -> bool {
    !kinds.minus(MILD).is_empty()
}

/// One of the kinds; none if there are none.
pub(super) fn draw_kind(kinds: KindSet, draw: &mut Draw) -> Option<Kind> {
    kinds.nth(draw.index(kinds.len() as usize))
}

/// One of the nodes.
///
/// # Panics
/// If there are none.
pub(super) fn draw_node(nodes: NodeSet, draw: &mut Draw) -> NodeId {
    let index = draw.index(nodes.len() as usize);
    nodes.iter().nth(index).expect("nodes to draw from")
}

/// The servers that the budget gives up: at least one and at most `most`, if any kind that is on does damage.
pub fn draw_fragile(kinds: KindSet, servers: NodeSet, most: u32, draw: &mut Draw) -> NodeSet {
    let most = most.min(servers.len());
    if kinds.both(DAMAGE).is_empty() || most == 0 {
        return NodeSet::default();
    }
    let (mut left, mut fragile) = (servers, NodeSet::default());
    for _ in 0..draw.range(1, u64::from(most)) {
        let node = draw_node(left, draw);
        left = NodeSet(left.0 & !NodeSet::one(node).0);
        fragile = fragile.with(node);
    }
    fragile
}

/// The classes of files that the budget gives up on its fragile nodes, out of so many: at least one, if any kind that is
/// on does damage. Each choice is as likely as any other.
pub fn draw_fragile_files(kinds: KindSet, classes: usize, draw: &mut Draw) -> ClassSet {
    let all = ClassSet::all(classes);
    if kinds.both(DAMAGE).is_empty() || classes == 0 {
        ClassSet::default()
    } else if kinds.both(BYTES).is_empty() {
        // A wipe is of a whole disk.
        all
    } else {
        ClassSet(draw.range(1, all.0))
    }
}

/// The kinds without damage, if no node is given up to it.
#[must_use]
pub fn without_damage(kinds: KindSet, run: &Run) -> KindSet {
    if run.fragile.is_empty() { kinds.minus(DAMAGE) } else { kinds }
}

/// The numbers of the engine before a scenario has tuned them: mostly the usual ones, since models have constants of their
/// own that stand in some relation to them.
pub fn draw_run(draw: &mut Draw) -> Run {
    let default = Run::DEFAULT;
    // Whole milliseconds, from one second to a thousand: never 0, and rarely a round number of seconds.
    let start = Time(draw.range(1_000, 1_000_000) * 1_000_000);
    let usual = draw.chance(1, 2);
    let mut scale = |usually: Span, others: [Span; 3]| {
        let drawn = [usually, usually, usually, others[0], others[1], others[2]];
        let drawn = *draw.pick(&drawn);
        if usual { usually } else { drawn }
    };
    Run {
        start,
        latency: scale(default.latency, [Span::us(200), Span::us(500), Span::ms(3)]),
        spread: scale(default.spread, [Span::us(50), Span::us(300), Span::ms(1)]),
        local: scale(default.local, [Span::us(2), Span::us(5), Span::us(20)]),
        disk: scale(default.disk, [Span::us(10), Span::us(500), Span::ms(2)]),
        think: scale(default.think, [Span::us(10), Span::us(200), Span::ms(5)]),
        ..default
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choose::Purpose;

    fn draws() -> impl Iterator<Item = Draw> {
        (0..4_000).map(|seed| Draw::new(seed, Purpose::Faults))
    }

    #[test]
    fn each_kind_is_off_in_about_half_of_the_plans_and_no_plan_is_without_trouble() {
        let allowed = Kind::CATALOGUE.iter().fold(KindSet::NONE, |set, (kind, ..)| set.with(*kind));
        let (mut on, mut single, mut everything) = ([0; 48], 0, 0);
        for mut draw in draws() {
            let kinds = draw_swarm(allowed, &mut draw);
            kinds.iter().for_each(|kind| on[kind as usize] += 1);
            single += u32::from(kinds.len() == 1);
            everything += u32::from(kinds == allowed);
            assert!(bites(kinds));
        }
        for (times, (_, name, _)) in on.iter().zip(Kind::CATALOGUE) {
            assert!((1_700..2_300).contains(times), "{name} was on {times} times of 4000");
        }
        assert!((400..600).contains(&single) && (200..320).contains(&everything));
    }

    #[test]
    fn a_swarm_stays_within_what_is_allowed() {
        let allowed = KindSet::of(&[Kind::Tie, Kind::Crash]);
        for mut draw in draws() {
            let kinds = draw_swarm(allowed, &mut draw);
            assert!(kinds.minus(allowed).is_empty() && kinds.has(Kind::Crash));
            assert!(draw_swarm(KindSet::NONE, &mut draw).is_empty());
        }
    }

    #[test]
    fn only_damage_makes_nodes_fragile_and_never_too_many() {
        let servers = NodeSet(0b1_1010);
        let mut sizes = [0; 3];
        for mut draw in draws() {
            let fragile = draw_fragile(KindSet::of(&[Kind::Rot]), servers, 2, &mut draw);
            assert_eq!(fragile.0 & !servers.0, 0);
            sizes[fragile.len() as usize] += 1;
            let crash = KindSet::of(&[Kind::Crash]);
            assert!(draw_fragile(crash, servers, 2, &mut draw).is_empty());
        }
        assert!(sizes[0] == 0 && sizes[1] > 1_800 && sizes[2] > 1_800, "{sizes:?}");
    }

    #[test]
    fn only_damage_makes_classes_of_files_fragile_and_each_choice_comes_up() {
        let mut drawn = [0; 8];
        for mut draw in draws() {
            let some = draw_fragile_files(KindSet::of(&[Kind::Rot, Kind::Wipe]), 3, &mut draw);
            drawn[usize::try_from(some.0).expect("three classes")] += 1;
            let (crash, wipe) = (KindSet::of(&[Kind::Crash]), KindSet::of(&[Kind::Wipe]));
            assert!(draw_fragile_files(crash, 3, &mut draw).is_empty());
            assert_eq!(draw_fragile_files(wipe, 3, &mut draw), ClassSet::all(3));
            assert!(draw_fragile_files(wipe, 0, &mut draw).is_empty());
        }
        assert!(drawn[0] == 0 && drawn[1..].iter().all(|n| *n > 450), "{drawn:?}");
    }

    #[test]
    fn a_run_starts_at_a_drawn_instant_and_half_of_them_are_usual() {
        let mut usual = 0;
        for mut draw in draws() {
            let run = draw_run(&mut draw);
            assert!((1_000_000_000..=1_000_000_000_000).contains(&run.start.0));
            usual += u32::from(Run { start: Run::DEFAULT.start, ..run } == Run::DEFAULT);
        }
        assert!((2_000..2_700).contains(&usual), "{usual} of 4000");
    }
}
