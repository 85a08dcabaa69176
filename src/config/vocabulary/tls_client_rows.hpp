// SPDX-License-Identifier: Apache-2.0
// The directives of our own vocabulary that are about client certificates.
#pragma once

#include <array>

#include "config/settings.hpp"
#include "config/vocabulary/ocsp_values.hpp"
#include "config/vocabulary/parsers.hpp"
#include "config/vocabulary/row.hpp"
#include "config/vocabulary/shared_texts.hpp"
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
                                                             "Which client certificates are requested: none; "
                                                             "optional: one that verifies, if the client has one; "
                                                             "required: one that verifies; any: if the client has "
                                                             "one, also one that no authority signed."}),
    row<&ServerSettings::verify_depth, number<0, 7>>(
        "TLSClientDepth", one_word, Context::Everywhere,
        {"number", "3",
         "How many certificates there may be above a client's own, the trusted one included, from 0 to 7."}),
    row<&ServerSettings::ca_file, path>("TLSClientCA", one_word, Context::Everywhere,
                                        {"path", nullptr,
                                         "Certificates of the authorities whose client certificates are accepted: a "
                                         "PEM file, or a directory of PEM files."}),
    row<&ServerSettings::ca_names_file, path>(
        "TLSClientCANames", one_word, Context::Server,
        {"path", nullptr,
         "Certificates whose names are sent to clients instead of those of the accepted authorities."}),
    engine_wide(revocation_row<&ServerSettings::crl_file, &ServerSettings::list_fetch>(
        "TLSClientCRL", Context::Server,
        {"[path] [auto [deny|allow] [url ...]]", nullptr,
         "Revocation lists of the authorities: a PEM file, or a directory of PEM files. They are read again when "
         "they change, if the user that httpd's children run as may read them. auto also fetches lists from the "
         "addresses that the authorities' certificates name (only http://) and from those that are written here. "
         "Each list must be signed by one of the authorities. The first list from an address written here decides "
         "which one, until that list expires. Lists are fetched again at half of their life. While a list is "
         "missing, certificates that no list covers are refused (deny, the default) or pass (allow).",
         nullptr})),
    also<&ServerSettings::list_fetch>("TLSClientCRL"),
    engine_wide(row<&ServerSettings::client_recheck, on_off>(
        "TLSClientRecheck", one_word, Context::Server,
        {"on|off", "off",
         "Whether each request on an open connection checks whether the client has been revoked since the handshake, "
         "by lists and by OCSP responders if they are configured. If so, the answer is 403 and the connection ends; "
         "with HTTP/2 every further request is answered so."})),
    row<&ServerSettings::crl_check, ssl_revocation_check>(
        "TLSClientCRLCheck", {1, 2}, Context::Server,
        {"none|leaf|chain [no_crl_for_cert_ok]", nullptr,
         "How much of a client's chain is looked up in the lists; the default is chain if lists are named."}),
    row<&ServerSettings::ocsp_check, client_ocsp>("TLSClientOCSP", {1, 3}, Context::Server,
                                                  {"chain|leaf|off [no_ocsp_for_cert_ok] [soft]", "off",
                                                   "Whether OCSP responders are asked about clients' certificates: "
                                                   "about each of the chain except the trusted one (chain), or only "
                                                   "about the client's own (leaf). no_ocsp_for_cert_ok accepts "
                                                   "certificates that name no responder, soft also those whose "
                                                   "responder gives no answer."}),
    row<&ServerSettings::client_signatures, signature_list>(
        "TLSClientSignatureAlgorithms", any_number, Context::Server,
        {"algorithm[:algorithm]...|default", nullptr,
         "Algorithms that clients with certificates may sign with, most preferred first; default: all that are "
         "supported. Without the directive TLSSignatureAlgorithms counts."}),
    row<&ServerSettings::trusted_proxies, networks>("TLSTrustedProxy", any_number, Context::Server,
                                                    trusted_proxies_text),
    row<&ServerSettings::sni_policy, ssl_sni_policy>(
        "TLSHostPolicy", one_word, Context::Global,
        {"strict|secure|authonly|insecure", "secure",
         "How much the virtual hosts of SNI and Host may differ before a request is answered 421. Under authonly and "
         "insecure, a virtual host with TLSPostQuantum require also answers over a connection that was made for "
         "another one, without a post-quantum group."}),
};

inline constexpr std::array tls_client_directory_rows = {
    row<&DirectorySettings::verify_client, client_certificate>("TLSClientCertificate", one_word, Context::Everywhere,
                                                               {"none|optional|required|any", nullptr, ""}),
    row<&DirectorySettings::verify_depth, number<0, 7>>("TLSClientDepth", one_word, Context::Everywhere,
                                                        {"number", nullptr, ""}),
    row<&DirectorySettings::ca_file, path>("TLSClientCA", one_word, Context::Everywhere, {"path", nullptr, ""}),
    row<&DirectorySettings::client_cert_header, keyword<client_cert_headers>>(
        "TLSClientCertHeader", one_word, Context::Everywhere, client_cert_header_text),
    row<&DirectorySettings::user_name, any_text>("TLSUserName", one_word, Context::Everywhere,
                                                 {"variable", nullptr, "The variable that becomes the user's name."}),
};

}  // namespace tls::config
