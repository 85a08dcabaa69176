// SPDX-License-Identifier: Apache-2.0
// Parsers of values that only the TLS* vocabulary writes this way.
#pragma once

#include "config/settings.hpp"
#include "config/vocabulary/parsers.hpp"

namespace tls::config {

// TLSProtocol: "default", "TLSv1.2+", "TLSv1.3+", also without "TLS" and in hexadecimal ("TLSv0x0304+").
Parsed<Versions> minimum_version(const Arguments& words, const Versions* before);

// TLSEngine in the global scope: addresses and ports; adds to those written before.
Parsed<bool> engine_switch(const Arguments& words, const bool* before);
Parsed<std::vector<Listener>> engine_listeners(const Arguments& words, const std::vector<Listener>* before);

// TLSCertificate file [keyfile]; adds to those written before in the same scope.
Parsed<std::vector<CertificateFiles>> certificate(const Arguments& words, const std::vector<CertificateFiles>* before);

// TLSKeyPassphrase builtin|file:path|exec:program
Parsed<PassPhraseDialog> key_passphrase(const Arguments& words, const PassPhraseDialog* before);

// TLSOptions [+|-]option ...
Parsed<Options> tls_options(const Arguments& words, const Options* before);

// TLSReload
Parsed<Reload> reload(const Arguments& words, const Reload* before);

// TLSFallback
inline constexpr std::array fallbacks = {Keyword<Fallback>{"self-signed", Fallback::SelfSigned},
                                         Keyword<Fallback>{"503", Fallback::Unavailable},
                                         Keyword<Fallback>{"off", Fallback::Off}};

// TLSMetrics
inline constexpr std::array metrics_details = {Keyword<MetricsDetail>{"totals", MetricsDetail::Totals},
                                               Keyword<MetricsDetail>{"hosts", MetricsDetail::Hosts}};

// TLSKeyLogFile file|off
Parsed<PathAt> key_log(const Arguments& words, const PathAt* before);

// TLSHandshakeRate, TLSHandshakesUnderWay: off|scope:number ...
Parsed<HandshakeLimits> handshake_limits(const Arguments& words, const HandshakeLimits* before);

// TLSHandshakeTimeout
Parsed<std::uint32_t> handshake_timeout(const Arguments& words, const std::uint32_t* before);

}  // namespace tls::config
