//! What a receiver knows of each stream.

use std::collections::{BTreeSet, VecDeque};

use seedbed_sim::id::{ActorId, ConnId};
use seedbed_sim::time::Time;

use crate::tap::frame::{Message, Status};
use crate::tap::message::Order;
use crate::tap::seqno::Seqno;
use crate::vbucket::op::Vb;

/// A stream that is followed.
#[derive(Clone, Debug)]
pub struct Link {
    pub(super) sender: ActorId,
    pub(super) vbs: BTreeSet<Vb>,
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

    pub(super) fn of(order: &Order) -> Link {
        Link {
            sender: order.sender,
            vbs: order.vbs.iter().copied().collect(),
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
