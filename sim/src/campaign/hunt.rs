//! Hunts: how many runs it takes to find a planted bug, in disjoint windows of seeds, beside a control arm.
//!
//! In each window the scenarios of the bug's model take turns: run `i` is seed `i / k` of scenario `i % k`. A find counts
//! if it breaks the promise that the bug names, and the same plan passes with the bug off.

use super::clock::Stopwatch;
use super::jobs::available;
use super::registry::Planted;
use super::runner::{Arm, Runner, Session, Setting};
use super::shrink::{Limit, Shrinking, Size};
use super::signature::Signature;
use crate::engine::{Options, Verdict};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Window `w` begins at this many times `w`.
pub const WINDOW: u64 = 1_000_000_000;
/// How many windows there are, if nothing else is said.
pub const WINDOWS: u32 = 11;
/// What a shrunk seed file of a planted bug may hold.
pub const SMALL: Size = Size { ops: 6, faults: 3, noise: 6, drawn: false };
/// The control arm of a window is given up after this many times the runs of the drawn arm (and at least
/// [`CONTROL_RUNS_MIN`]): that it is worse is clear by then.
const CONTROL_TIMES: u64 = 20;
const CONTROL_RUNS_MIN: u64 = 2_000;
/// How many finds beyond the first are shrunk, at the most, for the sake of a small seed file.
const FURTHER_FINDS: u32 = 40;
/// Runs that a thread takes at once.
const CHUNK: u64 = 16;

/// How to hunt.
#[derive(Clone, Copy, Debug)]
pub struct Hunt<'a> {
    /// How many windows.
    pub windows: u32,
    /// The time for each window and arm.
    pub time: Duration,
    /// How many threads.
    pub jobs: usize,
    /// The most executions of each shrink.
    pub shrink: u32,
    /// Raised to end it.
    pub stop: &'a AtomicBool,
}

impl<'a> Hunt<'a> {
    /// 11 windows of 60 seconds on all threads that there are.
    #[must_use]
    pub fn new(stop: &'a AtomicBool) -> Hunt<'a> {
        let time = Duration::from_secs(60);
        Hunt { windows: WINDOWS, time, jobs: available(), shrink: Limit::EXECUTIONS, stop }
    }
}

/// What came of the windows of one bug.
#[derive(Clone, Debug)]
pub struct Track {
    /// Per window: runs up to and with the find.
    pub runs: Vec<Option<u64>>,
    /// The same of the control arm.
    pub control: Vec<Option<u64>>,
    /// Per window: the time of all threads of the drawn arm.
    pub cpu: Vec<Duration>,
    /// The smallest of the shrunk finds.
    pub best: Option<Catch>,
    /// Plans that break the promise with the bug off too: real findings, not finds.
    pub alarms: Vec<Alarm>,
    /// What went wrong beside.
    pub trouble: Vec<String>,
}

/// A plan that breaks the promise with the bug off too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// The scenario.
    pub scenario: &'static str,
    /// The seed.
    pub seed: u64,
    /// How it grows into the plan.
    pub arm: Arm,
}

/// A shrunk find.
#[derive(Clone, Debug)]
pub struct Catch {
    /// The scenario.
    pub scenario: &'static str,
    /// The seed.
    pub seed: u64,
    /// What shrinking did.
    pub shrunk: Shrinking,
    /// The seed file.
    pub text: String,
}

impl Track {
    /// In how many windows it was found.
    #[must_use]
    pub fn found(&self) -> usize {
        self.runs.iter().flatten().count()
    }

    /// Whether it was found in at least nine of eleven windows, and its seed file is small.
    #[must_use]
    pub fn is_good(&self) -> bool {
        let often = self.found() * 11 >= self.runs.len() * 9 && !self.runs.is_empty();
        often && self.alarms.is_empty() && self.is_small()
    }

    fn is_small(&self) -> bool {
        self.best.as_ref().is_some_and(|catch| {
            let Size { ops, faults, noise, drawn } = catch.shrunk.after;
            ops <= SMALL.ops && faults <= SMALL.faults && noise <= SMALL.noise && !drawn
        })
    }
}

/// The middle one, or the greatest; a window without a find counts as more than any number of runs.
#[must_use]
pub fn median_and_max(runs: &[Option<u64>]) -> (Option<u64>, Option<u64>) {
    let mut sorted: Vec<u64> = runs.iter().map(|n| n.unwrap_or(u64::MAX)).collect();
    sorted.sort_unstable();
    let known = |n: Option<&u64>| n.copied().filter(|n| *n != u64::MAX);
    (known(sorted.get(sorted.len() / 2)), known(sorted.last()))
}

impl Hunt<'_> {
    /// Hunts one bug. `tell` hears about each window.
    pub fn hunt(&self, planted: &Planted<'_>, tell: &mut dyn FnMut(u32, &Track)) -> Track {
        let mut track = Track {
            runs: Vec::new(),
            control: Vec::new(),
            cpu: Vec::new(),
            best: None,
            alarms: Vec::new(),
            trouble: Vec::new(),
        };
        for window in 0..self.windows {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let base = u64::from(window) * WINDOW;
            let drawn = self.search(planted, Arm::Drawn, base, WINDOW);
            track.alarms.extend(drawn.alarms.into_iter().map(|(_, alarm)| alarm));
            track.cpu.push(drawn.busy);
            track.runs.push(drawn.hit.map(|hit| hit + 1));
            if let Some(hit) = drawn.hit {
                self.keep_smaller(planted, base, hit, &mut track);
            }
            let runs_max = (drawn.hit.unwrap_or(drawn.runs) + 1).saturating_mul(CONTROL_TIMES);
            let runs_max = runs_max.max(CONTROL_RUNS_MIN);
            let control = self.search(planted, Arm::Control, base, runs_max);
            track.alarms.extend(control.alarms.into_iter().map(|(_, alarm)| alarm));
            track.control.push(control.hit.map(|hit| hit + 1));
            tell(window, &track);
        }
        self.look_for_smaller(planted, &mut track);
        track
    }

    /// Goes on with the finds that follow the first one, until one of them shrinks to what a seed file may hold: what a
    /// shrink comes to depends on where it began.
    fn look_for_smaller(&self, planted: &Planted<'_>, track: &mut Track) {
        let scenarios = planted.runners.len() as u64;
        let mut base = match track.runs.first().copied().flatten() {
            Some(runs) => (runs - 1) / scenarios + 1,
            None => return,
        };
        for _ in 0..FURTHER_FINDS {
            if track.is_small() || self.stop.load(Ordering::Relaxed) {
                return;
            }
            let Some(hit) = self.search(planted, Arm::Drawn, base, WINDOW).hit else { return };
            self.keep_smaller(planted, base, hit, track);
            base += hit / scenarios + 1;
        }
    }

    /// Shrinks a find and keeps it if it is smaller than what there is.
    fn keep_smaller(&self, planted: &Planted<'_>, base: u64, hit: u64, track: &mut Track) {
        let (runner, seed) = turn(planted, base, hit);
        let limit = Limit { executions: self.shrink, stop: self.stop };
        match shrunk(planted, runner, seed, limit) {
            Ok(catch) => {
                let size = |catch: &Catch| {
                    let Shrinking { after, minimal, .. } = catch.shrunk;
                    let over = after.ops > SMALL.ops
                        || after.faults > SMALL.faults
                        || after.noise > SMALL.noise;
                    (after.drawn, !minimal, over, after.lines())
                };
                if track.best.as_ref().is_none_or(|best| size(&catch) < size(best)) {
                    track.best = Some(catch);
                }
            }
            Err(message) => track.trouble.push(message),
        }
    }

    /// The lowest run that finds the bug.
    fn search(&self, planted: &Planted<'_>, arm: Arm, base: u64, runs_max: u64) -> Searched {
        let search = Search {
            hunt: self,
            planted,
            setting: Setting { arm, bug: Some(planted.bug), ..Setting::default() },
            base,
            runs_max,
            next: AtomicU64::new(0),
            lowest: AtomicU64::new(u64::MAX),
            done: Mutex::new(Searched::default()),
        };
        let window = Stopwatch::start();
        std::thread::scope(|scope| {
            for _ in 0..self.jobs.max(1) {
                scope.spawn(|| search.work(window));
            }
        });
        let mut done = search.done.into_inner().unwrap_or_else(PoisonError::into_inner);
        let lowest = search.lowest.into_inner();
        done.hit = (lowest != u64::MAX).then_some(lowest);
        // What lies behind the lowest find is run or not, by the number of threads.
        done.alarms.retain(|(run, _)| *run < lowest);
        done.alarms.sort_unstable_by_key(|(run, _)| *run);
        done
    }
}

#[derive(Debug, Default)]
struct Searched {
    hit: Option<u64>,
    runs: u64,
    busy: Duration,
    /// With the run that each is.
    alarms: Vec<(u64, Alarm)>,
}

struct Search<'a> {
    hunt: &'a Hunt<'a>,
    planted: &'a Planted<'a>,
    setting: Setting,
    base: u64,
    runs_max: u64,
    next: AtomicU64,
    lowest: AtomicU64,
    done: Mutex<Searched>,
}

/// Whose turn run `i` of a window is.
fn turn<'r>(planted: &Planted<'r>, base: u64, i: u64) -> (&'r dyn Runner, u64) {
    let scenarios = planted.runners.len() as u64;
    let turn = usize::try_from(i % scenarios).expect("fewer scenarios than addresses");
    (planted.runners[turn], base + i / scenarios)
}

impl Search<'_> {
    fn work(&self, window: Stopwatch) {
        let began = Stopwatch::start();
        let mut sessions: Vec<Box<dyn Session + '_>> =
            self.planted.runners.iter().map(|runner| runner.session()).collect();
        let mut runs = 0;
        while window.elapsed() < self.hunt.time && !self.hunt.stop.load(Ordering::Relaxed) {
            // Chunks go out in order and each is finished up to the lowest find, so the lowest find is certain.
            let first = self.next.fetch_add(CHUNK, Ordering::Relaxed);
            if first >= self.runs_max || first > self.lowest.load(Ordering::Relaxed) {
                break;
            }
            for i in first..self.runs_max.min(first + CHUNK) {
                runs += 1;
                if self.hits(&mut sessions, i) {
                    self.lowest.fetch_min(i, Ordering::Relaxed);
                    break;
                }
            }
        }
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        done.runs += runs;
        done.busy += began.elapsed();
    }

    fn hits(&self, sessions: &mut [Box<dyn Session + '_>], i: u64) -> bool {
        let (runner, seed) = turn(self.planted, self.base, i);
        let turn = usize::try_from(i % sessions.len() as u64).expect("an index");
        let report = sessions[turn].run(seed, self.setting, Options::default());
        let Some(signature) = Signature::of_verdict(&report.verdict) else { return false };
        if signature.check != self.planted.bug.breaks {
            return false;
        }
        let calm = Setting { bug: None, ..self.setting };
        let without = sessions[turn].run(seed, calm, Options::default());
        if without.verdict == Verdict::Pass {
            return true;
        }
        if matches!(without.verdict, Verdict::Broken(_)) {
            let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
            let alarm = Alarm { scenario: runner.name(), seed, arm: self.setting.arm };
            done.alarms.push((i, alarm));
        }
        false
    }
}

fn shrunk(
    planted: &Planted<'_>,
    runner: &dyn Runner,
    seed: u64,
    limit: Limit<'_>,
) -> Result<Catch, String> {
    let setting = Setting { bug: Some(planted.bug), ..Setting::default() };
    let scenario = runner.name();
    let mut case = runner
        .grow(seed, setting)
        .map_err(|violation| format!("{scenario} {seed} cannot be shrunk: {}", violation.detail))?;
    let shrunk = case.shrink(limit, &mut |_, _| {}).map_err(|report| {
        format!("{scenario} {seed} does not break a second time: {:?}", report.verdict)
    })?;
    case.set_comment(vec![
        format!("Planted bug `{}`: {}.", planted.bug.name, planted.bug.source),
        format!("Found at seed {seed}."),
    ]);
    let text = case.print();
    super::corpus::stands(runner, &text)
        .map_err(|why| format!("{scenario} {seed}: the shrunk seed file does not replay: {why}"))?;
    Ok(Catch { scenario, seed, shrunk, text })
}

#[cfg(test)]
mod tests {
    use super::{Hunt, Track, median_and_max};
    use crate::campaign::Registry;
    use crate::campaign::fixture::{Desk, scenario};
    use crate::check::{Always, Checked, Scenario};
    use std::sync::atomic::AtomicBool;
    use std::time::Duration;

    /// A promise that the planted bug breaks at times, and the sound desk at others.
    fn alarming() -> Scenario<Desk> {
        let always: &[Always<Desk>] = &[Always {
            name: "an add is kept as it was asked",
            check: |world, (), _| match world.notes() {
                [] => Checked::Skipped,
                notes => match notes.iter().find(|fact| fact.asked != fact.kept) {
                    Some(fact) => Checked::Broken("altered", fact.to_string()),
                    None if notes.iter().any(|fact| fact.asked == 20) => {
                        Checked::Broken("refused", "20".into())
                    }
                    None => Checked::Held,
                },
            },
        }];
        Scenario { always, ..scenario() }
    }

    #[test]
    fn alarms_do_not_depend_on_the_number_of_threads() {
        let registry = Registry::new().with(alarming());
        let planted = registry.select_bugs(&["forgets-sevenths".into()]).expect("there is one");
        let stop = AtomicBool::new(false);
        let hunted = |jobs| -> Track {
            let time = Duration::from_secs(60);
            Hunt { windows: 11, time, jobs, shrink: 1, stop: &stop }
                .hunt(&planted[0], &mut |_, _| {})
        };
        let (one, many) = (hunted(1), hunted(8));
        assert_eq!((&one.runs, &one.control), (&many.runs, &many.control));
        assert!(!one.alarms.is_empty());
        assert_eq!(one.alarms, many.alarms);
    }

    #[test]
    fn a_window_without_a_find_counts_as_more_than_any() {
        assert_eq!(median_and_max(&[Some(3), None, Some(1)]), (Some(3), None));
        assert_eq!(median_and_max(&[Some(3), Some(2), Some(1)]), (Some(2), Some(3)));
        assert_eq!(median_and_max(&[None, None, Some(1)]), (None, None));
        assert_eq!(median_and_max(&[]), (None, None));
    }
}
