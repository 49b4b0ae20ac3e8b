//! What the checks remember: the reference model of every vbucket, moved on by what the node says that it did, and for
//! each key the versions that may come back from disk.
//!
//! ```text
//!  versions of a key     v3        v4        v5        v6
//!                        on disk   acknowledged, in memory only
//!                        └─ after a crash any of these may stand in the key, and nothing else
//! ```

mod commands;
mod life;
mod loading;

use std::collections::{BTreeMap, BTreeSet};

use seedbed_sim::check::Checked;
use seedbed_sim::id::OpId;
use seedbed_sim::time::Time;
use seedbed_sim::world::{Step, World};

use super::checks::{
    ANSWERS, BARRIER, CLOCK_TROUBLE, DELIVERED, EXPIRED_ONLY, KEEPS, NOT_BEFORE_DISK, ONCE,
    SNAPSHOT, STANDINGS_IN_ORDER,
};
use super::message::AskId;
use super::model::Node;
use super::note::Note;
use super::op::{Call, Request, State, Update, Vb};
use super::response::Answer;
use commands::Asked;
use life::Life;

/// What the checks remember from step to step.
#[derive(Clone, Debug, Default)]
pub struct Ghost {
    /// The vbuckets of each number that memory or disk may have, the newest last.
    pub(super) lives: BTreeMap<Vb, Vec<Life>>,
    /// What was answered to each operation.
    pub(super) answers: BTreeMap<OpId, Vec<Answer>>,
    /// What the node has taken in in this life of it, and not answered.
    pub(super) asked: BTreeMap<AskId, Asked>,
    /// The second of this step by the clock of the node, if it said it, and the latest that it has ever said.
    second: Option<u64>,
    latest: u64,
    /// When the node read its disk last.
    pub(super) loaded_at: Time,
    /// Promises that this step was about, and the first one that it broke.
    said: BTreeSet<&'static str>,
    broken: Option<Broken>,
}

/// A promise that was broken: its name, the class, and what was seen.
pub(super) type Broken = (&'static str, &'static str, String);
/// What came of looking at a note.
pub(super) type Judged = Result<(), Broken>;

impl Ghost {
    /// Takes in what this step says.
    pub(super) fn observe(&mut self, world: &World<Node>, step: &Step) {
        if self.broken.is_some() {
            return;
        }
        self.said.clear();
        self.second = None;
        for note in world.notes() {
            if let Err(broken) = self.take(world, step, note) {
                self.said.insert(broken.0);
                self.broken = Some(broken);
                return;
            }
        }
    }

    /// What this step says about a promise.
    pub(super) fn verdict(&self, name: &'static str) -> Checked {
        match &self.broken {
            Some((broken, class, detail)) if *broken == name => {
                Checked::Broken(class, detail.clone())
            }
            _ if self.said.contains(name) => Checked::Held,
            _ => Checked::Skipped,
        }
    }

    /// The vbucket of this number that is in memory.
    pub(super) fn life(&mut self, vb: Vb) -> Option<&mut Life> {
        self.lives.get_mut(&vb)?.last_mut().filter(|life| !life.is_gone)
    }

    fn take(&mut self, world: &World<Node>, step: &Step, note: &Note) -> Judged {
        let real = step.at.0 / 1_000_000_000;
        let now = self.second.unwrap_or(real);
        self.said.extend(about(note));
        match note {
            Note::Asked(id, vb, request) => {
                self.ask(*id, *vb, request, step.at);
                Ok(())
            }
            Note::Served(id, vb, request, answer) => {
                self.answered((world, step), (*id, *vb), (request, answer), now)
            }
            Note::Stands(vb, birth, state, change) => {
                self.stands(*vb, *birth, (*change, *state));
                Ok(())
            }
            Note::StandingSaved(vb, birth, saved) => self.standing_saved(*vb, *birth, *saved),
            Note::DropSaved(vb) => {
                self.lives.entry(*vb).or_default().retain(|life| !life.is_gone);
                Ok(())
            }
            // What a life of the node has taken in it answers, or nobody does.
            Note::Loaded => match step.node {
                // The flusher says the second whenever it writes a version as a deletion.
                Some(node) => {
                    self.loaded_at = step.at;
                    self.loaded(world.shared(node), self.latest)
                }
                None => Ok(()),
            },
            Note::Second(second) => {
                self.second = Some(*second);
                self.latest = self.latest.max(*second);
                is_right(world, *second, real)
            }
            Note::Applied(vb, _, cas, _) if Ghost::is_unannounced(world, *vb, *cas) => {
                let detail = format!("@{cas} of an online update of whose start nothing was said");
                Err((BARRIER, "without a start", detail))
            }
            Note::Drained => {
                let mut lives = self.lives.values().flatten().filter(|life| !life.is_gone);
                lives.try_for_each(Life::drained)
            }
            Note::Ended(_, frame, held) => {
                let is_known = super::checks::snapshot(world, *frame, held)?;
                self.said.extend(is_known.then_some(SNAPSHOT));
                Ok(())
            }
            Note::Queued(vb, ..)
            | Note::Expired(vb, ..)
            | Note::Committed(vb, ..)
            | Note::Published(vb, _)
            | Note::Dropped(vb, _)
            | Note::RevertBegun(vb)
            | Note::Reverted(vb)
            | Note::Applied(vb, ..)
            | Note::Opened(vb, _)
            | Note::Merged(vb, ..)
            | Note::Stepped(vb, _)
            | Note::Evicted(vb, ..)
            | Note::CaughtUp(vb, _) => self.life(*vb).map_or(Ok(()), |life| life.take(note, now)),
        }
    }

    /// A vbucket is this one, and stands like this.
    fn stands(&mut self, vb: Vb, birth: u64, change: (u64, State)) {
        let lives = self.lives.entry(vb).or_default();
        if lives.last().is_none_or(|life| life.birth != birth) {
            lives.push(Life::new(birth));
        }
        if let Some(life) = lives.last_mut() {
            life.states.push(change);
        }
    }

    fn answered(
        &mut self,
        here: (&World<Node>, &Step),
        (id, vb): (AskId, Vb),
        (request, answer): (&Request, &Answer),
        now: u64,
    ) -> Judged {
        let asked = self.answer(id);
        if *answer == Answer::TemporaryFailure
            && !self.may_be_refused(here, vb, &request.call, asked)
        {
            let detail = format!("`{}` was answered `{answer}`", request.call);
            return Err((ANSWERS, "refused for no reason", detail));
        }
        self.answers.entry(id.op).or_default().push(answer.clone());
        if let Answer::Persisted(id) = answer {
            let newest = asked.map(|asked| asked.newest);
            if newest.is_none_or(|newest| newest > *id) {
                let detail = format!("checkpoint {id} of {vb}, where {newest:?} was to be written");
                return Err((NOT_BEFORE_DISK, "told of an older one", detail));
            }
        }
        self.served(vb, request, answer, now)
    }

    /// A request was carried out in this second, or refused.
    fn served(&mut self, vb: Vb, request: &Request, answer: &Answer, now: u64) -> Judged {
        let broken = |class, expected: String| {
            let detail = format!("`{}` was answered `{answer}`, expected {expected}", request.call);
            Err((ANSWERS, class, detail))
        };
        let fits = request.call.key().is_some() || self.may_be(vb, &request.call, answer);
        let life = self.life(vb);
        let state = life.as_ref().and_then(|life| life.state());
        match (answer, request.call.key()) {
            // Nothing was done.
            (Answer::TemporaryFailure, _) => Ok(()),
            (_, None) if !fits => {
                let detail = format!("`{}` was answered `{answer}`", request.call);
                Err((ANSWERS, "another answer to a command", detail))
            }
            (Answer::NotMyVbucket, Some(_)) if state == Some(State::Active) => {
                broken("refused", "service, since the vbucket is active".into())
            }
            (Answer::NotMyVbucket, key) => {
                if let (Some(life), Some(_)) = (life, key) {
                    life.counted.not_my_vbucket += 1;
                }
                Ok(())
            }
            (_, Some(_)) => {
                let Some(life) = life.filter(|_| state == Some(State::Active)) else {
                    return broken("served elsewhere", "a refusal, since it is not active".into());
                };
                let cas = answer.made().unwrap_or_default();
                let expected = life.reference.serve(&request.call, request.cas, now, cas);
                if expected == *answer {
                    return Ok(());
                }
                broken("another answer", format!("`{expected}`"))
            }
            (Answer::Done, None) => {
                match (life, &request.call) {
                    (Some(life), Call::FlushAll(_)) => life.reference.items.clear(),
                    (Some(life), Call::Update(update, _)) => match update {
                        Update::Start => life.start(),
                        Update::Complete => life.complete(),
                        // From the moment on at which it began.
                        Update::Revert => life.owes_revert = false,
                    },
                    _ => {}
                }
                Ok(())
            }
            (Answer::Persisted(id), None) if life.is_some_and(|life| life.published < *id) => {
                Err((NOT_BEFORE_DISK, "told too early", format!("checkpoint {id} of {vb}")))
            }
            (_, None) => Ok(()),
        }
    }

    fn standing_saved(&mut self, vb: Vb, birth: u64, (change, id): (u64, u64)) -> Judged {
        let lives = self.lives.entry(vb).or_default();
        let Some(at) = lives.iter().position(|life| life.birth == birth) else {
            let detail = format!("{vb} born @{birth} is on disk, and nobody knows it");
            return Err((STANDINGS_IN_ORDER, "older life", detail));
        };
        // What is older than it will not come back.
        lives.drain(..at);
        if change < lives[0].saved {
            let detail = format!("{vb}: change {change} after change {}", lives[0].saved);
            return Err((STANDINGS_IN_ORDER, "older state", detail));
        }
        lives[0].saved = change;
        lives[0].id_saved(vb, id)
    }
}

/// As long as nothing was done to a clock, it is right.
fn is_right(world: &World<Node>, second: u64, real: u64) -> Judged {
    let untouched = CLOCK_TROUBLE.iter().all(|kind| world.seen(*kind) == 0);
    if untouched && second != real {
        let detail = format!("the node takes second {real} for {second}");
        return Err((EXPIRED_ONLY, "another second", detail));
    }
    Ok(())
}

/// The promises that a note says something about.
fn about(note: &Note) -> &'static [&'static str] {
    match note {
        Note::Served(..) => &[ANSWERS],
        Note::Expired(..) | Note::Second(_) => &[EXPIRED_ONLY],
        Note::Evicted(..) => &[KEEPS],
        Note::Applied(..) => &[BARRIER],
        Note::Committed(..) => &[BARRIER, KEEPS, ONCE],
        Note::Published(..) | Note::Merged(..) => &[NOT_BEFORE_DISK],
        Note::StandingSaved(..) => &[STANDINGS_IN_ORDER, NOT_BEFORE_DISK],
        Note::Loaded => &[KEEPS, BARRIER, NOT_BEFORE_DISK],
        Note::Drained => &[KEEPS],
        Note::CaughtUp(..) => &[DELIVERED],
        _ => &[],
    }
}
