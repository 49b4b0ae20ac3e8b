//! `replicated-kv`: one primary, two replicas, puts of 32-byte values, acknowledged by a majority; one message in a hundred
//! is lost, and retries make up for it.

use super::{READY, TAG, address, network, simulate};
use madsim::net::{Endpoint, NetSim};
use madsim::runtime::Handle;
use madsim::task::{AbortHandle, spawn};
use madsim::time::{sleep, timeout};
use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

/// What they send each other; the number names the put.
enum Msg {
    Put(u32, Vec<u8>),
    Copy(u32, Vec<u8>),
    Copied(u32),
    Done(u32),
}

impl Msg {
    fn to_bytes(&self) -> Vec<u8> {
        let (kind, put, value): (u8, &u32, &[u8]) = match self {
            Msg::Put(put, value) => (0, put, value),
            Msg::Copy(put, value) => (1, put, value),
            Msg::Copied(put) => (2, put, &[]),
            Msg::Done(put) => (3, put, &[]),
        };
        [&[kind], &put.to_le_bytes()[..], value].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Msg {
        let put = u32::from_le_bytes(bytes[1..5].try_into().expect("four bytes"));
        match bytes[0] {
            0 => Msg::Put(put, bytes[5..].to_vec()),
            1 => Msg::Copy(put, bytes[5..].to_vec()),
            2 => Msg::Copied(put),
            _ => Msg::Done(put),
        }
    }
}

/// Distinct keys.
const KEYS: u32 = 256;
const PRIMARY: u32 = 0;
const REPLICAS: [u32; 2] = [1, 2];
const CLIENT: u32 = 3;
const MILLISECOND: Duration = Duration::from_millis(1);
/// After this long without an answer, a message is sent again: four times what the native workload has, since messages are
/// three times as long on their way, so that only what was lost is sent again.
const RETRY: Duration = Duration::from_millis(20);
const LOSS: f64 = 0.01;

pub(super) fn replicated_kv(seed: u64, puts: u32) -> u64 {
    let latency = MILLISECOND..MILLISECOND + Duration::from_micros(1);
    simulate(seed, network(latency, LOSS), move || async move {
        let nodes = [PRIMARY, REPLICAS[0], REPLICAS[1], CLIENT]
            .map(|number| Handle::current().create_node().ip(address(number).ip()).build());
        nodes[0].spawn(primary());
        nodes[1].spawn(replica(REPLICAS[0]));
        nodes[2].spawn(replica(REPLICAS[1]));
        let done = nodes[3].spawn(client(puts)).await.expect("the client lives");
        done.expect("the network is up");
        NetSim::current().stat().msg_count
    })
}

/// The value of a put: a pattern that names it.
fn value(put: u32) -> Vec<u8> {
    let mut value = vec![0; 32];
    value[..4].copy_from_slice(&put.to_le_bytes());
    value
}

/// A copy of the data: by key, the number of the put that it is from, and the value.
#[derive(Default)]
struct Table(BTreeMap<u32, (u32, Vec<u8>)>);

impl Table {
    fn put(&mut self, put: u32, value: Vec<u8>) {
        let slot = self.0.entry(put % KEYS).or_default();
        if slot.0 < put {
            *slot = (put, value);
        }
    }
}

async fn send(endpoint: &Endpoint, to: u32, msg: Msg) -> io::Result<()> {
    endpoint.send_to(address(to), TAG, &msg.to_bytes()).await
}

async fn receive(endpoint: &Endpoint) -> io::Result<Msg> {
    let mut buffer = [0; 5 + 32];
    let (length, _) = endpoint.recv_from(TAG, &mut buffer).await?;
    Ok(Msg::from_bytes(&buffer[..length]))
}

async fn copy(endpoint: &Endpoint, put: u32, value: &[u8]) -> io::Result<()> {
    for replica in REPLICAS {
        send(endpoint, replica, Msg::Copy(put, value.to_vec())).await?;
    }
    Ok(())
}

/// Takes puts, copies them until the first copy makes a majority with its own, and answers.
async fn primary() -> io::Result<()> {
    let endpoint = Endpoint::bind(address(PRIMARY)).await?;
    let mut table = Table::default();
    let mut waiting: BTreeMap<u32, AbortHandle> = BTreeMap::new();
    loop {
        match receive(&endpoint).await? {
            Msg::Put(put, value) => {
                copy(&endpoint, put, &value).await?;
                let again = retry(endpoint.clone(), put, value.clone());
                table.put(put, value);
                let before = waiting.insert(put, spawn(again).abort_handle());
                before.into_iter().for_each(|task| task.abort());
            }
            Msg::Copied(put) => {
                if let Some(task) = waiting.remove(&put) {
                    task.abort();
                    send(&endpoint, CLIENT, Msg::Done(put)).await?;
                }
            }
            Msg::Copy(..) | Msg::Done(_) => unreachable!("no business of the primary"),
        }
    }
}

/// Copies a put again and again, until it is aborted.
async fn retry(endpoint: Endpoint, put: u32, value: Vec<u8>) -> io::Result<()> {
    loop {
        sleep(RETRY).await;
        copy(&endpoint, put, &value).await?;
    }
}

/// Holds a copy.
async fn replica(me: u32) -> io::Result<()> {
    let endpoint = Endpoint::bind(address(me)).await?;
    let mut table = Table::default();
    loop {
        if let Msg::Copy(put, value) = receive(&endpoint).await? {
            table.put(put, value);
            send(&endpoint, PRIMARY, Msg::Copied(put)).await?;
        }
    }
}

/// Makes one put after the other.
async fn client(puts: u32) -> io::Result<()> {
    let endpoint = Endpoint::bind(address(CLIENT)).await?;
    sleep(READY).await;
    for put in 1..=puts {
        loop {
            send(&endpoint, PRIMARY, Msg::Put(put, value(put))).await?;
            if let Ok(answered) = timeout(RETRY, done(put, &endpoint)).await {
                answered?;
                break;
            }
        }
    }
    Ok(())
}

/// Waits for the answer to a put; there may be another one to an earlier put.
async fn done(put: u32, endpoint: &Endpoint) -> io::Result<()> {
    loop {
        if matches!(receive(endpoint).await?, Msg::Done(answered) if answered == put) {
            return Ok(());
        }
    }
}
