//! What killed processes have left in a folder for findings. Only files of exactly our names are removed, and only those
//! that no running process can still want.

use super::store;
use std::fs::{self, DirEntry};
use std::path::Path;
use std::time::Duration;

/// Whoever wrote a file this long ago does not write it any more.
const OLD: Duration = Duration::from_secs(24 * 3_600);

/// Removes temporary files of processes that are dead. That one cannot be removed is no trouble: it is one file too many.
pub(super) fn clear_temporaries(dir: &Path) {
    for file in files(dir) {
        let name = file.file_name();
        let Some(process) = name.to_str().and_then(process_of) else { continue };
        if !is_alive(process).unwrap_or_else(|| !is_old(&file)) {
            let _ = fs::remove_file(file.path());
        }
    }
}

/// Removes findings of a scenario that lie beside others, and that no sweep has looked after for a day. The name of such a
/// file does not tell whose it is; so it has to be the seed file of that seed, and what it lies beside has to stand: then
/// the finding is kept there.
pub(super) fn clear_beside(dir: &Path, scenario: &str, stands: &dyn Fn(&str) -> bool) {
    for file in files(dir) {
        let name = file.file_name();
        let Some((stem, seed)) = name.to_str().and_then(beside_of) else { continue };
        let is_ours = stem.strip_prefix(scenario).is_some_and(|rest| rest.starts_with("--"));
        if is_ours
            && is_old(&file)
            && holds_seed(&file, seed)
            && store::read(&dir.join(format!("{stem}.toml"))).is_ok_and(|text| stands(&text))
        {
            let _ = fs::remove_file(file.path());
        }
    }
}

/// The plain files of a folder; links are nobody's.
fn files(dir: &Path) -> impl Iterator<Item = DirEntry> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
}

/// The process in the name of a temporary file.
fn process_of(name: &str) -> Option<u32> {
    let (of, process) = name.strip_prefix('.')?.strip_suffix(".tmp")?.rsplit_once('.')?;
    let is_ours = of == "probe" || of.ends_with(".toml") || of.ends_with(".txt");
    number(process).filter(|_| is_ours)
}

/// The name that a finding lies beside, without its ending, and the seed in its own.
fn beside_of(name: &str) -> Option<(&str, u64)> {
    let (stem, seed) = name.strip_suffix(".toml")?.rsplit_once(".seed-")?;
    Some((stem, number(seed)?))
}

/// A number as we write it: digits, and no zero before them.
fn number<N: std::str::FromStr + ToString>(text: &str) -> Option<N> {
    text.parse().ok().filter(|n: &N| n.to_string() == text)
}

/// Whether a process is alive. `None` where that cannot be seen: who does not see the first process may see only its own.
fn is_alive(process: u32) -> Option<bool> {
    let processes = Path::new("/proc");
    processes.join("1").exists().then(|| processes.join(process.to_string()).exists())
}

fn is_old(file: &DirEntry) -> bool {
    let modified = file.metadata().and_then(|data| data.modified());
    modified.is_ok_and(|then| then.elapsed().is_ok_and(|age| age > OLD))
}

/// Whether it reads as the seed file of a seed.
fn holds_seed(file: &DirEntry, seed: u64) -> bool {
    let text = store::read(&file.path()).unwrap_or_default();
    let mut lines = text.lines().filter_map(|line| line.split_once('='));
    let found = lines.find(|(key, _)| key.trim() == "seed");
    found.is_some_and(|(_, found)| number(found.trim()) == Some(seed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::store::test_folder;
    use std::collections::BTreeSet;

    /// No process has this number: they end far below.
    const NOBODY: u32 = u32::MAX - 1;

    #[expect(clippy::disallowed_methods, reason = "a process that is alive is wanted")]
    fn me() -> u32 {
        std::process::id()
    }

    /// A file that was written so many days ago.
    fn write(path: &Path, text: &str, days: u32) {
        fs::write(path, text).expect("writes");
        let file = fs::File::options().append(true).open(path).expect("opens");
        let now = file.metadata().and_then(|data| data.modified()).expect("a time");
        file.set_modified(now - OLD * days - Duration::from_secs(1)).expect("may");
    }

    fn left(dir: &Path) -> BTreeSet<String> {
        files(dir).map(|file| file.file_name().into_string().expect("UTF-8")).collect()
    }

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn half_written_files_of_dead_processes_go_and_nothing_else() {
        let dir = test_folder("stale-temporaries");
        fs::create_dir_all(&dir).expect("makes a folder");
        let living = format!(".one--kept.toml.{}.tmp", me());
        let (dead, probe) =
            (format!(".one--kept.toml.{NOBODY}.tmp"), format!(".probe.{NOBODY}.tmp"));
        let stay = [
            living.as_str(),
            &format!("one--kept.toml.{NOBODY}.tmp"),
            &format!(".one--kept.toml.0{NOBODY}.tmp"),
            &format!(".one.png.{NOBODY}.tmp"),
            &format!(".one--kept.toml.{NOBODY}.tmp.bak"),
            ".one--kept.toml.tmp",
            "one--kept.toml",
        ];
        for name in stay.iter().chain([&&*dead, &&*probe]) {
            write(&dir.join(name), "", 2);
        }
        fs::create_dir(dir.join(format!(".a.toml.{NOBODY}.tmp"))).expect("a folder");
        if is_alive(NOBODY).is_some() {
            clear_temporaries(&dir);
            assert_eq!(left(&dir), set(&stay));
        }
        assert!(dir.join(format!(".a.toml.{NOBODY}.tmp")).is_dir());
        fs::remove_dir_all(&dir).expect("clears up");
    }

    #[test]
    fn a_finding_beside_another_goes_when_it_is_old_and_no_sooner() {
        let dir = test_folder("stale-beside");
        fs::create_dir_all(&dir).expect("makes a folder");
        let (seven, eight) = ("format   = 1\nseed     = 7\n", "format   = 1\nseed     = 8\n");
        let files = [
            ("one--kept.toml", seven, 9),
            ("one--kept.seed-7.toml", seven, 2),
            ("one--kept.seed-8.toml", eight, 0),
            ("one--kept.seed-9.toml", eight, 2),
            ("one--kept.seed-08.toml", eight, 2),
            ("one--alone.seed-7.toml", seven, 2),
            ("one--fixed.toml", "", 9),
            ("one--fixed.seed-7.toml", seven, 2),
            ("one--kept.seed-7.txt", seven, 2),
            ("one-more--kept.toml", seven, 2),
            ("one-more--kept.seed-7.toml", seven, 2),
            ("mine.seed-7.toml", seven, 2),
        ];
        for (name, text, days) in files {
            write(&dir.join(name), text, days);
        }
        clear_beside(&dir, "one", &|text| text.contains("seed"));
        let stay = files.map(|(name, ..)| name).into_iter();
        let stay: Vec<&str> = stay.filter(|name| *name != "one--kept.seed-7.toml").collect();
        assert_eq!(left(&dir), set(&stay));
        fs::remove_dir_all(&dir).expect("clears up");
    }
}
