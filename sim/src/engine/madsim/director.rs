//! The director: holds what is scheduled and gives it to the actors when madsim's clock says so.

use super::Mode;
use super::agenda::Agenda;
use super::clock::Clock;
use super::stage::{Nodes, Stage};
use crate::actor::Actor;
use crate::check::Scenario;
use crate::engine::{Options, Progress, Report, Verdict};
use crate::nemesis::Plan;
use crate::world::Topology;
use std::sync::Arc;

/// One run.
pub(super) struct Director<'p, A: Actor> {
    scenario: &'p Scenario<A>,
    plan: &'p Plan<A>,
    stage: Arc<Stage<A>>,
    agenda: Agenda<A>,
    mode: Mode,
}

impl<'p, A: Actor> Director<'p, A> {
    pub(super) fn new(
        scenario: &'p Scenario<A>,
        plan: &'p Plan<A>,
        stage: Arc<Stage<A>>,
        mode: Mode,
    ) -> Self {
        if mode == Mode::Free {
            stage.simulation().world.keep_tie_keys();
        }
        Director { scenario, plan, stage, agenda: Agenda::new(mode), mode }
    }

    /// From boot to verdict.
    pub(super) async fn direct(mut self, topology: &Topology<A>, options: Options) -> Report {
        let mut nodes = Nodes::new(&self.stage, topology);
        let mut clock = Clock::new();
        let mut digests = Vec::new();
        loop {
            let next = {
                let mut simulation = self.stage.simulation();
                self.agenda.fill(&mut simulation);
                simulation.pass(self.scenario, self.plan, self.agenda.next_due())
            };
            match next {
                Some(Progress::Over) => break,
                Some(_) => continue,
                None => {}
            }
            let Some(entry) = self.agenda.take().await else { continue };
            clock.reach(entry.order().0).await;
            if !self.stage.step(entry).await {
                continue;
            }
            let mut simulation = self.stage.simulation();
            simulation.after(self.scenario, self.plan);
            nodes.follow(&simulation);
            if options.step_digests {
                digests.push(simulation.world.digest());
            }
            if options.stop_after == Some(simulation.world.steps()) {
                break;
            }
        }
        nodes.end().await;
        let mut simulation = self.stage.simulation();
        let verdict = simulation.verdict().cloned();
        let verdict = verdict.unwrap_or_else(|| Verdict::Inconclusive("stopped as asked".into()));
        let mut report = simulation.report(verdict, digests);
        drop(simulation);
        if self.mode == Mode::Free {
            report.decisions.extend(self.agenda.written());
        }
        report
    }
}
