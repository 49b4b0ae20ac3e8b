//! Watchers of a server, held against the history of the reference model.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::json;

use super::super::op::Keys;
use super::super::reference::{Event, Reference, Watched};
use super::super::response::KeyValue;
use super::super::text::quoted;
use super::clock::{Deadline, pause};
use super::json::{self, WatchMessage};
use super::server::{Server, Stream};
use super::step::Watch;
use super::trial::{Difference, Stop};

/// How long an event may be on its way.
const PATIENCE: Duration = Duration::from_secs(5);
/// After this time a server has caught a new watcher up with the present, which it does every 100 ms.
const CAUGHT_UP: Duration = Duration::from_millis(350);

/// What a watcher has to be told: a change, and what was before if it asked for that.
type Told = (Event, Option<KeyValue>);

/// Whether another watcher may have taken a watcher's past away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shade {
    None,
    /// It was behind when a watcher was made from a negative revision.
    Possible,
    /// And it was not told of the past.
    Seen,
}

/// What became of a watch that was asked for.
pub(super) enum Opened {
    /// It is there.
    Watching(Box<Watcher>),
    /// It was rightly refused, or ended because its beginning is compacted.
    Ended,
    /// Its beginning is compacted at 0, and the message that should say so says nothing.
    Silent(Stop),
}

/// An open watch and what it has yet to tell.
pub(super) struct Watcher {
    watch: Watch,
    stream: Box<dyn Stream>,
    /// The first revision whose changes are not expected yet.
    next: i64,
    expected: VecDeque<Told>,
    /// The revision of the last event.
    last: i64,
    /// Whether it may still be reading the past.
    behind: Option<Deadline>,
    /// Where it was to begin.
    start: i64,
    /// The first revision that was still to come when it was made.
    made: i64,
    /// What a watcher from a negative revision has done to it.
    shade: Shade,
    /// How many events came.
    pub(super) events: u64,
}

impl Watcher {
    /// Opens a watch as the plan has it.
    pub(super) fn open(
        server: &mut dyn Server,
        reference: &Reference,
        watch: &Watch,
    ) -> Result<Opened, Stop> {
        let start = watch.start.map_or(0, |at| at.absolute(reference.current()));
        Watcher::open_at(server, reference, watch, start)
    }

    /// Opens the same watch again behind the last change that was expected: a stream that broke is resumed.
    pub(super) fn resume(
        &self,
        server: &mut dyn Server,
        reference: &Reference,
    ) -> Result<Watcher, Stop> {
        match Watcher::open_at(server, reference, &self.watch, self.next)? {
            Opened::Watching(watcher) => Ok(Watcher { events: self.events, ..*watcher }),
            Opened::Ended | Opened::Silent(_) => {
                let said = format!("{} cannot be resumed from {}", self.watch, self.next);
                Err(Difference::new("watch ended", said).into())
            }
        }
    }

    fn open_at(
        server: &mut dyn Server,
        reference: &Reference,
        watch: &Watch,
        start: i64,
    ) -> Result<Opened, Stop> {
        let mut create = json::keys(&watch.keys);
        create["start_revision"] = start.to_string().into();
        create["prev_kv"] = watch.prev.into();
        let filters = [(watch.no_put, "NOPUT"), (watch.no_delete, "NODELETE")];
        let filters: Vec<&str> =
            filters.iter().filter(|(is, _)| *is).map(|(_, name)| *name).collect();
        create["filters"] = filters.into();
        let mut watcher = Watcher {
            watch: watch.clone(),
            stream: server.watch(&json!({"create_request": create}))?,
            next: 0,
            expected: VecDeque::new(),
            last: 0,
            behind: None,
            start,
            made: reference.current() + 1,
            shade: Shade::None,
            events: 0,
        };
        match fate(reference, &watch.keys, start) {
            Watched::Refused => watcher.refused().map(|()| Opened::Ended),
            Watched::Compacted => {
                watcher.created(reference)?;
                watcher.compacted(reference.compacted())
            }
            Watched::From(from) => {
                watcher.created(reference)?;
                watcher.next = from;
                if from <= reference.current() {
                    watcher.behind = Some(Deadline::after(CAUGHT_UP));
                    watcher.catch_up(reference);
                }
                Ok(Opened::Watching(Box::new(watcher)))
            }
        }
    }

    fn message(&mut self, wait: Duration) -> Result<Option<WatchMessage>, Stop> {
        let Some(line) = self.stream.next(wait)? else { return Ok(None) };
        let message = json::watch_message(&line);
        message.map(Some).map_err(|wrong| self.differs("unreadable answer", &wrong))
    }

    fn differs(&self, class: &'static str, what: &str) -> Stop {
        Difference::new(class, format!("{}: {what}", self.watch)).into()
    }

    fn first(&mut self) -> Result<WatchMessage, Stop> {
        let first = self.message(PATIENCE)?;
        first.ok_or_else(|| self.differs("watch not created", "nothing came"))
    }

    fn created(&mut self, reference: &Reference) -> Result<(), Stop> {
        let first = self.first()?;
        let expected = WatchMessage {
            revision: reference.current(),
            created: true,
            ..WatchMessage::default()
        };
        if first == expected {
            return Ok(());
        }
        Err(self.differs("watch not created", &format!("expected {expected:?}, came {first:?}")))
    }

    fn refused(&mut self) -> Result<(), Stop> {
        let first = self.first()?;
        if first.canceled && first.events.is_empty() && first.compacted == 0 {
            return Ok(());
        }
        Err(self.differs("watch not refused", &format!("expected a refusal, came {first:?}")))
    }

    /// It has to be told that its beginning is compacted, and nothing else.
    fn compacted(&mut self, compacted: i64) -> Result<Opened, Stop> {
        let Some(message) = self.message(PATIENCE)? else {
            return Err(
                self.differs("no cancel", &format!("{compacted} is compacted, nothing came"))
            );
        };
        // Later servers say why, too.
        let why = ["", "etcdserver: mvcc: required revision has been compacted"];
        let right = message.canceled
            && message.compacted == compacted
            && message.events.is_empty()
            && why.contains(&message.reason.as_str());
        if right {
            return Ok(Opened::Ended);
        }
        let said = format!("expected that {compacted} is compacted, came {message:?}");
        let differs = self.differs("wrong cancel", &said);
        let silent = compacted == 0 && message == WatchMessage::default();
        if silent { Ok(Opened::Silent(differs)) } else { Err(differs) }
    }

    fn wants(&self, event: &Event) -> bool {
        !(if event.deleted { self.watch.no_delete } else { self.watch.no_put })
    }

    /// What is told of one revision.
    fn told(&self, reference: &Reference, revision: i64, kept_only: bool) -> Vec<Told> {
        let changes = reference.changes(&self.watch.keys, revision).into_iter();
        let wanted = changes.filter(|event| self.wants(event));
        let left = wanted.filter(|event| !kept_only || reference.is_kept(event));
        left.map(|event| {
            let before = self.watch.prev.then(|| reference.before(event).cloned()).flatten();
            (event.clone(), before)
        })
        .collect()
    }

    /// Expects what a compaction has left of the past.
    fn catch_up(&mut self, reference: &Reference) {
        for revision in self.next..=reference.current() {
            self.expected.extend(self.told(reference, revision, true));
        }
        self.next = reference.current() + 1;
    }

    /// Expects all changes up to the present.
    pub(super) fn expect(&mut self, reference: &Reference) {
        for revision in self.next..=reference.current() {
            self.expected.extend(self.told(reference, revision, false));
        }
        self.next = self.next.max(reference.current() + 1);
    }

    /// Waits until the watcher is behind no longer. Before that a compaction could overtake it.
    pub(super) fn wait_until_caught_up(&mut self) {
        if let Some(left) = self.behind.take().and_then(|deadline| deadline.left()) {
            pause(left);
        }
    }

    /// Whether it begins at a negative revision.
    pub(super) fn is_negative(&self) -> bool {
        self.start < 0
    }

    /// Waits until it is caught up. Whether there was a past to tell and nothing of it came; then it is not expected any
    /// more.
    pub(super) fn is_blind(&mut self) -> Result<bool, Stop> {
        if let Some(message) = self.message(CAUGHT_UP)? {
            return self.take(message).map(|()| false);
        }
        let due = !self.expected.is_empty();
        self.expected.clear();
        Ok(due)
    }

    /// A watcher was made from a negative revision.
    pub(super) fn shade(&mut self) {
        if self.behind.is_some_and(|deadline| deadline.left().is_some()) {
            self.shade = Shade::Possible;
        }
    }

    /// Whether it was found since the last time that its past was taken away.
    pub(super) fn was_blinded(&mut self) -> bool {
        let blinded = self.shade == Shade::Seen;
        if blinded {
            self.shade = Shade::None;
        }
        blinded
    }

    /// If a watcher from a negative revision is to blame, the rest of the past is not expected any more.
    fn blame(&mut self) -> bool {
        let blamed = self.shade == Shade::Possible;
        if blamed {
            self.shade = Shade::Seen;
            let made = self.made;
            self.expected.retain(|(event, _)| event.kv.mod_revision >= made);
        }
        blamed
    }

    fn is_past(&self, (event, _): &Told) -> bool {
        event.kv.mod_revision < self.made
    }

    /// Reads until everything that is expected has come, and for `grace` longer: nothing else may come.
    pub(super) fn drain(&mut self, grace: Duration) -> Result<(), Stop> {
        while let Some(first) = self.expected.front() {
            let (missing, past) = (say(&first.0), self.is_past(first));
            let shaded = self.shade == Shade::Possible;
            match self.message(if shaded { CAUGHT_UP } else { PATIENCE })? {
                Some(message) => self.take(message)?,
                None if past && self.blame() => {}
                None => return Err(self.differs("missing event", &format!("{missing} never came"))),
            }
        }
        while let Some(message) = self.message(grace)? {
            self.take(message)?;
        }
        Ok(())
    }

    fn take(&mut self, message: WatchMessage) -> Result<(), Stop> {
        if message.canceled || message.created {
            return Err(self.differs("watch ended", &format!("{message:?}")));
        }
        let newest = message.events.iter().map(|(event, _)| event.kv.mod_revision).max();
        if newest.is_some_and(|newest| newest > message.revision) {
            let said = format!("the header of {message:?} is behind its events");
            return Err(self.differs("header behind its events", &said));
        }
        for (n, told) in message.events.into_iter().enumerate() {
            self.take_event(n == 0, told)?;
        }
        Ok(())
    }

    fn take_event(&mut self, is_first: bool, told: Told) -> Result<(), Stop> {
        let revision = told.0.kv.mod_revision;
        let Some(expected) = self.expected.pop_front() else {
            let said = format!("{} came, and nothing is due", say(&told.0));
            return Err(self.differs("unexpected event", &said));
        };
        if told != expected && self.is_past(&expected) && !self.is_past(&told) && self.blame() {
            return self.take_event(is_first, told);
        }
        if told != expected {
            let class = if self.expected.contains(&told) {
                "missing event"
            } else if revision < expected.0.kv.mod_revision {
                "unexpected event"
            } else {
                "wrong event"
            };
            let said = format!("expected {}, came {}", say_told(&expected), say_told(&told));
            return Err(self.differs(class, &said));
        }
        if is_first && revision == self.last {
            let said = format!("{} came behind a response that began this revision", say(&told.0));
            return Err(self.differs("split revision", &said));
        }
        self.last = revision;
        self.events += 1;
        Ok(())
    }
}

/// What becomes of a watcher; one of no keys at all is refused.
fn fate(reference: &Reference, keys: &Keys, start: i64) -> Watched {
    match keys {
        Keys::Span(first, end) if first >= end => Watched::Refused,
        _ => reference.watch(start),
    }
}

/// A change with everything that is compared.
fn say_told((event, before): &Told) -> String {
    let before = before.as_ref().map_or_else(String::new, |kv| format!(", before {kv}"));
    let all = if event.deleted { String::new() } else { format!(", {}", event.kv) };
    format!("{}{all}{before}", say(event))
}

fn say(event: &Event) -> String {
    let what = if event.deleted { "the deletion" } else { "the put" };
    format!("{what} of {} at {}", quoted(&event.kv.key), event.kv.mod_revision)
}
