// SPDX-License-Identifier: Apache-2.0
//! Enough HTTP/1.1 for one request and its response.

use std::io::{self, Read};

use aws_lc_rs::digest;

use crate::options::Options;
use crate::transport::Connection;

const MAX_HEAD: usize = 64 * 1024;
const SHOWN_BODY: usize = 16 * 1024;
const CHUNK: usize = 64 * 1024;

/// What came back.
#[derive(Default)]
pub(crate) struct Response {
    pub status: u16,
    pub body_bytes: u64,
    /// The first bytes of the body, where the options ask for it.
    pub body: Vec<u8>,
    /// SHA-256 of the body, where the options ask for it.
    pub digest: Option<Vec<u8>>,
    /// The server closes after this response.
    pub closes: bool,
}

/// Sends one request; `last`: it asks the server to close, unless the options keep it open.
pub(crate) fn send(connection: &mut Connection, options: &Options, last: bool) -> io::Result<()> {
    let head = head(options, last);
    connection.send(head.as_bytes())?;
    if let Some(size) = options.upload {
        send_body(connection, size, options.chunked)?;
    }
    if last && options.half_close {
        connection.close_notify();
    }
    connection.flush()
}

fn head(options: &Options, last: bool) -> String {
    let method = match (&options.method, options.upload) {
        (Some(method), _) => method.as_str(),
        (None, Some(_)) => "POST",
        (None, None) => "GET",
    };
    let host = options.host.as_ref().unwrap_or(&options.sni);
    let mut head = format!("{method} {} HTTP/1.1\r\nHost: {host}\r\n", options.path);
    for header in &options.headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    if last && !options.keep_alive {
        head.push_str("Connection: close\r\n");
    }
    match options.upload {
        Some(_) if options.chunked => head.push_str("Transfer-Encoding: chunked\r\n"),
        Some(size) => head.push_str(&format!("Content-Length: {size}\r\n")),
        None => {}
    }
    head.push_str("\r\n");
    head
}

fn send_body(connection: &mut Connection, size: u64, chunked: bool) -> io::Result<()> {
    let zeros = vec![0; CHUNK];
    let mut left = size;
    while left > 0 {
        let piece = usize::try_from(left).map_or(CHUNK, |left| left.min(CHUNK));
        if chunked {
            connection.send(format!("{piece:x}\r\n").as_bytes())?;
        }
        connection.send(zeros.get(..piece).unwrap_or_default())?;
        if chunked {
            connection.send(b"\r\n")?;
        }
        left -= piece as u64;
    }
    if chunked {
        connection.send(b"0\r\n\r\n")?;
    }
    Ok(())
}

/// Reads one response.
pub(crate) fn receive(connection: &mut Connection, options: &Options) -> io::Result<Response> {
    let mut reader = Reader::new(connection);
    loop {
        let head = reader.head()?;
        let status = status(&head)?;
        // An interim response, as after Expect: 100-continue, precedes the real one.
        if (100..200).contains(&status) && status != 101 {
            continue;
        }
        let mut response = Response {
            status,
            closes: header(&head, "connection").is_some_and(|v| v.eq_ignore_ascii_case("close")),
            ..Response::default()
        };
        let mut sink = Sink::new(options);
        let bodyless = status == 204 || status == 304 || options.method.as_deref() == Some("HEAD");
        if bodyless {
        } else if header(&head, "transfer-encoding").is_some() {
            reader.chunked(&mut sink)?;
        } else if let Some(length) = header(&head, "content-length") {
            reader.exactly(
                length.parse().map_err(|_| bad("content-length"))?,
                &mut sink,
            )?;
        } else {
            response.closes = true;
            reader.until_end(&mut sink)?;
        }
        response.body_bytes = sink.bytes;
        response.body = sink.shown;
        response.digest = sink.digest.map(|d| d.finish().as_ref().to_vec());
        return Ok(response);
    }
}

fn status(head: &str) -> io::Result<u16> {
    head.split(' ')
        .nth(1)
        .and_then(|code| code.trim().parse().ok())
        .ok_or_else(|| bad("status line"))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

fn bad(what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("bad {what} in response"),
    )
}

/// Where body bytes go: counted always, shown and digested on demand.
struct Sink {
    bytes: u64,
    shown: Vec<u8>,
    limit: usize,
    digest: Option<digest::Context>,
}

impl Sink {
    fn new(options: &Options) -> Self {
        Self {
            bytes: 0,
            shown: Vec::new(),
            limit: if options.body { SHOWN_BODY } else { 0 },
            digest: options
                .digest
                .then(|| digest::Context::new(&digest::SHA256)),
        }
    }

    fn take(&mut self, data: &[u8]) {
        self.bytes += data.len() as u64;
        let room = self.limit - self.shown.len();
        self.shown.extend(data.iter().take(room));
        if let Some(digest) = &mut self.digest {
            digest.update(data);
        }
    }
}

/// A buffered reader; it lives for one response, since the client never pipelines.
struct Reader<'a> {
    connection: &'a mut Connection,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl<'a> Reader<'a> {
    fn new(connection: &'a mut Connection) -> Self {
        Self {
            connection,
            buffer: vec![0; CHUNK],
            start: 0,
            end: 0,
        }
    }

    fn held(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Reads once into the empty buffer; false at the end of the stream.
    fn fill(&mut self) -> io::Result<bool> {
        self.start = 0;
        self.end = self.connection.read(&mut self.buffer)?;
        Ok(self.end > 0)
    }

    fn byte(&mut self) -> io::Result<u8> {
        if self.start == self.end && !self.fill()? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let byte = self.held().first().copied().unwrap_or_default();
        self.start += 1;
        Ok(byte)
    }

    fn head(&mut self) -> io::Result<String> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if head.len() == MAX_HEAD {
                return Err(bad("size of the head"));
            }
            head.push(self.byte()?);
        }
        Ok(String::from_utf8_lossy(&head).into_owned())
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            if line.len() == MAX_HEAD {
                return Err(bad("chunk"));
            }
            line.push(self.byte()?);
        }
        Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
    }

    fn exactly(&mut self, mut left: u64, sink: &mut Sink) -> io::Result<()> {
        while left > 0 {
            if self.start == self.end && !self.fill()? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let take =
                usize::try_from(left).map_or(self.held().len(), |l| l.min(self.held().len()));
            sink.take(self.held().get(..take).unwrap_or_default());
            self.start += take;
            left -= take as u64;
        }
        Ok(())
    }

    fn chunked(&mut self, sink: &mut Sink) -> io::Result<()> {
        loop {
            let line = self.line()?;
            let size = line.split(';').next().unwrap_or_default();
            let size = u64::from_str_radix(size.trim(), 16).map_err(|_| bad("chunk"))?;
            if size == 0 {
                while !self.line()?.is_empty() {}
                return Ok(());
            }
            self.exactly(size, sink)?;
            if !self.line()?.is_empty() {
                return Err(bad("chunk"));
            }
        }
    }

    fn until_end(&mut self, sink: &mut Sink) -> io::Result<()> {
        loop {
            sink.take(self.held());
            if !self.fill()? {
                return Ok(());
            }
        }
    }
}
