//! What commands may be answered, and what of an online update a replica may hear of.

use seedbed_sim::time::Time;
use seedbed_sim::world::World;

use super::{Ghost, Life};
use crate::vbucket::checks::master;
use crate::vbucket::message::AskId;
use crate::vbucket::model::Node;
use crate::vbucket::op::{Call, Request, State, Update, Vb};
use crate::vbucket::response::Answer;

/// A request that the node has taken in.
#[derive(Clone, Copy, Debug)]
pub(in crate::vbucket) struct Asked {
    /// How often: a message may come twice.
    times: u32,
    /// The newest checkpoint with something that was not on disk when it came first.
    pub(super) newest: u64,
}

impl Ghost {
    /// The node has taken in a request.
    pub(super) fn ask(&mut self, id: AskId, vb: Vb, request: &Request, _: Time) {
        let is_wait = matches!(request.call, Call::Persist(_));
        let life = self.life(vb).filter(|_| is_wait);
        let newest = life.map_or(0, |life| life.newest());
        self.asked.entry(id).or_insert(Asked { times: 0, newest }).times += 1;
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

    /// Whether a replica is told of a version in an online update that is open, and that it knows nothing of.
    pub(super) fn is_unannounced(&mut self, world: &World<Node>, vb: Vb, cas: u64) -> bool {
        let is_in_window = master(world).is_some_and(|master| master.is_in_window(cas));
        is_in_window && self.life(vb).is_some_and(|life| life.window.is_none())
    }
}
