// SPDX-License-Identifier: Apache-2.0
// Parsers of values that say how sessions are resumed.
#pragma once

#include "config/settings.hpp"
#include "config/vocabulary/parsers.hpp"

namespace tls::config {

// TLSSessionTickets on|off|file:path [interval]; a file is for the whole server.
Parsed<Tickets> session_tickets(const Arguments& words, const Tickets* before);

// TLSSessionLifetime seconds [seconds for TLS 1.2]
Parsed<Lifetimes> session_lifetime(const Arguments& words, const Lifetimes* before);

// TLSSessionCache none|provider[:arguments]
Parsed<SessionCacheName> session_cache(const Arguments& words, const SessionCacheName* before);

}  // namespace tls::config
