//! Where a key belongs: its partition in the reference store, and its vbucket.

/// CRC-32 as of IEEE 802.3, which clients use for keys.
#[must_use]
pub fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = !0_u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let odd = crc & 1 != 0;
            crc >>= 1;
            if odd {
                crc ^= 0xedb8_8320;
            }
        }
    }
    !crc
}

/// The vbucket of a key, where there are so many of them: a power of two.
///
/// # Panics
/// If it is none.
#[must_use]
pub fn vbucket_of(key: &str, vbuckets: u32) -> u32 {
    assert!(vbuckets.is_power_of_two(), "there are 1, 2, 4, ... vbuckets");
    ((crc32(key.as_bytes()) >> 16) & 0x7fff) & (vbuckets - 1)
}

/// The partition of a key, where there are so many of them.
///
/// # Panics
/// If there are none.
#[must_use]
pub fn partition_of(key: &str, partitions: usize) -> usize {
    assert!(partitions > 0, "a store has partitions");
    crc32(key.as_bytes()) as usize % partitions
}

#[cfg(test)]
mod tests {
    use super::{crc32, partition_of, vbucket_of};

    #[test]
    fn the_checksum_is_the_one_of_the_standard() {
        // The check value that catalogues of checksums give.
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn a_vbucket_is_taken_from_the_upper_half_and_a_partition_from_all() {
        assert_eq!(vbucket_of("123456789", 1024), (0xcbf4 & 0x7fff) % 1024);
        assert_eq!(vbucket_of("123456789", 1), 0);
        assert_eq!(partition_of("123456789", 16), 0xcbf4_3926 % 16);
    }
}
