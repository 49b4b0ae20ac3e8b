//! Operations and answers as the engine passes them on: with one line of text for each.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::op::Op;
use super::response::Outcome;

/// An operation of the workload, in the words of `text.rs`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Call(pub Op);

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Call {
    type Err = String;

    fn from_str(line: &str) -> Result<Call, String> {
        line.parse().map(Call).map_err(|error: super::ParseError| error.to_string())
    }
}

/// What a client learned: an answer, or the reason why the store refused. A refused operation had no effect.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ret(pub Arc<Outcome>);

impl fmt::Display for Ret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Ok(response) => response.fmt(f),
            Err(refusal) => write!(f, "refused: {refusal}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::response::{OpError, Response};
    use super::*;

    #[test]
    fn a_call_prints_and_parses_to_itself_and_bad_words_say_what_was_expected() {
        for line in ["put a 1", "txn if a version = 0 then put a 1", "compact rev-1", "close"] {
            assert_eq!(line.parse::<Call>().expect(line).to_string(), line);
        }
        let error = "shut".parse::<Call>().expect_err("no such word");
        assert!(error.contains("expected one of `put"), "{error}");
    }

    #[test]
    fn an_answer_prints_as_itself_and_a_refusal_with_its_reason() {
        let ret = |outcome| Ret(Arc::new(outcome)).to_string();
        assert_eq!(ret(Ok(Response::Put { revision: 2 })), "put: revision 2");
        assert_eq!(ret(Err(OpError::EmptyKey)), "refused: key is empty");
    }
}
