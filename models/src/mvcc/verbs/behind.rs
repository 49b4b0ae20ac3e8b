//! Verbs for what goes on behind the requests.

use std::collections::BTreeSet;
use std::fmt::Write;

use seedbed_sim::time::Span;

use super::super::backend::Bucket;
use super::super::compaction::{Compaction, FINISHED, SCHEDULED, mark};
use super::super::kv::{Committed, Kv, Opened};
use super::super::pages::PAGE_SIZE_MIN;
use super::super::parameters::Parameters;
use super::super::rules::Rules;
use super::super::text::quoted;
use super::{Desk, Said, refuse, say, words};

impl Desk {
    pub(super) fn behind(&mut self, verb: &str, operands: &[&str]) -> Option<Said> {
        Some(match (verb, operands) {
            ("params", _) => self.params(operands),
            ("wait", [time]) => self.wait(time),
            ("commit", []) => self.commit(),
            ("batch", _) => words::count(operands, 1).and_then(|limit| self.batch(limit)),
            ("sweep", [at, keep @ ..]) => self.sweep(at, keep),
            ("pending", []) => {
                self.kv().map(|kv| say::lines(kv.backend().pending().iter().map(say::change)))
            }
            ("records", []) => {
                self.kv().map(|kv| say::lines(kv.backend().scan(Bucket::Key, b"").map(say::record)))
            }
            ("marks", []) => self.marks(),
            ("index", [] | [_]) => self.index(operands.first().copied()),
            ("close", []) => self.close(),
            ("crash", []) => self.crash(),
            ("open", _) => words::count(operands, 2).and_then(|chunk| self.open(chunk)),
            ("restore", []) => self.kv().and_then(|kv| kv.restore().map(opened).map_err(refuse)),
            _ => return None,
        })
    }

    fn params(&mut self, operands: &[&str]) -> Said {
        if operands.is_empty() {
            return Ok(shown(&self.parameters));
        }
        let mut parameters = Desk::default().parameters;
        for pair in operands.chunks(2) {
            let [name, value] = pair else {
                return Err(format!("expected a value for `{}`", pair[0]));
            };
            set(&mut parameters, name, value)?;
        }
        *self = Desk::with(parameters);
        Ok(format!("revision {}", self.kv()?.store().current()))
    }

    fn wait(&mut self, time: &str) -> Said {
        let time = Span::parse(time)?;
        let kv = self.kv()?;
        match kv.tick(time).map_err(refuse)? {
            Some(done) => Ok(committed(Some(done))),
            None => Ok(format!("{} changes are pending", kv.backend().pending().len())),
        }
    }

    pub(super) fn commit(&mut self) -> Said {
        self.kv()?.force_commit().map(committed).map_err(refuse)
    }

    fn batch(&mut self, limit: usize) -> Said {
        let batch = self.kv()?.batch(Some(limit)).map_err(refuse)?;
        let deleted = batch.deleted.iter().map(|key| say::record_key(key));
        let last = if batch.last { ", finished" } else { "" };
        Ok(format!("deleted {}{last}", say::words(deleted, "nothing")))
    }

    fn sweep(&mut self, at: &str, keep: &[&str]) -> Said {
        let at = words::revision(at)?.main;
        let keep = match keep.split_first() {
            None => &[],
            Some((&"keep", keep)) => keep,
            Some((other, _)) => return Err(format!("expected `keep`, found `{other}`")),
        };
        let keep: BTreeSet<_> =
            keep.iter().map(|of| words::revision(of)).collect::<Result<_, _>>()?;
        self.kv()?.sweep(Compaction::keeping(at, keep)).map_err(refuse)?;
        self.batch(usize::MAX)
    }

    fn marks(&mut self) -> Said {
        let kv = self.kv()?;
        let [scheduled, finished] =
            [SCHEDULED, FINISHED].map(|key| match mark(kv.backend(), key) {
                Ok(Some(revision)) => revision.to_string(),
                Ok(None) => "none".into(),
                Err(fatal) => fatal.to_string(),
            });
        Ok(format!("scheduled {scheduled}, finished {finished}"))
    }

    fn index(&mut self, wanted: Option<&str>) -> Said {
        let index = self.kv()?.store().index();
        let keys = index.keys().map(|(key, index)| (quoted(key).to_string(), index));
        let keys = keys.filter(|(key, _)| wanted.is_none_or(|wanted| wanted == key));
        Ok(say::lines(keys.map(|(key, index)| format!("{key}: {}", say::generations(index)))))
    }

    fn close(&mut self) -> Said {
        let said = self.commit()?;
        let kv = self.kv()?;
        kv.close().map_err(refuse)?;
        self.file = kv.file().to_vec();
        Ok(said)
    }

    pub(super) fn crash(&mut self) -> Said {
        let kv = self.kv.take().ok_or("the store is down")?;
        (self.file, self.snapshot) = (kv.file().to_vec(), None);
        Ok(format!("{} changes are lost", kv.backend().pending().len()))
    }

    fn open(&mut self, chunk: usize) -> Said {
        if self.kv.as_ref().is_some_and(|kv| kv.backend().is_open()) {
            return Err("the store is open".into());
        }
        let mut parameters = self.parameters;
        parameters.settings.restore_chunk = chunk;
        let (kv, found) = Kv::open(self.file.clone(), parameters).map_err(refuse)?;
        self.kv = Some(kv);
        Ok(opened(found))
    }
}

pub(super) fn committed(committed: Option<Committed>) -> String {
    match committed {
        Some(Committed { changes, pages }) => format!("{changes} changes in {pages} pages"),
        None => "nothing is pending".into(),
    }
}

pub(super) fn opened(opened: Opened) -> String {
    let mut said = format!("revision {}, compacted {}", opened.current, opened.compacted);
    if let Some(at) = opened.resumed {
        let _ = write!(said, ", compacting {at}");
    }
    said
}

/// One parameter by its name. The rules bring their defaults along, so they come first.
fn set(parameters: &mut Parameters, name: &str, value: &str) -> Result<(), String> {
    let count = || words::count(&[value], 1);
    let yes = || match value {
        "yes" => Ok(true),
        "no" => Ok(false),
        other => Err(format!("expected `yes` or `no`, found `{other}`")),
    };
    let settings = &mut parameters.settings;
    match name {
        "rules" => {
            let rules: Rules = words::parse(value, "one of `2015 3.4 main`")?;
            let (page_size, restore_chunk) = (settings.page_size, settings.restore_chunk);
            *parameters = Parameters::of(rules);
            parameters.settings.page_size = page_size;
            parameters.settings.restore_chunk = restore_chunk;
        }
        "batch_limit" => settings.batch_limit = count()?,
        "batch_interval" => settings.batch_interval = Span::parse(value)?,
        "compaction_batch" => settings.compaction_batch = count()?,
        "compaction_pause" => settings.compaction_pause = Span::parse(value)?,
        "restore_chunk" => settings.restore_chunk = count()?,
        "page_size" => {
            let units = words::parse::<u16>(value, "a size in bytes")?;
            let size = u32::from(units);
            if size < PAGE_SIZE_MIN || !size.is_multiple_of(16) {
                return Err(format!(
                    "expected a multiple of 16 from {PAGE_SIZE_MIN} on, found `{value}`"
                ));
            }
            settings.page_size = size;
        }
        "read_buffer" => parameters.read_buffer = yes()?,
        "commits_deletions" => parameters.commits_deletions = yes()?,
        "defrag_batch" => parameters.defrag_batch = count()?,
        "hashes_kept" => parameters.hashes_kept = count()?,
        "channel" => parameters.watch.channel = count()?,
        "watchers" => parameters.watch.watchers = count()?,
        "revisions" => parameters.watch.revisions = count()?,
        other => return Err(format!("expected the name of a parameter, found `{other}`")),
    }
    Ok(())
}

/// All parameters, in the words of `params`.
fn shown(parameters: &Parameters) -> String {
    let Parameters { rules, settings, watch, .. } = parameters;
    let yes = |is| if is { "yes" } else { "no" };
    let lines = [
        format!("rules {rules}"),
        format!("batch_limit {}", settings.batch_limit),
        format!("batch_interval {}", settings.batch_interval),
        format!("compaction_batch {}", settings.compaction_batch),
        format!("compaction_pause {}", settings.compaction_pause),
        format!("restore_chunk {}", settings.restore_chunk),
        format!("page_size {}", settings.page_size),
        format!("read_buffer {}", yes(parameters.read_buffer)),
        format!("commits_deletions {}", yes(parameters.commits_deletions)),
        format!("defrag_batch {}", parameters.defrag_batch),
        format!("hashes_kept {}", parameters.hashes_kept),
        format!("channel {}", watch.channel),
        format!("watchers {}", watch.watchers),
        format!("revisions {}", watch.revisions),
    ];
    lines.join("\n")
}
