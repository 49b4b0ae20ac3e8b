//! An index of a keyspace: what the documents say, and up to where it knows that; and the same as a record on disk.
//!
//! ```text
//!  record   length of the body (4), crc32c of the body (4), body
//!  body     count (1), and vbucket (2) and point (32) of each;
//!           count (2), and vbucket (2), key (1), sequence number (8), write (4) and length (2) of each document
//! ```

use std::collections::BTreeMap;

use super::bytes::{Input, Output, Read, Unreadable};
use super::op::{Key, Point, Value};
use super::store::Mutation;

/// An index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    /// What each document says, and the number of the mutation.
    pub documents: BTreeMap<(u16, Key), (u64, Value)>,
    /// How far it has come in each vbucket.
    pub at: BTreeMap<u16, Point>,
}

const HEAD: usize = 8;

impl Index {
    /// How far it has come in a vbucket.
    #[must_use]
    pub fn point(&self, vb: u16) -> Point {
        self.at.get(&vb).copied().unwrap_or_default()
    }

    /// Takes in a mutation, unless it has it already.
    pub fn apply(&mut self, vb: u16, mutation: &Mutation) {
        if mutation.seq <= self.point(vb).seq {
            return;
        }
        match mutation.value {
            Some(value) => self.documents.insert((vb, mutation.key), (mutation.seq, value)),
            None => self.documents.remove(&(vb, mutation.key)),
        };
    }

    /// It has come to there.
    pub fn advance(&mut self, vb: u16, to: Point) {
        if to.seq > self.point(vb).seq {
            self.at.insert(vb, to);
        }
    }

    /// It has nothing of a vbucket any more.
    pub fn forget(&mut self, vb: u16) {
        if self.at.remove(&vb).is_some() {
            self.documents.retain(|(of, _), _| *of != vb);
        }
    }

    /// As a record.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut body = vec![u8::try_from(self.at.len()).expect("a few vbuckets")];
        for (vb, point) in &self.at {
            body.extend(vb.to_be_bytes());
            body.point(point);
        }
        let count = u16::try_from(self.documents.len()).expect("a few documents");
        body.extend(count.to_be_bytes());
        for ((vb, key), (seq, value)) in &self.documents {
            body.extend(vb.to_be_bytes());
            body.push(key.0);
            body.words(&[*seq]);
            body.extend(value.write.to_be_bytes());
            body.extend(value.length.to_be_bytes());
        }
        let length = u32::try_from(body.len()).expect("a small body");
        let mut record = length.to_be_bytes().to_vec();
        record.extend(crc32c::crc32c(&body).to_be_bytes());
        record.extend(body);
        record
    }

    /// All whole records at the front of these bytes, each with the place where it ends.
    #[must_use]
    pub fn decode_all(bytes: &[u8]) -> Vec<(u64, Index)> {
        let (mut found, mut at) = (Vec::new(), 0);
        while let Ok((index, length)) = Index::decode(&bytes[at..]) {
            at += length;
            found.push((at as u64, index));
        }
        found
    }

    fn decode(bytes: &[u8]) -> Read<(Index, usize)> {
        let mut input = Input(bytes);
        let (length, sum) = (input.u32()? as usize, input.u32()?);
        let body = input.take(length)?;
        if crc32c::crc32c(body) != sum {
            return Err(Unreadable);
        }
        let (mut input, mut index) = (Input(body), Index::default());
        for _ in 0..input.u8()? {
            index.at.insert(input.u16()?, input.point()?);
        }
        for _ in 0..input.u16()? {
            let (vb, key, seq) = (input.u16()?, input.key()?, input.u64()?);
            let value = Value { write: input.u32()?, length: input.u16()? };
            index.documents.insert((vb, key), (seq, value));
        }
        input.end()?;
        Ok((index, HEAD + length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(writes: u32) -> Index {
        let mut index = Index::default();
        for write in 1..=writes {
            let value = Some(Value { write, length: 3 });
            let seq = u64::from(write);
            index.apply(2, &Mutation { seq, key: Key(1), value });
            index.advance(2, Point { seq, uuid: 7, snap_start: seq, snap_end: seq });
        }
        index
    }

    #[test]
    fn a_torn_record_and_what_follows_it_is_left_out() {
        let (one, two) = (index(1).encode(), index(2).encode());
        let mut bytes = one.clone();
        bytes.extend(&two);
        for length in 0..=bytes.len() {
            let whole = usize::from(length >= one.len()) + usize::from(length >= bytes.len());
            let found = Index::decode_all(&bytes[..length]);
            assert_eq!(found.len(), whole);
        }
        assert_eq!(Index::decode_all(&bytes)[1], (bytes.len() as u64, index(2)));
        bytes[10] ^= 1;
        assert_eq!(Index::decode_all(&bytes), []);
    }

    #[test]
    fn what_an_index_has_it_does_not_take_in_again() {
        let mut index = index(2);
        let value = Some(Value { write: 9, length: 0 });
        index.apply(2, &Mutation { seq: 2, key: Key(1), value });
        assert_eq!(index.documents[&(2, Key(1))].0, 2);
        assert_eq!(index.documents[&(2, Key(1))].1.write, 2);
        index.apply(2, &Mutation { seq: 3, key: Key(1), value: None });
        assert!(index.documents.is_empty());
    }
}
