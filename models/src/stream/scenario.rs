//! The scenarios: who is there, what clients do, and what must be survived.

use seedbed_sim::check::{ModelSite, Scenario};
use seedbed_sim::choose::{Odds, Site};
use seedbed_sim::fault::{Kind, KindSet};
use seedbed_sim::id::ActorId;
use seedbed_sim::nemesis::{Budget, Config, Run};
use seedbed_sim::time::Span;
use seedbed_sim::world::Topology;

use super::admin::Admin;
use super::data::Data;
use super::indexer::Indexer;
use super::model::Stream;
use super::router::{Places, Router, SELECT};
use super::server::{LISTENER, Server};
use super::settings::{BUFFER, DISK, KNOBS, Settings};
use super::workload::{self, Mix};
use super::{bugs, checks, mark, point};

const SITES: &[ModelSite] = &[
    ModelSite { site: &SELECT, odds: Odds::new(&[3, 1]) },
    ModelSite { site: &LISTENER, odds: Odds::new(&[15, 1]) },
];
const CALM_SITES: &[ModelSite] = &[ModelSite { site: &SELECT, odds: Odds::new(&[3, 1]) }];
const SITE_LIST: &[&Site] = &[&SELECT, &LISTENER];

/// Streams that break in every way, and are repaired.
#[must_use]
pub const fn repair() -> Scenario<Stream> {
    Scenario {
        name: "stream/repair",
        about: "mutation streams of two keyspaces over many connections: failures, moves of vbuckets, rollbacks, repair",
        budget: |_| Budget {
            kinds: DATAGRAMS.and(SCHEDULES).and(DELAYS).and(DEATHS).and(CONNECTIONS).and(DISKS),
            down_max: 1,
            fragile_max: 0,
            faults_max: 8,
        },
        workload: |config, draw| {
            let mix = Mix {
                set: 42,
                load: 8,
                delete: 8,
                hand_over: 10,
                fail: 6,
                purge: 3,
                admin: 16,
                bounce: 2,
            };
            workload::draw(mix, config, draw)
        },
        ..BASE
    }
}

/// Streams of which nothing breaks: nobody is given up, and everything arrives once, in order.
#[must_use]
pub const fn calm() -> Scenario<Stream> {
    Scenario {
        name: "stream/calm",
        about: "mutation streams over connections that last: flow control, back-pressure, signs of life, reconfiguration",
        budget: |_| Budget {
            kinds: DATAGRAMS.and(SCHEDULES).and(KindSet::of(&[Kind::Segment])),
            down_max: 0,
            fragile_max: 0,
            faults_max: 4,
        },
        workload: |config, draw| {
            let mix = Mix {
                set: 52,
                load: 8,
                delete: 8,
                hand_over: 6,
                fail: 0,
                purge: 2,
                admin: 18,
                bounce: 1,
            };
            workload::draw(mix, config, draw)
        },
        always: checks::ALWAYS_CALM,
        marks: mark::CALM,
        sites: CALM_SITES,
        ..BASE
    }
}

/// Connections that cut, delay, tear and alter bytes.
#[must_use]
pub const fn wire() -> Scenario<Stream> {
    Scenario {
        name: "stream/wire",
        about: "the bytes of mutation streams: odd pieces, torn tails, resets, flipped bits",
        budget: |_| Budget {
            kinds: SCHEDULES.and(CONNECTIONS).and(KindSet::of(&[Kind::Flip, Kind::Kill])),
            down_max: 1,
            fragile_max: 0,
            faults_max: 8,
        },
        workload: |config, draw| {
            let mix = Mix {
                set: 67,
                load: 8,
                delete: 8,
                hand_over: 5,
                fail: 2,
                purge: 0,
                admin: 8,
                bounce: 2,
            };
            workload::draw(mix, config, draw)
        },
        always: checks::ALWAYS_WIRE,
        eventually: checks::EVENTUALLY_WIRE,
        marks: mark::WIRE,
        ..BASE
    }
}

const BASE: Scenario<Stream> = Scenario {
    name: "",
    about: "",
    knobs: &KNOBS,
    tune,
    budget: |_| Budget { kinds: KindSet::NONE, down_max: 0, fragile_max: 0, faults_max: 0 },
    topology,
    workload: |_, _| Vec::new(),
    read_back: |_| Vec::new(),
    always: checks::ALWAYS,
    eventually: checks::EVENTUALLY,
    finally: &[],
    marks: mark::ALL,
    points: point::ALL,
    bugs: bugs::BUGS,
    sites: SITES,
    site_list: SITE_LIST,
};

/// What happens to requests and their answers.
const DATAGRAMS: KindSet = KindSet::of(&[Kind::Drop, Kind::Duplicate, Kind::Reorder, Kind::Delay]);

/// In which order things happen.
const SCHEDULES: KindSet = KindSet::of(&[Kind::Schedule, Kind::Tie, Kind::Think]);

/// What takes longer than usual.
const DELAYS: KindSet = KindSet::of(&[
    Kind::Pause,
    Kind::Cut,
    Kind::CutOneWay,
    Kind::Clog,
    Kind::SlowLink,
    Kind::DiskSlow,
    Kind::RequestSlow,
]);

/// How a process ends.
const DEATHS: KindSet = KindSet::of(&[Kind::Crash, Kind::Kill, Kind::Stop, Kind::Kept]);

/// What happens to the files of the indexes. A disk that fails ends the process, which finds there what was written.
const DISKS: KindSet = KindSet::of(&[Kind::RequestError, Kind::ShortWrite]);

/// What happens to connections.
const CONNECTIONS: KindSet = KindSet::of(&[
    Kind::Reset,
    Kind::Close,
    Kind::Silence,
    Kind::Tear,
    Kind::Refuse,
    Kind::Hang,
    Kind::Segment,
    Kind::ConnectRefused,
    Kind::ConnectHang,
    Kind::ConnectDelay,
    Kind::CutReset,
    Kind::CutHalfOpen,
]);

fn tune(config: &Config, run: &mut Run) {
    run.buffer = u32::try_from(config.get(BUFFER.name)).expect("a small number");
    run.disk = Span::us(100).times(config.get(DISK.name));
    run.think = Span::ms(50);
    run.calm = Span::ms(100);
    run.horizon = Span::secs(8);
    run.quiet = Span::ms(300);
    run.restart = Span::ms(100);
}

/// Actors are numbered in the order in which they are added.
const DATA: ActorId = ActorId(0);
const ADMIN: ActorId = ActorId(1);
const ROUTERS: [ActorId; 2] = [ActorId(2), ActorId(3)];
const SERVER: ActorId = ActorId(4);
const INDEXER: ActorId = ActorId(5);

/// Data d0 and the admin c0, which nothing befalls; routers r0 and r1; and i0, with the server and the application.
pub(super) fn topology(config: &Config) -> Topology<Stream> {
    let settings = Settings::of(config);
    let mut topology = Topology::default();
    let node = topology.client("d");
    let data = topology.actor(node, "data", Stream::Data(Data::new(settings, INDEXER)));
    let node = topology.client("c");
    let admin = topology.actor(node, "admin", Stream::Admin(Admin::new(INDEXER, ROUTERS)));
    let places = Places { data: DATA, server: SERVER, indexer: INDEXER };
    for (me, expected) in (0..).zip(ROUTERS) {
        let node = topology.server("r");
        let router = Stream::Router(Router::new(me, settings, places));
        assert_eq!(topology.actor(node, "router", router), expected);
    }
    let node = topology.server("i");
    let server = topology.actor(node, "server", Stream::Server(Server::new(settings, INDEXER)));
    let indexer = Stream::Indexer(Indexer::new(settings, ROUTERS, SERVER));
    let indexer = topology.actor(node, "indexer", indexer);
    assert_eq!((data, admin, server, indexer), (DATA, ADMIN, SERVER, INDEXER));
    topology
}
