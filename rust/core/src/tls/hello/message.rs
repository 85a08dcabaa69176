// SPDX-License-Identifier: Apache-2.0
//! The ClientHello message, once it is whole (RFC 8446 4.1.2).

use std::ops::Range;

use rustls::AlertDescription;
use rustls_pki_types::ServerName;

use super::fault::{Fault, fault};
use super::hidden::Hidden;
use crate::tls::reader::Reader;

/// Type and length of a handshake message (RFC 8446 4).
pub const MESSAGE_HEADER: usize = 4;

/// Extensions of one hello. Some 60 types are registered, and browsers send 20.
pub(super) const MAX_EXTENSIONS: usize = 128;

/// Cipher suites: more than are registered, values of RFC 8701 among them.
pub(super) const MAX_SUITES: usize = 512;

/// Groups or signature schemes.
pub(super) const MAX_CHOICES: usize = 256;

/// Key shares. "Clients MUST NOT offer multiple KeyShareEntry values for the same group" (RFC 8446 4.2.8).
pub(super) const MAX_SHARES: usize = 32;

/// Names of protocols for ALPN.
pub(super) const MAX_PROTOCOLS: usize = 64;

/// Sessions that a client asks to resume at a time; each costs a decryption or a look into a shared cache.
pub(super) const MAX_SESSIONS: usize = 8;

/// Names of authorities.
pub(super) const MAX_AUTHORITIES: usize = 512;

/// The parts of a ClientHello that choose the virtual host and that log lines name.
/// Lists are as sent, GREASE values (RFC 8701) included.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hello {
    /// Host name of server_name in ASCII lower case; `None` where the client sent none, an IP address, or nothing that
    /// could be printed.
    pub server_name: Option<String>,
    /// It is no name of DNS, and hidden from rustls.
    pub hidden: Option<Hidden>,
    /// Where in the message the contents of encrypted_client_hello stand; `None` where the client sent none.
    pub ech: Option<Range<usize>>,
    /// Protocol names of application_layer_protocol_negotiation.
    pub alpn: Vec<Vec<u8>>,
    /// `legacy_version`: 0x0303 from every client that speaks TLS 1.2 or 1.3.
    pub legacy_version: u16,
    /// `legacy_session_id`: what a TLS 1.2 client wants to resume.
    pub session_id: Vec<u8>,
    /// The first session that it wants to resume by pre_shared_key, or by session_ticket; empty for none.
    pub ticket: Vec<u8>,
    /// supported_versions; empty where the client sent none (TLS 1.2 and older).
    pub versions: Vec<u16>,
    /// Cipher suites.
    pub suites: Vec<u16>,
    /// supported_groups.
    pub groups: Vec<u16>,
    /// Groups for which key_share holds a share.
    pub key_shares: Vec<u16>,
    /// signature_algorithms.
    pub signature_schemes: Vec<u16>,
    /// Types of all extensions, in the order sent.
    pub extensions: Vec<u16>,
    /// renegotiation_info holds something, which only a later handshake of a connection may (RFC 5746 3.6).
    pub renegotiates: bool,
    /// The longest plaintext of a record that the client wants to get, where it says so (RFC 6066 4, RFC 8449).
    pub record_limit: Option<usize>,
}

/// TLS_FALLBACK_SCSV (RFC 7507).
const FALLBACK_SCSV: u16 = 0x5600;

impl Hello {
    /// The newest version offered that has a name; 0 where there is none.
    pub fn newest_version(&self) -> u16 {
        let known = |version: &&u16| (0x0300..=0x0304).contains(*version);
        match self.versions.iter().filter(known).max() {
            Some(newest) => *newest,
            None if self.versions.is_empty() => self.legacy_version,
            None => 0,
        }
    }

    /// The client has tried a newer version before, and comes again with an older one (RFC 7507).
    pub fn falls_back(&self) -> bool {
        self.suites.contains(&FALLBACK_SCSV)
    }
}

const SERVER_NAME: u16 = 0;
const MAX_FRAGMENT_LENGTH: u16 = 1;
const SUPPORTED_GROUPS: u16 = 10;
const SIGNATURE_ALGORITHMS: u16 = 13;
const ALPN: u16 = 16;
const RECORD_SIZE_LIMIT: u16 = 28;
const SESSION_TICKET: u16 = 35;
const PRE_SHARED_KEY: u16 = 41;
const SUPPORTED_VERSIONS: u16 = 43;
const CERTIFICATE_AUTHORITIES: u16 = 47;
const SIGNATURE_ALGORITHMS_CERT: u16 = 50;
const KEY_SHARE: u16 = 51;
const RENEGOTIATION_INFO: u16 = 0xff01;

/// Extension of Encrypted ClientHello (RFC 9849 5).
pub const ENCRYPTED_CLIENT_HELLO: u16 = 0xfe0d;

/// Type and length of an extension.
const EXTENSION_HEADER: usize = 4;

/// Reads a ClientHello, from the header of the message on.
///
/// # Errors
/// What is wrong with its framing, or of what there is too much.
pub fn read(message: &[u8]) -> Result<Hello, Fault> {
    let body = message.get(MESSAGE_HEADER..).unwrap_or_default();
    let mut hello = Hello::default();
    let (extensions, behind) = read_front(body, &mut hello).ok_or(CUT_SHORT)?;
    if !behind.0.is_empty() {
        return Err(TOO_LONG);
    }
    bounded("cipher suites", hello.suites.len(), MAX_SUITES)?;
    let mut rest = extensions;
    let mut odd = None;
    while !rest.0.is_empty() {
        let offset = message.len().saturating_sub(rest.0.len());
        let (kind, data) = rest.extension().ok_or(CUT_SHORT)?;
        // A second extension of the same type makes rustls refuse the hello; the first one counts here.
        if !hello.extensions.contains(&kind) {
            read_extension(&mut hello, kind, data)?;
            if kind == SERVER_NAME && is_odd(data) {
                odd = Some(offset);
            }
            if kind == ENCRYPTED_CLIENT_HELLO {
                let data_at = offset.saturating_add(EXTENSION_HEADER);
                hello.ech = Some(data_at..data_at.saturating_add(data.0.len()));
            }
        }
        hello.extensions.push(kind);
        bounded("extensions", hello.extensions.len(), MAX_EXTENSIONS)?;
    }
    // What stands there twice is refused by rustls.
    let names = hello.extensions.iter().filter(|kind| **kind == SERVER_NAME);
    let odd = odd.filter(|_| names.count() == 1);
    hello.hidden = odd.and_then(|offset| hide(offset, &hello.extensions));
    Ok(hello)
}

/// A type that the hello does not have, of those that are for private use.
fn hide(offset: usize, taken: &[u16]) -> Option<Hidden> {
    (0xff80_u16..=0xffff)
        .chain(0xfe80..=0xfeff)
        .find(|kind| !taken.contains(kind))
        .map(|kind| Hidden {
            offset,
            substitute: kind.to_be_bytes(),
        })
}

const CUT_SHORT: Fault = fault(
    "the ClientHello is cut short inside",
    AlertDescription::DecodeError,
);

const TOO_LONG: Fault = fault(
    "something follows the extensions of the ClientHello",
    AlertDescription::DecodeError,
);

/// What comes before the extensions, those, and what follows them. RFC 5246 7.4.1.2 allows a hello without any.
fn read_front<'a>(body: &'a [u8], hello: &mut Hello) -> Option<(Reader<'a>, Reader<'a>)> {
    let mut r = Reader(body);
    hello.legacy_version = r.u16()?;
    r.take(32)?; // random
    hello.session_id = r.vec8()?.0.to_vec();
    hello.suites = r.vec16()?.u16s();
    r.vec8()?; // legacy_compression_methods
    let extensions = match r.0.is_empty() {
        true => Reader::default(),
        false => r.vec16()?,
    };
    Some((extensions, r))
}

/// RFC 8446 6: illegal_parameter where "a field in the handshake was incorrect or inconsistent with other fields"; no
/// RFC bounds these counts.
fn bounded(what: &'static str, count: usize, most: usize) -> Result<(), Fault> {
    let text = match what {
        _ if count <= most => return Ok(()),
        "cipher suites" => "the ClientHello lists too many cipher suites",
        "extensions" => "the ClientHello has too many extensions",
        "groups" => "the ClientHello lists too many key exchange groups",
        "schemes" => "the ClientHello lists too many signature algorithms",
        "shares" => "the ClientHello has too many key shares",
        "protocols" => "the ClientHello lists too many protocols for ALPN",
        "sessions" => "the ClientHello asks for too many sessions to be resumed",
        _ => "the ClientHello names too many authorities",
    };
    Err(fault(text, AlertDescription::IllegalParameter))
}

fn read_extension(hello: &mut Hello, kind: u16, mut data: Reader<'_>) -> Result<(), Fault> {
    match kind {
        SERVER_NAME => hello.server_name = read_server_name(data),
        MAX_FRAGMENT_LENGTH | RECORD_SIZE_LIMIT => {
            let limit = read_record_limit(kind, data);
            hello.record_limit = hello.record_limit.into_iter().chain(limit).min();
        }
        SUPPORTED_GROUPS => hello.groups = choices(data, "groups")?,
        SIGNATURE_ALGORITHMS => hello.signature_schemes = choices(data, "schemes")?,
        SIGNATURE_ALGORITHMS_CERT => drop(choices(data, "schemes")?),
        ALPN => {
            let names = vectors(data, Reader::vec8);
            bounded("protocols", names.clone().count(), MAX_PROTOCOLS)?;
            hello.alpn = names.map(|name| name.0.to_vec()).collect();
        }
        SESSION_TICKET if hello.ticket.is_empty() => hello.ticket = data.0.to_vec(),
        PRE_SHARED_KEY => {
            let identities = vectors(data, |list| {
                let identity = list.vec16()?;
                list.take(4)?; // obfuscated_ticket_age
                Some(identity)
            });
            bounded("sessions", identities.clone().count(), MAX_SESSIONS)?;
            if let Some(first) = identities.into_iter().next() {
                hello.ticket = first.0.to_vec();
            }
        }
        SUPPORTED_VERSIONS => hello.versions = data.vec8().unwrap_or_default().u16s(),
        CERTIFICATE_AUTHORITIES => {
            let names = vectors(data, Reader::vec16);
            bounded("authorities", names.count(), MAX_AUTHORITIES)?;
        }
        KEY_SHARE => {
            let shares = vectors(data, |list| {
                let group = list.take(2)?;
                list.vec16()?;
                Some(Reader(group))
            });
            bounded("shares", shares.clone().count(), MAX_SHARES)?;
            hello.key_shares = shares.flat_map(Reader::u16s).collect();
        }
        RENEGOTIATION_INFO => hello.renegotiates = data.0.len() > 1,
        _ => {}
    }
    Ok(())
}

/// A list of numbers behind two bytes of length; none where it cannot be read.
fn choices(mut data: Reader<'_>, what: &'static str) -> Result<Vec<u16>, Fault> {
    let list = data.vec16().unwrap_or_default();
    bounded(what, list.0.len() / 2, MAX_CHOICES)?;
    Ok(list.u16s())
}

/// The entries of a list behind two bytes of length, as far as they can be read.
fn vectors<'a>(
    mut data: Reader<'a>,
    next: impl Fn(&mut Reader<'a>) -> Option<Reader<'a>> + Clone,
) -> impl Iterator<Item = Reader<'a>> + Clone {
    let mut list = data.vec16().unwrap_or_default();
    std::iter::from_fn(move || match list.0.is_empty() {
        true => None,
        false => next(&mut list),
    })
}

/// RFC 6066 4: 2^9 to 2^12 by a number. RFC 8449 4: the length itself, with the byte of the content type in TLS 1.3,
/// and 64 at least.
fn read_record_limit(kind: u16, mut data: Reader<'_>) -> Option<usize> {
    match kind {
        MAX_FRAGMENT_LENGTH => match data.u8()? {
            number @ 1..=4 => Some(256 << number),
            _ => None,
        },
        _ => data
            .u16()
            .filter(|limit| *limit >= 64)
            .map(|limit| usize::from(limit).saturating_sub(1)),
    }
}

/// The longest name that others take.
const MAX_NAME: usize = 255;

/// RFC 6066 3. As rustls does: one host_name; what follows another name type cannot be told apart.
fn host_name(mut data: Reader<'_>) -> Option<&[u8]> {
    let mut list = data.vec16()?;
    let mut found = None;
    while !list.0.is_empty() {
        if list.u8()? != 0 {
            break;
        }
        let name = list.vec16()?.0;
        // "The ServerNameList MUST NOT contain more than one name of the same name_type."
        if found.replace(name).is_some() {
            return None;
        }
    }
    found
}

/// "Literal IPv4 and IPv6 addresses are not permitted in "HostName"": they are no name, as to rustls.
fn read_server_name(data: Reader<'_>) -> Option<String> {
    let name = host_name(data).filter(|name| name.len() <= MAX_NAME)?;
    match ServerName::try_from(name) {
        // A final dot is left out, as rustls does.
        Ok(ServerName::DnsName(name)) => return Some(name.as_ref().to_ascii_lowercase()),
        Ok(_) => return None,
        Err(_) => {}
    }
    let printable = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
    let text = printable
        .then(|| std::str::from_utf8(name).ok())
        .flatten()?;
    Some(text.to_ascii_lowercase())
}

/// Whether rustls would refuse the name while others do not.
fn is_odd(data: Reader<'_>) -> bool {
    host_name(data).is_some_and(|name| {
        let taken = !name.is_empty() && name.len() <= MAX_NAME && !name.contains(&0);
        taken && ServerName::try_from(name).is_err()
    })
}
