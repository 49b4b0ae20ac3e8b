//! How a client tries again: it waits 1 ms, then twice as long each time, up to 256 ms; and asks for at most five new maps.

use seedbed_sim::time::Span;

/// The first wait.
const FIRST: Span = Span::ms(1);
/// What is due at this or later is not waited for.
const BOUND: Span = Span::ms(500);

/// The waits of one operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backoff {
    waited: u32,
}

impl Backoff {
    /// The next wait; nothing if there were enough of them.
    pub fn next_wait(&mut self) -> Option<Span> {
        let wait = FIRST.times(1 << self.waited.min(63));
        (wait < BOUND).then(|| {
            self.waited += 1;
            wait
        })
    }

    /// How many waits there were.
    #[must_use]
    pub fn waited(&self) -> u32 {
        self.waited
    }
}

/// So many new maps are asked for a call.
const REFRESHES_MAX: u32 = 5;

/// What a call does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// After this wait it is sent to the same node again.
    Again(Span),
    /// After this wait a new map is asked for.
    NewMap(Span),
    /// Nothing more: it is not applied.
    GiveUp,
}

/// How often a call has been tried again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retries {
    backoff: Backoff,
    refreshes: u32,
}

impl Retries {
    /// A node refuses for the moment.
    pub fn refused_for_now(&mut self) -> Next {
        self.backoff.next_wait().map_or(Next::GiveUp, Next::Again)
    }

    /// It has to go elsewhere: the node has the vbucket no more, or there is no connection to it.
    pub fn goes_elsewhere(&mut self) -> Next {
        if self.refreshes == REFRESHES_MAX {
            return Next::GiveUp;
        }
        self.refreshes += 1;
        Next::NewMap(FIRST.times(1 << self.refreshes))
    }

    /// How many new maps were asked for.
    #[must_use]
    pub fn refreshes(&self) -> u32 {
        self.refreshes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nine_waits_take_511_milliseconds_and_there_is_no_tenth() {
        let mut backoff = Backoff::default();
        let waits: Vec<Span> = std::iter::from_fn(|| backoff.next_wait()).collect();
        assert_eq!(waits.first(), Some(&Span::ms(1)));
        assert_eq!(waits.last(), Some(&Span::ms(256)));
        assert_eq!(waits.len(), 9);
        assert_eq!(waits.iter().map(|wait| wait.0).sum::<u64>(), Span::ms(511).0);
        assert_eq!(backoff.waited(), 9);
    }
}
