//! The comparison has to be seen to fail: each kind of difference, with a server that shows it.

use super::super::reference::StoreHash;
use super::super::response::OpError;
use super::fake::Script;
use super::known::{
    BLINDED_WATCH, COMPACTED_AT_0, CUT_UNORDERED, LEASE_REPLAYED, NEGATIVE_READ, NEGATIVE_WATCH,
    OPEN_DELETE, REFUSED_REPLAYED, ROWS, Row, Tally,
};

const AT_2: &str = r#"{"header": {"revision": "2"}}"#;
const AT_3: &str = r#"{"header": {"revision": "3"}}"#;
/// a=1, written at 2.
const A: &str = r#"{"key": "YQ==", "create_revision": "2", "mod_revision": "2", "version": "1", "value": "MQ=="}"#;
/// b=2, written at 3.
const B: &str = r#"{"key": "Yg==", "create_revision": "3", "mod_revision": "3", "version": "1", "value": "Mg=="}"#;
const CREATED_AT_1: &str = r#"{"result": {"header": {"revision": "1"}, "created": true}}"#;

fn script() -> Script {
    Script::default()
}

/// A range that finds these.
fn range(revision: i64, kvs: &[&str]) -> String {
    let (all, count) = (kvs.join(", "), kvs.len());
    format!(r#"{{"header": {{"revision": "{revision}"}}, "kvs": [{all}], "count": "{count}"}}"#)
}

/// A line of a watch with these events.
fn events(revision: i64, kvs: &[&str]) -> String {
    let events: Vec<String> = kvs.iter().map(|kv| format!(r#"{{"kv": {kv}}}"#)).collect();
    let all = events.join(", ");
    format!(r#"{{"result": {{"header": {{"revision": "{revision}"}}, "events": [{all}]}}}}"#)
}

fn fired(tally: &Tally, row: Row) -> u64 {
    ROWS.iter().zip(tally.fired).find(|(known, _)| **known == row).expect("a row").1
}

#[test]
fn a_server_that_answers_like_the_reference_model_agrees() {
    let all = range(2, &[A]);
    let server = script().says(AT_2).says(&all).refuses("key is not provided").has(&all);
    assert_eq!(server.class(&["put a 1", "get a", "del \"\""]), "agreed");
}

#[test]
fn every_wrong_answer_is_seen() {
    let all = range(2, &[A]);
    let wrong = |put: &str, get: &str| script().says(put).says(get).has(&all);
    let plan = ["put a 1", "get a.."];
    assert_eq!(wrong(AT_3, &all).class(&plan), "wrong answer");
    assert_eq!(wrong(AT_2, &range(2, &[])).class(&plan), "wrong answer");
    assert_eq!(wrong(AT_2, &all.replace("MQ==", "Mg==")).class(&plan), "wrong answer");
    assert_eq!(
        wrong(AT_2, &all.replace("\"version\": \"1\"", "\"version\": \"2\"")).class(&plan),
        "wrong answer"
    );
    assert_eq!(wrong(AT_2, &all.replace("MQ==", "M")).class(&plan), "unreadable answer");
    let refused = script().refuses("requested lease not found");
    assert_eq!(refused.class(&["put a 1"]), "wrongly refused");
    assert_eq!(script().says(AT_2).class(&["put a 1 lease 7"]), "wrongly accepted");
    let other = script().refuses("key is not provided");
    assert_eq!(other.class(&["put a 1 lease 7"]), "wrong error");
    assert_eq!(script().refuses("too tired").class(&["put a 1"]), "unknown error");
}

#[test]
fn a_state_that_differs_at_the_end_is_seen() {
    assert_eq!(script().says(AT_2).has(&range(2, &[])).class(&["put a 1"]), "wrong state");
    let lease = script().says(AT_2).says(&range(2, &[A])).says(r#"{"leases": [{"ID": "7"}]}"#);
    assert_eq!(lease.class(&["put a 1"]), "wrong state");
}

#[test]
fn every_wrong_event_is_seen() {
    let plan = ["watch 1 a..", "txn then put a 1; put b 1"];
    let b = B.replace("\"3\"", "\"2\"").replace("Mg==", "MQ==");
    let txn = r#"{"header": {"revision": "2"}, "succeeded": true, "responses": [
        {"response_put": {"header": {"revision": "2"}}},
        {"response_put": {"header": {"revision": "2"}}}]}"#;
    let told = |lines: &[String]| {
        let server = script().says(txn).has(&range(2, &[A, &b])).tells(CREATED_AT_1);
        lines.iter().fold(server, |server, line| server.tells(line)).class(&plan)
    };
    assert_eq!(told(&[events(2, &[A, &b])]), "agreed");
    assert_eq!(told(&[]), "missing event");
    assert_eq!(told(&[events(2, &[A])]), "missing event");
    assert_eq!(told(&[events(2, &[&b])]), "missing event");
    assert_eq!(told(&[events(2, &[A]), events(2, &[&b])]), "split revision");
    assert_eq!(told(&[events(2, &[A, &b, &b])]), "unexpected event");
    assert_eq!(told(&[events(2, &[A, &b]), events(2, &[A])]), "unexpected event");
    assert_eq!(told(&[events(2, &[A, &b.replace("MQ==", "Mg==")])]), "wrong event");
    assert_eq!(told(&[events(1, &[A, &b])]), "header behind its events");
    let ended = r#"{"result": {"header": {"revision": "2"}, "canceled": true}}"#.to_owned();
    assert_eq!(told(&[ended]), "watch ended");
}

#[test]
fn what_a_key_was_before_is_compared() {
    let plan = ["put a 1", "watch 1 a prev", "put a 2"];
    let now = A.replace("\"version\": \"1\"", "\"version\": \"2\"").replace("MQ==", "Mg==");
    let now = now.replace("\"mod_revision\": \"2\"", "\"mod_revision\": \"3\"");
    let created = r#"{"result": {"header": {"revision": "2"}, "created": true}}"#;
    let told = |event: &str| {
        let line =
            format!(r#"{{"result": {{"header": {{"revision": "3"}}, "events": [{event}]}}}}"#);
        // Nothing comes before the put.
        let server = script().tells(created).tells(&line);
        server.says(AT_2).says(AT_3).has(&range(3, &[&now])).class(&plan)
    };
    assert_eq!(told(&format!(r#"{{"kv": {now}, "prev_kv": {A}}}"#)), "agreed");
    assert_eq!(told(&format!(r#"{{"kv": {now}}}"#)), "wrong event");
}

#[test]
fn the_end_of_a_compacted_watch_is_compared() {
    let plan = ["put a 1", "compact 2", "watch 1 a @1"];
    let created = r#"{"result": {"header": {"revision": "2"}, "created": true}}"#;
    let told = |line: &str| {
        let server = script().says(AT_2).says(AT_2).has(&range(2, &[A]));
        server.tells(created).tells(line).class(&plan)
    };
    let cancel = r#"{"result": {"header": {}, "canceled": true, "compact_revision": "2"}}"#;
    assert_eq!(told(cancel), "agreed");
    assert_eq!(told("null"), "no cancel");
    assert_eq!(told(&cancel.replace("\"2\"", "\"1\"")), "wrong cancel");
    assert_eq!(told(&events(2, &[A])), "wrong cancel");
}

#[test]
fn a_wrong_hash_and_a_wrong_lease_are_seen() {
    let hash = |hash| Ok(StoreHash { hash, compacted: -1, revision: 1 });
    let right = 1_084_519_789;
    let server = |told| script().has(&range(1, &[])).hashes(told);
    assert_eq!(server(hash(right)).class(&["hash"]), "agreed");
    assert_eq!(server(hash(right + 1)).class(&["hash"]), "wrong hash");
    assert_eq!(server(Err(OpError::Compacted)).class(&["hash"]), "wrong hash");

    let granted = r#"{"header": {"revision": "1"}, "ID": "7", "TTL": "60"}"#;
    let lease = |told: &str| {
        let server = script().says(granted).says(told).says(&range(1, &[]));
        server.says(r#"{"leases": [{"ID": "7"}]}"#).class(&["grant 7 60", "lease 7"])
    };
    assert_eq!(lease(r#"{"ID": "7", "TTL": "59", "grantedTTL": "60"}"#), "agreed");
    assert_eq!(lease(r#"{"ID": "7", "TTL": "-1"}"#), "wrong lease");
    assert_eq!(lease(r#"{"TTL": "59", "grantedTTL": "60", "keys": ["YQ=="]}"#), "wrong lease");
    let short = script().says(&granted.replace("60", "50"));
    assert_eq!(short.class(&["grant 7 60"]), "unreadable answer");
}

#[test]
fn what_a_kill_took_or_gave_is_seen() {
    let after = |kill: &str, back: &str| {
        let server = script().says(AT_2).says(AT_3).has(back).has(back);
        server.class(&["put a 1", "put b 2", kill])
    };
    let both = range(3, &[A, B]);
    assert_eq!(after("kill", &both), "agreed");
    assert_eq!(after("kill", &range(2, &[A])), "acknowledged write lost");
    assert_eq!(after("kill", &range(3, &[A])), "acknowledged write lost");
    // What was under way may be there or not, but nothing else may be missing.
    let c = B.replace("Yg==", "Yw==").replace("\"3\"", "\"4\"").replace("Mg==", "Mw==");
    assert_eq!(after("kill during put c 3", &both), "agreed");
    assert_eq!(after("kill during put c 3", &range(4, &[A, B, &c])), "agreed");
    assert_eq!(after("kill during put c 3", &range(3, &[A, &c])), "wrong state after a kill");
    assert_eq!(after("kill during put c 3", &range(2, &[A])), "acknowledged write lost");
}

#[test]
fn a_refused_write_that_is_there_after_a_kill_is_seen() {
    let there = A.replace("MQ==", "Nw==");
    let server = script().refuses("requested lease not found").has(&range(2, &[&there]));
    assert_eq!(server.class(&["put a 7 lease 7", "kill"]), "refused write is there");
}

#[test]
fn a_replayed_refusal_is_known_only_if_nothing_acknowledged_is_gone() {
    const FUTURE: &str = "mvcc: required revision is a future revision";
    let plan = ["txn then put a 1; get a @9", "put b 2", "kill"];
    let run = |back: &str| {
        let server = script().refuses(FUTURE).says(AT_2).has(back).has(back);
        let (end, tally) = server.run(&plan);
        (matches!(end, super::trial::End::Agreed), fired(&tally, REFUSED_REPLAYED))
    };
    // The put of the refused transaction came first, and moved the other one up.
    assert_eq!(run(&range(3, &[A, B])), (true, 1));
    assert_eq!(run(&range(3, &[A])), (false, 0));
    assert_eq!(run(&range(2, &[A])), (false, 0));
    assert_eq!(run(&range(3, &[A, &B.replace("Mg==", "Mw==")])), (false, 0));

    // A refusal for another reason is not done by the replay either.
    let lease = script().refuses("requested lease not found").says(AT_2);
    let (_, tally) =
        lease.has(&range(3, &[A, B])).run(&["txn then put a 1 lease 7; get a", "put b 2", "kill"]);
    assert_eq!(fired(&tally, REFUSED_REPLAYED), 0);

    // An acknowledged compare that the replay would answer otherwise.
    let plan = ["txn then put a 1; get a @9", "txn if a version = 0 then put b 2", "kill"];
    let txn = r#"{"header": {"revision": "2"}, "succeeded": true,
        "responses": [{"response_put": {"header": {"revision": "2"}}}]}"#;
    let server = script().refuses(FUTURE).says(txn).has(&range(2, &[A]));
    let (end, tally) = server.run(&plan);
    assert_eq!(fired(&tally, REFUSED_REPLAYED), 0, "{end:?}");
}

#[test]
fn an_open_delete_is_known_only_if_it_alone_overlaps_and_all_is_done_in_order() {
    let done = |deleted: &str| {
        let put = r#"{"response_put": {"header": {"revision": "2"}}}"#;
        let delete =
            format!(r#"{{"response_delete_range": {{"header": {{"revision": "2"}}{deleted}}}}}"#);
        format!(
            r#"{{"header": {{"revision": "2"}}, "succeeded": true, "responses": [{put}, {delete}]}}"#
        )
    };
    let run = |line: &str, answer: &str| {
        let (end, tally) = script().says(answer).has(&range(2, &[])).run(&[line]);
        (matches!(end, super::trial::End::Agreed), fired(&tally, OPEN_DELETE))
    };
    let one = done(r#", "deleted": "1""#);
    assert_eq!(run("txn then put a 1; del a..", &one), (true, 1));
    assert_eq!(run("txn then put a 1; del a..", &done("")), (false, 0));
    assert_eq!(run("txn then put a 1; del a..b", &one), (false, 0));
    assert_eq!(run("txn then put a 1; del a.. else put b 1; put b 2", &one), (false, 0));
}

#[test]
fn a_negative_read_is_known_only_in_a_transaction_and_only_if_nothing_else_refuses_it() {
    const COMPACTED: &str = "mvcc: required revision has been compacted";
    let run = |line: &str, why: &str| {
        let (end, tally) = script().refuses(why).has(&range(1, &[])).run(&[line]);
        (matches!(end, super::trial::End::Agreed), fired(&tally, NEGATIVE_READ))
    };
    assert_eq!(run("txn then put a 1; get b @-2", COMPACTED), (true, 1));
    assert_eq!(run("txn if a version > 0 then else get b @-2", COMPACTED), (true, 1));
    assert_eq!(run("get b @-2", COMPACTED), (false, 0));
    assert_eq!(run("txn then get b @-1", COMPACTED), (false, 0));
    assert_eq!(run("txn then else get b @-2", COMPACTED), (false, 0));
    assert_eq!(run("txn then get a @7; get b @-2", COMPACTED), (false, 0));
    assert_eq!(run("txn then get b @-2", "key is not provided"), (false, 0));
}

#[test]
fn a_watch_from_a_negative_revision_is_known_to_be_blind_and_to_blind_others() {
    let created = |revision: i64| {
        format!(r#"{{"result": {{"header": {{"revision": "{revision}"}}, "created": true}}}}"#)
    };
    let second = A
        .replace("\"mod_revision\": \"2\"", "\"mod_revision\": \"3\"")
        .replace("\"version\": \"1\"", "\"version\": \"2\"")
        .replace("MQ==", "Mg==");
    let run = |steps: &[&str], lines: &[&str]| {
        let server = script().says(AT_2).says(AT_3).has(&range(3, &[&second]));
        let server = lines.iter().fold(server, |server, line| server.tells(line));
        let (end, tally) = server.run(steps);
        let agreed = matches!(end, super::trial::End::Agreed);
        (agreed, fired(&tally, NEGATIVE_WATCH), fired(&tally, BLINDED_WATCH))
    };
    let (made, put, past) = (&created(2), &events(3, &[&second]), &events(2, &[A]));
    // All watches of a test share their lines: the second put is told to one of them alone.
    let negative = ["put a 1", "watch 2 a @-1", "put a 2"];
    assert_eq!(run(&negative, &[made, "null", put]), (true, 1, 0));
    assert_eq!(run(&negative, &[made, past, put]), (true, 0, 0));
    assert_eq!(run(&negative, &[made, "null", past]), (false, 1, 0));
    let both = ["put a 1", "watch 1 a @2", "watch 2 b @-1", "put a 2"];
    assert_eq!(run(&both, &[made, made, "null", put]), (true, 0, 1));
    assert_eq!(run(&both, &[made, made, "null"]), (false, 0, 1));
    // Without the other watch nothing is known.
    assert_eq!(run(&["put a 1", "watch 1 a @2", "put a 2"], &[made, put]), (false, 0, 0));
}

#[test]
fn a_limit_before_an_order_is_known_only_without_a_direction() {
    let at = |n: i64| format!(r#"{{"header": {{"revision": "{n}"}}}}"#);
    let kv = |key: &str, created: i64, modified: i64, version: i64| {
        format!(
            r#"{{"key": "{key}", "create_revision": "{created}", "mod_revision": "{modified}", "version": "{version}", "value": "MQ=="}}"#
        )
    };
    let (a, b, z) = (&kv("YQ==", 2, 4, 2), &kv("Yg==", 5, 5, 1), &kv("eg==", 3, 3, 1));
    let run = |options: &str, first: &str| {
        let found = format!(
            r#"{{"header": {{"revision": "5"}}, "kvs": [{first}], "count": "3", "more": true}}"#
        );
        let server = script().says(&at(2)).says(&at(3)).says(&at(4)).says(&at(5)).says(&found);
        let list = format!("list a.. limit 1 : {options}");
        let steps = ["put a 1", "put z 1", "put a 1", "put b 1", &list];
        let (end, tally) = server.has(&range(5, &[a, b, z])).run(&steps);
        (matches!(end, super::trial::End::Agreed), fired(&tally, CUT_UNORDERED))
    };
    // z is the oldest, and a server that looks at two keys only never sees it.
    assert_eq!(run("by modified", z), (true, 0));
    assert_eq!(run("by modified", a), (true, 1));
    assert_eq!(run("by modified", b), (false, 0));
    assert_eq!(run("by modified up", z), (true, 0));
    assert_eq!(run("by modified up", a), (false, 0));
    assert_eq!(run("by modified modified 1..5", a), (false, 0));
    assert_eq!(run("", a), (true, 0));
    assert_eq!(run("", z), (false, 0));
}

#[test]
fn a_replayed_lease_is_known_only_if_nothing_acknowledged_is_gone() {
    let granted = r#"{"header": {"revision": "1"}, "ID": "7", "TTL": "60"}"#;
    let leased = A.replace("\"MQ==\"", "\"MQ==\", \"lease\": \"7\"");
    let run = |asked: &[&str], back: &str| {
        let back_all = |server: Script| server.says(back).says(r#"{"leases": [{"ID": "7"}]}"#);
        let server = script().refuses("requested lease not found").says(granted);
        let server = if asked.len() > 3 { server.says(AT_2) } else { server };
        let (end, tally) = back_all(back_all(server)).run(asked);
        (matches!(end, super::trial::End::Agreed), fired(&tally, LEASE_REPLAYED))
    };
    // The replay finds the lease for which the put was refused.
    let plan = ["put a 1 lease 7", "grant 7 60", "kill"];
    assert_eq!(run(&plan, &range(1, &[])), (true, 0));
    assert_eq!(run(&plan, &range(2, &[&leased])), (true, 1));
    assert_eq!(run(&plan, &range(2, &[A])), (false, 0));
    let plan = ["put a 1 lease 7", "grant 7 60", "put b 2", "kill"];
    assert_eq!(run(&plan, &range(3, &[&leased, B])), (true, 1));
    assert_eq!(run(&plan, &range(2, &[&leased])), (false, 0));
}

#[test]
fn a_silent_end_is_known_only_after_a_compaction_at_0() {
    let created = r#"{"result": {"header": {"revision": "2"}, "created": true}}"#;
    let empty = r#"{"result": {"header": {}}}"#;
    let run = |compact: &str, line: &str| {
        let server = script().says(AT_2).says(AT_2).has(&range(2, &[A]));
        let server = server.tells(created).tells(line);
        let (end, tally) = server.run(&["put a 1", compact, "watch 1 a @-1"]);
        (matches!(end, super::trial::End::Agreed), fired(&tally, COMPACTED_AT_0))
    };
    assert_eq!(run("compact 0", empty), (true, 1));
    assert_eq!(run("compact 1", empty), (false, 0));
    assert_eq!(run("compact 0", &events(2, &[A])), (false, 0));
}

#[test]
fn a_request_under_way_may_be_done_in_a_known_way() {
    let back = r#"{"header": {"revision": "3"}}"#;
    let server = script().says(AT_2).has(back).has(back);
    let steps = ["put a 1", "kill during txn then put a 2; del a.."];
    assert_eq!(server.class(&steps), "agreed");
    let steps = ["put a 1", "kill during txn then put a 2; del a..c"];
    assert_eq!(server.class(&steps), "wrong state after a kill");
}
