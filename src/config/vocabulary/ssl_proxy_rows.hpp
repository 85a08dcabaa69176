// SPDX-License-Identifier: Apache-2.0
// mod_ssl's directives for outgoing connections. Defaults are mod_ssl's: backends are not verified unless told.
#pragma once

#include "config/vocabulary/shared_texts.hpp"
#include "config/vocabulary/ssl_rows.hpp"

namespace tls::config {

inline constexpr std::array ssl_proxy_rows = {
    row<&ProxySettings::engine, on_off>("SSLProxyEngine", one_word, Context::Proxy,
                                        {"on|off", "off", "Whether connections to backends use TLS."}),
    row<&ProxySettings::versions, ssl_protocol>(
        "SSLProxyProtocol", any_number, Context::Proxy,
        {"[+|-]version ...", "all -SSLv3", "Protocol versions for connections to backends."}),
    cipher_suite_row<ProxySettings, &ProxySettings::suites12, &ProxySettings::suites13>(
        "SSLProxyCipherSuite", Context::Proxy, "Cipher suites to offer to backends, in OpenSSL's language."),
    also<&ProxySettings::suites13>("SSLProxyCipherSuite"),
    row<&ProxySettings::post_quantum, keyword<post_quantum_words>>("SSLProxyPostQuantum", one_word, Context::Proxy,
                                                                   backend_post_quantum_text),
    row<&ProxySettings::verify, ssl_verify>(
        "SSLProxyVerify", one_word, Context::Proxy,
        {"none|optional|require|optional_no_ca", "none", "Whether a backend's certificate is verified."}),
    row<&ProxySettings::verify_depth, number<0, 100>>(
        "SSLProxyVerifyDepth", one_word, Context::Proxy,
        {"number", "1",
         "How many certificates there may be between a backend's certificate and its root, from 0 to 100."}),
    row<&ProxySettings::ca_file, path>(
        "SSLProxyCACertificateFile", one_word, Context::Proxy,
        {"file", nullptr, "Certificates of the authorities whose backend certificates are accepted."}),
    row<&ProxySettings::ca_path, path>("SSLProxyCACertificatePath", one_word, Context::Proxy,
                                       {"directory", nullptr, "The same as a directory of PEM files."}),
    row<&ProxySettings::crl_file, path>("SSLProxyCARevocationFile", one_word, Context::Proxy,
                                        {"file", nullptr, "Revocation lists of the authorities."}),
    row<&ProxySettings::crl_path, path>("SSLProxyCARevocationPath", one_word, Context::Proxy,
                                        {"directory", nullptr, "The same as a directory of PEM files."}),
    row<&ProxySettings::crl_check, ssl_revocation_check>(
        "SSLProxyCARevocationCheck", {1, 2}, Context::Proxy,
        {"none|leaf|chain [no_crl_for_cert_ok]", "none",
         "How much of a backend's chain is looked up in revocation lists."}),
    row<&ProxySettings::machine_certificate_file, path>(
        "SSLProxyMachineCertificateFile", one_word, Context::Proxy,
        {"file", nullptr, "Certificates, each with its key, to show to backends that ask for one."}),
    row<&ProxySettings::machine_certificate_path, path>(
        "SSLProxyMachineCertificatePath", one_word, Context::Proxy,
        {"directory", nullptr, "The same as a directory of PEM files."}),
    row<&ProxySettings::machine_certificate_chain, path>(
        "SSLProxyMachineCertificateChainFile", one_word, Context::Proxy,
        {"file", nullptr, "Intermediate certificates that are sent with them."}),
    row<&ProxySettings::check_peer_expire, on_off>(
        "SSLProxyCheckPeerExpire", one_word, Context::Proxy,
        {"on|off", "on", "Whether an expired backend certificate is refused."}),
    row<&ProxySettings::check_peer_name, on_off>(
        "SSLProxyCheckPeerName", one_word, Context::Proxy,
        {"on|off", "on", "Whether a backend certificate must name the backend."}),
    row<&ProxySettings::check_peer_cn, on_off>(
        "SSLProxyCheckPeerCN", one_word, Context::Proxy,
        {"on|off", "on", "off also turns off SSLProxyCheckPeerName, unless that is written."}),
};

}  // namespace tls::config
