//! The vocabulary of who and what: small, copyable, hashable numbers.

/// A failure domain with one disk and one clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u16);

/// One deterministic state machine; several may live on a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActorId(pub u16);

/// Which life of a node this is: 1 at its first boot, one more at every later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Incarnation(pub u32);

/// A step of a run, numbered from 1. Number 0 is "before the first step", the cause of what the plan itself set going.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepId(pub u32);

/// A client's operation: the client and its number in the plan's workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpId {
    /// The client actor that was asked.
    pub client: ActorId,
    /// Its number as the workload line gives it (`c0#4` has number 4).
    pub number: u32,
}

/// A connection, numbered from 0 in the order of the connects of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u32);

/// An open file: what `open` and `create` answer. It stays with the file when the name is renamed or removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

impl std::fmt::Display for FileId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "f{}", self.0)
    }
}

/// A disk request, numbered per node from 1; its reply carries the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u32);

/// A file name of at most eight bytes, held inline: names travel through steps and keys without allocation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileName(u64);

impl FileName {
    /// A name known when the model is written.
    ///
    /// # Panics
    /// If `name` is empty, longer than eight bytes, or has a byte outside `a-z A-Z 0-9 . _ -`: that is a defect of the model.
    #[must_use]
    pub const fn new(name: &str) -> FileName {
        let bytes = name.as_bytes();
        assert!(!bytes.is_empty() && bytes.len() <= 8, "a file name has 1 to 8 bytes");
        let mut word = 0_u64;
        let mut i = 0;
        while i < bytes.len() {
            let b = bytes[i];
            assert!(
                b.is_ascii_alphanumeric() || b == b'.' || b == b'_' || b == b'-',
                "a file name has letters, digits, dot, underscore and dash"
            );
            word |= (b as u64) << (56 - 8 * i);
            i += 1;
        }
        FileName(word)
    }

    /// Reads a name from text.
    ///
    /// # Errors
    /// Says what a name looks like.
    pub fn parse(text: &str) -> Result<FileName, String> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if text.is_empty() || text.len() > 8 || !text.bytes().all(fits) {
            return Err(format!(
                "expected a file name of 1 to 8 letters, digits or . _ -, found `{text}`"
            ));
        }
        Ok(FileName::new(text))
    }

    /// Whether it begins with all of that one.
    #[must_use]
    pub const fn starts_with(self, start: FileName) -> bool {
        // Bytes lie from the top, and what is not there is zero.
        let absent = start.0.trailing_zeros() / 8 * 8;
        self.0 >> absent == start.0 >> absent
    }

    /// The name as one word, for keys of decisions.
    #[must_use]
    pub const fn word(self) -> u64 {
        self.0
    }

    /// The name behind a word of a key; bytes that no name has are refused.
    #[must_use]
    pub fn from_word(word: u64) -> Option<FileName> {
        let name = FileName(word);
        FileName::parse(&name.to_string()).ok().filter(|read| *read == name)
    }
}

impl std::fmt::Display for FileName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = self.0.to_be_bytes();
        let end = bytes.iter().position(|b| *b == 0).unwrap_or(8);
        bytes[..end].iter().try_for_each(|b| write!(f, "{}", char::from(*b)))
    }
}

impl std::fmt::Debug for FileName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::FileName;

    #[test]
    fn a_file_name_starts_like_those_that_are_printed_so() {
        let names = ["a", "ab", "abc", "b", "log-0001", "log-0002", "log", "lo", "p", "p0", "q"];
        for (name, start) in
            names.iter().flat_map(|name| names.iter().map(move |start| (name, start)))
        {
            let starts = FileName::new(name).starts_with(FileName::new(start));
            assert_eq!(starts, name.starts_with(start), "{name} {start}");
        }
    }

    #[test]
    fn a_file_name_prints_and_parses_to_itself() {
        for name in ["a", "wal", "db.tmp", "snap-007", "A_b.9-z0"] {
            assert_eq!(FileName::new(name).to_string(), name);
            assert_eq!(FileName::parse(name), Ok(FileName::new(name)));
            assert_eq!(FileName::from_word(FileName::new(name).word()), Some(FileName::new(name)));
        }
        for text in ["", "ninebytes", "a/b", "ä"] {
            assert!(FileName::parse(text).is_err());
        }
        assert_eq!(FileName::from_word(1), None);
    }
}
