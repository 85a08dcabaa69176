// SPDX-License-Identifier: Apache-2.0
//! The loop over connections and requests, and what it prints.

use std::io::{self, Read};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Instant;

use aws_lc_rs::digest;
use rustls::{ClientConfig, ClientConnection, HandshakeKind};
use rustls_pki_types::ServerName;

use crate::compression;
use crate::config::{self, group_name, suite_name, version_name};
use crate::ech;
use crate::http::{self, Response};
use crate::json::{Line, hex};
use crate::options::Options;
use crate::records::Records;
use crate::transport::{Connection, Socket};

/// A failure: where it happened and what it was.
struct Failure {
    stage: &'static str,
    message: String,
}

#[derive(Default)]
struct Totals {
    connections: u64,
    resumed: u64,
    requests: u64,
    body_bytes: u64,
    clean_closes: u64,
    records: u64,
    largest_record: u64,
    failures: u64,
}

/// What one handshake agreed on; empty strings where there is nothing to say.
#[derive(Default)]
struct Facts {
    version: String,
    suite: String,
    group: String,
    alpn: String,
    resumed: bool,
    hello_retry: bool,
    leaf: String,
    chain: u64,
    ech: String,
}

/// Does what the options say; Ok(false) when a connection or an assertion failed.
pub(crate) fn run(options: &Options) -> Result<bool, String> {
    let config = if options.plain {
        None
    } else {
        Some(config::build(options)?)
    };
    let mut totals = Totals::default();
    let mut held = Vec::new();
    let begun = Instant::now();
    let cpu_before = cpu_ns();
    for index in 0..options.connections {
        match one(options, config.as_ref(), index, &mut totals) {
            Ok(connection) if options.hold => held.push(connection),
            Ok(_) => {}
            Err(failure) => {
                totals.failures += 1;
                Line::new("error")
                    .number("connection", index)
                    .text("stage", failure.stage)
                    .text("message", &failure.message)
                    .print();
            }
        }
    }
    if options.hold {
        hold(held);
    }
    summary(
        options,
        &mut totals,
        begun,
        cpu_ns().saturating_sub(cpu_before),
    );
    Ok(totals.failures == 0)
}

/// Waits until the caller closes our standard input, then lets the connections go.
fn hold(connections: Vec<Connection>) {
    Line::new("ready")
        .number("connections", connections.len() as u64)
        .print();
    let _ = io::stdin().read_to_end(&mut Vec::new());
}

fn one(
    options: &Options,
    config: Option<&Arc<ClientConfig>>,
    index: u64,
    totals: &mut Totals,
) -> Result<Connection, Failure> {
    let mut connection = open(options, config)?;
    connection
        .handshake()
        .map_err(|e| failure("handshake", e))?;
    totals.connections += 1;
    let facts = connection.tls.as_ref().map(facts).unwrap_or_default();
    totals.resumed += u64::from(facts.resumed);
    if !options.quiet {
        print_facts(index, &facts);
    }
    if !options.plain {
        check_facts(options, &facts)?;
    }
    for number in 0..options.requests {
        let last = number + 1 == options.requests && !options.hold;
        request(options, &mut connection, index, last, totals)?;
    }
    if !options.hold {
        finish(options, &mut connection, index, totals)?;
    }
    Ok(connection)
}

fn open(options: &Options, config: Option<&Arc<ClientConfig>>) -> Result<Connection, Failure> {
    let tcp = connect(options).map_err(|e| failure("connect", e))?;
    let tls = match config {
        None => None,
        Some(config) => {
            let name =
                ServerName::try_from(options.sni.clone()).map_err(|e| failure("connect", e))?;
            let tls =
                ClientConnection::new(config.clone(), name).map_err(|e| failure("connect", e))?;
            Some(tls)
        }
    };
    let socket = Socket {
        tcp,
        segment: options.segment,
        records: config.is_some().then(Records::default),
    };
    Ok(Connection { socket, tls })
}

fn connect(options: &Options) -> io::Result<TcpStream> {
    let address = options
        .address
        .to_socket_addrs()?
        .next()
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no such address"))?;
    let tcp = TcpStream::connect_timeout(&address, options.timeout)?;
    tcp.set_nodelay(!options.nagle)?;
    tcp.set_read_timeout(Some(options.timeout))?;
    tcp.set_write_timeout(Some(options.timeout))?;
    Ok(tcp)
}

fn facts(tls: &ClientConnection) -> Facts {
    let chain = tls.peer_certificates().unwrap_or_default();
    let leaf = chain
        .first()
        .map(|leaf| hex(digest::digest(&digest::SHA256, leaf).as_ref()));
    let alpn = tls
        .alpn_protocol()
        .map(|p| String::from_utf8_lossy(p).into_owned());
    Facts {
        version: tls.protocol_version().map(version_name).unwrap_or_default(),
        suite: tls
            .negotiated_cipher_suite()
            .map(|s| suite_name(s.suite()))
            .unwrap_or_default(),
        group: tls
            .negotiated_key_exchange_group()
            .map(|g| group_name(g.name()))
            .unwrap_or_default(),
        alpn: alpn.unwrap_or_default(),
        resumed: tls.handshake_kind() == Some(HandshakeKind::Resumed),
        hello_retry: tls.handshake_kind() == Some(HandshakeKind::FullWithHelloRetryRequest),
        leaf: leaf.unwrap_or_default(),
        chain: chain.len() as u64,
        ech: ech::answer(tls),
    }
}

fn print_facts(index: u64, facts: &Facts) {
    Line::new("connection")
        .number("connection", index)
        .text("version", &facts.version)
        .text("suite", &facts.suite)
        .text("group", &facts.group)
        .text("alpn", &facts.alpn)
        .flag("resumed", facts.resumed)
        .flag("hello_retry", facts.hello_retry)
        .text("leaf_sha256", &facts.leaf)
        .number("chain", facts.chain)
        .text("compression", &compression::taken())
        .print();
}

fn check_facts(options: &Options, facts: &Facts) -> Result<(), Failure> {
    let expect = &options.expect;
    for (what, wanted, got) in [
        ("version", &expect.version, &facts.version),
        ("suite", &expect.suite, &facts.suite),
        ("group", &expect.group, &facts.group),
        ("alpn", &expect.alpn, &facts.alpn),
        ("ech", &expect.ech, &facts.ech),
    ] {
        if let Some(wanted) = wanted
            && wanted != got
        {
            return Err(failure(
                "assert",
                format!("{what} is {got:?}, not {wanted:?}"),
            ));
        }
    }
    Ok(())
}

fn request(
    options: &Options,
    connection: &mut Connection,
    index: u64,
    last: bool,
    totals: &mut Totals,
) -> Result<(), Failure> {
    http::send(connection, options, last).map_err(|e| failure("request", e))?;
    let response = http::receive(connection, options).map_err(|e| failure("response", e))?;
    totals.requests += 1;
    totals.body_bytes += response.body_bytes;
    if !options.quiet {
        print_response(options, index, &response);
    }
    let expect = &options.expect;
    if expect
        .status
        .is_some_and(|status| status != response.status)
    {
        return Err(failure("assert", format!("status is {}", response.status)));
    }
    if expect
        .bytes
        .is_some_and(|bytes| bytes != response.body_bytes)
    {
        return Err(failure(
            "assert",
            format!("{} body bytes", response.body_bytes),
        ));
    }
    if response.closes && !last {
        return Err(failure(
            "response",
            "the server closes a kept-alive connection",
        ));
    }
    Ok(())
}

fn print_response(options: &Options, index: u64, response: &Response) {
    let mut line = Line::new("response")
        .number("connection", index)
        .number("status", u64::from(response.status))
        .number("bytes", response.body_bytes);
    if options.body {
        line = line.text("body", &String::from_utf8_lossy(&response.body));
    }
    if let Some(digest) = &response.digest {
        line = line.text("sha256", &hex(digest));
    }
    line.print();
}

/// Says close_notify (unless it went with the last request) and reads to the server's end, which
/// also takes up the tickets that a handshake without a request leaves unread.
fn finish(
    options: &Options,
    connection: &mut Connection,
    index: u64,
    totals: &mut Totals,
) -> Result<(), Failure> {
    if !options.half_close || options.requests == 0 {
        connection.close_notify();
        connection.flush().map_err(|e| failure("close", e))?;
    }
    if options.plain && (options.requests == 0 || options.keep_alive) {
        let _ = connection.socket.tcp.shutdown(std::net::Shutdown::Write);
    }
    let clean = connection.drain().map_err(|e| failure("close", e))?;
    totals.clean_closes += u64::from(clean);
    if let Some(records) = &connection.socket.records {
        totals.records += records.count;
        totals.largest_record = totals.largest_record.max(records.largest);
    }
    if !options.quiet {
        Line::new("closed")
            .number("connection", index)
            .flag("close_notify", clean)
            .print();
    }
    Ok(())
}

fn summary(options: &Options, totals: &mut Totals, begun: Instant, cpu_ns: u64) {
    if let Some(wanted) = options.expect.resumed
        && wanted != totals.resumed
    {
        totals.failures += 1;
        Line::new("error")
            .text("stage", "assert")
            .text(
                "message",
                &format!("{} resumed, not {wanted}", totals.resumed),
            )
            .print();
    }
    Line::new("summary")
        .number("connections", totals.connections)
        .number("resumed", totals.resumed)
        .number("requests", totals.requests)
        .number("body_bytes", totals.body_bytes)
        .number("clean_closes", totals.clean_closes)
        .number("records", totals.records)
        .number("largest_record", totals.largest_record)
        .number("failures", totals.failures)
        .number(
            "wall_us",
            u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX),
        )
        .number("client_cpu_us", cpu_ns / 1000)
        .print();
}

fn failure(stage: &'static str, message: impl ToString) -> Failure {
    Failure {
        stage,
        message: message.to_string(),
    }
}

/// CPU time of this (single-threaded) process so far, 0 where the kernel does not tell.
fn cpu_ns() -> u64 {
    std::fs::read_to_string("/proc/self/schedstat")
        .ok()
        .and_then(|text| text.split(' ').next()?.parse().ok())
        .unwrap_or(0)
}
