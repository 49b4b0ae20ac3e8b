//! What is streamed, and what the workload can ask for, in the words of seed files.

use std::fmt;
use std::str::FromStr;

/// A keyspace: its place in [`Keyspace::NAMES`]. That one name begins like another is on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Keyspace(pub u8);

impl Keyspace {
    /// All names.
    pub const NAMES: [&'static str; 3] = ["a", "a1", "a12"];

    /// The name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Keyspace::NAMES[usize::from(self.0)]
    }

    /// The keyspace of that name.
    #[must_use]
    pub fn named(name: &[u8]) -> Option<Keyspace> {
        let at = Keyspace::NAMES.iter().position(|known| known.as_bytes() == name)?;
        u8::try_from(at).ok().map(Keyspace)
    }
}

impl fmt::Display for Keyspace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Keyspace {
    type Err = String;

    fn from_str(text: &str) -> Result<Keyspace, String> {
        Keyspace::named(text.as_bytes()).ok_or_else(|| {
            let names = Keyspace::NAMES.join(", ");
            format!("expected one of the keyspaces {names}, found `{text}`")
        })
    }
}

/// A vbucket of a keyspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vb {
    /// Of which keyspace.
    pub keyspace: Keyspace,
    /// The number.
    pub number: u16,
}

impl Vb {
    /// The numbers that runs use, in this order.
    pub const NUMBERS: [u16; 8] = [2, 12, 22, 1, 11, 21, 3, 13];

    /// One word for it: a subject of decisions.
    #[must_use]
    pub fn word(self) -> u64 {
        u64::from(self.keyspace.0 + 1) << 16 | u64::from(self.number)
    }
}

impl fmt::Display for Vb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.keyspace, self.number)
    }
}

impl FromStr for Vb {
    type Err = String;

    fn from_str(text: &str) -> Result<Vb, String> {
        let wrong = || format!("expected a vbucket such as a1/12, found `{text}`");
        let (keyspace, number) = text.split_once('/').ok_or_else(wrong)?;
        let number = number.parse().map_err(|_| wrong())?;
        Ok(Vb { keyspace: keyspace.parse()?, number })
    }
}

/// A key of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub u8);

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "k{}", self.0)
    }
}

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Key, String> {
        let number = text.strip_prefix('k').and_then(|number| number.parse().ok());
        number.map(Key).ok_or_else(|| format!("expected a key such as k3, found `{text}`"))
    }
}

/// What a document says: a number that no other write has, and so many bytes behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value {
    /// Which write it was.
    pub write: u32,
    /// Bytes behind the number.
    pub length: u16,
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.write)?;
        if self.length > 0 { write!(f, "+{}", self.length) } else { Ok(()) }
    }
}

/// Where a consumer stands in a vbucket: all up to a sequence number of a branch, within a snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Point {
    /// The last sequence number that it has.
    pub seq: u64,
    /// The branch that carried it.
    pub uuid: u64,
    /// The snapshot that it lies in: from here
    pub snap_start: u64,
    /// to here.
    pub snap_end: u64,
}

impl Point {
    /// Whether it lies at the end of its snapshot.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.seq == self.snap_end
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}..{} @{}", self.seq, self.snap_start, self.snap_end, self.uuid)
    }
}

/// What clients are asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// Data: write a document, with so many bytes behind its number.
    Set(Vb, Key, u16),
    /// Data: delete a document.
    Delete(Vb, Key),
    /// Data: the other node becomes the owner of a vbucket, in order.
    Move(Vb),
    /// Data: the other node becomes the owner of a vbucket, and lacks the last so many mutations.
    Fail(Vb, u8),
    /// Data: forget the tombstones of a vbucket.
    Purge(Vb),
    /// Admin: the indexer gives up a keyspace.
    Stop(Keyspace),
    /// Admin: the indexer takes up a keyspace again.
    Start(Keyspace),
    /// Admin: the indexer takes nothing in for so many milliseconds.
    Stall(u16),
    /// Admin: the indexer closes its server of streams and opens it again.
    Bounce,
    /// Admin: a router goes on with so many connections.
    Connections(u8, u32),
    /// Data: write so many documents at once, all from the first to this one in turn.
    Load(Vb, Key, u8),
}

impl Call {
    /// Whether it is the data that is asked.
    #[must_use]
    pub fn is_of_data(&self) -> bool {
        match self {
            Call::Set(..)
            | Call::Load(..)
            | Call::Delete(..)
            | Call::Move(_)
            | Call::Fail(..)
            | Call::Purge(_) => true,
            Call::Stop(_)
            | Call::Start(_)
            | Call::Stall(_)
            | Call::Bounce
            | Call::Connections(..) => false,
        }
    }

    /// The words of data, and those of the admin.
    const WORDS: [&'static str; 2] = [
        "set VB KEY [LENGTH], load VB KEY N, del VB KEY, move VB, fail VB N or purge VB",
        "stop KEYSPACE, start KEYSPACE, stall MS, bounce or connections ROUTER N",
    ];

    /// What one client can be asked for.
    ///
    /// # Errors
    /// If it is for the other one.
    pub fn takes(&self, data: bool) -> Result<(), String> {
        if self.is_of_data() == data {
            return Ok(());
        }
        Err(format!("expected {}; found `{self}`", Call::WORDS[usize::from(!data)]))
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Call::Set(vb, key, 0) => write!(f, "set {vb} {key}"),
            Call::Set(vb, key, length) => write!(f, "set {vb} {key} {length}"),
            Call::Load(vb, key, n) => write!(f, "load {vb} {key} {n}"),
            Call::Delete(vb, key) => write!(f, "del {vb} {key}"),
            Call::Move(vb) => write!(f, "move {vb}"),
            Call::Fail(vb, lost) => write!(f, "fail {vb} {lost}"),
            Call::Purge(vb) => write!(f, "purge {vb}"),
            Call::Stop(keyspace) => write!(f, "stop {keyspace}"),
            Call::Start(keyspace) => write!(f, "start {keyspace}"),
            Call::Stall(ms) => write!(f, "stall {ms}"),
            Call::Bounce => write!(f, "bounce"),
            Call::Connections(router, n) => write!(f, "connections {router} {n}"),
        }
    }
}

/// How long the application may stand still, in milliseconds: what comes true once the trouble has ended allows for that.
const STALL_MAX: u16 = 10_000;

/// A vbucket that some knobs make. Of those, what a plan's own knobs leave out is there to be left alone: a plan keeps its
/// operations when it is moved to other knobs.
fn of_a_run(text: &str) -> Result<Vb, String> {
    let vb: Vb = text.parse()?;
    if Vb::NUMBERS.contains(&vb.number) {
        return Ok(vb);
    }
    let numbers = Vb::NUMBERS.map(|number| number.to_string()).join(", ");
    Err(format!("expected one of the vbuckets {numbers} of a keyspace, found `{text}`"))
}

impl FromStr for Call {
    type Err = String;

    fn from_str(text: &str) -> Result<Call, String> {
        let words: Vec<&str> = text.split(' ').collect();
        let number =
            |text: &str| text.parse().map_err(|_| format!("expected a number, found `{text}`"));
        let small = |text: &str| {
            text.parse().map_err(|_| format!("expected a small number, found `{text}`"))
        };
        match words[..] {
            ["set", vb, key] => Ok(Call::Set(of_a_run(vb)?, key.parse()?, 0)),
            ["set", vb, key, length] => Ok(Call::Set(of_a_run(vb)?, key.parse()?, number(length)?)),
            ["load", vb, key, n] => Ok(Call::Load(of_a_run(vb)?, key.parse()?, small(n)?)),
            ["del", vb, key] => Ok(Call::Delete(of_a_run(vb)?, key.parse()?)),
            ["move", vb] => Ok(Call::Move(of_a_run(vb)?)),
            ["fail", vb, lost] => Ok(Call::Fail(of_a_run(vb)?, small(lost)?)),
            ["purge", vb] => Ok(Call::Purge(of_a_run(vb)?)),
            ["stop", keyspace] => Ok(Call::Stop(keyspace.parse()?)),
            ["start", keyspace] => Ok(Call::Start(keyspace.parse()?)),
            ["stall", ms] => match number(ms)? {
                ms @ 0..=STALL_MAX => Ok(Call::Stall(ms)),
                _ => Err(format!("expected at most {STALL_MAX} milliseconds, found `{ms}`")),
            },
            ["bounce"] => Ok(Call::Bounce),
            ["connections", router, n] => {
                let n = n.parse().map_err(|_| format!("expected a number, found `{n}`"))?;
                match small(router)? {
                    router @ 0..2 => Ok(Call::Connections(router, n)),
                    router => Err(format!("expected router 0 or 1, found `{router}`")),
                }
            }
            _ => Err(format!("expected {}; found `{text}`", Call::WORDS.join("; or "))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_is_read_as_it_is_written() {
        let mut seen = 0;
        for text in [
            "set a1/12 k3",
            "set a/2 k0 40",
            "load a12/1 k3 6",
            "del a12/1 k1",
            "move a/2",
            "fail a/2 3",
            "purge a/22",
            "stop a",
            "start a1",
            "stall 700",
            "bounce",
            "connections 1 65536",
        ] {
            let call: Call = text.parse().expect(text);
            assert_eq!(call.to_string(), text);
            seen += usize::from(call.takes(true).is_ok());
            assert!(call.takes(true).is_ok() != call.takes(false).is_ok());
        }
        assert_eq!(seen, 7);
        let wrong = ["", "set", "set a k1", "set b/1 k1", "fail a/2", "connections 2 1", "stop b"];
        for wrong in wrong.into_iter().chain(["set a/4 k1", "move a/65535"]) {
            let error = wrong.parse::<Call>().expect_err(wrong);
            assert!(error.starts_with("expected"), "{error}");
        }
    }
}
