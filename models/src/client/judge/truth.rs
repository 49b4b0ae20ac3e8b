//! What stands in a key, as the nodes have said that they have carried out what they were asked.
//!
//! ```text
//!  versions    v3        v4        v5        v6
//!              on disk   acknowledged, in memory only
//!              └─ after a crash of the node that serves the key any of these may stand there, until somebody looks
//! ```

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
    /// This.
    Found(&'a Value, u32),
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
            Look::Found(value, flags) => {
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
        let fitting: Vec<usize> = fitting.collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    fn item(value: &str) -> Option<Item> {
        Some(Item { value: Value::new(value), flags: 0, until: None })
    }

    fn at(second: u64) -> Moment {
        Moment { at: second * 1_000_000_000, second, is_sure: true }
    }

    fn truth() -> Truth {
        let mut truth = Truth::default();
        truth.change(7, item("1"));
        truth.change(8, None);
        truth.change(9, item("3"));
        truth
    }

    #[test]
    fn after_a_loss_whoever_looks_first_says_what_is_left() {
        let mut truth = truth();
        let (one, three) = (Value::new("1"), Value::new("3"));
        assert!(truth.look(Look::Found(&three, 0), at(0)).0.agrees);
        assert!(!truth.look(Look::Found(&one, 0), at(0)).0.is_legal);
        truth.may_lose(7, 5);
        let (reading, left) = truth.look(Look::Absent, at(0));
        assert_eq!((reading.agrees, reading.is_legal, left), (false, true, Some(None)));
        assert!(truth.has_fallen && !truth.look(Look::Found(&three, 0), at(0)).0.is_legal);
        assert!(truth.look(Look::Absent, at(0)).0.is_legal);
    }

    #[test]
    fn nothing_older_than_what_is_safe_comes_back() {
        let mut truth = truth();
        truth.may_lose(8, 5);
        assert!(!truth.look(Look::Found(&Value::new("1"), 0), at(0)).0.is_legal);
        assert_eq!(truth.lose(8, at(0)), Some(None));
        assert_eq!(truth.lose(8, at(0)), None);
    }

    #[test]
    fn what_was_lost_may_come_back_from_the_disk_of_another_node() {
        let mut truth = truth();
        truth.may_lose(0, 5);
        assert!(truth.look(Look::Absent, at(0)).0.is_legal);
        truth.change(10, item("4"));
        let one = Value::new("1");
        assert!(!truth.look(Look::Found(&one, 0), at(0)).0.is_legal);
        // It was written there before, and what came later never was.
        truth.may_lose(7, 6);
        assert_eq!(truth.look(Look::Found(&one, 0), at(0)).1, Some(item("1")));
        assert!(!truth.look(Look::Absent, at(0)).0.is_legal);
    }

    #[test]
    fn a_client_that_was_not_told_of_a_loss_expects_what_was_lost() {
        let mut truth = Truth::default();
        let (value, flags, until) = (Value::new("1"), 0, Some(12));
        truth.change(7, Some(Item { value, flags, until }));
        truth.change(8, item("2"));
        truth.may_lose(7, 5);
        assert!(truth.look(Look::Expired, at(12)).1.is_some());
        truth.expire(9);
        let reading = truth.look(Look::Absent, at(12)).0;
        assert!(reading.is_legal && !reading.agrees && truth.has_fallen);
        truth.told(reading);
        assert!(!truth.has_fallen && truth.look(Look::Absent, at(12)).0.agrees);
    }

    #[test]
    fn what_is_added_to_what_may_be_lost_may_be_several_things_until_somebody_looks() {
        let request = |call: &str| Request { call: call.parse().expect("a call"), cas: 0 };
        let mut truth = truth();
        truth.change(10, item("4"));
        truth.may_lose(9, 5);
        let (append, stored) = (request("append a .1"), Answer::Stored(11));
        assert_eq!(truth.look(Look::Answered(&append, &stored), at(0)).1, None);
        let made = truth.made((&append, &stored), at(0));
        assert_eq!(made, [item("3.1"), item("4.1")]);
        truth.changed(11, made);
        let mut other = truth.clone();
        assert_eq!(truth.look(Look::Found(&Value::new("4.1"), 0), at(0)).1, None);
        assert_eq!(other.look(Look::Found(&Value::new("3.1"), 0), at(0)).1, Some(item("3.1")));
        // A number tells what it was before.
        let mut truth = self::truth();
        truth.change(10, item("4"));
        truth.may_lose(9, 5);
        let (add, counted) = (request("incr a 1"), Answer::Counted(4, 11));
        assert_eq!(truth.look(Look::Answered(&add, &counted), at(0)).1, Some(item("3")));
        assert_eq!(truth.made((&add, &counted), at(0)), [item("4")]);
        // So does the version that a conditional write has asked for.
        let cas = Request { cas: 11, ..request("cas a 7") };
        truth.changed(11, vec![item("4")]);
        assert!(truth.look(Look::Answered(&cas, &Answer::Stored(12)), at(0)).0.is_legal);
        assert!(!truth.look(Look::Answered(&cas, &Answer::Exists), at(0)).0.is_legal);
    }

    #[test]
    fn what_has_run_out_is_not_held() {
        let mut truth = truth();
        assert_eq!(truth.is_held(0), (true, true));
        truth.may_lose(8, 5);
        assert_eq!(truth.is_held(0), (false, true));
        truth.change(10, Some(Item { value: Value::new("4"), flags: 0, until: Some(12) }));
        assert_eq!((truth.is_held(11), truth.is_held(12)), ((true, true), (false, false)));
        assert_eq!((truth.certain(11), truth.certain(12)), (Some(Some(10)), None));
        truth.change(11, None);
        assert_eq!((truth.is_held(0), truth.certain(0)), ((false, false), Some(None)));
        truth.may_lose(10, 6);
        assert_eq!(truth.certain(0), None);
    }

    #[test]
    fn what_has_run_out_is_absent() {
        let mut truth = Truth::default();
        let until = Some(12);
        truth.change(7, Some(Item { value: Value::new("1"), flags: 0, until }));
        assert!(truth.look(Look::Found(&Value::new("1"), 0), at(11)).0.agrees);
        assert!(
            truth.look(Look::Absent, at(12)).0.agrees && !truth.look(Look::Absent, at(11)).0.agrees
        );
        assert!(truth.look(Look::Expired, at(12)).0.is_legal);
        assert!(!truth.look(Look::Expired, at(11)).0.is_legal);
        assert_eq!((truth.absent_cas(at(12)), truth.absent_cas(at(11))), (7, 0));
    }

    #[test]
    fn once_something_was_done_to_a_clock_what_runs_out_may_be_gone_at_any_time() {
        let mut truth = Truth::default();
        truth.change(7, Some(Item { value: Value::new("1"), flags: 0, until: Some(12) }));
        let unsure = Moment { is_sure: false, ..at(5) };
        assert!(!truth.look(Look::Absent, at(5)).0.is_legal);
        assert!(truth.look(Look::Absent, unsure).0.is_legal);
        assert_eq!((truth.absent_cas(at(5)), truth.absent_cas(unsure)), (0, 7));
        // A node goes by its own clock all the same.
        assert!(!truth.look(Look::Expired, unsure).0.is_legal);
        assert!(!truth.look(Look::Found(&Value::new("1"), 0), at(12)).0.is_legal);
        truth.change(8, item("2"));
        assert!(!truth.look(Look::Absent, unsure).0.is_legal);
    }
}
