//! Which era's rules a store goes by.
//!
//! What a store promises has changed over the years, and each change was meant. A test of a store has to say which
//! promise it holds it to.
//!
//! | what | 2015 | 3.4 | main | here |
//! |---|---|---|---|---|
//! | revision of an empty store; the first write has one more | 0 | 1 (ecba9b61c, 2016) | 1 | [`Rules::empty_revision`] |
//! | read at the compacted revision | refused | allowed (d72bcdc15, 2016) | allowed | [`Rules::reads_at_compacted`] |
//! | hash right at the compacted revision, by number | refused | refused | allowed (cc1e24536) | [`Rules::hashes_at_compacted`] |
//! | history and watch from the compacted revision | refused | allowed | allowed | [`Rules::watches_at_compacted`] |
//! | tombstone right at the compacted revision | removed | removed | kept (bbdc94181, 2024) | [`Rules::keeps_head_tombstone`] |
//! | watch from a future revision | refused | waits (036ed87c6, 2016) | waits | [`Rules::watches_future`] |
//! | watch from a negative revision | accepted | accepted | refused (afeab20ac) | [`Rules::watches_negative`] |
//! | a watcher that was cancelled says so | "watcher is canceled" | no | no | [`Rules::cancelled_is_told`] |
//! | records that a compaction looks at under one lock | 10000 | 1000 (d57bc6e72, 2019) | 1000 | [`Rules::compaction_batch`] |
//! | its pause between two batches, in ms | 100 | 10 | 10 | [`Rules::compaction_pause_ms`] |
//! | it commits after each batch | no | yes | yes | [`Rules::commits_each_batch`] |
//! | readers see a transaction before it is committed | by the write lock | read buffer (8d438c293, 2017) | read buffer | [`Rules::has_read_buffer`] |
//! | whoever gives back the lock commits deletions at once | no | no | yes (db61c9695) | [`Rules::commits_deletions`] |
//! | where the log position is saved | nowhere | at the end of a transaction | in each commit (50051675f) | the applier |
//!
//! What is only a defect, in any era, is in [`defects`](super::defects).

use std::fmt;
use std::str::FromStr;

/// An era of the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rules {
    /// The storage package before its first release.
    V2015,
    /// The releases of the line 3.4, up to 3.4.33.
    V3_4,
    /// The main branch: what everything here does unless it is told otherwise.
    #[default]
    Main,
}

impl Rules {
    /// All of them, oldest first.
    pub const ALL: [Rules; 3] = [Rules::V2015, Rules::V3_4, Rules::Main];

    /// The current revision of a store that was never written.
    pub fn empty_revision(self) -> i64 {
        if self == Rules::V2015 { 0 } else { 1 }
    }

    /// Whether a read right at the compacted revision is answered.
    pub fn reads_at_compacted(self) -> bool {
        self > Rules::V2015
    }

    /// Whether a hash right at the compacted revision is answered when it is asked for by its number. As the current
    /// revision (0) it always is. Seen on a 3.4.23.
    pub fn hashes_at_compacted(self) -> bool {
        self == Rules::Main
    }

    /// Whether a watcher, or a reader of the history, may begin right at the compacted revision.
    pub fn watches_at_compacted(self) -> bool {
        self > Rules::V2015
    }

    /// Whether a compaction keeps a tombstone right at its revision, for watchers that begin there.
    pub fn keeps_head_tombstone(self) -> bool {
        self == Rules::Main
    }

    /// Whether a watcher may begin at a revision that is still to come.
    pub fn watches_future(self) -> bool {
        self > Rules::V2015
    }

    /// Whether a watcher may begin at a negative revision.
    pub fn watches_negative(self) -> bool {
        self < Rules::Main
    }

    /// Whether somebody who asks a cancelled watcher for its end is told that it was cancelled. Later ones just close
    /// their channel.
    pub fn cancelled_is_told(self) -> bool {
        self == Rules::V2015
    }

    /// How many records a compaction looks at under one lock, unless somebody says otherwise.
    pub fn compaction_batch(self) -> usize {
        if self == Rules::V2015 { 10_000 } else { 1_000 }
    }

    /// How long a compaction pauses between two batches unless somebody says otherwise, in milliseconds.
    pub fn compaction_pause_ms(self) -> u64 {
        if self == Rules::V2015 { 100 } else { 10 }
    }

    /// Whether a compaction commits after each batch.
    pub fn commits_each_batch(self) -> bool {
        self > Rules::V2015
    }

    /// Whether readers have a buffer of their own of what was not committed yet.
    pub fn has_read_buffer(self) -> bool {
        self > Rules::V2015
    }

    /// Whether giving back the lock of the backend commits as soon as a deletion is pending.
    pub fn commits_deletions(self) -> bool {
        self == Rules::Main
    }
}

impl fmt::Display for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Rules::V2015 => "2015",
            Rules::V3_4 => "3.4",
            Rules::Main => "main",
        })
    }
}

/// A name that no era has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the rules are those of `2015`, `3.4` or `main`, not of `{0}`")]
pub struct UnknownRules(pub String);

impl FromStr for Rules {
    type Err = UnknownRules;

    fn from_str(name: &str) -> Result<Rules, UnknownRules> {
        let found = Rules::ALL.into_iter().find(|rules| rules.to_string() == name);
        found.ok_or_else(|| UnknownRules(name.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_era_reads_back_from_its_name_and_no_other_name_is_one() {
        for rules in Rules::ALL {
            assert_eq!(rules.to_string().parse(), Ok(rules));
        }
        assert_eq!("3.5".parse::<Rules>(), Err(UnknownRules("3.5".into())));
        assert_eq!(Rules::default(), Rules::Main);
    }

    /// The lines of the table that are yes or no, by era.
    #[test]
    fn each_rule_changed_once() {
        type Rule = fn(Rules) -> bool;
        let table: [(Rule, [bool; 3]); 10] = [
            (Rules::reads_at_compacted, [false, true, true]),
            (Rules::hashes_at_compacted, [false, false, true]),
            (Rules::watches_at_compacted, [false, true, true]),
            (Rules::keeps_head_tombstone, [false, false, true]),
            (Rules::watches_future, [false, true, true]),
            (Rules::watches_negative, [true, true, false]),
            (Rules::cancelled_is_told, [true, false, false]),
            (Rules::commits_each_batch, [false, true, true]),
            (Rules::has_read_buffer, [false, true, true]),
            (Rules::commits_deletions, [false, false, true]),
        ];
        for (n, (rule, expected)) in table.into_iter().enumerate() {
            assert_eq!(Rules::ALL.map(rule), expected, "rule {n}");
        }
        assert_eq!(Rules::ALL.map(Rules::empty_revision), [0, 1, 1]);
        assert_eq!(Rules::ALL.map(Rules::compaction_batch), [10_000, 1_000, 1_000]);
        assert_eq!(Rules::ALL.map(Rules::compaction_pause_ms), [100, 10, 10]);
    }
}
