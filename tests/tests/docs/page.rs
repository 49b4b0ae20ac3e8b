//! A page of the guide: lines, and the fenced blocks among them.

use super::root;
use std::fs;

/// A page.
pub(super) struct Page {
    /// From the root of the workspace.
    pub(super) name: String,
    pub(super) text: String,
}

/// A fenced block: what stands behind the opening fence, and the lines inside.
pub(super) struct Block<'p> {
    /// The line above the opening fence.
    pub(super) above: &'p str,
    pub(super) tag: &'p str,
    pub(super) lines: Vec<&'p str>,
    /// The line of the opening fence, from 1.
    pub(super) line: usize,
}

impl Page {
    pub(super) fn read(name: &str) -> Page {
        let text = fs::read_to_string(root().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        Page { name: name.into(), text }
    }

    pub(super) fn write(&self, text: &str) {
        fs::write(root().join(&self.name), text).unwrap_or_else(|e| panic!("{}: {e}", self.name));
    }

    /// The text below a heading, up to the next heading of the same depth or above.
    pub(super) fn section(&self, heading: &str) -> &str {
        let depth = heading.bytes().take_while(|b| *b == b'#').count();
        let from = self.text.find(&format!("\n{heading}\n"));
        let from =
            from.unwrap_or_else(|| panic!("{}: has `{heading}`", self.name)) + heading.len() + 2;
        let rest = &self.text[from..];
        let (mut end, mut fenced) = (0, false);
        for line in rest.split_inclusive('\n') {
            fenced ^= line.starts_with("```");
            let hashes = line.bytes().take_while(|b| *b == b'#').count();
            let heading = line.as_bytes().get(hashes) == Some(&b' ');
            if !fenced && heading && (1..=depth).contains(&hashes) {
                break;
            }
            end += line.len();
        }
        &rest[..end]
    }

    /// The text with the lines of each block replaced by what `fresh` makes of it.
    pub(super) fn with_blocks(
        &self,
        mut fresh: impl FnMut(&Block<'_>) -> Result<Option<Vec<String>>, String>,
    ) -> Result<String, String> {
        let (mut text, mut rest, mut above) = (String::new(), self.text.lines().zip(1..), "");
        while let Some((line, number)) = rest.next() {
            push(&mut text, line);
            if let Some(tag) = line.strip_prefix("```") {
                let inside = rest.by_ref().map(|(line, _)| line).take_while(|line| *line != "```");
                let block = Block { above, tag, lines: inside.collect(), line: number };
                match fresh(&block)? {
                    Some(lines) => lines.iter().for_each(|line| push(&mut text, line)),
                    None => block.lines.iter().for_each(|line| push(&mut text, line)),
                }
                push(&mut text, "```");
            }
            above = line;
        }
        Ok(text)
    }
}

fn push(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

/// The pages of the guide, and the front page of the repository.
pub(super) fn pages() -> Vec<Page> {
    let mut names = vec!["README.md".to_string()];
    for entry in fs::read_dir(root().join("docs/src")).expect("a folder of pages") {
        let name = entry.expect("a page").file_name();
        names.push(format!("docs/src/{}", name.to_str().expect("names are UTF-8")));
    }
    names.sort();
    names.retain(|name| name.ends_with(".md"));
    assert!(names.len() > 10, "the pages were found");
    names.iter().map(|name| Page::read(name)).collect()
}

#[test]
fn blocks_are_replaced_and_all_else_stays() {
    let page =
        Page { name: "a.md".into(), text: "x\n```rust\na\n```\ny\n```text\nb\n```\n".into() };
    let fresh =
        page.with_blocks(|block| Ok((block.tag == "rust").then(|| vec!["c".into(), "d".into()])));
    assert_eq!(fresh.as_deref(), Ok("x\n```rust\nc\nd\n```\ny\n```text\nb\n```\n"));
}

#[test]
fn a_section_ends_at_the_next_heading_of_its_depth() {
    let text = "# a\n## b\n```\n# x\n```\n### c\ntwo\n## d\nthree\n".to_string();
    let page = Page { name: "a.md".into(), text };
    assert_eq!(page.section("## b"), "```\n# x\n```\n### c\ntwo\n");
    assert_eq!(page.section("## d"), "three\n");
}
