//! Faults on points: which occurrence of which point at which node each line waits for.

use crate::actor::Point;
use crate::fault::{FaultLine, When};
use crate::id::NodeId;

#[derive(Clone, Debug)]
struct Waiting {
    point: u8,
    node: NodeId,
    nth: u32,
    line: u16,
}

/// The fault lines of a run, and which of them have struck.
#[derive(Clone, Debug, Default)]
pub(crate) struct Strikes {
    waiting: Vec<Waiting>,
    /// One bit a point that a line waits for: others cost nothing.
    watched: u64,
    /// Occurrences so far of each watched point at each node.
    counts: Vec<(u8, NodeId, u32)>,
    pub(crate) used: Vec<bool>,
    /// How many lines with a time have not struck yet.
    pub(crate) timed: u32,
}

impl Strikes {
    /// Starts over with these lines. Keeps its memory.
    pub(crate) fn reset(&mut self, lines: &[FaultLine]) {
        self.waiting.clear();
        self.counts.clear();
        self.watched = 0;
        self.timed = 0;
        self.used.clear();
        self.used.resize(lines.len(), false);
        for (line, i) in lines.iter().zip(0..) {
            match line.when {
                When::At(_) => self.timed += 1,
                When::On { nth, point, node } => {
                    self.watched |= 1 << point;
                    self.waiting.push(Waiting { point, node, nth, line: i });
                }
            }
        }
    }

    /// Whether any line waits for this point.
    #[inline]
    pub(crate) fn watches(&self, point: &Point) -> bool {
        self.watched & (1 << point.index) != 0
    }

    /// Counts an occurrence of a watched point, and answers the lines that strike now.
    pub(crate) fn occurs(&mut self, point: &Point, node: NodeId) -> Vec<u16> {
        let known = self.counts.iter_mut().find(|(p, n, _)| *p == point.index && *n == node);
        let count = match known {
            Some((_, _, count)) => {
                *count += 1;
                *count
            }
            None => {
                self.counts.push((point.index, node, 1));
                1
            }
        };
        let due = |w: &&Waiting| w.point == point.index && w.node == node && w.nth == count;
        self.waiting.iter().filter(due).map(|w| w.line).collect()
    }
}
