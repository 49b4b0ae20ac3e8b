//! A stranger to the search: tries every order of a small history, with its own idea of each operation.
//! And the maker of the histories on which the two are compared.

use super::Operation;
use crate::judge::register::{RegisterCall, RegisterOp, RegisterRet};
use crate::judge::store::{StoreCall, StoreOp, StoreRet};

/// Xorshift; enough to make test data.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) | 1)
    }

    /// A number below `bound`.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 20) % bound as u64).unwrap()
    }

    /// True once in `times`.
    pub(super) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

/// What brute force and the generator need to know of a kind of history: how to execute, and how to
/// make things up.
pub(super) trait Toy {
    type Op: Clone;
    type Ret: Clone + PartialEq;
    type World: Clone + Default;

    fn execute(world: &mut Self::World, op: &Self::Op) -> Self::Ret;
    fn make_up(dice: &mut Dice) -> Self::Op;
    /// Another answer of the right kind, if there is one.
    fn lie(dice: &mut Dice, op: &Self::Op, ret: &Self::Ret) -> Self::Ret;
}

pub(super) type History<T> = Vec<Operation<<T as Toy>::Op, <T as Toy>::Ret>>;

/// Whether some order of some of `history` explains it: all that returned, any of the others.
pub(super) fn explicable<T: Toy>(history: &History<T>) -> bool {
    fn go<T: Toy>(history: &History<T>, left: &mut Vec<usize>, world: &T::World) -> bool {
        if left.iter().all(|&at| history[at].returned.is_none()) {
            return true;
        }
        for choice in 0..left.len() {
            let at = left[choice];
            let late = |&other: &usize| {
                history[other].returned.as_ref().is_some_and(|(end, _)| *end < history[at].invoked)
            };
            if left.iter().any(late) {
                continue;
            }
            let mut world = world.clone();
            let ret = T::execute(&mut world, &history[at].op);
            if history[at].returned.as_ref().is_none_or(|(_, seen)| *seen == ret) {
                left.remove(choice);
                let found = go::<T>(history, left, &world);
                left.insert(choice, at);
                if found {
                    return true;
                }
            }
        }
        false
    }
    go::<T>(history, &mut (0..history.len()).collect(), &T::World::default())
}

/// The shape of made-up histories.
pub(super) struct Shape {
    pub(super) processes: usize,
    pub(super) operations: usize,
    /// One in so many operations never returns.
    pub(super) unknown: usize,
    /// How many answers are replaced by others.
    pub(super) lies: usize,
}

/// A history of an atomic system by interleaved processes; then `lies` answers are changed.
pub(super) fn made_up<T: Toy>(dice: &mut Dice, shape: &Shape) -> History<T> {
    let mut world = T::World::default();
    let mut history: History<T> = Vec::new();
    let mut now = 0;
    // Per process: its operation under way, and its answer once it has taken effect.
    let mut busy: Vec<Option<(usize, Option<T::Ret>)>> = vec![None; shape.processes];
    // Operations given up, which may take effect later.
    let mut adrift = Vec::new();
    while history.len() < shape.operations || busy.iter().any(Option::is_some) {
        // Two events in a row may share a position.
        now += u64::from(dice.below(3) > 0);
        if !adrift.is_empty() && dice.once_in(4) {
            let at: usize = adrift.swap_remove(dice.below(adrift.len()));
            T::execute(&mut world, &history[at].op);
        }
        let process = dice.below(shape.processes);
        match &mut busy[process] {
            slot @ None => {
                if history.len() < shape.operations {
                    *slot = Some((history.len(), None));
                    let op = T::make_up(dice);
                    history.push(Operation {
                        process: process as u64,
                        op,
                        invoked: now,
                        returned: None,
                    });
                }
            }
            slot @ Some((_, None)) if dice.once_in(shape.unknown) => {
                adrift.extend(slot.take().map(|(at, _)| at));
            }
            Some((at, ret @ None)) => *ret = Some(T::execute(&mut world, &history[*at].op)),
            Some((at, Some(ret))) => {
                history[*at].returned = Some((now, ret.clone()));
                busy[process] = None;
            }
        }
    }
    for _ in 0..shape.lies {
        let operation = &mut history[dice.below(shape.operations)];
        if let Some((_, ret)) = &mut operation.returned {
            *ret = T::lie(dice, &operation.op, ret);
        }
    }
    history
}

/// Two registers with values 1 to 3.
pub(super) struct Registers;

impl Toy for Registers {
    type Op = RegisterOp<usize, usize>;
    type Ret = RegisterRet<usize>;
    type World = [Option<usize>; 2];

    fn execute(world: &mut Self::World, op: &Self::Op) -> Self::Ret {
        let cell = &mut world[op.key];
        match &op.call {
            RegisterCall::Read => RegisterRet::Value(*cell),
            RegisterCall::Write(value) => {
                *cell = *value;
                RegisterRet::Written
            }
            RegisterCall::CompareAndSet { expected, new } => {
                let matches = *cell == *expected;
                if matches {
                    *cell = *new;
                }
                RegisterRet::Set(matches)
            }
        }
    }

    fn make_up(dice: &mut Dice) -> Self::Op {
        let value = |dice: &mut Dice| {
            if dice.once_in(8) { None } else { Some(1 + dice.below(3)) }
        };
        let call = match dice.below(5) {
            0 | 1 => RegisterCall::Read,
            2 | 3 => RegisterCall::Write(value(dice)),
            _ => RegisterCall::CompareAndSet { expected: value(dice), new: value(dice) },
        };
        RegisterOp { key: usize::from(dice.once_in(5)), call }
    }

    fn lie(dice: &mut Dice, _op: &Self::Op, ret: &Self::Ret) -> Self::Ret {
        match ret {
            RegisterRet::Value(value) => {
                RegisterRet::Value(Some((value.unwrap_or(0) + dice.below(2)) % 3 + 1))
            }
            RegisterRet::Written => RegisterRet::Written,
            RegisterRet::Set(set) => RegisterRet::Set(!set),
        }
    }
}

/// Two strings made of short pieces.
pub(super) struct Strings;

impl Toy for Strings {
    type Op = StoreOp;
    type Ret = StoreRet;
    type World = [String; 2];

    fn execute(world: &mut Self::World, op: &StoreOp) -> StoreRet {
        let text = &mut world[usize::from(op.key == "b")];
        match &op.call {
            StoreCall::Get => return StoreRet::Value(text.clone()),
            StoreCall::Put(value) => text.clone_from(value),
            StoreCall::Append(value) => text.push_str(value),
        }
        StoreRet::Done
    }

    fn make_up(dice: &mut Dice) -> StoreOp {
        let piece = |dice: &mut Dice| ["", "x", "y", "xy"][dice.below(4)].to_owned();
        let call = match dice.below(8) {
            0..=3 => StoreCall::Get,
            4 => StoreCall::Put(piece(dice)),
            _ => StoreCall::Append(piece(dice)),
        };
        StoreOp { key: ["a", "a", "a", "b"][dice.below(4)].to_owned(), call }
    }

    fn lie(dice: &mut Dice, _op: &StoreOp, ret: &StoreRet) -> StoreRet {
        match ret {
            StoreRet::Value(value) if dice.once_in(2) => {
                StoreRet::Value(value.chars().rev().collect())
            }
            StoreRet::Value(value) => StoreRet::Value(format!("{value}x")),
            StoreRet::Done => StoreRet::Done,
        }
    }
}
