//! The verbs of transcripts: bytes and frames, the rollback rule, and one vbucket of data, without actors.
//!
//! | verb | what it does | for example |
//! |---|---|---|
//! | `limit N [seed-era]` | a new reader and writer, of payloads of at most N bytes | `limit 64` |
//! | `frame HEX` | the bytes of a frame with this payload | `frame 636974696573` |
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

use std::fmt::Write;

use seedbed_sim::campaign::transcript::Verbs;

use super::failover::{Answer, FailoverLog, Request};
use super::frame::{self, Limits, Reader};
use super::op::{Key, Point, Value, Vb};
use super::payload::{Entry, Message, Payload, What};
use super::store::{Sizes, Snapshot, Store};

/// A desk with a reader, a log of branches and a vbucket.
#[derive(Clone, Debug)]
pub struct Desk {
    limits: Limits,
    reader: Reader,
    log: FailoverLog,
    high: u64,
    purge: u64,
    store: Store,
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
        }
    }
}

const VERBS: &str = "limit, frame, sync, batch, feed, end, log, high, ask, branch, store, put, del, next, fail, purge";

impl Verbs for Desk {
    fn run(&mut self, command: &str) -> Result<String, String> {
        let words: Vec<&str> = command.split(' ').collect();
        match words[..] {
            ["limit", max] => self.limit(max, false),
            ["limit", max, "seed-era"] => self.limit(max, true),
            ["frame", hex] => self.frame(&bytes(hex)?),
            ["sync"] => self.payload(&Payload::Sync),
            ["batch", vb, session, ..] => {
                let (vb, session) = (vb.parse()?, number(session)?);
                let rest = command.splitn(4, ' ').nth(3).unwrap_or_default();
                self.batch(vb, session, rest)
            }
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
            _ => Err(format!("expected one of {VERBS}; found `{command}`")),
        }
    }
}

impl Desk {
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

    fn batch(&self, vb: Vb, session: u64, text: &str) -> Result<String, String> {
        let messages = text.split("; ").zip(1..).map(|(text, index)| {
            let what = message(text)?;
            Ok(Message { index, what })
        });
        let messages = messages.collect::<Result<Vec<Message>, String>>()?;
        if messages.len() > usize::from(u8::MAX) {
            return Err(format!("expected at most 255 messages, found {}", messages.len()));
        }
        self.payload(&Payload::Batch(vec![Entry { vb, session, messages }]))
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
            ["strict"] => request.strict_uuid = true,
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
                let small = |text: &str| {
                    let small = number(text)?.clamp(1, 1_000);
                    usize::try_from(small).map_err(|error| error.to_string())
                };
                let sizes = Sizes { items: small(items)?, closed: small(closed)?, branches: 3 };
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

fn message(text: &str) -> Result<What, String> {
    let words: Vec<&str> = text.split(' ').collect();
    match words[..] {
        ["begin", uuid] => {
            let uuid = number(uuid)?;
            Ok(What::Begin(uuid, FailoverLog { entries: vec![(uuid, 0)] }))
        }
        ["snapshot", start, end] => Ok(What::Snapshot(number(start)?, number(end)?, false)),
        ["upsert", seq, key, write] => {
            let write = write.parse().map_err(|_| format!("expected a write, found `{write}`"))?;
            Ok(What::Upsert(number(seq)?, key.parse()?, Value { write, length: 0 }))
        }
        ["delete", seq, key] => Ok(What::Delete(number(seq)?, key.parse()?)),
        ["end", seq] => Ok(What::End(number(seq)?)),
        _ => Err(format!("expected begin, snapshot, upsert, delete or end; found `{text}`")),
    }
}

fn branch(text: &str) -> Result<(u64, u64), String> {
    let (uuid, after) = text
        .split_once('@')
        .ok_or_else(|| format!("expected a branch such as 7@3, found `{text}`"))?;
    Ok((number(uuid)?, number(after)?))
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("expected a whole number, found `{text}`"))
}

fn bytes(hex: &str) -> Result<Vec<u8>, String> {
    let wrong = || format!("expected bytes as hex digits, found `{hex}`");
    if !hex.is_ascii() || !hex.len().is_multiple_of(2) {
        return Err(wrong());
    }
    let pairs = (0..hex.len()).step_by(2);
    pairs.map(|at| u8::from_str_radix(&hex[at..at + 2], 16).map_err(|_| wrong())).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
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

    proptest! {
        #![proptest_config(Config {
            cases: 500, failure_persistence: None, rng_seed: RngSeed::Fixed(4151), ..Config::default()
        })]

        #[test]
        fn no_order_of_commands_panics(
            commands in vec(("(limit|feed|frame|ask|put|next|fail|log|high|store|del|purge|branch|end)", "( [0-9ak@]{0,5}){0,5}"), 0..20)
        ) {
            let mut desk = Desk::default();
            for (verb, rest) in commands {
                let _ = desk.run(&format!("{verb}{rest}"));
            }
        }
    }
}
