//! Code and files on a page: `<!-- from PATH -->` or `<!-- from PATH#REGION -->` above a block says where it is taken from.

use super::page::{Block, Page};
use super::root;
use std::fs;

/// The page with every quoted block as its file is now.
pub(super) fn refreshed(page: &Page) -> Result<String, String> {
    page.with_blocks(|block| match source_of(block) {
        Some(source) => quoted(source).map(Some),
        // Code that comes from nowhere is compiled by nobody.
        None if block.tag == "rust" => Err(format!(
            "line {}: expected `<!-- from PATH#REGION -->` above a block of Rust",
            block.line
        )),
        None => Ok(None),
    })
}

fn source_of<'p>(block: &Block<'p>) -> Option<&'p str> {
    block.above.strip_prefix("<!-- from ")?.strip_suffix(" -->")
}

fn quoted(source: &str) -> Result<Vec<String>, String> {
    let (path, region) = source.split_once('#').map_or((source, None), |(p, r)| (p, Some(r)));
    let text = fs::read_to_string(root().join(path)).map_err(|error| format!("{path}: {error}"))?;
    match region {
        None => Ok(text.lines().map(String::from).collect()),
        Some(region) => {
            region_of(&text, region).ok_or_else(|| format!("{path}: has no region `{region}`"))
        }
    }
}

/// The lines between `// ANCHOR: name` and `// ANCHOR_END: name`, as far to the left as they go; marks of other regions
/// within are left out.
fn region_of(text: &str, region: &str) -> Option<Vec<String>> {
    let mut lines = text.lines();
    let begin = format!("// ANCHOR: {region}");
    let end = format!("// ANCHOR_END: {region}");
    lines.find(|line| line.trim() == begin)?;
    let mut inside = Vec::new();
    for line in lines {
        if line.trim() == end {
            let indent = |line: &&str| line.len() - line.trim_start().len();
            let margin = inside.iter().filter(|line: &&&str| !line.is_empty()).map(indent).min();
            let cut = |line: &&str| line.get(margin.unwrap_or(0)..).unwrap_or("").to_string();
            return Some(inside.iter().map(cut).collect());
        }
        if !line.trim_start().starts_with("// ANCHOR") {
            inside.push(line);
        }
    }
    None
}

#[test]
fn a_region_is_cut_out_and_moved_to_the_left() {
    let text =
        "x\n  // ANCHOR: a\n  fn f() {\n\n    // ANCHOR: b\n    1\n  }\n  // ANCHOR_END: a\n";
    let lines = ["fn f() {", "", "  1", "}"].map(String::from).to_vec();
    assert_eq!(region_of(text, "a"), Some(lines));
    assert_eq!(region_of(text, "b"), None);
    assert_eq!(region_of(text, "c"), None);
}
