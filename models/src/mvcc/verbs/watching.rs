//! Verbs of those who watch.

use super::super::watch::{Request, StreamId, WatchId, WatcherId};
use super::{Desk, Said, refuse, say, words};

impl Desk {
    pub(super) fn watching(&mut self, verb: &str, operands: &[&str]) -> Option<Said> {
        Some(match (verb, operands) {
            ("stream", []) => self.kv().map(|kv| format!("stream {}", kv.watchers().open_stream())),
            ("watch", [stream, keys, options @ ..]) => self.watch(stream, keys, options),
            ("cancel", [stream, id]) => self.cancel(stream, id),
            ("ended", [stream, id]) => self.ended(stream, id),
            ("sync", []) => self.sync(),
            ("victims", [] | [_]) => self.victims(operands.first().copied()),
            ("progress", [stream, id @ ..]) => self.progress(stream, id),
            ("drain", [stream, count @ ..]) => self.drain(stream, count),
            ("groups", []) => self.groups(),
            ("stream-close", [stream]) => self.stream_close(stream),
            _ => return None,
        })
    }

    fn watch(&mut self, stream: &str, keys: &str, options: &[&str]) -> Said {
        let stream = self::stream(stream)?;
        let mut request = Request::new(words::keys(keys)?, 0);
        let mut rest = options;
        while let [option, after @ ..] = rest {
            rest = after;
            match (after, *option) {
                ([start, after @ ..], "from") => {
                    request.start = words::parse(start, "a revision")?;
                    rest = after;
                }
                ([id, after @ ..], "id") => {
                    request.id = Some(self::id(id)?);
                    rest = after;
                }
                (_, "no-put") => request.no_put = true,
                (_, "no-delete") => request.no_delete = true,
                (_, "prev") => request.with_previous = true,
                (_, other) => {
                    let options = "`from REV`, `id N`, `no-put`, `no-delete` or `prev`";
                    return Err(format!("expected {options}, found `{other}`"));
                }
            }
        }
        let kv = self.kv()?;
        let current = kv.store().current();
        let made = kv.watchers().watch(stream, request, current);
        let watch = made.map_err(|error| error.to_string())?;
        let synced = kv.watchers().groups().synced.contains(&WatcherId { stream, watch });
        Ok(format!("watcher {watch}, {}", if synced { "synced" } else { "unsynced" }))
    }

    fn cancel(&mut self, stream: &str, id: &str) -> Said {
        let (stream, id) = (self::stream(stream)?, self::id(id)?);
        let cancelled = self.kv()?.watchers().cancel(stream, id);
        cancelled.map(|()| "cancelled".into()).map_err(|error| error.to_string())
    }

    fn ended(&mut self, stream: &str, id: &str) -> Said {
        let (stream, id) = (self::stream(stream)?, self::id(id)?);
        let ended = self.kv()?.watchers().ended(stream, id);
        Ok(ended.map_or("nothing is known".into(), |ended| ended.to_string()))
    }

    fn sync(&mut self) -> Said {
        let round = self.kv()?.sync().map_err(refuse)?;
        Ok(format!(
            "{} chosen: {} compacted, {} synced, {} victims",
            round.chosen, round.compacted, round.synced, round.victims
        ))
    }

    fn victims(&mut self, part: Option<&str>) -> Said {
        let kv = self.kv()?;
        let current = kv.store().current();
        let watch = kv.watchers();
        let (all, helped) = match part {
            None => watch.victims(current),
            Some("begin") => return Ok(format!("{} victims in hand", watch.begin_victims())),
            Some("send") => {
                watch.resend();
                return Ok("sent what there was room for".into());
            }
            Some("end") => (watch.groups().in_hand.len(), watch.end_victims(current)),
            Some(other) => {
                return Err(format!("expected `begin`, `send` or `end`, found `{other}`"));
            }
        };
        Ok(format!("{helped} of {all} victims helped"))
    }

    fn progress(&mut self, stream: &str, watch: &[&str]) -> Said {
        let stream = self::stream(stream)?;
        let watch = match watch {
            [] => None,
            [watch] => Some(id(watch)?),
            [_, more, ..] => return Err(words::surplus(more)),
        };
        let kv = self.kv()?;
        let current = kv.store().current();
        let told = kv.watchers().progress(stream, watch, current);
        Ok(if told { "told" } else { "not told" }.into())
    }

    fn drain(&mut self, stream: &str, count: &[&str]) -> Said {
        let stream = self::stream(stream)?;
        let count = words::count(count, usize::MAX)?;
        let kv = self.kv()?;
        let mut said = Vec::new();
        while said.len() < count {
            match kv.receive(stream).map_err(refuse)? {
                Some(response) => said.push(response.to_string()),
                None => break,
            }
        }
        Ok(say::lines(said.into_iter()))
    }

    fn groups(&mut self) -> Said {
        let watch = self.kv()?.watchers();
        let groups = watch.groups();
        let all = [
            ("synced", groups.synced),
            ("unsynced", groups.unsynced),
            ("victims", groups.victims),
            ("in hand", groups.in_hand),
        ];
        let watcher = |id: WatcherId| {
            let next = watch.next_of(id).unwrap_or_default();
            format!("{id} from {next}")
        };
        let filled = all.into_iter().filter(|(_, ids)| !ids.is_empty());
        Ok(say::lines(filled.map(|(name, ids)| {
            let ids: Vec<String> = ids.into_iter().map(watcher).collect();
            format!("{name}: {}", ids.join(", "))
        })))
    }

    fn stream_close(&mut self, stream: &str) -> Said {
        let stream = self::stream(stream)?;
        let closed = self.kv()?.watchers().close_stream(stream);
        closed.map(|()| "closed".into()).map_err(|error| error.to_string())
    }
}

fn stream(word: &str) -> Result<StreamId, String> {
    words::parse(word, "a stream").map(StreamId)
}

fn id(word: &str) -> Result<WatchId, String> {
    words::parse(word, "the id of a watcher").map(WatchId)
}
