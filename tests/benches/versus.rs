//! Native beside madsim, in turns within one process, so that another load on the machine strikes both.
//!
//! `cargo bench -p seedbed-tests --bench versus` prints a table, and with `-- --json` one JSON document. Names of workloads
//! and scenarios ask for some of them. With `-- --test`, everything is run once and nothing is measured.
//!
//! Workloads: code against madsim's own API beside actors on the native engine, digest and one check on. Scenarios: the same
//! seeds on both engines, pinned on the second one. A ratio is the median of the ratios of the rounds.

#[cfg(madsim)]
mod on_madsim;

use seedbed_models::registry::registry;
use seedbed_sim::campaign::bench::{Workload, workloads};
use seedbed_sim::campaign::{Engine, Registry, Runner, Setting, Stopwatch};
use seedbed_sim::engine::Options;
use serde_json::json;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

/// Interleaved rounds, and the time of each measurement.
const ROUNDS: usize = 7;
const EACH: Duration = Duration::from_millis(400);

/// What the command line asks for.
#[derive(Default)]
struct Asked {
    json: bool,
    test: bool,
    names: Vec<String>,
}

/// Does the work once, and answers for how many units that counts.
type Side<'r> = Box<dyn FnMut() -> u64 + 'r>;

/// The same work on two engines.
struct Contest<'r> {
    name: &'static str,
    unit: &'static str,
    native: Side<'r>,
    /// None where the second engine is not built in.
    madsim: Option<Side<'r>>,
}

/// What a contest came to: units per second.
struct Row {
    name: &'static str,
    unit: &'static str,
    native: f64,
    madsim: Option<f64>,
    ratio: Option<f64>,
}

fn main() -> ExitCode {
    let registry = registry();
    let asked = match asked(&registry) {
        Ok(asked) => asked,
        Err(why) => {
            let _ = writeln!(std::io::stderr(), "{why}");
            return ExitCode::from(2);
        }
    };
    let wanted = |contest: &Contest<'_>| {
        asked.names.is_empty() || asked.names.iter().any(|name| name == contest.name)
    };
    let kinds = [contests(), registry.runners().map(seeds).collect()];
    let mut kinds = kinds.map(|all| all.into_iter().filter(wanted).collect::<Vec<_>>());
    let (rounds, each) = if asked.test { (1, Duration::ZERO) } else { (ROUNDS, EACH) };
    let [workloads, scenarios] = [0, 1].map(|kind| measure(&mut kinds[kind], rounds, each));
    let said = if asked.test {
        "everything ran\n".to_string()
    } else if asked.json {
        document(&workloads, &scenarios)
    } else {
        table("workload", &workloads) + "\n" + &table("scenario, pinned", &scenarios)
    };
    let _ = std::io::stdout().write_all(said.as_bytes());
    ExitCode::SUCCESS
}

/// Reads the command line. Cargo says `--bench` to whatever it runs as a bench.
fn asked(registry: &Registry) -> Result<Asked, String> {
    let mut asked = Asked::default();
    let mut known: Vec<&str> = contests().iter().map(|contest| contest.name).collect();
    known.extend(registry.runners().map(Runner::name));
    for word in std::env::args().skip(1) {
        match word.as_str() {
            "--bench" => {}
            "--json" => asked.json = true,
            "--test" => asked.test = true,
            name if known.contains(&name) => asked.names.push(word),
            _ => {
                let known = known.join(", ");
                return Err(format!("expected --json, --test or one of {known}, found `{word}`"));
            }
        }
    }
    Ok(asked)
}

/// The workloads of the engine. `fan` comes twice: madsim can also pass values on, but tells applications not to.
fn contests() -> Vec<Contest<'static>> {
    let again = workloads().into_iter().filter(|workload| workload.name() == "fan");
    let again = again.map(|workload| contest("fan-of-values", workload));
    let each = workloads().into_iter().map(|workload| contest(workload.name(), workload));
    each.chain(again).collect()
}

fn contest(name: &'static str, mut workload: Workload) -> Contest<'static> {
    let units = workload.units();
    let native = Box::new(move || {
        workload.run();
        units
    });
    let unit = if units > 1 { "events/s" } else { "runs/s" };
    Contest { name, unit, native, madsim: on_madsim(name, units) }
}

/// A workload as it is written for madsim.
#[cfg(madsim)]
fn on_madsim(name: &str, units: u64) -> Option<Side<'static>> {
    let all = on_madsim::WORKLOADS.into_iter().chain([on_madsim::FAN_OF_VALUES]);
    let workload = all.into_iter().find(|workload| workload.name == name)?;
    let mut seed = 0;
    Some(Box::new(move || {
        seed += 1;
        (workload.run)(seed, workload.amount);
        units
    }))
}

#[cfg(not(madsim))]
fn on_madsim(_: &str, _: u64) -> Option<Side<'static>> {
    None
}

/// The seeds of a scenario, from 0 on.
fn seeds(runner: &dyn Runner) -> Contest<'_> {
    let side = |engine| -> Side<'_> {
        let (mut session, mut seed) = (runner.session(), 0);
        let setting = Setting { engine, ..Setting::default() };
        Box::new(move || {
            session.run(seed, setting, Options::default());
            seed += 1;
            1
        })
    };
    let madsim = Engine::named("madsim").map(side);
    Contest { name: runner.name(), unit: "runs/s", native: side(Engine::Native), madsim }
}

/// Lets both sides work in turns.
fn measure(contests: &mut [Contest<'_>], rounds: usize, each: Duration) -> Vec<Row> {
    let mut rates: Vec<Vec<(f64, Option<f64>)>> = vec![Vec::new(); contests.len()];
    for _ in 0..rounds {
        for (contest, rates) in contests.iter_mut().zip(&mut rates) {
            let native = rate(&mut contest.native, each);
            rates.push((native, contest.madsim.as_mut().map(|side| rate(side, each))));
        }
    }
    let row = |(contest, rates): (&Contest<'_>, &Vec<(f64, Option<f64>)>)| Row {
        name: contest.name,
        unit: contest.unit,
        native: median(rates.iter().map(|(native, _)| *native)).expect("at least one round"),
        madsim: median(rates.iter().filter_map(|(_, madsim)| *madsim)),
        ratio: median(rates.iter().filter_map(|(native, madsim)| Some(ratio(*native, (*madsim)?)))),
    };
    contests.iter().zip(&rates).map(row).collect()
}

#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "figures for people")]
fn rate(side: &mut Side<'_>, each: Duration) -> f64 {
    let (watch, mut units) = (Stopwatch::start(), 0);
    loop {
        units += side();
        if watch.elapsed() >= each {
            return units as f64 / watch.elapsed().as_secs_f64();
        }
    }
}

#[expect(clippy::float_arithmetic, reason = "figures for people")]
fn ratio(native: f64, madsim: f64) -> f64 {
    native / madsim
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

fn table(head: &str, rows: &[Row]) -> String {
    let mut text =
        format!("{head:<29} {:<8} {:>12} {:>10} {:>7}\n", "unit", "native", "madsim", "ratio");
    for row in rows {
        let of = |value: Option<f64>, digits: usize| {
            value.map_or("-".to_string(), |value| format!("{value:.digits$}"))
        };
        let (native, madsim, ratio) =
            (of(Some(row.native), 0), of(row.madsim, 0), of(row.ratio, 1));
        let Row { name, unit, .. } = row;
        writeln!(text, "{name:<29} {unit:<8} {native:>12} {madsim:>10} {ratio:>7}")
            .expect("a string takes all");
    }
    text
}

fn document(workloads: &[Row], scenarios: &[Row]) -> String {
    let rows = |rows: &[Row]| -> Vec<serde_json::Value> {
        let row = |row: &Row| json!({ "name": row.name, "unit": row.unit, "native": row.native, "madsim": row.madsim, "ratio": row.ratio });
        rows.iter().map(row).collect()
    };
    json!({ "workloads": rows(workloads), "scenarios": rows(scenarios) }).to_string() + "\n"
}
