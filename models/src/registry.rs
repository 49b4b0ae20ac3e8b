//! The list of scenarios: what the `seedbed` command knows.

use crate::{checkpoint, client, cluster, mvcc, register, stream, tap, vbucket};
use seedbed_sim::campaign::Registry;
use seedbed_sim::cli::ExtraVerb;

/// The verbs that these models bring along.
#[must_use]
pub fn verbs() -> Vec<ExtraVerb> {
    vec![mvcc::etcd::verb()]
}

/// All scenarios of all models.
#[must_use]
pub fn registry() -> Registry {
    Registry::new()
        .with(register::scenario::majority())
        .with(register::scenario::durable())
        .with(mvcc::scenario::single())
        .with(mvcc::scenario::restart())
        .with(mvcc::scenario::restart_under_compaction())
        .with(mvcc::scenario::watch())
        .with(mvcc::workflow::scenario::workflow())
        .with(mvcc::workflow::scenario::snapshot())
        .with(mvcc::replica::scenario::replicas())
        .with(mvcc::replica::scenario::install())
        .with(mvcc::replica::scenario::defragment())
        .with(mvcc::replica::scenario::leases())
        .with(vbucket::scenario::single())
        .with(vbucket::scenario::online_update())
        .with(vbucket::scenario::replica())
        .with(tap::scenario::replica())
        .with(tap::scenario::chain())
        .with(tap::scenario::takeover())
        .with(client::scenario::tasks())
        .with(client::scenario::multi_set())
        .with(client::scenario::failover())
        .with(cluster::scenario::rebalance())
        .with(cluster::scenario::failover())
        .with(stream::scenario::repair())
        .with(stream::scenario::calm())
        .with(stream::scenario::wire())
        .with_verbs("register", || Box::new(register::verbs::Desk::default()))
        .with_verbs("checkpoint", || Box::new(checkpoint::verbs::Desk::default()))
        .with_verbs("mvcc", || Box::new(mvcc::verbs::Desk::default()))
        .with_verbs("vbucket", || Box::new(vbucket::verbs::Desk::default()))
        .with_verbs("tap", || Box::new(tap::verbs::Desk::default()))
        .with_verbs("stream", || Box::new(stream::verbs::Desk::default()))
        .with_verbs("client", || Box::new(client::verbs::Desk::default()))
        .with_verbs("cluster", || Box::new(cluster::verbs::Desk::default()))
}
