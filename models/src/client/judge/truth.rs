//! What stands in a key, as the nodes have said that they have carried out what they were asked.
//!
//! ```text
//!  versions    v3        v4        v5        v6
//!              on disk   acknowledged, in memory only
//!              └─ after a crash of the node that serves the key any of these may stand there, until somebody looks
//! ```

#[cfg(test)]
mod tests;

use crate::vbucket::op::{Call, Request, Store, Value};
use crate::vbucket::reference;
use crate::vbucket::response::Answer;

/// When something happens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) at: u64,
    /// By the clock of the node that does it.
    pub(super) second: u64,
    /// Nothing was done to a clock.
    pub(super) is_sure: bool,
}

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::client) struct Item {
    pub(in crate::client) value: Value,
    pub(in crate::client) flags: u32,
    /// The second in which it is gone.
    pub(in crate::client) until: Option<u64>,
}

impl Item {
    pub(super) fn is_alive(&self, now: Moment) -> bool {
        self.until.is_none_or(|until| until > now.second)
    }

    /// Some node may have taken it out by its own clock.
    pub(super) fn may_be_over(&self, now: Moment) -> bool {
        self.until.is_some_and(|until| until <= now.second || !now.is_sure)
    }
}

/// What stood in a key from some change on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    /// How the node calls it; 0 before the first.
    pub(super) cas: u64,
    /// Nothing after a deletion.
    pub(super) item: Option<Item>,
}

/// What was seen in a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look<'a> {
    /// This value with these flags, by this name.
    Found(&'a Value, u32, u64),
    /// Something.
    Present,
    /// Nothing.
    Absent,
    /// Something whose time has run out.
    Expired,
    /// Something to which this was the answer.
    Answered(&'a Request, &'a Answer),
}

impl Look<'_> {
    /// Whether this can be seen where that stands, in this second.
    fn fits(self, Version { cas, item }: &Version, now: Moment) -> bool {
        let item = item.as_ref();
        let alive = item.filter(|item| item.is_alive(now));
        match self {
            Look::Found(value, flags, _) => {
                alive.is_some_and(|item| item.value == *value && item.flags == flags)
            }
            Look::Present => alive.is_some(),
            Look::Absent => item.is_none_or(|item| item.may_be_over(now)),
            Look::Expired => item.is_some() && alive.is_none(),
            Look::Answered(request, answer) => {
                outcomes((request, answer), (*cas, item), now).next().is_some()
            }
        }
    }
}

/// What a request that was answered like this has made of what stood there, in this second; nothing if that cannot be the
/// answer there. It is up to two things where nobody knows whether something has run out.
fn outcomes<'a>(
    (request, answer): (&'a Request, &'a Answer),
    (cas, item): (u64, Option<&Item>),
    now: Moment,
) -> impl Iterator<Item = Option<Item>> + use<'a> {
    let there = item.map(|Item { value, flags, until }| {
        let (value, flags, until) = (value.clone(), *flags, *until);
        reference::Item { value, flags, until, cas }
    });
    let is_alive = item.is_some_and(|item| item.is_alive(now));
    let may_be_gone = item.is_none_or(|item| item.may_be_over(now));
    let held = [(is_alive, there), (may_be_gone, None)];
    held.into_iter().filter(|(may_be, _)| *may_be).filter_map(move |(_, held)| {
        let made = answer.made().unwrap_or_default();
        let before = held.clone();
        let (would_say, change) =
            reference::served(&request.call, request.cas, now.second, made, held);
        let left = change.unwrap_or(before);
        let left =
            left.map(|reference::Item { value, flags, until, .. }| Item { value, flags, until });
        (would_say == *answer).then_some(left)
    })
}

/// What a request writes, whatever stood there.
fn written(request: &Request, now: Moment) -> Option<Item> {
    let Call::Store(Store { value, flags, expiry, .. }) = &request.call else { return None };
    let until = (*expiry != 0).then(|| now.second + u64::from(*expiry));
    Some(Item { value: value.clone(), flags: *flags, until })
}

/// What is to be said of what was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reading {
    /// It is what stands there, if nothing was lost.
    pub(super) agrees: bool,
    /// It is that, or what may be left of it.
    pub(super) is_legal: bool,
    /// The node said that nothing is there.
    pub(super) is_absent: bool,
    /// The node is cut off, and others have what it serves.
    pub(super) is_stale: bool,
    /// How often something had been lost until then.
    pub(super) losses: u32,
}

/// A key.
#[derive(Clone, Debug)]
pub(in crate::client) struct Truth {
    pub(super) versions: Vec<Version>,
    /// Which of the versions may stand there: places in the list. More than one only after a loss.
    pub(super) possible: Vec<usize>,
    /// What a write that is being carried out makes of it: one thing, unless that depends on what was lost.
    pub(super) coming: Option<Vec<Option<Item>>>,
    /// The node takes it out, because its time has run out.
    pub(super) expires: bool,
    /// What stands there for who was told everything, and not that something was lost.
    expected: Option<Item>,
    /// Something was lost that may be lost, and the client does not know.
    pub(in crate::client) has_fallen: bool,
    /// The client was told something by a node that is cut off.
    pub(super) is_vague: bool,
    /// How often something was lost.
    losses: u32,
    /// Since when more than one version is possible.
    pub(super) since: u64,
}

impl Default for Truth {
    fn default() -> Truth {
        Truth {
            versions: vec![Version { cas: 0, item: None }],
            possible: vec![0],
            coming: None,
            expires: false,
            expected: None,
            has_fallen: false,
            is_vague: false,
            losses: 0,
            since: 0,
        }
    }
}

impl Truth {
    /// What stands there, if nothing was lost.
    pub(in crate::client) fn newest(&self) -> Option<&Item> {
        self.versions.last().and_then(|version| version.item.as_ref())
    }

    /// The name of that.
    pub(super) fn newest_cas(&self) -> u64 {
        self.versions.last().map_or(0, |version| version.cas)
    }

    /// Whether something stands there in this second: surely, and maybe. What has run out does not.
    pub(super) fn is_held(&self, second: u64) -> (bool, bool) {
        let is_there = |at: &usize| {
            let item = self.versions[*at].item.as_ref();
            item.is_some_and(|item| item.until.is_none_or(|until| until > second))
        };
        (self.possible.iter().all(is_there), self.possible.iter().any(is_there))
    }

    /// The name of what stands there in this second, nothing inside if nothing does; nothing if that is not certain.
    pub(super) fn certain(&self, second: u64) -> Option<Option<u64>> {
        let [at] = self.possible[..] else { return None };
        let Version { cas, item } = &self.versions[at];
        match item {
            None => Some(None),
            Some(item) if item.until.is_some_and(|until| until <= second) => None,
            Some(_) => Some(Some(*cas)),
        }
    }

    fn last(&self) -> usize {
        self.versions.len() - 1
    }

    /// The place of a version; the first place if it is not known any more.
    pub(super) fn place(&self, cas: u64) -> usize {
        self.versions.iter().rposition(|version| version.cas == cas).unwrap_or_default()
    }

    /// The name of what stands there if nothing can be seen: a deletion, or what has run out.
    pub(super) fn absent_cas(&self, now: Moment) -> u64 {
        let gone = self
            .versions
            .iter()
            .rev()
            .find(|version| version.item.as_ref().is_none_or(|item| item.may_be_over(now)));
        gone.map_or(0, |version| version.cas)
    }

    /// Somebody has seen this, in this second. What is left if that says that something was lost.
    pub(super) fn look(&mut self, look: Look<'_>, now: Moment) -> (Reading, Option<Option<Item>>) {
        let fitting = self.possible.iter().copied();
        let fitting = fitting.filter(|at| look.fits(&self.versions[*at], now));
        let mut fitting: Vec<usize> = fitting.collect();
        if let Look::Found(.., cas) = look {
            // A number may have come to be again what it was before. Which of the two it is, its name says.
            let is_named = |at: &usize| self.versions[*at].cas == cas;
            if fitting.iter().any(is_named) {
                fitting.retain(is_named);
            }
        }
        let (is_absent, is_stale) = (look == Look::Absent, self.is_vague);
        let expected = Version { cas: self.newest_cas(), item: self.expected.clone() };
        let agrees = look.fits(&expected, now);
        let Some(&newest) = fitting.last() else {
            let losses = self.losses;
            return (Reading { agrees, is_legal: false, is_absent, is_stale, losses }, None);
        };
        let is_newest = newest == self.last();
        let is_only = fitting.len() == 1;
        self.possible = fitting;
        if !is_newest {
            self.fall();
        }
        let reading = Reading { agrees, is_legal: true, is_absent, is_stale, losses: self.losses };
        if is_newest {
            return (reading, None);
        }
        self.back_to(newest);
        if is_only {
            self.possible.clear();
        }
        self.possible.push(self.last());
        (reading, Some(self.left(newest, now)))
    }

    /// What can be seen of a version.
    fn left(&self, at: usize, now: Moment) -> Option<Item> {
        self.versions[at].item.clone().filter(|item| item.is_alive(now) || !now.is_sure)
    }

    /// This version stands there again. What came after it may still be on the disk of some other node.
    fn back_to(&mut self, at: usize) {
        let version = self.versions[at].clone();
        self.versions.push(version);
    }

    /// Something is lost that may be lost.
    fn fall(&mut self) {
        self.has_fallen = true;
        self.losses += 1;
    }

    /// A client was told something by a node that is cut off.
    pub(super) fn blur(&mut self) {
        self.fall();
        self.is_vague = true;
    }

    /// The client has seen what stands there, unless something was lost since.
    pub(super) fn told(&mut self, reading: Reading) {
        if reading.losses != self.losses || !reading.is_legal {
            return;
        }
        self.expected = self.newest().cloned();
        (self.has_fallen, self.is_vague) = (false, false);
    }

    /// What a request that was answered like this may have made of the key, each thing once.
    pub(super) fn made(&self, answered: (&Request, &Answer), now: Moment) -> Vec<Option<Item>> {
        let versions = self.possible.iter().map(|at| &self.versions[*at]);
        let made = versions.flat_map(|of| outcomes(answered, (of.cas, of.item.as_ref()), now));
        let mut made: Vec<Option<Item>> = made.collect();
        made.dedup();
        if made.is_empty() {
            // The node should have answered otherwise, which is for others to say.
            made.push(written(answered.0, now));
        }
        made
    }

    /// A change was carried out that can have made one thing only.
    #[cfg(test)]
    pub(super) fn change(&mut self, cas: u64, item: Option<Item>) {
        self.changed(cas, vec![item]);
    }

    /// A change was carried out, which the node calls like this, and may have made these of the key: what it is if nothing
    /// was lost comes last.
    pub(super) fn changed(&mut self, cas: u64, items: Vec<Option<Item>>) {
        let from = self.versions.len();
        self.versions.extend(items.into_iter().map(|item| Version { cas, item }));
        self.expected = self.newest().cloned();
        self.possible = (from..=self.last()).collect();
        if self.possible.len() == 1 {
            (self.has_fallen, self.is_vague) = (false, false);
        }
    }

    /// What has run out was taken out, which no client is told: the node calls that like this.
    pub(super) fn expire(&mut self, cas: u64) {
        self.versions.push(Version { cas, item: None });
        self.possible = vec![self.last()];
    }

    /// Everything after this version may be lost, or nothing of it.
    pub(super) fn may_lose(&mut self, safe: u64, at: u64) {
        let mut from = self.place(safe);
        // What a change has made of the key may be one of several things, which have the name of the change.
        while from > 0 && self.versions[from - 1].cas == self.versions[from].cas {
            from -= 1;
        }
        self.possible = (from..=self.last()).collect();
        self.since = at;
    }

    /// This version, too, may stand there again.
    pub(super) fn may_be(&mut self, version: u64, at: u64) {
        let place = self.place(version);
        if let Err(to) = self.possible.binary_search(&place) {
            self.possible.insert(to, place);
            self.since = at;
        }
    }

    /// Everything after this version is lost; what is left, if that is something else.
    pub(super) fn lose(&mut self, left: u64, now: Moment) -> Option<Option<Item>> {
        let at = self.place(left);
        let is_newest = at == self.last();
        if !is_newest {
            self.back_to(at);
            self.fall();
        }
        self.possible = vec![self.last()];
        (!is_newest).then(|| self.left(at, now))
    }
}
