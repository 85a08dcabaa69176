// SPDX-License-Identifier: Apache-2.0
// The generated documents, as Markdown.
#pragma once

#include <string>

namespace docgen {

std::string directives();
std::string log_messages();
std::string variables();

}  // namespace docgen
