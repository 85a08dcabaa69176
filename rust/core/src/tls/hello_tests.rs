// SPDX-License-Identifier: Apache-2.0
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::{Resumption, UnbufferedClientConnection};
use rustls::crypto::aws_lc_rs;
use rustls::unbuffered::ConnectionState;
use rustls_pki_types::ServerName;

use rustls::AlertDescription;

use super::{MAX_HELLO, MAX_RECORDS, Parsed, fault, parse};

/// The first flight of a rustls client.
fn real_hello(name: &'static str, alpn: &[&[u8]]) -> Vec<u8> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|p| p.to_vec()).collect();
    config.resumption = Resumption::disabled();
    let name = ServerName::try_from(name).unwrap();
    let mut client = UnbufferedClientConnection::new(Arc::new(config), name).unwrap();
    let mut wire = vec![0; 8192];
    match client.process_tls_records(&mut []).state.unwrap() {
        ConnectionState::EncodeTlsData(mut data) => {
            let length = data.encode(&mut wire).unwrap();
            wire.truncate(length);
            wire
        }
        _ => panic!("a client begins with data to send"),
    }
}

/// The handshake messages of `wire`, put into records of at most `size` bytes.
pub(super) fn refragment(wire: &[u8], size: usize) -> Vec<u8> {
    wire[5..].chunks(size).flat_map(record).collect()
}

pub(super) fn record(payload: &[u8]) -> Vec<u8> {
    let mut out = vec![22, 3, 1];
    out.extend_from_slice(&u16::try_from(payload.len()).unwrap().to_be_bytes());
    out.extend_from_slice(payload);
    out
}

/// A record that holds a ClientHello with these extensions only.
pub(super) fn hello_with(extensions: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut list = Vec::new();
    for (kind, data) in extensions {
        list.extend_from_slice(&kind.to_be_bytes());
        list.extend_from_slice(&u16::try_from(data.len()).unwrap().to_be_bytes());
        list.extend_from_slice(data);
    }
    let mut body = vec![3, 3];
    body.extend_from_slice(&[7; 32]);
    body.extend_from_slice(&[0, 0, 2, 0x13, 0x01, 1, 0]);
    body.extend_from_slice(&u16::try_from(list.len()).unwrap().to_be_bytes());
    body.extend_from_slice(&list);
    let mut message = vec![1, 0];
    message.extend_from_slice(&u16::try_from(body.len()).unwrap().to_be_bytes());
    message.extend_from_slice(&body);
    record(&message)
}

pub(super) fn server_name_extension(names: &[(u8, &[u8])]) -> (u16, Vec<u8>) {
    let mut list = Vec::new();
    for (kind, name) in names {
        list.push(*kind);
        list.extend_from_slice(&u16::try_from(name.len()).unwrap().to_be_bytes());
        list.extend_from_slice(name);
    }
    let mut data = u16::try_from(list.len()).unwrap().to_be_bytes().to_vec();
    data.extend_from_slice(&list);
    (0, data)
}

fn server_name_of(names: &[(u8, &[u8])]) -> Option<String> {
    match parse(&hello_with(&[server_name_extension(names)])) {
        Parsed::Hello(hello) => hello.server_name,
        other => panic!("{other:?}"),
    }
}

#[test]
fn reads_what_a_rustls_client_sends() {
    let Parsed::Hello(hello) = parse(&real_hello("WWW.Example.com", &[b"h2", b"http/1.1"])) else {
        panic!("not a hello");
    };
    assert_eq!(hello.server_name.as_deref(), Some("www.example.com"));
    assert_eq!(hello.alpn, [b"h2".to_vec(), b"http/1.1".to_vec()]);
    assert_eq!(hello.legacy_version, 0x0303);
    assert_eq!(hello.versions, [0x0304, 0x0303]);
    assert!(hello.suites.contains(&0x1301) && hello.suites.contains(&0xc02b));
    assert_eq!(hello.groups.first(), Some(&0x11ec));
    assert_eq!(hello.key_shares, [0x11ec, 0x001d]);
    assert!(hello.signature_schemes.contains(&0x0403));
    assert!(
        [0, 10, 13, 16, 43, 51]
            .iter()
            .all(|e| hello.extensions.contains(e))
    );
}

#[test]
fn an_ip_address_is_no_name() {
    let Parsed::Hello(hello) = parse(&real_hello("127.0.0.1", &[])) else {
        panic!("not a hello")
    };
    assert_eq!(hello.server_name, None);
    assert!(!hello.extensions.contains(&0));
}

#[test]
fn every_cut_waits_and_every_continuation_agrees() {
    let wire = real_hello("a.example", &[b"h2"]);
    let whole = parse(&wire);
    for size in [1, 2, 3, 4, 5, 7, 100, 16_000] {
        let wire = refragment(&wire, size);
        for cut in 0..wire.len() {
            assert_eq!(
                parse(&wire[..cut]),
                Parsed::NeedMore,
                "record size {size}, {cut} bytes"
            );
        }
        assert_eq!(parse(&wire), whole, "record size {size}");
        let followed = [&wire[..], &[20, 3, 3, 0, 1, 1]].concat();
        assert_eq!(
            parse(&followed),
            whole,
            "with more behind, record size {size}"
        );
    }
}

#[test]
fn server_names() {
    assert_eq!(
        server_name_of(&[(0, b"Host.EXAMPLE")]).as_deref(),
        Some("host.example")
    );
    assert_eq!(
        server_name_of(&[(0, b"host.example.")]).as_deref(),
        Some("host.example")
    );
    assert_eq!(
        server_name_of(&[(0, b"a_b.example")]).as_deref(),
        Some("a_b.example")
    );
    assert_eq!(server_name_of(&[(0, b"192.0.2.1")]), None);
    assert_eq!(server_name_of(&[(0, b"2001:db8::1")]), None);
    assert_eq!(server_name_of(&[(0, b"bad name")]), None);
    assert_eq!(
        server_name_of(&[(0, b"Joe-.shop.test:443")]).as_deref(),
        Some("joe-.shop.test:443"),
        "others have virtual hosts of such names"
    );
    assert_eq!(server_name_of(&[(0, b"\xff\xfe")]), None);
    assert_eq!(server_name_of(&[(0, b"")]), None);
    assert_eq!(
        server_name_of(&[(0, b"a.example"), (0, b"b.example")]),
        None,
        "two of one type"
    );
    assert_eq!(
        server_name_of(&[(1, b"x"), (0, b"a.example")]),
        None,
        "unknown type first"
    );
    assert_eq!(
        server_name_of(&[(0, b"a.example"), (9, b"x")]).as_deref(),
        Some("a.example")
    );
}

#[test]
fn a_broken_extension_leaves_the_rest_readable() {
    for kind in [0, 10, 13, 16, 43, 51] {
        for data in [
            vec![],
            vec![0],
            vec![255, 255],
            vec![0, 1, 9],
            vec![0, 3, 1, 2],
        ] {
            let wire = hello_with(&[(kind, data.clone()), (21, vec![0; 9])]);
            let Parsed::Hello(hello) = parse(&wire) else {
                panic!("{kind} {data:?}")
            };
            assert_eq!(hello.extensions, [kind, 21]);
        }
    }
}

#[test]
fn the_first_of_two_equal_extensions_counts() {
    let wire = hello_with(&[
        server_name_extension(&[(0, b"a.example")]),
        server_name_extension(&[(0, b"b.example")]),
    ]);
    let Parsed::Hello(hello) = parse(&wire) else {
        panic!("not a hello")
    };
    assert_eq!(hello.server_name.as_deref(), Some("a.example"));
    assert_eq!(hello.extensions, [0, 0]);
}

#[test]
fn a_hello_without_extensions_is_a_hello() {
    let mut body = vec![3, 1];
    body.extend_from_slice(&[7; 32]);
    body.extend_from_slice(&[0, 0, 2, 0, 47, 1, 0]);
    let message = [&[1, 0, 0, u8::try_from(body.len()).unwrap()], &body[..]].concat();
    let Parsed::Hello(hello) = parse(&record(&message)) else {
        panic!("not a hello")
    };
    assert_eq!(
        (hello.legacy_version, hello.suites.as_slice()),
        (0x0301, &[47][..])
    );
    assert!(hello.versions.is_empty() && hello.extensions.is_empty());
}

#[test]
fn tells_other_protocols_apart() {
    let table: &[(&[u8], Parsed)] = &[
        (b"", Parsed::NeedMore),
        (b"G", Parsed::NeedMore),
        (b"GET", Parsed::NeedMore),
        (b"GET ", Parsed::PlainHttp),
        (b"GET / HTTP/1.1\r\n", Parsed::PlainHttp),
        (b"VERSION-CONTROL /x", Parsed::PlainHttp),
        (b"PRI * HTTP/2.0\r\n", Parsed::PlainHttp),
        (b"EHLO\r\n", Parsed::NotTls),
        (b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", Parsed::NotTls),
        (b"SSH-2.0-OpenSSH", Parsed::NotTls),
        (b"get / HTTP/1.1", Parsed::NotTls),
        (b"\x00", Parsed::NotTls),
        (b"\x16", Parsed::NeedMore),
        (b"\x16\x02", Parsed::NotTls),
        (b"\x16\x03\x01", Parsed::NeedMore),
        (
            b"\x16\x03\x01\x00\x00",
            Parsed::Malformed(fault(
                "a handshake record is empty",
                AlertDescription::DecodeError,
            )),
        ),
        (
            b"\x16\x03\x01\xff\xff",
            Parsed::Malformed(fault(
                "a record is longer than TLS allows",
                AlertDescription::RecordOverflow,
            )),
        ),
        (
            b"\x16\x03\x01\x00\x05\x02",
            Parsed::Malformed(fault(
                "the first handshake message is not a ClientHello",
                AlertDescription::UnexpectedMessage,
            )),
        ),
        (
            b"\x16\x03\x01\x00\x05\x01\x01\x00\x00",
            Parsed::Malformed(fault(
                "the ClientHello is longer than 48 KiB",
                AlertDescription::IllegalParameter,
            )),
        ),
        (
            b"\x16\x03\x01\x00\x01\x01\x15",
            Parsed::Malformed(fault(
                "another record comes in the middle of the ClientHello",
                AlertDescription::UnexpectedMessage,
            )),
        ),
        (
            b"\x16\x03\x01\x00\x04\x01\x00\x00\x00",
            Parsed::Malformed(fault(
                "the ClientHello is cut short inside",
                AlertDescription::DecodeError,
            )),
        ),
        (b"\x15", Parsed::NeedMore),
        (
            b"\x15\x03\x01",
            Parsed::Malformed(fault(
                "the first record is not a handshake record",
                AlertDescription::UnexpectedMessage,
            )),
        ),
        (b"\x15\x09", Parsed::NotTls),
        (b"\x80\x2e\x01", Parsed::NeedMore),
        (b"\x80\x2e\x01\x00\x02", Parsed::Sslv2),
        (b"\x80\x2e\x01\x03\x01", Parsed::Sslv2),
        (b"\x80\x2e\x01\x04\x01", Parsed::NotTls),
        (b"\x80\x2e\x02", Parsed::NotTls),
        (b"\xff\xff", Parsed::NeedMore),
    ];
    for (input, expected) in table {
        assert_eq!(&parse(input), expected, "{input:?}");
    }
}

#[test]
fn the_number_of_records_is_bounded() {
    let mut wire = record(&[1, 0, 0xbf, 0xff]);
    for _ in 1..MAX_RECORDS {
        wire.extend_from_slice(&record(&[0]));
    }
    assert_eq!(parse(&wire), Parsed::NeedMore);
    wire.extend_from_slice(&record(&[0]));
    assert_eq!(
        parse(&wire),
        Parsed::Malformed(fault(
            "the ClientHello comes in too many records",
            AlertDescription::IllegalParameter
        ))
    );
}

#[test]
fn the_longest_hello_is_read() {
    let fill = MAX_HELLO - 2 - 32 - 7 - 2 - 4;
    let mut body = vec![3, 3];
    body.extend_from_slice(&[7; 32]);
    body.extend_from_slice(&[0, 0, 2, 0x13, 0x01, 1, 0]);
    body.extend_from_slice(&u16::try_from(fill + 4).unwrap().to_be_bytes());
    body.extend_from_slice(&[0, 21]);
    body.extend_from_slice(&u16::try_from(fill).unwrap().to_be_bytes());
    body.resize(body.len() + fill, 0);
    assert_eq!(body.len(), MAX_HELLO);
    let message = [&[1, 0, 0xc0, 0], &body[..]].concat();
    let wire: Vec<u8> = message.chunks(16_384).flat_map(record).collect();
    let Parsed::Hello(hello) = parse(&wire) else {
        panic!("not a hello")
    };
    assert_eq!(hello.extensions, [21]);
}

/// Small generator of pseudo-random numbers (xorshift64), so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }
}

/// No input panics, and a final answer on a prefix stays the answer: this is what lets the caller act on it at once.
#[test]
fn mutated_hellos_never_contradict_themselves() {
    let seeds = [
        real_hello("a.example", &[b"h2"]),
        refragment(&real_hello("b.example", &[]), 200),
        hello_with(&[
            server_name_extension(&[(0, b"c.example")]),
            (43, vec![2, 3, 4]),
        ]),
        b"OPTIONS * HTTP/1.1\r\n\r\n".to_vec(),
        vec![0x80, 0x2e, 1, 0, 2, 0, 21, 0, 0, 0, 16],
    ];
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    for round in 0..20_000 {
        let mut input = seeds[random.below(seeds.len())].clone();
        for _ in 0..=random.below(6) {
            let at = random.below(input.len());
            match random.below(4) {
                0 => input[at] = u8::try_from(random.below(256)).unwrap(),
                1 => input[at] ^= 1 << random.below(8),
                2 => input.truncate(at.max(1)),
                _ => input.insert(at, u8::try_from(random.below(256)).unwrap()),
            }
        }
        let whole = parse(&input);
        for _ in 0..4 {
            let prefix = parse(&input[..random.below(input.len() + 1)]);
            assert!(
                prefix == Parsed::NeedMore || prefix == whole,
                "round {round}: {input:?}"
            );
        }
    }
}
