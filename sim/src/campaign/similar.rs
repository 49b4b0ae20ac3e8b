//! What is said of a name that nobody knows.

/// More names than this are not listed.
const LISTED_MAX: usize = 60;

/// A planted bug of this name was asked for, and these are the ones that there are.
pub(super) fn unknown_bug(name: &str, known: &[&str]) -> String {
    let listed = match known.len() {
        0 => "none".to_string(),
        1..=LISTED_MAX => known.join(" "),
        many => format!("that `list` shows ({many})"),
    };
    let nearest = nearest(name, known);
    let nearest = nearest.map_or(String::new(), |name| format!("; the most similar is `{name}`"));
    format!("expected one of the planted bugs {listed}, found `{name}`{nearest}")
}

/// The name that fewest letters have to be changed in, if those are no more than half of it.
fn nearest<'n>(name: &str, known: &[&'n str]) -> Option<&'n str> {
    let wanted = name.rsplit('/').next().unwrap_or(name);
    let with_distance = known.iter().map(|known| (distance(wanted, known), *known));
    let (distance, nearest) = with_distance.min()?;
    (distance * 2 <= wanted.len()).then_some(nearest)
}

/// How many letters have to be put in, taken out or changed.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (at, letter) in from.bytes().enumerate() {
        let mut before = std::mem::replace(&mut row[0], at + 1);
        for (other, wanted) in to.bytes().enumerate() {
            let changed = before + usize::from(letter != wanted);
            before = row[other + 1];
            row[other + 1] = changed.min(before + 1).min(row[other] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest, unknown_bug};

    #[test]
    fn letters_that_differ_are_counted() {
        for (from, to, letters) in
            [("", "abc", 3), ("abc", "", 3), ("abc", "abc", 0), ("kitten", "sitting", 3)]
        {
            assert_eq!(distance(from, to), letters, "{from} {to}");
        }
    }

    #[test]
    fn the_nearest_name_is_the_one_with_the_fewest_letters_to_change() {
        let known = ["window-not-reset", "window-full", "cursors-kept"];
        assert_eq!(nearest("windw-not-rest", &known), Some("window-not-reset"));
        assert_eq!(nearest("desk/cursor-kept", &known), Some("cursors-kept"));
        assert_eq!(nearest("nothing", &known), None);
    }

    #[test]
    fn few_names_are_listed_and_many_are_counted() {
        let few = unknown_bug("on", &["one", "two"]);
        let listed = "expected one of the planted bugs one two, found `on`";
        assert_eq!(few, format!("{listed}; the most similar is `one`"));
        let names: Vec<String> = (0..61).map(|number| format!("bug-{number}")).collect();
        let many: Vec<&str> = names.iter().map(String::as_str).collect();
        let counted = "expected one of the planted bugs that `list` shows (61), found `x`";
        assert_eq!(unknown_bug("x", &many), counted);
    }
}
