//! Sweeps: many seeds over threads, the lowest seed of each signature kept, written down and shrunk.
//!
//! ```text
//! Dispatch ──chunks of seeds──▶ workers ──▶ Tally per scenario
//!                                  └──────▶ Board: findings, on disk first ──news──▶ who started it
//! ```
//!
//! Each scenario's seeds are handed out in order and every chunk handed out is finished, so what was swept is a prefix
//! of the seeds, and the findings in it are the same for any number of threads. Reading order: [`Sweep`], [`Outcome`],
//! `dispatch.rs`, `board.rs`, `tally.rs`.

mod board;
mod dispatch;
mod spread;
mod tally;

pub use board::{Finding, words_for};
pub use spread::Spread;
pub use tally::Tally;

use super::clock::Stopwatch;
use super::runner::{Info, Runner, Session, Setting};
use super::shrink::Limit;
use super::store::Store;
use crate::engine::{Options, Verdict};
use board::Board;
use dispatch::Dispatch;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// Many seeds of some scenarios.
pub struct Sweep<'r> {
    /// The scenarios, and how each is run.
    pub lanes: Vec<(&'r dyn Runner, Setting)>,
    /// The seeds of each scenario.
    pub seeds: Range<u64>,
    /// When to end, if the seeds do not end before.
    pub time: Option<Duration>,
    /// How many threads.
    pub jobs: usize,
    /// Where findings are kept, if anywhere.
    pub store: Option<Store>,
    /// The most executions of each shrink; 0 = nothing is shrunk.
    pub shrink: u32,
}

/// What becomes known while a sweep goes on.
#[derive(Clone, Debug)]
pub enum News {
    /// A signature was seen for the first time; it is on disk.
    Found(Finding),
    /// A finding was shrunk; its file is replaced.
    Shrunk(Finding),
    /// Something went wrong that is no finding: a file that could not be written.
    Trouble(String),
    /// How far it is; comes several times a second.
    Progress(Progress),
}

/// How far a sweep is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Since the start.
    pub elapsed: Duration,
    /// The time that was given, if any.
    pub time: Option<Duration>,
    /// Runs so far.
    pub runs: u64,
    /// All runs that there are to do, if the seeds end.
    pub runs_max: Option<u64>,
    /// Signatures so far.
    pub findings: usize,
    /// Findings that wait to be shrunk, once all seeds are done.
    pub to_shrink: usize,
}

/// What a sweep came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// One entry a scenario.
    pub lanes: Vec<Lane>,
    /// The findings, by scenario, check and class.
    pub findings: Vec<Finding>,
    /// Whether it was interrupted.
    pub interrupted: bool,
    /// What went wrong beside.
    pub trouble: Vec<String>,
    /// How long it took.
    pub elapsed: Duration,
}

/// What became of one scenario.
#[derive(Clone, Debug)]
pub struct Lane {
    /// The scenario.
    pub info: Info,
    /// What its runs add up to.
    pub tally: Tally,
    /// The time of all threads that it took.
    pub busy: Duration,
    /// Its share of the time of the sweep.
    pub wall: Duration,
}

impl Lane {
    /// The marks that no run has seen.
    #[must_use]
    pub fn unseen_marks(&self) -> Vec<&'static str> {
        let unseen = |mark: &&super::Promise| self.tally.marks[usize::from(mark.index)] == 0;
        self.info.marks.iter().filter(unseen).map(|mark| mark.name).collect()
    }

    /// The checks that no run has evaluated.
    #[must_use]
    pub fn never_evaluated(&self) -> Vec<&'static str> {
        let counts = self.tally.evaluated.iter().copied().chain(std::iter::repeat(0));
        let never = self.info.checks.iter().zip(counts).filter(|(_, count)| *count == 0);
        never.map(|(name, _)| *name).collect()
    }
}

/// How often news of the progress come.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);

impl Sweep<'_> {
    /// Runs it. `tell` hears the news on this thread; raising `stop` ends it, and what was found stays.
    pub fn run(&self, stop: &AtomicBool, tell: &mut dyn FnMut(News)) -> Outcome {
        let began = Stopwatch::start();
        let dispatch = Dispatch::new(self.lanes.len(), &self.seeds, self.time);
        let board = Board::new(self.store.clone());
        let mut trouble = Vec::new();
        let mut watch = |receiver: Receiver<News>, to_shrink: &dyn Fn() -> usize| {
            let runs_max = self.runs_max();
            loop {
                match receiver.recv_timeout(PROGRESS_EVERY) {
                    Ok(news) => {
                        if let News::Trouble(what) = &news {
                            trouble.push(what.clone());
                        }
                        tell(news);
                    }
                    Err(RecvTimeoutError::Timeout) => tell(News::Progress(Progress {
                        elapsed: began.elapsed(),
                        time: self.time,
                        runs: dispatch.runs(),
                        runs_max,
                        findings: board.len(),
                        to_shrink: to_shrink(),
                    })),
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        };
        std::thread::scope(|scope| {
            let (sender, receiver) = channel();
            for _ in 0..self.jobs.max(1) {
                let (sender, dispatch, board) = (sender.clone(), &dispatch, &board);
                scope.spawn(move || self.work(dispatch, board, stop, &sender));
            }
            drop(sender);
            watch(receiver, &|| 0);
        });
        if self.shrink > 0 && board.len() > 0 {
            std::thread::scope(|scope| {
                let (sender, receiver) = channel();
                for _ in 0..self.jobs.max(1) {
                    let (sender, board) = (sender.clone(), &board);
                    let limit = Limit { executions: self.shrink, stop };
                    scope.spawn(move || board.shrink(&self.lanes, limit, &sender));
                }
                drop(sender);
                watch(receiver, &|| board.to_shrink());
            });
        }
        let lanes = dispatch.into_lanes(&self.lanes, self.jobs);
        let interrupted = stop.load(Ordering::Relaxed);
        let findings = board.into_findings();
        Outcome { lanes, findings, interrupted, trouble, elapsed: began.elapsed() }
    }

    fn runs_max(&self) -> Option<u64> {
        let seeds = self.seeds.end.saturating_sub(self.seeds.start);
        let lanes = u64::try_from(self.lanes.len()).unwrap_or(u64::MAX);
        let may_end = self.time.is_none() || self.seeds.end < SEEDS_END;
        may_end.then(|| seeds.saturating_mul(lanes))
    }

    fn work(&self, dispatch: &Dispatch, board: &Board, stop: &AtomicBool, news: &Sender<News>) {
        let mut sessions: Vec<Option<Box<dyn Session + '_>>> = Vec::new();
        sessions.resize_with(self.lanes.len(), || None);
        while !stop.load(Ordering::Relaxed)
            && let Some(chunk) = dispatch.take()
        {
            let (runner, setting) = self.lanes[chunk.lane];
            let session = sessions[chunk.lane].get_or_insert_with(|| runner.session());
            let mut tally = Tally::default();
            for seed in chunk.seeds.clone() {
                let report = session.run(seed, setting, Options::default());
                tally.add(seed, &report);
                if let Verdict::Broken(violation) = report.verdict {
                    board.found(chunk.lane, self.lanes[chunk.lane], (seed, violation), news);
                }
            }
            dispatch.done(chunk, &tally);
        }
    }
}

/// Seeds end here, without this one: a seed file holds them as signed numbers.
pub const SEEDS_END: u64 = i64::MAX as u64;
