//! The record: what the watcher of everything was told, against which the others are held, beside the reference model.

use std::collections::BTreeMap;

use seedbed_sim::check::Checked;

use super::RECORD;
use super::judge::Life;
use crate::mvcc::watch::{Event, WatchId};

/// What was told of each revision of each life.
#[derive(Clone, Debug, Default)]
pub struct Record {
    told: BTreeMap<(Life, i64), Vec<Event>>,
    others: Vec<(Life, WatchId, Event)>,
}

impl Record {
    /// A watcher in some life is told. What keys were before is not asked for by all.
    pub fn hear(&mut self, life: Life, id: WatchId, events: &[Event]) {
        for event in events {
            let event = Event { previous: None, ..event.clone() };
            if id == RECORD {
                self.told.entry((life, event.kv.mod_revision)).or_default().push(event);
            } else {
                self.others.push((life, id, event));
            }
        }
    }

    /// Whether the others were told nothing else of the revisions that the record knows.
    pub fn beside(&self) -> Checked {
        let known = |life: Life, event: &Event| self.told.get(&(life, event.kv.mod_revision));
        let mut compared =
            self.others.iter().filter(|(life, _, event)| known(*life, event).is_some()).peekable();
        if compared.peek().is_none() {
            return Checked::Skipped;
        }
        let odd = compared
            .find(|(life, _, event)| known(*life, event).is_some_and(|told| !told.contains(event)));
        odd.map_or(Checked::Held, |(_, id, event)| {
            Checked::Broken("not in the record", format!("watcher {id}: {event}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use seedbed_sim::id::{Incarnation, NodeId};

    use super::*;
    use crate::mvcc::response::KeyValue;
    use crate::mvcc::watch::Kind;

    #[test]
    fn what_the_record_does_not_know_of_a_revision_is_seen() {
        let life = |n| (NodeId(0), Incarnation(n));
        let event = |key: &str, value: &str| {
            let kv = KeyValue { key: key.into(), mod_revision: 2, ..KeyValue::default() };
            Event { kind: Kind::Put, kv: KeyValue { value: value.into(), ..kv }, previous: None }
        };
        let mut record = Record::default();
        record.hear(life(1), WatchId(3), &[event("a", "1")]);
        assert_eq!(record.beside(), Checked::Skipped);
        record.hear(life(1), RECORD, &[event("a", "1")]);
        assert_eq!(record.beside(), Checked::Held);
        // Another life has a record of its own.
        record.hear(life(2), WatchId(3), &[event("a", "2")]);
        assert_eq!(record.beside(), Checked::Held);
        record.hear(life(1), WatchId(3), &[event("a", "2")]);
        assert!(matches!(record.beside(), Checked::Broken("not in the record", _)));
    }
}
