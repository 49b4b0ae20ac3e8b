//! What a receiver knows of each stream.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use seedbed_sim::id::{ActorId, ConnId};
use seedbed_sim::time::Time;

use crate::tap::frame::{Body, Message, Status, Wish};
use crate::tap::message::Order;
use crate::tap::seqno::Seqno;
use crate::vbucket::memory::Memory;
use crate::vbucket::op::Vb;

/// A stream that is followed.
#[derive(Clone, Debug)]
pub struct Link {
    pub(super) sender: ActorId,
    pub(super) vbs: BTreeSet<Vb>,
    /// The births of those that were there when the sender was told how much of them is.
    pub(super) births: BTreeMap<Vb, u64>,
    /// What the sender was asked for last.
    pub(super) wished: BTreeSet<Vb>,
    pub(super) is_takeover: bool,
    pub(super) conn: Option<ConnId>,
    pub(super) is_open: bool,
    pub(super) inbox: Vec<u8>,
    /// What the buffer of the connection had no room for.
    pub(super) outbox: Vec<u8>,
    pub(super) heard_at: Time,
    pub(super) is_taking: bool,
    /// What is not done yet, and comes before all other answers.
    pub(super) slow: Vec<(Seqno, Vb)>,
    /// Answers that wait for it.
    pub(super) held: Vec<(Seqno, Status)>,
    /// What has been taken in up to here is to be answered.
    pub(super) due: Option<Seqno>,
    /// What cannot be taken in yet.
    pub(super) waiting: VecDeque<(Seqno, bool, Message)>,
    /// Answered and not taken in. Only a planted bug does that.
    pub(super) late: Vec<(Seqno, bool, Message)>,
}

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Concern {
    /// What is here.
    Here,
    /// A vbucket that has left the filter.
    LeftFilter,
    /// A vbucket that was here when the sender was told how much of it is, and is gone since, or was made anew by somebody
    /// else: an order that ends the stream is on its way.
    Former,
}

impl Link {
    /// Who sends it.
    #[must_use]
    pub fn sender(&self) -> ActorId {
        self.sender
    }

    /// Its vbuckets.
    #[must_use]
    pub fn vbs(&self) -> &BTreeSet<Vb> {
        &self.vbs
    }

    /// Whether vbuckets move by it.
    #[must_use]
    pub fn is_takeover(&self) -> bool {
        self.is_takeover
    }

    /// The sender is about to be asked for these, and told how much there is of its vbuckets. Which of them it begins with.
    pub(super) fn tells_of(&mut self, wishes: &[Wish], memory: &Memory) -> BTreeSet<Vb> {
        let births = self.vbs.iter().filter_map(|vb| Some((*vb, birth(memory, *vb)?)));
        self.births = births.collect();
        let wished = wishes.iter().map(|wish| wish.vb).collect();
        let before = std::mem::replace(&mut self.wished, wished);
        &self.wished - &before
    }

    /// What a message is about.
    pub(super) fn concerns(&self, message: &Message, memory: &Memory) -> Concern {
        let vb = message.vb;
        if message.body == Body::Noop {
            return Concern::Here;
        }
        if !self.vbs.contains(&vb) {
            return Concern::LeftFilter;
        }
        match self.births.get(&vb) {
            Some(told) if birth(memory, vb) != Some(*told) => Concern::Former,
            _ => Concern::Here,
        }
    }

    /// A vbucket is to be made anew, which takes a while. The last time that this is said is answered, which covers the others.
    pub(super) fn is_to_reset(&mut self, seqno: Seqno, vb: Vb) {
        match self.slow.iter_mut().find(|(_, of)| *of == vb) {
            Some((said, _)) => *said = seqno,
            None => self.slow.push((seqno, vb)),
        }
    }

    pub(super) fn of(order: &Order) -> Link {
        Link {
            sender: order.sender,
            vbs: order.vbs.iter().copied().collect(),
            births: BTreeMap::new(),
            wished: BTreeSet::new(),
            is_takeover: order.is_takeover,
            conn: None,
            is_open: false,
            inbox: Vec::new(),
            outbox: Vec::new(),
            heard_at: Time(0),
            is_taking: false,
            slow: Vec::new(),
            held: Vec::new(),
            due: None,
            waiting: VecDeque::new(),
            late: Vec::new(),
        }
    }
}

fn birth(memory: &Memory, vb: Vb) -> Option<u64> {
    memory.vbs.get(&vb).map(|vbucket| vbucket.standing.birth)
}
