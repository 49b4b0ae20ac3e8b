//! What clients and the orchestrator do: tasks as elsewhere, and meanwhile what becomes of the cluster.

use seedbed_sim::choose::Draw;
use seedbed_sim::nemesis::PlannedOp;

use crate::client::op as client;
use crate::client::op::{Server, Spec};
use crate::client::workload::{Crowd, tasks};
use crate::vbucket::op::{Key, Vb, home};

use super::op::{Change, Op};

/// Which commands come how often, in parts of the sum.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mix {
    pub(super) join: u32,
    pub(super) leave: u32,
    pub(super) swap: u32,
    pub(super) go_on: u32,
    pub(super) stop: u32,
    pub(super) finish: u32,
    pub(super) fail_over: u32,
    pub(super) add_back: u32,
    pub(super) count: u32,
}

/// The percents at which a rebalance is stopped.
const STOPS: [u8; 3] = [20, 40, 60];

/// Draws the operations of all clients, of which the orchestrator is the last.
pub(super) fn draw(mix: Mix, crowd: Crowd, members: u8, draw: &mut Draw) -> Vec<PlannedOp<Op>> {
    let planned = tasks(crowd, draw);
    let mut words = Words { crowd, draw, members, failed: None, is_finished: false };
    let mut ops: Vec<PlannedOp<Op>> = planned
        .into_iter()
        .map(|PlannedOp { client, number, op }| {
            let is_command = client == crowd.keeper;
            let op = if is_command { words.command(mix) } else { Op::Client(with_keys(op, crowd)) };
            PlannedOp { client, number, op }
        })
        .collect();
    ops.sort_by_key(|op| (op.client, op.number));
    ops
}

/// A task that moves a vbucket by itself moves one that has a key: others are empty.
fn with_keys(op: client::Op, crowd: Crowd) -> client::Op {
    let of_key = |vb: Vb| home(Key(vb.0 % crowd.keys), crowd.vbuckets);
    match op {
        client::Op::Run(task, Spec::Rebalance(vb, to)) => {
            client::Op::Run(task, Spec::Rebalance(of_key(vb), to))
        }
        client::Op::Create(task, Spec::Rebalance(vb, to)) => {
            client::Op::Create(task, Spec::Rebalance(of_key(vb), to))
        }
        op => op,
    }
}

/// Draws commands. It guesses what becomes of the cluster, so that most of them fit.
struct Words<'d> {
    crowd: Crowd,
    draw: &'d mut Draw,
    /// The nodes that are in the cluster if all goes well: bits.
    members: u8,
    failed: Option<Server>,
    /// The last command waited for the end of a rebalance.
    is_finished: bool,
}

impl Words<'_> {
    /// One of the nodes that are, or are not, in the cluster; any of them if there is none.
    fn server(&mut self, is_member: bool) -> Server {
        let all = (0..self.crowd.nodes).map(Server);
        let fitting = all.filter(|server| (self.members & 1 << server.0 != 0) == is_member);
        let fitting: Vec<Server> = fitting.collect();
        let draw = self.draw.below(self.crowd.nodes.into());
        let draw = u8::try_from(draw).expect("a few nodes");
        let many = fitting.len().max(1);
        fitting.get(usize::from(draw) % many).copied().unwrap_or(Server(draw))
    }

    fn command(&mut self, mix: Mix) -> Op {
        let Mix { join, leave, swap, go_on, stop, finish, fail_over, add_back, count } = mix;
        let weights = [join, leave, swap, go_on, stop, finish, fail_over, add_back, count];
        // As testrunner does after every step.
        if std::mem::take(&mut self.is_finished) && self.draw.chance(2, 3) {
            return Op::Count;
        }
        match self.draw.weighted(&weights) {
            0 => {
                let server = self.server(false);
                self.members |= 1 << server.0;
                Op::Rebalance(Change::In(server))
            }
            1 => {
                let server = self.server(true);
                self.members &= !(1 << server.0);
                Op::Rebalance(Change::Out(server))
            }
            2 => {
                let (out, server) = (self.server(true), self.server(false));
                self.members = self.members & !(1 << out.0) | 1 << server.0;
                Op::Rebalance(Change::Swap(out, server))
            }
            3 => Op::Rebalance(Change::Nothing),
            4 => Op::Stop(STOPS[self.draw.index(STOPS.len())]),
            5 => {
                self.is_finished = true;
                Op::Finish
            }
            6 => {
                let server = self.server(true);
                self.members &= !(1 << server.0);
                self.failed = Some(server);
                Op::Failover(server)
            }
            7 => {
                let server = self.failed.take().unwrap_or(Server(0));
                self.members |= 1 << server.0;
                Op::Rebalance(Change::AddBack(server))
            }
            _ => Op::Count,
        }
    }
}
