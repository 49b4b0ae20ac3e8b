//! The code under test: a counter that gives each number out once. It knows nothing of Seedbed but its planted bugs.

use crate::trial::{ANSWERS_FORGOTTEN, APPLIED_TWICE};
use madsim::fs::{self, File};
use madsim::net::Endpoint;
use madsim::time::timeout;
use seedbed_sim::actor::BugSet;
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// The port of the service.
pub(crate) const PORT: u16 = 700;
const REQUEST: u64 = 1;
const ANSWER: u64 = 2;

// ANCHOR: server
/// What the service keeps: the last number given out, and what each client was told last, by the number of its request.
#[derive(Default)]
struct Counter {
    last: u64,
    told: BTreeMap<u64, (u64, u64)>,
}

impl Counter {
    /// A request that comes again is told what it was told before: its first answer may have been lost. `None` for one that
    /// comes so late that its client has gone on: it was served long ago, or nobody waits for it.
    fn take(&mut self, client: u64, request: u64, bugs: BugSet) -> Option<u64> {
        let (known, number) = self.told.get(&client).copied().unwrap_or_default();
        if request < known {
            return None;
        }
        if request == known && !bugs.has(&APPLIED_TWICE) {
            return Some(number);
        }
        self.last += 1;
        self.told.insert(client, (request, self.last));
        Some(self.last)
    }

    fn to_bytes(&self, bugs: BugSet) -> Vec<u8> {
        let mut bytes = self.last.to_le_bytes().to_vec();
        if !bugs.has(&ANSWERS_FORGOTTEN) {
            for (client, (request, number)) in &self.told {
                [*client, *request, *number].iter().for_each(|n| bytes.extend(n.to_le_bytes()));
            }
        }
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Counter {
        let mut numbers = bytes.chunks_exact(8).map(number);
        let last = numbers.next().unwrap_or(0);
        let mut told = BTreeMap::new();
        while let (Some(client), Some(request), Some(number)) =
            (numbers.next(), numbers.next(), numbers.next())
        {
            told.insert(client, (request, number));
        }
        Counter { last, told }
    }
}

fn number(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().expect("eight bytes"))
}

/// The service: from its file, until the process dies.
pub(crate) async fn serve(bugs: BugSet) -> io::Result<()> {
    let mut counter =
        fs::read("counter").await.map_or(Counter::default(), |b| Counter::from_bytes(&b));
    let file = File::create("counter").await?;
    file.write_all_at(&counter.to_bytes(bugs), 0).await?;
    let endpoint = Endpoint::bind(("0.0.0.0", PORT)).await?;
    let mut buffer = [0; 16];
    loop {
        let (_, from) = endpoint.recv_from(REQUEST, &mut buffer).await?;
        let (client, request) = (number(&buffer[..8]), number(&buffer[8..]));
        let Some(taken) = counter.take(client, request, bugs) else { continue };
        file.write_all_at(&counter.to_bytes(bugs), 0).await?;
        file.sync_all().await?;
        let answer = [request.to_le_bytes(), taken.to_le_bytes()].concat();
        endpoint.send_to(from, ANSWER, &answer).await?;
    }
}
// ANCHOR_END: server

// ANCHOR: client
/// How long a client waits for an answer, and how often it asks.
const PATIENCE: Duration = Duration::from_millis(40);
const ATTEMPTS: u32 = 12;

/// Takes the next number. `None`: nobody has answered, and the request may have been served or not.
pub(crate) async fn take(server: SocketAddr, client: u64, request: u64) -> io::Result<Option<u64>> {
    let endpoint = Endpoint::bind("0.0.0.0:0").await?;
    let question = [client.to_le_bytes(), request.to_le_bytes()].concat();
    for _ in 0..ATTEMPTS {
        endpoint.send_to(server, REQUEST, &question).await?;
        if let Ok(answer) = timeout(PATIENCE, answer_to(request, &endpoint)).await {
            return Ok(Some(answer?));
        }
    }
    Ok(None)
}

/// Waits for the answer to a request. The port may have been that of an earlier request, whose answer comes late.
async fn answer_to(request: u64, endpoint: &Endpoint) -> io::Result<u64> {
    let mut buffer = [0; 16];
    loop {
        endpoint.recv_from(ANSWER, &mut buffer).await?;
        if number(&buffer[..8]) == request {
            return Ok(number(&buffer[8..]));
        }
    }
}
// ANCHOR_END: client
