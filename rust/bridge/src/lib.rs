// SPDX-License-Identifier: Apache-2.0
//! The boundary between the languages: types, thin functions, `catch_unwind`; nothing else. What has opaque types stands
//! in one `#[cxx::bridge]`, since cxx lets no other one name them; `ech` and `resumption` have one of their own.

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

use agent::{
    agent_become_child, agent_child_began, agent_child_ended, agent_load, agent_look_after,
    agent_pid, agent_prepare, agent_retire, ids_in_use,
};
use backend::{BackendPolicy, begin_configuration, build_backend_policy};
use counting::{count_alert, count_event, count_failed, count_under_way, count_waiting};
use credentials::{CredentialStore, Credentials, new_credential_store};
use fetch::{
    fetch_become_child, fetch_begin, fetch_child_began, fetch_child_ended, fetch_configure,
    fetch_configure_lists, fetch_end, fetch_look_after, fetch_pid, fetch_prepare, fetch_renew,
    fetch_rule_id, lists_are_wanted, refresh_lists,
};
use forks::{forks_detach, forks_register};
use guard::guard;
use identity::{Identity, is_client_field, without_client_fields};
use key_log::{key_log_check, key_log_close, key_log_open};
use limits::{limit_handshakes, limits_report};
use open_files::expect_children;
use policy::{Policy, build_policy, policy_id};
use session::{Session, new_session};
use status::{host_number, status};
use verifier::{ClientVerifier, load_verifier, no_verifier};

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

    /// What looking at the files of a verifier came to.
    #[derive(Debug, Default)]
    struct ClientNews {
        /// Other CAs judge from now on.
        renewed: bool,
        /// Other revocation lists are in force from now on.
        lists_replaced: bool,
        /// They want revocation lists that nobody fetches before a restart.
        unfetched: bool,
        /// Why what changed is not taken up; empty when nothing is wrong.
        problem: String,
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

    /// See `mod_tls_core::context::Offer`.
    #[derive(Clone, Debug)]
    struct StapleOffer {
        id: Vec<u8>,
        response: Vec<u8>,
    }

    /// What there is to say of one certificate and OCSP.
    #[derive(Debug)]
    struct StapleFacts {
        /// What other modules are to know it by.
        id: Vec<u8>,
        /// Certificate and issuer; empty where no issuer stands behind it.
        pem: String,
        names: String,
        /// It demands a response.
        must: bool,
        /// It names a responder.
        responder: bool,
        /// It has a response from a file.
        stapled: bool,
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

    /// In what form the server tells of itself.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum StatusForm {
        Page,
        Json,
        Prometheus,
        /// The block on mod_status' page.
        Block,
        /// Its lines in `?auto`.
        Lines,
    }

    /// A virtual host that speaks TLS.
    #[derive(Debug)]
    struct StatusHost {
        /// `ServerName:port`.
        name: String,
        /// `file:line` of where it is written.
        place: String,
        certificates: u32,
        /// Among those that are counted apart; `u32::MAX` for none.
        number: u32,
        /// Its certificates come from another module.
        managed: bool,
        /// As in `ChosenHost`.
        staples: Vec<StapleOffer>,
        fetched: bool,
        staple_url: String,
    }

    /// What is to be told.
    #[derive(Debug)]
    struct StatusRequest {
        form: StatusForm,
        /// Seconds after which a browser loads the page again; 0 for never.
        refresh: u32,
        version: String,
        /// The server's name.
        server: String,
        /// Keys are to be in processes of their own.
        isolated: bool,
        hosts: Vec<StatusHost>,
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

    /// See `mod_tls_core::creds::PairRequest`; an empty name is no file.
    #[derive(Clone, Debug)]
    struct CertificatePair {
        certificate: String,
        key: String,
        place: String,
        key_place: String,
    }

    /// See `mod_tls_core::creds::FileAt`.
    #[derive(Clone, Debug, Default)]
    struct FileAt {
        path: String,
        place: String,
    }

    /// See `mod_tls_core::creds::LoadRequest`. With `staples` a response may lie beside each certificate, in a file of its
    /// name and `.ocsp`.
    #[derive(Clone, Debug)]
    struct LoadRequest {
        host: String,
        names: Vec<String>,
        passphrase: String,
        pairs: Vec<CertificatePair>,
        spare_keys: Vec<FileAt>,
        chain: FileAt,
        authorities: String,
        strict: bool,
        staples: bool,
        placeholder: bool,
        signatures: Vec<u16>,
        /// `file:line` of that list.
        signatures_place: String,
        tls12: bool,
        tls13: bool,
    }

    /// See `mod_tls_core::creds::Severity`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Severity {
        Notice,
        Warning,
        Kept,
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

    /// What a certificate of a client has proven; see `mod_tls_core::verify::Outcome`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Outcome {
        None,
        Success,
        Unverified,
        Failed,
    }

    /// What was found of the client's certificate; `number` is OpenSSL's. `advice`: what an administrator can do about a
    /// refusal; may be empty.
    #[derive(Debug)]
    struct Verdict {
        outcome: Outcome,
        reason: String,
        number: u32,
        advice: String,
    }

    /// What is asked of clients; see `mod_tls_core::verify::Mode`. The first four are those of `tls::config::VerifyClient`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum ClientMode {
        None,
        Optional,
        Required,
        OptionalNoCa,
        Any,
        AnyUnverified,
    }

    /// Which certificates of a path are looked up in revocation lists; as `tls::config::RevocationCheck::Depth`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Lookup {
        None,
        Leaf,
        Chain,
    }

    /// See `mod_tls_core::verify::Request`.
    #[derive(Clone, Debug)]
    struct VerifierSpec {
        mode: ClientMode,
        depth: u32,
        only_roots: bool,
        authority_files: Vec<String>,
        authority_directories: Vec<String>,
        name_files: Vec<String>,
        name_directories: Vec<String>,
        list_files: Vec<String>,
        list_directories: Vec<String>,
        /// Lists are fetched besides; see `mod_tls_core::verify::fetched::FetchSettings`.
        list_fetch: bool,
        list_allow: bool,
        list_urls: Vec<String>,
        /// Empty for none.
        list_proxy: String,
        lookup: Lookup,
        missing_ok: bool,
        signatures: Vec<u16>,
        /// Which certificates OCSP responders are asked about, and what passes: see `mod_tls_core::verify::Responders`.
        ocsp_lookup: Lookup,
        ocsp_none_ok: bool,
        ocsp_soft: bool,
        /// How they are asked; `responder_file` has the certificates of `responders`.
        ocsp: FetchRule,
        responder_file: String,
    }

    /// See `mod_tls_core::verify::SourceProblem`.
    #[derive(Clone, Debug)]
    struct VerifierProblem {
        /// The server must not start with it.
        fatal: bool,
        /// A CA or a list is not taken that the file may have been meant to hold, or is taken as it was before.
        loss: bool,
        /// The file or directory as the configuration names it.
        source: String,
        text: String,
    }

    /// One field of a certificate.
    #[derive(Debug)]
    struct CertificateField {
        found: bool,
        value: Vec<u8>,
    }

    /// A field with its name.
    #[derive(Debug)]
    struct NamedField {
        name: Vec<u8>,
        value: Vec<u8>,
    }

    /// What a configuration wants of the key agent.
    #[derive(Debug)]
    struct AgentSettings {
        /// False in the first pass of post_config: load and check, serve later.
        serve: bool,
        /// Uid and gid to run under, where httpd is root; used when the agent is first made.
        id: u32,
        /// Seconds between two looks at the files; 0 for never.
        reload_seconds: u32,
        /// Threads of one child.
        threads: u32,
        /// Most children at a time.
        children: u32,
    }

    /// What a line of the agent is about.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum AgentEvent {
        SignerReplaced,
        ClientRefused,
        Reloaded,
        ReloadRefused,
        Trouble,
    }

    /// A certificate.
    #[derive(Clone, Debug)]
    struct Der {
        der: Vec<u8>,
    }

    /// How a responder is asked and its answer judged; `fetch::wants::Rule`.
    #[derive(Clone, Debug)]
    struct FetchRule {
        /// Empty for none.
        responder: String,
        always: bool,
        /// Empty for none.
        proxy: String,
        timeout_ms: u32,
        nonce: bool,
        /// Seconds.
        skew: i64,
        /// Seconds; -1 for none.
        max_age: i64,
        verify: bool,
        responders: Vec<Der>,
    }

    /// A virtual host whose certificates' responses are to be fetched; `fetch::wants::StapleWant`.
    #[derive(Debug)]
    struct FetchStaple {
        /// Index of its certificates.
        host: u32,
        /// Index of its rule.
        rule: u32,
        /// Seconds.
        refresh: u32,
        /// Seconds.
        retry: u32,
        errors: bool,
    }

    /// What a configuration wants of the fetcher; `fetch::parent::Settings`.
    #[derive(Debug)]
    struct FetchSettings {
        id: u32,
        threads: u32,
        children: u32,
        /// Where what was fetched is kept; empty for nowhere.
        directory: String,
        /// Certificates' addresses may lead to this machine.
        local: bool,
        /// Of the staples, and of the questions that children will put.
        rules: Vec<FetchRule>,
        staples: Vec<FetchStaple>,
    }

    /// What the fetcher has to say.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum FetchEvent {
        Stapled,
        StapleLost,
        NoVerdict,
        Trouble,
        Replaced,
        List,
        ListLost,
    }

    /// A line that the fetcher wants logged; printable ASCII.
    #[derive(Debug)]
    struct FetchNotice {
        event: FetchEvent,
        text: String,
    }

    /// A line that the agent wants logged; printable ASCII.
    #[derive(Debug)]
    struct AgentNotice {
        event: AgentEvent,
        text: String,
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

        type ClientVerifier;
        /// Asks no client for a certificate.
        fn no_verifier() -> Box<ClientVerifier>;
        /// Reads CAs and revocation lists. What is wrong is appended to `problems`; after a fatal one the result judges
        /// nobody. Throws only after a panic.
        fn load_verifier(
            spec: &VerifierSpec,
            problems: &mut Vec<VerifierProblem>,
        ) -> Result<Box<ClientVerifier>>;
        /// What the policy id covers of it.
        fn digest(self: &ClientVerifier) -> [u8; 32];
        /// How OCSP responders are asked about clients: one rule, two where changed files say another, or none where
        /// they are not.
        fn ocsp_rules(self: &ClientVerifier) -> Vec<FetchRule>;
        /// Reads changed files of CAs and responders, whose lists and rules `fetch_renew` then has ordered; whether there
        /// are any. Nobody is judged by them here. Parent only.
        fn foresee(self: &ClientVerifier) -> bool;
        /// Reads the revocation lists again if their files have changed, and the CAs if `authorities_too`. What goes
        /// wrong leaves the old ones. Any thread.
        fn refresh(self: &ClientVerifier, authorities_too: bool) -> ClientNews;

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
        /// The certificates of a request, for stapling.
        fn staple_facts(self: &Credentials, index: usize) -> Vec<StapleFacts>;
        /// Whether a request has a placeholder now. Any thread.
        fn is_placeholder(self: &Credentials, index: usize) -> bool;
        /// Compresses the certificates of these requests, as many as a short time allows; the others are compressed when
        /// a client has asked for them. Before children are forked.
        fn compress(self: &Credentials, indices: &[u32]);
        /// What is less separate than it should be, each with the reason; empty where keys are in this process.
        fn weaknesses(self: &Credentials) -> Vec<String>;

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

        /// Every uid and gid that a process of this machine runs under now.
        fn ids_in_use() -> Vec<u32>;

        /// Has the key agent load what the requests name, and makes it where there is none that answers: forks, so
        /// parent only, in post_config. Throws a sentence when there is no agent to be had.
        fn agent_load(
            requests: &[LoadRequest],
            settings: &AgentSettings,
        ) -> Result<Box<Credentials>>;
        /// Makes the agent's first process, while httpd's parent is small: forks, so parent only, before any thread. Not
        /// being able to is no error yet: `agent_load` tries again and says why.
        fn agent_prepare();
        /// Takes the lines that the agent wants logged, and replaces a supervisor that died: forks, parent only.
        fn agent_look_after() -> Vec<AgentNotice>;
        /// The supervisor's pid; 0 where there is none.
        fn agent_pid() -> i32;
        /// Gives up what belongs to the parent; in child_init, before any thread serves. False where there is an agent to
        /// which the parent has given this process no way.
        fn agent_become_child(threads: usize) -> bool;
        /// The MPM has just forked the child `pid`, which gets its way to the signer. Parent only, in child_status. Says
        /// whether `agent_look_after` should be called now.
        fn agent_child_began(pid: i32) -> bool;
        /// The MPM has waited for the child `pid`. Parent only, in child_status.
        fn agent_child_ended(pid: i32);
        /// Ends the agent, where a configuration has no use for it any more, as soon as the last child that it signs for
        /// has ended. Says whether that has been; else it is called again, or `agent_look_after` is. Parent only.
        fn agent_retire() -> bool;

        /// Makes the process that fetches, while httpd's parent is small: forks, so parent only, before any thread. Not
        /// being able to is no error yet.
        fn fetch_prepare();
        /// Has it fetch what a configuration wants, and makes it where there is none; ends it where that is nothing. Forks,
        /// so parent only, in post_config. Throws a sentence when it cannot be made.
        fn fetch_configure(credentials: &Credentials, settings: &FetchSettings) -> Result<()>;
        /// By which id children name a rule in their questions.
        fn fetch_rule_id(rule: &FetchRule) -> Vec<u8>;
        /// A configuration is about to be read; what is fetched is kept in `directory`. Parent only.
        fn fetch_begin(directory: &str);
        /// Has lists fetched that have come to be wanted since `fetch_configure`, by a process of uid and gid `id` where
        /// none runs yet. As that.
        fn fetch_configure_lists(id: u32) -> Result<()>;
        /// Has lists fetched, and responders asked by `rules`, as changed files say. As `fetch_configure_lists`.
        fn fetch_renew(id: u32, rules: Vec<FetchRule>) -> Result<()>;
        /// Whether verifiers of this process want lists that are fetched.
        fn lists_are_wanted() -> bool;
        /// Takes lists that were fetched since the last call, in all verifiers of this process. Waits for nothing; for one
        /// thread of a process, which serves nobody meanwhile.
        fn refresh_lists();
        /// Takes the lines that the fetcher wants logged, keeps in files what it fetched, and replaces it where it died or
        /// does not answer: forks, parent only.
        fn fetch_look_after() -> Vec<FetchNotice>;
        /// The fetcher's pid; 0 where there is none.
        fn fetch_pid() -> i32;
        /// Gives up what belongs to the parent; in child_init, before any thread serves.
        fn fetch_become_child();
        /// The MPM has just forked the child `pid`, which gets its way to the fetcher. Parent only, in child_status. Says
        /// whether `fetch_look_after` should be called now.
        fn fetch_child_began(pid: i32) -> bool;
        /// The MPM has waited for the child `pid`. Parent only, in child_status.
        fn fetch_child_ended(pid: i32);
        /// Ends the fetcher. Parent only.
        fn fetch_end();

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
        /// Counts an alert that C++ sent.
        fn count_alert(alert: u8);
        /// Counts an event.
        fn count_event(event: Event);
        /// One handshake more, or less, is under way.
        fn count_under_way(more: bool);
        /// One handshake more, or less, waits for its client without a thread.
        fn count_waiting(more: bool);

        /// The number that a virtual host is counted by, the same over restarts. Parent only, in post_config.
        fn host_number(name: &str) -> u32;
        /// What the server tells of itself: the metrics' sums, and the certificates of these virtual hosts. Empty where
        /// nothing is counted. Any thread.
        fn status(credentials: &Credentials, request: &StatusRequest) -> String;

        type Identity;
        /// What the client's hello says of the variable `name`, without its `SSL_`: JA4, CLIENTHELLO_CIPHERS and so on.
        fn hello(self: &Identity, name: &[u8]) -> CertificateField;
        /// How many certificates the client sent, its own included. All of `Identity` may be called from any thread.
        fn client_certificates(self: &Identity) -> usize;
        /// The field `name`, as in `S_DN_CN`, of the client's certificate or the server's. `legacy` chooses the form of
        /// distinguished names, `now` is in seconds since 1970.
        fn field(
            self: &Identity,
            client: bool,
            name: &[u8],
            legacy: bool,
            now: i64,
        ) -> CertificateField;
        /// All fields of one side that StdEnvVars exports.
        fn exported(self: &Identity, client: bool, legacy: bool, now: i64) -> Vec<NamedField>;
        /// The client's certificate as the field Client-Cert has it, or (`chain`) those behind it as Client-Cert-Chain
        /// does (RFC 9440); empty where there are none.
        fn http_field(self: &Identity, chain: bool) -> Vec<u8>;
        /// The same connection with the client whom a proxy has told of in these fields; empty ones are none. Throws a
        /// clause that says what is wrong with them.
        fn forwarded(self: &Identity, certificate: &[u8], chain: &[u8]) -> Result<Box<Identity>>;
        /// Whether somebody behind us may take a field of this name for Client-Cert or Client-Cert-Chain.
        fn is_client_field(name: &[u8]) -> bool;
        /// A Connection field without those names; not `found` where it has none of them.
        fn without_client_fields(connection: &[u8]) -> CertificateField;
        /// Whether variables of the client's certificate were left out since they are too many or too long; true once.
        fn tells_cut(self: &Identity) -> bool;
        /// Judges the client's certificate by the CAs and lists of `verifier`, and by mode and depth of a section.
        fn judge(
            self: &Identity,
            verifier: &ClientVerifier,
            section_mode: ClientMode,
            depth: u32,
        ) -> Verdict;
        /// The values of all extensions `name` of one side's certificate, as text.
        fn extensions(self: &Identity, client: bool, name: &[u8]) -> Vec<NamedField>;
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
