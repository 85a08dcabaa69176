// SPDX-License-Identifier: Apache-2.0
// mod_ssl's directives for servers, virtual hosts and directories, one typed row each, over the same settings as the
// TLS* rows. Defaults are mod_ssl's. Rows of one name stand together.
#pragma once

#include "config/vocabulary/openssl_conf.hpp"
#include "config/vocabulary/shared_texts.hpp"
#include "config/vocabulary/ssl_values.hpp"
#include "config/vocabulary/ssl_words.hpp"

namespace tls::config {

// SSLCipherSuite writes the list of the version it names.
template <class S, Setting<SuiteList> S::*suites12, Setting<SuiteList> S::*suites13>
constexpr Row<S> cipher_suite_row(const char* name, Context context, const char* doc) {
  auto made = row<suites12, suite_list>(name, one_or_two, context, {"[SSL|TLSv1.3] list", nullptr, doc});
  made.set = [](S& settings, Arena& arena, const Arguments& words) {
    std::optional<SuiteList> list12;
    std::optional<SuiteList> list13;
    Outcome outcome = ssl_cipher_suite(words, std::is_same_v<S, DirectorySettings>, list12, list13);
    if (list12) (settings.*suites12).write(arena, std::move(*list12), words.where);
    if (list13) (settings.*suites13).write(arena, std::move(*list13), words.where);
    return outcome;
  };
  return made;
}

// The command of SSLOpenSSLConfCmd writes many members; the row stands for one of them.
constexpr Row<ServerSettings> openssl_conf_row() {
  auto made = row<&ServerSettings::min_version, no_value>(
      "SSLOpenSSLConfCmd", {2, 2}, Context::Server,
      {"command value", nullptr,
       "A command of OpenSSL's own configuration: Curves, Groups, "
       "ECDHParameters, MinProtocol, MaxProtocol, Protocol, CipherString, "
       "Ciphersuites, Options, SignatureAlgorithms, ClientSignatureAlgorithms or "
       "DHParameters."});
  made.set = openssl_conf_command;
  return made;
}

inline constexpr std::array ssl_server_rows = {
    row<&ServerSettings::engine, ssl_engine>(
        "SSLEngine", one_word, Context::Server,
        {"on|off", nullptr,
         "Turns TLS on or off. Without it TLS is on if the port is for https (Listen port https, or port 443) and a "
         "certificate is named, as with mod_ssl."}),
    row<&ServerSettings::certificates, ssl_certificate>(
        "SSLCertificateFile", one_word, Context::Server,
        {"file", nullptr,
         "A PEM file with a certificate, optionally with its chain and key; one for each kind of "
         "key."}),
    row<&ServerSettings::key_files, ssl_key>(
        "SSLCertificateKeyFile", one_word, Context::Server,
        {"file", nullptr, "A PEM file with a private key; the order of pairs does not matter."}),
    row<&ServerSettings::chain_file, path>(
        "SSLCertificateChainFile", one_word, Context::Server,
        {"file", nullptr, "A PEM file with intermediate certificates, appended to every chain."}),
    row<&ServerSettings::pass_phrase_dialog, ssl_pass_phrase_dialog>(
        "SSLPassPhraseDialog", one_word, Context::Global,
        {"builtin||program|exec:program", "builtin", "Who is asked for the pass phrases of encrypted keys."}),
    cipher_suite_row<ServerSettings, &ServerSettings::suites12, &ServerSettings::suites13>(
        "SSLCipherSuite", Context::Everywhere, "Cipher suites in OpenSSL's language, in the order of preference."),
    also<&ServerSettings::suites13>("SSLCipherSuite"),
    row<&ServerSettings::honor_client_order, ssl_honor_cipher_order>(
        "SSLHonorCipherOrder", one_word, Context::Server,
        {"on|off", "off", "Whether the server's order of cipher suites counts before the client's."}),
    row<&ServerSettings::versions, ssl_protocol>(
        "SSLProtocol", any_number, Context::Server,
        {"[+|-]version ...", "all -SSLv3", "Protocol versions to accept; versions before TLSv1.2 do not exist here."}),
    row<&ServerSettings::sni_policy, ssl_sni_policy>(
        "SSLVHostSNIPolicy", one_word, Context::Global,
        {"strict|secure|authonly|insecure", "secure",
         "How much the virtual hosts of SNI and Host may differ before a request is answered 421. Under authonly and "
         "insecure, a virtual host with SSLPostQuantum require also answers over a connection that was made for "
         "another one, without a post-quantum group."}),
    row<&ServerSettings::refuse_without_sni, on_off>(
        "SSLStrictSNIVHostCheck", one_word, Context::Server,
        {"on|off", "off", "Whether clients without SNI are refused (403) by name-based virtual hosts."}),
    openssl_conf_row(),
    also<&ServerSettings::max_version>("SSLOpenSSLConfCmd"),
    also<&ServerSettings::signatures>("SSLOpenSSLConfCmd"),
    also<&ServerSettings::client_signatures>("SSLOpenSSLConfCmd"),
    row<&ServerSettings::post_quantum, keyword<post_quantum_words>>("SSLPostQuantum", one_word, Context::Server,
                                                                    post_quantum_text),
    word_row<ServerSettings, ssl_compression>("SSLCompression", one_word, Context::Server,
                                              {"on|off", "off", "Ignored: there is no TLS compression."}),
    word_row<ServerSettings, ssl_insecure_renegotiation>("SSLInsecureRenegotiation", one_word, Context::Server,
                                                         {"on|off", "off", "Ignored: there is no renegotiation."}),
    word_row<ServerSettings, ssl_random_seed>(
        "SSLRandomSeed", {2, 3}, Context::Global,
        {"startup|connect source [bytes]", nullptr, "Ignored: randomness comes from the operating system."}),
    word_row<ServerSettings, ssl_crypto_device, Answer::Refused>("SSLCryptoDevice", one_word, Context::Global,
                                                                 {"builtin", "builtin", "Engines are not supported."}),
    word_row<ServerSettings, ssl_fips, Answer::Refused>("SSLFIPS", one_word, Context::Global,
                                                        {"on|off", "off", "on is refused."}),
    word_row<ServerSettings, ssl_srp, Answer::Refused>("SSLSRPVerifierFile", one_word, Context::Server,
                                                       {"file", nullptr, "Refused: TLS-SRP does not exist here."}),
    word_row<ServerSettings, ssl_srp, Answer::Refused>("SSLSRPUnknownUserSeed", one_word, Context::Server,
                                                       {"text", nullptr, "Refused: TLS-SRP does not exist here."}),
    word_row<ServerSettings, ssl_log>("SSLLog", any_number, Context::Anywhere,
                                      {"...", nullptr, "Ignored, as by mod_ssl; use ErrorLog."}),
    word_row<ServerSettings, ssl_log>("SSLLogLevel", any_number, Context::Anywhere,
                                      {"...", nullptr, "Ignored, as by mod_ssl; use LogLevel."}),
};

inline constexpr std::array ssl_client_rows = {
    row<&ServerSettings::verify_client, ssl_verify>(
        "SSLVerifyClient", one_word, Context::Everywhere,
        {"none|optional|require|optional_no_ca", "none", "Whether a client certificate is requested or required."}),
    row<&ServerSettings::verify_depth, number<0, 100>>(
        "SSLVerifyDepth", one_word, Context::Everywhere,
        {"number", "1",
         "How many certificates there may be between a client's certificate and its root, from 0 to "
         "100."}),
    row<&ServerSettings::ca_file, path>(
        "SSLCACertificateFile", one_word, Context::Everywhere,
        {"file", nullptr, "Certificates of the authorities whose client certificates are accepted."}),
    row<&ServerSettings::ca_path, path>(
        "SSLCACertificatePath", one_word, Context::Everywhere,
        {"directory", nullptr, "The same as a directory of PEM files; every file is read."}),
    row<&ServerSettings::ca_names_file, path>(
        "SSLCADNRequestFile", one_word, Context::Server,
        {"file", nullptr,
         "Certificates whose names are sent to clients instead of those of the accepted authorities."}),
    row<&ServerSettings::ca_names_path, path>("SSLCADNRequestPath", one_word, Context::Server,
                                              {"directory", nullptr, "The same as a directory of PEM files."}),
    row<&ServerSettings::crl_file, path>("SSLCARevocationFile", one_word, Context::Server,
                                         {"file", nullptr, "Revocation lists of the authorities."}),
    row<&ServerSettings::crl_path, path>("SSLCARevocationPath", one_word, Context::Server,
                                         {"directory", nullptr, "The same as a directory of PEM files."}),
    row<&ServerSettings::crl_check, ssl_revocation_check>(
        "SSLCARevocationCheck", {1, 2}, Context::Server,
        {"none|leaf|chain [no_crl_for_cert_ok]", "none",
         "How much of a client's chain is looked up in revocation lists."}),
    row<&ServerSettings::trusted_proxies, networks>("SSLTrustedProxy", any_number, Context::Server,
                                                    trusted_proxies_text),
};

inline constexpr std::array ssl_session_rows = {
    row<&ServerSettings::session_cache, ssl_cache>(
        "SSLSessionCache", one_word, Context::Global,
        {"none|provider:arguments", "none", "Where sessions are kept: shmcb, dbm, dc, memcache or redis."}),
    row<&ServerSettings::session_lifetime, ssl_lifetime>(
        "SSLSessionCacheTimeout", one_word, Context::Server,
        {"seconds", "300",
         "How long a session may be resumed, by ticket or from the cache, from 0 to 2147483647; no "
         "session is resumed after seven days."}),
    row<&ServerSettings::tickets, ssl_tickets>("SSLSessionTickets", one_word, Context::Server,
                                               {"on|off", "on", "Whether sessions are resumed by tickets."}),
    row<&ServerSettings::tickets, ssl_ticket_key>(
        "SSLSessionTicketKeyFile", one_word, Context::Server,
        {"file", nullptr, "A secret from which ticket keys are derived, the same on every machine of a cluster."}),
    row<&ServerSettings::ech_directory, path>(
        "SSLECHKeyDir", one_word, Context::Global,
        {"directory", nullptr,
         "Keys of Encrypted ClientHello: the files of the directory whose names end with .ech (RFC 9934). Clients "
         "without a key get all of them."}),
};

inline constexpr std::array ssl_directory_rows = {
    row<&DirectorySettings::options, ssl_options>(
        "SSLOptions", any_number, Context::Options,
        {"[+|-]option ...", nullptr,
         "Which variables requests get and how access rules treat TLS: StdEnvVars, ExportCertData, FakeBasicAuth, "
         "StrictRequire, OptRenegotiate (changes nothing), LegacyDNStringFormat."}),
    row<&DirectorySettings::require_tls, ssl_require_tls>(
        "SSLRequireSSL", {0, 62}, Context::Directory,
        {"", nullptr, "Refuses requests (403) that do not come over TLS."}),
    raw(row<&DirectorySettings::requirements, requirement>(
        "SSLRequire", one_word, Context::Directory,
        {"expression", nullptr, "Refuses requests (403) for which the expression is false."})),
    row<&DirectorySettings::user_name, any_text>("SSLUserName", one_word, Context::Everywhere,
                                                 {"variable", nullptr, "The variable that becomes the user's name."}),
    row<&DirectorySettings::client_cert_header, keyword<client_cert_headers>>(
        "SSLClientCertHeader", one_word, Context::Everywhere, client_cert_header_text),
    row<&DirectorySettings::verify_client, ssl_verify>("SSLVerifyClient", one_word, Context::Everywhere,
                                                       {"none|optional|require|optional_no_ca", nullptr, ""}),
    row<&DirectorySettings::verify_depth, number<0, 100>>("SSLVerifyDepth", one_word, Context::Everywhere,
                                                          {"number", nullptr, ""}),
    row<&DirectorySettings::ca_file, path>("SSLCACertificateFile", one_word, Context::Everywhere,
                                           {"file", nullptr, ""}),
    row<&DirectorySettings::ca_path, path>("SSLCACertificatePath", one_word, Context::Everywhere,
                                           {"directory", nullptr, ""}),
    cipher_suite_row<DirectorySettings, &DirectorySettings::suites12, &DirectorySettings::suites13>(
        "SSLCipherSuite", Context::Everywhere, ""),
    also<&DirectorySettings::suites13>("SSLCipherSuite"),
    word_row<DirectorySettings, ssl_reneg_buffer>(
        "SSLRenegBufferSize", one_word, Context::Directory,
        {"bytes", "131072", "Ignored: there is no renegotiation to buffer a request for."}),
};

}  // namespace tls::config
