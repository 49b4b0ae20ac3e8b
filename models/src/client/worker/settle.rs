//! What a worker makes of what it is told: it tells the store, and compares.

use seedbed_sim::actor::Context;

use crate::client::content::Content;
use crate::client::message::Timer;
use crate::client::model::Peer;
use crate::client::note::{Note, Verdict};
use crate::client::response::Fate;
use crate::client::smart::Told;
use crate::client::store::{Deadline, Held, Item, Seen, Status};
use crate::client::{bugs, mark};
use crate::vbucket::message::AskId;
use crate::vbucket::op::Key;
use crate::vbucket::response::Answer;

use super::{LOOKS_MAX, POLL, Pending, What, Worker};

impl Worker {
    /// A call has come to an end.
    pub(super) fn settle(&mut self, told: Told, cx: &mut Context<'_, Peer>) {
        let Some(job) = &mut self.job else { return };
        let at = job.calls.iter().position(|pending| pending.number == told.id.op.number);
        let Some(Pending { key, what, .. }) = at.map(|at| job.calls.remove(at)) else { return };
        match what {
            What::Write(write, held, ttl) => self.written((key, write), (held, ttl), &told, cx),
            What::Look(verifies) => {
                if self.looked(key, verifies, &told, cx) {
                    return;
                }
            }
            What::Master => return self.compare_master(key, told, cx),
            What::Replica(master) => {
                if self.compare(key, &master, &told, cx) {
                    return;
                }
            }
        }
        if self.job.as_ref().is_some_and(|job| job.calls.is_empty()) {
            self.step_over(cx);
        }
    }

    /// The store is told what has become of a write.
    fn written(
        &mut self,
        (key, write): (Key, u64),
        (held, ttl): (Held, u8),
        told: &Told,
        cx: &mut Context<'_, Peer>,
    ) {
        let (sent, answered) = told.window;
        let sent = if cx.bug(&bugs::EXPIRY_FROM_ANSWER) { answered } else { sent };
        let known = match held {
            Held::Gone => Held::Gone,
            Held::Item(item) => {
                let until = Deadline::of(u32::from(ttl), sent, Some(answered), self.skew);
                Held::Item(Item { until, ..item })
            }
        };
        let is_lost = cx.bug(&bugs::TIMEOUT_TAKEN_FOR_FAILURE);
        let store = &mut cx.shared().desk.store;
        match &told.fate {
            Fate::Answered(Answer::Stored(_) | Answer::Deleted) => {
                store.change(&key, |entry| entry.acknowledged(write, known));
            }
            // There was nothing to delete: that is something seen.
            Fate::Answered(Answer::NotFound) => {
                store.change(&key, |entry| entry.refused(write));
                cx.note(Note::Kept(key));
                return self.compared(key, told.id, (Seen::Absent, told.window), cx);
            }
            Fate::Answered(_) | Fate::NotApplied(_) => {
                store.change(&key, |entry| entry.refused(write));
            }
            Fate::Unknown(_) if is_lost => store.change(&key, |entry| entry.refused(write)),
            Fate::Unknown(_) => cx.mark(&mark::STORE_UNCERTAIN),
        }
        cx.note(Note::Kept(key));
    }

    /// A node has said what stands in a key, or nobody has: then it is looked at again later, which is answered by yes.
    fn looked(
        &mut self,
        key: Key,
        verifies: bool,
        told: &Told,
        cx: &mut Context<'_, Peer>,
    ) -> bool {
        let seen = match &told.fate {
            Fate::Answered(answer) => seen(answer),
            Fate::NotApplied(_) | Fate::Unknown(_) => None,
        };
        // A verifier that deletes is content with whatever comes of it, unless a value should be there.
        if told.fate == Fate::Answered(Answer::Deleted) {
            cx.note(Note::Verified(told.id, key, Verdict::Agrees, None, false));
            return false;
        }
        let seen = match seen {
            None if verifies && cx.bug(&bugs::ERROR_TAKEN_FOR_ABSENCE) => Some(Seen::Absent),
            seen => seen,
        };
        if let Some(seen) = seen {
            self.compared(key, told.id, (seen, told.window), cx);
            return false;
        }
        cx.note(Note::Verified(told.id, key, Verdict::NotVerified, None, false));
        verifies && self.look_again(key, cx)
    }

    /// Puts a key off, and waits, unless it has had all its chances, and nobody has said what stands in it.
    fn look_again(&mut self, key: Key, cx: &mut Context<'_, Peer>) -> bool {
        let is_later = self.put_off(key, cx);
        if !is_later
            && let Some(job) = &self.job
            && let Some(task) = cx.shared().desk.tasks.get_mut(&job.task)
        {
            task.unseen.push(key);
        }
        is_later
    }

    /// Puts a key off, and waits; whether there is still a chance. Each key has chances of its own.
    fn put_off(&mut self, key: Key, cx: &mut Context<'_, Peer>) -> bool {
        cx.mark(&mark::NOT_VERIFIED);
        self.unlock(cx);
        let Some(job) = &mut self.job else { return false };
        job.looks += 1;
        // No key has used up more of them than all together.
        if job.looks > LOOKS_MAX
            && let Some(task) = cx.shared().desk.tasks.get(&job.task)
            && looks(&task.touched, key) > LOOKS_MAX as usize
        {
            return false;
        }
        job.aim = None;
        job.left.push_back(key);
        cx.arm(Timer::Poll, POLL);
        true
    }

    /// Compares what was seen with what the store knows, and lets the store learn from it.
    fn compared(
        &mut self,
        key: Key,
        id: AskId,
        (seen, window): (Seen, (u64, u64)),
        cx: &mut Context<'_, Peer>,
    ) {
        let desk = &mut cx.shared().desk;
        let (agrees, is_certain, status) = desk.store.change(&key, |entry| {
            let known = (entry.allows(&seen, window), entry.is_certain(window));
            let status = entry.status(window.0);
            entry.learn(&seen, window);
            (known.0, known.1, status)
        });
        if !agrees
            && let Some(job) = &self.job
            && let Some(task) = desk.tasks.get_mut(&job.task)
        {
            task.wrong.push(key);
        }
        let verdict = if agrees { Verdict::Agrees } else { Verdict::Differs };
        let is_absent = seen == Seen::Absent;
        match (agrees, status) {
            (false, _) => cx.mark(&mark::FOUND_AMISS),
            (true, Status::Expired) if is_absent => cx.mark(&mark::VERIFIED_EXPIRED),
            (true, Status::Deleted) if is_absent => cx.mark(&mark::VERIFIED_DELETED),
            (true, _) => {}
        }
        if agrees && !is_certain {
            cx.mark(&mark::LEARNED);
        }
        cx.note(Note::Verified(id, key, verdict, Some(is_absent), is_certain));
        cx.note(Note::Kept(key));
    }

    /// The master was looked at; the replica is next.
    fn compare_master(&mut self, key: Key, told: Told, cx: &mut Context<'_, Peer>) {
        match told.fate {
            Fate::Answered(answer @ (Answer::Found { .. } | Answer::NotFound)) => {
                let number = self.smart.peek(key, cx);
                if let Some(job) = &mut self.job {
                    job.calls.push(Pending { number, key, what: What::Replica(answer) });
                }
            }
            _ => self.compare_later(key, cx),
        }
    }

    /// The replica was looked at; whether both are looked at again later.
    fn compare(
        &mut self,
        key: Key,
        master: &Answer,
        told: &Told,
        cx: &mut Context<'_, Peer>,
    ) -> bool {
        let is_same = matches!(&told.fate, Fate::Answered(replica) if replica == master);
        if is_same {
            cx.mark(&mark::REPLICA_AGREES);
            cx.note(Note::Replicated(key, Verdict::Agrees));
            return false;
        }
        let is_seen = matches!(told.fate, Fate::Answered(Answer::Found { .. } | Answer::NotFound));
        // It may not have come there yet.
        let is_later = if is_seen { self.put_off(key, cx) } else { self.look_again(key, cx) };
        if is_later {
            return true;
        }
        if is_seen
            && let Some(job) = &self.job
            && let Some(task) = cx.shared().desk.tasks.get_mut(&job.task)
        {
            task.wrong.push(key);
        }
        let verdict = if is_seen { Verdict::Differs } else { Verdict::NotVerified };
        cx.note(Note::Replicated(key, verdict));
        false
    }

    fn compare_later(&mut self, key: Key, cx: &mut Context<'_, Peer>) {
        if !self.look_again(key, cx) {
            self.step_over(cx);
        }
    }
}

/// How often a verification has looked at a key, which it touches each time.
fn looks(touched: &[Key], key: Key) -> usize {
    touched.iter().filter(|of| **of == key).count()
}

/// What a node has said that stands in a key; nothing if it has said something else.
fn seen(answer: &Answer) -> Option<Seen> {
    match answer {
        Answer::NotFound => Some(Seen::Absent),
        Answer::Found { value, flags, cas } => {
            Some(Seen::Found { content: Content::of(value.clone()), flags: *flags, cas: *cas })
        }
        _ => None,
    }
}
