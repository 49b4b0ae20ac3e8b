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

    /// Whether the others were told nothing else of the revisions that the record of the same life knows.
    pub fn beside(&self) -> Checked {
        let others = self.others.iter().map(|(life, id, event)| (*life, *id, event));
        self.compare(others, |told_to, record| told_to == record)
    }

    /// The same where all lives of all nodes have one history: all records count, and they must not differ either.
    pub fn beside_all(&self) -> Checked {
        let others = self.others.iter().map(|(life, id, event)| (*life, *id, event));
        let records = self
            .told
            .iter()
            .flat_map(|((life, _), events)| events.iter().map(|event| (*life, RECORD, event)));
        let first = self.compare(records, |told_to, record| told_to != record);
        if let Checked::Broken(..) = first {
            return first;
        }
        match self.compare(others, |_, _| true) {
            Checked::Skipped => first,
            second => second,
        }
    }

    /// Holds what was told against the records that count for it.
    fn compare<'r>(
        &'r self,
        told: impl Iterator<Item = (Life, WatchId, &'r Event)>,
        counts: impl Fn(Life, Life) -> bool,
    ) -> Checked {
        let mut checked = Checked::Skipped;
        for (life, id, event) in told {
            let records = self.told.iter().filter(|((record, revision), _)| {
                *revision == event.kv.mod_revision && counts(life, *record)
            });
            for (_, events) in records {
                if !events.contains(event) {
                    let detail = format!("watcher {id}: {event}");
                    return Checked::Broken("not in the record", detail);
                }
                checked = Checked::Held;
            }
        }
        checked
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

    #[test]
    fn where_all_have_one_history_records_and_others_are_held_against_all_records() {
        let life = |n| (NodeId(n), Incarnation(1));
        let event = |value: &str| {
            let kv = KeyValue { key: "a".into(), mod_revision: 2, ..KeyValue::default() };
            Event { kind: Kind::Put, kv: KeyValue { value: value.into(), ..kv }, previous: None }
        };
        let mut record = Record::default();
        record.hear(life(0), RECORD, &[event("1")]);
        assert_eq!((record.beside(), record.beside_all()), (Checked::Skipped, Checked::Skipped));
        record.hear(life(1), WatchId(3), &[event("1")]);
        assert_eq!((record.beside(), record.beside_all()), (Checked::Skipped, Checked::Held));
        let mut other = record.clone();
        other.hear(life(2), WatchId(4), &[event("2")]);
        assert!(matches!(other.beside_all(), Checked::Broken("not in the record", _)));
        record.hear(life(1), RECORD, &[event("1")]);
        assert_eq!((record.beside(), record.beside_all()), (Checked::Held, Checked::Held));
        record.hear(life(2), RECORD, &[event("2")]);
        assert_eq!(record.beside(), Checked::Held);
        assert!(matches!(record.beside_all(), Checked::Broken("not in the record", _)));
    }
}
