//! What can be seen of a backend: all of it by whoever holds the lock, and less by readers.

use std::iter::Peekable;

use super::{Backend, Bucket, Contents};

/// Key and value.
type Pair<'a> = (&'a [u8], &'a [u8]);

/// Something to read records from.
pub trait View {
    /// The value under a key.
    fn value(&self, bucket: Bucket, key: &[u8]) -> Option<&[u8]>;

    /// The pairs of a bucket from a key on, in ascending order.
    fn pairs<'a>(
        &'a self,
        bucket: Bucket,
        from: &[u8],
    ) -> Box<dyn Iterator<Item = (&'a [u8], &'a [u8])> + 'a>;
}

/// With the lock everything is seen, pending changes included.
impl View for Backend {
    fn value(&self, bucket: Bucket, key: &[u8]) -> Option<&[u8]> {
        self.get(bucket, key)
    }

    fn pairs<'a>(
        &'a self,
        bucket: Bucket,
        from: &[u8],
    ) -> Box<dyn Iterator<Item = (&'a [u8], &'a [u8])> + 'a> {
        Box::new(self.scan(bucket, from))
    }
}

/// What is seen without the lock: what is durable, and above it the read buffer. A deletion that is not committed is not
/// seen.
#[derive(Clone, Copy, Debug)]
pub struct Readers<'b> {
    durable: &'b Contents,
    buffer: &'b Contents,
}

impl<'b> Readers<'b> {
    pub(super) fn new(durable: &'b Contents, buffer: &'b Contents) -> Readers<'b> {
        Readers { durable, buffer }
    }
}

impl View for Readers<'_> {
    fn value(&self, bucket: Bucket, key: &[u8]) -> Option<&[u8]> {
        let at = (bucket, key.to_vec());
        self.buffer.get(&at).or_else(|| self.durable.get(&at)).map(Vec::as_slice)
    }

    fn pairs<'a>(
        &'a self,
        bucket: Bucket,
        from: &[u8],
    ) -> Box<dyn Iterator<Item = (&'a [u8], &'a [u8])> + 'a> {
        let buffer = pairs(self.buffer, bucket, from).peekable();
        let durable = pairs(self.durable, bucket, from).peekable();
        Box::new(Merged { buffer, durable })
    }
}

/// The pairs of one bucket from a key on.
pub(super) fn pairs<'a>(
    contents: &'a Contents,
    bucket: Bucket,
    from: &[u8],
) -> impl Iterator<Item = Pair<'a>> + use<'a> {
    contents
        .range((bucket, from.to_vec())..)
        .take_while(move |((of, _), _)| *of == bucket)
        .map(|((_, key), value)| (key.as_slice(), value.as_slice()))
}

/// Two ascending iterators as one; where both have a key, the buffer's value is the newer one.
struct Merged<B: Iterator, D: Iterator> {
    buffer: Peekable<B>,
    durable: Peekable<D>,
}

impl<'a, B, D> Iterator for Merged<B, D>
where
    B: Iterator<Item = Pair<'a>>,
    D: Iterator<Item = Pair<'a>>,
{
    type Item = Pair<'a>;

    fn next(&mut self) -> Option<Pair<'a>> {
        let Some((new, _)) = self.buffer.peek() else { return self.durable.next() };
        let new = *new;
        while let Some(older) = self.durable.next_if(|(old, _)| *old <= new) {
            if older.0 < new {
                return Some(older);
            }
        }
        self.buffer.next()
    }
}
