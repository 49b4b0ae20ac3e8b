//! What a receiver does to how vbuckets stand: makes them anew, pending, active, replicas again.

use seedbed_sim::actor::Context;
use seedbed_sim::time::Span;

use crate::tap::frame::{Name, Status};
use crate::tap::message::{Msg, Timer};
use crate::tap::model::Node;
use crate::tap::note::Note;
use crate::tap::point;
use crate::tap::seqno::Seqno;
use crate::vbucket::message as data;
use crate::vbucket::note as data_note;
use crate::vbucket::op::{State, Vb};

use super::Receiver;

/// Between two looks whether the disk knows of a state.
const STAND_LOOK: Span = Span::ms(10);

impl Receiver {
    /// A vbucket is this from now on.
    pub(super) fn change_state(&mut self, vb: Vb, state: State, cx: &mut Context<'_, Node>) {
        let now = cx.now().0;
        let standing = cx.shared().data.stand(vb, state, now);
        let (birth, change) = (standing.birth, standing.change);
        cx.note(Note::Data(data_note::Note::Stands(vb, birth, state, change)));
        cx.send(self.post.data.keeper, Msg::Data(data::Msg::Snapshot(vb, Some(standing))));
        // A promotion may have opened a checkpoint, so that there is one more to publish.
        cx.shared().data.has_work = true;
        self.wake(cx);
    }

    pub(super) fn reset(&mut self, name: Name, vb: Vb, cx: &mut Context<'_, Node>) {
        let Some(link) = self.links.get(&name) else { return };
        if link.slow.iter().all(|(_, of)| *of != vb) {
            // The connection was lost: on the next one it is said again.
            return;
        }
        if !link.vbs.contains(&vb) {
            // Another stream may have told of it since.
            return self.done(name, vb, cx);
        }
        let now = cx.now().0;
        let memory = &mut cx.shared().data;
        let state = memory.vbs.get(&vb).map(|vbucket| vbucket.standing.state);
        if memory.is_stopping || matches!(state, Some(State::Active | State::Dead)) {
            return self.hang_up(name, cx);
        }
        let gone = self.intake.reset(vb, memory, now);
        let Some(standing) = memory.vbs.get(&vb).map(|vbucket| vbucket.standing) else { return };
        if let Some(gone) = gone {
            cx.note(Note::Data(data_note::Note::Dropped(vb, gone.standing.birth)));
        }
        cx.note(Note::Reset(vb));
        let (birth, state, change) = (standing.birth, standing.state, standing.change);
        cx.note(Note::Data(data_note::Note::Stands(vb, birth, state, change)));
        cx.send(self.post.data.keeper, Msg::Data(data::Msg::Snapshot(vb, Some(standing))));
        cx.point(&point::RESET);
        if let Some(link) = self.links.get_mut(&name) {
            link.births.insert(vb, birth);
        }
        self.done(name, vb, cx);
    }

    /// A vbucket becomes pending, or active.
    pub(super) fn stand(
        &mut self,
        name: Name,
        (seqno, vb): (Seqno, Vb),
        state: State,
        cx: &mut Context<'_, Node>,
    ) {
        if state == State::Active {
            cx.shared().tap.activating.insert(vb);
        }
        self.change_state(vb, state, cx);
        if state != State::Active {
            self.answer(name, seqno, Status::Success, cx);
            return self.go_on(name, cx);
        }
        cx.point(&point::ACTIVATED);
        if let Some(link) = self.links.get_mut(&name) {
            link.slow.push((seqno, vb));
        }
        cx.arm(Timer::Stand(name, vb), STAND_LOOK);
    }

    /// A vbucket that is active serves as soon as the disk knows.
    pub(super) fn look_stand(&mut self, name: Name, vb: Vb, cx: &mut Context<'_, Node>) {
        let shared = cx.shared();
        if shared.data.vbs.get(&vb).is_some_and(|vbucket| !vbucket.is_saved()) {
            return cx.arm(Timer::Stand(name, vb), STAND_LOOK);
        }
        shared.tap.activating.remove(&vb);
        cx.send(self.post.data.front, Msg::Data(data::Msg::Unblock(vb)));
        self.done(name, vb, cx);
        self.go_on(name, cx);
    }

    /// The disk says that more is on it than is: after a crash it would be believed, so that nothing comes in before it
    /// has heard of that.
    pub(super) fn save_fall(&mut self, vb: Vb, cx: &mut Context<'_, Node>) {
        let me = cx.me();
        let Some(vbucket) = cx.shared().data.vbs.get_mut(&vb) else { return };
        vbucket.unsaved_fall = Some(me);
        let standing = vbucket.standing;
        cx.send(self.post.data.keeper, Msg::Data(data::Msg::Snapshot(vb, Some(standing))));
    }
}
