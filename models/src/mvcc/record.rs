//! The value of a record: a key and its fields, in the encoding of Protocol Buffers.
//!
//! ```text
//! 0a len KEY | 10 create_revision | 18 mod_revision | 20 version | 2a len VALUE | 30 lease
//! ```
//!
//! Fields that are zero or empty are left out, numbers are base-128 with the low group first. These are the bytes that
//! etcd stores (`mvccpb.KeyValue`), so the hash of a store can be compared with a real one.

use super::response::KeyValue;

const KEY: u8 = 0x0a;
const CREATE_REVISION: u8 = 0x10;
const MOD_REVISION: u8 = 0x18;
const VERSION: u8 = 0x20;
const VALUE: u8 = 0x2a;
const LEASE: u8 = 0x30;

/// The bytes of a record. That of a deletion has only its key.
pub fn encode(kv: &KeyValue) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(kv.key.len() + kv.value.len() + 16);
    put_text(&mut bytes, KEY, &kv.key);
    put_number(&mut bytes, CREATE_REVISION, kv.create_revision);
    put_number(&mut bytes, MOD_REVISION, kv.mod_revision);
    put_number(&mut bytes, VERSION, kv.version);
    put_text(&mut bytes, VALUE, &kv.value);
    put_number(&mut bytes, LEASE, kv.lease);
    bytes
}

/// Reads back what [`encode`] wrote, and nothing else: fields in another order, twice, or with a zero are damage, too.
pub fn decode(bytes: &[u8]) -> Result<KeyValue, RecordError> {
    let mut kv = KeyValue::default();
    let mut rest = bytes;
    let mut last = 0;
    while let [tag, after @ ..] = rest {
        if *tag <= last {
            return Err(RecordError::Order(*tag));
        }
        last = *tag;
        rest = match *tag {
            KEY => take_text(after, &mut kv.key)?,
            CREATE_REVISION => take_number(after, &mut kv.create_revision)?,
            MOD_REVISION => take_number(after, &mut kv.mod_revision)?,
            VERSION => take_number(after, &mut kv.version)?,
            VALUE => take_text(after, &mut kv.value)?,
            LEASE => take_number(after, &mut kv.lease)?,
            unknown => return Err(RecordError::Tag(unknown)),
        };
    }
    Ok(kv)
}

/// Why bytes are not a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum RecordError {
    /// A byte stands where a field should begin.
    #[error("no field of a record begins with 0x{0:02x}")]
    Tag(u8),
    /// Fields stand in ascending order, each once.
    #[error("the field 0x{0:02x} is not in its place")]
    Order(u8),
    /// The bytes end inside a field.
    #[error("the record ends inside a field")]
    Short,
    /// A number is longer than needed, does not fit 64 bits, or is a zero that should have been left out.
    #[error("a number of the record is not in its shortest form")]
    Number,
}

fn put_text(bytes: &mut Vec<u8>, tag: u8, text: &[u8]) {
    if text.is_empty() {
        return;
    }
    bytes.push(tag);
    put_varint(bytes, u64::try_from(text.len()).expect("a length fits 64 bits"));
    bytes.extend_from_slice(text);
}

fn put_number(bytes: &mut Vec<u8>, tag: u8, number: i64) {
    if number == 0 {
        return;
    }
    bytes.push(tag);
    put_varint(bytes, u64::from_le_bytes(number.to_le_bytes()));
}

fn put_varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

fn take_text<'a>(bytes: &'a [u8], text: &mut Vec<u8>) -> Result<&'a [u8], RecordError> {
    let (len, rest) = take_varint(bytes)?;
    let len = usize::try_from(len).map_err(|_| RecordError::Short)?;
    let (found, rest) = rest.split_at_checked(len).ok_or(RecordError::Short)?;
    text.extend_from_slice(found);
    Ok(rest)
}

fn take_number<'a>(bytes: &'a [u8], number: &mut i64) -> Result<&'a [u8], RecordError> {
    let (found, rest) = take_varint(bytes)?;
    *number = i64::from_le_bytes(found.to_le_bytes());
    Ok(rest)
}

/// A number above zero in its shortest form, and what follows it.
fn take_varint(bytes: &[u8]) -> Result<(u64, &[u8]), RecordError> {
    let mut number = 0;
    for (n, byte) in bytes.iter().enumerate() {
        let group = u64::from(byte & 0x7f);
        let shift = 7 * u32::try_from(n).map_err(|_| RecordError::Number)?;
        if shift > 63 || (shift == 63 && group > 1) {
            return Err(RecordError::Number);
        }
        number |= group << shift;
        if byte & 0x80 == 0 {
            // A last group of zero means a longer form than needed, or a zero.
            return if group == 0 {
                Err(RecordError::Number)
            } else {
                Ok((number, &bytes[n + 1..]))
            };
        }
    }
    Err(RecordError::Short)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::arbitrary;
    use super::*;

    fn kv() -> KeyValue {
        KeyValue {
            key: b"foo".to_vec(),
            create_revision: 2,
            mod_revision: 300,
            version: 1,
            value: b"bar".to_vec(),
            lease: 0,
        }
    }

    #[test]
    fn a_record_is_its_fields_in_order_without_the_empty_ones() {
        assert_eq!(encode(&kv()), b"\x0a\x03foo\x10\x02\x18\xac\x02\x20\x01\x2a\x03bar");
        let tombstone = KeyValue { key: b"foo".to_vec(), ..KeyValue::default() };
        assert_eq!(encode(&tombstone), b"\x0a\x03foo");
        assert_eq!(encode(&KeyValue { lease: -1, ..tombstone }).len(), 5 + 11);
    }

    #[test]
    fn damaged_bytes_are_an_error() {
        let good = encode(&kv());
        let cases: [(&[u8], RecordError); 8] = [
            (b"\x0b", RecordError::Tag(0x0b)),
            (b"\x18\x02\x10\x02", RecordError::Order(0x10)),
            (b"\x10\x02\x10\x02", RecordError::Order(0x10)),
            (&good[..good.len() - 1], RecordError::Short),
            (b"\x0a\x05foo", RecordError::Short),
            (b"\x10\x80", RecordError::Short),
            (b"\x10\x82\x00", RecordError::Number),
            (b"\x10\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02", RecordError::Number),
        ];
        for (bytes, error) in cases {
            assert_eq!(decode(bytes), Err(error), "{bytes:02x?}");
        }
    }

    fn any_record() -> impl Strategy<Value = KeyValue> {
        let number = || prop_oneof![0..300i64, any::<i64>()];
        let text = || prop::collection::vec(any::<u8>(), 0..200);
        (text(), number(), number(), number(), text(), number()).prop_map(
            |(key, create_revision, mod_revision, version, value, lease)| KeyValue {
                key,
                create_revision,
                mod_revision,
                version,
                value,
                lease,
            },
        )
    }

    proptest! {
        #![proptest_config(arbitrary::config(500))]

        #[test]
        fn a_record_reads_back(kv in any_record()) {
            prop_assert_eq!(decode(&encode(&kv)), Ok(kv));
        }

        #[test]
        fn bytes_that_decode_are_the_only_form_of_their_record(
            bytes in prop::collection::vec(prop_oneof![0..0x40u8, any::<u8>()], 0..40)
        ) {
            if let Ok(kv) = decode(&bytes) {
                prop_assert_eq!(encode(&kv), bytes);
            }
        }
    }
}
