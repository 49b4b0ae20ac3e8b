//! Replicas that are compared and counted. They may lag behind their masters, so a difference says something only where
//! nothing is on its way:
//!
//! - a replica was told the very version that its master has, and nothing has become of either since before both were looked
//!   at: then they are the same, whatever happens elsewhere;
//! - a node has counted a copy, and nothing has become of that since before it was asked: then it counts what is there;
//! - no fault has happened, and nothing has become of anything for longer than rejections and their back-off take: then
//!   everything is where it belongs.

use std::collections::BTreeMap;

use seedbed_sim::id::NodeId;
use seedbed_sim::time::{Span, Time};
use seedbed_sim::world::{Step, World};

use crate::client::judge::Sight;
use crate::client::map::Place;
use crate::client::note::{Note as ClientNote, Purpose, Verdict};
use crate::client::op::Server;
use crate::client::smart::SmartClient;
use crate::cluster::checks::{COUNTED, REPLICATED, orchestrator, vbucket};
use crate::cluster::model::Node;
use crate::cluster::note::{Note, Reported};
use crate::cluster::orchestrator::Orchestrator;
use crate::tap::note::Note as TapNote;
use crate::vbucket::note::Note as NodeNote;
use crate::vbucket::op::{Call, Key, Vb, home};

use super::{Ghost, Judged};

/// A change that is rejected waits for one back-off, and each time after that for five. Eight times in a row none is.
const BACKOFFS: u64 = 36;
/// A write to disk is rejected as seldom so often in a row.
const FLUSHES: u64 = 8;
/// And what else it takes: views, reports, connections.
pub(super) const MORE: Span = Span::secs(1);

/// Since when nothing has become of copies of vbuckets.
#[derive(Clone, Debug, Default)]
pub(super) struct Rest {
    /// When something was last changed or taken in, or a copy has become something else, by vbucket.
    stirred: BTreeMap<Vb, Time>,
    /// When there was something new for all: a view, or a node that has read its disk.
    turned: Time,
    /// When a verification began to look at a key.
    looked: BTreeMap<Key, Time>,
}

impl Rest {
    /// Takes in something that was said.
    pub(super) fn take(&mut self, note: &Note, at: Time) {
        let vb = match note {
            Note::Tap(TapNote::Applied(vb, ..) | TapNote::Reset(vb)) => vb,
            Note::Tap(TapNote::Data(note)) => match note {
                NodeNote::Queued(vb, ..) | NodeNote::Dropped(vb, _) | NodeNote::Stands(vb, ..) => {
                    vb
                }
                NodeNote::Loaded => {
                    self.turned = at;
                    return;
                }
                _ => return,
            },
            Note::Published(..) | Note::Learned(..) => {
                self.turned = at;
                return;
            }
            Note::Client(ClientNote::Called(_, Purpose::Verify, Call::Get(key))) => {
                self.looked.insert(*key, at);
                return;
            }
            _ => return,
        };
        self.stirred.insert(*vb, at);
    }

    /// Since when nothing has become of a vbucket.
    fn since(&self, vb: Vb) -> Time {
        self.stirred.get(&vb).copied().unwrap_or_default().max(self.turned)
    }

    /// Whether nothing has become of a vbucket since a verification began to look at this key.
    fn is_as_seen(&self, key: Key, vb: Vb) -> bool {
        self.looked.get(&key).is_some_and(|looked| self.since(vb) < *looked)
    }
}

/// Whether nothing can be on its way any more for a vbucket, of which nothing has become since then.
fn is_over(world: &World<Node>, at: Time, since: Time) -> bool {
    let node = &world.shared(NodeId(0)).tap;
    let flush = node.data.settings.flush_delay.times(FLUSHES);
    let patience = node.tap.settings.backoff.times(BACKOFFS) + flush + MORE;
    at.since(since) > patience && !world.saw_any_fault()
}

impl Ghost {
    /// A task has compared a key with its replica, as often as it had to or could.
    pub(super) fn compared(
        &mut self,
        world: &World<Node>,
        step: &Step,
        (key, verdict): (Key, Verdict),
    ) -> Judged {
        let client = step.actor.and_then(|actor| world.smart(actor));
        let Some(map) = client.and_then(SmartClient::map) else { return Ok(()) };
        let vb = home(key, map.vbuckets());
        let Place { master, replica: Some(replica) } = map.place(vb) else { return Ok(()) };
        let is_judged = verdict != Verdict::NotVerified
            && (self.is_told(world, (key, vb), [master, replica])
                || is_placed(world, vb, [master, replica])
                    && is_over(world, step.at, self.rest.since(vb)));
        if !is_judged {
            return Ok(());
        }
        self.said.push(REPLICATED);
        if verdict == Verdict::Agrees {
            return Ok(());
        }
        let detail = format!("{key} of {vb} on {replica} is not what it is on {master}");
        Err((REPLICATED, "another value", detail))
    }

    /// Whether both copies were last told the same version of a key, before somebody began to look at it. What has a time to
    /// live is left out: it may run out between the looks.
    fn is_told(&self, world: &World<Node>, (key, vb): (Key, Vb), of: [Server; 2]) -> bool {
        let versions = of.map(|server| {
            let told = self.told.get(&(NodeId(server.0.into()), vb))?;
            told.get(&key).copied()
        });
        let lives = of.iter().any(|server| {
            let entry = vbucket(world, *server, vb).and_then(|of| of.table.entry(key));
            entry.is_some_and(|entry| entry.until.is_some())
        });
        let is_same = versions[0].is_some() && versions[0] == versions[1];
        is_same && !lives && self.rest.is_as_seen(key, vb)
    }

    /// Counts did not come to agree within this time.
    pub(super) fn not_counted(
        &mut self,
        world: &World<Node>,
        step: &Step,
        (reported, took): (&[Reported], Span),
    ) -> Judged {
        let is_still = orchestrator(world).is_some_and(Orchestrator::is_at_rest);
        for Reported { vb, server, counts } in reported {
            let since = self.rest.since(*vb);
            if is_still && is_over(world, step.at, since + took) {
                let detail = Note::NotCounted(reported.to_vec(), took).to_string();
                return Err((COUNTED, "do not agree", detail));
            }
            let held = vbucket(world, *server, *vb).map(|of| of.counters.items);
            let (Some((items, _)), Some(held)) = (counts, held) else { continue };
            // What it said before may have come late.
            if step.at.since(since) <= took + MORE {
                continue;
            }
            self.said.push(COUNTED);
            if u64::from(*items) != held {
                let detail = format!("{vb} on {server} is said to count {items}, not {held}");
                return Err((COUNTED, "miscounted", detail));
            }
        }
        Ok(())
    }
}

/// Whether a vbucket is to be on these nodes, and nothing moves.
fn is_placed(world: &World<Node>, vb: Vb, [master, replica]: [Server; 2]) -> bool {
    orchestrator(world).is_some_and(|orchestrator| {
        let chain = orchestrator.chains().get(usize::from(vb.0));
        orchestrator.is_at_rest()
            && chain.is_some_and(|chain| {
                chain.master == master && chain.followers().any(|server| server == replica)
            })
    })
}

#[cfg(test)]
mod tests {
    use seedbed_sim::id::{ActorId, OpId};

    use super::*;

    #[test]
    fn what_has_changed_since_somebody_began_to_look_is_not_what_was_seen() {
        let (key, vb) = (Key(1), Vb(1));
        let op = OpId { client: ActorId(0), number: 1 };
        let look = Note::Client(ClientNote::Called(op, Purpose::Verify, Call::Get(key)));
        let applied = |vb| Note::Tap(TapNote::Applied(vb, key, 7));
        let mut rest = Rest::default();
        rest.take(&applied(vb), Time(3));
        assert!(!rest.is_as_seen(key, vb), "nobody has looked");
        rest.take(&look, Time(5));
        rest.take(&applied(Vb(2)), Time(6));
        assert!(rest.is_as_seen(key, vb));
        rest.take(&applied(vb), Time(7));
        assert!(!rest.is_as_seen(key, vb));
        rest.take(&look, Time(8));
        assert!(rest.is_as_seen(key, vb));
        rest.take(&Note::Learned(2, [].into()), Time(9));
        assert!(!rest.is_as_seen(key, vb) && !rest.is_as_seen(key, Vb(2)));
        assert_eq!(rest.since(vb), Time(9));
    }
}
