// SPDX-License-Identifier: Apache-2.0
// The directives of our own vocabulary, one typed row each. Rows of one name stand together.
#pragma once

#include <array>

#include "config/settings.hpp"
#include "config/vocabulary/ech_values.hpp"
#include "config/vocabulary/ocsp_values.hpp"
#include "config/vocabulary/row.hpp"
#include "config/vocabulary/session_values.hpp"
#include "config/vocabulary/shared_texts.hpp"
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
    row<&ServerSettings::groups, group_list>("TLSGroups", any_number, Context::Server,
                                             {"group[:group]...", "X25519MLKEM768:X25519:P-256:P-384",
                                              "Key exchange groups that are accepted; the client's order decides."}),
    row<&ServerSettings::post_quantum, keyword<post_quantum_words>>("TLSPostQuantum", one_word, Context::Server,
                                                                    post_quantum_text),
    row<&ServerSettings::signatures, signature_list>(
        "TLSSignatureAlgorithms", any_number, Context::Server,
        {"algorithm[:algorithm]...|default", "default",
         "Algorithms to sign handshakes with, most preferred first, as ecdsa_secp256r1_sha256 or ECDSA+SHA256. There "
         "are ECDSA, RSA-PSS and RSA with SHA256, SHA384 and SHA512, ed25519, rsa_pss_pss_sha256 (-384, -512), "
         "mldsa44, mldsa65 and mldsa87. By default, all that fit the certificate's key. The list also applies to "
         "clients' certificates."}),
    row<&ServerSettings::honor_client_order, on_off>(
        "TLSHonorClientOrder", one_word, Context::Server,
        {"on|off", "off", "Whether the client's order of cipher suites counts before the server's."}),
    row<&ServerSettings::strict_sni, on_off>("TLSStrictSNI", one_word, Context::Server,
                                             {"on|off", "on",
                                              "Whether a client that asks for a name no virtual host has is refused "
                                              "with an alert, instead of getting the first virtual host.",
                                              "off"}),
    engine_wide(row<&ServerSettings::handshake_timeout_s, handshake_timeout>(
        "TLSHandshakeTimeout", one_word, Context::Server,
        {"seconds", "20",
         "How long a handshake may take from the first byte to the last: 1 to 3600 seconds, also as 20s, 500ms "
         "(rounded up) or 1min."})),
    engine_wide(row<&ServerSettings::handshake_rate, handshake_limits>(
        "TLSHandshakeRate", any_number, Context::Global,
        {"off|[address:number] [child:number] [server:number]", "off",
         "The highest number of full handshakes a second, each from 1 to 1000000. address: is for one address (of "
         "IPv6, one /64) in each process, child: for each process, server: for all processes, which share the number "
         "evenly. Ten times as many sessions may be resumed. Excess handshakes, encrypted hellos too, are refused "
         "before any public-key operation; see docs/operations.md."})),
    engine_wide(row<&ServerSettings::handshakes_under_way, handshake_limits>(
        "TLSHandshakesUnderWay", any_number, Context::Global,
        {"off|[address:number] [child:number] [server:number]", "off",
         "The highest number of connections whose handshake is under way, each from 1 to 1000000, counted as for "
         "TLSHandshakeRate. Each process allows one. Excess connections are refused before anything is read from "
         "them."})),
    row<&ServerSettings::tickets, session_tickets>(
        "TLSSessionTickets", one_or_two, Context::Server,
        {"on|off|file:path [interval]", "on",
         "Whether sessions are resumed by tickets. With file: (for the whole server) the keys are derived from a "
         "secret of at least 32 octets that several machines may share. A new key is used every interval: 60 to "
         "604800 seconds, also as 5min, 1h (the default) or 1d."}),
    row<&ServerSettings::ticket_count, number<0, 8>>(
        "TLSSessionTicketCount", one_word, Context::Server,
        {"number", "2", "How many tickets a TLS 1.3 handshake gives to the client, from 0 to 8."}),
    row<&ServerSettings::session_lifetime, session_lifetime>(
        "TLSSessionLifetime", one_or_two, Context::Server,
        {"time [time for TLS 1.2]", "12h 1h",
         "How long a session can be resumed: 1 to 604800 seconds, also as 20s, 5min, 12h or 7d. The default is 300 "
         "seconds where client certificates are requested."}),
    row<&ServerSettings::session_cache, session_cache>(
        "TLSSessionCache", one_word, Context::Global,
        {"default|none|provider[:arguments]", "none",
         "Where sessions without tickets are kept: one of httpd's socache providers, such as shmcb:path(size), "
         "redis:host:port, memcache:host:port or dbm:path."}),
    engine_wide(
        row<&ServerSettings::compress_certificates, on_off>("TLSCertCompression", one_word, Context::Server,
                                                            {"on|off", "on",
                                                             "Whether certificates are sent compressed (brotli, "
                                                             "zlib) to clients that accept that. They are compressed "
                                                             "when they are loaded.",
                                                             "off"})),
    row<&ServerSettings::stapling, on_off>(
        "TLSStapling", one_word, Context::Server,
        {"on|off", "on",
         "Whether OCSP responses are sent with certificates: from mod_md (MDStapling), from a file of the "
         "certificate's name and .ocsp, or from the responder that the certificate names.",
         "off"}),
    engine_wide(row<&ServerSettings::fetch_proxy, http_proxy>(
        "TLSFetchProxy", one_word, Context::Server,
        {"url", nullptr, "The HTTP proxy by which OCSP responders and revocation lists are reached."})),
    engine_wide(row<&ServerSettings::fetch_local, on_off>(
        "TLSFetchLocal", one_word, Context::Global,
        {"on|off", "off",
         "Whether an address that a certificate names may be one of this machine, or link-local. Addresses in the "
         "configuration always may."})),
    engine_wide(row<&ServerSettings::fallback, keyword<fallbacks>>(
        "TLSFallback", one_word, Context::Server,
        {"self-signed|503|off", "off",
         "What a virtual host without a usable certificate does: serve the site with a placeholder certificate, "
         "answer requests 503 with one, or stop the start of httpd."})),
    engine_wide(row<&ServerSettings::key_isolation, on_off>(
        "TLSKeyIsolation", one_word, Context::Global,
        {"on|off", "on",
         "Whether private keys are kept in a key agent instead of the processes that talk to the network."})),
    engine_wide(row<&ServerSettings::reload, reload>(
        "TLSReload", one_or_two, Context::Global,
        {"interval [all]|off", "10",
         "How often certificate and key files are checked, to use changed ones without a restart: 1 to 86400 "
         "seconds, also as 20s, 5min or 1h. It needs TLSKeyIsolation on. all also checks CAs of clients and "
         "certificates of OCSP responders, if User may read them.",
         "off"})),
    engine_wide(row<&ServerSettings::metrics, keyword<metrics_details>>(
        "TLSMetrics", one_word, Context::Global,
        {"totals|hosts", "totals",
         "Whether handshakes are also counted by virtual host, up to 1,000 of them; see docs/operations.md."})),
    engine_wide(row<&ServerSettings::key_log, key_log>(
        "TLSKeyLogFile", one_word, Context::Server,
        {"file|off", "off",
         "For debugging: the secrets of connections with clients and backends are appended to this file, with which "
         "Wireshark decrypts recorded traffic (SSLKEYLOGFILE). So can anybody else who reads it; a warning at each "
         "start says so."})),
    engine_wide(row<&ServerSettings::ech_name, ech_name>(
        "TLSECH", one_or_two, Context::Global,
        {"name [directory]|off", nullptr,
         "Encrypted ClientHello: the public name that is visible instead of the requested one. Keys are made, kept "
         "in the directory (tls-ech), replaced after 30 days and erased after 90."})),
    engine_wide(row<&ServerSettings::ech_files, ech_files>(
        "TLSECHKeys", any_number, Context::Global,
        {"file ...", nullptr,
         "Files (RFC 9934) with keys of Encrypted ClientHello, instead of those that TLSECH makes or in addition. "
         "The last component of a name may have one *. Clients without a key get those of the newest file."})),
    engine_wide(row<&ServerSettings::ech_padding, ech_padding>(
        "TLSECHPadding", one_word, Context::Global,
        {"bytes|off", "1024",
         "Encrypted handshake messages of connections with Encrypted ClientHello are padded to a multiple of this, "
         "from 16 to 16384, so that the length of a certificate does not reveal its name."})),
};

inline constexpr std::array tls_directory_rows = {
    row<&DirectorySettings::options, tls_options>(
        "TLSOptions", any_number, Context::Options,
        {"[+|-]option ...", "Defaults",
         "Which variables requests get and how access rules treat TLS: StdEnvVars, ExportCertData, FakeBasicAuth, "
         "StrictRequire, LegacyDNStringFormat; Defaults: none."}),
};

}  // namespace tls::config
