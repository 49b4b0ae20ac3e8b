//! The operations of a history, made from its events.

use std::collections::BTreeMap;
use std::mem::discriminant;

use super::text::name;
use super::{Answer, Call, Event, InputError, Outcome, Stage};
use crate::judge::linear::Operation;
use crate::judge::register::{RegisterOp, RegisterRet};
use crate::judge::store::{StoreOp, StoreRet};

/// One operation of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The client.
    pub process: u64,
    /// What it is about.
    pub key: String,
    /// What was asked.
    pub call: Call,
    /// The line of its invocation.
    pub invoked: usize,
    /// The line of its return and the answer; `None` if the outcome is unknown.
    pub returned: Option<(usize, Answer)>,
}

impl Record {
    /// The operation as it is written in a history.
    fn named(&self) -> String {
        name(&self.key, &self.call)
    }
}

/// The operations of a history in the order of their invocations, all on registers or all on strings.
/// Those that failed are left out; those that never returned have an unknown outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    records: Vec<Record>,
}

impl Ledger {
    /// The ledger of `events`, each with its line.
    ///
    /// # Errors
    ///
    /// An invocation by a process whose last operation has not returned, a return without an invocation
    /// or of another operation, an answer of the wrong kind, or operations on registers and on strings.
    pub fn of(events: &[(usize, Event)]) -> Result<Self, InputError> {
        let mut builder = Builder::default();
        for (line, Event { process, stage, key, call }) in events {
            let Stage::Return(outcome) = stage else {
                builder.invoke(*line, *process, key.clone(), call.clone())?;
                continue;
            };
            let open = builder.open(*line, *process)?;
            if (&open.key, &open.call) != (key, call) {
                return Err(open.mismatch(*line, format!("`{}`", name(key, call))));
            }
            builder.close(*line, *process, outcome.clone())?;
        }
        Ok(builder.finish())
    }

    /// The operations.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The operations on registers, which are all or none.
    pub fn registers(&self) -> Vec<Operation<RegisterOp<String, String>, RegisterRet<String>>> {
        let converted = self.records.iter().filter_map(|record| {
            let Call::Register(call) = record.call.clone() else {
                return None;
            };
            let op = RegisterOp { key: record.key.clone(), call };
            Some(record.operation(op, |answer| match answer {
                Answer::Register(ret) => Some(ret),
                Answer::Store(_) => None,
            }))
        });
        converted.collect()
    }

    /// The operations on strings, which are all or none.
    pub fn strings(&self) -> Vec<Operation<StoreOp, StoreRet>> {
        let converted = self.records.iter().filter_map(|record| {
            let Call::Store(call) = record.call.clone() else {
                return None;
            };
            let op = StoreOp { key: record.key.clone(), call };
            Some(record.operation(op, |answer| match answer {
                Answer::Store(ret) => Some(ret),
                Answer::Register(_) => None,
            }))
        });
        converted.collect()
    }
}

impl Record {
    fn operation<Op, Ret>(
        &self,
        op: Op,
        ret: impl Fn(Answer) -> Option<Ret>,
    ) -> Operation<Op, Ret> {
        let returned = self.returned.clone();
        let returned = returned.and_then(|(line, answer)| Some((line as u64, ret(answer)?)));
        Operation { process: self.process, op, invoked: self.invoked as u64, returned }
    }

    /// The error of a return at `line` that is of the operation `found`.
    pub(super) fn mismatch(&self, line: usize, found: impl Into<String>) -> InputError {
        let Self { process, invoked, .. } = self;
        let open = self.named();
        let expected =
            format!("the return of `{open}`, which c{process} invoked at line {invoked}");
        InputError::about(line, expected, found)
    }
}

/// Builds a ledger line by line.
#[derive(Default)]
pub(super) struct Builder {
    /// `None` is an operation that failed.
    records: Vec<Option<Record>>,
    /// By process: its operation under way.
    open: BTreeMap<u64, usize>,
    /// The first call; all others are on the same kind of thing.
    first: Option<Call>,
}

impl Builder {
    /// Begins an operation of `process`.
    pub(super) fn invoke(
        &mut self,
        line: usize,
        process: u64,
        key: String,
        call: Call,
    ) -> Result<(), InputError> {
        if let Ok(open) = self.open(line, process) {
            return Err(open.mismatch(line, "another invocation"));
        }
        let first = self.first.get_or_insert_with(|| call.clone());
        if discriminant(first) != discriminant(&call) {
            let expected = match first {
                Call::Register(_) => "read, write or cas, as in the lines before",
                Call::Store(_) => "get, put or append, as in the lines before",
            };
            return Err(InputError::about(line, expected, format!("`{}`", name(&key, &call))));
        }
        self.open.insert(process, self.records.len());
        self.records.push(Some(Record { process, key, call, invoked: line, returned: None }));
        Ok(())
    }

    /// The operation under way of `process`.
    pub(super) fn open(&self, line: usize, process: u64) -> Result<&Record, InputError> {
        let open = self.open.get(&process).and_then(|&at| self.records[at].as_ref());
        open.ok_or_else(|| {
            let expected = format!("an invocation by c{process} before its return");
            InputError::about(line, expected, "a return")
        })
    }

    /// Ends the operation under way of `process`.
    pub(super) fn close(
        &mut self,
        line: usize,
        process: u64,
        outcome: Outcome,
    ) -> Result<(), InputError> {
        let open = self.open(line, process)?;
        if matches!(&outcome, Outcome::Ok(answer) if !open.call.takes(answer)) {
            return Err(open.mismatch(line, "an answer to something else"));
        }
        if let Some(at) = self.open.remove(&process) {
            match (outcome, &mut self.records[at]) {
                (Outcome::Ok(answer), Some(record)) => record.returned = Some((line, answer)),
                (Outcome::Failed, failed) => *failed = None,
                (Outcome::Ok(_), None) | (Outcome::Unknown, _) => {}
            }
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Ledger {
        Ledger { records: self.records.into_iter().flatten().collect() }
    }
}
