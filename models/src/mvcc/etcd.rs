//! The reference model against a real etcd server: the verb `seedbed etcd`.
//!
//! ```text
//!   plan.rs ── seed ──▶ steps (step.rs, file.rs)
//!                          │
//!   trial.rs ◀─────────────┘        restart.rs  known.rs  watch.rs
//!      │ ask both, compare             what a difference is, and which ones are known
//!      ▼
//!   server.rs ──▶ http.rs, json.rs    a server that is started and killed here, or one that listens somewhere
//!
//!   run.rs, shrink.rs                 many plans, and the few steps that matter of one that differs
//! ```
//!
//! Everything else in this crate is a function of its plan. Here are a network, processes and real time, so a plan may
//! come out otherwise the next time; that is why nothing below is used by a simulation.
//!
//! Without the feature `etcd` only the verb is left, and says so.

use std::sync::atomic::AtomicBool;

use seedbed_sim::cli::clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use seedbed_sim::cli::{Console, ExtraVerb, Status};

#[cfg(feature = "etcd")]
mod clock;
#[cfg(feature = "etcd")]
mod file;
#[cfg(feature = "etcd")]
mod http;
#[cfg(feature = "etcd")]
mod json;
#[cfg(feature = "etcd")]
mod known;
#[cfg(feature = "etcd")]
mod list;
#[cfg(feature = "etcd")]
mod plan;
#[cfg(feature = "etcd")]
mod restart;
#[cfg(feature = "etcd")]
mod run;
#[cfg(feature = "etcd")]
mod server;
#[cfg(feature = "etcd")]
mod shrink;
#[cfg(feature = "etcd")]
mod step;
#[cfg(feature = "etcd")]
mod trial;
#[cfg(feature = "etcd")]
mod watch;

#[cfg(all(test, feature = "etcd"))]
mod fake;
#[cfg(all(test, feature = "etcd"))]
mod tests;

/// The verb, for a program that has it.
pub fn verb() -> ExtraVerb {
    ExtraVerb { command: command(), scenarios: &["mvcc/etcd"], run }
}

fn command() -> Command {
    let flag = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    Command::new("etcd")
        .about("Compares the reference model of the mvcc store with a real etcd server")
        .arg(
            Arg::new("files")
                .value_name("FILE")
                .action(ArgAction::Append)
                .help("Plans that were kept; drawn ones if there are none"),
        )
        .arg(
            flag("spawn", "PATH", "Starts this etcd, on free ports of loopback, for each plan anew")
                .conflicts_with("endpoint"),
        )
        .arg(flag("endpoint", "URL", "Uses this server, and empties it before each plan"))
        .arg(
            flag("operations", "N", "How many operations, 100 a plan [default: 2000]")
                .value_parser(value_parser!(u32).range(1..=10_000_000)),
        )
        .arg(
            flag("seeds", "A..B", "The plans of these seeds (half-open) [default: from 0]")
                .conflicts_with("operations"),
        )
        .arg(
            flag(
                "kills",
                "N",
                "How often the server is killed and started again, over all plans [default: 1 in 100 operations with --spawn]",
            )
            .value_parser(value_parser!(u32)),
        )
        .arg(flag("rules", "ERA", "2015, 3.4 or main [default: by the version of the server]"))
        .arg(flag("out", "DIR", "Where findings are kept").default_value("findings"))
        .arg(
            flag("shrink-runs", "N", "The most runs of each shrink")
                .value_parser(value_parser!(u32).range(1..))
                .default_value("150"),
        )
}

#[cfg(feature = "etcd")]
fn run(asked: &ArgMatches, console: &mut Console<'_>, stop: &AtomicBool) -> Result<Status, String> {
    run::run(asked, console, stop)
}

#[cfg(not(feature = "etcd"))]
fn run(_: &ArgMatches, _: &mut Console<'_>, _: &AtomicBool) -> Result<Status, String> {
    Err("expected a build with the feature `etcd` of seedbed-models, which is on by default".into())
}
