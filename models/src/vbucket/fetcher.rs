//! The background fetcher: brings evicted values back, one after the other. What has changed meanwhile stays as it is.

use std::collections::VecDeque;

use seedbed_sim::actor::{Context, DiskDone, DiskEvent, Event};
use seedbed_sim::id::RequestId;

use super::loader::DISK_PATIENCE;
use super::mark;
use super::message::{Msg, Timer};
use super::model::{Mates, Node};
use super::op::{Key, Vb};
use super::record::{self, Record};

/// The fetcher.
#[derive(Clone, Debug)]
pub struct Fetcher {
    mates: Mates,
    queue: VecDeque<(Vb, Key)>,
    /// What is being read: which version, under which request.
    reading: Option<(RequestId, u64)>,
}

impl Fetcher {
    /// The fetcher of this node.
    #[must_use]
    pub fn new(mates: Mates) -> Fetcher {
        Fetcher { mates, queue: VecDeque::new(), reading: None }
    }

    pub(super) fn on_event(&mut self, event: Event<Node>, cx: &mut Context<'_, Node>) {
        match event {
            Event::Message { msg: Msg::Fetch(vb, key), .. } => {
                self.queue.push_back((vb, key));
                self.next(cx);
            }
            Event::Disk(DiskEvent { request, result }) => {
                if self.reading.is_none_or(|(of, _)| of != request) {
                    return;
                }
                match result {
                    Ok(DiskDone::Read(bytes)) => self.read(&bytes, cx),
                    Ok(_) => {}
                    Err(_) => cx.fail_stop("the disk has failed"),
                }
            }
            Event::Timer(Timer::Disk) => cx.fail_stop("the disk does not answer"),
            Event::Stop => cx.stopped(),
            _ => {}
        }
    }

    fn next(&mut self, cx: &mut Context<'_, Node>) {
        if self.reading.is_some() {
            return;
        }
        while let Some(&(vb, key)) = self.queue.front() {
            let memory = cx.shared();
            let entry = memory.vbs.get(&vb).and_then(|vbucket| vbucket.table.entry(key));
            let wanted = entry.filter(|entry| entry.value.is_none());
            let place = wanted.and_then(|entry| Some((entry.row?, entry.cas)));
            if let (Some((row, cas)), Some(file)) = (place, memory.file) {
                let request = cx.read_at(file, row.offset, row.len);
                cx.arm(Timer::Disk, DISK_PATIENCE);
                self.reading = Some((request, cas));
                return;
            }
            self.queue.pop_front();
            cx.send(self.mates.front, Msg::Fetched(vb, key));
        }
    }

    fn read(&mut self, bytes: &[u8], cx: &mut Context<'_, Node>) {
        cx.disarm(Timer::Disk);
        let Some((_, cas)) = self.reading.take() else { return };
        let Some((vb, key)) = self.queue.pop_front() else { return };
        let vbucket = cx.shared().vbs.get_mut(&vb);
        let entry = vbucket.and_then(|vbucket| vbucket.table.entry_mut(key));
        match (entry, record::decode(bytes)) {
            (Some(entry), Some((Record::Set(_, _, version), _))) if entry.cas == version.cas => {
                entry.value = Some(version.value);
            }
            (Some(entry), _) if entry.cas != cas => cx.mark(&mark::CHANGED_WHILE_FETCHED),
            (Some(_), _) => cx.fail_stop("the disk has lost a value"),
            (None, _) => {}
        }
        cx.send(self.mates.front, Msg::Fetched(vb, key));
        self.next(cx);
    }
}
