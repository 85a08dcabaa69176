// SPDX-License-Identifier: Apache-2.0
// What was logged.
#pragma once

#include <string>
#include <vector>

namespace httpd_stub {

// The lines since somebody cleared them, without their level.
std::vector<std::string>& lines();

}  // namespace httpd_stub
