//! Files: read with a message that says what is wrong, written so that a reader sees the old or the new, never a half.

use super::runner::Runner;
use super::seed_file::InputError;
use super::signature::{Signature, model_of};
use super::{corpus, stale};
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// Where findings are kept: a folder for each model, a file for each scenario and signature.
#[derive(Clone, Debug)]
pub struct Store {
    dir: PathBuf,
}

impl Store {
    /// Opens a folder for findings, and makes it if it is not there. What processes that were killed have left of files
    /// half written goes.
    ///
    /// # Errors
    /// If it cannot be made or written, or something else has the name.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Store, String> {
        let dir = dir.into();
        let wrong = |why: &dyn std::fmt::Display| {
            format!("{}: expected a folder that can be written: {why}", dir.display())
        };
        fs::create_dir_all(&dir).map_err(|error| wrong(&error))?;
        let probe = dir.join(temporary_name("probe"));
        fs::write(&probe, "").and_then(|()| fs::remove_file(&probe)).map_err(|e| wrong(&e))?;
        stale::clear_temporaries(&dir);
        Ok(Store { dir })
    }

    /// Opens it for findings of these scenarios: the folders of their models too.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_for(dir: &Path, scenarios: &[&str]) -> Result<Store, String> {
        let store = Store::open(dir)?;
        for scenario in scenarios {
            Store::open(store.dir.join(model_of(scenario)))?;
        }
        Ok(store)
    }

    /// Removes what earlier sweeps have put beside other findings of a scenario and not taken away, if it is old and the
    /// others still stand.
    pub fn clear_beside(&self, runner: &dyn Runner) {
        let (model, name) = runner.name().split_once('/').unwrap_or((runner.name(), runner.name()));
        let stands = |text: &str| corpus::stands(runner, text).is_ok();
        stale::clear_beside(&self.dir.join(model), name, &stands);
    }

    /// Where the finding of this signature is kept.
    #[must_use]
    pub fn path(&self, scenario: &str, bug: Option<&str>, signature: Signature) -> PathBuf {
        let name = scenario.split_once('/').map_or(scenario, |(_, name)| name);
        let with = bug.map(|bug| format!("--with-{bug}")).unwrap_or_default();
        let file = format!("{name}--{}{with}.toml", signature.slug());
        self.dir.join(model_of(scenario)).join(file)
    }
}

/// Where a finding is kept whose own place is taken.
pub(super) fn beside(path: &Path, seed: u64) -> PathBuf {
    path.with_extension(format!("seed-{seed}.toml"))
}

/// Puts a text into a file. Whoever reads the file, even after this process was killed, finds the old text or the new.
///
/// # Errors
/// Names the file and what went wrong.
pub fn replace(path: &Path, text: &str) -> Result<(), String> {
    // What a link leads to is replaced, and not the link.
    let target = fs::canonicalize(path);
    let path = target.as_deref().unwrap_or(path);
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = parent.join(temporary_name(&name));
    let write = || {
        fs::create_dir_all(parent)?;
        let mut file = fs::File::create(&temporary)?;
        file.write_all(text.as_bytes())?;
        if let Ok(before) = fs::metadata(path) {
            file.set_permissions(before.permissions())?;
        }
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    write().map_err(|error: std::io::Error| {
        // What is left of the temporary file is of no use; that it cannot be removed either adds nothing.
        let _ = fs::remove_file(&temporary);
        format!("{}: expected a file that can be written: {error}", path.display())
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "two processes may write into one folder; no run sees the name"
)]
fn temporary_name(of: &str) -> String {
    format!(".{of}.{}.tmp", std::process::id())
}

/// The most bytes of a text. What is longer is no seed file, and may have no end.
const TEXT_MAX: u64 = 64 << 20;

/// Reads a file of at most `most` bytes.
///
/// # Errors
/// If it is not there, is a folder, is longer, or cannot be read.
pub fn read_bytes(path: &Path, most: u64) -> Result<Vec<u8>, InputError> {
    let wrong = |message| InputError { file: path.display().to_string(), line: 0, message };
    let mut bytes = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes));
    read.map_err(|error| {
        wrong(match error.kind() {
            ErrorKind::NotFound => "expected a file, found nothing of that name".to_string(),
            _ if path.is_dir() => "expected a file, found a folder".to_string(),
            _ => format!("expected a file that can be read: {error}"),
        })
    })?;
    if bytes.len() as u64 > most {
        return Err(wrong(format!("expected a file of at most {most} bytes, found a longer one")));
    }
    Ok(bytes)
}

/// Reads a text file.
///
/// # Errors
/// If it cannot be [read](read_bytes), or is not UTF-8: which line.
pub fn read(path: &Path) -> Result<String, InputError> {
    let wrong = |line, message| InputError { file: path.display().to_string(), line, message };
    String::from_utf8(read_bytes(path, TEXT_MAX)?).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count();
        wrong(line, "expected UTF-8 text, found other bytes".into())
    })
}

/// A folder of its own for one test; the tests of this crate may run at once.
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a name for a folder of a test")]
pub(crate) fn test_folder(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("seedbed-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&dir);
    dir
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNATURE: Signature = Signature { check: "time goes on", class: "stands" };

    #[test]
    fn a_finding_has_a_place_by_model_scenario_and_signature() {
        let store = Store { dir: "out".into() };
        let path = store.path("desk/one", None, SIGNATURE);
        assert_eq!(path, Path::new("out/desk/one--time-goes-on-stands.toml"));
        let path = store.path("desk/one", Some("bug"), SIGNATURE);
        assert_eq!(path, Path::new("out/desk/one--time-goes-on-stands--with-bug.toml"));
    }

    #[test]
    fn a_file_is_replaced_as_a_whole_and_nothing_is_left_beside_it() {
        let dir = test_folder("replace");
        let path = dir.join("deep/file.toml");
        replace(&path, "one").expect("writes");
        replace(&path, "two").expect("writes again");
        assert_eq!(read(&path).expect("reads"), "two");
        let left = fs::read_dir(path.parent().expect("a folder")).expect("lists").count();
        assert_eq!(left, 1);
        fs::remove_dir_all(&dir).expect("clears up");
    }

    #[test]
    fn what_is_no_text_file_is_named_with_its_line() {
        let dir = test_folder("read");
        fs::create_dir_all(&dir).expect("makes a folder");
        let path = dir.join("bytes");
        fs::write(&path, b"one\ntwo \xff\n").expect("writes");
        assert_eq!(read(&path).expect_err("not UTF-8").line, 2);
        assert!(read(&dir).expect_err("a folder").message.contains("found a folder"));
        assert!(read(&dir.join("none")).expect_err("nothing").message.contains("found nothing"));
        assert!(Store::open(&path).is_err());
        fs::remove_dir_all(&dir).expect("clears up");
    }
}
