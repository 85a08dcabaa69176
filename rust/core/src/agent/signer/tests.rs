//! A signer and its clients in one process, over real sockets.

use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, recvmsg,
};
use rustls::SignatureScheme;
use rustls::sign::SigningKey;

use super::*;
use crate::agent::Received;
use crate::agent::broker::pair;
use crate::agent::keys::PublicHalf;
use crate::agent::remote::RemoteKey;
use crate::agent::testing::{Random, key, server_message};
use crate::agent::transport::Transport;
use crate::agent::wire::{self, MAX_REQUEST, Request, Status};

struct TestOs;

impl Os for TestOs {
    fn receive(&self, socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<Received> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::DONTWAIT | RecvFlags::TRUNC;
        let got = recvmsg(
            socket,
            &mut [io::IoSliceMut::new(buffer)],
            &mut control,
            flags,
        )?;
        let fd = control.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
            _ => None,
        });
        Ok(Received {
            length: got.bytes,
            pid: std::process::id() as i32,
            fd,
        })
    }

    fn fork(&self, _: &[std::os::fd::RawFd], _: &mut dyn FnMut() -> i32) -> io::Result<i32> {
        unreachable!("the signer never forks")
    }

    fn ignore_signals(&self) {}

    fn board(&self) -> io::Result<crate::agent::BoardMemory> {
        unreachable!("the signer has no board")
    }

    fn trim(&self) {}

    fn exit(&self, _code: i32) -> ! {
        unreachable!("the signer under test never ends its process")
    }
}

/// A running signer; it ends with the test's process, or when `life` is dropped.
struct Running {
    signer: Arc<Signer>,
    broker: OwnedFd,
    transport: Arc<Transport>,
    life: Option<OwnedFd>,
    admitting: Option<std::thread::JoinHandle<()>>,
    notices: Arc<AtomicUsize>,
}

fn limits() -> Limits {
    Limits {
        threads: 1,
        per_process: 64,
        total: 128,
    }
}

fn start(keys: KeyTable, limits: Limits, admit: bool) -> Running {
    let (near, far) = pair().unwrap();
    let transport = Transport::new(near.try_clone().unwrap(), 64);
    let (signer, life, admitting, notices) =
        start_over(keys, limits, admit, far.try_clone().unwrap());
    Running {
        signer,
        broker: far,
        transport,
        life: Some(life),
        admitting: Some(admitting),
        notices,
    }
}

fn start_over(
    keys: KeyTable,
    limits: Limits,
    admit: bool,
    broker: OwnedFd,
) -> (
    Arc<Signer>,
    OwnedFd,
    std::thread::JoinHandle<()>,
    Arc<AtomicUsize>,
) {
    let notices = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&notices);
    let notice = Box::new(move |_: &str| {
        count.fetch_add(1, Ordering::Relaxed);
    });
    let signer = Signer::new(
        Arc::new(TestOs),
        Arc::new(keys),
        limits,
        Box::new(move |_| admit),
        notice,
    )
    .unwrap();
    let (life, end) = pair().unwrap();
    let running = Arc::clone(&signer);
    let admitting = std::thread::spawn(move || {
        let (_supervisor, retire) = pair().unwrap();
        let ends = Ends {
            parent: vec![end.as_fd()],
            retire: retire.as_fd(),
        };
        running.run(broker.as_fd(), &ends, || Ok(())).unwrap();
    });
    (signer, life, admitting, notices)
}

fn table(keys: &[&Arc<dyn SigningKey>]) -> KeyTable {
    let mut table = KeyTable::default();
    for key in keys {
        table.insert(Role::Server, Arc::clone(key)).unwrap();
    }
    table
}

fn remote(running: &Running, key: &Arc<dyn SigningKey>) -> RemoteKey {
    let half = PublicHalf::of(key.as_ref()).unwrap();
    RemoteKey::new(half, Role::Server, Arc::clone(&running.transport))
}

fn sign(key: &dyn SigningKey) -> Result<Vec<u8>, rustls::Error> {
    let every: Vec<_> = (0..=u16::MAX).map(SignatureScheme::from).collect();
    key.choose_scheme(&every).unwrap().sign(&server_message(32))
}

fn held(running: &Running) -> usize {
    lock(&running.signer.clients).by_token.len()
}

fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !done() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A client without manners: an admitted socket, to be written to as one likes.
fn raw_client(running: &Running) -> OwnedFd {
    let (near, far) = pair().unwrap();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let fds = [far.as_fd()];
    control.push(rustix::net::SendAncillaryMessage::ScmRights(&fds));
    running.transport.send_raw(&wire::hello(), &mut control);
    let mut frame = [0; 8];
    let (length, _) = rustix::net::recv(&near, &mut frame, RecvFlags::empty()).unwrap();
    assert_eq!(wire::parse_welcome(&frame[..length]), Ok(Status::Done));
    near
}

fn request(key: KeyId, number: u32) -> Vec<u8> {
    let message = server_message(32);
    let scheme = SignatureScheme::ECDSA_NISTP256_SHA256;
    let request = Request {
        role: Role::Server,
        number,
        scheme,
        key,
        message: &message,
    };
    [request.head().to_vec(), message.clone()].concat()
}

fn cut_off(client: &OwnedFd) -> bool {
    let mut frame = [0; 2048];
    loop {
        match rustix::net::recv(client, &mut frame, RecvFlags::DONTWAIT) {
            Ok((0, _)) => return true,
            Ok(_) => {}
            Err(error) => return error != Errno::AGAIN,
        }
    }
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
        let running = start(table(&[&key]), limits(), true);
        let remote = remote(&running, &key);
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
fn refusals_leave_the_connection_usable() {
    let (known, unknown) = (
        key(&rcgen::PKCS_ECDSA_P256_SHA256),
        key(&rcgen::PKCS_ECDSA_P256_SHA256),
    );
    let running = start(table(&[&known]), limits(), true);
    let error = sign(&remote(&running, &unknown)).unwrap_err();
    assert!(
        error.to_string().contains("does not hold this key"),
        "{error}"
    );
    let signer = remote(&running, &known)
        .choose_scheme(&[SignatureScheme::ECDSA_NISTP256_SHA256])
        .unwrap();
    let error = signer.sign(b"a contract").unwrap_err();
    assert!(
        error.to_string().contains("not a TLS handshake's"),
        "{error}"
    );
    assert!(sign(&remote(&running, &known)).is_ok());
    assert_eq!(held(&running), 1, "all over one connection");
}

#[test]
fn strangers_are_refused() {
    let key = key(&rcgen::PKCS_ECDSA_P256_SHA256);
    let running = start(table(&[&key]), limits(), false);
    let error = sign(&remote(&running, &key)).unwrap_err();
    assert!(
        error.to_string().contains("refused this process"),
        "{error}"
    );
    assert_eq!(held(&running), 0);
    assert_eq!(running.notices.load(Ordering::Relaxed), 1);
}

#[test]
fn hostile_clients_lose_their_connection_and_delay_nobody() {
    let key = key(&rcgen::PKCS_ECDSA_P256_SHA256);
    let running = start(table(&[&key]), limits(), true);
    let id = PublicHalf::of(key.as_ref()).unwrap().id();
    let mut random = Random::new(4);
    let mut frames: Vec<Vec<u8>> = (0..30).map(|n| random.bytes(1 + n * 40)).collect();
    frames.push(request(id, 1)[..20].to_vec());
    frames.push(vec![0; MAX_REQUEST + 1]);
    for frame in frames {
        let client = raw_client(&running);
        let _ = send_frame(client.as_fd(), &frame);
        eventually("a malformed frame costs the connection", || {
            cut_off(&client)
        });
        assert!(sign(&remote(&running, &key)).is_ok());
    }
    eventually("nothing is left of them", || held(&running) <= 1);
}

#[test]
fn thousands_of_requests_without_reading_take_no_memory() {
    let key = key(&rcgen::PKCS_ECDSA_P256_SHA256);
    let running = start(table(&[&key]), limits(), true);
    let id = PublicHalf::of(key.as_ref()).unwrap().id();
    let client = raw_client(&running);
    for number in 0..10_000 {
        if send_frame(client.as_fd(), &request(id, number)) == Err(Errno::PIPE) {
            break;
        }
        assert!(lock(&running.signer.work).queue.len() <= 2);
    }
    assert!(sign(&remote(&running, &key)).is_ok());
    drop(client);
    eventually("it is forgotten", || held(&running) <= 1);
}

#[test]
fn a_process_holds_a_bounded_number_of_connections() {
    let key = key(&rcgen::PKCS_ECDSA_P256_SHA256);
    let running = start(
        table(&[&key]),
        Limits {
            per_process: 3,
            ..limits()
        },
        true,
    );
    let held_open: Vec<_> = (0..3).map(|_| raw_client(&running)).collect();
    assert!(sign(&remote(&running, &key)).is_err());
    drop(held_open);
    eventually("closed ones are given back", || held(&running) == 0);
    assert!(sign(&remote(&running, &key)).is_ok());
}

#[test]
fn a_new_signer_takes_over_within_a_handshake() {
    let key = key(&rcgen::PKCS_ECDSA_P256_SHA256);
    let mut running = start(table(&[&key]), limits(), true);
    let remote = remote(&running, &key);
    assert!(sign(&remote).is_ok());
    // The first signer goes: it admits nobody, and its end of this thread's connection closes.
    drop(running.life.take());
    running.admitting.take().unwrap().join().unwrap();
    for client in lock(&running.signer.clients).by_token.values() {
        rustix::net::shutdown(&client.socket, rustix::net::Shutdown::Both).unwrap();
    }
    let broker = running.broker.try_clone().unwrap();
    let late = table(&[&key]);
    let waiting = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(200));
        start_over(late, limits(), true, broker)
    });
    assert!(
        sign(&remote).is_ok(),
        "the request waits for the new signer"
    );
    waiting.join().unwrap();
}

#[test]
fn nobody_waits_longer_than_a_second_and_few_wait_so_long() {
    let key = key(&rcgen::PKCS_ECDSA_P256_SHA256);
    let (near, _far) = pair().unwrap();
    let transport = Transport::new(near, 8);
    let half = PublicHalf::of(key.as_ref()).unwrap();
    let waits: Vec<_> = (0..8)
        .map(|_| {
            let remote = RemoteKey::new(half.clone(), Role::Server, Arc::clone(&transport));
            std::thread::spawn(move || {
                let start = Instant::now();
                assert!(sign(&remote).is_err());
                start.elapsed()
            })
        })
        .map(|thread| thread.join())
        .collect::<Result<_, _>>()
        .unwrap();
    assert!(waits.iter().all(|wait| *wait < Duration::from_secs(3)));
}

#[test]
fn dear_signatures_do_not_hold_up_cheap_ones() {
    let (rsa, ecdsa) = (
        crate::agent::testing::rsa_4096(),
        key(&rcgen::PKCS_ECDSA_P256_SHA256),
    );
    let running = start(table(&[&rsa, &ecdsa]), limits(), true);
    let stop = Arc::new(AtomicBool::new(false));
    let dear: Vec<_> = (0..12)
        .map(|_| {
            let (remote, stop) = (remote(&running, &rsa), Arc::clone(&stop));
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    sign(&remote).unwrap();
                }
            })
        })
        .collect();
    let remote = remote(&running, &ecdsa);
    eventually("a queue of dear ones", || {
        lock(&running.signer.work).queue.len() >= 6
    });
    for _ in 0..50 {
        sign(&remote).unwrap();
        // Served while the dear ones still wait: had it stood behind them, the queue would have been gone through.
        assert!(lock(&running.signer.work).heavy <= 1);
    }
    assert!(
        !lock(&running.signer.work).queue.is_empty(),
        "cheap ones overtook"
    );
    stop.store(true, Ordering::Relaxed);
    dear.into_iter().for_each(|thread| thread.join().unwrap());
}
