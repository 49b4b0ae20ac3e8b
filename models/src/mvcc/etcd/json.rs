//! Requests and answers as the JSON gateway of etcd has them: bytes in base64, 64-bit numbers as texts, zeros left out.

use serde_json::{Map, Value, json};

use super::super::op::{Action, Compare, Field, Get, Keys, Op, Put, Relation, Request};
use super::super::reference::Event;
use super::super::response::{Found, KeyValue, OpError, Response};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Bytes in base64.
pub(super) fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0, |word, byte| word << 8 | u32::from(*byte));
        let word = word << (8 * (3 - chunk.len()));
        for n in 0..4 {
            let digit = usize::try_from(word >> (18 - 6 * n) & 0x3f).expect("six bits");
            text.push(if n <= chunk.len() { char::from(ALPHABET[digit]) } else { '=' });
        }
    }
    text
}

/// The bytes that base64 stands for; none if it is none.
pub(super) fn unbase64(text: &str) -> Option<Vec<u8>> {
    let plain = text.trim_end_matches('=');
    if !text.len().is_multiple_of(4) || text.len() - plain.len() > 2 {
        return None;
    }
    let mut bytes = Vec::new();
    let (mut word, mut bits) = (0_u32, 0);
    for c in plain.bytes() {
        let digit = ALPHABET.iter().position(|known| *known == c)?;
        word = (word << 6 | u32::try_from(digit).ok()?) & 0xffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((word >> bits).to_le_bytes()[0]);
        }
    }
    (base64(&bytes) == text).then_some(bytes)
}

/// The path of a request and its body.
pub(super) fn request(request: &Request) -> (&'static str, Value) {
    match request {
        Op::Single(action) => {
            let (path, _, body) = self::action(action);
            (path, body)
        }
        Op::Txn(txn) => {
            let branch = |actions: &[Action<i64>]| -> Vec<Value> {
                let wrap = |action| {
                    let (_, field, body) = self::action(action);
                    Value::Object(Map::from_iter([(field.to_owned(), body)]))
                };
                actions.iter().map(wrap).collect()
            };
            let compares: Vec<Value> = txn.compares.iter().map(compare).collect();
            let (success, failure) = (branch(&txn.success), branch(&txn.failure));
            let body = json!({"compare": compares, "success": success, "failure": failure});
            ("/v3/kv/txn", body)
        }
        // Only a compaction that is done when it is answered can be compared by its records.
        Op::Compact(at) => {
            ("/v3/kv/compaction", json!({"revision": at.to_string(), "physical": true}))
        }
        Op::Grant(grant) => {
            let body = json!({"ID": grant.lease.to_string(), "TTL": grant.ttl.to_string()});
            ("/v3/lease/grant", body)
        }
        Op::Revoke(lease) => ("/v3/lease/revoke", json!({"ID": lease.to_string()})),
        Op::Close => ("/v3/maintenance/status", json!({})),
    }
}

/// Path, name inside a transaction, and body.
fn action(action: &Action<i64>) -> (&'static str, &'static str, Value) {
    match action {
        Action::Put(Put { key, value, lease }) => {
            let mut body = json!({"key": base64(key), "value": base64(value)});
            if *lease != 0 {
                body["lease"] = lease.to_string().into();
            }
            ("/v3/kv/put", "request_put", body)
        }
        Action::Get(Get { keys, at, limit, count_only }) => {
            let mut body = self::keys(keys);
            body["revision"] = at.unwrap_or(0).to_string().into();
            body["limit"] = limit.to_string().into();
            body["count_only"] = (*count_only).into();
            ("/v3/kv/range", "request_range", body)
        }
        Action::Delete(keys) => ("/v3/kv/deleterange", "request_delete_range", self::keys(keys)),
    }
}

/// `key` and `range_end`; an end of one zero byte means that there is none.
pub(super) fn keys(keys: &Keys) -> Value {
    match keys {
        Keys::One(key) => json!({"key": base64(key)}),
        // An empty end would mean the key alone.
        Keys::Span(first, end) if end.is_empty() => {
            json!({"key": base64(first), "range_end": base64(first)})
        }
        Keys::Span(first, end) => json!({"key": base64(first), "range_end": base64(end)}),
        Keys::From(first) => json!({"key": base64(first), "range_end": base64(b"\0")}),
    }
}

fn compare(compare: &Compare<i64>) -> Value {
    let mut body = keys(&compare.keys);
    body["result"] = match compare.relation {
        Relation::Equal => "EQUAL",
        Relation::NotEqual => "NOT_EQUAL",
        Relation::Less => "LESS",
        Relation::Greater => "GREATER",
    }
    .into();
    let (target, field, operand) = match &compare.field {
        Field::Version(n) => ("VERSION", "version", n.to_string()),
        Field::Created(n) => ("CREATE", "create_revision", n.to_string()),
        Field::Modified(n) => ("MOD", "mod_revision", n.to_string()),
        Field::Value(value) => ("VALUE", "value", base64(value)),
        Field::Lease(n) => ("LEASE", "lease", n.to_string()),
    };
    body["target"] = target.into();
    body[field] = operand.into();
    body
}

/// What is wrong with an answer that should have been understood.
pub(super) type Misread = String;

/// A number, which may be a text; 0 if it is left out.
pub(super) fn number(of: &Value, field: &str) -> Result<i64, Misread> {
    let found = match &of[field] {
        Value::Null => Some(0),
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_i64(),
        _ => None,
    };
    found.ok_or_else(|| format!("`{field}` is no number in {of}"))
}

fn bytes(of: &Value, field: &str) -> Result<Vec<u8>, Misread> {
    match &of[field] {
        Value::Null => Ok(Vec::new()),
        Value::String(text) => {
            unbase64(text).ok_or_else(|| format!("`{field}` is no base64 in {of}"))
        }
        _ => Err(format!("`{field}` is no text in {of}")),
    }
}

fn flag(of: &Value, field: &str) -> bool {
    of[field].as_bool().unwrap_or(false)
}

fn list<'v>(of: &'v Value, field: &str) -> &'v [Value] {
    of[field].as_array().map_or(&[], Vec::as_slice)
}

/// The revision of an answer's header.
pub(super) fn revision(answer: &Value) -> Result<i64, Misread> {
    number(&answer["header"], "revision")
}

/// A key with everything about it.
pub(super) fn key_value(of: &Value) -> Result<KeyValue, Misread> {
    Ok(KeyValue {
        key: bytes(of, "key")?,
        create_revision: number(of, "create_revision")?,
        mod_revision: number(of, "mod_revision")?,
        version: number(of, "version")?,
        value: bytes(of, "value")?,
        lease: number(of, "lease")?,
    })
}

/// The answer to a request that was accepted.
pub(super) fn response(request: &Request, answer: &Value) -> Result<Response, Misread> {
    let revision = revision(answer)?;
    Ok(match request {
        Op::Single(action) => result(action, answer)?,
        Op::Txn(txn) => {
            let succeeded = flag(answer, "succeeded");
            let branch = if succeeded { &txn.success } else { &txn.failure };
            let results = list(answer, "responses");
            if results.len() != branch.len() {
                return Err(format!("{} results for {} actions", results.len(), branch.len()));
            }
            let each = branch.iter().zip(results).map(|(action, of)| {
                let field = self::action(action).1.replacen("request", "response", 1);
                match of.get(&field) {
                    Some(of) => result(action, of),
                    None => Err(format!("`{field}` is missing in {of}")),
                }
            });
            Response::Txn { revision, succeeded, results: each.collect::<Result<_, _>>()? }
        }
        Op::Compact(_) => Response::Compacted { revision },
        Op::Close => Response::Closed,
        Op::Grant(grant) => {
            let told = (number(answer, "ID")?, number(answer, "TTL")?);
            if told != (grant.lease, grant.ttl) {
                return Err(format!("lease and seconds are {told:?}"));
            }
            Response::Granted { revision }
        }
        Op::Revoke(_) => Response::Revoked { revision },
    })
}

fn result(action: &Action<i64>, of: &Value) -> Result<Response, Misread> {
    let revision = revision(of)?;
    Ok(match action {
        Action::Put(_) => Response::Put { revision },
        Action::Delete(_) => Response::Deleted { revision, count: number(of, "deleted")? },
        Action::Get(_) => Response::Range(Found {
            revision,
            count: number(of, "count")?,
            more: flag(of, "more"),
            kvs: list(of, "kvs").iter().map(key_value).collect::<Result<_, _>>()?,
        }),
    })
}

/// Why a request was refused, if this is a reason that the store can have.
pub(super) fn refusal(message: &str) -> Option<OpError> {
    let reason = message.strip_prefix("etcdserver: ")?;
    Some(match reason {
        "mvcc: required revision has been compacted" => OpError::Compacted,
        "mvcc: required revision is a future revision" => OpError::FutureRevision,
        "duplicate key given in txn request" => OpError::DuplicateKey,
        "key is not provided" => OpError::EmptyKey,
        "requested lease not found" => OpError::LeaseNotFound,
        "lease already exists" => OpError::LeaseExists,
        _ => return None,
    })
}

/// One message of a watch stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct WatchMessage {
    /// The revision in its header.
    pub(super) revision: i64,
    /// Whether it says that the watcher was made.
    pub(super) created: bool,
    /// Whether it says that the watcher has ended.
    pub(super) canceled: bool,
    /// Why, if it says so.
    pub(super) reason: String,
    /// What was compacted, if it ended for that.
    pub(super) compacted: i64,
    /// The changes, each with what was before if that was asked for.
    pub(super) events: Vec<(Event, Option<KeyValue>)>,
}

/// Reads one line of a watch stream.
pub(super) fn watch_message(line: &Value) -> Result<WatchMessage, Misread> {
    let Some(result) = line.get("result") else {
        return Err(format!("no result in {line}"));
    };
    let event = |of: &Value| -> Result<_, Misread> {
        let deleted = match of["type"].as_str() {
            None | Some("PUT") => false,
            Some("DELETE") => true,
            Some(other) => return Err(format!("an event is of type {other}")),
        };
        let before = of.get("prev_kv").map(key_value).transpose()?;
        Ok((Event { deleted, kv: key_value(&of["kv"])? }, before))
    };
    Ok(WatchMessage {
        revision: revision(result)?,
        created: flag(result, "created"),
        canceled: flag(result, "canceled"),
        reason: result["cancel_reason"].as_str().unwrap_or_default().to_owned(),
        compacted: number(result, "compact_revision")?,
        events: list(result, "events").iter().map(event).collect::<Result<_, _>>()?,
    })
}

#[cfg(test)]
mod tests;
