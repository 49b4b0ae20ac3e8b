//! What a client asks of the store. With `response.rs` this is all that the implementation and the reference model
//! have in common.
//!
//! ```
//! use seedbed_models::mvcc::op::Op;
//!
//! let op: Op = "txn if a version = 0 then put a 1; get b else del c".parse().unwrap();
//! assert_eq!(op.to_string(), "txn if a version = 0 then put a 1; get b else del c");
//! ```

/// What a client asks for. `R` is how it names a revision: [`At`] as written in a workload, or a plain `i64` once
/// [`Op::resolve`] has put in the revision that the client last saw.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Op<R = At> {
    /// One put, read or delete: `put a 1`, `get a..d @3 limit 2`, `del a..c`.
    Single(Action<R>),
    /// A transaction with compares and two branches: `txn if a version = 0 then put a 1 else get a`.
    Txn(Txn<R>),
    /// Forget what is older than a revision: `compact 3`, `compact rev-1`.
    Compact(R),
    /// Close the store: `close`.
    Close,
    /// Make a lease: `grant 7 60`.
    Grant(Grant),
    /// End a lease, and delete the keys that are attached to it: `revoke 7`.
    Revoke(i64),
}

/// An operation whose revisions are numbers: what travels to the store.
pub type Request = Op<i64>;

/// The three things that can be done with keys, alone or inside a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action<R = At> {
    /// Write one key.
    Put(Put),
    /// Read keys.
    Get(Get<R>),
    /// Delete the keys that exist among these.
    Delete(Keys),
}

/// A write of one key: `put a 1 lease 7`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Put {
    /// The key; an empty one is refused.
    pub key: Vec<u8>,
    /// The value; may be empty, which is not the same as a deleted key.
    pub value: Vec<u8>,
    /// The lease that the key is attached to, 0 for none.
    pub lease: i64,
}

/// A lease to be made. Its number is the client's choice, so that all replicas agree on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Grant {
    /// The number; 0 means no lease and is refused.
    pub lease: i64,
    /// How many seconds it lives from its grant or last renewal on.
    pub ttl: i64,
}

/// A read: `get a..d @3 limit 2 count`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Get<R = At> {
    /// Which keys.
    pub keys: Keys,
    /// The revision to read at; none, zero or a negative number means the current one.
    pub at: Option<R>,
    /// At most so many keys are returned; zero or less means all. The count is not affected.
    pub limit: i64,
    /// Only count the keys.
    pub count_only: bool,
}

/// Which keys an operation is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Keys {
    /// One key: `a`.
    One(Vec<u8>),
    /// From the first, included, to the second, excluded: `a..c`. Empty unless the first is the smaller one.
    Span(Vec<u8>, Vec<u8>),
    /// From a key on without an end: `a..`.
    From(Vec<u8>),
}

impl Keys {
    /// The smallest key that is asked for. A request with an empty one is refused.
    pub fn first(&self) -> &[u8] {
        match self {
            Keys::One(key) | Keys::Span(key, _) | Keys::From(key) => key,
        }
    }
}

/// A compare-then-act transaction. Compares see the state before it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Txn<R = At> {
    /// All of them must hold; none holds trivially.
    pub compares: Vec<Compare<R>>,
    /// Done in this order if all compares hold.
    pub success: Vec<Action<R>>,
    /// Done in this order otherwise.
    pub failure: Vec<Action<R>>,
}

/// One claim about every existing key of a set; an absent single key counts as version, revisions and lease 0.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Compare<R = At> {
    /// Which keys.
    pub keys: Keys,
    /// The relation that has to hold between the key's field and the operand.
    pub relation: Relation,
    /// The field, with the operand.
    pub field: Field<R>,
}

/// How a field relates to an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Relation {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `>`
    Greater,
}

/// The field that a compare looks at, with the operand that it is held against.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Field<R = At> {
    /// The number of writes since the key was created.
    Version(i64),
    /// The revision that created the key.
    Created(R),
    /// The revision that last wrote the key.
    Modified(R),
    /// The value. A compare of the value of an absent key never holds.
    Value(Vec<u8>),
    /// The lease.
    Lease(i64),
}

/// A revision as a workload names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum At {
    /// This revision: `3`. Negative numbers can be asked for, too.
    Absolute(i64),
    /// So many after the last revision that the client saw: `rev`, `rev-1`, `rev+2`.
    FromLast(i64),
}

impl At {
    /// The revision itself, for a client whose last seen revision is `last`.
    pub fn absolute(self, last: i64) -> i64 {
        match self {
            At::Absolute(revision) => revision,
            At::FromLast(distance) => last.saturating_add(distance),
        }
    }
}

impl Op<At> {
    /// The request for a client whose last seen revision is `last`.
    pub fn resolve(&self, last: i64) -> Request {
        match self {
            Op::Single(action) => Op::Single(action.resolve(last)),
            Op::Txn(txn) => Op::Txn(txn.resolve(last)),
            Op::Compact(at) => Op::Compact(at.absolute(last)),
            Op::Close => Op::Close,
            Op::Grant(grant) => Op::Grant(*grant),
            Op::Revoke(lease) => Op::Revoke(*lease),
        }
    }
}

impl Action<At> {
    /// See [`Op::resolve`].
    pub(super) fn resolve(&self, last: i64) -> Action<i64> {
        match self {
            Action::Put(put) => Action::Put(put.clone()),
            Action::Get(get) => Action::Get(Get {
                keys: get.keys.clone(),
                at: get.at.map(|at| at.absolute(last)),
                limit: get.limit,
                count_only: get.count_only,
            }),
            Action::Delete(keys) => Action::Delete(keys.clone()),
        }
    }
}

impl Txn<At> {
    fn resolve(&self, last: i64) -> Txn<i64> {
        let branch =
            |actions: &[Action]| actions.iter().map(|action| action.resolve(last)).collect();
        Txn {
            compares: self.compares.iter().map(|compare| compare.resolve(last)).collect(),
            success: branch(&self.success),
            failure: branch(&self.failure),
        }
    }
}

impl Compare<At> {
    fn resolve(&self, last: i64) -> Compare<i64> {
        let field = match &self.field {
            Field::Version(version) => Field::Version(*version),
            Field::Created(at) => Field::Created(at.absolute(last)),
            Field::Modified(at) => Field::Modified(at.absolute(last)),
            Field::Value(value) => Field::Value(value.clone()),
            Field::Lease(lease) => Field::Lease(*lease),
        };
        Compare { keys: self.keys.clone(), relation: self.relation, field }
    }
}
