//! `pingpong`, `fan` and `short`: nodes that pass messages on.

use super::{READY, TAG, address, network, simulate};
use madsim::net::{Endpoint, NetSim};
use madsim::rand::{Rng, thread_rng};
use madsim::runtime::{Handle, NodeHandle};
use madsim::task::spawn;
use madsim::time::{sleep, timeout};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A message on its way.
enum Hop {
    /// Goes on this many times.
    On { flight: u32, left: u32 },
    /// A flight is over.
    Done,
}

impl Hop {
    fn to_bytes(&self) -> Vec<u8> {
        match self {
            Hop::On { flight, left } => [flight.to_le_bytes(), left.to_le_bytes()].concat(),
            Hop::Done => Vec::new(),
        }
    }

    fn from_bytes(bytes: &[u8]) -> Hop {
        let number = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().expect("four bytes"));
        match bytes.split_at_checked(4) {
            Some((flight, left)) => Hop::On { flight: number(flight), left: number(left) },
            None => Hop::Done,
        }
    }
}

/// So many nodes, and so many messages in flight among them.
#[derive(Clone, Copy)]
struct Ring {
    nodes: u32,
    flights: u32,
    /// Tasks of each node that receive and send on. A task sleeps two milliseconds for each message, so that with one only,
    /// most of 64 messages would wait in mailboxes and not be in flight.
    workers: u32,
    wire: Wire,
}

/// How messages go through an endpoint.
#[derive(Clone, Copy)]
enum Wire {
    /// As bytes, which is what applications can do.
    Bytes,
    /// As values: madsim has that for other simulators and tells applications not to use it.
    Values,
}

async fn send(endpoint: &Endpoint, wire: Wire, to: u32, hop: Hop) {
    let sent = match wire {
        Wire::Bytes => endpoint.send_to(address(to), TAG, &hop.to_bytes()).await,
        Wire::Values => endpoint.send_to_raw(address(to), TAG, Box::new(hop)).await,
    };
    sent.expect("the network is up");
}

async fn receive(endpoint: &Endpoint, wire: Wire) -> Hop {
    const UP: &str = "the network is up";
    match wire {
        Wire::Bytes => {
            let mut buffer = [0; 8];
            let (length, _) = endpoint.recv_from(TAG, &mut buffer).await.expect(UP);
            Hop::from_bytes(&buffer[..length])
        }
        Wire::Values => {
            let (hop, _) = endpoint.recv_from_raw(TAG).await.expect(UP);
            *hop.downcast().expect("a hop")
        }
    }
}

const MILLISECOND: Duration = Duration::from_millis(1);
/// The crash of `short`, and how long the node is down.
const CRASH: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(10));
/// Flights that a restarted node sets going, for those that were lost with it, and their hops. It is one flight more than
/// natively: what is on its way to a node when it dies is lost on madsim, even if the node is up again when it would arrive.
const MADE_UP: (u32, u32) = (4, 14);

pub(super) fn pingpong(seed: u64, hops: u32) -> u64 {
    hopping(seed, Ring { nodes: 2, flights: 1, workers: 1, wire: Wire::Bytes }, hops)
}

pub(super) fn fan(seed: u64, hops: u32) -> u64 {
    hopping(seed, Ring { nodes: 5, flights: 64, workers: 16, wire: Wire::Bytes }, hops)
}

/// The same without making bytes of messages.
pub(super) fn fan_of_values(seed: u64, hops: u32) -> u64 {
    hopping(seed, Ring { nodes: 5, flights: 64, workers: 16, wire: Wire::Values }, hops)
}

fn hopping(seed: u64, ring: Ring, hops: u32) -> u64 {
    simulate(seed, network(MILLISECOND..10 * MILLISECOND, 0.0), move || async move {
        start(ring);
        client(ring, hops).await;
        NetSim::current().stat().msg_count
    })
}

/// A fresh simulation of five nodes, one of which dies and comes back.
pub(super) fn short(seed: u64, hops: u32) -> u64 {
    let ring = Ring { nodes: 5, flights: 8, workers: 1, wire: Wire::Bytes };
    simulate(seed, network(MILLISECOND..10 * MILLISECOND, 0.0), move || async move {
        let nodes = start(ring);
        let victim = nodes[0].id();
        spawn(async move {
            sleep(READY + CRASH.0).await;
            Handle::current().kill(victim);
            sleep(CRASH.1).await;
            Handle::current().restart(victim);
        });
        let patience = 100 * MILLISECOND + 12 * MILLISECOND * (hops / ring.flights);
        // Flights were lost in the crash: this is how it ends.
        let _ = timeout(patience, client(ring, hops)).await;
        NetSim::current().stat().msg_count
    })
}

/// Makes the nodes.
fn start(ring: Ring) -> Vec<NodeHandle> {
    let node = |number: u32| {
        let was_up = Arc::new(AtomicBool::new(false));
        let serve = move || serve(ring, number, was_up.swap(true, Ordering::Relaxed));
        let name = format!("n{number}");
        Handle::current().create_node().name(name).ip(address(number).ip()).init(serve).build()
    };
    (0..ring.nodes).map(node).collect()
}

/// A node: passes on to one of the others what it receives.
async fn serve(ring: Ring, me: u32, again: bool) {
    let endpoint = Endpoint::bind(address(me)).await.expect("the address is free");
    if again {
        for flight in 0..MADE_UP.0 {
            let hop = Hop::On { flight: 1000 + flight, left: MADE_UP.1 };
            send(&endpoint, ring.wire, (me + 1) % ring.nodes, hop).await;
        }
    }
    for _ in 1..ring.workers {
        spawn(work(ring, me, endpoint.clone()));
    }
    work(ring, me, endpoint).await;
}

/// Passes messages on, one after the other.
async fn work(ring: Ring, me: u32, endpoint: Endpoint) {
    loop {
        let (to, hop) = match receive(&endpoint, ring.wire).await {
            Hop::On { left: 0, .. } => (ring.nodes, Hop::Done),
            Hop::On { flight, left } => {
                let to = (me + thread_rng().gen_range(1..ring.nodes)) % ring.nodes;
                (to, Hop::On { flight, left: left - 1 })
            }
            Hop::Done => unreachable!("only the client hears of that"),
        };
        send(&endpoint, ring.wire, to, hop).await;
    }
}

/// Sets the flights going and waits for their end, on a node of its own.
async fn client(ring: Ring, hops: u32) {
    let ip = address(ring.nodes).ip();
    let node = Handle::current().create_node().name("client").ip(ip).build();
    let flying = node.spawn(async move {
        let endpoint = Endpoint::bind(address(ring.nodes)).await.expect("the address is free");
        sleep(READY).await;
        for flight in 0..ring.flights {
            let hop = Hop::On { flight, left: hops / ring.flights };
            send(&endpoint, ring.wire, flight % ring.nodes, hop).await;
        }
        for _ in 0..ring.flights {
            receive(&endpoint, ring.wire).await;
        }
    });
    flying.await.expect("the client lives");
}
