//! What really happened to connections, counted: a fault that was asked for but met nothing is not in here.

/// Something that happened to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sight {
    /// A connect was refused: by choice, because its server refuses all for a while, or because it came from the server
    /// itself.
    RefusedConnect,
    /// A connect hangs, by choice for ever, or until its server takes connects again.
    HungConnect,
    /// A connect reached its server late by choice.
    DelayedConnect,
    /// A connect met a server that is not running: refused by a machine that is, silent otherwise.
    DeadServer,
    /// What arrived was cut short, and the rest came later.
    Split,
    /// What arrived was held back by choice.
    Delayed,
    /// A bit flipped.
    Flipped,
    /// Something waited for the end of a cut.
    CutStall,
    /// A connection that met a cut was given up by both ends.
    CutReset,
    /// A direction that met a cut stays silent.
    CutHalfOpen,
    /// Something waited for the end of a clog.
    Clogged,
    /// Something was sent over a slow link.
    Slowed,
    /// [`super::Trouble::Reset`] struck a connection.
    Reset,
    /// [`super::Trouble::Close`] struck a connection.
    Closed,
    /// [`super::Trouble::Silence`] struck a direction.
    Silenced,
    /// [`super::Trouble::Tear`] has torn bytes in flight.
    Torn,
    /// The process at one end was killed.
    Killed,
    /// The process at one end stopped in order.
    Stopped,
    /// One end lost power.
    PowerLost,
    /// A machine answered with a reset, because it knows nothing of the connection any more.
    LateReset,
    /// A write did not fit and was cut short.
    ShortWrite,
    /// A call that makes no sense was refused: an unknown or foreign connection, one of an earlier incarnation, a write
    /// before the connection is open or after its end.
    Misuse,
}

impl Sight {
    /// All of them, by number.
    pub const ALL: [Sight; 22] = [
        Sight::RefusedConnect,
        Sight::HungConnect,
        Sight::DelayedConnect,
        Sight::DeadServer,
        Sight::Split,
        Sight::Delayed,
        Sight::Flipped,
        Sight::CutStall,
        Sight::CutReset,
        Sight::CutHalfOpen,
        Sight::Clogged,
        Sight::Slowed,
        Sight::Reset,
        Sight::Closed,
        Sight::Silenced,
        Sight::Torn,
        Sight::Killed,
        Sight::Stopped,
        Sight::PowerLost,
        Sight::LateReset,
        Sight::ShortWrite,
        Sight::Misuse,
    ];
}

impl std::fmt::Display for Sight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Sight::RefusedConnect => "a connect is refused",
            Sight::HungConnect => "a connect hangs",
            Sight::DelayedConnect => "a connect is late",
            Sight::DeadServer => "nobody is there to connect to",
            Sight::Split => "what arrives is cut short",
            Sight::Delayed => "what arrives is held back",
            Sight::Flipped => "a bit flips",
            Sight::CutStall => "waits for the end of a cut",
            Sight::CutReset => "given up because of a cut",
            Sight::CutHalfOpen => "half open because of a cut",
            Sight::Clogged => "waits for the end of a clog",
            Sight::Slowed => "sent over a slow link",
            Sight::Reset => "a connection is reset",
            Sight::Closed => "a connection is closed",
            Sight::Silenced => "a direction falls silent",
            Sight::Torn => "bytes in flight are torn",
            Sight::Killed => "the process at one end was killed",
            Sight::Stopped => "the process at one end has stopped",
            Sight::PowerLost => "one end has lost power",
            Sight::LateReset => "answered with a reset",
            Sight::ShortWrite => "a write does not fit",
            Sight::Misuse => "a call without sense",
        })
    }
}

/// How often each [`Sight`] was seen in a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Seen {
    counts: [u64; Sight::ALL.len()],
    /// Of these, those that were decided about one connection, rather than came of something that lasts for a while.
    chosen: [u64; Sight::ALL.len()],
    /// Those that nobody has been told of.
    news: Vec<Sight>,
}

impl Seen {
    /// How often this was seen.
    #[must_use]
    pub const fn count(&self, sight: Sight) -> u64 {
        self.counts[sight as usize]
    }

    /// How often this was seen because it was decided so about one connection. Only connects that are refused or hang are
    /// told apart like this.
    #[must_use]
    pub const fn chosen(&self, sight: Sight) -> u64 {
        self.chosen[sight as usize]
    }

    /// All that was seen at least once.
    pub fn iter(&self) -> impl Iterator<Item = (Sight, u64)> + '_ {
        Sight::ALL.into_iter().map(|sight| (sight, self.count(sight))).filter(|(_, n)| *n > 0)
    }

    pub(super) fn note(&mut self, sight: Sight) {
        self.counts[sight as usize] += 1;
        self.news.push(sight);
    }

    pub(super) fn note_chosen(&mut self, sight: Sight) {
        self.chosen[sight as usize] += 1;
        self.note(sight);
    }

    /// What has been seen since this was asked last, in order.
    pub fn news(&mut self) -> std::vec::Drain<'_, Sight> {
        self.news.drain(..)
    }

    /// Whether anything has been seen since.
    pub(super) const fn has_news(&self) -> bool {
        !self.news.is_empty()
    }

    /// Nothing has been seen. Keeps its memory.
    pub(super) fn reset(&mut self) {
        self.counts = [0; Sight::ALL.len()];
        self.chosen = [0; Sight::ALL.len()];
        self.news.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sight_has_a_counter_of_its_own() {
        for (i, sight) in Sight::ALL.into_iter().enumerate() {
            assert_eq!(sight as usize, i);
        }
        let mut seen = Seen::default();
        seen.note(Sight::Torn);
        seen.note(Sight::Torn);
        assert_eq!(seen.iter().collect::<Vec<_>>(), [(Sight::Torn, 2)]);
    }
}
