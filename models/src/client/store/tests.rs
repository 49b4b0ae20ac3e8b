use proptest::prelude::*;

use super::*;
use crate::client::content::Content;

fn content(text: &str) -> Content {
    Content::document(text).expect("short")
}

fn item(text: &str) -> Held {
    Held::Item(Item { content: content(text), flags: 0, until: None })
}

fn found(text: &str) -> Seen {
    Seen::Found { content: content(text), flags: 0, cas: 1 }
}

#[test]
fn a_write_without_an_answer_may_come_at_any_time_and_only_once() {
    let mut entry = Entry::default();
    entry.begin(1, item("1"));
    entry.acknowledged(1, item("1"));
    entry.begin(2, item("2"));
    let now = (5, 5);
    assert!(entry.allows(&found("1"), now) && entry.allows(&found("2"), now));
    assert!(!entry.allows(&Seen::Absent, now) && !entry.is_certain(now));
    entry.learn(&found("1"), now);
    assert!(entry.allows(&found("2"), now));
    entry.learn(&found("2"), now);
    assert!(!entry.allows(&found("1"), now) && entry.is_certain(now));
    entry.begin(3, Held::Gone);
    entry.acknowledged(3, Held::Gone);
    assert_eq!(entry.status(5), Status::Deleted);
    // The write that was seen is over.
    assert!(!entry.allows(&found("2"), now));
}

#[test]
fn a_deadline_is_an_interval() {
    // Sent in second 10, answered in second 11, to live for 2 seconds.
    let until = Deadline::of(2, 10, Some(11), Some(0));
    let mut entry = Entry::default();
    entry.acknowledged(1, Held::Item(Item { content: content("1"), flags: 0, until }));
    let sees = |entry: &Entry, second| {
        let now = (second, second);
        (entry.allows(&found("1"), now), entry.allows(&Seen::Absent, now), entry.is_certain(now))
    };
    assert_eq!(sees(&entry, 11), (true, false, true));
    assert_eq!(sees(&entry, 12), (true, true, false));
    assert_eq!(sees(&entry, 13), (false, true, true));
    assert_eq!((entry.status(12), entry.status(13)), (Status::Valid, Status::Expired));
    entry.learn(&Seen::Absent, (12, 12));
    assert_eq!(entry.status(12), Status::Expired);
    let skewed = Deadline::of(2, 10, Some(11), Some(3)).expect("it has one");
    assert_eq!((skewed.earliest, skewed.latest), (9, Some(16)));
    let jumping = Deadline::of(2, 10, Some(11), None);
    assert_eq!(jumping, Some(Deadline { earliest: 0, latest: None }));
    assert_eq!(Deadline::of(0, 10, None, Some(0)), None);
}

#[test]
fn counting_leaves_out_what_has_run_out_or_was_deleted_and_takes_no_lock() {
    let mut store: Store<String> = Store::new(PARTITIONS);
    for (at, key) in ["a", "b", "c"].into_iter().enumerate() {
        let until = Deadline::of(u32::try_from(at).expect("small"), 10, Some(10), Some(0));
        let held = Held::Item(Item { content: content(key), flags: 0, until });
        store.change(&key.to_string(), |entry| entry.acknowledged(1, held));
    }
    let a = "a".to_string();
    assert!(store.take(store.partition(&a), 7) && !store.take(store.partition(&a), 8));
    assert_eq!((store.count(10), store.count(11), store.count(12)), (3, 2, 1));
    store.change(&a, |entry| entry.acknowledged(2, Held::Gone));
    assert_eq!((store.count(10), store.count(12)), (2, 0));
    store.give(store.partition(&a), 7);
    assert_eq!(store.holder(store.partition(&a)), None);
}

#[test]
fn a_pick_is_of_the_kind_that_is_wanted() {
    let mut store: Store<String> = Store::new(1);
    assert_eq!(store.pick(0, Status::Valid, 0, 5), None);
    for key in ["a", "b", "c"] {
        store.change(&key.to_string(), |entry| entry.acknowledged(1, item(key)));
    }
    store.change(&"b".to_string(), |entry| entry.acknowledged(2, Held::Gone));
    let picks: Vec<_> = (0..4).filter_map(|n| store.pick(0, Status::Valid, 0, n)).collect();
    assert_eq!(picks, ["a", "c", "a", "c"]);
    assert_eq!(store.pick(0, Status::Deleted, 0, 9), Some("b".into()));
    assert_eq!(store.status(&"b".to_string(), 0), Some(Status::Deleted));
    assert_eq!(store.status(&"x".to_string(), 0), None);
}

/// What happens to one key.
#[derive(Clone, Debug)]
enum Happens {
    /// A write goes out: a value with this time to live, or a deletion.
    Begin(Option<u32>),
    /// The node carries an open write out, by its place.
    Apply(usize),
    /// The client is told of an open write that was carried out, or that another one never will be.
    Tell(usize),
    /// The client is told nothing, and goes on.
    GiveUp(usize),
    /// The client reads.
    Read,
    /// Time passes.
    Wait(u64),
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        3 => prop::option::of(0_u32..3).prop_map(Happens::Begin),
        3 => (0_usize..3).prop_map(Happens::Apply),
        3 => (0_usize..3).prop_map(Happens::Tell),
        1 => (0_usize..3).prop_map(Happens::GiveUp),
        2 => Just(Happens::Read),
        1 => (1_u64..3).prop_map(Happens::Wait),
    ]
}

/// A node and a client in a few lines: what is true, and what the client believes.
#[derive(Default)]
struct Pair {
    now: u64,
    writes: u64,
    /// Number, content and time to live, when it was sent, and when it was carried out.
    open: Vec<(u64, Option<u32>, u64, Option<u64>)>,
    /// Writes of which nobody will be told.
    forgotten: Vec<(u64, Option<u32>)>,
    truth: Option<(u64, Option<u64>)>,
    entry: Entry,
}

impl Pair {
    fn held(write: u64, ttl: Option<u32>, sent: u64, answered: Option<u64>) -> Held {
        let Some(ttl) = ttl else { return Held::Gone };
        let until = Deadline::of(ttl, sent, answered, Some(0));
        Held::Item(Item { content: content(&write.to_string()), flags: 0, until })
    }

    fn apply(&mut self, write: u64, ttl: Option<u32>) {
        let until = ttl.filter(|ttl| *ttl != 0).map(|ttl| self.now + u64::from(ttl));
        self.truth = ttl.map(|_| (write, until));
    }

    fn sees(&self) -> Seen {
        match self.truth.filter(|(_, until)| until.is_none_or(|until| until > self.now)) {
            Some((write, _)) => found(&write.to_string()),
            None => Seen::Absent,
        }
    }

    fn step(&mut self, what: &Happens) {
        match *what {
            // One write at a time is open: who writes holds the partition. Forgotten ones come when they like.
            Happens::Begin(ttl) if self.open.is_empty() => {
                self.writes += 1;
                self.entry.begin(self.writes, Pair::held(self.writes, ttl, self.now, None));
                self.open.push((self.writes, ttl, self.now, None));
            }
            Happens::Apply(at) => {
                if let Some((write, ttl, _, done @ None)) = self.open.get_mut(at) {
                    *done = Some(self.now);
                    let (write, ttl) = (*write, *ttl);
                    self.apply(write, ttl);
                } else if at < self.forgotten.len() {
                    let (write, ttl) = self.forgotten.remove(at);
                    self.apply(write, ttl);
                }
            }
            Happens::Tell(at) if at < self.open.len() => {
                let (write, ttl, sent, done) = self.open.remove(at);
                match done {
                    Some(_) => {
                        let held = Pair::held(write, ttl, sent, Some(self.now));
                        self.entry.acknowledged(write, held);
                    }
                    None => self.entry.refused(write),
                }
            }
            Happens::GiveUp(at) if at < self.open.len() => {
                let (write, ttl, _, done) = self.open.remove(at);
                if done.is_none() {
                    self.forgotten.push((write, ttl));
                }
            }
            // Who reads holds the partition, too.
            Happens::Read if self.open.is_empty() => {
                let seen = self.sees();
                assert!(self.entry.allows(&seen, (self.now, self.now)), "{seen}");
                self.entry.learn(&seen, (self.now, self.now));
            }
            Happens::Wait(seconds) => self.now += seconds,
            Happens::Begin(_) | Happens::Tell(_) | Happens::GiveUp(_) | Happens::Read => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens to its writes, a client can explain what it sees.
    #[test]
    fn what_is_true_is_always_possible(steps in prop::collection::vec(happens(), 0..40)) {
        let mut pair = Pair::default();
        for step in &steps {
            pair.step(step);
            let seen = pair.sees();
            prop_assert!(pair.entry.allows(&seen, (pair.now, pair.now)), "{step:?}: {seen}");
        }
    }

    /// Counts that are kept beside the entries are those of the entries.
    #[test]
    fn counts_agree(writes in prop::collection::vec((0_u8..6, prop::option::of(0_u32..4)), 0..40)) {
        let mut store: Store<String> = Store::new(3);
        for (at, (key, ttl)) in (0_u64..).zip(writes) {
            let held = Pair::held(at, ttl, at, Some(at));
            store.change(&format!("k{key}"), |entry| entry.acknowledged(at, held));
            let alive = store.iter().filter(|(_, entry)| entry.status(at) == Status::Valid);
            prop_assert_eq!(store.count(at), alive.count());
        }
    }
}
