//! Changes of buckets as a stream of bytes.
//!
//! A change is `kind bucket key-length(2) key`, and for a put `value-length(4) value` behind it.

use super::super::backend::{Bucket, Change, Contents};
use super::OpenError;

const PUT: u8 = 1;
const DELETE: u8 = 2;

/// The stream of some changes.
pub(super) fn changes(changes: &[Change]) -> Vec<u8> {
    let mut stream = Vec::new();
    for Change { bucket, key, value } in changes {
        change(&mut stream, *bucket, key, value.as_deref());
    }
    stream
}

/// The stream that makes up `contents` from nothing.
pub(super) fn contents(contents: &Contents) -> Vec<u8> {
    let mut stream = Vec::new();
    for ((bucket, key), value) in contents {
        change(&mut stream, *bucket, key, Some(value));
    }
    stream
}

fn change(stream: &mut Vec<u8>, bucket: Bucket, key: &[u8], value: Option<&[u8]>) {
    stream.push(if value.is_some() { PUT } else { DELETE });
    stream.push(match bucket {
        Bucket::Key => 0,
        Bucket::Meta => 1,
        Bucket::Lease => 2,
    });
    let len = u16::try_from(key.len()).expect("keys of a bucket are short");
    stream.extend(len.to_be_bytes());
    stream.extend(key);
    if let Some(value) = value {
        let len = u32::try_from(value.len()).expect("a value is below 4 GiB");
        stream.extend(len.to_be_bytes());
        stream.extend(value);
    }
}

/// What the buckets hold after all changes of a stream.
pub(super) fn decode(mut stream: &[u8]) -> Result<Contents, OpenError> {
    let mut contents = Contents::new();
    while let [kind, bucket, high, low, rest @ ..] = stream {
        let bucket = match bucket {
            0 => Bucket::Key,
            1 => Bucket::Meta,
            2 => Bucket::Lease,
            _ => return Err(OpenError::Contents),
        };
        let (key, rest) = split(rest, u32::from(u16::from_be_bytes([*high, *low])))?;
        stream = match *kind {
            PUT => {
                let (len, rest) = rest.split_first_chunk::<4>().ok_or(OpenError::Contents)?;
                let (value, rest) = split(rest, u32::from_be_bytes(*len))?;
                contents.insert((bucket, key.to_vec()), value.to_vec());
                rest
            }
            DELETE => {
                contents.remove(&(bucket, key.to_vec()));
                rest
            }
            _ => return Err(OpenError::Contents),
        };
    }
    if stream.is_empty() { Ok(contents) } else { Err(OpenError::Contents) }
}

fn split(bytes: &[u8], len: u32) -> Result<(&[u8], &[u8]), OpenError> {
    let len = usize::try_from(len).map_err(|_| OpenError::Contents)?;
    bytes.split_at_checked(len).ok_or(OpenError::Contents)
}
