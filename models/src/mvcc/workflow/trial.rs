//! The scenario on trial: some seeds without and with bugs, and checks that are seen to fail.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use seedbed_sim::campaign::testing::{check, finds};
use seedbed_sim::check::Checked;
use seedbed_sim::id::{ActorId, OpId};
use seedbed_sim::time::Time;

use super::checks::{HASHES_AGREE, HISTORY_AGREES, SNAPSHOT_IS_WHOLE, WRONG_ID_DOES_NOTHING};
use super::judge::UseJudge;
use super::note::UseNote;
use super::scenario::workflow;
use super::usage::{Kept, Refusal, Reply, Usage, Use, Used};
use crate::mvcc::backend::Backend;
use crate::mvcc::call::Call;
use crate::mvcc::checks::ANSWERS_AGREE;
use crate::mvcc::defects::Defects;
use crate::mvcc::hash::KvHash;
use crate::mvcc::history::{History, Query};
use crate::mvcc::judge::Judge;
use crate::mvcc::kv::{Kv, KvError};
use crate::mvcc::lock::TxnId;
use crate::mvcc::message::AskId;
use crate::mvcc::op::{Action, Keys, Op, Put};
use crate::mvcc::parameters::Parameters;
use crate::mvcc::reference::Reference;
use crate::mvcc::response::Response;
use crate::mvcc::settings::Settings;
use crate::mvcc::shared::Shared;
use crate::mvcc::store::Store;
use crate::mvcc::txn::check as check_request;
use crate::mvcc::{arbitrary, bugs};

#[test]
fn a_store_that_threads_use_keeps_its_promises() {
    check(&workflow(), 150);
}

#[test]
fn its_planted_bugs_are_found() {
    for bug in [
        &bugs::REVISION_READ_AFTER_UNLOCK,
        &bugs::LIMIT_CUTS_REVISION,
        &bugs::GAP_ANSWERED_BY_OLDER,
        &bugs::NEWEST_HASH_KEEPS_NOTHING,
        &bugs::SNAPSHOT_CUT_WHEN_WRITTEN,
    ] {
        finds(&workflow(), bug, 300);
    }
}

/// A judge whose node is empty, and what it says of these answers of one thread.
struct Bench {
    judge: UseJudge,
    node: Judge,
    shared: Shared,
}

impl Bench {
    fn new() -> Bench {
        let mut shared = Shared::default();
        shared.open(Backend::new(64));
        shared.serve(Store::new(Defects::NONE));
        Bench { judge: UseJudge::default(), node: Judge::default(), shared }
    }

    fn say(&mut self, note: &UseNote) -> Option<(&'static str, Checked)> {
        self.judge.hear((ActorId(4), Time(0)), note, (&mut self.node, &self.shared))
    }

    fn hear(&mut self, line: &str, used: Used) -> Option<(&'static str, Checked)> {
        let Ok(Call::Use(usage)) = line.parse() else { panic!("{line}") };
        let usage: Use = Usage::resolve(&usage, 1, 1);
        let id = AskId { op: OpId { client: ActorId(7), number: 1 }, attempt: 1 };
        self.say(&UseNote::Done(id, Arc::new(usage), Arc::new(used)))
    }

    #[track_caller]
    fn holds(&mut self, promise: &str, line: &str, used: Used) {
        assert_eq!(self.hear(line, used), Some((expect(promise), Checked::Held)), "{line}");
    }

    #[track_caller]
    fn breaks(&mut self, promise: &str, line: &str, used: Used) {
        let said = self.hear(line, used);
        assert!(matches!(said, Some((name, Checked::Broken(..))) if name == promise), "{said:?}");
    }
}

fn expect(promise: &str) -> &'static str {
    let all = [HASHES_AGREE, HISTORY_AGREES, SNAPSHOT_IS_WHOLE, WRONG_ID_DOES_NOTHING];
    all.into_iter().chain([ANSWERS_AGREE]).find(|name| *name == promise).expect("one of them")
}

#[test]
fn a_wrong_id_that_is_accepted_or_has_an_effect_is_seen() {
    let mut bench = Bench::new();
    bench.holds(WRONG_ID_DOES_NOTHING, "put a 1 in txn", Err(Refusal::Mismatch));
    let put = Ok(Reply::Inside(Response::Put { revision: 2 }));
    bench.breaks(WRONG_ID_DOES_NOTHING, "put a 1 in txn", put.clone());
    bench.breaks(WRONG_ID_DOES_NOTHING, "end txn", Ok(Reply::Ended(2)));
    bench.holds(ANSWERS_AGREE, "begin", Ok(Reply::Begun(1)));
    bench.holds(WRONG_ID_DOES_NOTHING, "put a 1 in txn+1", Err(Refusal::Mismatch));
    bench.holds(ANSWERS_AGREE, "put a 1 in txn", put);
    bench.breaks(ANSWERS_AGREE, "begin", Ok(Reply::Begun(2)));
    let mut bench = Bench::new();
    let opening = bench.shared.opening();
    let (store, backend) = bench.shared.both(opening).expect("open");
    let mut txn = store.begin();
    let Ok(Op::Single(Action::Put(put))) = "put a 1".parse() else { panic!("a put") };
    store.put(backend, &mut txn, &put);
    store.end(txn);
    bench.breaks(WRONG_ID_DOES_NOTHING, "put a 1 in txn", Err(Refusal::Mismatch));
}

#[test]
fn an_answer_inside_a_transaction_is_held_against_the_reference() {
    let mut bench = Bench::new();
    bench.holds(ANSWERS_AGREE, "begin", Ok(Reply::Begun(1)));
    bench.breaks(ANSWERS_AGREE, "del a in txn", Ok(Reply::Inside(Response::Put { revision: 2 })));
    bench.breaks(ANSWERS_AGREE, "end txn", Ok(Reply::Ended(2)));
    assert!(matches!(bench.say(&UseNote::Left(1)), Some((_, Checked::Broken(..)))), "it has ended");
    bench.breaks(WRONG_ID_DOES_NOTHING, "end txn", Ok(Reply::Ended(1)));
}

#[test]
fn another_hash_history_or_snapshot_is_seen() {
    let mut bench = Bench::new();
    let hash = |hash, revision| Ok(Reply::Hash(KvHash { hash, compacted: -1, revision }, Kept::No));
    bench.holds(HASHES_AGREE, "hash", hash(1_084_519_789, 1));
    bench.breaks(HASHES_AGREE, "hash", hash(7, 1));
    bench.breaks(HASHES_AGREE, "hash", hash(1_084_519_789, 2));
    bench.breaks(HASHES_AGREE, "hash", Err(Refusal::Disk));
    let history = |next| Ok(Reply::History(History { effects: Vec::new(), next }));
    bench.holds(HISTORY_AGREES, "history a from 1", history(2));
    bench.breaks(HISTORY_AGREES, "history a from 1", history(3));
    bench.breaks(HISTORY_AGREES, "history a from 3", history(2));
    assert_eq!(bench.say(&UseNote::Cut(0)), None);
    let whole = bench.say(&UseNote::Written(Arc::from([])));
    assert_eq!(whole, Some((SNAPSHOT_IS_WHOLE, Checked::Held)));
    let longer = bench.say(&UseNote::Written(Arc::from([0])));
    assert!(matches!(longer, Some((SNAPSHOT_IS_WHOLE, Checked::Broken("another size", _)))));
    bench.breaks(SNAPSHOT_IS_WHOLE, "snapshot", Ok(Reply::Snapshot(1, 64)));
}

/// What happens next to a store and to its reference.
#[derive(Clone, Debug)]
enum Step {
    Txn(Vec<Op>),
    Compact(i64),
    Batch,
    Hash(i64),
    History(i64, i64, i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => vec(arbitrary::near_op(), 0..6).prop_map(Step::Txn),
        2 => (-3..2i64).prop_map(Step::Compact),
        3 => Just(Step::Batch),
        3 => (-4..2i64).prop_map(Step::Hash),
        3 => (-5..2i64, -3..3i64, 0..4i64).prop_map(|(s, e, l)| Step::History(s, e, l)),
    ]
}

/// One action of an explicit transaction, on both sides.
fn inside(kv: &mut Kv, id: TxnId, action: &Action<i64>) -> Result<Response, KvError> {
    check_request(&Op::Single(action.clone()))?;
    Ok(match action {
        Action::Put(put) => Response::Put { revision: kv.put_in(id, put)? },
        Action::Delete(keys) => {
            let (count, revision) = kv.delete_in(id, keys)?;
            Response::Deleted { revision, count }
        }
        Action::Get(get) => Response::Range(kv.range_in(id, get)?),
    })
}

fn explicit(kv: &mut Kv, reference: &mut Reference, ops: &[Op]) -> Result<(), TestCaseError> {
    let id = kv.begin().expect("nobody is inside");
    let mut open = reference.begin_explicit();
    for op in ops {
        let Op::Single(action) = op.resolve(reference.current()) else { continue };
        // Without leases.
        let action = match action {
            Action::Put(put) => Action::Put(Put { lease: 0, ..put }),
            other => other,
        };
        let told = inside(kv, id, &action);
        let expected = reference.act_inside(&mut open, &action).map_err(KvError::from);
        prop_assert_eq!(told, expected, "{}", action);
    }
    prop_assert_eq!(kv.end(id), Ok(reference.end_explicit(open)));
    Ok(())
}

fn agree(kv: &mut Kv, reference: &mut Reference, step: Step) -> Result<(), TestCaseError> {
    let now = reference.current();
    match step {
        Step::Txn(ops) => explicit(kv, reference, &ops)?,
        Step::Compact(at) => {
            let request = Op::Compact(now + at);
            let expected = reference.apply(&request).map_err(KvError::from);
            prop_assert_eq!(kv.ask(&request), expected);
        }
        Step::Batch => drop(kv.batch(Some(2))),
        Step::Hash(at) => {
            let at = (now + at).max(1);
            let told = kv.hash(at).map(|told| (told.hash, told.compacted));
            let above = || {
                let hash = reference.hash_above(reference.compacted(), at).expect("not to come");
                (hash.hash, hash.compacted)
            };
            let expected = reference.hash(at).map(|_| above()).map_err(KvError::from);
            prop_assert_eq!(told, expected, "at {}", at);
        }
        Step::History(start, end, limit) => {
            let (start, end) = (now + start, if end > 0 { now + end } else { 0 });
            let keys = Keys::From(Vec::new());
            let query = Query { keys: keys.clone(), start, end, limit };
            let told = kv.range_history(&query).map(|told| {
                let changes = told.effects.into_iter();
                let brief =
                    changes.map(|effect| (effect.revision.main, effect.revision.sub, effect.kv));
                (brief.collect::<Vec<_>>(), told.next)
            });
            let expected = reference.part(&keys, (start, end), limit);
            let expected = expected.map_err(KvError::from).map(|(changes, next)| {
                let brief =
                    changes.into_iter().map(|(main, sub, event)| (main, sub, event.kv.clone()));
                (brief.collect::<Vec<_>>(), next)
            });
            prop_assert_eq!(told, expected, "[{},{}) limit {}", start, end, limit);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(arbitrary::config(250))]

    #[test]
    fn explicit_transactions_hashes_and_history_are_those_of_the_reference(
        steps in vec(step(), 1..40),
        read_buffer in any::<bool>(),
    ) {
        let usual = Parameters::default();
        let settings = Settings { page_size: 64, ..usual.settings };
        let mut kv = Kv::new(Parameters { settings, read_buffer, ..usual });
        let mut reference = Reference::new();
        for step in steps {
            agree(&mut kv, &mut reference, step)?;
        }
    }
}
