//! The tree as the rules see it: files with their text, and for Rust the code and the comments apart.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A file of the tree.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// From the root of the workspace, with slashes.
    pub(crate) path: String,
    /// All of it.
    pub(crate) text: String,
    /// Rust: the text with comments and literals blanked out, line for line. Empty for other files.
    pub(crate) code: String,
    /// Rust: only the comments, line for line. Empty for other files.
    pub(crate) comments: String,
}

impl Source {
    /// A file with this text.
    pub(crate) fn new(path: &str, text: &str) -> Source {
        let (code, comments) =
            if path.ends_with(".rs") { split(text) } else { (String::new(), String::new()) };
        Source { path: path.into(), text: text.into(), code, comments }
    }

    /// The code without `#[cfg(test)] mod name { .. }`, which may look anywhere.
    pub(crate) fn shipped_code(&self) -> String {
        let mut code = self.code.clone();
        while let Some(test) = test_module(&code) {
            let blank: String = code[test.clone()].chars().map(blank).collect();
            code.replace_range(test, &blank);
        }
        code
    }

    /// The names after `#[cfg(test)] mod`, where the module is a file of its own.
    pub(crate) fn test_modules(&self) -> Vec<String> {
        let mut names = Vec::new();
        for (at, _) in self.code.match_indices("#[cfg(test)]") {
            let rest = self.code[at + "#[cfg(test)]".len()..].trim_start();
            let rest = rest.strip_prefix("pub(crate) ").unwrap_or(rest);
            if let Some(name) = rest.strip_prefix("mod ")
                && let Some((name, _)) = name.split_once(';')
                && name.chars().all(is_word)
            {
                names.push(name.into());
            }
        }
        names
    }

    /// The folder in which the modules that this file declares lie.
    pub(crate) fn folder(&self) -> &str {
        let (folder, file) = self.path.rsplit_once('/').unwrap_or(("", &self.path));
        match file {
            "mod.rs" | "lib.rs" | "main.rs" => folder,
            _ => self.path.strip_suffix(".rs").unwrap_or(folder),
        }
    }
}

/// The line, from 1, of a byte of a text.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// Whether it can be part of an identifier.
pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the crate lies in the workspace").to_path_buf()
}

/// Every text file of the workspace, in order of its path.
pub(crate) fn tree() -> Vec<Source> {
    let mut sources = Vec::new();
    visit(&root(), "", &mut sources);
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(sources.len() > 50, "the tree was found");
    sources
}

/// The sources below a folder.
pub(crate) fn below<'t>(tree: &'t [Source], folder: &str) -> Vec<&'t Source> {
    tree.iter().filter(|s| s.path.starts_with(folder)).collect()
}

/// The Rust sources below a folder that are not only there for tests.
pub(crate) fn shipped<'t>(tree: &'t [Source], folder: &str) -> Vec<&'t Source> {
    let sources = below(tree, folder);
    let tests: Vec<String> = sources
        .iter()
        .flat_map(|s| s.test_modules().into_iter().map(|name| format!("{}/{name}", s.folder())))
        .collect();
    let only_for_tests = |path: &str| {
        tests.iter().any(|test| {
            path.strip_prefix(test.as_str())
                .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        })
    };
    let rust = sources.into_iter().filter(|s| s.path.ends_with(".rs"));
    rust.filter(|s| !only_for_tests(&s.path)).collect()
}

fn visit(folder: &Path, below: &str, sources: &mut Vec<Source>) {
    let entries = fs::read_dir(folder).expect("a folder of the tree can be listed");
    for entry in entries {
        let entry = entry.expect("a folder of the tree can be listed");
        let name = entry.file_name().into_string().expect("names in the tree are UTF-8");
        let path = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
        let kind = entry.file_type().expect("the kind of a file is known");
        if kind.is_dir() {
            let built = name.starts_with("target") || name == "findings" || name == "book";
            if !built && name != ".git" {
                visit(&entry.path(), &path, sources);
            }
        } else if name != "Cargo.lock"
            && name != ".git"
            && let Ok(text) = fs::read_to_string(entry.path())
        {
            sources.push(Source::new(&path, &text));
        }
    }
}

fn blank(c: char) -> char {
    if c == '\n' { '\n' } else { ' ' }
}

/// The bytes of the first `#[cfg(test)] mod name { .. }`.
fn test_module(code: &str) -> Option<Range<usize>> {
    let mut from = 0;
    while let Some(found) = code[from..].find("#[cfg(test)]") {
        let start = from + found;
        let after = start + "#[cfg(test)]".len();
        let rest = code[after..].trim_start();
        let opens = code[after..].find(['{', ';']).map(|at| after + at);
        if rest.starts_with("mod ")
            && let Some(open) = opens
            && code.as_bytes()[open] == b'{'
        {
            return Some(start..closing(code, open));
        }
        from = after;
    }
    None
}

/// The byte behind the brace that closes the one at `open`.
fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0;
    for (at, c) in code[open..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return open + at + 1;
        }
    }
    code.len()
}

/// Code and comments of a Rust text, each with the other (and literals) blanked out.
fn split(text: &str) -> (String, String) {
    let (mut code, mut comments) = (String::new(), String::new());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (len, keep_code, keep_comment) = match rest {
            r if r.starts_with("//") => (r.find('\n').unwrap_or(r.len()), false, true),
            r if r.starts_with("/*") => (block_comment(r), false, true),
            r if r.starts_with('"') => (string(r), false, false),
            r if r.starts_with('\'') => (character(r), false, false),
            r if starts_raw(r, code.chars().last()) => (raw_string(r), false, false),
            _ => (first.len_utf8(), true, false),
        };
        let (taken, left) = rest.split_at(len);
        for c in taken.chars() {
            code.push(if keep_code { c } else { blank(c) });
            comments.push(if keep_comment { c } else { blank(c) });
        }
        rest = left;
    }
    (code, comments)
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// A character literal; a lifetime is left as code after its quote.
fn character(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => text[3..].find('\'').map_or(text.len(), |at| at + 4),
        Some(_) => match chars.next() {
            Some((at, '\'')) => at + 1,
            _ => 1,
        },
        None => text.len(),
    }
}

fn starts_raw(text: &str, before: Option<char>) -> bool {
    let inside_word = before.is_some_and(is_word) && before != Some('b');
    let hashes = text.strip_prefix('r').map(|r| r.trim_start_matches('#'));
    !inside_word && hashes.is_some_and(|r| r.starts_with('"'))
}

fn raw_string(text: &str) -> usize {
    let hashes = text[1..].bytes().take_while(|b| *b == b'#').count();
    let end = format!("\"{}", "#".repeat(hashes));
    let body = 2 + hashes;
    text[body..].find(&end).map_or(text.len(), |at| body + at + end.len())
}

#[test]
fn comments_and_literals_are_kept_apart_from_code() {
    let text = "let a = \"x // y\"; // said \"so\"\n/* /* deep */ */ let b: &'a str = r#\"q\"z\"#; '\\''; 'x';";
    let source = Source::new("a.rs", text);
    let code: Vec<&str> = source.code.split_whitespace().collect();
    assert_eq!(
        code,
        ["let", "a", "=", ";", "let", "b:", "&", "a", "str", "=", ";", ";", ";"],
        "{:?}",
        source.code
    );
    assert!(source.comments.contains("said \"so\"") && source.comments.contains("deep"));
    assert_eq!(source.code.len(), text.len());
}

#[test]
fn test_modules_are_no_part_of_the_shipped_code() {
    let text =
        "fn a() {}\n#[cfg(test)]\nmod tests { fn b() { {} } }\n#[cfg(test)]\nmod other;\nfn c() {}";
    let source = Source::new("x/mod.rs", text);
    let code = source.shipped_code();
    assert!(code.contains("fn a") && code.contains("fn c") && !code.contains("fn b"));
    assert_eq!(source.test_modules(), ["other"]);
    let tree = [
        source,
        Source::new("x/other.rs", ""),
        Source::new("x/other/deep.rs", ""),
        Source::new("x/others.rs", ""),
    ];
    let paths: Vec<&str> = shipped(&tree, "x/").iter().map(|s| s.path.as_str()).collect();
    assert_eq!(paths, ["x/mod.rs", "x/others.rs"]);
}
