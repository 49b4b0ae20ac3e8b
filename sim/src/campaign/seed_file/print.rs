//! A plan as the text of a seed file: one way to write each plan, and nothing that goes without saying.

use super::numbers::{COUNTS, SPANS};
use super::{FORMAT, Header, wording};
use crate::actor::{Actor, Names};
use crate::check::Scenario;
use crate::choose::Odds;
use crate::nemesis::{Noise, Plan, PlannedOp, Run};
use crate::world::Topology;
use std::collections::BTreeSet;
use std::fmt::Write;

/// Writes a seed file: the planted bug is that of the header. Odds are written only where the noise is drawn: beside noise lines they mean nothing.
#[must_use]
pub fn print<A: Actor>(scenario: &Scenario<A>, header: &Header, plan: &Plan<A>) -> String {
    let topology = (scenario.topology)(&plan.config);
    let names = scenario.names(&topology);
    let mut out = String::new();
    print_head(&mut out, header, plan.seed);
    print_list(&mut out, "workload", &ops(&plan.ops, &topology, &names));
    let faults: Vec<String> = plan.faults.iter().map(|line| line.print(&names)).collect();
    print_list(&mut out, "faults", &faults);
    match &plan.noise {
        Noise::Drawn(seed) => top(&mut out, "noise", &number(*seed)),
        Noise::Lines(lines) => {
            let wording = wording(&names);
            // What a run asked twice, it recorded twice; it is one decision all the same.
            let mut seen = BTreeSet::new();
            let first = lines.iter().filter(|line| seen.insert((line.site, line.key)));
            let lines: Vec<String> = first.map(|line| wording.print(line)).collect();
            print_list(&mut out, "noise", &lines);
        }
    }
    table(&mut out, "config", &config(scenario, plan));
    table(&mut out, "run", &run(scenario, plan, &topology, &names));
    if let Noise::Drawn(_) = plan.noise {
        table(&mut out, "odds", &odds(&plan.odds, &names));
    }
    out
}

fn print_head(out: &mut String, header: &Header, seed: u64) {
    for line in header.comment.iter().flat_map(|line| line.split('\n')) {
        // TOML allows no control characters in comments but tabs.
        let printable = |c: char| if c.is_ascii_control() && c != '\t' { ' ' } else { c };
        let line: String = line.chars().map(printable).collect();
        let _ = writeln!(out, "#{}{line}", if line.is_empty() { "" } else { " " });
    }
    top(out, "format", &FORMAT.to_string());
    top(out, "scenario", &quoted(&header.scenario));
    top(out, "seed", &number(seed));
    let digest = header.digest.map(|digest| format!("{digest:016x}"));
    for (key, value) in [("bug", &header.bug), ("breaks", &header.breaks), ("digest", &digest)] {
        if let Some(value) = value {
            top(out, key, &quoted(value));
        }
    }
}

fn top(out: &mut String, key: &str, value: &str) {
    let _ = writeln!(out, "{key:8} = {value}");
}

fn table(out: &mut String, name: &str, rows: &[(&str, String)]) {
    if rows.is_empty() {
        return;
    }
    let _ = write!(out, "\n[{name}]\n");
    for (key, value) in rows {
        let _ = writeln!(out, "{key} = {value}");
    }
}

/// A list of texts: on one line if there is one, else one line each; left out if there are none.
fn print_list(out: &mut String, key: &str, lines: &[String]) {
    match lines {
        [] => {}
        [only] => top(out, key, &format!("[{}]", quoted(only))),
        _ => {
            top(out, key, "[");
            for line in lines {
                let _ = writeln!(out, "  {},", quoted(line));
            }
            out.push_str("]\n");
        }
    }
}

fn ops<A: Actor>(ops: &[PlannedOp<A::Op>], topology: &Topology<A>, names: &Names) -> Vec<String> {
    let clients: Vec<&str> = topology.clients().map(|client| names.actor(client)).collect();
    let name = |op: &PlannedOp<A::Op>| *clients.get(usize::from(op.client)).unwrap_or(&"?");
    ops.iter().map(|op| format!("{}#{}: {}", name(op), op.number, op.op)).collect()
}

fn config<A: Actor>(scenario: &Scenario<A>, plan: &Plan<A>) -> Vec<(&'static str, String)> {
    let values = scenario.knobs.iter().map(|knob| (knob, plan.config.get(knob.name)));
    let telling = values.filter(|(knob, value)| *value != knob.simplest);
    telling.map(|(knob, value)| (knob.name, number(value))).collect()
}

fn run<A: Actor>(
    scenario: &Scenario<A>,
    plan: &Plan<A>,
    topology: &Topology<A>,
    names: &Names,
) -> Vec<(&'static str, String)> {
    let (mut base, mut run) = (Run::DEFAULT, plan.run);
    (scenario.tune)(&plan.config, &mut base);
    let mut rows = Vec::new();
    for field in &COUNTS {
        let value = (field.get)(&run);
        if value != (field.get)(&base) {
            rows.push((field.name, number(value)));
        }
    }
    for field in &SPANS {
        let value = *(field.of)(&mut run);
        if value != *(field.of)(&mut base) {
            rows.push((field.name, quoted(&value.to_string())));
        }
    }
    if run.fragile != base.fragile {
        let nodes: Vec<String> = run.fragile.iter().map(|node| quoted(names.node(node))).collect();
        rows.push(("fragile", format!("[{}]", nodes.join(", "))));
    }
    if run.fragile_files != base.fragile_files {
        let classes = run.fragile_files.of(topology.file_classes());
        let classes: Vec<String> = classes.map(|class| quoted(class.name)).collect();
        rows.push(("fragile_files", format!("[{}]", classes.join(", "))));
    }
    if plan.down_max != (scenario.budget)(&plan.config).down_max {
        rows.push(("down_max", plan.down_max.to_string()));
    }
    rows
}

fn odds(odds: &[(u16, Odds)], names: &Names) -> Vec<(&'static str, String)> {
    let wording = wording(names);
    let drawn = odds.iter().filter(|(_, odds)| !odds.is_calm());
    drawn
        .map(|(site, odds)| {
            let weights: Vec<String> = odds.weights().map(|weight| weight.to_string()).collect();
            let name = wording.site(*site).map_or("?", |site| site.name);
            (name, format!("[{}]", weights.join(", ")))
        })
        .collect()
}

/// TOML promises room for 63 bits; a greater number stands in quotes.
fn number(n: u64) -> String {
    if i64::try_from(n).is_ok() { n.to_string() } else { quoted(&n.to_string()) }
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
