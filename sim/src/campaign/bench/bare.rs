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

/// Passes `flights` messages on among five nodes, `hops` times in all; answers a sum that depends on all of it.
pub(super) fn fan(hops: u32, flights: u32, seed: u64) -> u64 {
    let mut heap: BinaryHeap<Reverse<(u64, u64, u32)>> = BinaryHeap::new();
    let (mut state, mut created, mut received) = (seed | 1, 0, [0_u64; 5]);
    for flight in 0..flights {
        heap.push(Reverse((LATENCY, created, flight % 5)));
        created += 1;
    }
    let mut left = hops;
    while let Some(Reverse((due, _, at))) = heap.pop() {
        received[at as usize] += 1;
        if left == 0 {
            continue;
        }
        left -= 1;
        let picked = u32::try_from(draw(&mut state) % 4).expect("below four");
        heap.push(Reverse((due + LATENCY, created, (at + 1 + picked) % 5)));
        created += 1;
    }
    received.iter().fold(state, |sum, n| sum.rotate_left(9) ^ n)
}

/// A fresh world of five nodes, 200 deliveries, one crash and restart in the middle of them.
pub(super) fn short(seed: u64) -> u64 {
    let mut heap: BinaryHeap<Reverse<(u64, u64, u32)>> = BinaryHeap::new();
    let (mut state, mut created, mut received) = (seed | 1, 0, vec![0_u64; 5]);
    for flight in 0..8 {
        heap.push(Reverse((LATENCY, created, flight % 5)));
        created += 1;
    }
    let (mut left, mut down) = (200, None);
    while let Some(Reverse((due, _, at))) = heap.pop() {
        if down.is_none() && due > 10 * LATENCY {
            down = Some(due + 2 * LATENCY);
            received[0] = 0;
        }
        if at == 0 && due > 10 * LATENCY && down.is_some_and(|until| due < until) {
            continue;
        }
        received[at as usize] += 1;
        if left == 0 {
            continue;
        }
        left -= 1;
        let picked = u32::try_from(draw(&mut state) % 4).expect("below four");
        heap.push(Reverse((due + LATENCY, created, (at + 1 + picked) % 5)));
        created += 1;
    }
    received.iter().fold(state, |sum, n| sum.rotate_left(9) ^ n)
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Put(u32, [u8; 32]),
    Copy(usize, u32, [u8; 32]),
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
        if draw(&mut self.state) % 100 != 0 {
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
                tables[0].put(put);
                if !waiting.contains(&put) {
                    waiting.push(put);
                }
                kv.send(Due::Copy(1, put, bytes));
                kv.send(Due::Copy(2, put, bytes));
                kv.at(retry, Due::PrimaryRetry(put));
            }
            Due::Copy(replica, put, _) => {
                tables[replica].put(put);
                kv.send(Due::Copied(put));
            }
            Due::Copied(put) => {
                if let Some(i) = waiting.iter().position(|w| *w == put) {
                    waiting.swap_remove(i);
                    kv.send(Due::Done(put));
                }
            }
            Due::PrimaryRetry(put) if waiting.contains(&put) => {
                kv.send(Due::Copy(1, put, value(put)));
                kv.send(Due::Copy(2, put, value(put)));
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
