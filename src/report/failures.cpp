#include "report/failures.hpp"

#include <apr_time.h>

#include <array>
#include <functional>
#include <mutex>

namespace tls::report {
namespace {

// One slot per kind; kinds that share a slot displace each other, which at worst makes a line loud too often.
struct Slot {
  std::size_t kind = 0;
  apr_time_t loud_at = 0;
  std::uint32_t repeated = 0;
};

constexpr std::size_t kSlots = 256;
constexpr apr_interval_time_t kQuiet = 60 * APR_USEC_PER_SEC;

std::array<Slot, kSlots> slots;
// Static, not in the child's pool: workers of a child that is killed may outlive its pools.
constinit std::mutex mutex;

Verdict count(std::size_t kind, apr_time_t now) {
  Slot& slot = slots[kind % kSlots];
  if (slot.kind == kind && now - slot.loud_at < kQuiet) {
    ++slot.repeated;
    return {false, 0};
  }
  const std::uint32_t repeated = slot.kind == kind ? slot.repeated : 0;
  slot = {kind, now, 0};
  return {true, repeated};
}

}  // namespace

Verdict count_failure(std::string_view cause, const void* host) {
  const std::size_t kind = std::hash<std::string_view>()(cause) * 31U + std::hash<const void*>()(host);
  const std::lock_guard lock(mutex);
  return count(kind, apr_time_now());
}

}  // namespace tls::report
