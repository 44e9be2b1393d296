//! As much of HTTP/1.1 as the playground needs, within limits: heads of 8 KiB,
//! bodies of a stated length, ten seconds for each request. Heads are read by
//! httparse, which downloads need anyway; tiny_http 0.12, the small server that
//! others use, limits neither the time nor the size of a request.

use httparse::{EMPTY_HEADER, Error, Header, Status};
use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Shutdown, TcpStream},
    time::{Duration, Instant},
};

const LONGEST_HEAD: usize = 8 * 1024;
const MOST_HEADERS: usize = 64;

/// Time for the whole of a request, and for the next one to begin.
const PATIENCE: Duration = Duration::from_secs(10);

/// A request that was read to its end.
pub struct Request {
    pub method: String,
    /// What stands before the question mark.
    pub path: String,
    /// What stands behind it.
    pub query: String,
    pub host: Option<String>,
    pub origin: Option<String>,
    pub keep_alive: bool,
    pub body: Vec<u8>,
}

/// Why a request is not answered: status and one sentence.
#[derive(Debug, PartialEq)]
pub struct Refusal(pub u16, pub String);

impl Refusal {
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        Self(status, message.into())
    }
}

/// What is answered.
pub struct Response {
    pub status: u16,
    /// Media type of the body.
    pub kind: &'static str,
    pub body: Vec<u8>,
    /// The method that the address takes, where another was used.
    pub allow: Option<&'static str>,
}

impl Response {
    pub fn new(status: u16, kind: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            kind,
            body: body.into(),
            allow: None,
        }
    }
}

impl From<Refusal> for Response {
    fn from(Refusal(status, error): Refusal) -> Self {
        let body = serde_json::json!({ "error": error }).to_string();
        Self::new(status, "application/json", body)
    }
}

/// A head, with a request that has no body yet.
struct Head {
    request: Request,
    /// Bytes of the head.
    length: usize,
    /// Bytes of the body.
    body: usize,
    /// Whether the other side waits for a word before it sends the body.
    waits: bool,
}

/// A connection on which requests come one after the other.
pub struct Connection {
    stream: TcpStream,
    /// Bytes that came and belong to no request yet.
    seen: Vec<u8>,
    longest_body: usize,
}

impl Connection {
    pub fn new(stream: TcpStream, longest_body: usize) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self {
            stream,
            seen: Vec::new(),
            longest_body,
        })
    }

    /// The next request; none when there is no further one.
    pub fn request(&mut self) -> Result<Option<Request>, Refusal> {
        let until = Instant::now() + PATIENCE;
        let head = loop {
            if let Some(head) = read_head(&self.seen, self.longest_body)? {
                break head;
            }
            match self.fill(until) {
                Ok(true) => {}
                Ok(false) | Err(_) if self.seen.is_empty() => return Ok(None),
                Ok(false) => return Err(Refusal::new(400, "the request ends within its head")),
                Err(refusal) => return Err(refusal),
            }
        };
        if head.waits
            && self
                .stream
                .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
                .is_err()
        {
            return Ok(None);
        }
        let end = head.length + head.body;
        while self.seen.len() < end {
            if !self.fill(until)? {
                let came = self.seen.len() - head.length;
                return Err(Refusal::new(
                    400,
                    format!("the request ends after {came} of {} bytes", head.body),
                ));
            }
        }
        let rest = self.seen.split_off(end);
        let body = self.seen.split_off(head.length);
        self.seen = rest;
        Ok(Some(Request {
            body,
            ..head.request
        }))
    }

    /// Waits for more bytes; false when none will come.
    fn fill(&mut self, until: Instant) -> Result<bool, Refusal> {
        let late = || Refusal::new(408, "the request did not come within 10 seconds");
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(late());
        }
        let mut bytes = [0; 16 * 1024];
        let read = self.stream.set_read_timeout(Some(left));
        match read.and_then(|()| self.stream.read(&mut bytes)) {
            Ok(count) => {
                self.seen.extend_from_slice(&bytes[..count]);
                Ok(count > 0)
            }
            Err(error) => match error.kind() {
                ErrorKind::Interrupted => Ok(true),
                ErrorKind::WouldBlock | ErrorKind::TimedOut => Err(late()),
                _ => Ok(false),
            },
        }
    }

    /// Sends an answer.
    pub fn answer(&mut self, response: &Response, keep_alive: bool) -> io::Result<()> {
        let mut bytes = format!(
            "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: {}\r\n\
             Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\
             Referrer-Policy: no-referrer\r\nContent-Security-Policy: default-src 'none'; \
             script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; \
             connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n",
            response.status,
            reason(response.status),
            response.kind,
            response.body.len(),
            if keep_alive { "keep-alive" } else { "close" },
        )
        .into_bytes();
        if let Some(method) = response.allow {
            bytes.extend_from_slice(format!("Allow: {method}\r\n").as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&response.body);
        self.stream.write_all(&bytes)
    }

    /// Ends the connection. What still comes is read for a moment, because
    /// closing over unread bytes takes the last answer away from its reader.
    pub fn close(mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
        let until = Instant::now() + Duration::from_secs(1);
        let most = 4 * self.longest_body;
        let mut count = 0;
        while count < most && self.fill(until) == Ok(true) {
            count += self.seen.len();
            self.seen.clear();
        }
    }
}

/// The head that `seen` begins with; none when it is not whole yet.
fn read_head(seen: &[u8], longest_body: usize) -> Result<Option<Head>, Refusal> {
    let mut headers = [EMPTY_HEADER; MOST_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let length = match parsed.parse(seen) {
        Ok(Status::Complete(length)) if length <= LONGEST_HEAD => length,
        Ok(Status::Partial) if seen.len() <= LONGEST_HEAD => return Ok(None),
        Ok(_) | Err(Error::TooManyHeaders) => {
            let message = "the request's head is longer than 8 KiB or 64 lines";
            return Err(Refusal::new(431, message));
        }
        Err(Error::Version) => {
            let message = "only HTTP/1.0 and HTTP/1.1 are spoken here";
            return Err(Refusal::new(505, message));
        }
        Err(error) => {
            let message = format!("this is no HTTP request: {error}");
            return Err(Refusal::new(400, message));
        }
    };
    let (Some(method), Some(target), Some(version)) = (parsed.method, parsed.path, parsed.version)
    else {
        return Err(Refusal::new(400, "this is no HTTP request"));
    };
    let header = |name| header(parsed.headers, name);
    if header("Transfer-Encoding")?.is_some() {
        let message = "a body needs a Content-Length, not Transfer-Encoding";
        return Err(Refusal::new(501, message));
    }
    let host = header("Host")?;
    if version == 1 && host.is_none() {
        return Err(Refusal::new(400, "the header Host is missing"));
    }
    let connection = header("Connection")?.unwrap_or_default();
    let closes = connection.to_ascii_lowercase().contains("close");
    let expects = header("Expect")?.unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Ok(Some(Head {
        length,
        body: body_length(header("Content-Length")?, longest_body)?,
        waits: expects.eq_ignore_ascii_case("100-continue"),
        request: Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            host,
            origin: header("Origin")?,
            keep_alive: version == 1 && !closes,
            body: Vec::new(),
        },
    }))
}

/// The only header of this name, where there is one.
fn header(headers: &[Header], name: &str) -> Result<Option<String>, Refusal> {
    let refused = |what| Err(Refusal::new(400, format!("the header {name} {what}")));
    let mut found = headers
        .iter()
        .filter(|header| header.name.eq_ignore_ascii_case(name));
    match (found.next(), found.next()) {
        (None, _) => Ok(None),
        (Some(header), None) => match std::str::from_utf8(header.value) {
            Ok(value) => Ok(Some(value.trim().to_owned())),
            Err(_) => refused("is no text"),
        },
        _ => refused("comes twice"),
    }
}

fn body_length(text: Option<String>, longest: usize) -> Result<usize, Refusal> {
    let Some(text) = text else { return Ok(0) };
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Refusal::new(400, "the header Content-Length is no number"));
    }
    match text.parse() {
        Ok(length) if length <= longest => Ok(length),
        _ => Err(Refusal::new(
            413,
            format!("a body may have {longest} bytes"),
        )),
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        505 => "HTTP Version Not Supported",
        _ => "Internal Server Error",
    }
}
