//! What a key is to its clients, in as few words as possible: the judge's own picture, which shares nothing with the model.

use seedbed_sim::judge::linear::Sequential;

/// A key, by its place.
pub type Place = u8;
/// A value and its flags.
pub type Value = (std::sync::Arc<str>, u32);

/// Keys, each without a value at first.
pub struct Keys;

/// What is done to a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Look.
    Get,
    /// Store whatever is there.
    Set(Value),
    /// Store where nothing is.
    Add(Value),
    /// Store where something is.
    Replace(Value),
    /// Take out.
    Delete,
    /// The time of this value runs out.
    Expire(Value),
    /// A node has lost what it may lose: this is what is left.
    Fall(Option<Value>),
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// This is there.
    Found(Value),
    /// Nothing is there.
    Absent,
    /// Something is there.
    Exists,
    /// It was done.
    Done,
}

impl Sequential for Keys {
    type Key = Place;
    type Op = (Place, Access);
    type Ret = Said;
    type State = Option<Value>;

    fn key(&self, (place, _): &(Place, Access)) -> Place {
        *place
    }

    fn initial(&self, _: &Place) -> Option<Value> {
        None
    }

    fn step(
        &self,
        state: &Option<Value>,
        (_, access): &(Place, Access),
        said: Option<&Said>,
    ) -> Option<Option<Value>> {
        let (would_say, next) = match (access, state) {
            (Access::Get, Some(value)) => (Said::Found(value.clone()), state.clone()),
            (Access::Get | Access::Delete | Access::Replace(_), None) => (Said::Absent, None),
            (Access::Add(_), Some(_)) => (Said::Exists, state.clone()),
            (Access::Delete, Some(_)) => (Said::Done, None),
            (Access::Set(value), _)
            | (Access::Add(value), None)
            | (Access::Replace(value), Some(_)) => (Said::Done, Some(value.clone())),
            (Access::Fall(left), _) => (Said::Done, left.clone()),
            (Access::Expire(value), held) if held.as_ref() == Some(value) => (Said::Done, None),
            (Access::Expire(_), _) => return None,
        };
        said.is_none_or(|said| *said == would_say).then_some(next)
    }

    fn reads_only(&self, (_, access): &(Place, Access), _: Option<&Said>) -> bool {
        *access == Access::Get
    }
}
