//! The verbs of transcripts: a reference store, generators, a map and how calls are tried again, without actors.
//!
//! | verb | what it does | example |
//! |---|---|---|
//! | `store N` | an empty store of so many partitions | `store 16` |
//! | `partition KEY` | the partition of a key | `partition a` |
//! | `lock P WHO` | a thread takes the lock of a partition, if it is free | `lock 3 1` |
//! | `unlock P WHO` | and gives it back | `unlock 3 1` |
//! | `at SECOND` | it is this second from here on | `at 100` |
//! | `skew SECONDS` | the clocks of nodes are off by so much at most; `unknown` where they may jump | `skew 3` |
//! | `write KEY CONTENT [flags F] [ttl S]` | a write goes out; answers its number. A blob is `x:` and digits | `write a 7 ttl 2` |
//! | `delete KEY` | so does a deletion | `delete a` |
//! | `ok N` | write N was acknowledged | `ok 1` |
//! | `refused N` | it was not applied | `refused 1` |
//! | `unknown N` | nobody knows | `unknown 1` |
//! | `saw KEY CONTENT [flags F]` | a node has said that this stands there, or `nothing`; whether that can be, and the store learns | `saw a nothing` |
//! | `status KEY` | what is said of a key | `status a` |
//! | `possible KEY` | all that may stand there | `possible a` |
//! | `count` | how many keys have a value; takes no lock | `count` |
//! | `keys P` | the keys of a partition, and what is said of each | `keys 3` |
//! | `pick P WANT N` | a `valid` or `deleted` key of a partition, by a number | `pick 3 valid 17` |
//! | `documents NAME FROM..TO TEMPLATE [seed N] [VALUES]..` | a generator of documents; lists of values are joined by commas | `documents doc 0..3 {{"a":{0}}} 1,2` |
//! | `blobs NAME FROM..TO SEED SIZE` | a generator of blobs | `blobs blob 0..2 7 6` |
//! | `older ITEMS SEED PADDING [FIELD=VALUE]..` | the older generator | `older 2 7 000 a=${prefix}-${seed}` |
//! | `next [N]` | what it makes next, or the next N, 1024 at most | `next 3` |
//! | `reset` | it begins again | `reset` |
//! | `map VBUCKETS NODES [replicas]` | a first map; replicas need two nodes | `map 4 2 replicas` |
//! | `move VB NODE` | the map after a move; a replica stays, or changes places with its master | `move v0 n1` |
//! | `vbucket KEY N` | the vbucket of a key, where there are so many, by its checksum | `vbucket a 1024` |
//! | `call [N*]ANSWER..` | what becomes of a call that is answered like this: `ok`, `tmpfail`, `not-mine` | `call 9*tmpfail ok` |

use std::collections::BTreeMap;

use seedbed_sim::campaign::transcript::Verbs;
use seedbed_sim::time::Span;

use crate::vbucket::op::{Value, Vb};

use super::backoff::{Next, Retries};
use super::content::Content;
use super::crc::vbucket_of;
use super::generator::{BlobGenerator, DocumentGenerator, OlderOptions};
use super::map::{Map, Place};
use super::op::Server;
use super::store::{Deadline, Entry, Held, Item, PARTITIONS, Seen, Status, Store};

/// What lines of text drive.
#[derive(Clone, Debug)]
pub struct Desk {
    store: Store<String>,
    now: u64,
    skew: Option<u64>,
    /// The writes that went out: key, what they make of it, time to live, second.
    writes: BTreeMap<u64, (String, Held, u32, u64)>,
    written: u64,
    generator: Generator,
    map: Map,
}

/// A generator of one of the kinds.
#[derive(Clone, Debug)]
#[expect(deprecated, reason = "the older one stays")]
enum Generator {
    None,
    Documents(DocumentGenerator),
    Blobs(BlobGenerator),
    Older(super::generator::GeneratedDocuments),
}

impl Default for Desk {
    fn default() -> Desk {
        Desk {
            store: Store::new(PARTITIONS),
            now: 0,
            skew: Some(0),
            writes: BTreeMap::new(),
            written: 0,
            generator: Generator::None,
            map: Map::dealt(1, 1, false),
        }
    }
}

impl Verbs for Desk {
    fn run(&mut self, command: &str) -> Result<String, String> {
        let words: Vec<&str> = command.split(' ').collect();
        match words[..] {
            [
                "store" | "partition" | "lock" | "unlock" | "at" | "status" | "possible" | "count"
                | "keys" | "pick" | "skew",
                ..,
            ] => self.look(&words),
            ["write" | "delete" | "ok" | "refused" | "unknown" | "saw", ..] => self.change(&words),
            ["documents" | "blobs" | "older" | "next" | "reset", ..] => self.generate(&words),
            ["map" | "move" | "vbucket" | "call", ..] => self.call(&words),
            _ => Err(unknown(command)),
        }
    }
}

fn unknown(command: &str) -> String {
    format!(
        "expected one of store, partition, lock, unlock, at, skew, write, delete, ok, refused, unknown, saw, status, possible, count, \
         keys, pick, documents, blobs, older, next, reset, map, move, vbucket, call; found `{command}`"
    )
}

impl Desk {
    fn look(&mut self, words: &[&str]) -> Result<String, String> {
        Ok(match *words {
            ["store", partitions] => {
                let partitions = number(partitions)?;
                if partitions == 0 || partitions > MANY {
                    return Err(format!("expected 1 to {MANY} partitions"));
                }
                (self.store, self.writes) = (Store::new(partitions), BTreeMap::new());
                format!("{partitions} partitions")
            }
            ["partition", key] => self.store.partition(&key.to_string()).to_string(),
            ["lock", partition, who] => {
                let is_free = self.store.take(self.partition(partition)?, number(who)?);
                if is_free { "locked" } else { "waits" }.into()
            }
            ["unlock", partition, who] => {
                let (partition, who) = (self.partition(partition)?, number(who)?);
                if self.store.holder(partition) != Some(who) {
                    return Err(format!("{who} does not hold it"));
                }
                self.store.give(partition, who);
                "free".into()
            }
            ["at", second] => {
                self.now = number::<u32>(second)?.into();
                format!("second {second}")
            }
            ["skew", "unknown"] => {
                self.skew = None;
                "clocks may jump".into()
            }
            ["skew", seconds] => {
                self.skew = Some(number(seconds)?);
                format!("clocks are off by {seconds} seconds at most")
            }
            ["status", key] => {
                let status = self.store.status(&key.to_string(), self.now);
                status.map_or("never written".into(), |status| status.to_string())
            }
            ["possible", key] => {
                let entry = self.store.get(&key.to_string());
                let held = entry.into_iter().flat_map(Entry::possible).map(say);
                let held: Vec<String> = held.collect();
                if held.is_empty() { "never written".into() } else { held.join("\n") }
            }
            ["count"] => self.store.count(self.now).to_string(),
            ["keys", partition] => {
                let keys = self.store.keys(self.partition(partition)?, self.now);
                let keys: Vec<String> = keys.map(|(key, s)| format!("{key}: {s}")).collect();
                if keys.is_empty() { "none".into() } else { keys.join("\n") }
            }
            ["pick", partition, want @ ("valid" | "deleted"), draw] => {
                let want = if want == "valid" { Status::Valid } else { Status::Deleted };
                let partition = self.partition(partition)?;
                let found = self.store.pick(partition, want, self.now, number(draw)?);
                found.unwrap_or_else(|| "none".into())
            }
            _ => return Err(unknown(&words.join(" "))),
        })
    }

    fn partition(&self, text: &str) -> Result<usize, String> {
        let partition: usize = number(text)?;
        let most = self.store.partitions();
        if partition < most { Ok(partition) } else { Err(format!("expected less than {most}")) }
    }

    fn change(&mut self, words: &[&str]) -> Result<String, String> {
        match *words {
            ["write", key, content, ref rest @ ..] => {
                let (flags, ttl) = parse_meta(rest)?;
                let until = Deadline::of(ttl, self.now, None, self.skew);
                let content = parse_content(content)?;
                Ok(self.begin(key, Held::Item(Item { content, flags, until }), ttl))
            }
            ["delete", key] => Ok(self.begin(key, Held::Gone, 0)),
            ["saw", key, ref rest @ ..] => self.saw(key, rest),
            [word @ ("ok" | "refused" | "unknown"), write] => {
                let write = number(write)?;
                let gone = self.writes.remove(&write);
                let (key, held, ttl, sent) = gone.ok_or("no such write is open")?;
                let held = match held {
                    Held::Gone => Held::Gone,
                    Held::Item(item) => {
                        let until = Deadline::of(ttl, sent, Some(self.now), self.skew);
                        Held::Item(Item { until, ..item })
                    }
                };
                self.store.change(&key, |entry| match word {
                    "ok" => entry.acknowledged(write, held),
                    "refused" => entry.refused(write),
                    _ => {}
                });
                Ok(self.store.get(&key).map_or(0, |entry| entry.possible().count()))
                    .map(|many| format!("{many} possible"))
            }
            _ => Err(unknown(&words.join(" "))),
        }
    }

    fn begin(&mut self, key: &str, held: Held, ttl: u32) -> String {
        self.written += 1;
        let write = self.written;
        self.store.change(&key.to_string(), |entry| entry.begin(write, held.clone()));
        self.writes.insert(write, (key.into(), held, ttl, self.now));
        format!("write {write}")
    }

    fn saw(&mut self, key: &str, rest: &[&str]) -> Result<String, String> {
        let (content, rest) =
            rest.split_first().ok_or("expected `saw KEY CONTENT flags F`, found no content")?;
        let seen = if *content == "nothing" {
            Seen::Absent
        } else {
            let (content, flags) = (parse_content(content)?, parse_meta(rest)?.0);
            Seen::Found { content, flags, cas: 0 }
        };
        let window = (self.now, self.now);
        let agrees = self.store.change(&key.to_string(), |entry| {
            let agrees = entry.allows(&seen, window);
            entry.learn(&seen, window);
            agrees
        });
        Ok(if agrees { "agrees" } else { "differs" }.into())
    }

    #[expect(deprecated, reason = "the older one stays")]
    fn generate(&mut self, words: &[&str]) -> Result<String, String> {
        match *words {
            ["documents", name, items, template, ref rest @ ..] => {
                let (seed, lists) = match rest {
                    &["seed", seed, ref lists @ ..] => (Some(number(seed)?), lists),
                    lists => (None, lists),
                };
                let list = |text: &&str| text.split(',').map(String::from).collect();
                let lists = lists.iter().map(list).collect();
                let made = DocumentGenerator::new(name, template, lists, range(items)?)?;
                let made = seed.map_or(made.clone(), |seed| made.with_seed(seed));
                self.generator = Generator::Documents(made);
                Ok("ready".into())
            }
            ["blobs", name, items, seed, size] => {
                let size = number(size)?;
                if size > BLOB_MAX {
                    return Err(format!(
                        "expected at most {BLOB_MAX} bytes, which is what a key can hold"
                    ));
                }
                let made = BlobGenerator::new(name, number(seed)?, size, range(items)?);
                self.generator = Generator::Blobs(made);
                Ok("ready".into())
            }
            ["older", items, seed, padding, ref fields @ ..] => {
                let fields: Option<Vec<(&str, &str)>> =
                    fields.iter().map(|field| field.split_once('=')).collect();
                let fields = fields.ok_or("expected fields such as `a=${prefix}`")?;
                let options = OlderOptions { seed: seed.into(), padding: padding.into() };
                let made =
                    super::generator::GeneratedDocuments::new(number(items)?, &fields, options);
                self.generator = Generator::Older(made);
                Ok("ready".into())
            }
            ["next"] => Ok(self.next().unwrap_or_else(|| "no more".into())),
            ["next", many] => {
                let many: u32 = number(many)?;
                if many > NEXT_MAX {
                    return Err(format!("expected at most {NEXT_MAX} at once, found {many}"));
                }
                let made = (0..many).map_while(|_| self.next());
                let made: Vec<String> = made.collect();
                Ok(if made.is_empty() { "no more".into() } else { made.join("\n") })
            }
            ["reset"] => {
                match &mut self.generator {
                    Generator::None => return Err("there is no generator".into()),
                    Generator::Documents(made) => made.reset(),
                    Generator::Blobs(made) => made.reset(),
                    Generator::Older(made) => made.reset(),
                }
                Ok("ready".into())
            }
            _ => Err(unknown(&words.join(" "))),
        }
    }

    fn next(&mut self) -> Option<String> {
        match &mut self.generator {
            Generator::None => None,
            Generator::Documents(made) => {
                made.next().map(|(key, document)| format!("{key} {document}"))
            }
            Generator::Blobs(made) => made.next().map(|(key, blob)| {
                let content = Content::blob(&blob).map(|content| content.to_string());
                format!("{key} {}", content.unwrap_or_else(|error| error))
            }),
            Generator::Older(made) => made.next(),
        }
    }

    fn call(&mut self, words: &[&str]) -> Result<String, String> {
        Ok(match *words {
            ["map", vbuckets, nodes] => self.deal(number(vbuckets)?, number(nodes)?, false)?,
            ["map", vbuckets, nodes, "replicas"] => {
                self.deal(number(vbuckets)?, number(nodes)?, true)?
            }
            ["move", vb, node] => {
                let vb: Vb = vb.parse()?;
                if vb.0 >= self.map.vbuckets() {
                    return Err(format!("expected a vbucket of the map, found {vb}"));
                }
                let digits = node.strip_prefix('n').ok_or("expected a node such as n1")?;
                let to = Server(number(digits)?);
                let Place { master, replica } = self.map.place(vb);
                // Where the replica is, it becomes the master, and the former one follows it.
                let replica = replica.map(|replica| if replica == to { master } else { replica });
                self.map = self.map.with(vb, Place { master: to, replica });
                self.map.to_string()
            }
            ["vbucket", key, many] => {
                let many: u32 = number(many)?;
                if !many.is_power_of_two() {
                    return Err("expected a power of two".into());
                }
                vbucket_of(key, many).to_string()
            }
            ["call", ref answers @ ..] => return called(answers),
            _ => return Err(unknown(&words.join(" "))),
        })
    }

    fn deal(&mut self, vbuckets: u8, nodes: u8, has_replicas: bool) -> Result<String, String> {
        let least = if has_replicas { 2 } else { 1 };
        if nodes < least {
            let for_what = if has_replicas { " for replicas" } else { "" };
            return Err(format!("expected {least} or more nodes{for_what}, found {nodes}"));
        }
        self.map = Map::dealt(vbuckets, nodes, has_replicas);
        Ok(self.map.to_string())
    }
}

/// More of anything is a slip of the pen.
const MANY: usize = 65_536;
/// More documents than this nobody reads.
const NEXT_MAX: u32 = 1_024;
/// A blob is written as `x:` and two digits for each byte.
const BLOB_MAX: usize = (Value::LEN_MAX - 2) / 2;

/// What becomes of a call that is answered like this.
fn called(answers: &[&str]) -> Result<String, String> {
    let (mut retries, mut waited, mut sent) = (Retries::default(), Span(0), 0);
    let mut all = Vec::new();
    for word in answers {
        let (many, answer) = word.split_once('*').unwrap_or(("1", word));
        let many = number(many)?;
        if many > MANY {
            return Err(format!("expected at most {MANY} answers, found `{word}`"));
        }
        all.extend(std::iter::repeat_n(answer, many));
    }
    let said = |what: &str, waited: Span, sent: u32, maps: u32| {
        format!("{what} after {} ms, sent {sent} times, {maps} new maps", waited.0 / 1_000_000)
    };
    for answer in all {
        sent += 1;
        let next = match answer {
            "ok" => return Ok(said("answered", waited, sent, retries.refreshes())),
            "tmpfail" => retries.refused_for_now(),
            "not-mine" => retries.goes_elsewhere(),
            _ => return Err(format!("expected ok, tmpfail or not-mine, found `{answer}`")),
        };
        match next {
            Next::Again(wait) | Next::NewMap(wait) => waited = Span(waited.0 + wait.0),
            Next::GiveUp => {
                return Ok(said(
                    &format!("not applied: {answer}"),
                    waited,
                    sent,
                    retries.refreshes(),
                ));
            }
        }
    }
    Ok(said("no answer yet", waited, sent, retries.refreshes()))
}

fn say(held: &Held) -> String {
    let Held::Item(item) = held else { return "nothing".into() };
    let flags = if item.flags == 0 { String::new() } else { format!(" flags {}", item.flags) };
    let until = match item.until {
        None => String::new(),
        Some(Deadline { earliest, latest: Some(latest) }) => format!(" until {earliest}..{latest}"),
        Some(Deadline { earliest, latest: None }) => format!(" until {earliest} or later"),
    };
    format!("{}{flags}{until}", item.content)
}

/// Flags and time to live.
fn parse_meta(words: &[&str]) -> Result<(u32, u32), String> {
    let (mut flags, mut ttl) = (0, 0);
    for pair in words.chunks(2) {
        let (word, value) = (pair[0], pair.get(1).copied().unwrap_or_default());
        match word {
            "flags" => flags = number(value)?,
            "ttl" => ttl = number(value)?,
            _ => return Err(format!("expected `flags F ttl S`, found `{}`", words.join(" "))),
        }
    }
    Ok((flags, ttl))
}

fn parse_content(text: &str) -> Result<Content, String> {
    if !text.starts_with("x:") {
        return Content::document(text);
    }
    // Only the digits that it would be printed with.
    let bytes = Content::of(Value::new(text)).bytes();
    let blob = bytes.and_then(|bytes| Content::blob(&bytes).ok());
    let blob = blob.filter(|blob| blob.to_string() == text);
    blob.ok_or_else(|| {
        format!("expected `x:` and two digits such as 7f for each of at most {BLOB_MAX} bytes, found `{text}`")
    })
}

fn range(text: &str) -> Result<std::ops::Range<u64>, String> {
    let (start, end) =
        text.split_once("..").ok_or_else(|| format!("expected `0..4`, found `{text}`"))?;
    Ok(number(start)?..number(end)?)
}

fn number<N: std::str::FromStr>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| format!("expected a number, found `{text}`"))
}
