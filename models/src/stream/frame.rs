//! Frames on a stream of bytes.
//!
//! ```text
//!  offset  0        4       6
//!          length   flags   payload       length and flags big-endian; the length is that of the payload alone
//! ```
//!
//! | bits of the flags | meaning |
//! |---|---|
//! | 0 to 3 | compression: 0, none; others are refused |
//! | 4 to 7 | encoding: 1, that of [`super::payload`]; 0 only where the old sender is still allowed |
//! | 8 to 14 | checksum of the length; 0, not checked |
//! | 15 | reserved, ignored |
//!
//! The sender refuses what is too long before the first byte is written; the receiver refuses it when it has read the
//! header, before it makes room. Both limits are parameters. The checksum is made from the length whenever a frame is
//! written: a remembered one would be wrong for the next length.

use std::fmt;

/// Bytes of a header.
pub const HEADER: usize = 6;

const COMPRESSION: u16 = 0x000f;
const ENCODING: u16 = 0x00f0;
/// The encoding of this model, as it stands in the flags.
pub const ENCODED: u16 = 0x0010;

/// What a side accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest payload, in bytes.
    pub payload_max: u32,
    /// Whether encoding 0, of senders before there were encodings, is taken for the usual one.
    pub seed_era: bool,
}

/// Why a connection cannot go on. All of them are errors of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FrameError {
    /// Longer than the limit: length and limit.
    Oversized(u32, u32),
    /// Length 0 without flags.
    Empty,
    /// The checksum does not fit the length.
    Checksum,
    /// A compression that nobody knows.
    Compression(u8),
    /// An encoding that nobody knows.
    Encoding(u8),
    /// The bytes end within a frame: so many of them are of no use.
    Torn(u32),
    /// The payload cannot be read.
    Unreadable,
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FrameError::Oversized(length, max) => {
                write!(f, "oversized frame: {length} bytes, at most {max}")
            }
            FrameError::Empty => write!(f, "bad header: no length and no flags"),
            FrameError::Checksum => write!(f, "bad header: wrong checksum"),
            FrameError::Compression(n) => write!(f, "unknown compression {n}"),
            FrameError::Encoding(n) => write!(f, "unknown encoding {n}"),
            FrameError::Torn(bytes) => write!(f, "torn frame: {bytes} bytes of it"),
            FrameError::Unreadable => write!(f, "unreadable payload"),
        }
    }
}

/// The checksum of a length: seven bits out of its two lower bytes.
fn checksum(length: u32) -> u16 {
    let [_, _, second, last] = length.to_be_bytes();
    u16::from((last << 4 | second & 0x0f) & 0x7f)
}

/// The header of a frame whose payload has this many bytes.
///
/// # Errors
/// If that is more than the sender's limit. No byte is to be written then.
pub fn header(length: usize, limits: Limits) -> Result<[u8; HEADER], FrameError> {
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    if length > limits.payload_max {
        return Err(FrameError::Oversized(length, limits.payload_max));
    }
    let flags = checksum(length) << 8 | ENCODED;
    let mut header = [0; HEADER];
    header[..4].copy_from_slice(&length.to_be_bytes());
    header[4..].copy_from_slice(&flags.to_be_bytes());
    Ok(header)
}

/// Appends a frame.
///
/// # Errors
/// If the payload is longer than the sender's limit; nothing is appended then.
pub fn append(payload: &[u8], limits: Limits, into: &mut Vec<u8>) -> Result<(), FrameError> {
    append_with(limits, into, |into| into.extend(payload))
}

/// Appends a frame whose payload is written in its place.
///
/// # Errors
/// If the payload is longer than the sender's limit; nothing is appended then.
pub fn append_with(
    limits: Limits,
    into: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>),
) -> Result<(), FrameError> {
    let begin = into.len();
    into.extend([0; HEADER]);
    write(into);
    match header(into.len() - begin - HEADER, limits) {
        Ok(header) => {
            into[begin..begin + HEADER].copy_from_slice(&header);
            Ok(())
        }
        Err(error) => {
            into.truncate(begin);
            Err(error)
        }
    }
}

/// The length of the payload, if the header is in order.
fn length_of(header: [u8; HEADER], limits: Limits) -> Result<u32, FrameError> {
    let [a, b, c, d, high, low] = header;
    let (length, flags) = (u32::from_be_bytes([a, b, c, d]), u16::from_be_bytes([high, low]));
    if length == 0 && flags == 0 {
        return Err(FrameError::Empty);
    }
    if flags & COMPRESSION != 0 {
        return Err(FrameError::Compression(low & 0x0f));
    }
    let encoding = flags & ENCODING;
    if encoding != ENCODED && !(encoding == 0 && limits.seed_era) {
        return Err(FrameError::Encoding(low >> 4));
    }
    let said = flags >> 8 & 0x7f;
    if said != 0 && said != checksum(length) {
        return Err(FrameError::Checksum);
    }
    if length > limits.payload_max {
        return Err(FrameError::Oversized(length, limits.payload_max));
    }
    Ok(length)
}

/// Takes bytes in, in pieces of any size, and gives frames out.
#[derive(Clone, Debug)]
pub struct Reader {
    limits: Limits,
    header: [u8; HEADER],
    /// How much of the header is there.
    headed: usize,
    /// Of the payload, once the header is whole.
    length: Option<usize>,
    payload: Vec<u8>,
    error: Option<FrameError>,
}

impl Reader {
    /// A reader of a new connection.
    #[must_use]
    pub fn new(limits: Limits) -> Reader {
        let (header, payload) = ([0; HEADER], Vec::new());
        Reader { limits, header, headed: 0, length: None, payload, error: None }
    }

    /// Takes bytes from the front of `bytes` until a frame is whole, and answers its payload; `None` if it takes them all
    /// and the frame is not whole yet.
    ///
    /// # Errors
    /// The first thing that is wrong, and from then on always the same.
    pub fn take(&mut self, bytes: &mut &[u8]) -> Result<Option<&[u8]>, FrameError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let length = match self.length {
            Some(length) => length,
            None => {
                // The payload of the frame before was handed out.
                self.payload.clear();
                let missing = (HEADER - self.headed).min(bytes.len());
                let (part, rest) = bytes.split_at(missing);
                self.header[self.headed..self.headed + missing].copy_from_slice(part);
                self.headed += missing;
                *bytes = rest;
                if self.headed < HEADER {
                    return Ok(None);
                }
                let length = length_of(self.header, self.limits);
                let length = length.inspect_err(|error| self.error = Some(*error))? as usize;
                self.payload.reserve_exact(length);
                *self.length.insert(length)
            }
        };
        let (part, rest) = bytes.split_at((length - self.payload.len()).min(bytes.len()));
        self.payload.extend(part);
        *bytes = rest;
        if self.payload.len() < length {
            return Ok(None);
        }
        (self.headed, self.length) = (0, None);
        Ok(Some(&self.payload))
    }

    /// How many bytes of an unfinished frame there are.
    #[must_use]
    pub fn unfinished(&self) -> usize {
        match self.length {
            Some(_) => HEADER + self.payload.len(),
            None => self.headed,
        }
    }

    /// The bytes have come to an end: whether that is between two frames.
    ///
    /// # Errors
    /// If it is within one, or if something was wrong before.
    pub fn end(&self) -> Result<(), FrameError> {
        match (self.error, u32::try_from(self.unfinished()).unwrap_or(u32::MAX)) {
            (Some(error), _) => Err(error),
            (None, 0) => Ok(()),
            (None, bytes) => Err(FrameError::Torn(bytes)),
        }
    }

    /// How much memory it has for a payload.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.payload.capacity()
    }

    /// What a short read does where nobody reads on: the bytes that there are stand for the whole, and the rest is read as
    /// the next header. Only a planted bug does that.
    pub(super) fn cut_short(&mut self) -> Option<&[u8]> {
        self.length.take()?;
        self.headed = 0;
        Some(&self.payload)
    }

    /// Forgets the part of a frame that there is, and goes on. Only a planted bug does that.
    pub(super) fn skip(&mut self) {
        (self.headed, self.length, self.error) = (0, None, None);
        self.payload.clear();
    }
}

#[cfg(test)]
mod tests;
