//! Operations from text, as transcripts and seed files write them.

use std::str::FromStr;

use super::{Call, Count, Feed, State, Store, Update, Value, Verb};

/// The longest value that can be asked for, in bytes. Nodes refuse what is longer than [`Value::LEN_MAX`]; frames have room
/// for this.
const VALUE_MAX: usize = 100;

/// Refuses what begins like one of these forms, and is none of them.
///
/// # Errors
/// It names the form.
pub(crate) fn has_form(text: &str, forms: &[&str]) -> Result<(), String> {
    let verb = |text: &str| text.split(' ').next().map(str::to_owned);
    match forms.iter().find(|form| verb(form) == verb(text)) {
        Some(form) => Err(format!("expected `{form}`, found `{text}`")),
        None => Ok(()),
    }
}

impl FromStr for Call {
    type Err = String;

    fn from_str(text: &str) -> Result<Call, String> {
        let words: Vec<&str> = text.split(' ').collect();
        let call = match words[..] {
            ["feed", ref rest @ ..] => Call::Feed(parse_feed(rest)?),
            ["get", key] => Call::Get(key.parse()?),
            ["delete", key] => Call::Delete(key.parse()?),
            ["drop", vb] => Call::Drop(vb.parse()?),
            ["persist", vb] => Call::Persist(vb.parse()?),
            ["flush-all", vb] => Call::FlushAll(vb.parse()?),
            ["state", vb, state] => Call::State(vb.parse()?, word(&State::ALL, state)?),
            [verb @ ("incr" | "decr"), key, by, ref rest @ ..] => {
                let initial = match *rest {
                    [] => None,
                    ["initial", initial] => Some((number(initial)?, 0)),
                    ["initial", initial, "ttl", ttl] => Some((number(initial)?, small(ttl)?)),
                    _ => return Err(format!("expected `initial N ttl S` behind `{verb} {key}`")),
                };
                let (key, by) = (key.parse()?, number(by)?);
                Call::Count(Count { down: verb == "decr", key, by, initial })
            }
            [update @ ("start" | "complete" | "revert"), vb] => {
                Call::Update(word(&Update::ALL, update)?, vb.parse()?)
            }
            [verb, key, value, ref rest @ ..]
                if !value.is_empty() && Verb::ALL.iter().any(|(_, word)| *word == verb) =>
            {
                let (flags, expiry) = match *rest {
                    [] => (0, 0),
                    ["flags", flags] => (small(flags)?, 0),
                    ["ttl", ttl] => (0, small(ttl)?),
                    ["flags", flags, "ttl", ttl] => (small(flags)?, small(ttl)?),
                    _ => return Err(format!("expected `flags F ttl S` behind `{verb} {key}`")),
                };
                if value.len() > VALUE_MAX {
                    let len = value.len();
                    return Err(format!(
                        "expected a value of at most {VALUE_MAX} bytes, found {len}"
                    ));
                }
                let (verb, key) = (word(&Verb::ALL, verb)?, key.parse()?);
                Call::Store(Store { verb, key, value: Value::new(value), flags, expiry })
            }
            _ => return Err(expected(text)),
        };
        // Print and parse are inverse: what would be printed in other words is refused.
        let printed = call.to_string();
        if printed == text {
            Ok(call)
        } else {
            Err(format!("expected `{printed}`, found `{text}`"))
        }
    }
}

fn parse_feed(words: &[&str]) -> Result<Feed, String> {
    Ok(match *words {
        ["close"] => Feed::Close,
        ["hang-up"] => Feed::HangUp,
        ["lag", by] => Feed::Lag(small(by)?),
        ["delete", key] => Feed::Delete(key.parse()?),
        [update] => Feed::Update(word(&Update::ALL, update)?),
        ["set", ..] => match words.join(" ").parse()? {
            Call::Store(store) => Feed::Set(store),
            _ => return Err("expected `set KEY VALUE`".into()),
        },
        _ => {
            let found = words.join(" ");
            return Err(format!(
                "expected one of set, delete, close, start, complete, revert, hang-up, lag N behind `feed`, found `{found}`"
            ));
        }
    })
}

/// How each operation is written.
const FORMS: [(&str, &str); 17] = [
    ("get", "get KEY"),
    ("set", "set KEY VALUE [flags F] [ttl S]"),
    ("add", "add KEY VALUE [flags F] [ttl S]"),
    ("replace", "replace KEY VALUE [flags F] [ttl S]"),
    ("cas", "cas KEY VALUE [flags F] [ttl S]"),
    ("append", "append KEY VALUE"),
    ("prepend", "prepend KEY VALUE"),
    ("incr", "incr KEY N [initial N [ttl S]]"),
    ("decr", "decr KEY N [initial N [ttl S]]"),
    ("delete", "delete KEY"),
    ("start", "start VBUCKET"),
    ("complete", "complete VBUCKET"),
    ("revert", "revert VBUCKET"),
    ("state", "state VBUCKET STATE"),
    ("drop", "drop VBUCKET"),
    ("persist", "persist VBUCKET"),
    ("flush-all", "flush-all VBUCKET"),
];

/// What should have stood there: the operation of that name, as it is written, or the name of one.
fn expected(text: &str) -> String {
    let verb = text.split(' ').next().unwrap_or_default();
    match FORMS.iter().find(|(of, _)| *of == verb) {
        Some((_, form)) => format!("expected `{form}`, found `{text}`"),
        None => {
            let verbs: Vec<&str> = FORMS.iter().map(|(verb, _)| *verb).collect();
            format!("expected one of {}, feed; found `{text}`", verbs.join(", "))
        }
    }
}

fn word<T: Copy>(of: &[(T, &str)], text: &str) -> Result<T, String> {
    let found = of.iter().find(|(_, word)| *word == text).map(|(value, _)| *value);
    found.ok_or_else(|| {
        let words: Vec<&str> = of.iter().map(|(_, word)| *word).collect();
        format!("expected one of {}, found `{text}`", words.join(" "))
    })
}

/// Only the digits that it would be printed with.
pub(super) fn number(text: &str) -> Result<u64, String> {
    let value = text.parse::<u64>().ok().filter(|value| value.to_string() == text);
    value.ok_or_else(|| format!("expected a whole number below 2^64, found `{text}`"))
}

fn small(text: &str) -> Result<u32, String> {
    u32::try_from(number(text)?).map_err(|_| format!("expected less than 2^32, found `{text}`"))
}

#[cfg(test)]
mod tests {
    use super::Call;

    #[test]
    fn a_call_prints_and_parses_to_itself() {
        for text in [
            "get a",
            "set checkpoint_start 7",
            "add b 7 flags 3",
            "replace c x ttl 2",
            "cas a 9 flags 1 ttl 4",
            "append a .9",
            "prepend checkpoint_end 9.",
            "incr a 1",
            "decr b 18446744073709551615 initial 5",
            "incr online_update_end 0 initial 7 ttl 2",
            "delete a",
            "start v0",
            "complete v1",
            "revert v0",
            "state v0 pending",
            "drop v1",
            "persist v0",
            "feed set a 7 flags 1 ttl 2",
            "feed delete b",
            "feed close",
            "feed revert",
            "feed hang-up",
            "feed lag 2",
        ] {
            assert_eq!(text.parse::<Call>().map(|call| call.to_string()), Ok(text.into()));
        }
    }

    #[test]
    fn a_call_that_is_cut_off_is_answered_with_its_form() {
        let said = |text: &str| text.parse::<Call>().map(|call| call.to_string());
        assert_eq!(
            said("set a"),
            Err("expected `set KEY VALUE [flags F] [ttl S]`, found `set a`".into())
        );
        assert_eq!(said("get a b"), Err("expected `get KEY`, found `get a b`".into()));
        assert_eq!(
            said("state v0"),
            Err("expected `state VBUCKET STATE`, found `state v0`".into())
        );
        let error = said("frob a").expect_err("it is no operation");
        assert!(error.starts_with("expected one of get, set, add"), "{error}");
    }

    #[test]
    fn a_call_in_other_words_is_refused() {
        for text in [
            "",
            "get",
            "get z",
            "set a",
            "set a ",
            "set a 7 ttl 0",
            "set a 7 flags 01",
            "incr a x",
            "start",
            "start a",
            "state v0 gone",
            "state v0",
            "drop v256",
            "drop 0",
            "incr a 1 ttl 3",
            "push a 7",
            "feed",
            "feed add a 7",
            "feed set a",
            "feed lag",
            "set a 7 ttl 3 flags 1",
            "incr a 1 initial 5 ttl 0",
        ] {
            let error = text.parse::<Call>().expect_err(text);
            assert!(error.contains("expected"), "{text}: {error}");
        }
    }
}
