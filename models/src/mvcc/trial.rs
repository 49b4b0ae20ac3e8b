//! The model on trial.

use super::scenario;
use seedbed_sim::engine::{Native, Options, Verdict};

#[test]
fn calm() {
    for scenario in [scenario::single(), scenario::restart(), scenario::restart_under_compaction()]
    {
        let mut native = Native::new(&scenario);
        let mut marks = 0;
        for seed in 0..200 {
            let plan = scenario.expand(seed);
            let trace = (seed == 0).then_some(usize::MAX);
            let report = native.run(&plan, Options { trace, ..Options::default() });
            if seed == 0 {
                println!("{}", report.trace.join("\n"));
            }
            marks |= report.marks;
            if seed < 20 {
                println!(
                    "{} {seed} {:?} {} {:?} {:?}",
                    scenario.name,
                    report.verdict,
                    report.steps,
                    report.virtual_time,
                    report.evaluated
                );
            }
            assert_eq!(report.verdict, Verdict::Pass, "{seed}");
        }
        println!("{marks:b}");
    }
}
