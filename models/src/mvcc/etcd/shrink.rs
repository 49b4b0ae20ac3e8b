//! The few steps of a plan that show the same difference.

use super::super::simpler::simpler;
use super::list::List;
use super::step::{Step, Watch};
use super::trial::Numbered;

/// Leaves out steps, then makes those that are left simpler, as long as `still` holds; it is asked at most so often.
pub(super) fn shrink(
    plan: &[Numbered],
    most: u32,
    mut still: impl FnMut(&[Numbered]) -> bool,
) -> Vec<Numbered> {
    let mut left = most;
    let mut holds = |plan: &[Numbered]| {
        if left == 0 {
            return false;
        }
        left -= 1;
        still(plan)
    };
    let mut plan = plan.to_vec();
    loop {
        let before = plan.clone();
        leave_out(&mut plan, &mut holds);
        make_simpler(&mut plan, &mut holds);
        if plan == before {
            return plan;
        }
    }
}

fn leave_out(plan: &mut Vec<Numbered>, holds: &mut impl FnMut(&[Numbered]) -> bool) {
    let mut size = plan.len().div_ceil(2).max(1);
    loop {
        // From the end, because what comes after the difference has no part in it.
        let mut end = plan.len();
        while end > 0 {
            let start = end.saturating_sub(size);
            let mut fewer = plan.clone();
            fewer.drain(start..end);
            if holds(&fewer) {
                *plan = fewer;
            }
            end = start;
        }
        if size == 1 {
            return;
        }
        size = size.div_ceil(2);
    }
}

fn make_simpler(plan: &mut [Numbered], holds: &mut impl FnMut(&[Numbered]) -> bool) {
    for i in 0..plan.len() {
        while let Some(step) = simpler_steps(&plan[i].1).into_iter().find(|step| {
            let mut other = plan.to_vec();
            other[i].1 = step.clone();
            holds(&other)
        }) {
            plan[i].1 = step;
        }
    }
}

fn simpler_steps(step: &Step) -> Vec<Step> {
    match step {
        Step::Ask(op) => simpler(op).into_iter().map(Step::Ask).collect(),
        Step::Kill(Some(op)) => {
            let simpler = simpler(op).into_iter().map(|op| Step::Kill(Some(op)));
            std::iter::once(Step::Kill(None)).chain(simpler).collect()
        }
        Step::Watch(watch) => {
            let plain = [
                Watch { prev: false, ..watch.clone() },
                Watch { no_put: false, ..watch.clone() },
                Watch { no_delete: false, ..watch.clone() },
            ];
            plain.into_iter().filter(|plain| plain != watch).map(Step::Watch).collect()
        }
        Step::List(list) => {
            let plain = [
                List { keys_only: false, ..list.clone() },
                List { created: None, ..list.clone() },
                List { modified: None, ..list.clone() },
                List { serializable: false, ..list.clone() },
            ];
            plain.into_iter().filter(|plain| plain != list).map(Step::List).collect()
        }
        Step::Hash(Some(_)) => vec![Step::Hash(None)],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(lines: &[&str]) -> Vec<Numbered> {
        let parse = |line: &&str| line.parse().unwrap_or_else(|error| panic!("{line}: {error}"));
        (1..).zip(lines.iter().map(parse)).collect()
    }

    #[test]
    fn only_what_is_needed_is_left_and_in_its_simplest_form() {
        let lines =
            ["put a 1 lease 3", "get a", "watch 1 a.. prev", "del b..c", "hash @rev", "kill"];
        let needed = |plan: &[Numbered]| {
            let has = |word: &str| plan.iter().any(|(_, step)| step.to_string().starts_with(word));
            has("put a 1") && has("watch 1 a..") && has("kill")
        };
        let shrunk = shrink(&plan(&lines), 1_000, needed);
        let shown: Vec<String> = shrunk.iter().map(|(n, step)| format!("{n} {step}")).collect();
        assert_eq!(shown, ["1 put a 1", "3 watch 1 a..", "6 kill"]);
    }

    #[test]
    fn it_is_bounded() {
        let lines = ["put a 1"; 50];
        let mut asked = 0;
        let shrunk = shrink(&plan(&lines), 10, |_| {
            asked += 1;
            false
        });
        assert_eq!((asked, shrunk.len()), (10, 50));
    }
}
