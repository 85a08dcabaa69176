// SPDX-License-Identifier: Apache-2.0
// What the C++ library's own checks (_GLIBCXX_ASSERTIONS) call. libstdc++ has it from gcc 12 on (GLIBCXX_3.4.30); with
// one here the module loads where that of gcc 11 is, as on Enterprise Linux 9. exports.map keeps it from everybody
// else.
#include <cstdio>
#include <cstdlib>

namespace std {

// NOLINTNEXTLINE(bugprone-reserved-identifier): the name that the library's headers declare.
__attribute__((__noreturn__)) void __glibcxx_assert_fail(const char* file, int line, const char* function,
                                                         const char* condition) noexcept {
  std::fprintf(stderr, "%s:%d: %s: '%s' does not hold\n", file, line, function, condition);
  std::abort();
}

}  // namespace std
