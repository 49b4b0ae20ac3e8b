//! One plan against one server: every answer, error, watch and hash is compared with what the reference model says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::super::op::{Op, Request};
use super::super::reference::Reference;
use super::super::response::Outcome;
use super::json;
use super::known::{BLINDED_WATCH, COMPACTED_AT_0, Known, NEGATIVE_WATCH, Tally};
use super::list::List;
use super::restart::{self, Logged, Observed};
use super::server::{Server, Trouble};
use super::step::{Step, Watch};
use super::watch::{Opened, Watcher};

/// How long something that must not come is waited for at the end of a plan.
const GRACE: Duration = Duration::from_millis(30);

/// A step with its number, which it keeps when others are left out.
pub(super) type Numbered = (u32, Step);

/// Where server and reference model differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// What kind of difference it is; shrinking keeps it.
    pub(super) class: &'static str,
    /// What was expected and what came.
    pub(super) detail: String,
}

impl Difference {
    /// A difference of this kind.
    pub(super) fn new(class: &'static str, detail: String) -> Difference {
        Difference { class, detail }
    }
}

/// Why a trial cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// They differ.
    Differs(Difference),
    /// Nothing can be said.
    Trouble(Trouble),
}

impl From<Difference> for Stop {
    fn from(difference: Difference) -> Stop {
        Stop::Differs(difference)
    }
}

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Stop {
        Stop::Trouble(trouble)
    }
}

/// What a plan came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// No difference, or only known ones.
    Agreed,
    /// A difference, at the step with this number.
    Differs(u32, Difference),
    /// No verdict, at the step with this number.
    Trouble(u32, Trouble),
    /// Somebody wished to end.
    Interrupted,
}

/// A plan that runs.
pub(super) struct Trial<'s> {
    server: Box<dyn Server + 's>,
    reference: Reference,
    /// The reference model before the first step, and all requests since.
    base: Reference,
    log: Vec<Logged>,
    watchers: BTreeMap<u32, Watcher>,
    known: &'s Known,
    tally: &'s mut Tally,
}

impl<'s> Trial<'s> {
    /// A trial of a server that has nothing in it.
    pub(super) fn new(
        (server, reference): (Box<dyn Server + 's>, Reference),
        known: &'s Known,
        tally: &'s mut Tally,
    ) -> Trial<'s> {
        let base = reference.clone();
        Trial { server, reference, base, log: Vec::new(), watchers: BTreeMap::new(), known, tally }
    }

    /// Does all steps of a plan, and reads everything back.
    pub(super) fn run(mut self, plan: &[Numbered], stop: &AtomicBool) -> End {
        self.tally.plans += 1;
        let mut last = 0;
        for (number, step) in plan {
            if stop.load(Ordering::Relaxed) {
                return End::Interrupted;
            }
            last = *number;
            if let Err(stop) = self.step(step) {
                return ended(*number, stop, step);
            }
        }
        match self.finish() {
            Ok(()) => End::Agreed,
            Err(Stop::Differs(difference)) => End::Differs(last, difference),
            Err(Stop::Trouble(trouble)) => End::Trouble(last, trouble),
        }
    }

    fn step(&mut self, step: &Step) -> Result<(), Stop> {
        match step {
            Step::Kill(_) => self.tally.kills += 1,
            _ => self.tally.operations += 1,
        }
        match step {
            Step::Ask(op) => self.ask(op),
            Step::List(list) => self.list(list),
            Step::Watch(watch) => self.watch(watch),
            Step::Cancel(number) => self.cancel(*number),
            Step::Lease(lease) => self.lease(*lease),
            Step::Leases => self.leases(),
            Step::Defragment => {
                self.must("/v3/maintenance/defragment", &json!({}))?;
                Ok(())
            }
            Step::Hash(at) => {
                let current = self.reference.current();
                // Below 1 there is nothing to hash; 0 stands for the current revision.
                self.hash(at.map_or(0, |at| at.absolute(current)).max(0))
            }
            Step::Kill(during) => self.kill(during.as_ref()),
        }
    }

    fn ask(&mut self, op: &Op) -> Result<(), Stop> {
        let request = op.resolve(self.reference.current());
        if let Op::Compact(_) = request {
            self.watchers.values_mut().for_each(Watcher::wait_until_caught_up);
            self.drain(Duration::ZERO)?;
        }
        let (path, body) = json::request(&request);
        let reply = self.server.post(path, &body)?;
        let got = outcome(&request, reply.status, &reply.body)?;
        let mut after = self.reference.clone();
        let expected = after.apply(&request);
        if expected != got {
            let known = self.known.answer(&self.reference, &request, &got, self.tally);
            after = known.ok_or_else(|| wrong(&expected, &got))?;
        }
        self.log.push(Logged { request, outcome: got });
        self.reference = after;
        self.drain(Duration::ZERO)
    }

    fn list(&mut self, list: &List) -> Result<(), Stop> {
        let (request, body) = list.request(self.reference.current());
        let reply = self.server.post("/v3/kv/range", &body)?;
        let got = outcome(&request, reply.status, &reply.body)?;
        let expected = list.expected(&self.reference);
        let same = expected == got || self.known.list(&self.reference, list, &got, self.tally);
        if same { Ok(()) } else { Err(wrong(&expected, &got)) }
    }

    fn drain(&mut self, grace: Duration) -> Result<(), Stop> {
        for watcher in self.watchers.values_mut() {
            watcher.expect(&self.reference);
            let before = watcher.events;
            let done = watcher.drain(grace);
            self.tally.events += watcher.events - before;
            self.tally.fire(BLINDED_WATCH, u64::from(watcher.was_blinded()));
            done?;
        }
        Ok(())
    }

    fn watch(&mut self, watch: &Watch) -> Result<(), Stop> {
        self.cancel(watch.number)?;
        self.tally.watches += 1;
        let mut watcher = match Watcher::open(&mut *self.server, &self.reference, watch)? {
            Opened::Watching(watcher) => *watcher,
            Opened::Ended => return Ok(()),
            Opened::Silent(_) if self.known.has(COMPACTED_AT_0) => {
                self.tally.fire(COMPACTED_AT_0, 1);
                return Ok(());
            }
            Opened::Silent(stop) => return Err(stop),
        };
        if watcher.is_negative() && self.known.has(NEGATIVE_WATCH) {
            self.watchers.values_mut().for_each(Watcher::shade);
            self.tally.fire(NEGATIVE_WATCH, u64::from(watcher.is_blind()?));
        }
        // Nothing is read yet: the server catches up with several watchers at once.
        self.watchers.insert(watch.number, watcher);
        Ok(())
    }

    fn cancel(&mut self, number: u32) -> Result<(), Stop> {
        self.watchers.remove(&number).map_or(Ok(()), |mut watcher| watcher.drain(Duration::ZERO))
    }

    /// Asks what no state of the store can refuse.
    fn must(&mut self, path: &str, body: &Value) -> Result<Value, Stop> {
        let reply = self.server.post(path, body)?;
        if reply.status == 200 {
            return Ok(reply.body);
        }
        let said = format!("{path} gave status {} and {}", reply.status, reply.body);
        Err(Difference::new("refused", said).into())
    }

    fn lease(&mut self, lease: i64) -> Result<(), Stop> {
        let body = json!({"ID": lease.to_string(), "keys": true});
        let answer = self.must("/v3/lease/timetolive", &body)?;
        let mut keys: Vec<Option<Vec<u8>>> = answer["keys"]
            .as_array()
            .map_or(vec![], |keys| keys.iter().map(|key| json::unbase64(key.as_str()?)).collect());
        keys.sort();
        let read = |field| json::number(&answer, field).map_err(unreadable);
        let got = (read("grantedTTL")?, read("TTL")? < 0, keys);
        let ttl = self.reference.leases().find(|(id, _)| *id == lease).map(|(_, ttl)| ttl);
        let attached = self.reference.attached(lease).map(|key| Some(key.to_vec()));
        let expected = match ttl {
            Some(ttl) => (ttl, false, attached.collect()),
            None => (0, true, Vec::new()),
        };
        if got == expected {
            return Ok(());
        }
        let said = format!("of lease {lease} expected {expected:?}, came {got:?}");
        Err(Difference::new("wrong lease", said).into())
    }

    fn leases(&mut self) -> Result<(), Stop> {
        let got = restart::leases(&mut *self.server)?;
        let expected: BTreeSet<i64> = self.reference.leases().map(|(id, _)| id).collect();
        if got == expected {
            return Ok(());
        }
        let said = format!("expected the leases {expected:?}, came {got:?}");
        Err(Difference::new("wrong lease", said).into())
    }

    fn hash(&mut self, at: i64) -> Result<(), Stop> {
        let Some(got) = self.server.hash(at)? else { return Ok(()) };
        self.tally.hashes += 1;
        let expected = self.reference.hash(at);
        if got == expected {
            return Ok(());
        }
        let said = format!("of the hash at {at} expected {expected:?}, came {got:?}");
        Err(Difference::new("wrong hash", said).into())
    }

    fn kill(&mut self, during: Option<&Op>) -> Result<(), Stop> {
        self.drain(Duration::ZERO)?;
        let during = during.map(|op| op.resolve(self.reference.current()));
        let sent = during.as_ref().map(json::request);
        self.server.kill(sent.as_ref().map(|(path, body)| (*path, body)))?;
        let past = restart::Past {
            base: &self.base,
            log: &self.log,
            now: &self.reference,
            during: during.as_ref(),
        };
        let back = restart::judge(&mut *self.server, &past, self.known, self.tally)?;
        if let Some((request, outcome)) = during.zip(back.during) {
            self.log.push(Logged { request, outcome });
        }
        self.reference = back.reference;
        if back.rewritten {
            // Revisions that watchers were told of have another meaning now.
            self.base = self.reference.clone();
            self.log.clear();
            self.watchers.clear();
        }
        for watcher in self.watchers.values_mut() {
            *watcher = watcher.resume(&mut *self.server, &self.reference)?;
        }
        self.drain(Duration::ZERO)
    }

    fn finish(&mut self) -> Result<(), Stop> {
        self.drain(GRACE)?;
        let seen = Observed::of(&mut *self.server)?;
        if seen.is(&self.reference) {
            return Ok(());
        }
        let said =
            format!("at the end expected {}, came {seen}", Observed::expected(&self.reference));
        Err(Difference::new("wrong state", said).into())
    }
}

fn ended(number: u32, stop: Stop, step: &Step) -> End {
    match stop {
        Stop::Differs(Difference { class, detail }) => {
            End::Differs(number, Difference { class, detail: format!("`{step}`: {detail}") })
        }
        Stop::Trouble(Trouble(why)) => End::Trouble(number, Trouble(format!("`{step}`: {why}"))),
    }
}

fn unreadable(what: String) -> Stop {
    Difference::new("unreadable answer", what).into()
}

/// The answer or the refusal of a server.
fn outcome(request: &Request, status: u16, body: &Value) -> Result<Outcome, Stop> {
    if status == 200 {
        return json::response(request, body).map(Ok).map_err(unreadable);
    }
    let message = body["message"].as_str().unwrap_or_default();
    match json::refusal(message) {
        Some(refusal) => Ok(Err(refusal)),
        None => {
            let said = format!("status {status} and {body}");
            Err(Difference::new("unknown error", said).into())
        }
    }
}

fn wrong(expected: &Outcome, got: &Outcome) -> Stop {
    let class = match (expected, got) {
        (Ok(_), Ok(_)) => "wrong answer",
        (Ok(_), Err(_)) => "wrongly refused",
        (Err(_), Ok(_)) => "wrongly accepted",
        (Err(_), Err(_)) => "wrong error",
    };
    let say = |outcome: &Outcome| match outcome {
        Ok(response) => format!("`{response}`"),
        Err(error) => format!("`refused: {error}`"),
    };
    Difference::new(class, format!("expected {}, came {}", say(expected), say(got))).into()
}
