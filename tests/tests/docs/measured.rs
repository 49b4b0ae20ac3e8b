//! Figures that somebody measured: no test can repeat them, but none may be missing. They stand between
//! `<!-- measured: COMMAND -->` and `<!-- end -->`, as the command printed them.

use super::page::Page;
use seedbed_models::registry::registry;
use seedbed_sim::campaign::bench;
use std::collections::BTreeSet;

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

/// What the native engine has to be, in times of madsim.
const AT_LEAST: [(&str, f64); 3] = [("fan", 20.0), ("short", 20.0), ("replicated-kv", 8.0)];

#[test]
fn the_figures_beside_madsim_are_those_of_every_workload_and_scenario_and_keep_the_budget() {
    let page = Page::read("docs/src/performance.md");
    let lines = measured(&page, "cargo bench -p seedbed-tests --bench versus");
    let (heads, rows): (Vec<&str>, Vec<&str>) =
        lines.into_iter().partition(|line| line.ends_with("ratio"));
    assert_eq!(heads.len(), 2, "workloads and scenarios");
    let rows: Vec<Vec<&str>> = rows.iter().map(|row| row.split_whitespace().collect()).collect();
    let names: Vec<&str> = rows.iter().map(|row| row[0]).collect();
    let registry = registry();
    let scenarios = registry.runners().map(|runner| runner.name());
    let expected = bench::NAMES.into_iter().chain(["fan-of-values"]).chain(scenarios);
    assert_eq!(names, expected.collect::<Vec<_>>());
    for row in &rows {
        assert_eq!(row.len(), 5, "{row:?}");
        let ratio: f64 = row[4].parse().expect("a ratio");
        let budget = AT_LEAST.iter().find(|(name, _)| *name == row[0]);
        assert!(ratio >= budget.map_or(1.0, |(_, least)| *least), "{row:?}");
    }
}

#[test]
fn the_figures_of_the_store_alone_are_those_of_every_bench_of_it() {
    let page = Page::read("docs/src/performance.md");
    let lines = measured(&page, "cargo bench -p seedbed-tests --bench mvcc");
    let rows: Vec<Vec<&str>> =
        lines[2..].iter().map(|line| line.split('|').map(str::trim).collect()).collect();
    let bench = include_str!("../../benches/mvcc.rs");
    let parts = bench.split("bench_function(\"").skip(1);
    let names: BTreeSet<&str> = parts.filter_map(|part| part.split('"').next()).collect();
    let shown: BTreeSet<&str> = rows.iter().map(|row| row[1].trim_matches('`')).collect();
    assert_eq!((shown, rows.len()), (names, 4));
    for row in rows {
        let digits: String = row[4].chars().filter(char::is_ascii_digit).collect();
        assert!(digits.parse::<u64>().is_ok_and(|rate| rate > 0), "{row:?}");
    }
}

#[test]
fn the_figures_of_streams_are_those_of_every_number_of_connections() {
    let page = Page::read("docs/src/performance.md");
    let lines = measured(&page, "cargo bench -p seedbed-tests --bench stream");
    let bench = include_str!("../../benches/stream.rs");
    let (_, rest) = bench.split_once("const CONNECTIONS: [u32; 5] = [").expect("the numbers");
    let (numbers, _) = rest.split_once(']').expect("the end of them");
    let rows: Vec<Vec<&str>> =
        lines[2..].iter().map(|line| line.split('|').map(str::trim).collect()).collect();
    let shown: Vec<&str> = rows.iter().map(|row| row[1]).collect();
    assert_eq!(shown, numbers.split(", ").collect::<Vec<_>>());
    for row in rows {
        let digits: String = row[2].chars().filter(char::is_ascii_digit).collect();
        assert!(digits.parse::<u64>().is_ok_and(|rate| rate > 0), "{row:?}");
    }
}
