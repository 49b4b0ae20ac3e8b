//! T95: the golden hashes of the real system's own test, and the keys of the history that they are about.

use super::KvHash;

const NAMES: [&str; 7] = ["alice", "bob", "celine", "dominik", "eve", "frederica", "gorge"];

/// The key that the history writes as number `i`, from 0; its value is `i` in decimal digits.
pub fn key(i: i64) -> &'static str {
    match (i.rem_euclid(142), i.rem_euclid(71)) {
        (30, _) => "zenek",
        (_, 30) => "xavery",
        _ => usize::try_from(i.rem_euclid(7)).map_or("", |n| NAMES[n]),
    }
}

/// The number that was put last, and then the hash at a revision of a store that is compacted as it says. After each but
/// the last the history is compacted at that revision. Numbers that end a part are written twice: the next part begins
/// with them.
pub const GOLDEN: [(i64, KvHash); 19] = [
    golden(71, 4082599214, -1, 35),
    golden(142, 2279933401, 35, 106),
    golden(213, 3284231217, 106, 177),
    golden(284, 126286495, 177, 248),
    golden(355, 900108730, 248, 319),
    golden(426, 2475485232, 319, 390),
    golden(497, 1226296507, 390, 461),
    golden(568, 2503661030, 461, 532),
    golden(639, 4155130747, 532, 603),
    golden(710, 106915399, 603, 674),
    golden(781, 406914006, 674, 745),
    golden(852, 1882211381, 745, 816),
    golden(923, 806177088, 816, 887),
    golden(994, 664311366, 887, 958),
    golden(1065, 1496914449, 958, 1029),
    golden(1136, 2434525091, 1029, 1100),
    golden(1207, 3988652253, 1100, 1171),
    golden(1278, 1122462288, 1171, 1242),
    golden(2487, 724436716, 1242, 1883),
];

const fn golden(last: i64, hash: u32, compacted: i64, revision: i64) -> (i64, KvHash) {
    (last, KvHash { hash, compacted, revision })
}
