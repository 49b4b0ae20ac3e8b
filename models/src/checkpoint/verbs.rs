//! The verbs of transcripts: the log of one vbucket on a desk, without actors. Time stands still but for `wait`.
//!
//! A cursor is `persistence` (the flusher), or `c1`, `c2`, .. for readers; ID is the id of a checkpoint. Changes:
//!
//! | verb | what it does | example |
//! |---|---|---|
//! | `new [active \| replica] [SETTING VALUE].. [bug NAME]..` | an empty log of life 1; settings are max_items, by_count, period, max_checkpoints, min_items | `new replica max_items 2 period 600s` |
//! | `set KEY [VALUE] [flags N] [expires N] [cas N] [disk]` | queues a value; `disk`: some version of the key is known to be on disk | `set a 1 cas 7` |
//! | `del KEY [cas N] [disk]` | queues a deletion | `del a` |
//! | `mark flush \| commit` | queues that everything was deleted, or that a transaction ends | `mark flush` |
//! | `wait SPAN` | time passes | `wait 600s` |
//!
//! Cursors:
//!
//! | verb | what it does | example |
//! |---|---|---|
//! | `next CURSOR [N]` | the next item, or the next N | `next c1 3` |
//! | `fetch CURSOR [N] [before ID]` | everything, or N items; or what is in front of a checkpoint | `fetch persistence before 2` |
//! | `more CURSOR [before ID]` | whether there is something left | `more c1` |
//! | `flush` | the flusher drains what is in front of an open window, and it is on disk | `flush` |
//! | `drain` | the flusher drains, and remembers where that began | `drain` |
//! | `flushed` | what was drained is on disk | `flushed` |
//! | `failed` | it is not, and will be drained again | `failed` |
//! | `lookup CURSOR ID [life N]` | what a reader would be answered | `lookup c1 1` |
//! | `register CURSOR ID [life N]` | a reader comes, which has everything before that checkpoint | `register c1 1` |
//! | `unregister CURSOR` | it goes | `unregister c1` |
//! | `cursors` | each cursor: where it stands, and its three numbers | `cursors` |
//!
//! Checkpoints:
//!
//! | verb | what it does | example |
//! |---|---|---|
//! | `due` | a new checkpoint, if the open one is full or old enough | `due` |
//! | `create` | one, because a client wants it | `create` |
//! | `pressure` | one, so that memory can be given back | `pressure` |
//! | `force` | one, in any case | `force` |
//! | `extend yes \| no` | none is made by count or age, or again | `extend yes` |
//! | `remove` | a round of removal | `remove` |
//! | `collapse` | the closed checkpoints of a replica become one | `collapse` |
//! | `show` | all checkpoints: their items, and `<c1>` behind what a cursor has delivered last | `show` |
//! | `state` | everything else | `state` |
//! | `holds KEY CAS` | whether a version is still needed here | `holds a 7` |
//! | `check` | whether the rules of a log hold | `check` |
//!
//! Replicas, and what becomes of a copy:
//!
//! | verb | what it does | example |
//! |---|---|---|
//! | `begun ID` | the active copy has begun a checkpoint | `begun 2` |
//! | `ended ID` | it has ended one | `ended 2` |
//! | `told start \| complete \| revert ID EPOCH` | it has gone on with an online update | `told start 2 1` |
//! | `promote LIFE` | this copy becomes the active one, in a new life | `promote 2` |
//! | `demote` | it is not the active one any more | `demote` |
//! | `clear` | everything is forgotten | `clear` |
//! | `warm ID` | a new log after a start, of a node that had persisted this much | `warm 3` |
//!
//! Online update:
//!
//! | verb | what it does | example |
//! |---|---|---|
//! | `start` | a client begins one | `start` |
//! | `complete` | a client ends it, and what was done stays | `complete` |
//! | `revert` | a client ends it, and what was done is to be taken back | `revert` |
//! | `finish` | it has been taken back | `finish` |
//! | `window` | the changes in the window, and the keys | `window` |
//!
//! ```text
//! set a 1
//! set a 2
//! fetch persistence
//! ----
//! new 1001, more to persist
//! existing 1002, no more to persist
//! checkpoint_start(1) set(a=2); last closed 0
//! ```

use seedbed_sim::campaign::transcript::Verbs;

use super::checks;
use super::manager::{Manager, Role};
use super::op::{CheckpointId, CursorName, Event, EventKind, Incarnation};
use super::queue::Mark;
use super::response::Removed;
use super::settings::Settings;

mod say;
mod words;

/// A log that lines of text drive.
#[derive(Clone, Debug)]
pub struct Desk {
    log: Manager,
    now: u64,
}

/// What a verb answers, or refuses with.
type Said = Result<String, String>;

impl Default for Desk {
    fn default() -> Desk {
        Desk { log: Manager::new(Settings::USUAL, Role::Active, Incarnation(1), 0), now: 0 }
    }
}

impl Verbs for Desk {
    fn run(&mut self, command: &str) -> Said {
        let words: Vec<&str> = command.split_whitespace().collect();
        let (verb, operands) =
            words.split_first().map_or(("", &[][..]), |(verb, rest)| (*verb, rest));
        self.changes(verb, operands)
            .or_else(|| self.reads(verb, operands))
            .or_else(|| self.checkpoints(verb, operands))
            .or_else(|| self.remote(verb, operands))
            .or_else(|| self.online(verb, operands))
            .unwrap_or_else(|| Err(format!("expected one of {VERBS}, found `{verb}`")))
    }
}

const VERBS: &str = "`new set del mark wait next fetch more flush drain flushed failed lookup \
    register unregister cursors due create pressure force extend remove collapse show state holds \
    check begun ended told promote demote clear warm start complete revert finish window`";

impl Desk {
    fn changes(&mut self, verb: &str, operands: &[&str]) -> Option<Said> {
        Some(match (verb, operands) {
            ("new", words) => words::newborn(words).map(|(settings, role, defects)| {
                let log = Manager::new(settings, role, Incarnation(1), self.now);
                self.log = log.with_defects(defects);
                say::state(&self.log)
            }),
            ("set", words) => {
                words::set(words).map(|change| say::queued(self.log.queue(self.now, change)))
            }
            ("del", words) => {
                words::delete(words).map(|change| say::queued(self.log.queue(self.now, change)))
            }
            ("mark", words) => {
                words::one_of(words, &[("flush", Mark::Flush), ("commit", Mark::Commit)])
                    .map(|mark| say::whether(self.log.queue_mark(mark), "queued", "dropped"))
            }
            ("wait", words) => words::span(words).map(|span| {
                self.now = self.now.saturating_add(span);
                say::time(self.now)
            }),
            _ => return None,
        })
    }

    fn reads(&mut self, verb: &str, operands: &[&str]) -> Option<Said> {
        Some(match (verb, operands) {
            ("next", words) => self.next(words),
            ("fetch", words) => words::fetch(words).and_then(|(name, limit, barrier)| {
                self.log
                    .fetch(name, limit, barrier)
                    .map(|got| say::fetched(&got))
                    .ok_or(NO_CURSOR.into())
            }),
            ("more", words) => words::fetch(words).map(|(name, _, barrier)| {
                say::whether(self.log.has_more(name, barrier), "yes", "no")
            }),
            ("flush", words) => words::end(words).and_then(|()| {
                let said = self.drain();
                self.log.flush_succeeded();
                said
            }),
            ("drain", words) => words::end(words).and_then(|()| self.drain()),
            ("flushed", words) => words::end(words).map(|()| {
                self.log.flush_succeeded();
                "on disk".into()
            }),
            ("failed", words) => words::end(words).map(|()| {
                self.log.flush_failed();
                "again".into()
            }),
            ("lookup", words) => words::reader(words, self.log.incarnation())
                .map(|(name, from, life)| say::registered(self.log.lookup(name, from, life))),
            ("register", words) => words::reader(words, self.log.incarnation())
                .map(|(name, from, life)| say::registered(self.log.register(name, from, life))),
            ("unregister", words) => words::cursor(words)
                .map(|name| say::whether(self.log.remove_cursor(name), "gone", "there is none")),
            ("cursors", words) => words::end(words).map(|()| say::cursors(&self.log)),
            _ => return None,
        })
    }

    fn checkpoints(&mut self, verb: &str, operands: &[&str]) -> Option<Said> {
        let now = self.now;
        Some(match (verb, operands) {
            ("due", words) => words::end(words).map(|()| say::opened(self.log.create_if_due(now))),
            ("create", words) => words::end(words).map(|()| say::opened(self.log.create(now))),
            ("pressure", words) => {
                words::end(words).map(|()| say::opened(self.log.create_under_pressure(now)))
            }
            ("force", words) => words::end(words).map(|()| say::opened(self.log.force(now))),
            ("extend", words) => words::one_of(words, &[("yes", true), ("no", false)]).map(|is| {
                self.log.extend(is);
                say::whether(is, "no checkpoints by count or age", "checkpoints by count and age")
            }),
            ("remove", words) => words::end(words).map(|()| {
                let Removed { checkpoints, mutations, opened } = self.log.remove_unreferenced(now);
                let opened = opened.map(|id| format!("opened {id}, ")).unwrap_or_default();
                format!("{opened}removed {checkpoints} checkpoints with {mutations} mutations")
            }),
            ("collapse", words) => words::end(words)
                .map(|()| format!("{} older versions are gone", self.log.collapse())),
            ("show", words) => words::end(words).map(|()| say::show(&self.log)),
            ("state", words) => words::end(words).map(|()| say::state(&self.log)),
            ("holds", words) => words::version(words)
                .map(|(key, cas)| say::whether(self.log.holds(key, cas), "needed", "not needed")),
            ("check", words) => words::end(words).and_then(|()| match checks::holds(&self.log) {
                Ok(()) => Ok("all rules hold".into()),
                Err(broken) => Err(broken.to_string()),
            }),
            _ => return None,
        })
    }

    fn remote(&mut self, verb: &str, operands: &[&str]) -> Option<Said> {
        let now = self.now;
        Some(match (verb, operands) {
            ("begun", words) => {
                words::id(words).map(|id| say::started(self.log.accept_start(now, id)))
            }
            ("ended", words) => words::id(words).map(|id| say::ended(self.log.accept_end(id))),
            ("told", words) => {
                words::event(words).map(|event| say::accepted(self.log.accept_event(now, event)))
            }
            ("promote", words) => words::id(words).map(|CheckpointId(life)| {
                self.log.promote(now, Incarnation(life));
                say::state(&self.log)
            }),
            ("demote", words) => words::end(words).map(|()| {
                self.log.demote();
                say::state(&self.log)
            }),
            ("clear", words) => words::end(words).map(|()| {
                self.log.clear(now);
                say::state(&self.log)
            }),
            ("warm", words) => words::id(words).map(|id| {
                let life = Incarnation(self.log.incarnation().0.saturating_add(1));
                let log = Manager::new(self.log.settings(), self.log.role(), life, now);
                self.log = log.with_defects(self.log.defects()).after_warm_up(id);
                say::state(&self.log)
            }),
            _ => return None,
        })
    }

    fn online(&mut self, verb: &str, operands: &[&str]) -> Option<Said> {
        let now = self.now;
        let said = |event: Result<Event, _>| event.map(say::event).map_err(refused);
        Some(match (verb, operands) {
            ("start", words) => words::end(words).and_then(|()| said(self.log.start(now))),
            ("complete", words) => words::end(words).and_then(|()| said(self.log.complete(now))),
            ("revert", words) => words::end(words).and_then(|()| said(self.log.begin_revert(now))),
            ("finish", words) => words::end(words).map(|()| {
                say::whether(self.log.finish_revert(), "taken back", "nothing is being taken back")
            }),
            ("window", words) => words::end(words).map(|()| say::window(&self.log)),
            _ => return None,
        })
    }

    fn next(&mut self, words: &[&str]) -> Said {
        let (name, count, _) = words::fetch(words)?;
        let count = if words.len() == 1 { 1 } else { count };
        let fetched = self.log.fetch(name, count, None).ok_or(NO_CURSOR)?;
        Ok(say::items(&fetched.items))
    }

    /// The flusher takes what it may.
    fn drain(&mut self) -> Said {
        let barrier = self.log.barrier();
        let fetched = self.log.begin_flush(barrier).ok_or(NO_CURSOR)?;
        Ok(say::fetched(&fetched))
    }
}

const NO_CURSOR: &str = "there is no such cursor";

fn refused(error: super::response::Refusal) -> String {
    error.to_string()
}

/// The words of the steps of an online update.
const KINDS: [(&str, EventKind); 3] =
    [("start", EventKind::Start), ("complete", EventKind::Complete), ("revert", EventKind::Revert)];

/// The words of cursors.
fn cursor_of(word: &str) -> Option<CursorName> {
    match word {
        "persistence" => Some(CursorName::Persistence),
        _ => word.strip_prefix('c')?.parse().ok().map(CursorName::Named),
    }
}

#[cfg(test)]
mod tests;
