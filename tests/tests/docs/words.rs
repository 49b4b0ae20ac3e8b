//! The lines of seed files on the pages: each is read and printed again.

use super::checks;
use super::page::Page;
use seedbed_models::register;
use seedbed_sim::actor::{DiskKind, Names};
use seedbed_sim::campaign::seed_file;
use seedbed_sim::choose::{Decision, Ends, Key, Shape};
use seedbed_sim::fault::{FaultLine, Kind};
use seedbed_sim::id::FileName;
use seedbed_sim::nemesis::{Config, Wording, noise_sites};
use seedbed_sim::time::Span;
use seedbed_sim::world::ENGINE_SITES;

/// What things are called in examples: five nodes and two clients of the register.
pub(super) fn names() -> Names {
    let scenario = register::scenario::durable();
    let values = vec![("replicas", 5), ("clients", 2), ("keys", 1), ("sector", 64)];
    let topology = (scenario.topology)(&Config { values });
    scenario.names(&topology)
}

/// Does something with the words of noise lines.
pub(super) fn wording<R>(names: &Names, then: impl FnOnce(Wording<'_>) -> R) -> R {
    then(seed_file::wording(names))
}

/// A noise line of this kind.
pub(super) fn noise_example(kind: Kind) -> String {
    let row = noise_sites().iter().find(|row| row.kind == kind).expect("every noise has a site");
    let site = ENGINE_SITES.iter().find(|site| site.id == row.site).expect("a site of the engine");
    let names = names();
    let actor = |name: &str| names.actor_of(name).expect("an actor of the example").0;
    let wal = FileName::new("wal").word();
    let between = |from: &str, to: &str, kind: &str| {
        let ends = Ends { from: actor(from), to: actor(to), incarnation: 1 };
        Key::between(ends, names.kind_number(kind).expect("a kind of message"), 2, 1)
    };
    let key = match (site.shape, kind) {
        (Shape::Between, Kind::Schedule) => between("n0.front", "n0", "query"),
        (Shape::Between, _) => between("c0", "n0.front", "get"),
        (Shape::Disk, Kind::Rot) => Key::disk(0, 1, wal, DiskKind::Read as u16, 1),
        (Shape::Disk, _) => Key::disk(0, 1, wal, DiskKind::Append as u16, 3),
        (Shape::Sector | Shape::Change, _) => Key::sector(0, 1, wal, 0, 4),
        (Shape::Stream, Kind::Segment | Kind::Flip) => {
            Key::stream(actor("c0"), actor("n0.front"), 1, 0, 32)
        }
        (Shape::Stream, _) => Key::stream(actor("c0"), actor("n0.front"), 1, 0, 0),
        (Shape::Own, _) => Key::own(actor("c0"), 1, 0, 4),
    };
    let decision = Decision { site: site.id, key, outcome: row.first.into() };
    wording(&names, |wording| wording.print(&decision))
}

/// The cells of the rows of a table, without its head.
fn rows(section: &str) -> Vec<Vec<&str>> {
    let lines = section.lines().filter(|line| line.starts_with('|') && !line.starts_with("|---"));
    lines.skip(1).map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

#[test]
fn fault_lines_on_the_page_of_plans_print_and_parse_to_themselves() {
    let page = Page::read("docs/src/plans.md");
    let section = page.section("## Fault lines");
    let lines: Vec<&str> =
        section.lines().filter(|l| l.starts_with("at ") || l.starts_with("on ")).collect();
    assert!(lines.len() > 2, "the lines were found");
    for line in lines {
        let read = FaultLine::parse(line, &names()).unwrap_or_else(|why| panic!("{line}: {why}"));
        assert_eq!(read.print(&names()), line);
    }
}

#[test]
fn noise_lines_on_the_page_of_plans_print_and_parse_to_themselves() {
    let page = Page::read("docs/src/plans.md");
    let names = names();
    let rows = rows(page.section("## Noise lines"));
    let lines = rows.iter().filter_map(|row| row.last()).filter(|cell| cell.contains(": "));
    let lines: Vec<&str> = lines.map(|cell| cell.trim_matches('`')).collect();
    assert!(lines.len() > 4, "the lines were found");
    for line in lines {
        let read = wording(&names, |w| w.parse(line)).unwrap_or_else(|why| panic!("{line}: {why}"));
        assert_eq!(wording(&names, |w| w.print(&read)), line);
    }
}

/// A seed file of the tutorial with these lines at its end.
fn seed_file_with(lines: &str) -> String {
    format!("format = 1\nscenario = \"tutorial/register\"\nseed = 1\n{lines}")
}

#[test]
fn the_table_of_the_numbers_of_a_run_names_all_of_them_with_what_holds_by_default() {
    let page = Page::read("docs/src/plans.md");
    let rows = rows(page.section("## `[run]`"));
    let scenario = checks::scenario();
    let parse = |text: &str| seed_file::parse(&scenario, text, "the page");
    let known = parse(&seed_file_with("[run]\nnonsense = 1\n")).expect_err("refused").message;
    let known =
        known.trim_start_matches("expected [run] ").split(", found").next().expect("a list");
    let mut known: Vec<&str> = known.split(' ').collect();
    let mut named: Vec<&str> = rows.iter().map(|row| row[0].trim_matches('`')).collect();
    known.sort_unstable();
    named.sort_unstable();
    assert_eq!(named, known);
    for row in rows {
        let (name, default) = (row[0].trim_matches('`'), row[1].trim_matches('`'));
        if !default.starts_with(|c: char| c.is_ascii_digit()) {
            continue;
        }
        let value = if Span::parse(default).is_ok() {
            format!("\"{default}\"")
        } else {
            default.replace(',', "")
        };
        let text = seed_file_with(&format!("[run]\n{name} = {value}\n"));
        let (header, plan) = parse(&text).unwrap_or_else(|why| panic!("{name}: {why}"));
        let printed = seed_file::print(&scenario, &header, &plan);
        assert!(
            !printed.contains(name),
            "{default} is what holds by default for {name}:\n{printed}"
        );
    }
}

#[test]
fn the_keys_of_a_seed_file_are_all_explained() {
    let page = Page::read("docs/src/plans.md");
    let section = page.section("## Line by line");
    let refused = seed_file::header_of(&seed_file_with("nonsense = 1\n"), "the page");
    let known = refused.expect_err("refused").message;
    let known =
        known.trim_start_matches("expected ").split(", found").next().expect("a list").to_string();
    for key in known.split(' ') {
        let explained = [format!("| `{key}` |"), format!("| `[{key}]` |")];
        assert!(explained.iter().any(|cell| section.contains(cell)), "`{key}` is explained");
    }
}
