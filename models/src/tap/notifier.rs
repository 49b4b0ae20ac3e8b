//! The notifier: has streams looked at when something was changed, and also when nothing was for a while.
//!
//! To look and to fall asleep are two steps. What is changed in between must not be slept over.

use seedbed_sim::actor::{Context, Event};
use seedbed_sim::id::ActorId;

use crate::vbucket::message as data;

use super::message::{Msg, Timer};
use super::model::Node;
use super::{bugs, mark};

/// A notifier.
#[derive(Clone, Debug)]
pub struct Notifier {
    sender: ActorId,
}

impl Notifier {
    /// The notifier of this sender.
    #[must_use]
    pub fn new(sender: ActorId) -> Notifier {
        Notifier { sender }
    }

    pub(super) fn on_event(&mut self, event: Event<Node>, cx: &mut Context<'_, Node>) {
        match event {
            Event::Message { msg: Msg::Data(data::Msg::Loaded) | Msg::Notify, .. }
            | Event::Timer(Timer::Wake) => self.look(cx),
            Event::Timer(Timer::Doze) => self.doze(cx),
            Event::Stop => {
                cx.disarm(Timer::Wake);
                cx.disarm(Timer::Doze);
                cx.stopped();
            }
            _ => {}
        }
    }

    fn look(&mut self, cx: &mut Context<'_, Node>) {
        let tap = &mut cx.shared().tap;
        (tap.is_notified, tap.is_notifier_asleep) = (false, false);
        let doze = tap.settings.doze;
        cx.disarm(Timer::Wake);
        cx.send(self.sender, Msg::Look);
        cx.arm(Timer::Doze, doze);
    }

    fn doze(&mut self, cx: &mut Context<'_, Node>) {
        let sleeps_over = cx.bug(&bugs::NOTIFICATION_MISSED);
        let tap = &mut cx.shared().tap;
        let idle = tap.settings.idle;
        if tap.is_notified {
            if !sleeps_over {
                cx.mark(&mark::NOTIFIED_AWAKE);
                return self.look(cx);
            }
            tap.is_notified = false;
        }
        tap.is_notifier_asleep = true;
        if !sleeps_over {
            cx.arm(Timer::Wake, idle);
        }
    }
}
