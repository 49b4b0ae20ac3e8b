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
    let returns: Vec<u64> = history.iter().flat_map(|o| o.returned.as_ref().map(|r| r.0)).collect();
    // Returns at one position are taken in the order of the history, as the checker does.
    let is_before = |index: usize, at: u64| at < end || at == end && index < last;
    assert!(returns.contains(&end));
    let on_key = history.iter().enumerate().filter(|(_, o)| spec.key(&o.op) == refuted.key);
    let begun = on_key.filter(|(_, o)| o.invoked <= end).map(|(index, operation)| {
        let mut operation = operation.clone();
        let keep = |at: u64| is_before(index, at) || with && index == last;
        operation.returned = operation.returned.filter(|(at, _)| keep(*at));
        operation
    });
    begun.collect()
}

/// Whether the order of a refutation answers what was answered before the return that it names.
fn replays<T: Toy, S>(spec: &S, history: &History<T>, refuted: &Refutation<S::Key>) -> bool
where
    S: Sequential<Op = T::Op, Ret = T::Ret>,
{
    let last = refuted.unplaced[0];
    let ends = |index: usize| history[index].returned.as_ref().map(|(end, _)| (*end, index));
    let counts = |index: usize| ends(index).is_some_and(|end| Some(end) < ends(last));
    let mut world = T::World::default();
    let answers = refuted.order.iter().all(|&index| {
        let ret = T::execute(&mut world, &history[index].op);
        let seen = history[index].returned.as_ref();
        !counts(index) || seen.is_some_and(|(_, seen)| *seen == ret)
    });
    let on_key = |index: &usize| spec.key(&history[*index].op) == refuted.key;
    let returned = (0..history.len()).filter(on_key).filter(|&index| counts(index));
    answers && returned.into_iter().all(|index| refuted.order.contains(&index))
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
                assert!(replays::<T, S>(spec, &history, &refuted), "seed {seed}: {history:?}");
            }
            Verdict::Inconclusive { .. } => panic!("seed {seed} has exhausted the budget"),
        }
    }
    linearizable
}

/// Up to six operations of up to three processes.
fn small(dice: &mut Dice) -> Shape {
    Shape {
        processes: 1 + dice.below(3),
        operations: 2 + dice.below(5),
        unknown: 1 + dice.below(12),
        lies: dice.below(8),
    }
}

#[test]
fn brute_force_agrees_on_a_hundred_thousand_register_histories() {
    let linearizable = compare::<Registers, _>(&Register::new(), 100_000, small);
    assert!((40_000..60_000).contains(&linearizable), "{linearizable}");
}

#[test]
fn brute_force_agrees_on_histories_of_strings() {
    let shape = |dice: &mut Dice| Shape {
        operations: 3 + dice.below(4),
        lies: dice.below(16),
        ..small(dice)
    };
    let linearizable = compare::<Strings, _>(&Store, 50_000, shape);
    assert!((15_000..35_000).contains(&linearizable), "{linearizable}");
}

#[test]
fn brute_force_agrees_where_more_processes_overlap() {
    let shape = |dice: &mut Dice| Shape {
        processes: 5,
        operations: 8,
        unknown: 2 + dice.below(4),
        lies: dice.below(4),
    };
    let linearizable = compare::<Registers, _>(&Register::new(), 3_000, shape);
    assert!((1_000..2_500).contains(&linearizable), "{linearizable}");
    let linearizable = compare::<Strings, _>(&Store, 3_000, shape);
    assert!((1_000..2_500).contains(&linearizable), "{linearizable}");
}

/// A specification without any of the hints that cut the search.
struct Plain<S>(S);

impl<S: Sequential> Sequential for Plain<S> {
    type Key = S::Key;
    type Op = S::Op;
    type Ret = S::Ret;
    type State = S::State;

    fn key(&self, op: &S::Op) -> S::Key {
        self.0.key(op)
    }

    fn initial(&self, key: &S::Key) -> S::State {
        self.0.initial(key)
    }

    fn step(&self, state: &S::State, op: &S::Op, ret: Option<&S::Ret>) -> Option<S::State> {
        self.0.step(state, op, ret)
    }
}

/// The key and the operations that a refutation names.
fn place<K>(verdict: Verdict<K>) -> Option<(K, Vec<usize>)> {
    match verdict {
        Verdict::Linearizable => None,
        Verdict::NotLinearizable(Refutation { key, unplaced, .. }) => Some((key, unplaced)),
        Verdict::Inconclusive { steps } => panic!("not decided in {steps} steps"),
    }
}

/// Compares the verdicts with and without hints on histories that are too long for brute force.
fn hints_cut_nothing<T: Toy, S>(make: impl Fn() -> S)
where
    S: Sequential<Op = T::Op, Ret = T::Ret>,
    S::Key: PartialEq + std::fmt::Debug,
{
    let mut linearizable = 0;
    for seed in 0..2_000 {
        let mut dice = Dice::new(seed + 1);
        let shape =
            Shape { processes: 4, operations: 16, unknown: 4 + dice.below(8), lies: dice.below(4) };
        let history = made_up::<T>(&mut dice, &shape);
        let with = place(check(&make(), &history, PLENTY));
        let without = place(check(&Plain(make()), &history, PLENTY));
        assert_eq!(with, without, "seed {seed}");
        linearizable += u64::from(with.is_none());
    }
    assert!((500..1_500).contains(&linearizable), "{linearizable}");
}

#[test]
fn what_the_register_foresees_changes_no_verdict() {
    hints_cut_nothing::<Registers, _>(Register::new);
}

#[test]
fn what_the_store_foresees_changes_no_verdict() {
    hints_cut_nothing::<Strings, _>(|| Store);
}

#[test]
fn long_histories_with_dozens_of_unknown_outcomes_are_decided_quickly() {
    let mut refuted = 0;
    for seed in 0..60 {
        let mut dice = Dice::new(seed + 1);
        let shape =
            Shape { processes: 10, operations: 200, unknown: 4, lies: (dice.below(3) / 2) * 16 };
        let registers = made_up::<Registers>(&mut dice, &shape);
        let unknown = registers.iter().filter(|o| o.returned.is_none()).count();
        assert!(unknown > 24, "seed {seed}: {unknown}");
        // Strings of few different pieces can come about in many ways.
        let strings = made_up::<Strings>(&mut dice, &shape);
        let verdicts = [
            place(check(&Register::new(), &registers, 100_000)).is_some(),
            place(check(&Store, &strings, 2_000_000)).is_some(),
        ];
        if shape.lies == 0 {
            assert_eq!(verdicts, [false, false], "seed {seed}");
        }
        refuted += verdicts.iter().filter(|&&refuted| refuted).count();
    }
    assert!((15..40).contains(&refuted), "{refuted}");
}

type RegisterHistory = Vec<Operation<RegisterOp<u8, u8>, RegisterRet<u8>>>;

fn write(value: u8, invoked: u64, returned: Option<u64>) -> RegisterHistory {
    let returned = returned.map(|at| (at, RegisterRet::Written));
    let call = RegisterCall::Write(Some(value));
    vec![operation(0, call, invoked, returned)]
}

fn read(value: u8, invoked: u64, returned: u64) -> RegisterHistory {
    let returned = Some((returned, RegisterRet::Value(Some(value))));
    vec![operation(0, RegisterCall::Read, invoked, returned)]
}

fn operation(
    key: u8,
    call: RegisterCall<u8>,
    invoked: u64,
    returned: Option<(u64, RegisterRet<u8>)>,
) -> Operation<RegisterOp<u8, u8>, RegisterRet<u8>> {
    let op = RegisterOp { key, call };
    Operation { process: 0, op, invoked, returned }
}

fn verdict(parts: &[RegisterHistory]) -> Verdict<u8> {
    check(&Register::new(), &parts.concat(), PLENTY)
}

#[test]
fn a_read_after_the_return_of_a_write_sees_it() {
    let stale = [write(1, 0, Some(1)), write(2, 2, Some(3)), read(1, 4, 5)];
    let refuted = Refutation { key: 0, unplaced: vec![2], open: vec![], order: vec![0, 1] };
    assert_eq!(verdict(&stale), Verdict::NotLinearizable(refuted));
    let overlapping = [write(1, 0, Some(1)), write(2, 2, Some(5)), read(1, 3, 4)];
    assert_eq!(verdict(&overlapping), Verdict::Linearizable);
}

#[test]
fn operations_that_touch_at_one_position_overlap() {
    let touching = [write(1, 0, Some(1)), write(2, 2, Some(3)), read(1, 3, 4)];
    assert_eq!(verdict(&touching), Verdict::Linearizable);
}

#[test]
fn an_unknown_write_takes_effect_late_or_never_but_not_before_it_is_invoked() {
    let late = [write(1, 0, None), write(2, 1, Some(2)), read(2, 3, 4), read(1, 5, 6)];
    assert_eq!(verdict(&late), Verdict::Linearizable);
    let never = [write(1, 0, None), write(2, 1, Some(2)), read(2, 3, 4)];
    assert_eq!(verdict(&never), Verdict::Linearizable);
    let early = [write(2, 0, Some(1)), read(1, 2, 3), write(1, 4, None)];
    assert!(matches!(verdict(&early), Verdict::NotLinearizable(_)));
    let twice = [
        write(1, 0, None),
        write(2, 1, Some(2)),
        read(1, 3, 4),
        write(2, 5, Some(6)),
        read(1, 7, 8),
    ];
    assert!(matches!(verdict(&twice), Verdict::NotLinearizable(_)));
}

#[test]
fn a_history_without_answers_is_linearizable() {
    assert_eq!(verdict(&[]), Verdict::Linearizable);
    assert_eq!(verdict(&[write(1, 5, None)]), Verdict::Linearizable);
}

#[test]
fn without_a_budget_nothing_is_decided() {
    let history = [write(1, 0, Some(1))].concat();
    let verdict = check(&Register::new(), &history, 0);
    assert_eq!(verdict, Verdict::Inconclusive { steps: 0 });
}

/// So many overlapping writes, and a read of what none of them wrote.
fn hard(key: u8, writes: u8) -> RegisterHistory {
    let written = || Some((9, RegisterRet::Written));
    let write = |value| operation(key, RegisterCall::Write(Some(value)), 0, written());
    let mut history: RegisterHistory = (0..writes).map(write).collect();
    history.push(operation(key, RegisterCall::Read, 0, impossible()));
    history
}

/// The answer to a read of a value that nobody wrote.
fn impossible() -> Option<(u64, RegisterRet<u8>)> {
    Some((9, RegisterRet::Value(Some(99))))
}

#[test]
fn a_hard_key_does_not_keep_an_easy_one_from_being_refuted() {
    let mut history = hard(0, 30);
    let alone = check(&Register::new(), &history, 50_000);
    assert!(matches!(alone, Verdict::Inconclusive { steps: 50_000 }));
    history.push(operation(1, RegisterCall::Read, 0, impossible()));
    let both = check(&Register::new(), &history, 50_000);
    assert!(matches!(both, Verdict::NotLinearizable(Refutation { key: 1, .. })));
}

#[test]
fn a_hard_key_gets_what_easy_ones_leave_over() {
    let mut history = hard(0, 10);
    history.extend((1..100).flat_map(|key| hard(key, 1)).filter(|o| o.returned != impossible()));
    let verdict = check(&Register::new(), &history, 20_000);
    assert!(matches!(verdict, Verdict::NotLinearizable(Refutation { key: 0, .. })));
}

/// A client that does one thing after the other to a string.
fn sequence(steps: Vec<(StoreCall, StoreRet)>) -> Vec<Operation<StoreOp, StoreRet>> {
    let operations = steps.into_iter().zip(0..).map(|((call, ret), at)| Operation {
        process: 0,
        op: StoreOp { key: "a".to_owned(), call },
        invoked: at * 2,
        returned: Some((at * 2 + 1, ret)),
    });
    operations.collect()
}

#[test]
fn a_refutation_that_cannot_be_narrowed_down_names_all_suspects() {
    let append = || (StoreCall::Append("y".to_owned()), StoreRet::Done);
    let mut steps = vec![(StoreCall::Put("x".to_owned()), StoreRet::Done)];
    steps.extend((0..6).map(|_| append()));
    steps.push((StoreCall::Get, StoreRet::Value("other".to_owned())));
    let history = sequence(steps);
    let suspects = |budget| match check(&Store, &history, budget) {
        Verdict::NotLinearizable(refuted) => refuted.unplaced,
        other => panic!("{other:?}"),
    };
    assert_eq!(suspects(PLENTY), [7]);
    let many = suspects(3);
    assert!(many.len() > 1 && many.contains(&7), "{many:?}");
}

#[test]
fn what_is_seen_only_beyond_the_horizon_counts() {
    let pieces = 1_000;
    let mut steps = vec![(StoreCall::Append("x".to_owned()), StoreRet::Done); pieces];
    steps.push((StoreCall::Get, StoreRet::Value("x".repeat(pieces))));
    let verdict = check(&Store, &sequence(steps.clone()), PLENTY);
    assert_eq!(verdict, Verdict::Linearizable);
    steps.push((StoreCall::Get, StoreRet::Value(String::new())));
    let verdict = check(&Store, &sequence(steps), PLENTY);
    assert!(matches!(verdict, Verdict::NotLinearizable(refuted) if refuted.unplaced == [1_001]));
}

#[test]
#[should_panic(expected = "operation 0 returns before it is invoked")]
fn a_return_before_the_invocation_is_refused() {
    verdict(&[write(1, 5, Some(4))]);
}

/// A counter whose operations are said to only read.
struct Liar;

impl Sequential for Liar {
    type Key = ();
    type Op = ();
    type Ret = ();
    type State = u8;

    fn key(&self, _op: &()) {}

    fn initial(&self, _key: &()) -> u8 {
        0
    }

    fn step(&self, state: &u8, _op: &(), _ret: Option<&()>) -> Option<u8> {
        Some(state + 1)
    }

    fn reads_only(&self, _op: &(), _ret: Option<&()>) -> bool {
        true
    }
}

#[test]
#[should_panic(expected = "an operation that only reads changed the state")]
fn a_specification_that_lies_about_reading_is_caught() {
    let operation = Operation { process: 0, op: (), invoked: 0, returned: Some((1, ())) };
    check(&Liar, &[operation], PLENTY);
}
