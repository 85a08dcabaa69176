// SPDX-License-Identifier: Apache-2.0
// What a configuration written for mod_ssl will meet here that is different, though nothing about it is wrong.
#pragma once

#include <string>

#include "config/vocabulary/row.hpp"

namespace tls::config {

// The difference that a directive of mod_ssl makes with these words; empty where there is none. What its Outcome says
// already is not repeated. `in_section`: in a directory, location or .htaccess file.
std::string migration_difference(const Arguments& words, bool in_section);

}  // namespace tls::config
