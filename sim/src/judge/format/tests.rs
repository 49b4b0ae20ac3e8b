use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::{Answer, Call, Event, Format, Outcome, Stage, text};
use crate::judge::linear::Verdict;
use crate::judge::register::{RegisterCall, RegisterRet};
use crate::judge::store::{StoreCall, StoreRet};
use crate::judge::{Report, check_text};

const BUDGET: u64 = 100_000;

/// One line about a history: its form, operations, unknown ones and verdict.
fn summary(history: impl AsRef<[u8]>) -> String {
    let Report { format, operations, unknown, verdict, explanation } =
        check_text(history, BUDGET).unwrap();
    let verdict = match verdict {
        Verdict::Linearizable => "linearizable",
        Verdict::NotLinearizable(_) => "not linearizable",
        Verdict::Inconclusive { .. } => "inconclusive",
    };
    assert_eq!(explanation.is_empty(), verdict == "linearizable");
    format!("{format}, {operations} operations, {unknown} unknown: {verdict}")
}

const TEXT: &str = r#"
# Two clients and two registers.
c0 invoke write a 1
c1 invoke cas a 1 2
c0 ok write a 1
c1 ok cas a 1 2 = true
c0 invoke read a
c0 ok read a = 2
c1 invoke write b "two words"
c1 unknown write b "two words"
c0 invoke read b
c0 ok read b = nil
c1 invoke cas b 5 6
c1 failed cas b 5 6
c0 invoke read b
c0 ok read b="two words"
c1 invoke cas b nil ""
"#;

#[test]
fn our_own_form_is_read() {
    assert_eq!(summary(TEXT), "client history, 7 operations, 2 unknown: linearizable");
}

#[test]
fn a_failed_operation_is_not_one_that_saw_another_value() {
    let history = |outcome: &str| format!("c0 invoke cas a nil 1\nc0 {outcome}\n");
    let linearizable = "client history, 0 operations, 0 unknown: linearizable";
    assert_eq!(summary(history("failed cas a nil 1")), linearizable);
    let refuted = "client history, 1 operations, 0 unknown: not linearizable";
    assert_eq!(summary(history("ok cas a nil 1 = false")), refuted);
}

#[test]
fn a_refutation_is_explained_line_by_line() {
    let history = "\
c0 invoke write a 1
c0 ok write a 1
c1 invoke write a 2
c1 unknown write a 2
c1 invoke cas a 1 3
c0 invoke write b 7
c2 invoke read a
c2 ok read a = 1
c3 invoke read a
c3 ok read a = 4
";
    let report = check_text(history, BUDGET).unwrap();
    let expected = "\
key a: no order of the operations explains every answer
cannot be placed:
  c3 read a = 4 (lines 9 to 10)
not returned by then, so free to come before it, later, or never:
  c1 write a 2 (line 3, outcome unknown)
  c1 cas a 1 3 (line 5, outcome unknown)
an order that explains all before it, 2 operations:
  c0 write a 1 (lines 1 to 2)
  c2 read a = 1 (lines 7 to 8)
the value after that order: 1";
    assert_eq!(report.explanation.join("\n"), expected);
    assert_eq!((report.operations, report.unknown), (6, 3));
}

#[test]
fn an_exhausted_budget_says_so() {
    let history = "c0 invoke write a 1\nc0 ok write a 1\n";
    let report = check_text(history, 0).unwrap();
    assert_eq!(report.verdict, Verdict::Inconclusive { steps: 0 });
    assert_eq!(report.explanation, ["gave up after 0 steps; a larger budget may decide it"]);
}

const LOG: &str = "\
INFO  jepsen.util - 0\t:invoke\t:read\tnil
INFO  jepsen.util - 1\t:invoke\t:write\t3
INFO  jepsen.util - 0\t:ok\t:read\tnil
INFO  jepsen.util - :nemesis\t:info\t:start\tnil
INFO  jepsen.util - 1\t:ok\t:write\t3
INFO  jepsen.util - 2\t:invoke\t:cas\t[4 1]
INFO  jepsen.util - 0   :invoke :cas    [3 4]
INFO  jepsen.util - 2\t:fail\t:cas\t[4 1]
INFO  jepsen.util - 0\t:info\t:cas\t:timed-out
INFO  jepsen.util - 5\t:invoke\t:read\tnil
INFO  jepsen.util - 5\t:fail\t:read\t:timed-out
INFO  jepsen.util - 0\t:invoke\t:read\tnil
INFO  jepsen.util - 0\t:ok\t:read\t4
";

#[test]
fn a_jepsen_log_is_read() {
    assert_eq!(summary(LOG), "Jepsen log, 5 operations, 1 unknown: linearizable");
    let stale = LOG.replace(":ok\t:read\t4", ":ok\t:read\tnil");
    assert_eq!(summary(stale), "Jepsen log, 5 operations, 1 unknown: not linearizable");
}

#[test]
fn a_compare_and_set_that_failed_in_a_jepsen_log_saw_another_value() {
    // The register is 3 from the write on, whether the other one takes effect or not.
    let log = LOG.replace("[4 1]", "[3 1]").replace("[3 4]", "[3 3]").replace("read\t4", "read\t3");
    let seen = summary(&log);
    assert_eq!(seen, "Jepsen log, 5 operations, 1 unknown: not linearizable");
    let unseen = summary(log.replace(":fail\t:cas\t[3 1]", ":fail\t:cas\t:refused"));
    assert_eq!(unseen, "Jepsen log, 4 operations, 1 unknown: linearizable");
}

const EDN: &str = r#"
; strings
{:process 0, :type :invoke, :f :append, :key "a", :value "x \"1\""}
{:process 1, :type :invoke, :f :get, :key "a", :value nil, :time 17, :tags [1 {2 3} (4)]}
{:process 0, :type :ok, :f :append, :key "a", :value "x \"1\""}
{:process 1, :type :ok, :f :get, :key "a", :value ""}
{:process 0 :type :invoke :f :put :key "a" :value "y\u00e9"} ; a comment
{:process :nemesis, :type :info, :f :kill}
{:process 0 :type :info :f :put :key "a" :error :timeout}
{:process 0, :type :invoke, :f :get, :key "a"}
{:process 0, :type :ok, :f :get, :key "a", :value "x \"1\""}
{:process 0, :type :invoke, :f :get, :key "a"}
{:process 0, :type :ok, :f :get, :key "a", :value "yé"}
"#;

#[test]
fn edn_maps_are_read() {
    assert_eq!(summary(EDN), "EDN maps, 5 operations, 1 unknown: linearizable");
    let lost = EDN.replace(r#":value "yé""#, r#":value "z""#);
    assert_eq!(summary(lost), "EDN maps, 5 operations, 1 unknown: not linearizable");
}

#[test]
fn edn_maps_may_be_about_a_register() {
    let history = "{:process 0, :type :invoke, :f :cas, :value [nil 2]}\n\
        {:process 0, :type :fail, :f :cas, :value [nil 2]}\n";
    assert_eq!(summary(history), "EDN maps, 1 operations, 0 unknown: not linearizable");
    let failed = history.replace(":fail, ", ":fail, :error :refused, ");
    assert_eq!(summary(failed), "EDN maps, 0 operations, 0 unknown: linearizable");
}

#[test]
fn windows_line_ends_make_no_difference() {
    for history in [TEXT, LOG, EDN] {
        assert_eq!(summary(history.replace('\n', "\r\n")), summary(history));
    }
}

/// Histories that are refused: the error, and the history.
#[rustfmt::skip]
const REFUSED: &[(&str, &str)] = &[
    ("line 1: expected a history: lines such as `c0 invoke read a`, a Jepsen log, or EDN maps, found nothing", ""),
    ("line 1: expected a history: lines such as `c0 invoke read a`, a Jepsen log, or EDN maps, found nothing", "\n# only a comment\n"),
    ("line 2: expected a history: lines such as `c0 invoke read a`, a Jepsen log, or EDN maps, found \"hello world\"", "\nhello world\n"),
    ("line 1: expected a client: c and a number below 2^64, found \"cx\"", "cx invoke read a"),
    ("line 1: expected a client: c and a number below 2^64, found \"c18446744073709551616\"", "c18446744073709551616 invoke read a"),
    ("line 1: expected a client: c and a number below 2^64, found \"c+1\"", "c+1 invoke read a"),
    ("line 1: expected one of invoke, ok, failed, unknown, found the end of the line", "c0"),
    ("line 1: expected one of invoke, ok, failed, unknown, found \"begin\"", "c0 begin read a"),
    ("line 1: expected one of read, write, cas, get, put, append, found \"delete\"", "c0 invoke delete a"),
    ("line 1: expected one of read, write, cas, get, put, append, found \"\\\"read\\\"\"", "c0 invoke \"read\" a"),
    ("line 1: expected a key, found the end of the line", "c0 invoke read"),
    ("line 1: expected a key, found \"nil\"", "c0 invoke read nil"),
    ("line 1: expected a value or nil, found the end of the line", "c0 invoke write a"),
    ("line 1: expected the new value or nil, found the end of the line", "c0 invoke cas a 1"),
    ("line 1: expected a string, found \"nil\"", "c0 invoke put a nil"),
    ("line 1: expected the end of the line, found \"2\"", "c0 invoke write a 1 2"),
    ("line 1: expected the end of the line, found \"=\"", "c0 invoke read a = 1"),
    ("line 2: expected = and the answer, found the end of the line", "c0 invoke read a\nc0 ok read a"),
    ("line 2: expected = and the answer, found \"1\"", "c0 invoke read a\nc0 ok read a 1"),
    ("line 2: expected true or false, found \"yes\"", "c0 invoke cas a 1 2\nc0 ok cas a 1 2 = yes"),
    ("line 2: expected the end of the line, found \"=\"", "c0 invoke write a 1\nc0 ok write a 1 = 1"),
    ("line 1: expected a closing quote, found \"\\\"b\"", "c0 invoke write a \"b"),
    ("line 1: expected one of \\n \\r \\t \\\" \\\\ \\u{1f} in a word in quotes, found \"x\\\"\"", "c0 invoke write a \"\\x\""),
    ("line 1: expected one of \\n \\r \\t \\\" \\\\ \\u{1f} in a word in quotes, found \"u{d800}\\\"\"", "c0 invoke write a \"\\u{d800}\""),
    ("line 1: expected a word of letters, digits and _.:/@+-, or one in quotes, found \"é\"", "c0 invoke write a é"),
    ("line 1: expected a space between two words, found \"a\\\"b\\\"\"", "c0 invoke read a\"b\""),
    ("line 2: expected the return of `read a`, which c0 invoked at line 1, found another invocation", "c0 invoke read a\nc0 invoke read a"),
    ("line 1: expected an invocation by c0 before its return, found a return", "c0 ok read a = 1"),
    ("line 3: expected an invocation by c0 before its return, found a return", "c0 invoke read a\nc0 unknown read a\nc0 ok read a = 1"),
    ("line 2: expected the return of `read a`, which c0 invoked at line 1, found `read b`", "c0 invoke read a\nc0 ok read b = 1"),
    ("line 2: expected the return of `write a 1`, which c0 invoked at line 1, found `write a 2`", "c0 invoke write a 1\nc0 failed write a 2"),
    ("line 2: expected read, write or cas, as in the lines before, found `get a`", "c0 invoke read a\nc1 invoke get a"),
    ("line 2: expected get, put or append, as in the lines before, found `read a`", "c0 invoke get a\nc1 invoke read a"),
    ("line 1: expected a line of a Jepsen log: INFO jepsen.util - PROCESS :TYPE :FUNCTION VALUE, found \"INFO  jepsen.core - 0 :invoke :read nil\"", "INFO  jepsen.core - 0 :invoke :read nil"),
    ("line 1: expected a line of a Jepsen log: INFO jepsen.util - PROCESS :TYPE :FUNCTION VALUE, found \"INFO  jepsen.util - 0 :invoke :read\"", "INFO  jepsen.util - 0 :invoke :read"),
    ("line 2: expected a line of a Jepsen log: INFO jepsen.util - PROCESS :TYPE :FUNCTION VALUE, found \"c0 invoke read a\"", "INFO jepsen.util - 0 :invoke :read nil\nc0 invoke read a"),
    ("line 1: expected the number of a process, found \"x\"", "INFO jepsen.util - x :invoke :read nil"),
    ("line 1: expected the number of a process, found \"-1\"", "INFO jepsen.util - -1 :invoke :read nil"),
    ("line 1: expected one of :invoke, :ok, :fail, :info, found \"invoke\"", "INFO jepsen.util - 0 invoke :read nil"),
    ("line 1: expected one of :read, :write, :cas, found \"get\"", "INFO jepsen.util - 0 :invoke :get nil"),
    ("line 1: expected [EXPECTED NEW], found another value", "INFO jepsen.util - 0 :invoke :cas 1"),
    ("line 1: expected [EXPECTED NEW], found a vector of 3", "INFO jepsen.util - 0 :invoke :cas [1 2 3]"),
    ("line 1: expected a closing ], found the end of the line", "INFO jepsen.util - 0 :invoke :cas [1 2"),
    ("line 1: expected an invocation by c0 before its return, found a return", "INFO jepsen.util - 0 :ok :read 1"),
    ("line 2: expected one of :invoke, :ok, :fail, :info, found \"done\"", "INFO jepsen.util - 0 :invoke :read nil\nINFO jepsen.util - 0 :done :read 1"),
    ("line 2: expected the return of `write register 1`, which c0 invoked at line 1, found other arguments", "INFO jepsen.util - 0 :invoke :write 1\nINFO jepsen.util - 0 :ok :write 2"),
    ("line 2: expected the return of `write register 1`, which c0 invoked at line 1, found a :read", "INFO jepsen.util - 0 :invoke :write 1\nINFO jepsen.util - 0 :ok :read 1"),
    ("line 2: expected a value and no error, found :timed-out", "INFO jepsen.util - 0 :invoke :read nil\nINFO jepsen.util - 0 :ok :read :timed-out"),
    ("line 1: expected a :process, found a map without it", "{:type :invoke, :f :get}"),
    ("line 1: expected a :type, found a map without it", "{:process 0, :f :get}"),
    ("line 1: expected a :key, found a map without it", "{:process 0, :type :invoke, :f :get}"),
    ("line 1: expected one of :read, :write, :cas, :get, :put, :append, found \"delete\"", "{:process 0, :type :invoke, :f :delete, :key 1}"),
    ("line 1: expected a string, found nil", "{:process 0, :type :invoke, :f :put, :key 1, :value nil}"),
    ("line 1: expected a number, a string or nil, found a vector", "{:process 0, :type :invoke, :f :put, :key 1, :value []}"),
    ("line 1: expected a value for every key of a map, found \"{:process 0 :type}\"", "{:process 0 :type}"),
    ("line 1: expected one EDN map per line, found \"{} {}\"", "{} {}"),
    ("line 2: expected one EDN map per line, found \"[]\"", "{:process :nemesis}\n[]"),
    ("line 1: expected at most 16 levels of nesting, found \"[[[]]]]]]]]]]]]]]]]]]\"", "{[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]"),
    ("line 1: expected an EDN value, found \"#{1}\"", "{:process #{1}"),
    ("line 1: expected an EDN value, found \"]\"", "{:process ]"),
    ("line 1: expected one of \\n \\r \\t \\\" \\\\ \\u001f in a string, found \"\\\"\\\\u12\"", "{:value \"\\u12"),
    ("line 2: expected the return of `get a`, which c0 invoked at line 1, found a :get of b", "{:process 0 :type :invoke :f :get :key a}\n{:process 0 :type :ok :f :get :key b :value c}"),
];

#[test]
fn bad_histories_are_refused_with_the_line_and_what_was_expected() {
    let wrong: Vec<String> = REFUSED
        .iter()
        .filter_map(|(expected, history)| {
            let error = match check_text(history, BUDGET) {
                Ok(report) => format!("{report:?}"),
                Err(error) => error.to_string(),
            };
            (error != *expected)
                .then(|| format!("{history:?}\n  gave     {error}\n  expected {expected}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn bytes_that_are_not_text_are_refused_with_their_line() {
    let error = check_text(b"c0 invoke read a\nc0 ok read \xff\n", BUDGET).unwrap_err();
    assert_eq!(error.to_string(), "line 2: expected UTF-8 text, found the byte 0xff");
}

#[test]
fn a_long_line_is_quoted_in_part() {
    let error = check_text("x".repeat(1000), BUDGET).unwrap_err();
    assert_eq!(error.found, format!("{:?}...", "x".repeat(40)));
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just("nil".to_owned()),
        "[a-z0-9_.:/@+-]{1,4}",
        "[ -~]{0,6}",
        any::<String>(),
    ]
}

/// Any call, and an answer that it takes.
fn exchange() -> impl Strategy<Value = (Call, Answer)> {
    let value = || option::of(word());
    let register = |call, ret| (Call::Register(call), Answer::Register(ret));
    let store = |call, ret| (Call::Store(call), Answer::Store(ret));
    prop_oneof![
        value().prop_map(move |read| register(RegisterCall::Read, RegisterRet::Value(read))),
        value().prop_map(move |new| register(RegisterCall::Write(new), RegisterRet::Written)),
        (value(), value(), any::<bool>()).prop_map(move |(expected, new, set)| {
            register(RegisterCall::CompareAndSet { expected, new }, RegisterRet::Set(set))
        }),
        word().prop_map(move |string| store(StoreCall::Get, StoreRet::Value(string))),
        word().prop_map(move |string| store(StoreCall::Put(string), StoreRet::Done)),
        word().prop_map(move |string| store(StoreCall::Append(string), StoreRet::Done)),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    (any::<u64>(), word(), exchange(), 0..4).prop_map(|(process, key, (call, answer), stage)| {
        let stage = match stage {
            0 => Stage::Invoke,
            1 => Stage::Return(Outcome::Ok(answer)),
            2 => Stage::Return(Outcome::Failed),
            _ => Stage::Return(Outcome::Unknown),
        };
        Event { process, stage, key, call }
    })
}

/// Pieces of the three forms.
const PIECES: &str = "c0|c1|invoke|ok|failed|unknown|read|write|cas|get|put|append|a|1|nil|=|true|\"|\\|\n|\
    #|é|INFO  jepsen.util - |:invoke|:ok|:fail|:info|:read|:write|:cas|[1 2]|{|}|[|(|:process 0|:type|:f|\
    :get|:key|:value|c0 invoke read a\n|c0 ok read a = 1\n|\0|nil\n";

/// Such pieces in any order: closer to a history than arbitrary bytes.
fn scraps() -> impl Strategy<Value = String> {
    let pieces: Vec<&str> = PIECES.split('|').collect();
    vec(prop::sample::select(pieces), 0..40).prop_map(|pieces| pieces.join(" "))
}

proptest! {
    #[test]
    fn printed_events_are_read_back(events in vec(event(), 0..8)) {
        let printed = text::print(&events);
        let read = text::parse(&printed).unwrap();
        let lines: Vec<usize> = read.iter().map(|(line, _)| *line).collect();
        prop_assert_eq!(lines, (1..=events.len()).collect::<Vec<_>>());
        let read: Vec<Event> = read.into_iter().map(|(_, event)| event).collect();
        prop_assert_eq!(&read, &events);
        prop_assert_eq!(text::print(&read), printed);
    }

    #[test]
    fn any_bytes_are_judged_or_refused(bytes in vec(any::<u8>(), 0..200)) {
        let _ = check_text(&bytes, BUDGET);
    }

    #[test]
    fn any_scraps_of_histories_are_judged_or_refused(scraps in scraps()) {
        let lines = scraps.lines().count().max(1);
        if let Err(error) = check_text(&scraps, BUDGET) {
            prop_assert!((1..=lines).contains(&error.line), "{}", error);
        }
    }

    #[test]
    fn a_history_with_a_byte_changed_is_judged_or_refused(
        which in 0..3_usize,
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = [TEXT, LOG, EDN][which].as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = check_text(&bytes, BUDGET);
    }
}

#[test]
fn each_form_has_a_name() {
    let names = [Format::Text, Format::JepsenLog, Format::Edn].map(|format| format.to_string());
    assert_eq!(names, ["client history", "Jepsen log", "EDN maps"]);
}
