//! Meta pages: which chain is the committed one.
//!
//! A meta page is three chunks of 16 bytes, each with a checksum of its own that also covers its place:
//!
//! ```text
//! checksum  sequence  magic     page size
//! checksum  sequence  head      checksum of head
//! checksum  sequence  previous  seal: checksum over all three
//! ```
//!
//! No sector is smaller than a chunk. So a meta page that a crash tore has whole chunks, old and new ones mixed, while
//! rot leaves a chunk that disagrees with its checksum; a single checksum over the page could not tell the two apart,
//! and would take the loss of a durable commit for an interrupted one.
//!
//! A sequence is used for one attempt only. If the next commit after a crash used that of the torn one again, then a
//! second crash could complete the page of the first attempt, whose data pages have been overwritten since.

use super::OpenError;
use super::page::{NOTHING, PageRef};

/// Bytes that are written to a meta page together or not at all.
pub(super) const CHUNK_LEN: usize = 16;

const CHUNKS: usize = 3;
const LEN: usize = CHUNKS * CHUNK_LEN;
const MAGIC: [u8; 4] = *b"mvcc";

/// The contents of a meta page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Meta {
    /// The number of the commit, from 1. Its last bit is the slot.
    pub(super) sequence: u32,
    /// The number of the commit before it, which is in the other slot; 0 for none.
    pub(super) previous: u32,
    pub(super) page_size: u32,
    /// The newest page of the chain, none if the buckets are empty.
    pub(super) head: Option<PageRef>,
}

impl Meta {
    /// The bytes of its page.
    pub(super) fn encode(self) -> Vec<u8> {
        let slot = self.slot();
        let head = self.head.unwrap_or(NOTHING);
        let payloads = [
            [MAGIC, self.page_size.to_be_bytes()],
            [head.number.to_be_bytes(), head.checksum.to_be_bytes()],
            [self.previous.to_be_bytes(), self.seal().to_be_bytes()],
        ];
        let mut bytes = Vec::with_capacity(LEN);
        for (place, payload) in (0..).zip(payloads) {
            let body = [self.sequence.to_be_bytes(), payload[0], payload[1]].concat();
            bytes.extend(chunk_checksum(slot, place, &body).to_be_bytes());
            bytes.extend(body);
        }
        bytes
    }

    /// The page that it stands in, 0 or 1.
    pub(super) fn slot(self) -> u32 {
        self.sequence % 2
    }

    fn seal(self) -> u32 {
        let head = self.head.unwrap_or(NOTHING);
        let fields = [self.sequence, self.page_size, head.number, head.checksum, self.previous];
        crc32c::crc32c(&fields.map(u32::to_be_bytes).concat())
    }
}

fn chunk_checksum(slot: u32, place: u8, body: &[u8]) -> u32 {
    let slot = u8::try_from(slot).expect("there are two meta pages");
    crc32c::crc32c_append(crc32c::crc32c(&[slot, place]), body)
}

/// What a meta page looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    /// Written as a whole.
    Whole(Meta),
    /// A mixture of chunks of these sequences; 0 stands for a chunk that was never written.
    Torn([u32; CHUNKS]),
}

/// What the meta pages say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Metas {
    /// The newest one, none if nothing was ever committed.
    pub(super) newest: Option<Meta>,
    /// The one before it, if it is still there.
    pub(super) other: Option<Meta>,
    /// The highest sequence of which there is any trace.
    pub(super) highest: u32,
}

/// Reads both meta pages. Anything that no crash leaves behind is an error.
pub(super) fn read(bytes: &[u8], page_size: u32) -> Result<Metas, OpenError> {
    let slots = [slot(bytes, page_size, 0)?, slot(bytes, page_size, 1)?];
    let highest = slots.map(|slot| match slot {
        Slot::Whole(meta) => meta.sequence,
        Slot::Torn(sequences) => sequences.into_iter().max().unwrap_or(0),
    });
    let highest = highest[0].max(highest[1]);
    // What is torn can only be a later commit over the one before the newest.
    let later_torn = |newest: Meta, torn: [u32; CHUNKS]| {
        torn.iter().all(|of| *of == newest.previous || *of > newest.sequence)
    };
    match slots {
        [Slot::Whole(a), Slot::Whole(b)] => {
            let (newest, other) = if a.sequence > b.sequence { (a, b) } else { (b, a) };
            let follow = newest.previous == other.sequence;
            let metas = Metas { newest: Some(newest), other: Some(other), highest };
            if follow { Ok(metas) } else { Err(OpenError::MetaOrder) }
        }
        [Slot::Whole(newest), Slot::Torn(torn)] | [Slot::Torn(torn), Slot::Whole(newest)]
            if later_torn(newest, torn) =>
        {
            Ok(Metas { newest: Some(newest), other: None, highest })
        }
        // The first commit goes to slot 1.
        [Slot::Torn([0, 0, 0]), Slot::Torn(_)] => Ok(Metas { newest: None, other: None, highest }),
        [Slot::Whole(_) | Slot::Torn(_), _] => Err(OpenError::MetaOrder),
    }
}

fn slot(bytes: &[u8], page_size: u32, slot: u32) -> Result<Slot, OpenError> {
    let from = if slot == 0 { 0 } else { usize::try_from(page_size).expect("32 bits fit a size") };
    let mut chunks = [Chunk::default(); CHUNKS];
    for (place, chunk) in (0..).zip(&mut chunks) {
        let mut found = [0; CHUNK_LEN];
        let at = from + usize::from(place) * CHUNK_LEN;
        for (to, byte) in found.iter_mut().zip(bytes.iter().skip(at)) {
            *to = *byte;
        }
        *chunk = Chunk::read(found, slot, place).ok_or(OpenError::Meta(slot))?;
    }
    let [first, second, third] = chunks;
    let head = PageRef { number: second.left, checksum: second.right };
    let meta = Meta {
        sequence: first.sequence,
        page_size: first.right,
        head: (head != NOTHING).then_some(head),
        previous: third.left,
    };
    let sequences = chunks.map(|chunk| chunk.sequence);
    let whole =
        meta.sequence != 0 && sequences == [meta.sequence; CHUNKS] && meta.seal() == third.right;
    Ok(if whole { Slot::Whole(meta) } else { Slot::Torn(sequences) })
}

/// One chunk; all zero if it was never written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Chunk {
    sequence: u32,
    left: u32,
    right: u32,
}

impl Chunk {
    /// The chunk in these bytes, none if they are neither blank nor right.
    fn read(bytes: [u8; CHUNK_LEN], slot: u32, place: u8) -> Option<Chunk> {
        if bytes == [0; CHUNK_LEN] {
            return Some(Chunk::default());
        }
        let number = |at: usize| u32::from_be_bytes(std::array::from_fn(|n| bytes[at + n]));
        let sequence = number(4);
        let right = number(0) == chunk_checksum(slot, place, &bytes[4..]);
        // A sequence of 0 would pass for a chunk that was never written.
        let placed = sequence != 0 && sequence % 2 == slot;
        (right && placed).then(|| Chunk { sequence, left: number(8), right: number(12) })
    }
}

/// Looks for a meta page that was written to the wrong place. Without this the commit that it belongs to would be
/// missing, and nobody would know.
pub(super) fn find_misplaced(bytes: &[u8], page_size: u32) -> Result<(), OpenError> {
    for (at, found) in bytes.windows(CHUNK_LEN).enumerate() {
        if found[8..12] != MAGIC {
            continue;
        }
        let at = u64::try_from(at).expect("a size fits 64 bits");
        for slot in 0..2 {
            let checksum = chunk_checksum(slot, 0, &found[4..]);
            let right = found[..4] == checksum.to_be_bytes();
            if right && at != u64::from(slot) * u64::from(page_size) {
                return Err(OpenError::Misplaced(at));
            }
        }
    }
    Ok(())
}
