//! `timers`: a thousand sleeping tasks; half of those that wake abort another one and spawn it again.

use super::simulate;
use madsim::Config;
use madsim::rand::{Rng, thread_rng};
use madsim::task::{AbortHandle, spawn};
use madsim::time::sleep;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

const OUTSTANDING: u32 = 1000;

/// What the tasks share.
struct Clockwork {
    left: u32,
    tasks: Vec<AbortHandle>,
    /// Who waits for the end.
    waiting: Option<Waker>,
}

type Shared = Arc<Mutex<Clockwork>>;

const HELD: &str = "nobody panics while holding it";

pub(super) fn timers(seed: u64, firings: u32) -> u64 {
    simulate(seed, Config::default(), move || async move {
        let clockwork = Clockwork { left: firings, tasks: Vec::new(), waiting: None };
        let shared = Arc::new(Mutex::new(clockwork));
        let tasks = (0..OUTSTANDING).map(|timer| arm(timer, period(timer), &shared)).collect();
        shared.lock().expect(HELD).tasks = tasks;
        poll_fn(|cx| {
            let mut clockwork = shared.lock().expect(HELD);
            clockwork.waiting = Some(cx.waker().clone());
            if clockwork.left == 0 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        let mut clockwork = shared.lock().expect(HELD);
        // The tasks hold what holds them.
        clockwork.tasks.drain(..).for_each(|task| task.abort());
        u64::from(firings - clockwork.left)
    })
}

/// Spreads the timers over a millisecond, as the native ones are; but no sleep is shorter than one.
fn period(timer: u32) -> Duration {
    Duration::from_nanos(1_001_000 + u64::from(timer.wrapping_mul(2_654_435_761) % 1_000_000))
}

/// Sets a timer going, first after this long and then at its own period.
fn arm(timer: u32, first: Duration, shared: &Shared) -> AbortHandle {
    let shared = shared.clone();
    let ticking = async move {
        sleep(first).await;
        while fire(timer, &shared) {
            sleep(period(timer)).await;
        }
    };
    spawn(ticking).abort_handle()
}

/// A timer fires; answers whether it goes on.
fn fire(timer: u32, shared: &Shared) -> bool {
    let mut clockwork = shared.lock().expect(HELD);
    if clockwork.left <= 1 {
        clockwork.left = 0;
        clockwork.waiting.take().into_iter().for_each(Waker::wake);
        return false;
    }
    clockwork.left -= 1;
    let other = (timer * 7 + clockwork.left) % OUTSTANDING;
    // One in four cancels another, which its neighbour's period sets going again, and one in four arms another again.
    let later = thread_rng().gen_range(0..4);
    if other != timer && later >= 2 {
        clockwork.tasks[other as usize].abort();
        clockwork.tasks[other as usize] = arm(other, period(other + later - 1), shared);
    }
    true
}
