//! Reads with the options of the gateway that the store itself knows nothing of: order, bounds of revisions, keys only.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

use super::super::op::{Action, At, Get, Op, Request};
use super::super::reference::Reference;
use super::super::response::{KeyValue, Outcome, Response};
use super::json;

/// A read: `list a.. @rev-1 limit 2 : keys by version down created 1..rev modified rev-3..rev serializable`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct List {
    /// What the store is asked for.
    pub(super) get: Get,
    /// Without values.
    pub(super) keys_only: bool,
    /// By what the keys are ordered.
    pub(super) by: Target,
    /// In which direction; with none, upwards.
    pub(super) order: Order,
    /// The least and the greatest created revision.
    pub(super) created: Option<(At, At)>,
    /// The least and the greatest modified revision.
    pub(super) modified: Option<(At, At)>,
    /// Whether the server may answer without asking others.
    pub(super) serializable: bool,
}

/// What orders keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Target {
    Key,
    Version,
    Created,
    Modified,
    Value,
}

impl Target {
    /// All of them with their words and their names at the gateway.
    pub(super) const ALL: [(Target, &str, &str); 5] = [
        (Target::Key, "key", "KEY"),
        (Target::Version, "version", "VERSION"),
        (Target::Created, "created", "CREATE"),
        (Target::Modified, "modified", "MOD"),
        (Target::Value, "value", "VALUE"),
    ];

    fn row(self) -> (Target, &'static str, &'static str) {
        Target::ALL.into_iter().find(|(of, ..)| *of == self).expect("all are there")
    }
}

/// A direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Order {
    Unsaid,
    Up,
    Down,
}

impl List {
    /// The request by which the reference model is asked, and the body of the one to the server.
    pub(super) fn request(&self, last: i64) -> (Request, Value) {
        let request = Op::Single(Action::Get(self.get.clone())).resolve(last);
        let (_, mut body) = json::request(&request);
        body["keys_only"] = self.keys_only.into();
        body["serializable"] = self.serializable.into();
        body["sort_target"] = self.by.row().2.into();
        body["sort_order"] = match self.order {
            Order::Unsaid => "NONE",
            Order::Up => "ASCEND",
            Order::Down => "DESCEND",
        }
        .into();
        for (bounds, field) in [(self.created, "create"), (self.modified, "mod")] {
            if let Some((least, most)) = bounds {
                body[format!("min_{field}_revision")] = least.absolute(last).to_string().into();
                body[format!("max_{field}_revision")] = most.absolute(last).to_string().into();
            }
        }
        (request, body)
    }

    /// What the server has to answer.
    pub(super) fn expected(&self, reference: &Reference) -> Outcome {
        let last = reference.current();
        let all = Get { limit: 0, ..self.get.clone() };
        let outcome = reference.clone().apply(&Op::Single(Action::Get(all)).resolve(last))?;
        let Response::Range(mut found) = outcome else { return Ok(outcome) };
        // The count is of all keys, whatever the bounds leave out. A bound of 0 is none.
        let within = |bounds: Option<(At, At)>, revision: i64| {
            bounds.is_none_or(|(least, most)| {
                let (least, most) = (least.absolute(last), most.absolute(last));
                (least == 0 || revision >= least) && (most == 0 || revision <= most)
            })
        };
        found.kvs.retain(|kv| {
            within(self.created, kv.create_revision) && within(self.modified, kv.mod_revision)
        });
        self.sort(&mut found.kvs);
        let limit = usize::try_from(self.get.limit).unwrap_or(0);
        if limit > 0 && found.kvs.len() > limit {
            found.kvs.truncate(limit);
            found.more = true;
        }
        if self.keys_only {
            found.kvs.iter_mut().for_each(|kv| kv.value.clear());
        }
        Ok(Response::Range(found))
    }

    /// Equal ones stay in the order of their keys.
    fn sort(&self, kvs: &mut [KeyValue]) {
        let rank = |kv: &KeyValue| match self.by {
            Target::Key => (0, kv.key.clone()),
            Target::Version => (kv.version, Vec::new()),
            Target::Created => (kv.create_revision, Vec::new()),
            Target::Modified => (kv.mod_revision, Vec::new()),
            Target::Value => (0, kv.value.clone()),
        };
        match self.order {
            Order::Down => kvs.sort_by_key(|kv| std::cmp::Reverse(rank(kv))),
            Order::Unsaid | Order::Up => kvs.sort_by_key(rank),
        }
    }

    /// Whether the server leaves keys out before it has ordered them.
    pub(super) fn is_cut_unordered(&self) -> bool {
        let bounded = self.created.is_some() || self.modified.is_some();
        self.order == Order::Unsaid && self.by != Target::Key && self.get.limit > 0 && !bounded
    }

    /// What a server answers that does so: of the first keys, one more than the limit, the first ones in order.
    pub(super) fn cut_unordered(&self, reference: &Reference) -> Outcome {
        let more = Get { limit: self.get.limit + 1, ..self.get.clone() };
        let request = Op::Single(Action::Get(more)).resolve(reference.current());
        let Response::Range(mut found) = reference.clone().apply(&request)? else {
            unreachable!("a read finds something or nothing")
        };
        self.sort(&mut found.kvs);
        let limit = usize::try_from(self.get.limit).unwrap_or(0);
        found.more = found.kvs.len() > limit;
        found.kvs.truncate(limit);
        if self.keys_only {
            found.kvs.iter_mut().for_each(|kv| kv.value.clear());
        }
        Ok(Response::Range(found))
    }
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let get = Op::Single(Action::Get(self.get.clone())).to_string();
        write!(f, "list{} :", get.trim_start_matches("get"))?;
        if self.keys_only {
            f.write_str(" keys")?;
        }
        if self.by != Target::Key {
            write!(f, " by {}", self.by.row().1)?;
        }
        f.write_str(match self.order {
            Order::Unsaid => "",
            Order::Up => " up",
            Order::Down => " down",
        })?;
        for (bounds, word) in [(self.created, "created"), (self.modified, "modified")] {
            if let Some((least, most)) = bounds {
                write!(f, " {word} {least}..{most}")?;
            }
        }
        f.write_str(if self.serializable { " serializable" } else { "" })
    }
}

/// What comes behind `list`.
impl FromStr for List {
    type Err = String;

    fn from_str(text: &str) -> Result<List, String> {
        const EXPECTED: &str =
            "expected a read, ` :`, and `keys by up down created modified serializable`";
        let wrong = || format!("{EXPECTED}, found `{text}`");
        let (get, options) = text
            .strip_suffix(" :")
            .map(|get| (get, ""))
            .or_else(|| text.rsplit_once(" : "))
            .ok_or_else(wrong)?;
        let Op::Single(Action::Get(get)) = read(&format!("get {get}"))? else {
            return Err(wrong());
        };
        let (by, order, keys_only) = (Target::Key, Order::Unsaid, false);
        let (created, modified, serializable) = (None, None, false);
        let mut list = List { get, keys_only, by, order, created, modified, serializable };
        let mut words = options.split(' ').filter(|word| !word.is_empty());
        while let Some(word) = words.next() {
            match word {
                "keys" => list.keys_only = true,
                "serializable" => list.serializable = true,
                "up" => list.order = Order::Up,
                "down" => list.order = Order::Down,
                "by" => {
                    let name = words.next().ok_or_else(wrong)?;
                    let row = Target::ALL.into_iter().find(|(_, word, _)| *word == name);
                    list.by = row.ok_or_else(wrong)?.0;
                }
                "created" => list.created = Some(bounds(words.next().ok_or_else(wrong)?)?),
                "modified" => list.modified = Some(bounds(words.next().ok_or_else(wrong)?)?),
                _ => return Err(wrong()),
            }
        }
        Ok(list)
    }
}

fn read(line: &str) -> Result<Op, String> {
    line.parse().map_err(|error: super::super::ParseError| error.to_string())
}

fn bounds(text: &str) -> Result<(At, At), String> {
    let at = |text: &str| match read(&format!("compact {text}"))? {
        Op::Compact(at) => Ok(at),
        _ => Err(format!("expected a revision, found `{text}`")),
    };
    let (least, most) =
        text.split_once("..").ok_or_else(|| format!("expected two revisions, found `{text}`"))?;
    Ok((at(least)?, at(most)?))
}

#[cfg(test)]
mod tests {
    use super::super::super::rules::Rules;
    use super::*;

    fn list(text: &str) -> List {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn each_form_prints_as_it_was_written() {
        for text in [
            "a :",
            "a.. @rev-1 limit 2 count : keys",
            "\" : \".. : by version down created 1..rev modified rev-3..rev serializable",
            "a..c : keys by value up",
        ] {
            assert_eq!(list(text).to_string(), format!("list {text}"));
        }
        for text in ["", "a", "a : sideways", "a : by", "a : by size", "a : created 3", "a b :"] {
            assert!(text.parse::<List>().is_err(), "{text}");
        }
    }

    fn keys(text: &str, cut: bool) -> String {
        let mut reference = Reference::of(Rules::V3_4);
        for line in ["put a 3", "put b 1", "put c 2", "put b 1", "put a 3", "put a 3"] {
            let op: Op = line.parse().expect("a put");
            reference.apply(&op.resolve(0)).expect("accepted");
        }
        let list = list(text);
        let answer = if cut { list.cut_unordered(&reference) } else { list.expected(&reference) };
        let Ok(Response::Range(found)) = answer else { panic!("{text}: {answer:?}") };
        let keys = found.kvs.iter().map(|kv| String::from_utf8_lossy(&kv.key).into_owned());
        let more = if found.more { "+" } else { "" };
        format!("{}{more}/{}", keys.collect::<String>(), found.count)
    }

    #[test]
    fn order_bounds_and_limit_come_in_this_order() {
        for (text, expected) in [
            ("a.. :", "abc/3"),
            ("a.. : down", "cba/3"),
            ("a.. : by version", "cba/3"),
            ("a.. : by created down", "cba/3"),
            ("a.. : by modified up", "cba/3"),
            ("a.. limit 1 : by value", "b+/3"),
            ("a.. limit 1 : by value down", "a+/3"),
            ("a.. : modified 4..5", "bc/3"),
            ("a.. limit 2 : created 0..3", "ab/3"),
            ("a.. count : keys", "/3"),
        ] {
            assert_eq!(keys(text, false), expected, "{text}");
        }
        assert_eq!(keys("a.. limit 1 : by version", false), "c+/3");
        assert_eq!(keys("a.. limit 1 : by version", true), "b+/3");
    }
}
