//! The `seedbed` command as a process: what signals, pipes and other processes do to it.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::time::Duration;

/// A planted bug that the first seeds find.
const BUG: &str = "tag-tie-left-unbroken";

fn seedbed(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seedbed"));
    command.args(args).stdin(Stdio::null());
    command
}

fn output(args: &[&str]) -> Output {
    seedbed(args).output().expect("the command starts")
}

/// A folder of one test; it is gone when the test has passed.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&dir);
        Folder(dir)
    }

    fn name(&self) -> &str {
        self.0.to_str().expect("a name in UTF-8")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A long sweep that has told of its first finding.
struct Sweep {
    process: Child,
    /// Kept open: a sweep whose standard error is closed is another test.
    told: BufReader<ChildStderr>,
    /// The file of the finding.
    file: PathBuf,
}

/// However its test ends, no process is left behind.
impl Drop for Sweep {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn sweep_until_found(out: &Folder) -> Sweep {
    let args = ["sweep", "register", "--bug", BUG, "--time", "60s", "--jobs", "1", "--out"];
    let mut process = seedbed(&[&args[..], &[out.name()]].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let told = BufReader::new(process.stderr.take().expect("piped"));
    let mut sweep = Sweep { process, told, file: PathBuf::new() };
    loop {
        let mut line = String::new();
        let length = sweep.told.read_line(&mut line).expect("text");
        assert!(length > 0, "the sweep ended before it found anything");
        if let Some((_, file)) = line.trim().split_once(" replay ") {
            sweep.file = PathBuf::from(file);
            return sweep;
        }
    }
}

#[test]
fn a_sweep_that_is_killed_has_its_findings_on_disk() {
    let out = Folder::new("killed");
    let mut sweep = sweep_until_found(&out);
    sweep.process.kill().expect("kills");
    sweep.process.wait().expect("ends");
    let file = sweep.file.to_str().expect("UTF-8");
    let replayed = output(&["replay", file, "--json"]);
    let said = String::from_utf8(replayed.stdout).expect("text");
    assert_eq!(replayed.status.code(), Some(1), "{said}");
    assert!(said.contains("\"verdict\": \"broken\"") && said.contains("\"differs\": []"), "{said}");
}

/// Presses Ctrl-C. Every shell can do that; not every machine has a program for it.
#[cfg(unix)]
fn interrupt(process: &Child) {
    let id = process.id().to_string();
    let sent = Command::new("sh").args(["-c", "kill -INT \"$0\"", &id]).status();
    assert!(sent.expect("there is a shell").success());
}

#[cfg(unix)]
#[test]
fn a_sweep_that_is_interrupted_prints_its_table_and_keeps_what_it_found() {
    let out = Folder::new("interrupted");
    let mut sweep = sweep_until_found(&out);
    interrupt(&sweep.process);
    let (mut table, mut told) = (String::new(), String::new());
    let mut stdout = sweep.process.stdout.take().expect("piped");
    stdout.read_to_string(&mut table).expect("text");
    sweep.told.read_to_string(&mut told).expect("text");
    let status = sweep.process.wait().expect("ends");
    assert_eq!(status.code(), Some(1), "there is a finding: {table}{told}");
    assert!(table.contains("register/majority") && table.contains("interrupted after"), "{table}");
    assert!(sweep.file.is_file());
}

#[cfg(unix)]
#[test]
fn an_interrupted_sweep_without_findings_has_a_status_of_its_own() {
    let out = Folder::new("interrupted-clean");
    let mut process = seedbed(&["sweep", "register", "--time", "60s", "--out", out.name()])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the command starts");
    // The folder is made when everything, the handler of signals too, is in place.
    while !out.0.join("register").is_dir() {
        std::thread::yield_now();
    }
    interrupt(&process);
    let mut table = String::new();
    process.stdout.take().expect("piped").read_to_string(&mut table).expect("text");
    assert_eq!(process.wait().expect("ends").code(), Some(3), "{table}");
    assert!(table.contains("register/durable"), "{table}");
}

#[cfg(unix)]
#[test]
#[expect(clippy::disallowed_methods, reason = "it waits for a process, not for a run")]
fn a_verb_that_has_nothing_to_keep_is_interrupted_at_once() {
    let mut process = seedbed(&["history", "/dev/stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the command starts");
    let mut history = process.stdin.take().expect("piped");
    // More than a pipe holds: when it is written the verb has begun to read, and waits for the end.
    history.write_all(&[b'\n'; 1 << 18]).expect("writes");
    interrupt(&process);
    let ended = (0..1_000).find_map(|_| {
        std::thread::sleep(Duration::from_millis(10));
        process.try_wait().expect("waits")
    });
    let _ = process.kill();
    assert_eq!(ended.and_then(|status| status.code()), Some(3));
}

#[test]
fn a_child_process_elsewhere_comes_to_the_same_digests() {
    let compared = output(&["determinism", "--seeds", "0..100", "--json"]);
    let said = String::from_utf8(compared.stdout).expect("text");
    assert_eq!(compared.status.code(), Some(0), "{said}");
    assert!(said.contains("\"child process\""), "{said}");
    let many = output(&["determinism", "register/majority", "--seeds", "0..1", "--jobs", "1024"]);
    assert_eq!(many.status.code(), Some(0), "{}", String::from_utf8_lossy(&many.stderr));
}

#[cfg(unix)]
#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let mut list = seedbed(&["list"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    drop(list.stdout.take());
    let mut told = String::new();
    list.stderr.take().expect("piped").read_to_string(&mut told).expect("text");
    assert_eq!((list.wait().expect("ends").code(), told.as_str()), (Some(0), ""));
}

#[test]
fn usage_goes_to_standard_error_with_status_two_and_help_to_standard_output() {
    let wrong = output(&["sweep", "--jobs", "0"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(wrong.stdout.is_empty() && !wrong.stderr.is_empty());
    let help = output(&["sweep", "--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(!help.stdout.is_empty() && help.stderr.is_empty());
}
