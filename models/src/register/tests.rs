//! The model on trial.

use super::scenario;
use seedbed_sim::engine::{Native, Options, Verdict};

#[test]
fn calm() {
    for scenario in [scenario::majority(), scenario::durable()] {
        let mut native = Native::new(&scenario);
        for seed in 0..20 {
            let plan = scenario.expand(seed);
            let report =
                native.run(&plan, Options { trace: Some(usize::MAX), ..Options::default() });
            if seed == 0 {
                println!("{}", report.trace.join("\n"));
            }
            println!(
                "{} {seed} {:?} {} {:?}",
                scenario.name, report.verdict, report.steps, report.virtual_time
            );
            assert_eq!(report.verdict, Verdict::Pass);
        }
    }
}
