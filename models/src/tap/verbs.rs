//! The verbs of transcripts: the producer of one stream and its consumer, without actors. What one says is in flight until
//! the other takes it.
//!
//! | verb | what it does | example |
//! |---|---|---|
//! | `new [takeover] [SETTING N]..` | a master of vbucket v0 and an empty replica; settings are window, interval, first, backoff, threshold, keys | `new takeover window 4` |
//! | `set KEY VALUE` | the master has a value | `set a 1` |
//! | `delete KEY` | the master has it no more | `delete a` |
//! | `close` | the master ends its checkpoint | `close` |
//! | `flush` | the master has nothing any more, and says so at once rather than key by key | `flush` |
//! | `evict KEY` | all is written to disk, and the value of a key that nobody needs leaves the memory of the master | `evict a` |
//! | `update start \| complete \| revert` | a step of an online update of the master | `update start` |
//! | `connect` | the replica asks for the stream, with what it has | `connect` |
//! | `filter [v0]` | the stream is of this vbucket, or of none | `filter` |
//! | `lose` | the connection is lost, with all that is in flight | `lose` |
//! | `say [N]` | the producer does its next N steps, or all up to its rest | `say 3` |
//! | `collect [N]` | the backfill collects N keys, or the rest, from disk what is there only | `collect 2` |
//! | `take [N]` | the replica takes in what is in flight, or N of it, and answers | `take` |
//! | `reject` | the replica rejects the next change for now | `reject` |
//! | `answer [N]` | the producer gets the answers, or N of them | `answer` |
//! | `wait N` | so many milliseconds pass | `wait 1000` |
//! | `show` | what both have | `show` |

use std::collections::{BTreeSet, VecDeque};

use seedbed_sim::actor::BugSet;
use seedbed_sim::campaign::transcript::Verbs;
use seedbed_sim::time::{Span, Time};

use crate::checkpoint::op::EventKind;
use crate::checkpoint::queue::Mark;
use crate::vbucket::memory::Memory;
use crate::vbucket::op::{Key, State, Update, Value, Vb};
use crate::vbucket::record::{Record, Version, decode, encode};
use crate::vbucket::settings::Settings as DataSettings;
use crate::vbucket::table::{Entry, Row};
use crate::vbucket::vb::{Vbucket, Window, log_key};

use super::frame::{Message, Name, Status};
use super::intake::{Fact, Intake, Taken};
use super::producer::{Next, Producer};
use super::seqno::Seqno;
use super::settings::Settings;

const VB: Vb = Vb(0);

/// A producer and a consumer that lines of text drive.
#[derive(Clone, Debug)]
pub struct Desk {
    master: Memory,
    replica: Memory,
    producer: Producer,
    intake: Intake,
    now: Time,
    in_flight: VecDeque<(Seqno, bool, Message)>,
    answers: VecDeque<(Seqno, Status)>,
    /// What the master has written.
    disk: Vec<u8>,
    /// The backfill under way, and the key that it comes to next.
    backfill: Option<(u64, Key)>,
}

impl Default for Desk {
    fn default() -> Desk {
        Desk::new(false, Settings { backoff: Span::ms(1_000), ..Settings::default() }, 100)
    }
}

impl Desk {
    fn new(is_takeover: bool, settings: Settings, max_items: u32) -> Desk {
        let data = |node, state| DataSettings {
            max_items,
            nodes: 2,
            node,
            state,
            ..DataSettings::default()
        };
        let memory = |node, state| {
            let mut memory = Memory::new(data(node, state), 0, BugSet::NONE);
            memory.is_loaded = true;
            memory.create(VB, state, 0);
            memory
        };
        Desk {
            master: memory(0, State::Active),
            replica: memory(1, State::Replica),
            producer: Producer::new(Name(1), is_takeover, (settings, BugSet::NONE)),
            intake: Intake::new(BugSet::NONE),
            now: Time(0),
            in_flight: VecDeque::new(),
            answers: VecDeque::new(),
            disk: Vec::new(),
            backfill: None,
        }
    }
}

impl Verbs for Desk {
    fn run(&mut self, command: &str) -> Result<String, String> {
        let words: Vec<&str> = command.split(' ').collect();
        match words[..] {
            ["new", ref rest @ ..] => self.renew(rest),
            ["set", key, value] => self.change(key, Some(value)),
            ["delete", key] => self.change(key, None),
            ["close"] => Ok(self.close()),
            ["flush"] => Ok(self.flush()),
            ["evict", key] => self.evict(key.parse()?),
            ["update", step] => self.update(step),
            ["connect"] => Ok(self.connect()),
            ["filter", ref vbs @ ..] => self.filter(vbs),
            ["lose"] => Ok(self.lose()),
            ["say"] => Ok(self.say(usize::MAX)),
            ["say", n] => Ok(self.say(number(n)?)),
            ["collect"] => Ok(self.collect(usize::MAX)),
            ["collect", n] => Ok(self.collect(number(n)?)),
            ["take"] => Ok(self.take(usize::MAX, false)),
            ["take", n] => Ok(self.take(number(n)?, false)),
            ["reject"] => Ok(self.take(1, true)),
            ["answer"] => Ok(self.answer(usize::MAX)),
            ["answer", n] => Ok(self.answer(number(n)?)),
            ["wait", n] => {
                self.now += Span::ms(small(n)?.into());
                Ok(format!("{}", self.now.since(Time(0))))
            }
            ["show"] => Ok(self.show()),
            _ => Err(format!(
                "expected one of new, set, delete, close, flush, evict, update, connect, filter, lose, say, collect, take, \
                 reject, answer, wait, show; found `{command}`"
            )),
        }
    }
}

impl Desk {
    fn renew(&mut self, words: &[&str]) -> Result<String, String> {
        let (is_takeover, words) = match words.split_first() {
            Some((&"takeover", rest)) => (true, rest),
            _ => (false, words),
        };
        let mut settings = Settings { backoff: Span::ms(1_000), ..Settings::default() };
        let mut keys = 100;
        for pair in words.chunks(2) {
            let [name, value] = pair else {
                return Err("expected a number behind a setting".into());
            };
            let value = small(value)?;
            if value == 0 && ["window", "interval", "first", "keys"].contains(name) {
                return Err(format!("expected 1 or more for {name}, found 0"));
            }
            match *name {
                "window" => settings.window = value,
                "interval" => settings.ack_interval = value,
                "first" => settings.first = Seqno(value),
                "backoff" => settings.backoff = Span::ms(u64::from(value)),
                "threshold" => settings.threshold = value,
                "keys" => keys = value,
                other => {
                    return Err(format!(
                        "expected one of window, interval, first, backoff, threshold, keys; found `{other}`"
                    ));
                }
            }
        }
        *self = Desk::new(is_takeover, settings, keys);
        Ok("ok".into())
    }

    fn change(&mut self, key: &str, value: Option<&str>) -> Result<String, String> {
        let key: Key = key.parse()?;
        let value = value.map(Value::new);
        if let Some(value) = value.as_ref().filter(|of| of.0.is_empty() || of.is_too_long()) {
            return Err(format!(
                "expected a value of 1 to {} bytes, found `{value}`",
                Value::LEN_MAX
            ));
        }
        let entry = value.map(|value| Entry {
            value: Some(value),
            flags: 0,
            until: None,
            cas: 0,
            dirty: true,
            row: None,
        });
        if self.master.vbs.get(&VB).is_none_or(|of| of.standing.state != State::Active) {
            return Ok("not my vbucket".into());
        }
        let changed = self.master.change(VB, key, entry, self.now.0);
        Ok(changed.map_or("nothing".into(), |(cas, _)| format!("@{cas}")))
    }

    fn close(&mut self) -> String {
        let now = self.now.0;
        let closed = self.master.vbs.get_mut(&VB).and_then(|vbucket| vbucket.log.create(now));
        closed.map_or("nothing to end".into(), |id| format!("checkpoint {id} is open"))
    }

    fn flush(&mut self) -> String {
        let vbucket = self.master.vbs.get(&VB);
        let Some(vbucket) = vbucket.filter(|of| of.standing.state == State::Active) else {
            return "not my vbucket".into();
        };
        if vbucket.window.is_some() {
            return "not during an online update".into();
        }
        let keys: Vec<Key> = vbucket.table.iter().map(|(key, _)| key).collect();
        self.master.edit(VB, |vbucket| {
            for key in &keys {
                vbucket.table.remove(*key);
                vbucket.counters.items -= 1;
            }
            vbucket.log.queue_mark(Mark::Flush);
        });
        format!("{} keys are gone", keys.len())
    }

    fn evict(&mut self, key: Key) -> Result<String, String> {
        let Some(vbucket) = self.master.vbs.get_mut(&VB) else { return Ok("nothing".into()) };
        let birth = vbucket.standing.birth;
        for item in vbucket.drain(0, 0).items {
            let offset = self.disk.len() as u64;
            let len = encode(&item.record(VB, birth), &mut self.disk);
            vbucket.committed(&item, Row { offset, len });
        }
        vbucket.written();
        let cas = vbucket.table.entry(key).map(|entry| entry.cas);
        if cas.is_some_and(|cas| vbucket.log.holds(log_key(key), cas)) {
            return Ok("stays, since a cursor needs it".into());
        }
        Ok(if vbucket.table.evict(key) { "evicted" } else { "stays" }.into())
    }

    fn update(&mut self, step: &str) -> Result<String, String> {
        let found = Update::ALL.iter().find(|(_, word)| *word == step);
        let (update, _) = found.ok_or("expected start, complete or revert")?;
        let now = self.now.0;
        let Some(vbucket) = self.master.vbs.get_mut(&VB) else { return Ok("nothing".into()) };
        let done = match update {
            Update::Start => vbucket.log.start(now),
            Update::Complete => vbucket.log.complete(now),
            Update::Revert => vbucket.log.begin_revert(now),
        };
        if let Err(refusal) = done {
            return Ok(refusal.to_string());
        }
        self.master.edit(VB, |vbucket| match update {
            Update::Start => vbucket.window = Some(Window::default()),
            Update::Complete => vbucket.window = None,
            Update::Revert => {
                for (key, image) in vbucket.window.take().unwrap_or_default().images {
                    vbucket.restore(key, image);
                }
                vbucket.log.finish_revert();
            }
        });
        Ok("done".into())
    }

    fn connect(&mut self) -> String {
        self.intake.begins(&[VB].into());
        let wishes = self.intake.wishes(&[VB].into(), &self.replica);
        self.producer.connect(&wishes, &mut self.master, self.now);
        let say = wishes.iter().map(|wish| {
            let of = if wish.incarnation.0 == 0 { "nothing" } else { "this life" };
            format!("{} after checkpoint {} of {of}", wish.vb, wish.closed)
        });
        say.collect::<Vec<_>>().join("\n")
    }

    fn filter(&mut self, vbs: &[&str]) -> Result<String, String> {
        let vbs = vbs.iter().map(|vb| vb.parse()).collect::<Result<BTreeSet<Vb>, String>>()?;
        if let Some(other) = vbs.iter().find(|vb| **vb != VB) {
            return Err(format!("expected {VB}, which is all that there is, found `{other}`"));
        }
        self.intake.begins(&vbs);
        let wishes = self.intake.wishes(&vbs, &self.replica);
        self.producer.filter(&wishes, &mut self.master);
        Ok(format!("{} vbuckets", self.producer.streams().len()))
    }

    fn lose(&mut self) -> String {
        let lost = self.in_flight.len() + self.answers.len();
        self.in_flight.clear();
        self.answers.clear();
        self.producer.lose(self.now);
        format!("{lost} lost")
    }

    fn say(&mut self, most: usize) -> String {
        let mut lines = Vec::new();
        for _ in 0..most {
            match self.producer.next(&mut self.master, self.now) {
                Next::Say(seqno, wants_answer, message) => {
                    let mark = if wants_answer { " ?" } else { "" };
                    lines.push(format!("{seqno} {message}{mark}"));
                    self.in_flight.push_back((seqno, wants_answer, message));
                }
                Next::Backfill(vb, token) => {
                    self.producer.backfill_begins(vb, token, &mut self.master);
                    self.backfill = Some((token, Key(0)));
                    lines.push(format!("{vb} is to be collected"));
                }
                Next::Die(vbs) => {
                    for vb in vbs {
                        let standing = self.master.stand(vb, State::Dead, self.now.0);
                        if let Some(vbucket) = self.master.vbs.get_mut(&vb) {
                            vbucket.saved = standing.change;
                        }
                        lines.push(format!("{vb} is dead here"));
                    }
                }
                Next::HangUp => {
                    self.lose();
                    lines.push("hangs up".into());
                    break;
                }
                Next::Over => {
                    lines.push("over".into());
                    break;
                }
                Next::Rest(_) => {
                    lines.push("rests".into());
                    break;
                }
            }
        }
        lines.join("\n")
    }

    fn collect(&mut self, most: usize) -> String {
        let Some((token, from)) = self.backfill else { return "no backfill is under way".into() };
        let Some(vbucket) = self.master.vbs.get(&VB) else { return "nothing".into() };
        let entries = vbucket.table.iter().filter(|(key, _)| *key >= from);
        let entries: Vec<(Key, &Entry)> = entries.take(most).collect();
        let is_over = entries.len() < most;
        let next = entries.last().map_or(from, |(key, _)| Key(key.0 + 1));
        let found = entries.iter().filter_map(|(key, entry)| self.version(*key, entry));
        let found: Vec<(Version, bool)> = found.collect();
        let mut line = Vec::new();
        for (version, from_disk) in found {
            let place = if from_disk { " from disk" } else { "" };
            line.push(format!("{} @{}{place}", version.key, version.cas));
            self.producer.fill(VB, token, version, from_disk);
        }
        self.backfill = Some((token, next));
        if is_over {
            self.producer.backfill_ends(VB, token);
            self.backfill = None;
            line.push("that is all".into());
        }
        line.join(", ")
    }

    /// What the master has of a key, and whether that is on disk only.
    fn version(&self, key: Key, entry: &Entry) -> Option<(Version, bool)> {
        if let Some(value) = entry.value.clone() {
            let (flags, until, cas) = (entry.flags, entry.until, entry.cas);
            return Some((Version { key, value, flags, until, cas }, false));
        }
        let from = usize::try_from(entry.row?.offset).ok()?;
        match decode(self.disk.get(from..)?) {
            Some((Record::Set(_, _, version), _)) => Some((version, true)),
            _ => None,
        }
    }

    fn take(&mut self, most: usize, rejects: bool) -> String {
        let mut lines = Vec::new();
        for _ in 0..most {
            let Some((seqno, wants_answer, message)) = self.in_flight.pop_front() else { break };
            let taken = self.intake.take(&message, &mut self.replica, self.now.0, rejects);
            let (line, status) = self.taken(taken);
            lines.push(format!("{seqno} {line}"));
            if status == Some(Status::TemporaryFailure) || wants_answer && status.is_some() {
                self.answers.extend(status.map(|status| (seqno, status)));
            }
            if status.is_none() {
                self.lose();
                break;
            }
        }
        if lines.is_empty() { "nothing".into() } else { lines.join("\n") }
    }

    fn taken(&mut self, taken: Taken) -> (String, Option<Status>) {
        let line = match taken {
            Taken::Done => "done".into(),
            Taken::With(fact) => {
                if let Fact::Stepped(vb, EventKind::Revert) = fact {
                    self.replica.edit(vb, Vbucket::take_back);
                }
                say(&fact)
            }
            Taken::Waits => unreachable!("here a revert is one step, and nothing is on disk"),
            Taken::Rejected => return ("not for now".into(), Some(Status::TemporaryFailure)),
            Taken::Resets(vb) => {
                self.intake.reset(vb, &mut self.replica, self.now.0);
                format!("{vb} is empty")
            }
            Taken::Stands(vb, state) => {
                self.replica.stand(vb, state, self.now.0);
                format!("{vb} is {state}")
            }
            Taken::HangUp => return ("hangs up".into(), None),
            Taken::Anew => {
                self.intake.forget(VB);
                return ("hangs up, to begin anew".into(), None);
            }
            Taken::Aborts(reason) => return (format!("aborts: {reason}"), None),
        };
        (line, Some(Status::Success))
    }

    fn answer(&mut self, most: usize) -> String {
        let mut lines = Vec::new();
        for _ in 0..most {
            let Some((seqno, status)) = self.answers.pop_front() else { break };
            let answered = self.producer.answer(seqno, status, self.now);
            let word = if status == Status::Success { "success" } else { "not for now" };
            let has = answered.released.len();
            lines.push(format!("{seqno} {word}: {has} changes are there"));
        }
        if lines.is_empty() { "nothing".into() } else { lines.join("\n") }
    }

    fn show(&self) -> String {
        let side = |memory: &Memory| {
            let Some(vbucket) = memory.vbs.get(&VB) else { return "nothing".to_string() };
            let entries = vbucket.table.iter().map(|(key, entry)| {
                let value = entry.value.as_ref().map_or("?".into(), ToString::to_string);
                format!("{key}={value}")
            });
            let entries: Vec<String> = entries.collect();
            let entries = if entries.is_empty() { "nothing".into() } else { entries.join(" ") };
            format!("{}, checkpoint {}: {entries}", vbucket.standing.state, vbucket.log.open_id())
        };
        let stages = self.producer.streams().values().map(|stream| format!("{:?}", stream.stage));
        let stages: Vec<String> = stages.collect();
        let suspended = if self.producer.is_suspended() { ", suspended" } else { "" };
        format!(
            "master   {}\nreplica  {}\nstream   {}, {} without an answer{suspended}",
            side(&self.master),
            side(&self.replica),
            stages.join(" "),
            self.producer.unanswered()
        )
    }
}

fn say(fact: &Fact) -> String {
    match fact {
        Fact::Applied(_, key, cas) => format!("{key} is @{cas}"),
        Fact::Ended(_, _, id, held) => format!("checkpoint {id} ends with {} keys", held.len()),
        Fact::Stepped(_, kind) => format!("did {kind:?}"),
        Fact::Merged(..) => "checkpoints are one".into(),
        Fact::LeftOut(_) => "left out".into(),
        Fact::StepAgain(_) => "was done before".into(),
        Fact::Filled(_) => "is filled".into(),
    }
}

fn small(text: &str) -> Result<u32, String> {
    let number = u32::try_from(number(text)?);
    number.map_err(|_| format!("expected a number below 2^32, found `{text}`"))
}

fn number(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| format!("expected a number, found `{text}`"))
}
