//! `shrink`: the smallest plan with the same signature, written as a seed file.

use super::replay::{open, set_bug};
use super::{Console, INTERRUPTED, Status, Usage, args};
use crate::campaign::shrink::{Limit, Shrinking};
use crate::campaign::store::{self, Store};
use crate::campaign::{Case, Registry, Stopwatch};
use crate::engine::{Options, Report, Verdict};
use crate::report::document::{Replayed, ShrunkPlan, shown};
use crate::report::meter::{Meter, Part};
use crate::report::number::grouped;
use std::sync::atomic::Ordering;

pub(super) fn run(
    registry: &Registry,
    asked: &args::Shrink,
    console: &mut Console<'_>,
) -> Result<Status, Usage> {
    let mut case = open(registry, &asked.what, asked.control)?.case;
    set_bug(case.as_mut(), asked.bug.as_deref())?;
    let scenario = case.header().scenario.clone();
    let store = Store::open_for(&asked.out, &[&scenario])?;
    let executions = asked.shrink_runs.unwrap_or(Limit::EXECUTIONS);
    let as_found = case.run(Options::default());
    let shrunk = match watched(case.as_mut(), executions, console) {
        Ok(shrunk) => shrunk,
        Err(report) => {
            console.document(&Replayed::of(&report));
            return Ok(match &report.verdict {
                Verdict::Inconclusive(reason) => {
                    console.say(format_args!("no verdict: {reason}"));
                    console.say(console.this_command());
                    Status::Undecided
                }
                Verdict::Pass | Verdict::Broken(_) => {
                    console.say("every promise was kept; there is nothing to shrink");
                    Status::Clean
                }
            });
        }
    };
    let bug = case.header().bug.clone();
    let path = store.path(&scenario, bug.as_deref(), shrunk.signature);
    let comment = comment(case.as_ref(), &as_found, &shrunk);
    case.set_comment(comment);
    let text = case.print();
    store::replace(&path, &text)?;
    console.say(&text);
    console.note(format_args!(
        "from {} to {} in {} runs",
        shrunk.before,
        shrunk.after,
        grouped(shrunk.executions)
    ));
    if !shrunk.minimal {
        let why = if INTERRUPTED.load(Ordering::Relaxed) { "interrupted" } else { "out of runs" };
        console.note(format_args!("{why}: it may not be the smallest"));
    }
    console.say(console.replay_of(&path));
    console.document(&ShrunkPlan {
        scenario,
        seed: case.seed(),
        check: shrunk.signature.check,
        class: shrunk.signature.class,
        file: Some(shown(&path)),
        executions: shrunk.executions,
        minimal: shrunk.minimal,
        before: shrunk.before,
        shrunk: shrunk.after,
    });
    Ok(Status::Finding)
}

/// Shrinks, and tells how far it is: the time left is what the most runs would take, and mostly there are fewer.
fn watched(
    case: &mut dyn Case,
    executions: u32,
    console: &mut Console<'_>,
) -> Result<Shrinking, Box<Report>> {
    let limit = Limit { executions, stop: &INTERRUPTED };
    let (began, mut meter) = (Stopwatch::start(), Meter::new(console.terminal));
    let shrunk = case.shrink(limit, &mut |runs, size| {
        let (at, done, all) = (size.to_string(), u64::from(runs), u64::from(executions));
        let part = Part { at: &at, done, all, noun: "runs" };
        meter.part(part, began.elapsed(), console.err());
    });
    meter.finish();
    shrunk
}

/// What stands above the small plan: what stood there before, but with the words of its own run.
fn comment(case: &dyn Case, as_found: &Report, shrunk: &Shrinking) -> Vec<String> {
    let mut comment = case.header().comment.clone();
    let own = shrunk.detail.lines().map(String::from);
    if comment.is_empty() {
        comment.push(format!("{}; found at seed {}.", shrunk.signature, case.seed()));
        comment.extend(own);
        return comment;
    }
    let Verdict::Broken(violation) = &as_found.verdict else { return comment };
    let old: Vec<&str> = violation.detail.lines().collect();
    let place = comment.windows(old.len().max(1)).position(|lines| lines == old);
    if let Some(place) = place {
        comment.splice(place..place + old.len(), own);
    }
    comment
}
