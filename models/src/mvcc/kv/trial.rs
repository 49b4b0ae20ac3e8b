//! What goes on behind the requests changes nothing that can be read: on random histories with commits, compactions, copies,
//! restores and installed snapshots in between.

use proptest::collection::vec;
use proptest::prelude::*;
use seedbed_sim::time::Span;

use super::super::arbitrary;
use super::super::op::Keys;
use super::super::rules::Rules;
use super::super::settings::Settings;
use super::*;

/// What happens next.
#[derive(Clone, Debug)]
enum Step {
    Ask(Op),
    Batch(usize),
    Tick,
    Commit,
    Copy(usize),
    Restore,
    Install,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => arbitrary::near_op().prop_map(Step::Ask),
        6 => (1..4usize).prop_map(Step::Batch),
        2 => Just(Step::Tick),
        2 => Just(Step::Commit),
        1 => (1..4usize).prop_map(Step::Copy),
        1 => Just(Step::Restore),
        1 => Just(Step::Install),
        1 => Just(Step::Reopen),
    ]
}

fn behind(kv: &mut Kv, step: &Step) -> Result<(), KvError> {
    match step {
        Step::Ask(_) => {}
        Step::Batch(limit) => drop(kv.batch(Some(*limit))),
        Step::Tick => drop(kv.tick(Span::ms(60))?),
        Step::Commit => drop(kv.force_commit()?),
        Step::Copy(limit) => {
            kv.begin_defrag()?;
            while !kv.copy(Some(*limit))? {}
            kv.swap()?;
        }
        Step::Restore => drop(kv.restore()?),
        Step::Install => {
            let mut snapshot = kv.snapshot()?;
            let bytes = snapshot.chunk(usize::MAX).to_vec();
            let size = snapshot.size();
            kv.close_snapshot(snapshot);
            kv.install(bytes, size)?;
        }
        Step::Reopen => {
            kv.close()?;
            *kv = Kv::open(kv.file().to_vec(), *kv.parameters())?.0;
        }
    }
    Ok(())
}

/// All keys at all revisions that can be read, as readers see them, which is what the lock holder sees.
fn all(kv: &Kv) -> Result<Vec<Found>, TestCaseError> {
    let mut found = Vec::new();
    for at in kv.store().compacted() + 1..=kv.store().current() {
        let get = Get { keys: Keys::From(Vec::new()), at: Some(at), limit: 0, count_only: false };
        let readers = kv.range(&get);
        let holder = kv.store().range(kv.backend(), &get).map_err(KvError::from);
        prop_assert_eq!(&readers, &holder, "at {}", at);
        found.push(readers.expect("it can be read"));
    }
    Ok(found)
}

fn run(parameters: Parameters, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut kv = Kv::new(parameters);
    for step in steps {
        if let Step::Ask(op) = &step {
            let request = op.resolve(kv.store().current());
            if request != Op::Close {
                let _ = kv.ask(&request);
            }
            all(&kv)?;
            continue;
        }
        let before = (all(&kv)?, kv.hash(0));
        let done = behind(&mut kv, &step);
        prop_assert_eq!(done, Ok(()), "{:?}", step);
        prop_assert_eq!((all(&kv)?, kv.hash(0)), before, "{:?}", step);
    }
    Ok(())
}

proptest! {
    #![proptest_config(arbitrary::config(250))]

    #[test]
    fn what_goes_on_behind_changes_nothing_that_can_be_read(
        steps in vec(step(), 1..50),
        rules in prop::sample::select(Rules::ALL.to_vec()),
        batch_limit in 1..9usize,
        read_buffer in any::<bool>(),
    ) {
        let usual = Parameters::of(rules);
        let settings = Settings { batch_limit, page_size: 64, restore_chunk: 3, ..usual.settings };
        run(Parameters { settings, read_buffer, ..usual }, steps)?;
    }
}
