//! The log of a Jepsen test of one compare-and-set register.
//!
//! ```text
//! INFO  jepsen.util - 0   :invoke   :write   3
//! INFO  jepsen.util - 1   :invoke   :cas     [3 4]
//! INFO  jepsen.util - 0   :ok       :write   3
//! INFO  jepsen.util - 1   :info     :cas     :timed-out
//! INFO  jepsen.util - 6   :invoke   :read    nil
//! INFO  jepsen.util - 6   :ok       :read    4
//! ```
//!
//! `:fail` on a `:cas` that repeats its values means that the register had another value than expected;
//! any other `:fail` means that the operation had no effect and showed nothing. `:info` means that the
//! outcome is unknown; the process goes on with a new number, or with its old one. `nil` is "no value".
//! Lines of processes that have a name instead of a number are not operations, and are passed over.

use super::entry::{Entry, keyword, process};
use super::ledger::{Builder, Ledger};
use super::value::{Value, read};
use super::{Format, InputError};

/// Reads a log.
///
/// # Errors
///
/// The first line that is not of this form, or does not fit those before it.
pub fn parse(text: &str) -> Result<Ledger, InputError> {
    let mut builder = Builder::default();
    for (at, content) in text.lines().enumerate() {
        let content = content.trim();
        if content.is_empty() {
            continue;
        }
        if let Some(entry) = entry(at + 1, content)? {
            entry.add_to(&mut builder)?;
        }
    }
    Ok(builder.finish())
}

fn entry(line: usize, content: &str) -> Result<Option<Entry>, InputError> {
    let form = || {
        format!(
            "a line of a {}: INFO jepsen.util - PROCESS :TYPE :FUNCTION VALUE",
            Format::JepsenLog
        )
    };
    let rest = content.strip_prefix("INFO").map(str::trim_start);
    let rest = rest.and_then(|rest| rest.strip_prefix("jepsen.util")).map(str::trim_start);
    let Some(rest) = rest.and_then(|rest| rest.strip_prefix("- ")) else {
        return Err(InputError::new(line, form(), content));
    };
    let values = read(line, rest)?;
    let (Some(who), true) = (values.first(), values.len() >= 4) else {
        return Err(InputError::new(line, form(), content));
    };
    let Some(process) = process(line, who)? else {
        return Ok(None);
    };
    let kind = keyword(line, "one of :invoke, :ok, :fail, :info", &values[1])?;
    let function = keyword(line, "one of :read, :write, :cas", &values[2])?;
    if !["read", "write", "cas"].contains(&function.as_str()) {
        return Err(InputError::new(line, "one of :read, :write, :cas", &function));
    }
    let named = match &values[3..] {
        [Value::Keyword(word)] => Some(format!(":{word}")),
        [_] => None,
        _ => Some("more than a value".to_owned()),
    };
    let error = named.is_some();
    if let Some(found) = named.filter(|_| !["fail", "info"].contains(&kind.as_str())) {
        return Err(InputError::about(line, "a value and no error", found));
    }
    let value = values[3].clone();
    Ok(Some(Entry { line, process, kind, function, key: None, value, error }))
}
