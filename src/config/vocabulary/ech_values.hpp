// SPDX-License-Identifier: Apache-2.0
// Values of the directives for Encrypted ClientHello.
#pragma once

#include "config/settings.hpp"
#include "config/vocabulary/row.hpp"

namespace tls::config {

// A public name, and perhaps the directory for its keys.
Parsed<EchName> ech_name(const Arguments& words, const EchName* before);

// Files of keys; each line adds to those before.
Parsed<std::vector<PathAt>> ech_files(const Arguments& words, const std::vector<PathAt>* before);

// What first flights are padded to a multiple of, in bytes; 0 for nothing.
Parsed<std::uint32_t> ech_padding(const Arguments& words, const std::uint32_t* before);

}  // namespace tls::config
