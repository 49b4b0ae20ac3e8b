//! What makes two findings one: the promise that broke and the class that its check gave.

use crate::engine::Verdict;
use crate::world::Violation;
use std::fmt;

/// The promise that broke and the class that its check gave. Findings with equal signatures are one finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signature {
    /// The name of the check.
    pub check: &'static str,
    /// The class, a constant of the check.
    pub class: &'static str,
}

impl Signature {
    /// The signature of a violation.
    #[must_use]
    pub fn of(violation: &Violation) -> Signature {
        Signature { check: violation.check, class: violation.class }
    }

    /// The signature of a verdict, if a promise broke.
    #[must_use]
    pub fn of_verdict(verdict: &Verdict) -> Option<Signature> {
        match verdict {
            Verdict::Broken(violation) => Some(Signature::of(violation)),
            Verdict::Pass | Verdict::Inconclusive(_) => None,
        }
    }

    /// A file name without ending: lower-case words joined by dashes. Signatures that differ only in what is left out
    /// are told apart by a number made from the whole.
    #[must_use]
    pub fn slug(&self) -> String {
        let whole = format!("{} {}", self.check, self.class);
        let mut slug = String::new();
        for word in whole.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()) {
            if !slug.is_empty() {
                slug.push('-');
            }
            slug.push_str(&word.to_ascii_lowercase());
        }
        let kept: String = slug.chars().take(SLUG_MAX).collect();
        if kept == whole.replace(' ', "-") {
            return kept;
        }
        let folded = whole.bytes().fold(0, |sum, byte| crate::choose::fold(sum, u64::from(byte)));
        format!("{kept}-{:04x}", folded & 0xffff)
    }
}

const SLUG_MAX: usize = 100;

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.check, self.class)
    }
}

/// The model of a scenario: what stands before the slash of its name.
#[must_use]
pub fn model_of(scenario: &str) -> &str {
    scenario.split_once('/').map_or(scenario, |(model, _)| model)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_a_file_name_and_tells_signatures_apart() {
        let of = |check, class| Signature { check, class }.slug();
        assert_eq!(of("time goes on", "no progress"), "time-goes-on-no-progress");
        assert_ne!(of("a/b c", "x"), of("a b c", "x"));
        assert!(of(" .. ", "/").bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
    }

    #[test]
    fn the_model_is_what_stands_before_the_slash() {
        assert_eq!(model_of("desk/one"), "desk");
        assert_eq!(model_of("desk"), "desk");
    }
}
