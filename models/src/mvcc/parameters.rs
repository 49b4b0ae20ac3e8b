//! Everything that can be set about a store, in one place.
//!
//! | field | default | what it bounds |
//! |---|---|---|
//! | `rules` | main | which era's promises it keeps |
//! | `settings.batch_limit` | 10000 | pending changes that make whoever unlocks the backend commit |
//! | `settings.batch_interval` | 100 ms | how long a change stays pending |
//! | `settings.compaction_batch` | 1000 (2015: 10000) | records that a compaction looks at under one lock |
//! | `settings.compaction_pause` | 10 ms (2015: 100 ms) | its pause between two batches |
//! | `settings.restore_chunk` | 10000 | records that a restore reads in one step |
//! | `settings.page_size` | 4096 | bytes of a page of the file |
//! | `read_buffer` | yes (2015: no) | whether readers need no lock |
//! | `commits_deletions` | yes (before: no) | whether an unlock with a deletion pending commits |
//! | `defrag_batch` | 10000 | pairs that are copied under one commit of the new file |
//! | `hashes_kept` | 10 | newest hashes of compactions that can be asked for |
//! | `watch.channel` | 128 (3.4: 1024, 2015: 10) | answers that wait on one stream |
//! | `watch.watchers` | 512 | watchers that one round of synchronisation serves |
//! | `watch.revisions` | 1000 | revisions that one answer of such a round holds |

use super::defects::Defects;
use super::rules::Rules;
use super::settings::Settings;
use super::watch::Limits;
use seedbed_sim::time::Span;

/// What a store is made with. There is no other way in: whoever wants the usual takes [`Parameters::default`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// The era.
    pub rules: Rules,
    /// The bugs that are planted.
    pub defects: Defects,
    /// Batches, times and sizes.
    pub settings: Settings,
    /// Whether readers have a buffer of their own. Without it they wait for the lock and see all that is pending.
    pub read_buffer: bool,
    /// Whether an unlock commits as soon as a deletion is pending.
    pub commits_deletions: bool,
    /// Pairs that defragmenting copies under one commit.
    pub defrag_batch: usize,
    /// Newest hashes of compactions to keep.
    pub hashes_kept: usize,
    /// Bounds of the layer that watches.
    pub watch: Limits,
}

impl Default for Parameters {
    fn default() -> Parameters {
        Parameters::of(Rules::Main)
    }
}

impl Parameters {
    /// The documented defaults of an era.
    pub fn of(rules: Rules) -> Parameters {
        let channel = match rules {
            Rules::V2015 => 10,
            Rules::V3_4 => 1024,
            Rules::Main => 128,
        };
        Parameters {
            rules,
            defects: Defects::NONE,
            settings: Settings {
                compaction_batch: rules.compaction_batch(),
                compaction_pause: Span::ms(rules.compaction_pause_ms()),
                ..Settings::default()
            },
            read_buffer: rules.has_read_buffer(),
            commits_deletions: rules.commits_deletions(),
            defrag_batch: 10_000,
            hashes_kept: 10,
            watch: Limits { channel, ..Limits::default() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S2: what the default constructor fills in.
    #[test]
    fn the_defaults_are_the_documented_ones() {
        let Parameters { settings, watch, defects, .. } = Parameters::default();
        assert_eq!((settings.batch_limit, settings.batch_interval), (10_000, Span::ms(100)));
        assert_eq!((settings.compaction_batch, settings.compaction_pause), (1_000, Span::ms(10)));
        assert_eq!((watch.channel, watch.watchers, watch.revisions), (128, 512, 1_000));
        assert_eq!(defects, Defects::NONE);
        let old = Parameters::of(Rules::V2015);
        let pause = old.settings.compaction_pause;
        assert_eq!((old.settings.compaction_batch, pause), (10_000, Span::ms(100)));
        assert_eq!((old.watch.channel, old.read_buffer, old.commits_deletions), (10, false, false));
        assert_eq!(Parameters::of(Rules::V3_4).watch.channel, 1_024);
    }
}
