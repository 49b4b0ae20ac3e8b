//! How things are printed.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::super::backend::{Bucket, Change};
use super::super::hash::KvHash;
use super::super::history::Effect;
use super::super::key_index::{KeyIndex, NotFound, Version};
use super::super::record;
use super::super::revision::{RecordKey, Revision};
use super::super::text::quoted;

/// One line each, or `none`.
pub(super) fn lines(lines: impl Iterator<Item = String>) -> String {
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() { "none".into() } else { lines.join("\n") }
}

pub(super) fn words(words: impl Iterator<Item = String>, nothing: &str) -> String {
    let words: Vec<String> = words.collect();
    if words.is_empty() { nothing.into() } else { words.join(" ") }
}

pub(super) fn revision(revision: Revision) -> String {
    format!("{}.{}", revision.main, revision.sub)
}

/// The key of a record: `2.0`, and `3.0t` for a tombstone.
pub(super) fn record_key(key: &[u8]) -> String {
    match RecordKey::parse(key) {
        Ok(key) => revision(key.revision) + if key.tombstone { "t" } else { "" },
        Err(error) => error.to_string(),
    }
}

pub(super) fn record((key, value): (&[u8], &[u8])) -> String {
    match record::decode(value) {
        Ok(kv) if key.ends_with(b"t") => format!("{} {}", record_key(key), quoted(&kv.key)),
        Ok(kv) => format!("{} {kv}", record_key(key)),
        Err(error) => format!("{}: {error}", record_key(key)),
    }
}

pub(super) fn change(change: &Change) -> String {
    let key = match change.bucket {
        Bucket::Key => record_key(&change.key),
        _ => quoted(&change.key).to_string(),
    };
    if change.value.is_some() { format!("+ {key}") } else { format!("- {key}") }
}

/// An effect in the history.
pub(super) fn effect(effect: &Effect) -> String {
    let at = revision(effect.revision);
    if effect.deleted {
        return format!("{at} delete {}", quoted(&effect.kv.key));
    }
    format!("{at} put {}", effect.kv)
}

pub(super) fn hash(hash: &KvHash) -> String {
    format!("{}, compacted {}, revision {}", hash.hash, hash.compacted, hash.revision)
}

/// The generations of a key, by revision. The last one of each but the last generation is its tombstone.
pub(super) fn generations(index: &KeyIndex) -> String {
    let mut said = String::new();
    for (n, revisions) in each_generation(index) {
        let _ = write!(said, "{}[{revisions}]", if n == 0 { "" } else { " " });
    }
    said
}

/// The same with what a generation knows beside its revisions.
pub(super) fn generations_in_full(index: &KeyIndex) -> String {
    let mut said = String::new();
    for (n, revisions) in each_generation(index) {
        let generation = &index.generations()[n];
        let between = if n == 0 { "" } else { " " };
        let _ = match revisions.as_str() {
            "" => write!(said, "{between}[]"),
            _ => write!(
                said,
                "{between}[created {}, version {}: {revisions}]",
                generation.created, generation.version
            ),
        };
    }
    let _ = write!(said, ", modified {}", revision(index.modified()));
    said
}

fn each_generation(index: &KeyIndex) -> impl Iterator<Item = (usize, String)> {
    let last = index.generations().len() - 1;
    index.generations().iter().enumerate().map(move |(n, generation)| {
        let end = generation.revisions.len();
        let revisions = generation.revisions.iter().enumerate().map(|(at, of)| {
            let tombstone = n < last && at + 1 == end;
            revision(*of) + if tombstone { "t" } else { "" }
        });
        (n, revisions.collect::<Vec<_>>().join(" "))
    })
}

/// The version that holds somewhere.
pub(super) fn version(found: Result<Version, NotFound>) -> Result<String, String> {
    let Version { modified, created, version } = found.map_err(|error| error.to_string())?;
    Ok(format!("modified {}, created {created}, version {version}", revision(modified)))
}

pub(super) fn keep(keep: &BTreeSet<Revision>) -> String {
    format!("keeps {}", words(keep.iter().map(|of| revision(*of)), "nothing"))
}
