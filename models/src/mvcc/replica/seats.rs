//! Which actor has which number, so that actors can name each other.
//!
//! ```text
//! n0: member wal applier committer timer compactor shipper receiver defrag leases [sync victims sender0 sender1 ..]
//! n1: the same
//! ..
//! c0, c1, ..     one client each
//! w0, w1, ..     one watcher each
//! g0             the agreement, and the comparer
//! ```

use seedbed_sim::id::ActorId;

/// The actors of a server node that there are on every one, in their order.
pub const ROLES: [&str; 10] = [
    "member",
    "wal",
    "applier",
    "committer",
    "timer",
    "compactor",
    "shipper",
    "receiver",
    "defrag",
    "leases",
];
/// Those that follow if the group is watched, before the senders.
pub const WATCH_ROLES: [&str; 2] = ["sync", "victims"];
/// The senders, by watcher.
pub const SENDERS: [&str; 4] = ["sender0", "sender1", "sender2", "sender3"];

/// Who is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Seats {
    /// Nodes n0, n1, ... that apply the log.
    pub servers: u16,
    /// Clients that watch.
    pub watchers: u16,
    /// Clients that write and read.
    pub clients: u16,
}

impl Seats {
    /// Actors of each server node.
    #[must_use]
    pub fn per_server(self) -> u16 {
        let watched = if self.watchers > 0 { count(&WATCH_ROLES) + self.watchers } else { 0 };
        count(&ROLES) + watched
    }

    /// The actor at a place of a server node.
    fn at(self, server: u16, place: u16) -> ActorId {
        assert!(server < self.servers && place < self.per_server(), "there is such an actor");
        ActorId(server * self.per_server() + place)
    }

    /// Serves clients on a server node.
    #[must_use]
    pub fn member(self, server: u16) -> ActorId {
        self.at(server, 0)
    }

    /// Writes its log.
    #[must_use]
    pub fn wal(self, server: u16) -> ActorId {
        self.at(server, 1)
    }

    /// Executes it.
    #[must_use]
    pub fn applier(self, server: u16) -> ActorId {
        self.at(server, 2)
    }

    /// Writes the file of the backend.
    #[must_use]
    pub fn committer(self, server: u16) -> ActorId {
        self.at(server, 3)
    }

    /// Commits from time to time.
    #[must_use]
    pub fn timer(self, server: u16) -> ActorId {
        self.at(server, 4)
    }

    /// Deletes what is compacted.
    #[must_use]
    pub fn compactor(self, server: u16) -> ActorId {
        self.at(server, 5)
    }

    /// Sends its file to another node.
    #[must_use]
    pub fn shipper(self, server: u16) -> ActorId {
        self.at(server, 6)
    }

    /// Takes the file of another node.
    #[must_use]
    pub fn receiver(self, server: u16) -> ActorId {
        self.at(server, 7)
    }

    /// Makes the file smaller.
    #[must_use]
    pub fn defragmenter(self, server: u16) -> ActorId {
        self.at(server, 8)
    }

    /// Decides when leases end.
    #[must_use]
    pub fn keeper(self, server: u16) -> ActorId {
        self.at(server, 9)
    }

    /// Serves watchers from the history.
    #[must_use]
    pub fn sync(self, server: u16) -> ActorId {
        self.at(server, count(&ROLES))
    }

    /// Serves victims.
    #[must_use]
    pub fn victims(self, server: u16) -> ActorId {
        self.at(server, count(&ROLES) + 1)
    }

    /// Sends what is told to a watcher.
    #[must_use]
    pub fn sender(self, server: u16, watcher: u16) -> ActorId {
        assert!(watcher < self.watchers, "there is such a watcher");
        self.at(server, count(&ROLES) + count(&WATCH_ROLES) + watcher)
    }

    /// A client.
    #[must_use]
    pub fn client(self, client: u16) -> ActorId {
        assert!(client < self.clients, "there is such a client");
        ActorId(self.servers * self.per_server() + client)
    }

    /// A client that watches.
    #[must_use]
    pub fn watcher(self, watcher: u16) -> ActorId {
        assert!(watcher < self.watchers, "there is such a watcher");
        ActorId(self.servers * self.per_server() + self.clients + watcher)
    }

    /// Agrees on the log.
    #[must_use]
    pub fn agreement(self) -> ActorId {
        ActorId(self.servers * self.per_server() + self.clients + self.watchers)
    }
}

fn count(roles: &[&str]) -> u16 {
    u16::try_from(roles.len()).expect("a few")
}
