//! What each node is to be, as the map and the move that goes on have it.

use crate::client::map::Place;
use crate::client::message::{Duty, Follower};
use crate::client::op::Server;
use crate::vbucket::op::Vb;

use super::Keeper;

impl Keeper {
    /// Who follows a vbucket: where it moves to, or else its replica.
    pub(super) fn follower(&self, vb: Vb) -> Option<Server> {
        let moving = self.moving.filter(|moving| moving.what.vb == vb);
        moving.map_or(self.map.place(vb).replica, |moving| Some(moving.what.to))
    }

    /// What a node is to be.
    pub(super) fn duties(&self, server: Server) -> Vec<Duty> {
        let vbs = (0..).map(Vb).take(self.sessions.len());
        vbs.map(|vb| self.duty(server, vb)).collect()
    }

    fn duty(&self, server: Server, vb: Vb) -> Duty {
        let Place { master, .. } = self.map.place(vb);
        let session = self.sessions[usize::from(vb.0)];
        let follower = self.follower(vb);
        let feeds = follower.map(|server| Follower { server, session });
        let drains = self.moving.is_some_and(|moving| moving.what.vb == vb && moving.is_draining);
        if server == master {
            return if drains { Duty::Dead(feeds) } else { Duty::Active(feeds) };
        }
        if follower == Some(server) { Duty::Replica(session) } else { Duty::Dead(None) }
    }
}
