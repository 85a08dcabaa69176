// SPDX-License-Identifier: Apache-2.0
// The directives of our own vocabulary, one typed row each. Rows of one name stand together.
#pragma once

#include <array>

#include "config/settings.hpp"
#include "config/vocabulary/ech_values.hpp"
#include "config/vocabulary/ocsp_values.hpp"
#include "config/vocabulary/row.hpp"
#include "config/vocabulary/session_values.hpp"
#include "config/vocabulary/tls_values.hpp"

namespace tls::config {

inline constexpr std::array tls_server_rows = {
    row<&ServerSettings::listeners, engine_listeners>(
        "TLSEngine", any_number, Context::Global,
        {"[address:]port ...", nullptr,
         "Ports, or ports of single addresses, on which connections speak TLS, such as 443, 192.0.2.1:443 or "
         "[2001:db8::1]:443."}),
    row<&ServerSettings::engine, engine_switch>(
        "TLSEngine", one_word, Context::VirtualHost,
        {"on|off", nullptr, "Turns TLS on or off for this virtual host, whatever the global TLSEngine lists."}),
    row<&ServerSettings::certificates, certificate>(
        "TLSCertificate", one_or_two, Context::Server,
        {"file [keyfile]", nullptr,
         "A PEM file with a certificate and its chain, and the file with its private key unless that is in the same "
         "file; may be repeated, one for each kind of key. Clients that offer ML-DSA get a certificate of it in TLS "
         "1.3; "
         "others get ECDSA and Ed25519 rather than RSA."}),
    row<&ServerSettings::pass_phrase_dialog, key_passphrase>(
        "TLSKeyPassphrase", one_word, Context::Server,
        {"builtin|file:path|exec:program", "builtin",
         "Where the pass phrases of encrypted keys come from: the terminal, the first line of a file, or a program "
         "that "
         "is called with the virtual host and the number of the key."}),
    row<&ServerSettings::versions, minimum_version>(
        "TLSProtocol", one_word, Context::Server,
        {"default|TLSv1.2+|TLSv1.3+", "default", "The lowest protocol version to accept."}),
    row<&ServerSettings::suites_preferred, suite_list>(
        "TLSCiphersPrefer", any_number, Context::Server,
        {"suite[:suite]...|default", nullptr,
         "Cipher suites to place before all others, by IANA, OpenSSL or hexadecimal name; default: none."}),
    row<&ServerSettings::suites_suppressed, suite_list>(
        "TLSCiphersSuppress", any_number, Context::Server,
        {"suite[:suite]...|default", nullptr,
         "Cipher suites never to negotiate, by IANA, OpenSSL or hexadecimal name; default: none."}),
    row<&ServerSettings::groups, group_list>(
        "TLSGroups", any_number, Context::Server,
        {"group[:group]...", "X25519MLKEM768:X25519:P-256:P-384",
         "Key exchange groups that are taken, of which the client takes its choice."}),
    row<&ServerSettings::post_quantum, keyword<post_quantum_words>>(
        "TLSPostQuantum", one_word, Context::Server,
        {"prefer|require|off", nullptr,
         "Whether a post-quantum group comes first whatever the list of groups says, with require alone: clients "
         "without one get handshake_failure, and those of TLSv1.2 have none. Otherwise the list says it."}),
    row<&ServerSettings::signatures, signature_list>(
        "TLSSignatureAlgorithms", any_number, Context::Server,
        {"algorithm[:algorithm]...|default", "default",
         "What handshakes may be signed with, most preferred first, as ecdsa_secp256r1_sha256 or ECDSA+SHA256: there "
         "are "
         "ECDSA, RSA-PSS and RSA with SHA256, SHA384 and SHA512, ed25519, rsa_pss_pss_sha256 (-384, -512), mldsa44, "
         "mldsa65 and mldsa87; default: "
         "whatever fits the certificate's "
         "key. Clients' certificates are asked for the same."}),
    row<&ServerSettings::honor_client_order, on_off>(
        "TLSHonorClientOrder", one_word, Context::Server,
        {"on|off", "off", "Whether the client's order of cipher suites counts before the server's."}),
    row<&ServerSettings::strict_sni, on_off>("TLSStrictSNI", one_word, Context::Server,
                                             {"on|off", "on",
                                              "Whether a client that asks for a name no virtual host has is turned "
                                              "away with an alert instead of getting the "
                                              "first virtual host.",
                                              "off"}),
    engine_wide(row<&ServerSettings::handshake_timeout_s, handshake_timeout>(
        "TLSHandshakeTimeout", one_word, Context::Server,
        {"seconds", "20",
         "How long a handshake may take from the first byte to the last: 1 to 3600 seconds, also as 20s, 500ms "
         "(rounded up) or 1min."})),
    engine_wide(row<&ServerSettings::handshake_rate, handshake_limits>(
        "TLSHandshakeRate", any_number, Context::Global,
        {"off|[address:number] [child:number] [server:number]", "off",
         "How many full handshakes a second are made: with one address (of IPv6, with one /64) by each process, by "
         "each process, and by all processes together, which share the number out evenly; each is from 1 to 1000000. "
         "Of "
         "resumed sessions there may be ten times as many. What is beyond is refused before any operation with a "
         "public "
         "key, encrypted hellos too; see docs/operations.md."})),
    engine_wide(row<&ServerSettings::handshakes_under_way, handshake_limits>(
        "TLSHandshakesUnderWay", any_number, Context::Global,
        {"off|[address:number] [child:number] [server:number]", "off",
         "How many connections may be before the end of their handshake at a time, counted in the same way, "
         "each from 1 to 1000000; each process lets one in. What is beyond is refused before it has said anything."})),
    row<&ServerSettings::tickets, session_tickets>(
        "TLSSessionTickets", one_or_two, Context::Server,
        {"on|off|file:path [interval]", "on",
         "Whether sessions are resumed by tickets; with file: (for the whole server) their keys are made of a secret "
         "of "
         "at least 32 octets that several machines may share, a new one every interval: 60 to 604800 seconds, also as "
         "5min, 1h (the default) or 1d."}),
    row<&ServerSettings::ticket_count, number<0, 8>>(
        "TLSSessionTicketCount", one_word, Context::Server,
        {"number", "2", "How many tickets a TLS 1.3 handshake gives to the client, from 0 to 8."}),
    row<&ServerSettings::session_lifetime, session_lifetime>(
        "TLSSessionLifetime", one_or_two, Context::Server,
        {"time [time for TLS 1.2]", "12h 1h",
         "How long a session can be resumed: 1 to 604800 seconds, also as 20s, 5min, 12h or 7d; where client "
         "certificates are asked for, 300 seconds unless written."}),
    row<&ServerSettings::session_cache, session_cache>(
        "TLSSessionCache", one_word, Context::Global,
        {"default|none|provider[:arguments]", "none",
         "Where sessions without tickets are kept: one of httpd's socache providers, such as shmcb:path(size), "
         "redis:host:port, memcache:host:port or dbm:path."}),
    engine_wide(
        row<&ServerSettings::compress_certificates, on_off>("TLSCertCompression", one_word, Context::Server,
                                                            {"on|off", "on",
                                                             "Whether certificates go compressed (brotli, zlib) to "
                                                             "clients that take them so; they are compressed when they "
                                                             "are loaded.",
                                                             "off"})),
    row<&ServerSettings::stapling, on_off>(
        "TLSStapling", one_word, Context::Server,
        {"on|off", "on",
         "Whether OCSP responses go with certificates: from mod_md (MDStapling), from a file of the certificate's name "
         "and .ocsp, or from the responder that the certificate names.",
         "off"}),
    engine_wide(row<&ServerSettings::fetch_proxy, http_proxy>(
        "TLSFetchProxy", one_word, Context::Server,
        {"url", nullptr, "The HTTP proxy by which OCSP responders and revocation lists are reached."})),
    engine_wide(row<&ServerSettings::fetch_local, on_off>(
        "TLSFetchLocal", one_word, Context::Global,
        {"on|off", "off",
         "Whether an address that a certificate names may be one of this machine, or link-local; those that the "
         "configuration names always may."})),
    engine_wide(row<&ServerSettings::fallback, keyword<fallbacks>>(
        "TLSFallback", one_word, Context::Server,
        {"self-signed|503|off", "off",
         "What a virtual host does that has no usable certificate: a placeholder is made and the site served under it, "
         "requests are answered 503 under it, or httpd does not start."})),
    engine_wide(row<&ServerSettings::key_isolation, on_off>(
        "TLSKeyIsolation", one_word, Context::Global,
        {"on|off", "on",
         "Whether private keys are held by a key agent instead of the processes that talk to the "
         "network."})),
    engine_wide(row<&ServerSettings::reload, reload>(
        "TLSReload", one_or_two, Context::Global,
        {"interval [all]|off", "10",
         "How often certificate and key files are looked at, to be taken up without a restart when they changed: 1 to "
         "86400 seconds, also as 20s, 5min or 1h; needs TLSKeyIsolation on. With all, CAs of clients and certificates "
         "of OCSP responders too, "
         "as far as User may read them.",
         "off"})),
    engine_wide(row<&ServerSettings::metrics, keyword<metrics_details>>(
        "TLSMetrics", one_word, Context::Global,
        {"totals|hosts", "totals",
         "Whether handshakes are also counted by virtual host, up to 1,000 of them; see docs/operations.md."})),
    engine_wide(row<&ServerSettings::key_log, key_log>(
        "TLSKeyLogFile", one_word, Context::Server,
        {"file|off", "off",
         "For the search of faults: the secrets of connections with clients and backends are appended to this file, by "
         "which Wireshark reads recorded traffic (SSLKEYLOGFILE). Whoever reads it reads everything; a warning at each "
         "start says so."})),
    engine_wide(row<&ServerSettings::ech_name, ech_name>(
        "TLSECH", one_or_two, Context::Global,
        {"name [directory]|off", nullptr,
         "Encrypted ClientHello: the public name that is seen of connections instead of the name they ask for. Its "
         "keys are made, kept in the directory (tls-ech), replaced after 30 days and erased after 90."})),
    engine_wide(row<&ServerSettings::ech_files, ech_files>(
        "TLSECHKeys", any_number, Context::Global,
        {"file ...", nullptr,
         "Keys of Encrypted ClientHello in files of RFC 9934, instead of those that TLSECH makes, or besides them; the "
         "last component of a name may have one *. Clients without a key are given those of the newest file."})),
    engine_wide(row<&ServerSettings::ech_padding, ech_padding>(
        "TLSECHPadding", one_word, Context::Global,
        {"bytes|off", "1024",
         "What the encrypted handshake messages of connections with Encrypted ClientHello are padded to a multiple of, "
         "from 16 to 16384, so that the length of a certificate does not tell its name."})),
};

inline constexpr std::array tls_directory_rows = {
    row<&DirectorySettings::options, tls_options>(
        "TLSOptions", any_number, Context::Options,
        {"[+|-]option ...", "Defaults",
         "Which variables requests get and how access rules treat TLS: StdEnvVars, ExportCertData, FakeBasicAuth, "
         "StrictRequire, LegacyDNStringFormat; Defaults: none."}),
};

}  // namespace tls::config
