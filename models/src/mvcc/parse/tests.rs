use proptest::prelude::*;

use super::super::arbitrary;
use super::*;

#[test]
fn each_form_prints_as_it_was_written() {
    let lines = [
        "put a 1",
        "put a \"\" lease 7",
        "put \"\\x00\\\"\\\\ \\xff\" then",
        "get a",
        "get a..d @3 limit 2",
        "get a.. @-1 limit -1 count",
        "get \"\".. @rev-1",
        "get limit..count @rev+8 limit 1",
        "del a",
        "del a..c",
        "compact 3",
        "compact rev-1",
        "compact rev",
        "txn then",
        "txn then put a 1",
        "txn if a version = 0 then put a 1; get b else del c",
        "txn if a..c created > rev-1 and b modified < 3 and c value != \"\" and d lease = 1 then else get a",
        "close",
        "grant 7 60",
        "grant -7 0",
        "revoke 7",
    ];
    for line in lines {
        let op: Op = line.parse().unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(op.to_string(), line);
    }
}

/// Lines that are not operations, each with the message.
const BAD_LINES: &[(&str, &str)] = &[
    (
        "",
        "column 1: expected one of `put get del txn compact close grant revoke`, found the end of the line",
    ),
    (
        "push a 1",
        "column 1: expected one of `put get del txn compact close grant revoke`, found `push`",
    ),
    ("put a", "column 6: expected a value, found the end of the line"),
    ("put a; get b", "column 6: expected a value, found `;`"),
    ("put a 1 2", "column 9: expected the end of the line, found `2`"),
    ("put a 1 lease soon", "column 15: expected a lease number, found `soon`"),
    (
        "get a @ref",
        "column 8: expected a revision: a number, `rev`, `rev-1` or `rev+1`, found `ref`",
    ),
    ("get a limit", "column 12: expected a number of keys, found the end of the line"),
    ("get a ..", "column 7: expected the end of the line, found `..`"),
    (
        "compact revision",
        "column 9: expected a revision: a number, `rev`, `rev-1` or `rev+1`, found `revision`",
    ),
    (
        "compact 9223372036854775808",
        "column 9: expected a revision: a number, `rev`, `rev-1` or `rev+1`, found `9223372036854775808`",
    ),
    ("grant 7", "column 8: expected a number of seconds, found the end of the line"),
    ("revoke a", "column 8: expected a lease number, found `a`"),
    ("txn put a 1", "column 5: expected `if` or `then`, found `put`"),
    ("txn if a version = 0 put", "column 22: expected `and` or `then`, found `put`"),
    (
        "txn if a size = 0 then",
        "column 10: expected one of `version created modified value lease`, found `size`",
    ),
    ("txn if a version == 0 then", "column 19: expected a version, found `=`"),
    ("txn then put a 1;", "column 18: expected one of `put get del`, found the end of the line"),
    ("txn then close", "column 10: expected the end of the line, found `close`"),
    ("put \"a 1", "column 5: expected a closing quote, found the end of the line"),
    (
        "put \"\\q\" 1",
        "column 7: expected `\\`, `\"` or `x` with two hexadecimal digits after a backslash, found 'q'",
    ),
    ("put a\"1\"", "column 6: expected a space, found a quoted text"),
    ("del a.b", "column 6: expected a word, a quoted text or one of `.. @ ; = != < >`, found '.'"),
];

#[test]
fn a_line_that_is_not_an_operation_says_where_and_what_was_expected() {
    for (line, message) in BAD_LINES {
        let error = line.parse::<Op>().expect_err(line);
        assert_eq!(error.to_string(), *message, "for {line}");
    }
}

#[test]
fn relative_revisions_count_from_the_last_one_seen() {
    let op: Op =
        "txn if a modified = rev then get a @rev-2 else get a @4".parse().expect("an operation");
    assert_eq!(op.resolve(7).to_string(), "txn if a modified = 7 then get a @5 else get a @4");
    let compact: Op = "compact rev+9223372036854775807".parse().expect("an operation");
    assert_eq!(compact.resolve(7), Op::Compact(i64::MAX));
}

proptest! {
    #![proptest_config(arbitrary::config(2000))]

    #[test]
    fn what_is_printed_parses_back(op in arbitrary::any_op()) {
        prop_assert_eq!(op.to_string().parse::<Op>(), Ok(op));
    }

    #[test]
    fn arbitrary_text_never_panics(line in ".{0,60}") {
        let _ = line.parse::<Op>();
    }

    #[test]
    fn arbitrary_words_never_panic_and_what_they_mean_prints_and_parses_back(words in arbitrary::words()) {
        if let Ok(op) = words.parse::<Op>() {
            prop_assert_eq!(op.to_string().parse::<Op>(), Ok(op));
        }
    }
}
