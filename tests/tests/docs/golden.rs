//! A golden trace, as the guide shows how to keep one.

use super::checks;
use seedbed_sim::campaign::seed_file;
use seedbed_sim::engine::{Native, Options};

// ANCHOR: golden
#[test]
fn the_trace_of_a_kept_seed_file_reads_as_it_did() {
    let scenario = checks::scenario();
    let text = include_str!("../../../models/examples/tutorial/seeds/last-stays.toml");
    let (_, plan) = seed_file::parse(&scenario, text, "last-stays.toml").expect("a seed file");
    let options = Options { trace: Some(usize::MAX), ..Options::default() };
    let report = Native::new(&scenario).run(&plan, options);
    insta::assert_snapshot!(report.trace.join("\n"));
}
// ANCHOR_END: golden
