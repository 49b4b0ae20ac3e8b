//! The numbers that a plan draws, and how data nodes work here.

use seedbed_sim::nemesis::{Config, Knob};
use seedbed_sim::time::Span;

use crate::client::op::Server;
use crate::client::settings as client;
use crate::client::settings::small;
use crate::tap::settings as tap;
use crate::vbucket::op::{Key, State};
use crate::vbucket::settings::Settings;

use super::agent::LANES;
use super::map::Servers;
use super::orchestrator;

/// Data nodes.
pub const NODES: Knob = Knob { name: "nodes", min: 3, max: 5, simplest: 3, about: "data nodes" };
/// Data nodes that are not in the cluster at first.
pub const SPARE: Knob = Knob {
    name: "spare_nodes",
    min: 0,
    max: 2,
    simplest: 1,
    about: "data nodes that are not in the cluster at first, unless that leaves fewer than two",
};
/// Vbuckets, by powers of two.
pub const VBUCKETS: Knob = Knob {
    name: "vbucket_bits",
    min: 3,
    max: 6,
    simplest: 3,
    about: "two to the power of this is the number of vbuckets",
};
/// Replicas.
pub const REPLICAS: Knob =
    Knob { name: "replicas", min: 0, max: 2, simplest: 1, about: "replicas of each vbucket" };
/// The same where something is given up.
pub const SOME_REPLICAS: Knob = Knob { min: 1, ..REPLICAS };
/// Vbuckets that move at once.
pub const MOVES: Knob = Knob {
    name: "moves",
    min: 1,
    max: LANES as u64,
    simplest: 1,
    about: "vbuckets that move at once",
};
/// Bytes of a sector.
pub const SECTOR: Knob =
    Knob { name: "sector", min: 16, max: 64, simplest: 64, about: "bytes of a disk sector" };

/// Keys: more than elsewhere, so that with few vbuckets some hold two, and with many all nodes hold some.
pub const KEYS: Knob = Knob {
    name: "keys",
    min: 4,
    max: Key::NAMES.len() as u64,
    simplest: 4,
    about: "keys in use, spread over the vbuckets",
};

/// What is drawn for every cluster, before the knobs of streams.
pub const OWN: [Knob; 11] = [
    NODES,
    SPARE,
    VBUCKETS,
    REPLICAS,
    MOVES,
    SECTOR,
    KEYS,
    client::PARTITIONS,
    client::WORKERS,
    client::FLUSH_DELAY,
    client::PAGER,
];
/// The place of the replicas among them.
pub const AT_REPLICAS: usize = 3;

/// How many vbuckets there are.
#[must_use]
pub fn vbuckets(config: &Config) -> u8 {
    1 << small(config, VBUCKETS)
}

/// How the cluster is at first.
#[must_use]
pub fn cluster(config: &Config) -> orchestrator::Settings {
    let nodes = small(config, NODES);
    let members = nodes.saturating_sub(small(config, SPARE)).max(2);
    orchestrator::Settings {
        vbuckets: vbuckets(config),
        replicas: config.count(REPLICAS.name),
        members: Servers::of((0..members).map(Server)),
        lanes: small(config, MOVES),
    }
}

/// How a data node works. Its vbuckets are dead until it is told what to be.
#[must_use]
pub fn node(config: &Config, place: u8) -> Settings {
    Settings {
        vbuckets: vbuckets(config),
        state: State::Dead,
        max_items: 4,
        max_checkpoints: 2,
        period: Span::secs(4),
        remover: Span::secs(2),
        pager: Span::secs(config.get(client::PAGER.name)),
        // What is written as a deletion before its time would be lost where nothing may be.
        expiry_window: 0,
        batch: 3,
        flush_delay: Span::ms(config.get(client::FLUSH_DELAY.name)),
        values: usize::MAX,
        purge_delay: Span::ms(60),
        nodes: config.get(NODES.name),
        node: u64::from(place),
    }
}

/// How streams work. There are many vbuckets, so they say what they have to say sooner.
#[must_use]
pub fn streams(config: &Config) -> tap::Settings {
    let settings = tap::Settings::of(config);
    tap::Settings { pace: Span(settings.pace.0 / 16), ..settings }
}
