//! A store of strings by key: get, put, append.

use super::linear::{Ahead, Coming, Sequential};

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
    type State = String;

    fn key(&self, op: &StoreOp) -> String {
        op.key.clone()
    }

    fn initial(&self, _key: &String) -> String {
        String::new()
    }

    fn step(&self, state: &String, op: &StoreOp, ret: Option<&StoreRet>) -> Option<String> {
        match (&op.call, ret) {
            (StoreCall::Get, None) => Some(state.clone()),
            (StoreCall::Get, Some(StoreRet::Value(value))) => {
                (value == state).then(|| state.clone())
            }
            (StoreCall::Put(value), None | Some(StoreRet::Done)) => Some(value.clone()),
            (StoreCall::Append(value), None | Some(StoreRet::Done)) => {
                Some(format!("{state}{value}"))
            }
            (StoreCall::Get | StoreCall::Put(_) | StoreCall::Append(_), Some(_)) => None,
        }
    }

    fn reads_only(&self, op: &StoreOp, _ret: Option<&StoreRet>) -> bool {
        matches!(op.call, StoreCall::Get)
    }

    /// Strings only grow, except by a put. So the get that returns first must begin with `state`, unless
    /// a put can come before it whose string it begins with.
    fn hopeless(&self, state: &String, ahead: &Ahead<'_, Self>) -> bool {
        let mut got = None;
        for event in ahead.coming() {
            if let Coming::Returned(_, StoreRet::Value(value)) = event {
                got = Some(value);
                break;
            }
        }
        let Some(got) = got else { return false };
        if got.starts_with(state.as_str()) {
            return false;
        }
        let explains = |op: &StoreOp| matches!(&op.call, StoreCall::Put(value) if got.starts_with(value.as_str()));
        for event in ahead.coming() {
            match event {
                Coming::Invoked(op) if explains(op) => return false,
                Coming::Returned(_, StoreRet::Value(_)) => break,
                Coming::Invoked(_) | Coming::Returned(..) => {}
            }
        }
        !ahead.unknown().any(explains)
    }

    /// Whoever sees the effect of a put or an append, before the next put wipes it out, gets a string
    /// that begins with the state after it.
    fn unseen(&self, state: &String, ahead: &Ahead<'_, Self>) -> bool {
        !ahead.coming().any(|event| {
            matches!(event, Coming::Returned(_, StoreRet::Value(value)) if value.starts_with(state.as_str()))
        })
    }
}
