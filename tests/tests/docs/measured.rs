//! Figures that somebody measured: no test can repeat them, but none may be missing. They stand between
//! `<!-- measured: COMMAND -->` and `<!-- end -->`, as the command printed them.

use super::page::Page;
use seedbed_models::registry::registry;
use seedbed_sim::campaign::bench;

/// The lines that a command printed when the figures were measured.
fn measured<'p>(page: &'p Page, command: &str) -> Vec<&'p str> {
    let begin = format!("<!-- measured: {command} -->\n");
    let (_, rest) = page.text.split_once(&begin).expect("the page has the figures");
    let (block, _) = rest.split_once("<!-- end -->").expect("the block ends");
    block.lines().filter(|line| !line.is_empty() && !line.starts_with("```")).collect()
}

#[test]
fn the_figures_of_the_bench_are_those_of_every_workload_and_scenario() {
    let page = Page::read("docs/src/performance.md");
    let lines = measured(&page, "seedbed bench --time 2s");
    let rows: Vec<Vec<&str>> = lines.iter().map(|line| line.split_whitespace().collect()).collect();
    let (head, rows) = rows.split_first().expect("a table");
    assert!(rows.iter().all(|row| row.len() == 7), "{lines:?}");
    let numbers = rows.iter().flat_map(|row| &row[1..]);
    let is_number = |cell: &str| cell.bytes().all(|b| b.is_ascii_digit() || b",.-".contains(&b));
    numbers.for_each(|cell| assert!(is_number(cell), "{cell} is a figure"));
    let names: Vec<&str> = rows.iter().map(|row| row[0]).collect();
    let registry = registry();
    let scenarios = registry.runners().map(|runner| runner.name());
    assert_eq!((head[0], names), ("workload", bench::NAMES.into_iter().chain(scenarios).collect()));
}
