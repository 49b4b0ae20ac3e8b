//! As much of HTTP/1.1 as the gateway of a server on loopback needs.
//!
//! It is written out here because the plans need what client crates hide: a request that is sent and not awaited, so that
//! a kill can find it under way, and an endless answer that is read line by line and may have nothing to say.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::time::Duration;

use serde_json::Value;

use super::clock::Deadline;

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(10);
/// The most bytes of an answer.
const LONGEST: usize = 64 << 20;

/// Where a server listens: host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address(pub(super) String);

impl Address {
    /// Reads `http://HOST:PORT` or `HOST:PORT`.
    pub(super) fn parse(url: &str) -> Result<Address, String> {
        let rest = url.strip_prefix("http://").unwrap_or(url).trim_end_matches('/');
        let port = rest.rsplit_once(':').map(|(host, port)| (host, port.parse::<u16>()));
        match port {
            Some((host, Ok(_))) if !host.is_empty() && !host.contains('/') => {
                Ok(Address(rest.to_owned()))
            }
            _ => Err(format!("expected an endpoint such as http://127.0.0.1:2379, found `{url}`")),
        }
    }

    fn connect(&self) -> io::Result<Incoming> {
        let mut last = io::Error::new(ErrorKind::NotFound, "the name has no address");
        for address in self.0.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, Duration::from_secs(2)) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    return Ok(Incoming { stream, raw: Vec::new() });
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reply {
    /// The status, 200 if all is well.
    pub(super) status: u16,
    /// The body; null if it is no JSON.
    pub(super) body: Value,
}

/// A client with one connection, which is kept.
#[derive(Debug)]
pub(super) struct Client {
    address: Address,
    kept: Option<Incoming>,
}

impl Client {
    /// A client that has not connected yet.
    pub(super) fn new(address: Address) -> Client {
        Client { address, kept: None }
    }

    /// Asks without a body.
    pub(super) fn get(&mut self, path: &str) -> io::Result<Reply> {
        self.ask("GET", path, None)
    }

    /// Asks with a body.
    pub(super) fn post(&mut self, path: &str, body: &Value) -> io::Result<Reply> {
        self.ask("POST", path, Some(body))
    }

    fn ask(&mut self, method: &str, path: &str, body: Option<&Value>) -> io::Result<Reply> {
        let mut connection = match self.kept.take() {
            Some(kept) => kept,
            None => self.address.connect()?,
        };
        connection.request(method, path, (&self.address, body))?;
        let deadline = Deadline::after(ANSWER);
        let head = connection.head(&deadline)?;
        let bytes = connection.body(&head, &deadline)?;
        if !head.last {
            self.kept = Some(connection);
        }
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        Ok(Reply { status: head.status, body })
    }

    /// Asks on a connection of its own and does not wait; the connection stays open as long as what is returned.
    pub(super) fn send(&mut self, path: &str, body: &Value) -> io::Result<Incoming> {
        let mut connection = self.address.connect()?;
        connection.request("POST", path, (&self.address, Some(body)))?;
        Ok(connection)
    }

    /// Asks for an endless answer.
    pub(super) fn stream(&mut self, path: &str, body: &Value) -> io::Result<Lines> {
        let mut connection = self.send(path, body)?;
        let head = connection.head(&Deadline::after(ANSWER))?;
        if head.status != 200 || head.length.is_some() {
            let said = format!("status {} instead of an endless answer", head.status);
            return Err(io::Error::new(ErrorKind::InvalidData, said));
        }
        Ok(Lines { connection, text: Vec::new() })
    }
}

/// A connection and what came over it that nobody has read yet.
#[derive(Debug)]
pub(super) struct Incoming {
    stream: TcpStream,
    raw: Vec<u8>,
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // It may be closed already.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

/// What stands before an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    /// The length of the body; none if it comes in chunks.
    length: Option<usize>,
    /// Whether the server closes the connection after it.
    last: bool,
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("the answer is no HTTP: {what}"))
}

impl Head {
    fn parse(text: &str) -> io::Result<Head> {
        let mut lines = text.split("\r\n");
        let first = lines.next().unwrap_or_default();
        let status = first.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
        let status = status.ok_or_else(|| damaged(first))?;
        let mut head = Head { status, length: Some(0), last: false };
        for line in lines {
            let Some((name, value)) = line.split_once(':') else { continue };
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => {
                    head.length = Some(value.parse().map_err(|_| damaged(line))?);
                }
                "transfer-encoding" if value.eq_ignore_ascii_case("chunked") => head.length = None,
                "connection" if value.eq_ignore_ascii_case("close") => head.last = true,
                _ => {}
            }
        }
        Ok(head)
    }
}

impl Incoming {
    fn request(
        &mut self,
        method: &str,
        path: &str,
        (address, body): (&Address, Option<&Value>),
    ) -> io::Result<()> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let (host, len) = (&address.0, body.len());
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {len}\r\n\r\n"
        );
        self.stream.write_all((head + &body).as_bytes())
    }

    /// Waits for more bytes. Answers whether some came in time.
    fn more(&mut self, deadline: &Deadline) -> io::Result<bool> {
        let Some(left) = deadline.left() else { return Ok(false) };
        self.stream.set_read_timeout(Some(left))?;
        let mut buffer = [0; 16 << 10];
        match self.stream.read(&mut buffer) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(n) if self.raw.len() + n > LONGEST => Err(damaged("it is too long")),
            Ok(n) => {
                self.raw.extend_from_slice(&buffer[..n]);
                Ok(true)
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Ok(false)
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(true),
            Err(error) => Err(error),
        }
    }

    fn must(&mut self, deadline: &Deadline) -> io::Result<()> {
        if self.more(deadline)? { Ok(()) } else { Err(ErrorKind::TimedOut.into()) }
    }

    fn head(&mut self, deadline: &Deadline) -> io::Result<Head> {
        loop {
            if let Some(end) = self.raw.windows(4).position(|window| window == b"\r\n\r\n") {
                let text = String::from_utf8_lossy(&self.raw[..end]).into_owned();
                self.raw.drain(..end + 4);
                return Head::parse(&text);
            }
            self.must(deadline)?;
        }
    }

    fn body(&mut self, head: &Head, deadline: &Deadline) -> io::Result<Vec<u8>> {
        if let Some(length) = head.length {
            while self.raw.len() < length {
                self.must(deadline)?;
            }
            return Ok(self.raw.drain(..length).collect());
        }
        let mut body = Vec::new();
        loop {
            match chunk(&mut self.raw)? {
                Some(chunk) if chunk.is_empty() => return Ok(body),
                Some(chunk) => body.extend(chunk),
                None => self.must(deadline)?,
            }
        }
    }
}

/// Takes a whole chunk off the front: `SIZE \r\n BYTES \r\n`, the size in hexadecimal. The last one is empty.
fn chunk(raw: &mut Vec<u8>) -> io::Result<Option<Vec<u8>>> {
    let Some(end) = raw.windows(2).position(|window| window == b"\r\n") else { return Ok(None) };
    let line = String::from_utf8_lossy(&raw[..end]).into_owned();
    let digits = line.split(';').next().unwrap_or_default().trim();
    let size = usize::from_str_radix(digits, 16).ok().filter(|size| *size <= LONGEST);
    let size = size.ok_or_else(|| damaged("the size of a chunk"))?;
    if size == 0 {
        // Lines like those of a head may follow, as they do behind a refusal.
        let blank = raw[end..].windows(4).position(|window| window == b"\r\n\r\n");
        return Ok(blank.map(|blank| {
            raw.drain(..end + blank + 4);
            Vec::new()
        }));
    }
    let whole = end + 2 + size + 2;
    if raw.len() < whole {
        return Ok(None);
    }
    if raw[whole - 2..whole] != *b"\r\n" {
        return Err(damaged("the end of a chunk"));
    }
    let bytes = raw[end + 2..whole - 2].to_vec();
    raw.drain(..whole);
    Ok(Some(bytes))
}

/// An endless answer, one JSON document a line.
#[derive(Debug)]
pub(super) struct Lines {
    connection: Incoming,
    /// Whole chunks, of which the last line may still be short.
    text: Vec<u8>,
}

impl Lines {
    /// The next line, if one comes within `wait`.
    pub(super) fn next(&mut self, wait: Duration) -> io::Result<Option<Value>> {
        let deadline = Deadline::after(wait);
        loop {
            if let Some(end) = self.text.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.text.drain(..=end).collect();
                if line.trim_ascii().is_empty() {
                    continue;
                }
                return Ok(Some(serde_json::from_slice(&line)?));
            }
            match chunk(&mut self.connection.raw)? {
                Some(chunk) if chunk.is_empty() => return Err(ErrorKind::UnexpectedEof.into()),
                Some(chunk) => self.text.extend(chunk),
                None if self.connection.more(&deadline)? => {}
                None => return Ok(None),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_host_and_a_port() {
        for url in ["http://127.0.0.1:2379", "http://127.0.0.1:2379/", "127.0.0.1:2379"] {
            assert_eq!(Address::parse(url), Ok(Address("127.0.0.1:2379".into())));
        }
        for url in ["", "http://", "https://127.0.0.1:2379", "127.0.0.1", ":2379", "a:b", "a/b:1"] {
            assert!(Address::parse(url).is_err_and(|error| error.contains("found")), "{url}");
        }
    }

    #[test]
    fn the_head_tells_status_and_length() {
        let head = |text| Head::parse(text).map_err(|error| error.to_string());
        let plain = Head { status: 404, length: Some(12), last: false };
        assert_eq!(head("HTTP/1.1 404 Not Found\r\nContent-Length: 12"), Ok(plain));
        let chunks = Head { status: 200, length: None, last: true };
        let text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nconnection: close";
        assert_eq!(head(text), Ok(chunks));
        assert!(head("HTTP/2 200").is_err());
        assert!(head("HTTP/1.1 200 OK\r\nContent-Length: x").is_err());
    }

    #[test]
    fn chunks_are_taken_whole() {
        let mut raw = b"3\r\nabc\r\n1;x\r\nd\r\n0\r\n\r".to_vec();
        let mut next = || chunk(&mut raw).map_err(|error| error.to_string());
        assert_eq!(next(), Ok(Some(b"abc".to_vec())));
        assert_eq!(next(), Ok(Some(b"d".to_vec())));
        assert_eq!(next(), Ok(None));
        raw.push(b'\n');
        assert_eq!(chunk(&mut raw).expect("whole"), Some(vec![]));
        let mut raw = b"0\r\nGrpc-Trailer: x\r\n\r\nHTTP".to_vec();
        assert_eq!(chunk(&mut raw).expect("whole"), Some(vec![]));
        assert_eq!(raw, b"HTTP");
        assert!(chunk(&mut b"x\r\n".to_vec()).is_err());
        assert!(chunk(&mut b"1\r\nabc".to_vec()).is_err());
        assert!(chunk(&mut b"ffffffffffffffff\r\n".to_vec()).is_err());
    }
}
