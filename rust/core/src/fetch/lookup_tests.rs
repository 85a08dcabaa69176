// SPDX-License-Identifier: Apache-2.0
//! Against name servers of threads of this process.

use super::*;
use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::thread;

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

fn system(servers: &[SocketAddr]) -> System {
    System {
        servers: servers.to_vec(),
        hosts: vec![("known.example".to_owned(), [192, 0, 2, 7].into())],
    }
}

/// The question as an answer: with an address where it asks for one of IPv4.
fn reply(question: &[u8], cut: bool) -> Vec<u8> {
    let mut message = question.to_vec();
    message[2] = if cut { 0x83 } else { 0x81 };
    message[3] = 0x80;
    if !cut && question[question.len() - 3] == 1 {
        message[7] = 1;
        message.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 9]);
    }
    message
}

/// A server that answers `count` questions by datagram, after something that is not for us, `cut` or not.
fn server(count: usize, cut: bool) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let streams = TcpListener::bind(address).unwrap();
    thread::spawn(move || {
        for _ in 0..count {
            let mut buffer = [0; 512];
            let (length, from) = socket.recv_from(&mut buffer).unwrap();
            let question = &buffer[..length];
            socket.send_to(b"garbage", from).unwrap();
            let mut foreign = reply(question, false);
            foreign[0] ^= 1;
            socket.send_to(&foreign, from).unwrap();
            socket.send_to(&reply(question, cut), from).unwrap();
            if cut {
                let (mut stream, _) = streams.accept().unwrap();
                let mut framed = vec![0; 2 + length];
                stream.read_exact(&mut framed).unwrap();
                let whole = reply(&framed[2..], false);
                let length = u16::try_from(whole.len()).unwrap();
                stream.write_all(&length.to_be_bytes()).unwrap();
                stream.write_all(&whole).unwrap();
            }
        }
    });
    address
}

fn found(servers: &[SocketAddr], name: &str) -> Vec<String> {
    let addresses = addresses(&system(servers), name, soon()).unwrap();
    addresses.iter().map(ToString::to_string).collect()
}

#[test]
fn by_datagram_and_by_stream() {
    assert_eq!(found(&[], "known.example"), ["192.0.2.7"]);
    assert_eq!(found(&[server(2, false)], "www.example"), ["192.0.2.9"]);
    assert_eq!(found(&[server(2, true)], "www.example"), ["192.0.2.9"]);
}

#[test]
fn a_server_that_does_not_listen_is_passed_over() {
    let nobody = UdpSocket::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    assert_eq!(
        found(&[nobody, server(2, false)], "www.example"),
        ["192.0.2.9"]
    );
    assert!(addresses(&system(&[nobody]), "www.example", soon()).is_err());
}

#[test]
fn own_addresses_are_known() {
    assert!(net::is_own([127, 0, 0, 1].into()));
    assert!(!net::is_own([192, 0, 2, 1].into()));
}
