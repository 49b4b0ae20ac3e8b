//! Data pages: a header, and a part of a stream of bytes.
//!
//! ```text
//! 0         4        8               12                16     18
//! checksum  number   previous page   its checksum      used   bytes of the stream, then zeros
//! ```

use std::collections::BTreeSet;

use super::OpenError;

const HEADER_LEN: usize = 18;

/// A page as another one names it. The checksum makes sure that a page that was never overwritten, although it should
/// have been, is not taken for the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct PageRef {
    pub(super) number: u32,
    pub(super) checksum: u32,
}

/// Cuts a stream into what fits into one page each.
pub(super) fn cut(stream: &[u8], page_size: u32) -> Vec<Vec<u8>> {
    stream.chunks(size(page_size) - HEADER_LEN).map(<[u8]>::to_vec).collect()
}

/// The bytes of page `number`, which follows `previous` in its chain.
pub(super) fn encode(
    number: u32,
    previous: Option<PageRef>,
    payload: &[u8],
    page_size: u32,
) -> Vec<u8> {
    let previous = previous.unwrap_or(NOTHING);
    let used = u16::try_from(payload.len()).expect("a page counts its bytes in 16 bits");
    let mut bytes = vec![0; 4];
    bytes.extend(number.to_be_bytes());
    bytes.extend(previous.number.to_be_bytes());
    bytes.extend(previous.checksum.to_be_bytes());
    bytes.extend(used.to_be_bytes());
    bytes.extend(payload);
    bytes.resize(size(page_size), 0);
    let checksum = checksum(&bytes);
    bytes[..4].copy_from_slice(&checksum.to_be_bytes());
    bytes
}

/// Stands for "no page": a meta page has that number, so no data page can.
pub(super) const NOTHING: PageRef = PageRef { number: 0, checksum: 0 };

/// The checksum of a page over everything behind it.
pub(super) fn checksum(page: &[u8]) -> u32 {
    crc32c::crc32c(&page[4..])
}

/// The chain that ends at `head`, oldest first, with the stream that it holds.
pub(super) fn chain(
    bytes: &[u8],
    page_size: u32,
    head: Option<PageRef>,
) -> Result<(Vec<PageRef>, Vec<u8>), OpenError> {
    let mut chain = Vec::new();
    let mut parts = Vec::new();
    let mut next = head;
    while let Some(page) = next {
        let (previous, payload) = read(bytes, page_size, page)?;
        if chain.contains(&page) {
            return Err(OpenError::Page(page.number));
        }
        chain.push(page);
        parts.push(payload);
        next = previous;
    }
    chain.reverse();
    parts.reverse();
    Ok((chain, parts.concat()))
}

/// The numbers of the pages from `head` back that can still be read.
pub(super) fn readable(bytes: &[u8], page_size: u32, head: Option<PageRef>) -> BTreeSet<u32> {
    let mut numbers = BTreeSet::new();
    let mut next = head;
    while let Some(page) = next {
        let Ok((previous, _)) = read(bytes, page_size, page) else { break };
        if !numbers.insert(page.number) {
            break;
        }
        next = previous;
    }
    numbers
}

/// The page before `page`, and the part of the stream that `page` holds.
fn read(
    bytes: &[u8],
    page_size: u32,
    page: PageRef,
) -> Result<(Option<PageRef>, &[u8]), OpenError> {
    let damaged = OpenError::Page(page.number);
    let from = size(page.number).checked_mul(size(page_size)).ok_or(damaged)?;
    let found = bytes.get(from..).and_then(|rest| rest.get(..size(page_size))).ok_or(damaged)?;
    let number = |at: usize| u32::from_be_bytes(std::array::from_fn(|n| found[at + n]));
    let sums = [number(0), checksum(found)];
    if sums != [page.checksum; 2] || number(4) != page.number || page.number < 2 {
        return Err(damaged);
    }
    let previous = PageRef { number: number(8), checksum: number(12) };
    let used = usize::from(u16::from_be_bytes([found[16], found[17]]));
    let payload = found[HEADER_LEN..].get(..used).ok_or(damaged)?;
    Ok(((previous != NOTHING).then_some(previous), payload))
}

fn size(number: u32) -> usize {
    usize::try_from(number).expect("32 bits fit a size")
}
