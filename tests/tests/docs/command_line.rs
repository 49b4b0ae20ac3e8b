//! The page of the command line: every flag of every verb, and the shapes of the JSON documents.

use super::page::Page;
use super::register::Register;
use super::{checks, tutorial};
use seedbed_sim::campaign::Registry;
use seedbed_sim::campaign::transcript::Verbs;
use seedbed_sim::check::{Always, Checked, Scenario};
use seedbed_sim::cli::{self, Status};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

pub(super) const VERBS: [&str; 9] =
    ["list", "sweep", "replay", "shrink", "bugs", "determinism", "transcript", "history", "bench"];

fn run(args: &[&str]) -> (Status, String, String) {
    let registry = tutorial().with_verbs("echo", || Box::new(Echo));
    run_with(&registry, args)
}

fn run_with(registry: &Registry, args: &[&str]) -> (Status, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let all = std::iter::once("seedbed").chain(args.iter().copied());
    let status = cli::run_with(registry, all, &mut out, &mut err);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (status, text(out), text(err))
}

struct Echo;

impl Verbs for Echo {
    fn run(&mut self, command: &str) -> Result<String, String> {
        Ok(command.into())
    }
}

/// The words of a text that begin with two dashes.
fn flags(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !(c.is_ascii_lowercase() || c == '-'));
    words.filter(|word| word.starts_with("--") && !word.ends_with('-')).collect()
}

/// The verbs that the help lists.
fn verbs_of_the_help() -> Vec<String> {
    let help = run(&["--help"]).1;
    let (_, rest) = help.split_once("Commands:\n").expect("the help lists the verbs");
    let lines = rest.lines().take_while(|line| !line.is_empty());
    let lines = lines.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    lines.filter(|verb| !["", "help"].contains(verb)).map(String::from).collect()
}

#[test]
fn the_verbs_are_those_of_the_help() {
    assert_eq!(verbs_of_the_help(), VERBS);
}

#[test]
fn the_page_of_the_command_line_has_every_flag_of_every_verb_and_no_other() {
    let page = Page::read("docs/src/command-line.md");
    for verb in VERBS {
        let help = run(&[verb, "--help"]).1;
        let mut known = flags(&help);
        known.retain(|flag| !["--help", "--json"].contains(flag));
        let section = page.section(&format!("## `{verb}`"));
        let (table, _) = section.split_once("\n```").unwrap_or((section, ""));
        let mut named = flags(table);
        named.retain(|flag| *flag != "--json");
        assert_eq!(named, known, "the flags of {verb}");
    }
}

/// The verbs that only the program of the models has.
#[test]
fn the_verbs_of_the_models_have_sections_with_every_flag_too() {
    let page = Page::read("docs/src/command-line.md");
    let verbs = seedbed_models::registry::verbs();
    let said = |args: &[&str]| {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let all = std::iter::once("seedbed").chain(args.iter().copied());
        cli::run_with_verbs((&Registry::new(), &verbs), all, &mut out, &mut err);
        String::from_utf8(out).expect("text")
    };
    let help = said(&["--help"]);
    for verb in &verbs {
        let name = verb.name();
        assert!(help.contains(&format!("\n  {name} ")), "{name} is in the help:\n{help}");
        let help = said(&[name, "--help"]);
        let mut known = flags(&help);
        known.retain(|flag| !["--help", "--json"].contains(flag));
        let section = page.section(&format!("## `{name}`"));
        let (table, _) = section.split_once("\n```").expect("a document");
        assert_eq!(flags(table), known, "the flags of {name}");
    }
}

#[test]
fn every_verb_has_a_section_on_the_page_of_the_command_line() {
    let help = run(&["--help"]).1;
    let listed = help.split("Commands:\n").nth(1).expect("a list of verbs");
    let listed = listed.lines().take_while(|line| !line.is_empty());
    let listed: Vec<&str> = listed.filter_map(|line| line.split_whitespace().next()).collect();
    let listed: Vec<&str> = listed.into_iter().filter(|verb| *verb != "help").collect();
    assert_eq!(listed, VERBS);
}

/// The names of the fields of a document; below `open` the names are data.
fn fields(value: &Value, names: &mut BTreeSet<String>) {
    const OPEN: [&str; 2] = ["sometimes", "happened"];
    match value {
        Value::Object(fields_of) => {
            for (name, value) in fields_of {
                names.insert(name.clone());
                if !(OPEN.contains(&name.as_str()) && value.is_object()) {
                    fields(value, names);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| fields(item, names)),
        _ => {}
    }
}

fn fields_of(documents: &[String]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for document in documents {
        let value =
            serde_json::from_str(document).unwrap_or_else(|why| panic!("{why}: {document}"));
        fields(&value, &mut names);
    }
    names
}

/// The names in the shape that a section shows.
fn shown(section: &str) -> BTreeSet<String> {
    let shape =
        section.split("```json5\n").nth(1).unwrap_or_else(|| panic!("a shape in {section}"));
    let shape = shape.split("```").next().unwrap_or("");
    let code = shape.lines().map(|line| line.split("//").next().unwrap_or(""));
    let names = code.flat_map(|line| {
        line.split(|c: char| !(c.is_ascii_lowercase() || c == '_')).collect::<Vec<_>>()
    });
    names.filter(|name| !name.is_empty()).map(String::from).collect()
}

#[test]
fn the_shapes_of_the_documents_are_those_on_the_page() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("documents");
    fs::create_dir_all(&dir).expect("makes a folder");
    let file = |name: &str, text: &str| {
        let path = dir.join(name);
        fs::write(&path, text).expect("writes");
        path.display().to_string()
    };
    let (out, model) = (dir.join("findings").display().to_string(), "tutorial/register");
    let transcript = file("echo.txt", "# transcript echo\n\na\n----\na\n");
    let history = file("history.txt", HISTORY);
    let buggy = ["--bug", "last-stays", "--out", &out];
    let seed =
        file("seed.toml", include_str!("../../../models/examples/tutorial/seeds/last-stays.toml"));
    let document = |args: &[&str]| {
        let (_, document, err) = run(&[args, &["--json"]].concat());
        assert!(!document.is_empty(), "{args:?}: {err}");
        document
    };
    let shapes = [
        ("list", vec![document(&["list"])]),
        ("sweep", vec![document(&[&["sweep", "--seeds", "0..20"], &buggy[..]].concat())]),
        (
            "replay",
            vec![document(&["replay", model, "7"]), document(&["replay", "--update", &seed])],
        ),
        ("shrink", vec![document(&["shrink", &seed, "--out", &out])]),
        ("bugs", vec![document(&["bugs", "last-stays", "--windows", "1"]), alarm()]),
        ("determinism", vec![document(&["determinism", "--seeds", "0..3"])]),
        ("transcript", vec![document(&["transcript", &transcript])]),
        ("history", vec![document(&["history", &history])]),
        ("bench", vec![document(&["bench", "--time", "1ms", "--rounds", "1"])]),
    ];
    let page = Page::read("docs/src/command-line.md");
    for (verb, documents) in shapes {
        let section = page.section(&format!("## `{verb}`"));
        let (mut shown, known) = (shown(section), fields_of(&documents));
        // What only comes with a difference between two runs cannot be made here.
        if verb == "determinism" {
            shown.retain(|name| {
                !["seed", "manner", "step", "left", "right"].contains(&name.as_str())
            });
        }
        assert_eq!(shown, known, "the fields of {verb}");
    }
}

/// The document of a hunt of which the promise breaks with the bug off too.
fn alarm() -> String {
    const BROKEN: &[Always<Register>] = &[Always {
        name: checks::ONLY_NEWER,
        check: |_, _, _| Checked::Broken("always", String::new()),
    }];
    let registry = Registry::new().with(Scenario { always: BROKEN, ..checks::scenario() });
    let args = ["bugs", "last-stays", "--windows", "1", "--time", "20ms", "--json"];
    let (status, document, _) = run_with(&registry, &args);
    assert_eq!(status, Status::Finding);
    document
}

/// One write, in our own form.
const HISTORY: &str = "c0 invoke write a 1\nc0 ok write a 1\n";
