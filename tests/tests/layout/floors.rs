//! The floors of the engine: imports go down only, and neighbours never import each other.

use super::source::{Source, is_word, line_of};

/// The floors from below; the modules of one floor are neighbours.
const FLOORS: &[&[&str]] = &[
    &["time", "id"],
    &["choose"],
    &["actor"],
    &["net", "disk", "fault", "trace"],
    &["nemesis"],
    &["world"],
    &["check"],
    &["engine"],
    &["judge"],
    &["campaign", "testing"],
    &["cli", "report"],
];

/// Neighbours that may import each other: one floor, written as two modules.
const MAY_MEET: &[&[&str]] = &[&["time", "id"], &["campaign", "testing"], &["cli", "report"]];

/// The path within the crate, from which everything else follows.
const ROOT: &str = "sim/src/";

/// The imports of this file that go up or sideways.
pub(crate) fn offences(source: &Source) -> Vec<String> {
    let within = source.path.strip_prefix(ROOT).unwrap_or(&source.path);
    let module = within.split(['/', '.']).next().unwrap_or_default();
    if matches!(module, "lib" | "main") {
        return Vec::new();
    }
    let Some(own) = floor(module) else {
        return vec![format!("{}:1: the module `{module}` stands on no floor", source.path)];
    };
    let mut offences = Vec::new();
    for (line, target) in imports(source, depth(within)) {
        let said = match floor(&target) {
            None => format!("`{target}` stands on no floor"),
            Some(other) if other > own => format!("`{module}` imports `{target}` from above"),
            Some(other) if other == own && target != module && !may_meet(module, &target) => {
                format!("`{module}` imports its neighbour `{target}`")
            }
            Some(_) => continue,
        };
        offences.push(format!("{}:{line}: {said}", source.path));
    }
    offences
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

fn may_meet(one: &str, other: &str) -> bool {
    MAY_MEET.iter().any(|floor| floor.contains(&one) && floor.contains(&other))
}

/// How many `super::` lead from the module of this file to the root of the crate.
fn depth(within: &str) -> usize {
    let parts = within.trim_end_matches(".rs").split('/').collect::<Vec<_>>();
    parts.len() - usize::from(parts.last() == Some(&"mod"))
}

/// The first names after `crate::`, and after as many `super::` as lead to the root; with their lines.
fn imports(source: &Source, depth: usize) -> Vec<(usize, String)> {
    let code = source.shipped_code();
    let mut found = Vec::new();
    for anchor in ["crate::".to_string(), "super::".repeat(depth)] {
        for (at, _) in code.match_indices(&anchor) {
            let before = code[..at].chars().next_back();
            let inside = before.is_some_and(|c| is_word(c) || c == ':' || c == '$');
            if !inside {
                let line = line_of(&code, at);
                let names = first_names(&code[at + anchor.len()..]);
                found.extend(names.into_iter().map(|name| (line, name)));
            }
        }
    }
    found
}

/// `a::b` gives `a`; `{a::b, c}` gives both.
fn first_names(text: &str) -> Vec<String> {
    let Some(group) = text.strip_prefix('{') else {
        let name: String = text.chars().take_while(|c| is_word(*c)).collect();
        // A name in capitals is a macro or a type of the root, of which there are none.
        return vec![name];
    };
    let (mut names, mut name, mut nested, mut begins) = (Vec::new(), String::new(), 0, true);
    for c in group.chars() {
        match c {
            '{' => nested += 1,
            '}' if nested == 0 => break,
            '}' => nested -= 1,
            ',' if nested == 0 => begins = true,
            c if nested == 0 && begins && is_word(c) => {
                name.push(c);
                continue;
            }
            _ => {}
        }
        if !name.is_empty() {
            names.push(std::mem::take(&mut name));
            begins = false;
        }
    }
    names.extend(Some(name).filter(|name| !name.is_empty()));
    names
}

#[cfg(test)]
fn check(path: &str, text: &str) -> Vec<String> {
    offences(&Source::new(path, text))
}

#[test]
fn an_import_from_above_is_seen() {
    assert_eq!(
        check("sim/src/net/link.rs", "use crate::time::Time;\nuse crate::world::World;\n"),
        ["sim/src/net/link.rs:2: `net` imports `world` from above"]
    );
    assert_eq!(check("sim/src/world/mod.rs", "use crate::{time::{A, B}, check::C};").len(), 1);
    assert_eq!(check("sim/src/choose/mix.rs", "fn a(x: crate::actor::Me) {}").len(), 1);
    assert_eq!(check("sim/src/net/conn/mod.rs", "use super::super::world::World;").len(), 1);
    assert_eq!(check("sim/src/choose.rs", "use super::actor::Me;").len(), 1);
}

#[test]
fn a_neighbour_is_seen() {
    assert_eq!(
        check("sim/src/disk/mod.rs", "use crate::fault::Kind;"),
        ["sim/src/disk/mod.rs:1: `disk` imports its neighbour `fault`"]
    );
    assert_eq!(check("sim/src/trace/mod.rs", "use crate::net::Links;").len(), 1);
}

#[test]
fn a_module_without_a_floor_is_seen() {
    assert_eq!(check("sim/src/extra/mod.rs", "").len(), 1);
    assert_eq!(check("sim/src/world/mod.rs", "use crate::extra::X;").len(), 1);
}

#[test]
fn what_goes_down_or_is_a_test_passes() {
    let down =
        "use crate::time::Time;\nuse super::conn::Wake;\nuse crate::{id::A, choose::{B, world}};";
    assert_eq!(check("sim/src/net/link.rs", down), Vec::<String>::new());
    let test = "#[cfg(test)]\nmod tests { use crate::campaign::X; }\n// crate::campaign\n";
    assert_eq!(check("sim/src/net/link.rs", test), Vec::<String>::new());
    assert_eq!(check("sim/src/lib.rs", "pub use crate::cli::run;"), Vec::<String>::new());
}
