//! Histories as EDN maps, one per line.
//!
//! ```text
//! {:process 0, :type :invoke, :f :append, :key "a", :value "x"}
//! {:process 1, :type :invoke, :f :get, :key "a", :value nil}
//! {:process 0, :type :ok, :f :append, :key "a", :value "x"}
//! {:process 1, :type :ok, :f :get, :key "a", :value "x"}
//! ```
//!
//! `:type` is one of `:invoke`, `:ok`, `:fail`, `:info`, and means what it means in the
//! [log](super::jepsen); a `:cas` that `:fail`s with an `:error` showed nothing. `:f` is one of `:get`,
//! `:put`, `:append`, all with a `:key`, or of `:read`, `:write`, `:cas`, where the key may be left out.
//! A `:get` that answers `nil` has got the empty string. Other entries of a map, and maps of a process
//! with a name, are passed over; comments begin with `;`.

use super::InputError;
use super::entry::{Entry, keyword, process, scalar};
use super::ledger::{Builder, Ledger};
use super::value::{Value, read};

/// Reads maps.
///
/// # Errors
///
/// The first line that is not a map of this form, or does not fit those before it.
pub fn parse(text: &str) -> Result<Ledger, InputError> {
    let mut builder = Builder::default();
    for (at, content) in text.lines().enumerate() {
        let values = read(at + 1, content)?;
        match &values[..] {
            [] => {}
            [Value::Map(pairs)] => {
                if let Some(entry) = entry(at + 1, pairs)? {
                    entry.add_to(&mut builder)?;
                }
            }
            _ => return Err(InputError::new(at + 1, "one EDN map per line", content)),
        }
    }
    Ok(builder.finish())
}

fn entry(line: usize, pairs: &[(Value, Value)]) -> Result<Option<Entry>, InputError> {
    let find = |name: &str| {
        let is_named = |key: &Value| matches!(key, Value::Keyword(word) if word == name);
        pairs.iter().find(|(key, _)| is_named(key)).map(|(_, value)| value)
    };
    let need = |name: &str| {
        let missing = || InputError::about(line, format!("a :{name}"), "a map without it");
        find(name).ok_or_else(missing)
    };
    let Some(process) = process(line, need("process")?)? else {
        return Ok(None);
    };
    let kind = keyword(line, "a :type of :invoke, :ok, :fail or :info", need("type")?)?;
    let function = keyword(line, "an :f such as :get or :read", need("f")?)?;
    let key = match find("key") {
        None => None,
        Some(key) => scalar(line, key)?,
    };
    let value = find("value").cloned().unwrap_or(Value::Nil);
    let error = find("error").is_some_and(|error| *error != Value::Nil);
    Ok(Some(Entry { line, process, kind, function, key, value, error }))
}
