//! Findings: the lowest seed of each signature, written down before anybody hears of it.

use super::{News, Runner, Setting};
use crate::campaign::shrink::{Limit, Shrinking};
use crate::campaign::signature::Signature;
use crate::campaign::store::{self, Store};
use crate::engine::Options;
use crate::world::{Violation, promise};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A broken promise: the lowest seed of its signature.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The scenario.
    pub scenario: &'static str,
    /// The lowest seed that shows it.
    pub seed: u64,
    /// The planted bug that was on.
    pub bug: Option<&'static str>,
    /// The promise and the class.
    pub signature: Signature,
    /// What was seen at that seed; once it is shrunk, in the run of the small plan.
    pub detail: String,
    /// How many seeds showed it.
    pub times: u64,
    /// The seed file: as found, and once it is shrunk the small one. A comment only, if there is no plan.
    pub text: String,
    /// Whether there is a plan that shows it natively. If not, the seed alone does: growing it panics, or the engines differ.
    pub has_plan: bool,
    /// Where it is kept.
    pub file: Option<PathBuf>,
    /// What shrinking did, once it is done.
    pub shrunk: Option<Shrinking>,
}

impl Finding {
    /// The command line that shows it where there is no seed file that would.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let samples = self.signature.check == promise::SAME_ON_BOTH;
        words_for(self.scenario, self.seed, self.bug, samples)
    }
}

/// All findings of a sweep.
pub(super) struct Board {
    store: Option<Store>,
    findings: Mutex<BTreeMap<(usize, Signature), Finding>>,
    next_to_shrink: AtomicUsize,
    shrunk: AtomicUsize,
}

impl Board {
    pub(super) fn new(store: Option<Store>) -> Board {
        let findings = Mutex::new(BTreeMap::new());
        Board { store, findings, next_to_shrink: AtomicUsize::new(0), shrunk: AtomicUsize::new(0) }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(usize, Signature), Finding>> {
        self.findings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    pub(super) fn to_shrink(&self) -> usize {
        self.len().saturating_sub(self.shrunk.load(Ordering::Relaxed))
    }

    /// Takes note of a broken promise. The first of its signature is written down and told; a lower seed takes the place
    /// of a higher one.
    pub(super) fn found(
        &self,
        lane: usize,
        (runner, setting): (&dyn Runner, Setting),
        (seed, violation): (u64, Violation),
        news: &Sender<News>,
    ) {
        let signature = Signature::of(&violation);
        let counted = match self.lock().get_mut(&(lane, signature)) {
            Some(known) => {
                known.times += 1;
                if known.seed < seed {
                    return;
                }
                true
            }
            None => false,
        };
        let mut finding = Finding {
            scenario: runner.name(),
            seed,
            bug: setting.bug.map(|bug| bug.name),
            signature,
            detail: violation.detail,
            times: 1,
            text: String::new(),
            has_plan: true,
            file: None,
            shrunk: None,
        };
        let found = as_found(runner, setting, &finding);
        finding.has_plan = found.is_some();
        finding.text = found.unwrap_or_else(|| without_plan(&finding));
        let mut findings = self.lock();
        let known = findings.get_mut(&(lane, signature));
        let is_new = known.is_none();
        if let Some(known) = known {
            known.times += u64::from(!counted);
            finding.times = known.times;
            if known.seed < seed {
                return;
            }
            finding.file.clone_from(&known.file);
        }
        self.keep(&mut finding, findings.get(&(lane, signature)), runner, news);
        if is_new {
            // Nobody listens any more if the sweep was torn down; the finding is on disk all the same.
            let _ = news.send(News::Found(finding.clone()));
        }
        findings.insert((lane, signature), finding);
    }

    /// Writes a finding down, in place of the file that it had. What an earlier sweep has left, small perhaps, makes room
    /// only for what is known to be minimal; everything else is put beside it, unless it shows this very finding.
    fn keep(
        &self,
        finding: &mut Finding,
        before: Option<&Finding>,
        runner: &dyn Runner,
        news: &Sender<News>,
    ) {
        let Some(store) = &self.store else { return };
        let mut path = store.path(finding.scenario, finding.bug, finding.signature);
        if !finding.has_plan {
            // Nobody is to take it for a seed file.
            path.set_extension("txt");
        }
        let minimal = finding.shrunk.as_ref().is_some_and(|shrunk| shrunk.minimal);
        let ours = |path: &Path| {
            let text = before.filter(|before| before.file.as_deref() == Some(path));
            text.is_some_and(|before| store::read(path).is_ok_and(|text| text == before.text))
        };
        let mut written = true;
        if !minimal && path.exists() && !ours(&path) {
            written = !shows(runner, &path, finding.seed);
            if written {
                path = store::beside(&path, finding.seed);
            }
        }
        if written && let Err(message) = store::replace(&path, &finding.text) {
            let _ = news.send(News::Trouble(message));
            // Something else may stand in its place.
            path = store::beside(&path, finding.seed);
            if store::replace(&path, &finding.text).is_err() {
                return;
            }
        }
        let superseded = before.and_then(|before| before.file.as_ref());
        if let Some(superseded) = superseded.filter(|file| **file != path && ours(file)) {
            // If it cannot be removed, there is one file too many.
            let _ = std::fs::remove_file(superseded);
        }
        finding.file = Some(path);
    }

    /// Shrinks findings until none is left to begin with. Several threads may do this at once.
    pub(super) fn shrink(
        &self,
        lanes: &[(&dyn Runner, Setting)],
        limit: Limit<'_>,
        news: &Sender<News>,
    ) {
        loop {
            let n = self.next_to_shrink.fetch_add(1, Ordering::Relaxed);
            let next = self.lock().iter().nth(n).map(|(key, finding)| (*key, finding.clone()));
            let Some((key, mut finding)) = next else { return };
            let interrupted = || limit.stop.load(Ordering::Relaxed);
            if !interrupted() && finding.has_plan {
                match small(lanes[key.0], &finding, limit) {
                    Ok(_) if interrupted() => {}
                    Ok((text, shrunk)) => {
                        let before = finding.clone();
                        finding.detail.clone_from(&shrunk.detail);
                        (finding.text, finding.shrunk) = (text, Some(shrunk));
                        self.keep(&mut finding, Some(&before), lanes[key.0].0, news);
                        let _ = news.send(News::Shrunk(finding.clone()));
                        self.lock().insert(key, finding);
                    }
                    Err(message) => {
                        let _ = news.send(News::Trouble(message));
                    }
                }
            }
            self.shrunk.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn into_findings(self) -> Vec<Finding> {
        let findings = self.findings.into_inner().unwrap_or_else(PoisonError::into_inner);
        findings.into_values().collect()
    }
}

/// The seed file of a finding before it is shrunk: its noise as lines, if that is the same run. `None` if growing the plan
/// panics, or if the native engine, which replays seed files, does not show it.
fn as_found(runner: &dyn Runner, setting: Setting, finding: &Finding) -> Option<String> {
    if finding.signature.check == promise::SAME_ON_BOTH {
        return None;
    }
    let mut case = runner.grow(finding.seed, setting).ok()?;
    case.materialise();
    let mut report = case.run(Options::default());
    case.drop_unused(&mut report);
    case.record(&report);
    case.set_comment(comment(finding));
    Some(case.print())
}

/// Whether a file that is there already still breaks its promise, and was found at this seed.
fn shows(runner: &dyn Runner, path: &Path, seed: u64) -> bool {
    let Ok(text) = store::read(path) else { return false };
    let same = runner.read(&text, "what is there").is_ok_and(|case| case.seed() == seed);
    same && crate::campaign::corpus::stands(runner, &text).is_ok()
}

/// What is written of a finding that has no seed file.
fn without_plan(finding: &Finding) -> String {
    let mut text: String = comment(finding).iter().map(|line| format!("# {line}\n")).collect();
    text.push_str(&format!("# seedbed {}\n", finding.words().join(" ")));
    text
}

/// The command line that runs one seed again; `samples` if it was run on an engine that only samples.
#[must_use]
pub fn words_for(scenario: &str, seed: u64, bug: Option<&str>, samples: bool) -> Vec<String> {
    let mut words: Vec<String> = if samples {
        let seeds = format!("{seed}..{}", seed + 1);
        vec![
            "sweep".into(),
            scenario.into(),
            "--engine".into(),
            "madsim-free".into(),
            "--seeds".into(),
            seeds,
        ]
    } else {
        vec!["replay".into(), scenario.into(), seed.to_string()]
    };
    words.extend(bug.iter().flat_map(|bug| ["--bug".to_string(), (*bug).into()]));
    words
}

/// The shrunk seed file of a finding; it was read back and replayed.
fn small(
    (runner, setting): (&dyn Runner, Setting),
    finding: &Finding,
    limit: Limit<'_>,
) -> Result<(String, Shrinking), String> {
    let Finding { scenario, seed, .. } = finding;
    let mut case = runner
        .grow(*seed, setting)
        .map_err(|violation| format!("{scenario} {seed} cannot be shrunk: {}", violation.detail))?;
    let mut shrunk = case.shrink(limit, &mut |_, _| {}).map_err(|report| {
        format!("{scenario} {seed} does not break a second time: {:?}", report.verdict)
    })?;
    if !shrunk.minimal {
        let mut report = case.run(Options::default());
        case.drop_unused(&mut report);
        case.record(&report);
        shrunk.after = case.size();
    }
    case.set_comment(comment(&Finding { detail: shrunk.detail.clone(), ..finding.clone() }));
    let text = case.print();
    crate::campaign::corpus::stands(runner, &text)
        .map_err(|why| format!("{scenario} {seed}: the shrunk seed file does not replay: {why}"))?;
    Ok((text, shrunk))
}

fn comment(finding: &Finding) -> Vec<String> {
    let Finding { seed, signature, .. } = finding;
    let mut lines = vec![format!("{signature}; found at seed {seed}.")];
    lines.extend(finding.detail.lines().map(String::from));
    lines
}
