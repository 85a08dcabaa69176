// SPDX-License-Identifier: Apache-2.0
// The directives of our own vocabulary that are about client certificates.
#pragma once

#include <array>

#include "config/settings.hpp"
#include "config/vocabulary/ocsp_values.hpp"
#include "config/vocabulary/parsers.hpp"
#include "config/vocabulary/row.hpp"
#include "config/vocabulary/ssl_values.hpp"

namespace tls::config {

inline constexpr std::array client_certificate_words = {
    Keyword<VerifyClient>{"none", VerifyClient::None},
    Keyword<VerifyClient>{"optional", VerifyClient::Optional},
    Keyword<VerifyClient>{"required", VerifyClient::Require},
    Keyword<VerifyClient>{"any", VerifyClient::OptionalNoCa},
};

inline Parsed<VerifyClient> client_certificate(const Arguments& words, const VerifyClient* before) {
  return keyword<client_certificate_words>(words, before);
}

inline constexpr std::array tls_client_rows = {
    row<&ServerSettings::verify_client, client_certificate>("TLSClientCertificate", one_word, Context::Everywhere,
                                                            {"none|optional|required|any", "none",
                                                             "What is asked of client certificates: nothing; one that "
                                                             "verifies, if the client has one; one that verifies; one, "
                                                             "if the client has one, that nobody need vouch for."}),
    row<&ServerSettings::verify_depth, number<0, 7>>(
        "TLSClientDepth", one_word, Context::Everywhere,
        {"number", "3",
         "How many certificates may stand above a client's own, the trusted one included, from 0 to 7."}),
    row<&ServerSettings::ca_file, path>("TLSClientCA", one_word, Context::Everywhere,
                                        {"path", nullptr,
                                         "Certificates of the authorities whose client certificates are accepted: a "
                                         "PEM file, or a directory of such."}),
    row<&ServerSettings::ca_names_file, path>(
        "TLSClientCANames", one_word, Context::Server,
        {"path", nullptr,
         "Certificates whose names are sent to clients instead of those of the accepted authorities."}),
    engine_wide(revocation_row<&ServerSettings::crl_file, &ServerSettings::list_fetch>(
        "TLSClientCRL", Context::Server,
        {"[path] [auto [deny|allow] [url ...]]", nullptr,
         "Revocation lists of the authorities: a PEM file, or a directory of such. They are read again when they "
         "change, where the user that httpd's children run as may read them. With auto, lists are fetched besides: "
         "from the addresses that the authorities' certificates name (http:// alone), and from those that are written "
         "here. Each must be signed by one of the authorities; of which, the first list from an address that is "
         "written "
         "here decides until it ends. It is fetched anew at half of its life. While one cannot be had, certificates "
         "that no list is about are refused (deny, the default) or pass (allow).",
         nullptr})),
    also<&ServerSettings::list_fetch>("TLSClientCRL"),
    engine_wide(row<&ServerSettings::client_recheck, on_off>(
        "TLSClientRecheck", one_word, Context::Server,
        {"on|off", "off",
         "Whether each request on an open connection looks whether the client has been revoked since the handshake, by "
         "lists and by OCSP responders, as far as they are asked: if so, it is answered with 403, and the connection "
         "ends (with HTTP/2 every further request is answered so)."})),
    row<&ServerSettings::crl_check, ssl_revocation_check>(
        "TLSClientCRLCheck", {1, 2}, Context::Server,
        {"none|leaf|chain [no_crl_for_cert_ok]", nullptr,
         "How much of a client's chain is looked up in the lists; chain where lists are named."}),
    row<&ServerSettings::ocsp_check, client_ocsp>("TLSClientOCSP", {1, 3}, Context::Server,
                                                  {"chain|leaf|off [no_ocsp_for_cert_ok] [soft]", "off",
                                                   "Whether OCSP responders are asked about clients' certificates: "
                                                   "about each of the chain but the trusted one, or "
                                                   "about the client's own alone. With no_ocsp_for_cert_ok those pass "
                                                   "that name no responder, with soft also those "
                                                   "whose responder gives no answer."}),
    row<&ServerSettings::client_signatures, signature_list>(
        "TLSClientSignatureAlgorithms", any_number, Context::Server,
        {"algorithm[:algorithm]...|default", nullptr,
         "What clients with certificates may sign with, most wanted first; default: all there are. Without it "
         "TLSSignatureAlgorithms counts."}),
    row<&ServerSettings::trusted_proxies, networks>(
        "TLSTrustedProxy", any_number, Context::Server,
        {"address|network ...", nullptr,
         "Proxies in front of this server that are believed when they tell of a client's certificate in those fields: "
         "over TLS, without a PROXY header, and once our own CAs have judged it. It then stands for the client in "
         "variables, rules and logs. "
         "Addresses are "
         "written as 192.0.2.1, networks as 192.0.2.0/24 or 2001:db8::/32."}),
    row<&ServerSettings::sni_policy, ssl_sni_policy>(
        "TLSHostPolicy", one_word, Context::Global,
        {"strict|secure|authonly|insecure", "secure",
         "How far the virtual host of SNI and the one of Host may differ before a request is answered 421. With "
         "authonly and insecure, requests for a virtual host of TLSPostQuantum require also come over a connection "
         "that was made for another one, and without a post-quantum group."}),
};

inline constexpr std::array tls_client_directory_rows = {
    row<&DirectorySettings::verify_client, client_certificate>("TLSClientCertificate", one_word, Context::Everywhere,
                                                               {"none|optional|required|any", nullptr, ""}),
    row<&DirectorySettings::verify_depth, number<0, 7>>("TLSClientDepth", one_word, Context::Everywhere,
                                                        {"number", nullptr, ""}),
    row<&DirectorySettings::ca_file, path>("TLSClientCA", one_word, Context::Everywhere, {"path", nullptr, ""}),
    row<&DirectorySettings::client_cert_header, keyword<client_cert_headers>>(
        "TLSClientCertHeader", one_word, Context::Everywhere,
        {"on|chain|off", "off",
         "Whether requests tell whoever answers them, such as a backend, of the client's certificate, in the field "
         "Client-Cert (RFC 9440), and of its issuers, as far as the client has sent them, in Client-Cert-Chain: where "
         "the request's own section has verified it. What visitors send in these fields never gets through, on or "
         "off."}),
    row<&DirectorySettings::user_name, any_text>("TLSUserName", one_word, Context::Everywhere,
                                                 {"variable", nullptr, "The variable that becomes the user's name."}),
};

}  // namespace tls::config
