//! Words that may not stand somewhere: the domain's in the engine, outside sources of chance and time in a run,
//! unfinished work anywhere, and places of one machine.

use super::source::{Source, is_word, line_of};

/// Words of the storage domain, as beginnings of words. `=` in front: the word must be just this.
const DOMAIN: &[&str] = &[
    "vbucket",
    "vbid",
    "checkpoint",
    "revision",
    "compact",
    "tombstone",
    "=lease",
    "=leases",
    "mvcc",
    "etcd",
    "couchbase",
    "couchstore",
    "memcache",
    "=dcp",
    "=tap",
    "seqno",
    "backfill",
    "failover",
    "rebalanc",
];

/// What no run may see, by name.
const OUTSIDE: &[(&str, &[&str])] = &[
    ("a floating-point number", &["f32", "f64"]),
    ("the real clock", &["Instant", "SystemTime"]),
    ("a thread", &["thread", "rayon"]),
    ("the order of std's hash maps", &["HashMap", "HashSet", "RandomState", "DefaultHasher"]),
    ("the environment", &["env"]),
];

/// The words of the domain in this file, in code, comments and literals alike.
pub(crate) fn of_the_domain(source: &Source) -> Vec<String> {
    let known = |word: &String| {
        DOMAIN.iter().any(|stem| match stem.strip_prefix('=') {
            Some(whole) => word == whole,
            None => word.starts_with(stem),
        })
    };
    let mut offences = Vec::new();
    for (line, text) in source.text.lines().enumerate() {
        for word in split_words(text).iter().filter(|word| known(word)) {
            let line = line + 1;
            offences.push(format!("{}:{line}: `{word}` is a word of the domain", source.path));
        }
    }
    offences
}

/// The words of a line in lower case. `camelCase` is split, and kept whole as well.
fn split_words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for whole in line.split(|c: char| !c.is_alphanumeric()).filter(|whole| !whole.is_empty()) {
        words.push(whole.to_lowercase());
        let humps = whole.char_indices().zip(whole.chars().skip(1));
        let mut ends: Vec<usize> = humps
            .filter(|((_, last), next)| last.is_lowercase() && next.is_uppercase())
            .map(|((at, last), _)| at + last.len_utf8())
            .collect();
        ends.push(whole.len());
        let first = ends[0];
        let parts = ends.windows(2).map(|w| &whole[w[0]..w[1]]);
        words.extend(parts.chain([&whole[..first]]).map(str::to_lowercase));
    }
    words.sort_unstable();
    words.dedup();
    words
}

/// What no run may see, in the shipped code of this file.
pub(crate) fn from_outside(source: &Source) -> Vec<String> {
    let code = source.shipped_code();
    let hashbrown = code.contains("use hashbrown::");
    let mut offences = Vec::new();
    for (what, name) in
        OUTSIDE.iter().flat_map(|(what, names)| names.iter().map(move |n| (what, n)))
    {
        for (at, _) in code.match_indices(name) {
            let (before, after) = (&code[..at], &code[at + name.len()..]);
            let part = before.ends_with(is_word) || after.starts_with(is_word);
            let from_std = before.ends_with("std::") || before.ends_with("std::collections::");
            let innocent = match *name {
                // The names of variables as well, so only as the beginning of a path.
                "thread" | "env" => !from_std && !after.starts_with("::"),
                "HashMap" | "HashSet" => {
                    before.ends_with("hashbrown::") || (!from_std && hashbrown)
                }
                _ => false,
            };
            if !part && !innocent {
                let line = line_of(&code, at);
                offences.push(format!("{}:{line}: `{name}`: {what}", source.path));
            }
        }
    }
    offences
}

/// Words that stand for what somebody meant to write.
const PLACEHOLDERS: &[&str] = &["TODO", "TBD", "FIXME", "XXX"];

/// Whether a line is nothing but one word in capitals: on a page, something was to be put in its place.
fn is_shouted(line: &str) -> bool {
    line.len() > 3 && line.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
}

/// Unfinished work: ignored tests, placeholders, left-over debugging, examples that are not compiled.
pub(crate) fn unfinished(source: &Source) -> Vec<String> {
    let mut offences = Vec::new();
    for mark in ["#[ignore", "todo!", "unimplemented!", "dbg!"] {
        for (at, _) in source.code.match_indices(mark) {
            let line = line_of(&source.code, at);
            offences.push(format!("{}:{line}: `{mark}` is unfinished work", source.path));
        }
    }
    let prose = if source.path.ends_with(".md") { &source.text } else { &source.comments };
    let is_page = source.path.ends_with(".md");
    for (line, text) in prose.lines().enumerate() {
        let words = text.split(|c: char| !is_word(c));
        let mut marks = words.filter(|word| PLACEHOLDERS.contains(word));
        if let Some(mark) =
            marks.next().or_else(|| Some(text).filter(|_| is_page && is_shouted(text)))
        {
            let line = line + 1;
            offences.push(format!("{}:{line}: `{mark}` is a placeholder", source.path));
        }
        let fence = text.trim_start_matches(['/', '!', ' ', '*']);
        let tags = fence.strip_prefix("```").unwrap_or_default();
        if tags.split([',', ' ']).any(|tag| tag.trim() == "ignore") {
            let line = line + 1;
            offences.push(format!("{}:{line}: an example that is not compiled", source.path));
        }
    }
    offences
}

/// Places that only one machine has.
pub(crate) fn of_one_machine(source: &Source) -> Vec<String> {
    let mut offences = Vec::new();
    for folder in ["home", "root", "tmp", "Users", "work", "usr", "opt", "var", "mnt"] {
        let place = format!("/{folder}/");
        for (at, _) in source.text.match_indices(&place) {
            let before = source.text[..at].chars().next_back();
            let first_line = source.text[..at].ends_with("#!");
            let relative = before.is_some_and(|c| is_word(c) || matches!(c, '.' | '-' | '/' | '}'));
            if !relative && !first_line {
                let line = line_of(&source.text, at);
                offences
                    .push(format!("{}:{line}: `{place}` is a place of one machine", source.path));
            }
        }
    }
    offences
}

#[cfg(test)]
fn seen(rule: fn(&Source) -> Vec<String>, text: &str) -> usize {
    rule(&Source::new("sim/src/world/bad.rs", text)).len()
}

#[test]
fn words_of_the_domain_are_seen_in_every_spelling() {
    for bad in [
        "struct Vbucket;",
        "// all vBuckets",
        "let last_revision = 1;",
        "compact_at()",
        "\"compaction\"",
        "MVCC",
        "fn tap_window()",
        "a DCP stream",
        "fn lastRevision()",
        "the lease is over",
        "type EtcdStore",
        "Tombstones",
    ] {
        assert!(seen(of_the_domain, bad) > 0, "{bad}");
    }
    for good in ["release", "a watch", "tapped", "please", "impact", "leased line", "provision"] {
        assert_eq!(seen(of_the_domain, good), 0, "{good}");
    }
}

#[test]
fn what_comes_from_outside_is_seen() {
    for bad in [
        "let a: f64 = b;",
        "use std::time::Instant;",
        "std::thread::scope(|s| ());",
        "thread::sleep(x)",
        "use std::collections::HashMap;",
        "use std::collections::{BTreeMap, HashSet};",
        "use hashbrown::HashMap;\nlet a: std::collections::HashMap<u8, u8>;",
        "std::env::var(x)",
    ] {
        assert_eq!(seen(from_outside, bad), 1, "{bad}");
    }
    for good in [
        "use hashbrown::HashMap;\ntype A = HashMap<u8, u8>;",
        "hashbrown::HashMap::new()",
        "// f64 and Instant",
        "let buf64 = thread;",
        "#[cfg(test)]\nmod tests { use std::time::Instant; }",
    ] {
        assert_eq!(seen(from_outside, good), 0, "{good}");
    }
}

#[test]
fn unfinished_work_is_seen() {
    for bad in [
        "#[test]\n#[ignore]\nfn a() {}",
        concat!("fn a() { to", "do!() }"),
        concat!("fn a() { unimplement", "ed!(\"later\") }"),
        "dbg!(x);",
        "/// ```ignore\n/// a\n/// ```",
        "//! ```rust,ignore",
    ] {
        assert_eq!(seen(unfinished, bad), 1, "{bad}");
    }
    assert_eq!(unfinished(&Source::new("docs/a.md", "```ignore\nx\n```")).len(), 1);
    for bad in ["MEASURED", "a\n\nTABLE_HERE\n", "the rest is TBD", "- TODO: more"] {
        assert_eq!(unfinished(&Source::new("docs/a.md", bad)).len(), 1, "{bad}");
    }
    assert_eq!(seen(unfinished, "fn a() {} // FIXME"), 1);
    assert_eq!(unfinished(&Source::new("docs/a.md", "| JSON |\n# TOML\nEND of it\n")).len(), 0);
    assert_eq!(seen(unfinished, "const A: &str = \"TODO\";\nJSON"), 0);
    assert_eq!(seen(unfinished, "// todo! is a word\nlet a = \"#[ignore]\";\n/// ```text"), 0);
}

#[test]
fn places_of_one_machine_are_seen() {
    for name in ["home", "root", "tmp"] {
        assert_eq!(seen(of_one_machine, &format!("open(\"/{name}/x\")")), 1);
        assert_eq!(seen(of_one_machine, &format!("see tests/{name}/x and ../{name}/")), 0);
    }
}
