//! Simpler operations for shrinking.

use super::op::Call;

/// Operations that may do instead, the simplest first.
pub(super) fn simpler(op: &Call) -> Vec<Call> {
    match *op {
        Call::Set(vb, key, length) if length > 0 => {
            vec![Call::Set(vb, key, 0), Call::Set(vb, key, length / 2)]
        }
        Call::Load(vb, key, n) if n > 1 => {
            vec![Call::Set(vb, key, 0), Call::Load(vb, key, n / 2), Call::Load(vb, key, n - 1)]
        }
        Call::Delete(vb, key) => vec![Call::Set(vb, key, 0)],
        Call::Fail(vb, lost) if lost > 0 => vec![Call::Fail(vb, lost - 1)],
        Call::Stall(ms) if ms > 1 => vec![Call::Stall(ms / 2)],
        Call::Connections(router, n) if n > 1 => vec![Call::Connections(router, 1)],
        _ => Vec::new(),
    }
}
