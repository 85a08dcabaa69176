// SPDX-License-Identifier: Apache-2.0
// mod_ssl's directives about OCSP: of clients, and stapled.
#pragma once

#include <array>

#include "config/vocabulary/ocsp_values.hpp"

namespace tls::config {

inline constexpr std::array ssl_ocsp_rows = {
    row<&ServerSettings::ocsp_check, ssl_ocsp_check>("SSLOCSPEnable", {1, 3}, Context::Server,
                                                     {"on|leaf|off [no_ocsp_for_cert_ok] [soft]", "off",
                                                      "Whether OCSP responders are asked about clients' "
                                                      "certificates: about each of the chain except the trusted one "
                                                      "(on), or only about the client's own (leaf). "
                                                      "no_ocsp_for_cert_ok accepts certificates that name no "
                                                      "responder, soft also those whose responder gives no answer; "
                                                      "mod_ssl has no soft."}),
    row<&ServerSettings::ocsp_responder, http_url>("SSLOCSPDefaultResponder", one_word, Context::Server,
                                                   {"url", nullptr, "The responder for certificates that name none."}),
    row<&ServerSettings::ocsp_override, on_off>(
        "SSLOCSPOverrideResponder", one_word, Context::Server,
        {"on|off", "off", "Whether SSLOCSPDefaultResponder is asked about all certificates, whatever they name."}),
    row<&ServerSettings::ocsp_skew_s, limit_in_seconds>(
        "SSLOCSPResponseTimeSkew", one_word, Context::Server,
        {"seconds", "300", "How far the clock of a responder may differ from this machine's, from 0 to 2147483647."}),
    row<&ServerSettings::ocsp_max_age_s, response_age>(
        "SSLOCSPResponseMaxAge", one_word, Context::Server,
        {"seconds", "-1", "How old an answer may be, from 0 to 2147483647; -1: as the answer itself says."}),
    row<&ServerSettings::ocsp_timeout_s, limit_in_seconds>(
        "SSLOCSPResponderTimeout", one_word, Context::Server,
        {"seconds", "10",
         "How long a handshake waits for a responder, from 0 to 2147483647. Under the event MPM no thread waits with "
         "it."}),
    row<&ServerSettings::ocsp_nonce, on_off>(
        "SSLOCSPUseRequestNonce", one_word, Context::Server,
        {"on|off", "on", "Whether a question has a nonce, which the answer must repeat."}),
    row<&ServerSettings::ocsp_proxy, http_proxy>("SSLOCSPProxyURL", one_word, Context::Server,
                                                 {"url", nullptr, "The HTTP proxy for requests to responders."}),
    row<&ServerSettings::ocsp_no_verify, on_off>(
        "SSLOCSPNoVerify", one_word, Context::Server,
        {"on|off", "off", "Whether answers are accepted whoever signed them; for tests only."}),
    row<&ServerSettings::ocsp_responder_file, path>(
        "SSLOCSPResponderCertificateFile", one_word, Context::Server,
        {"file", nullptr, "A PEM file with certificates of responders that are trusted whoever issued them."}),
};

inline constexpr std::array ssl_stapling_rows = {
    row<&ServerSettings::stapling, on_off>(
        "SSLUseStapling", one_word, Context::Server,
        {"on|off", "off",
         "Whether OCSP responses are sent with certificates: from a file of the certificate's name and .ocsp, or "
         "from the responder that the certificate names. Those of mod_md (MDStapling) are sent in any case, and come "
         "first."}),
    word_row<ServerSettings, ssl_stapling_cache>(
        "SSLStaplingCache", one_word, Context::Global,
        {"provider:arguments", nullptr, "Ignored: responses are shared and kept without a separate cache."}),
    row<&ServerSettings::staple_skew_s, limit_in_seconds>(
        "SSLStaplingResponseTimeSkew", one_word, Context::Server,
        {"seconds", "300", "How far the clock of a responder may differ from this machine's, from 0 to 2147483647."}),
    row<&ServerSettings::staple_timeout_s, limit_in_seconds>(
        "SSLStaplingResponderTimeout", one_word, Context::Server,
        {"seconds", "10", "How long a responder has to answer, from 0 to 2147483647; no handshake waits for it."}),
    row<&ServerSettings::staple_max_age_s, response_age>(
        "SSLStaplingResponseMaxAge", one_word, Context::Server,
        {"seconds", "-1", "How old a response may be, from 0 to 2147483647; -1: as the response itself says."}),
    row<&ServerSettings::staple_life_s, limit_in_seconds>(
        "SSLStaplingStandardCacheTimeout", one_word, Context::Server,
        {"seconds", "3600",
         "After what time a response is fetched again, from 0 to 2147483647; earlier if half of its life is over."}),
    word_row<ServerSettings, ssl_stapled_errors>(
        "SSLStaplingReturnResponderErrors", one_word, Context::Server,
        {"on|off", "on", "Ignored: only a response that says the certificate is good is stapled."}),
    word_row<ServerSettings, ssl_stapled_errors>(
        "SSLStaplingFakeTryLater", one_word, Context::Server,
        {"on|off", "on", "Ignored: only a response that says the certificate is good is stapled."}),
    row<&ServerSettings::staple_retry_s, limit_in_seconds>(
        "SSLStaplingErrorCacheTimeout", one_word, Context::Server,
        {"seconds", "600", "After what time a responder that failed is asked again, from 0 to 2147483647."}),
    row<&ServerSettings::staple_url, http_url>(
        "SSLStaplingForceURL", one_word, Context::Server,
        {"url", nullptr, "The responder that is asked instead of those that certificates name."}),
};

}  // namespace tls::config
