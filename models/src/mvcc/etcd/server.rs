//! The servers that plans run against: one that is started here, or one that listens somewhere.

use std::fs::{self, File};
use std::io;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use super::super::reference::{Reference, StoreHash};
use super::super::response::OpError;
use super::super::rules::Rules;
use super::clock::{Deadline, pause};
use super::http::{Address, Client, Incoming, Lines, Reply};
use super::json;

/// What went wrong between us and a server, so that nothing can be said about its answers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Trouble(pub(super) String);

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Trouble {
        Trouble(error.to_string())
    }
}

/// An open watch.
pub(super) trait Stream {
    /// Its next message, if one comes within `wait`.
    fn next(&mut self, wait: Duration) -> Result<Option<Value>, Trouble>;
}

impl Stream for Lines {
    fn next(&mut self, wait: Duration) -> Result<Option<Value>, Trouble> {
        Ok(Lines::next(self, wait)?)
    }
}

/// A server to be compared with the reference model.
pub(super) trait Server {
    /// Asks and waits.
    fn post(&mut self, path: &str, body: &Value) -> Result<Reply, Trouble>;
    /// Opens a watch.
    fn watch(&mut self, body: &Value) -> Result<Box<dyn Stream>, Trouble>;
    /// Kills it, perhaps while it has this request, and starts it again.
    fn kill(&mut self, during: Option<(&str, &Value)>) -> Result<(), Trouble>;
    /// The hash at a revision; none if it has no way to tell it.
    fn hash(&mut self, at: i64) -> Result<Option<Result<StoreHash, OpError>>, Trouble>;
}

/// Where servers come from, each with nothing in it.
pub(super) trait Source {
    /// An empty server, and the reference model of it.
    fn fresh(&mut self, rules: Rules) -> Result<(Box<dyn Server + '_>, Reference), Trouble>;
}

/// How the hash of a server is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum HashBy {
    /// By its gateway.
    Gateway,
    /// By this program.
    Etcdctl(PathBuf),
    /// Not at all.
    Nothing,
}

impl HashBy {
    /// The first way that this server has.
    pub(super) fn find(address: &Address, beside: Option<&Path>) -> HashBy {
        let reply = Client::new(address.clone()).post("/v3/maintenance/hashkv", &json!({}));
        if reply.is_ok_and(|reply| reply.status == 200) {
            return HashBy::Gateway;
        }
        let etcdctl = beside.map_or("etcdctl".into(), |etcd| etcd.with_file_name("etcdctl"));
        let by = HashBy::Etcdctl(etcdctl);
        match by.read(&mut Client::new(address.clone()), address, 0) {
            Ok(Some(Ok(_))) => by,
            _ => HashBy::Nothing,
        }
    }

    /// What the report says.
    pub(super) fn said(&self) -> &'static str {
        match self {
            HashBy::Gateway => "by POST /v3/maintenance/hashkv",
            HashBy::Etcdctl(_) => "by etcdctl endpoint hashkv",
            HashBy::Nothing => "not compared",
        }
    }

    fn read(
        &self,
        client: &mut Client,
        address: &Address,
        at: i64,
    ) -> Result<Option<Result<StoreHash, OpError>>, Trouble> {
        match self {
            HashBy::Gateway => {
                let body = json!({"revision": at.to_string()});
                let Reply { status, body } = client.post("/v3/maintenance/hashkv", &body)?;
                if status != 200 {
                    let message = body["message"].as_str().unwrap_or_default();
                    let refusal = json::refusal(message).ok_or(Trouble(message.to_owned()))?;
                    return Ok(Some(Err(refusal)));
                }
                // Later servers say what they hashed; earlier ones had only the current revision in the header.
                let field = if body.get("hash_revision").is_some() { "hash_revision" } else { "" };
                stored_hash(&body, field, at).map(|hash| Some(Ok(hash)))
            }
            HashBy::Etcdctl(program) => {
                let mut command = Command::new(program);
                command.env("ETCDCTL_API", "3").args(["--command-timeout=8s", "-w", "json"]);
                command.args(["--endpoints", &address.0, "endpoint", "hashkv"]);
                let output = command.arg(format!("--rev={at}")).stdin(Stdio::null()).output()?;
                let errors = String::from_utf8_lossy(&output.stderr);
                if let Some((_, reason)) = errors.rsplit_once("Error: ") {
                    let refusal = json::refusal(reason.trim());
                    return Ok(Some(Err(refusal.ok_or(Trouble(reason.trim().to_owned()))?)));
                }
                let answer: Value = serde_json::from_slice(&output.stdout)
                    .map_err(|error| Trouble(format!("{}: {error}", program.display())))?;
                stored_hash(&answer[0]["HashKV"], "", at).map(|hash| Some(Ok(hash)))
            }
            HashBy::Nothing => Ok(None),
        }
    }
}

fn stored_hash(body: &Value, field: &str, at: i64) -> Result<StoreHash, Trouble> {
    let read = |of: &Value, field| json::number(of, field).map_err(Trouble);
    let hash = u32::try_from(read(body, "hash")?).map_err(|_| Trouble("a long hash".into()))?;
    let current =
        if field.is_empty() { read(&body["header"], "revision")? } else { read(body, field)? };
    let revision = if at == 0 { current } else { at };
    Ok(StoreHash { hash, compacted: read(body, "compact_revision")?, revision })
}

/// The version that a server says it has.
pub(super) fn version(address: &Address) -> Result<String, Trouble> {
    let reply = Client::new(address.clone()).get("/version")?;
    match reply.body["etcdserver"].as_str() {
        Some(version) => Ok(version.to_owned()),
        None => Err(Trouble(format!("status {} and no version at /version", reply.status))),
    }
}

/// A server that listens somewhere. It is not killed.
#[derive(Debug)]
pub(super) struct Remote {
    address: Address,
    client: Client,
    hash_by: HashBy,
}

impl Remote {
    /// The server at this address.
    pub(super) fn new(address: Address, hash_by: HashBy) -> Remote {
        Remote { client: Client::new(address.clone()), address, hash_by }
    }

    fn ask(&mut self, path: &str, body: &Value) -> Result<Value, Trouble> {
        let reply = self.client.post(path, body)?;
        if reply.status == 200 {
            return Ok(reply.body);
        }
        Err(Trouble(format!("{path}: {}", reply.body["message"].as_str().unwrap_or("refused"))))
    }

    /// Ends all leases, deletes all keys and compacts. Answers the revision.
    fn empty(&mut self) -> Result<i64, Trouble> {
        let leases = self.ask("/v3/lease/leases", &json!({}))?;
        for lease in leases["leases"].as_array().into_iter().flatten() {
            self.ask("/v3/lease/revoke", &json!({"ID": lease["ID"]}))?;
        }
        let all = json!({"key": "AA==", "range_end": "AA=="});
        let deleted = self.ask("/v3/kv/deleterange", &all)?;
        let revision = json::revision(&deleted).map_err(Trouble)?;
        let body = json!({"revision": revision.to_string(), "physical": true});
        let reply = self.client.post("/v3/kv/compaction", &body)?;
        let message = reply.body["message"].as_str().unwrap_or_default();
        if reply.status != 200 && json::refusal(message) != Some(OpError::Compacted) {
            return Err(Trouble(format!("/v3/kv/compaction: {message}")));
        }
        Ok(revision)
    }
}

impl Server for Remote {
    fn post(&mut self, path: &str, body: &Value) -> Result<Reply, Trouble> {
        Ok(self.client.post(path, body)?)
    }

    fn watch(&mut self, body: &Value) -> Result<Box<dyn Stream>, Trouble> {
        Ok(Box::new(self.client.stream("/v3/watch", body)?))
    }

    fn kill(&mut self, _during: Option<(&str, &Value)>) -> Result<(), Trouble> {
        Err(Trouble("only a server that was started with --spawn can be killed".into()))
    }

    fn hash(&mut self, at: i64) -> Result<Option<Result<StoreHash, OpError>>, Trouble> {
        self.hash_by.read(&mut self.client, &self.address, at)
    }
}

/// Always the same server, emptied.
#[derive(Debug)]
pub(super) struct Endpoint {
    /// Where it is.
    pub(super) address: Address,
    /// How its hash is read.
    pub(super) hash_by: HashBy,
}

impl Source for Endpoint {
    fn fresh(&mut self, rules: Rules) -> Result<(Box<dyn Server + '_>, Reference), Trouble> {
        let mut server = Remote::new(self.address.clone(), self.hash_by.clone());
        let revision = server.empty()?;
        Ok((Box::new(server), Reference::emptied(rules, revision).with_leases()))
    }
}

/// Starts a server of its own for each plan.
#[derive(Debug)]
pub(super) struct Spawner {
    /// The program.
    pub(super) etcd: PathBuf,
    /// How hashes are read; not known before the first server has run.
    pub(super) hash_by: HashBy,
    started: u32,
}

impl Spawner {
    /// Servers of this program, once it has said that it is one.
    pub(super) fn new(etcd: PathBuf) -> Result<Spawner, Trouble> {
        let spawner = Spawner { etcd, hash_by: HashBy::Nothing, started: 0 };
        spawner.check()?;
        Ok(spawner)
    }

    fn check(&self) -> Result<(), Trouble> {
        let path = self.etcd.display();
        let mut command = Command::new(&self.etcd);
        command.arg("--version").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let child = command.spawn();
        let mut child =
            child.map_err(|error| Trouble(format!("expected an etcd at {path}: {error}")))?;
        let deadline = Deadline::after(Duration::from_secs(5));
        while deadline.left().is_some() && child.try_wait()?.is_none() {
            pause(Duration::from_millis(10));
        }
        // A program that does not end is none; killing one that has ended does nothing.
        let _ = child.kill();
        let output = child.wait_with_output()?;
        if output.stdout.starts_with(b"etcd Version: ") {
            return Ok(());
        }
        Err(Trouble(format!(
            "expected an etcd at {path}: `{path} --version` does not say that it is one"
        )))
    }

    /// Starts a server with nothing in it.
    pub(super) fn start(&mut self) -> Result<Spawned, Trouble> {
        let mut last = None;
        // Another process may take a port between our asking for a free one and the server's use of it.
        for _ in 0..3 {
            self.started += 1;
            match Spawned::new(&self.etcd, self.started, self.hash_by.clone()) {
                Ok(spawned) => return Ok(spawned),
                Err(trouble) => last = Some(trouble),
            }
        }
        Err(last.expect("it was tried"))
    }
}

impl Source for Spawner {
    fn fresh(&mut self, rules: Rules) -> Result<(Box<dyn Server + '_>, Reference), Trouble> {
        Ok((Box::new(self.start()?), Reference::of(rules).with_leases()))
    }
}

/// A server that was started here. It ends, and its files go, with this value.
#[derive(Debug)]
pub(super) struct Spawned {
    command: Vec<String>,
    folder: PathBuf,
    child: Option<Child>,
    remote: Remote,
    /// The request that the last kill found under way.
    under_way: Option<Incoming>,
    kills: u32,
}

impl Spawned {
    fn new(etcd: &Path, number: u32, hash_by: HashBy) -> Result<Spawned, Trouble> {
        let folder = folder(number)?;
        let ports = [TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?];
        let [client, peer] = ports.map(|listener| listener.local_addr());
        let (client, peer) = (client?.to_string(), format!("http://{}", peer?));
        let (url, name) = (format!("http://{client}"), "seedbed");
        let data = folder.join("data").display().to_string();
        let mut command = vec![etcd.display().to_string()];
        let flags: [(&str, &str); 10] = [
            ("name", name),
            ("data-dir", &data),
            ("listen-client-urls", &url),
            ("advertise-client-urls", &url),
            ("listen-peer-urls", &peer),
            ("initial-advertise-peer-urls", &peer),
            ("initial-cluster", &format!("{name}={peer}")),
            // A single node need not wait long for its own vote, and takes snapshots now and then.
            ("heartbeat-interval", "10"),
            ("election-timeout", "100"),
            ("snapshot-count", "50"),
        ];
        command.extend(flags.iter().map(|(flag, value)| format!("--{flag}={value}")));
        let remote = Remote::new(Address(client), hash_by);
        let mut spawned =
            Spawned { command, folder, child: None, remote, under_way: None, kills: 0 };
        spawned.start()?;
        Ok(spawned)
    }

    /// Where it listens.
    pub(super) fn address(&self) -> &Address {
        &self.remote.address
    }

    fn start(&mut self) -> Result<(), Trouble> {
        let log = File::options().create(true).append(true).open(self.folder.join("log"))?;
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]).stdin(Stdio::null());
        command.stdout(log.try_clone()?).stderr(log);
        // In a group of its own, so that Ctrl-C does not end it before we have read its last answer.
        self.child = Some(command.process_group(0).spawn()?);
        let deadline = Deadline::after(Duration::from_secs(30));
        while deadline.left().is_some() {
            let ended = self.child.as_mut().and_then(|child| child.try_wait().ok()).flatten();
            if let Some(status) = ended {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                let last = log.lines().next_back().unwrap_or("it said nothing");
                return Err(Trouble(format!(
                    "the server ended before it served: {status}: {last}"
                )));
            }
            let mut client = Client::new(self.remote.address.clone());
            if client.get("/health").is_ok_and(|reply| reply.body["health"] == "true") {
                return Ok(());
            }
            pause(Duration::from_millis(10));
        }
        Err(Trouble("the server did not serve within 30 s".into()))
    }

    fn stop(&mut self) -> io::Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }
}

impl Server for Spawned {
    fn post(&mut self, path: &str, body: &Value) -> Result<Reply, Trouble> {
        self.remote.post(path, body)
    }

    fn watch(&mut self, body: &Value) -> Result<Box<dyn Stream>, Trouble> {
        self.remote.watch(body)
    }

    fn kill(&mut self, during: Option<(&str, &Value)>) -> Result<(), Trouble> {
        if let Some((path, body)) = during {
            self.under_way = Some(self.remote.client.send(path, body)?);
            // Not always at the same stage: a write takes one or two milliseconds.
            pause(Duration::from_micros(600) * (self.kills % 5));
            self.kills += 1;
        }
        self.stop()?;
        self.under_way = None;
        self.remote.client = Client::new(self.remote.address.clone());
        self.start()
    }

    fn hash(&mut self, at: i64) -> Result<Option<Result<StoreHash, OpError>>, Trouble> {
        self.remote.hash(at)
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        // There is nobody left to tell.
        let _ = self.stop();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A new folder for the files of a server.
#[expect(clippy::disallowed_methods, reason = "two programs at once must not share a folder")]
fn folder(number: u32) -> Result<PathBuf, Trouble> {
    let name = format!("seedbed-etcd-{}-{number}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    fs::create_dir(&folder).map_err(|error| Trouble(format!("{}: {error}", folder.display())))?;
    Ok(folder)
}
