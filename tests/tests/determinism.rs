//! A run is a pure function of its plan: the manner in which seeds are run does not show. (`seedbed determinism` asks the
//! same of many more seeds, and of a child process in other circumstances.)

use seedbed_models::registry::registry;
use seedbed_sim::campaign::Engine;
use seedbed_sim::campaign::determinism::{Manner, digests, parting, probe};
use std::sync::atomic::AtomicBool;

const SEEDS: u64 = 60;

#[test]
fn reused_worlds_fresh_worlds_other_orders_and_other_threads_come_to_the_same_digests() {
    let (registry, never) = (registry(), AtomicBool::new(false));
    for runner in registry.runners() {
        let of = |fresh, backwards, jobs| {
            let manner = Manner { fresh, backwards, jobs, engine: Engine::Native };
            digests(runner, &(0..SEEDS), manner, &never).expect("nobody interrupts")
        };
        let reused = of(false, false, 1);
        let unlike = reused.windows(2).filter(|pair| pair[0] != pair[1]).count();
        assert_eq!(unlike + 1, reused.len(), "{}: seeds have runs of their own", runner.name());
        for other in [of(true, true, 2), of(false, true, 3)] {
            let differs = reused.iter().zip(&other).position(|(one, other)| one != other);
            let Some(seed) = differs else { continue };
            let seed = seed as u64;
            let parted = parting(
                &probe(runner, 0..seed, seed, Engine::Native),
                &probe(runner, 0..0, seed, Engine::Native),
            );
            panic!("{} seed {seed}: {parted:#?}", runner.name());
        }
    }
}

#[test]
fn every_step_of_a_run_in_a_used_world_is_that_of_a_fresh_one() {
    let registry = registry();
    for runner in registry.runners() {
        let (used, fresh) =
            (probe(runner, 0..20, 20, Engine::Native), probe(runner, 0..0, 20, Engine::Native));
        assert_eq!(parting(&used, &fresh), None, "{}", runner.name());
        assert!(used.steps.len() > 100, "{}: a run of some length", runner.name());
    }
}
