// SPDX-License-Identifier: Apache-2.0
//! The table of all metrics.
//!
//! Names and units are those of Prometheus' conventions: seconds and bytes, `_total` at the end of counters.

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only grows, until httpd is stopped.
    Counter,
    /// It is as it is now.
    Gauge,
    /// How often something took how long.
    Histogram,
}

impl Kind {
    /// As Prometheus writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// One metric: its series differ by the values of its labels.
#[derive(Debug)]
pub struct Family {
    /// With its unit, without the prefix `mod_tls_`.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Names of its labels.
    pub labels: &'static [&'static str],
    /// What it says, in a sentence without a full stop.
    pub help: &'static str,
    /// Its series, where processes count them; empty where they are found out when somebody asks.
    pub series: &'static [Series],
    /// What it counts in, where it is a histogram.
    pub histogram: Option<Histogram>,
    /// httpd's parent alone counts it: what a child has written there counts for nothing.
    pub by_parent: bool,
}

/// One series.
#[derive(Debug)]
pub struct Series {
    /// What it is counted as.
    pub counter: Counter,
    /// The values of the labels.
    pub values: &'static [&'static str],
}

/// Every name begins so.
pub const PREFIX: &str = "mod_tls_";

macro_rules! table {
    (@) => { false };
    (@ parent) => { true };
    ($($kind:ident $name:literal [$($label:literal),*] $($by:ident)? $help:literal { $($id:ident [$($value:literal),*])* })*) => {
        /// One series that processes count.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs, reason = "each is explained by its family and labels in the table")]
        pub enum Counter { $($($id),*),* }

        /// Every series, in the order of its number, and whether it is a gauge.
        pub const COUNTERS: &[(Counter, Kind)] = &[$($((Counter::$id, Kind::$kind)),*),*];

        const COUNTED: &[Family] = &[$(Family {
            name: $name,
            kind: Kind::$kind,
            labels: &[$($label),*],
            help: $help,
            series: &[$(Series { counter: Counter::$id, values: &[$($value),*] }),*],
            histogram: None,
            by_parent: table!(@ $($by)?),
        }),*];
    };
}

table! {
Counter "handshakes_total" ["version", "kind"] "Handshakes with clients that were completed" {
    FullTls13 ["TLSv1.3", "full"]
    ResumedTls13 ["TLSv1.3", "resumed"]
    FullTls12 ["TLSv1.2", "full"]
    ResumedTls12 ["TLSv1.2", "resumed"]
}
Counter "handshake_failures_total" ["reason"] "Handshakes with clients that failed, by reason" {
    FailedCertificateRejected ["certificate_rejected_by_client"]
    FailedAlert ["other_alert_by_client"]
    FailedSuite ["no_common_cipher_suite"]
    FailedGroup ["no_common_group"]
    FailedPostQuantum ["no_post_quantum_group"]
    FailedVersion ["no_common_version"]
    FailedIncompatible ["incompatible"]
    FailedAlpn ["no_common_protocol"]
    FailedSelection ["no_certificate_fits"]
    FailedNotTls ["not_tls"]
    FailedPlainHttp ["plain_http"]
    FailedSslv2 ["ssl_2"]
    FailedMalformed ["malformed_message"]
    FailedMisbehaved ["protocol_violation"]
    FailedDecrypt ["decryption"]
    FailedOversized ["record_too_long"]
    FailedClientCertificate ["client_certificate_refused"]
    FailedNoClientCertificate ["client_certificate_missing"]
    FailedUnknownName ["unknown_server_name"]
    FailedTimeout ["timeout"]
    FailedClosedEarly ["closed_before_hello"]
    FailedClosed ["closed_by_client"]
    FailedStopping ["server_stops"]
    FailedSignature ["signature_not_made"]
    FailedLimit ["limit"]
    FailedInternal ["internal"]
    FailedOther ["other"]
}
Counter "client_ocsp_total" ["verdict"] "Verdicts of OCSP on clients' certificates; a client without an answer is refused (without_answer), or passes under soft (let_in)" {
    OcspGood ["good"]
    OcspRevoked ["revoked"]
    OcspUnknown ["unknown"]
    OcspFailed ["without_answer"]
    OcspSoft ["let_in"]
}
Counter "client_ocsp_waits_total" [] "Questions to OCSP responders about clients' certificates that a handshake or request had to wait for" {
    OcspWaited []
}
Counter "handshakes_limited_total" ["limit"] "Handshakes with clients that a limit refused (TLSHandshakeRate, TLSHandshakesUnderWay)" {
    LimitedAddressRate ["address_rate"]
    LimitedChildRate ["child_rate"]
    LimitedServerRate ["server_rate"]
    LimitedAddressUnderWay ["address_under_way"]
    LimitedChildUnderWay ["child_under_way"]
    LimitedServerUnderWay ["server_under_way"]
}
Counter "handshake_groups_total" ["group"] "Completed handshakes by group of the key exchange; none for a resumed TLS 1.2 session" {
    GroupX25519Mlkem768 ["X25519MLKEM768"]
    GroupP256Mlkem768 ["SecP256r1MLKEM768"]
    GroupP384Mlkem1024 ["SecP384r1MLKEM1024"]
    GroupMlkem768 ["MLKEM768"]
    GroupMlkem1024 ["MLKEM1024"]
    GroupX25519 ["X25519"]
    GroupP256 ["P-256"]
    GroupP384 ["P-384"]
    GroupNone ["none"]
    GroupOther ["other"]
}
Counter "handshake_cipher_suites_total" ["suite"] "Completed handshakes by cipher suite, as IANA writes it" {
    SuiteAes128 ["TLS_AES_128_GCM_SHA256"]
    SuiteAes256 ["TLS_AES_256_GCM_SHA384"]
    SuiteChaCha ["TLS_CHACHA20_POLY1305_SHA256"]
    SuiteEcdsaAes128 ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"]
    SuiteEcdsaAes256 ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"]
    SuiteEcdsaChaCha ["TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"]
    SuiteRsaAes128 ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]
    SuiteRsaAes256 ["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"]
    SuiteRsaChaCha ["TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"]
    SuiteOther ["other"]
}
Counter "handshake_protocols_total" ["alpn"] "Completed handshakes by the protocol that ALPN chose" {
    AlpnH2 ["h2"]
    AlpnHttp1 ["http/1.1"]
    AlpnAcme ["acme-tls/1"]
    AlpnOther ["other"]
    AlpnNone ["none"]
}
Counter "handshake_signatures_total" ["scheme"] "Completed full handshakes by the scheme that this server signed with" {
    SchemeEcdsaP256 ["ecdsa_secp256r1_sha256"]
    SchemeEcdsaP384 ["ecdsa_secp384r1_sha384"]
    SchemeEcdsaP521 ["ecdsa_secp521r1_sha512"]
    SchemeEd25519 ["ed25519"]
    SchemePss256 ["rsa_pss_rsae_sha256"]
    SchemePss384 ["rsa_pss_rsae_sha384"]
    SchemePss512 ["rsa_pss_rsae_sha512"]
    SchemeMlDsa44 ["mldsa44"]
    SchemeMlDsa65 ["mldsa65"]
    SchemeMlDsa87 ["mldsa87"]
    SchemePkcs256 ["rsa_pkcs1_sha256"]
    SchemePkcs384 ["rsa_pkcs1_sha384"]
    SchemePkcs512 ["rsa_pkcs1_sha512"]
    SchemeOther ["other"]
}
Counter "handshake_ech_total" ["result"] "Completed handshakes with an offer of Encrypted ClientHello, by result; rejected ones go on under the public name" {
    EchAccepted ["accepted"]
    EchRejected ["not_decrypted"]
    EchGrease ["unknown_key"]
}
Counter "client_certificates_total" ["verdict"] "Completed handshakes by the verdict on the client's certificate; refused ones are failures" {
    ClientNone ["none"]
    ClientSuccess ["success"]
    ClientUnverified ["unproven"]
    ClientFailed ["failed"]
}
Counter "alerts_sent_total" ["alert"] "Fatal alerts sent to clients" {
    SentUnexpectedMessage ["unexpected_message"]
    SentBadRecordMac ["bad_record_mac"]
    SentRecordOverflow ["record_overflow"]
    SentHandshakeFailure ["handshake_failure"]
    SentBadCertificate ["bad_certificate"]
    SentUnsupportedCertificate ["unsupported_certificate"]
    SentCertificateRevoked ["certificate_revoked"]
    SentCertificateExpired ["certificate_expired"]
    SentCertificateUnknown ["certificate_unknown"]
    SentIllegalParameter ["illegal_parameter"]
    SentUnknownCa ["unknown_ca"]
    SentAccessDenied ["access_denied"]
    SentDecodeError ["decode_error"]
    SentDecryptError ["decrypt_error"]
    SentProtocolVersion ["protocol_version"]
    SentInternalError ["internal_error"]
    SentInappropriateFallback ["inappropriate_fallback"]
    SentMissingExtension ["missing_extension"]
    SentUnrecognizedName ["unrecognized_name"]
    SentCertificateRequired ["certificate_required"]
    SentNoApplicationProtocol ["no_application_protocol"]
    SentEchRequired ["ech_required"]
    SentOther ["other"]
}
Counter "alerts_received_total" ["alert"] "Fatal alerts received from clients" {
    ReceivedUnexpectedMessage ["unexpected_message"]
    ReceivedBadRecordMac ["bad_record_mac"]
    ReceivedRecordOverflow ["record_overflow"]
    ReceivedHandshakeFailure ["handshake_failure"]
    ReceivedBadCertificate ["bad_certificate"]
    ReceivedUnsupportedCertificate ["unsupported_certificate"]
    ReceivedCertificateRevoked ["certificate_revoked"]
    ReceivedCertificateExpired ["certificate_expired"]
    ReceivedCertificateUnknown ["certificate_unknown"]
    ReceivedIllegalParameter ["illegal_parameter"]
    ReceivedUnknownCa ["unknown_ca"]
    ReceivedAccessDenied ["access_denied"]
    ReceivedDecodeError ["decode_error"]
    ReceivedDecryptError ["decrypt_error"]
    ReceivedProtocolVersion ["protocol_version"]
    ReceivedInternalError ["internal_error"]
    ReceivedInappropriateFallback ["inappropriate_fallback"]
    ReceivedMissingExtension ["missing_extension"]
    ReceivedUnrecognizedName ["unrecognized_name"]
    ReceivedCertificateRequired ["certificate_required"]
    ReceivedNoApplicationProtocol ["no_application_protocol"]
    ReceivedEchRequired ["ech_required"]
    ReceivedOther ["other"]
}
Gauge "handshakes_in_progress" [] "Handshakes with clients under way" {
    UnderWay []
}
Gauge "handshakes_waiting" [] "Those of them that wait for the client and hold no thread" {
    Waiting []
}
Counter "connections_broken_total" [] "Connections with clients that broke after the handshake" {
    Broken []
}
Counter "received_bytes_total" ["peer"] "Bytes received from the network, encryption included" {
    ReceivedFromClients ["client"]
    ReceivedFromBackends ["backend"]
}
Counter "sent_bytes_total" ["peer"] "Bytes sent to the network, encryption included" {
    SentToClients ["client"]
    SentToBackends ["backend"]
}
Counter "received_records_total" ["peer"] "Records of application data received" {
    RecordsFromClients ["client"]
    RecordsFromBackends ["backend"]
}
Counter "sent_records_total" ["peer"] "Records of application data sent" {
    RecordsToClients ["client"]
    RecordsToBackends ["backend"]
}
Counter "tickets_issued_total" [] "Session tickets sent to clients" {
    Issued []
}
Counter "tickets_accepted_total" [] "Session tickets that resumed a session" {
    Accepted []
}
Counter "tickets_refused_total" ["reason"] "Session tickets that did not resume a session; a full handshake followed" {
    Malformed ["malformed"]
    UnknownKey ["unknown_key"]
    Forged ["forged"]
    Expired ["expired"]
    Future ["from_the_future"]
    OtherPolicy ["other_policy"]
    OtherHost ["other_host"]
    ClientCertificate ["client_certificate"]
    TooMany ["too_many_in_one_handshake"]
}
Counter "session_cache_total" ["result"] "Calls to the session cache by result" {
    CacheStored ["stored"]
    CacheHits ["hit"]
    CacheMisses ["miss"]
    CacheRefused ["refused"]
    CacheFailures ["error"]
}
Counter "backend_handshakes_total" ["kind"] "Handshakes with backends that were completed" {
    BackendFull ["full"]
    BackendResumed ["resumed"]
}
Counter "backend_handshake_failures_total" ["reason"] "Handshakes with backends that failed, by reason" {
    BackendUntrusted ["certificate"]
    BackendDisagreed ["negotiation"]
    BackendPostQuantum ["no_post_quantum_group"]
    BackendRefused ["alert"]
    BackendClosed ["closed"]
    BackendSlow ["timeout"]
    BackendBroken ["protocol"]
}
Counter "signatures_total" ["key", "result"] "Signatures of handshakes by kind of the key" {
    SignedEcdsa ["ecdsa", "made"]
    SignedRsa ["rsa", "made"]
    SignedEdwards ["ed25519", "made"]
    SignedOther ["other", "made"]
    UnsignedEcdsa ["ecdsa", "failed"]
    UnsignedRsa ["rsa", "failed"]
    UnsignedEdwards ["ed25519", "failed"]
    UnsignedOther ["other", "failed"]
}
Gauge "signatures_waiting" [] "Signatures that threads wait for now" {
    Signing []
}
Counter "certificate_reloads_total" ["result"] parent "Changed certificates that were loaded without a restart, or refused" {
    ReloadTaken ["taken"]
    ReloadRefused ["refused"]
}
Counter "client_list_reloads_total" ["result"] "Changed CAs or revocation lists for clients; each child reads them for itself" {
    ListsTaken ["taken"]
    ListsRefused ["refused"]
}
Gauge "serving_processes" [] parent "Living children of httpd, ending ones included; 0 under httpd -X" {
    Serving []
}
Gauge "current_processes" [] parent "Those that began since the last restart: they share the server's limits" {
    Current []
}
Gauge "agent_up" [] parent "Whether the key agent runs; absent with TLSKeyIsolation off and under httpd -X" {
    AgentRuns []
}
Counter "agent_signer_restarts_total" [] parent "Signers of the key agent that ended and were replaced" {
    SignerReplaced []
}
Counter "agent_refusals_total" [] parent "Children that the key agent refused: look for a break-in" {
    AgentRefusal []
}
Counter "agent_troubles_total" [] parent "Faults of the key agent" {
    AgentTrouble []
}
Counter "fetcher_restarts_total" [] parent "Fetching processes (OCSP responses, revocation lists) that ended, were stopped or did not answer, and were replaced" {
    FetcherReplaced []
}
Counter "ocsp_requests_total" ["outcome"] parent "Requests to OCSP responders and for revocation lists by outcome; refused means that the answer was not valid" {
    FetchAnswered ["answered"]
    FetchNoName ["no_name"]
    FetchUnreachable ["unreachable"]
    FetchLate ["late"]
    FetchInside ["inside"]
    FetchGarbage ["garbage"]
    FetchRefused ["refused"]
}
Counter "misdirected_requests_total" [] "Requests answered with 421: they named another virtual host than the handshake" {
    Misdirected []
}
Counter "internal_errors_total" ["kind"] "Panics and exceptions that were caught; each is a bug to report" {
    Panic ["panic"]
    Exception ["exception"]
}
}

macro_rules! histograms {
    ($($id:ident $name:literal $help:literal)*) => {
        /// What is measured by how long it takes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs, reason = "each is explained in the table")]
        pub enum Histogram { $($id),* }

        /// How many there are.
        pub const HISTOGRAMS: usize = [$(Histogram::$id),*].len();

        pub(super) const MEASURED: &[Family] = &[$(Family {
            name: $name,
            kind: Kind::Histogram,
            labels: &[],
            help: $help,
            series: &[],
            histogram: Some(Histogram::$id),
            by_parent: false,
        }),*];
    };
}

histograms! {
    Handshake "handshake_duration_seconds" "Completed handshakes with clients, from the connection's first byte on"
    Signature "signature_duration_seconds" "Signatures of handshakes, waiting for the key agent included"
    CacheCall "session_cache_duration_seconds" "Calls to the session cache"
}

/// Those that processes count.
pub const FAMILIES: &[Family] = COUNTED;

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
