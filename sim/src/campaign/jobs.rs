//! How many threads there are to work with.

/// How many threads the machine runs at once; 1 if it does not say.
#[must_use]
pub fn available() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
