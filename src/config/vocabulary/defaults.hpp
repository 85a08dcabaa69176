// SPDX-License-Identifier: Apache-2.0
// The defaults of a vocabulary as settings: what its rows say, read by their own parsers.
#pragma once

#include <span>

#include "config/settings.hpp"

namespace tls::config {

// Every member that has a default, with the default of `words`; the source of such a setting has no file. Members
// that only TLS* directives write have their own default in SSL* words where the row says so.
// A default that its own parser refuses leaves its member unset, which a unit test finds.
ServerSettings server_defaults(Vocabulary words, Arena& arena);
ProxySettings proxy_defaults(Vocabulary words, Arena& arena);

}  // namespace tls::config
