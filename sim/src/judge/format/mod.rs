//! Recorded client histories as text, in three forms that are recognised by their content.
//!
//! - [`text`]: our own, one event per line, made to be read;
//! - [`jepsen`]: the log of a Jepsen test of a compare-and-set register;
//! - [`edn`]: EDN maps, one per line, as Jepsen's tools write histories.
//!
//! All of them come down to a [`Ledger`]: who asked what at which line, and what was answered at which
//! line. The line number is the position of an event in the history.

pub mod edn;
mod entry;
pub mod jepsen;
mod ledger;
#[cfg(test)]
mod tests;
pub mod text;
mod value;
mod words;

use std::fmt;

pub use ledger::{Ledger, Record};

use super::register::{RegisterCall, RegisterRet};
use super::store::{StoreCall, StoreRet};

/// The forms of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Our own form, see [`text`].
    Text,
    /// The log of a Jepsen test, see [`jepsen`].
    JepsenLog,
    /// EDN maps, see [`edn`].
    Edn,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "client history",
            Self::JepsenLog => "Jepsen log",
            Self::Edn => "EDN maps",
        })
    }
}

/// What is wrong with a history that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: expected {expected}, found {found}")]
pub struct InputError {
    /// The line, counted from 1.
    pub line: usize,
    /// What should have been there.
    pub expected: String,
    /// What is there, shortened.
    pub found: String,
}

impl InputError {
    /// An error at `line` that quotes `found`, or says that the line ends there if it is empty.
    fn new(line: usize, expected: impl Into<String>, found: &str) -> Self {
        let found = found.trim();
        let short: String = found.chars().take(40).collect();
        let found = match (short.is_empty(), short.len() < found.len()) {
            (true, _) => "the end of the line".to_owned(),
            (false, true) => format!("{short:?}..."),
            (false, false) => format!("{short:?}"),
        };
        Self { line, expected: expected.into(), found }
    }

    /// An error at `line` about something that is not a piece of it.
    fn about(line: usize, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { line, expected: expected.into(), found: found.into() }
    }
}

/// An operation of a client. The key stands beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// On a register.
    Register(RegisterCall<String>),
    /// On a string.
    Store(StoreCall),
}

/// What an operation answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// An operation on a register.
    Register(RegisterRet<String>),
    /// An operation on a string.
    Store(StoreRet),
}

impl Call {
    /// Whether `answer` is of the kind that this operation gives.
    pub fn takes(&self, answer: &Answer) -> bool {
        use {Answer as A, Call as C};
        match (self, answer) {
            (C::Register(RegisterCall::Read), A::Register(RegisterRet::Value(_)))
            | (C::Register(RegisterCall::Write(_)), A::Register(RegisterRet::Written))
            | (C::Register(RegisterCall::CompareAndSet { .. }), A::Register(RegisterRet::Set(_)))
            | (C::Store(StoreCall::Get), A::Store(StoreRet::Value(_)))
            | (C::Store(StoreCall::Put(_) | StoreCall::Append(_)), A::Store(StoreRet::Done)) => {
                true
            }
            (C::Register(_) | C::Store(_), A::Register(_) | A::Store(_)) => false,
        }
    }
}

/// How an operation ended for its client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It took effect and answered.
    Ok(Answer),
    /// It certainly had no effect, and showed nothing.
    Failed,
    /// The client gave up; the operation may take effect at any later time, or never.
    Unknown,
}

/// Which end of an operation an event is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The client asks.
    Invoke,
    /// The client has an outcome.
    Return(Outcome),
}

/// One line of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The client. After an unknown outcome its next operation is that of a new process, whether the
    /// number changes or not.
    pub process: u64,
    /// What the event says about the operation.
    pub stage: Stage,
    /// What the operation is about.
    pub key: String,
    /// The operation.
    pub call: Call,
}

/// Reads a history in any of the forms.
///
/// # Errors
///
/// The first thing that is wrong: bytes that are not UTF-8, no events at all, a line that is in none of
/// the forms or not in the form of the first, or an event that does not fit those before it.
pub fn parse(bytes: &[u8]) -> Result<(Format, Ledger), InputError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let valid = &bytes[..error.valid_up_to()];
        let line = 1 + valid.iter().filter(|&&byte| byte == b'\n').count();
        let byte = bytes[error.valid_up_to()];
        InputError::about(line, "UTF-8 text", format!("the byte 0x{byte:02x}"))
    })?;
    let format = recognise(text)?;
    let ledger = match format {
        Format::Text => Ledger::of(&text::parse(text)?)?,
        Format::JepsenLog => jepsen::parse(text)?,
        Format::Edn => edn::parse(text)?,
    };
    Ok((format, ledger))
}

/// Tells the form by the first line that is neither empty nor a comment.
fn recognise(text: &str) -> Result<Format, InputError> {
    const ANY: &str = "a history: lines such as `c0 invoke read a`, a Jepsen log, or EDN maps";
    let content = |line: &&str| !line.is_empty() && !line.starts_with(['#', ';']);
    let mut lines = text.lines().map(str::trim).enumerate();
    let Some((at, line)) = lines.find(|(_, line)| content(line)) else {
        return Err(InputError::about(1, ANY, "nothing"));
    };
    if line.starts_with('{') {
        Ok(Format::Edn)
    } else if line.starts_with("INFO") {
        Ok(Format::JepsenLog)
    } else if line.starts_with('c') {
        Ok(Format::Text)
    } else {
        Err(InputError::new(at + 1, ANY, line))
    }
}
