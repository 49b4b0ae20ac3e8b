//! Noise lines: single decisions as text. Print and parse are inverse.
//!
//! ```text
//! net c0->n0 put#2 1st: drop                  message, from actor to actor (of which life, if not the first)
//! schedule n0.timer(2)->n0 phase:batch 2nd: 10ms
//! disk n0 wal write 3rd: slow 10ms            request on a file; `/` if it is about no file
//! sector n0 wal sector 4: kept                at the crash that ended a life
//! sector n0(2) wal sync 3 sector 4: kept      at the third failed sync of that life
//! sector n0 wal request 1 length: kept        of the first request that was in flight when its process died
//! names n0 db change 2: kept
//! segment c0->n0 1st out @32: 3 bytes         first connect, from client to server, at this byte
//! connect c0->n0 2nd: refuse
//! think c0 #4: 20ms                           a decision about nothing in particular, the fourth
//! shuffle n0 #7 2nd: 3                        a model's decision about its subject 7, the second
//! ```

use crate::actor::{DiskKind, Names};
use crate::choose::{Decision, Ends, Key, Odds, Shape, Site};
use crate::fault::ordinal;
use crate::id::{ActorId, FileName, NodeId};

/// Moments of a sector key from here on are requests in flight; below they are failed syncs, and 0 is the crash.
const IN_FLIGHT: u16 = 0x8000;
/// The sector that stands for the length of a file.
const LENGTH: u32 = u32::MAX;
const CALM: &str = "calm";

/// What the words of noise lines mean: the names of a run, and the sites that there are.
#[derive(Clone, Copy, Debug)]
pub struct Wording<'a> {
    /// The names of the run, with the sites of the model.
    pub names: &'a Names,
    /// The sites of the engine.
    pub engine: &'a [&'static Site],
}

impl Wording<'_> {
    /// All sites: those of the engine, then those of the model.
    pub fn sites(&self) -> impl Iterator<Item = &'static Site> + '_ {
        self.engine.iter().chain(self.names.sites).copied()
    }

    /// The site with this id.
    #[must_use]
    pub fn site(&self, id: u16) -> Option<&'static Site> {
        self.sites().find(|site| site.id == id)
    }

    /// The site of this name.
    ///
    /// # Errors
    /// Lists the names that there are.
    pub fn site_of(&self, name: &str) -> Result<&'static Site, String> {
        self.sites().find(|site| site.name == name).ok_or_else(|| {
            let known: Vec<&str> = self.sites().map(|site| site.name).collect();
            format!("expected one of the sites {}, found `{name}`", known.join(" "))
        })
    }

    /// The line of a decision.
    #[must_use]
    pub fn print(&self, decision: &Decision) -> String {
        let Some(site) = self.site(decision.site) else { return "?".into() };
        let key = self.print_key(site.shape, decision.key);
        format!("{} {key}: {}", site.name, print_outcome(site, decision.outcome))
    }

    /// Reads a line.
    ///
    /// # Errors
    /// Says what was expected where the text departs from the form.
    pub fn parse(&self, text: &str) -> Result<Decision, String> {
        let form =
            || format!("expected a noise line such as `net c0->n0 put 1st: drop`, found `{text}`");
        let (head, outcome) = text.rsplit_once(": ").ok_or_else(form)?;
        let (name, key) = head.split_once(' ').ok_or_else(form)?;
        let site = self.site_of(name)?;
        let key = self.parse_key(site, key)?;
        Ok(Decision { site: site.id, key, outcome: parse_outcome(site, outcome)? })
    }

    fn print_key(&self, shape: Shape, key: Key) -> String {
        let (upper, lower) = halves(key.who);
        let (kind, n) = halves(key.which);
        match shape {
            Shape::Between => {
                let (from, to) = quarters(upper);
                let kind = self.names.kind(lower_half(kind));
                let subject = subject_after(&kind, key.what);
                let (from, to) = (self.actor(from, lower), self.actor(to, 1));
                format!("{from}->{to} {subject} {}", ordinal(n))
            }
            Shape::Disk => {
                let kind = DiskKind::NAMES.get(kind as usize).unwrap_or(&"?");
                let node = self.node(lower_half(upper), lower);
                format!("{node} {} {kind} {}", print_file(key.what), ordinal(n))
            }
            Shape::Sector | Shape::Change => {
                let node = self.node(lower_half(upper), lower);
                let moment = print_moment(lower_half(kind));
                let item = match (shape, n) {
                    (Shape::Change, n) => format!("change {n}"),
                    (_, LENGTH) => "length".into(),
                    (_, n) => format!("sector {n}"),
                };
                format!("{node} {} {moment}{item}", print_file(key.what))
            }
            Shape::Stream => {
                let (client, server) = quarters(upper);
                let place = match (key.what, key.which) {
                    (0, 0) => String::new(),
                    (direction, offset) => {
                        format!(" {} @{offset}", if direction == 0 { "out" } else { "back" })
                    }
                };
                let (client, server) = (self.actor(client, 1), self.actor(server, 1));
                format!("{client}->{server} {}{place}", ordinal(lower))
            }
            Shape::Own => {
                let actor = self.actor(lower_half(upper), lower);
                match key.what {
                    0 => format!("{actor} #{}", key.which),
                    subject => format!("{actor} #{subject} {}", ordinal(key.which)),
                }
            }
        }
    }

    fn parse_key(&self, site: &Site, text: &str) -> Result<Key, String> {
        let words: Vec<&str> = text.split(' ').collect();
        match (site.shape, &words[..]) {
            (Shape::Between, [ends, kind, nth]) => {
                let (from, to) = split_ends(ends)?;
                let (from, incarnation) = self.parse_actor(from)?;
                let ends = Ends { from, to: self.names.actor_of(to)?.0, incarnation };
                let (kind, subject) = self.parse_kind(kind)?;
                Ok(Key::between(ends, kind, subject, parse_nth(nth)?))
            }
            (Shape::Disk, [node, file, kind, nth]) => {
                let (node, incarnation) = self.parse_node(node)?;
                let file = parse_file(file)?;
                Ok(Key::disk(node, incarnation, file, parse_request(kind)?, parse_nth(nth)?))
            }
            (Shape::Sector | Shape::Change, [node, file, when @ ..]) => {
                let (node, incarnation) = self.parse_node(node)?;
                let (moment, item) = parse_moment(when)?;
                let item = parse_item(site.shape, item)?;
                Ok(Key::sector(node, incarnation, parse_file(file)?, moment, item))
            }
            (Shape::Stream, [ends, nth, place @ ..]) => {
                let (client, server) = split_ends(ends)?;
                let (client, server) =
                    (self.names.actor_of(client)?.0, self.names.actor_of(server)?.0);
                let (direction, offset) = parse_place(place)?;
                Ok(Key::stream(client, server, parse_nth(nth)?, direction, offset))
            }
            (Shape::Own, [actor, n]) => {
                let (actor, incarnation) = self.parse_actor(actor)?;
                Ok(Key::own(actor, incarnation, 0, parse_hash(n)?))
            }
            (Shape::Own, [actor, subject, nth]) => {
                let (actor, incarnation) = self.parse_actor(actor)?;
                let subject = parse_hash(subject)?;
                let n = fault_ordinal(nth).ok_or_else(|| wrong("1st, 2nd, 3rd ...", nth))?;
                Ok(Key::own(actor, incarnation, subject, n))
            }
            (shape, _) => {
                Err(format!("expected {} after `{}`, found `{text}`", form(shape), site.name))
            }
        }
    }

    fn actor(&self, actor: u16, incarnation: u32) -> String {
        with_life(self.names.actor(ActorId(actor)), incarnation)
    }

    fn node(&self, node: u16, incarnation: u32) -> String {
        with_life(self.names.node(NodeId(node)), incarnation)
    }

    fn parse_actor(&self, text: &str) -> Result<(u16, u32), String> {
        let (name, incarnation) = split_life(text)?;
        Ok((self.names.actor_of(name)?.0, incarnation))
    }

    fn parse_node(&self, text: &str) -> Result<(u16, u32), String> {
        let (name, incarnation) = split_life(text)?;
        Ok((self.names.node_of(name)?.0, incarnation))
    }

    fn parse_kind(&self, text: &str) -> Result<(u16, u64), String> {
        let (name, subject) = match text.rsplit_once('#') {
            Some((name, subject)) => {
                (name, parse_number(subject).ok_or_else(|| wrong("KIND#SUBJECT", text))?)
            }
            None => (text, 0),
        };
        let kind = self.names.kind_number(name).ok_or_else(|| {
            wrong("a kind of message, or one of phase:, lock: or timer: with its name", name)
        })?;
        Ok((kind, subject))
    }
}

fn wrong(expected: &str, found: &str) -> String {
    format!("expected {expected}, found `{found}`")
}

/// What a line of this shape has between its site and its outcome.
const fn form(shape: Shape) -> &'static str {
    match shape {
        Shape::Between => "FROM->TO KIND[#SUBJECT] NTH",
        Shape::Disk => "NODE FILE REQUEST NTH",
        Shape::Sector => "NODE FILE [sync N | request N] sector N | length",
        Shape::Change => "NODE NAME [sync N | request N] change N",
        Shape::Stream => "CLIENT->SERVER NTH [out | back @OFFSET]",
        Shape::Own => "ACTOR [#SUBJECT NTH | #N]",
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the halves are meant")]
const fn halves(word: u64) -> (u32, u32) {
    ((word >> 32) as u32, word as u32)
}

#[expect(clippy::cast_possible_truncation, reason = "the halves are meant")]
const fn quarters(half: u32) -> (u16, u16) {
    ((half >> 16) as u16, half as u16)
}

const fn lower_half(half: u32) -> u16 {
    quarters(half).1
}

fn with_life(name: &str, incarnation: u32) -> String {
    if incarnation == 1 { name.into() } else { format!("{name}({incarnation})") }
}

fn split_life(text: &str) -> Result<(&str, u32), String> {
    let Some((name, life)) = text.split_once('(') else { return Ok((text, 1)) };
    let life = life.strip_suffix(')').and_then(parse_number);
    let life = life.and_then(|life| u32::try_from(life).ok());
    Ok((name, life.ok_or_else(|| wrong("a name with the number of its life, as n0(2)", text))?))
}

fn split_ends(text: &str) -> Result<(&str, &str), String> {
    text.split_once("->").ok_or_else(|| wrong("two actors, as c0->n0", text))
}

fn subject_after(kind: &str, subject: u64) -> String {
    if subject == 0 { kind.into() } else { format!("{kind}#{subject}") }
}

fn parse_number(text: &str) -> Option<u64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn parse_hash(text: &str) -> Result<u64, String> {
    text.strip_prefix('#').and_then(parse_number).ok_or_else(|| wrong("a number as #7", text))
}

fn fault_ordinal(text: &str) -> Option<u64> {
    let n = parse_number(text.get(..text.len().checked_sub(2)?)?)?;
    (ordinal(n) == text).then_some(n)
}

fn parse_nth(text: &str) -> Result<u32, String> {
    let n = fault_ordinal(text).and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0);
    n.ok_or_else(|| wrong("1st, 2nd, 3rd ...", text))
}

/// No file name has a slash, so that one can stand for "about no file".
fn print_file(word: u64) -> String {
    FileName::from_word(word).map_or_else(|| "/".into(), |name| name.to_string())
}

fn parse_file(text: &str) -> Result<u64, String> {
    if text == "/" { Ok(0) } else { FileName::parse(text).map(FileName::word) }
}

fn parse_request(text: &str) -> Result<u16, String> {
    let kind = DiskKind::NAMES.iter().position(|name| *name == text);
    kind.and_then(|kind| u16::try_from(kind).ok())
        .ok_or_else(|| wrong(&format!("one of {}", DiskKind::NAMES.join(" ")), text))
}

fn print_moment(moment: u16) -> String {
    match moment {
        0 => String::new(),
        IN_FLIGHT.. => format!("request {} ", moment - IN_FLIGHT),
        nth => format!("sync {nth} "),
    }
}

fn parse_moment<'w, 't>(words: &'w [&'t str]) -> Result<(u16, &'w [&'t str]), String> {
    let (base, n, rest) = match words {
        ["sync", n, rest @ ..] => (0, n, rest),
        ["request", n, rest @ ..] => (IN_FLIGHT, n, rest),
        _ => return Ok((0, words)),
    };
    let n = parse_number(n).and_then(|n| u16::try_from(n).ok());
    let n = n.filter(|n| *n < IN_FLIGHT && base + n > 0);
    Ok((base + n.ok_or_else(|| wrong("a number from 1 to 32767", words[1]))?, rest))
}

fn parse_item(shape: Shape, words: &[&str]) -> Result<u32, String> {
    let n = match (shape, words) {
        (Shape::Sector, ["length"]) => Some(u64::from(LENGTH)),
        (Shape::Sector, ["sector", n]) => parse_number(n).filter(|n| *n < u64::from(LENGTH)),
        (Shape::Change, ["change", n]) => parse_number(n),
        _ => None,
    };
    let n = n.and_then(|n| u32::try_from(n).ok());
    n.ok_or_else(|| format!("expected {}, found `{}`", form(shape), words.join(" ")))
}

fn parse_place(words: &[&str]) -> Result<(u8, u64), String> {
    let place = match words {
        [] => return Ok((0, 0)),
        [direction @ ("out" | "back"), at] => {
            let offset = at.strip_prefix('@').and_then(parse_number);
            offset.map(|offset| (u8::from(*direction == "back"), offset))
        }
        _ => None,
    };
    place.ok_or_else(|| wrong("a place of the stream, as `out @32` or `back @0`", &words.join(" ")))
}

fn print_outcome(site: &Site, outcome: u32) -> String {
    let name = (outcome as usize).checked_sub(1).map(|i| site.outcomes.get(i));
    match name {
        None => CALM.into(),
        Some(Some(name)) => (*name).into(),
        Some(None) => outcome.to_string(),
    }
}

fn parse_outcome(site: &Site, text: &str) -> Result<u32, String> {
    if text == CALM {
        return Ok(0);
    }
    let named = site.outcomes.iter().position(|name| *name == text).map(|i| i as u64 + 1);
    let unnamed = (site.outcomes.len() as u64 + 1)..Odds::OUTCOMES_MAX as u64;
    let outcome = named.or_else(|| parse_number(text).filter(|n| unnamed.contains(n)));
    outcome.and_then(|n| u32::try_from(n).ok()).ok_or_else(|| {
        let mut known: Vec<String> = vec![CALM.into()];
        known.extend(site.outcomes.iter().map(ToString::to_string));
        if site.outcomes.is_empty() {
            known.push(format!("{} to {}", unnamed.start, unnamed.end - 1));
        }
        wrong(&format!("one of the outcomes {}", known.join(", ")), text)
    })
}

#[cfg(test)]
mod tests;
