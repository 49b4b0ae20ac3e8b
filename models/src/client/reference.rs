//! What a key is to its clients: the judge's own picture, which shares nothing with the model. What an operation does and
//! answers is that of the picture of a vbucket; time is told apart, as something that happens to a value.

use std::fmt;
use std::sync::Arc;

use seedbed_sim::judge::linear::Sequential;

use crate::vbucket::op::{Call, Request, Value};
use crate::vbucket::reference::{Item, served};
use crate::vbucket::response::Answer;

/// A key, by its place.
pub type Place = u8;

/// Keys, each without a value at first. A version is 0 where its client was never told of it, or where nobody asks for one.
pub struct Keys;

/// What is done to a key.
#[derive(Clone, PartialEq, Eq)]
pub enum Access {
    /// What a client asks.
    Call(Arc<Request>),
    /// The time of this value runs out, which has these flags.
    Expire(Value, u32),
    /// A node has lost what it may lose: this is what is left.
    Fall(Option<Item>),
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Access::Call(request) if request.cas == 0 => write!(f, "{}", request.call),
            Access::Call(request) => write!(f, "{} of @{}", request.call, request.cas),
            Access::Expire(value, flags) => write!(f, "{value} flags {flags} runs out"),
            Access::Fall(Some(item)) => write!(f, "all is lost but {}", item.value),
            Access::Fall(None) => write!(f, "all is lost"),
        }
    }
}

impl Sequential for Keys {
    type Key = Place;
    type Op = (Place, Access);
    type Ret = Answer;
    type State = Option<Item>;

    fn key(&self, (place, _): &(Place, Access)) -> Place {
        *place
    }

    fn initial(&self, _: &Place) -> Option<Item> {
        None
    }

    fn step(
        &self,
        state: &Option<Item>,
        (_, access): &(Place, Access),
        said: Option<&Answer>,
    ) -> Option<Option<Item>> {
        let request = match access {
            Access::Call(request) => request,
            Access::Fall(left) => return Some(left.clone()),
            Access::Expire(value, flags) => {
                let is_it = |item: &Item| item.value == *value && item.flags == *flags;
                return state.as_ref().is_some_and(is_it).then_some(None);
            }
        };
        let mut held = state.clone();
        if let Some(item) = held.as_mut().filter(|item| item.cas == 0) {
            // It is the one that the answer shows, or the one that a write which was done has asked for.
            item.cas = match said {
                Some(Answer::Found { cas, .. }) => *cas,
                Some(Answer::Exists) => 0,
                _ => request.cas,
            };
        }
        let made = said.and_then(Answer::made).unwrap_or_default();
        let (would_say, change) = served(&request.call, request.cas, 0, made, held.clone());
        let next = match change {
            None => held,
            Some(item) => item.map(|item| Item { until: None, ..item }),
        };
        said.is_none_or(|said| *said == would_say).then_some(next)
    }

    fn reads_only(&self, (_, access): &(Place, Access), said: Option<&Answer>) -> bool {
        // Who is shown a version knows more of the key from then on.
        let shows = matches!(said, Some(Answer::Found { cas, .. }) if *cas != 0);
        matches!(access, Access::Call(request) if matches!(request.call, Call::Get(_))) && !shows
    }
}

#[cfg(test)]
mod tests {
    use seedbed_sim::judge::linear::{Operation, Verdict, check};

    use super::*;

    /// Operations one after the other, each with its answer.
    fn is_possible(history: &[(&str, u64, Option<Answer>)]) -> bool {
        let operation = |(at, (call, cas, said)): (usize, &(&str, u64, Option<Answer>))| {
            let request = Request { call: call.parse().expect("a call"), cas: *cas };
            let invoked = 2 * at as u64;
            let returned = said.clone().map(|said| (invoked + 1, said));
            Operation { process: 1, op: (0, Access::Call(Arc::new(request))), invoked, returned }
        };
        let history: Vec<_> = history.iter().enumerate().map(operation).collect();
        check(&Keys, &history, 10_000) == Verdict::Linearizable
    }

    fn found(value: &str, cas: u64) -> Option<Answer> {
        Some(Answer::Found { value: Value::new(value), flags: 0, cas })
    }

    #[test]
    fn what_is_added_is_added_once() {
        let set = ("set a 5", 0, Some(Answer::Stored(0)));
        let add = ("incr a 1", 0, Some(Answer::Counted(6, 0)));
        assert!(is_possible(&[set.clone(), add.clone(), ("get a", 0, found("6", 0))]));
        assert!(!is_possible(&[set.clone(), add, ("get a", 0, found("7", 0))]));
        let more = ("append a .7", 0, None);
        for (value, may_be) in [("5", true), ("5.7", true), ("5.7.7", false)] {
            let get = ("get a", 0, found(value, 0));
            assert_eq!(is_possible(&[set.clone(), more.clone(), get]), may_be, "{value}");
        }
        assert!(is_possible(&[("prepend a 7.", 0, Some(Answer::NotStored))]));
        assert!(!is_possible(&[set, ("decr a 1", 0, Some(Answer::BadDelta))]));
    }

    #[test]
    fn a_conditional_write_is_done_where_the_version_is_the_one_that_was_seen() {
        let set = |cas| ("set a 5", 0, Some(Answer::Stored(cas)));
        let get = |cas| ("get a", 0, found("5", cas));
        let done = ("cas a 7", 3, Some(Answer::Stored(4)));
        let refused = ("cas a 7", 3, Some(Answer::Exists));
        assert!(is_possible(&[set(3), get(3), done.clone(), ("get a", 0, found("7", 4))]));
        assert!(!is_possible(&[set(3), get(3), refused.clone()]));
        assert!(!is_possible(&[set(3), set(9), done.clone()]));
        assert!(is_possible(&[set(3), set(9), refused.clone()]));
        // Nobody was told which version this is, until somebody looks.
        let unknown = ("set a 5", 0, None);
        assert!(is_possible(&[unknown.clone(), done.clone()]));
        assert!(is_possible(&[set(9), unknown.clone(), refused]));
        assert!(!is_possible(&[unknown, get(9), done]));
        assert!(is_possible(&[("cas a 7", 3, Some(Answer::NotFound))]));
    }
}
