//! The verb itself: many plans against one kind of server, and a report.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use seedbed_sim::campaign::store::{self, Store};
use seedbed_sim::cli::clap::ArgMatches;
use seedbed_sim::cli::{Console, Status};
use serde_json::{Value, json};

use super::super::rules::Rules;
use super::file::{SCENARIO, SeedFile};
use super::http::Address;
use super::known::{Known, ROWS, Tally};
use super::plan::plan;
use super::server::{Endpoint, HashBy, Source, Spawner, Trouble, version};
use super::shrink::shrink;
use super::trial::{Difference, End, Numbered, Trial};

/// Operations of a drawn plan.
const OPERATIONS: u32 = 100;

/// Which server, as it was named.
enum Named {
    Spawn(PathBuf),
    Endpoint(String),
}

/// What was asked for.
struct Asked {
    named: Named,
    files: Vec<(String, SeedFile)>,
    first: u64,
    /// Operations of each plan.
    plans: Vec<u32>,
    kills: u32,
    rules: Option<Rules>,
    out: PathBuf,
    shrink_runs: u32,
}

impl Asked {
    fn read(asked: &ArgMatches) -> Result<Asked, String> {
        let text = |name: &str| asked.get_one::<String>(name).cloned();
        let named = match (text("spawn"), text("endpoint")) {
            (Some(path), None) => Named::Spawn(path.into()),
            (None, Some(url)) => Named::Endpoint(url),
            _ => {
                return Err(
                    "expected --spawn PATH, for instance `--spawn etcd`, or --endpoint URL".into(),
                );
            }
        };
        let (first, plans) = match text("seeds") {
            Some(seeds) => {
                let ends =
                    seeds.split_once("..").and_then(|(a, b)| a.parse().ok().zip(b.parse().ok()));
                let ends = ends.filter(|(a, b): &(u64, u64)| a < b && b - a <= 1_000_000);
                let (a, b) = ends.ok_or_else(|| {
                    format!(
                        "expected A..B with A below B and at most 1000000 seeds, found `{seeds}`"
                    )
                })?;
                (a, (a..b).map(|_| OPERATIONS).collect::<Vec<u32>>())
            }
            None => {
                let all = asked.get_one::<u32>("operations").copied().unwrap_or(2_000);
                let rest = Some(all % OPERATIONS).filter(|rest| *rest > 0);
                (0, (0..all / OPERATIONS).map(|_| OPERATIONS).chain(rest).collect())
            }
        };
        let usual = u32::try_from(plans.len()).unwrap_or(u32::MAX);
        let kills = match (asked.get_one::<u32>("kills").copied(), &named) {
            (Some(kills), Named::Endpoint(_)) if kills > 0 => {
                return Err(
                    "expected --spawn with --kills: a server that listens elsewhere is not killed"
                        .into(),
                );
            }
            (_, Named::Endpoint(_)) => 0,
            (kills, Named::Spawn(_)) => kills.unwrap_or(usual),
        };
        let rules = text("rules").map(|rules| rules.parse::<Rules>()).transpose();
        let files = asked.get_many::<String>("files").into_iter().flatten().map(|name| {
            let text = store::read(Path::new(name)).map_err(|error| error.to_string())?;
            Ok((name.clone(), SeedFile::parse(&text, name)?))
        });
        let files = files.collect::<Result<Vec<_>, String>>()?;
        let out: PathBuf = text("out").unwrap_or_default().into();
        if files.is_empty() {
            // Now, and not when there is something to keep that would be lost.
            Store::open(&out)?;
        }
        Ok(Asked {
            files,
            named,
            first,
            plans,
            kills,
            rules: rules.map_err(|error| error.to_string())?,
            out,
            shrink_runs: asked.get_one("shrink-runs").copied().unwrap_or(1),
        })
    }

    /// The plans with their seeds, and with their files if they have any.
    fn plans(&self) -> Vec<(Option<&str>, u64, Vec<Numbered>)> {
        if !self.files.is_empty() {
            let each = self.files.iter();
            return each
                .map(|(name, file)| (Some(name.as_str()), file.seed, file.plan.clone()))
                .collect();
        }
        let count = self.plans.len() as u64;
        let until = |n: u64| u32::try_from(u64::from(self.kills) * n / count).expect("at most all");
        let each = (0..).zip(&self.plans).map(|(n, operations)| {
            let kills = until(n + 1) - until(n);
            (None, self.first + n, plan(self.first + n, *operations, kills))
        });
        each.collect()
    }
}

/// A difference that no row explains.
struct Finding {
    seed: u64,
    difference: Difference,
    file: PathBuf,
    steps: usize,
}

/// A campaign against one kind of server.
struct Campaign<'c> {
    asked: &'c Asked,
    source: Box<dyn Source>,
    version: String,
    rules: Rules,
    hash_by: HashBy,
    known: Known,
    tally: Tally,
    findings: BTreeMap<&'static str, Finding>,
    /// Plans without a verdict.
    troubles: Vec<String>,
    stop: &'c AtomicBool,
}

/// The whole verb.
pub(super) fn run(
    asked: &ArgMatches,
    console: &mut Console<'_>,
    stop: &AtomicBool,
) -> Result<Status, String> {
    let asked = Asked::read(asked)?;
    let mut campaign = Campaign::new(&asked, stop).map_err(|Trouble(why)| why)?;
    let (version, rules, hash) = (&campaign.version, campaign.rules, campaign.hash_by.said());
    console.say(format_args!("etcd {version}, rules {rules}, hash {hash}"));
    let plans = asked.plans();
    for (n, (file, seed, plan)) in plans.iter().enumerate() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        campaign.one((*file, *seed, plan), console)?;
        if (n + 1) % 10 == 0 {
            console.note(format_args!("{} of {} plans", n + 1, plans.len()));
        }
    }
    campaign.report(console);
    let interrupted = stop.load(Ordering::Relaxed);
    Ok(if !campaign.findings.is_empty() {
        Status::Finding
    } else if interrupted || !campaign.troubles.is_empty() {
        Status::Undecided
    } else {
        Status::Clean
    })
}

/// The era of a version. Releases between two eras are held to the earlier one.
fn rules_of(version: &str) -> Result<Rules, Trouble> {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().ok());
    match (parts.next().flatten(), parts.next().flatten()) {
        (Some(3), Some(minor)) if minor < 6 => Ok(Rules::V3_4),
        (Some(_), Some(_)) => Ok(Rules::Main),
        _ => Err(Trouble(format!("expected a version such as 3.4.23, found `{version}`"))),
    }
}

impl<'c> Campaign<'c> {
    fn new(asked: &'c Asked, stop: &'c AtomicBool) -> Result<Campaign<'c>, Trouble> {
        let (source, version, hash_by): (Box<dyn Source>, String, HashBy) = match &asked.named {
            Named::Spawn(path) => {
                let mut spawner = Spawner::new(path.clone())?;
                let first = spawner.start()?;
                let version = version(first.address())?;
                let hash_by = HashBy::find(first.address(), Some(path));
                spawner.hash_by = hash_by.clone();
                (Box::new(spawner), version, hash_by)
            }
            Named::Endpoint(url) => {
                let address = Address::parse(url).map_err(Trouble)?;
                let version = version(&address)
                    .map_err(|Trouble(why)| Trouble(format!("expected an etcd at {url}: {why}")))?;
                let hash_by = HashBy::find(&address, None);
                let endpoint = Endpoint { address, hash_by: hash_by.clone() };
                (Box::new(endpoint), version, hash_by)
            }
        };
        let rules = asked.rules.map_or_else(|| rules_of(&version), Ok)?;
        let (known, tally) = (Known::of(&version), Tally::default());
        let (findings, troubles) = (BTreeMap::new(), Vec::new());
        Ok(Campaign {
            asked,
            source,
            version,
            rules,
            hash_by,
            known,
            tally,
            findings,
            troubles,
            stop,
        })
    }

    fn trial(&mut self, plan: &[Numbered], tally: &mut Tally) -> End {
        if self.stop.load(Ordering::Relaxed) {
            return End::Interrupted;
        }
        match self.source.fresh(self.rules) {
            Ok(fresh) => Trial::new(fresh, &self.known, tally).run(plan, self.stop),
            Err(trouble) => End::Trouble(0, trouble),
        }
    }

    fn one(
        &mut self,
        (file, seed, plan): (Option<&str>, u64, &[Numbered]),
        console: &mut Console<'_>,
    ) -> Result<(), String> {
        let mut tally = std::mem::take(&mut self.tally);
        let end = self.trial(plan, &mut tally);
        self.tally = tally;
        let named = file.map_or_else(|| format!("seed {seed}"), str::to_owned);
        match end {
            End::Agreed | End::Interrupted => {}
            End::Trouble(step, Trouble(why)) => {
                console.note(format_args!("{named}: no verdict at step {step}: {why}"));
                self.troubles.push(named);
            }
            End::Differs(step, difference) if self.findings.contains_key(difference.class) => {
                console.note(format_args!("{named}: {} again, at step {step}", difference.class));
            }
            End::Differs(step, difference) => {
                let plan: Vec<Numbered> =
                    plan.iter().filter(|(number, _)| *number <= step).cloned().collect();
                match file {
                    Some(file) => self.seen(seed, (&plan, Path::new(file)), difference, console),
                    None => self.keep(seed, &plan, difference, console)?,
                }
            }
        }
        Ok(())
    }

    /// Writes a difference down, and then the few steps of it that matter.
    fn keep(
        &mut self,
        seed: u64,
        plan: &[Numbered],
        difference: Difference,
        console: &mut Console<'_>,
    ) -> Result<(), String> {
        let name = difference.class.replace(' ', "-");
        let file = self.asked.out.join(format!("mvcc-etcd-{name}.toml"));
        self.write(&file, seed, plan, &difference.detail)?;
        let (mut runs, mut detail) = (0, None);
        let shrunk = shrink(plan, self.asked.shrink_runs, |candidate| {
            runs += 1;
            match self.trial(candidate, &mut Tally::default()) {
                End::Differs(_, found) if found.class == difference.class => {
                    detail = Some(found.detail);
                    true
                }
                _ => false,
            }
        });
        // The last candidate that differed is what is left.
        let detail =
            detail.unwrap_or_else(|| format!("seen once, not again: {}", difference.detail));
        self.write(&file, seed, &shrunk, &detail)?;
        console.note(format_args!(
            "{}: shrunk to {} steps in {runs} runs",
            difference.class,
            shrunk.len()
        ));
        self.seen(seed, (&shrunk, &file), Difference { detail, ..difference }, console);
        Ok(())
    }

    fn write(&self, file: &Path, seed: u64, plan: &[Numbered], detail: &str) -> Result<(), String> {
        let on = format!("On etcd {}, by the rules of {}.", self.version, self.rules);
        let comment = vec![detail.to_owned(), on];
        let text = SeedFile { comment, seed, plan: plan.to_vec() }.print();
        store::replace(file, &text)
    }

    fn seen(
        &mut self,
        seed: u64,
        (plan, file): (&[Numbered], &Path),
        difference: Difference,
        console: &mut Console<'_>,
    ) {
        console.say(format_args!("{}: {}", difference.class, difference.detail));
        plan.iter().for_each(|(number, step)| console.say(format_args!("  {number:>3}  {step}")));
        let name = file.display().to_string();
        console.say(match &self.asked.named {
            Named::Spawn(path) => {
                console.command(&["etcd", "--spawn", &path.display().to_string(), &name])
            }
            Named::Endpoint(url) => console.command(&["etcd", "--endpoint", url, &name]),
        });
        let (class, steps) = (difference.class, plan.len());
        self.findings.insert(class, Finding { seed, difference, file: file.into(), steps });
    }

    fn report(&self, console: &mut Console<'_>) {
        let Tally { plans, operations, kills, watches, events, hashes, fired } = &self.tally;
        console.say(format_args!(
            "{plans} plans, {operations} operations, {kills} kills, {watches} watches, {events} events, {hashes} hashes"
        ));
        for (row, fired) in ROWS.iter().zip(fired) {
            console.say(format_args!("known: {} fired {fired} times: {}", row.name, row.what));
            console.say(format_args!("       {} ({})", row.operation, row.source));
        }
        let (findings, troubles) = (self.findings.len(), self.troubles.len());
        console.say(format_args!("{findings} findings, {troubles} plans without a verdict"));
        if self.stop.load(Ordering::Relaxed) {
            console.note("interrupted");
        }
        console.document(&self.document());
    }

    fn document(&self) -> Value {
        let Tally { plans, operations, kills, watches, events, hashes, fired } = &self.tally;
        let known = ROWS.iter().zip(fired).map(|(row, fired)| {
            json!({
                "row": row.name, "versions": row.versions, "source": row.source,
                "operation": row.operation, "what": row.what, "fired": fired,
            })
        });
        let findings = self.findings.values().map(|Finding { seed, difference, file, steps }| {
            json!({
                "seed": seed, "class": difference.class, "detail": difference.detail,
                "file": file.display().to_string(), "steps": steps,
            })
        });
        json!({
            "scenario": SCENARIO, "version": self.version, "rules": self.rules.to_string(),
            "hash": self.hash_by.said(), "plans": plans, "operations": operations, "kills": kills,
            "watches": watches, "events": events, "hashes": hashes,
            "known": known.collect::<Vec<_>>(), "findings": findings.collect::<Vec<_>>(),
            "no_verdict": self.troubles, "interrupted": self.stop.load(Ordering::Relaxed),
        })
    }
}
