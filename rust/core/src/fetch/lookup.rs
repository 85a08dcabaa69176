// SPDX-License-Identifier: Apache-2.0
//! Asking name servers.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use super::net;
use super::resolve::system::System;
use super::resolve::{Fault, Kind, MOST_ADDRESSES, answer, question};

/// How long a server may take before the next one is asked.
const TIMEOUT: Duration = Duration::from_secs(2);
/// How often all servers are asked.
const ROUNDS: usize = 2;
/// Datagrams that are no answer to the question, of one try.
const MOST_FOREIGN: usize = 64;
/// Without EDNS an answer has no more (RFC 1035 4.2.1); what is longer was not asked for.
const LONGEST_DATAGRAM: usize = 4096;

/// The addresses of a name, those of IPv4 first. An empty list: there are none.
///
/// # Errors
/// No server has said.
pub(super) fn addresses(system: &System, name: &str, deadline: Instant) -> io::Result<Vec<IpAddr>> {
    let known = system.host(name);
    if !known.is_empty() {
        return Ok(known);
    }
    let mut addresses = ask(system, name, Kind::A, deadline)?;
    // Where there is an address of IPv4, a server that is silent about IPv6 is no reason to have none.
    match ask(system, name, Kind::Aaaa, deadline) {
        Ok(others) => addresses.extend(others),
        Err(error) if addresses.is_empty() => return Err(error),
        Err(_) => {}
    }
    addresses.truncate(2 * MOST_ADDRESSES);
    Ok(addresses)
}

fn ask(system: &System, name: &str, kind: Kind, deadline: Instant) -> io::Result<Vec<IpAddr>> {
    let mut last = io::ErrorKind::NotFound.into();
    for server in (0..ROUNDS).flat_map(|_| &system.servers) {
        let deadline = deadline.min(Instant::now() + TIMEOUT);
        match ask_one(*server, name, kind, deadline) {
            Ok(Ok(addresses)) => return Ok(addresses),
            Ok(Err(Fault::NoName)) => return Ok(Vec::new()),
            Ok(Err(_)) => last = io::ErrorKind::InvalidData.into(),
            Err(error) => last = error,
        }
    }
    Err(last)
}

type Outcome = Result<Vec<IpAddr>, Fault>;

fn ask_one(server: SocketAddr, name: &str, kind: Kind, deadline: Instant) -> io::Result<Outcome> {
    let mut id = [0; 2];
    aws_lc_rs::rand::fill(&mut id).map_err(io::Error::other)?;
    let Some(question) = question(u16::from_be_bytes(id), name, kind) else {
        return Ok(Err(Fault::NoName));
    };
    // The kernel chooses the port, another one for each question, and takes from the server alone.
    let socket = net::datagrams(server)?;
    net::send_all(&socket, &question, deadline)?;
    match by_datagram(&socket, &question, kind, deadline)? {
        Err(Fault::Truncated) => by_stream(server, &question, kind, deadline),
        outcome => Ok(outcome),
    }
}

fn by_datagram(
    socket: &OwnedFd,
    question: &[u8],
    kind: Kind,
    deadline: Instant,
) -> io::Result<Outcome> {
    let mut buffer = [0; LONGEST_DATAGRAM];
    for _ in 0..MOST_FOREIGN {
        let length = net::receive(socket, &mut buffer, deadline)?;
        match answer(question, buffer.get(..length).unwrap_or_default(), kind) {
            Err(Fault::Foreign) => {}
            outcome => return Ok(outcome),
        }
    }
    Ok(Err(Fault::Foreign))
}

/// RFC 7766 8: a length stands before each message.
fn by_stream(
    server: SocketAddr,
    question: &[u8],
    kind: Kind,
    deadline: Instant,
) -> io::Result<Outcome> {
    let socket = net::stream(server, deadline)?;
    let length = u16::try_from(question.len()).map_err(io::Error::other)?;
    let framed = [&length.to_be_bytes()[..], question].concat();
    net::send_all(&socket, &framed, deadline)?;
    let mut length = [0; 2];
    fill(&socket, &mut length, deadline)?;
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    fill(&socket, &mut message, deadline)?;
    Ok(answer(question, &message, kind))
}

fn fill(socket: &OwnedFd, mut buffer: &mut [u8], deadline: Instant) -> io::Result<()> {
    while !buffer.is_empty() {
        match net::receive(socket, buffer, deadline)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            length => buffer = buffer.get_mut(length..).unwrap_or_default(),
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "lookup_tests.rs"]
mod tests;
