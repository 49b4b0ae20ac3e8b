//! What clients ask, in the words of the seed file.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

mod parse;

pub(crate) use parse::has_form;

use parse::number;

/// Names a key, by its place in [`Key::NAMES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub u8);

impl Key {
    /// What keys are called. Some have the names of what a checkpoint holds beside mutations, which must not matter.
    pub const NAMES: [&'static str; 12] = [
        "a",
        "b",
        "checkpoint_start",
        "c",
        "online_update_end",
        "checkpoint_end",
        "d",
        "e",
        "f",
        "g",
        "h",
        "i",
    ];
    /// So many are enough where there are a few vbuckets.
    pub const FEW: usize = 6;
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Key::NAMES.get(usize::from(self.0)) {
            Some(name) => f.write_str(name),
            // No operation names such a key; a damaged record may.
            None => write!(f, "key{}", self.0),
        }
    }
}

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Key, String> {
        let found = Key::NAMES.iter().position(|name| *name == text);
        found
            .and_then(|at| u8::try_from(at).ok())
            .map(Key)
            .ok_or_else(|| format!("expected one of {}, found `{text}`", Key::NAMES.join(" ")))
    }
}

/// Names a vbucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vb(pub u8);

impl fmt::Display for Vb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

impl FromStr for Vb {
    type Err = String;

    fn from_str(text: &str) -> Result<Vb, String> {
        let number = text.strip_prefix('v').and_then(|digits| number(digits).ok());
        let vb = number.and_then(|n| u8::try_from(n).ok()).map(Vb);
        vb.ok_or_else(|| format!("expected a vbucket such as v0, found `{text}`"))
    }
}

/// A value: text without blanks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value(pub Arc<str>);

impl Value {
    /// A value of this text.
    #[must_use]
    pub fn new(text: &str) -> Value {
        Value(text.into())
    }

    /// The most bytes of a value.
    pub const LEN_MAX: usize = 24;

    /// Whether it is longer than a value may be.
    #[must_use]
    pub fn is_too_long(&self) -> bool {
        self.0.len() > Value::LEN_MAX
    }

    /// One behind the other.
    #[must_use]
    pub fn joined(&self, behind: &Value) -> Value {
        Value(format!("{self}{behind}").into())
    }

    /// The number that it is, if it is nothing but digits.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        let digits = !self.0.is_empty() && self.0.bytes().all(|byte| byte.is_ascii_digit());
        if digits { self.0.parse().ok() } else { None }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a value is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// Whatever is there.
    Set,
    /// Only where nothing is.
    Add,
    /// Only where something is.
    Replace,
    /// Only where the version is that the client saw last.
    Cas,
    /// Behind what is there.
    Append,
    /// Before what is there.
    Prepend,
}

impl Verb {
    /// All of them, with their words.
    pub const ALL: [(Verb, &'static str); 6] = [
        (Verb::Set, "set"),
        (Verb::Add, "add"),
        (Verb::Replace, "replace"),
        (Verb::Cas, "cas"),
        (Verb::Append, "append"),
        (Verb::Prepend, "prepend"),
    ];
}

/// A change of a key to a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Store {
    /// On which condition.
    pub verb: Verb,
    /// The key.
    pub key: Key,
    /// The value, or what is added to it.
    pub value: Value,
    /// Kept with the value; nobody looks at them.
    pub flags: u32,
    /// Seconds to live, 0 for ever; more than 30 days are an instant.
    pub expiry: u32,
}

/// A number in a key goes up or down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Count {
    /// Down, rather than up.
    pub down: bool,
    /// The key.
    pub key: Key,
    /// By this much.
    pub by: u64,
    /// What an absent key begins with, and its seconds to live; without it, an absent key stays absent.
    pub initial: Option<(u64, u32)>,
}

/// The states of a vbucket on a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Serves clients.
    Active,
    /// Follows another node's active vbucket.
    Replica,
    /// Is about to be active: clients wait.
    Pending,
    /// Serves nobody any more.
    Dead,
}

impl State {
    /// All of them, with their words.
    pub const ALL: [(State, &'static str); 4] = [
        (State::Active, "active"),
        (State::Replica, "replica"),
        (State::Pending, "pending"),
        (State::Dead, "dead"),
    ];
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(State::ALL[*self as usize].1)
    }
}

/// A command of an online update.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Update {
    /// From now on changes are volatile.
    Start,
    /// They count.
    Complete,
    /// They never were.
    Revert,
}

impl Update {
    /// All of them, with their words.
    pub const ALL: [(Update, &'static str); 3] =
        [(Update::Start, "start"), (Update::Complete, "complete"), (Update::Revert, "revert")];
}

impl fmt::Display for Update {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Update::ALL[*self as usize].1)
    }
}

/// An operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// `get a`: value, flags and cas.
    Get(Key),
    /// `set a 7 flags 3 ttl 2`, and the like.
    Store(Store),
    /// `incr a 1 initial 5 ttl 2`, `decr a 1`.
    Count(Count),
    /// `delete a`.
    Delete(Key),
    /// `start v0`: an online update.
    Update(Update, Vb),
    /// `state v0 replica`.
    State(Vb, State),
    /// `drop v0`: deletes a dead vbucket.
    Drop(Vb),
    /// `persist v0`: closes the open checkpoint and waits until it is on disk.
    Persist(Vb),
    /// `feed set a 7`: something that the scripted master does.
    Feed(Feed),
    /// `flush-all v0`: deletes every key; a temporary failure while an online update is open, as is `drop`.
    FlushAll(Vb),
}

/// What a scripted master does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Feed {
    /// `feed set a 7 flags 3 ttl 2`.
    Set(Store),
    /// `feed delete a`.
    Delete(Key),
    /// `feed close`: ends the open checkpoint.
    Close,
    /// `feed start`: a step of an online update.
    Update(Update),
    /// `feed hang-up`: loses the connection.
    HangUp,
    /// `feed lag 2`: is replaced by one that counts checkpoints from so many back.
    Lag(u32),
}

impl fmt::Display for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Feed::Set(store) => store.fmt(f),
            Feed::Delete(key) => write!(f, "delete {key}"),
            Feed::Close => write!(f, "close"),
            Feed::Update(update) => write!(f, "{update}"),
            Feed::HangUp => write!(f, "hang-up"),
            Feed::Lag(by) => write!(f, "lag {by}"),
        }
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Store { verb, key, value, flags, expiry } = self;
        write!(f, "{} {key} {value}", Verb::ALL[*verb as usize].1)?;
        if *flags != 0 {
            write!(f, " flags {flags}")?;
        }
        if *expiry != 0 { write!(f, " ttl {expiry}") } else { Ok(()) }
    }
}

impl Call {
    /// The key that it is about.
    #[must_use]
    pub fn key(&self) -> Option<Key> {
        match self {
            Call::Get(key) | Call::Delete(key) => Some(*key),
            Call::Store(store) => Some(store.key),
            Call::Count(count) => Some(count.key),
            Call::Update(..)
            | Call::State(..)
            | Call::Drop(_)
            | Call::FlushAll(_)
            | Call::Persist(_)
            | Call::Feed(_) => None,
        }
    }

    /// The vbucket that it is about, where there are so many.
    #[must_use]
    pub fn vb(&self, vbuckets: u8) -> Vb {
        match self {
            Call::Update(_, vb) | Call::State(vb, _) | Call::Drop(vb) => *vb,
            Call::Persist(vb) | Call::FlushAll(vb) => *vb,
            Call::Feed(_) => Vb(0),
            Call::Get(key) | Call::Delete(key) => home(*key, vbuckets),
            Call::Store(Store { key, .. }) | Call::Count(Count { key, .. }) => home(*key, vbuckets),
        }
    }
}

/// What neighbouring keys are apart where there are many vbuckets; odd, so that no two keys share one of the 64.
const STRIDE: u8 = 29;

/// The vbucket of a key. A few vbuckets get keys in turn. Where there are many, keys lie far apart, as a hash has it: the
/// vbuckets of the lowest numbers must not be the only ones that hold something.
#[must_use]
pub fn home(key: Key, vbuckets: u8) -> Vb {
    let is_few = usize::from(vbuckets) <= Key::FEW;
    Vb(if is_few { key.0 % vbuckets.max(1) } else { key.0.wrapping_mul(STRIDE) % vbuckets })
}

/// An operation as it goes to the node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Request {
    /// What to do.
    pub call: Call,
    /// The version that the key must have; 0 for any.
    pub cas: u64,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Call::Get(key) => write!(f, "get {key}"),
            Call::Store(store) => store.fmt(f),
            Call::Feed(feed) => write!(f, "feed {feed}"),
            Call::Count(Count { down, key, by, initial }) => {
                write!(f, "{} {key} {by}", if *down { "decr" } else { "incr" })?;
                match initial {
                    Some((initial, 0)) => write!(f, " initial {initial}"),
                    Some((initial, ttl)) => write!(f, " initial {initial} ttl {ttl}"),
                    None => Ok(()),
                }
            }
            Call::Delete(key) => write!(f, "delete {key}"),
            Call::Update(update, vb) => write!(f, "{update} {vb}"),
            Call::State(vb, state) => write!(f, "state {vb} {state}"),
            Call::Drop(vb) => write!(f, "drop {vb}"),
            Call::Persist(vb) => write!(f, "persist {vb}"),
            Call::FlushAll(vb) => write!(f, "flush-all {vb}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_there_are_many_vbuckets_keys_lie_far_apart() {
        let homes = |vbuckets| -> Vec<u8> {
            let keys = (0..).map(Key).take(Key::NAMES.len());
            keys.map(|key| home(key, vbuckets).0).collect()
        };
        assert_eq!(homes(2)[..4], [0, 1, 0, 1]);
        assert_eq!(homes(8), [0, 5, 2, 7, 4, 1, 6, 3, 0, 5, 2, 7]);
        let mut apart = homes(64);
        apart.sort_unstable();
        assert_eq!(apart, [0, 5, 11, 17, 23, 29, 34, 40, 46, 52, 58, 63]);
    }
}
