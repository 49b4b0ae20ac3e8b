//! The promises of the model, as checks over a world.

use std::collections::BTreeMap;

use seedbed_sim::check::{Always, Eventually};
use seedbed_sim::fault::Kind;
use seedbed_sim::nemesis::Config;
use seedbed_sim::time::Span;
use seedbed_sim::world::World;

use super::client::longest;
use super::data::Data;
use super::indexer::Indexer;
use super::judge::Ghost;
use super::keyspace::{Side, Status};
use super::model::Stream;
use super::op::{Key, Value, Vb};
use super::router::Router;
use super::server::Server;
use super::settings::Settings;

/// W1, of the reader.
pub const SPLITS: &str = "whatever pieces the bytes come in, the frames are those that were sent";
/// W1, of the end.
pub const AFTER_END: &str = "nothing is handed on after the end of its connection was told";
/// W2.
pub const BAD_FRAME: &str = "a frame that cannot be read ends its connection";
/// S1.
pub const IN_ORDER: &str = "messages of a vbucket arrive in the order in which they were sent";
/// S2.
pub const WITHIN_STREAM: &str =
    "nothing is handed on outside of a stream that is open on its connection";
/// S3.
pub const UNBROKEN: &str = "a stream is whole from its begin to its end, or is told to be broken";
/// S4.
pub const BLAME: &str =
    "the end of a connection is told once, with exactly the streams that it breaks";
/// S5.
pub const ONCE: &str = "no message of a stream and no mutation comes twice";
/// S6.
pub const ISOLATED: &str = "what befalls a connection closes no other";
/// S7.
pub const FENCED: &str = "what is of an older session has no effect";
/// S8.
pub const BEGINS_AGAIN: &str = "every vbucket that is wanted comes to have its stream";
/// S8, the other side of it.
pub const PATIENT: &str = "a stream that may still begin is not asked for again";
/// S8, of when.
pub const LOOKED_AFTER: &str = "streams that are not well are looked at in time";
/// S9.
pub const HEALTHY: &str = "a peer that is well is not given up";
/// S9, the other side of it.
pub const HEARD: &str = "a peer that says nothing any more is given up in time";
/// S6, of delay.
pub const TURNS: &str = "readers that wait for room take turns";
/// S10.
pub const CONTROL: &str = "whoever is asked goes on to listen while he answers";
/// S10, of senders.
pub const GOES_ON: &str = "a sender that waits for room goes on when there is room";
/// S10, of what waits.
pub const CONTROL_SERVED: &str = "orders, errors and senders do not wait for ever behind mutations";
/// S11.
pub const NO_LEAK: &str = "a connection that is not read any more is closed";
/// S11, of the client.
pub const CLOSE_TELLS: &str = "a close sends what was accepted, or says how much it did not";
/// D1.
pub const IN_SNAPSHOT: &str = "every mutation lies in the last snapshot";
/// D2.
pub const WELL_FORMED: &str = "a stream is asked for from within the snapshot that is named";
/// D3.
pub const RESTART_POINT: &str = "a stream is asked for from no later than what there is";
/// D4.
pub const ROLLED_BACK: &str = "a rollback leaves nothing behind the number that it goes back to";
/// D5.
pub const SAME: &str = "the indexes come to be what the documents are";
/// D5, of crashes.
pub const DURABLE: &str = "what is in the indexes comes to be on disk";
/// D6.
pub const ACKS: &str = "no more is acknowledged than was sent";
/// D6, the other side of it.
pub const ACKED: &str = "what is taken in comes to be acknowledged";
/// X1.
pub const ONE_OWNER: &str = "every vbucket that is wanted comes to be streamed by its owner alone";
/// X2.
pub const STABLE_GROWS: &str = "what is stable never becomes less";
/// X3.
pub const SATISFIABLE: &str = "what is stable is there to be taken";
/// X5.
pub const KEYSPACES_APART: &str = "streams of one keyspace are begun and ended by no other";

/// Those that are looked after in every step.
const NUMBERED: [&str; 26] = [
    SPLITS,
    AFTER_END,
    BAD_FRAME,
    IN_ORDER,
    WITHIN_STREAM,
    UNBROKEN,
    BLAME,
    ONCE,
    ISOLATED,
    FENCED,
    PATIENT,
    LOOKED_AFTER,
    TURNS,
    GOES_ON,
    HEALTHY,
    HEARD,
    CONTROL,
    CLOSE_TELLS,
    IN_SNAPSHOT,
    WELL_FORMED,
    RESTART_POINT,
    ROLLED_BACK,
    ACKS,
    STABLE_GROWS,
    SATISFIABLE,
    KEYSPACES_APART,
];

/// The bit that stands for a promise.
pub(super) const fn bit(name: &str) -> u32 {
    let mut number = 0;
    while !are_equal(NUMBERED[number].as_bytes(), name.as_bytes()) {
        number += 1;
    }
    1 << number
}

const fn are_equal(one: &[u8], other: &[u8]) -> bool {
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

/// A check that says what the first one has found.
macro_rules! told {
    ($name:expr) => {
        Always { name: $name, check: |_, ghost, _| ghost.verdict(const { bit($name) }) }
    };
}

/// The first check takes in what the step says about what a scenario promises.
macro_rules! heard {
    ($promised:expr) => {
        Always {
            name: SPLITS,
            check: |world, ghost, step| {
                ghost.observe(world, step, $promised);
                ghost.verdict(const { bit(SPLITS) })
            },
        }
    };
}

/// A check of what streams carry, where no bit has flipped.
macro_rules! unless_altered {
    ($check:ident) => {
        |world, ghost| if world.seen(Kind::Flip) > 0 { Ok(()) } else { $check(world, ghost) }
    };
}

/// Promises after every step, whatever happens.
pub static ALWAYS: &[Always<Stream>] = &[
    heard!(ALWAYS),
    told!(AFTER_END),
    told!(IN_ORDER),
    told!(WITHIN_STREAM),
    told!(UNBROKEN),
    told!(BLAME),
    told!(ONCE),
    told!(ISOLATED),
    told!(FENCED),
    told!(PATIENT),
    told!(LOOKED_AFTER),
    told!(TURNS),
    told!(GOES_ON),
    told!(HEARD),
    told!(CLOSE_TELLS),
    told!(IN_SNAPSHOT),
    told!(WELL_FORMED),
    told!(RESTART_POINT),
    told!(ROLLED_BACK),
    told!(ACKS),
    told!(STABLE_GROWS),
    told!(SATISFIABLE),
    told!(KEYSPACES_APART),
];

/// Those where nothing befalls connections, and nobody need be given up.
pub static ALWAYS_CALM: &[Always<Stream>] = &[
    heard!(ALWAYS_CALM),
    told!(AFTER_END),
    told!(IN_ORDER),
    told!(WITHIN_STREAM),
    told!(UNBROKEN),
    told!(BLAME),
    told!(ONCE),
    told!(FENCED),
    told!(PATIENT),
    told!(LOOKED_AFTER),
    told!(TURNS),
    told!(GOES_ON),
    told!(CONTROL),
    told!(HEALTHY),
    told!(CLOSE_TELLS),
    told!(IN_SNAPSHOT),
    told!(WELL_FORMED),
    told!(RESTART_POINT),
    told!(ACKS),
    told!(STABLE_GROWS),
    told!(SATISFIABLE),
    told!(KEYSPACES_APART),
];

/// Those where bytes may be altered.
pub static ALWAYS_WIRE: &[Always<Stream>] = &[
    heard!(ALWAYS_WIRE),
    told!(AFTER_END),
    told!(BAD_FRAME),
    told!(BLAME),
    told!(ISOLATED),
    told!(HEARD),
    told!(UNBROKEN),
    told!(IN_ORDER),
    told!(WITHIN_STREAM),
    told!(ONCE),
    told!(FENCED),
    told!(KEYSPACES_APART),
];

/// Promises that come true once the trouble has ended.
pub const EVENTUALLY: &[Eventually<Stream>] = &[
    Eventually { name: CONTROL_SERVED, check: control_served, bound: settled },
    Eventually { name: NO_LEAK, check: no_leak, bound: settled },
    Eventually { name: ACKED, check: acked, bound: settled },
    Eventually { name: BEGINS_AGAIN, check: begins_again, bound: settled },
    Eventually { name: ONE_OWNER, check: one_owner, bound: settled },
    Eventually { name: SAME, check: same, bound: settled },
    Eventually { name: DURABLE, check: durable, bound: settled },
];

/// Those where bytes may be altered, after which streams may be anything: what they carry is promised only until then.
pub const EVENTUALLY_WIRE: &[Eventually<Stream>] = &[
    Eventually { name: CONTROL_SERVED, check: control_served, bound: settled },
    Eventually { name: NO_LEAK, check: no_leak, bound: settled },
    Eventually { name: DURABLE, check: durable, bound: settled },
    Eventually { name: ACKED, check: unless_altered!(acked), bound: settled },
    Eventually { name: BEGINS_AGAIN, check: unless_altered!(begins_again), bound: settled },
    Eventually { name: ONE_OWNER, check: unless_altered!(one_owner), bound: settled },
    Eventually { name: SAME, check: unless_altered!(same), bound: settled },
];

/// The data.
pub(super) fn data(world: &World<Stream>) -> Option<&Data> {
    world.actors().iter().find_map(|actor| match actor {
        Stream::Data(data) => Some(data),
        _ => None,
    })
}

/// The application.
pub(super) fn indexer(world: &World<Stream>) -> Option<&Indexer> {
    world.actors().iter().find_map(|actor| match actor {
        Stream::Indexer(indexer) => Some(indexer),
        _ => None,
    })
}

/// The server of streams.
pub(super) fn server(world: &World<Stream>) -> Option<&Server> {
    world.actors().iter().find_map(|actor| match actor {
        Stream::Server(server) => Some(server),
        _ => None,
    })
}

fn routers(world: &World<Stream>) -> impl Iterator<Item = &Router> {
    world.actors().iter().filter_map(|actor| match actor {
        Stream::Router(router) => Some(router),
        _ => None,
    })
}

fn control_served(world: &World<Stream>, _: &Ghost) -> Result<(), String> {
    if indexer(world).is_some_and(Indexer::is_closing) {
        return Err("the application waits for the server to close".into());
    }
    if let Some(waiting) = server(world).map(Server::waiting).filter(|waiting| *waiting > 0) {
        return Err(format!("{waiting} frames and errors wait in the server"));
    }
    if routers(world).any(Router::is_stuck) {
        return Err("a router waits for a connection that has room".into());
    }
    Ok(())
}

fn no_leak(world: &World<Stream>, _: &Ghost) -> Result<(), String> {
    let Some((sockets, read)) = server(world).map(Server::sockets) else { return Ok(()) };
    if sockets != read {
        return Err(format!("{sockets} connections are open at the server, and {read} are read"));
    }
    let forgotten = world.open_conns().find(|(actor, conn)| !match world.actor(*actor) {
        Stream::Server(server) => server.holds(*conn),
        Stream::Router(router) => router.holds(*conn),
        Stream::Data(data) => data.holds(*conn),
        _ => false,
    });
    match forgotten {
        Some((actor, conn)) => {
            let node = world.home(actor).0;
            Err(format!("connection {} is open, and node {node} has forgotten it", conn.0))
        }
        None => Ok(()),
    }
}

/// What is in the indexes outlives a crash.
fn durable(world: &World<Stream>, _: &Ghost) -> Result<(), String> {
    let Some(indexer) = indexer(world).filter(|indexer| indexer.is_loaded()) else {
        return Err("the indexes are not loaded".into());
    };
    match indexer.not_durable() {
        None => Ok(()),
        Some((keyspace, which)) => Err(format!("index {which} of {keyspace} is not on disk")),
    }
}

fn acked(world: &World<Stream>, _: &Ghost) -> Result<(), String> {
    match data(world).and_then(Data::unacknowledged) {
        None => Ok(()),
        Some(n) => Err(format!("{n} messages of data are not acknowledged")),
    }
}

/// The keyspaces that are wanted, and their vbuckets.
fn wanted(world: &World<Stream>) -> Result<Vec<(&Side, Vb)>, String> {
    let indexer = indexer(world).filter(|indexer| indexer.is_loaded());
    let Some(indexer) = indexer else { return Err("the indexes are not loaded".into()) };
    let sides = indexer.sides.values().filter(|side| side.is_wanted);
    let vbs = sides.flat_map(|side| {
        let vb = |number: &u16| Vb { keyspace: side.keyspace, number: *number };
        side.vbs.keys().map(move |number| (side, vb(number)))
    });
    Ok(vbs.collect())
}

fn begins_again(world: &World<Stream>, _: &Ghost) -> Result<(), String> {
    for (side, vb) in wanted(world)? {
        let track = &side.vbs[&vb.number];
        if track.status != Status::Begun || track.count != 1 {
            return Err(format!("{vb} is {:?}, begun {} times", track.status, track.count));
        }
        if !side.rollbacks.is_empty() {
            return Err(format!("{} waits for a rollback", side.keyspace));
        }
    }
    Ok(())
}

fn one_owner(world: &World<Stream>, _: &Ghost) -> Result<(), String> {
    let (Some(data), Some(server)) = (data(world), server(world)) else { return Ok(()) };
    for (side, vb) in wanted(world)? {
        let Some(owner) = data.store(vb).map(|store| store.owner) else { continue };
        let fed: Vec<(u8, u64)> = data.fed(vb).collect();
        if fed != [(owner, side.session)] {
            return Err(format!("{vb} of {owner} is streamed to {fed:?} in {}", side.session));
        }
        let active = routers(world).map(|router| router.active(vb.keyspace, vb.number));
        let active: Vec<Option<u64>> = active.collect();
        if active[usize::from(owner)] != Some(side.session)
            || active[usize::from(1 - owner)].is_some_and(|session| session == side.session)
        {
            return Err(format!("{vb} of {owner} is active at {active:?}"));
        }
        let open = server.brackets().open().iter();
        let open = open.filter(|open| open.vb == vb && open.session == side.session).count();
        if open != 1 {
            return Err(format!("{vb} is open on {open} connections"));
        }
    }
    Ok(())
}

fn same(world: &World<Stream>, _: &Ghost) -> Result<(), String> {
    let (Some(data), Some(indexer)) = (data(world), indexer(world)) else { return Ok(()) };
    for (side, vb) in wanted(world)? {
        let Some(store) = data.store(vb) else { continue };
        let fits = |value: &Value| usize::from(value.length) <= longest(&indexer.settings, vb);
        let mut expected = store.content();
        expected.retain(|_, value| fits(value));
        for (index, which) in side.indexes.iter().zip(0..) {
            let of_vb = index.documents.range((vb.number, Key(0))..=(vb.number, Key(u8::MAX)));
            let held = of_vb.map(|((_, key), (_, value))| (*key, *value));
            if !held.clone().eq(expected.iter().map(|(key, value)| (*key, *value))) {
                let held: BTreeMap<Key, Value> = held.collect();
                let keys = held.keys().chain(expected.keys());
                let key = keys.copied().find(|key| held.get(key) != expected.get(key));
                let key = key.unwrap_or(Key(0));
                let say = |value: Option<&Value>| {
                    value.map_or_else(|| "nothing".to_string(), Value::to_string)
                };
                let (held, expected) = (say(held.get(&key)), say(expected.get(&key)));
                return Err(format!("{vb} {key} is {held} in index {which}, not {expected}"));
            }
        }
    }
    Ok(())
}

/// The ladder is climbed twice at most once the trouble has ended, after the last silence is noticed and the last message
/// that was late has come.
fn settled(config: &Config) -> Span {
    let settings = Settings::of(config);
    let noticed = settings.deadline.0 + settings.suicide.0;
    Span(noticed + 8 * settings.escalate.0 + 4 * settings.stable.0 + Span::secs(5).0)
}
