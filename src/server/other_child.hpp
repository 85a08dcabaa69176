// SPDX-License-Identifier: Apache-2.0
// A process that httpd's parent has forked and is to know the end of.
#pragma once

#include <cstdint>

#include "apr/httpd.hpp"

namespace tls::server {

// httpd reaps the children of its parent within a second and tells whoever registered one, long before the monitor hook
// is due. What was forked before httpd detached is nobody's child; the monitor hook finds that one. Parent only; lives
// as long as the parent.
class OtherChild final {
 public:
  using Ended = void (*)(server_rec* main);

  // `ended` is called with the main server when a process that is watched has ended.
  constexpr explicit OtherChild(Ended ended) : ended_(ended) {}

  // Watches process `pid` from now on, unless that is 0 or the one that is watched already.
  void watch(std::int32_t pid);

 private:
  Ended ended_;
  std::int32_t watched_ = 0;
};

}  // namespace tls::server
