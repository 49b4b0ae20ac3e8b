//! What a client knows of one key: what may stand in it, and what may still come.
//!
//! ```text
//!             may                late
//!  set 1 ok   1                                the client was told
//!  set 2 ?    1                  2             no answer: it may have come, may come, or never
//!  get -> 1   1                  2             not yet
//!  get -> 2   2                                it has come, and comes only once
//!  delete ok  gone
//! ```

use std::fmt;

use crate::client::content::Content;

/// When a key runs out, as far as the client can know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// Not before this second.
    pub earliest: u64,
    /// In this second at the latest, if anything is known about that.
    pub latest: Option<u64>,
}

impl Deadline {
    /// The deadline of a time to live that was given to a node between these seconds, where clocks are off from the
    /// client's by at most `skew` together; nobody knows it where they may jump.
    #[must_use]
    pub fn of(ttl: u32, sent: u64, answered: Option<u64>, skew: Option<u64>) -> Option<Deadline> {
        let unknown = Deadline { earliest: 0, latest: None };
        let after = |second: u64| second.saturating_add(u64::from(ttl));
        (ttl != 0).then(|| {
            skew.map_or(unknown, |skew| Deadline {
                earliest: after(sent).saturating_sub(skew),
                latest: answered.map(|answered| after(answered).saturating_add(skew)),
            })
        })
    }

    fn may_be_over(self, second: u64) -> bool {
        self.earliest <= second
    }

    fn is_over(self, second: u64) -> bool {
        self.latest.is_some_and(|latest| latest <= second)
    }
}

/// A value in a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The document or blob.
    pub content: Content,
    /// Kept with it.
    pub flags: u32,
    /// When it runs out.
    pub until: Option<Deadline>,
}

/// What stands in a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// This.
    Item(Item),
    /// Nothing: it was deleted, or was never there.
    Gone,
}

impl Held {
    /// Whether a client that asked between these seconds may have seen this.
    fn allows(&self, seen: &Seen, (from, to): (u64, u64)) -> bool {
        match (self, seen) {
            (Held::Gone, Seen::Absent) => true,
            (Held::Gone, Seen::Found { .. }) => false,
            (Held::Item(item), Seen::Absent) => item.until.is_some_and(|at| at.may_be_over(to)),
            (Held::Item(item), Seen::Found { content, flags, .. }) => {
                item.content == *content
                    && item.flags == *flags
                    && !item.until.is_some_and(|until| until.is_over(from))
            }
        }
    }
}

/// What a node has said that stands in a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// A value.
    Found {
        /// The document or blob.
        content: Content,
        /// Kept with it.
        flags: u32,
        /// Its version.
        cas: u64,
    },
    /// Nothing.
    Absent,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Seen::Found { content, flags: 0, .. } => write!(f, "{content}"),
            Seen::Found { content, flags, .. } => write!(f, "{content} flags {flags}"),
            Seen::Absent => write!(f, "nothing"),
        }
    }
}

/// What is said of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// There is a value.
    Valid,
    /// It was deleted.
    Deleted,
    /// The time of the value has run out.
    Expired,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Status::Valid => "valid",
            Status::Deleted => "deleted",
            Status::Expired => "expired",
        })
    }
}

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What may stand in it. Never empty.
    may: Vec<Held>,
    /// What writes may make of it of which nobody knows whether they have come; by their numbers.
    late: Vec<(u64, Held)>,
}

impl Default for Entry {
    fn default() -> Entry {
        Entry { may: vec![Held::Gone], late: Vec::new() }
    }
}

impl Entry {
    /// What may stand in the key now.
    pub fn possible(&self) -> impl Iterator<Item = &Held> + '_ {
        self.may.iter().chain(self.late.iter().map(|(_, held)| held))
    }

    /// What it most likely is: the last that the client was told.
    #[must_use]
    pub fn likely(&self) -> &Held {
        &self.may[0]
    }

    /// How many writes are without an outcome.
    #[must_use]
    pub fn open_writes(&self) -> usize {
        self.late.len()
    }

    /// Whether there is one thing only that a client can see who asks between these seconds.
    #[must_use]
    pub fn is_certain(&self, (from, to): (u64, u64)) -> bool {
        let [only] = &self.may[..] else { return false };
        let settled = |until: Deadline| until.is_over(from) || !until.may_be_over(to);
        let is_settled = match only {
            Held::Gone => true,
            Held::Item(item) => item.until.is_none_or(settled),
        };
        is_settled && self.late.is_empty()
    }

    /// What is said of the key in this second.
    #[must_use]
    pub fn status(&self, second: u64) -> Status {
        match self.likely() {
            Held::Gone => Status::Deleted,
            Held::Item(item) if item.until.is_some_and(|until| until.is_over(second)) => {
                Status::Expired
            }
            Held::Item(_) => Status::Valid,
        }
    }

    /// A write goes out that makes this of the key.
    pub fn begin(&mut self, write: u64, held: Held) {
        self.late.push((write, held));
    }

    /// A write was acknowledged, and has made this of the key.
    pub fn acknowledged(&mut self, write: u64, held: Held) {
        self.refused(write);
        self.may = vec![held];
    }

    /// A write has certainly had no effect, and will have none.
    pub fn refused(&mut self, write: u64) {
        self.late.retain(|(number, _)| *number != write);
    }

    /// Whether a client that asked between these seconds may have seen this.
    #[must_use]
    pub fn allows(&self, seen: &Seen, window: (u64, u64)) -> bool {
        self.possible().any(|held| held.allows(seen, window))
    }

    /// Learns from what was seen. What cannot be explained is believed all the same: it stands there.
    ///
    /// Whoever asks holds the partition of the key, so that no write of this client is on its way that will be acknowledged.
    pub fn learn(&mut self, seen: &Seen, window: (u64, u64)) {
        if self.may.iter().any(|held| held.allows(seen, window)) {
            self.may.retain(|held| held.allows(seen, window));
            for held in &mut self.may {
                if let (Held::Item(Item { until: Some(until), .. }), Seen::Absent) = (held, seen) {
                    let known = until.latest.unwrap_or(u64::MAX);
                    until.latest = Some(known.min(window.1));
                }
            }
            return;
        }
        let come = self.late.iter().position(|(_, held)| held.allows(seen, window));
        self.may = vec![match (come, seen) {
            // Each value is written once, so this write is over. Deletions look alike.
            (Some(at), Seen::Found { .. }) => self.late.remove(at).1,
            // It has come and run out, or the key was deleted: gone either way.
            (_, Seen::Absent) => Held::Gone,
            (None, Seen::Found { content, flags, .. }) => {
                // Nobody knows how long it lives.
                let until = Deadline { earliest: 0, latest: None };
                Held::Item(Item { content: content.clone(), flags: *flags, until: Some(until) })
            }
        }];
    }
}
