//! What a vbucket is, in as few words as possible: the judge's own picture, which shares nothing with the model.

use std::collections::BTreeMap;

use super::op::{Call, Count, Key, Store, Value, Verb};
use super::response::Answer;

/// What stands in a key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Item {
    /// The value.
    pub value: Value,
    /// Kept with it.
    pub flags: u32,
    /// The second in which it is gone, if any.
    pub until: Option<u64>,
    /// Its version.
    pub cas: u64,
}

/// A vbucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vbucket {
    /// What stands in it.
    pub items: BTreeMap<Key, Item>,
    /// What stood in it when the online update began that is under way.
    pub before: Option<BTreeMap<Key, Item>>,
}

/// More seconds than this are an instant, rather than a time to live.
const LIVES_MAX: u64 = 30 * 24 * 60 * 60;

impl Vbucket {
    /// What stands in a key in this second.
    #[must_use]
    pub fn get(&self, key: Key, now: u64) -> Option<&Item> {
        self.items.get(&key).filter(|item| item.until.is_none_or(|until| now < until))
    }

    /// Does what a client asks for in this second, and answers. A new version is called `cas`; one that was asked for, `seen`.
    pub fn serve(&mut self, call: &Call, seen: u64, now: u64, cas: u64) -> Answer {
        let Some(key) = call.key() else { return Answer::NotSupported };
        let old = self.get(key, now).cloned();
        let (answer, change) = served(call, seen, now, cas, old);
        match change {
            None => {}
            Some(Some(item)) => drop(self.items.insert(key, item)),
            Some(None) => drop(self.items.remove(&key)),
        }
        answer
    }

    /// From now on changes can be taken back.
    pub fn start(&mut self) {
        self.before = Some(self.items.clone());
    }

    /// They count.
    pub fn complete(&mut self) {
        self.before = None;
    }

    /// They never were.
    pub fn revert(&mut self) {
        self.items = self.before.take().unwrap_or_default();
    }
}

/// What a call answers where that stands in its key, and what it makes of the key if it changes anything.
#[must_use]
pub fn served(
    call: &Call,
    seen: u64,
    now: u64,
    cas: u64,
    old: Option<Item>,
) -> (Answer, Option<Option<Item>>) {
    let (item, answer) = match call {
        Call::Get(_) => {
            let answer = old.map_or(Answer::NotFound, |Item { value, flags, cas, .. }| {
                Answer::Found { value, flags, cas }
            });
            return (answer, None);
        }
        Call::Delete(_) => match old {
            None => return (Answer::NotFound, None),
            Some(_) => return (Answer::Deleted, Some(None)),
        },
        Call::Store(store) => match stored(store, seen, now, old) {
            Err(refused) => return (refused, None),
            Ok(item) => (item, Answer::Stored(cas)),
        },
        Call::Count(count) => match counted(count, now, old) {
            Err(refused) => return (refused, None),
            Ok((number, item)) => (item, Answer::Counted(number, cas)),
        },
        _ => return (Answer::NotSupported, None),
    };
    if item.value.is_too_long() {
        return (Answer::TooLong, None);
    }
    (answer, Some(Some(Item { cas, ..item })))
}

fn stored(store: &Store, seen: u64, now: u64, old: Option<Item>) -> Result<Item, Answer> {
    let Store { verb, value, flags, expiry, .. } = store;
    let new = Item { value: value.clone(), flags: *flags, until: until(*expiry, now), cas: 0 };
    match (verb, old) {
        (Verb::Set, _) | (Verb::Add, None) | (Verb::Replace, Some(_)) => Ok(new),
        (Verb::Add, Some(_)) => Err(Answer::Exists),
        (Verb::Replace, None) => Err(Answer::NotFound),
        (Verb::Cas, _) if seen == 0 => Ok(new),
        (Verb::Cas, None) => Err(Answer::NotFound),
        (Verb::Cas, Some(old)) if old.cas == seen => Ok(new),
        (Verb::Cas, Some(_)) => Err(Answer::Exists),
        (Verb::Append | Verb::Prepend, None) => Err(Answer::NotStored),
        (Verb::Append, Some(old)) => Ok(Item { value: old.value.joined(value), ..old }),
        (Verb::Prepend, Some(old)) => Ok(Item { value: value.joined(&old.value), ..old }),
    }
}

fn counted(count: &Count, now: u64, old: Option<Item>) -> Result<(u64, Item), Answer> {
    let (number, item) = match (old, count.initial) {
        // The protocol has no other word for a counter that is not to be made.
        (None, None | Some((_, u32::MAX))) => return Err(Answer::NotFound),
        (None, Some((number, expiry))) => {
            let value = Value::new("");
            (number, Item { value, flags: 0, until: until(expiry, now), cas: 0 })
        }
        (Some(old), _) => match (old.value.number(), count.down) {
            (None, _) => return Err(Answer::BadDelta),
            (Some(number), false) => (number.wrapping_add(count.by), old),
            (Some(number), true) => (number.saturating_sub(count.by), old),
        },
    };
    Ok((number, Item { value: Value::new(&number.to_string()), ..item }))
}

fn until(expiry: u32, now: u64) -> Option<u64> {
    match u64::from(expiry) {
        0 => None,
        lives if lives <= LIVES_MAX => Some(now.saturating_add(lives)),
        instant => Some(instant),
    }
}
