// Keeps the error log readable under attack: a cause that repeats is counted, not repeated.
#pragma once

#include <cstdint>
#include <string_view>

namespace tls::report {

// What to do with one more failure.
struct Verdict {
  bool loud = true;            // at the level an administrator sees; else at debug
  std::uint32_t repeated = 0;  // failures of the same kind kept quiet since the last loud one
};

// Counts a failure with this cause at this virtual host. The first of a kind is loud, and then one a minute.
// Any thread of the child; takes a mutex for a few instructions, and only when something failed.
[[nodiscard]] Verdict count_failure(std::string_view cause, const void* host);

}  // namespace tls::report
