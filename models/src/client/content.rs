//! What stands in a key, as the client sees it: a document or a binary blob. A data node takes both for text.

use std::fmt;
use std::fmt::Write as _;

use crate::vbucket::op::Value;

/// What a blob begins with, as text. No document does.
const BLOB: &str = "x:";

/// A document or a blob.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Content(Value);

impl Content {
    /// A document of this text.
    ///
    /// # Errors
    /// If it could be taken for a blob, or no data node would store it.
    pub fn document(text: &str) -> Result<Content, String> {
        if text.starts_with(BLOB) {
            return Err(format!("expected a document, found `{text}`, which begins like a blob"));
        }
        Content::stored(text)
    }

    /// A blob of these bytes.
    ///
    /// # Errors
    /// If no data node would store it.
    pub fn blob(bytes: &[u8]) -> Result<Content, String> {
        let mut text = BLOB.to_string();
        for byte in bytes {
            write!(text, "{byte:02x}").expect("text takes everything");
        }
        Content::stored(&text)
    }

    fn stored(text: &str) -> Result<Content, String> {
        let value = Value::new(text);
        if text.is_empty() || text.contains(' ') || value.is_too_long() {
            let most = Value::LEN_MAX;
            return Err(format!(
                "expected 1 to {most} bytes of text without blanks, found `{text}`"
            ));
        }
        Ok(Content(value))
    }

    /// What a data node has answered.
    #[must_use]
    pub fn of(value: Value) -> Content {
        Content(value)
    }

    /// As a data node stores it.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.0
    }

    /// The bytes of a blob; nothing if it is a document.
    #[must_use]
    pub fn bytes(&self) -> Option<Vec<u8>> {
        let digits = self.0.0.strip_prefix(BLOB)?.as_bytes();
        let pairs = digits.chunks(2).map(|pair| std::str::from_utf8(pair).ok());
        pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect()
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::Content;

    #[test]
    fn blobs_come_back_as_the_bytes_that_they_are() {
        let blob = Content::blob(&[0, 0x7f, 0xff]).expect("it is short");
        assert_eq!(blob.to_string(), "x:007fff");
        assert_eq!(blob.bytes(), Some(vec![0, 0x7f, 0xff]));
        let document = Content::document("{\"a\":1}").expect("it is short");
        assert_eq!(document.bytes(), None);
        assert!(Content::document("x:00").is_err() && Content::document("a b").is_err());
        assert!(Content::blob(&[0; 12]).is_err() && Content::document("").is_err());
    }
}
