//! `history`: checks a recorded client history for linearizability.

use super::{Console, Status, Usage, args};
use crate::campaign::store::read_bytes;
use crate::judge::check_text;
use crate::judge::linear::Verdict;
use crate::report::document::{HistoryOf, shown};
use crate::report::number::counted;

/// The most bytes of a history; one of a million operations has some 100 MB.
const HISTORY_MAX: u64 = 256 << 20;

pub(super) fn run(asked: &args::History, console: &mut Console<'_>) -> Result<Status, Usage> {
    let file = shown(&asked.file);
    let bytes = read_bytes(&asked.file, HISTORY_MAX)?;
    let report = check_text(bytes, asked.steps).map_err(|error| {
        let (line, expected, found) = (error.line, error.expected, error.found);
        Usage(format!("{file}:{line}: expected {expected}, found {found}"))
    })?;
    let (verdict, status) = match report.verdict {
        Verdict::Linearizable => ("linearizable", Status::Clean),
        Verdict::NotLinearizable(_) => ("not linearizable", Status::Finding),
        Verdict::Inconclusive { .. } => ("inconclusive", Status::Undecided),
    };
    let operations = counted(report.operations, "operation");
    console.say(format_args!(
        "{file} ({}): {verdict}; {operations}, {} of unknown outcome",
        report.format, report.unknown
    ));
    report.explanation.iter().for_each(|line| console.say(format_args!("  {line}")));
    if status != Status::Clean {
        console.say(console.this_command());
    }
    console.document(&HistoryOf {
        file,
        format: report.format.to_string(),
        verdict,
        operations: report.operations,
        unknown: report.unknown,
        explanation: report.explanation,
    });
    Ok(status)
}
