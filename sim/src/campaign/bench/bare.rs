//! The same work as plain loops over a std `BinaryHeap`: no actors, no digest, no checks, no faults but what the workload
//! itself asks for. What an engine costs is what it takes longer than this.

use super::kv::{KEYS, Table, value};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// One xorshift draw.
fn draw(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

const LATENCY: u64 = 1_000_000;

/// The latency of each link, 1 to 10 ms, as the engine's workloads have them.
fn latencies(seed: u64) -> [[u64; 5]; 5] {
    let mut state = seed | 1;
    [(); 5].map(|()| [(); 5].map(|()| LATENCY + draw(&mut state) % (9 * LATENCY)))
}

/// A message on its way: when it is due, its creation number, where it goes, its flight and the hops that are left.
type Flying = (u64, u64, u32, u32, u32);

/// Five nodes that pass messages on, as plain variables.
struct Five {
    heap: BinaryHeap<Reverse<Flying>>,
    state: u64,
    created: u64,
    received: Vec<u64>,
    latencies: [[u64; 5]; 5],
}

impl Five {
    fn new(flights: u32, hops: u32, seed: u64) -> Five {
        let (heap, latencies) = (BinaryHeap::new(), latencies(seed));
        let mut five = Five { heap, state: seed | 1, created: 0, received: vec![0; 5], latencies };
        for flight in 0..flights {
            five.push(LATENCY, flight % 5, flight, hops / flights);
        }
        five
    }

    fn push(&mut self, due: u64, to: u32, flight: u32, left: u32) {
        self.heap.push(Reverse((due, self.created, to, flight, left)));
        self.created += 1;
    }

    fn receive(&mut self, (due, _, at, flight, left): Flying) {
        self.received[at as usize] += 1;
        if left > 0 {
            let picked = u32::try_from(draw(&mut self.state) % 4).expect("below four");
            let to = (at + 1 + picked) % 5;
            self.push(due + self.latencies[at as usize][to as usize], to, flight, left - 1);
        }
    }

    fn sum(&self) -> u64 {
        self.received.iter().fold(self.state, |sum, n| sum.rotate_left(9) ^ n)
    }
}

/// Passes `flights` messages on among five nodes, `hops` times in all; answers a sum that depends on all of it.
pub(super) fn fan(hops: u32, flights: u32, seed: u64) -> u64 {
    let mut five = Five::new(flights, hops, seed);
    while let Some(Reverse(flying)) = five.heap.pop() {
        five.receive(flying);
    }
    five.sum()
}

/// A fresh world of five nodes, 200 deliveries, one crash and restart in the middle of them; what reaches the node while it
/// is down is lost, and it makes up for that when it comes back.
pub(super) fn short(seed: u64) -> u64 {
    let mut five = Five::new(8, 200, seed);
    let (crash, boot) = (50 * LATENCY, 60 * LATENCY);
    let (mut crashed, mut booted) = (false, false);
    while let Some(Reverse(flying)) = five.heap.pop() {
        if !crashed && flying.0 >= crash {
            crashed = true;
            five.received[0] = 0;
        }
        if !booted && flying.0 >= boot {
            booted = true;
            for flight in 0..3 {
                five.push(boot + LATENCY, 1, 1000 + flight, 14);
            }
        }
        if flying.2 == 0 && crashed && !booted {
            continue;
        }
        five.receive(flying);
    }
    five.sum()
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Put(u32, Vec<u8>),
    Copy(usize, u32, Vec<u8>),
    Copied(u32),
    Done(u32),
    ClientRetry(u32),
    PrimaryRetry(u32),
}

struct Kv {
    heap: BinaryHeap<Reverse<(u64, u64, Due)>>,
    state: u64,
    created: u64,
    now: u64,
}

impl Kv {
    fn send(&mut self, what: Due) {
        if !draw(&mut self.state).is_multiple_of(100) {
            self.at(LATENCY, what);
        }
    }

    fn at(&mut self, after: u64, what: Due) {
        self.heap.push(Reverse((self.now + after, self.created, what)));
        self.created += 1;
    }
}

/// A thousand puts (or as many as asked), as the actors of the engine's workload make them.
pub(super) fn replicated_kv(puts: u32, seed: u64) -> u64 {
    let mut kv = Kv { heap: BinaryHeap::new(), state: seed | 1, created: 0, now: 0 };
    let (mut tables, mut waiting) =
        ([Table::default(), Table::default(), Table::default()], Vec::new());
    let retry = super::kv::RETRY.0;
    let mut at = 1;
    kv.send(Due::Put(1, value(1)));
    kv.at(retry, Due::ClientRetry(1));
    while let Some(Reverse((due, _, what))) = kv.heap.pop() {
        kv.now = due;
        match what {
            Due::Put(put, bytes) => {
                if !waiting.contains(&put) {
                    waiting.push(put);
                }
                kv.send(Due::Copy(1, put, bytes.clone()));
                kv.send(Due::Copy(2, put, bytes.clone()));
                tables[0].put(put, bytes);
                kv.at(retry, Due::PrimaryRetry(put));
            }
            Due::Copy(replica, put, bytes) => {
                tables[replica].put(put, bytes);
                kv.send(Due::Copied(put));
            }
            Due::Copied(put) => {
                if let Some(i) = waiting.iter().position(|w| *w == put) {
                    waiting.swap_remove(i);
                    kv.send(Due::Done(put));
                }
            }
            Due::PrimaryRetry(put) if waiting.contains(&put) => {
                let Some(bytes) = tables[0].get(put) else { continue };
                kv.send(Due::Copy(1, put, bytes.clone()));
                kv.send(Due::Copy(2, put, bytes));
                kv.at(retry, Due::PrimaryRetry(put));
            }
            Due::Done(put) if put == at => {
                at += 1;
                if at <= puts {
                    kv.send(Due::Put(at, value(at)));
                    kv.at(retry, Due::ClientRetry(at));
                }
            }
            Due::ClientRetry(put) if put == at && at <= puts => {
                kv.send(Due::Put(put, value(put)));
                kv.at(retry, Due::ClientRetry(put));
            }
            Due::Done(_) | Due::ClientRetry(_) | Due::PrimaryRetry(_) => {}
        }
    }
    kv.created ^ u64::from(KEYS)
}
