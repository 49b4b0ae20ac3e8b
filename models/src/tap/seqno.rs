//! Sequence numbers of messages: 1, 2, ... 2^32-1, and then 1 again.

use std::fmt;

/// The number of a message on its connection. There is no 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Seqno(pub u32);

/// So many numbers there are.
const NUMBERS: u32 = u32::MAX;

impl Seqno {
    /// The one after it.
    #[must_use]
    pub fn next(self) -> Seqno {
        Seqno(if self.0 == u32::MAX { 1 } else { self.0 + 1 })
    }

    /// The one before it.
    #[must_use]
    pub fn previous(self) -> Seqno {
        Seqno(if self.0 <= 1 { u32::MAX } else { self.0 - 1 })
    }

    /// Whether an acknowledgement of this number acknowledges `sent`, too: that is not later. Of two numbers that one is
    /// earlier from which the other is less than half of all numbers away.
    #[must_use]
    pub fn covers(self, sent: Seqno) -> bool {
        let ahead = u64::from(self.0) + u64::from(NUMBERS) - u64::from(sent.0);
        ahead % u64::from(NUMBERS) < u64::from(NUMBERS / 2)
    }

    /// The same without minding that numbers begin again. Only a planted bug compares like that.
    #[must_use]
    pub fn covers_without_wrap(self, sent: Seqno) -> bool {
        sent.0 <= self.0
    }
}

impl fmt::Display for Seqno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Seqno;

    #[test]
    fn numbers_begin_again_with_one() {
        assert_eq!(Seqno(u32::MAX).next(), Seqno(1));
        assert_eq!(Seqno(1).previous(), Seqno(u32::MAX));
        let mut seqno = Seqno(u32::MAX - 2);
        for _ in 0..5 {
            assert_eq!(seqno.next().previous(), seqno);
            seqno = seqno.next();
        }
        assert_eq!(seqno, Seqno(3));
    }

    #[test]
    fn an_acknowledgement_covers_what_was_sent_before_it_also_across_the_end_of_the_numbers() {
        let order: Vec<Seqno> = [u32::MAX - 1, u32::MAX, 1, 2].map(Seqno).to_vec();
        for (at, acknowledged) in order.iter().enumerate() {
            for (other, sent) in order.iter().enumerate() {
                assert_eq!(acknowledged.covers(*sent), other <= at, "{acknowledged} and {sent}");
            }
        }
        assert!(!Seqno(2).covers_without_wrap(Seqno(u32::MAX)));
    }
}
