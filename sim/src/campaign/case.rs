//! One plan of one scenario, and all that can be done with it: run it, take lines away, shrink it, write it down.

use super::hush::hush;
use super::seed_file::{self, Header};
use super::shrink::{self, Limit, Part, Shrinking, Size};
use super::signature::Signature;
use super::similar::unknown_bug;
use crate::actor::{Actor, Bug, BugSet};
use crate::check::Scenario;
use crate::choose::Decision;
use crate::engine::{Execute, Options, Report, Unused, Verdict};
use crate::nemesis::{Noise, Plan};
use std::collections::{BTreeMap, BTreeSet};

/// One plan of one scenario, whatever its actors are.
pub trait Case: Send {
    /// What its seed file says, or would say, beside the plan.
    fn header(&self) -> &Header;
    /// Replaces the comment at the top of its seed file.
    fn set_comment(&mut self, lines: Vec<String>);
    /// The seed that the plan grew from.
    fn seed(&self) -> u64;
    /// The planted bug that is on.
    fn bug(&self) -> Option<&'static Bug>;
    /// Switches a planted bug on, or all off.
    ///
    /// # Errors
    /// Lists the planted bugs that there are.
    fn set_bug(&mut self, name: Option<&str>) -> Result<(), String>;
    /// Runs it.
    fn run(&mut self, options: Options) -> Report;
    /// Turns drawn noise into lines; answers whether the noise is lines now. The run stays the same, or nothing is done.
    fn materialise(&mut self) -> bool;
    /// Makes the plan smaller while the same signature comes back. `told` hears of each candidate: how many runs there were,
    /// and the smallest size so far.
    ///
    /// # Errors
    /// The report of the run, if it breaks no promise.
    fn shrink(
        &mut self,
        limit: Limit<'_>,
        told: &mut dyn FnMut(u32, Size),
    ) -> Result<Shrinking, Box<Report>>;
    /// Its lines as a seed file holds them.
    fn lines(&self) -> Lines;
    /// The lines that found no use in a run of it.
    fn unused(&self, unused: &Unused) -> Vec<String>;
    /// Takes a line away.
    fn remove(&mut self, line: Line);
    /// Takes the lines away that found no use in a run: operations that would have come later, faults whose point never
    /// came. The report becomes that of the run without them; nothing is done if the signature does not come back.
    fn drop_unused(&mut self, report: &mut Report);
    /// Writes down what a run came to: the promise that broke, and the digest.
    fn record(&mut self, report: &Report);
    /// The seed file.
    fn print(&self) -> String;
    /// How many lines it has.
    fn size(&self) -> Size;
    /// Another one like it.
    fn copy(&self) -> Box<dyn Case + '_>;
}

/// A line of a plan, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// An operation.
    Op(usize),
    /// A fault.
    Fault(usize),
    /// A deviation from calm.
    Noise(usize),
}

/// The lines of a plan as a seed file holds them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    /// Operations.
    pub ops: Vec<String>,
    /// Faults.
    pub faults: Vec<String>,
    /// Deviations from calm; `None` if they are drawn.
    pub noise: Option<Vec<String>>,
}

impl Lines {
    /// All lines with their places.
    pub fn all(&self) -> impl Iterator<Item = (Line, &str)> {
        let ops = self.ops.iter().enumerate().map(|(i, text)| (Line::Op(i), text.as_str()));
        let faults =
            self.faults.iter().enumerate().map(|(i, text)| (Line::Fault(i), text.as_str()));
        let noise = self.noise.iter().flatten().enumerate();
        ops.chain(faults).chain(noise.map(|(i, text)| (Line::Noise(i), text.as_str())))
    }

    /// The place of a line.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<Line> {
        self.all().find(|(_, line)| *line == text.trim()).map(|(place, _)| place)
    }

    /// The text of a line.
    fn get(&self, line: Line) -> Option<&str> {
        let text = match line {
            Line::Op(at) => self.ops.get(at),
            Line::Fault(at) => self.faults.get(at),
            Line::Noise(at) => self.noise.as_ref()?.get(at),
        };
        text.map(String::as_str)
    }

    fn of_file(text: &str) -> Lines {
        let table: toml::Table = toml::from_str(text).unwrap_or_default();
        let list = |name: &str| -> Option<Vec<String>> {
            let lines = table.get(name)?.as_array()?.iter();
            Some(lines.filter_map(|line| line.as_str().map(String::from)).collect())
        };
        let drawn = table.get("noise").is_some_and(|noise| !noise.is_array());
        Lines {
            ops: list("workload").unwrap_or_default(),
            faults: list("faults").unwrap_or_default(),
            noise: if drawn { None } else { Some(list("noise").unwrap_or_default()) },
        }
    }
}

/// A plan with its scenario.
pub(super) struct PlanCase<'s, A: Actor, E> {
    scenario: &'s Scenario<A>,
    header: Header,
    plan: Plan<A>,
    engine: E,
}

impl<'s, A: Actor, E: Execute<A>> PlanCase<'s, A, E> {
    pub(super) fn new(scenario: &'s Scenario<A>, header: Header, plan: Plan<A>, engine: E) -> Self {
        PlanCase { scenario, header, plan, engine }
    }
}

impl<A: Actor, E: Execute<A>> Case for PlanCase<'_, A, E> {
    fn header(&self) -> &Header {
        &self.header
    }

    fn set_comment(&mut self, lines: Vec<String>) {
        self.header.comment = lines;
    }

    fn seed(&self) -> u64 {
        self.plan.seed
    }

    fn bug(&self) -> Option<&'static Bug> {
        self.scenario.bug(self.header.bug.as_deref()?)
    }

    fn set_bug(&mut self, name: Option<&str>) -> Result<(), String> {
        self.plan.bugs = match name {
            None => BugSet::NONE,
            Some(name) => BugSet::only(self.scenario.bug(name).ok_or_else(|| {
                let known: Vec<&str> = self.scenario.bugs.iter().map(|bug| bug.name).collect();
                unknown_bug(name, &known)
            })?),
        };
        self.header.bug = name.map(String::from);
        Ok(())
    }

    fn run(&mut self, options: Options) -> Report {
        // With a trace somebody looks at this one run: then the panic's own words and place are welcome.
        if options.trace.is_some() {
            run_plan(&mut self.engine, &self.plan, options)
        } else {
            hush(|| run_plan(&mut self.engine, &self.plan, options))
        }
    }

    fn materialise(&mut self) -> bool {
        let explicit = hush(|| shrink::materialise(&mut self.engine, &self.plan));
        if let Some(plan) = explicit {
            self.plan = plan;
        }
        matches!(self.plan.noise, Noise::Lines(_))
    }

    fn shrink(
        &mut self,
        limit: Limit<'_>,
        told: &mut dyn FnMut(u32, Size),
    ) -> Result<Shrinking, Box<Report>> {
        let report = self.run(Options::default());
        let Some(signature) = Signature::of_verdict(&report.verdict) else {
            return Err(Box::new(report));
        };
        self.materialise();
        let before = self.size();
        let engine = &mut self.engine;
        // A plan that catches a planted bug says nothing if it breaks the promise without the bug too.
        let planted =
            self.plan.bugs != BugSet::NONE && hush(|| passes_without_bug(engine, &self.plan));
        let (mut runs, mut smallest) = (0, before);
        let mut judge = |plan: &Plan<A>| {
            runs += 1;
            let report = run_plan(engine, plan, Options::default());
            let mut holds = Signature::of_verdict(&report.verdict) == Some(signature);
            if holds && planted {
                runs += 1;
                holds = passes_without_bug(engine, plan);
            }
            if holds {
                smallest = Size::of(plan);
            }
            told(runs, smallest);
            holds.then_some(report)
        };
        let shrunk = hush(|| shrink::shrink(self.scenario, &self.plan, &mut judge, limit));
        self.plan = shrunk.plan;
        self.record(&shrunk.report);
        let (executions, minimal) = (shrunk.executions, shrunk.minimal);
        let detail = match shrunk.report.verdict {
            Verdict::Broken(violation) => violation.detail,
            Verdict::Pass | Verdict::Inconclusive(_) => String::new(),
        };
        Ok(Shrinking { signature, detail, before, after: self.size(), executions, minimal })
    }

    fn lines(&self) -> Lines {
        Lines::of_file(&self.print())
    }

    fn unused(&self, unused: &Unused) -> Vec<String> {
        if unused.is_empty() {
            return Vec::new();
        }
        let forced: &[Decision] = match &self.plan.noise {
            Noise::Lines(lines) => lines,
            Noise::Drawn(_) => &[],
        };
        let places = places_of_ops(&self.plan);
        let ops = unused.ops.iter().filter_map(|op| places.get(op).copied()).map(Line::Op);
        let faults = unused.faults.iter().copied().map(Line::Fault);
        let place = |d: &Decision| forced.iter().position(|f| (f.site, f.key) == (d.site, d.key));
        let noise = unused.noise.iter().filter_map(place).map(Line::Noise);
        let lines = self.lines();
        let text = |line| lines.get(line).map(String::from);
        ops.chain(faults).chain(noise).filter_map(text).collect()
    }

    fn remove(&mut self, line: Line) {
        let (part, at) = match line {
            Line::Op(at) => (Part::Ops, at),
            Line::Fault(at) => (Part::Faults, at),
            Line::Noise(at) => (Part::Noise, at),
        };
        self.plan = part.without(&self.plan, at..at + 1);
    }

    fn drop_unused(&mut self, report: &mut Report) {
        let signature = Signature::of_verdict(&report.verdict);
        // Without operations that never began the clients are done earlier, so other lines may come too late then. Each round
        // takes lines away, so this ends.
        loop {
            let unused: BTreeSet<String> = self.unused(&report.unused).into_iter().collect();
            let lines = self.lines();
            let unused = lines.all().filter(|(_, text)| unused.contains(*text)).map(|(at, _)| at);
            let mut places: Vec<Line> = unused.collect();
            if places.is_empty() {
                return;
            }
            // From behind, so that the others keep their places.
            places.reverse();
            let before = self.plan.clone();
            places.into_iter().for_each(|place| self.remove(place));
            let again = self.run(Options::default());
            if Signature::of_verdict(&again.verdict) != signature {
                self.plan = before;
                return;
            }
            *report = again;
        }
    }

    fn record(&mut self, report: &Report) {
        self.header.digest = Some(report.digest);
        self.header.breaks =
            Signature::of_verdict(&report.verdict).map(|signature| signature.check.into());
    }

    fn print(&self) -> String {
        seed_file::print(self.scenario, &self.header, &self.plan)
    }

    fn size(&self) -> Size {
        Size::of(&self.plan)
    }

    fn copy(&self) -> Box<dyn Case + '_> {
        let engine = self.engine.another();
        Box::new(PlanCase::new(self.scenario, self.header.clone(), self.plan.clone(), engine))
    }
}

fn passes_without_bug<A: Actor>(engine: &mut impl Execute<A>, plan: &Plan<A>) -> bool {
    let mut without = plan.clone();
    without.bugs = BugSet::NONE;
    engine.run(&without, Options::default()).verdict == Verdict::Pass
}

/// Runs a plan. What it reports as unused are lines of the plan only, not the judge's own questions.
fn run_plan<A: Actor>(engine: &mut impl Execute<A>, plan: &Plan<A>, options: Options) -> Report {
    let mut report = engine.run(plan, options);
    if !report.unused.ops.is_empty() {
        let places = places_of_ops(plan);
        report.unused.ops.retain(|op| places.contains_key(op));
    }
    report
}

/// Where the operation of each client and number stands.
fn places_of_ops<A: Actor>(plan: &Plan<A>) -> BTreeMap<(u16, u32), usize> {
    plan.ops.iter().zip(0..).map(|(op, at)| ((op.client, op.number), at)).collect()
}

#[cfg(test)]
mod tests {
    use crate::campaign::fixture::scenario;
    use crate::campaign::shrink::Limit;
    use crate::campaign::{Runner, Setting};
    use crate::engine::{Options, Verdict};

    #[test]
    fn a_run_in_which_only_the_judge_was_answered_after_a_fault_does_not_count() {
        let scenario = scenario();
        let counted = |at: &str| {
            let text = format!(
                "format = 1\nscenario = \"desk/one\"\nseed = 1\nworkload = [\"c0#1: add 1\"]\n\
                 faults = [\"at {at}: crash n0 for 5ms\"]\n"
            );
            let mut case = scenario.read(&text, "written here").expect("a seed file");
            let report = case.run(Options::default());
            assert_eq!((&report.verdict, report.completed), (&Verdict::Pass, 2));
            assert!(report.unused.is_empty(), "the desk crashes");
            report.counted
        };
        assert!(counted("1us"), "the add succeeds after the crash");
        assert!(!counted("200ms"), "the add is over by then");
    }

    #[test]
    fn numbers_that_are_not_needed_are_given_up() {
        let scenario = scenario();
        let text = "format = 1\nscenario = \"desk/one\"\nseed = 1\nbug = \"forgets-sevenths\"\n\
                    workload = [\"c0#1: add 7\"]\n\n[config]\nadds = 9\n\n\
                    [run]\nsector = 32\nlatency = \"2ms\"\ndown_max = 0\n";
        let mut case = scenario.read(text, "written here").expect("a seed file");
        let mut told = Vec::new();
        let shrunk =
            case.shrink(Limit::executions(1_000), &mut |runs, size| told.push((runs, size)));
        let shrunk = shrunk.expect("it breaks its promise");
        assert!(shrunk.minimal);
        assert!(told.is_sorted_by(|a, b| a.0 < b.0 && a.1.lines() >= b.1.lines()), "{told:?}");
        assert_eq!(told.last().map(|(_, size)| *size), Some(shrunk.after));
        let small = case.print();
        assert!(!small.contains("[config]") && !small.contains("[run]"), "{small}");
    }

    #[test]
    fn noise_of_another_seed_becomes_lines_too() {
        let scenario = scenario();
        let mut lines = 0;
        for seed in 0..100 {
            let case = scenario.grow(seed, Setting::default()).expect("a plan");
            let text = case.print();
            let other = text.replace(&format!("noise    = {seed}\n"), "noise    = 12345\n");
            assert_ne!(other, text, "the noise is a seed");
            let mut case = scenario.read(&other, "printed").expect("a seed file");
            let drawn = case.run(Options::default());
            assert!(case.materialise(), "seed {seed}: the run with lines is another one");
            assert_eq!((case.seed(), case.run(Options::default()).digest), (seed, drawn.digest));
            lines += case.size().noise;
        }
        assert!(lines > 100, "{lines} lines of noise");
    }

    #[test]
    fn drawn_noise_as_lines_is_the_same_run_and_so_is_its_seed_file() {
        let scenario = scenario();
        for seed in 0..300 {
            let mut case = scenario.grow(seed, Setting::default()).expect("a plan");
            let drawn = case.run(Options::default());
            assert!(case.materialise(), "seed {seed}: the run with lines is another one");
            let lines = case.run(Options::default());
            assert_eq!((lines.digest, &lines.verdict), (drawn.digest, &drawn.verdict));
            assert_eq!(lines.unused.noise, []);
            let mut read = scenario.read(&case.print(), "printed").expect("reads what is printed");
            assert_eq!(read.run(Options::default()).digest, drawn.digest);
            assert_eq!(case.lines().all().count(), case.size().lines());
        }
    }
}
