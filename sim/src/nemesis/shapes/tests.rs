use super::*;
use crate::actor::Point;
use crate::choose::Purpose;
use crate::fault::NodeSet;
use crate::nemesis::Run;

const POINTS: &[Point] = &[Point { index: 3, name: "here" }];
const DRAWS: u64 = 2_000;
/// What the lines of a burst, and a fault after a boot, are apart at most.
const SOON: u64 = 10 * Run::DEFAULT.latency.0 + 1_000;

fn ground(run: &Run) -> Ground<'_> {
    Ground {
        servers: NodeSet(0b111),
        clients: NodeSet(0b11000),
        points: POINTS,
        run,
        busy: Span::ms(100),
        down_max: 1,
    }
}

fn plans(kinds: &[Kind]) -> impl Iterator<Item = Vec<FaultLine>> {
    let kinds = KindSet::of(kinds);
    (0..DRAWS).map(move |seed| {
        let mut draw = Draw::new(seed, Purpose::Faults);
        draw_faults(&ground(&Run::DEFAULT), kinds, 10, &mut draw)
    })
}

/// The lines with a time: when, until when, and what.
fn timed(lines: &[FaultLine]) -> Vec<(u64, u64, Fault)> {
    let at = |line: &FaultLine| match line.when {
        When::At(at) => Some((at.0, at.0 + line.fault.span().0, line.fault)),
        When::On { .. } => None,
    };
    lines.iter().filter_map(at).collect()
}

fn pairs<T: Copy>(of: &[T]) -> impl Iterator<Item = (T, T)> + '_ {
    of.iter().enumerate().flat_map(|(i, one)| of[i + 1..].iter().map(|other| (*one, *other)))
}

/// In how many of the plans this is found, in percent.
fn percent(kinds: &[Kind], found: impl Fn(&[FaultLine]) -> bool) -> u64 {
    plans(kinds).filter(|lines| found(lines)).count() as u64 * 100 / DRAWS
}

#[test]
fn servers_go_down_again_while_they_recover() {
    let share = percent(&[Kind::Crash, Kind::Kill, Kind::Drift], |lines| {
        pairs(&timed(lines)).any(|((_, until, one), (at, _, other))| {
            let down = matches!(one, Fault::Down(..)) && one.nodes() == other.nodes();
            down && (until..until + SOON).contains(&at)
        })
    });
    assert!((15..60).contains(&share), "{share} %");
}

#[test]
fn cuts_heal_in_another_order_than_they_began() {
    let share = percent(&[Kind::Cut, Kind::Clog], |lines| {
        pairs(&timed(lines)).any(|((from, until, _), (later, healed, _))| {
            from < later && later < healed && healed < until
        })
    });
    assert!((15..60).contains(&share), "{share} %");
}

#[test]
fn calm_is_followed_by_bursts() {
    let share = percent(&[Kind::DiskSlow, Kind::Pause], |lines| {
        timed(lines).windows(3).any(|w| w[2].0 - w[0].0 < 2 * SOON)
    });
    assert!((15..60).contains(&share), "{share} %");
}

#[test]
fn faults_strike_at_points_mostly_at_an_early_occurrence() {
    let kinds = [Kind::Crash, Kind::SyncErrors];
    let on = |line: &FaultLine, most| matches!(line.when, When::On { nth, point: 3, node } if nth <= most && node.0 < 3);
    let share = percent(&kinds, |lines| lines.iter().any(|line| on(line, 50)));
    let early = percent(&kinds, |lines| lines.iter().any(|line| on(line, 2)));
    assert!((40..80).contains(&share) && early > share / 2, "{share} %, {early} % early");
}

#[test]
fn some_faults_come_after_the_last_operation() {
    let share =
        percent(&[Kind::Crash], |lines| timed(lines).iter().any(|(at, ..)| *at > Span::ms(100).0));
    assert!((10..60).contains(&share), "{share} %");
}

#[test]
fn most_plans_have_few_lines_and_none_has_too_many() {
    let mut sizes = [0; 11];
    plans(&[Kind::Crash, Kind::Cut]).for_each(|lines| sizes[lines.len()] += 1);
    assert_eq!(sizes[0], 0, "nothing else bites");
    assert!(sizes[1] + sizes[2] + sizes[3] > DRAWS / 2 && sizes[10] > DRAWS / 20, "{sizes:?}");
    let few = percent(&[Kind::Crash, Kind::Drop], <[FaultLine]>::is_empty);
    assert!((8..18).contains(&few), "noise alone in {few} %");
}

#[test]
fn lines_stand_in_the_order_of_their_times_and_skew_at_the_start() {
    for lines in plans(&[Kind::Skew, Kind::Jump, Kind::Crash]) {
        let at = |line: &FaultLine| match line.when {
            When::At(at) => (false, at),
            When::On { .. } => (true, Span(0)),
        };
        assert!(lines.is_sorted_by_key(at));
        for line in &lines {
            let start = line.when == When::At(Span(0));
            assert_eq!(line.fault.kind() == Kind::Skew, start, "{line:?}");
        }
    }
}

#[test]
fn only_skew_is_possible_too() {
    for lines in plans(&[Kind::Skew]) {
        assert!(!lines.is_empty() && lines.iter().all(|l| l.fault.kind() == Kind::Skew));
    }
}

#[test]
fn the_control_arm_has_each_kind_once_and_spreads_what_finds_no_room() {
    let kinds = KindSet::of(&[Kind::Crash, Kind::Skew, Kind::Pause, Kind::Cut, Kind::Drop]);
    let mut times = [0; Kind::CATALOGUE.len()];
    for seed in 0..DRAWS {
        let mut draw = Draw::new(seed, Purpose::Faults);
        let all = sprinkle_evenly(&ground(&Run::DEFAULT), kinds, 10, &mut draw);
        let seen = all.iter().fold(KindSet::NONE, |set, line| set.with(line.fault.kind()));
        assert_eq!((all.len(), seen), (4, kinds.without(Kind::Drop)));
        for line in sprinkle_evenly(&ground(&Run::DEFAULT), kinds, 2, &mut draw) {
            times[line.fault.kind() as usize] += 1;
        }
    }
    for kind in [Kind::Crash, Kind::Skew, Kind::Pause, Kind::Cut] {
        assert!((DRAWS * 2 / 5..DRAWS * 3 / 5).contains(&times[kind as usize]), "{times:?}");
    }
}
