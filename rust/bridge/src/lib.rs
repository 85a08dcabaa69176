// SPDX-License-Identifier: Apache-2.0
//! The boundary between the languages: types, thin functions, `catch_unwind`; nothing else. Each room has a
//! `#[cxx::bridge]` of its own in its `boundary`; sessions and what the whole process has stand here. A type of another
//! room is named as one of C++'s that is known by its id (`named_in_cpp`), for cxx has no other way.

/// Lets other boundaries name an opaque type of this crate by the name that C++ has for it.
macro_rules! named_in_cpp {
    ($type:ident, $id:literal) => {
        // SAFETY: the boundary of the type's own room defines what has this id, and it is only ever referred to.
        unsafe impl cxx::ExternType for $type {
            type Id = cxx::type_id!($id);
            type Kind = cxx::kind::Opaque;
        }
    };
}

mod agent;
mod backend;
mod counting;
mod counts;
mod credentials;
mod ech;
mod fetch;
mod forks;
mod guard;
mod identity;
#[cfg(debug_assertions)]
mod inject;
mod key_log;
mod limits;
mod memory;
mod open_files;
mod os;
mod policy;
mod resumption;
mod session;
mod shared;
mod status;
mod verifier;

use backend::{BackendPolicy, begin_configuration, build_backend_policy};
use counting::{count_event, count_failed, count_under_way, count_waiting};
use forks::{forks_detach, forks_register};
use guard::guard;
use key_log::{key_log_check, key_log_close, key_log_open};
use limits::{limit_handshakes, limits_report};
use open_files::expect_children;
use policy::{Policy, build_policy, policy_id};
use session::{Session, new_session, refuse};

/// What C++ sees of the Rust side, and Rust of C++.
#[allow(
    missing_docs,
    unreachable_pub,
    reason = "fields explain themselves or name the type of the core that documents them; cxx writes pub"
)]
#[cxx::bridge(namespace = "tls::rs")]
pub(crate) mod ffi {
    /// Where a connection stands after a call.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Status {
        /// The handshake needs more from the client.
        Handshaking,
        /// The handshake is complete, but for what OCSP responders say of the client.
        Judging,
        /// Application data may flow both ways.
        Open,
        /// The client has sent close_notify; ours may still go.
        PeerClosed,
        /// Nothing more can be said on this connection.
        Failed,
    }

    /// What the first bytes of a connection are.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Opening {
        /// More bytes are needed to tell.
        NeedMore,
        /// A whole ClientHello.
        Hello,
        /// An HTTP request in the clear.
        PlainHttp,
        /// A ClientHello of SSL 2.0.
        Sslv2,
        /// TLS records that hold no ClientHello.
        Malformed,
        /// Anything else.
        NotTls,
    }

    /// What the choice of a virtual host and log lines need of a ClientHello.
    #[derive(Debug)]
    struct Hello {
        opening: Opening,
        /// ASCII lower case; empty where the client sent none.
        server_name: String,
        /// It is no name of DNS: virtual hosts may have it, but rustls does not know of it.
        odd_name: bool,
        /// It asks for an OCSP response.
        wants_staple: bool,
        /// Protocol names that are printable ASCII; others cannot be ours.
        alpn: Vec<String>,
        /// ChaCha20 is listed before every AES suite.
        prefers_chacha: bool,
        /// Versions and names offered, printable, for a log line.
        offered: String,
    }

    /// What a connection is bound to when its hello has chosen the virtual host.
    #[derive(Debug)]
    struct ChosenHost {
        /// `ServerName:port` of the virtual host.
        identity: String,
        /// As `Hello` gave it.
        server_name: String,
        /// The protocol to answer ALPN with; empty for no answer.
        alpn: String,
        prefers_chacha: bool,
        /// Index of the virtual host's certificates.
        certificates: u32,
        /// OCSP responses that other modules have for them.
        staples: Vec<StapleOffer>,
        /// One that was fetched may be sent.
        fetched: bool,
        /// From the responder that the configuration names, where it is not empty.
        staple_url: String,
    }

    /// What ended the handshake of an outgoing connection.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Ending {
        /// It is complete.
        Done,
        /// The session failed.
        Failed,
        /// The backend closed the connection.
        Closed,
        /// The backend did not answer in time.
        TimedOut,
    }

    /// Why a handshake with a client ended, where its session has not failed. Sessions fail of causes below these.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Cause {
        /// httpd ends the process.
        Ended = 64,
        TimedOut,
        /// Before the hello was complete.
        ClosedEarly,
        Closed,
        Sslv2,
        NotTls,
        UnknownName,
        NoProtocol,
        ProtocolFailed,
        NoSession,
        PlainHttp,
        /// The session says which: `Exceeded`.
        Limit,
    }

    /// The limit that a handshake exceeds; see `mod_tls_core::tls::limits::Exceeded`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Exceeded {
        Nothing,
        AddressRate,
        ChildRate,
        ServerRate,
        AddressUnderWay,
        ChildUnderWay,
        ServerUnderWay,
    }

    /// Limits for an address, for a process and for the server; 0 for none.
    #[derive(Clone, Copy, Debug)]
    struct LimitScopes {
        address: u32,
        child: u32,
        server: u32,
    }

    /// What is counted beside handshakes.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Event {
        /// A request was answered 421.
        Misdirected,
        /// An exception was caught before it reached httpd.
        Exception,
        /// A connection broke after its handshake.
        Broken,
    }

    /// Where an outgoing connection goes.
    #[derive(Debug)]
    struct Target {
        /// The name to verify and to send as SNI; empty: none is known, and none is verified.
        host: String,
        /// Address of the backend.
        address: String,
        port: u16,
        /// Protocols to offer; none: no ALPN.
        alpn: Vec<String>,
    }

    /// What `Session::seal` did. `ok` is false when nothing can be written any more.
    #[derive(Clone, Copy, Debug)]
    struct Sealed {
        ok: bool,
        taken: usize,
        written: usize,
    }

    /// What the handshake settled; zero or empty where it has not.
    #[derive(Debug)]
    struct Negotiated {
        version: u16,
        suite: u16,
        group: u16,
        signature_scheme: u16,
        alpn: String,
        resumed: bool,
        session_id: Vec<u8>,
        /// Numbers `mod_tls_core::ech::Outcome`.
        ech: u8,
        /// The name in the hello that everybody on the way could read, where there was another.
        outer_name: String,
    }

    unsafe extern "C++" {
        include!("conn/sink.hpp");
        #[namespace = "tls::conn"]
        type Sink;
        /// Takes decrypted bytes.
        fn plaintext(self: Pin<&mut Sink>, data: &[u8]);
        /// Takes bytes for the network.
        fn ciphertext(self: Pin<&mut Sink>, data: &[u8]);
    }

    unsafe extern "C++" {
        include!("mod_tls_bridge/src/credentials/boundary.rs.h");
        type Credentials = crate::credentials::Credentials;
        type StapleOffer = crate::credentials::boundary::ffi::StapleOffer;
        include!("mod_tls_bridge/src/verifier/boundary.rs.h");
        type ClientVerifier = crate::verifier::ClientVerifier;
        type Verdict = crate::verifier::boundary::ffi::Verdict;
        include!("mod_tls_bridge/src/identity/boundary.rs.h");
        type Identity = crate::identity::Identity;
    }

    extern "Rust" {
        /// Name and version of the TLS engine, as `SSL_VERSION_LIBRARY` shows it.
        fn engine_version() -> String;
        /// Draws a random number: the first one of a process costs 20 ms, so that a child pays before it serves.
        fn warm_up();
        /// SHA-256 of a policy's canonical encoding.
        fn policy_id(encoded: &[u8]) -> [u8; 32];

        type Policy;
        /// Builds what all virtual hosts with this policy share. `settings` are what the policy id covers besides the CAs
        /// that judge clients, as src/config/policy encodes it. Control plane; throws a sentence.
        fn build_policy(settings: &[u8], clients: &ClientVerifier) -> Result<Box<Policy>>;

        type BackendPolicy;
        /// Reads the files and builds what all workers with this policy share. `settings` is a ProxyPolicy, as
        /// src/config/policy encodes it; `kept` are faults of files in the place
        /// of which what they held before is used. Control plane; throws a sentence.
        fn build_backend_policy(
            settings: &[u8],
            warnings: &mut Vec<String>,
            kept: &mut Vec<String>,
        ) -> Result<Box<BackendPolicy>>;
        /// A new configuration is about to read its files: what older ones than the present held stands in no more.
        /// Parent only.
        fn begin_configuration();
        /// Has every process forked from this one, whoever forks it, go without what is the parent's alone. Parent only,
        /// as early as may be; from the second time on it does nothing.
        fn forks_register();
        /// Says that httpd is about to detach (`begins`), or may have done so: the process forked then goes on as the
        /// parent, and has all that the parent has.
        fn forks_detach(begins: bool);
        /// Raises this process's limit of open files, where it has to be, for descriptors of `most` children at a time;
        /// what is forked has the limit of before. Parent only.
        fn expect_children(most: u32);
        /// Opens the file that policies to come write secrets of connections to. Parent only, in post_config, before
        /// the first policy. What is wrong, where it cannot be had; else empty.
        fn key_log_open(path: &str) -> String;
        /// What is wrong with such a file. For `-t`: leaves none behind.
        fn key_log_check(path: &str) -> String;
        /// Policies to come write none. Parent only.
        fn key_log_close();
        /// Sets the limits of processes forked from now on: full handshakes a second, and handshakes under way. Parent
        /// only, in post_config.
        fn limit_handshakes(rate: LimitScopes, under_way: LimitScopes);
        /// What the limits of all processes refused since this said it last, once a minute; empty where there is nothing
        /// to say. Parent only.
        fn limits_report() -> String;

        type Session;
        /// A connection of which nothing is known yet. Owned by the connection pool.
        fn new_session() -> Box<Session>;
        /// A handshake of `address` (octets in network order) begins, or its address turns out to be this one.
        fn enter(self: &mut Session, address: &[u8]) -> Exceeded;
        /// Whether the handshake may go on: after `start`, before its hello goes to rustls.
        fn admit(self: &mut Session, policy: &Policy) -> Exceeded;
        /// The limit because of which a handshake failed that was let in for a session and did not resume it.
        fn exceeded(self: &Session) -> Exceeded;
        /// It is over, one way or the other. Idempotent.
        fn leave(self: &mut Session);
        /// Takes the first bytes; call until `opening` is not `NeedMore`.
        fn read_hello(self: &mut Session, input: &[u8]) -> Hello;
        /// Hands the connection to rustls under the policy of the virtual host; false when that fails.
        fn start(
            self: &mut Session,
            policy: &Policy,
            credentials: &Credentials,
            binding: &ChosenHost,
        ) -> bool;
        /// As `start`, with the certificate and key of an ACME challenge (PEM) and without client authentication. False
        /// when they cannot be used.
        fn start_challenge(
            self: &mut Session,
            policy: &Policy,
            certificate: &[u8],
            key: &[u8],
            binding: &ChosenHost,
        ) -> bool;
        /// Begins an outgoing connection; the ClientHello comes out of the next `feed`. False when that fails.
        fn connect(self: &mut Session, policy: &BackendPolicy, target: &Target) -> bool;
        /// Whether this connection, made under another policy, is good enough for `policy`: its backend is believed
        /// there too, and knows us by a certificate that is shown there.
        fn fits(self: &Session, policy: &BackendPolicy) -> bool;
        /// Why an outgoing connection failed and, after it, what to do about that; either may be empty.
        fn backend_failure(self: &Session) -> Vec<String>;
        /// Counts how the handshake of an outgoing connection ended, and with `Failed` why. Once per connection.
        fn count(self: &Session, ending: Ending);
        /// Counts a handshake with a client that is complete: all that was settled, and how long it took. `host` is the
        /// virtual host's number among those that are counted apart.
        fn count_completed(self: &Session, microseconds: u64, host: u32);
        /// Name of the CA that the verified path of the peer's certificate ends in; empty where there is none.
        fn authority(self: &Session) -> String;
        /// Takes bytes from the network; plaintext and bytes for the network go to `sink`.
        fn feed(self: &mut Session, input: &[u8], sink: Pin<&mut Sink>) -> Status;
        /// Looks whether OCSP responders have answered; with `wait` until they have, or were given their time. Unless the
        /// answer is Judging, feed() without input goes on.
        fn judge(self: &mut Session, wait: bool) -> Status;
        /// Encrypts from the front of `plaintext` in records of at most `fragment` bytes.
        fn seal(self: &mut Session, plaintext: &[u8], fragment: usize, out: &mut [u8]) -> Sealed;
        /// Ends our direction; the alert goes to `sink`.
        fn close_notify(self: &mut Session, sink: Pin<&mut Sink>);
        /// Refuses a handshake that rustls has not seen: the alert of this number (RFC 8446 6.2) is counted and goes to `sink`
        /// in the clear.
        fn refuse(alert: u8, sink: Pin<&mut Sink>);
        /// What the handshake settled.
        fn negotiated(self: &Session) -> Negotiated;
        /// Why the connection failed, in plain words, printable; empty while it has not.
        fn failure(self: &Session) -> String;
        /// Whether the backend has asked for another handshake since this was last asked.
        fn asked_again(self: &mut Session) -> bool;
        /// The class of that cause: what counts as the same failure again.
        fn failure_kind(self: &Session) -> u8;
        /// What an administrator can do about it; empty where that is nothing.
        fn remedy(self: &Session) -> String;
        /// The certificates of both sides; to be asked for once, when the handshake is complete.
        fn identity(self: &Session) -> Box<Identity>;
        /// What was found of the client's certificate.
        fn verdict(self: &Session) -> Verdict;
        /// Counts a handshake with a client that failed: a `Cause`, or the session's `failure_kind`. This and the others
        /// below may be called from any thread, and cost some nanoseconds.
        fn count_failed(kind: u8, host: u32);
        /// Counts an event.
        fn count_event(event: Event);
        /// One handshake more, or less, is under way.
        fn count_under_way(more: bool);
        /// One handshake more, or less, waits for its client without a thread.
        fn count_waiting(more: bool);
    }
}

fn engine_version() -> String {
    guard(String::new, || mod_tls_core::ENGINE_VERSION.to_owned())
}

fn warm_up() {
    guard(|| (), mod_tls_core::warm_up);
}
