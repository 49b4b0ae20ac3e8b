//! Tests of the whole: corpus, planted bugs, determinism, transcripts and layout rules live in `tests/`.
