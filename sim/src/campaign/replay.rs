//! One run of one plan, beside what its seed file says about it.

use super::case::Case;
use super::signature::Signature;
use crate::engine::{Options, Report, Verdict};

/// One run of one plan, beside what its seed file says about it.
#[derive(Clone, Debug)]
pub struct Replay {
    /// The run.
    pub report: Report,
    /// The lines of the plan that found no use.
    pub unused: Vec<String>,
    /// What differs from the recorded run; empty if it is the same, or nothing was recorded.
    pub differs: Vec<String>,
    /// What the whole comes to.
    pub end: End,
}

/// What a replay comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Every promise was kept.
    Kept,
    /// A promise broke.
    Broke,
    /// A limit was reached.
    Undecided,
    /// It is not the recorded run, though the same promise broke.
    OtherRunBroke,
    /// It is not the recorded run, and the recorded promise did not break.
    OtherRun,
}

/// Runs a plan as it was recorded: with its own planted bug, and nothing taken away. A line that finds no use, or another
/// digest, makes it another run.
pub fn recorded(case: &mut dyn Case, options: Options) -> Replay {
    let report = case.run(options);
    let unused = case.unused(&report.unused);
    let header = case.header();
    let mut differs = Vec::new();
    if !unused.is_empty() {
        differs.push(match unused.len() {
            1 => "1 line found no use".to_string(),
            n => format!("{n} lines found no use"),
        });
    }
    if let Some(digest) = header.digest.filter(|digest| *digest != report.digest) {
        differs.push(format!("the digest was {digest:016x} and is {:016x}", report.digest));
    }
    let broke = Signature::of_verdict(&report.verdict);
    if let Some(breaks) = &header.breaks {
        match broke {
            Some(other) if *breaks != other.check => {
                differs.push(format!("it was to break `{breaks}` and breaks `{}`", other.check));
            }
            // Of a real bug, which was fixed since, that is what is hoped for.
            None if header.bug.is_some() => {
                differs.push(format!("it was to break `{breaks}` and does not"));
            }
            _ => {}
        }
    }
    // A file that names no promise keeps to whatever breaks.
    let same_promise = broke.is_some_and(|signature| {
        header.breaks.as_ref().is_none_or(|breaks| breaks == signature.check)
    });
    let end = match (differs.is_empty(), same_promise) {
        (true, _) => end_of(&report.verdict),
        (false, true) => End::OtherRunBroke,
        (false, false) => End::OtherRun,
    };
    Replay { report, unused, differs, end }
}

/// Runs a plan in another setting than it was recorded in, or one that was never recorded: the verdict counts alone.
pub fn counterfactual(case: &mut dyn Case, options: Options) -> Replay {
    let report = case.run(options);
    let unused = case.unused(&report.unused);
    let end = end_of(&report.verdict);
    Replay { report, unused, differs: Vec::new(), end }
}

fn end_of(verdict: &Verdict) -> End {
    match verdict {
        Verdict::Pass => End::Kept,
        Verdict::Broken(_) => End::Broke,
        Verdict::Inconclusive(_) => End::Undecided,
    }
}

/// What became of a seed file that was to be brought up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Updated {
    /// It says what the run says already.
    Unchanged,
    /// Its digest was rewritten.
    Rewritten,
    /// The promise that it names does not break any more.
    NowPasses,
    /// Lines of it find no use.
    NoLongerLinesUp,
}

/// Brings the digest of a seed file's text up to date, if the same still comes of it with no line unused. The rest of the
/// text stays as people wrote it.
pub fn update(case: &mut dyn Case, text: &str) -> (Updated, String) {
    let replay = recorded(case, Options::default());
    let broke = Signature::of_verdict(&replay.report.verdict);
    let same = match (&case.header().breaks, broke) {
        (Some(breaks), Some(signature)) => breaks == signature.check,
        (None, None) => replay.report.verdict == Verdict::Pass,
        (Some(_), None) | (None, Some(_)) => false,
    };
    let kept = |what| (what, text.to_string());
    if !same {
        let passes = replay.report.verdict == Verdict::Pass;
        return kept(if passes { Updated::NowPasses } else { Updated::NoLongerLinesUp });
    }
    if !replay.unused.is_empty() {
        return kept(Updated::NoLongerLinesUp);
    }
    if replay.differs.is_empty() && case.header().digest.is_some() {
        return kept(Updated::Unchanged);
    }
    (Updated::Rewritten, with_digest(text, replay.report.digest))
}

/// The text with another digest line; a text without one gets it before the first line that is no plain key of the head.
fn with_digest(text: &str, digest: u64) -> String {
    // Line ends stay what they are.
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let line = format!("digest   = \"{digest:016x}\"");
    let key = |line: &str| line.split('=').next().unwrap_or("").trim().to_string();
    let mut lines: Vec<String> = text.lines().map(String::from).collect();
    let head = lines.iter().position(|line| line.starts_with('[')).unwrap_or(lines.len());
    if let Some(old) = lines[..head].iter_mut().find(|line| key(line) == "digest") {
        let comment = old.split_once('#').map(|(_, comment)| format!(" #{comment}"));
        *old = format!("{line}{}", comment.unwrap_or_default());
    } else {
        const HEAD: [&str; 5] = ["format", "scenario", "seed", "bug", "breaks"];
        let last = lines[..head].iter().rposition(|line| HEAD.contains(&key(line).as_str()));
        lines.insert(last.map_or(0, |last| last + 1), line);
    }
    lines.join(end) + end
}

#[cfg(test)]
mod tests {
    use super::with_digest;

    #[test]
    fn only_the_digest_line_is_rewritten() {
        let text = "# why\nseed = 7\ndigest = \"00\" # old\nworkload = [] # kept\n";
        let updated = with_digest(text, 255);
        assert_eq!(
            updated,
            "# why\nseed = 7\ndigest   = \"00000000000000ff\" # old\nworkload = [] # kept\n"
        );
    }

    #[test]
    fn line_ends_stay() {
        let updated = with_digest("seed = 7\r\ndigest = \"00\"\r\n", 255);
        assert_eq!(updated, "seed = 7\r\ndigest   = \"00000000000000ff\"\r\n");
    }

    #[test]
    fn a_missing_digest_line_comes_after_the_head() {
        let updated = with_digest("format = 1\nseed = 7\nworkload = []\n[run]\nseed = 3\n", 1);
        assert!(updated.contains("seed = 7\ndigest"), "{updated}");
    }
}
