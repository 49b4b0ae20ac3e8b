//! The same actors as tasks on madsim nodes, step for step like the native run: proof that the contracts suit a second
//! engine, before they freeze. `docs/decisions/0001-second-engine-hooks.md` says what it is built on.

#[cfg(madsim)]
mod engine;

/// What the tests below compare.
#[cfg(madsim)]
mod compare {
    use super::engine::{Ties, run};
    use seedbed_models::register::{Register, scenario};
    use seedbed_sim::actor::Actor;
    use seedbed_sim::check::Scenario;
    use seedbed_sim::engine::{Native, Options, Report};
    use seedbed_sim::nemesis::{Noise, Plan};
    use seedbed_sim::world::TIE;

    static MAJORITY: Scenario<Register> = scenario::majority();
    static DURABLE: Scenario<Register> = scenario::durable();

    fn natively<A: Actor>(scenario: &Scenario<A>, plan: &Plan<A>) -> Report {
        let options = Options { step_digests: true, ..Options::default() };
        Native::new(scenario).run(plan, options)
    }

    /// The number of the first step in which the runs differ.
    fn first_difference(one: &Report, other: &Report) -> Option<usize> {
        let (one, other) = (&one.step_digests, &other.step_digests);
        let both = one.iter().zip(other).position(|(a, b)| a != b);
        both.or((one.len() != other.len()).then_some(one.len().min(other.len()))).map(|at| at + 1)
    }

    const SEEDS: u64 = 40;

    #[test]
    fn a_pinned_run_is_the_native_run_step_for_step() {
        let (mut steps, mut deaths) = (0, 0);
        for scenario in [&MAJORITY, &DURABLE] {
            for seed in 0..SEEDS {
                let plan = scenario.expand(seed);
                let native = natively(scenario, &plan);
                let (second, killed) = run(scenario, &plan, Ties::Pinned);
                let name = scenario.name;
                assert_eq!(first_difference(&native, &second), None, "{name} {seed}");
                assert_eq!(
                    (native.digest, &native.verdict, native.seen, native.counted),
                    (second.digest, &second.verdict, second.seen, second.counted),
                    "{name} {seed}"
                );
                (steps, deaths) = (steps + native.steps, deaths + killed);
            }
        }
        assert!(steps > 10_000 && deaths > 10, "{steps} steps and {deaths} deaths show little");
    }

    #[test]
    fn an_engine_that_delivers_in_another_order_is_caught_at_its_first_step() {
        let mut caught = 0;
        for seed in 0..SEEDS {
            let plan = MAJORITY.expand(seed);
            let native = natively(&MAJORITY, &plan);
            let (second, _) = run(&MAJORITY, &plan, Ties::Free);
            let first = first_difference(&native, &second);
            caught += u32::from(first.is_some_and(|step| step > 1));
        }
        assert!(caught > 0, "no seed has a tie");
    }

    #[test]
    fn a_free_run_replays_natively_from_the_order_that_it_wrote_down() {
        let mut lines = 0;
        for scenario in [&MAJORITY, &DURABLE] {
            for seed in 0..SEEDS {
                let mut plan = scenario.expand(seed);
                plan.odds.retain(|(site, _)| *site != TIE.id);
                let (free, _) = run(scenario, &plan, Ties::Free);
                lines += free.decisions.iter().filter(|d| d.site == TIE.id).count();
                plan.noise = Noise::Lines(free.decisions.clone());
                let native = natively(scenario, &plan);
                let name = scenario.name;
                assert_eq!(first_difference(&native, &free), None, "{name} {seed}");
                assert_eq!((native.digest, native.verdict), (free.digest, free.verdict));
                assert!(native.unused.noise.is_empty(), "{name} {seed}");
            }
        }
        assert!(lines > 100, "{lines} ties show little");
    }
}

/// Says why nothing else is here.
#[cfg(not(madsim))]
#[test]
#[expect(clippy::print_stderr, reason = "whoever looks for the missing tests reads this")]
fn the_second_engine_is_left_out() {
    eprintln!(
        "skipped: built without `--cfg madsim`. It is set in .cargo/config.toml; an exported RUSTFLAGS replaces it."
    );
}
