//! From the bytes of a history to a report for people.

use super::format::{self, Format, InputError, Ledger, Record, text};
use super::linear::{Held, Operation, Refutation, Sequential, Verdict, check};
use super::register::Register;
use super::store::Store;

/// What there is to say about a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The form that the history is in.
    pub format: Format,
    /// How many operations may have taken effect.
    pub operations: usize,
    /// How many of them have an unknown outcome.
    pub unknown: usize,
    /// Whether the history is linearizable. Operations are indices into those that may have taken effect.
    pub verdict: Verdict<String>,
    /// Why, in lines; empty if it is linearizable.
    pub explanation: Vec<String>,
}

/// Checks the history that is written in `bytes`, in any of the forms of [`format`](mod@format), within
/// `budget` steps. See [`check`] for the size of a step.
///
/// # Errors
///
/// The first thing in `bytes` that is not part of a history.
pub fn check_text(bytes: impl AsRef<[u8]>, budget: u64) -> Result<Report, InputError> {
    let (format, ledger) = format::parse(bytes.as_ref())?;
    let strings = ledger.strings();
    let unseen = || "one that nobody reads".to_owned();
    let (verdict, explanation) = if strings.is_empty() {
        judge(
            &Register::new(),
            &ledger,
            &ledger.registers(),
            |state: &Held<Option<String>>| match state {
                Held::This(value) => text::value(value.as_deref()),
                Held::Unseen => unseen(),
            },
            budget,
        )
    } else {
        judge(
            &Store,
            &ledger,
            &strings,
            |state: &Held<String>| match state {
                Held::This(string) => text::value(Some(string)),
                Held::Unseen => unseen(),
            },
            budget,
        )
    };
    let records = ledger.records();
    let unknown = records.iter().filter(|record| record.returned.is_none()).count();
    Ok(Report { format, operations: records.len(), unknown, verdict, explanation })
}

fn judge<S: Sequential<Key = String>>(
    spec: &S,
    ledger: &Ledger,
    history: &[Operation<S::Op, S::Ret>],
    print: impl Fn(&S::State) -> String,
    budget: u64,
) -> (Verdict<String>, Vec<String>) {
    let verdict = check(spec, history, budget);
    let explanation = match &verdict {
        Verdict::Linearizable => Vec::new(),
        Verdict::Inconclusive { steps } => {
            vec![format!("gave up after {steps} steps; a larger budget may decide it")]
        }
        Verdict::NotLinearizable(refuted) => {
            let state = print(&state_after(spec, history, refuted));
            explain(ledger.records(), refuted, &state)
        }
    };
    (verdict, explanation)
}

/// The state after the longest order that was found.
fn state_after<S: Sequential<Key = String>>(
    spec: &S,
    history: &[Operation<S::Op, S::Ret>],
    refuted: &Refutation<String>,
) -> S::State {
    let mut state = spec.initial(&refuted.key);
    for &index in &refuted.order {
        let Operation { op, returned, .. } = &history[index];
        // An operation that returned too late to count may have been placed with another answer.
        let answered = returned.as_ref().and_then(|(_, ret)| spec.step(&state, op, Some(ret)));
        state = answered.or_else(|| spec.step(&state, op, None)).unwrap_or(state);
    }
    state
}

/// How many operations of an order are shown: the last ones matter.
const SHOWN: usize = 12;

fn explain(records: &[Record], refuted: &Refutation<String>, state: &str) -> Vec<String> {
    let Refutation { key, unplaced, open, order } = refuted;
    let key = text::value(Some(key));
    let mut lines = vec![format!("key {key}: no order of the operations explains every answer")];
    let mut list = |title: String, operations: &[usize]| {
        if !operations.is_empty() {
            lines.push(title);
            lines.extend(operations.iter().map(|&index| format!("  {}", records[index])));
        }
    };
    let title = match unplaced[..] {
        [_] => "cannot be placed:",
        _ => "cannot all be placed (the budget did not suffice to say which):",
    };
    list(title.to_owned(), unplaced);
    list("not returned by then, so free to come before it, later, or never:".to_owned(), open);
    let title = match order.len() {
        all @ 0..=SHOWN => format!("an order that explains all before it, {all} operations:"),
        all => {
            format!("an order that explains all before it, {all} operations, of which the last:")
        }
    };
    list(title, &order[order.len().saturating_sub(SHOWN)..]);
    lines.push(format!("the value after that order: {state}"));
    lines
}

impl std::fmt::Display for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let operation = text::name(&self.key, &self.call);
        let (process, from) = (self.process, self.invoked);
        match &self.returned {
            Some((to, answer)) => {
                let answer = text::answered(answer);
                write!(f, "c{process} {operation}{answer} (lines {from} to {to})")
            }
            None => write!(f, "c{process} {operation} (line {from}, outcome unknown)"),
        }
    }
}
