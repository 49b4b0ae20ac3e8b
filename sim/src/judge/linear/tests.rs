use super::brute::{Dice, History, Registers, Shape, Strings, Toy, explicable, made_up};
use super::{Operation, Refutation, Sequential, Verdict, check};
use crate::judge::register::{Register, RegisterCall, RegisterOp, RegisterRet};
use crate::judge::store::{Store, StoreCall, StoreOp, StoreRet};

const PLENTY: u64 = 10_000_000;

/// The part of `history` that is on `key` up to and with (or without) the return of `last`.
fn beginning<T: Toy, S>(
    spec: &S,
    history: &History<T>,
    refuted: &Refutation<S::Key>,
    with: bool,
) -> History<T>
where
    S: Sequential<Op = T::Op, Ret = T::Ret>,
    Operation<T::Op, T::Ret>: Clone,
{
    let last = refuted.unplaced[0];
    let end = history[last].returned.as_ref().unwrap().0;
    let returns: Vec<u64> = history
        .iter()
        .flat_map(|o| o.returned.as_ref().map(|r| r.0))
        .collect();
    // Returns at one position are taken in the order of the history, as the checker does.
    let is_before = |index: usize, at: u64| at < end || at == end && index < last;
    assert!(returns.contains(&end));
    let on_key = history
        .iter()
        .enumerate()
        .filter(|(_, o)| spec.key(&o.op) == refuted.key);
    let begun = on_key
        .filter(|(_, o)| o.invoked <= end)
        .map(|(index, operation)| {
            let mut operation = operation.clone();
            let keep = |at: u64| is_before(index, at) || with && index == last;
            operation.returned = operation.returned.filter(|(at, _)| keep(*at));
            operation
        });
    begun.collect()
}

/// Compares the checker with brute force on `count` histories and says how many were linearizable.
fn compare<T: Toy, S>(spec: &S, count: u64, shape: impl Fn(&mut Dice) -> Shape) -> u64
where
    S: Sequential<Op = T::Op, Ret = T::Ret>,
    Operation<T::Op, T::Ret>: Clone + std::fmt::Debug,
{
    let mut linearizable = 0;
    for seed in 0..count {
        let mut dice = Dice::new(seed + 1);
        let shape = shape(&mut dice);
        let history = made_up::<T>(&mut dice, &shape);
        match check(spec, &history, PLENTY) {
            Verdict::Linearizable => {
                assert!(explicable::<T>(&history), "seed {seed}: {history:?}");
                linearizable += 1;
            }
            Verdict::NotLinearizable(refuted) => {
                assert!(!explicable::<T>(&history), "seed {seed}: {history:?}");
                assert_eq!(refuted.unplaced.len(), 1, "seed {seed}");
                let too_much = beginning::<T, S>(spec, &history, &refuted, true);
                assert!(!explicable::<T>(&too_much), "seed {seed}: {history:?}");
                let longest = beginning::<T, S>(spec, &history, &refuted, false);
                assert!(explicable::<T>(&longest), "seed {seed}: {history:?}");
            }
            Verdict::Inconclusive { .. } => panic!("seed {seed} has exhausted the budget"),
        }
    }
    linearizable
}

fn small(dice: &mut Dice) -> Shape {
    Shape {
        processes: 1 + dice.below(3),
        operations: 1 + dice.below(6),
        unknown: 1 + dice.below(8),
        lies: dice.below(5),
    }
}

#[test]
fn brute_force_agrees_on_a_hundred_thousand_register_histories() {
    let linearizable = compare::<Registers, _>(&Register::new(), 100_000, small);
    assert!((30_000..70_000).contains(&linearizable), "{linearizable}");
}

#[test]
fn brute_force_agrees_on_histories_of_strings() {
    let linearizable = compare::<Strings, _>(&Store, 50_000, small);
    assert!((15_000..35_000).contains(&linearizable), "{linearizable}");
}
