//! The tutorial of the guide as a program: `cargo run --release --example tutorial -- sweep`.

// ANCHOR: main
mod checks;
mod echo;
mod register;

use seedbed_sim::campaign::Registry;
use std::process::ExitCode;

fn main() -> ExitCode {
    seedbed_sim::cli::main(&registry())
}

fn registry() -> Registry {
    Registry::new().with(echo::scenario()).with(checks::scenario())
}
// ANCHOR_END: main

#[cfg(test)]
mod tests {
    use super::{checks, echo, register, registry};
    use proptest::prelude::*;
    use seedbed_sim::campaign::{corpus, testing};
    use std::path::Path;

    // ANCHOR: check
    #[test]
    fn no_promise_breaks_in_a_thousand_runs() {
        testing::check(&checks::scenario(), 1_000);
        testing::check(&echo::scenario(), 1_000);
    }
    // ANCHOR_END: check

    // ANCHOR: finds
    #[test]
    fn the_planted_bugs_are_found() {
        testing::finds(&checks::scenario(), &register::NO_WRITE_BACK, 1_000);
        testing::finds(&checks::scenario(), &register::LAST_STAYS, 1_000);
    }
    // ANCHOR_END: finds

    // ANCHOR: corpus
    #[test]
    fn every_seed_file_breaks_its_promise_with_the_bug_and_keeps_it_without() {
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/tutorial/seeds");
        for file in corpus::files(&seeds).expect("a folder of seed files") {
            corpus::check(&registry(), &file)
                .unwrap_or_else(|why| panic!("{}: {why}", file.display()));
        }
    }
    // ANCHOR_END: corpus

    // ANCHOR: plans
    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_drawn_plan_keeps_its_promises(planned in testing::plans(checks::scenario())) {
            planned.holds()?;
        }

        #[test]
        fn every_operation_that_began_is_completed(planned in testing::plans(checks::scenario())) {
            planned.holds_that(|plan, report| {
                let begun = plan.ops.len() - report.unused.ops.len(); // the heal may come before the rest
                let asked = begun + 1; // and the judge's read
                match report.completed {
                    completed if completed as usize == asked => Ok(()),
                    completed => Err(format!("too few: {completed} of {asked} completed")),
                }
            })?;
        }
    }
    // ANCHOR_END: plans
}
