//! Connections and disks of a world: the floors below decide what happens, this puts it on the agenda.

use super::core::{Core, Due, Tag};
use crate::actor::{Actor, CloseReason, ConnEvent, DiskEvent, DiskOp, Me};
use crate::disk::{DiskChange, DiskSeen, DiskSpec, FileClass};
use crate::fault::{ConnTrouble, Death, Kind};
use crate::id::{ActorId, ConnId, Incarnation, NodeId, RequestId};
use crate::net::conn::{End, Medium, Sight, Socket, Trouble, Wake, Which};
use crate::time::Span;
use crate::trace::say_request;
use std::hash::{Hash, Hasher};

impl<A: Actor> Core<A> {
    /// All nodes up in their first life, with empty disks.
    pub(crate) fn io_reset(&mut self, nodes: usize, classes: &[FileClass]) {
        self.conns.reset(nodes, self.run.buffer);
        let run = self.run;
        self.disks.resize_with(nodes, Default::default);
        for (disk, i) in self.disks.iter_mut().zip(0..) {
            let fragile = run.fragile.has(NodeId(i));
            disk.reset(DiskSpec {
                sector: run.sector,
                capacity: run.capacity,
                base: run.disk,
                fragile,
            });
            disk.give_up_only(classes, run.fragile_files);
        }
    }

    /// Tells the connections which life of a node can be connected to.
    pub(crate) fn io_up(&mut self, node: NodeId, incarnation: Incarnation) {
        self.with_medium(|conns, medium| conns.node_up(node, incarnation, medium));
    }

    /// Runs something on the connections, and puts the wakes that it asks for on the agenda.
    fn with_medium<R>(
        &mut self,
        run: impl FnOnce(&mut crate::net::conn::Conns, &mut Medium<'_>) -> R,
    ) -> R {
        let result = self.over_medium(run);
        if self.conns.has_news() {
            self.tell_of_conns(false);
        }
        result
    }

    fn over_medium<R>(
        &mut self,
        run: impl FnOnce(&mut crate::net::conn::Conns, &mut Medium<'_>) -> R,
    ) -> R {
        let mut wakes = std::mem::take(&mut self.scratch);
        let mut medium = Medium {
            now: self.now,
            step: self.step,
            links: &self.links,
            choices: &mut self.choices,
            wakes: &mut wakes,
        };
        let result = run(&mut self.conns, &mut medium);
        for wake in wakes.drain(..) {
            let entry = super::core::Entry {
                cause: wake.cause,
                second: crate::id::StepId(0),
                due: Due::Conn(wake),
            };
            self.agenda.push(wake.due, 0, entry);
        }
        self.scratch = wakes;
        result
    }

    /// Tells digest and trace what has happened to connections. What is due for them happens before the step, if any, that
    /// tells an actor of it.
    fn tell_of_conns(&mut self, before: bool) {
        let Core { conns, digest, tracer, .. } = self;
        for sight in conns.news() {
            sight.hash(digest);
            match tracer {
                Some(tracer) if before => tracer.effect_of_next(format_args!("  {sight}")),
                Some(tracer) => tracer.effect(format_args!("  {sight}")),
                None => {}
            }
        }
    }

    pub(crate) fn io_connect(&mut self, me: Me, to: ActorId) -> ConnId {
        let at = self.home(to);
        let conn = self.with_medium(|conns, medium| conns.connect(me, to, at, medium));
        self.fold(Tag::Connect, u64::from(to.0) << 32 | u64::from(conn.0));
        self.trace(|t| format!("connect to {}: conn {}", t.names().actor(to), conn.0));
        conn
    }

    pub(crate) fn io_write(&mut self, me: Me, conn: ConnId, data: &[u8]) -> usize {
        let socket = Socket { owner: me, conn };
        let taken = self.with_medium(|conns, medium| conns.write(socket, data, medium));
        self.fold(Tag::Write, u64::from(conn.0));
        self.digest.write(&data[..taken]);
        self.trace(|_| format!("write conn {}: {taken} of {} bytes", conn.0, data.len()));
        taken
    }

    pub(crate) fn io_read(
        &mut self,
        me: Me,
        conn: ConnId,
        max: usize,
        into: &mut Vec<u8>,
    ) -> usize {
        let (socket, from) = (Socket { owner: me, conn }, into.len());
        let read = self.with_medium(|conns, medium| conns.read(socket, max, into, medium));
        self.fold(Tag::Read, u64::from(conn.0));
        self.digest.write(&into[from..]);
        self.trace(|_| format!("read conn {}: {read} bytes", conn.0));
        read
    }

    pub(crate) fn io_close(&mut self, me: Me, conn: ConnId, reason: CloseReason) {
        self.with_medium(|conns, medium| conns.close(Socket { owner: me, conn }, reason, medium));
        self.fold(Tag::Close, u64::from(conn.0) << 1 | reason as u64);
        self.trace(|_| format!("close conn {} ({reason:?})", conn.0));
    }

    /// Something about a connection is due.
    pub(crate) fn io_wake(&mut self, wake: Wake) -> Option<(End, ConnEvent)> {
        let come = self.over_medium(|conns, medium| conns.wake(wake, medium));
        self.tell_of_conns(true);
        come
    }

    /// A fault strikes the connections between two nodes; answers whether there were any.
    pub(crate) fn trouble_conns(&mut self, trouble: ConnTrouble, from: NodeId, to: NodeId) -> bool {
        let trouble = match trouble {
            ConnTrouble::Reset => Trouble::Reset,
            ConnTrouble::Close => Trouble::Close,
            ConnTrouble::Silence => Trouble::Silence,
            ConnTrouble::Tear => Trouble::Tear(CloseReason::Fin),
        };
        self.with_medium(|conns, medium| conns.strike(Which::Between { from, to }, trouble, medium))
            > 0
    }

    /// Ends the trouble of connections.
    pub(crate) fn io_heal(&mut self) {
        self.with_medium(crate::net::conn::Conns::heal);
        for disk in &mut self.disks {
            disk.heal(self.now);
        }
    }

    /// Makes a disk request.
    pub(crate) fn io_disk(&mut self, me: Me, op: DiskOp<'_>) -> RequestId {
        op.hash(&mut self.digest);
        let disk = &mut self.disks[usize::from(me.node.0)];
        let submitted = disk.submit(me, op, self.now, &mut self.choices);
        self.fold(Tag::Disk, u64::from(submitted.request.0) << 8 | u64::from(submitted.outcome));
        self.trace(|_| {
            let deviation = match submitted.outcome {
                0 => String::new(),
                n => format!(" ({})", crate::disk::DISK.outcomes[n as usize - 1]),
            };
            format!("disk {}: {}{deviation}", submitted.request.0, say_request(&op))
        });
        if let Some(span) = submitted.due {
            let span = span.at_least(Span::LEAST).times(self.seat(me.node).slowness(self.now));
            let due = Due::Disk {
                node: me.node,
                incarnation: me.incarnation,
                request: submitted.request,
            };
            self.schedule(self.now + span, due);
        }
        submitted.request
    }

    /// Carries out a disk request whose time has come.
    pub(crate) fn io_disk_done(
        &mut self,
        node: NodeId,
        request: RequestId,
    ) -> Option<(ActorId, DiskEvent)> {
        let Core { disks, choices, digest, tracer, .. } = self;
        let on_change = |change: DiskChange| {
            change.hash(digest);
            if let Some(tracer) = tracer {
                tracer.effect_of_next(format_args!("  {change}"));
            }
        };
        disks[usize::from(node.0)].complete(request, choices, on_change)
    }

    /// What a death does to the disk and the connections of a node.
    pub(crate) fn io_down(&mut self, node: NodeId, death: Death, ended: Incarnation) {
        let Core { disks, choices, digest, tracer, .. } = self;
        let on_change = |change: DiskChange| {
            change.hash(digest);
            if let Some(tracer) = tracer {
                tracer.effect(format_args!("  {change}"));
            }
        };
        let disk = &mut disks[usize::from(node.0)];
        match death {
            Death::Crash => disk.crash(node, ended, choices, on_change),
            Death::Kill | Death::Stop => disk.kill(node, ended, choices, on_change),
            Death::Wipe => disk.wipe(),
        }
        self.with_medium(|conns, medium| match death {
            Death::Crash | Death::Wipe => conns.node_crashed(node),
            Death::Kill => conns.node_killed(node, medium),
            Death::Stop => conns.node_stopped(node, medium),
        });
    }

    /// Adds what was decided about single connections and requests, which connections and disks count for themselves. What
    /// lasts for a while is counted where it strikes.
    pub(crate) fn add_seen_below(&self, seen: &mut [u32; Kind::CATALOGUE.len()]) {
        let mut add = |kind: Kind, n: u64| {
            let so_far = &mut seen[kind as usize];
            *so_far = so_far.saturating_add(u32::try_from(n).unwrap_or(u32::MAX));
        };
        let count = |sight| self.conns.seen().count(sight);
        add(Kind::Segment, count(Sight::Split) + count(Sight::Delayed));
        add(Kind::ConnectRefused, self.conns.seen().chosen(Sight::RefusedConnect));
        add(Kind::ConnectHang, self.conns.seen().chosen(Sight::HungConnect));
        add(Kind::ConnectDelay, count(Sight::DelayedConnect));
        add(Kind::CutReset, count(Sight::CutReset));
        add(Kind::CutHalfOpen, count(Sight::CutHalfOpen));
        add(Kind::Flip, count(Sight::Flipped));
        for disk in &self.disks {
            let seen = disk.seen();
            if *seen == DiskSeen::default() {
                continue;
            }
            add(Kind::RequestError, seen.chosen_errors);
            add(Kind::RequestSlow, seen.chosen_slow);
            add(Kind::RequestHang, seen.chosen_hung);
            add(Kind::ShortWrite, seen.short);
            add(Kind::Misdirect, seen.misdirected);
            add(Kind::Rot, seen.rotted);
            add(Kind::Kept, seen.torn);
        }
    }
}
