//! TOML with places: typed values of a table, each with the line where it stands.

use super::InputError;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A text and what the user calls it.
pub(super) struct Source<'a> {
    pub(super) text: &'a str,
    pub(super) file: &'a str,
}

/// A value and where it stands, in bytes from the start of the text.
pub(super) struct At<T> {
    pub(super) what: T,
    pub(super) place: Range<usize>,
}

impl<'a> Source<'a> {
    /// The whole text as a table.
    pub(super) fn table(&self) -> Result<DeTable<'a>, InputError> {
        let parsed = DeTable::parse(self.text).map(Spanned::into_inner);
        parsed.map_err(|error| {
            let end = self.text.len();
            let place = error.span().unwrap_or(end..end);
            self.wrong(&place, format!("expected TOML: {}", error.message()))
        })
    }

    /// What is wrong at a place.
    pub(super) fn wrong(&self, place: &Range<usize>, message: String) -> InputError {
        let before = &self.text.as_bytes()[..place.start.min(self.text.len())];
        let line = before.iter().filter(|b| **b == b'\n').count() + 1;
        InputError { file: self.file.into(), line, message }
    }

    /// What is wrong with the text as a whole.
    pub(super) fn wrong_at_all(&self, message: String) -> InputError {
        InputError { file: self.file.into(), line: 0, message }
    }
}

/// A table whose keys are known.
pub(super) struct Fields<'s, 'a> {
    pub(super) source: &'s Source<'a>,
    table: Option<&'s DeTable<'a>>,
    /// How messages call a key of this table: `[run] ` or nothing.
    prefix: String,
}

impl<'s, 'a> Fields<'s, 'a> {
    /// The table at the top.
    pub(super) fn top(source: &'s Source<'a>, table: &'s DeTable<'a>) -> Fields<'s, 'a> {
        Fields { source, table: Some(table), prefix: String::new() }
    }

    /// The table below a key; an empty one if there is none.
    pub(super) fn below(&self, key: &str) -> Result<Fields<'s, 'a>, InputError> {
        let table = match self.get(key) {
            None => None,
            Some(value) => match value.get_ref() {
                DeValue::Table(table) => Some(table),
                other => return Err(self.mistyped(key, value.span(), "a table", other)),
            },
        };
        Ok(Fields { source: self.source, table, prefix: format!("[{key}] ") })
    }

    /// All keys with their places.
    pub(super) fn keys(&self) -> impl Iterator<Item = At<&'s str>> {
        let keys = self.table.into_iter().flat_map(DeTable::keys);
        keys.map(|key| At { what: key.get_ref().as_ref(), place: key.span() })
    }

    /// Refuses keys that are not among these.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), InputError> {
        match self.keys().find(|key| !known.contains(&key.what)) {
            None => Ok(()),
            Some(key) => {
                let known = if known.is_empty() { "no key".into() } else { known.join(" ") };
                let message = format!("expected {}{known}, found `{}`", self.prefix, key.what);
                Err(self.source.wrong(&key.place, message))
            }
        }
    }

    fn get(&self, key: &str) -> Option<&'s Spanned<DeValue<'a>>> {
        self.table?.get(key)
    }

    /// What is there instead of a value that must be there.
    pub(super) fn missing(&self, key: &str, expected: &str) -> InputError {
        let message = format!("expected `{}{key}`: {expected}", self.prefix);
        self.source.wrong_at_all(message)
    }

    fn mistyped(
        &self,
        key: &str,
        place: Range<usize>,
        expected: &str,
        found: &DeValue<'_>,
    ) -> InputError {
        let message =
            format!("expected `{}{key}` to be {expected}, found {}", self.prefix, a_type(found));
        self.source.wrong(&place, message)
    }

    /// Whether there is a list at a key, rather than something else or nothing.
    pub(super) fn has_list(&self, key: &str) -> bool {
        self.get(key).is_some_and(|value| value.get_ref().is_array())
    }

    /// A text.
    pub(super) fn text(&self, key: &str) -> Result<Option<At<&'s str>>, InputError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        match value.get_ref() {
            DeValue::String(text) => Ok(Some(At { what: text, place: value.span() })),
            other => Err(self.mistyped(key, value.span(), "a text in quotes", other)),
        }
    }

    /// A whole number. One that TOML has no room for may stand in quotes.
    pub(super) fn number(
        &self,
        key: &str,
        bounds: std::ops::RangeInclusive<u64>,
    ) -> Result<Option<At<u64>>, InputError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let (least, most) = (bounds.start(), bounds.end());
        let expected = format!("a whole number from {least} to {most}");
        let number = match value.get_ref() {
            DeValue::Integer(n) => u64::from_str_radix(n.as_str(), n.radix()).ok(),
            DeValue::String(text) if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
            other => return Err(self.mistyped(key, value.span(), &expected, other)),
        };
        match number.filter(|n| bounds.contains(n)) {
            Some(what) => Ok(Some(At { what, place: value.span() })),
            None => {
                let found = &self.source.text[value.span()];
                let message =
                    format!("expected `{}{key}` to be {expected}, found {found}", self.prefix);
                Err(self.source.wrong(&value.span(), message))
            }
        }
    }

    /// A list of texts; an empty one if there is none.
    pub(super) fn texts(&self, key: &str) -> Result<Vec<At<&'s str>>, InputError> {
        let mut texts = Vec::new();
        for value in self.list(key, "a list of texts")? {
            match value.get_ref() {
                DeValue::String(text) => texts.push(At { what: &**text, place: value.span() }),
                other => return Err(self.mistyped(key, value.span(), "a list of texts", other)),
            }
        }
        Ok(texts)
    }

    /// A list of numbers below 2^32; an empty one if there is none.
    pub(super) fn numbers(&self, key: &str) -> Result<Vec<At<u32>>, InputError> {
        const EXPECTED: &str = "a list of whole numbers below 4294967296";
        let mut numbers = Vec::new();
        for value in self.list(key, EXPECTED)? {
            let number = match value.get_ref() {
                DeValue::Integer(n) => u32::from_str_radix(n.as_str(), n.radix()).ok(),
                _ => None,
            };
            match number {
                Some(what) => numbers.push(At { what, place: value.span() }),
                None => {
                    return Err(self.mistyped(key, value.span(), EXPECTED, value.get_ref()));
                }
            }
        }
        Ok(numbers)
    }

    fn list(
        &self,
        key: &str,
        expected: &str,
    ) -> Result<impl Iterator<Item = &'s Spanned<DeValue<'a>>> + use<'s, 'a>, InputError> {
        let list = match self.get(key) {
            None => None,
            Some(value) => match value.get_ref() {
                DeValue::Array(list) => Some(list),
                other => return Err(self.mistyped(key, value.span(), expected, other)),
            },
        };
        Ok(list.into_iter().flatten())
    }
}

fn a_type(value: &DeValue<'_>) -> String {
    match value {
        DeValue::Integer(n) => format!("{n}"),
        DeValue::Boolean(b) => format!("{b}"),
        DeValue::String(text) => format!("the text {text:?}"),
        DeValue::Array(_) => "a list".into(),
        DeValue::Table(_) => "a table".into(),
        DeValue::Float(_) => "a number with a fraction".into(),
        DeValue::Datetime(_) => "a date".into(),
    }
}
