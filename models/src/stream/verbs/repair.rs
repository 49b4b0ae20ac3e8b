//! An application that lines of text drive: what its server and its routers tell it, and how its indexes stand.

use std::sync::Arc;

use seedbed_sim::actor::Event;
use seedbed_sim::id::ConnId;
use seedbed_sim::time::Span;

use super::words::{entry, number, small};
use crate::stream::indexer::Indexer;
use crate::stream::message::{Delivery, Msg, Told};
use crate::stream::model::Stream;
use crate::stream::op::{Keyspace, Point, Vb};
use crate::stream::settings::Settings;
use crate::stream::stage::{ROUTERS, SERVER, Stage};

/// What an application is told.
pub(super) const VERBS: [&str; 6] = ["stand", "session", "given", "broken", "told", "track"];

/// Its vbuckets.
const NUMBERS: [u16; 2] = [2, 12];

/// The application, of two vbuckets of each of the keyspaces a and a1.
#[derive(Clone, Debug)]
pub(super) struct Repair {
    indexer: Stream,
    pub(super) stage: Stage,
}

impl Repair {
    /// It boots, and opens both keyspaces. Escalation takes so many seconds.
    pub(super) fn new(escalate: u64) -> (Repair, String) {
        let escalate = Span::secs(escalate);
        let times = Settings { escalate, begin_wait: Span(escalate.0 / 3), ..Settings::default() };
        let settings = Settings { vbuckets: 2, repair_delay: Span::ms(60), ..times };
        let indexer = Stream::Indexer(Indexer::new(settings, ROUTERS, SERVER));
        let mut repair = Repair { indexer, stage: Stage::default() };
        repair.stage.feed(&mut repair.indexer, Event::Boot);
        let said = repair.stage.told();
        (repair, said)
    }

    /// One of [`VERBS`].
    pub(super) fn run(&mut self, words: &[&str]) -> Result<String, String> {
        match *words {
            ["stand", index, vb, seq] => self.stand([index, vb, seq]),
            ["session", keyspace] => self.session(keyspace),
            ["given", conn, vb, session, ref text @ ..] => {
                self.given(conn, [vb, session, &text.join(" ")])
            }
            ["broken", conn, ref vbs @ ..] => self.broken(conn, vbs),
            ["told", router, vb, session, attempt, ref answer @ ..] => {
                self.told([router, vb, session, attempt], answer)
            }
            ["track", vb] => self.track(vb),
            _ => Err(format!("expected another form of `{}`", words[0])),
        }
    }

    fn indexer(&mut self) -> Option<&mut Indexer> {
        match &mut self.indexer {
            Stream::Indexer(indexer) => Some(indexer),
            _ => None,
        }
    }

    /// An index has all of a vbucket up to there, at the end of a snapshot.
    fn stand(&mut self, words: [&str; 3]) -> Result<String, String> {
        let [which, vb, seq] = words;
        let (which, vb, seq): (usize, Vb, u64) = (small(which)?, vb.parse()?, number(seq)?);
        if !NUMBERS.contains(&vb.number) {
            return Err(format!("expected vbucket 2 or 12, found `{vb}`"));
        }
        let side = self.indexer().and_then(|indexer| indexer.sides.get_mut(&vb.keyspace));
        let index = side.and_then(|side| side.indexes.get_mut(which));
        let index = index.ok_or_else(|| format!("expected index 0 or 1, found `{which}`"))?;
        index.advance(vb.number, Point { seq, uuid: 1, snap_start: seq, snap_end: seq });
        Ok(format!("index {which} has {vb} up to {seq}"))
    }

    /// A new session of a keyspace.
    fn session(&mut self, keyspace: &str) -> Result<String, String> {
        let keyspace: Keyspace = keyspace.parse()?;
        let Repair { indexer, stage } = self;
        let Stream::Indexer(indexer) = indexer else { return Ok("nothing".into()) };
        if indexer.side(keyspace).is_none() {
            return Err(format!("expected a or a1, found `{keyspace}`"));
        }
        Ok(stage.act(|cx| indexer.open_session(keyspace, cx)))
    }

    fn deliver(&mut self, delivery: Delivery) -> String {
        let msg = Msg::Deliver(Arc::new(delivery));
        self.stage.feed(&mut self.indexer, Event::Message { from: SERVER, msg });
        self.stage.told()
    }

    /// The server hands over messages of a connection.
    fn given(&mut self, conn: &str, words: [&str; 3]) -> Result<String, String> {
        let [vb, session, text] = words;
        let entry = entry(vb, session, text)?;
        Ok(self.deliver(Delivery::Frame(ConnId(small(conn)?), vec![entry])))
    }

    /// The server tells the end of a connection, and which streams it breaks.
    fn broken(&mut self, conn: &str, vbs: &[&str]) -> Result<String, String> {
        let vbs = vbs.iter().map(|vb| vb.parse::<Vb>()).collect::<Result<Vec<Vb>, String>>()?;
        Ok(self.deliver(Delivery::Error(ConnId(small(conn)?), vbs)))
    }

    /// A router answers about one vbucket.
    fn told(&mut self, words: [&str; 4], answer: &[&str]) -> Result<String, String> {
        let [router, vb, session, attempt] = words;
        let (router, vb): (u8, Vb) = (small(router)?, vb.parse()?);
        if usize::from(router) >= ROUTERS.len() {
            return Err(format!("expected router 0 or 1, found `{router}`"));
        }
        let (session, attempt) = (number(session)?, small(attempt)?);
        let (active, rollback, failed) = (Vec::new(), Vec::new(), Vec::new());
        let keyspace = vb.keyspace;
        let mut told = Told { router, keyspace, session, attempt, active, rollback, failed };
        match answer.first().copied().unwrap_or_default() {
            "active" if answer.len() == 1 => told.active.push(vb.number),
            "failed" if answer.len() == 1 => told.failed.push(vb.number),
            "rollback" if answer.len() == 2 => {
                told.rollback.push((vb.number, number(answer[1])?));
            }
            _ => return Err("expected active, failed or rollback SEQ behind the attempt".into()),
        }
        let (from, msg) = (ROUTERS[usize::from(router)], Msg::Told(Arc::new(told)));
        self.stage.feed(&mut self.indexer, Event::Message { from, msg });
        Ok(self.stage.told())
    }

    /// How a vbucket stands.
    fn track(&mut self, vb: &str) -> Result<String, String> {
        let vb: Vb = vb.parse()?;
        let side = self.indexer().and_then(|indexer| indexer.sides.get(&vb.keyspace));
        let side = side.ok_or_else(|| format!("expected a vbucket of a or a1, found `{vb}`"))?;
        let track = side.vbs.get(&vb.number);
        let track = track.ok_or_else(|| format!("expected vbucket 2 or 12, found `{vb}`"))?;
        let status = format!("{:?}", track.status).to_lowercase();
        let (count, high) = (track.count, track.high);
        let (queued, session) = (track.queue.len(), side.session);
        let [one, other] = &side.indexes;
        let (one, other) = (one.point(vb.number).seq, other.point(vb.number).seq);
        Ok(format!(
            "{status}, begun {count}, session {session}, has {high}, {queued} wait, indexes {one} {other}"
        ))
    }

    /// So long passes.
    pub(super) fn wait(&mut self, span: Span) -> String {
        let until = self.stage.after(span);
        while let Some(timer) = self.stage.due(until) {
            self.stage.feed(&mut self.indexer, Event::Timer(timer));
        }
        self.stage.told()
    }
}
