//! Reading what is asked of the library beside requests; see [`Usage`].

use super::super::workflow::usage::{Part, TxnName, Usage};
use super::{Kind, ParseError, Parser, Token, tokens};

/// The words that begin nothing else.
const WORDS: [&str; 7] = ["begin", "end", "hash", "history", "snapshot", "defrag", "commit"];

/// The usage that a line stands for; none if it is a request.
pub(in crate::mvcc) fn usage(line: &str) -> Option<Result<Usage, ParseError>> {
    let first = line.split_whitespace().next()?;
    if WORDS.contains(&first) {
        return Some(read(line, Parser::usage));
    }
    // A line with ` in ` behind an action is one inside a transaction; any other is left to those who know requests.
    let mut parser = parser(line).ok()?;
    parser.action().ok()??;
    parser.word("in").then(|| read(line, Parser::inside))
}

fn parser(line: &str) -> Result<Parser, ParseError> {
    Ok(Parser { tokens: tokens(line)?, next: 0, end: line.chars().count() + 1 })
}

fn read(
    line: &str,
    parse: impl Fn(&mut Parser) -> Result<Usage, ParseError>,
) -> Result<Usage, ParseError> {
    let mut parser = parser(line)?;
    let usage = parse(&mut parser)?;
    match parser.peek() {
        None => Ok(usage),
        Some(_) => Err(parser.unexpected("the end of the line")),
    }
}

impl Parser {
    fn usage(&mut self) -> Result<Usage, ParseError> {
        if self.word("begin") {
            return Ok(Usage::Begin);
        }
        if self.word("end") {
            return self.txn_name().map(Usage::End);
        }
        if self.word("hash") {
            return match self.peek() {
                None => Ok(Usage::Hash(None)),
                Some(_) => self.revision().map(|at| Usage::Hash(Some(at))),
            };
        }
        if self.word("history") {
            return self.part().map(Usage::History);
        }
        let plain = [Usage::Snapshot, Usage::Defrag, Usage::Commit];
        let names = ["snapshot", "defrag", "commit"];
        let found = plain.into_iter().zip(names).find(|(_, name)| self.word(name));
        found.map(|(usage, _)| usage).ok_or_else(|| {
            self.unexpected("one of `begin end hash history snapshot defrag commit`")
        })
    }

    fn inside(&mut self) -> Result<Usage, ParseError> {
        let action = self.action()?.ok_or_else(|| self.unexpected("one of `put get del`"))?;
        if !self.word("in") {
            return Err(self.unexpected("`in`"));
        }
        Ok(Usage::Inside(action, self.txn_name()?))
    }

    fn part(&mut self) -> Result<Part, ParseError> {
        let keys = self.keys()?;
        if !self.word("from") {
            return Err(self.unexpected("`from`"));
        }
        let start = self.revision()?;
        let end = if self.word("to") { Some(self.revision()?) } else { None };
        let limit = if self.word("limit") { self.number("a number of changes")? } else { 0 };
        Ok(Part { keys, start, end, limit })
    }

    fn txn_name(&mut self) -> Result<TxnName, ParseError> {
        const EXPECTED: &str = "a transaction: `txn`, `txn-1`, `txn+1` or a number";
        let Some(Token { kind: Kind::Word(word), .. }) = self.peek() else {
            return Err(self.unexpected(EXPECTED));
        };
        let name = match word.strip_prefix("txn") {
            Some("") => Some(TxnName::Last(0)),
            Some(distance) if distance.starts_with(['+', '-']) => {
                distance.parse().ok().map(TxnName::Last)
            }
            Some(_) => None,
            None => word.parse().ok().map(TxnName::Id),
        };
        let name = name.ok_or_else(|| self.unexpected(EXPECTED))?;
        self.next += 1;
        Ok(name)
    }
}
