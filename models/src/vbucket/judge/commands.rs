//! What commands may be answered, and what of an online update a replica may hear of.

use seedbed_sim::fault::Kind;
use seedbed_sim::time::Time;
use seedbed_sim::world::{Step, World};

use super::{Ghost, Life};
use crate::vbucket::checks::{NODE, master};
use crate::vbucket::front::admin::PERSIST_PATIENCE;
use crate::vbucket::message::AskId;
use crate::vbucket::model::Node;
use crate::vbucket::note::Note;
use crate::vbucket::op::{Call, Request, State, Update, Vb};
use crate::vbucket::response::Answer;
use crate::vbucket::settings::ROOM;

/// A request that the node has taken in.
#[derive(Clone, Copy, Debug)]
pub(in crate::vbucket) struct Asked {
    /// How often: a message may come twice.
    times: u32,
    /// The newest checkpoint with something that was not on disk when it came first.
    pub(super) newest: u64,
    /// When that was, and the birth of the vbucket then.
    at: Time,
    birth: Option<u64>,
}

impl Ghost {
    /// The node has taken in a request.
    pub(super) fn ask(&mut self, id: AskId, vb: Vb, request: &Request, at: Time) {
        let is_wait = matches!(request.call, Call::Persist(_));
        let life = self.life(vb).filter(|_| is_wait);
        let (newest, birth) = life.map_or((0, None), |life| (life.newest(), Some(life.birth)));
        self.asked.entry(id).or_insert(Asked { times: 0, newest, at, birth }).times += 1;
    }

    /// It was answered. How it came.
    pub(super) fn answer(&mut self, id: AskId) -> Option<Asked> {
        let asked = self.asked.get_mut(&id)?;
        asked.times -= 1;
        let came = *asked;
        if came.times == 0 {
            self.asked.remove(&id);
        }
        Some(came)
    }

    /// That nothing can be done now is right for want of memory, while an online update is open, and of whoever has waited
    /// for too long or for a vbucket that is gone.
    pub(super) fn may_be_refused(
        &mut self,
        (world, step): (&World<Node>, &Step),
        vb: Vb,
        call: &Call,
        asked: Option<Asked>,
    ) -> bool {
        let memory = world.shared(NODE);
        match call {
            Call::Store(_) | Call::Count(_) => {
                let served = |note: &&Note| matches!(note, Note::Served(..));
                // What was served in this step, too, may have made room since.
                let others = world.notes().iter().filter(served).count() - 1;
                let entry = memory.vbs.get(&vb).zip(call.key());
                let entry = entry.and_then(|(vbucket, key)| vbucket.table.entry(key));
                let is_new = entry.is_none_or(|entry| entry.value.is_none());
                let most = memory.settings.values.saturating_add(ROOM);
                memory.resident() + others >= most && (is_new || others > 0)
            }
            Call::FlushAll(_) | Call::Drop(_) => {
                self.life(vb).is_some_and(|life| life.window.is_some() || life.is_reverting)
            }
            Call::Persist(_) => {
                let Some(Asked { at, birth, .. }) = asked else { return false };
                let is_same = self.life(vb).map(|life| life.birth) == birth;
                let is_late = step.at.since(at) >= PERSIST_PATIENCE || world.seen(Kind::Drift) > 0;
                is_late || !is_same
            }
            Call::Get(_) | Call::Delete(_) | Call::Update(..) | Call::State(..) => false,
            Call::Feed(_) => false,
        }
    }

    /// Whether this is what a command is answered, as things stand; that it cannot be done now is always one.
    pub(super) fn may_be(&mut self, vb: Vb, call: &Call, answer: &Answer) -> bool {
        let Some(life) = self.life(vb) else {
            let last = self.lives.get_mut(&vb).and_then(|lives| lives.last_mut());
            if matches!(call, Call::Persist(_)) && *answer == Answer::TemporaryFailure {
                return last.is_some();
            }
            let is_dropped = last.is_some_and(Life::answers_drop) && matches!(call, Call::Drop(_));
            return *answer == if is_dropped { Answer::Done } else { Answer::NotMyVbucket };
        };
        let is_active = life.state() == Some(State::Active);
        let (is_open, owes) = (life.window.is_some(), life.owes_revert);
        let done = match call {
            Call::Update(Update::Start, _) => is_active && !is_open && !life.is_reverting,
            Call::Update(Update::Complete, _) => is_active && is_open,
            // It is answered when all has been taken back.
            Call::Update(Update::Revert, _) => owes && !life.is_reverting,
            Call::FlushAll(_) => {
                return match answer {
                    Answer::Done => is_active && !is_open && !life.is_reverting,
                    answer => !is_active && *answer == Answer::NotMyVbucket,
                };
            }
            Call::Persist(_) => return matches!(answer, Answer::Persisted(_)),
            Call::State(..) => true,
            _ => false,
        };
        let is_refused_right = match call {
            Call::Update(Update::Revert, _) => !(is_active && is_open),
            Call::Drop(_) => life.state() != Some(State::Dead),
            _ => !done,
        };
        match answer {
            Answer::Done => done,
            Answer::NotSupported => is_refused_right,
            _ => false,
        }
    }

    /// Whether a replica is told of a version of an online update of whose start it has not heard.
    pub(super) fn is_unannounced(world: &World<Node>, vb: Vb, cas: u64) -> bool {
        let session = world.actors().iter().find_map(|actor| match actor {
            Node::Consumer(consumer) => Some(consumer.session()),
            _ => None,
        });
        let master = master(world).zip(session);
        let made = master.and_then(|(master, session)| master.update_of(cas, session));
        let heard = world.shared(NODE).vbs.get(&vb).map(|vbucket| vbucket.log.epoch());
        made.is_some_and(|made| heard.is_some_and(|heard| heard < made))
    }
}
