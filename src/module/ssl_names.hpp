// SPDX-License-Identifier: Apache-2.0
// What configurations and tools expect of the module that answers to the name ssl_module, beside its directives.
#pragma once

#include "apr/httpd.hpp"

namespace tls::module {

// Registers the mutex names that `Mutex` lines of mod_ssl configurations use, and the dumps of `-t -D`. Once for each
// reading of the configuration in which ssl_module is loaded.
void register_ssl_names();

}  // namespace tls::module
