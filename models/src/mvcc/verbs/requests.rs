//! Verbs of those who use the store.

use super::super::ParseError;
use super::super::hash::golden;
use super::super::history::Query;
use super::super::kv::Kv;
use super::super::lock::TxnId;
use super::super::op::{Action, Op, Put};
use super::{Desk, Said, refuse, say, words};

impl Desk {
    pub(super) fn request(&mut self, verb: &str, operands: &[&str]) -> Option<Said> {
        Some(match (verb, operands) {
            ("do", [_, ..]) => self.alone(operands),
            ("begin", []) => self.begin(),
            ("in", [id, action @ ..]) => self.inside(id, action),
            ("end", [id]) => self.end(id),
            ("history", _) => self.history(operands),
            ("hash", _) => self.hash(operands),
            ("hashes", []) => {
                self.kv().map(|kv| say::lines(kv.hashes().all().map(|of| say::hash(&of))))
            }
            ("golden", [first, last]) => self.golden(first, last),
            _ => return None,
        })
    }

    pub(super) fn ask(&mut self, line: &str) -> Said {
        let op: Op = line.parse().map_err(|error: ParseError| error.to_string())?;
        let kv = self.kv()?;
        let request = op.resolve(kv.store().current());
        kv.ask(&request).map(|response| response.to_string()).map_err(refuse)
    }

    fn begin(&mut self) -> Said {
        self.kv()?.begin().map(|id| format!("transaction {id}")).map_err(refuse)
    }

    fn inside(&mut self, id: &str, action: &[&str]) -> Said {
        let id = TxnId(words::parse(id, "the id of a transaction")?);
        let action = self.action(action)?;
        let kv = self.kv()?;
        let said = match &action {
            Action::Put(put) => {
                kv.put_in(id, put).map(|revision| format!("put: revision {revision}"))
            }
            Action::Get(get) => kv.range_in(id, get).map(|found| format!("found: {found}")),
            Action::Delete(keys) => kv
                .delete_in(id, keys)
                .map(|(count, revision)| format!("deleted {count}: revision {revision}")),
        };
        said.map_err(refuse)
    }

    /// A put, get or del.
    fn action(&mut self, words: &[&str]) -> Result<Action<i64>, String> {
        let op: Op = words.join(" ").parse().map_err(|error: ParseError| error.to_string())?;
        match op.resolve(self.kv()?.store().current()) {
            Op::Single(action) => Ok(action),
            _ => Err(format!("expected one of `put get del`, found `{}`", words[0])),
        }
    }

    fn alone(&mut self, action: &[&str]) -> Said {
        let action = self.action(action)?;
        let kv = self.kv()?;
        let said = match &action {
            Action::Put(put) => {
                kv.put(put).map(|done| format!("put: revision {}", kv.answer(done)))
            }
            Action::Get(get) => kv.range(get).map(|found| format!("found: {found}")),
            Action::Delete(keys) => kv
                .delete(keys)
                .map(|(count, done)| format!("deleted {count}: revision {}", kv.answer(done))),
        };
        said.map_err(refuse)
    }

    fn end(&mut self, id: &str) -> Said {
        let id = TxnId(words::parse(id, "the id of a transaction")?);
        self.kv()?.end(id).map(|revision| format!("ended: revision {revision}")).map_err(refuse)
    }

    fn history(&mut self, operands: &[&str]) -> Said {
        let (keys, start, end, limit) = match operands {
            [keys, start, end] => (keys, start, end, "0"),
            [keys, start, end, "limit", limit] => (keys, start, end, *limit),
            _ => return Err("expected KEYS START END [limit N]".into()),
        };
        let query = Query {
            keys: words::keys(keys)?,
            start: words::parse(start, "a revision")?,
            end: words::parse(end, "a revision")?,
            limit: words::parse(limit, "a number of changes")?,
        };
        let found = self.kv()?.range_history(&query).map_err(refuse)?;
        let effects = found.effects.iter().map(say::effect);
        Ok(say::lines(effects.chain([format!("next {}", found.next)])))
    }

    fn hash(&mut self, operands: &[&str]) -> Said {
        let at = match operands {
            [] => "0",
            [at] => at,
            [_, more, ..] => return Err(words::surplus(more)),
        };
        let at = words::parse(at, "a revision")?;
        self.kv()?.hash(at).map(|hash| say::hash(&hash)).map_err(refuse)
    }

    fn golden(&mut self, first: &str, last: &str) -> Said {
        let number = |word| words::parse::<u16>(word, "a number below 65536").map(i64::from);
        let (first, last) = (number(first)?, number(last)?);
        let kv = self.kv()?;
        let put = |kv: &mut Kv, i: i64| {
            let (key, value) = (golden::key(i).into(), i.to_string().into());
            kv.put(&Put { key, value, lease: 0 }).map(|done| kv.answer(done)).map_err(refuse)
        };
        let mut revision = kv.store().current();
        for i in first..=last {
            revision = put(kv, i)?;
        }
        Ok(format!("revision {revision}"))
    }
}
