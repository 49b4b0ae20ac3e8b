//! What can be asked, and how numbers and ranges are read.

use crate::campaign::Engine;
use crate::campaign::sweep::SEEDS_END;
use clap::{Args, Parser, Subcommand};
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

/// Finds rare bugs in simulated worlds, and makes them small and repeatable.
#[derive(Debug, Parser)]
#[command(name = "seedbed", version, max_term_width = 100)]
pub(super) struct Arguments {
    /// One JSON document on standard output; everything else on standard error
    #[arg(long, global = true)]
    pub(super) json: bool,
    #[command(subcommand)]
    pub(super) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Scenarios with their checks, points, planted bugs and budgets
    List(List),
    /// Runs many seeds; the main job
    Sweep(Sweep),
    /// One run: verdict, digest, the last steps
    Replay(Replay),
    /// The smallest plan that breaks the same promise, as a seed file
    Shrink(Shrink),
    /// Hunts every planted bug in disjoint windows of seeds, beside a control arm
    Bugs(Bugs),
    /// Runs the same seeds under other circumstances and compares
    Determinism(Determinism),
    /// Runs text transcripts
    Transcript(Transcript),
    /// Checks a recorded client history for linearizability
    History(History),
    /// Measures the engine's workloads beside bare loops, and every scenario
    Bench(Bench),
    #[command(name = "child-digests", hide = true)]
    ChildDigests(ChildDigests),
    #[command(name = "child-probe", hide = true)]
    ChildProbe(ChildProbe),
}

impl Verb {
    /// Whether it ends in order, with what it has, when it is interrupted. The others have nothing to keep.
    pub(super) fn ends_in_order(&self) -> bool {
        match self {
            Verb::Sweep(_)
            | Verb::Shrink(_)
            | Verb::Bugs(_)
            | Verb::Determinism(_)
            | Verb::ChildDigests(_) => true,
            Verb::List(_)
            | Verb::Replay(_)
            | Verb::Transcript(_)
            | Verb::History(_)
            | Verb::Bench(_)
            | Verb::ChildProbe(_) => false,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// Scenarios or models; all if none is named
    pub(super) scenarios: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct Bench {
    /// Workloads, scenarios or models; all if none is named
    pub(super) names: Vec<String>,
    /// How long each measurement takes
    #[arg(long, value_parser = time, default_value = "300ms")]
    pub(super) time: Duration,
    /// Interleaved rounds, of which the median counts
    #[arg(long, value_parser = runs, value_name = "N", default_value = "7")]
    pub(super) rounds: u32,
}

#[derive(Debug, Args)]
pub(super) struct Sweep {
    /// Scenarios or models; all if none is named
    pub(super) scenarios: Vec<String>,
    /// Seeds of each scenario: A..B (half-open), or `fresh` for a random window [default: from 0]
    #[arg(long, value_parser = seeds, value_name = "A..B|fresh")]
    pub(super) seeds: Option<Seeds>,
    /// When to end: 60s, 5min, 8h [default: 60s, or none with --seeds A..B]
    #[arg(long, value_parser = time)]
    pub(super) time: Option<Duration>,
    /// Threads [default: as many as the machine runs at once]
    #[arg(long, value_parser = jobs, value_name = "N")]
    pub(super) jobs: Option<usize>,
    /// Switches this planted bug on, in the scenarios of its model
    #[arg(long, value_name = "NAME")]
    pub(super) bug: Option<String>,
    /// What the campaign never saw or never checked is a finding too
    #[arg(long)]
    pub(super) strict: bool,
    /// Where findings are kept
    #[arg(long, value_name = "DIR", default_value = "findings")]
    pub(super) out: PathBuf,
    /// The most runs of each shrink [default: 20000]
    #[arg(long, value_parser = runs, value_name = "N")]
    pub(super) shrink_runs: Option<u32>,
    /// What runs the seeds: `native`, or `madsim-free`, which lets madsim order what is due at one instant
    #[arg(long, value_parser = sampler, default_value = "native")]
    pub(super) engine: Engine,
}

#[derive(Debug, Args)]
pub(super) struct Replay {
    /// A seed file, or a scenario and a seed; with --update, any number of seed files
    #[arg(required = true, value_name = "FILE | SCENARIO SEED")]
    pub(super) what: Vec<String>,
    /// Shows all steps
    #[arg(long)]
    pub(super) trace: bool,
    /// Leaves this line out: an operation, fault or noise line as the seed file holds it
    #[arg(long, value_name = "LINE")]
    pub(super) without: Vec<String>,
    /// Switches this planted bug on; `none` switches that of the file off
    #[arg(long, value_name = "NAME")]
    pub(super) bug: Option<String>,
    /// Grows the seed as those of the control arm of `bugs` grow
    #[arg(long)]
    pub(super) control: bool,
    /// Rewrites the digests of files whose promise still breaks
    #[arg(long, conflicts_with_all = ["trace", "without", "bug", "control"])]
    pub(super) update: bool,
}

#[derive(Debug, Args)]
pub(super) struct Shrink {
    /// A seed file, or a scenario and a seed
    #[arg(required = true, num_args = 1..=2, value_name = "FILE | SCENARIO SEED")]
    pub(super) what: Vec<String>,
    /// Switches this planted bug on; `none` switches that of the file off
    #[arg(long, value_name = "NAME")]
    pub(super) bug: Option<String>,
    /// Grows the seed as those of the control arm of `bugs` grow
    #[arg(long)]
    pub(super) control: bool,
    /// Where the seed file is kept
    #[arg(long, value_name = "DIR", default_value = "findings")]
    pub(super) out: PathBuf,
    /// The most runs [default: 20000]
    #[arg(long, value_parser = runs, value_name = "N")]
    pub(super) shrink_runs: Option<u32>,
}

#[derive(Debug, Args)]
pub(super) struct Bugs {
    /// Planted bugs, as NAME or MODEL/NAME; all if none is named
    pub(super) names: Vec<String>,
    /// How many windows
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000), default_value = "11", value_name = "N")]
    pub(super) windows: u32,
    /// The time for each window and arm
    #[arg(long, value_parser = time, default_value = "60s")]
    pub(super) time: Duration,
    /// Threads [default: as many as the machine runs at once]
    #[arg(long, value_parser = jobs, value_name = "N")]
    pub(super) jobs: Option<usize>,
    /// Writes the shrunk seed files to DIR/MODEL/BUG.toml
    #[arg(long, value_name = "DIR")]
    pub(super) keep: Option<PathBuf>,
    /// The most runs of each shrink [default: 20000]
    #[arg(long, value_parser = runs, value_name = "N")]
    pub(super) shrink_runs: Option<u32>,
}

#[derive(Debug, Args)]
pub(super) struct Determinism {
    /// Scenarios or models; all if none is named
    pub(super) scenarios: Vec<String>,
    /// Seeds of each scenario
    #[arg(long, value_parser = range, default_value = "0..1000", value_name = "A..B")]
    pub(super) seeds: Range<u64>,
    /// Threads [default: as many as the machine runs at once]
    #[arg(long, value_parser = jobs, value_name = "N")]
    pub(super) jobs: Option<usize>,
    /// Another engine to compare with: `madsim`; or `madsim-late-timers`, with a planted difference
    #[arg(long, value_parser = other, default_value = "native")]
    pub(super) engine: Engine,
}

#[derive(Debug, Args)]
pub(super) struct Transcript {
    /// Transcripts
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// Rewrites what is expected to what is answered
    #[arg(long)]
    pub(super) update: bool,
}

#[derive(Debug, Args)]
pub(super) struct History {
    /// A recorded history
    pub(super) file: PathBuf,
    /// Gives up after this many steps of the checker
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..), default_value = "20000000", value_name = "N")]
    pub(super) steps: u64,
}

#[derive(Debug, Args)]
pub(super) struct ChildDigests {
    pub(super) scenario: String,
    #[arg(value_parser = range)]
    pub(super) seeds: Range<u64>,
    #[arg(long, value_parser = jobs)]
    pub(super) jobs: usize,
}

#[derive(Debug, Args)]
pub(super) struct ChildProbe {
    pub(super) scenario: String,
    #[arg(value_parser = seed)]
    pub(super) seed: u64,
}

/// Which seeds to sweep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seeds {
    /// These.
    These(Range<u64>),
    /// A random window.
    Fresh,
}

fn seeds(text: &str) -> Result<Seeds, String> {
    if text == "fresh" {
        return Ok(Seeds::Fresh);
    }
    range(text).map(Seeds::These).map_err(|_| {
        format!("expected A..B with A below B, B at most {SEEDS_END}, or `fresh`, found `{text}`")
    })
}

fn range(text: &str) -> Result<Range<u64>, String> {
    let ends = text.split_once("..").and_then(|(a, b)| a.parse().ok().zip(b.parse().ok()));
    let range = ends.filter(|(a, b): &(u64, u64)| a < b && *b <= SEEDS_END);
    let (a, b) = range.ok_or_else(|| {
        format!("expected A..B with A below B, B at most {SEEDS_END}, found `{text}`")
    })?;
    Ok(a..b)
}

/// Reads a seed.
pub(super) fn seed(text: &str) -> Result<u64, String> {
    let seed = text.parse().ok().filter(|seed| *seed < SEEDS_END);
    seed.ok_or_else(|| format!("expected a seed, a number below {SEEDS_END}, found `{text}`"))
}

fn time(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(split);
    let scale: Option<u64> = match unit {
        "ms" => Some(1),
        "s" => Some(1_000),
        "min" => Some(60_000),
        "h" => Some(3_600_000),
        _ => None,
    };
    let ms = scale.and_then(|scale| digits.parse::<u64>().ok()?.checked_mul(scale));
    ms.filter(|ms| (1..=YEAR_MS).contains(ms)).map(Duration::from_millis).ok_or_else(|| {
        format!("expected a time such as 500ms, 60s, 5min or 8h, at most a year, found `{text}`")
    })
}

const YEAR_MS: u64 = 366 * 24 * 3_600_000;
/// The most threads.
pub(super) const JOBS_MAX: usize = 1_024;

fn sampler(text: &str) -> Result<Engine, String> {
    engine(text, &["native", "madsim-free"])
}

fn other(text: &str) -> Result<Engine, String> {
    engine(text, &["native", "madsim", "madsim-late-timers"])
}

fn engine(text: &str, known: &[&str]) -> Result<Engine, String> {
    if !known.contains(&text) {
        return Err(format!("expected one of the engines {}, found `{text}`", known.join(" ")));
    }
    Engine::named(text).ok_or_else(|| {
        format!(
            "expected a build with `--cfg madsim` for the engine `{text}`; the flag is set in .cargo/config.toml, an \
             exported RUSTFLAGS replaces it: unset that and build again"
        )
    })
}

fn jobs(text: &str) -> Result<usize, String> {
    let jobs = text.parse().ok().filter(|n| (1..=JOBS_MAX).contains(n));
    jobs.ok_or_else(|| format!("expected a number of threads from 1 to {JOBS_MAX}, found `{text}`"))
}

fn runs(text: &str) -> Result<u32, String> {
    let runs = text.parse().ok().filter(|n| *n >= 1);
    runs.ok_or_else(|| format!("expected a number of runs from 1 to {}, found `{text}`", u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_times_and_counts_are_read_or_refused() {
        assert_eq!(seeds("5..7"), Ok(Seeds::These(5..7)));
        assert_eq!(seeds("fresh"), Ok(Seeds::Fresh));
        for text in
            ["", "5", "..", "7..5", "5..5", "-1..5", "0..99999999999999999999", "a..b", "5..=7"]
        {
            assert!(seeds(text).expect_err(text).contains("A..B"), "{text}");
        }
        assert_eq!(time("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(time("2min"), Ok(Duration::from_secs(120)));
        for text in ["", "60", "0s", "s", "1d", "1.5s", "99999999999999999999h", "9999999h"] {
            assert!(time(text).is_err(), "{text}");
        }
        for text in ["0", "-1", "", "x", "1025"] {
            assert!(jobs(text).is_err(), "{text}");
        }
        assert!(runs("0").is_err());
    }

    #[test]
    fn the_last_seed_can_be_named_and_swept() {
        let last = SEEDS_END - 1;
        assert_eq!(seed(&last.to_string()), Ok(last));
        assert_eq!(seeds(&format!("{last}..{SEEDS_END}")), Ok(Seeds::These(last..SEEDS_END)));
        assert!(seed(&SEEDS_END.to_string()).is_err());
        assert!(seeds(&format!("{last}..{}", SEEDS_END + 1)).is_err());
    }

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }
}
