// SPDX-License-Identifier: Apache-2.0
//! Frames between an httpd child and the signer, each in its place in a slot of the channel; big-endian.
//!
//! | frame | written by | bytes |
//! |---|---|---|
//! | request | child | version, 2, role, 0, number (4), scheme (2), 0, 0, key id (32), message |
//! | probe | child, supervisor | version, 0, 0, 0, number (4) |
//! | reply | signer | version, 3, status, 0, number (4), signature |
//!
//! The slot says how long a frame is; what is too long is not copied. The parser reads a copy, of bytes that a process
//! wrote which may be captured.

use rustls::SignatureScheme;

/// Version of the frames. Children and signer are of one build; another version is a malformed frame.
pub const VERSION: u8 = 2;
/// Longest message that a server key signs: RFC 5246 7.4.3's parameters with a 255-byte point, rounded up.
pub const MAX_SERVER_MESSAGE: usize = 512;
/// Longest message that a proxy's client key signs: a TLS 1.2 handshake transcript.
pub const MAX_CLIENT_MESSAGE: usize = 64 * 1024;
/// Longest signature: ML-DSA-87 (FIPS 204, table 2). One of RSA-8192 has 1024 octets.
pub const MAX_SIGNATURE: usize = 4627;
/// Bytes of a request before its message.
pub const REQUEST_HEAD: usize = 44;
/// Longest request frame for a server's key.
pub const SHORT_REQUEST: usize = REQUEST_HEAD + MAX_SERVER_MESSAGE;
/// Longest request frame.
pub const MAX_REQUEST: usize = REQUEST_HEAD + MAX_CLIENT_MESSAGE;
/// Longest reply frame.
pub const MAX_REPLY: usize = REPLY_HEAD + MAX_SIGNATURE;

const REPLY_HEAD: usize = 8;
const PROBE: u8 = 0;
const REQUEST: u8 = 2;
const REPLY: u8 = 3;

/// Name of a key: SHA-256 of its SubjectPublicKeyInfo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub [u8; 32]);

impl KeyId {
    /// The id of the key whose DER SubjectPublicKeyInfo is `spki`.
    pub fn of_spki(spki: &[u8]) -> Self {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, spki);
        let mut id = [0; 32];
        id.copy_from_slice(digest.as_ref());
        Self(id)
    }
}

/// What a key is for. A key of one role never signs for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// A virtual host's key: signs as a TLS server.
    Server,
    /// A proxy's client certificate's key: signs as a TLS client.
    ProxyClient,
}

impl Role {
    /// Longest message that a key of this role signs, in bytes.
    pub fn max_message(self) -> usize {
        match self {
            Self::Server => MAX_SERVER_MESSAGE,
            Self::ProxyClient => MAX_CLIENT_MESSAGE,
        }
    }

    fn code(self) -> u8 {
        match self {
            Self::Server => 0,
            Self::ProxyClient => 1,
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Server),
            1 => Some(Self::ProxyClient),
            _ => None,
        }
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Signed.
    Done,
    /// No key of this id and role.
    UnknownKey,
    /// The scheme does not belong to the key's algorithm.
    WrongScheme,
    /// The message is not what a TLS handshake signs in this role.
    WrongMessage,
    /// The key failed to sign.
    Failed,
    /// The request is no frame of this version.
    Malformed,
    /// A probe: the signer works.
    Present,
}

const STATUSES: [Status; 7] = [
    Status::Done,
    Status::UnknownKey,
    Status::WrongScheme,
    Status::WrongMessage,
    Status::Failed,
    Status::Malformed,
    Status::Present,
];

impl Status {
    fn code(self) -> u8 {
        self as u8
    }

    fn from_code(code: u8) -> Option<Self> {
        STATUSES.get(usize::from(code)).copied()
    }

    /// The status in words, for error texts.
    pub fn words(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::UnknownKey => "the key agent does not hold this key",
            Self::WrongScheme => "the signature scheme does not fit the key",
            Self::WrongMessage => "the message is not a TLS handshake's",
            Self::Failed => "the key failed to sign",
            Self::Malformed => "the key agent could not read the request",
            Self::Present => "the key agent is there",
        }
    }
}

/// A frame that is not well-formed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// One request for a signature. `message` is borrowed from the frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// What the key is to be used as.
    pub role: Role,
    /// Chosen by the child, repeated in the reply.
    pub number: u32,
    /// The scheme to sign with.
    pub scheme: SignatureScheme,
    /// The key to sign with.
    pub key: KeyId,
    /// What to sign, not hashed.
    pub message: &'a [u8],
}

/// One reply. `signature` is empty unless `status` is [`Status::Done`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply<'a> {
    /// How the request ended.
    pub status: Status,
    /// The request's number.
    pub number: u32,
    /// The signature.
    pub signature: &'a [u8],
}

/// The frame that asks whether the signer works, through the queue that requests go through.
pub fn probe(number: u32) -> [u8; 8] {
    let [n0, n1, n2, n3] = number.to_be_bytes();
    [VERSION, PROBE, 0, 0, n0, n1, n2, n3]
}

/// The number of a probe.
///
/// # Errors
/// It is no such frame.
pub fn parse_probe(frame: &[u8]) -> Result<u32, Malformed> {
    match frame {
        [VERSION, PROBE, 0, 0, n0, n1, n2, n3] => Ok(u32::from_be_bytes([*n0, *n1, *n2, *n3])),
        _ => Err(Malformed),
    }
}

impl<'a> Request<'a> {
    /// The frame's first [`REQUEST_HEAD`] bytes; the message follows them.
    pub fn head(&self) -> [u8; REQUEST_HEAD] {
        let mut head = [0; REQUEST_HEAD];
        head[0..4].copy_from_slice(&[VERSION, REQUEST, self.role.code(), 0]);
        head[4..8].copy_from_slice(&self.number.to_be_bytes());
        head[8..10].copy_from_slice(&u16::from(self.scheme).to_be_bytes());
        head[12..44].copy_from_slice(&self.key.0);
        head
    }

    /// Reads a request. Anything but an exact, bounded frame of this version is malformed.
    ///
    /// # Errors
    /// It is no such frame.
    pub fn parse(frame: &'a [u8]) -> Result<Self, Malformed> {
        let (head, message) = frame.split_at_checked(REQUEST_HEAD).ok_or(Malformed)?;
        let [
            VERSION,
            REQUEST,
            role,
            0,
            n0,
            n1,
            n2,
            n3,
            s0,
            s1,
            0,
            0,
            key @ ..,
        ] = head
        else {
            return Err(Malformed);
        };
        let role = Role::from_code(*role).ok_or(Malformed)?;
        if message.is_empty() || message.len() > role.max_message() {
            return Err(Malformed);
        }
        Ok(Self {
            role,
            number: u32::from_be_bytes([*n0, *n1, *n2, *n3]),
            scheme: SignatureScheme::from(u16::from_be_bytes([*s0, *s1])),
            key: KeyId(key.try_into().map_err(|_| Malformed)?),
            message,
        })
    }
}

impl<'a> Reply<'a> {
    /// The frame's first bytes; the signature follows them.
    pub fn head(&self) -> [u8; REPLY_HEAD] {
        let [n0, n1, n2, n3] = self.number.to_be_bytes();
        [VERSION, REPLY, self.status.code(), 0, n0, n1, n2, n3]
    }

    /// Reads a reply.
    ///
    /// # Errors
    /// It is no such frame.
    pub fn parse(frame: &'a [u8]) -> Result<Self, Malformed> {
        let (head, signature) = frame.split_at_checked(REPLY_HEAD).ok_or(Malformed)?;
        let [VERSION, REPLY, status, 0, n0, n1, n2, n3] = head else {
            return Err(Malformed);
        };
        let status = Status::from_code(*status).ok_or(Malformed)?;
        let signed = status == Status::Done;
        if signed == signature.is_empty() || signature.len() > MAX_SIGNATURE {
            return Err(Malformed);
        }
        Ok(Self {
            status,
            number: u32::from_be_bytes([*n0, *n1, *n2, *n3]),
            signature,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::testing::Random;

    fn request(message: &[u8]) -> Vec<u8> {
        let request = Request {
            role: Role::Server,
            number: 0x0102_0304,
            scheme: SignatureScheme::ECDSA_NISTP256_SHA256,
            key: KeyId([7; 32]),
            message,
        };
        let mut frame = request.head().to_vec();
        frame.extend_from_slice(message);
        frame
    }

    #[test]
    fn request_round_trip() {
        let frame = request(b"message");
        let parsed = Request::parse(&frame).unwrap();
        assert_eq!(parsed.number, 0x0102_0304);
        assert_eq!(parsed.scheme, SignatureScheme::ECDSA_NISTP256_SHA256);
        assert_eq!(parsed.key, KeyId([7; 32]));
        assert_eq!(parsed.message, b"message");
    }

    #[test]
    fn every_cut_and_every_reserved_bit_is_refused() {
        let frame = request(b"m");
        for end in 0..frame.len() {
            assert_eq!(
                Request::parse(&frame[..end]),
                Err(Malformed),
                "cut at {end}"
            );
        }
        for reserved in [0, 1, 3, 10, 11] {
            let mut bad = frame.clone();
            bad[reserved] ^= 0x40;
            assert_eq!(Request::parse(&bad), Err(Malformed), "byte {reserved}");
        }
    }

    #[test]
    fn message_bounds_depend_on_the_role() {
        let mut frame = request(&[1; MAX_SERVER_MESSAGE]);
        assert!(Request::parse(&frame).is_ok());
        frame.push(1);
        assert_eq!(Request::parse(&frame), Err(Malformed));
        frame[2] = Role::ProxyClient.code();
        assert!(Request::parse(&frame).is_ok());
        frame.resize(MAX_REQUEST + 1, 1);
        assert_eq!(Request::parse(&frame), Err(Malformed));
    }

    #[test]
    fn reply_carries_a_signature_exactly_when_done() {
        for (status, signature, good) in [
            (Status::Done, &[1u8, 2][..], true),
            (Status::Done, &[], false),
            (Status::Failed, &[], true),
            (Status::Failed, &[1], false),
            (Status::Done, &[0; MAX_SIGNATURE + 1], false),
        ] {
            let mut frame = Reply {
                status,
                number: 9,
                signature,
            }
            .head()
            .to_vec();
            frame.extend_from_slice(signature);
            assert_eq!(
                Reply::parse(&frame).is_ok(),
                good,
                "{status:?} {}",
                signature.len()
            );
        }
    }

    #[test]
    fn probes_are_no_requests() {
        let frame = probe(0x0102_0304);
        assert_eq!(parse_probe(&frame), Ok(0x0102_0304));
        assert_eq!(Request::parse(&frame), Err(Malformed));
        assert_eq!(parse_probe(&request(b"m")), Err(Malformed));
        for end in 0..frame.len() {
            assert_eq!(parse_probe(&frame[..end]), Err(Malformed));
        }
    }

    #[test]
    fn random_frames_never_panic_and_rarely_parse() {
        let mut random = Random::new(1);
        for _ in 0..100_000 {
            let length = random.below(96);
            let mut frame = random.bytes(length);
            if length > 2 && random.below(2) == 0 {
                frame[..2].copy_from_slice(&[VERSION, REQUEST]);
            }
            if let Ok(parsed) = Request::parse(&frame) {
                let mut again = parsed.head().to_vec();
                again.extend_from_slice(parsed.message);
                assert_eq!(again, frame, "what parses is exactly one encoding");
            }
            let _ = Reply::parse(&frame);
            let _ = parse_probe(&frame);
        }
    }
}
