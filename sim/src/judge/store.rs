//! A store of strings by key: get, put, append.

use super::linear::{Ahead, Coming, Held, Outlook, Sequential};

/// The specification of the store. An absent key reads as the empty string.
#[derive(Clone, Copy, Debug, Default)]
pub struct Store;

/// An operation on the string at `key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreOp {
    /// Which string.
    pub key: String,
    /// What to do with it.
    pub call: StoreCall,
}

/// What to do with a string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreCall {
    /// Answer it.
    Get,
    /// Replace it.
    Put(String),
    /// Add to its end.
    Append(String),
}

/// What an operation on the store answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreRet {
    /// A get's string.
    Value(String),
    /// A put or an append was done.
    Done,
}

impl Sequential for Store {
    type Key = String;
    type Op = StoreOp;
    type Ret = StoreRet;
    type State = Held<String>;

    fn key(&self, op: &StoreOp) -> String {
        op.key.clone()
    }

    fn initial(&self, _key: &String) -> Held<String> {
        Held::This(String::new())
    }

    fn step(
        &self,
        state: &Held<String>,
        op: &StoreOp,
        ret: Option<&StoreRet>,
    ) -> Option<Held<String>> {
        match (&op.call, ret) {
            (StoreCall::Get, None) => Some(state.clone()),
            (StoreCall::Get, Some(StoreRet::Value(value))) => {
                matches!(state, Held::This(held) if held == value).then(|| state.clone())
            }
            (StoreCall::Put(value), None | Some(StoreRet::Done)) => Some(Held::This(value.clone())),
            (StoreCall::Append(value), None | Some(StoreRet::Done)) => Some(match state {
                Held::This(held) => Held::This(format!("{held}{value}")),
                Held::Unseen => Held::Unseen,
            }),
            (StoreCall::Get | StoreCall::Put(_) | StoreCall::Append(_), Some(_)) => None,
        }
    }

    fn reads_only(&self, op: &StoreOp, _ret: Option<&StoreRet>) -> bool {
        matches!(op.call, StoreCall::Get)
    }

    /// Strings only grow, until a put replaces them. So whoever gets a string before the next put gets
    /// one that begins with the present one; and what no get will see does not matter, and need not have
    /// come about by an operation of unknown outcome.
    fn outlook(&self, state: Held<String>, ahead: &Ahead<'_, Self>) -> Outlook<Held<String>> {
        let first = ahead.coming().find_map(got);
        if first.is_some_and(|first| !can_become(&state, first, ahead)) {
            return Outlook::Hopeless;
        }
        let seen = |held: &str| ahead.coming().filter_map(got).any(|value| value.starts_with(held));
        match state {
            Held::This(held) if seen(&held) => Outlook::Open(Held::This(held)),
            Held::This(_) | Held::Unseen => Outlook::Unseen(Held::Unseen),
        }
    }
}

/// The answer of a get that is still to be placed.
fn got<'a>(event: Coming<'a, Store>) -> Option<&'a String> {
    match event {
        Coming::Returned(_, StoreRet::Value(value)) => Some(value),
        Coming::Invoked(_) | Coming::Returned(..) => None,
    }
}

/// Whether the string that the first get of `ahead` answers can come about: from the present one, or
/// from that of a put which can still come before that get returns.
fn can_become(state: &Held<String>, first: &str, ahead: &Ahead<'_, Store>) -> bool {
    if matches!(state, Held::This(held) if first.starts_with(held.as_str())) {
        return true;
    }
    let explains = |op: &StoreOp| match &op.call {
        StoreCall::Put(value) => first.starts_with(value.as_str()),
        StoreCall::Get | StoreCall::Append(_) => false,
    };
    for event in ahead.coming() {
        match event {
            Coming::Invoked(op) if explains(op) => return true,
            Coming::Returned(_, StoreRet::Value(_)) => break,
            Coming::Invoked(_) | Coming::Returned(..) => {}
        }
    }
    ahead.unknown().any(explains)
}
