//! Plans as seed files: the form of all seed files, with the lines of `step.rs` as workload.

use std::fmt::Write;

use serde_json::Value;

use super::trial::Numbered;

/// What these files have in place of a scenario.
pub(super) const SCENARIO: &str = "mvcc/etcd";
/// The promise that a difference breaks.
pub(super) const PROMISE: &str = "a server answers like the reference model";

/// A plan with the seed that it was drawn from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SeedFile {
    /// The lines at the top, for people.
    pub(super) comment: Vec<String>,
    /// The seed.
    pub(super) seed: u64,
    /// The steps.
    pub(super) plan: Vec<Numbered>,
}

impl SeedFile {
    /// The text of the file.
    pub(super) fn print(&self) -> String {
        let mut out = String::new();
        for line in &self.comment {
            // No control characters in comments, by the rules of TOML.
            let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            let _ = writeln!(out, "# {line}");
        }
        let _ = write!(
            out,
            "format   = 1\nscenario = \"{SCENARIO}\"\nseed     = {}\nbreaks   = \"{PROMISE}\"\nworkload = [\n",
            self.seed
        );
        for (number, step) in &self.plan {
            let _ = writeln!(out, "  {},", Value::String(format!("c0#{number}: {step}")));
        }
        out.push_str("]\n");
        out
    }

    /// Reads the text of a file; `name` is what messages call it.
    pub(super) fn parse(text: &str, name: &str) -> Result<SeedFile, String> {
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            let before = error.span().map_or(text, |span| &text[..span.start.min(text.len())]);
            let line = before.matches('\n').count() + 1;
            format!("{name}:{line}: expected TOML: {}", error.message())
        })?;
        let wrong = |what: &str| format!("{name}: expected {what}");
        if table.get("format").and_then(toml::Value::as_integer) != Some(1) {
            return Err(wrong("`format = 1`"));
        }
        if table.get("scenario").and_then(toml::Value::as_str) != Some(SCENARIO) {
            return Err(wrong(&format!("`scenario = \"{SCENARIO}\"`; others go to `replay`")));
        }
        let known = ["format", "scenario", "seed", "breaks", "workload"];
        if let Some(key) = table.keys().find(|key| !known.contains(&key.as_str())) {
            let place = place_of(text, name, |line| line.trim_start().starts_with(key));
            return Err(format!("{place}: expected {}, found `{key}`", known.join(" ")));
        }
        let seed = table.get("seed").map_or(Some(0), |seed| u64::try_from(seed.as_integer()?).ok());
        let seed = seed.ok_or_else(|| wrong("`seed` to be a seed"))?;
        let lines = table.get("workload").and_then(toml::Value::as_array);
        let lines = lines.ok_or_else(|| wrong("`workload`: a list of steps"))?;
        let plan = lines.iter().map(|line| {
            let line = line.as_str().ok_or_else(|| wrong("`workload` to be a list of texts"))?;
            step(line).map_err(|message| format!("{}: {message}", place(text, name, line)))
        });
        Ok(SeedFile { comment: Vec::new(), seed, plan: plan.collect::<Result<_, _>>()? })
    }
}

/// File and line of a step, as far as it stands there as it reads.
fn place(text: &str, name: &str, step: &str) -> String {
    let written = Value::String(step.to_owned()).to_string();
    place_of(text, name, |line| line.contains(&written))
}

fn place_of(text: &str, name: &str, stands: impl Fn(&str) -> bool) -> String {
    match text.lines().position(stands) {
        Some(line) => format!("{name}:{}", line + 1),
        None => name.to_owned(),
    }
}

fn step(line: &str) -> Result<Numbered, String> {
    let parts = line.strip_prefix("c0#").and_then(|rest| rest.split_once(": "));
    let numbered = parts.and_then(|(number, step)| Some((number.parse().ok()?, step)));
    let (number, step) = numbered
        .ok_or_else(|| format!("expected a step such as `c0#1: put a 1`, found `{line}`"))?;
    Ok((number, step.parse()?))
}

#[cfg(test)]
mod tests {
    use super::super::plan::plan;
    use super::*;

    #[test]
    fn a_plan_reads_back_from_its_file() {
        for seed in 0..20 {
            let comment = vec!["wrong answer:\u{7} found \"x\"".to_owned(), "on 3.4.23".to_owned()];
            let file = SeedFile { comment, seed, plan: plan(seed, 40, 2) };
            let read = SeedFile::parse(&file.print(), "f").expect("it was just printed");
            assert_eq!((read.seed, read.plan), (file.seed, file.plan));
        }
    }

    #[test]
    fn a_file_that_is_none_says_where_and_what_was_expected() {
        let head = "format = 1\nscenario = \"mvcc/etcd\"\n";
        for (text, words) in [
            ("format = ", "f:1: expected TOML"),
            ("format = 2", "`format = 1`"),
            ("format = 1\nscenario = \"mvcc/single\"", "`replay`"),
            ("format = 1\nscenario = \"mvcc/single\"\nbug = \"a\"", "`replay`"),
            (&format!("# faults\n{head}faults = []"), "f:4: expected format scenario"),
            (head, "`workload`"),
            (&format!("{head}seed = -1"), "`seed`"),
            (&format!("{head}workload = [1]"), "texts"),
            (&format!("{head}workload = [\"put a 1\"]"), "f:3: expected a step such as"),
            (&format!("{head}workload = [\n\"c0#1: put a\"]"), "f:4: column 6"),
        ] {
            let error = SeedFile::parse(text, "f").expect_err(text);
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
