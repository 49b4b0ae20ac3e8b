//! The scenarios of any number of models, and the verbs of their transcripts.

use super::bench::Allocated;
use super::runner::Runner;
use super::signature::model_of;
use super::similar::unknown_bug;
use super::transcript::MakeVerbs;
use crate::actor::Bug;

/// The scenarios of any number of models, and the verbs of their transcripts.
#[derive(Default)]
pub struct Registry {
    runners: Vec<Box<dyn Runner>>,
    verbs: Vec<(&'static str, MakeVerbs)>,
    allocated: Option<fn() -> Allocated>,
}

/// A planted bug with the scenarios that have it.
pub struct Planted<'r> {
    /// The model.
    pub model: &'static str,
    /// The bug.
    pub bug: &'static Bug,
    /// The scenarios of the model that have it.
    pub runners: Vec<&'r dyn Runner>,
}

impl Planted<'_> {
    /// Whether it is meant by `bug` or `model/bug`.
    fn is_called(&self, name: &str) -> bool {
        name == self.bug.name
            || name.split_once('/').is_some_and(|(m, b)| m == self.model && b == self.bug.name)
    }
}

impl Registry {
    /// An empty registry.
    #[must_use]
    pub fn new() -> Registry {
        Registry::default()
    }

    /// Adds a scenario.
    ///
    /// # Panics
    /// If there is one of that name already, or the name is not `model/name`: a defect of the models.
    #[must_use]
    pub fn with(mut self, scenario: impl Runner + 'static) -> Registry {
        let name = scenario.name();
        assert!(name.split('/').count() == 2, "a scenario is called model/name, not {name}");
        assert!(self.find(name).is_none(), "there is one scenario called {name}");
        self.runners.push(Box::new(scenario));
        self
    }

    /// Adds the verbs of a model's transcripts, under the name that their first line gives.
    ///
    /// # Panics
    /// If there are verbs of that name already.
    #[must_use]
    pub fn with_verbs(mut self, name: &'static str, make: MakeVerbs) -> Registry {
        assert!(self.verbs(name).is_none(), "there are verbs called {name} already");
        self.verbs.push((name, make));
        self
    }

    /// Lets `bench` count allocations: `allocated` reads the counters of the program's allocator.
    #[must_use]
    pub fn with_allocations(mut self, allocated: fn() -> Allocated) -> Registry {
        self.allocated = Some(allocated);
        self
    }

    /// Reads the counters of the program's allocator, where it has some.
    #[must_use]
    pub fn allocated(&self) -> Option<fn() -> Allocated> {
        self.allocated
    }

    /// All scenarios, in the order in which they were added.
    pub fn runners(&self) -> impl Iterator<Item = &dyn Runner> {
        self.runners.iter().map(AsRef::as_ref)
    }

    /// The scenario of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&dyn Runner> {
        self.runners().find(|r| r.name() == name)
    }

    /// The scenario of this name.
    ///
    /// # Errors
    /// Lists the scenarios that there are.
    pub fn get(&self, name: &str) -> Result<&dyn Runner, String> {
        self.find(name).ok_or_else(|| {
            let known: Vec<&str> = self.runners().map(Runner::name).collect();
            format!("expected one of the scenarios {}, found `{name}`", known.join(" "))
        })
    }

    /// The scenarios of these names; a model's name stands for all of its scenarios, and no names for all that there are.
    ///
    /// # Errors
    /// Lists the scenarios that there are.
    pub fn select(&self, names: &[String]) -> Result<Vec<&dyn Runner>, String> {
        let mut selected: Vec<&dyn Runner> = Vec::new();
        for name in names {
            if !self.runners().any(|r| r.name() == name || model_of(r.name()) == name) {
                self.get(name)?;
            }
        }
        let wanted = |r: &&dyn Runner| {
            let names_it = |name: &String| name == r.name() || name == model_of(r.name());
            names.is_empty() || names.iter().any(names_it)
        };
        selected.extend(self.runners().filter(wanted));
        if selected.is_empty() {
            return Err("expected scenarios, but none is registered".into());
        }
        Ok(selected)
    }

    /// All planted bugs, by model.
    #[must_use]
    pub fn planted(&self) -> Vec<Planted<'_>> {
        let mut planted: Vec<Planted<'_>> = Vec::new();
        for runner in self.runners() {
            let model = model_of(runner.name());
            for bug in runner.bugs() {
                match planted.iter_mut().find(|p| p.model == model && p.bug.name == bug.name) {
                    Some(known) => known.runners.push(runner),
                    None => planted.push(Planted { model, bug, runners: vec![runner] }),
                }
            }
        }
        planted
    }

    /// The planted bugs of these names, written `bug` or `model/bug`; no names for all that there are.
    ///
    /// # Errors
    /// Lists the planted bugs that there are, of the model that a name begins with if it begins with one, and says which
    /// is the most similar.
    pub fn select_bugs(&self, names: &[String]) -> Result<Vec<Planted<'_>>, String> {
        let all: Vec<&dyn Runner> = self.runners().collect();
        for name in names {
            self.select_bug(name, &all)?;
        }
        let mut planted = self.planted();
        planted.retain(|p| names.is_empty() || names.iter().any(|name| p.is_called(name)));
        Ok(planted)
    }

    /// The planted bugs of this name, which several models may have.
    ///
    /// # Errors
    /// Lists those of these scenarios, and says which is the most similar.
    pub fn select_bug(&self, name: &str, of: &[&dyn Runner]) -> Result<Vec<Planted<'_>>, String> {
        let mut planted = self.planted();
        planted.retain(|p| p.is_called(name));
        if !planted.is_empty() {
            return Ok(planted);
        }
        let model = name.split_once('/').map(|(model, _)| model);
        let has_model = |of: &&&dyn Runner| model.is_none_or(|m| m == model_of(of.name()));
        let any = of.iter().any(|of| has_model(&of));
        let mut known: Vec<&str> = Vec::new();
        for bug in of.iter().filter(|of| !any || has_model(of)).flat_map(|of| of.bugs()) {
            if !known.contains(&bug.name) {
                known.push(bug.name);
            }
        }
        Err(unknown_bug(name, &known))
    }

    /// The verbs of this name.
    #[must_use]
    pub fn verbs(&self, name: &str) -> Option<MakeVerbs> {
        self.verbs.iter().find(|(known, _)| *known == name).map(|(_, make)| *make)
    }

    /// The names of all verbs.
    pub fn verb_names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.verbs.iter().map(|(name, _)| *name)
    }
}
