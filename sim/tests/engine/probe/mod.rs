//! A probe: an actor that does what a script says, and notes whatever happens to it.
//!
//! A script is a list of rules, `("timer a", [Send(1, word("b")), Point(&EDGE)])`: when the event that is printed like the
//! left side happens, the effects on the right follow one by one. Every event is noted, so a run can be read off its
//! notes. A rule `("boot in 2", ..)` holds only in that incarnation, and goes before the plain one; `"put"` holds for a
//! message about whatever, unless there is a rule for `"put#3"`.

pub(crate) mod busy;
pub(crate) mod lab;

use seedbed_sim::actor::{
    Actor, CloseReason, ConnEvent, Context, DiskDone, Event, Label, Mark, Outcome, Point,
};
use seedbed_sim::choose::{FIRST_MODEL_SITE, Shape, Site};
use seedbed_sim::id::{ActorId, ConnId, FileId, FileName, OpId};
use seedbed_sim::time::Span;
use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A place between two effects.
pub(crate) const EDGE: Point = Point { index: 0, name: "edge" };
/// Another one.
pub(crate) const RIM: Point = Point { index: 1, name: "rim" };
/// Both.
pub(crate) const POINTS: &[Point] = &[EDGE, RIM];
/// Something rare.
pub(crate) const RARE: Mark = Mark { index: 0, name: "something rare was seen" };
/// A decision of the model's own.
pub(crate) const PICK: Site =
    Site { id: FIRST_MODEL_SITE, name: "pick", shape: Shape::Own, outcomes: &["left", "right"] };

/// The name of a message, timer, phase or lock, and what it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Word {
    kind: u16,
    pub(crate) subject: u64,
}

/// The word of this name, about nothing.
pub(crate) fn word(name: &str) -> Word {
    about(name, 0)
}

/// The word of this name, about something.
pub(crate) fn about(name: &str, subject: u64) -> Word {
    let kind = Word::KINDS.iter().position(|k| *k == name).expect("a word of the list");
    Word { kind: u16::try_from(kind).expect("a short list"), subject }
}

/// In a script: about the same as the event.
pub(crate) const SAME: u64 = u64::MAX;

impl Word {
    pub(crate) fn name(self) -> &'static str {
        Word::KINDS[usize::from(self.kind)]
    }
}

impl Label for Word {
    const KINDS: &'static [&'static str] =
        &["a", "b", "c", "d", "e", "put", "ack", "copy", "tick", "retry", "table"];
    fn kind(&self) -> u16 {
        self.kind
    }
    fn subject(&self) -> u64 {
        self.subject
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.subject {
            0 => f.write_str(self.name()),
            subject => write!(f, "{}#{subject}", self.name()),
        }
    }
}

/// What a client is asked: a number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Ask(pub(crate) u64);

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ask {}", self.0)
    }
}

impl FromStr for Ask {
    type Err = String;
    fn from_str(text: &str) -> Result<Ask, String> {
        let number = text.strip_prefix("ask ").and_then(|n| n.parse().ok());
        number.map(Ask).ok_or_else(|| format!("expected `ask NUMBER`, found `{text}`"))
    }
}

/// One thing that a probe does.
#[derive(Clone, Debug)]
pub(crate) enum Do {
    Send(u16, Word),
    Arm(Word, Span),
    Disarm(Word),
    Lock(Word),
    Unlock(Word),
    Yield(Word),
    Point(&'static Point),
    Mark,
    /// Counts up what the node shares, and what the probe itself has, and notes both.
    Count,
    /// Notes both clocks.
    Clocks,
    /// Decides, for the next time in this life, and notes the outcome.
    Pick,
    Connect(u16),
    Write(usize),
    /// Reads all that has arrived, and notes how much, and whether it is as it was written.
    Read,
    Close,
    Reset,
    Open(&'static str),
    Create(&'static str),
    Append(usize),
    Load,
    Sync,
    SyncDir,
    Complete(Outcome<u64>),
    /// Completes the operation that the event is about, if it is still under way.
    Finish(Outcome<u64>),
    /// Remembers who has sent this message, to be answered later.
    Queue,
    /// Answers the first who is remembered.
    Answer(Word),
    /// Asks for a lock, unless it has it or waits for it.
    Want(Word),
    /// Gives a lock back if it has it, and asks again if somebody is still to be answered.
    Release(Word),
    Stopped,
    FailStop,
    Abort,
    Panic,
    /// Sends messages in the order of a hash map that the process has seeded: what a model must never do.
    Leak(u16),
}

/// What happens, and what follows.
pub(crate) type Rule = (&'static str, Vec<Do>);

/// A probe.
#[derive(Clone, Debug, Default)]
pub(crate) struct Probe {
    script: Arc<[Rule]>,
    count: u64,
    op: Option<OpId>,
    conn: Option<ConnId>,
    file: Option<FileId>,
    written: u8,
    read: u8,
    picks: u64,
    /// What the present event is about, and who has sent it.
    subject: u64,
    from: Option<ActorId>,
    queue: VecDeque<(ActorId, u64)>,
    wants: bool,
    has: bool,
}

impl Probe {
    pub(crate) fn new(script: Vec<Rule>) -> Probe {
        Probe { script: script.into(), ..Probe::default() }
    }

    /// How often it has counted in this life.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }
}

impl Actor for Probe {
    type Msg = Word;
    type Timer = Word;
    type Phase = Word;
    type Lock = Word;
    type Op = Ask;
    type Ret = u64;
    type Note = String;
    type Shared = u64;
    type Ghost = u64;

    fn on_event(&mut self, event: Event<Probe>, cx: &mut Context<'_, Probe>) {
        let said = self.take_in(event);
        cx.note(said.clone());
        let in_this_life = format!("{said} in {}", cx.incarnation().0);
        let script = Arc::clone(&self.script);
        let plain =
            said.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches(['#', ' ']);
        let rule = |text: &str| script.iter().find(|(when, _)| *when == text);
        if let Some((_, effects)) =
            rule(&in_this_life).or_else(|| rule(&said)).or_else(|| rule(plain))
        {
            effects.iter().for_each(|effect| self.act(effect, cx));
        }
    }

    fn corrupted(msg: &Word, word: u64) -> Option<Word> {
        (msg.name() != "e").then_some(Word { subject: msg.subject ^ (word | 1), ..*msg })
    }
}

impl Probe {
    /// Remembers what effects will need, and says what has happened.
    fn take_in(&mut self, event: Event<Probe>) -> String {
        match event {
            Event::Boot => "boot".into(),
            Event::Invoke { op, what } => {
                (self.op, self.subject) = (Some(op), u64::from(op.number));
                format!("invoke {}", what.0)
            }
            Event::Message { from, msg } => {
                (self.from, self.subject) = (Some(from), msg.subject);
                msg.to_string()
            }
            Event::Timer(timer) => {
                self.subject = timer.subject;
                format!("timer {timer}")
            }
            Event::Conn(event) => {
                self.conn = Some(event.conn());
                say_conn(&event).into()
            }
            Event::Disk(event) => match event.result {
                Ok(DiskDone::Opened { file, len }) => {
                    self.file = Some(file);
                    format!("opened {len}")
                }
                Ok(DiskDone::Read(bytes)) => {
                    let intact = bytes.iter().all(|byte| *byte == b'x');
                    format!("loaded {}{}", bytes.len(), if intact { "" } else { " damaged" })
                }
                Ok(DiskDone::Written { .. }) => "written".into(),
                Ok(DiskDone::Listed(_)) => "listed".into(),
                Ok(DiskDone::Done) => "done".into(),
                Err(error) => error.to_string(),
            },
            Event::Locked(lock) => {
                self.has = true;
                format!("locked {lock}")
            }
            Event::Phase(phase) => format!("phase {phase}"),
            Event::Stop => "stop".into(),
        }
    }

    fn act(&mut self, effect: &Do, cx: &mut Context<'_, Probe>) {
        match effect.clone() {
            Do::Send(to, msg) => cx.send(ActorId(to), self.filled(msg)),
            Do::Arm(timer, after) => cx.arm(self.filled(timer), after),
            Do::Disarm(timer) => cx.disarm(self.filled(timer)),
            Do::Lock(lock) => cx.lock(lock),
            Do::Unlock(lock) => cx.unlock(lock),
            Do::Yield(phase) => cx.yield_to(self.filled(phase)),
            Do::Point(point) => cx.point(point),
            Do::Mark => cx.mark(&RARE),
            Do::Count => {
                self.count += 1;
                *cx.shared() += 1;
                let shared = *cx.shared();
                cx.note(format!("count {} shared {shared}", self.count));
            }
            Do::Clocks => cx.note(format!("now {} wall {}", cx.now().0, cx.wall().0)),
            Do::Pick => {
                self.picks += 1;
                let picked = cx.choose(&PICK, 0, self.picks);
                cx.note(format!("picked {picked}"));
            }
            Do::Complete(outcome) => {
                let op = self.op.take().expect("an operation is under way");
                cx.complete(op, outcome);
            }
            Do::Finish(outcome) => {
                if let Some(op) = self.op.take_if(|op| u64::from(op.number) == self.subject) {
                    cx.complete(op, outcome);
                }
            }
            Do::Stopped => cx.stopped(),
            Do::FailStop => cx.fail_stop("the script says so"),
            Do::Abort => cx.abort("the script says so"),
            Do::Panic => panic!("the script says so"),
            Do::Leak(to) => leak(|n| cx.send(ActorId(to), about("a", n))),
            Do::Queue | Do::Answer(_) | Do::Want(_) | Do::Release(_) => self.serve(effect, cx),
            other => self.act_on_files_and_streams(&other, cx),
        }
    }

    fn filled(&self, word: Word) -> Word {
        if word.subject == SAME { Word { subject: self.subject, ..word } } else { word }
    }

    fn serve(&mut self, effect: &Do, cx: &mut Context<'_, Probe>) {
        match *effect {
            Do::Queue => self.queue.extend(self.from.map(|from| (from, self.subject))),
            Do::Answer(msg) => {
                if let Some((to, subject)) = self.queue.pop_front() {
                    cx.send(to, Word { subject, ..msg });
                }
            }
            Do::Want(lock) if !self.wants => {
                self.wants = true;
                cx.lock(lock);
            }
            Do::Release(lock) if self.has => {
                (self.has, self.wants) = (false, !self.queue.is_empty());
                cx.unlock(lock);
                if self.wants {
                    cx.lock(lock);
                }
            }
            _ => {}
        }
    }

    fn act_on_files_and_streams(&mut self, effect: &Do, cx: &mut Context<'_, Probe>) {
        let conn = self.conn.unwrap_or(ConnId(u32::MAX));
        let file = self.file.unwrap_or(FileId(u32::MAX));
        match *effect {
            Do::Connect(to) => self.conn = Some(cx.connect(ActorId(to))),
            Do::Write(len) => {
                // Bytes count up, so that a reader sees one that is lost, repeated or changed.
                let data: Vec<u8> = (0..len).map(|_| next(&mut self.written)).collect();
                let taken = cx.write(conn, &data);
                self.written = self.written.wrapping_sub(u8::try_from(len - taken).expect("short"));
                cx.note(format!("wrote {taken}"));
            }
            Do::Read => {
                let mut bytes = Vec::new();
                cx.read(conn, usize::MAX, &mut bytes);
                let intact = bytes.iter().all(|byte| *byte == next(&mut self.read));
                cx.note(format!("read {}{}", bytes.len(), if intact { "" } else { " damaged" }));
            }
            Do::Close => cx.close(conn),
            Do::Reset => cx.reset(conn),
            Do::Open(name) => drop(cx.open(FileName::new(name))),
            Do::Create(name) => drop(cx.create(FileName::new(name))),
            Do::Append(len) => drop(cx.append(file, &vec![b'x'; len])),
            Do::Load => drop(cx.read_at(file, 0, 1 << 16)),
            Do::Sync => drop(cx.sync(file)),
            Do::SyncDir => drop(cx.sync_dir()),
            _ => unreachable!("done by the caller"),
        }
    }
}

#[expect(clippy::disallowed_types, reason = "a test wants this leak caught")]
fn leak(each: impl FnMut(u64)) {
    let seeded_by_the_process: std::collections::HashMap<u64, ()> =
        (1..=16).map(|n| (n, ())).collect();
    seeded_by_the_process.into_keys().for_each(each);
}

fn next(byte: &mut u8) -> u8 {
    *byte = byte.wrapping_add(1);
    *byte
}

fn say_conn(event: &ConnEvent) -> &'static str {
    match event {
        ConnEvent::Opened { .. } => "connected",
        ConnEvent::Refused { .. } => "refused",
        ConnEvent::Accepted { .. } => "accepted",
        ConnEvent::Readable { .. } => "readable",
        ConnEvent::Writable { .. } => "writable",
        ConnEvent::Closed { reason: CloseReason::Fin, .. } => "closed",
        ConnEvent::Closed { reason: CloseReason::Reset, .. } => "reset",
    }
}
