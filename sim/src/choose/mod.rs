//! The only source of decisions: `choose(site, key)` gives an outcome, never a raw draw.
//!
//! ```text
//! (site, key) ──override in the plan?── yes ──▶ that outcome
//!                      │ no
//!                      ▼
//!   mix(seed, site, key) ──▶ odds of the site (weights of the plan) ──▶ outcome; 0 is calm
//! ```
//!
//! A decision is keyed by *who and what*, so that taking one operation, fault or message away leaves every other
//! decision as it was. Reading order: [`Site`], [`Key`], [`Odds`], [`Choices`]; `mix.rs` holds the arithmetic that
//! golden tests pin, `draw.rs` the ChaCha8 streams that expand a seed into a plan.

mod draw;
mod mix;
mod odds;

pub use draw::{Draw, Purpose};
pub use mix::{Digest, FixedState, Mixer, Words, fold, fold_key, fold_pair, start};
pub use odds::Odds;

use hashbrown::HashMap;

/// Ids below this belong to the engine; a model numbers its sites from here.
pub const FIRST_MODEL_SITE: u16 = 32;
/// Sites have ids below this, so that their state is an array.
pub const SITES_MAX: usize = 64;

/// A place where something is decided: a named constant with a fixed id, never a file and line.
#[derive(Debug, PartialEq, Eq)]
pub struct Site {
    /// Fixed for ever; part of every key, so that renumbering would re-roll old seeds.
    pub id: u16,
    /// The first word of a noise line.
    pub name: &'static str,
    /// How the key is printed and read back.
    pub shape: Shape,
    /// What the outcomes are called in a noise line, from outcome 1 on; outcome 0 is calm and has no name.
    pub outcomes: &'static [&'static str],
}

/// How the words of a key are laid out, and so how a noise line names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `from->to kind#subject nth`: a message, hand-over, lock or timer; built by [`Key::between`].
    Between,
    /// `node file kind nth`: a disk request; built by [`Key::disk`].
    Disk,
    /// `node file sector n`: what a crash or a failed sync does with one unsynced sector; built by [`Key::sector`].
    Sector,
    /// `node name change n`: what a crash does with an unsynced change of a name; built by [`Key::sector`].
    Change,
    /// `client->server nth @offset`: a connection and a place in one of its streams; built by [`Key::stream`].
    Stream,
    /// `actor subject nth`: a decision of a model; built by [`Key::own`].
    Own,
}

/// Who and what a decision is about. Two decisions of a run with equal site and key would be one decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Who: actors or node, and incarnation.
    pub who: u64,
    /// What: the subject of a message, a file, a direction.
    pub what: u64,
    /// Which: kind (upper half) and the count of equal ones (lower half), or an offset.
    pub which: u64,
}

/// The two ends of a message, and the incarnation of the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ends {
    /// The sending actor.
    pub from: u16,
    /// The receiving actor.
    pub to: u16,
    /// Which life of the sender's node.
    pub incarnation: u32,
}

impl Key {
    /// A message or hand-over between two actors. `n` counts the equal ones from 1.
    #[must_use]
    pub const fn between(ends: Ends, kind: u16, subject: u64, n: u32) -> Key {
        Key {
            who: (ends.from as u64) << 48 | (ends.to as u64) << 32 | ends.incarnation as u64,
            what: subject,
            which: (kind as u64) << 32 | n as u64,
        }
    }

    /// A disk request on a file (its name as one word). `n` counts the equal ones from 1.
    #[must_use]
    pub const fn disk(node: u16, incarnation: u32, file: u64, kind: u16, n: u32) -> Key {
        Key {
            who: (node as u64) << 32 | incarnation as u64,
            what: file,
            which: (kind as u64) << 32 | n as u64,
        }
    }

    /// A sector of a file at the crash that ends `incarnation`, or at a failed sync: `moment` tells them apart.
    #[must_use]
    pub const fn sector(node: u16, incarnation: u32, file: u64, moment: u16, sector: u32) -> Key {
        Key {
            who: (node as u64) << 32 | incarnation as u64,
            what: file,
            which: (moment as u64) << 32 | sector as u64,
        }
    }

    /// The `n`-th connect of a client to a server, at `offset` of the stream in `direction` (0 client to server, 1 back).
    #[must_use]
    pub const fn stream(client: u16, server: u16, n: u32, direction: u8, offset: u64) -> Key {
        Key {
            who: (client as u64) << 48 | (server as u64) << 32 | n as u64,
            what: direction as u64,
            which: offset,
        }
    }

    /// A decision of a model's own: the actor, what it is about, and which one (from 1).
    #[must_use]
    pub const fn own(actor: u16, incarnation: u32, subject: u64, n: u64) -> Key {
        Key { who: (actor as u64) << 32 | incarnation as u64, what: subject, which: n }
    }
}

/// One decision that was not calm, as a run met it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decision {
    /// The site's id.
    pub site: u16,
    /// Who and what.
    pub key: Key,
    /// The outcome, at least 1 when recorded by a run (0 only if it was observed); a plan may also force 0.
    pub outcome: u32,
}

/// The bit of a site; its id is below [`SITES_MAX`], so that nothing is shifted out.
#[inline]
const fn bit(site: u16) -> u64 {
    1_u64.wrapping_shl(site as u32)
}

#[derive(Clone, Debug)]
struct Override {
    decision: Decision,
    used: bool,
}

/// All decisions of one run. It belongs to the world and is cloned with it.
#[derive(Clone, Debug)]
pub struct Choices {
    seed: u64,
    /// The seed of details.
    detail_seed: u64,
    odds: [Odds; SITES_MAX],
    /// One bit a site: drawn, or with an override.
    live: u64,
    /// One bit a site: with an override.
    overridden: u64,
    /// One bit a site: there is more to its decisions than a draw. All of them if the world has fallen calm or somebody
    /// keeps decisions; else those with an override.
    special: u64,
    overrides: HashMap<u64, Override, FixedState>,
    calm: bool,
    recording: Option<Vec<Decision>>,
    /// Calm answers are recorded, too.
    observing: bool,
}

impl Default for Choices {
    fn default() -> Choices {
        Choices {
            seed: 0,
            detail_seed: 0,
            odds: [Odds::CALM; SITES_MAX],
            live: 0,
            overridden: 0,
            special: 0,
            overrides: HashMap::with_hasher(FixedState),
            calm: false,
            recording: None,
            observing: false,
        }
    }
}

impl Choices {
    /// Starts over for a run with this seed: nothing is drawn until odds or overrides are set. Keeps its memory, and goes
    /// on recording if it was, from the first decision on.
    pub fn reset(&mut self, seed: u64) {
        self.seed = seed;
        self.detail_seed = seed;
        while self.live != 0 {
            self.odds[self.live.trailing_zeros() as usize] = Odds::CALM;
            self.live &= self.live - 1;
        }
        self.overridden = 0;
        self.overrides.clear();
        self.calm = false;
        self.special = if self.recording.is_some() { u64::MAX } else { 0 };
        if let Some(recording) = &mut self.recording {
            recording.clear();
        }
    }

    /// Takes the details of outcomes from another seed than the outcomes themselves.
    pub fn set_detail_seed(&mut self, seed: u64) {
        self.detail_seed = seed;
    }

    /// Draws at `site` with these odds from now on. Calm odds switch the site off.
    pub fn set_odds(&mut self, site: u16, odds: Odds) {
        let bit = 1_u64 << site;
        self.odds[usize::from(site)] = odds;
        if odds.is_calm() && self.overridden & bit == 0 {
            self.live &= !bit;
        } else {
            self.live |= bit;
        }
    }

    /// Makes one decision in advance. It holds whether or not the site is drawn.
    pub fn force(&mut self, decision: Decision) {
        let bit = 1_u64 << decision.site;
        self.live |= bit;
        self.overridden |= bit;
        self.special |= bit;
        self.overrides
            .insert(fold_key(decision.site, decision.key), Override { decision, used: false });
    }

    /// Asks at `site` from now on, though nothing is drawn there: the answer is 0 unless a decision was made in advance.
    pub fn ask(&mut self, site: &Site) {
        self.live |= 1 << site.id;
    }

    /// From now on every decision that differs from calm is kept for [`Choices::take_recording`].
    pub fn record(&mut self) {
        self.recording = Some(Vec::new());
        self.observing = false;
        self.special = u64::MAX;
    }

    /// The same for every question with its outcome, also where that is calm: this shows what a change of the plan does to
    /// decisions. A site that is off is not asked; from the heal on nothing is.
    pub fn observe(&mut self) {
        self.record();
        self.observing = true;
    }

    /// What was recorded or observed, in the order in which it was met.
    pub fn take_recording(&mut self) -> Vec<Decision> {
        if !self.calm {
            self.special = self.overridden;
        }
        self.recording.take().unwrap_or_default()
    }

    /// Ends the drawing of noise: from the heal on, only overrides decide. (They have been keyed, so they still line up.)
    pub fn fall_calm(&mut self) {
        self.calm = true;
        self.special = u64::MAX;
    }

    /// Whether a question at this site can have another answer than 0; if not, its key need not be made.
    #[inline]
    #[must_use]
    pub fn is_live(&self, site: &Site) -> bool {
        self.live & bit(site.id) != 0
    }

    /// Decides. 0 always means "nothing unusual".
    #[inline]
    pub fn choose(&mut self, site: &Site, key: Key) -> u32 {
        if self.live & bit(site.id) == 0 { 0 } else { self.decide(site.id, key) }
    }

    /// Decides at a site that is known to be live.
    #[inline(always)]
    pub(crate) fn decide(&mut self, site: u16, key: Key) -> u32 {
        if self.special & bit(site) != 0 {
            return self.decide_specially(site, key.who, key.what, key.which);
        }
        self.odds[usize::from(site) % SITES_MAX].pick(fold(self.seed, fold_key(site, key)))
    }

    /// The same where there is more to it than a draw. It takes the key apart, since it would be written to memory before
    /// every draw if it went as a whole.
    #[cold]
    #[inline(never)]
    fn decide_specially(&mut self, site: u16, who: u64, what: u64, which: u64) -> u32 {
        let key = Key { who, what, which };
        let folded = fold_key(site, key);
        let overridden = self.overridden & (1 << site) != 0;
        let forced = if overridden { self.overrides.get_mut(&folded) } else { None };
        let outcome = match forced {
            Some(forced) => {
                forced.used = true;
                forced.decision.outcome
            }
            None if self.calm => return 0,
            None => self.odds[usize::from(site)].pick(fold(self.seed, folded)),
        };
        if let Some(recording) = &mut self.recording
            && (outcome != 0 || self.observing)
        {
            recording.push(Decision { site, key, outcome });
        }
        outcome
    }

    /// A secondary draw below `bound` that belongs to an outcome already chosen (which bit, which sector). It is a
    /// function of (seed, site, key) alone. In a run of a plan, the seed is that of the plan, whether its noise is drawn (from
    /// another seed, perhaps) or given as lines: the same outcome has the same detail.
    #[must_use]
    pub fn detail(&self, site: &Site, key: Key, bound: u64) -> u64 {
        let word = fold(self.detail_seed ^ 0x5DE7_A115, fold_key(site.id, key));
        scale(word, bound)
    }

    /// The overrides that no question has asked for.
    #[must_use]
    pub fn unused(&self) -> Vec<Decision> {
        let mut unused: Vec<Decision> =
            self.overrides.values().filter(|o| !o.used).map(|o| o.decision).collect();
        unused.sort_unstable();
        unused
    }
}

/// Maps a word evenly to `0..bound` without division; 0 if the bound is 0.
#[must_use]
pub(crate) const fn scale(word: u64, bound: u64) -> u64 {
    ((word as u128 * bound as u128) >> 64) as u64
}

#[cfg(test)]
mod tests;
