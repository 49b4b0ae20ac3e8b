//! What happens to one datagram.

use crate::choose::{Choices, Key, Shape, Site};
use crate::time::Span;

/// How one datagram deviates from calm.
pub const NET: Site = Site {
    id: 1,
    name: "net",
    shape: Shape::Between,
    outcomes: &[
        "drop",
        "duplicate",
        "reorder",
        "corrupt",
        "delay 100us",
        "delay 1ms",
        "delay 5ms",
        "delay 20ms",
        "delay 100ms",
        "delay 500ms",
        "delay 2s",
    ],
};

/// The heavy tail of delays, as the outcomes of [`NET`] name them.
pub const DELAYS: [Span; 7] = [
    Span::us(100),
    Span::ms(1),
    Span::ms(5),
    Span::ms(20),
    Span::ms(100),
    Span::ms(500),
    Span::secs(2),
];

const FIRST_DELAY: u32 = 5;

/// The fate of one datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// Arrives after the calm latency.
    Calm,
    /// Is lost.
    Drop,
    /// Arrives twice: after the calm latency, and again this much later.
    Duplicate(Span),
    /// Arrives this much later, a few calm latencies, so that messages sent after it overtake it.
    Reorder(Span),
    /// Arrives altered by this word, or not at all if the receiver can tell.
    Corrupt(u64),
    /// Arrives this much later than calm.
    Delay(Span),
}

impl Fate {
    /// Decides the fate of the datagram with this key; `base` is the calm latency of its link.
    #[inline]
    pub fn decide(choices: &mut Choices, key: Key, base: Span) -> Fate {
        match choices.choose(&NET, key) {
            0 => Fate::Calm,
            unusual => Fate::unusual(unusual, choices, key, base),
        }
    }

    fn unusual(outcome: u32, choices: &Choices, key: Key, base: Span) -> Fate {
        // A little more than whole latencies, so that it does not tie with a message sent at the same pace.
        let later = |bound| Span(base.0 + 1 + choices.detail(&NET, key, bound));
        match outcome {
            1 => Fate::Drop,
            2 => Fate::Duplicate(later(base.0 * 8)),
            3 => Fate::Reorder(later(base.0 * 3)),
            4 => Fate::Corrupt(choices.detail(&NET, key, u64::MAX)),
            n => Fate::Delay(DELAYS[(n - FIRST_DELAY) as usize % DELAYS.len()]),
        }
    }
}

impl std::fmt::Display for Fate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Fate::Calm => write!(f, "calm"),
            Fate::Drop => write!(f, "drop"),
            Fate::Duplicate(later) => write!(f, "duplicate, {later} later"),
            Fate::Reorder(later) => write!(f, "reorder, {later} later"),
            Fate::Corrupt(_) => write!(f, "corrupt"),
            Fate::Delay(later) => write!(f, "delay {later}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choose::{Decision, Ends};

    #[test]
    fn every_outcome_has_the_fate_that_its_name_says() {
        let key = Key::between(Ends { from: 0, to: 1, incarnation: 1 }, 0, 0, 1);
        for (i, name) in NET.outcomes.iter().enumerate() {
            let mut choices = Choices::default();
            choices.reset(1);
            choices.force(Decision { site: NET.id, key, outcome: u32::try_from(i).unwrap() + 1 });
            let fate = Fate::decide(&mut choices, key, Span::ms(1));
            let said = match fate {
                Fate::Calm => String::new(),
                Fate::Drop => "drop".into(),
                Fate::Duplicate(_) => "duplicate".into(),
                Fate::Reorder(_) => "reorder".into(),
                Fate::Corrupt(_) => "corrupt".into(),
                Fate::Delay(span) => format!("delay {span}"),
            };
            assert_eq!(&said, name);
        }
    }
}
