//! What a line says in the forms that come from Jepsen, and what it means.

use super::ledger::{Builder, Record};
use super::value::Value;
use super::{Answer, Call, InputError, Outcome};
use crate::judge::register::{RegisterCall, RegisterRet};
use crate::judge::store::{StoreCall, StoreRet};

/// A line, taken apart.
pub(super) struct Entry {
    pub(super) line: usize,
    pub(super) process: u64,
    /// `invoke`, `ok`, `fail` or `info`.
    pub(super) kind: String,
    /// The function: `read`, `write`, `cas`, `get`, `put` or `append`.
    pub(super) function: String,
    pub(super) key: Option<String>,
    pub(super) value: Value,
    /// Whether the line names an error, so that a failure shows nothing.
    pub(super) error: bool,
}

impl Entry {
    /// Adds the line to a ledger.
    pub(super) fn add_to(self, builder: &mut Builder) -> Result<(), InputError> {
        if !["invoke", "ok", "fail", "info"].contains(&self.kind.as_str()) {
            let expected = "one of :invoke, :ok, :fail, :info";
            return Err(InputError::new(self.line, expected, &self.kind));
        }
        if self.kind == "invoke" {
            let call = self.call()?;
            let key = match (&self.key, &call) {
                (Some(key), _) => key.clone(),
                (None, Call::Register(_)) => "register".to_owned(),
                (None, Call::Store(_)) => {
                    return Err(InputError::about(self.line, "a :key", "a map without it"));
                }
            };
            return builder.invoke(self.line, self.process, key, call);
        }
        let open = builder.open(self.line, self.process)?;
        if self.function != function(&open.call)
            || self.key.as_ref().is_some_and(|key| *key != open.key)
        {
            let of = self.key.map(|key| format!(" of {key}")).unwrap_or_default();
            return Err(open.mismatch(self.line, format!("a :{}{of}", self.function)));
        }
        let outcome = match self.kind.as_str() {
            "ok" => Outcome::Ok(self.answer(open, true)?),
            // A compare-and-set that failed without an error has seen another value.
            "fail" if self.function == "cas" && !self.error => {
                Outcome::Ok(self.answer(open, false)?)
            }
            "fail" => Outcome::Failed,
            _ => Outcome::Unknown,
        };
        builder.close(self.line, self.process, outcome)
    }

    fn call(&self) -> Result<Call, InputError> {
        let Self { line, value, .. } = self;
        Ok(match self.function.as_str() {
            "read" => Call::Register(RegisterCall::Read),
            "write" => Call::Register(RegisterCall::Write(scalar(*line, value)?)),
            "cas" => {
                let Value::List(pair) = value else {
                    return Err(InputError::about(*line, "[EXPECTED NEW]", "another value"));
                };
                let [expected, new] = &pair[..] else {
                    let found = format!("a vector of {}", pair.len());
                    return Err(InputError::about(*line, "[EXPECTED NEW]", found));
                };
                let (expected, new) = (scalar(*line, expected)?, scalar(*line, new)?);
                Call::Register(RegisterCall::CompareAndSet { expected, new })
            }
            "get" => Call::Store(StoreCall::Get),
            "put" => Call::Store(StoreCall::Put(self.string()?)),
            "append" => Call::Store(StoreCall::Append(self.string()?)),
            other => {
                let expected = "one of :read, :write, :cas, :get, :put, :append";
                return Err(InputError::new(*line, expected, other));
            }
        })
    }

    /// The answer to `open`. Whatever does not only read repeats its arguments.
    fn answer(&self, open: &Record, set: bool) -> Result<Answer, InputError> {
        Ok(match &open.call {
            Call::Register(RegisterCall::Read) => {
                Answer::Register(RegisterRet::Value(scalar(self.line, &self.value)?))
            }
            Call::Store(StoreCall::Get) => {
                let string = scalar(self.line, &self.value)?.unwrap_or_default();
                Answer::Store(StoreRet::Value(string))
            }
            call if self.call()? != *call => {
                return Err(open.mismatch(self.line, "other arguments"));
            }
            Call::Register(RegisterCall::Write(_)) => Answer::Register(RegisterRet::Written),
            Call::Register(RegisterCall::CompareAndSet { .. }) => {
                Answer::Register(RegisterRet::Set(set))
            }
            Call::Store(StoreCall::Put(_) | StoreCall::Append(_)) => Answer::Store(StoreRet::Done),
        })
    }

    fn string(&self) -> Result<String, InputError> {
        let string = scalar(self.line, &self.value)?;
        string.ok_or_else(|| InputError::about(self.line, "a string", "nil"))
    }
}

/// The function of a call, as Jepsen names it.
fn function(call: &Call) -> &'static str {
    match call {
        Call::Register(RegisterCall::Read) => "read",
        Call::Register(RegisterCall::Write(_)) => "write",
        Call::Register(RegisterCall::CompareAndSet { .. }) => "cas",
        Call::Store(StoreCall::Get) => "get",
        Call::Store(StoreCall::Put(_)) => "put",
        Call::Store(StoreCall::Append(_)) => "append",
    }
}

/// A value of a register or a string.
pub(super) fn scalar(line: usize, value: &Value) -> Result<Option<String>, InputError> {
    let found = match value {
        Value::Nil => return Ok(None),
        Value::Symbol(word) | Value::String(word) => return Ok(Some(word.clone())),
        Value::Keyword(word) => format!("`:{word}`"),
        Value::List(_) => "a vector".to_owned(),
        Value::Map(_) => "a map".to_owned(),
    };
    Err(InputError::about(line, "a number, a string or nil", found))
}

/// The number of a process; `None` for one that has a name, such as the one that injects faults.
pub(super) fn process(line: usize, value: &Value) -> Result<Option<u64>, InputError> {
    let found = match value {
        Value::Keyword(_) => return Ok(None),
        Value::Symbol(word) => match word.parse() {
            Ok(number) if !word.starts_with('+') => return Ok(Some(number)),
            _ => word,
        },
        _ => "another value",
    };
    Err(InputError::new(line, "the number of a process", found))
}

/// A keyword, for instance the type of an event.
pub(super) fn keyword(line: usize, expected: &str, value: &Value) -> Result<String, InputError> {
    match value {
        Value::Keyword(word) => Ok(word.clone()),
        Value::Symbol(word) | Value::String(word) => Err(InputError::new(line, expected, word)),
        Value::Nil | Value::List(_) | Value::Map(_) => {
            Err(InputError::about(line, expected, "another value"))
        }
    }
}
