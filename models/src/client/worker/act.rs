//! What a worker does once it has the partitions: looks at the store, and calls.

use std::sync::Arc;

use seedbed_sim::actor::Context;

use crate::client::bugs;
use crate::client::content::Content;
use crate::client::model::Peer;
use crate::client::note::{Note, Purpose};
use crate::client::op::Load;
use crate::client::store::{Deadline, Held, Item, Status};
use crate::vbucket::memory::seconds;
use crate::vbucket::op::{Call, Key, Request, Store as StoreCall, Verb};

use super::{Action, Aim, Pending, What, Worker};

impl Worker {
    pub(super) fn act(&mut self, cx: &mut Context<'_, Peer>) {
        let Some(aim) = self.job.as_ref().and_then(|job| job.aim.clone()) else { return };
        match aim {
            Aim::Key(key, action) => self.act_on(key, action, cx),
            Aim::Many(keys) => {
                for key in keys {
                    self.store(key, Load::Create, 0, cx);
                }
            }
            Aim::Any(action, status, draw) => {
                if let Some(key) = self.pick(status, draw, cx) {
                    self.act_on(key, action, cx);
                }
            }
        }
        if cx.bug(&bugs::STORE_TOLD_OUTSIDE_LOCK) && self.only_writes() {
            self.unlock(cx);
        }
    }

    fn only_writes(&self) -> bool {
        let writes = |pending: &Pending| matches!(pending.what, What::Write(..));
        self.job.as_ref().is_some_and(|job| !job.calls.is_empty() && job.calls.iter().all(writes))
    }

    fn act_on(&mut self, key: Key, action: Action, cx: &mut Context<'_, Peer>) {
        let now = seconds(cx.wall());
        let status = cx.shared().desk.store.status(&key, now);
        match action {
            // It is gone, and nothing is there to be changed.
            Action::Store(Load::Update, _) if status != Some(Status::Valid) => self.step_over(cx),
            Action::Store(load, ttl) => self.store(key, load, ttl, cx),
            Action::Delete => {
                let write = cx.shared().desk.write();
                self.write((key, write), (Held::Gone, 0), Call::Delete(key), cx);
            }
            Action::Verify if cx.bug(&bugs::VERIFIER_DELETES) && status != Some(Status::Valid) => {
                self.call(key, What::Look(true), (Call::Delete(key), Purpose::Verify), cx);
            }
            Action::Verify => {
                self.call(key, What::Look(true), (Call::Get(key), Purpose::Verify), cx);
            }
            Action::Read => self.call(key, What::Look(false), (Call::Get(key), Purpose::Work), cx),
            Action::Compare => self.call(key, What::Master, (Call::Get(key), Purpose::Verify), cx),
        }
    }

    /// Stores something new.
    fn store(&mut self, key: Key, load: Load, ttl: u8, cx: &mut Context<'_, Peer>) {
        let write = cx.shared().desk.write();
        let content = match load {
            Load::Blob => Content::blob(&self.blobs.blob(write)),
            _ => Content::document(&self.documents.document(write)),
        };
        let content = content.expect("documents and blobs are short");
        let flags = u32::try_from(write % 3).expect("a small number");
        let value = content.value().clone();
        let until = Deadline::of(u32::from(ttl), seconds(cx.wall()), None, self.skew);
        let held = Held::Item(Item { content, flags, until });
        let (flags, expiry) = match ttl {
            0 => (flags, 0),
            ttl if cx.bug(&bugs::EXPIRY_AS_FLAGS) => (u32::from(ttl), 0),
            ttl => (flags, u32::from(ttl)),
        };
        let call = Call::Store(StoreCall { verb: Verb::Set, key, value, flags, expiry });
        self.write((key, write), (held, ttl), call, cx);
    }

    /// Lets the store know of a write before it goes out, so that whatever becomes of it is possible.
    fn write(
        &mut self,
        (key, write): (Key, u64),
        (held, ttl): (Held, u8),
        call: Call,
        cx: &mut Context<'_, Peer>,
    ) {
        cx.shared().desk.store.change(&key, |entry| entry.begin(write, held.clone()));
        cx.note(Note::Kept(key));
        self.call(key, What::Write(write, held, ttl), (call, Purpose::Work), cx);
    }

    fn call(
        &mut self,
        key: Key,
        what: What,
        (call, purpose): (Call, Purpose),
        cx: &mut Context<'_, Peer>,
    ) {
        let number = self.smart.call(Arc::new(Request { call, cas: 0 }), purpose, cx);
        if let Some(job) = &mut self.job {
            job.calls.push(Pending { number, key, what });
            if let Some(task) = cx.shared().desk.tasks.get_mut(&job.task) {
                task.touched.push(key);
            }
        }
    }
}
