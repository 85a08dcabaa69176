// SPDX-License-Identifier: Apache-2.0
#include "server/refresher.hpp"

#include <algorithm>
#include <mutex>

#include "apr/child_thread.hpp"
#include "apr/clock.hpp"
#include "config/policy/effective.hpp"
#include "mod_tls_bridge/src/fetch/boundary.rs.h"
#include "server/engine.hpp"
#include "server/policies.hpp"

namespace tls::server {
namespace {

// One in each child.
class Refresher final {
 public:
  void start(apr_pool_t* pool, const config::Reload& reload) {
    reload_ = reload;
    thread_.start<loop>(pool, this);
  }

 private:
  static void loop(Refresher& self) {
    std::unique_lock lock(self.thread_);
    while (!self.thread_.stopping()) {
      lock.unlock();
      const Engine* const running = engine();
      if (running != nullptr && self.files_are_due()) running->clients().refresh(self.reload_);
      rs::refresh_lists();
      lock.lock();
      self.thread_.wait(self.pause());
    }
  }

  // Files are looked at no more often where lists are waited for: whether one is still being written is told by two
  // looks alike, and each look asks the system for all of them.
  [[nodiscard]] bool files_are_due() {
    const apr_time_t now = apr::monotonic();
    const bool due = now >= next_look_;
    if (due) next_look_ = now + between_looks();
    return due;
  }

  [[nodiscard]] apr_interval_time_t between_looks() const {
    constexpr std::uint32_t longest_s = 2;
    const bool sooner = reload_.authorities_too && reload_.interval_s != 0;
    return apr_time_from_sec(apr_interval_time_t{sooner ? std::min(longest_s, reload_.interval_s) : longest_s});
  }

  [[nodiscard]] apr_interval_time_t pause() const {
    // Nobody with a certificate gets in before the first list, and looking whether there is one costs nothing.
    constexpr apr_interval_time_t soon = apr_time_from_msec(250);
    return rs::lists_are_wanted() ? soon : between_looks();
  }

  apr::ChildThread thread_;
  config::Reload reload_;
  apr_time_t next_look_ = 0;
};

constinit Refresher refresher;

}  // namespace

void start_refresher(apr_pool_t* child_pool, server_rec* s) {
  const Engine* const running = engine();
  if (running == nullptr) return;
  const config::Reload& reload = effective(s).agent.reload;
  if (rs::lists_are_wanted() || running->clients().changes(reload)) refresher.start(child_pool, reload);
}

}  // namespace tls::server
