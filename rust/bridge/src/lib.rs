//! The one `#[cxx::bridge]`: types, thin functions, `catch_unwind`; nothing else.

mod credentials;
mod guard;
mod policy;
mod session;

use credentials::{CredentialStore, Credentials, new_credential_store};
use guard::guard;
use policy::{Policy, build_policy, policy_id};
use session::{Session, new_session};

/// What C++ sees of the Rust side, and Rust of C++.
#[allow(
    missing_docs,
    reason = "fields explain themselves or name the type of the core that documents them"
)]
#[cxx::bridge(namespace = "tls::rs")]
pub mod ffi {
    /// Where a connection stands after a call.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Status {
        /// The handshake needs more from the client.
        Handshaking,
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
        /// Protocol names that are printable ASCII; others cannot be ours.
        alpn: Vec<String>,
        /// ChaCha20 is listed before every AES suite.
        prefers_chacha: bool,
        /// Versions and names offered, printable, for a log line.
        offered: String,
    }

    /// See `mod_tls_core::policy::Spec`.
    #[derive(Debug)]
    struct PolicySpec {
        id: [u8; 32],
        tls12: bool,
        tls13: bool,
        suites: Vec<u16>,
        groups: Vec<u16>,
        server_order: bool,
    }

    /// What a connection is bound to when its hello has chosen the virtual host.
    #[derive(Debug)]
    struct Binding {
        /// `ServerName:port` of the virtual host.
        identity: String,
        /// As `Hello` gave it.
        server_name: String,
        /// The protocol to answer ALPN with; empty for no answer.
        alpn: String,
        prefers_chacha: bool,
        /// Index of the virtual host's certificates.
        certificates: u32,
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
    }

    /// See `mod_tls_core::creds::PairRequest`; an empty name is no file.
    #[derive(Clone, Debug)]
    struct CertificatePair {
        certificate: String,
        key: String,
        chain: String,
        place: String,
    }

    /// See `mod_tls_core::creds::LoadRequest`.
    #[derive(Clone, Debug)]
    struct LoadRequest {
        host: String,
        names: Vec<String>,
        pairs: Vec<CertificatePair>,
        strict: bool,
    }

    /// See `mod_tls_core::creds::Severity`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Severity {
        Notice,
        Warning,
        Error,
    }

    /// See `mod_tls_core::creds::Problem`.
    #[derive(Clone, Debug)]
    struct Problem {
        severity: Severity,
        request: usize,
        place: String,
        text: String,
    }

    /// What a report says of one certificate.
    #[derive(Clone, Debug)]
    struct CertificateFacts {
        key: String,
        subject: String,
        names: String,
        not_after: String,
        days_left: i64,
        chain_length: usize,
    }

    unsafe extern "C++" {
        include!("conn/sink.hpp");
        #[namespace = "tls::conn"]
        type Sink;
        /// Takes decrypted bytes.
        fn plaintext(self: Pin<&mut Sink>, data: &[u8]);
        /// Takes bytes for the network.
        fn outgoing(self: Pin<&mut Sink>, data: &[u8]);
    }

    extern "Rust" {
        /// Name and version of the TLS engine, as `SSL_VERSION_LIBRARY` shows it.
        fn engine_version() -> String;
        /// Draws a random number: the first one of a process costs 20 ms, so that a child pays before it serves.
        fn warm_up();

        /// SHA-256 of a policy's canonical encoding.
        fn policy_id(encoded: &[u8]) -> [u8; 32];

        type Policy;
        /// Builds what all virtual hosts with this policy share. Control plane; throws a sentence.
        fn build_policy(spec: &PolicySpec) -> Result<Box<Policy>>;

        type CredentialStore;
        /// Remembers parsed files over restarts. Owned by the process pool; parent only.
        fn new_credential_store() -> Box<CredentialStore>;
        /// Loads what the requests name. Faults of files are problems of the result; throws only after a panic.
        /// `ask` is false where nobody may be asked for a pass phrase.
        fn load(
            self: &mut CredentialStore,
            requests: &[LoadRequest],
            ask: bool,
        ) -> Result<Box<Credentials>>;

        type Credentials;
        /// What is wrong, in the order of the requests.
        fn problems(self: &Credentials) -> Vec<Problem>;
        /// The certificates of a request in the order in which they are tried.
        fn describe(self: &Credentials, index: usize) -> Vec<CertificateFacts>;

        type Session;
        /// A connection of which nothing is known yet. Owned by the connection pool.
        fn new_session() -> Box<Session>;
        /// Takes the first bytes; call until `opening` is not `NeedMore`.
        fn read_hello(self: &mut Session, input: &[u8]) -> Hello;
        /// Hands the connection to rustls under the policy of the virtual host; false when that fails.
        fn start(
            self: &mut Session,
            policy: &Policy,
            credentials: &Credentials,
            binding: &Binding,
        ) -> bool;
        /// Takes bytes from the network; plaintext and bytes for the network go to `sink`.
        fn feed(self: &mut Session, input: &[u8], sink: Pin<&mut Sink>) -> Status;
        /// Encrypts from the front of `plaintext` in records of at most `fragment` bytes.
        fn seal(self: &mut Session, plaintext: &[u8], fragment: usize, out: &mut [u8]) -> Sealed;
        /// Ends our direction; the alert goes to `sink`.
        fn close_notify(self: &mut Session, sink: Pin<&mut Sink>);
        /// What the handshake settled.
        fn negotiated(self: &Session) -> Negotiated;
        /// Why the connection failed, in plain words, printable; empty while it has not.
        fn failure(self: &Session) -> String;
        /// Number of certificates the client sent.
        fn peer_chain_length(self: &Session) -> usize;
        /// DER of the client's certificate `index`, leaf first; empty beyond the end.
        fn peer_certificate(self: &Session, index: usize) -> &[u8];
    }

    // C++ builds the list.
    impl Vec<LoadRequest> {}
}

fn engine_version() -> String {
    guard(String::new, || mod_tls_core::ENGINE_VERSION.to_owned())
}

fn warm_up() {
    guard(|| (), mod_tls_core::warm_up);
}
