// From rows to httpd: the command tables.
#pragma once

#include "apr/httpd.hpp"

namespace tls::module {

// The directives of the TLS* vocabulary.
extern const command_rec* const tls_commands;

// The directives of the SSL* vocabulary, and those of TLS* that govern the engine.
extern const command_rec* const ssl_commands;

}  // namespace tls::module
