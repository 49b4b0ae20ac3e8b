//! The scenario of a group: one to three nodes that apply one log, clients of all of them, and those who watch.

use seedbed_sim::actor::Mark;
use seedbed_sim::check::{ModelSite, Scenario};
use seedbed_sim::choose::{Odds, Site};
use seedbed_sim::id::{ActorId, NodeId};
use seedbed_sim::nemesis::{Budget, Config, Knob};
use seedbed_sim::time::Span;
use seedbed_sim::world::Topology;

use super::agreement::Agreement;
use super::applier::{Applier, ApplierMates, REVOKE_ORDER};
use super::comparer::Comparer;
use super::defragmenter::Defragmenter;
use super::keeper::Keeper;
use super::member::{Member, MemberMates};
use super::receiver::Receiver;
use super::seats::{SENDERS, Seats};
use super::shipper::Shipper;
use super::wal::Wal;
use super::workload::Apart;
use super::{checks, workload};
use crate::mvcc::batch_timer::BatchTimer;
use crate::mvcc::client::Client;
use crate::mvcc::committer::Committer;
use crate::mvcc::compactor::Compactor;
use crate::mvcc::front::WatchMates;
use crate::mvcc::model::Mvcc;
use crate::mvcc::scenario::{
    BASE, CLIENTS, DEATHS, DELAYS, KEYS, MESSAGES, SCHEDULES, STREAMS, TORN, WATCH_KNOBS,
    WATCH_MARKS, tune_streams,
};
use crate::mvcc::settings::{
    self, COMPARE_INTERVAL, DEFRAG_AT_BOOT, DEFRAG_BATCH, DEFRAG_PAUSE, LEASE_ROUND, LEASE_SECOND,
    LOG_KEPT, RESEND, STREAM_UNITS, SYNC_INTERVAL, Settings, VICTIM_INTERVAL,
};
use crate::mvcc::watching::client::Watcher;
use crate::mvcc::watching::rounds::{SyncLoop, VictimLoop};
use crate::mvcc::watching::sender::Sender;
use crate::mvcc::watching::workload::Crowd;
use crate::mvcc::workload::Mix;
use crate::mvcc::{mark, point};

const SERVERS: Knob =
    Knob { name: "servers", min: 1, max: 3, simplest: 1, about: "nodes that apply the log" };
/// Up to one more than nodes: the first ones keep the records of the nodes, and the others go from node to node.
const WATCHERS: Knob =
    Knob { name: "watchers", min: 1, max: 4, simplest: 1, about: "clients that watch" };

const SITES: &[ModelSite] = &[ModelSite { site: &REVOKE_ORDER, odds: Odds::new(&[1, 1, 1]) }];
const SITE_LIST: &[&Site] = &[&REVOKE_ORDER];

/// Nodes that apply one log, under everything that can happen to them but damage of what is durable.
#[must_use]
pub const fn replicas() -> Scenario<Mvcc> {
    Scenario {
        name: "mvcc/replicas",
        about: "one to three nodes that apply one log: crashes, cuts, lost messages, snapshots, watchers that move on",
        knobs: &KNOBS,
        tune: tune_streams,
        budget: |_| budget(),
        topology: |config| topology(config, Span::ns(0)),
        workload: |config, draw| workload::draw((MIX, APART), crowd(config), draw),
        always: checks::ALWAYS,
        eventually: checks::EVENTUALLY,
        finally: checks::FINALLY,
        marks: &MARKS,
        points: point::GROUP,
        sites: SITES,
        site_list: SITE_LIST,
        ..BASE
    }
}

/// Three nodes that keep little of their log, so that who was away needs a snapshot.
#[must_use]
pub const fn install() -> Scenario<Mvcc> {
    Scenario {
        name: "mvcc/install",
        about: "three nodes that keep little of their log: who was away gets a snapshot, in the midst of everything else",
        knobs: &INSTALL_KNOBS,
        budget: |_| {
            let kinds = SCHEDULES.and(DELAYS).and(DEATHS).and(TORN).and(STREAMS);
            Budget { kinds, down_max: 2, fragile_max: 0, faults_max: 10 }
        },
        workload: |config, draw| workload::draw((INSTALL_MIX, INSTALL_APART), crowd(config), draw),
        marks: &[
            mark::SNAPSHOT_NEEDED,
            mark::SNAPSHOT_WHILE_WRITING,
            mark::LOG_RELEASED,
            mark::LOG_RESET,
            mark::TORN_LOG,
            mark::CLOSE_WAITED,
            mark::COMPACTION_INTERRUPTED,
            mark::COMPACTION_RESUMED,
            mark::WATCHER_MOVED_BY_RESTORE,
            mark::RESUMED_ELSEWHERE,
            mark::DEFRAGMENTED,
            mark::HASHES_COMPARED,
        ],
        ..replicas()
    }
}

/// Nodes whose files are copied again and again, slowly, while everything else goes on.
#[must_use]
pub const fn defragment() -> Scenario<Mvcc> {
    Scenario {
        name: "mvcc/defragment",
        about: "three nodes that copy their files again and again, slowly, under load: crashes, and snapshots that come meanwhile",
        knobs: &DEFRAGMENT_KNOBS,
        topology: |config| topology(config, Span::ms(config.get(DEFRAG_PAUSE.name))),
        workload: |config, draw| {
            workload::draw((INSTALL_MIX, DEFRAGMENT_APART), crowd(config), draw)
        },
        marks: &[
            mark::DEFRAGMENTED,
            mark::SNAPSHOT_NEEDED,
            mark::LOG_RELEASED,
            mark::LOG_RESET,
            mark::TORN_LOG,
            mark::CLOSE_WAITED,
            mark::COMPACTION_INTERRUPTED,
            mark::COMPACTION_RESUMED,
            mark::HASHES_COMPARED,
        ],
        ..install()
    }
}

/// Nodes that are asked for leases more than for anything else.
#[must_use]
pub const fn leases() -> Scenario<Mvcc> {
    Scenario {
        name: "mvcc/leases",
        about: "leases that are granted, renewed, revoked and run out, under crashes, changes of who decides, and snapshots",
        knobs: &LEASES_KNOBS,
        workload: |config, draw| workload::draw((LEASES_MIX, LEASES_APART), crowd(config), draw),
        marks: &[
            mark::LEASES_TAKEN_OVER,
            mark::LEASE_RENEWED,
            mark::LEASE_RAN_OUT,
            mark::FORMER_PRIMARY_REFUSED,
            mark::SNAPSHOT_NEEDED,
            mark::LOG_RELEASED,
            mark::LOG_RESET,
            mark::TORN_LOG,
            mark::HASHES_COMPARED,
        ],
        ..replicas()
    }
}

/// Mostly writes, so that the log grows while somebody is away.
const INSTALL_MIX: Mix = Mix { put: 36, delete: 6, get: 4, txn: 14, compact: 12, close: 28 };
const INSTALL_APART: Apart = Apart { defragment: 4, renew: 1, lease: 3 };
const DEFRAGMENT_APART: Apart = Apart { defragment: 6, renew: 1, lease: 2 };
/// Puts that name a lease, and what is asked of leases.
const LEASES_MIX: Mix = Mix { put: 34, delete: 6, get: 6, txn: 10, compact: 4, close: 40 };
const LEASES_APART: Apart = Apart { defragment: 1, renew: 8, lease: 9 };

/// As of all groups, but for three nodes, a short log, and a file that is copied slowly at each boot: that is when a
/// snapshot comes.
const INSTALL_KNOBS: [Knob; KNOBS.len()] = {
    let mut knobs = KNOBS;
    let mut n = 0;
    while n < knobs.len() {
        if same(knobs[n].name, SERVERS.name) {
            (knobs[n].min, knobs[n].simplest) = (3, 3);
        } else if same(knobs[n].name, LOG_KEPT.name) {
            (knobs[n].max, knobs[n].simplest) = (3, 2);
        } else if same(knobs[n].name, DEFRAG_AT_BOOT.name) {
            (knobs[n].min, knobs[n].simplest) = (1, 1);
        } else if same(knobs[n].name, DEFRAG_BATCH.name) {
            (knobs[n].max, knobs[n].simplest) = (2, 2);
        }
        n += 1;
    }
    knobs
};

/// As of nodes that get snapshots, with a disk that takes its time and connections that do not.
const DEFRAGMENT_KNOBS: [Knob; KNOBS.len() + 1] = {
    let mut knobs = joined(&INSTALL_KNOBS, &[DEFRAG_PAUSE]);
    let mut n = 0;
    while n < knobs.len() {
        if same(knobs[n].name, STREAM_UNITS.name) {
            (knobs[n].min, knobs[n].max, knobs[n].simplest) = (16, 64, 64);
        } else if same(knobs[n].name, DEFRAG_BATCH.name) {
            knobs[n].simplest = 1;
        }
        n += 1;
    }
    knobs
};

/// As of all groups, with a short log, short seconds, and an agreement that soon takes who is silent for dead.
const LEASES_KNOBS: [Knob; KNOBS.len()] = {
    let mut knobs = KNOBS;
    let mut n = 0;
    while n < knobs.len() {
        if same(knobs[n].name, LOG_KEPT.name) {
            (knobs[n].max, knobs[n].simplest) = (3, 2);
        } else if same(knobs[n].name, LEASE_SECOND.name) {
            (knobs[n].max, knobs[n].simplest) = (15, 15);
        } else if same(knobs[n].name, RESEND.name) {
            (knobs[n].max, knobs[n].simplest) = (4, 4);
        }
        n += 1;
    }
    knobs
};

const fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut n = 0;
    while n < one.len() && n < other.len() && one[n] == other[n] {
        n += 1;
    }
    n == one.len() && n == other.len()
}

/// The knobs of a node that is watched, with another bound for watchers, and those of a group.
const KNOBS: [Knob; WATCH_KNOBS.len() + 8] = {
    let own = [
        SERVERS,
        LOG_KEPT,
        RESEND,
        DEFRAG_BATCH,
        DEFRAG_AT_BOOT,
        LEASE_SECOND,
        LEASE_ROUND,
        COMPARE_INTERVAL,
    ];
    let mut knobs = joined(WATCH_KNOBS, &own);
    knobs[1] = WATCHERS;
    knobs
};

const MARKS: [Mark; WATCH_MARKS.len() + 17] = joined(
    WATCH_MARKS,
    &[
        mark::RESUMED_ELSEWHERE,
        mark::TORN_COMMIT,
        mark::COMPACTION_RESUMED,
        mark::READ_COMPACTED,
        mark::READ_FUTURE,
        mark::TORN_LOG,
        mark::LOG_RELEASED,
        mark::LOG_RESET,
        mark::APPENDS_BATCHED,
        mark::SNAPSHOT_NEEDED,
        mark::SNAPSHOT_WHILE_WRITING,
        mark::DEFRAGMENTED,
        mark::LEASES_TAKEN_OVER,
        mark::LEASE_RENEWED,
        mark::LEASE_RAN_OUT,
        mark::FORMER_PRIMARY_REFUSED,
        mark::HASHES_COMPARED,
    ],
);

const fn joined<T: Copy, const N: usize>(first: &[T], second: &[T]) -> [T; N] {
    assert!(N == first.len() + second.len());
    let mut all = [first[0]; N];
    let mut n = 0;
    while n < N {
        all[n] = if n < first.len() { first[n] } else { second[n - first.len()] };
        n += 1;
    }
    all
}

/// All nodes may be away at once, since what is acknowledged is durable on most of them.
const fn budget() -> Budget {
    let kinds = MESSAGES.and(SCHEDULES).and(DELAYS).and(DEATHS).and(TORN).and(STREAMS);
    Budget { kinds, down_max: 3, fragile_max: 0, faults_max: 10 }
}

/// A group is not closed by its clients: in the place of that comes what a client of one store does not ask.
const MIX: Mix = Mix { put: 30, delete: 10, get: 16, txn: 22, compact: 8, close: 18 };
const APART: Apart = Apart { defragment: 2, renew: 2, lease: 4 };

fn crowd(config: &Config) -> Crowd {
    let seats = seats(config);
    let (clients, watchers) = (u64::from(seats.clients), u64::from(seats.watchers));
    Crowd { clients, watchers, keys: config.count(KEYS.name) }
}

/// Who is there, by the knobs.
pub(in crate::mvcc) fn seats(config: &Config) -> Seats {
    let [servers, clients, watchers] = [SERVERS, CLIENTS, WATCHERS]
        .map(|knob| u16::try_from(config.get(knob.name)).expect("a few"));
    Seats { servers, watchers, clients }
}

/// The actors in the order of [`Seats`].
fn topology(config: &Config, pause: Span) -> Topology<Mvcc> {
    let seats = seats(config);
    let mut topology = Topology::default();
    let nodes: Vec<NodeId> = (0..seats.servers).map(|_| topology.server("n")).collect();
    for (node, n) in nodes.iter().zip(0..) {
        server(&mut topology, *node, (seats, n), (config, pause));
    }
    let members: Vec<ActorId> = (0..seats.servers).map(|n| seats.member(n)).collect();
    for n in 0..seats.clients {
        let node = topology.client("c");
        let client = Client::of_group(turned(&members, n));
        topology.actor(node, "client", Mvcc::Client(client));
    }
    for n in 0..seats.watchers {
        let node = topology.client("w");
        let senders: Vec<ActorId> = (0..seats.servers).map(|of| seats.sender(of, n)).collect();
        // One that keeps the record of a node stays with it.
        let keeps_record = n < seats.servers;
        let mut senders = turned(&senders, n);
        senders.truncate(if keeps_record { 1 } else { senders.len() });
        topology.actor(node, "watcher", Mvcc::Watcher(Watcher::new(senders, keeps_record)));
    }
    let peers = nodes
        .iter()
        .zip(0..)
        .map(|(node, n)| (*node, [seats.wal(n), seats.member(n), seats.keeper(n)]));
    let agreement = Agreement::new(peers.collect(), Span::ms(config.get(RESEND.name)));
    let node = topology.client("g");
    topology.actor(node, "agreement", Mvcc::Agreement(agreement));
    let comparer = Comparer::new(members, Span::ms(config.get(COMPARE_INTERVAL.name)));
    topology.actor(node, "comparer", Mvcc::Comparer(comparer));
    topology
}

/// The same ones, beginning at another one.
fn turned(actors: &[ActorId], by: u16) -> Vec<ActorId> {
    let mut turned = actors.to_vec();
    turned.rotate_left(usize::from(by) % actors.len());
    turned
}

fn member_mates(seats: Seats, n: u16, config: &Config) -> MemberMates {
    let limits = settings::watch_limits(config);
    MemberMates {
        agreement: seats.agreement(),
        wal: seats.wal(n),
        applier: seats.applier(n),
        committer: seats.committer(n),
        timer: seats.timer(n),
        compactor: seats.compactor(n),
        shipper: seats.shipper(n),
        defragmenter: seats.defragmenter(n),
        keeper: seats.keeper(n),
        watch: Some(WatchMates { limits, senders: (seats.sender(n, 0), seats.watchers) }),
    }
}

/// The actors of one server node.
fn server(
    topology: &mut Topology<Mvcc>,
    node: NodeId,
    (seats, n): (Seats, u16),
    (config, pause): (&Config, Span),
) {
    let settings = &Settings::of(config);
    let limits = settings::watch_limits(config);
    let (agreement, committer) = (seats.agreement(), seats.committer(n));
    let (alone, kept) = (seats.servers == 1, config.get(LOG_KEPT.name));
    let wal = Wal::new(agreement, seats.applier(n), alone, kept);
    let timer = BatchTimer::new(settings.batch_interval, committer);
    let [sync, victims, second, round] =
        [SYNC_INTERVAL, VICTIM_INTERVAL, LEASE_SECOND, LEASE_ROUND]
            .map(|knob| Span::ms(config.get(knob.name)));
    let (compactor, member) = (seats.compactor(n), seats.member(n));
    let applier_mates = ApplierMates { member, committer, compactor, watched: seats.watchers > 0 };
    let receivers = (0..seats.servers).map(|of| seats.receiver(of)).collect();
    let batch = config.count(DEFRAG_BATCH.name);
    let at_boot = config.get(DEFRAG_AT_BOOT.name) == 1;
    let actors = [
        ("member", Mvcc::Member(Member::new(settings, member_mates(seats, n, config)))),
        ("wal", Mvcc::Wal(wal)),
        ("applier", Mvcc::Applier(Applier::new(settings.batch_limit, applier_mates))),
        ("committer", Mvcc::Committer(Committer::new(settings.page_size))),
        ("timer", Mvcc::BatchTimer(timer)),
        ("compactor", Mvcc::Compactor(Compactor::new(settings, committer))),
        ("shipper", Mvcc::Shipper(Shipper::new(committer, receivers))),
        ("receiver", Mvcc::Receiver(Receiver::new(seats.member(n)))),
        ("defrag", Mvcc::Defragmenter(Defragmenter::new((batch, pause), committer, at_boot))),
        ("leases", Mvcc::LeaseKeeper(Keeper::new(node, agreement, second, round))),
        ("sync", Mvcc::SyncLoop(SyncLoop::new(sync, limits))),
        ("victims", Mvcc::VictimLoop(VictimLoop::new(victims))),
    ];
    for (role, actor) in actors {
        topology.actor(node, role, actor);
    }
    for role in SENDERS.into_iter().take(usize::from(seats.watchers)) {
        topology.actor(node, role, Mvcc::Sender(Sender::default()));
    }
}

#[cfg(test)]
mod tests;
