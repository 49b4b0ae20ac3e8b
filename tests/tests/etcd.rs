//! The reference model against the etcd server of this machine. Where there is none, the test says so.

use libtest_mimic::{Arguments, Failed, Trial};
use seedbed_models::registry::{registry, verbs};
use seedbed_sim::cli::{Status, run_with_verbs};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, ExitCode};

#[expect(clippy::print_stdout, reason = "whoever runs the tests has to see what was left out")]
fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let found = Command::new("etcd").arg("--version").output();
    let trials = if found.is_ok_and(|found| found.stdout.starts_with(b"etcd Version: ")) {
        vec![
            Trial::test("a_real_server_answers_like_the_reference_model", agrees),
            Trial::test("a_file_is_replayed_and_its_difference_seen_again", replays),
        ]
    } else {
        if !arguments.list {
            println!(
                "skipped: the tests against a real etcd server, because there is no `etcd` on the PATH. To run them, \
                 install one (on Debian: apt-get install etcd-server etcd-client) and repeat \
                 `cargo test -p seedbed-tests --test etcd`"
            );
        }
        Vec::new()
    };
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The verb with these arguments: its status and its document.
fn etcd(args: &[&str]) -> Result<(Status, Value), Failed> {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let all = ["seedbed", "etcd", "--spawn", "etcd", "--json"].iter().chain(args);
    let status = run_with_verbs((&registry(), &verbs()), all, &mut out, &mut err);
    let told = String::from_utf8_lossy(&err).into_owned();
    match serde_json::from_slice(&out) {
        Ok(document) => Ok((status, document)),
        Err(error) => Err(format!("{error}: {told}").into()),
    }
}

fn agrees() -> Result<(), Failed> {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("etcd").display().to_string();
    let (status, document) = etcd(&["--operations", "200", "--kills", "3", "--out", &out])?;
    let counted = |name: &str| document[name].as_u64().unwrap_or(0);
    let enough = counted("operations") >= 200
        && counted("kills") == 3
        && counted("watches") > 0
        && counted("events") > 0;
    if status == Status::Clean && enough { Ok(()) } else { Err(document.to_string().into()) }
}

/// The only way to have a difference at will is to hold a server to the rules of another era.
fn replays() -> Result<(), Failed> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = folder.join("etcd-plan.toml");
    let plan = "format = 1\nscenario = \"mvcc/etcd\"\nworkload = [\"c0#3: put a 1\"]\n";
    std::fs::write(&file, plan).map_err(|error| error.to_string())?;
    let file = file.display().to_string();
    let (kept, _) = etcd(&[&file])?;
    let (broke, document) = etcd(&["--rules", "2015", &file])?;
    let class = &document["findings"][0]["class"];
    if (kept, broke) == (Status::Clean, Status::Finding) && class == "wrong answer" {
        return Ok(());
    }
    Err(format!("{kept:?}, {broke:?}: {document}").into())
}
