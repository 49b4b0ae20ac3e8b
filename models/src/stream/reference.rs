//! The receiving end, said again: a table of what is open, and what may come next.
//!
//! Nothing here knows of queues, frames or connections that close: a connection is a number, and what it says comes in the
//! order in which the server looks at it.

use std::collections::{BTreeMap, BTreeSet};

use super::op::Vb;

/// What a message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// A stream begins.
    Begin,
    /// A snapshot: from, to.
    Snapshot(u64, u64),
    /// A mutation.
    Mutation(u64),
    /// A stream ends.
    End,
}

/// What is open on a connection.
#[derive(Clone, Copy, Debug)]
struct Open {
    session: u64,
    /// The last message.
    index: u32,
    snapshot: Option<(u64, u64)>,
}

/// What is to become of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is to be handed on.
    Kept,
    /// The same, although something was left out before it.
    KeptWithGap(u32),
    /// The same, although it lies outside of its snapshot.
    KeptOutside,
    /// It belongs to no stream that is open there.
    Dropped,
}

/// The receiving end.
#[derive(Clone, Debug, Default)]
pub struct Receiving {
    open: BTreeMap<(u32, Vb), Open>,
    youngest: BTreeMap<Vb, u64>,
}

impl Receiving {
    /// What is to become of a message, which takes place.
    pub fn hear(&mut self, conn: u32, vb: Vb, (session, index): (u64, u32), word: Word) -> Fate {
        if word == Word::Begin {
            let youngest = self.youngest.entry(vb).or_insert(session);
            if session < *youngest {
                return Fate::Dropped;
            }
            *youngest = session;
            self.open.retain(|(_, other), open| *other != vb || open.session >= session);
            self.open.insert((conn, vb), Open { session, index, snapshot: None });
            return Fate::Kept;
        }
        let Some(open) = self.open.get_mut(&(conn, vb)).filter(|open| open.session == session)
        else {
            return Fate::Dropped;
        };
        let last = std::mem::replace(&mut open.index, index);
        let mut fate = if index == last + 1 { Fate::Kept } else { Fate::KeptWithGap(last) };
        match word {
            Word::Snapshot(start, end) => open.snapshot = Some((start, end)),
            Word::Mutation(seq) => {
                let lies_within =
                    open.snapshot.is_some_and(|(start, end)| start <= seq && seq <= end);
                if !lies_within {
                    fate = Fate::KeptOutside;
                }
            }
            Word::End => {
                self.open.remove(&(conn, vb));
            }
            Word::Begin => {}
        }
        fate
    }

    /// A connection is over: the streams that it breaks.
    pub fn broken(&mut self, conn: u32) -> BTreeSet<Vb> {
        let broken = self.open.keys().filter(|(of, _)| *of == conn).map(|(_, vb)| *vb).collect();
        self.open.retain(|(of, _), _| *of != conn);
        broken
    }

    /// Everything is over.
    pub fn clear(&mut self) {
        *self = Receiving::default();
    }

    /// What is open: connection, vbucket, session.
    pub fn open(&self) -> impl Iterator<Item = (u32, Vb, u64)> {
        self.open.iter().map(|((conn, vb), open)| (*conn, *vb, open.session))
    }
}

#[cfg(test)]
mod tests {
    use super::super::op::Keyspace;
    use super::*;

    #[test]
    fn a_stream_is_heard_from_its_begin_to_its_end_and_by_the_youngest_session() {
        let vb = Vb { keyspace: Keyspace(0), number: 2 };
        let mut heard = Receiving::default();
        assert_eq!(heard.hear(1, vb, (5, 1), Word::Mutation(1)), Fate::Dropped);
        assert_eq!(heard.hear(1, vb, (5, 2), Word::Begin), Fate::Kept);
        assert_eq!(heard.hear(1, vb, (5, 3), Word::Mutation(1)), Fate::KeptOutside);
        assert_eq!(heard.hear(1, vb, (5, 4), Word::Snapshot(1, 4)), Fate::Kept);
        assert_eq!(heard.hear(1, vb, (5, 5), Word::Mutation(4)), Fate::Kept);
        assert_eq!(heard.hear(1, vb, (5, 7), Word::Mutation(4)), Fate::KeptWithGap(5));
        assert_eq!(heard.hear(2, vb, (6, 1), Word::Begin), Fate::Kept);
        assert_eq!(heard.hear(1, vb, (5, 8), Word::End), Fate::Dropped);
        assert_eq!(heard.hear(1, vb, (5, 9), Word::Begin), Fate::Dropped);
        assert_eq!(heard.broken(1), BTreeSet::new());
        assert_eq!(heard.broken(2), BTreeSet::from([vb]));
        assert_eq!(heard.open().count(), 0);
    }
}
