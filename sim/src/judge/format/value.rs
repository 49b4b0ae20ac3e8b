//! As much of EDN as histories need: nil, symbols and numbers, keywords, strings, vectors and maps.

use super::InputError;

/// A value. Commas are white space; comments begin with `;`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Nil,
    /// A number, `true`, `false` or another bare word.
    Symbol(String),
    /// A keyword, without its colon.
    Keyword(String),
    String(String),
    /// A vector or a list.
    List(Vec<Value>),
    Map(Vec<(Value, Value)>),
}

/// How deep values may be nested.
const DEPTH: usize = 16;

/// Reads all values of a line.
pub(super) fn read(line: usize, text: &str) -> Result<Vec<Value>, InputError> {
    Reader { line, rest: text }.until(None, 0)
}

struct Reader<'a> {
    line: usize,
    rest: &'a str,
}

impl Reader<'_> {
    /// Reads values up to `close`, or to the end of the line.
    fn until(&mut self, close: Option<char>, depth: usize) -> Result<Vec<Value>, InputError> {
        let mut values = Vec::new();
        loop {
            self.rest = self.rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
            let first = self.rest.chars().next().filter(|&c| c != ';');
            match (first, close) {
                (None, None) => return Ok(values),
                (None, Some(close)) => return Err(self.wrong(&format!("a closing {close}"))),
                (Some(c), Some(close)) if c == close => {
                    self.rest = &self.rest[c.len_utf8()..];
                    return Ok(values);
                }
                (Some(c), _) => values.push(self.value(c, depth)?),
            }
        }
    }

    /// Reads the value that begins with `first`.
    fn value(&mut self, first: char, depth: usize) -> Result<Value, InputError> {
        let close = match first {
            '[' => ']',
            '(' => ')',
            '{' => '}',
            '"' => return self.string(),
            _ => return self.word(),
        };
        if depth == DEPTH {
            return Err(self.wrong(&format!("at most {DEPTH} levels of nesting")));
        }
        let begin = self.rest;
        self.rest = &self.rest[1..];
        let values = self.until(Some(close), depth + 1)?;
        if close != '}' {
            return Ok(Value::List(values));
        }
        if values.len() % 2 == 1 {
            return Err(InputError::new(self.line, "a value for every key of a map", begin));
        }
        let mut values = values.into_iter();
        let mut pairs = Vec::new();
        while let (Some(key), Some(value)) = (values.next(), values.next()) {
            pairs.push((key, value));
        }
        Ok(Value::Map(pairs))
    }

    fn word(&mut self) -> Result<Value, InputError> {
        let ends = |c: char| c.is_whitespace() || "()[]{}\",;".contains(c);
        let end = self.rest.find(ends).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        let value = match word.strip_prefix(':') {
            Some("") => None,
            Some(keyword) => Some(Value::Keyword(keyword.to_owned())),
            None if word == "nil" => Some(Value::Nil),
            None if word.is_empty() || word.starts_with(['#', '\\', '\'']) => None,
            None => Some(Value::Symbol(word.to_owned())),
        };
        let value = value.ok_or_else(|| self.wrong("an EDN value"))?;
        self.rest = rest;
        Ok(value)
    }

    fn string(&mut self) -> Result<Value, InputError> {
        let mut string = String::new();
        let mut chars = self.rest[1..].chars();
        loop {
            let c = match chars.next() {
                None => return Err(self.wrong("a closing quote")),
                Some('"') => break,
                Some('\\') => match chars.next() {
                    Some('n') => Some('\n'),
                    Some('r') => Some('\r'),
                    Some('t') => Some('\t'),
                    Some(c @ ('"' | '\\')) => Some(c),
                    Some('u') => {
                        let digits = chars.as_str().get(..4);
                        chars.nth(3);
                        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
                        code.and_then(char::from_u32)
                    }
                    _ => None,
                },
                Some(c) => Some(c),
            };
            let expected = r#"one of \n \r \t \" \\ \u001f in a string"#;
            string.push(c.ok_or_else(|| self.wrong(expected))?);
        }
        self.rest = chars.as_str();
        Ok(Value::String(string))
    }

    fn wrong(&self, expected: &str) -> InputError {
        InputError::new(self.line, expected, self.rest)
    }
}
