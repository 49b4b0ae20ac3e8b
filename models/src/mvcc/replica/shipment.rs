//! What travels when a snapshot is sent: `index u64 | size u32`, big-endian, and then so many bytes of a file.

/// Bytes of the header.
const HEADER: usize = 12;

/// The header of a snapshot up to this entry, of so many bytes.
#[must_use]
pub fn header(index: u64, size: usize) -> Vec<u8> {
    let size = u32::try_from(size).expect("a file is small");
    [index.to_be_bytes().as_slice(), &size.to_be_bytes()].concat()
}

/// A snapshot as far as it has arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arrival(Vec<u8>);

impl Arrival {
    /// Where what arrives is to be added.
    pub fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }

    /// Up to which entry it goes and its file, once it has arrived as a whole.
    #[must_use]
    pub fn whole(&self) -> Option<(u64, &[u8])> {
        let (header, file) = self.0.split_at_checked(HEADER)?;
        let index = u64::from_be_bytes(header[..8].try_into().ok()?);
        let size = u32::from_be_bytes(header[8..].try_into().ok()?);
        (file.len() == usize::try_from(size).ok()?).then_some((index, file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_all_of_a_snapshot_is_a_snapshot() {
        let all = [header(7, 3), b"abc".to_vec()].concat();
        for len in 0..all.len() {
            assert_eq!(Arrival(all[..len].to_vec()).whole(), None);
        }
        assert_eq!(Arrival(all).whole(), Some((7, b"abc".as_slice())));
    }
}
