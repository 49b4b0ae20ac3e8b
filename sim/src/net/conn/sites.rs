//! Where connections decide, and what the outcomes mean.

use crate::choose::{Choices, Key, Shape, Site};
use crate::time::Span;

/// Where the piece that arrives at an offset of a stream ends, and whether it is late. A cut leaves the rest to arrive a
/// latency later, as a piece of its own; one that is not shorter than the piece changes nothing.
pub const SEGMENT: Site = Site {
    id: 8,
    name: "segment",
    shape: Shape::Stream,
    outcomes: &[
        "1 byte",
        "2 bytes",
        "3 bytes",
        "7 bytes",
        "16 bytes",
        "half",
        "delay 1ms",
        "delay 20ms",
        "delay 500ms",
    ],
};

/// How a connect deviates from calm. A connect that hangs is never answered.
pub const CONNECT: Site = Site {
    id: 9,
    name: "connect",
    shape: Shape::Stream,
    outcomes: &["refuse", "hang", "delay 1ms", "delay 20ms", "delay 500ms"],
};

/// What a connection does when something of it meets a cut link. Calm: it stalls until the cut ends. `reset`: both ends
/// see a reset, when the cut ends or when they run out of patience. `half-open`: that direction stays silent for ever.
pub const CUT: Site =
    Site { id: 10, name: "cut", shape: Shape::Stream, outcomes: &["reset", "half-open"] };

/// Whether a bit of the piece that arrives at an offset flips. Real checksums of packets are weak, so this happens; but
/// most systems do not promise to survive it, so it is drawn only where the budget says so.
pub const CORRUPT: Site =
    Site { id: 11, name: "corrupt", shape: Shape::Stream, outcomes: &["flip"] };

/// The cuts of [`SEGMENT`], outcomes 1 to 5.
const CUTS: [u64; 5] = [1, 2, 3, 7, 16];
/// The delays of [`SEGMENT`] from outcome 7 on, and of [`CONNECT`] from outcome 3 on.
const DELAYS: [Span; 3] = [Span::ms(1), Span::ms(20), Span::ms(500)];

/// How much of a piece arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// This many bytes, at least one and at most all.
    Now(u64),
    /// All of it, this much later.
    Later(Span),
}

/// Decides about the `len` bytes (at least one) that arrive at the key's offset.
pub(super) fn segment(choices: &mut Choices, key: Key, len: u64) -> Piece {
    match choices.choose(&SEGMENT, key) {
        0 => Piece::Now(len),
        n @ 1..=5 => Piece::Now(CUTS[n as usize - 1].min(len)),
        6 => Piece::Now((len / 2).max(1)),
        n => Piece::Later(DELAYS[(n as usize - 7) % DELAYS.len()]),
    }
}

/// How a connect goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Knock {
    /// It reaches the server after the calm latency.
    Calm,
    /// It is refused when it reaches the server.
    Refuse,
    /// It never reaches anybody.
    Hang,
    /// It reaches the server this much later.
    Later(Span),
}

/// Decides about a connect.
pub(super) fn knock(choices: &mut Choices, key: Key) -> Knock {
    match choices.choose(&CONNECT, key) {
        0 => Knock::Calm,
        1 => Knock::Refuse,
        2 => Knock::Hang,
        n => Knock::Later(DELAYS[(n as usize - 3) % DELAYS.len()]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choose::Decision;

    fn forced(site: &Site, key: Key, outcome: usize) -> Choices {
        let mut choices = Choices::default();
        choices.reset(1);
        choices.force(Decision { site: site.id, key, outcome: u32::try_from(outcome).unwrap() });
        choices
    }

    #[test]
    fn every_segment_outcome_does_what_its_name_says() {
        let key = Key::stream(0, 1, 1, 0, 0);
        for (i, name) in SEGMENT.outcomes.iter().enumerate() {
            let said = match segment(&mut forced(&SEGMENT, key, i + 1), key, 100) {
                Piece::Now(50) => "half".into(),
                Piece::Now(1) => "1 byte".into(),
                Piece::Now(n) => format!("{n} bytes"),
                Piece::Later(span) => format!("delay {span}"),
            };
            assert_eq!(&said, name);
        }
    }

    #[test]
    fn a_cut_leaves_at_least_one_byte_and_at_most_all() {
        let key = Key::stream(0, 1, 1, 0, 0);
        for outcome in 1..=6 {
            for len in 1..20 {
                match segment(&mut forced(&SEGMENT, key, outcome), key, len) {
                    Piece::Now(n) => assert!((1..=len).contains(&n)),
                    Piece::Later(_) => panic!("outcome {outcome} is a cut"),
                }
            }
        }
    }

    #[test]
    fn every_connect_outcome_does_what_its_name_says() {
        let key = Key::stream(0, 1, 1, 0, 0);
        for (i, name) in CONNECT.outcomes.iter().enumerate() {
            let said = match knock(&mut forced(&CONNECT, key, i + 1), key) {
                Knock::Calm => String::new(),
                Knock::Refuse => "refuse".into(),
                Knock::Hang => "hang".into(),
                Knock::Later(span) => format!("delay {span}"),
            };
            assert_eq!(&said, name);
        }
    }
}
