// SPDX-License-Identifier: Apache-2.0
//! Helpers of this folder's tests.

use std::collections::{HashMap, HashSet};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex};

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::sign::SigningKey;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::channel::words::Look;
use super::channel::{Distant, Shared};
use super::{Os, Received, SharedViews};

/// What an agent of one process needs of the system. Memory is shared between its threads, by the file's number.
pub(crate) struct TestOs;

type Memory = Arc<Vec<AtomicU32>>;
static SHARED: Mutex<Option<HashMap<(u64, u64), Memory>>> = Mutex::new(None);
/// Memories that cannot be mapped, by the file's number.
static REFUSED: Mutex<Option<HashSet<(u64, u64)>>> = Mutex::new(None);

fn number(memory: BorrowedFd<'_>) -> (u64, u64) {
    let file = rustix::fs::fstat(memory).unwrap();
    (file.st_dev, file.st_ino)
}

/// Has a memory refuse to be mapped, or not any more.
pub(crate) fn refuse(memory: BorrowedFd<'_>, refused: bool) {
    let mut all = REFUSED.lock().unwrap();
    let all = all.get_or_insert_default();
    match refused {
        true => all.insert(number(memory)),
        false => all.remove(&number(memory)),
    };
}

struct Mapping(Memory);

impl Shared for Mapping {
    fn words(&self) -> &[AtomicU32] {
        &self.0
    }
}

impl Look for Mapping {
    fn load(&self, at: usize) -> u32 {
        self.0.load(at)
    }

    fn read(&self, at: usize, out: &mut [u8]) {
        self.0.read(at, out);
    }
}

/// Safe Rust cannot map a file: its number stands for memory of this process.
fn words_of(memory: BorrowedFd<'_>) -> Memory {
    let file = rustix::fs::fstat(memory).unwrap();
    let mut all = SHARED.lock().unwrap();
    let made = || Arc::new((0..file.st_size / 4).map(|_| AtomicU32::new(0)).collect());
    let memory = all
        .get_or_insert_default()
        .entry((file.st_dev, file.st_ino));
    Arc::clone(memory.or_insert_with(made))
}

impl Os for TestOs {
    fn receive(&self, socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<Received> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::DONTWAIT | RecvFlags::TRUNC;
        let mut parts = [io::IoSliceMut::new(buffer)];
        let got = recvmsg(socket, &mut parts, &mut control, flags)?;
        let fds = control.drain().filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(fds) => Some(fds),
            _ => None,
        });
        Ok(Received {
            length: got.bytes,
            pid: std::process::id().cast_signed(),
            fds: fds.flatten().collect(),
        })
    }

    fn fork(&self, _: &[RawFd], _: &mut dyn FnMut() -> i32) -> io::Result<i32> {
        unreachable!("a process of many tests never forks")
    }

    fn fork_fetcher(&self, _: &[RawFd], _: &mut dyn FnMut() -> i32) -> io::Result<i32> {
        unreachable!("a process of many tests never forks")
    }

    fn ignore_signals(&self) {}

    fn results(&self) -> io::Result<SharedViews> {
        unreachable!("a signer has no results")
    }

    fn lists(&self, _count: usize, _threads: usize) -> io::Result<SharedViews> {
        unreachable!("a signer has no lists")
    }

    fn update_log(&self) -> io::Result<SharedViews> {
        unreachable!("a signer has no update log")
    }

    fn share(
        &self,
        memory: BorrowedFd<'_>,
        _length: usize,
        _write: bool,
    ) -> io::Result<Box<dyn Shared>> {
        let refused = REFUSED.lock().unwrap();
        if refused
            .as_ref()
            .is_some_and(|all| all.contains(&number(memory)))
        {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        Ok(Box::new(Mapping(words_of(memory))))
    }

    fn distant(&self, memory: OwnedFd) -> Box<dyn Distant> {
        Box::new(Mapping(words_of(memory.as_fd())))
    }

    fn reader(&self, memory: BorrowedFd<'_>) -> io::Result<OwnedFd> {
        memory.try_clone_to_owned()
    }

    fn trim(&self) {}

    fn exit(&self, _: i32) -> ! {
        unreachable!("a signer under test never ends its process")
    }
}

/// A small deterministic generator (xorshift64*), so that a failing case can be run again.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }
}

/// A fresh key of one of rcgen's algorithms.
pub(crate) fn key(algorithm: &'static rcgen::SignatureAlgorithm) -> Arc<dyn SigningKey> {
    let pair = rcgen::KeyPair::generate_for(algorithm).unwrap();
    let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pair.serialize_der()));
    any_supported_type(&der).unwrap()
}

/// What a TLS 1.3 server signs (RFC 8446 4.4.3) over a handshake hash of `hash` bytes.
pub(crate) fn server_message(hash: usize) -> Vec<u8> {
    let mut message = vec![b' '; 64];
    message.extend_from_slice(b"TLS 1.3, server CertificateVerify\0");
    message.extend_from_slice(&vec![0x5a; hash]);
    message
}

/// An RSA key of 4096 bits.
pub(crate) fn rsa_4096() -> Arc<dyn SigningKey> {
    let pair = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_4096)
        .unwrap();
    any_supported_type(&PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(
        pair.serialize_der(),
    )))
    .unwrap()
}

/// Verifies a signature as a TLS peer would, over the key's bare public key.
pub(crate) fn verify(
    key: &dyn SigningKey,
    scheme: rustls::SignatureScheme,
    message: &[u8],
    signature: &[u8],
) {
    let spki = key.public_key().unwrap();
    let entity = webpki::RawPublicKeyEntity::try_from(&spki).unwrap();
    let supported = rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms;
    let (_, algorithms) = supported
        .mapping
        .iter()
        .find(|(known, _)| *known == scheme)
        .unwrap();
    let good = algorithms
        .iter()
        .any(|one| entity.verify_signature(*one, message, signature).is_ok());
    assert!(good, "{scheme:?}");
}

/// A self-signed certificate for `name` with its key, valid for long.
pub(crate) fn pair(name: &str) -> Arc<crate::creds::Pair> {
    pair_from(name, -24 * 3600, 1000 * 24 * 3600)
}

/// The same, valid from and until so many seconds after now.
pub(crate) fn pair_from(name: &str, from: i64, until: i64) -> Arc<crate::creds::Pair> {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    let year = |seconds: i64| (crate::system::clock::now() + seconds).div_euclid(86_400);
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let day = epoch - rcgen::date_time_ymd(1969, 12, 31);
    params.not_before = epoch + day * i32::try_from(year(from)).unwrap();
    params.not_after = epoch + day * i32::try_from(year(until)).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let leaf = crate::creds::certificate::CertificateFields::parse(certificate.der()).unwrap();
    Arc::new(crate::creds::Pair::new(
        rustls::sign::CertifiedKey::new(
            vec![certificate.der().clone()],
            any_supported_type(&der).unwrap(),
        ),
        crate::creds::key::KeyKind::Ecdsa(256),
        Arc::new(leaf),
    ))
}

/// A directory that vanishes with its value.
pub(crate) struct Directory(std::path::PathBuf);

impl Directory {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("mod_tls-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
