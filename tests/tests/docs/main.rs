//! The pages of the guide, beside the real thing: code is quoted from files that compile, commands are run and their
//! output compared, tables are made from the types that they describe.
//!
//! `SEEDBED_DOCS=update cargo test -p seedbed-tests --test docs` rewrites what has changed.

mod before;
mod command_line;
mod console;
mod generated;
mod golden;
mod measured;
mod names;
mod page;
mod quotes;
mod verbs;
mod words;

#[path = "../../../models/examples/tutorial/checks.rs"]
mod checks;
#[cfg(madsim)]
#[path = "../../../models/examples/async/counter.rs"]
mod counter;
#[path = "../../../models/examples/tutorial/echo.rs"]
mod echo;
#[path = "../../../models/examples/tutorial/register.rs"]
mod register;
#[cfg(madsim)]
#[path = "../../../models/examples/async/trial.rs"]
mod trial;

use page::{Page, pages};
use seedbed_sim::campaign::Registry;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The root of the workspace.
fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the crate lies in the workspace").to_path_buf()
}

/// What the program of the tutorial knows.
fn tutorial() -> Registry {
    Registry::new().with(echo::scenario()).with(checks::scenario())
}

/// What the program of the async example knows.
#[cfg(madsim)]
fn hosted() -> Registry {
    Registry::new().with(seedbed_sim::campaign::OnMadsim(trial::scenario()))
}

/// One rule rewrites pages at a time.
static PEN: Mutex<()> = Mutex::new(());

/// Compares every page with what a rule makes of it; or rewrites it, if the environment asks for that.
fn hold(rule: impl Fn(&Page) -> Result<String, String>) {
    let _pen = PEN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut wrong = Vec::new();
    for page in pages() {
        match rule(&page) {
            Ok(fresh) if fresh == page.text => {}
            Ok(fresh) if updates() => page.write(&fresh),
            Ok(fresh) => wrong.push(first_difference(&page, &fresh)),
            Err(why) => wrong.push(format!("{}: {why}", page.name)),
        }
    }
    let hint =
        "to rewrite what has changed: SEEDBED_DOCS=update cargo test -p seedbed-tests --test docs";
    assert!(wrong.is_empty(), "{}\n{hint}", wrong.join("\n"));
}

#[expect(
    clippy::disallowed_methods,
    reason = "whether pages are rewritten is asked before any run"
)]
fn updates() -> bool {
    std::env::var("SEEDBED_DOCS").is_ok_and(|value| value == "update")
}

fn first_difference(page: &Page, fresh: &str) -> String {
    let pairs = page.text.lines().zip(fresh.lines()).zip(1..);
    let differs = pairs.into_iter().find(|((old, new), _)| old != new);
    match differs {
        Some(((old, new), line)) => format!("{}:{line}:\n- {old}\n+ {new}", page.name),
        None => format!("{}: its end differs", page.name),
    }
}

#[test]
fn code_on_the_pages_is_the_code_of_the_files_it_is_taken_from() {
    hold(quotes::refreshed);
}

#[test]
fn commands_on_the_pages_print_what_the_pages_show() {
    let place = console::Place::new();
    hold(|page| console::refreshed(page, &place));
}

#[test]
fn tables_on_the_pages_are_those_of_the_types() {
    hold(generated::refreshed);
}

#[test]
fn every_page_is_in_the_summary_and_every_entry_is_a_page() {
    let summary = Page::read("docs/src/SUMMARY.md");
    let listed: Vec<&str> =
        summary.text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    for page in pages().iter().filter(|page| page.name.starts_with("docs/src/")) {
        let file = page.name.trim_start_matches("docs/src/");
        assert!(file == "SUMMARY.md" || listed.contains(&file), "{file} is in the summary");
    }
    for file in listed {
        assert!(root().join("docs/src").join(file).exists(), "{file} is a page");
    }
}
