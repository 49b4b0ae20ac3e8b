//! Transcripts: golden text of commands and what they answer.
//!
//! ```text
//! # transcript register
//!
//! put a 1
//! get a
//! ----
//! ok
//! 1
//! ```
//!
//! The first line names the verbs of a model. Commands come line by line up to `----`; below it stands what they answered,
//! up to an empty line. An empty line within an answer is shown as `.`, and a refusal as `error: ...`. There are no
//! variables, loops or conditions. Lines that start with `#` between commands are comments.

use super::seed_file::InputError;

/// The commands of a model. An instance lives as long as one transcript.
pub trait Verbs {
    /// Runs one command.
    ///
    /// # Errors
    /// Says what was expected. That is an answer like any other: transcripts show refusals too.
    fn run(&mut self, command: &str) -> Result<String, String>;
}

/// Makes fresh verbs for a transcript.
pub type MakeVerbs = fn() -> Box<dyn Verbs>;

/// A transcript that was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Played {
    /// The text with what was really answered.
    pub text: String,
    /// The blocks that were answered differently.
    pub mismatches: Vec<Mismatch>,
    /// How many commands were run.
    pub commands: usize,
}

/// A block that was answered differently than expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The line of its first command, from 1.
    pub line: usize,
    /// Its commands.
    pub commands: Vec<String>,
    /// What was expected.
    pub expected: Vec<String>,
    /// What was answered.
    pub answered: Vec<String>,
}

impl Mismatch {
    /// The lines of both, marked: ` ` in both, `-` only expected, `+` only answered.
    #[must_use]
    pub fn diff(&self) -> Vec<String> {
        diff(&self.expected, &self.answered)
    }
}

/// The name of the verbs that a transcript asks for.
///
/// # Errors
/// If the first line does not name them.
pub fn verbs_of<'t>(text: &'t str, file: &str) -> Result<&'t str, InputError> {
    let first = text.lines().next().unwrap_or("");
    let name = first.strip_prefix("# transcript ").map(str::trim).filter(|name| !name.is_empty());
    name.ok_or_else(|| InputError {
        file: file.into(),
        line: 1,
        message: format!("expected `# transcript NAME`, found `{first}`"),
    })
}

/// Runs a transcript.
///
/// # Errors
/// If a line departs from the form: which, and what was expected.
pub fn play(verbs: &mut dyn Verbs, text: &str, file: &str) -> Result<Played, InputError> {
    verbs_of(text, file)?;
    let lines: Vec<&str> = text.lines().collect();
    let mut played = Played { text: String::new(), mismatches: Vec::new(), commands: 0 };
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at];
        if line.is_empty() || line.starts_with('#') {
            played.line(line);
            at += 1;
            continue;
        }
        at = play_block(verbs, &lines, at, &mut played).map_err(|(line, message)| InputError {
            file: file.into(),
            line,
            message,
        })?;
    }
    Ok(played)
}

/// Runs the block whose first command stands at `from`; answers where the next one may begin.
fn play_block(
    verbs: &mut dyn Verbs,
    lines: &[&str],
    from: usize,
    played: &mut Played,
) -> Result<usize, (usize, String)> {
    let rule = lines[from..].iter().position(|line| *line == RULE);
    let rule = from
        + rule.ok_or_else(|| {
            (lines.len(), format!("expected `{RULE}` below the command of line {}", from + 1))
        })?;
    let commands = &lines[from..rule];
    if let Some(empty) = commands.iter().position(|line| line.is_empty()) {
        let message = format!("expected `{RULE}` or another command, found an empty line");
        return Err((from + empty + 1, message));
    }
    let end = lines[rule + 1..].iter().position(|line| line.is_empty());
    let end = end.map_or(lines.len(), |n| rule + 1 + n);
    let mut answered: Vec<String> = Vec::new();
    for command in commands.iter().filter(|command| !command.starts_with('#')) {
        played.commands += 1;
        let answer = verbs.run(command).unwrap_or_else(|refusal| format!("error: {refusal}"));
        let shown = |line: &str| match line.trim_end() {
            "" => ".".to_string(),
            line => line.to_string(),
        };
        answered.extend(answer.trim_end().lines().map(shown));
    }
    commands.iter().for_each(|command| played.line(command));
    played.line(RULE);
    answered.iter().for_each(|line| played.line(line));
    let expected: Vec<String> = lines[rule + 1..end].iter().map(ToString::to_string).collect();
    if expected != answered {
        let commands = commands.iter().map(ToString::to_string).collect();
        played.mismatches.push(Mismatch { line: from + 1, commands, expected, answered });
    }
    Ok(end)
}

const RULE: &str = "----";
/// Beyond this many pairs of lines, two texts are shown one after the other.
const DIFF_MAX: usize = 4_000_000;

impl Played {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }
}

/// The lines of both texts in order, marked with where they come from: the longest common part stays unmarked.
fn diff(old: &[String], new: &[String]) -> Vec<String> {
    if old.len().saturating_mul(new.len()) > DIFF_MAX {
        let gone = old.iter().map(|line| format!("- {line}"));
        return gone.chain(new.iter().map(|line| format!("+ {line}"))).collect();
    }
    // common[i][k]: the most lines that old[i..] and new[k..] have in common, in order.
    let mut common = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for k in (0..new.len()).rev() {
            common[i][k] = if old[i] == new[k] {
                common[i + 1][k + 1] + 1
            } else {
                common[i + 1][k].max(common[i][k + 1])
            };
        }
    }
    let (mut i, mut k, mut lines) = (0, 0, Vec::new());
    while i < old.len() || k < new.len() {
        if i < old.len() && k < new.len() && old[i] == new[k] {
            lines.push(format!("  {}", old[i]));
            (i, k) = (i + 1, k + 1);
        } else if k == new.len() || (i < old.len() && common[i + 1][k] >= common[i][k + 1]) {
            lines.push(format!("- {}", old[i]));
            i += 1;
        } else {
            lines.push(format!("+ {}", new[k]));
            k += 1;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::test_runner::{Config, RngSeed};

    struct Counter(u32);

    impl Verbs for Counter {
        fn run(&mut self, command: &str) -> Result<String, String> {
            match command {
                "up" => {
                    self.0 += 1;
                    Ok(String::new())
                }
                "show" => Ok(format!("it is\n\n{}\n", self.0)),
                other => Err(format!("expected up or show, found `{other}`")),
            }
        }
    }

    const GOOD: &str = "# transcript counter\n\n# twice\nup\nup\nshow\n----\nit is\n.\n2\n\nx\n----\nerror: expected up or show, found `x`\n";

    #[test]
    fn a_transcript_that_is_answered_as_written_stays_as_it_is() {
        let played = play(&mut Counter(0), GOOD, "t").expect("plays");
        assert_eq!((played.text.as_str(), played.commands), (GOOD, 4));
        assert_eq!(played.mismatches, []);
        assert_eq!(verbs_of(GOOD, "t"), Ok("counter"));
    }

    #[test]
    fn another_answer_is_shown_line_by_line_and_written_into_the_text() {
        let played = play(&mut Counter(1), GOOD, "t").expect("plays");
        let [mismatch] = &played.mismatches[..] else { panic!("one block differs") };
        assert_eq!(mismatch.line, 4);
        assert_eq!(mismatch.diff(), ["  it is", "  .", "- 2", "+ 3"]);
        let again = play(&mut Counter(1), &played.text, "t").expect("plays");
        assert_eq!(again.mismatches, []);
    }

    #[test]
    fn a_text_that_departs_from_the_form_is_refused_with_its_line() {
        let refused = |text: &str| play(&mut Counter(0), text, "t").expect_err(text);
        assert_eq!(refused("").line, 1);
        assert_eq!(refused("# transcript \n").line, 1);
        assert_eq!(refused("# transcript counter\nup\n").line, 2);
        assert_eq!(refused("# transcript counter\nup\n\nshow\n----\n").line, 3);
    }

    /// Lines that mean something to a transcript, in any order.
    fn text() -> impl Strategy<Value = String> {
        let lines =
            ["# transcript counter", "# x", "up", "show", "shut", "----", "----", "", ".", " "];
        vec(prop::sample::select(lines.to_vec()), 0..12)
            .prop_map(|lines| format!("# transcript counter\n{}", lines.join("\n")))
    }

    proptest! {
        #![proptest_config(Config {
            cases: 2000, failure_persistence: None, rng_seed: RngSeed::Fixed(4151), ..Config::default()
        })]

        #[test]
        fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..80), named: bool) {
            let text = String::from_utf8_lossy(&bytes);
            let named = if named { "# transcript counter\n" } else { "" };
            let _ = play(&mut Counter(0), &format!("{named}{text}"), "t");
        }

        #[test]
        fn what_was_answered_once_is_answered_again(text in text()) {
            if let Ok(played) = play(&mut Counter(0), &text, "t") {
                let again = play(&mut Counter(0), &played.text, "t").expect("plays");
                prop_assert_eq!(&again.text, &played.text);
                prop_assert_eq!((again.commands, again.mismatches), (played.commands, vec![]));
            }
        }
    }
}
