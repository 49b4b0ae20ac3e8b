//! What a register is, in as few words as possible: the judge's own picture, which shares nothing with the model.

use seedbed_sim::judge::linear::Sequential;

/// Registers, one a key, each without a value at first.
pub struct Registers;

/// What is done to a register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Look at its value.
    Read,
    /// Replace its value.
    Write(u64),
}

impl Sequential for Registers {
    type Key = u8;
    type Op = (u8, Access);
    /// What a read saw. A write answers nothing.
    type Ret = Option<u64>;
    /// The value, if there is one.
    type State = Option<u64>;

    fn key(&self, (key, _): &(u8, Access)) -> u8 {
        *key
    }

    fn initial(&self, _key: &u8) -> Option<u64> {
        None
    }

    fn step(
        &self,
        state: &Option<u64>,
        (_, access): &(u8, Access),
        seen: Option<&Option<u64>>,
    ) -> Option<Option<u64>> {
        match access {
            Access::Write(value) => Some(Some(*value)),
            Access::Read if seen.is_none_or(|seen| seen == state) => Some(*state),
            Access::Read => None,
        }
    }

    fn reads_only(&self, (_, access): &(u8, Access), _seen: Option<&Option<u64>>) -> bool {
        *access == Access::Read
    }
}
