//! The words of a line of our own form.

use super::InputError;

/// One word of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// A word without quotes.
    Bare(String),
    /// A word in quotes.
    Quoted(String),
    /// `=`
    Equals,
}

/// Whether a character may stand in a word without quotes.
fn is_bare(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_.:/@+-".contains(c)
}

/// Splits a line into words.
pub(super) fn split(line: usize, text: &str) -> Result<Vec<Word>, InputError> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, after) = if first == '=' {
            (Word::Equals, &rest[1..])
        } else if first == '"' {
            quoted(line, rest)?
        } else {
            let end = rest.find(|c| !is_bare(c)).unwrap_or(rest.len());
            if end == 0 {
                let expected = "a word of letters, digits and _.:/@+-, or one in quotes";
                return Err(InputError::new(line, expected, rest));
            }
            (Word::Bare(rest[..end].to_owned()), &rest[end..])
        };
        if word != Word::Equals && !after.is_empty() && !after.starts_with([' ', '\t', '=']) {
            return Err(InputError::new(line, "a space between two words", rest));
        }
        words.push(word);
        rest = after.trim_start();
    }
    Ok(words)
}

/// Reads the word in quotes with which `text` begins, and says what comes after it.
fn quoted(line: usize, text: &str) -> Result<(Word, &str), InputError> {
    let mut word = String::new();
    let mut chars = text[1..].chars();
    loop {
        match chars.next() {
            None => return Err(InputError::new(line, "a closing quote", text)),
            Some('"') => return Ok((Word::Quoted(word), chars.as_str())),
            Some('\\') => {
                let escape = chars.as_str();
                let c = match chars.next() {
                    Some('n') => Some('\n'),
                    Some('r') => Some('\r'),
                    Some('t') => Some('\t'),
                    Some(c @ ('"' | '\\')) => Some(c),
                    Some('u') => {
                        let digits =
                            chars.as_str().strip_prefix('{').and_then(|s| s.split_once('}'));
                        digits.and_then(|(digits, after)| {
                            chars = after.chars();
                            char::from_u32(u32::from_str_radix(digits, 16).ok()?)
                        })
                    }
                    _ => None,
                };
                let expected = r#"one of \n \r \t \" \\ \u{1f} in a word in quotes"#;
                word.push(c.ok_or_else(|| InputError::new(line, expected, escape))?);
            }
            Some(c) => word.push(c),
        }
    }
}

/// A word as it is written, in quotes where it has to be.
pub(super) fn quote(word: &str) -> String {
    if !word.is_empty() && word != NIL && word.chars().all(is_bare) {
        return word.to_owned();
    }
    let mut out = String::from('"');
    for c in word.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// How "no value" is written.
pub(super) const NIL: &str = "nil";
