//! The hash of a store at a revision, by which replicas are compared.

use std::collections::BTreeSet;

use super::backend::{Backend, Bucket};
use super::response::OpError;
use super::revision::{RecordKey, Revision};
use super::store::{Fatal, Store, StoreError};

mod cache;
pub mod golden;

pub use cache::HashCache;

/// A hash with what it covers. Two can be compared only if both revisions are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KvHash {
    /// CRC-32C of the name of the bucket and of all records that count.
    pub hash: u32,
    /// What was compacted.
    pub compacted: i64,
    /// What was hashed.
    pub revision: i64,
}

/// Hashes what can be read at `at` and before, zero meaning the current revision, which can always be hashed.
///
/// A record counts unless it is newer than `at`, or old enough to be compacted while nothing needs it at `at`: whether
/// a compaction has already deleted it makes no difference. A tombstone right at the compacted revision does not count
/// either, because older versions delete it (etcd bbdc94181).
pub fn hash_kv(store: &Store, backend: &Backend, at: i64) -> Result<KvHash, StoreError> {
    let revision = if at == 0 { store.current() } else { at };
    let refused = revision < store.compacted()
        || (revision == store.compacted() && !store.rules().hashes_at_compacted());
    if at != 0 && refused {
        return Err(OpError::Compacted.into());
    }
    if revision > store.current() {
        return Err(OpError::FutureRevision.into());
    }
    let keep = store.index().keep(revision, store.head_tombstone());
    let unknown = at == 0 && store.defects().newest_hash_keeps_nothing;
    let keep = (!unknown).then_some(&keep);
    let compacted = store.compacted();
    let mut hash = crc32c::crc32c(Bucket::Key.name().as_bytes());
    for (key, value) in backend.scan(Bucket::Key, b"") {
        let record = RecordKey::parse(key).map_err(|_| Fatal::DamagedKey)?;
        if counts(record, revision, compacted, keep) {
            hash = append(hash, key, value);
        }
    }
    Ok(KvHash { hash, compacted, revision })
}

/// Whether a record counts in the hash at `revision` of a store that is compacted at `compacted`, where `keep` is what is
/// needed at `revision`; without it all that are old enough count.
///
/// In a real store an empty `keep` is as good as none (`len(keep) > 0` in its `hash.go`): when nothing is left at the
/// compacted revision, its hash is another one until the compaction has come to the last record. Two replicas must not
/// differ by that, so here it makes no difference.
pub(super) fn counts(
    record: RecordKey,
    revision: i64,
    compacted: i64,
    keep: Option<&BTreeSet<Revision>>,
) -> bool {
    let of = record.revision;
    let goes = of.main <= compacted && keep.is_some_and(|keep| !keep.contains(&of));
    let skipped = record.tombstone && of.main == compacted;
    of.main <= revision && !goes && !skipped
}

/// The hash with one more record.
pub(super) fn append(hash: u32, key: &[u8], value: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c_append(hash, key), value)
}

#[cfg(test)]
mod tests;
