use proptest::prelude::*;

use super::super::super::arbitrary;
use super::*;

fn asked(line: &str) -> (&'static str, String) {
    let op: Op = line.parse().unwrap_or_else(|error| panic!("{line}: {error}"));
    let (path, body) = request(&op.resolve(5));
    (path, body.to_string())
}

#[test]
fn base64_is_that_of_everybody() {
    let table: [(&[u8], &str); 6] = [
        (b"", ""),
        (b"a", "YQ=="),
        (b"ab", "YWI="),
        (b"abc", "YWJj"),
        (b"\0", "AA=="),
        (b"\xff\xfe\xfd", "//79"),
    ];
    for (bytes, text) in table {
        assert_eq!(base64(bytes), text);
        assert_eq!(unbase64(text), Some(bytes.to_vec()));
    }
    for text in ["Y", "YQ", "YQ=", "YR==", "Y===", "Y*==", "====", "YQ==YQ=="] {
        assert_eq!(unbase64(text), None, "{text}");
    }
}

#[test]
fn requests_are_written_as_the_gateway_reads_them() {
    assert_eq!(
        asked("put a 1 lease 7"),
        ("/v3/kv/put", r#"{"key":"YQ==","value":"MQ==","lease":"7"}"#.into())
    );
    let range = r#"{"key":"YQ==","range_end":"AA==","revision":"4","limit":"2","count_only":true}"#;
    assert_eq!(asked("get a.. @rev-1 limit 2 count"), ("/v3/kv/range", range.into()));
    let delete = r#"{"key":"YQ==","range_end":"Yw=="}"#;
    assert_eq!(asked("del a..c"), ("/v3/kv/deleterange", delete.into()));
    let compact = r#"{"revision":"5","physical":true}"#;
    assert_eq!(asked("compact rev"), ("/v3/kv/compaction", compact.into()));
    assert_eq!(asked("grant -7 60"), ("/v3/lease/grant", r#"{"ID":"-7","TTL":"60"}"#.into()));
    assert_eq!(asked("revoke 7"), ("/v3/lease/revoke", r#"{"ID":"7"}"#.into()));
    let txn = concat!(
        r#"{"compare":[{"key":"YQ==","result":"LESS","target":"MOD","mod_revision":"5"},"#,
        r#"{"key":"YQ==","result":"EQUAL","target":"VALUE","value":"MQ=="}],"#,
        r#""success":[{"request_put":{"key":"YQ==","value":""}}],"#,
        r#""failure":[{"request_delete_range":{"key":"YQ=="}}]}"#,
    );
    let line = "txn if a modified < rev and a value = 1 then put a \"\" else del a";
    assert_eq!(asked(line), ("/v3/kv/txn", txn.into()));
}

#[test]
fn an_answer_that_makes_no_sense_is_an_error() {
    let op: Op = "txn then put a 1".parse().expect("a transaction");
    let read = |text: &str| response(&op.resolve(0), &serde_json::from_str(text).expect("JSON"));
    let header = r#""header": {"revision": "2"}, "succeeded": true"#;
    let put = r#"{"response_put": {"header": {"revision": "2"}}}"#;
    assert!(read(&format!(r#"{{{header}, "responses": [{put}]}}"#)).is_ok());
    for text in [
        format!(r#"{{{header}}}"#),
        format!(r#"{{{header}, "responses": [{put}, {put}]}}"#),
        format!(r#"{{{header}, "responses": [{{"response_range": {{}}}}]}}"#),
        r#"{"header": {"revision": "x"}}"#.to_owned(),
        r#"{"header": {"revision": []}}"#.to_owned(),
    ] {
        assert!(read(&text).is_err(), "{text}");
    }
    assert!(watch_message(&json!({"error": {"message": "x"}})).is_err());
    let event = json!({"result": {"events": [{"type": "EXPIRE", "kv": {}}]}});
    assert!(watch_message(&event).is_err_and(|error| error.contains("EXPIRE")));
}

#[test]
fn only_the_reasons_of_the_store_are_understood() {
    assert_eq!(refusal("etcdserver: key is not provided"), Some(OpError::EmptyKey));
    assert_eq!(refusal("etcdserver: too many requests"), None);
    assert_eq!(refusal("key is not provided"), None);
}

proptest! {
    #![proptest_config(arbitrary::config(500))]

    #[test]
    fn base64_reads_back(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        prop_assert_eq!(unbase64(&base64(&bytes)), Some(bytes));
    }

    #[test]
    fn text_that_is_base64_is_the_only_form_of_its_bytes(text in "[A-Za-d+/=]{0,9}") {
        if let Some(bytes) = unbase64(&text) {
            prop_assert_eq!(base64(&bytes), text);
        }
    }
}
