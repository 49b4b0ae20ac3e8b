//! A register per key: read, write, compare and set.

use std::hash::Hash;
use std::marker::PhantomData;

use super::linear::{Ahead, Coming, Held, Outlook, Sequential};

/// The specification of registers with keys `K` and values `V`. A register begins without a value.
#[derive(Clone, Copy, Debug, Default)]
pub struct Register<K, V>(PhantomData<(K, V)>);

impl<K, V> Register<K, V> {
    /// The specification; it has no parameters.
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

/// An operation on the register `key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterOp<K, V> {
    /// Which register.
    pub key: K,
    /// What to do with it.
    pub call: RegisterCall<V>,
}

/// What to do with a register; `None` is "no value".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegisterCall<V> {
    /// Answer the value.
    Read,
    /// Replace the value.
    Write(Option<V>),
    /// Replace the value by `new` if it is `expected`, and answer whether it was.
    CompareAndSet {
        /// The value that the register must have.
        expected: Option<V>,
        /// The value that it then gets.
        new: Option<V>,
    },
}

/// What an operation on a register answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegisterRet<V> {
    /// A read's value.
    Value(Option<V>),
    /// A write was done.
    Written,
    /// Whether a compare-and-set found the expected value, and so took effect.
    Set(bool),
}

impl<K: Clone + Ord, V: Clone + Eq + Hash> Sequential for Register<K, V> {
    type Key = K;
    type Op = RegisterOp<K, V>;
    type Ret = RegisterRet<V>;
    type State = Held<Option<V>>;

    fn key(&self, op: &Self::Op) -> K {
        op.key.clone()
    }

    fn initial(&self, _key: &K) -> Self::State {
        Held::This(None)
    }

    fn step(
        &self,
        state: &Self::State,
        op: &Self::Op,
        ret: Option<&Self::Ret>,
    ) -> Option<Self::State> {
        use RegisterCall::{CompareAndSet, Read, Write};
        use RegisterRet::{Set, Value, Written};
        let holds = |value: &Option<V>| matches!(state, Held::This(held) if held == value);
        match (&op.call, ret) {
            (Read, None) => Some(state.clone()),
            (Read, Some(Value(value))) => holds(value).then(|| state.clone()),
            (Write(value), None | Some(Written)) => Some(Held::This(value.clone())),
            (CompareAndSet { expected, new }, None | Some(Set(true))) => {
                holds(expected).then(|| Held::This(new.clone()))
            }
            (CompareAndSet { expected, .. }, Some(Set(false))) => {
                (!holds(expected)).then(|| state.clone())
            }
            (Read | Write(_) | CompareAndSet { .. }, Some(_)) => None,
        }
    }

    fn reads_only(&self, op: &Self::Op, ret: Option<&Self::Ret>) -> bool {
        matches!(op.call, RegisterCall::Read) || matches!(ret, Some(RegisterRet::Set(false)))
    }

    /// Values that nobody will read or expect are all one.
    fn outlook(&self, state: Self::State, ahead: &Ahead<'_, Self>) -> Outlook<Self::State> {
        match state {
            Held::This(value) if is_seen(&value, ahead) => Outlook::Open(Held::This(value)),
            Held::This(_) | Held::Unseen => Outlook::Open(Held::Unseen),
        }
    }

    fn is_blind(&self, op: &Self::Op, history: &Ahead<'_, Self>) -> bool {
        matches!(&op.call, RegisterCall::Write(value) if !is_seen(value, history))
    }
}

/// Whether any operation reads `value` or expects it. A compare-and-set that failed tells only the value
/// that it expected from all others.
fn is_seen<K, V>(value: &Option<V>, ahead: &Ahead<'_, Register<K, V>>) -> bool
where
    K: Clone + Ord,
    V: Clone + Eq + Hash,
{
    let expects = |op: &RegisterOp<K, V>| match &op.call {
        RegisterCall::CompareAndSet { expected, .. } => expected == value,
        RegisterCall::Read | RegisterCall::Write(_) => false,
    };
    let sees = |event| match event {
        Coming::Returned(_, RegisterRet::Value(read)) => read == value,
        Coming::Returned(op, _) => expects(op),
        Coming::Invoked(_) => false,
        Coming::Later => true,
    };
    ahead.coming().any(sees) || ahead.unknown().any(expects)
}
