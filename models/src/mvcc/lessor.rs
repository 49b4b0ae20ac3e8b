//! The lessor: which leases there are, and which key is attached to which of them.
//!
//! ```text
//!   bucket Lease   number ──▶ seconds              durable, with the transaction that grants or revokes
//!   Lessor         number ──▶ seconds, keys        in memory
//!                  key ──▶ number                  rebuilt by `restore.rs` from the last value of each key
//! ```
//!
//! Like the index it holds no clock and waits for nothing: when a lease has run out is for an actor to say, which then
//! revokes it. A store may be without a lessor; then the lease of a key is only a number beside its value.

use std::collections::{BTreeMap, BTreeSet};

use super::backend::{Backend, Bucket};
use super::op::Grant;
use super::response::OpError;
use super::store::Fatal;

/// A lease that was granted and not revoked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Lease {
    ttl: i64,
    keys: BTreeSet<Vec<u8>>,
}

impl Lease {
    /// How many seconds it lives from its grant or last renewal on.
    pub fn ttl(&self) -> i64 {
        self.ttl
    }

    /// The keys that are attached to it, ascending.
    pub fn keys(&self) -> impl Iterator<Item = &[u8]> {
        self.keys.iter().map(Vec::as_slice)
    }
}

/// All leases, and the lease of each key that has one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Lessor {
    leases: BTreeMap<i64, Lease>,
    holders: BTreeMap<Vec<u8>, i64>,
}

impl Lessor {
    /// Reads the leases back. No key is attached yet: that is known once the last record of each key was read.
    pub fn recover(backend: &Backend) -> Result<Lessor, Fatal> {
        let mut lessor = Lessor::default();
        for (key, value) in backend.scan(Bucket::Lease, b"") {
            let number = <[u8; 8]>::try_from(key).ok().map(i64::from_be_bytes);
            let (id, ttl) = record::decode(value).ok_or(Fatal::DamagedLease)?;
            if number != Some(id) {
                return Err(Fatal::DamagedLease);
            }
            lessor.leases.insert(id, Lease { ttl, keys: BTreeSet::new() });
        }
        Ok(lessor)
    }

    /// The lease with this number.
    pub fn lease(&self, id: i64) -> Option<&Lease> {
        self.leases.get(&id)
    }

    /// All leases by number.
    pub fn leases(&self) -> impl Iterator<Item = (i64, &Lease)> {
        self.leases.iter().map(|(id, lease)| (*id, lease))
    }

    /// The lease that a key is attached to.
    pub fn holder(&self, key: &[u8]) -> Option<i64> {
        self.holders.get(key).copied()
    }

    /// Whether a key can be written with this lease; 0 means none.
    pub fn check(&self, id: i64) -> Result<(), OpError> {
        if id == 0 || self.leases.contains_key(&id) { Ok(()) } else { Err(OpError::LeaseNotFound) }
    }

    /// Whether a lease with this number can be made.
    pub fn check_grant(&self, id: i64) -> Result<(), OpError> {
        match id {
            0 => Err(OpError::LeaseNotFound),
            id if self.leases.contains_key(&id) => Err(OpError::LeaseExists),
            _ => Ok(()),
        }
    }

    /// Makes a lease and its record.
    pub fn grant(&mut self, backend: &mut Backend, grant: Grant) -> Result<(), OpError> {
        let Grant { lease, ttl } = grant;
        self.check_grant(lease)?;
        self.leases.insert(lease, Lease { ttl, keys: BTreeSet::new() });
        backend.put(Bucket::Lease, record::key(lease), record::encode(lease, ttl));
        Ok(())
    }

    /// Ends a lease and deletes its record. Keys that are still attached are not any more, but stay as they are: whoever
    /// revokes has deleted them in the same transaction.
    pub fn remove(&mut self, backend: &mut Backend, id: i64) {
        let Some(lease) = self.leases.remove(&id) else { return };
        for key in lease.keys {
            self.holders.remove(&key);
        }
        backend.delete(Bucket::Lease, record::key(id));
    }

    /// A key was written with this lease, 0 for none: it leaves the lease that it was attached to. A lease that is not
    /// there gets no key.
    pub fn attach(&mut self, key: &[u8], id: i64) {
        if self.holder(key) == Some(id) {
            return;
        }
        self.detach(key);
        if let Some(lease) = self.leases.get_mut(&id) {
            lease.keys.insert(key.to_vec());
            self.holders.insert(key.to_vec(), id);
        }
    }

    /// A key was deleted.
    pub fn detach(&mut self, key: &[u8]) {
        let Some(id) = self.holders.remove(key) else { return };
        if let Some(lease) = self.leases.get_mut(&id) {
            lease.keys.remove(key);
        }
    }
}

/// The record of a lease: `08 number | 10 seconds` in the encoding of Protocol Buffers, zeros left out.
mod record {
    const ID: u8 = 0x08;
    const TTL: u8 = 0x10;

    pub(super) fn key(id: i64) -> Vec<u8> {
        id.to_be_bytes().to_vec()
    }

    pub(super) fn encode(id: i64, ttl: i64) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (tag, number) in [(ID, id), (TTL, ttl)] {
            if number == 0 {
                continue;
            }
            bytes.push(tag);
            let mut rest = number.cast_unsigned();
            while rest >= 0x80 {
                bytes.push(rest.to_le_bytes()[0] | 0x80);
                rest >>= 7;
            }
            bytes.push(rest.to_le_bytes()[0]);
        }
        bytes
    }

    /// Number and seconds; none if that is not what `encode` wrote.
    pub(super) fn decode(bytes: &[u8]) -> Option<(i64, i64)> {
        let (id, rest) = field(bytes, ID)?;
        let (ttl, rest) = field(rest, TTL)?;
        let whole = rest.is_empty() && encode(id, ttl) == bytes;
        whole.then_some((id, ttl))
    }

    fn field(bytes: &[u8], tag: u8) -> Option<(i64, &[u8])> {
        let [first, rest @ ..] = bytes else { return Some((0, bytes)) };
        if *first != tag {
            return Some((0, bytes));
        }
        let len = 1 + rest.iter().position(|byte| *byte < 0x80)?;
        let (groups, rest) = rest.split_at(len);
        // Ten groups of seven bits hold any number; what a longer one loses is seen when it is written again.
        let number =
            groups.iter().rev().fold(0_u64, |number, byte| number << 7 | u64::from(byte & 0x7f));
        Some((number.cast_signed(), rest))
    }
}

#[cfg(test)]
mod tests;
