//! A verb that a program brings along.

use super::super::clap::{Arg, ArgMatches, Command};
use super::super::{Console, ExtraVerb, Status, run_with_verbs};
use super::{Folder, Said};
use crate::campaign::Registry;
use crate::campaign::fixture::scenario;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

/// Says its word, and does not like one of them.
fn greet(
    asked: &ArgMatches,
    console: &mut Console<'_>,
    stop: &AtomicBool,
) -> Result<Status, String> {
    assert!(!stop.load(Ordering::Relaxed), "nobody has interrupted it");
    match asked.get_one::<String>("word").map(String::as_str) {
        Some("no") => Err("expected a kind word, found `no`".into()),
        word => {
            console.say(format_args!("hello {}", word.unwrap_or("you")));
            console.document(&serde_json::json!({"word": word}));
            Ok(Status::Finding)
        }
    }
}

fn seedbed(args: &[&str]) -> Said {
    let command = Command::new("greet").about("Says hello").arg(Arg::new("word").long("word"));
    let verbs = [ExtraVerb { command, scenarios: &["desk/greeting"], run: greet }];
    let registry = Registry::new().with(scenario());
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let all = std::iter::once("seedbed").chain(args.iter().copied());
    let status = run_with_verbs((&registry, &verbs), all, &mut out, &mut err);
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Said { status, out: text(out), err: text(err) }
}

#[test]
fn it_stands_in_the_help_and_its_status_is_that_of_the_program() {
    assert!(seedbed(&["--help"]).out.contains("Says hello"));
    assert!(seedbed(&["greet", "--help"]).out.contains("--word"));
    let said = seedbed(&["greet", "--word", "moon"]);
    assert_eq!((said.status, said.out.as_str()), (Status::Finding, "hello moon\n"));
    let said = seedbed(&["greet", "--json"]);
    assert_eq!((said.json()["word"].is_null(), said.err.as_str()), (true, "hello you\n"));
    let said = seedbed(&["greet", "--word", "no"]);
    assert_eq!((said.status, said.out.as_str()), (Status::Usage, ""));
    assert_eq!(said.err, "expected a kind word, found `no`\n");
    assert_eq!(seedbed(&["greet", "--loud"]).status, Status::Usage);
    assert_eq!(seedbed(&["list"]).status, Status::Clean);
}

#[test]
fn a_seed_file_that_only_it_can_run_names_it() {
    let folder = Folder::new("extra");
    let file = folder.path("greeting.toml");
    fs::write(&file, "format = 1\nscenario = \"desk/greeting\"\nseed = 1\n").expect("writes");
    for verb in ["replay", "shrink"] {
        let said = seedbed(&[verb, &file]);
        assert_eq!((said.status, said.out.as_str()), (Status::Usage, ""));
        assert!(said.err.contains(&format!("`seedbed greet {file}`")), "{}", said.err);
    }
}
