//! Vocabulary of connections and disks, as an actor meets them.

use crate::id::{ActorId, ConnId, FileId, FileName, RequestId};
use std::fmt;

/// What happens to a connection, seen from one of its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnEvent {
    /// The connect that this actor asked for has succeeded.
    Opened {
        /// The connection.
        conn: ConnId,
    },
    /// The connect that this actor asked for was refused.
    Refused {
        /// The connection that never came to be.
        conn: ConnId,
    },
    /// Somebody has connected to this actor.
    Accepted {
        /// The connection.
        conn: ConnId,
        /// Who connected.
        from: ActorId,
    },
    /// More bytes can be read.
    Readable {
        /// The connection.
        conn: ConnId,
    },
    /// A write that was cut short can go on: the buffer has room again.
    Writable {
        /// The connection.
        conn: ConnId,
    },
    /// No more will come from the other end. Bytes that arrived before can still be read.
    Closed {
        /// The connection.
        conn: ConnId,
        /// Whether the other end closed it in order.
        reason: CloseReason,
    },
}

impl ConnEvent {
    /// The connection that it is about.
    #[must_use]
    pub const fn conn(self) -> ConnId {
        match self {
            ConnEvent::Opened { conn }
            | ConnEvent::Refused { conn }
            | ConnEvent::Accepted { conn, .. }
            | ConnEvent::Readable { conn }
            | ConnEvent::Writable { conn }
            | ConnEvent::Closed { conn, .. } => conn,
        }
    }
}

/// How a connection came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CloseReason {
    /// The other end closed it; all bytes written before have arrived.
    Fin,
    /// It was reset; what was in flight is lost.
    Reset,
}

/// A disk request. Data of writes is copied once, when the request is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DiskOp<'a> {
    /// Opens a file by name; answers [`DiskDone::Opened`] or `NotFound`.
    Open(FileName),
    /// Makes a new, empty file, or empties the one that has the name; answers [`DiskDone::Opened`]. The name is durable
    /// only after a [`DiskOp::SyncDir`].
    Create(FileName),
    /// Reads up to `len` bytes at `offset`; shorter at the end of the file.
    Read {
        /// The file.
        file: FileId,
        /// In bytes from the start.
        offset: u64,
        /// At most this many bytes.
        len: u32,
    },
    /// Writes at `offset`; a gap before it is filled with zeros. Overlapping writes in flight may land in either order.
    Write {
        /// The file.
        file: FileId,
        /// In bytes from the start.
        offset: u64,
        /// What to write.
        data: &'a [u8],
    },
    /// Writes at the end, as the file stands when the request is carried out.
    Append {
        /// The file.
        file: FileId,
        /// What to write.
        data: &'a [u8],
    },
    /// Cuts or extends (with zeros) to `len` bytes.
    Truncate {
        /// The file.
        file: FileId,
        /// The new length in bytes.
        len: u64,
    },
    /// Makes durable what was written to the file by requests that were answered before this one is made.
    Sync(FileId),
    /// Gives a file another name, replacing a file that has it.
    Rename {
        /// The present name.
        from: FileName,
        /// The new one.
        to: FileName,
    },
    /// Takes a name away; the bytes stay for those who have the file open.
    Remove(FileName),
    /// Lists names and lengths, by name.
    List,
    /// Makes the names durable: creates, renames and removes answered before it.
    SyncDir,
}

impl DiskOp<'_> {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> DiskKind {
        match self {
            DiskOp::Open(_) => DiskKind::Open,
            DiskOp::Create(_) => DiskKind::Create,
            DiskOp::Read { .. } => DiskKind::Read,
            DiskOp::Write { .. } => DiskKind::Write,
            DiskOp::Append { .. } => DiskKind::Append,
            DiskOp::Truncate { .. } => DiskKind::Truncate,
            DiskOp::Sync(_) => DiskKind::Sync,
            DiskOp::Rename { .. } => DiskKind::Rename,
            DiskOp::Remove(_) => DiskKind::Remove,
            DiskOp::List => DiskKind::List,
            DiskOp::SyncDir => DiskKind::SyncDir,
        }
    }

    /// Prints as the request does, with the name of the file that it is about, if it is known, in place of its number.
    #[must_use]
    pub const fn with_name(self, name: Option<FileName>) -> impl fmt::Display {
        NamedOp { op: self, name }
    }

    /// The open file that it is about.
    #[must_use]
    pub const fn file(&self) -> Option<FileId> {
        match *self {
            DiskOp::Read { file, .. }
            | DiskOp::Write { file, .. }
            | DiskOp::Append { file, .. }
            | DiskOp::Truncate { file, .. }
            | DiskOp::Sync(file) => Some(file),
            _ => None,
        }
    }
}

/// Without the data: `write f1 @32 16B`.
impl fmt::Display for DiskOp<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        NamedOp { op: *self, name: None }.fmt(f)
    }
}

struct NamedOp<'a> {
    op: DiskOp<'a>,
    name: Option<FileName>,
}

impl fmt::Display for NamedOp<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.op.kind())?;
        match (self.name, self.op.file()) {
            (Some(name), Some(_)) => write!(f, " {name}")?,
            (None, Some(file)) => write!(f, " {file}")?,
            (_, None) => {}
        }
        match self.op {
            DiskOp::Open(name) | DiskOp::Create(name) | DiskOp::Remove(name) => {
                write!(f, " {name}")
            }
            DiskOp::Read { offset, len, .. } => write!(f, " @{offset} {len}B"),
            DiskOp::Write { offset, data, .. } => write!(f, " @{offset} {}B", data.len()),
            DiskOp::Append { data, .. } => write!(f, " {}B", data.len()),
            DiskOp::Truncate { len, .. } => write!(f, " {len}B"),
            DiskOp::Rename { from, to } => write!(f, " {from} to {to}"),
            DiskOp::Sync(_) | DiskOp::List | DiskOp::SyncDir => Ok(()),
        }
    }
}

/// The kinds of disk requests, in the order of their numbers in keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is the request of the same name")]
pub enum DiskKind {
    Open,
    Create,
    Read,
    Write,
    Append,
    Truncate,
    Sync,
    Rename,
    Remove,
    List,
    SyncDir,
}

impl DiskKind {
    /// The names in noise lines, by number.
    pub const NAMES: [&'static str; 11] = [
        "open", "create", "read", "write", "append", "truncate", "sync", "rename", "remove",
        "list", "sync-dir",
    ];
}

impl fmt::Display for DiskKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(DiskKind::NAMES[*self as usize])
    }
}

/// The answer to a disk request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DiskEvent {
    /// The number that the request got.
    pub request: RequestId,
    /// What came of it.
    pub result: Result<DiskDone, DiskError>,
}

/// The number of the request and what came of it, without the data: `r7 read 16B`.
impl fmt::Display for DiskEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "r{} ", self.request.0)?;
        match &self.result {
            Ok(done) => write!(f, "{done}"),
            Err(error) => write!(f, "{error}"),
        }
    }
}

/// A disk request that was carried out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DiskDone {
    /// Answer to open and create.
    Opened {
        /// The open file.
        file: FileId,
        /// Its length in bytes.
        len: u64,
    },
    /// Answer to read.
    Read(Vec<u8>),
    /// Answer to write and append: where the bytes went.
    Written {
        /// In bytes from the start.
        offset: u64,
        /// How many.
        len: u64,
    },
    /// Answer to list.
    Listed(Vec<(FileName, u64)>),
    /// Answer to truncate, sync, rename, remove and sync of the directory.
    Done,
}

impl fmt::Display for DiskDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DiskDone::Opened { file, len } => write!(f, "opened {file} {len}B"),
            DiskDone::Read(data) => write!(f, "read {}B", data.len()),
            DiskDone::Written { offset, len } => write!(f, "written @{offset} {len}B"),
            DiskDone::Listed(files) => {
                f.write_str("listed")?;
                files.iter().try_for_each(|(name, len)| write!(f, " {name} {len}B"))
            }
            DiskDone::Done => f.write_str("done"),
        }
    }
}

/// Why a disk request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DiskError {
    /// No file of that name.
    NotFound,
    /// No room: nothing was written.
    Full,
    /// The device failed. A write may have left any part of its sectors; after a failed sync each pending sector is kept
    /// or dropped, and a later sync does not cover it.
    Io,
}

impl fmt::Display for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DiskError::NotFound => "not found",
            DiskError::Full => "disk full",
            DiskError::Io => "i/o error",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_request_prints_what_it_asks_for_without_its_data() {
        let (file, wal) = (FileId(1), FileName::new("wal"));
        for (op, text) in [
            (DiskOp::Open(wal), "open wal"),
            (DiskOp::Create(wal), "create wal"),
            (DiskOp::Read { file, offset: 32, len: 16 }, "read f1 @32 16B"),
            (DiskOp::Write { file, offset: 32, data: b"abc" }, "write f1 @32 3B"),
            (DiskOp::Append { file, data: b"abc" }, "append f1 3B"),
            (DiskOp::Truncate { file, len: 8 }, "truncate f1 8B"),
            (DiskOp::Sync(file), "sync f1"),
            (DiskOp::Rename { from: wal, to: FileName::new("old") }, "rename wal to old"),
            (DiskOp::Remove(wal), "remove wal"),
            (DiskOp::List, "list"),
            (DiskOp::SyncDir, "sync-dir"),
        ] {
            assert_eq!(op.to_string(), text);
            assert_eq!(op.with_name(Some(wal)).to_string(), text.replace("f1", "wal"));
        }
    }

    #[test]
    fn a_disk_answer_prints_what_came_of_the_request() {
        let wal = FileName::new("wal");
        for (result, text) in [
            (Ok(DiskDone::Opened { file: FileId(1), len: 40 }), "r7 opened f1 40B"),
            (Ok(DiskDone::Read(vec![0; 16])), "r7 read 16B"),
            (Ok(DiskDone::Written { offset: 32, len: 16 }), "r7 written @32 16B"),
            (Ok(DiskDone::Listed(vec![(wal, 4), (wal, 0)])), "r7 listed wal 4B wal 0B"),
            (Ok(DiskDone::Done), "r7 done"),
            (Err(DiskError::Full), "r7 disk full"),
        ] {
            assert_eq!(DiskEvent { request: RequestId(7), result }.to_string(), text);
        }
    }
}
