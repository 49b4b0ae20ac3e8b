//! What stands in a key, as the nodes have said that they have carried out what they were asked.
//!
//! ```text
//!  versions    v3        v4        v5        v6
//!              on disk   acknowledged, in memory only
//!              └─ after a crash of the node that serves the key any of these may stand there, until somebody looks
//! ```

use crate::vbucket::op::Value;

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
}

impl Look<'_> {
    /// Whether this can be seen where that stands, in this second.
    fn fits(self, item: Option<&Item>, now: Moment) -> bool {
        let alive = item.filter(|item| item.is_alive(now));
        match self {
            Look::Found(value, flags) => {
                alive.is_some_and(|item| item.value == *value && item.flags == flags)
            }
            Look::Present => alive.is_some(),
            Look::Absent => item.is_none_or(|item| item.may_be_over(now)),
            Look::Expired => item.is_some() && alive.is_none(),
        }
    }
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
    /// What a write that is being carried out makes of it.
    pub(super) coming: Option<Option<Item>>,
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
        let fitting = fitting.filter(|at| look.fits(self.versions[*at].item.as_ref(), now));
        let fitting: Vec<usize> = fitting.collect();
        let (is_absent, is_stale) = (look == Look::Absent, self.is_vague);
        let agrees = look.fits(self.expected.as_ref(), now);
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

    /// A change was carried out: the node calls it like this.
    pub(super) fn change(&mut self, cas: u64, item: Option<Item>) {
        self.expected.clone_from(&item);
        self.versions.push(Version { cas, item });
        self.possible = vec![self.last()];
        (self.has_fallen, self.is_vague) = (false, false);
    }

    /// What has run out was taken out, which no client is told: the node calls that like this.
    pub(super) fn expire(&mut self, cas: u64) {
        self.versions.push(Version { cas, item: None });
        self.possible = vec![self.last()];
    }

    /// Everything after this version may be lost, or nothing of it.
    pub(super) fn may_lose(&mut self, safe: u64, at: u64) {
        let from = self.place(safe);
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
