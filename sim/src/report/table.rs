//! Tables for people.

use super::number::{grouped, lasting, percent, rate};
use crate::campaign::Planted;
use crate::campaign::bench::Figure;
use crate::campaign::hunt::{Track, median_and_max};
use crate::campaign::sweep::{Lane, Outcome};
use comfy_table::presets;
use comfy_table::{CellAlignment, Table};

/// One line a scenario.
#[must_use]
pub fn sweep(outcome: &Outcome) -> String {
    let mut table = fresh(&[
        "scenario",
        "seeds",
        "counted",
        "runs/s",
        "events/s",
        "virtual",
        "findings",
        "gaps",
        "never checked",
    ]);
    for lane in &outcome.lanes {
        let of_lane = |scenario: &str| scenario == lane.info.name;
        let findings = outcome.findings.iter().filter(|f| of_lane(f.scenario)).count();
        let Lane { tally, wall, .. } = lane;
        table.add_row([
            lane.info.name.to_string(),
            grouped(tally.runs),
            percent(tally.counted, tally.runs),
            grouped(rate(tally.runs, *wall)),
            grouped(rate(tally.events, *wall)),
            lasting(tally.virtual_ns),
            grouped(findings as u128),
            grouped(lane.unseen_marks().len() as u128),
            grouped(lane.never_evaluated().len() as u128),
        ]);
    }
    finished(table, 1)
}

/// One line a planted bug.
#[must_use]
pub fn bugs(tracks: &[(&Planted<'_>, &Track)]) -> String {
    let mut table = fresh(&[
        "bug",
        "scenario",
        "found",
        "runs: median",
        "max",
        "control: median",
        "max",
        "cpu s",
        "ops",
        "faults",
        "noise",
    ]);
    for (planted, track) in tracks {
        let many = |n: Option<u64>| n.map_or_else(|| "-".to_string(), grouped);
        let (median, max) = median_and_max(&track.runs);
        let (control, control_max) = median_and_max(&track.control);
        let cpu = track.cpu.iter().max().copied().unwrap_or_default();
        let size = track.best.as_ref().map(|catch| catch.shrunk.after);
        let lines = |n: Option<usize>| n.map_or_else(|| "-".to_string(), |n| n.to_string());
        table.add_row([
            format!("{}/{}", planted.model, planted.bug.name),
            track.best.as_ref().map_or("-", |catch| catch.scenario).to_string(),
            format!("{}/{}", track.found(), track.runs.len()),
            many(median),
            many(max),
            many(control),
            many(control_max),
            format!("{}.{:03}", cpu.as_secs(), cpu.subsec_millis()),
            lines(size.map(|size| size.ops)),
            lines(size.map(|size| size.faults)),
            lines(size.map(|size| size.noise)),
        ]);
    }
    finished(table, 2)
}

/// One line a workload or scenario.
#[must_use]
pub fn bench(figures: &[&Figure], allocations_counted: bool) -> String {
    let mut table = fresh(&[
        "workload",
        "events/s",
        "runs/s",
        "allocations/event",
        "bytes/run",
        "of bare",
        "bare/s",
    ]);
    for figure in figures {
        let counted = |text: String| if allocations_counted { text } else { "-".into() };
        table.add_row([
            figure.name.to_string(),
            grouped(figure.events_per_s),
            grouped(figure.runs_per_s),
            counted(thousandths(figure.milli_allocs_per_event)),
            counted(grouped(figure.bytes_per_run)),
            figure.milli_of_bare.map_or_else(|| "-".into(), thousandths),
            figure.bare_per_s.map_or_else(|| "-".into(), grouped),
        ]);
    }
    finished(table, 1)
}

/// `0.612` of 612 thousandths.
fn thousandths(n: u64) -> String {
    format!("{}.{:03}", n / 1000, n % 1000)
}

fn fresh(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header.iter().copied());
    table
}

/// The table as text: the first columns hold names, all others numbers. No line ends in blanks.
fn finished(mut table: Table, names: usize) -> String {
    for (i, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if i >= names {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.lines().map(|line| line.trim_end().to_string() + "\n").collect()
}
