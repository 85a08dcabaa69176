// SPDX-License-Identifier: Apache-2.0
// Parsers of values as mod_ssl's directives write them. Where the meaning is the same, so is the wording of an error.
#pragma once

#include "config/settings.hpp"
#include "config/vocabulary/parsers.hpp"

namespace tls::config {

// SSLEngine
Parsed<bool> ssl_engine(const Arguments& words, const bool* before);

// SSLProtocol [+-]version ...; a bare word replaces what stood before it.
Parsed<Versions> ssl_protocol(const Arguments& words, const Versions* before);

// SSLCipherSuite [SSL|TLSv1.3] list, for TLS 1.2 and for TLS 1.3.
Outcome ssl_cipher_suite(const Arguments& words, bool in_section, std::optional<SuiteList>& suites12,
                         std::optional<SuiteList>& suites13);

// SSLHonorCipherOrder on: the server's order counts.
Parsed<bool> ssl_honor_cipher_order(const Arguments& words, const bool* before);

// SSLCertificateFile and SSLCertificateKeyFile; both add to those written before in the same scope.
Parsed<std::vector<CertificateFiles>> ssl_certificate(const Arguments& words,
                                                      const std::vector<CertificateFiles>* before);
Parsed<std::vector<PathAt>> ssl_key(const Arguments& words, const std::vector<PathAt>* before);

// SSLPassPhraseDialog builtin, |program or exec:program
Parsed<PassPhraseDialog> ssl_pass_phrase_dialog(const Arguments& words, const PassPhraseDialog* before);

// SSLVerifyClient and SSLProxyVerify
Parsed<VerifyClient> ssl_verify(const Arguments& words, const VerifyClient* before);

// SSLCARevocationCheck none|leaf|chain [no_crl_for_cert_ok]
Parsed<RevocationCheck> ssl_revocation_check(const Arguments& words, const RevocationCheck* before);

// SSLSessionCache and SSLStaplingCache: none, nonenotnull or provider:arguments
Parsed<SessionCacheName> ssl_cache(const Arguments& words, const SessionCacheName* before);

// SSLSessionTickets and SSLSessionTicketKeyFile; each keeps what the other wrote in the same scope.
Parsed<Tickets> ssl_tickets(const Arguments& words, const Tickets* before);
Parsed<Tickets> ssl_ticket_key(const Arguments& words, const Tickets* before);

// SSLSessionCacheTimeout: one lifetime for tickets and cache, whatever the version.
Parsed<Lifetimes> ssl_lifetime(const Arguments& words, const Lifetimes* before);

// SSLVHostSNIPolicy
Parsed<SniPolicy> ssl_sni_policy(const Arguments& words, const SniPolicy* before);

// SSLOptions
Parsed<Options> ssl_options(const Arguments& words, const Options* before);

// SSLRequire expression; adds to those written before in the same section.
Parsed<Requirements> requirement(const Arguments& words, const Requirements* before);

// A directive without words: it is there or not.
Parsed<bool> ssl_require_tls(const Arguments& words, const bool* before);

// For rows that are given a handler of their own.
inline Parsed<std::uint16_t> no_value(const Arguments& /*words*/, const std::uint16_t* /*before*/) {
  return Parsed<std::uint16_t>::refuse("has no value");
}

}  // namespace tls::config
