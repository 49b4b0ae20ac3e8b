//! Reading the one-line form of operations; the grammar is in `text.rs`.

use std::fmt;
use std::str::FromStr;

use super::op::{Action, At, Compare, Field, Get, Grant, Keys, Op, Put, Relation, Txn};
use super::text::is_bare;
use super::watching::wish::{Interest, Wish};

/// Why a line is not an operation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: expected {expected}, found {found}")]
pub struct ParseError {
    /// Where it went wrong, in characters from 1.
    pub column: usize,
    /// What could have stood there.
    pub expected: &'static str,
    /// What stands there.
    pub found: String,
}

impl FromStr for Op {
    type Err = ParseError;

    fn from_str(line: &str) -> Result<Op, ParseError> {
        let mut parser = Parser { tokens: tokens(line)?, next: 0, end: line.chars().count() + 1 };
        let op = parser.op()?;
        match parser.peek() {
            None => Ok(op),
            Some(_) => Err(parser.unexpected("the end of the line")),
        }
    }
}

/// The operation of a client that watches that a line stands for; none if its first word begins no such operation.
pub(super) fn wish(line: &str) -> Option<Result<Wish, ParseError>> {
    let first = line.split_whitespace().next()?;
    if !["watch", "cancel", "progress", "rest", "leave"].contains(&first) {
        return None;
    }
    let read = || {
        let mut parser = Parser { tokens: tokens(line)?, next: 0, end: line.chars().count() + 1 };
        let wish = parser.wish()?;
        match parser.peek() {
            None => Ok(wish),
            Some(_) => Err(parser.unexpected("the end of the line")),
        }
    };
    Some(read())
}

/// One token of a line.
#[derive(Clone, Debug, PartialEq)]
struct Token {
    column: usize,
    /// Whether nothing separates it from the token before.
    glued: bool,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    /// A bare word.
    Word(String),
    /// The bytes inside quotes.
    Quoted(Vec<u8>),
    /// One of `.. @ ; = != < >`.
    Sign(&'static str),
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Word(word) => write!(f, "`{word}`"),
            Kind::Quoted(_) => f.write_str("a quoted text"),
            Kind::Sign(sign) => write!(f, "`{sign}`"),
        }
    }
}

const SIGNS: [&str; 7] = ["..", "@", ";", "!=", "=", "<", ">"];

fn tokens(line: &str) -> Result<Vec<Token>, ParseError> {
    let chars: Vec<char> = line.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    let mut glued = false;
    while let Some(&c) = chars.get(at) {
        if c == ' ' || c == '\t' {
            at += 1;
            glued = false;
            continue;
        }
        let (kind, len) = token(&chars[at..], at + 1)?;
        let texts = |kind: &Kind| matches!(kind, Kind::Word(_) | Kind::Quoted(_));
        if glued && texts(&kind) && tokens.last().is_some_and(|last: &Token| texts(&last.kind)) {
            return Err(ParseError {
                column: at + 1,
                expected: "a space",
                found: kind.to_string(),
            });
        }
        tokens.push(Token { column: at + 1, glued, kind });
        at += len;
        glued = true;
    }
    Ok(tokens)
}

/// The token that `chars` begins with, and its length in characters.
fn token(chars: &[char], column: usize) -> Result<(Kind, usize), ParseError> {
    if chars[0] == '"' {
        return quoted(&chars[1..], column).map(|(bytes, len)| (Kind::Quoted(bytes), len + 1));
    }
    let bare = |c: &char| u8::try_from(*c).is_ok_and(is_bare);
    let word: String = chars.iter().copied().take_while(bare).collect();
    if !word.is_empty() {
        let len = word.len();
        return Ok((Kind::Word(word), len));
    }
    let starts_with = |sign: &&str| sign.chars().enumerate().all(|(n, c)| chars.get(n) == Some(&c));
    match SIGNS.into_iter().find(starts_with) {
        Some(sign) => Ok((Kind::Sign(sign), sign.len())),
        None => Err(ParseError {
            column,
            expected: "a word, a quoted text or one of `.. @ ; = != < >`",
            found: format!("{:?}", chars[0]),
        }),
    }
}

/// The bytes up to the closing quote, and the number of characters including it.
fn quoted(chars: &[char], column: usize) -> Result<(Vec<u8>, usize), ParseError> {
    let mut bytes = Vec::new();
    let mut at = 0;
    loop {
        match chars.get(at) {
            None => {
                return Err(ParseError {
                    column,
                    expected: "a closing quote",
                    found: END.to_owned(),
                });
            }
            Some('"') => return Ok((bytes, at + 1)),
            Some('\\') => {
                let (byte, len) = escape(&chars[at + 1..], column + at + 2)?;
                bytes.push(byte);
                at += len + 1;
            }
            Some(c) => {
                bytes.extend(c.encode_utf8(&mut [0; 4]).bytes());
                at += 1;
            }
        }
    }
}

/// The byte that is written after a backslash, and the number of characters that write it.
fn escape(chars: &[char], column: usize) -> Result<(u8, usize), ParseError> {
    let digit = |n: usize| {
        chars.get(n).and_then(|c| c.to_digit(16)).and_then(|digit| u8::try_from(digit).ok())
    };
    match (chars.first(), digit(1), digit(2)) {
        (Some('"'), ..) => Ok((b'"', 1)),
        (Some('\\'), ..) => Ok((b'\\', 1)),
        (Some('x'), Some(high), Some(low)) => Ok((high << 4 | low, 3)),
        (other, ..) => Err(ParseError {
            column,
            expected: "`\\`, `\"` or `x` with two hexadecimal digits after a backslash",
            found: other.map_or_else(|| END.to_owned(), |c| format!("{c:?}")),
        }),
    }
}

/// The longest rest of a client that watches.
const REST_MAX_MS: u32 = 10_000;

const END: &str = "the end of the line";

struct Parser {
    tokens: Vec<Token>,
    next: usize,
    /// The column behind the line.
    end: usize,
}

impl Parser {
    fn op(&mut self) -> Result<Op, ParseError> {
        if let Some(action) = self.action()? {
            return Ok(Op::Single(action));
        }
        if self.word("txn") {
            return self.txn().map(Op::Txn);
        }
        if self.word("compact") {
            return self.revision().map(Op::Compact);
        }
        if self.word("close") {
            return Ok(Op::Close);
        }
        if self.word("grant") {
            let lease = self.number("a lease number")?;
            return Ok(Op::Grant(Grant { lease, ttl: self.number("a number of seconds")? }));
        }
        if self.word("revoke") {
            return self.number("a lease number").map(Op::Revoke);
        }
        Err(self.unexpected("one of `put get del txn compact close grant revoke`"))
    }

    fn wish(&mut self) -> Result<Wish, ParseError> {
        if self.word("watch") {
            let keys = self.keys()?;
            if !self.word("from") {
                return Err(self.unexpected("`from`"));
            }
            let from = self.revision()?;
            let [no_put, no_delete, with_previous] =
                ["noput", "nodel", "prev"].map(|word| self.word(word));
            return Ok(Wish::Watch(Interest { keys, from, no_put, no_delete, with_previous }));
        }
        if self.word("cancel") {
            return self.number("the number of an operation").map(Wish::Cancel);
        }
        if self.word("rest") {
            return self.rest().map(Wish::Rest);
        }
        if self.word("progress") {
            return Ok(Wish::Progress);
        }
        if self.word("leave") {
            return Ok(Wish::Leave);
        }
        Err(self.unexpected("one of `watch cancel progress rest leave`"))
    }

    /// Longer than a run waits for its clients, a rest would seem to be one that never ends.
    fn rest(&mut self) -> Result<u32, ParseError> {
        let at = self.next;
        let ms = self.number("milliseconds, at most 10000")?;
        if ms > REST_MAX_MS {
            self.next = at;
            return Err(self.unexpected("milliseconds, at most 10000"));
        }
        Ok(ms)
    }

    /// An action, or nothing if the next word does not begin one.
    fn action(&mut self) -> Result<Option<Action>, ParseError> {
        if self.word("put") {
            let key = self.bytes("a key")?;
            let value = self.bytes("a value")?;
            let lease = if self.word("lease") { self.number("a lease number")? } else { 0 };
            return Ok(Some(Action::Put(Put { key, value, lease })));
        }
        if self.word("del") {
            return self.keys().map(|keys| Some(Action::Delete(keys)));
        }
        if self.word("get") {
            let keys = self.keys()?;
            let at = if self.sign("@") { Some(self.revision()?) } else { None };
            let limit = if self.word("limit") { self.number("a number of keys")? } else { 0 };
            let count_only = self.word("count");
            return Ok(Some(Action::Get(Get { keys, at, limit, count_only })));
        }
        Ok(None)
    }

    fn txn(&mut self) -> Result<Txn, ParseError> {
        let mut compares = Vec::new();
        if self.word("if") {
            compares.push(self.compare()?);
            while self.word("and") {
                compares.push(self.compare()?);
            }
        }
        if !self.word("then") {
            return Err(self.unexpected(if compares.is_empty() {
                "`if` or `then`"
            } else {
                "`and` or `then`"
            }));
        }
        let success = self.branch()?;
        let failure = if self.word("else") { self.branch()? } else { Vec::new() };
        Ok(Txn { compares, success, failure })
    }

    fn branch(&mut self) -> Result<Vec<Action>, ParseError> {
        let mut actions = Vec::new();
        actions.extend(self.action()?);
        while !actions.is_empty() && self.sign(";") {
            match self.action()? {
                Some(action) => actions.push(action),
                None => return Err(self.unexpected("one of `put get del`")),
            }
        }
        Ok(actions)
    }

    fn compare(&mut self) -> Result<Compare, ParseError> {
        let keys = self.keys()?;
        let names = ["version", "created", "modified", "value", "lease"];
        let Some(name) = names.into_iter().find(|name| self.word(name)) else {
            return Err(self.unexpected("one of `version created modified value lease`"));
        };
        let relations = [
            ("=", Relation::Equal),
            ("!=", Relation::NotEqual),
            ("<", Relation::Less),
            (">", Relation::Greater),
        ];
        let Some((_, relation)) = relations.into_iter().find(|(sign, _)| self.sign(sign)) else {
            return Err(self.unexpected("one of `= != < >`"));
        };
        let field = match name {
            "version" => Field::Version(self.number("a version")?),
            "created" => Field::Created(self.revision()?),
            "modified" => Field::Modified(self.revision()?),
            "value" => Field::Value(self.bytes("a value")?),
            _ => Field::Lease(self.number("a lease number")?),
        };
        Ok(Compare { keys, relation, field })
    }

    fn keys(&mut self) -> Result<Keys, ParseError> {
        let first = self.bytes("a key")?;
        if !self.peek().is_some_and(|token| token.glued && token.kind == Kind::Sign("..")) {
            return Ok(Keys::One(first));
        }
        self.next += 1;
        let ends = |token: &Token| token.glued && !matches!(token.kind, Kind::Sign(_));
        if self.peek().is_some_and(ends) {
            Ok(Keys::Span(first, self.bytes("a key")?))
        } else {
            Ok(Keys::From(first))
        }
    }

    fn revision(&mut self) -> Result<At, ParseError> {
        const EXPECTED: &str = "a revision: a number, `rev`, `rev-1` or `rev+1`";
        let Some(Token { kind: Kind::Word(word), .. }) = self.peek() else {
            return Err(self.unexpected(EXPECTED));
        };
        let at = match word.strip_prefix("rev") {
            Some("") => Some(At::FromLast(0)),
            Some(distance) if distance.starts_with(['+', '-']) => {
                distance.parse().ok().map(At::FromLast)
            }
            Some(_) => None,
            None => word.parse().ok().map(At::Absolute),
        };
        let at = at.ok_or_else(|| self.unexpected(EXPECTED))?;
        self.next += 1;
        Ok(at)
    }

    fn number<N: FromStr>(&mut self, expected: &'static str) -> Result<N, ParseError> {
        let number = match self.peek().map(|token| &token.kind) {
            Some(Kind::Word(word)) => word.parse().ok(),
            Some(Kind::Quoted(_) | Kind::Sign(_)) | None => None,
        };
        let number = number.ok_or_else(|| self.unexpected(expected))?;
        self.next += 1;
        Ok(number)
    }

    fn bytes(&mut self, expected: &'static str) -> Result<Vec<u8>, ParseError> {
        let bytes = match self.peek().map(|token| &token.kind) {
            Some(Kind::Word(word)) => word.clone().into_bytes(),
            Some(Kind::Quoted(bytes)) => bytes.clone(),
            Some(Kind::Sign(_)) | None => return Err(self.unexpected(expected)),
        };
        self.next += 1;
        Ok(bytes)
    }

    /// Takes this word if it comes next.
    fn word(&mut self, word: &str) -> bool {
        let comes = self
            .peek()
            .is_some_and(|token| matches!(&token.kind, Kind::Word(next) if next == word));
        self.next += usize::from(comes);
        comes
    }

    /// Takes this sign if it comes next.
    fn sign(&mut self, sign: &str) -> bool {
        let comes =
            self.peek().is_some_and(|token| matches!(token.kind, Kind::Sign(next) if next == sign));
        self.next += usize::from(comes);
        comes
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    fn unexpected(&self, expected: &'static str) -> ParseError {
        match self.peek() {
            Some(token) => {
                ParseError { column: token.column, expected, found: token.kind.to_string() }
            }
            None => ParseError { column: self.end, expected, found: END.to_owned() },
        }
    }
}

mod usage;

pub(super) use usage::usage;

#[cfg(test)]
mod tests;
