//! What may come back from disk.

use std::collections::{BTreeMap, BTreeSet};

use super::life::{Life, Version};
use super::{Broken, Ghost, Judged};
use crate::vbucket::checks::{BARRIER, KEEPS, NOT_BEFORE_DISK, STANDINGS_IN_ORDER};
use crate::vbucket::memory::Memory;
use crate::vbucket::op::{Key, Vb};
use crate::vbucket::record::Standing;
use crate::vbucket::reference::{Item, Vbucket};
use crate::vbucket::table::Entry;
use crate::vbucket::vb::{Counters, Vbucket as InMemory};

impl Ghost {
    /// A node has read its disk, and has said no later second than this: each vbucket is one that may be on disk, and so is each key in it.
    pub(super) fn loaded(&mut self, memory: &Memory, now: u64) -> Judged {
        self.asked.clear();
        if self.lives.is_empty() {
            // The first boot of all.
            for (vb, vbucket) in &memory.vbs {
                let Standing { birth, state, change, .. } = vbucket.standing;
                let life =
                    Life { states: vec![(change, state)], saved: change, ..Life::new(birth) };
                self.lives.insert(*vb, vec![life]);
            }
        }
        let vbs: BTreeSet<Vb> = self.lives.keys().chain(memory.vbs.keys()).copied().collect();
        for vb in vbs {
            let lives = self.lives.remove(&vb).unwrap_or_default();
            let lives = back(vb, lives, memory.vbs.get(&vb), (now, memory.settings.expiry_window))?;
            self.lives.insert(vb, lives);
        }
        Ok(())
    }
}

/// The one life that has come back.
fn back(
    vb: Vb,
    lives: Vec<Life>,
    found: Option<&InMemory>,
    (now, window): (u64, u64),
) -> Result<Vec<Life>, Broken> {
    let broken = |detail| Err((STANDINGS_IN_ORDER, "another life", detail));
    let Some(found) = found else {
        return match lives.iter().find(|life| life.saved != 0 && !life.is_gone) {
            None => Ok(Vec::new()),
            Some(life) => broken(format!("{vb} born @{} did not come back", life.birth)),
        };
    };
    let Standing { birth, state, change, .. } = found.standing;
    let Some(mut life) = lives.into_iter().find(|life| life.birth == birth) else {
        return broken(format!("{vb} came back as born @{birth}"));
    };
    if change < life.saved || !life.states.contains(&(change, state)) {
        let saved = life.saved;
        return broken(format!("{vb} came back as {state}, change {change}; {saved} was on disk"));
    }
    life.states.retain(|(of, _)| *of <= change);
    life.saved = change;
    life.is_gone = false;
    life.load(found, now + window)?;
    let id = found.standing.persisted;
    if !life.ids.contains(&id) {
        let detail = format!("{vb} came back with checkpoint {id}, not one of {:?}", life.ids);
        return Err((NOT_BEFORE_DISK, "another checkpoint came back", detail));
    }
    (life.published, life.ids) = (id, vec![id]);
    Ok(vec![life])
}

impl Life {
    /// Takes what has come back in place of what was in memory. What was not known to be written, and runs out before
    /// `late`, may be away already.
    fn load(&mut self, found: &InMemory, late: u64) -> Judged {
        self.window = None;
        (self.is_reverting, self.owes_revert) = (false, false);
        self.counted = Counters::default();
        let mut reference = Vbucket::default();
        // For each completed window: whether it may have come back as a whole, and whether it may not have come back at all.
        let mut windows: BTreeMap<u32, (bool, bool)> = BTreeMap::new();
        for key in (0..).map(Key).take(Key::FEW) {
            let entry = found.table.entry(key);
            let complete = self.complete.clone();
            let versions = self.versions(key);
            let may: Vec<usize> = (0..versions.len())
                .filter(|at| {
                    let version = &versions[*at];
                    version.window.is_none_or(|window| complete.contains(&window))
                        && is(version, entry, Some(late).filter(|_| *at > 0))
                })
                .collect();
            let Some(at) = may.first() else { return Err(strange(key, entry, versions)) };
            for window in versions.iter().filter_map(|version| version.window) {
                let last = versions.iter().rposition(|version| version.window == Some(window));
                let first = versions.iter().position(|version| version.window == Some(window));
                let (all, none) = windows.entry(window).or_insert((true, true));
                *all &= may.iter().any(|at| Some(*at) >= last);
                *none &= may.iter().any(|at| Some(*at) < first);
            }
            let kept = Version { mutation: 0, window: None, ..versions[*at].clone() };
            let item = kept.item.clone().filter(|_| entry.is_some());
            if let Some(item) = &item {
                reference.items.insert(key, item.clone());
            }
            *versions = vec![Version { item, checkpoint: 0, is_away: false, ..kept }];
        }
        self.reference = reference;
        let part = windows
            .iter()
            .find(|(window, (all, none))| self.complete.contains(window) && !all && !none);
        if let Some((window, _)) = part {
            let detail = format!("a part of online update {window} came back");
            return Err((BARRIER, "a part of the window", detail));
        }
        self.complete.clear();
        Ok(())
    }
}

/// Whether an entry is this version, which may have been written as a deletion if it ran out before `late`.
fn is(version: &Version, entry: Option<&Entry>, late: Option<u64>) -> bool {
    match (&version.item, entry) {
        (None, None) => true,
        (Some(_), _) if version.is_away => entry.is_none(),
        (Some(Item { until, .. }), None) => {
            until.zip(late).is_some_and(|(until, late)| until < late)
        }
        (None, Some(_)) => false,
        (Some(item), Some(entry)) => {
            let value = entry.value.as_ref().is_none_or(|value| *value == item.value);
            value && (entry.flags, entry.until, entry.cas) == (item.flags, item.until, item.cas)
        }
    }
}

fn strange(key: Key, entry: Option<&Entry>, versions: &[Version]) -> Broken {
    let found = match entry {
        None => "nothing".to_string(),
        Some(Entry { value: Some(value), cas, .. }) => format!("`{value}` @{cas}"),
        Some(Entry { value: None, cas, .. }) => format!("a value @{cas}"),
    };
    let might: Vec<String> = versions
        .iter()
        .map(|version| match &version.item {
            Some(item) => format!("`{}` @{}", item.value, item.cas),
            None => format!("nothing @{}", version.cas),
        })
        .collect();
    let known = entry.is_some_and(|entry| versions.iter().any(|version| version.cas == entry.cas));
    let class = if known { "in the window" } else { "lost or old" };
    (KEEPS, class, format!("{key} came back as {found}, expected one of {}", might.join(", ")))
}

#[cfg(test)]
mod tests {
    use seedbed_sim::actor::BugSet;

    use super::*;
    use crate::vbucket::note::Note;
    use crate::vbucket::op::{Call, State};
    use crate::vbucket::settings::Settings;
    use crate::vbucket::vb::Changed;

    /// A vbucket in which a key runs out in second 15, at a boot that takes everything before second 20 for late. The
    /// flusher has written a version of it, or that it is gone, or nothing yet; no key comes back.
    fn nothing_comes_back(written: Option<bool>) -> Judged {
        let (vb, key, cas, mutation) = (Vb(0), Key(0), 7, 1001);
        let mut life = Life::new(1);
        let call: Call = "set a 1 ttl 5".parse().expect("an operation");
        life.reference.serve(&call, 0, 10, cas);
        life.take(
            &Note::Queued(vb, key, cas, Changed { checkpoint: 1, mutation, grew: true }),
            10,
        )?;
        if let Some(is_late) = written {
            life.take(&Note::Committed(vb, key, cas, (mutation, is_late)), 10)?;
        }
        let mut memory = Memory::new(Settings::default(), 2, BugSet::NONE);
        memory.create(vb, State::Active, 0);
        life.load(&memory.vbs[&vb], 20)
    }

    #[test]
    fn what_is_on_disk_as_a_version_comes_back_however_soon_it_runs_out() {
        let lost = nothing_comes_back(Some(false)).map_err(|(name, ..)| name);
        assert_eq!(lost, Err(KEEPS));
        assert_eq!(nothing_comes_back(Some(true)), Ok(()));
        assert_eq!(nothing_comes_back(None), Ok(()));
    }
}
