//! The workloads of the bench as somebody writes them who has madsim only: nodes, tasks, sleeps and endpoints.
//!
//! | workload | what stands for it |
//! |---|---|
//! | `pingpong`, `fan`, `short` | a task for each node that receives and sends on; in `short` node 0 is killed and restarted |
//! | `timers` | a thousand sleeping tasks; to cancel one is to abort it, to arm it again is to spawn it again |
//! | `replicated-kv` | a task for each server; the primary has one more for each put that is not acknowledged yet |
//!
//! The large ones are so large that threads and runtimes do not count. A delivery takes two milliseconds more than the link's
//! latency, since to send and to receive each sleep, and no sleep is shorter than one; nobody waits for virtual time.
//! Messages are bytes, as they are for applications. What madsim could do without that, [`FAN_OF_VALUES`] shows.

mod hops;
mod kv;
mod timers;

use madsim::Config;
use madsim::runtime::Runtime;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::time::Duration;

/// A workload on madsim.
#[derive(Clone, Copy)]
pub(crate) struct Workload {
    /// As it is called natively.
    pub(crate) name: &'static str,
    /// What the bench asks of it: deliveries, firings or puts.
    pub(crate) amount: u32,
    /// Runs it with a seed and an amount; answers how many messages were sent, or timers fired.
    pub(crate) run: fn(u64, u32) -> u64,
}

/// The workloads, in the order of the native ones.
pub(crate) const WORKLOADS: [Workload; 5] = [
    Workload { name: "pingpong", amount: 100_000, run: hops::pingpong },
    Workload { name: "fan", amount: 100_000, run: hops::fan },
    Workload { name: "timers", amount: 100_000, run: timers::timers },
    Workload { name: "short", amount: 200, run: hops::short },
    Workload { name: "replicated-kv", amount: 1_000, run: kv::replicated_kv },
];

/// `fan` again, with messages that are passed as values; madsim tells applications not to do that.
pub(crate) const FAN_OF_VALUES: Workload =
    Workload { name: "fan-of-values", amount: 100_000, run: hops::fan_of_values };

/// Runs a simulation, on a thread of its own as madsim's own test macro does it: it leaves state behind in the thread.
fn simulate<F: Future<Output = u64>>(
    seed: u64,
    config: Config,
    main: impl FnOnce() -> F + Send,
) -> u64 {
    let run = || Runtime::with_seed_and_config(seed, config).block_on(main());
    std::thread::scope(|scope| scope.spawn(run).join()).expect("a workload does not panic")
}

/// A network with this latency that loses this share of its messages.
fn network(latency: Range<Duration>, loss: f64) -> Config {
    let mut config = Config::default();
    config.net.send_latency = latency;
    config.net.packet_loss_rate = loss;
    config
}

/// Where a node listens.
fn address(node: u32) -> SocketAddr {
    let last = u8::try_from(node + 1).expect("few nodes");
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)), 1)
}

/// The one tag: a receiver takes whatever comes.
const TAG: u64 = 0;
/// So long the first message waits for the servers to listen.
const READY: Duration = Duration::from_millis(5);
