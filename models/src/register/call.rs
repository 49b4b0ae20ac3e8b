//! What clients ask, and what they are told.

use std::fmt;
use std::str::FromStr;

/// Names a register. Printed as a letter: `a` is key 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub u8);

/// How many keys have a letter.
const LETTERS: u8 = 26;

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < LETTERS {
            write!(f, "{}", char::from(b'a' + self.0))
        } else {
            // No operation names such a key; a damaged record may.
            write!(f, "key{}", self.0)
        }
    }
}

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Key, String> {
        match text.as_bytes() {
            [letter @ b'a'..=b'z'] => Ok(Key(letter - b'a')),
            _ => Err(format!("expected a key from a to z, found `{text}`")),
        }
    }
}

/// An operation, in the words of the seed file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// `read a`: answers the value.
    Read(Key),
    /// `write a 7`: replaces the value.
    Write(Key, u64),
}

impl Call {
    /// The register that it is about.
    #[must_use]
    pub const fn key(self) -> Key {
        match self {
            Call::Read(key) | Call::Write(key, _) => key,
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Call::Read(key) => write!(f, "read {key}"),
            Call::Write(key, value) => write!(f, "write {key} {value}"),
        }
    }
}

impl FromStr for Call {
    type Err = String;

    fn from_str(text: &str) -> Result<Call, String> {
        let words: Vec<&str> = text.split(' ').collect();
        match words[..] {
            ["read", key] => Ok(Call::Read(key.parse()?)),
            ["write", key, value] => Ok(Call::Write(key.parse()?, parse_value(value)?)),
            _ => Err(format!("expected `read KEY` or `write KEY VALUE`, found `{text}`")),
        }
    }
}

/// Only the digits that it would be printed with, so that print and parse are inverse.
fn parse_value(text: &str) -> Result<u64, String> {
    let value = text.parse::<u64>().ok().filter(|value| value.to_string() == text);
    value.ok_or_else(|| format!("expected a whole number below 2^64, found `{text}`"))
}

/// What an operation answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ret {
    /// A read: the value, or nothing if there was none.
    Value(Option<u64>),
    /// A write: done.
    Written,
}

impl fmt::Display for Ret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ret::Value(Some(value)) => write!(f, "{value}"),
            Ret::Value(None) => write!(f, "nothing"),
            Ret::Written => write!(f, "written"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Call, Key, LETTERS};
    use proptest::prelude::*;
    use proptest::test_runner::{Config, RngSeed};

    fn any_call() -> impl Strategy<Value = Call> {
        let key = || (0..LETTERS).prop_map(Key);
        let value = prop_oneof![0..9_u64, any::<u64>(), Just(u64::MAX)];
        let write = (key(), value).prop_map(|(key, value)| Call::Write(key, value));
        prop_oneof![key().prop_map(Call::Read), write]
    }

    proptest! {
        #![proptest_config(Config {
            cases: 2000, failure_persistence: None, rng_seed: RngSeed::Fixed(4151), ..Config::default()
        })]

        #[test]
        fn a_call_prints_and_parses_to_itself(call in any_call()) {
            prop_assert_eq!(call.to_string().parse(), Ok(call));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = String::from_utf8_lossy(&bytes).parse::<Call>();
        }

        #[test]
        fn what_a_text_means_prints_as_that_text(text in "(read|write) ?[a-c]? ?[0-9+-]{0,3}") {
            if let Ok(call) = text.parse::<Call>() {
                prop_assert_eq!(call.to_string(), text);
            }
        }
    }

    #[test]
    fn a_call_in_other_words_is_refused() {
        for text in
            ["", "read", "read A", "read ab", "read a b", "write a", "write a +1", "write a 01"]
        {
            let error = text.parse::<Call>().expect_err(text);
            assert!(error.contains("expected"), "{text}: {error}");
        }
    }
}
