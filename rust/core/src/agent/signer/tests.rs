// SPDX-License-Identifier: Apache-2.0
//! A signer and its children in one process, over real memory, bells and pidfds.

use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, sendmsg};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use rustls::SignatureScheme;
use rustls::sign::SigningKey;

use super::*;
use crate::agent::channel::slot::Progress;
use crate::agent::channel::{ChildEnd, Claim, Way};
use crate::agent::child::remote::RemoteKey;
use crate::agent::child::transport::{SignError, Transport};
use crate::agent::protocol::children::{self, Child, TOLD};
use crate::agent::protocol::log_relay::pair;
use crate::agent::protocol::public_key::PublicHalf;
use crate::agent::protocol::wire::{self, Reply, Request, Status};
use crate::agent::testing::{Random, TestOs, key, refuse, server_message};

mod hostile;
mod queue;

/// A running signer; it ends with the test's process, and listens until `line` is dropped.
struct StartedSigner {
    signer: Arc<Signer>,
    notices: Arc<Mutex<Vec<LogKind>>>,
    line: OwnedFd,
}

static EPOCH: AtomicU32 = AtomicU32::new(1);
/// Pids of children that are none: numbers, since nothing here has a pidfd but where a test says so.
static PID: AtomicU32 = AtomicU32::new(1);

fn start(keys: KeyTable) -> StartedSigner {
    let notices: Arc<Mutex<Vec<LogKind>>> = Arc::default();
    let said = Arc::clone(&notices);
    let notice = Box::new(move |kind, _: &str| lock(&said).push(kind));
    let settings = Settings {
        threads: 1,
        epoch: EPOCH.fetch_add(1, Ordering::Relaxed),
    };
    let signer = Signer::new(Arc::new(TestOs), Arc::new(keys), settings, notice).unwrap();
    let (line, far) = pair().unwrap();
    let running = Arc::clone(&signer);
    std::thread::spawn(move || {
        let (_parent, end) = pair().unwrap();
        let ends = Ends {
            parent: vec![end.as_fd()],
            supervisor: far.as_fd(),
        };
        running.run(&ends, || Ok(())).unwrap();
    });
    StartedSigner {
        signer,
        notices,
        line,
    }
}

/// A child, and what the signers get of it.
struct TestChild {
    way: Way,
    pid: i32,
    end: Arc<ChildEnd>,
    transport: Arc<Transport>,
}

impl TestChild {
    fn new(slots: usize) -> Self {
        let (own, way) = Way::pair(slots, &TestOs).unwrap();
        let end = ChildEnd::new(own, &TestOs).unwrap();
        let transport = Transport::new();
        transport.set_threads(slots * 2);
        transport.set_channel(Some(Arc::clone(&end)));
        Self {
            way,
            pid: PID.fetch_add(1, Ordering::Relaxed).cast_signed(),
            end,
            transport,
        }
    }

    fn known_to(self, running: &StartedSigner) -> Self {
        running.signer.serve_child(self.told(None));
        self
    }

    fn told(&self, pidfd: Option<OwnedFd>) -> Child {
        let way = Way {
            slots: self.way.slots,
            requests: self.way.requests.try_clone().unwrap(),
            replies: self.way.replies.try_clone().unwrap(),
            bell: self.way.bell.try_clone().unwrap(),
        };
        Child {
            pid: self.pid,
            way,
            pidfd,
        }
    }

    fn remote(&self, key: &Arc<dyn SigningKey>) -> RemoteKey {
        let half = PublicHalf::of(key.as_ref()).unwrap();
        RemoteKey::new(half, Role::Server, Arc::clone(&self.transport))
    }

    /// Asks for a signature, or for whatever `frame` is.
    fn ask(&self, frame: impl FnOnce(u32) -> Vec<u8>) -> Claim {
        let mut claim = self.end.claim().unwrap();
        claim.ask(frame);
        claim
    }
}

fn table(keys: &[&Arc<dyn SigningKey>]) -> KeyTable {
    let mut table = KeyTable::default();
    for key in keys {
        table.insert(Role::Server, Arc::clone(key)).unwrap();
    }
    table
}

/// Asks once: a second without an answer is an error.
fn sign_once(key: &dyn SigningKey) -> Result<Vec<u8>, rustls::Error> {
    let every: Vec<_> = (0..=u16::MAX).map(SignatureScheme::from).collect();
    key.choose_scheme(&every).unwrap().sign(&server_message(32))
}

/// Asks again where a machine that has no time for the signer makes it late.
fn sign(key: &dyn SigningKey) -> Result<Vec<u8>, rustls::Error> {
    let late = |answer: &Result<Vec<u8>, rustls::Error>| {
        let said = answer
            .as_ref()
            .map_or_else(ToString::to_string, |_| String::new());
        [SignError::TimedOut, SignError::Crowded]
            .iter()
            .any(|late| said.contains(&late.to_string()))
    };
    let mut answers = std::iter::repeat_with(|| sign_once(key)).take(60);
    answers.find(|answer| !late(answer)).expect("an answer")
}

/// Waits for what has to come, and however long a busy machine takes: the minute ends a test that would hang.
fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !done() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn request(key: &dyn SigningKey, scheme: SignatureScheme) -> impl FnOnce(u32) -> Vec<u8> {
    let key = PublicHalf::of(key).unwrap().id();
    move |number| {
        let message = server_message(32);
        let request = Request {
            role: Role::Server,
            number,
            scheme,
            key,
            message: &message,
        };
        [request.head().to_vec(), message.clone()].concat()
    }
}

fn status(claim: &Claim) -> Status {
    eventually("an answer", || claim.progress() == Progress::Done);
    Reply::parse(&claim.reply()).unwrap().status
}

#[test]
fn every_kind_of_key_signs_what_verifies() {
    for algorithm in [
        &rcgen::PKCS_ECDSA_P256_SHA256,
        &rcgen::PKCS_ECDSA_P384_SHA384,
        &rcgen::PKCS_ED25519,
        &rcgen::PKCS_RSA_SHA256,
    ] {
        let key = key(algorithm);
        let running = start(table(&[&key]));
        let remote = TestChild::new(2).known_to(&running).remote(&key);
        assert_eq!(remote.public_key(), key.public_key());
        assert_eq!(remote.algorithm(), key.algorithm());
        for scheme in PublicHalf::of(key.as_ref()).unwrap().schemes() {
            let signer = remote.choose_scheme(&[*scheme]).unwrap();
            let message = server_message(48);
            let signature = signer.sign(&message).unwrap();
            crate::agent::testing::verify(key.as_ref(), *scheme, &message, &signature);
        }
    }
}

#[test]
fn refusals_leave_the_channel_usable() {
    let (known, unknown) = (
        key(&rcgen::PKCS_ECDSA_P256_SHA256),
        key(&rcgen::PKCS_ECDSA_P256_SHA256),
    );
    let running = start(table(&[&known]));
    let child = TestChild::new(1).known_to(&running);
    let error = sign(&child.remote(&unknown)).unwrap_err();
    assert!(
        error.to_string().contains("does not hold this key"),
        "{error}"
    );
    let signer = child
        .remote(&known)
        .choose_scheme(&[SignatureScheme::ECDSA_NISTP256_SHA256])
        .unwrap();
    let error = signer.sign(b"a contract").unwrap_err();
    assert!(
        error.to_string().contains("not a TLS handshake's"),
        "{error}"
    );
    assert!(sign(&child.remote(&known)).is_ok(), "over its only slot");
}

/// Nobody takes a second turn before all have had theirs: whoever comes back at once finds the slot that it has given back,
/// and those that look for one every two milliseconds would wait for all of its turns.
#[test]
fn more_threads_than_slots_wait_for_one() {
    let key = key(&rcgen::PKCS_ECDSA_P256_SHA256);
    let running = start(table(&[&key]));
    let child = TestChild::new(2).known_to(&running);
    for _ in 0..25 {
        std::thread::scope(|threads| {
            for _ in 0..8 {
                let remote = child.remote(&key);
                threads.spawn(move || eventually("a signature", || sign_once(&remote).is_ok()));
            }
        });
    }
}

#[test]
fn a_process_without_a_channel_has_no_way() {
    let key = key(&rcgen::PKCS_ECDSA_P256_SHA256);
    let half = PublicHalf::of(key.as_ref()).unwrap();
    let error = sign_once(&RemoteKey::new(half, Role::Server, Transport::new())).unwrap_err();
    assert!(
        error.to_string().contains("no way to the key agent"),
        "{error}"
    );
}

#[test]
fn what_the_supervisor_says_has_ended_has_ended() {
    let key = key(&rcgen::PKCS_ECDSA_P256_SHA256);
    let running = start(table(&[&key]));
    let child = TestChild::new(1);
    let flags = rustix::net::SendFlags::empty();
    let told = child.told(None);
    children::tell_began(&running.line, child.pid, 1, &told.fds(), flags).unwrap();
    assert!(sign(&child.remote(&key)).is_ok());
    children::tell_ended(&running.line, child.pid, flags).unwrap();
    eventually("no channel", || {
        lock(&running.signer.channels).by_token.is_empty()
    });
    assert!(sign_once(&child.remote(&key)).is_err());
}

/// What the signer asks of its supervisor.
fn asked_again(running: &StartedSigner) -> i32 {
    let mut frame = [0; 1 + TOLD];
    eventually("a question", || {
        let received = TestOs.receive(running.line.as_fd(), &mut frame);
        received.is_ok_and(|received| received.length == frame.len())
    });
    let [kind, told @ ..] = frame;
    assert_eq!(kind, children::AGAIN);
    children::pid_of(told)
}

#[test]
fn a_child_that_could_not_be_served_is_asked_for_again() {
    let key = key(&rcgen::PKCS_ECDSA_P256_SHA256);
    let running = start(table(&[&key]));
    let flags = rustix::net::SendFlags::empty();
    let child = TestChild::new(1);
    let told = child.told(None);
    let whole = told.fds();
    let tell = |fds: &[BorrowedFd<'_>]| {
        children::tell_began(&running.line, child.pid, 1, fds, flags).unwrap();
    };
    // Memory is missing for a moment.
    refuse(told.way.replies.as_fd(), true);
    tell(&whole);
    assert_eq!(asked_again(&running), child.pid);
    refuse(told.way.replies.as_fd(), false);
    tell(&whole);
    assert!(sign(&child.remote(&key)).is_ok());
    // Descriptors that the kernel leaves out: more were sent than have come.
    for arrived in 0..whole.len() {
        let mut frame = [0; 1 + TOLD];
        frame[0] = children::BEGAN;
        frame[1..5].copy_from_slice(&child.pid.to_be_bytes());
        frame[8..].copy_from_slice(&[1, 3]);
        send_some(&running.line, &frame, &whole[..arrived]);
        assert_eq!(asked_again(&running), child.pid, "{arrived}");
    }
    assert!(
        sign(&child.remote(&key)).is_ok(),
        "served as before until then"
    );
    // Of one that has ended meanwhile nothing is asked.
    refuse(told.way.replies.as_fd(), true);
    tell(&whole);
    assert_eq!(asked_again(&running), child.pid);
    children::tell_ended(&running.line, child.pid, flags).unwrap();
    eventually("no channel", || {
        lock(&running.signer.channels).by_token.is_empty()
    });
    assert!(lock(&running.signer.unserved).is_empty());
    let said = lock(&running.notices).clone();
    assert!(
        !said.contains(&LogKind::ClientRefused),
        "a shortage is nobody's break-in: {said:?}"
    );
    assert!(said.contains(&LogKind::Trouble));
    refuse(told.way.replies.as_fd(), false);
}

fn send_some(line: &OwnedFd, frame: &[u8], fds: &[BorrowedFd<'_>]) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() {
        ancillary.push(SendAncillaryMessage::ScmRights(fds));
    }
    let flags = rustix::net::SendFlags::empty();
    sendmsg(line, &[io::IoSlice::new(frame)], &mut ancillary, flags).unwrap();
}

#[test]
fn a_request_outlives_its_signer() {
    let key = key(&rcgen::PKCS_ECDSA_P256_SHA256);
    let child = TestChild::new(4);
    let scheme = SignatureScheme::ECDSA_NISTP256_SHA256;
    // One that nobody has heard, and one that a signer took with it when it died.
    let waiting = child.ask(request(key.as_ref(), scheme));
    let taken = child.ask(request(key.as_ref(), scheme));
    let way = child.told(None).way;
    let dead = SignerEnd::new(way.slots, way.requests, &way.replies, 77, &TestOs).unwrap();
    assert_eq!(dead.wanted(1), Some(taken.number()));
    let running = start(table(&[&key]));
    let child = child.known_to(&running);
    assert_eq!(
        (status(&waiting), status(&taken)),
        (Status::Done, Status::Done)
    );
    dead.answer(1, taken.number(), b"too late");
    assert_eq!(
        status(&taken),
        Status::Done,
        "what was overtaken writes nothing"
    );
    assert!(sign(&child.remote(&key)).is_ok());
}
