//! A proptest strategy for plans. What fails is made small by the shrinker of this crate, which knows which lines belong
//! together; proptest keeps the seed and the number of cases.

use super::{Runner, STEPS_SHOWN};
use crate::actor::Actor;
use crate::campaign::seed_file::{self, Header};
use crate::campaign::shrink::{self, Limit};
use crate::campaign::signature::model_of;
use crate::campaign::sweep::SEEDS_END;
use crate::check::Scenario;
use crate::engine::{Native, Options, Report, Verdict};
use crate::nemesis::{Noise, Plan};
use proptest::prelude::RngCore;
use proptest::strategy::{NewTree, Strategy, ValueTree};
use proptest::test_runner::{TestCaseError, TestRunner};
use std::fmt;
use std::sync::Arc;

/// A strategy for plans of a scenario, as its seeds grow into them.
#[must_use]
pub fn plans<A: Actor>(scenario: Scenario<A>) -> Plans<A> {
    Plans { scenario: Arc::new(scenario) }
}

/// A strategy for plans of a scenario; made by [`plans`].
pub struct Plans<A: Actor> {
    scenario: Arc<Scenario<A>>,
}

/// A plan with its scenario. It prints as its seed file.
pub struct Planned<A: Actor> {
    scenario: Arc<Scenario<A>>,
    plan: Plan<A>,
}

impl<A: Actor> Clone for Planned<A> {
    fn clone(&self) -> Planned<A> {
        Planned { scenario: Arc::clone(&self.scenario), plan: self.plan.clone() }
    }
}

impl<A: Actor> fmt::Debug for Plans<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "plans of {}", self.scenario.name)
    }
}

impl<A: Actor> fmt::Debug for Planned<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, seed {}", self.scenario.name, self.plan.seed)
    }
}

impl<A: Actor> Strategy for Plans<A> {
    type Tree = Planned<A>;
    type Value = Planned<A>;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Plans<A>> {
        let seed = runner.rng().next_u64() % SEEDS_END;
        let plan = self.scenario.expand(seed);
        Ok(Planned { scenario: Arc::clone(&self.scenario), plan })
    }
}

/// A tree of one value: proptest does not make it smaller.
impl<A: Actor> ValueTree for Planned<A> {
    type Value = Planned<A>;

    fn current(&self) -> Planned<A> {
        self.clone()
    }

    fn simplify(&mut self) -> bool {
        false
    }

    fn complicate(&mut self) -> bool {
        false
    }
}

impl<A: Actor> Planned<A> {
    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &Plan<A> {
        &self.plan
    }

    /// Runs it.
    #[must_use]
    pub fn run(&self) -> Report {
        Native::new(&self.scenario).run(&self.plan, Options::default())
    }

    /// Whether every promise is kept.
    ///
    /// # Errors
    /// The broken promise, the shrunk seed file and how to keep it.
    pub fn holds(&self) -> Result<(), TestCaseError> {
        self.holds_that(|_, report| match &report.verdict {
            Verdict::Pass => Ok(()),
            Verdict::Broken(violation) => {
                Err(format!("{} ({}): {}", violation.check, violation.class, violation.detail))
            }
            Verdict::Inconclusive(reason) => Err(format!("no verdict: {reason}")),
        })
    }

    /// Whether a property of the run holds.
    ///
    /// # Errors
    /// What the property said, the smallest plan for which it fails, and how to keep it.
    pub fn holds_that(
        &self,
        property: impl Fn(&Plan<A>, &Report) -> Result<(), String>,
    ) -> Result<(), TestCaseError> {
        let mut native = Native::new(&*self.scenario);
        let report = native.run(&self.plan, Options::default());
        let Err(said) = property(&self.plan, &report) else { return Ok(()) };
        let explicit = shrink::materialise(&mut native, &self.plan);
        let plan = explicit.unwrap_or_else(|| self.plan.clone());
        // What a property says may hold numbers of the run; what is kept is the words before them.
        let kind = |said: &str| said.split(':').next().unwrap_or("").to_string();
        let wanted = kind(&said);
        let mut judge = |plan: &Plan<A>| {
            let report = native.run(plan, Options::default());
            let fails = property(plan, &report).err();
            fails.is_some_and(|said| kind(&said) == wanted).then_some(report)
        };
        if judge(&plan).is_none() {
            return Err(self.message(&said, &self.plan));
        }
        let limit = Limit::executions(Limit::EXECUTIONS);
        let shrunk = shrink::shrink(&self.scenario, &plan, &mut judge, limit);
        Err(self.message(&said, &shrunk.plan))
    }

    fn message(&self, said: &str, plan: &Plan<A>) -> TestCaseError {
        let mut native = Native::new(&*self.scenario);
        let options = Options { trace: Some(STEPS_SHOWN), ..Options::default() };
        let report = native.run(plan, options);
        let breaks = match &report.verdict {
            Verdict::Broken(violation) => Some(violation.check.to_string()),
            Verdict::Pass | Verdict::Inconclusive(_) => None,
        };
        let header = Header {
            scenario: self.scenario.name.into(),
            breaks,
            digest: Some(report.digest),
            comment: vec![said.into()],
            ..Header::default()
        };
        let text = seed_file::print(&*self.scenario, &header, plan);
        let model = model_of(Runner::name(&*self.scenario));
        let drawn =
            if matches!(plan.noise, Noise::Drawn(_)) { " (its noise is drawn)" } else { "" };
        TestCaseError::fail(format!(
            "{said}\n\nthe last steps:\n{}\n\nto keep it{drawn}, put this into a file under seeds/{model}/:\n\n{text}",
            report.trace.join("\n"),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::fixture::scenario;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn drawn_plans_keep_their_promises(planned in plans(scenario())) {
            planned.holds()?;
        }
    }

    #[test]
    fn a_property_that_fails_is_shown_with_the_smallest_plan() {
        let mut runner = TestRunner::deterministic();
        let planned = plans(scenario()).new_tree(&mut runner).expect("a plan").current();
        let failed = planned.holds_that(|plan, report| match (plan.ops.len(), report.completed) {
            (0, _) => Ok(()),
            (ops, completed) => Err(format!("too much: {ops} operations, {completed} completed")),
        });
        let message = failed.expect_err("it fails").to_string();
        assert_eq!(message.matches("c0#").count() + message.matches("c1#").count(), 1, "{message}");
        assert!(message.contains("seeds/desk/"));
    }
}
