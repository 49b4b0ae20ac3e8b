//! `list`: scenarios, checks, points, planted bugs, budgets.

use super::args;
use super::{Console, Status, Usage};
use crate::campaign::{Info, Registry};
use crate::report::document::{List, Listed};
use std::ops::RangeInclusive;

pub(super) fn run(
    registry: &Registry,
    asked: &args::List,
    console: &mut Console<'_>,
) -> Result<Status, Usage> {
    let infos: Vec<Info> =
        registry.select(&asked.scenarios)?.iter().map(|runner| runner.info()).collect();
    for info in &infos {
        say(info, console);
    }
    console.document(&List { scenarios: infos.iter().map(Listed::new).collect() });
    Ok(Status::Clean)
}

fn say(info: &Info, console: &mut Console<'_>) {
    console.say(format_args!("{}: {}", info.name, info.about));
    let mut group = |title: &str, lines: Vec<String>| {
        for (i, line) in lines.iter().enumerate() {
            console.say(format_args!("  {:<10}{line}", if i == 0 { title } else { "" }));
        }
    };
    let owned = |names: Vec<&str>| names.into_iter().map(String::from).collect();
    group("checks", owned(info.checks.clone()));
    group("sometimes", owned(info.marks.iter().map(|mark| mark.name).collect()));
    group("points", owned(info.points.iter().map(|point| point.name).collect()));
    let bug =
        |bug: &crate::actor::Bug| format!("{}: breaks `{}`; {}", bug.name, bug.breaks, bug.source);
    group("bugs", info.bugs.iter().map(bug).collect());
    let knob = |k: &crate::nemesis::Knob| format!("{} {}..={}: {}", k.name, k.min, k.max, k.about);
    group("knobs", info.knobs.iter().map(knob).collect());
    let kinds: Vec<&str> = info.kinds.iter().map(|kind| kind.name()).collect();
    let (down, fragile) = (span_of(&info.down_max), span_of(&info.fragile_max));
    group(
        "budget",
        vec![
            format!("{down} of the servers away at once, {fragile} with damaged disks"),
            kinds.join(" "),
        ],
    );
    console.say("");
}

fn span_of(range: &RangeInclusive<u32>) -> String {
    if range.start() == range.end() {
        range.end().to_string()
    } else {
        format!("{} to {}", range.start(), range.end())
    }
}
