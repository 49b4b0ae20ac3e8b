//! What a client that watches is asked to do, in words: `watch a..c from rev-3 nodel prev`, `cancel 14`, `progress`,
//! `rest 20`, `leave`.

use std::fmt;

use crate::mvcc::op::{At, Keys};

/// An operation of a client that watches.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Wish {
    /// Make a watcher, named after the number of the operation: `watch a.. from rev+2`.
    Watch(Interest),
    /// Cancel the watcher that this operation made: `cancel 14`.
    Cancel(u32),
    /// Ask how far all watchers of the stream are: `progress`.
    Progress,
    /// Read nothing for so many milliseconds: `rest 20`.
    Rest(u32),
    /// Lose the stream, and begin another one: `leave`.
    Leave,
}

/// What a watcher is to be told of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Interest {
    /// Changes of these keys.
    pub keys: Keys,
    /// From this revision on; 0 means from now on.
    pub from: At,
    /// No puts.
    pub no_put: bool,
    /// No deletions.
    pub no_delete: bool,
    /// With what each key was before.
    pub with_previous: bool,
}

impl Wish {
    /// Simpler operations, the simplest first, for shrinking.
    pub(in crate::mvcc) fn simpler(&self) -> Vec<Wish> {
        match self {
            Wish::Watch(interest) => interest.simpler().into_iter().map(Wish::Watch).collect(),
            Wish::Rest(ms) if *ms > 1 => vec![Wish::Rest(ms / 2)],
            Wish::Rest(_) | Wish::Cancel(_) | Wish::Progress | Wish::Leave => Vec::new(),
        }
    }
}

impl Interest {
    fn simpler(&self) -> Vec<Interest> {
        let mut simpler = Vec::new();
        let plain =
            Interest { no_put: false, no_delete: false, with_previous: false, ..self.clone() };
        if plain != *self {
            simpler.push(plain);
        }
        if let At::FromLast(_) = self.from {
            simpler.extend((0..=9).map(|n| Interest { from: At::Absolute(n), ..self.clone() }));
        }
        if !matches!(self.keys, Keys::One(_)) {
            let keys = Keys::One(self.keys.first().to_vec());
            simpler.push(Interest { keys, ..self.clone() });
        }
        simpler
    }
}

impl fmt::Display for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wish::Watch(interest) => {
                let Interest { keys, from, no_put, no_delete, with_previous } = interest;
                write!(f, "watch {keys} from {from}")?;
                let words = [(no_put, "noput"), (no_delete, "nodel"), (with_previous, "prev")];
                words.iter().filter(|(on, _)| **on).try_for_each(|(_, word)| write!(f, " {word}"))
            }
            Wish::Cancel(number) => write!(f, "cancel {number}"),
            Wish::Progress => f.write_str("progress"),
            Wish::Rest(ms) => write!(f, "rest {ms}"),
            Wish::Leave => f.write_str("leave"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mvcc::call::Call;

    #[test]
    fn following_what_is_simpler_leads_to_an_end() {
        let first = "watch a..c from rev-3 noput nodel prev".parse::<Call>().expect("a line");
        let Call::Watch(first) = first else { panic!("{first}") };
        let (mut open, mut steps) = (vec![first, Wish::Rest(40)], 0);
        while let Some(wish) = open.pop() {
            steps += 1;
            assert!(steps < 1_000 && !wish.simpler().contains(&wish), "{wish}");
            open.extend(wish.simpler());
        }
        assert!(steps > 10, "{steps}");
    }
}
