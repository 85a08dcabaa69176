// SPDX-License-Identifier: Apache-2.0
// The directives of our own vocabulary for outgoing connections. Backends have to prove who they are unless told
// otherwise.
#pragma once

#include <array>

#include "config/vocabulary/proxy_values.hpp"
#include "config/vocabulary/shared_texts.hpp"
#include "config/vocabulary/tls_values.hpp"

namespace tls::config {

inline constexpr std::array tls_proxy_rows = {
    row<&ProxySettings::engine, on_off>("TLSProxyEngine", one_word, Context::Proxy,
                                        {"on|off", "off", "Whether connections to backends use TLS."}),
    row<&ProxySettings::versions, minimum_version>(
        "TLSProxyProtocol", one_word, Context::Proxy,
        {"default|TLSv1.2+|TLSv1.3+", "default", "The lowest protocol version to speak with backends."}),
    row<&ProxySettings::suites_preferred, suite_list>(
        "TLSProxyCiphersPrefer", any_number, Context::Proxy,
        {"suite[:suite]...", nullptr, "Cipher suites to offer to backends before all others."}),
    row<&ProxySettings::suites_suppressed, suite_list>(
        "TLSProxyCiphersSuppress", any_number, Context::Proxy,
        {"suite[:suite]...", nullptr, "Cipher suites never to offer to backends."}),
    engine_wide(row<&ProxySettings::groups, group_list>(
        "TLSProxyGroups", any_number, Context::Proxy,
        {"group[:group]...", "X25519MLKEM768:X25519:P-256:P-384",
         "Key exchange groups to offer to backends, most preferred first; without X25519MLKEM768 the ClientHello fits "
         "one packet, which some old backends need."})),
    row<&ProxySettings::post_quantum, keyword<post_quantum_words>>("TLSProxyPostQuantum", one_word, Context::Proxy,
                                                                   backend_post_quantum_text),
    row<&ProxySettings::ca_file, proxy_ca>(
        "TLSProxyCA", one_word, Context::Proxy,
        {"default|path", "default",
         "The authorities of backends' certificates: those of the system, or the PEM certificates of a file or of "
         "all files of a directory."}),
    row<&ProxySettings::verify, proxy_verify>(
        "TLSProxyVerify", one_word, Context::Proxy,
        {"require|none", "require", "Whether a backend must have a certificate of one of the authorities."}),
    row<&ProxySettings::check_peer_name, on_off>(
        "TLSProxyVerifyName", one_word, Context::Proxy,
        {"on|off", "on", "Whether a backend's certificate must name the backend."}),
    row<&ProxySettings::verify_depth, number<0, 6>>(
        "TLSProxyVerifyDepth", one_word, Context::Proxy,
        {"number", "6", "How many certificates there may be above a backend's own, from 0 to 6."}),
    engine_wide(revocation_row<&ProxySettings::crl_file, &ProxySettings::list_fetch>(
        "TLSProxyCRL", Context::Proxy,
        {"[path] [auto [deny|allow] [url ...]]", nullptr,
         "Revocation lists: a PEM file or a directory of PEM files, and with auto fetched ones, as for TLSClientCRL. "
         "Every certificate is then looked up."})),
    also<&ProxySettings::list_fetch>("TLSProxyCRL"),
    row<&ProxySettings::machine_pairs, certificate>(
        "TLSProxyMachineCertificate", one_or_two, Context::Proxy,
        {"file [keyfile]", nullptr,
         "A certificate with its chain, and its key, to show to backends that ask for one. It may be repeated; the "
         "first one that fits the authorities named by the backend is shown."}),
};

}  // namespace tls::config
