//! The verbs of transcripts: bytes and frames, the rollback rule, and one vbucket of data, without actors.
//!
//! | verb | what it does | for example |
//! |---|---|---|
//! | `limit N [seed-era]` | a new reader and writer, of payloads of at most N bytes | `limit 64` |
//! | `frame [HEX]` | the bytes of a frame with this payload | `frame 636974696573` |
//! | `sync` | the same of a payload that says nothing | `sync` |
//! | `batch VB SESSION MESSAGE[; MESSAGE]..` | the bytes of a frame with messages: `begin UUID`, `snapshot START END`, `upsert SEQ KEY WRITE`, `delete SEQ KEY`, `end SEQ` | `batch a/2 7 begin 1; upsert 1 k1 5` |
//! | `feed HEX` | the reader takes these bytes: what comes out | `feed 0000000110106300` |
//! | `end` | the bytes have come to their end | `end` |
//! | `log UUID@SEQ..` | the branches of a vbucket, the newest first | `log 2222@3 1111@0` |
//! | `high N [purge M]` | how far the vbucket has come, and the last tombstone that it forgot | `high 300` |
//! | `ask UUID START FROM TO [strict] [purge N]` | what a consumer is told that has this | `ask 1111 3 1 4` |
//! | `branch UUID SEQ` | a branch begins | `branch 3333 5` |
//! | `store ITEMS CLOSED` | a new vbucket, of so many mutations a checkpoint and closed checkpoints | `store 3 1` |
//! | `put KEY..` | documents are written | `put k1 k2 k1` |
//! | `del KEY` | a document is deleted | `del k1` |
//! | `next SEQ [first]` | the snapshot that a stream is given next | `next 0 first` |
//! | `fail N` | a failover that loses so many mutations | `fail 1` |
//! | `purge` | tombstones are forgotten | `purge` |
//! | `enqueue SEQ..` | mutations are taken in | `enqueue 1 1 2` |
//! | `dequeue SEQ` | all of them up to there go on, if they have come | `dequeue 1` |
//! | `producer N BATCH QUEUE [all-fail]` | a producer of N connections, batches of so many messages and queues of so many | `producer 2 4 4` |
//! | `open SLOT` | a connection is open, and takes all bytes | `open 0` |
//! | `room SLOT N` | it takes N bytes more, and then none | `room 0 20` |
//! | `send VB SESSION MESSAGE[; MESSAGE]..` | the producer is given messages | `send a/2 7 begin 1; snapshot 1 2` |
//! | `lost SLOT` | a connection has come to its end | `lost 0` |
//! | `redial` | what has failed is dialled again | `redial` |
//! | `wire SLOT` | the bytes that it has taken since | `wire 0` |
//! | `close` | the producer closes | `close` |
//! | `consumer QUEUE AHEAD` | a consumer with a queue of so many frames, of an application that takes so many ahead | `consumer 4 2` |
//! | `accept CONN LIFE SLOT [ROUTER]` | a connection comes, and says whose it is | `accept 1 1 0` |
//! | `says CONN VB SESSION MESSAGE[; MESSAGE]..` | messages come over it | `says 1 a/2 7 begin 1` |
//! | `hears CONN HEX` | bytes come over it | `hears 1 000000` |
//! | `fin CONN` | it is closed by its other end | `fin 1` |
//! | `reset CONN` | it is reset | `reset 1` |
//! | `take` | the application takes one | `take` |
//! | `shut` | the application has the consumer close | `shut` |
//! | `repair SECONDS` | an application with two vbuckets of each of a and a1, whose repair is stronger after so long | `repair 3` |
//! | `stand INDEX VB SEQ` | an index has all up to there | `stand 0 a/2 10` |
//! | `session KEYSPACE` | a new session | `session a` |
//! | `given CONN VB SESSION MESSAGE[; MESSAGE]..` | the consumer hands messages over | `given 1 a/2 65537 begin 1` |
//! | `broken CONN VB..` | the consumer tells the end of a connection, and what it breaks | `broken 1 a/2` |
//! | `told ROUTER VB SESSION ATTEMPT ANSWER` | a router answers `active`, `failed` or `rollback SEQ` | `told 0 a/2 65537 1 active` |
//! | `track VB` | how a vbucket stands | `track a/2` |
//! | `loopback N VBUCKETS` | a producer and a consumer, joined by N connections, with so many streams | `loopback 2 64` |
//! | `round MUTATIONS` | so many are sent, vbucket by vbucket: how many arrive | `round 1600` |
//! | `wait MS` | so long passes for who was made last: producer, consumer or application | `wait 100` |

use std::fmt::Write;

use seedbed_sim::campaign::transcript::Verbs;
use seedbed_sim::time::Span;

use super::client::CONNECTIONS_MAX;
use super::failover::{Answer, FailoverLog, Request};
use super::frame::{self, Limits, Reader};
use super::loopback::Loopback;
use super::op::{Key, Point, Value};
use super::payload::{Entry, Message, Payload};
use super::queue::MutationQueue;
use super::store::{Mutation, Sizes, Snapshot, Store};
use consumer::Consumer;
use producer::Producer;
use repair::Repair;
use words::{branch, bytes, entry, hex, number, small};

mod consumer;
mod producer;
mod repair;
mod words;

/// More streams are a slip of the pen.
const STREAMS_MAX: u16 = 1_024;
/// More mutations of each stream are, too.
const ROUND_MAX: u32 = 10_000;

/// The longest wait, in milliseconds: who is not well looks twenty times a second, and each look is told.
const WAIT_MAX: u64 = 3_600_000;

/// A desk with a reader, a log of branches, a vbucket and a queue; and with a producer, a consumer or an application.
#[derive(Clone, Debug)]
pub struct Desk {
    limits: Limits,
    reader: Reader,
    log: FailoverLog,
    high: u64,
    purge: u64,
    store: Store,
    queue: MutationQueue,
    player: Player,
}

/// Who was made last.
#[derive(Clone, Debug)]
enum Player {
    Nobody,
    Producer(Producer),
    Consumer(Consumer),
    Repair(Repair),
    Loopback(Box<Loopback>),
}

impl Default for Desk {
    fn default() -> Desk {
        let limits = Limits { payload_max: 1_024, seed_era: false };
        Desk {
            limits,
            reader: Reader::new(limits),
            log: FailoverLog::default(),
            high: 0,
            purge: 0,
            store: Store::new(0, 1, Sizes { items: 3, closed: 1, branches: 3 }),
            queue: MutationQueue::default(),
            player: Player::Nobody,
        }
    }
}

const VERBS: &str = "limit, frame, sync, batch, feed, end, log, high, ask, branch, store, put, del, next, fail, purge, \
                     enqueue, dequeue, producer, open, room, send, lost, redial, wire, close, consumer, accept, says, \
                     hears, fin, reset, take, shut, repair, stand, session, given, broken, told, track, loopback, round, wait";

impl Verbs for Desk {
    fn run(&mut self, command: &str) -> Result<String, String> {
        let words: Vec<&str> = command.split(' ').collect();
        match words[..] {
            ["limit", max] => self.limit(max, false),
            ["limit", max, "seed-era"] => self.limit(max, true),
            ["frame"] => self.frame(&[]),
            ["frame", hex] => self.frame(&bytes(hex)?),
            ["sync"] => self.payload(&Payload::Sync),
            ["batch", ..] => self.batch(&words),
            ["feed", hex] => self.feed(&bytes(hex)?),
            ["end"] => Ok(self.reader.end().map_or_else(|e| e.to_string(), |()| "clean".into())),
            ["log", ref entries @ ..] => {
                let entries = entries.iter().map(|entry| branch(entry));
                self.log = FailoverLog { entries: entries.collect::<Result<_, _>>()? };
                Ok(self.say_log())
            }
            ["high", high] => self.has_got_to(high, "0"),
            ["high", high, "purge", purge] => self.has_got_to(high, purge),
            ["ask", uuid, start, from, to, ref rest @ ..] => {
                self.ask([uuid, start, from, to], rest)
            }
            ["branch", uuid, after] => {
                self.log.branch(number(uuid)?, number(after)?, 3);
                Ok(self.say_log())
            }
            ["store" | "put" | "del" | "next" | "fail" | "purge", ..] => self.of_store(&words),
            ["enqueue", ref seqs @ ..] => self.enqueue(seqs),
            ["dequeue", seq] => Ok(self.dequeue(number(seq)?)),
            ["producer" | "consumer" | "repair" | "loopback", ..] => self.starts(&words),
            ["round", mutations] => self.round(small(mutations)?),
            ["wait", ms] => match small(ms)? {
                ms @ 0..=WAIT_MAX => Ok(self.wait(Span::ms(ms))),
                _ => Err(format!("expected at most {WAIT_MAX} milliseconds, found `{ms}`")),
            },
            [verb, ..] if is_played(verb) => match &mut self.player {
                Player::Producer(player) if producer::VERBS.contains(&verb) => player.run(&words),
                Player::Consumer(player) if consumer::VERBS.contains(&verb) => player.run(&words),
                Player::Repair(player) if repair::VERBS.contains(&verb) => player.run(&words),
                _ => Err(format!("nobody is here for `{verb}`")),
            },
            _ => Err(format!("expected one of {VERBS}; found `{command}`")),
        }
    }
}

/// Whether a verb is for a producer, a consumer or an application.
fn is_played(verb: &str) -> bool {
    producer::VERBS.contains(&verb)
        || consumer::VERBS.contains(&verb)
        || repair::VERBS.contains(&verb)
}

impl Desk {
    fn starts(&mut self, words: &[&str]) -> Result<String, String> {
        let (player, said) = match *words {
            ["producer", n, batch, queue, ref rest @ ..] if rest.len() < 2 => {
                let all_fail = match rest.first() {
                    None => false,
                    Some(word) if *word == "all-fail" => true,
                    Some(word) => return Err(format!("expected all-fail, found `{word}`")),
                };
                let sizes = (small(n)?, small(batch)?, small(queue)?);
                let (producer, said) = Producer::new(sizes, all_fail);
                (Player::Producer(producer), said)
            }
            ["consumer", queue, ahead] => {
                let (queue, ahead) = (small(queue)?, small(ahead)?);
                if queue == 0 || ahead == 0 {
                    return Err("expected room for at least one frame on either side".into());
                }
                let (consumer, said) = Consumer::new(queue, ahead);
                (Player::Consumer(consumer), said)
            }
            ["repair", seconds] => {
                let (repair, said) = Repair::new(small::<u16>(seconds)?.into());
                (Player::Repair(repair), said)
            }
            ["loopback", n, vbuckets] => {
                let (n, vbuckets) = (small(n)?, small(vbuckets)?);
                if n == 0 || n > CONNECTIONS_MAX {
                    return Err(format!(
                        "expected 1 to {CONNECTIONS_MAX} connections, found `{n}`"
                    ));
                }
                if vbuckets > STREAMS_MAX {
                    return Err(format!(
                        "expected at most {STREAMS_MAX} streams, found `{vbuckets}`"
                    ));
                }
                let said = format!("{vbuckets} streams on {n} connections");
                (Player::Loopback(Box::new(Loopback::new(n, vbuckets))), said)
            }
            _ => return Err(format!("expected another form of `{}`", words[0])),
        };
        self.player = player;
        Ok(said)
    }

    fn round(&mut self, mutations: u32) -> Result<String, String> {
        let Player::Loopback(loopback) = &mut self.player else {
            return Err("nobody is here for `round`".into());
        };
        if mutations > ROUND_MAX {
            return Err(format!("expected at most {ROUND_MAX} mutations, found `{mutations}`"));
        }
        let arrived = loopback.run(mutations);
        let how = if loopback.is_as_sent() { "as they were sent" } else { "not as they were sent" };
        Ok(format!("{arrived} of {mutations} arrive, {how}"))
    }

    fn wait(&mut self, span: Span) -> String {
        match &mut self.player {
            Player::Nobody | Player::Loopback(_) => "nobody waits".into(),
            Player::Producer(producer) => producer.wait(span),
            Player::Consumer(consumer) => consumer.wait(span),
            Player::Repair(repair) => repair.wait(span),
        }
    }

    fn enqueue(&mut self, seqs: &[&str]) -> Result<String, String> {
        for seq in seqs {
            let seq = number(seq)?;
            if seq < self.queue.last() {
                return Err(format!("expected {} or more, found `{seq}`", self.queue.last()));
            }
            self.queue.push(Mutation { seq, key: Key(0), value: None });
        }
        Ok(format!("{} wait", self.queue.len()))
    }

    fn dequeue(&mut self, upto: u64) -> String {
        let Some(taken) = self.queue.take_upto(upto) else { return "not yet".into() };
        let taken: Vec<String> = taken.map(|mutation| mutation.seq.to_string()).collect();
        format!("{}; {} wait", taken.join(" "), self.queue.len())
    }

    fn limit(&mut self, max: &str, seed_era: bool) -> Result<String, String> {
        let payload_max = max.parse().map_err(|_| format!("expected a length, found `{max}`"))?;
        self.limits = Limits { payload_max, seed_era };
        self.reader = Reader::new(self.limits);
        Ok(format!("payloads of at most {payload_max} bytes"))
    }

    fn frame(&self, payload: &[u8]) -> Result<String, String> {
        let mut into = Vec::new();
        Ok(match frame::append(payload, self.limits, &mut into) {
            Ok(()) => hex(&into),
            Err(error) => error.to_string(),
        })
    }

    fn payload(&self, payload: &Payload) -> Result<String, String> {
        let mut bytes = Vec::new();
        payload.encode(&mut bytes);
        self.frame(&bytes)
    }

    fn batch(&self, words: &[&str]) -> Result<String, String> {
        let [vb, session, ref text @ ..] = words[1..] else {
            return Err(format!(
                "expected `batch VB SESSION MESSAGE..`, found `{}`",
                words.join(" ")
            ));
        };
        self.payload(&Payload::Batch(vec![entry(vb, session, &text.join(" "))?]))
    }

    fn feed(&mut self, bytes: &[u8]) -> Result<String, String> {
        let (mut rest, mut lines) = (bytes, Vec::new());
        loop {
            match self.reader.take(&mut rest) {
                Ok(Some(payload)) => lines.push(match Payload::decode(payload) {
                    Ok(payload) => say(&payload),
                    Err(_) => format!("frame {}: unreadable payload", hex(payload)),
                }),
                Ok(None) => break,
                Err(error) => {
                    lines.push(error.to_string());
                    break;
                }
            }
        }
        if lines.is_empty() {
            lines.push(format!("{} bytes of a frame", self.reader.unfinished()));
        }
        Ok(lines.join("\n"))
    }

    fn say_log(&self) -> String {
        let entries = self.log.entries.iter().map(|(uuid, after)| format!("{uuid}@{after}"));
        entries.collect::<Vec<_>>().join(" ")
    }

    fn has_got_to(&mut self, high: &str, purge: &str) -> Result<String, String> {
        (self.high, self.purge) = (number(high)?, number(purge)?);
        Ok(format!("high {}, purge {}", self.high, self.purge))
    }

    fn ask(&self, words: [&str; 4], rest: &[&str]) -> Result<String, String> {
        let [uuid, seq, snap_start, snap_end] = words.map(number);
        let from = Point { seq: seq?, uuid: uuid?, snap_start: snap_start?, snap_end: snap_end? };
        let mut request = Request { from, end: u64::MAX, strict_uuid: false, remote_purge: 0 };
        match *rest {
            [] => {}
            _ if rest == ["strict"] => request.strict_uuid = true,
            ["purge", purge] => request.remote_purge = number(purge)?,
            _ => return Err(format!("expected strict or purge N, found `{}`", rest.join(" "))),
        }
        Ok(match self.log.answer(&request, self.high, self.purge) {
            Answer::Ok => "ok".into(),
            Answer::Rollback(seq) => format!("rollback {seq}"),
            Answer::OutOfRange => "out of range".into(),
        })
    }

    fn of_store(&mut self, words: &[&str]) -> Result<String, String> {
        match *words {
            ["store", items, closed] => {
                let few = |text: &str| small::<u8>(text).map(|few| usize::from(few.max(1)));
                let sizes = Sizes { items: few(items)?, closed: few(closed)?, branches: 3 };
                self.store = Store::new(0, 1, sizes);
                Ok("empty".into())
            }
            ["put", ref keys @ ..] => {
                for key in keys {
                    let key: Key = key.parse()?;
                    let write = u32::try_from(self.store.high + 1).unwrap_or(u32::MAX);
                    self.store.write(key, Some(Value { write, length: 0 }));
                }
                Ok(format!("high {}", self.store.high))
            }
            ["del", key] => {
                let key = key.parse()?;
                Ok(format!("high {}", self.store.write(key, None)))
            }
            ["next", seq] => Ok(say_snapshot(self.store.next(number(seq)?, false))),
            ["next", seq, "first"] => Ok(say_snapshot(self.store.next(number(seq)?, true))),
            ["fail", lost] => {
                let uuid = self.store.log.newest().saturating_add(1);
                self.store.fail_over(1, uuid, number(lost)?);
                Ok(format!("high {}, branch {uuid}", self.store.high))
            }
            ["purge"] => {
                self.store.purge();
                Ok("purged".into())
            }
            _ => Err(format!("expected one of {VERBS}; found `{}`", words.join(" "))),
        }
    }
}

fn say(payload: &Payload) -> String {
    match payload {
        Payload::Hello(peer) => format!("hello: {peer}"),
        Payload::Sync => "sync".into(),
        Payload::Alive => "alive".into(),
        Payload::Batch(entries) => {
            let mut text = "batch".to_string();
            for Entry { vb, session, messages } in entries {
                let messages: Vec<String> = messages.iter().map(Message::to_string).collect();
                let _ = write!(text, ", {vb} in {session}: {}", messages.join("; "));
            }
            text
        }
    }
}

fn say_snapshot(snapshot: Result<Option<Snapshot>, super::store::Forgotten>) -> String {
    let snapshot = match snapshot {
        Err(super::store::Forgotten) => return "forgotten".into(),
        Ok(None) => return "nothing more".into(),
        Ok(Some(snapshot)) => snapshot,
    };
    let source = if snapshot.disk { "disk" } else { "memory" };
    let mut text = format!("{}..{} of {source}:", snapshot.start, snapshot.end);
    for item in snapshot.items {
        let gone = if item.value.is_none() { " gone" } else { "" };
        let _ = write!(text, " {} {}{gone},", item.seq, item.key);
    }
    text.trim_end_matches([',', ':']).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::test_runner::{Config, RngSeed};

    #[test]
    fn what_is_written_is_read_and_what_is_wrong_is_said() {
        let mut desk = Desk::default();
        let mut run = |command: &str| desk.run(command).expect(command);
        let frame = run("batch a1/12 7 begin 1; upsert 3 k1 5");
        let (front, rest) = frame.split_at(20);
        assert_eq!(run(&format!("feed {front}")), "10 bytes of a frame");
        let said = "batch, a1/12 in 7: 1: begin @1; 2: upsert 3 k1 5";
        assert_eq!(run(&format!("feed {rest}")), said);
        assert_eq!(run("end"), "clean");
        assert_eq!(run("feed 000000000000"), "bad header: no length and no flags");
        for wrong in ["", "frame 1", "feed xx", "ask 1 2 3", "log 1", "put x", "batch a/2 1 x"] {
            let error = Desk::default().run(wrong).expect_err(wrong);
            assert!(error.contains("expected"), "{error}");
        }
    }

    const VERB: &str = "(limit|feed|frame|ask|put|next|fail|log|high|store|del|purge|branch|end|enqueue|dequeue|producer|open|\
                        room|send|lost|redial|wire|close|consumer|accept|says|hears|fin|reset|take|shut|repair|stand|\
                        session|given|broken|told|track|wait)";

    proptest! {
        #![proptest_config(Config {
            cases: 500, failure_persistence: None, rng_seed: RngSeed::Fixed(4151), ..Config::default()
        })]

        #[test]
        fn no_order_of_commands_panics(
            commands in vec((VERB, "( [0-9ak@/]{0,5}){0,5}"), 0..20)
        ) {
            let mut desk = Desk::default();
            for (verb, rest) in commands {
                let _ = desk.run(&format!("{verb}{rest}"));
            }
        }
    }
}
