//! Our own form of a history: one event per line, made to be read and edited.
//!
//! ```text
//! # Two clients and two registers. Empty lines and lines that begin with # do not count.
//! c0 invoke write a 1
//! c1 invoke cas a 1 2
//! c0 ok write a 1
//! c1 ok cas a 1 2 = true
//! c0 invoke read a
//! c0 ok read a = 2
//! c1 invoke write b "two words"
//! c1 unknown write b "two words"
//! c0 invoke read b
//! c0 ok read b = nil
//! ```
//!
//! A line is a client (`c` and a number), a stage, an operation and, if there is one, `=` and the answer.
//!
//! | stage | meaning |
//! |---|---|
//! | `invoke` | the client asks |
//! | `ok` | the operation took effect and answered |
//! | `failed` | it certainly had no effect and showed nothing |
//! | `unknown` | the client gave up: it may take effect at any later time, or never |
//!
//! | operation | answer |
//! |---|---|
//! | `read KEY` | a value |
//! | `write KEY VALUE` | |
//! | `cas KEY EXPECTED NEW` | `true`, or `false` if the register did not have the expected value |
//! | `get KEY` | a string; that of an absent key is empty |
//! | `put KEY STRING` | |
//! | `append KEY STRING` | |
//!
//! A history has either registers (`read`, `write`, `cas`) or strings (`get`, `put`, `append`). A value is
//! a word or `nil`, which means "no value"; a register begins with it. A word of other characters than
//! letters, digits and `_.:/@+-`, an empty one, and the word "nil" stand in quotes, with `\n`, `\r`,
//! `\t`, `\"`, `\\` and `\u{1f}` for what cannot stand there. A return repeats its operation. After
//! `unknown` a client may go on under its number. An operation that never returns is `unknown`.

use super::words::{NIL, Word, quote, split};
use super::{Answer, Call, Event, InputError, Outcome, Stage};
use crate::judge::register::{RegisterCall, RegisterRet};
use crate::judge::store::{StoreCall, StoreRet};

/// Prints events, one per line. [`parse`] gives them back.
pub fn print<'a>(events: impl IntoIterator<Item = &'a Event>) -> String {
    let mut out = String::new();
    for event in events {
        let Event { process, stage, key, call } = event;
        let (stage, answer) = match stage {
            Stage::Invoke => ("invoke", String::new()),
            Stage::Return(Outcome::Ok(answer)) => ("ok", answered(answer)),
            Stage::Return(Outcome::Failed) => ("failed", String::new()),
            Stage::Return(Outcome::Unknown) => ("unknown", String::new()),
        };
        out.push_str(&format!("c{process} {stage} {}{answer}\n", name(key, call)));
    }
    out
}

/// An operation as it is written, for instance `write a 1`.
pub(crate) fn name(key: &str, call: &Call) -> String {
    let key = value(Some(key));
    match call {
        Call::Register(RegisterCall::Read) => format!("read {key}"),
        Call::Register(RegisterCall::Write(new)) => {
            format!("write {key} {}", value(new.as_deref()))
        }
        Call::Register(RegisterCall::CompareAndSet { expected, new }) => {
            format!("cas {key} {} {}", value(expected.as_deref()), value(new.as_deref()))
        }
        Call::Store(StoreCall::Get) => format!("get {key}"),
        Call::Store(StoreCall::Put(string)) => format!("put {key} {}", value(Some(string))),
        Call::Store(StoreCall::Append(string)) => format!("append {key} {}", value(Some(string))),
    }
}

/// An answer as it is written, with its `=`; empty if there is nothing to say.
pub(crate) fn answered(answer: &Answer) -> String {
    match answer {
        Answer::Register(RegisterRet::Value(read)) => format!(" = {}", value(read.as_deref())),
        Answer::Register(RegisterRet::Set(set)) => format!(" = {set}"),
        Answer::Store(StoreRet::Value(string)) => format!(" = {}", value(Some(string))),
        Answer::Register(RegisterRet::Written) | Answer::Store(StoreRet::Done) => String::new(),
    }
}

/// A value as it is written.
pub(crate) fn value(value: Option<&str>) -> String {
    value.map_or_else(|| NIL.to_owned(), quote)
}

/// Reads events, each with its line.
///
/// # Errors
///
/// The first line that is not an event. Whether the events fit together is not looked at.
pub fn parse(text: &str) -> Result<Vec<(usize, Event)>, InputError> {
    let mut events = Vec::new();
    for (at, content) in text.lines().enumerate() {
        let content = content.trim();
        if !content.is_empty() && !content.starts_with('#') {
            let words = split(at + 1, content)?;
            events.push((at + 1, Line { number: at + 1, words: &words }.event()?));
        }
    }
    Ok(events)
}

/// The words of a line that are still to be read.
struct Line<'a> {
    number: usize,
    words: &'a [Word],
}

impl Line<'_> {
    fn event(mut self) -> Result<Event, InputError> {
        let process = self.process()?;
        let stage = self.bare("one of invoke, ok, failed, unknown")?;
        let (key, call) = self.call()?;
        let stage = match stage.as_str() {
            "invoke" => Stage::Invoke,
            "ok" => Stage::Return(Outcome::Ok(self.answer(&call)?)),
            "failed" => Stage::Return(Outcome::Failed),
            "unknown" => Stage::Return(Outcome::Unknown),
            other => return Err(self.wrong("one of invoke, ok, failed, unknown", other)),
        };
        match self.words.first() {
            None => Ok(Event { process, stage, key, call }),
            Some(word) => Err(self.wrong("the end of the line", &shown(word))),
        }
    }

    fn process(&mut self) -> Result<u64, InputError> {
        let expected = "a client: c and a number below 2^64";
        let word = self.bare(expected)?;
        let number = word.strip_prefix('c').filter(|digits| !digits.starts_with('+'));
        number.and_then(|digits| digits.parse().ok()).ok_or_else(|| self.wrong(expected, &word))
    }

    fn call(&mut self) -> Result<(String, Call), InputError> {
        let expected = "one of read, write, cas, get, put, append";
        let verb = self.bare(expected)?;
        if !["read", "write", "cas", "get", "put", "append"].contains(&verb.as_str()) {
            return Err(self.wrong(expected, &verb));
        }
        let key = self.string("a key")?;
        let call = match verb.as_str() {
            "read" => Call::Register(RegisterCall::Read),
            "write" => Call::Register(RegisterCall::Write(self.value("a value or nil")?)),
            "cas" => Call::Register(RegisterCall::CompareAndSet {
                expected: self.value("the expected value or nil")?,
                new: self.value("the new value or nil")?,
            }),
            "get" => Call::Store(StoreCall::Get),
            "put" => Call::Store(StoreCall::Put(self.string("a string")?)),
            _ => Call::Store(StoreCall::Append(self.string("a string")?)),
        };
        Ok((key, call))
    }

    fn answer(&mut self, call: &Call) -> Result<Answer, InputError> {
        Ok(match call {
            Call::Register(RegisterCall::Read) => {
                self.equals()?;
                Answer::Register(RegisterRet::Value(self.value("a value or nil")?))
            }
            Call::Register(RegisterCall::CompareAndSet { .. }) => {
                self.equals()?;
                let word = self.bare("true or false")?;
                let set = word.parse().map_err(|_| self.wrong("true or false", &word))?;
                Answer::Register(RegisterRet::Set(set))
            }
            Call::Store(StoreCall::Get) => {
                self.equals()?;
                Answer::Store(StoreRet::Value(self.string("a string")?))
            }
            Call::Register(RegisterCall::Write(_)) => Answer::Register(RegisterRet::Written),
            Call::Store(StoreCall::Put(_) | StoreCall::Append(_)) => Answer::Store(StoreRet::Done),
        })
    }

    fn equals(&mut self) -> Result<(), InputError> {
        let expected = "= and the answer";
        match self.next(expected)? {
            Word::Equals => Ok(()),
            word => Err(self.wrong(expected, &shown(&word))),
        }
    }

    fn value(&mut self, expected: &str) -> Result<Option<String>, InputError> {
        match self.next(expected)? {
            Word::Bare(word) if word == NIL => Ok(None),
            Word::Bare(word) | Word::Quoted(word) => Ok(Some(word)),
            Word::Equals => Err(self.wrong(expected, "=")),
        }
    }

    fn string(&mut self, expected: &str) -> Result<String, InputError> {
        self.value(expected)?.ok_or_else(|| self.wrong(expected, NIL))
    }

    fn bare(&mut self, expected: &str) -> Result<String, InputError> {
        match self.next(expected)? {
            Word::Bare(word) => Ok(word),
            word => Err(self.wrong(expected, &shown(&word))),
        }
    }

    fn next(&mut self, expected: &str) -> Result<Word, InputError> {
        let (first, rest) = self.words.split_first().ok_or_else(|| self.wrong(expected, ""))?;
        self.words = rest;
        Ok(first.clone())
    }

    fn wrong(&self, expected: &str, found: &str) -> InputError {
        InputError::new(self.number, expected, found)
    }
}

fn shown(word: &Word) -> String {
    match word {
        Word::Bare(word) => word.clone(),
        Word::Quoted(word) => format!("\"{word}\""),
        Word::Equals => "=".to_owned(),
    }
}
