// SPDX-License-Identifier: Apache-2.0
//! Offers of Encrypted ClientHello, for the front-door tests (tests/httpd/test_ech.py). Any certificate is accepted.
//!
//!     tls-client ech PORT NAME LIST PATH [COUNT] [h2|none|grease|p384]...
//!
//! LIST is an ECHConfigList in hex. For each of COUNT connections, which share their sessions, a line says how the
//! offer was answered, whether the session was resumed, what ALPN came to, and the status and last line of the answer
//! to `GET PATH`; or the list that a refusal came with, or why nothing came.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::{EchConfig, EchGreaseConfig, EchMode};
use rustls::crypto::aws_lc_rs::{self, hpke};
use rustls::crypto::hpke::{Hpke, HpkePublicKey};
use rustls::internal::msgs::codec::Codec;
use rustls::{ClientConfig, ClientConnection, Error, HandshakeKind, PeerIncompatible};
use rustls_pki_types::ServerName;

use crate::accept_any::AcceptAny;

type Failure = Box<dyn std::error::Error>;

/// What to offer: by an ECHConfigList in hex, or `grease`; the error is the text to print.
pub(crate) fn mode(list: &str) -> Result<EchMode, String> {
    if list == "grease" {
        let suite = hpke::DH_KEM_X25519_HKDF_SHA256_AES_128;
        let (public, _) = suite.generate_key_pair().map_err(|e| e.to_string())?;
        let grease = EchGreaseConfig::new(suite, HpkePublicKey(public.0));
        return Ok(EchMode::Grease(grease));
    }
    let list = from_hex(list).ok_or("the list is not in hex")?;
    let config = EchConfig::new(list.as_slice().into(), hpke::ALL_SUPPORTED_SUITES);
    Ok(config.map_err(|e| e.to_string())?.into())
}

/// How the offer was answered, in one word.
pub(crate) fn answer(tls: &ClientConnection) -> String {
    format!("{:?}", tls.ech_status()).to_lowercase()
}

fn configure(list: &str, words: &[String]) -> Result<ClientConfig, Failure> {
    let has = |word: &str| words.iter().any(|given| given == word);
    let mut provider = aws_lc_rs::default_provider();
    if has("p384") {
        provider.kx_groups = vec![aws_lc_rs::kx_group::X25519, aws_lc_rs::kx_group::SECP384R1];
    }
    let provider = Arc::new(provider);
    let builder = ClientConfig::builder_with_provider(provider.clone());
    let builder = if has("none") {
        builder.with_safe_default_protocol_versions()?
    } else {
        let list = if has("grease") { "grease" } else { list };
        builder.with_ech(mode(list)?)?
    };
    let mut config = builder
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AcceptAny(provider)))
        .with_no_client_auth();
    let alpn: &[u8] = if has("h2") { b"h2" } else { b"http/1.1" };
    config.alpn_protocols = vec![alpn.to_vec()];
    Ok(config)
}

/// One connection; the line about it.
fn visit(config: &Arc<ClientConfig>, port: u16, name: &str, path: &str) -> Result<String, Failure> {
    let mut socket = TcpStream::connect(("127.0.0.1", port))?;
    socket.set_read_timeout(Some(Duration::from_secs(20)))?;
    let server = ServerName::try_from(name.to_owned())?;
    let mut tls = ClientConnection::new(config.clone(), server)?;
    while tls.is_handshaking() {
        tls.complete_io(&mut socket)?;
    }
    let kind = match tls.handshake_kind() {
        Some(HandshakeKind::Resumed) => "resumed",
        Some(HandshakeKind::FullWithHelloRetryRequest) => "retried",
        _ => "full",
    };
    let ech = answer(&tls);
    let alpn = String::from_utf8_lossy(tls.alpn_protocol().unwrap_or(b"-")).into_owned();
    if alpn == "h2" {
        return Ok(format!("{ech} {kind} h2 - -"));
    }
    let request = format!("GET {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n");
    let mut stream = rustls::Stream::new(&mut tls, &mut socket);
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.split(' ').nth(1).unwrap_or("-");
    let last = answer.trim_end().lines().last().unwrap_or("-");
    Ok(format!("{ech} {kind} {alpn} {status} {last}"))
}

fn explain(failure: &Failure) -> String {
    let error = failure
        .downcast_ref::<std::io::Error>()
        .and_then(|error| error.get_ref());
    match error.and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(Error::PeerIncompatible(PeerIncompatible::ServerRejectedEncryptedClientHello(
            list,
        ))) => match list {
            Some(list) => format!("rejected {}", crate::json::hex(&list.get_encoding())),
            None => "rejected -".to_owned(),
        },
        _ => format!("failed {failure}"),
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let octet = |at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    (0..text.len()).step_by(2).map(octet).collect()
}

/// Makes the connections and prints their lines; the error is the text to print.
pub(crate) fn run(words: &[String]) -> Result<(), String> {
    let [port, name, list, path, rest @ ..] = words else {
        return Err("ech PORT NAME LIST PATH [COUNT] [h2|none|grease|p384]...".into());
    };
    let count = rest.first().and_then(|word| word.parse().ok()).unwrap_or(1);
    let port = port.parse().map_err(|_| "PORT is a number")?;
    let config = configure(list, rest).map_err(|failure| failure.to_string())?;
    let config = Arc::new(config);
    for _ in 0..count {
        let line = visit(&config, port, name, path);
        println!("{}", line.unwrap_or_else(|failure| explain(&failure)));
    }
    Ok(())
}
