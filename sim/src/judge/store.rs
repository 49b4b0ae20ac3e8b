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
        if is_hopeless(&state, ahead) {
            return Outlook::Hopeless;
        }
        match state {
            Held::This(held) if is_seen(&held, ahead) => Outlook::Open(Held::This(held)),
            Held::This(_) | Held::Unseen => Outlook::Unseen(Held::Unseen),
        }
    }
}

/// Whether any get that is still to be placed may see that the string was `held`.
fn is_seen(held: &str, ahead: &Ahead<'_, Store>) -> bool {
    ahead.coming().any(|event| match event {
        Coming::Returned(_, StoreRet::Value(value)) => value.starts_with(held),
        Coming::Returned(_, StoreRet::Done) | Coming::Invoked(_) => false,
        Coming::Later => true,
    })
}

/// Whether the string that the first get of `ahead` answers cannot come about: not from the present one,
/// and not from that of a put which can still come before that get returns.
fn is_hopeless(state: &Held<String>, ahead: &Ahead<'_, Store>) -> bool {
    let first = ahead.coming().find_map(|event| match event {
        Coming::Returned(_, StoreRet::Value(value)) => Some(value),
        Coming::Returned(_, StoreRet::Done) | Coming::Invoked(_) | Coming::Later => None,
    });
    let Some(first) = first else { return false };
    if matches!(state, Held::This(held) if first.starts_with(held.as_str())) {
        return false;
    }
    let explains = |op: &StoreOp| match &op.call {
        StoreCall::Put(value) => first.starts_with(value.as_str()),
        StoreCall::Get | StoreCall::Append(_) => false,
    };
    for event in ahead.coming() {
        match event {
            Coming::Invoked(op) if explains(op) => return false,
            Coming::Returned(_, StoreRet::Value(_)) | Coming::Later => break,
            Coming::Returned(_, StoreRet::Done) | Coming::Invoked(_) => {}
        }
    }
    !ahead.unknown().any(explains)
}
