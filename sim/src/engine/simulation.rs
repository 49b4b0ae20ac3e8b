//! One run of one plan, step by step. It is a value: cloned at any step, both copies go on alike.

use super::{Options, Report, Unused, Verdict};
use crate::actor::{Actor, HistoryEvent, Outcome};
use crate::check::{Scenario, Watch};
use crate::nemesis::Plan;
use crate::time::{Span, Time};
use crate::world::{Stepped, Topology, World, promise};

/// How long the clients' last operations and the judge's questions may take after the heal.
const COMPLETION_BOUND: Span = Span::secs(60);

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Clients work, faults strike.
    Trouble,
    /// All trouble has ended; promises come true.
    Settle { healed: Time, quiet_since: Option<Time>, looked: Time },
    /// The judge reads everything back.
    ReadBack { since: Time },
    /// Over.
    Over,
}

/// What came of going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// A step was made; [`World::last_step`] says what it was about.
    Step,
    /// Something happened that is no step.
    Between,
    /// The run is over; [`Simulation::verdict`] says what it came to.
    Over,
}

/// One run of one plan.
#[derive(Clone)]
pub struct Simulation<A: Actor> {
    /// The world.
    pub world: World<A>,
    /// The state of the checks.
    pub watch: Watch<A>,
    stage: Stage,
    verdict: Option<Verdict>,
    counted: bool,
    completed: usize,
    /// When the trouble ends at the latest; 0 once it has ended.
    trouble_until: Time,
    /// When all servers are there again that were away at the heal: spans of the plan's own trouble count against nobody.
    whole: Time,
}

impl<A: Actor> Default for Simulation<A> {
    fn default() -> Simulation<A> {
        Simulation {
            world: World::default(),
            watch: Watch::default(),
            stage: Stage::Over,
            verdict: None,
            counted: false,
            completed: 0,
            trouble_until: Time(0),
            whole: Time(0),
        }
    }
}

impl<A: Actor> Simulation<A> {
    /// Makes ready for a run of this plan. All memory is used again.
    pub fn reset(&mut self, scenario: &Scenario<A>, topology: &Topology<A>, plan: &Plan<A>) {
        self.world.reset(topology, plan);
        self.watch.reset(scenario);
        self.stage = Stage::Trouble;
        self.verdict = None;
        self.counted = false;
        self.completed = 0;
        self.trouble_until = plan.run.start + plan.run.horizon;
        self.whole = Time(0);
    }

    /// Makes ready for a run of this plan that keeps what these options ask for. None of it changes the run.
    pub fn prepare(
        &mut self,
        scenario: &Scenario<A>,
        topology: &Topology<A>,
        plan: &Plan<A>,
        options: Options,
    ) {
        // Before the reset, which puts the clients' first operations down and so decides already.
        if options.decisions {
            self.world.record_decisions();
        } else {
            self.world.take_decisions();
        }
        self.reset(scenario, topology, plan);
        if let Some(keep) = options.trace {
            self.world.trace(scenario.names(topology), (keep < usize::MAX).then_some(keep));
        }
    }

    /// What the run came to, once it is over.
    #[must_use]
    pub fn verdict(&self) -> Option<&Verdict> {
        self.verdict.as_ref()
    }

    /// Whether an operation of the workload has succeeded after the first fault.
    #[must_use]
    pub fn counted(&self) -> bool {
        self.counted
    }

    /// Goes on to the end. A function of its own, so that its few variables stay in registers.
    #[inline(never)]
    pub(super) fn run_on(&mut self, scenario: &Scenario<A>, plan: &Plan<A>) {
        while self.advance(scenario, plan) != Progress::Over {}
    }

    /// Goes on by one entry of the agenda.
    #[inline]
    pub fn advance(&mut self, scenario: &Scenario<A>, plan: &Plan<A>) -> Progress {
        // What comes most often, first: in the middle of the trouble, while clients work.
        if !self.world.clients_are_idle()
            && let Some(stepped) = self.world.step_before(self.trouble_until)
        {
            return self.stepped(scenario, plan, stepped);
        }
        self.advance_otherwise(scenario, plan)
    }

    /// Goes on where the trouble has ended, or nobody works.
    #[inline(never)]
    fn advance_otherwise(&mut self, scenario: &Scenario<A>, plan: &Plan<A>) -> Progress {
        if let Some(progress) = self.pass(scenario, plan, self.world.next_due()) {
            return progress;
        }
        let stepped = self.world.step();
        self.stepped(scenario, plan, stepped)
    }

    #[inline(always)]
    fn stepped(&mut self, scenario: &Scenario<A>, plan: &Plan<A>, stepped: Stepped) -> Progress {
        match stepped {
            Stepped::Step => {
                self.after(scenario, plan);
                Progress::Step
            }
            Stepped::Void => Progress::Between,
            // Stages that wait are passed when nothing is due, so the next call ends this one.
            Stepped::Idle => Progress::Between,
        }
    }

    /// The first half of [`Simulation::advance`], for an engine that holds the entries of the agenda itself: whether the run
    /// passes to another stage, or is over, before the entry that is due at `next` is taken. `None`: it is to be taken.
    pub fn pass(
        &mut self,
        scenario: &Scenario<A>,
        plan: &Plan<A>,
        next: Option<Time>,
    ) -> Option<Progress> {
        // What is asked most often, first.
        if !self.world.clients_are_idle() && next.is_some_and(|next| next < self.trouble_until) {
            return None;
        }
        if matches!(self.stage, Stage::Over) {
            return Some(Progress::Over);
        }
        if self.passes_stage(scenario, plan, next) {
            let over = matches!(self.stage, Stage::Over);
            return Some(if over { Progress::Over } else { Progress::Between });
        }
        None
    }

    /// The second half of [`Simulation::advance`]: a step was made, and the checks look at it.
    #[inline]
    pub fn after(&mut self, scenario: &Scenario<A>, plan: &Plan<A>) {
        let notable = self.world.take_notable();
        if notable {
            self.count();
        }
        if let Err(violation) = self.watch.after(scenario, &self.world) {
            self.end(Verdict::Broken(violation));
        } else if notable || self.world.steps() >= plan.run.steps_max {
            self.look(plan);
        }
    }

    /// Ends the run if the engine saw a promise broken, or if it has become too long.
    #[inline(never)]
    fn look(&mut self, plan: &Plan<A>) {
        let limit = plan.run.steps_max;
        if let Some(violation) = self.world.broken() {
            let violation = violation.clone();
            self.end(Verdict::Broken(violation));
        } else if self.world.steps() >= limit {
            self.end(Verdict::Inconclusive(format!("the limit of {limit} steps was reached")));
        }
    }

    /// Notices the first success after the first fault. What the judge is told when all trouble is over says nothing about
    /// what worked in it.
    #[inline(never)]
    fn count(&mut self) {
        let events = &self.world.history().events;
        if !self.counted && !matches!(self.stage, Stage::ReadBack { .. }) {
            let ok = |e: &HistoryEvent<A>| {
                matches!(e, HistoryEvent::Completed { outcome: Outcome::Ok(_), .. })
            };
            self.counted = events[self.completed..].iter().any(ok) && self.world.saw_any_fault();
        }
        self.completed = events.len();
    }

    /// Whether a stage ends here, before the next entry is taken.
    #[inline]
    fn passes_stage(&mut self, scenario: &Scenario<A>, plan: &Plan<A>, next: Option<Time>) -> bool {
        match self.stage {
            Stage::Trouble => {
                let over = next.is_none_or(|next| next >= self.trouble_until);
                if over || self.trouble_is_over() {
                    self.world.heal();
                    self.trouble_until = Time(0);
                    let now = self.world.now();
                    self.whole = now.max(self.world.last_return());
                    self.stage = Stage::Settle { healed: now, quiet_since: None, looked: now };
                    return true;
                }
                false
            }
            Stage::Settle { healed, quiet_since, looked } => {
                self.settles(scenario, plan, next, (healed, quiet_since, looked))
            }
            Stage::ReadBack { since } => {
                if self.world.clients_are_idle() {
                    self.judge(scenario, plan);
                    return true;
                }
                self.gives_up_waiting(next, since)
            }
            Stage::Over => true,
        }
    }

    #[inline]
    fn trouble_is_over(&self) -> bool {
        self.world.clients_are_idle() && !self.world.faults_to_come() && self.world.all_up()
    }

    fn settles(
        &mut self,
        scenario: &Scenario<A>,
        plan: &Plan<A>,
        next: Option<Time>,
        (healed, quiet_since, looked): (Time, Option<Time>, Time),
    ) -> bool {
        // Looking after every step would cost more than the steps; an eighth of the quiet span is often enough.
        let interval = Span(plan.run.quiet.0 / 8 + 1);
        if next.is_some_and(|next| next.since(looked) < interval) {
            return false;
        }
        let now = self.world.now();
        let idle = self.world.clients_are_idle() && self.world.all_up();
        if idle {
            if let Some((i, pending)) = self.watch.pending(scenario, &self.world) {
                return self.waits_for(scenario, plan, next, (healed, i, pending));
            }
            let since = quiet_since.unwrap_or(now);
            if next.is_none_or(|next| next.since(since) >= plan.run.quiet) {
                self.begin_read_back(scenario, plan);
                return true;
            }
            self.stage = Stage::Settle { healed, quiet_since: Some(since), looked: now };
            return false;
        }
        self.stage = Stage::Settle { healed, quiet_since: None, looked: now };
        self.gives_up_waiting(next, healed)
    }

    /// A promise is pending: broken if its bound is over or nothing more will happen.
    fn waits_for(
        &mut self,
        scenario: &Scenario<A>,
        plan: &Plan<A>,
        next: Option<Time>,
        (healed, i, pending): (Time, usize, String),
    ) -> bool {
        let promise = &scenario.eventually[i];
        let bound = (promise.bound)(&plan.config);
        if next.is_some_and(|next| next.since(healed.max(self.whole)) <= bound) {
            self.stage = Stage::Settle { healed, quiet_since: None, looked: self.world.now() };
            return false;
        }
        let detail = format!("{pending}, {bound} after the heal");
        self.break_promise(promise.name, "did not settle", detail);
        true
    }

    fn gives_up_waiting(&mut self, next: Option<Time>, since: Time) -> bool {
        if next.is_some_and(|next| next.since(since) <= COMPLETION_BOUND) {
            return false;
        }
        // Nobody has broken a promise where a fault, or the pause of a client, lasts longer than anybody waits.
        let under_way = self.world.under_way().len();
        if self.world.clients_are_idle() || self.world.now() < self.whole {
            let reason = format!("a node is still away, {COMPLETION_BOUND} after the heal");
            self.end(Verdict::Inconclusive(reason));
            return true;
        }
        if under_way == 0 {
            let reason = format!("a client still pauses, {COMPLETION_BOUND} after the heal");
            self.end(Verdict::Inconclusive(reason));
            return true;
        }
        let detail = format!("{under_way} operations under way, {COMPLETION_BOUND} after the heal");
        self.break_promise(promise::COMPLETES, "did not complete", detail);
        true
    }

    fn begin_read_back(&mut self, scenario: &Scenario<A>, plan: &Plan<A>) {
        let mut questions = (scenario.read_back)(&plan.config);
        questions.sort_by_key(|(client, _)| *client);
        let mut rest = questions.into_iter().peekable();
        while let Some((client, first)) = rest.next() {
            let mut ops = vec![first];
            while let Some((_, op)) = rest.next_if(|(other, _)| *other == client) {
                ops.push(op);
            }
            self.world.ask(client, ops);
        }
        self.stage = Stage::ReadBack { since: self.world.now() };
    }

    fn judge(&mut self, scenario: &Scenario<A>, plan: &Plan<A>) {
        let verdict = match self.watch.at_end(scenario, &self.world, &plan.config) {
            Ok(None) => Verdict::Pass,
            Ok(Some(violation)) => Verdict::Broken(violation),
            Err(reason) => Verdict::Inconclusive(reason),
        };
        self.end(verdict);
    }

    fn break_promise(&mut self, check: &'static str, class: &'static str, detail: String) {
        self.end(Verdict::Broken(crate::world::Violation { check, class, detail }));
    }

    fn end(&mut self, verdict: Verdict) {
        match &verdict {
            Verdict::Pass => self.world.fold_end(&0_u64),
            Verdict::Broken(violation) => {
                self.world.fold_end(&(1_u64, violation.check, violation.class));
            }
            Verdict::Inconclusive(_) => self.world.fold_end(&2_u64),
        }
        self.verdict = Some(verdict);
        self.stage = Stage::Over;
        self.trouble_until = Time(0);
    }

    /// What is known of the run. A run that is not over gets the verdict that the caller gives it.
    pub fn report(&mut self, verdict: Verdict, step_digests: Vec<u64>) -> Report {
        let world = &mut self.world;
        let decisions = world.take_decisions();
        let (noise, faults) = world.unused();
        let completed = world
            .history()
            .events
            .iter()
            .filter(|e| matches!(e, HistoryEvent::Completed { .. }))
            .count();
        Report {
            verdict,
            digest: world.digest(),
            steps: world.steps(),
            virtual_time: world.now().since(world.run().start),
            marks: world.marks(),
            points: world.points(),
            counted: self.counted(),
            evaluated: self.watch.evaluated.clone(),
            seen: self.world.seen_all(),
            completed: u32::try_from(completed).expect("fewer than 2^32 operations"),
            unused: Unused { noise, faults, ops: self.world.not_invoked() },
            decisions,
            trace: self.world.trace_lines().to_vec(),
            step_digests,
        }
    }
}
